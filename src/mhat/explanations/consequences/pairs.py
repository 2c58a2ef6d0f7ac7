"""Two rules side by side: what is right and what is wrong, run on the same gradients, every variable kept.

    Pair       the two, and the knobs in force
    Setting    gradients by their text, and where x begins
    Course     what both rules did in one setting

A step is measured as the rule gives it, before it is lost next to a large x: a variable of its own is added for it.
It knows no rule by name and says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from mhat.engines.running import run_on_arrays
from mhat.engines.work import Work, variables_of
from mhat.explanations.claims import Run
from mhat.landscapes import catalogue as landscapes
from mhat.language import Rule
from mhat.language.definition import of_tree
from mhat.language.tree import Assignment, Expression, Name, Operation
from mhat.printers import python
from mhat.streams import catalogue as streams

Array = np.ndarray[Any, Any]
STEPS = 1000


@dataclass(frozen=True)
class Setting:
    """Gradients by the text that names them, where x begins, and for how many steps."""

    stream: str
    start: float = 0.0
    steps: int = STEPS
    landscape: bool = False


@dataclass(frozen=True, eq=False)
class Course:
    """What the two rules did: the variables of each, a value a step, by name; `moved` is the step downhill."""

    setting: Setting
    right: Mapping[str, Array]
    wrong: Mapping[str, Array]

    @property
    def moves(self) -> tuple[Array, Array]:
        """The steps of the wrong rule and of the right one."""
        return self.wrong[MOVED], self.right[MOVED]


# The variable that is added for the step; a rule of its own may call something so, and is then measured by x.
MOVED = "moved"


@dataclass(frozen=True, eq=False)
class Pair:
    """A right rule, one that stands beside it, and the knobs in force."""

    right: Rule
    wrong: Rule
    knobs: Mapping[str, float] = field(default_factory=dict)

    @cached_property
    def known(self) -> dict[str, float]:
        """The knobs of the two as they are in force."""
        return {**self.right.knobs, **self.wrong.knobs, **self.knobs}

    @property
    def lr(self) -> float:
        """The unit of a step: the learning rate, where there is one and it is one."""
        lr = self.known.get("lr", 1.0)
        return lr if np.isfinite(lr) and lr > 0 else 1.0

    @property
    def unit(self) -> str:
        """What a step is told in."""
        return " lr" if "lr" in self.known and self.lr == self.known["lr"] else ""

    @property
    def decays(self) -> bool:
        """Whether one of them looks at where x is."""
        return any("x" in rule.dependence.of.get(MOVED, frozenset()) for rule in self.measured)

    @cached_property
    def measured(self) -> tuple[Rule, Rule]:
        """Right and wrong, with the step as a variable."""
        return stepped(self.right), stepped(self.wrong)

    def courses(self, settings: Sequence[Setting], knobs: Mapping[str, float] | None = None) -> list[Course]:
        """Run both in every setting; all must be of one length."""
        in_force = {**self.known, **(knobs or {})}
        right, wrong = (courses_of(rule, settings, in_force) for rule in self.measured)
        return [Course(*each) for each in zip(settings, right, wrong, strict=True)]

    def courses_beside(self, *names: str) -> list[Course]:
        """Run both on gradients of several coordinates, which are one tensor: values (steps, coordinates)."""
        made = []
        for name in names:
            gradients = streams.named(name, 100).values
            courses = []
            for rule in self.measured:
                own = {knob: value for knob, value in self.known.items() if knob in rule.knobs}
                work = Work(rule, gradients, len(gradients), ("x",), 0.0, own, tensor_dimensions=1)
                courses.append({MOVED: -np.diff(run_on_arrays(work)["x"], axis=0, prepend=0.0)})
            made.append(Course(Setting(name, 0.0, len(gradients)), *courses))
        return made

    def course_of_tensors(self) -> Course:
        """Run both on three tensors of one coordinate, with constant gradients of 10, -100 and 1000."""
        gradients = np.broadcast_to([10.0, -100.0, 1000.0], (100, 3))
        courses = []
        for rule in self.measured:
            own = {knob: value for knob, value in self.known.items() if knob in rule.knobs}
            work = Work(rule, gradients, 100, ("x",), 0.0, own, several_dimensions=1)
            courses.append({MOVED: -np.diff(run_on_arrays(work)["x"], axis=0, prepend=0.0)})
        return Course(Setting("constant:10", 0.0, 100), *courses)

    def run_of(self, which: str, setting: Setting, variable: str, step: int, value: float) -> Run:
        """Say how to see a number again."""
        rule = self.measured[0 if which == "right" else 1]
        knobs = {name: self.known[name] for name in rule.knobs if self.known[name] != rule.knobs[name]}
        text = python.rule_text(rule.tree)
        return Run(text, setting.stream, setting.steps, variable, step, knobs, setting.start, value=value)


def courses_of(rule: Rule, settings: Sequence[Setting], knobs: Mapping[str, float]) -> list[dict[str, Array]]:
    """Run a rule in several settings at once: every variable, a value a step."""
    steps = settings[0].steps
    own = {name: value for name, value in knobs.items() if name in rule.knobs}
    keep = tuple(variables_of(rule))
    gradients: Any = (
        _slopes([setting.stream for setting in settings])
        if settings[0].landscape
        else np.array([_values(setting.stream, steps) for setting in settings])
    )
    start = np.array([setting.start for setting in settings])
    made = run_on_arrays(Work(rule, gradients, steps, keep, start, own))
    whole = (len(settings), steps)
    spread = {name: np.broadcast_to(np.asarray(values, dtype=float), whole) for name, values in made.items()}
    if MOVED not in spread:
        with np.errstate(all="ignore"):
            spread[MOVED] = -np.diff(spread["x"], axis=1, prepend=start[:, None])
    return [{name: values[i] for name, values in spread.items()} for i in range(len(settings))]


@lru_cache(maxsize=512)
def _values(stream: str, steps: int) -> Array:
    return streams.named(stream, steps).values


def _slopes(names: Iterable[str]) -> Any:
    """Give the gradients of landscapes of one dimension, each at its own x."""
    there = [landscapes.named(name) for name in names]

    def gradients(x: Array, t: float) -> Array:
        x = np.broadcast_to(x, (len(there),))
        return np.array([each.slope(x[i : i + 1], int(t))[0] for i, each in enumerate(there)])

    return gradients


@lru_cache(maxsize=256)
def stepped(rule: Rule) -> Rule:
    """Add the step downhill as a variable, where the rule takes it from x in its result; else leave it as it is."""
    tree = rule.tree
    taken = {*tree.variables, *tree.state_names, *tree.knob_names}
    step = step_of(tree.result) if MOVED not in taken and "x" not in tree.variables else None
    if step is None:
        return rule
    line = Assignment((MOVED,), step)
    result = Operation("sub", (Name("x"), Name(MOVED)))
    return of_tree(replace(tree, body=(*tree.body, line), result=result), paper=rule.paper)


def step_of(result: Expression) -> Expression | None:
    """Give what a result takes from x, None where it does not read so."""
    if not isinstance(result, Operation):
        return None
    if result.op == "sub" and result.arguments[0] == Name("x"):
        return result.arguments[1]
    if result.op == "add" and Name("x") in result.arguments:
        other = result.arguments[1] if result.arguments[0] == Name("x") else result.arguments[0]
        return Operation("neg", (other,))
    if result.op == "sub":
        # x - a - b
        first = step_of(result.arguments[0])
        return None if first is None else Operation("add", (first, result.arguments[1]))
    return None
