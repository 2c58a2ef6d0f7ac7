"""Objects that stand for a home-made parameter, layer or model: they have what the text asks of such, and no more.

A place is where one tensor is kept: the value goes in and out there, the gradient goes in.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mhat.language.vocabulary import plain_spelling
from mhat.subjects.calls import COUNTS, SHORT_COUNTS
from mhat.subjects.conventions.roles import STATES
from mhat.subjects.conventions.texts import Words, core_of

DATA = ("data", "value", "val", "vals", "values", "array", "tensor", "param", "_data", "_value", "theta", "w", "x")
GRAD = (
    "grad",
    "gradient",
    "gradients",
    "grads",
    "grad_value",
    "deriv",
    "derivative",
    "dw",
    "dx",
    "g",
    "d",
    "delta",
    "_grad",
)
# What layers call a tensor; the first pair that the text has is taken for each line.
TENSORS = (("weights", "weight", "W", "w", "kernel", "theta", "Theta"), ("biases", "bias", "b", "B"))
MARKS = (
    "d{}", "d_{}", "{}_grad", "grad_{}", "{}_gradient", "gradient_{}", "{}_grads", "grads_{}", "{}_gradients", "grad{}",
    "{}Grad", "delta_{}", "D{}", "g{}", "{}_d", "nabla_{}", "gradients_{}", "d{}_",
)  # fmt: skip


@dataclass(frozen=True)
class Place:
    """Where one tensor is kept."""

    put: Callable[[Any, Any], None]  # its value, only before the first step, and its gradient
    take: Callable[[], Any]


class Kept:
    """An object that has what the text asks of it; a state that others put there is zero until it is put there."""

    stands_in = True
    _words: Words | None = None

    def __getattr__(self, name: str) -> Any:
        words = self.__dict__.get("_words")
        if words is None or name.startswith("__") or name in words.texts or name not in words.attributes:
            raise AttributeError(f"what stands for a {type(self).__name__.lower()} has no `{name}`")
        if name in words.tested:
            return None
        spelled = plain_spelling(name)
        if spelled in COUNTS | SHORT_COUNTS:
            return 0
        if not any(word in STATES for word in (spelled, core_of(name))):
            raise AttributeError(f"what stands for a {type(self).__name__.lower()} has no `{name}`")
        setattr(self, name, self.nothing())
        return self.__dict__[name]

    def nothing(self) -> Any:
        return 0.0


class Parameter(Kept):
    """A parameter with a value and a gradient under the names that the text uses."""

    requires_grad = trainable = differentiable = True
    name = ""

    def __init__(self, value: Any, data: str, grad: str, words: Words | None = None) -> None:
        self._at, self._grad_at, self._words = data, grad, words
        setattr(self, data, value)
        setattr(self, grad, None)

    def nothing(self) -> Any:
        return np.zeros_like(getattr(self, self._at))

    @property
    def shape(self) -> tuple[int, ...]:
        return np.shape(getattr(self, self._at))

    @property
    def size(self) -> int:
        return int(np.size(getattr(self, self._at)))

    @property
    def ndim(self) -> int:
        return int(np.ndim(getattr(self, self._at)))

    def zero_grad(self) -> None:
        setattr(self, self._grad_at, np.zeros_like(getattr(self, self._at)))

    def numpy(self) -> Any:
        return getattr(self, self._at)

    __call__ = numpy

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return np.asarray(getattr(self, self._at), dtype=dtype)

    def __len__(self) -> int:
        return len(getattr(self, self._at))

    def __hash__(self) -> int:
        return id(self)

    def __isub__(self, other: Any) -> Parameter:
        setattr(self, self._at, getattr(self, self._at) - np.asarray(other))
        return self

    def __iadd__(self, other: Any) -> Parameter:
        setattr(self, self._at, getattr(self, self._at) + np.asarray(other))
        return self

    def __sub__(self, other: Any) -> Any:
        return getattr(self, self._at) - np.asarray(other)

    def __add__(self, other: Any) -> Any:
        return getattr(self, self._at) + np.asarray(other)

    def __mul__(self, other: Any) -> Any:
        return getattr(self, self._at) * np.asarray(other)

    __rmul__ = __mul__
    __radd__ = __add__


class Numbers(np.ndarray[Any, Any]):
    """An array that can be asked for what tensors of home-made frameworks give: itself."""

    def detach(self) -> Numbers:
        return self

    numpy = cpu = realize = detach


def names_of(words: Words) -> tuple[str, str]:
    """Give the names under which a text looks for a value and for its gradient."""
    data = next((name for name in DATA if name in words.attributes), "data")
    return data, next((name for name in GRAD if name in words), "grad")


def parameter(value: Any, words: Words) -> tuple[Parameter, Place]:
    """Make a parameter for a text, and its place."""
    data, grad = names_of(words)
    seen = np.asarray(value).view(Numbers) if words.called & vars(Numbers).keys() else value
    made = Parameter(seen, data, grad, words)
    nested = any(inner == grad and outer in DATA for inner, outer in words.chained)

    def put(x: Any, g: Any) -> None:
        g = g if g is None or seen is value else np.asarray(g).view(Numbers)
        setattr(made, grad, g if g is None or not nested else Parameter(g, data, grad))

    return made, Place(put, lambda: np.asarray(getattr(made, data)))


class Layer(Kept):
    """A layer; what it has is set from outside."""

    trainable = requires_grad = True
    name = "layer"

    def __init__(self, words: Words | None = None) -> None:
        self._words = words

    def backward(self, *arguments: Any, **named: Any) -> None:
        """Leave the gradients as they are."""

    forward = backward

    def parameters(self) -> list[Any]:
        """Give the parameters, where the layer keeps such."""
        return [value for value in vars(self).values() if isinstance(value, Parameter)]


def tensor_names(words: Words) -> list[tuple[str, str]]:
    """Give the names of the tensors of a layer and of their gradients, as far as the text has both."""
    found = []
    for names in TENSORS:
        pairs = [
            (name, mark.format(stem))
            for name, mark in itertools.product(names, MARKS)
            for stem in dict.fromkeys((name, name.rstrip("s") or name))
        ]
        there = [(name, grad) for name, grad in pairs if name in words and grad in words and grad != name]
        found += there[:1]
    return found


def layer(values: Sequence[Any], words: Words) -> tuple[Layer, list[Place]]:
    """Make a layer for a text: with attributes W and dW, dictionaries params and grads, or parameters weight, bias."""
    made = Layer(words)
    names = tensor_names(words)
    dictionaries = {"params", "grads"} <= words.attributes
    if names and not dictionaries:
        return made, [_attributes(made, value, *pair) for value, pair in zip(values, names, strict=False)]
    if dictionaries or "params" in words or "grads" in words or "parameters" in words.attributes - words.called:
        return made, _dictionaries(made, values, words)
    singles = [next((name for name in each if name in words), each[0]) for each in TENSORS]
    places = []
    for value, name in zip(values, singles, strict=False):
        param, place = parameter(value, words)
        setattr(made, name, param)
        places.append(place)
    return made, places


def _attributes(made: Any, value: Any, name: str, grad: str) -> Place:
    setattr(made, name, value)
    return Place(lambda x, g: setattr(made, grad, g), lambda: getattr(made, name))


def _dictionaries(made: Layer, values: Sequence[Any], words: Words) -> list[Place]:
    """Give a layer dictionaries of its tensors; gradients are under the same keys, or under those with a d."""
    keys = ["W" if "W" in words.texts or "w" not in words.texts else "w", "b"]
    marked = "d" in words.texts or any(f"d{key}" in words.texts for key in keys)
    held = "params" if "params" in words or "parameters" not in words else "parameters"
    under = next((name for name in ("grads", "gradients", "gradient", "dparams", "grad") if name in words), "grads")
    if {held, under} <= words.zipped:
        listed: list[Any] = [None] * len(values)
        setattr(made, held, list(values))
        setattr(made, under, listed)
        return [_item(made, held, listed, i) for i in range(len(values))]
    params = dict(zip(keys, values, strict=False))
    grads: dict[str, Any] = {}
    setattr(made, held, params)
    setattr(made, under, grads)
    return [_entry(made, held, grads, key, f"d{key}" if marked else key) for key in params]


def _item(made: Layer, held: str, grads: list[Any], i: int) -> Place:
    return Place(lambda x, g: grads.__setitem__(i, g), lambda: getattr(made, held)[i])


def _entry(made: Layer, held: str, grads: dict[str, Any], key: str, mark: str) -> Place:
    return Place(lambda x, g: grads.__setitem__(mark, g), lambda: getattr(made, held)[key])


class Idle:
    """Something that does nothing, whatever is asked of it: a loss that has been gone through backwards."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments: Any, **named: Any) -> None:
        return None


