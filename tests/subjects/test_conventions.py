"""Code that was not written for mhat, in many conventions and styles: it is driven as it is, and judged right.

The files in `cases/` say of each implementation which rule it claims, and whether it is right.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mhat
from mhat import rules
from mhat.checks.conformance import conforming
from mhat.checks.question import Question
from mhat.errors import BadValue, SubjectError, UnknownName
from mhat.mistakes.dialects import dialects_of
from mhat.subjects import modules
from mhat.subjects.kinds import subject_of
from mhat.subjects.subject import Subject

CASES = Path(__file__).parent / "cases"
LOADED = {path.stem: modules.load(str(path)) for path in sorted(CASES.glob("*.py"))}
ALL = [(file, name, *told) for file, loaded in LOADED.items() for name, told in loaded.named("CASES").items()]


def driven(file: str, name: str, rule: str, convention: str | None = None) -> Subject:
    loaded = LOADED[file]
    with loaded.neighbours.entered():
        knobs = rules.named(rule).knobs
        return subject_of(loaded.named(name), f"{file}.py:{name}", knobs, {}, convention=convention)


@pytest.mark.parametrize(("file", "name", "rule", "right"), ALL, ids=[f"{one[0]}-{one[1]}" for one in ALL])
def test_it_is_driven_and_judged_right(file: str, name: str, rule: str, right: bool) -> None:
    subject = driven(file, name, rule)
    with LOADED[file].neighbours.entered():
        question = Question(subject, rules.named(rule))
        assert (_follows(question) or conforming(question) is not None) == right


def _follows(question: Question) -> bool:
    """Whether it is the rule, or a dialect, on both kinds of streams; the oracle of 50 digits is not asked."""
    trees = [question.rule.tree, *(form.tree for _, form in dialects_of(question.rule))]
    matchers = (question.matcher, question.confirmer)
    return any(all(each.agreed(tree) == each.steps for each in matchers) for tree in trees)


def test_what_was_seen_is_said() -> None:
    def said(file: str, name: str) -> tuple[str, ...]:
        return driven(file, name, "adam").notes

    assert said("course_functions", "adam") == ("driven as a step function: `config` is handed back each step",)
    assert said("course_functions", "update_parameters_with_adam") == (
        "driven as a step function: `v` and `s` are handed back each step, as `initialize_adam` begins them, with "
        "dictionaries W1, b1 and dW1, db1",
    )
    assert said("step_functions", "adam_zero_based")[0].endswith("each step, `i` counted from 0")
    assert said("step_functions", "get_adam_update")[0].endswith("; what it returns is subtracted from x")


def test_knobs_in_a_config_are_told_there() -> None:
    subject = driven("course_functions", "adam", "adam")
    assert subject.knobs == {"lr", "beta1", "beta2", "eps"}
    assert subject.defaults == {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}


def test_a_convention_that_is_none_and_one_that_does_not_fit() -> None:
    with pytest.raises(UnknownName, match=r"no convention `step-functio`.*\n.*step-function"):
        driven("course_functions", "adam", "adam", "step-functio")
    with pytest.raises(SubjectError, match="fits no convention that mhat knows"):
        subject_of(lambda text: len(text), "length", {}, {}, convention="step-function")


def own_start(gradients: np.ndarray) -> np.ndarray:
    return 0.5 - 0.01 * np.cumsum(gradients, axis=0)


def decaying_from_two(gradients: np.ndarray) -> np.ndarray:
    x, xs = 2.0, []
    for g in gradients:
        x = x - 0.01 * (g + 0.1 * x)
        xs.append(x)
    return np.array(xs)


def test_a_start_that_nobody_is_told_is_seen_and_said() -> None:
    """bug_start_in_code: a correct run that starts elsewhere was accused from step 1 on."""
    verdict = mhat.check(own_start, "sgd")
    assert verdict.conforms
    assert verdict.notes == ("it starts at 0.5 by itself: what its steps add to that is judged",)
    # It moves without gradients, so that where it starts follows from how it decays.
    deviating = mhat.check(decaying_from_two, "sgd", seconds=1.0)
    assert not deviating.conforms
    assert deviating.notes[0] == "it starts at 2 by itself: what its steps add to that is judged"


class Subtracted:
    def update(self, dw: np.ndarray) -> np.ndarray:
        return 0.01 * dw


def test_a_step_to_subtract_is_no_mistake() -> None:
    verdict = mhat.check(Subtracted, "sgd", observe="update")
    assert verdict.conforms
    assert verdict.notes == ("it gives the step to subtract, and is judged by the negative of it",)


def test_a_knob_that_is_not_taken_is_refused_and_never_held_against_it() -> None:
    """A knob that was told and that the subject does not take was an accusation without a word."""
    with pytest.raises(BadValue) as refused:
        mhat.check(Subtracted, "sgd", observe="update", lr=0.1)
    assert str(refused.value) == (
        "`Subtracted` takes no `lr`: whatever it is told, it does what sgd does with lr=0.01\n"
        "Leave it out: what it hides is estimated."
    )
    assert mhat.check(Subtracted, "sgd", observe="update", lr=0.01).conforms


class NoOddRates:
    def __init__(self, lr: float = 0.01, momentum: float = 0.9) -> None:
        if momentum not in (0.0, 0.9):
            raise ZeroDivisionError("momentum")
        self.lr, self.momentum, self.v = lr, momentum, 0.0

    def update(self, w: np.ndarray, dw: np.ndarray) -> np.ndarray:
        self.v = self.momentum * self.v + dw
        return w - self.lr * self.v


def test_a_probe_that_a_subject_cannot_do_never_ends_the_check() -> None:
    assert mhat.check(NoOddRates, "momentum").conforms


class ForgetsTheCount:
    def __init__(self, lr: float = 0.01, momentum: float = 0.9) -> None:
        self.lr, self.momentum, self.v = lr, momentum, {}

    def step(self, params: list[np.ndarray], grads: list[np.ndarray]) -> None:
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            self.v[i] = self.momentum * self.v.get(i, 0.0) + (0.0 if g is None else g)
            p -= self.lr * self.v[i]


class Waits(ForgetsTheCount):
    def step(self, params: list[np.ndarray], grads: list[np.ndarray]) -> None:
        for i, (p, g) in enumerate(zip(params, grads, strict=True)):
            if g is not None:
                self.v[i] = self.momentum * self.v.get(i, 0.0) + g
                p -= self.lr * self.v[i]


class Refuses(ForgetsTheCount):
    def step(self, params: list[np.ndarray], grads: list[np.ndarray]) -> None:
        super().step(params, [1.0 * g for g in grads])


def test_what_becomes_of_a_tensor_without_a_gradient_is_said() -> None:
    assert mhat.check(Waits, "momentum").notes == ()
    moved = mhat.check(ForgetsTheCount, "momentum")
    assert moved.conforms
    assert moved.notes[0].startswith("where a gradient is missing (None), its tensor does not wait: tensor 2 is at ")


def test_nobody_is_told_that_his_code_takes_no_missing_gradient() -> None:
    """It was said of everything right that knows no None."""
    refused = mhat.check(Refuses, "momentum")
    assert refused.conforms and refused.notes == ()


class Odd:
    def __init__(self, blob: object, lr: float = 0.01) -> None:
        self.blob, self.lr = blob, lr

    def update(self, frobnicator: object) -> None:
        raise NotImplementedError


def test_for_the_rest_the_message_gives_the_wrapper() -> None:
    with pytest.raises(SubjectError) as refused:
        subject_of(Odd, "odd.py:Odd", {"lr": 0.01}, {})
    text = str(refused.value)
    assert "(--wrapper FILE.py writes it), fill in what is marked, and check that file:" in text
    assert "def run_odd(gradients, lr=0.01, start=0.0):" in text
    assert "    opt = theirs.Odd(blob=..., lr=lr)  # <- fill in\n" in text
    assert "        x = opt.update(frobnicator=...)  # <- fill in: what it is given, and where the new x is\n" in text
    compile(refused.value.wrapper, "wrapper.py", "exec")


ASKS = """
class SGD:
    def __init__(self, tokenizer, lr=0.01):
        self.lr, self.words = lr, len(tokenizer)

    def update(self, w, dw):
        return w - self.lr * dw{slip}

