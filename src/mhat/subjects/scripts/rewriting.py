"""Rewrite a script so that one name of it is fed, one is read, and its numbers can be set. It runs nothing.

The script keeps its lines and their numbers; calls of these names are put in between:

    __mhat_feed__(value, inside)    gives gradients in place of a sequence, or the next one inside of a loop
    __mhat_read__(lambda: x)        notes what the name that is read holds at the end of a turn of a loop
    __mhat_set__(name, value)       gives a number that was set from outside, or its own
    __mhat_steps__                  how many gradients there are, for a script that counts its steps itself
    __mhat_round__(values)          goes through values again and again, for a loop over values that are written out
"""

from __future__ import annotations

import ast
import itertools
import operator
from collections.abc import Iterator

FEED, READ, SET, STEPS, ROUND = "__mhat_feed__", "__mhat_read__", "__mhat_set__", "__mhat_steps__", "__mhat_round__"
GROWING = frozenset({"append", "extend", "insert"})
COUNTING = frozenset({"range", "arange", "zeros", "ones", "empty", "full", "linspace", "repeat", "randn"})
ARITHMETIC = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}  # fmt: skip
Loop = ast.For | ast.While
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


def own_statements(body: list[ast.stmt], through_loops: bool) -> Iterator[ast.stmt]:
    """Yield the statements that run where `body` runs, those of functions left out."""
    for statement in body:
        yield statement
        if isinstance(statement, DEFINITIONS) or (isinstance(statement, Loop) and not through_loops):
            continue
        for blocks in blocks_of(statement):
            yield from own_statements(blocks, through_loops)


