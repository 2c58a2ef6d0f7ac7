"""Ways to call a step that were met in code of others, each in words of our own."""
import functools
import itertools

import numpy as np

CASES = {
    "CountedAdam": ("adam", True), "PolicySGD": ("sgd", True), "PolicyMomentum": ("momentum", True),
    "update_layers_gd": ("sgd", True), "AsksItself": ("momentum", True), "descend_on_data": ("sgd", True),
    "walk": ("sgd", True), "rate_by_place": ("sgd", True), "rates_one_by_one": ("adam", True),
    "within_bounds": ("momentum", True), "coordinates_apart": ("sgd", True), "on_a_problem": ("adam", True),
    "until_flat": ("sgd", True), "until_below_epsilon": ("momentum", True), "perhaps_a_jacobian": ("adam", True),
    "unflattened": ("adam", True), "StatesOnParameters": ("adadelta", True), "UnderscoredData": ("sgd", True),
    "ByKey": ("momentum", True), "PairsOfALayer": ("rmsprop", True), "GivenBothGradients": ("momentum", True),
    "GivenBothInOne": ("sgd", True), "AsksForNone": ("momentum", True), "AddsASlot": ("momentum", True),
    "TakesAModelFirst": ("adam", True), "EtaIsEpsilon": ("adam", True), "SgdWithMomentum": ("sgd", True),
    "LossBeside": ("adagrad", True), "Detaches": ("sgd", True), "ThroughBackward": ("sgd", True),
    "MarkedKeys": ("sgd", True), "UncorrectedPolicy": ("adam", False), "until_flat_uphill": ("sgd", False),
    "batch_mean": ("sgd", True), "cached_by_key": ("rmsprop", True), "over_a_model": ("rmsprop", True),
    "PairsOfArrays": ("momentum", True), "OutputGradient": ("sgd", True), "ByTheParameter": ("momentum", True),
    "OwnsACopy": ("sgd", True), "OfAModel": ("adagrad", True), "InitializedWithANet": ("momentum", True),
    "GradientPerhaps": ("sgd", True), "step_of_a_difference": ("adagrad", True), "PlaceOfTheGradient": ("sgd", False),
}  # fmt: skip


class CountedAdam:
    def __init__(self, weight_size, rate=1e-3):
        self.m, self.v, self.n, self.rate = np.zeros(weight_size), np.zeros(weight_size), 0, rate

    def update(self, theta, globalg):
        self.n += 1
        self.m = 0.9 * self.m + 0.1 * globalg
        self.v = 0.999 * self.v + 0.001 * globalg**2
        step = -self.rate * self.m / (1 - 0.9**self.n) / (np.sqrt(self.v / (1 - 0.999**self.n)) + 1e-8)
        return theta + step, np.linalg.norm(step)


class PolicySGD:
    def __init__(self, pi, stepsize=0.01):
        self.pi, self.dim, self.stepsize = pi, pi.num_params, stepsize

    def update(self, globalg):
        step = -self.stepsize * globalg
        return self.pi.get_weights() + step, np.linalg.norm(step)


class PolicyMomentum:
    def __init__(self, pi, stepsize=0.01, momentum=0.9):
        self.pi, self.v = pi, np.zeros(pi.num_params)
        self.stepsize, self.momentum = stepsize, momentum

    def update(self, globalg):
        self.v = self.momentum * self.v + globalg
        self.pi.mu = self.pi.mu - self.stepsize * self.v


class UncorrectedPolicy:
    def __init__(self, pi, stepsize=0.001):
        self.pi, self.stepsize = pi, stepsize
        self.m = self.v = np.zeros(pi.num_params)

    def update(self, globalg):
        self.m = 0.9 * self.m + 0.1 * globalg
        self.v = 0.999 * self.v + 0.001 * globalg**2
        return self.pi.get_weights() - self.stepsize * self.m / (np.sqrt(self.v) + 1e-8)


def update_layers_gd(parameters, grads, learning_rate, num_layers):
    for number in range(1, num_layers + 1):
        parameters[f"W{number}"] = parameters[f"W{number}"] - learning_rate * grads[f"dW{number}"]
        parameters[f"b{number}"] = parameters[f"b{number}"] - learning_rate * grads[f"db{number}"]
    return parameters


def batch_mean(params, grads, lr, batch_size):
    return [p - lr * g / batch_size for p, g in zip(params, grads)]


class AsksItself:
    def __init__(self, learning_rate=0.01, momentum=0.9):
        self.learning_rate, self.momentum, self.velocity = learning_rate, momentum, 0.0

    def update(self, w, grad_func):
        self.velocity = self.momentum * self.velocity + grad_func(w)
        return w - self.learning_rate * self.velocity


