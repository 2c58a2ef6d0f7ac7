"""Modules of users, each with its own neighbours: at the top, inside of functions, in packages, two at once."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import mhat
from mhat.errors import InputFileError, UnknownName
from mhat.names import find_subject
from mhat.subjects import modules

AT_THE_TOP = "from helper import RATE\ndef run(gradients):\n    return -RATE * gradients.cumsum(0)\n"
INSIDE = "def run(gradients):\n    import helper\n    return -helper.RATE * gradients.cumsum(0)\n"
FROM_A_FOLDER = "def run(gradients):\n    from parts import helper\n    return -helper.RATE * gradients.cumsum(0)\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: str, text: str, rate: float) -> None:
    Path(folder, "parts").mkdir(parents=True)
    Path(folder, "mine.py").write_text(text)
    for place in (Path(folder, "helper.py"), Path(folder, "parts", "helper.py")):
        place.write_text(f"RATE = {rate}\n")


@pytest.mark.parametrize("in_process", [False, True])
@pytest.mark.parametrize("text", [AT_THE_TOP, INSIDE, FROM_A_FOLDER])
def test_two_files_have_their_own_neighbours_at_once(text: str, in_process: bool, here: Path) -> None:
    written("a", text, 1.0)
    written("b", text, 2.0)
    path, before = list(sys.path), set(sys.modules)
    one, two = (find_subject(f"{folder}/mine.py:run", in_process=in_process) for folder in "ab")
    for _ in range(2):
        assert one.run(np.ones(2)).tolist() == [-1.0, -2.0]
        assert two.run(np.ones(2)).tolist() == [-2.0, -4.0]
    assert sys.path == path
    assert not {name for name in set(sys.modules) - before if name.partition(".")[0] in ("helper", "parts", "mine")}


def test_compare_runs_each_with_its_own(here: Path) -> None:
    written("a", INSIDE, 1.0)
    written("b", INSIDE, 2.0)
    assert not mhat.compare("a/mine.py:run", "b/mine.py:run", seconds=1).same


def test_a_module_that_is_there_already_is_neither_used_nor_lost(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written("a", INSIDE, 1.0)
    Path("helper.py").write_text("RATE = 7.0\n")
    monkeypatch.syspath_prepend(here)
    import helper  # type: ignore[import-not-found]

    try:
        assert find_subject("a/mine.py:run", in_process=True).run(np.ones(1)).tolist() == [-1.0]
        assert sys.modules["helper"] is helper
    finally:
        del sys.modules["helper"]


@pytest.mark.parametrize("in_process", [False, True])
def test_a_file_inside_of_a_package_imports_as_it_does_there(in_process: bool, here: Path) -> None:
    inner = here / "lab" / "optimizers"
    inner.mkdir(parents=True)
    (here / "lab" / "__init__.py").write_text("")
    (inner / "__init__.py").write_text("")
    (here / "lab" / "helper.py").write_text("RATE = 3.0\n")
    (inner / "beside.py").write_text("SIGN = -1\n")
    (inner / "mine.py").write_text(
        "from ..helper import RATE\ndef run(gradients):\n    from .beside import SIGN\n"
        "    return SIGN * RATE * gradients.cumsum(0)\n"
    )
    (inner / "plain.py").write_text("import beside\nimport lab.helper\ndef run(gradients):\n    return -gradients\n")
    mine = find_subject("lab/optimizers/mine.py:run", in_process=in_process)
    assert mine.run(np.ones(2)).tolist() == [-3.0, -6.0]
    assert find_subject("lab/optimizers/plain.py:run", in_process=in_process).run(np.ones(1)).tolist() == [-1.0]
    assert not {name for name in sys.modules if name.partition(".")[0] in ("lab", "beside")}


def test_a_neighbour_called_like_a_module_of_python_takes_nobody_elses_place(here: Path) -> None:
    Path("random.py").write_text("RATE = 5.0\n")
    Path("json.py").write_text("1 / 0\n")
    Path("mine.py").write_text("def run(gradients):\n    return -gradients\n")
    before = sys.modules.get("random")
    assert find_subject("mine.py:run", in_process=True).run(np.ones(1)).tolist() == [-1.0]
    assert sys.modules.get("random") is before


def test_dotted_names_are_looked_up_and_what_is_missing_is_said(here: Path) -> None:
    Path("mine.py").write_text("class Box:\n    inner = 3\n")
    loaded = modules.load("mine.py")
    assert loaded.named("Box.inner") == 3
    with pytest.raises(UnknownName) as caught:
        loaded.named("Box.iner")
    assert str(caught.value) == "there is no name `Box.iner` in mine.py\nDid you mean `inner`?"
    Path("folder.py").mkdir()
    with pytest.raises(InputFileError, match=r"`folder.py` is no file\nName a file that ends in .py."):
        modules.load("folder.py")
