"""A file that does not run to its end here, loaded as far as it goes: statement by statement, what fails left out.

Below the optimizer there often stands a training script whose data are elsewhere, above it an import that only draws.
It knows no subject.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from mhat.subjects.salvage.absent import stand_in

SHOWN = 2


@dataclass
class Salvaged:
    """A module, and what of its file was left out or replaced."""

    module: ModuleType
    said: list[str] = field(default_factory=list)
    absent: list[str] = field(default_factory=list)

    def notes(self) -> tuple[str, ...]:
        """Say what was left out."""
        names = [f"`{name}`" for name in dict.fromkeys(self.absent)]
        verb = "was" if len(names) == 1 else "were"
        where = [f"{', '.join(names)} cannot be imported here, and {verb} not needed"] if names else []
        shown = self.said[:SHOWN]
        return (*where, *shown, *([f"and {len(self.said) - SHOWN} more"] if len(self.said) > SHOWN else []))


def salvaged(path: Path, name: str, package: str = "") -> Salvaged:
    """Run a file statement by statement under a module name; raises SyntaxError."""
    text = importlib.util.decode_source(path.read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tree = ast.parse(text)
    module = ModuleType(name)
    module.__file__, module.__package__ = str(path), package or None
    found = Salvaged(module)
    sys.modules[name] = module
    for statement in tree.body:
        _run(statement, path, found)
    return found


def _run(statement: ast.stmt, path: Path, found: Salvaged) -> None:
    try:
        code = compile(ast.Module([statement], []), str(path), "exec", flags=_future(found.module))
        exec(code, vars(found.module))
    except ImportError as error:
        if not isinstance(statement, ast.Import | ast.ImportFrom):
            found.said.append(_left_out(statement, error))
        else:
            for bound, value, said in _replaced(statement, found):
                setattr(found.module, bound, value)
                found.said += [said] if said else []
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        found.said.append(_left_out(statement, error))


def _left_out(statement: ast.stmt, error: BaseException) -> str:
    with contextlib.suppress(Exception):
        return f"line {statement.lineno} of its file raised {type(error).__name__}: {error}, and was left out"
    return f"line {statement.lineno} of its file raised {type(error).__name__}, and was left out"


def _future(module: ModuleType) -> int:
    """Give the flags of `from __future__` that stand above."""
    flags = 0
    for value in vars(module).values():
        if type(value).__name__ == "_Feature":
            flags |= value.compiler_flag
    return flags


def _replaced(statement: ast.Import | ast.ImportFrom, found: Salvaged) -> Iterator[tuple[str, object, str]]:
    """Import what can be of a statement that failed, and give what stands for the rest."""
    for alias in statement.names:
        dots = "." * statement.level if isinstance(statement, ast.ImportFrom) else ""
        inside = f"{dots}{statement.module or ''}" if isinstance(statement, ast.ImportFrom) else None
        try:
            yield (*_imported(statement, alias, found.module), "")
        except ImportError:
            if inside is None:
                top = alias.name if alias.asname else alias.name.partition(".")[0]
                value, said = stand_in(top)
                found.absent += [] if said else [alias.name]
                yield alias.asname or top, value, said
            elif alias.name != "*":
                value, said = stand_in(inside, alias.name)
                found.absent += [] if said else [f"{inside}.{alias.name}" if inside.strip(".") else alias.name]
                yield alias.asname or alias.name, value, said
            else:
                found.absent.append(inside)


def _imported(statement: ast.Import | ast.ImportFrom, alias: ast.alias, module: ModuleType) -> tuple[str, object]:
    """Run the import of one name apart."""
    one = ast.Import([alias]) if isinstance(statement, ast.Import) else _one_of(statement, alias)
    code = compile(ast.fix_missing_locations(ast.Module([ast.copy_location(one, statement)], [])), "", "exec")
    exec(code, vars(module))
    bound = alias.asname or (alias.name.partition(".")[0] if isinstance(statement, ast.Import) else alias.name)
    return bound, vars(module).get(bound)


def _one_of(statement: ast.ImportFrom, alias: ast.alias) -> ast.ImportFrom:
    return ast.ImportFrom(statement.module, [alias], statement.level)
