"""Parameters that are spread over eight devices, in a process of its own: the flag of XLA counts before JAX starts."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import jax, jax.numpy as jnp, numpy as np, optax
from jax.sharding import NamedSharding, PartitionSpec
from mhat.bridges.optax import transformation

assert len(jax.devices()) == 8
mesh = jax.make_mesh((4, 2), ("a", "b"))
rows, both = (NamedSharding(mesh, PartitionSpec(*axes)) for axes in (("a",), ("a", "b")))
generator = np.random.default_rng(0)
plain = {"w": jnp.asarray(generator.normal(size=(8, 4)), "float32"), "b": jnp.asarray(np.ones(8), "float32")}
params = {"w": jax.device_put(plain["w"], both), "b": jax.device_put(plain["b"], rows)}
for name in ("adamw", "adan", "prodigy", "schedule_free"):
    tx = transformation(name)

    def step(params, state):
        updates, state = tx.update(params, state, params)
        return optax.apply_updates(params, updates), state

    step = jax.jit(step)
    state = tx.init(params)
    for states in state.states.values():
        for leaf, of in ((states["w"], both), (states["b"], rows)):
            assert leaf.ndim == 0 or leaf.sharding.is_equivalent_to(of, leaf.ndim), (name, leaf.sharding)
    x, own = params, state
    alone, theirs = plain, tx.init(plain)
    for _ in range(3):
        x, own = step(x, own)
        alone, theirs = step(alone, theirs)
    for leaf, before in zip(jax.tree.leaves(own), jax.tree.leaves(state), strict=True):
        assert leaf.shape == before.shape and leaf.dtype == before.dtype
    for states in own.states.values():
        for leaf, of in ((states["w"], both), (states["b"], rows)):
            assert leaf.ndim == 0 or leaf.sharding.is_equivalent_to(of, leaf.ndim), (name, leaf.sharding)
    for key in x:
        np.testing.assert_allclose(x[key], alone[key], rtol=2e-6, atol=1e-9)
print("done")
"""


def test_states_lie_where_the_parameters_lie() -> None:
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    environment = {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "PYTHONPATH": os.pathsep.join(sys.path)}
    ran = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=environment, cwd=Path(__file__).parent, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert ran.stdout.strip() == "done", ran.stderr[-3000:]
