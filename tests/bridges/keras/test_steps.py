"""Steps of the Keras bridge against what rules mean: in every precision, compiled and not, for one rule and several."""

from __future__ import annotations

import numpy as np
import pytest

import mhat
from mhat import rules
from mhat.bridges.keras import Optimizer, optimizer_class
from mhat.bridges.keras.backends import keras
from mhat.errors import BadValue
from tests.bridges.keras.runs import JAX, MATRICES, SHAPES, array_of, drawn, furthest, meant, one_step, precision, taken
from tests.choices import VECTORS, often

# One of each kind: averages, a product over the steps, a start from x, a norm over the tensor, sums over all.
TELLING = ["adam", "adan", "lion", "nadam", "schedule_free", "lamb", "prodigy", "rprop"]
# {rule in a type: why it does not conform}
EXEMPT = {
    ("adafactor_vector", "float32"): "eps1**2 is 1e-60, which float32 has not: there is no maximum to take",
    ("prodigy", "float32"): "the long run of the check leaves the range of the type",
}
COMPILED = ["adam", "nadam", "schedule_free", "lamb", "prodigy", "muon"]


@pytest.mark.parametrize("name", ["adam", "nadam"] if JAX else TELLING)
def test_in_double_a_step_is_what_the_rule_means(name: str) -> None:
    with precision("float64"):
        starts, gradients = drawn(SHAPES, 6, "float64")
        ours = taken(Optimizer(name), starts, gradients, "float64")
    assert furthest(ours, meant(name, starts, gradients)) < 1e-13


@pytest.mark.skipif(not JAX, reason="torch compiles nothing here")
@pytest.mark.parametrize("name", COMPILED)
def test_jitted_steps_are_what_the_rule_means(name: str) -> None:
    with precision("float64"):
        starts, gradients = drawn(MATRICES if name == "muon" else SHAPES, 6, "float64")
        ours = taken(Optimizer(name), starts, gradients, "float64", compiled=True)
    assert furthest(ours, meant(name, starts, gradients)) < (1e-10 if name == "muon" else 1e-13)


@pytest.mark.skipif(not JAX, reason="torch compiles nothing here")
def test_powers_of_t_are_doubles_in_a_trace_that_has_none() -> None:
    """In float32 `1 - 0.999**t` would lose half of its digits."""
    starts, gradients = drawn([(5,)], 4, "float32")
    ours = taken(Optimizer("adam", learning_rate=0.5), starts, gradients, "float32", compiled=True)
    assert furthest(ours, meant("adam", starts, gradients, lr=0.5)) < 5e-7


@pytest.mark.parametrize("name", ["nadam"] if JAX else ["adam", "nadam", "lamb", "prodigy"])
def test_in_single_precision(name: str) -> None:
    starts, gradients = drawn(SHAPES, 6, "float32")
    rate = float(np.float32(rules.named(name).knobs["lr"]))
    ours, right = taken(Optimizer(name), starts, gradients, "float32"), meant(name, starts, gradients, lr=rate)
    assert furthest(ours, right) < 1e-6


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_small_variables_have_states_of_single_precision(dtype: str) -> None:
    """1000 + 1 is 1000 in bfloat16: an average there would stand still."""
    starts, gradients = drawn([(5,)], 8, "float32")
    optimizer = Optimizer("adam", learning_rate=0.25, fused=dtype == "bfloat16")
    ours = taken(optimizer, starts, gradients, dtype)
    assert {v.dtype for v in optimizer.variables[2:]} == {"float32"}
    assert furthest(ours, meant("adam", starts, gradients, lr=0.25)) < (0.005 if dtype == "float16" else 0.05)


@pytest.mark.parametrize("name", ["muon", "adafactor", "shampoo"])
@pytest.mark.skipif(JAX, reason="operations that are compiled one by one take long")
def test_rules_per_matrix(name: str) -> None:
    with precision("float64"):
        starts, gradients = drawn(MATRICES, 4, "float64")
        ours = taken(Optimizer(name), starts, gradients, "float64")
    assert furthest(ours, meant(name, starts, gradients)) < 1e-10


@pytest.mark.parametrize("name", often(VECTORS))
@pytest.mark.long
def test_the_check_passes(name: str) -> None:
    for dtype in ("float64", "float32"):
        verdict = mhat.check(optimizer_class(name), against=name, dtype=dtype)
        assert verdict.conforms == ((name, dtype) not in EXEMPT), verdict
        assert verdict.dialect is None


def test_the_check_passes_for_one() -> None:
    verdict = mhat.check(optimizer_class("adamw"), against="adamw")
    assert verdict.conforms and verdict.dialect is None


def test_rules_of_the_users_own() -> None:
    def mine(x, g, m=0, *, lr=0.1, beta1=0.9):  # type: ignore[no-untyped-def]
        m = beta1 * m + g
        return x - lr * m

    starts, gradients = drawn(SHAPES, 3, "float32")
    ours = taken(Optimizer(mhat.rule(mine), lr=0.5), starts, gradients, "float32")
    assert furthest(ours, meant(mhat.rule(mine), starts, gradients, lr=0.5)) < 1e-6


