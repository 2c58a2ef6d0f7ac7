"""Neural networks from scratch: the optimizer is given a layer, layers or a model that keeps its gradients."""
import numpy as np

CASES = {
    "Optimizer_SGD": ("momentum", True), "Optimizer_RMSprop": ("rmsprop", True), "Optimizer_Adam": ("adam", True),
    "Optimizer_AdamWrong": ("adam", False), "GradDescent": ("sgd", True), "ShortNames": ("adam", True),
    "ParamDicts": ("adam", True), "MarkedDicts": ("momentum", True), "ListOfLayers": ("sgd", True),
    "ModelLayers": ("adam", True), "FlatMomentum": ("momentum", True), "GradWeights": ("rmsprop", True),
    "SnakeCase": ("adagrad", True), "ModelParams": ("adam", True), "ListOfLayersWrong": ("momentum", False),
    "OnlyWeights": ("adam", True), "ParameterLayers": ("sgd", True), "MadeOfModel": ("adam", True),
}


class Optimizer_SGD:
    def __init__(self, learning_rate=1., decay=0., momentum=0.9):
        self.learning_rate = learning_rate
        self.current_learning_rate = learning_rate
        self.decay = decay
        self.iterations = 0
        self.momentum = momentum

    def pre_update_params(self):
        if self.decay:
            self.current_learning_rate = self.learning_rate * (1. / (1. + self.decay * self.iterations))

    def update_params(self, layer):
        if self.momentum:
            if not hasattr(layer, 'weight_momentums'):
                layer.weight_momentums = np.zeros_like(layer.weights)
                layer.bias_momentums = np.zeros_like(layer.biases)
            weight_updates = self.momentum * layer.weight_momentums - self.current_learning_rate * layer.dweights
            layer.weight_momentums = weight_updates
            bias_updates = self.momentum * layer.bias_momentums - self.current_learning_rate * layer.dbiases
            layer.bias_momentums = bias_updates
        else:
            weight_updates = -self.current_learning_rate * layer.dweights
            bias_updates = -self.current_learning_rate * layer.dbiases
        layer.weights += weight_updates
        layer.biases += bias_updates

    def post_update_params(self):
        self.iterations += 1


class Optimizer_RMSprop:
    def __init__(self, learning_rate=0.001, epsilon=1e-7, rho=0.9):
        self.learning_rate, self.epsilon, self.rho = learning_rate, epsilon, rho

    def update_params(self, layer):
        if not hasattr(layer, 'weight_cache'):
            layer.weight_cache = np.zeros_like(layer.weights)
            layer.bias_cache = np.zeros_like(layer.biases)
        layer.weight_cache = self.rho * layer.weight_cache + (1 - self.rho) * layer.dweights**2
        layer.bias_cache = self.rho * layer.bias_cache + (1 - self.rho) * layer.dbiases**2
        layer.weights += -self.learning_rate * layer.dweights / (np.sqrt(layer.weight_cache) + self.epsilon)
        layer.biases += -self.learning_rate * layer.dbiases / (np.sqrt(layer.bias_cache) + self.epsilon)


class Optimizer_Adam:
    first = 1

    def __init__(self, learning_rate=0.001, decay=0., epsilon=1e-7, beta_1=0.9, beta_2=0.999):
        self.learning_rate = self.current_learning_rate = learning_rate
        self.decay, self.iterations, self.epsilon, self.beta_1, self.beta_2 = decay, 0, epsilon, beta_1, beta_2

    def pre_update_params(self):
        if self.decay:
            self.current_learning_rate = self.learning_rate * (1. / (1. + self.decay * self.iterations))

    def update_params(self, layer):
        if not hasattr(layer, 'weight_cache'):
            layer.weight_momentums = np.zeros_like(layer.weights)
            layer.weight_cache = np.zeros_like(layer.weights)
            layer.bias_momentums = np.zeros_like(layer.biases)
            layer.bias_cache = np.zeros_like(layer.biases)
        layer.weight_momentums = self.beta_1 * layer.weight_momentums + (1 - self.beta_1) * layer.dweights
        layer.bias_momentums = self.beta_1 * layer.bias_momentums + (1 - self.beta_1) * layer.dbiases
        k = self.iterations + self.first
        weight_momentums_corrected = layer.weight_momentums / (1 - self.beta_1 ** k)
        bias_momentums_corrected = layer.bias_momentums / (1 - self.beta_1 ** k)
        layer.weight_cache = self.beta_2 * layer.weight_cache + (1 - self.beta_2) * layer.dweights**2
        layer.bias_cache = self.beta_2 * layer.bias_cache + (1 - self.beta_2) * layer.dbiases**2
        weight_cache_corrected = layer.weight_cache / (1 - self.beta_2 ** k)
        bias_cache_corrected = layer.bias_cache / (1 - self.beta_2 ** k)
        layer.weights += -self.current_learning_rate * weight_momentums_corrected / (
            np.sqrt(weight_cache_corrected) + self.epsilon)
        layer.biases += -self.current_learning_rate * bias_momentums_corrected / (
            np.sqrt(bias_cache_corrected) + self.epsilon)

    def post_update_params(self):
        self.iterations += 1


