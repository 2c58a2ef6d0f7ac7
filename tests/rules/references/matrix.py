"""Rules per matrix once more in NumPy, a matrix a step. It knows neither the rule language nor mhat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from tests.rules.references.shared import Array

# A formula takes the gradients, where it starts and the knobs, and gives the parameters after each step.
MATRICES: dict[str, Callable[..., Array]] = {}
Step = Callable[[int, Array, Array, dict[str, Array]], Array]


def stepped(of: Callable[..., Step]) -> Callable[..., Step]:
    """Enter a function from knobs to a step: from step number, gradient, parameter and memory to the new parameter."""

    def run(gradients: Array, start: Array, **knobs: float) -> Array:
        step, memory, here, record = of(**knobs), {}, np.array(start, dtype=float), []
        for number, gradient in enumerate(gradients, 1):
            here = step(number, gradient, here, memory)
            record.append(here)
        return np.array(record)

    MATRICES[of.__name__] = run
    return of


def averaged(memory: dict[str, Array], name: str, beta: float, value: Array) -> Array:
    """Average a value into the memory, which starts at zero."""
    memory[name] = beta * memory.get(name, np.zeros_like(value)) + (1 - beta) * value
    return memory[name]


def summed(memory: dict[str, Array], name: str, value: Array, kept: float = 1.0) -> Array:
    """Add a value to the memory, of which a share is kept."""
    memory[name] = kept * memory.get(name, np.zeros_like(value)) + value
    return memory[name]


def rms(values: Array) -> float:
    """Give the root mean square."""
    return float(np.sqrt(np.mean(values**2)))


def length(values: Array) -> float:
    """Give the Frobenius norm."""
    return float(np.linalg.norm(values))


def newton_schulz(matrix: Array) -> Array:
    """Orthogonalize by five rounds of Jordan's quintic."""
    x = matrix / (length(matrix) + 1e-7)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    for _ in range(5):
        gram = x @ x.T
        x = 3.4445 * x + (-4.7750 * gram + 2.0315 * gram @ gram) @ x
    return x.T if tall else x


def power(matrix: Array, exponent: float, eps: float) -> Array:
    """Raise a symmetric matrix plus eps to a power."""
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray(vectors @ np.diag((values + eps) ** exponent) @ vectors.T)


