"""What each line is for, and what happens without it: read from the structure, never from a name."""

from __future__ import annotations

import re

import pytest

from mhat import rules
from mhat.explanations.evidence import seen_again
from mhat.explanations.lines import claims
from mhat.explanations.lines.freezing import without
from mhat.explanations.lines.reading import Reading
from mhat.explanations.lines.roles import role_of
from mhat.explanations.runs import Setting
from mhat.language import Rule, rule

NOISE = "the typical step under normal noise, steps 101 to 200,"
OWN = """
def mine(x, g, t, q=0, w=0, *, eta=0.01, a=0.95, b=0.98, tiny=1e-6):
    q = a * q + (1 - a) * g
    w = w + (1 - b) * (g**2 - w)
    p = q / (1 - a**t)
    r = p / (sqrt(w) + tiny)
    return x - eta * r
"""


def said(made: Rule) -> list[str]:
    """Say what each line is for."""
    reading = Reading(Setting(made))
    return [role_of(reading, number).phrase for number in range(1, len(made.tree.body) + 1)]


def kinds(text: str) -> list[str]:
    reading = Reading(Setting(rule(text)))
    return [role_of(reading, number).kind for number in range(1, len(reading.tree.body) + 1)]


def sentences(made: Rule, topic: str, **knobs: float) -> list[str]:
    return [claim.sentence for claim in claims(Setting(made, "", knobs)) if claim.topic == topic]


def test_a_rule_of_ones_own_reads_as_well_as_adam() -> None:
    assert said(rule(OWN)) == [
        "an average of the gradient over about the last 20 steps: each step it keeps 0.95 of itself",
        "an average of the squared gradient over about the last 50 steps: each step it keeps 0.98 of itself",
        "`q`, corrected for its start at zero: by step t only the share `1 - a**t` of `q` has come in (0.05 at step 1)",
        "`p` divided by the root of `w`: so its size does not depend on how large the gradients are; `tiny` keeps it "
        "from dividing by zero",
    ]


def test_no_word_comes_from_a_name() -> None:
    """A rule whose names say something else must not be believed."""
    new = {"q": "norm_of_signs", "w": "momentum", "p": "weight_decay_sum", "a": "eps", "tiny": "beta1"}
    renamed = re.sub(r"\b(q|w|p|a|tiny)\b", lambda match: new[match[0]], OWN)
    expected = [re.sub(r"\b(q|w|p|tiny)\b|\ba(?=\*\*)", lambda match: new[match[0]], each) for each in said(rule(OWN))]
    assert said(rule(renamed)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("def f(x, g, s=0, *, c=0.1): s = s + g**2; u = g / sqrt(s); return x - c * u", ["sum", "ratio"]),
        ("def f(x, g, s=0, *, c=0.1, b=0.9): s = b * s + g; u = g + b * s; return x - c * u", ["sum", "ahead"]),
        ("def f(x, g, s=0, *, c=0.1): s = maximum(s, abs(g)); u = sign(g); return x - c * u", ["maximum", "sign"]),
        ("def f(x, g, *, c=0.1): u = clip(g, -1, 1); return x - c * u", ["clip"]),
        ("def f(x, g, *, c=0.1): length = norm(g); u = g / length; return x - c * u", ["factor", "ratio"]),
        ("def f(x, g, t, *, c=0.1): d = c / sqrt(t); u = d * g; return x - u", ["schedule", "scale"]),
        ('def f(x, g, l="g", *, c=0.1): d = g - l; l = g; return x - c * d', ["difference", "memory"]),
        ("def f(x, g, t, *, c=0.1): u = g if t > 3 else 0; return x - c * u", ["choice"]),
        ("def f(x, g, s=0, *, c=0.1, b=0.9): s = s - b * sign(s - g); return x - c * s", ["moved"]),
    ],
)
def test_what_a_line_is_by_its_structure(text: str, expected: list[str]) -> None:
    assert kinds(_on_lines(text)) == expected


def _on_lines(text: str) -> str:
    head, _, body = text.partition("): ")
    return "\n".join([f"{head}):", *(f"    {line.strip()}" for line in body.split(";"))])


def test_adam_without_its_lines() -> None:
    assert sentences(rules.adam, "without") == [
        f"Without it (`m = g`) {NOISE} is 1.001 lr instead of 0.2361 lr.",
        f"Without it (`v = g**2`) {NOISE} is 42.61 lr instead of 0.2361 lr.",
        "Without it (`m_hat = m`) the first step is 0.1 lr instead of lr, and it takes 22 steps to reach 0.9 lr.",
        "Without it (`v_hat = v`) the first step is 31.62 lr instead of lr, "
        "and it takes 1751 steps to come down to 1.1 lr.",
        "Without it (`ratio = m_hat`) under a constant gradient of 10 step 100 is 10 lr instead of lr.",
    ]