class Model:
    """A model of layers and tensors, in the ways in which others ask a model for them."""

    trainable = True

    def __init__(self, layers: Sequence[Any], tensors: list[Any]) -> None:
        self.layers = self.trainable_layers = self.modules = list(layers)
        self._tensors = tensors
        self._grads: list[Any] = [None] * len(tensors)

    def __iter__(self) -> Iterator[Any]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def params_and_grads(self) -> Iterator[tuple[Any, Any]]:
        return iter(list(zip(self._tensors, self._grads, strict=True)))

    get_params_and_grads = parameters_and_gradients = get_params_grads = params_and_grads

    def get_params(self) -> list[Any]:
        return list(self._tensors)

    get_parameters = get_weights = get_params

    def get_grads(self) -> list[Any]:
        return list(self._grads)

    get_gradients = gradients = get_grads

    def set_params(self, params: Sequence[Any]) -> None:
        self._tensors[:] = list(params)

    set_parameters = set_weights = set_params

    def get_flat(self) -> Any:
        return np.concatenate([np.ravel(each) for each in self._tensors])

    get_flat_params = get_params_flat = flat_params = get_flat_weights = get_flat

    def get_flat_grads(self) -> Any:
        return np.concatenate([np.ravel(each) for each in self._grads])

    get_grads_flat = get_flat_grad = flat_grads = get_flat_gradient = get_flat_grads

    def set_flat(self, flat: Any) -> None:
        sizes = np.cumsum([np.size(each) for each in self._tensors])[:-1]
        parts = np.split(np.asarray(flat), sizes)
        self._tensors[:] = [part.reshape(np.shape(old)) for part, old in zip(parts, self._tensors, strict=True)]

    set_flat_params = set_params_flat = set_flat_weights = set_flat


