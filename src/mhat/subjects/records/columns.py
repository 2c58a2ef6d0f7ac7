"""Which of somebody's columns are gradients, parameters, knobs or bookkeeping: by their names. It reads nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from mhat.language.vocabulary import VOCABULARY, meant_by

STEPS = ("step", "_step", "global_step", "steps", "iteration", "iter", "it", "t")
COORDINATES = ("i", "index", "coordinate")
TENSORS = ("tensor", "layer", "name", "param_name", "parameter_name")
GRADIENTS = ("g", "grad", "grads", "gradient", "gradients", "dw", "dx", "dtheta", "dparam")
PARAMETERS = ("x", "w", "param", "params", "parameter", "parameters", "theta", "weight", "weights", "value", "data")
# Columns about the run, not of it. A norm or a loss is no gradient, whatever stands before it.
BOOKKEEPING = re.compile(
    r"^_|wall.?time|time(stamp)?$|runtime|^epoch|^batch|^loss|loss$|acc(uracy)?$|^val_|norm|^seed$|^unnamed|^$|^step$|memory"
)
SPLIT = re.compile(r"[./:_\- ]+")


@dataclass(frozen=True)
class Pairing:
    """Which columns belong together: for each tensor its gradient's and its parameter's; and knobs by their columns."""

    pairs: Mapping[str, tuple[str, str]]
    knobs: Mapping[str, str] = field(default_factory=dict)


def column_of(names: Iterable[str], usual: Iterable[str]) -> str | None:
    """Find the column with one of the usual names, whatever the size of its letters; the commonest name first."""
    lower = {name.lower(): name for name in names}
    return next((lower[each] for each in usual if each in lower), None)


def knobs_among(names: Iterable[str]) -> dict[str, str]:
    """Find columns that are knobs by their usual names: the knob and its column.

    >>> knobs_among(["learning_rate", "train/lr", "loss"])
    {'lr': 'learning_rate'}
    """
    found: dict[str, str] = {}
    for name in names:
        last = re.split(r"[./]", name)[-1]
        for knob in meant_by(last, VOCABULARY)[:1]:
            found.setdefault(knob, name)
    return found


def paired(names: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Pair the columns of gradients with those of their parameters, by what is left of the names.

    >>> paired(["_step", "grad/w00", "param/w00", "grad_norm"])
    {'w00': ('grad/w00', 'param/w00')}
    >>> paired(["W1", "b1", "dW1", "db1"])
    {'W1': ('dW1', 'W1'), 'b1': ('db1', 'b1')}
    >>> paired(["layer.weight.grad", "layer.weight"])
    {'layer.weight': ('layer.weight.grad', 'layer.weight')}
    """
    usable = [name for name in names if not BOOKKEEPING.search(name.lower())]
    pairs: dict[str, tuple[str, str]] = {}
    for name in usable:
        for rest in _without(name, GRADIENTS):
            partner = _partner(rest, [other for other in usable if other != name])
            if partner is not None and all(partner != x for _, x in pairs.values()):
                pairs[rest or partner] = (name, partner)
                break
    return pairs


def _without(name: str, words: Iterable[str]) -> list[str]:
    """Give what is left of a name without a word for gradients, as a part of it or stuck to its front."""
    words = tuple(words)
    parts = SPLIT.split(name)
    marks = SPLIT.findall(name)
    rests = []
    for place, part in enumerate(parts):
        bare = part.rstrip("0123456789")
        if bare.lower() in words:
            number = part[len(bare) :]
            kept = [*parts[:place], *([number] if number else []), *parts[place + 1 :]]
            joint = marks[0] if marks else ""
            rests.append(joint.join(kept))
    return [name[1:], *rests] if re.match(r"d[^./_]", name) else rests


def _partner(rest: str, others: list[str]) -> str | None:
    """Find the parameter that a rest belongs to: the column of that very name, or with a word for parameters in it."""
    if rest in others:
        return rest
    fitting = [other for other in others if rest in _without(other, PARAMETERS)]
    return fitting[0] if len(fitting) == 1 else None
