"""From a diagnosis to a change of the user's file: each kind of change, by the lines of its diff."""

from __future__ import annotations

from pathlib import Path

import pytest

import mhat
from mhat.checks.findings import Diagnosis, Fix
from mhat.checks.verdict import Verdict
from mhat.inquiry import Manner, Party
from mhat.mending import mend
from mhat.mending.courses import in_slots
from mhat.mistakes.slots import Edit, slots_of

CLASS = """\
import numpy as np

class Adam:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps = lr, beta1, beta2, eps
        self.state, self.n = None, 0

    def step(self, w, dw):
        if self.state is None:
            self.state = {"m": np.zeros_like(w), "v": np.zeros_like(w)}  # both
        s = self.state
        self.n += 1
        s["m"] = self.b1 * s["m"] + (1 - self.b1) * dw
        s["v"] *= self.b2
        s["v"] += (1 - self.b2) * dw * dw
        up = s["m"] / (1 - self.b1**self.n)
        down = np.sqrt(s["v"] / (1 - self.b2**self.n)) + self.eps
        return w - self.lr * up / down
"""
RUN = """\
def adam(gradients, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
    x = m = v = 0.0
    path = []
    for i, g in enumerate(gradients):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        a = m / (1 - beta1**(i + 1))
        b = v / (1 - beta2**(i + 1))
        x -= lr * a / (b**0.5 + eps)
        path.append(x + 0)
    return path
"""
M, V = "m = beta1 * m + (1 - beta1) * g\n", "v = beta2 * v + (1 - beta2) * g**2\n"
M_HAT, V_HAT = "m_hat = m / (1 - beta1**t)\n", "v_hat = v / (1 - beta2**t)\n"
# The text, what is wrong in it, what the rule does then, and the lines of the diff.
CASES: dict[str, tuple[str, str, str, list[tuple[str, str]], list[str]]] = {
    "a part of an expression": (CLASS, "dw * dw", "dw", [("* g**2", "* g")],
        ['-        s["v"] += (1 - self.b2) * dw', '+        s["v"] += (1 - self.b2) * dw**2']),
    "another name": (CLASS, "(1 - self.b1) * dw", "(1 - self.b2) * dw", [("(1 - beta1) * g", "(1 - beta2) * g")],
        ['-        s["m"] = self.b1 * s["m"] + (1 - self.b2) * dw',
         '+        s["m"] = self.b1 * s["m"] + (1 - self.b1) * dw']),
    "a line that lacks": (CLASS, '        s["v"] *= self.b2\n', "", [("beta2 * v +", "v +")],
        ['-        s["v"] += (1 - self.b2) * dw * dw',
         '+        s["v"] = self.b2 * s["v"] + (1 - self.b2) * dw**2']),
    "a line too many": (CLASS, '        s["m"] = ', '        dw = 2 * dw\n        s["m"] = ',
        [(M, "g = 2 * g\n    " + M)],
        ["-        dw = 2 * dw"]),
    "another power": (CLASS, "self.b1**self.n)", "self.b1)", [("1 - beta1**t", "1 - beta1")],
        ['-        up = s["m"] / (1 - self.b1)', '+        up = s["m"] / (1 - self.b1**self.n)']),
    "a start": (CLASS, '"v": np.zeros_like(w)', '"v": np.ones_like(w)', [("v=0", "v=1")],
        ['-            self.state = {"m": np.zeros_like(w), "v": np.ones_like(w)}  # both',
         '+            self.state = {"m": np.zeros_like(w), "v": np.zeros_like(w)}  # both']),
    "stored back": (CLASS, 'up = s["m"] / (1', 's["m"] = up = s["m"] / (1', [(M_HAT, M_HAT + "    m = m_hat\n")],
        ['-        s["m"] = up = s["m"] / (1 - self.b1**self.n)',
         '+        up = s["m"] / (1 - self.b1**self.n)']),
    "inlined": (RUN, "b = v / (1 - beta2**(i + 1))", "b = v", [(V_HAT, "v_hat = v\n")],
        ["-        b = v", "+        b = v / (1 - beta2**(i + 1))"]),
    "a sign in place": (RUN, "x -= lr", "x += lr", [("x - lr", "x + lr")],
        ["-        x += lr * a / (b**0.5 + eps)", "+        x -= lr * a / (b**0.5 + eps)"]),
    "eps under the root": (RUN, "(b**0.5 + eps)", "(b + eps)**0.5", [("sqrt(v_hat) + eps", "sqrt(v_hat + eps)")],
        ["-        x -= lr * a / (b + eps)**0.5", "+        x -= lr * a / (b**0.5 + eps)"]),
    "two at once": (RUN, "(1 - beta1) * g\n        v = beta2 * v + (1 - beta2) * g**2",
        "g\n        v = beta2 * v + (1 - beta2) * g", [("(1 - beta1) * g\n", "g\n"), ("* g**2", "* g")],
        ["-        m = beta1 * m + g", "-        v = beta2 * v + (1 - beta2) * g",
         "+        m = beta1 * m + (1 - beta1) * g", "+        v = beta2 * v + (1 - beta2) * g**2"]),
}  # fmt: skip


