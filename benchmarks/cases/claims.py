"""The rules that subjects claim to be, as texts, and `edited`, which makes a truth of one. It knows no subject.

A claim is named as in the library of rules where the library has it; the others are claims that people make
and the library does not know by name (Adam with an L2 term, a simplified NAdam ...).
"""

from __future__ import annotations

MOMENTS = """\
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
"""
HATS = """\
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
"""
RATIO = "    ratio = m_hat / (sqrt(v_hat) + eps)\n"
STEP = "    return x - lr * ratio\n"
ADAM_KNOBS = "lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8"

TEXTS = {
    "sgd": "def sgd(x, g, *, lr=0.01):\n    return x - lr * g\n",
    "momentum": """\
def momentum(x, g, u=0, *, lr=0.01, momentum=0.9):
    u = momentum * u + g
    return x - lr * u
""",
    "nesterov": """\
def nesterov(x, g, u=0, *, lr=0.01, momentum=0.9):
    u = momentum * u + g
    return x - lr * (g + momentum * u)
""",
    "adagrad": """\
def adagrad(x, g, n_sum=0, *, lr=0.01, eps=1e-10):
    n_sum = n_sum + g**2
    ratio = g / (sqrt(n_sum) + eps)
    return x - lr * ratio
""",
    "adadelta": """\
def adadelta(x, g, v=0, d=0, *, lr=1.0, rho=0.95, eps=1e-6):
    v = rho * v + (1 - rho) * g**2
    delta = sqrt(d + eps) / sqrt(v + eps) * g
    d = rho * d + (1 - rho) * delta**2
    return x - lr * delta
""",
    "rmsprop": """\
def rmsprop(x, g, v=0, *, lr=0.01, rho=0.9, eps=1e-8):
    v = rho * v + (1 - rho) * g**2
    ratio = g / (sqrt(v) + eps)
    return x - lr * ratio
""",
    "adam": f"def adam(x, g, t, m=0, v=0, *, {ADAM_KNOBS}):\n" + MOMENTS + HATS + RATIO + STEP,
    "adamw": (
        f"def adamw(x, g, t, m=0, v=0, *, {ADAM_KNOBS}, weight_decay=0.01):\n"
        + MOMENTS + HATS + RATIO
        + "    return x - lr * (ratio + weight_decay * x)\n"
    ),
    "adamax": """\
def adamax(x, g, t, m=0, u=0, *, lr=2e-3, beta1=0.9, beta2=0.999):
    m = beta1 * m + (1 - beta1) * g
    u = maximum(beta2 * u, abs(g))
    m_hat = m / (1 - beta1**t)
    ratio = m_hat / u
    return x - lr * ratio
""",
    "nadam": """\
def nadam(x, g, t, m=0, v=0, mu_product=1, *, lr=2e-3, beta1=0.9, beta2=0.999, eps=1e-8, momentum_decay=4e-3):
    mu = beta1 * (1 - 0.5 * 0.96 ** (t * momentum_decay))
    mu_next = beta1 * (1 - 0.5 * 0.96 ** ((t + 1) * momentum_decay))
    mu_product = mu_product * mu
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = mu_next * m / (1 - mu_product * mu_next) + (1 - mu) * g / (1 - mu_product)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio
""",
    "amsgrad": (
        f"def amsgrad(x, g, t, m=0, v=0, v_max=0, *, {ADAM_KNOBS}):\n" + MOMENTS
        + "    v_max = maximum(v_max, v)\n"
        + HATS.replace("= v /", "= v_max /") + RATIO + STEP
    ),
    "radam": (
        f"def radam(x, g, t, m=0, v=0, *, {ADAM_KNOBS}):\n" + MOMENTS + HATS
        + """\
    rho_inf = 2 / (1 - beta2) - 1
    rho_t = rho_inf - 2 * t * beta2**t / (1 - beta2**t)
    r = sqrt((rho_t - 4) * (rho_t - 2) * rho_inf / ((rho_inf - 4) * (rho_inf - 2) * rho_t))
    ratio = r * m_hat / (sqrt(v_hat) + eps) if rho_t > 4 else m_hat
"""
        + STEP
    ),
    "adabelief": """\
def adabelief(x, g, t, m=0, s=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * (g - m)**2 + eps
    m_hat = m / (1 - beta1**t)
    s_hat = s / (1 - beta2**t)
    ratio = m_hat / (sqrt(s_hat) + eps)
    return x - lr * ratio
""",
    "yogi": """\
def yogi(x, g, t, m=0, v=0, *, lr=1e-2, beta1=0.9, beta2=0.999, eps=1e-3):
    m = beta1 * m + (1 - beta1) * g
    v = v - (1 - beta2) * sign(v - g**2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio
""",
    "qhadam": """\
def qhadam(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.995, beta2=0.999, nu1=0.7, nu2=1.0, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = ((1 - nu1) * g + nu1 * m_hat) / (sqrt((1 - nu2) * g**2 + nu2 * v_hat) + eps)
    return x - lr * ratio
""",
    "lion": """\
def lion(x, g, m=0, *, lr=1e-4, beta1=0.9, beta2=0.99, weight_decay=0):
    c = beta1 * m + (1 - beta1) * g
    m = beta2 * m + (1 - beta2) * g
    return x - lr * (sign(c) + weight_decay * x)
""",
}


def edited(claim: str, *edits: tuple[str, str]) -> str:
    """Make a truth: the text of a claim with each old piece, which must occur exactly once, replaced by the new."""
    text = TEXTS[claim]
    for old, new in edits:
        if text.count(old) != 1:
            raise ValueError(f"{old!r} occurs {text.count(old)} times in the text of {claim}:\n{text}")
        text = text.replace(old, new)
    return text
