"""Closed forms: what they say, that they agree with a plain run of floats, and that what has none says why."""

from __future__ import annotations

import math
from xml.etree import ElementTree

import pytest
from hypothesis import HealthCheck, given, settings

import mhat.rules as library
from mhat.engines.floats import Floats
from mhat.engines.program import Program, first_environment
from mhat.engines.symbols import COURSES, ClosedForm, Found, NoClosedForm, closed_forms, course_of
from mhat.errors import BadValue
from mhat.language import Rule, of_tree, rule
from mhat.language.tree import Tree
from tests.strategies import rules

STORED_BACK = rule(
    "def stored_back(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):\n"
    "    m = beta1 * m + (1 - beta1) * g\n"
    "    v = beta2 * v + (1 - beta2) * g**2\n"
    "    m = m / (1 - beta1**t)\n"
    "    v = v / (1 - beta2**t)\n"
    "    ratio = m / (sqrt(v) + eps)\n"
    "    return x - lr * ratio\n"
)


def formula(found: Found) -> str:
    assert isinstance(found, ClosedForm), found
    return found.text


def reason(found: Found) -> str:
    assert isinstance(found, NoClosedForm), found
    return found.reason


def measured(made: Rule, gradients: list[float], **knobs: float) -> dict[str, float]:
    """Run a rule on plain floats, from 0, and give what its variables are at the end."""
    program, x = Program(made, Floats()), 0.0
    environment = first_environment(made, x, gradients[0], knobs, 1.0, 1.0, 1.0)
    environment.update(program.start(environment))
    for step, g in enumerate(gradients, start=1):
        environment.update(t=float(step), g=g, x=x)
        (x,) = program.step([environment])
    return {**{name: environment[inner] for name, inner in program.recorded.items()}, "x": x}


def gradients_of(course: str, steps: int) -> list[float]:
    size = {
        "constant": lambda t: 3.0,
        "ramp": lambda t: 3.0 + 0.5 * (t - 1),
        "geometric": lambda t: 3.0 * 1.1 ** (t - 1),
        "alternating": lambda t: 3.0 * (-1) ** (t - 1),
        "impulse": lambda t: 3.0 if t == 1 else 0.0,
        "sine": lambda t: 3.0 * math.sin(2 * math.pi * (t - 1) / 12.0),
    }[course]
    return [size(t) for t in range(1, steps + 1)]


GIVEN = {
    "constant": {"g": 3.0}, "ramp": {"initial": 3.0, "slope": 0.5}, "geometric": {"g": 3.0, "growth": 1.1},
    "alternating": {"g": 3.0}, "impulse": {"g": 3.0}, "sine": {"g": 3.0, "period": 12.0},
}  # fmt: skip


def test_adam_under_a_constant_gradient() -> None:
    found = {name: formula(form) for name, form in closed_forms(library.adam).items()}
    assert found == {
        "m": "g * (1 - beta1**t)",
        "v": "g**2 * (1 - beta2**t)",
        "m_hat": "g",
        "v_hat": "g**2",
        "ratio": "g / (eps + abs(g))",
        "x": "start - g * lr * t / (eps + abs(g))",
        "update": "-g * lr / (eps + abs(g))",
    }


def test_courses_have_forms_of_their_own() -> None:
    assert formula(closed_forms(library.momentum)["velocity"]) == "g * (1 - momentum**t) / (1 - momentum)"
    alternating = closed_forms(library.signum, "alternating")["m"]
    assert formula(alternating) == "-g * (1 - beta1) * ((-1)**t - beta1**t) / (1 + beta1)"
    assert formula(closed_forms(library.signum, "impulse")["m"]) == "g * beta1**(t - 1) * (1 - beta1)"
    geometric = closed_forms(library.signum, "geometric")["m"]
    assert formula(geometric) == "g * (1 - beta1) * (beta1**t - growth**t) / (beta1 - growth)"
    sine = closed_forms(library.signum, "sine")["m"]
    assert isinstance(sine, ClosedForm) and r"\cos" in sine.latex and "pi / period" in sine.text


@pytest.mark.parametrize("course", COURSES)
@pytest.mark.parametrize("name", ["adam", "momentum"])
def test_forms_are_what_a_run_of_floats_gives(name: str, course: str) -> None:
    made: Rule = getattr(library, name)
    found = closed_forms(made, course, seconds=60)
    forms = {name: form for name, form in found.items() if isinstance(form, ClosedForm)}
    # Where the gradient is a sum of powers, so is all that is not divided by a root.
    assert set(forms) >= {*made.tree.state_names, "update"}
    for steps in (1, 2, 7, 30):
        run = measured(made, gradients_of(course, steps))
        for variable, form in forms.items():
            if variable in run:
                assert form.at(steps, **GIVEN[course]) == pytest.approx(run[variable], rel=1e-9, abs=1e-12), variable


def test_moments_that_are_stored_back_are_products() -> None:
    found = closed_forms(STORED_BACK)
    v = found["v"]
    assert formula(v) == (
        "sum((g**2 * (1 - beta2) / (1 - beta2**j)) * product(beta2 / (1 - beta2**k), k = j + 1 .. t), j = 1 .. t)"
    )
    assert isinstance(v, ClosedForm) and r"\prod_{k=j+1}^{t}" in v.latex
    assert ElementTree.fromstring(v.mathml).tag == "math" and "\u220f" in v.mathml
    assert v.product is not None
    # Each step divides v by its correction once more: by step 100, 1e143 in all.
    assert v.product.log10_at(100) == pytest.approx(143.10, abs=0.01)
    assert v.at(100, g=10.0) == pytest.approx(1.1e142, rel=0.1)
    ratio = found["ratio"]
    assert isinstance(ratio, ClosedForm) and ratio.text == "m / (eps + sqrt(v))"
    assert ratio.at(100, g=10.0) == pytest.approx(3.404888183404303e-70, rel=1e-12)
    assert ratio.log10_at(100, g=10.0) == pytest.approx(-69.47, abs=0.01)


