"""What else may be meant by `orthogonal`: another guard, the polar factor itself, few digits. It knows no rule by name.

Newton and Schulz's iteration approximates the orthogonal factor of a matrix. Implementations keep it from dividing by
zero with numbers of their own, some take the factor from singular vectors instead, and some iterate in a type of few
digits. A subject is held to each of these as it is to the operation itself: against 50 digits, within a derived bound.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat.checks.matrices import oracle
from mhat.checks.matrices.oracle import Way, iterated
from mhat.dtypes import DTYPES
from mhat.engines.exact_matrices import matmul, norm_of, transpose
from mhat.engines.exact_numbers import Numbers
from mhat.engines.small import numpy_dtype
from mhat.language import Rule
from mhat.language.tree import Operation
from mhat.language.walking import all_expressions
from mhat.laws.forms import Form
from mhat.ops.tensors import NEWTON_SCHULZ, NEWTON_SCHULZ_EPS, NEWTON_SCHULZ_ROUNDS
from mhat.search.matching import Matcher, loose_bound
from mhat.search.matrices import MatrixEvaluator, MatrixProbes
from mhat.search.observed import Observed

Array = np.ndarray[Any, Any]
# A guard beyond this is no guard any more: it changes what is orthogonal.
LARGEST_GUARD = 1e-5
GUARDED = (
    "its `orthogonal` keeps from dividing by zero by another number: what it iterates on is divided by its norm "
    "plus {eps}, in the scale of `{line}`, where {own:g} is usual"
)
POLAR = "`orthogonal` is the polar factor itself, which Newton and Schulz's iteration approximates"
POLAR_BY = "Jordan 2024, Muon; Bernstein & Newhouse 2024, arXiv:2409.20325"
ROUNDED = "its `orthogonal` computes in {dtype}: it is held to the rounding of that type there"
FEW_DIGITS = ("float32", "bfloat16", "float16")
DRAWS = (21, 22, 23, 24)
# What is so uncertain that it tells nothing, as a share of the update, and how much must be told all the same.
UNCERTAIN, TOLD = 0.25, 0.5
# How much of what others lose who computes in few digits loses at least.
ALIKE = 0.2


@dataclass(frozen=True)
class Meaning:
    """What `orthogonal` may mean: on 50 digits, and the ways in which it is computed; a note, or a dialect's name."""

    exact: Callable[[Numbers, Any], Any]
    arrays: tuple[Callable[..., Any], ...]
    note: str = ""
    dialect: str = ""
    coarse: bool = False  # of so few digits that what was lost goes on

    @property
    def instead(self) -> dict[str, Callable[..., Any]]:
        """What stands in the place of the operation."""
        return {"orthogonal": self.arrays[0]}


def has_orthogonal(rule: Rule) -> bool:
    """Whether a rule asks for what is nearly orthogonal."""
    return any(isinstance(node, Operation) and node.op == "orthogonal" for node in all_expressions(rule.tree))


def meaning_of(rule: Rule, seen: tuple[Observed, ...], dtype: str) -> Meaning | None:
    """Find what `orthogonal` means to a subject that follows a rule but for it, in all that was seen of it."""
    if not has_orthogonal(rule):
        return None
    for meaning in _meanings(rule, seen[0], dtype):
        if all(_followed(rule, meaning, observed, dtype) for observed in seen):
            return meaning
    return None


def _meanings(rule: Rule, seen: Observed, dtype: str) -> Iterator[Meaning]:
    if dtype == "float64" and (eps := _guard(rule, seen)) is not None:
        note = GUARDED.format(eps=f"{eps:.3g}", line=_line(rule), own=NEWTON_SCHULZ_EPS)
        yield Meaning(lambda n, a: iterated_exactly(n, a, eps), (lambda a: iterated(a, eps=eps),), note)
    yield Meaning(polar_exactly, (polar,), dialect=POLAR)
    for coarse in FEW_DIGITS if dtype == "float64" else FEW_DIGITS[1:]:
        ways = tuple(_in_few_digits(coarse, draw) for draw in DRAWS)
        yield Meaning(lambda n, a: iterated_exactly(n, a, NEWTON_SCHULZ_EPS), ways, ROUNDED.format(dtype=coarse), "", True)


def _line(rule: Rule) -> str:
    """Name the variable that is made orthogonal, as far as it has a name."""
    for node in all_expressions(rule.tree):
        if isinstance(node, Operation) and node.op == "orthogonal":
            return str(getattr(node.arguments[0], "id", "its argument"))
    return ""


def _followed(rule: Rule, meaning: Meaning, observed: Observed, dtype: str) -> bool:
    probes = observed.probes
    assert isinstance(probes, MatrixProbes)
    exact = oracle.expected(rule, probes, {}, {"orthogonal": meaning.exact})
    form = Form(rule)
    ways = [Way(form, {"orthogonal": function}, draw) for function in meaning.arrays for draw in (None, *oracle.MOVED)]
    limit = oracle.bound(rule, probes, {}, exact, dtype, ways)
    with np.errstate(all="ignore"):
        near = (np.abs(observed.values - exact) <= limit) | (observed.values == exact) | np.isinf(limit)
        told = limit <= UNCERTAIN * probes.pooled(oracle.update_scale(exact, probes.base))
        rounded = _typical(rule, meaning, probes, exact, dtype) if meaning.coarse else np.zeros(1)
        strayed = np.abs(observed.values - exact)
        # What computes in few digits strays as these do: who strays far less does something else.
        alike = np.median(strayed[rounded > 0] / rounded[rounded > 0]) >= ALIKE if (rounded > 0).any() else True
    return bool(near.all() and alike) and float(told.mean()) >= TOLD


