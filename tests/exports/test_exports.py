"""What all exports have in common: who may be written how, what a file says of itself, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import mhat
from mhat import rules
from mhat.errors import BadValue, OutputFileError, UnknownName
from mhat.exports import EXPORTS, export
from mhat.language import rule
from mhat.names import find_rule
from mhat.terminal.cli import app
from mhat.version import VERSION

GOLDEN = Path(__file__).parent / "golden"
WITHOUT_MHAT = [language for language in EXPORTS if language not in ("python", "latex")]
every_language = pytest.mark.parametrize("language", WITHOUT_MHAT)
MINE = rule("def mine(x, g, m=0, *, lr=0.1, decay=0.5):\n    m = decay * m + g\n    return x - lr * m")


@pytest.mark.parametrize("language", ["torch", "optax", "numpy", "keras", "c", "rust"])
def test_the_text_of_adam(language: str) -> None:
    path = GOLDEN / f"adam_{language}.txt"
    text = export(rules.adam, language).replace(VERSION, "VERSION")
    if os.environ.get("MHAT_UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


@every_language
def test_a_file_needs_no_mhat_and_says_where_it_is_from(language: str) -> None:
    text = export(rules.adam, language)
    assert "import mhat" not in text
    assert "from mhat" not in text
    for said in (VERSION, "Kingma & Ba 2015", "`adam`", "m_hat = m / (1 - beta1**t)", "normal:seed=42"):
        assert said in text
    assert text.endswith("\n")
    assert all(line == line.rstrip() for line in text.splitlines())


def test_the_text_is_the_same_every_time() -> None:
    able = [language for language in WITHOUT_MHAT if EXPORTS[language].lacking(rules.prodigy) is None]
    script = f"import mhat, json; print(json.dumps([mhat.export('prodigy', each) for each in {able}]))"
    environment = {**os.environ, "PYTHONHASHSEED": "7"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, env=environment, check=True)
    assert json.loads(done.stdout) == [export(rules.prodigy, language) for language in able]


@every_language
def test_what_has_checked_a_file_is_said_truly(language: str) -> None:
    assert "Checked by the tests of mhat" in export(rules.adam, language)
    assert "Not checked itself" in export(MINE, language)
    assert "Not checked itself" in export(rules.adam, language, {"lr": 0.5})


@pytest.mark.parametrize("language", ["torch", "optax", "numpy", "keras", "c", "rust", "python"])
def test_knobs_become_the_defaults_of_the_file(language: str) -> None:
    assert "0.125" in export(rules.adam, language, {"beta1": 0.125})
    with pytest.raises(UnknownName, match="there is no knob of adam `beta4`"):
        export(rules.adam, language, {"beta4": 0.125})
    with pytest.raises(BadValue, match=r"beta1=1.5 is out of its range"):
        export(rules.adam, language, {"beta1": 1.5})


def test_a_knob_that_follows_another_follows_it() -> None:
    assert "beta2: float = 0.25" in export(rules.prodigy, "numpy", {"beta2": 0.25})
    assert "beta3: float | None = None" in export(rules.prodigy, "numpy", {"beta2": 0.25})
    assert "beta3: float = 0.25" in export(rules.prodigy, "numpy", {"beta3": 0.25})


@pytest.mark.parametrize(
    ("name", "language", "said"),
    [
        ("muon", "c", "muon cannot be written in C: it has `orthogonal`, and C has no matrices of its own\n"
         "Write it as torch, optax, numpy"),
        ("shampoo", "rust", "shampoo cannot be written in Rust: it has `@`, and Rust has no matrices of its own\n"
         "Write it as torch, optax, numpy"),
        ("adagc", "numpy", "adagc cannot be written in NumPy: it has reductions over a tensor beside those over all "
         "tensors, and the function is given one array\nWrite it as torch"),
        ("sophia", "torch", "sophia cannot be written in PyTorch: it reads `h`, and an optimizer of torch is given "
         "gradients alone\nWrite it as numpy"),
    ],
)  # fmt: skip
def test_what_a_language_cannot_say_is_refused_by_name(name: str, language: str, said: str) -> None:
    with pytest.raises(BadValue) as caught:
        mhat.export(name, language)
    assert str(caught.value).startswith(said)


def test_a_rule_that_asks_which_tensor_it_is() -> None:
    counting = rule("def counting(x, g, k, n, *, lr=0.1): return x - lr * g * k / n")
    for language in ("torch", "c", "rust"):
        with pytest.raises(BadValue, match="it reads `k`, which tensor it is or how many there are"):
            export(counting, language)


def test_a_language_that_there_is_not() -> None:
    with pytest.raises(UnknownName, match="there is no language `pytorch`\nDid you mean `torch`"):
        mhat.export("adam", "pytorch")


@pytest.mark.parametrize("name", ["cautious(adam)", "clipped(muon)", "lookahead(adam)"])
def test_modified_rules_are_written_too(name: str) -> None:
    for each in EXPORTS.values():
        made = find_rule(name)
        if each.lacking(made) is None:
            assert each.write(made)


def test_a_file_is_written_and_never_lost(tmp_path: Path) -> None:
    path = tmp_path / "adam.py"
    text = mhat.export("adam", "numpy", to=path)
    assert path.read_text(encoding="utf-8") == text
    path.write_text("mine", encoding="utf-8")
    with pytest.raises(OutputFileError, match="exists already"):
        mhat.export("adam", "numpy", to=path)
    assert path.read_text(encoding="utf-8") == "mine"
    assert mhat.export("adam", "numpy", to=path, force=True) == path.read_text(encoding="utf-8")
    with pytest.raises(OutputFileError, match=r"ends in '\.py'\nChoose a name that ends in \.rs\."):
        mhat.export("adam", "rust", to=path)


def typed(line: str) -> tuple[int, str]:
    result = CliRunner(env={"COLUMNS": "80"}).invoke(app, line.split())
    return result.exit_code, result.stdout or result.stderr


def test_the_command_prints_writes_and_lists(tmp_path: Path) -> None:
    code, said = typed("export adam --as numpy -k lr=0.5")
    assert (code, said) == (0, mhat.export("adam", "numpy", lr=0.5))
    path = tmp_path / "adam.rs"
    code, said = typed(f"export adam -o {path}")
    assert (code, said.startswith(f"Wrote {path}: adam as rust, ")) == (0, True)
    assert path.read_text(encoding="utf-8") == mhat.export("adam", "rust")
    code, said = typed(f"export adam -o {path}")
    assert (code, "exists already\nChoose another name, or overwrite it with --force." in said) == (2, True)
    code, said = typed("export")
    assert code == 0
    assert {line.split()[0] for line in said.splitlines()} == set(EXPORTS)
    code, said = typed("export muon")
    assert "not muon: it has `orthogonal`, and C has no matrices of its own" in said


def test_the_command_asks_which_language_is_meant(tmp_path: Path) -> None:
    path = tmp_path / "adam.py"
    code, said = typed(f"export adam -o {path}")
    assert code == 2
    assert f"`{path}` does not say which language is meant\nName it: mhat export adam --as LANGUAGE" in said
    assert not path.exists()


def test_both_doors_write_a_rule_alike() -> None:
    for form in ("python", "latex"):
        assert typed(f"rules adam --as {form}") == typed(f"export adam --as {form}")
