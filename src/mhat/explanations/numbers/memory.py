"""What a rule costs: bytes of state a parameter, and operations a step. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mhat.dtypes import DTYPES
from mhat.explanations.claims import Claim, Comparison, Formula, Number
from mhat.explanations.numbers.wording import counted, listed
from mhat.explanations.runs import Setting
from mhat.language import Operation, Rule
from mhat.language.inference import SCALAR, WHOLE
from mhat.language.walking import subexpressions

BILLION = 1e9


@dataclass(frozen=True)
class Kept:
    """The states of a rule by size: as many numbers as parameters, a row or a column, one a tensor or a step."""

    whole: tuple[str, ...]
    partial: tuple[str, ...]
    single: tuple[str, ...]

    def bytes_each(self, dtype: str) -> int:
        """Give the bytes of state a parameter, what is smaller than the tensor left out."""
        return len(self.whole) * DTYPES[dtype].size


def kept_by(rule: Rule) -> Kept:
    """Sort the states of a rule by their size."""
    per_step = rule.dependence.per_step_states
    single = [name for name in rule.tree.state_names if name in per_step or rule.shapes[name] == SCALAR]
    whole = [name for name in rule.tree.state_names if name not in single and rule.shapes[name] == WHOLE]
    partial = [name for name in rule.tree.state_names if name not in single and name not in whole]
    return Kept(tuple(whole), tuple(partial), tuple(single))


def operations_of(rule: Rule) -> tuple[int, int]:
    """Count the operations of a step for each coordinate, and those that are done once a step."""
    of = rule.dependence.of
    each = once = 0
    for value in (*(line.value for line in rule.tree.body), rule.tree.result):
        for node in subexpressions(value):
            if isinstance(node, Operation):
                once, each = (once + 1, each) if _is_per_step(node, of) else (once, each + 1)
    return each, once


def _is_per_step(node: Operation, of: dict[str, frozenset[str]]) -> bool:
    names = {part.id for part in subexpressions(node) if hasattr(part, "id")}
    return not any({name, *of.get(name, ())} & {"x", "g"} for name in names)


def memory_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield what the state of a rule takes, and what a step costs."""
    kept = kept_by(setting.rule)
    names = [f"`{name}`" for name in kept.whole]
    rows = tuple((dtype, kept.bytes_each(dtype)) for dtype in ("float32", "bfloat16"))
    more = f", beside {listed([f'`{name}`' for name in kept.partial])}, a row or a column each" if kept.partial else ""
    if not kept.whole:
        sentence = f"It keeps no number a parameter{more}: its state takes no memory to speak of."
    else:
        each = kept.bytes_each("float32")
        sentence = (
            f"It keeps {counted(len(names), 'number')} a parameter, {listed(names)}{more}: {each} bytes in float32, "
            f"{kept.bytes_each('bfloat16')} in bfloat16; {each} GB for a model of a billion parameters."
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
