"""Find by itself what of a script to feed and what to read: what may be is read from its text, what is, is tried.

A script is run a few times with odd gradients in place of each candidate, and all names of its loop are looked at:
those that answer to the gradients, at the steps at which these come, can be read. It knows no rule.
"""

from __future__ import annotations

import ast
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mhat.errors import SubjectError, SubjectHangs
from mhat.subjects.modules import Neighbourhood
from mhat.subjects.sandbox import Guard
from mhat.subjects.scripts.flow import named, uses
from mhat.subjects.scripts.instrumenting import speaks_of
from mhat.subjects.scripts.runner import Script
from mhat.subjects.scripts.script import text_of, tree_of
from mhat.subjects.scripts.stepping import Stepping, shown, steppings
from mhat.subjects.scripts.ways import Possible
from mhat.subjects.subject import Array
from mhat.subjects.trials import TRIAL

Series = dict[str, Array]
FED = TRIAL[:, 0]
PARTED = 4  # steps after which these two part, so far that no average hides it
CHANGED = np.concatenate([FED[:PARTED], -30.0 * FED[PARTED:]])
PULSE = np.array([1.0, *[0.0] * 23])
SECONDS = 20.0  # that looking may take, and of them a run
PATIENCE = 8.0
# What people call parameters, where several names would do.
PARAMETERS = ("x", "w", "theta", "p", "param", "params", "weights", "weight", "xs", "current", "self.w", "self.weights")


def found_in(path: str, name: str, guard: Guard) -> list[Possible]:
    """Find the ways to drive a script, the best first; none where it makes no steps. Raises SubjectError."""
    text = text_of(path)
    tree = tree_of(path, text)
    limited = Guard(min(guard.limit, PATIENCE), guard.begins, guard.errors)
    looking = Looking(path, name, text, tree, limited, time.monotonic() + SECONDS)
    with Neighbourhood((str(Path(path).resolve().parent),)).entered():
        ways = [way for stepping in looking.steppings if (way := looking.ways(stepping))]
    if not ways and looking.problem is not None:
        raise looking.problem
    # The loop in which most is carried is the one that is meant, of equals the last.
    order = sorted(range(len(ways)), key=lambda i: (-max(way.depth for way in ways[i]), -i))
    first, *others = [ways[i] for i in order] or [[]]
    return [*first, *(_aside(way) for each in others for way in each)]


def _aside(way: Possible) -> Possible:
    return Possible(way.feed, way.read, way.where, way.is_parameter, False, way.depth)


