"""Rules per matrix, and ports of them in several styles. A wrong one says by which words its mistake is named.

They know nothing of mhat but the rules they are held against.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import mhat

MUON = mhat.rule("""def muon(x, g, buf=0, *, lr=0.02, momentum=0.95):
    buf = momentum * buf + g
    look = g + momentum * buf
    return x - lr * orthogonal(look)
""")
KELLER = mhat.rule(
    """def keller(x, g, m=0, *, lr=0.02, momentum=0.95, weight_decay=0):
    m = momentum * m + (1 - momentum) * g
    u = (1 - momentum) * g + momentum * m
    rows = sum(row_mean(x ** 0))
    columns = sum(column_mean(x ** 0))
    ratio = orthogonal(u) * sqrt(maximum(1, rows / columns))
    return (1 - lr * weight_decay) * x - lr * ratio
""".replace("rows =", "high =")
    .replace("columns =", "wide =")
    .replace("rows / columns", "high / wide")
)
SHAMPOO = mhat.rule("""def shampoo(x, g, left=0, right=0, *, lr=1e-1, eps=1e-4):
    left = left + g @ transpose(g)
    right = right + transpose(g) @ g
    lw, lu = eigh(left)
    rw, ru = eigh(right)
    lroot = (lu * (lw + eps) ** (-0.25)) @ transpose(lu)
    rroot = (ru * (rw + eps) ** (-0.25)) @ transpose(ru)
    return x - lr * (lroot @ g @ rroot)
""")
ADAFACTOR = mhat.rule("""def factored(x, g, t, r=0, c=0, *, lr=1e-2, decay=0.8, eps1=1e-16, eps2=1e-3, d=1.0):
    keep = t ** (-decay)
    r = r + keep * (row_mean(g**2) - r)
    c = c + keep * (column_mean(g**2) - c)
    v = r * c / maximum(mean(r), eps1)
    u = g / sqrt(maximum(v, eps1 * eps1))
    rate = maximum(eps2, sqrt(mean(x**2))) * minimum(lr, 1 / sqrt(t))
    return x - rate / maximum(1, sqrt(mean(u**2)) / d) * u
""")
PLAIN = (3.4445, -4.7750, 2.0315)


def newton_schulz(G: Any, steps: int = 5, coefficients: Any = PLAIN, eps: float = 1e-7) -> Any:
    a, b, c = coefficients
    X = G / (np.linalg.norm(G, "fro") + eps)
    if G.shape[0] > G.shape[1]:
        X = X.T
    for _ in range(steps):
        A = X @ X.T
        X = a * X + (b * A + c * (A @ A)) @ X
    return X.T if G.shape[0] > G.shape[1] else X


def by_singular_vectors(G: Any) -> Any:
    u, _, vh = np.linalg.svd(G, full_matrices=False)
    return u @ vh


def clamped(G: Any) -> Any:
    z = G / max(np.sqrt(np.sum(G**2)), 1e-8)
    for _ in range(5):
        gram = z.T @ z
        z = PLAIN[0] * z + z @ (PLAIN[1] * gram + PLAIN[2] * gram.dot(gram))
    return z


class Muon:
    """One weight, a momentum that adds up, Nesterov's look ahead."""

    orth: Any = staticmethod(newton_schulz)

    def __init__(self, lr: float = 0.02, momentum: float = 0.95) -> None:
        self.lr, self.momentum, self.buf = lr, momentum, None

    def look(self, g: Any) -> Any:
        self.buf = g.copy() if self.buf is None else self.momentum * self.buf + g
        return g + self.momentum * self.buf

    def step(self, x: Any, g: Any) -> Any:
        return x - self.lr * self.orth(self.look(g))


class MuonBySingularVectors(Muon):
    orth = staticmethod(by_singular_vectors)


class MuonClamped(Muon):
    orth = staticmethod(clamped)


class MuonOfAverages(Muon):
    """After orthogonalisation the scale of the average does not matter."""

    def look(self, g: Any) -> Any:
        before = np.zeros_like(g) if self.buf is None else self.buf
        self.buf = self.momentum * before + (1 - self.momentum) * g
        return (1 - self.momentum) * g + self.momentum * self.buf


class MuonHidden(Muon):
    def __init__(self) -> None:
        super().__init__(0.05, 0.9)


class KellerMuon:
    """Several weights under names."""

    def __init__(self, params: Any, lr: float = 0.02, momentum: float = 0.95, weight_decay: float = 0.0) -> None:
        self.params, self.lr, self.mu, self.wd = params, lr, momentum, weight_decay
        self.bufs = {k: np.zeros_like(v) for k, v in params.items()}

    def scale(self, p: Any) -> float:
        return float(max(1, p.shape[0] / p.shape[1]) ** 0.5)

    def step(self, grads: Any) -> None:
        for k, p in self.params.items():
            g, b = grads[k], self.bufs[k]
            b += (1 - self.mu) * (g - b)
            u = newton_schulz(g + self.mu * (b - g))
            p *= 1 - self.lr * self.wd
            p -= self.lr * self.scale(p) * u


