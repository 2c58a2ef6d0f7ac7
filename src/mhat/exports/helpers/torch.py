"""What files for PyTorch have beside their lines: functions on tensors, and methods. It is text and knows no rule."""

from __future__ import annotations

HELPERS = {
    "_sign": '''def _sign(a: Tensor) -> Tensor:
    """Give the sign, NaN for NaN, where torch.sign gives 0."""
    return torch.where(torch.isnan(a), a, torch.sign(a))''',
    "_cbrt": '''def _cbrt(a: Tensor) -> Tensor:
    """Give the cube root, of negative numbers too."""
    return torch.sign(a) * torch.abs(a) ** (1 / 3)''',
    "_orthogonal": '''def _orthogonal(a: Tensor, coefficients: tuple[Any, ...], eps: float = 1e-7) -> Tensor:
    """Give a nearly orthogonal matrix of the same directions, by Newton's and Schulz's iteration."""
    if a.shape[0] > a.shape[1]:
        return _orthogonal(a.T, coefficients, eps).T
    stretch, *rounds = coefficients
    a = a / (torch.linalg.matrix_norm(a) * stretch + eps)
    for first, second, third in rounds:
        square = a @ a.T
        a = first * a + (second * square + third * (square @ square)) @ a
    return a''',
    "_eigh": '''def _eigh(a: Tensor) -> tuple[Tensor, Tensor]:
    """Give eigenvalues, ascending in a row, and eigenvectors, the largest entry of each positive."""
    if not torch.isfinite(torch.tril(a)).all():
        return a.new_full((1, len(a)), math.nan), torch.full_like(a, math.nan)
    values, vectors = torch.linalg.eigh(a)
    turned = vectors.amax(dim=0) < -vectors.amin(dim=0)
    return values[None, :], torch.where(turned, -vectors, vectors)''',
    "_qr": '''def _qr(a: Tensor) -> tuple[Tensor, Tensor]:
    """Give the factors Q and R of a matrix, no number on the diagonal of R negative."""
    q, r = torch.linalg.qr(a)
    diagonal = torch.diagonal(r)
    signs = torch.where(diagonal < 0, -torch.ones_like(diagonal), torch.ones_like(diagonal))
    return q * signs, r * signs[:, None]''',
    "_sorted_by": '''def _sorted_by(a: Tensor, keys: Tensor) -> Tensor:
    """Put the columns of a matrix into the order of a row of numbers, the largest first."""
    return a[:, torch.argsort(torch.where(torch.isnan(keys), math.inf, -keys)[0], stable=True)]''',
}

# A method of rules with reductions over all parameters.
LOOK = '''
def _look(self) -> Iterable[tuple[dict[str, Any], Tensor, Tensor, dict[str, Any]]]:
    """Go over the parameters that have gradients: group, parameter, gradient, state."""
    for group in self.param_groups:
        for p in group["params"]:
            if p.grad is None:
                continue
            if p.grad.is_sparse or p.is_complex():
                raise RuntimeError(f"{type(self).__name__} takes dense gradients of real numbers")
            yield group, p, -p.grad if group["maximize"] else p.grad, self.state[p]'''

# Methods of rules whose parameters for evaluation differ from those in training.
SWAP = '''
@property
def evaluating(self) -> bool:
    """Whether the parameters are those to evaluate."""
    return any("x_train" in state for state in self.state.values())

@torch.no_grad()
def eval(self) -> None:
    """Put the parameters to evaluate in the place of those in training; done twice it is done once."""
    for p, state in self.state.items():
        if "x_eval" in state and "x_train" not in state:
            state["x_train"] = p.clone()
            p.copy_(state["x_eval"].reshape(p.shape))

@torch.no_grad()
def train(self) -> None:
    """Put the parameters in training back."""
    for p, state in self.state.items():
        if "x_train" in state:
            p.copy_(state.pop("x_train"))'''
