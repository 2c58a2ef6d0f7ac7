"""An explanation put together, section by section, so that the first can be read while the next is computed.

It knows no rule by name and no terminal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

from mhat.explanations import cost, courses, knobs, lawfulness, lines
from mhat.explanations.claims import Claim
from mhat.explanations.explanation import Explanation
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
    name: str = "",
    stream: str = "",
    changed: Mapping[str, float] | None = None,
    notes: tuple[str, ...] = (),
    before: Iterable[Claim] = (),
    each: Listener | None = None,
    in_full: bool = False,
) -> Explanation:
    """Explain a rule: `name` is what a run may call it, `changed` the knobs that are no defaults.

    `before`: claims that the page begins with. With a `stream` it is about that alone. `each` is shown every section as
    it is made, with all evidence where it is to be told `in_full`.
    """
    setting = Setting(rule, name, dict(changed or {}))
    made = Explanation(rule, called, setting.in_force, stream, (), notes)
    show = each or (lambda passages: None)
    show(made.head)
    for claims in _sections(setting, stream, before):
        if not claims:
            continue
        made = replace(made, claims=(*made.claims, *claims))
        show(made.section(made.topics[-1], in_full=in_full))
    return made


def _sections(setting: Setting, stream: str, before: Iterable[Claim]) -> Iterator[tuple[Claim, ...]]:
    yield tuple(before)
    if stream:
        yield tuple(courses.claims(setting, stream))
        return
    for _, produce in SECTIONS:
        yield tuple(produce(setting))
