"""What optax asks of its own transformations, as relations between two ways to take the same steps.

`RELATIONS` lists each with what it asks. An exemption would be `{name: reason}`; there is none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import optax
import pytest

from mhat import rules
from mhat.bridges.optax import factory
from tests.bridges.optax.problems import GRADIENTS, PARAMS, apart, bits, kinds, run

# Per coordinate, per tensor, over all tensors, numbers as states, starts from the first gradient, averages.
NAMES = ["adam", "adamw", "adan", "lamb", "nadam", "prodigy", "schedule_free"]
ALL = [name if name in ("adam", "adan", "prodigy") else pytest.param(name, marks=pytest.mark.long) for name in NAMES]
# Where XLA joins a product and a sum it rounds once less: parameters of size 1, five steps.
ROUNDING = 1e-6


def jit_is_no_jit(make: Callable[..., Any]) -> None:
    """Compiled and not compiled it takes the same steps, but for products and sums that the compiler joins."""
    assert apart(run(make(), jit=True), run(make(), jit=False)) <= ROUNDING


def scan_is_a_loop(make: Callable[..., Any]) -> None:
    """Inside of lax.scan the state goes through as it is built, and comes out as from a loop."""
    tx = make()

    def one(carried: Any, gradient: Any) -> Any:
        updates, state = tx.update(gradient, carried[1], carried[0])
        return (optax.apply_updates(carried[0], updates), state), None

    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *GRADIENTS)
    made, _ = jax.lax.scan(one, (PARAMS, tx.init(PARAMS)), stacked)
    assert apart(made, run(tx)) <= ROUNDING


def state_keeps_its_kind(make: Callable[..., Any]) -> None:
    """Shapes, dtypes and weak types of the state are those of init after every step: nothing is compiled again."""
    tx, compiled = make(), []

    @jax.jit
    def update(gradients: Any, state: Any, params: Any) -> Any:
        compiled.append(1)
        return tx.update(gradients, state, params)

    state = tx.init(PARAMS)
    before = kinds(state)
    for gradient in GRADIENTS[:3]:
        updates, state = update(gradient, state, PARAMS)
        assert kinds(state) == before and kinds(updates) == kinds(gradient)
    assert compiled == [1]


def injected_is_plain(make: Callable[..., Any]) -> None:
    """inject_hyperparams, which puts knobs into arrays, gives the same bits."""
    plain, injected = run(make()), run(optax.inject_hyperparams(make)())
    assert bits(plain[0]) == bits(injected[0])
    assert bits(plain[1]) == bits(injected[1].inner_state)


def masked_leaves_the_rest(make: Callable[..., Any]) -> None:
    """masked steps what it is to, and hands the other gradients through."""
    mask = {"layers": [True, True], "head": False, "frozen": None}
    tx = optax.masked(make(), mask)
    state = tx.init(PARAMS)
    updates, _ = tx.update(GRADIENTS[0], state, PARAMS)
    assert bits(updates["head"]) == bits(GRADIENTS[0]["head"])
    alone, own = {"layers": PARAMS["layers"]}, make()
    expected, _ = own.update({"layers": GRADIENTS[0]["layers"]}, own.init(alone), alone)
    assert apart(updates["layers"], expected["layers"]) <= ROUNDING


def partition_is_each_alone(make: Callable[..., Any]) -> None:
    """Partition gives each part what its transformation gives alone."""
    labels = {"layers": ["ours", "ours"], "head": "theirs", "frozen": None}
    tx = optax.partition({"ours": make(), "theirs": optax.sgd(0.1)}, labels)
    params, _ = run(tx)
    own = run(make(), {"layers": PARAMS["layers"]}, [{"layers": g["layers"]} for g in GRADIENTS])[0]
    assert apart(params["layers"], own["layers"]) <= ROUNDING
    theirs = run(optax.sgd(0.1), PARAMS["head"], [g["head"] for g in GRADIENTS])[0]
    assert bits(params["head"]) == bits(theirs)


def chain_hands_on(make: Callable[..., Any]) -> None:
    """In a chain it gets what stands before and gives to what stands behind."""
    chained, _ = run(optax.chain(optax.scale(0.5), make(), optax.scale(1.0)))
    halved = jax.tree.map(lambda leaf: 0.5 * leaf, GRADIENTS)
    assert apart(chained, run(make(), gradients=halved)[0]) <= ROUNDING


def accumulated_is_the_mean(make: Callable[..., Any]) -> None:
    """MultiSteps takes a step by the mean of so many gradients, and none in between."""
    doubled = [gradient for gradient in GRADIENTS for _ in range(2)]
    params, state = run(optax.MultiSteps(make(), 2), gradients=doubled)
    assert apart(params, run(make())[0]) <= ROUNDING
    assert int(optax.tree.get(state.inner_opt_state, "count")) == len(GRADIENTS)


def what_is_not_finite_is_no_step(make: Callable[..., Any]) -> None:
    """apply_if_finite leaves state and parameters as they are where a gradient is NaN, to the bit."""
    tx = optax.apply_if_finite(make(), 3)
    broken = jax.tree.map(lambda leaf: leaf * jnp.nan, GRADIENTS[0])
    params, state = run(tx, gradients=[GRADIENTS[0], broken, *GRADIENTS[1:]])
    expected, own = run(tx)
    assert bits(params) == bits(expected) and bits(state.inner_state) == bits(own.inner_state)


def vmap_is_each_alone(make: Callable[..., Any]) -> None:
    """Mapped over several models it steps each as if it were alone."""
    tx, stacked = make(), jax.tree.map(lambda *leaves: jnp.stack(leaves), *GRADIENTS[:2])
    states = jax.vmap(tx.init)(stacked)
    updates, _ = jax.vmap(tx.update)(stacked, states, stacked)
    for i in range(2):
        alone, _ = tx.update(GRADIENTS[i], tx.init(GRADIENTS[i]), GRADIENTS[i])
        assert apart(jax.tree.map(lambda leaf, i=i: leaf[i], updates), alone) <= ROUNDING


def state_has_places_for_parameters(make: Callable[..., Any]) -> None:
    """tree_map_params finds what of the state is in the shape of the parameters, and leaves the rest."""
    tx = make()
    state = tx.init(PARAMS)
    moved = optax.tree.map_params(tx, lambda leaf: leaf + 1, state)
    assert int(moved.count) == 0 and kinds(moved.count) == kinds(state.count)
    for name, own in state.states.items():
        assert apart(moved.states[name], jax.tree.map(lambda leaf: leaf + 1, own)) == 0.0


RELATIONS = [
    jit_is_no_jit, scan_is_a_loop, state_keeps_its_kind, injected_is_plain, masked_leaves_the_rest,
    partition_is_each_alone, chain_hands_on, accumulated_is_the_mean, what_is_not_finite_is_no_step, vmap_is_each_alone,
    state_has_places_for_parameters,
]  # fmt: skip


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("relation", RELATIONS, ids=lambda relation: relation.__name__)
def test_relation(relation: Callable[[Callable[..., Any]], None], name: str) -> None:
    relation(factory(rules.named(name)))


def test_relations_are_seen_to_fail() -> None:
    def forgetful(lr: float = 1e-3) -> Any:
        """Forget that its state was a whole number."""

        def update(updates: Any, state: Any, params: Any = None) -> Any:
            return jax.tree.map(lambda g: -lr * (g + state), updates), state + 1.5

        return optax.GradientTransformation(lambda params: jnp.zeros([], jnp.int32), update)

    def known(lr: float = 1e-3) -> Any:
        return optax.sgd(lr if isinstance(lr, float) else lr * 1.0001)

    for relation, wrong in ((state_keeps_its_kind, forgetful), (injected_is_plain, known)):
        with pytest.raises((AssertionError, AttributeError)):
            relation(wrong)
