"""The check over a public collection, pytorch_optimizer, written as docs/conformance-collection.md. It knows no search.

python -m benchmarks.collection [--only AdaMod Lion] [--rows rows.jsonl] [--write docs/conformance-collection.md]

The package is no dependency: it has to be importable. Rows that are in the file of `--rows` are not run again.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from inspect import signature
from pathlib import Path
from typing import Any

import mhat
from benchmarks.field import reason, word
from mhat.checks.conformance import check
from mhat.checks.verdict import Verdict
from mhat.errors import MhatError
from mhat.names import find_subject

PACKAGE = "pytorch_optimizer"
SECONDS = 20.0
GROUPED = ("AdaGO", "AdaMuon", "Muon", "NorMuon")
DECOUPLED = {"weight_decouple": True}


@dataclass(frozen=True)
class Listed:
    """One optimizer of the collection and the rule that it is named after; `options` go to its constructor."""

    name: str
    rule: str
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def called(self) -> str:
        """Name it with what its constructor is given."""
        told = ", ".join(f"{name}={value}" for name, value in self.options.items())
        return f"`{self.name}`" + (f" ({told})" if told else "")


# What takes a model, a closure or a loss is not asked; nor is its AdamS, another optimizer than the rule `adams`.
LISTED = tuple(
    Listed(*each)
    for each in (
        ("AdaMod", "adamod"), ("A2Grad", "a2grad"), ("ADOPT", "adopt"), ("AccSGD", "accsgd"), ("AdEMAMix", "ademamix"),
        ("AdaBelief", "adabelief"), ("AdaBound", "adabound"), ("AdaDelta", "adadelta"), ("AdaFactor", "adafactor"),
        ("AdaGC", "adagc"), ("AdaGO", "adago"), ("AdaMax", "adamax"), ("AdaMuon", "adamuon"), ("AdaNorm", "adanorm"),
        ("AdaPNM", "adapnm"), ("Adai", "adai"), ("AdamG", "adamg"), ("AdamP", "adamp"),
        ("AdamW", "adamw"), ("Adan", "adan"), ("AggMo", "aggmo"), ("Aida", "aida"), ("Amos", "amos"), ("Ano", "ano"),
        ("AvaGrad", "avagrad"), ("BCOS", "bcos"), ("CAME", "came"), ("DAdaptAdam", "dadapt_adam"),
        ("DAdaptSGD", "dadapt_sgd"), ("DiffGrad", "diffgrad"), ("EXAdam", "exadam"), ("FAdam", "fadam"),
        ("FOCUS", "focus"), ("FTRL", "ftrl"), ("Fromage", "fromage"), ("GaLore", "galore"), ("Grams", "grams"),
        ("GrokFastAdamW", "grokfast"), ("Kate", "kate"), ("LARS", "lars"), ("LaProp", "laprop"), ("Lamb", "lamb"),
        ("Lion", "lion"), ("MADGRAD", "madgrad"), ("MARS", "mars"), ("MSVAG", "msvag"), ("Muon", "muon"),
        ("NAdam", "nadam"), ("Nero", "nero"), ("NorMuon", "normuon"), ("NovoGrad", "novograd"), ("PAdam", "padam"),
        ("PID", "pid"), ("PNM", "pnm"), ("Prodigy", "prodigy"), ("QHAdam", "qhadam", {"nus": (0.7, 1.0)}),
        ("QHM", "qhm"),
        ("RACS", "racs"), ("RAdam", "radam"), ("RMSprop", "rmsprop"), ("SCION", "scion"), ("SGD", "sgd"),
        ("SGDP", "sgdp"), ("SGDSaI", "sgd_sai"), ("SGDW", "sgdw"), ("SM3", "sm3"), ("SOAP", "soap"),
        ("SPlus", "splus"), ("ScheduleFreeAdamW", "schedule_free"), ("ScheduleFreeRAdam", "schedule_free_radam"),
        ("ScheduleFreeSGD", "schedule_free_sgd"), ("Shampoo", "shampoo"), ("SignSGD", "signum"),
        ("SimplifiedAdEMAMix", "simplified_ademamix"), ("StableAdamW", "stable_adamw"), ("Tiger", "tiger"),
        ("Yogi", "yogi"),
    )
)  # fmt: skip


def asked(listed: Listed, seconds: float = SECONDS) -> dict[str, Any]:
    """Check one in float64; give the cells of its row."""
    answer = answered(listed, seconds)
    diff = answer.diagnosis.diff if isinstance(answer, Verdict) and answer.diagnosis is not None else ""
    row = {"name": listed.called, "rule": listed.rule, "verdict": said(answer), "reason": why(answer), "diff": diff}
    return with_floor(listed, row) if row["verdict"] == "deviates" and not diff else row


def answered(listed: Listed, seconds: float) -> Verdict | MhatError:
    """Check one; an error is an answer too."""
    rule = mhat.rules.named(listed.rule)
    try:
        named = in_groups(listed.name) if listed.name in GROUPED else f"{PACKAGE}:{listed.name}"
        subject = find_subject(named, against=rule, options=listed.options, dtype="float64", in_process=True)
        return check(subject, rule, seconds=seconds)
    except MhatError as error:
        return error


def in_groups(name: str) -> type:
    """Give an optimizer that wants groups that say whether they are matrices, with all parameters in one that are."""
    original = getattr(import_module(PACKAGE), name)

    def begin(self: Any, params: Any, *rest: Any, **options: Any) -> None:
        original.__init__(self, [{"params": list(params), "use_muon": True}], *rest, **options)

    vars(begin)["__signature__"] = signature(original.__init__)
    return type(name, (original,), {"__init__": begin, "__module__": original.__module__})


def with_floor(listed: Listed, row: dict[str, Any]) -> dict[str, Any]:
    """Ask again with the package's 1e-15 under the root at 0: whether that alone is what deviates."""
    base = import_module(f"{PACKAGE}.base.optimizer").BaseOptimizer
    floored = [vars(base)[name].__func__ for name in ("apply_ams_bound", "apply_ams_bound_foreach")]
    before = [function.__defaults__ for function in floored]
    for function in floored:
        function.__defaults__ = (0.0,)
    try:
        eased = answered(listed, 1.0)
    finally:
        for function, defaults in zip(floored, before, strict=True):
            function.__defaults__ = defaults
    if said(eased) not in ("conforms", "dialect", "steps conform, a law is broken"):
        return row
    told = f"; besides, {why(eased)}" if only_laws(eased) else ""
    return {**row, "reason": f"1e-15 is added to the second moment under the root; without it the steps conform{told}"}


