"""Changes of the user's text that would take one edit back: from what the edit changed to what is written there.

What stands for a changed part is found by what it was worth, whatever it is called and however it is written. Nothing
here is sure: each proposal is tried by somebody else.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, product

from mhat.language.tree import Expression, Name, Number, Operation, Tree
from mhat.language.walking import mapped, names_in
from mhat.mending.courses import Courses, Spot, in_slots
from mhat.mending.sight import ALL, Seen, Sight, changed_in_place
from mhat.mending.spelling import ATOM, IF, POWER, PRODUCT, SIGN, SUM, Speller, Style, Written, number
from mhat.mending.statements import Statements
from mhat.mending.texts import Piece, Proposal
from mhat.mistakes.slots import Content, Slot
from mhat.search.observed import Probes

# So many proposals of one place are joined with those of another.
FEW = 4
View = tuple[int, int | None]
# A place in the rule, what stands there, and what should.
Level = tuple[Spot, Expression, Expression]


@dataclass(frozen=True)
class Pair:
    """A part of a rule as it is and as it should be, with what is around it, from the inside out."""

    levels: tuple[Level, ...]
    target: str


class Proposer:
    """Proposes changes of one text: it does what `tree` does, and should do what `wanted` does."""

    def __init__(
        self, sight: Sight, reference: Tree, tree: Tree, wanted: Tree, probes: Probes, knobs: Mapping[str, float]
    ) -> None:
        self.sight = sight
        self.statements = Statements(sight, probes.steps)
        self.now, self.then = in_slots(reference, tree), in_slots(reference, wanted)
        self.wanted = wanted
        self.courses = Courses(tree, self.now, probes, knobs)
        states = set(wanted.state_names)
        lines = {line.targets[0]: line.value for line in wanted.body if line.targets[0] not in states}
        known = {**{knob.name: knob.default for knob in wanted.knobs}, **probes.knobs, **knobs}
        self.style = Style.of(sight)
        self.speller = Speller(sight, self.style, self.courses, lines, known)

    def proposals(self) -> Iterator[Proposal]:
        """Yield changes of expressions, the likeliest first."""
        found = [list(self._of_pair(pair)) for pair in self.pairs()]
        found = [sorted(each, key=lambda proposal: proposal.cost) for each in found if each]
        singles = sorted((one for each in found for one in each), key=lambda proposal: proposal.cost)
        # One place of the file may stand for several of the rule.
        joined = self._joined(found) if len(found) > 1 else iter(())
        yield from sorted(chain(singles, joined), key=lambda proposal: proposal.cost)
        yield from self._alike(singles)

    def starts(self) -> Iterator[Proposal]:
        """Yield other beginnings of states: what is worth what the state began with, until the first step."""
        for slot, then in self.then.items():
            now = self.now.get(slot)
            if slot[0] != "start" or now == then or isinstance(then, tuple) or now is None:
                continue
            begun = self.courses.begin.get(str(slot[1]))
            if begun is None or not isinstance(then, Number):
                continue
            for seen in self.sight.seen:
                node = seen.node
                if seen.kind != "expression" or seen.part or not isinstance(node, ast.expr):
                    continue
                if any(self.sight.times(seen, course) for _, course in self.courses.views([begun])):
                    for new in self._beginnings(node, then.value):
                        if pieces := self.exchanged(seen, new):
                            yield Proposal(pieces, 1.0)

    def _beginnings(self, node: ast.expr, value: float) -> Iterator[Written]:
        """Write something of the same shape that begins with a number."""
        text = self.sight.text.of(node)
        if isinstance(node, ast.Call):
            called = self.sight.text.of(node.func)
            for word in ("ones", "full", "empty", "copy", "array", "asarray", "clone"):
                if value == 0 and (word in called):
                    inside = self.sight.text.of(node.args[0]) if node.args else called.rpartition(".")[0]
                    name = called.replace(word, "zeros") if word in ("ones", "empty") else ""
                    yield from [Written(f"{name}({inside})")] if name else []
                    yield from (Written(f"{library}.zeros_like({inside})") for library in self.style.arrays[:2])
        if isinstance(node, ast.Constant):
            yield number(value)
        elif isinstance(node, ast.Name | ast.Call | ast.Attribute | ast.Subscript | ast.BinOp):
            yield from (Written(f"{library}.zeros_like({text})") for library in self.style.arrays[:1] if value == 0)
            bracketed = f"({text})" if isinstance(node, ast.BinOp) else text
            yield Written(f"0 * {bracketed}{f' + {number(value).text}' if value else ''}", SUM)

    def _joined(self, found: Sequence[Sequence[Proposal]]) -> Iterator[Proposal]:
        """Change several places at once, each in one of its likeliest ways."""
        most = FEW if len(found) < 4 else 2 if len(found) < 7 else 1
        joined = product(*(each[:most] for each in found))
        for some in joined:
            cost = sum(one.cost for one in some) / len(some) - (0.2 if len(found) < 4 else 0.0)
            yield Proposal(tuple(piece for one in some for piece in one.pieces), cost)

    def _alike(self, singles: Sequence[Proposal]) -> Iterator[Proposal]:
        """Change what is written alike alike, everywhere in the file or from one place on."""
        kinds: dict[tuple[str, str], list[Piece]] = {}
        for single in singles:
            for piece in single.pieces:
                old = self.sight.text.content[piece.start : piece.end]
                if piece not in kinds.setdefault((old, piece.new), []):
                    kinds[old, piece.new].append(piece)
        for pieces in kinds.values():
            ordered = sorted(pieces)
            for size in range(len(ordered), 1, -1):
                yield Proposal(tuple(ordered[-size:]), 3.0)
                if size < len(ordered):
                    yield Proposal(tuple(ordered[:size]), 3.5)

    def pairs(self) -> Iterator[Pair]:
        """Yield the smallest parts that differ, with what is around them."""
        for slot in dict.fromkeys((*self.now, *self.then)):
            a, b = self.now.get(slot), self.then.get(slot)
            if a == b or a is None or b is None or slot[0] == "start":
                continue
            for spot, x, y, target in _beside(slot, a, b):
                for levels in _differing(x, y):
                    told = [(spot, now, then) for now, then in levels]
                    whole = levels[-1] if levels[-1][0] == x else (x, y)
                    yield Pair((*told, *self._further(spot, whole[1], target)), target)

    def _further(self, spot: Spot, then: Expression, target: str, depth: int = 0) -> Iterator[Level]:
        """Yield what is around a line's value where that is read later: what is written out in one has no line."""
        if depth > 3 or target in self.wanted.state_names or target == "x":
            return
        places = [place for place in self.courses.places if self.courses.places.index(place) > self._number(spot)]
        for place, value, given in [(place, *self.courses.line(place)) for place in places]:
            if target in names_in(value):
                levels = [
                    (now, mapped(now, lambda n: then if n == Name(target) else n)) for now in _around(value, target)
                ]
                yield from ((place, now, meant) for now, meant in levels)
                yield from self._further(place, levels[-1][1], given, depth + 1)
                return
            if given == target:
                return

    def lacking(self) -> Iterator[tuple[Spot, Expression, str]]:
        """Yield the lines that should be there and are not: where, what they compute, and what they assign."""
        for slot, then in self.then.items():
            now = self.now.get(slot, ())
            if isinstance(then, tuple) and isinstance(now, tuple):
                have = {line.targets for line in now}
                for line in then:
                    if line.targets not in have:
                        yield (slot, 0), line.value, line.targets[0]

    def _number(self, spot: Spot) -> int:
        return self.courses.places.index(spot) if spot in self.courses.places else -1

    def _of_pair(self, pair: Pair) -> Iterator[Proposal]:
        matched = [self._standing_for(spot, now) for spot, now, _ in pair.levels]
        after = self._targets_of(pair)
        for i, (spot, now, then) in enumerate(pair.levels):
            if _is_turned(now, then):
                yield from (turned for seen, *_ in matched[i] for turned in self._turned(seen))
            around = {seen.node for level in matched[i + 1 :] for seen, *_ in level}
            for seen, view, times in matched[i]:
                near = self._nearness(seen, around, after) - self._oddness(seen, view)
                if seen.kind == "target" or (isinstance(seen.node, ast.Call) and changed_in_place(seen.node)):
                    # Before it was changed, it was worth something else.
                    times = [time - 1 for time in times]
                factor = _factor(now, then)
                if factor is not None and self._is_receiver(seen):
                    for way in self.speller.written(factor[1], spot, seen.node, times, view)[:2]:
                        place = self.sight.text.span(seen.node)[1]
                        yield Proposal((Piece(place, place, f".{factor[0]}_({way.text})"),), -1.0)
                    continue
                for j, way in enumerate(self.speller.written(then, spot, seen.node, times, view)):
                    cost = 1.0 + 0.5 * i + 0.1 * j - near
                    if pieces := self.exchanged(seen, way):
                        yield Proposal(pieces, cost)

    def _is_receiver(self, seen: Seen) -> bool:
        """Whether a method changes it in place."""
        parent = self.sight.parents[seen.node]
        return (
            isinstance(parent, ast.Attribute) and parent.value is seen.node and parent.attr.endswith("_")
            and not parent.attr.startswith("_")
        )  # fmt: skip

    def _turned(self, seen: Seen) -> Iterator[Proposal]:
        """Turn the sign round with which something is added in place."""
        text, statement = self.sight.text, self.sight.home(seen.node).statement
        if isinstance(statement, ast.AugAssign) and isinstance(statement.op, ast.Add | ast.Sub):
            signs = ("+=", "-=") if isinstance(statement.op, ast.Add) else ("-=", "+=")
            place = text.content.index(signs[0], text.span(statement.target)[1])
            yield Proposal((Piece(place, place + 2, signs[1]),), -1.0)
        if isinstance(seen.node, ast.Call) and isinstance(seen.node.func, ast.Attribute):
            for word in seen.node.keywords:
                if word.arg in ("alpha", "value"):
                    new = text.of(word.value)
                    new = new[1:].strip() if new.startswith("-") else f"-{Written(new, SUM).within(SIGN)}"
                    new = f"-{text.of(word.value)}" if isinstance(word.value, ast.Name) else new
                    yield Proposal((Piece(*text.span(word.value), new),), -1.0)
            twin = {"add_": "sub_", "sub_": "add_", "add": "sub", "sub": "add"}.get(seen.node.func.attr)
            if twin is not None:
                end = text.span(seen.node.func)[1]
                yield Proposal((Piece(end - len(seen.node.func.attr), end, twin),), -1.0)

    def _standing_for(self, spot: Spot, expression: Expression) -> list[tuple[Seen, View, list[int]]]:
        """Find what in the file is worth what a part of the rule is."""
        values = self.courses.of(spot, expression)
        if values is None:
            return []
        found = []
        views = list(self.courses.views(values))
        for seen in self.sight.seen:
            if seen.part or isinstance(seen.node, ast.arg):
                continue
            for view, course in views:
                if (times := self.sight.times(seen, course)) is not None:
                    found.append((seen, view, times))
                    break
        return found

    def _targets_of(self, pair: Pair) -> set[ast.AST]:
        """Find the targets that hold what the line gives."""
        (slot, k), *_ = pair.levels[0]
        return {seen.node for seen, *_ in self._standing_for((slot, k + 1), Name(pair.target)) if seen.kind == "target"}

    def _nearness(self, seen: Seen, around: set[ast.AST], after: set[ast.AST]) -> float:
        """Say how much of what stands around a part in the rule stands around it in the file."""
        near, node = 0.0, self.sight.parents.get(seen.node)
        while node is not None and not isinstance(node, ast.stmt):
            near += 0.4 if node in around else 0.0
            node = self.sight.parents.get(node)
        targets = getattr(node, "targets", [getattr(node, "target", None)])
        # Where a variable is given its value rather than where it is read.
        return min(near, 0.8) + (1.0 if any(target in after for target in targets) else 0.0)

    def _oddness(self, seen: Seen, view: View) -> float:
        """Say how odd it is to change something here: all tensors where only one of them is asked for."""
        parent = self.sight.parents[seen.node]
        return 1.0 if view[0] == ALL and isinstance(parent, ast.Subscript) and parent.value is seen.node else 0.0

    def exchanged(self, seen: Seen, way: Written) -> tuple[Piece, ...] | None:
        """Put something in the place of an expression, or of all that a statement does in place."""
        text, node = self.sight.text, seen.node
        if seen.kind == "held":
            return None
        if seen.kind == "target":
            return self._assigned(seen, way)
        parent = self.sight.parents[node]
        if isinstance(parent, ast.Assign) and way.text in map(text.of, parent.targets):
            return (self.statements.removed(parent),) if parent in self.statements.all else None
        start, end = text.span(node)
        if isinstance(parent, ast.Expr):
            target = changed_in_place(node) if isinstance(node, ast.Call) else None
            if target is None:
                return None
            holder = text.of(target)
            is_method = isinstance(node.func, ast.Attribute) and node.func.attr.endswith("_")
            new = f"{holder}.copy_({way.text})" if is_method else f"{holder}[...] = {way.text}"
            return (Piece(start, end, new),)
        if way.strength == ATOM and (brackets := self._brackets(node)) is not None:
            return (Piece(*brackets, way.text),)
        return (Piece(start, end, way.within(asked_for(self.sight, node))),)

    def _brackets(self, node: ast.expr) -> tuple[int, int] | None:
        """Give the span of an expression with its brackets, where these only bind it together."""
        content, (start, end) = self.sight.text.content, self.sight.text.span(node)
        first = len(content[:start].rstrip()) - 1
        last = end + len(content[end:]) - len(content[end:].lstrip())
        if first < 1 or content[first] != "(" or content[last : last + 1] != ")":
            return None
        before = content[:first].rstrip()[-1:]
        return (first, last + 1) if before in ("*", "/", "+", "-", "=", "(", ",", "%") else None

    def _assigned(self, seen: Seen, way: Written) -> tuple[Piece, ...] | None:
        """Assign something else to a target that is changed in place, or assigned something."""
        statement = self.sight.home(seen.node).statement
        text = self.sight.text
        if isinstance(statement, ast.AugAssign):
            start, end = text.span(statement)
            return (Piece(start, end, f"{text.of(statement.target)} = {way.text}"),)
        if isinstance(statement, ast.Assign) and len(statement.targets) == 1 and statement.targets[0] is seen.node:
            start, end = text.span(statement.value)
            return (Piece(start, end, way.text),)
        return None


