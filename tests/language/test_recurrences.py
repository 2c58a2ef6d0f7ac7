"""What a state is from step to step, in every spelling: on the library, on respelled lines, on random rules."""

from __future__ import annotations

import random
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings

import mhat.rules as library
from mhat.errors import BadValue
from mhat.language import of_tree, rule
from mhat.language.algebra import ONE, added, equal, subtracted
from mhat.language.recurrences import Recurrence, recurrence_of, recurrence_of_line, recurrences_of, shares_of
from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.walking import subexpressions
from mhat.modifiers import named, names
from mhat.printers.python import expression_text
from tests.choices import CLASSICS
from tests.language.meanings import Undefined, meaning, stepped
from tests.strategies import rules

RULES = CLASSICS


def text(node: Expression | None) -> str:
    return "" if node is None else expression_text(node)


def said(found: Recurrence | None) -> tuple[str, ...]:
    assert found is not None
    return found.kind, text(found.gain), text(found.weight), text(found.input), text(found.offset)


def of(body: str, state: str = "m", signature: str = "m=0, v=0, *, a=0.9, b=0.1") -> Recurrence | None:
    lines = "\n    ".join(body.splitlines())
    return recurrences_of(rule(f"def it(x, g, t, {signature}):\n    {lines}\n    return x - m"))[state]


def test_adam() -> None:
    found = recurrences_of(library.adam)
    assert said(found["m"]) == ("average", "beta1", "1 - beta1", "g", "0")
    assert said(found["v"]) == ("average", "beta2", "1 - beta2", "g**2", "0")


def test_every_state_of_the_library_is_known_but_those_that_are_nothing_so_plain() -> None:
    unknown = [
        (name, state)
        for name in RULES
        for state, found in recurrences_of(getattr(library, name)).items()
        if found is None
    ]
    # A root of itself, two maxima, a sign of its own difference.
    assert unknown == [("adadelta", "u"), ("adamax", "u"), ("amsgrad", "v_max"), ("yogi", "v")]


# Those that leave the lines of a rule as they are; `lazy` and `skip_outliers` keep what a state was.
KEEPING = [name for name in names() if name not in ("lazy", "scheduled", "skip_outliers")]


@pytest.mark.parametrize("modifier", KEEPING)
def test_modifiers_keep_the_averages_of_every_rule(modifier: str) -> None:
    for name in RULES:
        before = recurrences_of(getattr(library, name))
        try:
            after = recurrences_of(named(modifier)(getattr(library, name)))
        except BadValue:
            continue
        for state, found in before.items():
            changed = after[state]
            assert (found is None) == (changed is None)
            if found is not None and changed is not None:
                assert (found.gain, found.kind) == (changed.gain, changed.kind)


def test_an_offset_is_told_apart_from_what_is_averaged() -> None:
    found = recurrences_of(library.adabelief)["v"]
    assert said(found) == ("average", "beta2", "1 - beta2", "(g - m)**2", "eps")


def test_moments_that_are_stored_back_are_composed() -> None:
    found = of("m = a * m + (1 - a) * g\nm = m / (1 - a**t)")
    assert said(found) == ("decaying sum", "a / (1 - a**t)", "(1 - a) / (1 - a**t)", "g", "0")
    assert found is not None and found.lines == (1, 2) and found.form == "other" and found.changes_with_t


def test_states_that_are_one_number_a_step_may_be_coefficients() -> None:
    found = recurrences_of(library.nadam)["product"]
    assert said(found) == ("product", "beta1 * (1 - 0.5 * 0.96**(t * momentum_decay))", "", "", "0")
    scaled = of("p = p * a\nm = p * m + g", signature="m=0, p=1, *, a=0.9")
    assert said(scaled) == ("decaying sum", "p * a", "1", "g", "0")


def test_sums_and_what_only_was() -> None:
    assert said(recurrences_of(library.adagrad)["v"])[:2] == ("sum", "1")
    assert said(recurrences_of(library.momentum)["velocity"])[:3] == ("decaying sum", "momentum", "1")
    assert said(recurrences_of(library.adan)["g_last"]) == ("last", "0", "1", "g", "0")
    assert said(of("m = m + 1")) == ("sum", "1", "", "", "1")
    kept = of("v = g")
    assert kept is not None and kept.lines == () and kept.kind == "product" and kept.gain == ONE


