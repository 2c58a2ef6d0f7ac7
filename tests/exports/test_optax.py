"""Exported transformations of optax: the examples in them run, they are the rule, and good citizens."""

from __future__ import annotations

import doctest
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import mhat
from mhat import rules
from mhat.errors import BadValue
from mhat.exports import EXPORTS, export
from mhat.language import Level, rule
from mhat.names import find_rule
from tests.choices import often
from tests.exports.modules import module_of

ALL = [name for name in rules.names() if EXPORTS["optax"].lacking(rules.named(name)) is None]
MODIFIED = ["cautious(adam)", "lookahead(adam)", "skip_outliers(adam)"]
FEW = ["adam", "adagc", "muon", "nadam", "prodigy", "lamb", "schedule_free", "radam"]


@pytest.mark.parametrize("name", [*often(ALL), *MODIFIED])
def test_the_first_steps_in_the_docstring_are_those_of_the_function(name: str) -> None:
    with module_of(find_rule(name), "optax") as module:
        result = doctest.testmod(module)
    assert result.attempted >= 1
    assert result.failed == 0


@pytest.mark.parametrize("name", [*(name for name in ALL if name in FEW), *MODIFIED])
def test_it_moves_two_tensors_as_the_rule_does_and_compiles_once(name: str) -> None:
    made = find_rule(name)
    shape = (3, 4) if made.level is Level.MATRIX else (5,)
    chance = np.random.default_rng(1)
    starts = [chance.normal(size=shape) for _ in range(2)]
    traced = []
    with jax.enable_x64(True), module_of(made, "optax") as module:
        transformation = getattr(module, made.name)()

        @jax.jit
        def step(params: Any, state: Any, gradients: Any) -> Any:
            traced.append(1)
            updates, state = transformation.update(gradients, state, params)
            return optax.apply_updates(params, updates), state

        params = [jnp.asarray(start) for start in starts]
        state, xs, carried = transformation.init(params), starts, None
        for i in range(12):
            gs = [chance.normal(size=shape) for _ in starts]
            taken = mhat.step(made, xs, gs, i + 1, carried)
            xs, carried = taken.x, taken.state
            params, state = step(params, state, [jnp.asarray(g) for g in gs])
        for x, start, own in zip(xs, starts, params, strict=True):
            assert np.abs(np.asarray(own) - x).max() <= np.abs(np.asarray(x) - start).max() * 1e-9
    assert traced == [1]
    assert int(optax.tree.get(state, "count")) == 12


def test_it_is_a_citizen() -> None:
    params = {"w": jnp.ones((2, 2)), "b": None}
    with module_of(rules.adam, "optax") as module:
        injected = optax.inject_hyperparams(module.adam)(lr=optax.linear_schedule(0.1, 0.0, 10))
        updates, state = injected.update(params, injected.init(params), params)
        np.testing.assert_allclose(updates["w"], -0.1, rtol=1e-5)
        assert float(state.hyperparams["beta2"]) == pytest.approx(0.999)
        small = jnp.ones(2, jnp.bfloat16)
        updates, state = module.adam().update(small, module.adam().init(small))
        assert updates.dtype == state.m.dtype == jnp.bfloat16
        chained = optax.chain(optax.clip_by_global_norm(1.0), optax.masked(module.adam(), {"w": True, "b": False}))
        assert chained.update(params, chained.init(params), params)[0]["b"] is None


def test_kernels_of_more_dimensions_are_seen_as_the_rule_says() -> None:
    kernel = jnp.asarray(np.random.default_rng(3).normal(size=(3, 2, 2)), "float32")
    taken = mhat.step(rules.muon, np.asarray(kernel), np.asarray(kernel), 1)
    with module_of(rules.muon, "optax") as module:
        updates, state = module.muon().update(kernel, module.muon().init(kernel), kernel)
        np.testing.assert_allclose(kernel + updates, taken.x, rtol=0, atol=3e-4)
        assert updates.shape == (3, 2, 2)
        assert module.muon().update(kernel, state, kernel)[0].shape == (3, 2, 2)


def test_the_parameters_to_evaluate_with_are_in_the_state() -> None:
    params = jnp.asarray([1.0, -2.0])
    with module_of(rules.schedule_free, "optax") as module:
        transformation = module.schedule_free()
        state = transformation.init(params)
        for _ in range(3):
            updates, state = transformation.update(jnp.ones(2), state, params)
            params = optax.apply_updates(params, updates)
    assert state.x_eval.shape == (2,) and not np.allclose(state.x_eval, params)


def test_a_loss_is_given_as_optax_calls_it() -> None:
    with module_of(rule("def polyak(x, g, loss): return x - loss / sum(g * g) * g"), "optax") as module:
        chained = optax.chain(optax.identity(), module.polyak())
        updates, _ = chained.update(jnp.ones(4), chained.init(jnp.ones(4)), jnp.ones(4), value=2.0, other=1)
    assert updates.tolist() == [-0.5] * 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("def f(x, g, h): return x - g / h", "it reads `h`, and a transformation of optax is given gradients alone"),
        ("def f(x, g, k): return x - g / k", "it reads `k`, which tensor it is or how many there are"),
        ('def f(x, g, d=\'norm(g, over="all")\'): return x - g / d',
         "a state begins with a reduction over all tensors"),
        ("def f(x, g, t):\n    c = t\n    y = c * g\n    c = c + 1\n    return x - c * y",
         "it changes a number of the step after it was used"),
    ],
)  # fmt: skip
def test_what_no_file_of_optax_says(text: str, said: str) -> None:
    with pytest.raises(BadValue) as caught:
        export(rule(text), "optax")
    assert f"f cannot be written in optax: {said}" in str(caught.value)
