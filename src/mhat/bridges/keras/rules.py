"""Rules as a Keras optimizer is given them and as its configuration holds them: source text, never code.

It knows no variables but their names and shapes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mhat.bridges.keras.backends import keras
from mhat.bridges.numpy.parts import Choice, matrices, parts_of, rest, the_one_with
from mhat.engines.program import lacking
from mhat.errors import BadValue, UnknownName
from mhat.language import of_tree
from mhat.language import rule as rule_of
from mhat.language.definition import Rule
from mhat.language.settings import knobs_set
from mhat.names import find_rule
from mhat.printers.python import rule_text

CHOICES = {choice.name: choice for choice in (matrices, rest)}


def rules_found(rule: Any) -> list[tuple[Rule, Any]]:
    """Find the rules that are meant, each with its choice of variables (None: all).

    Raises UnknownName, BadValue, LanguageError, InputFileError.
    """
    if not isinstance(rule, Mapping):
        return [(readable(find_rule(rule)), None)]
    if not rule:
        raise BadValue("there is no rule", "Give rules with what each takes: {muon: mhat.matrices, adamw: mhat.rest}.")
    found: dict[str, tuple[Rule, Any]] = {}
    for each, choice in rule.items():
        one = readable(find_rule(each))
        if one.name in found:
            raise BadValue(f"two rules are called {one.name}", "Give one of them another name: knobs go by name.")
        found[one.name] = one, choice
    return list(found.values())


def knobs_told(
    found: Sequence[tuple[Rule, Any]], named: Mapping[str, Any], mapping: Any, options: Sequence[str],
    said: Mapping[str, Any],
) -> dict[str, dict[str, Any]]:  # fmt: skip
    """Sort what was said of knobs by the rules that have them; raises UnknownName or BadValue.

    `options`: the arguments of the optimizer that are no knobs, `said` those of them that the call gives.
    """
    rules = {rule.name: rule for rule, _ in found}
    more = f"Options: {', '.join(options)}."
    if found[0][1] is None:
        (rule,) = rules.values()
        own = {rule.name: knobs_set("Optimizer", named, mapping, rule.knobs, said)}
    else:
        own = _by_rule(rules, mapping)
        for knob, value in named.items():
            name = the_one_with(rules, knob, options)
            if knob in own[name]:
                raise BadValue(f"the knob `{knob}` is given twice", "Give it by keyword or in knobs={...}.")
            own[name][knob] = value
    for name, told in own.items():
        for knob in told:
            if knob not in rules[name].knobs:
                raise rules[name].unknown_knob(knob, more)
    return own


def readable(rule: Rule) -> Rule:
    """Refuse a rule that reads what a Keras optimizer is not given; raises BadValue, and LanguageError if no rule."""
    for name in rule.tree.given:
        cure = "Choose another rule, or step by hand: mhat.step and the step of mhat.Optimizer are given it."
        raise lacking(rule, name, "Keras gives an optimizer gradients alone", cure)
    return rule


def shared_out(told: Sequence[tuple[Rule, Any]], variables: Sequence[Any], paths: Sequence[str]) -> list[list[int]]:
    """Say which variables each rule takes, by their places; raises UnknownName or BadValue."""
    if len(told) == 1 and told[0][1] is None:
        return [list(range(len(variables)))]
    names = ["".join(f"[{part!r}]" for part in path.split("/")) for path in paths]
    chosen = {rule: _by_path(choice, paths) for rule, choice in told}
    return [places for _, places in parts_of(chosen, names, paths, variables)]


def _by_path(choice: Any, paths: Sequence[str]) -> Any:
    """Find the variables that names mean: a path as Keras shows it, or some of its parts in a row.

    Models that were given no name have a numbered one, `sequential_3/dense/kernel`, which nobody wants to write.
    """
    if isinstance(choice, str):
        choice = [choice]
    if not isinstance(choice, list | tuple | set | frozenset):
        return choice
    found = []
    for each in choice:
        wanted = f"/{str(each).strip('/')}/"
        meant = [path for path in paths if wanted in f"/{path}/"]
        if not meant:
            raise UnknownName("variable", str(each), paths)
        found += [path.replace("/", ".") for path in meant]
    return found


def _by_rule(rules: Mapping[str, Any], mapping: Any) -> dict[str, dict[str, Any]]:
    own: dict[str, dict[str, Any]] = {name: {} for name in rules}
    shape = f'knobs={{"{next(iter(rules))}": {{"lr": ...}}}}'
    if mapping is not None and not isinstance(mapping, Mapping):
        raise BadValue(f"knobs={mapping!r} is no mapping", f"Give them by rule: {shape}.")
    for rule, knobs in (mapping or {}).items():
        name = rule.name if isinstance(rule, Rule) else str(rule)
        if name not in own:
            raise BadValue(f"`{name}` is no rule of this optimizer", f"Its rules: {', '.join(own)}.")
        if not isinstance(knobs, Mapping):
            raise BadValue(f"the knobs of {name} are {knobs!r}", f"Give names and values: {shape}.")
        own[name] |= {str(knob): value for knob, value in knobs.items()}
    return own


def written(rule: Rule) -> dict[str, Any]:
    """Write a rule for a configuration: its source, its paper, what it says of its knobs."""
    return {"source": rule_text(rule.tree), "paper": rule.paper, "knobs": rule.knob_sentences}


def read(config: Mapping[str, Any]) -> Rule:
    """Read the rule of a configuration: it is parsed, and nothing of it is run; raises LanguageError."""
    return of_tree(rule_of(config["source"]).tree, paper=config.get("paper", ""), knobs=config.get("knobs", {}))


def setting_written(value: Any) -> Any:
    """Write a knob for a configuration: a number as it is, a schedule as Keras does."""
    return value if isinstance(value, float) else keras.saving.serialize_keras_object(value)


def setting_read(value: Any, custom_objects: Any = None) -> Any:
    """Read a knob of a configuration."""
    if isinstance(value, dict):
        return keras.saving.deserialize_keras_object(value, custom_objects=custom_objects)
    return value


def choice_written(choice: Any, paths: Sequence[str] | None) -> Any:
    """Write which variables a rule takes; `paths`: those that it took, where that is known already."""
    if isinstance(choice, Choice):
        return choice.name
    if isinstance(choice, str):
        return [choice]
    if isinstance(choice, list | tuple | set | frozenset):
        return sorted(map(str, choice)) if isinstance(choice, set | frozenset) else list(map(str, choice))
    if paths is None:
        raise BadValue(
            "the variables of a rule are chosen by a function, which a configuration cannot hold",
            "Save after the optimizer was built (the names are kept then), or choose by names.",
        )
    return list(paths)


def choice_read(choice: Any) -> Any:
    """Read which variables a rule takes."""
    return CHOICES.get(choice, choice) if isinstance(choice, str) else choice
