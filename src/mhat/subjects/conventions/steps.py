"""A step as a function, or a method, whose states go through its arguments.

w, config = adam(w, dw, config)            param, m, v = adam(param, grad, m, v, t)
parameters, v, s = update_parameters_with_adam(parameters, grads, v, s, t)
step = update(dw)                          what is returned may be the update alone
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import COUNTS
from mhat.subjects.conventions.answers import sorted_answer
from mhat.subjects.conventions.companions import Companion, companions_of
from mhat.subjects.conventions.layouts import SHOWN, Slots, keys_of, laid, taken_apart, zeros
from mhat.subjects.conventions.proposals import Asked, Proposal, Stepper, stepped
from mhat.subjects.conventions.roles import STATES, Roles, readings_of
from mhat.subjects.conventions.tensors import added, plain, tensor_of, uses_torch
from mhat.subjects.conventions.texts import Written, core_of
from mhat.subjects.spelling import Keywords, SpelledKnobs, spelling_of

NAME = "step-function"
# What is returned: the new x, or what is added to x, or subtracted from it. The last two differ in sign alone.
KINDS = {"x": 0.0, "subtract": 0.1, "add": 0.11}
SAYS = {"x": "", "subtract": "; what it returns is subtracted from x", "add": "; what it returns is added to x"}
Make = Callable[[list[Any], Mapping[str, float]], Callable[..., Any]]


@dataclass(frozen=True)
class Step:
    """One way to call a step, and to read what it returns."""

    make: Make  # the function of a run
    roles: Roles
    written: Written
    layout: str
    begins: str  # how states begin: zeros, none, empty, or made by the companion
    kind: str = "x"
    observe: str = "x"
    companion: Companion | None = None
    keys: Mapping[str, str] = field(default_factory=dict)  # knobs that stand in the config: ours to theirs
    base: int = 1

    def begin(self, starts: list[Any], knobs: Mapping[str, float]) -> Stepper:
        """Begin a run."""
        function = self.make(starts, knobs)
        now = _Now(list(starts), self.first(starts, knobs))
        if self.begins == "attribute":
            held = getattr(inspect.unwrap(function), "__self__", None)
            now.held |= {name: getattr(held, name) for name in self.roles.of("config") if hasattr(held, name)}
        fixed = self.roles.spelling.arguments({k: v for k, v in knobs.items() if k in self.roles.spelling.names})

        def step(gradients: list[Any], count: int) -> Sequence[Any]:
            return self.taken(function, now, gradients, count - 1 + self.base, fixed)

        return step

    def first(self, starts: list[Any], knobs: Mapping[str, float]) -> dict[str, Any]:
        """Give the states before the first step; what has a default is left to it."""
        states = self.roles.of("state") + self.roles.of("config")
        held: dict[str, Any] = {}
        if self.companion is not None:
            made = self.companion.make(laid(starts, _plain(self.layout)), starts, knobs)
            answer = sorted_answer(made, self.companion.written, self.roles, "none", starts, dict.fromkeys(states))
            # A lone state is whatever it gives.
            return {states[0]: made} if len(states) == 1 else dict(answer.others)
        told = {theirs: knobs[ours] for ours, theirs in self.keys.items() if ours in knobs}
        for name in states:
            if self.begins == "empty" or (told and self.roles.by_name[name] == "config"):
                held[name] = Slots(laid(starts, "dict") if self.layout.startswith("dict") else lambda: starts[0], told)
            elif name in self.roles.optional:
                continue
            elif self.begins == "tuple":
                held[name] = tuple(self.part(part, starts) for part in self.written.unpacked(name))
            else:
                held[name] = None if self.begins == "none" else self.zeros(name, starts)
        return held

    def zeros(self, name: str, starts: list[Any]) -> Any:
        """Give zeros for a state: for all tensors, or for the one that it is named after (m_dw, v_b)."""
        if not self.roles.tensors:
            return zeros(starts, self.layout)
        named = {core_of(own): int(role[-1]) for own, role in self.roles.by_name.items() if role[-1:].isdigit()}
        after = [number for own, number in named.items() if core_of(name).endswith(own)]
        return zeros([starts[after[0] if after else 0]], "array")

    def part(self, name: str, starts: list[Any]) -> Any:
        """Give the beginning of a part of a state that is a tuple."""
        if plain_spelling(name) in COUNTS:
            return 0 if self.written.adds_one_to(name) else 1
        return zeros(starts, self.layout)

    def taken(
        self, function: Callable[..., Any], now: _Now, gradients: list[Any], count: int, fixed: Mapping[str, Any]
    ) -> Sequence[Any]:
        """Take one step; give what is observed."""
        arguments: dict[str, Any] = dict(fixed)
        numbered = {f"params{i}": x for i, x in enumerate(now.tensors)}
        numbered |= {f"grads{i}": g for i, g in enumerate(gradients)}
        params = laid(now.tensors, _plain(self.layout))
        for name, role in self.roles.by_name.items():
            if role in numbered:
                arguments[name] = numbered[role]
            elif role == "params":
                arguments[name] = params
            elif role == "grads":
                arguments[name] = laid(gradients, self.layout, gradients=True)
            elif role == "key":
                arguments[name] = 0 if plain_spelling(name).endswith(NUMBERED) else "W1"
            elif role == "count":
                arguments[name] = now.held.get(name, count)
            elif role == "gradfn":
                arguments[name] = _answering(laid(gradients, self.layout, gradients=True))
            elif role == "counts":
                arguments[name] = [count] * len(now.tensors)
            elif role in FILLED:
                arguments[name] = FILLED[role]
            elif role == "layers":
                arguments[name] = (len(now.tensors) + 1) // 2
            elif name in now.held:
                arguments[name] = now.held[name]
        returned = function(*[arguments.pop(name) for name in self.roles.positional if name in arguments], **arguments)
        return self.moved(now, returned, params, gradients)

    def moved(self, now: _Now, returned: Any, params: Any, gradients: list[Any]) -> Sequence[Any]:
        """Sort what was returned, and go on from there."""
        states = {name: now.held.get(name) for name, role in self.roles.by_name.items() if role in BACK}
        answer = sorted_answer(returned, self.written, self.roles, _plain(self.layout), now.tensors, states)
        now.held.update(answer.others)
        found = list(answer.params.values())
        parts = taken_apart(found[0], self.layout) if found and not self.roles.tensors else found
        if self.kind == "x":
            # What is not returned was changed in place.
            now.tensors = parts or taken_apart(params, self.layout)
            return now.tensors
        if not parts:
            raise ValueError("it returned nothing of the shape of its parameters")
        sign = -1.0 if self.kind == "subtract" else 1.0
        now.tensors = [added(x, sign, step) for x, step in zip(now.tensors, parts, strict=True)]
        if self.observe == "update":
            return [sign * plain(step) for step in parts]
        return now.tensors if self.observe == "x" else parts


BACK = ("state", "config", "count")
FILLED = {"one": 1, "loss": 0.0, "no": False, "data": None, "function": lambda *arguments, **named: 0.0}
NUMBERED = ("idx", "index", "i", "num", "number")  # how the number of a tensor is called, where it is no name


@dataclass
class _Now:
    """Where a run is: the parameters and what is handed back."""

    tensors: list[Any]
    held: dict[str, Any]


def _answering(gradients: Any) -> Callable[..., Any]:
    return lambda *arguments, **named: gradients


def _plain(layout: str) -> str:
    return "dict" if layout == "dict of d" else layout


def proposed(asked: Asked) -> Iterator[Proposal]:
    """Propose to drive a function as a step."""
    if not inspect.isroutine(asked.thing):
        return
    yield from ways(asked, asked.thing, lambda starts, knobs: asked.thing, NAME)


def ways(
    asked: Asked,
    function: Callable[..., Any],
    make: Make,
    convention: str,
    *,
    owner: Any = None,
    more: Sequence[Keywords | SpelledKnobs] = (),
    sure: float = 0.0,
) -> Iterator[Proposal]:
    """Propose the ways in which a function may be a step.

    `function`: what is called, of which signature and text are read; `make` gives that of a run. `more`: knobs that
    are told when it is made.
    """
    written = Written.of(function)
    for reading, roles in enumerate(readings_of(function, written, asked.rule_knobs)):
        if roles.spelling.unknown:
            continue
        states = roles.of("state") + roles.of("config")
        bases = {0 if written.adds_one_to(name) else 1 for name in roles.of("count")} or {1}
        found = list(companions_of(function, owner)) if states else []
        beginnings = _beginnings(roles, states, found, written)
        if any(isinstance(getattr(owner, name, None), dict) for name in roles.of("config")):
            beginnings = ["attribute", *beginnings]
        choices = itertools.product(_layouts(roles, written), beginnings)
        for place, (layout, begins) in enumerate(choices):
            companion = found[int(begins[-1])] if begins.startswith("companion") else None
            step = Step(make, roles, written, layout, begins, companion=companion, base=min(bases))
            likely = sure - 0.05 * reading - 0.01 * place + (0.1 if roles.sure else 0.0)
            yield from _proposals(asked, step, convention, more, likely)


def _layouts(roles: Roles, written: Written) -> list[str]:
    """Give the layouts that its names and words allow, the likeliest first."""
    if roles.tensors:
        return ["list"]
    names = [name for name, role in roles.by_name.items() if role in ("params", "grads")]
    plural = any(name.lower().endswith("s") or "list" in name.lower() for name in names)
    plural = plural or any(written.methods_of(name) & {"items", "keys", "values"} for name in names)
    words = {word.rstrip("0123456789") for word in written.words}
    if plural and words & {"dW", "db"} and words & {"W", "b"}:
        return ["dict of d", "dict", "list", "array"]
    if plural and words & {"items", "keys"}:
        return ["dict", "dict of d", "list", "array"]
    return ["array", "list", "dict", "dict of d"] if plural else ["array"]


def _beginnings(roles: Roles, states: Sequence[str], found: Sequence[Companion], written: Written) -> list[str]:
    """Give the ways in which states may begin, the likeliest first."""
    required = [name for name in states if name not in roles.optional]
    if not states:
        return ["zeros"]
    configs = [name for name in required if roles.by_name[name] == "config"]
    sure = [f"companion {i}" for i, one in enumerate(found) if one.makes(states) or (configs and one.likely)]
    others = [f"companion {i}" for i in range(len(found)) if f"companion {i}" not in sure]
    if not required:
        return ["none", "empty", *sure, *others]
    apart = ["tuple"] if any(written.unpacked(name) for name in required) else []
    return [*sure, *apart, *(["empty", "none", "zeros"] if configs else ["zeros", "none", "empty"]), *others]


def _proposals(
    asked: Asked, step: Step, convention: str, more: Sequence[Keywords | SpelledKnobs], sure: float
) -> Iterator[Proposal]:
    has_params = bool(step.roles.tensors or step.roles.of("params"))
    kinds = list(KINDS) if has_params else ["subtract", "add"]
    if asked.observe != "x":
        kinds = ["subtract", "add"]
    spelled = _in_config(asked, step)
    for kind in kinds:
        own = replace(step, kind=kind, observe=asked.observe, keys=spelled.knobs)
        keywords = [step.roles.spelling, spelled, *more]
        if step.companion is not None:
            keywords.append(step.companion.spelling)
        how = f"{_said(step)}{SAYS[kind] if asked.observe == 'x' else ''}"
        proposal = Proposal(
            convention, how, 0.8 + sure - KINDS[kind], stepped(own.begin), keywords, together=step.layout != "array",
            tensors=_tensors(step), starts=has_params, called=_called(step),
            reading=f"{kind} {dict(step.roles.by_name)}",
        )  # fmt: skip
        if uses_torch(asked.thing):
            course, likely = stepped(own.begin, tensor_of), proposal.confidence + 0.005
            yield replace(proposal, how=f"{how}, with tensors of torch", course=course, confidence=likely)
        yield proposal


def _tensors(step: Step) -> int | None:
    if step.roles.tensors:
        return step.roles.tensors
    return 2 if step.layout.startswith("dict") else None


def _called(step: Step) -> tuple[str, ...]:
    """Give the names of the tensors: those of the arguments, or the keys."""
    if step.roles.tensors:
        named = {role: name for name, role in step.roles.by_name.items() if role.startswith("params")}
        return tuple(named[role] for role in sorted(named))
    return tuple(keys_of(2)) if step.layout.startswith("dict") else ()


def _said(step: Step) -> str:
    """Say how a step is called."""
    said = "as a step function"
    back = [f"`{name}`" for name, role in step.roles.by_name.items() if role in ("state", "config")]
    if back:
        said += f": {_listed(back)} {'is' if len(back) == 1 else 'are'} handed back each step"
    if step.companion is not None:
        said += f", as `{step.companion.function.__name__}` begins {'it' if len(back) == 1 else 'them'}"
    if step.layout != "array" and not step.roles.tensors:
        said += f", with {SHOWN[step.layout]}"
    counts = step.roles.of("count")
    if counts and step.base == 0:
        said += f", `{counts[0]}` counted from 0"
    return said


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def _in_config(asked: Asked, step: Step) -> SpelledKnobs:
    """Find out which knobs stand in the dictionary that is handed back, by a step with it."""
    configs = step.roles.of("config")
    if not configs or step.layout != "array" or step.companion is not None:
        return SpelledKnobs()
    own = replace(step, begins="empty")
    start = [np.zeros(2)]
    try:
        now = _Now(start, own.first(start, {}))
        fixed = own.roles.spelling.arguments({})
        own.taken(own.make(start, {}), now, [np.array([1.0, -0.5])], own.base, fixed)
    except Exception:
        return SpelledKnobs()
    kept = now.held.get(configs[0])
    numbers = {
        str(key): float(value)
        for key, value in (kept.items() if isinstance(kept, dict) else ())
        if isinstance(value, int | float) and not isinstance(value, bool)
        and plain_spelling(str(key)) not in COUNTS | (STATES - {"momentum"})
    }  # fmt: skip
    parameters = [
        inspect.Parameter(key, inspect.Parameter.KEYWORD_ONLY, default=value)
        for key, value in numbers.items()
        if key.isidentifier()
    ]
    return spelling_of(parameters, asked.rule_knobs)
