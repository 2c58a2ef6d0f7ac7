"""Which documented other forms of a rule are accepted as that rule. It sees rules, and no subject."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np

from mhat.errors import BadValue, UnknownName
from mhat.language import Rule
from mhat.language.inference import Level
from mhat.mistakes.dialects import Dialect, dialects_of
from mhat.mistakes.slots import Edit
from mhat.search.candidates import Candidate
from mhat.search.matrices import Layout, MatrixProbes, evaluator_of
from mhat.search.observed import Probes

# True: all but those that decay otherwise; False: none; else those that are named.
Dialects = bool | tuple[str, ...]
Form = tuple[tuple[Dialect, ...], Rule]
OTHER_DECAY = (
    "that is a documented form ({reference}), but no other spelling of {rule}: its decay is not scaled by lr, "
    "1/lr times as strong. `--dialect` (dialects=) with its name accepts it"
)
REFUSED = "that is a documented form ({reference}), which was not to be accepted"


def dialects_named(told: bool | str | Sequence[str], among: Iterable[Rule]) -> Dialects:
    """Understand which dialects of some rules are meant: all, none, or names, of which a beginning is enough.

    Raises UnknownName and BadValue.
    """
    if isinstance(told, bool):
        return told
    names = [told] if isinstance(told, str) else told
    if not isinstance(names, list | tuple) or not all(isinstance(name, str) for name in names):
        raise BadValue(f"dialects={told!r} names no dialects", "Give True, False, a name or a list of names.")
    rules = list(among)
    known = dict.fromkeys(one.name for rule in rules for spoken, _ in dialects_of(rule) for one in spoken)
    where = f" of {rules[0].name}" if len(rules) == 1 else ""
    meant: list[str] = []
    for name in names:
        alike = [one for one in known if one == name] or [one for one in known if name and one.startswith(name)]
        if len(alike) != 1:
            raise UnknownName("dialect", name, alike or known, where=where)
        meant += alike
    return tuple(meant)


def sorted_forms(rule: Rule, dialects: Dialects) -> tuple[list[Form], list[Form]]:
    """Sort the forms of a rule into those that are accepted, the rule as it is written first, and the others."""
    forms = list(dialects_of(rule))
    accepted = [form for form in forms if not refused(rule, form, dialects)]
    return [((), rule), *accepted], [form for form in forms if form not in accepted]


def refused(rule: Rule, form: Form, dialects: Dialects) -> bool:
    """Whether a form is not accepted as its rule."""
    spoken, written = form
    if not spoken:
        return False
    if isinstance(dialects, tuple):
        return any(one.name not in dialects for one in spoken)
    return not dialects or decays_otherwise(rule, written)


@cache
def decays_otherwise(rule: Rule, form: Rule) -> bool:
    """Whether a form's decay is not scaled by lr where the rule's is: with lr and gradients of zero it moves x."""
    return _moves_idly(form) and not _moves_idly(rule)


def _moves_idly(rule: Rule) -> bool:
    if not {"lr", "weight_decay"} <= set(rule.knobs):
        return False
    knobs = {**rule.knobs, "lr": 0.0, "weight_decay": 0.5}
    with np.errstate(all="ignore"):
        after = evaluator_of(_at_rest(rule, knobs)).run(rule.tree)
    return bool((after != 1.0).any())


def _at_rest(rule: Rule, knobs: Mapping[str, float]) -> Probes:
    """Make probes without gradients, from one on."""
    if rule.level != Level.MATRIX:
        return Probes(np.zeros((1, 2, 1, 1)), np.ones((1, 1, 1)), knobs)
    return MatrixProbes.of([Layout((np.zeros((1, 2, 2, 2)),), (np.ones((1, 2, 2)),), knobs, (1,), 1)])


def in_dialect(form: Rule, spoken: Sequence[Dialect], estimated: dict[str, float]) -> Candidate:
    """Make an answer of a form that is not accepted: what is done is that dialect."""
    return Candidate(form.tree, tuple(Edit(f"dialect: {one.name}", (), "dialect") for one in spoken), estimated)


def why_refused(rule: Rule, form: Form, dialects: Dialects) -> str:
    """Say why a form is not accepted, with where it is documented."""
    spoken, written = form
    reference = "; ".join(one.reference for one in spoken)
    otherwise = dialects is True and decays_otherwise(rule, written)
    return (OTHER_DECAY if otherwise else REFUSED).format(reference=reference, rule=rule.name)
