"""The library of rules, one file each: published optimizers written as their pseudo code. It knows no engine.

    plain             sgd, momentum, nesterov
    by sign           signsgd, signum, tiger, lion
    by history        adagrad, adadelta, rmsprop, rmsprop_centered
    Adam and its kin  adam, adamw, adamax, nadam, amsgrad, radam,
                      adabelief, yogi, qhadam, adan, adopt, adabound
    by norm           lamb

    names, named      what there is, and one of it by its name
    families, family  the families, and that of a rule

Each stands in the folder of its family, `library/adam/adamw.py`, and is imported here at once: `mhat.rules.adamw` is
the rule, always. Nothing is parsed until it is used.
"""

from mhat.errors import UnknownName
from mhat.language import Rule
from mhat.rules.library.adam.adabelief import adabelief
from mhat.rules.library.adam.adabound import adabound
from mhat.rules.library.adam.adam import adam
from mhat.rules.library.adam.adamax import adamax
from mhat.rules.library.adam.adamw import adamw
from mhat.rules.library.adam.adan import adan
from mhat.rules.library.adam.adopt import adopt
from mhat.rules.library.adam.amsgrad import amsgrad
from mhat.rules.library.adam.nadam import nadam
from mhat.rules.library.adam.qhadam import qhadam
from mhat.rules.library.adam.radam import radam
from mhat.rules.library.adam.yogi import yogi
from mhat.rules.library.history.adadelta import adadelta
from mhat.rules.library.history.adagrad import adagrad
from mhat.rules.library.history.rmsprop import rmsprop
from mhat.rules.library.history.rmsprop_centered import rmsprop_centered
from mhat.rules.library.norm.lamb import lamb
from mhat.rules.library.plain.momentum import momentum
from mhat.rules.library.plain.nesterov import nesterov
from mhat.rules.library.plain.sgd import sgd
from mhat.rules.library.sign.lion import lion
from mhat.rules.library.sign.signsgd import signsgd
from mhat.rules.library.sign.signum import signum
from mhat.rules.library.sign.tiger import tiger

__all__ = [
    "adabelief",
    "adabound",
    "adadelta",
    "adagrad",
    "adam",
    "adamax",
    "adamw",
    "adan",
    "adopt",
    "amsgrad",
    "families",
    "family",
    "lamb",
    "lion",
    "momentum",
    "nadam",
    "named",
    "names",
    "nesterov",
    "qhadam",
    "radam",
    "rmsprop",
    "rmsprop_centered",
    "sgd",
    "signsgd",
    "signum",
    "tiger",
    "yogi",
]  # fmt: skip


def names() -> list[str]:
    """List the names of the library's rules.

    >>> names()[:3]
    ['adabelief', 'adabound', 'adadelta']
    """
    return sorted(name for name in __all__ if isinstance(globals()[name], Rule))


def named(name: str) -> Rule:
    """Look a rule up by its name; raises UnknownName.

    >>> named("adam")
    <rule adam>
    """
    found = globals().get(name) if name in __all__ else None
    if not isinstance(found, Rule):
        raise UnknownName("rule", name, names(), more="`mhat rules` lists them.")
    return found


def family(name: str) -> str:
    """Give the family of a rule; raises UnknownName.

    >>> family("adamw")
    'adam'
    """
    return named(name).__module__.rsplit(".", 2)[1]


def families() -> dict[str, list[str]]:
    """List the families, and the names of the rules in each.

    >>> families()["sign"]
    ['lion', 'signsgd', 'signum', 'tiger']
    """
    found: dict[str, list[str]] = {}
    for name in names():
        found.setdefault(family(name), []).append(name)
    return dict(sorted(found.items()))


def __dir__() -> list[str]:
    return sorted(__all__)
