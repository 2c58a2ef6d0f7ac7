"""A rule as a transformation of optax: what init and update do with trees. It computes nothing of a rule."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from mhat.bridges.numpy.evaluation import evaluating
from mhat.bridges.optax import trees
from mhat.bridges.optax.frameworks import doubles, jax, jnp, optax
from mhat.bridges.optax.members import Member, check_fit, members_of, shared
from mhat.bridges.optax.settings import at_count
from mhat.bridges.optax.states import RuleState, joined, parted
from mhat.bridges.optax.steps import Moment, Tensor, first_states, stepped
from mhat.engines.program import lacking
from mhat.errors import BadValue
from mhat.language.definition import Rule
from mhat.language.inference import reductions_over_all
from mhat.names import find_rule

Array = Any
Tree = Any


class RuleTransformation(optax.GradientTransformationExtraArgs):  # type: ignore[misc]
    """A pair of `init` and `update`, as optax has them, that knows its rules.

    `rules`: by name. `evaluation(state, params)`: the parameters to evaluate with.
    """

    rules: dict[str, Rule]
    evaluation: Callable[[Any, Tree], Tree]


def transformation(rule: Any, *, knobs: Mapping[str, Any] | None = None, **named: Any) -> RuleTransformation:
    """Make a transformation of optax that steps by a rule.

    `rule`: a rule, a function written as one, or a name; or several with what each takes of the parameters,
    `{muon: mhat.matrices, adamw: mhat.rest}` (also names, or a function of name and array). Knobs are keywords:
    numbers, arrays of no dimensions, schedules (of `mhat.schedules`, also as text, or functions of the count of steps
    before, as optax has them); of several rules also `knobs={"muon": {"lr": 0.02}}`.

    `update(gradients, state, params, loss=..., h=...)` gives what `optax.apply_updates` adds to the parameters, in the
    dtypes of the gradients. `params` may be left out where the rule does not look at x but to add to it. `loss` (or
    `value`) and `h` (in the containers of the gradients) are for rules that read them. Gradients of None, and what is
    no tensor, are stepped over. What is promised of numbers: `docs/optax.md`.

    Raises UnknownName for a knob that the rule does not have, BadValue for what cannot be stepped.

    >>> import jax.numpy as jnp, optax
    >>> tx = transformation("adam", lr=0.5)
    >>> params = {"w": jnp.zeros(3), "b": None}
    >>> gradients = {"w": jnp.array([1.0, -2.0, 0.0]), "b": None}
    >>> updates, state = tx.update(gradients, tx.init(params))
    >>> optax.apply_updates(params, updates)["w"].round(6).tolist()
    [-0.5, 0.5, 0.0]
    >>> int(optax.tree.get(state, "count")), optax.tree.get(state, "m")["w"].round(6).tolist()
    (1, [0.1..., -0.2..., 0.0])
    """
    members = members_of(rule, knobs, named)
    made = RuleTransformation(partial(_init, members), partial(_update, members))
    made.rules = {member.name: member.rule for member in members}
    made.evaluation = partial(_evaluation, members)
    return made


def factory(rule: Any) -> Callable[..., RuleTransformation]:
    """Make the function that makes transformations of one rule of knobs, which are its keywords, with their defaults.

    It is what `optax.inject_hyperparams` takes, and `mhat check`.

    >>> import jax.numpy as jnp, optax
    >>> tx = optax.inject_hyperparams(factory("adam"))(lr=0.5)
    >>> state = tx.init(jnp.zeros(2))
    >>> sorted(state.hyperparams)
    ['beta1', 'beta2', 'eps', 'lr']
    """
    one = find_rule(rule)

    def make(**knobs: Any) -> RuleTransformation:
        return transformation(one, knobs=knobs)

    kind = inspect.Parameter.KEYWORD_ONLY
    # A default that is made of other knobs is not said, so that it follows them.
    own = [
        inspect.Parameter(knob.name, kind, default=knob.default)
        for knob in one.tree.knobs
        if knob.expression is None and f"@{knob.name}" not in one.ranks
    ]
    make.__signature__ = inspect.Signature(own)  # type: ignore[attr-defined]
    make.__name__ = make.__qualname__ = one.name
    make.__doc__ = f"Make a transformation of optax that steps by {one.name}."
    return make


def _init(members: Sequence[Member], params: Tree) -> Any:
    leaves, structure = trees.flattened(params)
    names = trees.names_of(params)
    places = [i for i, leaf in enumerate(leaves) if trees.is_tensor(leaf, f"params{names[i]}")]
    shares = shared(members, [names[i] for i in places], [jnp.asarray(leaves[i]) for i in places])
    states = {}
    for member, own in zip(members, shares, strict=True):
        chosen = {places[i]: i + 1 for i in own}
        for place in chosen:
            check_fit(member.rule, tuple(jnp.shape(leaves[place])), f"params{names[place]}")
        states[member.name] = _first_state(member, leaves, structure, chosen, len(places))
    return states if members[0].choice is not None else states[members[0].name]


def _first_state(
    member: Member, leaves: Sequence[Any], structure: Any, chosen: Mapping[int, int], n: int
) -> RuleState:  # fmt: skip
    rule = member.rule
    knobs = at_count(rule, member.settings, jnp.zeros([], jnp.int32))
    tensors = {
        place: Tensor(
            jnp.asarray(leaves[place]), jnp.zeros_like(leaves[place]), trees.computed_in(leaves[place]), {}, k
        )
        for place, k in chosen.items()
    }
    for tensor in tensors.values():
        # What begins with the first gradient is put in its place then.
        tensor.h = tensor.g if "h" in rule.tree.given else None
    firsts: dict[int, dict[str, Array]] = {}
    numbers: dict[str, Any] = {}
    for group in _by_dtype(rule, tensors):
        moment = Moment(1.0, float(n), knobs, {}, 0.0)
        states, numbers = first_states(rule, [tensors[place] for place in group], moment)
        firsts.update(zip(group, states, strict=True))
    alone = rule.dependence.per_step_states
    of_tensors = [name for name in rule.tree.state_names if name not in alone]
    kept = jnp.zeros(()).dtype
    return RuleState(
        jnp.zeros([], jnp.int32),
        {
            name: trees.rebuilt(structure, [firsts.get(i, {}).get(name) for i in range(len(leaves))])
            for name in of_tensors
        },
        {name: parted(numbers.get(name, 0.0), kept) for name in rule.tree.state_names if name in alone},
        trees.rebuilt(structure, [jnp.zeros([], jnp.int32) if i in firsts else None for i in range(len(leaves))])
        if member.moving.late
        else None,
    )


def _by_dtype(rule: Rule, tensors: Mapping[int, Tensor]) -> list[list[int]]:
    """Put tensors that are stepped together into groups; raises BadValue where a rule looks at all of several."""
    groups: dict[str, list[int]] = {}
    for place, tensor in tensors.items():
        groups.setdefault(tensor.dtype, []).append(place)
    if len(groups) > 1 and reductions_over_all(rule.tree):
        raise BadValue(
            f"{rule.name} looks at all tensors at once, and they are of {' and '.join(groups)}",
            "Give parameters of one dtype.",
        )
    return list(groups.values())


def _update(
    members: Sequence[Member], updates: Tree, state: Any, params: Tree = None, *, loss: Any = None, value: Any = None,
    h: Tree = None, **_: Any,
) -> tuple[Tree, Any]:  # fmt: skip
    leaves, structure = trees.flattened(updates)
    if not leaves:
        return updates, state
    several = members[0].choice is not None
    before = state if several else {members[0].name: state}
    for member in members:
        _check_given(member, before, params, loss if loss is not None else value, h)
    xs = [None] * len(leaves) if params is None else trees.as_built(structure, params, "the parameters")
    hs = [None] * len(leaves) if h is None else trees.as_built(structure, h, "h")
    # A parameter counts, also where it has no gradient.
    places = [
        i for i, (g, x) in enumerate(zip(leaves, xs, strict=True))
        if trees.is_tensor(g, "a gradient") or (params is not None and trees.is_tensor(x))
    ]  # fmt: skip
    names = trees.names_of(updates) if several else []
    seen = [leaves[i] if xs[i] is None else xs[i] for i in places]
    shares = shared(members, [names[i] for i in places] if several else [], seen)
    made, after = [_unmoved(g, x) for g, x in zip(leaves, xs, strict=True)], {}
    for member, own in zip(members, shares, strict=True):
        chosen = {places[i]: i + 1 for i in own if trees.is_tensor(leaves[places[i]])}
        given = {place: (xs[place], leaves[place], hs[place], k) for place, k in chosen.items()}
        moved, after[member.name] = _stepped(
            member, structure, given, before[member.name], len(places), loss if loss is not None else value
        )
        for place, update in moved.items():
            made[place] = update
    return trees.rebuilt(structure, made), after if several else after[members[0].name]


def _unmoved(g: Any, x: Any) -> Any:
    """Give the update of what is not stepped: None stays None, and whole numbers stay as they are."""
    if g is None or not hasattr(g, "dtype"):
        return g
    return jnp.zeros_like(x) if hasattr(x, "dtype") and not trees.is_tensor(x) else g


def _check_given(member: Member, state: Any, params: Tree, loss: Any, h: Any) -> None:
    """Refuse a step without what its rule reads; raises BadValue."""
    rule, moving = member.rule, member.moving
    own = state.get(member.name) if isinstance(state, Mapping) else None
    if not isinstance(own, RuleState) or {*own.states, *own.numbers} != {*rule.tree.state_names}:
        raise BadValue(f"the state is not one of {rule.name}", "Make it with init(params) of the same transformation.")
    if params is None and moving.reads_x:
        raise BadValue(
            f"{rule.name} reads `x`, and update was given no parameters",
            "Give them: update(gradients, state, params).",
        )
    for name, value in (("loss", loss), ("h", h)):
        if value is None and name in rule.tree.given:
            more = " or value=..." if name == "loss" else ""
            raise lacking(rule, name, "none is given", f"Give it: update(gradients, state, params, {name}=...){more}.")
    if loss is not None and "loss" in rule.tree.given and jnp.shape(loss) != ():
        raise BadValue(f"loss has the shape {jnp.shape(loss)}", "Give the loss of the step, one number.")


def _stepped(
    member: Member, structure: Any, given: Mapping[int, Any], state: RuleState, n: int, loss: Any
) -> tuple[dict[int, Array], RuleState]:
    rule, moving = member.rule, member.moving
    count = jnp.asarray(state.count)
    own = {name: trees.as_built(structure, tree, f"the states `{name}`") for name, tree in state.states.items()}
    began = None if state.started is None else trees.as_built(structure, state.started, "the states")
    tensors = {}
    for place, (x, g, h, k) in given.items():
        states = {name: jnp.asarray(values[place]) for name, values in own.items()}
        dtype = trees.computed_in(g if x is None else x)
        started = True if began is None else began[place] != 0
        tensors[place] = Tensor(x if moving.reads_x else None, g, dtype, states, float(k), started, h)
        if x is not None and jnp.shape(x) != jnp.shape(g):
            raise BadValue(
                f"a gradient has the shape {jnp.shape(g)}, and its parameter {jnp.shape(x)}",
                "Give each parameter a gradient of its shape.",
            )
    moved: dict[int, Array] = {}
    numbers = {name: joined(pair) for name, pair in state.numbers.items()}
    moment = Moment(
        _step_number(count), float(n), at_count(member.rule, member.settings, count), numbers, _number(loss)
    )
    after: dict[str, Any] = {}
    for group in _by_dtype(rule, tensors):
        made, after = stepped(moving.rule, [tensors[place] for place in group], moment)
        for place, update in zip(group, made, strict=True):
            moved[place] = update.astype(jnp.result_type(given[place][1]))
    for name, values in own.items():
        for place, tensor in tensors.items():
            values[place] = tensor.states[name].astype(values[place].dtype)
    if began is not None:
        began = [jnp.ones([], jnp.int32) if place in tensors else value for place, value in enumerate(began)]
    return moved, RuleState(
        optax.safe_increment(count) if hasattr(optax, "safe_increment") else optax.safe_int32_increment(count),
        {name: trees.rebuilt(structure, values) for name, values in own.items()},
        {name: parted(after.get(name, numbers[name]), pair.dtype) for name, pair in state.numbers.items()},
        None if began is None else trees.rebuilt(structure, began),
    )


def _step_number(count: Array) -> Array:
    with doubles():
        return count.astype(jnp.float64) + 1.0


def _number(loss: Any) -> Any:
    if loss is None:
        return None
    with doubles():
        return jnp.asarray(loss).astype(jnp.float64)


def _evaluation(members: Sequence[Member], state: Any, params: Tree) -> Tree:
    """Give the parameters to evaluate with: what a rule assigns to `x_eval`, else x; the state may lie in others."""
    leaves, structure = trees.flattened(params)
    made = list(leaves)
    for member in members:
        rule = evaluating(member.rule)
        if rule is None:
            continue
        own = _found(member, state, len(members) > 1)
        states = {name: trees.as_built(structure, tree, f"the states `{name}`") for name, tree in own.states.items()}
        tensors = {}
        for place, leaf in enumerate(leaves):
            held = {name: values[place] for name, values in states.items()}
            if trees.is_tensor(leaf) and all(hasattr(value, "dtype") for value in held.values()):
                tensors[place] = Tensor(leaf, leaf, trees.computed_in(leaf), held, float(place + 1))
        last = jnp.maximum(jnp.asarray(own.count) - 1, 0)
        numbers = {name: joined(pair) for name, pair in own.numbers.items()}
        moment = Moment(_step_number(last), float(len(tensors)), at_count(member.rule, member.settings, last), numbers)
        for group in _by_dtype(rule, tensors):
            results, _ = stepped(rule, [tensors[place] for place in group], moment, member.rule)
            for place, result in zip(group, results, strict=True):
                made[place] = result.astype(jnp.result_type(leaves[place]))
    return trees.rebuilt(structure, made)


def _found(member: Member, state: Any, several: bool) -> RuleState:
    """Find the state of a rule in the state of whatever transformation holds it; raises BadValue."""
    pairs, _ = jax.tree_util.tree_flatten_with_path(state, is_leaf=lambda part: isinstance(part, RuleState))
    names = {*member.rule.tree.state_names}
    found = [
        part for path, part in pairs
        if isinstance(part, RuleState) and {*part.states, *part.numbers} == names
        and (not several or getattr(path[-1], "key", "") == member.name)
    ]  # fmt: skip
    if len(found) != 1:
        raise BadValue(
            f"the state holds {len(found) or 'none'} of {member.name}",
            "Give the state of a transformation in which the rule steps once.",
        )
    return found[0]
