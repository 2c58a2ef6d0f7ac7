"""Put calls into the loop in which a script makes its steps, so that it can be fed, read and followed. It runs nothing.

The loop is known by its line. Beside the calls that `rewriting` knows there are these:

    __mhat_turn__(lambda: x) a turn of the loop begins; what is read may have a value already
    __mhat_enter__(lambda: [x, m]) the loop is entered: what it carries is as it was left, or begins anew
    __mhat_fill__(value)     gives the gradient of this turn, in the shape of what the script computed itself
    __mhat_seen__(names, {}) notes whatever the names of the loop hold at the end of a turn, and some expressions
    __mhat_more__(values)    goes on after the end of what a loop goes through
"""

from __future__ import annotations

import ast
from collections.abc import Iterable

from mhat.subjects.scripts.flow import Flow, base, named, uses
from mhat.subjects.scripts.rewriting import (
    DEFINITIONS,
    READ,
    Loop,
    Unbroken,
    blocks_of,
    feed_sequence,
    own_statements,
    placed,
    wrap_constants,
)
from mhat.subjects.scripts.stepping import Stepping, steppings

ENTER, TURN, FILL, SEEN, MORE = "__mhat_enter__", "__mhat_turn__", "__mhat_fill__", "__mhat_seen__", "__mhat_more__"


def stepping_at(tree: ast.Module, line: int) -> Stepping | None:
    """Give the loop that makes steps at a line, or around it."""
    found = [each for each in steppings(tree) if each.line <= line <= (each.flow.loop.end_lineno or each.line)]
    return found[-1] if found else None


def speaks_of(stepping: Stepping, feed: str, read: str) -> bool:
    """Whether a loop assigns what is read, and uses what is fed."""
    loop = stepping.flow.loop
    held = uses(_expression(read))
    known = stepping.flow.assigned
    if not (read in known or (held and held <= known | stepping.flow.counters and not read.isidentifier())):
        return False
    if feed.isidentifier():
        return any(isinstance(node, ast.Name) and node.id == feed for node in ast.walk(loop))
    wanted = ast.dump(_expression(feed))
    return any(isinstance(node, ast.expr) and _dumped(node) == wanted for node in ast.walk(loop))


def instrumented(
    tree: ast.Module, stepping: Stepping, feed: str, read: str | None, settable: frozenset[str]
) -> ast.Module:
    """Put the calls in; the tree is changed in place. `read`: None to see everything."""
    loop = stepping.flow.loop
    shown = _printed(loop) if read is None else []
    _feed(tree, stepping, feed)
    if read is None:
        texts = ", ".join(f"{text!r}: (lambda: {text})" for text in shown)
        note = placed(ast.parse(f"{SEEN}(locals(), {{{texts}}})").body[0], loop.body[-1])
    else:
        note = placed(ast.parse(f"{READ}(lambda: {read})").body[0], loop.body[-1])
    if any(isinstance(each, ast.Continue) for each in own_statements(loop.body, through_loops=False)):
        loop.body = [ast.copy_location(ast.Try(loop.body, [], [], [note]), loop.body[0])]
    else:
        loop.body.append(note)
    begun = "" if read is None else f"lambda: {read}"
    loop.body.insert(0, placed(ast.parse(f"{TURN}({begun})").body[0], loop.body[0]))
    _mark_entry(tree, stepping)
    wrap_constants(tree.body, settable)
    if stepping.function is not None:
        wrap_constants(stepping.function.body, settable)
        for name in sorted(settable & set(arguments_of(stepping.function))):
            setting = ast.parse(f"{name} = __mhat_set__({name!r}, {name})").body[0]
            stepping.function.body.insert(0, placed(setting, stepping.function.body[0]))
    return ast.fix_missing_locations(tree)


