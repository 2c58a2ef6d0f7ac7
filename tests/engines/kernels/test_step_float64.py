"""The fused step in float64 against floats, bit for bit: every rule of the library as printed, some compiled."""

import pytest

from mhat import rules as library
from tests.choices import VECTORS, often
from tests.engines.kernels.interpreted import run_by_python
from tests.engines.kernels.stepping import check_rule, use_threads

# Averages, a maximum, signs, two passes, schedules, choices; the others look alike to the compiler.
OFTEN = ("adam", "adopt", "amsgrad", "lamb", "lion", "nadam", "radam")


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("name", often())
def test_every_rule_as_printed_has_the_bits_of_floats(name: str, dtype: str) -> None:
    """Python runs what Numba would compile."""
    with run_by_python():
        check_rule(library.named(name), dtype)


@pytest.mark.parametrize(
    "name", [name if name in OFTEN else pytest.param(name, marks=pytest.mark.long) for name in VECTORS]
)
def test_every_rule_has_the_bits_of_floats(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    use_threads(monkeypatch)
    check_rule(library.named(name), "float64")
