"""A rule as an optimizer of Keras: what a user holds. How a rule steps is next door, and no rule is known by name."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from mhat.bridges.keras.backends import check_backend, is_traced, keras, native, uncompiled, without_gradients
from mhat.bridges.keras.knobs import RATE, Knobs, check_ranges, first_rate, rate_said, setting_of
from mhat.bridges.keras.rules import (
    choice_read,
    choice_written,
    knobs_told,
    read,
    rules_found,
    setting_read,
    setting_written,
    shared_out,
    written,
)
from mhat.bridges.keras.shares import DECAY, Share, gradient_of, known_moment, path_of
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.vocabulary import meant_by

Array = Any
Variable = Any
OPTIONS = (
    "learning_rate", "weight_decay", "clipnorm", "clipvalue", "global_clipnorm", "use_ema", "ema_momentum",
    "ema_overwrite_frequency", "loss_scale_factor", "gradient_accumulation_steps", "name", "fused",
)  # fmt: skip


@keras.saving.register_keras_serializable(package="mhat", name="Optimizer")
class Optimizer(keras.optimizers.Optimizer):  # type: ignore[misc]
    """Steps the variables of a Keras model by a rule, on the torch or the JAX backend.

    `rule`: a rule, a function written as one, or a name; or several with what each takes, `{"muon": mhat.matrices,
    "adamw": mhat.rest}`: also names of variables or parts of them (`["head", "dense/kernel"]`), or a function of name
    and variable. Knobs are keywords, and attributes afterwards: `opt.beta1 = 0.8` holds from the next step on. A knob
    is a number or a schedule of Keras. Of several rules, knobs that more than one has are given as
    `knobs={"muon": {"lr": 0.02}}`.

    `learning_rate` (or `lr`) is the knob `lr` of the rule, and Keras's own learning rate: a number, a schedule, or a
    function; callbacks set it. Of several rules it is that of all to which `knobs` gives none.

    `weight_decay` is the knob of this name where a rule has one; where none has, Keras's own, which before the step
    takes `learning_rate * weight_decay` of each weight. `exclude_from_weight_decay` holds for both. The other
    arguments are those of every Keras optimizer.

    `fused`: on torch, tensors on the CPU are stepped by a compiled kernel, all in one call, for rules that are no rules
    per matrix; it computes averages as `m + (1 - beta) * (g - m)` in all but float64, and takes subnormal numbers for
    zero there. False: always on arrays, each line as the rule writes it. On JAX the compiler fuses.

    States of float16 and bfloat16 variables are float32. `t` is `iterations + 1`, for all variables.

    Raises UnknownName for a knob that no rule has, BadValue for what cannot be, also when it is built.

    >>> import numpy as np
    >>> weights = keras.Variable(np.zeros(3))
    >>> opt = Optimizer("adam", learning_rate=0.5)
    >>> opt.apply([keras.ops.convert_to_tensor([1.0, -2.0, 0.0])], [weights])
    >>> np.asarray(weights.value.tolist()).round(6).tolist()
    [-0.5, 0.5, 0.0]
    """

    _shares: list[Share]
    built: bool

    def __init__(
        self,
        rule: Any,
        learning_rate: Any = None,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        knobs: Mapping[str, Any] | None = None,
        fused: bool = True,
        **named: Any,
    ) -> None:
        check_backend()
        found = rules_found(rule)
        options = {
            "clipnorm": clipnorm, "clipvalue": clipvalue, "global_clipnorm": global_clipnorm, "use_ema": use_ema,
            "ema_momentum": ema_momentum, "ema_overwrite_frequency": ema_overwrite_frequency,
            "loss_scale_factor": loss_scale_factor, "gradient_accumulation_steps": gradient_accumulation_steps,
        }  # fmt: skip
        several, having = isinstance(rule, Mapping), [each for each, _ in found if DECAY in each.knobs]
        if having and weight_decay is not None:
            named = {**named, DECAY: weight_decay}
        rate = rate_said(found, several, learning_rate, named, knobs)
        named = {knob: value for knob, value in named.items() if knob != RATE}
        usual = Optimizer.__init__.__defaults__ or ()
        said = {key: value for (key, value), before in zip(options.items(), usual[2:], strict=False) if value != before}
        told = knobs_told(found, named, knobs, OPTIONS, said | ({} if name is None else {"name": name}))
        if not several and RATE in told[found[0][0].name]:
            rate = told[found[0][0].name].pop(RATE)
        shares = []
        for each, choice in found:
            own = told[each.name]
            sized = each.sized({key: value for key, value in own.items() if isinstance(value, int | float)})
            follows = not several or (rate is not None and RATE not in own)
            settings = Knobs(sized, self if follows else None, f"Options: {', '.join(OPTIONS)}.")
            shares.append(Share(sized, settings, choice, fused=fused))
        following = [share.rule for share in shares if RATE in share.rule.knobs and share.knobs.follows]
        first = first_rate(rate, following)
        super().__init__(
            learning_rate=first, weight_decay=None if having else weight_decay,
            name=name or _free_name("_".join(share.rule.name for share in shares)), **options,
        )  # fmt: skip
        for share in shares:
            share.knobs.update(told[share.rule.name])
        # Not by an assignment: Keras tracks lists that it is given.
        self.__dict__["_shares"] = shares
        self.__dict__["_following"] = following
        self.__dict__["_fused"] = fused

    @property
    def rules(self) -> dict[str, Rule]:
        """The rules by name."""
        return {share.rule.name: share.rule for share in self._shares}

    @property
    def knobs(self) -> Any:
        """The knobs as they are now, to be read and set by name: `opt.knobs["beta1"] = 0.8`.

        Of several rules, by rule: `opt.knobs["muon"]["momentum"] = 0.9`.
        """
        if self._is_one:
            return self._shares[0].knobs
        return {share.rule.name: share.knobs for share in self._shares}

    @property
    def _is_one(self) -> bool:
        return self._shares[0].choice is None

    def build(self, variables: Sequence[Variable]) -> None:
        """Make the variables that states are kept in; raises BadValue for a variable that its rule cannot step."""
        if self.built:
            return
        variables = list(variables)
        places = [place for place, each in enumerate(variables) if not self._overwrite_variable_with_gradient(each)]
        stepped = [variables[place] for place in places]
        chosen = shared_out(
            [(share.rule, share.choice) for share in self._shares], stepped, [path_of(each) for each in stepped]
        )
        super().build(variables)
        self.built = False
        for share, own in zip(self._shares, chosen, strict=True):
            share.build(self, variables, [places[place] for place in own])
        self.built = True

    def update_step(self, gradient: Array, variable: Variable, learning_rate: Any) -> None:
        """Step one variable; raises BadValue for a rule that looks at all of them at once."""
        place = self._get_variable_index(variable)
        share = next(each for each in self._shares if place in each.rows)
        if share.over_all and len(share.places) > 1:
            raise BadValue(
                f"{share.rule.name} looks at all tensors at once, and one is given",
                "Step all of them: opt.apply(gradients, variables).",
            )
        self._backend_update_step([gradient], [variable], learning_rate)

    @uncompiled
    def _backend_update_step(
        self, grads: Sequence[Array], trainable_variables: Sequence[Variable], learning_rate: Any
    ) -> None:
        """Step all variables together, so that rules may look at all of them."""
        chosen = {
            self._get_variable_index(variable): (variable, gradient_of(variable, gradient))
            for variable, gradient in zip(trainable_variables, grads, strict=True)
        }
        with without_gradients():
            for share in self._shares:
                own = {place: chosen[place] for place in share.places if place in chosen}
                if own:
                    share.step(own, self._moment(share, learning_rate), self._undecayed(share))

    def _moment(self, share: Share, learning_rate: Any, steps: int = 1) -> dict[str, Any]:
        knobs = share.knobs.at(self._iterations)
        if share.knobs.follows:
            knobs[RATE] = learning_rate
        iterations = native(self.iterations)
        if is_traced(iterations):
            self.__dict__["_traced"] = True
        return known_moment(iterations + steps, knobs, len(self._trainable_variables))

    def _undecayed(self, share: Share) -> frozenset[int]:
        if DECAY not in share.rule.knobs or not hasattr(self, "_exclude_from_weight_decay"):
            return frozenset()
        variables = self._trainable_variables
        return frozenset(place for place in share.places if not self._use_weight_decay(variables[place]))

    def _apply_weight_decay(self, variables: Sequence[Variable]) -> None:
        if not any(DECAY in share.rule.knobs for share in self._shares):
            super()._apply_weight_decay(variables)

    def evaluation(self) -> list[Array]:
        """Give the values to evaluate with, one a variable: what a rule assigns to `x_eval`, else the variable's own.

        Raises BadValue before the optimizer is built, and for an `x_eval` that is made of what is gone after the step.
        """
        if not self.built:
            raise BadValue("the optimizer is not built yet", "Train, or call build(variables), first.")
        made: dict[int, Array] = {}
        with without_gradients():
            for share in self._shares:
                moment = self._moment(share, self.learning_rate, steps=0)
                made |= share.evaluation(self._trainable_variables, moment)
        return [made.get(place, native(variable)) for place, variable in enumerate(self._trainable_variables)]

    @contextlib.contextmanager
    def evaluating(self) -> Iterator[None]:
        """Let the variables be those to evaluate with, and put them back: `with opt.evaluating(): model.evaluate(...)`.

        Training in between would be lost.
        """
        variables = self._trainable_variables
        kept = [keras.ops.copy(native(variable)) for variable in variables]
        for variable, value in zip(variables, self.evaluation(), strict=True):
            variable.assign(value)
        try:
            yield
        finally:
            for variable, value in zip(variables, kept, strict=True):
                variable.assign(value)

    @property
    def learning_rate(self) -> Any:
        """The learning rate of Keras: a variable, or what a schedule gives now."""
        return super().learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        if not self._following:
            own = "each rule has a learning rate of its own"
            name = self._shares[0].rule.name
            one = f"{name} has no learning rate"
            raise BadValue(
                one if self._is_one else own,
                f"Its knobs: {', '.join(self.knobs)}."
                if self._is_one
                else f'Set it by rule: opt.knobs["{name}"]["lr"] = ...',
            )
        setting = setting_of(RATE, value)
        if isinstance(setting, float):
            for rule in self._following:
                check_ranges(rule, {RATE: setting})
        keras.optimizers.Optimizer.learning_rate.fset(self, setting)

    @property
    def lr(self) -> Any:
        """The learning rate, under the name that rules have for it."""
        return self.learning_rate

    @lr.setter
    def lr(self, value: Any) -> None:
        self.learning_rate = value

    @property
    def learning_rate_set(self) -> Any:
        """The learning rate as it was set: a number, a schedule or a function."""
        rate = self._learning_rate
        return float(native(rate)) if isinstance(rate, keras.Variable) else rate

    @property
    def weight_decay(self) -> Any:
        """The weight decay: the knob of the rule that has it (of several rules, by name), else that of Keras."""
        having = {share.rule.name: share.knobs for share in self.__dict__.get("_shares", ()) if DECAY in share.knobs}
        if not having:
            return self.__dict__.get("_decay")
        return next(iter(having.values()))[DECAY] if len(having) == 1 else {k: v[DECAY] for k, v in having.items()}

    @weight_decay.setter
    def weight_decay(self, value: float | None) -> None:
        having = {share.rule.name: share.knobs for share in self.__dict__.get("_shares", ()) if DECAY in share.knobs}
        if len(having) > 1:
            raise BadValue(
                f"`{DECAY}` is a knob of {' and of '.join(having)}",
                f'Set it by rule: opt.knobs["{next(iter(having))}"].',
            )
        if having:
            self._set_knob(next(iter(having.values())), DECAY, value)
        else:
            self.__dict__["_decay"] = value

    def get_config(self) -> dict[str, Any]:
        """Give what the optimizer is made again with: the rule as its source, knobs, and what every optimizer has."""
        config = {**super().get_config(), "fused": self._fused}
        if not self._following:
            config["learning_rate"] = None
        if any(DECAY in share.rule.knobs for share in self._shares):
            config[DECAY] = None
        knobs = [{name: setting_written(value) for name, value in share.knobs.told.items()} for share in self._shares]
        if self._is_one:
            return {"rule": written(self._shares[0].rule), **config, "knobs": knobs[0]}
        rules = []
        for share in self._shares:
            paths = [path_of(self._trainable_variables[place]) for place in share.places] if self.built else None
            rules.append({**written(share.rule), "takes": choice_written(share.choice, paths)})
        by_rule = {share.rule.name: own for share, own in zip(self._shares, knobs, strict=True)}
        return {"rule": rules, **config, "knobs": by_rule}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Optimizer:
        """Make an optimizer of a configuration: its rules are parsed, and nothing of it is run."""
        config, rules = dict(config), config["rule"]
        knobs = config.pop("knobs", {})
        if isinstance(rules, list):
            config["rule"] = {read(each): choice_read(each["takes"]) for each in rules}
            told: Any = {
                rule: {name: setting_read(value, custom_objects) for name, value in own.items()}
                for rule, own in knobs.items()
            }
        else:
            config["rule"] = read(rules) if isinstance(rules, Mapping) else rules
            told = {name: setting_read(value, custom_objects) for name, value in knobs.items()}
        config["learning_rate"] = setting_read(config.get("learning_rate"), custom_objects)
        return cls(**config, knobs=told)

    def _set_knob(self, knobs: Knobs, name: str, value: Any) -> None:
        before = knobs[name]
        knobs.update({name: value})
        if self.__dict__.get("_traced") and name != RATE:
            warnings.warn(
                f"{name} is {value!r} from now on, but what JAX has compiled for `fit` keeps {before!r}: "
                "call model.compile(...) anew.",
                stacklevel=4,
            )

    def __getattr__(self, name: str) -> Any:
        having = [share for share in self.__dict__.get("_shares", ()) if name in share.rule.knobs]
        if len(having) == 1:
            return having[0].knobs[name]
        said = f"{type(self).__name__!r} object has no attribute {name!r}"
        if having:
            both = " and of ".join(share.rule.name for share in having)
            said = f'`{name}` is a knob of {both}: opt.knobs["{having[0].rule.name}"]["{name}"]'
        raise AttributeError(said, name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        shares = () if hasattr(type(self), name) or name in self.__dict__ else self.__dict__.get("_shares", ())
        having = [share for share in shares if name in share.rule.knobs]
        if len(having) > 1:
            both = " and of ".join(share.rule.name for share in having)
            raise BadValue(f"`{name}` is a knob of {both}", f'Set it by rule: opt.knobs["{having[0].rule.name}"].')
        if having:
            self._set_knob(having[0].knobs, name, value)
            return
        for share in shares:
            # A knob by the name that others give it would be an attribute that nobody reads.
            if not name.startswith("_") and meant_by(name, share.rule.knobs):
                raise share.rule.unknown_knob(name)
        super().__setattr__(name, value)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(name for share in self._shares for name in share.rule.knobs)})

    def __repr__(self) -> str:
        shares = "; ".join(f"{share.rule.name}: {share.knobs!r}" for share in self._shares)
        return f"<Optimizer {shares}>"


def _free_name(name: str) -> str:
    """Number a name as Keras does, from the second optimizer of that name on."""
    count = keras.backend.get_uid(name) - 1
    return f"{name}_{count}" if count else name
