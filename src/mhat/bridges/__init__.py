"""Ways in and out of mhat: what the user names is found here (`find`), and made a subject of a check.

    numpy                 a rule as an optimizer of NumPy arrays, in place: mhat.Optimizer
    scipy                 a rule as a method of scipy.optimize.minimize
    torch, optax, keras   optimizers of a framework as subjects

Functions, classes and rules of mhat are run in this process; scripts and commands in processes of their own;
each framework has a file, which imports it when it is used; records nobody can drive. The files of frameworks are
loaded when they are read here, so that `mhat.bridges.scipy.method` works after `import mhat` alone.
"""

from __future__ import annotations

import importlib
from types import ModuleType

_FRAMEWORKS = ("keras", "numpy", "optax", "scipy", "torch")


def __getattr__(name: str) -> ModuleType:
    if name in _FRAMEWORKS:
        return importlib.import_module(f"mhat.bridges.{name}")
    raise AttributeError(f"module 'mhat.bridges' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_FRAMEWORKS)
