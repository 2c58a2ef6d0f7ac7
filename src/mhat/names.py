"""Find what a user names: `adam`, `file.py:name`, `package.module:name`. It runs no rule and draws nothing."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mhat import rules
from mhat.errors import BadValue, InputFileError, MhatError, UnknownName
from mhat.language import Rule
from mhat.language import rule as rule_of

if TYPE_CHECKING:
    from mhat.subjects.subject import Subject


def find_rule(named: Any) -> Rule:
    """Give the rule that is meant: a Rule, a function written as one, or a name.

    Raises UnknownName, InputFileError if the file or module cannot be loaded, LanguageError if what is found
    is not in the rule language.
    """
    if isinstance(named, Rule):
        return named
    if isinstance(named, ModuleType):
        raise BadValue(f"{named.__name__} is a module", f"Name the rule in it: {named.__name__}.NAME.")
    if named is None:
        raise BadValue("None is no rule", "Give a rule, a function written as one, or a name.")
    if not isinstance(named, str):
        return rule_of(named)
    if ":" not in named and not named.endswith(".py"):
        return rules.named(named)
    # The last colon: a path may have one of its own (C:\mine.py:my_rule).
    where, _, name = (named, "", "") if named.endswith(".py") else named.rpartition(":")
    module = load_module(where)
    found = found_in(module, where, name or _only_rule(module, where))
    if isinstance(found, Rule):
        return found
    if callable(found) and hasattr(found, "__code__"):
        return rule_of(found)
    raise BadValue(f"`{name}` in {where} is of type {type(found).__name__}", "Name a rule: a function under `@rule`.")


def _only_rule(module: ModuleType, where: str) -> str:
    """Choose the rule of a file whose name was not given, if there is just one."""
    names = [name for name, value in vars(module).items() if isinstance(value, Rule) and _is_own(value, module)]
    if len(names) == 1:
        return names[0]
    if not names:
        raise BadValue(f"there is no rule in {where}", "Write one under `@rule`, or name a function: FILE:NAME.")
    raise BadValue(f"there are {len(names)} rules in {where}", f"Name one: {where}:{names[0]}.")


def _is_own(value: Rule, module: ModuleType) -> bool:
    # A rule made of text has no module of its own; the class's would be found in its place.
    return bool(vars(value).get("__module__", module.__name__) == module.__name__)


def load_module(where: str) -> ModuleType:
    """Load a module by file name or by dotted name, as Python would for a script beside it."""
    try:
        return _load_file(Path(where)) if where.endswith(".py") else _load_package(where)
    except MhatError:
        raise
    except (Exception, SystemExit) as error:
        raise InputFileError(f"{where} cannot be loaded: {_said(error, where)}", "Mend it first.") from error


def _load_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise InputFileError(f"there is no file `{path}`", "Check the name and the directory you are in.")
    folder = str(path.resolve().parent)
    name = f"mhat_user_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise InputFileError(f"`{path}` is not a Python file", "Name a file that ends in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(folder)
    return module


def _load_package(name: str) -> ModuleType:
    # As `python -m` would find it; behind all else, so that nothing installed is hidden by it.
    here = str(Path.cwd())
    sys.path.append(here)
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            raise InputFileError(
                f"there is no module `{name}`", "Install it, or name a file that ends in .py."
            ) from None
        raise
    finally:
        sys.path.reverse()
        sys.path.remove(here)
        sys.path.reverse()


def _said(error: BaseException, where: str) -> str:
    """Say what an exception said and the line of the user's file it came from."""
    file = Path(where).resolve()
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if Path(frame.filename).resolve() == file]
    if isinstance(error, SyntaxError):
        lines = [error.lineno]
    place = f" (line {lines[-1]})" if lines and lines[-1] else ""
    return f"{type(error).__name__}: {error.args[0] if isinstance(error, SyntaxError) else error}{place}"


