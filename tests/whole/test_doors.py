"""One question, two doors: Python's verbs and the commands give the same answer to every documented call."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import mhat
from mhat import inquiry
from mhat.checks.verdict import Verdict
from mhat.terminal.cli import app

MINE = """\
import numpy as np
from mhat import rule


def my_adam(gradients, lr=1e-3):
    x, m, v, xs = 0.0, 0.0, 0.0, []
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        x = x - lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        xs.append(x)
    return np.array(xs)


def mystery(gradients):
    return -0.01 * np.cumsum(np.sign(gradients), axis=0)


def million(gradients, lr=0.1):
    return -lr * np.cumsum(gradients, axis=0)


class MySgd:
    def __init__(self, lr=0.1, nesterov=False):
        self.lr = lr / 2 if nesterov else lr

    def step(self, x, g):
        return x - self.lr * g


class UphillMomentum:
    def __init__(self, lr=0.1, momentum=0.9):
        self.lr, self.momentum, self.velocity = lr, momentum, 0.0

    def step(self, x, g):
        self.velocity = self.momentum * self.velocity - g
        return x - self.lr * self.velocity


class HeavyBall:
    def __init__(self, lr=0.1, momentum=0.9):
        self.lr, self.momentum, self.velocity = lr, momentum, 0.0

    def step(self, x, g):
        self.velocity = self.momentum * self.velocity + (1 - self.momentum) * g
        return x - self.lr * self.velocity


def warm(step, peak=0.1):
    return peak * min(1.0, step / 5)


def warmed_sgd(gradients):
    rates = [0.1 * min(1.0, t / 5) for t in range(1, len(gradients) + 1)]
    return -np.cumsum(np.array(rates).reshape(-1, *[1] * (np.ndim(gradients) - 1)) * gradients, axis=0)


@rule
def stepping(x, g, *, lr=0.1, steps=2):
    return x - lr * g / steps
"""
SCRIPT = """\
import numpy as np

g_list = [1.0, -2.0, 0.5, 3.0] * 10
lr, momentum, velocity, x, x_list = 0.01, 0.9, 0.0, 0.0, []
for g in g_list:
    velocity = momentum * velocity + g
    x = x - lr * velocity
    x_list.append(x)
"""
PROGRAM = """\
import json, sys

for line in sys.stdin:
    asked = json.loads(line)
    x, xs = asked.get("start", 0.0), []
    for g in asked["gradients"]:
        x = x - asked.get("knobs", {}).get("lr", 0.01) * g
        xs.append(x)
    print(json.dumps({"parameters": xs}), flush=True)
