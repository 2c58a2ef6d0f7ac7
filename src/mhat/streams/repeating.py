"""Streams that repeat themselves: alternating, sine, cycle. They know no chance."""

from __future__ import annotations

import math

import numpy as np

from mhat.notation import count_steps, number, positive
from mhat.streams.stream import Stream, made


def alternating(value: float = 1.0, *, steps: int = 100) -> Stream:
    """A gradient that changes its sign at every step: value, -value, value, ...

    Teaches what momentum is for: this is how the gradient looks across a narrow valley, and the first moment averages
    it away while the second does not, so Adam hardly moves where SGD jumps to and fro.

    Shape (steps,).

    >>> alternating(2, steps=4).values
    array([ 2., -2.,  2., -2.])
    """
    value, steps = number("value", value), count_steps(steps)
    values = np.where(np.arange(steps) % 2 == 0, value, -value)
    return made(alternating, values, value=value, steps=steps)


def sine(period: float = 20.0, amplitude: float = 1.0, *, steps: int = 100) -> Stream:
    """A gradient that swings with a period counted in steps.

    Teaches that an average is a low-pass filter: slow swings (period over 2 pi / (1 - beta1), 63 steps) come through
    the first moment, fast ones are damped and late.

    Shape (steps,); the swing starts at 0. The period is a finite number above zero.

    >>> sine(4, steps=5).values.round(12) + 0
    array([ 0.,  1.,  0., -1.,  0.])
    """
    period, amplitude, steps = positive("period", period), number("amplitude", amplitude), count_steps(steps)
    phases = (2 * math.pi * (math.fmod(step, period) / period) for step in range(steps))
    swing = np.fromiter(map(math.sin, phases), np.float64, steps)  # math: NumPy's sine depends on the processor
    with np.errstate(all="ignore"):
        values = amplitude * swing
    return made(sine, values, period=period, amplitude=amplitude, steps=steps)


def cycle(*values: float, steps: int = 100) -> Stream:
    """The given gradients, over and over.

    Teaches that the mean is not all. `cycle(3, -1, -1)`, the counter-example of Reddi et al. (arXiv:1904.09237), has
    a positive mean, so the parameter should fall; RMSProp with rho=0.1, and Adam with beta1=0 and beta2=0.1, weigh the
    rare 3 down, and let it rise. With a longer memory they let it fall.

    Shape (steps,). Without values: 3, -1, -1.

    >>> cycle(3, -1, -1, steps=5).values
    array([ 3., -1., -1.,  3., -1.])
    """
    checked, steps = tuple(number("value", value) for value in values or (3, -1, -1)), count_steps(steps)
    return made(cycle, np.resize(np.array(checked), steps), values=checked, steps=steps)
