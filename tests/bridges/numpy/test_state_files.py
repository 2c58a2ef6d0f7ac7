"""An optimizer taken up in the middle, from memory or disk, goes on to the last bit; other states are refused."""

from __future__ import annotations

import io
import json
import os
import zipfile
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import mhat
from mhat.errors import BadValue, InputFileError, MhatError, OutputFileError
from mhat.language import rule
from tests.choices import often
from tests.engines.kernels.interpreted import run_by_python

STEPS, HALF = 6, 3
ENDINGS = ["memory", ".npz", ".safetensors"]
DTYPE = {"bfloat16": np.dtype(ml_dtypes.bfloat16)}


def params(dtype: str) -> dict[str, Any]:
    kind = DTYPE.get(dtype) or np.dtype(dtype)
    return {"w": np.linspace(-1, 1, 6).reshape(2, 3).astype(kind), "b": [np.ones((), kind), np.zeros(0, kind)]}


def gradients(dtype: str, t: int) -> dict[str, Any]:
    random = np.random.default_rng(t)
    kind = DTYPE.get(dtype) or np.dtype(dtype)
    # One tensor has no gradient at step 2, so that step numbers differ.
    scalar = None if t == 2 else random.normal(size=()).astype(kind)
    return {
        "w": random.normal(size=(2, 3)).astype(kind),
        "b": [np.asarray(scalar) if t != 2 else None, np.zeros(0, kind)],
    }


def leaves(container: dict[str, Any]) -> list[bytes]:
    return [container["w"].tobytes(), container["b"][0].tobytes()]


def check_resume(chosen: Any, dtype: str, way: str, folder: Path, **options: Any) -> None:
    straight, left, right = params(dtype), params(dtype), params(dtype)
    one, two = mhat.Optimizer(chosen, straight, **options), mhat.Optimizer(chosen, left, **options)
    for t in range(1, HALF + 1):
        one.step(gradients(dtype, t))
        two.step(gradients(dtype, t))
    right["w"][...] = left["w"]
    right["b"][0][...] = left["b"][0]
    three = mhat.Optimizer(chosen, right, **options)
    if way == "memory":
        three.load_state_dict(two.state_dict())
    else:
        path = folder / f"state{way}"
        two.save(path)
        three.load(path)
    for t in range(HALF + 1, STEPS + 1):
        one.step(gradients(dtype, t))
        three.step(gradients(dtype, t))
    assert leaves(straight) == leaves(right)
    assert three.knobs == one.knobs
    for name, value in one.state_dict().items():
        assert value.tobytes() == three.state_dict()[name].tobytes(), name


@pytest.mark.parametrize("name", often())
def test_every_rule_goes_on_to_the_last_bit(name: str, tmp_path: Path) -> None:
    """Whoever runs the kernels: what is kept and taken up again is the same."""
    with run_by_python() if name != "adam" else nullcontext():
        for way in ENDINGS:
            check_resume(name, "float64", way, tmp_path)


@pytest.mark.parametrize("way", ENDINGS)
@pytest.mark.parametrize(
    ("dtype", "options"),
    [
        ("float32", {"state_dtype": "bfloat16", "rounding": "stochastic", "seed": 3}),
        ("bfloat16", {"rounding": "kahan"}),
        ("bfloat16", {"rounding": "stochastic", "seed": 5}),
        ("float16", {"rounding": "kahan", "state_dtype": "float16"}),
    ],
)
def test_small_types_go_on_to_the_last_bit(way: str, dtype: str, options: dict[str, Any], tmp_path: Path) -> None:
    check_resume("adam", dtype, way, tmp_path, **options)


NUMBERS = rule(
    "def f(x, g, t, v=0, p=1, z='x'):\n    v = 0.9 * v + sum(g * g)\n    p = p * 0.5\n    z = z / 2 + x\n"
    "    return x - g / sqrt(v + 1) * p + z / t"
)
MATRIX = rule("def f(x, g, r=0):\n    r = r + row_mean(g)\n    return x - orthogonal(g) * r")


