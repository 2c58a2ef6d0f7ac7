"""The kernels printed for Triton, run by a stand-in for it: every rule steps as the arrays engine does."""

from __future__ import annotations

import ast
import importlib.util
import os
import sys
from collections.abc import Iterator

import pytest
import torch

from mhat import rules
from mhat.bridges.torch.ways import triton as way
from mhat.bridges.torch.ways.triton import TritonStep, module_of
from mhat.bridges.torch.ways.triton_text import triton_text
from mhat.engines.kernels.lowering import NotLowered
from mhat.language import rule
from tests.bridges.torch.ways.stand_in_triton import modules
from tests.bridges.torch.ways.whole_steps import CPU, errors_of, form_of, started, tensors
from tests.choices import BIT_FOR_BIT, VECTORS, often

REAL = os.environ.get("TRITON_INTERPRET") == "1" and importlib.util.find_spec("triton") is not None
# Triton's interpreter has none of the functions of a device's own library.
OF_THE_DEVICE = {"adam_atan2", "adamg", "madgrad", "padam"} if REAL else set[str]()
# It divides in NumPy, which warns.
pytestmark = [pytest.mark.filterwarnings("ignore::RuntimeWarning")] if REAL else []


@pytest.fixture(autouse=True)
def interpreted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let small pieces be stepped by the stand-in, and forget what was printed for it."""
    if not REAL:
        for name, module in modules().items():
            monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(way, "WIDTH", 16)
    monkeypatch.setattr(way, "FOLDED", 2)
    yield
    for name in [name for name in sys.modules if name.startswith("mhat_triton_")]:
        del sys.modules[name]


@pytest.mark.parametrize("name", often(name for name in VECTORS if name not in OF_THE_DEVICE))
def test_every_rule_steps_as_the_arrays_engine(name: str) -> None:
    errors, step = errors_of(rules.named(name), "float64", TritonStep)
    alike = name in BIT_FOR_BIT and not step.printed.reductions
    assert max(errors) <= (0.0 if alike else 1e-12), (name, errors)


@pytest.mark.parametrize("name", ["adam", "lamb", "nadam", "prodigy"])
@pytest.mark.parametrize(("dtype", "bound"), [("float32", 3e-6), ("bfloat16", 3e-2), ("float16", 4e-3)])
def test_smaller_types_are_computed_in_float32(name: str, dtype: str, bound: float) -> None:
    errors, _ = errors_of(rules.named(name), dtype, TritonStep)
    assert 0.0 < max(errors) < bound


def test_tensors_without_a_gradient_stay_and_count_no_step() -> None:
    lamb, form = rules.named("lamb"), form_of(rules.named("lamb"), "float64")
    xs, gs = tensors(0, "float64"), tensors(1, "float64")
    states = started(lamb, form, xs, gs)
    step = TritonStep(lamb, form, [x.numel() for x in xs], [1.0] * 5, 5.0, CPU)
    before = [x.clone() for x in xs]
    step.run(xs, [None, gs[1], None, None, gs[4]], states, [1.0] * 5, lamb.knobs)
    assert [bool((x != y).any()) for x, y in zip(xs, before, strict=True)] == [False, True, False, False, True]
    assert not states["m"][0].any() and states["m"][1].all()


def test_each_tensor_has_its_own_step_number() -> None:
    adam, form = rules.named("adam"), form_of(rules.named("adam"), "float64")
    together, alone = tensors(0, "float64"), tensors(0, "float64")
    gs = tensors(1, "float64")
    sizes = [x.numel() for x in together]
    for xs, turns in ((together, [range(5)]), (alone, [[i] for i in range(5)])):
        states = started(adam, form, xs, gs)
        step = TritonStep(adam, form, sizes, [1.0] * 5, 5.0, CPU)
        for chosen in turns:
            step.run(xs, [g if i in chosen else None for i, g in enumerate(gs)], states, [1, 2, 3, 4, 5], adam.knobs)
    assert all(torch.equal(x, y) for x, y in zip(together, alone, strict=True))


def test_addresses_that_are_no_words_are_read_number_by_number() -> None:
    sgd, form = rules.named("momentum"), form_of(rules.named("momentum"), "float32")
    base, gs = torch.zeros(40), [torch.ones(33)]
    xs = [base[1:34]]
    states = started(sgd, form, xs, gs)
    TritonStep(sgd, form, [33], [1.0], 1.0, CPU).run(xs, gs, states, [1.0], sgd.knobs)
    assert (base != 0).sum() == 33 and base[0] == 0 and base[34] == 0


@pytest.mark.skipif(REAL, reason="the stand-in counts what is compiled for")
def test_a_schedule_compiles_nothing() -> None:
    adam, form = rules.named("adam"), form_of(rules.named("adam"), "float32")
    xs, gs = tensors(0, "float32"), tensors(1, "float32")
    states = started(adam, form, xs, gs)
    step = TritonStep(adam, form, [x.numel() for x in xs], [1.0] * 5, 5.0, CPU)
    step.run(xs, gs, states, [1.0] * 5, adam.knobs)
    compiled = set(step._kernels.pass_1.compiled)
    for t in range(2, 8):
        step.run(xs, tensors(t, "float32"), states, [float(t)] * 5, adam.knobs | {"lr": 0.1 / t, "beta1": 1 - 1 / t})
    assert len(compiled) == 1 and step._kernels.pass_1.compiled == compiled


def test_the_text_is_read_as_it_stands() -> None:
    text = triton_text(rules.named("adam"), form_of(rules.named("adam"), "float32")).text
    assert "    m_v15 = m_in + e_v14 * (g_in - m_in)\n" in text
    assert "  # 1 / (1 - beta2**t)\n" in text
    assert [node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)] == [
        "div_", "sqrt_", "square_", "address_", "piece_1", "pass_1",
    ]  # fmt: skip
    assert module_of(text) is module_of(text)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("return x - lr * (g % 2)", "`mod` of a coordinate"),
        ("return x - lr * (g // 2)", "`floordiv` of a coordinate"),
        ("return x - lr * orthogonal(g)", "a matrix operation"),
    ],
)
def test_what_is_not_printed_says_why(body: str, why: str) -> None:
    mine = rule(f"def mine(x, g, *, lr=0.1):\n    {body}")
    with pytest.raises(NotLowered, match=why.replace("`", "`")):
        triton_text(mine, form_of(mine, "float32"))
