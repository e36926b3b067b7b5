"""Recipes that turn data into weights and tables. Nothing is trained on import."""
