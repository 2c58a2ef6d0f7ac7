"""Every rule that a peer of the benchmarks is said to know: a step of it can be made and run."""

import numpy as np
import pytest

from mhat import rules
from mhat.speed import peers

ARRAYS = [np.ones((3, 4), np.float32), np.ones(5, np.float32)]


@pytest.mark.parametrize("rule", peers.TORCH)
def test_torch(rule: str) -> None:
    pytest.importorskip("torch")
    run = peers.torch_step(rule, ARRAYS, ARRAYS)
    run()
    run()


@pytest.mark.parametrize("rule", peers.OPTAX)
def test_optax(rule: str) -> None:
    pytest.importorskip("optax")
    run = peers.optax_step(rule, ARRAYS, ARRAYS)
    run()
    run()


@pytest.mark.parametrize("rule", peers.KERAS)
def test_keras(rule: str) -> None:
    # Not imported here: the peer chooses a backend first.
    if not (peers.installed("keras") and peers.installed("jax")):
        pytest.skip("Keras or a backend of it is not installed")
    run = peers.keras_step(rule, ARRAYS, ARRAYS)
    run()
    run()


def test_the_names_are_rules_of_the_library() -> None:
    assert {*peers.TORCH, *peers.OPTAX, *peers.KERAS} <= set(rules.names())


def test_nothing_that_is_given_is_changed() -> None:
    pytest.importorskip("torch")
    peers.torch_step("adam", ARRAYS, ARRAYS)()
    assert all((array == 1).all() for array in ARRAYS)