"""
COMMAND = f"{sys.executable} sgd_program.py"
# What is typed behind `mhat`, and the same in Python.
CALLS: dict[str, Any] = {
    "check mine.py:my_adam": lambda: mhat.check("mine.py:my_adam"),
    "check mine.py:my_adam --against adamw -k lr=0.01 -k weight_decay=0.1 --seconds 5":
        lambda: mhat.check("mine.py:my_adam", "adamw", lr=0.01, weight_decay=0.1, seconds=5),
    "check mine.py:my_adam --explain": lambda: mhat.check("mine.py:my_adam", explain=True),
    "check mine.py:UphillMomentum --fix --seconds 20":
        lambda: mhat.check("mine.py:UphillMomentum", fix=True, seconds=20),
    "check mine.py:mystery": lambda: mhat.check("mine.py:mystery"),
    "check mine.py:million -k lr=0.3": lambda: mhat.check("mine.py:million", lr=0.3),
    "check mine.py:MySgd -k nesterov=true --seconds 5": lambda: mhat.check("mine.py:MySgd", nesterov=True, seconds=5),
    "check script.py --feed g_list --read x_list --against momentum":
        lambda: mhat.check("script.py", "momentum", feed="g_list", read="x_list"),
    "check script.py --feed g_list --read x_list": lambda: mhat.check("script.py", feed="g_list", read="x_list"),
    "check --recorded run.csv --against sgd -k lr=0.5": lambda: mhat.check(recorded="run.csv", against="sgd", lr=0.5),
    "check --recorded run.csv": lambda: mhat.check(recorded="run.csv"),
    "check sgd": lambda: mhat.check("sgd"),
    "check clipped(momentum) --against momentum --seconds 2":
        lambda: mhat.check("clipped(momentum)", "momentum", seconds=2),
    "check mine.py:my_adam --in-process": lambda: mhat.check("mine.py:my_adam", in_process=True),
    "check mine.py:stepping --against mine.py:stepping -k steps=4":
        lambda: mhat.check("mine.py:stepping", "mine.py:stepping", knobs={"steps": 4}),
    "check mine.py:HeavyBall --against momentum --no-dialects":
        lambda: mhat.check("mine.py:HeavyBall", "momentum", dialects=False),
    "check mine.py:HeavyBall --against momentum --dialect the":
        lambda: mhat.check("mine.py:HeavyBall", "momentum", dialects="the"),
    "check adam --strict --dtype float32": lambda: mhat.check("adam", strict=True, dtype="float32"),
    "identify mine.py:mystery": lambda: mhat.identify("mine.py:mystery"),
    "identify mine.py:million -k lr=0.3": lambda: mhat.identify("mine.py:million", lr=0.3),
    "identify sgd -k momentum=0.9": lambda: mhat.identify("sgd", momentum=0.9),
    "identify --recorded run.csv": lambda: mhat.identify(recorded="run.csv"),
    "identify script.py --feed g_list --read x_list":
        lambda: mhat.identify("script.py", feed="g_list", read="x_list"),
    "compare mine.py:my_adam adam": lambda: mhat.compare("mine.py:my_adam", "adam"),
    "compare sgd --recorded run.csv -k lr=0.5": lambda: mhat.compare("sgd", recorded="run.csv", lr=0.5),
    "compare mine.py:my_adam --recorded run.csv --seconds 6":
        lambda: mhat.compare("mine.py:my_adam", recorded="run.csv", seconds=6),
    "compare --recorded run.csv --recorded run.csv": lambda: mhat.compare(recorded=["run.csv", "run.csv"]),
    "compare mine.py:million sgd -k lr=0.1": lambda: mhat.compare("mine.py:million", "sgd", lr=0.1),
}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(MINE)
    Path("script.py").write_text(SCRIPT)
    Path("sgd_program.py").write_text(PROGRAM)
    gradients = np.random.default_rng(0).normal(size=30)
    x = np.cumsum(-0.5 * gradients)
    rows = [f"{t},{g!r},{w!r}" for t, (g, w) in enumerate(zip(gradients.tolist(), x.tolist(), strict=True), 1)]
    Path("run.csv").write_text("\n".join(["# a run", "Step,g,x", *rows]))
    return tmp_path


@pytest.fixture
def few_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Identify among few rules: which door is asked makes no difference to how many there are."""
    few = [mhat.rules.named(name) for name in ("adam", "momentum", "sgd", "signsgd")]
    monkeypatch.setattr(inquiry, "_library", lambda: few)


def as_data(answer: Any) -> Any:
    if isinstance(answer, Verdict):
        return without_others(json.loads(answer.to_json()))
    return {"same": answer.same, "a": as_data(answer.a), "b": as_data(answer.b)}


def without_others(said: Any) -> Any:
    """How many other answers are found in the time there is depends on the machine."""
    for key in ("diagnosis", "nearest"):
        if said.get(key):
            said[key] = {**said[key], "others": []}
    return said


@pytest.mark.parametrize("line", CALLS)
def test_both_doors_answer_alike(here: Path, few_rules: None, line: str) -> None:
    answer = CALLS[line]()
    typed = CliRunner().invoke(app, [*line.split(), "--json"])
    said = json.loads(typed.stdout)
    expected = as_data(answer)
    if "same" in expected:
        said = {"same": said["same"], "a": without_others(said["a"]), "b": without_others(said["b"])}
    assert without_others(said) == expected
    assert typed.exit_code == (0 if (answer.same if "same" in expected else answer.conforms) else 1)


