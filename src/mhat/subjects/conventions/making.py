"""How an object is made for a run, of its knobs and of the sizes that it asks for. It knows no convention."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mhat.subjects import calls
from mhat.subjects.calls import METHODS, is_required, is_size, size_for
from mhat.subjects.conventions.proposals import Asked
from mhat.subjects.conventions.roles import parameters_of
from mhat.subjects.spelling import Keywords, keywords_of

MORE_METHODS = (
    "train", "train_step", "apply_grads", "apply_update", "update_step", "step_all", "optimise", "run_step", "move",
    "update_parameter", "update_layer", "update_weight", "update_network", "update_model", "do_step", "perform_step",
    "run", "fit", "solve", "descend", "compute_update", "get_updates", "calculate", "compute", "calc_update", "forward",
    "get_step", "next", "send", "adjust", "__next__", "update_weights_and_biases", "get_delta", "gradient_descent",
)  # fmt: skip


@dataclass(frozen=True)
class Maker:
    """Makes a fresh object for each run; of what is no class a copy."""

    thing: Any
    keywords: Keywords
    sizes: tuple[str, ...] = ()
    apart: Mapping[str, Any] = field(default_factory=dict)

    def make(self, starts: list[Any], knobs: Mapping[str, float]) -> Any:
        """Make an object for parameters of some shape."""
        if not callable(self.thing) or not (isinstance(self.thing, type) or inspect.isroutine(self.thing)):
            return copy.deepcopy(self.thing)
        arguments = self.keywords.arguments({k: v for k, v in knobs.items() if k in self.keywords.spelling.names})
        for name in self.sizes:
            arguments[name] = size_for(name, np.shape(starts[0]))
        return self.thing(**arguments)


def maker_of(asked: Asked) -> Maker | None:
    """Give what makes the objects of a class, or of a function that makes such; None if it asks for something else."""
    thing = asked.thing
    if not (isinstance(thing, type) or inspect.isroutine(thing)):
        return Maker(thing, keywords_of(asked.name, []))
    arguments = parameters_of(thing) if has_arguments(thing) else []
    sizes = tuple(p.name for p in arguments if is_required(p) and is_size(p.name))
    keywords = keywords_of(asked.name, arguments, asked.rule_knobs, asked.options if arguments else None, skip=sizes)
    if keywords.spelling.unknown or keywords.spelling.start:
        return None
    return Maker(thing, keywords, sizes)


def has_arguments(thing: Any) -> bool:
    """Whether what makes an object may be told something: not the constructor that every class has."""
    return getattr(thing, "__init__", None) is not object.__init__ or not isinstance(thing, type)


def methods_of(thing: Any) -> list[str]:
    """List the methods that may be a step, the likeliest first."""
    named = [name for name in (*METHODS[:-1], *MORE_METHODS) if callable(getattr(thing, name, None))]
    return [*named, *(name for name in calls.methods_of(thing) if name not in named)]


def sample_of(maker: Maker) -> Any:
    """Make one object, to look at; None if it cannot be made of what is usual."""
    for start in (np.zeros(2), np.zeros((2, 2))):
        try:
            return maker.make([start], {})
        except Exception:
            continue
    return None


def method_maker(maker: Maker, method: str) -> Callable[[list[Any], Mapping[str, float]], Callable[..., Any]]:
    """Give what makes the method of a fresh object."""

    def make(starts: list[Any], knobs: Mapping[str, float]) -> Callable[..., Any]:
        bound: Callable[..., Any] = getattr(maker.make(starts, knobs), method)
        return bound

    return make
