"""What a file means that is named alone: a definition in it, or the script that it is, and then what is fed and read.

It runs a script to see how it answers, in a process of its own. It knows no way in which anything is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from mhat import modifiers, schedules
from mhat.checks import conformance
from mhat.checks.acceptance import Dialects
from mhat.checks.observation import Observation, observed, turned
from mhat.checks.verdict import Verdict
from mhat.errors import BadValue, SubjectError, SubjectHangs
from mhat.language import Rule
from mhat.names import find_ways
from mhat.search.effort import Listener
from mhat.subjects import definitions
from mhat.subjects.definitions import Definitions
from mhat.subjects.schedulers import is_scheduler
from mhat.subjects.scripts.stepping import Stepping, steppings
from mhat.subjects.scripts.ways import Possible
from mhat.subjects.subject import Subject

LISTED = 6
MOST = 5  # ways that are judged
FED_AND_READ = "fed is `{}`, read is `{}`: {}"
ALIKE = "what is read as {} conforms, too"
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
    @property
    def observe(self) -> str | None: ...
    @property
    def maximize(self) -> bool: ...
    @property
    def seconds(self) -> float: ...


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
            return Meaning()
        scripts = _tried(ways) if any(step.function is None for step in steps) else []
        return Meaning(f"{named}:{optimizers[0]}", (), tuple(f"{named} {way.words}" for way in scripts))
    # A lone function with a loop of its own is what is meant, unless the file runs it as its script.
    found = (_tried(ways) if len(names) == 1 else ways()) if steps else []
    if found:
        return of_script(named, found, optimizers)
    if len(names) == 1:
        return Meaning()
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
    assigned = ", ".join(f"`{name}`" for name in sorted(step.flow.assigned - step.flow.counters)[:LISTED])
    return BadValue(
        f"nothing in {where} was found that could be gradients: the loop in line {step.line} assigns {assigned}",
        f"Say which of them is the gradient, and what is to be judged: {where} --feed g --read x.",
    )


def answered(party: P, manner: Manner, ask: Callable[[P], Verdict]) -> Verdict:
    """Ask about a party; about a file that is named alone first what it means, and the notes say so.

    Of a script that steps in several tensors or variables the first one that deviates is the answer.
    """
    ask = _remembering(ask)
    if _is_half_told(party):
        party, note = settled(party, manner)
        return _noted(ask(party), note)
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


def _remembering(ask: Callable[[P], Verdict]) -> Callable[[P], Verdict]:
    """Let a verdict say about what it is, so that the same can be asked again."""

    def asked(party: P) -> Verdict:
        verdict = ask(party)
        meant = {"named": party.named, "feed": party.feed, "read": party.read}
        return replace(verdict, meant=meant)

    return asked


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
    return replace(first, notes=(*first.notes, ALIKE.format(" and ".join(alike)))) if alike else first


def settled(party: P, manner: Manner) -> tuple[P, str]:
    """Give what a party means, and a note that says so; nothing to say of what is told in full."""
    if _is_half_told(party):
        return _completed(party, _finder(party, manner))
    if not _is_open(party):
        return party, ""
    meaning = meaning_of(party.named, _finder(party, manner))
    if meaning.ways:
        return _driven(party, meaning.ways[0]), meaning.note
    return replace(party, named=meaning.definition or party.named), meaning.note


def _is_half_told(party: Any) -> bool:
    """Whether of what is fed and what is read of a script one is told."""
    return isinstance(party.named, str) and (party.feed is None) is not (party.read is None)


def _completed(party: P, find: Finder) -> tuple[P, str]:
    """Find the other half; a party of which there is none stays as it is."""
    found = [
        way
        for way in find()
        if party.feed in (None, way.feed, way.feed.partition("@")[0]) and party.read in (None, way.read)
    ]
    if not found:
        return party, ""
    return _driven(party, found[0]), of_script(party.named, found).note


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


def is_unsaid(party: Any, manner: Manner) -> bool:
    """Whether nobody said what is read of a script: x, the update, a variable."""
    return party.feed is not None and manner.observe is None


def observation_of(
    there: Subject, rules: Sequence[Rule], manner: Manner, party: Any, held: Mapping[str, float]
) -> Observation:
    """Say what a subject gives: as it is told, else of a script as it is found out."""
    if not is_unsaid(party, manner):
        return Observation(there, tuple((rule, manner.observe or "x") for rule in rules))
    return observed(there, rules, held, named=party.read or "", is_parameter=party.is_parameter)


def among(
    seen: Observation, manner: Manner, accepted: Dialects, held: Mapping[str, float], report: Listener | None
) -> Verdict:
    """Judge a subject of which several rules, or several variables of one, are in question."""
    how: dict[str, Any] = {"dialects": accepted, "maximize": manner.maximize, "knobs": held, "report": report}
    verdict = conformance.among(seen.subject, seen.pairs, seconds=manner.seconds, **how)
    if verdict.conforms or verdict.diagnosis is not None or not seen.otherwise:
        return verdict
    again = conformance.among(turned(seen), seen.otherwise, seconds=manner.seconds / 3, **how)
    return again if again.conforms or again.diagnosis is not None else verdict


def refuse_scheduler(named: Any, name: str) -> None:
    """Refuse a scheduler where an optimizer is looked for; raises BadValue."""
    if isinstance(named, schedules.Schedule) or is_scheduler(named):
        raise BadValue(f"{name} is a scheduler: steps in, rates out", "Check it as one: mhat.check_schedule.")


def followed_apart(
    keywords: Mapping[str, Any], mapping: Mapping[str, Any] | None
) -> tuple[dict[str, Any], Mapping[str, Any] | None, dict[str, schedules.Schedule]]:
    """Part the knobs that follow schedules from all others that a call gives."""
    rest, followed = schedules.parted(keywords)
    if not isinstance(mapping, Mapping):
        return rest, mapping, followed
    told, more = schedules.parted(mapping)
    return rest, told, followed | more


def following(name: str, rule: Rule | None, followed: Mapping[str, schedules.Schedule]) -> Rule:
    """Give the rule whose knobs follow schedules, which the subject has inside; raises BadValue where there is none."""
    if rule is None:
        raise BadValue(f"`{name}` claims no rule by its name", "Say whose knob follows a schedule: against=.")
    return modifiers.scheduled(rule, **followed)
