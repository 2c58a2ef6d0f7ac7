"""What a check, an identification or a comparison is asked about: the one way from what a user gives to an answer.

Python's verbs and the commands ask here alike. It leaves finding to `names` and judging to `checks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mhat import meanings, rules
from mhat.checks import comparison, conformance, observation, records_beside
from mhat.checks import recorded as records_checked
from mhat.checks.acceptance import dialects_named
from mhat.checks.claims import claimed_rule
from mhat.checks.comparison import Comparison
from mhat.checks.taking import check_taken
from mhat.checks.verdict import Verdict
from mhat.dtypes import DTYPES
from mhat.engines.program import lacking
from mhat.errors import BadValue, UnknownName
from mhat.explanations import assembly, neighbours
from mhat.explanations.explanation import Explanation
from mhat.language import Rule
from mhat.language.settings import knobs_set
from mhat.names import find_rule, find_subject, is_text, rule_if_one, stream_text
from mhat.progress import line
from mhat.reading import reading as readings
from mhat.reading.reading import Reading
from mhat.search.effort import Listener
from mhat.subjects import records
from mhat.subjects.records import Record
from mhat.subjects.subject import Subject

# What is read claims no rule: each of its knobs that is called as in mhat keeps its name.
ANY_KNOB = """
def any_knob(x, g, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0, momentum=0.9, dampening=0, rho=0.9):
    return x - lr * g * beta1 * beta2 * eps * weight_decay * momentum * dampening * rho
