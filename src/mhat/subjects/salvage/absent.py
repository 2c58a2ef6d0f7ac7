"""What stands for an import that fails here: it may be named, inherited from and decorate; who needs it is told so.

Many files import what only draws, or what only their training script needs. It installs nothing.
"""

from __future__ import annotations

import ast
import functools
import inspect
import sys
import textwrap
from collections.abc import Callable
from typing import Any

import numpy as np

# NumPy under the name of a library that copies it: for a rule without derivatives the same.
COPIES = frozenset({"autograd.numpy", "cupy", "jax.numpy", "mxnet.np", "mxnet.numpy", "bottleneck", "minpy.numpy"})
# What draws, writes a log or shows progress: nothing that a rule is made of.
HARMLESS = frozenset({
    "matplotlib", "seaborn", "plotly", "tqdm", "wandb", "tensorboard", "tensorboardX", "IPython", "ipdb", "loguru",
    "rich", "colorama", "termcolor", "prettytable", "tabulate", "progressbar", "alive_progress", "pylab", "imageio",
    "visdom", "mlflow", "streamlit", "PIL", "cv2",
})  # fmt: skip


class _Kind(type):
    """The class of what stands for a missing thing: attributes of it are such too, and using it needs the thing."""

    missing: str

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__") or not cls.__dict__.get("stands"):
            raise AttributeError(name)
        return absent(f"{cls.missing}.{name}")

    def __instancecheck__(cls, thing: Any) -> bool:
        # What stands for a layer is one of those that are missing.
        return super().__instancecheck__(thing) or bool(getattr(type(thing), "stands_in", False))

    def __getitem__(cls, item: Any) -> Any:
        return cls

    def __or__(cls, other: Any) -> Any:
        return cls

    __ror__ = __or__

    def __call__(cls, *arguments: Any, **named: Any) -> Any:
        if not cls.__dict__.get("stands"):
            # A class of the user's that inherits from what is missing.
            return super().__call__(*arguments, **named)
        if len(arguments) == 1 and not named and (inspect.isroutine(arguments[0]) or inspect.isclass(arguments[0])):
            return arguments[0]  # it decorates
        if cls.missing.partition(".")[0] in HARMLESS:
            return arguments[0] if arguments and np.iterable(arguments[0]) else cls
        if named and not arguments:
            return cls  # `@jit(nopython=True)`
        raise ModuleNotFoundError(f"`{cls.missing}` is needed, and is not here")


def absent(name: str) -> Any:
    """Give what stands for something that cannot be imported; `name`: in full, with dots."""
    return _Kind(name.rpartition(".")[2], (), {"stands": True, "missing": name, "__init__": _kept, "__module__": name})


def _kept(self: Any, *arguments: Any, **named: Any) -> None:
    """Keep what a base class that is missing is told, under the names that the caller has for it."""
    for name, value in zip(_names_told(sys._getframe(1)), arguments, strict=False):
        if name and name != "self":
            setattr(self, name, value)
    for name, value in named.items():
        setattr(self, name, value)


def _names_told(frame: Any) -> list[str]:
    """Name what is handed to the `__init__` of a base class, as far as it has names."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(frame.f_code)))
    except (OSError, SyntaxError, TypeError):
        return []
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=owner, attr="__init__"), args=arguments):
                told = [each.id if isinstance(each, ast.Name) else "" for each in arguments]
                return told if isinstance(owner, ast.Call) else told[1:]
    return []


def stand_in(module: str, name: str | None = None) -> tuple[Any, str]:
    """Give what stands for a module, or for `name` in it, and how that is said."""
    if name is None:
        copied = module in COPIES
        return (np, f"NumPy stands for `{module}`") if copied else (absent(module), "")
    if f"{module}.{name}" in COPIES:
        return np, f"NumPy stands for `{module}.{name}`"
    known = KNOWN.get((module.partition(".")[0], name))
    if known is None:
        return absent(f"{module}.{name}"), ""
    return known, f"something that does the same for arrays stands for `{module}.{name}`"


def _flat(value: Any) -> tuple[Any, Callable[[Any], Any]]:
    """Give an array as a vector, and what undoes that."""
    array = np.asarray(value)
    return array.ravel(), lambda vector: np.reshape(vector, array.shape)


def _flat_function(function: Callable[..., Any], example: Any) -> tuple[Callable[..., Any], Callable[[Any], Any], Any]:
    vector, unflatten = _flat(example)

    def flat(x: Any, *more: Any) -> Any:
        return _flat(function(unflatten(x), *more))[0]

    return flat, unflatten, vector


# What public optimizers take from a library beside its copy of NumPy.
KNOWN: dict[tuple[str, str], Any] = {
    ("autograd", "flatten"): _flat,
    ("autograd", "flatten_func"): _flat_function,
    ("autograd", "wraps"): functools.wraps,
    ("toolz", "curry"): lambda function: function,
}
