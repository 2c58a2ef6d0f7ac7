"""Implementations that misbehave at random: the answer is a verdict or an error of mhat, in time, and all is ended.

Half a minute in CI, hours by hand: `MHAT_FUZZ_EXAMPLES=3000 pytest tests/fuzz/test_subjects.py`. Each has a seed.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mhat
from mhat.checks.verdict import Verdict
from mhat.errors import MhatError
from mhat.names import find_subject
from mhat.subjects.processes import guest
from mhat.subjects.sandbox import Guard
from mhat.subjects.subject import Subject
from tests.subjects.processes.survivors import none_left

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is left is seen in /proc")

EXAMPLES = int(os.environ.get("MHAT_FUZZ_EXAMPLES", "24"))
WORD = f"MHAT_FUZZ_OF_SUBJECTS_{os.getpid()}"
LIMIT, PATIENCE = 0.3, 60.0
HEAD = "import os, signal, subprocess, sys, threading, time, warnings\nimport numpy as np\nseen = []\n"
# What a subject may do in a run, and go on.
DEEDS = [
    "pass", "print('x' * 100000)", "os.write(1, b'\\x00{}\\n')", "os.write(2, b'\\xff\\x1b[2J')", "sys.stdout = None",
    "sys.stderr.close()", "os.fork()", "subprocess.Popen(['sleep', '100'])",
    "subprocess.Popen(['sleep', '100'], start_new_session=True)",
    "threading.Thread(target=time.sleep, args=(100,)).start()", "os.chdir('/')", "os.environ.clear()",
    "signal.signal(signal.SIGALRM, signal.SIG_IGN)", "signal.signal(signal.SIGTERM, signal.SIG_IGN)",
    "signal.alarm(1)", "signal.setitimer(signal.ITIMER_REAL, 0.01)", "np.seterr(all='raise')",
    "warnings.simplefilter('error')", "sys.setrecursionlimit(150)", "os.closerange(0, 30)", "os.closerange(0, 300)",
    "seen.append(1)", "gradients[...] = 7", "sys.settrace(lambda *a: None)", "sys.modules.clear()",
    "import builtins; builtins.len = None", "np.asarray = None", "time.monotonic = lambda: 0.0",
    "json = __import__('json'); json.dumps = None", "os.getpid = lambda: 1", "os._exit = lambda code: None",
    "os.kill(os.getppid(), signal.SIGTERM)", "os.killpg(0, signal.SIGTERM)",
]  # fmt: skip
# How it may end.
ENDS = [
    "return right(gradients)", "return right(gradients)", "return right(gradients) * np.nan", "return None",
    "return right(gradients)[:-1]", "return 'abc'", "return {}", "return iter(gradients)", "return [[1], [2, 3]]",
    "return np.array([object()])", "return right(gradients) * 1j", "return right(gradients) * len(seen)",
    "return lambda: 1", "yield 1", "raise ValueError('\\x1b[31m' + 'x' * 1000)", "raise BaseException",
    "raise SystemExit(0)",
    "raise KeyboardInterrupt", "raise type('E', (Exception,), {'__str__': lambda self: 1 / 0})()", "os._exit(0)",
    "os._exit(1)", "sys.exit()", "os.abort()", "os.kill(os.getpid(), 9)", "return run(gradients)",
    "import ctypes; ctypes.string_at(0)", "raise type('E', (BaseException,), {})", "assert False",
    "while True: pass", "time.sleep(100)",
    "while True:\n        try:\n            while True: pass\n        except: pass",
    "while True:\n        try: time.sleep(0.001)\n        except: continue",
]  # fmt: skip
SAFE = [end for end in ENDS if "os." not in end and "ctypes" not in end and "Keyboard" not in end]
RIGHT = "def right(gradients):\n    return -np.cumsum(np.array(gradients, float), axis=0)\n"


def function(chance: random.Random, deeds: list[str], ends: list[str]) -> str:
    lines = [
        f"    if {chance.choice(['True', 'len(seen) > 1', 'len(gradients) > 8'])}: {chance.choice(deeds)}" for _ in "ab"
    ]
    late = f"    seen.append(0)\n    if len(seen) < {chance.choice([0, 0, 2, 4])}: return right(gradients)\n"
    return f"def run(gradients):\n{late}" + "\n".join(lines) + f"\n    {chance.choice(ends)}\n"


def klass(chance: random.Random, deeds: list[str], ends: list[str]) -> str:
    place = chance.choice(["__init__", "step"])
    body = {"__init__": "self.lr = 0.1", "step": "return x - 0.1 * g"}
    body[place] = f"gradients = np.ones(3)\n        {chance.choice(deeds)}\n        " + chance.choice(ends).replace(
        "\n", "\n    "
    )
    first = f"class run:\n    def __init__(self, lr=0.1):\n        {body['__init__']}\n"
    return first + f"    def step(self, x, g):\n        {body['step']}\n"


def loaded(chance: random.Random, deeds: list[str], ends: list[str]) -> str:
    deed = chance.choice(
        [*deeds, "raise SystemExit(0)", "os._exit(0)", "raise BaseException", "1 / 0", "while True: pass"]
    )
    return f"gradients = np.ones(3)\ndef run(gradients):\n    return right(gradients)\n{deed}\n"


def source(seed: int, deeds: list[str], ends: list[str]) -> str:
    chance = random.Random(seed)
    made: Callable[..., str] = chance.choice([function, function, klass, loaded])
    return HEAD + RIGHT + made(chance, deeds, ends)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(WORD, "1")
    monkeypatch.setattr(guest, "LATE", 0.3)
    monkeypatch.setattr(guest, "LOADING", 5.0)
    return tmp_path


def in_time(ask: Callable[[], Any]) -> Any:
    """Give an answer, or the error of mhat in its place; anything else fails, and so does waiting for too long."""
    began = time.monotonic()
    try:
        return ask()
    except MhatError as error:
        assert str(error).strip()
        assert str(error).replace("\n", "").isprintable()
        return error
    finally:
        assert time.monotonic() - began < PATIENCE


def driven(name: str) -> Any:
    subject: Subject = find_subject(name, limit=LIMIT)
    return [subject.run(gradients) for gradients in (np.ones(5), np.ones((20, 3)))]


# What has been found: each was a hang, a wrong exit code, a crash or something left running once.
FOUND = {
    "a copy that comes back": "os.fork()\n    return right(gradients)",
    "an alarm that is swallowed": "while True:\n        try: time.sleep(0.001)\n        except: continue",
    "a bomb": "while True:\n        if os.fork() == 0: time.sleep(100)",
    "a bomb in sessions": "while True:\n        if os.fork() == 0: os.setsid(); time.sleep(100)",
    "an exit": "os._exit(0)",
    "no descriptors": "os.closerange(0, 300)\n    return right(gradients)",
    "who holds the pipe": "if os.fork() == 0: os.setsid(); time.sleep(100)\n    return right(gradients)",
    "who kills the keeper": "subprocess.Popen(['sleep', '100'])\n    os.kill(os.getppid(), 9)\n    time.sleep(9)",
    "an array that raises": ("class A:\n        def __array__(self, *a, **k): raise BaseException\n    return A()"),
}


@pytest.mark.parametrize("text", FOUND.values(), ids=FOUND)
def test_what_was_found(text: str, here: Path) -> None:
    Path("mine.py").write_text(f"{HEAD}{RIGHT}def run(gradients):\n    {text}\n")
    in_time(lambda: driven("mine.py:run"))
    assert none_left(WORD)


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_a_subject_that_misbehaves(seed: int, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    Path("mine.py").write_text(source(seed, DEEDS, ENDS))
    answer = in_time(lambda: driven("mine.py:run"))
    if not isinstance(answer, MhatError):
        assert [(part.shape, part.dtype) for part in answer] == [((5,), np.float64), ((20, 3), np.float64)]
    assert none_left(WORD)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("seed", range(0, EXAMPLES, 8))
def test_a_check_of_one_that_misbehaves(seed: int, here: Path) -> None:
    Path("mine.py").write_text(source(seed + 10_000, DEEDS, ENDS))
    answer = in_time(lambda: mhat.check("mine.py:run", "sgd", seconds=0.1, timeout=LIMIT))
    assert isinstance(answer, Verdict | MhatError)
    assert none_left(WORD)


@pytest.mark.parametrize("seed", range(10 * EXAMPLES))
def test_a_thing_that_misbehaves_in_this_process(seed: int) -> None:
    from mhat.subjects import kinds

    space: dict[str, Any] = {}
    exec(compile(HEAD + RIGHT + function(random.Random(seed), ["pass", "seen.append(1)", "gradients[...] = 7"], SAFE),
                 "mine.py", "exec"), space)  # fmt: skip
    answer = in_time(lambda: kinds.subject_of(space["run"], "mine", None, {}, guard=Guard(0.05)).run(np.ones((20, 3))))
    assert isinstance(answer, MhatError) or answer.shape == (20, 3)
