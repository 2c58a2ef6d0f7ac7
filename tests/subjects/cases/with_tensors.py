"""Code that is written for tensors of torch and inherits from nothing of torch."""
import torch

CASES = {
    "TensorAdam": ("adam", True), "functional_adamw": ("adamw", True), "momentum_over": ("momentum", True),
    "adam_over": ("adam", True), "sgd_over": ("sgd", True), "adam_with_state": ("adam", True),
    "lists_of_states": ("adam", True), "make_adam": ("adam", True), "OverAModule": ("sgd", True),
    "counts_late": ("adam", False),
}  # fmt: skip


class TensorAdam:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr, self.betas, self.eps, self.t = list(params), lr, betas, eps, 0
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self):
        self.t += 1
        b1, b2 = self.betas
        for p, m, v in zip(self.params, self.m, self.v):
            if p.grad is None:
                continue
            m.mul_(b1).add_(p.grad, alpha=1 - b1)
            v.mul_(b2).addcmul_(p.grad, p.grad, value=1 - b2)
            p.sub_(self.lr * (m / (1 - b1**self.t)) / ((v / (1 - b2**self.t)).sqrt() + self.eps))


class OverAModule:
    def __init__(self, model, lr=0.01):
        self.model, self.lr = model, lr

    def step(self):
        with torch.no_grad():
            for p in self.model.parameters():
                p -= self.lr * p.grad


def functional_adamw(param, grad, m, v, t, lr=1e-3, weight_decay=0.01):
    param = param * (1 - lr * weight_decay)
    m = torch.lerp(m, grad, 0.1)
    v = 0.999 * v + 0.001 * torch.square(grad)
    return param - lr * (m / (1 - 0.9**t)) / (torch.sqrt(v / (1 - 0.999**t)) + 1e-8), m, v


def sgd_over(params, lr, batch_size):
    with torch.no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


def momentum_over(params, states, hyperparams):
    for p, v in zip(params, states):
        with torch.no_grad():
            v[:] = hyperparams["momentum"] * v + p.grad
            p[:] -= hyperparams["lr"] * v


def adam_over(params, states, hyperparams):
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad.data
        s[:] = 0.999 * s + 0.001 * p.grad.data ** 2
        v_corrected = v / (1 - 0.9 ** hyperparams["t"])
        s_corrected = s / (1 - 0.999 ** hyperparams["t"])
        p.data -= hyperparams["lr"] * v_corrected / (torch.sqrt(s_corrected) + 1e-6)
    hyperparams["t"] += 1


def counts_late(params, states, hyperparams):
    hyperparams["t"] += 1
    for p, (v, s) in zip(params, states):
        v[:] = 0.9 * v + 0.1 * p.grad.data
        s[:] = 0.999 * s + 0.001 * p.grad.data ** 2
        v_corrected = v / (1 - 0.9 ** (hyperparams["t"] + 1))
        s_corrected = s / (1 - 0.999 ** hyperparams["t"])
        p.data -= hyperparams["lr"] * v_corrected / (torch.sqrt(s_corrected) + 1e-6)


def adam_with_state(grad, adam_state):
    if adam_state["m"] is None:
        adam_state["m"], adam_state["v"] = torch.zeros_like(grad), torch.zeros_like(grad)
    adam_state["step"] += 1
    adam_state["m"] = 0.9 * adam_state["m"] + 0.1 * grad
    adam_state["v"] = 0.999 * adam_state["v"] + 0.001 * grad**2
    m_hat = adam_state["m"] / (1 - 0.9 ** adam_state["step"])
    v_hat = adam_state["v"] / (1 - 0.999 ** adam_state["step"])
    return 0.001 * m_hat / (torch.sqrt(v_hat) + 1e-8), adam_state


def get_adam_state():
    return {"m": None, "v": None, "step": 0}


def lists_of_states(params, grads, exp_avgs, exp_avg_sqs, state_steps, lr: float, beta1: float, beta2: float):
    for p, g, m, v, step in zip(params, grads, exp_avgs, exp_avg_sqs, state_steps):
        m.mul_(beta1).add_(g, alpha=1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        denominator = (v / (1 - beta2**step)).sqrt().add_(1e-8)
        p.addcdiv_(m, denominator, value=-lr / (1 - beta1**step))


def make_adam(lr=1e-3):
    def step_func(params, state, params_grad):
        t = state["t"] + 1
        m = [0.9 * a + 0.1 * g for a, g in zip(state["m"], params_grad)]
        v = [0.999 * a + 0.001 * g * g for a, g in zip(state["v"], params_grad)]
        moved = [
            p - lr * (a / (1 - 0.9**t)) / ((b / (1 - 0.999**t)) ** 0.5 + 1e-8) for p, a, b in zip(params, m, v)
        ]
        return moved, {"t": t, "m": m, "v": v}

    def init_func(params):
        return {"t": 0, "m": [torch.zeros_like(p) for p in params], "v": [torch.zeros_like(p) for p in params]}

    return step_func, init_func
