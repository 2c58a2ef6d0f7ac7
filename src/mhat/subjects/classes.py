"""Classes with a step method as subjects: which way a step is called is found by trying. It knows no framework.

opt = Adam(lr=0.1)           x = opt.step(x, g)           or in place; also update(w, dw), step(x, g, t), opt(x, g)
opt = Adam(lr=0.1)           opt.update(params, grads)    lists, or dictionaries, of arrays
opt = Adam(lr=0.1)           w, b = opt.update(t, w, b, dw, db); w = opt.update("W1", w, dw)
opt = Adam(params, lr=0.1)   opt.step(grads)              the parameters are its own list, dictionary or array
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.errors import SubjectError, SubjectHangs
from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import METHODS, PARAMS, Calling, is_required, is_size, methods_of, size_for, ways_of
from mhat.subjects.sandbox import USUAL_GUARD, Guard, source_of
from mhat.subjects.spelling import Keywords, keywords_of, spelling_of
from mhat.subjects.subject import Array, Subject
from mhat.subjects.trials import AGAIN, TURNED, Single, Together, same, subject_of_driver

EXPECTED = (
    "Expected: step(params, grads) or update(w, dw), which returns the new parameters or changes them in place, "
    "params and grads an array, a list or a dict of arrays; or a class made of its parameters, with step(grads)."
)
SHOWN = 6  # ways that a message lists


def subject_of_class(
    thing: Any,
    name: str | None = None,
    rule_knobs: Mapping[str, float] | None = None,
    dtype: str | None = None,
    options: Mapping[str, Any] | None = None,
    observe: str = "x",
    guard: Guard = USUAL_GUARD,
) -> Subject:
    """Make a subject of a class with a step method, or of an object of it, which is copied for every run.

    What a step that is given gradients alone returns is taken as it is if `observe` is not "x". Raises
    SubjectError, which lists the ways that were tried.
    """
    is_class = isinstance(thing, type)
    name = name or str(getattr(thing, "__name__", type(thing).__name__))
    parameters = _constructor(thing) if is_class else []
    apart = [p.name for p in parameters if is_required(p) and (plain_spelling(p.name) in PARAMS or is_size(p.name))]
    keywords = keywords_of(name, parameters, rule_knobs, options if is_class else None, skip=apart)
    keywords.check_known(name, EXPECTED)
    for method in methods_of(thing) if is_class else ():
        told = spelling_of(_arguments(getattr(thing, method)), rule_knobs)
        keywords = replace(keywords, spelling=keywords.spelling.yielding(told))
    maker = _Maker(name, thing, is_class, tuple(apart), keywords)
    way, driver = _found(maker, rule_knobs, dtype, observe, guard)
    return subject_of_driver(
        driver,
        knobs=(keywords.spelling.names if is_class else frozenset()) | way.spelling.names,
        starts=_has_start(apart, way),
        tensors=way.tensors,
        defaults={**way.spelling.defaults, **keywords.defaults},
        source=source_of(thing if is_class else type(thing)),
        called=way.called,
    )


def has_step(thing: Any) -> bool:
    """Whether a thing is a class, or an object of one, that has a method for a step."""
    return not inspect.isroutine(thing) and bool(methods_of(thing))


def _has_start(apart: Iterable[str], way: Calling) -> bool:
    owns = any(plain_spelling(parameter) in PARAMS for parameter in apart)
    return owns or any(role.startswith(("params", "pairs")) for role in way.roles)


def _arguments(method: Any) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(method).parameters.values())
    except (TypeError, ValueError):
        return []


def _constructor(made: type) -> list[inspect.Parameter]:
    if vars(made).get("__init__") is None and made.__init__ is object.__init__:  # type: ignore[misc]
        return []
    try:
        return list(inspect.signature(made).parameters.values())
    except (TypeError, ValueError):
        return []


@dataclass(frozen=True)
class _Maker:
    """Makes a fresh object for each run."""

    name: str
    thing: Any
    is_class: bool
    apart: tuple[str, ...]  # arguments of the constructor that are parameters or their shapes
    keywords: Keywords

    @property
    def owned(self) -> str | None:
        """The argument of the constructor that is the parameters, if there is one."""
        return next((parameter for parameter in self.apart if plain_spelling(parameter) in PARAMS), None)

    def make(self, params: Any, first: Array, knobs: Mapping[str, float]) -> Any:
        """Make an object, of its parameters where it asks for them."""
        if not self.is_class:
            return copy.deepcopy(self.thing)
        arguments = self.keywords.arguments(knobs)
        for parameter in self.apart:
            owned = plain_spelling(parameter) in PARAMS
            arguments[parameter] = params if owned else size_for(parameter, first.shape)
        return self.thing(**arguments)


def _found(
    maker: _Maker, rule_knobs: Mapping[str, float] | None, dtype: str | None, observe: str, guard: Guard
) -> tuple[Calling, Single | Together]:
    """Try the ways; where the names are in the plural, lists and dicts too, since several tensors show more."""
    tried: list[str] = []
    works: list[tuple[Calling, Single | Together]] = []
    deaf: list[tuple[Calling, Single | Together]] = []
    for way in ways_of(maker.thing, maker.owned is not None, rule_knobs):
        if works and (way.method != works[0][0].method or way.roles != works[0][0].roles):
            break
        if maker.owned is None and observe == "x" and not any(r.startswith(("params", "pairs")) for r in way.roles):
            tried.append(f"{way}: is given no parameters, so that it can return none")
            continue
        course = _Course(maker, way)
        driver: Single | Together
        if way.together:
            driver = Together(maker.name, course.several, way.tensors or 2, dtype, guard)
        else:
            driver = Single(maker.name, course.single, dtype, guard)
        try:
            driver.settle()
        except SubjectHangs:
            raise
        except SubjectError as error:
            if error.what.endswith(AGAIN):
                raise
            tried.append(f"{way}: {_short(error)}")
            continue
        course.settled = True
        if same(driver.attempt({}), driver.attempt({}, trial=TURNED)):
            # Another way may hand the gradients over where they are taken notice of.
            deaf.append((way, driver))
            continue
        works.append((way, driver))
        if way.together or not _is_plural(way, maker.apart):
            break
    works = works or deaf[:1]
    if works:
        return works[-1]
    if tried:
        raise SubjectError(maker.name, "has no step that works; tried:", EXPECTED, "\n".join(tried[:SHOWN]))
    there = [f"{method}{_signature(getattr(maker.thing, method))}" for method in methods_of(maker.thing)]
    what = "has no step that mhat can call:" if there else f"has no step: no method {', '.join(METHODS[:4])} ..."
    raise SubjectError(maker.name, what, EXPECTED, "\n".join(there))


def _signature(method: Any) -> str:
    try:
        return str(inspect.signature(method))
    except (TypeError, ValueError):
        return "(...)"


def _is_plural(way: Calling, apart: Iterable[str]) -> bool:
    return any(name.endswith("s") for name in (*way.names, *apart))


def _short(error: SubjectError) -> str:
    what = error.what.partition("` ")[2]
    return f"{what} ({error.said})" if error.said else what


class _Course:
    """Runs streams through fresh objects in one way."""

    def __init__(self, maker: _Maker, way: Calling) -> None:
        self.maker = maker
        self.way = way
        self.settled = False

    def single(self, gradients: Any, start: Any, knobs: Mapping[str, float]) -> Any:
        """Run one tensor."""
        return self.several([gradients], [start], knobs)[0]

    def several(self, gradients: list[Any], starts: list[Any], knobs: Mapping[str, float]) -> list[Any]:
        """Run tensors together, step by step."""
        record: list[list[Any]] = [[] for _ in gradients]
        taken = {name: value for name, value in knobs.items() if name in self.way.spelling.names}
        others = {name: value for name, value in knobs.items() if name in self.maker.keywords.spelling.names}
        extra = self.way.spelling.arguments(taken)
        # Arrays also for single numbers, so that they can be changed in place.
        params = self.laid([np.array(start) for start in starts])
        optimizer = self.maker.make(params, np.asarray(starts[0]), others)
        for i in range(len(gradients[0])):
            params = self.stepped(
                optimizer, params, [None if g[i] is None else np.array(g[i])[()] for g in gradients], i + 1, extra
            )
            for kept, value in zip(record, self.taken_apart(params), strict=True):
                kept.append(np.array(value))
        if not self.settled and not all(_moves(kept, start) for kept, start in zip(record, starts, strict=True)):
            raise SubjectError(
                self.maker.name, "moved nothing: it returned None and changed nothing in place", EXPECTED
            )
        return [np.stack(kept) if len({np.shape(value) for value in kept}) == 1 else kept for kept in record]

    def laid(self, tensors: list[Any]) -> Any:
        """Lay tensors out as the way wants them."""
        if not self.way.together:
            return tensors[0]
        return {f"W{i + 1}": t for i, t in enumerate(tensors)} if self.way.layout == "dict" else tensors

    def stepped(self, optimizer: Any, params: Any, gradients: list[Any], count: int, extra: dict[str, Any]) -> Any:
        """Take a step; give the parameters after it."""
        method, roles = getattr(optimizer, self.way.method), self.way.roles
        values: dict[str, Any] = {
            "count": count,
            "key": "W1",
            "loss": 0.0,
            "params": params,
            "grads": self.laid(gradients),
        }
        if "key" in roles:
            moved = []
            for i, (p, g) in enumerate(zip(params, gradients, strict=True)):
                if g is None:
                    moved.append(p)
                    continue
                values.update(key=f"W{i + 1}", params=p, grads=g)
                new = method(*[values[role] for role in roles], **extra)
                moved.append(p if new is None else new)
            return moved
        if "pairs" in roles:
            values["pairs"] = list(zip(gradients, params, strict=True))
        if self.way.tensors:
            values.update({f"params{i}": p for i, p in enumerate(params)})
            values.update({f"grads{i}": g for i, g in enumerate(gradients)})
        moved_all = method(*[values[role] for role in roles], **extra)
        if self.maker.owned is not None and not isinstance(moved_all, list | tuple | dict | np.ndarray | np.floating):
            return self.owned_by(optimizer, params)
        return params if moved_all is None else moved_all

    def owned_by(self, optimizer: Any, params: Any) -> Any:
        """Give the parameters that the object holds: it may have put new ones in the place of those it got."""
        held = vars(optimizer) if hasattr(optimizer, "__dict__") else {}
        names = [str(self.maker.owned), f"_{self.maker.owned}", *(n for n in held if plain_spelling(n) in PARAMS)]
        for name in names:
            if isinstance(held.get(name), type(params) | np.floating | float):
                return held[name]
        return params

    def taken_apart(self, params: Any) -> list[Any]:
        """Give the tensors in what a step gave."""
        if isinstance(params, dict):
            return list(params.values())
        return list(params) if self.way.together else [params]


def _moves(record: list[Any], start: Any) -> bool:
    """Whether what was given back is not the start all along."""
    return any(np.shape(value) != np.shape(start) or not np.array_equal(value, start) for value in record)
