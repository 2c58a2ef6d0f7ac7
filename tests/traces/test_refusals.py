"""What a trace cannot be is refused, with what was typed and the cure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat.errors import BadValue, MhatError, UnknownName
from tests.traces.test_schema import NOISE, ON_MATRICES

FLAT = NOISE[..., 0]
NAMED = xr.DataArray(FLAT, dims=("step", "i"), coords={"i": ["a", "b", "c"]})
AN_ARRAY = "Give a stream, a landscape, an array of gradients (steps first), or a DataArray with `step`."
LENGTHS = "Give both the same length, or one of the dimensions another name."
OF_ADAM = "g, x, m, v, m_hat, v_hat, ratio"


def over(dim: str, *values: float, **labels: Any) -> xr.DataArray:
    return xr.DataArray(list(values), dims=dim, coords=labels)


# (gradients, further arguments, kind of error, text)
CASES: list[tuple[Any, dict[str, Any], type[MhatError], str]] = [
    # steps
    (FLAT, {"steps": 0}, BadValue, "steps=0\nAsk for at least one step, a whole number."),
    (FLAT, {"steps": 2.5}, BadValue, "steps=2.5\nAsk for at least one step, a whole number."),
    (FLAT, {"steps": True}, BadValue, "steps=True\nAsk for at least one step, a whole number."),
    (FLAT, {"steps": "3"}, BadValue, "steps='3'\nAsk for at least one step, a whole number."),
    (FLAT, {"steps": np.nan}, BadValue, "steps=nan\nAsk for at least one step, a whole number."),
    (FLAT, {"steps": np.inf}, BadValue, "steps=inf\nAsk for at least one step, a whole number."),
    (FLAT, {"steps": 9}, BadValue,
     "9 steps are asked for and there are gradients for 5\nGive more gradients, or fewer steps."),
    (mhat.streams.ramp(steps=5), {"steps": 9}, BadValue,
     "9 steps are asked for and there are gradients for 5\nAsk the stream for more: it takes steps= too."),
    ("rosenbrock", {"steps": -1}, BadValue, "steps=-1\nAsk for at least one step, a whole number."),
    # gradients
    ([], {}, BadValue, "a stream without a step\nGive at least one gradient."),
    (3.0, {}, BadValue,
     "3.0 is one number, and gradients are one for each step\n"
     'Give a list, or a stream: [3.0, 3.0], "constant:3.0".'),
    (NAMED[:0], {}, BadValue, "a stream without a step\nGive at least one gradient."),
    (NAMED[:, :0], {}, BadValue, "a stream without a step\nGive at least one gradient."),
    (["a"], {}, BadValue, "these gradients are no numbers: they are of type <U1\nGive an array of real numbers."),
    (None, {}, BadValue, "these gradients are no numbers: they are of type object\nGive an array of real numbers."),
    (NAMED + 1j, {}, BadValue, "the gradients are of type complex128\nGive real numbers."),
    (NAMED.rename(step="t"), {}, BadValue,
     "the gradients have no dimension `step` (dimensions: t, i)\n"
     'Rename the one that counts the steps: gradients.rename({"...": "step"}).'),
    (xr.DataArray(1.0), {}, BadValue,
     "the gradients have no dimension `step` (dimensions: none)\n"
     'Rename the one that counts the steps: gradients.rename({"...": "step"}).'),
    ({}, {}, BadValue, f"{{}} is neither gradients nor a landscape\n{AN_ARRAY}"),
    (abs, {}, BadValue, f"<built-in function abs> is neither gradients nor a landscape\n{AN_ARRAY}"),
    (NAMED.rename(i="m"), {}, BadValue,
     'the dimension `m` has the name of a variable of adam\nRename it: .rename({"m": "..."}).'),
    # dtype, keep, tensor
    (FLAT, {"dtype": "float"}, UnknownName,
     "there is no dtype `float`\nDid you mean `float64`? All: float64, float32, float16, bfloat16."),
    (FLAT, {"dtype": np.int8}, UnknownName,
     "there is no dtype `int8`\nKnown: bfloat16, float16, float32, float64."),
    (FLAT, {"dtype": 64}, UnknownName, "there is no dtype `64`\nKnown: bfloat16, float16, float32, float64."),
    (FLAT, {"keep": "mhat"}, UnknownName, "there is no variable of adam `mhat`\nDid you mean `m_hat`?"),
    (FLAT, {"keep": []}, BadValue, f"keep names no variable\nName some of {OF_ADAM}."),
    (FLAT, {"keep": 3}, BadValue, "keep=3 is not a name\nGive a name, or a list of names."),
    (FLAT, {"tensor": "j"}, UnknownName, "there is no dimension of the gradients `j`\nKnown: i."),
    (FLAT, {"tensor": 1}, BadValue, "tensor=1 is not a name\nGive a name, or a list of names."),
    # start
    (FLAT, {"start": "a"}, BadValue, "start='a' is not a number\nGive a number, or one for each coordinate."),
    (FLAT, {"start": [[1], [1, 2]]}, BadValue,
     "start=[[1], [1, 2]] is not a number\nGive a number, or one for each coordinate."),
    (FLAT[:, 0], {"start": [1.0]}, BadValue,
     "start has 1 dimensions and the gradients 0 beside `step`\nGive a number, or one for each coordinate."),
    (FLAT, {"start": [1.0, 2.0]}, BadValue,
     f"the dimension `i` has 3 values in the gradients and 2 in start\n{LENGTHS}"),
    (FLAT, {"start": over("step", *range(5))}, BadValue,
     "start has the dimension `step`\nGive where x is before step 1, and no more."),
    ("rosenbrock", {"start": [1, 2, 3]}, BadValue,
     "start has 3 coordinates and rosenbrock has 2\nGive 2 numbers, such as start=(-1.5, 2.0)."),
    ("rosenbrock", {"start": over("s", 1, 2)}, BadValue,
     "start has no coordinates and rosenbrock has 2\nGive 2 numbers, such as start=(-1.5, 2.0)."),
    # knobs
    (FLAT, {"beta": 0.9}, UnknownName, "there is no knob of adam `beta`\nDid you mean `beta1`?"),
    (FLAT, {"beta1": 1}, BadValue,
     "beta1=1.0 is out of its range (decay rate of the first moment, the average of the gradients)\n"
     "Choose beta1 with 0 <= beta1 < 1."),
    (FLAT, {"lr": [0.1, -0.1]}, BadValue,
     "lr=-0.1 is out of its range (learning rate: the size of a step)\nChoose lr with 0 <= lr."),
    (FLAT, {"lr": [0.1, np.nan]}, BadValue,
     "lr=nan is out of its range (learning rate: the size of a step)\nChoose lr with 0 <= lr."),
    (FLAT, {"lr": None}, BadValue, "lr=None is not a number\nGive lr a number, or numbers."),
    (FLAT, {"lr": "fast"}, BadValue, "lr='fast' is not a number\nGive lr a number, or numbers."),
    (FLAT, {"lr": True}, BadValue, "lr=True is not a number\nGive lr a number, or numbers."),
    (FLAT, {"lr": [[1], [1, 2]]}, BadValue, "lr=[[1], [1, 2]] is not a number\nGive lr a number, or numbers."),
    (FLAT, {"lr": over("run", 1j)}, BadValue, "lr holds values of type complex128\nGive lr a number, or numbers."),
    (FLAT, {"lr": []}, BadValue, "lr has no values\nGive lr at least one value."),
    (FLAT, {"lr": [[0.1]]}, BadValue,
     "lr has 2 dimensions without names\nGive a DataArray, whose dimensions have names."),
    (FLAT, {"lr": over("step", 0.1, 0.2)}, BadValue,
     "the schedule of lr has 2 steps and the trace 5\nGive a value for every step."),
    (FLAT, {"lr": over("i", 0.1, 0.2)}, BadValue,
     f"the dimension `i` has 3 values in the gradients and 2 in lr\n{LENGTHS}"),
    (NAMED, {"lr": over("i", 0.1, 0.2, 0.3, i=["a", "b", "d"])}, BadValue,
     "the dimension `i` has other labels in the gradients than in lr\n"
     "Give both the same labels in one order, or one of the dimensions another name."),
    (FLAT, {"lr": over("run", 0.1, 0.2), "eps": over("run", 1, 2, 3)}, BadValue,
     f"the dimension `run` has 2 values in lr and 3 in eps\n{LENGTHS}"),
]  # fmt: skip


@pytest.mark.parametrize(("gradients", "arguments", "kind", "message"), CASES, ids=[case[3][:40] for case in CASES])
def test_refused(gradients: Any, arguments: dict[str, Any], kind: type[MhatError], message: str) -> None:
    with pytest.raises(MhatError) as error:
        mhat.trace("adam", gradients, **arguments)
    assert str(error.value) == message
    assert type(error.value) is kind


def test_ragged_gradients() -> None:
    with pytest.raises(BadValue, match=r"^these gradients are no numbers: .*\nGive an array of real numbers\.$"):
        mhat.trace("adam", [[1.0], [1.0, 2.0]])


@pytest.mark.parametrize(
    ("gradients", "tensor", "count"), [(FLAT, None, 1), (NOISE, "i", 1), (NOISE[:, 0, 0], None, 0)]
)
def test_a_matrix_rule_needs_matrices(gradients: Any, tensor: Any, count: int) -> None:
    with pytest.raises(BadValue) as error:
        mhat.trace(ON_MATRICES, gradients, tensor=tensor)
    assert str(error.value) == (
        f"f is a rule per matrix and the tensor has {count} dimensions\n"
        "Give gradients (step, rows, columns), or name the two dimensions: tensor=('i', 'j')."
    )


def test_nothing_is_refused_that_fits() -> None:
    mhat.trace("adam", NAMED, lr=over("i", 0.1, 0.2, 0.3, i=["a", "b", "c"]), steps=np.int64(3), beta1=0)
    mhat.trace("adam", NAMED, lr=over("i", 0.1, 0.2, 0.3), steps=3.0, start=np.nan, keep=iter(["x"]))


# Names with two meanings

IN_THE_WAY = (
    "the knob `i` has the name of a dimension of the gradients, and several values\n"
    "Give the dimension another name in them, as in DataArray(..., dims=...), or rename the knob in the rule."
)
CALLED_I = mhat.rule("def f(x, g, *, i=1, lr=1):\n    return x - i * lr * g")


@pytest.mark.parametrize("i", [[1.0, 2.0, 3.0], over("i", 1, 2, 3), over("run", 1, 2), over("step", 1, 2, 3, 4, 5)])
@pytest.mark.parametrize("stream", [FLAT, NAMED, "ravine"], ids=["array", "labels", "landscape"])
def test_a_knob_called_like_a_dimension_is_not_taken_along_it(stream: Any, i: Any) -> None:
    """A list would be given out to the coordinates, where everywhere else it is a sweep."""
    with pytest.raises(BadValue) as error:
        mhat.trace(CALLED_I, stream, steps=5, i=i)
    assert str(error.value) == IN_THE_WAY


def test_a_knob_called_like_a_dimension_can_be_used_as_the_cure_says() -> None:
    assert float(mhat.trace(CALLED_I, FLAT, i=2.0).x[0, 0]) == -2 * FLAT[0, 0]
    ds = mhat.trace(CALLED_I, xr.DataArray(FLAT, dims=("step", "coordinate")), i=[1.0, 2.0, 3.0])
    assert dict(ds.sizes) == {"step": 5, "i": 3, "coordinate": 3}
    with pytest.raises(BadValue, match=r"^the knob `i` has the name of a dimension of start, and several values\n"):
        mhat.trace(CALLED_I, FLAT[:, 0], start=over("i", 1, 2), i=[1.0, 2.0])


def test_knobs_go_along_with_the_sweep_of_another_only_if_it_is_one() -> None:
    ds = mhat.trace("adam", FLAT, beta2=[0.9, 0.99], lr=over("beta2", 0.1, 0.2))
    assert ds.x.dims == ("step", "beta2", "i") and ds.lr.dims == ("beta2",)
    with pytest.raises(BadValue) as error:
        mhat.trace("adam", FLAT, beta2=over("run", 0.9, 0.99), lr=over("beta2", 0.1, 0.2))
    assert str(error.value) == (
        "the knob `beta2` has the name of a dimension of `lr`, and several values\n"
        "Give the dimension another name there, as in DataArray(..., dims=...), or rename the knob in the rule."
    )


@pytest.mark.parametrize(
    ("dims", "lost"), [(("step", "least", "j"), "least"), (("step", "i", "i_2"), "i_2"), (("step", "j_2", "j"), "j_2")]
)
def test_a_dimension_called_like_one_that_the_rule_makes(dims: tuple[str, ...], lost: str) -> None:
    with pytest.raises(BadValue) as error:
        mhat.trace(ON_MATRICES, xr.DataArray(NOISE, dims=dims))
    assert str(error.value) == (
        f'the dimension `{lost}` has the name of one that f makes\nRename it: .rename({{"{lost}": "..."}}).'
    )


def test_a_knob_called_like_a_dimension_that_the_rule_makes() -> None:
    rule = mhat.rule("def f(x, g, *, least=1):\n    q, r = qr(g)\n    return x - least * g")
    with pytest.raises(BadValue, match=r"^the knob `least` has the name of a dimension that the rule makes"):
        mhat.trace(rule, NOISE, least=[1.0, 2.0])


def test_a_knob_called_start_is_not_the_start() -> None:
    rule = mhat.rule("def f(x, g, *, start=1):\n    return x - start * g")
    ds = mhat.trace(rule, FLAT, start=[1.0, 2.0, 3.0], knobs={"start": [1.0, 2.0]})
    assert dict(ds.sizes) == {"step": 5, "start": 2, "i": 3}
    with pytest.raises(BadValue, match=r"^the dimension `i` has 3 values in the gradients and 2 in start\n"):
        mhat.trace(rule, FLAT, start=[1.0, 2.0], knobs={"start": [1.0, 2.0]})


# Schedules with labels

TAKE_OFF = "Label its steps 1, 2, 3 ..., or take the labels off: lr.drop_vars('step')."


def schedule(labels: list[Any]) -> xr.DataArray:
    return over("step", *(10.0**-n for n in range(len(labels))), step=labels)


@pytest.mark.parametrize(
    ("labels", "gradients", "rates"),
    [
        ([1, 2, 3], None, [1, 0.1, 0.01]),
        ([3, 2, 1], None, [0.01, 0.1, 1]),
        ([0, 1, 2, 3], None, [0.1, 0.01, 0.001]),
        ([1.0, 2.0, 3.0], None, [1, 0.1, 0.01]),
        ([3, 2, 1], [10, 20, 30], [0.01, 0.1, 1]),
        ([30, 10, 20], [10, 20, 30], [0.1, 0.01, 1]),
        (["c", "a", "b"], ["a", "b", "c"], [0.1, 0.01, 1]),
        ([2, 3, 4, 1], [2, 3, 4], [1, 0.1, 0.01]),
    ],
)
def test_a_schedule_follows_its_labels(labels: list[Any], gradients: list[Any] | None, rates: list[float]) -> None:
    """As the gradients label their steps, or else counted from 1; not by position."""
    ones = over("step", 1, 1, 1, **({} if gradients is None else {"step": gradients}))
    ds = mhat.trace("sgd", ones, lr=schedule(labels))
    assert ds.lr.values.tolist() == rates and ds.step.values.tolist() == [1, 2, 3]
    xr.testing.assert_identical(mhat.again(ds), ds)


@pytest.mark.parametrize(
    ("labels", "what"),
    [
        ([0, 1, 2], "no value for the step 3: its labels go from 0 to 2\n" + TAKE_OFF),
        ([10, 20, 30], "no value for the step 1: its labels go from 10 to 30\n" + TAKE_OFF),
        (["a", "b", "c"], "no value for the step 1: its labels go from a to c\n" + TAKE_OFF),
        ([1, 2], "no value for the step 3: its labels go from 1 to 2\n" + TAKE_OFF),
        ([2, 1, 2, 3], "two values for the step 2\nGive one value for each step."),
    ],
)
def test_a_schedule_whose_labels_lack_a_step(labels: list[Any], what: str) -> None:
    with pytest.raises(BadValue) as error:
        mhat.trace("sgd", [1.0, 1.0, 1.0], lr=schedule(labels))
    assert str(error.value) == f"the schedule of lr has {what}"
    mhat.trace("sgd", [1.0, 1.0], lr=schedule(labels).drop_vars("step"))
