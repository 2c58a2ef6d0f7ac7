"""Modules of users, by file name or by dotted name, each with its own neighbours. It knows no subject.

Two files may each have a `helper.py` beside them. What stands beside a file is imported from there, also by an import
inside of a function that runs much later, and by nobody else: while a neighbourhood is entered its own modules are in
`sys.modules`, and afterwards they are not.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import importlib.util
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from mhat.errors import BadValue, InputFileError, MhatError, UnknownName
from mhat.subjects.salvage import salvaged

RULE_CURE = "Name a rule: a function under `@rule`."


@dataclass
class Neighbourhood:
    """Where a user's module lives: folders that are searched before all others, and folders behind all others."""

    before: tuple[str, ...] = ()
    behind: tuple[str, ...] = ()
    own: dict[str, ModuleType] = field(default_factory=dict)
    _depth: int = 0
    _hidden: dict[str, ModuleType] = field(default_factory=dict)
    _there: frozenset[str] = frozenset()

    def enter(self) -> None:
        """Let imports find what stands there, and only that under its names."""
        self._depth += 1
        if self._depth > 1:
            return
        beside = {name: wins for folder in self.before for name, wins in _standing_in(folder)}
        self._hidden = {
            name: module
            for name, module in list(sys.modules.items())
            if (top := name.partition(".")[0]) in beside and self._hides(top, beside[top])
        }
        for name in self._hidden:
            del sys.modules[name]
        self._there = frozenset(sys.modules)
        sys.modules.update(self.own)
        sys.path[:] = [*self.before, *sys.path, *self.behind]
        importlib.invalidate_caches()

    def leave(self) -> None:
        """Undo that, and keep what has been imported from there."""
        self._depth -= 1
        if self._depth:
            return
        for folder in self.before:
            with contextlib.suppress(ValueError):
                sys.path.remove(folder)
        for folder in self.behind:
            with contextlib.suppress(ValueError):
                del sys.path[len(sys.path) - 1 - sys.path[::-1].index(folder)]
        for name, module in list(sys.modules.items()):
            if name not in self._there and self._is_own(sys.modules.get(name.partition(".")[0])):
                self.own[name] = module
        for name in self.own:
            sys.modules.pop(name, None)
        sys.modules.update(self._hidden)
        self._hidden = {}

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Be there for a while."""
        self.enter()
        try:
            yield
        finally:
            self.leave()

    def around(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Give a function that runs there."""

        def there(*arguments: Any) -> Any:
            with self.entered():
                return function(*arguments)

        return there

    def _hides(self, top: str, wins: bool) -> bool:
        """Whether what stands there comes before a module that is loaded already."""
        module = sys.modules.get(top)
        is_folder = getattr(getattr(module, "__spec__", None), "origin", None) is None
        kept = top == "mhat" or top in sys.stdlib_module_names
        return not kept and (wins or is_folder) and not self._is_own(module)

    def _is_own(self, module: ModuleType | None) -> bool:
        """Whether a module, not one inside of another, was found in these folders; what has no first one has none."""
        spec = getattr(module, "__spec__", None)
        if spec is None:
            return False
        inside = list(spec.submodule_search_locations or ())
        at = Path(inside[0] if inside else spec.origin or "")
        return bool(self.before) and str(at.parent) in (*self.before, *self.behind)


def _standing_in(folder: str) -> Iterator[tuple[str, bool]]:
    """Yield the names of the modules and packages in a folder, and whether they come before such further behind."""
    with contextlib.suppress(OSError):
        for entry in os.scandir(folder):
            if entry.name.endswith(".py"):
                yield entry.name.removesuffix(".py"), True
            elif entry.name.isidentifier() and entry.is_dir():
                yield entry.name, os.path.exists(f"{entry.path}/__init__.py")  # noqa: PTH110 (quick)


@dataclass(frozen=True)
class Loaded:
    """A module that has been loaded, and its neighbourhood."""

    where: str
    module: ModuleType
    neighbours: Neighbourhood
    notes: tuple[str, ...] = ()

    def named(self, name: str) -> Any:
        """Look a dotted name up in it; raises UnknownName."""
        thing: Any = self.module
        for part in name.split("."):
            if not hasattr(thing, part):
                raise UnknownName("name", name, public_names(thing), where=f" in {self.where}")
            thing = getattr(thing, part)
        return thing


def not_one_rule(names: list[str], where: str) -> BadValue:
    """Say that a file has no rule, or several, where one is looked for that has no name."""
    if not names:
        return BadValue(f"there is no rule in {where}", "Write one under `@rule`, or name a function: FILE:NAME.")
    return BadValue(f"there are {len(names)} rules in {where}", f"Name one: {where}:{names[0]}.")


