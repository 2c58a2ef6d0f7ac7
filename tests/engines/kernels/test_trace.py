"""Traces on kernels against the other engines, bit for bit: rules, shapes, sweeps, schedules, legs, threads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from typing import Any

import numpy as np
import pytest
import xarray as xr

import mhat
from mhat import rules as library
from mhat.engines import plan
from mhat.engines.kernels import trace as traces
from mhat.engines.kernels.trace import LANES_FOR_SEVERAL, run_on_kernels, runs_on_kernels
from mhat.engines.kernels.trace_text import LONG
from mhat.engines.running import run_on_arrays
from mhat.engines.work import CARRIED, Work, variables_of
from mhat.language import Rule, rule
from tests.choices import BIT_FOR_BIT, often
from tests.engines.columns import same_bits
from tests.engines.kernels.interpreted import run_by_python
from tests.engines.test_agreement import WILD, stream

# Kernels take seconds to compile, so few rules are seen compiled in all forms, and the others by `make test-long`; as
# they are printed, run by Python, all of them are.
IN_ALL_FORMS = ("adam", "nadam", "adopt", "adan", "lion")
LOWERED = [name for name in library.names() if runs_on_kernels(Work(library.named(name), np.ones(2), 2, ("x",)))]


def seldom(cases: Sequence[Any], often: Sequence[Any]) -> list[Any]:
    """Mark the cases that are not in `often` as long."""
    return [case if case in often else pytest.param(case, marks=pytest.mark.long) for case in cases]


# States that hand on, that never change, that take a number of the step; variables that are a number of the step.
ODD = [
    "def f(x, g, t, last=0, before=0, c=3, *, lr=0.1):\n    change = g - last\n    before = last\n    last = g\n"
    "    rate = lr / t\n    return x - rate * change * c - before",
    "def f(x, g, m='g', *, lr=0.1):\n    u = m * g\n    m = m + g\n    m = lr\n    return x - u",
    "def f(x, g, t, p='lr', z='x', *, lr=0.1):\n    p = p * 0.9 + 1 / t\n    g = g + z\n    z = z - p * g\n"
    "    return z",
    # A power that is read beside 1, one that is read alone, and one that is both.
    "def f(x, g, t, *, b=0.5, c=0.6, d=0.7):\n    a = 1 - b**t\n    e = c**t\n    f = 1 - d**t\n    h = 2 * d**t\n"
    "    return x - g * (a + e) * f * h",
    "def f(x, g, t, *, lr=0.1):\n    a = g\n    a = lr**t\n    old = x\n    return a",
    # States that hand each other on, x before the step, a state of the second half that the first one never sees.
    "def f(x, g, a=1, b=2, last=0, z=0, *, lr=0.1):\n    m = a\n    a = b\n    b = m\n    u = g * g + last\n"
    "    z = 0.5 * z + u\n    w = x - z * a\n    last = x\n    return w - lr * z",
    "def f(x, g, a='g', b='x', c=0, *, lr=0.1):\n    m = a\n    a = b\n    b = m\n    c = 0.5 * c + a * g\n"
    "    return x - lr * c * b",
]


def work(rule: Rule, gradients: Any, steps: int | None = None, **more: Any) -> Work:
    given = {"keep": tuple(variables_of(rule)), **more}
    return Work(rule, gradients, steps or len(gradients), **given)


def check(given: Work) -> None:
    expected, found = run_on_arrays(given), run_on_kernels(given)
    assert list(found) == list(expected)
    left, other = expected.pop(CARRIED, {}), found.pop(CARRIED, {})
    for name, value in left.items():
        assert same_bits(*map(np.array, np.broadcast_arrays(value, other[name]))).all(), name
    for name, array in expected.items():
        assert array.shape == found[name].shape, name
        assert array.dtype == found[name].dtype, name
        assert same_bits(array, found[name]).all(), name


def narrow_and_wide(rule: Rule, dtype: str = "float64") -> None:
    for shape, steps in (((), 300), ((3,), 40), ((20,), 40), ((4, 600), 5)):
        for wild in (False, True):
            gradients = stream(shape, steps=steps, wild=wild)
            check(work(rule, gradients, tensor_dimensions=len(shape), dtype=dtype, start=0.5))


@pytest.mark.parametrize("name", often([name for name in LOWERED if name in BIT_FOR_BIT]))
def test_every_rule_as_printed(name: str) -> None:
    for dtype in ("float64", "float32"):
        with run_by_python():
            check(work(library.named(name), stream((), steps=300), dtype=dtype, start=0.5))
            check(work(library.named(name), np.array(WILD), dtype=dtype, start=0.5))
            check(work(library.named(name), stream((20,), steps=20, wild=True), tensor_dimensions=1, dtype=dtype))


@pytest.mark.parametrize("text", ODD)
def test_odd_rules_as_printed(text: str) -> None:
    with run_by_python():
        narrow_and_wide(rule(text))


@pytest.mark.long
@pytest.mark.parametrize("name", often(LOWERED))
def test_every_rule_on_one_coordinate(name: str) -> None:
    for gradients in (stream((), steps=600), np.array(WILD)):
        check(work(library.named(name), gradients, start=0.5))


FORMS = [(name, dtype) for name in IN_ALL_FORMS for dtype in ("float64", "float32")]
OFTEN = [("adam", "float64"), ("adam", "float32")]


@pytest.mark.parametrize("form", seldom(FORMS, OFTEN), ids=str)
def test_rules_in_every_form(form: tuple[str, str]) -> None:
    narrow_and_wide(library.named(form[0]), form[1])


@pytest.mark.parametrize("text", seldom(ODD, ()))
def test_odd_rules(text: str) -> None:
    narrow_and_wide(rule(text))


ADAM = library.adam


@pytest.mark.parametrize("shape", [(), (3,), (40,)], ids=str)
def test_sweeps(shape: tuple[int, ...]) -> None:
    gradients = stream(shape, steps=300)
    core = len(shape)
    given = work(ADAM, gradients, tensor_dimensions=core, knobs={"beta2": np.array([0.9, 0.99, 0.999])})
    check(given)
    grid = {"beta2": np.array([[0.9], [0.99]]), "lr": np.array([0.1, 0.2, 0.3])}
    check(work(ADAM, gradients, tensor_dimensions=core, knobs=grid))
    check(work(ADAM, gradients, tensor_dimensions=core, start=np.arange(2.0).reshape(2, *[1] * core)))


@pytest.mark.parametrize("shape", [(), (40,)], ids=str)
def test_schedules(shape: tuple[int, ...]) -> None:
    gradients = stream(shape, steps=300)
    core = len(shape)
    with run_by_python() if shape else nullcontext():
        check(work(ADAM, gradients, tensor_dimensions=core, schedules={"lr": np.linspace(0.1, 1, 300)}))
    both = {"schedules": {"beta1": np.linspace(0, 0.9, 600).reshape(2, 300)}, "knobs": {"lr": np.array([0.1, 0.2])}}
    with run_by_python():
        check(work(ADAM, gradients, tensor_dimensions=core, **both))


@pytest.mark.parametrize("shape", [(), (17,)], ids=str)
def test_powers_that_fade_leave_schedules_and_sweeps_moving(shape: tuple[int, ...]) -> None:
    gradients, core = stream(shape, steps=1100), len(shape)
    fast = {"beta1": 0.4, "beta2": 0.5}
    check(work(ADAM, gradients, tensor_dimensions=core, knobs=fast))
    with run_by_python() if shape else nullcontext():
        check(work(ADAM, gradients, tensor_dimensions=core, knobs=fast, schedules={"lr": np.linspace(0.1, 1, 1100)}))
    check(work(ADAM, gradients, tensor_dimensions=core, knobs={**fast, "beta2": np.array([0.5, 0.999, 0.6, 0.1])}))
    check(work(ADAM, gradients, tensor_dimensions=core, knobs=fast, first=500))


@pytest.mark.parametrize("name", seldom(["adam", "nadam"], ["adam"]))
def test_several_members_of_a_sweep_at_once(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    chosen = library.named(name)
    # Threads get four at a time, and some are left over.
    lr = np.linspace(0.1, 1, LANES_FOR_SEVERAL + 5)
    for threads in (1, 2):
        monkeypatch.setattr(traces, "threads_for", lambda coordinates, wanted, threads=threads: threads)
        for shape in ((), (3,)):
            gradients = stream(shape, steps=300, wild=bool(shape))
            check(work(chosen, gradients, keep=("x",), tensor_dimensions=len(shape), knobs={"lr": lr}, carries=True))


@pytest.mark.long
def test_several_members_in_other_forms() -> None:
    lr, swept = np.linspace(0.1, 1, LANES_FOR_SEVERAL + 5), np.array([[0.9], [0.99]])
    check(work(ADAM, stream((), steps=600), knobs={"beta2": swept, "lr": lr}, dtype="float32"))
    some = np.repeat([0.99, 0.5, np.nextafter(0.5, 1.0)], 13)
    check(work(ADAM, stream((), steps=1300), knobs={"beta2": some}, dtype="float32"))
    scheduled = {"beta1": np.linspace(0, 0.9, 300 * len(lr)).reshape(len(lr), 300)}
    check(work(ADAM, stream((), steps=300), schedules=scheduled, knobs={"lr": lr}))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*")
@pytest.mark.parametrize("members", seldom([1, LANES_FOR_SEVERAL + 5], [1]))
def test_a_forked_child_traces_without_threads(members: int) -> None:
    gradients = np.random.default_rng(0).standard_normal(2 * LONG + 5000)
    given = work(ADAM, gradients, keep=("x",), knobs={"lr": np.linspace(0.1, 1, members)})
    expected = run_on_kernels(given)["x"]
    child = os.fork()
    if child == 0:
        os._exit(0 if same_bits(run_on_kernels(given)["x"], expected).all() else 1)
    assert os.waitpid(child, 0)[1] == 0


def test_gradients_of_each_member_of_a_sweep() -> None:
    gradients = np.moveaxis(stream((2, 5), steps=30), 0, 1)
    with run_by_python():
        check(Work(ADAM, gradients, 30, ("g", "x", "m"), tensor_dimensions=1, knobs={"lr": np.array([0.1, 0.2])}))


@pytest.mark.parametrize("text", seldom(["adam", "nadam", ODD[0], ODD[-1]], ["adam"]))
def test_gradients_swept_alone_lie_side_by_side(text: str) -> None:
    chosen = library.named(text) if text.isidentifier() else rule(text)
    gradients = np.moveaxis(stream((20,), steps=30), 0, -1)
    check(work(chosen, gradients, 30))
    check(work(chosen, np.moveaxis(stream((2, 3), steps=30), 0, -1), 30, schedules={"lr": np.linspace(0.1, 1, 30)}))


def test_several_tensors_and_how_many_there_are() -> None:
    mean = rule("def f(x, g, n, m=0, *, lr=0.1):\n    m = 0.9 * m + g / n\n    return x - lr * m")
    with run_by_python():
        check(work(mean, stream((3, 4), steps=20), several_dimensions=1, tensor_dimensions=1))


@pytest.mark.parametrize("name", ["adam", "nadam"])
@pytest.mark.parametrize("shape", [(), (20,)], ids=str)
def test_legs(name: str, shape: tuple[int, ...]) -> None:
    with nullcontext() if name == "adam" else run_by_python():
        check_legs(name, shape)


def check_legs(name: str, shape: tuple[int, ...]) -> None:
    chosen, gradients = library.named(name), stream(shape, steps=40)
    whole = run_on_kernels(work(chosen, gradients, tensor_dimensions=len(shape)))
    carried, parts = None, []
    for first, last, engine in ((0, 7, "kernels"), (7, 8, "arrays"), (8, 40, "kernels")):
        leg = work(
            chosen, gradients[first:last], tensor_dimensions=len(shape), first=first + 1, carried=carried, carries=True
        )
        made = plan.run(leg, engine)
        carried = made.pop(CARRIED)
        parts.append(made)
    for name, array in whole.items():
        assert same_bits(np.concatenate([part[name] for part in parts]), array).all(), name


def test_any_number_of_threads_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(traces, "threads_for", lambda coordinates, wanted: wanted)
    for threads in (1, 2, 3):
        monkeypatch.setattr(os, "cpu_count", lambda threads=threads: threads)
        check(work(ADAM, stream((1100,), steps=5), tensor_dimensions=1))
        check(work(ADAM, stream((5,), steps=5), tensor_dimensions=1))
        check(work(ADAM, stream((), steps=50), knobs={"lr": np.arange(1.0, 6.0)}))


@pytest.mark.parametrize("shape", [(0,), (1,), (3, 0)], ids=str)
def test_empty_and_tiny(shape: tuple[int, ...]) -> None:
    check(work(ADAM, stream(shape, steps=3), tensor_dimensions=len(shape)))


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("adam", "x"),
        pytest.param("nadam", "all", marks=pytest.mark.long),
        pytest.param(ODD[6], "all", marks=pytest.mark.long),
    ],
)
def test_two_threads_share_one_coordinate(monkeypatch: pytest.MonkeyPatch, text: str, kept: str) -> None:
    chosen = library.named(text) if text.isidentifier() else rule(text)
    gradients = np.random.default_rng(1).standard_normal(2 * LONG + 5000)
    keep = tuple(variables_of(chosen)) if kept == "all" else ("x",)
    given = work(chosen, gradients[:-700], keep=keep, carries=True)
    rest = work(chosen, gradients, keep=keep, first=301)
    found = []
    for threads in (1, 2):
        monkeypatch.setattr(traces, "threads_for", lambda coordinates, wanted, threads=threads: threads)
        monkeypatch.setattr(os, "cpu_count", lambda threads=threads: threads)
        found.append((run_on_kernels(given), run_on_kernels(rest)))
    for one, two in zip(*found, strict=True):
        for name in keep:
            assert same_bits(one[name], two[name]).all(), name
        assert str(one.get(CARRIED)) == str(two.get(CARRIED))


def test_what_kernels_do_not_run() -> None:
    ones = np.ones((5, 2))
    for chosen in (library.lamb, rule("def f(x, g, k): return x - k * g"), rule("def f(x, g): return x - g @ g")):
        assert not runs_on_kernels(work(chosen, ones, tensor_dimensions=1))
    assert not runs_on_kernels(work(ADAM, ones, tensor_dimensions=1, dtype="bfloat16"))
    assert not runs_on_kernels(Work(ADAM, lambda x, t: x, 5, ("x",)))
    assert runs_on_kernels(work(ADAM, ones, tensor_dimensions=1))


def test_a_trace_says_nothing_of_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    gradients = xr.DataArray(stream((3,), steps=30), dims=("step", "i"))
    expected = mhat.trace("adam", gradients, beta2=[0.9, 0.99])
    monkeypatch.setattr(plan, "WORTH_A_KERNEL", 0.0)
    xr.testing.assert_identical(mhat.trace("adam", gradients, beta2=[0.9, 0.99]), expected)
