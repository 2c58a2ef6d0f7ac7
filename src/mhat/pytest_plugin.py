"""The pytest fixture `assert_conforms`. It imports nothing of mhat until a test asks for it."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def assert_conforms() -> Callable[..., None]:
    """Give `mhat.testing.assert_conforms`: a failing test shows the whole diagnosis."""
    found: Any = importlib.import_module("mhat.testing")
    function: Callable[..., None] = found.assert_conforms
    return function
