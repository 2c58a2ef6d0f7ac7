"""The notation of streams and landscapes: read, called, written again, and every refusal."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhat import notation
from mhat.errors import BadValue, UnknownName


def wave(height: float = 1.0, size: object = None, *, steps: int = 100) -> tuple[Any, ...]:
    return height, size, steps


def tune(*values: float, steps: int = 100) -> tuple[Any, ...]:
    return (*values, steps)


KNOWN = {"wave": wave, "tune": tune}


@pytest.mark.parametrize(
    ("spec", "answer"),
    [
        ("wave", (1.0, None, 100)),
        ("wave:", (1.0, None, 100)),
        (" wave : 2 , steps = 5 ", (2, None, 5)),
        ("wave:-1e-3,size=3x4", (-1e-3, (3, 4), 100)),
        ("wave:height=inf", (float("inf"), None, 100)),
        ("tune:3,-1,-1,steps=7", (3, -1, -1, 7)),
    ],
)
def test_a_spec_calls_what_it_names(spec: str, answer: tuple[Any, ...]) -> None:
    assert notation.call(spec, KNOWN, "sound") == answer


def test_what_is_given_beside_the_text_wins() -> None:
    assert notation.call("wave:steps=5", KNOWN, "sound", steps=6) == (1.0, None, 6)


@pytest.mark.parametrize(
    ("spec", "what", "cure"),
    [
        ("wave:1,,2", "`wave:1,,2` has an empty argument", "between the commas"),
        ("wave:height=", "`wave:height=` has an empty argument", "between the commas"),
        ("wave:=3", "`wave:=3` has an empty argument", "between the commas"),
        ("wave:size=1,size=2", "`wave:size=1,size=2` gives `size` twice", "Keep one"),
        ("wave:1,height=2", "`wave:1,height=2` gives `height` twice", "Keep one"),
        ("wave:size=1,2", "`wave:size=1,2` has the unnamed `2` after a named argument", "unnamed values first"),
        ("wave:1,2,3", "`wave:1,2,3` has 3 unnamed values, `wave` takes 2", "Name them: height=, size=, steps=."),
        ("wave:height=ten", "in `wave:height=ten`: `ten` is no number", "such as 3, 0.5"),
        ("wave:ten", "in `wave:ten`: `ten` is no number", "such as 3, 0.5"),
    ],
)
def test_a_bad_spec_is_refused_with_what_was_typed(spec: str, what: str, cure: str) -> None:
    with pytest.raises(BadValue) as caught:
        notation.call(spec, KNOWN, "sound")
    assert caught.value.what == what
    assert cure in caught.value.cure


def test_an_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"there is no sound `wav`\nDid you mean `wave`\?"):
        notation.call("wav", KNOWN, "sound")


def test_an_unknown_argument_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName, match=r"there is no argument of wave `hight`\nDid you mean `height`\?"):
        notation.call("wave:hight=3", KNOWN, "sound")


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(BadValue, match=r"`5` is no text"):
        notation.call(5, KNOWN, "sound")  # type: ignore[arg-type]


def test_a_refusal_of_the_member_names_the_spec() -> None:
    def strict(value: float = 1.0) -> None:
        notation.positive("value", value)

    with pytest.raises(BadValue, match="in `strict:-1`: `value` is -1\nGive a finite number above zero"):
        notation.call("strict:-1", {"strict": strict}, "sound")


@given(st.floats(), st.none() | st.integers(1, 9) | st.tuples(st.integers(1, 9), st.integers(1, 9)))
def test_a_recipe_calls_the_same_again(height: float, size: object) -> None:
    recipe = notation.recipe(wave, height=height, size=size, steps=100)
    again = notation.call(recipe, KNOWN, "sound")
    assert repr((float(again[0]), *again[1:])) == repr((height, size, 100))


def test_a_recipe_leaves_out_what_is_default() -> None:
    assert notation.recipe(wave, height=1.0, size=None, steps=100) == "wave"
    assert notation.recipe(wave, height=10.0, size=(3, 4), steps=7) == "wave:10,size=3x4,steps=7"
    assert notation.recipe(tune, values=(3.0, -0.5), steps=100) == "tune:3,-0.5"


@pytest.mark.parametrize("value", ["3", None, True, 1j, [1]])
def test_number_takes_real_numbers_alone(value: object) -> None:
    with pytest.raises(BadValue, match=r"`mean` is .* which is no number\nGive a number: mean=0.5"):
        notation.number("mean", value)


@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf")])
def test_positive_is_finite_and_above_zero(value: float) -> None:
    with pytest.raises(BadValue, match=r"`period` is .*\nGive a finite number above zero: period=10"):
        notation.positive("period", value)


@pytest.mark.parametrize("value", [0, -3, 2.5, float("nan"), float("inf"), "5", None, True, (3, 4)])
def test_steps_are_whole_and_at_least_one(value: object) -> None:
    with pytest.raises(BadValue, match=r"`steps` is .*\nGive a whole number of at least 1: steps=2"):
        notation.count_steps(value)


def test_steps_have_a_limit() -> None:
    with pytest.raises(BadValue, match=r"`steps` is 10000000000\nGive a whole number from 1 to 1000000000"):
        notation.count_steps(10**10)


def test_whole_takes_whole_floats() -> None:
    assert notation.whole("seed", 1e3) == 1000


def test_between_includes_its_ends() -> None:
    assert notation.between("memory", -1, -1, 1) == -1
    with pytest.raises(BadValue, match=r"`memory` is 1.5\nGive a number from -1 to 1"):
        notation.between("memory", 1.5, -1, 1)
