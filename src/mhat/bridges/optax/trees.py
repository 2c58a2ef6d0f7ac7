"""Parameters as a flat list of tensors, and back: None and what is no tensor is stepped over. It knows no rule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mhat.bridges.optax.frameworks import jax, jnp
from mhat.dtypes import DTYPES
from mhat.errors import BadValue

Array = Any
Tree = Any


def flattened(tree: Tree) -> tuple[list[Any], Any]:
    """Give the leaves of a tree, None among them, and how it is built."""
    leaves, structure = jax.tree.flatten(tree, is_leaf=_is_none)
    return leaves, structure


def names_of(tree: Tree) -> list[str]:
    """Name the leaves as they are reached: `['layers'][0]['w']`."""
    pairs, _ = jax.tree_util.tree_flatten_with_path(tree, is_leaf=_is_none)
    return [jax.tree_util.keystr(path) or "[]" for path, _ in pairs]


def as_built(structure: Any, tree: Tree, what: str) -> list[Any]:
    """Give what stands in another tree where `structure` has its leaves; raises BadValue if it is built otherwise."""
    try:
        return list(structure.flatten_up_to(tree))
    except ValueError as error:
        raise BadValue(
            f"{what} are not built as the gradients: {error}", "Give gradients, parameters and state of one model."
        ) from None


def rebuilt(structure: Any, leaves: Sequence[Any]) -> Tree:
    """Build a tree of leaves."""
    return jax.tree.unflatten(structure, leaves)


def is_tensor(leaf: Any, called: str = "a parameter") -> bool:
    """Whether a leaf is stepped; raises BadValue for complex numbers."""
    if isinstance(leaf, float):
        return True
    dtype = getattr(leaf, "dtype", None)
    if dtype is None or not hasattr(leaf, "shape"):
        return False
    if jnp.issubdtype(dtype, jnp.complexfloating):
        raise BadValue(
            f"{called} is {dtype}, and a rule steps real numbers",
            "Step real and imaginary parts: optax.contrib.split_real_and_imaginary(transformation(...)).",
        )
    if jnp.issubdtype(dtype, jnp.floating) and str(dtype) not in DTYPES:
        raise BadValue(f"{called} is {dtype}", f"A rule steps {', '.join(DTYPES)}.")
    return str(dtype) in DTYPES


def computed_in(leaf: Any) -> str:
    """Name the dtype that a tensor is stepped in: float32 for the small ones."""
    return DTYPES[str(jnp.result_type(leaf))].computed


def _is_none(leaf: Any) -> bool:
    return leaf is None
