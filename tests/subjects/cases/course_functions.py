"""Steps as functions, as course exercises write them: w, dw and a config; dictionaries W1, b1 and v, s."""
import numpy as np

CASES = {
    "sgd": ("sgd", True), "sgd_momentum": ("momentum", True), "rmsprop": ("rmsprop", True), "adam": ("adam", True),
    "adam_no_power": ("adam", False), "adam_required_config": ("adam", True),
    "update_parameters_with_adam": ("adam", True), "update_parameters_with_momentum": ("momentum", True),
    "update_parameters_with_gd": ("sgd", True), "update_parameters_with_adam_wrong": ("adam", False),
    "update_with_rmsprop": ("rmsprop", True), "update_params_adam_nosuffix": ("adam", True),
}


def sgd(w, dw, config=None):
    if config is None:
        config = {}
    config.setdefault('learning_rate', 1e-2)
    w -= config['learning_rate'] * dw
    return w, config


def sgd_momentum(w, dw, config=None):
    if config is None: config = {}
    config.setdefault('learning_rate', 1e-2)
    config.setdefault('momentum', 0.9)
    v = config.get('velocity', np.zeros_like(w))
    v = config['momentum'] * v - config['learning_rate'] * dw
    next_w = w + v
    config['velocity'] = v
    return next_w, config


def rmsprop(x, dx, config=None):
    if config is None: config = {}
    config.setdefault('learning_rate', 1e-2)
    config.setdefault('decay_rate', 0.99)
    config.setdefault('epsilon', 1e-8)
    config.setdefault('cache', np.zeros_like(x))
    config['cache'] = config['decay_rate'] * config['cache'] + (1 - config['decay_rate']) * dx**2
    next_x = x - config['learning_rate'] * dx / (np.sqrt(config['cache']) + config['epsilon'])
    return next_x, config


def adam(x, dx, config=None):
    if config is None: config = {}
    config.setdefault('learning_rate', 1e-3)
    config.setdefault('beta1', 0.9)
    config.setdefault('beta2', 0.999)
    config.setdefault('epsilon', 1e-8)
    config.setdefault('m', np.zeros_like(x))
    config.setdefault('v', np.zeros_like(x))
    config.setdefault('t', 0)
    lr, b1, b2, eps = (config[k] for k in ('learning_rate', 'beta1', 'beta2', 'epsilon'))
    m, v = config['m'], config['v']
    t = config['t'] + 1
    m = b1 * m + (1 - b1) * dx
    v = b2 * v + (1 - b2) * (dx**2)
    mb = m / (1 - b1**t)
    vb = v / (1 - b2**t)
    next_x = x - lr * mb / (np.sqrt(vb) + eps)
    config['m'], config['v'], config['t'] = m, v, t
    return next_x, config


def adam_no_power(x, dx, config=None):
    if config is None: config = {}
    config.setdefault('learning_rate', 1e-3)
    config.setdefault('beta1', 0.9)
    config.setdefault('beta2', 0.999)
    config.setdefault('epsilon', 1e-8)
    config.setdefault('m', np.zeros_like(x))
    config.setdefault('v', np.zeros_like(x))
    config['m'] = config['beta1'] * config['m'] + (1 - config['beta1']) * dx
    config['v'] = config['beta2'] * config['v'] + (1 - config['beta2']) * dx * dx
    mt = config['m'] / (1 - config['beta1'])
    vt = config['v'] / (1 - config['beta2'])
    return x - config['learning_rate'] * mt / (np.sqrt(vt) + config['epsilon']), config


def adam_required_config(params, grads, state):
    lr, b1, b2, eps = 1e-3, 0.9, 0.999, 1e-8
    if 'm' not in state:
        state['m'] = np.zeros_like(params)
        state['v'] = np.zeros_like(params)
        state['step'] = 0
    state['step'] += 1
    state['m'] = b1 * state['m'] + (1 - b1) * grads
    state['v'] = b2 * state['v'] + (1 - b2) * grads**2
    m_hat = state['m'] / (1 - b1 ** state['step'])
    v_hat = state['v'] / (1 - b2 ** state['step'])
    params -= lr * m_hat / (np.sqrt(v_hat) + eps)


def initialize_adam(parameters):
    L = len(parameters) // 2
    v = {}
    s = {}
    for l in range(L):
        v["dW" + str(l + 1)] = np.zeros(parameters["W" + str(l + 1)].shape)
        v["db" + str(l + 1)] = np.zeros(parameters["b" + str(l + 1)].shape)
        s["dW" + str(l + 1)] = np.zeros(parameters["W" + str(l + 1)].shape)
        s["db" + str(l + 1)] = np.zeros(parameters["b" + str(l + 1)].shape)
    return v, s