def descend_on_data(X, y, theta, alpha, grad):
    theta -= alpha * grad(X, y, theta)


def walk(x0, step, grad, **more):
    x = x0
    yield x
    while True:
        x = x - step * grad(x)
        yield x


def rate_by_place(gradient, learn_rate, start_point):
    x = np.array(start_point)
    while True:
        g = gradient(x)
        x = x - learn_rate(x, g) * g


def rates_one_by_one(grad, x, step_size_gen, b1=0.9, b2=0.999):
    m = v = np.zeros(len(x))
    for n in itertools.count(1):
        g = grad(x, n)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        x = x - next(step_size_gen) * (m / (1 - b1**n)) / (np.sqrt(v / (1 - b2**n)) + 1e-8)
        yield x, g


def within_bounds(objective, derivative, bounds, n_iter, step_size, momentum):
    x = bounds[:, 0] + np.random.rand(len(bounds)) * (bounds[:, 1] - bounds[:, 0])
    change = 0.0
    for _ in range(n_iter):
        change = step_size * derivative(x) + momentum * change
        x = x - change
    return x, objective(x)


def coordinates_apart(grad_f, x0, lr=0.1, num_iters=20):
    x = np.array(x0, dtype=float)
    for _ in range(num_iters):
        x = x - lr * grad_f(x[0], x[1])
    return x


def on_a_problem(problem, x0, lr=1e-3, maxiter=100):
    x, m, v = np.array(x0, float), 0.0, 0.0
    for k in range(1, maxiter + 1):
        g = problem.grad(x)
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        x = x - lr * (m / (1 - 0.9**k)) / (np.sqrt(v / (1 - 0.999**k)) + 1e-8)
    return x, problem.func(x)


def until_flat(gradient, start_point, lr=0.01):
    x = np.array(start_point, float)
    while True:
        g = gradient(x)
        if np.linalg.norm(g) <= 1e-12:
            return x
        x = x - lr * g


def until_flat_uphill(gradient, start_point, lr=0.01):
    x = np.array(start_point, float)
    while True:
        g = gradient(x)
        if np.linalg.norm(g) <= 1e-12:
            return x
        x = x - lr * g - 0.001 * x


def until_below_epsilon(df, x, alpha=0.01, gamma=0.8, iterations=100, epsilon=1e-8):
    v = np.zeros_like(x)
    for _ in range(iterations):
        if np.max(np.abs(df(x))) < epsilon:
            break
        v = gamma * v + alpha * df(x)
        x = x - v
    return x


def perhaps_a_jacobian(fun, x0, jac=None, lr=0.1, maxiter=100, tol=1e-9):
    x, m, v = np.asarray(x0, float), 0.0, 0.0
    for t in range(1, maxiter + 1):
        g = jac(x) if jac is not None else np.array([fun(x)] * len(x))
        m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
        step = lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
        x = x - step
        if np.linalg.norm(step) < tol:
            break
    return x


def _flattened(optimize):
    @functools.wraps(optimize)
    def optimized(grad, x0, *more, **named):
        return optimize(grad, np.ravel(x0), *more, **named)

    return optimized


@_flattened
def unflattened(grad, x, num_iters=100, step_size=1e-3, b1=0.9, b2=0.999):
    m = v = np.zeros(len(x))
    for i in range(num_iters):
        g = grad(x)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        x = x - step_size * (m / (1 - b1 ** (i + 1))) / (np.sqrt(v / (1 - b2 ** (i + 1))) + 1e-8)
    return x


class StatesOnParameters:
    def __init__(self, parameters, lr=1.0, rho=0.9, eps=1e-6):
        self.parameters, self.lr, self.rho, self.eps = parameters, lr, rho, eps

    def step(self):
        for p in self.parameters:
            p.s = self.rho * p.s + (1 - self.rho) * p.grad**2
            delta = np.sqrt(p.v + self.eps) / np.sqrt(p.s + self.eps) * p.grad
            p.v = self.rho * p.v + (1 - self.rho) * delta**2
            p.data -= self.lr * delta


class UnderscoredData:
    def __init__(self, parameters, lr=0.01):
        self._parameters, self.lr = parameters, lr

    def step(self):
        for p in self._parameters:
            p._data -= self.lr * p.grad


class ByKey:
    def __init__(self, params: dict, lr=0.01, momentum=0.9):
        self.params, self.lr, self.momentum = params, lr, momentum
        self.v = {key: np.zeros_like(params[key].data) for key in params}

    def step(self):
        for key in self.params:
            self.v[key] = self.momentum * self.v[key] - self.lr * self.params[key].grad
            self.params[key].data += self.v[key]


