"""What the statements of a loop assign from what: read from the text, without running it. It knows no gradient."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from mhat.subjects.scripts.rewriting import DEFINITIONS, GROWING, Loop, blocks_of

# Modules whose functions compute: what is called of them is no name that a script carries.
COMPUTING = frozenset({"np", "numpy", "math", "torch", "jnp", "jax", "scipy", "tf", "random", "plt", "pd", "cmath"})


def named(node: ast.AST | None) -> str:
    """Give the name that an expression is, dotted or not; nothing if it is more than a name."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = named(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def base(node: ast.AST) -> str:
    """Give the name that an expression is, or is a part of: `w` of `w[0]`."""
    while isinstance(node, ast.Subscript | ast.Starred):
        node = node.value
    return named(node)


def uses(node: ast.AST | None) -> frozenset[str]:
    """Collect the names that an expression is computed from; what is called, and modules, left out."""
    return frozenset(_used(node)) if node is not None else frozenset()


def _used(node: ast.AST) -> Iterator[str]:
    if isinstance(node, DEFINITIONS):
        return
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute):
            yield from _used(node.func.value)
        for part in (*node.args, *node.keywords):
            yield from _used(part)
        return
    if isinstance(node, ast.Subscript):
        # Where an element stands says nothing of what it is.
        yield from _used(node.value)
        return
    name = named(node)
    if name:
        if name.partition(".")[0] not in COMPUTING:
            yield name.removesuffix(".T").removesuffix(".data")
        return
    for child in ast.iter_child_nodes(node):
        yield from _used(child)


@dataclass(frozen=True)
class Assignment:
    """A name that is assigned or grows, and what from."""

    target: str
    value: ast.expr | None
    uses: frozenset[str]
    statement: ast.stmt = field(compare=False)
    again: bool = False  # it changes what it holds: `x += 1`, `x[0] = 1`, `xs.append(x)`
    grows: bool = False  # it gets longer
    depth: int = 0  # how many loops it stands in, of those inside of the loop

    @property
    def reads_itself(self) -> bool:
        """Whether what it held before goes into it."""
        return self.again or self.target in self.uses


def assignments(body: list[ast.stmt], depth: int = 0) -> Iterator[Assignment]:
    """Yield what a block assigns, in order, through what stands in it."""
    for statement in body:
        if isinstance(statement, DEFINITIONS):
            continue
        yield from _of(statement, depth)
        for block in blocks_of(statement):
            yield from assignments(block, depth + isinstance(statement, Loop))


def _of(statement: ast.stmt, depth: int) -> Iterator[Assignment]:
    match statement:
        case ast.Assign(targets=targets, value=value):
            for target in targets:
                yield from _pair(target, value, statement, depth)
        case ast.AnnAssign(target=target, value=value) if value is not None:
            yield from _pair(target, value, statement, depth)
        case ast.AugAssign(target=target, value=value):
            if name := base(target):
                yield Assignment(name, value, uses(value) | {name}, statement, True, depth=depth)
        case ast.For(target=target, iter=values):
            for name in _names(target):
                yield Assignment(name, None, uses(values), statement, depth=depth + 1)
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=method, value=held), args=[*_, last])):
            if method in GROWING and (name := base(held)):
                yield Assignment(name, last, uses(last), statement, True, grows=True, depth=depth)


def _pair(target: ast.expr, value: ast.expr, statement: ast.stmt, depth: int) -> Iterator[Assignment]:
    if isinstance(target, ast.Tuple | ast.List):
        parts = value.elts if isinstance(value, ast.Tuple | ast.List) else []
        for i, each in enumerate(target.elts):
            if len(parts) == len(target.elts):
                yield from _pair(each, parts[i], statement, depth)
            elif name := base(each):
                yield Assignment(name, value, uses(value), statement, isinstance(each, ast.Subscript), depth=depth)
    elif name := base(target):
        yield Assignment(name, value, uses(value), statement, isinstance(target, ast.Subscript), depth=depth)


def _names(target: ast.expr) -> Iterator[str]:
    for node in target.elts if isinstance(target, ast.Tuple | ast.List) else [target]:
        if isinstance(node, ast.Tuple | ast.List):
            yield from _names(node)
        elif name := base(node):
            yield name


@dataclass(frozen=True)
class Flow:
    """A loop, and what goes from what to what in a turn of it."""

    loop: ast.For | ast.While

    @cached_property
    def steps(self) -> tuple[Assignment, ...]:
        """What a turn assigns, in order."""
        return tuple(assignments(self.loop.body))

    @cached_property
    def targets(self) -> tuple[str, ...]:
        """What the loop itself assigns at the beginning of each turn."""
        return tuple(_names(self.loop.target)) if isinstance(self.loop, ast.For) else ()

    @cached_property
    def assigned(self) -> frozenset[str]:
        """The names that a turn assigns."""
        return frozenset({*self.targets, *(step.target for step in self.steps)})

    @cached_property
    def carried(self) -> frozenset[str]:
        """The names that go from a turn into the next, those left out that count, or grow and are not read."""
        written, read = set(self.targets), set()
        for step in self.steps:
            read |= {name for name in step.uses if name not in written}
            if step.again and not step.grows and step.target not in written:
                read.add(step.target)
            if not isinstance(step.statement, ast.For):
                written.add(step.target)
        carried = read & {step.target for step in self.steps}
        return frozenset(name for name in carried if name not in self.counters)

    @cached_property
    def counters(self) -> frozenset[str]:
        """The names to which every turn adds a whole number, and what the loop counts with."""
        counted = set(_counting(self.loop)) if isinstance(self.loop, ast.For) else set()
        for name in {step.target for step in self.steps}:
            own = [step for step in self.steps if step.target == name]
            if own and all(_counts(step) for step in own):
                counted.add(name)
        return frozenset(counted)

    def of(self, name: str) -> list[Assignment]:
        """Give the assignments of a name."""
        return [step for step in self.steps if step.target == name]

    def behind(self, name: str) -> frozenset[str]:
        """Collect all that a name is computed from, over turns, itself left out."""
        found: set[str] = set()
        open_ = [name]
        while open_:
            for step in self.of(open_.pop()):
                for other in step.uses - found:
                    found.add(other)
                    open_.append(other)
        return frozenset(found - {name})


def _counts(step: Assignment) -> bool:
    """Whether a step adds a whole number to a name: `t += 1`."""
    if isinstance(step.statement, ast.AugAssign):
        return isinstance(step.statement.op, ast.Add) and _is_whole(step.value) and named(step.statement.target) != ""
    value = step.value
    if not isinstance(value, ast.BinOp) or not isinstance(value.op, ast.Add):
        return False
    sides = (value.left, value.right)
    return any(named(a) == step.target and _is_whole(b) for a, b in (sides, sides[::-1]))


def _is_whole(node: ast.AST | None) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) is int


def _counting(loop: ast.For) -> Iterator[str]:
    """Yield the targets of a loop that count its turns."""
    values = loop.iter
    called = base(values.func).rpartition(".")[2] if isinstance(values, ast.Call) else ""
    if called in ("range", "arange", "trange", "count"):
        yield from _names(loop.target)
    elif called == "tqdm" and isinstance(values, ast.Call) and values.args:
        yield from _counting(ast.For(loop.target, values.args[0], [], []))
    elif called == "enumerate" and isinstance(loop.target, ast.Tuple):
        yield from _names(loop.target.elts[0])
        inner = values.args[0] if isinstance(values, ast.Call) and values.args else None
        if inner is not None:
            yield from _counting(ast.For(loop.target.elts[-1], inner, [], []))