@dataclass
class Looking:
    """A script that is looked at."""

    path: str
    name: str
    text: str
    tree: ast.Module
    guard: Guard
    deadline: float
    problem: SubjectError | None = None

    def __post_init__(self) -> None:
        self.steppings = steppings(self.tree)

    def shown(self, stepping: Stepping) -> dict[str, str]:
        """Say what becomes of names: they are plotted, printed, returned or appended."""
        return shown(self.tree, stepping.function)

    def ways(self, stepping: Stepping) -> list[Possible]:
        """Give the ways to drive one loop, those first that are to be judged."""
        fed = list(self.fed(stepping))
        full = [one for one in fed if not any(set(one.reached) < set(other.reached) for other in fed)]
        kept = [one for i, one in enumerate(full) if one.reached not in [other.reached for other in full[:i]]]
        first: list[Possible] = []
        rest: list[Possible] = []
        for one in kept:
            chosen, others = self.reads(one)
            first += [self.possible(one, read, bool(first) or i > 0) for i, read in enumerate(chosen)]
            rest += [self.possible(one, read, False) for read in others]
        return [*first, *rest]

    def fed(self, stepping: Stepping) -> Iterator[Fed]:
        """Try what may be the gradient; yield what the loop answers to."""
        entered = False
        for candidate in stepping.candidates[:6]:
            if entered and not candidate.enters:
                return
            for text in filter(None, (stepping.sequence(candidate.text), candidate.text)):
                seen = self.seen(stepping, text)
                if seen is None:
                    continue
                entered = entered or candidate.enters
                yield Fed(stepping, text, seen)
                break

    def seen(self, stepping: Stepping, text: str) -> dict[str, Series] | None:
        """Run the script with gradients in place of something; give what its names held, if any answers."""
        script = Script(self.name, self.path, self.text, text, None, frozenset(), stepping.line)
        turns: dict[str, list[dict[str, Any]]] = {}
        try:
            for key, gradients in (
                ("fed", FED), ("changed", CHANGED), ("turned", -FED), ("zero", 0 * PULSE), ("pulse", PULSE),
            ):  # fmt: skip
                if time.monotonic() > self.deadline:
                    break
                with self.guard.running(self.name):
                    once = script.look([float(g) for g in gradients])
                turns[key] = once.seen[: len(gradients)]
        except SubjectHangs:
            raise
        except SubjectError as error:
            self.problem = self.problem or error
            return None
        kinds = {name: kind_of([turn.get(name) for turn in turns["fed"]]) for name in turns["fed"][-1]}
        seen = {key: series_of(each, kinds) for key, each in turns.items()}
        return seen if "changed" in seen and any(answers(seen, name) for name in seen["fed"]) else None

    def reads(self, fed: Fed) -> tuple[list[str], list[str]]:
        """Choose what is read: parameters, else what most of the loop stands behind; and what else could be."""
        states = [name for name in fed.states if name in fed.reached]
        parameters = sorted(filter(fed.is_parameter, states), key=lambda name: self.rank(fed, name))
        if parameters:
            chosen = self.ahead(fed)[:1] or parameters[:1]
        else:
            answering = [name for name in self.distinct(fed, fed.answering) if not fed.is_fed(name)]
            behind = {name: self.behind(fed, name) for name in answering}
            last = [a for a in answering if not any(a in behind[b] for b in answering if a != b)]
            chosen = sorted(last, key=lambda name: self.rank(fed, name))
        at_once = [name for name in fed.answering if answers(fed.seen, name, at_once=True)]
        others = [
            name for name in self.distinct(fed, at_once) if name not in (*chosen, fed.text) and not fed.is_fed(name)
        ]
        alike = [name for name in others if any(fed.same(name, one) for one in chosen)]
        return chosen, [name for name in others if name not in alike][:6]

    def ahead(self, fed: Fed) -> list[str]:
        """List the points ahead of x at which the gradient is taken, as Nesterov's is: they move as x is said to."""
        flow = fed.stepping.flow
        own = [node for node in ast.walk(flow.loop) if isinstance(node, ast.Call) and named(node.func) == fed.text]
        names = {name for step in flow.of(fed.text) for name in step.uses}
        names |= {name for node in own for part in node.args for name in uses(part)}
        late = [name for name in fed.answering if not answers(fed.seen, name, at_once=True)]
        return [n for n in late if n in names and not fed.stepping.is_data(n) and fed.is_parameter(n, made=True)]

    def behind(self, fed: Fed, name: str) -> frozenset[str]:
        """Collect what a name, or an expression, is computed from."""
        flow = fed.stepping.flow
        if name in flow.assigned:
            return flow.behind(name)
        held = {each for node in ast.walk(ast.parse(name, mode="eval")) if (each := named(node))}
        return frozenset(held | {other for each in held for other in flow.behind(each)})

    def rank(self, fed: Fed, name: str) -> tuple[Any, ...]:
        """Rank what may be read: what people call parameters, what is shown, what most stands behind."""
        words = ("plotted", "printed", "returned", "appended")
        word = self.shown(fed.stepping).get(name, "printed" if not named_so(name) else "")
        plain = name.lower()
        usual = PARAMETERS.index(plain) if plain in PARAMETERS else len(PARAMETERS)
        at = words.index(word) if word in words else len(words)
        # Counting is no part of it: an expression that is printed has the names of its own beside.
        return (usual if fed.is_parameter(name) else 0, -len(self.behind(fed, name) & fed.stepping.flow.assigned), at)

    def distinct(self, fed: Fed, names: Sequence[str]) -> list[str]:
        """Leave out what holds the same as another name: a list of what is held by a name."""
        kept: list[str] = []
        for name in sorted(names, key=lambda each: (each in fed.grown, not named_so(each))):
            if not any(fed.same(name, other) for other in kept):
                kept.append(name)
        return kept

    def possible(self, fed: Fed, read: str, beside: bool) -> Possible:
        """Say how something is fed and read."""
        stepping = fed.stepping
        alone = sum(speaks_of(each, fed.text, read) for each in self.steppings) == 1
        function = "" if stepping.function is None else f" of {stepping.function.name}"
        kind = "goes through" if stepping.sequence_is(fed.text) else "asks for" if fed.is_called else "computes"
        if fed.text not in stepping.flow.assigned and kind == "computes" and fed.text.isidentifier():
            kind = "uses"
        word = self.shown(stepping).get(read, "" if named_so(read) or "[" in read else "printed")
        where = f"the loop in line {stepping.line}{function} {kind} `{fed.text}`"
        depth = len(fed.reached) + (len(self.behind(fed, read)) + 1) / 1000
        carried = read.partition("[")[0] in stepping.states
        held = "appended to" if read in fed.grown else "carried on" if carried else "computed"
        said = f"{where}, and `{read}` is {word or held}"
        is_parameter = fed.is_parameter(read, made=not answers(fed.seen, read, at_once=True))
        feed = fed.text if alone else f"{fed.text}@{stepping.line}"
        return Possible(feed, read, said, is_parameter, beside, depth)


