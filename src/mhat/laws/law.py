"""What a law is, what is examined, and what is found. It knows no rule by name, no framework and no file.

A law is a demand on gradients: from what a run does with them it makes the numbers that came and the numbers
that the law expects. It is asked of the reference rule first, and of the run only if the rule itself keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import numpy as np

from mhat.language import Rule
from mhat.laws.proofs.proof import Attempt, NoProof
from mhat.notation.decimals import exact

Array = np.ndarray[Any, Any]
# What gradients a law is about; see `gradients` for the streams of each.
Kind = Literal["constant", "sequence", "pair", "nothing", "growing"]


class Run(Protocol):
    """A rule or a subject seen from outside.

    Gradients are an array (T, *shape), or a list of them for several tensors; the parameters after each step
    come back in the same form.
    """

    def __call__(self, gradients: Any, start: float, knobs: dict[str, float], /) -> Any:
        """Run from `start` with the knobs named."""


@dataclass(frozen=True)
class Examined:
    """What is held against the laws of a rule.

    `knobs` are those in force, the rule's defaults filled in. `accepts` are passed by name at every call, and of
    these a law may set those in `free` to other values. `dtype` is the arithmetic of the run.
    """

    run: Run
    rule: Rule
    knobs: Mapping[str, float]
    accepts: frozenset[str] = frozenset()
    free: frozenset[str] = frozenset()
    several: bool = False
    starts: bool = True
    vectors: bool = True
    dtype: str = "float64"

    def passed(self, changed: Mapping[str, float] | None = None) -> dict[str, float]:
        """Give the knobs to pass to the run."""
        in_force = {**self.knobs, **(changed or {})}
        return {name: value for name, value in in_force.items() if name in self.accepts}

    def ask(self, gradients: Array, start: float = 0.0, changed: Mapping[str, float] | None = None) -> Array:
        """Run on one tensor, (T, n)."""
        with np.errstate(all="ignore"):
            shaped = self._shaped(gradients)
            return np.asarray(self.run(shaped, start, self.passed(changed)), dtype=np.float64).reshape(gradients.shape)

    def ask_several(self, gradients: list[Array]) -> list[Array]:
        """Run on several tensors in one go, each (T, n)."""
        with np.errstate(all="ignore"):
            paths = self.run([self._shaped(part) for part in gradients], 0.0, self.passed())
            return [np.asarray(x, dtype=np.float64).reshape(g.shape) for x, g in zip(paths, gradients, strict=True)]

    def _shaped(self, gradients: Array) -> Array:
        """Copy the gradients, and make matrices of vectors where the rule is one per matrix."""
        if self.rule.level != "per matrix":
            return gradients.copy()
        steps, count = gradients.shape
        rows = 2 if count > 2 and count % 2 == 0 else 1
        return gradients.reshape(steps, rows, count // rows).copy()


@dataclass(frozen=True)
class Compared:
    """What came and what a law expects, both (T, n), and the size beside which a difference counts.

    `changed` are the knobs that the law has set, `quantity` says what the numbers are. With `at_most` only what
    exceeds the expected counts. `whole`: the gradients after the first bad step are part of the evidence. `times`: what
    came is that on so many times the gradients.
    """

    came: Array
    expected: Array
    scale: float | Array = 1.0
    changed: Mapping[str, float] = field(default_factory=dict)
    quantity: str = "x"
    start: float = 0.0
    at_most: bool = False
    whole: bool = False
    times: float = 1.0

    def differences(self) -> Array:
        """Give how far what came is from what is expected; two NaN, or two equal infinities, are no difference."""
        with np.errstate(all="ignore"):
            differences = self.came - self.expected
            differences = np.maximum(differences, 0.0) if self.at_most else np.abs(differences)
        same = (self.came == self.expected) | (np.isnan(self.came) & np.isnan(self.expected))
        differences = np.where(same, 0.0, differences)
        return np.where(np.isnan(differences), np.inf, differences)

    def errors(self) -> Array:
        """Give the differences beside the scale."""
        differences = self.differences()
        with np.errstate(all="ignore"):
            return np.where(differences == 0, 0.0, differences / self.scale)

    def moved(self) -> Array:
        """Give how far it was to have moved by each step, at most; where x is seen it began at the start."""
        with np.errstate(all="ignore"):
            moves = np.abs(self.expected - (self.start if self.quantity == "x" else 0.0))
        return np.asarray(np.maximum.accumulate(np.where(np.isfinite(moves), moves, 0.0), axis=0))


@dataclass(frozen=True)
class Counterexample:
    """The smallest gradients found that break a law, and where: what came and what the law expects there."""

    gradients: tuple[Any, ...]  # (T,), or (T, n) where the coordinates matter
    step: int
    coordinate: int
    came: float
    expected: float
    quantity: str = "x"
    start: float = 0.0
    knobs: Mapping[str, float] = field(default_factory=dict)  # those that the law has set
    at_most: bool = False
    times: float = 1.0

    @property
    def sentence(self) -> str:
        """Say it: `the gradients [1, 1]: x = 0.235 at step 2 where 1 is expected`."""
        came, expected = told_apart(self.came, self.expected)
        settings = [f"{name}={exact(value)}" for name, value in self.knobs.items()]
        settings += [f"start={exact(self.start)}"] if self.start else []
        conditions = f" with {', '.join(settings)}" if settings else ""
        expects = f"at most {expected}" if self.at_most else expected
        return (
            f"{_times(self.times)}the gradients {listed(self.gradients)}{conditions}: "
            f"{self.quantity} = {came} at step {self.step} where {expects} is expected"
        )


def _times(factor: float) -> str:
    told = {1.0: "", 2.0: "twice ", -1.0: "minus "}
    return told[factor] if factor in told else f"{exact(factor)} times "


def told_apart(one: float, other: float) -> tuple[str, str]:
    """Write two numbers with as few digits as tell them apart."""
    for digits in range(3, 18):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            break
    return texts


def listed(gradients: tuple[Any, ...]) -> str:
    """Write gradients as a list, a long one with its middle left out."""
    texts = [listed(g) if isinstance(g, tuple) else f"{g:.6g}" for g in gradients]
    if len(texts) > 12:
        texts = [*texts[:5], "...", *texts[-3:]]
    return f"[{', '.join(texts)}]"


@dataclass(frozen=True)
class Finding:
    """Whether a law holds for what was examined."""

    name: str
    holds: bool
    intuition: str
    counterexample: Counterexample | None = None


def anything(examined: Examined) -> str | None:
    """Need nothing of what is examined."""
    return None


def unproved(examined: Examined) -> Attempt:
    """Try no proof."""
    return NoProof("no proof of it is known")


def at_once(examined: Examined) -> Iterable[Examined]:
    """Ask what is examined as it is, once."""
    return (examined,)


@dataclass(frozen=True)
class Law:
    """A property that holds for a class of rules, with the intuition it stands for.

    `tolerance` says of what the ulps are that a run may stray. `demand` makes of gradients what came and what is
    expected. `needs` gives the reason why it cannot be asked. A rule keeps the law if it strays from it by no more than
    `nearly`: eps makes it stray a little. `turns`: where a law asks about several things, what is examined with all but
    one of them held, one after the other. `proof` argues from the tree of the rule, for the knobs in force.
    """

    name: str
    intuition: str
    tolerance: str
    kind: Kind
    demand: Callable[[Examined, Array], Compared]
    needs: Callable[[Examined], str | None] = field(default=anything)
    nearly: float = 0.02
    turns: Callable[[Examined], Iterable[Examined]] = field(default=at_once)
    proof: Callable[[Examined], Attempt] = field(default=unproved)

    def ask(self, examined: Examined, gradients: Array) -> Compared:
        """Make the demand; what is not finite is no number to warn of, but an answer."""
        with np.errstate(all="ignore"):
            return self.demand(examined, gradients)


def steps_of(parameters: Array, start: float = 0.0) -> Array:
    """Give the moves between parameters (T, n)."""
    with np.errstate(all="ignore"):
        return np.diff(parameters, axis=0, prepend=start)


def scale_of(*arrays: Array) -> float:
    """Give the largest finite size in some arrays, or 1 where all is zero."""
    sizes = [np.abs(array[np.isfinite(array)]) for array in arrays]
    largest = max((float(size.max()) for size in sizes if size.size), default=0.0)
    return largest or 1.0
