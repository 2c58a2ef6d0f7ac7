"""A rule as users hold it: the tree, its source text, and what its paper is. It knows no engine's arrays.

Parsing waits until something of the tree is asked for, so that importing a library of rules is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, overload

from mhat.displays import shown
from mhat.errors import BadValue, LanguageError, UnknownName
from mhat.language import source as sources
from mhat.language.inference import (
    Dependence,
    Level,
    Shape,
    averages_squares,
    dependence,
    level,
    ranks_of,
    shapes,
    sizes_of,
)
from mhat.language.parsing import Parsed, flattening, parse_source
from mhat.language.tree import Expression, Tree
from mhat.language.values import value_of
from mhat.language.vocabulary import VOCABULARY, Meaning, meaning_of, meant_by
from mhat.language.walking import names_in
from mhat.ops.doubles import Double


class Rule:
    """One update step written as a Python function: pseudo code that runs.

    Made by the decorator `rule`, from a string by `rule(text)`, or from a tree by `of_tree`. Calling it runs
    the user's own function on floats, for the debugger; a rule made from a string or a tree has no function.
    """

    def __init__(
        self,
        origin: Callable[..., Any] | str | sources.SourceText | Tree,
        *,
        paper: str = "",
        knobs: dict[str, str] | None = None,
        doc: str = "",
        flatten: str | None = None,
    ) -> None:
        self._flatten = flattening(flatten)
        self._origin = origin
        self._paper = paper
        self._knob_sentences = knobs or {}
        self._doc = doc
        if callable(origin):
            self.__wrapped__ = origin
            self.__doc__ = origin.__doc__
            self.__module__ = getattr(origin, "__module__", __name__)
            self.__name__ = getattr(origin, "__name__", type(origin).__name__)

    @cached_property
    def source(self) -> sources.SourceText:
        """The text the rule was read from, with its file and line."""
        if isinstance(self._origin, Tree):
            return sources.of_text("")
        if isinstance(self._origin, sources.SourceText):
            return self._origin
        return sources.of_text(self._origin) if isinstance(self._origin, str) else sources.of_function(self._origin)

    @cached_property
    def _parsed(self) -> Parsed:
        if isinstance(self._origin, Tree):
            return Parsed(self._origin, self._doc, self._paper)
        parsed = parse_source(self.source)
        if self._flatten is None:
            return parsed
        return replace(parsed, tree=replace(parsed.tree, flatten=self._flatten))

    @property
    def tree(self) -> Tree:
        """The parse tree; raises LanguageError at the first look if the text is not in the rule language."""
        return self._parsed.tree

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.tree.name

    @property
    def paper(self) -> str:
        """The publication the rule follows, or nothing."""
        return self._paper or self._parsed.paper

    @property
    def doc(self) -> str:
        """What the docstring says."""
        return self._parsed.doc

    @cached_property
    def level(self) -> Level:
        """What one coordinate's update looks at."""
        return level(self.tree)

    @cached_property
    def dependence(self) -> Dependence:
        """What each name depends on."""
        return dependence(self.tree)

    @cached_property
    def shapes(self) -> dict[str, Shape]:
        """The shape of each name as if every tensor were a matrix."""
        return shapes(self.tree)

    def shape_of(self, name: str, tensor: tuple[int, ...]) -> tuple[int, ...]:
        """Give the shape of a name where the tensor has the given one (for a matrix rule: of two dimensions)."""
        return sizes_of(self.shapes[name], tensor, self.ranks)

    @cached_property
    def ranks(self) -> dict[str, int]:
        """Dimensions that are as long as a knob says, `@rank`, with its default."""
        return ranks_of(self.tree)

    def sized(self, knobs: Mapping[str, Any]) -> Rule:
        """Give the rule with the knobs that count columns at what they are set to: states have their shapes of them."""
        given = {name[1:]: knobs[name[1:]] for name in self.ranks if name[1:] in knobs}
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, int | float) or value < 1 or value != int(value):
                raise BadValue(f"{name}={value!r} counts no columns", f"Give {name} one whole number from 1 on.")
        if all(value == self.knobs[name] for name, value in given.items()):
            return self
        new = tuple(replace(knob, default=float(given.get(knob.name, knob.default))) for knob in self.tree.knobs)
        return of_tree(replace(self.tree, knobs=new), paper=self.paper, doc=self.doc, knobs=self._knob_sentences)

    @property
    def knobs(self) -> dict[str, float]:
        """Names and defaults of the knobs."""
        return {knob.name: knob.default for knob in self.tree.knobs}

    def settled(self, given: Mapping[str, Any], over: Callable[..., Any] | None = None) -> dict[str, Any]:
        """Give the knobs that are given, and those whose defaults are made of them.

        `over(function, *values)` applies a function of numbers where the values are more than numbers.

        >>> made = rule('def f(x, g, *, lr=0.1, beta2=0.99, beta3="sqrt(beta2)"): return x - lr * beta3 * g')
        >>> made.knobs["beta3"] == 0.99**0.5, made.settled({"beta2": 0.25})
        (True, {'beta2': 0.25, 'beta3': 0.5})
        """
        made = dict(given)
        for knob in self.tree.knobs:
            node = knob.expression
            if node is None or knob.name in made or names_in(node).isdisjoint(made):
                continue
            known = {**self.knobs, **made}
            read = sorted(names_in(node))

            def value(*values: float, node: Expression = node, read: list[str] = read) -> float:
                return value_of(node, dict(zip(read, map(float, values), strict=True)))

            values = [known[name] for name in read]
            plain = over is None or all(isinstance(each, int | float) for each in values)
            made[knob.name] = value(*values) if plain or over is None else over(value, *values)
        return made

    @property
    def knob_sentences(self) -> dict[str, str]:
        """What the rule itself says of its own knobs, beside the vocabulary that all rules share."""
        return dict(self._knob_sentences)

    @property
    def variables(self) -> tuple[str, ...]:
        """Names that the rule assigns: each is traceable."""
        return self.tree.variables

    def meaning(self, knob: str) -> Meaning:
        """What a knob means and where it may lie."""
        known = meaning_of(knob)
        return replace(known, sentence=self._knob_sentences.get(knob) or self._sentence(knob, known))

    def _sentence(self, knob: str, known: Meaning) -> str:
        """Say of a knob what is true of this rule."""
        if knob not in VOCABULARY and not self.paper:
            return "a number of the rule's own"
        told_apart = known.without_squares and not averages_squares(self.tree, knob)
        return known.without_squares if told_apart else known.sentence

    def check_knobs(self, knobs: dict[str, Any]) -> None:
        """Refuse unknown knobs and numbers out of their range; raises UnknownName or BadValue."""
        own = self.knobs
        for name, value in knobs.items():
            if name not in own:
                raise self.unknown_knob(name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise BadValue(f"{name}={value!r} is not a number", f"Give {name} a number.")
            meaning = self.meaning(name)
            if not meaning.allows(value):
                raise BadValue(
                    f"{name}={value!r} is out of its range ({meaning.sentence})",
                    f"Choose {name} with {meaning.range.replace('value', name)}.",
                )

    def unknown_knob(self, name: str, more: str = "") -> UnknownName:
        """Say that there is no such knob, and which one is meant if others call it so."""
        return UnknownName(f"knob of {self.name}", name, self.knobs, more, meant_by(name, self.knobs))

    def __call__(self, /, *args: float, **named: float) -> float:
        if not callable(self._origin):
            raise BadValue(
                f"{self.name} was made from text, and text is never executed",
                "Use mhat.step or mhat.trace to run it.",
            )
        ordered = [_number(self, value) for value in args]
        given = {name: _number(self, value) for name, value in named.items()}
        return float(self._origin(*ordered, **given, **self._defaults(ordered, given)))

    def _defaults(self, ordered: list[Double], given: dict[str, Double]) -> dict[str, Double]:
        """Values for what the caller leaves out, as numbers that divide like the engines do."""
        positional = (*self.tree.inputs, *self.tree.state_names)
        known = dict(zip(positional, ordered, strict=False)) | given
        told = self.settled({name: float(value) for name, value in known.items() if name in self.knobs})
        missing = {name: Double(value) for name, value in {**self.knobs, **told}.items() if name not in known}
        for state in self.tree.states:
            if state.name not in known and names_in(state.start) <= {*known, *missing}:
                missing[state.name] = Double(value_of(state.start, known | missing))
        return missing

    def __str__(self) -> str:
        """The pseudo code, printed from the tree."""
        return shown("rule", "text", self)

    def _repr_html_(self) -> str:
        return shown("rule", "html", self)

    def _repr_latex_(self) -> str | None:
        try:
            return shown("rule", "latex", self)
        except LanguageError:  # a notebook asks for the HTML too, and that is refused already
            return None

    def __repr__(self) -> str:
        name = getattr(self, "__name__", None) or self.name
        return f"<rule {name}>"

    def __copy__(self) -> Rule:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Rule:
        # It never changes.
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        """Go to another process as text or tree: there nothing is run, and a call says so."""
        origin = self._origin if isinstance(self._origin, Tree) else self.source
        return _again, (origin, self._paper, self._knob_sentences, self._doc, self._flatten)

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Rule) and self.tree == other.tree)

    @cached_property
    def _hash(self) -> int:
        return hash(self.tree)

    def __hash__(self) -> int:
        return self._hash


