"""A rule as browsers draw it: well-formed, every name an accent, a letter or a word."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from mhat import rules
from mhat.printers.math_names import ACCENTS, GREEK_LETTERS, KNOBS
from mhat.printers.mathml import lines_mathml, name_mathml


@pytest.mark.parametrize("name", rules.names())
def test_every_rule_is_well_formed(name: str) -> None:
    lines = lines_mathml(rules.named(name))
    assert len(lines) == len(rules.named(name).tree.body) + 1
    for line in lines:
        assert ElementTree.fromstring(line).tag == "math"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("m", "<mi>m</mi>"),
        ("beta1", "<msub><mi>β</mi><mrow><mn>1</mn></mrow></msub>"),
        ("m_hat", '<mover accent="true"><mi>m</mi><mo>^</mo></mover>'),
        ("ratio", '<mi mathvariant="normal">ratio</mi>'),
        ("lr", "<mi>η</mi>"),
    ],
)
def test_names(name: str, text: str) -> None:
    assert name_mathml(name) == text


def test_every_letter_is_known() -> None:
    for name in (*GREEK_LETTERS, *KNOBS, *(f"m_{accent}" for accent in ACCENTS), "rho_inf", "_"):
        assert "\\" not in name_mathml(name, "t-1")
