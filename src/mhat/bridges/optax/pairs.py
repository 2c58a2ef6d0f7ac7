"""Numbers as an unevaluated sum of two of the same dtype: 48 bits of two singles, where JAX has no doubles.

It knows no rule. Sums follow Knuth, products Dekker; halves are cut off by `reduce_precision`, so that every partial
product is exact and a compiler may fuse it with the sum behind it.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from mhat.bridges.optax.frameworks import jax, jnp, lax

Array = Any
# Bits of the exponent, and half of the significand, of a dtype.
HALVES = {"float32": (8, 11), "float64": (11, 25)}
# The logarithm of 2 in parts, the first so short that its product with an exponent is exact.
LN2_FIRST = 0.693115234375
LN2_REST = 3.1946310945309416e-05
# As many terms and halvings as bring the exponential of half a doubling to 2**-48.
TERMS, HALVINGS = 7, 4
# An exponent is counted in 31 bits.
BITS = 31


class Pair(NamedTuple):
    """A number as high + low, where low is less than half an ulp of high."""

    high: Array
    low: Array


def pair_of(value: float, dtype: Any = "float32") -> Pair:
    """Split a double: in singles 48 bits of it stay."""
    high = jnp.asarray(value, dtype)
    rest = value - float(jnp.asarray(value, "float64" if dtype == "float64" else "float32")) if _concrete(high) else 0.0
    return Pair(high, jnp.asarray(rest if math.isfinite(rest) else 0.0, dtype))