class Optimizer_AdamWrong(Optimizer_Adam):
    first = 2


class GradDescent:
    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, net):
        for param, grad in net.params_and_grads():
            param -= self.lr * grad


class ShortNames:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps = lr, beta1, beta2, eps
        self.state = {}

    def update(self, layer):
        s = self.state.setdefault(id(layer), dict(t=0, mW=0., vW=0., mb=0., vb=0.))
        s["t"] += 1
        for n in ("W", "b"):
            g = getattr(layer, "d" + n) if False else (layer.dW if n == "W" else layer.db)
            s["m" + n] = self.beta1 * s["m" + n] + (1 - self.beta1) * g
            s["v" + n] = self.beta2 * s["v" + n] + (1 - self.beta2) * g * g
            step = self.lr * s["m" + n] / (1 - self.beta1 ** s["t"]) / (
                np.sqrt(s["v" + n] / (1 - self.beta2 ** s["t"])) + self.eps)
            if n == "W":
                layer.W -= step
            else:
                layer.b -= step


class ParamDicts:
    def __init__(self, lr=0.001, beta1=0.9, beta2=0.999, eps=1e-8):
        self.lr, self.beta1, self.beta2, self.eps, self.t = lr, beta1, beta2, eps, 0
        self.m, self.v = {}, {}

    def step(self, layers):
        self.t += 1
        for i, layer in enumerate(layers):
            for name in layer.params:
                k = (i, name)
                g = layer.grads[name]
                self.m[k] = self.beta1 * self.m.get(k, 0) + (1 - self.beta1) * g
                self.v[k] = self.beta2 * self.v.get(k, 0) + (1 - self.beta2) * g**2
                m_hat = self.m[k] / (1 - self.beta1**self.t)
                v_hat = self.v[k] / (1 - self.beta2**self.t)
                layer.params[name] -= self.lr * m_hat / (np.sqrt(v_hat) + self.eps)


class MarkedDicts:
    def __init__(self, lr=0.01, momentum=0.9):
        self.lr, self.momentum = lr, momentum

    def update(self, layer):
        if not hasattr(layer, "vel"):
            layer.vel = {"W": 0, "b": 0}
        for name in ("W", "b"):
            layer.vel[name] = self.momentum * layer.vel[name] + layer.grads["d" + name if name != "W" else "dW"]
            layer.params[name] = layer.params[name] - self.lr * layer.vel[name]
        return layer.grads["db"]


class ListOfLayers:
    def __init__(self, layers, learning_rate=0.01):
        self.layers = layers
        self.learning_rate = learning_rate

    def step(self):
        for layer in self.layers:
            if not layer.trainable:
                continue
            layer.weights -= self.learning_rate * layer.grad_weights
            layer.bias -= self.learning_rate * layer.grad_bias


class ListOfLayersWrong:
    def __init__(self, layers, learning_rate=0.01, momentum=0.9):
        self.layers, self.learning_rate, self.momentum, self.v = layers, learning_rate, momentum, {}

    def step(self):
        for i, layer in enumerate(self.layers):
            for name in ("weights", "bias"):
                g = layer.grad_weights if name == "weights" else layer.grad_bias
                v = self.momentum * self.v.get((i, name), 0) + g
                setattr(layer, name, getattr(layer, name) - self.learning_rate * v)


class ModelLayers:
    def __init__(self, lr=1e-3, b1=0.9, b2=0.999, eps=1e-8):
        self.lr, self.b1, self.b2, self.eps, self.t = lr, b1, b2, eps, 0
        self.cache = {}

    def update(self, model):
        self.t += 1
        for idx, layer in enumerate(model.layers):
            if hasattr(layer, "weights"):
                mw, vw, mb, vb = self.cache.get(idx, (0., 0., 0., 0.))
                mw = self.b1 * mw + (1 - self.b1) * layer.d_weights
                vw = self.b2 * vw + (1 - self.b2) * layer.d_weights ** 2
                mb = self.b1 * mb + (1 - self.b1) * layer.d_biases
                vb = self.b2 * vb + (1 - self.b2) * layer.d_biases ** 2
                self.cache[idx] = mw, vw, mb, vb
                c1, c2 = 1 - self.b1 ** self.t, 1 - self.b2 ** self.t
                layer.weights -= self.lr * (mw / c1) / (np.sqrt(vw / c2) + self.eps)
                layer.biases -= self.lr * (mb / c1) / (np.sqrt(vb / c2) + self.eps)


