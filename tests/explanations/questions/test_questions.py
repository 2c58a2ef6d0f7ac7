"""The thirty questions: found by their words, answered for every kind of rule, short, and with evidence that holds."""

from __future__ import annotations

import re
import textwrap
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from mhat import rules
from mhat.errors import BadValue
from mhat.explanations.claims import Claim
from mhat.explanations.evidence import seen_again
from mhat.explanations.questions import answer, find_question, questions
from mhat.explanations.runs import Setting
from mhat.language import of_tree, rule
from tests.strategies import rules as random_rules

MUON = rule("""
def muon(x, g, m=0, *, lr=0.02, momentum=0.95):
    m = momentum * m + g
    return x - lr * orthogonal(g + momentum * m)
""")
FREE = rule("""
def free(x, g, t, z="x", y="x", *, lr=0.1, beta1=0.9):
    z = z - lr * g
    y = (1 - 1 / t) * y + 1 / t * z
    x_eval = y
    return (1 - beta1) * z + beta1 * y
""")
MINE = rule("""
def mine(x, g, t, first=0, second=0, *, rate=1e-3, keep=0.9, hold=0.999, tiny=1e-8):
    first = keep * first + (1 - keep) * g
    second = hold * second + (1 - hold) * g**2
    return x - rate * (first / (1 - keep**t)) / (sqrt(second / (1 - hold**t)) + tiny)
""")


def told(number: int, setting: Setting) -> str:
    return " ".join(claim.sentence for claim in answer(find_question(str(number)), setting))


def known(name: str, **knobs: float) -> Setting:
    return Setting(rules.named(name), name, knobs)


def lines(claims: tuple[Claim, ...]) -> int:
    return sum(len(textwrap.wrap(claim.sentence, 78)) for claim in claims)


def test_there_are_thirty() -> None:
    assert [question.number for question in questions()] == list(range(1, 31))
    assert len({question.text for question in questions()}) == 30


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("first step", 14), ("why is my loss nan", 16), ("loss spikes", 4), ("epsilon", 5), ("weight decay", 2),
        ("memory", 22), ("resume from a checkpoint", 13), ("warmup", 26), ("batch size", 25), ("scheduler", 20),
        ("effective learning rate", 7), ("muon", 23), ("schedule free", 29), ("embeddings", 21), ("convergence", 30),
        ("amsgrad", 24), ("fused", 18), ("betas", 6), ("clipping", 10), ("2d surface", 28), ("betas = 0", 27),
        ("zero gradient", 9), ("bias correction", 3), ("write my own", 19), ("is mine right", 11), ("torch keras", 12),
        ("plot moments", 8), ("bf16", 17), ("learn slower than sgd", 15), ("anneal the learning rate", 1), ("17", 17),
        ("Why warm up, and how long?", 26),
    ],
)  # fmt: skip
def test_questions_are_found_by_their_words(words: str, number: int) -> None:
    try:
        assert find_question(words).number == number
    except BadValue as error:  # a word that several have is told so, this one among them
        assert re.search(rf"\b{number} ", str(error)), error


def test_several_that_fit_are_listed() -> None:
    with pytest.raises(BadValue) as refused:
        find_question("learning rate")
    assert str(refused.value) == (
        "`learning rate` fits several questions: 1 Is a decay of the learning rate needed?; 7 What is the effective "
        "learning rate?\nAdd a word, or give the number of one."
    )


def test_unknown_words_get_the_nearest_questions() -> None:
    with pytest.raises(BadValue) as near:
        find_question("checkpoit")
    assert str(near.value) == (
        "no question has the words `checkpoit`\nNear to it: 13 What must be saved; why does the loss jump after "
        "resuming? `mhat explain --questions` lists them all."
    )
    with pytest.raises(BadValue) as far:
        find_question("xyzzy")
    assert str(far.value) == "no question has the words `xyzzy`\n`mhat explain --questions` lists them."


# What an answer for Adam at its defaults must contain.
CONTAINS = {
    1: ("0.2273 lr", "lr / sqrt(t)"),
    2: ("1e-3 a step", "lr * 0.01 = 1e-5", "They are not the same"),
    3: ("3.162 lr", "6.569 lr at step 12"),
    4: ("7.270 lr", "3.211 lr", "38 / lr"),
    5: ("half a step", "99.01% at 1e-6", "`sqrt(v_hat)`"),
    6: ("6.579 steps", "692.8 steps", "1.165 lr"),
    7: ("another number for every coordinate", "groups of parameters"),
    8: ("mhat trace adam", "v_hat = 100"),
    9: ("`m` goes on", "5.006 lr more"),
    10: ("does nothing", "3.211 lr"),
    11: ("mhat check yours.py:optimizer --against adam", "laws must hold"),
    12: ("mhat convert adam", "eps"),
    13: ("`m`, `v` and the step number t", "0.3976 lr", "25.15 lr"),
    14: ("sign(g) * lr / (1 + eps / abs(g))", "0.5 lr at a gradient of 1e-8"),
    15: ("10050 steps", "the right way"),
    16: ("rounds to 0", "5.960e-8"),
    17: ("2**-9", "0.512"),
    18: ("ulps",),
    19: ("6 lines",),
    20: ("over `step`", "0.1601 lr"),
    21: ("9.045 lr", "lazy"),
    22: ("8 bytes in float32, 4 in bfloat16",),
    23: ("no step orthogonal",),
    24: ("no maximum",),
    25: ("lr=2e-3, beta1=0.6, beta2=0.996 and eps=5e-9",),
    26: ("2 / (1 - beta2) = 2000 steps",),
    27: ("sign of the gradient",),
    28: ("45", "matters how the hill lies"),
    29: ("What you train is what you evaluate",),
    30: ("Reddi", "with beta1=0, beta2=0.1, at 1"),
}


