"""Functions on matrices that files of optax call, as texts: each file has those that it needs. It runs nothing."""

from __future__ import annotations

HELPERS = {
    "_orthogonal": '''def _orthogonal(a: jax.Array, coefficients: tuple, eps: float = 1e-7) -> jax.Array:
    """Give a nearly orthogonal matrix of the same directions, by Newton's and Schulz's iteration."""
    if a.shape[0] > a.shape[1]:
        return _orthogonal(a.T, coefficients, eps).T
    stretch, *rounds = coefficients
    a = a / (jnp.linalg.norm(a) * stretch + eps)
    for first, second, third in rounds:
        square = a @ a.T
        a = first * a + (second * square + third * (square @ square)) @ a
    return a''',
    "_eigh": '''def _eigh(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Give eigenvalues, ascending in a row, and eigenvectors, the largest entry of each positive."""
    values, vectors = jnp.linalg.eigh(a)
    return values[None, :], jnp.where(vectors.max(axis=0) >= -vectors.min(axis=0), vectors, -vectors)''',
    "_qr": '''def _qr(a: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Give the factors Q and R of a matrix, no number on the diagonal of R negative."""
    q, r = jnp.linalg.qr(a)
    signs = jnp.where(jnp.diag(r) < 0, -1, 1).astype(a.dtype)
    return q * signs, r * signs[:, None]''',
    "_sorted_by": '''def _sorted_by(a: jax.Array, keys: jax.Array) -> jax.Array:
    """Put the columns of a matrix into the order of a row of numbers, the largest first."""
    return a[:, jnp.argsort(jnp.where(jnp.isnan(keys), jnp.inf, -keys)[0], stable=True)]''',
}

AS_MATRIX = '''def _matrix(a: jax.Array) -> jax.Array:
    """See a kernel of more dimensions as a matrix: all axes but the {} together."""
    return a.reshape({}) if a.ndim > 2 else a'''
FLATTENED = {"first": ("first", "len(a), -1"), "last": ("last", "-1, a.shape[-1]")}
