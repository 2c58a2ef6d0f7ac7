"""Proofs from closed forms, each shown by induction, and from the weights of the past. They know no rule by name."""

from __future__ import annotations

from collections.abc import Mapping

from mhat.engines.symbols import ClosedForm, closed_forms
from mhat.errors import MissingExtra
from mhat.language import Expression, Name, Number, Operation, Rule
from mhat.language.algebra import ONE, ZERO, added, equal, multiplied
from mhat.language.recurrences import recurrence_of
from mhat.language.walking import mapped, names_in
from mhat.laws.longest import LongestStep, NoLongestStep, change_with_t, longest_step
from mhat.laws.proofs.proof import Attempt, NoProof, Proof, quoted

UPDATE = "update"
UNPROVED = "a case in it was chosen by trying, and not proved"


def _forms(rule: Rule, knobs: Mapping[str, float]) -> dict[str, ClosedForm] | NoProof:
    """Give the closed forms under a constant gradient, or why there is no proof by them."""
    try:
        found = closed_forms(rule, "constant", knobs)
    except MissingExtra as error:
        return NoProof(str(error).splitlines()[0])
    update = found.get(UPDATE)
    if not isinstance(update, ClosedForm):
        return NoProof(
            "the rule has a variable of the name `update`" if update is None else f"`{UPDATE}`: {update.reason}"
        )
    if not update.proved:
        return NoProof(UNPROVED)
    if update.running:
        return NoProof("its steps are sums of products, of which nothing general is known")
    forms = {name: form for name, form in found.items() if isinstance(form, ClosedForm) and form.proved}
    unshown = [state for state in rule.tree.state_names if state in forms and not _is_inductive(rule, state, forms)]
    return NoProof(f"the induction for `{unshown[0]}` is beyond plain algebra") if unshown else forms


def _is_inductive(rule: Rule, state: str, forms: Mapping[str, ClosedForm]) -> bool:
    """Whether the form of a state is its start before step 1, and what one step makes of it after that."""
    found = recurrence_of(rule, state)
    if found is None:
        return False
    earlier = Operation("sub", (Name("t"), ONE))
    before = {name: _with(forms[name].expression, "t", earlier) for name in rule.tree.state_names if name in forms}
    (start,) = (each.start for each in rule.tree.states if each.name == state)
    form = forms[state].expression
    stepped = added(multiplied(found.gain, before[state]), _all(found.fed_before, before))
    at_start = found.gain == ZERO or equal(_with(form, "t", ZERO), start)
    return at_start and equal(stepped, form)


def _with(node: Expression, name: str, new: Expression) -> Expression:
    return mapped(node, lambda part: new if part == Name(name) else part)


def _all(node: Expression, new: Mapping[str, Expression]) -> Expression:
    return mapped(node, lambda part: new.get(part.id, part) if isinstance(part, Name) else part)


def _by_induction(rule: Rule, forms: Mapping[str, ClosedForm]) -> list[str]:
    """Tell the closed forms, states first, each with how it follows."""
    told = []
    for state in rule.tree.states:
        if state.name in forms:
            told.append(
                f"`{state.name} = {forms[state.name].text}`: before step 1 it is {quoted(state.start)}, and one step "
                "makes of what this says for t - 1 what it says for t."
            )
    for name in rule.variables:
        if name in forms and name not in rule.tree.state_names:
            told.append(f"`{name} = {forms[name].text}`, by putting these in.")
    return told


def constant_gradient(rule: Rule, knobs: Mapping[str, float]) -> Attempt:
    """With a constant gradient the step is lr against its sign, with what is added to the divisor at zero."""
    forms = _forms(rule, knobs)
    if isinstance(forms, NoProof):
        return forms
    update = forms[UPDATE].expression
    gone = [name for name in names_in(update) if name not in ("lr", "g", "t") and rule.knobs.get(name) is not None]
    for zero in ((), *((name,) for name in sorted(gone)), tuple(sorted(gone))):
        left = _at_zero(update, frozenset(zero))
        if _is_rate(left):
            return Proof(
                (
                    "Let the gradient be g at every step.",
                    *_by_induction(rule, forms),
                    f"So what is added to x is {quoted(update)}"
                    + (f", and with {' and '.join(f'{name} = 0' for name in zero)} lr against the sign of g."
                       if zero else ", lr against the sign of g."),
                ),
                update,
                tuple(f"{name} = 0" for name in zero),
            )  # fmt: skip
    return NoProof(f"what is added to x is {quoted(update)}, and that is not lr")


