"""A rule as an optimizer of NumPy arrays: in place, all tensors in one pass. It knows no loss and no trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mhat.bridges.numpy import state_files
from mhat.bridges.numpy.arguments import check_options, check_rule, check_tensors, gradients_in, parameters_in
from mhat.bridges.numpy.containers import Structure, kind_of
from mhat.bridges.numpy.knobs import Knobs
from mhat.bridges.numpy.parts import Part, grouped, parts_of, settled_knobs, the_one_with
from mhat.bridges.numpy.state import OptimizerState
from mhat.bridges.numpy.tensor_groups import TensorGroup
from mhat.bridges.numpy.turns import Turn
from mhat.engines.program import lacking
from mhat.errors import BadValue
from mhat.language import of_tree
from mhat.language import rule as rule_of
from mhat.language.definition import Rule
from mhat.language.settings import knobs_set
from mhat.names import find_rule
from mhat.notation.decimals import exact
from mhat.printers.python import rule_text

Array = Any


class Optimizer:
    """Steps NumPy arrays in place by a rule.

    `rule`: a rule, a function written as one, or a name; or several with what each takes, `{muon: mhat.matrices,
    adamw: mhat.rest}`: also a list of names (`["head", "layers.0"]`), or a function of name and array, first of all.
    Knobs that several rules have are given by rule, `knobs={"muon": {"lr": 0.02}}`, and set so:
    `opt.knobs["muon"]["lr"] = 0.01`. `params`: an array, or lists, tuples and dictionaries of
    arrays in any mixture; float64, float32, float16 or bfloat16 (ml_dtypes), of any shape. Knobs are keywords, and
    attributes afterwards: `opt.lr = 3e-4` holds from the next step on. A knob may follow a schedule over the steps:
    `lr=mhat.schedules.warmup_cosine(1e-3, warmup=10, steps=100)`, the same as text, or a function of the step number.
    A knob whose name is an option or an attribute too is given as `knobs={"seed": 2}` and set as
    `opt.knobs["seed"] = 3`.

    Options:

    - `missing`: what a gradient of None means. "skip": the tensor and its state stay as they are, and its own `t`
      does not count the step; "zero": a gradient of zeros.
    - `as_written`: compute each line as the rule writes it, which in float64 is the default and gives the bits of
      the float interpreter. Otherwise (the default in smaller types) averages are computed as
      `m + (1 - beta) * (g - m)` and divisions by a number of the step as products: in float32 this is 20 times
      more accurate, because float32(0.999) + float32(0.001) is not 1; an average that was infinite becomes NaN.
    - `state_dtype`: how states are stored: as the parameters; float32 where these are smaller. bfloat16 halves the
      memory that a step moves.
    - `rounding`: how results are rounded to float16 and bfloat16: to "nearest"; "stochastic", up or down by chance
      from `seed`, so that small changes are not lost on average; "kahan", to nearest, where the parameters are
      small, with what rounding takes away kept beside them (a second small number for each).
    - `flush_denormals`: whether subnormal numbers count as zero in a kernel: moments that fade (frozen rows, dead
      units) would make a step in float32 up to 50 times slower. Left out, they do where no bits are promised: not
      `as_written`, on x86 processors.
    - `threads`: how many threads step (all processors).

    Rules with reductions take as few passes over memory as they can; matrix rules run on whole arrays. Memory is that
    of the parameters, gradients and states; arrays that are not contiguous are stepped in a copy of each.

    The containers stay yours: another order of their keys is followed, and what else changes in them is refused by
    name at the next step. Threads may share an optimizer; they take turns. What is promised: `docs/promises.md`.

    Raises UnknownName for a knob that the rule does not have, BadValue for what cannot be stepped.

    >>> import numpy as np
    >>> weights = [np.zeros(3), np.zeros((2, 2))]
    >>> opt = Optimizer("adam", weights, lr=0.5)
    >>> opt.step([np.array([1.0, -2.0, 0.0]), np.eye(2)])
    >>> weights[0].round(6).tolist()
    [-0.5, 0.5, 0.0]
    """

    rules: dict[str, Rule]
    _state: OptimizerState
    _structure: Structure
    _settled: TensorGroup | None

    def __init__(
        self,
        rule: Any,
        params: Any,
        /,
        *,
        missing: str = "skip",
        as_written: bool | None = None,
        state_dtype: str | None = None,
        rounding: str = "nearest",
        seed: int | None = None,
        flush_denormals: bool | None = None,
        threads: int | None = None,
        knobs: Mapping[str, float] | None = None,
        **named: float,
    ) -> None:
        own = self.__dict__
        own["_turn"] = Turn()
        with self._turn:
            options = {
                "missing": missing, "as_written": as_written, "state_dtype": state_dtype, "rounding": rounding,
                "seed": seed, "flush_denormals": flush_denormals, "threads": threads,
            }  # fmt: skip
            defaults = Optimizer.__init__.__kwdefaults__ or {}
            check_rule(rule)
            several = isinstance(rule, Mapping)
            one = None if several else find_rule(rule)
            said = {name: value for name, value in options.items() if value is not defaults[name]}
            settings = {} if one is None else knobs_set("Optimizer", named, knobs, one.knobs, said)
            own["_options"] = check_options(options)
            own["_params"], own["_structure"] = params, Structure(params, "params")
            own["_tensors"] = self._structure.leaves
            own["_paths"] = [f"params{path}" for path in self._structure.paths]
            check_tensors(self._paths, self._tensors)
            names = [path or "[]" for path in self._structure.paths]
            if one is None:
                shares = parts_of(rule, names, self._paths, self._tensors)
                parts = settled_knobs(shares, named, knobs, options | said)
            else:
                one = one.sized(settings)
                own["rule"], values = one, Knobs(one, f"Options: {', '.join(options)}.")
                values.update(settings)
                parts = [Part(one, values, list(range(len(self._tensors))))]
            own["rules"] = {part.name: part.rule for part in parts}
            groups = grouped(parts, self._tensors, self._paths, self._options)
            own["_state"] = OptimizerState(parts, groups, names, self._options["seed"])
            own["_arena"], own["_settled"] = None, None

    def step(self, grads: Any = None, *, loss: Any = None, h: Any = None) -> None:
        """Step all parameters in place.

        `loss`, `h`: for rules that read them, the loss at the parameters, and further arrays given as `grads` are.

        `grads`: arrays of the parameters' shapes and dtypes in the same containers, None for a parameter without a
        gradient; left out, what was written into `gradients` is used. Raises BadValue before anything is written.
        """
        with self._turn:
            if grads is None:
                if self._arena is None:
                    raise BadValue(
                        "step() was called without gradients", "Give them, or write them into `gradients` beforehand."
                    )
                grads = self._arena
            self._check_parameters()
            leaves = gradients_in(self._structure, grads)
            self._follow()
            besides = self._besides(loss, h)
            if not self._stepped_again(leaves):
                self._step(leaves, *besides)

    def _follow(self) -> None:
        """Set the knobs that follow schedules for the step to come."""
        for part in self._state.parts:
            if part.knobs.schedules:
                part.knobs.follow(self._state.steps + 1)

    def _besides(self, loss: Any, h: Any) -> tuple[float | None, list[Any] | None]:
        """Look at what some rules read besides gradients; raises BadValue where it lacks, or nobody reads it."""
        for name, value in (("loss", loss), ("h", h)):
            reading = [rule for rule in self.rules.values() if name in rule.tree.inputs]
            if value is not None and not reading:
                raise BadValue(f"{' and '.join(self.rules)} read{'s' * (len(self.rules) == 1)} no `{name}`",
                               f"Leave {name}= out.")  # fmt: skip
            if value is None and reading:
                raise lacking(reading[0], name, "none is given", f"Give it: opt.step(gradients, {name}=...).")
        if loss is not None and (isinstance(loss, bool) or np.shape(loss) != () or not hasattr(loss, "__float__")):
            raise BadValue(f"loss is {kind_of(loss)}", "Give the loss of the step, one number.")
        hs = None if h is None else gradients_in(self._structure, h, "h")
        return None if loss is None else float(loss), hs

    def _check_parameters(self) -> None:
        """Refuse to go on where the parameters are not those of the start: they are in a container of the user's."""
        groups = self._state.groups
        # A plain list of arrays, as large models have, is not walked through one by one.
        if isinstance(self._params, list) and len(groups) == 1 and groups[0].lie_where_they_lay(self._params):
            return
        leaves = parameters_in(self._structure, self._params)
        for group in groups:
            group.check_tensors([leaves[i] for i in group.places])

    def _stepped_again(self, leaves: list[Any]) -> bool:
        """Take the same step as before, if gradients lie where they lay: what was looked at then still holds.

        What a kernel moves drives this code out of the caches, so that every line of it is slow.
        """
        group, state = self._settled, self._state
        if group is None:
            return False
        if not group.run_again(leaves, group.knobs.now[1], state.t[:1] + 1.0, state.seed_of_step(0)):
            # Nobody has looked at where the gradients lie now.
            self.__dict__["_settled"] = None
            return False
        state.t[:] += 1.0
        state.steps += 1
        return True

    def _step(self, leaves: list[Any], loss: float | None, hs: list[Any] | None) -> None:
        state, groups = self._state, self._state.groups
        if self._options["missing"] == "zero":
            leaves = [np.zeros_like(t) if g is None else g for g, t in zip(leaves, self._tensors, strict=True)]
        whole = len(groups) == 1
        prepared = [
            (group, group.prepare(leaves if whole else [leaves[i] for i in group.places], "gradient"))
            for group in groups
        ]
        for group, chosen in prepared:
            group.give(loss, None if hs is None else [hs[i] for i in group.places], chosen)
        now = {part.name: part.knobs.now for part in state.parts}
        for group, chosen in prepared:
            group.start(chosen, now[group.rule.name][0])
        for i, (group, chosen) in enumerate(prepared):
            values, array = now[group.rule.name]
            try:
                group.run(array, values, state.t[group.places] + 1.0, chosen, state.seed_of_step(i))
            except BaseException as stopped:
                moved = [path for done, on in prepared[:i] for path, one in zip(done.paths, on, strict=True) if one]
                stopped.add_note(f"Of the parameters these were stepped: {', '.join(moved) or 'none'}.")
                raise
            state.t[group.places[chosen]] += 1.0
        state.steps += 1
        if whole and groups[0].settled(prepared[0][1]) and (state.t == state.t[0]).all():
            self.__dict__["_settled"] = groups[0]

    def evaluation(self) -> Any:
        """Make the parameters to evaluate with: what a rule assigns to `x_eval` (averages), else x, as copies.

        They come in the containers of the parameters, which stay as they are. Raises BadValue for a rule whose `x_eval`
        is made of what is gone after the step.
        """
        with self._turn:
            self._check_parameters()
            leaves: list[Any] = [None] * len(self._tensors)
            for group in self._state.groups:
                for place, made in zip(
                    group.places, group.evaluation(dict(group.knobs), self._state.t[group.places]), strict=True
                ):
                    leaves[place] = made
            return self._structure.rebuilt(leaves)

    @property
    def t(self) -> int:
        """How many steps were taken: of the tensor that has taken most."""
        return int(self._state.t.max(initial=0.0))

    @property
    def gradients(self) -> Any:
        """Arrays to write gradients into, in the containers of the parameters; `step()` then takes no arguments.

        They are zeros at first, and stay as they are written. With many small tensors this is the quickest way.
        """
        with self._turn:
            if self._arena is None:
                zeros = [np.zeros(t.shape, t.dtype) for t in self._tensors]
                self.__dict__["_arena"] = self._structure.rebuilt(zeros)
            return self._arena

    @property
    def knobs(self) -> Any:
        """The knobs as they are now, to be read and set by name, whatever the name: `opt.knobs["lr"] = 3e-4`.

        Of several rules, by rule: `opt.knobs["muon"]["lr"] = 0.01`.
        """
        parts = self._state.parts
        return parts[0].knobs if "rule" in self.__dict__ else {part.name: part.knobs for part in parts}

    @property
    def state(self) -> dict[str, Any]:
        """The states by name, each in the containers of the parameters: views, so what is written there counts.

        None stands for what a tensor's rule does not have.
        """
        states = {}
        for name in dict.fromkeys(name for rule in self.rules.values() for name in rule.tree.state_names):
            leaves: list[Any] = [None] * len(self._tensors)
            for group in self._state.groups:
                if name not in group.rule.tree.state_names:
                    continue
                for place, value in zip(group.places, group.values(name), strict=True):
                    leaves[place] = value
            states[name] = self._structure.rebuilt(leaves)
        return states

    def state_dict(self) -> dict[str, Array]:
        """Give copies of all that another optimizer needs to go on exactly: arrays by name, for any file format.

        `rule` (its text, as bytes), `tensors` (their names in JSON, as bytes), `t` and `started` (one a tensor),
        `steps`, `seed`, `knob/NAME`, `schedule/NAME` (as bytes) where a knob follows one with a name, and for each
        state and parameter `state/NAME/PATH`; of several rules `rule/RULE` and `knob/RULE/NAME`. The
        parameters themselves are not among them.
        """
        with self._turn:
            return self._state.arrays()

    def load_state_dict(self, state: Mapping[str, Array]) -> None:
        """Go on from what `state_dict` gave: knobs, step numbers, states, to the last bit.

        Raises BadValue, and changes nothing, if the state is of another rule or of other parameters.
        """
        with self._turn:
            self._state.set(state)
            self.__dict__["_settled"] = None

    def save(self, path: str | Path, *, force: bool = False) -> None:
        """Write the state to disk: .npz, or .safetensors with the extra of that name.

        The parameters are not in it. The file takes its name only when all of it is on the disk, so that several
        writers leave one of theirs. Raises OutputFileError if the file exists, unless `force`, and for a link.
        """
        state_files.save(self.state_dict(), path, force=force)

    def load(self, path: str | Path) -> None:
        """Go on from a state on disk, or change nothing; raises InputFileError, BadValue as `load_state_dict` does."""
        state = state_files.load(path, self._state.nbytes)
        try:
            self.load_state_dict(state)
        except BadValue as error:
            raise BadValue(f"{path}: {error.what}", error.cure) from None

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy has parameters of its own, and must not know where these are.
        with self._turn:
            self._check_parameters()
            names = self._state.names
            written = [
                (rule_text(part.rule.tree), part.rule.paper, part.rule.knob_sentences, part.knobs.given,
                 [names[place] for place in part.places])
                for part in self._state.parts
            ]  # fmt: skip
            return _copied, (written, "rule" in self.__dict__, self._params, self._options, self._state.arrays())

    def __getattr__(self, name: str) -> Any:
        state = self.__dict__.get("_state")
        having = [] if state is None else [part for part in state.parts if name in part.knobs]
        if len(having) == 1:
            return having[0].knobs[name]
        if having:
            both = " and of ".join(part.name for part in having)
            said = f'`{name}` is a knob of {both}: opt.knobs["{having[0].name}"]["{name}"]'
            raise AttributeError(said, name=name, obj=self)
        said = f"{type(self).__name__!r} object has no attribute {name!r}"
        raise AttributeError(said, name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        parts = self._state.parts
        if hasattr(type(self), name) or name in self.__dict__:
            knobs = dict.fromkeys(knob for part in parts for knob in part.knobs)
            knob = f'The knob of this name is opt.knobs["{name}"].' if name in knobs else ""
            raise BadValue(f"`{name}` of an optimizer cannot be set", knob or f"Knobs can: {', '.join(knobs)}.")
        if len(parts) > 1:
            self.knobs[the_one_with(self.rules, name)].update({name: value})
        else:
            parts[0].knobs.update({name: value})

    def __delattr__(self, name: str) -> None:
        raise BadValue(f"`{name}` of an optimizer cannot be taken away", "Make another optimizer.")

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *(name for part in self._state.parts for name in part.knobs)})

    def __repr__(self) -> str:
        parts = "; ".join(self._said(part) for part in self._state.parts)
        refused = next(
            (f", without kernels: {group.uncompiled}" for group in self._state.groups if group.uncompiled), ""
        )
        return f"<Optimizer {parts}{refused}>"

    def _said(self, part: Part) -> str:
        tensors, numbers = len(part.places), sum(self._tensors[place].size for place in part.places)
        knobs = "".join(f", {name}={exact(value)}" for name, value in part.knobs.items())
        return (
            f"{part.name}: {tensors:,} tensor{'s' * (tensors != 1)}, "
            f"{numbers:,} parameter{'s' * (numbers != 1)}, t={self.t}{knobs}"
        )


def _copied(
    written: Sequence[tuple[Any, ...]], alone: bool, params: Any, options: dict[str, Any], state: dict[str, Array]
) -> Optimizer:
    """Make an optimizer that was copied or stored, on the parameters that came with it."""
    rules = [of_tree(rule_of(text).tree, paper=paper, knobs=sentences) for text, paper, sentences, _, _ in written]
    if alone:
        made = Optimizer(rules[0], params, **options, knobs=written[0][3])
    else:
        chosen = {rule: names for rule, (*_, names) in zip(rules, written, strict=True)}
        knobs = {rule.name: knobs for rule, (_, _, _, knobs, _) in zip(rules, written, strict=True)}
        made = Optimizer(chosen, params, **options, knobs=knobs)
    made.load_state_dict(state)
    return made
