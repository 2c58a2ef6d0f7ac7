"""A candidate as a diagnosis: an ordinary rule, a diff of the pseudo code, and the lines of the user's own text."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import replace

from mhat.checks.findings import Diagnosis
from mhat.checks.question import Question
from mhat.language.definition import of_tree
from mhat.language.source import SourceText
from mhat.language.tree import Tree
from mhat.mistakes.dialects import Dialect
from mhat.mistakes.slots import Edit
from mhat.printers import python
from mhat.search.candidates import Candidate

# How alike a line of the user's must be to the line of the rule to be pointed at.
ALIKE = 0.45
# How much more alike a line is that speaks of the tensor in question.
OF_IT = 0.25


def diagnosis_of(question: Question, candidate: Candidate, spoken: Sequence[Dialect] = (), near: str = "") -> Diagnosis:
    """Make a diagnosis of a candidate; for a dialect, its exchanges are the edits.

    `near`: what the code calls the tensor whose lines are in question.
    """
    edits = candidate.edits or tuple(Edit(dialect.name, (), "dialect") for dialect in spoken)
    edits = tuple(replace(edit, sentence=_named(question, edit.sentence)) for edit in edits)
    rule = of_tree(candidate.tree, paper=question.rule.paper)
    known = {**question.rule.knobs, **question.subject.defaults, **question.held, **candidate.knobs}
    return Diagnosis(
        against=question.rule.name,
        rule=rule,
        edits=edits,
        knobs={name: known[name] for name in rule.knobs if name in known},
        diff=diff_of(question.rule.tree, candidate.tree),
        lines=tuple(_pointed(question, candidate.tree, near or tensor_of(edits))),
    )


def tensor_of(edits: Sequence[Edit]) -> str:
    """Say what the code calls the one tensor whose lines alone were changed; nothing where it is not so."""
    found = {called for edit in edits for called in re.findall(r"in tensor \d+ \(`(\w+)`\) only$", edit.sentence)}
    return found.pop() if len(found) == 1 else ""


def _named(question: Question, sentence: str) -> str:
    """Say what the code calls the tensors that a sentence is about."""

    def named(said: re.Match[str]) -> str:
        called, tensor = question.subject.called, int(said[1])
        return f"tensor {tensor} (`{called[tensor - 1]}`)" if 0 < tensor <= len(called) else said[0]

    return re.sub(r"tensor (\d+)\b(?! \()", named, sentence)


def diff_of(before: Tree, after: Tree) -> str:
    """Give the changed lines of the pseudo code, - before and + after."""
    a, b = (python.rule_text(tree).splitlines() for tree in (before, after))
    changed = [line for line in difflib.ndiff(_one_signature(a), _one_signature(b)) if line[0] in "+-"]
    return "\n".join(f"{line[0]} {line[2:].strip()}" for line in changed)


def _one_signature(lines: list[str]) -> list[str]:
    """Join a signature of several lines into one."""
    end = next(i for i, line in enumerate(lines) if line.endswith(":"))
    joined = " ".join(line.strip() for line in lines[: end + 1]).replace("( ", "(").replace(", )", ")")
    return [joined, *lines[end + 1 :]]


def _pointed(question: Question, tree: Tree, near: str = "") -> list[tuple[int, str]]:
    """Find the lines of the user's own text that are most like the changed lines."""
    source = question.subject.source
    if source is None:
        return []
    lines = []
    for changed in diff_of(question.rule.tree, tree).splitlines():
        if changed.startswith("+") and not changed.startswith("+ def"):
            best = most_alike(source, changed[2:], near)
            if best is not None and best not in lines:
                lines.append(best)
    return lines


def most_alike(source: SourceText, wanted: str, near: str = "") -> tuple[int, str] | None:
    """Find the line of a text that is most like one of a rule, of those of a tensor first; None if none is alike."""
    tokens = _tokens(wanted)
    best: tuple[float, int, str] | None = None
    for number, line in enumerate(source.lines, source.first_line):
        if ("=" not in line and "return" not in line) or line.strip().startswith(("#", "def ", "class ")):
            continue
        share = difflib.SequenceMatcher(None, tokens, _tokens(line), autojunk=False).ratio()
        share += OF_IT if near and _speaks_of(line, near) else 0.0
        if best is None or share > best[0]:
            best = (share, number, line.strip())
    return None if best is None or best[0] < ALIKE else (best[1], best[2])


def _speaks_of(line: str, name: str) -> bool:
    """Whether a line reads or writes something that is called after a tensor: db, v_db, m_b of b."""
    words = re.findall(r"[A-Za-z_]\w*", line)
    stem = name.rstrip("0123456789").rstrip("es") or name
    return any(
        word == name or word.endswith((f"_{name}", f"d{name}")) or (len(stem) > 2 and stem in word) for word in words
    )


def _tokens(line: str) -> list[str]:
    """Cut a line into names and signs, names written as the rule language would."""
    line = re.sub(r"\b(self|np|numpy|math|torch|jnp)\.", "", line.partition("#")[0])
    spelled = {"b1": "beta1", "b2": "beta2", "alpha": "lr", "learning_rate": "lr", "epsilon": "eps", "grad": "g"}
    words = re.findall(r"[A-Za-z_]\w*|\d+\.?\d*(?:e-?\d+)?|\*\*|[-+*/()=]", line)
    return [spelled.get(word.lower().replace("beta_", "beta"), word.lower()) for word in words]
