"""Newton and Schulz's iteration with coefficients of a name, and identities: every engine, printed, swept, refused."""

from __future__ import annotations

import jax
import numpy as np
import optax.contrib._muon as optax_muon
import pytest

import mhat
from mhat.language import rule
from mhat.ops import orthogonal
from mhat.ops.orthogonality import SETS
from mhat.printers.latex import expression_latex
from mhat.printers.python import rule_text
from tests.engines.columns import doubles
from tests.engines.test_matrices import ENGINES, matrix, on_floats

G = matrix((4, 6))
X = np.zeros((4, 6))


def made(text: str) -> mhat.rule:  # type: ignore[valid-type]
    return rule(f"def f(x, g, *, lr=1, eps=1e-8):\n    u = {text}\n    return x - lr * u")


def by_hand(a: np.ndarray, name: str, rounds: int | None = None, eps: float = 1e-7) -> np.ndarray:
    x = a / (np.linalg.norm(a) * SETS[name].stretch + eps)
    triples = SETS[name].rounds if rounds is None else [SETS[name].of(rounds)[i] for i in range(rounds)]
    for first, second, third in triples:
        square = x @ x.T
        x = first * x + (second * square + third * square @ square) @ x
    return x


@pytest.mark.parametrize("name", SETS)
def test_each_set_is_its_polynomials(name: str) -> None:
    found = mhat.step(made(f'orthogonal(g, set="{name}")'), X, G, 1).variables["u"]
    np.testing.assert_allclose(found, by_hand(G, name), rtol=1e-10, atol=1e-12)
    values = np.linalg.svd(found, compute_uv=False)
    assert (np.abs(values - 1) < {"jordan": 0.35, "quintic": 0.25}.get(name, 0.02)).all()


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", ["quintic", "polar express"])
def test_every_engine_agrees(name: str, engine: object) -> None:
    function = made(f'orthogonal(g, set="{name}", rounds=3)')
    expected = mhat.step(function, X, G, 1).variables["u"]
    np.testing.assert_allclose(expected, by_hand(G, name, 3), rtol=1e-11, atol=1e-13)
    (usual,) = engine("orthogonal", G)  # type: ignore[operator]
    np.testing.assert_allclose(usual, on_floats("orthogonal", G)[0], atol=1e-11)


def test_eps_is_a_number_or_a_knob() -> None:
    for text in ("orthogonal(g, eps=0.5)", "orthogonal(g, eps=eps)", "orthogonal(transpose(g), eps=eps)"):
        found = mhat.step(made(text.replace("transpose(g)", "transpose(transpose(g))")), X, G, 1, eps=0.5).x
        np.testing.assert_allclose(-found, by_hand(G, "jordan", eps=0.5), rtol=1e-11, atol=1e-13)
    swept = mhat.trace(made("orthogonal(g, eps=eps)"), G[None], eps=[0.5, 1e-8])
    np.testing.assert_allclose(swept.u[0, 0], by_hand(G, "jordan", eps=0.5), rtol=1e-11, atol=1e-13)
    opt = mhat.Optimizer(made("orthogonal(g, eps=eps)"), x := X.copy(), eps=0.5)
    opt.step(G)
    np.testing.assert_allclose(-x, by_hand(G, "jordan", eps=0.5), rtol=1e-11, atol=1e-13)


def test_what_is_usual_is_not_printed() -> None:
    assert rule_text(made('orthogonal(g, set="jordan", rounds=5)')) == rule_text(made("orthogonal(g)"))
    text = 'orthogonal(g, set="polar express", rounds=5, eps=eps)'
    assert text in rule_text(made(text)) and rule(rule_text(made(text))) == made(text)
    assert made(text) != made("orthogonal(g, eps=eps)")
    node = made(text).tree.body[0].value
    assert expression_latex(node).startswith(r"\mathrm{orthogonal}_{\mathrm{polar\ express},\mathrm{5}}")


def test_on_numbers() -> None:
    assert orthogonal(3.0, set="cubic", rounds=30) == pytest.approx(1.0)
    assert (
        orthogonal(3.0, eps=3.0) == mhat.step(made("orthogonal(g, eps=3)"), X[:1, :1], np.full((1, 1), 3.0), 1).x * -1
    )


def test_optax_has_the_same() -> None:
    with doubles():
        coefficients = jax.numpy.asarray(SETS["quintic"].rounds)
        theirs = optax_muon.orthogonalize_via_newton_schulz(
            jax.numpy.asarray(G), coefficients, 5, "frobenius", 1e-8, optax_muon.MuonDimensionNumbers()
        )
    found = mhat.step(made('orthogonal(g, set="quintic", eps=1e-8)'), X, G, 1).variables["u"]
    np.testing.assert_allclose(found, np.asarray(theirs), rtol=1e-10, atol=1e-12)


WHITE = rule("""
def white(x, g, left="identity(g @ transpose(g))", *, lr=0.1, beta2=0.9):
    left = beta2 * left + (1 - beta2) * g @ transpose(g)
    eye = identity(left)
    return x - lr * (left + eye) @ g
""")


def test_identities_start_a_state() -> None:
    expected = 0.9 * np.eye(4) + 0.1 * G @ G.T
    found = mhat.step(WHITE, X, G, 1)
    np.testing.assert_allclose(found.state["left"], expected, rtol=1e-13)
    assert np.array_equal(found.variables["eye"], np.eye(4))
    opt = mhat.Optimizer(WHITE, x := X.copy())
    opt.step(G)
    np.testing.assert_allclose(x, found.x, rtol=1e-13)
    trace = mhat.trace(WHITE, np.stack([G, G]), beta2=[0.5, 0.9])
    np.testing.assert_allclose(trace.left.sel(beta2=0.9, step=1), found.state["left"], rtol=1e-13)
    # What is not finite is no reason for another identity.
    bad = mhat.step(rule("def f(x, g): return x + identity(g / 0)"), np.zeros((2, 2)), np.ones((2, 2)), 1)
    assert np.array_equal(bad.x, np.eye(2))


def test_an_identity_is_square() -> None:
    with pytest.raises(mhat.errors.BadValue) as caught:
        mhat.step(rule("def f(x, g): return x + identity(g)"), X, G, 1)
    assert str(caught.value) == (
        "<rule>, line 1: `identity(g)` works on a square matrix, and this one has the shape (4, 6), where x has the "
        "shape (4, 6)\n    def f(x, g): return x + identity(g)\n                            ^^^^^^^^^^^\n"
        "Give it a matrix such as `a @ transpose(a)`."
    )
