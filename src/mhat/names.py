"""Find what a user names: `adam`, `file.py:name`, `package.module:name`. It runs no rule and draws nothing.

A rule is read from the text of its file. What must be run to be found, and every subject that is named by text, is run
in a process of its own.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mhat import modifiers, rules
from mhat.errors import BadValue, InputFileError, UnknownName
from mhat.language import Rule
from mhat.language import rule as rule_of

if TYPE_CHECKING:
    from mhat.subjects.definitions import Definitions
    from mhat.subjects.processes.guest import Wanted
    from mhat.subjects.processes.process import Allowance
    from mhat.subjects.processes.workshop import Workshop
    from mhat.subjects.sandbox import Guard
    from mhat.subjects.scripts.ways import Possible
    from mhat.subjects.subject import Subject

GIGABYTE = 1e9


def find_rule(named: Any) -> Rule:
    """Give the rule that is meant: a Rule, a function written as one, its text, or a name.

    A name may be modified: `clipped(adam)`. Raises UnknownName, InputFileError if the file or module cannot be loaded,
    LanguageError if what is found is not in the rule language; SubjectError where a file must be run to find its rule,
    and cannot be.
    """
    if isinstance(named, Rule):
        return named
    if isinstance(named, ModuleType):
        raise BadValue(f"{named.__name__} is a module", f"Name the rule in it: {named.__name__}.NAME.")
    if named is None:
        raise BadValue("None is no rule", "Give a rule, a function written as one, or a name.")
    if not isinstance(named, str) or is_text(named):
        return rule_of(named)
    if (modified := modifiers.parted(named)) is not None:
        modifier, inner = modified
        return modifier(find_rule(inner))
    if _is_plain(named):
        _refuse_file(named, "Name the rule in it: FILE.py:NAME.")
        return rules.named(named)
    where, name = _parted(named)
    # Imported late: naming a rule of the library must be quick.
    from mhat.subjects import definitions, modules

    written = definitions.definitions_of(where)
    if written is None:
        return _rule_from_run(named, where, name)
    if not name:
        sure, unsure = written.rules()
        if len(sure) + len(unsure) != 1:
            raise modules.not_one_rule([*sure, *unsure], where)
        name = (*sure, *unsure)[0]
    return written.rule(name) or _rule_from_run(named, where, name)


def rule_if_one(named: Any) -> Rule | None:
    """Give the rule that is meant, or None where what is named is an implementation of one; raises as `find_rule`.

    What is meant as a rule and is not in the language is refused: what stands under `@rule`, or takes x and g.
    """
    from mhat.subjects import definitions, kinds

    if not isinstance(named, str):
        return (
            find_rule(named) if isinstance(named, Rule | ModuleType) or _takes_x_and_g(named) else kinds.rule_in(named)
        )
    if is_text(named) or modifiers.parted(named) is not None or _is_plain(named):
        return find_rule(named)
    where, name = _parted(named)
    written = definitions.definitions_of(where)
    if written is None:
        return None
    if not name and len([*written.rules()[0], *written.rules()[1]]) == 1:
        return find_rule(named)
    step = written.step(name) if name else None
    return step if step is not None or not written.is_meant_as_rule(name) else find_rule(named)


def _takes_x_and_g(thing: Any) -> bool:
    arguments = getattr(getattr(thing, "__code__", None), "co_varnames", ())
    return {"x", "g"} <= set(arguments[: getattr(getattr(thing, "__code__", None), "co_argcount", 0)])


def is_text(named: str) -> bool:
    """Whether it is the text of a rule, which no name looks like."""
    return named.lstrip().startswith(("def ", "@"))


def _is_plain(named: str) -> bool:
    """Whether a name is one of the library's, and of no file or module."""
    return ":" not in named and not named.endswith(".py")


def _parted(named: str) -> tuple[str, str]:
    """Part a name into file or module, and what is named in it."""
    if named.endswith(".py"):
        return named, ""
    # The last colon: a path may have one of its own (C:\mine.py:my_rule).
    where, _, name = named.rpartition(":")
    return where, name


def _refuse_file(named: str, cure: str) -> None:
    """Refuse the path of a file that is no Python file, where a name is expected; raises BadValue, InputFileError."""
    is_path = "/" in named or "\\" in named
    if is_path and Path(named).is_file():
        raise BadValue(f"`{named}` is a file, and it does not end in .py", cure)
    if is_path:
        raise InputFileError(f"there is no file `{named}`", "Check the name and the directory you are in.")


