"""The states of a rule solved one after the other, and what its lines make of them. It tries nothing by numbers."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from mhat.engines.symbols.conversions import FIRST, PI, NotSymbolic, Symbolic, expression, symbol, symbolic, sympy
from mhat.engines.symbols.forms import ClosedForm, Found, NoClosedForm, RunningState, before_name
from mhat.engines.symbols.gradients import Course
from mhat.engines.symbols.powers import is_small, powers_of, solved, tidy
from mhat.engines.symbols.signs import plain_signs, shares_and_sizes
from mhat.engines.symbols.sines import real, turn, turning_gradient
from mhat.language.algebra import ONE, divided, multiplied
from mhat.language.definition import Rule
from mhat.language.recurrences import recurrence_of
from mhat.language.tree import Assignment, Expression, Name, Operation
from mhat.language.walking import names_in, subexpressions

# Longer factors get a name.
SHORT = 6
START = "start"
TIME_UP = "the time for it was up"
MADE_OF = "it is made of `"
UPDATE = "update"


class OutOfTime(Exception):
    """The time for a search is up."""


class Deadline:
    """So much processor time of this process, asked for between steps of a search: load must not decide a proof."""

    def __init__(self, seconds: float) -> None:
        self._end = time.process_time() + seconds

    def check(self) -> None:
        """Raise OutOfTime if it has been used up."""
        if time.process_time() >= self._end:
            raise OutOfTime


class Solver:
    """A rule under one course of gradients."""

    def __init__(self, rule: Rule, course: Course, deadline: Deadline) -> None:
        self.rule = rule
        self.tree = rule.tree
        self.course = course
        self.values = {**rule.knobs, **course.parameters, START: 0.0}
        self.deadline = deadline
        self.shares, sizes = shares_and_sizes(rule.knobs)
        self.sizes = sizes | ({"period"} if course.name == "sine" else frozenset())
        self.gradient = symbolic(course.gradient)
        self.turning = turning_gradient() if course.name == "sine" else self.gradient
        # After the step: as the solver sees it, with sines as powers; before the step; and what has none, with why.
        self.after: dict[str, Symbolic] = {}
        self.before: dict[str, Symbolic] = {}
        self.running: dict[str, RunningState] = {}
        self.reasons: dict[str, str] = {}
        # Factors that are long, by the names that they are held under.
        self.held: dict[Symbolic, Symbolic] = {}
        self.known_factors: dict[Symbolic, Symbolic] = {}

    def found(self) -> dict[str, Found]:
        """Give every variable's closed form, or why it has none; `update` is what is added to x."""
        try:
            self.solve_states()
            return self.walk()
        except OutOfTime:
            return {name: NoClosedForm(name, TIME_UP) for name in (*self.tree.variables, "x", UPDATE)}

    def solve_states(self) -> None:
        waiting = [*self.tree.state_names, *(["x"] if self.x_is_read else [])]
        while waiting:
            ready = [name for name in waiting if self.needs(name) <= {*self.after, *self.running}]
            if not ready:
                break
            for name in ready:
                self.deadline.check()
                waiting.remove(name)
                try:
                    self.solve(name)
                except NotSymbolic as reason:
                    self.reasons[name] = str(reason)
        for name in waiting:
            self.reasons[name] = self.why_waiting(name)

    @property
    def x_is_read(self) -> bool:
        """Whether a line reads where x is; if none does, it is solved last."""
        return any("x" in names_in(line.value) for line in self.tree.body)

    def needs(self, name: str) -> set[str]:
        """Name the states, and x, that must be known first."""
        found = recurrence_of(self.tree, name)
        if found is None:
            return {"?"}
        return (names_in(found.fed_before) | names_in(found.gain)) & {*self.tree.state_names, "x"} - {name}

    def why_waiting(self, name: str) -> str:
        found = recurrence_of(self.tree, name)
        if found is None:
            return "that is no share of what it was, with something fed to it"
        lacking = sorted(self.needs(name) - {*self.after, *self.running})
        if not lacking:
            return "it has none"
        reason = self.reasons.get(lacking[0], "the two are made of each other")
        return reason if reason.startswith(MADE_OF) else f"{MADE_OF}{lacking[0]}`, and {reason}"

    def solve(self, name: str) -> None:
        """Solve one state, or x, of which all that it needs is known."""
        found = recurrence_of(self.tree, name)
        assert found is not None
        start = self.start(name)
        known = self.known_before(solver=True)
        gain, fed = self.symbolic(found.gain, known), self.symbolic(found.fed_before, known)
        fed = fed if fed.has(turn()) else self.tidied(fed)
        unsettled = {symbol(before_name(other)) for other in self.running}
        if (gain.free_symbols | fed.free_symbols) & unsettled or gain.has(symbol("t")):
            if name == "x":
                raise NotSymbolic("it is a sum over products that change from step to step")
            factor, kept = _split(found.gain)
            feeding = expression(
                self.given(self.tidied(self.symbolic(found.fed_before, self.known_before(solver=False))))
            )
            gain_tree = expression(self.given(gain))
            self.running[name] = RunningState(name, gain_tree, feeding, expression(self.given(start)), factor, kept)
            self.before[name] = symbol(before_name(name))
            return
        try:
            powers = powers_of(fed)
        except NotSymbolic as reason:
            raise NotSymbolic(f"what is fed to it has no closed sum: {reason}") from None
        self.after[name], self.before[name] = solved(tidy(gain), powers, start, self.hold)

    def start(self, name: str) -> Symbolic:
        """Give what a state is before step 1."""
        if name == "x":
            return symbol(START)
        (start,) = (state.start for state in self.tree.states if state.name == name)
        first = {"g": self.gradient.subs(symbol("t"), 1).subs(symbol("first"), 1), "x": symbol(START)}
        return symbolic(start, first)

    def known_before(self, *, solver: bool) -> dict[str, Symbolic]:
        """Give what a line may read before anything is assigned."""
        one = sympy().Integer(1)
        known = {"g": self.turning if solver else self.gradient, "k": one, "n": one}
        return {**known, **{name: value if solver else self.real(value) for name, value in self.before.items()}}

    def symbolic(self, node: Expression, known: Mapping[str, Symbolic]) -> Symbolic:
        return symbolic(node, known, self.tidied)

    def hold(self, factor: Symbolic) -> Symbolic:
        """Give a long factor a name, the same one to the same factor whatever its sign."""
        if factor.count_ops() <= SHORT and not sympy().fraction(factor)[1].is_Add:
            return factor
        known = self.known_factors.get(factor)
        if known is not None:
            return known
        name = sympy().Symbol(f"@{len(self.held)}", real=True)
        self.known_factors |= {factor: name, -factor: -name}
        self.held[name] = sympy().factor(factor) if is_small(factor) and factor.count_ops() <= 80 else factor
        return name

    def given(self, value: Symbolic) -> Symbolic:
        """Give a value without the names that factors are held under."""
        value = sympy().sympify(value)
        while value.free_symbols & set(self.held):
            value = value.xreplace(self.held)
        return value

    def real(self, value: Symbolic) -> Symbolic:
        return real(value, self.given, self.hold)

    def tidied(self, value: Symbolic) -> Symbolic:
        return plain_signs(tidy(value), self.shares, self.sizes)

    def walk(self) -> dict[str, Found]:
        """Go through the lines with the states known."""
        known: dict[str, Symbolic] = self.known_before(solver=False)
        unknown = dict(self.reasons)
        made: dict[str, Found] = {}
        last = {target: i for i, line in enumerate(self.tree.body) for target in line.targets}
        for i, line in enumerate(self.tree.body):
            self.deadline.check()
            for target in line.targets:
                final = last[target] == i
                try:
                    value = self.line(line, target, final, known, unknown)
                    known[target] = value
                    unknown.pop(target, None)
                    if final:
                        made[self.called(target)] = self.form(target, value)
                except NotSymbolic as reason:
                    unknown[target] = str(reason)
                    made[self.called(target)] = NoClosedForm(target, str(reason))
        made.update(self.ends(known, unknown))
        return made

    @staticmethod
    def called(target: str) -> str:
        """Give the name that a trace has for what a line assigns."""
        return f"{target}_used" if target in ("x", "g") else target

    def line(
        self, line: Assignment, target: str, final: bool, known: Mapping[str, Symbolic], unknown: Mapping[str, str]
    ) -> Symbolic:
        if target in self.tree.state_names and final:
            if target in self.running:
                return symbol(target)
            if target in self.after:
                return self.real(self.after[target])
            raise NotSymbolic(self.reasons[target])
        if len(line.targets) > 1:
            raise NotSymbolic("it is one of several results of a matrix operation")
        return self.value(line.value, known, unknown)

    def value(self, node: Expression, known: Mapping[str, Symbolic], unknown: Mapping[str, str]) -> Symbolic:
        lacking = sorted(names_in(node) & set(unknown))
        if lacking:
            reason = unknown[lacking[0]]
            raise NotSymbolic(reason if reason.startswith(MADE_OF) else f"{MADE_OF}{lacking[0]}`, and {reason}")
        return self.tidied(self.symbolic(node, known))

    def ends(self, known: dict[str, Symbolic], unknown: dict[str, str]) -> dict[str, Found]:
        """Give where x is, and what is added to it."""
        made: dict[str, Found] = {}
        if not self.x_is_read:
            self.solve_x(known, unknown)
        if "x" in self.after:
            known = {**known, "x": known.get("x", self.real(self.before["x"]))}
            made["x"] = self.form("x", self.real(self.after["x"]))
        else:
            made["x"] = NoClosedForm("x", self.reasons.get("x", "it has none"))
        if UPDATE not in (*self.tree.variables, *self.rule.knobs):
            try:
                at = symbol("@x")
                here = {**known, "x": known.get("x", at)}
                blind = {name: reason for name, reason in unknown.items() if name != "x"}
                moved = self.tidied(self.value(self.tree.result, here, blind) - here["x"])
                if moved.has(at):
                    reason = self.reasons.get("x", "it has no closed form")
                    raise NotSymbolic(f"{MADE_OF}x`, and {reason}")
                made[UPDATE] = self.form(UPDATE, moved)
            except NotSymbolic as reason:
                made[UPDATE] = NoClosedForm(UPDATE, str(reason))
        return made

    def solve_x(self, known: Mapping[str, Symbolic], unknown: Mapping[str, str]) -> None:
        """Sum up what is added to x, of what the lines are known to be."""
        found = recurrence_of(self.tree, "x")
        if found is None:
            self.reasons["x"] = "where x goes depends on where it is, and by no constant share"
            return
        try:
            gain = self.symbolic(found.gain, {})
            fed = self.value(self.tree.result, {**known, "x": sympy().Integer(0)}, unknown)
            if gain.has(symbol("t")):
                raise NotSymbolic("the share of it that stays changes from step to step")
            try:
                powers = powers_of(fed)
            except NotSymbolic as reason:
                raise NotSymbolic(f"its updates have no closed sum: {reason}") from None
            if any(fed.has(symbol(run), symbol(before_name(run))) for run in self.running):
                raise NotSymbolic("it is a sum over products that change from step to step")
            self.after["x"], self.before["x"] = solved(tidy(gain), powers, symbol(START), self.hold)
        except NotSymbolic as reason:
            self.reasons["x"] = str(reason)

    def form(self, name: str, value: Symbolic) -> ClosedForm:
        if value.has(sympy().zoo, sympy().nan, sympy().oo):
            raise NotSymbolic("it divides by zero")
        if value.has(turn()) or value.has(sympy().I):
            raise NotSymbolic("it has no real form")
        value = self.given(value)
        made = shown(plain_signs(value, self.shares, self.sizes))
        used = names_in(made)
        strange = used - {*self.values, *self.running, *map(before_name, self.running), "t", FIRST, PI}
        if strange:
            raise NotSymbolic(f"it is made of `{min(strange)}`, which has no closed form")
        running = tuple(self.running.values())
        plain = {*self.running, *map(before_name, self.running)}
        return ClosedForm(name, self.course.name, made, self.values, running if used & plain else ())


