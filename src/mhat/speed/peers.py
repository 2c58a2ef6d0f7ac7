"""A step of torch, optax and Keras, each at its best on a processor. It imports each when it is used.

It must not know mhat: a step is given by the name of its rule, parameters and gradients.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Run = Callable[[], None]
Known = dict[str, tuple[str, dict[str, float]]]

# How each calls a rule of the library, and which options it needs to be that rule.
TORCH: Known = {
    "adadelta": ("Adadelta", {}),
    "adagrad": ("Adagrad", {}),
    "adam": ("Adam", {}),
    "adamax": ("Adamax", {}),
    "adamw": ("AdamW", {}),
    "amsgrad": ("Adam", {"amsgrad": True}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nadam": ("NAdam", {}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "radam": ("RAdam", {}),
    "rmsprop": ("RMSprop", {}),
    "sgd": ("SGD", {}),
}
OPTAX: Known = {
    **{name: (name, {}) for name in ("adabelief", "adadelta", "adagrad", "adam", "adamax", "adamw", "adan")},
    **{name: (name, {}) for name in ("amsgrad", "lamb", "lion", "nadam", "radam", "rmsprop", "sgd", "yogi")},
    "momentum": ("sgd", {"momentum": 0.9}),
    "nesterov": ("sgd", {"momentum": 0.9, "nesterov": True}),
    "signsgd": ("sign_sgd", {}),
}
KERAS: Known = {
    "adadelta": ("Adadelta", {}),
    "adagrad": ("Adagrad", {}),
    "adam": ("Adam", {}),
    "adamax": ("Adamax", {}),
    "adamw": ("AdamW", {}),
    "amsgrad": ("Adam", {"amsgrad": True}),
    "lion": ("Lion", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nadam": ("Nadam", {}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "rmsprop": ("RMSprop", {}),
    "sgd": ("SGD", {}),
}
FUSED = {"Adagrad", "Adam", "AdamW", "SGD"}
RATE = 1e-3


def installed(package: str) -> bool:
    """Whether a package can be imported, found out without importing it."""
    return importlib.util.find_spec(package) is not None


def torch_step(rule: str, params: Sequence[Array], grads: Sequence[Array], **ways: bool) -> Run:
    """Give a step of `torch.optim`: fused where torch can, or in the way that is asked (`foreach=True`).

    The parameters are copied, the gradients are not.
    """
    import torch

    name, options = TORCH[rule]
    ways = ways or ({"fused": True} if name in FUSED else {})
    leaves = [torch.nn.Parameter(as_tensor(param).clone()) for param in params]
    for leaf, grad in zip(leaves, grads, strict=True):
        leaf.grad = as_tensor(grad)
    optimizer = getattr(torch.optim, name)(leaves, lr=RATE, **options, **ways)
    return lambda: optimizer.step()


def as_tensor(array: Array) -> Any:
    """See an array as a tensor on the same memory."""
    import torch

    if array.dtype.name == "bfloat16":
        return torch.from_numpy(array.view(np.uint16)).view(torch.bfloat16)
    return torch.from_numpy(array)


def optax_step(rule: str, params: Sequence[Array], grads: Sequence[Array]) -> Run:
    """Give a step of optax: jitted, parameters and state donated, waited for."""
    jax, optax = importlib.import_module("jax"), importlib.import_module("optax")

    name, options = OPTAX[rule]
    optimizer = getattr(optax, name)(RATE, **options)
    with jax.enable_x64(any(param.dtype == np.float64 for param in params)):
        # Copies: what is donated must not be memory of NumPy.
        leaves, given = ([jax.numpy.array(each, copy=True) for each in arrays] for arrays in (params, grads))
        held = [leaves, optimizer.init(leaves)]

        def stepped(leaves: Any, state: Any, given: Any) -> Any:
            updates, state = optimizer.update(given, state, leaves)
            return optax.apply_updates(leaves, updates), state

        step = jax.jit(stepped, donate_argnums=(0, 1)).lower(*held, given).compile()

    def run() -> None:
        held[:] = step(*held, given)
        jax.block_until_ready(held)

    return run


def keras_step(rule: str, params: Sequence[Array], grads: Sequence[Array]) -> Run:
    """Give a step of Keras on the backend it has: with JAX stateless, jitted and donated, else as it is."""
    os.environ.setdefault("KERAS_BACKEND", "jax" if installed("jax") else "torch")
    keras = importlib.import_module("keras")

    name, options = KERAS[rule]
    if keras.backend.backend() != "jax":
        return _keras_as_it_is(keras, name, options, params, grads)
    jax = importlib.import_module("jax")

    with jax.enable_x64(any(param.dtype == np.float64 for param in params)):
        optimizer, variables, given = _keras_parts(keras, name, options, params, grads)
        held = [[jax.numpy.array(each.value, copy=True) for each in some] for some in (variables, optimizer.variables)]

        def stepped(leaves: Any, state: Any, given: Any) -> Any:
            return optimizer.stateless_apply(state, given, leaves)

        step = jax.jit(stepped, donate_argnums=(0, 1)).lower(*held, given).compile()

    def run() -> None:
        held[:] = step(*held, given)
        jax.block_until_ready(held)

    return run


def _keras_as_it_is(
    keras: Any, name: str, options: dict[str, float], params: Sequence[Array], grads: Sequence[Array]
) -> Run:
    optimizer, _, given = _keras_parts(keras, name, options, params, grads)
    return lambda: optimizer.apply(given)


def _keras_parts(
    keras: Any, name: str, options: dict[str, float], params: Sequence[Array], grads: Sequence[Array]
) -> tuple[Any, list[Any], list[Any]]:
    optimizer = getattr(keras.optimizers, name)(learning_rate=RATE, **options)
    variables = [keras.Variable(param, dtype=param.dtype.name) for param in params]
    optimizer.build(variables)
    return optimizer, variables, [keras.ops.convert_to_tensor(grad) for grad in grads]
