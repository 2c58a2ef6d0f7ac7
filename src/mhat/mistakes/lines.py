"""Changes of whole lines: stored elsewhere, forgotten, moved, done twice or at one step. It knows no rule by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from mhat.language.tree import Assignment, Expression, Name, Number, Operation, Tree
from mhat.language.vocabulary import meaning_of
from mhat.language.walking import names_in, renamed, subexpressions
from mhat.mistakes.expressions import ONE, TWO
from mhat.mistakes.paths import operation, said
from mhat.mistakes.slots import AFTER, BEFORE, RESULT, Content, Edit, Slot

T = Name("t")
G = Name("g")


def single_lines(tree: Tree) -> Iterator[tuple[int, str, Assignment]]:
    """Yield the lines with one target: index, target, line."""
    for i, line in enumerate(tree.body):
        if len(line.targets) == 1:
            yield i, line.targets[0], line


def reading_after(tree: Tree, index: int, new: dict[str, str]) -> list[tuple[Slot, Content]]:
    """Give the later lines and the result with names exchanged, as far as they read them."""
    changed: list[tuple[Slot, Content]] = []
    for j, line in enumerate(tree.body[index + 1 :], index + 1):
        if names_in(line.value) & set(new):
            changed.append((("line", j), (Assignment(line.targets, renamed(line.value, new), line.place),)))
    if names_in(tree.result) & set(new):
        changed.append((RESULT, renamed(tree.result, new)))
    return changed


def before_all(gradient: Expression, sentence: str, operator: str, cost: float = 1.1, slot: Slot = BEFORE) -> Edit:
    """Put something in the place of the gradient before everything else."""
    return Edit(sentence, ((slot, (Assignment(("g",), gradient),)),), operator, cost)


def average_parts(line: Assignment) -> tuple[Expression, Expression, Expression] | None:
    """Take an average `s = a * s + b * h` apart into a, b and h; None if the line is no average."""
    target, value = line.targets[0], line.value
    if not (isinstance(value, Operation) and value.op == "add"):
        return None
    old, new = value.arguments
    if not (isinstance(old, Operation) and old.op == "mul" and Name(target) in old.arguments):
        return None
    if not (isinstance(new, Operation) and new.op == "mul"):
        return None
    decay = old.arguments[0] if old.arguments[1] == Name(target) else old.arguments[1]
    return decay, new.arguments[0], new.arguments[1]


def stored_elsewhere(tree: Tree) -> Iterator[Edit]:
    """Store a line's value into a state instead, and read it from there."""
    for i, target, line in single_lines(tree):
        for state in tree.state_names:
            if state == target:
                continue
            other = Assignment((state,), line.value, line.place)
            later = [] if target in tree.state_names else reading_after(tree, i, {target: state})
            sentence = f"`{target}` is stored into the state `{state}`"
            if state in names_in(line.value) and target not in tree.state_names:
                sentence = f"`{target}` is stored back into the state `{state}`"
            yield Edit(sentence, ((("line", i), (other,)), *later), "stored elsewhere")


def stored_back(tree: Tree) -> Iterator[Edit]:
    """Store several variables, each the one state it is made of anew, back into their states."""
    made_of = {}
    for i, target, line in single_lines(tree):
        states = names_in(line.value) & set(tree.state_names)
        if target not in tree.state_names and len(states) == 1:
            made_of[i] = (target, states.pop())
    for size in range(2, len(made_of) + 1):
        for chosen in combinations(made_of, size):
            new = dict(made_of[i] for i in chosen)
            if len(set(new.values())) < size:
                continue
            changes: list[tuple[Slot, Content]] = []
            for j, line in enumerate(tree.body):
                targets = tuple(new.get(target, target) for target in line.targets)
                changed = Assignment(targets, renamed(line.value, new), line.place)
                if changed != line:
                    changes.append((("line", j), (changed,)))
            if (result := renamed(tree.result, new)) != tree.result:
                changes.append((RESULT, result))
            said_all = " and ".join(f"`{target}` is stored back into `{state}`" for target, state in new.items())
            yield Edit(said_all, tuple(changes), "stored back", 0.95)


def also_stored(tree: Tree) -> Iterator[Edit]:
    """Store a line's value into a state too, after everything else has been computed."""
    for _, target, _ in single_lines(tree):
        for state in tree.state_names:
            if state != target and target not in tree.state_names:
                change = ((AFTER, (Assignment((state,), Name(target)),)),)
                yield Edit(f"`{target}` is also stored into the state `{state}`", change, "also stored", 1.2)