def _split(gain: Expression) -> tuple[Expression, Expression]:
    """Part a product into what changes with `t` and what is kept."""
    if "t" not in names_in(gain):
        return ONE, gain
    if isinstance(gain, Operation) and gain.op in ("mul", "div"):
        (first, kept), (second, more) = map(_split, gain.arguments)
        join: Callable[[Expression, Expression], Expression] = multiplied if gain.op == "mul" else divided
        return (Operation("div", (first, second)) if gain.op == "div" else join(first, second)), join(kept, more)
    return gain, ONE


def shown(value: Symbolic) -> Expression:
    """Choose how a value is read best: as a product, each power's factor by itself, or as it is."""
    roots = [power for power in value.atoms(sympy().Pow) if power.exp == sympy().Rational(1, 2)]
    value = value.xreplace(
        {
            root: sympy().sqrt(sympy().factor(root.base))
            for root in roots
            if root.count_ops() <= 80 and is_small(root.base)
        }
    )
    ways = [value]
    if value.count_ops() <= 80 and is_small(value):
        ways.insert(0, sympy().factor(value))
        try:
            ways.insert(1, sympy().Add(*(sympy().factor(term) for term in sympy().Add.make_args(value))))
        except sympy().PolynomialError:
            pass
    turned = sympy().Integer(-1) ** symbol("t")
    plainer = [way for way in ways if value.has(turned) or not way.has(sympy().S.NegativeOne ** (symbol("t") - 1))]
    ways = plainer or ways
    return min(map(expression, ways), key=lambda node: sum(1 for _ in subexpressions(node)))


__all__ = ["START", "UPDATE", "Deadline", "Name", "OutOfTime", "Solver"]
