"""Run a script again and again, with other gradients. It knows no rule and no check.

What the script prints is kept for a message, what it plots is not drawn.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import traceback
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

import numpy as np

from mhat.errors import SubjectError
from mhat.subjects.recording import watching
from mhat.subjects.sandbox import told
from mhat.subjects.scripts import instrumenting, no_plots, no_writes, rewriting
from mhat.subjects.scripts.execution import TURNS, LastPrints, Once, Refusal
from mhat.subjects.subject import Array

T = TypeVar("T")
HAS_PLOTS = importlib.util.find_spec("matplotlib") is not None


class Script:
    """A script and how it is fed; `line`: of the loop that makes the steps, where it is known."""

    def __init__(
        self,
        name: str,
        path: str,
        text: str,
        feed: str,
        read: str | None,
        settable: frozenset[str],
        line: int | None = None,
    ) -> None:
        self.name, self.path, self.text, self.feed, self.read = name, path, text, feed, read
        self.settable = settable
        self.line = line
        self.codes: dict[str, types.CodeType] = {}
        self.natural = self.code("as it is")
        self.follows: bool | None = None  # whether it makes as many steps as it is given gradients
        self.steps: int | None = None  # how many it makes by itself
        self.converges = False  # whether it goes on for as long as it is fed
        self.draws = False  # whether it needs plots that are real
        self.reaches: dict[str, int] = {}  # how many steps it makes at most, in each way
        self.changes: bool | None = None  # whether what is read is an array that every step changes
        self.start: float | None = None  # what is read, before the first turn
        self.dtypes: set[str] = set()  # of what is read
        self.lag = 0  # by how many turns what is read answers later
        self.seed = 0  # where chance begins

    def tree(self) -> ast.Module:
        tree = ast.parse(self.text, self.path)
        if self.line is None:
            assert self.read is not None
            return rewriting.rewritten(tree, self.feed, self.read, self.settable)
        stepping = instrumenting.stepping_at(tree, self.line)
        assert stepping is not None
        return instrumenting.instrumented(tree, stepping, self.feed, self.read, self.settable)

    def code(self, way: str) -> types.CodeType:
        """Compile it: as it is, going on where its loop would end, counting as many steps as are wanted, or both."""
        key = way if "counting" not in way else f"{way} {self.steps}"
        if key not in self.codes:
            tree = self.tree()
            if "counting" in way and self.steps:
                tree = rewriting.following(tree, self.steps, self.feed)
            if "going on" in way and self.line is not None:
                tree = instrumenting.unending(tree, self.line)
            self.codes[key] = compile(watching.instrumented(tree, self.path), self.path, "exec")
        return self.codes[key]

    def once(self, gradients: list[float], numbers: Mapping[str, float], most: int | None = None) -> Once:
        """Prepare one run."""
        most = len(gradients) + TURNS if most is None else most
        array = np.array(gradients, dtype=np.float64)
        return Once(self.path, self.feed, self.read, array, numbers, most, self.seed, changes=self.changes)

    def run(self, gradients: list[float], numbers: Mapping[str, float]) -> Array:
        """Run it once; raises SubjectError. A script that needs real plots has them, without a screen, from then on."""
        printed = LastPrints()
        try:
            with contextlib.redirect_stdout(printed), no_writes.elsewhere():
                return np.array(self.plotting(lambda: self.steps_of(gradients, numbers)))
        except Refusal as refusal:
            what, cure = refusal.args
            raise SubjectError(self.name, what, cure, printed.kept.strip()) from None
        except (Exception, SystemExit) as error:
            raise SubjectError(
                self.name, _told(error), self.cure(len(gradients)), _place(self.path, self.text, error)
            ) from error

    def plotting(self, run: Callable[[], T]) -> T:
        """Run it with plots that are not drawn, or with real ones if it cannot be run with those."""
        if not self.draws:
            with no_plots.pretended():
                try:
                    return run()
                except Exception as error:
                    self.draws = not isinstance(error, Refusal) and no_plots.met() and HAS_PLOTS
                    if not self.draws:
                        raise
                    self.reaches.clear()
        with no_plots.unseen():
            return run()

    def look(self, gradients: list[float]) -> Once:
        """Run it once, and give that run with all that was noted; its loop is known. Raises what it raises.

        SubjectError where it ran and is not what is looked for.
        """
        try:
            with contextlib.redirect_stdout(LastPrints()), no_writes.elsewhere():
                return self.plotting(lambda: self.stepped(gradients, {}))
        except Refusal as refusal:
            raise SubjectError(self.name, *refusal.args) from None

    def steps_of(self, gradients: list[float], numbers: Mapping[str, float]) -> list[float]:
        """Run it on so many gradients: as it is; with the last repeated, as often as it asks; or counting anew."""
        count = len(gradients)
        if self.line is not None:
            return self.stepped(gradients, numbers).values()[-count:]
        if self.converges:
            return self.stopped(gradients, numbers)
        if self.follows is not False:
            once = self.once(gradients, numbers)
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

    def stepped(self, gradients: list[float], numbers: Mapping[str, float]) -> Once:
        """Run a script whose loop is known, and stop it after so many turns; give that run. Raises what it raised."""
        # What answers a turn late tells of the last gradient in a turn more.
        gradients = [*gradients, *gradients[-1:] * self.lag]
        count = len(gradients)
        first: BaseException | None = None
        for way in ("as it is", "going on", "counting", "counting and going on"):
            if count > self.reaches.get(way, count):
                continue
            once = self.once(gradients, numbers, most=count)
            problem = once.attempt(self.code(way))
            made = once.made()
            if made >= count:
                self.changes, self.dtypes, self.start = once.changes, once.dtypes, once.start
                return once
            if way == "as it is":
                self.steps = self.steps or once.own_steps
            self.reaches[way] = count - 1
            first = first or problem or self.too_few(once, count)
        if first is None and not self.steps:
            first = Refusal(f"does not come to its loop in line {self.line}", "Let it run through by itself first.")
        raise first or Refusal(
            f"makes {self.steps} steps by its own count, and {count} are needed",
            f"Write the number of its steps out where it loops: range({self.steps}).",
        )

    def too_few(self, once: Once, count: int) -> Refusal | None:
        """Say what is wrong with a run that made enough steps, and did not tell of them."""
        return self.wrong_count(len(once.values()), count) if once.turns >= count else None

    def stopped(self, gradients: list[float], numbers: Mapping[str, float]) -> list[float]:
        """Run a script that goes on until it has converged, as long as there are gradients."""
        once = self.once(gradients, numbers, most=len(gradients))
        problem = once.attempt(compile(rewriting.endless(self.tree()), self.path, "exec"))
        if problem is not None:
            raise problem
        values = once.values()
        if len(values) not in (len(gradients), len(gradients) + 1):
            raise self.wrong_count(len(values), len(gradients))
        return values[-len(gradients) :]

    def padded(self, gradients: list[float], numbers: Mapping[str, float]) -> list[float]:
        assert self.steps is not None
        once = self.once([*gradients, *gradients[-1:] * (self.steps - len(gradients))], numbers)
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
        once = self.once(gradients, numbers)
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
            problem = self.once([], {}).attempt(compile(self.text, self.path, "exec"))
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


def _told(error: BaseException) -> str:
    return f"ended with exit({error.code!r})" if isinstance(error, SystemExit) else f"raised {told(error)}"


def _place(path: str, text: str, error: BaseException) -> str:
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == path and f.lineno]
    if not lines:
        return ""
    return f"{Path(path).name}, line {lines[-1]}: {text.splitlines()[lines[-1] - 1].strip()}"
