"""One run of a script: what it is fed, and what is noted of it. It knows no rule and no check."""

from __future__ import annotations

import contextlib
import io
import itertools
import random
import sys
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from mhat.subjects.scripts import instrumenting, no_plots, rewriting
from mhat.subjects.trials import dtype_of

TURNS = 20_000  # turns after which a loop is taken to be one that ends only when it has converged
LONG = 100_000  # elements of a sequence beyond which nobody looks for what changes in it
PRINTED = 500  # characters of what the script printed that are passed on


class Enough(BaseException):
    """The script asks for more gradients than anybody wants; no `except Exception` of its own stops this."""


class Refusal(Exception):
    """The script ran, but what it holds is not what was asked for: what, and the cure."""


@dataclass
class Once:
    """One run of a script: `most` gradients it may ask for, or turns it may make."""

    path: str
    feed: str
    read: str | None
    gradients: Any
    numbers: Mapping[str, float]
    most: int
    seed: int = 0
    taken: int = 0
    turns: int = 0
    length: int | None = None
    fed: bool = False
    is_over: bool = False  # whether it asked for more
    noted: list[Any] = field(default_factory=list)
    held: Any = None  # what the name that is read held last
    lengths: set[int] = field(default_factory=set)
    before: list[float] = field(default_factory=list)  # a sequence, as it was a turn ago
    start: float | None = None  # what is read, before the first turn
    left: list[Any] = field(default_factory=list)  # what the loop carried at the end of a turn
    offset: int | None = None
    dtypes: set[str] = field(default_factory=set)  # of what is read
    changes: bool | None = None  # whether it is changed by every step; what a run has shown holds for others
    seen: list[dict[str, Any]] = field(default_factory=list)
    met: dict[str, Any] = field(default_factory=dict)  # numbers that could be set, as they were
    space: dict[str, Any] = field(default_factory=dict)

    @property
    def own_steps(self) -> int | None:
        """How many steps the script makes by itself, as far as this run tells."""
        return self.turns or self.taken or self.length

    def attempt(self, code: types.CodeType) -> BaseException | None:
        """Run it; give what it raised."""
        module = types.ModuleType("__main__")
        module.__file__ = self.path
        self.space = vars(module)
        self.space.update({
            rewriting.FEED: self.give, rewriting.READ: self.note, rewriting.SET: self.set,
            rewriting.STEPS: len(self.gradients),
            rewriting.ROUND: lambda values: itertools.islice(itertools.cycle(values), len(self.gradients)),
            instrumenting.ENTER: self.enter,
            instrumenting.TURN: self.turn, instrumenting.FILL: self.fill, instrumenting.SEEN: self.see,
            instrumenting.MORE: more, "get_ipython": lambda: no_plots.ANYTHING, "display": lambda *shown, **how: None,
        })  # fmt: skip
        before = sys.modules["__main__"], sys.argv
        sys.modules["__main__"], sys.argv = module, [self.path]
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"), chance(self.seed):
                warnings.simplefilter("ignore")
                exec(code, self.space)
        except SystemExit as error:
            return error if error.code not in (None, 0) else None
        except Enough:
            self.is_over = True
        except Exception as error:
            return error
        finally:
            sys.modules["__main__"], sys.argv = before
        return None

    def set(self, name: str, value: Any) -> Any:
        """Give a number that was set from outside, or the script's own."""
        self.met.setdefault(name, value)
        return self.numbers.get(name, value)

    def enter(self, carried: list[Callable[[], Any]], begins: bool) -> None:
        """Note what the loop carries; where it begins anew with other values, its steps have ended before."""
        now = [_number(read) for read in carried]
        if begins and self.left and now != self.left and self.turns:
            raise Enough
        self.left = [] if begins else now

    def turn(self, read: Callable[[], Any] | None = None) -> None:
        """Begin a turn of the loop that makes the steps; before the first one, what is read is at its start."""
        if self.turns >= self.most:
            raise Enough
        if self.turns == 0 and read is not None:
            with contextlib.suppress(NameError, AttributeError, LookupError, TypeError, ValueError, RuntimeError):
                value = read()
                self.start = float(first_of(value.detach() if hasattr(value, "detach") else value))
        self.turns += 1

    def give(self, value: Any, inside: bool) -> Any:
        """Give gradients in place of a sequence, of the same kind; inside of a loop the next one for a number."""
        if isinstance(value, str | dict | bool) or value is None or callable(value):
            return value
        if inside and isinstance(value, np.ndarray) and not self.length:
            return np.full(value.shape, self.next(0.0))
        if np.ndim(value) == 0 and not hasattr(value, "__next__"):
            return self.next(value) if inside else value
        return value if inside else self.sequence(value)

    def fill(self, value: Any) -> Any:
        """Give the gradient of this turn in place of what the script computed, in its shape."""
        if isinstance(value, dict):
            return {name: self.fill(each) for name, each in value.items()}
        if isinstance(value, list | tuple):
            return type(value)([self.fill(each) for each in value])
        if isinstance(value, str | bool) or value is None or callable(value):
            return value
        if hasattr(value, "new_full"):
            return value.new_full(value.shape, float(self.next(0.0)))
        if isinstance(value, np.ndarray):
            return np.full(value.shape, self.next(0.0))
        return self.next(value)

    def next(self, value: Any) -> Any:
        """Give the gradient of this turn, or where turns are not counted the next one."""
        if not self.turns:
            if self.taken >= self.most:
                raise Enough
            self.taken += 1
        gradient = self.gradients[min((self.turns or self.taken) - 1, len(self.gradients) - 1)]
        self.fed = True
        return type(value)(gradient) if isinstance(value, np.floating) else gradient

    def sequence(self, value: Any) -> Any:
        """Give all gradients in place of a sequence."""
        self.fed = True
        if hasattr(value, "__next__"):
            return iter(self.gradients)
        self.length = len(value)
        if isinstance(value, np.ndarray):
            shape = (-1, *(1,) * (value.ndim - 1))
            rows = np.broadcast_to(self.gradients.reshape(shape), (len(self.gradients), *value.shape[1:]))
            return rows.astype(value.dtype if value.dtype.kind == "f" else np.float64)
        each: Callable[[Any], Any] = lambda g: g  # noqa: E731
        if len(value) and np.ndim(value[0]):
            each = lambda g: np.full(np.shape(value[0]), g)  # noqa: E731
        made = [each(g) for g in self.gradients]
        return tuple(made) if isinstance(value, tuple) else made

    def note(self, read: Callable[[], Any]) -> None:
        """Note what the name that is read holds at the end of a turn."""
        try:
            value = read()
        except (NameError, AttributeError, LookupError):
            return
        if hasattr(value, "detach"):
            value = value.detach().clone()
        self.dtypes.add(dtype_of(value))
        if np.ndim(value):
            self.follow(value)
        self.held = value
        self.noted.append(first_of(value))

    def follow(self, value: Any) -> None:
        """See how a sequence changes from turn to turn: by its length, or at which place."""
        self.lengths.add(len(value))
        if len(self.lengths) > 1 or self.offset is not None or len(value) > LONG:
            return
        now = [float(np.ravel(each)[0]) if np.size(each) else 0.0 for each in value]
        changed = [i for i, pair in enumerate(zip(self.before, now, strict=False)) if pair[0] != pair[1]]
        if changed and len(self.noted) > 0:
            # The element of turn 1 stands at `offset`.
            self.offset = changed[-1] - len(self.noted)
        self.before = now

    def see(self, names: Mapping[str, Any], expressions: Mapping[str, Callable[[], Any]]) -> None:
        """Note whatever there is at the end of a turn."""
        now = {name: value for name, value in names.items() if not name.startswith("__")}
        for name, value in list(now.items()):
            if name == "self":
                now |= {f"self.{each}": inner for each, inner in vars(value).items()}
            elif isinstance(value, dict):
                now |= {f"{name}[{key!r}]": inner for key, inner in list(value.items())[:6] if isinstance(key, str)}
        for text, expression in expressions.items():
            try:
                now[text] = expression()
            except Exception:
                continue
        self.seen.append({name: number for name, value in now.items() if (number := seen_of(value)) is not None})

    def made(self) -> int:
        """Count the steps of which it told."""
        if self.read is None:
            return len(self.seen)
        try:
            return len(self.values())
        except Refusal:
            return 0

    def values(self) -> list[float]:
        """Read the name that is read: one number a step. Raises Refusal."""
        feed, read = self.feed, self.read
        assert read is not None
        if not self.fed:
            raise Refusal(
                f"has no `{feed}` that could be fed",
                f"Assign `{feed}` outside of functions: a list of gradients, or one gradient in each turn of a loop.",
            )
        if read not in self.space and not self.noted:
            raise Refusal(f"has no `{read}` at its end", f"Name a variable outside of functions: {self.names()}.")
        found = self.held if self.noted else self.space[read]
        if isinstance(found, dict | str | None) or callable(found):
            raise Refusal(f"has a {type(found).__name__} in `{read}`", "Name a list or an array, one number a step.")
        values = self.noted if np.ndim(found) == 0 or self.is_parameter(found) else self.told(found)
        try:
            array = np.array([np.asarray(value, dtype=np.float64).ravel()[0] for value in values])
        except (TypeError, ValueError, IndexError):
            raise Refusal(f"has no plain numbers in `{read}`", "Name a list or array, one number a step.") from None
        return [float(value) for value in array]

    def is_parameter(self, found: Any) -> bool:
        """Whether an array is what every step changes, and no list of what steps gave: its first number changes."""
        if self.changes is None and self.noted:
            firsts = {float(value) for value in self.noted[1:] if value is not None}
            if len(self.lengths) > 1 or (self.offset is not None and len(firsts) < 2):
                self.changes = False
            elif np.ndim(found) > 1 or len(found) == 1 or len(firsts) > 1:
                self.changes = True
        if self.changes is None:
            # Nothing has moved: a list would have as many numbers as there were turns, or more.
            return bool(self.noted) and len(found) < len(self.gradients)
        return self.changes

    def told(self, found: Any) -> Any:
        """Give of a sequence that was written in turns the part that the turns wrote."""
        count = len(self.gradients)
        if len(found) in (count, count + 1) or not self.noted or self.offset is None or self.offset < 0:
            return found
        return found[self.offset : self.offset + count]

    def names(self) -> str:
        """List what could be read."""
        listed = [
            n for n, v in self.space.items() if not n.startswith("_") and isinstance(v, list | tuple | np.ndarray)
        ]
        return ", ".join(listed[:8]) or "a list, one number a step"


