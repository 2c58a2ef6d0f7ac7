"""What every rule of the library owes its readers: a paper, a sentence, knobs explained, a body like the paper's."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from mhat import rules
from mhat.errors import UnknownName
from mhat.language import Expression, Level, Name, Operation, Rule
from mhat.language.vocabulary import VOCABULARY
from mhat.language.walking import names_in
from tests.rules.walks import walked

EVERY_RULE = pytest.mark.parametrize("rule", [rules.named(name) for name in rules.names()], ids=rules.names())
FILES = sorted(path for path in (Path(rules.__file__).parent / "library").rglob("*.py") if path.name != "__init__.py")

# What people look for by name.
SOUGHT = [
    "adabound", "adafactor", "adagrad", "adagrad_norm", "adai", "adam", "adam_l2", "adamod", "adamw", "adanorm",
    "ademamix", "adopt", "came", "diffgrad", "focus", "grams", "kate", "lamb", "laprop", "lion", "momentum", "muon",
    "nadamw", "novograd", "prodigy", "qhadam", "radamw", "rmsprop", "rmsprop_momentum", "schedule_free", "sgd",
    "sgdw", "shampoo", "soap",
]  # fmt: skip


def test_names() -> None:
    assert len(rules.names()) >= 100
    assert set(SOUGHT) <= set(rules.names())
    assert set(rules.__all__) == {*rules.names(), "families", "family", "names", "named"}


def test_every_file_is_a_rule_and_stands_in_its_family() -> None:
    found = {path.stem: path.parent.name for path in FILES}
    assert {name: rules.family(name) for name in rules.names()} == found


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
    assert authors[0].isupper()
    assert any(word.isdigit() and 1950 < int(word) < 2100 for word in rule.paper.replace(",", " ").split())


@EVERY_RULE
def test_docstring(rule: Rule) -> None:
    first, *rest = rule.doc.splitlines()
    assert first.endswith(".")
    assert len(first) <= 110
    assert not rest or rest[0] == ""
    assert rule.doc == " ".join(rule.doc.split(" "))


def expected_level(name: str) -> Level:
    """Give the level that a rule's family has, or the rule itself where it is another one."""
    if name in (
        "a2grad", "adafactor_vector", "adagrad_norm", "adam_mini_tensor", "fadam", "adai", "aida", "avagrad", "mars",
        "momo", "polyak", "sgd_hd", "stable_adamw",
    ):  # fmt: skip
        return Level.TENSOR
    if name == "cocob":
        return Level.COORDINATE
    families = {"norm": Level.TENSOR, "rate_free": Level.TENSOR, "matrix": Level.MATRIX, "factored": Level.MATRIX}
    return families.get(rules.family(name), Level.COORDINATE)


@EVERY_RULE
def test_level(rule: Rule) -> None:
    assert rule.level is expected_level(rule.name)


@EVERY_RULE
def test_knobs_are_explained_and_their_defaults_allowed(rule: Rule) -> None:
    rule.check_knobs(rule.knobs)
    assert "lr" in rule.knobs or rule.name in ("a2grad", "cocob")
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
    assert len(lines) <= (20 if rule.level is Level.MATRIX else 14)
    inputs = tuple(name for name in ("x", "g", "h", "loss", "t") if name in rule.tree.inputs)
    assert rule.tree.inputs == inputs


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_a_file_can_be_read_at_a_glance(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 60


def factor_of_lr(node: Expression) -> Expression | None:
    """Give what lr is multiplied by in `x - lr * factor`."""
    match node:
        case Operation("sub", (Name("x"), Operation("mul", (Name("lr"), factor)))):
            return factor
    return None


@EVERY_RULE
def test_ratio_is_the_factor_of_the_learning_rate(rule: Rule) -> None:
    factor = factor_of_lr(rule.tree.result)
    if isinstance(factor, Name):
        assert factor.id == "ratio" or factor.id in ("g", *rule.tree.state_names)
    assert "ratio" not in rule.variables or not isinstance(factor, Name) or factor.id == "ratio"


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


CALLED = [
    rule
    for rule in map(rules.named, rules.names())
    if rule.level is Level.COORDINATE
    and not rule.tree.given
    and all("g" not in names_in(state.start) for state in rule.tree.states)
]


@pytest.mark.parametrize("rule", CALLED, ids=[rule.name for rule in CALLED])
def test_calling_it_runs_the_function_itself(rule: Rule) -> None:
    arguments = {"x": 0.5, "g": -3.0, "t": 1.0}
    called = rule(*(arguments[name] for name in rule.tree.inputs))
    assert called == pytest.approx(walked(rule, [-3.0], 0.5)["x"][0], rel=1e-14)
