"""All that an optimizer carries from step to step, as arrays by name. It steps nothing and knows no files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from typing import Any

import numpy as np

from mhat.bridges.numpy.containers import kind_of
from mhat.bridges.numpy.parts import Part
from mhat.bridges.numpy.tensor_groups import TensorGroup
from mhat.engines.small import numpy_dtype
from mhat.errors import BadValue, LanguageError
from mhat.language import rule as rule_of
from mhat.language.definition import Rule
from mhat.printers.python import rule_text
from mhat.schedules import Schedule, named

Array = Any
SEEDS = 2**31
# Spreads small numbers over all seeds (the golden ratio of 32 bits).
APART = 0x9E3779B9
# Doubles count so far.
LAST = 2.0**53
SAME = "Give the state of an optimizer of the same rule and parameters."


class OptimizerState:
    """What one optimizer carries: knobs, step numbers, the seed, and the states of its rules, which lie in its groups.

    `parts`: each rule with its knobs. `names`: the tensors, each another name, in order. `t`: how many steps each has
    taken; `steps`: how many were taken.
    """

    def __init__(self, parts: Sequence[Part], groups: Sequence[TensorGroup], names: Sequence[str], seed: int) -> None:
        self.parts = list(parts)
        self.groups = list(groups)
        self.names = [name or "[]" for name in names]
        self.seed = seed
        self.steps = 0
        self.t = np.zeros(len(self.names))

    def seed_of_step(self, group: int) -> int:
        """Give one number for the seed and the step to come, as kernels take it: 31 and 32 bits; groups draw apart."""
        return int((self.seed ^ group * APART % SEEDS) << 32 | (self.steps + 1) & 0xFFFFFFFF)

    @property
    def nbytes(self) -> int:
        """How many bytes its arrays have."""
        return sum(array.nbytes for array in {**self._numbers(), **self._texts(), **dict(self._homes())}.values())

    def arrays(self) -> dict[str, Array]:
        """Copy all of it; see `Optimizer.state_dict`."""
        return {name: np.array(a) for name, a in [*self._numbers().items(), *self._texts().items(), *self._homes()]}

    def set(self, state: Mapping[str, Array]) -> None:
        """Go on from what `arrays` gave; raises BadValue before anything is changed."""
        homes, numbers = dict(self._homes()), self._numbers()
        expected = {**numbers, **homes}
        self._check_names(state, expected)
        checked = {name: _checked(name, _array(state, name), home) for name, home in expected.items()}
        order = self._order(_text(state, "tensors") if "tensors" in state else None)
        _check_counts(checked)
        schedules = {part.name: self._schedules_in(state, part) for part in self.parts}
        for part in self.parts:
            part.knobs.restore({name: float(checked[self._knob(part, name)]) for name in part.rule.knobs})
            part.knobs.schedules |= schedules[part.name]
        for name, home in homes.items():
            home[...] = checked[name]
        self.seed, self.steps = int(checked["seed"]), int(checked["steps"])
        self.t[:] = checked["t"][order]
        started = checked["started"][order].astype(bool)
        for group in self.groups:
            group.started[:] = started[group.places]

    def _check_names(self, state: Mapping[str, Array], expected: Mapping[str, Array]) -> None:
        if not isinstance(state, Mapping):
            cure = "Read a file with opt.load(path)." if isinstance(state, str | PathLike) else SAME
            raise BadValue(f"the state is {kind_of(state)}", cure)
        texts = {self._rule(part): part.rule for part in self.parts}
        for name, rule in texts.items():
            if name not in state:
                alone = f"this is no state of an optimizer: it has no `{name}`"
                among = f"the state lacks `{name}`: it is none of an optimizer of these rules"
                raise BadValue(alone if len(texts) == 1 else among, SAME)
            _check_rule(rule, _text(state, name).decode(errors="replace"))
        for name in expected:
            if name not in state:
                raise BadValue(f"the state lacks `{name}`", SAME)
        for name in state:
            if name != "tensors" and name not in texts and name not in expected and name not in self._scheduled():
                raise BadValue(f"the state has `{name}`, which belongs to no parameter here", SAME)

    def _scheduled(self) -> frozenset[str]:
        """List what the schedules of knobs may be called."""
        return frozenset(self._knob(part, name, "schedule") for part in self.parts for name in part.rule.knobs)

    def _schedules_in(self, state: Mapping[str, Array], part: Part) -> dict[str, Schedule]:
        """Give the schedules that a state names; a function of the user's own has no name, and must be given again."""
        found = {name: self._knob(part, name, "schedule") for name in part.rule.knobs}
        texts = {name: _text(state, called).decode() for name, called in found.items() if called in state}
        return {name: named(text) for name, text in texts.items()}

    def _order(self, tensors: bytes | None) -> list[int]:
        """Find each tensor's place among those of a state: dictionaries may have come in another order."""
        if tensors is None:
            return list(range(len(self.names)))
        try:
            names = json.loads(tensors)
            places = {name: place for place, name in enumerate(names)}
            return [places[name] for name in self.names]
        except (ValueError, TypeError, KeyError):
            raise BadValue("`tensors` of the state does not name the parameters here", SAME) from None

    def _numbers(self) -> dict[str, Array]:
        started = np.zeros(len(self.names), dtype=np.uint8)
        for group in self.groups:
            started[group.places] = group.started
        return {
            "t": self.t,
            "started": started,
            "steps": np.array(self.steps),
            "seed": np.array(self.seed),
            **{self._knob(part, name): np.array(v) for part in self.parts for name, v in part.knobs.items()},
        }

    def _texts(self) -> dict[str, Array]:
        texts = {self._rule(part): rule_text(part.rule.tree) for part in self.parts}
        for part in self.parts:
            for name, schedule in part.knobs.schedules.items():
                if schedule.recipe:
                    texts[self._knob(part, name, "schedule")] = schedule.recipe
        texts["tensors"] = json.dumps(self.names)
        return {name: np.frombuffer(text.encode(), dtype=np.uint8) for name, text in texts.items()}

    def _rule(self, part: Part) -> str:
        """Name the text of a rule: with its own name where there are others."""
        return "rule" if len(self.parts) == 1 else f"rule/{part.name}"

    def _knob(self, part: Part, name: str, kind: str = "knob") -> str:
        return f"{kind}/{name}" if len(self.parts) == 1 else f"{kind}/{part.name}/{name}"

    def _homes(self) -> Iterator[tuple[str, Array]]:
        """List the arrays that states live in, by name."""
        for group in self.groups:
            names = [self.names[place] for place in group.places]
            for state in group.rule.tree.state_names:
                yield from ((f"state/{state}/{n}", home) for n, home in zip(names, group.values(state), strict=True))
            if group.lost is not None:
                yield from ((f"lost/{n}", home) for n, home in zip(names, group.lost, strict=True))


