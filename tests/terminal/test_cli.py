"""The command line as its users meet it: what it answers, in a terminal, in a pipe and for a machine."""

from __future__ import annotations

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr
from typer.testing import CliRunner, Result

import mhat
from mhat import landscapes, rules, streams, verbs
from mhat.errors import OutputFileError
from mhat.language import Rule
from mhat.language.costs import kept_by
from mhat.terminal import facts, options, pages, trace_pages
from mhat.terminal.cli import app
from mhat.terminal.facts import relatives_of, year_of
from mhat.traces import streaming

Run = Callable[..., Result]
EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in a folder of its own, in a terminal of 80 columns."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def typed(line: str, columns: int | None = None) -> Result:
        if columns is not None:
            monkeypatch.setenv("COLUMNS", str(columns))
        return CliRunner().invoke(app, line.split())

    return typed


@pytest.fixture
def good(run: Run) -> Callable[..., str]:
    """Run a command line that must succeed, and give what it prints."""

    def typed(line: str, columns: int | None = None) -> str:
        result = run(line, columns)
        assert (result.exit_code, result.stderr) == (0, "")
        return result.stdout

    return typed


def process(line: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from mhat.terminal.cli import main; main()", *line.split()]
    known = {key: value for key, value in os.environ.items() if key not in ("COLUMNS", "FORCE_COLOR")}
    return subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=folder, env={**known, **environment}
    )


# The door


def test_version(good: Callable[..., str]) -> None:
    assert good("--version") == f"mhat {mhat.__version__}\n"


@pytest.mark.parametrize("line", ["", "--help", "-h"])
def test_help_names_the_commands(good: Callable[..., str], line: str) -> None:
    said = good(line)
    assert all(
        f" {name} " in said for name in ("demo", "rules", "streams", "landscapes", "trace", "plot", "convert", "bench")
    )


@pytest.mark.parametrize("command", ["demo", "rules", "streams", "landscapes", "trace", "plot", "bench"])
@pytest.mark.parametrize("columns", [80, 200])
def test_every_help_fits_the_terminal(good: Callable[..., str], command: str, columns: int) -> None:
    said = good(f"{command} --help", columns)
    assert "--json" in said
    assert all(len(line) <= columns for line in said.splitlines())


# Rules


@pytest.mark.parametrize("columns", [24, 40, 80, 200])
def test_the_list_of_rules_has_a_line_a_rule_and_fits(good: Callable[..., str], columns: int) -> None:
    lines = good("rules", columns).splitlines()
    assert all(len(line) <= columns for line in lines)
    body = lines[1 : lines.index("")]
    assert len(body) == len(rules.names())
    for line, name in zip(body, rules.names(), strict=True):
        assert line.startswith(name[:3])


def test_what_is_outside_of_the_language_says_why(good: Callable[..., str]) -> None:
    said = " ".join(good("rules --outside").split())
    told = json.loads(good("rules --outside --json"))
    for each in told:
        assert each["reason"] in said and all(name in said for name in each["names"])
    inside = {name.replace("_", "") for name in rules.names()}
    # What stands in brackets says which part of it is outside.
    outside = [name for each in told for name in each["names"] if "(" not in name]
    plain = {re.sub(r"[^a-z0-9]", "", re.sub(r" \d{4}$", "", name).lower()) for name in outside}
    # What became a rule is outside no more.
    assert inside.isdisjoint(plain) and len(outside) == len(set(outside))


def _state(rule: Rule) -> str:
    kept = kept_by(rule)
    return f"{kept.bytes_each(4)}{'+' if kept.other else ''}"


def test_a_wide_list_of_rules_says_all(good: Callable[..., str]) -> None:
    said = good("rules", 300)
    for name in rules.names():
        rule = rules.named(name)
        shown = (name, rules.family(name), year_of(rule.paper), str(rule.level)[4:], _state(rule))
        (line,) = (line.split() for line in said.splitlines() if line.startswith(f"{name} "))
        assert line[:5] == [*map(str, shown)] and " ".join(line).endswith(" ".join(rule.paper.split()))


