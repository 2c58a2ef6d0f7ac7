"""The numbers that stand in the user's own code, made to record: what is computed of them alone is written too.

Code objects hold their numbers as constants, which are exchanged while a tape is written, and put back. So are the
floats among defaults, class attributes and the globals of the user's modules.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator
from types import CodeType, FunctionType, MethodType
from typing import Any

from mhat.subjects.recording.numbers import RecordingFloat, Records
from mhat.subjects.sandbox import is_users

MOST = 4000  # things that are looked at


@contextlib.contextmanager
def recording(root: Any) -> Iterator[None]:
    """Let the numbers in all code of the user that a thing leads to record, for a while."""
    undo: list[Callable[[], None]] = []
    try:
        for each in _reached(root):
            _exchange(each, undo)
        yield
    finally:
        for back in reversed(undo):
            back()


def _exchange(thing: Any, undo: list[Callable[[], None]]) -> None:
    if isinstance(thing, FunctionType):
        before = thing.__code__, thing.__defaults__, thing.__kwdefaults__
        with contextlib.suppress(ValueError, TypeError):
            thing.__code__ = _code(thing.__code__)
        thing.__defaults__ = _number(thing.__defaults__)
        if thing.__kwdefaults__:
            thing.__kwdefaults__ = {name: _number(value) for name, value in thing.__kwdefaults__.items()}
        undo.append(functools.partial(_restore, thing, before))
        _exchange_in(thing.__globals__, undo)
        for cell in thing.__closure__ or ():
            with contextlib.suppress(ValueError):
                value = cell.cell_contents
                if type(value) is float:
                    cell.cell_contents = _number(value)
                    undo.append(functools.partial(setattr, cell, "cell_contents", value))
    elif isinstance(thing, type):
        for name, value in list(vars(thing).items()):
            if type(value) is float:
                with contextlib.suppress(AttributeError, TypeError):
                    setattr(thing, name, _number(value))
                    undo.append(functools.partial(setattr, thing, name, value))


def _exchange_in(space: dict[str, Any], undo: list[Callable[[], None]]) -> None:
    for name, value in list(space.items()):
        if type(value) is float:
            space[name] = _number(value)
            undo.append(functools.partial(space.__setitem__, name, value))


def _restore(function: FunctionType, before: Any) -> None:
    function.__code__, function.__defaults__, function.__kwdefaults__ = before


def _number(value: Any) -> Any:
    """Make a float one that records, in tuples too; anything else stays."""
    if type(value) is float:
        return RecordingFloat(value)
    if type(value) is tuple:
        return tuple(map(_number, value))
    return value


@functools.lru_cache(maxsize=1024)
def _code(code: CodeType) -> CodeType:
    constants = [_code(each) if isinstance(each, CodeType) else _number(each) for each in code.co_consts]
    return code.replace(co_consts=tuple(constants))


def _reached(root: Any) -> Iterator[Any]:
    """Yield the functions and classes of the user that a thing leads to."""
    seen = set[int]()
    waiting = [root]
    while waiting and len(seen) < MOST:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        waiting += _inside(thing)
        if (isinstance(thing, FunctionType) and is_users(thing.__code__.co_filename)) or _is_own_class(thing):
            yield thing


def _is_own_class(thing: Any) -> bool:
    if not isinstance(thing, type):
        return False
    functions = [each for each in vars(thing).values() if isinstance(each, FunctionType)]
    return any(is_users(each.__code__.co_filename) for each in functions)


def _inside(thing: Any) -> list[Any]:
    """Give what a thing is made of, as far as it may lead to code."""
    if isinstance(thing, MethodType):
        return [thing.__func__, thing.__self__]
    if isinstance(thing, functools.partial):
        return [thing.func, *thing.args, *thing.keywords.values()]
    if isinstance(thing, FunctionType):
        return _inside_function(thing)
    if isinstance(thing, staticmethod | classmethod):
        return [thing.__func__]
    if isinstance(thing, property):
        return [each for each in (thing.fget, thing.fset) if each is not None]
    if isinstance(thing, type):
        own = [*vars(thing).values(), *thing.__mro__[1:-1]] if _is_own_class(thing) else []
        return [each for each in own if not isinstance(each, str | int | Records)]
    if isinstance(thing, dict):
        return list(thing.values()) if len(thing) < 200 else []
    if isinstance(thing, list | tuple):
        return list(thing) if len(thing) < 200 else []
    if inspect.ismodule(thing) or isinstance(thing, str | int | float | bytes | None):
        return []
    return [type(thing), *getattr(thing, "__dict__", {}).values()]


def _inside_function(function: FunctionType) -> list[Any]:
    found: list[Any] = []
    for cell in function.__closure__ or ():
        with contextlib.suppress(ValueError):
            found.append(cell.cell_contents)
    wrapped = getattr(function, "__wrapped__", None)
    found += [] if wrapped is None else [wrapped]
    if is_users(function.__code__.co_filename):
        names = _names(function.__code__)
        found += [value for name, value in function.__globals__.items() if name in names]
    return found


def _names(code: CodeType) -> set[str]:
    """Collect the names that code reads, that of functions in it too."""
    inner = [each for each in code.co_consts if isinstance(each, CodeType)]
    return set(code.co_names).union(*(_names(each) for each in inner))