"""


def test_a_wrapper_that_is_filled_in_gives_the_right_verdict(tmp_path: Path) -> None:
    """What the message offers runs as it is written, once the one thing that nobody can know stands in it."""
    for slip, right in (("", True), (" * dw", False)):
        mine, wrapped = tmp_path / f"mine{right}.py", tmp_path / f"wrapped{right}.py"
        mine.write_text(ASKS.format(slip=slip))
        with pytest.raises(SubjectError) as refused:
            mhat.check(f"{mine}:SGD", "sgd", in_process=True)
        assert refused.value.wrapper.count("tokenizer=...") == 1
        wrapped.write_text(refused.value.wrapper.replace("tokenizer=...", "tokenizer='words'"))
        verdict = mhat.check(f"{wrapped}:run_sgd", "sgd", in_process=True, seconds=1)
        assert verdict.conforms == right


def two_ways(values: np.ndarray, more: np.ndarray) -> np.ndarray:
    return values - 0.1 * more


def test_a_way_is_chosen_by_name() -> None:
    taken = subject_of(two_ways, "two_ways", {"lr": 0.1}, {}, convention="step-function:1")
    assert taken.run(np.array([1.0, 2.0]), 0.0).tolist() == pytest.approx([-0.1, -0.3])


def test_a_script_that_ends_when_it_has_converged_is_ended_when_its_gradients_end(tmp_path: Path) -> None:
    """case13: it ran for 30 seconds and was told to look for a loop without an end."""
    (tmp_path / "sgd_loop.py").write_text(
        "x = 0.0\nwhile True:\n    g = 2 * x - 4\n    before = x\n    x = x - 0.1 * g\n"
        "    if x == before:\n        break\n"
    )
    verdict = mhat.check(str(tmp_path / "sgd_loop.py"), "sgd", feed="g", read="x", in_process=True)
    assert verdict.conforms
    assert verdict.estimated == pytest.approx({"lr": 0.1})
