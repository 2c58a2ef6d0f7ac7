"""The pages about the house name rooms that are there, and no room is missing from the map."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "mhat"
HOUSE = (ROOT / "docs" / "house.md").read_text("utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def named(text: str) -> set[str]:
    """Collect the files and folders of `src/mhat` that a page names between backquotes."""
    found = re.findall(r"`(?:src/mhat/)?([a-z_/]+(?:\.py|/))`", text)
    return {each for each in found if not each.startswith(("tests/", "docs/", "benchmarks/"))}


def test_the_rooms_that_pages_name_are_there() -> None:
    missing = {
        each
        for each in named(HOUSE) | named(CONTRIBUTING)
        if not ((SOURCE / each).exists() or (ROOT / each).exists() or list(SOURCE.rglob(each)))
    }
    assert missing == set()


def test_every_room_is_in_the_floors_of_contributing_and_in_the_picture() -> None:
    rooms = {f"{path.name}/" for path in SOURCE.iterdir() if path.is_dir() and (path / "__init__.py").exists()}
    rooms |= {path.name for path in SOURCE.glob("*.py") if not path.name.startswith("__")}
    table = {each for line in CONTRIBUTING.splitlines() if line.startswith("| ") for each in named(line)}
    assert rooms - table == set()
    picture = HOUSE.split("```")[1]
    minor = {"version.py", "extras.py", "progress.py", "__main__.py"}
    assert {room for room in rooms - minor if room not in picture} == set()


def test_no_folder_is_a_hall() -> None:
    folders = [path for path in SOURCE.rglob("*") if path.is_dir()]
    sizes = {str(path.relative_to(SOURCE)): len(list(path.glob("*.py"))) for path in folders}
    assert {name: size for name, size in sizes.items() if size > 22} == {}


def test_no_function_is_too_long_to_read() -> None:
    longest: dict[str, int] = {}
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.end_lineno is not None:
                body = node.body[1:] if ast.get_docstring(node) else node.body
                length = node.end_lineno - body[0].lineno + 1 if body else 0
                if length > 60:
                    longest[f"{path.relative_to(SOURCE)}:{node.name}"] = length
    assert longest == {}


def test_no_file_is_too_long_to_read() -> None:
    lengths = {
        str(path.relative_to(SOURCE)): len(path.read_text("utf-8").splitlines()) for path in SOURCE.rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > 400} == {}