# What is typed behind `mhat convert`, and the same in Python.
CONVERSIONS: dict[str, Any] = {
    "adam --from keras --to torch -k learning_rate=1e-3 -k epsilon=1e-7":
        lambda **more: mhat.convert("adam", from_="keras", to="torch", learning_rate=1e-3, epsilon=1e-7, **more),
    "keras.optimizers.SGD --to optax -k momentum=0.9 -k nesterov=true":
        lambda **more: mhat.convert("keras.optimizers.SGD", to="optax", momentum=0.9, nesterov=True, **more),
    "adam --from torch --to numpy -k betas=0.8,0.9":
        lambda **more: mhat.convert("adam", from_="torch", to="numpy", knobs={"betas": [0.8, 0.9]}, **more),
    "lion --from optax --to torch": lambda **more: mhat.convert("lion", from_="optax", to="torch", **more),
}  # fmt: skip


@pytest.mark.parametrize("line", CONVERSIONS)
def test_both_doors_convert_alike(line: str) -> None:
    typed = CliRunner().invoke(app, ["convert", *line.split(), "--no-measure", "--json"])
    assert json.loads(typed.stdout) == json.loads(CONVERSIONS[line](measure=False).to_json())
    assert typed.exit_code == 0


EXPLANATIONS: dict[str, Any] = {
    "explain sgd -k lr=0.5": lambda: mhat.explain("sgd", lr=0.5),
    "explain sgd --stream constant:2": lambda: mhat.explain("sgd", "constant:2"),
    "explain sgd --why 14": lambda: mhat.explain("sgd", why="first step"),
    "explain mine.py:stepping -k steps=4": lambda: mhat.explain("mine.py:stepping", knobs={"steps": 4}),
    "explain clipped(sgd) -k max_norm=2": lambda: mhat.explain("clipped(sgd)", max_norm=2),
}


SCHEDULERS: dict[str, Any] = {
    "check mine.py:warm --schedule": lambda: mhat.check_schedule("mine.py:warm"),
    "check mine.py:warm --against warmup_constant:0.1,warmup=5 --steps 40 --first 1":
        lambda: mhat.check_schedule("mine.py:warm", "warmup_constant:0.1,warmup=5", steps=40, first=1),
    "check mine.py:warm --schedule -k peak=0.3 --in-process":
        lambda: mhat.check_schedule("mine.py:warm", in_process=True, peak=0.3),
    "check --recorded rates.csv --schedule --steps 20": lambda: mhat.check_schedule("rates.csv", steps=20),
    "check cosine:0.1,steps=40 --against linear:0.1,steps=40":
        lambda: mhat.check_schedule("cosine:0.1,steps=40", "linear:0.1,steps=40"),
}  # fmt: skip


@pytest.mark.parametrize("line", SCHEDULERS)
def test_both_doors_check_schedulers_alike(here: Path, line: str) -> None:
    Path("rates.csv").write_text("lr\n" + "\n".join(repr(0.1 / t) for t in range(1, 31)))
    answer = SCHEDULERS[line]()
    typed = CliRunner().invoke(app, [*line.split(), "--json"])
    assert json.loads(typed.stdout) == json.loads(answer.to_json())
    assert typed.exit_code == (0 if answer.conforms else 1)


def test_a_schedule_as_a_knob_answers_alike_through_both_doors(here: Path) -> None:
    answer = mhat.check("mine.py:warmed_sgd", lr="warmup_constant:0.1,warmup=5")
    typed = CliRunner().invoke(app, ["check", "mine.py:warmed_sgd", "-k", "lr=warmup_constant:0.1,warmup=5", "--json"])
    assert json.loads(typed.stdout) == json.loads(answer.to_json())
    assert (answer.conforms, answer.against) == (True, "scheduled_sgd")


@pytest.mark.parametrize("line", EXPLANATIONS)
def test_both_doors_explain_alike(here: Path, line: str) -> None:
    typed = CliRunner().invoke(app, [*line.split(), "--json"])
    assert json.loads(typed.stdout) == json.loads(EXPLANATIONS[line]().to_json())
    assert typed.exit_code == 0


def test_a_command_answers_alike_through_both_doors(here: Path, few_rules: None) -> None:
    answer = mhat.check(command=COMMAND)
    typed = CliRunner().invoke(app, ["check", "--command", COMMAND, "--json"])
    assert without_others(json.loads(typed.stdout)) == as_data(answer)
    assert (answer.against, answer.conforms) == ("sgd", True)


