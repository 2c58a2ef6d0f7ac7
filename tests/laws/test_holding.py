"""Which laws apply to which rules and why not, that rules keep their own, and that holding is quick and quiet."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mhat import laws, rules
from mhat.language import Rule, rule
from mhat.laws.law import Counterexample, listed, told_apart
from tests.choices import CLASSICS
from tests.laws import subjects

LIBRARY = [rules.named(name) for name in CLASSICS]
LAWS = {law.name: law for law in laws.laws()}


@pytest.mark.parametrize("one", LIBRARY, ids=lambda one: one.name)
def test_a_rule_keeps_the_laws_that_apply_to_it(one: Rule) -> None:
    itself = laws.examined_of(one)
    findings = laws.hold(itself.run, one, several=True)
    assert [finding for finding in findings if not finding.holds] == []
    assert {"first step", "sign symmetry", "zero gradient", "repetition"} <= {f.name for f in findings}


# What is known of rules from their papers; the laws are never told.
KNOWN = {
    "constant gradient": ("adam adamw adamax amsgrad qhadam lion signsgd signum", "sgd momentum rmsprop adagrad yogi"),
    "weights sum to one": ("adam sgd signsgd", "momentum nesterov rmsprop"),
    "step at most lr": ("signsgd signum lion adagrad", "adam adamax rmsprop sgd tiger"),
    "step bound": ("adam amsgrad rmsprop", "sgd adamw lamb adabelief"),
    "scale invariance": ("adam rmsprop adagrad lamb lion", "sgd momentum radam adabound"),
    "proportion": ("sgd momentum nesterov", "adam signsgd"),
    "translation": ("adam sgd lion", "adamw lamb tiger"),
    "decay without gradient": ("adamw lion tiger adan", "adam sgd"),
    "coordinates apart": ("adam sgd", "lamb"),
    "tensors apart": ("adam lamb", ""),
    "without memory": ("adam momentum rmsprop signum", "sgd signsgd adagrad"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_laws_apply_where_the_papers_say_so(name: str) -> None:
    applying, others = (text.split() for text in KNOWN[name])
    assert [each for each in applying if laws.applies(LAWS[name], rules.named(each)) is not None] == []
    assert [each for each in others if laws.applies(LAWS[name], rules.named(each)) is None] == []


@pytest.mark.parametrize(
    ("name", "one", "conditions", "reason"),
    [
        ("proportion", "adam", {}, "the rule itself does not keep it (it is off by 0.5)"),
        ("step at most lr", "adam", {}, "the rule itself takes steps of 6.08 lr"),
        ("step at most lr", "adamw", {}, "its steps depend on where x is"),
        ("step bound", "sgd", {}, "its step grows with the gradient: twice the gradient, twice the step"),
        ("decay without gradient", "adam", {}, "it has no weight decay"),
        ("decay without gradient", "adamw", {"starts": False}, "it takes no start"),
        ("decay without gradient", "lion", {"free": frozenset()}, "its weight decay is zero"),
        ("translation", "adam", {"starts": False}, "it takes no start"),
        ("coordinates apart", "adam", {"vectors": False}, "each of its coordinates has a run of its own"),
        ("tensors apart", "adam", {"several": False}, "it drives one tensor at a time"),
        ("order of tensors", "adam", {"several": False}, "it drives one tensor at a time"),
        ("learning rate", "adam", {"free": frozenset()}, "its learning rate is not free"),
        ("without memory", "adam", {"free": frozenset(["lr"])}, "it has no decay rate that is free"),
    ],
)
def test_why_a_law_does_not_apply(name: str, one: str, conditions: dict[str, Any], reason: str) -> None:
    import dataclasses

    from mhat.laws.holding import reason as reason_of

    examined = dataclasses.replace(laws.examined_of(rules.named(one)), **conditions)
    assert reason_of(LAWS[name], examined) == reason


def test_a_rule_without_a_learning_rate() -> None:
    plain = rule("def f(x, g): return x - g")
    assert laws.applies(LAWS["constant gradient"], plain) == "it has no learning rate"
    assert laws.applies(LAWS["step at most lr"], plain) == "it has no learning rate"
    assert laws.applies(LAWS["proportion"], plain) is None


def test_what_a_run_does_not_take_is_not_asked_of_it() -> None:
    asked: list[tuple[float, tuple[str, ...]]] = []

    def run(gradients: Any, start: float, knobs: dict[str, float]) -> Any:
        assert not isinstance(gradients, list)
        asked.append((start, tuple(knobs)))
        return subjects.adam(gradients, start, {**rules.adam.knobs, **knobs})

    found = laws.hold(run, rules.adam, accepts=["lr"], free=[], starts=False, vectors=False)
    assert set(asked) == {(0.0, ("lr",))}
    names = {finding.name for finding in found}
    assert "constant gradient" in names
    assert names.isdisjoint({"tensors apart", "coordinates apart", "translation", "learning rate", "without memory"})


def test_knobs_in_force_are_passed_and_reckoned_with() -> None:
    found = laws.hold(subjects.adam, rules.adam, knobs={"lr": 0.5, "eps": 1e-3, "beta1": 0.5}, several=True)
    assert [finding for finding in found if not finding.holds] == []

    def wrong_rate(gradients: Any, start: float, knobs: dict[str, float]) -> Any:
        assert knobs["lr"] == 0.5
        return subjects.adam(gradients, start, {**knobs, "lr": 0.4})

    found = laws.hold(wrong_rate, rules.adam, knobs={"lr": 0.5}, free=[], starts=False)
    assert {finding.name for finding in found if not finding.holds} == {"first step", "constant gradient"}


def test_an_answer_that_is_not_finite_breaks_laws_and_nothing_else() -> None:
    broken = laws.hold(lambda gradients, start, knobs: np.full(gradients.shape, np.nan), rules.adam)
    names = {finding.name for finding in broken if not finding.holds}
    assert {"first step", "constant gradient", "zero gradient"} <= names


def test_what_a_run_raises_comes_through() -> None:
    def run(gradients: Any, start: float, knobs: dict[str, float]) -> Any:
        raise RuntimeError("out of order")

    with pytest.raises(RuntimeError, match="out of order"):
        laws.hold(run, rules.adam)


def test_gradients_are_never_shared_with_the_run() -> None:
    def spoiling(gradients: Any, start: float, knobs: dict[str, float]) -> Any:
        answer = subjects.adam(gradients, start, knobs)
        gradients[:] = np.nan
        return answer

    assert all(finding.holds for finding in laws.hold(spoiling, rules.adam))


def test_a_rule_per_matrix_is_given_matrices() -> None:
    matrices = rule("def f(x, g, m=0, *, lr=0.1, beta1=0.9):\n    m = beta1 * m + g\n    return x - lr * orthogonal(m)")
    itself = laws.examined_of(matrices)
    found = {f.name: f.holds for f in laws.hold(itself.run, matrices, several=True)}
    assert all(found.values())
    assert {"first step", "tensors apart", "repetition", "sign symmetry"} <= found.keys()
    assert "coordinates apart" not in found


def test_the_same_call_finds_the_same() -> None:
    def broken(gradients: Any, start: float, knobs: dict[str, float]) -> Any:
        return subjects.adam(np.minimum(gradients, 7.0), start, knobs)

    assert laws.hold(broken, rules.adam) == laws.hold(broken, rules.adam)


def test_a_fault_that_comes_late_is_found() -> None:
    def late(gradients: Any, start: float, knobs: dict[str, float]) -> Any:
        found = subjects.adam(gradients, start, knobs)
        found[20:] += 1e-3
        return found

    finding = next(f for f in laws.hold(late, rules.adam) if f.name == "constant gradient")
    assert finding.counterexample is not None
    assert finding.counterexample.step == 21
    assert finding.counterexample.sentence.startswith("the gradients [1, 1, 1, 1, 1, ..., 1, 1, 1]: step / lr = ")


def test_all_laws_on_adam_are_quick() -> None:
    laws.hold(subjects.adam, rules.adam, several=True)
    start = time.process_time()
    laws.hold(subjects.adam, rules.adam, several=True)
    assert time.process_time() - start < 1.5


ALONE = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "hypothesis":
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Blocked())
import numpy as np
import mhat
def adam(gradients):
    m = v = x = 0.0
    for t, g in enumerate(gradients, 1):
        m, v = (0.9 * m + 0.1 * g) / (1 - 0.9**t), 0.999 * v + 0.001 * g**2
        x = x - 1e-3 * m / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        yield x
verdict = mhat.check(lambda gradients: np.array(list(adam(gradients))), against=mhat.rules.adam, seconds=10)
print(next(law.counterexample for law in verdict.broken if law.name == "constant gradient"))
"""


