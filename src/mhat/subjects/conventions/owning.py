"""What the owner is that a step asks for, and what else it wants of it, as names and texts tell. It calls nothing."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import PARAMS, is_required, is_size
from mhat.subjects.conventions import holders, standins
from mhat.subjects.conventions.roles import MORE_PARAMS, parameters_of
from mhat.subjects.conventions.texts import Words, words_of
from mhat.subjects.spelling import spelling_of

ONE = frozenset({"param", "p", "parameter", "w", "x", "theta", "variable", "var", "node", "tensor", "value"})
LAYER = frozenset({"layer", "l", "lay", "dense", "module", "unit"})
LAYERED = frozenset({"layers", "modules", "layerlist", "trainablelayers"})
MODEL = frozenset({"model", "net", "network", "nn", "mlp", "neuralnetwork", "graph", "agent", "policy", "owner", "obj"})
FLAT = frozenset({"get_flat", "get_flat_params", "get_params_flat", "flat_params", "get_flat_weights"})
ASKED = frozenset(
    {"parameters", "params", "named_parameters", "params_and_grads", "get_params", "trainable_parameters"}
)
SETUPS = (
    "setup", "register", "attach", "set_model", "bind", "set_parameters", "set_params", "add_params", "initialize",
    "init", "set_layers", "set_network", "compile", "prepare", "connect", "__call__",
)  # fmt: skip
PREPARING = ("initialize", "init_layer", "add_slot", "init_state", "init_params", "init_states", "register_layer",
             "initialize_layer", "init_optimizer", "setup_layer", "build", "add_layer", "init_velocity")  # fmt: skip
SHOWN = {
    "parameters": "a list of parameters", "parameter": "a parameter", "named": "a dictionary of parameters",
    "tensors": "a list of tensors of torch", "tensor module": "a module of torch", "layer": "a layer",
    "policy": "a policy", "named model": "a model", "pairs": "a list of pairs", "layers": "a list of layers",
    "model": "a model",
}  # fmt: skip


def given_beside(arguments: Sequence[inspect.Parameter], first: str | None, function: Any) -> tuple[str, ...]:
    """Find the gradients that a layer's step is handed beside the layer: one a tensor, or all in one."""
    if first is None or plain_spelling(first) not in LAYER:
        return ()
    others = [p.name for p in arguments if is_required(p) and p.name != first]
    grads = tuple(name for name in others if "grad" in name.lower() or name.lower().startswith(("dw", "db", "delta")))
    names = holders.names_in(words_of(function).attributes)
    return grads if len(grads) in (1, len(names)) and names else ()


def preparing(thing: Any, step: str) -> str:
    """Find the method that is shown an owner before its first step, if the class has one."""
    for name in PREPARING:
        method = getattr(thing, name, None)
        if name != step and callable(method):
            required = [p for p in parameters_of(method)[isinstance(thing, type) :] if is_required(p)]
            if len(required) == 1:
                return name
    return ""


def setup_of(thing: Any) -> tuple[str, str] | None:
    """Find the method that is handed the owner before the first step, and what it calls it."""
    for name in SETUPS:
        method = getattr(thing, name, None)
        if callable(method):
            required = [p.name for p in parameters_of(method)[isinstance(thing, type) :] if is_required(p)]
            if len(required) == 1:
                return name, required[0]
    return None


def kinds_of(argument: str, words: Words) -> list[str]:
    """Give the kinds of owner that an argument may be, the likeliest by its name first."""
    spelled = plain_spelling(argument)
    named = ["named"] if words.called & {"items", "values", "keys"} else []
    if spelled in LAYER:
        asks = words.called & (ASKED - {"params"})
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
    return [*named, "parameters", *late, "layers", "model", "layer", "parameter", "pairs"]


def tensors_in(kind: str, words: Words) -> int | None:
    """How many tensors there must be: layers have two each, where the text does not name one alone."""
    if kind == "policy":
        return 1
    if kind in ("layer", "layers"):
        return 1 if len(standins.tensor_names(words)) == 1 else 2
    return 2 if kind == "model" else None


def called_in(kind: str, words: Words) -> tuple[str, ...]:
    """Give the names of the tensors of a layer."""
    return tuple(name for name, _ in standins.tensor_names(words)) if kind in ("layer", "layers") else ()


def kept_by(kind: str, words: Words) -> str:
    """Say what the owner has, by the names that the text uses."""
    keep = "keep" if kind in ("parameters", "named", "layers") else "keeps"
    if kind in ("tensors", "tensor module"):
        return f"that {'keep' if kind == 'tensors' else 'keeps'} `.grad`"
    if kind in ("parameters", "parameter", "named"):
        data, grad = standins.names_of(words)
        return f"that {keep} `.{data}` and `.{grad}`"
    if kind == "named model":
        return "that keeps its `params` in a dictionary"
    if kind == "pairs":
        return "of an array and its gradient"
    names = standins.tensor_names(words)
    if names:
        return f"that {keep} {', '.join(f'`{name}` and `{grad}`' for name, grad in names)}"
    calls = sorted(words.called & {name for name in vars(standins.Model) if not name.startswith("_")})
    asked = f" ({', '.join(f'`{call}()`' for call in calls[:3])})" if calls else ""
    return f"that {keep} {'their' if keep == 'keep' else 'its'} own gradients{asked}"


def owners_among(arguments: Sequence[inspect.Parameter], words: Words) -> dict[str, str]:
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
