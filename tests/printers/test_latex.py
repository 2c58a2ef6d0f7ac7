"""A rule as papers print it; every line by itself is within what matplotlib draws."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from matplotlib.mathtext import MathTextParser

from mhat.language import rule
from mhat.language.tree import Tree
from mhat.ops import OPERATIONS
from mhat.printers.latex import LatexPrinter, expression_latex, lines_latex, name_latex, rule_latex, starts_latex
from mhat.printers.math_names import ACCENTS, GREEK_LETTERS, KNOBS
from tests import strategies
from tests.strategies import applied


def drawn(text: str) -> None:
    """Fail if matplotlib cannot draw the text as math."""
    MathTextParser("path").parse(f"${text}$")


def latex(text: str) -> str:
    return expression_latex(rule(f"def f(a=0, b=0, c=0): return {text}").tree.result)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m", "m"), ("m_hat", r"\hat{m}"), ("v_hat", r"\hat{v}"), ("z_bar", r"\bar{z}"), ("beta1", r"\beta_{1}"),
        ("beta_1", r"\beta_{1}"), ("nu2", r"\nu_{2}"), ("v_max", r"v_{\mathrm{max}}"), ("weight_decay", r"\lambda"),
        ("lr", r"\eta"), ("eps", r"\epsilon"), ("momentum", r"\mu"), ("rho", r"\rho"), ("momentum_decay", r"\psi"),
        ("dampening", r"\tau"), ("alpha", r"\alpha"), ("delta", r"\delta"), ("Xi", r"\Xi"), ("lambda_", r"\lambda"),
        ("lam", r"\lambda"), ("ratio", r"\mathrm{ratio}"), ("update", r"\mathrm{update}"),
        ("x_eval", r"x_{\mathrm{eval}}"), ("lr_t", r"\eta_{t}"), ("m_hat_1", r"\hat{m}_{1}"), ("g2", "g_{2}"),
        ("s_hat_max", r"\hat{s}_{\mathrm{max}}"), ("beta2_t", r"\beta_{2,t}"), ("u_0", "u_{0}"), ("_", r"\_"),
        ("denominator", r"\mathrm{denominator}"), ("delta_x", r"\delta_{x}"), ("rho_inf", r"\rho_{\infty}"),
    ],
)  # fmt: skip
def test_names(name: str, text: str) -> None:
    assert name_latex(name) == text
    drawn(text)


def test_time_joins_the_subscript() -> None:
    assert name_latex("m", "t-1") == "m_{t-1}"
    assert name_latex("v_max", "t") == r"v_{\mathrm{max},t}"
    assert name_latex("m_hat", "t") == r"\hat{m}_{t}"
    assert name_latex("rho_t", "t") == r"\rho_{t}"
    assert name_latex("beta2_t", "t-1") == r"\beta_{2,t-1}"


def test_every_symbol_is_drawn() -> None:
    drawn(" ".join(name_latex(name, "t") for name in (*GREEK_LETTERS, *KNOBS)))
    drawn(" ".join(name_latex(f"m_{accent}") for accent in ACCENTS))


@pytest.mark.parametrize(
    ("typed", "text"),
    [
        ("a * b", r"a \, b"),
        ("2 * a", r"2 \, a"),
        ("a * 2", r"a \cdot 2"),
        ("2 * 3", r"2 \cdot 3"),
        ("1e-8 * a", r"10^{-8} \, a"),
        ("3e-7**a", r"\left(3 \cdot 10^{-7}\right)^{a}"),
        ("1e-7**a", r"\left(10^{-7}\right)^{a}"),
        ("a / b", r"\frac{a}{b}"),
        ("(a / b)**2", r"\left(\frac{a}{b}\right)^{2}"),
        ("a**2", "a^{2}"),
        ("a**b**c", "a^{b^{c}}"),
        ("(a**b)**c", r"\left(a^{b}\right)^{c}"),
        ("(-a)**2", r"\left(-a\right)^{2}"),
        ("-a**2", "-a^{2}"),
        ("-(-a)", r"-\left(-a\right)"),
        ("-(a + b)", r"-\left(a + b\right)"),
        ("a - (b - c)", r"a - \left(b - c\right)"),
        ("a - (-b)", r"a - \left(-b\right)"),
        ("a * (-b)", r"a \, \left(-b\right)"),
        ("(a + b) * c", r"\left(a + b\right) \, c"),
        ("sqrt(a) + cbrt(b)", r"\sqrt{a} + \sqrt[3]{b}"),
        ("abs(a)**2", r"\left|a\right|^{2}"),
        ("log(a)**2", r"\left(\ln\left(a\right)\right)^{2}"),
        ("maximum(a, b)", r"\max\left(a, b\right)"),
        ("a // b", r"\left\lfloor \frac{a}{b} \right\rfloor"),
        ("a % b + 1", r"\left(a\;\mathrm{mod}\;b\right) + 1"),
        ("a if b > c else c", r"a\;\mathrm{if}\;b > c\;\mathrm{else}\;c"),
        ("2 * where(a, b, c)", r"2 \, \left(b\;\mathrm{if}\;a\;\mathrm{else}\;c\right)"),
        ("a * (b > 0)", r"a \, \left(b > 0\right)"),
        ("not a and b", r"\neg a \wedge b"),
        ("a < b or b == c", r"a < b \vee b = c"),
        ("norm(a)", r"\left\|a\right\|"),
        ('norm(a, over="all")', r"\left\|a\right\|_{\mathrm{all}}"),
        ("mean(a)", r"\mathrm{mean}\left(a\right)"),
        ("transpose(a) @ b", r"a^{\top} \, b"),
        ("row_mean(a)", r"\mathrm{mean}_{\mathrm{rows}}\left(a\right)"),
    ],
)
def test_expressions(typed: str, text: str) -> None:
    assert latex(typed) == text
    drawn(text)


@pytest.mark.parametrize("op", OPERATIONS)
def test_every_operation_is_drawn(op: str) -> None:
    drawn(expression_latex(applied(op)))
    drawn(expression_latex(applied(op, applied(op))))


@settings(max_examples=10, deadline=None)
@given(strategies.rules(depth=2, max_lines=3))
def test_the_lines_of_every_rule_are_drawn(tree: Tree) -> None:
    for line in (*lines_latex(tree), *starts_latex(tree)):
        drawn(line)


@pytest.mark.parametrize("value", [float("inf"), float("-inf"), float("nan"), -0.5, -1e-9, 1e300])
def test_every_number_is_drawn(value: float) -> None:
    drawn(LatexPrinter().number(value).text)


STORED_BACK = rule(
    """
    def stored_back(x, g, t, m=0, v="g**2", *, lr=1e-3, beta1=0.9, beta2=0.999):
        m = beta1 * m + (1 - beta1) * g
        v_hat = maximum(v, beta2 * v)
        m = m / (1 - beta1**t)
        return x - lr * m / sqrt(v_hat)
    """
)


def test_a_rule_is_aligned_and_a_second_assignment_is_an_arrow() -> None:
    assert rule_latex(STORED_BACK, starts=True) == (
        "\\begin{aligned}\n"
        "m_{0} &= 0 \\\\\n"
        "v_{0} &= g_{1}^{2} \\\\\n"
        "m_{t} &= \\beta_{1} \\, m_{t-1} + \\left(1 - \\beta_{1}\\right) \\, g_{t} \\\\\n"
        "\\hat{v}_{t} &= \\max\\left(v_{t-1}, \\beta_{2} \\, v_{t-1}\\right) \\\\\n"
        "m_{t} &\\leftarrow \\frac{m_{t}}{1 - \\beta_{1}^{t}} \\\\\n"
        "x_{t} &= x_{t-1} - \\frac{\\eta \\, m_{t}}{\\sqrt{\\hat{v}_{t}}}\n"
        "\\end{aligned}"
    )
    assert "m_{0}" not in rule_latex(STORED_BACK)
    assert lines_latex(STORED_BACK)[-1] == r"x_{t} = x_{t-1} - \frac{\eta \, m_{t}}{\sqrt{\hat{v}_{t}}}"


def test_inputs_assigned_anew_are_those_of_this_step() -> None:
    lines = lines_latex(rule("def f(x, g, *, lr=1):\n    g = g + x\n    x = x * 2\n    return x - lr * g"))
    assert lines == [
        r"g_{t} \leftarrow g_{t} + x_{t-1}",
        r"x_{t} = x_{t-1} \cdot 2",
        r"x_{t} \leftarrow x_{t} - \eta \, g_{t}",
    ]


def test_what_depends_on_knobs_alone_has_no_time() -> None:
    lines = lines_latex(rule("def f(x, t, *, beta2=0.9):\n    r = 2 / beta2\n    r_t = r * t\n    return x - r_t"))
    assert lines == [r"r = \frac{2}{\beta_{2}}", r"r_{t} = r \, t", r"x_{t} = x_{t-1} - r_{t}"]


def test_a_matrix_rule_tells_its_products_apart() -> None:
    made = rule(
        """
        def f(x, g, s=0, *, lr=0.1):
            s = s + g @ transpose(g)
            values, vectors = eigh(s)
            u = vectors * values @ g
            return x - lr * (u * g) * norm(g)
        """
    )
    assert lines_latex(made) == [
        r"s_{t} = s_{t-1} + g_{t} \, g_{t}^{\top}",
        r"\mathrm{values}_{t}, \mathrm{vectors}_{t} = \mathrm{eigh}\left(s_{t}\right)",
        r"u_{t} = \mathrm{vectors}_{t} \odot \mathrm{values}_{t} \, g_{t}",
        r"x_{t} = x_{t-1} - \eta \, \left(u_{t} \odot g_{t}\right) \, \left\|g_{t}\right\|",
    ]
