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
from mhat.subjects.calls import COUNTS, PARAMS, SHORT_COUNTS, SIZES, is_required
from mhat.subjects.conventions import standins
from mhat.subjects.conventions.making import has_arguments, methods_of
from mhat.subjects.conventions.proposals import Asked, Proposal, Stepper, stepped
from mhat.subjects.conventions.roles import MORE_PARAMS, parameters_of
from mhat.subjects.conventions.standins import Place
from mhat.subjects.conventions.words import Words
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
AROUND = (("pre_update_params", "pre_update", "begin_step", "start_step", "pre_step", "before_step"),
          ("post_update_params", "post_update", "end_step", "finish_step", "post_step", "after_step", "tick",
           "increment", "increment_step", "next_step"))  # fmt: skip
SHOWN = {
    "parameters": "a list of parameters", "parameter": "a parameter", "named": "a dictionary of parameters",
    "layer": "a layer", "layers": "a list of layers", "model": "a model",
}  # fmt: skip
CONVENTION = {"parameters": PARAMETERS, "parameter": PARAMETERS, "named": PARAMETERS, "layer": LAYERS,
              "layers": LAYERS, "model": MODELS}  # fmt: skip
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
    flat: str = ""  # the argument that is all gradients in one vector

    @property
    def at_once(self) -> bool:
        """Whether the owner is handed over when the object is made."""
        return self.argument in self.apart

    def begin(self, starts: list[Any], knobs: Mapping[str, float]) -> Stepper:
        """Begin a run."""
        owners, places = owned(self.kind, starts, self.words)
        if len(places) != len(starts):
            raise SubjectError(self.name, f"keeps {len(places)} tensors where there are {len(starts)}", "")
        for place, start in zip(places, starts, strict=True):
            place.put(start, start * 0.0)
        optimizers = [self.made(owners[0], starts, knobs)]
        if self.setup:
            getattr(optimizers[0], self.setup)(owners[0])
        if self.alone:
            optimizers += [self.made(owner, starts, knobs) for owner in owners[1:]]
        fixed = self.step.arguments({k: v for k, v in knobs.items() if k in self.step.spelling.names})

        def step(gradients: list[Any], count: int) -> Sequence[Any]:
            for place, start, gradient in zip(places, starts, gradients, strict=True):
                place.put(start, gradient)
            for optimizer in optimizers:
                _around(optimizer, AROUND[0], self.method)
            for i, owner in enumerate(owners):
                optimizer = optimizers[min(i, len(optimizers) - 1)]
                function = optimizer if self.method is None else getattr(optimizer, self.method)
                arguments: dict[str, Any] = {**fixed, **dict.fromkeys(self.counts, count)}
                arguments |= dict.fromkeys(self.closures, None)
                if self.flat:
                    arguments[self.flat] = np.concatenate([np.ravel(g) for g in gradients])
                if not self.at_once and not self.setup:
                    arguments[self.argument] = owner
                function(**arguments)
            for optimizer in optimizers:
                _around(optimizer, AROUND[1], self.method)
            return [place.take() for place in places]

        return step

    def made(self, owner: Any, starts: list[Any], knobs: Mapping[str, float]) -> Any:
        """Make the object of a run."""
        if self.method is None or not isinstance(self.thing, type):
            return copy.deepcopy(self.thing) if self.method is not None else self.thing
        arguments = self.maker.arguments({k: v for k, v in knobs.items() if k in self.maker.spelling.names})
        for argument, role in self.apart.items():
            shape = starts[0].shape if hasattr(starts[0], "shape") else ()
            size = shape if plain_spelling(argument) in ("shape", "dims") else starts[0].size
            arguments[argument] = owner if role == "owner" else size
        return self.thing(**arguments)


