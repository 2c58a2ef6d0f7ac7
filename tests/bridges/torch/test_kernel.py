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
from mhat.bridges.torch import Optimizer
from mhat.bridges.torch import optimizer as optimizers
from mhat.bridges.torch.ways import choice, columns
from mhat.bridges.torch.ways.eager import by_operations
from mhat.engines.kernels import step
from mhat.engines.kernels.modules import NotCompiled
from mhat.engines.kernels.switches import CAN_FLUSH
from mhat.errors import BadValue
from mhat.language import Rule, rule
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


def optimizer(made: Any, tensors: Sequence[torch.Tensor], **options: Any) -> Optimizer:
    opt = Optimizer(tensors, rule=made, **options)
    assert [name for name, _ in opt.ways] == ["kernel"]
    return opt


def give(tensors: Sequence[torch.Tensor], gradients: Sequence[Any]) -> None:
    for tensor, gradient in zip(tensors, gradients, strict=True):
        tensor.grad = gradient if gradient is None or isinstance(gradient, torch.Tensor) else torch_of(gradient)


def states_of(opt: Optimizer, tensors: Sequence[torch.Tensor], name: str) -> list[torch.Tensor]:
    return [opt.state[tensor][name] for tensor in tensors]


def check_course(made: Rule, dtype: str) -> None:
    """Step with gradients read from the parameters, and with a list of them: the bits are those of NumPy."""
    for missing in ("skip", "zero"):
        xs = drawn(0, dtype)
        tensors = parameters(xs)
        theirs, opt = mhat.Optimizer(made, xs), optimizer(made, tensors, missing=missing)
        for t in (1, 2, 3):
            gradients = drawn(t, dtype)
            theirs.step(gradients)
            give(tensors, gradients)
            opt.step()
            check_same(tensors, xs)
        for name in made.tree.state_names:
            check_same(states_of(opt, tensors, name), theirs.state[name])


# Gradients that are missing, late, or lie elsewhere


@pytest.mark.usefixtures("by_python")
@pytest.mark.parametrize("name", ["adam", "nadam", "lamb", "adagrad_norm", "schedule_free"])
def test_tensors_without_a_gradient_stay_as_they_are(name: str) -> None:
    xs = drawn(0, "float32")
    tensors = parameters(xs)
    theirs, opt = mhat.Optimizer(name, xs), optimizer(name, tensors)
    tensors[3].requires_grad_(False)
    for missing in ([3], [0, 3], [1, 3, 4], [0, 1, 2, 3, 4], [2, 3], []):
        gradients: list[Any] = drawn(len(missing), "float32")
        for i in missing:
            gradients[i] = None
        theirs.step(list(gradients))
        give(tensors, gradients)
        before = [tensor._version for tensor in tensors]
        opt.step()
        check_same(tensors, xs)
        # Autograd is told what has changed, and of that alone.
        moved = [tensor._version - version for tensor, version in zip(tensors, before, strict=True)]
        assert moved == [int(i not in missing) for i in range(len(xs))]
    assert [int(step) for step in states_of(opt, tensors, "step")] == [4, 4, 4, 1, 4]


@pytest.mark.usefixtures("by_python")
def test_a_graph_that_kept_a_parameter_is_told_that_it_was_stepped() -> None:
    tensors = parameters(drawn(0, "float32"))
    opt = optimizer("sgd", tensors)
    for t in (1, 2, 3):
        loss = (tensors[0] ** 2).sum()
        give(tensors, drawn(t, "float32"))
        opt.step()
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
    theirs, opt = mhat.Optimizer(name, arrays), optimizer(name, tensors)
    for t in (1, 2, 3):
        gradients = drawn(t, "float32", shapes)
        theirs.step(gradients)
        given = [torch_of(gradient) for gradient in gradients]
        if t == 2:
            given[0] = given[0].to(memory_format=torch.channels_last)
            given[4] = torch.zeros(21)[::3].copy_(given[4])
        give(tensors, given)
        opt.step()
        for tensor, array in zip(tensors, arrays, strict=True):
            assert np.array_equal(array_of(tensor), array)
    assert [tensor.stride() for tensor in tensors] == strides
    for state in ("m", "v"):
        for tensor, array in zip(states_of(opt, tensors, state), theirs.state[state], strict=True):
            assert np.array_equal(array_of(tensor), array)
    # A moment lies as its parameter does.
    assert opt.state[tensors[0]]["m"].stride() == strides[0]


