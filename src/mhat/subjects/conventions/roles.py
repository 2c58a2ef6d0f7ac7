"""What the arguments of a step are, by their names: parameters, gradients, a count, states. It calls nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import COUNTS, GRADS, KEYS, LOSSES, PARAMS, SHORT_COUNTS, is_required
from mhat.subjects.conventions.texts import Written, core_of
from mhat.subjects.spelling import SpelledKnobs, spelling_of

# States that go through the arguments: an array each.
STATES = frozenset({
    "m", "v", "s", "u", "r", "h", "n", "mt", "vt", "st", "m0", "v0", "mom", "vel", "velocity", "velocities", "cache",
    "moment", "moments", "moment1", "moment2", "firstmoment", "secondmoment", "mean", "var", "variance", "expavg",
    "expavgsq", "avg", "avgsq", "accum", "accumulator", "acc", "buf", "buffer", "momentumbuffer", "eg2", "egsq", "edx2",
    "sgrad", "vgrad", "sqgrad", "sqgrads", "gradsq", "gradsquared", "vdw", "sdw", "vdb", "sdb", "mdw", "mdb", "mw",
    "vw", "mb", "vb", "sumsq", "sumsquares", "g2", "memory", "history", "mem", "z", "y", "vhat",
    "vhatmax", "vmax", "momentum",
})  # fmt: skip
# One thing that holds them all.
CONFIGS = frozenset({
    "config", "state", "optstate", "optimizerstate", "optimstate", "cache", "caches", "conf", "cfg", "memory", "info",
    "states", "optimstates", "aux", "context", "hyperparams", "optconfig", "optimconfig", "store", "slots",
})  # fmt: skip
STEMS = {"weights": "w", "weight": "w", "biases": "b", "bias": "b", "ws": "w", "bs": "b"}
MORE_PARAMS = frozenset(
    {"xt", "wt", "x0", "pt", "old", "current", "xcurr", "currentx", "point", "arr", "array", "beta0"}
)
HANDED = frozenset({"gradfn", "gradfunc", "gradientfn", "gradfunction", "gradientfunction", "jac"})
FUNCTIONS = frozenset(
    {"objectivefn", "objective", "lossfn", "costfn", "objectivefunction", "costfunction", "lossfunction"}
)
# Numbers that a caller divides by, or that only say how much there is.
ONES = frozenset({"batchsize", "bs", "minibatchsize", "nsamples", "numsamples", "samplesize", "numexamples", "ndata"})
LAYER_COUNTS = frozenset({"numlayers", "nlayers", "numoflayers", "layers", "nlayer", "layercount", "depth", "numlayer"})
MORE_GRADS = frozenset({"d", "gt", "grd", "nabla", "gradt", "derivs", "derivatives", "slope", "slopes", "gradf"})


@dataclass(frozen=True)
class Roles:
    """What each argument is: params, grads, count, key, state or config; params0, grads0 ... where each has a name.

    Also: gradfn, the gradient as a function; loss, one and layers, numbers; data, which the gradient alone is handed.

    `spelling`: the knobs among the others. `sure`: whether the names say so, and not the places alone.
    """

    by_name: Mapping[str, str]
    spelling: SpelledKnobs
    sure: bool
    optional: frozenset[str] = frozenset()
    positional: tuple[str, ...] = ()

    def of(self, role: str) -> list[str]:
        """The arguments of a role."""
        return [name for name, own in self.by_name.items() if own == role]

    @property
    def tensors(self) -> int:
        """How many tensors have names of their own; 0 if none has."""
        return sum(role.startswith("params") and role[-1].isdigit() for role in self.by_name.values())


def parameters_of(function: Callable[..., Any]) -> list[inspect.Parameter]:
    """Give the arguments of a function; none where they cannot be seen."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


