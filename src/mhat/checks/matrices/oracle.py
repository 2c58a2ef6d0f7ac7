"""What a rule per matrix gives, from the exact engine, and how far an honest implementation may lie from it.

The bound is derived: the allowed forms are run in the subject's dtype, also with matrix operations spelled otherwise
and on gradients that are moved by one rounding, since `orthogonal`, `eigh` and `qr` make much of little where a matrix
is nearly singular. How far the worst of them strays anywhere in a matrix, any of them may stray. It knows no subject.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mhat.dtypes import DTYPES
from mhat.engines.arrays import Arrays
from mhat.engines.exact import Exact, nearest_double
from mhat.engines.program import PEERS, Program, first_environment
from mhat.engines.small import numpy_dtype
from mhat.engines.tensors import Tensor, of_rows, rows_of, spread, values_of
from mhat.language import Rule
from mhat.laws.forms import Form, OnePrecision, forms
from mhat.ops.orthogonality import NEWTON_SCHULZ, NEWTON_SCHULZ_EPS, NEWTON_SCHULZ_ROUNDS
from mhat.search.matching import update_scale
from mhat.search.matrices import ARRAYS, Layout, MatrixProbes, in_a_row

Array = np.ndarray[Any, Any]
Operations = Mapping[str, Callable[..., Any]]
MARGIN = 8.0
# Ulps of the update's scale that may be lost beside what the forms show: at once, and at every step.
ULPS = 8.0
ULPS_A_STEP = 1.5
# Draws of gradients that are moved by one rounding.
MOVED = (11, 12, 13)


@dataclass(frozen=True)
class Way:
    """A way to compute a rule: a form, matrix operations spelled otherwise, gradients moved by a draw."""

    form: Form
    instead: Operations = field(default_factory=dict)
    moved: int | None = None


def expected(rule: Rule, probes: MatrixProbes, knobs: Mapping[str, float], instead: Operations | None = None) -> Array:
    """Run a rule on 50 digits over all runs: what is observed, in one row, rounded once.

    `instead`: operations on matrices of numbers that stand in the place of those that are meant.
    """
    exact = _Otherwise(instead) if instead else Exact()
    program = Program(rule, exact)
    made = []
    for layout in probes.layouts:
        runs = [_exact_run(program, exact, layout, i, knobs, probes.observe) for i in range(layout.runs)]
        made.append([np.stack([run[k] for run in runs], axis=1) for k in range(len(layout.starts))])
    return in_a_row(made)


class _Otherwise(Exact):
    """Many digits, with some operations in the place of others."""

    def __init__(self, instead: Operations) -> None:
        super().__init__()
        self._instead = instead

    def operation(self, op: str) -> Callable[..., Any]:
        if op not in self._instead:
            return super().operation(op)
        function = self._instead[op]
        return lambda *tensors, **options: of_rows(function(self.numbers, *map(rows_of, tensors), **options))


def _exact_run(
    program: Program, exact: Exact, layout: Layout, i: int, knobs: Mapping[str, float], observe: str
) -> list[Array]:
    """Run one run of a layout: what is seen of each tensor, (step, rows, columns)."""
    told = {name: exact.number(value) for name, value in {**program.rule.knobs, **layout.own_knobs(i), **knobs}.items()}

    def tensor(values: Array) -> Any:
        return exact.tensor(values.ravel().tolist(), values.shape)

    environments = [
        first_environment(
            program.rule, tensor(layout.starts[k][i]), tensor(g[i, 0]), told, exact.number(1.0),
            exact.number(float(layout.numbers[k])), exact.number(float(layout.count)),
        )
        for k, g in enumerate(layout.gradients)
    ]  # fmt: skip
    for environment, g in zip(environments, layout.gradients, strict=True):
        for name, value in program.start(environment).items():
            shape = _shape_of(program, name, g)
            filled = shape and not isinstance(value, Tensor)
            environment[name] = Tensor((value,) * math.prod(shape), shape) if filled else value
    made = [np.empty(g.shape[1:]) for g in layout.gradients]
    for step in range(len(made[0])):
        for k, environment in enumerate(environments):
            environment.update(t=exact.number(step + 1.0), g=tensor(layout.gradients[k][i, step]))
        before = [environment["x"] for environment in environments]
        after = program.step(environments)
        for k, environment in enumerate(environments):
            environment["x"] = spread(after[k], before[k])
            seen = environment["x"] if observe == "x" else environment.get(observe)
            seen = exact.operation("sub")(environment["x"], before[k]) if observe == "update" else seen
            made[k][step] = _full(seen, made[k].shape[1:])
    return made


def _shape_of(program: Program, name: str, gradients: Array) -> tuple[int, ...]:
    """Give the shape of a state for gradients (run, step, rows, columns); none where it is one number a step."""
    return () if name in program.per_step_states else program.rule.shape_of(name, gradients.shape[2:])


def _full(value: Any, shape: tuple[int, ...]) -> Array:
    numbers = np.array([nearest_double(number) for number in values_of(value)])
    return np.broadcast_to(numbers.reshape(value.shape) if isinstance(value, Tensor) else numbers[0], shape)


def bound(
    rule: Rule, probes: MatrixProbes, knobs: Mapping[str, float], exact: Array, dtype: str,
    ways: Iterable[Way] | None = None,
) -> Array:  # fmt: skip
    """Derive how far what is observed may lie from the oracle; where a form is not finite and the oracle is, any."""
    worst = np.zeros_like(exact)
    with np.errstate(all="ignore"):
        for way in ways_of(rule) if ways is None else ways:
            made = run(way, probes, knobs, dtype)
            finite = np.isfinite(made) & np.isfinite(exact)
            strayed = np.where(finite, np.abs(made - exact), 0.0)
            strayed = np.where(np.isfinite(made) != np.isfinite(exact), np.inf, strayed)
            worst = np.maximum(worst, strayed)
        worst = np.maximum.accumulate(probes.pooled(worst), axis=0)
        scale = probes.pooled(update_scale(exact, probes.base))
        ulp = DTYPES[dtype].epsilon * scale + DTYPES[dtype].smallest
        steps = np.arange(1.0, len(exact) + 1)[:, None, None, None]
    return np.asarray(MARGIN * worst + (ULPS + ULPS_A_STEP * steps) * ulp)


def ways_of(rule: Rule) -> Iterator[Way]:
    """Yield the allowed ways: the forms of any rule, spelled otherwise, and on moved gradients."""
    yield from (Way(form) for form in forms(rule))
    yield from (Way(Form(rule), spelled) for spelled in SPELLINGS)
    yield from (Way(Form(rule), moved=draw) for draw in MOVED)


def run(way: Way, probes: MatrixProbes, knobs: Mapping[str, float], dtype: str) -> Array:
    """Run a way of computing a rule on arrays of the dtype; the small types are computed in float32."""
    return in_a_row([_layout_run(way, layout, knobs, dtype, probes.observe) for layout in probes.layouts])


def _layout_run(way: Way, layout: Layout, knobs: Mapping[str, float], dtype: str, observe: str) -> list[Array]:
    rule, one = way.form.rule, way.form.one_precision
    working = DTYPES[dtype].computed
    arithmetic = _spelled(OnePrecision if one else Arrays, way.instead)(np, working, tensor_dimensions=2)
    program = Program(rule, arithmetic)
    told: dict[str, Any] = {**rule.knobs, **layout.knobs, **knobs}
    told |= {new: np.asarray(told[old], dtype=working).astype(float)[()] for old, new in way.form.rounded}
    told = {name: float(value) if np.ndim(value) == 0 else value for name, value in told.items()}

    def entered(value: Any) -> Any:
        return arithmetic.enter(value) if one else value

    told = {name: entered(value) for name, value in told.items()}
    given = [_stored(_moved(g, way.moved, dtype), dtype) for g in layout.gradients]
    environments = [
        first_environment(
            rule, _stored(layout.starts[k], dtype), g[:, 0], told, entered(1.0), entered(float(layout.numbers[k])),
            entered(float(layout.count)),
        )
        for k, g in enumerate(given)
    ]  # fmt: skip
    for environment, start, g in zip(environments, program.starts(environments), given, strict=True):
        for name, value in start.items():
            shape = _shape_of(program, name, g)
            # A number that a state starts as fills its matrix: operations on matrices look at rows and columns.
            environment[name] = np.broadcast_to(value, np.broadcast_shapes(np.shape(value), shape)) if shape else value
    made = [np.empty((g.shape[1], g.shape[0], *g.shape[2:])) for g in given]
    for step in range(len(made[0])):
        for environment, g in zip(environments, given, strict=True):
            environment.pop(PEERS, None)
            environment.update(t=entered(step + 1.0), g=g[:, step])
        before = [environment["x"] for environment in environments]
        after = program.step(environments)
        for k, environment in enumerate(environments):
            environment["x"] = _stored(np.broadcast_to(np.asarray(after[k]), before[k].shape), dtype)
            for state in rule.tree.state_names if DTYPES[dtype].small else ():
                environment[state] = _stored(environment[state], dtype)
            seen = (
                environment["x"] - before[k] if observe == "update" else environment["x" if observe == "x" else observe]
            )
            made[k][step] = seen
    return made


def _moved(gradients: Array, draw: int | None, dtype: str) -> Array:
    """Move gradients by one rounding of their own, and by one of the largest so far, which states may lose."""
    if draw is None:
        return gradients
    rng = np.random.Generator(np.random.PCG64(draw))
    largest = np.maximum.accumulate(np.max(np.abs(gradients), axis=(2, 3), keepdims=True), axis=1)
    signs = rng.uniform(-1.0, 1.0, size=(2, *gradients.shape))
    moved = gradients * (1.0 + DTYPES[dtype].epsilon * signs[0]) + DTYPES[dtype].epsilon * largest * signs[1]
    return np.asarray(moved)


def _stored(values: Any, dtype: str) -> Array:
    """Round to the dtype; the small types are held as float32."""
    if DTYPES[dtype].small:
        return np.asarray(values, dtype=np.float32).astype(numpy_dtype(dtype)).astype(np.float32)
    return np.asarray(values, dtype=dtype)


def _spelled(kind: type[Arrays], instead: Operations) -> type[Arrays]:
    """Make an arithmetic in which some operations are spelled otherwise."""
    if not instead:
        return kind

    class Spelled(kind):  # type: ignore[valid-type,misc]
        def operation(self, op: str) -> Callable[..., Any]:
            return instead.get(op) or super().operation(op)

    return Spelled


def iterated(
    a: Any, coefficients: tuple[float, float, float] = NEWTON_SCHULZ, rounds: int = NEWTON_SCHULZ_ROUNDS,
    eps: float = NEWTON_SCHULZ_EPS, rounded: Callable[[Any], Any] = lambda value: value,
) -> Any:  # fmt: skip
    """Iterate as Newton and Schulz do, spelled otherwise than the engines: each product by itself, nothing turned."""
    length = rounded(np.sqrt(np.sum(a * a, axis=(-2, -1), keepdims=True))) + a.dtype.type(eps)
    first, second, third = (a.dtype.type(coefficient) for coefficient in coefficients)
    x = rounded(a / length)
    for _ in range(rounds):
        square = rounded(x @ np.matrix_transpose(x))
        cubic = rounded(square @ x)
        x = rounded(rounded(first * x) + rounded(rounded(second * cubic) + rounded(third * rounded(square @ cubic))))
    return x


def by_products(a: Any, *numbers: Any, **options: Any) -> Any:
    """Iterate in another spelling, where the rule asks for the usual iteration; else as it asks."""
    return ARRAYS["orthogonal"](a, *numbers, **options) if numbers or options else iterated(a)


def _from_the_right(a: Any, *numbers: Any, **options: Any) -> Any:
    return np.matrix_transpose(ARRAYS["orthogonal"](np.matrix_transpose(a), *numbers, **options))


def _by_sums(a: Any, b: Any) -> Any:
    """Multiply matrices without the products of a library."""
    return np.sum(a[..., :, :, None] * b[..., None, :, :], axis=-2)


SPELLINGS: tuple[Operations, ...] = (
    {"orthogonal": by_products}, {"orthogonal": _from_the_right}, {"matmul": _by_sums},
)  # fmt: skip
