"""The commands that check, as they are typed: what they print and their exit codes. It knows no search."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

import mhat
from mhat.terminal.cli import app
from tests.checks import wrong_adams

SCRIPT = """\
import numpy as np
import matplotlib.pyplot as plt

g_list = [10] * 100
beta1, beta2, eps = 0.9, 0.999, 1e-3
m, v = 0, 0
mv = []
for t, g in enumerate(g_list, start=1):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m = m / (1 - beta1**t)
    v = v / (1 - beta2**t)
    mv.append(m / (np.sqrt(v) + eps))
plt.plot(mv)
plt.show()
"""
COMMAND = """\
import json, sys
for line in sys.stdin:
    x, xs = 0.0, []
    asked = json.loads(line)
    for g in asked["gradients"]:
        x = x - 0.1 * g
        xs.append(x)
    print(json.dumps({"parameters": xs}), flush=True)
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    (tmp_path / "mine.py").write_text(Path(wrong_adams.__file__).read_text("utf-8"))
    (tmp_path / "script.py").write_text(SCRIPT)
    return tmp_path


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def test_the_classic_mistake_in_a_script(here: Path) -> None:
    result = typed("check", "script.py", "--feed", "g_list", "--read", "mv", "--observe", "ratio")
    assert result.exit_code == 1
    first, *rest = result.output.splitlines()
    assert first.startswith("script.py deviates from adam (Kingma & Ba 2015, Adam, Algorithm 1")
    text = "\n".join(rest)
    for line in (
        "`m_hat` is stored back into `m` and `v_hat` is stored back into `v`",
        "- m_hat = m / (1 - beta1**t)",
        "+ m = m / (1 - beta1**t)",
        "- v_hat = v / (1 - beta2**t)",
        "+ v = v / (1 - beta2**t)",
        "shown by the gradients [1, 1]: 0.235 where 0.999 is expected (in ratio)",
        "line 11: m = m / (1 - beta1**t)",
    ):
        assert line in text


def test_a_right_one_with_hidden_knobs(here: Path) -> None:
    result = typed("check", "mine.py:hidden")
    assert result.exit_code == 0
    assert "mine.py:hidden conforms to adam" in result.output
    assert "with lr=0.02, eps=1e-3" in " ".join(result.output.split())


def test_why_it_went_wrong(here: Path) -> None:
    """Every line fits into the terminal, the diff comes first, and the sentences are those that Python has."""
    result = CliRunner().invoke(app, ["check", "mine.py:stored_back", "--against", "adam", "--explain"])
    assert result.exit_code == 1
    assert max(map(len, result.output.splitlines())) <= 100
    told = " ".join(result.output.split())
    assert told.index("+ v = v / (1 - beta2**t)") < told.index("why: Each step multiplies `v` by 1 / (1 - beta2**t)")
    assert "their product up to step 100 is 1.257e143, and 777400 for `m`" in told
    assert "measured is 3.404888183404303e-70, where 1 is right" in told
    verdict = mhat.check(wrong_adams.stored_back, "adam", explain=True)
    assert verdict.why is not None and all(claim.sentence in told for claim in verdict.why)
    assert all(claim.sentence in " ".join(str(verdict).split()) for claim in verdict.why)
    assert "<li>Each step multiplies" in verdict._repr_html_()


def test_what_it_means_to_conform(here: Path) -> None:
    result = CliRunner().invoke(app, ["check", "mine.py:adam", "--explain", "--json"])
    assert result.exit_code == 0
    why = json.loads(result.output)["why"]
    assert [claim["about"] for claim in why][:2] == ["constant gradient", "scale invariance"]
    assert {claim["status"] for claim in why} <= {"proved", "tested"}
    assert json.loads(CliRunner().invoke(app, ["check", "mine.py:adam", "--json"]).output)["why"] is None


def test_json(here: Path) -> None:
    result = typed("check", "mine.py:eps_hat", "--json")
    assert result.exit_code == 0
    read = json.loads(result.output)
    assert read["conforms"] is True
    assert read["dialect"].startswith("eps-hat")


def test_a_command_in_any_language(here: Path) -> None:
    (here / "answer.py").write_text(COMMAND)
    result = typed("check", "--command", f"{sys.executable} answer.py", "--against", "sgd", "-k", "lr=0.1")
    assert (result.exit_code, "conforms to sgd" in result.output) == (0, True)


