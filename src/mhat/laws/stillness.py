"""Laws of what happens without a gradient, or a learning rate: nothing, or decay. They know no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mhat.laws.law import Array, Compared, Examined, Law
from mhat.laws.proofs import stillness as proofs
from mhat.laws.reference import predicted

# Where they are free, large enough for the decay to be seen in any dtype.
LOUD = {"lr": 0.125, "weight_decay": 0.5}
PLACE = 1.0


def family() -> Iterator[Law]:
    """Yield the laws of this family."""
    yield Law(
        "zero gradient",
        "Without a gradient nothing moves: zero over the small eps is zero.",
        "Ulps of the start.",
        "nothing",
        _zero_gradient,
        _needs_rest,
        proof=lambda examined: proofs.zero_gradient(examined.rule, examined.knobs),
    )
    yield Law(
        "decay without gradient",
        "Without a gradient weight decay shrinks the parameter by the same factor at every step.",
        "Ulps of what decays in all, and of the start, which it is taken from.",
        "nothing",
        _decay,
        _needs_decay,
        proof=lambda examined: proofs.decay(examined.rule, examined.knobs),
    )
    yield Law(
        "idle",
        "A step with a gradient and a learning rate of zero changes no parameter: it may be taken to make the states.",
        "Ulps of the start.",
        "nothing",
        _idle,
        _needs_free_rate,
        proof=lambda examined: proofs.idle(examined.rule, examined.knobs),
    )


def _needs_decay(examined: Examined) -> str | None:
    if "weight_decay" not in examined.knobs:
        return "it has no weight decay"
    if not examined.starts:
        return "it takes no start"
    if not examined.knobs["weight_decay"] and "weight_decay" not in examined.free:
        return "its weight decay is zero"
    return None


def _needs_rest(examined: Examined) -> str | None:
    held = "weight_decay" not in examined.free and examined.knobs.get("weight_decay")
    return "its weight decay is held, and moves it" if held else None


def _needs_free_rate(examined: Examined) -> str | None:
    return None if "lr" in examined.free else "its learning rate is not free"


def _idle(examined: Examined, gradients: Array) -> Compared:
    start, changed = PLACE if examined.starts else 0.0, {"lr": 0.0}
    came = examined.ask(gradients, start, changed)
    return Compared(came, np.full(came.shape, start), start or 1.0, changed, start=start)


def _zero_gradient(examined: Examined, gradients: Array) -> Compared:
    start = PLACE if examined.starts else 0.0
    changed = {"weight_decay": 0.0} if "weight_decay" in examined.free else {}
    came = examined.ask(gradients, start, changed)
    return Compared(came, np.full(came.shape, start), start or 1.0, changed, start=start)


def _decay(examined: Examined, gradients: Array) -> Compared:
    changed = {name: value for name, value in LOUD.items() if name in examined.free and name in examined.knobs}
    came = examined.ask(gradients, PLACE, changed)
    factor = 1 - _decay_rate(examined, changed)
    expected = np.multiply.accumulate(np.full(came.shape, factor), axis=0) * PLACE
    # Beside the decay itself: a factor of 1 - 1e-5 that is not there at all must be seen.
    return Compared(came, expected, 1 - expected[-1], changed, start=PLACE)


def _decay_rate(examined: Examined, changed: dict[str, float]) -> float:
    """Ask the rule itself what one step without a gradient takes away."""
    return float(1 - predicted(examined, np.zeros((1, 1)), PLACE, changed)[0, 0] / PLACE)
