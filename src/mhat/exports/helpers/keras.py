"""What files for Keras have beside their lines: functions on tensors. It is text and knows no rule."""

from __future__ import annotations

HELPERS = {
    "_mean": '''def _mean(a: Any, axis: int | None = None) -> Any:
    """Give the mean, of rows or columns where they are told; `ops.mean` computes in float32 on torch."""
    count = math.prod(a.shape) if axis is None else a.shape[axis]
    return ops.sum(a, axis=axis, keepdims=axis is not None) / count''',
    "_maximum": '''def _maximum(a: Any, b: Any) -> Any:
    """Give the larger, NaN where one is NaN; `ops.maximum` makes float32 of doubles on torch."""
    return ops.where((a > b) | (a != a), a, b)''',
    "_minimum": '''def _minimum(a: Any, b: Any) -> Any:
    """Give the smaller, NaN where one is NaN; `ops.minimum` makes float32 of doubles on torch."""
    return ops.where((a < b) | (a != a), a, b)''',
    "_sign": '''def _sign(a: Any) -> Any:
    """Give the sign, NaN for NaN."""
    return ops.where(ops.isnan(a), a, ops.sign(a))''',
    "_cbrt": '''def _cbrt(a: Any) -> Any:
    """Give the cube root, of negative numbers too."""
    return ops.sign(a) * ops.abs(a) ** (1 / 3)''',
    "_orthogonal": '''def _orthogonal(a: Any, coefficients: tuple, eps: float = 1e-7) -> Any:
    """Give a nearly orthogonal matrix of the same directions, by Newton's and Schulz's iteration."""
    if a.shape[0] > a.shape[1]:
        return ops.transpose(_orthogonal(ops.transpose(a), coefficients, eps))
    stretch, *rounds = coefficients
    a = a / (ops.sqrt(ops.sum(ops.square(a))) * stretch + eps)
    for first, second, third in rounds:
        square = a @ ops.transpose(a)
        a = first * a + (second * square + third * (square @ square)) @ a
    return a''',
    "_eigh": '''def _eigh(a: Any) -> tuple[Any, Any]:
    """Give eigenvalues, ascending in a row, and eigenvectors, the largest entry of each positive."""
    values, vectors = ops.eigh(a)
    turned = ops.max(vectors, axis=0) < -ops.min(vectors, axis=0)
    return values[None, :], ops.where(turned, -vectors, vectors)''',
    "_qr": '''def _qr(a: Any) -> tuple[Any, Any]:
    """Give the factors Q and R of a matrix, no number on the diagonal of R negative."""
    q, r = ops.qr(a)
    diagonal = ops.diagonal(r)
    signs = ops.where(diagonal < 0, -ops.ones_like(diagonal), ops.ones_like(diagonal))
    return q * signs, r * signs[:, None]''',
    "_sorted_by": '''def _sorted_by(a: Any, keys: Any) -> Any:
    """Put the columns of a matrix into the order of a row of numbers, the largest first."""
    return ops.take(a, ops.argsort(ops.where(ops.isnan(keys), math.inf, -keys)[0]), axis=1)''',
}
