"""Optimizers of the real Keras as subjects."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.errors import BadValue, SubjectError
from mhat.language import Rule
from mhat.names import find_subject
from mhat.subjects.rules import subject_of_rule
from mhat.subjects.subject import Subject

GRADIENTS = np.random.default_rng(11).normal(size=(30, 4)) * [1.0, 1e-3, 40.0, 1.0]
SHAPES: list[Any] = [GRADIENTS, GRADIENTS[:, 0], GRADIENTS.reshape(30, 2, 2)]


@pytest.fixture(scope="module", autouse=True)
def keras() -> Any:
    """Import keras as the bridge does: what its own imports warn of is not ours."""
    from mhat.errors import MissingExtra
    from mhat.subjects.keras import imported

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return imported()
        except MissingExtra:
            pytest.skip("keras is not installed")


def here(named: Any, **more: Any) -> Subject:
    """Find a subject that runs in this process, where the framework is imported already."""
    return find_subject(named, in_process=True, **more)


def difference(subject: Any, rule: Rule, knobs: dict[str, float], start: float = 0.5) -> float:
    theirs = subject.run(SHAPES, start=start, knobs=knobs)
    ours = subject_of_rule(rule).run(SHAPES, start=start, knobs=knobs)
    return max(float(np.max(np.abs(a - b))) for a, b in zip(ours, theirs, strict=True))


# Without eps, which Keras adds elsewhere.
@pytest.mark.parametrize(
    ("name", "rule", "knobs"),
    [
        ("Adam", rules.adam, {"lr": 0.1, "beta1": 0.8, "eps": 0.0}),
        ("AdamW", rules.adamw, {"lr": 0.1, "weight_decay": 0.3, "eps": 0.0}),
        ("SGD", rules.sgd, {"lr": 0.1}),
        ("RMSprop", rules.rmsprop, {"lr": 0.1, "rho": 0.7, "eps": 0.0}),
        ("Lion", rules.lion, {"lr": 0.1, "beta2": 0.5}),
    ],
)
def test_knobs_by_our_names_on_several_tensors(name: str, rule: Rule, knobs: dict[str, float]) -> None:
    subject = here(f"keras.optimizers:{name}", against=rule)
    assert (subject.name, subject.several, subject.starts) == (f"keras.optimizers:{name}", True, True)
    assert set(knobs) <= subject.knobs
    assert difference(subject, rule, knobs) < 1e-12


def test_defaults_are_kerass() -> None:
    assert here("keras.optimizers:Adam", against=rules.adam).defaults == {
        "lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-7, "weight_decay": 0.0,
    }  # fmt: skip


def test_single_precision_and_what_is_left_as_it_was(keras: Any) -> None:
    before = keras.config.floatx()
    subject = here("keras.optimizers:Adam", dtype="float32")
    assert subject.dtype == "float32"
    parameters = subject.run(GRADIENTS)
    assert np.array_equal(parameters, parameters.astype(np.float32))
    assert not np.array_equal(parameters, here("keras.optimizers:Adam").run(GRADIENTS))
    assert keras.config.floatx() == before


def test_options_go_through() -> None:
    nesterov = here("keras.optimizers:SGD", options={"nesterov": True})
    assert difference(nesterov, rules.nesterov, {"lr": 0.1, "momentum": 0.8}) < 1e-12


def test_what_goes_wrong_is_said(keras: Any) -> None:
    with pytest.raises(SubjectError, match=r"`keras.optimizers:SGD` raised ValueError: Argument\(s\) not recognized"):
        here("keras.optimizers:SGD", options={"fused": True})
    with pytest.raises(BadValue, match=r"`keras.optimizers:Adam` does not run in int8"):
        here("keras.optimizers:Adam", dtype="int8")
    with pytest.raises(BadValue, match=r"this Adam is already made, of parameters of its own"):
        here(keras.optimizers.Adam())
    with pytest.raises(SubjectError, match=r"`keras.optimizers:LossScaleOptimizer` raised TypeError"):
        here("keras.optimizers:LossScaleOptimizer")


@pytest.mark.parametrize(("chosen", "configured", "backend"), [
    ("torch", "", "torch"), ("", "torch", "torch"), ("", "tensorflow", "jax"), ("", "", "jax"),
])  # fmt: skip
def test_the_backend_is_the_users_or_one_that_is_installed(
    chosen: str, configured: str, backend: str, tmp_path: Path
) -> None:
    """Keras writes a configuration by itself, with a backend that may not be there."""
    pytest.importorskip("jax")
    pytest.importorskip("torch")
    if configured:
        (tmp_path / "keras.json").write_text(f'{{"backend": "{configured}"}}')
    environment = {**os.environ, "KERAS_HOME": str(tmp_path), "KERAS_BACKEND": chosen}
    text = (
        "import sys, types, os; sys.modules['keras'] = None\n"
        "from mhat.subjects import keras\n"
        "del sys.modules['keras']\n"
        "keras.importlib.import_module = lambda name: os.environ['KERAS_BACKEND']\n"
        "print(keras.imported())"
    )
    done = subprocess.run(
        [sys.executable, "-c", text], env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == backend


def test_named_by_text_it_runs_in_a_process_of_its_own() -> None:
    apart, ours = (
        find_subject("keras.optimizers:Adam", against=rules.adam),
        here("keras.optimizers:Adam", against=rules.adam),
    )
    assert (apart.knobs, apart.defaults, apart.several) == (ours.knobs, ours.defaults, ours.several)
    assert apart.source == ours.source
    told: dict[str, float] = {"lr": 0.1, "beta1": 0.8}
    for mine, theirs in zip(ours.run(SHAPES, 0.5, told), apart.run(SHAPES, 0.5, told), strict=True):
        assert np.array_equal(mine, theirs)
