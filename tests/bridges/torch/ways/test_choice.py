"""Which way an optimizer of torch takes, and that all ways that can be asked for come to the same."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch._dynamo.utils import counters

from mhat.bridges.torch import Optimizer
from mhat.bridges.torch.options import WAYS
from mhat.bridges.torch.ways import compiled, triton
from mhat.bridges.torch.ways.choice import ASKED, choose_way
from mhat.bridges.torch.ways.eager import by_operations
from mhat.errors import BadValue
from tests.bridges.torch.ways.stand_in_triton import modules


@pytest.fixture
def triton_stands_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let a stand-in be Triton on the CPU."""
    for name, module in modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setenv(triton.INTERPRETED, "1")
    monkeypatch.setattr(triton, "WIDTH", 16)
    yield
    for name in [name for name in sys.modules if name.startswith("mhat_triton_")]:
        del sys.modules[name]


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let torch.compile trace alone. Not with the stand-in there: it looks for Triton, and remembers."""
    monkeypatch.setattr(compiled, "BACKEND", "eager")
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


def trained(way: str, rule: str, steps: int = 4) -> list[torch.Tensor]:
    """Train two groups with learning rates of their own, one of them on a schedule, the first tensor not always."""
    torch.manual_seed(0)
    xs = [nn.Parameter(torch.randn(shape)) for shape in ((3, 4), (20,), (), (2, 3, 2, 2))]
    xs[3].data = xs[3].data.to(memory_format=torch.channels_last)
    opt = Optimizer([{"params": xs[:2], "lr": 0.1}, {"params": xs[2:]}], rule=rule, way=way)
    assert {name for name, _ in opt.ways} == {way}
    schedule = torch.optim.lr_scheduler.ExponentialLR(opt, 0.9)
    for i in range(steps):
        for place, x in enumerate(xs):
            x.grad = None if place == 0 and i == 1 else torch.randn(x.shape)
        opt.step()
        schedule.step()
    return [x.detach() for x in xs]


@pytest.mark.parametrize("rule", ["adamw", "lamb", "nadam", "prodigy"])
@pytest.mark.parametrize(
    ("way", "fixture"), [("triton", "triton_stands_in"), ("compiled", "traced"), ("kernel", "monkeypatch")]
)
def test_ways_come_to_the_same(way: str, fixture: str, rule: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(fixture)
    for one, other in zip(trained(way, rule), trained("eager", rule), strict=True):
        torch.testing.assert_close(one, other, rtol=3e-6, atol=3e-7)


@pytest.mark.usefixtures("traced")
def test_a_schedule_of_torch_compiles_nothing() -> None:
    trained("compiled", "adamw", steps=1)
    first = counters["stats"]["unique_graphs"]
    counters.clear()
    torch._dynamo.reset()
    trained("compiled", "adamw", steps=6)
    assert counters["stats"]["unique_graphs"] == first > 0


@pytest.mark.parametrize(("way", "fixture"), [("triton", "triton_stands_in"), ("compiled", "traced")])
def test_a_step_is_seen_by_autograd(way: str, fixture: str, request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(fixture)
    x = nn.Parameter(torch.ones(3))
    loss, x.grad = (x * x).sum(), torch.ones(3)
    Optimizer([x], rule="sgd", way=way).step()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        loss.backward()


def test_what_cannot_be_asked_for_is_refused() -> None:
    assert set(ASKED) == set(WAYS)
    x = nn.Parameter(torch.ones(2, 3))
    with pytest.raises(BadValue) as refused:
        Optimizer([x], rule="sgd", way="fused")
    assert (
        str(refused.value)
        == "way='fused' is none of kernel, triton, compiled, eager\nLeave it out: the quickest is taken."
    )
    with pytest.raises(BadValue) as refused:
        Optimizer([x], rule="sgd", way="triton")
    assert str(refused.value) == (
        "param_groups[0]['params'][0] is not stepped by way='triton': Triton has no kernels for the CPU\n"
        "Leave `way` out: `opt.ways` tells which it is."
    )
    with pytest.raises(BadValue, match=r"torch\.compile is not given a matrix operation"):
        Optimizer([x], rule="muon", way="compiled")
    with pytest.raises(BadValue, match="tensors have gaps in memory"):
        Optimizer([nn.Parameter(torch.ones(8)[::2])], rule="sgd", way="compiled")


@pytest.mark.usefixtures("traced")
def test_a_compiler_that_fails_is_heard_before_anything_is_stepped(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise RuntimeError("no compiler\nand why")

    monkeypatch.setattr(compiled.CompiledStep, "run", fails)
    x = nn.Parameter(torch.ones(2, 3))
    with pytest.raises(BadValue, match=r"way='compiled': torch\.compile fails: RuntimeError: no compiler\n"):
        Optimizer([x], rule="sgd", way="compiled")
    # Without being asked for, the next way steps.
    opt = Optimizer([x], rule="sgd")
    bucket = opt._lines[0][0]
    asked = replace(bucket, options=replace(bucket.options, way="compiled"))
    way = choose_way(replace(bucket), [lambda _: compiled.by_compiler(asked), by_operations])
    assert (way.name, way.why) == ("eager", "torch.compile fails: RuntimeError: no compiler")


def test_nobody_wonders_why_the_cpu_is_no_accelerator() -> None:
    opt = Optimizer([nn.Parameter(torch.ones(2, 3))], rule="muon")
    assert opt.ways[-1][0] == "eager" and "Triton" not in opt.ways[-1][1]