def readings_of(function: Callable[..., Any], written: Written, rule_knobs: Mapping[str, float] | None) -> list[Roles]:
    """Give what the arguments of a step may be, the likeliest first; nothing if it cannot be a step."""
    arguments = [p for p in parameters_of(function) if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
    named = {p.name: _role(p, written) for p in arguments}
    named |= _each_named([p.name for p in arguments])
    named |= _data_of(named, written)
    missing = [role for role in ("params", "grads") if not any(own.startswith(role) for own in named.values())]
    if "gradfn" in named.values() and "grads" in missing:
        missing.remove("grads")
    open_ = _open(arguments, named, rule_knobs)
    readings = []
    for filled in _fillings(open_, missing):
        roles = {**named, **filled}
        found = _complete(arguments, roles, written, rule_knobs)
        if found is not None:
            readings.append(Roles(*found, sure=not missing, positional=_positional(arguments)))
    return [_with_optional(each, arguments) for each in readings]


def _with_optional(roles: Roles, arguments: Sequence[inspect.Parameter]) -> Roles:
    optional = frozenset(p.name for p in arguments if not is_required(p))
    return Roles(roles.by_name, roles.spelling, roles.sure, optional, roles.positional)


def _positional(arguments: Sequence[inspect.Parameter]) -> tuple[str, ...]:
    return tuple(p.name for p in arguments if p.kind is p.POSITIONAL_ONLY)


def _role(parameter: inspect.Parameter, written: Written) -> str:
    name, core = plain_spelling(parameter.name), core_of(parameter.name)
    required = is_required(parameter)
    if required and (filler := _filler(parameter, name, written)):
        return filler
    if (
        parameter.default is None
        and name in HANDED
        and written.keeps(parameter.name)
        and not written.calls(parameter.name)
    ):
        return "gradfn"
    back = core in {core_of(each) for each in written.returned if each}
    if (name in CONFIGS or name.endswith(("state", "config", "cfg"))) and (
        required or parameter.default is None or isinstance(parameter.default, dict)
    ):
        return "config"
    if required and name in ("statesteps", "stepslist"):
        return "counts"
    if name in COUNTS or (name in SHORT_COUNTS and required):
        return "count"
    if required and (
        name in GRADS | MORE_GRADS or core in GRADS or (name.startswith(("grad", "nabla")) and "and" not in name)
    ):
        return "grads"
    if required and (name in PARAMS | MORE_PARAMS or core in PARAMS):
        return "params"
    if required and name in KEYS:
        return "key"
    if (name in STATES or core in STATES or (required and core.rstrip("s") in STATES)) and (
        required or back or parameter.default is None
    ):
        # A momentum that is handed back, or changed in place, is a velocity; else it is the knob.
        return "state" if name != "momentum" or back or written.changes(parameter.name) else ""
    return "state" if back and not required and parameter.default is None else ""


def _filler(parameter: inspect.Parameter, name: str, written: Written) -> str:
    """Tell what is handed over beside parameters and gradients, and says nothing of the step."""
    if written.calls(parameter.name) and not written.calls_again(parameter.name):
        return "gradfn" if name in GRADS or "grad" in name or name.startswith(("df", "deriv", "nabla")) else ""
    if name in FUNCTIONS:
        return "function"
    if name in ONES:
        return "one"
    if name in LAYER_COUNTS and "layers" not in name[:6]:
        return "layers"
    if name in LOSSES:
        return "loss"
    return "no" if parameter.annotation in (bool, "bool") else ""


def _data_of(roles: dict[str, str], written: Written) -> dict[str, str]:
    """Find the data that only the gradient is handed: X and y in `grad(X, y, theta)`."""
    functions = [name for name, role in roles.items() if role == "gradfn"]
    if not functions:
        return {}
    params = [name for name, role in roles.items() if role == "params"]
    alone = [name for name in roles if name not in functions and written.only_hands(name, functions[0])]
    kept = params[-1:] if all(name in alone for name in params) else []
    return {name: "data" for name in alone if name not in kept}


def _each_named(names: Sequence[str]) -> dict[str, str]:
    """Read step(w, b, dw, db ...): each tensor and its gradient have a name; nothing if there are no two such pairs."""
    stems = {plain_spelling(name): name for name in names}
    known = {STEMS.get(stem, stem): name for stem, name in reversed(stems.items())}
    pairs = []
    for plain, name in stems.items():
        rests = [plain.removeprefix(mark) for mark in ("d", "grad", "g", "nabla", "delta") if plain.startswith(mark)]
        params = [known[STEMS.get(rest, rest)] for rest in rests if STEMS.get(rest, rest) in known]
        rests = [
            plain.removesuffix(mark) for mark in ("gradients", "gradient", "grads", "grad") if plain.endswith(mark)
        ]
        params += [known[STEMS.get(rest, rest)] for rest in rests if STEMS.get(rest, rest) in known]
        if params and params[0] != name:
            pairs.append((params[0], name))
    if len(pairs) == 1:
        # weights with weights_gradient, and biases with the gradient that is left: output_gradient.
        own = [known[word] for word in ("w", "b") if word in known and known[word] != pairs[0][0]]
        left = [name for name in names if "grad" in name.lower() and name != pairs[0][1]]
        pairs += [(own[0], left[0])] if len(own) == len(left) == 1 else []
    if len({param for param, _ in pairs}) < 2 or len(pairs) != len({param for param, _ in pairs}):
        return {}
    return {
        name: role
        for number, (param, grad) in enumerate(sorted(pairs, key=lambda pair: names.index(pair[0])))
        for name, role in ((param, f"params{number}"), (grad, f"grads{number}"))
    }


def _open(
    arguments: Sequence[inspect.Parameter], named: Mapping[str, str], rule_knobs: Mapping[str, float] | None
) -> list[str]:
    """List what must be given and is neither named for a role nor a knob."""
    spelling = spelling_of(arguments, rule_knobs, skip=[name for name, role in named.items() if role])
    known = {*spelling.knobs.values(), spelling.betas}
    return [p.name for p in arguments if is_required(p) and not named[p.name] and p.name not in known]


def _fillings(open_: Sequence[str], missing: Sequence[str]) -> list[dict[str, str]]:
    """Give the ways in which what has no telling name may be what is missing."""
    if len(open_) < len(missing):
        # A step that is given gradients alone gives the update.
        return [{}] if missing == ["params"] else [{open_[0]: "grads"}] if len(open_) == 1 == len(missing) - 1 else []
    first = dict(zip(open_, missing, strict=False))
    if len(missing) != 2:
        return [first]
    return [first, dict(zip(open_, reversed(missing), strict=False))]


def _complete(
    arguments: Sequence[inspect.Parameter],
    roles: dict[str, str],
    written: Written,
    rule_knobs: Mapping[str, float] | None,
) -> tuple[dict[str, str], SpelledKnobs] | None:
    """Sort the rest into knobs and states; None if there are no gradients."""
    if not any(role.startswith(("grads", "gradfn")) for role in roles.values()):
        return None
    spelling = spelling_of(arguments, rule_knobs, skip=[name for name, role in roles.items() if role])
    back = {core_of(name) for name in written.returned if name}
    # What is asked for and is no knob, or is handed back, is a state; a start is none here.
    states = {*spelling.unknown, *([spelling.start] if spelling.start else [])}
    states |= {name for name in spelling.knobs.values() if core_of(name) in back}
    states = {p.name for p in arguments if p.name in states and (is_required(p) or core_of(p.name) in back)}
    # What is neither handed back nor changed is no state, whatever else it may be.
    loose = [name for name in states if core_of(name) not in back and not written.keeps(name)]
    if written.tree is not None and len(loose) > written.returned_above.count(""):
        return None
    found = {**roles, **dict.fromkeys(states, "state")}
    apart = [name for name, role in found.items() if role]
    return found, spelling_of(arguments, rule_knobs, skip=apart)
