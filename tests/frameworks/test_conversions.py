"""The tables of `mhat convert` against the real optimizers: names, defaults, forms, and the lines that are pasted."""

from __future__ import annotations

import inspect
import sys
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.conversions import convert, real, runs
from mhat.conversions.catalogue import FRAMEWORKS
from mhat.conversions.chosen import choose
from mhat.conversions.entries import Entry, Form, Framework
from mhat.conversions.pseudo_code import written
from mhat.subjects import kinds
from mhat.subjects.keras import _precision as precision
from mhat.subjects.rules import subject_of_rule

DRIVEN = [FRAMEWORKS[name] for name in ("torch", "optax", "keras")]
ENTRIES = [(framework, entry) for framework in DRIVEN for entry in framework.entries]
FORMS = [(framework, entry, form) for framework, entry in ENTRIES for form in entry.forms]
# A value that is not neutral for each knob that an edit brings.
ON = {
    "l2": 0.02, "weight_decay": 0.03, "momentum": 0.8, "dampening": 0.3, "v_start": 0.2, "eps_root": 1e-6,
    "lr_decay": 0.1, "clip_value": 0.7, "clip_norm": 0.9, "clip_all": 1.1,
}  # fmt: skip
ONE_AT_A_TIME = ("clip_value", "clip_norm", "clip_all")
STEPS = 12


def real_thing(framework: Framework, entry: Entry) -> Any:
    kinds.import_framework(framework.module)
    thing: Any = sys.modules[framework.module]
    for part in entry.call.split(".")[1:]:
        thing = getattr(thing, part)
    return thing


def differences(framework: Framework, entry: Entry, thing: Any) -> list[str]:
    """List what a table says otherwise than a signature."""
    parameters = dict(inspect.signature(thing).parameters)
    parameters.pop("params", None)
    known: dict[str, list[float | None]] = {}
    for theirs, default in entry.knobs.values():
        known.setdefault(theirs.partition("[")[0], []).append(default)
    wrong = [f"{name} is gone" for name in {*known, *entry.switches} - {*parameters}]
    wrong += [f"{name} is new" for name in {*parameters} - {*known} - {*entry.switches} - {*entry.ignored}]
    for name, ours in known.items():
        theirs = parameters[name].default if name in parameters else None
        must_be_told = theirs is inspect.Parameter.empty or (theirs is None and name == "learning_rate")
        wanted = [None] if must_be_told else theirs if isinstance(theirs, tuple) else [theirs or 0.0]
        if [*wanted] != [*dict.fromkeys(ours)] and [*wanted] != ours:
            wrong.append(f"{name} is {theirs}, not {ours}")
    wrong += [f"{name} is not {value}" for name, value in entry.switches.items() if parameters[name].default != value]
    return wrong


@pytest.mark.parametrize(("framework", "entry"), ENTRIES, ids=[entry.call for _, entry in ENTRIES])
def test_names_and_defaults_are_those_of_the_signature(framework: Framework, entry: Entry) -> None:
    assert differences(framework, entry, real_thing(framework, entry)) == []


def test_a_wrong_name_and_a_wrong_default_are_seen() -> None:
    entry = Entry("torch.optim.SGD", {"lr": ("lr", 0.01), "rho": ("rho", 0.9)}, (Form("sgd"),), {"nesterov": False})
    said = differences(FRAMEWORKS["torch"], entry, real_thing(FRAMEWORKS["torch"], entry))
    assert {"rho is gone", "lr is 0.001, not [0.01]", "momentum is new", "fused is new"} <= {*said}


def settings(entry: Entry, form: Form, clipped: str) -> dict[str, float]:
    """Set every knob that an edit brings to something, and the rest to what it is by default."""
    known = {knob: default for knob, (_, default) in entry.knobs.items() if knob not in form.lacks}
    on = {knob: ON.get(knob, 0.01 if default is None else default) for knob, default in known.items()}
    on |= {knob: 0.0 for knob in ONE_AT_A_TIME if knob in on and knob != clipped}
    if form.rule == "nesterov" and "dampening" in on:
        on["dampening"] = 0.0  # torch refuses both together
    return {**on, **form.held}


