"""Rules per matrix are driven with matrices, held against the exact oracle, and their mistakes are named."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mhat
from mhat.checks.matrices import oracle
from mhat.checks.matrices.gradients import looks_at_rows
from mhat.checks.matrices.orthogonals import computed_in, in_few_digits
from mhat.checks.question import Question
from mhat.errors import BadValue
from mhat.language import Level, Rule
from mhat.mistakes import edits_of
from mhat.mistakes.slots import assembled
from mhat.names import find_subject
from mhat.search.matrices import Layout, MatrixEvaluator, MatrixProbes
from mhat.subjects.rules import subject_of_rule
from tests.checks.matrix_ports import (
    KELLER,
    MUON,
    RIGHT,
    SHAMPOO,
    WRONG,
    KellerMuon,
    Muon,
    MuonBySingularVectors,
    MuonClamped,
    WithoutNesterov,
    run_muon,
)


@pytest.mark.parametrize(("rule", "port"), RIGHT, ids=[port.__name__ for _, port in RIGHT])
def test_right_ports_conform(rule: Rule, port: Any) -> None:
    verdict = mhat.check(port, rule)
    assert verdict.conforms, str(verdict)
    assert verdict.estimated == ({"lr": 0.05, "momentum": 0.9} if port.__name__ == "MuonHidden" else {})


@pytest.mark.parametrize(("rule", "port", "named"), WRONG, ids=[port.__name__ for _, port, _ in WRONG])
def test_mistakes_are_named(rule: Rule, port: Any, named: str) -> None:
    verdict = mhat.check(port, rule)
    assert not verdict.conforms
    assert verdict.diagnosis is not None
    assert named in "; ".join(verdict.diagnosis.sentences)


def test_the_polar_factor_is_a_dialect_and_can_be_refused() -> None:
    verdict = mhat.check(MuonBySingularVectors, MUON)
    assert verdict.conforms
    assert verdict.dialect is not None
    assert verdict.dialect.startswith("`orthogonal` is the polar factor itself")
    refused = mhat.check(MuonBySingularVectors, MUON, dialects=False)
    assert not refused.conforms


def test_another_guard_against_dividing_by_zero_is_noted() -> None:
    (note,) = mhat.check(MuonClamped, MUON).notes
    assert note.startswith("what is left between it and the rule is no more than another number may change that keeps")


def test_a_deviation_shows_the_smallest_matrices() -> None:
    deviation = mhat.check(WithoutNesterov, MUON).deviation
    assert deviation is not None
    assert deviation.matrices is not None
    assert deviation.matrices.gradients == (((1.0, 1.0),), ((1.0, 0.0),))
    assert (deviation.step, deviation.matrices.row) == (2, 1)
    # The entry that shows it most is the one that a figure follows.
    entry = deviation.matrices.column - 1
    assert deviation.gradients == tuple(matrix[0][entry] for matrix in deviation.matrices.gradients)
    assert deviation.course is not None
    assert deviation.course.named is not None
    assert np.allclose(deviation.course.named, deviation.course.got, rtol=1e-6)


def test_matrices_are_shown_in_columns() -> None:
    verdict = mhat.check(KellerMuon, SHAMPOO, seconds=0.1)
    page = str(verdict)
    assert "shown by this gradient of 1 row and 1 column, in row 1 and column 1:" in page
    assert "  step  gradient  " in page
    assert "[1]" in page
    assert "<td>[1]</td>" in verdict._repr_html_()
    assert '"matrices": {' in verdict.to_json()


def test_two_on_matrices_are_compared() -> None:
    answer = mhat.compare(Muon, WithoutNesterov, seconds=2.0)
    assert not answer.same
    assert answer.deviation is not None
    assert answer.deviation.matrices is not None
    assert "Muon and WithoutNesterov part at step 2" in str(answer)
    assert mhat.compare(Muon, run_muon, seconds=2.0).deviation is None


def test_where_no_rule_per_matrix_is_known_it_is_said_so() -> None:
    notes = mhat.identify(Muon).notes
    per_matrix = [name for name in mhat.rules.names() if mhat.rules.named(name).level == Level.MATRIX]
    assert per_matrix or any(note.startswith("it makes something else of a matrix than") for note in notes)


def test_what_looks_at_rows_is_seen() -> None:
    assert looks_at_rows(find_subject(Muon, against=MUON))
    assert looks_at_rows(subject_of_rule(SHAMPOO))
    assert not looks_at_rows(subject_of_rule(mhat.rules.named("adam")))
    assert not looks_at_rows(subject_of_rule(mhat.rules.named("lamb")))


def test_a_record_of_matrices_is_refused(tmp_path: Any) -> None:
    path = tmp_path / "run.npz"
    np.savez(path, g=np.ones((6, 2)), x=np.ones((6, 2)))
    with pytest.raises(BadValue, match="muon is a rule per matrix, and a record does not say what its rows"):
        mhat.check(recorded=path, against=MUON)


@pytest.mark.parametrize("rule", [MUON, KELLER, SHAMPOO], ids=lambda rule: rule.name)
def test_the_evaluator_gives_what_the_engines_give(rule: Rule) -> None:
    rng = np.random.default_rng(3)
    shapes = ((3, 2), (2, 2))
    gradients = tuple(rng.normal(size=(2, 5, *shape)) for shape in shapes)
    starts = tuple(rng.normal(size=(2, *shape)) for shape in shapes)
    probes = MatrixProbes.of([Layout(gradients, starts, {"lr": np.array([0.1, 0.3])[:, None, None]}, (1, 2), 2)])
    made = MatrixEvaluator(probes).run(rule.tree)
    exact = oracle.expected(rule, probes, {})
    assert np.allclose(made, exact, rtol=1e-10, atol=1e-11)
    for sheet in probes.sheets:
        g, x = gradients[sheet.tensor][sheet.probe], starts[sheet.tensor][sheet.probe]
        own = subject_of_rule(rule).run(g, x, {"lr": (0.1, 0.3)[sheet.probe]})
        assert np.allclose(made[:, 0, 0, sheet.begin : sheet.end].reshape(g.shape), own, rtol=1e-10, atol=1e-11)


def test_the_bound_holds_every_allowed_spelling_and_no_mistake() -> None:
    question = Question(subject_of_rule(MUON), MUON)
    probes = question.searched.probes
    assert isinstance(probes, MatrixProbes)
    exact = oracle.expected(MUON, probes, {})
    limit = oracle.bound(MUON, probes, {}, exact, "float64")
    scale = probes.pooled(oracle.update_scale(exact, probes.base))
    assert float(np.max(limit / scale)) < 1e-9
    float32 = oracle.run(oracle.Way(oracle.Form(MUON)), probes, {}, "float32")
    assert (np.abs(float32 - exact) > limit).any()


def test_few_digits_are_seen_by_what_changes_nothing() -> None:
    def stepping(orthogonal: Any) -> Any:
        return lambda g: 0.1 * orthogonal(g)

    assert computed_in(stepping(in_few_digits("bfloat16")[0]), "float64") == "bfloat16"
    assert computed_in(stepping(lambda g: oracle.iterated(g)), "float64") == "float64"


@pytest.mark.parametrize("rule", [MUON, SHAMPOO, KELLER], ids=lambda rule: rule.name)
def test_every_edit_of_a_rule_per_matrix_runs_or_says_so(rule: Rule) -> None:
    probes = MatrixProbes.of([Layout((np.ones((1, 2, 2, 3)),), (np.ones((1, 2, 3)),), {}, (1,), 1)])
    evaluator, ran = MatrixEvaluator(probes), 0
    for edit in edits_of(rule.tree).all:
        tree = assembled(rule.tree, dict(edit.changes))
        if tree is None:
            continue
        try:
            evaluator.run(tree)
        except (KeyError, ValueError, TypeError):
            continue
        ran += 1
    assert ran > 300


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_states_of_other_shapes_start_as_a_number(dtype: str) -> None:
    """SOAP's bases start as 0 and are multiplied before they are set: a number fills the matrix that it stands for."""
    assert mhat.check("soap", dtype=dtype).conforms
