"""Questions of what is divided by: eps, clipping, late jumps, a maximum. They know no rule by name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from mhat.explanations.claims import Claim, Run, four_digits
from mhat.explanations.numbers import claimed
from mhat.explanations.numbers.floors import floor_numbers
from mhat.explanations.numbers.longest import after_spike, longest_numbers, spike_numbers
from mhat.explanations.numbers.parts import parts_of
from mhat.explanations.numbers.past import corrected_by
from mhat.explanations.numbers.readings import measured, move
from mhat.explanations.numbers.stability import stability_numbers
from mhat.explanations.numbers.wording import counted, in_rates
from mhat.explanations.questions.question import Question, asked, computed, not_asked, table
from mhat.explanations.runs import Setting
from mhat.language import Assignment, Expression, Operation, Rule, of_tree
from mhat.language.walking import names_in, subexpressions
from mhat.printers.python import expression_text

SPIKED = "spike:size=-100,at=1000,base=-1"


def what_eps_does(setting: Setting) -> Iterator[Claim]:
    """Answer 5: where eps stands, where it rules, what it takes."""
    yield from asked(claimed(floor_numbers, setting))


def late_jumps(setting: Setting) -> Iterator[Claim]:
    """Answer 4: what a spike does after a quiet time, and the steepest bowl."""
    parts = parts_of(setting)
    if not parts.reads_gradient:
        yield not_asked("Its steps do not depend on the gradient at all.", "no line that the result is made of reads g")
        return
    yield from asked(claimed(longest_numbers, setting))
    yield from asked(claimed(spike_numbers, setting))
    for size in parts.sizes[:1]:
        if 0 < size.gain < 1 and not any(each.gain >= 1 for each in parts.sizes):
            yield computed(
                f"While gradients are small `{size.state}` forgets the large ones, half of them in "
                f"{counted(round(size.half_life), 'step')}: then the next large one meets a small denominator.",
                table(("state", "half-life in steps"), (size.state, size.half_life)),
                size.state,
            )
    yield from asked(claimed(stability_numbers, setting)[:1])


def clipping(setting: Setting) -> Iterator[Claim]:
    """Answer 10: what clipping does under this rule."""
    parts = parts_of(setting)
    if not parts.reads_gradient:
        yield not_asked(
            "It reads no gradient, so there is nothing to clip.", "no line that the result is made of reads g"
        )
        return
    noise = np.random.Generator(np.random.PCG64(3)).standard_normal((300, 4))
    whole, tenth = (float(np.abs(parts.moves(factor * noise)[199:]).mean()) for factor in (1.0, 0.1))
    runs = tuple(
        measured(setting, Run("", f"normal:scale={scale},seed=3,size=4", 300, "update", 200, over="mean"))
        for scale in (1, 0.1)
    )
    if not whole or not np.isfinite([whole, tenth]).all():
        yield not_asked("Its steps under noise are nothing, or no numbers: there is nothing to scale.", "they were run")
        return
    alike = abs(tenth / whole - 1) < 1e-3
    yield computed(
        "A factor that is the same at every step does nothing: gradients a tenth as large make the same steps."
        if alike
        else f"A factor counts: gradients a tenth as large make steps {four_digits(tenth / whole)} times as long.",
        table(("factor", "mean step"), (1, whole), (0.1, tenth), runs=runs),
    )
    before, at_once, _, _ = after_spike(parts, (100.0,), 2)
    spiked = f"a gradient of 100 after ones makes a step of {in_rates(float(at_once[0]), parts)}"
    same = math.isclose(before, float(at_once[0]), rel_tol=1e-6)
    yield computed(
        f"One that changes from step to step does nothing at that step: {spiked}, and so it does clipped to 1."
        if same
        else f"One that changes from step to step does something: {spiked}, and clipped to 1 it makes "
        f"{in_rates(before, parts)}.",
        table(("gradient", "step"), ("100", at_once[0]), ("clipped to 1", before),
              runs=(move(setting, "spike:size=-100,at=3000,base=-1", 3000),)),
    )  # fmt: skip


def which_maximum(setting: Setting) -> Iterator[Claim]:
    """Answer 24: of what a maximum is taken, and where it changes anything."""
    parts = parts_of(setting)
    found = kept_maximum(setting.rule)
    if found is None:
        yield not_asked(
            "It keeps no maximum of what it divides by.", "no line sets a state to the larger of itself and more"
        )
        return
    line, other, state = found
    corrected = any(
        state in names_in(factor[1]) or _divided(setting.rule, state, text)
        for text, factor in corrected_by(setting.rule, parts)
    )
    fading = next((each.gain for each in parts.averages if each.state == state and each.gain < 1), None)
    fades = "" if fading is None else f", which fades to {four_digits(fading)} of itself a step"
    when = ", and corrected afterwards" if corrected else ""
    yield computed(
        f"`{state}` is the largest `{expression_text(other)}` so far{fades}{when}.",
        table(("state", "the maximum of"), (state, expression_text(other))),
        state,
    )
    bare = setting.changed(without_maximum(setting.rule, line, other, state))
    quiet = [parts_of(each).single(np.ones(200)) for each in (setting, bare)]
    steps = (1000, 1200, 2000)
    moves = [parts_of(each).single(np.where(np.arange(2000) == 999, 100.0, 1.0)) for each in (setting, bare)]
    same = np.allclose(quiet[0], quiet[1], rtol=1e-9)
    quietly = "While it grows or stays, that changes nothing" if same else "It changes even the step of equal gradients"
    runs = tuple(move(each, SPIKED, 2000) for each in (setting, bare))
    yield computed(
        f"{quietly}. "
        f"A thousand steps after a gradient of 100 among ones a step is {in_rates(moves[0][-1], parts)}, and without "
        f"the maximum {in_rates(moves[1][-1], parts)}: what is {'never' if fading is None else 'slowly'} forgotten "
        f"keeps "
        f"steps short.",
        table(("step", "with", "without"), *((t, moves[0][t - 1], moves[1][t - 1]) for t in steps), runs=runs),
        state,
    )


def kept_maximum(rule: Rule) -> tuple[int, Expression, str] | None:
    """Find a line that sets a state to the larger of what it was, or a share of that, and something else."""
    for place, line in enumerate(rule.tree.body):
        value, target = line.value, line.targets[0]
        if target in rule.tree.state_names and isinstance(value, Operation) and value.op == "maximum":
            mine = [target in names_in(argument) for argument in value.arguments]
            if mine.count(True) == 1:
                return place, value.arguments[mine.index(False)], target
    return None


def without_maximum(rule: Rule, line: int, other: Expression, state: str) -> Rule:
    """Give the rule where the state is only what it would be the maximum of."""
    body = list(rule.tree.body)
    body[line] = Assignment((state,), other)
    return of_tree(replace(rule.tree, body=tuple(body)))


def _divided(rule: Rule, state: str, text: str) -> bool:
    for line in rule.tree.body:
        for node in subexpressions(line.value):
            if not isinstance(node, Operation) or node.op != "div" or state not in names_in(node.arguments[0]):
                continue
            if expression_text(node.arguments[1]) == text:
                return True
    return False


QUESTIONS = (
    Question(
        4, ("Why does the loss jump late in training?", "loss spikes"),
        ("jump", "jumps", "spike", "spikes", "explode", "diverge", "late", "unstable", "instability"),
        late_jumps, settled=True,
    ),
    Question(
        5, ("What does eps do, why 1e-8, where does it go?", "what is epsilon for"),
        ("eps", "epsilon", "1e-8", "denominator"), what_eps_does, settled=True,
    ),
    Question(
        10, ("Does clipping do anything under Adam?", "gradient clipping and adaptive rules"),
        ("clip", "clipping", "clipped", "norm"), clipping,
    ),
    Question(
        24, ("AMSGrad: the maximum of what, and is it worth it?", "what does amsgrad=True do"),
        ("amsgrad", "maximum", "max", "v_max"), which_maximum, settled=True,
    ),
)  # fmt: skip
