"""The command that converts, as its users meet it: the story at 80 columns, the tables, JSON, and the exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

import mhat
from mhat.conversions.catalogue import FRAMEWORKS, offers
from mhat.terminal.cli import app

Run = Callable[..., Result]
STORY = """\
keras.optimizers.Adam -> torch.optim.Adam: the same training if eps follows a
schedule
paste:
  optimizer = torch.optim.Adam(params, lr=1e-3, eps=1e-7)
  # before step t = 1, 2, ...:
  for group in optimizer.param_groups:
      group["eps"] = 1e-7 / (1 - 0.999**t) ** 0.5
knobs:
  keras                torch
  learning_rate=1e-3   lr=1e-3
  beta_1=0.9           betas[0]=0.9
  beta_2=0.999         betas[1]=0.999
  epsilon=1e-7         eps follows t    (1e-8 unless told)
the same if eps at step t is 1e-7 / (1 - 0.999**t) ** 0.5: 3.162e-6 at step 1,
3.241e-7 at step 100, 1.000e-7 at step 10000
then both are the same pseudo code
what is written otherwise:
  - ratio = m_hat / (sqrt(v_hat) + eps / sqrt(1 - beta2**t))
  + ratio = m_hat / (sqrt(v_hat) + eps)
how far x comes apart with constant knobs, in parts of its way (100 steps):
                      constant    normal     spike    sparse      tiny
  eps=1e-7              3.1e-6    2.4e-5    3.1e-6    2.8e-6      0.93
  eps=1.52e-6 (best)    1.6e-6    1.3e-5    1.6e-6    3.4e-6      0.51
eps=1e-7: for gradients of size 1 x comes apart by up to 2.436e-5 of its way,
for gradients of size 1e-6 (tiny: normal:scale=1e-6) by 0.9313; computed, from x
= 1
note: computed from the pseudo code of both: nothing was measured
"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    def typed(line: str, columns: int = 80) -> Result:
        monkeypatch.setenv("COLUMNS", str(columns))
        return CliRunner().invoke(app, line.split(), prog_name="mhat")

    return typed


def test_the_story_of_adam(run: Run) -> None:
    result = run("convert adam --from keras --to torch -k learning_rate=1e-3 -k epsilon=1e-7 --no-measure")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout == STORY


@pytest.mark.parametrize(
    "line", ["rmsprop --from keras --to torch", "lion --from keras --to torch", "nadam --from torch --to keras"]
)
def test_what_cannot_be_the_same_is_an_answer_too(run: Run, line: str) -> None:
    result = run(f"convert {line} --no-measure")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.split("\n")[0].endswith(
        ("not the same; this comes", "not the same; this comes nearest", "lion")
    )


@pytest.mark.parametrize("columns", [80, 200])
def test_the_table_says_which_rule_is_where(run: Run, columns: int) -> None:
    lines = run("convert", columns).stdout.splitlines()
    assert lines == run("convert --list", columns).stdout.splitlines()
    assert all(len(line) <= columns for line in lines)
    assert lines[0].split() == ["rule", *FRAMEWORKS][:-1]
    shown = [line.split()[0].rstrip("…") for line in lines[1 : lines.index("")]]
    assert len(shown) == len(offers())
    assert all(name.startswith(part) for name, part in zip(offers(), shown, strict=True))
    assert next(line for line in lines if line.startswith("radam ")).split() == ["radam", "RAdam", "radam"]


def test_a_rule_alone_is_shown_in_every_framework(run: Run) -> None:
    said = run("convert momentum").stdout
    assert "torch  torch.optim.SGD\n    momentum=not 0, lr=1e-3, dampening=0, weight_decay=0 (coupled)\n" in said
    assert "keras  keras.optimizers.SGD\n" in said
    assert said.endswith("\n`mhat convert momentum --from torch --to optax` converts it.\n")
    assert "betas=(0.9, 0.999)" in run("convert adam").stdout
    assert "Not in torch, keras2, tensorflow, sklearn.\n" in run("convert lion").stdout


def test_a_machine_is_told_all_of_it(run: Run) -> None:
    told = json.loads(run("convert adam --from keras --to torch --no-measure --json").stdout)
    answer = mhat.convert("adam", from_="keras", to="torch", measure=False)
    assert told == json.loads(answer.to_json())
    assert (told["schema"], told["answer"], told["on"]) == (1, "conditional", ["eps follows a schedule"])
    assert told["source"]["knobs"]["eps"] == 1e-7
    assert told["knobs"][-1] == {"knob": "eps", "source": "epsilon=1e-7", "target": "eps follows t", "usual": "1e-8"}
    assert told["conditions"][0]["evidence"]["rows"][0] == [1, pytest.approx(1e-7 / 0.001**0.5)]
    assert [each["setting"] for each in told["measured"]] == ["eps=1e-7", "eps=1.52e-6 (best)"]
    listed = json.loads(run("convert --list --json").stdout)
    assert listed["adam"]["torch"]["knobs"]["betas[1]"] == {"knob": "beta2", "default": 0.999, "meaning": ""}
    assert json.loads(run("convert adam --json").stdout) == {"adam": listed["adam"]}