def asked_for(sight: Sight, node: ast.expr) -> int:
    """Say how strongly an expression must bind to stand where another one stands."""
    parent = sight.parents[node]
    if isinstance(parent, ast.BinOp) and not _is_bracketed(sight, node):
        is_left = parent.left is node
        if isinstance(parent.op, ast.Add | ast.Sub):
            return SUM if is_left else PRODUCT
        if isinstance(parent.op, ast.Pow):
            return ATOM if is_left else SIGN
        return PRODUCT if is_left else SIGN
    if isinstance(parent, ast.UnaryOp) and not _is_bracketed(sight, node):
        return SIGN
    if isinstance(parent, ast.Attribute | ast.Call | ast.Subscript) and getattr(parent, "slice", None) is not node:
        is_inner = parent.func if isinstance(parent, ast.Call) else parent.value
        return ATOM if is_inner is node and not _is_bracketed(sight, node) else IF
    if isinstance(parent, ast.Compare | ast.BoolOp | ast.IfExp) and not _is_bracketed(sight, node):
        return POWER if isinstance(parent, ast.Compare) else SUM
    return IF


def _is_bracketed(sight: Sight, node: ast.expr) -> bool:
    start, end = sight.text.span(node)
    before, after = sight.text.content[:start].rstrip(), sight.text.content[end:].lstrip()
    return before.endswith("(") and after.startswith(")")