def owned(kind: str, starts: list[Any], words: Words) -> Owned:
    """Make what is handed over for tensors; several layers are handed over one after the other."""
    if kind in ("parameters", "parameter", "named"):
        pairs = [standins.parameter(start, words) for start in starts]
        params, places = [param for param, _ in pairs], [place for _, place in pairs]
        if kind == "named":
            return [{f"{'Wb'[i % 2]}{i // 2 + 1}": param for i, param in enumerate(params)}], places
        return (params if kind == "parameter" else [params]), places
    if kind == "model":
        made, places = standins.model(starts, words)
        return [made], places
    layers, places = standins.layers_of(starts, words)
    return (layers if kind == "layer" else [layers]), places


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
    rest = [p for p in arguments if p.name not in (*counts, *closures)]
    first = next((p.name for p in rest if is_required(p)), None)
    flat = first if owners and first is not None and words.called & FLAT else ""
    setup = _setup_of(asked.thing) if not owners and first is None and method is not None else None
    handed = owners[0] if owners else setup[1] if setup else first
    if handed is None or (owners and first is not None and not flat and first not in _knobs_in(rest, asked)):
        return
    step = keywords_of(asked.name, rest, asked.rule_knobs, skip=[flat] if flat else [] if owners or setup else [handed])
    if step.spelling.unknown:
        return
    plain = Owner(
        asked.thing, asked.name, method, "", handed, words, maker, apart, step, counts, closures,
        setup=setup[0] if setup else "", flat=flat or "",
    )  # fmt: skip
    for place, kind in enumerate(_kinds(handed, words)):
        how = f"with {SHOWN[kind]} {_kept(kind, words)}"
        for own, forms, less, said in _shared(replace(plain, kind=kind)):
            yield Proposal(
                CONVENTION[kind], how + said, likely - 0.03 * place - less, stepped(own.begin), [maker, step],
                together=True, tensors=_tensors(kind, words), forms=forms, called=_called(kind, words),
            )  # fmt: skip


def _shared(owner: Owner) -> Iterator[tuple[Owner, tuple[str, ...], float, str]]:
    """Yield whether owners that are handed over in turn share an object, as far as their shapes allow it."""
    if owner.kind not in ("parameter", "layer") or owner.method is None:
        yield owner, (), 0.0, ""
        return
    yield owner, ("vectors", "matrices"), 0.0, ""
    yield replace(owner, alone=True), (), 0.01, ", each with an object of its own"
    yield owner, ("numbers",), 0.02, ""


def _setup_of(thing: Any) -> tuple[str, str] | None:
    """Find the method that is handed the owner before the first step, and what it calls it."""
    for name in ("setup", "register", "attach", "set_model", "bind", "set_parameters", "set_params", "add_params"):
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
    return [*named, "parameters", "layers", "model", "layer", "parameter"]


def _tensors(kind: str, words: Words) -> int | None:
    """How many tensors there must be: layers have two each, where the text does not name one alone."""
    if kind in ("layer", "layers"):
        return 1 if len(standins.tensor_names(words)) == 1 else 2
    return 2 if kind == "model" else None


def _called(kind: str, words: Words) -> tuple[str, ...]:
    """Give the names of the tensors of a layer."""
    return tuple(name for name, _ in standins.tensor_names(words)) if kind in ("layer", "layers") else ()


def _kept(kind: str, words: Words) -> str:
    """Say what the owner has, by the names that the text uses."""
    keep = "keep" if kind in ("parameters", "named", "layers") else "keeps"
    if kind in ("parameters", "parameter", "named"):
        data = next((name for name in standins.DATA if name in words.attributes), "data")
        grad = next((name for name in standins.GRAD if name in words), "grad")
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
        elif is_required(parameter) and spelled in SIZES:
            found[parameter.name] = "size"
    unknown = spelling_of(arguments, skip=found).unknown
    if "owner" not in found.values() and len(unknown) == 1 and words.called & (FLAT | ASKED):
        found[unknown[0]] = "owner"
    return found


def _is_static(thing: type, method: str) -> bool:
    return isinstance(inspect.getattr_static(thing, method), staticmethod | classmethod)
