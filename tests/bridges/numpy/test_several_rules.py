"""An optimizer of several rules: who steps what, with which knobs, saved and taken up again; and what is refused."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.bridges.numpy.parts import dotted
from mhat.language import rule

muon = rule("""
@rule(flatten="first")
def muon(x, g, m=0, *, lr=0.02, momentum=0.95):
    m = momentum * m + g
    return x - lr * orthogonal(m)
""")
adamw = mhat.rules.adamw


def parameters() -> dict[str, Any]:
    random = np.random.default_rng(0)
    shapes: dict[str, Any] = {
        "embed": (5, 3),
        "layers": [{"w": (3, 4), "b": (4,)}, {"w": (2, 3, 2), "b": (1,)}],
        "scale": (),
    }

    def made(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: made(inner) for name, inner in part.items()}
        return [made(inner) for inner in part] if isinstance(part, list) else random.standard_normal(part)

    return made(shapes)  # type: ignore[no-any-return]


def arrays_in(part: Any) -> list[np.ndarray]:
    if isinstance(part, dict):
        part = list(part.values())
    return [a for inner in part for a in arrays_in(inner)] if isinstance(part, list) else [part]


def like(part: Any, value: float) -> Any:
    if isinstance(part, dict):
        return {name: like(inner, value) for name, inner in part.items()}
    if isinstance(part, list):
        return [like(inner, value) for inner in part]
    return np.asarray(np.sin(np.arange(part.size) + value)).reshape(part.shape)


CHOICES: dict[str, tuple[dict[Any, Any], list[str]]] = {
    "matrices and the rest": ({muon: mhat.matrices, adamw: mhat.rest}, ["embed", "layers.0.w", "layers.1.w"]),
    "names count first": ({muon: mhat.matrices, adamw: ["embed"], "sgd": mhat.rest}, ["layers.0.w", "layers.1.w"]),
    "a container by its name": ({muon: mhat.matrices, adamw: ["layers.1", "embed"], "sgd": mhat.rest}, ["layers.0.w"]),
    "a question": ({muon: lambda name, x: name.endswith(".w"), adamw: mhat.rest}, ["layers.0.w", "layers.1.w"]),
    "one name, and nothing left": (
        {muon: "embed", adamw: lambda name, x: name != "embed", "sgd": mhat.rest},
        ["embed"],
    ),
}


@pytest.mark.parametrize("case", CHOICES)
def test_each_rule_steps_what_it_is_given(case: str) -> None:
    choice, names = CHOICES[case]
    params = parameters()
    opt = mhat.Optimizer(choice, params)
    taken = [dotted(opt._state.names[place]) for place in opt._state.parts[0].places]
    assert taken == names
    expected = parameters()
    alone = [mhat.Optimizer(part.rule, [arrays_in(expected)[i] for i in part.places]) for part in opt._state.parts
             if part.places]  # fmt: skip
    for t in range(3):
        gradients = like(params, t)
        opt.step(gradients)
        for one, part in zip(alone, [part for part in opt._state.parts if part.places], strict=True):
            one.step([arrays_in(gradients)[i] for i in part.places])
    assert all(np.array_equal(a, b) for a, b in zip(arrays_in(params), arrays_in(expected), strict=True))
    assert opt.t == 3


TWO = {muon: mhat.matrices, adamw: mhat.rest}


def test_knobs_by_rule() -> None:
    opt = mhat.Optimizer(
        TWO, parameters(), momentum=0.5, knobs={"muon": {"lr": 0.1}, adamw: {"lr": 0.01, "beta1": 0.8}}
    )
    assert (opt.momentum, opt.beta1, opt.knobs["muon"]["lr"], opt.knobs["adamw"]["lr"]) == (0.5, 0.8, 0.1, 0.01)
    opt.knobs["muon"]["lr"] = 0.2
    opt.momentum = 0.6
    assert (opt.knobs["muon"]["lr"], opt.momentum) == (0.2, 0.6)
    assert repr(opt) == (
        "<Optimizer muon: 3 tensors, 39 parameters, t=0, lr=0.2, momentum=0.6; adamw: 3 tensors, 6 parameters, t=0, "
        "lr=0.01, beta1=0.8, beta2=0.999, eps=1e-8, weight_decay=0.01>"
    )
    assert {"momentum", "beta1", "lr"} <= set(dir(opt)) and list(opt.rules) == ["muon", "adamw"]
    assert not hasattr(opt, "lr") and not hasattr(opt, "rule")


def test_states_are_those_of_their_rules() -> None:
    params = parameters()
    opt = mhat.Optimizer(TWO, params)
    opt.step(like(params, 1))
    assert opt.state["v"]["embed"] is None and opt.state["v"]["layers"][0]["b"].shape == (4,)
    assert opt.state["m"]["layers"][1]["w"].shape == (2, 6)


@pytest.mark.parametrize("way", ["dict", "npz", "pickle", "copy"])
def test_another_one_goes_on_exactly(way: str, tmp_path: Path) -> None:
    params = parameters()
    opt = mhat.Optimizer(TWO, params, knobs={"muon": {"lr": 0.1}})
    opt.step(like(params, 1))
    if way in ("pickle", "copy"):
        other = pickle.loads(pickle.dumps(opt)) if way == "pickle" else copy.deepcopy(opt)
        others = other._params
    else:
        others = copy.deepcopy(params)
        other = mhat.Optimizer(TWO, others)
        if way == "dict":
            other.load_state_dict(opt.state_dict())
        else:
            opt.save(tmp_path / "state.npz")
            other.load(tmp_path / "state.npz")
    assert other.knobs["muon"]["lr"] == 0.1
    opt.step(like(params, 2))
    other.step(like(params, 2))
    assert all(np.array_equal(a, b) for a, b in zip(arrays_in(params), arrays_in(others), strict=True))


def test_dtypes_and_what_looks_at_all_tensors() -> None:
    shared = rule('def shared(x, g, *, lr=1): return x - lr * g / norm(g, over="all")')
    params = [np.zeros((2, 2)), np.zeros(2, np.float32), np.zeros(2)]
    opt = mhat.Optimizer({muon: mhat.matrices, shared: [2], "sgd": mhat.rest}, params)
    opt.step([np.eye(2), np.ones(2, np.float32), np.array([3.0, 4.0])])
    assert params[2].tolist() == [-0.6, -0.8]  # of its own tensors alone
    with pytest.raises(mhat.errors.BadValue, match="shared looks at all tensors at once"):
        mhat.Optimizer({muon: mhat.matrices, shared: mhat.rest}, params)


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "nobody": ({muon: mhat.matrices}, {},
               "params['layers'][0]['b'] is chosen for no rule\n"
               "Add a rule for what is left: {muon: ..., adamw: mhat.rest}."),
    "two": ({muon: mhat.matrices, adamw: mhat.matrices}, {},
            "params['embed'] is chosen for muon and for adamw\nChoose each parameter for one rule."),
    "a name": ({muon: ["embd"], adamw: mhat.rest}, {}, "there is no parameter `embd`\nDid you mean `embed`?"),
    "a kind": ({muon: 3, adamw: mhat.rest}, {},
               "muon is given an int to choose by\n"
               "Give mhat.matrices, mhat.rest, a list of names, or a function of name and array."),
    "none": ({}, {}, "there is no rule\nGive rules with what each takes: {muon: mhat.matrices, adamw: mhat.rest}."),
    "namesakes": ({"adam": mhat.matrices, rule("def adam(x, g): return x - g"): mhat.rest}, {},
                  "two rules are called adam\nGive one of them another name: knobs go by name."),
    "what does not fit": ({muon: ["layers.0.b"], adamw: mhat.rest}, {},
                          "muon is a rule per matrix, and params['layers'][0]['b'] has the shape (4,)\n"
                          "Give it another rule: Optimizer({muon: mhat.matrices, adamw: mhat.rest}, params)."),
    "a knob of both": (TWO, {"lr": 0.1},
                       '`lr` is a knob of muon and of adamw\nGive it by rule: knobs={"muon": {"lr": ...}}.'),
    "a knob of none": (TWO, {"momentun": 0.1},
                       "there is no knob of muon or adamw `momentun`\nDid you mean `momentum`?"),
    "knobs of nobody": (TWO, {"knobs": {"adam": {"lr": 1}}},
                        "there is no rule of this optimizer `adam`\nDid you mean `adamw`?"),
    "knobs that are none": (TWO, {"knobs": {"muon": 1}},
                            'the knobs of muon are an int\nGive names and values: knobs={"muon": {"lr": ...}}.'),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    choice, more, said = REFUSED[case]
    with pytest.raises(mhat.MhatError) as caught:
        mhat.Optimizer(choice, parameters(), **more)
    assert str(caught.value).startswith(said)


def test_setting_what_several_have_is_refused() -> None:
    opt = mhat.Optimizer(TWO, parameters())
    with pytest.raises(mhat.errors.BadValue, match="`lr` is a knob of muon and of adamw"):
        opt.lr = 0.1
    with pytest.raises(AttributeError, match=r'`lr` is a knob of muon and of adamw: opt.knobs\["muon"\]\["lr"\]'):
        _ = opt.lr


def test_states_of_other_rules_are_refused() -> None:
    params = parameters()
    opt, other = mhat.Optimizer(TWO, params), mhat.Optimizer(adamw, params)
    with pytest.raises(mhat.errors.BadValue, match="the state lacks `rule/muon`: it is none of an optimizer of these"):
        opt.load_state_dict(other.state_dict())
    with pytest.raises(mhat.errors.BadValue, match="it has no `rule`"):
        other.load_state_dict(opt.state_dict())
    last = rule(str(muon).replace("first", "last"))
    with pytest.raises(mhat.errors.BadValue, match="the state is of another rule of the name muon"):
        mhat.Optimizer({last: mhat.matrices, adamw: mhat.rest}, params).load_state_dict(opt.state_dict())
