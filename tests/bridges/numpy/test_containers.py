"""Containers of parameters: noted once, and alive: what is changed in them later is followed or refused by name."""

from __future__ import annotations

import subprocess
import sys
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.bridges.numpy.containers import Structure
from mhat.errors import BadValue

NESTED: dict[str, Any] = {"layers": [{"w": np.ones((2, 2)), "b": np.zeros(2)}], "head": (np.ones(3), np.ones(()))}


def test_paths_read_as_they_are_written() -> None:
    structure = Structure(NESTED, "params")
    assert structure.paths == ["['layers'][0]['w']", "['layers'][0]['b']", "['head'][0]", "['head'][1]"]
    assert [leaf.shape for leaf in structure.leaves_of(NESTED)] == [(2, 2), (2,), (3,), ()]
    assert structure.rebuilt([1, 2, 3, 4]) == {"layers": [{"w": 1, "b": 2}], "head": [3, 4]}


class Key:
    """A key that Python writes by where it lies in memory."""


class Named:
    """A key that is written like others."""

    def __repr__(self) -> str:
        return "layer"


def test_keys_that_are_written_alike_are_told_apart() -> None:
    params = {1: np.zeros(1), "1": np.zeros(1), np.int64(2): np.zeros(1), Named(): np.zeros(1), Named(): np.zeros(1)}
    params |= {Key(): np.zeros(1), None: np.zeros(1), (1, "a"): np.zeros(1)}
    structure = Structure(params, "params")
    assert structure.paths == ["[1]", "['1']", "[2]", "[layer]#1", "[layer]#2", "[<Key 5>]", "[None]", "[(1, 'a')]"]
    opt = mhat.Optimizer("adam", params, lr=1.0)
    opt.step({key: np.full(1, i + 1.0) for i, key in enumerate(params)})
    state = opt.state_dict()
    assert sum(name.startswith("state/m/") for name in state) == len(params)
    # m is a tenth of the gradient: every tensor has its own.
    assert [round(float(opt.state["m"][key][0]) * 10) for key in params] == [1, 2, 3, 4, 5, 6, 7, 8]
    other = mhat.Optimizer("adam", params, lr=1.0)
    other.load_state_dict(state)
    assert [float(other.state["m"][key][0]) for key in params] == [float(opt.state["m"][key][0]) for key in params]


def test_equal_keys_are_one_key() -> None:
    params = {1: np.zeros(1), 0: np.zeros(1)}
    opt = mhat.Optimizer("sgd", params, lr=1.0)
    opt.step({1.0: np.ones(1), False: np.full(1, 2.0)})
    assert [params[1][0], params[0][0]] == [-1.0, -2.0]


@pytest.mark.parametrize("kind", [dict, OrderedDict, MappingProxyType, lambda pairs: defaultdict(list, pairs)])
def test_dictionaries_of_any_kind(kind: Callable[[Any], Any]) -> None:
    params = kind({"a": np.zeros(2), "b": np.zeros(3)})
    opt = mhat.Optimizer("sgd", params, lr=1.0)
    opt.step(kind({"b": np.full(3, 2.0), "a": np.ones(2)}))
    assert (params["a"][0], params["b"][0]) == (-1.0, -2.0)
    with pytest.raises(BadValue, match="grads has no key 'b'"):
        opt.step(kind({"a": np.ones(2)}))


def test_a_container_that_contains_itself() -> None:
    params: list[Any] = [np.zeros(2)]
    params.append(params)
    with pytest.raises(BadValue, match="params contains itself, or lists within lists without end"):
        mhat.Optimizer("sgd", params)


