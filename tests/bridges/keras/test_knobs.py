"""Knobs of the Keras bridge by name, and what is said when something cannot be."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.bridges.keras import Optimizer, optimizer_class
from mhat.bridges.keras.backends import keras
from mhat.errors import BadValue, LanguageError, MhatError, UnknownName
from tests.bridges.keras.runs import JAX, array_of, compiled_with, fitted, one_step, read_back

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")
WITHOUT_LR = "def still(x, g, *, size=0.5):\n    return x - size * g"


def variable_of(*shape: int, **more: Any) -> Any:
    stored = more.pop("stored", "float32")
    return keras.Variable(np.ones(shape, stored), dtype=stored, trainable=stored != "int32", **more)


def test_the_learning_rate_goes_by_both_names() -> None:
    for optimizer in (Optimizer("adam", learning_rate=0.5), Optimizer("adam", lr=0.5), Optimizer("adam", 0.5)):
        assert float(optimizer.learning_rate) == float(optimizer.lr) == optimizer.knobs["lr"] == 0.5
        optimizer.lr = 0.25
        assert float(optimizer.learning_rate) == 0.25
        optimizer.knobs["lr"] = 0.125
        assert float(optimizer.learning_rate) == 0.125


def test_without_one_it_is_that_of_the_rule() -> None:
    assert float(Optimizer("adam").learning_rate) == np.float32(mhat.rules.adam.knobs["lr"])


def test_knobs_are_attributes_that_hold_from_the_next_step_on() -> None:
    optimizer = Optimizer("momentum", learning_rate=1.0, momentum=0.5)
    variable, one = variable_of(1), keras.ops.ones((1,))
    optimizer.apply([one], [variable])
    assert (optimizer.momentum, array_of(variable).tolist()) == (0.5, [0.0])
    optimizer.momentum = 0.0
    optimizer.apply([one], [variable])
    assert (optimizer.knobs["momentum"], array_of(variable).tolist()) == (0.0, [-1.0])
    assert "momentum" in dir(optimizer)
    assert repr(optimizer) == "<Optimizer momentum: {'lr': 1.0, 'momentum': 0.0}>"


def test_the_decay_of_the_rule_is_one_and_the_same_as_that_of_keras() -> None:
    optimizer = Optimizer("adamw", weight_decay=0.25)
    assert optimizer.weight_decay == optimizer.knobs["weight_decay"] == 0.25
    optimizer.weight_decay = 0.125
    assert optimizer.knobs["weight_decay"] == 0.125
    assert read_back(optimizer).weight_decay == 0.125
    assert Optimizer("adamw").weight_decay == mhat.rules.adamw.knobs["weight_decay"]
    assert Optimizer("adam").weight_decay is None


def test_a_decay_is_never_taken_twice() -> None:
    plain = one_step(Optimizer("sgd", learning_rate=0.5, weight_decay=0.5), [4.0], [0.0])
    own = one_step(Optimizer("adamw", learning_rate=0.5, weight_decay=0.5), [4.0], [0.0])
    assert plain.tolist() == own.tolist() == [3.0]


def test_a_rule_without_a_learning_rate() -> None:
    optimizer = Optimizer(WITHOUT_LR)
    assert one_step(optimizer, [1.0], [1.0]).tolist() == [0.5]
    assert read_back(optimizer).get_config() == optimizer.get_config()
    with pytest.raises(BadValue, match="still has no learning rate\nIts knobs: size"):
        optimizer.learning_rate = 0.5
    with pytest.raises(UnknownName, match="there is no knob of still `learning_rate`"):
        Optimizer(WITHOUT_LR, learning_rate=0.5)


@pytest.mark.skipif(not JAX, reason="torch compiles nothing here")
def test_a_knob_set_after_jax_has_compiled_warns() -> None:
    model = compiled_with(Optimizer("adam", learning_rate=1e-2))
    fitted(model, 1)
    with pytest.warns(UserWarning, match=r"beta1 is 0.5 from now on, but what JAX has compiled for `fit` keeps 0.9: "):
        model.optimizer.beta1 = 0.5
    model.optimizer.learning_rate = 1e-3


def test_several_rules_and_their_knobs() -> None:
    optimizer = Optimizer({"muon": mhat.matrices, "adamw": mhat.rest}, learning_rate=0.25, momentum=0.5, beta1=0.75)
    assert {name: knobs["lr"] for name, knobs in optimizer.knobs.items()} == {"muon": 0.25, "adamw": 0.25}
    assert (optimizer.momentum, optimizer.beta1) == (0.5, 0.75)
    assert list(optimizer.rules) == ["muon", "adamw"]
    both = Optimizer({"lion": mhat.matrices, "adamw": mhat.rest})
    with pytest.raises(AttributeError, match=r'`beta1` is a knob of lion and of adamw: opt.knobs\["lion"\]\["beta1"\]'):
        both.beta1  # noqa: B018
    with pytest.raises(BadValue, match="`beta1` is a knob of lion and of adamw\nSet it by rule"):
        both.beta1 = 0.5


def test_what_functions_choose_is_kept_by_names_once_it_is_known() -> None:
    optimizer = Optimizer({"muon": lambda name, variable: "kernel" in name, "adam": mhat.rest})
    with pytest.raises(BadValue, match="which a configuration cannot hold\nSave after the optimizer was built"):
        optimizer.get_config()
    optimizer.build([variable_of(2, 2, name="kernel"), variable_of(2, name="bias")])
    assert [rule["takes"] for rule in optimizer.get_config()["rule"]] == [["kernel"], "rest"]
    read_back(optimizer).build([variable_of(2, 2, name="kernel"), variable_of(2, name="bias")])


def test_an_optimizer_that_is_copied_is_another() -> None:
    first = Optimizer("adam", learning_rate=0.5)
    second = copy.deepcopy(first)
    second.beta1 = 0.5
    assert first.beta1 == 0.9


OPTIONS = (
    "Options: learning_rate, weight_decay, clipnorm, clipvalue, global_clipnorm, use_ema, ema_momentum, "
    "ema_overwrite_frequency, loss_scale_factor, gradient_accumulation_steps, name, fused."
)
REFUSED: dict[str, tuple[Any, type[MhatError], str]] = {
    "unknown knob": (
        lambda: Optimizer("adam", epsilon=1e-7), UnknownName,
        f"there is no knob of adam `epsilon`\nDid you mean `eps`? {OPTIONS}",
    ),
    "unknown knob of a class": (
        lambda: optimizer_class("adam")(beta_1=0.5), UnknownName,
        f"there is no knob of adam `beta_1`\nDid you mean `beta1`? {OPTIONS}",
    ),
    "unknown rule": (
        lambda: Optimizer("adm"), UnknownName, "there is no rule `adm`\nDid you mean `adam`? `mhat rules` lists them.",
    ),
    "not a rule": (
        lambda: Optimizer("def f(x, g):\n    return x - lr * g"), LanguageError,
        "<rule>, line 2: `lr` is not known here\n    return x - lr * g\n               ^^\n"
        "A rule reads its inputs, states, knobs and earlier variables; make a constant a knob.",
    ),
    "a schedule of mhat": (
        lambda: Optimizer("adam", learning_rate=mhat.schedules.warmup_cosine(0.5, warmup=10, steps=100)), BadValue,
        "lr is a schedule of mhat (warmup_cosine:0.5,warmup=10,steps=100), and Keras takes its own alone\n"
        "Give one of keras.optimizers.schedules.",
    ),
    "out of range": (
        lambda: Optimizer("adam", learning_rate=-0.1), BadValue,
        "lr=-0.1 is out of its range (learning rate: the size of a step)\nChoose lr with 0 <= lr.",
    ),
    "no number": (
        lambda: Optimizer("adam", learning_rate="fast"), BadValue,
        "lr='fast' is no number\nGive lr a number, or a schedule of keras.optimizers.",
    ),
    "twice": (
        lambda: Optimizer("adam", learning_rate=0.1, lr=0.2), BadValue,
        "the learning rate is given twice\nGive `learning_rate` or `lr`.",
    ),
    "decay twice": (
        lambda: Optimizer("adamw", weight_decay=0.1, knobs={"weight_decay": 0.2}), BadValue,
        "the knob `weight_decay` is given twice\nGive it by keyword or in knobs={...}.",
    ),
    "a vector for a rule per matrix": (
        lambda: Optimizer("muon").build([variable_of(3, name="bias")]), BadValue,
        "muon is a rule per matrix, and bias has the shape (3,)\n"
        'Give it another rule: Optimizer({"muon": mhat.matrices, "adamw": mhat.rest}).',
    ),
    "chosen for no rule": (
        lambda: Optimizer({"muon": mhat.matrices}).build([variable_of(3, name="bias")]), BadValue,
        "bias is chosen for no rule\nAdd a rule for what is left: {muon: ..., adamw: mhat.rest}.",
    ),
    "no such variable": (
        lambda: Optimizer({"muon": ["heat"], "adam": mhat.rest}).build([variable_of(3, 3, name="head")]), UnknownName,
        "there is no variable `heat`\nDid you mean `head`?",
    ),
    "two of one name": (
        lambda: Optimizer({"adam": ["a"], mhat.rules.adam: mhat.rest}), BadValue,
        "two rules are called adam\nGive one of them another name: knobs go by name.",
    ),
    "a knob that two have": (
        lambda: Optimizer({"adamw": mhat.matrices, "adam": mhat.rest}, beta1=0.5), BadValue,
        '`beta1` is a knob of adamw and of adam\nGive it by rule: knobs={"adamw": {"beta1": ...}}.',
    ),
    "dtypes together": (
        lambda: Optimizer("prodigy").build([variable_of(2), variable_of(2, stored="float64")]), BadValue,
        "prodigy looks at all tensors at once, and they are of float32 and float64\nGive the layers one dtype.",
    ),
    "whole numbers": (
        lambda: Optimizer("adam").build([variable_of(2, stored="int32", name="counts")]), BadValue,
        "counts is int32\nA rule steps float64, float32, float16, bfloat16: let the layer have one of them.",
    ),
    "a rule that wants more": (
        lambda: Optimizer("polyak"), BadValue,
        "polyak reads `loss` (the loss at x, a number), and Keras gives an optimizer gradients alone\n"
        "Choose another rule, or step by hand: mhat.step and the step of mhat.Optimizer are given it.",
    ),
    "another shape": (
        lambda: Optimizer("adam").apply([keras.ops.ones(3)], [variable_of(2, name="w")]), BadValue,
        "the gradient of w has the shape (3,), and the variable (2,)\nGive both one shape.",
    ),
    "a class of several": (
        lambda: optimizer_class({"muon": mhat.matrices, "adam": mhat.rest}), BadValue,
        "a class takes the knobs of one rule\nMake an optimizer of several: Optimizer({...}).",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", REFUSED)
def test_what_cannot_be_is_said(what: str) -> None:
    if what == "dtypes together" and JAX:
        pytest.skip("JAX has no doubles here")
    does, kind, text = REFUSED[what]
    with pytest.raises(kind) as raised:
        does()
    assert str(raised.value) == text


def test_nothing_is_set_where_something_is_wrong() -> None:
    optimizer = Optimizer("adam")
    for name, value, text in [
        ("beta1", 3.0, "beta1=3.0 is out of its range"),
        ("epsilon", 1e-7, "there is no knob of adam `epsilon`\nDid you mean `eps`?"),
        ("lr", "x", "lr='x' is no number"),
    ]:
        with pytest.raises(MhatError, match=text):
            setattr(optimizer, name, value)
    with pytest.raises(BadValue, match="weight_decay=None is no number"):
        Optimizer("adamw").weight_decay = None
    with pytest.raises(AttributeError, match="'Optimizer' object has no attribute 'beta9'"):
        optimizer.beta9  # noqa: B018
    assert optimizer.get_config() == Optimizer("adam", name=optimizer.name).get_config()


def test_a_rule_over_all_is_not_stepped_one_by_one() -> None:
    optimizer, variables = Optimizer("prodigy"), [variable_of(2), variable_of(2)]
    optimizer.build(variables)
    with pytest.raises(BadValue, match="prodigy looks at all tensors at once, and one is given\nStep all of them: "):
        optimizer.update_step(keras.ops.ones(2), variables[0], 0.1)
    Optimizer("sgd").build(variables)


def test_one_variable_can_be_stepped_by_hand() -> None:
    optimizer, variables = Optimizer("sgd"), [variable_of(2), variable_of(2)]
    optimizer.build(variables)
    optimizer.update_step(keras.ops.ones((2,)), variables[1], 0.5)
    assert [array_of(v).tolist() for v in variables] == [[1.0, 1.0], [0.5, 0.5]]


def test_tensorflow_is_out_of_scope_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keras.config, "backend", lambda: "tensorflow")
    with pytest.raises(BadValue) as raised:
        Optimizer("adam")
    assert str(raised.value) == (
        "Keras runs on tensorflow here, and a rule of mhat steps on torch or jax\n"
        "Choose one before Keras is imported: KERAS_BACKEND=torch or KERAS_BACKEND=jax in the environment."
    )