def _typical(rule: Rule, meaning: Meaning, probes: MatrixProbes, exact: Array, dtype: str) -> Array:
    """Give how far what is computed in few digits strays as a rule."""
    runs = [np.abs(oracle.run(Way(Form(rule), {"orthogonal": way}), probes, {}, dtype) - exact) for way in meaning.arrays]
    typical = np.median(runs, axis=0)
    return np.asarray(np.where(np.isfinite(typical), typical, 0.0))


def _guard(rule: Rule, seen: Observed) -> float | None:
    """Estimate the guard with which a rule does what was seen, by secants; None if it does with none that is one."""
    probes = seen.probes
    assert isinstance(probes, MatrixProbes)
    tree = rule.tree
    matcher = Matcher(seen, loose_bound(seen, "float64"))

    def moved(eps: float) -> Array:
        return MatrixEvaluator(probes, {"orthogonal": lambda a, *_: iterated(a, eps=eps)}).run(tree)[0]

    with np.errstate(all="ignore"):
        scale = probes.pooled(np.abs(seen.values - probes.base))[0] + 1e-300
        wanted, here = seen.values[0] / scale, NEWTON_SCHULZ_EPS
        for _ in range(6):
            plain = moved(here) / scale
            slope = (moved(here + 1e-9) / scale - plain) / 1e-9
            usable = np.isfinite(slope) & np.isfinite(wanted - plain)
            steepness = float(np.sum(slope[usable] ** 2))
            if not steepness:
                return None
            here += float(np.sum(slope[usable] * (wanted - plain)[usable])) / steepness
            if not -1e-9 <= here <= LARGEST_GUARD:
                return None
    found = max(float(f"{here:.3g}"), 0.0)
    for eps in dict.fromkeys((0.0, 1e-12, 1e-8, found, max(here, 0.0))):
        matcher.evaluator = MatrixEvaluator(probes, {"orthogonal": lambda a, *_, eps=eps: iterated(a, eps=eps)})
        if matcher.agreed(tree) == matcher.steps:
            return eps
    return None


def polar(a: Any, *_: Any) -> Any:
    """Take the orthogonal factor of a matrix from its singular vectors."""
    finite = np.isfinite(a).all(axis=(-2, -1), keepdims=True)
    left, _values, right = np.linalg.svd(np.where(finite, a, 0.0), full_matrices=False)
    return np.where(finite, left @ right, np.nan).astype(a.dtype)


def polar_exactly(n: Numbers, a: Any, *_: Any) -> Any:
    """Take the orthogonal factor of a matrix on many digits, NaN where it has none."""
    if not all(n.finite(v) for row in a for v in row):
        return [[n.nan] * len(a[0]) for _ in a]
    try:
        left, _values, right = n.context.svd_r(n.context.matrix(a), full_matrices=False)
    except (RuntimeError, ZeroDivisionError):
        return [[n.nan] * len(a[0]) for _ in a]
    factor = left * right
    return [[factor[i, j] for j in range(len(a[0]))] for i in range(len(a))]


def iterated_exactly(
    n: Numbers, a: Any, eps: float, coefficients: tuple[float, float, float] = NEWTON_SCHULZ,
    rounds: int = NEWTON_SCHULZ_ROUNDS,
) -> Any:  # fmt: skip
    """Iterate as Newton and Schulz do on many digits."""
    first, second, third = map(n.number, coefficients)
    length = n.add(norm_of(n, [v for row in a for v in row]), n.number(eps))
    x = [[n.div(v, length) for v in row] for row in a]
    for _ in range(rounds):
        square = matmul(n, x, transpose(n, x))
        cubic = matmul(n, square, x)
        quintic = matmul(n, square, cubic)
        x = [
            [n.add(n.add(n.mul(first, u), n.mul(second, v)), n.mul(third, w)) for u, v, w in zip(*rows, strict=True)]
            for rows in zip(x, cubic, quintic, strict=True)
        ]
    return x


def _in_few_digits(dtype: str, draw: int) -> Callable[..., Any]:
    """Iterate in a type of few digits, on what is moved by one of its roundings."""

    def rounded(value: Any) -> Any:
        return value.astype(numpy_dtype(dtype)).astype(np.float32) if DTYPES[dtype].small else value

    def computed(a: Any, *_: Any) -> Any:
        rng = np.random.Generator(np.random.PCG64(draw))
        moved = a * (1 + DTYPES[dtype].epsilon * rng.uniform(-0.5, 0.5, size=a.shape))
        return iterated(rounded(moved.astype(np.float32)), rounded=rounded).astype(a.dtype)

    return computed