def test_relatives_and_conformance_have_columns_where_there_is_room(good: Callable[..., str]) -> None:
    head, *lines = good("rules --family adam", 140).splitlines()
    assert head.split() == ["rule", "year", "per", "state", "relatives", "conforms", "paper"]
    (nadam,) = (line for line in lines if line.startswith("nadam "))
    assert "  adam, nadamw  " in nadam and "  torch optax~ keras  " in nadam
    assert good("rules --family adam", 80).splitlines()[0].split() == ["rule", "year", "per", "state", "paper"]
    assert good("rules --family adam", 40).splitlines()[0].split() == ["rule", "paper"]
    assert "\n  field   torch conforms, optax deviates\n" in good("rules rprop")


def test_the_list_of_rules_for_a_machine(good: Callable[..., str]) -> None:
    listed = json.loads(good("rules --json"))
    assert [rule["name"] for rule in listed] == rules.names()
    assert listed[rules.names().index("adam")] == {
        "name": "adam",
        "family": "adam",
        "year": 2015,
        "level": "per coordinate",
        "state_bytes": 8,
        "state_beside": [],
        "relatives": relatives_of("adam"),
        "conformance": {"torch": "conforms", "optax": "conforms", "keras": "dialect"},
        "paper": rules.adam.paper,
        "summary": rules.adam.doc.splitlines()[0],
    }


def test_a_rule_is_shown(good: Callable[..., str]) -> None:
    said = good("rules adam")
    assert said.startswith("adam, per coordinate\nDivide the average gradient by its typical size, so that a steady")
    assert "\n      m_hat = m / (1 - beta1**t)\n" in said
    assert "\n  beta1  0.9      0 <= beta1 < 1  decay rate of the first moment, the average of\n" in said
    assert "\n  state  before step 1\n  m      0\n  v      0\n" in said
    assert "\n  paper   Kingma & Ba 2015, Adam, Algorithm 1, arXiv:1412.6980\n" in said
    assert said.endswith("\n  try     mhat trace adam --stream constant:10 --steps 100\n")
    assert all(len(line) <= 80 for line in said.splitlines())


@pytest.mark.parametrize("name", rules.names())
def test_every_rule_is_shown_and_its_code_parses_again(good: Callable[..., str], name: str) -> None:
    fact = json.loads(good(f"rules {name} --json"))
    assert mhat.rule(fact["code"]) == rules.named(name)
    assert [knob["name"] for knob in fact["knobs"]] == list(rules.named(name).knobs)
    assert all(knob["meaning"] and knob["range"] for knob in fact["knobs"])
    assert good(f"rules {name}").startswith(f"{name}, per ")


def test_pseudo_code_is_broken_rather_than_cut(good: Callable[..., str]) -> None:
    said = good("rules adam", 40)
    assert all(len(line) <= 40 for line in said.splitlines())
    assert " ".join(said.split()).count("beta2=0.999, eps=1e-8):") == 1


def test_a_rule_of_the_user_is_shown(good: Callable[..., str]) -> None:
    said = good(f"rules {EXAMPLES}/stored_back.py")
    assert said.startswith("stored_back, per coordinate\n")
    assert "\n      m = m / (1 - beta1**t)\n" in said
    assert "paper" not in said


# Streams and landscapes


@pytest.mark.parametrize("kind", ["stream", "landscape"])
@pytest.mark.parametrize("columns", [40, 80])
def test_streams_and_landscapes_are_listed(good: Callable[..., str], kind: str, columns: int) -> None:
    library = {"stream": streams, "landscape": landscapes}[kind]
    lines = good(f"{kind}s", columns).splitlines()
    assert all(len(line) <= columns for line in lines)
    assert [line.split()[0] for line in lines[1 : lines.index("")]] == library.names()  # type: ignore[attr-defined]
    listed = json.loads(good(f"{kind}s --json"))
    assert {each["name"]: each["summary"] for each in listed} == library.summaries()  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", streams.names())
def test_every_stream_is_shown(good: Callable[..., str], name: str) -> None:
    spec = {"cycle": "cycle:3,-1,-1"}.get(name, name)
    assert good(f"streams {spec}").startswith(f"{name}: ")
    fact = json.loads(good(f"streams {spec} --json"))
    assert fact["shape"][0] == 100
    assert len(fact["first"]) == facts.FIRST
    assert fact["doc"].startswith("Teaches")
    assert ">>>" not in fact["doc"]