def test_several_rules_share_the_variables_out() -> None:
    starts, gradients = drawn([(4, 3), (3,)], 4, "float32")
    optimizer = Optimizer(
        {"muon": mhat.matrices, "adam": mhat.rest}, knobs={"muon": {"lr": 0.125}, "adam": {"lr": 0.5}}
    )
    first, second = taken(optimizer, starts, gradients, "float32")
    assert furthest([first], meant("muon", starts[:1], gradients[:1], lr=0.125)) < 1e-5
    assert furthest([second], meant("adam", starts[1:], gradients[1:], lr=0.5)) < 1e-6
    assert optimizer.knobs["muon"]["lr"] == 0.125
    optimizer.knobs["adam"]["lr"] = 0.25
    assert optimizer.knobs["adam"]["lr"] == 0.25
    with pytest.raises(BadValue, match="each rule has a learning rate of its own"):
        optimizer.learning_rate = 0.1


def test_weights_can_be_kept_from_the_decay_of_a_rule() -> None:
    starts, gradients = drawn([(4,), (4,)], 3, "float32")
    optimizer = Optimizer("adamw", learning_rate=0.5, weight_decay=0.25)
    kept = [keras.Variable(start, name=name) for start, name in zip(starts, ("kernel", "bias"), strict=True)]
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(kept)
    for i in range(3):
        optimizer.apply([keras.ops.convert_to_tensor(g[i]) for g in gradients], kept)
    for decay, variable, start, own in zip((0.25, 0.0), kept, starts, gradients, strict=True):
        (right,) = meant("adamw", [start], [own], lr=0.5, weight_decay=decay)
        assert furthest([array_of(variable)], [right[-1]]) < 1e-6


def test_a_rule_without_decay_has_that_of_keras() -> None:
    after = one_step(Optimizer("sgd", learning_rate=0.5, weight_decay=0.5), [4.0], [1.0])
    assert after.tolist() == [4.0 - 4.0 * 0.25 - 0.5]


def test_with_a_gradient_missing_the_others_move() -> None:
    optimizer, variables = Optimizer("adam"), [keras.Variable(np.ones(2, "float32")) for _ in range(2)]
    with pytest.warns(UserWarning, match="Gradients do not exist"):
        optimizer.apply([None, keras.ops.ones(2)], variables)
    assert array_of(variables[0]).tolist() == [1.0, 1.0]
    assert (array_of(variables[1]) < 1.0).all()


def test_a_gradient_may_be_the_memory_of_the_variable() -> None:
    variable = keras.Variable(np.array([1.0, 2.0], "float32"))
    Optimizer("sgd", learning_rate=0.5).apply([variable.value], [variable])
    assert array_of(variable).tolist() == [0.5, 1.0]


def test_not_a_number_moves_what_it_is_in_and_nothing_else() -> None:
    after = one_step(Optimizer("adam", learning_rate=0.5), [1.0, 1.0], [np.nan, 1.0])
    assert np.isnan(after[0])
    assert abs(after[1] - 0.5) < 1e-6


@pytest.mark.skipif(JAX, reason="kernels step torch's memory")
@pytest.mark.parametrize("name", ["adam", "nadam", "lamb", "dog"])
def test_the_kernel_and_the_arrays_agree(name: str) -> None:
    starts, gradients = drawn(SHAPES, 5, "float32")
    fused, plain = Optimizer(name, fused=True), Optimizer(name, fused=False)
    by_kernel, on_arrays = (taken(optimizer, starts, gradients, "float32") for optimizer in (fused, plain))
    assert furthest(by_kernel, on_arrays) < 1e-6
    assert fused._shares[0].kernels is not None and plain._shares[0].kernels is None


@pytest.mark.skipif(JAX, reason="kernels step torch's memory")
def test_kernels_follow_variables_that_are_moved() -> None:
    """Whoever loads weights may put others in their place."""
    variable, optimizer = keras.Variable(np.zeros(3, "float32")), Optimizer("sgd", learning_rate=1.0)
    gradient = keras.ops.ones((3,))
    optimizer.apply([gradient], [variable])
    variable.value.data = variable.value.data.clone()
    optimizer.apply([gradient], [variable])
    assert array_of(variable).tolist() == [-2.0] * 3
    strided = keras.ops.ones((6,))[::2]
    optimizer.apply([strided], [variable])
    assert array_of(variable).tolist() == [-3.0] * 3


def test_what_is_evaluated_is_what_the_rule_says() -> None:
    starts, gradients = drawn([(4,)], 5, "float32")
    variable, optimizer = keras.Variable(starts[0]), Optimizer("schedule_free", learning_rate=0.5)
    with pytest.raises(BadValue, match="the optimizer is not built yet"):
        optimizer.evaluation()
    weights = np.array(starts[0])
    plain = mhat.Optimizer("schedule_free", weights, lr=0.5)
    for i in range(5):
        optimizer.apply([keras.ops.convert_to_tensor(gradients[0][i])], [variable])
        plain.step(gradients[0][i])
    training = array_of(variable)
    with optimizer.evaluating():
        assert np.abs(array_of(variable) - plain.evaluation()).max() < 1e-6
        assert not np.array_equal(array_of(variable), training)
    assert np.array_equal(array_of(variable), training)
