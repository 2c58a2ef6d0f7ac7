"""What else gives all five variables of Adam at every step: optax under a scan, filters, weighted means, a loop."""

from __future__ import annotations

import numba
import numpy as np

from benchmarks.speed.kernels import BETA1, BETA2, EPS, LR
from mhat.speed.timing import Run


def optax_scan(g: np.ndarray) -> Run:
    """Scan optax's Adam over the steps, in one compiled function."""
    import jax

    scanned = jax.jit(lambda given: _scan(given, BETA2)).lower(given := jax.numpy.array(g)).compile()
    return lambda: jax.block_until_ready(scanned(given))


def optax_sweep(g: np.ndarray, beta2: np.ndarray) -> Run:
    """Scan it for every value of a knob; the values are the last axis of what comes out."""
    import jax

    given, values = jax.numpy.array(g), jax.numpy.array(beta2, dtype="float32")
    swept = jax.jit(jax.vmap(_scan, in_axes=(None, 0), out_axes=1)).lower(given, values).compile()
    return lambda: jax.block_until_ready(swept(given, values))


def _scan(g, beta2):
    import jax
    import optax

    optimizer = optax.adam(LR, b1=BETA1, b2=beta2, eps=EPS)
    x = jax.numpy.zeros(g.shape[1:], g.dtype)

    def step(carried, gradient):
        x, state = carried
        updates, state = optimizer.update(gradient, state)
        x = optax.apply_updates(x, updates)
        adam = state[0]
        m_hat = adam.mu / (1 - BETA1**adam.count)
        v_hat = adam.nu / (1 - beta2**adam.count)
        return (x, state), (adam.mu, adam.nu, m_hat, v_hat, x)

    return jax.lax.scan(step, (x, optimizer.init(x)), g)[1]


def _powers(steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Give both bias corrections of every step; made beforehand, for powers that go subnormal are slow."""
    t = np.arange(1, steps + 1)
    return (1 - BETA1**t).astype(np.float32), (1 - BETA2**t).astype(np.float32)


def lfilter(g: np.ndarray) -> Run:
    """Filter with scipy: the averages are filters of one pole, the rest is NumPy."""
    from scipy import signal

    first, second = _powers(len(g))

    def run() -> tuple[np.ndarray, ...]:
        m = signal.lfilter(np.float32([1 - BETA1]), np.float32([1, -BETA1]), g)
        v = signal.lfilter(np.float32([1 - BETA2]), np.float32([1, -BETA2]), g * g)
        m_hat, v_hat = m / first, v / second
        return m, v, m_hat, v_hat, _path(m_hat, v_hat)

    return run


def ewm(g: np.ndarray) -> Run:
    """Weight with pandas: its adjusted mean is m_hat, from which m follows."""
    import pandas as pd

    first, second = _powers(len(g))

    def run() -> tuple[np.ndarray, ...]:
        series = pd.Series(g)
        m_hat = series.ewm(alpha=1 - BETA1).mean().to_numpy()
        v_hat = (series * series).ewm(alpha=1 - BETA2).mean().to_numpy()
        return m_hat * first, v_hat * second, m_hat, v_hat, _path(m_hat, v_hat)

    return run


def _path(m_hat: np.ndarray, v_hat: np.ndarray) -> np.ndarray:
    return np.cumsum(np.float32(-LR) * (m_hat / (np.sqrt(v_hat) + np.float32(EPS))))


@numba.njit(error_model="numpy")
def looped(g, m, v, m_hat, v_hat, x, lr, rate1, rate2, eps, beta1, beta2):
    """Run the pseudo code in a loop."""
    mean = square = at = np.float32(0)
    power1 = power2 = 1.0
    for t in range(g.size):
        mean += rate1 * (g[t] - mean)
        square += rate2 * (g[t] * g[t] - square)
        power1 *= beta1
        power2 *= beta2
        # Otherwise they fade into the subnormal range, where a product costs a hundred times as much.
        if power1 < 1e-30:
            power1 = 0.0
        if power2 < 1e-30:
            power2 = 0.0
        m[t], v[t] = mean, square
        m_hat[t] = mean / np.float32(1 - power1)
        v_hat[t] = square / np.float32(1 - power2)
        at -= lr * (m_hat[t] / (np.sqrt(v_hat[t]) + eps))
        x[t] = at


def numba_loop(g: np.ndarray) -> Run:
    """Run the loop as one writes it in Numba, into arrays that are made anew."""
    knobs = [np.float32(each) for each in (LR, 1 - BETA1, 1 - BETA2, EPS)]

    def run() -> list[np.ndarray]:
        made = [np.empty_like(g) for _ in range(5)]
        looped(g, *made, *knobs, BETA1, BETA2)
        return made

    return run
