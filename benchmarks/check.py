"""How good the check is: all cases driven through it, and every answer verified anew. It knows no search.

    python -m benchmarks.check [WILD.jsonl] [--seconds 45] [--only ID ...] [--json]
    python -m benchmarks.check --outside first second      # the tables of slips in cases/outside

A mistake is named right if the answer reproduces the subject on streams that the check has not seen and has no
more edits than the truth; a wrong name is an answer that does not reproduce it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np

import mhat
from benchmarks.cases import CASES, MORE, WILD, check_ids
from benchmarks.cases.case import Case
from benchmarks.cases.outside import SETS, outside_cases
from mhat.checks.conformance import check
from mhat.checks.gradients import drive, fresh, tensors_of
from mhat.checks.verdict import Verdict
from mhat.dtypes import DTYPES
from mhat.errors import MhatError
from mhat.language import Rule
from mhat.search.matching import Matcher, loose_bound
from mhat.subjects.functions import subject_of_function
from mhat.subjects.subject import Subject

SHARED = Path(__file__).parents[2] / "shared" / "cases" / "wild.jsonl"
# Seeds that the check itself does not use, and more steps than it looks at.
SEEDS = (101, 102)
STEPS = 60
MARGIN = 20


@dataclass(frozen=True)
class Outcome:
    """What became of one case.

    `verdict`: conforms, dialect, named, wrong (a name or a knob that does not reproduce the subject), unnamed, failed.
    `good`: None where the contract cannot express the case.
    """

    id: str
    kind: str
    deviations: int
    verdict: str
    good: bool | None
    edits: int
    seconds: float
    said: tuple[str, ...]
    computed: float = 0.0  # seconds of processors, of all threads
    read: bool = False  # whether the answer was found by reading

    @property
    def line(self) -> str:
        """Give the outcome in a line."""
        mark = {True: "good", False: "BAD ", None: "  - "}[self.good]
        took = f"{'read' if self.read else '':4} {self.seconds:5.1f} s {self.computed:5.1f} s"
        return f"{mark} {self.id:34} {self.verdict:9} {took}  {'; '.join(self.said)[:150]}"


def rule_of(case: Case) -> Rule:
    """Give the rule that a case claims to be."""
    return mhat.rule(case.against) if "(" in case.against else mhat.rules.named(case.against)


def reproduced(subject: Subject, rule: Rule, held: dict[str, float], verdict: Verdict) -> bool:
    """Whether what a verdict says does what the subject does, on streams that nobody has seen."""
    meant = rule if verdict.diagnosis is None else verdict.diagnosis.rule
    knobs = verdict.knobs if verdict.diagnosis is None else verdict.diagnosis.knobs
    low, high = DTYPES[subject.dtype].usual
    streams = []
    for seed in SEEDS:
        stream = fresh(STEPS, seed, tensors_of(subject))
        streams.append(np.where(stream == 0, 0.0, np.sign(stream) * np.clip(np.abs(stream), low, high)))
    observed = drive(subject, rule, held, streams, odd=False)
    matcher = Matcher(observed, MARGIN * loose_bound(observed, subject.dtype))
    return matcher.agreed(meant.tree, knobs) == STEPS


def judged(case: Case, seconds: float) -> Outcome:
    """Check one case and judge the answer; a check that fails is an outcome too."""
    rule = rule_of(case)
    held = {name: value for name, value in case.knobs.items() if name in rule.knobs}
    return _judged(
        case, lambda: subject_of_function(case.subject, case.id, rule.knobs, case.dtype), rule, held, seconds
    )


def judged_outside(name: str, case_id: str, seconds: float) -> Outcome:
    """Check one case of a table and judge the answer."""
    found = next(case for case in outside_cases(name) if case.id == case_id)
    rule = mhat.rules.named(found.rule)
    case = Case(f"{name}:{found.id}", "bug", found.rule, lambda: None, found.told, "", len(found.slips))
    return _judged(case, found.subject, rule, found.told, seconds)


def _judged(case: Case, made: Callable[[], Subject], rule: Rule, held: dict[str, float], seconds: float) -> Outcome:
    began, computed = time.monotonic(), time.process_time()
    try:
        subject = made()
        verdict = check(subject, rule, seconds=seconds, knobs=held)
    except MhatError as error:
        good = None if case.truth is None else False
        took = time.monotonic() - began
        return Outcome(case.id, case.kind, case.deviations, "failed", good, 0, took, (str(error).split("\n")[0],))
    took, computed = time.monotonic() - began, time.process_time() - computed
    answers = verdict.conforms or verdict.diagnosis is not None
    right = answers and reproduced(subject, rule, held, verdict)
    found = verdict.diagnosis
    edits = 0 if found is None else len(found.edits)
    said = (() if found is None else found.sentences) + tuple(f"{k}={v:g}" for k, v in verdict.estimated.items())
    good = None if case.truth is None else is_good(case, verdict, right)
    word = word_of(verdict, right)
    return Outcome(case.id, case.kind, case.deviations, word, good, edits, took, said, computed, found is not None and bool(found.places))


def word_of(verdict: Verdict, right: bool) -> str:
    """Say a verdict in a word."""
    if verdict.conforms:
        return "wrong" if not right else "dialect" if verdict.dialect else "conforms"
    if verdict.diagnosis is None:
        return "unnamed"
    return "named" if right else "wrong"


def is_good(case: Case, verdict: Verdict, right: bool) -> bool:
    """Whether an answer is as good as can be asked for; `right`: it reproduces the subject.

    A mistake that comes to another value of a knob is named by the estimate of it.
    """
    if case.deviations == 0:
        return verdict.conforms and right
    if verdict.conforms and verdict.diagnosis is None:
        return right and bool(verdict.estimated)
    return right and verdict.diagnosis is not None and len(verdict.diagnosis.edits) <= case.deviations


def _work(job: tuple[str, float]) -> Outcome:
    warnings.simplefilter("ignore")
    table, _, rest = job[0].partition(":")
    if table in SETS:
        return judged_outside(table, rest, job[1])
    return judged(next(case for case in CASES if case.id == job[0]), job[1])


def outcomes(ids: Sequence[str], seconds: float) -> Iterator[Outcome]:
    """Check cases one after the other, each in a process of its own, so that none profits from another."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        yield from pool.map(_work, [(name, seconds) for name in ids])


