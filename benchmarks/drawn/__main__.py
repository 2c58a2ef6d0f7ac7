"""How many slips of a text are named right where it can be read, by their number: drawn anew by a seed.

    python -m benchmarks.drawn [--each 40] [--seed 1] [--seconds 45] [--show]

A slip is made in a right optimizer's text by exchanging or dropping something, and counts if what is computed changes
with it. It is named right if the answer does what the text does on streams that nobody has seen, with no more edits.
"""

from __future__ import annotations

import argparse
import collections
import random
import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import mhat
from benchmarks.check import reproduced
from benchmarks.drawn.made import Slip, drawn, slipped
from benchmarks.drawn.originals import ORIGINALS
from mhat.checks.conformance import check
from mhat.errors import MhatError
from mhat.language import Rule
from mhat.names import find_subject
from mhat.subjects.subject import Subject

KINDS = {1: "one", 2: "two", 3: "three", 4: "four"}


@dataclass(frozen=True)
class Outcome:
    """What became of one text: named, passed, wrong, unnamed or failed; `lines`: each wrong line is shown, no other."""

    slips: int
    verdict: str
    good: bool
    read: bool
    lines: bool | None
    seconds: float
    said: str


def texts(each: int, seed: int, folder: Path) -> Iterator[tuple[Rule, Path, str, str, list[Slip]]]:
    """Yield texts made wrong, so many of each number of slips."""
    rng = random.Random(seed)
    number = 0
    for many in KINDS:
        made = 0
        while made < each:
            name, called, text = ORIGINALS[rng.randrange(len(ORIGINALS))]
            found = drawn(text, many, rng)
            if found is None:
                continue
            number += 1
            path = folder / f"slip{seed}_{number}.py"
            if _counts(mhat.rules.named(name), called, text, found, folder, number):
                path.write_text(found[0])
                made += 1
                yield mhat.rules.named(name), path, called, text, found[1]


def _counts(rule: Rule, called: str, text: str, found: tuple[str, list[Slip]], folder: Path, number: int) -> bool:
    """Whether a text runs, and computes something else with each of its slips."""
    made, chosen = found
    own = _run(rule, called, made, folder / f"t{number}_0.py")
    if own is None or not np.isfinite(own).all() or np.abs(own).max() > 1e6:
        return False
    for i in range(len(chosen)):
        without = slipped(text, chosen[:i] + chosen[i + 1 :])
        other = None if without is None else _run(rule, called, without, folder / f"t{number}_{i + 1}.py")
        if other is None or np.allclose(own, other, rtol=1e-7, atol=1e-13):
            return False
    return True


def _subject(rule: Rule, path: Path, called: str) -> Subject:
    found = find_subject(f"{path}:{called}", against=rule, in_process=True)
    assert isinstance(found, Subject)
    return found


def _run(rule: Rule, called: str, text: str, path: Path) -> np.ndarray | None:  # type: ignore[type-arg]
    path.write_text(text)
    rng = np.random.default_rng(7)
    gradients = rng.normal(size=12) * np.where(np.arange(12) == 4, 10.0, 1.0)
    try:
        subject = _subject(rule, path, called)
        return np.asarray(subject.run(gradients, 0.5 if subject.starts else 0.0))
    except (MhatError, ArithmeticError, TypeError, ValueError):
        return None


def outcome(rule: Rule, path: Path, called: str, text: str, chosen: list[Slip], seconds: float) -> Outcome:
    """Check one text."""
    began = time.process_time()
    try:
        subject = _subject(rule, path, called)
        verdict = check(subject, rule, seconds=seconds)
    except MhatError as error:
        return Outcome(len(chosen), "failed", False, False, None, time.process_time() - began, error.what)
    took = time.process_time() - began
    found = verdict.diagnosis
    right = (verdict.conforms or found is not None) and reproduced(subject, rule, {}, verdict)
    few = found is None or len(found.edits) <= len(chosen)
    word = "passed" if verdict.conforms else "unnamed" if found is None else "named" if right else "wrong"
    read = found is not None and bool(found.places)
    shown = {line for line, _ in found.lines} if found is not None else set()
    lines = shown == {slip.line for slip in chosen} if found is not None and found.lines else None
    said = "; ".join(found.sentences) if found is not None else ""
    return Outcome(len(chosen), word, right and few and word in ("named", "passed"), read, lines, took, said)


def main() -> None:
    """Draw, check, and print the shares."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=45.0)
    parser.add_argument("--show", action="store_true", help="print every text that was not named right")
    options = parser.parse_args()
    done = []
    with tempfile.TemporaryDirectory() as folder:
        for rule, path, called, text, chosen in texts(options.each, options.seed, Path(folder)):
            each = outcome(rule, path, called, text, chosen, options.seconds)
            done.append(each)
            mark = "good" if each.good else "BAD "
            where = "read" if each.read else "    "
            told = f"{each.seconds:5.1f} s  {each.said[:160]}"
            print(f"{mark} {each.slips} {each.verdict:8} {where} {rule.name:10} {told}", flush=True)
            if options.show and not each.good:
                wrong = path.read_text().splitlines()
                for line in sorted({slip.line for slip in chosen}):
                    print(f"       {text.splitlines()[line - 1].strip()}\n     > {wrong[line - 1].strip()}")
    print()
    for many, word in KINDS.items():
        own = [each for each in done if each.slips == many]
        if not own:
            continue
        counts = collections.Counter(each.verdict for each in own)
        read = [each for each in own if each.read]
        shown = [each.lines for each in own if each.lines is not None]
        times = [each.seconds for each in own]
        print(
            f"{word:6} {sum(e.good for e in own):4} of {len(own)} named right; by reading "
            f"{sum(e.good for e in read)} of {len(read)}; wrong names {counts['wrong']}, none {counts['unnamed']}, "
            f"failed {counts['failed']}; lines "
            f"exact {sum(map(bool, shown))} of {len(shown)}; median {statistics.median(times):.1f} s, "
            f"worst {max(times):.1f} s"
        )
    sys.exit(int(any(each.verdict == "wrong" for each in done)))


if __name__ == "__main__":
    main()
