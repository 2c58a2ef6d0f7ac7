"""Models as people have them: Equinox, with functions among the leaves, and the nnx of Flax."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax

from mhat.bridges.optax import transformation

INPUTS = jax.random.normal(jax.random.PRNGKey(1), (32, 2))
TARGETS = INPUTS[:, :1] * INPUTS[:, 1:]
STEPS = 8


def test_equinox_trains_as_with_optax() -> None:
    import equinox

    @equinox.filter_value_and_grad
    def loss(model: Any) -> Any:
        return jnp.mean((jax.vmap(model)(INPUTS) - TARGETS) ** 2)

    def losses(tx: Any, whole: bool) -> list[float]:
        model = equinox.nn.MLP(2, 1, 8, 2, key=jax.random.PRNGKey(0))
        state = tx.init(model if whole else equinox.filter(model, equinox.is_inexact_array))

        @equinox.filter_jit
        def step(model: Any, state: Any) -> Any:
            value, gradients = loss(model)
            # With functions among the parameters, where it is the whole model.
            params = model if whole else equinox.filter(model, equinox.is_inexact_array)
            updates, state = tx.update(gradients, state, params)
            return equinox.apply_updates(model, updates), state, value

        made = []
        for _ in range(STEPS):
            model, state, value = step(model, state)
            made.append(float(value))
        return made

    ours = losses(transformation("adamw", lr=1e-2, weight_decay=1e-4), whole=True)
    theirs = losses(optax.adamw(1e-2, weight_decay=1e-4), whole=False)
    assert ours[-1] < ours[0] and max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) < 1e-5


def test_flax_nnx_trains_as_with_optax() -> None:
    from flax import nnx

    class Net(nnx.Module):
        def __init__(self, rngs: Any) -> None:
            self.first = nnx.Linear(2, 8, rngs=rngs)
            self.last = nnx.Linear(8, 1, rngs=rngs)

        def __call__(self, x: Any) -> Any:
            return self.last(jnp.tanh(self.first(x)))

    @nnx.jit
    def train(net: Any, optimizer: Any) -> Any:
        value, gradients = nnx.value_and_grad(lambda net: jnp.mean((net(INPUTS) - TARGETS) ** 2))(net)
        optimizer.update(net, gradients)
        return value

    def losses(tx: Any) -> list[float]:
        net = Net(nnx.Rngs(0))
        optimizer = nnx.Optimizer(net, tx, wrt=nnx.Param)
        return [float(train(net, optimizer)) for _ in range(STEPS)]

    ours, theirs = losses(transformation("adam", lr=1e-2)), losses(optax.adam(1e-2))
    assert ours[-1] < ours[0] and max(abs(a - b) for a, b in zip(ours, theirs, strict=True)) < 1e-5
