"""`mhat.Optimizer` as its user meets it: containers, knobs, gradients that are missing, states, copies."""

from __future__ import annotations

import copy
import os
import pickle
import threading
from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import mhat
from mhat.bridges.numpy.containers import Structure
from mhat.errors import BadValue
from mhat.language import rule
from tests.engines.kernels.interpreted import run_by_python
from tests.engines.kernels.stepping import use_threads

MOMENTUM = rule("def my_momentum(x, g, m=0, *, lr=0.5, beta=0.5):\n    m = beta * m + g\n    return x - lr * m")
NESTED: dict[str, Any] = {"layers": [{"w": np.ones((2, 2)), "b": np.zeros(2)}], "head": (np.ones(3), np.ones(()))}


def fresh(container: Any = NESTED) -> Any:
    return copy.deepcopy(container)


@pytest.fixture
def by_python() -> Iterator[None]:
    """Let no kernel be compiled where it is the containers that matter."""
    with run_by_python():
        yield


def test_an_array_alone() -> None:
    x = np.ones(3)
    opt = mhat.Optimizer(MOMENTUM, x)
    opt.step(np.array([1.0, 2.0, 3.0]))
    assert x.tolist() == [0.5, 0.0, -0.5]
    assert opt.t == 1
    assert opt.state["m"].tolist() == [1.0, 2.0, 3.0]


def test_containers_in_any_mixture() -> None:
    params = fresh()
    opt = mhat.Optimizer(MOMENTUM, params)
    opt.step(fresh())
    assert params["layers"][0]["w"].tolist() == [[0.5, 0.5], [0.5, 0.5]]
    assert params["head"][1] == 0.5
    assert opt.state["m"]["layers"][0]["w"].tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert opt.state["m"]["layers"][0]["b"].tolist() == [0.0, 0.0]


def test_gradients_come_in_any_order_of_keys() -> None:
    params = {"a": np.zeros(2), "b": np.zeros(3)}
    opt = mhat.Optimizer(MOMENTUM, params)
    opt.step({"b": np.full(3, 2.0), "a": np.full(2, 4.0)})
    assert (params["a"][0], params["b"][0]) == (-2.0, -1.0)


def test_a_rule_and_its_name() -> None:
    for given in ("sgd", mhat.rules.sgd):
        x = np.zeros(2)
        mhat.Optimizer(given, x, lr=0.25).step(np.ones(2))
        assert x.tolist() == [-0.25, -0.25]


def test_knobs_are_attributes_and_may_change_at_any_step() -> None:
    x = np.zeros(1)
    opt = mhat.Optimizer(MOMENTUM, x, lr=1.0, beta=0.0)
    assert (opt.lr, opt.knobs) == (1.0, {"lr": 1.0, "beta": 0.0})
    opt.step(np.ones(1))
    opt.lr = 0.25
    opt.step(np.ones(1))
    assert x[0] == -1.25
    assert "lr" in dir(opt)
    opt.lr = np.float32(0.5)
    assert opt.lr == 0.5
    assert repr(opt) == "<Optimizer my_momentum: 1 tensor, 1 parameter, t=2, lr=0.5, beta=0>"


def test_a_changed_knob_counts_as_in_mhat_step() -> None:
    x, other, state = np.ones(3), np.ones(3), None
    opt = mhat.Optimizer("adam", x)
    for t in range(1, 5):
        g = np.linspace(-1.0, 1.0, 3) * t
        opt.lr = 0.1 / t
        opt.step(g)
        made = mhat.step(mhat.rules.adam, other, g, t, state, lr=0.1 / t)
        other, state = made.x, made.state
        assert x.tobytes() == other.tobytes()


@pytest.mark.parametrize("name", ["adam", "nadam"])
def test_a_tensor_without_a_gradient_is_skipped_with_its_own_t(name: str) -> None:
    """Each tensor goes as if it were alone, at its own steps; `product` of nadam is one number a step."""
    random = np.random.default_rng(2)
    present = [[1, 0, 1], [0, 0, 1], [1, 0, 0], [1, 1, 1], [0, 1, 1]]
    gradients = random.normal(size=(len(present), 3, 4))
    params = [np.ones(4) for _ in range(3)]
    opt = mhat.Optimizer(name, params)
    for row, given in zip(present, gradients, strict=True):
        opt.step([g if there else None for there, g in zip(row, given, strict=True)])
    for i in range(3):
        alone = np.ones(4)
        other = mhat.Optimizer(name, alone)
        for row, given in zip(present, gradients, strict=True):
            if row[i]:
                other.step(given[i])
        assert params[i].tobytes() == alone.tobytes()
        for state in opt.state:
            assert np.asarray(opt.state[state][i]).tobytes() == np.asarray(other.state[state]).tobytes()
    assert opt.t == 4


