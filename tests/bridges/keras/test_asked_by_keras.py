"""What Keras asks of its own optimizers, in our words, asked of ours: each test's docstring says what is asked.

`ASKED` lists the tests of Keras by their names (optimizer_test, adam_test, loss_scale_optimizer_test); one that is not
asked here has its reason in `NOT_ASKED`.
"""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pytest

from mhat.bridges.keras import Optimizer
from mhat.bridges.keras.backends import keras
from mhat.errors import BadValue
from tests.bridges.keras.runs import (
    JAX,
    array_of,
    compiled_with,
    drawn,
    fitted,
    furthest,
    meant,
    model_of,
    one_step,
    precision,
    read_back,
    taken,
)

ASKED = {
    "test_iterations_counter", "test_empty_gradients", "test_clip_args", "test_clip_norm", "test_clip_value",
    "test_global_clip_norm", "test_ema", "test_ema_with_model_fit", "test_ema_overwrite_frequency",
    "test_constraints_are_applied", "test_get_method", "test_static_loss_scaling", "test_set_weights",
    "test_gradient_accumulation", "test_gradient_accumulation_with_weight_decay", "test_callable_learning_rate",
    "test_overwrite_with_gradient", "test_setting_lr_to_callable_untracks_lr_var", "test_pickleable_optimizers",
    "test_optimizer_auto_naming", "test_config", "test_single_step", "test_weight_decay",
    "test_correctness_with_golden", "test_finite_step", "test_infinite_step", "test_stateless_apply",
    "test_sparse_gradients",
}  # fmt: skip
NOT_ASKED = {
    "test_tf_checkpointing": "of TensorFlow, which is out of scope",
    "test_mixed_with_tf_variables": "of TensorFlow, which is out of scope",
    "test_clipnorm_indexed_slices": "of TensorFlow, which is out of scope",
    "test_sparse_correctness": "sparse gradients are refused",
}
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")


def test_all_that_is_asked_is_here() -> None:
    assert set(globals()) >= ASKED
    assert not set(globals()) & set(NOT_ASKED)


def variable_of(*values: float, **more: Any) -> Any:
    return keras.Variable(np.array(values, "float32"), **more)


def tensor_of(*values: float) -> Any:
    return keras.ops.convert_to_tensor(np.array(values, "float32"))


def test_iterations_counter() -> None:
    """Counts the steps, and a step of no gradients at all is none."""
    variable, optimizer = variable_of(1.0, 2.0), Optimizer("sgd", learning_rate=0.5)
    optimizer.build([variable])
    for count in (1, 2):
        optimizer.apply([tensor_of(1.0, 1.0)])
        assert int(optimizer.iterations) == count
    optimizer.apply([])
    assert int(optimizer.iterations) == 2


def test_empty_gradients() -> None:
    """Gradients that are all None are an error, some of them a warning."""
    optimizer, variables = Optimizer("sgd"), [variable_of(1.0), variable_of(2.0)]
    with pytest.raises(ValueError, match="No gradients provided for any variable"):
        optimizer.apply([None, None], variables)
    with pytest.warns(UserWarning, match="Gradients do not exist for variables"):
        optimizer.apply([tensor_of(1.0), None], variables)


def test_clip_args() -> None:
    """Only one way to clip at a time."""
    assert Optimizer("sgd", clipnorm=0.1).clipnorm == 0.1
    assert Optimizer("sgd", clipvalue=0.1).clipvalue == 0.1
    assert Optimizer("sgd", global_clipnorm=0.1).global_clipnorm == 0.1
    with pytest.raises(ValueError, match="Only one of `clipnorm`, `clipvalue` and `global_clipnorm` can be set"):
        Optimizer("sgd", clipnorm=0.1, global_clipnorm=0.1)


def test_clip_norm() -> None:
    """A gradient of norm 5 has norm 1 after clipping to 1."""
    after = one_step(Optimizer("sgd", learning_rate=1.0, clipnorm=1.0), [0.0, 0.0], [3.0, 4.0])
    assert np.abs(after - [-0.6, -0.8]).max() < 1e-6


