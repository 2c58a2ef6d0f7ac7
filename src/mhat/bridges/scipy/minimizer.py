"""A rule as a method of `scipy.optimize.minimize`. It imports SciPy when it is used, and no other framework."""

from __future__ import annotations

import importlib
import inspect
import json
import warnings
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import numpy as np

from mhat.bridges.scipy.descent import CONVERGED, Descent, Ending, Point, Track
from mhat.bridges.scipy.objective import Objective, differences_of
from mhat.bridges.scipy.options import MAXITER, WAYS, Limits, Options, limits_of, options_of, shape_of, start_of
from mhat.engines.program import Program
from mhat.engines.walk import Walk, program_of
from mhat.engines.work import variables_of
from mhat.errors import BadValue
from mhat.extras import extra
from mhat.language import Rule, of_tree
from mhat.language import rule as rule_of
from mhat.language.settings import knobs_set
from mhat.names import find_rule
from mhat.notation import number
from mhat.notation.decimals import exact
from mhat.printers.python import rule_text
from mhat.traces import recorded
from mhat.traces.request import over_arrays
from mhat.traces.scheduling import schedule_array

HEIGHT = "fun"  # the function values in a trace, by the name that a result has for them


def method(rule: Any, /, *, knobs: Mapping[str, Any] | None = None, **named: Any) -> Method:
    """Make a method of `scipy.optimize.minimize` of a rule.

    `rule`: a rule, a function written as one, or a name (`"adam"`, `"mine.py:my_rule"`). A knob is a number, or a
    schedule: one of `mhat.schedules`, its text, a function of the step, each over as many steps as there are by
    default, or a DataArray over the dimension `step` with a value for each. Knobs are keywords, or in `knobs`, as
    one of the name `knobs` must be. One method serves any number of minimizations, each with a fresh state.

    The call of `minimize` means what it means with SciPy's own methods. `x0` of shape (n,) is one tensor; where it
    is float32 the run is in float32, else in float64. At every point the function and its gradient are asked for
    once. `jac` is the gradient (n,), True where the function gives both, or left out for differences; SciPy hands
    the ways "3-point" and "cs" to no method from outside, so they are an option here. With `bounds`, x0 and every
    step are projected: each coordinate is set to the nearest number within (where its two bounds are one number,
    the gradient by differences is 0). Constraints and Hessians are not used, with SciPy's warnings. A callback is
    told of every step, `callback(xk)` or `callback(intermediate_result=...)`, and ends the run by raising
    StopIteration.

    Options (`tol` of `minimize` is `gtol`):

        gtol       end where the norm of the gradient (with bounds, of its projection) is at most this: 1e-5
        norm       the order of that norm: inf, the largest coordinate
        xtol       end where for `patience` steps no coordinate moved by more than this: not asked for
        ftol       the same for the change of the function, relative to max(|f|, 1): not asked for
        patience   how many steps in a row, for momentum makes x stand still for a step at each turn: 10
        maxiter    the most steps: 10,000, or as many as the schedule of a knob has
        best       x is the best point seen, not the last: these methods may climb. `step` tells when it was
        trace      the result has `trace`, bit for bit what `mhat.trace` records for the gradients met, with the
                   function values as the coordinate `fun`; with bounds it has the attribute `bounds`
        shape      the shape of the tensor that x0 is, for rules per matrix; the function sees x flat all the same
        differences, eps, finite_diff_rel_step     "2-point", "3-point" or "cs"; the size of their steps, as in BFGS
        disp       print how it ended

    Gives an `OptimizeResult`: x (n,), fun, jac (n,) at x, nit, nfev (those for differences too), njev, success,
    message, and status: 0 a tolerance is met, 1 `maxiter`, 3 a number that is not finite, 99 the callback. x is the
    last point, or `x_eval` where the rule assigns that: then the steps start from x, and both must have converged.

    Raises UnknownName for knobs that the rule does not have, BadValue for values that cannot be, MissingExtra
    where SciPy is not installed.

    Source: `scipy.optimize.minimize`, "Custom minimizers".

    >>> from scipy.optimize import minimize
    >>> result = minimize(lambda x: (x - 3) @ (x - 3), [0.0, 1.0], method=method("adam", lr=0.1))
    >>> result.success, result.x.round(4).tolist()
    (True, [3.0, 3.0])
    """
    found = find_rule(rule)
    return Method(found, knobs_set("method", named, knobs, found.knobs, {}), imported())


