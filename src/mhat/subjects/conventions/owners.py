"""Steps that are given no gradients: they find them on parameters, layers or a model that keep their own.

Adam(params).step()                 params have .data and .grad, .value and .gradient
Adam().update_params(layer)         layer.weights, layer.dweights, layer.biases ...; params and grads
SGD().step(net)                     net.params_and_grads(), net.layers, net.parameters(), net.get_flat()
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from mhat.errors import SubjectError
from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import COUNTS, GRADS, SHORT_COUNTS, is_required, size_for
from mhat.subjects.conventions import holders, standins
from mhat.subjects.conventions.beside import Beside, beside_of
from mhat.subjects.conventions.layouts import shape_of
from mhat.subjects.conventions.making import has_arguments, methods_of
from mhat.subjects.conventions.owning import (
    FLAT,
    SHOWN,
    called_in,
    given_beside,
    kept_by,
    kinds_of,
    owners_among,
    preparing,
    setup_of,
    tensors_in,
)
from mhat.subjects.conventions.proposals import Asked, Proposal, Stepper, entering, stepped
from mhat.subjects.conventions.roles import ONES, parameters_of
from mhat.subjects.conventions.standins import Place
from mhat.subjects.conventions.tensors import leaf_of, module_of, tensor_of, uses_torch
from mhat.subjects.conventions.texts import Words, Written, words_of
from mhat.subjects.spelling import Keywords, keywords_of

PARAMETERS, LAYERS, MODELS = "parameter-objects", "layer-objects", "model"
CLOSURES = frozenset({"closure", "lossfn", "lossfunction", "loss"})
AROUND = (("pre_update_params", "pre_update", "begin_step", "start_step", "pre_step", "before_step"),
          ("post_update_params", "post_update", "end_step", "finish_step", "post_step", "after_step", "tick",
           "increment", "increment_step", "next_step"))  # fmt: skip
CONVENTION = {
    "parameters": PARAMETERS, "parameter": PARAMETERS, "named": PARAMETERS, "tensors": PARAMETERS, "pairs": PARAMETERS,
    "named model": MODELS, "tensor module": MODELS, "model": MODELS, "policy": MODELS, "layer": LAYERS,
    "layers": LAYERS,
}  # fmt: skip
Owned = tuple[list[Any], list[Place]]  # what is handed over, one or several in turn, and where tensors are


@dataclass(frozen=True)
class Owner:
    """A step of an object, or a function, and the kind of owner that it is handed, when it is made or at each step."""

    thing: Any
    name: str
    method: str | None  # None: the thing itself is the step
    kind: str
    argument: str
    words: Words
    maker: Keywords
    apart: Mapping[str, str]  # arguments of the constructor: the owner, and sizes
    step: Keywords
    counts: tuple[str, ...] = ()
    closures: tuple[str, ...] = ()
    alone: bool = False  # whether each owner has an object of its own
    setup: str = ""  # the method that is handed the owner once
    beside: Beside = field(default_factory=Beside)  # what else it is handed
    ones: tuple[str, ...] = ()  # sizes of batches
    given: tuple[str, ...] = ()  # arguments that are the gradients of a layer's tensors
    prepare: str = ""  # the method that is shown each owner once
    whole: str = ""  # the argument that is all gradients, under the keys of the model's parameters
    flat: str = ""  # the argument that is all gradients in one vector

    @property
    def at_once(self) -> bool:
        """Whether the owner is handed over when the object is made."""
        return self.argument in self.apart

    def begin(self, starts: list[Any], knobs: Mapping[str, float]) -> Stepper:
        """Begin a run."""
        owners, places, given = self.owned(starts)
        if len(places) != len(starts):
            raise SubjectError(self.name, f"keeps {len(places)} tensors where there are {len(starts)}", "")
        for place, start in zip(places, starts, strict=True):
            place.put(start, start * 0.0)
        optimizers = [self.made(owners[0], starts, knobs)]
        if self.setup:
            getattr(optimizers[0], self.setup)(owners[0])
        if self.prepare:
            for owner in owners:
                getattr(optimizers[0], self.prepare)(owner)
        if self.alone:
            optimizers += [self.made(owner, starts, knobs) for owner in owners[1:]]
        fixed = self.step.arguments({k: v for k, v in knobs.items() if k in self.step.spelling.names})
        fixed |= self.beside.made(owners[0] if self.kind in ("parameters", "tensors") else starts, knobs)
        fixed |= dict.fromkeys(self.ones, 1)

        def step(gradients: list[Any], count: int) -> Sequence[Any]:
            for place, start, gradient in zip(places, starts, gradients, strict=True):
                place.put(start, gradient)
            for optimizer in optimizers:
                _around(optimizer, AROUND[0], self.method)
            for i, owner in enumerate(owners):
                optimizer = optimizers[min(i, len(optimizers) - 1)]
                function = optimizer if self.method is None else getattr(optimizer, self.method)
                arguments: dict[str, Any] = {**fixed, **dict.fromkeys(self.counts, count)}
                arguments |= dict.fromkeys(self.closures, standins.Idle())
                if self.flat:
                    one = len(gradients) == 1
                    arguments[self.flat] = gradients[0] if one else np.concatenate([np.ravel(g) for g in gradients])
                if self.whole:
                    arguments[self.whole] = dict(zip(owner.params, gradients, strict=True))
                if self.given:
                    one = len(self.given) == 1 and len(given) > 1
                    arguments |= dict(zip(self.given, [tuple(given)] if one else given, strict=True))
                if not self.at_once and not self.setup:
                    arguments[self.argument] = owner
                returned = function(**arguments)
                if self.kind == "policy":
                    _taken_over(places[0], owner, returned)
            for optimizer in optimizers:
                _around(optimizer, AROUND[1], self.method)
            return [place.take() for place in places]

        return step

    def owned(self, starts: list[Any]) -> tuple[list[Any], list[Place], list[Any]]:
        """Make what is handed over, and the list of gradients that go beside it."""
        if not self.given:
            return *owned(self.kind, starts, self.words), []
        layer, places, given = holders.given_layer(starts, holders.names_in(self.words.attributes), self.words)
        return [layer], places, given

    def made(self, owner: Any, starts: list[Any], knobs: Mapping[str, float]) -> Any:
        """Make the object of a run."""
        if self.method is None or not isinstance(self.thing, type):
            return copy.deepcopy(self.thing) if self.method is not None else self.thing
        arguments = self.maker.arguments({k: v for k, v in knobs.items() if k in self.maker.spelling.names})
        for argument, role in self.apart.items():
            arguments[argument] = owner if role == "owner" else size_for(argument, np.shape(starts[0]))
        return self.thing(**arguments)


def owned(kind: str, starts: list[Any], words: Words) -> Owned:
    """Make what is handed over for tensors; several layers are handed over one after the other."""
    if kind in ("tensors", "tensor module"):
        leaves = [leaf_of(start) for start in starts]
        places = [_leaf(leaves, i) for i in range(len(leaves))]
        return [leaves if kind == "tensors" else module_of(leaves)], places
    if kind in ("parameters", "parameter", "named"):
        pairs = [standins.parameter(start, words) for start in starts]
        params, places = [param for param, _ in pairs], [place for _, place in pairs]
        if kind == "named":
            return [{f"{'Wb'[i % 2]}{i // 2 + 1}": param for i, param in enumerate(params)}], places
        return (params if kind == "parameter" else [params]), places
    if kind == "pairs":
        listed = [[start, start * 0.0] for start in starts]
        return [listed], [holders.pair_place(pair) for pair in listed]
    if kind == "named model":
        return holders.named_model(starts, words)
    if kind == "policy":
        policy, place = holders.policy(starts[0], words)
        return [policy], [place]
    if kind == "model":
        made, places = standins.model(starts, words)
        return [made], places
    if len(words.unpacked) == 2 and len(starts) % 2 == 0:
        made = [holders.in_pairs(starts[i : i + 2], words) for i in range(0, len(starts), 2)]
        layers, places = [one for one, _ in made], [place for _, own in made for place in own]
        return (layers if kind == "layer" else [layers]), places
    layers, places = standins.layers_of(starts, words)
    return (layers if kind == "layer" else [layers]), places


def _taken_over(place: Place, policy: Any, returned: Any) -> None:
    """Give a policy the vector that a step returned, where it did not take it over itself."""
    found = returned[0] if isinstance(returned, tuple) and returned else returned
    before = place.take()
    if policy.untouched and shape_of(found) == np.shape(before):
        policy.set_flat(found)


def _leaf(leaves: list[Any], i: int) -> Place:
    """Give the place of a tensor in a list; another may be put there."""

    def put(x: Any, g: Any) -> None:
        leaves[i].grad = None if g is None else tensor_of(g)

    return Place(put, lambda: leaves[i].detach())


def _around(optimizer: Any, names: Sequence[str], step: str | None) -> None:
    """Call what is to be called before or after all layers."""
    for name in names:
        hook = getattr(optimizer, name, None)
        if name != step and callable(hook) and not any(is_required(p) for p in parameters_of(hook)):
            hook()
            return


def of_parameters(asked: Asked) -> Iterator[Proposal]:
    """Propose to hand over parameters with a value and a gradient each."""
    return (each for each in proposed(asked) if each.convention == PARAMETERS)


def of_layers(asked: Asked) -> Iterator[Proposal]:
    """Propose to hand over layers."""
    return (each for each in proposed(asked) if each.convention == LAYERS)


def of_models(asked: Asked) -> Iterator[Proposal]:
    """Propose to hand over a model."""
    return (each for each in proposed(asked) if each.convention == MODELS)


def proposed(asked: Asked) -> Iterator[Proposal]:
    """Propose to hand over what keeps its own gradients."""
    thing, words = asked.thing, asked.words
    if inspect.isroutine(thing):
        yield from _of_function(asked, words)
        return
    arguments = parameters_of(thing) if isinstance(thing, type) and has_arguments(thing) else []
    apart = owners_among(arguments, words)
    owners = [name for name, role in apart.items() if role == "owner"]
    maker = keywords_of(asked.name, arguments, asked.rule_knobs, asked.options if arguments else None, skip=apart)
    if maker.spelling.unknown or len(owners) > 1:
        return
    for place, method in enumerate(methods_of(thing)):
        bound = getattr(thing, method)
        own = parameters_of(bound)[1 if isinstance(thing, type) and not _is_static(thing, method) else 0 :]
        yield from _ways(asked, words, method, own, maker, apart, owners, 0.9 - 0.02 * place)


def _of_function(asked: Asked, words: Words) -> Iterator[Proposal]:
    nothing = keywords_of(asked.name, [])
    yield from _ways(asked, words, None, parameters_of(asked.thing), nothing, {}, [], 0.75)


def _ways(
    asked: Asked,
    words: Words,
    method: str | None,
    arguments: list[inspect.Parameter],
    maker: Keywords,
    apart: Mapping[str, str],
    owners: Sequence[str],
    likely: float,
) -> Iterator[Proposal]:
    counts = tuple(p.name for p in arguments if plain_spelling(p.name) in COUNTS | SHORT_COUNTS and is_required(p))
    closures = tuple(p.name for p in arguments if plain_spelling(p.name) in CLOSURES and is_required(p))
    ones = tuple(p.name for p in arguments if plain_spelling(p.name) in ONES and is_required(p))
    rest = [p for p in arguments if p.name not in (*counts, *closures, *ones)]
    first = next((p.name for p in rest if is_required(p)), None)
    function = asked.thing if method is None else getattr(asked.thing, method)
    sized = owners and words.attributes & holders.COUNTED
    flat = first if owners and first is not None and (words.called & FLAT or sized) else ""
    whole = first if owners and not flat and _is_all_gradients(first, words) else ""
    given = given_beside(rest, first, function) if not owners else ()
    words = words_of(function) if given else words
    rest = [p for p in rest if p.name not in given]
    setup = setup_of(asked.thing) if not owners and first is None and method is not None else None
    handed = owners[0] if owners else setup[1] if setup else first
    taken = flat or whole
    if handed is None or (owners and first is not None and not taken and first not in _knobs_in(rest, asked)):
        return
    apart_now = [taken] if taken else [] if owners or setup else [handed]
    step = keywords_of(asked.name, rest, asked.rule_knobs, skip=apart_now)
    beside: Beside | None = Beside()
    if step.spelling.unknown:
        beside = beside_of(Written.of(function), step.spelling.unknown, handed)
        step = keywords_of(asked.name, rest, asked.rule_knobs, skip=[*apart_now, *step.spelling.unknown])
    if beside is None:
        return
    maker = replace(maker, spelling=maker.spelling.yielding(step.spelling))
    plain = Owner(
        asked.thing, asked.name, method, "", handed, words, maker, apart, step, counts, closures,
        setup=setup[0] if setup else "", flat=flat or "", beside=beside, ones=ones, whole=whole or "",
        given=given, prepare="" if setup or owners or method is None else preparing(asked.thing, method),
    )  # fmt: skip
    kinds = ["named model"] if whole else ["layer"] if given else ["policy"] if sized else kinds_of(handed, words)
    if uses_torch(asked.thing):
        kinds = [*(["tensor module", "tensors"] if "model" in kinds[:1] else ["tensors"]), *kinds]
    enter = tensor_of if "policy" in kinds and uses_torch(asked.thing) else entering
    tensors = len(holders.names_in(words.attributes)) if given else None
    for place, kind in enumerate(kinds):
        how = f"with {SHOWN[kind]} {kept_by(kind, words)}"
        ways = [(replace(plain, kind=kind), (), 0.0, "")] if given else _shared(replace(plain, kind=kind))
        for own, forms, less, said in ways:
            yield Proposal(
                CONVENTION[kind], how + said, likely - 0.03 * place - less, stepped(own.begin, enter),
                [maker, step, beside.spelling], together=True, tensors=tensors or tensors_in(kind, words), forms=forms,
                called=called_in(kind, words),
            )  # fmt: skip


def _is_all_gradients(name: str | None, words: Words) -> bool:
    """Whether an argument is the gradients of a model that keeps a dictionary `params` and no gradients."""
    return name is not None and plain_spelling(name) in GRADS and "params" in words.attributes - words.called


def _shared(owner: Owner) -> Iterator[tuple[Owner, tuple[str, ...], float, str]]:
    """Yield whether owners that are handed over in turn share an object, as far as their shapes allow it."""
    if owner.kind not in ("parameter", "layer") or owner.method is None:
        yield owner, (), 0.0, ""
        return
    yield owner, ("vectors", "matrices"), 0.0, ""
    yield replace(owner, alone=True), (), 0.01, ", each with an object of its own"
    yield owner, ("numbers",), 0.02, ""


def _knobs_in(arguments: Sequence[inspect.Parameter], asked: Asked) -> set[str]:
    return set(keywords_of(asked.name, arguments, asked.rule_knobs).spelling.knobs.values())


def _is_static(thing: type, method: str) -> bool:
    return isinstance(inspect.getattr_static(thing, method), staticmethod | classmethod)
