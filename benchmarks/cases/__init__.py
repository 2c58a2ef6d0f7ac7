"""Optimizers as people write them, each with what it claims to be and what it really computes.

`WILD` are the cases of shared/cases/wild.jsonl, written as code; `MORE`, whose ids begin so, are further ones of kinds
that are not in it; `CASES` are both, a module a family. A subject is run(gradients, start=0.0) -> parameters.
"""

from __future__ import annotations

import json
from pathlib import Path

from benchmarks.cases import (
    adam,
    correct,
    correction,
    counter,
    decay,
    denominators,
    eps,
    kin,
    moments,
    momentum,
    sign,
    single,
    squares,
    state,
    tensors,
    written_back,
)
from benchmarks.cases.case import Case

__all__ = ["CASES", "MORE", "WILD", "Case", "check_ids"]

CASES: tuple[Case, ...] = tuple(
    case
    for module in (
        adam, correct, correction, counter, decay, denominators, eps, kin, moments, momentum, sign, single, squares,
        state, tensors, written_back,
    )
    for case in module.CASES
)  # fmt: skip
MORE = tuple(case for case in CASES if case.id.startswith("more-"))
WILD = tuple(case for case in CASES if case not in MORE)


def check_ids(path: Path) -> None:
    """Check that `WILD` has the ids and kinds of the file, each once; raises ValueError."""
    listed = {entry["id"]: entry["kind"] for entry in map(json.loads, path.read_text().splitlines())}
    written = [(case.id, case.kind) for case in WILD]
    if sorted(written) != sorted(listed.items()):
        raise ValueError(f"not the cases of {path}: {sorted(set(written) ^ set(listed.items()))}")
    if len({case.id for case in CASES}) != len(CASES):
        raise ValueError("two cases have the same id")