"""
NAMED_SO = "it is judged as {}, which its name claims"
IDENTIFIED = "its name claims no rule of the library, so it was identified: it is judged as {}"


@dataclass(frozen=True)
class Party:
    """One implementation in question: a thing or its name (a script with what is fed and read), a command, a record."""

    named: Any = None
    feed: str | None = None
    read: str | None = None
    command: str | None = None
    recorded: str | Path | None = None
    is_parameter: bool | None = None  # whether what is read is known to be x, or not to be; None: nobody has looked

    @property
    def told(self) -> dict[str, Any]:
        """The arguments that describe it, as far as they are given."""
        given = {"feed": self.feed, "read": self.read, "command": self.command, "recorded": self.recorded}
        return {name: value for name, value in given.items() if value is not None}

    @property
    def name(self) -> str:
        """What it is called, as far as a name may claim a rule."""
        if self.command is not None:
            return self.command
        if self.recorded is not None:
            return Path(self.recorded).stem
        if isinstance(self.named, str):
            return self.named
        name = getattr(self.named, "__name__", None) or getattr(self.named, "name", None)
        return name if isinstance(name, str) else type(self.named).__name__


@dataclass(frozen=True)
class Manner:
    """How a question is asked, whatever it is about."""

    verb: str
    observe: str | None = None
    strict: bool = False
    maximize: bool = False
    seconds: float = conformance.SECONDS
    dtype: str | None = None
    tensors: int | None = None
    timeout: float | None = None
    memory: float | None = None
    in_process: bool = False
    convention: str | None = None
    columns: Mapping[str, str] | None = None
    dialects: bool | str | Sequence[str] = True

    def __post_init__(self) -> None:
        if self.dtype is not None and self.dtype not in DTYPES:
            raise UnknownName("dtype", str(self.dtype), DTYPES)

    @property
    def told(self) -> dict[str, Any]:
        """The arguments that are not at their defaults."""
        fresh = Manner(self.verb)
        return {name: value for name, value in vars(self).items() if name != "verb" and value != getattr(fresh, name)}


def parties(
    named: Sequence[Any],
    *,
    command: str | Sequence[str] | None = None,
    recorded: str | Path | Sequence[str | Path] | None = None,
    feed: str | Sequence[str] | None = None,
    read: str | Sequence[str] | None = None,
    wanted: int = 1,
) -> list[Party]:
    """Put together what is in question: `wanted` implementations; raises BadValue for more or fewer.

    `feed` and `read` belong to the scripts among them, in order; a lone one to each script.
    """
    scripts = [each for each in named if isinstance(each, str) and each.endswith(".py")]
    feeds, reads = (_dealt_out(option, given, len(scripts)) for option, given in (("feed", feed), ("read", read)))
    there: list[Party] = []
    for each in named:
        if each is None:
            continue
        is_script = isinstance(each, str) and each.endswith(".py")
        each = find_rule(each) if isinstance(each, str) and is_text(each) else each
        there.append(Party(each, *((feeds.pop(0), reads.pop(0)) if is_script else ())))
    there += [Party(command=each) for each in _several(command)]
    there += [Party(recorded=each) for each in _several(recorded)]
    if len(there) > wanted:
        raise BadValue(_too_many(there, wanted), f"Give {'one' if wanted == 1 else 'two'} at a time.")
    if len(there) < wanted:
        raise BadValue(
            "no subject is named" if wanted == 1 else "a comparison is of two, and there is less",
            f"Name {'one' if wanted == 1 else 'two'}: mine.py:my_adam, torch.optim:Adam, a command, or a record.",
        )
    return there


def _too_many(there: Sequence[Party], wanted: int) -> str:
    kinds = [
        "a command" if party.command is not None else "a record" if party.recorded is not None else "a subject"
        for party in there
    ]
    if wanted == 1 and len(set(kinds)) > 1:
        return f"{' and '.join(dict.fromkeys(kinds))} are two questions"
    return f"there are {len(there)} implementations in question"


def _several(given: Any) -> list[Any]:
    return [] if given is None else list(given) if isinstance(given, list | tuple) else [given]


def _dealt_out(option: str, given: str | Sequence[str] | None, scripts: int) -> list[str | None]:
    """Give each script its name, in order; a lone name serves every script."""
    names: list[str | None] = _several(given)
    if names and not scripts:
        raise BadValue(f"{option} names something in a script, and there is none", "Name a file that ends in .py.")
    if len(names) > max(scripts, 1):
        raise BadValue(f"there are {len(names)} names to {option} and {scripts} scripts", "Give one for each script.")
    return names * scripts if len(names) == 1 else names + [None] * (scripts - len(names))


def judge(
    party: Party, against: Any, manner: Manner, keywords: Mapping[str, Any], mapping: Mapping[str, Any] | None
) -> Verdict:
    """Check a party against a rule; None: the one that its name claims, else it is identified, and the notes say so."""
    meanings.refuse_scheduler(party.named, party.name)
    keywords, mapping, followed = meanings.followed_apart(keywords, mapping)
    if followed:
        claimed = claimed_rule(party.name, rules.names()) if against is None else against
        against = meanings.following(party.name, None if claimed is None else find_rule(claimed), followed)
    return meanings.answered(party, manner, lambda one: _judged(one, against, manner, keywords, mapping))


def _judged(
    party: Party, against: Any, manner: Manner, keywords: Mapping[str, Any], mapping: Mapping[str, Any] | None
) -> Verdict:
    claimed = claimed_rule(party.name, rules.names()) if against is None else None
    if against is None and claimed is None:
        if manner.strict:
            raise BadValue(f"`{party.name}` claims no rule by its name", "Say whose defaults are to be held: against=.")
        verdict = _identified(party, manner, keywords, mapping)
        return replace(verdict, notes=(*verdict.notes, IDENTIFIED.format(verdict.against)))
    rule = _asked_by_gradients(find_rule(claimed if against is None else against))
    accepted = dialects_named(manner.dialects, [rule])
    held, options = sorted_arguments([rule], keywords, mapping, manner, party)
    there = _found(party, rule, manner, options)
    if isinstance(there, Subject):
        seen = meanings.observation_of(there, [rule], manner, party, held)
        if len(seen.pairs) == 1:
            observe = seen.pairs[0][1]
            check_taken(seen.subject, rule, held, observe=observe, strict=manner.strict, maximize=manner.maximize)
    with _told(party) as report:
        if isinstance(there, Record):
            verdict = records_checked.check_record(
                there, rule, strict=manner.strict, dialects=accepted, seconds=manner.seconds, knobs=held, report=report
            )
        elif len(seen.pairs) > 1:
            verdict = meanings.among(seen, manner, accepted, held, report)
        else:
            verdict = conformance.check(
                seen.subject, rule, observe=seen.pairs[0][1], strict=manner.strict, dialects=accepted,
                maximize=manner.maximize, seconds=manner.seconds, knobs=held, report=report,
            )  # fmt: skip
    verdict = verdict if isinstance(there, Record) else observation.told(verdict, seen)
    if claimed is None or party.name == claimed:
        return verdict
    return replace(verdict, notes=(*verdict.notes, NAMED_SO.format(claimed)))


def identify(party: Party, manner: Manner, keywords: Mapping[str, Any], mapping: Mapping[str, Any] | None) -> Verdict:
    """Find which rule of the library a party is."""
    return meanings.answered(party, manner, lambda one: _identified(one, manner, keywords, mapping))


def _identified(
    party: Party, manner: Manner, keywords: Mapping[str, Any], mapping: Mapping[str, Any] | None
) -> Verdict:
    library = _library()
    accepted = dialects_named(manner.dialects, library)
    held, options = sorted_arguments(library, keywords, mapping, manner, party)
    there = _found(party, _reading(party), manner, options)
    with _told(party) as report:
        if isinstance(there, Record):
            return records_checked.identify_record(
                there, library, dialects=accepted, seconds=manner.seconds, knobs=held, report=report
            )
        if not meanings.is_unsaid(party, manner):
            return conformance.identify(
                there, library, observe=manner.observe or "x", dialects=accepted, maximize=manner.maximize,
                seconds=manner.seconds, knobs=held, report=report,
            )  # fmt: skip
        seen = meanings.observation_of(there, library, manner, party, held)
        verdict = meanings.among(seen, manner, accepted, held, report)
    return observation.recognised(verdict, seen, party.read or "")


def explain(
    named: Any,
    stream: Any,
    manner: Manner,
    keywords: Mapping[str, Any],
    mapping: Mapping[str, Any] | None,
    *,
    why: str | None = None,
    each: assembly.Listener | None = None,
    in_full: bool = False,
) -> Explanation:
    """Explain a rule, or the rule that an implementation is found to be."""
    rule = rule_if_one(named)
    called = Party(named).name
    notes: tuple[str, ...] = ()
    knobs: dict[str, float] = {}
    if rule is None:
        rule, knobs, notes = _found_to_be(Party(named), manner, called)
    _asked_by_gradients(rule)
    arguments = {**manner.told, **({} if stream is None else {"stream": stream})}
    told = knobs_set(manner.verb, keywords, mapping, rule.knobs, arguments)
    rule.check_knobs({**rule.knobs, **told})
    knobs |= rule.settled({name: float(value) for name, value in told.items()})
    alike = neighbours.nearest(rule, _library())
    return assembly.explain(
        rule, called=called, beside=alike, stream=stream_text(stream), why=why or "", changed=knobs, notes=notes,
        each=each, in_full=in_full,
    )  # fmt: skip


def examine(named: Any) -> Explanation:
    """Say of a rule what it takes, keeps, costs and obeys, and what is near it; raises BadValue for what is none."""
    rule = rule_if_one(named)
    called = Party(named).name
    if rule is None:
        raise BadValue(
            f"{called} is no rule", "`mhat identify` and `mhat read` tell which rule an implementation follows."
        )
    return assembly.examine(rule, called=called, among=[other for other in _library() if other.tree != rule.tree])


def _found_to_be(party: Party, manner: Manner, called: str) -> tuple[Rule, dict[str, float], tuple[str, ...]]:
    """Identify an implementation: the rule that does what it does, its knobs, and how that was found."""
    verdict = identify(party, manner, {}, None)
    if verdict.diagnosis is None and not verdict.conforms:
        return _read_off(party, manner, called)
    changes = "" if verdict.diagnosis is None else f", but for this: {'; '.join(verdict.diagnosis.sentences)}"
    rule = find_rule(verdict.against) if verdict.diagnosis is None else verdict.diagnosis.rule
    told = {name: value for name, value in verdict.knobs.items() if rule.knobs.get(name, value) != value}
    note = f"{called} is no rule in itself: run from outside it is {verdict.against}{changes}. That rule is explained."
    return rule, {name: value for name, value in told.items() if name in rule.knobs}, (note,)


def _read_off(party: Party, manner: Manner, called: str) -> tuple[Rule, dict[str, float], tuple[str, ...]]:
    """Read the rule off what an implementation does, where it is none of the library, nor one with a mistake."""
    reading = read(party, replace(manner, verb="read"), {}, None)
    if reading.rule is None or not reading.complete:
        raise BadValue(
            f"{called} is no rule, it is none of the library either, and its steps could not be read as one",
            "Write its step as a rule: def NAME(x, g, t, m=0, *, lr=1e-3), one line an assignment.",
        )
    note = f"{called} is no rule in itself: this one was read from the operations of its steps, and does what it does"
    return reading.rule, {}, (note,)


def compare(
    pair: Sequence[Party], manner: Manner, keywords: Mapping[str, Any], mapping: Mapping[str, Any] | None
) -> Comparison:
    """Find where and why two parties part."""
    meant = [meanings.settled(party, manner) for party in pair]
    pair = [party for party, _ in meant]
    library = _library()
    held, options = sorted_arguments(library, keywords, mapping, manner, *pair)
    first, second = (_found(party, _reading(party), manner, options) for party in pair)
    with _told(*pair) as report:
        asked: dict[str, Any] = {"rules": library, "seconds": manner.seconds, "knobs": held, "report": report}
        if isinstance(first, Record) or isinstance(second, Record):
            return records_beside.compare_recorded(first, second, **asked)
        both = zip((first, second), pair, strict=True)
        seen = [meanings.observation_of(each, library, manner, party, held) for each, party in both]
        found = comparison.compare(*(each.subject for each in seen), **asked, pairs=[each.pairs for each in seen])
    return comparison.noted(found, *(note for _, note in meant))


def read(party: Party, manner: Manner, keywords: Mapping[str, Any], mapping: Mapping[str, Any] | None) -> Reading:
    """Find the pseudo code of what a party does."""
    if party.recorded is not None or party.command is not None:
        raise BadValue(
            f"`{party.name}` is no code in Python", "Only what runs in Python can be read; identify finds what it is."
        )
    rule = None if party.feed is not None else rule_if_one(party.named)
    if rule is not None:
        return readings.of_rule(rule, party.name)
    party, note = meanings.settled(party, manner)
    held, options = sorted_arguments(_library(), keywords, mapping, manner, party)
    claimed = claimed_rule(party.name, rules.names())
    there = _found(party, rules.named(claimed) if claimed else find_rule(ANY_KNOB), manner, {**options, **held})
    assert isinstance(there, Subject)
    with _told(party):
        reading = readings.read(there)
    return replace(reading, notes=(*reading.notes, *([note] if note else [])))


@contextmanager
def _told(*asked_about: Party) -> Iterator[Listener | None]:
    """Say on a terminal, after a second, what is being tried and what was found so far."""
    names = " and ".join(party.name for party in asked_about)
    with line(f"running {names}") as say:
        yield None if say is None else lambda text, share: say(f"{text} ({share:.0%} of the time)")


def _found(party: Party, rule: Rule, manner: Manner, options: Mapping[str, Any]) -> Subject | Record:
    if party.recorded is not None:
        for option in options:
            raise rule.unknown_knob(option, "A record takes no options.")
        return records.record_of(party.recorded, manner.observe or "x", manner.columns)
    observe = "" if meanings.is_unsaid(party, manner) else manner.observe or "x"
    return find_subject(
        party.named, against=rule, observe=observe, options=options, dtype=manner.dtype, feed=party.feed,
        read=party.read, command=party.command, tensors=manner.tensors, limit=manner.timeout, memory=manner.memory,
        in_process=manner.in_process, convention=manner.convention,
    )  # fmt: skip


def _reading(party: Party) -> Rule:
    """Give the rule by whose knobs ambiguous names of a party are read when nobody says what it is."""
    return rules.named(claimed_rule(party.name, rules.names()) or "adam")


def _library() -> list[Rule]:
    """List the rules that a subject may be found to be: none is given a loss, or a second array."""
    return [rule for rule in map(rules.named, rules.names()) if conformance.can_be_found(rule)]


def _asked_by_gradients(rule: Rule) -> Rule:
    """Refuse a rule that reads what nobody here gives it; raises BadValue."""
    for name in rule.tree.given:
        raise lacking(rule, name, "here there are gradients alone")
    return rule


def sorted_arguments(
    among: Iterable[Rule],
    keywords: Mapping[str, Any],
    mapping: Mapping[str, Any] | None,
    manner: Manner,
    *asked_about: Party,
) -> tuple[dict[str, float], dict[str, Any]]:
    """Sort what is given by name into knobs of the rules, which are held, and options of a constructor."""
    known = {name for rule in among for name in rule.knobs}
    held: dict[str, float] = {}
    options: dict[str, Any] = {}
    arguments = manner.told | {name: value for party in asked_about for name, value in party.told.items()}
    for name, value in knobs_set(manner.verb, keywords, mapping, known, arguments).items():
        if isinstance(value, list | tuple) and name in known:
            raise BadValue(f"{name}={value!r} is a sweep", f"Give {name} once: a check takes one value of it.")
        if isinstance(value, str) and name in known:
            raise BadValue(f"{name}={value!r} is not a number", f"Give {name} a number.")
        is_knob = name in known and isinstance(value, int | float) and not isinstance(value, bool)
        (held if is_knob else options)[name] = value
    return held, options
