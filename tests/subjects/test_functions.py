"""Functions, classes and rules as subjects: what they take is found out, and what they do wrong is said."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.errors import BadValue, SubjectError, SubjectHangs, UnknownName
from mhat.language import rule
from mhat.subjects.classes import EXPECTED as CLASSES
from mhat.subjects.classes import subject_of_class
from mhat.subjects.functions import EXPECTED, subject_of_function
from mhat.subjects.rules import subject_of_rule
from mhat.subjects.sandbox import Guard
from tests.subjects import subjects_written as written

GRADIENTS = np.random.default_rng(7).normal(size=(40, 6))
ADAM = subject_of_rule(rules.adam)
TOLERANCE = 1e-13


def near(ours: Any, theirs: Any) -> bool:
    return float(np.max(np.abs(ours - theirs))) < TOLERANCE


def test_a_function_with_a_start_and_knobs_under_other_names() -> None:
    subject = subject_of_function(written.my_adam, "mine.py:my_adam", rules.adam.knobs)
    assert subject.name == "mine.py:my_adam"
    assert subject.knobs == {"lr", "beta1", "beta2", "eps"}
    assert subject.defaults == rules.adam.knobs
    assert (subject.vectors, subject.starts, subject.several) == (True, True, False)
    knobs = {"lr": 0.1, "beta1": 0.5, "eps": 0.01}
    assert near(subject.run(GRADIENTS, start=2.0, knobs=knobs), ADAM.run(GRADIENTS, start=2.0, knobs=knobs))


def test_the_text_of_a_function_is_at_hand() -> None:
    source = subject_of_function(written.my_adam).source
    assert source is not None
    assert source.file == written.__file__
    assert Path(source.file).read_text("utf-8").splitlines()[source.first_line - 1] == source.lines[0]


def test_a_function_of_numbers_runs_one_coordinate_at_a_time() -> None:
    subject = subject_of_function(written.of_numbers)
    assert not subject.vectors
    assert near(subject.run(GRADIENTS), ADAM.run(GRADIENTS))
    assert near(subject.run(GRADIENTS.reshape(40, 2, 3)), ADAM.run(GRADIENTS).reshape(40, 2, 3))


def test_a_function_of_rows_alone_is_given_rows() -> None:
    def run(gradients):  # type: ignore[no-untyped-def]
        steps, width = gradients.shape
        return -np.cumsum(gradients, axis=0).reshape(steps, width)

    subject = subject_of_function(run)
    assert subject.vectors
    assert np.array_equal(subject.run(GRADIENTS.reshape(40, 2, 3)), -np.cumsum(GRADIENTS, axis=0).reshape(40, 2, 3))
    assert np.array_equal(subject.run(GRADIENTS[:, 0]), -np.cumsum(GRADIENTS[:, 0]))


def test_a_function_that_declares_tensors_takes_and_gives_lists() -> None:
    def run(gradients, start=0.0):  # type: ignore[no-untyped-def]
        return [start - np.cumsum(g, axis=0) for g in gradients]

    def of_lists(gradients, start=0.0):  # type: ignore[no-untyped-def]
        return [s - np.cumsum(g, axis=0) for g, s in zip(gradients, start, strict=True)]

    for function in (run, of_lists):
        function.tensors = 2  # type: ignore[attr-defined]
        subject = subject_of_function(function)
        assert (subject.several, subject.tensors, subject.starts) == (True, 2, True)
        both = subject.run([GRADIENTS, GRADIENTS[:, :2]], start=1.0)
        assert np.array_equal(both[1], 1 - np.cumsum(GRADIENTS[:, :2], axis=0))
    with pytest.raises(SubjectError, match="takes one number as its start"):
        subject_of_function(run).run([GRADIENTS, GRADIENTS[:, :2]], start=[1.0, 2.0])


def test_the_type_of_the_answer_says_what_it_computes_in() -> None:
    def run(gradients):  # type: ignore[no-untyped-def]
        return -np.cumsum(gradients.astype(np.float32), axis=0, dtype=np.float32)

    assert subject_of_function(run).dtype == "float32"
    assert subject_of_function(written.my_adam, dtype="float32").dtype == "float32"


def test_keywords_of_any_name_take_the_knobs_that_are_not_refused() -> None:
    def run(gradients, **knobs):  # type: ignore[no-untyped-def]
        return written.of_numbers(gradients, **knobs)

    assert subject_of_function(run, rule_knobs=rules.adam.knobs).knobs == {"lr"}


def test_prints_and_warnings_are_kept_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    def run(gradients):  # type: ignore[no-untyped-def]
        print("a step")
        return np.log(-np.abs(gradients)) / 0.0

    assert np.isnan(subject_of_function(run).run(GRADIENTS)).all()
    assert capsys.readouterr().out == ""


STATE: list[float] = []


def keeps(gradients):  # type: ignore[no-untyped-def]
    STATE.extend(np.ravel(gradients))
    return np.cumsum(gradients, axis=0) * len(STATE)


def bad_mean(gradients):  # type: ignore[no-untyped-def]
    total = 0
    return gradients / total[0]  # type: ignore[index]


FAILURES: dict[str, tuple[Callable[..., Any], str, str]] = {
    "raises": (bad_mean, "raised TypeError: 'int' object is not subscriptable",
               "test_functions.py, line {line}: return gradients / total[0]  # type: ignore[index]"),
    "returns nothing": (lambda g: None, "returned None", ""),
    "returns text": (lambda g: "x", "returned a str, 'x', and no numbers", ""),
    "ends the program": (lambda g: exit(3), "ended the program with exit(3)", ""),
    "keeps state": (keeps, "gave other parameters when it was run again on the same gradients", ""),
    "takes nothing": (lambda: 1, "takes no gradients", ""),
    "asks for more": (lambda g, engine: g, "asks for `engine`, which mhat does not know", ""),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
def test_what_goes_wrong_is_said(case: tuple[Callable[..., Any], str, str]) -> None:
    function, what, said = case
    with pytest.raises(SubjectError) as caught:
        subject_of_function(function, "mine")
    assert caught.value.what == f"`mine` {what}"
    assert caught.value.cure
    if said:
        assert caught.value.said == said.format(line=function.__code__.co_firstlineno + 2)


def test_what_is_expected_is_shown() -> None:
    with pytest.raises(SubjectError) as caught:
        subject_of_function(lambda g, engine: g)
    assert caught.value.cure == f"Give it a default. {EXPECTED}"


def test_a_copy_of_the_process_that_a_subject_makes_does_not_come_back() -> None:
    def run(gradients):  # type: ignore[no-untyped-def]
        os.fork()
        return -gradients

    here = os.getpid()
    assert subject_of_function(run).run(np.ones(3)).tolist() == [-1.0, -1.0, -1.0]
    assert os.getpid() == here


@pytest.mark.parametrize("tensors", ["two", 0, 1.5, True])
def test_tensors_that_are_no_count_are_refused(tensors: Any) -> None:
    def run(gradients):  # type: ignore[no-untyped-def]
        return gradients

    run.tensors = tensors  # type: ignore[attr-defined]
    with pytest.raises(SubjectError) as caught:
        subject_of_function(run, "mine")
    assert caught.value.what == f"`mine` has `tensors = {tensors!r}`, which is no count"


def test_a_function_that_does_not_end_is_stopped() -> None:
    def run(gradients):  # type: ignore[no-untyped-def]
        while True:
            time.sleep(0.01)

    with pytest.raises(SubjectHangs, match=r"`mine` did not end within 0.2 seconds"):
        subject_of_function(run, "mine", guard=Guard(0.2))


@pytest.mark.parametrize(
    ("made", "several"),
    [
        (written.Returns, False), (written.InPlace, False), (written.OfLists, True), (written.OfDicts, True),
        (written.Owner, True), (written.OfPairs, True), (written.ByName, True), (written.WeightAndBias, True),
        (written.Called, False), (written.Sized, False),
    ],
)  # fmt: skip
def test_classes_with_a_step(made: type, several: bool) -> None:
    subject = subject_of_class(made, rule_knobs=rules.adam.knobs)
    assert subject.several == several
    assert subject.starts
    assert "lr" in subject.knobs
    gradients: Any = [GRADIENTS, GRADIENTS[:, :2]] if several else GRADIENTS
    for _ in range(2):  # a fresh object each time
        theirs = subject.run(gradients, start=1.5, knobs={"lr": 0.1})
        ours = ADAM.run(gradients, start=1.5, knobs={"lr": 0.1})
        assert all(near(a, b) for a, b in zip(theirs, ours, strict=True))


def test_an_object_is_copied_for_each_run() -> None:
    made = written.Returns(lr=0.5)
    subject = subject_of_class(made)
    for _ in range(2):
        assert near(subject.run(GRADIENTS), ADAM.run(GRADIENTS, knobs={"lr": 0.5}))
    assert made.t == 0
    assert subject.knobs == frozenset()


def test_weight_and_bias_are_two_tensors_and_no_other_number() -> None:
    subject = subject_of_class(written.WeightAndBias, "Two")
    assert subject.tensors == 2
    with pytest.raises(BadValue, match="`Two` drives 2 tensors, not 1"):
        subject.run(GRADIENTS)


class GivesUpdates(written.Returns):
    def step(self, grads: Any) -> Any:  # type: ignore[override]
        return -super().step(0.0, grads) / self.lr


def test_a_step_without_parameters_is_observed_as_something_else() -> None:
    subject = subject_of_class(GivesUpdates, observe="ratio")
    ratio = subject_of_rule(rules.adam, observe="ratio")
    assert near(subject.run(GRADIENTS), ratio.run(GRADIENTS))
    assert not subject.starts
    with pytest.raises(SubjectError) as caught:
        subject_of_class(GivesUpdates, "mine")
    assert "step(grads) with an array: is given no parameters, so that it can return none" in caught.value.said


class Rebinds:
    def step(self, x: Any, g: Any) -> None:
        x = x - g


class NoStep:
    pass


class Strange:
    def step(self, a: Any, b: Any, c: Any, d: Any) -> None: ...


class SharesState:
    m: dict[str, Any] = {}  # noqa: RUF012 (the mistake)

    def step(self, x: Any, g: Any) -> Any:
        self.m["m"] = self.m.get("m", 0) + np.sum(g)
        return x - self.m["m"]


class NeedsAnEngine:
    def __init__(self, engine: Any) -> None: ...

    def step(self, x: Any, g: Any) -> Any:
        return x - g


CLASS_FAILURES: dict[type, tuple[str, str]] = {
    Rebinds: (
        "has no step that works; tried:",
        "step(x, g) with an array: moved nothing: it returned None and changed nothing in place",
    ),
    NoStep: ("has no step: no method step, update, apply, update_params ...", ""),
    Strange: ("has no step that mhat can call:", "step(self, a: 'Any', b: 'Any', c: 'Any', d: 'Any') -> 'None'"),
    SharesState: ("gave other parameters when it was run again on the same gradients", ""),
    NeedsAnEngine: ("asks for `engine`, which mhat does not know", ""),
}


@pytest.mark.parametrize("made", CLASS_FAILURES, ids=lambda made: made.__name__)
def test_what_is_wrong_with_a_class_is_said(made: type) -> None:
    what, said = CLASS_FAILURES[made]
    with pytest.raises(SubjectError) as caught:
        subject_of_class(made, "mine")
    assert caught.value.what == f"`mine` {what}"
    assert caught.value.said.splitlines()[:1] == ([said] if said else [])
    assert made is SharesState or caught.value.cure.endswith(CLASSES)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_rule_is_a_subject(dtype: str) -> None:
    subject = subject_of_rule(rules.adamw, dtype=dtype)
    assert (subject.name, subject.dtype, subject.several, subject.starts) == ("adamw", dtype, True, True)
    assert subject.defaults == rules.adamw.knobs
    parts = subject.run([GRADIENTS, GRADIENTS[:, 0]], start=[1.0, 2.0])
    assert np.array_equal(parts[1], subject.run(GRADIENTS[:, 0], start=2.0))
    assert subject.source is not None
    assert "def adamw" in subject.source.text


def test_tensors_of_a_rule_that_know_of_one_another_run_in_lockstep() -> None:
    counting = rule("def f(x, g, t, k, n):\n    return x - g * k * n")
    both = subject_of_rule(counting).run([GRADIENTS, GRADIENTS[:, 0]])
    assert np.allclose(both[1], -4 * np.cumsum(GRADIENTS[:, 0]))
    together = rule("def f(x, g):\n    size = norm(g, over='all')\n    return x - g / size")
    size = subject_of_rule(together, observe="size").run([GRADIENTS, GRADIENTS])
    assert np.allclose(size[0][:, 3], np.sqrt(2 * np.sum(GRADIENTS**2, axis=1)))


def test_a_variable_of_a_rule_is_observed_in_the_shape_of_the_gradients() -> None:
    assert np.allclose(subject_of_rule(rules.adam, observe="ratio").run(np.full((9, 2), 10.0)), 1.0)
    variable = rules.lamb.variables[-1]
    assert subject_of_rule(rules.lamb, observe=variable).run(GRADIENTS).shape == GRADIENTS.shape


def test_what_a_rule_cannot_do_is_said() -> None:
    with pytest.raises(BadValue, match="a rule does not run in int8"):
        subject_of_rule(rules.adam, dtype="int8")
    with pytest.raises(UnknownName, match="there is no variable of adam `mhat`"):
        subject_of_rule(rules.adam, observe="mhat")


def test_a_run_that_is_given_x_and_the_gradients() -> None:
    """A whole run may ask for its start and all gradients, in any order; one step on all at once is no run."""

    def before(x, grads, lr=0.1):
        path = []
        for g in grads:
            x = x - lr * g
            path.append(x)
        return np.array(path)

    def behind(grad_list, w0, lr=0.1):
        return [w0, *before(w0, grad_list, lr)]

    for run in (before, behind):
        subject = subject_of_function(run)
        assert subject.knobs == {"lr"}
        assert subject.run(np.array([1.0, 2.0]), 5.0).tolist() == pytest.approx([4.9, 4.7])

    def step(x, grads, lr=0.1):
        return x - lr * grads

    with pytest.raises(SubjectError, match="forgets the first of the gradients"):
        subject_of_function(step)
