"""What a rule costs: bytes of state a parameter, and operations a step. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

from mhat.dtypes import DTYPES
from mhat.explanations.claims import Claim, Comparison, Formula, Number
from mhat.explanations.numbers.wording import counted, listed
from mhat.explanations.runs import Setting
from mhat.language.costs import kept_by, operations_of

BILLION = 1e9


def memory_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield what the state of a rule takes, and what a step costs."""
    kept = kept_by(setting.rule)
    names = [f"`{name}`" for name in kept.whole]
    rows = tuple((dtype, kept.bytes_each(DTYPES[dtype].size)) for dtype in ("float32", "bfloat16"))
    more = f", beside {listed([f'`{name}`' for name in kept.partial])}, a row or a column each" if kept.partial else ""
    if kept.other:
        more += f", beside {listed([f'`{name}`' for name in kept.other])}, as large as the sides of a matrix say"
    if not kept.whole and kept.other:
        sentence = f"It keeps no number a parameter{more}."
    elif not kept.whole:
        sentence = f"It keeps no number a parameter{more}: its state takes no memory to speak of."
    else:
        each = kept.bytes_each(4)
        sentence = (
            f"It keeps {counted(len(names), 'number')} a parameter, {listed(names)}{more}: {each} bytes in float32, "
            f"{kept.bytes_each(2)} in bfloat16; {each} GB for a model of a billion parameters."
        )
    yield Claim("memory", sentence, "computed", Comparison(("dtype", "bytes a parameter"), rows))
    each, once = operations_of(setting.rule)
    yield Claim(
        "cost",
        f"A step takes {counted(each, 'operation')} a parameter{f', and {once} more once for all' if once else ''}. "
        f"It reads and writes {2 * len(kept.whole) + 3} numbers a parameter.",
        "computed",
        Number(each, Formula("operations counted in the tree"), "the lines of the rule", unit="operations"),
    )  # fmt: skip