def test_a_stream_is_shown_with_its_arguments(good: Callable[..., str]) -> None:
    said = good("streams constant:10")
    assert "\n  arguments  value=1, steps=100\n  shape      step=100\n" in said
    assert "\n  starts     10 10 10 10 10 10 10 10 10 10 ...\n" in said
    assert said.endswith("\n  try        mhat trace adam --stream constant:10\n")


def test_a_file_of_gradients_is_shown(good: Callable[..., str]) -> None:
    said = good(f"streams {EXAMPLES}/gradients.csv", 200)
    assert "shape      step=40, i=2\n" in said


@pytest.mark.parametrize("name", landscapes.names())
def test_every_landscape_is_shown(good: Callable[..., str], name: str) -> None:
    assert good(f"landscapes {name}").startswith(f"{name}: ")
    fact = json.loads(good(f"landscapes {name} --json"))
    assert fact["start"] == list(landscapes.named(name).start)
    assert fact["lesson"] == landscapes.named(name).lesson


def test_a_landscape_is_shown_with_its_minimum(good: Callable[..., str]) -> None:
    said = good("landscapes rosenbrock")
    assert "\n  arguments  a=1, b=100\n  start      (-1.5, 2)\n  minimum    0 at (1, 1)\n" in said
    assert "\n  window     [-2, 2] x [-1, 3]\n" in said


# Traces

CONSTANT = """\
adam on constant:10, 100 steps, eps=1e-3

step            1           2           5         10         20       100
g              10          10          10         10         10        10
m               1         1.9      4.0951     6.5132     8.7842    9.9997
v             0.1      0.1999       0.499    0.99551     1.9811    9.5208
m_hat          10          10          10         10         10        10
v_hat         100         100         100        100        100       100
ratio      0.9999      0.9999      0.9999     0.9999     0.9999    0.9999
x      -0.0009999  -0.0019998  -0.0049995  -0.009999  -0.019998  -0.09999

"""


def test_the_plain_trace_answers_something(good: Callable[..., str]) -> None:
    assert good("trace adam --stream constant:10 --steps 100 -k eps=1e-3") == CONSTANT


@pytest.mark.parametrize("columns", [30, 60, 80, 200])
def test_a_trace_fits_the_terminal(good: Callable[..., str], columns: int) -> None:
    said = good("trace adam --stream normal:size=3,seed=1 --steps 2000 -k beta2=0.9,0.99 --keep m_hat,v", columns)
    lines = said.splitlines()
    assert all(len(line) <= columns for line in lines)
    header = next(line for line in lines if line.startswith("step "))
    assert header.split()[-1] == "2000"


def test_a_sweep_has_a_row_a_value(good: Callable[..., str]) -> None:
    said = good("trace adam --stream ramp --steps 10 -k beta2=0.9,0.99 -k lr=0.1,0.2 --keep m,v,x")
    assert said.startswith("adam on ramp, 10 steps, lr=0.1,0.2, beta2=0.9,0.99\n")
    rows = [line.split() for line in said.splitlines()]
    assert [row[:2] for row in rows if row and row[0] in ("m", "v")] == [["m", "0"], ["v", "beta2=0.9"]]
    assert ["beta2=0.9", "lr=0.2"] in [row[:2] for row in rows] or ["lr=0.1", "beta2=0.99"] in [r[:2] for r in rows]


def test_many_coordinates_are_cut_and_counted(good: Callable[..., str]) -> None:
    said = good("trace sgd --stream normal:size=1000 --keep x")
    assert "\n      i=3  " in said
    assert "\n      ... 996 more\n" in said
    assert "i=4" not in said


def test_a_landscape_says_where_it_ends(good: Callable[..., str]) -> None:
    said = good("trace adam --landscape rosenbrock --start=-1.5,2 --steps 2000 -k lr=0.05")
    assert "\nIt ends at (0.9999987, 0.9999974), at the height " in said
    assert " ".join(said.split()).endswith("; the lowest is 0 at (1, 1).")