def test_a_schedule_counts_for_the_tensors_that_were_there() -> None:
    """Two tensors of the same t may have lived through other knobs: what is one number a step is one a tensor."""
    made = rule("def f(x, g, p=1, *, b=0.5):\n    p = p * b\n    return x - p * g")
    params = [np.zeros(1), np.zeros(1)]
    opt = mhat.Optimizer(made, params)
    opt.step([np.ones(1), None])
    opt.b = 0.25
    opt.step([None, np.ones(1)])
    opt.b = 1.0
    opt.step([np.ones(1), np.ones(1)])
    assert [float(p[0]) for p in params] == [-1.0, -0.5]
    assert [float(p) for p in opt.state["p"]] == [0.5, 0.25]


def test_missing_as_zero_is_a_gradient_of_zeros() -> None:
    x, y = np.ones(3), np.ones(3)
    one, other = mhat.Optimizer("adam", [x], missing="zero"), mhat.Optimizer("adam", [y])
    for g in (np.full(3, 2.0), None, np.ones(3)):
        one.step([g])
        other.step([np.zeros(3) if g is None else g])
    assert x.tobytes() == y.tobytes()
    assert one.t == 3


def test_a_state_starts_from_the_first_gradient_that_comes() -> None:
    made = rule("def f(x, g, t, v='g**2', z='x', *, lr=1):\n    v = v + g\n    return x - lr * v / t + 0 * z")
    params = [np.zeros(2), np.zeros(2)]
    opt = mhat.Optimizer(made, params)
    opt.step([np.ones(2), None])
    params[1] += 5.0
    opt.step([np.ones(2), np.full(2, 3.0)])
    # v = 3**2 + 3 at its own t of 1.
    assert params[1].tolist() == [5.0 - 12.0] * 2
    assert opt.state["z"][1].tolist() == [5.0, 5.0]
    assert opt.state["v"][0].tolist() == [3.0, 3.0]


def test_a_rule_over_all_looks_at_the_tensors_that_have_gradients(by_python: None) -> None:
    made = rule("def f(x, g, *, lr=1):\n    return x - lr * g / norm(g, over='all')")
    params = [np.zeros(2), np.zeros(3)]
    opt = mhat.Optimizer(made, params)
    opt.step([np.array([3.0, 4.0]), None])
    assert params[0].tolist() == [-0.6, -0.8]
    assert params[1].tolist() == [0.0, 0.0, 0.0]
    opt.step([np.array([3.0, 0.0]), np.array([0.0, 4.0, 0.0])])
    assert params[1].tolist() == [0.0, -0.8, 0.0]


def test_a_step_without_any_gradient_does_nothing() -> None:
    params = [np.ones(2)]
    opt = mhat.Optimizer("adam", params)
    opt.step([None])
    assert (params[0].tolist(), opt.t) == ([1.0, 1.0], 0)


def test_views_of_states_stay_views(by_python: None) -> None:
    made = rule(
        "def f(x, g, m=0, v=0, p=1):\n    m = m + g\n    v = v + sum(g)\n    p = p * 2\n    return x - m - v - p"
    )
    opt = mhat.Optimizer(made, [np.zeros(2), np.zeros(3)])
    state = opt.state
    for _ in range(3):
        opt.step([np.ones(2), np.ones(3)])
    assert [state["m"][1].tolist(), float(state["v"][1]), float(state["p"][0])] == [[3.0] * 3, 9.0, 8.0]
    state["v"][1][...] = 1.0
    state["p"][0][...] = 16.0
    opt.step([np.ones(2), np.ones(3)])
    assert [float(opt.state["v"][1]), float(opt.state["p"][0]), float(opt.state["p"][1])] == [4.0, 32.0, 16.0]


