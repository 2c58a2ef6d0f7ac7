"""The library of rules, one file each: published optimizers written as their pseudo code. It knows no engine.

    plain         a2grad, accsgd, aggmo, momentum, nesterov, optimistic, pid, qhm, sgd, sgd_hd, sgdw
    sign          focus, lion, rprop, signsgd, signum, tiger
    history       adadelta, adagrad, adagrad_norm, ftrl, kate, madgrad, nosadam, rmsprop, rmsprop_centered,
                  rmsprop_momentum, smorms3
    adam          adabound, adam, adam_atan2, adam_l2, adamax, adamd, adamod, adams, adamw, amsgrad, diffgrad, laprop,
                  nadam, nadamw, padam, qhadam, radam, radamw, stable_adamw
    variance      acprop, adabelief, adai, aida, ano, avagrad, bcos, exadam, fadam, msvag, yogi
    memory        adamg, adan, adapnm, ademamix, adopt, grams, grokfast, mars, pnm, simplified_ademamix
    norm          adagc, adamp, adanorm, amos, fromage, lamb, lars, novograd, sgd_sai, sgdp
    factored      adafactor, adafactor_vector, adam_mini, adam_mini_tensor, came, racs, sm3
    matrix        adago, adamuon, asgo, dion, galore, mars_m, muon, muon_moonlight, namo, nero, normuon, polargrad,
                  scion, shampoo, soap, splus, sron
    averaging     asgd, schedule_free, schedule_free_radam, schedule_free_sgd
    rate_free     cocob, dadapt_adam, dadapt_sgd, dog, dowg, ldog, prodigy
    second_order  adahessian, momo, polyak, sophia

    names, named      what there is, and one of it by its name
    families, family  the families, and that of a rule

Each stands in the folder of its family, `library/adam/adamw.py`, and is imported here at once: `mhat.rules.adamw` is
the rule, always. Nothing is parsed until it is used.
"""

from mhat.errors import UnknownName
from mhat.language import Rule
from mhat.rules.library.adam.adabound import adabound
from mhat.rules.library.adam.adam import adam
from mhat.rules.library.adam.adam_atan2 import adam_atan2
from mhat.rules.library.adam.adam_l2 import adam_l2
from mhat.rules.library.adam.adamax import adamax
from mhat.rules.library.adam.adamd import adamd
from mhat.rules.library.adam.adamod import adamod
from mhat.rules.library.adam.adams import adams
from mhat.rules.library.adam.adamw import adamw
from mhat.rules.library.adam.amsgrad import amsgrad
from mhat.rules.library.adam.diffgrad import diffgrad
from mhat.rules.library.adam.laprop import laprop
from mhat.rules.library.adam.nadam import nadam
from mhat.rules.library.adam.nadamw import nadamw
from mhat.rules.library.adam.padam import padam
from mhat.rules.library.adam.qhadam import qhadam
from mhat.rules.library.adam.radam import radam
from mhat.rules.library.adam.radamw import radamw
from mhat.rules.library.adam.stable_adamw import stable_adamw
from mhat.rules.library.averaging.asgd import asgd
from mhat.rules.library.averaging.schedule_free import schedule_free
from mhat.rules.library.averaging.schedule_free_radam import schedule_free_radam
from mhat.rules.library.averaging.schedule_free_sgd import schedule_free_sgd
from mhat.rules.library.factored.adafactor import adafactor
from mhat.rules.library.factored.adafactor_vector import adafactor_vector
from mhat.rules.library.factored.adam_mini import adam_mini
from mhat.rules.library.factored.adam_mini_tensor import adam_mini_tensor
from mhat.rules.library.factored.came import came
from mhat.rules.library.factored.racs import racs
from mhat.rules.library.factored.sm3 import sm3
from mhat.rules.library.history.adadelta import adadelta
from mhat.rules.library.history.adagrad import adagrad
from mhat.rules.library.history.adagrad_norm import adagrad_norm
from mhat.rules.library.history.ftrl import ftrl
from mhat.rules.library.history.kate import kate
from mhat.rules.library.history.madgrad import madgrad
from mhat.rules.library.history.nosadam import nosadam
from mhat.rules.library.history.rmsprop import rmsprop
from mhat.rules.library.history.rmsprop_centered import rmsprop_centered
from mhat.rules.library.history.rmsprop_momentum import rmsprop_momentum
from mhat.rules.library.history.smorms3 import smorms3
from mhat.rules.library.matrix.adago import adago
from mhat.rules.library.matrix.adamuon import adamuon
from mhat.rules.library.matrix.asgo import asgo
from mhat.rules.library.matrix.dion import dion
from mhat.rules.library.matrix.galore import galore
from mhat.rules.library.matrix.mars_m import mars_m
from mhat.rules.library.matrix.muon import muon
from mhat.rules.library.matrix.muon_moonlight import muon_moonlight
from mhat.rules.library.matrix.namo import namo
from mhat.rules.library.matrix.nero import nero
from mhat.rules.library.matrix.normuon import normuon
from mhat.rules.library.matrix.polargrad import polargrad
from mhat.rules.library.matrix.scion import scion
from mhat.rules.library.matrix.shampoo import shampoo
from mhat.rules.library.matrix.soap import soap
from mhat.rules.library.matrix.splus import splus
from mhat.rules.library.matrix.sron import sron
from mhat.rules.library.memory.adamg import adamg
from mhat.rules.library.memory.adan import adan
from mhat.rules.library.memory.adapnm import adapnm
from mhat.rules.library.memory.ademamix import ademamix
from mhat.rules.library.memory.adopt import adopt
from mhat.rules.library.memory.grams import grams
from mhat.rules.library.memory.grokfast import grokfast
from mhat.rules.library.memory.mars import mars
from mhat.rules.library.memory.pnm import pnm
from mhat.rules.library.memory.simplified_ademamix import simplified_ademamix
from mhat.rules.library.norm.adagc import adagc
from mhat.rules.library.norm.adamp import adamp
from mhat.rules.library.norm.adanorm import adanorm
from mhat.rules.library.norm.amos import amos
from mhat.rules.library.norm.fromage import fromage
from mhat.rules.library.norm.lamb import lamb
from mhat.rules.library.norm.lars import lars
from mhat.rules.library.norm.novograd import novograd
from mhat.rules.library.norm.sgd_sai import sgd_sai
from mhat.rules.library.norm.sgdp import sgdp
from mhat.rules.library.plain.a2grad import a2grad
from mhat.rules.library.plain.accsgd import accsgd
from mhat.rules.library.plain.aggmo import aggmo
from mhat.rules.library.plain.momentum import momentum
from mhat.rules.library.plain.nesterov import nesterov
from mhat.rules.library.plain.optimistic import optimistic
from mhat.rules.library.plain.pid import pid
from mhat.rules.library.plain.qhm import qhm
from mhat.rules.library.plain.sgd import sgd
from mhat.rules.library.plain.sgd_hd import sgd_hd
from mhat.rules.library.plain.sgdw import sgdw
from mhat.rules.library.rate_free.cocob import cocob
from mhat.rules.library.rate_free.dadapt_adam import dadapt_adam
from mhat.rules.library.rate_free.dadapt_sgd import dadapt_sgd
from mhat.rules.library.rate_free.dog import dog
from mhat.rules.library.rate_free.dowg import dowg
from mhat.rules.library.rate_free.ldog import ldog
from mhat.rules.library.rate_free.prodigy import prodigy
from mhat.rules.library.second_order.adahessian import adahessian
from mhat.rules.library.second_order.momo import momo
from mhat.rules.library.second_order.polyak import polyak
from mhat.rules.library.second_order.sophia import sophia
from mhat.rules.library.sign.focus import focus
from mhat.rules.library.sign.lion import lion
from mhat.rules.library.sign.rprop import rprop
from mhat.rules.library.sign.signsgd import signsgd
from mhat.rules.library.sign.signum import signum
from mhat.rules.library.sign.tiger import tiger
from mhat.rules.library.variance.acprop import acprop
from mhat.rules.library.variance.adabelief import adabelief
from mhat.rules.library.variance.adai import adai
from mhat.rules.library.variance.aida import aida
from mhat.rules.library.variance.ano import ano
from mhat.rules.library.variance.avagrad import avagrad
from mhat.rules.library.variance.bcos import bcos
from mhat.rules.library.variance.exadam import exadam
from mhat.rules.library.variance.fadam import fadam
from mhat.rules.library.variance.msvag import msvag
from mhat.rules.library.variance.yogi import yogi

