"""What a step over parameters is handed beside them: `adam(params, states, hyperparams)`. It calls nothing.

States go in step with the parameters, `for p, (v, s) in zip(params, states)`; hyperparameters are a dictionary in which
the step may count.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import COUNTS
from mhat.subjects.conventions.layouts import KNOBS, Slots
from mhat.subjects.conventions.tensors import nothing_like
from mhat.subjects.conventions.texts import Written
from mhat.subjects.spelling import SpelledKnobs

HYPER = frozenset({"hyperparams", "hyperparameters", "hparams", "hp", "config", "cfg", "opts", "options", "hypers",
                   "settings"})  # fmt: skip
RATE = 0.01


@dataclass(frozen=True)
class Beside:
    """What is handed over beside the parameters: states, as many a tensor as they are taken apart into; knobs."""

    states: Mapping[str, int] = field(default_factory=dict)  # 0: a lone one
    hyper: str | None = None
    keys: Mapping[str, str] = field(default_factory=dict)  # knobs in it: ours to theirs
    count: str | None = None
    first: int = 1

    @property
    def spelling(self) -> SpelledKnobs:
        """The knobs that stand in the dictionary."""
        usual = {"lr": RATE, "momentum": 0.9, "rho": 0.9, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8}
        return SpelledKnobs(knobs=self.keys, defaults={ours: usual.get(ours, 0.0) for ours in self.keys})

    def made(self, tensors: Sequence[Any], knobs: Mapping[str, float]) -> dict[str, Any]:
        """Make all of it for a run."""
        made: dict[str, Any] = {}
        for name, wide in self.states.items():
            each = [tuple(nothing_like(x) for _ in range(wide)) if wide else nothing_like(x) for x in tensors]
            made[name] = tuple(each)
        if self.hyper is not None:
            known = self.spelling.defaults
            made[self.hyper] = Slots(
                lambda: tensors[0], {theirs: knobs.get(o, known[o]) for o, theirs in self.keys.items()}
            )
            if self.count is not None:
                made[self.hyper][self.count] = self.first
        return made


def beside_of(written: Written, names: Sequence[str], owner: str) -> Beside | None:
    """Tell what the other arguments of a step over `owner` are; None if one of them is neither."""
    states, hyper = {}, None
    for name in names:
        wide = _in_step(written, owner, name)
        if wide is not None:
            states[name] = wide
        elif hyper is None and plain_spelling(name) in HYPER:
            hyper = name
        else:
            return None
    keys = _keys(written, hyper) if hyper else []
    counts = [key for key in keys if plain_spelling(key) in COUNTS]
    known = {KNOBS[plain_spelling(key)]: key for key in reversed(keys) if plain_spelling(key) in KNOBS}
    first = 0 if counts and hyper and _counts_before(written, hyper, counts[0]) else 1
    return Beside(states, hyper, known, counts[0] if counts else None, first)


def _in_step(written: Written, owner: str, name: str) -> int | None:
    """Give how many states a tensor has, where a name goes in step with the parameters; 0 for one that is alone."""
    for node in ast.walk(written.tree) if written.tree is not None else ():
        match node:
            case ast.For(target=ast.Tuple(elts=targets), iter=ast.Call(func=ast.Name(id="zip"), args=zipped)):
                told = [each.id if isinstance(each, ast.Name) else "" for each in zipped]
                if owner in told and name in told and len(told) == len(targets):
                    target = targets[told.index(name)]
                    return len(target.elts) if isinstance(target, ast.Tuple) else 0
    return None


def _keys(written: Written, name: str) -> list[str]:
    found = []
    for node in ast.walk(written.tree) if written.tree is not None else ():
        match node:
            case ast.Subscript(value=ast.Name(id=taken), slice=ast.Constant(value=str(key))) if taken == name:
                found.append(key)
    return list(dict.fromkeys(found))


def _counts_before(written: Written, name: str, key: str) -> bool:
    """Whether it counts on before it uses the count."""
    uses, counts = [], []
    for node in ast.walk(written.tree) if written.tree is not None else ():
        match node:
            case ast.AugAssign(target=ast.Subscript(value=ast.Name(id=taken), slice=ast.Constant(value=word))):
                counts += [node.lineno] if (taken, word) == (name, key) else []
            case ast.Subscript(value=ast.Name(id=taken), slice=ast.Constant(value=word), ctx=ast.Load()):
                uses += [node.lineno] if (taken, word) == (name, key) else []
    return bool(counts and uses) and min(counts) < min(uses)
