"""Let every run of a function begin as the first: what it keeps in globals, classes, defaults, closures is put back.

Real code keeps its moments there. It knows no optimizer.
"""

from __future__ import annotations

import copy
import functools
import inspect
import types
from collections.abc import Callable, Iterator
from typing import Any

# What instances of a class may share.
HELD = (int, float, list, dict, set)
DATA = (bool, int, float, complex, list, dict, set, type(None))


class Anew:
    """What a function and the functions it calls keep, as it was before the first run."""

    def __init__(self, thing: Any) -> None:
        self.kept: list[tuple[Callable[[Any], None], Any]] = []
        seen: set[int] = set()
        for function in _functions(thing):
            self._keep(function, seen)
        if inspect.isclass(thing):
            for name, value in list(vars(thing).items()):
                if not name.startswith("__") and isinstance(value, HELD):
                    self._note(functools.partial(setattr, thing, name), value)

    def restore(self) -> None:
        """Put everything back."""
        for put, value in self.kept:
            put(copy.deepcopy(value))

    def around(self, course: Callable[..., Any]) -> Callable[..., Any]:
        """Give a function that puts everything back before it runs."""
        if not self.kept:
            return course

        @functools.wraps(course)
        def begun(*arguments: Any) -> Any:
            self.restore()
            return course(*arguments)

        return begun

    def _keep(self, function: types.FunctionType, seen: set[int]) -> None:
        if id(function) in seen or len(seen) > 40:
            return
        seen.add(id(function))
        if _holds(function.__defaults__):
            self._note(functools.partial(setattr, function, "__defaults__"), function.__defaults__)
        if _holds(tuple((function.__kwdefaults__ or {}).values())):
            self._note(functools.partial(setattr, function, "__kwdefaults__"), function.__kwdefaults__)
        if vars(function) or function.__name__ in function.__code__.co_names:
            self._note(functools.partial(_refill, vars(function)), dict(vars(function)))
        for cell in function.__closure__ or ():
            self._keep_cell(cell, seen)
        space = function.__globals__
        for name in _global_names(function.__code__):
            value = space.get(name)
            if isinstance(value, types.FunctionType) and value.__globals__ is space:
                self._keep(value, seen)
            elif name in space and _is_data(value):
                self._note(functools.partial(space.__setitem__, name), value)

    def _keep_cell(self, cell: types.CellType, seen: set[int]) -> None:
        try:
            value = cell.cell_contents
        except ValueError:
            return
        if isinstance(value, types.FunctionType):
            self._keep(value, seen)
        elif _is_data(value):
            self._note(functools.partial(setattr, cell, "cell_contents"), value)

    def _note(self, put: Callable[[Any], None], value: Any) -> None:
        try:
            self.kept.append((put, copy.deepcopy(value)))
        except Exception:
            return


def _functions(thing: Any) -> Iterator[types.FunctionType]:
    if inspect.isclass(thing):
        for value in vars(thing).values():
            inner = getattr(value, "__func__", value)
            if isinstance(inner, types.FunctionType):
                yield inner
        return
    inner = getattr(thing, "__func__", thing)
    if isinstance(inner, types.FunctionType):
        yield inner


def _global_names(code: types.CodeType) -> set[str]:
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            names |= _global_names(constant)
    return names


def _holds(values: tuple[Any, ...] | None) -> bool:
    return any(isinstance(value, list | dict | set) or hasattr(value, "__array__") for value in values or ())


def _is_data(value: Any) -> bool:
    return isinstance(value, DATA) or (hasattr(value, "__array__") and not isinstance(value, type))


def _refill(there: dict[str, Any], value: dict[str, Any]) -> None:
    there.clear()
    there.update(value)
