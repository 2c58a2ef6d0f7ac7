"""What noise alone does: the typical step, and where decay and noise hold the weights. It knows no rule by name.

All is derived from the weights of the past gradients, whatever average made them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from mhat.explanations.claims import Claim, Formula, Number, Run, four_digits
from mhat.explanations.numbers.parts import Array, Parts, parts_of
from mhat.explanations.numbers.readings import measured
from mhat.explanations.numbers.wording import in_rates
from mhat.explanations.runs import Setting

SEED = 1
COORDINATES = 64
# The measured number is a mean over so many steps, after so many.
BEFORE, OVER = 1500, 1500
# Chance alone makes it stray so far.
STRAY = 0.015
SLOW = 2000


def noise_numbers(setting: Setting) -> Iterator[Claim]:
    """Yield what a rule does under noise of one size: how long its steps are, and where decay ends."""
    yield from typical_step(setting)
    yield from equilibrium(setting)


def typical_step(setting: Setting) -> Iterator[Claim]:
    """Yield the root mean square of a step under white noise."""
    parts = parts_of(setting)
    if not parts.reads_gradient:
        return
    expected = expected_step(parts)
    run = measured(setting, _noisy_run())
    if run.value is None or not math.isfinite(run.value) or run.value == 0:
        return
    seen = run.value / (parts.lr if parts.rate else 1.0)
    agrees = expected is not None and math.isclose(seen, expected, rel_tol=STRAY)
    value = expected if agrees and expected is not None else seen
    unit = "" if parts.step.degree == 0 else " times the size of the noise"
    sentence = f"Under noise alone a step is {in_rates(value, parts)} long in the root mean square{unit}"
    if agrees:
        sentence += "; it does not get shorter by itself, and it does not get longer."
        formula, source = Formula(_formula(parts)), "the weights of the past gradients, squared and summed"
    else:
        sentence += f", measured over the steps {BEFORE + 1} to {BEFORE + OVER}."
        formula, source = None, ""
    number = Number(value * (parts.lr if parts.rate else 1.0), formula, source, run, STRAY)
    yield Claim("numbers", sentence, "computed", number, parts.rate or "")


def expected_step(parts: Parts) -> float | None:
    """Give the root mean square of a step under white noise of size 1, in learning rates, once all has settled.

    The numerator is a sum of gradients with weights w, so its mean square is the sum of the w squared; the
    denominator is taken for what it is in the mean. None where the step is not made so.
    """
    kernel = parts.kernel
    if kernel is None:
        return None
    if parts.quotient is None:
        return _size(kernel)
    if parts.quotient.form == "sign":
        return abs(parts.factor)
    under = expected_size(parts)
    return None if under is None else _size(kernel) / under


def expected_size(parts: Parts) -> float | None:
    """Give the denominator under white noise of size 1, where it is the root of a sum of squares."""
    quotient, settled = parts.quotient, parts.settled_under
    if quotient is None or quotient.inside is None or settled is None or parts.answers is None:
        return None
    longest = max((each.gain for each in parts.means), default=0.0)
    inner = parts.weights_in(quotient.inside, 400 if longest else 3)
    states, gradients = parts.steady
    seen = parts.walk(gradients, parts.moving, spots=(quotient.inside,), held=True, first=10_000_400, states=states)
    size = abs(float(seen.spots[0][0, 0])), abs(float(seen.spots[0][0, 1]))
    # Of two streams on which what is squared does not change its size, the one where it is larger tells more.
    best = 0 if size[0] >= size[1] else 1
    return settled[best] / size[best] * _size(inner) if size[best] else None


def _size(weights: Array) -> float:
    return float(np.sqrt(np.sum(np.square(weights))))


def _formula(parts: Parts) -> str:
    rate = parts.rate or "1"
    if parts.quotient is not None and parts.quotient.form == "sign":
        return rate
    known = known_kernel(parts)
    if known is not None:
        return rate if known == "1" else f"{rate} * {known}".replace("* 1 /", "/")
    return f"{rate} * sqrt(w_0**2 + w_1**2 + ...), w the weights of the past gradients"


def known_kernel(parts: Parts) -> str | None:
    """Write the root of the squared weights of one average, of one decaying sum, or of the newest gradient alone."""
    kernel = parts.kernel
    if kernel is not None and math.isclose(kernel[0], 1.0) and not kernel[1:].any():
        return "1"
    if kernel is None or len(parts.means) != 1 or not parts.means[0].written:
        return None
    mean = parts.means[0]
    powers = mean.gain ** np.arange(len(kernel))
    name = mean.written if mean.written.isidentifier() else f"({mean.written})"
    if np.allclose(kernel, (1 - mean.gain) * powers, atol=1e-9):
        return f"sqrt((1 - {name}) / (1 + {name}))"
    return f"1 / sqrt(1 - {name}**2)" if np.allclose(kernel, powers, atol=1e-9) else None


def _noisy_run() -> Run:
    stream = f"normal:seed={SEED},size={COORDINATES}"
    return Run("", stream, BEFORE + OVER, "update", BEFORE + 1, over="rms")


def equilibrium_size(parts: Parts) -> float | None:
    """Give the root mean square of x where noise and decay balance; None where there is no decay, or no such step."""
    kernel, decay = parts.kernel, parts.decay
    if kernel is None or not decay or not 0 < decay < 2 or parts.rate is None:
        return None
    size = 1.0
    if parts.quotient is not None and parts.quotient.form == "quotient":
        known = expected_size(parts)
        if known is None:
            return None
        size = known
    if parts.quotient is not None and parts.quotient.form != "quotient":
        return None
    kept = 1 - decay
    weights = kernel * parts.lr / size
    length = 1 << (2 * len(weights) - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(weights, length)) ** 2
    together = np.fft.irfft(spectrum, length)[: len(weights)]
    apart = kept ** np.arange(len(weights))
    square = (together[0] + 2 * np.sum(together[1:] * apart[1:])) / (1 - kept**2)
    return float(math.sqrt(square)) if square > 0 else None


def equilibrium(setting: Setting) -> Iterator[Claim]:
    """Yield where decay and noise hold the weights, and how fast they turn there."""
    parts = parts_of(setting)
    size, step = equilibrium_size(parts), expected_step(parts)
    if size is None or step is None or not parts.decay:
        return
    decay = parts.decay
    turn = step * parts.lr / size
    unit = "" if parts.step.degree == 0 else " times the size of the noise"
    run = None
    if 1 / decay < SLOW:
        steps = math.ceil(8 / decay) + 500
        stream = f"normal:seed={SEED},size={COORDINATES}"
        run = measured(setting, Run("", stream, steps, "x", steps - math.ceil(3 / decay), over="rms"))
    formula = Formula(_equilibrium_formula(parts))
    yield Claim(
        "numbers",
        f"Decay takes {four_digits(decay)} of a weight at every step. Under noise alone weights end at "
        f"{four_digits(size)}{unit} in the root mean square, after some {four_digits(1 / decay)} steps, wherever they "
        f"begin.",
        "computed",
        Number(size, formula, "Kosson et al. 2023, arXiv:2305.17212", run, 0.15),
        parts.rate or "",
    )  # fmt: skip
    yield Claim(
        "numbers",
        f"There a step turns the weights by {four_digits(turn)} of their size: the typical step over where they end.",
        "computed",
        Number(turn, Formula("typical step / equilibrium"), "Kosson et al. 2023, arXiv:2305.17212"),
        parts.rate or "",
    )


def _equilibrium_formula(parts: Parts) -> str:
    rate = parts.rate
    if abs(float(np.sum(parts.kernel)) - 1) < 1e-6:  # type: ignore[arg-type]
        return f"{rate} / sqrt(2 * decay), decay = {four_digits(parts.decay or 0.0)} a step"
    return f"{rate} * (sum of the weights) / sqrt(2 * decay), decay = {four_digits(parts.decay or 0.0)} a step"