def _mark_entry(tree: ast.Module, stepping: Stepping) -> None:
    """Say before the loop that it is entered, and at its end what it carries; a list that grows is no state."""
    loop = stepping.flow.loop
    grown = {step.target for step in stepping.flow.steps if step.grows}
    carried = ", ".join(f"lambda: {name}" for name in sorted(stepping.states - grown))
    block, place = _found(tree.body if stepping.function is None else stepping.function.body, loop)
    block.insert(place, placed(ast.parse(f"{ENTER}([{carried}], True)").body[0], loop))
    loop.body.append(placed(ast.parse(f"{ENTER}([{carried}], False)").body[0], loop.body[-1]))


def arguments_of(function: ast.FunctionDef) -> list[str]:
    """List the names of the arguments of a function."""
    return [each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)]


def _feed(tree: ast.Module, stepping: Stepping, feed: str) -> None:
    """Let the gradients come in: where the loop assigns them, or where it calls or computes them."""
    flow, loop = stepping.flow, stepping.flow.loop
    if feed in flow.targets or (feed in flow.carried and not any(step.reads_itself for step in flow.of(feed))):
        loop.body.insert(0, placed(ast.parse(f"{feed} = {FILL}({feed})").body[0], loop.body[0]))
    elif flow.of(feed):
        block, place = _last_of_data(loop.body, flow, feed)
        block.insert(place + 1, placed(ast.parse(f"{feed} = {FILL}({feed})").body[0], block[place]))
    elif feed.isidentifier() and not _is_called(loop, feed):
        body = tree.body if stepping.function is None else stepping.function.body
        inside = any(step.target == feed for step in Flow(ast.While(ast.Constant(True), body, [])).steps)
        if stepping.function is not None and feed in arguments_of(stepping.function):
            body.insert(0, placed(ast.parse(f"{feed} = __mhat_feed__({feed}, False)").body[0], body[0]))
        else:
            feed_sequence(ast.Module(body if inside else tree.body, []), feed)
        wrap = _Wrapped(feed, "__mhat_feed__({}, True)")
        loop.body = [wrap.statement(each) for each in loop.body]
    else:
        wrap = _Wrapped(feed, FILL + "({})")
        loop.body = [wrap.statement(each) for each in loop.body]


def _last_of_data(body: list[ast.stmt], flow: Flow, feed: str) -> tuple[list[ast.stmt], int]:
    """Find the statement after which a gradient is complete: its first one, and where it is summed up, the sum."""
    own = flow.of(feed)
    first = next((step for step in own if not step.reads_itself), own[0])
    summed = [step for step in own if step.reads_itself and step.depth > first.depth]
    block, place = _found(body, first.statement)
    if not summed:
        return block, place
    last = summed[-1].statement
    for i in range(place + 1, len(block)):
        if any(node is last for node in ast.walk(block[i])):
            place = i
    for i in range(place + 1, len(block)):
        divided = [step for step in own if step.statement is block[i] and _is_scaled(step.statement, feed)]
        if divided:
            place = i
    return block, place


def _is_scaled(statement: ast.stmt, feed: str) -> bool:
    """Whether a statement divides or multiplies a name alone: `dw /= n`, `dw = dw / n`."""
    if isinstance(statement, ast.AugAssign):
        return isinstance(statement.op, ast.Div | ast.Mult)
    value = getattr(statement, "value", None)
    return (
        isinstance(value, ast.BinOp)
        and isinstance(value.op, ast.Div | ast.Mult)
        and feed in map(base, (value.left, value.right))
    )


def _found(body: list[ast.stmt], wanted: ast.stmt) -> tuple[list[ast.stmt], int]:
    for i, statement in enumerate(body):
        if statement is wanted:
            return body, i
        if isinstance(statement, DEFINITIONS):
            continue
        for block in blocks_of(statement):
            if any(node is wanted for each in block for node in ast.walk(each)):
                return _found(block, wanted)
    raise LookupError(ast.unparse(wanted))


