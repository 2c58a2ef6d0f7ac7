"""Are records judged right, however they were logged? It knows no file: the runs are made, and written down, in NumPy.

    python -m benchmarks.records [--seeds 3]

Right runs of Adam and AdamW under a schedule, with groups, begun before, with and without a start, in few digits; and
wrong ones, logged alike. A false alarm is a right run that is said to deviate, an excuse a wrong one that conforms.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import time
from typing import Any

import numpy as np

import mhat
from mhat.checks.recorded import check_record
from tests.checks.recorded_runs import TURN, adam, record

CIRCUMSTANCES: dict[str, dict[str, Any]] = {
    "plain": {},
    "other knobs": {"rates": 2.7e-3, "beta2": 0.983},
    "decay": {"decay": 0.1},
    "groups": {"decay": np.array([0.1, 0.1, 0.0, 0.1, 0.0])},
    "warm-up": {"rates": np.minimum(1, (TURN + 1) / 12) * 1e-3},
    "cosine": {"rates": 5e-4 * (1 + np.cos(np.pi * TURN / 70))},
    "drop": {"rates": np.where(TURN < 25, 1e-3, 1e-4)},
    "begun before": {"warm": 150},
}
WRONG: dict[str, dict[str, Any]] = {
    "t is one ahead": {"off": 1},
    "no corrections": {"corrected": False},
    "v begins at one": {"v0": 1.0},
    "the count begins again": {"again": 16},
    "the state is lost": {"lost": 16},
    "decay through the gradient": {"decay": 0.1, "coupled": True},
}
WAYS: tuple[dict[str, Any], ...] = ({}, {"start": False}, {"digits": 9}, {"digits": 7}, {"digits": 7, "start": False})


def main() -> int:
    """Print what comes of every run, and the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    seeds = range(1, parser.parse_args().seeds + 1)
    bad, taken = {True: 0, False: 0}, {True: list[float](), False: list[float]()}
    for right, cases in ((True, CIRCUMSTANCES), (False, WRONG)):
        for (name, circumstances), way, seed in itertools.product(cases.items(), WAYS, seeds):
            rule = mhat.rules.adamw if "decay" in circumstances else mhat.rules.adam
            began = time.process_time()
            verdict = check_record(record(adam(**circumstances, seed=seed), **way), rule, seconds=2)
            taken[right].append(time.process_time() - began)
            if verdict.conforms is not right:
                bad[right] += 1
                print(
                    f"{'false alarm' if right else 'excused'}: {name}, {way}, seed {seed}: {'; '.join(verdict.notes)}"
                )
    for right, called, wrong in ((True, "right", "false alarms"), (False, "wrong", "excused")):
        times = taken[right]
        print(
            f"{len(times)} {called} runs: {bad[right]} {wrong}; "
            f"{np.median(times):.1f} s of computing, at most {max(times):.1f}"
        )
    return 1 if any(bad.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