class Method:
    """A rule with its knobs, callable as `scipy.optimize.minimize` calls a method."""

    def __init__(self, rule: Rule, knobs: Mapping[str, Any], optimize: Any) -> None:
        self.rule = rule
        numbers, schedules = _sorted(rule, knobs)
        self.knobs, self.schedules = _sorted(rule, rule.settled({**numbers, **schedules}, over_arrays))
        self._optimize = optimize
        self._programs: dict[tuple[str, int], Program] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        # A module, a function and compiled programs do not travel.
        rule = rule_text(self.rule.tree), self.rule.paper, self.rule.knob_sentences
        return _copied, (*rule, {**self.knobs, **self.schedules})

    def __repr__(self) -> str:
        numbers = [f"{name}={exact(value)}" for name, value in self.knobs.items()]
        schedules = [f"{name} over {values.size:,} steps" for name, values in self.schedules.items()]
        knobs = ", ".join([*numbers, *schedules])
        return f"<method {self.rule.name}{' with ' * bool(knobs)}{knobs}>"

    def __call__(
        self,
        fun: Callable[..., Any],
        x0: Any,
        args: tuple[Any, ...] = (),
        jac: Any = None,
        hess: Any = None,
        hessp: Any = None,
        bounds: Any = None,
        constraints: Any = (),
        callback: Callable[..., Any] | None = None,
        **options: Any,
    ) -> Any:
        """Minimize a function; see `method`."""
        wanted = options_of(options)
        for text, kind in _warnings(self, wanted, hess, hessp, constraints):
            # The line to blame is the user's: above this one is `minimize`.
            warnings.warn(text, kind or self._optimize.OptimizeWarning, stacklevel=3)
        start = start_of(x0)
        limits = limits_of(bounds, start)
        start = start if limits is None else np.clip(start, *limits)
        shape = shape_of(self.rule, start.size, wanted.shape)
        walk = self._walk(start.reshape(shape), limits)
        track = self._track(walk) if wanted.trace else None
        stops = wanted.stops(self._longest(wanted))
        schedules = {name: schedule.values.astype(float).tolist() for name, schedule in self.schedules.items()}
        objective = self._objective(fun, args, jac, wanted, limits, start)
        tell = None if callback is None else self._teller(callback)
        descent = Descent(walk, objective, stops, schedules, tell, limits, track)
        ending = descent.run()
        result = self._result(descent.found(wanted.best), ending, walk, objective, wanted)
        if track is not None:
            result["trace"] = self._trace(track, start.reshape(shape), limits)
        if wanted.disp:
            _print(result, self._optimize)
        return result

    def _walk(self, start: Any, limits: Limits | None) -> Walk:
        key = str(start.dtype), start.ndim
        if key not in self._programs:
            self._programs[key] = program_of(self.rule, *key)
        project = None
        if limits is not None:
            low, high = (limit.reshape(start.shape) for limit in limits)

            def project(x: Any) -> Any:
                return np.clip(x, low, high)

        return Walk(self._programs[key], start, self.knobs, project)

    def _longest(self, wanted: Options) -> int | None:
        """Give the length of the shortest schedule; raises BadValue where more steps are asked for."""
        lengths: dict[str, int] = {name: int(schedule.size) for name, schedule in self.schedules.items()}
        if not lengths:
            return None
        name = min(lengths, key=lambda each: lengths[each])
        if wanted.maxiter is not None and wanted.maxiter > lengths[name]:
            raise BadValue(
                f"the schedule of {name} has {lengths[name]} steps and maxiter is {wanted.maxiter}",
                "Give a value for every step.",
            )
        return lengths[name]

    def _objective(
        self, fun: Any, args: Any, jac: Any, wanted: Options, limits: Limits | None, start: Any
    ) -> Objective:
        has_slope = callable(jac)
        if has_slope and wanted.differences is not None:
            raise BadValue(
                f"differences={wanted.differences!r} is asked for and jac is given", "Leave one of them out."
            )
        way = wanted.differences or (jac if isinstance(jac, str) and jac in WAYS else None)
        # SciPy's own methods call it; its public face, approx_fprime, knows neither bounds nor other ways.
        approximate = importlib.import_module("scipy.optimize._numdiff").approx_derivative
        steps = wanted.steps_of_differences(way, start.dtype, start.size)
        differences = differences_of(approximate, way or WAYS[0], steps, limits)
        return Objective(fun, jac if has_slope else None, differences, args if isinstance(args, tuple) else (args,))

    def _teller(self, callback: Callable[..., Any]) -> Callable[[Point], None]:
        """Tell a callback of a point in the style that its signature asks for, as SciPy does."""
        try:
            names = set(inspect.signature(callback).parameters)
        except (TypeError, ValueError):
            names = set()
        if names != {"intermediate_result"}:
            return lambda point: callback(np.copy(point.x))
        result_of = self._optimize.OptimizeResult
        return lambda point: callback(
            intermediate_result=result_of(x=np.copy(point.x), fun=point.fun, nit=point.step),
        )

    def _result(self, point: Point, ending: Ending, walk: Walk, objective: Objective, wanted: Options) -> Any:
        message = ending.message
        if wanted.best and point.step != walk.t:
            message += f" x is the best point seen, {f'after step {point.step}' if point.step else 'x0'}."
        result = self._optimize.OptimizeResult(
            x=np.array(point.x),
            fun=point.fun,
            jac=np.array(point.jac),
            nit=walk.t,
            nfev=objective.calls,
            njev=objective.gradients,
            status=ending.status,
            success=ending.status == CONVERGED,
            message=message,
        )
        if wanted.best:
            result["step"] = point.step
        return result

    def _track(self, walk: Walk) -> Track:
        if HEIGHT in {*variables_of(self.rule), *self.schedules}:
            raise BadValue(
                f"{self.rule.name} has the name `{HEIGHT}`, which is that of the function values in a trace",
                "Rename it in the rule.",
            )
        return Track(walk)

    def _trace(self, track: Track, start: Any, limits: Limits | None) -> Any:
        knobs = {**self.knobs, **self.schedules}
        dtype = str(track.walk.dtype)
        ds = recorded(self.rule, track.gradients, track.arrays, start=start, dtype=dtype, knobs=knobs)
        if limits is not None:
            # Said, because the rule alone does not walk this way again.
            ds = ds.assign_attrs(bounds=json.dumps([limit.tolist() for limit in limits]))
        return ds.assign_coords({HEIGHT: ("step", np.array(track.heights, dtype=np.float64))})


