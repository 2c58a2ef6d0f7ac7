"""What a conversion answers, computed from the pseudo code of both: no framework is run here."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

import mhat
from mhat.conversions import Conversion
from mhat.conversions.catalogue import FRAMEWORKS
from mhat.conversions.chosen import choose, find
from mhat.conversions.conditions import DROPS
from mhat.conversions.pseudo_code import with_knobs, with_rate
from mhat.conversions.runs import apart, same
from mhat.errors import MhatError
from mhat.language import rule


@cache
def converted(name: str, from_: str, to: str, **knobs: Any) -> Conversion:
    return mhat.convert(name, from_=from_, to=to, measure=False, knobs=knobs)


CONSTANT = "the learning rate is constant"
RMSPROP = "optimizer = torch.optim.RMSprop(params, lr=1e-3, alpha=0.9, eps=1e-7)"
# What is converted, the answer, on what, and the first of the lines.
ANSWERS: dict[tuple[str, str, str, tuple[tuple[str, Any], ...]], tuple[str, tuple[str, ...], str]] = {
    ("adam", "keras", "torch", ()):
        ("conditional", ("eps follows a schedule",), "optimizer = torch.optim.Adam(params, lr=1e-3, eps=1e-7)"),
    ("adam", "torch", "optax", (("betas", (0.8, 0.99)),)):
        ("exact", (), "optimizer = optax.adam(learning_rate=1e-3, b1=0.8, b2=0.99)"),
    ("adam", "keras", "torch", (("epsilon", 0.0),)):
        ("exact", (), "optimizer = torch.optim.Adam(params, lr=1e-3, eps=0)"),
    ("AdamW", "torch", "numpy", ()): ("exact", (), 'optimizer = mhat.Optimizer("adamw", params, lr=1e-3)'),
    ("adam", "torch", "torch", ()): ("exact", (), "optimizer = torch.optim.Adam(params, lr=1e-3)"),
    ("momentum", "keras", "torch", (("momentum", 0.9),)):
        ("conditional", (CONSTANT,), "optimizer = torch.optim.SGD(params, lr=0.01, momentum=0.9)"),
    ("momentum", "torch", "tensorflow", (("momentum", 0.9),)): (
        "exact", (), "optimizer = tf.compat.v1.train.MomentumOptimizer(",
    ),
    # Plain descent does not tell coupled decay from decoupled; a velocity does.
    ("sgd", "torch", "keras", (("weight_decay", 0.1),)):
        ("exact", (), "optimizer = keras.optimizers.SGD(learning_rate=1e-3, weight_decay=0.1)"),
    # What optax moves by is what the step before has come to.
    ("rprop", "torch", "optax", (("etas", (0.4, 1.3)),)):
        ("different", (), "optimizer = optax.rprop(learning_rate=0.01, eta_minus=0.4, eta_plus=1.3)"),
    # Keras' Adam has a decoupled decay too; what is called alike goes first.
    ("adamw", "torch", "keras", (("eps", 0.0),)):
        ("exact", (), "optimizer = keras.optimizers.AdamW("),
    # Its own decay, which must be switched on, is not there twice.
    ("nadamw", "optax", "torch", ()): ("exact", (), "optimizer = torch.optim.NAdam("),
    ("adagrad", "tensorflow", "torch", ()): (
        "exact", (), "optimizer = torch.optim.Adagrad(",
    ),
    ("nadam", "keras", "torch", ()):
        ("exact", (), "optimizer = torch.optim.NAdam(params, lr=1e-3, eps=1e-7, momentum_decay=1)"),
    ("adabelief", "numpy", "optax", (("eps", 1e-8),)):
        ("exact", (), "optimizer = optax.adabelief(learning_rate=1e-3, eps=1e-8, eps_root=1e-8)"),
    ("tiger", "numpy", "keras", ()): ("exact", (), "optimizer = keras.optimizers.Lion("),
    ("rmsprop", "tensorflow", "optax", ()):
        ("exact", (), "optimizer = optax.rmsprop(learning_rate=1e-3, eps=1e-10, initial_scale=1)"),
    ("rmsprop", "keras", "torch", ()):
        ("different", (), RMSPROP),
    ("yogi", "numpy", "optax", ()): ("different", (), "optimizer = optax.yogi(learning_rate=0.01)"),
    ("adagrad", "torch", "tensorflow", ()): ("different", (), "optimizer = tf.compat.v1.train.AdagradOptimizer("),
    ("sgd", "torch", "sklearn", ()): ("exact", (), "model = sklearn.neural_network.MLPClassifier("),
    ("lion", "optax", "torch", ()): ("absent", (), ""),
    # Lion's beta_1 must not be 0 in Keras.
    ("signsgd", "optax", "keras", ()): ("absent", (), ""),
}  # fmt: skip


@pytest.mark.parametrize("asked", ANSWERS, ids=[f"{name}-{a}-{b}-{i}" for i, (name, a, b, _) in enumerate(ANSWERS)])
def test_the_answer(asked: tuple[str, str, str, tuple[tuple[str, Any], ...]]) -> None:
    name, from_, to, knobs = asked
    answer = converted(name, from_, to, **dict(knobs))
    assert (answer.answer, answer.on, answer.lines.split("\n")[0]) == ANSWERS[asked]
    assert repr(answer) == f"<Conversion: {answer.source.call} to {answer.target.call}, {answer.answer}>"
    assert all(len(line) <= 80 for line in str(answer).split("\n"))
    assert "<div" in answer._repr_html_()


def test_keras_and_torch_with_the_knobs_of_the_story() -> None:
    answer = converted("adam", "keras", "torch", learning_rate=1e-3, epsilon=1e-7)
    (condition,) = answer.conditions
    assert condition.status == "computed"
    assert condition.sentence == (
        "the same if eps at step t is 1e-7 / (1 - 0.999**t) ** 0.5: "
        "3.162e-6 at step 1, 3.241e-7 at step 100, 1.000e-7 at step 10000"
    )
    as_told, best = answer.measured
    assert as_told.setting == "eps=1e-7"
    # At step 1 the denominators are 1 + 1e-7 / sqrt(1 - 0.999) and 1 + 1e-7.
    assert as_told.streams["constant"].share == pytest.approx(1e-7 / 0.001**0.5 - 1e-7, rel=1e-3)
    assert as_told.streams["constant"].step == 1
    assert best.worst < as_told.worst
    assert [note.status for note in answer.notes] == ["proved", "computed"]


def test_what_differs_is_named_by_the_knob_that_makes_it() -> None:
    says = {
        ("rmsprop", "keras", "torch"): "the difference is in eps: with eps=0 both are the same on 50 digits",
        ("adamw", "keras", "sklearn"):
            "the difference is in weight_decay: with weight_decay=0 both are the same on 50 digits",
        ("nadam", "torch", "keras"):
            "keras.optimizers.Nadam has no momentum_decay (how fast NAdam's momentum warms up): there it is 1, and "
            "4e-3 would make both the same on 50 digits",
    }  # fmt: skip
    for (name, from_, to), sentence in says.items():
        answer = converted(name, from_, to)
        assert answer.answer == "different"
        assert answer.notes[0].sentence == sentence
        assert answer.notes[0].status == "tested"


def test_what_is_no_number_any_more_and_what_is_refused_are_said() -> None:
    answer = converted("adagrad", "torch", "tensorflow")
    assert (
        answer.notes[-1].sentence
        == "with these knobs: one of the two is no number any more on sparse; computed, from x = 1"
    )
    assert "       nan" in str(answer)
    assert answer.remarks[0] == (
        "tf.compat.v1.train.AdagradOptimizer refuses initial_accumulator_value=0: give it the smallest number that it "
        "takes"
    )


def test_lines_that_hold_the_learning_rate_say_so() -> None:
    said = "the lines hold the learning rate as a number: where it changes it changes there too"
    assert said in converted("rmsprop", "keras", "optax", weight_decay=0.1).remarks
    assert said not in converted("rmsprop", "keras", "optax").remarks


def test_where_there_is_no_such_rule_it_is_said_where_there_is() -> None:
    assert converted("lion", "keras", "torch").remarks == (
        "lion is in optax, numpy", "mhat runs it on NumPy arrays: convert it to numpy",
    )  # fmt: skip


def test_a_learning_rate_that_changes_is_thought_of() -> None:
    (condition,) = converted("momentum", "keras", "torch", momentum=0.9).conditions
    assert condition.sentence.startswith(
        "the same only while the learning rate stays as it is: where it falls to a tenth after step 50, x comes apart"
    )
    assert condition.about == "lr"
    assert converted("momentum", "torch", "optax", momentum=0.9).conditions == ()


def test_pseudo_code_is_the_same_whatever_it_is() -> None:
    answer = converted("adagrad", "keras", "numpy")
    assert answer.lines == (
        'rule = mhat.rule("""\n'
        'def adagrad(x, g, v="v_start", *, lr=1e-3, v_start=0.1, eps=1e-7):\n'
        "    v = v + g**2\n"
        "    ratio = g / sqrt(v + eps)\n"
        "    return x - lr * ratio\n"
        '""")\n'
        "optimizer = mhat.Optimizer(rule, params)"
    )


