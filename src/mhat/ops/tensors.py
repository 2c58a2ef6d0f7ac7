"""What reductions and matrix operations mean: on flat lists and on lists of rows. It knows no arrays.

Every sum runs in one fixed, blocked order: blocks of 1,024 (the last one padded with zeros), each
halved again and again (the first half plus the second), then the block sums in the same way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from mhat.ops.elementwise import div, sqrt
from mhat.ops.orthogonality import EPS, SETS, USUAL
from mhat.ops.table import MULTIPLY, define

BLOCK = 1024

Matrix = list[list[float]]
Rounding = Callable[[float], float]


def _as_is(value: float) -> float:
    return value


def padded_length(length: int) -> int:
    """Give the length that a sum is padded to: a power of two up to a block, then whole blocks."""
    if length >= BLOCK:
        return -(-length // BLOCK) * BLOCK
    return 1 << max(length - 1, 0).bit_length()


def _halved(block: list[float], rounded: Rounding) -> float:
    while len(block) > 1:
        half = len(block) // 2
        block = [rounded(a + b) for a, b in zip(block[:half], block[half:], strict=True)]
    return block[0]


@define("reduction")
def sum_(values: Sequence[float], rounded: Rounding = _as_is) -> float:
    """Sum over the tensor, in one fixed, blocked order; 0 for an empty one."""
    level = list(values)
    while True:
        level += [0.0] * (padded_length(len(level)) - len(level))
        level = [_halved(level[i : i + BLOCK], rounded) for i in range(0, len(level), BLOCK)]
        if len(level) == 1:
            return level[0]


@define("reduction")
def mean(values: Sequence[float], rounded: Rounding = _as_is) -> float:
    """Mean over the tensor: the sum by the number of elements."""
    return rounded(div(sum_(values, rounded), float(len(values))))


@define("reduction")
def norm(values: Sequence[float], rounded: Rounding = _as_is) -> float:
    """Euclidean norm over the tensor: the root of the sum of the squares."""
    return rounded(sqrt(sum_([rounded(v * v) for v in values], rounded)))


@define("reduction")
def largest(values: Sequence[float], rounded: Rounding = _as_is) -> float:
    """The largest over the tensor, in whatever order: NaN if any is NaN, +0 for zeros; minus infinity for none."""
    return math.nan if any(v != v for v in values) else max(values, default=-math.inf) + 0.0


@define("reduction")
def size(values: Sequence[float], rounded: Rounding = _as_is) -> float:
    """How many numbers the tensor has."""
    return float(len(values))


@define("matrix", symbol="@", precedence=MULTIPLY)
def matmul(a: Matrix, b: Matrix) -> Matrix:
    """Product of two matrices."""
    turned = transpose(b)
    return [[sum_([x * y for x, y in zip(row, column, strict=True)]) for column in turned] for row in a]


@define("matrix")
def transpose(a: Matrix) -> Matrix:
    """The matrix with rows and columns exchanged."""
    return [list(column) for column in zip(*a, strict=True)]


@define("matrix")
def row_mean(a: Matrix) -> Matrix:
    """Mean of each row, as a column that broadcasts."""
    return [[mean(row)] for row in a]


@define("matrix")
def column_mean(a: Matrix) -> Matrix:
    """Mean of each column, as a row that broadcasts."""
    return [[mean(column) for column in transpose(a)]]


@define("matrix")
def row_largest(a: Matrix) -> Matrix:
    """The largest of each row, as a column that broadcasts; NaN and zeros as in `largest`."""
    return [[largest(row)] for row in a]


@define("matrix")
def column_largest(a: Matrix) -> Matrix:
    """The largest of each column, as a row that broadcasts; NaN and zeros as in `largest`."""
    return [[largest(column) for column in transpose(a)]]


@define("matrix")
def rows(a: Matrix) -> float:
    """How many rows the matrix has, a number."""
    return float(len(a))


@define("matrix")
def columns(a: Matrix) -> float:
    """How many columns the matrix has, a number."""
    return float(len(a[0]))


@define("matrix")
def identity(a: Matrix) -> Matrix:
    """The identity of the shape of a square matrix, whatever its numbers are."""
    return [[float(i == j) for j in range(len(a))] for i in range(len(a))]


@define("matrix", numbers=("eps",), words=("set", "rounds"))
def orthogonal(
    a: Matrix,
    eps: Matrix | None = None,
    *,
    set: str = USUAL,  # noqa: A002
    rounds: int | None = None,
) -> Matrix:
    """Nearly orthogonal matrix of the same directions: five rounds of Newton-Schulz (Jordan 2024, Muon)."""
    if len(a) > len(a[0]):
        return transpose(orthogonal(transpose(a), eps, set=set, rounds=rounds))
    coefficients = SETS[set]
    length = norm([value for row in a for value in row]) * coefficients.stretch + (EPS if eps is None else eps[0][0])
    x = [[div(value, length) for value in row] for row in a]
    for first, second, third in coefficients.of(rounds):
        square = matmul(x, transpose(x))
        fourth = matmul(square, square)
        mixed = [
            [second * s + third * f for s, f in zip(*rows, strict=True)] for rows in zip(square, fourth, strict=True)
        ]
        moved = matmul(mixed, x)
        x = [[first * u + w for u, w in zip(*rows, strict=True)] for rows in zip(x, moved, strict=True)]
    return x


def _rotated(a: Matrix, vectors: Matrix, p: int, q: int) -> None:
    """Zero the entry (p, q) of a symmetric matrix by one Jacobi rotation, in place."""
    theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q])
    tangent = math.copysign(1.0, theta) / (abs(theta) + math.hypot(theta, 1.0))
    cosine = 1.0 / math.hypot(tangent, 1.0)
    sine = tangent * cosine
    for row in (*a, *vectors):
        row[p], row[q] = cosine * row[p] - sine * row[q], sine * row[p] + cosine * row[q]
    for k in range(len(a)):
        a[p][k], a[q][k] = cosine * a[p][k] - sine * a[q][k], sine * a[p][k] + cosine * a[q][k]
    a[p][q] = a[q][p] = 0.0


def _signed(column: list[float]) -> list[float]:
    """Turn a vector so that its entry of largest size is positive: eigenvectors are unique only up to sign."""
    return [-v for v in column] if max(column, key=abs) < 0.0 else column


@define("matrix", results=2)
def eigh(a: Matrix) -> tuple[Matrix, Matrix]:
    """Eigenvalues (a row, ascending), eigenvectors (columns, largest entry positive) of a symmetric matrix.

    Its lower half counts.
    """
    count = len(a)
    work = [[a[max(i, j)][min(i, j)] for j in range(count)] for i in range(count)]
    vectors = [[float(i == j) for j in range(count)] for i in range(count)]
    if not all(math.isfinite(v) for row in work for v in row):
        return [[math.nan] * count], [[math.nan] * count for _ in range(count)]
    scale = max((abs(v) for row in work for v in row), default=0.0)
    for _ in range(60):
        off = [(i, j) for i in range(count) for j in range(i + 1, count) if abs(work[i][j]) > 1e-300]
        if not off or max(abs(work[i][j]) for i, j in off) <= 1e-17 * scale:
            break
        for i, j in off:
            if work[i][j] != 0.0:
                _rotated(work, vectors, i, j)
    order = sorted(range(count), key=lambda i: work[i][i])
    found = transpose(vectors)
    return [[work[i][i] for i in order]], transpose([_signed(found[i]) for i in order])


@define("matrix")
def leading(a: Matrix, count: Matrix) -> Matrix:
    """The first columns of a matrix, as many as a whole number or a knob says."""
    return [row[: int(count[0][0])] for row in a]


@define("matrix")
def sorted_by(a: Matrix, keys: Matrix) -> Matrix:
    """The columns of a matrix in the order of a row of numbers, the largest first; equal ones and NaN stay in order."""
    (row,) = keys
    order = sorted(range(len(row)), key=lambda j: math.inf if row[j] != row[j] else -row[j])
    return [[line[j] for j in order] for line in a]


@define("matrix", results=2)
def qr(a: Matrix) -> tuple[Matrix, Matrix]:
    """Factors Q (orthonormal columns) and R (upper triangular, no negative diagonal) of a matrix."""
    remaining = transpose(a)
    count = min(len(a), len(a[0]))
    basis: Matrix = []
    for column in remaining[:count]:
        rest = list(column)
        for _ in range(2):  # twice is enough for orthogonality to rounding (Kahan, Parlett)
            for unit in basis:
                along = sum_([u * v for u, v in zip(unit, rest, strict=True)])
                rest = [v - along * u for u, v in zip(unit, rest, strict=True)]
        length = norm(rest)
        basis.append([div(v, length) for v in rest])
    return transpose(basis), [
        [
            sum_([u * v for u, v in zip(unit, column, strict=True)]) if j >= i else 0.0
            for j, column in enumerate(remaining)
        ]
        for i, unit in enumerate(basis)
    ]
