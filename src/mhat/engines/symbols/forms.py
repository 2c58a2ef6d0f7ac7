"""Closed forms as they are found: what a variable is at step t, as a formula and as a number. It solves nothing.

A closed form holds for one coordinate, from the states' own starts on. Nothing here needs SymPy.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from mhat.engines.exact import Digits, Exact, nearest_double
from mhat.engines.symbols.conversions import PI
from mhat.engines.symbols.values import Known, exact_numbers, value_of
from mhat.errors import BadValue
from mhat.language.algebra import ONE, ZERO
from mhat.language.tree import Expression, Name
from mhat.language.walking import names_in, renamed
from mhat.printers.latex import expression_latex
from mhat.printers.mathml import expression_mathml
from mhat.printers.python import expression_text

# Beside a place where a formula divides nothing by nothing, it is taken so near to it.
NEAR = 1e-25


@dataclass(frozen=True)
class NoClosedForm:
    """Why a variable has no closed form."""

    variable: str
    reason: str


@dataclass(frozen=True)
class RunningState:
    """A state whose share changes from step to step: `s = gain * s + fed` from `start`, all made of knobs and `t`.

    `factor`: of the gain, what changes with `t`; `kept`: the rest of it.
    """

    name: str
    gain: Expression
    fed: Expression
    start: Expression
    factor: Expression
    kept: Expression

    @property
    def text(self) -> str:
        """What it is at step `t`, said with a product, and a sum over what was fed to it."""
        gain = expression_text(_plainly_named(renamed(self.gain, {"t": "k"})))
        kept = f"product({gain}, k = 1 .. t)"
        start = "" if self.start == ONE else f"{_bracketed(self.start)} * "
        if self.fed == ZERO:
            return start + kept
        fed = _bracketed(renamed(self.fed, {"t": "j"}))
        total = f"sum({fed} * product({gain}, k = j + 1 .. t), j = 1 .. t)"
        return total if self.start == ZERO else f"{start}{kept} + {total}"

    @property
    def latex(self) -> str:
        """The same in LaTeX."""
        gain = expression_latex(_plainly_named(renamed(self.gain, {"t": "k"})))
        kept = rf"\prod_{{k=1}}^{{t}} \left({gain}\right)"
        start = "" if self.start == ONE else rf"\left({expression_latex(_plainly_named(self.start))}\right) "
        if self.fed == ZERO:
            return start + kept
        fed = expression_latex(_plainly_named(renamed(self.fed, {"t": "j"})))
        total = rf"\sum_{{j=1}}^{{t}} \left({fed}\right) \prod_{{k=j+1}}^{{t}} \left({gain}\right)"
        return total if self.start == ZERO else f"{start}{kept} + {total}"

    @property
    def mathml(self) -> str:
        """The same in MathML."""
        kept = _set("\u220f", "k=1", _row(renamed(self.gain, {"t": "k"})))
        start = "" if self.start == ONE else _row(self.start)
        if self.fed == ZERO:
            return f"<math><mrow>{start}{kept}</mrow></math>"
        later = _set("\u220f", "k=j+1", _row(renamed(self.gain, {"t": "k"})))
        total = _set("\u2211", "j=1", _row(renamed(self.fed, {"t": "j"})) + later)
        before = "" if self.start == ZERO else f"{start}{kept}<mo>+</mo>"
        return f"<math><mrow>{before}{total}</mrow></math>"


@dataclass(frozen=True)
class ClosedForm:
    """What a variable is at step `t`, counted from 1.

    `expression` is made of knobs, of what the gradients are made of, of `start` (x before step 1), and `t`; also of
    states that have no form but the product over all steps, `running`: under their own names as they are after the
    step, with `_before` as they were before it. `values`: what a name is where none is given. `proved`: it follows by
    algebra; else a case was chosen by trying, and it only agrees with the exact engine.
    """

    variable: str
    course: str
    expression: Expression
    values: Mapping[str, float]
    running: tuple[RunningState, ...] = ()
    proved: bool = True
    trials: int = 0

    @property
    def text(self) -> str:
        """The formula as a rule would be written; a state that is a sum of products, as that."""
        run = self._run
        return expression_text(_plainly_named(self.expression)) if run is None else run.text

    @property
    def latex(self) -> str:
        """The formula in LaTeX."""
        run = self._run
        return expression_latex(_plainly_named(self.expression)) if run is None else run.latex

    @property
    def mathml(self) -> str:
        """The formula in MathML."""
        run = self._run
        return expression_mathml(_plainly_named(self.expression)) if run is None else run.mathml

    @property
    def product(self) -> ProductForm | None:
        """What the factor of its share that changes from step to step comes to, for a running state."""
        run = self._run
        return None if run is None or run.factor == ONE else ProductForm(run.factor, self.values)

    @property
    def _run(self) -> RunningState | None:
        return next((run for run in self.running if Name(run.name) == self.expression), None)

    @property
    def names(self) -> tuple[str, ...]:
        """What it is made of, beside `t`."""
        own = set(self.values)
        parts = [self.expression, *(part for run in self.running for part in (run.gain, run.fed, run.start))]
        return tuple(sorted(own & {name for part in parts for name in names_in(part)}))

    def exactly(self, step: int, /, **values: float) -> Digits:
        """Compute it at a step in many digits; values that are not given are the rule's own."""
        found = self._computed(step, values, exact_numbers(), 0)
        if not exact_numbers().numbers.finite(found):
            # Nothing divided by nothing: beside that place it is what the formula tends to.
            beside = self._computed(step, values, exact_numbers(200), NEAR)
            if (
                exact_numbers().numbers.finite(beside)
                and abs(beside) < 1e20 * (1 + abs(beside))
                and self._tends(step, values, beside)
            ):
                return beside
        return found

    def at(self, step: int, /, **values: float) -> float:
        """Compute it at a step."""
        return nearest_double(self.exactly(step, **values))

    def log10_at(self, step: int, /, **values: float) -> float:
        """Compute the decimal logarithm of its size: for what no double holds."""
        context = exact_numbers().numbers.context
        found = self.exactly(step, **values)
        return float(context.log10(abs(found))) if found else float("-inf")

    def _tends(self, step: int, values: Mapping[str, float], beside: Digits) -> bool:
        """Whether the formula is the same from farther away: else it has a pole there."""
        farther = self._computed(step, values, exact_numbers(200), -NEAR * 1e6)
        return bool(abs(farther - beside) <= 1e-9 * (1 + abs(beside)))

    def _computed(self, step: int, values: Mapping[str, float], exact: Exact, away: float) -> Digits:
        unknown = sorted(set(values) - set(self.values))
        if unknown:
            raise BadValue(
                f"the closed form of {self.variable} has no {unknown[0]}", f"It takes {', '.join(self.values)}."
            )
        if step < 1:
            raise BadValue(f"step={step} is before the first step", "Steps are counted from 1.")
        known = {name: exact.number(float(value)) for name, value in {**self.values, **values}.items()}
        if away:
            shift = exact.number(away)
            known = {name: value + shift * (i + 1) for i, (name, value) in enumerate(sorted(known.items()))}
        if self.running:
            numbers = tuple(sorted({**self.values, **values}.items()))
            known |= _journey(self.running, numbers, exact.digits, away).at(step, known)
        return value_of(self.expression, {**known, "t": exact.number(float(step))}, exact)


