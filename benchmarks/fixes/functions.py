# ruff: noqa: E501
"""Styles with functions: a whole run, a step with states handed through, closures, scalar loops, scripts."""

from benchmarks.fixes.style import Style

WHOLE = Style("a whole run", "adam", "adam", '''\
import numpy as np

def adam(grads, alpha=0.001, b1=0.9, b2=0.999, eps=1e-8, theta0=0.0):
    theta = np.zeros_like(grads[0]) + theta0
    m = np.zeros_like(theta)
    v = np.zeros_like(theta)
    history = []
    for t in range(len(grads)):
        gt = grads[t]
        m = b1*m + (1-b1)*gt
        v = b2*v + (1-b2)*gt**2
        mhat = m/(1-b1**(t+1))
        vhat = v/(1-b2**(t+1))
        theta = theta - alpha*mhat/(np.sqrt(vhat)+eps)
        history.append(theta.copy())
    return np.array(history)
''', (
    ("gt**2", "gt"),
    ("(1-b1)*gt\n", "gt\n"),
    ("m/(1-b1**(t+1))", "m/(1-b1**t+1)"),
    ("v/(1-b2**(t+1))", "v/(1-b1**(t+1))"),
    ("m/(1-b1**(t+1))", "m"),
    ("v/(1-b2**(t+1))", "v*(1-b2**(t+1))"),
    ("mhat/(np.sqrt(vhat)+eps)", "mhat/np.sqrt(vhat)+eps"),
    ("mhat/(np.sqrt(vhat)+eps)", "m/(np.sqrt(vhat)+eps)"),
    ("np.sqrt(vhat)", "np.sqrt(v)"),
    ("        mhat = m/(1-b1**(t+1))\n", "        m = m/(1-b1**(t+1))\n        mhat = m\n"),
    ("    v = np.zeros_like(theta)\n", "    v = m\n"),
    ("b2*v + (1-b2)*gt**2", "b2*v + ((1-b2)*gt)**2"),
    ("theta - alpha*mhat", "theta - mhat"),
))  # fmt: skip

HANDED = Style("states handed through", "rmsprop_momentum_step", "adagrad", '''\
from math import sqrt


def rmsprop_momentum_step(w, dw, hist, *, step_size=0.01, epsilon=1e-8):
    hist = hist + dw ** 2  # accumulate
    denom = hist ** 0.5 + epsilon
    w = w - step_size / denom * dw
    return w, hist
''', (
    ("dw ** 2", "dw"),
    ("hist ** 0.5 + epsilon", "(hist + epsilon) ** 0.5"),
    ("hist ** 0.5 + epsilon", "hist + epsilon"),
    ("w - step_size", "w + step_size"),
    ("step_size / denom * dw", "step_size / (denom * dw)"),
    ("hist = hist + dw ** 2", "hist = dw ** 2"),
    ("step_size / denom * dw", "dw / denom"),
    ("hist ** 0.5 + epsilon", "hist ** 0.5"),
))  # fmt: skip

CLOSURE = Style("a closure", "make_adam", "adam", '''\
import numpy as np


def make_adam(lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
    b_m, b_v = betas
    memory = {"count": 0}

    def average(key, value, rate):
        memory[key] = rate * memory.get(key, 0) + (1 - rate) * value
        return memory[key] / (1 - rate ** memory["count"])

    def step(x, g):
        memory["count"] += 1
        direction = average("m", g, b_m)
        scale = average("v", g ** 2, b_v)
        return x - lr * direction / (np.sqrt(scale) + eps)

    return step
''', (
    ("g ** 2", "g"),
    ("(1 - rate) * value", "value"),
    ("memory[key] / (1 - rate ** memory[\"count\"])", "memory[key]"),
    ("rate ** memory[\"count\"]", "rate * memory[\"count\"]"),
    ("average(\"v\", g ** 2, b_v)", "average(\"v\", g ** 2, b_m)"),
    ("(np.sqrt(scale) + eps)", "np.sqrt(scale + eps)"),
    ("(np.sqrt(scale) + eps)", "(scale + eps)"),
    ("{\"count\": 0}", "{\"count\": 1}"),
    ("x - lr * direction", "x + lr * direction"),
    ("        memory[\"count\"] += 1\n", ""),
))  # fmt: skip

SCALARS = Style("plain floats", "sgd_momentum_scalar", "nesterov", '''\
def sgd_momentum_scalar(gradient_list, lr=0.01, mom=0.9):
    """One weight, by hand."""
    w, vel = 0.0, 0.0
    path = []
    for grad in gradient_list:
        vel = mom * vel + grad
        step = grad + mom * vel
        w = w - lr * step
        path.append(w)
    return path
''', (
    ("grad + mom * vel", "grad + vel"),
    ("grad + mom * vel", "vel"),
    ("mom * vel + grad", "mom * vel - grad"),
    ("w = w - lr", "w = w + lr"),
    ("w = w - lr * step", "w = w - step"),
    ("        vel = mom * vel + grad\n        step = grad + mom * vel\n", "        step = grad + mom * vel\n        vel = mom * vel + grad\n"),
    ("mom * vel + grad", "vel + grad"),
))  # fmt: skip

