"""Libraries of exported C and Rust, each compiled once a session, when it is first asked for."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from mhat import rules
from mhat.exports import EXPORTS
from mhat.language import Rule
from mhat.names import find_rule
from tests.choices import OFTEN
from tests.exports.compilers import compiled, subject
from tests.exports.odd import ODD

ALL = [name for name in rules.names() if EXPORTS["c"].lacking(rules.named(name)) is None]
MODIFIED = ["cautious(adam)", "lookahead(sgd)", "skip_outliers(adam)", "clipped(prodigy)"]
Library = Callable[[Rule, str, str], Callable[..., np.ndarray]]


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """Compile the rules that are often tested together, and the others when one of them is asked for."""
    parts = {
        "often": [*(rules.named(name) for name in ALL if name in OFTEN), *map(find_rule, MODIFIED), ODD],
        "seldom": [rules.named(name) for name in ALL if name not in OFTEN],
    }
    home = {rule.name: part for part, members in parts.items() for rule in members}

    @cache
    def library(language: str, dtype: str, part: str) -> ctypes.CDLL:
        return compiled(parts[part], language, dtype, tmp_path_factory.mktemp(part))

    return lambda rule, language, dtype: subject(library(language, dtype, home[rule.name]), rule, dtype)
