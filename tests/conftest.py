"""How hypothesis searches: anew on every run at home, the same examples every time in CI; where kernels are kept.

It knows no test.
"""

import os

import pytest
from hypothesis import settings

settings.register_profile("home", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, database=None)
settings.load_profile("ci" if os.environ.get("CI") else "home")


def pytest_configure(config: pytest.Config) -> None:
    """Let all tests and the processes that they start share compiled kernels."""
    if "MHAT_CACHE_DIR" not in os.environ and config.cache is not None:
        folder = config.cache.mkdir("kernels")
        folder.chmod(0o700)
        os.environ["MHAT_CACHE_DIR"] = str(folder)
