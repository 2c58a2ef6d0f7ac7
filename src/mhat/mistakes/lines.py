"""Changes of whole lines: stored elsewhere, forgotten, moved, done twice or at one step. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from mhat.language.recurrences import shares_of
from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree
from mhat.language.vocabulary import meaning_of
from mhat.language.walking import names_in, renamed, subexpressions
from mhat.mistakes.paths import ONE, TWO, ZERO, G, T, X, operation, said
from mhat.mistakes.slots import AFTER, BEFORE, RESULT, Content, Edit, Slot, Spot, line_spots, spots_in, worded_slots


def reading_after(tree: Tree, index: int, new: dict[str, str]) -> list[tuple[Slot, Content]]:
    """Give the later lines and the result with names exchanged, as far as they read them."""
    changed: list[tuple[Slot, Content]] = []
    for j, line in enumerate(tree.body[index + 1 :], index + 1):
        if names_in(line.value) & set(new):
            changed.append((("line", j), (replace(line, value=renamed(line.value, new)),)))
    if names_in(tree.result) & set(new):
        changed.append((RESULT, renamed(tree.result, new)))
    return changed


def _under_other_names(tree: Tree, new: dict[str, str]) -> list[tuple[Slot, Content]]:
    """Give every line, its targets too, and the result with names exchanged, as far as they have them."""
    changed: list[tuple[Slot, Content]] = []
    for i, line in enumerate(tree.body):
        targets = tuple(new.get(target, target) for target in line.targets)
        other = Assignment(targets, renamed(line.value, new), line.place)
        if other != line:
            changed.append((("line", i), (other,)))
    if (result := renamed(tree.result, new)) != tree.result:
        changed.append((RESULT, result))
    return changed


def before_all(gradient: Expression, sentence: str, operator: str, cost: float = 1.1, slot: Slot = BEFORE) -> Edit:
    """Put something in the place of the gradient before everything else."""
    return Edit(sentence, ((slot, (Assignment(("g",), gradient),)),), operator, cost)


def stored_elsewhere(tree: Tree) -> Iterator[Edit]:
    """Store a line's value into a state instead, and read it from there."""
    for spot in line_spots(tree):
        target = spot.target
        for state in tree.state_names:
            if state == target:
                continue
            stored = (spot.slot, (replace(spot.line, targets=(state,)),))
            later = [] if target in tree.state_names else reading_after(tree, spot.index, {target: state})
            back = "back " if state in names_in(spot.part) and target not in tree.state_names else ""
            yield Edit(f"`{target}` is stored {back}into the state `{state}`", (stored, *later), "stored elsewhere")


def stored_back(tree: Tree) -> Iterator[Edit]:
    """Store several variables, each the one state it is made of anew, back into their states."""
    made_of: list[tuple[str, str]] = []
    for spot in line_spots(tree):
        states = names_in(spot.part) & set(tree.state_names)
        if spot.target not in tree.state_names and len(states) == 1:
            made_of.append((spot.target, states.pop()))
    for size in range(2, len({state for _, state in made_of}) + 1):
        for chosen in _of_states_apart(made_of, size):
            new = dict(chosen)
            sentence = " and ".join(f"`{target}` is stored back into `{state}`" for target, state in new.items())
            yield Edit(sentence, tuple(_under_other_names(tree, new)), "stored back", 0.95)


def _of_states_apart(made_of: Sequence[tuple[str, str]], size: int) -> Iterator[tuple[tuple[str, str], ...]]:
    """Choose so many of them, no two of one state or of one name, in their order."""
    if size == 0:
        yield ()
        return
    for i, (target, state) in enumerate(made_of):
        rest = [pair for pair in made_of[i + 1 :] if target != pair[0] and state != pair[1]]
        if len({other for _, other in rest}) >= size - 1:
            yield from (((target, state), *more) for more in _of_states_apart(rest, size - 1))


def also_stored(tree: Tree) -> Iterator[Edit]:
    """Store a line's value into a state too, after everything else has been computed."""
    for spot in line_spots(tree):
        target = spot.target
        for state in tree.state_names:
            if state != target and target not in tree.state_names:
                change = ((AFTER, (Assignment((state,), Name(target)),)),)
                yield Edit(f"`{target}` is also stored into the state `{state}`", change, "also stored", 1.2)


def result_stored(tree: Tree) -> Iterator[Edit]:
    """Let the new parameter overwrite a state, as where both are one array."""
    for state in tree.state_names:
        if state not in names_in(tree.result):
            change = ((AFTER, (Assignment((state,), tree.result),)),)
            yield Edit(f"the new `x` is stored into the state `{state}` too", change, "also stored", 1.15)


