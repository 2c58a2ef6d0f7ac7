"""What a user may name as a problem, and what is said of what is none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mhat
from mhat import landscapes, streams
from mhat.errors import BadValue, MhatError
from mhat.trials import problem_of
from mhat.trials.problems import of_loss


def test_a_landscape_by_name_and_by_itself() -> None:
    for named in ("rosenbrock", landscapes.rosenbrock()):
        problem = problem_of(named)
        loss, (g,) = problem.slope([np.array([1.0, 1.0])], 1, 0)
        assert (problem.name, loss, g.tolist()) == ("rosenbrock", 0.0, [0.0, 0.0])
        assert (problem.start(0)[0] != problem.start(1)[0]).all()
    assert abs(problem_of("quadratic", start=[5.0, 5.0]).start(0)[0] - 5.0).max() < 5.0


def test_a_stream_is_followed_and_drawn_anew() -> None:
    problem = problem_of("normal:seed=3,steps=40")
    values = streams.named("normal:seed=3,steps=40").values
    again = streams.named("normal:seed=5,steps=40").values
    x = np.zeros(values.shape[1:] or (1,))
    assert problem.slope([x], 2, 0)[1][0].ravel()[0] == -values[1].ravel()[0]
    assert problem.slope([x], 2, 2)[1][0].ravel()[0] == -again[1].ravel()[0]
    assert (problem.steps, problem.longest, problem.chance) == (40, 40, "the draw of the stream")


def test_a_stream_without_seed_begins_by_chance() -> None:
    problem = problem_of(streams.ramp(steps=9))
    assert problem.chance == "where x starts, by about as much as the values spread"
    assert (problem.start(0)[0] != problem.start(1)[0]).all()


def test_a_loss_with_and_without_its_gradient() -> None:
    def plain(x: Any = (1.0, 2.0)) -> float:
        return float(x[0] ** 2 + 3 * x[1] ** 2 + x[0] * x[1])

    def sloped(x: Any = (1.0, 2.0)) -> tuple[float, Any]:
        return plain(x), np.array([2 * x[0] + x[1], 6 * x[1] + x[0]])

    at = [np.array([0.5, -2.0])]
    (by_differences,), (given,) = (problem_of(each).slope(at, 1, 0)[1] for each in (plain, sloped))
    assert given.tolist() == [-1.0, -11.5]
    assert by_differences == pytest.approx(given, rel=1e-8)
    assert problem_of(sloped).notes == ()
    assert problem_of(plain).notes == ("the gradient is by central differences: the loss gives none",)


def test_a_loss_of_one_number_gets_a_number() -> None:
    seen: list[Any] = []

    def loss(x: float = 2.0) -> float:
        seen.append(x)
        return x * x

    assert problem_of(loss).slope([np.array([3.0])], 1, 0)[1][0] == pytest.approx([6.0])
    assert all(type(x) is float for x in seen)


def test_a_loss_in_a_file_finds_what_stands_beside_it(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("hills.py").write_text("DEPTH = 3.0\n")
    Path("mine.py").write_text("def loss(x=1.0):\n    import hills\n    return hills.DEPTH * x * x\n")
    trials = mhat.compare("sgd", train="mine.py:loss", seeds=1, tries=2, steps=5)
    assert trials.problem.name == "mine.py:loss" and trials.tried[0].scores[0] < 3.0


def raising(x: float = 1.0) -> float:
    raise ZeroDivisionError("division by zero")


LOSSES = {
    "nowhere": (lambda x: x * x, "nobody says where x starts in `loss`\nWrite loss(x=(1.0, -2.0)), or give start=."),
    "no number": (lambda x="far": 1.0, "the start 'far' is no array of numbers\nGive numbers, as (1.0, -2.0)."),
    "text": (lambda x=1.0: "low", "`loss` gives a str\nReturn the loss, one number, or (loss, gradient)."),
    "vector": (lambda x=(1.0, 2.0): x, "`loss` gives an array of the shape (2,)\nReturn the loss, one number, or "
               "(loss, gradient)."),
    "three": (lambda x=1.0: (x, x, x), "`loss` gives 3 things\nReturn the loss, one number, or (loss, gradient)."),
    "short slope": (lambda x=(1.0, 2.0): (1.0, x[:1]), "`loss` gives a gradient of the shape (1,) for x of the shape "
                    "(2,)\nReturn (loss, gradient), the gradient in the shape of x."),
    "raising": (raising, "`loss` raised ZeroDivisionError: division by zero"),
}  # fmt: skip


@pytest.mark.parametrize("kind", LOSSES)
def test_what_is_no_loss(kind: str) -> None:
    loss, text = LOSSES[kind]
    start = None if kind == "nowhere" else loss.__defaults__[0]
    with pytest.raises(MhatError) as error:
        problem = of_loss(loss, start, "loss")
        problem.slope(problem.start(0), 1, 0)
    assert str(error.value).startswith(text)


def test_what_is_no_problem(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text("loss = 3\n")
    said = {
        "rosenbrok": "there is no problem `rosenbrok`\nDid you mean `rosenbrock`? A loss of your own is FILE.py:NAME.",
        "mine.py": "`mine.py` is a file\nName the loss in it: mine.py:loss.",
        "mine.py:loss": "`mine.py:loss` is no function\nWrite one that gives the loss at x: def loss(x): ...",
        "mine.py:los": "there is no name `los` in mine.py\nDid you mean `loss`?",
    }
    for named, text in said.items():
        with pytest.raises(MhatError) as error:
            problem_of(named)
        assert str(error.value) == text
    with pytest.raises(BadValue) as refused:
        problem_of(3)
    assert str(refused.value) == (
        "int is no problem to train on\n"
        'Give "digits", a landscape, a stream whose values are followed, or a function loss(x).'
    )
    for own in ("digits", "normal:steps=5"):
        with pytest.raises(BadValue) as refused:
            problem_of(own, start=1.0)
        assert str(refused.value) == (
            f"{own} has starts of its own\nLeave start= out: it is for a landscape, or a loss."
        )  # fmt: skip