def only_laws(answer: Verdict | MhatError) -> bool:
    """Whether the steps are the rule's and only a law about its surroundings is broken."""
    return isinstance(answer, Verdict) and answer.deviation is None and bool(answer.broken)


def said(answer: Verdict | MhatError) -> str:
    """Say the verdict in a word or two."""
    return "steps conform, a law is broken" if only_laws(answer) and word(answer) == "deviates" else word(answer)


def why(answer: Verdict | MhatError) -> str:
    """Say why, in a cell of a table."""
    if not only_laws(answer) or not isinstance(answer, Verdict):
        return reason(answer)
    return "; ".join(f"{law.name}: {law.counterexample}" for law in answer.broken)


def page(rows: list[dict[str, Any]], day: str) -> str:
    """Write the page."""
    lines = [
        "# Conformance of a public collection",
        "",
        f"`python -m benchmarks.collection` runs `mhat check` over the optimizers of {PACKAGE} {version(PACKAGE)}",
        f"that have a rule here, in float64, with the options in brackets, and writes this page ({day}).",
        "What is not in the table was not run. *deviates* says that it is another rule than the paper's as mhat's",
        "library has it, and not that it is a worse one; a port may differ on purpose. The edit says what the rule",
        "would have to be. A *law* broken by a missing gradient: the count of steps belongs to the group, so that a",
        "tensor without a gradient for a while is corrected as though it had had one.",
        "",
        "; ".join(f"{word}: {sum(row['verdict'] == word for row in rows)}" for word in WORDS) + ".",
        "",
        "| optimizer | rule | verdict | reason |",
        "|---|---|---|---|",
        *(f"| {row['name']} | {row['rule']} | {row['verdict']} | {row['reason']} |" for row in rows),
        "",
        "## What is written otherwise",
        "",
    ]
    for row in rows:
        if row["diff"]:
            lines += [f"**{row['name']}** against {row['rule']}", "", "```diff", row["diff"], "```", ""]
    return "\n".join(lines).rstrip() + "\n"


WORDS = ("conforms", "dialect", "steps conform, a law is broken", "deviates", "could not run")


def main() -> None:
    """Run over what is asked for and not known yet."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, default=None, help="the page to write")
    parser.add_argument("--rows", type=Path, default=None, help="where rows are kept; those in it are not run again")
    parser.add_argument("--only", nargs="*", default=[listed.name for listed in LISTED], help="names to run")
    options = parser.parse_args()
    known = options.rows.read_text("utf-8").splitlines() if options.rows and options.rows.exists() else []
    rows = {row["name"]: row for row in map(json.loads, known)}
    for listed in LISTED:
        if listed.name in options.only and listed.called not in rows:
            began = time.process_time()
            row = rows[listed.called] = asked(listed)
            print(f"{listed.called:24} {row['verdict']:20} {time.process_time() - began:5.1f} s {row['reason'][:150]}")
            if options.rows is not None:
                with options.rows.open("a", encoding="utf-8") as kept:
                    kept.write(json.dumps(row) + "\n")
    if options.write is not None:
        ordered = [rows[listed.called] for listed in LISTED if listed.called in rows]
        options.write.write_text(page(ordered, datetime.now(UTC).date().isoformat()), "utf-8")


if __name__ == "__main__":
    main()
