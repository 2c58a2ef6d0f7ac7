"""What every rule of the library owes its readers: a paper, a sentence, knobs explained, a body like the paper's."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from mhat import rules
from mhat.errors import UnknownName
from mhat.language import Level, Rule
from mhat.language.vocabulary import VOCABULARY
from tests.rules.walks import walked

EVERY_RULE = pytest.mark.parametrize("rule", [rules.named(name) for name in rules.names()], ids=rules.names())
FILES = sorted(path for path in (Path(rules.__file__).parent / "library").rglob("*.py") if path.name != "__init__.py")

EXPECTED = [
    "adabelief", "adabound", "adadelta", "adagrad", "adam", "adamax", "adamw", "adan", "adopt", "amsgrad", "lamb",
    "lion", "momentum", "nadam", "nesterov", "qhadam", "radam", "rmsprop", "rmsprop_centered", "sgd", "signsgd",
    "signum", "tiger", "yogi",
]  # fmt: skip


def test_names() -> None:
    assert rules.names() == EXPECTED
    assert set(rules.__all__) == {*EXPECTED, "families", "family", "names", "named"}


def test_named() -> None:
    assert rules.named("adam") is rules.adam
    assert rules.named("rmsprop_centered").name == "rmsprop_centered"


@pytest.mark.parametrize("typed", ["adma", "names", "Rule", "__name__", ""])
def test_unknown_name(typed: str) -> None:
    with pytest.raises(UnknownName) as error:
        rules.named(typed)
    assert str(error.value).splitlines()[0] == f"there is no rule `{typed}`"
    assert str(error.value).endswith("`mhat rules` lists them.")


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(UnknownName) as error:
        rules.named("adamm")
    assert "Did you mean `adam`?" in str(error.value)


@EVERY_RULE
def test_it_is_named_as_it_is_found(rule: Rule) -> None:
    assert rule.name == rule.__name__
    assert getattr(rules, rule.name) is rule


@EVERY_RULE
def test_paper(rule: Rule) -> None:
    authors, _, _ = rule.paper.partition(",")
    assert authors.split()[0].istitle()
    assert any(word.isdigit() and 1950 < int(word) < 2100 for word in rule.paper.replace(",", " ").split())


@EVERY_RULE
def test_docstring(rule: Rule) -> None:
    first, *rest = rule.doc.splitlines()
    assert first.endswith(".")
    assert len(first) <= 110
    assert not rest or rest[0] == ""
    assert rule.doc == " ".join(rule.doc.split(" "))


@EVERY_RULE
def test_level(rule: Rule) -> None:
    assert rule.level is (Level.TENSOR if rule.name == "lamb" else Level.COORDINATE)


@EVERY_RULE
def test_knobs_are_explained_and_their_defaults_allowed(rule: Rule) -> None:
    rule.check_knobs(rule.knobs)
    assert "lr" in rule.knobs
    for knob in rule.knobs:
        sentence = rule.meaning(knob).sentence
        assert sentence
        assert sentence != "see the paper", f"{rule.name}: {knob}"


@EVERY_RULE
def test_knobs_stand_in_one_order(rule: Rule) -> None:
    known = [knob for knob in rule.knobs if knob in VOCABULARY]
    order = [
        "lr", "momentum", "rho", "beta1", "beta2", "beta3", "nu1", "nu2", "eps", "weight_decay", "momentum_decay",
    ]  # fmt: skip
    assert known == sorted(known, key=order.index)


@EVERY_RULE
def test_the_body_reads_like_a_paper(rule: Rule) -> None:
    lines = [*rule.tree.body, rule.tree.result]
    assert len(lines) <= 10
    inputs = tuple(name for name in ("x", "g", "t") if name in rule.tree.inputs)
    assert rule.tree.inputs == inputs


@EVERY_RULE
def test_ratio_is_the_factor_of_the_learning_rate(rule: Rule) -> None:
    factors = {
        "sgd": "x - lr * g",
        "momentum": "x - lr * velocity",
        "adopt": "x - lr * m",
        "adabound": "x - rate * m",
        "adan": "(x - lr * ratio) / (1 + lr * weight_decay)",
        **dict.fromkeys(["adamw", "lion", "tiger"], "x - lr * (ratio + weight_decay * x)"),
    }
    function = ast.parse(rule.source.text).body[0]
    assert isinstance(function, ast.FunctionDef)
    last = function.body[-1]
    assert isinstance(last, ast.Return)
    assert last.value is not None
    assert ast.unparse(last.value) == factors.get(rule.name, "x - lr * ratio")


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_rule_file_knows_nothing_but_the_language(path: Path) -> None:
    module = ast.parse(path.read_text())
    imported = {node.module for node in ast.walk(module) if isinstance(node, ast.ImportFrom)}
    assert imported <= {"mhat.language", "mhat.ops"}
    assert not any(isinstance(node, ast.Import) for node in ast.walk(module))
    assert len((ast.get_docstring(module) or "").splitlines()) == 1
    assert [node.name for node in module.body if isinstance(node, ast.FunctionDef)] == [path.stem]
    data = [node for node in module.body if isinstance(node, ast.Assign)]
    assert [ast.unparse(target) for node in data for target in node.targets] in ([], ["DIALECTS"])
    for node in data:
        ast.literal_eval(node.value)


def test_importing_the_library_loads_nothing_heavy_and_parses_nothing() -> None:
    code = """
import sys
import mhat.rules
import mhat.rules.library.adam.adam
heavy = {"numpy", "scipy", "torch", "jax", "xarray", "sympy", "mpmath", "numba", "matplotlib"} & set(sys.modules)
assert not heavy, heavy
for name in mhat.rules.names():
    rule = mhat.rules.named(name)
    assert not {"_parsed", "source"} & set(vars(rule)), name
assert mhat.rules.adam is mhat.rules.named("adam")
assert vars(mhat.rules.adam).get("_parsed") is None
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


CALLED = [rule for rule in map(rules.named, rules.names()) if rule.name not in ("adan", "adopt")]


@pytest.mark.parametrize("rule", CALLED, ids=[rule.name for rule in CALLED])
def test_calling_it_runs_the_function_itself(rule: Rule) -> None:
    arguments = {"x": 0.5, "g": -3.0, "t": 1.0}
    called = rule(*(arguments[name] for name in rule.tree.inputs))
    assert called == pytest.approx(walked(rule, [-3.0], 0.5)["x"][0], rel=1e-14)
