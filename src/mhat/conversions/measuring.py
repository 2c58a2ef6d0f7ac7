"""How far two optimizers come apart: measured with the real ones, else computed. It converts nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mhat.conversions import real, runs
from mhat.conversions.chosen import Chosen
from mhat.conversions.conditions import TOPIC
from mhat.conversions.conversion import Difference
from mhat.conversions.entries import SENTENCES, Framework
from mhat.conversions.matching import Match, value_of
from mhat.conversions.nearest import best_constant, causes, same_if_held
from mhat.conversions.runs import STEPS, STREAMS, TINY, Apart, Paths, all_apart, worst
from mhat.errors import MhatError
from mhat.explanations.claims import Claim, Comparison, Trials, four_digits
from mhat.language import Rule
from mhat.language.inference import reductions_over_all
from mhat.notation.decimals import exact
from mhat.progress import line

LIMIT = 60.0
Settings = Sequence[Mapping[str, float]]


@dataclass(frozen=True)
class HowFar:
    """The differences, and what is said of them."""

    differences: tuple[Difference, ...]
    notes: tuple[Claim, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Found:
    """How far both come apart, for each setting of the one that stands for the other."""

    how: Literal["measured", "computed"]
    shares: tuple[dict[str, Apart], ...]
    remarks: tuple[str, ...]


def of_both(chosen: Chosen, match: Match, plain: Match, *, measure: bool, limit: float) -> HowFar:
    """Say how far an optimizer and what stands for it come apart.

    Where they are not the same with constant knobs: `plain`, with its knobs as they are and with the best constant eps.
    """
    differs = not match.exact or bool(match.schedules)
    shown = plain if differs else match
    values = {knob: value_of(text, chosen.knobs) for knob, text in shown.expressions.items()}
    why = causes(chosen, shown) if differs else ()
    settings = [values]
    if why == ("eps",) and values.get("eps"):
        best = best_constant(chosen.rule, shown, "eps")
        settings += [{**values, "eps": best}] if best != values["eps"] else []
    found = _found(chosen, shown, settings, measure=measure, limit=limit)
    if not differs:
        agreed = [_agreed(found, chosen, match)] if found.how == "measured" else []
        return HowFar((), tuple(agreed), found.remarks)
    labels = _labels(shown, settings, same_form=shown.entry is match.entry and shown.form is match.form)
    rows = tuple(Difference(label, found.how, each) for label, each in zip(labels, found.shares, strict=True))
    named = () if match.exact else _named(why, chosen, match)
    return HowFar(rows, (*named, _far(rows[0], found, chosen, match)), found.remarks)


def nearest_of(rule: Rule, found: Sequence[Match]) -> Match:
    """Choose of optimizers that are not the same the one that comes nearest."""
    several = runs.whole_tensors(rule, *(match.rule for match in found))
    expected = runs.rule_paths(rule, several)

    def far(match: Match) -> list[float]:
        shares = all_apart(expected, runs.rule_paths(match.rule, several))
        # The worst stream first; what differs in the last digits alone is as near.
        return sorted((float(f"{each.share:.2g}") for each in shares.values()), reverse=True)

    return min(found, key=far)


def _found(chosen: Chosen, match: Match, settings: Settings, *, measure: bool, limit: float) -> _Found:
    reason = _why_computed(chosen.framework, match, measure=measure)
    if not reason:
        with line(f"running {chosen.entry.call} and {match.entry.call}"):
            try:
                return _measured(chosen, match, settings, limit)
            except MhatError as error:
                reason = f"computed from the pseudo code of both: {error.what}"
    return _computed(chosen.rule, match, settings, reason)


def _why_computed(source: Framework, match: Match, *, measure: bool) -> str:
    """Say why nothing is measured; nothing if it is."""
    undriven = [each.known for each in (source, match.framework) if each.known]
    missing = [each.extra for each in (source, match.framework) if each.extra and not real.is_there(each)]
    if not measure:
        return "computed from the pseudo code of both: nothing was measured"
    if undriven:
        return f"computed from the pseudo code of both, {' and '.join(dict.fromkeys(undriven))}"
    if missing:
        return (
            f"computed from the pseudo code of both; to measure: pip install 'mhat[{','.join(dict.fromkeys(missing))}]'"
        )
    if match.recipes:
        return "computed from the pseudo code of both: what is added in the lines above is not run here"
    return ""


def _computed(rule: Rule, match: Match, settings: Settings, reason: str) -> _Found:
    several = runs.whole_tensors(rule, match.rule)
    expected = runs.rule_paths(rule, several)
    told = [{name: value for name, value in setting.items() if name in match.rule.knobs} for setting in settings]
    shares = tuple(all_apart(expected, runs.rule_paths(match.rule, several, knobs)) for knobs in told)
    return _Found("computed", shares, (reason,))


def _measured(chosen: Chosen, match: Match, settings: Settings, limit: float) -> _Found:
    several = runs.whole_tensors(chosen.rule, match.rule)
    together = any(reductions_over_all(rule.tree) for rule in (chosen.rule, match.rule))
    source = real.paths_of(chosen.framework, chosen.entry, chosen.form, chosen.knobs, several, together, limit)
    targets = [
        real.paths_of(match.framework, match.entry, match.form, {**values, **match.form.held}, several, together, limit)
        for values in settings
    ]
    remarks = [
        *_unlike_its_form(chosen.framework, chosen.entry.call, chosen.rule, source, several),
        *_unlike_its_form(match.framework, match.entry.call, match.rule, targets[0], several),
    ]
    return _Found("measured", tuple(all_apart(source, target) for target in targets), tuple(remarks))


def _unlike_its_form(framework: Framework, call: str, rule: Rule, paths: Paths, several: bool) -> Iterator[str]:
    """Say so where an optimizer does not do what is known of it: it may have changed."""
    found = all_apart(paths, runs.rule_paths(rule, several))
    for name in runs.JUDGED:
        if found[name].share > runs.rounding(rule, several, name):
            yield (
                f"{call} of {framework.name} {real.version_of(framework)} does not do what mhat knows of it, by "
                f"{four_digits(found[name].share)} of the way ({name}): what is measured counts"
            )
            return


def _labels(match: Match, settings: Settings, *, same_form: bool) -> list[str]:
    """Say what was run: the value of eps, and the switches if the lines have others."""
    switched = "" if same_form else " ".join(f"{name}={value}" for name, value in _switched(match).items())
    if len(settings) == 1:
        return [switched or ("with these knobs" if same_form else "without it")]
    theirs = match.entry.knobs["eps"][0]
    first, *rest = (f"{theirs}={exact(setting['eps'])}" for setting in settings)
    return [first, *(f"{each} (best)" for each in rest)]


def _switched(match: Match) -> dict[str, bool]:
    return {name: match.form.switches.get(name, value) for name, value in match.entry.switches.items()}


def _named(why: tuple[str, ...], chosen: Chosen, match: Match) -> Iterator[Claim]:
    """Say which knob it is that both treat otherwise, or that one of them has not."""
    if why:
        zeros = " and ".join(f"{knob}=0" for knob in why)
        sentence = f"the difference is in {' and '.join(why)}: with {zeros} both are the same on 50 digits"
        yield Claim(TOPIC, sentence, "tested", Trials(1, runs.FEW), " ".join(why))
    for knob, held in match.form.held.items():
        wanted = chosen.knobs.get(knob, held)
        if wanted != held and knob not in why and same_if_held(chosen.rule, match, {knob: wanted}):
            meaning = SENTENCES.get(knob) or match.rule.meaning(knob).sentence
            sentence = (
                f"{match.entry.call} has no {knob} ({meaning}): there it is {exact(held)}, and {exact(wanted)} would "
                "make both the same on 50 digits"
            )
            yield Claim(TOPIC, sentence, "tested", Trials(1, runs.FEW), knob)


def _agreed(found: _Found, chosen: Chosen, match: Match) -> Claim:
    share = worst(found.shares[0])
    far = f"x comes apart by at most {four_digits(share)} of its way" if share else "the same to the last bit"
    run = f"({len(STREAMS)} streams of {STEPS} steps, {real.DTYPE})"
    sentence = f"measured with {_versions(chosen, match)}: {far} {run}"
    return Claim(TOPIC, sentence, "tested", Trials(len(STREAMS), STEPS, share))


def _far(row: Difference, found: _Found, chosen: Chosen, match: Match) -> Claim:
    """Say in a sentence what the first row of the table comes to: for gradients of usual size, and for tiny ones."""
    head = ("stream", "share", "step")
    rows = tuple((STREAMS[name], each.share, each.step) for name, each in row.streams.items())
    usual = max(each.share for name, each in row.streams.items() if name != TINY)
    tiny = row.streams[TINY].share
    how = "computed" if found.how == "computed" else f"measured with {_versions(chosen, match)} in {real.DTYPE}"
    sentence = (
        f"{row.setting}: for gradients of size 1 x comes apart by up to {four_digits(usual)} of its way, for gradients "
        f"of size 1e-6 ({TINY}: {STREAMS[TINY]}) by {four_digits(tiny)}; {how}, from x = 1"
    )
    odd = [name for name, each in row.streams.items() if math.isinf(each.share)]
    if odd:
        sentence = f"{row.setting}: one of the two is no number any more on {' and '.join(odd)}; {how}, from x = 1"
    return Claim(TOPIC, sentence, "computed", Comparison(head, rows))


def _versions(chosen: Chosen, match: Match) -> str:
    return " and ".join(f"{each.name} {real.version_of(each)}" for each in (chosen.framework, match.framework))
