"""Styles in torch, JAX and optax."""

from benchmarks.fixes.style import Style

TORCH = Style("a torch optimizer", "MyAdam", "adam", '''\
import math
import torch
from torch.optim import Optimizer


class MyAdam(Optimizer):

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        defaults = dict(lr=lr, betas=betas, eps=eps)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad
                state = self.state[p]
                if len(state) == 0:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_avg_sq"] = torch.zeros_like(p)
                exp_avg, exp_avg_sq = state["exp_avg"], state["exp_avg_sq"]
                state["step"] += 1
                exp_avg.mul_(beta1).add_(grad, alpha=1 - beta1)
                exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
                bias_correction1 = 1 - beta1 ** state["step"]
                bias_correction2 = 1 - beta2 ** state["step"]
                denom = (exp_avg_sq.sqrt() / math.sqrt(bias_correction2)).add_(group["eps"])
                step_size = group["lr"] / bias_correction1
                p.addcdiv_(exp_avg, denom, value=-step_size)
''', (
    (".addcmul_(grad, grad, value=1 - beta2)", ".add_(grad, alpha=1 - beta2)"),
    ("add_(grad, alpha=1 - beta1)", "add_(grad)"),
    ("math.sqrt(bias_correction2)", "bias_correction2"),
    ('group["lr"] / bias_correction1', 'group["lr"]'),
    ('exp_avg_sq.sqrt() /', 'exp_avg_sq /'),
    ("value=-step_size", "value=step_size"),
    ("exp_avg.mul_(beta1)", "exp_avg.mul_(beta2)"),
    ("1 - beta2 ** state", "1 - beta1 ** state"),
    ('state["exp_avg_sq"] = torch.zeros_like(p)', 'state["exp_avg_sq"] = torch.ones_like(p)'),
    ('.add_(group["eps"])', ''),
    ('                state["step"] += 1\n', ''),
    ("exp_avg_sq.mul_(beta2).addcmul_", "exp_avg_sq.addcmul_"),
))  # fmt: skip

LERP = Style("torch with lerp and decay", "Decoupled", "adamw", '''\
import torch


class Decoupled(torch.optim.Optimizer):
    def __init__(self, params, lr=1e-3, betas=(.9, .999), eps=1e-8, weight_decay=1e-2):
        super().__init__(params, {'lr': lr, 'betas': betas, 'eps': eps, 'weight_decay': weight_decay})

    def step(self):
        with torch.no_grad():
            for G in self.param_groups:
                for P in G['params']:
                    if P.grad is not None:
                        self.one(P, G)

    def one(self, P, G):
        S = self.state[P]
        if 'n' not in S:
            S['n'], S['m'], S['v'] = 0, torch.zeros_like(P), torch.zeros_like(P)
        b1, b2 = G['betas']
        S['n'] += 1
        P.mul_(1 - G['lr'] * G['weight_decay'])
        S['m'].lerp_(P.grad, 1 - b1)
        S['v'].mul_(b2).addcmul_(P.grad, P.grad, value=1 - b2)
        m = S['m'] / (1 - b1 ** S['n'])
        v = S['v'] / (1 - b2 ** S['n'])
        P.sub_(G['lr'] * m / (v.sqrt() + G['eps']))
''', (
    ("S['m'].lerp_(P.grad, 1 - b1)", "S['m'].lerp_(P.grad, b1)"),
    ("value=1 - b2)", "value=b2)"),
    ("        P.mul_(1 - G['lr'] * G['weight_decay'])\n", ""),
    ("P.mul_(1 - G['lr'] * G['weight_decay'])", "P.mul_(1 - G['weight_decay'])"),
    ("m = S['m'] / (1 - b1 ** S['n'])", "m = S['m']"),
    ("(v.sqrt() + G['eps'])", "(v + G['eps']).sqrt()"),
    ("P.sub_(", "P.add_("),
    ("v = S['v'] / (1 - b2 ** S['n'])", "v = S['v'] / (1 - b2)"),
    ("        m = S['m'] / (1 - b1 ** S['n'])\n", "        m = S['m'].div_(1 - b1 ** S['n'])\n"),
    ("(v.sqrt() + G['eps'])", "(v + G['eps'])"),
))  # fmt: skip

JAX = Style("jax, a step of trees", "adam_update", "adam", '''\
import jax
import jax.numpy as jnp


def adam_update(params, grads, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    m, v, step = state
    step = step + 1
    m = jax.tree_util.tree_map(lambda m, g: beta1 * m + (1 - beta1) * g, m, grads)
    v = jax.tree_util.tree_map(lambda v, g: beta2 * v + (1 - beta2) * g**2, v, grads)

    def one(p, m, v):
        m_hat = m / (1 - beta1**step)
        v_hat = v / (1 - beta2**step)
        return p - lr * m_hat / (jnp.sqrt(v_hat) + eps)

    return jax.tree_util.tree_map(one, params, m, v), (m, v, step)


def init_state(params):
    zeros = jax.tree_util.tree_map(jnp.zeros_like, params)
    return zeros, zeros, 0
''', (
    ("g**2", "g"),
    ("(1 - beta1) * g", "g"),
    ("jnp.sqrt(v_hat)", "v_hat"),
    ("v / (1 - beta2**step)", "v"),
    ("beta2 * v +", "beta1 * v +"),
    ("p - lr", "p + lr"),
))  # fmt: skip

OPTAX = Style("an optax transformation", "scale_by_mine", "rmsprop", '''\
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax


class MineState(NamedTuple):
    nu: optax.Updates


def scale_by_mine(learning_rate=0.01, decay=0.9, eps=1e-8):
    def init(params):
        return MineState(nu=jax.tree.map(jnp.zeros_like, params))

    def update(updates, state, params=None):
        nu = jax.tree.map(lambda n, u: decay * n + (1 - decay) * u * u, state.nu, updates)
        updates = jax.tree.map(lambda u, n: -learning_rate * u / (jnp.sqrt(n) + eps), updates, nu)
        return updates, MineState(nu=nu)

    return optax.GradientTransformation(init, update)
''', (
    ("(1 - decay) * u * u", "(1 - decay) * u"),
    ("(1 - decay) * u * u", "u * u"),
    ("jnp.sqrt(n) + eps", "n + eps"),
    ("-learning_rate * u", "learning_rate * u"),
    ("jnp.zeros_like", "jnp.ones_like"),
    ("MineState(nu=nu)", "MineState(nu=state.nu)"),
    ("(jnp.sqrt(n) + eps)", "jnp.sqrt(n)"),
))  # fmt: skip

STYLES = (TORCH, LERP, JAX, OPTAX)
