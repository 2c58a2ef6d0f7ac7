"""Rigorous intervals: the fourth arithmetic, which bounds what floats can make of a rule. It knows no engine.

An `Interval` holds every value that one quantity of a run can have, in exact arithmetic as well as in floats of
a dtype with any rounding up to half an ulp in each operation (2 ulp for functions such as `exp`): the interval of
the exact results, widened by the rounding. An upper end of infinity also stands for what only floats make
infinite; `nan` says that NaN is possible; a comparison that may go either way is joined.

One object stands for one quantity, so `a * a` is a square. Each operation makes a new object.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from mhat.engines.tensors import Tensor, elementwise, spread, values_of
from mhat.ops import OPERATIONS

SMALLEST = 5e-324
SMALL_INTEGER = 2.0**24
FUNCTION_ULPS = 2.0


@dataclass(frozen=True, eq=False)
class Interval:
    """Values from low to high, and perhaps NaN."""

    low: float
    high: float
    nan: bool = False

    def __contains__(self, value: Any) -> bool:
        return self.nan if value != value else bool(self.low <= value <= self.high)

    @property
    def is_point(self) -> bool:
        return self.low == self.high and not self.nan

    @property
    def width(self) -> float:
        """Width, relative to size."""
        size = max(abs(self.low), abs(self.high))
        return math.inf if self.nan or math.isinf(size) else (self.high - self.low) / size if size else 0.0


@dataclass(frozen=True)
class Format:
    """A dtype as far as rounding goes: half an ulp of 1, the smallest and the largest number."""

    half_ulp: float
    smallest: float
    largest: float


FORMATS = {
    "float64": Format(2.0**-53, SMALLEST, 1.7976931348623157e308),
    "float32": Format(2.0**-24, 2.0**-149, (2 - 2.0**-23) * 2.0**127),
    "float16": Format(2.0**-11, 2.0**-24, 65504.0),
    "bfloat16": Format(2.0**-8, 2.0**-133, (2 - 2.0**-7) * 2.0**127),
}


def anything() -> Interval:
    return Interval(-math.inf, math.inf, True)


def hull(a: Interval, b: Interval) -> Interval:
    return Interval(min(a.low, b.low), max(a.high, b.high), a.nan or b.nan)


def truth(certain: bool, possible: bool) -> Interval:
    return Interval(float(certain), float(possible))


def truth_of(a: Interval) -> tuple[bool, bool]:
    """Whether it is certainly true, and whether possibly (NaN is true)."""
    return a.low > 0 or a.high < 0, not (a.low == a.high == 0 and not a.nan)


def _times(x: float, y: float) -> tuple[float, float]:
    """Enclose a product that may vanish by underflow; infinity times zero stands for a large number times zero."""
    if x == 0.0 or y == 0.0:
        return 0.0, 0.0
    return _vanishing(x * y, (x > 0) == (y > 0))


def _by(x: float, y: float) -> tuple[float, float]:
    return (
        (0.0, 0.0)
        if x == 0.0
        else _vanishing(x / y if not (math.isinf(x) and math.isinf(y)) else 0.0, (x > 0) == (y > 0))
    )


def _vanishing(value: float, positive: bool) -> tuple[float, float]:
    if value != 0.0:
        return value, value
    return (0.0, SMALLEST) if positive else (-SMALLEST, 0.0)


def _is_unbounded(a: Interval) -> bool:
    return math.isinf(a.low) or math.isinf(a.high)


class Rounded:
    """The elementwise operations in one format, with `ulps` of error in each of `+ - * / sqrt`."""

    def __init__(self, dtype: str, ulps: float) -> None:
        self.format = FORMATS[dtype]
        self.ulps = ulps

    def widened(self, low: float, high: float, nan: bool = False, ulps: float | None = None) -> Interval:
        """Widen exact ends (computed in double, hence a double's rounding more) by the rounding of the format."""
        ulps = self.ulps if ulps is None else ulps
        relative = 2 * ulps * self.format.half_ulp + 2.0**-52
        least = 2 * ulps * self.format.smallest + 2 * SMALLEST
        largest = self.format.largest
        # Rounding never crosses zero.
        if low != 0.0 and not math.isinf(low):
            wider = math.nextafter(low - (abs(low) * relative + least), -math.inf)
            low = max(wider, 0.0) if low > 0 else wider
        if high != 0.0 and not math.isinf(high):
            wider = math.nextafter(high + (abs(high) * relative + least), math.inf)
            high = min(wider, 0.0) if high < 0 else wider
        low = -math.inf if low < -largest else min(low, largest)
        high = math.inf if high > largest else max(high, -largest)
        return Interval(low, high, nan)

    def entered(self, a: Interval) -> Interval:
        """Round to the format; a double stays as it is in double."""
        if self.format is FORMATS["float64"] and self.ulps <= 0.5:
            return a
        return (
            a
            if a.is_point and a.low.is_integer() and abs(a.low) <= SMALL_INTEGER
            else self.widened(a.low, a.high, a.nan)
        )

    def _settled(self, a: Interval, b: Interval, low: float, high: float, nan: bool) -> Interval:
        """Widen, unless small integers make an integer."""
        if a.is_point and b.is_point and a.low.is_integer() and b.low.is_integer() and abs(low) <= SMALL_INTEGER:
            return Interval(low, high, nan)
        return self.widened(low, high, nan)

    def add(self, a: Interval, b: Interval) -> Interval:
        opposite = (a.high == math.inf and b.low == -math.inf) or (a.low == -math.inf and b.high == math.inf)
        return self._settled(a, b, a.low + b.low, a.high + b.high, a.nan or b.nan or opposite)

    def neg(self, a: Interval) -> Interval:
        return Interval(-a.high, -a.low, a.nan)

    def sub(self, a: Interval, b: Interval) -> Interval:
        return self.add(a, self.neg(b))

    def mul(self, a: Interval, b: Interval) -> Interval:
        if a is b:
            size = self.abs(a)
            return self._settled(a, b, _times(size.low, size.low)[0], _times(size.high, size.high)[1], a.nan)
        ends = [_times(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
        nan = (_is_unbounded(a) and 0.0 in b) or (_is_unbounded(b) and 0.0 in a)
        return self._settled(a, b, min(e[0] for e in ends), max(e[1] for e in ends), a.nan or b.nan or nan)

    def div(self, a: Interval, b: Interval) -> Interval:
        nan = a.nan or b.nan or (0.0 in a and 0.0 in b) or (_is_unbounded(a) and _is_unbounded(b))
        if 0.0 in b:
            return Interval(-math.inf, math.inf, nan)
        ends = [_by(x, y) for x in (a.low, a.high) for y in (b.low, b.high)]
        return self.widened(min(e[0] for e in ends), max(e[1] for e in ends), nan)

    def floordiv(self, a: Interval, b: Interval) -> Interval:
        if a.is_point and b.is_point and b.low and abs(a.low / b.low) < SMALL_INTEGER:
            whole = float(Fraction(a.low) // Fraction(b.low))
            return Interval(whole, whole)
        quotient = self.div(a, b)
        nan = quotient.nan or _is_unbounded(a)
        low, high = (end if math.isinf(end) else float(math.floor(end)) for end in (quotient.low, quotient.high))
        return self.widened(low - 1.0, high + 1.0, nan, FUNCTION_ULPS)

    def mod(self, a: Interval, b: Interval) -> Interval:
        if a.is_point and b.is_point and b.low:
            rest = float(Fraction(a.low) % Fraction(b.low))
            return self.widened(rest, rest)
        return Interval(min(b.low, 0.0), max(b.high, 0.0), a.nan or b.nan or 0.0 in b or _is_unbounded(a))

    def pow(self, a: Interval, b: Interval) -> Interval:
        if b.is_point and b.low == 0.0:
            return Interval(1.0, 1.0)
        whole = b.is_point and b.low.is_integer()
        if a.nan or b.nan or _is_unbounded(b):
            return anything()
        if whole and b.low < 0.0 and a.low <= 0.0 <= a.high:
            return Interval(-math.inf, math.inf)
        if not whole and (a.low < 0.0 or (a.low == 0.0 and b.low <= 0.0)):
            return anything()
        base = self.abs(a) if whole and b.low % 2.0 == 0.0 else a
        ends = [_power(x, y) for x in (base.low, base.high) for y in (b.low, b.high)]
        return self._function(min(ends), max(ends), below=base.low < 0.0, above=base.high > 0.0)

    def _function(
        self, low: float, high: float, nan: bool = False, below: bool = False, above: bool = False
    ) -> Interval:
        """Widen ends that come from the platform's functions; a zero may be an underflow from below or above."""
        low = -SMALLEST if low == 0.0 and below else low
        high = SMALLEST if high == 0.0 and above else high
        return self.widened(low, high, nan, 2 * FUNCTION_ULPS)

    # Comparison and logic

    def lt(self, a: Interval, b: Interval) -> Interval:
        return truth(a.high < b.low and not (a.nan or b.nan), a.low < b.high)

    def le(self, a: Interval, b: Interval) -> Interval:
        return truth(a.high <= b.low and not (a.nan or b.nan), a.low <= b.high)

    def gt(self, a: Interval, b: Interval) -> Interval:
        return self.lt(b, a)

    def ge(self, a: Interval, b: Interval) -> Interval:
        return self.le(b, a)

    def eq(self, a: Interval, b: Interval) -> Interval:
        return truth(a.is_point and b.is_point and a.low == b.low, a.low <= b.high and b.low <= a.high)

    def ne(self, a: Interval, b: Interval) -> Interval:
        return self.not_(self.eq(a, b))

    def not_(self, a: Interval) -> Interval:
        certain, possible = truth_of(a)
        return truth(not possible, not certain)

    def where(self, condition: Interval, a: Interval, b: Interval) -> Interval:
        certain, possible = truth_of(condition)
        return a if certain else hull(a, b) if possible else b

    def and_(self, a: Interval, b: Interval) -> Interval:
        return self.where(a, b, a)

    def or_(self, a: Interval, b: Interval) -> Interval:
        return self.where(a, a, b)

    # Functions

    def minimum(self, a: Interval, b: Interval) -> Interval:
        return Interval(min(a.low, b.low), min(a.high, b.high), a.nan or b.nan)

    def maximum(self, a: Interval, b: Interval) -> Interval:
        return Interval(max(a.low, b.low), max(a.high, b.high), a.nan or b.nan)

    def clip(self, a: Interval, low: Interval, high: Interval) -> Interval:
        return self.minimum(self.maximum(a, low), high)

    def abs(self, a: Interval) -> Interval:
        ends = sorted((abs(a.low), abs(a.high)))
        return Interval(0.0 if a.low <= 0.0 <= a.high else ends[0], ends[1], a.nan)

    def sign(self, a: Interval) -> Interval:
        return Interval(float((a.low > 0) - (a.low < 0)), float((a.high > 0) - (a.high < 0)), a.nan)

    def sqrt(self, a: Interval) -> Interval:
        if a.high < 0.0:
            return anything()
        return self.widened(math.sqrt(max(a.low, 0.0)), math.sqrt(a.high), a.nan or a.low < 0.0)

    def cbrt(self, a: Interval) -> Interval:
        return self._function(math.cbrt(a.low), math.cbrt(a.high), a.nan)

    def exp(self, a: Interval) -> Interval:
        return self._function(_exponential(a.low), _exponential(a.high), a.nan, above=True)

    def log(self, a: Interval) -> Interval:
        if a.high < 0.0:
            return anything()
        low = math.log(a.low) if a.low > 0.0 else -math.inf
        return self._function(low, math.log(a.high) if a.high > 0.0 else -math.inf, a.nan or a.low < 0.0)

    def sin(self, a: Interval) -> Interval:
        return self._wave(math.sin, a)

    def cos(self, a: Interval) -> Interval:
        return self._wave(math.cos, a)

    def tanh(self, a: Interval) -> Interval:
        found = self._function(math.tanh(a.low), math.tanh(a.high), a.nan, below=a.low < 0.0, above=a.high > 0.0)
        return Interval(max(found.low, -1.0), min(found.high, 1.0), found.nan)

    def round(self, a: Interval) -> Interval:
        return Interval(OPERATIONS["round"].meaning(a.low), OPERATIONS["round"].meaning(a.high), a.nan)

    def _wave(self, function: Callable[[float], float], a: Interval) -> Interval:
        """Bound by the middle and a slope of at most one."""
        if _is_unbounded(a):
            return Interval(-1.0, 1.0, True)
        middle = a.low if a.low == a.high else a.low / 2 + a.high / 2
        reach = 0.0 if a.low == a.high else math.nextafter(max(a.high - middle, middle - a.low), math.inf)
        found = self._function(function(middle) - reach, function(middle) + reach, a.nan)
        return Interval(max(found.low, -1.0), min(found.high, 1.0), found.nan)

    def atan2(self, y: Interval, x: Interval) -> Interval:
        if x.low <= 0.0 and 0.0 in y:
            return self._function(-math.pi, math.pi, x.nan or y.nan)
        ends = [math.atan2(b, a) for a in (x.low, x.high) for b in (y.low, y.high)]
        return self._function(min(ends), max(ends), x.nan or y.nan, below=y.low < 0.0, above=y.high > 0.0)

    # Reductions

    def sum(self, values: Sequence[Interval]) -> Interval:
        """Sum in any order: each value is rounded at most once for each of the others."""
        total = sum(max(abs(v.low), abs(v.high)) for v in values)
        nan = any(v.nan for v in values)
        if len(values) == 1:
            return Interval(values[0].low, values[0].high, nan)
        if not total < self.format.largest / 2:
            return anything()
        count = len(values) * 2 * self.ulps
        slack = total * count * self.format.half_ulp * 1.001
        low, high = math.fsum(v.low for v in values) - slack, math.fsum(v.high for v in values) + slack
        found = self.widened(low, high, nan)
        # Sums of what is not negative are not negative.
        return Interval(max(found.low, 0.0), found.high, nan) if all(v.low >= 0.0 for v in values) else found

    def mean(self, values: Sequence[Interval]) -> Interval:
        return self.div(self.sum(values), Interval(float(len(values)), float(len(values))))

    def norm(self, values: Sequence[Interval]) -> Interval:
        return self.sqrt(self.sum([self.mul(v, v) for v in values]))

    def largest(self, values: Sequence[Interval]) -> Interval:
        low, high = (max((end(v) for v in values), default=-math.inf) for end in (_low, _high))
        return Interval(low, high, any(v.nan for v in values))

    def size(self, values: Sequence[Interval]) -> Interval:
        return Interval(float(len(values)), float(len(values)))


def _low(a: Interval) -> float:
    return a.low


def _high(a: Interval) -> float:
    return a.high


def _exponential(x: float) -> float:
    return math.exp(x) if x < 709.0 else math.inf if x > 710.0 else math.exp(709.0) * math.exp(x - 709.0)


def _power(x: float, y: float) -> float:
    if x == 0.0 or math.isinf(x):
        return x**y if y > 0 else 0.0
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0 else math.inf


class Bounds:
    """The arithmetic of intervals: tensors in a dtype, per-step numbers in double."""

    def __init__(self, dtype: str = "float64", ulps: float = 0.5) -> None:
        self.tensors, self.steps = Rounded(dtype, ulps), Rounded("float64", ulps)

    def number(self, value: float) -> Interval:
        """Make the interval of one double, infinities and NaN too."""
        if value != value:
            return anything()
        largest = FORMATS["float64"].largest
        return Interval(min(value, largest), max(value, -largest))

    def tensor(self, array: Any) -> Any:
        """Make a tensor of doubles that the dtype can hold."""
        made = tuple(self._held(value) for value in array.ravel().tolist())
        return Tensor(made, array.shape) if array.shape else made[0]

    def _held(self, value: float) -> Interval:
        made, largest = self.number(value), self.tensors.format.largest
        return Interval(min(made.low, largest), max(made.high, -largest), made.nan)

    def enter(self, value: Interval) -> Interval:
        return self.tensors.entered(value)

    def store(self, value: Any) -> Any:
        return value

    def spread(self, value: Any, x: Any) -> Any:
        return spread(value, x)

    def truth(self, value: Interval) -> bool | None:
        return None

    def shape(self, value: Any) -> tuple[int, ...]:
        return value.shape if isinstance(value, Tensor) else ()

    def step_operation(self, op: str) -> Callable[..., Interval]:
        return getattr(self.steps, f"{op}_" if op in ("and", "or", "not") else op)  # type: ignore[no-any-return]

    def operation(self, op: str) -> Callable[..., Any]:
        return elementwise(getattr(self.tensors, f"{op}_" if op in ("and", "or", "not") else op))

    def reduction(self, op: str, over: str | None) -> Callable[[Sequence[Any]], Interval]:
        function = getattr(self.tensors, op)
        return lambda tensors: function([v for tensor in tensors for v in values_of(tensor)])
