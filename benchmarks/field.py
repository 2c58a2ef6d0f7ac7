"""The check over the real optimizers of torch, optax and Keras, written as docs/conformance.md. It knows no search.

python -m benchmarks.field [--write docs/conformance.md]
"""

from __future__ import annotations

import argparse
import json
import os
import warnings
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mhat
from mhat.checks.conformance import check
from mhat.checks.verdict import Verdict
from mhat.errors import MhatError
from mhat.names import find_subject

SECONDS = 60.0
HEAVY = {"momentum": 0.9}
DECOUPLED = {"decoupled_weight_decay": True, "weight_decay": 0.01}

DATA = Path(mhat.rules.__file__).with_name("field.py")
DATA_HEAD = '''"""What torch, optax and Keras make of a rule, in a word: plain data, written with its page."""

from collections.abc import Mapping

FIELD: Mapping[str, Mapping[str, str]] = {'''


@dataclass(frozen=True)
class Entry:
    """One optimizer of a framework and the rule it claims to be; `knobs` are held, `options` go to its constructor.

    Whatever is held or switched off is an exemption from the check, so `why` gives the reason for it.
    """

    framework: str
    name: str
    rule: str
    options: dict[str, Any] = field(default_factory=dict)
    knobs: dict[str, float] = field(default_factory=dict)
    why: str = ""

    @property
    def spec(self) -> str:
        """What names it on the command line."""
        home = {"torch": "torch.optim", "optax": "optax", "keras": "keras.optimizers"}[self.framework]
        return f"{home}:{self.name}"


def _all(framework: str, *pairs: tuple[Any, ...]) -> tuple[Entry, ...]:
    return tuple(Entry(framework, *pair) for pair in pairs)


TWO_EPS = "optax has an eps beside the root and one under it, the rule one eps; both are held at their default"
ONE_CHANGE = "eps_root, which the rule has not, is 0, and so is the decay, so that one difference is seen at a time"
ENTRIES = (
    *_all(
        "torch",
        ("SGD", "sgd"), ("SGD", "sgd", {"fused": True}), ("SGD", "momentum", {}, HEAVY),
        ("SGD", "momentum", {"foreach": True}, HEAVY), ("SGD", "nesterov", {"nesterov": True}, HEAVY),
        ("Adagrad", "adagrad"), ("Adagrad", "adagrad", {"fused": True}), ("Adadelta", "adadelta"),
        ("RMSprop", "rmsprop"), ("RMSprop", "rmsprop_centered", {"centered": True}),
        ("Adam", "adam", {"foreach": False}), ("Adam", "adam", {"foreach": True}), ("Adam", "adam", {"fused": True}),
        ("Adam", "amsgrad", {"amsgrad": True}), ("AdamW", "adamw"), ("AdamW", "adamw", {"fused": True}),
        ("Adamax", "adamax"), ("NAdam", "nadam"), ("RAdam", "radam"),
        ("Adam", "adam_l2", {"weight_decay": 0.01}), ("NAdam", "nadamw", DECOUPLED), ("RAdam", "radamw", DECOUPLED),
        ("RMSprop", "rmsprop_momentum", {}, HEAVY), ("Rprop", "rprop"), ("ASGD", "asgd"), ("Adafactor", "adafactor"),
        ("Muon", "muon"), ("Muon", "muon_moonlight", {"adjust_lr_fn": "match_rms_adamw"}),
    ),
    *_all(
        "optax",
        ("sgd", "sgd"), ("sgd", "momentum", {}, HEAVY), ("sgd", "nesterov", {"nesterov": True}, HEAVY),
        ("sign_sgd", "signsgd"), ("signum", "signum"), ("adagrad", "adagrad"), ("adadelta", "adadelta"),
        ("rmsprop", "rmsprop"), ("rmsprop", "rmsprop_centered", {"centered": True}), ("adam", "adam"),
        ("adamw", "adamw"), ("adamax", "adamax"), ("nadam", "nadam"), ("amsgrad", "amsgrad"), ("radam", "radam"),
        ("adabelief", "adabelief", {}, {"eps": 1e-16}, TWO_EPS), ("yogi", "yogi"),
        ("adan", "adan", {"eps_root": 0.0}, {"weight_decay": 0.0}, ONE_CHANGE), ("contrib.adopt", "adopt"),
        ("lion", "lion"), ("lamb", "lamb"), ("contrib.ademamix", "ademamix"),
        ("contrib.simplified_ademamix", "simplified_ademamix"), ("novograd", "novograd"), ("lars", "lars"),
        ("fromage", "fromage"), ("rprop", "rprop"), ("contrib.madgrad", "madgrad"),
        ("contrib.acprop", "acprop", {}, {"eps": 1e-16}, TWO_EPS), ("contrib.dog", "dog"), ("contrib.dowg", "dowg"),
        ("contrib.prodigy", "prodigy"), ("sm3", "sm3"), ("optimistic_gradient_descent", "optimistic"),
        ("nadamw", "nadamw"), ("rmsprop", "rmsprop_momentum", {}, HEAVY), ("contrib.muon", "muon"),
        ("contrib.schedule_free_sgd", "schedule_free_sgd"), ("contrib.schedule_free_adamw", "schedule_free"),
    ),
    *_all(
        "keras",
        ("SGD", "sgd"), ("SGD", "momentum", {}, HEAVY), ("SGD", "nesterov", {"nesterov": True}, HEAVY),
        ("Adagrad", "adagrad"), ("Adadelta", "adadelta"), ("RMSprop", "rmsprop"),
        ("RMSprop", "rmsprop_centered", {"centered": True}), ("Adam", "adam"), ("Adam", "amsgrad", {"amsgrad": True}),
        ("AdamW", "adamw"), ("Adamax", "adamax"), ("Nadam", "nadam"), ("Lion", "lion"), ("Lamb", "lamb"),
        ("Ftrl", "ftrl"), ("Adafactor", "adafactor"), ("Muon", "muon_moonlight"),
        ("RMSprop", "rmsprop_momentum", {}, HEAVY),
    ),
)  # fmt: skip
FRAMEWORKS = ("torch", "optax", "keras")
# What was found out besides, and is held by tests/frameworks.
FINDINGS = {
    "optax:rprop": "step 1 does not move, and step t makes the move of step t - 1: it is one step late",
    "optax:adan": "the change is averaged with b2 and weighed with 1 - b2; the paper weighs it with b2 in these terms",
    "optax:contrib.madgrad": "the root of the step is float32 whatever the parameters are: to 1e-7 it is the rule",
}


