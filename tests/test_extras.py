"""Optional dependencies are named where they lack, with the command that installs them."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

from mhat.errors import MissingExtra
from mhat.extras import extra


def test_what_is_there_is_imported() -> None:
    assert extra("math", "any") is math


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtra) as error:
        extra("pyarrow.parquet", "arrow")
    assert str(error.value) == "pyarrow is not installed\nInstall it with: pip install 'mhat[arrow]'"
    with pytest.raises(MissingExtra, match=r"^SciPy is not installed\n.*'mhat\[scipy\]'$"):
        extra("mhat_has_no_such_module", "scipy", "SciPy")


def test_what_is_installed_and_broken_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_extra.py").write_text("raise ImportError('libblas.so.3 is missing')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(MissingExtra) as error:
        extra("broken_extra", "torch")
    assert str(error.value) == (
        "broken_extra cannot be imported: libblas.so.3 is missing\nInstall it with: pip install 'mhat[torch]'"
    )