def model(values: Sequence[Any], words: Words) -> tuple[Any, list[Place]]:
    """Make a model for a text: of layers, of parameters, or of tensors that it hands out with their gradients."""
    of_tensors = words.called & {name for name in vars(Model) if not name.startswith("_")}
    if of_tensors:
        made = Model([], list(values))
        return made, [_numbered(made, i) for i in range(len(values))]
    if {"params", "grads"} <= words.attributes and "layers" not in words and "params" not in words.called:
        held = Layer()
        return held, _lists(held, values, words)
    if words.attributes & LISTS and "layers" not in words:
        pairs = [parameter(value, words) for value in values]
        return _model_of_parameters([one for one, _ in pairs], words), [place for _, place in pairs]
    layers, places = layers_of(values, words)
    return Model(layers, []), places


def _numbered(made: Model, i: int) -> Place:
    return Place(lambda x, g: made._grads.__setitem__(i, g), lambda: made._tensors[i])


LISTS = frozenset({"parameters", "params", "named_parameters", "trainable_parameters", "trainable_params"})


def _model_of_parameters(params: list[Any], words: Words) -> Any:
    made = Layer()
    for name in sorted(LISTS):
        setattr(made, name, (lambda: list(params)) if name in words.called else params)
    made.named_parameters = lambda: [(f"p{i}", one) for i, one in enumerate(params)]  # type: ignore[attr-defined]
    return made


def _lists(held: Layer, values: Sequence[Any], words: Words) -> list[Place]:
    """Give a model lists, or dictionaries W1, b1, of its tensors and gradients."""
    if words.called & {"items", "keys", "values"} or {"W1", "b1"} & words.texts:
        keys: list[Any] = [f"{'Wb'[i % 2]}{i // 2 + 1}" for i in range(len(values))]
        held.params = dict(zip(keys, values, strict=True))  # type: ignore[attr-defined]
        held.grads = {}  # type: ignore[attr-defined]
    else:
        keys = list(range(len(values)))
        held.params = list(values)  # type: ignore[attr-defined]
        held.grads = [None] * len(values)  # type: ignore[attr-defined]
    return [
        Place(
            lambda x, g, key=key: held.grads.__setitem__(key, g),  # type: ignore[misc]
            lambda key=key: held.params[key],  # type: ignore[misc]
        )
        for key in keys
    ]


def layers_of(values: Sequence[Any], words: Words) -> tuple[list[Any], list[Place]]:
    """Share tensors among layers, as many to each as the text names."""
    wide = 1 if len(tensor_names(words)) == 1 else 2
    made, places = [], []
    for i in range(0, len(values), wide):
        one, own = layer(values[i : i + wide], words)
        made.append(one)
        places += own
    return made, places