def _is_called(loop: Loop, name: str) -> bool:
    """Whether a name is a function that the loop calls."""
    return any(isinstance(node, ast.Call) and named(node.func) == name for node in ast.walk(loop))


class _Wrapped(ast.NodeTransformer):
    """Puts a call around each use of a name, each call of it, or each expression of the same text."""

    def __init__(self, feed: str, form: str) -> None:
        self.feed, self.form = feed, form
        self.wanted = ast.dump(_expression(feed))

    def statement(self, node: ast.stmt) -> ast.stmt:
        """Put the calls into a statement."""
        changed = self.visit(node)
        assert isinstance(changed, ast.stmt)
        return changed

    def visit(self, node: ast.AST) -> ast.AST:
        if isinstance(node, ast.expr) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            called = isinstance(node, ast.Call) and named(node.func) == self.feed
            if called or _dumped(node) == self.wanted:
                return self._around(node)
            if isinstance(node, ast.Call) and named(node.func) == self.feed.partition("(")[0]:
                return self.generic_visit(node)
        return self.generic_visit(node)

    def _around(self, node: ast.expr) -> ast.AST:
        call = ast.parse(self.form.format("_"), mode="eval").body
        assert isinstance(call, ast.Call)
        call.args[0] = node
        for each in ast.walk(call):
            if isinstance(each, ast.expr) and not hasattr(each, "lineno"):
                ast.copy_location(each, node)
        return ast.copy_location(call, node)


def _dumped(node: ast.AST) -> str:
    return ast.dump(node)


def _expression(text: str) -> ast.expr:
    return ast.parse(text, mode="eval").body


def _printed(loop: Loop) -> list[str]:
    """List the expressions that a loop prints and that are more than a name and less than a call."""
    found: dict[str, None] = {}
    for node in ast.walk(loop):
        if isinstance(node, ast.Call) and named(node.func) == "print":
            parts: Iterable[ast.AST] = node.args
            for part in [inner for each in parts for inner in _shown(each)]:
                names = uses(part)
                if names and isinstance(part, ast.BinOp | ast.Subscript) and not _calls_unknown(part):
                    found[ast.unparse(part)] = None
    return list(found)


def _shown(part: ast.AST) -> list[ast.AST]:
    if isinstance(part, ast.JoinedStr):
        return [value.value for value in part.values if isinstance(value, ast.FormattedValue)]
    if isinstance(part, ast.BinOp) and isinstance(part.op, ast.Mod) and isinstance(part.left, ast.Constant):
        return list(part.right.elts) if isinstance(part.right, ast.Tuple) else [part.right]
    return [part]


def _calls_unknown(part: ast.AST) -> bool:
    calls = [node for node in ast.walk(part) if isinstance(node, ast.Call)]
    return any(named(node.func).partition(".")[0] not in ("np", "numpy", "math", "abs", "sqrt") for node in calls)


def unending(tree: ast.Module, line: int) -> ast.Module:
    """Let the loop at a line go on whatever happens: whoever feeds it ends it."""
    for loop in ast.walk(tree):
        if isinstance(loop, Loop) and loop.lineno == line:
            if isinstance(loop, ast.While):
                loop.test = ast.copy_location(ast.Constant(True), loop.test)
            else:
                loop.iter = _going_on(loop.iter)
            loop.body = [Unbroken().visit(each) for each in loop.body]
    return ast.fix_missing_locations(tree)


def _going_on(values: ast.expr) -> ast.expr:
    called = base(values.func).rpartition(".")[2] if isinstance(values, ast.Call) else ""
    if isinstance(values, ast.Call) and called in ("enumerate", "zip", "tqdm") and values.args:
        # The second argument of enumerate is where it begins to count.
        several = values.args if called == "zip" else values.args[:1]
        values.args[: len(several)] = [_going_on(each) for each in several]
        return values
    return ast.copy_location(ast.Call(ast.Name(MORE, ast.Load()), [values], []), values)
