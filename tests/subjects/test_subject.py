"""What a check sees of an implementation: what it may be asked, and what it may answer."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mhat.errors import BadValue, SubjectError, SubjectHangs, UnknownName
from mhat.subjects.subject import Subject, checked_array, checked_tensors

GRADIENTS = np.array([[1.0, -2.0], [3.0, 0.5], [0.0, 1.0]])


def descent(gradients: list[Any], starts: list[Any], knobs: dict[str, float]) -> list[Any]:
    lr = knobs.get("lr", 1.0)
    return [s - lr * np.cumsum(g, axis=0) for g, s in zip(gradients, starts, strict=True)]


ALL = Subject("mine", descent, knobs=frozenset({"lr"}), several=True, starts=True)
PLAIN = Subject("mine", descent)


def test_one_tensor_in_one_out_and_lists_in_lists_out() -> None:
    assert np.array_equal(PLAIN.run(GRADIENTS), -np.cumsum(GRADIENTS, axis=0))
    assert PLAIN.run([1.0, 2.0]).tolist() == [-1.0, -3.0]  # type: ignore[call-overload]
    both = ALL.run([GRADIENTS, GRADIENTS[:, 0]], start=[1.0, 2.0], knobs={"lr": 2})
    assert [x.shape for x in both] == [(3, 2), (3,)]
    assert both[1].tolist() == [0.0, -6.0, -6.0]


def test_a_start_is_a_number_or_an_array() -> None:
    assert ALL.run(GRADIENTS, start=np.array([1.0, 2.0]))[0].tolist() == [0.0, 4.0]
    assert ALL.run(GRADIENTS, start=1)[0].tolist() == [0.0, 3.0]


def test_what_comes_in_is_not_changed_by_the_subject() -> None:
    def drive(gradients: list[Any], starts: list[Any], knobs: dict[str, float]) -> list[Any]:
        gradients[0][:] = 0
        return gradients

    given = GRADIENTS.copy()
    Subject("mine", drive).run(given)
    assert np.array_equal(given, GRADIENTS)


REFUSED: dict[str, tuple[Any, type[Exception], str]] = {
    "several": (lambda: PLAIN.run([GRADIENTS, GRADIENTS]), BadValue, "`mine` drives one tensor at a time"),
    "start": (lambda: PLAIN.run(GRADIENTS, start=1.0), BadValue, "`mine` takes no start"),
    "shape of the start": (
        lambda: ALL.run(GRADIENTS, start=np.ones(3)), BadValue,
        "the start has the shape (3,) and a step of the gradients (2,)",
    ),
    "number of starts": (lambda: ALL.run([GRADIENTS], start=[1.0, 2.0]), BadValue, "1 tensors and 2 starts"),
    "knob": (lambda: ALL.run(GRADIENTS, knobs={"eps": 1.0}), UnknownName, "there is no knob of mine `eps`"),
    "no steps": (lambda: PLAIN.run(GRADIENTS[:0]), BadValue, "gradients without steps, or of unequal lengths"),
    "unequal steps": (
        lambda: ALL.run([GRADIENTS, GRADIENTS[:2]]), BadValue, "gradients without steps, or of unequal lengths",
    ),
    "its own number": (
        lambda: Subject("mine", descent, several=True, tensors=3).run([GRADIENTS]), BadValue,
        "`mine` drives 3 tensors, not 1",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_what_it_cannot_be_asked(case: tuple[Any, type[Exception], str]) -> None:
    ask, kind, what = case
    with pytest.raises(kind) as caught:
        ask()
    assert caught.value.what == what  # type: ignore[attr-defined]
    assert caught.value.cure  # type: ignore[attr-defined]


LIKE = "Return the parameters after each step: numbers of the shape (3,), like the gradients."
ANSWERS: dict[str, tuple[Any, str, str]] = {
    "None": (None, "returned None", f"{LIKE} Is there a `return`?"),
    "text": ("abc", "returned a str, 'abc', and no numbers", LIKE),
    "long text": ("a" * 60, f"returned a str, '{'a' * 39}..., and no numbers", LIKE),
    "texts": (["a", "b", "c"], "returned a list, ['a', 'b', 'c'], and no numbers", LIKE),
    "objects": ([None, 1, 2], "returned a list, [None, 1, 2] that holds no plain numbers", LIKE),
    "ragged": ([[1], [2, 3], [1]], "returned a list, [[1], [2, 3], [1]] that is no array", LIKE),
    "complex": (np.ones(3) * 1j, "returned complex numbers", LIKE),
    "too short": (np.ones(2), "returned the shape (2,) for gradients of shape (3,)", LIKE),
    "with the start": (np.ones(4), "returned the shape (4,) for gradients of shape (3,)",
                       f"{LIKE} Leave the start out."),
    "the last step": (1.0, "returned the shape () for gradients of shape (3,)",
                      f"{LIKE} Return all steps, not the last one alone."),
}  # fmt: skip


@pytest.mark.parametrize("case", ANSWERS.values(), ids=ANSWERS)
def test_answers_that_are_none(case: tuple[Any, str, str]) -> None:
    answer, what, cure = case
    with pytest.raises(SubjectError) as caught:
        checked_array("mine.py:f", answer, (3,))
    assert caught.value.what == f"`mine.py:f` {what}"
    assert caught.value.cure == cure


@pytest.mark.parametrize("answer", [[1, 2, 3], (1.0, np.float32(2), np.array(3.0)), np.ones(3, int), [True, False, 1]])
def test_answers_that_are_numbers(answer: Any) -> None:
    array = checked_array("mine", answer, (3,))
    assert array.dtype == np.float64
    assert array.shape == (3,)


def test_numbers_that_are_not_finite_are_answers() -> None:
    assert np.isnan(checked_array("mine", [np.nan, np.inf, 1.0], (3,))[0])


def test_as_many_arrays_as_tensors() -> None:
    with pytest.raises(SubjectError, match="was given the gradients of 2 tensors and returned 1 of them"):
        checked_tensors("mine", [np.ones(3)], [(3,), (3,)])
    with pytest.raises(SubjectError, match=r"was given the gradients of 2 tensors and returned a dict, {}"):
        checked_tensors("mine", {}, [(3,), (3,)])
    assert len(checked_tensors("mine", np.ones(3), [(3,)])) == 1


def test_an_error_says_who_what_the_words_and_the_cure() -> None:
    error = SubjectError("mine", "raised ValueError", "Mend it.", "mine.py, line 3: x = y\nand more")
    assert str(error) == "`mine` raised ValueError\n    mine.py, line 3: x = y\n    and more\nMend it."
    assert (error.subject, error.said) == ("mine", "mine.py, line 3: x = y\nand more")
    assert issubclass(SubjectHangs, SubjectError)
