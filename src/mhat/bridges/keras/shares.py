"""What one rule has in a Keras optimizer: the variables it steps, and those that its states are kept in.

It knows no clipping, no schedule and no configuration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mhat.bridges.keras.backends import has_kernels, is_traced, keras, native
from mhat.bridges.keras.fused import Kernels
from mhat.bridges.keras.knobs import Knobs
from mhat.bridges.keras.values import Member, Moment, begun, evaluated, halves, known, stepped, whole
from mhat.bridges.numpy.evaluation import evaluating
from mhat.dtypes import DTYPES
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.fit import FLATTEN, matrix_of, require_fit
from mhat.language.inference import Level, reductions_over_all
from mhat.language.tree import Number
from mhat.language.values import value_of

Variable = Any
Array = Any
DECAY = "weight_decay"
ANOTHER_RULE = 'Give it another rule: Optimizer({{"{}": mhat.matrices, "adamw": mhat.rest}}).'


class Share:
    """A rule with its knobs, and after `build` the variables it steps, by their places among all of the optimizer."""

    def __init__(self, rule: Rule, knobs: Knobs, choice: Any = None, *, fused: bool = True) -> None:
        self.rule = rule
        self.knobs = knobs
        self.choice = choice
        self.over_all = reductions_over_all(rule.tree)
        self.places: list[int] = []
        self.states: dict[int, dict[str, Variable]] = {}
        self.numbers: dict[str, Variable] = {}
        self.started: Variable = None
        self.fused = fused
        self.kernels: Kernels | None = None
        self.rows: dict[int, int] = {}

    def build(self, optimizer: Any, variables: Sequence[Variable], places: Sequence[int]) -> None:
        """Make the variables of all states; raises BadValue for what the rule cannot step."""
        self.places = list(places)
        self.rows = {place: row for row, place in enumerate(self.places)}
        for place in self.places:
            self._check(variables[place])
        if self.over_all:
            self._check_dtypes([variables[place] for place in self.places])
        alone = self.rule.dependence.per_step_states
        for place in self.places:
            variable = variables[place]
            self.states[place] = {
                state.name: self._state(optimizer, variable, state.name, state.start)
                for state in self.rule.tree.states
                if state.name not in alone
            }
        starts = {state.name: state.start for state in self.rule.tree.states}
        numbers = {name: value for name, value in self.knobs.items() if isinstance(value, float)}
        for name in sorted(alone) if self.places else ():
            self.numbers[name] = optimizer.add_variable(
                (2,), "zeros", dtype=_of_numbers(), name=f"{self.rule.name}_{name}"
            )
            self.numbers[name].assign(halves(value_of(starts[name], numbers), _of_numbers()))
        if self.places and any(not isinstance(start, Number) for name, start in starts.items() if name not in alone):
            self.started = optimizer.add_variable(
                (len(self.places),), "zeros", dtype="int32", name=f"{self.rule.name}_started"
            )

        if self.fused and has_kernels() and self.rule.level != Level.MATRIX:
            own = {place: variables[place] for place in self.places}
            self.kernels = Kernels(self.rule, own, self.states, len(variables), over_all=bool(self.over_all))

    def _check(self, variable: Variable) -> None:
        dtype, shape, called = variable.dtype, tuple(variable.shape), path_of(variable)
        if dtype not in DTYPES:
            raise BadValue(f"{called} is {dtype}", f"A rule steps {', '.join(DTYPES)}: let the layer have one of them.")
        if self.rule.level != Level.MATRIX:
            return
        seen = matrix_of(self.rule, shape)
        if len(seen) != 2:
            cure = FLATTEN if len(seen) > 2 else ANOTHER_RULE.format(self.rule.name)
            raise BadValue(f"{self.rule.name} is a rule per matrix, and {called} has the shape {shape}", cure)
        require_fit(self.rule, seen, called)

    def _check_dtypes(self, variables: Sequence[Variable]) -> None:
        dtypes = dict.fromkeys(variable.dtype for variable in variables)
        if len({DTYPES[dtype].computed for dtype in dtypes}) > 1:
            raise BadValue(
                f"{self.rule.name} looks at all tensors at once, and they are of {' and '.join(dtypes)}",
                "Give the layers one dtype.",
            )

    def _state(self, optimizer: Any, variable: Variable, name: str, start: Any) -> Variable:
        own = tuple(variable.shape)
        seen = matrix_of(self.rule, own)
        shape = self.rule.shape_of(name, seen)
        first = start.value if isinstance(start, Number) else 0.0
        dtype = DTYPES[variable.dtype].computed
        return optimizer.add_variable(
            own if shape == seen else shape,
            initializer=keras.initializers.Constant(first),
            dtype=dtype,
            layout=getattr(variable, "_layout", None) if shape == seen else None,
            name=f"{path_of(variable).replace('/', '_')}_{name}",
        )

    def step(
        self, chosen: Mapping[int, tuple[Variable, Array]], moment: Mapping[str, Any], undecayed: frozenset[int]
    ) -> None:
        """Step the chosen variables by their gradients; all new values are there before any is written.

        `moment`: t, n and knobs. `undecayed`: the places whose weights do not decay.
        """
        numbers = {name: whole(native(pair)) for name, pair in self.numbers.items()}
        now = Moment(moment["t"], moment["n"], moment["knobs"], numbers)
        by_dtype: dict[str, list[int]] = {}
        after, done = self._stepped_by_kernels(chosen, now, undecayed)
        for place, (variable, _) in chosen.items():
            if place not in done:
                by_dtype.setdefault(DTYPES[variable.dtype].computed, []).append(place)
        finished: list[tuple[list[int], list[Member], list[Array]]] = []
        for places in by_dtype.values():
            members = [self._member(place, *chosen[place], undecayed) for place in places]
            made, after = stepped(self.rule, members, now)
            finished.append((places, members, made))
        for name, number in after.items():
            self.numbers[name].assign(halves(number, _of_numbers()))
        for places, members, made in finished:
            for place, member, x in zip(places, members, made, strict=True):
                for name, value in member.states.items():
                    self.states[place][name].assign(value)
                chosen[place][0].assign(x)
        self._note_started(chosen)

    def _stepped_by_kernels(
        self, chosen: Mapping[int, tuple[Variable, Array]], now: Moment, undecayed: frozenset[int]
    ) -> tuple[dict[str, Any], set[int]]:
        """Let kernels step what they can, once all states have begun."""
        if self.kernels is None or (self.started is not None and not bool((native(self.started) != 0).all())):
            return {}, set()
        gradients = {place: gradient for place, (_, gradient) in chosen.items()}
        return self.kernels.run(gradients, now, undecayed, DECAY)

    def _member(self, place: int, variable: Variable, gradient: Array, undecayed: frozenset[int]) -> Member:
        states = {name: native(state) for name, state in self.states.get(place, {}).items()}
        started = True if self.started is None else begun(native(self.started)[self.rows[place]])
        knobs = {DECAY: 0.0} if place in undecayed and DECAY in self.rule.knobs else {}
        return Member(native(variable), native(gradient), variable.dtype, states, float(place + 1), started, knobs)

    def _note_started(self, chosen: Mapping[int, Any]) -> None:
        if self.started is None:
            return
        value = native(self.started)
        if not is_traced(value) and bool(keras.ops.all(value != 0)):
            return
        stepped_now = [1 if place in chosen else 0 for place in self.places]
        self.started.assign(keras.ops.maximum(value, keras.ops.convert_to_tensor(stepped_now, dtype="int32")))

    def evaluation(self, variables: Sequence[Variable], moment: Mapping[str, Any]) -> dict[int, Array]:
        """Give the parameters to evaluate with, by place: what the rule assigns to `x_eval`, else x."""
        rule = evaluating(self.rule)
        made = {place: native(variables[place]) for place in self.places}
        if rule is None:
            return made
        numbers = {name: whole(native(pair)) for name, pair in self.numbers.items()}
        now = Moment(moment["t"], moment["n"], moment["knobs"], numbers)
        for place in self.places:
            variable = variables[place]
            member = self._member(place, variable, native(variable), frozenset())
            made[place] = evaluated(rule, member, now)
        return made


def path_of(variable: Variable) -> str:
    """Give the name of a variable as Keras shows it."""
    return str(getattr(variable, "path", None) or variable.name)


def known_moment(iterations: Any, knobs: Mapping[str, Any], count: int) -> dict[str, Any]:
    """Give what all tensors of a step share: its number, the knobs, how many tensors there are."""
    t = known(iterations)
    return {"t": t, "knobs": {name: known(value) for name, value in knobs.items()}, "n": float(count)}


def gradient_of(variable: Variable, gradient: Any) -> Array:
    """Give a gradient as a tensor; raises BadValue where it is sparse, or of another shape."""
    if getattr(gradient, "is_sparse", False) or hasattr(gradient, "todense"):
        raise BadValue(
            f"the gradient of {path_of(variable)} is sparse", "Give it whole; `lazy(rule)` leaves rows of zeros alone."
        )
    value = gradient if keras.ops.is_tensor(gradient) else keras.ops.convert_to_tensor(native(gradient))
    if value.shape != variable.shape:
        raise BadValue(
            f"the gradient of {path_of(variable)} has the shape {tuple(value.shape)}, "
            f"and the variable {tuple(variable.shape)}",
            "Give both one shape.",
        )
    return value


def _of_numbers() -> str:
    """Give the dtype of numbers that a rule carries from step to step."""
    return "float64" if keras.config.floatx() == "float64" else "float32"
