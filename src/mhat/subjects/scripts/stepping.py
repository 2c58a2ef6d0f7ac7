"""The loops in which a script makes its steps, and what in them may be the gradient: read from the text.

A gradient is what enters the lines that carry something from step to step, beside knobs and what is carried itself. It
runs nothing.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from mhat.language.vocabulary import ALIASES, VOCABULARY, plain_spelling
from mhat.subjects.scripts.flow import COMPUTING, Assignment, Flow, base, named, uses
from mhat.subjects.scripts.rewriting import DEFINITIONS, Loop, blocks_of

KNOBS = frozenset({plain_spelling(name) for name in VOCABULARY} | {a for names in ALIASES.values() for a in names})
# How people call a gradient, in lower case.
GRADIENT = re.compile(
    r"(g|gt|g_t|g\d|g_?[xywbk]|g_[a-z]+|.*grads?|grads?_?.*|.*gradients?.*|slopes?|.*derivative.*|nabla.*|"
    r"d_?(w|b|x|y|z|m|c|k|v|l|j|f|q|p|u|a)\d*|d_?(theta|beta|weights?|bias|params?|loss|cost|intercept|slope)\w*|"
    r"d[a-z]\w*_?d_?[a-z]\w*|d_[mcwbxy]\w*|\w+_prime|f1|df\w*)$"
)
TIME = frozenset({"dt", "t", "i", "step", "epoch"})
# What draws a figure, and what prints.
PLOTTING = frozenset({
    "plot", "scatter", "semilogy", "semilogx", "loglog", "step", "bar", "fill_between", "lineplot", "errorbar", "stem",
    "add_trace",
})  # fmt: skip
PRINTING = frozenset({"print", "info", "display", "write", "pprint"})


@dataclass(frozen=True)
class Candidate:
    """Something that may be the gradient of a loop: a name, a function that is called, or an expression."""

    text: str
    is_usual: bool  # people call gradients so
    enters: bool  # it goes into what is carried, beside knobs


@dataclass(frozen=True)
class Stepping:
    """A loop that makes steps; `function`: in which it stands, if it stands in one."""

    flow: Flow
    function: ast.FunctionDef | None

    @property
    def line(self) -> int:
        return self.flow.loop.lineno

    @cached_property
    def states(self) -> frozenset[str]:
        """What is carried from step to step."""
        return self.flow.carried

    @cached_property
    def additive(self) -> frozenset[str]:
        """Those of the states to which every step adds something: `x = x - ...`, as parameters do."""
        return frozenset(name for name in self.states if self._is_sum(name))

    def _is_sum(self, name: str) -> bool:
        own = self.flow.of(name)
        # What shrinks it beside is a decay of its own.
        return any(map(self._adds, own)) and all(self._adds(step) or self._shrinks(step) for step in own)

    def _shrinks(self, step: Assignment) -> bool:
        own = all(name == step.target or is_knob(name) for name in step.uses)
        operator = step.statement if isinstance(step.statement, ast.AugAssign) else step.value
        return own and isinstance(getattr(operator, "op", None), ast.Mult)

    @cached_property
    def parameters(self) -> frozenset[str]:
        """Those of them that are no mere sum of what is data, as the squares of AdaGrad are."""
        return frozenset(name for name in self.additive if any(self._moves(step) for step in self.flow.of(name)))

    def _moves(self, step: Assignment) -> bool:
        value = step.statement.op if isinstance(step.statement, ast.AugAssign) else step.value
        if isinstance(value, ast.Sub) or (isinstance(value, ast.BinOp) and isinstance(value.op, ast.Sub)):
            return True
        open_, names = {name for name in step.uses if name != step.target}, set()
        while open_:
            name = open_.pop()
            names.add(name)
            if name not in self.states:
                open_ |= {other for each in self.flow.of(name) for other in each.uses} - names - {step.target}
        # Beside it a learning rate, or a state that is an average.
        return any(is_knob(name) or (name in self.states and name not in self.additive) for name in names)

    def _adds(self, step: Assignment) -> bool:
        statement, target, value = step.statement, step.target, step.value
        if isinstance(statement, ast.AugAssign):
            return isinstance(statement.op, ast.Add | ast.Sub)
        if value is None:
            return False
        if target in map(base, _terms(value)):
            return True
        source = named(value)
        return bool(source) and any(target in map(base, _terms(s.value)) for s in self.flow.of(source) if s.value)

    def is_data(self, name: str, seen: frozenset[str] = frozenset()) -> bool:
        """Whether a name is computed in a turn from parameters and data alone: no knob, and nothing averaged, in it."""
        if name in seen:
            return True
        own = [step for step in self.flow.of(name) if not step.reads_itself]
        if name in self.flow.counters or (name in self.states and not own):
            return name in self.additive and (name in seen or name in self.parameters)
        return all(self.is_data_of(step.uses, seen | {name}) for step in own)

    def is_data_of(self, names: Iterable[str], seen: frozenset[str] = frozenset()) -> bool:
        """Whether names have nothing of an optimizer in them."""
        return all(self.is_data(name, seen) if name in self.flow.assigned else not is_knob(name) for name in names)

    @cached_property
    def candidates(self) -> list[Candidate]:
        """List what may be the gradient, the likeliest first."""
        found: dict[str, Candidate] = {}
        for state in sorted(self.states or self._answers, key=self._order):
            own = self.flow.of(state)
            if is_usual(state) and not any(step.reads_itself for step in own):
                # A gradient that is computed at the end of a turn, for the next one.
                found[state] = Candidate(state, True, True)
                continue
            for step in own:
                for text in (*self._entering(step.value, state, frozenset({state})), *self._given(step, state)):
                    found.setdefault(text, Candidate(text, is_usual(text), True))
        for name in dict.fromkeys([*self.flow.targets, *(step.target for step in self.flow.steps)]):
            if is_usual(name) and name not in found and not self._is_bookkeeping(name):
                found[name] = Candidate(name, True, False)
        for call in self._calls():
            if call not in found and is_usual(call):
                found[call] = Candidate(call, True, False)
        listed = list(found.values())
        return sorted(listed, key=lambda each: (not (each.is_usual and each.enters), not each.enters))

    @cached_property
    def _answers(self) -> frozenset[str]:
        """What grows: where nothing is carried, what is appended is all there is."""
        return frozenset(step.target for step in self.flow.steps if step.grows or step.again)

    def _order(self, name: str) -> int:
        return next(i for i, step in enumerate(self.flow.steps) if step.target == name)

    def _is_bookkeeping(self, name: str) -> bool:
        own = self.flow.of(name)
        return name in self.flow.counters or (bool(own) and all(step.grows for step in own))

    def _given(self, step: Assignment, state: str) -> Iterator[str]:
        """Yield what a call is given that makes a state anew: `2 * x` of `x, m = adam(x, 2 * x, m)`."""
        value = step.value
        if not isinstance(value, ast.Call) or base(value.func).partition(".")[0] in COMPUTING:
            return
        for part in (*value.args, *(keyword.value for keyword in value.keywords)):
            if isinstance(part, ast.BinOp | ast.Call) and uses(part) & self.states - self.flow.counters:
                yield from self._part(part, state, frozenset({state}))

    def _entering(
        self, value: ast.expr | None, state: str, seen: frozenset[str], scaled: bool = False
    ) -> Iterator[str]:
        """Yield what goes into a state beside knobs: the largest parts of an expression that are data."""
        if value is None or isinstance(value, ast.Constant):
            return
        names = uses(value)
        name = base(value)
        if name:
            yield from self._of_name(name, state, seen)
            return
        in_turn = [each for each in names if each in self.flow.assigned and each not in self.flow.counters]
        if (in_turn or self._asks(value)) and self.is_data_of(names) and state not in map(base, _terms(value)):
            if scaled or _without_number(value) is not value or is_usual(ast.unparse(value)) or self._asks(value):
                yield from self._part(value, state, seen)
            return
        if isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            yield from self._entering(value.func.value, state, seen)
        scaled = scaled or not (isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub))
        for child in ast.iter_child_nodes(value):
            if isinstance(child, ast.expr) and not (isinstance(value, ast.Call) and child is value.func):
                yield from self._entering(child, state, seen, scaled)

    def _of_name(self, name: str, state: str, seen: frozenset[str]) -> Iterator[str]:
        if name in seen or name.partition(".")[0] in COMPUTING or name in self.flow.counters:
            return
        if name not in self.flow.assigned:
            if is_usual(name) and not is_knob(name) and name not in TIME:
                yield name
            return
        fresh = [step for step in self.flow.of(name) if not step.reads_itself]
        if (name not in self.states or fresh) and name not in self.additive and self.is_data(name):
            yield name
            # Only what is data again and is called a gradient is looked at behind a name: g behind g_clipped.
            return
        if name in self.states and not fresh:
            return
        for step in self.flow.of(name):
            yield from self._entering(step.value, state, seen | {name})

    def _part(self, value: ast.expr, state: str, seen: frozenset[str]) -> Iterator[str]:
        """Yield a part of an expression that is data: without a number before it, and its one name if it has one."""
        stripped = _without_number(value)
        value = value if self._is_carried(base(stripped)) else stripped
        names = [each for each in uses(value) if each in self.flow.assigned and each not in self.flow.counters]
        if len(names) == 1 and not self._is_carried(names[0]) and uses(value) == {names[0]} and not self._asks(value):
            yield from self._of_name(names[0], state, seen)
        elif isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id not in COMPUTING:
            yield value.func.id
        elif not base(value):
            yield ast.unparse(value)
        elif base(value) not in self.states:
            yield base(value)

    def _is_carried(self, name: str) -> bool:
        """Whether a name is carried on, and is no gradient that waits for the next turn."""
        return name in self.states and (any(step.reads_itself for step in self.flow.of(name)) or not is_usual(name))

    def _asks(self, value: ast.expr) -> bool:
        """Whether something that is called a gradient is called in an expression."""
        return any(isinstance(node, ast.Call) and is_usual(named(node.func)) for node in ast.walk(value))

    def _calls(self) -> list[str]:
        calls = [node for each in self.flow.loop.body for node in ast.walk(each) if isinstance(node, ast.Call)]
        return list(dict.fromkeys(node.func.id for node in calls if isinstance(node.func, ast.Name)))

    def sequence_is(self, text: str) -> bool:
        """Whether something is a sequence from which a name is taken in every turn."""
        return any(self.sequence(name) == text for name in self.flow.assigned)

    def sequence(self, name: str) -> str:
        """Give the sequence that a name is taken from, turn after turn: `g` of `for g in gs`; nothing if from none."""
        loop = self.flow.loop
        if name in self.flow.targets and isinstance(loop, ast.For):
            return _gone_through(loop.target, loop.iter, name)
        own = self.flow.of(name)
        if len(own) == 1 and isinstance(own[0].value, ast.Subscript) and isinstance(own[0].value.value, ast.Name):
            index = uses(own[0].value.slice)
            if index and index <= self.flow.counters:
                return own[0].value.value.id
        return ""


def is_knob(name: str) -> bool:
    """Whether people call a knob so."""
    return plain_spelling(name.rpartition(".")[2]) in KNOBS


def is_usual(text: str) -> bool:
    """Whether people call a gradient so."""
    last = text.rpartition(".")[2].lower().lstrip("_")
    return bool(GRADIENT.match(last)) and last not in TIME


def _terms(value: ast.expr) -> Iterator[ast.expr]:
    """Yield the terms of a sum, signs left out."""
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub):
        yield from _terms(value.left)
        yield from _terms(value.right)
    else:
        yield value


def _without_number(value: ast.expr) -> ast.expr:
    """Take a number off that stands before a product, if more than a name is left; and a sign."""
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
        return _without_number(value.operand)
    if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Mult):
        right = value.right
        number = isinstance(value.left, ast.Constant)
        if isinstance(right, ast.Name) and isinstance(value.left, ast.Name) and is_usual(right.id):
            return right
        if number and isinstance(right, ast.Name | ast.BinOp | ast.Call):
            return right
    return value


def _gone_through(target: ast.expr, values: ast.expr, name: str) -> str:
    """Give the sequence of `for`, behind enumerate, zip and the like, that a target is taken from."""
    if base(target) == name and isinstance(values, ast.Name):
        return values.id
    if isinstance(values, ast.Call) and isinstance(target, ast.Tuple):
        called = base(values.func).rpartition(".")[2]
        parts = target.elts[1:] if called == "enumerate" else target.elts if called == "zip" else []
        for part, argument in zip(parts, values.args, strict=False):
            if found := _gone_through(part, argument, name):
                return found
    if isinstance(values, ast.Call) and base(values.func).rpartition(".")[2] == "tqdm" and values.args:
        return _gone_through(target, values.args[0], name)
    return ""


def steppings(tree: ast.Module) -> list[Stepping]:
    """Find the loops of a script, and of its functions, that make steps."""
    found = [Stepping(flow, None) for flow in _stepping(tree.body)]
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            found += [Stepping(flow, node) for flow in _stepping(node.body)]
    return found


def _stepping(body: list[ast.stmt]) -> Iterator[Flow]:
    for loop in _loops(body):
        flow = Flow(loop)
        inner = list(_loops(loop.body))
        real = flow.carried - _grown(flow)
        if not real and inner:
            yield from _stepping(loop.body)
            continue
        within = [each for each in inner if _goes_on(Flow(each), flow)]
        if within:
            yield from _stepping(loop.body)
        elif flow.carried or any(step.grows or step.again for step in flow.steps):
            yield flow


def _goes_on(inner: Flow, outer: Flow) -> bool:
    """Whether an inner loop carries on what the outer one carries, and does not go through its parts."""
    real = (inner.carried & outer.carried) - _grown(outer)
    parts = {
        base(target)
        for step in inner.steps
        for target in getattr(step.statement, "targets", [getattr(step.statement, "target", None)])
        if isinstance(target, ast.Subscript) and uses(target.slice) & set(inner.targets)
    }
    return bool(real - parts)


def _grown(flow: Flow) -> frozenset[str]:
    return frozenset(name for name in flow.carried if all(step.grows for step in flow.of(name)))


def _loops(body: list[ast.stmt]) -> Iterator[ast.For | ast.While]:
    for statement in body:
        if isinstance(statement, DEFINITIONS):
            continue
        if isinstance(statement, Loop):
            yield statement
        else:
            for block in blocks_of(statement):
                yield from _loops(block)


def loops_of(node: ast.FunctionDef) -> list[ast.For | ast.While]:
    """List the loops of a function."""
    return [each for each in ast.walk(node) if isinstance(each, Loop)]


def shown(tree: ast.Module, function: ast.FunctionDef | None) -> dict[str, str]:
    """Say of names what a script does with them, and one of its functions: it plots, prints, appends, returns them."""
    words: dict[str, str] = {}
    nodes = [node for each in tree.body if not isinstance(each, DEFINITIONS) for node in ast.walk(each)]
    for node in [*nodes, *(ast.walk(function) if function is not None else ())]:
        word, parts = _showing(node)
        for name in {name for part in parts for name in uses(part)}:
            if word == "plotted" or name not in words:
                words[name] = word
    return words


def _showing(node: ast.AST) -> tuple[str, list[ast.expr]]:
    """Tell what a node does with what it is given."""
    if isinstance(node, ast.Return):
        return "returned", [node.value] if node.value is not None else []
    if not isinstance(node, ast.Call):
        return "", []
    called = named(node.func).rpartition(".")[2] or getattr(node.func, "attr", "")
    parts = [*node.args, *(keyword.value for keyword in node.keywords)]
    if called in PRINTING:
        return "printed", parts
    return ("appended", parts) if called == "append" else ("plotted", parts if called in PLOTTING else [])
