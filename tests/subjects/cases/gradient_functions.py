"""Whole runs that are given the gradient as a function."""
import numpy as np

CASES = {
    "adam": ("adam", True), "sgd_autograd": ("momentum", True), "rmsprop": ("rmsprop", True),
    "gradient_descent": ("sgd", True), "adam_until": ("adam", True), "minimize": ("adam", True),
    "loss_and_grad": ("adam", True), "adam_no_correction": ("adam", False), "AdamSolver": ("adam", True),
    "twice_per_step": ("sgd", True), "momentum_gd": ("momentum", True), "nadam_scalar": ("adam", True),
    "adagrad_lists": ("adagrad", True), "adam_starts_late": ("adam", False), "checked_first": ("sgd", True),
    "returns_dict": ("sgd", True), "starts_itself": ("sgd", True),
}


def adam(grad, x, callback=None, num_iters=100, step_size=0.001, b1=0.9, b2=0.999, eps=10**-8):
    m = np.zeros(len(x))
    v = np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        if callback: callback(x, i, g)
        m = (1 - b1) * g + b1 * m
        v = (1 - b2) * (g**2) + b2 * v
        mhat = m / (1 - b1**(i + 1))
        vhat = v / (1 - b2**(i + 1))
        x = x - step_size * mhat / (np.sqrt(vhat) + eps)
    return x


def sgd_autograd(grad, x, callback=None, num_iters=200, step_size=0.1, mass=0.9):
    velocity = np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        if callback: callback(x, i, g)
        velocity = mass * velocity + g
        x = x - step_size * velocity
    return x


def rmsprop(grad, x, callback=None, num_iters=100, step_size=0.1, gamma=0.9, eps=10**-8):
    avg_sq_grad = np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x, i)
        avg_sq_grad = avg_sq_grad * gamma + g**2 * (1 - gamma)
        x = x - step_size * g / (np.sqrt(avg_sq_grad) + eps)
    return x


def gradient_descent(f, df, x0, learning_rate=0.1, max_iter=1000, tol=1e-6):
    x = x0
    history = [x]
    for _ in range(max_iter):
        x_new = x - learning_rate * df(x)
        if abs(f(x_new) - f(x)) < tol:
            break
        x = x_new
        history.append(x)
    return x, history


def adam_until(grad_func, theta_init, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
    theta, m, v, t = theta_init, 0, 0, 0
    while True:
        t += 1
        g = grad_func(theta)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        theta_prev = theta
        theta = theta - alpha * (m / (1 - beta1**t)) / (np.sqrt(v / (1 - beta2**t)) + epsilon)
        if np.all(theta == theta_prev) and t > 1000:
            return theta


def minimize(f, grad_f, x0, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, n_iter=1000, verbose=False):
    x = np.asarray(x0, dtype=float).copy()
    m, v = np.zeros_like(x), np.zeros_like(x)
    values = []
    for t in range(1, n_iter + 1):
        g = grad_f(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g * g
        x -= lr * m / (1 - beta1**t) / (np.sqrt(v / (1 - beta2**t)) + eps)
        values.append(f(x))
        if verbose:
            print(t, x, values[-1])
    return x, values


def loss_and_grad(loss_fn, w0, lr=0.001, epochs=50):
    w, m, v = w0.copy(), 0.0, 0.0
    losses = []
    for epoch in range(1, epochs + 1):
        loss, grad = loss_fn(w)
        losses.append(loss)
        m = 0.9 * m + 0.1 * grad
        v = 0.999 * v + 0.001 * grad**2
        w = w - lr * (m / (1 - 0.9**epoch)) / (np.sqrt(v / (1 - 0.999**epoch)) + 1e-8)
    return w, losses


def adam_no_correction(grad, x0, lr=0.001, b1=0.9, b2=0.999, eps=1e-8, steps=100):
    x, m, v = x0, 0, 0
    for _ in range(steps):
        g = grad(x)
        m = b1 * m + (1 - b1) * g
        v = b2 * v + (1 - b2) * g**2
        x = x - lr * m / (np.sqrt(v) + eps)
    return x


class AdamSolver:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8, max_iter=100):
        self.lr, self.beta1, self.beta2, self.eps, self.max_iter = lr, beta1, beta2, eps, max_iter

    def minimize(self, func, grad_func, x0):
        x = np.array(x0, dtype=float)
        m = v = np.zeros_like(x)
        for t in range(1, self.max_iter + 1):
            g = grad_func(x)
            m = self.beta1 * m + (1 - self.beta1) * g
            v = self.beta2 * v + (1 - self.beta2) * g**2
            x = x - self.lr * (m / (1 - self.beta1**t)) / (np.sqrt(v / (1 - self.beta2**t)) + self.eps)
        return x


def twice_per_step(gradient, start, rate=0.1, iterations=50):
    x = start
    while np.linalg.norm(gradient(x)) > -1 and iterations > 0:
        x = x - rate * gradient(x)
        iterations -= 1
    return x


def momentum_gd(derivative, initial_point, learning_rate=0.01, momentum=0.9, n_iter=100):
    change = 0.0
    solution = initial_point
    path = []
    for _ in range(n_iter):
        gradient = derivative(solution)
        new_change = learning_rate * gradient + momentum * change
        solution = solution - new_change
        change = new_change
        path.append(solution)
    return path


def nadam_scalar(objective, derivative, x0, n_iter=60, alpha=0.002, beta1=0.9, beta2=0.999, eps=1e-8):
    """It is Adam, whatever its name."""
    x = x0
    m = 0.0
    s = 0.0
    score = objective(x)
    for t in range(n_iter):
        g = derivative(x)
        m = beta1 * m + (1.0 - beta1) * g
        s = beta2 * s + (1.0 - beta2) * g**2
        mhat = m / (1.0 - beta1**(t+1))
        shat = s / (1.0 - beta2**(t+1))
        x = x - alpha * mhat / (shat**0.5 + eps)
        score = objective(x)
    return [x, score]


def adagrad_lists(fprime, x_start, lr=0.01, nsteps=100):
    x = [float(xi) for xi in x_start]
    cache = [0.0] * len(x)
    for _ in range(nsteps):
        g = fprime(x)
        for i in range(len(x)):
            cache[i] += g[i] ** 2
            x[i] -= lr * g[i] / (cache[i] ** 0.5 + 1e-10)
    return x


def adam_starts_late(grad, x0, alpha=0.001, beta1=0.9, beta2=0.999, eps=1e-8, maxiter=100):
    x, m, v = x0, 0, 0
    for k in range(maxiter):
        g = grad(x)
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        x = x - alpha * (m / (1 - beta1**(k + 2))) / (np.sqrt(v / (1 - beta2**(k + 2))) + eps)
    return x


def checked_first(f, grad, x0, lr=0.1, steps=100):
    assert np.shape(grad(x0)) == np.shape(x0)
    x = x0
    for _ in range(steps):
        x = x - lr * grad(x)
    return x


def returns_dict(fun, jac, x0, args=(), maxiter=50, learning_rate=0.1, tol=1e-8):
    x, k = np.array(x0, float), 0
    while k < maxiter:
        g = jac(x, *args)
        if np.max(np.abs(g)) < tol:
            break
        x = x - learning_rate * g
        k += 1
    return {"x": x, "nit": k, "fun": fun(x)}


def starts_itself(grad, lr=0.1, epochs=50):
    theta = np.zeros(2)
    for _ in range(epochs):
        theta = theta - lr * grad(theta)
    return theta
