"""The ways in which a step method may want to be called, read from its signature. It calls nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat.language.vocabulary import plain_spelling
from mhat.subjects.spelling import SpelledKnobs, spelling_of

METHODS = (
    "step", "update", "apply", "update_params", "update_parameters", "apply_gradients", "optimize", "minimize",
    "apply_gradient", "update_weights", "get_update", "__call__",
)  # fmt: skip
PARAMS = frozenset({
    "x", "w", "p", "param", "params", "parameter", "parameters", "theta", "thetas", "weight", "weights", "value",
    "var", "vars", "variables", "network", "model", "layers", "position", "modelparams", "modelparameters", "netparams",
    "networkparams", "initialparams", "initparams", "initialparameters", "paramlist", "parameterlist",
    "trainableparams", "paramdict", "modelweights",
})  # fmt: skip
GRADS = frozenset({
    "g", "grad", "grads", "gradient", "gradients", "dw", "dx", "dp", "dtheta", "gs", "gw", "deriv", "derivative",
    "gf", "gx", "dfdx", "dldw", "globalg", "dparams", "dparam", "paramgrad", "paramgrads", "paramsgrad", "dweights",
    "weightgrads", "weightgrad", "thetagrad", "thetagrads", "wgrad", "wgrads", "dweight", "dweigths",
})  # fmt: skip
COUNTS = frozenset({"t", "step", "steps", "iteration", "iter", "it", "epoch", "timestep", "stepnumber"})
SHORT_COUNTS = frozenset({"i", "k"})
LOSSES = frozenset({"f", "fx", "fval", "loss", "cost", "curloss", "currloss", "lossvalue", "lossval", "error", "j"})
KEYS = frozenset({"key", "name", "id", "paramid", "paramname", "index", "idx", "layer", "layerid"})
SIZES = frozenset({"n", "size", "dim", "shape", "dims", "nparams", "numparams", "ndim", "length"})
SHAPES = ("shape", "dims")
_SIZED = ("shape", "size", "dim", "dims", "length", "numparams", "numparameters", "numweights", "nfeatures",
          "numfeatures", "nparameters", "nweights", "ninputs")  # fmt: skip
_OTHER_SIZES = ("step", "batch", "population", "pop", "sample", "window", "buffer", "history", "bucket", "bin", "train")
LAYOUTS = {"array": "an array", "list": "a list of arrays", "dict": "a dict of arrays"}


@dataclass(frozen=True)
class Calling:
    """One way to call a step.

    `roles` of the arguments: params, grads, count, key, pairs of gradient and parameter, or params0, params1,
    grads0, grads1 ... for a method that names each tensor. `layout` says how tensors are handed over.
    """

    method: str
    roles: tuple[str, ...]
    names: tuple[str, ...]
    layout: str
    spelling: SpelledKnobs  # knobs that the method itself takes

    @property
    def tensors(self) -> int | None:
        """How many tensors the method names, if it names each."""
        return sum(role[:-1] == "params" for role in self.roles if role[-1].isdigit()) or None

    @property
    def called(self) -> tuple[str, ...]:
        """The names of the tensors, if the method names each."""
        named = {role: name for role, name in zip(self.roles, self.names, strict=True) if role[:-1] == "params"}
        return tuple(named[role] for role in sorted(named))

    @property
    def together(self) -> bool:
        """Whether several tensors can be driven at once."""
        return self.layout != "array" or "key" in self.roles or self.tensors is not None

    def __str__(self) -> str:
        return f"{self.method}({', '.join(self.names)}) with {LAYOUTS[self.layout]}"


def ways_of(thing: Any, owns: bool, rule_knobs: Mapping[str, float] | None) -> Iterator[Calling]:
    """Yield the ways to call the steps of a class or an object; `owns`: it is made of its parameters."""
    for method in methods_of(thing):
        function = getattr(thing, method)
        parameters = _parameters(function, unbound=isinstance(thing, type) and not _is_static(thing, method))
        spelling = spelling_of(parameters, rule_knobs, skip=[p.name for p in parameters if _role(p)])
        for roles, names in _readings(parameters, set(spelling.knobs.values()), owns):
            fixed = any(role[-1].isdigit() for role in roles)
            for layout in ("list",) if fixed or "pairs" in roles else ("list",) if "key" in roles else LAYOUTS:
                yield Calling(method, roles, names, layout, spelling)


def methods_of(thing: Any) -> list[str]:
    """List the methods that may be a step; being called is one if the class says how."""
    owner = thing if isinstance(thing, type) else type(thing)
    named = [name for name in METHODS[:-1] if callable(getattr(thing, name, None))]
    called = ["__call__"] if "__call__" in vars(owner) else []
    return [*named, *called] or [name for name in _public(owner) if _is_given_gradients(getattr(owner, name))]


def _public(owner: type) -> list[str]:
    """List what a class, or a base class of the user's, defines for others."""
    classes = [each for each in inspect.getmro(owner) if each.__module__ not in ("builtins", "abc", "typing")]
    return list(dict.fromkeys(name for each in classes for name in vars(each) if not name.startswith("_")))


