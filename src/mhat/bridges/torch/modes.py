"""Training and evaluation: the parameters of rules that assign `x_eval` are exchanged, and given back to the bit.

While an optimizer evaluates, the parameters of training are kept among its states, so that a checkpoint has both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from mhat.bridges.numpy.evaluation import evaluating
from mhat.bridges.torch.buckets import Bucket, program_on
from mhat.bridges.torch.states import TRAINED
from mhat.bridges.torch.watched import States

Tensor = Any


class Mode:
    """A mode that was entered; as a context, it is left at the end, for the mode that was there before."""

    def __init__(self, leave: Callable[[], Any]) -> None:
        self._leave = leave

    def __enter__(self) -> Mode:
        return self

    def __exit__(self, *ending: object) -> None:
        self._leave()


def evaluate(buckets: Sequence[Bucket], states: States) -> None:
    """Put the parameters to evaluate with in place of those of training; raises BadValue before any is written."""
    made = [(bucket, place, value) for bucket in buckets for place, value in _evaluated(bucket)]
    for bucket, place, value in made:
        parameter = bucket.parameters[place]
        states[parameter].settle(TRAINED, parameter.detach().clone(memory_format=torch.preserve_format))
        bucket.tensors[place].copy_(value.reshape(bucket.tensors[place].shape))


def train(states: States) -> None:
    """Put the parameters of training back."""
    for parameter, own in states.items():
        if isinstance(parameter, torch.Tensor) and TRAINED in own:
            parameter.detach().copy_(own[TRAINED])
            own.forget(TRAINED)


def _evaluated(bucket: Bucket) -> list[tuple[int, Tensor]]:
    """Give the parameters of evaluation of a bucket, by place; of tensors that no step has moved there are none."""
    rule = evaluating(bucket.groups[0].rule)
    places = [i for i, taken in enumerate(bucket.counts.tolist()) if taken]
    if rule is None or not places:
        return []
    program = program_on(rule, bucket.computed, bucket.device)
    knobs = bucket.knobs()
    environments = []
    for place in places:
        own = knobs if isinstance(knobs, dict) else knobs[place]
        x = bucket.tensors[place]
        made = bucket.environment(place, x, float(bucket.counts[place]), own, rule)
        for name, column in bucket.states.items():
            alone = name in program.per_step_states
            made[name] = float(column[place]) if alone else column[place].to(bucket.computed)
        environments.append(made)
    results = program.step(environments)
    return [
        (place, torch.broadcast_to(result, environment["x"].shape))
        for place, result, environment in zip(places, results, environments, strict=True)
    ]