def averaged(tree: Tree) -> Iterator[Edit]:
    """Make a state the average of something that its line is made of, or of the square of that."""
    for spot in line_spots(tree):
        target, value = spot.target, spot.part
        if target not in tree.state_names:
            continue
        shares = [knob for knob in tree.knob_names if meaning_of(knob).is_share and knob in names_in(value)]
        averageable = [part for part in subexpressions(value) if "g" in names_in(part) and target not in names_in(part)]
        averageable += [
            part for part in subexpressions(value) if isinstance(part, Operation) and names_in(part) == {"g", target}
        ]
        for knob in shares:
            for part in dict.fromkeys(averageable):
                for new in (part, operation("pow", part, TWO)):
                    kept = operation("mul", Name(knob), Name(target))
                    fresh = operation("mul", operation("sub", ONE, Name(knob)), new)
                    sentence = f"`{target}` is the average of {said(new)} that decays by `{knob}`"
                    yield spot.edit(operation("add", kept, fresh), sentence, "averaged", 1.2)


def forgotten(tree: Tree) -> Iterator[Edit]:
    """Forget to store a state: what is computed is used at this step and gone at the next."""
    updates = [spot for spot in line_spots(tree) if spot.target in tree.state_names]
    new_names: dict[str, str] = {}
    for spot in updates:
        target, fresh = spot.target, f"{spot.target}_now"
        unstored = (spot.slot, (replace(spot.line, targets=(fresh,)),))
        yield Edit(
            f"the new `{target}` is not stored: it starts anew at every step",
            (unstored, *reading_after(tree, spot.index, {target: fresh})),
            "forgotten",
            family="forgotten",
        )
        yield Edit(f"`{target}` is never updated", ((spot.slot, ()),), "frozen", family="frozen")
        new_names[target] = fresh
    if len(updates) > 1:
        changes = tuple(_all_forgotten(tree, new_names))
        yield Edit("no state is stored: all start anew at every step", changes, "forgotten")


def _all_forgotten(tree: Tree, new_names: Mapping[str, str]) -> Iterator[tuple[Slot, Content]]:
    """Give every line with the states under other names from where they are updated on."""
    seen: dict[str, str] = {}
    for i, line in enumerate(tree.body):
        value = renamed(line.value, seen)
        targets = tuple(new_names.get(target, target) for target in line.targets)
        seen.update({target: new_names[target] for target in line.targets if target in new_names})
        yield ("line", i), (Assignment(targets, value, line.place),)
    yield RESULT, renamed(tree.result, seen)


def at_one_step(tree: Tree) -> Iterator[Edit]:
    """Do an operation at the first step only, or at every step but the first."""
    first = operation("eq", T, ONE)
    still = operation("where", first, X, tree.result)
    yield Edit("the parameter does not move at the first step", ((RESULT, still),), "one step", 1.15)
    once = operation("where", first, tree.result, X)
    yield Edit("the parameter moves at the first step only", ((RESULT, once),), "one step", 1.2)
    for spot in line_spots(tree):
        value = spot.part
        if not isinstance(value, Operation):
            continue
        for place, operand in enumerate(value.arguments):
            if isinstance(operand, Number) or (value.op == "pow" and operand is value.arguments[1]):
                continue
            only = operation("where", first, value, operand)
            but = operation("where", first, operand, value)
            for new, word in ((only, "at the first step only"), (but, "from the second step on only")):
                sentence = f"`{spot.target} = {said(value)[1:-1]}` is done {word}"
                yield spot.edit(new, sentence, "one step", 1.1, f"one step:{word}:{value.op}:{place}")
        if spot.target in tree.state_names:
            yield from _seeded_line(spot)
            yield from _now_and_then(spot)


def _seeded_line(spot: Spot) -> Iterator[Edit]:
    """Store a plain value at the first step where the average should be stored."""
    parts = shares_of(spot.line)
    seeds: list[Expression] = [G, operation("pow", G, TWO), *([parts[2]] if parts else [])]
    for seed in dict.fromkeys(seeds):
        new = operation("where", operation("eq", T, ONE), seed, spot.part)
        sentence = f"the first step stores {said(seed)} in `{spot.target}`"
        family = "first seeds" if parts is not None and seed == parts[2] else ""
        yield spot.edit(new, sentence, "first seeds", 1.1, family)


def _now_and_then(spot: Spot) -> Iterator[Edit]:
    """Update a state once in a few steps only."""
    for every in (2, 3, 5, 10):
        for first in (1, 0):
            due = operation("eq", operation("mod", T, Number(float(every))), Number(float(first)))
            new = operation("where", due, spot.part, Name(spot.target))
            sentence = f"`{spot.target}` is updated once in {every} steps only"
            yield spot.edit(new, sentence, "now and then", 1.2, f"now and then:{every}:{first}")


