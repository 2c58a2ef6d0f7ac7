"""Training in small: logistic regression. It knows no rule."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mhat.landscapes.landscape import Array, Landscape, joined, made, summed
from mhat.notation import positive, whole

_SAMPLES = 40
_DECAY = 0.01


def logistic(batch: int | None = None, scale: float = 5.0, seed: int = 0) -> Landscape:
    """Logistic regression with two weights on 40 seeded samples; the second feature is `scale` times the first.

    The loss is the mean over all samples, plus 0.005 times the squared weights. The gradient is that of all samples or,
    with `batch`, of the next so many at every step, round and round.

    >>> bool(logistic().value([1.0, 0.0]) < logistic().value([0.0, 0.0]))
    True
    """
    batch = None if batch is None else whole("batch", batch, least=1, most=_SAMPLES)
    scale, seed = positive("scale", scale), whole("seed", seed)
    samples = _samples(scale, seed)
    lowest = _newton(samples)

    def height(x: Array) -> Array:
        losses: Array = np.asarray(np.logaddexp(0, -_margins(x, samples)))
        return summed(losses) / _SAMPLES + 0.5 * _DECAY * summed(x * x)

    def slope(x: Array, t: int) -> Array:
        chosen = samples if batch is None else samples[(np.arange(batch) + (t - 1) * batch) % _SAMPLES]
        weights = _sigmoid(-_margins(x, chosen)) / len(chosen)
        first, second = chosen.T.astype(x.dtype)
        return _DECAY * x - joined(summed(weights * first), summed(weights * second))

    return made(
        logistic,
        {"batch": batch, "scale": scale, "seed": seed},
        height=height,
        slope=slope,
        minimum=((float(lowest[0]), float(lowest[1])),),
        minimum_value=float(height(lowest)),
        start=(0.0, 0.0),
        window=tuple((min(0.0, float(each)) - 2.0, max(0.0, float(each)) + 2.0) for each in lowest),
        lesson="Features of different scale make a ravine out of an easy problem. Adam undoes the scale; with small "
        "batches (`batch=4`) it shows how noise turns arriving into hovering.",
    )


def _samples(scale: float, seed: int) -> NDArray[np.float64]:
    """Return features times labels, which is all that the loss depends on."""
    generator = np.random.Generator(np.random.PCG64(seed))
    features = generator.standard_normal((_SAMPLES, 2))
    labels = np.where(1.5 * features[:, 0] + features[:, 1] + generator.standard_normal(_SAMPLES) > 0, 1.0, -1.0)
    signed: NDArray[np.float64] = features * [1.0, scale] * labels[:, None]
    return signed


def _margins(x: Array, samples: NDArray[np.float64]) -> Array:
    """Return the margin of each sample; without `@`, whose rounding depends on how many points there are."""
    first, second = samples.T.astype(x.dtype)
    return np.asarray(x[..., :1] * first + x[..., 1:] * second)


def _sigmoid(x: Array) -> Array:
    return np.asarray(0.5 * (1 + np.tanh(0.5 * x)))


def _newton(samples: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the lowest point; the loss is strictly convex, so a step that is halved until it descends arrives."""
    x = np.zeros(2)

    def loss(point: NDArray[np.float64]) -> float:
        return float(np.logaddexp(0, -(samples @ point)).mean() + 0.5 * _DECAY * (point @ point))

    for _ in range(60):
        weights = _sigmoid(-(samples @ x))
        gradient = -(weights @ samples) / _SAMPLES + _DECAY * x
        curvature = (samples.T * (weights * (1 - weights))) @ samples / _SAMPLES + _DECAY * np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        while loss(x - step) > loss(x) and np.abs(step).max() > 1e-9:
            step = step / 2
        x = x - step
    return x
