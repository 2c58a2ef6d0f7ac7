"""A rule as users hold it: read lazily, from a file, a notebook cell or a string; called as plain Python."""

from __future__ import annotations

import copy
import functools
import linecache
import math
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mhat.engines.stepping import step
from mhat.errors import BadValue, LanguageError, UnknownName
from mhat.language import Level, Rule, of_tree, rule

ADAM = """\
def adam(x, g, t, m=0, v=0, *, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio
"""


@rule(paper="a paper", knobs={"kappa": "how sharp"})
def decorated(x, g, m=0, z="x", *, lr=0.5, kappa=2):  # type: ignore[no-untyped-def]
    """Say what it does."""
    m = m + g / kappa
    return z - lr * m + 0 * x


def loaded(path: Path, text: str, name: str) -> Any:
    """Run a text as the file at the path, and give what it calls `name`."""
    path.write_text(text)
    names: dict[str, Any] = {}
    exec(compile(text, str(path), "exec"), names)
    return names[name]


def test_a_decorated_function() -> None:
    assert repr(decorated) == "<rule decorated>"
    assert decorated.name == decorated.__name__ == "decorated"
    assert decorated.paper == "a paper"
    assert decorated.doc == decorated.__doc__ == "Say what it does."
    assert decorated.__module__ == __name__
    assert decorated.knobs == {"lr": 0.5, "kappa": 2.0}
    assert decorated.variables == ("m",)
    assert decorated.level is Level.COORDINATE
    assert decorated.meaning("kappa").sentence == "how sharp"
    assert decorated.meaning("lr").range == "0 <= value"
    assert "m = m + g / kappa" in decorated.source.text
    assert decorated.source.file == __file__


def test_a_string_and_a_function_of_the_same_text_are_equal(tmp_path: Path) -> None:
    function = loaded(tmp_path / "mine.py", f"from mhat.ops import sqrt\n{ADAM}", "adam")
    made = rule(function)
    assert made == rule(ADAM)
    assert hash(made) == hash(rule(ADAM))
    assert made != rule(ADAM.replace("eps)", "2 * eps)"))
    assert made != ADAM
    assert rule(made) is made
    assert of_tree(made.tree, paper="p", doc="d") == made
    assert (of_tree(made.tree, paper="p", doc="d").paper, of_tree(made.tree, doc="d").doc) == ("p", "d")
    assert repr(of_tree(made.tree)) == "<rule adam>"
    assert made.source.text == ADAM
    assert of_tree(made.tree).source.text == ""


def test_a_decorated_function_is_parsed_when_it_is_first_used(tmp_path: Path) -> None:
    text = "from mhat.language import rule\n@rule\ndef bad(x, g):\n    for i in x: pass\n    return x\n"
    bad = loaded(tmp_path / "bad.py", text, "bad")
    assert repr(bad) == "<rule bad>"
    with pytest.raises(LanguageError, match="`for` is not in the rule language"):
        _ = bad.tree
    with pytest.raises(LanguageError):
        rule("def bad(x, g):\n    for i in x: pass\n    return x\n")


NESTED = """\
from mhat.language import rule

class Shelf:
    if True:
        def make():
            @rule(
                paper="p",
            )
            def nested(x, g, *, lr=0.1):
                # a comment
# a comment further left
                u = 2 * lrr
                return x - lr * u
            return nested
"""