def _number(read: Callable[[], Any]) -> Any:
    """Give what a name holds as a number, or nothing."""
    try:
        return repr(first_of(read()))
    except (NameError, AttributeError, LookupError, TypeError, ValueError, RuntimeError):
        return None


def first_of(value: Any) -> Any:
    """Give a number, or the first one of an array, as it is now."""
    try:
        if np.ndim(value):
            return np.ravel(value)[0]
        return value[()] if isinstance(value, np.ndarray) else value
    except (TypeError, ValueError, IndexError):
        return None


def seen_of(value: Any) -> Any:
    """Give what is to be remembered of a value: a number, a sequence with its length, or nothing."""
    if isinstance(value, bool | str | dict | types.ModuleType) or value is None or callable(value):
        return None
    try:
        if hasattr(value, "detach"):
            value = value.detach().cpu().numpy()
        if np.ndim(value) == 0:
            return float(value)
        if isinstance(value, list | np.ndarray) and len(value):
            return (float(np.ravel(value[0])[0]), len(value), value)
    except (TypeError, ValueError, IndexError, RuntimeError):
        return None
    return None


def more(values: Any) -> Iterator[Any]:
    """Go through values, and on: counting on where they count, else again and again."""
    if isinstance(values, range):
        return itertools.count(values.start, values.step)
    if isinstance(values, np.ndarray) and values.ndim == 1 and len(values) > 1 and values.dtype.kind in "iuf":
        step = values[1] - values[0]
        if np.allclose(np.diff(values), step):
            return (values[0] + i * step for i in itertools.count())
    return itertools.cycle(values)


@contextlib.contextmanager
def chance(seed: int) -> Iterator[None]:
    """Let chance be the same in every run, where a script gives it no seed of its own."""
    made, kept, python = np.random.default_rng, np.random.get_state(), random.getstate()
    np.random.default_rng = lambda told=None: made(seed if told is None else told)  # type: ignore[assignment]
    np.random.seed(seed)
    random.seed(seed)
    try:
        yield
    finally:
        np.random.default_rng = made
        np.random.set_state(kept)
        random.setstate(python)


class LastPrints(io.TextIOBase):
    """Keeps the end of what is printed."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.kept = ""

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.kept = (self.kept + text)[-PRINTED:]
        return len(text)
