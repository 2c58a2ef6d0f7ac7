"""Which optimizer of another framework does what one does, with which knobs: found by writing both as rules.

A knob of the other is an expression of the knobs of the one, perhaps of t too. Both are then compared on 50 digits.
It knows no framework, and no rule by name but for those that can stand for another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from mhat.conversions.chosen import Chosen
from mhat.conversions.entries import NEUTRAL, Entry, Form, Framework, Recipe
from mhat.conversions.pseudo_code import expression_of, with_knobs, with_rate, written
from mhat.conversions.runs import same
from mhat.language import Rule
from mhat.language.values import value_of as number_of

# A rule that another can stand for, and the knobs with which it does; both are seen to be so on 50 digits.
STANDS_FOR: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "sgd": {"momentum": {"momentum": "0"}},
    "adamw": {"adam": {}},
    "adam": {"adamw": {}},
    "signsgd": {
        "signum": {"beta1": "0"}, "tiger": {"beta1": "0", "weight_decay": "0"},
        "lion": {"beta1": "0", "beta2": "0", "weight_decay": "0"},
    },
    "signum": {"tiger": {"weight_decay": "0"}, "lion": {"beta2": "beta1", "weight_decay": "0"}},
    "tiger": {"lion": {"beta2": "beta1"}},
}  # fmt: skip
# What the corrections of moments multiply a knob by, in one convention and not in another.
FACTORS = ("sqrt(1 - beta2**t)", "1 / sqrt(1 - beta2**t)")
FALLING = "1 / (1 + (t - 1) * lr_decay)"
# A step at which every correction has faded.
FAR = 1e15
# As many steps show whether an attempt is worth all of them.
FIRST = 6
# A learning rate that changes, to see whether the same is the same under a schedule.
DROPS = "lr * (1 if t <= 50 else 0.1)"


@dataclass(frozen=True)
class Match:
    """An optimizer that may stand for another: its knobs as expressions, what is added to it, and what both are.

    `rule` is it as a rule with its own knobs, `seen` the same with the knobs of the one it stands for. `plain`: as the
    names of the knobs say, where that is another.
    """

    framework: Framework
    entry: Entry
    form: Form
    expressions: Mapping[str, str]
    recipes: tuple[Recipe, ...]
    rule: Rule
    seen: Rule
    exact: bool
    plain: Match | None = None

    @property
    def schedules(self) -> dict[str, str]:
        """The knobs that follow t."""
        return {knob: text for knob, text in self.expressions.items() if "t" in words_of(text)}


def matches(source: Chosen, framework: Framework) -> list[Match]:
    """List what a framework has for an optimizer: what is the same first, with constant knobs before schedules.

    What is not the same is there with every constant that may stand for its knobs. Empty where there is no such rule.
    """
    found = []
    for entry, form, fixed in _candidates(source, framework):
        for recipes in _recipe_sets(source, framework, entry, form):
            found += _tried(source, Match(framework, entry, form, {}, recipes, source.rule, source.rule, False), fixed)
    return sorted(found, key=lambda match: _rank(match, source.form.name))


def _rank(match: Match, name: str) -> tuple[bool, int, int, bool, int]:
    """Put first what is the same, needs least besides, and is called alike."""
    called = match.form.name != name
    return not match.exact, len(match.schedules), len(match.recipes), called, len(match.form.switches)


def remade(source: Chosen, match: Match) -> Match:
    """Write a match anew for a source with other values of its knobs."""
    return _made(source, match, match.expressions)


def holds_for_schedules(source: Rule, match: Match) -> bool:
    """Whether what is the same stays so when the learning rate changes on the way."""
    return same(with_rate(source, DROPS), with_rate(match.seen, DROPS), only=("normal",))


def _candidates(source: Chosen, framework: Framework) -> Iterator[tuple[Entry, Form, Mapping[str, str]]]:
    others = STANDS_FOR.get(source.form.rule, {})
    for rule in (source.form.rule, *others):
        for entry in framework.entries:
            for form in entry.forms:
                if form.rule == rule:
                    yield entry, form, others.get(rule, {})


def _recipe_sets(source: Chosen, framework: Framework, entry: Entry, form: Form) -> Iterator[tuple[Recipe, ...]]:
    """Yield what may be added: nothing, and whatever the source does that this optimizer lacks."""
    yield ()
    lacking = [
        knob for knob, value in source.knobs.items()
        if knob in framework.recipes and value != NEUTRAL.get(knob) and knob not in _knobs_of(entry, form)
    ]  # fmt: skip
    if lacking:
        yield tuple(framework.recipes[knob] for knob in lacking)


def _knobs_of(entry: Entry, form: Form) -> tuple[str, ...]:
    return tuple(knob for knob in entry.knobs if knob not in form.lacks)


def _tried(source: Chosen, bare: Match, fixed: Mapping[str, str]) -> list[Match]:
    """Try one optimizer with every way to set its knobs: the first that is the same, else all that are constant."""
    rule, constant = source.rule, list[Match]()
    for expressions in _attempts(source, bare.entry, bare.form, fixed):
        match = _made(source, bare, expressions)
        if same(rule, match.seen, FIRST, ("normal", "tiny")) and same(rule, match.seen):
            return [replace(match, exact=True, plain=constant[0] if constant else None)]
        constant += [] if match.schedules else [match]
    return constant


def _made(source: Chosen, bare: Match, expressions: Mapping[str, str]) -> Match:
    values = {knob: value_of(text, source.knobs) for knob, text in expressions.items()}
    added = {recipe.edit.knob: source.knobs[recipe.edit.knob] for recipe in bare.recipes}
    edits = [recipe.edit for recipe in bare.recipes]
    rule = written(bare.entry, bare.form, {**values, **bare.form.held, **added}, edits)
    # What is held stays a number, also where the source has a knob of the name.
    held = {knob: repr(value) for knob, value in bare.form.held.items()}
    seen = with_knobs(rule, {**expressions, **held}, source.knobs)
    return replace(bare, expressions=dict(expressions), rule=rule, seen=seen)


def _attempts(source: Chosen, entry: Entry, form: Form, fixed: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield ways to set the knobs of an optimizer: as the names say, and then with what conventions do to them."""
    names: dict[str, str] = {}
    for knob in _knobs_of(entry, form):
        if knob in fixed:
            names[knob] = fixed[knob]
        elif knob in source.knobs:
            names[knob] = knob
        elif knob in NEUTRAL:
            names[knob] = "0"
        else:
            return
    needs = form.needs if form.rule == source.form.rule else (*form.needs, *form.positive)
    if not all(value_of(names[need], source.knobs) for need in needs):
        return
    yield names
    for changed in _constants(source, names):
        yield {**names, **changed}
    for changed in _schedules(source, names):
        yield {**names, **changed}


