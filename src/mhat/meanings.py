"""What a file means that is named alone: a definition in it, or the script that it is, and then what is fed and read.

It runs a script to see how it answers, in a process of its own, and judges nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from mhat.checks.verdict import Verdict
from mhat.errors import BadValue, SubjectError, SubjectHangs
from mhat.names import find_ways
from mhat.subjects import definitions
from mhat.subjects.definitions import Definitions
from mhat.subjects.scripts.stepping import Stepping, steppings
from mhat.subjects.scripts.ways import Possible

LISTED = 6
MOST = 5  # ways that are judged
FED_AND_READ = "fed is `{}`, read is `{}`: {}"
ALIKE = "so is what is read of {}"
ALONE = "`{}` conforms, and `{}` does not"
OTHERS = "it could also be read so: {}"


class Manner(Protocol):
    """How a question is asked, as far as it matters here."""

    @property
    def timeout(self) -> float | None: ...
    @property
    def memory(self) -> float | None: ...
    @property
    def in_process(self) -> bool: ...


@dataclass(frozen=True)
class Meaning:
    """What a file means: a definition (as it is to be named), or ways to drive a script, and what to say of it."""

    definition: str | None = None
    ways: tuple[Possible, ...] = ()  # those that are judged, the first one before the others
    others: tuple[str, ...] = ()  # the words that choose anything else

    @property
    def note(self) -> str:
        """Say what was chosen, and what could be."""
        said = []
        if self.ways:
            way = self.ways[0]
            said.append(FED_AND_READ.format(way.feed.partition("@")[0], way.read, way.where))
        elif self.definition is not None:
            said.append(f"of the file `{self.definition.rpartition(':')[2]}` is judged")
        if said and self.others:
            said.append(OTHERS.format(", ".join(self.others[:LISTED])))
        return "; ".join(said)


P = TypeVar("P", bound=Any)
Finder = Callable[[], list[Possible]]


def meaning_of(named: str, ways: Finder) -> Meaning:
    """Find out what a file that is named alone means; `ways` finds how it can be driven as a script.

    Raises BadValue where it means nothing, SubjectError where the script fails.
    """
    written = definitions.definitions_of(named)
    assert written is not None
    names, optimizers = written.functions_and_classes(), written.optimizers()
    sure, unsure = written.rules()
    if len([*sure, *unsure]) == 1 and len(names) <= 1:
        return Meaning()
    steps = steppings(written.tree)
    if len(optimizers) == 1:
        if len(names) == 1 and not any(step.function is None for step in steps):
            return Meaning(named)
        scripts = _tried(ways) if any(step.function is None for step in steps) else []
        return Meaning(f"{named}:{optimizers[0]}", (), tuple(f"{named} {way.words}" for way in scripts))
    found = ways() if steps else []
    if found:
        return of_script(named, found, optimizers)
    if len(names) == 1:
        return Meaning(named)
    raise _nothing(written, steps)


def of_script(named: str, found: Sequence[Possible], optimizers: Sequence[str] = ()) -> Meaning:
    """Give the meaning of a file as a script."""
    judged = [found[0], *(way for way in found[1:] if way.is_beside)]
    others = [way.words for way in found if way not in judged[:1]] + [f"{named}:{name}" for name in optimizers]
    return Meaning(None, tuple(judged), tuple(others))


def _tried(ways: Finder) -> list[Possible]:
    """Find ways where they are only to be listed: a script that fails has none."""
    try:
        return ways()
    except SubjectError:
        return []


def _nothing(written: Definitions, steps: Sequence[Stepping]) -> BadValue:
    """Say that a file means nothing, and what of its own names could be told."""
    names, where = written.functions_and_classes(), written.where
    told = f"or of a script what is fed and what is read: {where} --feed g_list --read x_list."
    if names:
        return BadValue(
            f"there are {len(names)} functions and classes in {where}", f"Name one: {where}:{names[0]}; {told}"
        )
    if not steps:
        return BadValue(
            f"there is no function or class in {where}, and no loop that goes on from step to step",
            f"Write run(gradients); {told}",
        )
    step = steps[-1]
    assigned = ", ".join(f"`{name}`" for name in sorted(step.flow.assigned)[:LISTED])
    return BadValue(
        f"nothing in {where} was found that could be gradients: the loop in line {step.line} assigns {assigned}",
        f"Say which of them is the gradient, and what is to be judged: {where} --feed g --read x.",
    )


def answered(party: P, manner: Manner, ask: Callable[[P], Verdict]) -> Verdict:
    """Ask about a party; about a file that is named alone first what it means, and the notes say so.

    Of a script that steps in several tensors or variables the first one that deviates is the answer.
    """
    if not _is_open(party):
        return ask(party)
    find = _finder(party, manner)
    meaning = meaning_of(party.named, find)
    if not meaning.ways:
        try:
            return _noted(ask(replace(party, named=meaning.definition or party.named)), meaning.note)
        except SubjectHangs:
            raise
        except SubjectError as error:
            # Where the definition cannot be driven, the file may still be a script that uses it.
            found = _tried(find)
            if not found:
                raise error from None
            meaning = of_script(party.named, found)
    first = _noted(ask(_driven(party, meaning.ways[0])), meaning.note)
    if not first.conforms:
        return first
    return _beside(party, meaning, first, ask)


def _beside(party: P, meaning: Meaning, first: Verdict, ask: Callable[[P], Verdict]) -> Verdict:
    """Judge what else of a loop is as much as what was judged: the first that deviates is the answer."""
    alike = []
    for way in meaning.ways[1:MOST]:
        try:
            verdict = ask(_driven(party, way))
        except (SubjectError, BadValue):
            continue
        if verdict.conforms:
            alike.append(f"`{way.read}`")
        elif way.is_parameter or verdict.diagnosis is not None:
            note = of_script(party.named, [way, *meaning.ways]).note
            return _noted(verdict, note, ALONE.format(meaning.ways[0].read, way.read))
    return _noted(first, ALIKE.format(" and ".join(alike))) if alike else first


def settled(party: P, manner: Manner) -> tuple[P, str]:
    """Give what a party means, and a note that says so; nothing to say of what is told in full."""
    if not _is_open(party):
        return party, ""
    meaning = meaning_of(party.named, _finder(party, manner))
    if meaning.ways:
        return _driven(party, meaning.ways[0]), meaning.note
    return replace(party, named=meaning.definition or party.named), meaning.note


def _driven(party: P, way: Possible) -> P:
    return replace(party, feed=way.feed, read=way.read, is_parameter=way.is_parameter)


def _noted(verdict: Verdict, *notes: str) -> Verdict:
    return replace(verdict, notes=(*filter(None, notes), *verdict.notes))


def _is_open(party: Any) -> bool:
    """Whether a Python file is named, and nothing in it."""
    named = party.named
    if not isinstance(named, str) or not named.endswith(".py") or party.feed is not None or party.read is not None:
        return False
    return definitions.definitions_of(named) is not None


def _finder(party: Any, manner: Manner) -> Finder:
    """Give what finds the ways to drive a script, once it is asked."""

    def find() -> list[Possible]:
        return find_ways(party.named, limit=manner.timeout, memory=manner.memory, in_process=manner.in_process)

    return find
