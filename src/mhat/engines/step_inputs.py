"""What one step is given, looked at before it is taken: x, g, t, state, knobs. It computes nothing of a rule."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import numpy as np

from mhat.engines.program import lacking
from mhat.errors import BadValue, UnknownName
from mhat.language.definition import Rule
from mhat.language.fit import require_fit
from mhat.notation.decimals import exact

WHOLE = "Hand on the whole state of the step before."
# Doubles count so far.
LAST = 2.0**53


def check_step(rule: Rule, xs: Sequence[Any], gs: Sequence[Any], t: Any, states: Sequence[Any], knobs: Any) -> None:
    """Refuse what no step can be taken with; raises UnknownName or BadValue. States and steps are None at the first."""
    _check_knobs(rule, knobs, xs)
    number = _step_number(t)
    if not xs:
        raise BadValue("x is an empty list", "Give the tensors.")
    if len(gs) != len(xs):
        raise BadValue(f"{len(xs)} parameters and {len(gs)} gradients", "Give one gradient for each parameter.")
    if len(states) != len(xs):
        raise BadValue(f"{len(xs)} parameters and {len(states)} states", WHOLE)
    for i, (x, g, state) in enumerate(zip(xs, gs, states, strict=True)):
        place = f"[{i}]" if len(xs) > 1 else ""
        _check_tensor(x, g, xs[0], place)
        require_fit(rule, tuple(np.shape(x)), f"x{place}")
        if state is not None:
            _check_state(rule, x, state)
        elif number is not None and number > 1 and rule.tree.states:
            raise BadValue(
                f"t is {exact(number)} and no state is given",
                "Hand on the state of the step before: step(rule, x, g, t, before.state). The first step has t=1.",
            )


def check_given(rule: Rule, given: Mapping[str, Any]) -> None:
    """Refuse `loss` and `h` that a rule does not read, and a loss that is no number; raises BadValue."""
    for name in given:
        if name not in rule.tree.inputs:
            raise BadValue(f"{rule.name} reads no `{name}`", f"Leave {name}= out, or write `{name}` among its inputs.")
    for name in rule.tree.given:
        if name not in given:
            raise lacking(rule, name, "none is given", f"Give it: {name}=...")
    loss = given.get("loss", 0.0)
    if isinstance(loss, bool) or not (isinstance(loss, Real) or hasattr(loss, "shape")) or np.shape(loss) != ():
        raise BadValue(f"loss is {_said(loss)}", "Give the loss of the step, one number.")


def entries_of(called: str, several: bool, given: Any) -> list[Any]:
    """List what is given for each tensor; raises BadValue where x is a list and this is none."""
    if not several:
        return [given]
    if not isinstance(given, list | tuple) or hasattr(given, "_fields"):
        raise BadValue(
            f"x is a list, and {called} is a {type(given).__name__}", "Give a list with one for each tensor."
        )
    return list(given)


def floating(g: Any, x: Any) -> Any:
    """Give gradients that somebody wrote as whole numbers in the dtype of x; all else as it is."""
    both = isinstance(g, np.ndarray) and isinstance(x, np.ndarray)
    return g.astype(x.dtype) if both and g.dtype.kind in "iu" and x.dtype.kind == "f" else g


def _step_number(t: Any) -> float | None:
    """Give the number of the step, None where it is not known yet; raises BadValue."""
    cure = "Give the number of the step; the first step has t=1."
    if isinstance(t, bool) or not (isinstance(t, Real) or hasattr(t, "shape")) or np.shape(t) != ():
        raise BadValue(f"t is {_said(t)}", cure)
    try:
        number = float(t)
    except OverflowError:
        raise BadValue("t is more than steps can be counted to", cure) from None
    except (TypeError, ValueError):
        if isinstance(t, np.ndarray | np.generic):
            raise BadValue(f"t is {_said(t)}", cure) from None
        return None  # JAX is tracing, and there is no number yet
    if not 1 <= number < LAST or number != math.floor(number):
        raise BadValue(f"t is {exact(number)}", cure)
    return number


def _check_tensor(x: Any, g: Any, first: Any, place: str) -> None:
    plain = isinstance(x, Real) and not isinstance(x, np.generic)
    for name, value in (("x", x), ("g", g)):
        if isinstance(value, bool) or not (isinstance(value, Real) or hasattr(value, "shape")):
            raise BadValue(f"{name}{place} is {_said(value)}", "Give a float, or an array of NumPy, torch, JAX ...")
        if isinstance(value, int) and abs(value) > 2**1023:
            raise BadValue(f"{name}{place} is a number that no float can hold", "Give a smaller one.")
    if np.shape(x) != np.shape(g):
        raise BadValue(
            f"x{place} has the shape {tuple(np.shape(x))} and g{place} the shape {tuple(np.shape(g))}",
            "Give both one shape.",
        )
    for other, name in ((g, "g"), (first, "x[0]")):
        if not plain and hasattr(other, "dtype") and _dtype(other) != _dtype(x):
            raise BadValue(
                f"x{place} is {_dtype(x)} and {name}{place if name == 'g' else ''} is {_dtype(other)}",
                "Give both one dtype.",
            )
    if isinstance(first, int | float) is not isinstance(x, int | float):
        raise BadValue(f"x[0] is {_said(first)} and x{place} is {_said(x)}", "Give floats, or arrays of one kind.")


def _dtype(value: Any) -> str:
    # `torch.float32` is float32.
    return str(getattr(value, "dtype", "")).rpartition(".")[2]


def _check_state(rule: Rule, x: Any, state: Any) -> None:
    if not isinstance(state, Mapping):
        raise BadValue(f"the state is {_said(state)}", "Hand on the state of the step before: before.state.")
    names = rule.tree.state_names
    for name in state:
        if name not in names:
            raise UnknownName(f"state of {rule.name}", str(name), names)
    for name in names:
        if name not in state:
            raise BadValue(f"the state lacks `{name}`", WHOLE)
        value = state[name]
        if not (isinstance(value, Real) or hasattr(value, "shape")):
            raise BadValue(f"the state `{name}` is {_said(value)}", WHOLE)
        wanted = rule.shape_of(name, tuple(np.shape(x)))
        if not _fits(np.shape(value), wanted):
            raise BadValue(
                f"the state `{name}` has the shape {tuple(np.shape(value))}, and x {tuple(np.shape(x))}",
                "Hand on the state of the step before, of the same x.",
            )


def _fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    try:
        return tuple(np.broadcast_shapes(tuple(shape), wanted)) == wanted
    except ValueError:
        return False


def _check_knobs(rule: Rule, knobs: Mapping[str, Any], xs: Sequence[Any]) -> None:
    rule.check_knobs({name: value for name, value in knobs.items() if isinstance(value, int | float)})
    for name, value in knobs.items():
        if name not in rule.knobs:
            raise rule.unknown_knob(name)
        if not (isinstance(value, Real) or hasattr(value, "shape")):
            raise BadValue(f"{name} is {_said(value)}", f"Give {name} a number.")
        for x in xs:
            if not _fits(np.shape(value), tuple(np.shape(x))):
                raise BadValue(
                    f"{name} has the shape {tuple(np.shape(value))} and x the shape {tuple(np.shape(x))}",
                    "Give a number, or one for each coordinate.",
                )


def _said(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return repr(value)
    if hasattr(value, "shape") and np.shape(value) != ():
        return f"an array of the shape {tuple(np.shape(value))}"
    return f"a {type(value).__name__}"
