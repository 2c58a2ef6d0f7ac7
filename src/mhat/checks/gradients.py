"""The designed streams that a subject is driven with: scales, signs, zeros, spikes, odd knobs. It knows no rule.

A probe is one run of the subject on all coordinates at once; each coordinate has a stream of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mhat.errors import SubjectError, SubjectHangs
from mhat.language import Rule
from mhat.search.observed import Observed, Probes
from mhat.subjects.beginnings import starts_of
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]
# Odd values that tell knobs apart; what a probe sets beside the given ones.
ODD = {
    "lr": 0.05, "beta1": 0.7, "beta2": 0.85, "beta3": 0.6, "eps": 0.02, "weight_decay": 0.3, "momentum": 0.6,
    "rho": 0.8, "nu1": 0.4, "nu2": 0.3, "momentum_decay": 0.05, "final_lr": 0.23, "gamma": 0.04,
}  # fmt: skip
# What a third probe sets: a knob at zero is a case of its own.
OFF = {"weight_decay": 0.0}
# Or steps so long that any limit of theirs is passed.
FAST = {"lr": 40.0, "eps": 4.0, "rho": 0.99, "weight_decay": 0.0}
HUGE, TINY = 1e4, 1e-13
# How many coordinates of the parted streams have a partner with other signs.
PATTERNS = 4
STARTS = (0.7, -1.3, 2.1, 0.4, -0.6, 1.7)


@dataclass(frozen=True)
class Setting:
    """How a run begins: where x starts, and what knobs are set to beside those that are held."""

    start: Any = 0.0
    knobs: Mapping[str, float] = field(default_factory=dict)


def designed(steps: int, seed: int, tensors: int = 1) -> Array:
    """Make the gradients of one probe, (step, tensor, coordinate): every coordinate teaches something else."""
    rng = np.random.Generator(np.random.PCG64(seed))
    t = np.arange(steps)
    signs = np.where(t % 2 == 0, 1.0, -1.0)
    per_tensor = []
    for tensor in range(tensors):
        noise = rng.normal(size=(8, steps))
        rare = np.where((t + tensor) % 4 == 2, 1.0 + t, 0.0)
        spike = np.where(t == steps // 3, 100.0, 1.0)
        first_zero = np.where(t == 0, 0.0, noise[6])
        columns = [
            np.full(steps, 1.0 + tensor), -3.0 * 0.8**t, signs * (1 + 0.3 * t), noise[0], 1e3 * noise[1],
            1e-3 * noise[2], 1e-10 * noise[3], 1e-20 * noise[4], rare, spike * (0.5 + 0.1 * tensor), 1.5**t * 0.01,
            first_zero, np.abs(noise[5]) + 0.1, np.zeros(steps),
        ]  # fmt: skip
        per_tensor.append(np.stack(columns, axis=1))
    return np.stack(per_tensor, axis=1)


def parted(steps: int, tensors: int = 1) -> Array:
    """Make gradients that show parts of a rule alone, (step, tensor, coordinate).

    Next to huge ones no eps shows; next to tiny ones an eps is all of a denominator, and the numerator shows. The
    first `PATTERNS` coordinates and the `PATTERNS` after them differ in signs alone: whatever is made of squares
    is the same in both.
    """
    rng = np.random.Generator(np.random.PCG64(3))
    t = np.arange(steps)
    per_tensor = []
    for tensor in range(tensors):
        noise = rng.normal(size=(3, steps))
        patterns = [
            np.full(steps, 1.0 + tensor), noise[0], np.where((t + tensor) % 3 != 2, noise[1], 0.0),
            np.abs(noise[2]) * 0.8**t,
        ]  # fmt: skip
        signs = np.where(rng.uniform(size=(PATTERNS, steps)) < 0.5, -1.0, 1.0)
        turned = [p * s for p, s in zip(patterns, signs, strict=True)]
        spike = np.where(t == 0, 1.0, 0.0)
        columns = [HUGE * p for p in patterns + turned] + [TINY * p for p in (*patterns, turned[1], spike)]
        per_tensor.append(np.stack(columns, axis=1))
    return np.stack(per_tensor, axis=1)


def fresh(steps: int, seed: int, tensors: int = 1, coordinates: int = 14) -> Array:
    """Make gradients nobody has tuned anything on: random scales, zeros and jumps, (step, tensor, coordinate)."""
    rng = np.random.Generator(np.random.PCG64([seed, 77]))
    shape = (steps, tensors, coordinates)
    scale = 10.0 ** rng.uniform(-9, 3, size=(1, tensors, coordinates))
    scale[..., : coordinates // 2] = 10.0 ** rng.uniform(-1, 1, size=(1, tensors, coordinates // 2))
    drift = rng.normal(size=(1, tensors, coordinates))
    values = scale * (drift + rng.normal(size=shape))
    values[rng.uniform(size=shape) < 0.08] = 0.0
    return np.asarray(np.where(rng.uniform(size=shape) < 0.03, 30.0 * values, values))


def drive(
    subject: Subject,
    rule: Rule,
    held: Mapping[str, float],
    gradients: list[Array],
    *,
    odd: bool = True,
    observe: str = "x",
    plain: int | None = None,
    special: Mapping[str, float] = OFF,
) -> Observed:
    """Drive a subject with gradients: first as it stands, then with a start and odd knobs, then with special knobs.

    A start is given and knobs are set only where the subject takes them, and knobs only if `odd`. `plain` is the
    number of another stream that is to be run as the subject stands.

    Raises SubjectError if it fails.
    """
    runs = []
    for i, stream in enumerate(gradients):
        as_it_stands = i in (0, plain)
        start = np.resize(np.array(STARTS), stream.shape[1:]) if subject.starts and not as_it_stands else 0.0
        knobs_set = {} if as_it_stands or not odd else (ODD, special)[i - 1]
        setting = Setting(start, knobs_set)
        try:
            runs.append(drive_once(subject, rule, held, stream, setting, observe=observe))
        except SubjectHangs:
            raise
        except SubjectError:
            if not knobs_set:
                raise
            setting = Setting(start, _taken(subject, rule, held, stream, setting))
            runs.append(drive_once(subject, rule, held, stream, setting, observe=observe))
    knobs: dict[str, Any] = {}
    for knob in rule.knobs:
        own = [float(run.probes.knobs[knob]) for run in runs]
        knobs[knob] = own[0] if len(set(own)) == 1 else np.array(own)[:, None, None]
    probes = Probes(
        np.concatenate([run.probes.gradients for run in runs]),
        np.concatenate([run.probes.start for run in runs]),
        knobs,
        observe,
    )
    return Observed(probes, np.concatenate([run.values for run in runs], axis=1))


def _taken(
    subject: Subject, rule: Rule, held: Mapping[str, float], stream: Array, setting: Setting
) -> dict[str, float]:
    """Choose of the odd knobs those that a subject can do each: a value that it cannot take is left out."""
    taken = {}
    for knob in sorted(set(setting.knobs) & set(free_knobs(subject, rule, held))):
        value = setting.knobs[knob]
        try:
            drive_once(subject, rule, held, stream, Setting(setting.start, {knob: value}))
        except SubjectHangs:
            raise
        except SubjectError:
            continue
        taken[knob] = value
    return taken


def drive_once(
    subject: Subject,
    rule: Rule,
    held: Mapping[str, float],
    gradients: Array,
    setting: Setting | None = None,
    *,
    observe: str = "x",
) -> Observed:
    """Drive a subject with gradients (step, tensor, coordinate) in one setting; Raises SubjectError if it fails."""
    setting = Setting() if setting is None else setting
    start = np.broadcast_to(np.asarray(setting.start, dtype=np.float64), gradients.shape[1:])
    known = {**rule.knobs, **subject.defaults, **held}
    known |= {knob: value for knob, value in setting.knobs.items() if knob in free_knobs(subject, rule, held)}
    passed = {knob: known[knob] for knob in known if knob in subject.knobs}
    tensors = range(gradients.shape[1])
    streams = [np.ascontiguousarray(gradients[:, k]) for k in tensors]
    begin = [0.0 if subject.begins else start[k] for k in tensors]
    answer = subject.run(streams, begin, passed)
    if subject.begins and observe == "x":
        # Nobody tells it where to start: the rule is followed from where it does.
        start = np.stack(starts_of(subject, [stream.shape for stream in streams]))
    values = np.stack([np.asarray(part, dtype=np.float64) for part in answer], axis=1)
    probes = Probes(gradients[None], start[None], {knob: known[knob] for knob in rule.knobs}, observe)
    return Observed(probes, values[:, None])


def free_knobs(subject: Subject, rule: Rule, held: Mapping[str, float]) -> list[str]:
    """List the knobs that a subject takes and that nobody holds; those that count columns stay."""
    ranks = {rank[1:] for rank in rule.ranks}
    return [knob for knob in rule.knobs if knob in subject.knobs and knob not in held and knob not in ranks]


def tensors_of(subject: Subject) -> int:
    """How many tensors to drive a subject with."""
    return subject.tensors or (3 if subject.several else 1)
