"""The core alone, installed from the wheel into an empty environment, runs the README; what needs an extra names it.

The environment of the other tests has every extra, and hides what a user lacks.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
COMMANDS = [
    line
    for block in re.findall(r"```(?:console|sh)\n(.*?)```", README, re.S)
    for line in block.splitlines()
    if line.startswith("mhat ")
]
INSTALL = re.compile(r"pip install 'mhat\[(\w+)\]'")
# Lines of the README that do not end well in a core install, and the extra that each must name.
NEEDS = {
    "mhat trace adam --landscape rosenbrock --steps 20000 --dtype float32 --save long.zarr": "scale",
    "mhat check torch.optim:AdamW -k fused=true": "torch",
    "mhat compare torch.optim:Adam keras.optimizers:Adam": "torch",
    "mhat read torch.optim:RAdam --as latex": "torch",
}
# The user's own files that the README speaks of.
MINE = """\
import numpy as np


def my_adam(gradients, lr=0.1, weight_decay=0.0):
    x, m, v, xs = 0.0, 0.0, 0.0, []
    for t, g in enumerate(gradients, 1):
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g**2
        x = x - lr * m / (1 - 0.9**t) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8) - lr * weight_decay * x
        xs.append(x)
    return np.array(xs)


def my_rule(x, g, m=0, *, lr=0.1, beta1=0.9):
    m = beta1 * m + (1 - beta1) * g
    return x - lr * m


def my_schedule(t):
    return 1e-3 * min(1.0, t / 10)


def mystery(gradients):
    return -0.1 * np.cumsum(np.sign(gradients), axis=0)
"""
SCRIPT = """\
g_list = [10.0] * 20
m, v, mv = 0.0, 0.0, []
for t, g in enumerate(g_list, 1):
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g**2
    mv.append(m / (1 - 0.9**t) / ((v / (1 - 0.999**t)) ** 0.5 + 1e-8))
"""
COMMAND = """\
#!{python}
import json, sys
for line in sys.stdin:
    x, out = 0.0, []
    for g in json.loads(line)["gradients"]:
        x -= 0.1 * float(g)
        out.append(x)
    print(json.dumps({{"parameters": out}}), flush=True)
"""
EXAMPLES = '''\
"""Run the examples of a text as a reader would, block by block; print what came of each block as JSON."""
import contextlib, doctest, io, json, re, sys

names, told = {}, []
for block in re.findall(r"```python\\n(.*?)```", open(sys.argv[1], encoding="utf-8").read(), re.S):
    came = {"block": block, "error": None, "said": ""}
    for example in doctest.DocTestParser().get_examples(block):
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                exec(compile(example.source, "README", "single"), names)
        except Exception as error:
            came |= {"error": type(error).__name__, "said": f"{example.source}{error}"}
            break
        if not doctest.OutputChecker().check_output(example.want, out.getvalue(), doctest.ELLIPSIS):
            came |= {"error": "another answer", "said": f"{example.source}{out.getvalue()}"}
            break
    told.append(came)
print(json.dumps(told))
'''


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel, and nothing that it does not ask for; give the folder of the programs."""
    folder = tmp_path_factory.mktemp("core")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    run([*pip, "wheel", "--no-deps", "--wheel-dir", str(folder), str(ROOT)], folder)
    run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], folder)
    (wheel,) = folder.glob("*.whl")
    programs = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    run([*pip, "--python", str(programs / "python"), "install", "--no-compile", str(wheel)], folder)
    return programs


