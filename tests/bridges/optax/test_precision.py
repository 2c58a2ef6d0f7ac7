"""Numbers of the step without doubles switched on: how near to the float interpreter, and how near optax's own are."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from mhat import rules, step
from mhat.bridges.optax import transformation
from tests.bridges.optax.problems import run

# Of the factor that corrects the averages, in ulps of float32: the power, its difference from 1 and the quotient are
# doubles or rounded once; the rest of the step rounds six times.
BOUND = 8.0
STEPS = [1, 2, 10, 1000, 100_000]
BETAS = [(0.9, 0.999), (0.9, 0.99999), (0.99, 0.9999)]


def corrected(beta1: float, beta2: float, t: int) -> float:
    """Compute Adam's ratio at step t, where m and v are 0.5 after the step, in rational numbers but for the root."""
    first, second = (1 - Fraction(beta) ** t for beta in (beta1, beta2))
    return float(Fraction(1, 2) / first) / float(np.sqrt(np.longdouble(float(Fraction(1, 2) / second))))


def ratio(tx: Any, names: tuple[str, str], t: int) -> float:
    """Let a transformation with lr=1 take step t with averages of 0.5."""
    x = jnp.zeros(1)
    state = tx.init(x)
    state = optax.tree.set(state, count=jnp.int32(t - 1), **{name: jnp.full(1, 0.5) for name in names})
    # With this gradient both averages stay: g = m, and g**2 = v needs g = sqrt(0.5), so v is taken from the state.
    updates, after = tx.update(jnp.full(1, 0.5), state, x)
    m, v = (float(optax.tree.get(after, name)[0]) for name in names)
    # What the update would be, had the averages been 0.5 to the last bit.
    return float(-updates[0]) / (m / 0.5) * (v / 0.5) ** 0.5


@pytest.mark.parametrize("betas", BETAS, ids=str)
def test_the_correction_is_nearer_than_that_of_optax(betas: tuple[float, float]) -> None:
    beta1, beta2 = betas
    errors: dict[str, list[float]] = {"ours": [], "theirs": []}
    for t in STEPS:
        expected = corrected(beta1, beta2, t)
        ours = ratio(transformation("adam", lr=1.0, beta1=beta1, beta2=beta2, eps=0.0), ("m", "v"), t)
        theirs = ratio(optax.adam(1.0, beta1, beta2, eps=0.0), ("mu", "nu"), t)
        for name, got in (("ours", ours), ("theirs", theirs)):
            errors[name].append(abs(got - expected) / expected / 2.0**-23)
    assert max(errors["ours"]) <= BOUND
    assert max(errors["theirs"]) > 10 * max(errors["ours"])


def test_the_count_is_exact_as_far_as_it_goes() -> None:
    tx = transformation("def late(x, g, t): return x - t / 2**10")
    state = tx.init(jnp.zeros(1))._replace(count=jnp.int32(2**24 + 1))
    # float32 has no 2**24 + 1; the number of the step is rounded once, after it was divided.
    updates, after = tx.update(jnp.zeros(1), state)
    assert float(updates[0]) == -float(np.float32((2**24 + 2) / 2**10)) and int(after.count) == 2**24 + 2
    last = state._replace(count=jnp.int32(2**31 - 1))
    assert int(tx.update(jnp.zeros(1), last)[1].count) == 2**31 - 1


# Six roundings a line, five steps; what differences of near numbers lose is the rule's own, and not asked here.
@pytest.mark.parametrize("name", ["adam", "adamw", "amsgrad", "lamb", "lion", "nadam", "radam", "yogi"])
def test_every_step_is_that_of_the_float_interpreter(name: str) -> None:
    own, start = rules.named(name), np.linspace(-2.0, 2.0, 6)
    gradients = np.random.default_rng(8).normal(size=(5, 6))
    made, _ = run(transformation(own), jnp.asarray(start, "float32"), [jnp.asarray(g, "float32") for g in gradients])
    x, state = start.astype("float32").astype(float), None
    for t, g in enumerate(gradients, 1):
        stepped = step(own, x, g.astype("float32").astype(float), t, state)
        x, state = stepped.x, stepped.state
    # An ulp of the parameter a step, and the update to 32 ulps of its own.
    bound = 5 * 2.0**-23 * np.abs(start) + 32 * 2.0**-23 * np.abs(x - start) + 1e-9
    assert np.all(np.abs(np.asarray(made, dtype=float) - x) <= bound)


def test_numbers_that_are_carried_have_48_bits() -> None:
    own = transformation("def f(x, g, p=1, *, c=0.999):\n    p = p * c\n    return x - (1 - p)")
    state = own.init(jnp.zeros(1))

    def one(state: Any, _: Any) -> Any:
        return own.update(jnp.zeros(1), state)[1], None

    state, _ = jax.lax.scan(one, state, None, length=1000)
    parts = np.asarray(state.numbers["p"], dtype=float)
    assert parts.shape == (2,) and abs(parts.sum() / 0.999**1000 - 1) < 1000 * 2.0**-47
