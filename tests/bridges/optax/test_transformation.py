"""A rule as a transformation: what it takes and gives, leaf by leaf."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import mhat
from mhat import rule, rules
from mhat.bridges.optax import RuleState, RuleTransformation, factory, transformation
from tests.bridges.optax.problems import GRADIENTS, PARAMS, apart, bits, kinds, run


def test_it_is_one_of_optax() -> None:
    tx = transformation(rules.adam, lr=0.1)
    assert isinstance(tx, optax.GradientTransformationExtraArgs) and isinstance(tx, RuleTransformation)
    assert tx.rules == {"adam": rules.adam}
    init, update = tx
    assert update(GRADIENTS[0], init(PARAMS))[1].count == 1


def test_optax_finds_count_and_states_by_name_wherever_they_lie() -> None:
    tx = optax.chain(optax.clip(1.0), optax.masked(transformation("adam"), {"w": True}))
    _, state = tx.update({"w": jnp.ones(2)}, tx.init({"w": jnp.ones(2)}))
    assert int(optax.tree.get(state, "count")) == 1
    np.testing.assert_allclose(optax.tree.get(state, "m")["w"], [0.1, 0.1], rtol=1e-6)
    moved = optax.tree.set(state, count=jnp.int32(7))
    assert int(optax.tree.get(moved, "count")) == 7


def test_the_bits_are_optax_s_where_it_computes_the_same() -> None:
    """Gradient descent, signs and momentum have no power of t: there is one way to round them."""
    for ours, theirs in (
        (transformation("sgd", lr=0.1), optax.sgd(0.1)),
        (transformation("signsgd", lr=0.1), optax.sign_sgd(0.1)),
        (transformation("momentum", lr=0.1, momentum=0.9), optax.sgd(0.1, 0.9)),
    ):
        assert bits(run(ours, jit=False)[0]) == bits(run(theirs, jit=False)[0])


@pytest.mark.parametrize("name", ["adam", "adamw", "lion", "adagrad"])
def test_without_params_where_x_is_only_added_to(name: str) -> None:
    tx = factory(name)()
    state = tx.init(PARAMS)
    if name in ("adamw", "lion"):
        with pytest.raises(mhat.errors.BadValue, match=f"{name} reads `x`, and update was given no parameters"):
            tx.update(GRADIENTS[0], state)
        return
    assert bits(tx.update(GRADIENTS[0], state)[0]) == bits(tx.update(GRADIENTS[0], state, PARAMS)[0])


def test_what_is_no_tensor_is_stepped_over() -> None:
    params = {"w": jnp.ones(2), "f": jnp.tanh, "i": jnp.arange(3), "s": "text", "n": None}
    gradients: Any = {"w": jnp.ones(2), "f": None, "i": None, "s": None, "n": None}
    tx = transformation("adamw", lr=0.5)
    state = tx.init(params)
    updates, after = tx.update(gradients, state, params)
    assert {name for name, value in updates.items() if value is not None} == {"w"}
    assert {name for name, value in after.states["m"].items() if value is not None} == {"w"}
    assert jax.tree.structure(after) == jax.tree.structure(state)
    # What jax.grad(allow_int=True) gives for whole numbers leaves them where they are.
    zeros = {**gradients, "i": np.zeros(3, jax.dtypes.float0)}
    assert tx.update(zeros, state, params)[0]["i"].tolist() == [0, 0, 0]


def test_without_a_gradient_a_parameter_and_its_state_stay() -> None:
    own = rule('def f(x, g, before="g", *, lr=0.1):\n    move = g - before\n    before = g\n    return x - lr * move')
    tx = transformation(own, lr=1.0)
    params = {"a": jnp.zeros(1), "b": jnp.zeros(1)}
    state = tx.init(params)
    updates, state = tx.update({"a": jnp.ones(1), "b": None}, state, params)
    assert updates["b"] is None and int(state.started["b"]) == 0
    # Its state begins with the first gradient that it sees, and not with the first step.
    updates, state = tx.update({"a": jnp.full(1, 3.0), "b": jnp.full(1, 5.0)}, state, params)
    assert (float(updates["a"][0]), float(updates["b"][0])) == (-2.0, 0.0)
    updates, _ = tx.update({"a": None, "b": jnp.full(1, 6.0)}, state, params)
    assert float(updates["b"][0]) == -1.0


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_small_parameters_have_float32_states_and_one_rounding(dtype: str) -> None:
    params, gradients = {"w": jnp.asarray([1.0, -3.0], dtype)}, {"w": jnp.asarray([0.1, 0.2], dtype)}
    tx = transformation("adam", lr=0.1)
    updates, state = tx.update(gradients, tx.init(params), params)
    assert str(updates["w"].dtype) == dtype and str(state.states["m"]["w"].dtype) == "float32"
    wide = {"w": gradients["w"].astype("float32")}
    expected, _ = tx.update(wide, tx.init(wide), wide)
    assert bits(updates["w"]) == bits(expected["w"].astype(dtype))
    # Gradients in float32 leave the rounding to apply_updates.
    mixed, _ = tx.update(wide, tx.init(params), params)
    assert str(mixed["w"].dtype) == "float32"
    assert str(optax.apply_updates(params, mixed)["w"].dtype) == dtype


def test_loss_and_h_are_further_arguments() -> None:
    polyak = rule("def polyak(x, g, loss): return x - loss / sum(g * g) * g")
    tx = optax.chain(optax.identity(), transformation(polyak))
    state = tx.init(PARAMS)
    for word in ("loss", "value"):
        updates, _ = jax.jit(tx.update)(GRADIENTS[0], state, PARAMS, **{word: jnp.float32(2.0)})
        g = np.asarray(GRADIENTS[0]["head"], dtype=float)
        np.testing.assert_allclose(updates["head"], -2.0 / np.sum(g * g) * g, rtol=1e-6)
    newton = transformation(rule("def newton(x, g, h): return x - g / h"))
    halves = jax.tree.map(lambda leaf: jnp.full_like(leaf, 2.0), PARAMS)
    updates, _ = newton.update(GRADIENTS[0], newton.init(PARAMS), h=halves)
    assert apart(updates, jax.tree.map(lambda leaf: -leaf / 2, GRADIENTS[0])) == 0.0
    # Others' arguments are let through.
    transformation("sgd").update(GRADIENTS[0], transformation("sgd").init(PARAMS), value=1.0, grad=None, value_fn=len)


def test_over_all_looks_at_the_whole_tree() -> None:
    own = rule('def f(x, g, *, lr=1.0): return x - lr * g / norm(g, over="all")')
    updates, _ = transformation(own).update(GRADIENTS[0], transformation(own).init(PARAMS))
    assert float(optax.tree.norm(updates)) == pytest.approx(1.0, rel=1e-6)


def test_several_rules_share_the_tree() -> None:
    tx = transformation({rules.muon: mhat.matrices, rules.adamw: mhat.rest}, knobs={"muon": {"lr": 0.02}}, eps=1e-7)
    state = tx.init(PARAMS)
    assert sorted(state) == ["adamw", "muon"] and sorted(tx.rules) == ["adamw", "muon"]
    updates, after = jax.jit(tx.update)(GRADIENTS[0], state, PARAMS)
    assert kinds(after) == kinds(state)
    vectors = {"layers": [None, PARAMS["layers"][1]], "head": None, "frozen": None}
    own = transformation("adamw", eps=1e-7)
    expected, _ = own.update({**vectors, "layers": [None, GRADIENTS[0]["layers"][1]]}, own.init(vectors), vectors)
    assert apart(updates["layers"][1], expected["layers"][1]) <= 1e-9
    alone = transformation("muon", lr=0.02)
    matrix, _ = alone.update(GRADIENTS[0]["head"], alone.init(PARAMS["head"]), PARAMS["head"])
    assert apart(updates["head"], matrix) <= 1e-7
    # By name and by a question too; the rest goes to nobody else.
    named = transformation({rules.sgd: ["head"], rules.adam: lambda name, leaf: name.startswith("layers")})
    assert named.init(PARAMS)["adam"].states["m"]["head"] is None


def test_parameters_to_evaluate_with() -> None:
    tx = transformation("schedule_free", lr=0.5)
    chained = optax.chain(optax.clip(1.0), tx)
    opt = mhat.Optimizer("schedule_free", [x := np.array([1.0, -2.0], "float32")], lr=0.5)
    params = jnp.asarray(x)
    state = chained.init(params)
    for g in ([0.5, 0.25], [-1.0, 0.5], [0.125, 1.0]):
        updates, state = chained.update(jnp.asarray(g), state, params)
        params = optax.apply_updates(params, updates)
        opt.step([np.array(g, "float32")])
    np.testing.assert_allclose(params, x, rtol=1e-6)
    np.testing.assert_allclose(tx.evaluation(state, params), opt.evaluation()[0], rtol=1e-6)
    assert not np.allclose(tx.evaluation(state, params), params)
    # A rule without averages is evaluated where it is, and masked parameters too.
    assert bits(transformation("adam").evaluation(None, PARAMS)) == bits(PARAMS)
    masked = optax.masked(tx, {"a": True, "b": False})
    pair = {"a": jnp.ones(2), "b": jnp.ones(2)}
    assert tx.evaluation(masked.init(pair), pair)["b"].tolist() == [1.0, 1.0]
    with pytest.raises(mhat.errors.BadValue, match="the state holds none of schedule_free"):
        tx.evaluation(optax.EmptyState(), params)


def test_training_is_differentiated_as_optax_is() -> None:
    start = jnp.array([1.0, -2.0, 0.5])

    def trained(make: Any, lr: Any, beta1: Any, x: Any) -> Any:
        tx = make(lr, beta1)

        def one(carried: Any, _: Any) -> Any:
            gradients = jax.grad(lambda x: jnp.sum(x**2) + x[0] ** 3 / 9)(carried[0])
            updates, state = tx.update(gradients, carried[1], carried[0])
            return (optax.apply_updates(carried[0], updates), state), None

        (x, _), _ = jax.lax.scan(one, (x, tx.init(x)), None, length=4)
        return jnp.sum(x**2)

    def ours(lr: Any, beta1: Any) -> Any:
        return transformation("adam", lr=lr, beta1=beta1)

    def theirs(lr: Any, beta1: Any) -> Any:
        return optax.adam(lr, b1=beta1)

    made, expected = (
        jax.grad(lambda *given, make=make: trained(make, *given), (0, 1, 2))(0.1, 0.9, start) for make in (ours, theirs)
    )
    for own, other in zip(made, expected, strict=True):
        np.testing.assert_allclose(own, other, rtol=2e-4, atol=1e-5)


def test_donated_buffers_are_the_state_s_own() -> None:
    tx = transformation("schedule_free")

    def step(params: Any, state: Any) -> Any:
        updates, state = tx.update(params, state, params)
        return optax.apply_updates(params, updates), state

    params = jnp.ones(4)
    # Its states begin as x: were they x itself, it would be given away twice.
    params, state = jax.jit(step, donate_argnums=(0, 1))(params, tx.init(params))
    assert np.all(np.isfinite(params)) and isinstance(state, RuleState)


def test_doubles_are_kept_where_jax_has_them() -> None:
    with jax.enable_x64(True):
        params = jnp.asarray([0.3, -0.7], "float64")
        tx = transformation("nadam")
        x, state = params, tx.init(params)
        for _ in range(3):
            updates, state = jax.jit(tx.update)(params, state, x)
            x = optax.apply_updates(x, updates)
        own, reference = np.array([0.3, -0.7]), None
        for t in range(1, 4):
            reference = mhat.step(rules.nadam, own, np.array([0.3, -0.7]), t, reference and reference.state)
            own = reference.x
        assert str(x.dtype) == "float64" and state.numbers["product"].dtype == "float64"
        np.testing.assert_allclose(np.asarray(x), own, rtol=1e-15)
