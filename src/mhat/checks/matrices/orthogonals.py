"""What else may be meant by `orthogonal`: another guard, the polar factor itself, few digits. It knows no rule by name.

Newton and Schulz's iteration approximates the orthogonal factor of a matrix. Implementations keep it from dividing by
zero with numbers of their own, some take the factor from singular vectors instead, and some iterate in a type of few
digits. A subject is held to each of these as it is to the operation itself: against 50 digits, within a derived bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat.checks.matrices import oracle
from mhat.checks.matrices.oracle import Way, by_products, iterated
from mhat.dtypes import DTYPES
from mhat.engines.exact_matrices import MATRIX_OPERATIONS
from mhat.engines.exact_numbers import Numbers
from mhat.engines.small import numpy_dtype
from mhat.language import Rule
from mhat.language.tree import Operation
from mhat.language.walking import all_expressions
from mhat.laws.forms import Form
from mhat.ops.orthogonality import NEWTON_SCHULZ, NEWTON_SCHULZ_EPS, NEWTON_SCHULZ_ROUNDS
from mhat.search.matching import loose_bound, update_scale
from mhat.search.matrices import ARRAYS, MatrixEvaluator, MatrixProbes, evaluator_of
from mhat.search.observed import Observed, Probes

Array = np.ndarray[Any, Any]
# The largest guard that is one: what sums in the place of averages make of the usual one.
LARGEST_GUARD = 4e-6
GUARDED = (
    "what is left between it and the rule is no more than another number may change that keeps `orthogonal` from "
    "dividing by zero"
)
POLAR = "`orthogonal` is the polar factor itself, which Newton and Schulz's iteration approximates"
POLAR_BY = "Jordan 2024, Muon; Bernstein & Newhouse 2024, arXiv:2409.20325"
ROUNDED = "its `orthogonal` computes in {dtype}: it is held to the rounding of that type there"
FEW_DIGITS = ("float32", "float16", "bfloat16")
DRAWS = (21, 22, 23, 24)
# What is so uncertain that it tells nothing, as a share of the update, and how much must be told all the same.
UNCERTAIN, TOLD = 0.25, 0.5
# Who computes in few digits loses as much as others do, within this share and its inverse, and nowhere much more.
ALIKE, FARTHER = 0.3, 2.0
# Of entries that few digits hide a change from, so many are not changed.
UNCHANGED = 0.5


@dataclass(frozen=True)
class Meaning:
    """What `orthogonal` may mean: on 50 digits, and the ways in which it is computed; a note, or a dialect's name."""

    exact: Callable[[Numbers, Any], Any]
    arrays: tuple[Callable[..., Any], ...]
    note: str = ""
    dialect: str = ""
    guarded: bool = False  # kept from dividing by zero otherwise
    coarse: bool = False  # of so few digits that what was lost goes on

    @property
    def instead(self) -> dict[str, Callable[..., Any]]:
        """What stands in the place of the operation."""
        return {"orthogonal": self.arrays[0]}


def has_orthogonal(rule: Rule) -> bool:
    """Whether a rule asks for what is nearly orthogonal."""
    return any(isinstance(node, Operation) and node.op == "orthogonal" for node in all_expressions(rule.tree))


def meaning_of(
    rule: Rule, seen: tuple[Observed, ...], dtype: str, computed: Callable[[], str], knobs: Mapping[str, float]
) -> Meaning | None:
    """Find what `orthogonal` means to a subject that follows a rule but for it, in all that was seen of it.

    `computed` finds the type in which it computes, which need not be the one that it answers in.
    """
    for meaning in _meanings(dtype, computed):
        if all(_followed(rule, meaning, observed, dtype, knobs) for observed in seen):
            return meaning
    return None