def named_so(text: str) -> bool:
    """Whether a text is a name, dotted or not."""
    return all(part.isidentifier() for part in text.split("."))


@dataclass(frozen=True)
class Fed:
    """Something that was fed, and what the names of the loop held."""

    stepping: Stepping
    text: str
    seen: Mapping[str, Series]

    @property
    def is_called(self) -> bool:
        """Whether it is a function that the loop calls."""
        calls = [node for node in ast.walk(self.stepping.flow.loop) if isinstance(node, ast.Call)]
        return any(named(node.func) == self.text for node in calls)

    @property
    def answering(self) -> list[str]:
        """The names that answer to it, in the order in which the loop assigns them."""
        assigned = list(dict.fromkeys(step.target for step in self.stepping.flow.steps))
        names = [name for name in assigned if name in self.seen["fed"]]
        names += [name for name in self.seen["fed"] if name not in assigned and self.is_of_loop(name)]
        return [name for name in names if answers(self.seen, name)]

    def is_of_loop(self, name: str) -> bool:
        """Whether a text is a part of what the loop assigns, or an expression of it."""
        held = {each for node in ast.walk(ast.parse(name, mode="eval")) if (each := named(node))}
        return not name.isidentifier() and bool(held & self.stepping.flow.assigned)

    @property
    def states(self) -> list[str]:
        """Those of them that are carried from step to step, or are parts of what is."""
        carried = self.stepping.states
        return [name for name in self.answering if name in carried or name.partition("[")[0] in carried]

    @property
    def reached(self) -> tuple[str, ...]:
        """What of the loop it reaches: of what is carried that which it changes in the same step."""
        at_once = [name for name in self.answering if answers(self.seen, name, at_once=True)]
        return tuple(sorted([name for name in self.states if name in at_once] or at_once or self.answering))

    @property
    def grown(self) -> frozenset[str]:
        """The names of lists."""
        return frozenset(step.target for step in self.stepping.flow.steps if step.grows)

    def is_fed(self, name: str) -> bool:
        """Whether a name holds what is fed."""
        return name == self.text or np.array_equal(self.seen["fed"][name], FED)

    def same(self, one: str, other: str) -> bool:
        """Whether two names hold the same."""
        return np.array_equal(self.seen["fed"][one], self.seen["fed"][other], equal_nan=True)

    def is_parameter(self, name: str, *, made: bool = False) -> bool:
        """Whether a name moves as parameters do: gradients of other signs move it the other way, and it stays there."""
        if any(name not in self.seen.get(key, {}) for key in ("fed", "turned", "zero", "pulse")):
            return False
        fed, turned, zero = (self.seen[key][name][: len(FED)] for key in ("fed", "turned", "zero"))
        with np.errstate(all="ignore"):
            moved, back = fed - zero, turned - zero
            if not np.all(np.abs(moved + back) <= 1e-6 * np.max(np.abs(moved))):
                return False
        held = name.partition("[")[0]
        if held in self.stepping.parameters:
            return True
        # Of what a function makes anew, only what it does tells what it is.
        unseen = made or any(isinstance(step.value, ast.Call) for step in self.stepping.flow.of(held))
        pulse = self.seen["pulse"][name] - self.seen["zero"][name]
        return unseen and _stays(pulse)


