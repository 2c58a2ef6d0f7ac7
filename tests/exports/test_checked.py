"""Every exported file under `mhat check`, in both precisions: what `Checked by` in its heading says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import mhat
from mhat import rules
from mhat.errors import MhatError
from mhat.exports import EXPORTS
from mhat.exports.heading import LEAVE_FLOAT32, UNCHECKED, spoken_name
from mhat.language import Rule
from tests.choices import OFTEN
from tests.exports.compilers import command
from tests.exports.conftest import Library
from tests.exports.modules import module_of, numpy_subject

LANGUAGES = ("numpy", "torch", "optax", "c", "rust")
WAYS = [(language, dtype) for language in LANGUAGES for dtype in ("float64", "float32")]
# A check gives gradients alone.
NAMES = [name for name in rules.names() if not rules.named(name).tree.given and name not in UNCHECKED]
NORMAL = {*OFTEN, "muon"}

# {what in float32 optax alone leaves, compiled by XLA on the CPU: why}
OF_XLA = {
    "cocob": "a long run is NaN there, where others end at 1e39",
    "rmsprop_centered": "the square in `v - m**2` is joined to the difference: not compiled it conforms",
}


def cases() -> list[Any]:
    """Ask every language of adam, and one of each other rule that is often tested; the rest is long."""
    made = []
    for i, name in enumerate(sorted(NAMES, key=lambda name: (name not in NORMAL, name))):
        ways = [way for way in WAYS if EXPORTS[way[0]].lacking(rules.named(name)) is None]
        for j, (language, dtype) in enumerate(ways):
            seldom = name != "adam" and (name not in NORMAL or j != i % len(ways))
            made.append(pytest.param(name, language, dtype, marks=[pytest.mark.long] if seldom else []))
    return made


def with_knobs(rule: Rule, run: Callable[..., np.ndarray]) -> Callable[..., np.ndarray]:
    """Give a function that has the knobs in its signature, which a check asks for."""
    names = list(rule.knobs)
    told = ", ".join(f"{name}=None" for name in names)
    passed = ", ".join(f"{name!r}: {name}" for name in names)
    text = f"def run(gradients, start=0.0{', *, ' if names else ''}{told}):\n    knobs = {{{passed}}}\n"
    text += "    return inner(gradients, start, **{k: v for k, v in knobs.items() if v is not None})\n"
    made: dict[str, Any] = {"inner": run}
    exec(text, made)
    return made["run"]  # type: ignore[no-any-return]


def verdict_of(rule: Rule, language: str, dtype: str, runs: Library) -> Any:
    if language in ("c", "rust"):
        return mhat.check(with_knobs(rule, runs(rule, language, dtype)), rule.name)
    with module_of(rule, language) as module:
        if language == "numpy":
            return mhat.check(with_knobs(rule, numpy_subject(rule, module, dtype)), rule.name)
        if language == "optax":
            return mhat.check(getattr(module, rule.name), rule.name, dtype=dtype)
        return mhat.check(getattr(module, spoken_name(rule)), rule.name, dtype=dtype)


@pytest.mark.parametrize(("name", "language", "dtype"), cases())
def test_mhat_check_finds_every_file_right(name: str, language: str, dtype: str, runs: Library) -> None:
    verdict = verdict_of(rules.named(name), language, dtype, runs)
    exempt = {*LEAVE_FLOAT32, *(OF_XLA if language == "optax" else ())}
    # An exemption that is no longer needed fails.
    assert verdict.conforms == (dtype == "float64" or name not in exempt), str(verdict)
    assert verdict.dialect is None
    assert verdict.dtype == dtype


@pytest.mark.long
@pytest.mark.parametrize("name", UNCHECKED)
def test_an_exemption_is_still_needed(name: str, runs: Library) -> None:
    def conforms(language: str) -> bool:
        try:
            return bool(verdict_of(rules.named(name), language, "float64", runs).conforms)
        except (MhatError, ValueError):
            return False

    assert not all(map(conforms, ("numpy", "torch")))


@pytest.mark.parametrize("language", ["numpy", "torch"])
def test_a_wrong_one_is_found_wrong(language: str, runs: Library) -> None:
    wrong = mhat.rule(str(rules.adam).replace("1 - beta2**t", "1 - beta1**t"))
    verdict = verdict_of(wrong, language, "float64", runs)
    assert not verdict.conforms
    assert verdict.diagnosis is not None


def test_a_command_of_exported_c_that_speaks_json_lines(tmp_path: Path) -> None:
    program = command([rules.adam, rules.lion, rules.dog], tmp_path)
    for name in ("adam", "lion", "dog"):
        verdict = mhat.check(command=f"{program} {name}", against=name)
        assert verdict.conforms, str(verdict)
