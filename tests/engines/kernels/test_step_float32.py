"""The fused step in float32 against floats, bit for bit, compiled; as printed: `test_step_float64`."""

import pytest

from mhat import rules as library
from tests.choices import VECTORS
from tests.engines.kernels.stepping import check_rule, use_threads

# Each compiles a kernel; float64 shows more of them, and what differs in float32 these.
OFTEN = ("adam", "lamb", "radam")


@pytest.mark.parametrize(
    "name", [name if name in OFTEN else pytest.param(name, marks=pytest.mark.long) for name in VECTORS]
)
def test_every_rule_has_the_bits_of_floats(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_threads(monkeypatch)
    check_rule(library.named(name), "float32")