def _at_zero(node: Expression, zero: frozenset[str]) -> Expression:
    return mapped(node, lambda part: ZERO if isinstance(part, Name) and part.id in zero else part)


def _is_rate(update: Expression) -> bool:
    """Whether it is `-lr * sign(g)`, where g is not zero."""
    lr, g = Name("lr"), Name("g")
    for size, sign in ((g, ONE), (Operation("neg", (g,)), Number(-1.0))):

        def known(part: Expression, size: Expression = size, sign: Expression = sign) -> Expression:
            if isinstance(part, Operation) and part.arguments[0] == g:
                return size if part.op == "abs" else sign if part.op == "sign" else part
            return part

        if not equal(mapped(update, known), Operation("neg", (Operation("mul", (lr, sign)),))):
            return False
    return True


def equal_steps(rule: Rule, knobs: Mapping[str, float]) -> Attempt:
    """With a constant gradient no step number is left in what is added to x."""
    forms = _forms(rule, knobs)
    if isinstance(forms, NoProof):
        return forms
    update = forms[UPDATE].expression
    if "t" in names_in(update) or "first" in names_in(update):
        return NoProof(f"what is added to x is {quoted(update)}, which changes with t")
    return Proof(
        (
            "Let the gradient be g at every step.",
            *_by_induction(rule, forms),
            f"So what is added to x is {quoted(update)}: there is no t in it, and all steps are equal.",
        ),
        update,
    )


def at_most_rate(rule: Rule, knobs: Mapping[str, float]) -> Attempt:
    """The bound is one learning rate."""
    found = longest_step(rule, knobs)
    if isinstance(found, LongestStep) and found.value > 1 + 1e-12:
        return NoProof(f"its longest step is {found.value:#.4g} lr")
    return bounded(rule, knobs)


def bounded(rule: Rule, knobs: Mapping[str, float]) -> Attempt:
    """The weights bound the step."""
    found = longest_step(rule, knobs)
    if isinstance(found, NoLongestStep):
        return NoProof(found.reason)
    if not found.followed:
        return NoProof("its weights change from step to step, and were only looked at, not followed to the end")
    return Proof(_weighed(found, change_with_t(rule)), found.formula)


def _weighed(found: LongestStep, change: str) -> tuple[str, ...]:
    end = f"{found.value:#.4g} lr"
    steps = [
        "What is added to x is lr times a sum of past gradients with weights p, over the root of a sum of their "
        "squares with weights q, or over more than that.",
        "By Cauchy and Schwarz the quotient is at most the root of the sum of p**2 / q.",
    ]  # fmt: skip
    if found.growth is None and found.limit == 1.0 and found.formula == ONE:
        steps = ["What is added to x is at most lr times one, whatever the gradients are: a sign, or a gradient over "
                 "no less than its own size."]  # fmt: skip
    if found.formula is not None and found.formula != ONE:
        steps.append(f"Summed over all of the past that is {quoted(found.formula)}, here {end}.")
    else:
        steps.append(f"That is {end}.")
    if change == "corrected":
        steps.append(
            "By step t only t gradients are summed, and the averages are corrected for that: the one makes the "
            "quotient smaller by no less than the other makes it larger, since a geometric mean is at most the "
            "arithmetic one."
        )
    if found.reached and found.growth is not None and found.growth != 1.0:
        steps.append(
            f"Gradients that are multiplied by {found.growth:#.4g} at every step come as near to it as one likes."
        )
    return tuple(steps)
