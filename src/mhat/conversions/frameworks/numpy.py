"""mhat's own optimizer on NumPy arrays: every rule of the library, and any other as its pseudo code."""

from __future__ import annotations

from mhat import rules
from mhat.conversions.entries import Entry, Form, Framework


def _entry(name: str) -> Entry:
    knobs = rules.named(name).knobs
    return Entry(
        "mhat.Optimizer",
        {knob: (knob, default) for knob, default in knobs.items()},
        (Form(name),),
        lead=f'"{name}", params',
    )


NUMPY = Framework(
    "numpy",
    "mhat on NumPy arrays",
    # A training loop that is converted has gradients alone.
    tuple(_entry(name) for name in rules.names() if rules.family(name) != "second_order"),
    aliases=("mhat", "np"),
    takes_rules=True,
    anew="optimizer.{theirs} = {expression}",
)
