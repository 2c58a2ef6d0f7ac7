"""Kernels of more than two dimensions: a rule per matrix refuses them, or flattens them as it says. Never a batch."""

from __future__ import annotations

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch

import mhat
from mhat.language import of_tree, rule
from mhat.language.fit import matrix_of
from mhat.names import find_rule
from mhat.printers.python import module_text, rule_text

TEXT = """
def whitened(x, g, m=0, r=1, *, lr=0.1, momentum=0.9):
    m = momentum * m + g
    r = 0.5 * r + row_mean(m**2)
    return x - lr * orthogonal(m) / sqrt(r) * norm(g)
"""
PLAIN = rule(TEXT)
FIRST = rule('@rule(flatten="first")' + TEXT)
LAST = rule("@rule(flatten='last')" + TEXT)
KERNEL = np.random.default_rng(0).standard_normal((3, 2, 2, 4))
SHAPES = {"first": (3, 16), "last": (12, 4)}


@mhat.rule(paper="nobody 2026", flatten="first")
def decorated(x, g, m=0, r=1, *, lr=0.1, momentum=0.9):
    m = momentum * m + g
    r = 0.5 * r + row_mean(m**2)  # noqa: F821
    return x - lr * orthogonal(m) / sqrt(r) * norm(g)  # noqa: F821


HOW = "last"
by_name = mhat.rule(flatten=HOW)(decorated.__wrapped__)


def test_it_is_part_of_the_rule() -> None:
    assert (
        FIRST != PLAIN and FIRST.tree.flatten == "first" and LAST.tree.flatten == "last" and PLAIN.tree.flatten is None
    )
    assert rule_text(FIRST).startswith('@rule(flatten="first")\ndef whitened(')
    assert rule(rule_text(FIRST)) == FIRST and rule(str(LAST)) == LAST
    assert decorated.tree.flatten == "first" and decorated.paper == "nobody 2026"
    assert by_name.tree.flatten == "last"
    assert module_text(FIRST, "It whitens.").count("@rule") == 1
    for made in (FIRST, decorated, by_name, of_tree(LAST.tree)):
        assert pickle.loads(pickle.dumps(made)) == made == copy.deepcopy(made)


def test_a_file_that_is_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(f'from mhat import rule\n\n@rule(flatten="first"){TEXT}')
    assert find_rule("mine.py:whitened") == FIRST


@pytest.mark.parametrize("made", [FIRST, LAST], ids=SHAPES)
def test_a_step_is_that_of_the_matrix(made: mhat.Rule) -> None:
    shape = SHAPES[str(made.tree.flatten)]
    assert matrix_of(made, KERNEL.shape) == shape
    expected = mhat.step(PLAIN, np.zeros(shape), KERNEL.reshape(shape), 1)
    again = mhat.step(PLAIN, expected.x, KERNEL.reshape(shape), 2, expected.state)
    for convert in (np.asarray, torch.tensor):
        first = mhat.step(made, convert(np.zeros(KERNEL.shape)), convert(KERNEL), 1)
        second = mhat.step(made, first.x, convert(KERNEL), 2, first.state)
        assert tuple(second.x.shape) == KERNEL.shape and tuple(first.state["m"].shape) == shape
        np.testing.assert_allclose(np.asarray(second.x).reshape(shape), again.x, rtol=1e-12)
    # A matrix stays what it is.
    assert np.array_equal(mhat.step(made, np.zeros((2, 3)), np.ones((2, 3)), 1).x,
                          mhat.step(PLAIN, np.zeros((2, 3)), np.ones((2, 3)), 1).x)  # fmt: skip


@pytest.mark.parametrize("layout", ["C", "F"])
def test_an_optimizer_flattens(layout: str) -> None:
    kernel, matrix = np.array(np.ones(KERNEL.shape), order=layout), np.ones((2, 3))
    opt = mhat.Optimizer(FIRST, [kernel, matrix])
    x, state = np.ones(KERNEL.shape), None
    for t in (1, 2):
        opt.step([KERNEL * t, np.eye(2, 3)])
        x, state, _ = mhat.step(FIRST, x, KERNEL * t, t, state)
    assert np.array_equal(kernel, x) and opt.state["m"][0].shape == (3, 16)
    other = mhat.Optimizer(FIRST, [kernel.copy(), matrix.copy()])
    other.load_state_dict(opt.state_dict())
    assert np.array_equal(other.state["r"][0], opt.state["r"][0])
    assert pickle.loads(pickle.dumps(opt)).rule == FIRST


FLATTEN = 'Give a tensor of rows and columns, or say in the rule how it becomes one: @mhat.rule(flatten="first").'
ANOTHER = "Give a tensor of rows and columns, or another rule for this one."


def test_steps_refuse_what_is_no_matrix() -> None:
    for made, shape, cure in (
        (PLAIN, (3, 2, 2, 4), FLATTEN), (PLAIN, (3,), ANOTHER), (FIRST, (3,), ANOTHER), (FIRST, (), ANOTHER),
        (PLAIN, (0, 2, 2), ANOTHER), (FIRST, (0, 2, 2), ANOTHER),
    ):  # fmt: skip
        with pytest.raises(mhat.errors.BadValue) as caught:
            mhat.step(made, np.zeros(shape), np.zeros(shape), 1)
        assert "`row_mean(m**2)` works on a matrix, and x " in str(caught.value), shape
        assert str(caught.value).endswith(cure)


def test_shapes_that_only_flatten_alike_are_refused() -> None:
    with pytest.raises(mhat.errors.BadValue, match=r"x has the shape \(3, 2, 2, 4\) and g the shape \(3, 16\)"):
        mhat.step(FIRST, np.zeros((3, 2, 2, 4)), np.zeros((3, 16)), 1)


def test_an_optimizer_refuses_by_name() -> None:
    for made, params, said in (
        (PLAIN, [np.zeros((2, 3)), np.zeros((3, 2, 2))],
         f"whitened is a rule per matrix, and params[1] has the shape (3, 2, 2)\n{FLATTEN}"),
        (FIRST, {"w": np.zeros((2, 3)), "b": np.zeros(3)},
         "whitened is a rule per matrix, and params['b'] has the shape (3,)\n"
         "Give it another rule: Optimizer({whitened: mhat.matrices, adamw: mhat.rest}, params)."),
    ):  # fmt: skip
        with pytest.raises(mhat.errors.BadValue) as caught:
            mhat.Optimizer(made, params)
        assert str(caught.value) == said


def test_what_is_not_known_is_refused_at_its_place() -> None:
    cure = (
        'Write flatten="first" (all axes but the first together), or flatten="last" (all axes but the last together).'
    )
    with pytest.raises(mhat.errors.LanguageError) as caught:
        rule('@rule(flatten="rows")\ndef f(x, g): return x - orthogonal(g)')
    assert str(caught.value) == (
        f"<rule>, line 1: `flatten='rows'` is not known\n    @rule(flatten=\"rows\")\n          ^^^^^^^^^^^^^^\n{cure}"
    )
    with pytest.raises(mhat.errors.LanguageError) as caught:
        mhat.rule(flatten=2)(decorated.__wrapped__)
    assert str(caught.value) == f"`flatten=2` is not known\n{cure}"
