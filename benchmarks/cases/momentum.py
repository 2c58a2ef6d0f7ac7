"""Momentum and Nesterov's: the velocity's weight, its place, its sign and its start."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.cases.case import Collection
from benchmarks.cases.claims import edited
from benchmarks.cases.loops import Array

CASES = Collection()


@CASES.correct("more-ok-momentum-inside", "momentum", lr=0.05)
def rate_inside(x: Array, g: Array, velocity: Array = 0.0) -> Any:
    """Right: lr and the sign are part of the velocity."""
    velocity = 0.9 * velocity - 0.05 * g
    return x + velocity, velocity


@CASES.correct("more-ok-nesterov-sutskever", "nesterov", lr=0.01)
def previous_velocity(x: Array, dx: Array, v: Array = 0.0) -> Any:
    """Right: the form with the velocity from before and after, -mu v_prev + (1 + mu) v."""
    v_prev = v
    v = 0.9 * v - 0.01 * dx
    return x - 0.9 * v_prev + (1 + 0.9) * v, v


@CASES.variant(
    "more-momentum-dampened", "momentum", edited("momentum", ("velocity + g", "velocity + (1 - momentum) * g")), lr=0.1
)
def average_momentum(x: Array, g: Array, velocity: Array = 0.0) -> Any:
    """The velocity is an average: the gradient enters with 1 - momentum."""
    velocity += (1 - 0.9) * (g - velocity)
    x -= 0.1 * velocity
    return x, velocity


@CASES.bug(
    "more-momentum-twice", "momentum", edited("momentum", ("lr * velocity", "lr * momentum * velocity")), lr=0.01
)
def momentum_applied_twice(x: Array, dx: Array, v: Array = 0.0) -> Any:
    """The new velocity is multiplied by the momentum once more on its way to the parameter."""
    v = 0.9 * v - 0.01 * dx
    return x + 0.9 * v, v


@CASES.bug(
    "more-momentum-restart",
    "momentum",
    edited(
        "momentum",
        ("(x, g, vel", "(x, g, t, vel"),
        ("momentum * velocity", "(0 if t % 7 == 1 else momentum) * velocity"),
    ),
    lr=0.01,
)
def restarted_momentum(p: Array, g: Array, t: int, velocity: Array = 0.0) -> Any:
    """The velocities are made anew at the start of each epoch of seven batches."""
    velocity = 0.9 * (0 if t % 7 == 1 else velocity) + g
    return p - 0.01 * velocity, velocity


@CASES.bug(
    "more-momentum-three",
    "momentum",
    """\
def momentum(x, g, velocity=0, *, lr=1e-2, momentum=0.9):
    g = g + 0.1 * x
    velocity = momentum * velocity + (1 - momentum) * g
    velocity = clip(velocity, -0.5, 0.5)
    return x - lr * velocity
""",
    3,
    lr=0.05,
)
def cautious_engineer(w: Array, g: Array, v: Array = 0.0) -> Any:
    """An L2 term is left in, the velocity is an average, and what is clipped is stored."""
    g = g + 0.1 * w
    v = np.clip(0.9 * v + (1 - 0.9) * g, -0.5, 0.5)
    return w - 0.05 * v, v


@CASES.bug(
    "more-nesterov-old-velocity",
    "nesterov",
    """\
def nesterov(x, g, velocity=0, *, lr=1e-2, momentum=0.9):
    ratio = g + momentum * velocity
    velocity = momentum * velocity + g
    return x - lr * ratio
""",
    lr=0.01,
)
def not_quite_nesterov(x: Array, g: Array, v: Array = 0.0) -> Any:
    """The look-ahead uses the velocity from before this gradient, which makes it plain momentum."""
    v_prev = v
    v = 0.9 * v + g
    return x - 0.01 * (g + 0.9 * v_prev), v


@CASES.bug(
    "more-nesterov-squared",
    "nesterov",
    edited("nesterov", ("g + momentum * velocity\n    return", "g + momentum ** 2 * velocity\n    return")),
    lr=0.02,
)
def nesterov_squared(x: Array, g: Array, v: Array = 0.0) -> Any:
    """The look-ahead weighs the new velocity with momentum squared, as the old one should be."""
    v = 0.9 * v - 0.02 * g
    return x + 0.9**2 * v - 0.02 * g, v


@CASES.bug(
    "more-nesterov-two",
    "nesterov",
    edited("nesterov", ("(x, g, vel", "(x, g, t, vel"), ("ratio = g + ", "ratio = "), ("lr * ratio", "lr / t * ratio")),
    2,
    lr=0.1,
)
def nesterov_with_schedule(w: Array, g: Array, t: int, u: Array = 0.0) -> Any:
    """The gradient itself is missing from the look-ahead, and lr falls with 1 / t unasked."""
    u = 0.9 * u + g
    return w - 0.1 / t * 0.9 * u, u