def run_muon(gradients: Any, lr: float = 0.02, momentum: float = 0.95, start: Any = 0.0) -> Any:
    x = np.zeros(gradients.shape[1:]) + start
    buf, path = np.zeros_like(x), []
    for g in gradients:
        buf = momentum * buf + g
        x = x - lr * newton_schulz(g + momentum * buf)
        path.append(x.copy())
    return np.array(path)


class Shampoo:
    power = -0.25

    def __init__(self, lr: float = 0.1, eps: float = 1e-4) -> None:
        self.lr, self.eps = lr, eps
        self.sides: Any = None

    def root(self, M: Any) -> Any:
        w, Q = np.linalg.eigh(M + self.eps * np.eye(len(M)))
        # Eigenvectors have no sign of their own.
        Q = Q * np.where(np.arange(len(M)) % 2, -1.0, 1.0)
        return (Q * w**self.power) @ Q.T

    def step(self, W: Any, G: Any) -> Any:
        left, right = self.sides or (0.0, 0.0)
        self.sides = left + G @ G.T, right + G.T @ G
        return W - self.lr * self.root(self.sides[0]) @ G @ self.root(self.sides[1])


class Adafactor:
    def __init__(self, lr: float = 1e-2, d: float = 1.0) -> None:
        self.lr, self.d, self.t = lr, d, 0
        self.R: Any = 0.0
        self.C: Any = 0.0

    def columns_of(self, square: Any) -> Any:
        return square.mean(0, keepdims=True)

    def clip(self, U: Any) -> float:
        return max(1.0, float(np.sqrt((U**2).mean())) / self.d)

    def step(self, W: Any, G: Any) -> Any:
        self.t += 1
        rho = self.t**-0.8
        alpha = max(1e-3, np.sqrt((W**2).mean())) * min(self.lr, 1 / math.sqrt(self.t))
        self.R = self.R + rho * (np.square(G).mean(1, keepdims=True) - self.R)
        self.C = self.C + rho * (self.columns_of(np.square(G)) - self.C)
        V = self.R * self.C / max(np.mean(self.R), 1e-16)
        U = G / np.sqrt(np.maximum(V, 1e-32))
        return W - alpha / self.clip(U) * U


RIGHT = [
    (MUON, Muon), (MUON, MuonHidden), (MUON, MuonOfAverages), (MUON, MuonClamped), (MUON, run_muon),
    (KELLER, KellerMuon), (SHAMPOO, Shampoo), (ADAFACTOR, Adafactor),
]  # fmt: skip


class WithoutNesterov(Muon):
    def look(self, g: Any) -> Any:
        super().look(g)
        return self.buf


class FourRounds(Muon):
    orth = staticmethod(lambda g: newton_schulz(g, 4))


class OtherCoefficient(Muon):
    orth = staticmethod(lambda g: newton_schulz(g, coefficients=(3.4445, -4.7750, 2.315)))


class OnlyNormalised(Muon):
    orth = staticmethod(lambda g: g / (np.linalg.norm(g) + 1e-7))


class DecaysInside(Muon):
    def step(self, x: Any, g: Any) -> Any:
        return super().step(x, g + 0.1 * x)


class DecaysToo(Muon):
    def step(self, x: Any, g: Any) -> Any:
        return super().step(x * (1 - self.lr * 0.1), g)


class ExchangedSides(KellerMuon):
    def scale(self, p: Any) -> float:
        return float(max(1, p.shape[1] / p.shape[0]) ** 0.5)


class SquareRoots(Shampoo):
    power = -0.5


class LeftAlone(Shampoo):
    def step(self, W: Any, G: Any) -> Any:
        self.sides = G @ G.T + (0.0 if self.sides is None else self.sides)
        return W - self.lr * self.root(self.sides) @ G


class Unclipped(Adafactor):
    def clip(self, U: Any) -> float:
        return 1.0


# The rule, the port, and what its name says.
WRONG = [
    (MUON, WithoutNesterov, "the term `g` is missing"),
    (MUON, FourRounds, "takes 4 rounds, not 5"),
    (MUON, OtherCoefficient, "`2.315` where 2.0315 should be"),
    (MUON, OnlyNormalised, "`look / (norm(look) + 1e-7)` stands where `orthogonal(look)` should"),
    (MUON, DecaysInside, "`0.1 * x` is added to the gradient"),
    (MUON, DecaysToo, "`lr * 0.1 * x` is taken from the new x"),
    (KELLER, ExchangedSides, "`wide / high` stands where `high / wide` should"),
    (SHAMPOO, SquareRoots, "`0.5` stands where `0.25` should"),
    (SHAMPOO, LeftAlone, "in `rroot` the factor `(rw + eps)**-0.25` is missing"),
    (ADAFACTOR, Unclipped, "the division by `maximum(1, sqrt(mean(u**2)) / d)` is missing"),
]
