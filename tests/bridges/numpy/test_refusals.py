"""What `mhat.Optimizer` refuses, by the text; and that nothing has moved afterwards."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch

import mhat
from mhat.errors import MhatError
from mhat.language import rule

HOME = np.arange(12.0)
ONLY = np.zeros(2)
ONLY.setflags(write=False)

NAMED = rule("def f(x, g, *, seed=1, threads=1, t_=1, state=1, knobs=1, self=1, params=1): return x - seed * state * g")

# How an optimizer is made -> what it says.
MADE: dict[str, tuple[Any, str]] = {
    "no arrays": (lambda: mhat.Optimizer("adam", []), "params holds no arrays"),
    "a torch tensor": (
        lambda: mhat.Optimizer("adam", {"w": torch.zeros(2)}),
        "params['w'] is a Tensor\nGive NumPy arrays: they are changed in place.",
    ),
    "a list of floats": (lambda: mhat.Optimizer("adam", [[1.0]]), "params[0][0] is a float"),
    "integers": (
        lambda: mhat.Optimizer("adam", [np.zeros(2, int)]),
        "params[0] is int64\nGive one of float64, float32, float16, bfloat16.",
    ),
    "the other byte order": (lambda: mhat.Optimizer("adam", np.zeros(2, ">f8")), "params is >f8"),
    "read-only": (
        lambda: mhat.Optimizer("adam", [ONLY]),
        "params[0] is read-only\nGive an array that may be changed: a copy of it, say.",
    ),
    "one array twice": (
        lambda: mhat.Optimizer("adam", {"a": HOME, "b": HOME}),
        "params['a'] and params['b'] share memory\nGive each array once: it would be stepped twice.",
    ),
    "views that overlap": (
        lambda: mhat.Optimizer("adam", [HOME[6:], HOME[:7]]),
        "params[0] and params[1] share memory",
    ),
    "views that overlap behind another": (
        lambda: mhat.Optimizer("adam", [HOME[::2], HOME[1:8:2], HOME[3:6:2]]),
        "params[1] and params[2] share memory",
    ),
    "one number in many places": (
        lambda: mhat.Optimizer("adam", [np.lib.stride_tricks.as_strided(HOME, (3,), (0,))]),
        "params[0] holds one number in many places",
    ),
    "an unknown rule": (lambda: mhat.Optimizer("adamm", [np.zeros(2)]), "there is no rule `adamm`"),
    "an unknown knob": (
        lambda: mhat.Optimizer("adam", [np.zeros(2)], beta_1=0.5),
        "there is no knob of adam `beta_1`\nDid you mean `beta1`?",
    ),
    "an unknown option": (
        lambda: mhat.Optimizer("adam", [np.zeros(2)], thread=2),
        "Options: missing, as_written, state_dtype, rounding, seed, flush_denormals, threads.",
    ),
    "a knob out of range": (lambda: mhat.Optimizer("adam", [np.zeros(2)], beta1=1.5), "beta1=1.5 is out of its range"),
    "a knob that is no number": (
        lambda: mhat.Optimizer("adam", [np.zeros(2)], lr="fast"),
        "lr='fast' is not a number\nGive lr a number; set it anew when it changes.",
    ),
    "a knob over steps": (lambda: mhat.Optimizer("adam", [np.zeros(2)], lr=np.ones(3)), "is not a number"),
    "a choice": (
        lambda: mhat.Optimizer("adam", [np.zeros(2)], rounding="stocastic"),
        "there is no choice of `rounding` `stocastic`\nDid you mean `stochastic`?",
    ),
    "missing": (
        lambda: mhat.Optimizer("adam", [np.zeros(2)], missing="none"),
        "there is no choice of `missing` `none`",
    ),
    "state_dtype": (
        lambda: mhat.Optimizer("adam", [np.zeros(2)], state_dtype="bf16"),
        "there is no choice of `state_dtype` `bf16`",
    ),
    "a seed": (lambda: mhat.Optimizer("adam", [np.zeros(2)], seed=-1), "seed=-1 is not a whole number from 0 to"),
    "a large seed": (lambda: mhat.Optimizer("adam", [np.zeros(2)], seed=2**31), "from 0 to 2147483647"),
    "threads": (lambda: mhat.Optimizer("adam", [np.zeros(2)], threads=0), "threads=0 is not a whole number from 1 on"),
    "an option with the name of a knob": (
        lambda: mhat.Optimizer(NAMED, [np.zeros(2)], seed=0),
        "`seed` is an argument of `Optimizer` and a knob of the rule\n"
        'For the knob write knobs={"seed": ...}; beside it, seed= is the argument.',
    ),
    "another option with the name of a knob": (
        lambda: mhat.Optimizer(NAMED, [np.zeros(2)], threads=1),
        "`threads` is an argument of `Optimizer` and a knob of the rule",
    ),
    "knobs that are no mapping": (
        lambda: mhat.Optimizer("adam", [np.zeros(2)], knobs=[("lr", 1.0)]),
        "knobs=[('lr', 1.0)] is no mapping\nGive names and values: knobs={\"lr\": 0.01}.",
    ),
    "a knob twice": (
        lambda: mhat.Optimizer("adam", [np.zeros(2)], lr=1.0, knobs={"lr": 2.0}),
        "the knob `lr` is given twice\nGive it by keyword or in knobs={...}.",
    ),
    "an unknown name in knobs": (
        lambda: mhat.Optimizer("adam", [np.zeros(2)], knobs={"beta_1": 0.5}),
        "there is no knob of adam `beta_1`\nDid you mean `beta1`?",
    ),
    "a huge knob": (
        lambda: mhat.Optimizer("adam", [np.zeros(2)], lr=10**400),
        "lr is a number that no float can hold\nGive a smaller one, or inf.",
    ),
    "a long list for a knob": (
        lambda: mhat.Optimizer("adam", [np.zeros(2)], lr=list(range(999))),
        "lr=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16... is not a number",
    ),
    "the parameters first": (
        lambda: mhat.Optimizer([np.zeros(2)], "adam"),
        "the rule is a list\nThe rule comes first: Optimizer(rule, params).",
    ),
    "values of a dictionary": (
        lambda: mhat.Optimizer("adam", {"a": np.zeros(2)}.values()),
        "params is a dict_values\nGive a list of arrays: list(params).",
    ),
    "a masked array": (
        lambda: mhat.Optimizer("adam", [np.ma.zeros(2)]),
        "params[0] is a masked array, and a step knows no mask\nGive its numbers: params[0].data.",
    ),
    "as_written": (
        lambda: mhat.Optimizer("adam", np.zeros(2), as_written="yes"),
        "as_written='yes' is neither True nor False\nGive one of them, or leave it out.",
    ),
    "flush_denormals": (
        lambda: mhat.Optimizer("adam", np.zeros(2), flush_denormals="no"),
        "flush_denormals='no' is neither True nor False\nGive one of them, or leave it out.",
    ),
    "threads that are a truth": (
        lambda: mhat.Optimizer("adam", np.zeros(2), threads=True),
        "threads=True is not a whole number from 1 on\nGive one, or leave it out for all.",
    ),
    "over all of two dtypes": (
        lambda: mhat.Optimizer(
            rule("def f(x, g): return x - g / norm(g, over='all')"), [np.zeros(2), np.zeros(2, np.float32)]
        ),
        "f looks at all tensors at once, and they are of float64 and float32\nGive parameters of one dtype.",
    ),
    "a vector for a matrix rule": (
        lambda: mhat.Optimizer(rule("def f(x, g): return x - orthogonal(g)"), {"b": np.zeros(2)}),
        "f is a rule per matrix, and params['b'] has the shape (2,)",
    ),
    "rounding on whole arrays": (
        lambda: mhat.Optimizer(rule("def f(x, g): return x - orthogonal(g)"), np.zeros((2, 2)), rounding="kahan"),
        "f runs on whole arrays, which round to the nearest and keep every bit",
    ),
}


@pytest.mark.parametrize("what", MADE)
def test_what_cannot_be_made(what: str) -> None:
    make, said = MADE[what]
    with pytest.raises(MhatError) as refused:
        make()
    assert said in str(refused.value)


def params() -> dict[str, Any]:
    return {"w": np.ones((2, 3)), "b": [np.ones(3)]}


def with_gradient(path: str, change: Any) -> Any:
    def given(own: dict[str, Any], opt: mhat.Optimizer) -> Any:
        grads = params()
        value = change(own, opt)
        if path == "w":
            grads["w"] = value
        else:
            grads["b"][0] = value
        return grads

    return given


# What is given to `step`, from the parameters and the optimizer -> what it says.
STEPPED: dict[str, tuple[Any, str]] = {
    "a shape": (
        with_gradient("w", lambda own, opt: np.ones((3, 2))),
        "params['w'] has the shape (2, 3), its gradient (3, 2)\nGive both one shape.",
    ),
    "a dtype": (
        with_gradient("w", lambda own, opt: np.ones((2, 3), np.float32)),
        "params['w'] is float64, its gradient float32\nConvert the gradient: gradient.astype('float64').",
    ),
    "a torch tensor": (
        with_gradient("b", lambda own, opt: torch.ones(3)),
        "the gradient of params['b'][0] is a Tensor\nGive a NumPy array, or None for none.",
    ),
    "a list": (with_gradient("b", lambda own, opt: [1.0, 2.0, 3.0]), "the gradient of params['b'][0] is a list"),
    "a masked array": (
        with_gradient("b", lambda own, opt: np.ma.ones(3)),
        "the gradient of params['b'][0] is a masked array, and a step knows no mask\n"
        "Fill it: gradient.filled(0.0) leaves out what is masked.",
    ),
    "the parameter itself": (
        with_gradient("w", lambda own, opt: own["w"]),
        "the gradient of params['w'] shares memory with params['w']\nGive a copy of it: ",
    ),
    "a part of another parameter": (
        with_gradient("b", lambda own, opt: own["w"][1]),
        "the gradient of params['b'][0] shares memory with params['w']",
    ),
    "a state": (
        with_gradient("b", lambda own, opt: opt.state["m"]["b"][0]),
        "the gradient of params['b'][0] shares memory with its state m",
    ),
    "a missing key": (lambda own, opt: {"w": np.ones((2, 3))}, "grads has no key 'b'"),
    "a key too many": (
        lambda own, opt: {**params(), "c": np.ones(1)},
        "grads['c'] belongs to no parameter\nLeave it out.",
    ),
    "a list too short": (lambda own, opt: {**params(), "b": []}, "grads['b'] has 0 entries, the parameters 1"),
    "a list for a dictionary": (lambda own, opt: [np.ones((2, 3)), np.ones(3)], "grads is a list"),
    "None for all": (
        lambda own, opt: {**params(), "b": None},
        "grads['b'] is None\nGive a list with a gradient for each parameter.",
    ),
    "nothing": (lambda own, opt: None, "step() was called without gradients"),
}


@pytest.mark.parametrize("what", STEPPED)
@pytest.mark.parametrize("at_first", [True, False])
def test_what_cannot_be_stepped_moves_nothing(what: str, at_first: bool) -> None:
    give, said = STEPPED[what]
    own = params()
    opt = mhat.Optimizer("adam", own)
    if not at_first:
        opt.step(params())
    before = opt.state_dict()
    values = [own["w"].copy(), own["b"][0].copy()]
    with pytest.raises(MhatError) as refused:
        opt.step(give(own, opt))
    assert said in str(refused.value)
    assert all(before[name].tobytes() == value.tobytes() for name, value in opt.state_dict().items())
    assert (own["w"] == values[0]).all()
    assert (own["b"][0] == values[1]).all()
    opt.step(params())
    assert opt.t == (1 if at_first else 2)


def test_what_was_refused_is_refused_again_after_other_steps() -> None:
    own = [np.ones(3), np.ones(3)]
    opt = mhat.Optimizer("sgd", own)
    bad = [own[1], np.ones(3)]
    good = [None, bad[1]]
    for _ in range(2):
        with pytest.raises(MhatError, match="shares memory"):
            opt.step(bad)
        opt.step(good)


def test_an_empty_view_hides_no_overlap() -> None:
    home = np.ones(10)
    own = [home[:8], home[4:4]]
    opt = mhat.Optimizer("sgd", own)
    with pytest.raises(MhatError, match="shares memory"):
        opt.step([home[2:10], np.ones(0)])


def test_gradients_beside_the_parameters_are_no_overlap() -> None:
    home = np.zeros(9)
    own = [home[0:3], home[6:9]]
    home[3:6] = 1.0
    mhat.Optimizer("sgd", own, lr=1.0).step([home[3:6], home[3:6]])
    assert home.tolist() == [-1.0] * 3 + [1.0] * 3 + [-1.0] * 3


def test_attributes_that_are_no_knobs() -> None:
    opt = mhat.Optimizer("adam", np.zeros(2))
    for name in ("t", "state", "rule", "step", "knobs", "_state"):
        with pytest.raises(MhatError, match=f"`{name}` of an optimizer cannot be set\nKnobs can: lr, beta1"):
            setattr(opt, name, 1)
    with pytest.raises(MhatError, match="there is no knob of adam `learning_rate`"):
        opt.learning_rate = 1.0
    with pytest.raises(MhatError, match="out of its range"):
        opt.beta2 = 2.0
    assert opt.beta2 == 0.999
    with pytest.raises(AttributeError, match="'Optimizer' object has no attribute 'momentum'"):
        _ = opt.momentum
    for name in ("lr", "rule"):
        with pytest.raises(MhatError, match=f"`{name}` of an optimizer cannot be taken away\nMake another optimizer."):
            delattr(opt, name)


def test_a_knob_may_have_any_name() -> None:
    x = np.zeros(1)
    opt = mhat.Optimizer(NAMED, x, self=2, params=3, seed=7, threads=1, knobs={"seed": 0.5, "knobs": 4, "state": 2})
    assert opt.knobs == {"seed": 0.5, "threads": 1, "t_": 1, "state": 2, "knobs": 4, "self": 2, "params": 3}
    opt.step(np.ones(1))
    assert x[0] == -1.0
    with pytest.raises(MhatError) as refused:
        opt.state = 4
    assert str(refused.value) == ('`state` of an optimizer cannot be set\nThe knob of this name is opt.knobs["state"].')
    opt.knobs["state"] = 4
    opt.seed = 1.0
    opt.step(np.ones(1))
    assert x[0] == -5.0
    assert opt.state == {}
    twin = copy.deepcopy(opt)
    assert twin.knobs == opt.knobs
    with pytest.raises(MhatError, match=r"there is no knob of f `stat`\nDid you mean `state`\?"):
        opt.knobs["stat"] = 1.0
    with pytest.raises(MhatError, match="not a number"):
        opt.knobs.update({"seed": 2.0, "state": "x"})
    assert opt.seed == 1.0


def test_scalars_of_schedules_are_numbers() -> None:
    opt = mhat.Optimizer("sgd", np.zeros(2))
    for value in (np.float32(0.5), np.array(0.5), torch.tensor(0.5)):
        opt.lr = 0.25
        opt.lr = value
        assert opt.lr == 0.5


def test_a_step_that_is_stopped_says_what_has_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    own = [np.ones(2), np.ones(2, np.float32)]
    opt = mhat.Optimizer("sgd", own)

    def stop(*given: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(opt._state.groups[1], "run", stop)
    with pytest.raises(KeyboardInterrupt) as stopped:
        opt.step([np.ones(2), np.ones(2, np.float32)])
    assert stopped.value.__notes__ == ["Of the parameters these were stepped: params[0]."]


def test_a_gradient_in_a_parameter_of_another_dtype() -> None:
    own = [np.ones(4), np.ones(8, np.float32)]
    opt = mhat.Optimizer("sgd", own)
    with pytest.raises(MhatError, match=r"the gradient of params\[1\] shares memory with params\[0\]"):
        opt.step([np.ones(4), own[0].view(np.float32)])
    assert (own[0] == 1.0).all()
