"""The state of an optimizer as arrays by name, and on disk: .npz and .safetensors. It steps nothing."""

from __future__ import annotations

import importlib
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np

from mhat.errors import BadValue, InputFileError, LanguageError
from mhat.extras import extra
from mhat.language import rule as rule_of
from mhat.outputs import beside, check_output, said_of
from mhat.printers.python import rule_text

Array = Any
ENDINGS = (".npz", ".safetensors")


def state_of(optimizer: Any) -> dict[str, Array]:
    """Copy all that an optimizer carries from step to step; see `Optimizer.state_dict`."""
    state = {name: np.array(value) for name, value in _numbers(optimizer).items()}
    state["rule"] = np.frombuffer(rule_text(optimizer.rule.tree).encode(), dtype=np.uint8).copy()
    state |= {name: np.array(home) for name, home in _homes(optimizer)}
    return state


def set_state(optimizer: Any, state: Mapping[str, Array]) -> None:
    """Set all that `state_of` gave; raises BadValue before anything is changed."""
    own = optimizer.__dict__
    given = {name: np.asarray(state[name]) for name in state}
    _check_rule(optimizer, given)
    homes = dict(_homes(optimizer))
    expected = {**_numbers(optimizer), **homes}
    for name in expected:
        if name not in given:
            raise BadValue(f"the state lacks `{name}`", "Give what state_dict gave, for the same parameters.")
    for name in given:
        if name != "rule" and name not in expected:
            raise BadValue(f"the state has `{name}`, which belongs to no parameter here", "Give the same parameters.")
    checked = {name: _checked(name, given[name], home) for name, home in expected.items()}
    optimizer._set_knobs({name: float(checked[f"knob/{name}"]) for name in optimizer.rule.knobs})
    for name, home in homes.items():
        home[...] = checked[name]
    own["_seed"], own["_steps"] = int(checked["seed"]), int(checked["steps"])
    own["_settled"] = None
    own["_t"][:] = checked["t"]
    for group in optimizer._groups:
        group.started[:] = checked["started"][group.places]


def save(state: Mapping[str, Array], path: str | Path, *, force: bool) -> None:
    """Write a state; the file takes its name only when it is whole. Raises OutputFileError, MissingExtra."""
    path = check_output(path, ENDINGS, force=force)
    with beside(path) as partial, said_of(path):
        if path.suffix == ".npz":
            with partial.open("wb") as file:
                np.savez(file, **state)
        else:
            _safetensors().save_file({name: np.atleast_1d(value) for name, value in state.items()}, str(partial))


def load(path: str | Path) -> dict[str, Array]:
    """Read a state; raises InputFileError, MissingExtra."""
    path = Path(path)
    if path.suffix not in ENDINGS:
        raise InputFileError(f"`{path}` ends in neither .npz nor .safetensors", "Name a file that `save` has written.")
    if not path.is_file():
        raise InputFileError(f"there is no file `{path}`", "Name a file that `save` has written.")
    read, wrong = (_read_npz, _WRONG) if path.suffix == ".npz" else _safetensors_reader()
    try:
        return read(path)
    except wrong as error:
        raise InputFileError(f"`{path}` is no state of an optimizer: {error}", "Save it anew.") from None


_WRONG: tuple[type[Exception], ...] = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error)


def _read_npz(path: Path) -> dict[str, Array]:
    # NumPy leaves a file open that it cannot read.
    with path.open("rb") as file, np.load(file) as found:
        return dict(found)


def _safetensors_reader() -> tuple[Callable[[Path], dict[str, Array]], tuple[type[Exception], ...]]:
    module = _safetensors()
    return lambda path: dict(module.load_file(str(path))), (
        *_WRONG,
        importlib.import_module("safetensors").SafetensorError,
    )


def _safetensors() -> Any:
    return extra("safetensors.numpy", "safetensors")


def _numbers(optimizer: Any) -> dict[str, Array]:
    started = np.zeros(len(optimizer._tensors), dtype=np.uint8)
    for group in optimizer._groups:
        started[group.places] = group.started
    return {
        "t": optimizer._t,
        "started": started,
        "steps": np.array(optimizer._steps),
        "seed": np.array(optimizer._seed),
        **{f"knob/{name}": np.array(value) for name, value in optimizer.knobs.items()},
    }


def _homes(optimizer: Any) -> Iterator[tuple[str, Array]]:
    """List the arrays that states live in, by name."""
    for group in optimizer._groups:
        paths = [path.removeprefix("params") or "[]" for path in group.paths]
        for name in optimizer.rule.tree.state_names:
            yield from ((f"state/{name}/{path}", home) for path, home in zip(paths, group.values(name), strict=True))
        if group.lost is not None:
            yield from ((f"lost/{path}", home) for path, home in zip(paths, group.lost, strict=True))


def _check_rule(optimizer: Any, given: Mapping[str, Array]) -> None:
    if "rule" not in given:
        raise BadValue("this is no state of an optimizer: it has no `rule`", "Give what state_dict gave.")
    text = given["rule"].tobytes().decode(errors="replace")
    try:
        found = rule_of(text)
    except LanguageError as error:
        raise BadValue(f"the rule in the state cannot be read: {error.what}", "Give what state_dict gave.") from None
    if found.tree.body != optimizer.rule.tree.body or found.tree.result != optimizer.rule.tree.result:
        raise BadValue(
            f"the state is of the rule {found.name}, this optimizer runs {optimizer.rule.name}"
            if found.name != optimizer.rule.name
            else f"the state is of another rule of the name {found.name}",
            "Make the optimizer with the rule of the state.",
        )


def _checked(name: str, value: Array, home: Array) -> Array:
    if value.dtype.kind == "V" and home.dtype == ml_dtypes.bfloat16:
        # npz knows no bfloat16: two bytes each come back.
        value = value.view(ml_dtypes.bfloat16)
    if value.shape != home.shape and value.size == home.size == 1:
        value = value.reshape(home.shape)
    if value.shape != home.shape:
        raise BadValue(
            f"`{name}` of the state has the shape {value.shape}, not {home.shape}", "Give the same parameters."
        )
    if value.dtype != home.dtype:
        raise BadValue(
            f"`{name}` of the state is {value.dtype}, not {home.dtype}", "Make the optimizer with the same dtypes."
        )
    return value