def test_the_source_may_be_said_by_the_name() -> None:
    for name in ("keras.optimizers.Adam", "keras.optimizers:Adam"):
        assert mhat.convert(name, to="torch", measure=False).source.call == "keras.optimizers.Adam"
    assert mhat.convert("torch.optim.RMSprop", to="optax", measure=False, centered=True).rule == "rmsprop_centered"


def test_knobs_in_either_spelling() -> None:
    torch = FRAMEWORKS["torch"]
    for told in ({"betas": [0.8, 0.9]}, {"beta1": 0.8, "beta2": 0.9}, {"b1": 0.8, "beta_2": 0.9}):
        knobs = choose(torch, "adam", told).knobs
        assert (knobs["beta1"], knobs["beta2"]) == (0.8, 0.9)
    assert choose(torch, "adam", {"weight_decay": 0.1}).knobs["l2"] == 0.1
    assert choose(torch, "AdamW", {"weight_decay": None}).knobs["weight_decay"] == 0.0
    assert choose(torch, "NAdam", {"weight_decay": 0.1, "decoupled_weight_decay": True}).knobs["weight_decay"] == 0.1
    assert choose(torch, "SGD", {"momentum": 0.9}).form.rule == "momentum"
    assert choose(FRAMEWORKS["sklearn"], "sgd", {}).form.rule == "nesterov"
    assert choose(FRAMEWORKS["optax"], "adam", {}).assumed == (
        "optax.adam has no default for learning_rate: 1e-3 stands for yours",
    )