def test_the_notes_say_how_the_rule_was_found(here: Path) -> None:
    assert mhat.check("mine.py:my_adam").notes == ("it is judged as adam, which its name claims",)
    assert mhat.check("mine.py:my_adam", "adam").notes == ()
    assert mhat.check("sgd").notes == ()
    (note,) = mhat.check("mine.py:mystery").notes
    assert note == "its name claims no rule of the library, so it was identified: it is judged as signsgd"


def test_a_knob_named_like_an_argument_is_refused_or_said_in_a_mapping(here: Path) -> None:
    for call in (
        lambda: mhat.trace("mine.py:stepping", "constant:1", steps=4),
        lambda: mhat.check("mine.py:stepping", "mine.py:timed", seconds=4),
    ):
        Path("mine.py").write_text(MINE + "\n@rule\ndef timed(x, g, *, seconds=2):\n    return x - g / seconds\n")
        with pytest.raises(mhat.MhatError) as error:
            call()
        name = "steps" if "steps" in str(error.value) else "seconds"
        verb = "trace" if name == "steps" else "check"
        assert str(error.value) == (
            f"`{name}` is an argument of `{verb}` and a knob of the rule\n"
            f'For the knob write knobs={{"{name}": ...}}; beside it, {name}= is the argument.'
        )
    ds = mhat.trace("mine.py:stepping", "constant:1", steps=4, knobs={"steps": 4})
    assert ds.x.values.tolist() == [-0.025, -0.05, -0.07500000000000001, -0.1]
    assert mhat.step("mine.py:stepping", 0.0, 1.0, 1, knobs={"steps": 4}).x == -0.025


def test_a_knob_is_given_once(here: Path) -> None:
    with pytest.raises(mhat.MhatError) as error:
        mhat.trace("sgd", "constant:1", knobs={"lr": 1.0}, lr=1.0)
    assert str(error.value) == "the knob `lr` is given twice\nGive it by keyword or in knobs={...}."
    with pytest.raises(mhat.MhatError) as error:
        mhat.check("sgd", knobs=["lr"])
    assert str(error.value) == "knobs=['lr'] is no mapping\nGive names and values: knobs={\"lr\": 0.01}."


def test_a_record_is_compared_on_its_own_gradients(here: Path, few_rules: None) -> None:
    assert mhat.compare("sgd", recorded="run.csv", lr=0.5).same
    parted = mhat.compare("sgd", recorded="run.csv", lr=0.25, seconds=6)
    # The record does not say where x starts: what the second step adds is the first thing known.
    assert (parted.same, parted.deviation.step) == (False, 2)
    Path("other.csv").write_text("step,g,x\n1,1,-1\n2,1,-2\n3,1,-3\n4,1,-4\n5,1,-5\n")
    with pytest.raises(mhat.MhatError) as error:
        mhat.compare(recorded=["run.csv", "other.csv"])
    assert str(error.value) == (
        "other.csv was written under other gradients\nRecord both under the same, or compare one with code."
    )


def test_a_command_is_compared_too(here: Path, few_rules: None) -> None:
    assert mhat.compare("sgd", command=COMMAND, lr=0.01).same


def test_a_question_is_of_so_many(here: Path) -> None:
    for ask, message in (
        (lambda: mhat.check(), "no subject is named"),
        (lambda: mhat.compare("sgd"), "a comparison is of two, and there is less"),
        (lambda: mhat.check("sgd", recorded="run.csv"), "a subject and a record are two questions"),
        (lambda: mhat.compare("sgd", "adam", command=COMMAND), "there are 3 implementations in question"),
        (lambda: mhat.check("mine.py:mystery", strict=True), "`mine.py:mystery` claims no rule by its name"),
        (lambda: mhat.check("sgd", feed="g"), "feed names something in a script, and there is none"),
    ):
        with pytest.raises(mhat.MhatError) as error:
            ask()
        assert error.value.what == message


def test_a_modified_rule_is_named_as_it_is_called() -> None:
    assert mhat.trace("clipped(sgd)", "constant:2", steps=2).attrs["rule"] == "clipped_sgd"
    assert CliRunner().invoke(app, ["rules", "clipped(adam)"]).output.startswith("clipped_adam, per tensor")
    with pytest.raises(mhat.MhatError) as error:
        mhat.trace("cliped(sgd)", "constant:2")
    assert str(error.value) == "there is no modifier `cliped`\nDid you mean `clipped`?"
