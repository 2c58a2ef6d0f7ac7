"""Knobs as a transformation of optax has them: numbers, arrays of no dimensions, schedules. It steps nothing.

A float32 stands for the shortest decimal that it is nearest to, as it is printed: 0.999 and not 0.99900001287. So a
knob that was put into an array (by `inject_hyperparams`, by a schedule) is the number that was meant, and gives the
same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from mhat.bridges.optax.frameworks import doubles, jax, jnp
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.notation import cut

Array = Any
# A number, an array of no dimensions (or one that is traced), or a function of the count.
Setting = Any
# As many digits as every float32 is told apart by, and what exponents of ten are sums of.
DIGITS = 9
BITS = (1, 2, 4, 8, 16, 32)


def checked(rule: Rule, given: Mapping[str, Any]) -> dict[str, Setting]:
    """Look at the knobs of a rule before anything is made of them; raises UnknownName or BadValue."""
    for name in given:
        if name not in rule.knobs:
            raise rule.unknown_knob(str(name))
    made = {name: _setting(name, value) for name, value in given.items()}
    for name in made.keys() & {rank[1:] for rank in rule.ranks}:
        if not isinstance(made[name], float):
            raise BadValue(
                f"`{name}` gives states their shapes, and cannot change", f"Give one whole number: {name}=4."
            )
    numbers = {name: value for name, value in made.items() if isinstance(value, float)}
    rule.check_knobs(numbers)
    rule.check_knobs(rule.settled(numbers))
    return made


def at_count(settings: Mapping[str, Setting], count: Array) -> dict[str, Any]:
    """Give the knobs of a step: plain floats as they are, and doubles of JAX. `count`: of the steps before it."""
    return {name: _number(name, value, count) for name, value in settings.items()}


def decimal(value: Array) -> Array:
    """Give the shortest decimal that a number of no dimensions is nearest to in its dtype, as a double.

    Doubles stay as they are. Gradients go through as if nothing were done.
    """
    value = jnp.asarray(value)
    with doubles():
        wide = value.astype(jnp.float64)
        if value.dtype == jnp.float64:
            return wide
        still = jax.lax.stop_gradient(wide)
        size = jnp.abs(still)
        usual = (size > 0) & jnp.isfinite(size)
        place = jnp.floor(jnp.log10(jnp.where(usual, size, 1.0)))
        best = still
        for digits in range(DIGITS, 0, -1):
            shift = digits - 1.0 - place
            up, down = _power_of_ten(jnp.maximum(shift, 0.0)), _power_of_ten(jnp.maximum(-shift, 0.0))
            found = jnp.round(still * up / down) * down / up
            best = jnp.where(usual & (found.astype(value.dtype) == value), found, best)
        # Not more than half an ulp of float32 apart, so that the difference, and then the sum, are exact.
        return wide + jnp.where(usual, best - still, 0.0)


def _power_of_ten(exponent: Array) -> Array:
    """Give a power of ten, exact as far as doubles have it: up to 22."""
    # Elementwise alone: what counts in integers is lowered wrongly where doubles are on for a part of the trace.
    made = jnp.ones_like(exponent)
    for bit in BITS:
        taken = jnp.floor(exponent / bit) % 2.0 == 1.0
        made = jnp.where(taken, made * 10.0**bit, made)
    return made


def _setting(name: str, value: Any) -> Setting:
    if isinstance(value, Real) and not isinstance(value, bool | np.generic):
        try:
            return float(value)
        except OverflowError:
            raise BadValue(f"{name} is a number that no float can hold", "Give a smaller one, or inf.") from None
    if isinstance(value, np.float64):
        return float(value)
    if _is_number(value) or (callable(value) and not isinstance(value, Rule | type)):
        return value
    raise BadValue(f"{name}={cut(repr(value))} is no number", f"Give {name} a number, or a schedule: {name}=optax....")


def _is_number(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return dtype is not None and getattr(value, "shape", None) == () and not jnp.issubdtype(dtype, jnp.bool_)


def _number(name: str, value: Setting, count: Array) -> Any:
    if isinstance(value, float):
        return value
    if not _is_number(value):
        value = _scheduled(name, value, count)
        if isinstance(value, float):
            return value
    if jnp.issubdtype(value.dtype, jnp.integer):
        with doubles():
            return jnp.asarray(value).astype(jnp.float64)
    return decimal(value)


def _scheduled(name: str, schedule: Callable[[Array], Any], count: Array) -> Any:
    value = schedule(count)
    if isinstance(value, int | float) and not isinstance(value, bool | np.generic):
        return float(value)
    if not _is_number(value):
        raise BadValue(
            f"the schedule of {name} gives {cut(repr(value))}", "Let it give one number for a count that begins at 0."
        )
    return value