MATRICES = Style("weights and biases apart", "update_parameters_with_adam", "adam", '''\
import numpy as np

def update_parameters_with_adam(parameters, grads, v, s, t, learning_rate=0.01,
                                beta1=0.9, beta2=0.999, epsilon=1e-8):
    L = len(parameters) // 2
    v_corrected = {}
    s_corrected = {}
    for l in range(L):
        v["dW" + str(l + 1)] = beta1 * v["dW" + str(l + 1)] + (1 - beta1) * grads['dW' + str(l + 1)]
        v["db" + str(l + 1)] = beta1 * v["db" + str(l + 1)] + (1 - beta1) * grads['db' + str(l + 1)]
        v_corrected["dW" + str(l + 1)] = v["dW" + str(l + 1)] / (1 - np.power(beta1, t))
        v_corrected["db" + str(l + 1)] = v["db" + str(l + 1)] / (1 - np.power(beta1, t))
        s["dW" + str(l + 1)] = beta2 * s["dW" + str(l + 1)] + (1 - beta2) * np.power(grads['dW' + str(l + 1)], 2)
        s["db" + str(l + 1)] = beta2 * s["db" + str(l + 1)] + (1 - beta2) * np.power(grads['db' + str(l + 1)], 2)
        s_corrected["dW" + str(l + 1)] = s["dW" + str(l + 1)] / (1 - np.power(beta2, t))
        s_corrected["db" + str(l + 1)] = s["db" + str(l + 1)] / (1 - np.power(beta2, t))
        parameters["W" + str(l + 1)] = parameters["W" + str(l + 1)] - learning_rate * v_corrected["dW" + str(l + 1)] / (np.sqrt(s_corrected["dW" + str(l + 1)]) + epsilon)
        parameters["b" + str(l + 1)] = parameters["b" + str(l + 1)] - learning_rate * v_corrected["db" + str(l + 1)] / (np.sqrt(s_corrected["db" + str(l + 1)]) + epsilon)
    return parameters, v, s
''', (
    ("s[\"db\" + str(l + 1)] / (1 - np.power(beta2, t))", "s[\"db\" + str(l + 1)] / (1 - np.power(beta1, t))"),
    ("np.sqrt(s_corrected[\"db\" + str(l + 1)]) + epsilon", "np.sqrt(s_corrected[\"db\" + str(l + 1)])"),
    ("np.power(grads['dW' + str(l + 1)], 2)", "grads['dW' + str(l + 1)]"),
    ("np.sqrt(s_corrected[\"dW\" + str(l + 1)])", "s_corrected[\"dW\" + str(l + 1)]"),
))  # fmt: skip

SCRIPT = Style("a script", "", "adam", '''\
# Adam on a list of gradients, after the blog post
import math

g_list = [0.3, -1.2, 0.7, 2.0, -0.4, 1.1, 0.2, -0.9, 0.5, 0.1] * 4
alpha = 0.001
beta_1, beta_2 = 0.9, 0.999
epsilon = 1e-8

theta_0 = 0
m_t = 0
v_t = 0
t = 0
thetas = []

for g_t in g_list:
    t += 1
    m_t = beta_1*m_t + (1-beta_1)*g_t
    v_t = beta_2*v_t + (1-beta_2)*(g_t*g_t)
    m_cap = m_t/(1-(beta_1**t))
    v_cap = v_t/(1-(beta_2**t))
    theta_0 = theta_0 - (alpha*m_cap)/(math.sqrt(v_cap)+epsilon)
    thetas.append(theta_0)
print(thetas[-1])
''', (
    ("(1-beta_1)*g_t\n", "(1-beta_2)*g_t\n"),
    ("m_t/(1-(beta_1**t))", "m_t/(1-(beta_1*t))"),
    ("v_t/(1-(beta_2**t))", "v_t"),
    ("(math.sqrt(v_cap)+epsilon)", "(math.sqrt(v_cap+epsilon))"),
    ("(alpha*m_cap)", "(alpha*m_t)"),
    ("t = 0\nthetas", "t = 1\nthetas"),
    ("    m_cap = m_t/(1-(beta_1**t))\n", "    m_t = m_t/(1-(beta_1**t))\n    m_cap = m_t\n"),
    ("theta_0 = theta_0 - (", "theta_0 = theta_0 + ("),
), "g_list", "thetas")  # fmt: skip

STYLES = (WHOLE, HANDED, CLOSURE, SCALARS, MATRICES, SCRIPT)
