"""A function of knobs that makes the step: a closure, several functions, an object, a generator.

step = make_adam(lr); x = step(x, g)                    step = make_adam(params, lr); step(grads)
init, update, get_params = adam(step_size)              init, update = adam(lr); updates, state = update(g, state)
run = adam(x0); next(run); x = run.send(g)

And a class whose method is a step that is given its states, or gives more than the new parameters.

w, m, v = Adam(lr).update(w, dw, m, v)          state = opt.init(params); params, state = opt.apply(params, g, state)
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import METHODS, PARAMS, is_required
from mhat.subjects.conventions import steps
from mhat.subjects.conventions.layouts import LAYOUTS, SHOWN, is_like, laid, taken_apart
from mhat.subjects.conventions.making import Maker, maker_of, method_maker, methods_of, sample_of
from mhat.subjects.conventions.proposals import Asked, Proposal, Stepper, stepped
from mhat.subjects.conventions.roles import MORE_PARAMS, parameters_of, readings_of
from mhat.subjects.conventions.tensors import added, plain, tensor_of, uses_torch
from mhat.subjects.conventions.texts import Written
from mhat.subjects.spelling import STARTS, Keywords, SpelledKnobs, keywords_of

FACTORY, TRIPLE, GENERATOR, METHOD = "factory", "init-update", "generator", "step-method"
INITS = ("init", "initialize", "init_fn", "init_fun", "initialise", "opt_init", "init_state")
UPDATES = ("update", "update_fn", "step", "opt_update", "apply", "update_fun", "step_fn")
GETTERS = ("get_params", "params", "get", "params_fn", "get_params_fn", "value", "get_x")


def of_factories(asked: Asked) -> Iterator[Proposal]:
    """Propose what a function of knobs returns as a step."""
    if not inspect.isroutine(asked.thing) or inspect.isgeneratorfunction(asked.thing):
        return
    maker = maker_of(asked)
    if maker is not None and (sample := sample_of(maker)) is not None:
        if inspect.isroutine(sample):
            yield from _renamed(steps.ways(asked, sample, maker.make, FACTORY, more=[maker.keywords], sure=0.05), asked)
        elif not isinstance(sample, np.ndarray | float | int | tuple | list | dict) and methods_of(sample):
            for method in methods_of(sample):
                make = method_maker(maker, method)
                ways = steps.ways(asked, getattr(sample, method), make, FACTORY, owner=sample, more=[maker.keywords])
                yield from _renamed(ways, asked)
    yield from _made_of_parameters(asked)


def _renamed(ways: Iterator[Proposal], asked: Asked) -> Iterator[Proposal]:
    name = getattr(asked.thing, "__name__", asked.name)
    for each in ways:
        yield replace(each, how=each.how.replace("as a step function", f"as a step that `{name}` makes", 1))


def _made_of_parameters(asked: Asked) -> Iterator[Proposal]:
    """Propose `make_adam(params, lr)`, whose step is given gradients and changes the parameters in place."""
    arguments = parameters_of(asked.thing)
    owners = [p.name for p in arguments if is_required(p) and plain_spelling(p.name) in PARAMS | MORE_PARAMS]
    keywords = keywords_of(asked.name, arguments, asked.rule_knobs, asked.options, skip=owners)
    if len(owners) != 1 or keywords.spelling.unknown or any(p.name.startswith("g") for p in arguments):
        return
    for place, layout in enumerate(LAYOUTS[1:3] if owners[0].endswith("s") else LAYOUTS[:1]):
        owning = _Owning(asked.thing, owners[0], layout, keywords)
        how = f"as a step that `{asked.thing.__name__}` makes of {SHOWN[layout]}"
        yield Proposal(
            FACTORY, how, 0.6 - 0.02 * place, stepped(owning.begin), [keywords], together=layout != "array",
        )  # fmt: skip


@dataclass(frozen=True)
class _Owning:
    """What makes a step of its parameters."""

    function: Callable[..., Any]
    argument: str
    layout: str
    keywords: Keywords

    def begin(self, starts: list[Any], knobs: Mapping[str, float]) -> Stepper:
        params = laid(starts, self.layout)
        arguments = self.keywords.arguments({k: v for k, v in knobs.items() if k in self.keywords.spelling.names})
        made = self.function(**{self.argument: params}, **arguments)
        function = made if callable(made) else next(getattr(made, name) for name in METHODS if hasattr(made, name))

        def step(gradients: list[Any], count: int) -> Sequence[Any]:
            returned = function(laid(gradients, self.layout))
            found = returned if is_like(returned, starts, self.layout) else params
            return taken_apart(found, self.layout)

        return step


def of_triples(asked: Asked) -> Iterator[Proposal]:
    """Propose what makes several functions: one begins, one steps, one gives the parameters."""
    thing = asked.thing
    if inspect.isclass(thing) or not (inspect.isroutine(thing) or isinstance(thing, tuple)):
        return
    maker = maker_of(asked)
    sample = None if maker is None else sample_of(maker)
    parts = _parts(sample)
    if maker is None or parts is None:
        return
    _, update, getter = parts
    written = Written.of(update)
    for reading, roles in enumerate(readings_of(update, written, asked.rule_knobs)):
        states = roles.of("state") + roles.of("config")
        if len(states) != 1 or roles.spelling.unknown:
            continue
        counts = roles.of("count")
        base = 0 if getter is not None or any(written.adds_one_to(name) for name in counts) else 1
        kinds = ["state"] if getter is not None else ["x", "add", "subtract"]
        for place, kind in enumerate(kinds):
            triple = Triple(maker, roles.by_name, kind, base, asked.observe)
            listed = replace(triple, layout="list")
            how = "as functions that begin, step" + (" and give the parameters" if getter is not None else "")
            how += steps.SAYS.get(kind, "") if kind != "state" else ""
            if counts and base == 0:
                how += f", `{counts[0]}` counted from 0"
            likely = 0.85 - 0.05 * reading - 0.1 * place
            keywords: list[Keywords | SpelledKnobs] = [maker.keywords, roles.spelling]
            if uses_torch(asked.thing):
                of_torch = f"{how}, with a list of tensors of torch"
                course = stepped(listed.begin, tensor_of)
                yield Proposal(TRIPLE, of_torch, likely + 0.01, course, keywords, together=True)
                yield Proposal(
                    TRIPLE, f"{how}, with tensors of torch", likely, stepped(triple.begin, tensor_of), keywords
                )
            yield Proposal(TRIPLE, how, likely, stepped(triple.begin), keywords)
            yield Proposal(TRIPLE, f"{how}, with a list of arrays", likely - 0.02, stepped(listed.begin), keywords,
                           together=True)  # fmt: skip


def _parts(made: Any) -> tuple[Callable[..., Any], Callable[..., Any], Callable[..., Any] | None] | None:
    """Tell the functions apart that were made: by name, else by place."""
    if isinstance(made, dict):
        functions = {str(key): value for key, value in made.items() if callable(value)}
    elif isinstance(made, tuple) and hasattr(made, "_fields"):
        functions = {name: getattr(made, name) for name in made._fields if callable(getattr(made, name))}
    elif isinstance(made, tuple | list) and len(made) in (2, 3) and all(map(callable, made)):
        functions = {getattr(each, "__name__", str(i)): each for i, each in enumerate(made)}
    else:
        return None
    known = [
        next((f for name, f in functions.items() if _is_named(name, names)), None)
        for names in (INITS, UPDATES, GETTERS)
    ]
    begins = [each for name, each in functions.items() if "init" in name.lower()]
    if len(begins) == 1 and len(functions) == 2:
        known = [begins[0], next(each for each in functions.values() if each is not begins[0]), None]
    if (known[0] is None or known[1] is None) and isinstance(made, tuple | list):
        known = [*made, None][:3]
    init, update, getter = known
    if getter is None and len(functions) == 3:
        getter = next((each for each in functions.values() if each not in (init, update)), None)
    return None if init is None or update is None else (init, update, getter)


def _is_named(name: str, names: Sequence[str]) -> bool:
    return name.lower().strip("_") in names


@dataclass(frozen=True)
class Triple:
    """Functions that begin, step and give the parameters."""

    maker: Maker
    roles: Mapping[str, str]
    kind: str  # state: the parameters are in it; x: they are returned; add, subtract: the update is
    base: int
    observe: str
    layout: str = "array"

    def begin(self, starts: list[Any], knobs: Mapping[str, float]) -> Stepper:
        """Begin a run."""
        parts = _parts(self.maker.make(starts, knobs))
        assert parts is not None
        init, update, getter = parts
        required = [p for p in parameters_of(init) if is_required(p)]
        x = laid(starts, self.layout)
        state = init(x) if required else init()

        def step(gradients: list[Any], count: int) -> Sequence[Any]:
            nonlocal state, x
            values = {
                "count": count - 1 + self.base,
                "grads": laid(gradients, self.layout),
                "params": x,
                "state": state,
                "config": state,
            }
            named = {name: values[role] for name, role in self.roles.items() if role in values}
            returned = update(*named.values())
            if getter is not None:
                state = returned
                return taken_apart(getter(state), self.layout)
            moved, state = returned if is_like(returned[0], starts, self.layout) else returned[::-1]
            sign = {"x": 0.0, "add": 1.0, "subtract": -1.0}[self.kind]
            if self.layout == "list":
                x = moved if self.kind == "x" else [added(p, sign, step) for p, step in zip(x, moved, strict=True)]
                return x
            x = moved if self.kind == "x" else added(x, sign, moved)
            return [x if self.observe == "x" or self.kind == "x" else sign * plain(moved)]

        return step


def of_generators(asked: Asked) -> Iterator[Proposal]:
    """Propose a generator that is sent gradients and yields parameters."""
    thing = asked.thing
    if not inspect.isgeneratorfunction(thing):
        return
    arguments = parameters_of(thing)
    names = PARAMS | MORE_PARAMS | {plain_spelling(start) for start in STARTS}
    owner = next((p.name for p in arguments if plain_spelling(p.name) in names), None)
    keywords = keywords_of(asked.name, arguments, asked.rule_knobs, asked.options, skip=[owner] if owner else [])
    if keywords.spelling.unknown:
        return

    def begin(starts: list[Any], knobs: Mapping[str, float]) -> Stepper:
        told = keywords.arguments({k: v for k, v in knobs.items() if k in keywords.spelling.names})
        run = thing(**told, **({owner: starts[0]} if owner else {}))
        first = next(run)

        def step(gradients: list[Any], count: int) -> Sequence[Any]:
            nonlocal first
            answered = run.send(gradients[0])
            if first is None and answered is None:
                # What is yielded alternates with what is sent.
                answered = next(run)
            return [answered]

        return step

    yield Proposal(GENERATOR, "as a generator that is sent the gradients", 0.85, stepped(begin), [keywords],
                   starts=owner is not None)  # fmt: skip


def of_methods(asked: Asked) -> Iterator[Proposal]:
    """Propose the methods of a class as steps."""
    if inspect.isroutine(asked.thing):
        return
    maker = maker_of(asked)
    if maker is None or (sample := sample_of(maker)) is None:
        return
    for place, method in enumerate(methods_of(sample)):
        yield from steps.ways(
            asked, getattr(sample, method), method_maker(maker, method), METHOD, owner=sample, more=[maker.keywords],
            sure=-0.02 * place,
        )  # fmt: skip
