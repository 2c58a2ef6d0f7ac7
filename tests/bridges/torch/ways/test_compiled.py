"""The step through torch.compile: right, and compiled once, whatever a schedule does."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
import torch
from torch._dynamo.utils import counters

from mhat import rules
from mhat.bridges.torch.ways.compiled import CompiledStep
from mhat.engines.kernels.lowering import NotLowered
from mhat.engines.step_form import StepForm
from tests.bridges.torch.ways.whole_steps import CPU, errors_of, form_of, started, tensors
from tests.choices import BIT_FOR_BIT, VECTORS

# All of the way but the machine code, which g++ takes seconds for.
TRACED = partial(CompiledStep, backend="eager")


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


# A pass alone, a sum over a tensor, over all, states of a step, of two steps ago, other functions.
TOLD = ["adam", "lamb", "madgrad", "nadam", "pnm", "prodigy"]


@pytest.mark.parametrize(
    "name", [name if name in TOLD else pytest.param(name, marks=pytest.mark.long) for name in VECTORS]
)
def test_rules_step_as_the_arrays_engine(name: str) -> None:
    errors, step = errors_of(rules.named(name), "float64", TRACED)
    alike = name in BIT_FOR_BIT and len(step.passes) == 1
    assert max(errors) <= (0.0 if alike else 1e-12), (name, errors)


# What torch says of itself.
@pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")
@pytest.mark.parametrize("name", ["adam", pytest.param("lamb", marks=pytest.mark.long)])
def test_machine_code_steps_as_the_arrays_engine(name: str) -> None:
    assert max(errors_of(rules.named(name), "float32", CompiledStep)[0]) < 3e-6


def test_a_schedule_compiles_nothing() -> None:
    adam, form = rules.named("adam"), form_of(rules.named("adam"), "float32")
    xs, gs = tensors(0, "float32"), tensors(1, "float32")
    states = started(adam, form, xs, gs)
    step = TRACED(adam, form, [x.numel() for x in xs], [1.0] * 5, 5.0, CPU)
    step.run(xs, gs, states, [1.0] * 5, adam.knobs)
    # One for a tensor of one number, one for all others.
    assert counters["stats"]["unique_graphs"] == 2
    for t in range(2, 8):
        step.run(xs, tensors(t, "float32"), states, [float(t)] * 5, adam.knobs | {"lr": 0.1 / t, "beta1": 1 - 1 / t})
    assert counters["stats"]["unique_graphs"] == 2
    assert not counters["graph_break"]


def test_what_is_not_compiled_says_why() -> None:
    with pytest.raises(NotLowered, match="a matrix operation"):
        CompiledStep(rules.named("muon"), form_of(rules.named("muon"), "float32"), [6], [1.0], 1.0, CPU)
    noisy = StepForm("bfloat16", "bfloat16", (), rounding="stochastic")
    with pytest.raises(NotLowered, match="rounding='stochastic'"):
        CompiledStep(rules.named("signsgd"), noisy, [6], [1.0], 1.0, CPU)
