"""The states of one parameter: the tensors that a rule carries from step to step, and how they are made. It steps none.

A state that starts as a number is filled with it; one that starts from x or the first gradient is made of these at its
first step, and is zeros till then.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from mhat.dtypes import DTYPES
from mhat.engines.step_form import LOST
from mhat.language.definition import Rule
from mhat.language.fit import matrix_of
from mhat.language.inference import SCALAR, WHOLE
from mhat.language.tree import Number

Tensor = Any
STEP = "step"
# The parameters of training, while those of evaluation are in their place; no rule can have a state of this name.
TRAINED = "@x"


def dtype_name(dtype: Any) -> str:
    """Name a dtype of torch: of complex numbers that of their parts.

    >>> import torch
    >>> dtype_name(torch.bfloat16), dtype_name(torch.complex64)
    ('bfloat16', 'float32')
    """
    return str(dtype.to_real() if dtype.is_complex else dtype).rpartition(".")[2]


def stored_states(rule: Rule, stored: str) -> dict[str, str]:
    """Say how a rule's states are stored: those of tensors as told, those of one number a step as doubles."""
    alone = rule.dependence.per_step_states
    return {name: "float64" if name in alone else stored for name in rule.tree.state_names}


def made_states(rule: Rule, parameter: Tensor, state_dtype: str | None, rounding: str) -> dict[str, Tensor]:
    """Make the states of a parameter as they are before its first step, by name, and the number of its steps."""
    own = dtype_name(parameter.dtype)
    stored = stored_states(rule, state_dtype or DTYPES[own].computed)
    starts = {state.name: state.start for state in rule.tree.states}
    made = {STEP: torch.zeros((), dtype=torch.float64)}
    for name, dtype in stored.items():
        if name in rule.dependence.per_step_states:
            made[name] = torch.zeros((), dtype=torch.float64)
        else:
            made[name] = _zeros(rule, name, parameter, dtype)
        start = starts[name]
        if isinstance(start, Number) and start.value != 0.0:
            _filled(made[name], start.value)
    if rounding == "kahan" and DTYPES[own].small:
        made[LOST] = torch.zeros_like(parameter, requires_grad=False)
    return made


def _zeros(rule: Rule, name: str, parameter: Tensor, stored: str) -> Tensor:
    dtype = getattr(torch, stored)
    shape = tuple(parameter.shape)
    if parameter.is_complex():
        pairs = dtype != parameter.dtype.to_real()
        shape, dtype = ((*shape, 2), dtype) if pairs else (shape, parameter.dtype)
    elif rule.shapes[name] == SCALAR or matrix_of(rule, shape) != shape or rule.shapes[name] != WHOLE:
        shape = rule.shape_of(name, matrix_of(rule, shape))
    if shape == tuple(parameter.shape):
        # In the layout of the parameter: channels last stays channels last.
        return torch.zeros_like(parameter, dtype=dtype, requires_grad=False)
    return torch.zeros(shape, dtype=dtype, device=parameter.device)


def _filled(state: Tensor, value: float) -> None:
    """Fill a state with a number; both parts of complex ones, which step as pairs."""
    as_real(state).fill_(value)


def as_real(tensor: Tensor) -> Tensor:
    """See complex numbers as pairs, and other tensors as they are."""
    return torch.view_as_real(tensor) if tensor.is_complex() else tensor


def state_form(states: Mapping[str, Tensor]) -> tuple[tuple[str, str], ...]:
    """Say how the states of a parameter are stored, by name."""
    return tuple((name, dtype_name(tensor.dtype)) for name, tensor in states.items() if name != STEP)
