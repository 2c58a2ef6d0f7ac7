"""What people do to keep a step in bounds: caution, a floor in place of eps, signs. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.walking import names_in
from mhat.mistakes.lines import before_all
from mhat.mistakes.paths import TWO, ZERO, G, X, operation, said
from mhat.mistakes.shapes import terms
from mhat.mistakes.slots import FIRST, RESULT, Edit, line_spots, spots
from mhat.mistakes.throughout import throughout


def floored(tree: Tree) -> Iterator[Edit]:
    """Take the larger of a denominator and eps in place of their sum, or the smaller change of either."""
    for term in terms(tree):
        if isinstance(term.expression, Name):
            floor = operation("maximum", term.rest, term.expression)
            sentence = f"the larger of {said(term.rest)} and {said(term.expression)} is taken, not their sum"
            yield term.sum.edit(floor, sentence, "floored", 1.05)


def cautious(tree: Tree) -> Iterator[Edit]:
    """Decay only where the step shrinks the parameter too, or step only where the gradient agrees."""
    for term in terms(tree):
        if "x" in names_in(term.expression) and term.sum.slot == RESULT:
            shrinks = operation("gt", operation("mul", term.rest, X), ZERO)
            decay = operation("where", shrinks, term.expression, ZERO)
            sentence = f"{said(term.expression)} decays only where the step shrinks the parameter"
            yield term.spot.edit(decay, sentence, "cautious", 1.1)
    for spot in line_spots(tree):
        target, value = spot.target, spot.part
        if target not in tree.state_names and {"g"} != names_in(value) & {"g", "x"} and target in names_in(tree.result):
            agrees = operation("gt", operation("mul", value, G), ZERO)
            masked = operation("where", agrees, value, ZERO)
            sentence = f"`{target}` is zero where it does not have the sign of the gradient"
            yield spot.edit(masked, sentence, "cautious", 1.15)


def reduced_over_all(tree: Tree) -> Iterator[Edit]:
    """Let every norm, mean and sum run over all tensors together, or over each alone."""
    for over, word in (("all", "run over all tensors together"), (None, "run over each tensor alone")):

        def change(node: Expression, over: str | None = over) -> Expression:
            if isinstance(node, Operation) and node.op in ("sum", "mean", "norm", "largest"):
                return replace(node, over=over)
            return node

        if changes := throughout(tree, change):
            yield Edit(f"the norms and means {word}", changes, "mixed", 0.95)


def eps_before_correction(tree: Tree) -> Iterator[Edit]:
    """Add a term to a root before the bias correction that is under the root."""
    corrected = {spot.target: spot.part for spot in line_spots(tree)}
    for term in terms(tree):
        root = term.rest
        if not (isinstance(term.expression, Name) and isinstance(root, Operation) and root.op == "sqrt"):
            continue
        inside = root.arguments[0]
        inside = corrected.get(inside.id, inside) if isinstance(inside, Name) else inside
        if isinstance(inside, Operation) and inside.op == "div":
            early = operation("div", term.expression, operation("sqrt", inside.arguments[1]))
            sentence = f"{said(term.expression)} is added before the correction"
            yield term.spot.edit(early, sentence, "term moved", 0.95)


def signs(tree: Tree) -> Iterator[Edit]:
    """Take the sign of a name alone, wherever it stands."""
    for spot in spots(tree):
        if isinstance(spot.part, Name) and spot.part.id not in (*tree.knob_names, "t", "k", "n"):
            sentence = f"{spot.where} `{spot.part.id}` is replaced by its sign"
            yield spot.edit(operation("sign", spot.part), sentence, "sign added", 1.2)


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
    for term in terms(tree):
        eps, base = term.expression, term.rest
        if not isinstance(eps, Name):
            continue
        uses = [(operation("where", operation("gt", base, ZERO), base, eps), f"only where {said(base)} is zero")]
        if isinstance(base, Operation) and base.op == "sqrt":
            (inside,) = base.arguments
            uses.append((operation("sqrt", operation("maximum", inside, eps)), f"as the least value of {said(inside)}"))
            squared = operation("add", inside, operation("pow", eps, TWO))
            uses.append((operation("sqrt", squared), "squared, under the root"))
        for new, how in uses:
            yield term.sum.edit(new, f"{said(eps)} is used {how}", "floored", 1.1)
