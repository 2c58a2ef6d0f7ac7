"""JAX and optax themselves, imported in one place, which names the extra where they lack. It knows no rule."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

from mhat.extras import extra

jax: Any = extra("jax", "optax", "optax", needs=("jaxlib",))
optax: Any = extra("optax", "optax", needs=("jax",))
jnp: Any = jax.numpy


def doubles() -> AbstractContextManager[Any]:
    """Switch doubles on for what is computed, or traced, within."""
    switched: AbstractContextManager[Any] = (
        jax.enable_x64(True) if hasattr(jax, "enable_x64") else jax.experimental.enable_x64()
    )
    return switched


def has_doubles() -> bool:
    """Whether JAX computes in double anyway."""
    return bool(jnp.zeros(()).dtype == jnp.float64)