@pytest.mark.parametrize("steps_before", [0, 2])
def test_another_order_of_the_keys_is_followed(steps_before: int) -> None:
    """The same arrays under the same keys: gradients go to the tensors of their keys, states stay with them."""
    params = {"a": np.zeros(2), "b": np.zeros(2)}
    opt = mhat.Optimizer("sgd", params, lr=1.0)
    for _ in range(steps_before):
        opt.step({"a": np.zeros(2), "b": np.zeros(2)})
    params["a"] = params.pop("a")
    for _ in range(2):
        opt.step({"a": np.ones(2), "b": np.full(2, 2.0)})
    assert (params["a"].tolist(), params["b"].tolist()) == ([-2.0, -2.0], [-4.0, -4.0])
    assert list(opt.state_dict()["tensors"].tobytes().decode()) == list("""["['a']", "['b']"]""")


def test_another_view_of_the_same_memory_is_followed() -> None:
    params = [np.zeros(4), np.zeros((2, 3))[:, ::2]]
    opt = mhat.Optimizer("sgd", params, lr=1.0)
    params[0], params[1] = params[0][:], params[1][:]
    opt.step([np.ones(4), np.ones((2, 2))])
    assert (params[0] == -1.0).all()
    assert (params[1] == -1.0).all()


def other_array(params: Any) -> None:
    params["w"] = params["w"] - 1.0


def other_entry(params: Any) -> None:
    params["b"][0] = np.zeros_like(params["b"][0])


def no_array(params: Any) -> None:
    params["w"] = None


def gone(params: Any) -> None:
    del params["w"]


def new(params: Any) -> None:
    params["c"] = np.zeros(1)


def shorter(params: Any) -> None:
    params["b"].pop()


def longer(params: Any) -> None:
    params["b"].append(np.zeros(1))


def other_kind(params: Any) -> None:
    params["b"] = {"first": params["b"][0]}


def no_container(params: Any) -> None:
    params["b"] = None


def swapped(params: Any) -> None:
    params["w"], params["v"] = params["v"], params["w"]


def reshaped(params: Any) -> None:
    params["w"] = params["w"].reshape(3, 2)


def shrunk(params: Any) -> None:
    params["w"].resize((1, 2), refcheck=False)


def moved(params: Any) -> None:
    params["w"].resize((1000, 1000), refcheck=False)


def read_only(params: Any) -> None:
    params["w"].setflags(write=False)