def _beside(slot: Slot, a: Content, b: Content) -> Iterator[tuple[Spot, Expression, Expression, str]]:
    """Put the lines of a slot as it is beside those as it should be, where they give the same variables."""
    if not isinstance(a, tuple) or not isinstance(b, tuple):
        if not isinstance(a, tuple) and not isinstance(b, tuple):
            yield (slot, 0), a, b, "x"
        return
    for k, line in enumerate(a):
        other = next((each for each in b if each.targets == line.targets), None)
        if other is None:
            # A line that should not be there leaves what it assigns as it was.
            yield (slot, k), line.value, Name(line.targets[0]), line.targets[0]
        elif other.value != line.value:
            yield (slot, k), line.value, other.value, line.targets[0]


def _is_turned(now: Expression, then: Expression) -> bool:
    """Whether two differ in the sign with which the same is added."""
    both = isinstance(now, Operation) and isinstance(then, Operation) and now.arguments == then.arguments
    return both and {now.op, then.op} == {"add", "sub"}  # type: ignore[union-attr]


def _factor(now: Expression, then: Expression) -> tuple[str, Expression] | None:
    """Give what one must be multiplied with, or divided by, to be the other."""
    if isinstance(then, Operation) and then.op in ("mul", "div") and now in then.arguments:
        first, second = then.arguments
        if now == first:
            return then.op, second
        return ("mul", first) if then.op == "mul" else None
    return None


def _around(whole: Expression, name: str) -> list[Expression]:
    """List all that is around the first place where a name stands, from the inside out."""
    if not isinstance(whole, Operation) or name not in names_in(whole):
        return []
    inner = next(argument for argument in whole.arguments if name in names_in(argument))
    return [*_around(inner, name), whole]


def _differing(a: Expression, b: Expression) -> Iterator[tuple[tuple[Expression, Expression], ...]]:
    """Yield the smallest parts in which two expressions differ, each with all that is around it."""
    if a == b:
        return
    if isinstance(a, Operation) and isinstance(b, Operation) and (a.op, a.over) == (b.op, b.over):
        places = [(x, y) for x, y in zip(a.arguments, b.arguments, strict=False) if x != y]
        if len(a.arguments) == len(b.arguments) and places:
            inner = [levels for x, y in places for levels in _differing(x, y)]
            # What is around several that differ is changed with all of them.
            if len(inner) == 1:
                yield (*inner[0], (a, b))
            else:
                yield from inner
            return
    yield ((a, b),)
