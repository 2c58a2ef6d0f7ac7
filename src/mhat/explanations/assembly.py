"""An explanation put together, section by section, so that the first can be read while the next is computed.

It knows no rule by name and no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from mhat.explanations import cost, courses, knobs, lawfulness, lines
from mhat.explanations.claims import Claim
from mhat.explanations.consequences import argue
from mhat.explanations.explanation import Explanation
from mhat.explanations.neighbours import is_same
from mhat.explanations.runs import Setting
from mhat.language import Rule
from mhat.writing.passages import Passage

Producer = Callable[[Setting], Iterable[Claim]]
# What a page is made of, in its order.
SECTIONS: tuple[tuple[str, Producer], ...] = (
    ("lines", lines.claims), ("laws", lawfulness.claims), ("knobs", knobs.claims), ("cost", cost.claims),
)  # fmt: skip
Listener = Callable[[Iterable[Passage]], None]


def explain(
    rule: Rule,
    *,
    called: str,
    beside: Rule | None = None,
    stream: str = "",
    changed: Mapping[str, float] | None = None,
    notes: tuple[str, ...] = (),
    each: Listener | None = None,
    in_full: bool = False,
) -> Explanation:
    """Explain a rule; `changed` are the knobs that are no defaults.

    `beside`: the rule of the library that it is, by whose name a run can be repeated, or is written like: then the page
    begins with why it moves otherwise. With a `stream` it is about that alone. `each` is shown every section as it is
    made, with all evidence where it is to be told `in_full`.
    """
    is_known = beside is not None and beside.tree == rule.tree
    setting = Setting(rule, rule.name if is_known else "", dict(changed or {}))
    other = beside if beside is not None and not is_same(rule, beside) else None
    if beside is not None and other is None and not is_known:
        notes = (*notes, f"it is {beside.name} in every line")
    made = Explanation(rule, called, setting.in_force, stream, (), notes, "" if other is None else other.name)
    show = each or (lambda passages: None)
    show(made.head)
    for claims in _sections(setting, stream, other):
        if not claims:
            continue
        made = replace(made, claims=(*made.claims, *claims))
        show(made.section(made.topics[-1], in_full=in_full))
    return made


def _sections(setting: Setting, stream: str, other: Rule | None) -> Iterator[tuple[Claim, ...]]:
    if other is not None:
        yield argue(other, setting.rule, setting.knobs)
    if stream:
        yield tuple(courses.claims(setting, stream))
        return
    for _, produce in SECTIONS:
        yield tuple(produce(setting))
