"""Assertions for tests: silent for what conforms, and the whole diagnosis for what does not. It knows no search."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mhat.testing import assert_conforms
from tests.checks import wrong_adams


def test_what_conforms_passes() -> None:
    assert_conforms(wrong_adams.adam, "adam")


def test_the_message_is_the_diagnosis() -> None:
    with pytest.raises(AssertionError) as raised:
        assert_conforms(wrong_adams.stored_back, "adam")
    text = str(raised.value)
    assert text.startswith("stored_back deviates from adam")
    assert "  - m_hat = m / (1 - beta1**t)\n  + m = m / (1 - beta1**t)" in text


def test_the_fixture_is_there_and_light(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        "import sys\n"
        "import numpy as np\n\n"
        "def test_light():\n    assert 'xarray' not in sys.modules\n\n"
        "def test_sgd(assert_conforms):\n"
        "    assert_conforms(lambda gradients: -0.1 * np.cumsum(gradients, axis=0), 'sgd', lr=0.1)\n"
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    plugin = ["-p", "mhat.pytest_plugin"] if not _installed() else []
    ran = subprocess.run([*command, *plugin], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert "2 passed" in ran.stdout, ran.stdout + ran.stderr


def _installed() -> bool:
    from importlib.metadata import entry_points

    return any(point.value == "mhat.pytest_plugin" for point in entry_points(group="pytest11"))
