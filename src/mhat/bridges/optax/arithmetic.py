"""The arithmetic of a trace of JAX: doubles for numbers of the step, sums where tensors lie. It knows no rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from mhat.bridges.optax.frameworks import doubles, jax, jnp
from mhat.engines.traced import TracedArrays

Array = Any


class TransformedArrays(TracedArrays):
    """The arithmetic of one dtype: what can be differentiated, mapped and spread over devices.

    `hides_numbers`: set when literals have entered, where no number has to be known to trace.
    """

    def __init__(self, dtype: str) -> None:
        super().__init__(jnp, jnp.dtype(dtype), doubles)
        self.hides_numbers = False

    def enter(self, value: Any) -> Array:
        """Round a number of the step to the dtype, and hide from the compiler how it came about.

        Else it may be computed anew for each coordinate, and what is known when tracing joins other roundings than
        what is not, so that a knob in an array would give other bits than the same knob as a number.
        """
        entered = super().enter(value)
        if not self.hides_numbers or np.ndim(entered):
            return entered
        return jax.lax.optimization_barrier(jnp.asarray(entered))

    def operation(self, op: str) -> Callable[..., Any]:
        """Give the operation; a power of doubles is one whose derivative is taken in doubles too."""
        return _power if op == "pow" else super().operation(op)

    def _total(self, tensors: Sequence[Array], dimensions: int | None) -> Array:
        """Sum each tensor where it lies, so that what is spread over devices stays there."""
        return reduce(jnp.add, [jnp.sum(jnp.asarray(tensor), dtype=self.dtype) for tensor in tensors])


def _power(base: Array, exponent: Array) -> Array:
    if jnp.result_type(base) == "float64":
        return _double_power(base, exponent)
    return jnp.power(base, exponent)


@jax.custom_jvp  # type: ignore[untyped-decorator]
def _double_power(base: Array, exponent: Array) -> Array:
    with doubles():
        return jnp.power(base, exponent)


@_double_power.defjvp  # type: ignore[untyped-decorator]
def _double_power_moved(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
    (base, exponent), (of_base, of_exponent) = primals, tangents
    with doubles():
        value = jnp.power(base, exponent)
        by_base = jnp.where(exponent == 0.0, 0.0, exponent * jnp.power(base, exponent - 1.0))
        by_exponent = value * jnp.log(jnp.where(base > 0.0, base, 1.0))
        return value, by_base * of_base + by_exponent * of_exponent
