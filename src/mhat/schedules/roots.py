"""Values that rise in equal parts and then fall as one over the root of the count. They know no rule."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

from mhat.notation import positive, whole
from mhat.notation.decimals import exact
from mhat.schedules.schedule import Array, Schedule, counted, finite, made, namespace, text_of


def inverse_root(peak: float = 1e-3, *, warmup: float = 100, first: int = 1) -> Schedule:
    """Rises to the peak over the warm-up, then falls as one over the root of the count; it never ends.

    transformers, with first=0: get_inverse_sqrt_schedule. With warmup=1: peak / sqrt(step).

    >>> inverse_root(1, warmup=4).values(16)[[0, 3, 15]]
    array([0.25, 1.  , 0.5 ])
    """
    peak, warmup, first = finite("peak", peak), positive("warmup", warmup), whole("first", first)
    return made(
        inverse_root, partial(_inverse_root, peak, warmup), _text(peak, warmup, first), _said(peak, warmup),
        peak=peak, warmup=warmup, first=first,
    )  # fmt: skip


def noam(width: float = 512, *, warmup: float = 4000, scale: float = 1.0, first: int = 1) -> Schedule:
    """The rate of the Transformer: scale / sqrt(width) * min(1 / sqrt(count), count / warmup ** 1.5).

    It is `inverse_root` with the peak scale / sqrt(width * warmup). Source: Vaswani et al. 2017, arXiv:1706.03762,
    equation 3.

    >>> round(noam()(4000), 9)
    0.000698771
    """
    width, warmup, scale = positive("width", width), positive("warmup", warmup), finite("scale", scale)
    first = whole("first", first)
    peak = scale / math.sqrt(width * warmup)
    return made(
        noam, partial(_inverse_root, peak, warmup), _text(peak, warmup, first), _said(float(f"{peak:.4g}"), warmup),
        width=width, warmup=warmup, scale=scale, first=first,
    )  # fmt: skip


def _said(peak: float, warmup: float) -> str:
    grows = f"grows from 0 to {exact(peak)} over {exact(warmup)} steps; then it " if warmup > 1 else "is "
    divided = f"falls as one over the root of the step, from {exact(peak)}" if warmup > 1 else ""
    return f"{grows}{divided or f'{exact(peak)} divided by the root of the step'}"


def _text(peak: float, warmup: float, first: int) -> str:
    count, over = counted(first), text_of(warmup)
    fall = f"{text_of(peak)} * sqrt({over} / {count})"
    # A branch that is not taken divides nothing by zero.
    return f"{text_of(peak)} * {count} / {over} if {count} < {over} else {fall}"


def _inverse_root(peak: float, warmup: float, count: Array) -> Any:
    xp = namespace(count)
    # What is not taken divides nothing by zero.
    fallen = peak * xp.sqrt(warmup / xp.maximum(count, warmup))
    return xp.where(count < warmup, peak * count / warmup, fallen)
