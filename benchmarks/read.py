"""How much can be read: of the cases, of torch, of NumPy in many styles. It knows nothing of how a subject is read.

python -m benchmarks.read [--only NAME ...] [--show] [--set cases styles torch optax wrong real]
"""

from __future__ import annotations

import argparse
import collections
import statistics
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mhat
from benchmarks.cases import CASES
from benchmarks.styles import STYLES
from mhat.errors import MhatError
from mhat.names import find_subject
from mhat.reading.reading import Reading, read

ROOT = Path(__file__).parents[1]
SETS = ("cases", "styles", "torch", "optax", "wrong", "real")
TORCH = (
    "SGD", "Adagrad", "Adadelta", "RMSprop", "Adam", "AdamW", "Adamax", "NAdam", "RAdam", "ASGD", "Rprop",
)  # fmt: skip
OPTAX = (
    "sgd", "adam", "adamw", "adagrad", "adadelta", "rmsprop", "adamax", "nadam", "radam", "lion", "amsgrad", "yogi",
    "adabelief", "lamb", "novograd", "sign_sgd",
)  # fmt: skip
# Public conventions (`shared/`), with what is fed and read in a script.
REAL: tuple[tuple[str, str | None, str | None], ...] = (
    ("case01_script_start_not_zero.py", "g", "x"), ("case02_step_function_with_config.py:adam", None, None),
    ("case02_step_function_with_config.py:late_adam", None, None), ("case03_probe_kills_subject.py:RAdam", None, None),
    ("case04_message_hides_observe.py:Adam", None, None), ("case05_parameters_with_data_and_grad.py:Adam", None, None),
    ("case05_parameters_with_data_and_grad.py:AdamCountsPerTensor", None, None),
    ("case06_layer_object.py:Adam", None, None),
    ("case07_takes_a_gradient_function.py:adam", None, None), ("case08_jax_triple.py:adam", None, None),
    ("case10_only_the_bias_is_wrong.py:Adam", None, None), ("case11_no_root_and_no_correction.py:Adam", None, None),
    ("case15_state_goes_through_the_arguments.py:adam_step", None, None),
    ("case18_step_with_positive_sign.py:Adam", None, None), ("case20_wrong_line_in_a_torch_class.py:AdamW", None, None),
    ("case22_learning_rate_init.py:Adam", None, None), ("case23_float32_inside_torch.py:RAdam", None, None),
    ("bug_start_in_code.py:my_adam", None, None),
)  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What became of one subject."""

    name: str
    of: str
    verdict: str  # read, part, none, failed
    seconds: float
    said: str
    text: str = ""


def subjects(sets: list[str]) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    """Yield the name of each subject, its set, and what makes it."""
    if "cases" in sets:
        for case in CASES:
            yield case.id, "cases", lambda case=case: find_subject(case.subject, dtype=case.dtype)
    if "styles" in sets:
        for style in STYLES:
            yield style.__name__, "styles", lambda style=style: find_subject(style)
    if "torch" in sets:
        for name in TORCH:
            for foreach in (False, True):
                options = {"foreach": foreach}
                spec = f"torch.optim:{name}"
                yield (
                    f"{name} foreach={foreach}",
                    "torch",
                    lambda spec=spec, options=options: find_subject(
                        spec, options=options, in_process=True, against=_knobs_of(spec)
                    ),
                )
    if "optax" in sets:
        for name in OPTAX:
            yield name, "optax", lambda name=name: find_subject(f"optax:{name}", in_process=True)
    yield from _of_files(sets)


def _knobs_of(spec: str) -> Any:
    names = {"SGD": "momentum", "RMSprop": "rmsprop", "Adadelta": "adadelta", "Adagrad": "adagrad"}
    return mhat.rules.named(names.get(spec.partition(":")[2], "adam"))


def _of_files(sets: list[str]) -> Iterator[tuple[str, str, Callable[[], Any]]]:
    if "wrong" in sets:
        sys.path.insert(0, str(ROOT / "tests" / "checks"))
        import wrong_adams  # type: ignore[import-not-found]

        for name, thing in vars(wrong_adams).items():
            if callable(thing) and getattr(thing, "__module__", "") == "wrong_adams":
                yield name, "wrong", lambda thing=thing: find_subject(thing)
    if "real" in sets:
        for spec, feed, read_name in REAL:
            path = ROOT / "shared" / "cases" / "real" / spec
            if Path(str(path).partition(".py")[0] + ".py").exists():
                yield (
                    spec,
                    "real",
                    lambda path=path, feed=feed, out=read_name: find_subject(str(path), feed=feed, read=out),
                )


def outcome(name: str, of: str, make: Callable[[], Any]) -> Outcome:
    """Read one subject."""
    begun = time.perf_counter()
    try:
        reading: Reading = read(make())
    except MhatError as error:
        return Outcome(name, of, "failed", time.perf_counter() - begun, f"{error.what} {getattr(error, 'said', '')}")
    seconds = time.perf_counter() - begun
    verdict = "read" if reading.complete else "part" if reading.rule is not None else "none"
    distances = [f"{each.distance:.1g}" for each in reading.agreement]
    return Outcome(name, of, verdict, seconds, "; ".join([*reading.notes, *distances]), str(reading))


def main() -> None:
    """Read everything, and print the shares."""
    warnings.simplefilter("ignore")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--set", nargs="*", default=list(SETS))
    parser.add_argument("--show", action="store_true", help="print every rule")
    options = parser.parse_args()
    done = []
    for name, of, make in subjects(options.set):
        if options.only and name not in options.only:
            continue
        each = outcome(name, of, make)
        done.append(each)
        if each.verdict != "read" or options.show:
            print(f"{each.verdict:6} {of:8} {name:34} {each.seconds:5.2f} s  {each.said[:200]}", flush=True)
        if options.show:
            print(each.text, flush=True)
    print()
    for of in dict.fromkeys(each.of for each in done):
        found = collections.Counter(each.verdict for each in done if each.of == of)
        total = sum(found.values())
        seconds = [each.seconds for each in done if each.of == of]
        print(
            f"{of:10} {found['read']:4} of {total:4} read ({found['read'] / total:.0%}), {found['part']} in part, "
            f"{found['none']} not, {found['failed']} could not be run; median {statistics.median(seconds):.2f} s, "
            f"worst {max(seconds):.2f} s"
        )


if __name__ == "__main__":
    main()
