"""How often does `check --fix` lead to a passing check? Slips in many styles, alone and together. It knows no search.

    python -m benchmarks.fix [--deviations 1] [--sample N] [--styles NAME ...] [--seconds 45] [--files FOLDER]

Each file is written to a folder of its own, checked, and where the mistake is named, mended; the change is then written
and checked once more, as a user would.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np

import mhat
from benchmarks.fixes import STYLES
from benchmarks.fixes.style import Style
from mhat.errors import MhatError

SEED = 5


@dataclass(frozen=True)
class Outcome:
    """What became of one file: conforms, unnamed, named, fixed, failed; the seconds of the check and of the fix."""

    case: str
    word: str
    check: float
    fix: float
    said: str

    @property
    def line(self) -> str:
        """Give it in a line."""
        return f"{self.word:9} {self.case:44} {self.check:5.1f} s {self.fix:5.1f} s  {self.said[:140]}"


def cases(styles: Sequence[Style], deviations: int) -> Iterator[tuple[Style, tuple[int, ...]]]:
    """Yield the ways to make so many slips."""
    for style in styles:
        for chosen in combinations(range(len(style.slips)), deviations):
            if style.slipped(chosen) is not None:
                yield style, chosen


def judged(style: Style, chosen: tuple[int, ...], seconds: float) -> Outcome:
    """Check a file, mend it, and check it again."""
    case = f"{style.name}: {', '.join(map(str, chosen))}"
    text = style.slipped(chosen)
    assert text is not None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mine.py")
        path.write_text(text, "utf-8")
        told = {"against": style.against, "feed": style.feed, "read": style.read, "seconds": seconds}
        named = f"{path}:{style.subject}" if style.subject else str(path)
        began = time.monotonic()
        try:
            verdict = mhat.check(named, **told, fix=True, write=True)  # type: ignore[arg-type]
            took = time.monotonic() - began
            if verdict.conforms:
                return Outcome(case, "conforms", took, 0.0, verdict.dialect or str(verdict.estimated))
            said = "" if verdict.diagnosis is None else "; ".join(verdict.diagnosis.sentences)
            if verdict.diagnosis is None or verdict.fix is None:
                return Outcome(case, "unnamed", took, 0.0, said)
            mending = verdict.fix.seconds
            if not verdict.fix.found:
                return Outcome(case, "named", took - mending, mending, f"{said} | {verdict.fix.tried} tried")
            passes = mhat.check(named, **told).conforms  # type: ignore[arg-type]
            change = [line for line in verdict.fix.diff.splitlines()[2:] if line[0] in "+-"]
            return Outcome(case, "fixed" if passes else "WRONG", took - mending, mending, " ".join(change))
        except MhatError as error:
            return Outcome(case, "failed", time.monotonic() - began, 0.0, str(error).split("\n")[0])


def figures(found: Sequence[Outcome]) -> dict[str, str]:
    """Count what the outcomes come to."""
    by_word = {
        word: [one for one in found if one.word == word] for word in ("fixed", "named", "unnamed", "failed", "WRONG")
    }
    named = len(by_word["fixed"]) + len(by_word["named"]) + len(by_word["WRONG"])
    seconds = [one.fix for one in by_word["fixed"]] or [0.0]
    share = f"{100 * len(by_word['fixed']) / named:.0f}%" if named else "-"
    return {
        "fixed, of the named": f"{len(by_word['fixed'])} of {named} ({share})",
        "without a name; could not be run": f"{len(by_word['unnamed'])}; {len(by_word['failed'])}",
        "fixes that do not pass when written": str(len(by_word["WRONG"])),
        "median and worst time of a fix": f"{statistics.median(seconds):.1f} s, {max(seconds):.1f} s",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark from the command line; 1 if a fix does not pass."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--deviations", type=int, default=1, help="how many slips a file has")
    parser.add_argument("--sample", type=int, help="so many files, by chance (all)")
    parser.add_argument("--styles", nargs="*", default=(), metavar="NAME", help="of these styles alone")
    parser.add_argument("--seconds", type=float, default=45.0, help="how long to search, for the mistake and the fix")
    options = parser.parse_args(arguments)
    styles = [style for style in STYLES if not options.styles or style.name in options.styles]
    chosen = list(cases(styles, options.deviations))
    if options.sample is not None and options.sample < len(chosen):
        rng = np.random.Generator(np.random.PCG64(SEED))
        chosen = [chosen[i] for i in sorted(rng.choice(len(chosen), options.sample, replace=False))]
    found = []
    for style, slips in chosen:
        found.append(judged(style, slips, options.seconds))
        print(found[-1].line, flush=True)
    counted = figures(found)
    print("\n".join(f"{name:38} {value}" for name, value in counted.items()))
    return int(any(one.word == "WRONG" for one in found))


if __name__ == "__main__":
    sys.exit(main())
