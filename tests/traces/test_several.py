"""Several rules on the same gradients are one trace with the dimension `rule`, and each what it is alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat import traces
from mhat.errors import BadValue, UnknownName
from mhat.traces import streaming
from mhat.traces.schema import is_several, knobs_of, names_of, parts_of, rule_of, tensor_of, what_ran
from tests.traces.test_schema import NOISE, ON_MATRICES, ON_TENSORS

FLAT = xr.DataArray(NOISE[..., 0], dims=("step", "layer"), coords={"layer": ["a", "b", "c"]})
SCHEDULE = xr.DataArray(np.linspace(0.1, 0.5, 5), dims="step")
RULES = ["adam", "rmsprop", "sgd"]
CASES: dict[str, dict[str, Any]] = {
    "stream": {"rule": RULES, "stream": "normal:seed=3"},
    "landscape": {"rule": RULES, "stream": "ravine", "steps": 7, "lr": 0.01},
    "labels": {"rule": RULES, "stream": FLAT, "start": [1.0, 2.0, 3.0]},
    "sweep": {"rule": RULES, "stream": FLAT, "beta2": [0.9, 0.99], "lr": 0.5},
    "sweep on a landscape": {"rule": RULES, "stream": "rosenbrock", "steps": 5, "beta2": [0.9, 0.99], "lr": [0.1, 0.2]},
    "schedule": {"rule": RULES, "stream": FLAT, "lr": SCHEDULE},
    "tensors": {"rule": ["lamb", "adam", ON_TENSORS], "stream": NOISE, "tensor": "j", "start": 1.0},
    "matrices": {"rule": [ON_MATRICES, "sgd"], "stream": NOISE},
    "one": {"rule": ["adam"], "stream": [1.0, 2.0]},
    "float32": {"rule": RULES, "stream": FLAT, "dtype": "float32"},
    "bfloat16": {"rule": RULES, "stream": FLAT, "dtype": "bfloat16"},
    "some variables": {"rule": RULES, "stream": "normal:size=3", "keep": ["ratio", "m_hat"]},
}


def alone(case: dict[str, Any], rule: Any) -> xr.Dataset:
    knobs = {name: value for name, value in case.items() if name not in ("rule", "keep")}
    named = mhat.rules.named(rule) if isinstance(rule, str) else rule
    others = {"stream", "steps", "start", "tensor", "dtype"}
    return mhat.trace(rule, **{name: v for name, v in knobs.items() if name in others or name in named.knobs})


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_rule_does_what_it_does_alone(case: dict[str, Any]) -> None:
    ds = mhat.trace(**case)
    for place, rule in enumerate(case["rule"]):
        one = alone(case, rule)
        for name, array in ds.data_vars.items():
            part = array.isel(rule=place) if "rule" in array.dims else array
            expected = one[name] if name in one else xr.full_like(part, np.nan)
            spread, expected = xr.broadcast(part, expected)
            np.testing.assert_array_equal(spread, expected.transpose(*spread.dims))
            assert array.dtype == one["x"].dtype
    assert list(ds.sizes)[:1] == ["step"]
    assert all(array.dims[:2] == ("step", "rule") for name, array in ds.data_vars.items() if "rule" in array.dims)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
@pytest.mark.parametrize("ending", [None, ".nc", ".zarr"])
def test_it_is_saved_and_runs_again(case: dict[str, Any], ending: str | None, tmp_path: Path) -> None:
    ds = loaded = mhat.trace(**case)
    if ending is not None:
        mhat.save(ds, str(tmp_path / f"t{ending}"))
        loaded = mhat.load(str(tmp_path / f"t{ending}")).compute()
        xr.testing.assert_identical(loaded, ds)
        assert list(loaded.data_vars) == list(ds.data_vars)
    xr.testing.assert_identical(mhat.again(loaded), ds)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_long_one_is_written_as_it_comes(
    case: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "MOST_STEPS", 6)
    xr.testing.assert_identical(mhat.trace(**case, to=tmp_path / "t.zarr").compute(), mhat.trace(**case))


@pytest.mark.parametrize("ending", [".csv", ".parquet"])
def test_a_table_has_a_row_for_each_step_and_rule(ending: str, tmp_path: Path) -> None:
    pd = pytest.importorskip("pandas")
    mhat.save(mhat.trace(RULES, [1.0, 2.0]), str(tmp_path / f"t{ending}"))
    table = pd.read_csv(tmp_path / "t.csv") if ending == ".csv" else pd.read_parquet(tmp_path / "t.parquet")
    assert list(table.columns) == ["step", "rule", "g", "x", "m", "v", "m_hat", "v_hat", "ratio"]
    assert table["rule"].tolist() == 2 * RULES
    assert table["m"].isna().tolist() == 2 * [False, True, True]


def test_gradients_given_beforehand_are_the_same_for_all() -> None:
    assert mhat.trace(RULES, FLAT).g.dims == ("step", "layer")
    assert mhat.trace(RULES, "ravine", steps=2).g.dims == ("step", "rule", "i")


def test_two_rules_of_one_name_are_told_apart() -> None:
    mine = mhat.rule("def adam(x, g, *, lr=1):\n    return x - lr * g")
    ds = mhat.trace(["adam", mine, "sgd", "adam"], [1.0, 2.0], lr=0.5)
    assert names_of(ds) == ("adam", "adam (2)", "sgd", "adam (3)")
    assert ds.x.sel(rule="adam (2)").values.tolist() == ds.x.sel(rule="sgd").values.tolist() == [-0.5, -1.5]
    assert rule_of(ds, "adam (2)") == mine and rule_of(ds, "adam (3)") == mhat.rules.adam
    xr.testing.assert_identical(mhat.again(ds), ds)


def test_the_readers_know_several_rules() -> None:
    ds = mhat.trace(["lamb", "adam"], NOISE, tensor="j", lr=0.5, beta2=[0.9, 0.99], start=1.0)
    assert is_several(ds) and not is_several(ds.sel(rule="adam"))
    assert (rule_of(ds, "lamb").name, rule_of(ds.sel(rule="adam")).name) == ("lamb", "adam")
    assert knobs_of(ds, "adam") == {"lr": 0.5, "beta1": 0.9, "eps": 1e-8}
    assert "weight_decay" in knobs_of(ds.sel(rule="lamb"))
    assert (tensor_of(ds, "lamb"), tensor_of(ds, "adam")) == (("j",), ())
    assert what_ran(ds).rule == "lamb, adam" and what_ran(ds.sel(rule="adam")).rule == "adam"
    for reader in (rule_of, knobs_of, tensor_of):
        with pytest.raises(BadValue) as error:
            reader(ds)
        assert str(error.value) == 'this is a trace of several rules: lamb, adam\nChoose one: ds.sel(rule="lamb").'
        with pytest.raises(UnknownName, match=r"^there is no rule of the trace `adan`\nDid you mean `adam`\?$"):
            reader(ds, "adan")
    with pytest.raises(UnknownName, match=r"^there is no rule of the trace `sgd`\nKnown: adam\.$"):
        rule_of(mhat.trace("adam", [1.0]), "sgd")


def test_it_is_taken_apart_into_traces() -> None:
    case = CASES["labels"]
    parts = parts_of(mhat.trace(**case))
    assert list(parts) == RULES
    for name, part in parts.items():
        one = alone(case, name)
        xr.testing.assert_equal(part, one)
        assert {key: part.attrs[key] for key in ("rule", "source", "paper", "level")} == {
            key: one.attrs[key] for key in ("rule", "source", "paper", "level")
        }
        xr.testing.assert_identical(mhat.again(part), one)
    (name,) = parts_of(one)
    assert name == "sgd"


def test_traces_that_are_joined_keep_their_names() -> None:
    joined = xr.concat([mhat.trace(rule, [1.0, 2.0], keep=["g", "x"]) for rule in RULES], "rule")
    assert names_of(joined) == tuple(RULES)
    assert what_ran(joined).rule == "adam, rmsprop, sgd"
    assert joined.x.sel(rule="sgd").values.tolist() == [-0.01, -0.03]
    assert rule_of(joined, "adam") == mhat.rules.adam
    for ask in (lambda: rule_of(joined, "sgd"), lambda: rule_of(joined.sel(rule="sgd")), lambda: mhat.again(joined)):
        with pytest.raises(BadValue) as error:
            ask()
        assert str(error.value) == (
            "these are several traces in one, and it says only how `adam` was run\n"
            "Keep them apart, or trace the rules together: mhat.trace(['adam', 'sgd'], ...)."
        )


def test_a_sweep_of_a_knob_called_rule_is_no_trace_of_several_rules() -> None:
    rule = mhat.rule("def f(x, g, *, rule=1):\n    return x - rule * g")
    assert mhat.trace(rule, [1.0, 2.0], knobs={"rule": 2.0}).x.values.tolist() == [-2.0, -6.0]
    for several in (rule, [rule, "sgd"]):
        for values in ([1.0, 2.0], xr.DataArray([1.0, 2.0], dims="run")):
            with pytest.raises(BadValue) as error:
                mhat.trace(several, [1.0, 2.0], knobs={"rule": values})
            assert str(error.value) == (
                "the knob `rule` has the name of the dimension of rules, and several values\n"
                "Rename the knob in the rule."
            )


def test_dask_stays_lazy() -> None:
    pytest.importorskip("dask")
    ds = mhat.trace(RULES, FLAT.chunk({"layer": 1}))
    assert ds.x.chunks is not None and ds.m.chunks is not None
    xr.testing.assert_identical(ds.compute(), mhat.trace(RULES, FLAT))


def test_progress_counts_what_all_have_done() -> None:
    seen: list[int] = []
    asked = traces.understand(
        [mhat.rules.adam, mhat.rules.sgd], [1.0] * 4, steps=None, start=None, dtype="float64", keep=None, tensor=None,
        knobs={},
    )  # fmt: skip
    assert (asked.steps, asked.name, asked.keep[:2]) == (4, "adam, sgd", ("g", "x"))
    traces.run_whole(asked, seen.append)
    assert seen == [0, 1, 1, 2, 2, 3, 3, 4]


def test_each_part_is_shown_with_its_gradients() -> None:
    seen: list[xr.Dataset] = []
    ds = mhat.trace(RULES, "ravine", steps=3, keep="m_hat", each=seen.append)
    assert list(ds.data_vars) == ["m_hat"] and set(seen[0].data_vars) == {"g", "m_hat"}


@pytest.mark.parametrize(
    ("rules", "more", "kind", "message"),
    [
        ([], {}, BadValue,
         "there is no rule in the list\nGive at least one: trace(['adam', 'sgd'], ...)."),
        (["sgd", "rmsprop"], {"beta1": 0.9}, UnknownName,
         "there is no knob of sgd, rmsprop `beta1`\nKnown: eps, lr, rho."),
        (["adam", "sgd"], {"beta1": 1.5}, BadValue, "beta1=1.5 is out of its range"),
        (["adam", "sgd"], {"keep": "mhat"}, UnknownName,
         "there is no variable of adam, sgd `mhat`\nDid you mean `m_hat`?"),
        (["adam", "sgd"], {"keep": []}, BadValue,
         "keep names no variable\nName some of g, x, m, v, m_hat, v_hat, ratio."),
        (["adam", ON_MATRICES], {}, BadValue, "f is a rule per matrix and the tensor has 1 dimensions"),
        (["adam", "adan"], {"lr": xr.DataArray([0.1, 0.2], dims="rule")}, BadValue,
         "the dimension `rule` of lr is that of the rules of a trace\n"
         'Rename it: .rename({"rule": "..."}).'),
    ],
)  # fmt: skip
def test_what_cannot_be(rules: list[Any], more: dict[str, Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as error:
        mhat.trace(rules, FLAT, **more)
    assert str(error.value).startswith(message)


def test_gradients_with_a_dimension_called_rule() -> None:
    with pytest.raises(BadValue) as error:
        mhat.trace("adam", FLAT.rename(layer="rule"))
    assert str(error.value) == (
        'the dimension `rule` of the gradients is that of the rules of a trace\nRename it: .rename({"rule": "..."}).'
    )


# What is no trace, no rule and no gradients


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mhat.again(1), "1 is no trace\nGive what mhat.trace or mhat.load gives."),
        (lambda: mhat.again("t.nc"), "'t.nc' is no trace\nGive what mhat.trace or mhat.load gives."),
        (lambda: mhat.save(1, "t.nc"), "1 is no trace\nGive what mhat.trace or mhat.load gives."),
        (lambda: mhat.load({}), "{} is no path\nGive the name of a file that `mhat trace --save` has written."),
        (lambda: mhat.trace("adam", 10),
         "10 is one number, and gradients are one for each step\n"
         'Give a list, or a stream: [10, 10], "constant:10".'),
        (lambda: traces.trace(mhat.streams.constant(), mhat.rules.adam),
         "Stream('constant', step=100) is no rule\n"
         "Give the rule first, and then the gradients: trace(rule, stream)."),
        (lambda: traces.trace([mhat.rules.adam, 3], [1.0]),
         "3 is no rule\nGive the rule first, and then the gradients: trace(rule, stream)."),
    ],
)  # fmt: skip
def test_what_is_no_trace_no_rule_and_no_gradients(call: Any, message: str) -> None:
    with pytest.raises(BadValue) as error:
        call()
    assert str(error.value) == message
