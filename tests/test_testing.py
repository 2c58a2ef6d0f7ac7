"""Assertions for tests: silent for what conforms, and the whole diagnosis for what does not. They know no search."""

from __future__ import annotations

from importlib.metadata import entry_points

import pytest

from mhat import verbs
from mhat.errors import BadValue
from mhat.testing import assert_conforms
from mhat.writing.plain import text_of
from tests.checks import wrong_adams

pytest_plugins = ["pytester"]

PASSING = """
import sys
import numpy as np

def test_light():
    assert not {"mhat.testing", "mhat.verbs", "xarray"} & set(sys.modules)

def test_sgd(assert_conforms):
    assert_conforms(lambda gradients: -0.1 * np.cumsum(gradients, axis=0), "sgd", lr=0.1)
"""
FAILING = """
import numpy as np

def up(gradients):
    return 0.1 * np.cumsum(gradients, axis=0)

def test_sgd(assert_conforms):
    assert_conforms(up, "sgd", lr=0.1)
"""


def test_what_conforms_passes() -> None:
    assert_conforms(wrong_adams.adam, "adam")
    assert_conforms(wrong_adams.adam)


def test_the_message_is_the_diagnosis() -> None:
    with pytest.raises(AssertionError) as raised:
        assert_conforms(wrong_adams.stored_back, "adam")
    text = str(raised.value)
    assert text.startswith(text_of(verbs.check(wrong_adams.stored_back, "adam").story))
    assert "\n\nIt took " in text
    assert "with this change of tests/checks/wrong_adams.py it conforms" in text
    assert text.startswith("stored_back deviates from adam")
    assert "  - m_hat = m / (1 - beta1**t)\n  + m = m / (1 - beta1**t)" in text


def test_a_name_that_claims_nothing_is_asked_for_a_rule() -> None:
    with pytest.raises(BadValue) as raised:
        assert_conforms(lambda gradients: gradients)
    assert str(raised.value) == '`<lambda>` claims no rule by its name\nSay which it should be: against="adam".'


def test_knobs_that_are_not_taken_are_refused() -> None:
    with pytest.raises(BadValue, match="`hidden` takes no `lr`"):
        assert_conforms(wrong_adams.hidden, "adam", lr=0.5, seconds=1)


def plugin() -> list[str]:
    installed = any(point.value == "mhat.pytest_plugin" for point in entry_points(group="pytest11"))
    return [] if installed else ["-p", "mhat.pytest_plugin"]


def test_the_fixture_passes_and_the_plugin_is_light(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(PASSING)
    ran = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", *plugin())
    ran.assert_outcomes(passed=2)


def test_the_fixture_fails_with_the_diagnosis(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FAILING)
    ran = pytester.runpytest_subprocess("-q", "-p", "no:cacheprovider", *plugin())
    ran.assert_outcomes(failed=1)
    ran.stdout.no_fnmatch_line("*raise AssertionError*")
    ran.stdout.fnmatch_lines(
        ["*AssertionError: up deviates from sgd*", "*- return x - lr * g*", "*+ return x + lr * g*"]
    )
