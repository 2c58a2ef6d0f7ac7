"""The steepest bowl on which a rule stays: the curvature from which on it swings out. It knows no rule by name.

On a bowl of curvature h the gradient is h x. A rule that swings to and fro, x, -x, x ..., sees a gradient that
alternates, and answers to that by the alternating sum W of the weights of the past gradients. It just keeps on where
2 x = lr h W x: at h = 2 / (lr W), (2 - decay) / (lr W) with decay. For a denominator h stands over it, as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mhat.explanations.claims import Claim, Comparison, Formula, Number, Run, four_digits
from mhat.explanations.numbers.parts import Parts, parts_of
from mhat.explanations.numbers.readings import measured
from mhat.explanations.runs import Setting
from mhat.language import Expression, Operation, Rule, of_tree
from mhat.language.walking import mapped

STEPS = 600
NEAR = 0.02


def stability_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield the curvature at which a rule begins to swing out, over its denominator if it has one."""
    parts = parts_of(setting)
    most = threshold(parts)
    if most is None:
        return
    rate = parts.rate
    over = "" if parts.quotient is None else ", over what the step is divided by,"
    in_lr = f"{four_digits(most * parts.lr)} / {rate} = " if rate and not math.isclose(parts.lr, 1.0) else ""
    yield Claim(
        "numbers",
        f"On a bowl it swings wider and wider where the curvature{over} is above {in_lr}{four_digits(most)}.",
        "computed",
        Number(most, Formula(threshold_formula(parts)), "Cohen et al. 2022, arXiv:2207.14484", None, NEAR),
        rate or "",
    )  # fmt: skip
    confirmed = confirmation(setting)
    if confirmed is not None:
        yield confirmed


def threshold(parts: Parts) -> float | None:
    """Give the curvature, over the denominator held at what it is, from which on x swings out; None if there is none.

    It is confirmed on the bowl itself: a little below x comes to rest, a little above it does not.
    """
    kernel = parts.kernel
    if kernel is None or parts.decay is None or (parts.quotient is not None and parts.quotient.form != "quotient"):
        return None
    signs = np.where(np.arange(len(kernel)) % 2 == 0, 1.0, -1.0)
    # A swing of (-1)**t that keeps its size: each weight is that of a gradient which had the sign of so long ago.
    answer = float(np.sum(kernel * signs)) * parts.lr
    if not answer > 0:
        return None
    most = (2 - parts.decay) / answer
    if _grows(parts, most * (1 - NEAR)) or not _grows(parts, most * (1 + NEAR)):
        return _searched(parts, most)
    return most


def threshold_formula(parts: Parts) -> str:
    """Write the threshold in the knobs, for one average or decaying sum; else by the alternating sum of the weights."""
    rate, kernel = parts.rate or "1", parts.kernel
    whole = "2" if not parts.decay else "(2 - decay)"
    assert kernel is not None
    if not kernel[1:].any():
        return f"{whole} / {rate}" if math.isclose(kernel[0], 1.0) else f"{whole} / (w_0 * {rate})"
    if len(parts.means) == 1 and parts.means[0].written.isidentifier():
        mean = parts.means[0]
        powers = mean.gain ** np.arange(len(kernel))
        over = f"(2 + 2 * {mean.written})" if not parts.decay else f"(2 - decay) * (1 + {mean.written})"
        if np.allclose(kernel, (1 - mean.gain) * powers, atol=1e-9):
            return f"{over} / ((1 - {mean.written}) * {rate})"
        if np.allclose(kernel, powers, atol=1e-9):
            return f"{over} / {rate}"
    return f"{whole} / ({rate} * W), W = w_0 - w_1 + w_2 - ..., w the weights of the past gradients"


def _grows(parts: Parts, curvature: float) -> bool:
    """Whether x swings out on a bowl, the denominator being held at 1."""
    kernel, kept = parts.kernel, 1 - (parts.decay or 0.0)
    assert kernel is not None
    weights = kernel[:STEPS]
    course = np.zeros(STEPS + 1)
    course[0] = 1.0
    for t in range(STEPS):
        seen = course[t::-1][: len(weights)]
        course[t + 1] = kept * course[t] - parts.lr * curvature * float(np.dot(weights[: len(seen)], seen))
        if abs(course[t + 1]) > 1e6:
            return True
    size = np.abs(course)
    return float(size[-100:].max()) > float(size[-300:-200].max())


def _searched(parts: Parts, near: float) -> float | None:
    """Look for the threshold between bowls on which x comes to rest and on which it does not."""
    low, high = 0.0, near * 4
    if not _grows(parts, high):
        return None
    for _ in range(24):
        middle = (low + high) / 2
        low, high = (low, middle) if _grows(parts, middle) else (middle, high)
    return (low + high) / 2 if low else None


def confirmation(setting: Setting) -> Claim | None:
    """Run the rule with its denominator held at 1 on two bowls, one flatter than the steepest and one steeper."""
    parts = parts_of(setting)
    most, held = threshold(parts), held_at_one(parts)
    if most is None or held is None:
        return None
    rows: list[tuple[object, ...]] = []
    sizes: list[list[float]] = []
    runs: list[Run] = []
    for share in (1 - NEAR, 1 + NEAR):
        bowl = f"quadratic:condition={share * most:.6g},dimensions=1"
        both = [
            measured(setting.changed(held), Run("", bowl, STEPS, "x", step, start=1.0)) for step in (STEPS // 2, STEPS)
        ]
        sizes.append([abs(run.value or 0.0) for run in both])
        rows.append((f"{share:g} of it", *sizes[-1]))
        runs += both
    (before, after), (begun, grown) = sizes
    if not after < before or not grown > begun:
        # At its first steps a rule may have other weights, and be thrown out by them.
        return None
    return Claim(
        "numbers",
        f"On a bowl {four_digits(100 * NEAR)}% flatter x comes from {four_digits(before)} at step {STEPS // 2} to "
        f"{four_digits(after)} at step {STEPS}; on one {four_digits(100 * NEAR)}% steeper it goes from "
        f"{four_digits(begun)} to "
        f"{four_digits(grown)}.",
        "computed",
        Comparison(("curvature", f"x at {STEPS // 2}", f"x at {STEPS}"), tuple(rows), tuple(runs)),
    )  # fmt: skip


def held_at_one(parts: Parts) -> Rule | None:
    """Give the rule with its denominator held at 1, as an ordinary rule that can be run on a bowl."""
    rule, quotient = parts.rule, parts.quotient
    if quotient is None or quotient.under is None:
        return rule if parts.step.is_sum else None
    tree = rule.tree
    lines = list(tree.body)
    under = quotient.under.expression

    def freed(node: Expression) -> Expression:
        return (
            node.arguments[0]
            if isinstance(node, Operation) and node.op == "div" and node.arguments[1] == under
            else node
        )

    if quotient.under.line < len(lines):
        line = lines[quotient.under.line]
        lines[quotient.under.line] = replace(line, value=mapped(line.value, freed))
        return of_tree(replace(tree, body=tuple(lines)))
    return of_tree(replace(tree, result=mapped(tree.result, freed)))