def test_gradients_that_are_not_finite_are_kept_shown_and_counted(good: Callable[..., str]) -> None:
    Path("g.csv").write_text("g\n1\nnan\n3\ninf\n")
    said = good("trace adam --stream g.csv")
    assert "\ng           1  nan  inf\n" in said
    end = (
        "2 of 4 gradients are not finite: the first is nan at step 2. They are kept: what\nthey reach is nan or inf.\n"
    )
    assert said.endswith(end)
    assert good("trace adam --stream g.csv --keep m --save m.nc").endswith(f"{end}Saved: m.nc\n")
    found = json.loads(good("trace adam --stream g.csv --json"))["not_finite"]
    assert found == [{"variable": "g", "count": 2, "of": 4, "first_step": 2, "place": {}, "value": "nan"}]


def test_a_gradient_that_is_not_finite_is_found_in_its_column(good: Callable[..., str]) -> None:
    Path("g.csv").write_text("a,b\n1,2\n3,-inf\n")
    said = good("trace sgd --stream g.csv")
    assert "\n1 of 4 gradients is not finite: -inf at step 2, i=b. It is kept: what it reaches\n" in said


def test_an_x_that_overflows_is_told_of(good: Callable[..., str]) -> None:
    said = good("trace sgd --stream constant:1e308 --steps 3 -k lr=1 --keep x")
    assert said.endswith("2 of 3 values of x are not finite: the first is -inf at step 2.\n")


def test_keep_and_variables_choose(good: Callable[..., str]) -> None:
    said = good("trace adam --stream ramp --steps 3 --keep m_hat,ratio,x --variables ratio")
    assert [line.split()[0] for line in said.splitlines()[2:-1]] == ["step", "ratio"]
    kept = json.loads(good("trace adam --stream ramp --steps 3 --keep m_hat --json"))
    assert list(kept["variables"]) == ["m_hat"]


def test_a_trace_for_a_machine_is_the_trace(good: Callable[..., str]) -> None:
    told = json.loads(good("trace adam --stream constant:10 --steps 100 -k eps=1e-3 -k beta2=0.99,0.999 --json"))
    assert told["variables"]["ratio"]["dims"] == ["step", "beta2"]
    assert told["variables"]["ratio"]["values"][99][1] == 0.9999000099990011
    assert told["coordinates"]["beta2"] == {"dims": ["beta2"], "values": [0.99, 0.999]}
    assert told["attributes"]["knobs"] == {"lr": 1e-3, "beta1": 0.9, "eps": 1e-3}
    assert told["sizes"] == {"step": 100, "beta2": 2}
    assert told["not_finite"] == []


def test_numbers_that_are_not_finite_are_words_for_a_machine(good: Callable[..., str]) -> None:
    Path("g.csv").write_text("g\n1\nnan\n-inf\n")
    assert json.loads(good("trace sgd --stream g.csv --json"))["variables"]["g"]["values"] == [1.0, "nan", "-inf"]


@pytest.mark.parametrize("ending", ["nc", "csv", "zarr", "parquet"])
@pytest.mark.filterwarnings("ignore::UserWarning:zarr")
def test_a_trace_is_saved(good: Callable[..., str], ending: str) -> None:
    said = good(f"trace {EXAMPLES}/stored_back.py --stream constant:10 --steps 50 --save trace.{ending}")
    assert said == f"stored_back on constant:10, 50 steps, all knobs at their defaults\nSaved: trace.{ending}\n"
    assert Path(f"trace.{ending}").exists()


def test_a_store_is_written_block_by_block(good: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "MOST_STEPS", 7)
    line = "trace adam --stream spike:size=nan,at=30 --steps 50 -k lr=0.1,0.2 --keep m"
    streamed, plain = good(f"{line} --save t.zarr --plot t.png"), good(f"{line} --save t.nc --plot t.png --force")
    assert streamed == plain.replace("t.nc", "t.zarr")
    xr.testing.assert_identical(mhat.load("t.zarr").compute(), mhat.load("t.nc"))
    assert "NaN" in streamed or "nan" in streamed
    told = json.loads(good("trace adam --landscape rosenbrock --steps 20 --save l.zarr --json"))
    whole = json.loads(good("trace adam --landscape rosenbrock --steps 20 --save l.nc --json"))
    assert told | {"saved": ""} == whole | {"saved": ""}
    good("trace adam --stream l.nc --keep x --save again.zarr")
    assert mhat.load("again.zarr").sizes == {"step": 20, "i": 2}


