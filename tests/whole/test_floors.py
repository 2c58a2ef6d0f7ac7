"""What `lint-imports` cannot see of the floors: imports hidden in functions, and who may use which outside package."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import mhat

SOURCE = Path(mhat.__file__).parent
FILES = sorted(SOURCE.rglob("*.py"))

# The lazy places: the doors, the verbs behind the first, the command line, the list of bridges, and the list of
# engines, of which one loads a compiler.
MAY_IMPORT_LATE = {
    "__init__.py",
    "bridges/__init__.py",
    "verbs/exporting.py",
    "verbs/judging.py",
    "verbs/opening.py",
    "verbs/seeing.py",
    "verbs/understanding.py",
    "terminal/cli.py",
    "terminal/check.py",
    "terminal/convert.py",
    "terminal/export.py",
    "terminal/lab.py",
    "terminal/read.py",
    "terminal/results.py",
    "terminal/rules.py",
    "terminal/schedules.py",
    "terminal/bench.py",
    "terminal/explain.py",
    "terminal/trace.py",
    "pytest_plugin.py",
    "names.py",
    "search/search.py",
    "engines/plan.py",
}

# Outside packages by file or folder; the longest entry that fits counts, and no entry means the standard library alone.
OUTSIDE = {
    "bridges": {"numpy"},
    "bridges/__init__.py": set[str](),
    "bridges/keras/backends.py": {"jax", "keras", "torch"},
    "bridges/keras/values.py": {"array_api_compat", "numpy"},
    "bridges/numpy/state_files.py": {"numpy", "safetensors"},
    "bridges/optax/frameworks.py": {"jax", "numpy", "optax"},
    "bridges/scipy/minimizer.py": {"numpy", "scipy"},
    "bridges/torch": {"array_api_compat", "numpy", "torch"},
    "checks": {"numpy"},
    "conversions": {"numpy"},
    "exports": {"numpy"},
    "mending": {"numpy"},
    "engines": {"array_api_compat", "numpy"},
    "engines/exact.py": {"mpmath"},
    "engines/floats.py": set[str](),
    "engines/step_form.py": set[str](),
    "engines/symbols": {"sympy"},
    "engines/kernels": {"numba", "numpy"},
    "engines/kernels/cache.py": {"llvmlite", "numba"},
    "engines/kernels/lowering.py": set[str](),
    "engines/kernels/memory.py": {"llvmlite", "numba"},
    "engines/kernels/modules.py": {"numba"},
    "engines/kernels/passes.py": set[str](),
    "engines/kernels/power_tables.py": {"llvmlite", "numba", "numpy"},
    "engines/kernels/switches.py": {"llvmlite", "numba", "numpy"},
    "engines/private_files.py": {"platformdirs"},
    "engines/small.py": {"array_api_compat", "ml_dtypes", "numpy"},
    "explanations": {"numpy"},
    "figures": {"matplotlib", "numpy", "xarray"},
    "inputs": {"numpy"},
    "inputs/datasets.py": {"h5py", "numpy", "xarray", "zarr"},
    "inputs/tables.py": {"numpy", "pyarrow"},
    "figures/finals.py": {"matplotlib", "numpy", "pandas", "xarray"},
    "landscapes": {"numpy"},
    "page/server.py": {"starlette", "uvicorn"},
    "page/widget.py": {"anywidget", "traitlets"},
    "laws": {"numpy"},
    "progress.py": {"rich"},
    "reading": {"numpy"},
    "pytest_plugin.py": {"pytest"},
    "results": {"numpy", "xarray"},
    "search": {"numpy"},
    "search/machine/compiling.py": {"numba"},
    "speed": {"numpy"},
    "speed/limits.py": {"numba", "numpy"},
    "speed/peers.py": {"jax", "keras", "numpy", "optax", "torch"},
    "speed/report.py": {"ml_dtypes", "numpy"},
    "schedules": {"numpy"},
    "streams": {"numpy"},
    "streams/variables.py": {"numpy", "xarray"},
    "subjects": {"numpy"},
    "subjects/keras.py": {"keras", "numpy"},
    "subjects/optax.py": {"jax", "numpy", "optax"},
    "subjects/recording/torch.py": {"numpy", "torch"},
    "subjects/records/folders.py": {"numpy", "safetensors", "torch"},
    "subjects/torch.py": {"numpy", "torch"},
    "terminal": {"rich", "typer", "xarray"},
    "terminal/demo.py": {"rich", "xarray"},
    "terminal/facts.py": {"xarray"},
    "terminal/options.py": set[str](),
    "terminal/trace_pages.py": {"numpy", "rich", "xarray"},
    "terminal/pages.py": {"numpy", "rich", "xarray"},
    "terminal/trace.py": {"typer", "xarray"},
    "traces": {"numpy", "xarray"},
    "trials": {"numpy", "xarray"},
    "traces/dimensions.py": {"numpy", "pandas", "xarray"},
    "traces/request.py": {"numpy", "pandas", "xarray"},
    "traces/files.py": {"numpy", "pyarrow", "xarray", "zarr"},
    "traces/run.py": {"numpy", "pandas", "xarray"},
    "verbs/seeing.py": {"matplotlib", "xarray"},
}


def imports_of(tree: ast.AST) -> Iterator[tuple[ast.Import | ast.ImportFrom | ast.Call, str]]:
    """Yield every import, `import_module(...)` and `extra(...)` too, with the full name of what it imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: write imports in full, from mhat..."
            yield from ((node, f"{node.module}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__", "extra")):
            yield from ((node, ast.literal_eval(name)) for name in node.args[:1] if isinstance(name, ast.Constant))


