"""What is read of the optimizers of frameworks."""

from __future__ import annotations

import pytest

import mhat
from mhat.names import find_subject
from mhat.reading.reading import read

ADAM = """\
def adam(
    x, g, t, exp_avg=0, exp_avg_sq=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0,
):
    grad = g + weight_decay * x
    exp_avg = exp_avg + (1 - beta1) * (grad - exp_avg)
    exp_avg_sq = exp_avg_sq * beta2 + (1 - beta2) * grad * grad
    bias_correction1 = 1 - beta1**t
    bias_correction2 = 1 - beta2**t
    step_size = lr / bias_correction1
    bias_correction2_sqrt = bias_correction2**0.5
    denom = sqrt(exp_avg_sq) / bias_correction2_sqrt + eps
    return x - step_size * exp_avg / denom"""


def test_torchs_adam_is_read_line_by_line() -> None:
    reading = read(find_subject("torch.optim:Adam", in_process=True, options={"foreach": False}))
    assert reading.complete, reading.notes
    assert str(reading) == ADAM
    assert all(places[0][0].endswith("adam.py") for places in (line.places for line in reading.lines))


@pytest.mark.parametrize("name", ["SGD", "RAdam", "NAdam", "Rprop", "Adadelta"])
@pytest.mark.parametrize("foreach", [False, True])
def test_torchs_others_are_read(name: str, foreach: bool) -> None:
    options = {"foreach": foreach}
    subject = find_subject(f"torch.optim:{name}", in_process=True, options=options, against=mhat.rules.momentum)
    reading = read(subject)
    assert reading.complete, reading.notes


def test_optax_is_read() -> None:
    reading = read(find_subject("optax:sgd", in_process=True, options={"momentum": 0.9}))
    assert reading.complete, reading.notes


def test_random_keys_of_jax_are_no_numbers() -> None:
    """Guards against a failure of the recording that is laid at the subject's door."""
    optax = pytest.importorskip("optax")
    reading = mhat.read(optax.noisy_sgd)
    assert reading.rule is None and reading.notes[0].startswith("it runs, but cannot be recorded: ")
