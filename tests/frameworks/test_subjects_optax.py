"""Transformations of the real optax as subjects."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.errors import BadValue, SubjectError, UnknownName
from mhat.language import Rule
from mhat.names import find_subject
from mhat.subjects.rules import subject_of_rule
from mhat.subjects.subject import Subject

jax = pytest.importorskip("jax")
optax = pytest.importorskip("optax")

GRADIENTS = np.random.default_rng(11).normal(size=(40, 4)) * [1.0, 1e-3, 40.0, 1.0]
SHAPES: list[Any] = [GRADIENTS, GRADIENTS[:, 0], GRADIENTS.reshape(40, 2, 2)]


def here(named: Any, **more: Any) -> Subject:
    """Find a subject that runs in this process, where the framework is imported already."""
    return find_subject(named, in_process=True, **more)


def difference(subject: Any, rule: Rule, knobs: dict[str, float], start: float = 0.5) -> float:
    theirs = subject.run(SHAPES, start=start, knobs=knobs)
    ours = subject_of_rule(rule).run(SHAPES, start=start, knobs=knobs)
    return max(float(np.max(np.abs(a - b))) for a, b in zip(ours, theirs, strict=True))


@pytest.mark.parametrize(
    ("name", "rule", "knobs"),
    [
        ("adam", rules.adam, {"lr": 0.1, "beta1": 0.8, "eps": 1e-3}),
        ("adamw", rules.adamw, {"lr": 0.1, "weight_decay": 0.3}),
        ("sgd", rules.momentum, {"lr": 0.1, "momentum": 0.8}),
        ("lion", rules.lion, {"lr": 0.1, "beta2": 0.5, "weight_decay": 0.0}),
        ("adamax", rules.adamax, {"beta2": 0.9}),
        ("contrib:adopt", rules.adopt, {"lr": 0.1}),
    ],
)
def test_knobs_by_our_names_on_several_tensors(name: str, rule: Rule, knobs: dict[str, float]) -> None:
    named = f"optax.{name}" if ":" in name else f"optax:{name}"
    subject = here(named, against=rule)
    assert (subject.name, subject.several, subject.starts, subject.dtype) == (named, True, True, "float64")
    assert set(knobs) <= subject.knobs
    assert difference(subject, rule, knobs) < 1e-12


def test_defaults_are_optaxs_and_a_rate_that_must_be_told_is_the_rules() -> None:
    assert here("optax:adamw", against=rules.adamw).defaults == {
        "lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 1e-4,
    }  # fmt: skip
    assert here("optax:rmsprop", against=rules.rmsprop).defaults["rho"] == 0.9


def test_double_precision_is_on_only_while_it_runs() -> None:
    before = jax.config.jax_enable_x64
    here("optax:adam").run(np.ones(3))
    assert jax.config.jax_enable_x64 == before


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_smaller_types(dtype: str) -> None:
    subject = here("optax:adam", dtype=dtype)
    assert subject.dtype == dtype
    parameters = subject.run(GRADIENTS)
    # float16 overflows at the squares of large gradients.
    rounded = np.asarray(jax.numpy.asarray(parameters, dtype=dtype)).astype(np.float64)
    assert np.array_equal(parameters, rounded, equal_nan=True)
    assert not np.array_equal(parameters, here("optax:adam").run(GRADIENTS))


def test_options_go_through() -> None:
    nesterov = here("optax:sgd", against=rules.nesterov, options={"nesterov": True})
    assert difference(nesterov, rules.nesterov, {"lr": 0.1, "momentum": 0.8}) < 1e-12


def my_descent(learning_rate: float = 0.5) -> Any:
    return optax.chain(optax.trace(decay=0.0), optax.scale(-learning_rate))


def test_a_transformation_of_ones_own_and_one_that_is_made() -> None:
    assert here(my_descent).run(np.ones(3), knobs={"lr": 2.0}).tolist() == [-2.0, -4.0, -6.0]
    made = here(optax.sgd(1.0))
    assert made.knobs == frozenset()
    assert made.run(np.ones(3)).tolist() == [-1.0, -2.0, -3.0]


def no_transformation(learning_rate: float = 0.5) -> Any:
    return learning_rate


def test_what_goes_wrong_is_said() -> None:
    with pytest.raises(SubjectError) as caught:
        here(no_transformation, options={})
    assert caught.value.what == f"`{__name__}:no_transformation` made a float, which is no transformation of optax"
    with pytest.raises(UnknownName, match="there is no option of optax:adam `nestorov`"):
        here("optax:adam", options={"nestorov": True})
    with pytest.raises(BadValue, match="`optax:adam` does not run in int8"):
        here("optax:adam", dtype="int8")
    with pytest.raises(SubjectError, match=r"`optax:dpsgd` raised|`optax:lbfgs` raised"):
        here("optax:lbfgs").run(np.ones(3))


def test_named_by_text_it_runs_in_a_process_of_its_own() -> None:
    apart, ours = find_subject("optax:adam", against=rules.adam), here("optax:adam", against=rules.adam)
    assert (apart.knobs, apart.defaults, apart.several) == (ours.knobs, ours.defaults, ours.several)
    assert apart.source == ours.source
    told: dict[str, float] = {"lr": 0.1, "beta1": 0.8}
    for mine, theirs in zip(ours.run(SHAPES, 0.5, told), apart.run(SHAPES, 0.5, told), strict=True):
        assert np.array_equal(mine, theirs)
