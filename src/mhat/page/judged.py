"""What a page begins with after a check: the rule that it was held against, and beside it what the subject does.

It checks nothing and reads nothing: it is given a verdict and a reading.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from keyword import iskeyword
from pathlib import PurePath
from typing import Any

from mhat.checks.verdict import Verdict
from mhat.language import Level, Rule, of_tree
from mhat.notation.decimals import exact
from mhat.page.given import USUAL_STEPS, Given, given_for
from mhat.reading.reading import Reading
from mhat.writing.passages import Headline


def given_of(
    verdict: Verdict,
    reading: Reading | None,
    *,
    stream: str | None = None,
    knobs: Mapping[str, float] | None = None,
    **asked: Any,
) -> Given:
    """Say what a page shows of a verdict: two rules on gradients that tell them apart, at the first step that differs.

    `stream`, `knobs` and the rest of `asked` as in `given_for`; no stream is the one by which the check shows it.
    The subject's own rule is the one that was read, else that of the diagnosis; else the reference stands alone. Raises
    as `given_for`.
    """
    shown = [each for each in (_reference(verdict), _own(verdict, reading)) if each is not None]
    gradients = None if stream is not None or asked.get("landscape") is not None else _gradients(verdict)
    step = None if verdict.deviation is None else verdict.deviation.step
    if gradients is not None and verdict.deviation is not None:
        step = len(verdict.deviation.gradients)
    told = {name: value for name, value in (knobs or {}).items() if any(name in rule.knobs for rule in shown)}
    given = given_for(shown, stream=stream, step=step, verdict=sentence_of(verdict), knobs=told, **asked)
    if gradients is None or given.setting is None:
        return given
    return replace(given, setting={**given.setting, **_shown(gradients, asked.get("steps"))})


def sentence_of(verdict: Verdict) -> str:
    """Give the answer in one sentence: what it is, and what was changed.

    >>> import mhat
    >>> print(sentence_of(mhat.check("adam", "adam")).split(" (")[0])
    adam conforms to adam
    """
    headline = next(passage for passage in verdict.story if isinstance(passage, Headline)).text
    found = verdict.diagnosis.sentences if verdict.diagnosis is not None and not verdict.conforms else ()
    return f"{headline} {'; '.join(found)}" if found else headline


def _reference(verdict: Verdict) -> Rule | None:
    return None if verdict.reference is None else _with(verdict.reference, verdict.knobs)


def _own(verdict: Verdict, reading: Reading | None) -> Rule | None:
    """Give what the subject does as a rule, under its own name: two rules of one name cannot be told apart."""
    if reading is not None and reading.rule is not None and reading.complete and reading.rule.level is not Level.MATRIX:
        return _called(reading.rule, verdict)
    if verdict.diagnosis is None:
        return None
    return _called(_with(verdict.diagnosis.rule, {**verdict.knobs, **verdict.diagnosis.knobs}), verdict)


def _with(rule: Rule, knobs: Mapping[str, float]) -> Rule:
    """Give a rule whose knobs begin with what it was run with."""
    told = {name: value for name, value in knobs.items() if name in rule.knobs}
    new = tuple(replace(knob, default=told.get(knob.name, knob.default)) for knob in rule.tree.knobs)
    return of_tree(replace(rule.tree, knobs=new), paper=rule.paper, doc=rule.doc)


def _called(rule: Rule, verdict: Verdict) -> Rule:
    if verdict.reference is not None and rule.name != verdict.reference.name:
        return rule
    last = verdict.subject.rpartition(":")[2]
    name = re.sub(r"\W", "_", PurePath(last).stem)
    if not name.isidentifier() or iskeyword(name) or name == rule.name:
        name = f"my_{rule.name}"
    return of_tree(replace(rule.tree, name=name), paper=rule.paper, doc=rule.doc)


def _gradients(verdict: Verdict) -> Sequence[float] | None:
    """Give the gradients by which the check shows a difference, where one coordinate is enough to show it."""
    seen = verdict.deviation
    if seen is None or seen.matrices is not None or seen.beside or not seen.gradients:
        return None
    if seen.course is not None and not seen.course.repeated:
        return seen.course.gradients
    return (*seen.gradients, *[seen.gradients[-1]] * max(0, USUAL_STEPS - len(seen.gradients)))


def _shown(gradients: Sequence[float], steps: int | None) -> dict[str, Any]:
    count = steps or len(gradients)
    if len(set(gradients)) == 1:
        return {"source": {"kind": "stream", "spec": f"constant:{exact(gradients[0])}"}, "steps": count}
    rows = [[*gradients, *[gradients[-1]] * max(0, count - len(gradients))][:count]]
    return {"source": {"kind": "values", "label": "what shows it", "rows": rows}, "steps": count}