def test_decay_is_told_by_where_x_goes_without_a_gradient() -> None:
    assert sentences(rules.adamw, "without")[-1] == (
        "Without that, starting from x = 1, with no gradient for 10000 steps, x comes to 1 instead of 0.9048."
    )


def test_a_moment_that_is_stored_back_is_said_to_be() -> None:
    wrong = rule(
        "def f(x, g, t, m=0, *, lr=0.1, b=0.9):\n m = b * m + (1 - b) * g\n m = m / (1 - b**t)\n return x - lr * m"
    )
    assert said(wrong)[1].endswith(
        "it is stored back in `m`, so the next step takes it up corrected and corrects it again"
    )


def test_with_an_average_go_its_corrections() -> None:
    reading = Reading(Setting(rules.adam))
    made = without(reading, 1, role_of(reading, 1))
    assert made is not None
    assert (str(made[0]).splitlines()[1], str(made[0]).splitlines()[3]) == ("    m = g", "    m_hat = m")


@pytest.mark.parametrize(
    "name", ["adam", pytest.param("lamb", marks=pytest.mark.long), pytest.param("adan", marks=pytest.mark.long)]
)
def test_every_claim_is_seen_again(name: str) -> None:
    made = list(claims(Setting(rules.named(name), name)))
    assert [claim.sentence for claim in made if not seen_again(claim)] == []


def test_a_false_number_is_not_seen_again() -> None:
    from dataclasses import replace

    claim = next(claim for claim in claims(Setting(rules.adam, "adam")) if claim.topic == "without")
    first, *rest = claim.evidence.runs  # type: ignore[union-attr]
    false = replace(claim.evidence, runs=(replace(first, value=2 * first.value), *rest))  # type: ignore[arg-type]
    assert seen_again(claim)
    assert not seen_again(replace(claim, evidence=false))


@pytest.mark.parametrize("knobs", [{"beta1": 0.0}, {"eps": 0.0}, {"lr": 0.0}, {"beta1": 0.0, "beta2": 0.0, "eps": 0.0}])
def test_knobs_at_their_limits(knobs: dict[str, float]) -> None:
    made = list(claims(Setting(rules.adam, "adam", knobs)))
    assert len(made) >= 6
    assert all(map(seen_again, made))


@pytest.mark.parametrize(
    "text",
    [
        "def f(x, *, lr=0.1): return x - lr * x",
        "def f(x, g): return x",
        "def f(x, g, *, lr=0.1): return 3",
        "def f(x, g, *, lr=0.1): return x - lr * orthogonal(g)",
        'def f(x, g, *, lr=0.1): return x - lr * g / norm(g, over="all")',
        "def f(x, g, k, n, *, lr=0.1): return x - lr * g * k / n",
        "def f(x, g, *, lr=0.1): return x - lr * g @ g @ transpose(g) @ g",
    ],
)
def test_rules_at_the_edge_of_the_language(text: str) -> None:
    made = list(claims(Setting(rule(text))))
    assert made
    assert all(map(seen_again, made))


STORED_BACK = """
def f(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m = m / (1 - beta1**t)
    v = v / (1 - beta2**t)
    return x - lr * m / (sqrt(v) + eps)
"""


def test_a_state_that_a_later_line_changes_again_is_no_average() -> None:
    """It was called an average of the last 10 steps, and its correction the share that had come in."""
    first, _, third, _ = said(rule(STORED_BACK))
    assert first == (
        "0.9 of `m` and 0.1 of the gradient: it would be an average, but line 3 changes what the next step takes up"
    )
    assert third.startswith("`m` over `1 - beta1**t` (0.1 at step 1), which makes up for a start at zero once")


def test_what_dies_out_shows_at_the_second_step() -> None:
    """Where all later steps are nothing, nothing seemed to change without a line; and rounding was told as a step."""
    (first, *_) = sentences(rule(STORED_BACK), "without")
    assert first == "Without it (`m = g`) the second step under a constant gradient is 0.04471 lr instead of 0.2353 lr."


def test_corrections_and_denominators_of_ones_own_are_seen() -> None:
    """A correction kept in a variable of its own was only `a` over `share`; a root plus eps was its code once more."""
    told = said(
        rule("""
def mine(x, g, t, a=0, b=0, *, lr=1e-3, p=0.9, q=0.99, eps=1e-8):
    share = 1 - p**t
    a = p * a + (1 - p) * g
    b = q * b + (1 - q) * g**2
    up = a / share
    down = sqrt(b) + eps
    return x - lr * up / down
""")
    )
    assert told[3] == (
        "`a`, corrected for its start at zero: by step t only the share `1 - p**t` of `a` has come in (0.1 at step 1)"
    )
    assert told[4] == "the root of `b`, and `eps` that keeps it above zero"