def blocks_of(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield the blocks that stand in a statement."""
    for name in ("body", "orelse", "finalbody"):
        yield from [block] if (block := getattr(statement, name, None)) else []
    for handler in getattr(statement, "handlers", []):
        yield handler.body


def _mentions(node: ast.AST, name: str, context: type[ast.expr_context]) -> bool:
    return any(isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, context) for n in ast.walk(node))


def _targets(statement: ast.stmt) -> list[ast.expr]:
    match statement:
        case ast.Assign():
            return statement.targets
        case ast.AnnAssign() if statement.value is not None:
            return [statement.target]
        case ast.AugAssign() | ast.For():
            return [statement.target]
        case ast.With():
            return [item.optional_vars for item in statement.items if item.optional_vars is not None]
    return []


def stores(statement: ast.stmt, name: str) -> bool:
    """Whether a statement itself, without the blocks in it, assigns a name."""
    return any(_mentions(target, name, ast.Store) for target in _targets(statement))


def _grows(statement: ast.stmt, name: str) -> bool:
    """Whether a statement changes the sequence of that name: appends to it, or sets one of its elements."""
    for target in _targets(statement):
        if isinstance(target, ast.Subscript) and isinstance(target.value, ast.Name) and target.value.id == name:
            return True
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
        method = statement.value.func
        return isinstance(method, ast.Attribute) and method.attr in GROWING and _is(method.value, name)
    return False


def _is(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def constants(tree: ast.Module, body: list[ast.stmt] | None = None) -> dict[str, float]:
    """Collect the numbers that a script assigns once, outside of loops, to a name of their own; `body`: and there."""
    times: dict[str, int] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            times[node.id] = times.get(node.id, 0) + 1
    found = {}
    for statement in own_statements([*tree.body, *(body or [])], through_loops=False):
        for target, value in _pairs(statement):
            number = number_of(value)
            if number is not None and times[target.id] == 1:
                found[target.id] = number
    return found


def _pairs(statement: ast.stmt) -> Iterator[tuple[ast.Name, ast.expr]]:
    """Yield name and value of each plain assignment in a statement."""
    if not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
        return
    for target in _targets(statement):
        if isinstance(target, ast.Name):
            yield target, statement.value
        elif isinstance(target, ast.Tuple | ast.List) and isinstance(statement.value, ast.Tuple | ast.List):
            for each, value in zip(target.elts, statement.value.elts, strict=False):
                if isinstance(each, ast.Name):
                    yield each, value


def number_of(node: ast.expr) -> float | None:
    """Compute an expression of numbers alone; None for anything else."""
    match node:
        case ast.Constant(value=bool()):
            return None
        case ast.Constant(value=int() | float() as number):
            return float(number)
        case ast.UnaryOp(op=ast.USub()):
            inner = number_of(node.operand)
            return None if inner is None else -inner
        case ast.BinOp() if type(node.op) in ARITHMETIC:
            left, right = number_of(node.left), number_of(node.right)
            if left is None or right is None or abs(right) > 1000:
                return None
            try:
                result = ARITHMETIC[type(node.op)](left, right)
            except ArithmeticError:
                return None
            return result if isinstance(result, float) else None
    return None


def rewritten(tree: ast.Module, feed: str, read: str, settable: frozenset[str]) -> ast.Module:
    """Put the calls into a script; the tree is changed in place."""
    feed_sequence(tree, feed)
    _feed_loops(tree.body, feed, fed=False)
    for statement in list(own_statements(tree.body, through_loops=True)):
        if isinstance(statement, Loop) and any(stores(each, read) for each in own_statements(statement.body, False)):
            statement.body.append(_expression(f"{READ}(lambda: {read})", statement.body[-1]))
    wrap_constants(tree.body, settable)
    return ast.fix_missing_locations(tree)


def endless(tree: ast.Module) -> ast.Module:
    """Let the loops whose turns are noted go on whatever happens: whoever feeds them ends them."""
    for loop in own_statements(tree.body, through_loops=True):
        if isinstance(loop, Loop) and any(_is_note(each) for each in loop.body):
            if isinstance(loop, ast.While):
                loop.test = ast.copy_location(ast.Constant(True), loop.test)
            loop.body = [Unbroken().visit(each) for each in loop.body]
    return ast.fix_missing_locations(tree)


def _is_note(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and ast.unparse(statement).startswith(f"{READ}(")


class Unbroken(ast.NodeTransformer):
    """Takes the breaks of a loop out, and leaves those of loops and definitions inside of it."""

    def visit_Break(self, node: ast.Break) -> ast.stmt:
        return ast.copy_location(ast.Pass(), node)

    def generic_visit(self, node: ast.AST) -> ast.AST:
        return node if isinstance(node, (Loop, *DEFINITIONS)) else super().generic_visit(node)


def feed_sequence(tree: ast.Module, feed: str) -> None:
    """Feed a sequence after the last statement that makes it before it is used."""
    places = [
        i
        for i, statement in enumerate(tree.body)
        if not isinstance(statement, DEFINITIONS)
        and any(stores(each, feed) or _grows(each, feed) for each in own_statements([statement], True))
    ]
    used = [i for i in places if any(_mentions(later, feed, ast.Load) for later in tree.body[i + 1 :])]
    if used or places:
        place = used[-1] if used else places[-1]
        _insert_after(tree, place, feed)


def _insert_after(tree: ast.Module, place: int, feed: str) -> None:
    statement = tree.body[place]
    # Inside of `if __name__ == "__main__":` and the like, sequence and use stand in the same block.
    if not isinstance(statement, Loop):
        for block in blocks_of(statement):
            inner = ast.Module(block, [])
            if any(stores(each, feed) or _grows(each, feed) for each in own_statements(block, True)):
                feed_sequence(inner, feed)
                return
    tree.body.insert(place + 1, _assignment(feed, False, statement))


def _feed_loops(body: list[ast.stmt], feed: str, fed: bool) -> None:
    """Feed a number in each turn of the loop that uses it; `fed`: an outer loop does so already."""
    for statement in list(own_statements(body, through_loops=False)):
        if isinstance(statement, Loop):
            _feed_loop(statement, feed, fed)


def _feed_loop(loop: Loop, feed: str, fed: bool) -> None:
    own = list(own_statements(loop.body, through_loops=False))
    inner = [each for each in own if isinstance(each, Loop)]
    if not fed:
        made = next((each for each in own if stores(each, feed) and not _reads_itself(each, feed)), None)
        inside = any(_mentions(each, feed, ast.Load) for each in inner)
        if isinstance(loop, ast.For) and stores(loop, feed):
            loop.body.insert(0, _assignment(feed, True, loop.body[0]))
            fed = True
        elif made is not None and not isinstance(made, Loop):
            block = _block_of(loop.body, made)
            block.insert(block.index(made) + 1, _assignment(feed, True, made))
            fed = True
        elif not inside and any(_mentions(each, feed, ast.Load) for each in loop.body):
            loop.body.insert(0, _assignment(feed, True, loop.body[0]))
            fed = True
    _feed_loops(loop.body, feed, fed)


def _reads_itself(statement: ast.stmt, name: str) -> bool:
    value = getattr(statement, "value", None)
    return isinstance(statement, ast.AugAssign) or (value is not None and _mentions(value, name, ast.Load))


def _block_of(body: list[ast.stmt], wanted: ast.stmt) -> list[ast.stmt]:
    if any(each is wanted for each in body):
        return body
    blocks = (block for each in body if not isinstance(each, DEFINITIONS) for block in blocks_of(each))
    return next(found for block in blocks if (found := _block_of(block, wanted)))


def wrap_constants(body: list[ast.stmt], settable: frozenset[str]) -> None:
    """Let the numbers of some names be set from outside."""
    for statement in own_statements(body, through_loops=False):
        values = {id(value): target.id for target, value in _pairs(statement) if target.id in settable}
        if not values or not isinstance(statement, ast.Assign | ast.AnnAssign) or statement.value is None:
            continue
        whole = statement.value
        if id(whole) in values:
            statement.value = _set(values[id(whole)], whole)
        elif isinstance(whole, ast.Tuple | ast.List):
            whole.elts = [_set(values[id(e)], e) if id(e) in values else e for e in whole.elts]


def _set(name: str, value: ast.expr) -> ast.expr:
    call = ast.Call(ast.Name(SET, ast.Load()), [ast.Constant(name), value], [])
    return ast.copy_location(call, value)


def _assignment(feed: str, inside: bool, near: ast.stmt) -> ast.stmt:
    return placed(ast.parse(f"{feed} = {FEED}({feed}, {inside})").body[0], near)


def _expression(text: str, near: ast.stmt) -> ast.stmt:
    return placed(ast.parse(text).body[0], near)


def placed(statement: ast.stmt, near: ast.stmt) -> ast.stmt:
    """Say of a statement that it stands where another one does."""
    for node in ast.walk(statement):
        if isinstance(node, ast.expr | ast.stmt):
            ast.copy_location(node, near)
    return statement


def following(tree: ast.Module, steps: int, feed: str) -> ast.Module:
    """Let a script that makes `steps` steps by its own count make as many as there are gradients.

    A loop whose variable is fed goes through its values again and again: they are replaced anyway.
    """
    counts = _Counts(steps)
    counts.visit(tree)
    for statement in own_statements(tree.body, through_loops=True):
        for target, value in _pairs(statement):
            if target.id in counts.names and isinstance(statement, ast.Assign) and statement.value is value:
                statement.value = counts.count(value)
        if isinstance(statement, ast.For):
            statement.iter = _going_round(statement.iter, statement.target, feed)
    return ast.fix_missing_locations(tree)


def _going_round(values: ast.expr, target: ast.expr, feed: str) -> ast.expr:
    """Repeat what a loop takes the name that is fed from, also behind `enumerate` and `zip`."""
    if _is(target, feed):
        call = ast.Call(ast.Name(ROUND, ast.Load()), [values], [])
        return ast.copy_location(call, values)
    if isinstance(values, ast.Call) and isinstance(target, ast.Tuple | ast.List):
        name = getattr(values.func, "id", "")
        parts = target.elts[1:] if name == "enumerate" else target.elts if name == "zip" else []
        if parts:
            several = itertools.zip_longest(values.args, parts)
            values.args = [_going_round(a, b, feed) if a and b else a for a, b in several if a is not None]
    return values


class _Counts(ast.NodeTransformer):
    """Exchanges the number of steps where it counts: range(100), [10] * 100, np.zeros(100), while t < 100."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.names: set[str] = set()

    def count(self, node: ast.expr) -> ast.expr:
        """Exchange a number of steps, or one more, that is written out."""
        if isinstance(node, ast.Constant) and type(node.value) is int and node.value in (self.steps, self.steps + 1):
            more = " + 1" if node.value == self.steps + 1 else ""
            return ast.copy_location(ast.parse(f"{STEPS}{more}", mode="eval").body, node)
        if isinstance(node, ast.BinOp):
            if number_of(node) == self.steps:
                return ast.copy_location(ast.parse(STEPS, mode="eval").body, node)
            node.left, node.right = self.count(node.left), self.count(node.right)
        if isinstance(node, ast.Tuple):
            node.elts = [self.count(each) for each in node.elts]
        if isinstance(node, ast.Name):
            self.names.add(node.id)
        return node

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name in COUNTING:
            node.args = [self.count(argument) for argument in node.args]
        return node

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.op, ast.Mult):
            if isinstance(node.left, ast.List):
                node.right = self.count(node.right)
            elif isinstance(node.right, ast.List):
                node.left = self.count(node.left)
        return node

    def visit_While(self, node: ast.While) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.test, ast.Compare):
            node.test.left = self.count(node.test.left)
            node.test.comparators = [self.count(each) for each in node.test.comparators]
        return node
