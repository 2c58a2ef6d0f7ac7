"""What users give to an optimizer, looked at before anything moves: options, parameters, gradients. It steps none."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, SupportsIndex

import numpy as np

from mhat.bridges.numpy.apartness import check_apart
from mhat.bridges.numpy.containers import Difference, Parted, Structure, kind_of
from mhat.bridges.numpy.state import SEEDS
from mhat.bridges.numpy.tensor_groups import dtype_name
from mhat.dtypes import DTYPES
from mhat.engines.kernels.switches import CAN_FLUSH
from mhat.engines.step_form import ROUNDINGS
from mhat.errors import BadValue, UnknownName
from mhat.notation import cut

Array = Any
MISSING = ("skip", "zero")
MADE = "when the optimizer was made"


def check_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """Refuse options that cannot be, and give them in their plain types; raises UnknownName or BadValue."""
    plain = dict(options)
    for name, known in (("missing", MISSING), ("rounding", ROUNDINGS), ("state_dtype", tuple(DTYPES))):
        if name != "state_dtype" or plain[name] is not None:
            plain[name] = _choice(name, plain[name], known)
    for name in ("as_written", "flush_denormals"):
        if not (plain[name] is None or isinstance(plain[name], bool | np.bool_)):
            raise BadValue(
                f"{name}={cut(repr(plain[name]))} is neither True nor False", "Give one of them, or leave it out."
            )
    seed, threads = (_whole(plain[name]) for name in ("seed", "threads"))
    plain["seed"] = 0 if plain["seed"] is None else seed
    if plain["seed"] is None or not 0 <= plain["seed"] < SEEDS:
        raise BadValue(f"seed={cut(repr(options['seed']))} is not a whole number from 0 to {SEEDS - 1}", "Give one.")
    if plain["threads"] is not None and (threads is None or threads < 1):
        raise BadValue(
            f"threads={cut(repr(plain['threads']))} is not a whole number from 1 on",
            "Give one, or leave it out for all.",
        )
    plain["threads"] = threads
    if plain["flush_denormals"] and not CAN_FLUSH:
        raise BadValue("flush_denormals is known for x86 processors only", "Leave it out.")
    return plain


def _choice(name: str, value: Any, known: Iterable[str]) -> str:
    if isinstance(value, str):
        text = value
    else:
        # A dtype has a name too.
        text = str(getattr(value, "name", None) or getattr(value, "__name__", None) or value)
    if text not in known:
        raise UnknownName(f"choice of `{name}`", cut(text), known)
    return text


def _whole(value: Any) -> int | None:
    if isinstance(value, bool | np.bool_) or not isinstance(value, SupportsIndex):
        return None
    return int(value)


def check_rule(rule: Any) -> None:
    """Refuse what is given in place of a rule, when it is the parameters; raises BadValue."""
    parameters = isinstance(rule, Mapping) and any(isinstance(v, np.ndarray | Mapping) for v in rule.values())
    if parameters or isinstance(rule, np.ndarray | list | tuple):
        raise BadValue(f"the rule is {kind_of(rule)}", "The rule comes first: Optimizer(rule, params).")


def check_tensors(paths: Sequence[str], tensors: Sequence[Any]) -> None:
    """Refuse parameters that cannot be stepped in place; raises BadValue."""
    if not tensors:
        raise BadValue("params holds no arrays", "Give the arrays that are to be stepped.")
    for path, tensor in zip(paths, tensors, strict=True):
        if not isinstance(tensor, np.ndarray):
            cure = "Give NumPy arrays: they are changed in place."
            if isinstance(tensor, Iterable) and not hasattr(tensor, "shape") and not isinstance(tensor, str | bytes):
                cure = f"Give a list of arrays: list({path})."
            raise BadValue(f"{path} is {kind_of(tensor)}", cure)
        if isinstance(tensor, np.ma.MaskedArray):
            raise BadValue(f"{path} is a masked array, and a step knows no mask", f"Give its numbers: {path}.data.")
        if dtype_name(tensor) is None:
            raise BadValue(f"{path} is {tensor.dtype}", f"Give one of {', '.join(DTYPES)}.")
        if not tensor.flags.writeable:
            raise BadValue(f"{path} is read-only", "Give an array that may be changed: a copy of it, say.")
        if tensor.size and any(s == 0 and n > 1 for s, n in zip(tensor.strides, tensor.shape, strict=True)):
            raise BadValue(f"{path} holds one number in many places", "Give an array of its own: a copy of it, say.")
    check_apart(paths, tensors)


def parameters_in(structure: Structure, params: Any) -> list[Any]:
    """List the parameters as they are now in their container; raises BadValue where it was built anew."""
    try:
        return structure.leaves_of(params)
    except Parted as parted:
        raise _changed(parted) from None


def _changed(parted: Parted) -> BadValue:
    where = f"params{parted.path}"
    leave = "Put it back and give None as its gradient, or make another optimizer."
    match parted.how:
        case Difference.KEY_MISSING:
            return BadValue(f"params{parted.what[1]} is gone, and was there {MADE}", leave)
        case Difference.KEY_ADDED:
            return BadValue(
                f"params{parted.what[1]} is new, and was not there {MADE}", "Make another optimizer for it."
            )
        case Difference.LENGTH:
            now, before = parted.what
            cure = leave if now < before else "Make another optimizer for what is new."
            return BadValue(f"{where} has {now} entries, and had {before} {MADE}", cure)
        case Difference.NO_KEYS:
            return BadValue(f"{where} is {kind_of(parted.what[0])} now, and was a dictionary {MADE}", leave)
        case _:
            return BadValue(f"{where} is {kind_of(parted.what[0])} now, and was a list {MADE}", leave)


def gradients_in(structure: Structure, grads: Any, called: str = "grads") -> list[Any]:
    """List gradients in the order of the parameters; raises BadValue where they are not in the same containers."""
    try:
        return structure.leaves_of(grads)
    except Parted as parted:
        raise _unlike(parted, called) from None


def _unlike(parted: Parted, called: str) -> BadValue:
    where = f"{called}{parted.path}"
    match parted.how:
        case Difference.KEY_MISSING:
            return BadValue(f"{where} has no key {parted.what[0]!r}", "Give None for a parameter without a gradient.")
        case Difference.KEY_ADDED:
            return BadValue(f"{called}{parted.what[1]} belongs to no parameter", "Leave it out.")
        case Difference.LENGTH:
            return BadValue(
                f"{where} has {parted.what[0]} entries, the parameters {parted.what[1]}",
                "Give one gradient for each parameter, None where there is none.",
            )
        case Difference.NO_KEYS:
            return BadValue(
                f"{where} is {kind_of(parted.what[0])}", "Give a dictionary with the keys of the parameters."
            )
        case _:
            return BadValue(f"{where} is {kind_of(parted.what[0])}", "Give a list with a gradient for each parameter.")
