"""What is added to x, as a rule: by its text, and by what it gives."""

from __future__ import annotations

import numpy as np
import pytest

from mhat import rule, rules, step
from mhat.exports.displacements import displacement
from mhat.language import Level
from tests.choices import OFTEN, VECTORS


def body(text: str) -> list[str]:
    """Print the lines of what is added, for a rule of these lines."""
    lines = "\n".join(f"    {line}" for line in text.split("; "))
    made = displacement(rule(f"def f(x, g, t, m=0, *, lr=0.1, c=0.5):\n{lines}")).rule
    return [line.strip() for line in str(made).splitlines()[1:]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("return x - lr * g", ["return -(lr * g)"]),
        ("return lr * g + x", ["return lr * g"]),
        ("return x - lr * m - c * x", ["return -(lr * m) - c * x"]),
        ("return (1 - lr * c) * x - g", ["return -(lr * c * x) - g"]),
        ("return x * (1 - c)", ["return -(c * x)"]),
        ("return (x - lr * g) / (1 + c)", ["return (-(lr * g) - c * x) / (1 + c)"]),
        ("return x", ["return 0"]),
        ("return m", ["return m - x"]),
        ("return c * x", ["return c * x - x"]),
        ("return x - g if t > 1 else m", ["return -g if t > 1 else m - x"]),
        ("x = x - c * x; return x - lr * g",
         ["x_moved = -(c * x)", "return x_moved - lr * g"]),
        ("y = x - g; x = m; return y", ["y_moved = -g", "return y_moved"]),
        ("x = m; return x - g", ["x_before = x", "x = m", "return x - g - x_before"]),
        ("far = x - g; m = far; return x - m", ["far = x - g", "m = far", "return -m"]),
    ],
)  # fmt: skip
def test_what_is_added_stands_as_it_is_written(text: str, expected: list[str]) -> None:
    # Lines that nothing is made of are left out.
    assert body(text) == expected


def test_whether_x_is_looked_at() -> None:
    assert not displacement(rules.adam).reads_x
    assert displacement(rules.adamw).reads_x
    assert displacement(rules.adan).late == ("g_last",)
    # Its states begin where x is, which is known before the first step.
    assert displacement(rules.schedule_free).late == ()


@pytest.mark.parametrize("name", [name for name in VECTORS if name in OFTEN])
def test_added_to_x_it_is_the_new_x(name: str) -> None:
    own = rules.named(name)
    moving = displacement(own).rule
    assert moving.level is not Level.MATRIX and moving.tree.states == own.tree.states
    generator = np.random.default_rng(3)
    x, state = generator.normal(size=4), None
    for t in range(1, 4):
        g = generator.normal(size=4)
        expected, added = step(own, x, g, t, state), step(moving, x, g, t, state)
        np.testing.assert_allclose(x + added.x, expected.x, rtol=0, atol=4e-15)
        assert all(np.array_equal(added.state[part], expected.state[part]) for part in expected.state)
        x, state = expected.x, expected.state
