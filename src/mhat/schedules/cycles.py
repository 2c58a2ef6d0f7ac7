"""Values that rise and fall again: once, with restarts, or for ever. They are counted from 0, and know no rule."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from mhat.errors import BadValue
from mhat.notation import between, positive, whole
from mhat.notation.decimals import exact
from mhat.schedules.schedule import Array, Schedule, counted, finite, made, namespace, text_of
from mhat.schedules.shapes import COSINE, PI, Way

# What a logarithm may be short of a whole number by, by rounding alone.
SHORT = 1e-9


def one_cycle(
    peak: float = 0.1, *, rise: float = 30, steps: float = 100, div: float = 25.0, final_div: float = 1e4,
    first: int = 0,
) -> Schedule:  # fmt: skip
    """Rises by half a cosine from peak / div to the peak at `rise`, falls to peak / div / final_div at `steps`.

    optax: cosine_onecycle_schedule(steps, peak, rise / steps, div, final_div). torch's OneCycleLR(total_steps=N,
    pct_start=p) counts otherwise: it is this with rise=p * N - 1 and steps=N - 1. Source: Smith & Topin 2017,
    arXiv:1708.07120; the cosines are fastai's.

    >>> one_cycle(1, rise=2, steps=6, div=10).values(7).round(6).tolist()
    [0.1, 0.55, 1.0, 0.853555, 0.500005, 0.146455, 1e-05]
    """
    peak, div, final_div = finite("peak", peak), positive("div", div), positive("final_div", final_div)
    steps, first = positive("steps", steps), whole("first", first)
    rise = between("rise", rise, 0, steps)
    if rise == steps:
        raise BadValue(f"a rise of {exact(rise)} steps leaves nothing of {exact(steps)}", "Give more steps.")
    start, end = peak / div, peak / div / final_div
    up, down = Way(start, peak, rise, COSINE), Way(peak, end, steps - rise, COSINE)
    count = counted(first)
    fall = down.text(f"({count} - {text_of(rise)})" if rise else count)
    formula = f"{up.text(count)} if {count} < {text_of(rise)} else {fall}" if rise else fall
    said = f"{up.said}; then it {down.said}" if rise else down.said
    given = {"peak": peak, "rise": rise, "steps": steps, "div": div, "final_div": final_div, "first": first}
    return made(one_cycle, partial(_one_cycle, up, down), formula, said, steps, **given)


def cosine_restarts(
    start: float = 1e-3, end: float = 0.0, *, period: float = 50, growth: float = 1.0, shrink: float = 1.0,
    first: int = 0,
) -> Schedule:  # fmt: skip
    """Half a cosine down, again and again; each period `growth` times as long as the last, `shrink` times as high.

    torch: CosineAnnealingWarmRestarts(T_0=period, T_mult=growth, eta_min=end). Keras:
    CosineDecayRestarts(first_decay_steps=period, t_mul=growth, m_mul=shrink, alpha=0). Source: Loshchilov & Hutter
    2017, SGDR, arXiv:1608.03983.

    >>> cosine_restarts(1, 0, period=2).values(5).round(12)
    array([1. , 0.5, 1. , 0.5, 1. ])
    """
    start, end, period = finite("start", start), finite("end", end), positive("period", period)
    growth, shrink, first = between("growth", growth, 1, 1e6), positive("shrink", shrink), whole("first", first)
    more = f", each period {exact(growth)} times as long as the last" if growth != 1 else ""
    less = f", from {exact(shrink)} times as high each time" if shrink != 1 else ""
    said = (
        f"follows a cosine from {exact(start)} to {exact(end)} over {exact(period)} steps, again and again{more}{less}"
    )
    given = {"start": start, "end": end, "period": period, "growth": growth, "shrink": shrink, "first": first}
    curve = partial(_restarts, start, end, period, growth, shrink)
    return made(
        cosine_restarts, curve, _restarts_text(start, end, period, growth, shrink, counted(first)), said, **given
    )


def cyclic(low: float = 1e-4, high: float = 1e-3, *, rise: float = 50, fall: float = 50, first: int = 0) -> Schedule:
    """Rises from low to high in equal parts and falls back, for ever.

    torch: CyclicLR(base_lr=low, max_lr=high, step_size_up=rise, step_size_down=fall). Source: Smith 2017,
    arXiv:1506.01186.

    >>> cyclic(0, 1, rise=2, fall=2).values(6)
    array([0. , 0.5, 1. , 0.5, 0. , 0.5])
    """
    low, high, first = finite("low", low), finite("high", high), whole("first", first)
    rise, fall = positive("rise", rise), positive("fall", fall)
    gone = f"{counted(first)} % {text_of(rise + fall)}"
    share = f"minimum({gone} / {text_of(rise)}, ({text_of(rise + fall)} - {gone}) / {text_of(fall)})"
    height = f"({text_of(high)} - {text_of(low)})"
    return made(
        cyclic, partial(_cyclic, low, high, rise, fall), f"{text_of(low)} + {height} * {share}",
        f"rises from {exact(low)} to {exact(high)} over {exact(rise)} steps, falls back over {exact(fall)}, for ever",
        low=low, high=high, rise=rise, fall=fall, first=first,
    )  # fmt: skip


def _one_cycle(up: Way, down: Way, count: Array) -> Any:
    if not up.steps:
        return down.values(count)
    return namespace(count).where(count < up.steps, up.values(count), down.values(count - up.steps))


def _restarts(start: float, end: float, period: float, growth: float, shrink: float, count: Array) -> Any:
    xp = namespace(count)
    if growth == 1:
        times = count // period
        share = count % period / period
    else:
        times = xp.log(1 + count / period * (growth - 1)) / math.log(growth) + SHORT
        times = times // 1
        share = (count - period * (growth**times - 1) / (growth - 1)) / (period * growth**times)
    top = start if shrink == 1 else start * shrink**times
    half = (1 + xp.cos(math.pi * share)) / 2
    return top * half if end == 0.0 else end + (top - end) * half


def _restarts_text(start: float, end: float, period: float, growth: float, shrink: float, count: str) -> str:
    over, times_more = text_of(period), text_of(growth)
    if growth == 1:
        times, share = f"({count} // {over})", f"{count} % {over} / {over}"
    else:
        less = text_of(growth - 1)
        times = f"((log(1 + {count} / {over} * {less}) / log({times_more}) + {SHORT!r}) // 1)"
        gone = f"{over} * ({times_more} ** {times} - 1) / {less}"
        share = f"({count} - {gone}) / ({over} * {times_more} ** {times})"
    top = text_of(start) if shrink == 1 else f"{text_of(start)} * {text_of(shrink)} ** {times}"
    half = f"((1 + cos({PI} * ({share}))) / 2)"
    return f"{top} * {half}" if end == 0.0 else f"{text_of(end)} + ({top} - {text_of(end)}) * {half}"


def _cyclic(low: float, high: float, rise: float, fall: float, count: Array) -> Any:
    gone = count % (rise + fall)
    return low + (high - low) * namespace(count).minimum(gone / rise, (rise + fall - gone) / fall)
