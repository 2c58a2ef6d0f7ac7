"""Steps that are given no gradients: they find them on parameters, layers or a model that keep their own.

Adam(params).step()                 params have .data and .grad, .value and .gradient
Adam().update_params(layer)         layer.weights, layer.dweights, layer.biases ...; params and grads
SGD().step(net)                     net.params_and_grads(), net.layers, net.parameters(), net.get_flat()
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.errors import SubjectError
from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import COUNTS, PARAMS, SHORT_COUNTS, is_required, is_size, size_for
from mhat.subjects.conventions import holders, standins
from mhat.subjects.conventions.beside import Beside, beside_of
from mhat.subjects.conventions.layouts import shape_of
from mhat.subjects.conventions.making import has_arguments, methods_of
from mhat.subjects.conventions.proposals import Asked, Proposal, Stepper, entering, stepped
from mhat.subjects.conventions.roles import MORE_PARAMS, ONES, parameters_of
from mhat.subjects.conventions.standins import Place
from mhat.subjects.conventions.tensors import leaf_of, module_of, tensor_of, uses_torch
from mhat.subjects.conventions.texts import Written
from mhat.subjects.conventions.words import Words, words_of
from mhat.subjects.spelling import Keywords, keywords_of, spelling_of

PARAMETERS, LAYERS, MODELS = "parameter-objects", "layer-objects", "model"
ONE = frozenset({"param", "p", "parameter", "w", "x", "theta", "variable", "var", "node", "tensor", "value"})
LAYER = frozenset({"layer", "l", "lay", "dense", "module", "unit"})
LAYERED = frozenset({"layers", "modules", "layerlist", "trainablelayers"})
MODEL = frozenset({"model", "net", "network", "nn", "mlp", "neuralnetwork", "graph", "agent", "policy", "owner", "obj"})
FLAT = frozenset({"get_flat", "get_flat_params", "get_params_flat", "flat_params", "get_flat_weights"})
ASKED = frozenset(
    {"parameters", "params", "named_parameters", "params_and_grads", "get_params", "trainable_parameters"}
)
CLOSURES = frozenset({"closure", "lossfn", "lossfunction", "loss"})
PREPARING = ("initialize", "init_layer", "add_slot", "init_state", "init_params", "init_states", "register_layer",
             "initialize_layer", "init_optimizer", "setup_layer", "build", "add_layer", "init_velocity")  # fmt: skip
AROUND = (("pre_update_params", "pre_update", "begin_step", "start_step", "pre_step", "before_step"),
          ("post_update_params", "post_update", "end_step", "finish_step", "post_step", "after_step", "tick",
           "increment", "increment_step", "next_step"))  # fmt: skip
SHOWN = {
    "parameters": "a list of parameters", "parameter": "a parameter", "named": "a dictionary of parameters",
    "tensors": "a list of tensors of torch", "tensor module": "a module of torch", "layer": "a layer", "policy": "a policy", "layers": "a list of layers", "model": "a model",
}  # fmt: skip
CONVENTION = {"parameters": PARAMETERS, "parameter": PARAMETERS, "named": PARAMETERS, "layer": LAYERS,
              "tensors": PARAMETERS, "tensor module": MODELS, "layers": LAYERS, "model": MODELS, "policy": MODELS}  # fmt: skip
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
    beside: Beside = Beside()  # what else it is handed
    ones: tuple[str, ...] = ()  # sizes of batches
    given: tuple[str, ...] = ()  # arguments that are the gradients of a layer's tensors
    prepare: str = ""  # the method that is shown each owner once
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
    apart = _apart(arguments, words)
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
    given = _given(rest, first, function) if not owners else ()
    words = words_of(function) if given else words
    rest = [p for p in rest if p.name not in given]
    setup = _setup_of(asked.thing) if not owners and first is None and method is not None else None
    handed = owners[0] if owners else setup[1] if setup else first
    if handed is None or (owners and first is not None and not flat and first not in _knobs_in(rest, asked)):
        return
    apart_now = [flat] if flat else [] if owners or setup else [handed]
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
        setup=setup[0] if setup else "", flat=flat or "", beside=beside, ones=ones,
        given=given, prepare="" if setup or owners or method is None else _preparing(asked.thing, method),
    )  # fmt: skip
    kinds = ["layer"] if given else ["policy"] if sized else _kinds(handed, words)
    if uses_torch(asked.thing):
        kinds = [*(["tensor module", "tensors"] if "model" in kinds[:1] else ["tensors"]), *kinds]
    enter = tensor_of if "policy" in kinds and uses_torch(asked.thing) else entering
    for place, kind in enumerate(kinds):
        how = f"with {SHOWN[kind]} {_kept(kind, words)}"
        ways = [(replace(plain, kind=kind), (), 0.0, "")] if given else _shared(replace(plain, kind=kind))
        for own, forms, less, said in ways:
            yield Proposal(
                CONVENTION[kind], how + said, likely - 0.03 * place - less, stepped(own.begin, enter),
                [maker, step, beside.spelling], together=True,
                tensors=len(holders.names_in(words.attributes)) if given else _tensors(kind, words), forms=forms,
                called=_called(kind, words),
            )  # fmt: skip


def _shared(owner: Owner) -> Iterator[tuple[Owner, tuple[str, ...], float, str]]:
    """Yield whether owners that are handed over in turn share an object, as far as their shapes allow it."""
    if owner.kind not in ("parameter", "layer") or owner.method is None:
        yield owner, (), 0.0, ""
        return
    yield owner, ("vectors", "matrices"), 0.0, ""
    yield replace(owner, alone=True), (), 0.01, ", each with an object of its own"
    yield owner, ("numbers",), 0.02, ""


def _given(arguments: Sequence[inspect.Parameter], first: str | None, function: Any) -> tuple[str, ...]:
    """Find the gradients that a layer's step is handed beside the layer: one a tensor, or all in one."""
    if first is None or plain_spelling(first) not in LAYER:
        return ()
    others = [p.name for p in arguments if is_required(p) and p.name != first]
    grads = tuple(name for name in others if "grad" in name.lower() or name.lower().startswith(("dw", "db", "delta")))
    names = holders.names_in(words_of(function).attributes)
    return grads if len(grads) in (1, len(names)) and names else ()


