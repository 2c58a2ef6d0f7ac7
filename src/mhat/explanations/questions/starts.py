"""Questions of how a run begins: the first step, the bias, the warm-up. They know no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mhat.explanations.claims import Claim, Run, four_digits
from mhat.explanations.numbers import claimed
from mhat.explanations.numbers.floors import standing
from mhat.explanations.numbers.parts import Parts, parts_of
from mhat.explanations.numbers.past import corrected_by, corrections, warm_up, without_corrections
from mhat.explanations.numbers.readings import measured, move
from mhat.explanations.numbers.wording import in_rates, listed
from mhat.explanations.questions.question import Question, asked, computed, not_asked, number, table
from mhat.explanations.runs import Setting
from mhat.notation.decimals import exact

CONSTANT = 60
GRADIENTS = (1e-8, 1e-4, 1.0, 100.0)


def why_correct(setting: Setting) -> Iterator[Claim]:
    """Answer 3: what the corrections are for, by what is without them."""
    parts = parts_of(setting)
    bare = without_corrections(setting.rule, parts)
    if bare is None:
        yield from _uncorrected(setting, parts)
        return
    texts = listed([f"`{text}`" for text, _ in corrected_by(setting.rule, parts)])
    other = setting.changed(bare)
    moves, with_them = parts_of(other).single(np.ones(CONSTANT)), parts.single(np.ones(CONSTANT))
    largest = int(np.nanargmax(np.abs(moves)))
    runs = (move(other, "constant:-1", 1), move(other, "constant:-1", largest + 1))
    yield computed(
        f"Averages that start at zero are too small at first; dividing by {texts} makes up for it.",
        table(("step", "with", "without"), *((t, with_them[t - 1], moves[t - 1]) for t in (1, 2, 10, CONSTANT))),
    )  # fmt: skip
    yield computed(
        f"Without it the first step of a constant gradient would be {in_rates(moves[0], parts)}, and the largest "
        f"{in_rates(moves[largest], parts)} at step {largest + 1}; with it they are {in_rates(with_them[0], parts)} "
        f"and "
        f"{in_rates(float(np.abs(with_them).max()), parts)}.",
        table(("step", "without"), (1, moves[0]), (largest + 1, moves[largest]), runs=runs),
    )  # fmt: skip
    yield from asked(claimed(corrections, setting)[-1:])


def _uncorrected(setting: Setting, parts: Parts) -> Iterator[Claim]:
    if not parts.averages:
        yield not_asked(
            "It keeps no average of gradients, so there is no bias to correct.", "no state takes in the gradient"
        )
        return
    moves = parts.single(np.ones(CONSTANT))
    rows = [(t, moves[t - 1]) for t in (1, 10, CONSTANT)]
    yield computed(
        f"It corrects nothing. Under a constant gradient its first step is {in_rates(moves[0], parts)}, the tenth "
        f"{in_rates(moves[9], parts)} and the {CONSTANT}th {in_rates(moves[-1], parts)}.",
        table(("step", "in learning rates"), *rows, runs=(move(setting, "constant:-1", 1),)),
    )  # fmt: skip


def first_step(setting: Setting) -> Iterator[Claim]:
    """Answer 14: why the first step is what it is, whatever the gradient."""
    parts = parts_of(setting)
    if not parts.reads_gradient:
        yield not_asked("Its steps do not depend on the gradient at all.", "no line that the result is made of reads g")
        return
    moves = parts.each(np.array([GRADIENTS]))[0]
    rows = tuple(zip(GRADIENTS, moves, strict=True))
    told = listed([f"{in_rates(step, parts)} at a gradient of {exact(g)}" for g, step in rows])
    floors = [each for each in standing(parts) if each.floor.degree == 1 and each.floor.form == "added" and each.value]
    formula = ""
    if floors and parts.rate and np.allclose(moves, [1 / (1 + floors[0].value / g) for g in GRADIENTS], rtol=1e-9):
        formula = f": sign(g) * {parts.rate} / (1 + {floors[0].name} / abs(g))"
    runs = tuple(move(setting, f"constant:{-g:g}", 1) for g in GRADIENTS)
    yield computed(f"The first step is {told}{formula}.", table(("gradient", "first step"), *rows, runs=runs))
    if parts.step.degree == 0 and moves[2] and np.allclose(moves[2:], moves[2], rtol=1e-6):
        yield computed(
            "Nothing has been averaged yet: the gradient is divided by its own size, and of a number over its size "
            "only "
            "the sign is left.",
            table(("gradient", "first step"), *rows),
        )  # fmt: skip
    elif parts.step.degree == 1:
        yield computed(
            "It is proportional to the gradient: nothing here divides it by its size.",
            table(("gradient", "first step"), *rows),
        )


def warming_up(setting: Setting) -> Iterator[Claim]:
    """Answer 26: why warm up, and for how long."""
    parts = parts_of(setting)
    moves = parts.moves(np.random.Generator(np.random.PCG64(7)).standard_normal((400, 256)))
    sizes = {t: float(np.sqrt(np.mean(moves[t - 1] ** 2))) for t in (1, 10, 100, 400)}
    if parts.reads_gradient and np.isfinite(list(sizes.values())).all():
        told = ", ".join(f"{in_rates(size, parts)} at step {t}" for t, size in sizes.items())
        run = measured(setting, Run("", "normal:seed=7,size=256", 400, "update", 1))
        yield computed(
            f"Under noise a step is {told} in the root mean square.",
            table(("step", "root mean square"), *sizes.items(), runs=(run,)),
        )
    slow = warm_up(parts)
    if slow is None:
        yield not_asked(
            "It divides by no average that would have to fill first; a warm-up here only keeps early steps short.",
            "no average of squares, or of sizes, is in the denominator",
        )
        return
    average, steps = slow
    written = average.written or four_digits(average.gain)
    yield computed(
        f"The denominator is an average of few gradients at first, and now and then far too small. `{average.state}` "
        f"has seen enough after 2 / (1 - {written}) = {four_digits(steps)} steps: let the learning rate "
        f"grow until then.",
        number(steps, f"2 / (1 - {written})", "Ma & Yarats 2019, arXiv:1910.04209"),
    )  # fmt: skip


QUESTIONS = (
    Question(
        3, ("Why correct the bias?", "what is bias correction for", "why divide by 1 - beta1**t"),
        ("bias", "correction", "corrected", "m_hat", "v_hat", "hat"), why_correct,
    ),
    Question(
        14, ("Why is the first step lr, whatever the gradient?", "why is the first update the sign of the gradient"),
        ("first", "initial", "sign", "update"), first_step,
    ),
    Question(
        26, ("Why warm up, and how long?", "is a warm-up of the learning rate needed"),
        ("warm", "warmup", "warm-up", "rectified"), warming_up, settled=True,
    ),
)  # fmt: skip
