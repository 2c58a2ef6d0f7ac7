"""The fused kernel on tensors has the bits of `mhat.Optimizer`, wherever they lie, whoever has gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import pytest
import torch

import mhat
from mhat import rules
from mhat.bridges.torch.ways import columns
from mhat.bridges.torch.ways.kernel import KernelWay, refusal
from mhat.dtypes import DTYPES
from mhat.engines.kernels.switches import CAN_FLUSH
from mhat.engines.step_form import StepForm
from mhat.engines.whole_steps import starts_of
from mhat.errors import BadValue
from mhat.language import Rule, rule
from mhat.language.inference import SCALAR
from tests.choices import often
from tests.engines.kernels.interpreted import run_by_python

# A state as large as the tensor, whatever the library does.
MOMENTUM = rule("def my_momentum(x, g, m=0, *, lr=0.5):\n    m = 0.5 * m + g\n    return x - lr * m")
SHAPES: list[tuple[int, ...]] = [(3, 4), (5,), (), (2, 3, 2), (0,)]
BF16 = np.dtype(ml_dtypes.bfloat16)


def torch_of(array: np.ndarray) -> torch.Tensor:
    """Copy an array to a tensor of the same bits."""
    if array.dtype == BF16:
        return torch.from_numpy(array.view(np.int16).copy()).view(torch.bfloat16)
    return torch.from_numpy(array.copy())


def array_of(tensor: torch.Tensor) -> np.ndarray:
    plain = tensor.detach().contiguous()
    return plain.view(torch.int16).numpy().view(BF16) if plain.dtype == torch.bfloat16 else plain.numpy()


def drawn(seed: int, dtype: str, shapes: Sequence[tuple[int, ...]] = SHAPES) -> list[np.ndarray]:
    generator = np.random.default_rng(seed)
    held = BF16 if dtype == "bfloat16" else np.dtype(dtype)
    return [np.asarray(generator.standard_normal(shape)).astype(held) for shape in shapes]


def way_of(made: Rule, tensors: list[torch.Tensor], gradients: Sequence[Any], **more: Any) -> tuple[KernelWay, Any]:
    """Make a way with the states that `mhat.Optimizer` has before a step."""
    stored = str(tensors[0].dtype).removeprefix("torch.")
    computed = DTYPES[stored].computed
    alone = made.dependence.per_step_states
    wide = [name for name in made.tree.state_names if name not in alone and made.shapes[name] != SCALAR]
    loose = stored != "float64"
    form = StepForm(stored, stored, tuple((name, computed) for name in wide), loose, "nearest", loose and CAN_FLUSH)
    states: dict[str, list[torch.Tensor]] = {
        name: [
            torch.zeros_like(tensor, dtype=getattr(torch, computed)) if name in wide
            else torch.zeros((), dtype=torch.float64 if name in alone else getattr(torch, computed))
            for tensor in tensors
        ]
        for name in made.tree.state_names
    }  # fmt: skip
    numbers = [float(i) for i in range(1, len(tensors) + 1)]
    named = {"knobs": made.knobs, "numbers": numbers, "n": float(len(tensors)), "given": [{}] * len(tensors)}
    xs = [array_of(tensor) for tensor in tensors]
    for i, values in starts_of(made, computed, xs, gradients, np.ones(len(tensors), bool), named):
        for name, value in values.items():
            states[name][i].copy_(torch.as_tensor(np.asarray(value, np.float64)))
    return KernelWay(made, form, tensors, states, numbers=numbers, count=float(len(tensors)), **more), states


def parameters(arrays: Sequence[np.ndarray]) -> list[torch.Tensor]:
    return [torch.nn.Parameter(torch_of(array)) for array in arrays]


def check_same(tensors: Sequence[torch.Tensor], arrays: Sequence[np.ndarray]) -> None:
    for tensor, array in zip(tensors, arrays, strict=True):
        assert array_of(tensor).tobytes() == np.ascontiguousarray(array).tobytes(), (tensor, array)


@pytest.fixture
def by_python() -> Iterator[None]:
    """Let no kernel be compiled where it is memory that matters."""
    with run_by_python():
        yield


@pytest.mark.parametrize(("name", "dtype"), [("adam", "float32"), ("lamb", "bfloat16"), ("adam", "float16")])
def test_compiled_kernels_have_the_bits_of_numpy(name: str, dtype: str) -> None:
    check_course(rules.named(name), dtype)


@pytest.mark.usefixtures("by_python")
@pytest.mark.parametrize("name", ["adam", "lamb", "nadam", "dog", "adagrad_norm"])
def test_the_bits_of_numpy_in_double_precision(name: str) -> None:
    check_course(rules.named(name), "float64")


@pytest.mark.usefixtures("by_python")
@pytest.mark.parametrize("name", often())
def test_every_rule_has_the_bits_of_numpy(name: str) -> None:
    check_course(rules.named(name), "float32")


def check_course(made: Rule, dtype: str) -> None:
    xs = drawn(0, dtype)
    tensors = parameters(xs)
    opt = mhat.Optimizer(made, xs)
    way, states = way_of(made, tensors, drawn(1, dtype))
    for t in (1.0, 2.0, 3.0):
        gradients = drawn(int(t), dtype)
        opt.step(gradients)
        if t == 2.0:
            for tensor, gradient in zip(tensors, gradients, strict=True):
                tensor.grad = torch_of(gradient)
            chosen = way.step_held(np.full(len(xs), t), opt.knobs)
            assert chosen is not None and chosen.all()
        else:
            way.step([torch_of(gradient) for gradient in gradients], [t] * len(xs), opt.knobs)
        check_same(tensors, xs)
    for name, held in states.items():
        check_same(held, opt.state[name])


# Gradients that are missing, late, or lie elsewhere


@pytest.mark.usefixtures("by_python")
@pytest.mark.parametrize("name", ["adam", "nadam", "lamb", "adagrad_norm"])
def test_tensors_without_a_gradient_stay_as_they_are(name: str) -> None:
    xs = drawn(0, "float32")
    tensors = parameters(xs)
    opt = mhat.Optimizer(name, xs)
    way, _ = way_of(rules.named(name), tensors, drawn(0, "float32"))
    tensors[3].requires_grad_(False)
    counts = np.zeros(len(xs))
    for missing in ([3], [0, 3], [1, 3, 4], [0, 1, 2, 3, 4], [2, 3]):
        gradients: list[Any] = drawn(len(missing), "float32")
        for i in missing:
            gradients[i] = None
        opt.step(list(gradients))
        for tensor, gradient in zip(tensors, gradients, strict=True):
            tensor.grad = None if gradient is None else torch_of(gradient)
        before = [tensor._version for tensor in tensors]
        chosen = way.step_held(counts + 1, opt.knobs)
        assert chosen is not None
        assert chosen.tolist() == [i not in missing for i in range(len(xs))]
        counts += chosen
        check_same(tensors, xs)
        # Autograd is told what has changed, and of that alone.
        assert [tensor._version - version for tensor, version in zip(tensors, before, strict=True)] == chosen.tolist()


@pytest.mark.usefixtures("by_python")
def test_a_graph_that_kept_a_parameter_is_told_that_it_was_stepped() -> None:
    tensors = parameters(drawn(0, "float32"))
    way, _ = way_of(rules.sgd, tensors, [])
    loss = (tensors[0] ** 2).sum()
    way.step([torch.ones_like(tensor) for tensor in tensors], [1.0] * 5, rules.sgd.knobs)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.backward(loss)


@pytest.mark.usefixtures("by_python")
@pytest.mark.parametrize("name", ["adam", "nadam", "lamb"])
def test_each_tensor_lies_as_it_likes(name: str) -> None:
    """Channels last, transposed, with gaps, and gradients in yet another order: the numbers are the same."""
    shapes = [(2, 3, 4, 5), (6, 4), (4, 6), (5, 1), (7,)]
    arrays = drawn(0, "float32", shapes)
    lying = [
        torch_of(arrays[0]).to(memory_format=torch.channels_last),
        torch_of(np.ascontiguousarray(arrays[1].T)).t(),
        torch.zeros(8, 12)[::2, ::2].copy_(torch_of(arrays[2])),
        torch.zeros(5, 3)[:, :1].copy_(torch_of(arrays[3])),
        torch.zeros(14)[::2].copy_(torch_of(arrays[4])),
    ]
    tensors: list[torch.Tensor] = [torch.nn.Parameter(each) for each in lying]
    strides = [tensor.stride() for tensor in tensors]
    assert strides[:3] == [(60, 1, 15, 3), (1, 6), (24, 2)]
    opt = mhat.Optimizer(name, arrays)
    way, states = way_of(rules.named(name), tensors, arrays)
    for t in (1.0, 2.0, 3.0):
        gradients = drawn(int(t), "float32", shapes)
        opt.step(gradients)
        given = [torch_of(gradient) for gradient in gradients]
        if t == 2:
            given[0] = given[0].to(memory_format=torch.channels_last)
            given[4] = torch.zeros(21)[::3].copy_(given[4])
        for tensor, gradient in zip(tensors, given, strict=True):
            tensor.grad = gradient
        if way.step_held(np.full(5, t), opt.knobs) is None:
            way.step(given, [t] * 5, opt.knobs)
        # Row by row they are the same, but that sums go through them in another order.
        for tensor, array in zip(tensors, arrays, strict=True):
            assert np.array_equal(array_of(tensor), array)
    assert [tensor.stride() for tensor in tensors] == strides
    for name, held in states.items():
        for tensor, array in zip(held, opt.state[name], strict=True):
            assert np.array_equal(array_of(tensor), array)


@pytest.mark.usefixtures("by_python")
def test_parameters_that_are_laid_elsewhere_are_followed() -> None:
    """`model.to(memory_format=...)`, or a flat buffer for all of them, after the optimizer was made."""
    shapes = [(2, 3, 4, 5), (6,)]
    arrays = drawn(0, "float32", shapes)
    tensors = parameters(arrays)
    opt = mhat.Optimizer("adam", arrays)
    way, _ = way_of(rules.adam, tensors, arrays)
    for t in (1.0, 2.0, 3.0):
        gradients = drawn(int(t), "float32", shapes)
        opt.step(gradients)
        way.step([torch_of(gradient) for gradient in gradients], [t, t], opt.knobs)
        check_same(tensors, arrays)
        if t == 1:
            tensors[0].data = tensors[0].data.to(memory_format=torch.channels_last)
            tensors[1].data = torch.cat([torch.zeros(3), tensors[1].data])[3:]


# Refusals


@pytest.mark.usefixtures("by_python")
def test_gradients_in_memory_that_is_written_are_refused() -> None:
    tensors = parameters(drawn(0, "float32"))
    before = [tensor.clone() for tensor in tensors]
    way, states = way_of(MOMENTUM, tensors, [])
    knobs = MOMENTUM.knobs
    right: list[Any] = [torch.ones_like(tensor) for tensor in tensors]
    said = []
    for place, wrong in ((1, tensors[1].detach()), (0, states["m"][0]), (1, tensors[0].detach().view(-1)[3:8])):
        for _ in range(2):
            with pytest.raises(BadValue) as refused:
                way.step([*right[:place], wrong, *right[place + 1 :]], [1.0] * 5, knobs)
            said.append(str(refused.value))
    copy = "\nGive a copy of it: a step writes the parameters and states while it reads the gradients."
    assert said == [
        text + copy
        for text in (
            "the gradient of parameter 2 shares memory with parameter 2",
            "the gradient of parameter 1 shares memory with a state of parameter 1",
            "the gradient of parameter 2 shares memory with parameter 1",
        )
        for _ in range(2)
    ]
    tensors[2].grad = tensors[2].detach()
    with pytest.raises(BadValue, match="the gradient of parameter 3 shares memory with parameter 3"):
        way.step_held(np.ones(5), knobs)
    assert all(torch.equal(tensor, was) for tensor, was in zip(tensors, before, strict=True))
    assert not any(state.any() for state in states["m"])
    way.step(right, [1.0] * 5, knobs)
    assert not torch.equal(tensors[1], before[1])


WRONG: dict[str, tuple[Any, str]] = {
    "shape": (
        lambda: torch.ones(4, 3),
        "parameter 1 is float32 of the shape (3, 4), its gradient float32 of the shape (4, 3)\n"
        "Give both one shape, dtype and device.",
    ),
    "dtype": (
        lambda: torch.ones(3, 4, dtype=torch.float64),
        "parameter 1 is float32 of the shape (3, 4), its gradient float64 of the shape (3, 4)\n"
        "Give both one shape, dtype and device.",
    ),
    "device": (
        lambda: torch.ones(3, 4, device="meta"),
        "parameter 1 is float32 of the shape (3, 4), its gradient float32 of the shape (3, 4) on meta\n"
        "Give both one shape, dtype and device.",
    ),
    "sparse": (
        lambda: torch.ones(3, 4).to_sparse(),
        "the gradient of parameter 1 is sparse\n"
        "Give it dense: gradient.to_dense(), or an embedding without sparse=True.",
    ),
    "array": (
        lambda: np.ones((3, 4)),
        "the gradient of parameter 1 is a ndarray\nGive a tensor, or None for none.",
    ),
}  # fmt: skip


@pytest.mark.usefixtures("by_python")
@pytest.mark.parametrize("kind", WRONG)
def test_what_is_no_gradient_of_a_tensor_is_refused(kind: str) -> None:
    make, text = WRONG[kind]
    tensors = parameters(drawn(0, "float32"))
    way, _ = way_of(rules.sgd, tensors, [])
    with pytest.raises(BadValue) as refused:
        way.step([make(), *[torch.ones_like(tensor) for tensor in tensors[1:]]], [1.0] * 5, rules.sgd.knobs)
    assert str(refused.value) == text
    check_same(tensors, drawn(0, "float32"))


@pytest.mark.usefixtures("by_python")
def test_tensors_that_have_become_others_are_refused() -> None:
    tensors = parameters(drawn(0, "float32"))
    way, states = way_of(MOMENTUM, tensors, [])
    right = [torch.ones_like(tensor) for tensor in tensors]
    tensors[1].data = tensors[1].data.double()
    with pytest.raises(BadValue) as refused:
        way.step(right, [1.0] * 5, MOMENTUM.knobs)
    assert str(refused.value) == (
        "parameter 2 is float64 of the shape (5,) now, and was float32 of the shape (5,)\n"
        "Make another optimizer after a model has been converted or moved."
    )
    tensors[1].data = tensors[1].data.float()
    states["m"][0] = torch.zeros(12)
    with pytest.raises(BadValue, match="a state of parameter 1 is float32 of the shape \\(12,\\) now, and was"):
        way.step(right, [1.0] * 5, MOMENTUM.knobs)


def test_what_the_kernel_does_not_step_is_said() -> None:
    ones = torch.ones(3, 4)
    wrong = {
        "meta": torch.ones(3, device="meta"), "own": ones.as_subclass(Own), "sparse": ones.to_sparse(),
        "complex": ones.to(torch.complex64), "expanded": torch.ones(1, 4).expand(3, 4),
    }  # fmt: skip
    assert {kind: refusal(rules.adam, [ones, tensor]) for kind, tensor in wrong.items()} == {
        "meta": "the fused kernel runs on the CPU, and the tensors are on meta",
        "own": "the fused kernel steps plain tensors, and one is a Own",
        "sparse": "the fused kernel steps plain tensors, and one is a Tensor in the layout sparse_coo",
        "complex": "the fused kernel knows no complex64",
        "expanded": "the fused kernel steps no tensor that has one number in several places",
    }
    assert refusal(rules.muon, [ones]) == "muon works on whole matrices"
    assert refusal(rules.adam, [ones, torch.ones(1, 4).expand(1, 4)]) is None


class Own(torch.Tensor):
    """A tensor that may mean anything."""


# Many tensors, many threads


def test_a_thousand_tensors_in_any_number_of_threads() -> None:
    shapes = [(64,)] * 1000 + [(30_000,)]
    for threads in (1, 2):
        arrays = drawn(0, "float32", shapes)
        tensors = parameters(arrays)
        opt = mhat.Optimizer("adam", arrays)
        way, _ = way_of(rules.adam, tensors, [], threads=threads)
        for t in (1.0, 2.0):
            gradients = drawn(int(t), "float32", shapes)
            opt.step(gradients)
            way.step([torch_of(gradient) for gradient in gradients], [t] * len(shapes), opt.knobs)
        check_same(tensors, arrays)


@pytest.mark.usefixtures("by_python")
def test_without_a_layout_tensors_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "layout", lambda: None)
    xs = drawn(0, "float32")
    tensors = parameters(xs)
    opt = mhat.Optimizer("adam", xs)
    way, _ = way_of(rules.adam, tensors, [])
    for t in (1.0, 2.0):
        gradients: list[Any] = drawn(int(t), "float32")
        gradients[1] = None
        opt.step(list(gradients))
        given = [None if gradient is None else torch_of(gradient) for gradient in gradients]
        for tensor, gradient in zip(tensors, given, strict=True):
            tensor.grad = gradient
        assert way.step_held(np.full(5, t), opt.knobs) is None
        way.step(given, [t] * 5, opt.knobs)
        check_same(tensors, xs)


def test_moments_that_fade_end_as_zero() -> None:
    tensors = parameters([np.zeros(8, np.float32)])
    way, states = way_of(rules.adam, tensors, [])
    for t in range(1, 11):
        way.step([torch.full((8,), 1e-18 if t == 1 else 0.0)], [float(t)], rules.adam.knobs)
    assert (states["v"][0] == 0).all() == CAN_FLUSH
    assert (states["m"][0] > 0).all()
