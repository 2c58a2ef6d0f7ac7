"""Printed kernels as modules: made once, and what cannot be made or compiled is said in a line."""

from __future__ import annotations

import numba
import pytest

from mhat.engines.kernels.modules import NotCompiled, compile_for, module_of
from tests.engines.kernels.test_cache import TEXT


def test_a_module_is_made_once_in_a_process() -> None:
    text = f"# once\n{TEXT}"
    assert module_of(text) is module_of(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("x = " + "(" * 300 + ")" * 300 + "\n", "SyntaxError: too many nested parentheses"),
    ],
)
def test_a_module_that_fails_is_not_kept_as_one(text: str, said: str) -> None:
    for _ in range(2):
        with pytest.raises(NotCompiled, match=said):
            module_of(text)


def test_what_numba_does_not_compile_is_said_in_a_line() -> None:
    module = module_of(f"# undefined\n{TEXT.replace('x + x', 'x + undefined')}")
    with pytest.raises(NotCompiled) as refused:
        compile_for(module.twice, (1.0,))
    assert str(refused.value) == "TypingError: NameError: name 'undefined' is not defined"


def test_compiling_for_arguments_makes_what_a_call_takes() -> None:
    module = module_of(f"# compiled for\n{TEXT}")
    compile_for(module.twice, (1.0,))
    assert module.twice(2.0) == 4.0
    assert module.twice.signatures == [(numba.float64,)]


def test_without_a_compiler_there_is_no_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    with pytest.raises(NotCompiled, match="NUMBA_DISABLE_JIT is set"):
        module_of(TEXT)
