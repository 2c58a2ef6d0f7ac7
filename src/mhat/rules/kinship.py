"""Which rules are others with some of their knobs set: plain data. Whether it is so, `laws.kinship` proves or tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Setting = Mapping[str, float | str]


@dataclass(frozen=True)
class Identity:
    """One rule with knobs set is another: `rule` with `knobs` moves as `same_as` with `others`.

    A knob is set to a number, or to an expression over the knobs of the other rule; knobs of one name that are not set
    are alike, whatever they are. `rule` may have modifiers around it. `where` says for what it holds, if not always:
    "one number" (tensors of one number), "one tensor".
    """

    rule: str
    knobs: Setting
    same_as: str
    others: Setting = field(default_factory=dict)
    where: str = ""

    @property
    def label(self) -> str:
        """Say what is set, as briefly as it can be."""
        told = ", ".join(f"{name}={_brief(value)}" for name, value in self.knobs.items())
        there = ", ".join(f"{name}={_brief(value)}" for name, value in self.others.items() if name not in self.knobs)
        return "; ".join(part for part in (told, there and f"there {there}", self.where) if part)

    @property
    def sentence(self) -> str:
        """Say it as a sentence."""
        one, other = (_called(*each) for each in ((self.rule, self.knobs), (self.same_as, self.others)))
        held = {"": "", "one number": ", in tensors of one number",
                "one tensor": ", where there is one tensor"}[self.where]  # fmt: skip
        return f"{one} is {other}{held}"


def _called(name: str, setting: Setting) -> str:
    told = [f"{knob}={_brief(value)}" for knob, value in setting.items()]
    return f"{name} with {' and '.join(told)}" if told else name


def _brief(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


PLAIN = (
    Identity("momentum", {"momentum": 0}, "sgd"),
    Identity("nesterov", {"momentum": 0}, "sgd"),
    Identity("sgdw", {"weight_decay": 0}, "momentum"),
    Identity("qhm", {"nu": 0}, "sgd"),
    Identity("qhm", {"nu": 1, "lr": "lr / (1 - momentum)"}, "momentum"),
    Identity("qhm", {"nu": "momentum", "lr": "lr / (1 - momentum)"}, "nesterov"),
    Identity("optimistic", {"alpha": 1, "beta": 0}, "sgd"),
    Identity("sgd_hd", {"beta": 0}, "sgd"),
    Identity("aggmo", {"beta1": 0, "beta2": 0, "beta3": 0}, "sgd"),
    Identity("aggmo", {"beta1": "momentum", "beta2": "momentum", "beta3": "momentum"}, "momentum"),
    Identity("pid", {"integral": 0, "derivative": 0}, "sgd"),
    Identity("pid", {"integral": "momentum", "derivative": 0}, "nesterov"),
    Identity("asgd", {"lambd": 0}, "sgd"),
    Identity("schedule_free_sgd", {"momentum": 0, "weight_decay": 0, "warmup": 0}, "sgd"),
    Identity("sgdp", {"delta": 0, "weight_decay": 0}, "momentum"),
)
SIGN = (
    Identity("signum", {"beta1": 0}, "signsgd"),
    Identity("tiger", {"weight_decay": 0}, "signum"),
    Identity("tiger", {"beta1": 0, "weight_decay": 0}, "signsgd"),
    Identity("lion", {"beta2": "beta1"}, "tiger"),
    Identity("lion", {"beta1": 0, "weight_decay": 0}, "signsgd"),
    Identity("focus", {"gamma": 0, "weight_decay": 0}, "signum"),
    Identity("bcos", {"beta1": 0, "eps": 0, "weight_decay": 0}, "signsgd"),
    Identity("qhadam", {"nu1": 0, "nu2": 0, "eps": 0}, "signsgd"),
    Identity("adam", {"beta1": 0, "beta2": 0, "eps": 0}, "signsgd"),
    Identity("adamw", {"beta1": 0, "beta2": 0, "eps": 0}, "tiger", {"beta1": 0}),
)
HISTORY = (
    Identity("rmsprop_momentum", {"momentum": 0}, "rmsprop"),
    Identity("ftrl", {"beta": 0, "l1": 0, "l2": 0}, "adagrad", {"eps": 0}),
    Identity("adagrad_norm", {"b0": 0}, "adagrad", {"eps": 0}, "one number"),
    Identity("shampoo", {"eps": 0, "every": 1}, "adagrad", {"eps": 0}, "one number"),
    Identity("asgo", {}, "adagrad", where="one number"),
    Identity("sm3", {"momentum": 0, "eps": 0}, "adagrad", {"eps": 0}, "one number"),
)
ADAM = (
    Identity("adamw", {"weight_decay": 0}, "adam"),
    Identity("adam_l2", {"weight_decay": 0}, "adam"),
    Identity("nadamw", {"weight_decay": 0}, "nadam"),
    Identity("radamw", {"weight_decay": 0}, "radam"),
    Identity("qhadam", {"nu1": 1, "nu2": 1}, "adam"),
    Identity("padam", {"p": 0.5, "eps": 0}, "amsgrad", {"eps": 0}),
    Identity("adamod", {"beta3": 0, "eps": 0}, "adam", {"eps": 0}),
    Identity("laprop", {"beta1": 0}, "adam", {"beta1": 0}),
    Identity("adamd", {"beta1": 0, "eps": 0}, "adam", {"beta1": 0, "eps": 0}),
    Identity("nadam", {"beta1": 0}, "adam", {"beta1": 0}),
    Identity("adan", {"beta2": 0, "beta3": "beta2", "weight_decay": 0}, "adam"),
    Identity("ademamix", {"alpha": 0}, "adamw"),
    Identity("simplified_ademamix", {"alpha": 0, "weight_decay": 0, "eps": 0, "lr": "lr * (1 - beta1)"}, "adamd",
             {"eps": 0}),
    Identity("grokfast", {"lamb": 0}, "adam"),
    Identity("grams", {"beta1": 0, "eps": 0}, "adamw", {"beta1": 0, "eps": 0}),
    Identity("adanorm", {"r": 0, "eps": 0}, "adam", {"eps": 0}),
    Identity("adamp", {"delta": 0}, "adamw"),
    Identity("adagc", {"relative": float("inf"), "absolute": float("inf")}, "adamw"),
    Identity("adam_mini_tensor", {}, "adamw", where="one number"),
    Identity("adam_mini", {}, "adamw", where="one number"),
    Identity("schedule_free", {"beta1": 0, "warmup": 0}, "adamw", {"beta1": 0}),
)  # fmt: skip
RATE_FREE = (
    Identity("dog", {}, "ldog", where="one tensor"),
)  # fmt: skip
MODIFIED = (
    Identity("decoupled_decay(adam)", {}, "adamw"),
    Identity("decoupled_decay(nadam)", {}, "nadamw"),
    Identity("decoupled_decay(radam)", {}, "radamw"),
    Identity("decoupled_decay(momentum)", {}, "sgdw"),
    Identity("decoupled_decay(signum)", {}, "tiger"),
    Identity("coupled_decay(adam)", {}, "adam_l2"),
    Identity("amsgrad(adam)", {}, "amsgrad"),
    Identity("nesterov(momentum)", {}, "nesterov"),
    Identity("signed(sgd)", {}, "signsgd"),
    Identity("signed(momentum)", {"momentum": "beta1"}, "signum"),
    Identity("lookahead(adam)", {"alpha": 1}, "adam"),
    Identity("warmed_up(adam)", {"warmup": 1}, "adam"),
    Identity("averaged(adam)", {}, "adam"),
    Identity("clipped(adam)", {"max_norm": float("inf")}, "adam"),
    Identity("stable(adam)", {"limit": float("inf")}, "adam"),
)
IDENTITIES = (*PLAIN, *SIGN, *HISTORY, *ADAM, *RATE_FREE, *MODIFIED)


def kin_of(name: str) -> list[Identity]:
    """List the identities that a rule takes part in, its own first.

    >>> [identity.sentence for identity in kin_of("tiger")][:2]
    ['tiger with weight_decay=0 is signum', 'tiger with beta1=0 and weight_decay=0 is signsgd']
    """
    own = [identity for identity in IDENTITIES if identity.rule == name]
    return [*own, *(identity for identity in IDENTITIES if identity.same_as == name)]
