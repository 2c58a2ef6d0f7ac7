"""Lines of code to paste: an optimizer with its knobs, and what has to be done before each step. It runs nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping

from mhat.conversions.entries import NEUTRAL, Entry, Form
from mhat.conversions.matching import Match, value_of
from mhat.language import Rule
from mhat.notation.decimals import exact
from mhat.printers import python

WIDTH = 76
BEFORE = "# before each step:"


def lines_of(match: Match, knobs: Mapping[str, float]) -> str:
    """Write an optimizer that stands for one with `knobs`: one call, and what has to be done before each step."""
    framework, entry = match.framework, match.entry
    values = {knob: value_of(text, knobs) for knob, text in match.expressions.items()}
    scheduled = {knob: code_of(text, knobs) for knob, text in match.schedules.items()}
    inline = scheduled if framework.schedule else {}
    call = entry.call
    if set(inline) - {"lr"}:
        call = framework.injected.format(call=call)
    texts = {knob: framework.schedule.format(expression=_of_count(text)) for knob, text in inline.items()}
    lead = framework.lead if entry.lead is None else entry.lead
    made = _call(call, lead, arguments_of(entry, match.form, values, texts))
    for recipe in match.recipes:
        told = {knob: exact(value) for knob, value in {**knobs, **values, "half_l2": knobs.get("l2", 0.0) / 2}.items()}
        made = recipe.template.format(
            line=made.replace("\n", "\n    ") if "\n    {line}" in recipe.template else made, **told
        )
    lines = _once([f"{framework.made} = {made}"])
    if scheduled and not inline:
        if framework.warning and set(scheduled) - {"lr"}:
            named = " and ".join(entry.knobs[knob][0] for knob in scheduled if knob != "lr")
            lines.append(f"# {framework.warning.format(theirs=named)}")
        lines.append("# before step t = 1, 2, ...:")
        lines += [
            framework.anew.format(theirs=entry.knobs[knob][0], expression=text) for knob, text in scheduled.items()
        ]
    return "\n".join(lines)


def lines_of_rule(rule: Rule) -> str:
    """Write a rule that is in no library as mhat's optimizer takes it."""
    return f'rule = mhat.rule("""\n{python.rule_text(rule)}\n""")\noptimizer = mhat.Optimizer(rule, params)'


def arguments_of(
    entry: Entry, form: Form, values: Mapping[str, float], texts: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Give the keywords that must be given: lr, and whatever is not as the framework has it by default."""
    arguments: dict[str, str] = {}
    for knob, (theirs, default) in entry.knobs.items():
        base, bracket, _ = theirs.partition("[")
        if knob in form.lacks:
            # What means nothing to a form is off, and must be said where it is on by default.
            if default != NEUTRAL[knob]:
                arguments[base] = exact(NEUTRAL[knob])
            continue
        if texts and knob in texts:
            arguments[base] = texts[knob]
        elif bracket:
            parts = [each for each, (called, _) in entry.knobs.items() if called.startswith(f"{base}[")]
            if any(values[part] != entry.knobs[part][1] for part in parts):
                arguments[base] = f"({', '.join(exact(values[part]) for part in parts)})"
        elif knob == "lr" or values[knob] != default:
            arguments[base] = exact(values[knob])
    switched = {
        switch: str(form.switches[switch])
        for switch in form.switches
        if form.switches[switch] != entry.switches[switch]
    }
    return {**arguments, **switched, **entry.always}


def _call(call: str, lead: str, arguments: Mapping[str, str]) -> str:
    told = [*([lead] if lead else []), *(f"{name}={text}" for name, text in arguments.items())]
    line = f"{call}({', '.join(told)})"
    if len(line) + len("optimizer = ") <= WIDTH:
        return line
    rows, inset = [""], "    "
    for each in told:
        if rows[-1] and len(inset) + len(rows[-1]) + len(each) + 3 > WIDTH:
            rows.append("")
        rows[-1] += f" {each}," if rows[-1] else f"{each},"
    return "\n".join([f"{call}(", *(f"{inset}{row}" for row in rows), ")"])


def code_of(text: str, knobs: Mapping[str, float]) -> str:
    """Write an expression of knobs and t in Python, with numbers for the knobs."""
    rooted = re.sub(r"sqrt\((1 - beta2\*\*t)\)", r"(\1) ** 0.5", text)
    return re.sub(r"[A-Za-z_]\w*", lambda found: exact(knobs[found[0]]) if found[0] in knobs else found[0], rooted)


def _once(lines: list[str]) -> list[str]:
    """Say only once that lines stand before each step."""
    rows = "\n".join(lines).split("\n")
    return [row for i, row in enumerate(rows) if row != BEFORE or row not in rows[:i]]


def _of_count(text: str) -> str:
    return re.sub(r"\bt\b", "(count + 1)", text)