def figures(found: Sequence[Outcome]) -> dict[str, Any]:
    """Count what the outcomes come to."""
    told = [o for o in found if o.good is not None]
    rows = {"correct forms that pass": [o for o in told if o.kind == "correct"]}
    for word, low, high in (("one deviation", 1, 1), ("two", 2, 2), ("three or more", 3, 99)):
        rows[f"mistakes named right, {word}"] = [o for o in told if o.kind == "bug" and low <= o.deviations <= high]
    rows["documented variants named right"] = [o for o in told if o.kind == "variant"]
    counted: dict[str, Any] = {
        name: f"{sum(bool(o.good) for o in some)} of {len(some)}" for name, some in rows.items() if some
    }
    for word, low, high in (("one deviation", 1, 1), ("two", 2, 2), ("three or more", 3, 99)):
        some = [o for o in told if o.kind == "bug" and low <= o.deviations <= high and o.read]
        if some:
            times = [o.seconds for o in some]
            took = f"{statistics.median(times):.1f} s, at most {max(times):.1f} s"
            counted[f"by reading, {word}"] = f"{sum(bool(o.good) for o in some)} of {len(some)} in {took}"
    for name, some in (
        ("false alarms", [o for o in found if o.kind == "correct" and o.verdict in ("named", "unnamed", "failed")]),
        ("wrong names", [o for o in found if o.verdict == "wrong"]),
        ("more edits than the truth", [o for o in told if o.good is False and o.verdict == "named"]),
        ("mistakes without a name", [o for o in told if o.kind != "correct" and o.verdict == "unnamed"]),
        ("mistakes that pass", [o for o in told if o.good is False and o.kind == "bug" and o.verdict == "conforms"]),
        ("not expressible, not counted", [o for o in found if o.good is None]),
    ):
        counted[name] = " ".join([str(len(some)), *(o.id for o in some)])
    times = [o.seconds for o in found]
    counted["median and worst time"] = f"{statistics.median(times):.1f} s, {max(times):.1f} s"
    times = [o.computed for o in found]
    counted["of processors"] = f"{statistics.median(times):.1f} s, {max(times):.1f} s"
    return counted


def chosen(wild: Path | None, only: Sequence[str], tables: Sequence[str] = ()) -> list[str]:
    """List the ids to run: the cases of the file, all of which must be written here, and our own; or those named."""
    if tables:
        listed = [f"{table}:{case.id}" for table in tables for case in outside_cases(table)]
        return [name for name in listed if not only or name in only]
    if wild is not None:
        check_ids(wild)
    ids = [case.id for case in (*WILD, *MORE)]
    for name in only:
        if name not in ids:
            raise ValueError(f"there is no case {name}")
    return list(only) or ids


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line; 1 if there is a false alarm or a wrong name."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wild", type=Path, nargs="?", help="the list of wild cases, to see that each is written here")
    parser.add_argument("--seconds", type=float, default=45.0, help="how long to search for each mistake")
    parser.add_argument("--only", nargs="*", default=(), metavar="ID", help="the cases to run (all)")
    parser.add_argument("--outside", nargs="*", default=(), choices=SETS, help="the tables of slips to run instead")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    wild = options.wild or (SHARED if SHARED.exists() else None)
    try:
        ids = chosen(wild, options.only, options.outside)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    found = []
    for outcome in outcomes(ids, options.seconds):
        found.append(outcome)
        if not options.json:
            print(outcome.line, flush=True)
    counted = figures(found)
    if options.json:
        print(json.dumps({"cases": [asdict(o) for o in found], "figures": counted}, indent=2))
    else:
        print("\n".join(f"{name:36} {value}" for name, value in counted.items()))
    alarm = any(o.verdict == "wrong" or (o.kind == "correct" and o.good is False) for o in found)
    return int(alarm)


if __name__ == "__main__":
    sys.exit(main())
