"""Checks answer where warnings are errors, as in these tests: what is not finite is seen in the answer alone."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import mhat

Array = np.ndarray[Any, Any]
EXPLODING = """
import numpy as np


def adam_that_explodes(gradients):
    x = m = v = np.zeros(np.shape(gradients)[1:])
    path = []
    for t, g in enumerate(gradients, 1):
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        x = x - np.float64(10.0) ** (100 * t) * m / (np.sqrt(v) + 1e-8)
        path.append(x)
    return np.array(path)
"""


def broken_by(step: Callable[[Array, Array, Array, int], Array]) -> dict[str, str]:
    """Check an Adam with a step of its own, and give the laws that it breaks, each with what shows it."""

    def run(gradients: Array) -> Array:
        x = m = v = np.zeros(gradients.shape[1:])
        path = []
        for t, g in enumerate(gradients, 1):
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
            x = step(x, m / (1 - 0.9**t), v / (1 - 0.999**t), t)
            path.append(x)
        return np.array(path)

    verdict = mhat.check(run, against=mhat.rules.adam, seconds=1)
    return {law.name: str(law.counterexample) for law in verdict.broken}


def test_what_goes_to_infinity_and_back_is_searched_for() -> None:
    """Moves between infinities are no numbers: the views of an observation in ratio are made of them."""
    broken = broken_by(lambda x, m, v, t: np.where(t % 3 == 0, np.inf * (-1) ** t, x - 1e-3 * m / (np.sqrt(v) + 1e-8)))
    assert broken["zero gradient"] == "the gradients [0, 0, 0]: x = -inf at step 3 where 0 is expected"


def test_laws_are_asked_of_steps_that_overflow() -> None:
    """Laws of steps take differences between infinities."""
    broken = broken_by(lambda x, m, v, t: x - 1e307 * np.sign(m))
    assert broken["constant gradient"] == "the gradients [1]: step / lr = inf at step 1 where 1 is expected"


def test_a_division_by_zero_of_the_subject_is_no_warning_of_ours() -> None:
    broken = broken_by(lambda x, m, v, t: x - 1e-3 * m / np.sqrt(v))
    assert broken["zero gradient"] == "the gradients [0]: x = nan at step 1 where 0 is expected"


def test_a_check_on_the_command_line_with_warnings_as_errors(tmp_path: Path) -> None:
    """What explodes is told, and drawn, too."""
    (tmp_path / "subject.py").write_text(EXPLODING)
    main = "from mhat.terminal.cli import main; main()"
    asked = ["check", "subject.py:adam_that_explodes", "--seconds", "1", "--plot", "explodes.png"]
    command = [sys.executable, "-W", "error", "-c", main, *asked]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, "")
    shown = "the gradients [1]: x = -3.16e+100 at step 1 where -0.001 is expected"
    assert shown in " ".join(done.stdout.split())
    assert (tmp_path / "explodes.png").stat().st_size > 1000
