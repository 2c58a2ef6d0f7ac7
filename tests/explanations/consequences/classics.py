"""Mistakes that everybody makes, as rules beside the right ones. They know nothing of how they are explained."""

from __future__ import annotations

from mhat import rules
from mhat.language import Rule, rule
from mhat.printers.python import rule_text


def changed(name: str, *exchanges: tuple[str, str]) -> tuple[Rule, Rule]:
    """Give a rule of the library, and the same with some of its text exchanged."""
    text = rule_text(rules.named(name))
    for old, new in exchanges:
        assert old in text, (old, text)
        text = text.replace(old, new)
    return rules.named(name), rule(text)


M_HAT, V_HAT = "    m_hat = m / (1 - beta1**t)\n", "    v_hat = v / (1 - beta2**t)\n"
RATIO = "m_hat / (sqrt(v_hat) + eps)"
CLASSICS = {
    "the corrected moments are stored back": changed(
        "adam", ("m_hat = m /", "m = m /"), ("v_hat = v /", "v = v /"), (RATIO, "m / (sqrt(v) + eps)")
    ),
    "no bias correction": changed("adam", (M_HAT, ""), (V_HAT, ""), (RATIO, "m / (sqrt(v) + eps)")),
    "a correction without the power": changed("adam", ("beta1**t", "beta1"), ("beta2**t", "beta2")),
    "t counts from 0": changed("adam", ("**t", "**(t - 1)")),
    "beta1 in v": changed("adam", ("(1 - beta2) * g", "(1 - beta1) * g")),
    "no square": changed("adam", ("g**2", "g")),
    "no root": changed("adam", ("sqrt(v_hat)", "v_hat")),
    "eps under the root": changed("adam", ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)")),
    "uphill": changed("adam", ("x - lr", "x + lr")),
    "weight decay in the gradient": changed(
        "adamw",
        ("    m = beta1", "    g = g + weight_decay * x\n    m = beta1"),
        ("lr * (ratio + weight_decay * x)", "lr * ratio"),
    ),
    "a sum that is made an average": changed("momentum", ("+ g", "+ (1 - momentum) * g")),
    "a sum of squares that never forgets": changed("rmsprop", ("rho * v + (1 - rho) * g**2", "v + g**2")),
    "the maximum is dropped": changed("amsgrad", ("maximum(v_max, v)", "v")),
}