def _again(origin: sources.SourceText | Tree, paper: str, knobs: dict[str, str], doc: str, flatten: str | None) -> Rule:
    return Rule(origin, paper=paper, knobs=knobs, doc=doc, flatten=flatten)


def _number(rule: Rule, value: Any) -> Double:
    try:
        return Double(value)
    except (TypeError, ValueError):
        raise BadValue(
            f"{rule.name} was called with {type(value).__name__}, and a call runs it on floats",
            "Use mhat.step(rule, x, g, t, state) for arrays.",
        ) from None


@overload
def rule(origin: Callable[..., Any] | str, /) -> Rule: ...
@overload
def rule(
    *, paper: str = "", knobs: dict[str, str] | None = None, flatten: str | None = None
) -> Callable[[Callable[..., Any]], Rule]: ...
def rule(
    origin: Callable[..., Any] | str | None = None,
    /,
    *,
    paper: str = "",
    knobs: dict[str, str] | None = None,
    flatten: str | None = None,
) -> Rule | Callable[[Callable[..., Any]], Rule]:
    """Make a rule of a function, as a decorator, or of a text, which is parsed and never executed.

    `paper` names the publication, `knobs` says in a sentence what the rule's own knobs mean. `flatten` says how a rule
    with matrix operations sees a tensor of more than two dimensions: "first", all axes but the first together, or
    "last"; without it no such tensor is taken. A text that is not in the rule language raises LanguageError at once; a
    decorated function when it is first used.

    >>> sgd = rule("def sgd(x, g, *, lr=0.1): return x - lr * g")
    >>> sgd.name, str(sgd.level), sgd.knobs
    ('sgd', 'per coordinate', {'lr': 0.1})
    """
    if origin is None:
        return lambda function: Rule(function, paper=paper, knobs=knobs, flatten=flatten)
    if isinstance(origin, Rule):
        return origin
    made = Rule(origin)
    if isinstance(origin, str):
        _ = made.tree
    elif not callable(origin):
        raise LanguageError(f"{origin!r} is neither a function nor text", "Give a function, or its text.")
    return made


def of_tree(tree: Tree, *, paper: str = "", doc: str = "", knobs: dict[str, str] | None = None) -> Rule:
    """Wrap a tree that code has made (an edit, a modifier) as an ordinary rule; `knobs` as in `rule`."""
    return Rule(tree, paper=paper, doc=doc, knobs=knobs)


def of_source(
    source: sources.SourceText, *, paper: str = "", knobs: dict[str, str] | None = None, flatten: str | None = None
) -> Rule:
    """Make a rule of a text that stands in a file, which is not run; the rest is as in `rule`."""
    return Rule(source, paper=paper, knobs=knobs, flatten=flatten)
