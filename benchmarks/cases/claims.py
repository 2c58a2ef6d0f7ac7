"""The rules that subjects claim to be, as texts, and `edited`, which makes a truth of one. It knows no subject.

A claim is a rule of the library, by its name; `OTHERS` are claims that people make and the library does not
know by a name (Adam with an L2 term, a simplified NAdam ...). Texts are spelled as `ast.unparse` spells them,
so that a new line break in the library changes nothing here.
"""

from __future__ import annotations

import ast
from functools import cache

from mhat import rules

ADAM_START = "def adam(x, g, t, m=0, v=0, *, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-08"
MOMENTS = """
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g ** 2
"""
HATS = """\
    m_hat = m / (1 - beta1 ** t)
    v_hat = v / (1 - beta2 ** t)
"""
RATIO = """\
    ratio = m_hat / (sqrt(v_hat) + eps)
"""
STEP = "    return x - lr * ratio"
L2 = """
    g = g + weight_decay * x"""

# Pieces of the texts, and edits that several subjects have in common.
M_HAT, V_HAT = "m / (1 - beta1 ** t)", "v / (1 - beta2 ** t)"
DECAY = "x - lr * (ratio + weight_decay * x)"
AFTER = (DECAY, "(x - lr * ratio) * (1 - lr * weight_decay)")
CONSTANT = (("1 - beta1 ** t", "1 - beta1"), ("1 - beta2 ** t", "1 - beta2"))
EPS_HAT = ("sqrt(v_hat) + eps", "sqrt(v_hat) + eps / sqrt(1 - beta2 ** t)")
INSIDE = ("sqrt(v_hat) + eps", "sqrt(v_hat + eps)")
MISSING = ((M_HAT, "m"), (V_HAT, "v"))
STORED_BACK = (("m_hat = m", "m = m"), ("v_hat = v", "v = v"), ("m_hat / (sqrt(v_hat)", "m / (sqrt(v)"))

OTHERS = {
    "sgd_l2": """\
def sgd_l2(x, g, *, lr=0.01, weight_decay=0.01):
    g = g + weight_decay * x
    return x - lr * g""",
    "adam_l2": ADAM_START + ", weight_decay=0.01):" + L2 + MOMENTS + HATS + RATIO + STEP,
    "adam_clipped": (
        ADAM_START.replace("adam", "adamw_clipped") + ", weight_decay=0.01, limit=1.0):"
        "\n    size = norm(g, over='all')\n    g = g * minimum(1, limit / (size + 1e-6))"
        + MOMENTS + HATS + RATIO + "    return x - lr * (ratio + weight_decay * x)"
    ),
    "adam_l1_l2": (
        ADAM_START.replace("adam", "adamw") + ", l1=0.001, l2=0.01):" + MOMENTS + HATS + RATIO
        + "    return x - lr * (ratio + l1 * sign(x) + l2 * x)"
    ),
    "nadam_simplified": (
        ADAM_START.replace("adam", "nadam") + "):" + MOMENTS + HATS
        + "    look_ahead = beta1 * m_hat + (1 - beta1) * g / (1 - beta1 ** t)\n"
        + RATIO.replace("m_hat", "look_ahead") + STEP
    ),
    "amsgrad_l2": (
        ADAM_START.replace("adam(", "amsgrad(").replace("v=0", "v=0, v_max=0") + ", weight_decay=0.01):" + L2
        + MOMENTS + "    v_max = maximum(v_max, v)\n" + HATS.replace("v /", "v_max /") + RATIO + STEP
    ),
    "adabelief_eps_once": """\
def adabelief(x, g, t, m=0, v=0, *, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-16):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * (g - m) ** 2
    m_hat = m / (1 - beta1 ** t)
    v_hat = (v + eps) / (1 - beta2 ** t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio""",
    "rmsprop_momentum": """\
def rmsprop_momentum(x, g, v=0, velocity=0, *, lr=0.001, rho=0.9, momentum=0.9, eps=1e-08):
    v = rho * v + (1 - rho) * g ** 2
    ratio = g / (sqrt(v) + eps)
    velocity = momentum * velocity + ratio
    return x - lr * velocity""",
}  # fmt: skip


@cache
def text(claim: str) -> str:
    """Give the text of a claim: signature and body, without decorator and docstring."""
    if claim in OTHERS:
        return OTHERS[claim]
    [function] = [node for node in ast.parse(rules.named(claim).source.text).body if isinstance(node, ast.FunctionDef)]
    function.decorator_list = []
    if ast.get_docstring(function) is not None:
        function.body = function.body[1:]
    return ast.unparse(function)


def lines(claim: str) -> list[str]:
    """Give the states and the lines of a claim or of a text, spelled alike; the knobs are left out."""
    whole = claim if claim.startswith("def ") else text(claim)
    [function] = [node for node in ast.parse(whole).body if isinstance(node, ast.FunctionDef)]
    places = function.args.args[len(function.args.args) - len(function.args.defaults) :]
    states = zip(places, function.args.defaults, strict=True)
    return [f"{name.arg}={ast.unparse(start)}" for name, start in states] + [*map(ast.unparse, function.body)]


def against(claim: str) -> str:
    """Give what a case is checked against: the name of a rule of the library, or the text of another claim."""
    return OTHERS.get(claim, claim)


def edited(claim: str, *edits: tuple[str, str]) -> str:
    """Make a truth: the text of a claim with each old piece, which must occur exactly once, replaced by the new."""
    result = text(claim)
    for old, new in edits:
        if result.count(old) != 1:
            raise ValueError(f"{old!r} occurs {result.count(old)} times in the text of {claim}:\n{result}")
        result = result.replace(old, new)
    return result


def counted(t: str, *more: tuple[str, str], claim: str = "adam") -> str:
    """Make a truth: the rule with another counter in both corrections."""
    return edited(claim, ("beta1 ** t", f"beta1 ** {t}"), ("beta2 ** t", f"beta2 ** {t}"), *more)
