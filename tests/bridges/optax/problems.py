"""What the tests of the bridge step: a tree with None in it, gradients that never repeat, and a run of both."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

SHAPES = {"layers": [(3, 4), (2,)], "head": (2, 2)}
STEPS = 5


def tree(seed: int, dtype: str = "float32") -> Any:
    """Make parameters, or gradients of them: matrices, a vector, and None where something is frozen."""
    generator = np.random.default_rng(seed)
    made = jax.tree.map(
        lambda shape: jnp.asarray(generator.normal(size=shape), dtype), SHAPES, is_leaf=lambda s: isinstance(s, tuple)
    )
    return {**made, "frozen": None}


PARAMS = tree(0)
GRADIENTS = [tree(seed) for seed in range(1, STEPS + 1)]


def run(tx: Any, params: Any = PARAMS, gradients: Any = None, jit: bool = True, **extra: Any) -> tuple[Any, Any]:
    """Step through gradients; the parameters and the state at the end."""
    state, update = tx.init(params), jax.jit(tx.update) if jit else tx.update
    for gradient in GRADIENTS if gradients is None else gradients:
        updates, state = update(gradient, state, params, **extra)
        params = optax.apply_updates(params, updates)
    return params, state


def bits(made: Any) -> list[bytes]:
    """Give all leaves of a tree to the last bit, with dtypes and how it is built."""
    return [str(jax.tree.structure(made)).encode()] + [
        f"{leaf.dtype}{leaf.shape}".encode() + np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(made)
    ]


def apart(first: Any, second: Any) -> float:
    """Give the largest difference of two trees."""
    pairs = zip(jax.tree.leaves(first), jax.tree.leaves(second), strict=True)
    return max(float(jnp.max(jnp.abs(a - b))) for a, b in pairs)


def kinds(made: Any) -> Any:
    """Give what a compiled function is compiled for: shapes, dtypes and weak types, and how a tree is built."""
    return jax.tree.map(lambda leaf: (leaf.shape, str(leaf.dtype), leaf.weak_type), made)
