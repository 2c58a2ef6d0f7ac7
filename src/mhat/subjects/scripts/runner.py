"""Run a script again and again, with other gradients. It knows no rule and no check.

What the script prints is kept for a message, what it plots is not drawn.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import itertools
import sys
import traceback
import types
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import SubjectError
from mhat.subjects.recording import watching
from mhat.subjects.sandbox import told
from mhat.subjects.scripts import no_plots, rewriting
from mhat.subjects.subject import Array

TURNS = 20_000  # turns after which a loop is taken to be one that ends only when it has converged
PRINTED = 500  # characters of what the script printed that are passed on
HAS_PLOTS = importlib.util.find_spec("matplotlib") is not None


class Enough(BaseException):
    """The script asks for more gradients than anybody wants; no `except Exception` of its own stops this."""


class Refusal(Exception):
    """The script ran, but what it holds is not what was asked for: what, and the cure."""


class Script:
    """A script and how it is fed."""

    def __init__(self, name: str, path: str, text: str, feed: str, read: str, settable: frozenset[str]) -> None:
        self.name, self.path, self.text, self.feed, self.read = name, path, text, feed, read
        self.settable = settable
        self.natural = compile(self.tree(), path, "exec")
        self.follows: bool | None = None  # whether it makes as many steps as it is given gradients
        self.steps: int | None = None  # how many it makes by itself
        self.converges = False  # whether it goes on for as long as it is fed
        self.draws = False  # whether it needs plots that are real

    def tree(self) -> ast.Module:
        fed = rewriting.rewritten(ast.parse(self.text, self.path), self.feed, self.read, self.settable)
        return watching.instrumented(fed, self.path)

    def run(self, gradients: list[float], numbers: Mapping[str, float]) -> Array:
        """Run it once; raises SubjectError. A script that needs real plots has them, without a screen, from then on."""
        printed = LastPrints()
        try:
            with contextlib.redirect_stdout(printed):
                return np.array(self.plotting(gradients, numbers))
        except Refusal as refusal:
            what, cure = refusal.args
            raise SubjectError(self.name, what, cure, printed.kept.strip()) from None
        except (Exception, SystemExit) as error:
            raise SubjectError(
                self.name, _told(error), self.cure(len(gradients)), _place(self.path, self.text, error)
            ) from error

    def plotting(self, gradients: list[float], numbers: Mapping[str, float]) -> list[float]:
        """Run it with plots that are not drawn, or with real ones if it cannot be run with those."""
        if not self.draws:
            with no_plots.pretended():
                try:
                    return self.steps_of(gradients, numbers)
                except Exception as error:
                    self.draws = not isinstance(error, Refusal) and no_plots.met() and HAS_PLOTS
                    if not self.draws:
                        raise
        with no_plots.unseen():
            return self.steps_of(gradients, numbers)

    def steps_of(self, gradients: list[float], numbers: Mapping[str, float]) -> list[float]:
        """Run it on so many gradients: as it is; with the last repeated, as often as it asks; or counting anew."""
        count = len(gradients)
        if self.converges:
            return self.stopped(gradients, numbers)
        if self.follows is not False:
            once = Once(self, gradients, numbers)
            problem = once.attempt(self.natural)
            if once.is_over:
                self.converges = True
                return self.stopped(gradients, numbers)
            if problem is None:
                values = once.values()
                if len(values) in (count, count + 1):
                    self.follows = True
                    return values[-count:]
            self.steps = self.steps or once.own_steps
            if not self.steps or self.steps == count:
                raise problem or self.wrong_count(len(values), count)
        assert self.steps is not None
        return self.longer(gradients, numbers) if count > self.steps else self.padded(gradients, numbers)

    def stopped(self, gradients: list[float], numbers: Mapping[str, float]) -> list[float]:
        """Run a script that goes on until it has converged, as long as there are gradients."""
        once = Once(self, gradients, numbers, most=len(gradients))
        problem = once.attempt(compile(rewriting.endless(self.tree()), self.path, "exec"))
        if problem is not None:
            raise problem
        values = once.values()
        if len(values) not in (len(gradients), len(gradients) + 1):
            raise self.wrong_count(len(values), len(gradients))
        return values[-len(gradients) :]

    def padded(self, gradients: list[float], numbers: Mapping[str, float]) -> list[float]:
        assert self.steps is not None
        once = Once(self, [*gradients, *gradients[-1:] * (self.steps - len(gradients))], numbers)
        problem = once.attempt(self.natural)
        if problem is not None:
            raise problem
        values = once.values()
        if len(values) not in (self.steps, self.steps + 1):
            raise self.wrong_count(len(values), self.steps)
        self.follows = False
        return values[len(values) - self.steps :][: len(gradients)]

    def longer(self, gradients: list[float], numbers: Mapping[str, float]) -> list[float]:
        assert self.steps is not None
        counting = compile(rewriting.following(self.tree(), self.steps, self.feed), self.path, "exec")
        once = Once(self, gradients, numbers)
        problem = once.attempt(counting)
        values = [] if problem is not None else once.values()
        if len(values) not in (len(gradients), len(gradients) + 1):
            cure = f"Let it loop over `{self.feed}`, or over range(len({self.feed}))."
            if once.length is None:
                cure = f"Write the number of its steps out where it loops: range({self.steps})."
            raise Refusal(f"makes {self.steps} steps by its own count, and {len(gradients)} are needed", cure)
        return values[-len(gradients) :]

    def cure(self, count: int) -> str:
        """Say what helps: whether it fails by itself too is tried."""
        with contextlib.redirect_stdout(LastPrints()), no_plots.pretended():
            problem = Once(self, [], {}).attempt(compile(self.text, self.path, "exec"))
        if problem is not None:
            return "Mend it, and run it by itself first."
        return (
            f"By itself it runs, and it was given {count} gradients in `{self.feed}` here: let everything that "
            f"counts its steps go by len({self.feed})."
        )

    def wrong_count(self, got: int, count: int) -> Refusal:
        return Refusal(
            f"makes {count} steps, and `{self.read}` holds {got} values at the end",
            f"Let `{self.read}` have one value a step.",
        )


class Once:
    """One run of a script."""

    def __init__(
        self, script: Script, gradients: list[float], numbers: Mapping[str, float], most: int | None = None
    ) -> None:
        self.script = script
        self.most = len(gradients) + TURNS if most is None else most  # how many gradients it may ask for
        self.is_over = False  # whether it asked for more
        self.gradients = np.array(gradients, dtype=np.float64)
        self.numbers = numbers
        self.taken = 0
        self.length: int | None = None
        self.fed = False
        self.noted: list[Any] = []
        self.space: dict[str, Any] = {}

    @property
    def own_steps(self) -> int | None:
        """How many steps the script makes by itself, as far as this run tells."""
        return self.taken or self.length

    def attempt(self, code: types.CodeType) -> BaseException | None:
        """Run it; give what it raised."""
        module = types.ModuleType("__main__")
        module.__file__ = self.script.path
        self.space = vars(module)
        self.space.update(
            {
                rewriting.FEED: self.give,
                rewriting.READ: self.note,
                rewriting.SET: lambda name, value: self.numbers.get(name, value),
                rewriting.STEPS: len(self.gradients),
                rewriting.ROUND: lambda values: itertools.islice(itertools.cycle(values), len(self.gradients)),
            }
        )
        before = sys.modules["__main__"], sys.argv
        sys.modules["__main__"], sys.argv = module, [self.script.path]
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
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

    def give(self, value: Any, inside: bool) -> Any:
        """Give gradients in place of a sequence, of the same kind; inside of a loop the next one for a number."""
        if isinstance(value, str | dict | bool) or value is None or callable(value):
            return value
        if inside and isinstance(value, np.ndarray):
            return np.full(value.shape, self.next(0.0))
        if np.ndim(value) == 0 and not hasattr(value, "__next__"):
            return self.next(value) if inside else value
        return value if inside else self.sequence(value)

    def next(self, value: Any) -> Any:
        if self.taken >= self.most:
            raise Enough
        gradient = self.gradients[min(self.taken, len(self.gradients) - 1)]
        self.taken += 1
        self.fed = True
        return type(value)(gradient) if isinstance(value, np.floating) else gradient

    def sequence(self, value: Any) -> Any:
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

    def note(self) -> None:
        self.noted.append(self.space.get(self.script.read))

    def values(self) -> list[float]:
        """Read the name that is read: one number a step. Raises Refusal."""
        feed, read = self.script.feed, self.script.read
        if not self.fed:
            raise Refusal(
                f"has no `{feed}` that could be fed",
                f"Assign `{feed}` outside of functions: a list of gradients, or one gradient in each turn of a loop.",
            )
        if read not in self.space:
            raise Refusal(f"has no `{read}` at its end", f"Name a variable outside of functions: {self.names()}.")
        found = self.space[read]
        if isinstance(found, dict | str | None) or callable(found):
            raise Refusal(f"has a {type(found).__name__} in `{read}`", "Name a list or an array, one number a step.")
        values = found if np.ndim(found) else self.noted
        try:
            array = np.array([np.asarray(value, dtype=np.float64).ravel()[0] for value in values])
        except (TypeError, ValueError, IndexError):
            raise Refusal(f"has no plain numbers in `{read}`", "Name a list or array, one number a step.") from None
        return [float(value) for value in array]

    def names(self) -> str:
        listed = [
            n for n, v in self.space.items() if not n.startswith("_") and isinstance(v, list | tuple | np.ndarray)
        ]
        return ", ".join(listed[:8]) or "a list, one number a step"


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


def _told(error: BaseException) -> str:
    return f"ended with exit({error.code!r})" if isinstance(error, SystemExit) else f"raised {told(error)}"


def _place(path: str, text: str, error: BaseException) -> str:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path and f.lineno]
    if not lines:
        return ""
    return f"{Path(path).name}, line {lines[-1]}: {text.splitlines()[lines[-1] - 1].strip()}"