def diagnosis(changes: list[tuple[str, str]]) -> Diagnosis:
    """Make the diagnosis that a check would make: Adam with these pieces of its text exchanged, an edit each."""
    adam = mhat.rules.adam
    text, edits, usual = str(adam), [], slots_of(adam.tree)
    for right, wrong in changes:
        slots = in_slots(adam.tree, mhat.rule(str(adam).replace(right, wrong)).tree)
        changed = tuple((slot, content) for slot, content in slots.items() if usual.get(slot) != content)
        edits.append(Edit(f"`{wrong}` stands where `{right}` should", changed, "test"))
        text = text.replace(right, wrong)
    return Diagnosis("adam", mhat.rule(text), tuple(edits), {}, "")


def fixed(path: Path, name: str, changes: list[tuple[str, str]], *, write: bool = False) -> Fix:
    verdict = Verdict(name, "adam", "", False, diagnosis=diagnosis(changes), reference=mhat.rules.adam)
    found = mend(verdict, Party(f"{path}:{name}"), Manner("check", seconds=20.0), {}, None, write=write).fix
    assert found is not None
    return found


def lines_of(diff: str) -> list[str]:
    return [line for line in diff.splitlines()[2:] if line[0] in "+-"]


@pytest.mark.parametrize("kind", CASES)
def test_each_kind_of_change_is_found(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    right, piece, wrong, changes, expected = CASES[kind]
    monkeypatch.chdir(tmp_path)
    assert right.count(piece) == 1
    path = Path("mine.py")
    path.write_text(right.replace(piece, wrong))
    found = fixed(path, "adam" if right is RUN else "Adam", changes)
    assert lines_of(found.diff) == expected, found.reason
    assert found.diff.startswith("--- a/mine.py\n+++ b/mine.py\n@@ ")
    assert path.read_text() == right.replace(piece, wrong)
    assert found.after != found.before == path.read_bytes()


def test_a_rule_in_a_file_is_mended_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    path.write_text(
        f"from mhat import rule\nfrom mhat.ops import sqrt\n\n\n@rule\n{mhat.rules.adam}".replace("g**2", "g")
    )
    found = fixed(path, "adam", [("* g**2", "* g")])
    assert lines_of(found.diff) == ["-    v = beta2 * v + (1 - beta2) * g", "+    v = beta2 * v + (1 - beta2) * g**2"]


def test_what_stands_beside_the_file_is_there_when_it_is_tried(tmp_path: Path) -> None:
    package = tmp_path / "optim" / "own"
    package.mkdir(parents=True)
    (tmp_path / "optim" / "__init__.py").touch()
    (package / "__init__.py").touch()
    (tmp_path / "optim" / "numbers.py").write_text("SQUARE = 2\n")
    text = CLASS.replace("import numpy as np\n", "import numpy as np\nfrom ..numbers import SQUARE\n")
    (package / "mine.py").write_text(text.replace("dw * dw", "dw**(SQUARE - 1)"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.py")}
    found = fixed(package / "mine.py", "Adam", [("* g**2", "* g")])
    assert len(lines_of(found.diff)) == 2 and "(1 - self.b2)" in lines_of(found.diff)[1]
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.py")} == before


def test_tabs_and_line_ends_stay_when_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    right = RUN.replace("    ", "\t").replace("\n", "\r\n").encode() + b"# \xc3\xbc"
    Path("mine.py").write_bytes(right.replace(b"g**2", b"g"))
    found = fixed(Path("mine.py"), "adam", [("* g**2", "* g")], write=True)
    assert found.kept == "mine.py.orig"
    assert Path("mine.py.orig").read_bytes() == right.replace(b"g**2", b"g")
    assert Path("mine.py").read_bytes() == right


def test_where_there_is_none_it_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(CLASS)
    verdict = Verdict("Adam", "adam", "", False, reference=mhat.rules.adam)
    manner = Manner("check", seconds=1.0)

    def reason(party: Party, verdict: Verdict = verdict) -> str:
        found = mend(verdict, party, manner, {}, None).fix
        assert found is not None and not found.found
        return found.reason

    assert reason(Party("mine.py:Adam")) == (
        "no change of mine.py is offered: no mistake is named, so that no change can be derived from it"
    )
    assert reason(Party(command="./a")) == (
        "no change is offered: a command is run from outside, and its file is not known"
    )
    assert reason(Party(recorded="run.csv")) == "no change is offered: a record is of a run, and holds no code"
    assert reason(Party("numpy:add")).startswith("no change is offered: ")
    assert reason(Party("xarray.core.dataset:Dataset")).endswith("is not yours: it is installed")
    assert reason(Party(lambda gradients: gradients)) == (
        "no change is offered: the thing itself was given, and no name finds it in a file"
    )
    named = Verdict(
        "Adam", "adam", "", False, diagnosis=diagnosis([("* g**2", "* g")]), reference=mhat.rules.adam
    )  # fmt: skip
    # The file is right: nothing in it does what the diagnosis says.
    assert reason(Party("mine.py:Adam"), named).startswith("no change of mine.py was found that makes it conform")
    assert mend(Verdict("Adam", "adam", "", True), Party("mine.py:Adam"), manner, {}, None).fix is None
