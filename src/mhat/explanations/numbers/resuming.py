"""What must be saved: what the next step is if the step number, one state, or all are lost. It knows no rule."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mhat.explanations.claims import Claim, Comparison, Number, Run, four_digits
from mhat.explanations.numbers.parts import Parts, parts_of
from mhat.explanations.numbers.readings import measured, move
from mhat.explanations.numbers.wording import in_rates, listed
from mhat.explanations.runs import Setting
from mhat.language.inference import names_read

AT = 1000
IDLE = 10


def lost(parts: Parts, at: int = AT) -> dict[str, float]:
    """Give the next step in learning rates after `at` steps of a gradient of 1: as it is, and after each loss.

    Keys: "" for nothing lost, "t", each state by its name, and "all" of them, t too.
    """
    gradients = np.ones((at, 1))
    walked = parts.walk(gradients, parts.moving, held=True)
    one = np.ones((1, 1))

    def step(first: int, states: dict[str, object]) -> float:
        start = 0.0 if parts.holds else walked.x[-1]
        return float(-parts.walk(one, parts.moving, start=start, first=first, states=states).moves[0, 0] / parts.lr)

    states = dict(walked.states)
    result = {"": step(at + 1, states)}
    if "t" in names_read(parts.rule.tree):
        result["t"] = step(1, states)
    for name in states:
        result[name] = step(at + 1, {other: value for other, value in states.items() if other != name})
    if len(result) > 2:
        result["all"] = step(1, {})
    return result


def resuming_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield what is to be saved, and what the next step is if it is not."""
    parts = parts_of(setting)
    nexts = lost(parts)
    states = parts.rule.tree.state_names
    saved = [*(f"`{name}`" for name in states), *(["the step number t"] if "t" in nexts else [])]
    if not saved:
        yield Claim(
            "numbers", "Besides x there is nothing to save: it carries nothing from step to step.", "computed",
            Comparison(("lost", "next step"), tuple(nexts.items())),
        )  # fmt: skip
        return
    normal = nexts.pop("")
    worse = {
        name: value for name, value in nexts.items() if not math.isclose(value, normal, rel_tol=1e-6, abs_tol=1e-12)
    }
    told = [f"without {_called(name)} it is {in_rates(value, parts)}" for name, value in worse.items()]
    cost = f"; {', '.join(told)}" if told else ", and so it is without them"
    yield Claim(
        "numbers",
        f"To be saved: {listed(['x', *saved])}. After {AT} steps of one gradient the next step is "
        f"{in_rates(normal, parts)}{cost}.",
        "computed",
        Comparison(
            ("lost", "next step"), (("nothing", normal), *nexts.items()), (move(setting, "constant:-1", AT + 1),)
        ),
    )  # fmt: skip


def _called(name: str) -> str:
    return "all of them" if name == "all" else f"`{name}`"


def idle_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield whether a step without a gradient and without a learning rate moves anything.

    Tools that save or load a state take such a step. It is no law of `laws`: a check would ask it of implementations,
    and many refuse a learning rate of zero.
    """
    parts = parts_of(setting)
    if parts.rate is None:
        return
    still = setting.turned(parts.rate, 0.0)
    run = measured(still, Run("", "zeros", IDLE, "x", IDLE, start=1.0))
    if run.value is None or math.isnan(run.value):
        return
    if run.value == 1.0:
        told = "nothing moves: a step that a tool takes to save or load a state does no harm"
    else:
        told = (
            f"x still moves, from 1 to {four_digits(run.value)} in {IDLE} steps: a step taken to save a state does harm"
        )
    yield Claim(
        "numbers", f"With {parts.rate} = 0 and no gradient {told}.", "computed",
        Number(1.0 if run.value == 1.0 else run.value, None, "", run, 1e-12), parts.rate,
    )  # fmt: skip
