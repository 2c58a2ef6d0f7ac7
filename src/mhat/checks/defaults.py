"""What an implementation does where nothing is told: its defaults beside the rule's, and knobs off by default.

It sees subjects only. A knob that the rule does not have and that is zero by default (dampening, a decay, a momentum)
is switched on: its code is run by those who switch it on, and by no check of what it does otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.checks.findings import LawFinding
from mhat.checks.gradients import STARTS, Setting, drive_once, fresh, tensors_of
from mhat.checks.matrices import gradients as matrices
from mhat.checks.matrices.orthogonals import Meaning, guarding
from mhat.checks.question import Question
from mhat.checks.verdict import Verdict
from mhat.errors import MhatError, SubjectError, SubjectHangs
from mhat.language import Rule, rule
from mhat.language.inference import Level
from mhat.printers import python
from mhat.search.matching import Matcher, loose_bound
from mhat.search.matrices import evaluator_of
from mhat.search.observed import Observed
from mhat.subjects.subject import Subject

NAME = "same defaults"
INTUITION = "Who leaves a knob out means the value that the rule gives it."
STEPS, SEED = 16, 43
# What they are switched on to.
ON = {"dampening": 0.4, "weight_decay": 0.3, "momentum": 0.6}
IDLE = "it takes {knob}, which is 0 by default, and does nothing with it: with {knob}={value:g} it moves alike"
ANOTHER = "with {knob}={value:g} (0 by default) it does none of what mhat knows of that knob"


@dataclass(frozen=True)
class Meant:
    """What a knob may do where it is switched on: pieces of the printed rule exchanged; is it documented?"""

    sentence: str
    exchanges: tuple[tuple[str, str], ...]
    documented: bool = True


def with_defaults(verdict: Verdict, question: Question) -> Verdict:
    """Add to a verdict the defaults that are not the rule's: a difference, said with both values."""
    told = different(question.subject.defaults, question.rule.knobs, question.held)
    if not told:
        return verdict
    shown = "; ".join(f"{name} is {own:g} where {question.rule.name} has {other:g}" for name, own, other in told)
    law = LawFinding(NAME, False, INTUITION, shown)
    diagnosis = None if verdict.conforms else verdict.diagnosis
    return replace(verdict, conforms=False, dialect=None, diagnosis=diagnosis, laws=(*verdict.laws, law))


def different(
    one: Mapping[str, float], other: Mapping[str, float], held: Mapping[str, float]
) -> tuple[tuple[str, float, float], ...]:
    """List the knobs of both that are left to their defaults and have others, with both values."""
    return tuple(
        (name, one[name], other[name])
        for name in one
        if name in other and name not in held and float(one[name]) != float(other[name])
    )


def with_switches(verdict: Verdict, question: Question, meaning: Meaning | None = None) -> Verdict:
    """Add to the verdict on what conforms what its other knobs do, those that are zero by default, if switched on.

    `meaning`: what `orthogonal` means to it, where that is not what the rule says.
    """
    subject = question.subject
    if meaning is not None and meaning.coarse:
        return verdict
    if not verdict.conforms or verdict.dialect is not None or question.recorded is not None or question.observe != "x":
        return verdict
    for knob, value in ON.items():
        off = subject.defaults.get(knob) == 0 and knob in subject.knobs
        if not off or knob in question.rule.knobs or knob in question.held:
            continue
        try:
            verdict = _switched(verdict, question, knob, value, meaning)
        except SubjectHangs:
            raise
        except SubjectError:
            continue
    return verdict


def _switched(verdict: Verdict, question: Question, knob: str, value: float, meaning: Meaning | None) -> Verdict:
    meanings = list(_meanings(question.rule, knob))
    if not meanings:
        return verdict
    subject = question.subject
    held = {**verdict.knobs, **question.held}
    held = {name: held[name] for name in question.rule.knobs}
    _, first = meanings[0]
    seen = _seen(subject, first, {**held, knob: value})
    for meant, form in meanings:
        if _does(seen, form, subject.dtype, meaning):
            if meant.documented:
                return verdict
            law = LawFinding(knob, False, meant.sentence, f"with {knob}={value:g}, which is 0 by default")
            return replace(verdict, conforms=False, diagnosis=None, laws=(*verdict.laws, law))
    idle = _does(seen, question.rule, subject.dtype, meaning)
    note = (IDLE if idle else ANOTHER).format(knob=knob, value=value)
    return replace(verdict, notes=(*verdict.notes, note))


