"""Does each subject compute what its truth says? Run `python -m benchmarks.cases.verify [wild.jsonl]`.

The truth is evaluated by a walk over its tree in NumPy, which shares nothing with the engines but the
parser. A difference is measured against the largest parameter or update so far.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.cases import CASES, Case, check_ids
from mhat import rules
from mhat.language import Expression, Name, Number, Rule, rule

Array = np.ndarray[Any, np.dtype[np.float64]]
Environment = dict[str, Any]

STEPS = 40
SHAPES = ((3,), (2, 2), (1,), (2,))
# RAdam's rho_t is a small difference of large numbers: it loses four digits, and not the same ones on every processor.
TOLERANCE = {"float64": 1e-10, "float32": 3e-5, "float16": 3e-2}

BINARY: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "floordiv": np.floor_divide,
    "mod": np.mod, "pow": np.power, "neg": np.negative, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal, "and": np.logical_and, "or": np.logical_or,
    "not": np.logical_not, "where": np.where, "sqrt": np.sqrt, "cbrt": np.cbrt, "abs": np.abs, "sign": np.sign,
    "exp": np.exp, "log": np.log, "minimum": np.minimum, "maximum": np.maximum, "clip": np.clip, "atan2": np.arctan2,
    "tanh": np.tanh, "round": np.round, "largest": np.max, "size": np.size,
    "sum": np.sum, "mean": np.mean, "norm": lambda a: np.sqrt(np.sum(a * a)),
}  # fmt: skip


def value(node: Expression, environment: Environment, peers: list[Environment]) -> Any:
    """Compute an expression of one tensor; `peers` are all tensors, for reductions over all."""
    if isinstance(node, Number):
        return np.float64(node.value)
    if isinstance(node, Name):
        return environment[node.id]
    if node.over == "all":
        parts = [np.ravel(value(node.arguments[0], peer, peers)) for peer in peers]
        return BINARY[node.op](np.concatenate(parts))
    return BINARY[node.op](*[value(argument, environment, peers) for argument in node.arguments])


def run_rule(truth: Rule, gradients: list[Array], start: float, knobs: dict[str, float]) -> list[Array]:
    """Run a rule on several tensors in lockstep and give the parameters after each step."""
    tree, several = truth.tree, len(gradients)
    environments: list[Environment] = []
    for k, stream in enumerate(gradients, start=1):
        own: Environment = {name: np.float64(v) for name, v in {**truth.knobs, **knobs}.items()}
        own |= {
            "x": np.full(stream.shape[1:], float(start)),
            "g": stream[0],
            "k": np.float64(k),
            "n": np.float64(several),
        }
        own |= {s.name: value(s.start, own, [own]) + np.zeros(stream.shape[1:]) for s in tree.states}
        environments.append(own)
    parameters = [np.empty_like(stream) for stream in gradients]
    for i in range(len(gradients[0])):
        for own, stream in zip(environments, gradients, strict=True):
            own |= {"g": stream[i], "t": np.float64(i + 1)}
        for line in tree.body:
            values = [value(line.value, own, environments) for own in environments]
            for own, new in zip(environments, values, strict=True):
                own[line.targets[0]] = new
        values = [value(tree.result, own, environments) for own in environments]
        for own, new, kept in zip(environments, values, parameters, strict=True):
            own["x"] = kept[i] = new
    return parameters


@cache
def streams(tensors: int) -> dict[str, list[Array]]:
    """Give the gradients a case is verified on: a list of one array for each tensor."""
    random = np.random.Generator(np.random.PCG64(20))
    shapes = SHAPES[:tensors]
    steps = np.arange(STEPS)

    def ramped(factor: Array) -> list[Array]:
        return [factor.reshape(-1, *[1] * len(s)) * random.uniform(0.5, 2.0, s) * np.ones((STEPS, *s)) for s in shapes]

    sparse = [random.standard_normal((STEPS, *s)) * (random.random((STEPS, *s)) < 0.4) for s in shapes]
    return {
        "normal": [random.standard_normal((STEPS, *s)) for s in shapes],
        "positive": [random.uniform(0.1, 1.0, (STEPS, *s)) for s in shapes],
        "constant": ramped(np.full(STEPS, 10.0)),
        "alternating": ramped(np.where(steps % 2 == 0, 1.0, -0.7)),
        "small": ramped(1e-6 * np.cos(steps)),
        "zeros": sparse,
    }


def difference(case: Case, truth: Rule, start: float, enough: float = np.inf) -> float:
    """Find the largest difference of subject and truth, by scale; infinite if not finite in different places.

    The search stops at a difference above `enough`.
    """
    worst = 0.0
    for given in streams(case.tensors or 1).values():
        found = case.subject(given if case.tensors else given[0], start=start)
        found = found if case.tensors else [found]
        knobs = {name: knob for name, knob in case.knobs.items() if name in truth.knobs}
        with np.errstate(all="ignore"):
            expected = run_rule(truth, given, start, knobs)
            for ours, theirs in zip(found, expected, strict=True):
                worst = max(worst, _by_scale(np.asarray(ours, np.float64), theirs))
        if worst > enough:
            break
    return worst


def _by_scale(ours: Array, theirs: Array) -> float:
    same = (ours == theirs) | (np.isnan(ours) & np.isnan(theirs))
    if np.any(np.isfinite(ours) != np.isfinite(theirs)) or np.any(~np.isfinite(ours) & ~same):
        return float("inf")
    size = np.maximum.accumulate(np.abs(np.where(np.isfinite(theirs), theirs, 0.0)), axis=0)
    gap = np.where(same, 0.0, np.abs(np.where(same, 0.0, ours) - np.where(same, 0.0, theirs)))
    return float(np.max(gap / np.maximum(size, 1e-300), initial=0.0))


def problems(case: Case) -> list[str]:
    """List what is wrong with a case: subject and truth differ, or the truth does not fit its kind."""
    found = []
    claim = rules.named(case.against) if case.against in rules.names() else rule(case.against)
    if unknown := set(case.knobs) - set(claim.knobs):
        found.append(f"knobs {unknown} are not of the claimed rule")
    if case.truth is None:
        if not case.inexpressible:
            found.append("neither a truth nor a reason")
        with np.errstate(all="ignore"):
            for given in streams(case.tensors or 1).values():
                case.subject(given if case.tensors else given[0])
        return found
    truth, bound = rule(case.truth), TOLERANCE[case.dtype]
    gaps = [difference(case, truth, start) for start in (0.0, 0.5)]
    if max(gaps) > bound:
        found.append(f"subject and truth differ by {gaps[0]:.1e} from 0, by {gaps[1]:.1e} from 0.5")
    if case.deviations and not any(difference(case, claim, start, enough=bound) > bound for start in (0.5, 0.0)):
        found.append("the subject does not deviate from its claim on these streams")
    return found


def main(arguments: list[str]) -> int:
    """Verify all cases, print what is wrong and the counts; 1 if something is wrong."""
    if arguments:
        check_ids(Path(arguments[0]))
    wrong = {case.id: found for case in CASES if (found := problems(case))}
    for name, found in wrong.items():
        print(f"{name}: {'; '.join(found)}")
    kinds = Counter((case.kind, case.deviations if case.truth else "no truth") for case in CASES)
    for (kind, deviations), count in sorted(kinds.items(), key=str):
        print(f"{kind:8} {deviations!s:>9} {count:4}")
    print(f"{len(CASES)} cases, {len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
