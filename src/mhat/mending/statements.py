"""Changes of whole statements of the user's: left out, moved, put in, stored under another name. Nothing here is sure.

They know no rule, but for what a line that lacks computes: that is written by the speller.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mhat.language.tree import Name
from mhat.mending.sight import Sight, changed_in_place
from mhat.mending.texts import Piece, Proposal

if TYPE_CHECKING:
    from mhat.mending.proposals import Proposer

SIMPLE = (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)
BLOCKS = (ast.For, ast.While, ast.If, ast.With)
SIGNS = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}
OPPOSITE = {"+=": "-=", "-=": "+=", "*=": "/=", "/=": "*="}


class Statements:
    """Proposes changes of the statements of one file."""

    def __init__(self, sight: Sight, steps: int) -> None:
        self.sight, self.text = sight, sight.text
        self.all = [each for each in sight.statements if isinstance(each, SIMPLE) and self._is_alone(each)]
        often = {sight.home(seen.node).statement for seen in sight.seen if len(seen.events) >= steps and not seen.part}
        # What is done at every step comes first.
        self.all.sort(key=lambda each: each not in often)
        self.often = [each for each in self.all if each in often]

    def _is_alone(self, statement: ast.stmt) -> bool:
        """Whether nothing else stands on its lines."""
        first, last = self.text.lines[statement.lineno - 1], self.text.lines[(statement.end_lineno or 1) - 1]
        before = first.encode()[: statement.col_offset].decode(errors="ignore")
        after = last.encode()[statement.end_col_offset :].decode(errors="ignore").strip()
        return not before.strip() and (not after or after.startswith("#"))

    def lines_of(self, statement: ast.stmt) -> tuple[int, int]:
        """Give the span of its whole lines."""
        return self.text.whole_lines(statement.lineno, statement.end_lineno or statement.lineno)

    def body_of(self, statement: ast.stmt) -> str:
        """Give its whole lines, ended."""
        start, end = self.lines_of(statement)
        body = self.text.content[start:end]
        return body if body.endswith(("\n", "\r")) else body + self.text.end_of_line

    def removed(self, statement: ast.stmt) -> Piece:
        """Leave a statement out; where its block would be empty, the block too."""
        block, parent = self.sight.block_of(statement), self.sight.parents.get(statement)
        if len(block) == 1 and isinstance(parent, ast.If) and not parent.orelse and self._is_alone(parent):
            return self.removed(parent)
        if len(block) == 1 and not isinstance(parent, ast.Module):
            start, end = self.text.span(statement)
            return Piece(start, end, "pass")
        return Piece(*self.lines_of(statement), "")

    def indented(self, statement: ast.stmt, like: ast.stmt) -> str:
        """Give the lines of a statement as they would stand beside another one."""
        old, new = self.text.indent(statement.lineno), self.text.indent(like.lineno)
        lines = re.split(r"(?<=\n)|(?<=\r)(?!\n)", self.body_of(statement))
        return "".join(new + line.removeprefix(old) if line.strip() else line for line in lines if line)

    def left_out(self) -> Iterator[Proposal]:
        """Leave each out."""
        yield from (Proposal((self.removed(each),), 2.0) for each in self.often)

    def moved(self) -> Iterator[Proposal]:
        """Move each to another place in its block, the nearest first, then out of it, or into one beside it."""
        for each in self.all:
            block = [other for other in self.sight.block_of(each) if self._is_alone(other)]
            if each not in block:
                continue
            i = block.index(each)
            for j, other in enumerate(block):
                if other is not each:
                    yield self._moved(each, other, behind=j > i, cost=2.2 + 0.1 * abs(i - j))
            for other in (*block[i + 1 :], *block[:i][::-1]):
                if isinstance(other, ast.For | ast.If | ast.With | ast.While):
                    yield self._moved(each, other.body[0], behind=False, cost=2.7)
                    yield self._moved(each, other.body[-1], behind=True, cost=2.7)
            parent = self.sight.parents.get(each)
            while isinstance(parent, BLOCKS) and self._is_alone(parent):
                yield self._moved(each, parent, behind=False, cost=2.5)
                yield self._moved(each, parent, behind=True, cost=2.5)
                parent = self.sight.parents.get(parent)

    def _moved(self, statement: ast.stmt, to: ast.stmt, *, behind: bool, cost: float) -> Proposal:
        start, end = self.lines_of(to)
        place = end if behind else start
        gone = self.removed(statement)
        return Proposal((gone, self._put(place, self.indented(statement, to))), cost)

    def _put(self, place: int, lines: str) -> Piece:
        """Put lines at a place; behind a last line that has no end, one is made."""
        content, end = self.text.content, self.text.end_of_line
        if place == len(content) and not content.endswith(("\n", "\r")):
            return Piece(place, place, end + lines.removesuffix(end))
        return Piece(place, place, lines)

    def beside(self, like: ast.stmt, line: str, *, behind: bool = True) -> Piece:
        """Put a new line before or behind a statement."""
        start, end = self.lines_of(like)
        return self._put(end if behind else start, self.text.indent(like.lineno) + line + self.text.end_of_line)

    def freed(self) -> Iterator[Proposal]:
        """Do always what is done under a condition only, or one of two alternatives."""
        for node in ast.walk(self.text.tree):
            if not isinstance(node, ast.If) or not self._is_alone(node) or node.test.lineno != node.lineno:
                continue
            for block in (node.body, node.orelse):
                if block and block[0].lineno > node.lineno and all(map(self._is_alone, block)):
                    lines = "".join(self.indented(each, node) for each in block)
                    yield Proposal((Piece(*self.lines_of(node), lines),), 2.4)

    def renamed(self) -> Iterator[Proposal]:
        """Store a value under a name of its own, and read it there from then on in its block."""
        for each in self.often:
            if isinstance(each, ast.Assign):
                value = self.text.of(each.value)
                target = next((one for one in each.targets if self.text.of(one) in value), None)
                if target is None:
                    continue
                if len(each.targets) > 1:
                    yield self._untold(each, target)
                    continue
            elif isinstance(each, ast.AugAssign) and type(each.op) in SIGNS:
                target = each.target
                value = f"{self.text.of(target)} {SIGNS[type(each.op)][0]} {self.text.of(each.value)}"
            elif isinstance(each, ast.Expr) and isinstance(each.value, ast.Call):
                found = changed_in_place(each.value)
                if found is None or not self.text.of(each.value).startswith(self.text.of(found)):
                    continue
                target, value = found, re.sub(r"_\(", "(", self.text.of(each.value), count=1)
            else:
                continue
            yield from self._renamed(each, target, value)

    def _untold(self, statement: ast.Assign, target: ast.expr) -> Proposal:
        """Store a value in all targets of a statement but one."""
        names = [self.text.of(each) for each in statement.targets if each is not target]
        new = " = ".join([*names, self.text.of(statement.value)])
        return Proposal((Piece(*self.text.span(statement), new),), 1.4)

    def copied(self) -> Iterator[Proposal]:
        """Compute something new where what is kept is changed in place, and read."""
        for seen in self.sight.seen:
            node = seen.node
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute) or seen.part:
                continue
            name = node.func.attr
            if name.endswith("_") and not name.startswith("_") and not isinstance(self.sight.parents[node], ast.Expr):
                end = self.text.span(node.func)[1]
                yield Proposal((Piece(end - 1, end, ""),), 1.4)

    def _renamed(self, statement: ast.stmt, target: ast.expr, value: str) -> Iterator[Proposal]:
        block = self.sight.block_of(statement)
        later = block[block.index(statement) + 1 :] if statement in block else []
        old, fresh = self.text.of(target), self._fresh(target)
        pieces = [
            Piece(*self.text.span(node), fresh)
            for other in later
            for node in ast.walk(other)
            if isinstance(node, type(target)) and isinstance(getattr(node, "ctx", None), ast.Load)
            and self.text.of(node) == old
        ]  # fmt: skip
        if pieces:
            start, end = self.text.span(statement)
            yield Proposal((Piece(start, end, f"{fresh} = {value}"), *pieces), 1.5)
            yield Proposal((Piece(start, end, f"{fresh} = {value}"), *pieces[:1]), 1.8)

    def _fresh(self, target: ast.expr) -> str:
        """Make a name that is free: what is corrected is called so."""
        words = re.findall(r"[A-Za-z_]\w*", self.text.of(target))
        base = next((word for word in reversed(words) if word not in ("self", "state", "i", "k", "key", "p")), "value")
        taken = {node.id for node in ast.walk(self.text.tree) if isinstance(node, ast.Name)}
        names = (f"{base}_hat", *(f"{base}_hat{i}" for i in range(2, 100)))
        return next(name for name in names if name not in taken)

    def turned(self) -> Iterator[Proposal]:
        """Turn what a statement does to its target round, or do it to nothing."""
        for each in self.all:
            if isinstance(each, ast.AugAssign) and type(each.op) in SIGNS:
                sign = SIGNS[type(each.op)]
                start = self.text.span(each.target)[1]
                place = start + self.text.content[start:].index(sign)
                yield Proposal((Piece(place, place + 2, OPPOSITE[sign]),), 2.0)
                yield Proposal((Piece(place, place + 2, "="),), 2.6)
            elif isinstance(each, ast.Assign) and len(each.targets) == 2:
                indent, value = self.text.indent(each.lineno), self.text.of(each.value)
                lines = [f"{self.text.of(target)} = {value}" for target in each.targets]
                new = f"{self.text.end_of_line}{indent}".join(lines)
                yield Proposal((Piece(*self.text.span(each), new),), 2.0)

    def counted(self) -> Iterator[Proposal]:
        """Count where nothing counts: what is a whole number, and is it at every step."""
        for text, events in self.sight.named.items():
            numbers = {event.numbers for event, _ in events}
            if len(events) < 3 or len(numbers) > 1 or numbers not in ({(0.0,)}, {(1.0,)}):
                continue
            last = events[-1][1].node
            functions = self.sight.home(last).functions
            body = getattr(functions[0], "body", None) if functions else None
            if not isinstance(body, list):
                continue
            statements = [each for each in body if self._is_alone(each)]
            for i, each in enumerate(statements):
                is_doc = isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant)
                if not is_doc:
                    yield Proposal((self.beside(each, f"{text} += 1", behind=False),), 2.0 + 0.05 * i)

    def put_in(self, proposer: Proposer) -> Iterator[Proposal]:
        """Put in the lines that lack: what they compute, in the user's names, stored where the state is kept."""
        for spot, value, name in proposer.lacking():
            held = proposer.courses.of(spot, Name(name))
            if held is None:
                continue
            for each in self.all:
                times = self._moments(each, proposer.courses.steps)
                if times is None:
                    continue
                for view, course in proposer.courses.views(held):
                    for where in self.sight.holding(course, times, each)[:4]:
                        for way in proposer.speller.written(value, spot, each, times, view)[:2]:
                            if way.text != where:
                                yield Proposal((self.beside(each, f"{where} = {way.text}"),), 2.0)
                                yield Proposal((self.beside(each, f"{where} = {way.text}", behind=False),), 2.3)
                    break

    def _moments(self, statement: ast.stmt, steps: int) -> list[int] | None:
        """Say when a statement ran, a moment a step."""
        best: Sequence[int] | None = None
        for seen in self.sight.seen:
            if self.sight.home(seen.node).statement is statement and len(seen.events) >= steps and not seen.part:
                times = [event.time for event in seen.events]
                best = times if best is None or len(times) < len(best) else best
        if best is None:
            return None
        stride = len(best) // steps
        return list(best[::stride])[:steps] if len(best) % steps == 0 else list(best[:steps])

    def stored(self) -> Iterator[Proposal]:
        """Keep what is computed where it is looked for at the next step: in what never changes."""
        still = {
            text for text, events in self.sight.named.items()
            if re.search(r"[.\[]", text) and len(events) > 2 and len({event.numbers for event, _ in events}) == 1
        }  # fmt: skip
        for each in self.all:
            if isinstance(each, ast.Assign) and len(each.targets) == 1 and isinstance(each.targets[0], ast.Name):
                own = self.text.of(each.targets[0])
                read = self.text.of(each.value)
                for where in sorted(text for text in still if text in read or own in text):
                    yield Proposal((self.beside(each, f"{where} = {own}"),), 2.1)
                    yield Proposal((Piece(*self.text.span(each.targets[0]), f"{where} = {own}"),), 2.2)
