"""Keras has one backend a process: the tests beside this file, once more on the other one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bridges.keras.runs import other_backend

HERE = Path(__file__)
OTHERS = sorted(path.name for path in HERE.parent.glob("test_*.py") if path != HERE)


def test_on_the_other_backend_too() -> None:
    pytest.importorskip("torch")
    pytest.importorskip("jax")
    assert len(OTHERS) >= 4
    told = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--tb=short", *OTHERS]
    done = subprocess.run(told, cwd=HERE.parent, env=other_backend(), capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