LEFT = "\nWrite into the array that was there (params['w'][...] = values), or make another optimizer."
PUT_BACK = "\nPut it back and give None as its gradient, or make another optimizer."
CHANGED: dict[str, tuple[Callable[[Any], None], str]] = {
    "another array": (other_array, f"params['w'] is another array than when the optimizer was made{LEFT}"),
    "another array in a list": (other_entry, "params['b'][0] is another array than when the optimizer was made\n"),
    "no array": (no_array, f"params['w'] is None now, and was an array when the optimizer was made{LEFT}"),
    "a key is gone": (gone, f"params['w'] is gone, and was there when the optimizer was made{PUT_BACK}"),
    "a key is new": (
        new, "params['c'] is new, and was not there when the optimizer was made\nMake another optimizer for it.",
    ),
    "an entry is gone": (shorter, f"params['b'] has 0 entries, and had 1 when the optimizer was made{PUT_BACK}"),
    "an entry is new": (
        longer,
        "params['b'] has 2 entries, and had 1 when the optimizer was made\nMake another optimizer for what is new.",
    ),
    "another container": (
        other_kind, f"params['b'] is a dict now, and was a list when the optimizer was made{PUT_BACK}",
    ),
    "no container": (no_container, f"params['b'] is None now, and was a list when the optimizer was made{PUT_BACK}"),
    "two arrays swapped": (swapped, f"params['w'] is another array than when the optimizer was made{LEFT}"),
    "another shape": (
        reshaped,
        "params['w'] has the shape (3, 2) and is float64 now, and was (2, 3) and float64\n"
        "Make another optimizer for it: its states have the shape that it had.",
    ),
    "shrunk in place": (shrunk, "params['w'] has the shape (1, 2) and is float64 now, and was (2, 3) and float64\n"),
    "moved in memory": (moved, "params['w'] has the shape (1000, 1000) and is float64 now, and was (2, 3) and float64"),
    "read-only": (
        read_only,
        "params['w'] is read-only now\n"
        "Let it be written (params['w'].setflags(write=True)), or make another optimizer.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("what", CHANGED)
@pytest.mark.parametrize("steps_before", [0, 2])
@pytest.mark.parametrize("dtypes", [("float64", "float64"), ("float64", "float32")], ids=["one dtype", "two dtypes"])
def test_a_change_is_refused_by_name_before_anything_moves(
    what: str, steps_before: int, dtypes: tuple[str, str]
) -> None:
    change, said = CHANGED[what]
    params: dict[str, Any] = {"w": np.ones((2, 3)), "b": [np.ones(3, dtypes[1])], "v": np.ones((2, 3))}
    arrays = [params["w"], params["b"][0], params["v"]]
    grads = {"w": np.ones((2, 3)), "b": [np.ones(3, dtypes[1])], "v": np.ones((2, 3))}
    opt = mhat.Optimizer("adam", params)
    for _ in range(steps_before):
        opt.step(grads)
    before, values = opt.state_dict(), [array.copy() for array in arrays]
    change(params)
    for give in (lambda: opt.step(grads), lambda: opt.step({**grads, "w": None}), lambda: opt.__reduce__()):
        with pytest.raises(BadValue) as refused:
            give()
        assert said in str(refused.value)
    assert all(before[name].tobytes() == value.tobytes() for name, value in opt.state_dict().items())
    if what not in ("shrunk in place", "moved in memory"):
        assert all((a == b).all() for a, b in zip(arrays, values, strict=True))
    assert opt.t == steps_before


@pytest.mark.parametrize("steps_before", [0, 2])
@pytest.mark.parametrize("change", [list.clear, list.pop, lambda arrays: arrays.append(np.zeros(2))])
def test_a_list_that_changes_is_refused(change: Callable[[list[Any]], Any], steps_before: int) -> None:
    params, g = [np.zeros(2) for _ in range(3)], np.ones(2)
    opt = mhat.Optimizer("sgd", params)
    for _ in range(steps_before):
        opt.step([g, g, g])
    change(params)
    with pytest.raises(BadValue, match="entries, and had 3 when the optimizer was made"):
        opt.step([g, g, g])
    assert opt.t == steps_before


def test_an_array_put_back_goes_on() -> None:
    params = [np.zeros(2), np.zeros(2)]
    kept = params[0]
    opt = mhat.Optimizer("sgd", params, lr=1.0)
    params[0] = np.zeros(2)
    with pytest.raises(BadValue, match="another array"):
        opt.step([np.ones(2), np.ones(2)])
    params[0] = kept
    opt.step([np.ones(2), np.ones(2)])
    assert [p.tolist() for p in params] == [[-1.0, -1.0]] * 2


def test_an_empty_array_lies_nowhere() -> None:
    params = [np.zeros(0), np.zeros(2)]
    opt = mhat.Optimizer("sgd", params, lr=1.0)
    params[0] = np.zeros(0)
    opt.step([np.zeros(0), np.ones(2)])
    assert params[1].tolist() == [-1.0, -1.0]


def test_entries_that_vanish_never_reach_beyond_a_list() -> None:
    """In a process of its own: what it guards against ends the process."""
    code = """
import faulthandler, numpy as np, mhat
faulthandler.enable()
for kind in (dict, lambda pairs: list(dict(pairs).values())):
    params = kind({i: np.zeros(2) for i in range(40)})
    opt, g = mhat.Optimizer("sgd", params, lr=1.0), np.ones(2)
    full = {i: g for i in range(40)} if isinstance(params, dict) else [g] * 40
    opt.step(full)
    opt.step(full)
    for i in range(39, 3, -1):
        del params[i]
    few = {i: g for i in range(4)} if isinstance(params, dict) else [g] * 4
    for _ in range(50):
        for grads in (full, few):
            try:
                opt.step(grads)
            except mhat.MhatError as error:
                assert "when the optimizer was made" in str(error)
    assert opt.t == 2
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