def imported() -> Any:
    """Import scipy.optimize; raises MissingExtra."""
    return extra("scipy.optimize", "scipy", "SciPy")


def _copied(text: str, paper: str, sentences: dict[str, str], knobs: Mapping[str, Any]) -> Method:
    return Method(of_tree(rule_of(text).tree, paper=paper, knobs=sentences), knobs, imported())


def _sorted(rule: Rule, knobs: Mapping[str, Any]) -> tuple[dict[str, float], dict[str, Any]]:
    """Sort knobs into numbers and schedules, and check both; raises UnknownName or BadValue."""
    numbers: dict[str, float] = {}
    schedules: dict[str, Any] = {}
    for name, value in knobs.items():
        if name not in rule.knobs:
            raise rule.unknown_knob(name)
        value = value.item() if getattr(value, "shape", None) == () else value
        if not isinstance(value, list | tuple):
            tabulated = schedule_array(name, value, MAXITER)
            value = value if tabulated is None else tabulated
        if getattr(value, "dims", ()) == ("step",) and value.size and value.dtype.kind in "iuf":
            _check_labels(name, value)
            schedules[name] = value
            rule.check_knobs({name: float(value.min(skipna=False))})
            rule.check_knobs({name: float(value.max(skipna=False))})
        elif np.ndim(value) and not isinstance(value, str):
            raise BadValue(
                f"{name} has {np.size(value)} values, and a minimization runs with one",
                f"Give {name} a number, or a schedule: numbers in a DataArray over the dimension `step`.",
            )
        else:
            is_number = isinstance(value, Real) and not isinstance(value, bool)
            numbers[name] = number(name, value) if is_number else value
            rule.check_knobs({name: numbers[name]})
    return numbers, schedules


def _check_labels(name: str, schedule: Any) -> None:
    """Refuse a schedule whose labels are other steps than the first, second ...; raises BadValue."""
    if "step" not in schedule.coords:
        return
    labels, counted = schedule.coords["step"].values, np.arange(1, schedule.size + 1)
    if not np.array_equal(labels, counted):
        place = int(np.argmin(labels == counted))
        raise BadValue(
            f"the schedule of {name} has the value of step {labels[place]} at step {place + 1}",
            "Label the steps 1, 2, 3 ..., or leave the labels out: schedule.drop_vars('step').",
        )


def _warnings(
    asked: Method, wanted: Options, hess: Any, hessp: Any, constraints: Any
) -> list[tuple[str, type[Warning] | None]]:
    """List what is not used, in SciPy's words; None stands for its OptimizeWarning."""
    name = asked.rule.name
    warned: list[tuple[str, type[Warning] | None]] = []
    if hess is not None:
        warned.append((f"Method {name} does not use Hessian information (hess).", RuntimeWarning))
    if hessp is not None:
        warned.append((f"Method {name} does not use Hessian-vector product information (hessp).", RuntimeWarning))
    if np.any(constraints):
        warned.append((f"Method {name} cannot handle constraints.", RuntimeWarning))
    if wanted.unknown:
        text = f"Unknown solver options: {', '.join(map(str, wanted.unknown))}"
        knob = next((each for each in wanted.unknown if each in asked.rule.knobs), None)
        if knob is not None:
            text += f" (`{knob}` is a knob: method({name}, {knob}=...))"
        warned.append((text, None))
    return warned


def _print(result: Any, optimize: Any) -> None:
    """Say how it ended, as SciPy's methods do: a warning where it failed, and the counts."""
    if result.success:
        print(result.message)
    else:
        warnings.warn(result.message, optimize.OptimizeWarning, stacklevel=4)
    print(f"         Current function value: {result.fun:f}")
    print(f"         Iterations: {result.nit:d}")
    print(f"         Function evaluations: {result.nfev:d}")
    print(f"         Gradient evaluations: {result.njev:d}")
