"""A whole run that is given the gradient as a function of x.

    adam(grad, x0, callback, num_iters)      minimize(f, grad_f, x0)      descend(loss_and_grad, x0, steps)

x is where it asks for the gradient. A run that goes on until it converges ends when enough steps were seen.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mhat.errors import SubjectError
from mhat.language.vocabulary import ALIASES, plain_spelling
from mhat.subjects.calls import PARAMS, is_required
from mhat.subjects.conventions.feeding import Enough, Feed, rhythm_of
from mhat.subjects.conventions.layouts import shape_of
from mhat.subjects.conventions.making import maker_of, method_maker, methods_of, sample_of
from mhat.subjects.conventions.proposals import Asked, Proposal, entering, stacked
from mhat.subjects.conventions.roles import MORE_PARAMS, parameters_of
from mhat.subjects.conventions.texts import Written
from mhat.subjects.spelling import STARTS, Keywords, SpelledKnobs, spelling_of
from mhat.subjects.trials import TRIAL

NAME = "gradient-function"
NEVER = -1.0  # a tolerance that nothing falls below, not even where nothing moves
GRADIENTS = frozenset({
    "grad", "gradient", "gradf", "gradfunc", "gradfn", "gradientfunction", "gradientfn", "gradientfunc", "df", "fprime",
    "jac", "dfunc", "derivative", "deriv", "g", "dfdx", "gradfunction", "computegradient", "getgradient", "gradients",
    "nabla", "nablaf", "fgrad", "dj", "gradj", "gradloss", "lossgrad", "dloss", "costgrad", "gradcost", "gradientf",
    "oracle", "gradoracle", "derivativefunction", "derivfunc", "dffn", "fgradient", "objgrad", "gradobjective", "grads",
    "gradobj", "evalgrad", "calcgrad", "calculategradient", "computegrad", "getgrad", "df1", "fderiv", "dfdtheta",
    "dldw", "stochasticgrad", "sgrad", "gradientoracle", "costderivative", "jacobian", "gradfun", "gradlossfn", "fp",
})  # fmt: skip
BOTH = frozenset({
    "valueandgrad", "lossandgrad", "fandgrad", "costandgrad", "funandgrad", "lossandgradient", "valueandgradient",
    "lossgradfn", "objectiveandgrad", "funcandgrad", "fg", "valgrad", "costandgradient", "lossandgradients", "fgfunc",
})  # fmt: skip
VALUES = frozenset({
    "f", "func", "function", "fun", "objective", "objectivefunction", "loss", "lossfn", "lossfunction", "cost", "fn",
    "costfunction", "costfn", "objfunc", "obj", "objectivefn", "lossfunc", "costfunc", "energy", "targetfunction", "h",
    "evaluate", "evalf", "j",
})  # fmt: skip
COUNTS = frozenset({
    "numiters", "steps", "nsteps", "niter", "niters", "iterations", "maxiter", "maxiters", "maxiterations", "epochs",
    "nepochs", "numsteps", "numiterations", "t", "n", "nit", "iters", "maxsteps", "numepochs", "maxepochs", "maxit",
    "iter", "numiter", "niterations", "iteration", "epoch", "maxstep", "k", "nbiter", "nbiters", "nmax", "itermax",
    "stepnum", "stepsnumber", "nupdates", "its", "budget", "maxevals", "nbsteps", "total",
})  # fmt: skip
TOLERANCES = frozenset({
    "tol", "tolerance", "precision", "xtol", "ftol", "gtol", "threshold", "stoptol", "thresh", "convergence", "atol",
    "rtol", "tolx", "tolf", "gradtol", "abstol", "minchange", "convtol", "convergencethreshold", "toler", "conv",
})  # fmt: skip
BOUNDS = frozenset({"bounds", "bound", "limits", "searchspace"})
_RATES = re.compile("(gen|generator|fn|func|function|fun|schedule|scheduler|s)$")
POINTS = BOUNDS | PARAMS | MORE_PARAMS | {plain_spelling(start) for start in STARTS} | {
    "initialpoint", "startpoint", "startingpoint", "initialguess", "guess", "initpoint", "xs", "xi", "initialposition",
    "initialtheta", "initialvalue", "initialvalues", "initialweights", "pos", "startx", "beginning", "xk", "initvalue",
    "startingx", "initval", "wstart", "thetastart", "initparam", "initialparameters", "startvalue",
}  # fmt: skip


@dataclass(frozen=True)
class Run:
    """A run that is given the gradient as a function, and what its arguments are."""

    name: str
    make: Callable[[list[Any], Mapping[str, float]], Callable[..., Any]]
    gradient: str
    answers: str
    point: str | None
    values: tuple[str, ...]
    counts: tuple[str, ...]
    tolerances: tuple[str, ...]
    called: frozenset[str]  # knobs that are functions there: `rate(x, g)`
    taken: frozenset[str]  # knobs of which each step takes the next: `next(rates)`
    owner: frozenset[str]  # what is called of the object whose method the gradient is
    order: tuple[str, ...]  # of all arguments, for those that another name may stand for
    spelling: SpelledKnobs
    each: int = 1
    lead: int = 0
    wide: bool = False  # whether a coordinate more changes nothing for the others

    def course(self, gradients: list[Any], starts: list[Any], knobs: Mapping[str, float]) -> list[Any]:
        """Run it; give where it was after each step."""
        steps = len(gradients[0])
        places = self.places(gradients[0], starts[0], knobs)
        if len(places) < steps and self.wide and np.ndim(starts[0]) == 1:
            # It ends where a gradient is nothing: beside it goes a coordinate whose gradient never is.
            wider = [np.append(g, 1.0) for g in gradients[0]]
            places = [place[:-1] for place in self.places(wider, np.append(starts[0], 0.0), knobs)]
        if len(places) < steps:
            what = f"ended by itself after {len(places)} steps, and {steps} are needed"
            raise SubjectError(
                self.name, what, "Give it an argument for the number of steps, and one for its tolerance."
            )
        return [stacked(places)]

    def places(self, gradients: Sequence[Any], start: Any, knobs: Mapping[str, float]) -> list[Any]:
        """Give where it was after each step, as far as it went."""
        feed, steps = Feed(gradients, start, self.answers, self.each, self.lead), len(gradients)
        returned = self.ended(feed, [start], knobs, steps)
        places = feed.places[1 : steps + 1]
        if len(places) == steps - 1 and (last := _last(returned, start)) is not None:
            places.append(last)
        return places

    def ended(self, feed: Feed, starts: list[Any], knobs: Mapping[str, float], steps: int) -> Any:
        """Run it to its end, or until it asks for more gradients than there are; give what it returned."""
        function = self.make(starts, knobs)
        arguments = self.spelling.arguments({k: v for k, v in knobs.items() if k in self.spelling.names})
        for name in self.called & arguments.keys():
            arguments[name] = functools.partial(_same, arguments[name])
        for name in self.taken & arguments.keys():
            arguments[name] = itertools.repeat(arguments[name])
        arguments[self.gradient] = owner_of(feed, self.owner) if self.owner else feed
        if self.point is not None:
            start = entering(starts[0])
            if plain_spelling(self.point) in BOUNDS:
                start = np.stack([np.atleast_1d(start)] * 2, axis=-1)
            arguments[self.point] = start if start.ndim else start[()]
        arguments |= dict.fromkeys(self.values, feed.value)
        arguments |= dict.fromkeys(self.counts, steps + 1) | dict.fromkeys(self.tolerances, NEVER)
        try:
            leading = list(itertools.takewhile(lambda name: name in arguments, self.order))
            returned = function(*[arguments.pop(name) for name in leading], **arguments)
            # What is given one x after the other is asked for them all.
            return list(returned) if inspect.isgenerator(returned) else returned
        except Enough:
            return None


def is_count(spelled: str) -> bool:
    """Whether a name says how many steps there are."""
    several = spelled.startswith(("n", "max", "total")) and spelled.endswith("steps")
    if spelled.startswith(("start", "init", "first", "print", "log", "every")):
        return False
    return spelled in COUNTS or several or (("iter" in spelled or "epoch" in spelled) and "fn" not in spelled)


def _same(value: Any, *arguments: Any, **named: Any) -> Any:
    """Give a rate, whatever it is asked for."""
    return value


def owner_of(feed: Feed, asked: frozenset[str]) -> Any:
    """Make an object whose methods are the gradient and the function: `problem.grad(x)`."""
    made = types.SimpleNamespace()
    for name in asked:
        setattr(made, name, feed if _is_gradient(name) else feed.value)
    return made


def _is_gradient(name: str) -> bool:
    spelled = plain_spelling(name)
    return spelled in GRADIENTS | BOTH or spelled.startswith(("grad", "deriv")) or spelled.endswith("grad")


def _last(returned: Any, start: Any) -> Any:
    """Find x at the end in what a run returned: x itself, the end of its path, or one of several things."""
    if shape_of(returned) == np.shape(start):
        return returned
    if isinstance(returned, tuple):
        found = [last for each in returned if (last := _last(each, start)) is not None]
        return found[0] if found else None
    shape = shape_of(returned)
    if shape is not None and len(shape) > 0 and shape[1:] == np.shape(start) and shape[0]:
        return returned[-1]
    return None


def proposed(asked: Asked) -> Iterator[Proposal]:
    """Propose to hand over a function that gives the next gradient."""
    if inspect.isroutine(asked.thing):
        yield from ways(asked, asked.thing, lambda starts, knobs: asked.thing, [], 0.7)
        return
    yield from _of_constructors(asked)
    maker = maker_of(asked)
    if maker is None or (sample := sample_of(maker)) is None:
        return
    for place, method in enumerate(methods_of(sample)):
        make = method_maker(maker, method)
        yield from ways(asked, getattr(sample, method), make, [maker.keywords], 0.7 - 0.01 * place)


def _of_constructors(asked: Asked) -> Iterator[Proposal]:
    """Propose a class that is made of its gradient, and of a start, and then runs."""
    thing = asked.thing
    if not isinstance(thing, type) or not any(plain_spelling(p.name) in GRADIENTS | BOTH for p in parameters_of(thing)):
        return
    for place, method in enumerate(methods_of(thing)):
        if any(is_required(p) for p in parameters_of(getattr(thing, method))[1:]):
            continue

        def make(starts: list[Any], knobs: Mapping[str, float], method: str = method) -> Callable[..., Any]:
            return lambda *arguments, **named: getattr(thing(*arguments, **named), method)()

        yield from ways(asked, thing, make, [], 0.65 - 0.01 * place, Written.of(getattr(thing, method)))


def ways(
    asked: Asked,
    function: Callable[..., Any],
    make: Callable[[list[Any], Mapping[str, float]], Callable[..., Any]],
    more: Sequence[Keywords | SpelledKnobs],
    likely: float,
    written: Written | None = None,
) -> Iterator[Proposal]:
    """Propose the ways in which a function may be given its gradient; `written`: another text that calls it."""
    arguments = [
        p for p in parameters_of(function) if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL, p.POSITIONAL_ONLY)
    ]
    spelled = {p.name: plain_spelling(p.name) for p in arguments}
    written = written or Written.of(function)
    required = [p.name for p in arguments if is_required(p) or (p.default is None and written.calls(p.name))]
    required = [n for n in required if "callback" not in n]
    point = next(
        (n for n in required if spelled[n] in POINTS), next((n for n in spelled if spelled[n] in POINTS), None)
    )
    small = [n for n in spelled if spelled[n] in ("eps", "epsilon")]
    if len(small) == 2 and any(map(written.adds, small)):
        # One of them is the step of a difference.
        arguments = [p for p in arguments if p.name not in small or is_required(p) or written.adds(p.name)]
    counts = tuple(n for n in spelled if is_count(spelled[n]) and n != point)
    tolerances = tuple(n for n in spelled if n not in counts and (spelled[n] in TOLERANCES or written.only_compares(n)))
    meant = {"step": "lr"} if "step" in spelled.values() and "lr" not in spelled.values() else {}
    for n in required:
        stem = _RATES.sub("", spelled[n])
        if stem in ALIASES["lr"] and (written.calls(n) or written.goes_on_with(n)):
            meant[n] = "lr"
    for gradient, answers, sure in _gradients(spelled, required, written):
        values = tuple(n for n in required if n != gradient and spelled[n] in VALUES)
        taken = [gradient, *([point] if point else []), *values, *counts, *tolerances]
        spelling = spelling_of(arguments, asked.rule_knobs, taken, meant)
        loose = [n for n in spelling.unknown if n not in spelling.knobs and written.only_hands(n, gradient)]
        spelling = spelling_of([p for p in arguments if p.name not in loose], asked.rule_knobs, taken, meant)
        if spelling.unknown or spelling.start:
            continue
        knobs = frozenset(spelling.knobs.values())
        called = frozenset(n for n in knobs if written.calls(n))
        one_by_one = frozenset(n for n in knobs if written.goes_on_with(n))
        owner = frozenset() if written.calls(gradient) else written.methods_of(gradient)
        run = Run(
            asked.name, _handing(make, loose), gradient, answers, point, values, counts, tolerances, called, one_by_one,
            owner, tuple(spelled), spelling,
        )  # fmt: skip
        run = _in_rhythm(run)
        how = f"by handing it a function that gives the next {answers}; x is where that is asked for"
        yield Proposal(
            NAME, how, likely + sure + (0.1 if point else 0.0), run.course, [spelling, *more], starts=point is not None
        )


def _handing(make: Callable[..., Callable[..., Any]], data: Sequence[str]) -> Callable[..., Callable[..., Any]]:
    """Hand over nothing for the data that the gradient alone is handed on."""
    if not data:
        return make
    return lambda starts, knobs: functools.partial(make(starts, knobs), **dict.fromkeys(data))


def _gradients(
    spelled: Mapping[str, str], required: Sequence[str], written: Written
) -> Iterator[tuple[str, str, float]]:
    """Yield the arguments that may be the gradient as a function, what it is to answer, and how sure that is."""
    apart = [(name, parts) for name in required if (parts := written.unpacks_call_of(name))]
    if apart:
        # What is taken apart would be, of two coordinates, a gradient too.
        name, parts = apart[0]
        turned = plain_spelling(parts[0]).startswith(("g", "d")) and not plain_spelling(parts[1]).startswith(("g", "d"))
        yield name, "gradient and value" if turned else "value and gradient", 0.15
        return
    owners = [n for n in required if any(map(_is_gradient, written.methods_of(n))) and not written.calls(n)]
    if owners:
        yield owners[0], "gradient", 0.1
        return
    sure = [n for n in required if spelled[n] in GRADIENTS or spelled[n].startswith(("grad", "deriv"))]
    for name in sure[:1]:
        yield name, "gradient", 0.1
        yield name, "value and gradient", 0.0
    both = [n for n in required if spelled[n] in BOTH]
    for name in both[:1]:
        yield name, "value and gradient", 0.1
        yield name, "gradient and value", 0.05
    values = [n for n in required if spelled[n] in VALUES]
    if values and not sure and not both:
        yield values[0], "value and gradient", 0.05
        yield values[0], "gradient and value", 0.02
        yield values[0], "gradient", 0.0


def _in_rhythm(run: Run) -> Run:
    """Find out how often a step asks for its gradient."""
    for start in (np.zeros(2), np.zeros(())):
        feed = Feed(list(TRIAL[:, :2] if start.ndim else TRIAL[:, 0]), start, run.answers)
        try:
            run.ended(feed, [start], {}, len(TRIAL))
        except Exception:
            continue
        if len(feed.noted) > 2:
            each, lead = rhythm_of(feed.noted)
            run = replace(run, each=each, lead=lead)
            return replace(run, wide=start.ndim == 1 and _is_separable(run))
    return run


def _is_separable(run: Run) -> bool:
    """Whether each coordinate goes its own way, whatever stands beside it."""
    try:
        one, more = (run.places(list(TRIAL[:, :width]), np.zeros(width), {}) for width in (2, 3))
        return len(one) == len(more) > 2 and all(np.array_equal(a, b[:2]) for a, b in zip(one, more, strict=True))
    except Exception:
        return False
