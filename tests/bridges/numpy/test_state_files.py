"""An optimizer taken up in the middle, from memory or disk, goes on to the last bit; other states are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import pytest

import mhat
from mhat import rules as library
from mhat.errors import InputFileError, MhatError, OutputFileError
from mhat.language import rule

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


@pytest.mark.parametrize("name", library.names())
def test_every_rule_goes_on_to_the_last_bit(name: str, tmp_path: Path) -> None:
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
    assert set(state) == {"rule", "t", "started", "steps", "seed", "state/m/[]", "state/v/[]"} | {
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


OTHER_ADAM = rule("def adam(x, g, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):\n    return x - lr * g")
REFUSED = {
    "another rule": (
        lambda: of("adamw"),
        "the state is of the rule adamw, this optimizer runs adam\nMake the optimizer with the rule of the state.",
    ),
    "another rule of the name": (lambda: of(OTHER_ADAM), "the state is of another rule of the name adam"),
    "no rule": (lambda: without("rule"), "this is no state of an optimizer: it has no `rule`"),
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


@pytest.mark.parametrize("ending", [".npz", ".safetensors"])
def test_a_file_that_is_no_state(ending: str, tmp_path: Path) -> None:
    opt, path = start(), tmp_path / f"a{ending}"
    with pytest.raises(InputFileError, match=r"there is no file `.*`\nName a file that `save` has written\."):
        opt.load(path)
    path.write_bytes(b"nonsense" * 9)
    with pytest.raises(InputFileError, match=r"is no state of an optimizer: .*\nSave it anew\."):
        opt.load(path)
    opt.save(path, force=True)
    path.write_bytes(path.read_bytes()[:-300])
    with pytest.raises(InputFileError, match="is no state of an optimizer"):
        opt.load(path)
    with pytest.raises(InputFileError, match=r"ends in neither \.npz nor \.safetensors"):
        opt.load(tmp_path / "a.pickle")


def test_the_text_of_a_rule_in_a_state_is_never_executed(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    text = f"def adam(x, g): return open({str(mark)!r}, 'w')"
    with pytest.raises(MhatError, match="cannot be read"):
        start().load_state_dict(changed(rule=np.frombuffer(text.encode(), np.uint8)))
    assert not mark.exists()
