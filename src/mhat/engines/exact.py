"""The oracle: a rule on numbers of 50 digits, to tell a wrong formula from rounding. It knows no floats, no arrays.

It shares no arithmetic with what it judges. Literals, knobs and gradients are the exact values of the doubles;
nothing is rounded to a dtype, and nothing overflows: where floats give an infinity, it goes on with a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from mpmath import MPContext

from mhat.engines.exact_matrices import MATRIX_OPERATIONS, REDUCTIONS
from mhat.engines.exact_numbers import Digits, Numbers, nearest_double
from mhat.engines.tensors import Tensor, elementwise, of_rows, rows_of, spread, values_of
from mhat.errors import BadValue

__all__ = ["Digits", "Exact", "nearest_double"]

# With fewer digits the numbers could not hold every double, nor the product of two.
FEWEST_DIGITS = 34


@cache
def _numbers(digits: int) -> Numbers:
    """Make numbers of a context of their own: whoever sets mpmath's global precision changes nothing here."""
    context = MPContext()
    context.dps = digits
    return Numbers(context)


class Exact:
    """The arithmetic of so many decimal digits on numbers and tensors.

    >>> exact = Exact()
    >>> tenth = exact.number(0.1)
    >>> print(exact.operation("mul")(tenth, tenth))
    0.010000000000000001110223024625156571238510778286594
    """

    def __init__(self, digits: int = 50) -> None:
        if digits < FEWEST_DIGITS:
            raise BadValue(f"{digits} digits cannot hold the product of two doubles", "Ask for 34 digits or more.")
        self.digits = digits
        self.numbers = _numbers(digits)

    def number(self, value: float) -> Digits:
        """Make a number of a literal, a knob, a step number: the exact value of the double."""
        return self.numbers.of_double(value)

    def tensor(self, values: Sequence[float], shape: tuple[int, ...]) -> Any:
        """Make a tensor (for the shape (), a number) of doubles in row-major order."""
        made = tuple(map(self.number, values))
        return Tensor(made, shape) if shape else made[0]

    def enter(self, value: Digits) -> Digits:
        """Leave a per-step number as it is: there is one precision only."""
        return value

    def store(self, value: Any) -> Any:
        """Leave a number or a tensor as it is."""
        return value

    def spread(self, value: Any, x: Any) -> Any:
        """Give a value of one number the shape of x."""
        return spread(value, x)

    def truth(self, value: Digits) -> bool | None:
        """Say whether a number is true: any but zero is."""
        return bool(value)

    def shape(self, value: Any) -> tuple[int, ...]:
        """Give the shape of a tensor, () of a number."""
        return value.shape if isinstance(value, Tensor) else ()

    def step_operation(self, op: str) -> Callable[..., Digits]:
        """Give the operation on numbers."""
        function: Callable[..., Digits] = getattr(self.numbers, f"{op}_" if op in ("and", "or", "not") else op)
        return function

    def operation(self, op: str) -> Callable[..., Any]:
        """Give the operation on numbers and tensors."""
        if op in MATRIX_OPERATIONS:
            function = MATRIX_OPERATIONS[op]
            return lambda *tensors, **options: _as_tensors(function(self.numbers, *map(rows_of, tensors), **options))
        return elementwise(self.step_operation(op))

    def reduction(self, op: str, over: str | None) -> Callable[[Sequence[Any]], Digits]:
        """Give the reduction over the numbers of all the tensors in a list."""
        function = REDUCTIONS[op]
        return lambda tensors: function(self.numbers, [v for tensor in tensors for v in values_of(tensor)])


def _as_tensors(result: Any) -> Any:
    if isinstance(result, list):
        return of_rows(result)
    return tuple(map(of_rows, result)) if isinstance(result, tuple) else result