def _rule_from_run(named: str, where: str, name: str) -> Rule:
    """Run a file to find a rule in it; a module of mhat's own, and one that has no file, here."""
    if _runs_here(where):
        from mhat.subjects import modules

        thing = modules.load(where).named(name)
        return thing if isinstance(thing, Rule) else rule_of(thing)
    from mhat.progress import line
    from mhat.subjects.processes.guest import Wanted, found_in_process

    with line(f"running {where}, to find its rule {name}".rstrip()):
        found = found_in_process(Wanted(named, where, name, rule=True))
    assert isinstance(found, Rule)
    return found


def _runs_here(where: str) -> bool:
    """Whether a module is run in this process: mhat's own, and one that another process would not find."""
    if where.endswith(".py"):
        return False
    top = where.partition(".")[0]
    file = getattr(sys.modules.get(where), "__file__", None)
    return top in ("mhat", "__main__") or (where in sys.modules and file is None)


def check_order(rule: Any, gradients: Any) -> None:
    """Refuse a stream or a landscape in the place of the rule, where the rule stands behind it; raises BadValue."""
    # Imported late: naming a rule must not load NumPy.
    from mhat import landscapes, streams

    base = rule.partition(":")[0].strip() if isinstance(rule, str) else ""
    kind = "stream" if base in streams.names() else "landscape" if base in landscapes.names() else None
    if kind is not None and (isinstance(gradients, Rule) or gradients in rules.names()):
        name = gradients.name if isinstance(gradients, Rule) else gradients
        raise BadValue(f"`{rule}` is a {kind} and `{name}` a rule", f'Name the rule first: trace("{name}", "{rule}").')


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


def stream_text(named: Any) -> str:
    """Give a stream or landscape as the text that makes it again; nothing for None. Raises as `find_gradients`."""
    if named is None:
        return ""
    found = find_gradients(named)
    if isinstance(named, str):
        return named
    recipe = getattr(found, "recipe", "")
    if recipe:
        return str(recipe)
    numbers = getattr(found, "values", found)
    flat = getattr(numbers, "tolist", lambda: list(numbers))()
    if not flat or any(not isinstance(each, int | float) for each in flat):
        raise BadValue("these gradients cannot be written as text", "Give a stream, a file or a list of numbers.")
    return f"cycle:{','.join(map(repr, map(float, flat)))},steps={len(flat)}"


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
    memory: float | None = None,
    in_process: bool = False,
    convention: str | None = None,
    workshop: Workshop | None = None,
    watched: bool = False,
) -> Subject:
    """Give the subject that is meant.

    `named`: the name of a rule, `file.py:name`, `package.module:name`, `torch.optim:Adam`, a script with `feed` and
    `read`, or the thing itself. `command`: a command line, in place of a name. `against`: the rule it claims to
    be, by whose knobs ambiguous names are read. `options`: other keywords of the constructor (fused, amsgrad ...);
    knobs among them are held. `tensors`: how many a command drives at once. `limit`: seconds a run. `convention`: how
    somebody's own code is called, where that is not to be found out.

    What is named by text runs in a process of its own, which may use `memory` GB (half of what there is) and is ended
    with all that it starts; `in_process`: here, for a debugger, without a limit unless one is given. The thing
    itself runs here. `workshop`: a process for several texts, in which it is found and run instead; `watched`: there
    each expression of its file is looked at.

    Raises SubjectError if it does not run, MissingExtra for a framework that is not installed, UnknownName,
    BadValue or InputFileError if it is not there.
    """
    # Imported late: naming a rule must not load NumPy.
    from mhat.subjects import commands
    from mhat.subjects.processes.guest import Wanted
    from mhat.subjects.processes.process import Allowance
    from mhat.subjects.sandbox import LIMIT

    knobs = None if against is None else against.knobs
    allowance = Allowance(None if memory is None else memory * GIGABYTE)
    if command is not None:
        if named is not None:
            raise BadValue("a command and a name are two subjects", "Give one of them.")
        seconds = commands.LIMIT if limit is None else limit
        return commands.subject_of_command(command, None, knobs, seconds, tensors, dtype or "float64", allowance)
    if feed is not None or read is not None:
        _check_script(named, feed, read)
    if isinstance(named, ModuleType):
        raise BadValue(f"{named.__name__} is a module", f"Name the subject in it: {named.__name__}:NAME.")
    if named is None:
        raise BadValue("no subject is named", "Name one: mine.py:my_adam, torch.optim:Adam, or --command.")
    wanted = Wanted(
        "",
        "",
        "",
        feed,
        read,
        False,
        knobs,
        options or {},
        dtype,
        observe,
        LIMIT if limit is None else limit,
        convention,
        watched=watched,
    )
    if not isinstance(named, str):
        return _subject_of_thing(named, None, wanted)
    if modifiers.parted(named) is not None:
        return _subject_of_rule(find_rule(named), named, wanted)
    if _is_plain(named):
        _refuse_file(named, f"If it is a program that speaks JSON lines, say so: --command {named}.")
        return _subject_of_rule(rules.named(named), named, wanted)
    wanted = replace(wanted, named=named, where=_parted(named)[0], name=_parted(named)[1])
    return _subject_of_text(wanted, allowance, in_process, limit, workshop)


