"""The search for closed forms of all that a rule computes, each held against the exact engine.

It takes what time it takes: whoever cannot wait asks in a process of its own. It knows no rule by name.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from mhat.engines.exact import Digits, Exact
from mhat.engines.program import Program, first_environment
from mhat.engines.symbols.conversions import NotSymbolic
from mhat.engines.symbols.forms import ClosedForm, Found, NoClosedForm
from mhat.engines.symbols.gradients import COURSES, Course
from mhat.engines.symbols.solving import START, UPDATE, Deadline, Solver
from mhat.engines.symbols.values import NOTHING, exact_numbers, value_of
from mhat.language.definition import Rule, of_tree
from mhat.language.tree import Expression, Operation, Tree
from mhat.language.walking import mapped_tree

TRIALS = 20
LONGEST = 24
# Both are computed in 60 digits; formulas hold fractions as the nearest doubles where they are no short decimals.
AGREEMENT = 1e-12
MOST_VARIANTS = 8


def search(rule: Rule, course: str, seconds: float) -> dict[str, Found]:
    """Search for the closed form of each variable; the time is looked at between steps. Raises MissingExtra."""
    chosen, deadline = COURSES[course], Deadline(seconds)
    try:
        found = Solver(rule, chosen, deadline).found()
    except NotSymbolic as reason:
        return {name: NoClosedForm(name, str(reason)) for name in names_of(rule)}
    trials = _trials(rule, chosen)
    made = {name: _believed(form, trials, True) for name, form in found.items()}
    lacking = [name for name, form in made.items() if isinstance(form, NoClosedForm)]
    for variant in _variants(rule.tree) if lacking else ():
        others = _solved(of_tree(variant), chosen, deadline)
        for name in lacking:
            form = _believed(others.get(name, made[name]), trials, False)
            if isinstance(form, ClosedForm):
                made[name] = form
        lacking = [name for name, form in made.items() if isinstance(form, NoClosedForm)]
        if not lacking:
            break
    return made


def _solved(rule: Rule, course: Course, deadline: Deadline) -> dict[str, Found]:
    try:
        return Solver(rule, course, deadline).found()
    except NotSymbolic:
        return {}


def names_of(rule: Rule) -> list[str]:
    """Name all that a closed form is looked for."""
    own = [f"{name}_used" if name in ("x", "g") else name for name in rule.variables]
    return [*own, "x", *((UPDATE,) if UPDATE not in (*rule.variables, *rule.knobs) else ())]


# Held against the exact engine


@dataclass(frozen=True)
class Trial:
    """One setting, a step, and what the exact engine has there."""

    values: Mapping[str, float]
    step: int
    exact: Mapping[str, Digits]


def _trials(rule: Rule, course: Course) -> list[Trial]:
    chance = random.Random(20)
    exact = exact_numbers()
    program = Program(rule, exact)
    made = []
    for i in range(TRIALS):
        values = {**_random_knobs(rule, chance), **_random_course(course, chance)}
        step = (1, 2, 3)[i] if i < 3 else chance.randint(4, LONGEST)
        made.append(Trial(values, step, _exactly(program, exact, course, values, step)))
    return made


def _random_knobs(rule: Rule, chance: random.Random) -> dict[str, float]:
    values = {}
    for knob, default in rule.knobs.items():
        meaning = rule.meaning(knob)
        if meaning.is_share:
            values[knob] = chance.uniform(0.02, 0.98)
        elif meaning.low == 0.0:
            values[knob] = 10 ** chance.uniform(-4, -0.3)
        else:
            values[knob] = default * chance.uniform(0.6, 1.4)
    return values


def _random_course(course: Course, chance: random.Random) -> dict[str, float]:
    ranges = {"growth": (0.6, 1.5), "period": (3.0, 30.0)}
    values = {
        name: chance.uniform(*ranges[name]) if name in ranges else chance.choice((-1, 1)) * 10 ** chance.uniform(-2, 2)
        for name in course.parameters
    }
    return {**values, START: chance.uniform(-2, 2)}


def _exactly(
    program: Program, exact: Exact, course: Course, values: Mapping[str, float], steps: int
) -> dict[str, Digits]:
    """Run a rule on one coordinate in many digits, and give all its variables after so many steps."""
    rule, one = program.rule, exact.number(1.0)
    known = {name: exact.number(value) for name, value in values.items()}
    x = known[START]

    def gradient(step: int) -> Digits:
        return value_of(course.gradient, {**known, "t": exact.number(float(step))}, exact)

    told = {name: known[name] for name in rule.knobs}
    environment = first_environment(rule, x, gradient(1), told, one, one, one)
    environment.update(program.start(environment))
    before = x
    for step in range(1, steps + 1):
        environment.update(t=exact.number(float(step)), g=gradient(step), x=x)
        before = x
        (x,) = program.step([environment])
    variables = {name: environment[inner] for name, inner in program.recorded.items()}
    return {UPDATE: x - before, **variables, "x": x}


def _believed(form: Found, trials: list[Trial], proved: bool) -> Found:
    """Give a form back if it agrees with all trials."""
    if isinstance(form, NoClosedForm):
        return form
    numbers = exact_numbers().numbers
    for trial in trials:
        wanted, came = trial.exact.get(form.variable), form.exactly(trial.step, **trial.values)
        if wanted is None:
            return NoClosedForm(form.variable, "the exact engine has no such variable")
        if not numbers.finite(wanted) or not numbers.finite(came):
            if wanted == came or (wanted != wanted and came != came):
                continue
        elif abs(wanted - came) <= AGREEMENT * (abs(wanted) + abs(came)) + NOTHING:
            continue
        return NoClosedForm(form.variable, "the formula found does not agree with the exact engine")
    return replace(form, proved=proved, trials=len(trials))


# Rules with a choice made beforehand


def _variants(tree: Tree) -> Iterator[Tree]:
    """Yield the rule with every choice between two values made one way: the larger is always the first, and so on."""
    seen = {tree}
    for ways in range(MOST_VARIANTS):
        made = mapped_tree(tree, _Chooser(ways))
        if made not in seen:
            seen.add(made)
            yield made


class _Chooser:
    """Takes one side of each choice: of the n-th by the n-th bit."""

    def __init__(self, ways: int) -> None:
        self.ways = ways
        self.count = 0

    def __call__(self, node: Expression) -> Expression:
        if not isinstance(node, Operation) or node.op not in ("maximum", "minimum", "where", "clip", "sign"):
            return node
        if node.op == "sign":
            return node
        way = self.ways >> min(self.count, 2) & 1
        self.count += 1
        if node.op == "where":
            return node.arguments[2 if way else 1]
        return node.arguments[way] if node.op != "clip" else node.arguments[0]