@pytest.mark.usefixtures("by_python")
def test_parameters_that_are_laid_elsewhere_are_followed() -> None:
    """`model.to(memory_format=...)`, or a flat buffer for all of them, after the optimizer was made."""
    shapes = [(2, 3, 4, 5), (6,)]
    arrays = drawn(0, "float32", shapes)
    tensors = parameters(arrays)
    theirs, opt = mhat.Optimizer("adam", arrays), optimizer("adam", tensors)
    for t in (1, 2, 3):
        gradients = drawn(t, "float32", shapes)
        theirs.step(gradients)
        # The gradient has the strides of its parameter.
        give(tensors, [torch.empty_like(x).copy_(torch_of(g)) for x, g in zip(tensors, gradients, strict=True)])
        opt.step()
        for tensor, array in zip(tensors, arrays, strict=True):
            assert np.array_equal(array_of(tensor), array)
        if t == 1:
            tensors[0].data = tensors[0].data.to(memory_format=torch.channels_last)
            tensors[1].data = torch.cat([torch.zeros(3), tensors[1].data])[3:]


@pytest.mark.usefixtures("by_python")
def test_complex_numbers_step_as_pairs() -> None:
    pairs = drawn(0, "float32", [(3, 2), (2, 2, 2)])
    tensors = [torch.nn.Parameter(torch.view_as_complex(torch_of(pair))) for pair in pairs]
    theirs, opt = mhat.Optimizer("adam", pairs), optimizer("adam", tensors)
    for t in (1, 2):
        gradients = drawn(t, "float32", [(3, 2), (2, 2, 2)])
        theirs.step(gradients)
        give(tensors, [torch.view_as_complex(torch_of(gradient)) for gradient in gradients])
        opt.step()
        check_same([torch.view_as_real(tensor) for tensor in tensors], pairs)


# Refusals


@pytest.mark.usefixtures("by_python")
def test_gradients_in_memory_that_is_written_are_refused() -> None:
    tensors = parameters(drawn(0, "float32"))
    before = [tensor.detach().clone() for tensor in tensors]
    opt = Optimizer([(f"layer.{i}", tensor) for i, tensor in enumerate(tensors)], rule=MOMENTUM)
    right = drawn(1, "float32")
    said = []
    for place, wrong in (
        (1, tensors[1].detach()), (0, opt.state[tensors[0]]["m"]), (1, tensors[0].detach().view(-1)[3:8]),
    ):  # fmt: skip
        give(tensors, [*right[:place], wrong, *right[place + 1 :]])
        # It stays wrong where it stays.
        for _ in range(2):
            with pytest.raises(BadValue) as refused:
                opt.step()
            said.append(str(refused.value))
    copy = "\nGive a copy of it: a step writes the parameters and states while it reads the gradients."
    assert said == [
        text + copy
        for text in (
            "the gradient of layer.1 shares memory with layer.1",
            "the gradient of layer.0 shares memory with a state of layer.0",
            "the gradient of layer.1 shares memory with layer.0",
        )
        for _ in range(2)
    ]
    assert all(torch.equal(tensor, was) for tensor, was in zip(tensors, before, strict=True))
    assert not any(opt.state[tensor]["m"].any() or opt.state[tensor]["step"] for tensor in tensors)
    give(tensors, right)
    opt.step()
    assert not torch.equal(tensors[1], before[1])


@pytest.mark.usefixtures("by_python")
def test_a_shared_gradient_is_seen_after_another_was_refused() -> None:
    """What a refused step had read of the others was not looked at."""
    tensors = parameters(drawn(0, "float32"))
    opt = optimizer(MOMENTUM, tensors)
    right = [torch_of(each) for each in drawn(1, "float32")]
    give(tensors, right)
    opt.step()
    ((_, way),) = opt._lines
    with pytest.raises(RuntimeError):
        way.step([tensors[0].detach(), torch.zeros(4), *right[2:]], [2.0] * 5, opt.param_groups[0].now())
    with pytest.raises(BadValue, match="shares memory with"):
        way.step([tensors[0].detach(), *right[1:]], [2.0] * 5, opt.param_groups[0].now())