@pytest.mark.parametrize("way", ENDINGS)
def test_states_of_one_number_go_on_to_the_last_bit(way: str, tmp_path: Path) -> None:
    with run_by_python():
        check_resume(NUMBERS, "float64", way, tmp_path)


@pytest.mark.parametrize("way", ENDINGS)
def test_matrix_rules_go_on_to_the_last_bit(way: str, tmp_path: Path) -> None:
    x, y = np.ones((2, 3)), np.ones((2, 3))
    one, two = mhat.Optimizer(MATRIX, [x]), mhat.Optimizer(MATRIX, [y])
    one.step([np.arange(6.0).reshape(2, 3)])
    y[...] = x
    if way == "memory":
        two.load_state_dict(one.state_dict())
    else:
        one.save(tmp_path / f"s{way}")
        two.load(tmp_path / f"s{way}")
    for opt in (one, two):
        opt.step([np.eye(2, 3)])
    assert x.tobytes() == y.tobytes()


def test_knobs_as_they_are_now_go_along() -> None:
    opt = mhat.Optimizer("adam", np.ones(2), lr=0.5)
    opt.lr = 0.25
    other = mhat.Optimizer("adam", np.ones(2))
    other.load_state_dict(opt.state_dict())
    assert other.lr == 0.25


def test_a_state_is_a_copy() -> None:
    opt = mhat.Optimizer("adam", np.ones(2))
    opt.step(np.ones(2))
    state = opt.state_dict()
    kept = state["state/m/[]"].copy()
    opt.step(np.ones(2))
    assert (state["state/m/[]"] == kept).all()
    assert set(state) == {"rule", "tensors", "t", "started", "steps", "seed", "state/m/[]", "state/v/[]"} | {
        f"knob/{name}" for name in opt.knobs
    }


def start() -> mhat.Optimizer:
    opt = mhat.Optimizer("adam", {"w": np.ones(2)})
    opt.step({"w": np.ones(2)})
    return opt


def changed(**entries: Any) -> dict[str, Any]:
    return {**start().state_dict(), **entries}


def without(name: str) -> dict[str, Any]:
    state = start().state_dict()
    del state[name]
    return state


def of(chosen: Any, dtype: Any = np.float64, shape: Any = 2, key: str = "w", **options: Any) -> dict[str, Any]:
    opt = mhat.Optimizer(chosen, {key: np.ones(shape, dtype)}, **options)
    return opt.state_dict()