def guarding(rule: Rule, probes: Probes, knobs: Mapping[str, float] | None = None) -> Array:
    """Give what guards against dividing by zero may change at most: edits that are sought are not told by it."""
    if not isinstance(probes, MatrixProbes) or not has_orthogonal(rule):
        return np.zeros(1)

    def guarded(eps: float) -> Array:
        def iterating(a: Any, *_numbers: Any, **options: Any) -> Any:
            return ARRAYS["orthogonal"](a, eps, **options)

        return MatrixEvaluator(probes, {"orthogonal": iterating}).run(rule.tree, knobs)

    with np.errstate(all="ignore"):
        changed = np.maximum(
            np.abs(guarded(0.0) - guarded(NEWTON_SCHULZ_EPS)), np.abs(guarded(LARGEST_GUARD) - guarded(0.0))
        )
    return np.maximum.accumulate(probes.pooled(2.0 * np.where(np.isfinite(changed), changed, 0.0)), axis=0)


def _meanings(dtype: str, computed: Callable[[], str]) -> Iterator[Meaning]:
    if dtype == "float64":
        yield Meaning(MATRIX_OPERATIONS["orthogonal"], (by_products,), GUARDED, guarded=True)
    yield Meaning(polar_exactly, (polar,), dialect=POLAR)
    if (coarse := computed()) != dtype:
        yield Meaning(MATRIX_OPERATIONS["orthogonal"], in_few_digits(coarse), ROUNDED.format(dtype=coarse), coarse=True)


def _followed(rule: Rule, meaning: Meaning, observed: Observed, dtype: str, knobs: Mapping[str, float]) -> bool:
    probes = observed.probes
    assert isinstance(probes, MatrixProbes)
    if not meaning.coarse and not _nearly(rule, meaning, observed, dtype, knobs):
        return False
    exact = oracle.expected(rule, probes, knobs, {"orthogonal": meaning.exact})
    form = Form(rule)
    ways = [Way(form, {"orthogonal": function}, draw) for function in meaning.arrays for draw in (None, *oracle.MOVED)]
    limit = oracle.bound(rule, probes, knobs, exact, dtype, ways)
    limit = limit + guarding(rule, probes, knobs) if meaning.guarded else limit
    with np.errstate(all="ignore"):
        near = (np.abs(observed.values - exact) <= limit) | (observed.values == exact) | np.isinf(limit)
        told = limit <= UNCERTAIN * probes.pooled(update_scale(exact, probes.base))
    if not near.all() or float(told.mean()) < TOLD:
        return False
    return not meaning.coarse or _strays_alike(rule, meaning, observed, exact, dtype, knobs)


def _nearly(rule: Rule, meaning: Meaning, observed: Observed, dtype: str, knobs: Mapping[str, float]) -> bool:
    """Whether a subject is near enough to be held against many digits, where what is made can be told at all."""
    made = evaluator_of(observed.probes, meaning.instead).run(rule.tree, knobs)
    limit = 1e3 * loose_bound(observed, dtype) + 2.0 * guarding(rule, observed.probes, knobs)
    apart = np.abs(observed.values - made) > limit
    return float(np.mean(apart)) < UNCERTAIN


def _strays_alike(
    rule: Rule, meaning: Meaning, observed: Observed, exact: Array, dtype: str, knobs: Mapping[str, float]
) -> bool:
    """Whether a subject strays as far as what computes in few digits does, matrix by matrix: no less, and no more."""
    probes = observed.probes
    assert isinstance(probes, MatrixProbes)
    made = [oracle.run(Way(Form(rule), {"orthogonal": way}), probes, knobs, dtype) for way in meaning.arrays]
    own, *others = (_strayed(probes, values, exact) for values in (observed.values, *made))
    typical = np.median(others, axis=0)
    usable = np.isfinite(own) & np.isfinite(typical) & (typical > 0)
    if not usable.any():
        return False
    farthest = max(float(np.max(other[usable] / typical[usable])) for other in others)
    shares = own[usable] / typical[usable]
    return bool(np.median(shares) >= ALIKE and np.median(shares) <= 1 / ALIKE and np.max(shares) <= FARTHER * farthest)


