"""A file that does not run to its end here is loaded as far as it goes, for one thing in it; that is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import mhat
from mhat.errors import InputFileError, SubjectError
from mhat.names import find_subject
from mhat.subjects import modules

SGD = "def sgd(w, dw, lr=0.01):\n    return w - lr * dw\n"
NUMPY = (
    "def adagrad(w, dw, g2, lr=0.01):\n    g2 = g2 + np.square(dw)\n"
    "    return w - lr * dw / (np.sqrt(g2) + 1e-10), g2\n"
)
BASE = (
    "class Sgd(Optimizer):\n    def __init__(self, learning_rate=0.01):\n        super().__init__(learning_rate)\n"
    "    def update(self, w, dw):\n        return w - self.learning_rate * dw\n"
)
GRADIENT = (
    "@flattens\ndef sgd(grad, x, num_iters=100, step_size=0.1):\n    x, back = flatten(x)\n"
    "    for i in range(num_iters):\n        x = x - step_size * flatten(grad(back(x), i))[0]\n    return back(x)\n"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def notes(text: str, name: str, rule: str = "sgd", in_process: bool = True) -> tuple[str, ...]:
    Path("mine.py").write_text(text)
    verdict = mhat.check(f"mine.py:{name}", rule, in_process=in_process, seconds=1)
    assert verdict.conforms
    return tuple(note for note in verdict.notes if "driven" not in note)


@pytest.mark.parametrize("in_process", [True, False])
def test_what_is_imported_and_not_needed_is_no_hindrance(here: Path, in_process: bool) -> None:
    text = f"from a_library_not_here import Tensor, jit\nimport b_library.c as c\n@jit\n{SGD}"
    names = "`a_library_not_here.Tensor`, `a_library_not_here.jit`, `b_library.c`"
    wanted = f"{names} cannot be imported here, and were not needed"
    assert notes(text, "sgd", in_process=in_process) == (wanted,)


def test_what_is_needed_is_named(here: Path) -> None:
    Path("mine.py").write_text(
        "import not_here_either\ndef sgd(w, dw, lr=0.1):\n    return not_here_either.minus(w, lr * dw)\n"
    )
    with pytest.raises(SubjectError, match=r"`not_here_either\.minus` is needed, and is not here"):
        mhat.check("mine.py:sgd", "sgd", in_process=True)


def test_a_script_below_that_fails_is_left_out_and_said(here: Path) -> None:
    text = f"import math\n{SGD}DATA = open('data.csv').read()\nprint(sgd(1.0, DATA))\n"
    assert notes(text, "sgd") == (
        "line 4 of its file raised FileNotFoundError: [Errno 2] No such file or directory: 'data.csv', "
        "and was left out",
        "line 5 of its file raised NameError: name 'DATA' is not defined, and was left out",
    )


def test_a_copy_of_numpy_is_numpy(here: Path) -> None:
    assert notes(f"import cupy as np\n{NUMPY}", "adagrad", "adagrad") == ("NumPy stands for `cupy`",)


def test_a_base_class_that_is_missing_keeps_what_it_is_told(here: Path) -> None:
    assert notes(f"from .base import Optimizer\n{BASE}", "Sgd") == (
        "`.base.Optimizer` cannot be imported here, and was not needed",
    )


def test_what_flattens_is_stood_for(here: Path) -> None:
    head = "from autograd.misc import flatten\ndef flattens(optimize):\n    return optimize\n"
    said = "something that does the same for arrays stands for `autograd.misc.flatten`"
    assert notes(head + GRADIENT, "sgd") == (said,)


def test_what_draws_may_be_called(here: Path) -> None:
    text = "import seaborn\nfrom tqdm_not_here import tqdm\nseaborn.set_theme(style='ticks')\n" + SGD
    assert notes(text, "sgd")[0].startswith("`seaborn`, `tqdm_not_here.tqdm` cannot be imported here")


def test_a_file_without_the_thing_is_refused_as_before(here: Path) -> None:
    Path("mine.py").write_text("1 / 0\n")
    with pytest.raises(
        InputFileError, match=r"mine.py cannot be loaded: ZeroDivisionError: division by zero \(line 1\)"
    ):
        modules.load_around("mine.py", "sgd")
    Path("mine.py").write_text("def sgd(:\n")
    with pytest.raises(InputFileError, match="SyntaxError"):
        modules.load_around("mine.py", "sgd")


def test_python_2_is_called_so(here: Path) -> None:
    Path("mine.py").write_text("def sgd(w, dw, lr=0.1):\n    print 'step'\n    return w - lr * dw\n")
    with pytest.raises(InputFileError, match=r"\(line 2\)\nThat is Python 2. Turn it into Python 3 first."):
        find_subject("mine.py:sgd")
    Path("mine.py").write_text(
        "class Sgd:\n    def update(self, params, grads):\n        for key, dw in grads.iteritems():\n"
        "            params[key] -= 0.1 * dw\n"
    )
    with pytest.raises(SubjectError, match="no attribute 'iteritems'"):
        find_subject("mine.py:Sgd", in_process=True)
    Path("mine.py").write_text("def sgd(gradients):\n    for i in xrange(3):\n        pass\n    return gradients\n")
    with pytest.raises(SubjectError, match=r"name 'xrange' is not defined(.|\n)*That is Python 2\. Mend it\."):
        find_subject("mine.py:sgd", in_process=True)


def test_a_package_that_is_not_whole(here: Path) -> None:
    Path("lab").mkdir()
    Path("lab", "__init__.py").write_text("from .missing import everything\n")
    Path("lab", "mine.py").write_text(f"from .elsewhere import Layer\n{SGD}")
    subject = find_subject("lab/mine.py:sgd", in_process=True)
    assert subject.run(np.ones(2)).tolist() == pytest.approx([-0.01, -0.02])
    assert subject.notes[-1].endswith("cannot be imported here, and was not needed")