def test_the_core_alone_asks_laws_and_shows_small_gradients(tmp_path: Path) -> None:
    (tmp_path / "alone.py").write_text(ALONE)
    done = subprocess.run([sys.executable, "alone.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "the gradients [1, 1]: step / lr = 5.26 at step 2 where 1 is expected\n"
    assert [path.name for path in tmp_path.iterdir()] == ["alone.py"]


def test_numbers_are_written_with_the_digits_that_tell_them_apart() -> None:
    assert told_apart(0.2350001, 1.0) == ("0.235", "1")
    assert told_apart(1.00001, 1.0) == ("1.00001", "1")
    assert told_apart(float("nan"), 1.0) == ("nan", "1")


def test_long_gradients_are_written_short() -> None:
    assert listed((1.0, 0.5)) == "[1, 0.5]"
    assert listed(((1.0, 2.0), (3.0, 4.0))) == "[[1, 2], [3, 4]]"
    assert listed(tuple(map(float, range(20)))) == "[0, 1, 2, 3, 4, ..., 17, 18, 19]"


def test_the_sentence_of_a_counterexample() -> None:
    shown = Counterexample((1.0,), 1, 0, 2.5, 2.0, "step / lr", 1.0, {"lr": 0.5}, at_most=True)
    assert shown.sentence == (
        "the gradients [1] with lr=0.5, start=1: step / lr = 2.5 at step 1 where at most 2 is expected"
    )


def test_a_rule_that_is_no_number_keeps_nothing() -> None:
    """Guards against errors that are NaN: they are not above any limit, and the law was said to be kept."""
    made = rule("def it(x, g): return -(x > g) // (0 * x)")
    law, examined = LAWS["weights sum to one"], laws.examined_of(made)
    assert laws.applies(law, made) == "what the rule itself does is no number on the way"
    assert laws.settle(law, examined) is None