__all__ = [
    "a2grad",
    "accsgd",
    "acprop",
    "adabelief",
    "adabound",
    "adadelta",
    "adafactor",
    "adafactor_vector",
    "adagc",
    "adago",
    "adagrad",
    "adagrad_norm",
    "adahessian",
    "adai",
    "adam",
    "adam_atan2",
    "adam_l2",
    "adam_mini",
    "adam_mini_tensor",
    "adamax",
    "adamd",
    "adamg",
    "adamod",
    "adamp",
    "adams",
    "adamuon",
    "adamw",
    "adan",
    "adanorm",
    "adapnm",
    "ademamix",
    "adopt",
    "aggmo",
    "aida",
    "amos",
    "amsgrad",
    "ano",
    "asgd",
    "asgo",
    "avagrad",
    "bcos",
    "came",
    "cocob",
    "dadapt_adam",
    "dadapt_sgd",
    "diffgrad",
    "dion",
    "dog",
    "dowg",
    "exadam",
    "fadam",
    "families",
    "family",
    "focus",
    "fromage",
    "ftrl",
    "galore",
    "grams",
    "grokfast",
    "kate",
    "lamb",
    "laprop",
    "lars",
    "ldog",
    "lion",
    "madgrad",
    "mars",
    "mars_m",
    "momentum",
    "momo",
    "msvag",
    "muon",
    "muon_moonlight",
    "nadam",
    "nadamw",
    "named",
    "names",
    "namo",
    "nero",
    "nesterov",
    "normuon",
    "nosadam",
    "novograd",
    "optimistic",
    "padam",
    "pid",
    "pnm",
    "polargrad",
    "polyak",
    "prodigy",
    "qhadam",
    "qhm",
    "racs",
    "radam",
    "radamw",
    "rmsprop",
    "rmsprop_centered",
    "rmsprop_momentum",
    "rprop",
    "schedule_free",
    "schedule_free_radam",
    "schedule_free_sgd",
    "scion",
    "sgd",
    "sgd_hd",
    "sgd_sai",
    "sgdp",
    "sgdw",
    "shampoo",
    "signsgd",
    "signum",
    "simplified_ademamix",
    "sm3",
    "smorms3",
    "soap",
    "sophia",
    "splus",
    "sron",
    "stable_adamw",
    "tiger",
    "yogi",
]  # fmt: skip


def names() -> list[str]:
    """List the names of the library's rules.

    >>> names()[:3]
    ['a2grad', 'accsgd', 'acprop']
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
    ['focus', 'lion', 'rprop', 'signsgd', 'signum', 'tiger']
    """
    found: dict[str, list[str]] = {}
    for name in names():
        found.setdefault(family(name), []).append(name)
    return dict(sorted(found.items()))


def __dir__() -> list[str]:
    return sorted(__all__)
