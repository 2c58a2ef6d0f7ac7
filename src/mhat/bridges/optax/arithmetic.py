"""The arithmetic of a trace of JAX: doubles for numbers of the step, sums as the compiler likes them. It knows no rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

from mhat.bridges.optax.frameworks import doubles, jax, jnp
from mhat.engines.traced import TracedArrays

Array = Any


class TransformedArrays(TracedArrays):
    """The arithmetic of one dtype: what can be differentiated, mapped and spread over devices."""

    def __init__(self, dtype: str) -> None:
        super().__init__(jnp, jnp.dtype(dtype), doubles)

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
