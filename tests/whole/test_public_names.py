"""The public names are pinned, and each is the same object at every reading."""

import json
import subprocess
import sys
import types

import pytest

import mhat

PUBLIC = {
    "MhatError", "Optimizer", "Rule", "__version__", "again", "bridges", "check", "check_schedule", "compare",
    "convert", "errors", "explain", "export", "identify", "lab", "landscapes", "load", "matrices", "modifiers", "ops",
    "plot", "read", "rest", "rule", "rules", "save", "schedules", "step", "streams", "trace",
}  # fmt: skip

# Reads every public name of every package, imports every module there is, and reads the names again.
READ_TWICE = """
import importlib, json, pkgutil, types
import mhat

def packages():
    yield mhat
    for found in pkgutil.walk_packages(mhat.__path__, "mhat."):
        if found.ispkg:
            yield importlib.import_module(found.name)

def names(package):
    return getattr(package, "__all__", None) or [name for name in dir(package) if not name.startswith("_")]

def read():
    return {(p.__name__, n): getattr(p, n) for p in ALL for n in names(p)}

door = {name: getattr(mhat, name) for name in mhat.__all__}
ALL = list(packages())
first = read()
for found in pkgutil.walk_packages(mhat.__path__, "mhat."):
    if not found.name.endswith("__main__"):
        importlib.import_module(found.name)
second = read()
changed = [".".join(key) for key in first if first[key] is not second[key]]
changed += [f"mhat.{name}" for name in door if door[name] is not second["mhat", name]]
print(json.dumps({"read": len(first), "changed": changed}))
"""


def test_the_public_names_are_these() -> None:
    assert set(mhat.__all__) == PUBLIC
    assert set(dir(mhat)) >= PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_every_public_name_is_there_and_says_what_it_is(name: str) -> None:
    value = getattr(mhat, name)
    assert value is getattr(mhat, name)
    assert isinstance(value, str) or (value.__doc__ or "").strip()


def test_a_public_name_is_the_same_object_before_and_after_every_module_is_imported() -> None:
    done = subprocess.run([sys.executable, "-c", READ_TWICE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["changed"] == []
    assert seen["read"] > len(PUBLIC)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="trase"):
        _ = mhat.trase  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "package", [mhat.landscapes, mhat.modifiers, mhat.ops, mhat.rules, mhat.schedules, mhat.streams]
)
def test_a_package_lists_its_members_and_not_its_modules(package: types.ModuleType) -> None:
    assert dir(package) == sorted(package.__all__)
    assert not [name for name in dir(package) if isinstance(getattr(package, name), types.ModuleType)]
