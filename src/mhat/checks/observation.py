"""What it is that a subject gives: x, the update, or which variable of which rule, where nobody says so.

It is recognised by what it does, before anything is judged. It sees subjects and rules, and no script.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mhat.checks.gradients import designed
from mhat.checks.verdict import Verdict
from mhat.errors import BadValue, SubjectError, SubjectHangs
from mhat.language import Rule
from mhat.language.inference import Level
from mhat.language.vocabulary import plain_spelling
from mhat.search.evaluator import Evaluator
from mhat.search.observed import Probes
from mhat.subjects.beginnings import found_out
from mhat.subjects.subject import Array, Subject
from mhat.subjects.trials import RISING, TRIAL

STEPS = 12
NEAR = 1e-6
PULSE = np.array([1.0, *[0.0] * 23])
RECOGNISED = "what is read was recognised as {} of {}"
TAKEN = "what is read was taken to be {} of {}, which it is nearest to"
CLIMBS = "it climbs: its x goes with the gradients, so it is judged with these negated (--maximize)"
# What people call x, and what they add to the name of what they keep a list of.
NAMES_OF_X = frozenset({"x", "w", "theta", "param", "params", "p", "weight", "weights", "xs", "currentx", "curx"})
ENDINGS = re.compile(r"(list|hist|history|values|vals|arr|array|s|t|_|cap|corrected|corr|bar|c)$")
# Rules that are meant where a variable alone is seen, which many have alike.
COMMON = ("adam", "momentum", "rmsprop", "adagrad", "adadelta", "nesterov", "adamw", "adamax", "nadam", "amsgrad")
UPDATES = frozenset({"update", "updates", "delta", "dx", "deltax", "step", "steps", "stepsize", "change"})


class Unrecognised(BadValue):
    """What a script gives is nothing that any rule gives."""


@dataclass(frozen=True)
class Observation:
    """What a subject gives, as far as that was found out.

    `pairs`: rules and what of each it may be; `otherwise`: the same, where that explains nothing; `known`: it was
    recognised, and is not only taken to be so; `found`: nobody said it.
    """

    subject: Subject
    pairs: tuple[tuple[Rule, str], ...]
    known: bool = True
    found: bool = False
    otherwise: tuple[tuple[Rule, str], ...] = ()


def observed(
    subject: Subject,
    rules: Sequence[Rule],
    knobs: Mapping[str, float],
    *,
    named: str = "",
    is_parameter: bool | None = None,
) -> Observation:
    """Find out what a subject gives; `named`: what it is called there, `is_parameter`: whether that is known to be x.

    Raises SubjectError if it fails.
    """
    usable = [rule for rule in rules if rule.level != Level.MATRIX]
    plain = _plain(named)
    if plain in NAMES_OF_X or (is_parameter if is_parameter is not None else _moves_as_x(subject)):
        return Observation(_descending(found_out(subject, "x")), tuple((rule, "x") for rule in usable), found=True)
    seen = _matching(subject, usable, knobs)
    if seen:
        return Observation(_turned(subject, seen), seen, found=True)
    likely = _likely(subject, usable, plain)
    steps = tuple((rule, "update") for rule in usable)
    otherwise = () if likely and likely[0][1] == "update" else steps
    return Observation(_turned(subject, likely or steps), likely or steps, known=False, found=True, otherwise=otherwise)


def _turned(subject: Subject, pairs: Sequence[tuple[Rule, str]]) -> Subject:
    return found_out(subject, "update") if any(observe == "update" for _, observe in pairs) else subject


def turned(seen: Observation) -> Subject:
    """Give the subject for where its update is judged after all: the caller may have to subtract it."""
    return _turned(seen.subject, seen.otherwise)


def _plain(named: str) -> str:
    return plain_spelling(named.rpartition(".")[2].partition("[")[0])


def _run(subject: Subject, gradients: Array) -> Array:
    """Drive it with numbers, side by side where it takes several."""
    stream = gradients if gradients.ndim > 1 or not subject.vectors else gradients[:, None]
    return subject.run(stream)


def _moves_as_x(subject: Subject) -> bool:
    """Whether it moves as x does: gradients of other signs move it the other way, and it stays where they leave it."""
    if subject.tensors not in (None, 1):
        return True
    try:
        zero = _run(subject, 0.0 * PULSE).ravel()
        fed, turned = (_run(subject, sign * TRIAL[:, 0]).ravel() for sign in (1.0, -1.0))
        pulse = _run(subject, PULSE).ravel() - zero
    except SubjectHangs:
        raise
    except SubjectError:
        return True
    if zero[0] != 0.0:
        return True
    if not np.all(np.abs(fed + turned) <= NEAR * np.max(np.abs(fed))):
        return False
    with np.errstate(all="ignore"):
        last, before = pulse[-1] - pulse[-2], pulse[-2] - pulse[-3]
        limit = pulse[-1] if last in (before, 0.0) else pulse[-1] - last * last / (last - before)
        return bool(not np.isfinite(limit) or abs(limit) > 0.1 * np.max(np.abs(pulse)))


def _descending(subject: Subject) -> Subject:
    """Turn a subject that climbs."""
    try:
        values = _run(subject, RISING[:, 0]).ravel()
        zero = _run(subject, 0.0 * RISING[:, 0]).ravel()
    except SubjectError:
        return subject
    if not np.all(values > zero):
        return subject

    def drive(gradients: list[Array], starts: list[Array], knobs: dict[str, float]) -> list[Array]:
        return subject.drive([-g for g in gradients], starts, knobs)

    return replace(subject, drive=drive, notes=(*subject.notes, CLIMBS))


def _matching(subject: Subject, rules: Sequence[Rule], knobs: Mapping[str, float]) -> tuple[tuple[Rule, str], ...]:
    """List the rules, and what of them, that give what the subject gives with the knobs as they are known."""
    gradients = designed(STEPS, 1)
    try:
        values = subject.run(np.ascontiguousarray(gradients[:, 0]))
    except SubjectHangs:
        raise
    except SubjectError:
        return ()
    found = []
    for rule in rules:
        known = {**rule.knobs, **subject.defaults, **knobs}
        told = {name: known[name] for name in rule.knobs}
        for observe in ("update", *rule.variables):
            probes = Probes(gradients[None], np.zeros((1, *gradients.shape[1:])), told, observe)
            ours = Evaluator(probes).run(rule.tree)[:, 0, 0]
            if _alike(values, ours, scaled=observe == "update"):
                found.append((rule, observe))
    variables = [(rule, observe) for rule, observe in found if observe != "update"]
    return tuple(_telling(variables) if variables else found)


def _telling(pairs: Sequence[tuple[Rule, str]]) -> Sequence[tuple[Rule, str]]:
    """Choose among rules that have a variable alike: those most of whose lines stand behind it, the commonest first."""
    if any(observe == "ratio" for _, observe in pairs):
        return pairs
    order = {name: i for i, name in enumerate(COMMON)}
    return sorted(pairs, key=lambda pair: order.get(pair[0].name, len(order)))[:1]


def _alike(values: Array, ours: Array, *, scaled: bool) -> bool:
    """Whether two runs are the same, coordinate for coordinate; `scaled`: up to a factor, of any sign."""
    with np.errstate(all="ignore"):
        if not np.all(np.isfinite(values)) or not np.all(np.isfinite(ours)):
            return False
        if scaled:
            factor = float(np.sum(values * ours) / np.sum(ours * ours)) if np.any(ours) else 0.0
            ours = factor * ours
        size = np.maximum(np.max(np.abs(values), axis=0), np.max(np.abs(ours), axis=0))
        return bool(np.all(np.abs(values - ours) <= NEAR * size) and np.any(ours))


def _likely(subject: Subject, rules: Sequence[Rule], plain: str) -> tuple[tuple[Rule, str], ...]:
    """List what it may be meant to be: the variable of its name, else a step, with the learning rate or without."""
    shorter = plain
    while True:
        pairs = [(rule, name) for rule in rules for name in rule.variables if plain_spelling(name) == shorter]
        cut = ENDINGS.sub("", shorter)
        if pairs or cut == shorter or not cut:
            break
        shorter = cut
    if pairs:
        return tuple(pairs)
    if "lr" in subject.knobs or plain in UPDATES:
        return tuple((rule, "update") for rule in rules)
    return tuple((rule, "ratio") for rule in rules if "ratio" in rule.variables)


def told(verdict: Verdict, seen: Observation) -> Verdict:
    """Say in the notes of a verdict what the subject was found to give, where that is not x and nobody said so."""
    if not seen.found or verdict.observe == "x":
        return verdict
    what = "the update" if verdict.observe == "update" else f"the variable `{verdict.observe}`"
    words = RECOGNISED if seen.known or verdict.conforms else TAKEN
    return replace(verdict, notes=(*verdict.notes, words.format(what, verdict.against)))


def recognised(verdict: Verdict, seen: Observation, named: str) -> Verdict:
    """Say what the subject was found to give; raises BadValue where it is nothing that any rule gives."""
    if seen.known or verdict.conforms or verdict.diagnosis is not None:
        return told(verdict, seen)
    raise Unrecognised(
        f"`{named}` of {verdict.subject} was not recognised: it is neither x, nor an update, nor a variable of a rule",
        "Say which it is, and of which rule: --observe ratio --against adam; or name another to read.",
    )
