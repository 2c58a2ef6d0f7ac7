"""The process in which a script runs, again and again, with other gradients. It knows no rule and no check.

It reads a JSON line a run and answers with one; what the script itself prints, shows or reads stays apart.
"""

from __future__ import annotations

import ast
import importlib.util
import io
import json
import os
import sys
import traceback
import types
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mhat.subjects.scripts import no_plots as plots
from mhat.subjects.scripts import rewriting as feeding

PRINTED = 500  # characters of what the script printed that are passed on


class Refusal(Exception):
    """The script ran, but what it holds is not what was asked for: what, and the cure."""


class Script:
    """A script and how it is fed."""

    def __init__(self, path: str, feed: str, read: str, settable: frozenset[str]) -> None:
        self.path, self.feed, self.read = path, feed, read
        self.text = Path(path).read_text(encoding="utf-8")
        self.settable = settable
        self.natural = compile(self.tree(), path, "exec")
        self.follows: bool | None = None  # whether it makes as many steps as it is given gradients
        self.steps: int | None = None  # how many it makes by itself

    def tree(self) -> ast.Module:
        return feeding.rewritten(ast.parse(self.text, self.path), self.feed, self.read, self.settable)

    def run(self, gradients: list[float], numbers: dict[str, float]) -> list[float]:
        """Run it on so many gradients: as it is; with the last repeated, as often as it asks; or counting anew."""
        count = len(gradients)
        if self.follows is not False:
            once = Once(self, gradients, numbers)
            problem = once.attempt(self.natural)
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

    def padded(self, gradients: list[float], numbers: dict[str, float]) -> list[float]:
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

    def longer(self, gradients: list[float], numbers: dict[str, float]) -> list[float]:
        assert self.steps is not None
        counting = compile(feeding.following(self.tree(), self.steps), self.path, "exec")
        once = Once(self, gradients, numbers)
        problem = once.attempt(counting)
        values = [] if problem is not None else once.values()
        if len(values) not in (len(gradients), len(gradients) + 1):
            raise Refusal(
                f"makes {self.steps} steps by its own count, and {len(gradients)} are needed",
                f"Let it loop over `{self.feed}`, or over range(len({self.feed})).",
            )
        return values[-len(gradients) :]

    def wrong_count(self, got: int, count: int) -> Refusal:
        return Refusal(
            f"makes {count} steps, and `{self.read}` holds {got} values at the end",
            f"Let `{self.read}` have one value a step.",
        )


class Once:
    """One run of a script."""

    def __init__(self, script: Script, gradients: list[float], numbers: dict[str, float]) -> None:
        self.script = script
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
                feeding.FEED: self.give,
                feeding.READ: self.note,
                feeding.SET: lambda name, value: self.numbers.get(name, value),
                feeding.STEPS: len(self.gradients),
            }
        )
        sys.modules["__main__"] = module
        sys.argv = [self.script.path]
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                exec(code, self.space)
        except SystemExit as error:
            return error if error.code not in (None, 0) else None
        except Exception as error:
            return error
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


class Tail(io.TextIOBase):
    """Keeps the end of what is printed."""

    def __init__(self) -> None:
        self.kept = ""

    def write(self, text: str) -> int:
        self.kept = (self.kept + text)[-PRINTED:]
        return len(text)


def main(path: str, feed: str, read: str, settable: list[str]) -> None:
    """Answer requests until there are no more."""
    requests, answers = os.fdopen(os.dup(0), "r", encoding="utf-8"), os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull) as nothing:  # noqa: PTH123 (a device)
        os.dup2(nothing.fileno(), 0)
    os.dup2(2, 1)
    sys.path[0] = str(Path(path).resolve().parent)
    has_plots = importlib.util.find_spec("matplotlib") is not None
    plots.pretend()
    script = Script(path, feed, read, frozenset(settable))
    for line in requests:
        answers.write(json.dumps(answer(script, json.loads(line), has_plots)) + "\n")
        answers.flush()


def answer(script: Script, request: dict[str, Any], has_plots: bool) -> dict[str, Any]:
    """Run once; a script that needs real plots has them, without a screen, from then on."""
    printed = sys.stdout = Tail()
    try:
        try:
            return {"values": script.run(request["gradients"], request["numbers"])}
        except Refusal:
            raise
        except BaseException as error:
            if not has_plots or not plots.pretending() or not plots.met(error):
                raise
            plots.stop_pretending()
            return {"values": script.run(request["gradients"], request["numbers"])}
    except Refusal as refusal:
        what, cure = refusal.args
        return {"what": what, "cure": cure, "said": printed.kept}
    except (Exception, SystemExit) as error:
        return {"what": _told(error), "cure": "Mend it, and run it by itself first.", "said": _place(script, error)}
    finally:
        plots.close()
        sys.stdout = sys.__stdout__


def _told(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return f"ended with exit({error.code!r})"
    text = " ".join(str(error).split())[:200]
    return f"raised {type(error).__name__}: {text}" if text else f"raised {type(error).__name__}"


def _place(script: Script, error: BaseException) -> str:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == script.path and f.lineno]
    if not lines:
        return ""
    text = script.text.splitlines()[lines[-1] - 1].strip()
    return f"{Path(script.path).name}, line {lines[-1]}: {text}"
