"""Knobs as a transformation of optax has them: numbers, arrays of no dimensions, schedules. It steps nothing.

A float32 stands for the shortest decimal that it is nearest to, as it is printed: 0.999 and not 0.99900001287. So a
knob that was put into an array (by `inject_hyperparams`, by a schedule) is the number that was meant, and gives the
same bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import lru_cache, reduce
from numbers import Real
from typing import Any

import numpy as np

from mhat.bridges.optax.arithmetic import TransformedArrays
from mhat.bridges.optax.frameworks import doubles, jax, jnp
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.pieces import expression_of
from mhat.language.tree import Expression, Name, Number, Operation
from mhat.language.walking import all_expressions, names_in, product_length
from mhat.notation import cut
from mhat.schedules import Schedule, is_named, meant

Array = Any
# A number, an array of no dimensions (or one that is traced), a schedule of mhat, or a function of the count.
Setting = Any
# As many digits as every float32 is told apart by, and the powers of ten that doubles have exactly.
DIGITS = 9
TENS = np.array([10.0**i for i in range(23)])


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


def at_count(rule: Rule, settings: Mapping[str, Setting], count: Array) -> dict[str, Any]:
    """Give the knobs of a step as doubles of JAX. `count`: of the steps before it.

    What the compiler knows it joins to other roundings than what it does not, so that a knob in an array would give
    other bits than the same knob as a number: nothing is known to it, but for what a rule chooses a branch by.
    """
    known = _known(rule)
    numbers = {name: value for name, value in settings.items() if isinstance(value, float)}
    values = {**rule.knobs, **rule.settled(numbers), **settings}
    derived = {knob.name for knob in rule.tree.knobs if knob.expression is not None} - settings.keys()
    if len(numbers) == len(settings):
        derived -= known
    made = {name: _number(name, value, count) for name, value in values.items() if name not in derived}
    return {name: value if name in known else _hidden(value, count) for name, value in made.items()}


def _known(rule: Rule) -> set[str]:
    """List the knobs that must be known to trace: what counts columns, and what chooses a branch."""
    nodes = [node for node in all_expressions(rule.tree) if isinstance(node, Operation)]
    chosen = [node.arguments[0] for node in nodes if node.op == "where"]
    return {name[1:] for name in rule.ranks} | {name for node in chosen for name in names_in(node)}


def _hidden(value: Any, count: Array) -> Any:
    if not isinstance(value, float):
        return value
    with doubles():
        # A count is never below 0, which no compiler knows.
        return jnp.where(count >= 0, jnp.asarray(value, dtype=jnp.float64), jnp.nan)


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

        def shortened(digits: Array) -> Array:
            shift = digits - 1.0 - place
            up, down = _power_of_ten(jnp.maximum(shift, 0.0)), _power_of_ten(jnp.maximum(-shift, 0.0))
            return jnp.round(still * up / down) * down / up

        tried = jnp.asarray(np.arange(1.0, DIGITS + 1))
        enough = jnp.where(shortened(tried).astype(value.dtype) == value, tried, math.inf)
        fewest = jnp.min(enough)
        usual = usual & (fewest <= DIGITS)
        best = shortened(jnp.where(usual, fewest, 1.0))
        # Not more than half an ulp of float32 apart, so that the difference, and then the sum, are exact.
        return wide + jnp.where(usual, best - still, 0.0)


def _power_of_ten(exponent: Array) -> Array:
    """Give powers of ten, exact as far as doubles have them: up to 22."""
    # Elementwise: what counts in integers is lowered wrongly where doubles are on for a part of the trace.
    made, rest = jnp.ones_like(exponent), exponent
    for _ in range(3):
        place = jnp.minimum(rest, len(TENS) - 1.0)
        made = made * jnp.sum(jnp.where(place[..., None] == np.arange(float(len(TENS))), TENS, 0.0), axis=-1)
        rest = rest - place
    return made


def _setting(name: str, value: Any) -> Setting:
    if isinstance(value, Schedule) or (isinstance(value, str) and is_named(value)):
        schedule = meant(value)
        assert schedule is not None
        if not schedule.formula:
            raise BadValue(
                f"the schedule of {name} {schedule.sentence}, and JAX cannot trace it",
                f"Give a function of the count, which begins at 0, in terms of jax.numpy: {name}=lambda count: ...",
            )
        return schedule
    if isinstance(value, Real) and not isinstance(value, bool | np.generic):
        try:
            return float(value)
        except OverflowError:
            raise BadValue(f"{name} is a number that no float can hold", "Give a smaller one, or inf.") from None
    if isinstance(value, np.float64):
        return float(value)
    if _is_number(value) or (callable(value) and not isinstance(value, Rule | type)):
        return value
    raise BadValue(
        f"{name}={cut(repr(value))} is no number",
        f"Give {name} a number, or a schedule: of mhat.schedules, or a function of the count, as optax has them.",
    )


def _is_number(value: Any) -> bool:
    dtype = getattr(value, "dtype", None)
    return dtype is not None and getattr(value, "shape", None) == () and not jnp.issubdtype(dtype, jnp.bool_)


def _number(name: str, value: Setting, count: Array) -> Any:
    if isinstance(value, float):
        return value
    if isinstance(value, Schedule):
        with doubles():
            return _evaluated(_formula(value), jnp.asarray(count).astype(jnp.float64) + 1.0)
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


@lru_cache(maxsize=256)
def _formula(schedule: Schedule) -> Expression:
    return expression_of(schedule.formula)


def _evaluated(node: Expression, t: Array) -> Any:
    """Evaluate an expression in the number of the step, in doubles."""
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Name):
        return t
    length = product_length(node)
    values = [_evaluated(argument, t) for argument in node.arguments]
    if length is not None:
        return reduce(_ON_DOUBLES.step_operation("mul"), values[:1] * length)
    return _ON_DOUBLES.step_operation(node.op)(*values)


_ON_DOUBLES = TransformedArrays("float64")
