"""The library of rules, one file each: published optimizers written as their pseudo code. It knows no engine.

    plain             sgd, momentum, nesterov
    by sign           signsgd, signum, tiger, lion
    by history        adagrad, adadelta, rmsprop, rmsprop_centered
    Adam and its kin  adam, adamw, adamax, nadam, amsgrad, radam,
                      adabelief, yogi, qhadam, adan, adopt, adabound
    by norm           lamb

    names, named      what there is, and one of it by its name

A rule and its file share a name, so the members are imported here at once: `mhat.rules.adam` is the rule,
always. Nothing is parsed until it is used.
"""

from mhat.errors import UnknownName
from mhat.language import Rule
from mhat.rules.adabelief import adabelief
from mhat.rules.adabound import adabound
from mhat.rules.adadelta import adadelta
from mhat.rules.adagrad import adagrad
from mhat.rules.adam import adam
from mhat.rules.adamax import adamax
from mhat.rules.adamw import adamw
from mhat.rules.adan import adan
from mhat.rules.adopt import adopt
from mhat.rules.amsgrad import amsgrad
from mhat.rules.lamb import lamb
from mhat.rules.lion import lion
from mhat.rules.momentum import momentum
from mhat.rules.nadam import nadam
from mhat.rules.nesterov import nesterov
from mhat.rules.qhadam import qhadam
from mhat.rules.radam import radam
from mhat.rules.rmsprop import rmsprop
from mhat.rules.rmsprop_centered import rmsprop_centered
from mhat.rules.sgd import sgd
from mhat.rules.signsgd import signsgd
from mhat.rules.signum import signum
from mhat.rules.tiger import tiger
from mhat.rules.yogi import yogi

__all__ = [
    "adabelief", "adabound", "adadelta", "adagrad", "adam", "adamax", "adamw", "adan", "adopt", "amsgrad", "lamb",
    "lion", "momentum", "nadam", "named", "names", "nesterov", "qhadam", "radam", "rmsprop", "rmsprop_centered", "sgd",
    "signsgd", "signum", "tiger", "yogi",
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


def __dir__() -> list[str]:
    return sorted(__all__)
