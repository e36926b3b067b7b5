"""Measures how good the parts are, against known truth and against real recordings."""
