"""Plain scripts as subjects: the asker's own, and others in the ways in which people write them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mhat import rules
from mhat.errors import BadValue, InputFileError, SubjectError, SubjectHangs
from mhat.language import rule
from mhat.names import find_subject
from mhat.subjects.rules import subject_of_rule
from mhat.subjects.subject import Subject

ASKER = """\
import numpy as np
import matplotlib.pyplot as plt

beta1 = 0.9
beta2 = 0.999
eps = 1e-8
T = 100
g_list = [10 for _ in range(T)]

m = 0
v = 0
m_list, v_list, mv = [], [], []
for t in range(1, T + 1):
    g = g_list[t - 1]
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m = m / (1 - beta1**t)
    v = v / (1 - beta2**t)
    m_list.append(m)
    v_list.append(v)
    mv.append(m / (np.sqrt(v) + eps))
print("last", mv[-1])

fig, ax = plt.subplots(2, 1, figsize=(8, 6))
ax[0].plot(range(T), m_list, label="m")
ax[0].plot(range(T), v_list, label="v")
ax[1].plot(mv)
ax[0].legend()
plt.tight_layout()
plt.savefig("figure.png")
plt.show()
"""
CLASSIC = rule("""
def classic(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m = m / (1 - beta1**t)
    v = v / (1 - beta2**t)
    ratio = m / (sqrt(v) + eps)
    return x - lr * ratio
""")
MOMENTS = "m = 0.9 * m + 0.1 * g; v = 0.999 * v + 0.001 * g**2"
RATIO = "(m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)"
STEP = f"    {MOMENTS}\n    mv.append({RATIO})\n"
HEAD = "import numpy as np\nm = v = 0\nmv = []\n"

# Script, what is fed, what is read.
SCRIPTS: dict[str, tuple[str, str, str]] = {
    "a loop over the list": (f"{HEAD}gs = [1.0] * 50\nfor t, g in enumerate(gs, 1):\n{STEP}", "gs", "mv"),
    "the gradient of that loop": (f"{HEAD}gs = [1.0] * 50\nfor t, g in enumerate(gs, 1):\n{STEP}", "g", "mv"),
    "a list that grows": (
        f"{HEAD}gs = []\nfor i in range(50):\n    gs.append(np.sin(i))\nfor t, g in enumerate(gs, 1):\n{STEP}",
        "gs", "mv",
    ),
    "an array": (f"{HEAD}gs = np.linspace(1, 5, 50)\nfor t, g in enumerate(gs, 1):\n{STEP}", "gs", "mv"),
    "an array of columns": (f"{HEAD}gs = np.ones((50, 1))\nfor t, g in enumerate(gs, 1):\n{STEP}", "gs", "mv"),
    "the rows of that array": (f"{HEAD}gs = np.ones((50, 1))\nfor t, g in enumerate(gs, 1):\n{STEP}", "g", "mv"),
    "a tuple": (f"{HEAD}gs = tuple([1.0] * 50)\nfor t, g in enumerate(gs, 1):\n{STEP}", "gs", "mv"),
    "an iterator": (f"{HEAD}gs = iter([1.0] * 50)\nt = 0\nfor g in gs:\n    t += 1\n{STEP}", "gs", "mv"),
    "a number outside of the loop": (f"{HEAD}g = 10\nfor t in range(1, 101):\n{STEP}", "g", "mv"),
    "a number from the landscape": (
        f"{HEAD}x = 5.0\nfor t in range(1, 101):\n    g = 2 * x\n{STEP}    x = x - 0.1 * mv[-1]\n", "g", "mv",
    ),
    "a loop over numbers written out": (f"{HEAD}t = 0\nfor g in [1.0, 2.0, 3.0]:\n    t += 1\n{STEP}", "g", "mv"),
    "those numbers counted": (f"{HEAD}for t, g in enumerate([1.0, 2.0, 3.0], 1):\n{STEP}", "g", "mv"),
    "those beside others": (f"{HEAD}for g, t in zip((1.0, 2.0, 3.0), range(1, 4)):\n{STEP}", "g", "mv"),
    "a list with a name": (f"{HEAD}gs = [1.0, 2.0, 3.0]\nfor t, g in enumerate(gs, 1):\n{STEP}", "g", "mv"),
    "a while loop": (f"{HEAD}g = 10\nt = 0\nn = 60\nwhile t < n:\n    t += 1\n{STEP}", "g", "mv"),
    "an array to write to": (
        f"{HEAD}n = 60\nmv = np.zeros(n)\nfor t in range(1, n + 1):\n    g = 1.0\n    {MOMENTS}\n"
        f"    mv[t - 1] = {RATIO}\n",
        "g", "mv",
    ),
    "a number to read": (f"{HEAD}for t in range(1, 61):\n    g = 1.0\n    {MOMENTS}\n    r = {RATIO}\n", "g", "r"),
    "behind the guard of main": (
        f"{HEAD}if __name__ == '__main__':\n    gs = [1.0] * 50\n    for t, g in enumerate(gs, 1):\n    "
        + STEP.replace("\n    ", "\n        "), "gs", "mv",
    ),
    "with the start in front": (
        f"{HEAD}mv = [0.0]\ngs = [1.0] * 50\nfor t, g in enumerate(gs, 1):\n{STEP}", "gs", "mv",
    ),
    "a plot that must be real": (
        f"{HEAD}import matplotlib.pyplot as plt\nn, bins, patches = plt.hist([1, 2])\ngs = [1.0] * 50\n"
        f"for t, g in enumerate(gs, 1):\n{STEP}", "gs", "mv",
    ),
    "an exit at the end": (
        f"{HEAD}gs = [1.0] * 50\nfor t, g in enumerate(gs, 1):\n{STEP}raise SystemExit(0)\n", "gs", "mv",
    ),
}  # fmt: skip


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def driven(path: str, feed: str, read: str, **more: Any) -> Subject:
    return find_subject(path, feed=feed, read=read, **more)


def stream(steps: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return np.random.default_rng(steps).normal(size=(steps, 2))


def test_the_askers_script_is_driven_as_it_is(here: Path) -> None:
    Path("script.py").write_text(ASKER)
    subject = driven("script.py", "g_list", "mv", against=rules.adam)
    assert subject.name == "script.py"
    assert subject.defaults == {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
    assert subject.knobs == subject.defaults.keys()
    assert (subject.vectors, subject.several, subject.starts) == (False, False, False)
    reference = subject_of_rule(CLASSIC, observe="ratio")
    for steps in (7, 100, 130):  # fewer, as many, and more than its own T
        assert np.array_equal(subject.run(stream(steps)), reference.run(stream(steps)), equal_nan=True)
    knobs = {"beta1": 0.5, "eps": 0.1}
    assert np.array_equal(subject.run(stream(20), knobs=knobs), reference.run(stream(20), knobs=knobs))
    constant = subject.run(np.full(100, 10.0))
    assert f"{constant[-1]:.8e}" == "3.40488818e-70"
    assert [path.name for path in here.iterdir()] == ["script.py"]


def test_the_source_is_the_script(here: Path) -> None:
    Path("script.py").write_text(ASKER)
    source = driven("script.py", "g_list", "mv").source
    assert source is not None
    assert (source.file, source.first_line, source.whole) == ("script.py", 1, ASKER)


@pytest.mark.parametrize("case", SCRIPTS.values(), ids=SCRIPTS)
def test_the_ways_to_write_a_script(case: tuple[str, str, str], here: Path) -> None:
    text, feed, read = case
    Path("script.py").write_text(text)
    subject = driven("script.py", feed, read)
    reference = subject_of_rule(rules.adam, observe="ratio")
    for steps in (5, 60, 130):
        assert np.allclose(subject.run(stream(steps)), reference.run(stream(steps)), rtol=0, atol=1e-12)


LIST = "gs = [1.0] * 10\nout = []\nwords = 'text'\nfixed = [1.0] * 10\nfew = [1, 2]\n"
LOOP = "for g in gs:\n    out.append(-g)\n"
FAILURES: dict[str, tuple[str, str, str, str, str]] = {
    "raises": (LIST + "for g in gs:\n    out.append(g / len(none))\n", "gs", "out",
               "raised NameError: name 'none' is not defined", "script.py, line 7: out.append(g / len(none))"),
    "exits": (LIST + "import sys\nsys.exit('enough')\n", "gs", "out", "ended with exit('enough')",
              "script.py, line 7: sys.exit('enough')"),
    "dies": (LIST + "import os, sys\nprint('bye', file=sys.stderr, flush=True)\nos._exit(4)\n", "gs", "out",
             "ended with exit code 4 in the middle of a run", "bye"),
    "nothing to feed": (LIST + LOOP, "g_list", "out", "has no `g_list` that could be fed", ""),
    "nothing to read": (LIST + LOOP, "gs", "x_list", "has no `x_list` at its end", ""),
    "reads text": (LIST + LOOP, "gs", "words", "has a str in `words`", ""),
    "reads too few": (LIST + LOOP, "gs", "few", "makes 10 steps, and `few` holds 2 values at the end", ""),
    "reads something else": (LIST + LOOP, "gs", "fixed",
                             "does not use what `gs` is fed: `fixed` is always the same", ""),
    "random": (LIST + "import random\nfor g in gs:\n    out.append(g * random.random())\n", "gs", "out",
               "gave other numbers when it was run again", ""),
    "asks for input": (LIST + "name = input()\n", "gs", "out", "raised EOFError: EOF when reading a line",
                       "script.py, line 6: name = input()"),
}  # fmt: skip


@pytest.mark.parametrize("case", FAILURES.values(), ids=FAILURES)
def test_what_goes_wrong_is_said(case: tuple[str, str, str, str, str], here: Path) -> None:
    text, feed, read, what, said = case
    Path("script.py").write_text(text)
    with pytest.raises(SubjectError) as caught:
        driven("script.py", feed, read)
    assert caught.value.what == f"`script.py` {what}"
    assert caught.value.said == said
    assert caught.value.cure


@pytest.mark.parametrize("body", ["out.append(-gs[i])", "g = 1.0\n    out.append(-g)"])
def test_a_count_of_its_own_is_followed_however_it_is_written(body: str, here: Path) -> None:
    Path("script.py").write_text(LIST + f"for i in range(sum([4, 6])):\n    {body}\n")
    subject = driven("script.py", "g" if "g =" in body else "gs", "out")
    assert subject.run(np.arange(3.0)).tolist() == [0.0, -1.0, -2.0]
    assert subject.run(np.arange(15.0)).tolist() == (-np.arange(15.0)).tolist()


def test_a_count_of_its_own_that_cannot_be_followed(here: Path) -> None:
    Path("script.py").write_text(
        LIST + "few = [0.5 for _ in 'abcdefghij']\nfor i in range(10):\n    out.append(few[i] * gs[i])\n"
    )
    subject = driven("script.py", "gs", "out")
    assert subject.run(np.ones(3)).tolist() == [0.5] * 3
    with pytest.raises(SubjectError) as caught:
        subject.run(np.ones(11))
    assert caught.value.what == "`script.py` raised IndexError: list index out of range"


RUNS = """\
def descent(x, steps):
    for t in range(steps):
        g = 2 * x
        x = x - 0.1 * g
    return x

for run in range(9):
    descent(3.0, 5)
"""


def test_a_loop_that_begins_anew_makes_no_further_steps(here: Path) -> None:
    """Nine runs of five steps were taken for forty-five steps, which start again in between."""
    Path("script.py").write_text(RUNS)
    subject = driven("script.py", "g", "x")
    assert np.allclose(subject.run(np.ones(12)), 3.0 - 0.1 * np.arange(1, 13))


FIXED = "import numpy as np\nn = 10\ngs = [1.0] * n\nfixed = np.zeros(10)\nout = []\n"
BY_ITSELF = (
    "By itself it runs, and it was given 8 gradients in `gs` here: let everything that counts its steps go by len(gs)."
)
CURES: dict[str, tuple[str, str]] = {
    "that asks": (FIXED + "assert gs == [1.0] * 10\nfor g in gs:\n    out.append(-g)\n", BY_ITSELF),
    "broken": (FIXED + "1 / 0\n" + LOOP, "Mend it, and run it by itself first."),
}


@pytest.mark.parametrize("case", CURES.values(), ids=CURES)
def test_the_cure_depends_on_whether_it_runs_by_itself(case: tuple[str, str], here: Path) -> None:
    text, cure = case
    Path("script.py").write_text(text)
    with pytest.raises(SubjectError) as caught:
        driven("script.py", "gs", "out")
    assert caught.value.cure == cure


ENDS: dict[str, tuple[str, str]] = {
    "exits at once": ("import os\nos._exit(0)\n", "ended with exit code 0 in the middle of a run"),
    "raises base": ("raise BaseException('b')\n", "raised BaseException: b"),
    "interrupts itself": ("raise KeyboardInterrupt\n", "raised KeyboardInterrupt"),
    "null bytes": ("x = '\0'\n", "is not Python: source code string cannot contain null bytes"),
    "deep": ("x = " + "(" * 250 + "1" + ")" * 250 + "\n", "is not Python: too many nested parentheses (line 6)"),
}


@pytest.mark.parametrize("case", ENDS.values(), ids=ENDS)
def test_how_a_script_ends_is_said(case: tuple[str, str], here: Path) -> None:
    text, what = case
    Path("script.py").write_text(LIST + text)
    with pytest.raises((SubjectError, InputFileError)) as caught:
        driven("script.py", "gs", "out")
    assert caught.value.what == f"`script.py` {what}"


def test_what_a_script_writes_forks_and_leaves_spoils_nothing(here: Path) -> None:
    Path("script.py").write_text(
        f"import os, subprocess, threading, time\n{LIST}{LOOP}"
        "os.write(1, b'garbage')\nos.fork()\nsubprocess.Popen(['sleep', '60'], start_new_session=True)\n"
        "threading.Thread(target=time.sleep, args=(60,)).start()\n"
    )
    assert driven("script.py", "gs", "out").run(np.ones(3)).tolist() == [-1.0, -1.0, -1.0]


@pytest.mark.parametrize("in_process", [False, True])
def test_a_script_runs_here_when_it_is_debugged(in_process: bool, here: Path) -> None:
    Path("beside.py").write_text("def moved(g):\n    return -g\n")
    Path("script.py").write_text("import matplotlib.pyplot as plt\nfrom beside import moved\n" + LIST
                                 + LOOP.replace("-g", "moved(g)") + "plt.plot(out)\n")  # fmt: skip
    main, arguments = sys.modules["__main__"], list(sys.argv)
    subject = driven("script.py", "gs", "out", in_process=in_process)
    assert subject.run(np.ones(3)).tolist() == [-1.0, -1.0, -1.0]
    assert (sys.modules["__main__"], sys.argv) == (main, arguments)
    assert "beside" not in sys.modules


def test_a_script_that_does_not_end_is_stopped(here: Path) -> None:
    Path("script.py").write_text(LIST + "while True:\n    pass\n")
    with pytest.raises(SubjectHangs, match=r"`script.py` did not end within 1.5 seconds"):
        driven("script.py", "gs", "out", limit=1.5)


def test_a_module_beside_the_script_is_found_and_prints_stay_apart(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    Path("beside.py").write_text("def moved(g):\n    return -g\n")
    Path("script.py").write_text("from beside import moved\n" + LIST + LOOP.replace("-g", "moved(g)") + "print(out)\n")
    assert driven("script.py", "gs", "out").run(np.ones(3)).tolist() == [-1.0, -1.0, -1.0]
    assert capfd.readouterr() == ("", "")


def test_what_is_no_script(here: Path) -> None:
    Path("broken.py").write_text("for g in\n")
    with pytest.raises(InputFileError, match=r"`broken.py` is not Python: invalid syntax \(line 1\)"):
        driven("broken.py", "g", "x")
    with pytest.raises(InputFileError, match=r"the script `none.py` cannot be read: No such file or directory"):
        driven("none.py", "g", "x")
    with pytest.raises(BadValue, match="--feed g list is no name"):
        driven("broken.py", "g list", "x")