@pytest.mark.parametrize(
    ("framework", "entry", "form"), FORMS, ids=[f"{entry.call}-{i}" for i, (_, entry, _) in enumerate(FORMS)]
)
def test_every_form_is_what_the_real_optimizer_does(framework: Framework, entry: Entry, form: Form) -> None:
    clipped = ONE_AT_A_TIME[FORMS.index((framework, entry, form)) % 3]
    knobs = settings(entry, form, clipped)
    rule = written(entry, form, knobs)
    several = runs.whole_tensors(rule)
    for name in runs.JUDGED:
        gradients = runs.gradients(several)[name][:STEPS]
        subject = real.subject_of(framework, entry, form, knobs, 60.0)
        found = runs.apart(subject.run(gradients, runs.START), subject_of_rule(rule).run(gradients, runs.START))
        assert found.share <= runs.rounding(rule, several, name)
        assert np.all(np.isfinite(gradients))


# The lines that are pasted, run as they are, beside the real optimizer that they stand for.
PASTED: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "eps follows a schedule, torch": ("adam", "keras", "torch", {"epsilon": 1e-3}),
    "eps follows a schedule, optax": ("adamw", "keras", "optax", {"epsilon": 1e-3, "weight_decay": 0.1}),
    "eps follows a schedule, keras": ("amsgrad", "torch", "keras", {"eps": 1e-3}),
    "lr follows a schedule, optax": ("amsgrad", "keras", "optax", {"epsilon": 1e-3}),
    "lr and eps follow schedules, optax": ("amsgrad", "torch", "optax", {"eps": 1e-3}),
    "coupled decay in a chain": ("momentum", "torch", "optax", {"momentum": 0.9, "weight_decay": 0.1}),
    "decoupled decay in a chain": ("adagrad", "keras", "optax", {"weight_decay": 0.1, "learning_rate": 0.1}),
    "decoupled decay by hand": ("momentum", "keras", "torch", {"momentum": 0.9, "weight_decay": 0.1}),
    "clipped by value, torch": ("sgd", "keras", "torch", {"clipvalue": 0.3}),
    "clipped by a norm, torch": ("sgd", "keras", "torch", {"clipnorm": 0.3}),
    "clipped by the norm of all, torch": ("sgd", "keras", "torch", {"global_clipnorm": 0.3}),
    "clipped by value, optax": ("sgd", "keras", "optax", {"clipvalue": 0.3}),
    "clipped by the norm of all, optax": ("lion", "keras", "optax", {"global_clipnorm": 0.3}),
    "a rule for another": ("signum", "optax", "keras", {"beta": 0.8}),
    "a switch": ("rmsprop", "torch", "optax", {"eps": 1e-2}),
    "a rule without averages": ("rprop", "torch", "numpy", {"etas": (0.4, 1.3), "lr": 0.1}),
    "constant momentum": ("nadam", "optax", "torch", {}),
    "the start of a sum": ("adagrad", "optax", "keras", {"initial_accumulator_value": 0.3}),
    "pseudo code": ("adagrad", "keras", "numpy", {}),
}
TENSORS = 2


@pytest.mark.parametrize("case", PASTED.values(), ids=PASTED)
def test_the_lines_do_what_they_stand_for(case: tuple[str, str, str, dict[str, Any]]) -> None:
    name, source, target, knobs = case
    conversion = convert(name, source, target, knobs, measure=False)
    assert conversion.answer in ("exact", "conditional")
    chosen = choose(FRAMEWORKS[source], name, knobs)
    subject = real.subject_of(chosen.framework, chosen.entry, chosen.form, chosen.knobs, 60.0)
    gradients = [np.random.default_rng(seed).normal(size=(STEPS, 3)) for seed in range(TENSORS)]
    expected = subject.run(gradients, runs.START)
    ran = RUN[target](conversion.lines, gradients)
    # The schedules of optax are computed in single precision.
    allowed = (
        1e-6 if target == "optax" and conversion.answer == "conditional" else runs.rounding(chosen.rule, True, "normal")
    )
    for one, other in zip(ran, expected, strict=True):
        assert runs.apart(one, other).share <= allowed


def run_torch(lines: str, gradients: list[Any]) -> list[Any]:
    torch = pytest.importorskip("torch")
    params = [torch.full((3,), runs.START, dtype=torch.float64, requires_grad=True) for _ in gradients]
    making, _, stepping = lines.partition("\n# before")
    names: dict[str, Any] = {"torch": torch, "params": params}
    exec(making, names)
    path = []
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)  # some optimizers keep their counters in that
    try:
        for t in range(1, STEPS + 1):
            for param, g in zip(params, gradients, strict=True):
                param.grad = torch.tensor(g[t - 1])
            exec(f"# before{stepping}", {**names, "t": t})
            names["optimizer"].step()
            path.append([param.detach().numpy().copy() for param in params])
    finally:
        torch.set_default_dtype(before)
    return [np.array(each) for each in zip(*path, strict=True)]