def find_ways(
    named: str, *, limit: float | None = None, memory: float | None = None, in_process: bool = False
) -> list[Possible]:
    """Find the ways to drive a script: what may be fed, and what read, the best first; raises SubjectError."""
    from mhat.subjects.processes.guest import Wanted, ways_in_process
    from mhat.subjects.processes.process import Allowance
    from mhat.subjects.sandbox import LIMIT, Guard
    from mhat.subjects.scripts import finding

    limit = LIMIT if limit is None else limit
    if in_process:
        return finding.found_in(named, named, Guard(limit))
    allowance = Allowance(None if memory is None else memory * GIGABYTE)
    return ways_in_process(Wanted(named, named, limit=limit), allowance)


def _check_script(named: Any, feed: str | None, read: str | None) -> None:
    """Refuse to feed or read what is no script, and to do one without the other; raises BadValue."""
    if not isinstance(named, str) or not named.endswith(".py"):
        raise BadValue("a name is fed and read in a script", "Name a file that ends in .py.")
    if feed is None or read is None:
        raise BadValue("of --feed and --read one is missing", "Give both: --feed g_list --read x_list.")


def _subject_of_text(
    wanted: Wanted, allowance: Allowance, in_process: bool, limit: float | None, workshop: Workshop | None
) -> Subject:
    """Make a subject of what is named in a file or module: a rule from its text, all else from a run."""
    from mhat.subjects import definitions
    from mhat.subjects.processes.guest import found_in_process
    from mhat.subjects.sandbox import UNLIMITED, Guard

    if wanted.feed is None:
        written = definitions.definitions_of(wanted.where)
        wanted = replace(wanted, name=wanted.name or _only_definition(written))
        rule = None if written is None else written.step(wanted.name)
        if rule is not None:
            return _subject_of_rule(rule, wanted.named, wanted)
    if workshop is not None and (made := workshop.found(wanted)) is not None:
        return made
    if in_process or _runs_here(wanted.where):
        return _subject_in_here(wanted, Guard(UNLIMITED if limit is None else limit))
    found = found_in_process(wanted, allowance)
    return _subject_of_rule(found, wanted.named, wanted) if isinstance(found, Rule) else found


def _only_definition(written: Definitions | None) -> str:
    if written is None:
        raise BadValue("a module alone is no subject", "Name the subject in it: MODULE:NAME.")
    return written.only_definition()


def _subject_in_here(wanted: Wanted, guard: Guard) -> Subject:
    """Make a subject of what a file or module defines, in this process."""
    from mhat.subjects import kinds, modules
    from mhat.subjects.beginnings import found_out
    from mhat.subjects.recording.recorder import recordable
    from mhat.subjects.sandbox import quiet
    from mhat.subjects.scripts import script

    if wanted.feed is not None and wanted.read is not None:
        told = (wanted.feed, wanted.read, wanted.named, wanted.rule_knobs, guard)
        return recordable(found_out(script.subject_of_script(wanted.where, *told), wanted.observe))
    if not wanted.where.endswith(".py"):
        kinds.import_framework(wanted.where)
    with quiet():
        loaded = modules.load_around(wanted.where, wanted.name)
    with loaded.neighbours.entered():
        subject = _subject_of_thing(loaded.named(wanted.name), wanted.named, wanted, guard)
    notes = (*subject.notes, *loaded.notes)
    return recordable(replace(subject, drive=loaded.neighbours.around(subject.drive), notes=notes))


def _subject_of_thing(thing: Any, name: str | None, wanted: Wanted, guard: Guard | None = None) -> Subject:
    """Make a subject of the thing itself, which runs here; `wanted` says how."""
    from mhat.subjects import kinds
    from mhat.subjects.recording.recorder import recordable
    from mhat.subjects.sandbox import Guard as GuardOfRuns

    rule = kinds.rule_in(thing)
    if rule is not None:
        return _subject_of_rule(rule, name, wanted)
    ours = GuardOfRuns(wanted.limit) if guard is None else guard
    made = kinds.subject_of(
        thing, name, wanted.rule_knobs, wanted.options, wanted.dtype, wanted.observe, ours, wanted.convention
    )
    return made if made is thing else recordable(made)


def _subject_of_rule(rule: Rule, name: str | None, wanted: Wanted) -> Subject:
    from mhat.subjects.rules import subject_of_rule

    for option in wanted.options:
        raise UnknownName(f"option of {rule.name}", option, rule.knobs, "A rule takes knobs alone.")
    return subject_of_rule(rule, name, wanted.dtype, wanted.observe)
