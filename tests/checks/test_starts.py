"""A start that an edit fills with a name of the step's lines is no start, and the check goes on."""

from __future__ import annotations

import numpy as np

import mhat


class AdEMAMix:
    """The decay is added to the gradient, and there is no warm-up, so `keep` is nowhere in it."""

    def __init__(self, lr=1e-3, beta1=0.9, beta2=0.999, beta3=0.9999, alpha=5.0, eps=1e-8, weight_decay=0.0):  # type: ignore[no-untyped-def]
        self.lr, self.beta1, self.beta2, self.beta3 = lr, beta1, beta2, beta3
        self.alpha, self.eps, self.weight_decay = alpha, eps, weight_decay
        self.m = self.slow = self.v = 0.0
        self.t = 0

    def step(self, x, g):  # type: ignore[no-untyped-def]
        self.t += 1
        g = g + self.weight_decay * x
        self.m = self.beta1 * self.m + (1 - self.beta1) * g
        self.slow = self.beta3 * self.slow + (1 - self.beta3) * g
        self.v = self.beta2 * self.v + (1 - self.beta2) * g * g
        m_hat = self.m / (1 - self.beta1**self.t)
        v_hat = self.v / (1 - self.beta2**self.t)
        return x - self.lr * (m_hat + self.alpha * self.slow) / (np.sqrt(v_hat) + self.eps)


def test_an_edit_that_starts_a_state_by_a_line_of_the_step() -> None:
    verdict = mhat.check(AdEMAMix, "ademamix", seconds=10)
    assert not verdict.conforms
    assert "weight_decay * x` is added to the gradient" in str(verdict)
