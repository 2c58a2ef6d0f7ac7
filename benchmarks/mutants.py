"""Is the check itself checked: every single-edit mutant of every rule of the library is caught. It knows no search.

    python -m benchmarks.mutants [RULE ...] [--dtype float32] [--plain] [--hidden] [--list]

A mutant is driven with the streams, starts and knobs that the check drives a subject with, and caught if it strays
from the rule beyond the derived bound. What is not caught there is given to the first stage of the check itself.
What passes is a dialect, or equal to the rule, or a survivor: `--list` says of each which and why.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import numpy as np

import mhat
from mhat import dtypes
from mhat.checks.conformance import conforming
from mhat.checks.oracle import bound, expected
from mhat.checks.question import Question
from mhat.language import Rule
from mhat.language.definition import of_tree
from mhat.language.tree import Tree
from mhat.mistakes import edits_of
from mhat.mistakes.dialects import dialects_of
from mhat.mistakes.slots import Edit, assembled
from mhat.search.evaluator import Evaluator
from mhat.search.matching import update_scale
from mhat.search.observed import Observed, Probes
from mhat.subjects.subject import Subject

Array = np.ndarray[Any, Any]
DTYPES = ("float64", "float32")
# Two rules are equal where 50 digits, rounded once, tell the same double, or one of its neighbours.
EQUAL = 4e-16
# Why an edit of a kind may change nothing; that it does not is computed.
REASONS = {
    "abs added": "what loses its sign is never negative, or only its square is read",
    "sign": "only the square of what changes its sign is read",
    "one step": "what is left out is zero at that step",
    "first seeds": "what is stored at the first step is what is there",
    "moved": "neither line reads the other",
    "in turn": "the parts do not read each other",
    "twice": "the second time changes nothing",
    "graft": "another name of the same value",
    "name": "another name of the same value, or of one that is compared alike",
    "skipped at zero": "without gradient it would not move",
    "factor added": "a positive factor changes no sign",
    "term moved": "a sum in another order",
}
# Knobs at which equality is asked: none of them special and no two alike, and no decay, which is a case of its own.
ELSEWHERE = (
    {"lr": 0.013, "beta1": 0.83, "beta2": 0.957, "beta3": 0.71, "eps": 0.0041, "weight_decay": 0.17, "momentum": 0.77,
     "rho": 0.61, "nu1": 0.37, "nu2": 0.83, "momentum_decay": 0.019, "final_lr": 0.23, "gamma": 0.031},
    {"lr": 0.79, "beta1": 0.31, "beta2": 0.63, "beta3": 0.93, "eps": 0.37, "weight_decay": 0.029, "momentum": 0.43,
     "rho": 0.87, "nu1": 0.71, "nu2": 0.59, "momentum_decay": 0.41, "final_lr": 0.019, "gamma": 0.47},
    {"lr": 0.11, "beta1": 0.957, "beta2": 0.9931, "beta3": 0.977, "eps": 1.3e-7, "weight_decay": 0.61,
     "momentum": 0.917, "rho": 0.973, "nu1": 0.93, "nu2": 0.23, "momentum_decay": 0.0071, "final_lr": 0.71,
     "gamma": 0.0017},
    {"weight_decay": 0.0},
)  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """A rule with one edit, and what became of it: caught, dialect, equal, survivor; `why` says more."""

    rule: str
    sentence: str
    operator: str
    fate: str
    why: str = ""


@dataclass(frozen=True)
class Run:
    """One run of the check: what a mutant is given, what the rule gives, and how far an honest subject may lie."""

    evaluator: Evaluator
    exact: Array
    limit: Array

    def caught(self, tree: Tree) -> bool:
        """Whether a mutant strays; a tree that cannot run does."""
        try:
            for i, x in enumerate(self.evaluator.steps(tree)):
                exact = self.exact[i]
                near = (np.abs(x - exact) <= self.limit[i]) | (x == exact) | (np.isnan(x) & np.isnan(exact))
                if not (near | np.isinf(self.limit[i])).all():
                    return True
        except (KeyError, ValueError, TypeError):
            return True
        return False


def subject_of_tree(tree: Tree, dtype: str, hidden: bool = False) -> Subject:
    """Make a subject of a mutant that takes a start and every knob, or with `hidden` none of them."""

    def drive(gradients: list[Array], start: list[Array], knobs: dict[str, float]) -> list[Array]:
        stream = np.stack(gradients, axis=1)[None].astype(dtype)
        made = Evaluator(Probes(stream, np.stack(start)[None].astype(dtype), knobs)).run(tree)
        return [made[:, 0, k].astype(np.float64) for k in range(len(gradients))]

    knobs = {knob.name: knob.default for knob in tree.knobs}
    return Subject(
        tree.name, drive, frozenset() if hidden else frozenset(knobs), several=True, starts=not hidden, dtype=dtype,
        defaults=knobs,
    )  # fmt: skip


def runs_of(rule: Rule, dtype: str, hidden: bool = False) -> list[Run]:
    """List the runs that the check drives a subject with, the short ones first."""
    question = Question(subject_of_tree(rule.tree, dtype, hidden), rule)
    return [run for observed in (question.searched, question.fresh) for run in _split(rule, observed, dtype)]


def _split(rule: Rule, observed: Observed, dtype: str) -> Iterator[Run]:
    """Take the probes apart, since numbers for knobs keep float32 what it is and arrays of them do not."""
    probes = observed.probes
    exact = expected(rule, probes, {})
    limit = bound(rule, probes, {}, exact, dtype)
    for i in range(len(probes.gradients)):
        knobs = {name: float(np.ravel(v)[i if np.size(v) > 1 else 0]) for name, v in probes.knobs.items()}
        own = Probes(probes.gradients[i : i + 1].astype(dtype), probes.start[i : i + 1].astype(dtype), knobs)
        yield Run(Evaluator(own), exact[:, i : i + 1], limit[:, i : i + 1])


def judged(rule: Rule, edits: Sequence[Edit], dtype: str, hidden: bool = False) -> Iterator[Mutant]:
    """Say what becomes of each mutant."""
    runs = runs_of(rule, dtype, hidden)
    spoken = list(_in_dialect(rule, runs))
    elsewhere = Elsewhere(rule)
    for edit in edits:
        tree = assembled(rule.tree, dict(edit.changes))
        if tree is None:
            continue
        with np.errstate(all="ignore"):
            caught = any(run.caught(tree) for run in runs)
            heard = next((name for name, own in spoken if caught and not any(run.caught(tree) for run in own)), "")
        if heard:
            fate, why = "dialect", heard
        else:
            fate, why = ("caught", "") if caught else _passed(rule, tree, dtype, hidden, elsewhere)
        yield Mutant(rule.name, edit.sentence, edit.operator, fate, why)


def _in_dialect(rule: Rule, runs: Sequence[Run]) -> Iterator[tuple[str, list[Run]]]:
    """Give the same runs for each dialect: what the check takes for one strays from the rule and not from that."""
    for chosen, form in dialects_of(rule):
        own = [replace(run, exact=run.evaluator.run(form.tree)) for run in runs]
        yield "; ".join(dialect.name for dialect in chosen), own


def _passed(rule: Rule, tree: Tree, dtype: str, hidden: bool, elsewhere: Elsewhere) -> tuple[str, str]:
    """Say of a mutant that the bound does not catch what the check says of it, and if that is right."""
    known = conforming(Question(subject_of_tree(tree, dtype, hidden), rule))
    if known is None:
        return "caught", ""
    if known[0]:
        return "dialect", "; ".join(dialect.name for dialect in known[0])
    apart = elsewhere.apart(tree)
    if apart <= EQUAL:
        return "equal", "the same to 50 digits at other knobs, starts and gradients"
    ulps = apart / dtypes.DTYPES[dtype].epsilon
    return "survivor", f"{apart:.1e} of the update at other knobs, {ulps:.2g} ulps of {dtype}"


class Elsewhere:
    """The rule on 50 digits at knobs, starts and gradients that the check does not use: equality is asked there."""

    def __init__(self, rule: Rule) -> None:
        self.probes = [_elsewhere(rule, i, knobs) for i, knobs in enumerate(ELSEWHERE)]
        self.exact = [expected(rule, probes, {}) for probes in self.probes]

    def apart(self, tree: Tree) -> float:
        """Give the largest difference of a mutant from the rule, as a share of the update; infinite if one is NaN."""
        largest = 0.0
        for probes, exact in zip(self.probes, self.exact, strict=True):
            made = expected(of_tree(tree), replace(probes, knobs=dict(probes.knobs)), {})
            with np.errstate(all="ignore"):
                share = np.abs(made - exact) / update_scale(exact, probes.base)
                share = np.where((made == exact) | (np.isnan(made) & np.isnan(exact)), 0.0, share)
            largest = max(largest, float(np.max(np.nan_to_num(share, nan=np.inf))))
        return largest


def _elsewhere(rule: Rule, seed: int, knobs: dict[str, float]) -> Probes:
    """Make gradients with zeros first and between, ties, opposite signs and far scales, for two tensors."""
    rng = np.random.Generator(np.random.PCG64([seed, 2027]))
    stream = rng.normal(size=(24, 2, 6)) * 10.0 ** np.array([0, 0, -3, 2, -6, 0])
    stream[rng.uniform(size=stream.shape) < 0.2] = 0.0
    stream[:2, :, 1] = 0.0
    stream[:3, 1] = 0.0
    stream[:, :, 5] = rng.integers(-1, 2, size=(24, 2))
    start = rng.normal(size=(1, 2, 6))
    start[0, 0, 0] = 0.0
    return Probes(stream[None], start, {name: knobs.get(name, value) for name, value in rule.knobs.items()})


def mutants_of(name: str, dtype: str, plain: bool = False, hidden: bool = False) -> list[Mutant]:
    """Judge the single-edit mutants of one rule of the library."""
    warnings.simplefilter("ignore")
    rule = mhat.rules.named(name)
    edits = edits_of(rule.tree)
    return list(judged(rule, edits.plain if plain else edits.all, dtype, hidden))


def _work(job: tuple[str, str, bool, bool]) -> list[Mutant]:
    return mutants_of(*job)


def row(name: str, dtype: str, mutants: Sequence[Mutant]) -> str:
    """Print what became of a rule's mutants."""
    counts = Counter(mutant.fate for mutant in mutants)
    told = "".join(f"{counts[fate]:>9}" for fate in ("caught", "dialect", "equal", "survivor"))
    return f"{name:18} {dtype:8} {len(mutants):8}{told}"


