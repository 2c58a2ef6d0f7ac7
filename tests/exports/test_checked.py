"""Every exported file under `mhat check`, in both precisions: what `Checked by` in its heading says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import mhat
from mhat import rules
from mhat.exports import EXPORTS
from mhat.exports.heading import spoken_name
from mhat.language import Level, Rule
from tests.choices import OFTEN
from tests.exports.conftest import Library
from tests.exports.modules import module_of, numpy_subject

LANGUAGES = ("numpy", "torch", "c", "rust")
WAYS = [(language, dtype) for language in LANGUAGES for dtype in ("float64", "float32")]
VECTORS = [
    name for name in rules.names() if rules.named(name).level is not Level.MATRIX and not rules.named(name).tree.given
]
# {rule in a type: why the engines of mhat themselves do not conform}
EXEMPT = {("prodigy", "float32"): "the long run of the check leaves the range of the type: step 92 is NaN"}


def cases() -> list[Any]:
    """Ask every language of adam, and one of each other rule that is often tested; the rest is long."""
    made = []
    for i, name in enumerate(sorted(VECTORS, key=lambda name: (name not in OFTEN, name))):
        for j, (language, dtype) in enumerate(WAYS):
            if EXPORTS[language].lacking(rules.named(name)) is not None:
                continue
            seldom = name != "adam" and (name not in OFTEN or j != i % len(WAYS))
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
        return mhat.check(getattr(module, spoken_name(rule)), rule.name, dtype=dtype)


@pytest.mark.parametrize(("name", "language", "dtype"), cases())
def test_mhat_check_finds_every_file_right(name: str, language: str, dtype: str, runs: Library) -> None:
    verdict = verdict_of(rules.named(name), language, dtype, runs)
    assert verdict.conforms == ((name, dtype) not in EXEMPT), str(verdict)
    assert verdict.dialect is None
    assert verdict.dtype == dtype


@pytest.mark.parametrize("language", ["numpy", "torch"])
def test_a_wrong_one_is_found_wrong(language: str, runs: Library) -> None:
    wrong = mhat.rule(str(rules.adam).replace("1 - beta2**t", "1 - beta1**t"))
    verdict = verdict_of(wrong, language, "float64", runs)
    assert not verdict.conforms
    assert verdict.diagnosis is not None