@pytest.mark.usefixtures("by_python")
def test_what_was_settled_is_looked_at_again() -> None:
    """Gradients that come to lie in a state, parameters and states that move, a step without a gradient, then all."""
    xs = drawn(0, "float32")
    tensors = parameters(xs)
    theirs, opt = mhat.Optimizer(MOMENTUM, xs), optimizer(MOMENTUM, tensors)

    def step(gradients: list[Any]) -> None:
        theirs.step(list(gradients))
        give(tensors, gradients)
        opt.step()
        check_same(tensors, xs)

    for t in (1, 2, 3):
        step(drawn(t, "float32"))
    right, tensors[0].grad = tensors[0].grad, opt.state[tensors[0]]["m"]
    for _ in range(2):
        with pytest.raises(BadValue, match="shares memory with a state of"):
            opt.step()
    tensors[0].grad = right
    check_same(tensors, xs)
    tensors[0].data = tensors[0].data.clone()
    step(drawn(4, "float32"))
    opt.state[tensors[3]]["m"].data = opt.state[tensors[3]]["m"].data.clone()
    step(drawn(5, "float32"))
    opt.state[tensors[1]]["m"] = opt.state[tensors[1]]["m"].clone()
    step(drawn(6, "float32"))
    step([None, *drawn(7, "float32")[1:]])
    for t in (8, 9):
        step(drawn(t, "float32"))
    assert torch.is_tensor(opt.state[tensors[0]]["m"])
    assert [int(count) for count in states_of(opt, tensors, "step")] == [8, 9, 9, 9, 9]


@pytest.mark.usefixtures("by_python")
def test_tensors_that_have_become_others_are_refused() -> None:
    tensors = parameters(drawn(0, "float32"))
    opt = optimizer(MOMENTUM, tensors)
    tensors[1].data = tensors[1].data.double()
    give(tensors[:1], drawn(1, "float32")[:1])
    with pytest.raises(BadValue) as refused:
        opt.step()
    assert str(refused.value) == (
        "param_groups[0]['params'][1] is float64 of the shape (5,) now, and was float32 of the shape (5,)\n"
        "Make another optimizer after a model has been converted or moved."
    )
    tensors[1].data = tensors[1].data.float()
    opt.state[tensors[0]]["m"].resize_(12)
    with pytest.raises(BadValue, match=r"a state of param_groups.* is float32 of the shape \(12,\) now, and was"):
        opt.step()


def test_what_the_kernel_does_not_step_is_said() -> None:
    wrong = {
        "meta": torch.ones(3, device="meta"), "own": torch.ones(3, 4).as_subclass(Own),
        "expanded": torch.ones(1, 4).expand(3, 4),
    }  # fmt: skip
    assert {kind: Optimizer([tensor.requires_grad_()], rule="adam").ways for kind, tensor in wrong.items()} == {
        "meta": [("eager", "the fused kernel runs on the CPU, and the tensors are on meta")],
        "own": [("eager", "the fused kernel steps plain tensors, and one is a Own")],
        "expanded": [("eager", "the fused kernel steps no tensor that has one number in several places")],
    }
    ones = torch.nn.Parameter(torch.ones(3, 4))
    assert Optimizer([ones], rule="muon").ways == [
        ("eager", "muon works on whole matrices, and the fused kernel number by number")
    ]
    assert optimizer("adam", [torch.ones(1, 4).expand(1, 4).requires_grad_()]).ways == [("kernel", "")]


class Own(torch.Tensor):
    """A tensor that may mean anything."""


def test_what_the_compiler_refuses_is_stepped_by_operations(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any) -> None:
        raise NotCompiled("TypingError: no")

    monkeypatch.setattr(step, "compile_for", refuse)
    xs = drawn(0, "float64")
    tensors = parameters(xs)
    theirs, opt = mhat.Optimizer("nadam", xs), optimizer("nadam", tensors)
    for t in (1, 2):
        gradients = drawn(t, "float64")
        theirs.step(gradients)
        give(tensors, gradients)
        opt.step()
        for tensor, x in zip(tensors, xs, strict=True):
            assert np.allclose(array_of(tensor), x, rtol=1e-14)
    assert opt.ways == [("eager", "there is no fused kernel for nadam: TypingError: no")]


