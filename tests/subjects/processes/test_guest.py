"""Subjects that are named by text: right ones answer as they do here, wrong ones are told of, and nothing is left."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.errors import BadValue, InputFileError, MhatError, MissingExtra, SubjectError, SubjectHangs, UnknownName
from mhat.names import find_subject
from mhat.subjects.processes import guest
from mhat.subjects.processes.process import Allowance
from mhat.subjects.subject import Subject
from tests.subjects.processes.survivors import none_left

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="what is left is seen in /proc")

WORD = f"MHAT_TESTS_OF_GUESTS_{os.getpid()}"
RIGHT = """\
import numpy as np

def run(gradients, lr=0.1, x0=0.0):
    return x0 - lr * np.cumsum(gradients, axis=0)

def lists(gradients):
    return [-np.cumsum(g, axis=0) for g in gradients]
lists.tensors = 2

class Descent:
    def __init__(self, params, lr=0.1, nesterov=False):
        self.params, self.lr = params, lr
    def step(self, grads):
        for p, g in zip(self.params, grads):
            p -= self.lr * g

def beside(gradients):
    import helper
    return helper.moved(gradients)
"""
# A function a misbehaviour; each one answers rightly if it comes so far.
WRONG = """\
import os, signal, subprocess, sys, threading, time
import numpy as np

def right(gradients):
    return -np.cumsum(gradients, axis=0)

def exits(gradients): os._exit(0)
def exits_with_3(gradients): print("bye", file=sys.stderr); os._exit(3)
def leaves(gradients): sys.exit(0)
def base(gradients): raise BaseException("boo")
def interrupts(gradients): raise KeyboardInterrupt
def killed(gradients): os.kill(os.getpid(), signal.SIGKILL)
def crashes(gradients):
    import ctypes
    ctypes.string_at(0)
def unwritable(gradients):
    class Bad(Exception):
        def __str__(self): raise RuntimeError
    raise Bad
def evil(gradients):
    class Evil:
        def __array__(self, *a, **k): raise BaseException("in __array__")
    return Evil()
def of_mhat(gradients):
    import mhat
    mhat.step("sgd", 1.0, 1.0, 1, lrr=1.0)

def hangs(gradients):
    while True: pass
def swallows(gradients):
    while True:
        try:
            while True: pass
        except: pass
def deaf(gradients):
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    while True: pass
def sleeps(gradients): time.sleep(1000)

def closes(gradients): os.closerange(0, 100); return right(gradients)
def writes(gradients): os.write(1, b"garbage\\n{}"); return right(gradients)
def forges(gradients):
    for descriptor in range(3, 100):
        try: os.write(descriptor, b'{"parameters": true, "shapes": []}\\n')
        except OSError: pass
    return right(gradients)
def spoils(gradients):
    for descriptor in range(100, 300):
        try: os.write(descriptor, b'{"parameters": true, "shapes": []}')
        except OSError: pass
    return right(gradients)
def prints(gradients): print("x" * 10_000_000); return right(gradients)
def silences(gradients): sys.stdout = sys.stderr = None; return right(gradients)
def forks(gradients): os.fork(); return right(gradients)
def leaves_thread(gradients): threading.Thread(target=time.sleep, args=(1000,)).start(); return right(gradients)
def leaves_child(gradients): subprocess.Popen(["sleep", "1000"]); return right(gradients)
def leaves_orphan(gradients):
    subprocess.Popen(["sh", "-c", "setsid sleep 1000 & trap '' TERM; setsid sleep 1000 &"]); return right(gradients)
def holds_pipe(gradients):
    if os.fork() == 0:
        os.setsid()
        time.sleep(1000)
    return right(gradients)
def interrupts_parent(gradients): os.kill(os.getppid(), signal.SIGINT); return right(gradients)
def kills_parent(gradients):
    subprocess.Popen(["sleep", "1000"])
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1000)
def patches(gradients): np.cumsum = None; np.array_equal = lambda *a, **k: True; return -gradients
def clears(gradients): os.environ.clear(); os.chdir("/"); return right(gradients)
def registers(gradients):
    import atexit
    atexit.register(time.sleep, 1000)
    return right(gradients)
def bomb(gradients):
    while True:
        if os.fork() == 0: time.sleep(1000)
def grows(gradients):
    kept = []
    while True: kept.append(bytearray(10_000_000))
