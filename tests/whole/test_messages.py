"""Every message of the command line about bad input, as exact text: what was typed, and the cure; exit code 2."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from typer.testing import CliRunner, Result

from mhat.figures.canvas import ENDINGS
from mhat.terminal import cli
from mhat.terminal.cli import app
from mhat.traces import files

MINE = """\
from mhat import rule

@rule
def stepping(x, g, *, lr=0.1):
    for i in range(3):
        x = x - lr * g
    return x

@rule
def calling(x, g):
    y = 1 + sinh(g)
    return x - y

@rule
def mine(x, g, m=0, *, gamma=0.5):
    m = gamma * m + g
    return x - m
"""
FILES = {
    "mine.py": MINE,
    "broken.py": "from mhat import rule\n\ndef mine(x, g:\n",
    "good.csv": "g\n1\n2\n",
    "empty.csv": "",
    "header.csv": "step,g\n",
    "ragged.csv": "step,a,b\n1,2,3\n2,3\n",
    "words.csv": "step,g\n1,2\n2,two\n",
    "data.xyz": "1\n",
    "notes.nc": "not netCDF",
}
# What is typed behind `mhat`, and what is answered behind `mhat: `.
MESSAGES = {
    # names
    "trace adma --stream ramp": "there is no rule `adma`\nDid you mean `adam`? `mhat rules` lists them.",
    "rules adm": "there is no rule `adm`\nDid you mean `adam`? `mhat rules` lists them.",
    "rules mine.py": "there are 3 rules in mine.py\nName one: mine.py:stepping.",
    "rules mine.py:mime": "there is no name `mime` in mine.py\nDid you mean `mine`?",
    "rules none.py": "there is no file `none.py`\nCheck the name and the directory you are in.",
    "rules no.such.module:rule": "there is no module `no.such.module`\nInstall it, or name a file that ends in .py.",
    "rules broken.py": "broken.py cannot be loaded: SyntaxError: '(' was never closed (line 3)\nMend it first.",
    "trace adam --stream constnat:10":
        "there is no stream `constnat`\nDid you mean `constant`? A file is named with its ending: gradients.csv.",
    "streams rampp": "there is no stream `rampp`\nDid you mean `ramp`? A file is named with its ending: gradients.csv.",
    "trace adam --landscape rosenbrok": "there is no landscape `rosenbrok`\nDid you mean `rosenbrock`?",
    "landscapes rosenbrok": "there is no landscape `rosenbrok`\nDid you mean `rosenbrock`?",
    "trace adam --stream rosenbrock:b=10": "`rosenbrock` is a landscape\nWrite --landscape rosenbrock:b=10.",
    "trace adam --landscape constant:10": "`constant` is a stream\nWrite --stream constant:10.",
    "trace adam --stream normal:sed=1": "there is no argument of normal `sed`\nDid you mean `seed`?",
    "trace adam --stream ramp -k beta=0.9": "there is no knob of adam `beta`\nDid you mean `beta1`?",
    "trace mine.py:mine --stream ramp -k gama=1": "there is no knob of mine `gama`\nDid you mean `gamma`?",
    "trace adam --stream ramp --keep mhat": "there is no variable of adam `mhat`\nDid you mean `m_hat`?",
    "trace adam --stream ramp --variables mhat": "there is no variable of adam `mhat`\nDid you mean `m_hat`?",
    "trace adam --stream ramp --keep m,v --variables x": "there is no variable of adam `x`\nKnown: m, v.",
    "trace adam --stream ramp --keep ,": "--keep names nothing\nWrite names between commas: --keep m_hat,v_hat.",
    "trace adam --stream ramp --dtype float46": "there is no dtype `float46`\n"
    "Did you mean `float64`? All: float64, float32, float16, bfloat16.",
    "trace adam --stream normal:size=2 --tensor j": "there is no dimension of the gradients `j`\nKnown: i.",
    # knobs and numbers
    "trace adam --stream ramp -k beta1=1":
        "beta1=1.0 is out of its range (decay rate of the first moment, the average of the gradients)\n"
        "Choose beta1 with 0 <= beta1 < 1.",
    "trace adam --stream ramp -k beta2=0.9,1.5":
        "beta2=1.5 is out of its range (decay rate of the second moment, the average of the squared gradients)\n"
        "Choose beta2 with 0 <= beta2 < 1.",
    "trace adam --stream ramp -k lr=-1":
        "lr=-1.0 is out of its range (learning rate: the size of a step)\nChoose lr with 0 <= lr.",
    "trace adam --stream ramp -k lr=fast":
        "lr='fast' is not a number\nGive lr a number, or numbers.",
    "trace adam --stream ramp -k lr=": "in `-k lr=`: a number is missing\nWrite numbers such as 10, 0.5 or 1e-3.",
    "trace adam --stream ramp -k lr=1,": "in `-k lr=1,`: a number is missing\nWrite numbers such as 10, 0.5 or 1e-3.",
    "trace adam --stream ramp -k lr":
        "`-k lr` is not NAME=VALUE\nWrite -k lr=0.01, or a list to sweep it: -k lr=0.01,0.1.",
    "trace adam --stream ramp -k =1":
        "`-k =1` is not NAME=VALUE\nWrite -k lr=0.01, or a list to sweep it: -k lr=0.01,0.1.",
    "trace adam --stream ramp -k lr=1 -k lr=2":
        "the knob `lr` is given twice\nTo sweep it, give one list: -k lr=0.1,0.2.",
    "trace adam --stream constant:ten":
        "in `constant:ten`: `ten` is no number\nWrite a number such as 3, 0.5, 1e-3, nan or inf.",
    "trace adam --landscape rosenbrock --start=1,b":
        "in `--start=1,b`: `b` is no number\nWrite numbers such as 10, 0.5 or 1e-3.",
    "trace adam --landscape rosenbrock --start=1,2,3":
        "start has 3 coordinates and rosenbrock has 2\nGive 2 numbers, such as start=(-1.5, 2.0).",
    "trace adam --stream ramp --steps 0": "in `ramp`: `steps` is 0\nGive a whole number of at least 1: steps=2.",
    "trace adam --stream good.csv --steps 0": "`steps` is 0\nGive a whole number of at least 1: steps=2.",
    "trace adam --landscape rosenbrock --steps 0": "steps=0\nAsk for at least one step, a whole number.",
    "trace adam --stream good.csv --steps 9": "good.csv has 2 steps, not 9\nAsk for at most steps=2.",
    "trace adam --stream ramp --seedless": "`ramp` takes no seed\nLeave --seedless out: there is no chance in it.",
    "trace adam --stream normal:seed=1 --seedless":
        "`normal:seed=1` has a seed\nLeave out the seed, or --seedless.",
    "bench --size none": "`--size none` is no number of parameters\nGive one of at least 1: --size 1e6.",
    "bench --size 0": "`--size 0` is no number of parameters\nGive one of at least 1: --size 1e6.",
    "bench --dtype float46": "there is no dtype `float46`\nDid you mean `float64`?",
    "bench adma": "there is no rule `adma`\nDid you mean `adam`? `mhat rules` lists them.",
    # conversions
    "convert adma": "there is no rule `adma`\nDid you mean `adam`? `mhat convert` lists which rule is where.",
    "convert adm --from keras --to torch":
        "there is no optimizer of Keras 3 `adm`\nDid you mean `adam`? `mhat convert` lists which rule is where.",
    "convert lamb --from torch --to keras":
        "there is no rule of PyTorch `lamb`\nKnown: adadelta, adagrad, adam, adamax, adamw, amsgrad, momentum, nadam, "
        "nesterov, radam, rmsprop, rmsprop_centered, rprop, sgd. It is in optax, keras, numpy.",
    "convert adam --from kears --to torch":
        "there is no framework `kears`\n"
        "Did you mean `keras`? Known: torch, optax, keras, keras2, tensorflow, sklearn, numpy.",
    "convert adam --from keras":
        "it is not said where adam is to go\n"
        "Name a framework, torch, optax, keras, keras2, tensorflow, sklearn, numpy: --to torch.",
    "convert adam --to keras":
        "it is not said where adam comes from\n"
        "Name a framework, torch, optax, keras, keras2, tensorflow, sklearn, numpy: --from keras.",
    "convert adam --from keras --to torch -k epsilonn=1":
        "there is no knob of keras.optimizers.Adam `epsilonn`\nDid you mean `epsilon`?",
    "convert adam --from keras --to torch -k use_ema=true":
        "`use_ema` of keras.optimizers.Adam is not translated\n"
        "Leave it out: the average of the parameters is no part of a step: keep it apart.",
    "convert adam --from keras --to torch -k beta_1=1.5":
        "beta1=1.5 is out of its range (decay rate of the first moment, the average of the gradients)\n"
        "Choose beta1 with 0 <= beta1 < 1.",
    "convert momentum --from torch --to keras":
        "torch.optim.SGD is sgd and not momentum while momentum is 0\nGive it: momentum=0.9.",
    "convert sgd --from torch --to keras -k dampening=0.1":
        "dampening=0.1 does nothing in torch.optim.SGD as sgd\nLeave it out, or give momentum too.",
    "convert adam --from torch --to keras -k betas=0.9": "betas=0.9 is no pair\nWrite betas=0.9,0.999.",
    "convert adam --from torch --to keras -k amsgrad=1":
        "amsgrad=1 is neither true nor false\nWrite amsgrad=true or amsgrad=false.",
    "convert adam --from torch --to keras -k lr=1 -k learning_rate=2":
        "`lr` and `learning_rate` are one knob\nGive it once.",
    "convert adam --from torch --to keras -k lr=fast": "lr='fast' is not a number\nGive lr a number.",
    "convert adam --from torch --to keras -k lr=1,2":
        "lr has 2 values\nGive lr once: a conversion is of one setting.",
    "convert adam --from torch --to keras --lr 1": "no such option: --lr\nA knob is set with -k: write -k lr=1.",
    # what to run on
    "trace adam":
        "there is nothing to run adam on\nGive it gradients or a landscape:\n"
        "    mhat trace adam --stream constant:10 --steps 100\n"
        "    mhat trace adam --landscape rosenbrock --steps 2000",
    "trace adam --stream ramp --landscape beale":
        "both a stream and a landscape are given\nKeep one of --stream and --landscape.",
    # files
    "trace adam --stream god.csv": "there is no file god.csv\nDid you mean good.csv?",
    "trace adam --stream empty.csv": "empty.csv is empty\nGive a file with at least one step.",
    "trace adam --stream header.csv": "header.csv has a header and no rows\nGive one row a step.",
    "trace adam --stream ragged.csv":
        "ragged.csv, line 3: 2 columns, where line 1 has 3\n"
        "Give every line the same number of columns; write nan where there is no number.",
    "trace adam --stream words.csv":
        "words.csv, line 3, column g: `two` is no number\nWrite a number there; nan and inf are numbers.",
    "trace adam --stream data.xyz":
        "data.xyz has the ending `.xyz`, which mhat does not read\n"
        "It reads: .csv .tsv .txt .parquet .npy .npz .nc .zarr.",
    "trace adam --stream good.csv:column=h": "there is no column of good.csv `h`\nKnown: g.",
    "plot none.nc": "there is no file none.nc\nDid you mean notes.nc?",
    "plot good.csv":
        "`good.csv` is no netCDF or zarr file\nA trace that can be read again is saved as .nc or .zarr.",
    # the rule language
    "trace mine.py:stepping --stream ramp":
        "mine.py, line 5: `for` is not in the rule language\n"
        "    for i in range(3):\n"
        "    ^^^^^^^^^^^^^^^^^^\n"
        "A rule is one update step; mhat runs the steps. Write each line of it as an assignment.",
    # outputs
    "trace adam --stream ramp --save good.csv":
        "`good.csv` exists already\nChoose another name, or overwrite it with --force.",
    "trace adam --stream ramp --save trace": "`trace` ends in nothing that names a format\n"
        "Choose a name that ends in .nc, .csv, .zarr, .parquet.",
    "trace adam --stream ramp --save trace.txt":
        "`trace.txt` ends in '.txt'\nChoose a name that ends in .nc, .csv, .zarr, .parquet.",
    "trace adam --stream ramp --plot a.gif": "`a.gif` ends in '.gif'\nChoose a name that ends in .png, .pdf, .svg.",
    "trace adam --stream ramp --save no/trace.nc":
        "there is no directory `no` to write `trace.nc` into\nMake it first.",
    "trace adam --stream ramp --plot good.csv/a.png":
        "there is no directory `good.csv` to write `a.png` into\nMake it first.",
    "trace adam --stream ramp --save folder.nc --force": "`folder.nc` is a directory\nName a file.",
    "demo -o no/demo.png": "there is no directory `no` to write `demo.png` into\nMake it first.",
    # the command line itself
    "trase adam": "no such command 'trase'. Did you mean 'trace'?\n`mhat --help` says what can be written here.",
    "trace": "missing argument 'RULE...'.\n`mhat trace --help` says what can be written here.",
    "trace adam --stream ramp --steps ten":
        "`ten` is no whole number\nWrite one such as 100 or 1e4.",
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Result]:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "folder.nc").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    return lambda line: CliRunner().invoke(app, line.split(), prog_name="mhat")


def said(result: Result) -> str:
    """Give the message of a command that must fail with one message, no traceback, and nothing in standard output."""
    assert result.exit_code == 2
    assert result.stdout == ""
    assert result.stderr.startswith("mhat: ")
    assert result.stderr.endswith("\n")
    return result.stderr.removeprefix("mhat: ").removesuffix("\n")


@pytest.mark.parametrize("line", MESSAGES)
def test_bad_input_has_one_clear_message(run: Callable[[str], Result], line: str) -> None:
    before = {path.name for path in Path().iterdir()} - {"__pycache__"}
    assert said(run(line)) == MESSAGES[line]
    assert {path.name for path in Path().iterdir()} - {"__pycache__"} == before


@pytest.mark.parametrize("line", list(MESSAGES)[::4])
def test_bad_input_is_told_a_machine_too(run: Callable[[str], Result], line: str) -> None:
    result = run(f"{line} --json")
    assert (result.exit_code, result.stdout) == (2, "")
    told = json.loads(result.stderr)
    assert set(told) - {"file", "line", "column"} == {"error", "cure"}
    assert told["error"]
    assert told["cure"]


def test_a_rule_outside_the_language_is_placed_for_a_machine(run: Callable[[str], Result]) -> None:
    told = json.loads(run("trace mine.py:stepping --stream ramp --json").stderr)
    assert (told["file"], told["line"], told["column"]) == ("mine.py", 5, 5)


def test_the_caret_stands_under_the_place(run: Callable[[str], Result]) -> None:
    place, line, caret, *_ = said(run("trace mine.py:calling --stream ramp")).splitlines()
    assert place.startswith("mine.py, line 11: ")
    assert line == "    y = 1 + sinh(g)"
    assert caret.index("^") == line.index("sinh")


def test_a_file_that_is_no_trace(run: Callable[[str], Result]) -> None:
    first, cure = said(run("plot notes.nc")).splitlines()
    assert first.startswith("notes.nc cannot be read: ")
    assert cure == "Save the trace again."


def test_a_variable_that_a_saved_trace_does_not_have(run: Callable[[str], Result]) -> None:
    assert run("trace adam --stream ramp --keep m,v --save t.nc").exit_code == 0
    assert said(run("plot t.nc --variables m_hat -o a.png")) == "there is no variable in t.nc `m_hat`\nKnown: m, v."


def test_a_figure_that_is_too_small(run: Callable[[str], Result]) -> None:
    assert said(run("trace sgd --stream ramp --plot a.png --size 1x0.8")) == (
        "2 panels have no room on 1 by 0.8 inches\nMake the figure larger, --size 3.5x3, or draw fewer variables."
    )


def test_a_figure_that_exists(run: Callable[[str], Result]) -> None:
    Path("t.png").write_text("mine")
    assert run("trace adam --stream ramp --save t.nc").exit_code == 0
    expected = "`t.png` exists already\nChoose another name, or overwrite it with --force."
    assert said(run("plot t.nc")) == expected
    assert said(run("trace adam --stream ramp --plot t.png")) == expected
    assert said(run("demo -o t.png")) == expected
    assert Path("t.png").read_text() == "mine"


def test_outputs_are_refused_before_anything_is_computed(
    run: Callable[[str], Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mhat.traces.door.run", lambda *_: pytest.fail("it computed"))
    for line in ("--save good.csv", "--save no/a.nc", "--plot a.gif", "--save a.nc --plot no/a.png"):
        said(run(f"trace adam --stream ramp {line}"))


def test_a_directory_that_cannot_be_written(run: Callable[[str], Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mhat.outputs.os.access", lambda path, mode: False)
    expected = "the directory `.` cannot be written\nChoose a directory of your own."
    assert said(run("trace adam --stream ramp --save t.nc")) == expected
    assert said(run("demo")) == expected


def test_a_full_disk_is_told(run: Callable[[str], Result], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(ds: xr.Dataset, path: Path) -> None:
        path.write_text("a part")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setitem(files.WRITERS, ".nc", full)
    message = said(run("trace adam --stream ramp --save t.nc"))
    assert message == (
        "`t.nc` could not be written: No space left on device\nFree some space, or choose another place."
    )
    assert not [path for path in Path().iterdir() if "t.nc" in path.name]


def raising(error: BaseException) -> Callable[..., Any]:
    def run(*_: Any, **__: Any) -> Any:
        raise error

    return run


def test_too_little_memory_is_told(run: Callable[[str], Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mhat.traces.door.run", raising(MemoryError()))
    assert said(run("trace adam --stream ramp")) == (
        "there is not enough memory for this\n"
        "Ask for fewer steps, or record fewer variables: --keep m_hat,v_hat."
    )  # fmt: skip


def test_an_interruption_is_no_traceback(run: Callable[[str], Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mhat.traces.door.run", raising(KeyboardInterrupt()))
    result = run("trace adam --stream ramp")
    assert (result.exit_code, result.stdout, result.stderr) == (130, "", "\nmhat: interrupted\n")


def test_a_mistake_of_mhat_is_not_hidden(run: Callable[[str], Result], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mhat.traces.door.run", raising(ZeroDivisionError("oh")))
    result = run("trace adam --stream ramp")
    assert result.exit_code == 2
    assert result.stderr.startswith("Traceback")
    assert "ZeroDivisionError: oh\n" in result.stderr
    assert result.stderr.endswith(
        "mhat: this is a mistake in mhat itself\nPlease report it with the lines above.\n"
    )  # fmt: skip


@pytest.mark.parametrize("line", ["rules adm", "trace mine.py:stepping --stream ramp"])
def test_messages_of_the_real_command(run: Callable[[str], Result], line: str) -> None:
    command = [sys.executable, "-c", "from mhat.terminal.cli import main; main()", *line.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"mhat: {MESSAGES[line]}\n")


def test_the_command_line_knows_what_figures_are_saved_as() -> None:
    assert cli.FIGURES == ENDINGS