def found_in(module: ModuleType, where: str, name: str) -> Any:
    """Look a dotted name up in a module."""
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            known = [key for key in vars(found) if not key.startswith("_")] if hasattr(found, "__dict__") else []
            raise UnknownName(f"name in {where}", name, known)
        found = getattr(found, part)
    return found


def find_gradients(named: Any, steps: int | None = None, *, stored: bool = False) -> Any:
    """Give the stream or landscape that is meant; what is neither a name nor a function of the library stays.

    A name is looked up among streams and files first, then among landscapes. `stored`: gradients in a file stay there
    until they are asked for.
    """
    # Imported late: naming a rule must not load NumPy.
    from mhat import landscapes, streams

    if isinstance(named, str):
        base = named.partition(":")[0].strip()
        is_landscape = base in landscapes.names() and base not in streams.names()
        find_stream = streams.stored_or_named if stored else streams.named
        return landscapes.named(named) if is_landscape else find_stream(named, steps)
    if callable(named) and not isinstance(named, landscapes.Landscape):
        name = getattr(named, "__name__", "")
        if name in streams.names() and getattr(streams, name) is named:
            return named() if steps is None else named(steps=steps)
        if name in landscapes.names() and getattr(landscapes, name) is named:
            return named()
    return named


def find_subject(
    named: Any = None,
    *,
    against: Rule | None = None,
    observe: str = "x",
    options: Mapping[str, Any] | None = None,
    dtype: str | None = None,
    feed: str | None = None,
    read: str | None = None,
    command: str | None = None,
    tensors: int | None = None,
    limit: float | None = None,
) -> Subject:
    """Give the subject that is meant.

    `named`: the name of a rule, `file.py:name`, `package.module:name`, `torch.optim:Adam`, a script with `feed` and
    `read`, or the thing itself. `command`: a command line, in place of a name. `against`: the rule it claims to
    be, by whose knobs ambiguous names are read. `options`: other keywords of the constructor (fused, amsgrad ...);
    knobs among them are held. `tensors`: how many a command drives at once. `limit`: seconds a run.

    Raises SubjectError if it does not run, MissingExtra for a framework that is not installed, UnknownName,
    BadValue or InputFileError if it is not there.
    """
    # Imported late: naming a rule must not load NumPy.
    from mhat.subjects import commands, kinds
    from mhat.subjects.scripts import script

    knobs = None if against is None else against.knobs
    limits = {} if limit is None else {"limit": limit}
    if command is not None:
        if named is not None:
            raise BadValue("a command and a name are two subjects", "Give one of them.")
        return commands.subject_of_command(command, None, knobs, tensors=tensors, dtype=dtype or "float64", **limits)
    if feed is not None or read is not None:
        if not isinstance(named, str) or not named.endswith(".py"):
            raise BadValue("a name is fed and read in a script", "Name a file that ends in .py.")
        if feed is None or read is None:
            raise BadValue("of --feed and --read one is missing", "Give both: --feed g_list --read x_list.")
        return script.subject_of_script(named, feed, read, None, knobs, **limits)
    found, name = named, None
    if isinstance(named, str):
        found, name = _named_subject(named), named
    if isinstance(found, ModuleType):
        raise BadValue(f"{found.__name__} is a module", f"Name the subject in it: {found.__name__}:NAME.")
    if found is None:
        raise BadValue("no subject is named", "Name one: mine.py:my_adam, torch.optim:Adam, or --command.")
    return kinds.subject_of(found, name, knobs, options or {}, dtype, observe, limits)


def _named_subject(named: str) -> Any:
    from mhat.subjects import kinds

    if ":" not in named and not named.endswith(".py"):
        return rules.named(named)
    where, _, name = (named, "", "") if named.endswith(".py") else named.rpartition(":")
    if not name and Path(where).is_file():
        name = kinds.only_definition(Path(where))
    if not where.endswith(".py"):
        kinds.import_framework(where)
    return found_in(load_module(where), where, name)
