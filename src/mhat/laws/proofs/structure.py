"""Proofs from the tree alone: what is not there cannot influence anything. They know no rule by name."""

from __future__ import annotations

from mhat.language import Level, Operation, Rule
from mhat.language.algebra import ONE
from mhat.language.inference import reductions_over_all
from mhat.language.recurrences import recurrence_of
from mhat.language.walking import all_expressions, names_in, values_in
from mhat.laws.proofs.proof import Attempt, NoProof, Proof, quoted
from mhat.laws.shortening import shortened
from mhat.ops import OPERATIONS
from mhat.printers.python import expression_text


def _meeting(rule: Rule) -> str:
    """Name an operation in which coordinates meet, or nothing."""
    for node in all_expressions(rule.tree):
        if isinstance(node, Operation) and not OPERATIONS[node.op].elementwise:
            return OPERATIONS[node.op].symbol
    return ""


def coordinates_apart(rule: Rule) -> Attempt:
    """Every operation is one on coordinates."""
    if rule.level != Level.COORDINATE:
        return NoProof(f"coordinates meet in `{_meeting(rule)}`")
    return Proof((
        "No line takes a sum, a mean or a norm over the tensor, and none is an operation on matrices.",
        "So whatever is computed for a coordinate is computed of that coordinate's own gradient, place and state, and "
        "of numbers that all coordinates share.",
    ))  # fmt: skip


def tensors_apart(rule: Rule) -> Attempt:
    """Nothing looks at another tensor."""
    if reductions_over_all(rule.tree):
        return NoProof("it looks at all tensors at once")
    read = {"k", "n"} & {name for node in all_expressions(rule.tree) for name in names_in(node)}
    if read:
        return NoProof(f"it reads `{min(read)}`, which other tensors change")
    return Proof((
        "No reduction runs over all tensors, and neither `k` nor `n`, which number and count the tensors, is read.",
        "So a tensor's step is made of its own gradient, place and state alone.",
    ))  # fmt: skip


def order_of_tensors(rule: Rule) -> Attempt:
    """Nothing asks which tensor it is."""
    read = {name for node in all_expressions(rule.tree) for name in names_in(node)}
    if "k" in read:
        return NoProof("it reads `k`, the number of the tensor")
    steps = ["No line reads `k`, the number of the tensor."]
    if reductions_over_all(rule.tree):
        steps.append("What runs over all tensors is a sum of something over each of them, in whatever order.")
    return Proof((*steps, "So each tensor's step is the same wherever it stands in the list."))


def repetition(rule: Rule) -> Attempt:
    """A rule has no memory but its states."""
    return Proof((
        "A line reads the gradient and the place of its step, knobs, the number of the step, and states.",
        "Every run begins with the states' own starts: nothing of an earlier run is left to be read.",
    ))  # fmt: skip


def prefix(rule: Rule) -> Attempt:
    """No line reads what comes later."""
    return Proof((
        "A line reads the gradient of its own step and what earlier lines and steps have made; no line reads a later "
        "gradient.",
        "So by induction what stands after a step is made of the gradients up to that step.",
    ))  # fmt: skip


def first_step(rule: Rule) -> Attempt:
    """The first step is one run of the lines."""
    starts = ", ".join(f"{state.name} = {expression_text(state.start)}" for state in rule.tree.states)
    return Proof((
        f"Before step 1 {starts or 'there is no state'}, and `t` is 1.",
        "So the first step is the lines computed once, of one gradient, the start and the knobs.",
    ))  # fmt: skip


def translation(rule: Rule) -> Attempt:
    """Where x is enters as itself, once."""
    readers = [i for i, line in enumerate(rule.tree.body, start=1) if "x" in values_in(line.value)]
    if readers:
        return NoProof(f"line {readers[0]} reads where x is")
    started = [state.name for state in rule.tree.states if "x" in values_in(state.start)]
    if started:
        return NoProof(f"`{started[0]}` starts from where x is")
    found = recurrence_of(rule, "x")
    if found is None or found.gain != ONE:
        return NoProof("what is added to x depends on where it is")
    return Proof(
        (
            "No line reads x, and no state starts from it: they are made of gradients alone.",
            f"The result is x with {quoted(found.fed)} added, in which there is no x.",
            "So from another start every step is the same, and the path is the same, moved.",
        ),
        found.fed,
    )


def without_memory(rule: Rule, knobs: list[str]) -> Attempt:
    """At zero a rate leaves its average out."""
    steps = []
    for knob in knobs:
        gone = [name for name in rule.tree.state_names if name not in shortened(rule, knob).tree.state_names]
        steps.append(
            f"With {knob} = 0 every product with `{knob}` is zero and falls away; then nothing reads "
            f"{' and '.join(f'`{name}`' for name in gone)} as it was before the step, and it need not be carried."
        )
    return Proof((*steps, "What is left of the lines is the shorter rule itself."))