def _preparing(thing: Any, step: str) -> str:
    """Find the method that is shown an owner before its first step, if the class has one."""
    for name in PREPARING:
        method = getattr(thing, name, None)
        if name != step and callable(method):
            required = [p for p in parameters_of(method)[isinstance(thing, type) :] if is_required(p)]
            if len(required) == 1:
                return name
    return ""


def _setup_of(thing: Any) -> tuple[str, str] | None:
    """Find the method that is handed the owner before the first step, and what it calls it."""
    for name in (
        "setup",
        "register",
        "attach",
        "set_model",
        "bind",
        "set_parameters",
        "set_params",
        "add_params",
        "__call__",
    ):
        method = getattr(thing, name, None)
        if callable(method):
            required = [p.name for p in parameters_of(method)[isinstance(thing, type) :] if is_required(p)]
            if len(required) == 1:
                return name, required[0]
    return None


def _knobs_in(arguments: Sequence[inspect.Parameter], asked: Asked) -> set[str]:
    return set(keywords_of(asked.name, arguments, asked.rule_knobs).spelling.knobs.values())


def _kinds(argument: str, words: Words) -> list[str]:
    """Give the kinds of owner that an argument may be, the likeliest by its name first."""
    spelled = plain_spelling(argument)
    named = ["named"] if words.called & {"items", "values", "keys"} else []
    if spelled in LAYER:
        asks = words.called & {
            "parameters",
            "named_parameters",
            "params_and_grads",
            "get_params",
            "trainable_parameters",
        }
        return ["model", "layer", "parameter"] if asks else ["layer", "parameter"]
    if spelled in LAYERED:
        return ["layers", "model"]
    if spelled in MODEL:
        return ["model", "layers", "layer", "parameters"]
    if spelled in ONE:
        return ["parameter", "parameters", "layer"]
    if words.called & (ASKED | FLAT):
        return ["model", *named, "parameters", "layers", "layer", "parameter"]
    late = [] if named else ["named"]
    return [*named, "parameters", *late, "layers", "model", "layer", "parameter"]


def _tensors(kind: str, words: Words) -> int | None:
    """How many tensors there must be: layers have two each, where the text does not name one alone."""
    if kind == "policy":
        return 1
    if kind in ("layer", "layers"):
        return 1 if len(standins.tensor_names(words)) == 1 else 2
    return 2 if kind == "model" else None


def _called(kind: str, words: Words) -> tuple[str, ...]:
    """Give the names of the tensors of a layer."""
    return tuple(name for name, _ in standins.tensor_names(words)) if kind in ("layer", "layers") else ()


def _kept(kind: str, words: Words) -> str:
    """Say what the owner has, by the names that the text uses."""
    keep = "keep" if kind in ("parameters", "named", "layers") else "keeps"
    if kind in ("tensors", "tensor module"):
        return f"that {'keep' if kind == 'tensors' else 'keeps'} `.grad`"
    if kind in ("parameters", "parameter", "named"):
        data, grad = standins.names_of(words)
        return f"that {keep} `.{data}` and `.{grad}`"
    names = standins.tensor_names(words)
    if names:
        return f"that {keep} {', '.join(f'`{name}` and `{grad}`' for name, grad in names)}"
    calls = sorted(words.called & {name for name in vars(standins.Model) if not name.startswith("_")})
    asked = f" ({', '.join(f'`{call}()`' for call in calls[:3])})" if calls else ""
    return f"that {keep} {'their' if keep == 'keep' else 'its'} own gradients{asked}"


def _apart(arguments: Sequence[inspect.Parameter], words: Words) -> dict[str, str]:
    """Tell which arguments of a constructor are the owner, and which are sizes."""
    found = {}
    for parameter in arguments:
        spelled = plain_spelling(parameter.name)
        if is_required(parameter) and spelled in PARAMS | MORE_PARAMS | LAYER | LAYERED | MODEL:
            found[parameter.name] = "owner"
        elif is_required(parameter) and is_size(parameter.name):
            found[parameter.name] = "size"
    unknown = spelling_of(arguments, skip=found).unknown
    if (
        "owner" not in found.values()
        and len(unknown) == 1
        and (words.called & (FLAT | ASKED) or words.attributes & holders.COUNTED)
    ):
        found[unknown[0]] = "owner"
    return found


def _is_static(thing: type, method: str) -> bool:
    return isinstance(inspect.getattr_static(thing, method), staticmethod | classmethod)
