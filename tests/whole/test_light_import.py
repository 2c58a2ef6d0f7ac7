"""`import mhat` and the quick commands load nothing heavy. Proved in processes of their own."""

import json
import subprocess
import sys

import pytest

HEAVY = {
    "array_api_compat", "dask", "h5netcdf", "h5py", "jax", "matplotlib", "mpmath", "numba", "numpy", "pandas",
    "pyarrow", "scipy", "sympy", "torch", "xarray", "zarr",
}  # fmt: skip

COMMAND = """
import sys
sys.argv = ["mhat", *sys.argv[1:]]
from mhat.terminal.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""


def loaded_by(code: str, *arguments: str) -> set[str]:
    """Run code in a new interpreter and give the top-level packages it has loaded at the end."""
    code += "\nimport json, sys\nprint(json.dumps(list(sys.modules)), file=sys.stderr)\n"
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {name.partition(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}


def test_importing_mhat_loads_nothing_heavy() -> None:
    loaded = loaded_by("import mhat")
    assert "mhat" in loaded
    assert loaded & (HEAVY | {"rich", "typer"}) == set()


@pytest.mark.parametrize(
    "code",
    [
        "import mhat; dir(mhat)",
        "from mhat import rule",
        "import mhat; mhat.rules.adam.tree",
        "import mhat; mhat.modifiers.clipped(mhat.rules.adam).tree",
        "import mhat.printers",
    ],
)
def test_the_language_the_rules_and_the_modifiers_load_nothing_heavy(code: str) -> None:
    assert loaded_by(code) & HEAVY == set()


@pytest.mark.parametrize(
    "arguments",
    [["--help"], ["--version"], ["trace", "--help"], ["plot", "--help"], ["bench", "--help"], ["convert", "--help"]],
)
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    assert loaded_by(COMMAND, *arguments) & HEAVY == set()


@pytest.mark.parametrize("arguments", [["rules"], ["rules", "adam"]])
def test_looking_at_rules_loads_no_more_than_numpy(arguments: list[str]) -> None:
    assert loaded_by(COMMAND, *arguments) & HEAVY <= {"numpy"}


def test_what_is_heavy_is_seen_when_it_is_loaded() -> None:
    assert "numpy" in loaded_by("import numpy")