def test_clip_value() -> None:
    """Each coordinate is cut to the bound."""
    assert one_step(Optimizer("sgd", learning_rate=1.0, clipvalue=1.0), [0.0, 0.0], [-9.0, 0.5]).tolist() == [1.0, -0.5]


def test_global_clip_norm() -> None:
    """The norm is that of all gradients together."""
    optimizer, variables = (
        Optimizer("sgd", learning_rate=1.0, global_clipnorm=1.0),
        [variable_of(0.0) for _ in range(2)],
    )
    optimizer.apply([tensor_of(3.0), tensor_of(4.0)], variables)
    assert np.abs(np.concatenate([array_of(v) for v in variables]) - [-0.6, -0.8]).max() < 1e-6


def test_ema() -> None:
    """The averages follow the variables after the step; they are written over them when asked."""
    variable = variable_of(1.0)
    optimizer = Optimizer("sgd", learning_rate=1.0, use_ema=True, ema_momentum=0.5)
    for average in (0.0, -0.5):
        optimizer.apply([tensor_of(1.0)], [variable])
        assert array_of(optimizer._model_variables_moving_average[0]).tolist() == [average]
    optimizer.finalize_variable_values([variable])
    assert array_of(variable).tolist() == [-0.5]


def test_ema_with_model_fit() -> None:
    """After `fit` the model has the averages."""
    plain, averaged = (compiled_with(Optimizer("sgd", learning_rate=0.1, use_ema=ema)) for ema in (False, True))
    fitted(plain), fitted(averaged)
    assert not np.array_equal(plain.get_weights()[0], averaged.get_weights()[0])
    assert np.array_equal(averaged.get_weights()[0], array_of(averaged.optimizer._model_variables_moving_average[0]))


def test_ema_overwrite_frequency() -> None:
    """Every second step the variable becomes its average."""
    variable = variable_of(1.0)
    optimizer = Optimizer("sgd", learning_rate=1.0, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=2)
    seen = []
    for _ in range(3):
        optimizer.apply([tensor_of(1.0)], [variable])
        seen += array_of(variable).tolist()
    assert seen == [0.0, -0.5, -1.5]


def test_constraints_are_applied() -> None:
    """A variable's constraint holds after the step."""
    variable = variable_of(1.0, -1.0)
    variable.constraint = keras.constraints.NonNeg()
    Optimizer("sgd", learning_rate=0.5).apply([tensor_of(0.0, 0.0)], [variable])
    assert array_of(variable).tolist() == [1.0, 0.0]


def test_get_method() -> None:
    """`keras.optimizers.get` takes an optimizer, and what it was written as."""
    optimizer = Optimizer("adan", learning_rate=0.5)
    assert keras.optimizers.get(optimizer) is optimizer
    made = keras.optimizers.get(keras.optimizers.serialize(optimizer))
    assert isinstance(made, Optimizer) and made.get_config() == optimizer.get_config()


def test_static_loss_scaling() -> None:
    """The loss is scaled, and gradients back."""
    optimizer = Optimizer("sgd", learning_rate=1.0, loss_scale_factor=4.0)
    assert optimizer.scale_loss(2.0) == 8.0
    assert one_step(optimizer, [1.0], [4.0]).tolist() == [0.0]


def test_set_weights() -> None:
    """What one optimizer has, another can take over, once it is built."""
    first, second, variable = Optimizer("adam"), Optimizer("adam"), variable_of(1.0, 2.0)
    first.apply([tensor_of(1.0, -1.0)], [variable])
    with pytest.raises(ValueError, match="not yet been built"):
        second.set_weights(first.variables)
    second.build([variable])
    second.set_weights(first.variables)
    for ours, theirs in zip(first.variables, second.variables, strict=True):
        assert np.array_equal(array_of(ours), array_of(theirs))


def test_gradient_accumulation() -> None:
    """Nothing moves until the third gradient; then the mean of the three does, and t counts one step."""
    starts, gradients = drawn([(4,)], 6, "float32")
    ours = taken(Optimizer("adam", learning_rate=0.5, gradient_accumulation_steps=3), starts, gradients, "float32")[0]
    assert np.array_equal(ours[1], starts[0])
    means = gradients[0].reshape(2, 3, 4).mean(axis=1)
    (right,) = meant("adam", starts, [means], lr=0.5)
    assert furthest([ours[2::3]], [right]) < 1e-5
    assert np.array_equal(ours[3], ours[2])