def remarks(mutants: Sequence[Mutant], every: bool = False) -> Iterator[str]:
    """Say of the mutants that pass which and why; equal ones are counted by their reason unless `every` is wanted."""
    for mutant in mutants:
        if mutant.fate in ("survivor", "dialect") or (every and mutant.fate == "equal"):
            yield f"{mutant.fate}: {mutant.sentence}: {mutant.why}"
    kinds = Counter(mutant.operator for mutant in mutants if mutant.fate == "equal")
    for operator, count in kinds.items():
        yield f"equal ({count}, {operator}): {REASONS.get(operator, 'what it changes is not read, or read alike')}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run over the library; 1 if a mutant survives in float64."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*", metavar="RULE", help="the rules (all)")
    parser.add_argument("--dtype", choices=DTYPES, action="append", help="the arithmetic of the mutants (both)")
    parser.add_argument("--plain", action="store_true", help="the plain edits alone")
    parser.add_argument("--hidden", action="store_true", help="mutants that take neither knobs nor a start")
    parser.add_argument("--list", action="store_true", help="list every mutant that passes, equal ones too")
    options = parser.parse_args(arguments)
    dtypes = options.dtype or DTYPES
    jobs = [(name, dtype, options.plain, options.hidden)
            for name in options.rules or mhat.rules.names() for dtype in dtypes]  # fmt: skip
    print(f"{'rule':18} {'dtype':8} {'mutants':>8}{'caught':>9}{'dialect':>9}{'equal':>9}{'survivor':>9}")
    everything: dict[str, list[Mutant]] = {dtype: [] for dtype in dtypes}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        for (name, dtype, *_), mutants in zip(jobs, pool.map(_work, jobs), strict=True):
            everything[dtype] += mutants
            print(row(name, dtype, mutants), flush=True)
            print("".join(f"    {line}\n" for line in remarks(mutants, options.list)), end="", flush=True)
    for dtype, mutants in everything.items():
        print(row("all", dtype, mutants))
    return int(any(mutant.fate == "survivor" for mutant in everything.get("float64", [])))


if __name__ == "__main__":
    sys.exit(main())
