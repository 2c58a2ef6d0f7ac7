"""Questions of training that goes wrong: decay, wrong ways, NaN, small dtypes, hills. They know no rule by name."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from mhat.explanations.claims import Claim, Run, four_digits
from mhat.explanations.numbers import claimed
from mhat.explanations.numbers.dtypes import dtype_numbers, floors_in_small
from mhat.explanations.numbers.parts import Array, Parts, parts_of
from mhat.explanations.numbers.readings import measured, move
from mhat.explanations.numbers.wording import in_rates
from mhat.explanations.questions.question import Question, asked, computed, not_asked, number, table
from mhat.explanations.questions.rates import falling
from mhat.explanations.runs import Setting
from mhat.language import Assignment, Name, Operation, Rule, of_tree
from mhat.language import Number as Literal

LAMBDA = 0.01
LOUD = 10.0
TURNS = 1500
ONLINE = 3000
ROUND = "cycle:10,-1,-1,-1,-1,-1,-1,-1,-1,-1"


def penalised(rule: Rule, factor: float) -> Rule:
    """Give a rule whose gradient is that of a loss with half of factor x**2 added: L2 regularisation."""
    tree = rule.tree
    added = Operation("add", (Name("g"), Operation("mul", (Literal(factor), Name("x")))))
    inputs = tuple(dict.fromkeys(("x", *tree.inputs)))
    return of_tree(replace(tree, inputs=inputs, body=(Assignment(("g",), added), *tree.body)))


def l2_or_decay(setting: Setting) -> Iterator[Claim]:
    """Answer 2: what a penalty in the gradient does, beside decay of the parameter itself."""
    parts = parts_of(setting)
    if not parts.reads_gradient or parts.rate is None:
        yield not_asked("A penalty would reach it through the gradient, which it does not read.", "no line reads g")
        return
    free = _without_decay(parts)
    rule = penalised(setting.rule, LAMBDA)
    there = Parts(rule, free)
    quiet = float(-there.walk(np.zeros((200, 1)), start=1.0, held=True).moves[-1, 0])
    loud = float(-there.walk(_alternating(600), start=1.0, held=True).moves[-200:, 0].mean())
    decoupled = parts.lr * LAMBDA
    loud = 0.0 if abs(loud) < 1e-6 * decoupled else loud
    rows = (("no other gradient", quiet, decoupled), (f"gradients of {LOUD:g} up and down", loud, decoupled))
    yield computed(
        f"At x = 1, where the gradient is zero, a penalty of {LAMBDA} x in the gradient takes "
        f"{four_digits(quiet)} a step in "
        f"the "
        f"end; decay of the parameter itself {parts.rate} * {LAMBDA} = {four_digits(decoupled)}. Under "
        f"gradients of {LOUD:g} "
        f"up "
        f"and down the penalty takes {four_digits(loud)}, decay the same as before.",
        table(("", "in the gradient", "of the parameter"), *rows),
    )
    same = math.isclose(quiet, decoupled, rel_tol=0.02) and math.isclose(loud, decoupled, rel_tol=0.02)
    if same:
        closing = "For this rule they are the same."
    elif parts.step.degree == 0:
        closing = "They are not the same: what is in the gradient is divided by its size like the rest of it."
    else:
        closing = "They are not the same: what is in the gradient goes through all that the rule does with it."
    decay = parts.decay
    own = "" if decay is None else " As its knobs stand it takes nothing of x by itself."
    if decay:
        own = f" This rule's own decay takes {four_digits(decay)} of x a step, whatever the gradient is."
    yield computed(f"{closing}{own}", number(decay or 0.0, "1 - gain of x"))


def _without_decay(parts: Parts) -> Mapping[str, float]:
    """Give the knobs, those that only make the decay at zero."""
    if not parts.decay:
        return parts.moving
    for knob in parts.knobs:
        if knob != parts.rate and Parts(parts.rule, {**parts.knobs, knob: 0.0}).decay == 0:
            return {**parts.moving, knob: 0.0}
    return parts.moving


def _alternating(steps: int) -> Array:
    return np.where(np.arange(steps) % 2 == 0, LOUD, -LOUD)[:, None]


def no_learning(setting: Setting) -> Iterator[Claim]:
    """Answer 15: how far a small steady gradient carries x under noise, and where rare gradients are outvoted."""
    parts = parts_of(setting)
    if not parts.reads_gradient:
        yield not_asked("Its steps do not depend on the gradient at all.", "no line that the result is made of reads g")
        return
    drift = np.random.Generator(np.random.PCG64(4)).standard_normal((1000, 64)) + 0.1
    mean = float(parts.moves(drift)[500:].mean())
    run = measured(setting, Run("", "drift:signal=0.1,noise=1,seed=4,size=64", 1000, "x", 1000))
    if math.isfinite(mean) and mean:
        per = mean * parts.lr
        yield computed(
            f"With a mean of 0.1 under noise of 1 x goes {in_rates(mean, parts)} a step, so a way of 1 takes "
            f"{four_digits(abs(1 / per))} steps at {parts.rate or 'this rate'}={four_digits(parts.lr)}.",
            table(("", "a step"), ("drift of 0.1 under noise of 1", per), runs=(run,)),
        )
    lots = measured(setting, Run("", ROUND, ONLINE, "x", ONLINE))
    place = (lots.value or 0.0) / parts.lr / ONLINE
    way = "the right way" if place < 0 else "the wrong way: the many small ones outvote it"
    yield computed(
        f"Where one gradient in ten is 10 and the others are -1, with a mean of 0.1, x should go down: it goes "
        f"{'down' if place < 0 else 'up'} by {in_rates(abs(place), parts)} a step, {way}.",
        table(("", "a step"), ("one of 10 to nine of -1", place), runs=(lots,)),
    )


def not_a_number(setting: Setting) -> Iterator[Claim]:
    """Answer 16: what zero gradients give, here and in float16."""
    parts = parts_of(setting)
    run = move(setting, "zeros", 1)
    value = run.value if run.value is not None else math.nan
    told = "not a number: zero is divided by zero" if math.isnan(value) else f"{four_digits(value)}, which is a number"
    yield computed(f"At a gradient of zero the first step is {told}.", number(value, "", "", run))
    yield from asked(floors_in_small(parts))
    for floor in parts.floors:
        if isinstance(floor.spot.expression, Name) and parts.knobs[floor.spot.expression.id]:
            gone = setting.turned(floor.spot.expression.id, 0.0)
            lost = move(gone, "zeros", 1)
            if lost.value is not None and math.isnan(lost.value):
                yield computed(
                    f"With {floor.spot.expression.id}=0 the first step at a gradient of zero is not a number.",
                    number(math.nan, "", "", lost),
                )
                return
    if not parts.floors and not math.isnan(value):
        yield not_asked(
            "It divides by nothing that the gradient makes: zeros are harmless in any dtype.",
            "no line divides by what has the gradient's unit",
        )


def small_changes(setting: Setting) -> Iterator[Claim]:
    """Answer 17: what is rounded away in bfloat16."""
    claims = [
        claim for claim in claimed(dtype_numbers, setting) if "bfloat16" in claim.sentence or "So is" in claim.sentence
    ]
    if claims:
        yield from asked(claims)
        return
    parts = parts_of(setting)
    if parts.step.degree != 1:
        still = parts.lr / 2.0**-9
        yield computed(
            f"A change below 2**-9 of a weight is rounded away in bfloat16: a step of {in_rates(1.0, parts)} beside "
            f"any "
            f"weight above {four_digits(still)}.",
            number(still, "rate / 2**-9", "the spacing of bfloat16"),
        )
        return
    yield computed(
        f"A change below 2**-9 of a weight is rounded away in bfloat16: here a step is proportional to the gradient, "
        f"and "
        f"those below {four_digits(2.0**-9 / parts.lr)} of the weight, over what it piles up to, do nothing.",
        number(2.0**-9 / parts.lr, "2**-9 / rate", "the spacing of bfloat16"),
    )


def fair_hills(setting: Setting) -> Iterator[Claim]:
    """Answer 28: the same hill, turned."""
    parts = parts_of(setting)
    ends = {angle: _downhill(parts, angle) for angle in (0, 45)}
    runs = tuple(measured(setting, Run("", f"ravine:condition=100,angle={angle}", TURNS, "x", TURNS)) for angle in ends)
    apart = max(ends.values()) / max(min(ends.values()), 1e-300)
    closing = "Turning changes nothing here" if apart < 1.05 else (
        "It looks at each coordinate by itself, so it matters how the hill lies along them"
    )  # fmt: skip
    yield computed(
        f"On a ravine, 100 times as steep across as along, {TURNS} steps bring x from 1.118 to "
        f"{four_digits(ends[0])} from "
        f"the bottom where the ravine lies along a coordinate, and to {four_digits(ends[45])} where hill and start are "
        f"turned by 45 "
        f"degrees. {closing}.",
        table(("angle", "distance"), *ends.items(), runs=runs),
    )


def _downhill(parts: Parts, angle: float) -> float:
    """Walk down a ravine that is turned, the start turned with it, and give how far from the bottom it ends."""
    cosine, sine = math.cos(math.radians(angle)), math.sin(math.radians(angle))
    turn = np.array([[cosine, -sine], [sine, cosine]])
    hill = turn @ np.diag([1.0, 100.0]) @ turn.T
    path = parts.descend(lambda x: hill @ x, turn @ np.array([-1.0, 0.5]), TURNS)
    return float(np.linalg.norm(path))


def proved_to_converge(setting: Setting) -> Iterator[Claim]:
    """Answer 30: the counter-example of Reddi et al., run with this rule."""
    parts = parts_of(setting)
    if parts.rate is None or not parts.reads_gradient:
        yield not_asked("It has no learning rate to let fall, as the proofs want.", "no knob is a factor of the step")
        return
    fallen = setting.changed(falling(setting.rule, parts.rate)).turned(parts.rate, 0.5)
    short = fallen
    for average in parts.averages:
        if average.knobs == (average.written,):
            short = short.turned(average.written, 0.1 if average.squares else 0.0)
    rows, runs = [], []
    for called, each in (("its own memory", fallen), ("a short one", short)):
        run = measured(each, Run("", "reddi", ONLINE, "x", ONLINE))
        rows.append((called, run.value or 0.0))
        runs.append(run)
    named = ", ".join(
        f"{knob}={four_digits(value)}"
        for knob, value in short.knobs.items()
        if knob != parts.rate and fallen.knobs.get(knob) != value
    )
    told = f"; with {named}, at {four_digits(rows[1][1])}" if named else ""
    wrong = [called for called, place in rows if place > 0]
    closing = (
        "It goes the wrong way"
        if len(wrong) == 2 or (wrong and not named)
        else "A short memory goes the wrong way: proofs need a long one, or one that never forgets"
        if wrong
        else "It goes the right way"
    )
    yield computed(
        f"On the example of Reddi et al. (slopes 3, -1, -1, again and again, x from -1 to 1, a rate of 0.5 / sqrt(t)) "
        f"x "
        f"should end at -1. After {ONLINE} steps this rule is at {four_digits(rows[0][1])}{told}. {closing}.",
        table(("memory", "x"), *rows, runs=tuple(runs)),
    )


QUESTIONS = (
    Question(
        2, ("Adam or AdamW: is L2 the same as decay?", "weight decay or L2 regularisation"),
        ("adamw", "l2", "weight", "decay", "regularisation", "regularization", "decoupled", "penalty"), l2_or_decay,
    ),
    Question(
        15, ("Why does Adam not learn where SGD does?", "slow or wrong progress"),
        ("learn", "learning", "slow", "stuck", "sgd", "generalise", "generalize", "plateau"), no_learning,
    ),
    Question(
        16, ("Why NaN with a zero gradient, or in float16?", "not a number"),
        ("nan", "float16", "fp16", "half", "zero", "inf", "overflow"), not_a_number,
    ),
    Question(
        17, ("Why do small steps or decay do nothing in bfloat16?", "updates lost to rounding"),
        ("bfloat16", "bf16", "rounding", "small", "precision", "lost"), small_changes, settled=True,
    ),
    Question(
        28, ("Are pictures on two-dimensional hills fair?", "comparing optimizers on a surface"),
        ("hills", "hill", "two-dimensional", "2d", "pictures", "surface", "rotation", "landscape"), fair_hills,
    ),
    Question(
        30, ("Is Adam proved to converge?", "convergence proof and its counterexample"),
        ("proved", "proof", "converge", "convergence", "reddi", "counterexample"), proved_to_converge,
    ),
)  # fmt: skip