class PairsOfALayer:
    def __init__(self, lr=0.01, rho=0.9):
        self.lr, self.rho, self.cache = lr, rho, {}

    def initialize(self, layers):
        for number, layer in enumerate(layers):
            w, b = layer.weights
            self.cache[number] = [np.zeros(w.shape), np.zeros(b.shape)]

    def update(self, layers):
        for number, layer in enumerate(layers):
            w, b = layer.weights
            dw, db = layer.gradients
            old = self.cache[number]
            old[0] = self.rho * old[0] + (1 - self.rho) * dw**2
            old[1] = self.rho * old[1] + (1 - self.rho) * db**2
            dw, db = dw / (np.sqrt(old[0]) + 1e-8), db / (np.sqrt(old[1]) + 1e-8)
            layer.set_weights(w=w - self.lr * dw, b=b - self.lr * db)


class GivenBothGradients:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum = lr, momentum

    def update(self, layer, weight_grads, bias_grads):
        if layer.memory is None:
            layer.memory = [0.0, 0.0]
        layer.memory[0] = self.momentum * layer.memory[0] - self.lr * weight_grads
        layer.memory[1] = self.momentum * layer.memory[1] - self.lr * bias_grads
        layer.weights += layer.memory[0]
        layer.bias += layer.memory[1]


class GivenBothInOne:
    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def update(self, layer, gradients):
        dw, db = gradients
        layer.weights -= self.learning_rate * dw
        layer.bias -= self.learning_rate * db


class AsksForNone:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum = lr, momentum

    def step(self, layer):
        if layer.velocity is None:
            layer.velocity = np.zeros_like(layer.W)
        layer.velocity = self.momentum * layer.velocity + layer.dW
        layer.W = layer.W - self.lr * layer.velocity


class AddsASlot:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum, self._v = lr, momentum, {}

    def add_slot(self, layer):
        self._v[layer.name] = [np.zeros_like(layer.weights), np.zeros_like(layer.bias)]

    def update(self, layer, gradients):
        dw, db = gradients
        vw, vb = self._v[layer.name]
        vw, vb = self.momentum * vw + self.lr * dw, self.momentum * vb + self.lr * db
        self._v[layer.name] = [vw, vb]
        layer.weights -= vw
        layer.bias -= vb


class TakesAModelFirst:
    def __init__(self, lr=0.01, betas=(0.9, 0.999)):
        self.lr, self.betas = lr, betas

    def __call__(self, model):
        self.params, self.t = model.params, 0
        self.m = [np.zeros_like(p) for p in self.params]
        self.v = [np.zeros_like(p) for p in self.params]

    def step(self):
        self.t += 1
        b1, b2 = self.betas
        for i, p in enumerate(self.params):
            self.m[i] = b1 * self.m[i] + (1 - b1) * p.grad
            self.v[i] = b2 * self.v[i] + (1 - b2) * p.grad**2
            p -= self.lr * (self.m[i] / (1 - b1**self.t)) / (np.sqrt(self.v[i] / (1 - b2**self.t)) + 1e-8)


class EtaIsEpsilon:
    def __init__(self, parameters, beta1=0.9, beta2=0.99, eta=1e-6):
        self.parameters, self.beta1, self.beta2, self.eta, self.t = list(parameters), beta1, beta2, eta, 0
        self.m = [np.zeros_like(p.data) for p in self.parameters]
        self.v = [np.zeros_like(p.data) for p in self.parameters]

    def step(self, lr=0.01):
        self.t += 1
        for i, p in enumerate(self.parameters):
            self.m[i] = self.beta1 * self.m[i] + (1 - self.beta1) * p.grad
            self.v[i] = self.beta2 * self.v[i] + (1 - self.beta2) * p.grad**2
            m_hat, v_hat = self.m[i] / (1 - self.beta1**self.t), self.v[i] / (1 - self.beta2**self.t)
            p.data -= lr * m_hat / (np.sqrt(v_hat) + self.eta)


class SgdWithMomentum:
    def __init__(self, lr=0.01, momentum=0.9, weight_decay=0.01):
        self.lr, self.momentum, self.weight_decay, self.v = lr, momentum, weight_decay, 0.0

    def update(self, w, dw):
        self.v = self.momentum * self.v + dw + self.weight_decay * w
        return w - self.lr * self.v


class LossBeside:
    def __init__(self):
        self.total = 0.0

    def __call__(self, x, f, gf, lr):
        self.total = self.total + gf**2
        return x - lr * gf / (np.sqrt(self.total) + 1e-10)


class PlaceOfTheGradient:
    """Its third argument is no count, and what it does is wrong: it must not be driven as if it were right."""

    def __call__(self, x, f, gf, lr):
        return x - lr * np.abs(gf)