SAME = "Give the state of an optimizer of the same rule and parameters."
OTHER_ADAM = rule("def adam(x, g, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):\n    return x - lr * g")
REFUSED = {
    "another rule": (
        lambda: of("adamw"),
        "the state is of the rule adamw, this optimizer runs adam\nMake the optimizer with the rule of the state.",
    ),
    "another rule of the name": (lambda: of(OTHER_ADAM), "the state is of another rule of the name adam"),
    "no rule": (lambda: without("rule"), f"this is no state of an optimizer: it has no `rule`\n{SAME}"),
    "nothing": (lambda: None, f"the state is None\n{SAME}"),
    "a path": (lambda: "state.npz", "the state is a str\nRead a file with opt.load(path)."),
    "a rule that is no bytes": (lambda: changed(rule="adam"), "`rule` of the state is <U4, not uint8"),
    "a rule of zeros": (lambda: changed(rule=np.zeros(9, np.uint8)), "the rule in the state cannot be read: "),
    "ragged": (lambda: changed(t=[[1.0], [1.0, 2.0]]), f"`t` of the state is no array\n{SAME}"),
    "objects": (lambda: changed(t=np.array([None])), "`t` of the state is object, not float64"),
    "a step that is no number": (
        lambda: changed(t=np.array([np.nan])),
        f"`t` of the state is what no optimizer has\n{SAME}",
    ),
    "half a step": (lambda: changed(t=np.array([1.5])), "`t` of the state is what no optimizer has"),
    "steps below zero": (lambda: changed(steps=np.array(-1)), "`steps` of the state is what no optimizer has"),
    "a seed beyond": (lambda: changed(seed=np.array(2**40)), "`seed` of the state is what no optimizer has"),
    "stepped, not started": (
        lambda: changed(started=np.zeros(1, np.uint8)),
        "`started` of the state is what no optimizer has",
    ),
    "names of other tensors": (
        lambda: changed(tensors=np.frombuffer(b'["u"]', np.uint8)),
        f"`tensors` of the state does not name the parameters here\n{SAME}",
    ),
    "names that are none": (
        lambda: changed(tensors=np.frombuffer(b"[[1", np.uint8)),
        "`tensors` of the state does not name",
    ),
    "a broken rule": (
        lambda: changed(rule=np.frombuffer(b"def f(", np.uint8)),
        "the rule in the state cannot be read: ",
    ),
    "a knob is missing": (lambda: without("knob/lr"), "the state lacks `knob/lr`"),
    "a knob out of range": (lambda: changed(**{"knob/beta1": np.array(7.0)}), "beta1=7.0 is out of its range"),
    "other parameters": (lambda: of("adam", key="u"), "the state lacks `state/m/['w']`"),
    "more": (lambda: changed(more=np.ones(1)), "the state has `more`, which belongs to no parameter here"),
    "another shape": (lambda: of("adam", shape=3), "`state/m/['w']` of the state has the shape (3,), not (2,)"),
    "another dtype": (
        lambda: of("adam", np.float32),
        "`state/m/['w']` of the state is float32, not float64\nMake the optimizer with the same dtypes.",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_state_that_does_not_fit_changes_nothing(what: str) -> None:
    make, said = REFUSED[what]
    opt = start()
    before = opt.state_dict()
    with pytest.raises(MhatError) as refused:
        opt.load_state_dict(make())
    assert said in str(refused.value)
    assert all(before[name].tobytes() == value.tobytes() for name, value in opt.state_dict().items())


def test_a_file_is_kept_unless_forced(tmp_path: Path) -> None:
    path, opt = tmp_path / "a.npz", start()
    opt.save(path)
    with pytest.raises(OutputFileError, match=r"a\.npz"):
        opt.save(path)
    opt.save(path, force=True)
    with pytest.raises(OutputFileError):
        opt.save(tmp_path / "a.pickle")
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]


def test_keys_in_another_order_keep_their_steps(tmp_path: Path) -> None:
    """Each tensor has its own `t`, which goes with its name and not with its place."""
    ones = {"a": np.ones(2), "b": np.ones(2)}
    params = {"a": np.zeros(2), "b": np.zeros(2)}
    opt = mhat.Optimizer("adam", params)
    opt.step({**ones, "b": None})
    opt.step(ones)
    opt.save(tmp_path / "s.npz")
    others = {key: params[key].copy() for key in "ba"}
    other = mhat.Optimizer("adam", others)
    other.load(tmp_path / "s.npz")
    opt.step(ones)
    other.step(ones)
    assert all(params[key].tobytes() == others[key].tobytes() for key in "ab")
    assert (opt.state_dict()["t"].tolist(), other.state_dict()["t"].tolist()) == ([3, 2], [2, 3])


def test_a_state_without_names_goes_by_place() -> None:
    """States that were saved before tensors had names in them."""
    opt = start()
    opt.load_state_dict(without("tensors"))
    assert opt.t == 1


# Files that are no state of this optimizer: how to damage a good one -> what is said of it.


def beyond(path: Path) -> None:
    """An archive of a few kilobytes that unpacks to a hundred megabytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("t.npy", "w") as entry:
        for _ in range(100):
            entry.write(bytes(10**6))


def objects(path: Path) -> None:
    np.savez(path, **changed(t=np.array([Planted()], dtype=object)))


class Planted:
    """What would leave a mark if it were unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, ("planted",)


def lying(path: Path) -> None:
    """A header that promises eight terabytes."""
    head = io.BytesIO()
    np.lib.format.write_array_header_1_0(head, {"descr": "<f8", "fortran_order": False, "shape": (10**12,)})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("t.npy", head.getvalue())


def pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def device(path: Path) -> None:
    path.unlink()
    path.symlink_to("/dev/zero")


def text(path: Path) -> None:
    path.write_bytes(b"nonsense" * 9)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-300])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    at = data.index(np.array(1e-8).tobytes())  # eps
    data[at] ^= 1
    path.write_bytes(data)