def answered(entry: Entry, dtype: str, seconds: float = SECONDS) -> Verdict | MhatError:
    """Check one entry; an error is an answer too."""
    rule = mhat.rules.named(entry.rule)
    try:
        options_told = {**entry.options, **entry.knobs}
        # Here: the frameworks are trusted, and imported once.
        subject = find_subject(entry.spec, against=rule, options=options_told, dtype=dtype, in_process=True)
        held = {name: value for name, value in entry.knobs.items() if name in rule.knobs}
        return check(subject, rule, seconds=seconds, knobs=held)
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


Row = tuple[Entry, dict[str, Verdict | MhatError]]


def called(entry: Entry) -> str:
    """Name an entry with what its constructor is given."""
    options = ", ".join(f"{name}={value}" for name, value in {**entry.options, **entry.knobs}.items())
    return f"`{entry.spec}`" + (f" ({options})" if options else "")


def by_rule(rows: list[Row]) -> dict[str, dict[str, str]]:
    """Give a word for each rule and framework, the least good one where an optimizer has several forms."""
    order = ("conforms", "dialect", "deviates", "could not run")
    found: dict[tuple[str, str], str] = {}
    for entry, answers in rows:
        for said in map(word, answers.values()):
            key = (entry.rule, entry.framework)
            found[key] = max(found.get(key, said), said, key=order.index)
    rules = sorted({entry.rule for entry, _ in rows})
    return {rule: {each: found[rule, each] for each in FRAMEWORKS if (rule, each) in found} for rule in rules}


def data(found: dict[str, dict[str, str]]) -> str:
    """Write the module that `mhat rules` reads this from."""
    lines = [f'    "{rule}": {json.dumps(words)},' for rule, words in found.items()]
    return "\n".join([DATA_HEAD, *lines, "}\n"])


def overview(rows: list[Row]) -> list[str]:
    """Set the table framework by rule."""
    found = by_rule(rows)
    cells = (" | ".join([rule, *(words.get(each, "") for each in FRAMEWORKS)]) for rule, words in found.items())
    return [f"| rule | {' | '.join(FRAMEWORKS)} |", "|---|---|---|---|", *(f"| {line} |" for line in cells)]


def details(rows: list[Row]) -> list[str]:
    """Set what is written otherwise by what does not conform as written: the diff, and why something was held."""
    lines = []
    for entry, answers in rows:
        diffs = [a.diagnosis.diff for a in answers.values() if isinstance(a, Verdict) and a.diagnosis is not None]
        if diffs:
            lines += [f"**{called(entry)}** against {entry.rule}", "", "```diff", diffs[0], "```", ""]
    return lines


def page(rows: list[Row]) -> str:
    """Write the page."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "optax", "jax", "keras"))
    lines = [
        "# Conformance of the field",
        "",
        "`make conformance` runs `mhat check` over the optimizers of other libraries, in float64 and float32, and",
        f"writes this page ({versions}; Keras on JAX).",
        "A *dialect* is a documented other form of the rule; *deviates* says that it is another rule than its",
        "paper's, as mhat's library has it, and not that it is a worse one. Knobs and starts are varied where they",
        "are taken; what is in brackets was held.",
        "",
        *overview(rows),
        "",
        "| optimizer | rule | float64 | float32 | reason |",
        "|---|---|---|---|---|",
    ]
    for entry, answers in rows:
        reasons = list(dict.fromkeys(filter(None, (reason(answer) for answer in answers.values()))))
        reasons += [f"held: {entry.why}"] if entry.why else []
        reasons += [f"finding: {FINDINGS[entry.spec]}"] if entry.spec in FINDINGS else []
        words = " | ".join(word(answers[dtype]) for dtype in ("float64", "float32"))
        lines.append(f"| {called(entry)} | {entry.rule} | {words} | {'<br>'.join(reasons)} |")
    return "\n".join([*lines, "", "## What is written otherwise", "", *details(rows)]).rstrip() + "\n"


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
        if not options.only:
            DATA.write_text(data(by_rule(rows)), "utf-8")


if __name__ == "__main__":
    main()