class _Journey:
    """The states whose share changes, carried from step to step; what was computed once is not computed again."""

    def __init__(self, running: tuple[RunningState, ...], digits: int) -> None:
        self._running = running
        self._exact = exact_numbers(digits)
        self._states: list[dict[str, Digits]] = []

    def at(self, step: int, known: Known) -> dict[str, Digits]:
        """Give the states after a step, and as they were before it."""
        states, exact = self._states, self._exact
        if not states:
            one = {**known, "t": exact.number(1.0)}
            states.append({run.name: value_of(run.start, one, exact) for run in self._running})
        while len(states) <= step:
            here = {**known, "t": exact.number(float(len(states)))}
            here |= {before_name(name): value for name, value in states[-1].items()}
            after = {}
            for run in self._running:
                gain, fed = value_of(run.gain, here, exact), value_of(run.fed, here, exact)
                after[run.name] = gain * states[-1][run.name] + fed
            states.append(after)
        return {**states[step], **{before_name(name): value for name, value in states[step - 1].items()}}


@lru_cache(maxsize=64)
def _journey(
    running: tuple[RunningState, ...], numbers: tuple[tuple[str, float], ...], digits: int, away: float
) -> _Journey:
    """Give the journey of some states with knobs and gradients; `away` tells those beside a place from those at it."""
    return _Journey(running, digits)


def before_name(state: str) -> str:
    """Name a running state as it was before the step."""
    return f"{state}_before"


@dataclass(frozen=True)
class ProductForm:
    """The product of a factor over all steps: what a share that changes does in the long run."""

    factor: Expression
    values: Mapping[str, float] = field(default_factory=dict)

    def exactly(self, step: int, /, **values: float) -> Digits:
        """Multiply the factors of steps 1 to `step`, in many digits."""
        exact = exact_numbers()
        known = {name: exact.number(float(value)) for name, value in {**self.values, **values}.items()}
        product = exact.number(1.0)
        for number in range(1, step + 1):
            product = product * value_of(self.factor, {**known, "t": exact.number(float(number))}, exact)
        return product

    def at(self, step: int, /, **values: float) -> float:
        """Multiply the factors of steps 1 to `step`; what no double holds is an infinity or zero."""
        return nearest_double(self.exactly(step, **values))

    def log10_at(self, step: int, /, **values: float) -> float:
        """Give the decimal logarithm of the product's size.

                >>> from mhat.language import Name, Number, Operation
        >>> one, beta, t = Number(1.0), Name("beta2"), Name("t")
                >>> correction = Operation("div", (one, Operation("sub", (one, Operation("pow", (beta, t))))))
                >>> round(ProductForm(correction, {"beta2": 0.999}).log10_at(100), 2)
                143.1
        """
        product = self.exactly(step, **values)
        return float(exact_numbers().numbers.context.log10(abs(product))) if product else float("-inf")


def _plainly_named(node: Expression) -> Expression:
    return renamed(node, {PI: "pi"})


def _set(sign: str, below: str, inner: str) -> str:
    """Set a sum or a product up to t in MathML."""
    return f"<munderover><mo>{sign}</mo><mtext>{below}</mtext><mi>t</mi></munderover>{inner}"


def _row(node: Expression) -> str:
    inner = expression_mathml(_plainly_named(node)).removeprefix("<math>").removesuffix("</math>")
    return f"<mrow><mo>(</mo>{inner}<mo>)</mo></mrow>"


def _bracketed(node: Expression) -> str:
    text = expression_text(_plainly_named(node))
    return text if isinstance(node, Name) else f"({text})"


Found = ClosedForm | NoClosedForm