class Detaches:
    def __init__(self, params, lr=0.01, weight_decay=0.0):
        self.params, self.lr, self.weight_decay = params, lr, weight_decay

    def step(self):
        for w in self.params:
            w.data = w.data - self.lr * (w.grad + self.weight_decay * w).detach()


class ThroughBackward:
    def __init__(self, lr=0.01):
        self.lr = lr

    def __call__(self, model, loss):
        grad = loss.backward()
        for layer in model.layers[::-1]:
            grad = layer.backward(grad)
            layer.w -= layer.w_gradient * self.lr
            layer.b -= layer.b_gradient * self.lr


class MarkedKeys:
    def update(self, layers, learning_rate):
        for layer in layers:
            for key in layer.params.keys():
                layer.params[key] -= learning_rate * layer.grads[f"d{key}"]


def cached_by_key(params, grads, cache, learning_rate=0.01, decay_rate=0.9):
    """A state of the bias `b1` is no decay rate."""
    for key in params.keys():
        cache[key] = decay_rate * cache[key] + (1 - decay_rate) * grads[key] ** 2
        params[key] -= learning_rate * grads[key] / (np.sqrt(cache[key]) + 1e-8)
    return params, cache


def over_a_model(model, grad_buffer, rmsprop_cache, learning_rate=0.01):
    for k, v in model.items():
        g = grad_buffer[k]
        rmsprop_cache[k] = 0.9 * rmsprop_cache[k] + (1 - 0.9) * g**2
        model[k] -= learning_rate * g / (np.sqrt(rmsprop_cache[k]) + 1e-8)
        grad_buffer[k] = np.zeros_like(v)


class PairsOfArrays:
    def __init__(self, model_params, lr=0.01, momentum=0.9):
        self.params, self.lr, self.momentum = model_params, lr, momentum
        self.vs = [np.zeros_like(p) for p, grad in self.params]

    def step(self):
        for i in range(len(self.params)):
            p, grad = self.params[i]
            self.vs[i] = self.momentum * self.vs[i] + self.lr * grad
            self.params[i][0] -= self.vs[i]


class OutputGradient:
    def __init__(self, learning_rate=0.01):
        self.learning_rate = learning_rate

    def update(self, weights, biases, weights_gradient, output_gradient):
        return weights - self.learning_rate * weights_gradient, biases - self.learning_rate * output_gradient


class ByTheParameter:
    def __init__(self, learning_rate=0.01, friction=0.9):
        self.lr, self.mu = learning_rate, friction

    def update_params(self, param):
        if not hasattr(param, "v"):
            param.v = np.zeros(param().shape)
        param.v = self.mu * param.v + self.lr * param.grad
        param.val -= param.v


class OwnsACopy:
    def __init__(self, initial_params, learning_rate=0.01):
        self._params = {k: v.copy() for k, v in initial_params.items()}
        self._learning_rate = learning_rate

    def step(self, gradients):
        for k in self._params:
            self._params[k] -= self._learning_rate * gradients[k]


class OfAModel:
    def __init__(self, model, learning_rate=0.1):
        self.model, self.learning_rate = model, learning_rate
        self.mem = {name: np.zeros_like(model.params[name]) for name in model.params}

    def update_param(self, grads):
        for name in self.model.params:
            self.mem[name] += grads[name] ** 2
            self.model.params[name] -= self.learning_rate * grads[name] / (np.sqrt(self.mem[name]) + 1e-10)


class InitializedWithANet:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum = lr, momentum

    def initialize(self, nn):
        self.layers = [layer for layer in nn.layers if layer.trainable]
        self.v = [[np.zeros_like(p) for p in layer.params] for layer in self.layers]

    def step(self):
        for layer, v in zip(self.layers, self.v):
            for j, (p, g) in enumerate(zip(layer.params, layer.grads)):
                v[j] = self.momentum * v[j] - self.lr * g
                p += v[j]


class GradientPerhaps:
    def __init__(self, stepsize=0.01):
        self.stepsize = stepsize

    def step(self, objective_fn, x, grad_fn=None):
        return x - self.stepsize * self.gradient(objective_fn, x, grad_fn=grad_fn)

    def gradient(self, objective_fn, x, grad_fn=None):
        if grad_fn is None:
            raise NotImplementedError
        return grad_fn(x)


def step_of_a_difference(fun, x0, jac=None, eps=1e-8, maxiter=np.inf, eta=0.01, epsilon=1e-10):
    x, total, k = np.copy(x0), 0.0, 0
    while k < maxiter:
        k += 1
        g = jac(x) if jac is not None else (fun(x + eps * np.ones_like(x)) - fun(x)) / eps
        total = total + g * g
        x = x - eta * g / (np.sqrt(total) + epsilon)
    return x
