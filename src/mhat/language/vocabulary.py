"""What the knobs mean, where they may lie, and what others call them; the same names everywhere. It knows no rule."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Meaning:
    """One sentence about a knob, and its range: from `low` (allowed) up to `high` (allowed if `closed`).

    Where the sentence speaks of squared gradients, `without_squares` is for rules that average none.
    """

    sentence: str
    low: float = -math.inf
    high: float = math.inf
    closed: bool = True
    without_squares: str = ""

    def allows(self, value: float) -> bool:
        """Whether a value lies in the range; NaN never does."""
        return self.low <= value and (value <= self.high if self.closed else value < self.high)

    @property
    def is_share(self) -> bool:
        """Whether it is a share of one: a decay rate or a weight."""
        return self.low == 0.0 and self.high == 1.0

    @property
    def range(self) -> str:
        """The range in words: `0 <= value < 1`."""
        parts = [] if self.low == -math.inf else [f"{self.low:g} <="]
        parts.append("value")
        if self.high != math.inf:
            parts.append(f"{'<=' if self.closed else '<'} {self.high:g}")
        return " ".join(parts) if len(parts) > 1 else "any number"


def _decay(sentence: str, without_squares: str = "") -> Meaning:
    return Meaning(sentence, 0.0, 1.0, closed=False, without_squares=without_squares)


def _size(sentence: str) -> Meaning:
    return Meaning(sentence, 0.0)


VOCABULARY = {
    "lr": _size("learning rate: the size of a step"),
    "beta1": _decay("decay rate of the first moment, the average of the gradients"),
    "beta2": _decay(
        "decay rate of the second moment, the average of the squared gradients", "decay rate of the second average"
    ),
    "beta3": _decay("decay rate of the third average"),
    "eps": _size("added to the denominator, so that a zero moment divides nothing by zero"),
    "weight_decay": _size("share of the parameter taken away each step"),
    "momentum": _decay("share of the velocity kept from step to step"),
    "dampening": Meaning("share of the gradient kept out of the velocity", 0.0, 1.0),
    "rho": _decay("decay rate of the average of the squared gradients", "decay rate of an average"),
    "momentum_decay": _size("how fast NAdam's momentum warms up"),
    "max_norm": _size("largest norm of the gradient over all tensors: a longer gradient is scaled down to it"),
    "nu1": Meaning("weight of the first moment against the plain gradient", 0.0, 1.0),
    "nu2": Meaning("weight of the second moment against the plain squared gradient", 0.0, 1.0),
}

# Values that people write, the commonest first.
USUAL = {
    "eps": (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-10, 1e-12, 1e-15, 1e-16),
    "beta1": (0.9, 0.95, 0.8, 0.99, 0.5),
    "beta2": (0.999, 0.99, 0.98, 0.95, 0.9, 0.9999),
    "rho": (0.9, 0.99, 0.95, 0.999),
    "momentum": (0.9, 0.99, 0.95, 0.5),
    "weight_decay": (0.01, 0.1, 1e-4, 5e-4, 1e-3),
}


# Where a schedule follows, its first value; so the learning rate is called where it may come to fall.
STARTING_RATES = (
    "learningrateinit",
    "lrinit",
    "initlr",
    "initiallr",
    "initiallearningrate",
    "baselr",
    "baselearningrate",
    "lr0",
    "eta0",
    "alpha0",
    "learningrate0",
    "steprate",
    "initialstepsize",
    "learnrate",
    "stepsize0",
    "lrstart",
    "startlr",
)

# What others call the knobs, in plain spelling; the first that is there and not taken otherwise is the knob.
ALIASES: dict[str, tuple[str, ...]] = {
    "lr": ("learningrate", "stepsize", "lrate", "rate", "eta", "alpha", *STARTING_RATES),
    "beta1": ("b1", "betam", "rho1", "decay1", "decayrate1", "beta", "momentum", "mu"),
    "beta2": ("b2", "betav", "rho2", "decay2", "decayrate2", "rho", "decayrate"),
    "beta3": ("b3",),
    "eps": ("epsilon", "delta"),
    "weight_decay": ("wd", "weightdecayrate", "l2", "l2reg", "lambda", "lam", "lamb", "lambda_", "decay"),
    "momentum": (
        "mu",
        "beta",
        "gamma",
        "beta1",
        "b1",
        "mass",
        "friction",
        "inertia",
        "discount",
        "momentumcoefficient",
        "momentumrate",
        "momentumfactor",
        "momentumcoeff",
        "alpha",
    ),
    "momentum_decay": ("scheduledecay", "psi"),
    "rho": ("decayrate", "decay", "alpha", "gamma", "beta2", "beta", "discountingfactor", "smoothing"),
    "nu1": ("v1",),
    "nu2": ("v2",),
}
BETAS = ("beta1", "beta2", "beta3")
GREEK = {"α": "alpha", "β": "beta", "γ": "gamma", "ε": "eps", "η": "eta", "λ": "lambda", "μ": "mu", "ρ": "rho"}


def meaning_of(knob: str) -> Meaning:
    """Look a knob up; a rule's own Greek letter means what its paper says and may be any number."""
    return VOCABULARY.get(knob, Meaning("see the paper"))


def plain_spelling(name: str) -> str:
    """Spell a name in lower case without underscores, Greek letters in words.

    >>> plain_spelling("Learning_Rate"), plain_spelling("β_1")
    ('learningrate', 'beta1')
    """
    for letter, word in GREEK.items():
        name = name.replace(letter, word)
    return name.lower().replace("_", "")


def meant_by(name: str, knobs: Iterable[str]) -> tuple[str, ...]:
    """Give those of a rule's knobs that others call so.

    >>> meant_by("learning_rate", ["eps", "lr"]), meant_by("betas", ["lr", "beta1", "beta2"]), meant_by("q", ["lr"])
    (('lr',), ('beta1', 'beta2'), ())
    """
    spelled, own = plain_spelling(name), set(knobs)
    if spelled == "betas":
        return tuple(knob for knob in BETAS if knob in own)
    exact = [knob for knob in own if plain_spelling(knob) == spelled]
    usual = [knob for knob, others in ALIASES.items() if knob in own and spelled in others]
    return tuple([*exact, *usual][:1])