def test_the_arena_takes_gradients_in_place() -> None:
    params = {"w": np.zeros((2, 2)), "b": [np.zeros(3, np.float32)]}
    opt = mhat.Optimizer(MOMENTUM, params, beta=0.0)
    opt.gradients["w"][...] = 1.0
    opt.gradients["b"][0][1] = 2.0
    opt.step()
    assert params["w"].tolist() == [[-0.5, -0.5], [-0.5, -0.5]]
    assert params["b"][0].tolist() == [0.0, -1.0, 0.0]
    assert opt.gradients["b"][0].dtype == np.float32
    opt.step()
    assert params["b"][0][1] == -2.0


@pytest.mark.parametrize("rule_name", ["adam", "nadam", "lamb"])
@pytest.mark.parametrize("form", ["array", "list", "dict"])
def test_the_same_gradients_again_are_as_others_that_are_equal(rule_name: str, form: str) -> None:
    def made() -> Any:
        one, two = np.linspace(-1, 1, 6), np.linspace(2, 3, 4)
        return {"array": one, "list": [one, two], "dict": {"a": one, "b": [two]}}[form]

    def leaves(each: Any) -> list[Any]:
        return Structure(each, "").leaves

    params, others, gradients = made(), made(), made()
    opt, other = mhat.Optimizer(rule_name, params), mhat.Optimizer(rule_name, others)
    stored = None
    for i in range(8):
        for leaf in leaves(gradients):
            leaf += 0.25
        if i == 3:
            opt.lr = other.lr = 0.5
            stored = opt.state_dict()
        if i == 6:
            assert stored is not None
            opt.load_state_dict(stored)
            other.load_state_dict(stored)
        opt.step(gradients)
        other.step(fresh(gradients))
        assert [leaf.tolist() for leaf in leaves(params)] == [leaf.tolist() for leaf in leaves(others)]
        assert opt.t == other.t


def test_gradients_that_were_refused_once_are_refused_again() -> None:
    x, g = np.ones(4), np.ones(4)
    opt = mhat.Optimizer(MOMENTUM, x)
    opt.step(g)
    opt.step(g)
    before = x.tolist()
    for _ in range(3):
        with pytest.raises(BadValue, match="shares memory"):
            opt.step(x)
    assert x.tolist() == before
    opt.step(g)
    assert opt.t == 3


def test_a_gradient_that_is_missing_between_others() -> None:
    params, g = [np.ones(2), np.ones(3)], [np.ones(2), np.ones(3)]
    opt = mhat.Optimizer(MOMENTUM, params)
    for given in (g, g, [g[0], None], g, g):
        opt.step(given)
    alone = np.ones(3)
    other = mhat.Optimizer(MOMENTUM, alone)
    for _ in range(4):
        other.step(np.ones(3))
    assert params[1].tolist() == alone.tolist()
    assert opt.t == 5


def test_tensors_of_several_dtypes() -> None:
    kinds = [np.float64, np.float32, np.float16, ml_dtypes.bfloat16]
    params = [np.ones(2, kind) for kind in kinds]
    opt = mhat.Optimizer(MOMENTUM, params)
    opt.step([np.ones(2, kind) for kind in kinds])
    assert [p.astype(float).tolist() for p in params] == [[0.5, 0.5]] * 4
    assert [str(m.dtype) for m in opt.state["m"]] == ["float64", "float32", "float32", "float32"]


def test_k_and_n_count_all_tensors_of_all_dtypes(by_python: None) -> None:
    made = rule("def f(x, g, k, n):\n    return x - g * k / n")
    params = [np.zeros(1, np.float32), np.zeros(1), np.zeros(1, np.float32), np.zeros(1)]
    mhat.Optimizer(made, params).step([np.ones(1, p.dtype) for p in params])
    assert [float(p[0]) for p in params] == [-0.25, -0.5, -0.75, -1.0]


def test_gradients_that_are_not_plain_are_right_too() -> None:
    params = [np.zeros((3, 2)), np.zeros(4), np.zeros(())]
    opt = mhat.Optimizer("sgd", params, lr=1.0)
    home = np.arange(8.0)
    opt.step([np.arange(6.0).reshape(2, 3).T, home[::-2], np.float64(3.0)])
    assert params[0].tolist() == [[-0.0, -3.0], [-1.0, -4.0], [-2.0, -5.0]]
    assert params[1].tolist() == [-7.0, -5.0, -3.0, -1.0]
    assert params[2] == -3.0
    opt.step([np.ones((3, 2)), np.ones(4), 1.0])
    assert params[2] == -4.0