@pytest.mark.parametrize("number", sorted(CONTAINS))
def test_adam_is_answered_with_its_numbers(number: int) -> None:
    claims = answer(find_question(str(number)), known("adam"))
    text = " ".join(claim.sentence for claim in claims)
    for part in CONTAINS[number]:
        assert part in text, f"{part!r} is not in: {text}"
    assert lines(claims) <= 8


@pytest.mark.parametrize("name", ["sgd", "momentum", "adagrad"])
def test_every_rule_is_answered_in_eight_lines(name: str) -> None:
    for question in questions():
        claims = answer(question, known(name))
        assert claims and lines(claims) <= 8, (name, question.number, lines(claims))
        assert not any(" nan" in claim.sentence for claim in claims), question.number


@pytest.mark.parametrize("number", [3, 4, 9, 10, 13, 14, 16, 21, 24, 25, 27, 30])
def test_evidence_is_seen_again(number: int) -> None:
    for claim in answer(find_question(str(number)), known("amsgrad")):
        assert seen_again(claim), claim.sentence


def test_a_rule_of_other_names_is_answered_alike() -> None:
    for number in (3, 4, 14, 27):
        own = told(number, Setting(MINE)).replace("rate", "lr").replace("keep", "beta1").replace("hold", "beta2")
        own = own.replace("tiny", "eps").replace("`second`", "`v`")
        assert own == told(number, known("adam")), number


def test_what_does_not_apply_says_why() -> None:
    assert told(3, known("sgd")) == "It keeps no average of gradients, so there is no bias to correct."
    assert "divides by nothing that the gradient makes" in told(5, known("momentum"))
    assert "It makes no step orthogonal" in told(23, known("sgd"))
    assert told(27, known("adagrad")) == "It has no decay rates that could be zero."
    blind = Setting(rule("def blind(x, t, *, lr=0.1):\n    return x - lr * t"))
    assert told(14, blind) == "Its steps do not depend on the gradient at all."


def test_an_orthogonal_step_is_answered_by_its_shapes() -> None:
    text = told(23, Setting(MUON))
    assert "lr for 256 x 64" in text and "0.2 * sqrt(larger side)" in text


def test_an_averaging_rule_says_where_the_two_part() -> None:
    text = told(29, Setting(FREE))
    assert "`x_eval` is what to evaluate and save" in text and "at step 300" in text
    assert "begin where x does" not in told(6, Setting(FREE))


def test_momentum_piles_a_penalty_up() -> None:
    assert "takes 1e-3 a step in the end" in told(2, known("momentum"))
    assert "For this rule they are the same." in told(2, known("sgd"))


def test_a_maximum_is_named() -> None:
    assert told(24, known("amsgrad")).startswith("`v_max` is the largest `v` so far, and corrected afterwards.")


def test_a_memory_without_square_goes_wrong_only_if_it_is_short() -> None:
    assert "the wrong way: the many small ones outvote it" in told(15, known("rmsprop"))


@pytest.mark.parametrize("knobs", [{"beta1": 0.0}, {"eps": 0.0}, {"lr": 0.0}, {"beta1": 0.0, "beta2": 0.0, "eps": 0.0}])
def test_limits_of_knobs(knobs: dict[str, float]) -> None:
    for number in (3, 6, 9, 14, 16, 25, 27):
        assert answer(find_question(str(number)), known("adam", **knobs))


@settings(max_examples=2, suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])
@given(random_rules(matrices=False, over_all=False))
def test_random_rules_break_no_question(tree: Any) -> None:
    for question in questions():
        for claim in answer(question, Setting(of_tree(tree))):
            assert claim.sentence and claim.as_dict()


@pytest.mark.long
@settings(max_examples=25, suppress_health_check=list(HealthCheck), deadline=None, phases=[Phase.generate])
@given(random_rules())
def test_many_random_rules_break_no_question(tree: Any) -> None:
    for question in questions():
        for claim in answer(question, Setting(of_tree(tree))):
            assert claim.sentence and claim.as_dict()


def test_what_never_settles_has_no_settled_answer() -> None:
    """Moments that are stored back were told half-lives and that what x moves by is lr over the gradient."""
    stored_back = rule("""
def stored_back(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m = m / (1 - beta1**t)
    v = v / (1 - beta2**t)
    return x - lr * m / (sqrt(v) + eps)
""")
    for number in (4, 6, 7, 25, 26):
        assert told(number, Setting(stored_back)) == (
            "This has no one answer here: `m` and `v` keep another share of themselves at every step."
        )
    assert "the next step is 0; without `v`" in told(13, Setting(stored_back))


def test_what_changes_nothing_is_not_said_to_do_something() -> None:
    """Of lion it was said that clipping does something, with the same step before and after."""
    assert "does nothing at that step: a gradient of 100 after ones makes a step of lr, and so it does clipped" in told(
        10, known("lion")
    )
    assert "does something: a gradient of 100" in told(10, known("adam"))


def test_a_decay_that_is_turned_off_is_there() -> None:
    """Lion, whose decay is 0 unless told, was said to have none of its own."""
    assert told(2, known("lion")).endswith("As its knobs stand it takes nothing of x by itself.")
