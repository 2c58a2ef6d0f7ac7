"""What can be a parameter of an optimizer, and what a rule cannot step: looked at before anything is made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from mhat.bridges.torch.states import dtype_name
from mhat.dtypes import DTYPES
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.fit import FLATTEN, matrix_of, require_fit
from mhat.language.inference import Level

Tensor = Any


def check_parameter(rule: Rule, parameter: Tensor, name: str) -> None:
    """Refuse a parameter that a rule cannot step; raises BadValue with its name."""
    if parameter.layout is not torch.strided:
        raise BadValue(f"{name} is a {parameter.layout} tensor", "Give dense parameters.")
    if dtype_name(parameter.dtype) not in DTYPES:
        raise BadValue(f"{name} is {parameter.dtype}", f"Give one of {', '.join(DTYPES)}, or complex numbers.")
    if parameter.is_complex() and rule.level is not Level.COORDINATE:
        raise BadValue(
            f"{rule.name} is a rule {rule.level}, and {name} is {parameter.dtype}",
            "Complex parameters are stepped as pairs by rules per coordinate: give one of these.",
        )
    if rule.level is not Level.MATRIX:
        return
    shape = tuple(parameter.shape)
    seen = matrix_of(rule, shape)
    if len(seen) != 2 or 0 in seen:
        cure = (
            FLATTEN
            if len(seen) > 2 and 0 not in seen
            else f'Give it another rule: Optimizer([{{"params": matrices, "rule": "{rule.name}"}}, '
            '{"params": rest, "rule": "adamw"}]).'
        )
        raise BadValue(f"{rule.name} is a rule per matrix, and {name} has the shape {shape}", cure)
    require_fit(rule, seen, name)


def listed(params: Any) -> Any:
    """List parameters as they are given for a group; torch refuses a set."""
    if isinstance(params, torch.Tensor):
        return [params]
    return params if isinstance(params, set) else list(params)


def check_shared(groups: Sequence[Any], added: Any) -> None:
    """Refuse a group that holds a parameter twice, or one of another group; raises BadValue with both names."""
    seen = {
        id(parameter): group.name_of(place, index)
        for index, group in enumerate(groups)
        for place, parameter in enumerate(group["params"])
    }
    for place, given in enumerate(added["params"]):
        named = isinstance(given, tuple)
        name, parameter = given if named else (added.name_of(place, len(groups)), given)
        if id(parameter) in seen:
            raise BadValue(
                f"{name} is {seen[id(parameter)]} too, and would be stepped twice", "Give each parameter once."
            )
        seen[id(parameter)] = name
