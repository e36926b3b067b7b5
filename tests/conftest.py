"""Settings of all tests."""

from hypothesis import settings

# a busy machine is no failure
settings.register_profile("fitmotion", deadline=None)
settings.load_profile("fitmotion")
