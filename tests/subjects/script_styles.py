"""Scripts in the styles in which people write them, and the words that choose what is judged of each."""

from __future__ import annotations

# A script, and the words that drive it: those of its loop, one a tensor or variable that is judged.
STYLES: dict[str, tuple[str, tuple[str, ...]]] = {
    "a list is gone through": (
        """\
import numpy as np
grads = [1.0, 2.0, -1.5, 0.3, 0.7] * 20
x = 0.0; m = 0.0; v = 0.0
lr, beta1, beta2, eps = 0.01, 0.9, 0.999, 1e-8
xs = []
for t, g in enumerate(grads, 1):
    m = beta1*m + (1-beta1)*g
    v = beta2*v + (1-beta2)*g**2
    mh = m/(1-beta1**t); vh = v/(1-beta2**t)
    x -= lr*mh/(np.sqrt(vh)+eps)
    xs.append(x)
print(xs[-1])
""",
        ("--feed grads --read x",),
    ),
    "the derivative is a function": (
        """\
def f(x): return x**2 - 4*x + 5
def df(x): return 2*x - 4
x = 10
learning_rate = 0.1
for i in range(50):
    x = x - learning_rate * df(x)
    print(i, x, f(x))
print("minimum at", x)
""",
        ("--feed df --read x",),
    ),
    "a lambda, until it has converged": (
        """\
grad = lambda x: 2 * x
cur_x = 3
rate = 0.01
precision = 0.000001
previous_step_size = 1
max_iters = 10000
iters = 0
while previous_step_size > precision and iters < max_iters:
    prev_x = cur_x
    cur_x = cur_x - rate * grad(prev_x)
    previous_step_size = abs(cur_x - prev_x)
    iters = iters+1
    print("Iteration", iters, "\\nX value is", cur_x)
print("The local minimum occurs at", cur_x)
""",
        ("--feed grad --read cur_x",),
    ),
    "a regression with D_m and D_c": (
        """\
import numpy as np
import matplotlib.pyplot as plt
X = np.linspace(0, 10, 30)
Y = 3*X + 2 + np.sin(X)
m = 0
c = 0
L = 0.0001
epochs = 1000
n = float(len(X))
for i in range(epochs):
    Y_pred = m*X + c
    D_m = (-2/n) * sum(X * (Y - Y_pred))
    D_c = (-2/n) * sum(Y - Y_pred)
    m = m - L * D_m
    c = c - L * D_c
print(m, c)
Y_pred = m*X + c
plt.scatter(X, Y)
plt.plot([min(X), max(X)], [min(Y_pred), max(Y_pred)], color='red')
plt.show()
""",
        (
            "--feed D_m --read m",
            "--feed D_c --read c",
        ),
    ),
    "a regression with a vector theta": (
        """\
import numpy as np
np.random.seed(42)
X = 2 * np.random.rand(100, 1)
y = 4 + 3 * X + np.random.randn(100, 1)
X_b = np.c_[np.ones((100, 1)), X]
eta = 0.1
n_iterations = 1000
m = 100
theta = np.random.randn(2,1)
for iteration in range(n_iterations):
    gradients = 2/m * X_b.T.dot(X_b.dot(theta) - y)
    theta = theta - eta * gradients
print(theta)
""",
        ("--feed gradients --read theta",),
    ),
    "a momentum with a path": (
        """\
import numpy as np
def gradient(x):
    return 2*x*np.cos(x**2) + 1
x = 2.0
velocity = 0.0
momentum = 0.9
lr = 0.01
path = [x]
for _ in range(100):
    g = gradient(x)
    velocity = momentum * velocity - lr * g
    x = x + velocity
    path.append(x)
print(path)
""",
        ("--feed g --read x",),
    ),
    "AdaGrad over two names": (
        """\
import numpy as np
x, y = 3.0, 4.0
gx_sum = 0
lr = 0.5
for i in range(200):
    gx = 2*x + y
    gx_sum += gx**2
    x -= lr * gx / (np.sqrt(gx_sum) + 1e-8)
    print(f"step {i}: x={x:.4f}")
""",
        ("--feed gx --read x",),
    ),
    "RMSProp of an array": (
        """\
import numpy as np
w = np.array([1.0, -2.0])
cache = np.zeros_like(w)
learning_rate = 0.01
decay_rate = 0.99
for it in range(300):
    dw = np.array([2.0, 20.0]) * w
    cache = decay_rate * cache + (1 - decay_rate) * dw**2
    w += - learning_rate * dw / (np.sqrt(cache) + 1e-8)
print(w)
""",
        ("--feed dw --read w",),
    ),
    "in main, behind its guard": (
        """\
import math
def grad(x):
    return 4 * x**3 - 9 * x**2
def main():
    x = 6.0
    m = v = 0.0
    for t in range(1, 1001):
        g = grad(x)
        m = 0.9 * m + 0.1 * g
        v = 0.999 * v + 0.001 * g * g
        mhat = m / (1 - 0.9 ** t)
        vhat = v / (1 - 0.999 ** t)
        x -= 0.05 * mhat / (math.sqrt(vhat) + 1e-8)
    print("min:", x)
if __name__ == "__main__":
    main()
""",
        ("--feed g --read x",),
    ),
    "a function that returns its history": (
        """\
import numpy as np
import matplotlib.pyplot as plt
def objective(x):
    return x**2.0
def derivative(x):
    return x * 2.0
def optimise(start, n_iter, alpha=0.02, beta1=0.8, beta2=0.999, eps=1e-8):
    x = start
    solutions = []
    m, v = 0.0, 0.0
    for t in range(n_iter):
        g = derivative(x)
        m = beta1 * m + (1.0 - beta1) * g
        v = beta2 * v + (1.0 - beta2) * g**2
        mhat = m / (1.0 - beta1**(t+1))
        vhat = v / (1.0 - beta2**(t+1))
        x = x - alpha * mhat / (np.sqrt(vhat) + eps)
        solutions.append(x)
        print('>%d f(%s) = %.5f' % (t, x, objective(x)))
    return solutions
solutions = optimise(0.8, 60)
plt.plot(solutions, '.-', color='w')
plt.show()
""",
        ("--feed g --read x",),
    ),
    "a function over coordinates": (
        """\
from math import sqrt
from numpy import asarray
from numpy.random import rand, seed
def objective(x, y):
    return x**2.0 + y**2.0
def derivative(x, y):
    return asarray([x * 2.0, y * 2.0])
def adam(objective, derivative, bounds, n_iter, alpha, beta1, beta2, eps=1e-8):
    x = bounds[:, 0] + rand(len(bounds)) * (bounds[:, 1] - bounds[:, 0])
    score = objective(x[0], x[1])
    m = [0.0 for _ in range(bounds.shape[0])]
    v = [0.0 for _ in range(bounds.shape[0])]
    for t in range(n_iter):
        g = derivative(x[0], x[1])
        for i in range(x.shape[0]):
            m[i] = beta1 * m[i] + (1.0 - beta1) * g[i]
            v[i] = beta2 * v[i] + (1.0 - beta2) * g[i]**2
            mhat = m[i] / (1.0 - beta1**(t+1))
            vhat = v[i] / (1.0 - beta2**(t+1))
            x[i] = x[i] - alpha * mhat / (sqrt(vhat) + eps)
        score = objective(x[0], x[1])
        print('>%d f(%s) = %.5f' % (t, x, score))
    return [x, score]
seed(1)
bounds = asarray([[-1.0, 1.0], [-1.0, 1.0]])
n_iter = 60
alpha = 0.02
beta1 = 0.8
beta2 = 0.999
best, score = adam(objective, derivative, bounds, n_iter, alpha, beta1, beta2)
print('Done!')
print('f(%s) = %f' % (best, score))
""",
        ("--feed g --read x",),
    ),
    "arrays that are written to": (
        """\
import numpy as np
T = 80
w = np.zeros(T + 1)
u = np.zeros(T + 1)
w[0] = 5.0
beta, eta = 0.9, 0.05
for t in range(T):
    grad = w[t] - 1
    u[t + 1] = beta * u[t] + grad
    w[t + 1] = w[t] - eta * u[t + 1]
print(w[-1])
""",
        ("--feed grad --read w",),
    ),
    "a logistic regression with w and b": (
        """\
import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(200, 3))
y = (X @ np.array([1., -2., .5]) + .3 > 0).astype(float)
w = np.zeros(3); b = 0.0
lr = 0.5
costs = []
for epoch in range(100):
    z = X @ w + b
    a = 1 / (1 + np.exp(-z))
    cost = -np.mean(y*np.log(a+1e-9) + (1-y)*np.log(1-a+1e-9))
    dz = a - y
    dw = X.T @ dz / len(y)
    db = dz.mean()
    w = w - lr * dw
    b = b - lr * db
    costs.append(cost)
    if epoch % 10 == 0:
        print(f"epoch {epoch} cost {cost:.4f}")
""",
        (
            "--feed dw --read w",
            "--feed db --read b",
        ),
    ),
    "Adam for w and b": (
        """\
import numpy as np
X = np.linspace(-1, 1, 50)
y = 2 * X + 0.5
w, b = 0.0, 0.0
mw = vw = mb = vb = 0.0
alpha, b1, b2, epsilon = 0.1, 0.9, 0.999, 1e-8
for t in range(1, 201):
    pred = w * X + b
    err = pred - y
    dw = 2 * np.mean(err * X)
    db = 2 * np.mean(err)
    mw = b1 * mw + (1 - b1) * dw
    mb = b1 * mb + (1 - b1) * db
    vw = b2 * vw + (1 - b2) * dw ** 2
    vb = b2 * vb + (1 - b2) * db ** 2
    w = w - alpha * (mw / (1 - b1 ** t)) / (np.sqrt(vw / (1 - b2 ** t)) + epsilon)
    b = b - alpha * (mb / (1 - b1 ** t)) / (np.sqrt(vb / (1 - b2 ** t)) + epsilon)
print(w, b)
""",
        (
            "--feed dw --read w",
            "--feed db --read b",
        ),
    ),
    "Adam for w and b, the bias wrong": (
        """\
import numpy as np
X = np.linspace(-1, 1, 50)
y = 2 * X + 0.5
w, b = 0.0, 0.0
mw = vw = mb = vb = 0.0
alpha, b1, b2, epsilon = 0.1, 0.9, 0.999, 1e-8
for t in range(1, 201):
    pred = w * X + b
    err = pred - y
    dw = 2 * np.mean(err * X)
    db = 2 * np.mean(err)
    mw = b1 * mw + (1 - b1) * dw
    mb = b1 * mb + (1 - b1) * db
    vw = b2 * vw + (1 - b2) * dw ** 2
    vb = b2 * vb + (1 - b2) * db ** 2
    w = w - alpha * (mw / (1 - b1 ** t)) / (np.sqrt(vw / (1 - b2 ** t)) + epsilon)
    b = b - alpha * (mb / (1 - b1 ** t)) / (vb / (1 - b2 ** t) + epsilon)
print(w, b)
""",
        (
            "--feed dw --read w",
            "--feed db --read b",
        ),
    ),
    "gradients summed over samples": (
        """\
X = [1, 2, 3, 4, 5]
Y = [2.1, 3.9, 6.2, 8.1, 9.8]
w, b = 0.0, 0.0
lr = 0.01
n = len(X)
for epoch in range(500):
    dw = 0
    db = 0
    for i in range(n):
        e = w * X[i] + b - Y[i]
        dw += e * X[i]
        db += e
    dw /= n
    db /= n
    w -= lr * dw
    b -= lr * db
print(w, b)
""",
        (
            "--feed dw --read w",
            "--feed db --read b",
        ),
    ),
    "a class that fits": (
        """\
import numpy as np
class LinearRegression:
    def __init__(self, lr=0.01, n_iters=1000):
        self.lr = lr
        self.n_iters = n_iters
    def fit(self, X, y):
        n_samples, n_features = X.shape
        self.weights = np.zeros(n_features)
        self.bias = 0
        for _ in range(self.n_iters):
            y_predicted = np.dot(X, self.weights) + self.bias
            dw = (1 / n_samples) * np.dot(X.T, (y_predicted - y))
            db = (1 / n_samples) * np.sum(y_predicted - y)
            self.weights -= self.lr * dw
            self.bias -= self.lr * db
    def predict(self, X):
        return np.dot(X, self.weights) + self.bias
rng = np.random.RandomState(1)
X = rng.rand(60, 2)
y = X @ np.array([1.5, -2.0]) + 1
model = LinearRegression(lr=0.1)
model.fit(X, y)
print(model.predict(X)[:3])
""",
        (
            "--feed dw --read self.weights",
            "--feed db --read self.bias",
        ),
    ),
    "a constant gradient, stored back": (
        """\
import numpy as np
import matplotlib.pyplot as plt
beta_1 = 0.9
beta_2 = 0.999
epsilon = 1e-8
g = 10
m_t = 0
v_t = 0
result = []
for t in range(1, 101):
    m_t = beta_1*m_t + (1-beta_1)*g
    v_t = beta_2*v_t + (1-beta_2)*(g**2)
    m_t = m_t/(1-beta_1**t)
    v_t = v_t/(1-beta_2**t)
    result.append(m_t/(np.sqrt(v_t)+epsilon))
plt.plot(result)
plt.show()
""",
        ("--feed g --read result",),
    ),
    "a constant gradient": (
        """\
import numpy as np
import matplotlib.pyplot as plt
beta_1 = 0.9
beta_2 = 0.999
epsilon = 1e-8
g = 10
m_t = 0
v_t = 0
result = []
for t in range(1, 101):
    m_t = beta_1*m_t + (1-beta_1)*g
    v_t = beta_2*v_t + (1-beta_2)*(g**2)
    m_cap = m_t/(1-beta_1**t)
    v_cap = v_t/(1-beta_2**t)
    result.append(m_cap/(np.sqrt(v_cap)+epsilon))
plt.plot(result)
plt.show()
""",
        ("--feed g --read result",),
    ),
    "arrays of moments": (
        """\
import numpy as np
T = 100
g = np.full(T, 10.0)
m = np.zeros(T + 1)
v = np.zeros(T + 1)
ratio = np.zeros(T)
b1, b2, eps = 0.9, 0.999, 1e-8
for t in range(1, T + 1):
    m[t] = b1 * m[t - 1] + (1 - b1) * g[t - 1]
    v[t] = b2 * v[t - 1] + (1 - b2) * g[t - 1] ** 2
    mh = m[t] / (1 - b1 ** t)
    vh = v[t] / (1 - b2 ** t)
    ratio[t - 1] = mh / (np.sqrt(vh) + eps)
print(ratio)
""",
        ("--feed g --read ratio",),
    ),
    "moments alone, plotted": (
        """\
import numpy as np
import matplotlib.pyplot as plt
rng = np.random.default_rng(3)
grads = rng.normal(1, 2, 200)
beta1 = 0.9
m = 0
ms, mhats = [], []
for t, g in enumerate(grads):
    m = beta1 * m + (1 - beta1) * g
    ms.append(m)
    mhats.append(m / (1 - beta1 ** (t + 1)))
plt.plot(ms, label='biased'); plt.plot(mhats, label='corrected'); plt.legend(); plt.show()
""",
        ("--feed grads --read mhats",),
    ),
    "a step that is printed": (
        """\
import math
steps = []
m = v = 0
lr = 0.001
for t in range(1, 51):
    g = 1.0
    m = 0.9*m + 0.1*g
    v = 0.999*v + 0.001*g*g
    step = lr * (m/(1-0.9**t)) / (math.sqrt(v/(1-0.999**t)) + 1e-8)
    steps.append(step)
print(steps)
""",
        ("--feed g --read step",),
    ),
    "an ascent": (
        """\
import numpy as np
theta = 0.5
alpha = 0.1
for i in range(100):
    grad = -2 * (theta - 3)
    theta = theta + alpha * grad
print(theta)
""",
        ("--feed grad --read theta",),
    ),
    "three optimizers": (
        """\
import numpy as np
def grad(x): return 2 * x
lr = 0.1
x = 5.0
sgd_path = []
for i in range(50):
    x = x - lr * grad(x)
    sgd_path.append(x)
x = 5.0
v = 0.0
mom_path = []
for i in range(50):
    v = 0.9 * v + grad(x)
    x = x - lr * v
    mom_path.append(x)
x = 5.0
m = v = 0.0
adam_path = []
for i in range(1, 51):
    g = grad(x)
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g ** 2
    x = x - lr * (m / (1 - 0.9 ** i)) / (np.sqrt(v / (1 - 0.999 ** i)) + 1e-8)
    adam_path.append(x)
print(sgd_path[-1], mom_path[-1], adam_path[-1])
""",
        ("--feed g --read x",),
    ),
    "a notebook, exported": (
        """\
#!/usr/bin/env python
# coding: utf-8
# In[1]:
import numpy as np
import matplotlib.pyplot as plt
get_ipython().run_line_magic('matplotlib', 'inline')
# In[2]:
x_data = np.array([338., 333., 328., 207., 226., 25., 179., 60., 208., 606.])
y_data = np.array([640., 633., 619., 393., 428., 27., 193., 66., 226., 1591.])
# In[3]:
b = -120
w = -4
lr = 0.0000001
iteration = 1000
b_history = [b]
w_history = [w]
# In[4]:
for i in range(iteration):
    b_grad = 0.0
    w_grad = 0.0
    for n in range(len(x_data)):
        b_grad = b_grad - 2.0*(y_data[n] - b - w*x_data[n])*1.0
        w_grad = w_grad - 2.0*(y_data[n] - b - w*x_data[n])*x_data[n]
    b = b - lr*b_grad
    w = w - lr*w_grad
    b_history.append(b)
    w_history.append(w)
# In[5]:
plt.plot(b_history, w_history, 'o-', ms=3, lw=1.5, color='black')
plt.xlim(-200, -100)
plt.show()
""",
        (
            "--feed b_grad --read b",
            "--feed w_grad --read w",
        ),
    ),
    "dictionaries of parameters": (
        """\
import numpy as np
np.random.seed(0)
params = {"W": np.random.randn(3), "b": np.zeros(1)}
vel = {k: np.zeros_like(p) for k, p in params.items()}
mu, lr = 0.9, 0.01
def loss_grads(params):
    return {"W": 2 * params["W"], "b": 2 * params["b"]}
for step in range(100):
    grads = loss_grads(params)
    for k in params:
        vel[k] = mu * vel[k] - lr * grads[k]
        params[k] += vel[k]
print(params)
""",
        ("--feed grads --read 'params[\"W\"]'",),
    ),
    "value and gradient at once": (
        """\
def f_and_grad(x):
    return (x - 1) ** 2, 2 * (x - 1)
x = -3.0
for k in range(30):
    val, g = f_and_grad(x)
    x = x - 0.2 * g
    print(k, x, val)
""",
        ("--feed g --read x",),
    ),
    "a gradient ahead": (
        """\
import numpy as np
def grad_f(x): return 2 * (x - 2)
x, v = 0.0, 0.0
gamma, eta = 0.9, 0.05
for i in range(60):
    x_ahead = x - gamma * v
    v = gamma * v + eta * grad_f(x_ahead)
    x = x - v
print(x)
""",
        ("--feed grad_f --read x_ahead",),
    ),
    "a gradient without a name": (
        """\
x = 4.0
for i in range(30):
    x = x - 0.1 * (2 * x - 6)
    print(x)
""",
        ("--feed '2 * x - 6' --read x",),
    ),
    "a gradient at the end of the turn": (
        """\
def dfx(x): return 2 * (x + 5)
x = 3.0
step = 0.05
g = dfx(x)
while abs(g) > 1e-4:
    x = x - step * g
    g = dfx(x)
print("x =", x)
""",
        ("--feed g --read x",),
    ),
    "Adam without the root": (
        """\
import numpy as np
x = 5.0
m, v = 0.0, 0.0
lr, beta1, beta2, eps = 0.1, 0.9, 0.999, 1e-8
xs = []
for t in range(1, 101):
    grad = 2 * x
    m = beta1 * m + (1 - beta1) * grad
    v = beta2 * v + (1 - beta2) * grad ** 2
    m_hat = m / (1 - beta1 ** t)
    v_hat = v / (1 - beta2 ** t)
    x = x - lr * m_hat / (v_hat + eps)
    xs.append(x)
print(xs)
""",
        ("--feed grad --read x",),
    ),
    "a closure that steps": (
        """\
import numpy as np
def make_momentum(lr, mu):
    v = 0.0
    def step(x, g):
        nonlocal v
        v = mu * v + g
        return x - lr * v
    return step
step = make_momentum(0.1, 0.9)
x = 5.0
hist = []
for _ in range(40):
    g = 2 * x
    x = step(x, g)
    hist.append(x)
print(hist[-1])
""",
        ("--feed g --read x",),
    ),
    "a decay in the gradient": (
        """\
import numpy as np
w = np.ones(4)
lr, wd = 0.1, 0.01
v = np.zeros(4)
for i in range(100):
    g = 2 * (w - 3)
    g = g + wd * w
    v = 0.9 * v + g
    w = w - lr * v
print(w)
""",
        ("--feed g --read w",),
    ),
    "a ratio that is printed alone": (
        """\
m, v = 0, 0
for t in range(1, 11):
    g = 3
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g ** 2
    mh = m / (1 - 0.9 ** t)
    vh = v / (1 - 0.999 ** t)
    print(t, mh / (vh ** 0.5 + 1e-8))
""",
        ("--feed g --read 'mh / (vh ** 0.5 + 1e-08)'",),
    ),
    "AdamW": (
        """\
import numpy as np
p = np.array([1.0, -1.0])
exp_avg = np.zeros(2); exp_avg_sq = np.zeros(2)
lr, beta1, beta2, eps, weight_decay = 1e-2, 0.9, 0.999, 1e-8, 0.1
for step in range(1, 101):
    grad = 2 * p
    p = p * (1 - lr * weight_decay)
    exp_avg = beta1 * exp_avg + (1 - beta1) * grad
    exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * grad ** 2
    denom = np.sqrt(exp_avg_sq / (1 - beta2 ** step)) + eps
    p = p - lr * (exp_avg / (1 - beta1 ** step)) / denom
print(p)
""",
        ("--feed grad --read p",),
    ),
    "a start by chance": (
        """\
import random
x = random.uniform(-5, 5)
lr = 0.1
for i in range(40):
    slope = 2 * x - 2
    x -= lr * slope
print(x)
""",
        ("--feed slope --read x",),
    ),
    "several learning rates": (
        """\
import matplotlib.pyplot as plt
for lr in [0.01, 0.1, 0.5]:
    x = 4.0
    traj = [x]
    for k in range(25):
        g = 2 * x
        x = x - lr * g
        traj.append(x)
    plt.plot(traj, label=str(lr))
plt.legend()
plt.savefig("traj.png")
""",
        ("--feed g --read x",),
    ),
    "batches in epochs": (
        """\
import numpy as np
rng = np.random.default_rng(7)
X = rng.normal(size=(64, 2)); y = X @ [1., 2.]
W = np.zeros(2)
learning_rate = 0.05
for epoch in range(10):
    perm = rng.permutation(64)
    for start in range(0, 64, 16):
        idx = perm[start:start+16]
        xb, yb = X[idx], y[idx]
        pred = xb @ W
        grad_W = 2 * xb.T @ (pred - yb) / len(xb)
        W -= learning_rate * grad_W
    print(epoch, np.mean((X @ W - y)**2))
""",
        ("--feed grad_W --read W",),
    ),
    "Lion": (
        """\
import numpy as np
theta = 1.5
m = 0.0
eta, beta1, beta2 = 0.01, 0.9, 0.99
for t in range(200):
    g = np.cos(theta)
    c = beta1 * m + (1 - beta1) * g
    theta = theta - eta * np.sign(c)
    m = beta2 * m + (1 - beta2) * g
print(theta)
""",
        ("--feed g --read theta",),
    ),
    "AdaDelta": (
        """\
import numpy as np
x = 2.0
Eg, Edx = 0.0, 0.0
rho, eps = 0.95, 1e-6
for _ in range(100):
    g = 2 * x
    Eg = rho * Eg + (1 - rho) * g**2
    dx = -np.sqrt(Edx + eps) / np.sqrt(Eg + eps) * g
    Edx = rho * Edx + (1 - rho) * dx**2
    x = x + dx
print(x)
""",
        ("--feed g --read x",),
    ),
    "lists as vectors": (
        """\
def grad(w): return [2*w[0], 8*w[1]]
w = [1.0, 1.0]; m = [0.0, 0.0]; v = [0.0, 0.0]
lr = 0.1; b1 = 0.9; b2 = 0.999; eps = 1e-8
for t in range(1, 101):
    g = grad(w)
    for i in range(2):
        m[i] = b1*m[i] + (1-b1)*g[i]
        v[i] = b2*v[i] + (1-b2)*g[i]**2
        w[i] -= lr*(m[i]/(1-b1**t)) / ((v[i]/(1-b2**t))**0.5 + eps)
print(w)
""",
        ("--feed g --read w",),
    ),
    "a rate that decays": (
        """\
x = 5.0
lr0 = 0.2
for k in range(60):
    lr = lr0 / (1 + 0.1 * k)
    g = 2 * x
    x = x - lr * g
print(x)
""",
        ("--feed g --read x",),
    ),
}