def _seen(subject: Subject, form: Rule, held: Mapping[str, float]) -> Observed:
    if form.level == Level.MATRIX:
        return matrices.drive(subject, form, held, matrices.plans(subject, form, held, STEPS, SEED)[:1])
    stream = fresh(STEPS, SEED, tensors_of(subject))
    start: Any = np.resize(np.array(STARTS), stream.shape[1:]) if subject.starts else 0.0
    return drive_once(subject, form, held, stream, Setting(start))


def _does(seen: Observed, form: Rule, dtype: str, meaning: Meaning | None) -> bool:
    knobs = {name: value for name, value in seen.probes.knobs.items() if name in form.knobs}
    observed = replace(seen, probes=replace(seen.probes, knobs=knobs))
    matcher = Matcher(observed, loose_bound(observed, dtype))
    if meaning is not None:
        matcher.evaluator = evaluator_of(observed.probes, meaning.instead)
        matcher.bound = matcher.bound + (guarding(form, observed.probes) if meaning.guarded else 0.0)
    return matcher.agreed(form.tree) == matcher.steps


def _meanings(reference: Rule, knob: str) -> Iterator[tuple[Meant, Rule]]:
    """Give what a knob may mean for a rule, and the rule that has it."""
    text = python.rule_text(reference.tree)
    if not reference.knobs:
        return
    for meant in MEANINGS[knob](reference, text):
        changed = _exchanged(text, meant.exchanges, knob)
        if changed is not None:
            yield meant, changed


def _exchanged(text: str, exchanges: Sequence[tuple[str, str]], knob: str) -> Rule | None:
    for old, new in (*exchanges, ("):\n", f", {knob}=0):\n")):
        if text.count(old) != 1:
            return None
        text = text.replace(old, new)
    try:
        return rule(text)
    except MhatError:
        return None


def _damped(_: Rule, text: str) -> Iterator[Meant]:
    fed = "momentum * velocity + g"
    yield Meant(
        "Dampening begins at step 2: the first gradient is taken whole (torch.optim.SGD).",
        (("g, velocity", "g, t, velocity"), (fed, "momentum * velocity + ((1 - dampening) * g if t > 1 else g)")),
    )
    yield Meant(
        "Dampening begins at step 2 (torch.optim.SGD), and here the first gradient is damped too.",
        ((fed, "momentum * velocity + (1 - dampening) * g"),),
        documented=False,
    )


def _decayed(reference: Rule, text: str) -> Iterator[Meant]:
    head, _, result = text.rstrip().rpartition("    return ")
    first = head.partition("):\n")[2]
    line = first.splitlines()[0] if first else f"    return {result}"
    yield Meant("", ((f"):\n{line}", f"):\n    g = g + weight_decay * x\n{line}"),))
    if "lr" not in reference.knobs:
        return
    for decayed in (f"{result} - lr * weight_decay * x", f"{result} - weight_decay * x"):
        yield Meant("", ((f"    return {result}", f"    return {decayed}"),))
    shrunk = "    x = x - lr * weight_decay * x\n"
    yield Meant("", ((f"):\n{line}", f"):\n{shrunk}{line}"),))
    after = f"    x = {result}\n    return x - lr * weight_decay * x"
    yield Meant("", ((f"    return {result}", after),))


def _pushed(reference: Rule, text: str) -> Iterator[Meant]:
    if reference.tree.states or "x - lr * g" not in text:
        return
    fed = "    velocity = momentum * velocity + g\n"
    for result in ("x - lr * velocity", "x - lr * (g + momentum * velocity)"):
        yield Meant("", (("(x, g", "(x, g, velocity=0"), ("    return x - lr * g", f"{fed}    return {result}")))
    weighed = "    velocity = momentum * velocity + (1 - momentum) * g\n    return x - lr * velocity"
    yield Meant("", (("(x, g", "(x, g, velocity=0"), ("    return x - lr * g", weighed)))


MEANINGS = {"dampening": _damped, "weight_decay": _decayed, "momentum": _pushed}