@pytest.mark.usefixtures("by_python")
@pytest.mark.parametrize("rates", [(0.5, 0.5), (0.5, 0.25)])
def test_groups_that_a_rule_looks_at_together_may_have_other_knobs(
    monkeypatch: pytest.MonkeyPatch, rates: tuple[float, float]
) -> None:
    """The kernel takes one value of a knob; where there are two, operations step as they would have anyhow."""
    found = []
    for choose in (choice.choose_way, by_operations):
        monkeypatch.setattr(optimizers, "choose_way", choose)
        tensors = parameters(drawn(0, "float64"))
        groups = [{"params": tensors[:2], "lr": rates[0]}, {"params": tensors[2:], "lr": rates[1]}]
        opt = Optimizer(groups, rule="dog")
        for t in (1, 2, 3):
            give(tensors, drawn(t, "float64"))
            opt.step()
        found.append([array_of(tensor) for tensor in tensors])
    assert opt.ways == [("eager", "")]
    for fused, eager in zip(*found, strict=True):
        assert np.allclose(fused, eager, rtol=1e-13)


@pytest.mark.usefixtures("by_python")
def test_several_groups_step_each_by_its_own_rule() -> None:
    xs = drawn(0, "float32")
    tensors = parameters(xs)
    groups = [{"params": tensors[:2], "rule": "adam"}, {"params": tensors[2:], "rule": MOMENTUM, "lr": 0.25}]
    opt = Optimizer(groups)
    assert [name for name, _ in opt.ways] == ["kernel", "kernel"]
    first, second = mhat.Optimizer("adam", xs[:2]), mhat.Optimizer(MOMENTUM, xs[2:], lr=0.25)
    for t in (1, 2, 3):
        gradients = drawn(t, "float32")
        first.step(gradients[:2])
        second.step(gradients[2:])
        give(tensors, gradients)
        opt.step()
        check_same(tensors, xs)
        opt.param_groups[1]["lr"] = second.lr = 0.25 / (t + 1)


# Many tensors, many threads


def test_a_thousand_tensors_in_any_number_of_threads() -> None:
    shapes = [(64,)] * 1000 + [(30_000,)]
    for threads in (1, 2):
        arrays = drawn(0, "float32", shapes)
        tensors = parameters(arrays)
        theirs, opt = mhat.Optimizer("adam", arrays), optimizer("adam", tensors, threads=threads)
        for t in (1, 2):
            gradients = drawn(t, "float32", shapes)
            theirs.step(gradients)
            give(tensors, gradients)
            opt.step()
        check_same(tensors, arrays)


@pytest.mark.usefixtures("by_python")
def test_without_a_layout_tensors_are_read_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "layout", lambda: None)
    xs = drawn(0, "float32")
    tensors = parameters(xs)
    theirs, opt = mhat.Optimizer("adam", xs), optimizer("adam", tensors)
    for t in (1, 2):
        gradients: list[Any] = drawn(t, "float32")
        gradients[1] = None
        theirs.step(list(gradients))
        give(tensors, gradients)
        opt.step()
        check_same(tensors, xs)


def test_a_seed_and_a_step_give_the_same_noise_as_in_numpy() -> None:
    xs = drawn(0, "bfloat16")
    tensors = parameters(xs)
    options: dict[str, Any] = {"rounding": "stochastic", "seed": 5, "lr": 1e-4}
    theirs, opt = mhat.Optimizer("adam", xs, **options), optimizer("adam", tensors, **options)
    for t in (1, 2):
        gradients = drawn(t, "bfloat16")
        theirs.step(gradients)
        give(tensors, gradients)
        opt.step()
        check_same(tensors, xs)


def test_what_rounding_takes_away_is_kept() -> None:
    xs = drawn(0, "bfloat16")
    tensors = parameters(xs)
    theirs, opt = mhat.Optimizer("sgd", xs, rounding="kahan"), optimizer("sgd", tensors, rounding="kahan")
    for t in (1, 2, 3):
        gradients = drawn(t, "bfloat16")
        theirs.step(gradients)
        give(tensors, gradients)
        opt.step()
        check_same(tensors, xs)


def test_moments_that_fade_end_as_zero_but_where_bits_are_promised() -> None:
    for options, kept in (({}, not CAN_FLUSH), ({"flush_denormals": False}, True), ({"as_written": True}, True)):
        (tensor,) = tensors = parameters([np.zeros(8, np.float32)])
        opt = optimizer("adam", tensors, **options)
        for t in range(1, 11):
            tensor.grad = torch.full((8,), 1e-18 if t == 1 else 0.0)
            opt.step()
        assert bool(opt.state[tensor]["v"].any()) == kept
        assert (opt.state[tensor]["m"] > 0).all()
