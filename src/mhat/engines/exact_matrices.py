"""Reductions and matrix operations on mpmath numbers, on lists and lists of rows. It knows no floats and no arrays."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

from mhat.engines.exact_numbers import Digits, Numbers
from mhat.ops.orthogonality import EPS, SETS, USUAL
from mhat.ops.tensors import BLOCK, padded_length

Matrix = list[list[Digits]]


def _is_padded(length: int) -> bool:
    """Whether the definition's blocked order adds a zero anywhere, which makes a sum of negative zeros +0."""
    while length > 1:
        padded = padded_length(length)
        if padded != length:
            return True
        length = padded // min(padded, BLOCK)
    return length == 0


def sum_of(n: Numbers, values: Sequence[Digits]) -> Digits:
    """Sum numbers; 0 for none. The order does not count with so many digits."""
    return reduce(n.add, values, n.zero) if _is_padded(len(values)) else reduce(n.add, values)


def mean_of(n: Numbers, values: Sequence[Digits]) -> Digits:
    """Mean of numbers."""
    return n.div(sum_of(n, values), n.number(len(values)))


def norm_of(n: Numbers, values: Sequence[Digits]) -> Digits:
    """Root of the sum of the squares."""
    return n.sqrt(sum_of(n, [n.mul(v, v) for v in values]))


def largest_of(n: Numbers, values: Sequence[Digits]) -> Digits:
    """Largest of numbers: NaN wins, a zero is +0; minus infinity for none."""
    if any(v != v for v in values):
        return n.nan
    found = max(values, default=n.neg(n.infinity))
    return found if found else n.zero


def size_of(n: Numbers, values: Sequence[Digits]) -> Digits:
    """Count the numbers."""
    return n.number(len(values))


def dot(n: Numbers, a: Sequence[Digits], b: Sequence[Digits]) -> Digits:
    """Sum of the products."""
    return sum_of(n, [n.mul(x, y) for x, y in zip(a, b, strict=True)])


def transpose(n: Numbers, a: Matrix) -> Matrix:
    """Exchange rows and columns."""
    return [list(column) for column in zip(*a, strict=True)]


def matmul(n: Numbers, a: Matrix, b: Matrix) -> Matrix:
    """Multiply two matrices."""
    turned = transpose(n, b)
    return [[dot(n, row, column) for column in turned] for row in a]


def row_mean(n: Numbers, a: Matrix) -> Matrix:
    """Mean of each row, as a column."""
    return [[mean_of(n, row)] for row in a]


def column_mean(n: Numbers, a: Matrix) -> Matrix:
    """Mean of each column, as a row."""
    return [[mean_of(n, column) for column in transpose(n, a)]]


def row_largest(n: Numbers, a: Matrix) -> Matrix:
    """Largest of each row, as a column."""
    return [[largest_of(n, row)] for row in a]


def column_largest(n: Numbers, a: Matrix) -> Matrix:
    """Largest of each column, as a row."""
    return [[largest_of(n, column) for column in transpose(n, a)]]


def rows(n: Numbers, a: Matrix) -> Digits:
    """Count the rows."""
    return n.number(len(a))


def columns(n: Numbers, a: Matrix) -> Digits:
    """Count the columns."""
    return n.number(len(a[0]))


def identity(n: Numbers, a: Matrix) -> Matrix:
    """Make the identity of the shape of a square matrix."""
    return [[n.one if i == j else n.zero for j in range(len(a))] for i in range(len(a))]


def orthogonal(
    n: Numbers,
    a: Matrix,
    eps: Matrix | None = None,
    *,
    set: str = USUAL,  # noqa: A002
    rounds: int | None = None,
) -> Matrix:
    """Make a matrix nearly orthogonal by Newton and Schulz's iteration with coefficients of a name."""
    if len(a) > len(a[0]):
        return transpose(n, orthogonal(n, transpose(n, a), eps, set=set, rounds=rounds))
    stretched = n.mul(norm_of(n, [v for row in a for v in row]), n.number(SETS[set].stretch))
    length = n.add(stretched, n.number(EPS) if eps is None else eps[0][0])
    x = [[n.div(v, length) for v in row] for row in a]
    for triple in SETS[set].of(rounds):
        first, second, third = map(n.number, triple)
        square = matmul(n, x, transpose(n, x))
        cubic = matmul(n, square, x)
        quintic = matmul(n, square, cubic)
        x = [
            [n.add(n.add(n.mul(first, u), n.mul(second, v)), n.mul(third, w)) for u, v, w in zip(*rows, strict=True)]
            for rows in zip(x, cubic, quintic, strict=True)
        ]
    return x


def leading(n: Numbers, a: Matrix, count: Matrix) -> Matrix:
    """Take the first columns."""
    return [row[: int(count[0][0])] for row in a]


def sorted_by(n: Numbers, a: Matrix, keys: Matrix) -> Matrix:
    """Put columns into the order of a row of numbers, the largest first, NaN last."""
    (row,) = keys
    order = sorted(range(len(row)), key=lambda j: n.infinity if row[j] != row[j] else -row[j])
    return [[line[j] for j in order] for line in a]


def eigh(n: Numbers, a: Matrix) -> tuple[Matrix, Matrix]:
    """Eigenvalues (a row, ascending) and eigenvectors (columns) of the symmetric matrix of the lower half."""
    size = len(a)
    lower = [[a[max(i, j)][min(i, j)] for j in range(size)] for i in range(size)]
    if not all(n.finite(v) for row in lower for v in row):
        return [[n.nan] * size], [[n.nan] * size for _ in range(size)]
    values, vectors = n.context.eigsy(n.context.matrix(lower))
    found = [_turned([vectors[i, j] for i in range(size)]) for j in range(size)]
    return [list(values)], transpose(n, found)


def _turned(column: list[Digits]) -> list[Digits]:
    """Turn an eigenvector so that its entry of largest size is positive."""
    return [-v for v in column] if max(column, key=abs) < 0 else column


def qr(n: Numbers, a: Matrix) -> tuple[Matrix, Matrix]:
    """Orthonormal columns and an upper triangle without negative diagonal, by Gram and Schmidt, done twice."""
    given = transpose(n, a)
    basis: Matrix = []
    for column in given[: len(a)]:
        rest = column
        for unit in basis * 2:
            along = dot(n, unit, rest)
            rest = [n.sub(v, n.mul(along, u)) for u, v in zip(unit, rest, strict=True)]
        length = norm_of(n, rest)
        basis.append([n.div(v, length) for v in rest])
    triangle = [
        [dot(n, unit, column) if j >= i else n.zero for j, column in enumerate(given)] for i, unit in enumerate(basis)
    ]
    return transpose(n, basis), triangle


REDUCTIONS: dict[str, Any] = {
    "sum": sum_of, "mean": mean_of, "norm": norm_of, "largest": largest_of, "size": size_of,
}  # fmt: skip
MATRIX_OPERATIONS: dict[str, Any] = {
    "matmul": matmul, "transpose": transpose, "row_mean": row_mean, "column_mean": column_mean,
    "row_largest": row_largest, "column_largest": column_largest, "rows": rows, "columns": columns,
    "identity": identity, "leading": leading, "sorted_by": sorted_by, "orthogonal": orthogonal, "eigh": eigh, "qr": qr,
}  # fmt: skip
