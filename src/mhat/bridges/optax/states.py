"""The state of a rule as optax holds it: arrays alone, in the shape of the parameters. It steps nothing."""

from __future__ import annotations

from typing import Any, NamedTuple

from mhat.bridges.optax.frameworks import doubles, jnp

Array = Any


class RuleState(NamedTuple):
    """What a rule carries from step to step.

    `count`: how many steps were taken. `states`: by name, each in the containers of the parameters; float32 where these
    are smaller. `numbers`: states that are one number a step, each as two parts whose sum it is. `started`: for rules
    whose states begin with the first gradient, 1 for each parameter that has seen one; else None.

    `optax.tree.get(state, "count")` and `optax.tree.get(state, "m")` find them by name, in whatever state they lie.
    """

    count: Array
    states: dict[str, Any]
    numbers: dict[str, Array]
    started: Any = None


def parted(number: Any, dtype: Any) -> Array:
    """Part a double into two numbers of a dtype whose sum it is, to 48 bits of float32."""
    with doubles():
        wide = jnp.asarray(number, dtype=jnp.float64)
        first = wide.astype(dtype)
        rest = (wide - first.astype(jnp.float64)).astype(dtype)
        return jnp.stack([first, jnp.where(jnp.isfinite(first), rest, jnp.zeros_like(rest))])


def joined(pair: Array) -> Array:
    """Give the double that two numbers are the parts of."""
    with doubles():
        wide = jnp.asarray(pair).astype(jnp.float64)
        return wide[0] + wide[1]