"""
ONES = np.ones((3, 2))


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(WORD, "1")
    Path("right.py").write_text(RIGHT)
    Path("wrong.py").write_text(WRONG)
    Path("helper.py").write_text("def moved(g):\n    return -g.cumsum(0)\n")
    return tmp_path


@pytest.mark.parametrize("name", ["run", "lists", "Descent", "beside"])
def test_it_is_what_it_is_here_and_answers_the_same(name: str, here: Path) -> None:
    apart = find_subject(f"right.py:{name}", against=rules.sgd)
    ours = find_subject(f"right.py:{name}", against=rules.sgd, in_process=True)
    described = ("name", "knobs", "several", "vectors", "starts", "dtype", "tensors", "defaults", "source")
    assert [getattr(apart, each) for each in described] == [getattr(ours, each) for each in described]
    gradients: Any = [ONES * np.pi, ONES[:, 0] * 1e-300] if ours.several else ONES * np.pi
    start = 0.25 if ours.starts else 0.0
    knobs = {"lr": 1 / 3} if "lr" in ours.knobs else {}
    for mine, theirs in zip(ours.run(gradients, start, knobs), apart.run(gradients, start, knobs), strict=True):
        assert np.array_equal(mine, theirs)


def test_numbers_that_are_not_finite_go_both_ways(here: Path) -> None:
    answered = find_subject("right.py:run").run(np.array([1.0, np.inf, np.nan, -0.0]), knobs={"lr": np.inf})
    assert answered[:2].tolist() == [-np.inf, -np.inf]
    assert np.isnan(answered[2:]).all()


def test_options_are_told_as_they_are(here: Path) -> None:
    Path("mine.py").write_text(
        "class Mine:\n    def __init__(self, params, kind=None):\n        assert kind == (1, 'a')\n"
        "        self.params = params\n"
        "    def step(self, grads):\n        for p, g in zip(self.params, grads): p -= g\n"
    )
    assert find_subject("mine.py:Mine", options={"kind": (1, "a")}).run(np.ones(2)).tolist() == [-1.0, -2.0]
    with pytest.raises(BadValue) as caught:
        find_subject("mine.py:Mine", options={"kind": np.ones(2)})
    assert str(caught.value) == (
        "the option `kind` is of type ndarray, which another process cannot be told\n"
        "Give the implementation itself instead of its name, or say in_process=True."
    )


DIES: dict[str, tuple[str, str, str]] = {
    "exits": ("ended with exit code 0 in the middle of a run", "", "Let it return instead."),
    "exits_with_3": ("ended with exit code 3 in the middle of a run", "bye", "Let it return instead."),
    "leaves": ("ended the program with exit(0)", "wrong.py, line 9: def leaves(gradients): sys.exit(0)",
               "Let it return instead."),
    "base": ("raised BaseException: boo", 'wrong.py, line 10: def base(gradients): raise BaseException("boo")',
             "Mend it, or check the shapes it is given."),
    "interrupts": ("raised KeyboardInterrupt", "wrong.py, line 11: def interrupts(gradients): raise KeyboardInterrupt",
                   "Mend it, or check the shapes it is given."),
    "killed": ("was ended by SIGKILL in the middle of a run", "", "Run it by itself: mhat did not end it."),
    "crashes": ("was ended by SIGSEGV in the middle of a run",
                "Fatal Python error: Segmentation fault\nwrong.py, line 15", "Run it by itself: mhat did not end it."),
    "unwritable": ("raised Bad: a Bad that cannot be shown", "wrong.py, line 19: raise Bad",
                   "Mend it, or check the shapes it is given."),
    "evil": ("raised BaseException: in __array__",
             'wrong.py, line 22: def __array__(self, *a, **k): raise BaseException("in __array__")',
             "Mend it, or check the shapes it is given."),
    "of_mhat": ("raised UnknownName: there is no knob of sgd `lrr` Did you mean `lr`?",
                'wrong.py, line 26: mhat.step("sgd", 1.0, 1.0, 1, lrr=1.0)',
                "Mend it, or check the shapes it is given."),
    "kills_parent": ("ended the process that watches over it in the middle of a run", "",
                     "Let it leave other processes alone."),
}  # fmt: skip


@pytest.mark.parametrize("name", DIES)
def test_how_it_ends_is_said_from_outside(name: str, here: Path) -> None:
    what, said, cure = DIES[name]
    with pytest.raises(SubjectError) as caught:
        find_subject(f"wrong.py:{name}")
    assert caught.value.what == f"`wrong.py:{name}` {what}"
    assert caught.value.said == said
    assert caught.value.cure == cure
    assert none_left(WORD)


@pytest.mark.parametrize("name", ["hangs", "swallows", "deaf", "sleeps"])
def test_what_does_not_end_is_ended(name: str, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest, "LATE", 0.3)
    with pytest.raises(SubjectHangs) as caught:
        find_subject(f"wrong.py:{name}", limit=0.3)
    assert caught.value.what == f"`wrong.py:{name}` did not end within 0.3 seconds"
    assert none_left(WORD)


@pytest.mark.parametrize(
    "name",
    ["closes", "writes", "forges", "spoils", "prints", "silences", "forks", "leaves_thread", "leaves_child",
     "leaves_orphan", "holds_pipe", "interrupts_parent", "clears", "registers"],
)  # fmt: skip
def test_what_it_does_besides_spoils_nothing(name: str, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    subject = find_subject(f"wrong.py:{name}")
    for _ in range(2):
        assert np.array_equal(subject.run(ONES), -np.cumsum(ONES, axis=0))
    del subject
    assert none_left(WORD)
    assert capfd.readouterr() == ("", "")


def test_what_it_changes_is_changed_in_its_process_alone(here: Path) -> None:
    assert find_subject("wrong.py:patches").run(ONES).tolist() == (-ONES).tolist()
    assert np.cumsum(ONES) is not None
    assert not np.array_equal([1.0], [2.0])


def test_many_processes_and_much_memory_are_too_much(here: Path) -> None:
    wanted = guest.Wanted("wrong.py:bomb", "wrong.py", "bomb")
    with pytest.raises(SubjectError) as bomb:
        guest.found_in_process(wanted, Allowance(processes=20))
    assert str(bomb.value) == (
        "`wrong.py:bomb` had more than 20 processes at once in the middle of a run\nLet it start fewer processes."
    )
    with pytest.raises(SubjectError) as grown:
        find_subject("wrong.py:grows", memory=0.3)
    assert str(grown.value) == (
        "`wrong.py:grows` used more than 0.3 GB of memory in the middle of a run\n"
        "Let it need less, or allow it more: memory=, in GB."
    )
    assert none_left(WORD)


def test_a_file_that_is_never_loaded_is_given_up(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("slow.py").write_text("def run(gradients):\n    return -gradients\nwhile True: pass\n")
    monkeypatch.setattr(guest, "LOADING", 1.0)
    with pytest.raises(SubjectHangs) as caught:
        find_subject("slow.py:run")
    assert str(caught.value) == (
        "`slow.py:run` was still being loaded after 1 seconds\n"
        'Let it only define things: what takes long stands under `if __name__ == "__main__":`.'
    )
    assert none_left(WORD)


LOADED: dict[str, tuple[str, type[MhatError], str]] = {
    "raises": ("a = 1 / 0\n", InputFileError,
               "mine.py cannot be loaded: ZeroDivisionError: division by zero (line 1)\nMend it first."),
    "raises base": ("a = 1\nraise BaseException('at import')\n", InputFileError,
                    "mine.py cannot be loaded: BaseException: at import (line 2)\nMend it first."),
    "exits": ("import sys\na = sys.exit(0)\n", InputFileError,
              "mine.py cannot be loaded: SystemExit: 0 (line 2)\nMend it first."),
    "dies": ("import os\na = os._exit(0)\n", SubjectError,
             "`mine.py:a` ended with exit code 0 while it was being loaded\nLet it return instead."),
    "lacks": ("from helper import *\n", UnknownName, "there is no name `a` in mine.py\nKnown: moved."),
    "extra": ("from mhat.errors import MissingExtra\nraise MissingExtra('torch', 'torch')\na = 1\n", MissingExtra,
              "torch is not installed\nInstall it with: pip install 'mhat[torch]'"),
}  # fmt: skip


@pytest.mark.parametrize("case", LOADED.values(), ids=LOADED)
def test_an_error_comes_across_as_it_would_be_here(case: tuple[str, type[MhatError], str], here: Path) -> None:
    text, kind, message = case
    Path("mine.py").write_text(text)
    with pytest.raises(kind) as caught:
        find_subject("mine.py:a")
    assert str(caught.value) == message
    if isinstance(caught.value, UnknownName):
        assert (caught.value.kind, caught.value.typed, caught.value.known) == ("name", "a", ["moved"])


def test_exit_codes_mean_what_they_say(here: Path) -> None:
    for name, code in (("wrong.py:exits", 2), ("wrong.py:base", 2), ("wrong.py:interrupts", 2), ("wrong.py:closes", 0)):
        typed = ["check", name, "--against", "sgd", "--json"]
        done = subprocess.run([sys.executable, "-m", "mhat", *typed], capture_output=True, text=True, check=False)
        assert done.returncode == code, done.stderr
        read = json.loads(done.stdout or done.stderr)
        assert read["subject" if code == 0 else "error"].startswith(name if code == 0 else f"`{name}` ")


def test_nothing_is_left_when_mhat_is_killed(here: Path) -> None:
    code = (
        "from mhat.names import find_subject; s = find_subject('wrong.py:leaves_orphan'); print(1, flush=True); input()"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as mhat:
        assert mhat.stdout is not None
        assert mhat.stdout.readline() == b"1\n"
        mhat.kill()
    assert none_left(WORD)


def test_it_is_begun_again_after_its_end(here: Path) -> None:
    text = "import os\ndef run(gradients):\n    if len(gradients) == 5: os._exit(1)\n    return -gradients\n"
    Path("mine.py").write_text(text)
    subject = find_subject("mine.py:run")
    with pytest.raises(SubjectError, match="ended with exit code 1 in the middle of a run"):
        subject.run(np.ones(5))
    assert subject.run(np.ones(4)).tolist() == [-1.0] * 4


def test_what_is_raised_in_one_run_ends_nothing(here: Path) -> None:
    Path("mine.py").write_text("def run(gradients):\n    assert len(gradients) != 5\n    return -gradients\n")
    subject: Subject = find_subject("mine.py:run")
    with pytest.raises(SubjectError, match="raised AssertionError"):
        subject.run(np.ones(5))
    assert subject.run(np.ones(4)).tolist() == [-1.0] * 4
