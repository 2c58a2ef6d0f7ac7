"""Questions of working with it: seeing, checking, comparing, writing one's own. They know no rule by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mhat.explanations.claims import Claim, Run, four_digits
from mhat.explanations.numbers.floors import standing
from mhat.explanations.numbers.parts import Array, Parts, parts_of
from mhat.explanations.numbers.past import corrected_by
from mhat.explanations.numbers.readings import measured
from mhat.explanations.numbers.wording import counted, in_rates, listed
from mhat.explanations.questions.question import Question, computed, not_asked, number, table
from mhat.explanations.runs import Setting
from mhat.language import Expression, Operation, Rule, of_tree
from mhat.language.walking import mapped_tree
from mhat.laws.holding import laws, reason
from mhat.laws.reference import beside, examined_of, ways
from mhat.mistakes.dialects import dialects_of

SHOWN = 100
SPELLED = 100


def called(setting: Setting) -> str:
    """Say how a command names the rule: as the library does, or by a file."""
    return setting.name or f"mine.py:{setting.rule.name}"


def seeing(setting: Setting) -> Iterator[Claim]:
    """Answer 8: how to see the moments and updates."""
    names = [name for name in setting.rule.variables if name not in ("x", "g")]
    shown = ", ".join(names) if names else "x alone, for it assigns nothing else"
    yield computed(
        f"`mhat trace {called(setting)} --stream constant:10 --plot trace.png` draws every line of it over the steps: "
        f"{shown}; mhat.trace(...) gives them as arrays.",
        table(("variable", "line"), *((name, _line_of(setting.rule, name)) for name in names)),
    )
    if names:
        runs = [measured(setting, Run("", "constant:10", SHOWN, name, SHOWN)) for name in names]
        told = ", ".join(
            f"{run.variable} = {four_digits(run.value if run.value is not None else np.nan)}" for run in runs
        )
        rows = tuple((run.variable, run.value) for run in runs)
        yield computed(
            f"After {SHOWN} gradients of 10 they are {told}.", table(("variable", "value"), *rows, runs=tuple(runs))
        )


def _line_of(rule: Rule, name: str) -> int:
    return next(i for i, line in enumerate(rule.tree.body, start=1) if name in line.targets)


def is_it_right(setting: Setting) -> Iterator[Claim]:
    """Answer 11: how to know whether an implementation is right, and what is asked of this rule."""
    examined = examined_of(setting.rule, setting.knobs)
    held = [law.name for law in laws() if reason(law, examined) is None]
    own = called(setting)
    yield computed(
        f"`mhat check yours.py:optimizer --against {own}` runs yours beside this rule, on the same gradients, and "
        f"names "
        f"the line that is wrong; `--fix` changes it.",
        table(("laws", "hold"), ("all that are known", len(list(laws()))), ("for this rule", len(held))),
    )
    yield computed(
        f"{counted(len(held), 'law')} must hold for it: {listed(held)}.",
        table(("law",), *((name,) for name in held)),
    )


def frameworks(setting: Setting) -> Iterator[Claim]:
    """Answer 12: where implementations of this rule differ, and by how much."""
    parts = parts_of(setting)
    found = [(spoken[0], rule) for spoken, rule in dialects_of(setting.rule) if len(spoken) == 1]
    rows = []
    for dialect, other in found[:4]:
        there = Parts(other, {name: parts.knobs.get(name, value) for name, value in other.knobs.items()})
        first, tiny = (float(there.single([g])[0]) for g in (1.0, 1e-7))
        rows.append((dialect.name, first, tiny))
    if rows:
        own, small = (float(parts.single([g])[0]) for g in (1.0, 1e-7))
        told = "; ".join(f"{name}: {in_rates(first, parts)} and {in_rates(tiny, parts)}" for name, first, tiny in rows)
        yield computed(
            f"Other forms of it are in use. Where this one's first step is {in_rates(own, parts)} at a gradient of 1 "
            f"and "
            f"{in_rates(small, parts)} at 1e-7, theirs are: {told}.",
            table(("form", "first step at 1", "at 1e-7"), ("this one", own, small), *rows),
        )
    moved = None if rows else eps_before(setting.rule, parts)
    if moved is not None:
        before = float(Parts(moved, parts.knobs).single([1e-6])[0])
        here = float(parts.single([1e-6])[0])
        yield computed(
            f"Some add the small number before the correction: the first step at a gradient of 1e-6 is then "
            f"{in_rates(before, parts)} and not {in_rates(here, parts)}.",
            table(("form", "first step at 1e-6"), ("as here", here), ("before the correction", before)),
        )
    if not rows and moved is None:
        yield not_asked(
            "No other form of it is known; what differs elsewhere are defaults, and what decay is multiplied by.",
            "no documented form of this rule, and no small number beside a correction",
        )
    yield computed(
        f"`mhat convert{f' {setting.name}' if setting.name else ''}` translates the knobs from one framework to "
        f"another, or says what cannot be the same.",
        table(("knob", "value"), *parts.knobs.items()),
    )


def eps_before(rule: Rule, parts: Parts) -> Rule | None:
    """Give the rule with its last floor added before the correction, as some frameworks do; None if it has none."""
    stands = [each for each in standing(parts) if each.corrected and each.value and each.floor.degree == 1]
    factors = [factor for _, factor in corrected_by(rule, parts) if _corrects_squares(rule, parts, factor)]
    if not stands or len(factors) != 1 or stands[-1].floor.form != "added":
        return None
    number, beside_it = stands[-1].floor.spot.expression, stands[-1].floor.beside.expression
    scaled = Operation("div", (number, Operation("sqrt", (factors[0][1],))))

    def change(node: Expression) -> Expression:
        sums = (Operation("add", (beside_it, number)), Operation("add", (number, beside_it)))
        return Operation("add", (beside_it, scaled)) if node in sums else node

    return of_tree(mapped_tree(rule.tree, change))


def _corrects_squares(rule: Rule, parts: Parts, factor: tuple[int, Expression]) -> bool:
    lines = rule.tree.body
    response = parts.responses.of.get(lines[factor[0]].targets[0]) if factor[0] < len(lines) else None
    return response is not None and response.degree == 2.0


def same_or_not(setting: Setting) -> Iterator[Claim]:
    """Answer 18: how far honest spellings of it part."""
    examined = replace(examined_of(setting.rule, setting.knobs), dtype="float32")
    gradients = np.random.Generator(np.random.PCG64(6)).standard_normal((SPELLED, 8))
    exact = beside(examined).ask(gradients)
    apart = [_ulps(beside(examined, way).ask(gradients), exact) for way in ways(setting.rule, "float32")]
    worst = max((each for each in apart if np.isfinite(each)), default=float("nan"))
    yield computed(
        f"Fused, foreach and compiled forms do the same operations in another order. After {SPELLED} steps in float32 "
        f"{counted(len(apart), 'honest spelling')} of this rule lie at most {four_digits(worst)} ulps "
        f"of x from the exact "
        f"result: no more is to be expected.",
        table(("spelling", "ulps"), *enumerate(apart, start=1)),
    )
    yield computed(
        f"`mhat check FILE.py:NAME --against {called(setting)}` asks it of any of them: it must conform.",
        number(worst, "", "", None),
    )


def _ulps(came: Array, expected: Array) -> float:
    scale = float(np.abs(expected[-1]).max()) or 1.0
    return float(np.abs(came[-1] - expected[-1]).max() / (scale * 2.0**-23))


def writing(setting: Setting) -> Iterator[Claim]:
    """Answer 19: how to write one's own."""
    tree = setting.rule.tree
    lines = len(tree.body) + 1
    yield computed(
        f"As pseudo code: this rule is a function of {counted(lines, 'line')} under `@mhat.rule`, states with their "
        f"start and knobs with their default in its signature. `mhat explain` and `mhat trace mine.py:name` take it as "
        f"it is.",
        table(("part", "count"), ("lines", lines), ("states", len(tree.states)), ("knobs", len(tree.knobs))),
    )
    yield computed(
        "mhat.Optimizer(rule, params) trains with it in NumPy, in place and fused.",
        table(("names", ""), ("states", ", ".join(tree.state_names)), ("knobs", ", ".join(tree.knob_names))),
    )


QUESTIONS = (
    Question(
        8, ("How do I see the moments and updates?", "plot the optimizer state"),
        ("see", "plot", "moments", "watch", "inspect", "log", "trace", "monitor"), seeing,
    ),
    Question(
        11, ("Is my implementation right?", "check my own Adam"),
        ("implementation", "right", "correct", "bug", "wrong", "check", "mine", "my", "test"), is_it_right,
    ),
    Question(
        12, ("Why do frameworks differ?", "torch and Keras give different results"),
        ("framework", "frameworks", "torch", "pytorch", "keras", "tensorflow", "optax", "differ", "different"),
        frameworks,
    ),
    Question(
        18, ("fused, foreach, compiled: is it the same?", "numerical differences of fused optimizers"),
        ("fused", "foreach", "compiled", "compile", "same", "ulps", "capturable"), same_or_not,
    ),
    Question(
        19, ("How do I write my own?", "custom optimizer"),
        ("write", "own", "custom", "new", "implement"), writing,
    ),
)  # fmt: skip
