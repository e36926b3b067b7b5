"""Settings of all tests."""

import os

from hypothesis import settings

# a busy machine is no failure; where nobody is at the keyboard the same examples are tried every time
settings.register_profile("fitmotion", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("fitmotion")
