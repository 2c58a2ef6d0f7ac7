"""What an average or a sum is fed with: another variable, a square too many, a product. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator

from mhat.language.tree import Expression, Name, Operation, Tree
from mhat.language.walking import names_in
from mhat.mistakes.paths import TWO, G, X, operation, places, said
from mhat.mistakes.slots import Edit, Spot, line_spots

FEEDING = frozenset({"add", "sub", "maximum", "minimum"})


def fed(tree: Tree) -> Iterator[Edit]:
    """Feed every state with something else."""
    for spot in line_spots(tree):
        if spot.target not in tree.state_names:
            continue
        others = list(_foods(tree, spot))
        for meal in _meals(spot):
            for food, cost in others:
                if food != meal.part:
                    sentence = f"`{spot.target}` is fed with {said(food)}, not with {said(meal.part)}"
                    yield meal.edit(food, sentence, "fed", cost)


def _meals(spot: Spot) -> Iterator[Spot]:
    """Find what a line feeds a state with: the largest parts with a gradient, or another variable, but not the state.

    Of a product with what is made of knobs alone, it is the other factor.
    """
    inner = {spot.target, "t", "k", "n", *spot.tree.knob_names}
    for path, part in places(spot.part):
        names = names_in(part) - inner
        if spot.target in names_in(part) or not names:
            continue
        if any(spot.target not in names_in(spot.below(*path[:i]).part) for i in range(len(path))):
            continue
        meal = spot.below(*path)
        while isinstance(meal.part, Operation) and meal.part.op == "mul":
            first, second = meal.part.arguments
            if names_in(first) - inner and names_in(second) - inner:
                break
            meal = meal.below(0 if names_in(first) - inner else 1)
        yield meal


def _foods(tree: Tree, spot: Spot) -> Iterator[tuple[Expression, float]]:
    """Yield what a state may be fed with, and how far-fetched that is."""
    before = [target for line in tree.body[: spot.index] for target in line.targets]
    names = [Name(name) for name in dict.fromkeys(["g", "x", *tree.state_names, *before])]
    yield from ((name, 1.0) for name in names)
    yield from ((operation("pow", name, TWO), 1.05) for name in names)
    yield from ((operation(op, name), 1.1) for op in ("abs", "sign") for name in names)
    rate = Name("lr")
    if "lr" in tree.knob_names:
        yield operation("mul", rate, G), 1.05
        yield operation("pow", operation("mul", rate, G), TWO), 1.15
    for other in names[1:]:
        yield operation("mul", G, other), 1.1
        difference = operation("sub", G, other)
        yield difference, 1.1
        yield operation("pow", difference, TWO), 1.1
    if "weight_decay" in tree.knob_names:
        decayed = operation("add", G, operation("mul", Name("weight_decay"), X))
        yield decayed, 1.0
        yield operation("pow", decayed, TWO), 1.0