def _stays(moved: Array) -> bool:
    """Whether what a pulse has moved comes to rest elsewhere: its limit, if it comes nearer at a steady rate."""
    with np.errstate(all="ignore"):
        last, before = moved[-1] - moved[-2], moved[-2] - moved[-3]
        limit = moved[-1] if last == before or last == 0.0 else moved[-1] - last * last / (last - before)
        return bool(np.isfinite(limit) and abs(limit) > 0.1 * np.max(np.abs(moved)) > 0)


def answers(seen: Mapping[str, Series], name: str, *, at_once: bool = False) -> bool:
    """Whether a name answers to the gradients, at the steps at which they come."""
    one, other = seen["fed"][name], seen["changed"].get(name)
    if other is None or len(one) != len(FED) or len(other) != len(FED):
        return False
    until = slice(PARTED, PARTED + 1 if at_once else None)
    early = np.array_equal(one[:PARTED], other[:PARTED], equal_nan=True)
    return early and bool(np.all(np.isfinite(one))) and not np.array_equal(one[until], other[until])


def series_of(turns: Sequence[Mapping[str, Any]], kinds: Mapping[str, str]) -> Series:
    """Make a series of numbers of each name that had one in every turn."""
    made = {}
    for name, kind in kinds.items():
        values = [turn.get(name) for turn in turns]
        if kind == "number" and all(isinstance(value, float) for value in values):
            made[name] = np.array(values)
        elif kind == "changed" and all(isinstance(value, tuple) for value in values):
            made[name] = np.array([value[0] for value in values if value is not None])
        elif kind in ("list", "written") and isinstance(values[-1], tuple):
            held, count = values[-1][2], len(values)
            if kind == "list" and len(held) in (count, count + 1):
                made[name] = np.array([first_number(each) for each in held[-count:]])
            elif kind == "written" and len(held) >= count:
                made[name] = _written(held, count)
    return made


def kind_of(values: Sequence[Any]) -> str:
    """Tell a number from a list that gets longer, from an array that turns write to, and from one that they change."""
    if all(isinstance(value, float) for value in values):
        return "number"
    if not isinstance(values[-1], tuple):
        return ""
    lengths = {value[1] for value in values if isinstance(value, tuple)}
    firsts = [value[0] for value in values if isinstance(value, tuple)]
    if len(lengths) > 1 or len(firsts) < len(values):
        return "list"
    if len(set(firsts[1:])) > 1 or values[-1][1] == 1:
        return "changed"
    return "written" if values[-1][1] >= len(values) else ""


def _written(held: Any, count: int) -> Array:
    """Give what turns wrote to an array: a start may stand in front of it."""
    first = [first_number(each) for each in held[: count + 1]]
    return np.array(first[-count:] if len(first) > count and first[-1] != 0.0 else first[:count])


def first_number(value: Any) -> float:
    """Give a number, or the first one of what holds some."""
    return float(np.ravel(value)[0])


def as_data(ways: Sequence[Possible]) -> list[dict[str, Any]]:
    """Write the ways as plain data."""
    return [asdict(way) for way in ways]