@pytest.mark.parametrize(
    "line", ["m = m * m + g", "m = sqrt(m) + g", "m = maximum(m, g)", "m = g * m + a", "m = sum(m)", "m = g / m"]
)
def test_what_is_no_share_of_itself_is_nothing(line: str) -> None:
    assert of(line) is None


def test_literals_are_read_as_they_are_written() -> None:
    found = of("m = 0.9 * m + 0.1 * g")
    assert found is not None and found.is_average
    other = of("m = 0.9 * m + 0.2 * g")
    assert other is not None and not other.is_average


def test_names_that_mean_two_things_are_written_out() -> None:
    # What is fed is g as it came and g with decay: under one name it could not be said.
    found = of("m = a * m + b * g\ng = g + b * x\nm = m + b * g")
    assert found is not None and text(found.fed) == "b * g + b * (g + b * x)"
    assert text(of("g = g + b * x\nm = a * m + b * g").input) == "g"  # type: ignore[union-attr]


def test_where_x_goes_is_a_recurrence_too() -> None:
    assert said(recurrence_of(library.adamw, "x")) == ("decaying sum", "1 - lr * weight_decay", "-lr", "ratio", "0")
    assert recurrence_of(library.lamb, "x") is None


def test_one_line_by_itself() -> None:
    assert recurrences_of(library.adadelta)["u"] is None
    assert said(recurrence_of_line(library.adadelta, 3)) == ("average", "rho", "1 - rho", "ratio**2", "0")
    assert recurrence_of_line(library.adadelta, 2) is None
    stored = rule("def it(x, g, t, m=0, *, a=0.9):\n m = a * m + g\n m = m / (1 - a**t)\n return x - m")
    assert said(recurrence_of_line(stored, 2)) == ("product", "1 / (1 - a**t)", "", "", "0")


def test_an_explosion_of_lines_ends() -> None:
    body = "m = a * m + b * g\n" + "\n".join("m = m + (m + b) * a - m" for _ in range(40))
    assert of(body) is None or of(body) is not None


# Respelled: the same average, written in any order that is plain algebra.


def respelled(node: Expression, chance: random.Random) -> Expression:
    """Write an expression in another way that is the same number."""
    if not isinstance(node, Operation):
        return node
    arguments = tuple(respelled(argument, chance) for argument in node.arguments)
    node = Operation(node.op, arguments)
    if node.op in ("add", "mul") and chance.random() < 0.5:
        node = Operation(node.op, arguments[::-1])
    a, b = (*node.arguments, node.arguments[0])[:2]
    way = chance.random()
    if node.op == "add" and way < 0.3:
        return Operation("sub", (a, Operation("neg", (b,))))
    if node.op == "sub" and way < 0.3:
        return Operation("neg", (Operation("sub", (b, a)),))
    if node.op == "sub" and way < 0.5:
        return Operation("add", (Operation("neg", (b,)), a))
    if node.op == "mul" and way < 0.2:
        return Operation("neg", (Operation("mul", (Operation("neg", (a,)), b)),))
    if node.op == "mul" and way < 0.3 and M not in subexpressions(b):
        return Operation("div", (a, Operation("div", (ONE, b))))
    return node


M, G, A = Name("m"), Name("g"), Name("a")
KEPT = Operation("mul", (A, M))
FRESH = Operation("mul", (Operation("sub", (ONE, A)), G))
TEXTBOOK = Operation("add", (KEPT, FRESH))
LERP = Operation("add", (M, Operation("mul", (Operation("sub", (ONE, A)), Operation("sub", (G, M))))))
SPREAD = Operation("add", (Operation("sub", (KEPT, Operation("mul", (A, G)))), G))


@pytest.mark.parametrize("seed", range(60))
def test_respelled_averages_are_averages(seed: int) -> None:
    chance = random.Random(seed)
    value = respelled(chance.choice((TEXTBOOK, LERP, SPREAD)), chance)
    found = of(f"m = {expression_text(value)}")
    assert found is not None, expression_text(value)
    assert equal(found.gain, A), expression_text(value)
    assert found.weight is not None and found.is_average, expression_text(value)
    assert equal(Operation("mul", (found.weight, found.input)), FRESH)  # type: ignore[arg-type]