def run_optax(lines: str, gradients: list[Any]) -> list[Any]:
    jax, optax = pytest.importorskip("jax"), pytest.importorskip("optax")
    with jax.enable_x64(True):
        names: dict[str, Any] = {"optax": optax}
        exec(lines, names)
        params: Any = [jax.numpy.full(3, runs.START, dtype="float64") for _ in gradients]
        state, path = names["optimizer"].init(params), []
        for t in range(STEPS):
            updates, state = names["optimizer"].update([jax.numpy.asarray(g[t]) for g in gradients], state, params)
            params = optax.apply_updates(params, updates)
            path.append([np.asarray(param) for param in params])
    return [np.array(each) for each in zip(*path, strict=True)]


def run_keras(lines: str, gradients: list[Any]) -> list[Any]:
    kinds.import_framework("keras")
    keras = sys.modules["keras"]
    making, _, stepping = lines.partition("\n# ")
    with precision(keras, "float64"):
        variables = [keras.Variable(np.full(3, runs.START), dtype="float64") for _ in gradients]
        names: dict[str, Any] = {"keras": keras}
        exec(making, names)
        path = []
        for t in range(1, STEPS + 1):
            exec(f"# {stepping}", {**names, "t": t})
            names["optimizer"].apply([keras.ops.convert_to_tensor(g[t - 1]) for g in gradients], variables)
            path.append([np.array(keras.ops.convert_to_numpy(variable.value)) for variable in variables])
    return [np.array(each) for each in zip(*path, strict=True)]


def run_numpy(lines: str, gradients: list[Any]) -> list[Any]:
    params = [np.full(3, runs.START) for _ in gradients]
    names: dict[str, Any] = {"mhat": mhat, "params": params}
    exec(lines, names)
    path = []
    for t in range(STEPS):
        names["optimizer"].step([g[t] for g in gradients])
        path.append([param.copy() for param in params])
    return [np.array(each) for each in zip(*path, strict=True)]


RUN = {"torch": run_torch, "optax": run_optax, "keras": run_keras, "numpy": run_numpy}


def test_what_is_measured_is_what_the_forms_say() -> None:
    for name, source, target, knobs in (
        ("adam", "keras", "torch", {}),
        ("rmsprop", "keras", "torch", {"momentum": 0.9}),
        ("amsgrad", "optax", "torch", {"learning_rate": 1e-3}),
    ):
        measured = convert(name, source, target, knobs)
        computed = convert(name, source, target, knobs, measure=False)
        assert [each.how for each in measured.measured] == ["measured"] * len(measured.measured)
        for one, other in zip(measured.measured, computed.measured, strict=True):
            assert one.setting == other.setting
            for stream, found in one.streams.items():
                assert found.share == pytest.approx(other.streams[stream].share, rel=1e-3, abs=1e-9), stream
        assert measured.remarks == ()


def test_an_optimizer_that_is_not_as_it_was_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")

    class Adam(torch.optim.Adam):  # type: ignore[misc, name-defined]
        def __init__(self, params: Any, lr: float = 1e-3, betas: Any = (0.9, 0.999), eps: float = 1e-8) -> None:
            super().__init__(params, lr, (betas[1], betas[1]), eps)

    monkeypatch.setattr(torch.optim, "Adam", Adam)
    (remark,) = convert("adam", "numpy", "torch", {}).remarks
    assert remark.startswith("torch.optim.Adam of torch 2.")
    assert "does not do what mhat knows of it, by 1.1" in remark
    assert remark.endswith("what is measured counts")


def test_an_optimizer_that_takes_too_long_is_not_waited_for() -> None:
    answer = convert("adam", "numpy", "torch", {}, limit=1e-4)
    assert answer.answer == "exact"
    assert answer.remarks == (
        "computed from the pseudo code of both: `torch.optim.Adam` did not end within 1e-4 seconds",
    )


def test_a_regularizer_of_half_the_decay_is_coupled_decay() -> None:
    kinds.import_framework("keras")
    keras = sys.modules["keras"]
    assert convert("sgd", "torch", "keras", {"momentum": 0.9, "weight_decay": 0.5}, measure=False).lines.endswith(
        "# and for every weight of every layer: regularizer=keras.regularizers.L2(0.25)"
    )
    penalty = keras.regularizers.L2(0.25)
    w = np.array([1.0, -2.0])
    # The slope of 0.25 * sum(w**2) is 0.5 * w.
    assert float(penalty(keras.ops.convert_to_tensor(w))) == pytest.approx(0.5 * 0.5 * np.sum(w**2))
