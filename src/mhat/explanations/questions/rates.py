"""Questions of the learning rate: its decay, schedules, what is effective, larger batches. They know no rule."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mhat.explanations.claims import Claim, Run, four_digits
from mhat.explanations.numbers import claimed
from mhat.explanations.numbers.batches import batch_numbers, token_half_life
from mhat.explanations.numbers.noise import expected_step
from mhat.explanations.numbers.parts import parts_of
from mhat.explanations.numbers.readings import measured, move
from mhat.explanations.numbers.wording import in_rates, listed
from mhat.explanations.questions.question import Question, asked, computed, not_asked, number, table
from mhat.explanations.runs import Setting
from mhat.language import Expression, Name, Operation, Rule, of_tree
from mhat.language.walking import mapped_tree
from mhat.notation.decimals import exact

LONG = 2000


def falling(rule: Rule, rate: str) -> Rule:
    """Give a rule whose learning rate falls like 1 / sqrt(t)."""
    fallen = Operation("div", (Name(rate), Operation("sqrt", (Name("t"),))))

    def change(node: Expression) -> Expression:
        return fallen if node == Name(rate) else node

    tree = mapped_tree(rule.tree, change)
    return of_tree(replace(tree, inputs=tree.inputs if "t" in tree.inputs else (*tree.inputs, "t")))


def rate_decay(setting: Setting) -> Iterator[Claim]:
    """Answer 1: what a constant learning rate ends with."""
    parts = parts_of(setting)
    if parts.rate is None or not parts.reads_gradient:
        yield not_asked("It has no learning rate that could fall.", "no knob is a factor of the step")
        return
    stream = "normal:seed=2,size=32"
    early = measured(setting, Run("", stream, 400, "update", 200, over="rms"))
    late = measured(setting, Run("", stream, LONG, "update", LONG - 200, over="rms"))
    before, after = ((run.value or 0.0) / parts.lr for run in (early, late))
    steady = bool(before) and abs(after / before - 1) < 0.15
    yield computed(
        f"Under noise alone a step is {in_rates(before, parts)} long about step 300 and {in_rates(after, parts)} about "
        f"step {LONG - 100}: {'it does not get shorter by itself' if steady else 'it changes by itself'}.",
        table(("step", "root mean square"), (300, before), (LONG - 100, after), runs=(early, late)),
    )  # fmt: skip
    other = setting.changed(falling(setting.rule, parts.rate))
    fallen = measured(other, Run("", stream, LONG, "update", LONG - 200, over="rms"))
    there = (fallen.value or 0.0) / parts.lr
    falls = after > 0 and there < 0.9 * after
    closing = (
        "who wants to end nearer to the lowest point than the steps are long must let the rate fall" if falls
        else f"its steps do not end with {parts.rate} alone"
    )  # fmt: skip
    yield computed(
        f"With {parts.rate} / sqrt(t) it is {in_rates(there, parts)} there: {closing}.",
        table(("rate", "root mean square"), ("constant", after), ("falling", there), runs=(fallen,)),
    )  # fmt: skip


def effective_rate(setting: Setting) -> Iterator[Claim]:
    """Answer 7: how far x goes for a gradient of one unit."""
    parts = parts_of(setting)
    if not parts.reads_gradient:
        yield not_asked("Its steps do not depend on the gradient at all.", "no line that the result is made of reads g")
        return
    sizes = (1e-4, 1.0, 100.0)
    moves = parts.each(np.tile([sizes], (200, 1)))[-1] * parts.lr
    rows = tuple((size, step, step / size) for size, step in zip(sizes, moves, strict=True))
    told = listed([f"{four_digits(rate)} at a gradient of {exact(size)}" for size, _, rate in rows])
    runs = tuple(move(setting, f"constant:{-size:g}", 200) for size in sizes)
    yield computed(
        f"After 200 steps of one gradient, what x moves by over it is {told}.",
        table(("gradient", "step", "step / gradient"), *rows, runs=runs),
    )
    rate = parts.rate or "the learning rate"
    if parts.step.degree == 0:
        yield computed(
            f"So it is {rate} over the size of the gradient: another number for every coordinate, made anew at every "
            f"step. What an optimizer's groups of parameters hold is {rate} alone; `mhat trace` shows the rest.",
            table(("gradient", "step / gradient"), *((size, each) for size, _, each in rows)),
        )
    elif parts.step.degree == 1 and parts.answers is not None:
        yield computed(
            f"It is the same for every size: {in_rates(parts.answers[0], parts)}, what gradients that agree pile up "
            f"to.",
            number(parts.answers[0] * parts.lr, "", "", move(setting, "constant:-1", 1000), 1e-2),
        )


def schedules(setting: Setting) -> Iterator[Claim]:
    """Answer 20: knobs over the steps, and momentum that goes up and down."""
    parts = parts_of(setting)
    if parts.rate is None:
        yield not_asked("It has no learning rate to schedule.", "no knob is a factor of the step")
        return
    typical = expected_step(parts)
    stays = f" Under noise a step stays {in_rates(typical, parts)} long until the schedule ends it." if typical else ""
    half = f" Half the {parts.rate} is half the step." if parts.kernel is not None else ""
    yield computed(
        f"Any knob can change over `step`: mhat.trace(rule, stream, {parts.rate}=xarray.DataArray(values, "
        f'dims="step")).{half}{stays}',
        table(("knob", "value"), (parts.rate, parts.lr)),
    )
    cycled = next((mean for mean in parts.averages if not mean.squares and mean.knobs == (mean.written,)), None)
    if cycled is None:
        yield not_asked("It has no momentum to cycle.", "no average of the gradients has a decay rate that is a knob")
        return
    rows = []
    for value in (0.95, 0.85):
        there = parts_of(setting.turned(cycled.written, value))
        rows.append((value, (there.answers or (float("nan"),))[0], expected_step(there) or float("nan")))
    (high, steady_high, noisy_high), (low, steady_low, noisy_low) = rows
    if not np.isfinite([steady_high, noisy_high, steady_low, noisy_low]).all():
        return
    yield computed(
        f"When `{cycled.written}` goes from {high} to {low}, the step of a steady gradient goes from "
        f"{in_rates(steady_high, parts)} to {in_rates(steady_low, parts)}, and that of noise from "
        f"{in_rates(noisy_high, parts)} to {in_rates(noisy_low, parts)}.",
        table((cycled.written, "steady gradient", "noise"), *rows),
        cycled.written,
    )  # fmt: skip


def larger_batch(setting: Setting) -> Iterator[Claim]:
    """Answer 25: what the knobs become for a larger batch."""
    parts = parts_of(setting)
    claims = claimed(batch_numbers, setting)
    if not claims:
        yield not_asked(
            "No rule for it is known here: its step is no power of the gradient, or has no learning rate.",
            "the power of the gradient in the step is read from the lines",
        )
        return
    yield from asked(claims)
    fading = [each for each in parts.averages if 0 < each.gain < 1]
    if fading:
        slow = max(fading, key=lambda each: each.gain)
        kept = token_half_life(slow.gain, 4)
        yield computed(
            f"To keep the half-life of `{slow.state}` in tokens, its decay rate becomes {four_digits(slow.gain)}**4 = "
            f"{four_digits(kept)}.",
            number(kept, f"{slow.written or four_digits(slow.gain)}**kappa", "Marek et al. 2025, arXiv:2507.07101"),
        )


QUESTIONS = (
    Question(
        1, ("Is a decay of the learning rate needed?", "should the learning rate fall"),
        ("decay", "learning", "rate", "lr", "anneal", "annealing", "fall", "constant"), rate_decay, settled=True,
    ),
    Question(
        7, ("What is the effective learning rate?", "what is the actual learning rate of a parameter"),
        ("effective", "actual", "adaptive", "learning", "rate", "lr", "param_groups"), effective_rate, settled=True,
    ),
    Question(
        20, ("Which scheduler fits, and what is momentum cycling?", "learning rate schedules"),
        ("schedule", "schedules", "scheduler", "cosine", "cycling", "cycle", "onecycle"), schedules, settled=True,
    ),
    Question(
        25, ("What changes when the batch grows?", "how to scale the learning rate with the batch size"),
        ("batch", "batches", "size", "larger", "accumulation", "scaling"), larger_batch, settled=True,
    ),
)  # fmt: skip
