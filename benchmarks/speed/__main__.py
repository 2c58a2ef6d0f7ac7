"""Every figure of the speed, printed as a table; what each is and how it is taken stands in benchmarks/README.md.

python -m benchmarks.speed [--only WORK ...] [--quick] [--json] [--ours CANDIDATE]
"""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
import time
import warnings
from collections.abc import Sequence

import numba
import torch

from benchmarks.speed import accuracy, cold, denormals, matrices, small, steps, torch_steps, traces
from benchmarks.speed.harness import NOT_SLOWER, Figure, Plan, Work, at_least
from mhat.terminal import facts, pages

WORKS: dict[str, Work] = {
    "step-1e6": steps.step_of(1_000_000, at_least(1.2)),
    "step-1e7": steps.step_of(10_000_000, NOT_SLOWER),
    "step-1e8": steps.step_of(100_000_000, NOT_SLOWER, main=True),
    "resnet50": steps.step_resnet50,
    "gpt2": steps.step_gpt2,
    "small-1000": small.tensors(1000),
    "small-10000": small.tensors(10_000),
    "bfloat16": steps.bfloat16_moments,
    "clipped": steps.clipping,
    "lamb": steps.lamb,
    "torch-fresh": torch_steps.small(kept=False),
    "torch-kept": torch_steps.small(kept=True),
    "torch-resnet18": torch_steps.resnet18_shapes,
    "torch-training": torch_steps.training,
    "muon": matrices.muon,
    "soap": matrices.soap,
    "shampoo": matrices.shampoo,
    "denormals": denormals.fading,
    "accuracy": accuracy.errors,
    "trace-one": traces.one_coordinate,
    "trace-many": traces.many_coordinates,
    "trace-sweep": traces.many_settings,
    "cold-lesson": cold.lesson,
    "cold-kernel": cold.kernel,
}
THREADS = 2
QUICK = Plan(repeats=3, lasting=0.0, shrink=1000)
HEADER = ("work", "ours", "against", "takes", "ratio", "spread", "what is divided", "aim", "reached")


def run(names: Sequence[str], plan: Plan) -> list[Figure]:
    """Run works, one after the other, and free the memory in between."""
    found: list[Figure] = []
    for name in names:
        start = time.perf_counter()
        found += WORKS[name](plan)
        gc.collect()
        print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    return found


def hold_threads() -> None:
    """Hold every candidate to two threads: no library finds more processors than that."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    torch.set_num_threads(THREADS)
    numba.set_num_threads(min(THREADS, numba.get_num_threads()))


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=WORKS, default=list(WORKS), metavar="WORK", help=", ".join(WORKS))
    parser.add_argument("--quick", action="store_true", help="a thousandth of the size, three turns: does it run?")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--ours", default="mhat", metavar="CANDIDATE", help="what is compared with the others [mhat]")
    given = parser.parse_args(arguments)
    hold_threads()
    warnings.filterwarnings("ignore", category=UserWarning)
    logging.getLogger("torch").setLevel(logging.ERROR)
    plan = QUICK if given.quick else Plan()
    figures = run(given.only, Plan(plan.repeats, plan.lasting, plan.shrink, given.ours))
    if given.json:
        pages.say(facts.as_json([figure.facts() for figure in figures]))
    elif figures:
        if given.quick:
            pages.say(
                "A quick run, a thousandth of the sizes: it says whether all of it runs, and nothing of the speed."
            )
        pages.show(pages.grid([figure.line for figure in figures], HEADER))


if __name__ == "__main__":
    main()