class FlatMomentum:
    def __init__(self, model, lr=0.01, mu=0.9):
        self.model, self.lr, self.mu = model, lr, mu
        self.velocity = np.zeros_like(model.get_flat_params())

    def step(self):
        w = self.model.get_flat_params()
        g = self.model.get_flat_grads()
        self.velocity = self.mu * self.velocity + g
        self.model.set_flat_params(w - self.lr * self.velocity)


class GradWeights:
    def __init__(self, lr=0.01, decay=0.9, eps=1e-8):
        self.lr, self.decay, self.eps = lr, decay, eps

    def __call__(self, layer):
        if not hasattr(layer, "s_w"):
            layer.s_w, layer.s_b = 0, 0
        layer.s_w = self.decay * layer.s_w + (1 - self.decay) * layer.weight_grad ** 2
        layer.s_b = self.decay * layer.s_b + (1 - self.decay) * layer.bias_grad ** 2
        layer.weight = layer.weight - self.lr * layer.weight_grad / (np.sqrt(layer.s_w) + self.eps)
        layer.bias = layer.bias - self.lr * layer.bias_grad / (np.sqrt(layer.s_b) + self.eps)


class SnakeCase:
    def __init__(self, layers, learning_rate=0.01, epsilon=1e-10):
        self.layers, self.learning_rate, self.epsilon = layers, learning_rate, epsilon
        self.acc = [[0, 0] for _ in layers]

    def update(self):
        for acc, layer in zip(self.acc, self.layers):
            acc[0] = acc[0] + layer.dw ** 2
            acc[1] = acc[1] + layer.db ** 2
            layer.w = layer.w - self.learning_rate * layer.dw / (np.sqrt(acc[0]) + self.epsilon)
            layer.b = layer.b - self.learning_rate * layer.db / (np.sqrt(acc[1]) + self.epsilon)


class ModelParams:
    def __init__(self, alpha=0.001, beta1=0.9, beta2=0.999, epsilon=1e-8):
        self.alpha, self.beta1, self.beta2, self.epsilon, self.t = alpha, beta1, beta2, epsilon, 0
        self.m, self.v = {}, {}

    def update(self, network):
        self.t += 1
        for key in network.params.keys():
            g = network.grads[key]
            self.m[key] = self.beta1 * self.m.get(key, np.zeros_like(g)) + (1 - self.beta1) * g
            self.v[key] = self.beta2 * self.v.get(key, np.zeros_like(g)) + (1 - self.beta2) * np.square(g)
            m_hat = self.m[key] / (1 - self.beta1 ** self.t)
            v_hat = self.v[key] / (1 - self.beta2 ** self.t)
            network.params[key] = network.params[key] - self.alpha * m_hat / (np.sqrt(v_hat) + self.epsilon)


class OnlyWeights:
    def __init__(self, lr=0.001):
        self.lr, self.m, self.v, self.t = lr, 0, 0, 0

    def optimize(self, layer):
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * layer.dW
        self.v = 0.999 * self.v + 0.001 * layer.dW * layer.dW
        layer.W = layer.W - self.lr * (self.m / (1 - 0.9**self.t)) / (np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8)


class ParameterLayers:
    def __init__(self, lr=0.01):
        self.lr = lr

    def step(self, layer):
        layer.weight.data -= self.lr * layer.weight.grad
        layer.bias.data -= self.lr * layer.bias.grad


class MadeOfModel:
    def __init__(self, model, lr=1e-3):
        self.model, self.lr, self.t = model, lr, 0
        self.m = [np.zeros_like(p.data) for p in self.model.parameters()]
        self.v = [np.zeros_like(p.data) for p in self.model.parameters()]

    def step(self):
        self.t += 1
        for i, p in enumerate(self.model.parameters()):
            self.m[i] = 0.9 * self.m[i] + 0.1 * p.grad
            self.v[i] = 0.999 * self.v[i] + 0.001 * p.grad ** 2
            p.data = p.data - self.lr * (self.m[i] / (1 - 0.9 ** self.t)) / (np.sqrt(self.v[i] / (1 - 0.999 ** self.t)) + 1e-8)