def late_imports(text: str) -> list[int]:
    """Give the lines where mhat is imported inside a function."""
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
    functions = [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]
    found = (node.lineno for function in functions for node, name in imports_of(function) if inside(name))
    return sorted(set(found))


def inside(name: str) -> bool:
    return name.partition(".")[0] == "mhat"


def is_module(name: str) -> bool:
    path = SOURCE.parent.joinpath(*name.split("."))
    return path.is_dir() or path.with_suffix(".py").exists()


def through_the_door(text: str) -> list[int]:
    """Give the lines that import `mhat` itself, or a public name from it, in place of the module that holds it."""
    return [
        node.lineno
        for node, name in imports_of(ast.parse(text))
        if (isinstance(node, ast.Import) and name == "mhat")
        or (isinstance(node, ast.ImportFrom) and node.module == "mhat" and not is_module(name))
    ]


def outside_packages(text: str) -> set[str]:
    tops = {name.partition(".")[0] for _, name in imports_of(ast.parse(text)) if not inside(name)}
    return tops - sys.stdlib_module_names


def allowed_outside(file: str) -> set[str]:
    entries = [entry for entry in OUTSIDE if file == entry or file.startswith(f"{entry}/")]
    return OUTSIDE[max(entries, key=len)] if entries else set()


def name_of(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def test_no_import_hides_in_a_function() -> None:
    late = {name_of(path): late_imports(path.read_text("utf-8")) for path in FILES}
    assert {file: lines for file, lines in late.items() if lines and file not in MAY_IMPORT_LATE} == {}


def test_no_module_goes_through_the_door() -> None:
    entered = {name_of(path): through_the_door(path.read_text("utf-8")) for path in FILES}
    assert {file: lines for file, lines in entered.items() if lines} == {}


def test_every_outside_package_has_its_place() -> None:
    used = {name_of(path): outside_packages(path.read_text("utf-8")) for path in FILES}
    misplaced = {file: sorted(packages - allowed_outside(file)) for file, packages in used.items()}
    assert {file: packages for file, packages in misplaced.items() if packages} == {}


def test_the_lists_hold_no_file_that_is_gone() -> None:
    files = {entry for entry in OUTSIDE.keys() | MAY_IMPORT_LATE if entry.endswith(".py")}
    assert files - {name_of(path) for path in FILES} == set()


def test_the_lookers_see_what_they_look_for() -> None:
    text = "import mhat.ops\nimport numpy as np\ndef f():\n    from mhat.traces import run\n    from os import path\n"
    assert late_imports(text) == [4]
    assert late_imports("def f():\n    importlib.import_module('mhat.traces')\n") == [2]
    assert outside_packages(text) == {"numpy"}
    assert outside_packages("importlib.import_module('zarr')") == {"zarr"}
    assert through_the_door("import mhat\nfrom mhat import rules\nfrom mhat import trace_of_all\n") == [1, 3]
    assert allowed_outside("engines/exact.py") == {"mpmath"}
    assert allowed_outside("rules/library/adam/adam.py") == set()
