"""Exported optimizers of Keras: their examples run, `mhat check` finds them right, Keras trains and saves them."""

from __future__ import annotations

import doctest
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mhat
from mhat import rules
from mhat.bridges.keras.backends import keras
from mhat.exports import EXPORTS
from mhat.exports.heading import spoken_name
from mhat.language import Rule
from mhat.names import find_rule
from tests.bridges.keras.runs import INPUTS, WANTED, array_of, compiled_with, fitted
from tests.choices import OFTEN
from tests.exports.modules import module_of
from tests.exports.odd import ODD

ALL = [name for name in rules.names() if EXPORTS["keras"].lacking(rules.named(name)) is None]
MODIFIED = ["cautious(adam)", "lookahead(adam)"]
# {rule: why its example cannot be told in single precision}
EXEMPT = {"focus": "it steps by the sign of what is nothing but rounding at the first step"}
TELLING = ["adam", "nadam", "lamb", "schedule_free", "muon", *EXEMPT, *MODIFIED]
SHORT = (("adam", "float64"), ("lamb", "float32"))
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation doesn't accept a copy")


def class_of(rule: Rule, module: Any) -> Any:
    made = getattr(module, spoken_name(rule))
    assert issubclass(made, keras.optimizers.Optimizer)
    return made


def seldom(names: list[str]) -> list[Any]:
    return [name if name in TELLING else pytest.param(name, marks=pytest.mark.long) for name in names]


@pytest.mark.parametrize("name", seldom([*ALL, *MODIFIED]))
def test_the_first_steps_in_the_docstring_are_those_of_the_class(name: str) -> None:
    with module_of(find_rule(name), "keras") as module:
        result = doctest.testmod(module, verbose=False, report=False)
    assert result.attempted >= 3
    assert (result.failed > 0) == (name in EXEMPT)


@pytest.mark.parametrize(
    ("name", "dtype"),
    [
        pytest.param(name, dtype, marks=[] if (name, dtype) in SHORT else [pytest.mark.long])
        for name in ALL if name in OFTEN or name == "muon" for dtype in ("float64", "float32")
    ],
)  # fmt: skip
def test_mhat_check_finds_it_right(name: str, dtype: str) -> None:
    with module_of(rules.named(name), "keras") as module:
        verdict = mhat.check(class_of(rules.named(name), module), name, dtype=dtype)
    assert verdict.conforms and verdict.dialect is None, str(verdict)


def test_names_that_mean_something_there_are_written_otherwise() -> None:
    with module_of(ODD, "keras") as module:
        assert doctest.testmod(module).failed == 0


def test_it_is_trained_saved_and_goes_on_to_the_last_bit(tmp_path: Path) -> None:
    with module_of(rules.adamw, "keras") as module:
        first = compiled_with(module.Adamw(1e-2, beta1=0.8, weight_decay=0.1, clipnorm=1.0))
        losses = fitted(first)
        first.save(tmp_path / "model.keras")
        second = keras.saving.load_model(tmp_path / "model.keras")
        assert losses[-1] < losses[0]
        assert (second.optimizer.beta1, second.optimizer.own_weight_decay, second.optimizer.clipnorm) == (0.8, 0.1, 1.0)
        assert fitted(first) == fitted(second)


def test_weights_are_kept_from_the_decay() -> None:
    with module_of(rules.adamw, "keras") as module:
        optimizer = module.Adamw(0.5, weight_decay=0.5)
        variables = [keras.Variable(np.array([4.0], "float32"), name=name) for name in ("kernel", "bias")]
        optimizer.exclude_from_weight_decay(var_names=["bias"])
        optimizer.apply([keras.ops.zeros((1,)) for _ in variables], variables)
    assert [array_of(each).tolist() for each in variables] == [[3.0], [4.0]]


def test_knobs_out_of_their_range_and_vectors_for_matrices_are_refused() -> None:
    with module_of(rules.muon, "keras") as module:
        with pytest.raises(ValueError, match=r"momentum must be 0 <= momentum < 1, not 1\.5"):
            module.Muon(momentum=1.5)
        with pytest.raises(
            ValueError, match=r"Muon takes matrices, not the shape \(3,\): give it to another optimizer"
        ):
            module.Muon().build([keras.Variable(np.ones(3, "float32"))])


def test_values_to_evaluate_with() -> None:
    with module_of(rules.schedule_free, "keras") as module:
        model = compiled_with(module.ScheduleFree(1e-2))
        model.fit(INPUTS, WANTED, verbose=0)
        values = model.optimizer.evaluation()
        assert [tuple(value.shape) for value in values] == [tuple(v.shape) for v in model.trainable_variables]


@pytest.mark.parametrize(("name", "why"), [
    ("prodigy", "it looks at all tensors at once, and Keras hands over one after the other"),
    ("polyak", "it reads `loss`, and Keras gives an optimizer gradients alone"),
])  # fmt: skip
def test_what_keras_cannot_do_is_said(name: str, why: str) -> None:
    with pytest.raises(mhat.errors.BadValue) as raised:
        mhat.export(name, "keras")
    assert str(raised.value).startswith(f"{name} cannot be written in Keras: {why}\nWrite it as ")
