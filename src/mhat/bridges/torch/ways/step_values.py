"""The doubles of a step: what is computed of knobs, `t`, `k`, `n` and sizes alone, once a step. It knows no tensors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache

from mhat.bridges.torch.ways.way import Knobs
from mhat.engines.kernels.lowering import SIZES, Kind, Lowered
from mhat.language.tree import Expression, Name, Number
from mhat.language.walking import product_length
from mhat.ops import OPERATIONS


class StepValues:
    """Computes the doubles of a lowered rule.

    `sizes`: how many numbers each tensor has; `numbers`: k of each; `count`: n.
    """

    def __init__(self, lowered: Lowered, sizes: Sequence[int], numbers: Sequence[float], count: float) -> None:
        self.lowered = lowered
        self.states = tuple(lowered.states(Kind.STEP))
        self._sizes = [float(size) for size in sizes]
        self._numbers = [float(number) for number in numbers]
        self._count = float(count)
        # What tells tensors apart beside t and their states.
        self._own = "k" in lowered.rule.tree.inputs or lowered.sizes

    def rows(
        self, chosen: Sequence[int], steps: Sequence[float], knobs: Knobs, states: Mapping[str, Sequence[float]]
    ) -> tuple[list[list[float]], list[list[float]]]:
        """Give of each chosen tensor what enters its arithmetic, and its states of one double after the step.

        `steps`: t of each tensor; `states`: the states of one double, a number a tensor. Rows that are the same are
        one object.
        """
        shared = {"n_in": self._count, SIZES["all"]: sum(self._sizes[i] for i in chosen)}
        if not isinstance(knobs, Mapping):
            # The tensors of a group have one object.
            apart = {id(knobs[i]): knobs[i] for i in chosen}
            made = {key: self._of({**shared, **_entered(own)}, steps, states) for key, own in apart.items()}
            each = [made[id(knobs[i])](i) for i in chosen]
        else:
            row = self._of({**shared, **_entered(knobs)}, steps, states)
            each = [row(i) for i in chosen]
        return [entered for entered, _ in each], [after for _, after in each]

    def _of(
        self, given: Mapping[str, float], steps: Sequence[float], states: Mapping[str, Sequence[float]]
    ) -> Callable[[int], tuple[list[float], list[float]]]:
        """Give what computes the row of a tensor, once for all that are alike."""
        if not self.states and not self._own:
            of = cache(lambda t: self._row({**given, "t_in": float(t)}))
            return lambda i: of(steps[i])
        known: dict[tuple[float, ...], tuple[list[float], list[float]]] = {}

        def row(i: int) -> tuple[list[float], list[float]]:
            own = {"t_in": float(steps[i])}
            own |= {self.lowered.before[name]: states[name][i] for name in self.states}
            if self._own:
                own |= {"k_in": self._numbers[i], SIZES[None]: self._sizes[i]}
            key = tuple(own.values())
            if key not in known:
                known[key] = self._row({**given, **own})
            return known[key]

        return row

    def _row(self, environment: dict[str, float]) -> tuple[list[float], list[float]]:
        for value in self.lowered.step_values:
            environment[value.id] = _computed(value.expression, environment)
        entered = [environment[name] for name in self.lowered.entered.values()]
        return entered, [environment[self.lowered.after[name]] for name in self.states]


def _entered(knobs: Mapping[str, float]) -> dict[str, float]:
    return {f"{name}_in": float(value) for name, value in knobs.items()}


def _computed(node: Expression, environment: Mapping[str, float]) -> float:
    if isinstance(node, Number):
        return node.value
    if isinstance(node, Name):
        return environment[node.id]
    first, *rest = (_computed(argument, environment) for argument in node.arguments)
    length = product_length(node)
    if length is None:
        return float(OPERATIONS[node.op].meaning(first, *rest))
    multiply, product = OPERATIONS["mul"].meaning, first
    for _ in range(length - 1):
        product = multiply(product, first)
    return float(product)
