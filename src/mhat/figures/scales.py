"""The scale of a value axis: linear, logarithmic, or both around zero; its limits and ticks. It knows no trace.

Limits and ticks are set here and not left to matplotlib, which overflows near the ends of the doubles.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from mhat.figures.numerals import power_text

Array = NDArray[np.floating[Any]]
Kind = Literal["linear", "log", "symlog", "magnitude"]

# A line of which a tenth lies this far below the largest value of its panel would be flat on a linear axis.
MANY = 1e3
NEARLY_CONSTANT = 1e-5
# So few of the values of a line, if it is not short, are dips when they lie far below all others.
DIP_SHARE, FEWEST_WITH_DIPS = 0.02, 10
DIVERGED = 1e6
# Beyond so many decades on both sides of zero the sign is given up, and magnitudes are drawn.
MOST_DECADES_WITH_SIGN = 8
# Below this matplotlib's own arithmetic overflows; smaller values are drawn here.
FLOOR = 1e-300
# A line that comes back within so many steps has not gone; one that dips more often than this is drawn with gaps.
STAY, MOST_DIPS = 5, 10
LARGEST = float(np.finfo(np.float64).max)
_SAFE_HIGH, _SAFE_LOW = 1e290, 1e-290


@dataclass(frozen=True)
class Scale:
    """How values become heights; `threshold` is where a symlog axis turns linear."""

    kind: Kind = "linear"
    low: float = 0.0
    high: float = 1.0
    threshold: float = 1.0

    def widened(self) -> Scale:
        """Make room in which lines that leave are seen to leave."""
        if self.kind == "linear":
            room = 0.15 * (self.high - self.low)
            return replace(self, low=self.low - room if self.low < 0 else self.low, high=self.high + room)
        high = min(self.high * 30, LARGEST) if self.high > 0 else self.high
        return replace(self, low=self.low * 30 if self.kind == "symlog" and self.low < 0 else self.low, high=high)

    def above(self, values: Array) -> NDArray[np.bool_]:
        """Tell which values are too large for the axis."""
        with np.errstate(invalid="ignore"):
            sizes = np.abs(values) if self.kind == "magnitude" else values
            lower = -np.inf if self.logarithmic else self.low
            return np.asarray(np.isfinite(values) & ((sizes > self.high) | (sizes < lower)), dtype=np.bool_)

    def below(self, values: Array) -> NDArray[np.bool_]:
        """Tell which values a logarithmic axis has no room for: the dips below it."""
        if not self.logarithmic:
            return np.zeros(values.shape, dtype=np.bool_)
        return np.asarray((values != 0) & (np.abs(values) < self.low), dtype=np.bool_)

    @property
    def logarithmic(self) -> bool:
        """Whether zero has no place on the axis."""
        return self.kind in ("log", "magnitude")

    def shown(self, values: Array) -> Array:
        """Give values as they are drawn: NaN where they cannot be, and where a line leaves the axis again and again."""
        with np.errstate(invalid="ignore"):
            low = self.below(values)
            drawn = np.where(np.isfinite(values) & ~(low if low.sum() > MOST_DIPS else False), values, np.nan)
            if self.kind == "magnitude":
                drawn = np.abs(drawn)
            return np.where(drawn > 0, np.maximum(drawn, FLOOR), np.nan) if self.logarithmic else drawn


def fitting(
    lines: Iterable[Array], include: Iterable[float] = (), *, places: bool = False, rivals: bool = False
) -> Scale:
    """Choose the scale for the lines of one panel; `include` are values that the axis must hold too.

    The values are `places` where zero is a place like any other: a line that settles near it is no small one. The
    lines are `rivals` where they are the same variable of different runs: one that diverges does not set the axis.
    """
    lines = list(lines)
    staying = _those_that_stay(lines) if rivals else lines
    if len(staying) < len(lines):
        return fitting(staying, include, places=places).widened()
    finite = [line[np.isfinite(line)].astype(np.float64) for line in lines]
    finite = [line for line in finite if line.size]
    wanted = [value for value in include if math.isfinite(value)]
    everything = np.concatenate([*finite, np.asarray(wanted, dtype=np.float64)])
    if not everything.size:
        return Scale()
    low, high = float(everything.min()), float(everything.max())
    largest = max(abs(low), abs(high))
    if largest < FLOOR:
        return Scale("linear", -1.0, 1.0)
    size_of = _size_at_first if places else _smallest_that_counts
    smallest = min((size for size in map(size_of, finite) if size), default=largest)
    if smallest > largest / MANY and (_SAFE_LOW < largest < _SAFE_HIGH):
        return _linear(low, high)
    lowest = min([_lowest_but_dips(line) for line in finite if line.any()] + [abs(value) for value in wanted if value])
    if low >= 0:
        return _log("log", lowest, high)
    if math.log10(largest) - math.log10(smallest) > MOST_DECADES_WITH_SIGN:
        return _log("magnitude", lowest, largest)
    return _symlog(low, high, _power_of_ten(math.floor(math.log10(smallest))))


def _those_that_stay(lines: Sequence[Array]) -> list[Array]:
    """Leave out the lines that grow beyond all bounds, unless all do."""
    sizes = [np.abs(line[np.isfinite(line)].astype(np.float64)) for line in lines]
    lowest = min((float(size.max()) for size in sizes if size.any()), default=0.0)
    staying = [line for line, size in zip(lines, sizes, strict=True) if not _diverges(line, size, lowest)]
    return staying if any(line.size for line in staying) else list(lines)


def _diverges(line: Array, sizes: Array, lowest: float) -> bool:
    """Whether a line ends in no number or grows a millionfold, while another one stays a millionth of it."""
    if not sizes.size or not sizes.max() > DIVERGED * lowest:
        return False
    return not np.isfinite(line).all() or sizes.max() > DIVERGED * sizes[: len(sizes) // 10 + 1].max()


def _smallest_that_counts(line: Array) -> float:
    """Give the size that a tenth of a line lies below, or its end if that is far smaller; zeros do not count."""
    sizes = np.maximum(np.abs(line[line != 0]), FLOOR)
    if not sizes.size:
        return 0.0
    tenth = float(np.quantile(_where_it_stays(sizes), 0.1, method="lower"))
    last = _at_last(sizes)
    return min(tenth, last) if last < tenth / MANY and (line >= 0).all() else tenth


def _lowest_but_dips(line: Array) -> float:
    """Give the smallest size that an axis must hold: not that of a line which dips for a moment and comes back."""
    sizes = np.maximum(np.abs(line[line != 0]), FLOOR)
    if len(sizes) < FEWEST_WITH_DIPS:
        return float(sizes.min())
    usual = min(float(np.quantile(_where_it_stays(sizes), DIP_SHARE, method="higher")), _at_last(sizes))
    lowest = float(sizes.min())
    return usual if lowest < usual / MANY else lowest


def _where_it_stays(sizes: Array) -> Array:
    """Give the largest of the sizes around each, so that a line which flips between two counts as its upper one."""
    if len(sizes) < FEWEST_WITH_DIPS:
        return sizes
    padded = np.concatenate([np.full(STAY // 2, sizes[0]), sizes, np.full(STAY // 2, sizes[-1])])
    return np.asarray(sliding_window_view(padded, STAY).max(axis=1))


def _at_last(sizes: Array) -> float:
    """Give the size that a line ends at; a dip in the very last step is no end."""
    return float(sizes[-2:].max())


def _size_at_first(line: Array) -> float:
    """Give the largest size in the first half: small beside the panel's only for what diverges, or is small."""
    size = float(np.abs(line[: len(line) // 2 + 1]).max())
    return max(size, FLOOR) if size else 0.0


def _linear(low: float, high: float) -> Scale:
    if high - low < NEARLY_CONSTANT * max(abs(low), abs(high)):
        # With zero in view what is constant up to rounding looks constant.
        low, high = min(low, 0.0), max(high, 0.0)
    if 0 < low < 0.4 * high:
        low = 0.0
    if 0.4 * low < high < 0:
        high = 0.0
    margin = 0.07 * (high - low)
    return Scale("linear", low - margin, high + margin)


def _log(kind: Literal["log", "magnitude"], low: float, high: float) -> Scale:
    first, last = math.log10(low), math.log10(high)
    margin = max(0.06 * (last - first), 0.15)
    return Scale(kind, _power_of_ten(first - margin), _power_of_ten(last + margin))


def _symlog(low: float, high: float, threshold: float) -> Scale:
    def beyond(value: float, grows: bool) -> float:
        factor = 2.5 if grows else 0.5
        return value * factor if abs(value) < LARGEST / 4 else value

    above = beyond(high, high > 0) if high < 0 else max(beyond(high, True), threshold / 2)
    return Scale("symlog", beyond(low, True), above, threshold)


def _power_of_ten(exponent: float) -> float:
    return LARGEST if exponent >= 308.25 else 10.0 ** max(exponent, -305.0)


def apply(scale: Scale, axes: Axes) -> None:
    """Give an axes the scale, its limits and its ticks."""
    if scale.kind == "linear":
        axes.set_ylim(scale.low, scale.high)
        axes.ticklabel_format(axis="y", style="sci", scilimits=(-3, 4), useMathText=True)
        return
    if scale.kind == "symlog":
        axes.set_yscale("symlog", linthresh=scale.threshold, linscale=0.6)
    else:
        axes.set_yscale("log")
    axes.set_ylim(scale.low, scale.high)
    ticks = _ticks(scale)
    axes.yaxis.set_major_locator(FixedLocator(ticks))
    axes.yaxis.set_major_formatter(FixedFormatter([power_text(tick) for tick in ticks]))
    axes.yaxis.set_minor_locator(NullLocator())


def _ticks(scale: Scale) -> list[float]:
    if scale.kind != "symlog":
        return _decades(scale.low, scale.high)
    each = 5 if scale.low >= 0 or scale.high <= 0 else 3
    # The decade next to the linear part would stand too near to zero.
    near = scale.threshold * 5
    above, below = _whole_decades(near, scale.high, each), _whole_decades(near, -scale.low, each)
    zero = [0.0] if scale.low <= 0 <= scale.high else []
    return [*(-tick for tick in reversed(below)), *zero, *above]


def _decades(low: float, high: float) -> list[float]:
    """Give powers of ten between two positive values, evenly spaced, and 1 and 5 of each where they are few."""
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    if last - first >= 2:
        return _whole_decades(low, high)
    inner = (digit * 10.0**e for e in range(first - 1, last + 1) for digit in (1, 2, 5) if -305 < e < 308)
    return [tick for tick in inner if low <= tick <= high]


def _whole_decades(low: float, high: float, most: int = 5) -> list[float]:
    if high <= low:
        return []
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    rough = max((last - first) / most, 1)
    stride = next((nice for nice in (1, 2, 3, 5, 10, 20, 50) if nice >= rough), 100)
    # Multiples of the stride, so that 1 is a tick wherever it is in view.
    exponents = [e for e in range(first, last + 1) if e % stride == 0] or [last]
    return [tick for e in exponents if (tick := _power_of_ten(e)) < LARGEST]
