"""A trial: each step is the rule's, medians and spread are of the seeds, and the page says what it cannot say."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

import mhat
from mhat import rules
from mhat.errors import BadValue, MhatError
from mhat.trials import problem_of, try_out
from mhat.trials.training import points_of, train

NAMED = [("adam", rules.adam), ("sgd", rules.sgd)]


@pytest.mark.parametrize("name", ["adam", "polyak", "schedule_free_sgd"])
def test_each_step_is_that_of_the_rule(name: str) -> None:
    rule, problem = rules.named(name), problem_of("quadratic")
    course = train(rule, problem, 0, 6, {"lr": 0.1})
    (x,), state, values = problem.start(0), None, []
    for t in range(1, 7):
        loss, (g,) = problem.slope([x], t, 0)
        told = {"loss": loss} if "loss" in rule.tree.given else {}
        after = mhat.step(rule, x, g, t, state, lr=0.1, **told)
        x, state = after.x, after.state
        shown = after.variables["x_eval"] if "x_eval" in rule.variables else x
        values.append(problem.measure([np.asarray(shown)], t, 0))
    assert course.values[1:].tolist() == values


def test_digits_are_learned() -> None:
    trials = mhat.compare("adam", "muon", train="digits", seeds=2, tries=3, steps=60, lr=0.02)
    for one in trials.tried:
        assert one.scores.max() < 0.5 < one.courses[0].values[0]
        assert one.ends("test accuracy").min() > 0.85
        assert one.knobs["lr"] == 0.02


def test_the_same_trial_gives_the_same_numbers() -> None:
    one, other = (try_out(NAMED, problem_of("noisy"), seeds=2, tries=4, steps=30) for _ in range(2))
    assert one.to_json() == other.to_json()


def test_what_it_gives() -> None:
    trials = try_out(NAMED, problem_of("ravine"), seeds=3, tries=5, steps=120)
    ds = trials.to_dataset()
    assert dict(ds.sizes) == {"rule": 2, "seed": 3, "step": 51} and ds.step.values.tolist() == points_of(120)
    told = json.loads(trials.to_json())
    assert [each["name"] for each in told["rules"]] == ["adam", "sgd"]
    assert all(len(each["tried"]) <= 5 and len(each["scores"]) == 3 for each in told["rules"])
    assert told["rules"][0]["median"] == float(np.median(trials.tried[0].scores))
    for text in (str(trials), trials._repr_html_()):
        assert "What this cannot say" in text and "Which rule is the better one in general" in text
        assert "tuned by 5 runs at most" in text


def test_seeds_that_overlap_are_said() -> None:
    trials = try_out(NAMED, problem_of("normal:steps=30"), seeds=5, tries=1, steps=30)
    assert "Which of adam and sgd is ahead here: their seeds overlap." in str(trials)
    alone = try_out(NAMED[:1], problem_of("quadratic"), seeds=2, tries=1, steps=5)
    assert "ahead here" not in str(alone)


def test_what_breaks_off_is_said() -> None:
    def cliff(x: float = 1.0) -> tuple[float, Any]:
        return float("nan") if abs(x) > 3 else x * x, -2.0 * x

    trials = try_out([("sgd", rules.sgd)], problem_of(cliff), seeds=2, tries=1, steps=40, knobs={"lr": 1.0})
    assert trials.tried[0].broken == 2
    assert "sgd broke off with all knobs that were tried." in str(trials) and "broke off" in str(trials)
    assert json.loads(trials.to_json())["rules"][0]["median"] == "inf"


WRONG: dict[str, tuple[tuple[str, ...], dict[str, Any], str]] = {
    "no matrix": (("muon",), {"train": "rosenbrock"}, "`orthogonal(u)` works on a matrix, and x has the shape (2,)\n"
                  "rosenbrock has parameters of the shape (2,); those of `digits` are matrices."),
    "h": (("sophia",), {"train": "digits"}, "sophia reads `h` (a second array of the shape of x, such as the diagonal "
          "of a Hessian), and a trial gives the loss and the gradient alone\nTry rules that read no `h`."),
    "twice": (("adam", "adam"), {"train": "digits"}, "adam is named twice\nName each rule once."),
    "none": ((), {"train": "digits"}, "no rule is named\nName one or more: adam lion muon."),
    "no rule": (("torch.optim:Adam",), {"train": "digits"}, "torch.optim:Adam is no rule, and only rules are trained "
                "here\n`mhat read torch.optim:Adam` writes it as one."),
    "longer": (("adam",), {"train": "normal:steps=50", "steps": 100}, "normal:steps=50 has 50 steps, not 100\n"
               "Give steps=50."),
    "knob": (("adam", "sgd"), {"train": "digits", "foo": 1}, "there is no knob of adam `foo`\n"
             "Known: beta1, beta2, eps, lr."),
    "list": (("adam",), {"train": "digits", "lr": [0.1, 0.2]}, "lr=[0.1, 0.2] is not a number\nGive lr a number."),
    "judging": (("adam",), {"train": "digits", "dtype": "float32"}, "dtype= belongs to a comparison of implementations"
                ", and train= tries rules out\nLeave dtype= out, or train=."),
    "training": (("adam", "sgd"), {"seeds": 3}, 'seeds= belongs to training\nSay on what: train="digits".'),
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_refused(kind: str) -> None:
    named, keywords, text = WRONG[kind]
    with pytest.raises(MhatError) as error:
        mhat.compare(*named, **keywords)
    assert str(error.value) == text
    assert isinstance(error.value, BadValue) or kind == "knob"
