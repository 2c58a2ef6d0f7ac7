"""JAX and optax themselves, imported in one place, which names the extra where they lack. It knows no rule."""

from __future__ import annotations

from typing import Any

from mhat.extras import extra

jax: Any = extra("jax", "optax", "optax", needs=("jaxlib",))
optax: Any = extra("optax", "optax", needs=("jax",))
jnp: Any = jax.numpy
lax: Any = jax.lax
