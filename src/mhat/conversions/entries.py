"""What a framework offers: its optimizers, as plain data. It knows no framework, and runs nothing.

    Edit        how a form is written otherwise than the rule it is a form of
    Form        one rule as one optimizer writes it
    Entry       one class or function: the names and defaults of its knobs, and the forms it can take
    Recipe      how a user adds what an optimizer lacks, in lines of code
    Framework   the entries, and how a line of code is written

Knobs are known here by our names. Where frameworks call two things alike, ours are two: `l2` is added to the gradient
(it is coupled), `weight_decay` is taken from the parameter beside the step, times lr (it is decoupled).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Value = float | bool
# What changes nothing, by knob: where a rule lacks the knob, it is as if it stood there with this value.
NEUTRAL: Mapping[str, float] = {
    "l2": 0.0, "weight_decay": 0.0, "momentum": 0.0, "dampening": 0.0, "v_start": 0.0, "eps_root": 0.0, "lr_decay": 0.0,
    "eps": 0.0, "clip_value": 0.0, "clip_norm": 0.0, "clip_all": 0.0,
}  # fmt: skip
# What knobs of our own are, beside the vocabulary of the rules.
SENTENCES: Mapping[str, str] = {
    "l2": "weight decay added to the gradient (coupled)",
    "weight_decay": "weight decay beside the step, times lr (decoupled)",
    "v_start": "what the second moment starts at",
    "eps_root": "added under the root",
    "lr_decay": "how fast lr falls: lr / (1 + (t - 1) * lr_decay)",
    "threshold": "length of the average from which on RAdam divides",
    "clip_value": "largest gradient of a coordinate",
    "clip_norm": "largest norm of the gradient of a tensor",
    "clip_all": "largest norm of the gradient over all tensors",
}


@dataclass(frozen=True)
class Edit:
    """A change of the pseudo code: states it adds or starts otherwise, a line in front, pieces that are exchanged.

    `exchanges` are alternatives: the first of them whose pieces all stand in the text is written. `knob`: where it is
    neutral the edit is left out, since it changes nothing.
    """

    knob: str = ""
    states: Mapping[str, str] = field(default_factory=dict)
    first: str = ""
    exchanges: tuple[tuple[tuple[str, str], ...], ...] = ()


@dataclass(frozen=True)
class Form:
    """A rule of the library as an optimizer writes it.

    `switches` choose it, `needs` are knobs that must not be neutral for it. `dialects` are the rule's own, by name.
    `held`: knobs of the rule that the optimizer does not have, and the values they have there. `lacks`: knobs of the
    optimizer that mean nothing to this form. `positive`: knobs that are refused at 0. `called`: what users call it, if
    not as the rule.
    """

    rule: str
    switches: Mapping[str, bool] = field(default_factory=dict)
    needs: tuple[str, ...] = ()
    dialects: tuple[str, ...] = ()
    edits: tuple[Edit, ...] = ()
    held: Mapping[str, float] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    called: str = ""

    @property
    def name(self) -> str:
        """What users call it."""
        return self.called or self.rule


@dataclass(frozen=True)
class Entry:
    """A class or function: knobs by our names (theirs, and the default, None where it must be given), and its forms.

    `edits` are left out where their knob is neutral. `always`: keywords that a line must give, since their defaults do
    something besides. `lead`: what stands in a line before the knobs, if not what the framework says. `ignored`:
    parameters that are not translated, with the reason. `notes`: what has to be known of it besides.
    """

    call: str
    knobs: Mapping[str, tuple[str, float | None]]
    forms: tuple[Form, ...]
    switches: Mapping[str, bool] = field(default_factory=dict)
    edits: tuple[Edit, ...] = ()
    always: Mapping[str, str] = field(default_factory=dict)
    lead: str | None = None
    ignored: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The last part of its name."""
        return self.call.rpartition(".")[2]

    @property
    def title(self) -> str:
        """What it is called in a sentence."""
        return self.call if not self.lead else f"{self.call}({self.lead.partition(',')[0]})"


@dataclass(frozen=True)
class Recipe:
    """How a user adds an edit that an optimizer lacks: `template` takes the line, `value` and knobs by our names."""

    edit: Edit
    template: str


@dataclass(frozen=True)
class Framework:
    """What a framework offers, and how it is spelled.

    `module` holds it, `extra` of mhat installs it (nothing: mhat does not drive it, and `known` says how it is known).
    `lead` is what stands in a line before the knobs, `made` what the line makes. `recipes` by the knob that they bring.
    `anew`: how a knob is set anew before every step ({theirs} and {expression}, of t). `schedule`: how an argument that
    follows t is written, where there is a way ({expression}), and `injected` what makes a {call} take one for other
    knobs than lr.
    `warning`: what to mind with `anew`, but for lr. `takes_rules`: whether any rule can be given as pseudo code.
    """

    name: str
    title: str
    entries: tuple[Entry, ...]
    module: str = ""
    extra: str = ""
    lead: str = "params"
    made: str = "optimizer"
    aliases: tuple[str, ...] = ()
    recipes: Mapping[str, Recipe] = field(default_factory=dict)
    anew: str = ""
    schedule: str = ""
    injected: str = ""
    warning: str = ""
    takes_rules: bool = False
    known: str = ""