def result_stored(tree: Tree) -> Iterator[Edit]:
    """Let the new parameter overwrite a state, as where both are one array."""
    for state in tree.state_names:
        if state not in names_in(tree.result):
            stored = Assignment((state,), tree.result)
            yield Edit(
                f"the new `x` is stored into the state `{state}` too", ((AFTER, (stored,)),), "also stored", 1.15
            )


def averaged(tree: Tree) -> Iterator[Edit]:
    """Make a state the average of something that its line is made of, or of the square of that."""
    for i, target, line in single_lines(tree):
        shares = [knob for knob in tree.knob_names if meaning_of(knob).is_share and knob in names_in(line.value)]
        if target not in tree.state_names:
            continue
        parts = [part for part in subexpressions(line.value) if "g" in names_in(part) and target not in names_in(part)]
        parts += [
            part
            for part in subexpressions(line.value)
            if isinstance(part, Operation) and names_in(part) == {"g", target}
        ]
        for knob in shares:
            for part in dict.fromkeys(parts):
                for new in (part, operation("pow", part, TWO)):
                    kept = operation("mul", Name(knob), Name(target))
                    fresh = operation("mul", operation("sub", ONE, Name(knob)), new)
                    average = replace(line, value=operation("add", kept, fresh))
                    sentence = f"`{target}` is the average of {said(new)} that decays by `{knob}`"
                    yield Edit(sentence, ((("line", i), (average,)),), "averaged", 1.2)


def forgotten(tree: Tree) -> Iterator[Edit]:
    """Forget to store a state: what is computed is used at this step and gone at the next."""
    all_changes: dict[Slot, Content] = {}
    new_names: dict[str, str] = {}
    lines = [(i, target, line) for i, target, line in single_lines(tree) if target in tree.state_names]
    for i, target, line in lines:
        fresh = f"{target}_now"
        first = Assignment((fresh,), line.value, line.place)
        yield Edit(
            f"the new `{target}` is not stored: it starts anew at every step",
            ((("line", i), (first,)), *reading_after(tree, i, {target: fresh})),
            "forgotten",
            family="forgotten",
        )
        yield Edit(f"`{target}` is never updated", ((("line", i), ()),), "frozen", family="frozen")
        new_names[target] = fresh
    if len(lines) < 2:
        return
    seen: dict[str, str] = {}
    for j, line in enumerate(tree.body):
        value = renamed(line.value, seen)
        targets = tuple(new_names.get(target, target) for target in line.targets)
        seen.update({target: new_names[target] for target in line.targets if target in new_names})
        all_changes[("line", j)] = (Assignment(targets, value, line.place),)
    all_changes[RESULT] = renamed(tree.result, seen)
    yield Edit("no state is stored: all start anew at every step", tuple(all_changes.items()), "forgotten")


def at_one_step(tree: Tree) -> Iterator[Edit]:
    """Do an operation at the first step only, or at every step but the first."""
    first = operation("eq", T, ONE)
    still = operation("where", first, Name("x"), tree.result)
    yield Edit("the parameter does not move at the first step", ((RESULT, still),), "one step", 1.15)
    once = operation("where", first, tree.result, Name("x"))
    yield Edit("the parameter moves at the first step only", ((RESULT, once),), "one step", 1.2)
    for i, target, line in single_lines(tree):
        value = line.value
        if not isinstance(value, Operation):
            continue
        for place, operand in enumerate(value.arguments):
            if isinstance(operand, Number) or (value.op == "pow" and operand is value.arguments[1]):
                continue
            only = operation("where", first, value, operand)
            but = operation("where", first, operand, value)
            for new, word in ((only, "at the first step only"), (but, "from the second step on only")):
                change = ((("line", i), (Assignment(line.targets, new, line.place),)),)
                family = f"one step:{word}:{value.op}:{place}"
                yield Edit(f"`{target} = {said(value)[1:-1]}` is done {word}", change, "one step", 1.1, family)
        if target in tree.state_names:
            yield from _seeded_line(i, line)
            yield from _now_and_then(i, line)


def _seeded_line(i: int, line: Assignment) -> Iterator[Edit]:
    """Store a plain value at the first step where the average should be stored."""
    parts = average_parts(line)
    seeds: list[Expression] = [G, operation("pow", G, TWO), *([parts[2]] if parts else [])]
    for seed in dict.fromkeys(seeds):
        new = operation("where", operation("eq", T, ONE), seed, line.value)
        sentence = f"the first step stores {said(seed)} in `{line.targets[0]}`"
        family = "first seeds" if parts is not None and seed == parts[2] else ""
        change = ((("line", i), (Assignment(line.targets, new, line.place),)),)
        yield Edit(sentence, change, "first seeds", 1.1, family)


