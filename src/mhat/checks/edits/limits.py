"""What people add to keep a step in bounds: clipping, caution, a floor in place of eps. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mhat.checks.edits.everywhere import addends, throughout
from mhat.checks.edits.places import at, operation, places, replaced, said
from mhat.checks.edits.statements import before_all, single_lines
from mhat.checks.skeleton import RESULT, Content, Edit, Slot
from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.walking import names

G, X, ZERO, ONE = Name("g"), Name("x"), Number(0.0), Number(1.0)
# Limits that people write.
LIMITS = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0)
NORMS = (0.1, 0.5, 1.0, 5.0, 10.0)


def clipped(tree: Tree) -> Iterator[Edit]:
    """Clip the gradient, a variable or the step to a constant, or the gradient to a norm."""
    for limit in LIMITS:
        bounds = operation("neg", Number(limit)), Number(limit)
        yield before_all(operation("clip", G, *bounds), f"the gradient is clipped to {limit:g}", "clipped")
        for slot, value in _values(tree):
            clip = operation("clip", value, *bounds)
            sentence = f"{said(value)} is clipped to {limit:g}"
            yield Edit(sentence, ((slot, _content(tree, slot, clip)),), "clipped", 1.2)
    for limit in NORMS:
        for over, whose in ((None, "tensor"), ("all", "model")):
            norm = Operation("norm", (G,), over)
            small = operation("add", norm, Number(1e-6))
            for size, cost in ((norm, 1.15), (small, 1.2)):
                kept = operation("minimum", ONE, operation("div", Number(limit), size))
                scaled = operation("mul", G, kept)
                sentence = f"the gradient is clipped to the norm {limit:g} of the {whose}"
                yield before_all(scaled, sentence, "clipped", cost)


def _values(tree: Tree) -> Iterator[tuple[Slot, Expression]]:
    """Yield what a line computes that is no state, and what is taken from x."""
    for i, target, line in single_lines(tree):
        if target not in tree.state_names:
            yield ("line", i), line.value
    if isinstance(tree.result, Operation) and tree.result.op in ("sub", "add"):
        yield RESULT, tree.result.arguments[1]


def _content(tree: Tree, slot: Slot, value: Expression) -> Content:
    if slot == RESULT:
        assert isinstance(tree.result, Operation)
        return replace(tree.result, arguments=(tree.result.arguments[0], value))
    return (replace(tree.body[int(slot[1])], value=value),)


def floored(tree: Tree) -> Iterator[Edit]:
    """Take the larger of a denominator and eps in place of their sum, or the smaller change of either."""
    for slot, path, which, term in addends(tree):
        if not isinstance(term, Name):
            continue
        whole = tree.result if slot == RESULT else tree.body[int(slot[1])].value
        part = at(whole, path)
        assert isinstance(part, Operation)
        floor = replaced(whole, path, operation("maximum", part.arguments[1 - which], term))
        content: Content = floor if slot == RESULT else (replace(tree.body[int(slot[1])], value=floor),)
        yield Edit(f"the larger of {said(part.arguments[1 - which])} and {said(term)} is taken, not their sum",
                   ((slot, content),), "floored", 1.05)  # fmt: skip


def cautious(tree: Tree) -> Iterator[Edit]:
    """Decay only where the step shrinks the parameter too, or step only where the gradient agrees."""
    for slot, path, which, term in addends(tree):
        if "x" not in names(term) or slot != RESULT:
            continue
        part = at(tree.result, path)
        assert isinstance(part, Operation)
        step = part.arguments[1 - which]
        shrinks = operation("gt", operation("mul", step, X), ZERO)
        where = operation("where", shrinks, term, ZERO)
        changed = replaced(tree.result, (*path, which), where)
        yield Edit(
            f"{said(term)} decays only where the step shrinks the parameter", ((RESULT, changed),), "cautious", 1.1
        )
    for i, target, line in single_lines(tree):
        if target not in tree.state_names and {"g"} != names(line.value) & {"g", "x"} and _is_read(tree, target):
            agrees = operation("gt", operation("mul", line.value, G), ZERO)
            masked = replace(line, value=operation("where", agrees, line.value, ZERO))
            sentence = f"`{target}` is zero where it does not have the sign of the gradient"
            yield Edit(sentence, ((("line", i), (masked,)),), "cautious", 1.15)


def _is_read(tree: Tree, target: str) -> bool:
    return target in names(tree.result)


def reduced_over_all(tree: Tree) -> Iterator[Edit]:
    """Let every norm, mean and sum run over all tensors together, or over each alone."""
    for over, word in (("all", "run over all tensors together"), (None, "run over each tensor alone")):

        def change(node: Expression, over: str | None = over) -> Expression:
            if isinstance(node, Operation) and node.op in ("sum", "mean", "norm"):
                return replace(node, over=over)
            return node

        if changes := throughout(tree, change):
            yield Edit(f"the norms and means {word}", changes, "mixed", 0.95)


def eps_before_correction(tree: Tree) -> Iterator[Edit]:
    """Add a term to a root before the bias correction that is under the root."""
    corrected = {target: line.value for _, target, line in single_lines(tree)}
    for slot, path, which, term in addends(tree):
        whole = tree.result if slot == RESULT else tree.body[int(slot[1])].value
        part = at(whole, path)
        assert isinstance(part, Operation)
        root = part.arguments[1 - which]
        if not (isinstance(term, Name) and isinstance(root, Operation) and root.op == "sqrt"):
            continue
        inside = root.arguments[0]
        inside = corrected.get(inside.id, inside) if isinstance(inside, Name) else inside
        if isinstance(inside, Operation) and inside.op == "div":
            early = operation("div", term, operation("sqrt", inside.arguments[1]))
            new = replaced(whole, (*path, which), early)
            content: Content = new if slot == RESULT else (replace(tree.body[int(slot[1])], value=new),)
            yield Edit(f"{said(term)} is added before the correction", ((slot, content),), "term moved", 0.95)


def signs(tree: Tree) -> Iterator[Edit]:
    """Take the sign of a name alone, wherever it stands in a line."""
    for i, _, line in single_lines(tree):
        for path, part in places(line.value):
            if isinstance(part, Name) and part.id not in (*tree.knob_names, "t", "k", "n"):
                new = replaced(line.value, path, operation("sign", part))
                sentence = f"in `{line.targets[0]}` `{part.id}` is replaced by its sign"
                yield Edit(sentence, ((("line", i), (replace(line, value=new),)),), "sign added", 1.2)