def run(words: list[str], folder: Path, *, programs: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program: one of the core with nothing of this environment, another to its good end."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    if programs is not None:
        own["PATH"] = f"{programs}{os.pathsep}{own['PATH']}"
    done = subprocess.run(words, cwd=folder, env=own, capture_output=True, text=True, timeout=600)
    assert programs is not None or done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def folder(core: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder with the files that a reader is said to have, and no other."""
    folder = tmp_path_factory.mktemp("readme")
    (folder / "mine.py").write_text(MINE)
    (folder / "script.py").write_text(SCRIPT)
    (folder / "examples").mkdir()
    shutil.copy(ROOT / "examples" / "stored_back.py", folder / "examples")
    (folder / "run.csv").write_text("step,g,x\n" + "".join(f"{t},1,{-t / 100}\n" for t in range(1, 9)))
    (folder / "my_adam").write_text(COMMAND.format(python=core / "python"))
    (folder / "my_adam").chmod(0o700)
    return folder


def test_every_command_of_the_readme_runs_or_names_what_it_needs(core: Path, folder: Path) -> None:
    def unlike(line: str) -> str:
        program, *words = shlex.split(line, comments=True)
        done = run([str(core / program), *words], folder, programs=core)
        named = INSTALL.findall(done.stderr)
        # 1 is the answer of a check that something deviates.
        good = done.returncode == 2 and named == [NEEDS[line]] if line in NEEDS else done.returncode in (0, 1)
        return "" if good and "Traceback" not in done.stderr else f"{line}: {done.returncode}\n{done.stderr}"

    # What draws a file that was saved by another line comes after it.
    first = [line for line in COMMANDS if not line.startswith("mhat plot ")]
    with ThreadPoolExecutor(2) as pool:
        told = [*pool.map(unlike, first), *map(unlike, (line for line in COMMANDS if line not in first))]
    assert [each for each in told if each] == []
    assert NEEDS.keys() <= set(COMMANDS), "a line that needs an extra is no longer in the README"


def test_every_example_of_the_readme_runs_or_names_what_it_needs(core: Path, folder: Path) -> None:
    (folder / "examples.py").write_text(EXAMPLES)
    done = run([str(core / "python"), "examples.py", str(ROOT / "README.md")], folder, programs=core)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert len(told) > 5
    assert [came for came in told if came["error"] and not in_need(came)] == []


def in_need(came: dict[str, Any]) -> bool:
    """Whether a block ended because it needs an extra that the words before it name."""
    before = README[: README.index(came["block"])].rsplit("```", 2)[-2]
    named = INSTALL.findall(before)
    missing = re.search(r"No module named '(\w+)", came["said"])
    return (came["error"] == "MissingExtra" and bool(INSTALL.search(came["said"]))) or (
        came["error"] == "ModuleNotFoundError" and missing is not None and named == [missing[1]]
    )


# Python that needs an extra, what it is called, and the extra.
MISSING = {
    "mhat.bridges.scipy.method('adam')": ("SciPy", "scipy"),
    "mhat.save(ds, 'run.zarr')": ("zarr", "scale"),
    "mhat.save(ds, 'run.parquet')": ("pyarrow", "arrow"),
    "mhat.trace('sgd', [1.0], to='run.zarr')": ("zarr", "scale"),
    "mhat.Optimizer('sgd', np.zeros(2)).save('opt.safetensors')": ("safetensors", "safetensors"),
}


def test_what_needs_an_extra_names_it(core: Path, folder: Path) -> None:
    lines = ["import mhat, numpy as np", "ds = mhat.trace('sgd', [1.0])"]
    for code in MISSING:
        lines += [
            "try:",
            f"    {code}",
            "except mhat.MhatError as error:",
            "    print(str(error).replace(chr(10), ' '))",
        ]
    done = run([str(core / "python"), "-c", "\n".join(lines)], folder, programs=core)
    said = [f"{name} is not installed Install it with: pip install 'mhat[{extra}]'" for name, extra in MISSING.values()]
    assert (done.stdout.splitlines(), done.stderr) == (said, "")


def test_nothing_is_installed_that_is_an_extra(core: Path, folder: Path) -> None:
    code = "import importlib.util as u, sys; print([name for name in sys.argv[1:] if u.find_spec(name)])"
    extras = ["zarr", "dask", "distributed", "pyarrow", "scipy", "torch", "jax", "keras", "safetensors", "pytest"]
    assert run([str(core / "python"), "-c", code, *extras], folder, programs=core).stdout == "[]\n"
