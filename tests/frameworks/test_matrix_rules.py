"""Optimizers of frameworks that are rules per matrix, held against the rule that each is."""

from __future__ import annotations

import pytest

import mhat
from mhat.language import Rule
from tests.checks.matrix_ports import KELLER

TORCH_ADAFACTOR = mhat.rule("""def factored(x, g, t, r=0, c=0, *, lr=1e-2, decay=0.8, eps1=2.220446049250313e-16,
                 eps2=1e-3, d=1.0, weight_decay=0):
    keep = t ** (-decay)
    r = r + keep * (row_mean(g**2) - r)
    c = c + keep * (column_mean(g**2) - c)
    v = r * c / maximum(mean(r), eps1)
    u = g / sqrt(maximum(v, eps1 * eps1))
    rms_u = sqrt(mean(u**2))
    rate = maximum(eps2, sqrt(mean(x**2))) * minimum(lr, 1 / sqrt(t))
    x = (1 - lr * weight_decay) * x
    return x - rate / maximum(1, rms_u / d) * u
""")
OPTAX_MUON = mhat.rule("""def muon(x, g, t, m=0, *, lr=0.02, momentum=0.95):
    m = momentum * m + (1 - momentum) * g
    u = momentum * m / (1 - momentum ** (t + 1)) + (1 - momentum) * g / (1 - momentum**t)
    high = sum(row_mean(x ** 0))
    wide = sum(column_mean(x ** 0))
    return x - lr * sqrt(maximum(1, wide / high)) * orthogonal(u)
""")
KERAS_MUON = mhat.rule("""def muon(x, g, m=0, *, lr=0.001, momentum=0.95, rms=0.2):
    m = momentum * m + g
    u = g + momentum * m
    high = sum(row_mean(x ** 0))
    wide = sum(column_mean(x ** 0))
    return x - lr * rms * sqrt(maximum(high, wide)) * orthogonal(u)
""")


@pytest.mark.parametrize(
    ("needs", "name", "rule", "note"),
    [
        ("torch", "torch.optim:Muon", KELLER, "its `orthogonal` computes in bfloat16"),
        ("torch", "torch.optim:Adafactor", TORCH_ADAFACTOR, ""),
        ("optax", "optax.contrib:muon", OPTAX_MUON, "what is left between it and the rule"),
        # Its decay is switched off, which the rule does not have; its shape factor is a float32.
        ("keras", "keras.optimizers:Muon", KERAS_MUON, "what is left between it and the rule"),
    ],
    ids=["muon of torch", "adafactor of torch", "muon of optax", "muon of keras"],
)
def test_they_are_their_rules(needs: str, name: str, rule: Rule, note: str) -> None:
    pytest.importorskip(needs)
    verdict = mhat.check(name, rule)
    assert verdict.conforms, str(verdict)
    assert not note or any(said.startswith(note) for said in verdict.notes)
