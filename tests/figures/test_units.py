"""Units by dimensional analysis: of every rule of the library, and of rules that make it hard."""

import pytest

from mhat import rules
from mhat.figures.units import units
from mhat.language import rule
from tests.choices import CLASSICS

ADAM = {"m": "g", "v": "g^{2}", "m_hat": "g", "v_hat": "g^{2}", "ratio": ""}

LIBRARY = {
    "adabelief": ADAM,
    "adabound": {"m": "g", "v": "g^{2}", "lower": "x/g", "upper": "x/g", "rate": "x/g"},
    "adadelta": {"v": "g^{2}", "u": "x^{2}", "ratio": "x"},
    "adagrad": {"v": "g^{2}", "ratio": ""},
    "adam": ADAM,
    "adamax": {"m": "g", "u": "g", "m_hat": "g", "ratio": ""},
    "adamw": ADAM,
    "adan": {**ADAM, "change": "g", "g_last": "g", "d": "g", "d_hat": "g"},
    # The gradient is normalised before it is averaged.
    "adopt": {"limit": "", "normalised": "", "m": "", "v": "g^{2}"},
    "amsgrad": {**ADAM, "v_max": "g^{2}"},
    "lamb": {**ADAM, "direction": "", "trust": "x", "ratio": "x"},
    "lion": {"m": "g", "ratio": ""},
    "momentum": {"velocity": "g"},
    "nadam": {**ADAM, "mu": "", "mu_next": "", "product": ""},
    "nesterov": {"velocity": "g", "ratio": "g"},
    "qhadam": ADAM,
    # The ratio has a unit only while the second moment is not trusted.
    "radam": {**ADAM, "rho_inf": "", "rho_t": "", "r_t": "", "ratio": None},
    "rmsprop": {"v": "g^{2}", "ratio": ""},
    "rmsprop_centered": {"m": "g", "v": "g^{2}", "ratio": ""},
    "sgd": {},
    "signsgd": {"ratio": ""},
    "signum": {"m": "g", "ratio": ""},
    "tiger": {"m": "g", "ratio": ""},
    "yogi": {"m": "g", "v": "g^{2}", "ratio": ""},
}


def found(source: str) -> dict[str, str | None]:
    return {name: unit and unit.latex() for name, unit in units(rule(source).tree).items()}


@pytest.mark.parametrize("name", CLASSICS)
def test_every_rule_of_the_library(name: str) -> None:
    written = {key: unit and unit.latex() for key, unit in units(rules.named(name).tree).items()}
    if name in LIBRARY:
        assert written == {"g": "g", "x": "x", **LIBRARY[name]}
    assert [key for key, unit in written.items() if unit is None] == (["ratio"] if name == "radam" else [])


def test_a_number_written_in_place_of_eps_fits_too() -> None:
    assert found("def r(x, g, v=0): v = 0.9 * v + 0.1 * g**2; s = sqrt(v) + 1e-8; return x - 0.1 * g / s")["s"] == "g"


def test_what_does_not_fit_has_no_unit_and_spoils_only_what_is_made_of_it() -> None:
    units_of = found("def r(x, g, t, m=0, *, lr=1): m = m + g + g**2; s = sqrt(g**2); u = m * s; return x - lr * s")
    assert units_of == {"g": "g", "x": "x", "m": None, "s": "g", "u": None}


def test_a_state_that_gains_a_unit_each_step_has_none() -> None:
    assert found("def r(x, g, p=1, q=2): q = p + 1; p = p * g; return x - p")["p"] is None


def test_inputs_assigned_anew() -> None:
    units_of = found("def r(x, g, *, lr=1, c=1): g = g / (norm(g) + 1e-6) * c; x = x * 0.9; return x - lr * g")
    assert units_of == {"g": "g", "x": "x", "g_used": "", "x_used": "x"}


def test_powers_signs_choices_and_functions() -> None:
    source = """
def r(x, g, t, v=0, *, lr=1e-3, beta=0.9, p=0.25, eps=1e-8):
    v = beta * v + (1 - beta) * g**2
    quarter = v**p
    third = cbrt(v)
    decay = exp(-t * 0.1) * beta**t
    side = 1 if g * v > 0 else -1
    chosen = g if g > 0 else 0
    inverse = 1 / (v + eps)
    rest = g % 3
    angle = atan2(g, abs(g))
    return x - lr * g / (quarter + eps)
"""
    expected = {
        "v": "g^{2}", "quarter": "g^{1/2}", "third": "g^{2/3}", "decay": "", "side": "", "chosen": "g",
        "inverse": "1/g^{2}", "rest": "g", "angle": "",
    }  # fmt: skip
    assert found(source) == {"g": "g", "x": "x", **expected}


def test_matrix_operations() -> None:
    source = """
def r(x, g, left=0, *, lr=1e-3):
    left = left + g @ transpose(g)
    values, vectors = eigh(left)
    q, r = qr(g)
    ortho = orthogonal(g)
    rows = row_mean(g**2)
    return x - lr * ortho
"""
    expected = {"left": "g^{2}", "values": "g^{2}", "vectors": "", "q": "", "r": "g", "ortho": "", "rows": "g^{2}"}
    assert found(source) == {"g": "g", "x": "x", **expected}