@pytest.mark.parametrize("framework", FRAMEWORKS.values(), ids=FRAMEWORKS)
def test_every_optimizer_is_found_by_each_of_its_names(framework: Any) -> None:
    for entry in framework.entries:
        for form in entry.forms:
            found, _ = find(framework, form.name)
            assert form.name in {each.name for each in found.forms}
        if framework.name not in ("numpy", "sklearn"):
            assert find(framework, entry.call)[0] is entry
            assert find(framework, entry.call.rpartition(".")[2])[0].name.lower().startswith(entry.name.lower()[:4])


def test_knobs_can_be_expressions_of_others_and_of_t() -> None:
    sgd = rule("def sgd(x, g, *, lr=0.1):\n    return x - lr * g\n")
    falling = with_knobs(sgd, {"lr": "a / t"}, {"a": 0.1})
    assert str(falling) == "def sgd(x, g, t, *, a=0.1):\n    return x - a / t * g"
    assert not same(sgd, falling)
    assert same(falling, rule("def other(x, g, t, *, b=0.1):\n    return x - b * g / t\n"))
    assert "where(t <= 50, 1, 0.1)" in str(with_rate(sgd, DROPS))


def test_how_far_apart_is_in_parts_of_the_way() -> None:
    import numpy as np

    one, other = np.array([[0.9], [0.8]]), np.array([[0.9], [0.79]])
    found = apart(one, other)
    assert (round(found.share, 6), found.step) == (round(0.01 / 0.21, 6), 2)
    assert apart(one, np.array([[np.nan], [0.8]])).share == np.inf
    assert apart(np.full((2, 1), np.nan), np.full((2, 1), np.nan)).share == 0.0


def test_what_is_refused() -> None:
    with pytest.raises(MhatError) as error:
        converted("adam", "keras", "torch", epsilon=float("nan"))
    assert str(error.value) == "epsilon=nan is not a number\nGive epsilon a number."
    with pytest.raises(MhatError) as error:
        mhat.convert("adam", from_="keras", to="torch", epsilon=1e-3, knobs={"epsilon": 1e-3})
    assert str(error.value) == "the knob `epsilon` is given twice\nGive it by keyword or in knobs={...}."