def _constants(source: Chosen, names: Mapping[str, str]) -> Iterator[dict[str, str]]:
    for one, other in (("l2", "weight_decay"), ("weight_decay", "l2")):
        if source.knobs.get(one) and one not in names and other in names:
            yield {other: one}
    if "eps" in names and "eps" in source.knobs and "eps_root" in names and "eps_root" not in source.knobs:
        yield {"eps_root": "eps"}
        yield {"eps_root": "eps", "eps": "0"}
    if source.knobs.get("dampening"):
        yield {"lr": "lr * (1 - dampening)"}


def _schedules(source: Chosen, names: Mapping[str, str]) -> Iterator[dict[str, str]]:
    if source.knobs.get("lr_decay") and "lr_decay" not in names:
        yield {"lr": f"lr * {FALLING}"}
    if "beta2" not in source.knobs:
        return
    for factor in FACTORS:
        if source.knobs.get("eps") and "eps" in names:
            yield {"eps": _times("eps", factor)}
    for factor in FACTORS:
        yield {"lr": _times("lr", factor)}
        if source.knobs.get("eps") and "eps" in names:
            yield {"lr": _times("lr", factor), "eps": _times("eps", factor)}


def _times(knob: str, factor: str) -> str:
    return f"{knob} / {factor[4:]}" if factor.startswith("1 / ") else f"{knob} * {factor}"


def value_of(text: str, knobs: Mapping[str, float]) -> float:
    """Give the number that an expression of knobs is; what follows t is given as it begins, or as it comes to be."""
    t = 1.0 if "lr_decay" in words_of(text) else FAR
    return number_of(expression_of(text), {**knobs, "t": t})


def words_of(text: str) -> set[str]:
    """Give the names in an expression."""
    return set(re.findall(r"[A-Za-z_]\w*", text))