def test_one_gradient_may_serve_two_parameters() -> None:
    g, params = np.ones(3), [np.zeros(3), np.zeros(3)]
    mhat.Optimizer("sgd", params, lr=1.0).step([g, g])
    assert [p.tolist() for p in params] == [[-1.0] * 3] * 2


def interleaved() -> list[np.ndarray]:
    home = np.zeros((4, 6))
    return [home[:, 0], home[:, 1:3], home[:, 3::2], home[:, 4]]


def test_parameters_that_lie_between_each_other() -> None:
    params = interleaved()
    mhat.Optimizer("sgd", params, lr=1.0).step([np.full(p.shape, i + 1.0) for i, p in enumerate(params)])
    assert params[0].base is not None
    assert params[0].base[0].tolist() == [-1.0, -2.0, -2.0, -3.0, -4.0, -3.0]


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda each: pickle.loads(pickle.dumps(each))])
def test_a_copy_has_parameters_of_its_own_and_goes_on_alike(copied: Any) -> None:
    params = fresh()
    opt = mhat.Optimizer("nadam", params, lr=0.1)
    opt.step(fresh())
    opt.lr = 0.2
    twin_params, twin = copied((params, opt))
    assert twin._params is twin_params
    before = Structure(params, "").leaves[0].copy()
    twin.step(fresh())
    assert (Structure(params, "").leaves[0] == before).all()
    opt.step(fresh())
    for a, b in zip(Structure(params, "").leaves, Structure(twin_params, "").leaves, strict=True):
        assert a.tobytes() == b.tobytes()
    assert twin.lr == 0.2
    assert twin.rule.paper == opt.rule.paper


def test_optimizers_in_threads_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    use_threads(monkeypatch)
    params = [np.zeros(20_000) for _ in range(4)]

    def train(x: np.ndarray) -> None:
        opt = mhat.Optimizer("adam", x, threads=2)
        for t in range(20):
            opt.step(np.full(x.size, float(t)))

    threads = [threading.Thread(target=train, args=(x,)) for x in params]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(x.tobytes() == params[0].tobytes() for x in params)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_a_forked_child_goes_on() -> None:
    x = np.zeros(20_000)
    opt = mhat.Optimizer("sgd", x, lr=1.0)
    opt.step(np.ones(x.size))
    child = os.fork()
    if child == 0:
        opt.step(np.ones(x.size))
        os._exit(0 if (x == -2.0).all() else 1)
    assert os.waitpid(child, 0)[1] == 0
    opt.step(np.ones(x.size))
    assert (x == -2.0).all()


def test_matrix_rules_step_matrices_in_place() -> None:
    made = rule("def f(x, g, m=0, *, lr=0.5):\n    m = m + g\n    return x - lr * transpose(transpose(m))")
    x = np.zeros((2, 3))
    opt = mhat.Optimizer(made, [x])
    opt.step([np.ones((2, 3))])
    opt.step([np.ones((2, 3))])
    assert (x == -1.5).all()
    assert opt.state["m"][0].tolist() == [[2.0] * 3] * 2


def test_a_result_of_one_number_fills_the_parameter(by_python: None) -> None:
    made = rule("def f(x, g):\n    return norm(g) + sum(x)")
    params = [np.ones((2, 2)), np.ones(3)]
    opt, others = mhat.Optimizer(made, params), [np.ones((2, 2)), np.ones(3)]
    for t in (1, 2):
        grads = [np.full((2, 2), 0.5), np.arange(3.0)]
        opt.step(grads)
        others = mhat.step(made, others, grads, t).x
        assert all(a.tobytes() == np.ascontiguousarray(b).tobytes() for a, b in zip(params, others, strict=True))


def test_a_state_starts_from_the_parameter_as_it_is_then(by_python: None) -> None:
    made = rule("def f(x, g, z='x'):\n    z = z + 0 * g\n    return x - g * z")
    home = np.zeros((3, 4))
    params = [home[:, ::2], np.zeros(3)]
    opt = mhat.Optimizer(made, params)
    params[0][...] = 2.0
    params[1][...] = 3.0
    opt.step([np.zeros((3, 2)), np.zeros(3)])
    assert (opt.state["z"][0] == 2.0).all()
    assert (opt.state["z"][1] == 3.0).all()
    assert home[:, 1].tolist() == [0.0, 0.0, 0.0]
