"""A matplotlib that draws nothing, so that scripts with plots run quickly and anywhere. It knows no script."""

from __future__ import annotations

import contextlib
import importlib.machinery
import os
import sys
import types
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

PRETENDED = ("matplotlib", "mpl_toolkits", "seaborn")


class Anything:
    """Has every attribute, can be called, and is itself all that comes of it."""

    def __getattr__(self, name: str) -> Anything:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *args: Any, **kwargs: Any) -> Anything:
        return self

    def __getitem__(self, key: Any) -> Anything:
        return self

    def __setitem__(self, key: Any, value: Any) -> None:
        pass

    def __iter__(self) -> Iterator[Anything]:
        return iter([self])

    def __enter__(self) -> Anything:
        return self

    def __exit__(self, *error: object) -> None:
        pass


ANYTHING = Anything()


class Pretence(types.ModuleType):
    """A module in which every name is there and does nothing."""

    __path__: list[str] = []  # noqa: RUF012 (what makes a module a package)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return subplots if name == "subplots" else ANYTHING


def subplots(nrows: int = 1, ncols: int = 1, *args: Any, squeeze: bool = True, **kwargs: Any) -> tuple[Any, Any]:
    """Give a figure and as many axes as asked for."""
    axes = np.full((nrows, ncols), ANYTHING, dtype=object)
    if not squeeze:
        return ANYTHING, axes
    return ANYTHING, ANYTHING if axes.size == 1 else axes.squeeze()


class _Finder:
    """Finds the modules that are pretended.

    It is no heir of `importlib.abc`, which takes long to import and which a process of a subject has no other use for.
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in PRETENDED:
            return None
        loader: Any = self
        return importlib.machinery.ModuleSpec(fullname, loader, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        return Pretence(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        pass


@contextlib.contextmanager
def pretended() -> Iterator[None]:
    """Let imports of plotting libraries give the pretence for a while."""
    finder = _Finder()
    real = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] in PRETENDED}
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, module in list(sys.modules.items()) if isinstance(module, Pretence)]:
            del sys.modules[name]
        sys.modules.update(real)


def met() -> bool:
    """Whether anything was imported that is not real: it may be the reason of an error."""
    return any(isinstance(module, Pretence) for module in list(sys.modules.values()))


@contextlib.contextmanager
def unseen() -> Iterator[None]:
    """Let real plots be drawn without a screen for a while, and be closed."""
    before = os.environ.get("MPLBACKEND")
    os.environ["MPLBACKEND"] = "Agg"
    try:
        yield
    finally:
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            pyplot.close("all")
        os.environ.pop("MPLBACKEND", None)
        if before is not None:
            os.environ["MPLBACKEND"] = before