def update_parameters_with_adam(parameters, grads, v, s, t, learning_rate=0.01,
                                beta1=0.9, beta2=0.999, epsilon=1e-8):
    L = len(parameters) // 2
    v_corrected = {}
    s_corrected = {}
    for l in range(L):
        for k in ("W", "b"):
            name = k + str(l + 1)
            v["d" + name] = beta1 * v["d" + name] + (1 - beta1) * grads["d" + name]
            v_corrected["d" + name] = v["d" + name] / (1 - np.power(beta1, t))
            s["d" + name] = beta2 * s["d" + name] + (1 - beta2) * np.power(grads["d" + name], 2)
            s_corrected["d" + name] = s["d" + name] / (1 - np.power(beta2, t))
            parameters[name] = parameters[name] - learning_rate * v_corrected["d" + name] / (
                np.sqrt(s_corrected["d" + name]) + epsilon)
    return parameters, v, s


def update_parameters_with_adam_wrong(parameters, grads, v, s, t, learning_rate=0.01,
                                      beta1=0.9, beta2=0.999, epsilon=1e-8):
    L = len(parameters) // 2
    for l in range(1, L + 1):
        for k in ("W", "b"):
            name = k + str(l)
            v["d" + name] = beta1 * v["d" + name] + (1 - beta1) * grads["d" + name]
            s["d" + name] = beta2 * s["d" + name] + (1 - beta2) * np.power(grads["d" + name], 2)
            vc = v["d" + name] / (1 - np.power(beta1, t))
            sc = s["d" + name] / (1 - np.power(beta1, t))
            parameters[name] -= learning_rate * vc / (np.sqrt(sc) + epsilon)
    return parameters, v, s


def initialize_velocity(parameters):
    v = {}
    for l in range(1, len(parameters) // 2 + 1):
        v["dW" + str(l)] = np.zeros_like(parameters["W" + str(l)])
        v["db" + str(l)] = np.zeros_like(parameters["b" + str(l)])
    return v


def update_parameters_with_momentum(parameters, grads, v, beta=0.9, learning_rate=0.01):
    """The course's form: an average, not a sum (mhat's dialect or another rule)."""
    for l in range(1, len(parameters) // 2 + 1):
        v["dW" + str(l)] = beta * v["dW" + str(l)] + (1 - beta) * grads["dW" + str(l)]
        v["db" + str(l)] = beta * v["db" + str(l)] + (1 - beta) * grads["db" + str(l)]
        parameters["W" + str(l)] = parameters["W" + str(l)] - learning_rate * v["dW" + str(l)]
        parameters["b" + str(l)] = parameters["b" + str(l)] - learning_rate * v["db" + str(l)]
    return parameters, v


def update_parameters_with_gd(parameters, grads, learning_rate=0.01):
    L = len(parameters) // 2
    for l in range(L):
        parameters["W" + str(l + 1)] = parameters["W" + str(l + 1)] - learning_rate * grads["dW" + str(l + 1)]
        parameters["b" + str(l + 1)] = parameters["b" + str(l + 1)] - learning_rate * grads["db" + str(l + 1)]
    return parameters


def update_with_rmsprop(params, grads, s, lr=0.001, rho=0.9, eps=1e-8):
    for key in params.keys():
        s[key] = rho * s[key] + (1 - rho) * grads[key] ** 2
        params[key] -= lr * grads[key] / (np.sqrt(s[key]) + eps)
    return params, s


def update_params_adam_nosuffix(params, grads, state, lr=1e-3, beta1=0.9, beta2=0.999, eps=1e-8):
    state.setdefault("t", 0)
    state.setdefault("m", {k: np.zeros_like(p) for k, p in params.items()})
    state.setdefault("v", {k: np.zeros_like(p) for k, p in params.items()})
    state["t"] += 1
    for k in params:
        state["m"][k] = beta1 * state["m"][k] + (1 - beta1) * grads[k]
        state["v"][k] = beta2 * state["v"][k] + (1 - beta2) * grads[k] ** 2
        mh = state["m"][k] / (1 - beta1 ** state["t"])
        vh = state["v"][k] / (1 - beta2 ** state["t"])
        params[k] = params[k] - lr * mh / (np.sqrt(vh) + eps)
    return params
