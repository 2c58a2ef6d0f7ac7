"""What small dtypes lose: numbers that round to zero, changes that are rounded away, gradients too small to square.

It knows no rule and no knob by its name.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mhat.dtypes import DTYPES
from mhat.engines.small import numpy_dtype
from mhat.explanations.claims import Claim, Comparison, Formula, Number, four_digits
from mhat.explanations.numbers.averages import Average
from mhat.explanations.numbers.floors import standing
from mhat.explanations.numbers.parts import Parts, parts_of
from mhat.explanations.runs import Setting
from mhat.notation.decimals import exact

SMALL = ("float16", "bfloat16")
SPACING = "the spacing of bfloat16"


def rounded(value: float, dtype: str) -> float:
    """Round a number to a dtype.

    >>> rounded(1e-8, "float16"), rounded(1e-8, "bfloat16") > 0
    (0.0, True)
    """
    with np.errstate(all="ignore"):
        return float(np.asarray(value, dtype=np.float64).astype(numpy_dtype(dtype)).astype(np.float64))


def half_gap(dtype: str) -> float:
    """Give the share of a number below which a change of it is always rounded away: a quarter of the spacing at 1.

    Numbers just below a power of two are as far apart as a half of that, in their own size; half of that gap is lost.

    >>> half_gap("bfloat16") == 2.0**-9
    True
    """
    return DTYPES[dtype].epsilon / 4


def smallest_square(average: Average) -> float:
    """Give the gradient below which its square, times the weight of the newest, is no normal float32 any more."""
    smallest = float(np.finfo(np.float32).tiny)
    return math.sqrt(smallest / (1 - average.gain)) if average.gain < 1 else math.sqrt(smallest)


def dtype_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield what float16, bfloat16 and float32 lose of a rule."""
    parts = parts_of(setting)
    yield from floors_in_small(parts)
    yield from lost_updates(parts)
    yield from lost_steps(setting)
    yield from small_squares(parts)


def floors_in_small(parts: Parts) -> Iterator[Claim]:
    """Yield the floors that round to zero."""
    for each in standing(parts):
        rows = tuple((dtype, rounded(each.value, dtype)) for dtype in SMALL)
        gone = [dtype for dtype, value in rows if value == 0 and each.value]
        for dtype in gone:
            smallest = DTYPES[dtype].smallest
            yield Claim(
                "numbers",
                f"In {dtype} `{each.name}` = {exact(each.value)} rounds to 0 (the smallest number above 0 is "
                f"{four_digits(smallest)}): a gradient of zero is then 0 / 0, which is not a number.",
                "computed",
                Comparison(("dtype", each.name), rows),
                each.name,
            )  # fmt: skip


def lost_updates(parts: Parts) -> Iterator[Claim]:
    """Yield the averages whose changes are smaller than the dtype can hold beside them."""
    for average in parts.averages:
        if average.kind != "average" or not average.gain < 1:
            continue
        weight = 1 - average.gain
        gap = half_gap("bfloat16")
        if weight < gap:
            yield Claim(
                "numbers",
                f"In bfloat16 `{average.state}` does not fade: a step takes {four_digits(weight)} of "
                f"it, and a change below "
                f"2**-9 = {four_digits(gap)} of it is rounded away. Only what is "
                f"{four_digits(1 + gap / weight)} times it or more "
                f"moves it.",
                "computed",
                Number(weight, Formula(f"1 - {average.written or four_digits(average.gain)} < 2**-9"), SPACING),
                average.state,
            )  # fmt: skip


def lost_steps(setting: Setting) -> Iterator[Claim]:
    """Yield the weight beside which a step is rounded away."""
    parts = parts_of(setting)
    if parts.rate is None or parts.step.degree != 0 or parts.answers is None:
        return
    step = float(f"{abs(parts.answers[0]) * parts.lr:.6g}")
    gap = half_gap("bfloat16")
    still = step / gap
    start = 2.0 ** math.ceil(math.log2(still * 2)) if 0 < still < 1e6 else 1.0
    walked = parts.walk(np.full((20, 1), 1.0), start=start, dtype="bfloat16")
    seen = float(walked.x[-1, 0])
    tail = f": from {four_digits(start)} twenty steps lead to {four_digits(seen)}" if seen == start else ""
    yield Claim(
        "numbers",
        f"In bfloat16 a step of {four_digits(step)} is rounded away beside a weight above "
        f"{four_digits(still)}: a change below 2**-9 "
        f"of it is none{tail}.",
        "computed",
        Number(still, Formula(f"{parts.rate} / 2**-9"), SPACING),
        parts.rate,
    )  # fmt: skip
    if parts.decay and parts.decay < gap:
        yield Claim(
            "numbers",
            f"So is the decay: it takes {four_digits(parts.decay)} of a weight, below 2**-9 = {four_digits(gap)}.",
            "computed",
            Number(parts.decay, Formula("decay < 2**-9"), SPACING),
        )  # fmt: skip


def small_squares(parts: Parts) -> Iterator[Claim]:
    """Yield the gradients whose squares are too small for float32."""
    for average in parts.averages:
        if average.squares and average.linear:
            size = smallest_square(average)
            share = "" if average.gain >= 1 else f" / (1 - {average.written or four_digits(average.gain)})"
            yield Claim(
                "numbers",
                f"In float32 what `{average.state}` takes in is no normal number below a gradient of "
                f"{four_digits(size)}, and "
                f"may be flushed to zero.",
                "computed",
                Number(size, Formula(f"sqrt(2**-126{share})"), "the smallest normal float32"),
                average.state,
            )  # fmt: skip
