"""Is every rule of the library found again among all others, as a stranger with changed knobs? It knows no search.

    python -m benchmarks.identify [RULE ...] [--sample N] [--hidden]

A rule is run under another name, its knobs changed: as keywords with other defaults, or with `--hidden` as numbers
that nobody is told. What `identify` answers is held against what it is. Another rule counts only where both are equal
with the knobs at hand: held against each other to 50 digits on random gradients. Seconds are of the processor.
"""

from __future__ import annotations

import argparse
import statistics
import time
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

import mhat
from mhat.checks.conformance import can_be_found, identify
from mhat.checks.oracle import expected
from mhat.checks.verdict import Verdict
from mhat.errors import MhatError
from mhat.language import Level, Rule
from mhat.search.observed import Probes
from mhat.subjects.rules import subject_of_rule
from mhat.subjects.subject import Subject

SECONDS = 20.0
STEPS, SIZE = 12, 3
# Two rules are equal where 50 digits tell the same double, or one of its neighbours.
EQUAL = 4e-16


@dataclass(frozen=True)
class Answer:
    """What was answered of a stranger: `fate` is right, equal, another, deviates or error."""

    rule: str
    fate: str
    said: str
    seconds: float


def changed(rule: Rule) -> dict[str, float]:
    """Change the knobs of a rule: none is special, none alike; what switches something off stays, as do counts."""
    counts = {name[1:] for name in rule.ranks}
    made: dict[str, float] = {}
    for place, (name, value) in enumerate(rule.knobs.items()):
        meaning = rule.meaning(name)
        if name in counts or value in (0.0, 1.0) or not np.isfinite(value):
            continue
        if value > 1 and float(value).is_integer():
            new = value + 2
        elif meaning.is_share and value >= 0.5:
            new = 1 - (1 - value) * (1.3 + 0.1 * place)
        else:
            new = value * (1.3 + 0.1 * place)
        try:
            rule.check_knobs({**made, name: float(f"{new:.3g}")})
        except MhatError:
            continue
        made[name] = float(f"{new:.3g}")
    return made


def stranger(rule: Rule, knobs: Mapping[str, float], *, hidden: bool) -> Subject:
    """Run a rule under another name, with other knobs."""
    inside = subject_of_rule(rule, "stranger")

    def drive(gradients: list[np.ndarray], starts: list[np.ndarray], told: dict[str, float]) -> list[np.ndarray]:
        return inside.drive(gradients, starts, {**knobs, **told})

    taken = frozenset[str]() if hidden else inside.knobs
    return replace(inside, drive=drive, knobs=taken, defaults={} if hidden else {**rule.knobs, **knobs}, source=None)


def answered(name: str, library: Sequence[Rule], *, hidden: bool = False, seconds: float = SECONDS) -> Answer:
    """Ask what a rule is, as a stranger."""
    rule = mhat.rules.named(name)
    knobs = changed(rule)
    before = time.process_time()
    try:
        verdict = identify(stranger(rule, knobs, hidden=hidden), library, seconds=seconds)
        fate = fate_of(rule, knobs, verdict)
        said = " ".join([verdict.against, *([f"({verdict.dialect})"] if verdict.dialect else [])])
    except MhatError as error:
        fate, said = "error", str(error).splitlines()[0]
    return Answer(name, fate, said, time.process_time() - before)


def fate_of(rule: Rule, knobs: Mapping[str, float], verdict: Verdict) -> str:
    """Say what an answer is worth."""
    if not verdict.conforms:
        return "deviates"
    if verdict.against == rule.name and verdict.dialect is None:
        return "right"
    other = mhat.rules.named(verdict.against)
    alike = {name: value for name, value in {**rule.knobs, **knobs}.items() if name in other.knobs}
    return "equal" if equal(rule, knobs, other, {**alike, **verdict.estimated}) else "another"


def equal(rule: Rule, knobs: Mapping[str, float], other: Rule, others: Mapping[str, float]) -> bool:
    """Whether two rules move alike to 50 digits, rounded once, on random gradients; rules per matrix are not asked."""
    if Level.MATRIX in (rule.level, other.level):
        return False
    rng = np.random.default_rng(7)
    probes = Probes(rng.normal(size=(1, STEPS, 1, SIZE)), rng.normal(size=(1, 1, SIZE)), {})
    paths = [expected(each, probes, each.settled(told)) for each, told in ((rule, knobs), (other, others))]
    return bool(np.allclose(*paths, rtol=EQUAL, atol=0.0))


def main() -> None:
    """Ask of the rules that are named, or of all."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rules", nargs="*", help="rules; all, if none is named")
    parser.add_argument("--sample", type=int, default=None, help="so many of them, by chance")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--hidden", action="store_true", help="knobs that nobody is told")
    options = parser.parse_args()
    library = [rule for rule in map(mhat.rules.named, mhat.rules.names()) if can_be_found(rule)]
    names = options.rules or [rule.name for rule in library]
    if options.sample is not None:
        chance = np.random.default_rng(options.seed)
        names = sorted(chance.choice(names, size=min(options.sample, len(names)), replace=False).tolist())
    answers = []
    for name in names:
        answers.append(answered(name, library, hidden=options.hidden))
        print(f"{name:20} {answers[-1].fate:9} {answers[-1].seconds:6.1f} s  {answers[-1].said}", flush=True)
    fates = [each.fate for each in answers]
    print(f"\n{len(fates)} rules: " + ", ".join(f"{fates.count(fate)} {fate}" for fate in dict.fromkeys(fates)))
    print(f"seconds of the processor: median {statistics.median(each.seconds for each in answers):.1f}")


if __name__ == "__main__":
    main()
