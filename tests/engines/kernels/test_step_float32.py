"""The fused step in float32 against floats, bit for bit, for every rule of the library."""

import pytest

from mhat import rules as library
from tests.engines.kernels.stepping import check_rule, use_threads


@pytest.mark.parametrize("name", library.names())
def test_every_rule_has_the_bits_of_floats(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_threads(monkeypatch)
    check_rule(library.named(name), "float32")
