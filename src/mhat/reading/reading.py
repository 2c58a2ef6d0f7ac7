"""Read a subject: record some of its steps, fold them into a rule, and see whether the rule does the same.

It knows no framework: a subject is recorded where it runs, and seen here as tapes.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mhat.errors import MhatError, SubjectError, SubjectHangs
from mhat.language import Rule, Tree, of_tree
from mhat.language.walking import all_expressions
from mhat.notation.decimals import brief
from mhat.printers.python import expression_text, line_text, rule_text
from mhat.reading.courses import Course, Span, Tape, Unreadable, dependences
from mhat.reading.merging import BRANCH, Merge
from mhat.reading.spellings import text_of
from mhat.reading.standing import Standing
from mhat.reading.writing import Writer
from mhat.subjects.rules import subject_of_rule
from mhat.subjects.subject import Array, Subject

# Steps that are recorded, long and short, and on which the rule is held against the subject.
STEPS, FEW, CHECKED = 24, 10, 30
# How far rule and subject may part, against how far x has gone: they spell the same thing differently.
NEAR = {"float64": 1e-11, "float32": 3e-5}
ROUGH = 3e-2
# How near numbers of the step must come to what is made of `t` and knobs.
CLOSE = {"float64": 4e-12, "float32": 3e-6}
ROUNDED = "numbers are rounded to float32 on the way, which a rule does not say"


@dataclass(frozen=True)
class Line:
    """A line of a rule that was read, and the places in the source that it came from: file and line."""

    text: str
    places: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Agreement:
    """A stream on which rule and subject were held against each other, and how far they part at most."""

    stream: str
    steps: int
    distance: float  # against how far x has gone
    holds: bool


@dataclass(frozen=True)
class Reading:
    """What was read of a subject: its rule, where each line came from, and on what both agree."""

    subject: str
    rule: Rule | None
    lines: tuple[Line, ...] = ()
    complete: bool = False
    notes: tuple[str, ...] = ()
    agreement: tuple[Agreement, ...] = ()

    def __str__(self) -> str:
        return "" if self.rule is None else rule_text(self.rule)


@dataclass(frozen=True)
class _Run:
    """What a subject is driven with."""

    gradients: list[Array]
    starts: list[Array]
    knobs: dict[str, float] = field(default_factory=dict)


def read(subject: Subject, name: str = "") -> Reading:
    """Read a subject; what could not be read is said in the notes. Raises SubjectError if it does not run."""
    refused = _unreadable(subject)
    if refused:
        return Reading(subject.name, None, notes=(refused,))
    runs = [_run(subject, 1, STEPS), _run(subject, 2, FEW)]
    try:
        # What goes to infinity and back is read like anything else.
        with np.errstate(all="ignore"):
            tapes = [_recorded(subject, run) for run in runs]
            courses = _courses(subject, tapes, runs)
            return _folded(subject, courses, name or _name_of(subject))
    except Unreadable as error:
        return Reading(subject.name, None, notes=(_said(error),))


def of_rule(rule: Rule, name: str) -> Reading:
    """Give the reading of what is a rule already: the rule."""
    return Reading(name, rule, tuple(Line(line, ()) for line in _body(rule.tree)), True, ("it is a rule already",))


def _body(tree: Tree) -> list[str]:
    """Print the lines of a rule, and its result."""
    return [*map(line_text, tree.body), f"return {expression_text(tree.result)}"]


def _in_files(place: tuple[Span, ...]) -> tuple[Span, ...]:
    return tuple(span for span in place if not span[0].startswith("<"))


def _unreadable(subject: Subject) -> str:
    return "" if subject.record is not None else "it runs outside of Python, so its operations cannot be recorded"


def _folded(subject: Subject, courses: list[Course], name: str) -> Reading:
    notes = [note for course in courses for note in course.tape.notes]
    ways, said = [], []
    for by_place in (True, False):
        try:
            ways.append(_written(subject, courses, name, by_place))
        except Unreadable as error:
            said.append(_said(error))
        # Where nothing parts, there is one way.
        if ways and not any(part.kind == BRANCH for part in ways[0].merge.all_parts()):
            break
    if not ways:
        return Reading(subject.name, None, notes=tuple(dict.fromkeys([*notes, *said[:1]])))
    tree, places, merge = min(ways, key=lambda way: _size(way.tree))
    rule = of_tree(tree)
    starts = set(merge.x_starts.values()) - {0.0}
    if starts:
        notes.append(f"x starts at {', '.join(map(brief, sorted(starts)))}")
    near = NEAR.get(subject.dtype, ROUGH)
    if near < NEAR["float32"] and any(course.is_rounded for course in courses):
        notes.append(ROUNDED)
        near = NEAR["float32"]
    agreement, problem = _held_against(subject, rule, near, starts.pop() if len(starts) == 1 else 0.0)
    complete = bool(agreement) and all(each.holds for each in agreement) and not problem
    if not complete:
        notes.append(problem or "the rule that was read does not reproduce it")
    lines = tuple(
        Line(text.strip(), tuple(dict.fromkeys((span[0], span[1]) for span in place)))
        for text, place in zip(_body(tree), [_in_files(place) for place in places], strict=True)
    )
    return Reading(subject.name, rule, lines, complete, tuple(dict.fromkeys(notes)), tuple(agreement))


class _Way(NamedTuple):
    """A rule as it was written, the places of its lines, and what it was folded from."""

    tree: Tree
    places: list[tuple[Span, ...]]
    merge: Merge


def _written(subject: Subject, courses: list[Course], name: str, by_place: bool) -> _Way:
    """Fold the courses; `by_place`: only what the same piece of code does is the same. Raises Unreadable."""
    merge = Merge(courses, by_place)
    result = merge.fold()
    rounded = any(course.is_rounded for course in courses)
    close = CLOSE.get("float32" if rounded else subject.dtype, ROUGH)
    writer = Writer(Standing(merge, close), result)
    return _Way(*writer.tree(name, _defaults(subject, courses)), merge)


def _size(tree: Tree) -> int:
    """Count what a rule is made of."""
    return sum(1 for _ in all_expressions(tree))


def _said(error: Unreadable) -> str:
    if not error.place:
        return error.why
    span = error.place[0]
    text = text_of(span)
    return f"{error.why}: {span[0]}, line {span[1]}" + (f": {text}" if text else "")


def _name_of(subject: Subject) -> str:
    tail = subject.name.rpartition(":")[2].rpartition("/")[2].removesuffix(".py").rpartition(".")[2]
    cleaned = "".join(c if c.isalnum() else "_" for c in tail).strip("_").lower()
    return cleaned if cleaned.isidentifier() else "read"


def _run(subject: Subject, seed: int, steps: int, *, usual: bool = False, fresh: bool = False) -> _Run:
    """Make gradients, a start and knobs so odd that no two of their numbers are alike.

    `usual`: knobs as they are; `fresh`: other shapes.
    """
    rng = np.random.default_rng([20261130, seed])
    shapes: list[tuple[int, ...]] = [(3,)] if subject.vectors else [()]
    if fresh:
        shapes = [(5,)] if subject.vectors else [()]
    if subject.several and subject.tensors is None:
        shapes = [(5,), (2, 3)] if fresh else [(3,), (2, 2)]
    elif subject.several:
        shapes = [((4 if fresh else 2) + i % 2,) for i in range(subject.tensors or 1)]
    scale = np.exp(rng.normal(0.0, 0.7, steps)) * (1.0 if seed % 2 else 3.0)
    gradients = [rng.normal(size=(steps, *shape)) * scale.reshape(-1, *(1,) * len(shape)) for shape in shapes]
    starts = [rng.normal(size=shape) if subject.starts else np.zeros(shape) for shape in shapes]
    knobs = {} if usual else {name: _varied(name, subject.defaults.get(name), rng) for name in sorted(subject.knobs)}
    if subject.dtype != "float64":
        gradients, starts = ([_shortened(each, subject.dtype) for each in part] for part in (gradients, starts))
    return _Run(gradients, [np.asarray(start, float) for start in starts], knobs)


def _shortened(array: Array, dtype: str) -> Array:
    """Round numbers to the digits that the subject computes in, so that they are known again."""
    if dtype == "float32":
        return np.asarray(array, np.float32).astype(np.float64)
    return array


def _varied(name: str, default: float | None, rng: np.random.Generator) -> float:
    """Give a knob an odd value near its default, within its range."""
    if name in ("beta1", "beta2", "beta3", "momentum", "rho", "dampening", "nu1", "nu2"):
        return float(rng.uniform(0.55, 0.95))
    if name == "eps":
        return float(rng.uniform(1e-3, 3e-3))
    if default is None or default == 0.0 or not math.isfinite(default):
        return float(rng.uniform(0.01, 0.05))
    return float(default * rng.uniform(0.6, 1.4))


def _recorded(subject: Subject, run: _Run) -> Tape:
    """Record a run, whose bits must be those of one that is not recorded."""
    assert subject.record is not None
    plain = subject.run(run.gradients, run.starts, run.knobs)
    again = subject.run(run.gradients, run.starts, run.knobs)
    if not _same(plain, again):
        raise Unreadable("it changes from run to run: the same gradients gave other parameters")
    try:
        tape = subject.record(run.gradients, run.starts, run.knobs)
    except SubjectHangs:
        raise
    except SubjectError as error:
        # It has run twice: what fails is the recording.
        raise Unreadable(f"it runs, but cannot be recorded: {error.what}") from None
    if len(tape.outputs) != len(run.gradients):
        raise Unreadable("; ".join(tape.notes) or "it gave back nothing while it was recorded")
    found = [np.reshape(each, np.shape(g)) for each, g in zip(tape.parameters, run.gradients, strict=True)]
    apart = max(_distance(a, b, s) for a, b, s in zip(plain, found, run.starts, strict=True))
    if not _same(plain, found) and not (tape.rounds and apart <= NEAR.get(subject.dtype, ROUGH)):
        if tape.clock:
            raise Unreadable("it depends on the clock: at another time the same gradients give other parameters",
                             tape.clock[0])  # fmt: skip
        raise Unreadable("recording changes what it computes, so nothing of it is believed")
    return tape  # type: ignore[no-any-return]


def _same(one: Sequence[Array], other: Sequence[Array]) -> bool:
    return all(np.array_equal(a, b, equal_nan=True) for a, b in zip(one, other, strict=True))


def _courses(subject: Subject, tapes: Sequence[Tape], runs: Sequence[_Run]) -> list[Course]:
    made = []
    for i, (tape, run) in enumerate(zip(tapes, runs, strict=True)):
        depends = dependences(tape)
        for tensor, shape in enumerate(tape.shapes):
            size = math.prod(shape[1:])
            coordinate = (i + tensor) % size
            made.append(Course(tape, tensor, coordinate, run.knobs, depends))
    unseen = [c for c in made if all(c.depends[node] < 2 for node in c.results[1:])]
    if unseen:
        raise Unreadable("what it gives back does not come from operations that could be recorded")
    return made


def _defaults(subject: Subject, courses: Sequence[Course]) -> dict[str, float]:
    return {name: subject.defaults.get(name, float(f"{value:.2g}")) for name, value in courses[0].knobs.items()}


def _held_against(subject: Subject, rule: Rule, near: float, start: float) -> tuple[list[Agreement], str]:
    """Hold a rule against the subject on fresh gradients, with its usual knobs and with others."""
    found: list[Agreement] = []
    ours = subject_of_rule(rule, None, subject.dtype)
    for seed, usual, told in ((11, True, "usual knobs"), (12, False, "other knobs"), (13, False, "other knobs, long")):
        run = _run(subject, seed, CHECKED if seed != 13 else 2 * CHECKED, usual=usual, fresh=seed != 11)
        if usual:
            # What has no default of its own is told.
            run.knobs.update(
                {knob: rule.knobs[knob] for knob in subject.knobs - set(subject.defaults) if knob in rule.knobs}
            )
        if not usual and not run.knobs and seed == 12:
            continue
        try:
            theirs = subject.run(run.gradients, run.starts, run.knobs)
            knobs = {name: value for name, value in run.knobs.items() if name in rule.knobs}
            starts = run.starts if subject.starts else [np.full(each.shape, start) for each in run.starts]
            mine = ours.run(run.gradients, starts, knobs)
        except MhatError as error:
            return found, f"the rule that was read cannot be run: {error.what}"
        pairs = list(zip(theirs, mine, starts, strict=True))
        distance = max(_distance(*pair) for pair in pairs)
        # Each step rounds x itself, which is much where x is far from 0 and moves little.
        rounding = 6e-8 if near >= NEAR["float32"] else 1.2e-16
        rounded = all(np.all(np.abs(a - b) <= rounding * len(a) * np.abs(a)) for a, b, _ in pairs)
        found.append(Agreement(f"normal, {told}", len(theirs[0]), distance, distance <= near or rounded))
    return found, ""


def _distance(theirs: Array, mine: Array, start: Array) -> float:
    """Say how far two runs part, against how far x has gone."""
    if not np.array_equal(np.isnan(theirs), np.isnan(mine)):
        return math.inf
    with np.errstate(all="ignore"):
        apart = np.nanmax(np.abs(theirs - mine), initial=0.0)
        gone = np.nanmax(np.abs(theirs - start), initial=0.0)
    if apart == 0.0:
        return 0.0
    return float(apart / gone) if gone > 0 and np.isfinite(apart) else math.inf
