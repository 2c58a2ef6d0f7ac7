"""A class of optimizers for one rule, wherever a class is asked for: in configurations, trainers, checks."""

from __future__ import annotations

import copyreg
import inspect
from functools import lru_cache
from typing import Any

from mhat.bridges.torch.optimizer import Optimizer
from mhat.language.definition import Rule
from mhat.names import find_rule


class RuleClass(type):
    """The kind of these classes: another process makes them anew of their rule."""

    rule: Rule


def optimizer_class(rule: Any) -> Any:
    """Make the class of optimizers of a rule: `cls(params, lr=..., ...)`, with the rule's knobs in its signature.

    `rule`: a rule, a function written as one, or a name, `"mine.py:my_rule"` among them. One rule has one class.

    >>> import torch
    >>> cls = optimizer_class("sgd")
    >>> issubclass(cls, torch.optim.Optimizer), cls.__name__
    (True, 'Sgd')
    """
    return _class_of(find_rule(rule))


@lru_cache(maxsize=256)
def _class_of(rule: Rule) -> Any:
    def __init__(self: Any, params: Any, **given: Any) -> None:  # noqa: N807
        Optimizer.__init__(self, params, rule, **given)

    taken = inspect.signature(Optimizer.__init__).parameters.values()
    keyword = inspect.Parameter.KEYWORD_ONLY
    knobs = [inspect.Parameter(name, keyword, default=value) for name, value in rule.knobs.items()]
    options = [p for p in taken if p.kind is keyword]
    signature = inspect.Signature([*list(taken)[:2], *knobs, *options])
    __init__.__signature__ = signature  # type: ignore[attr-defined]
    name = "".join(part[:1].upper() + part[1:] for part in rule.name.split("_"))
    body = {"__init__": __init__, "__doc__": f"{name}: {rule}", "__module__": Optimizer.__module__, "rule": rule}
    return RuleClass(name, (Optimizer,), body)


def _reduced(cls: Any) -> Any:
    return optimizer_class, (cls.rule,)


copyreg.pickle(RuleClass, _reduced)
