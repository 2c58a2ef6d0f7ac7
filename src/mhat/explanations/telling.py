"""Claims as passages: which section they stand in, under which heading, and how their evidence is shown.

It knows no dress and computes nothing.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator, Mapping, Sequence

from mhat.explanations.claims import Broken, Claim, Comparison, Evidence, Number, Proof, Run, Trials, four_digits
from mhat.language import Rule
from mhat.notation.decimals import exact
from mhat.printers.latex import lines_latex
from mhat.printers.mathml import lines_mathml
from mhat.printers.python import expression_text, line_text, rule_text
from mhat.writing.passages import Grid, Line, Listing, Paragraph, Passage, Statement, Statements

# The sections of a page in their order, with what stands above them; a topic that is not here has its own name.
TITLES = {
    "why": "Why it does not move as {beside} does",
    "question": "{question}",
    "lines": "Line by line",
    "stream": "On {stream}",
    "memory": "What it remembers",
    "numbers": "Numbers that mean something",
    "laws": "Laws",
    "knobs": "What each knob does",
    "cost": "What a step costs",
    "near": "Nearest relatives in the library",
}
# So many runs of what was only tried are shown.
FEW = 8
WITHIN = {"without": "lines"}
# Laws that hold for most rules: kept, they are said in one sentence, each in so few words.
USUAL = {
    "sign symmetry": "up and down are alike",
    "translation": "where x is does not matter",
    "learning rate": "twice the learning rate goes twice as far",
    "zero gradient": "gradients of zero from the start move nothing",
    "coordinates apart": "every coordinate goes its own way",
    "tensors apart": "every tensor goes its own way",
    "order of tensors": "the order of tensors does not matter",
    "without memory": "a decay rate of zero forgets all but the newest",
}


def section_of(topic: str) -> str:
    """Give the section that a topic stands in."""
    return WITHIN.get(topic, topic)


def title(topic: str, **told: str) -> str:
    """Give what stands above a section; `told`: the stream, the rule beside it, the question."""
    return TITLES.get(topic, topic[:1].upper() + topic[1:]).format(**told)


def head(rule: Rule, called: str, knobs: Mapping[str, float], *, brief: bool = False) -> Iterator[Passage]:
    """Say which rule it is; `brief`: by its name and its knobs alone."""
    yield Paragraph(called if called == rule.name else f"{called}: {rule.name}", "strong")
    first = "" if brief else inspect.cleandoc(rule.doc).partition("\n")[0] if rule.doc else ""
    yield from [Paragraph(first)] if first else []
    yield from [Paragraph(rule.paper, "quiet")] if rule.paper and not brief else []
    changed = [f"{name}={exact(value)}" for name, value in knobs.items() if value != rule.knobs[name]]
    yield from [Paragraph(f"with {', '.join(changed)}")] if changed else []


def passages(topic: str, claims: Sequence[Claim], rule: Rule, called: str, *, in_full: bool) -> Iterator[Passage]:
    """Say what the claims of a section say."""
    if topic == "lines":
        yield _listing(claims, rule, called, in_full=in_full)
        return
    tables = [claim for claim in claims if claim.topic == "stream" and isinstance(claim.evidence, Comparison)]
    said = [claim for claim in claims if claim not in tables]
    for claim in tables:
        yield Paragraph(claim.sentence)
        yield _grid(claim.evidence)
    usual = [c for c in said if topic == "laws" and c.about in USUAL and c.status != "refuted"] if not in_full else []
    shown = [claim for claim in said if claim not in usual]
    if shown:
        statements = tuple(_statement(claim, rule, called, in_full=in_full) for claim in shown)
        yield Statements(statements, judged=topic == "laws")
    yield from _usual(usual)


def _usual(claims: Sequence[Claim]) -> Iterator[Passage]:
    """Say in a few words each the laws that most rules keep, by what right they are said."""
    for status in dict.fromkeys(claim.status for claim in claims):
        laws = ", ".join(USUAL[claim.about] for claim in claims if claim.status == status)
        yield Statements((Statement(f"As with most rules: {laws}.", status),), judged=True)


def _listing(claims: Sequence[Claim], rule: Rule, called: str, *, in_full: bool) -> Listing:
    tree = rule.tree
    code = [*map(line_text, tree.body), f"return {expression_text(tree.result)}"]
    formulas, pictures = lines_latex(rule), lines_mathml(rule)
    lines = []
    for place, text in enumerate(code, start=1):
        own = [claim for claim in claims if claim.about == str(place)]
        said = tuple(_statement(claim, rule, called, in_full=in_full) for claim in own)
        lines.append(Line(text, said, formulas[place - 1], pictures[place - 1]))
    return Listing(rule_text(rule).partition("):")[0] + "):", tuple(lines))


def _statement(claim: Claim, rule: Rule, called: str, *, in_full: bool) -> Statement:
    shown = tuple(evidence_lines(claim.evidence, rule, called)) if in_full else ()
    return Statement(claim.sentence, claim.status, shown)


def _grid(evidence: Evidence) -> Grid:
    assert isinstance(evidence, Comparison)
    rows = tuple(tuple(_cell(cell) for cell in row) for row in evidence.rows)
    return Grid(evidence.head, rows)


def _cell(cell: object) -> str:
    return four_digits(cell) if isinstance(cell, float) else str(cell)


def evidence_lines(evidence: Evidence, rule: Rule, called: str) -> Iterator[str]:
    """Write what shows a claim, a line each."""
    match evidence:
        case Proof(steps, _, source):
            yield from steps
            yield from [f"after {source}"] if source else []
        case Broken(counterexample):
            yield counterexample.sentence
        case Trials(streams, steps, worst):
            strayed = f", off by {worst:.1e} at most" if worst else ""
            yield f"seen on {streams} streams of {steps} steps{strayed}"
            yield from _runs(evidence.runs if len(evidence.runs) <= FEW else (), rule, called)
        case Number(value, formula, source, measured):
            yield (
                f"{formula.text} = {four_digits(value)}" if formula is not None and formula.text else four_digits(value)
            )
            yield from [f"after {source}"] if source else []
            yield from _runs([measured] if measured is not None else [], rule, called)
        case Comparison(_, _, runs):
            yield from _runs(runs, rule, called)


def _runs(runs: Sequence[Run], rule: Rule, called: str) -> Iterator[str]:
    """Write runs, each once: the command that shows it, of a changed rule what differs, and all that was read."""
    groups: dict[tuple[str, str], list[str]] = {}
    for run in runs:
        knobs = "".join(f" -k {name}={exact(value)}" for name, value in run.knobs.items())
        start = f" --start={exact(run.start)}" if run.start else ""
        options = f"{run.option} --steps {run.steps}{start}{knobs}"
        groups.setdefault((run.rule, options), []).append(_reading(run))
    for (text, options), readings in groups.items():
        changed = _changed(rule_text(rule), text) if "def " in text else []
        named = called if len(changed) < 2 else "RULE"
        ending = f", with {changed[0]}" if len(changed) == 1 else ""
        yield f"mhat trace {named} {options}{ending}: {', '.join(readings)}"
        if len(changed) > 1:
            yield from ("where RULE is", *(f"    {line}" for line in text.splitlines()))


def _reading(run: Run) -> str:
    """Write what was read from a run."""
    where = f"from step {run.step} on" if run.over else f"at step {run.step}"
    what = {"": "", "rms": "root mean square of ", "mean": "mean size of ", "largest": "largest size of "}[run.over]
    value = "" if run.value is None else f" = {exact(float(f'{run.value:.10g}'))}"
    return f"{what}{run.variable} {where}{value}"


def _changed(own: str, other: str) -> list[str]:
    """List the lines of a variant that differ; of a line that is gone, that it is."""
    lines = list(difflib.ndiff(own.splitlines(), other.splitlines()))
    new = [line[2:].strip() for line in lines if line.startswith("+ ")]
    gone = [line[2:].strip() for line in lines if line.startswith("- ")]
    return new or [f"no `{line}`" for line in gone]
