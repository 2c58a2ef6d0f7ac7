"""The check over the real optimizers of torch, optax and Keras, written as docs/conformance.md. It knows no search.

python -m benchmarks.field [--write docs/conformance.md]
"""

from __future__ import annotations

import argparse
import os
import warnings
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mhat
from mhat.bridges.find import find_subject
from mhat.checks.conformance import check
from mhat.checks.verdict import Verdict
from mhat.errors import MhatError

SECONDS = 20.0
HEAVY = {"momentum": 0.9}


@dataclass(frozen=True)
class Entry:
    """One optimizer of a framework and the rule it claims to be; `knobs` are held, `options` go to its constructor.

    optax.adabelief has two knobs where the rule has one eps, so that one is held at the default of both.
    """

    framework: str
    name: str
    rule: str
    options: dict[str, Any] = field(default_factory=dict)
    knobs: dict[str, float] = field(default_factory=dict)

    @property
    def spec(self) -> str:
        """What names it on the command line."""
        home = {"torch": "torch.optim", "optax": "optax", "keras": "keras.optimizers"}[self.framework]
        return f"{home}:{self.name}"


def _all(framework: str, *pairs: tuple[Any, ...]) -> tuple[Entry, ...]:
    return tuple(Entry(framework, *pair) for pair in pairs)


ENTRIES = (
    *_all(
        "torch",
        ("SGD", "sgd"), ("SGD", "momentum", {}, HEAVY), ("SGD", "nesterov", {"nesterov": True}, HEAVY),
        ("Adagrad", "adagrad"), ("Adadelta", "adadelta"), ("RMSprop", "rmsprop"),
        ("RMSprop", "rmsprop_centered", {"centered": True}), ("Adam", "adam"), ("Adam", "adam", {"foreach": True}),
        ("Adam", "adam", {"fused": True}), ("Adam", "amsgrad", {"amsgrad": True}), ("AdamW", "adamw"),
        ("Adamax", "adamax"), ("NAdam", "nadam"), ("RAdam", "radam"),
    ),
    *_all(
        "optax",
        ("sgd", "sgd"), ("sgd", "momentum", {}, HEAVY), ("sgd", "nesterov", {"nesterov": True}, HEAVY),
        ("sign_sgd", "signsgd"), ("adagrad", "adagrad"), ("adadelta", "adadelta"), ("rmsprop", "rmsprop"),
        ("rmsprop", "rmsprop_centered", {"centered": True}), ("adam", "adam"), ("adamw", "adamw"),
        ("adamax", "adamax"), ("nadam", "nadam"), ("amsgrad", "amsgrad"), ("radam", "radam"),
        ("adabelief", "adabelief", {}, {"eps": 1e-16}), ("yogi", "yogi"), ("adan", "adan"), ("lion", "lion"),
        ("lamb", "lamb"),
    ),
    *_all(
        "keras",
        ("SGD", "sgd"), ("SGD", "momentum", {}, HEAVY), ("SGD", "nesterov", {"nesterov": True}, HEAVY),
        ("Adagrad", "adagrad"), ("Adadelta", "adadelta"), ("RMSprop", "rmsprop"),
        ("RMSprop", "rmsprop_centered", {"centered": True}), ("Adam", "adam"), ("Adam", "amsgrad", {"amsgrad": True}),
        ("AdamW", "adamw"), ("Adamax", "adamax"), ("Nadam", "nadam"), ("Lion", "lion"), ("Lamb", "lamb"),
    ),
)  # fmt: skip


def answered(entry: Entry, dtype: str, seconds: float = SECONDS) -> Verdict | MhatError:
    """Check one entry; an error is an answer too."""
    rule = mhat.rules.named(entry.rule)
    try:
        subject = find_subject(entry.spec, against=rule, options={**entry.options, **entry.knobs}, dtype=dtype)
        held = {name: value for name, value in entry.knobs.items() if name in rule.knobs}
        options: dict[str, Any] = {"seconds": seconds, **held}
        return check(subject, rule, **options)
    except MhatError as error:
        return error


def word(answer: Verdict | MhatError) -> str:
    """Say an answer in a word."""
    if isinstance(answer, MhatError):
        return "could not run"
    return ("dialect" if answer.dialect else "conforms") if answer.conforms else "deviates"


def reason(answer: Verdict | MhatError) -> str:
    """Say why, in a cell of a table."""
    if isinstance(answer, MhatError):
        return answer.what
    told = [f"with {name}={value:g}" for name, value in answer.estimated.items()]
    if answer.conforms:
        return "; ".join([*([answer.dialect] if answer.dialect else []), *told])
    if answer.diagnosis is not None:
        told = [*answer.diagnosis.sentences, *told]
    elif answer.nearest is not None:
        told = ["no edit that was tried explains it", *(f"nearest: {s}" for s in answer.nearest.sentences)]
    if answer.deviation is not None:
        gradients = ", ".join(f"{g:.3g}" for g in answer.deviation.gradients[:6])
        told.append(f"first seen at step {answer.deviation.step} with gradients {gradients}")
    return "; ".join(told).replace("|", "/")


def page(rows: list[tuple[Entry, dict[str, Verdict | MhatError]]]) -> str:
    """Write the page."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "optax", "jax", "keras"))
    lines = [
        "# Conformance of the field",
        "",
        "`make conformance` runs `mhat check` over the optimizers of other libraries and writes this page",
        f"({versions}; Keras on JAX).",
        "A *dialect* is a documented other form of the rule; *deviates* says that it is another rule than its",
        "paper's, as mhat's library has it, and not that it is a worse one.",
        "",
        "| optimizer | rule | float64 | float32 | reason |",
        "|---|---|---|---|---|",
    ]
    for entry, answers in rows:
        options = ", ".join(f"{name}={value}" for name, value in {**entry.options, **entry.knobs}.items())
        name = f"`{entry.spec}`" + (f" ({options})" if options else "")
        reasons = list(dict.fromkeys(filter(None, (reason(answer) for answer in answers.values()))))
        words = " | ".join(word(answers[dtype]) for dtype in ("float64", "float32"))
        lines.append(f"| {name} | {entry.rule} | {words} | {'<br>'.join(reasons)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Run over all entries."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", type=Path, default=None, help="the page to write")
    parser.add_argument("--only", default="", help="a framework")
    options = parser.parse_args()
    os.environ.setdefault("KERAS_BACKEND", "jax")
    rows = []
    for entry in ENTRIES:
        if options.only in ("", entry.framework):
            answers = {dtype: answered(entry, dtype) for dtype in ("float64", "float32")}
            rows.append((entry, answers))
            said = {dtype: word(answer) for dtype, answer in answers.items()}
            print(f"{entry.spec:30} {entry.rule:18} {said} {reason(answers['float64'])[:110]}", flush=True)
    if options.write is not None:
        options.write.write_text(page(rows), "utf-8")


if __name__ == "__main__":
    main()