def moved(tree: Tree) -> Iterator[Edit]:
    """Move a line to another place, or all updates of states behind everything that reads them."""
    for i, line in enumerate(tree.body):
        what = " and ".join(f"`{target}`" for target in line.targets)
        for j, other in enumerate(tree.body):
            if j == i:
                continue
            pair = (other, line) if j > i else (line, other)
            word = "after" if j > i else "before"
            anchor = " and ".join(f"`{target}`" for target in other.targets)
            sentence = f"{what} is computed {word} {anchor}"
            yield Edit(sentence, ((("line", i), ()), (("line", j), pair)), "moved")
    updates = [spot.index for spot in line_spots(tree) if spot.target in tree.state_names]
    last = len(tree.body) - 1
    if len(updates) > 1 and updates != list(range(last + 1 - len(updates), last + 1)) and last not in updates:
        emptied: list[tuple[Slot, Content]] = [(("line", i), ()) for i in updates]
        end = (("line", last), (tree.body[last], *(tree.body[i] for i in updates)))
        yield Edit("the step is taken with the states of the step before", (*emptied, end), "moved")


def stale(tree: Tree) -> Iterator[Edit]:
    """Read a state at one place as it was before this step, and everywhere else as it is now."""
    for spot in line_spots(tree):
        target = spot.target
        if target not in tree.state_names:
            continue
        old = f"{target}_old"
        kept: tuple[Slot, Content] = (spot.slot, (Assignment((old,), Name(target)), spot.line))
        later = [whole for whole in worded_slots(tree) if whole.slot == RESULT or whole.index > spot.index]
        for place in (inner for whole in later for inner in spots_in(whole)):
            if place.part == Name(target):
                sentence = f"{place.where} `{target}` is still that of the step before"
                yield Edit(sentence, (kept, place.change(Name(old))), "stale", 1.1)


def started(tree: Tree) -> Iterator[Edit]:
    """Start a state elsewhere."""
    pool: list[Expression] = [ZERO, ONE, G, operation("pow", G, TWO), operation("abs", G), X]
    pool += [Number(0.1), Number(1e-6), *(Name(knob) for knob in tree.knob_names if knob in ("eps", "lr"))]
    for state in tree.states:
        seeds: list[Expression] = []
        for spot in line_spots(tree):
            parts = shares_of(spot.line) if spot.target == state.name else None
            if parts is not None and names_in(parts[2]) <= {"g", "x", *tree.knob_names}:
                seeds += [parts[2], operation("mul", parts[1], parts[2])]
        for start in dict.fromkeys([*pool, *seeds]):
            if start != state.start:
                where = seeds.index(start) if start in seeds else said(start)
                sentence = f"`{state.name}` starts at {said(start)}"
                yield Edit(sentence, ((("start", state.name), start),), "start", family=f"start:{where}")


def twice(tree: Tree) -> Iterator[Edit]:
    """Do a line twice: once more on its own result."""
    for spot in line_spots(tree):
        target, line = spot.target, spot.line
        for name in sorted(names_in(line.value) - {"t", "k", "n", *tree.knob_names}):
            again = replace(line, value=renamed(line.value, {name: target}))
            sentence = f"`{target} = {said(line.value)[1:-1]}` is done twice"
            family = f"twice:{name == target}:{getattr(line.value, 'op', '')}"
            yield Edit(sentence, ((spot.slot, (line, again)),), "twice", 1.1, family)


def aliased(tree: Tree) -> Iterator[Edit]:
    """Let two states share one memory."""
    for first in tree.state_names:
        for second in tree.state_names:
            if first < second:
                changes = tuple(_under_other_names(tree, {second: first}))
                yield Edit(f"`{first}` and `{second}` share one memory", changes, "aliased")


def skipped_at_zero(tree: Tree) -> Iterator[Edit]:
    """Leave a coordinate alone where its gradient is zero."""
    seen = operation("ne", G, ZERO)
    changes = [
        spot.change(operation("where", seen, spot.part, Name(spot.target)))
        for spot in line_spots(tree)
        if spot.target in tree.state_names
    ]
    result: tuple[Slot, Content] = (RESULT, operation("where", seen, tree.result, X))
    yield Edit("coordinates without gradient are skipped", (*changes, result), "skipped at zero")
    yield Edit("coordinates without gradient do not move", (result,), "skipped at zero")
    if changes:
        yield Edit("states rest where there is no gradient", tuple(changes), "skipped at zero")