@stepped
def muon(lr: float, momentum: float, weight_decay: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        m = averaged(memory, "m", momentum, g)
        update = newton_schulz(g + momentum * (m - g)) * max(1, x.shape[0] / x.shape[1]) ** 0.5
        return x * (1 - lr * weight_decay) - lr * update

    return step


@stepped
def muon_moonlight(lr: float, momentum: float, weight_decay: float, rms: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        u = g + momentum * summed(memory, "m", g, momentum)
        return x * (1 - lr * weight_decay) - lr * rms * max(x.shape) ** 0.5 * newton_schulz(u)

    return step


@stepped
def normuon(lr: float, momentum: float, beta2: float, weight_decay: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        m = averaged(memory, "m", momentum, g)
        o = newton_schulz(g + momentum * (m - g))
        v = averaged(memory, "v", beta2, np.mean(o**2, axis=1, keepdims=True))
        u = o / (np.sqrt(v) + 1e-10)
        u = u * (length(o) / (length(u) + 1e-10)) * max(1, x.shape[0] / x.shape[1]) ** 0.5
        return x * (1 - lr * weight_decay) - lr * u

    return step


@stepped
def adamuon(lr: float, momentum: float, eps: float, weight_decay: float, rms: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        o = newton_schulz(np.sign(g + momentum * summed(memory, "m", g, momentum)))
        u = o / (np.sqrt(averaged(memory, "v", momentum, o**2)) + eps)
        return x * (1 - lr * weight_decay) - lr * rms * x.size**0.5 * u / length(u)

    return step


@stepped
def adago(lr: float, momentum: float, eps: float, gamma: float, v0: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        clipped = np.array(min(length(g), gamma))
        total = v0**2 + summed(memory, "squares", clipped**2)
        rate = max(eps, lr * float(clipped) / float(np.sqrt(total)))
        return x - rate * newton_schulz(averaged(memory, "m", momentum, g))

    return step


@stepped
def namo(lr: float, momentum: float, beta2: float, eps: float, weight_decay: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        m = averaged(memory, "m", momentum, g)
        v = averaged(memory, "v", beta2, np.array(length(g) ** 2))
        rate = lr * (1 - beta2**t) ** 0.5 / (1 - momentum**t) * length(m) / (float(v) ** 0.5 + eps)
        return x - rate * newton_schulz(m) - rate * weight_decay * x

    return step


@stepped
def shampoo(lr: float, eps: float, every: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        left, right = summed(memory, "left", g @ g.T), summed(memory, "right", g.T @ g)
        if (t - 1) % every == 0:
            memory["roots"] = np.array([power(left, -0.25, eps), power(right, -0.25, eps)], dtype=object)
        one, other = memory["roots"]
        return x - lr * one @ g @ other

    return step


@stepped
def asgo(lr: float, eps: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        values, vectors = np.linalg.eigh(summed(memory, "left", g @ g.T))
        root = vectors @ np.diag(np.sqrt(np.maximum(values, 0))) @ vectors.T
        return x - lr * np.linalg.solve(root + eps * np.eye(len(root)), g)

    return step


@stepped
def splus(lr: float, beta1: float, beta2: float, beta3: float, weight_decay: float, every: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        rate = lr * 2 / sum(x.shape)
        m = averaged(memory, "m", beta1, g)
        left, right = averaged(memory, "left", beta2, g @ g.T), averaged(memory, "right", beta2, g.T @ g)
        u = np.sign(m) if t == 1 else memory["ql"] @ np.sign(memory["ql"].T @ m @ memory["qr"]) @ memory["qr"].T
        if t == 1 or t % every == 0:
            memory["ql"], memory["qr"] = np.linalg.eigh(left)[1], np.linalg.eigh(right)[1]
        return (x - rate * u) * (1 - rate * weight_decay)

    return step


@stepped
def soap(lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, every: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        # The authors' count begins with the second gradient: the first one makes the bases.
        s, moved = t - 1, x
        if s > 0:
            ql, qr = memory["ql"], memory["qr"]
            rotated = ql.T @ g @ qr
            m, v = averaged(memory, "m", beta1, rotated), averaged(memory, "v", beta2, rotated**2)
            rate = lr * (1 - beta2**s) ** 0.5 / (1 - beta1**s)
            moved = x - rate * ql @ (m / (np.sqrt(v) + eps)) @ qr.T
            moved = moved - lr * weight_decay * moved
            kept = ql @ m @ qr.T
        left, right = averaged(memory, "left", beta2, g @ g.T), averaged(memory, "right", beta2, g.T @ g)
        if s == 0:
            memory["ql"], memory["qr"] = np.linalg.eigh(-left)[1], np.linalg.eigh(-right)[1]
        elif s % every == 0:
            memory["ql"] = np.linalg.qr(left @ ql)[0]
            memory["qr"] = np.linalg.qr(right @ qr)[0]
        if s > 0:
            memory["m"] = memory["ql"].T @ kept @ memory["qr"]
        return moved

    return step


@stepped
def scion(lr: float, alpha: float, radius: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        vertex = -radius * (x.shape[0] / x.shape[1]) ** 0.5 * newton_schulz(averaged(memory, "d", 1 - alpha, g))
        return (1 - lr) * x + lr * vertex

    return step


@stepped
def polargrad(lr: float, momentum: float, weight_decay: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        m = averaged(memory, "m", momentum, g)
        u = newton_schulz(m)
        return x - lr * (np.trace(m.T @ u) * u + weight_decay * x)

    return step


@stepped
def sron(lr: float, momentum: float, eps: float, weight_decay: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        m = averaged(memory, "m", momentum, g)
        rows = np.linalg.norm(m, axis=1, keepdims=True) / x.shape[1] ** 0.5
        return x - lr * (m / (rows + eps) + weight_decay * x)

    return step


@stepped
def nero(lr: float, rho: float, eps: float, scale: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        v = averaged(memory, "v", rho, np.sum(g**2, axis=1, keepdims=True))
        x = x - lr * scale * g / (np.sqrt(v / (1 - rho**t)) + eps)
        x = x - x.mean(axis=1, keepdims=True)
        return x / (np.linalg.norm(x, axis=1, keepdims=True) + eps)

    return step


@stepped
def adafactor(lr: float, weight_decay: float, decay: float, eps1: float, eps2: float, d: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        beta = 1 - t**-decay
        r = averaged(memory, "r", beta, np.mean(g**2, axis=1, keepdims=True))
        c = averaged(memory, "c", beta, np.mean(g**2, axis=0, keepdims=True))
        u = g / np.maximum(np.sqrt(r @ c / max(float(r.mean()), eps1)), eps1)
        rate = max(eps2, rms(x)) * min(lr, t**-0.5)
        return x * (1 - lr * weight_decay) - rate * u / max(1.0, rms(u) / d)

    return step


@stepped
def came(
    lr: float,
    beta1: float,
    beta2: float,
    beta3: float,
    weight_decay: float,
    eps1: float,
    eps2: float,
    d: float,
) -> Step:
    def factored(memory: dict[str, Array], names: str, beta: float, square: Array) -> Array:
        r = averaged(memory, names[0], beta, square.mean(axis=1, keepdims=True))
        c = averaged(memory, names[1], beta, square.mean(axis=0, keepdims=True))
        return np.asarray(r / r.mean() * c)

    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        u = g * factored(memory, "rc", beta2, g**2 + eps1) ** -0.5
        u /= max(1.0, rms(u) / d)
        m = averaged(memory, "m", beta1, u)
        return x * (1 - lr * weight_decay) - lr * m * factored(memory, "pq", beta3, (u - m) ** 2 + eps2) ** -0.5

    return step


@stepped
def adam_mini(lr: float, beta1: float, beta2: float, eps: float, weight_decay: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        m = averaged(memory, "m", beta1, g) / (1 - beta1**t)
        v = averaged(memory, "v", beta2, np.mean(g**2, axis=1, keepdims=True)) / (1 - beta2**t)
        return x * (1 - lr * weight_decay) - lr * m / (np.sqrt(v) + eps)

    return step


@stepped
def sm3(lr: float, momentum: float, eps: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        bound = np.minimum(memory.get("r", np.zeros((len(g), 1))), memory.get("c", np.zeros((1, g.shape[1]))))
        v = bound + g**2
        memory["r"], memory["c"] = v.max(axis=1, keepdims=True), v.max(axis=0, keepdims=True)
        return x - lr * averaged(memory, "m", momentum, g / np.sqrt(v + eps))

    return step


@stepped
def racs(lr: float, beta1: float, eps: float, weight_decay: float, scale: float, growth: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        r = averaged(memory, "r", beta1, np.mean(g**2, axis=1, keepdims=True))
        c = averaged(memory, "c", beta1, np.mean(g**2, axis=0, keepdims=True))
        d = g / np.sqrt((r + eps) * (c + eps))
        limit = growth / max(length(d) / (float(memory["length"]) + eps), growth) if t > 1 else 1.0
        memory["length"] = np.array(limit * length(d))
        return x * (1 - lr * weight_decay) - lr * scale * limit * d

    return step


@stepped
def galore(
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    rank: float,
    every: float,
    scale: float,
) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        if (t - 1) % every == 0:
            memory["basis"] = np.linalg.svd(g, full_matrices=False)[0][:, : int(rank)]
        basis = memory["basis"]
        # The sign of a singular vector is nobody's choice: what is averaged is turned with it.
        low = basis.T @ g
        m, v = averaged(memory, "m", beta1, low), averaged(memory, "v", beta2, low**2)
        rate = lr * (1 - beta2**t) ** 0.5 / (1 - beta1**t)
        x = x - rate * scale * (basis @ (m / (np.sqrt(v) + eps)))
        return x * (1 - lr * weight_decay)

    return step


@stepped
def mars_m(lr: float, momentum: float, weight_decay: float, gamma: float, rms: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        change = g - memory.get("before", np.zeros_like(g))
        memory["before"] = g
        corrected = g + gamma * momentum / (1 - momentum) * change
        m = averaged(memory, "m", momentum, corrected / max(1.0, length(corrected)))
        return x * (1 - lr * weight_decay) - lr * rms * max(x.shape) ** 0.5 * newton_schulz(m)

    return step


@stepped
def dion(lr: float, momentum: float, eps: float, weight_decay: float, rank: float) -> Step:
    def step(t: int, g: Array, x: Array, memory: dict[str, Array]) -> Array:
        b = memory.get("m", np.zeros_like(g)) + g
        p = np.linalg.qr(b @ memory.get("q", np.eye(x.shape[1])[:, : int(rank)]))[0]
        r = b.T @ p
        memory["m"] = b - (1 - momentum) * p @ r.T
        memory["q"] = r / (np.linalg.norm(r, axis=0) + eps)
        return x * (1 - lr * weight_decay) - lr * (x.shape[0] / x.shape[1]) ** 0.5 * p @ memory["q"].T

    return step
