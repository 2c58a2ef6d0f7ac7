"""A rule whose names mean something else in the languages that it is written in. It knows no test."""

from __future__ import annotations

from mhat.language import rule

ODD = rule(
    "def odd(x, g, state=0, double=0, shape=0, *, group=0.5, match=0.1, np=2, fn=3, power=2.5):\n"
    "    state = group * state + abs(g)**power\n    double = double + state\n    shape = shape + double * np\n"
    "    return x - match * maximum(shape, power) * fn"
)