def test_a_record(here: Path) -> None:
    gradients = np.random.default_rng(0).normal(size=40)
    ds = mhat.trace("rmsprop", gradients, lr=0.01)
    rows = [
        f"{i},{g!r},{x!r}" for i, (g, x) in enumerate(zip(gradients.tolist(), ds.x.values.tolist(), strict=True), 1)
    ]
    (here / "run.csv").write_text("\n".join(["step,g,x", *rows]))
    result = typed("check", "--recorded", "run.csv", "--against", "rmsprop", "-k", "lr=0.01")
    assert result.exit_code == 0
    assert "note: it is consistent with the whole of this record" in result.output


def test_identify_and_compare(here: Path) -> None:
    found = typed("identify", "mine.py:heavy_ball")
    assert (found.exit_code, "conforms to momentum" in found.output) == (0, True)
    parted = typed("compare", "mine.py:heavy_ball", "adam")
    assert (parted.exit_code, "mine.py:heavy_ball and adam part at step" in parted.output) == (1, True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["check", "mine.py:nothing"], "there is no name `nothing` in mine.py"),
        (["check", "nowhere.py:adam"], "there is no file `nowhere.py`"),
        (["check", "mine.py:adam", "--against", "adm"], "there is no rule `adm`"),
        (["check", "mine.py:adam", "--observe", "raito"], "there is no variable of adam `raito`"),
        (["check", "mine.py:adam", "-k", "lr"], "`-k lr` is not NAME=VALUE"),
        (["check", "mine.py:adam", "-k", "lr=1", "-k", "lr=2"], "the knob `lr` is given twice"),
        (["check", "mine.py:adam", "--dtype", "float99"], "there is no dtype `float99`"),
        (["identify", "mine.py:adam", "--dtype", "float99"], "there is no dtype `float99`"),
        (["check", "mine.py:adam", "--seconds", "-1"], "invalid value for '--seconds'"),
        (["check", "mine.py:adam", "-k", "beta1=1"], "beta1=1 is out of its range"),
        (["check"], "no subject is named"),
        (["check", "mine.py:adam", "--recorded", "run.csv"], "a subject and a record are two questions"),
        (["check", "--recorded", "run.csv"], "there is no file run.csv"),
    ],
)
def test_what_cannot_be_run_exits_with_2(here: Path, words: list[str], message: str) -> None:
    result = typed(*words)
    assert result.exit_code == 2
    assert f"mhat: {message}" in result.stderr


def test_the_rule_is_guessed_from_the_name(here: Path) -> None:
    result = typed("check", "torch.optim:AdamW", "-k", "foreach=false")
    assert (result.exit_code, "conforms to adamw" in result.output) == (0, True)


def test_a_figure_is_drawn_and_kept(here: Path) -> None:
    result = typed("check", "mine.py:stored_back", "--plot", "both.png")
    assert result.exit_code == 1
    assert "Drew both to both.png." in result.output
    assert (here / "both.png").read_bytes().startswith(b"\x89PNG")
    again = typed("check", "mine.py:stored_back", "--plot", "both.png")
    assert again.exit_code == 2
    assert "both.png" in again.output
    assert "--force" in again.output


def test_there_is_nothing_to_draw_of_what_conforms(here: Path) -> None:
    result = typed("check", "mine.py:adam", "--plot", "both.svg")
    assert result.exit_code == 0
    assert "There is no deviation to draw: both.svg is not written." in result.output
    assert not (here / "both.svg").exists()


def test_a_figure_of_a_strange_kind_is_refused_before_anything_runs(here: Path) -> None:
    result = typed("check", "nothing.py:there", "--plot", "both.gif")
    assert result.exit_code == 2
    assert "both.gif" in result.output


def line(text: str) -> Result:
    return typed(*text.split())


def test_compare_trains(here: Path) -> None:
    Path("hill.py").write_text(
        "def loss(x=(1.0, -2.0)):\n    return x[0] ** 2 + 10 * x[1] ** 2, (2 * x[0], 20 * x[1])\n"
    )
    trained = line("compare adam sgd --train hill.py:loss --seeds 2 --tries 3 --steps 60 --plot c.png")
    assert trained.exit_code == 0, trained.output
    assert (
        "rule" in trained.output and "least to most" in trained.output and "Drew the curves to c.png." in trained.output
    )
    assert Path("c.png").read_bytes().startswith(b"\x89PNG")
    told = json.loads(line("compare adam --train quadratic --tries 2 --seeds 2 --steps 9 --json").output)
    assert (told["problem"], told["seeds"], len(told["rules"][0]["curves"])) == ("quadratic", 2, 2)
    again = line("compare adam sgd --train hill.py:loss --steps 9 --plot c.png")
    assert again.exit_code == 2 and "c.png" in again.output and "--force" in again.output
    alone = typed("compare", "adam", "sgd", "--plot", "d.png")
    assert alone.exit_code == 2 and "--plot draws how rules train" in alone.output
