"""The pages of docs are tested: their Python runs, and their tables say what the code says. It knows no engine."""

from __future__ import annotations

import doctest
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mhat.language.tree import INPUTS
from mhat.language.vocabulary import VOCABULARY
from mhat.ops import OPERATIONS
from mhat.ops.orthogonality import SETS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("*.md"))
LANGUAGE = (DOCS / "language.md").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_the_python_runs(page: Path) -> None:
    parsed = doctest.DocTestParser().get_doctest(page.read_text("utf-8"), {}, page.name, str(page), 0)
    assert doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(parsed).failed == 0


@pytest.mark.parametrize("page", PAGES, ids=[page.name for page in PAGES])
def test_the_links_lead_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\(([^)#]+)\)", page.read_text("utf-8")):
        assert link.startswith("https://") or (page.parent / link).exists(), link


def table(head: str) -> str:
    """Give the table of the page about the language that begins with a heading."""
    start = LANGUAGE.index(f"| {head} |")
    return LANGUAGE[start : LANGUAGE.index("\n\n", start)] + "\n"


def functions() -> Iterator[str]:
    for name, operation in OPERATIONS.items():
        if operation.called or name == "where":
            arguments = operation.meaning.__code__.co_varnames[: operation.arity]
            arguments = ("x",) if operation.kind == "reduction" else arguments
            yield f"| `{name}({', '.join(arguments)})` | {operation.sentence} |\n"


def operators() -> Iterator[str]:
    for name, operation in OPERATIONS.items():
        if not operation.called and name != "where":
            sign = f"{operation.symbol} " if operation.symbol.isalpha() else operation.symbol
            typed = f"a {operation.symbol} b" if operation.arity == 2 else f"{sign}a"
            yield f"| `{typed}` | {operation.sentence} |\n"


def knobs() -> Iterator[str]:
    for name, meaning in VOCABULARY.items():
        yield f"| `{name}` | {meaning.sentence} | {meaning.range.replace('value', name)} |\n"


def test_the_table_of_functions_is_that_of_the_operations() -> None:
    assert table("function") == "| function | what it gives |\n|---|---|\n" + "".join(functions())


def test_the_table_of_operators_is_that_of_the_operations() -> None:
    assert table("operator") == "| operator | what it gives |\n|---|---|\n" + "".join(operators())


def test_the_table_of_knobs_is_that_of_the_vocabulary() -> None:
    assert table("knob") == "| knob | what it is | range |\n|---|---|---|\n" + "".join(knobs())


def test_the_table_of_coefficients_is_that_of_the_sets() -> None:
    rows = (f'| `"{name}"` | {len(each.rounds)} | {each.source} |\n' for name, each in SETS.items())
    assert table("set") == "| set | rounds | from |\n|---|---|---|\n" + "".join(rows)


def test_the_inputs_are_those_of_the_grammar() -> None:
    assert tuple(re.findall(r"^\| `(\w+)` \|", table("input"), re.M)) == INPUTS
