"""What people do to keep a step in bounds: caution, a floor in place of eps, signs. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.walking import names_in
from mhat.mistakes.lines import before_all, single_lines
from mhat.mistakes.paths import at, operation, places, replaced, said
from mhat.mistakes.slots import FIRST, RESULT, Content, Edit, Slot
from mhat.mistakes.throughout import addends, throughout

G, X, ZERO, ONE = Name("g"), Name("x"), Number(0.0), Number(1.0)


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
        if "x" not in names_in(term) or slot != RESULT:
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
        if target not in tree.state_names and {"g"} != names_in(line.value) & {"g", "x"} and _is_read(tree, target):
            agrees = operation("gt", operation("mul", line.value, G), ZERO)
            masked = replace(line, value=operation("where", agrees, line.value, ZERO))
            sentence = f"`{target}` is zero where it does not have the sign of the gradient"
            yield Edit(sentence, ((("line", i), (masked,)),), "cautious", 1.15)


def _is_read(tree: Tree, target: str) -> bool:
    return target in names_in(tree.result)


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
    """Take the sign of a name alone, wherever it stands."""
    slots: list[tuple[Slot, Expression, str]] = [
        (("line", i), line.value, f"in `{target}`") for i, target, line in single_lines(tree)
    ]
    for slot, value, where in (*slots, (RESULT, tree.result, "in the result")):
        for path, part in places(value):
            if isinstance(part, Name) and part.id not in (*tree.knob_names, "t", "k", "n"):
                new = replaced(value, path, operation("sign", part))
                content: Content = new if slot == RESULT else (replace(tree.body[int(slot[1])], value=new),)
                yield Edit(f"{where} `{part.id}` is replaced by its sign", ((slot, content),), "sign added", 1.2)


def normalised(tree: Tree) -> Iterator[Edit]:
    """Make the gradient one of length one, of mean zero, or of signs alone, before anything else."""
    for over, whose in ((None, "tensor"), ("all", "model")):
        norm = Operation("norm", (G,), over)
        for size, cost in ((norm, 1.15), (operation("add", norm, Number(1e-8)), 1.25)):
            sentence = f"the gradient is divided by its norm over the {whose}"
            yield before_all(operation("div", G, size), sentence, "normalised", cost, FIRST)
    centred = operation("sub", G, Operation("mean", (G,)))
    yield before_all(centred, "the mean of the gradient over the tensor is taken from it", "normalised", 1.15, FIRST)
    yield before_all(operation("sign", G), "the gradient is replaced by its sign", "normalised", 1.15, FIRST)


def guarded(tree: Tree) -> Iterator[Edit]:
    """Use eps only where a denominator is zero, or only inside of a root, as a floor."""
    for slot, path, which, term in addends(tree):
        if not isinstance(term, Name):
            continue
        whole = tree.result if slot == RESULT else tree.body[int(slot[1])].value
        part = at(whole, path)
        assert isinstance(part, Operation)
        base = part.arguments[1 - which]
        found = [(operation("where", operation("gt", base, ZERO), base, term), f"only where {said(base)} is zero")]
        if isinstance(base, Operation) and base.op == "sqrt":
            inner = operation("sqrt", operation("maximum", base.arguments[0], term))
            found.append((inner, f"as the least value of {said(base.arguments[0])}"))
            squared = operation("sqrt", operation("add", base.arguments[0], operation("pow", term, Number(2.0))))
            found.append((squared, "squared, under the root"))
        for new, how in found:
            value = replaced(whole, path, new)
            content: Content = value if slot == RESULT else (replace(tree.body[int(slot[1])], value=value),)
            yield Edit(f"{said(term)} is used {how}", ((slot, content),), "floored", 1.1)