def larger(path: Path) -> None:
    path.write_bytes(path.read_bytes().ljust(10**8, b" "))


def long_head(path: Path) -> None:
    path.write_bytes((2**62).to_bytes(8, "little") + b"{}")


def lying_head(path: Path) -> None:
    head = json.dumps({"t": {"dtype": "F64", "shape": [10**12], "data_offsets": [0, 8 * 10**12]}}).encode()
    path.write_bytes(len(head).to_bytes(8, "little") + head)


NPZ, SAFE = ".npz", ".safetensors"
DAMAGED: dict[str, tuple[str, Any, str]] = {
    "text": (NPZ, text, "is no NumPy file of numbers: File is not a zip file"),
    "empty": (NPZ, empty, "is empty"),
    "cut": (NPZ, cut, "is no NumPy file of numbers"),
    "flipped": (NPZ, flipped, "Bad CRC-32"),
    "unpacks to a hundred megabytes": (NPZ, beyond, "holds 100 MB, and the state here takes"),
    "objects": (NPZ, objects, "it holds Python objects, and those are not loaded"),
    "a lying header": (NPZ, lying, "is cut off: an array of float64 of the shape (1000000000000,) takes 8 TB"),
    "a pipe": (NPZ, pipe, "is a pipe and no file"),
    "a folder": (NPZ, folder, "is a directory"),
    "a device": (SAFE, device, "is a device and no file"),
    "text as safetensors": (SAFE, text, "is no state of an optimizer: "),
    "cut safetensors": (SAFE, cut, "is no state of an optimizer: "),
    "a larger file": (SAFE, larger, "holds 100 MB, and the state here takes"),
    "a long header": (SAFE, long_head, "is no state of an optimizer: "),
    "a lying header of safetensors": (SAFE, lying_head, "is no state of an optimizer: "),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_a_damaged_file_is_refused_and_changes_nothing(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ending, damage, said = DAMAGED[what]
    opt, path = start(), tmp_path / f"a{ending}"
    opt.save(path)
    damage(path)
    before = opt.state_dict()
    with pytest.raises(InputFileError) as refused:
        opt.load(path)
    assert str(path) in refused.value.what
    assert said in refused.value.what
    assert refused.value.cure == "Give a file that `save` of an optimizer of the same rule and parameters has written."
    assert all(before[name].tobytes() == value.tobytes() for name, value in opt.state_dict().items())
    assert not (tmp_path / "planted").exists()


def test_a_file_of_another_optimizer_is_named_with_what_differs(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    mhat.Optimizer("adamw", {"w": np.ones(2)}).save(path)
    with pytest.raises(BadValue) as refused:
        start().load(path)
    assert refused.value.what == f"{path}: the state is of the rule adamw, this optimizer runs adam"
    assert refused.value.cure == "Make the optimizer with the rule of the state."


def test_names_that_are_no_files_of_states(tmp_path: Path) -> None:
    opt = start()
    with pytest.raises(InputFileError, match=r"there is no file .*a\.npz\nGive a file that `save`"):
        opt.load(tmp_path / "a.npz")
    with pytest.raises(InputFileError, match=r"has the ending `\.pickle`, which mhat does not read"):
        opt.load(tmp_path / "a.pickle")
    with pytest.raises(BadValue, match="`3` is no path"):
        opt.load(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("ending", [".NPZ", ".Safetensors"])
def test_endings_in_capitals_are_the_same(ending: str, tmp_path: Path) -> None:
    opt = start()
    opt.save(tmp_path / f"a{ending}")
    opt.load(tmp_path / f"a{ending}")
    (tmp_path / f"a{ending}").rename(tmp_path / f"b{ending.lower()}")
    opt.load(tmp_path / f"b{ending.lower()}")


def test_the_text_of_a_rule_in_a_state_is_never_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = f"def adam(x, g): return open({str(mark)!r}, 'w')"
    with pytest.raises(MhatError, match="cannot be read"):
        start().load_state_dict(changed(rule=np.frombuffer(text.encode(), np.uint8)))
    assert not mark.exists()
