"""How much code that nobody wrote for mhat is driven as it is, and judged right. It knows no convention.

    python -m benchmarks.driven [FOLDER ...] [--only NAME ...]

Over the implementations in tests/subjects/cases, and over files in the form of shared/cases/real. Of each it is said
whether it was driven without a wrapper, and whether the verdict is true. A false alarm is something right that is said
to deviate, a wrong `conforms` something wrong that is said to conform.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import mhat
from mhat.errors import MhatError
from mhat.subjects import modules

CASES = Path(__file__).parents[1] / "tests" / "subjects" / "cases"
REAL = Path(__file__).parents[2] / "shared" / "cases" / "real"
SECONDS = 1.0
# What stands in shared/cases/real under a convention: file and name, rule, whether it is right, and what is told.
KNOWN: tuple[tuple[str, str, bool, dict[str, str]], ...] = (
    ("case01_script_start_not_zero.py", "adam", True, {"feed": "g", "read": "x"}),
    ("case02_step_function_with_config.py:adam", "adam", True, {}),
    ("case02_step_function_with_config.py:late_adam", "adam", False, {}),
    ("case03_probe_kills_subject.py:RAdam", "radam", False, {}),
    ("case04_message_hides_observe.py:Adam", "adam", True, {"observe": "ratio"}),
    ("case05_parameters_with_data_and_grad.py:Adam", "adam", True, {}),
    ("case05_parameters_with_data_and_grad.py:AdamCountsPerTensor", "adam", False, {}),
    ("case06_layer_object.py:Adam", "adam", True, {}),
    ("case07_takes_a_gradient_function.py:adam", "adam", True, {}),
    ("case07_takes_a_gradient_function.py:descend", "adam", True, {}),
    ("case08_jax_triple.py:adam", "adam", True, {}),
    ("case09_package/lab/optimizers/adam.py:Adam", "adam", True, {}),
    ("case10_only_the_bias_is_wrong.py:Adam", "adam", False, {}),
    ("case11_no_root_and_no_correction.py:Adam", "adam", False, {}),
    ("case13_loop_until_converged.py", "adam", True, {"feed": "g", "read": "x"}),
    ("case15_state_goes_through_the_arguments.py:adam_step", "adam", True, {}),
    ("case15_state_goes_through_the_arguments.py:Adam", "adam", True, {}),
    ("case18_step_with_positive_sign.py:Adam", "adam", True, {"observe": "update"}),
    ("case20_wrong_line_in_a_torch_class.py:AdamW", "adamw", False, {}),
    ("case22_learning_rate_init.py:Adam", "adam", True, {}),
    ("case23_float32_inside_torch.py:RAdam", "radam", False, {}),
    ("bug_c04_group_step.py:GroupStepAdamW", "adamw", False, {}),
    ("bug_c05_dampening.py:DampedFirst", "momentum", False, {}),
    ("bug_c08_none_decay.py:NoneAsZero", "adamw", False, {}),
    ("bug_c17_momentum_lr_inside.py:Inside", "momentum", True, {}),
    ("bug_c27_lr_decay.py:AdamDecay", "adam", False, {}),
    ("bug_c29_ascent.py:SlopeAdam", "adam", True, {"maximize": "True"}),
    ("bug_start_in_code.py:my_adam", "adam", True, {}),
)


@dataclass(frozen=True)
class Outcome:
    """What became of one implementation; `conforms` is None if it could not be driven."""

    name: str
    right: bool
    conforms: bool | None
    seconds: float
    said: str


def asked(folders: list[Path]) -> Iterator[tuple[str, str, bool, dict[str, str]]]:
    """Yield what is asked about: name, rule, whether it is right, and what else is told."""
    for path in sorted(CASES.glob("*.py")):
        for name, (rule, right) in modules.load(str(path)).named("CASES").items():
            yield f"{path}:{name}", rule, right, {}
    for folder in folders:
        for named, rule, right, told in KNOWN:
            if (folder / named.partition(".py")[0]).with_suffix(".py").is_file():
                yield str(folder / named), rule, right, told


def outcome_of(named: str, rule: str, right: bool, told: dict[str, str]) -> Outcome:
    """Check one implementation, as a user would."""
    start = time.perf_counter()
    more = {name: value == "True" if name == "maximize" else value for name, value in told.items()}
    shown = "/".join(Path(named).parts[-2:])
    try:
        verdict = mhat.check(named, rule, seconds=SECONDS, **more)
    except MhatError as error:
        return Outcome(shown, right, None, time.perf_counter() - start, error.what)
    return Outcome(shown, right, verdict.conforms, time.perf_counter() - start, "; ".join(verdict.notes))


def report(outcomes: list[Outcome]) -> str:
    """Write what came out, and whatever was not as it should be."""
    driven = [each for each in outcomes if each.conforms is not None]
    alarms = [each for each in driven if each.right and not each.conforms]
    wrong = [each for each in driven if each.conforms and not each.right]
    lines = [
        f"implementations   {len(outcomes)}",
        f"driven            {len(driven)} ({len(driven) / len(outcomes):.0%})",
        f"verdict true      {len(driven) - len(alarms) - len(wrong)} of {len(driven)}",
        f"false alarms      {len(alarms)}",
        f"wrong conforms    {len(wrong)}",
    ]
    failed = [("not driven", e) for e in outcomes if e.conforms is None]
    failed += [("false alarm", e) for e in alarms] + [("wrong conforms", e) for e in wrong]
    return "\n".join([*lines, *(f"{what:15} {each.name}: {each.said}" for what, each in failed)])


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folders", nargs="*", type=Path, default=[REAL])
    parser.add_argument("--only", nargs="*", default=[])
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")
    outcomes = []
    for named, rule, right, told in asked(arguments.folders):
        if arguments.only and not any(word in named for word in arguments.only):
            continue
        outcomes.append(outcome_of(named, rule, right, told))
        print(f"{outcomes[-1].seconds:6.1f} s  {outcomes[-1].name}", file=sys.stderr)
    print(report(outcomes))


if __name__ == "__main__":
    main()
