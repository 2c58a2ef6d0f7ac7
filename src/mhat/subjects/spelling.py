"""Knobs under the names that others give them: learning_rate, b1, betas, epsilon. It runs nothing."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from mhat.errors import BadValue, SubjectError, UnknownName
from mhat.language.vocabulary import ALIASES, BETAS, VOCABULARY, plain_spelling

STARTS = (
    "start", "x0", "theta0", "w0", "p0", "init", "initial", "params0", "param0", "xstart", "xinit", "thetainit",
    "winit", "initparams", "initialparams", "initx", "inittheta", "initw",
)  # fmt: skip

# What these mean depends on the rule; without one they mean nothing.
AMBIGUOUS = frozenset({"beta", "gamma", "decay", "mu", "delta", "v1", "v2", "momentum", "rho", "beta1", "beta2"})

USUAL = {"lr": 1e-3, "beta1": 0.9, "beta2": 0.999, "beta3": 0.99, "eps": 1e-8, "weight_decay": 0.0, "momentum": 0.9,
         "rho": 0.9}  # fmt: skip
# Switched off where the rule in question does not have them; whoever has one on is no other rule for it.
SWITCHES = ("momentum", "weight_decay", "dampening")
OFF_IF_NONE = frozenset({"weight_decay", "momentum"})


@dataclass(frozen=True)
class SpelledKnobs:
    """How a function takes what we have: the name of its start, and of each knob (ours to theirs)."""

    start: str | None = None
    knobs: Mapping[str, str] = field(default_factory=dict)
    betas: str | None = None
    defaults: Mapping[str, float] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    free: bool = False
    switched: Mapping[str, float | None] = field(default_factory=dict)  # off now, and what it was; None: asked for

    @property
    def names(self) -> frozenset[str]:
        """The knobs it takes, in our spelling."""
        return frozenset(self.knobs) | (frozenset(self._in_tuple) if self.betas else frozenset())

    def yielding(self, other: SpelledKnobs) -> SpelledKnobs:
        """Leave out what goes by another name here and by its own there: `eta` beside `lr` is no learning rate."""
        lost = {
            ours
            for ours, theirs in self.knobs.items()
            if ours not in self.required
            and plain_spelling(theirs) != plain_spelling(ours) == plain_spelling(other.knobs.get(ours, ""))
        }
        kept = {ours: theirs for ours, theirs in self.knobs.items() if ours not in lost}
        return replace(self, knobs=kept, defaults={k: v for k, v in self.defaults.items() if k not in lost})

    @property
    def _in_tuple(self) -> tuple[str, ...]:
        return tuple(name for name in BETAS if name in self.defaults and name not in self.knobs)

    def arguments(self, knobs: Mapping[str, float]) -> dict[str, Any]:
        """Give knobs as the keyword arguments that say them; a required one that is not told has its default."""
        told = {**{name: self.defaults[name] for name in self.required}, **knobs}
        arguments: dict[str, Any] = {self.knobs[name]: told[name] for name in told if name in self.knobs}
        if self.betas and any(name in told for name in self._in_tuple):
            arguments[self.betas] = tuple(told.get(name, self.defaults[name]) for name in self._in_tuple)
        return arguments


@dataclass(frozen=True)
class Keywords:
    """What something is called with: its spelling of the knobs, other keywords, and knobs held from the outset."""

    spelling: SpelledKnobs
    options: Mapping[str, Any] = field(default_factory=dict)
    held: Mapping[str, float] = field(default_factory=dict)

    @property
    def defaults(self) -> dict[str, float]:
        """The values of the knobs if not told."""
        return {**self.spelling.defaults, **self.held}

    def arguments(self, knobs: Mapping[str, float]) -> dict[str, Any]:
        """Give the keyword arguments of one run."""
        return {**self.options, **self.spelling.arguments({**self.held, **knobs})}

    def check_known(self, name: str, expected: str) -> None:
        """Refuse what must be called with something that is neither a knob nor told; raises SubjectError."""
        if self.spelling.unknown:
            listed = ", ".join(f"`{parameter}`" for parameter in self.spelling.unknown)
            raise SubjectError(name, f"asks for {listed}, which mhat does not know", f"Give it a default. {expected}")


def keywords_of(
    name: str,
    parameters: Iterable[inspect.Parameter],
    rule_knobs: Mapping[str, float] | None = None,
    options: Mapping[str, Any] | None = None,
    skip: Iterable[str] = (),
    meant: Mapping[str, str] | None = None,
) -> Keywords:
    """Read a signature (see `spelling_of`) and sort `options` into knobs and other keywords.

    Raises UnknownName for an option that `name` does not take, BadValue for words in place of yes, no or a number.
    """
    listed, skipped = list(parameters), set(skip)
    spelling = spelling_of(listed, rule_knobs, skipped, meant)
    ours = {theirs: knob for knob, theirs in spelling.knobs.items()}
    takes = {p.name for p in listed if p.kind in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)} - skipped
    others, held = {}, {}
    for option, value in (options or {}).items():
        knob = ours.get(option, option)
        if knob in spelling.names and _is_number(value):
            held[knob] = float(value)
        elif option in takes or spelling.free:
            _check_words(option, value, next((parameter for parameter in listed if parameter.name == option), None))
            others[option] = value
        else:
            raise UnknownName(f"option of {name}", option, takes | spelling.names)
    left = tuple(parameter for parameter in spelling.unknown if parameter not in others)
    return Keywords(replace(spelling, unknown=left), others, held)


def _check_words(option: str, value: Any, parameter: inspect.Parameter | None) -> None:
    """Refuse words for what is taken as yes, no or a number: any word would be as good as yes."""
    if not isinstance(value, str) or parameter is None:
        return
    annotation = inspect.formatannotation(parameter.annotation)
    if isinstance(parameter.default, bool) or ("bool" in annotation and "str" not in annotation):
        raise BadValue(f"`{option}={value}` is neither true nor false", f"Give `{option}` one of them.")
    if _is_number(parameter.default):
        raise BadValue(f"`{option}={value}` is not a number", f"Give `{option}` a number.")


def spelling_of(
    parameters: Iterable[inspect.Parameter],
    rule_knobs: Mapping[str, float] | None = None,
    skip: Iterable[str] = (),
    meant: Mapping[str, str] | None = None,
) -> SpelledKnobs:
    """Find out which parameters are the start and the knobs of a rule.

    `rule_knobs`: the knobs of the rule it claims to be, with their defaults: what `alpha` or `decay` mean depends
    on it. `skip`: parameters that have another meaning. `meant`: theirs to ours, where it is known.
    """
    skipped = set(skip)
    usable, free = {}, False
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            free = True
        elif parameter.kind not in (parameter.VAR_POSITIONAL, parameter.POSITIONAL_ONLY):
            usable[parameter.name] = parameter
    left = {plain_spelling(name): name for name in usable if name not in skipped}
    start = next((left.pop(name) for name in STARTS if name in left), None)
    betas = left.pop("betas", None)
    tuple_defaults = _betas(usable[betas], rule_knobs) if betas else {}
    knobs = _matched(left, rule_knobs, meant or {}, set(tuple_defaults))
    defaults, required = dict(tuple_defaults), []
    for ours, theirs in knobs.items():
        default = usable[theirs].default
        if default is inspect.Parameter.empty:
            required.append(ours)
            defaults[ours] = {**USUAL, **(rule_knobs or {})}.get(ours, 0.0)
        elif _is_number(default):
            defaults[ours] = float(default)
        elif default is None and ours in OFF_IF_NONE:
            defaults[ours] = 0.0
    switched = _switched_off(knobs, defaults, rule_knobs, set(required))
    defaults |= dict.fromkeys(switched, 0.0)
    required += [ours for ours in switched if ours not in required]
    if betas and usable[betas].default is inspect.Parameter.empty:
        required += list(tuple_defaults)
    taken = {*knobs.values(), start, betas, *skipped}
    unknown = tuple(n for n, p in usable.items() if n not in taken and p.default is inspect.Parameter.empty)
    return SpelledKnobs(start, knobs, betas, defaults, tuple(required), unknown, free, switched)


def _switched_off(
    knobs: Mapping[str, str],
    defaults: Mapping[str, float],
    rule_knobs: Mapping[str, float] | None,
    required: set[str],
) -> dict[str, float | None]:
    """List the knobs that are on by default, or must be given, and that the rule in question does not have."""
    if not rule_knobs:
        return {}
    there = [ours for ours in SWITCHES if ours in knobs and ours not in rule_knobs]
    return {
        ours: None if ours in required else defaults[ours]
        for ours in there
        if ours in required or defaults.get(ours, 0.0) != 0.0
    }


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)


def _betas(parameter: inspect.Parameter, rule_knobs: Mapping[str, float] | None) -> dict[str, float]:
    """Give the values of a tuple of betas if not told, by our names."""
    ours = [name for name in BETAS if rule_knobs and name in rule_knobs] or ["beta1", "beta2"]
    default = parameter.default
    if isinstance(default, list | tuple) and default and all(map(_is_number, default)):
        return {f"beta{i + 1}": float(value) for i, value in enumerate(default[:3])}
    return {name: {**USUAL, **(rule_knobs or {})}[name] for name in ours}


def _matched(
    left: dict[str, str], rule_knobs: Mapping[str, float] | None, meant: Mapping[str, str], taken: set[str]
) -> dict[str, str]:
    """Match a signature with our names: the rule's own first, spelled exactly or not, then those of other rules."""
    matched = {
        ours: left.pop(plain_spelling(theirs)) for theirs, ours in meant.items() if plain_spelling(theirs) in left
    }
    first = [name for name in rule_knobs or VOCABULARY if name not in taken]
    for name in first:
        if name not in matched and plain_spelling(name) in left:
            matched[name] = left.pop(plain_spelling(name))
    for name in [*(first if rule_knobs else ()), *VOCABULARY]:
        if name in matched or name in taken:
            continue
        spellings = (plain_spelling(name), *ALIASES.get(name, ()))
        sure = [spelled for spelled in spellings if spelled in left and _means(spelled, name, rule_knobs)]
        if sure:
            matched[name] = left.pop(sure[0])
    return matched


def _means(spelled: str, name: str, rule_knobs: Mapping[str, float] | None) -> bool:
    """Whether a spelling can only mean this knob."""
    if name in (rule_knobs or {}) or spelled == plain_spelling(name):
        return True
    if name == "momentum" and spelled in ("mu", "beta") and set(rule_knobs or {}) == {"lr"}:
        return True
    return spelled not in AMBIGUOUS and (spelled != "alpha" or name == "lr")
