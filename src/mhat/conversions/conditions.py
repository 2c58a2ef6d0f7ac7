"""On what two optimizers are the same, as claims with their evidence. It knows no framework."""

from __future__ import annotations

from collections.abc import Mapping

from mhat.conversions.conversion import SAMENESS
from mhat.conversions.lines import code_of
from mhat.conversions.matching import DROPS, Match, holds_for_schedules
from mhat.conversions.pseudo_code import expression_of, same_lines, with_rate
from mhat.conversions.runs import STEPS, STREAMS, all_apart, rule_paths, whole_tensors
from mhat.explanations.claims import Claim, Comparison, Proof, Trials, four_digits
from mhat.language import Rule
from mhat.language.values import value_of

SHOWN_STEPS = (1, 10, 100, 1000, 10000)
TOPIC = "convert"


def of_schedule(match: Match, knob: str, knobs: Mapping[str, float]) -> Claim:
    """Say which schedule a knob must follow, and what it comes to."""
    node = expression_of(match.schedules[knob])
    rows = tuple((t, value_of(node, {**knobs, "t": float(t)})) for t in SHOWN_STEPS)
    theirs = match.entry.knobs[knob][0]
    shown = ", ".join(f"{four_digits(value)} at step {t}" for t, value in rows[::2])
    sentence = f"the same if {theirs} at step t is {code_of(match.schedules[knob], knobs)}: {shown}"
    return Claim(TOPIC, sentence, "computed", Comparison(("step", theirs), rows), knob)


def of_rate(rule: Rule, match: Match) -> list[Claim]:
    """Say so if what is the same is so only while the learning rate stays as it is."""
    if holds_for_schedules(rule, match):
        return []
    several = whole_tensors(rule, match.rule)
    one, other = (rule_paths(with_rate(each, DROPS), several) for each in (rule, match.seen))
    found = all_apart(one, other)
    rows = tuple((STREAMS[name], each.share) for name, each in found.items())
    worst = max(found, key=lambda name: found[name].share)
    sentence = (
        "the same only while the learning rate stays as it is: where it falls to a tenth after step 50, x comes apart "
        f"by up to {four_digits(found[worst].share)} of the way it has come ({worst})"
    )
    return [Claim(TOPIC, sentence, "computed", Comparison(("stream", "share"), rows), "lr")]


def of_sameness(rule: Rule, match: Match) -> Claim:
    """Say by what right both are said to be the same."""
    then = "then both" if match.schedules else "both"
    if same_lines(rule, match.seen):
        proof = Proof(("both are written with the same lines",))
        return Claim(TOPIC, f"{then} are the same pseudo code", "proved", proof, SAMENESS)
    said = f"{then} are the same on 50 digits, on {len(STREAMS)} streams of {STEPS} steps, though not written alike"
    return Claim(TOPIC, said, "tested", Trials(len(STREAMS), STEPS), SAMENESS)