def test_a_store_that_exists_is_kept(run: Run) -> None:
    Path("t.zarr").mkdir()
    result = run("trace sgd --stream ramp --save t.zarr")
    message = "mhat: `t.zarr` exists already\nChoose another name, or overwrite it with --force.\n"
    assert (result.exit_code, result.stdout, result.stderr) == (2, "", message)
    assert list(Path("t.zarr").iterdir()) == []


def test_a_saved_trace_runs_again_though_g_was_looked_at(good: Callable[..., str]) -> None:
    good("trace adam --stream constant:10 -k beta2=0.9,0.99 --keep m --save m.nc --json")
    ds = mhat.load("m.nc")
    assert list(ds.data_vars) == ["m"]
    xr.testing.assert_identical(mhat.again(ds).drop_attrs(), ds.drop_attrs())


def test_start_dtype_and_tensor_reach_the_trace(good: Callable[..., str]) -> None:
    line = "trace lamb --stream normal:size=2x3 --steps 4 --start=1 --dtype float32 --tensor j --keep trust --json"
    told = json.loads(good(line))
    assert told["attributes"]["dtype"] == "float32"
    assert told["attributes"]["start"] == 1.0
    assert told["variables"]["trust"]["dims"] == ["step", "i"]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_the_small_types_are_run_saved_and_drawn(good: Callable[..., str], dtype: str) -> None:
    said = good(f"trace adam --stream ramp --steps 20 --dtype {dtype} --save t.nc --plot t.png")
    assert said.startswith(f"adam on ramp, 20 steps, dtype {dtype}, all knobs at their defaults\n")
    ds = mhat.load("t.nc")
    assert (ds.attrs["arithmetic"], ds.x.dtype) == (dtype, "float32")
    xr.testing.assert_identical(mhat.again(ds), ds)
    assert good("plot t.nc -o again.png") == "Drew t.nc to again.png.\n"


def test_a_seed_drawn_by_chance_is_told(good: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options.secrets, "randbelow", lambda below: below - 1)
    assert good("trace sgd --stream normal:0,2 --seedless").startswith("sgd on normal:scale=2,seed=2147483647, 100")
    assert good("trace sgd --landscape noisy --seedless").startswith("sgd on noisy:seed=2147483647, 1,000 steps")


# Figures


def test_a_trace_is_drawn_and_drawn_again(good: Callable[..., str]) -> None:
    said = good(
        "trace adam --stream normal:seed=42 --steps 500 -k beta2=0.9,0.99,0.999 --plot betas.png --save betas.nc"
    )
    assert said == "adam on normal:seed=42, 500 steps, beta2=0.9,0.99,0.999\nSaved: betas.nc\nDrawn: betas.png\n"
    assert good("plot betas.nc --variables m_hat,v_hat,x -o again.png") == "Drew betas.nc to again.png.\n"
    assert json.loads(good("plot betas.nc --json --force")) == {"drawn": "betas.png"}
    for name in ("betas.png", "again.png"):
        assert Path(name).read_bytes().startswith(b"\x89PNG")


def test_a_landscape_is_drawn(good: Callable[..., str]) -> None:
    said = good("trace adam --landscape rosenbrock --start=-1.5,2 --steps 2000 -k lr=0.05 --plot path.png")
    assert said.endswith("Drawn: path.png\n")


# Processes


def test_in_a_pipe_lines_are_whole_and_plain(tmp_path: Path) -> None:
    done = process("rules", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    rows = {line.split(" ")[0]: line for line in done.stdout.splitlines()}
    papers = {name: rules.named(name).paper for name in rules.names()}
    assert all(rows[name].endswith(f"  {paper}") for name, paper in papers.items())
    assert len({len(rows[name]) - len(paper) for name, paper in papers.items()}) == 1
    assert "\x1b" not in done.stdout


def test_no_colour_where_none_is_wanted(tmp_path: Path) -> None:
    coloured = process("rules adam", tmp_path, FORCE_COLOR="1", COLUMNS="80", TERM="xterm-256color")
    assert "\x1b[" in coloured.stdout
    assert "`m_hat`" not in coloured.stdout
    plain = process("rules adam", tmp_path, FORCE_COLOR="1", NO_COLOR="1", COLUMNS="80", TERM="xterm-256color")
    assert "\x1b[3" not in plain.stdout
    assert "`m_hat`" in plain.stdout


@pytest.mark.skipif(os.name == "nt", reason="pipes of POSIX")
def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "from mhat.terminal.cli import main; main()", "rules", "--json"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False, cwd=tmp_path)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")