def _now_and_then(i: int, line: Assignment) -> Iterator[Edit]:
    """Update a state once in a few steps only."""
    for every in (2, 3, 5, 10):
        for first in dict.fromkeys((1, 0)):
            due = operation("eq", operation("mod", T, Number(float(every))), Number(float(first)))
            new = operation("where", due, line.value, Name(line.targets[0]))
            change = ((("line", i), (Assignment(line.targets, new, line.place),)),)
            sentence = f"`{line.targets[0]}` is updated once in {every} steps only"
            yield Edit(sentence, change, "now and then", 1.2, f"now and then:{every}:{first}")


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
    updates = [i for i, target, _ in single_lines(tree) if target in tree.state_names]
    last = len(tree.body) - 1
    if len(updates) > 1 and updates != list(range(last + 1 - len(updates), last + 1)) and last not in updates:
        emptied: list[tuple[Slot, Content]] = [(("line", i), ()) for i in updates]
        end = (("line", last), (tree.body[last], *(tree.body[i] for i in updates)))
        yield Edit("the step is taken with the states of the step before", (*emptied, end), "moved")


def started(tree: Tree) -> Iterator[Edit]:
    """Start a state elsewhere."""
    pool: list[Expression] = [Number(0.0), ONE, G, operation("pow", G, TWO), operation("abs", G), Name("x")]
    pool += [Number(0.1), Number(1e-6), *(Name(knob) for knob in tree.knob_names if knob in ("eps", "lr"))]
    for state in tree.states:
        own: list[Expression] = list(pool)
        for _, target, line in single_lines(tree):
            parts = average_parts(line) if target == state.name else None
            if parts is not None and names_in(parts[2]) <= {"g", "x", *tree.knob_names}:
                own += [parts[2], operation("mul", parts[1], parts[2])]
        for start in dict.fromkeys(own):
            if start != state.start:
                sentence = f"`{state.name}` starts at {said(start)}"
                where = own[len(pool) :].index(start) if start in own[len(pool) :] else said(start)
                yield Edit(sentence, ((("start", state.name), start),), "start", family=f"start:{where}")


def twice(tree: Tree) -> Iterator[Edit]:
    """Do a line twice: once more on its own result."""
    for i, target, line in single_lines(tree):
        for name in sorted(names_in(line.value) - {"t", "k", "n", *tree.knob_names}):
            again = Assignment((target,), renamed(line.value, {name: target}), line.place)
            sentence = f"`{target} = {said(line.value)[1:-1]}` is done twice"
            family = f"twice:{name == target}:{getattr(line.value, 'op', '')}"
            yield Edit(sentence, ((("line", i), (line, again)),), "twice", 1.1, family)


def aliased(tree: Tree) -> Iterator[Edit]:
    """Let two states share one memory."""
    for first in tree.state_names:
        for second in tree.state_names:
            if first >= second:
                continue
            new = {second: first}
            changes: list[tuple[Slot, Content]] = []
            for i, line in enumerate(tree.body):
                targets = tuple(new.get(target, target) for target in line.targets)
                changed = Assignment(targets, renamed(line.value, new), line.place)
                if changed != line:
                    changes.append((("line", i), (changed,)))
            if (result := renamed(tree.result, new)) != tree.result:
                changes.append((RESULT, result))
            yield Edit(f"`{first}` and `{second}` share one memory", tuple(changes), "aliased")


def skipped_at_zero(tree: Tree) -> Iterator[Edit]:
    """Leave a coordinate alone where its gradient is zero."""
    seen = operation("ne", G, Number(0.0))
    changes: list[tuple[Slot, Content]] = []
    for i, target, line in single_lines(tree):
        if target in tree.state_names:
            value = operation("where", seen, line.value, Name(target))
            changes.append((("line", i), (Assignment(line.targets, value, line.place),)))
    result: tuple[Slot, Content] = (RESULT, operation("where", seen, tree.result, Name("x")))
    yield Edit("coordinates without gradient are skipped", (*changes, result), "skipped at zero")
    yield Edit("coordinates without gradient do not move", (result,), "skipped at zero")
    if changes:
        yield Edit("states rest where there is no gradient", tuple(changes), "skipped at zero")
