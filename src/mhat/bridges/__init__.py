"""Ways out of mhat: a rule where others expect an optimizer. What comes in is next door, in `subjects`.

    keras   a rule as an optimizer of Keras 3, on torch or JAX: mhat.bridges.keras.Optimizer
    numpy   a rule as an optimizer of NumPy arrays, in place: mhat.Optimizer
    optax   a rule as a transformation of optax: mhat.bridges.optax.transformation
    scipy   a rule as a method of scipy.optimize.minimize: mhat.bridges.scipy.method
    torch   a rule as an optimizer of PyTorch: mhat.bridges.torch.Optimizer

They are loaded when they are read here, so that `mhat.bridges.scipy.method` works after `import mhat` alone.
"""

from __future__ import annotations

import importlib
from types import ModuleType

_BRIDGES = ("keras", "numpy", "optax", "scipy", "torch")


def __getattr__(name: str) -> ModuleType:
    if name in _BRIDGES:
        return importlib.import_module(f"mhat.bridges.{name}")
    raise AttributeError(f"module 'mhat.bridges' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(_BRIDGES)
