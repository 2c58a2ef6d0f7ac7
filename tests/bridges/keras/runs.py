"""What the tests of the Keras bridge have in common: models, runs, and the rule's own steps to hold them against."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mhat import rules
from mhat.bridges.keras import Optimizer
from mhat.bridges.keras.backends import keras
from mhat.language import Rule
from mhat.subjects.rules import subject_of_rule

Array = Any
JAX = keras.config.backend() == "jax"
SHAPES: list[tuple[int, ...]] = [(4,), (), (2, 3)]
MATRICES: list[tuple[int, ...]] = [(4, 3), (3, 3)]


@contextlib.contextmanager
def precision(dtype: str) -> Iterator[None]:
    """Let Keras, and JAX under it, compute in a dtype for a while."""
    before = keras.config.floatx()
    with contextlib.ExitStack() as stack:
        if JAX:
            import jax

            stack.enter_context(jax.enable_x64(dtype == "float64"))
        keras.config.set_floatx(dtype)
        try:
            yield
        finally:
            keras.config.set_floatx(before)


def drawn(shapes: Sequence[tuple[int, ...]], steps: int, dtype: str, seed: int = 5) -> tuple[list[Array], list[Array]]:
    """Draw starts and gradients."""
    rng = np.random.default_rng(seed)
    starts = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    return starts, [rng.normal(size=(steps, *shape)).astype(dtype) for shape in shapes]


def taken(
    optimizer: Any, starts: list[Array], gradients: list[Array], dtype: str, *, compiled: bool = False
) -> list[Array]:
    """Step variables from their starts: what they are after each step. `compiled`: by `stateless_apply`, jitted."""
    variables = [keras.Variable(start, dtype=dtype) for start in starts]
    optimizer.build(variables)
    record = [np.empty(g.shape) for g in gradients]
    steps = len(gradients[0])
    if compiled:
        import jax

        step = jax.jit(optimizer.stateless_apply)
        own, values = [v.value for v in optimizer.variables], [v.value for v in variables]
        for i in range(steps):
            values, own = step(own, [g[i] for g in gradients], values)
            for kept, value in zip(record, values, strict=True):
                kept[i] = np.asarray(value)
        return record
    for i in range(steps):
        optimizer.apply([keras.ops.convert_to_tensor(g[i], dtype=dtype) for g in gradients], variables)
        for kept, variable in zip(record, variables, strict=True):
            kept[i] = array_of(variable)
    return record


def array_of(variable: Any) -> Array:
    """Give a variable as NumPy has it."""
    value = variable.value if isinstance(variable, keras.Variable) else variable
    wide = keras.ops.cast(value, "float64" if str(value.dtype).endswith("64") else "float32")
    # Not Keras's own way, in which NumPy warns of torch.
    return np.array(wide if JAX else wide.detach().numpy())


def meant(rule: Rule | str, starts: list[Array], gradients: list[Array], **knobs: float) -> list[Array]:
    """Let the rule itself step, in double: the meaning."""
    subject = subject_of_rule(rules.named(rule) if isinstance(rule, str) else rule)
    wide = [start.astype(np.float64) for start in starts]
    return subject.run([g.astype(np.float64) for g in gradients], wide, knobs)


def furthest(ours: list[Array], theirs: list[Array]) -> float:
    """Give the largest difference."""
    return max(float(np.max(np.abs(a - b))) for a, b in zip(ours, theirs, strict=True))


def model_of(seed: int = 3, **more: Any) -> Any:
    """Make a small model; the same seed gives the same weights."""
    keras.utils.set_random_seed(seed)
    layers = [
        keras.Input((8,)),
        keras.layers.Dense(6, activation="tanh", name="first"),
        keras.layers.Dense(3, name="head"),
    ]
    return keras.Sequential(layers, **more)


RNG = np.random.default_rng(0)
INPUTS, WANTED = RNG.normal(size=(32, 8)).astype("float32"), RNG.normal(size=(32, 3)).astype("float32")


def fitted(model: Any, epochs: int = 2, **more: Any) -> list[float]:
    """Train, and give the losses."""
    done = model.fit(INPUTS, WANTED, batch_size=8, epochs=epochs, verbose=0, shuffle=False, **more)
    return list(done.history["loss"])


def compiled_with(optimizer: Any, seed: int = 3) -> Any:
    """Make a small model that trains with an optimizer."""
    model = model_of(seed)
    model.compile(optimizer=optimizer, loss="mse")
    return model


def read_back(optimizer: Any) -> Any:
    """Write an optimizer as Keras writes it, and make it anew of that."""
    return keras.optimizers.deserialize(keras.optimizers.serialize(optimizer))


def other_backend() -> dict[str, str]:
    """Give the environment of a process in which Keras runs on the other backend."""
    return {**os.environ, "KERAS_BACKEND": "torch" if JAX else "jax"}


def one_step(optimizer: Optimizer, start: Array, gradient: Array) -> Array:
    """Give a variable after a step."""
    variable = keras.Variable(np.asarray(start, "float32"))
    optimizer.apply([keras.ops.convert_to_tensor(np.asarray(gradient, "float32"))], [variable])
    return array_of(variable)