def test_the_form_says_how_it_is_written() -> None:
    assert of("m = a * m + (1 - a) * g").form == "textbook"  # type: ignore[union-attr]
    assert of("m = m + (1 - a) * (g - m)").form == "lerp"  # type: ignore[union-attr]
    assert of("m = a * m\nm = m + g").form == "other"  # type: ignore[union-attr]


def test_a_line_alone_without_its_rule() -> None:
    tree = library.adam.tree
    assert shares_of(tree.body[0]) == (Name("beta1"), Operation("sub", (ONE, Name("beta1"))), G)
    assert shares_of(tree.body[2]) is None
    lerp = rule("def it(x, g, m=0, *, a=0.9):\n m = m + (1 - a) * (g - m)\n return x - m").tree
    assert shares_of(lerp.body[0]) == (A, Operation("sub", (ONE, A)), G)


# Random rules: what is found holds in fractions, whatever the functions mean.

KNOWN = {"x": Fraction(3, 7), "g": Fraction(4, 9), "t": Fraction(3), "k": Fraction(2), "n": Fraction(4)}


def holds(tree: Tree, state: str) -> bool | None:
    """Whether the gain is what the state is multiplied by, and the parts sum to what is fed; None if undefined."""
    found = recurrence_of(tree, state)
    if found is None:
        return None
    states = {name: Fraction(2 + i, 5) for i, name in enumerate(tree.state_names)}
    knobs = {name: Fraction(i * i + 3, 7 + i) for i, name in enumerate(tree.knob_names)}
    after = "return" if state == "x" else state
    try:
        low, high = (stepped(tree, {**KNOWN, **knobs, **states, state: Fraction(value)}) for value in (0, 3))
        gain = meaning(found.gain, {**KNOWN, **knobs, **states})
    except Undefined:
        return None
    assert high[after] - low[after] == 3 * gain
    if found.weight is not None and found.input is not None:
        parts = added(Operation("mul", (found.weight, found.input)), found.offset)
        assert equal(parts, found.fed)
    else:
        assert found.fed == found.offset
    return True


def test_the_gains_of_the_library_hold_in_fractions() -> None:
    for name in RULES:
        tree = getattr(library, name).tree
        for state in (*tree.state_names, "x"):
            known = recurrence_of(tree, state) is not None
            # Not defined in fractions: powers that are no integers, infinities.
            assert holds(tree, state) or not known or name in ("nadam", "adopt"), (name, state)


@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rules(elementwise=True))
def test_gains_of_random_rules_hold_in_fractions(tree: Tree) -> None:
    for state in (*tree.state_names, "x"):
        holds(tree, state)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(rules())
def test_random_rules_never_break_it(tree: Tree) -> None:
    for found in recurrences_of(of_tree(tree)).values():
        assert found is None or found.kind in ("average", "sum", "decaying sum", "product", "last")


def test_algebra_tells_what_is_the_same_number() -> None:
    t, beta = Name("t"), Name("beta")
    power = Operation("pow", (beta, t))
    later = Operation("pow", (beta, Operation("add", (t, Number(1.0)))))
    assert equal(later, Operation("mul", (beta, power)))
    assert not equal(later, power)
    assert equal(Operation("div", (subtracted(ONE, power), subtracted(ONE, power))), ONE)
    assert equal(Operation("pow", (added(beta, t), Number(2.0))), Operation("mul", (added(t, beta), added(beta, t))))
    assert not equal(Number(float("inf")), Number(1.0))


def test_a_long_chain_of_lines_is_left_alone() -> None:
    """Guards against lines that are written out in one so deep that Python gives up on it."""
    chain = "".join(f" a{i + 1} = a{i} * 0.99 + g\n" for i in range(400))
    made = rule(f"def it(x, g, m=0, *, lr=0.1):\n a0 = g**2\n{chain} m = 0.9 * m + a400\n return x - lr * m")
    assert recurrence_of(made, "m") is None