@pytest.mark.parametrize("rule", ["sgd"] if JAX else ["adamw", "sgd", "schedule_free"])
def test_gradient_accumulation_with_weight_decay(rule: str) -> None:
    """The decay is part of the step that moves, whether it is the rule's own or that of Keras."""
    starts, gradients = drawn([(4,)], 6, "float32")
    means = gradients[0].reshape(2, 3, 4).mean(axis=1)
    often = Optimizer(rule, learning_rate=0.5, weight_decay=0.05, gradient_accumulation_steps=3)
    once = Optimizer(rule, learning_rate=0.5, weight_decay=0.05)
    ours = taken(often, starts, gradients, "float32")[0]
    assert furthest([ours[2::3]], taken(once, starts, [means], "float32")) < 1e-5


def test_callable_learning_rate() -> None:
    """The learning rate may be a function without arguments."""
    assert one_step(Optimizer("sgd", learning_rate=lambda: 0.5), [1.0], [1.0]).tolist() == [0.5]


def test_overwrite_with_gradient() -> None:
    """A variable that asks for it becomes its gradient, and has no states."""
    variables = [variable_of(1.0), variable_of(1.0)]
    variables[0].overwrite_with_gradient = True
    optimizer = Optimizer("sgd", learning_rate=0.5)
    optimizer.apply([tensor_of(7.0), tensor_of(1.0)], variables)
    assert [array_of(v).tolist() for v in variables] == [[7.0], [0.5]]


def test_setting_lr_to_callable_untracks_lr_var() -> None:
    """A schedule in place of a number takes the variable of the learning rate out of what is saved."""
    optimizer = Optimizer("adam", learning_rate=0.5)
    assert len(optimizer.variables) == 2
    optimizer.learning_rate = keras.optimizers.schedules.PolynomialDecay(0.5, 4)
    assert len(optimizer.variables) == 1


@pytest.mark.parametrize("rule", ["adam", "muon", "schedule_free"])
def test_pickleable_optimizers(rule: str) -> None:
    """An optimizer that is not built yet goes through pickle."""
    optimizer = Optimizer(rule, learning_rate=0.5)
    assert pickle.loads(pickle.dumps(optimizer)).get_config() == optimizer.get_config()


def test_optimizer_auto_naming() -> None:
    """The second of a name is numbered; a name that is given stays."""
    keras.backend.clear_session()
    assert [Optimizer("adan").name for _ in range(3)] == ["adan", "adan_1", "adan_2"]
    assert Optimizer("adan", name="mine").name == "mine"


def test_config() -> None:
    """What it is made of can be written, and read back equal, every argument of it."""
    given: dict[str, Any] = {
        "weight_decay": 0.25, "clipnorm": 1.0, "use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 3,
        "loss_scale_factor": 2.0, "gradient_accumulation_steps": 2, "name": "mine", "fused": False,
    }  # fmt: skip
    optimizer = Optimizer("adamw", learning_rate=0.5, beta1=0.75, **given)
    made = read_back(optimizer)
    assert made.get_config() == optimizer.get_config()
    assert (made.beta1, made.weight_decay, made.clipnorm, made.name) == (0.75, 0.25, 1.0, "mine")
    assert float(made.learning_rate) == 0.5


def test_single_step() -> None:
    """Adam's first step is of the learning rate's size, whatever the gradient."""
    after = one_step(Optimizer("adam", learning_rate=0.5), [1.0, 2.0, 3.0], [1.0, -6.0, 700.0])
    assert np.abs(after - [0.5, 2.5, 2.5]).max() < 1e-6


def test_weight_decay() -> None:
    """Decays all weights but those that are excluded, by the variable or by a part of its name."""
    excluded, named, decayed = (variable_of(2.0, name=name) for name in ("a", "exclude", "c"))
    optimizer = Optimizer("adam", learning_rate=1.0, weight_decay=0.004)
    optimizer.exclude_from_weight_decay(var_list=[excluded], var_names=["exclude"])
    optimizer.apply([tensor_of(0.0)] * 3, [excluded, named, decayed])
    assert [array_of(v).tolist() for v in (excluded, named)] == [[2.0], [2.0]]
    assert abs(float(array_of(decayed)[0]) - (2.0 - 0.004 * 2.0)) < 1e-6


