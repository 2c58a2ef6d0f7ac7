"""Questions of what is remembered: the betas, momentum without a gradient, saving, sparse rows. They know no rule."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from mhat.explanations.claims import Claim, Run, four_digits
from mhat.explanations.numbers import claimed
from mhat.explanations.numbers.longest import longest_at
from mhat.explanations.numbers.memory import memory_numbers
from mhat.explanations.numbers.parts import parts_of
from mhat.explanations.numbers.past import half_life
from mhat.explanations.numbers.rarity import rare_numbers, unseen_numbers
from mhat.explanations.numbers.readings import measured, move
from mhat.explanations.numbers.resuming import idle_numbers, resuming_numbers
from mhat.explanations.numbers.wording import in_rates, listed
from mhat.explanations.questions.question import Question, asked, computed, not_asked, number, table
from mhat.explanations.runs import Setting
from mhat.notation.decimals import exact

AWAY = 200
SHORT = 0.95


def betas(setting: Setting) -> Iterator[Claim]:
    """Answer 6: what the decay rates mean, and what a shorter memory changes."""
    parts = parts_of(setting)
    if not parts.averages:
        yield not_asked("It keeps no average of gradients, so it has no such knobs.", "no state takes in the gradient")
        return
    fading = [average for average in parts.averages if average.kind != "last"]
    yield from asked(half_life(setting, average) for average in islice(fading, 3))
    most = longest_at(parts)
    short = next((each for each in parts.sizes if each.knobs == (each.written,) and each.gain > SHORT), None)
    if most is None or short is None:
        return
    other = longest_at(parts_of(setting.turned(short.written, SHORT)))
    if other is not None:
        yield computed(
            f"Now no step is longer than {in_rates(most, parts)}; with {short.written}={SHORT} none is longer than "
            f"{in_rates(other, parts)}.",
            table((short.written, "longest step"), (short.gain, most), (SHORT, other)),
            short.written,
        )


def without_gradient(setting: Setting) -> Iterator[Claim]:
    """Answer 9: what moves when the gradient is zero."""
    parts = parts_of(setting)
    alone = np.zeros(AWAY)
    alone[0] = 1.0
    count = 1
    if not parts.single(alone)[0]:  # the first gradient may only start what is divided by
        alone[1] = 1.0
        count = 2
    moves = parts.single(alone)
    rest, first = float(np.sum(moves[count:])), float(np.sum(moves[:count]))
    after = "one gradient of 1" if count == 1 else "two gradients of 1"
    still = abs(rest) < 1e-9 or np.isnan(rest)
    decay = parts.decay or 0.0
    if still and not decay:
        told = "is not a number: zero is divided by zero" if np.isnan(rest) else "stays where it is"
        yield computed(
            f"It does not go on: after {after}, and none any more, x {told}.",
            table(("", "in learning rates"), ("at first", first), (f"the next {AWAY - count}", rest)),
        )
        return
    if not still:
        names = listed([f"`{mean.state}`" for mean in parts.averages if not mean.squares and mean.gain]) or "It"
        runs = (measured(setting, Run("", "spike:size=-1,base=0,at=1", AWAY, "x", AWAY)),) if count == 1 else ()
        yield computed(
            f"{names} {'go' if ' and ' in names else 'goes'} on: after {after}, which moves x by "
            f"{in_rates(first, parts)}, the next {AWAY - count} steps without any move it by {in_rates(rest, parts)} "
            f"more.",
            table(("", "in learning rates"), ("at first", first), (f"the next {AWAY - count}", rest), runs=runs),
        )
    if decay:
        yield computed(
            f"And decay takes {four_digits(decay)} of a weight at every step, whatever the gradient is.",
            number(decay, "1 - gain of x"),
        )


def all_betas_zero(setting: Setting) -> Iterator[Claim]:
    """Answer 27: what is left when nothing is remembered."""
    parts = parts_of(setting)
    knobs = dict.fromkeys((each.written for each in parts.averages if each.knobs == (each.written,)), 0.0)
    if not knobs:
        yield not_asked("It has no decay rates that could be zero.", "no state fades by a share that is a knob")
        return
    other = setting
    for knob in knobs:
        other = other.turned(knob, 0.0)
    there, sizes = parts_of(other), (1.0, 10.0, 100.0)
    moves = there.each(np.tile([sizes], (5, 1)))[-1]
    rows = tuple(zip(sizes, moves, strict=True))
    told = listed([f"{in_rates(step, parts)} at a gradient of {exact(size)}" for size, step in rows])
    names = listed([f"{knob}=0" for knob in knobs])
    if np.allclose(moves, moves[0], rtol=1e-4):
        what = "That is the sign of the gradient, not the gradient: no SGD"
    elif np.allclose(moves / sizes, moves[0], rtol=1e-4):
        what = "That is proportional to the gradient, as in plain gradient descent"
    else:
        what = "That is neither the gradient nor its sign"
    runs = tuple(move(other, f"constant:{-size:g}", 5) for size in sizes)
    yield computed(f"With {names} a step is {told}. {what}.", table(("gradient", "step"), *rows, runs=runs))


def saving(setting: Setting) -> Iterator[Claim]:
    """Answer 13: what must be saved, and what happens without it."""
    yield from asked(claimed(resuming_numbers, setting))
    yield from asked(claimed(idle_numbers, setting))


def sparse_rows(setting: Setting) -> Iterator[Claim]:
    """Answer 21: what sparse or lazy gradients change."""
    parts = parts_of(setting)
    if not parts.averages:
        yield not_asked(
            "It keeps no average of gradients, so none fades while a row is not seen.",
            "no state takes in the gradient",
        )
        return
    yield from asked(claimed(unseen_numbers, setting))
    yield from asked(claimed(rare_numbers, setting))


def memory(setting: Setting) -> Iterator[Claim]:
    """Answer 22: how much memory the state takes."""
    yield from asked(claimed(memory_numbers, setting))


QUESTIONS = (
    Question(
        6, ("What do beta1 and beta2 mean, when 0.95?", "what are the betas", "half-life of the averages"),
        ("beta", "beta1", "beta2", "betas", "rho", "half-life", "halflife", "0.95", "0.999"), betas, settled=True,
    ),
    Question(
        9, ("Why do weights move when the gradient is zero?", "parameters change without a gradient"),
        ("zero", "move", "moves", "without", "gradient", "frozen"), without_gradient,
    ),
    Question(
        13, ("What must be saved; why does the loss jump after resuming?", "checkpoints and resuming"),
        ("save", "saved", "resume", "resuming", "checkpoint", "state_dict", "load", "restart"), saving,
    ),
    Question(
        21, ("What do sparse or lazy gradients change?", "SparseAdam and embeddings"),
        ("sparse", "lazy", "embedding", "embeddings", "rare", "rows"), sparse_rows, settled=True,
    ),
    Question(
        22, ("How much memory does the state take?", "bytes of optimizer state a parameter"),
        ("memory", "bytes", "gb", "state"), memory,
    ),
    Question(
        27, ("betas = 0: is it SGD?", "Adam without memory"),
        ("betas", "zero", "sgd", "memoryless", "0"), all_betas_zero, settled=True,
    ),
)  # fmt: skip
