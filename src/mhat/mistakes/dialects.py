"""Documented other forms of the library's rules: named with their reference, and not called mistakes.

Each is a few pieces of the rule's text exchanged, so that it stays readable beside the rule it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations

from mhat.errors import MhatError
from mhat.language import Rule, rule
from mhat.printers import python

EPS_HAT = ("sqrt(v_hat) + eps", "sqrt(v_hat) + eps / sqrt(1 - beta2**t)")
PAPER_EPS_HAT = "Kingma & Ba 2015, section 2, last paragraph; TensorFlow, Keras"
DECAY_AFTER = (
    "    return x - lr * (ratio + weight_decay * x)",
    "    x = x - lr * ratio\n    return x - lr * weight_decay * x",
)


@dataclass(frozen=True)
class Dialect:
    """A documented form of one rule: its name, where it is documented, and what is written instead of what."""

    of: str
    name: str
    reference: str
    exchanges: tuple[tuple[str, str], ...]


DIALECTS = (
    *(
        Dialect(name, "eps-hat: eps is added before the correction", PAPER_EPS_HAT, (EPS_HAT,))
        for name in ("adam", "adamw", "nadam", "adabelief", "amsgrad")
    ),
    Dialect(
        "adamw", "decay after the step", "course handouts, and Adam's weight decay in several libraries", (DECAY_AFTER,)
    ),
    Dialect(
        "adamw", "decay not scaled by the learning rate", "Loshchilov & Hutter 2019, Algorithm 2",
        (("lr * (ratio + weight_decay * x)", "lr * ratio - weight_decay * x"),),
    ),
    Dialect(
        "momentum", "the gradient weighed with 1 - momentum", "Ng 2017, Improving Deep Neural Networks, week 2",
        (("momentum * velocity + g", "momentum * velocity + (1 - momentum) * g"),),
    ),
    Dialect(
        "rmsprop", "eps under the root", "TensorFlow, Keras and optax RMSprop",
        (("sqrt(v) + eps", "sqrt(v + eps)"),),
    ),
    Dialect("rmsprop", "average from 1", "tf.compat.v1.train.RMSPropOptimizer", (("v=0", "v=1"),)),
    Dialect(
        "rmsprop_centered", "eps added to the root", "torch.optim.RMSprop(centered=True)",
        (("sqrt(v - m**2 + eps)", "(sqrt(v - m**2) + eps)"),),
    ),
    Dialect(
        "adagrad", "eps under the root", "optax.adagrad, Keras Adagrad", (("(sqrt(v) + eps)", "sqrt(v + eps)"),)
    ),
    Dialect("adagrad", "accumulator from 0.1", "TensorFlow, optax.adagrad, Keras Adagrad", (("v=0", "v=0.1"),)),
    Dialect(
        "adamax", "eps added to the maximum", "Keras Adamax",
        (("abs(g) + eps", "abs(g)"), ("m_hat / u", "m_hat / (u + eps)")),
    ),
    Dialect(
        "amsgrad", "maximum of the corrected moment", "optax.amsgrad",
        (
            ("    v_max = maximum(v_max, v)\n", ""),
            ("v_hat = v_max / (1 - beta2**t)", "v_hat = v / (1 - beta2**t)\n    v_max = maximum(v_max, v_hat)"),
            ("sqrt(v_hat)", "sqrt(v_max)"),
        ),
    ),
    Dialect(
        "amsgrad", "without bias correction", "Reddi, Kale & Kumar 2018, Algorithm 2",
        (("m_hat = m / (1 - beta1**t)", "m_hat = m"), ("v_hat = v_max / (1 - beta2**t)", "v_hat = v_max")),
    ),
    Dialect(
        "radam", "eps added before the correction", "torch.optim.RAdam",
        (("(sqrt(v_hat) + eps)", "((sqrt(v) + eps) / sqrt(1 - beta2**t))"),),
    ),
    Dialect(
        "radam", "rectified from rho_t > 4 on", "Liu et al. 2020, Algorithm 2", (("rho_t > threshold", "rho_t > 4"),)
    ),
    Dialect(
        "yogi", "bias-corrected", "optax.yogi, tfa.optimizers.Yogi",
        (
            ("x, g, m=", "x, g, t, m="),
            ("m / (sqrt(v) + eps)", "m / (1 - beta1**t) / (sqrt(v / (1 - beta2**t)) + eps)"),
        ),
    ),
    Dialect("yogi", "both moments from 1e-6", "optax.yogi", (("m=0, v=0", "m=1e-6, v=1e-6"),)),
    Dialect("yogi", "second moment from 1e-6", "tfa.optimizers.Yogi", (("v=0", "v=1e-6"),)),
    Dialect(
        "nadam", "constant momentum", "optax.nadam",
        (
            ("mu = beta1 * (1 - 0.5 * 0.96**(t * momentum_decay))", "mu = beta1"),
            ("mu_next = beta1 * (1 - 0.5 * 0.96**((t + 1) * momentum_decay))", "mu_next = beta1"),
        ),
    ),
    Dialect(
        "nadam", "the newest gradient mixed with the corrected moment", "Dozat's simplified form in many codes",
        (
            (
                "m_hat = mu_next * m / (1 - product * mu_next) + (1 - mu) * g / (1 - product)",
                "m_hat = beta1 * (m / (1 - beta1**t)) + (1 - beta1) * g / (1 - beta1**t)",
            ),
        ),
    ),
    Dialect(
        "nadam", "the moment averaged with mu, a factor beta2 in v_hat", "Dozat 2016, Algorithm 2",
        (
            ("m = beta1 * m + (1 - beta1) * g", "m = mu * m + (1 - mu) * g"),
            ("v_hat = v / (1 - beta2**t)", "v_hat = beta2 * v / (1 - beta2**t)"),
        ),
    ),
    Dialect(
        "adan", "eps under the root", "Xie et al. 2022, Algorithm 1", (("(sqrt(v_hat) + eps)", "sqrt(v_hat + eps)"),)
    ),
    Dialect(
        "adan", "decay beside the step", "the authors' code with no_prox; optax.adan",
        (("(x - lr * ratio) / (1 + lr * weight_decay)", "x - lr * (ratio + weight_decay * x)"),),
    ),
    Dialect(
        "adopt", "without clipping", "Taniguchi et al. 2024, Algorithm 2; optax.contrib.adopt(use_clipping=False)",
        (
            ("    limit = (t - 1)**0.25\n", ""),
            ("clip(g / maximum(sqrt(v), eps), -limit, limit)", "g / maximum(sqrt(v), eps) if t > 1 else 0"),
        ),
    ),
    Dialect(
        "lamb", "without bias correction", "the LAMB of google-research/albert",
        (("m_hat = m / (1 - beta1**t)", "m_hat = m"), ("v_hat = v / (1 - beta2**t)", "v_hat = v")),
    ),
    Dialect(
        "lamb", "decay before the step, outside of the trust ratio", "Keras Lamb(weight_decay=...)",
        (
            (
                "    direction = m_hat / (sqrt(v_hat) + eps) + weight_decay * x",
                "    x = x - lr * weight_decay * x\n    direction = m_hat / (sqrt(v_hat) + eps)",
            ),
        ),
    ),
    Dialect(
        "adabelief", "eps in the root alone", "Keras-like ports",
        (("(g - m)**2 + eps", "(g - m)**2"),),
    ),
)  # fmt: skip


def spoken(dialect: Dialect, text: str) -> str | None:
    """Exchange a dialect's pieces in the text of a rule; None if they do not all stand in it."""
    for old, new in dialect.exchanges:
        if text.count(old) != 1:
            return None
        text = text.replace(old, new)
    return text


@cache
def dialects_of(reference: Rule) -> tuple[tuple[tuple[Dialect, ...], Rule], ...]:
    """List the dialects of a rule, and what each is, pairs of them last."""
    return tuple(_found(reference))


def _found(reference: Rule) -> Iterator[tuple[tuple[Dialect, ...], Rule]]:
    own = [dialect for dialect in DIALECTS if dialect.of == reference.name]
    text = python.rule_text(reference.tree)
    for size in (1, 2):
        for chosen in combinations(own, size):
            spoken_text: str | None = text
            for dialect in chosen:
                spoken_text = None if spoken_text is None else spoken(dialect, spoken_text)
            if spoken_text is not None and (joined := _joined(spoken_text)) is not None:
                yield chosen, joined


def _joined(text: str) -> Rule | None:
    """Read the text of a dialect; None where two exclude each other, or a rule of that name is written otherwise."""
    try:
        return rule(text)
    except MhatError:
        return None