def _is_given_gradients(method: Any) -> bool:
    return inspect.isroutine(method) and any(_role(p) == "grads" for p in _parameters(method, unbound=False))


def is_size(name: str) -> bool:
    """Whether a name says how large the parameters are: `dim`, `n_params`, `parameter_size`; not `batch_size`."""
    spelled = plain_spelling(name)
    return spelled in SIZES or (spelled.endswith(_SIZED) and not spelled.startswith(_OTHER_SIZES))


def size_for(name: str, shape: tuple[int, ...]) -> Any:
    """Give the size that a name asks for: a shape, or how many numbers there are."""
    return shape if plain_spelling(name).endswith(SHAPES) else int(np.prod(shape))


def is_required(parameter: inspect.Parameter) -> bool:
    """Whether a parameter must be given."""
    return parameter.default is parameter.empty and parameter.kind not in (
        parameter.VAR_KEYWORD,
        parameter.VAR_POSITIONAL,
    )


def _is_static(thing: type, method: str) -> bool:
    return isinstance(inspect.getattr_static(thing, method), staticmethod | classmethod)


def _parameters(function: Callable[..., Any], unbound: bool) -> list[inspect.Parameter]:
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []
    return parameters[1 if unbound else 0 :]


def _role(parameter: inspect.Parameter) -> str:
    name = plain_spelling(parameter.name)
    if name in COUNTS or (name in SHORT_COUNTS and is_required(parameter)):
        return "count"
    if not is_required(parameter):
        return ""
    if name in PARAMS:
        return "params"
    if name in GRADS or (name.startswith("grad") and "and" not in name):
        return "grads"
    return "key" if name in KEYS else "loss" if name in LOSSES else ""


def _readings(
    parameters: list[inspect.Parameter], knobs: set[str], owns: bool
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Yield what the arguments may be: what their names say, or else what their places say."""
    used = [p for p in parameters if (is_required(p) and p.name not in knobs) or _role(p) == "count"]
    names = tuple(p.name for p in used)
    roles = tuple(_role(p) for p in used)
    each = _each_named(names, roles)
    if each:
        yield each, names
        return
    if "" not in roles and "grads" in roles and len(set(roles)) == len(roles):
        yield roles, names
        return
    if {"params", "grads"} <= set(roles) and roles.count("") == 1 and len(set(roles)) == len(roles):
        for meant in ("count", "key", "loss"):
            yield _filled(roles, [roles.index("")], (meant,)), names
        return
    rest = [i for i, role in enumerate(roles) if role not in ("count", "loss")]
    if len(rest) == 1 and any(word in plain_spelling(names[rest[0]]) for word in ("and", "pairs", "zip")):
        yield _filled(roles, rest, ("pairs",)), names
    elif len(rest) == 1:
        yield _filled(roles, rest, ("grads",)), names
    elif len(rest) == 2 and owns:
        yield _filled(roles, rest, ("grads", "count")), names
        yield _filled(roles, rest, ("params", "grads")), names
    elif len(rest) == 2:
        yield _filled(roles, rest, ("params", "grads")), names
        yield _filled(roles, rest, ("grads", "params")), names
    elif len(rest) == 3:
        yield _filled(roles, rest, ("params", "grads", "count")), names
        yield _filled(roles, rest, ("key", "params", "grads")), names


def _filled(roles: tuple[str, ...], places: list[int], meant: tuple[str, ...]) -> tuple[str, ...]:
    given = dict(zip(places, meant, strict=True))
    return tuple(given.get(i, role) for i, role in enumerate(roles))


def _each_named(names: tuple[str, ...], roles: tuple[str, ...]) -> tuple[str, ...]:
    """Read update(t, w, b, dw, db): each tensor and its gradient have a name; nothing if that is not so."""
    places = {plain_spelling(name): i for i, name in enumerate(names) if roles[i] != "count"}
    pairs = [
        (i, places[f"{mark}{name}"])
        for name, i in places.items()
        for mark in ("d", "grad", "g")
        if f"{mark}{name}" in places
    ]
    if len(pairs) < 2 or 2 * len(pairs) != len(places):
        return ()
    found = list(roles)
    for number, (param, grad) in enumerate(sorted(pairs)):
        found[param], found[grad] = f"params{number}", f"grads{number}"
    return tuple(found)