def test_a_schedule_of_the_step_is_a_product() -> None:
    found = closed_forms(library.nadam)
    assert formula(found["product"]) == "product(beta1 * (1 - 0.96**(momentum_decay * k) / 2), k = 1 .. t)"
    run = measured(library.nadam, [2.0] * 9)
    assert found["m_hat"].at(9, g=2.0) == pytest.approx(run["m_hat"], rel=1e-12)  # type: ignore[union-attr]


def test_a_choice_that_was_tried_is_not_called_proved() -> None:
    found = closed_forms(library.amsgrad)
    v_max, m = found["v_max"], found["m"]
    assert isinstance(v_max, ClosedForm) and v_max.text == "g**2 * (1 - beta2**t)"
    assert not v_max.proved and v_max.trials == 20
    assert isinstance(m, ClosedForm) and m.proved and m.trials == 20


def test_what_has_none_says_why() -> None:
    found = closed_forms(library.adadelta)
    assert reason(found["u"]) == "that is no share of what it was, with something fed to it"
    assert reason(found["x"]) == ("it is made of `u`, and that is no share of what it was, with something fed to it")
    rms = closed_forms(library.rmsprop)["x"]
    assert reason(rms) == (
        "its updates have no closed sum: `1 / (eps + sqrt(1 - rho**t) * abs(g))` is no power of the step"
    )
    matrix = rule("def it(x, g, *, lr=0.1):\n return x - lr * orthogonal(g)")
    assert reason(closed_forms(matrix)["x"]) == ("the rule works on matrices, and a closed form is for one coordinate")
    taken = rule("def it(x, g, *, growth=0.1):\n return x - growth * g")
    assert reason(closed_forms(taken, "geometric")["x"]) == (
        "the rule has a knob `growth`, which the gradients are made of"
    )
    vast = rule("def it(x, g):\n return x - g * 1e300")
    assert reason(closed_forms(vast)["update"]) == (
        "a number in it is too large or too small to be calculated with as it is written"
    )
    coupled = rule("def it(x, g, a=0, b=0, *, lr=0.1):\n a = a + b\n b = b + a + g\n return x - lr * a")
    assert reason(closed_forms(coupled)["a"]) == "it is made of `b`, and the two are made of each other"


def test_knobs_at_their_limits() -> None:
    adam = closed_forms(library.adam)
    m, ratio = adam["m"], adam["ratio"]
    assert isinstance(m, ClosedForm) and isinstance(ratio, ClosedForm)
    assert m.at(5, beta1=0.0, g=2.0) == 2.0
    assert m.at(5, beta1=1.0, g=2.0) == 0.0
    assert ratio.at(1, eps=0.0, g=-2.0) == -1.0
    assert math.isnan(ratio.at(1, eps=0.0, g=0.0))
    velocity = closed_forms(library.momentum)["velocity"]
    assert isinstance(velocity, ClosedForm)
    # The formula divides nothing by nothing; what it tends to is the sum.
    assert velocity.at(5, momentum=1.0, g=2.0) == 10.0
    impulse = closed_forms(library.signum, "impulse")["m"]
    assert isinstance(impulse, ClosedForm) and impulse.at(1, beta1=0.0, g=2.0) == 2.0
    # A pole is no limit.
    geometric = closed_forms(rule("def it(x, g, *, a=0.5):\n u = g / (a - 1)\n return x - u"))["u"]
    assert isinstance(geometric, ClosedForm) and math.isinf(geometric.at(1, a=1.0))


def test_a_rule_without_a_gradient() -> None:
    still = closed_forms(rule("def it(x, *, weight_decay=0.1):\n return x - weight_decay * x"))
    assert formula(still["x"]) == "start * (1 - weight_decay)**t"


def test_questions_that_cannot_be_answered() -> None:
    with pytest.raises(BadValue, match=r"'square' is no course of gradients\nChoose constant, ramp, geometric"):
        closed_forms(library.adam, "square")
    m = closed_forms(library.adam)["m"]
    assert isinstance(m, ClosedForm)
    with pytest.raises(BadValue, match="the closed form of m has no beta3"):
        m.at(1, beta3=1.0)
    with pytest.raises(BadValue, match="step=0 is before the first step"):
        m.at(0)


def test_streams_are_known_by_their_arguments() -> None:
    assert course_of("constant", {"value": 10, "steps": 5}) == ("constant", {"g": 10.0})
    assert course_of("zeros", {"steps": 5}) == ("constant", {"g": 0.0})
    assert course_of("exponential", {"ratio": 2, "start": 3}) == ("geometric", {"growth": 2.0, "g": 3.0})
    assert course_of("spike", {"size": 4, "at": 1, "base": 0}) == ("impulse", {"g": 4.0})
    assert course_of("spike", {"size": 4, "at": 2, "base": 0}) is None
    assert course_of("normal", {"seed": 1}) is None


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(rules(max_lines=4, depth=2))
def test_random_rules_have_a_form_or_a_reason(tree: Tree) -> None:
    found = closed_forms(of_tree(tree), seconds=2)
    for form in found.values():
        assert isinstance(form, ClosedForm) or form.reason