def _array(state: Mapping[str, Any], name: str) -> Array:
    try:
        return np.asarray(state[name])
    except (TypeError, ValueError):
        raise BadValue(f"`{name}` of the state is no array", SAME) from None


def _text(state: Mapping[str, Any], name: str) -> bytes:
    """Give a text of the state, which is held as an array of its bytes."""
    array = _array(state, name)
    if array.dtype != np.uint8:
        raise BadValue(f"`{name}` of the state is {array.dtype}, not uint8", SAME)
    return bytes(array)


def _check_rule(rule: Rule, text: str) -> None:
    try:
        other = rule_of(text)
    except LanguageError as error:
        raise BadValue(f"the rule in the state cannot be read: {error.what}", SAME) from None
    if any(getattr(other.tree, part) != getattr(rule.tree, part) for part in ("body", "result", "flatten")):
        raise BadValue(
            f"the state is of the rule {other.name}, this optimizer runs {rule.name}"
            if other.name != rule.name
            else f"the state is of another rule of the name {other.name}",
            "Make the optimizer with the rule of the state.",
        )


def _checked(name: str, value: Array, home: Array) -> Array:
    if value.dtype.kind == "V" and value.dtype.itemsize == 2 and home.dtype == numpy_dtype("bfloat16"):
        # npz knows no bfloat16: two bytes each come back.
        value = value.view(numpy_dtype("bfloat16"))
    if value.shape != home.shape and value.size == home.size == 1:
        value = value.reshape(home.shape)
    if value.shape != home.shape:
        raise BadValue(f"`{name}` of the state has the shape {value.shape}, not {home.shape}", SAME)
    if value.dtype != home.dtype:
        raise BadValue(
            f"`{name}` of the state is {value.dtype}, not {home.dtype}", "Make the optimizer with the same dtypes."
        )
    return value


def _check_counts(state: Mapping[str, Array]) -> None:
    """Refuse numbers of steps, and a seed, that no optimizer has; raises BadValue."""
    t = state["t"]
    wrong = {
        "steps": int(state["steps"]) < 0,
        "seed": not 0 <= int(state["seed"]) < SEEDS,
        "t": not ((t >= 0) & (t == np.floor(t)) & (t < LAST)).all(),
        "started": bool((state["started"] > 1).any() or (t[state["started"] == 0] > 0).any()),
    }
    for name, is_wrong in wrong.items():
        if is_wrong:
            raise BadValue(f"`{name}` of the state is what no optimizer has", SAME)