def public_names(thing: Any) -> list[str]:
    """List what is in a module or a class."""
    return [name for name in getattr(thing, "__dict__", {}) if not name.startswith("_")]


def load(where: str) -> Loaded:
    """Load a module by file name or by dotted name, as Python would for a script beside it; raises InputFileError."""
    try:
        return _load_file(where) if where.endswith(".py") else _load_dotted(where)
    except (MhatError, KeyboardInterrupt):
        raise
    except BaseException as error:
        raise InputFileError(f"{where} cannot be loaded: {_said(error, where)}", "Mend it first.") from error


def load_around(where: str, name: str) -> Loaded:
    """Load a module for the sake of one thing in it: what of the file fails, and is not that, is left out and said.

    Raises InputFileError where the thing itself is not there then.
    """
    try:
        return load(where)
    except InputFileError as refusal:
        if not where.endswith(".py") or not isinstance(refusal.__cause__, Exception) or _is_broken(refusal.__cause__):
            raise
        try:
            loaded = _load_parts(where)
        except (OSError, SyntaxError):
            raise refusal from None
        if not hasattr(loaded.module, name.partition(".")[0]):
            raise
        return loaded


def _is_broken(error: BaseException) -> bool:
    """Whether a file is no Python at all."""
    return isinstance(error, SyntaxError | UnicodeDecodeError)


def _load_parts(where: str) -> Loaded:
    path = existing(where)
    folder = path.resolve().parent
    dotted, top = packaged(path)
    neighbours = Neighbourhood((str(top or folder),), (str(folder),) if top else ())
    name = dotted if top else f"mhat_user_{path.stem}"
    with neighbours.entered():
        found = salvaged(path, name, dotted.rpartition(".")[0] if top else "")
    neighbours.own[name] = found.module
    return Loaded(where, found.module, neighbours, found.notes())


def _load_file(where: str) -> Loaded:
    path = existing(where)
    folder = path.resolve().parent
    dotted, top = packaged(path)
    if top and has_relative_imports(path):
        neighbours = Neighbourhood((str(top),), (str(folder),))
        with neighbours.entered():
            return Loaded(where, importlib.import_module(dotted), neighbours)
    neighbours = Neighbourhood((str(folder),), (str(top),) if top else ())
    # Not by its own name: a file of the user's may be called like a module that others import.
    name = f"mhat_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputFileError(f"`{path}` is not a Python file", "Name a file that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    neighbours.own[name] = module
    with neighbours.entered():
        spec.loader.exec_module(module)
    return Loaded(where, module, neighbours)


def existing(where: str) -> Path:
    """Give the path of a file that is there; raises InputFileError."""
    path = Path(where)
    if path.is_file():
        return path
    if path.exists():
        raise InputFileError(f"`{where}` is no file", "Name a file that ends in .py.")
    raise InputFileError(f"there is no file `{where}`", "Check the name and the directory you are in.")


def packaged(path: Path) -> tuple[str, Path | None]:
    """Name the module that a file is, with the packages that it lies in, and give the folder that these stand in."""
    folder = path.resolve().parent
    parts = [] if path.stem == "__init__" else [path.stem]
    top = None
    while (folder / "__init__.py").is_file() and folder.name.isidentifier():
        parts.insert(0, folder.name)
        folder = top = folder.parent
    return ".".join(parts), top


def has_relative_imports(path: Path) -> bool:
    """Whether a file imports from the package that it lies in."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, ValueError, SyntaxError):
        return False
    return any(isinstance(node, ast.ImportFrom) and node.level > 0 for node in ast.walk(tree))


def _load_dotted(name: str) -> Loaded:
    # As `python -m` would find it; behind all else, so that nothing installed is hidden by it.
    neighbours = Neighbourhood((), (str(Path.cwd()),))
    try:
        with neighbours.entered():
            return Loaded(name, importlib.import_module(name), neighbours)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise InputFileError(
                f"there is no module `{name}`", "Install it, or name a file that ends in .py."
            ) from None
        raise


def _said(error: BaseException, where: str) -> str:
    """Say what an exception said and the line of the user's file it came from."""
    file = Path(where).resolve()
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == file]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    place = f" (line {lines[-1]})" if lines and lines[-1] else ""
    try:
        text = str(error.args[0] if isinstance(error, SyntaxError) else error)
    except Exception:
        text = ""
    return f"{type(error).__name__}: {text}{place}" if text else f"{type(error).__name__}{place}"