# Parts


@pytest.mark.parametrize(
    ("last", "steps"), [(1, [1]), (2, [1, 2]), (7, [1, 2, 5, 7]), (100, [1, 2, 5, 10, 20, 50, 100])]
)
def test_telling_steps(last: int, steps: list[int]) -> None:
    assert trace_pages.telling_steps(last) == steps


@pytest.mark.parametrize(
    ("value", "text"),
    [(1e-3, "1e-3"), (0.01, "0.01"), (0.9, "0.9"), (10.0, "10"), (1e-8, "1e-8"), (-2.5, "-2.5"), (1e20, "1e20"),
     (0.0005, "5e-4"), (0.0015, "0.0015"), (math.inf, "inf"), (3, "3"), ([1.0, 2.0], "1,2"), ([], "...")],
)  # fmt: skip
def test_short(value: Any, text: str) -> None:
    assert pages.short(value) == text


def test_the_steps_where_most_happens_are_shown(good: Callable[..., str]) -> None:
    said = good("trace adam --stream spike:at=3000,steps=4000", 80)
    assert "3000" in said.splitlines()[2].split()
    assert trace_pages.event_steps(mhat.trace("adam", "constant:10", steps=400), ["g"]) == []


def test_a_figure_has_the_look_that_is_asked_for(good: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "a.svg"
    good(f"trace adam --stream constant:10 --plot {path} --style dark --size 5x4 --dpi 72")
    assert 'width="360pt" height="288pt"' in path.read_text()


def test_several_saved_traces_are_one_figure(good: Callable[..., str], tmp_path: Path) -> None:
    for rule in ("adam", "sgd"):
        good(f"trace {rule} --stream constant:10 --save {tmp_path}/{rule}.nc")
    said = good(f"plot {tmp_path}/adam.nc {tmp_path}/sgd.nc -o {tmp_path}/both.svg")
    assert said.endswith(f"to {tmp_path}/both.svg.\n")
    assert all(f">{rule}<" in (tmp_path / "both.svg").read_text() for rule in ("adam", "sgd"))


def test_a_figure_is_drawn_where_saving_fails(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OutputFileError("there is no room left", "Make some.")

    monkeypatch.setattr(verbs, "save", full)
    result = run(f"trace sgd --stream ramp --save {tmp_path}/a.nc --plot {tmp_path}/a.png")
    assert (result.exit_code, (tmp_path / "a.png").exists()) == (2, True)
    assert result.stderr == f"mhat: there is no room left\nMake some. The figure is drawn: {tmp_path}/a.png.\n"


def test_two_swept_knobs_end_in_a_table(good: Callable[..., str]) -> None:
    said = good("trace sgd --stream constant:1 --steps 4 -k lr=0.1,0.2", 80)
    assert "Step 4" not in said
    said = good("trace momentum --landscape rosenbrock --steps 50 -k lr=1e-4,2e-4 -k momentum=0,0.9", 80)
    _, header, *rows = said[said.index("Step 50: the height above the minimum") :].splitlines()[:4]
    assert header.split() == ["lr", "momentum=0", "momentum=0.9"]
    assert [row.split()[0] for row in rows] == ["1e-4", "2e-4"]


def test_several_rules_are_one_trace(good: Callable[..., str], tmp_path: Path) -> None:
    said = good("trace adam sgd --stream constant:2 --steps 20 -k lr=0.1", 80)
    assert said.startswith("adam, sgd on constant:2, 20 steps, lr=0.1\n")
    assert said.splitlines()[-3].split()[:3] == ["x", "rule=adam", "-0.1"]
    # What sgd does not have is not shown.
    assert said.count("rule=sgd") == 1
    said = good(f"trace adam rmsprop sgd --landscape ravine --steps 50 --plot {tmp_path}/paths.svg", 200)
    assert [line.split()[0] for line in said.splitlines()[1:4]] == ["adam", "rmsprop", "sgd"]
    assert ">rmsprop<" in (tmp_path / "paths.svg").read_text()