def test_correctness_with_golden() -> None:
    """Ten steps are those of Keras's own Adam; without eps, which it adds elsewhere."""
    with precision("float64"):
        starts, gradients = drawn([(10,)], 10, "float64")
        ours = taken(Optimizer("adam", learning_rate=0.5, eps=1e-20), starts, gradients, "float64")
        theirs = taken(keras.optimizers.Adam(0.5, epsilon=1e-20), starts, gradients, "float64")
    assert furthest(ours, theirs) < 1e-12


def test_in_single_precision_we_are_nearer() -> None:
    """Keras takes `beta2**t` from 1 in float32, where little is left of it; here it is a double."""
    starts, gradients = drawn([(10,)], 10, "float32")
    right = meant("adam", starts, gradients, lr=0.5)
    ours = taken(Optimizer("adam", learning_rate=0.5), starts, gradients, "float32")
    theirs = taken(keras.optimizers.Adam(0.5, epsilon=1e-8), starts, gradients, "float32")
    assert 4 * furthest(ours, right) < furthest(theirs, right)


def scaled_step(optimizer: Optimizer, *gradient: float) -> tuple[Any, list[Any]]:
    """Take a step wrapped in a loss scale of 4: the variable, and the optimizer's own, after it."""
    variable = variable_of(1.0, 2.0)
    wrapped = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=4.0)
    wrapped.build([variable])
    if not JAX:
        wrapped.apply([tensor_of(*gradient)], [variable])
        return array_of(variable), [array_of(each) for each in optimizer.variables]
    values, own = wrapped.stateless_apply(
        [each.value for each in wrapped.variables], [tensor_of(*gradient)], [variable.value]
    )
    return array_of(values[0]), [array_of(each) for each in own[-len(optimizer.variables) :]]


def test_finite_step() -> None:
    """Wrapped in a loss scale, a step is as it is without."""
    assert scaled_step(Optimizer("sgd", learning_rate=0.5), 4.0, 8.0)[0].tolist() == [0.5, 1.0]


def test_infinite_step() -> None:
    """A gradient that overflowed moves nothing, neither the variable nor a state."""
    after, own = scaled_step(Optimizer("adam", learning_rate=0.5), np.inf, 8.0)
    assert after.tolist() == [1.0, 2.0]
    assert not any(state.any() for state in own[2:])


def test_stateless_apply() -> None:
    """Given values and states, gives new ones, and moves nothing of its own."""
    variable, optimizer = variable_of(1.0), Optimizer("momentum", learning_rate=0.5)
    optimizer.build([variable])
    values, own = optimizer.stateless_apply([v.value for v in optimizer.variables], [tensor_of(1.0)], [tensor_of(3.0)])
    assert array_of(values[0]).tolist() == [2.5]
    assert array_of(own[-1]).tolist() == [1.0]
    assert array_of(variable).tolist() == [1.0]
    assert not array_of(optimizer.variables[-1]).any()


def test_sparse_gradients() -> None:
    """A gradient of few rows is refused, with what to do."""
    if JAX:
        from jax.experimental import sparse

        gradient: Any = sparse.BCOO.fromdense(keras.ops.ones((2, 2)))
    else:
        import torch

        gradient = torch.ones((2, 2)).to_sparse()
    variable = keras.Variable(np.ones((2, 2), "float32"), name="table")
    with pytest.raises(BadValue, match=r"the gradient of table is sparse\nGive it whole; `lazy\(rule\)`"):
        Optimizer("adam").apply([gradient], [variable])


def test_frozen_layers_stay() -> None:
    """What is not trainable is not among the optimizer's variables."""
    model = model_of()
    model.layers[0].trainable = False
    model.compile(optimizer=Optimizer("adam"), loss="mse")
    before = [weights.copy() for weights in model.get_weights()]
    fitted(model, 1)
    moved = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert moved == [False, False, True, True]
