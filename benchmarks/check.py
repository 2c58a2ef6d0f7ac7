"""How good the check is: all cases driven through it, and every answer verified anew. It knows no search.

    python -m benchmarks.check [--seconds 45] [--only ID ...] [--json]

A mistake is named right if the answer reproduces the subject on streams that the check has not seen and has no
more edits than the truth; a wrong name is an answer that does not reproduce it.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context

import mhat
from benchmarks.cases import MORE, WILD
from benchmarks.cases.case import Case
from mhat.bridges.functions import subject_of_function
from mhat.checks.conformance import check
from mhat.checks.matching import Matcher, loose_bound
from mhat.checks.probes import drive, fresh, tensors_of
from mhat.checks.subjects import Subject
from mhat.checks.verdict import Diagnosis, Verdict
from mhat.language import Rule

# Seeds that the check itself does not use.
SEEDS = (101, 102)
STEPS = 60


@dataclass(frozen=True)
class Outcome:
    """What became of one case."""

    id: str
    kind: str
    deviations: int
    verdict: str  # conforms, dialect, named, wrong, unnamed
    good: bool | None  # None: the contract cannot express the case
    edits: int
    seconds: float
    sentences: tuple[str, ...]


def rule_of(case: Case) -> Rule:
    """Give the rule that a case claims to be."""
    return mhat.rule(case.against) if "(" in case.against else mhat.rules.named(case.against)


def reproduced(subject: Subject, rule: Rule, held: dict[str, float], diagnosis: Diagnosis) -> bool:
    """Whether a diagnosis does what the subject does on streams that nobody has seen."""
    streams = [fresh(STEPS, seed, tensors_of(subject)) for seed in SEEDS]
    observed = drive(subject, rule, held, streams, odd=False)
    matcher = Matcher(observed, 20 * loose_bound(observed, subject.dtype))
    return matcher.agreed(diagnosis.rule.tree, diagnosis.knobs) == STEPS


def judged(case: Case, seconds: float) -> Outcome:
    """Check one case and judge the answer."""
    warnings.simplefilter("ignore")
    rule = rule_of(case)
    held = {name: value for name, value in case.knobs.items() if name in rule.knobs}
    began = time.monotonic()
    subject = subject_of_function(case.subject, case.id, rule.knobs, case.dtype)
    verdict = check(subject, rule, seconds=seconds, **held)
    took = time.monotonic() - began
    found = verdict.diagnosis
    right = found is not None and reproduced(subject, rule, held, found)
    word = "wrong" if found is not None and not right else "named" if found is not None else "unnamed"
    if verdict.conforms:
        word = "dialect" if verdict.dialect else "conforms"
    edits = len(found.edits) if found is not None else 0
    good = None if case.truth is None else is_good(case, verdict, right)
    sentences = found.sentences if found is not None else ()
    return Outcome(case.id, case.kind, case.deviations, word, good, edits, took, sentences)


def is_good(case: Case, verdict: Verdict, right: bool) -> bool:
    """Whether an answer is as good as can be asked for."""
    if case.kind == "correct" or case.deviations == 0:
        return verdict.conforms
    if verdict.conforms and verdict.diagnosis is None:
        return bool(verdict.estimated)
    return right and verdict.diagnosis is not None and len(verdict.diagnosis.edits) <= case.deviations


def _work(job: tuple[str, float]) -> Outcome:
    return judged(next(case for case in (*WILD, *MORE) if case.id == job[0]), job[1])


def outcomes(ids: list[str], seconds: float) -> Iterator[Outcome]:
    """Check cases, two at a time."""
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_work, [(name, seconds) for name in ids])


def figures(found: list[Outcome]) -> dict[str, str]:
    """Count what the outcomes come to."""
    told = [o for o in found if o.good is not None]
    rows = {"correct forms that pass": [o for o in told if o.kind == "correct"]}
    for word, low, high in (("one deviation", 1, 1), ("two", 2, 2), ("three or more", 3, 99)):
        rows[f"mistakes named right, {word}"] = [o for o in told if o.kind == "bug" and low <= o.deviations <= high]
    rows["documented variants named right"] = [o for o in told if o.kind == "variant"]
    counted = {name: f"{sum(bool(o.good) for o in some)} of {len(some)}" for name, some in rows.items() if some}
    counted["wrong names"] = str(sum(o.verdict == "wrong" for o in found))
    counted["median and worst time"] = (
        f"{statistics.median(o.seconds for o in found):.1f} s, {max(o.seconds for o in found):.1f} s"
    )
    return counted


def main() -> None:
    """Run the benchmark from the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=45.0, help="how long to search for each mistake")
    parser.add_argument("--only", nargs="*", default=None, help="the cases to run (all)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args()
    found = []
    for outcome in outcomes(options.only or [case.id for case in (*WILD, *MORE)], options.seconds):
        found.append(outcome)
        if not options.json:
            mark = {True: "good", False: "BAD ", None: "  - "}[outcome.good]
            said = "; ".join(outcome.sentences)[:150]
            print(f"{mark} {outcome.id:34} {outcome.verdict:9} {outcome.seconds:5.1f} s  {said}", flush=True)
    if options.json:
        print(json.dumps({"cases": [asdict(o) for o in found], "figures": figures(found)}, indent=2))
    else:
        print("\n".join(f"{name:36} {value}" for name, value in figures(found).items()))


if __name__ == "__main__":
    main()