def _strayed(probes: MatrixProbes, values: Array, exact: Array) -> Array:
    """Give how far values lie from what is exact, a number for each matrix."""
    with np.errstate(all="ignore"):
        square = np.mean((values - exact)[:, 0, 0] ** 2, axis=0)
    return np.array([np.sqrt(np.mean(square[sheet.begin : sheet.end])) for sheet in probes.sheets])


def computed_in(run: Callable[[Array], Array], dtype: str) -> str:
    """Find in which type of few digits a subject computes: what is changed by less than its digits changes nothing.

    `run` gives what one step of gradients (run, rows, columns) makes of x.
    """
    rng = np.random.Generator(np.random.PCG64(31))
    gradients = rng.normal(size=(6, 3, 3))
    plain = run(gradients)
    for coarse in FEW_DIGITS if dtype == "float64" else FEW_DIGITS[1:]:
        moved = run(gradients * (1 + DTYPES[coarse].epsilon / 64 * rng.uniform(-1, 1, size=gradients.shape)))
        if float(np.mean(moved == plain)) >= UNCHANGED:
            # Of two that hide as much the one of fewer digits hides more.
            dtype = coarse
    return dtype


def polar(a: Any, *_numbers: Any, **_options: Any) -> Any:
    """Take the orthogonal factor of a matrix from its singular vectors."""
    finite = np.isfinite(a).all(axis=(-2, -1), keepdims=True)
    left, _values, right = np.linalg.svd(np.where(finite, a, 0.0), full_matrices=False)
    return np.where(finite, left @ right, np.nan).astype(a.dtype)


def polar_exactly(n: Numbers, a: Any, *_numbers: Any, **_options: Any) -> Any:
    """Take the orthogonal factor of a matrix on many digits, NaN where it has none."""
    if not all(n.finite(v) for row in a for v in row):
        return [[n.nan] * len(a[0]) for _ in a]
    try:
        left, _values, right = n.context.svd_r(n.context.matrix(a), full_matrices=False)
    except (RuntimeError, ZeroDivisionError):
        return [[n.nan] * len(a[0]) for _ in a]
    factor = left * right
    return [[factor[i, j] for j in range(len(a[0]))] for i in range(len(a))]


def in_few_digits(dtype: str) -> tuple[Callable[..., Any], ...]:
    """Give ways to iterate in a type of few digits: libraries round a sum of products once, others each operation."""
    return tuple(_in_few_digits(dtype, draw, once=draw % 2 == 0) for draw in DRAWS)


def _in_few_digits(dtype: str, draw: int, *, once: bool) -> Callable[..., Any]:
    """Iterate in a type of few digits, on what is moved by one of its roundings."""

    def rounded(value: Any) -> Any:
        return value.astype(numpy_dtype(dtype)).astype(np.float32) if DTYPES[dtype].small else value

    def computed(a: Any, *numbers: Any, **options: Any) -> Any:
        rng = np.random.Generator(np.random.PCG64(draw))
        x = rounded((a * (1 + 0.25 * DTYPES[dtype].epsilon * rng.uniform(-1, 1, size=a.shape))).astype(np.float32))
        if numbers or options:
            return rounded(ARRAYS["orthogonal"](x, *map(np.float32, numbers), **options)).astype(a.dtype)
        if not once:
            return iterated(x, rounded=rounded).astype(a.dtype)
        first, second, third = np.array(NEWTON_SCHULZ, dtype=np.float32)
        x = rounded(x / rounded(np.sqrt(np.sum(x * x, axis=(-2, -1), keepdims=True)) + np.float32(NEWTON_SCHULZ_EPS)))
        for _round in range(NEWTON_SCHULZ_ROUNDS):
            square = rounded(x @ np.matrix_transpose(x))
            x = rounded(first * x + rounded(second * square + third * (square @ square)) @ x)
        return x.astype(a.dtype)

    return computed