def test_a_refusal_points_into_the_users_own_file_with_the_indentation_undone(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    nested = loaded(path, NESTED, "Shelf").make()
    with pytest.raises(LanguageError) as caught:
        _ = nested.tree
    assert str(caught.value) == (
        f"{path}, line 12: `lrr` is not known here\n    u = 2 * lrr\n            ^^^\n"
        "Did you mean `lr`? A rule reads its inputs, states, knobs and earlier variables; make a constant a knob."
    )
    place = caught.value.place
    assert place is not None
    assert (place.line, place.column, place.end_column) == (12, 25, 28)
    assert place.text == NESTED.splitlines()[11]


def test_a_refusal_in_a_line_further_left_than_the_function(tmp_path: Path) -> None:
    path = tmp_path / "left.py"
    nested = loaded(path, NESTED.replace("2 * lrr", "(2 * lr\n  + g.T)"), "Shelf").make()
    with pytest.raises(LanguageError) as caught:
        _ = nested.tree
    assert str(caught.value) == (
        f"{path}, line 13: `g.T` is not in the rule language\n    + g.T)\n      ^^^\n"
        "Use plain names: inputs, states, knobs and variables."
    )


def test_a_refusal_in_a_tabbed_file(tmp_path: Path) -> None:
    path = tmp_path / "tabs.py"
    text = "class Shelf:\n\tdef mine(x, g):\n\t\tu = g\n\t\treturn x - 2 * g[0]\n"
    with pytest.raises(LanguageError) as caught:
        _ = rule(loaded(path, text, "Shelf").mine).tree
    assert str(caught.value).splitlines()[:3] == [
        f"{path}, line 4: `g[0]` is not in the rule language",
        "    return x - 2 * g[0]",
        "                   ^^^^",
    ]


def test_a_notebook_cell() -> None:
    cell = "from mhat.language import rule\n\n@rule\ndef mine(x, g, *, lr=0.1):\n    return x - lr * g.T\n"
    name = "/tmp/ipykernel_1/123.py"
    linecache.cache[name] = (len(cell), None, cell.splitlines(keepends=True), name)
    names: dict[str, Any] = {}
    exec(compile(cell, name, "exec"), names)
    with pytest.raises(LanguageError) as caught:
        _ = names["mine"].tree
    assert str(caught.value).splitlines()[0] == "the cell, line 5: `g.T` is not in the rule language"


def test_without_source_the_refusal_advises_a_string() -> None:
    code = (
        "from mhat.language import rule\n@rule\ndef mine(x): return x\ntry: mine.tree\nexcept Exception as e: print(e)"
    )
    cure = 'Give the rule as a string instead: mhat.rule("""def ...""").\n'
    what = "Python keeps no source text of `mine` (it was typed at"
    given = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert given.stdout == f"{what} `python -c`, or made by exec)\n{cure}"
    piped = subprocess.run([sys.executable, "-"], input=code, capture_output=True, text=True, check=True)
    assert piped.stdout == f"{what} the prompt or standard input)\n{cure}"
    names: dict[str, Any] = {}
    exec(compile("def mine(x): return x", "<made up>", "exec"), names)
    with pytest.raises(LanguageError) as caught:
        _ = rule(names["mine"]).tree
    assert str(caught.value) == f"{what} <made up>)\n{cure.strip()}"


def test_calling_runs_the_users_own_function(tmp_path: Path) -> None:
    seen: list[float] = []

    def watched(x: float, g: float) -> float:
        seen.append(g)
        return x - g

    assert Rule(watched).__wrapped__ is watched
    made: Callable[..., float] = loaded(tmp_path / "m.py", f"from mhat.ops import sqrt\n{ADAM}", "adam")
    adam = rule(made)
    assert adam(0, 10, 1) == pytest.approx(-1e-3, rel=1e-8)
    assert adam(0, 10, 1, lr=1) == pytest.approx(-1, rel=1e-8)
    assert adam(0.0, 10.0, 1, 0, 0, eps=1e-3) == adam(0.0, 10.0, 1, m=0, v=0, eps=1e-3)
    assert type(adam(0, 10, 1)) is float


def test_what_the_caller_leaves_out_is_as_the_signature_says() -> None:
    assert decorated(3, 1) == 3 - 0.5 * (0 + 1 / 2)
    assert decorated(3, 1, 4, 10) == 10 - 0.5 * (4 + 1 / 2)
    assert decorated(3, 1, z=10) == 10 - 0.5 * (1 / 2)


def test_a_call_divides_as_the_engines_do(tmp_path: Path) -> None:
    text = "def f(x, g, m=0, *, lr=0):\n    return g / m + x // lr\n"
    f = rule(loaded(tmp_path / "f.py", text, "f"))
    assert f(1, 1) == math.inf
    assert math.isnan(f(1, 0))


def test_calls_that_cannot_be() -> None:
    with pytest.raises(BadValue) as caught:
        rule(ADAM)(0, 1, 1)
    assert str(caught.value) == (
        "adam was made from text, and text is never executed\nUse mhat.step or mhat.trace to run it."
    )
    with pytest.raises(BadValue) as caught:
        decorated([1, 2], 1)  # type: ignore[arg-type]
    assert str(caught.value) == (
        "decorated was called with list, and a call runs it on floats\nUse mhat.step(rule, x, g, t, state) for arrays."
    )


def test_knobs_are_checked() -> None:
    made = rule(ADAM)
    made.check_knobs({"beta1": 0, "eps": 0.0, "lr": math.inf})
    for knobs, text in (
        ({"betta1": 0.9}, "there is no knob of adam `betta1`\nDid you mean `beta1`?"),
        ({"beta1": 1}, "beta1=1 is out of its range (decay rate of the first moment, the average of the gradients)\n"
                       "Choose beta1 with 0 <= beta1 < 1."),
        ({"lr": -1.0}, "lr=-1.0 is out of its range (learning rate: the size of a step)\nChoose lr with 0 <= lr."),
        ({"eps": math.nan}, "eps=nan is out of its range (added to the denominator, so that a zero moment divides "
                            "nothing by zero)\nChoose eps with 0 <= eps."),
        ({"lr": "1"}, "lr='1' is not a number\nGive lr a number."),
        ({"lr": True}, "lr=True is not a number\nGive lr a number."),
    ):  # fmt: skip
        with pytest.raises((BadValue, UnknownName)) as caught:
            made.check_knobs(knobs)
        assert str(caught.value) == text


def test_a_knob_of_the_rules_own_may_be_any_number() -> None:
    made = rule("def f(x, *, kappa=2): return x * kappa")
    made.check_knobs({"kappa": -math.inf})
    assert (made.meaning("kappa").sentence, made.meaning("kappa").range) == ("a number of the rule's own", "any number")
    published = of_tree(made.tree, paper="a paper")
    assert published.meaning("kappa").sentence == "see the paper"


ANY_NAME = (
    "steps",
    "start",
    "keep",
    "rule",
    "state",
    "dtype",
    "to",
    "force",
    "self",
    "knobs",
    "i",
    "name",
    "tensor",
    "args",
)


@pytest.mark.parametrize("name", ANY_NAME)
def test_a_knob_may_have_the_name_of_an_argument(name: str, tmp_path: Path) -> None:
    text = f"def f(x, g, m=0, *, {name}=2):\n    m = m + g\n    return x - {name} * m\n"
    made = rule(text)
    assert made.knobs == {name: 2.0}
    made.check_knobs({name: 3})
    assert made.unknown_knob(f"{name}s").cure == f"Did you mean `{name}`?"
    knobs: dict[str, Any] = {name: 3.0}
    assert step(made, 1.0, 2.0, 1, None, **knobs).x == 1.0 - 3.0 * 2.0
    run = rule(loaded(tmp_path / "f.py", text, "f"))
    assert (run(1, 2), run(1, 2, **knobs), run(x=1, g=2, m=1, **knobs)) == (-3, -5, -8)


@pytest.mark.parametrize(
    ("text", "knob", "sentence"),
    [
        ("m = beta2 * m + (1 - beta2) * g", "beta2", "decay rate of the second average"),
        ("m = m + g**2", "beta2", "decay rate of the second average"),
        (
            "m = beta2 * m + (1 - beta2) * g**2",
            "beta2",
            "decay rate of the second moment, the average of the squared gradients",
        ),
        ("m = beta2 * m + g * g", "beta2", "decay rate of the second moment, the average of the squared gradients"),
        (
            "s = g**2\n    m += (1 - beta2) * (s - m)",
            "beta2",
            "decay rate of the second moment, the average of the squared gradients",
        ),
        (
            "b = 1 - t**-beta2\n    m = b * m + (1 - b) * g**2",
            "beta2",
            "decay rate of the second moment, the average of the squared gradients",
        ),
        (
            "m = beta2 * m + g @ transpose(g)",
            "beta2",
            "decay rate of the second moment, the average of the squared gradients",
        ),
        ("m = rho * m + abs(g)", "rho", "decay rate of an average"),
        ("m = rho * m + (1 - rho) * g**2", "rho", "decay rate of the average of the squared gradients"),
    ],
)
def test_a_knob_is_described_as_it_is_used(text: str, knob: str, sentence: str) -> None:
    made = rule(f"def f(x, g, t, m=0, *, {knob}=0.9):\n    {text}\n    return x - m")
    assert made.meaning(knob).sentence == sentence
    assert made.meaning(knob).range == "0 <= value < 1"


def test_a_callable_that_is_no_function() -> None:
    with pytest.raises(LanguageError, match="is not a Python function"):
        _ = rule(functools.partial(lambda x: x, 1)).tree
    with pytest.raises(LanguageError):
        _ = rule(lambda x: x).tree


def test_a_rule_goes_to_another_process_as_its_text() -> None:
    """A decorated rule could not be pickled: its name stands for the rule, and not for the function in it."""
    made = of_tree(rule(ADAM).tree, paper="this one", doc="Says so.", knobs={"lr": "how fast"})
    for one in (decorated, rule(ADAM), made):
        kept = pickle.dumps(one)
        there = pickle.loads(kept)
        assert there == one and hash(there) == hash(one)
        assert (there.paper, there.doc, there.knob_sentences) == (one.paper, one.doc, one.knob_sentences)
        assert there.source.text == one.source.text and there.level is one.level
        assert copy.copy(one) is copy.deepcopy([one])[0] is one
    with pytest.raises(BadValue, match="text is never executed"):
        pickle.loads(pickle.dumps(decorated))(1.0, 1.0)


def test_a_pickled_rule_runs_nothing_and_says_what_is_wrong_with_it() -> None:
    wrong = Rule("def f(x, g): return x - print(g)")
    with pytest.raises(LanguageError, match="print"):
        _ = pickle.loads(pickle.dumps(wrong)).tree
