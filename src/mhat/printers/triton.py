"""Expressions in Triton's Python, and what every operation is in it, after `mhat.ops`. It knows no numbers.

Operators are written as they are, but for the quotient: Triton's own is not rounded right in float32. Every other
operation is a call of a function of its name with an underscore behind, which `definition` prints.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mhat.ops.table import OPERATIONS
from mhat.printers.kernel import KernelPrinter

_OPERATORS = {"add": " + ", "sub": " - ", "mul": " * ", "neg": "-"}


class TritonPrinter(KernelPrinter):
    """Writes expressions over the names of values."""

    symbols: ClassVar[Mapping[str, str]] = _OPERATORS
    functions: ClassVar[Mapping[str, str]] = {name: f"{name}_" for name in OPERATIONS if name not in _OPERATORS}


# What a function gives for its arguments, by its name without the underscore.
_BODIES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "square": ("a", ("a * a",)),
    "cube": ("a", ("a * a * a",)),
    "fourth": ("a", ("a * a * a * a",)),
    "abs": ("a", ("tl.abs(a)",)),
    "sign": ("a", ("one = (a > 0).to(a.dtype) - (a < 0).to(a.dtype)", "tl.where(a == a, one, a)")),
    "minimum": ("a, b", ("tl.where(a <= b, a, tl.where(a == a, b, a))",)),
    "maximum": ("a, b", ("tl.where(a >= b, a, tl.where(a == a, b, a))",)),
    "clip": ("a, low, high", ("minimum_(maximum_(a, low), high)",)),
    "where": ("condition, a, b", ("tl.where(condition != 0, a, b)",)),
    "and": ("a, b", ("tl.where(a != 0, b, a)",)),
    "or": ("a, b", ("tl.where(a != 0, a, b)",)),
    "not": ("a", ("(a == 0).to(a.dtype)",)),
    "lt": ("a, b", ("(a < b).to(a.dtype)",)),
    "le": ("a, b", ("(a <= b).to(a.dtype)",)),
    "gt": ("a, b", ("(a > b).to(a.dtype)",)),
    "ge": ("a, b", ("(a >= b).to(a.dtype)",)),
    "eq": ("a, b", ("(a == b).to(a.dtype)",)),
    "ne": ("a, b", ("(a != b).to(a.dtype)",)),
    # In double and rounded once, as the definition says.
    "exp": ("a", ("tl.exp(a.to(tl.float64)).to(a.dtype)",)),
    "log": ("a", ("tl.log(a.to(tl.float64)).to(a.dtype)",)),
    "sin": ("a", ("tl.sin(a.to(tl.float64)).to(a.dtype)",)),
    "cos": ("a", ("tl.cos(a.to(tl.float64)).to(a.dtype)",)),
    "tanh": ("a", ("libdevice.tanh(a.to(tl.float64)).to(a.dtype)",)),
    "cbrt": ("a", ("libdevice.cbrt(a.to(tl.float64)).to(a.dtype)",)),
    "round": ("a", ("libdevice.rint(a.to(tl.float64)).to(a.dtype)",)),
    "pow": ("a, b", ("libdevice.pow(a.to(tl.float64), b.to(tl.float64)).to(a.dtype)",)),
    "atan2": ("a, b", ("libdevice.atan2(a.to(tl.float64), b.to(tl.float64)).to(a.dtype)",)),
}
_CALLED: Mapping[str, tuple[str, ...]] = {"clip": ("minimum", "maximum")}
# Rounded right in either precision, by different names.
_EXACT: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "float32": {"div": ("a, b", "tl.div_rn(a, b)"), "sqrt": ("a", "tl.sqrt_rn(a)")},
    "float64": {"div": ("a, b", "a / b"), "sqrt": ("a", "tl.sqrt(a)")},
}


def definition(name: str, computed: str) -> str | None:
    """Print the function of an operation in a precision ("float32" or "float64"); None where there is none.

    >>> print(definition("square", "float32"))
    @triton.jit
    def square_(a):
        return a * a
    """
    if name in _EXACT[computed]:
        arguments, result = _EXACT[computed][name]
        lines: tuple[str, ...] = (result,)
    elif name in _BODIES:
        arguments, lines = _BODIES[name]
    else:
        return None
    body = "".join(f"    {line}\n" for line in lines[:-1])
    return f"@triton.jit\ndef {name}_({arguments}):\n{body}    return {lines[-1]}"


def called_by(name: str) -> tuple[str, ...]:
    """List the functions that the function of an operation calls."""
    return _CALLED.get(name, ())
