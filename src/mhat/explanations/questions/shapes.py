"""Questions of rules of another shape: orthogonal steps, averages of the parameters. They know no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mhat.explanations.claims import Claim, four_digits
from mhat.explanations.numbers.parts import Parts, parts_of
from mhat.explanations.numbers.responses import Spot
from mhat.explanations.numbers.walks import walk
from mhat.explanations.numbers.wording import in_rates
from mhat.explanations.questions.question import Question, computed, not_asked, table
from mhat.explanations.runs import Setting
from mhat.language import Name, Operation
from mhat.language.tree import EVALUATION
from mhat.language.walking import all_expressions

SHAPES = ((64, 64), (64, 16), (16, 64), (256, 64))


def orthogonal_steps(setting: Setting) -> Iterator[Claim]:
    """Answer 23: how long an orthogonal step is, by the shape of the matrix, and what makes up for it."""
    parts = parts_of(setting)
    if not any(isinstance(node, Operation) and node.op == "orthogonal" for node in all_expressions(setting.rule.tree)):
        yield not_asked(
            "It makes no step orthogonal, so there is no such scale: every coordinate has its own.",
            "no line uses `orthogonal`",
        )
        return
    rows: list[tuple[str, float, float, float, float]] = []
    for shape in SHAPES:
        sizes = _sizes(parts, shape)
        most = max(shape)
        rows.append(
            (
                f"{shape[0]} x {shape[1]}",
                sizes,
                sizes * most**0.5,
                max(1.0, shape[0] / shape[1]) ** 0.5,
                0.2 * most**0.5,
            )
        )
    if not all(np.isfinite(size) and size > 0 for _, size, *_ in rows):
        yield not_asked(
            "Something in it is made orthogonal, but its steps are nothing, or no numbers.", "they were run"
        )
        return
    told = ", ".join(f"{in_rates(size, parts)} for {shape}" for shape, size, *_ in rows)
    yield computed(
        f"The root mean square of a step depends on the shape of the matrix: {told}.",
        table(("rows x columns", "root mean square", "times root of side", "max(1, r/c)**0.5", "0.2 sqrt"), *rows),
    )  # fmt: skip
    factors = [row[2] for row in rows]
    if max(factors) / min(factors) < 1.15:
        yield computed(
            "That is nearly one over the root of the larger side, for all singular values are near 1. A factor of "
            "max(1, rows / columns)**0.5 makes tall matrices alike to wide ones; 0.2 * sqrt(larger side) makes a step "
            "about 0.2 learning rates long everywhere, as AdamW's is, so that one rate serves both.",
            table(("rows x columns", "with 0.2 sqrt(max(r, c))"), *((row[0], row[1] * row[4]) for row in rows)),
        )
    else:
        yield computed(
            "It scales its steps by the shape already: they do not go with one over the root of the larger side.",
            table(("rows x columns", "root mean square"), *((row[0], row[1]) for row in rows)),
        )


def _sizes(parts: Parts, shape: tuple[int, int]) -> float:
    gradients = np.random.Generator(np.random.PCG64(9)).standard_normal((3, *shape))
    moves = walk(parts.rule, parts.moving, gradients, held=True).moves[-1]
    return float(np.sqrt(np.mean(np.square(moves))) / parts.lr)


def averaged(setting: Setting) -> Iterator[Claim]:
    """Answer 29: whether what is evaluated is what the gradient is taken at."""
    if EVALUATION not in setting.rule.variables:
        yield not_asked(
            "What you train is what you evaluate: it keeps no average of the parameters, so there is no switch to "
            "forget.",
            f"no line sets `{EVALUATION}`",
        )
        return
    parts = parts_of(setting)
    noise = np.random.Generator(np.random.PCG64(8)).standard_normal((300, 64)) + 0.2
    spot = Spot(len(setting.rule.tree.body), Name(EVALUATION))
    walked = walk(parts.rule, parts.moving, noise, spots=(spot,), start=1.0)
    apart = np.sqrt(np.mean((walked.spots[0] - walked.x) ** 2, axis=1))
    rows = tuple((t, float(apart[t - 1])) for t in (1, 10, 100, 300))
    told = ", ".join(f"{four_digits(far)} at step {t}" for t, far in rows)
    yield computed(
        f"Its gradient is taken at x, and `{EVALUATION}` is what to evaluate and save. Under noise with a drift they "
        f"are "
        f"apart by {told}: with x in its place a loss is measured that is not that of the result. opt.evaluation() "
        f"gives "
        f"the one, opt.x stays the other.",
        table(("step", "distance of x and x_eval"), *rows),
        EVALUATION,
    )


QUESTIONS = (
    Question(
        23, ("Muon: which scale, which lr, with AdamW for the rest?", "scale of orthogonalised updates"),
        ("muon", "orthogonal", "newton", "schulz", "matrix", "spectral"), orthogonal_steps,
    ),
    Question(
        29, ("When do averaging rules need train() and eval()?", "Schedule-Free, averaged parameters"),
        ("averaging", "train", "eval", "schedule-free", "schedulefree", "free", "swa", "ema", "x_eval"), averaged,
    ),
)  # fmt: skip
