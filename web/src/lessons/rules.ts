/** The rules that the lessons are about, as the library has them. */

export const ADAM = `def adam(x, g, t, m=0, v=0, *, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    ratio = m_hat / (sqrt(v_hat) + eps)
    return x - lr * ratio`;

export const WRONG_ADAM = `def wrong_adam(x, g, t, m=0, v=0, *, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m = m / (1 - beta1**t)
    v = v / (1 - beta2**t)
    ratio = m / (sqrt(v) + eps)
    return x - lr * ratio`;

export const UNCORRECTED = `def uncorrected(x, g, m=0, v=0, *, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    ratio = m / (sqrt(v) + eps)
    return x - lr * ratio`;

export const AMSGRAD = `def amsgrad(x, g, t, m=0, v=0, v_max=0, *, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8):
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_max = maximum(v_max, v)
    ratio = m_hat / (sqrt(v_max / (1 - beta2**t)) + eps)
    return x - lr * ratio`;

export const ADAMW = `def adamw(x, g, t, m=0, v=0, *, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.1):
    x = x - lr * weight_decay * x
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return x - lr * m_hat / (sqrt(v_hat) + eps)`;

export const ADAM_L2 = `def adam_l2(x, g, t, m=0, v=0, *, lr=0.01, beta1=0.9, beta2=0.999, eps=1e-8, weight_decay=0.1):
    g = g + weight_decay * x
    m = beta1 * m + (1 - beta1) * g
    v = beta2 * v + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**t)
    v_hat = v / (1 - beta2**t)
    return x - lr * m_hat / (sqrt(v_hat) + eps)`;

export const SGD = `def sgd(x, g, *, lr=0.01):
    return x - lr * g`;

export const MOMENTUM = `def momentum(x, g, m=0, *, lr=0.01, beta=0.9):
    m = beta * m + g
    return x - lr * m`;

export const RMSPROP = `def rmsprop(x, g, v=0, *, lr=0.01, rho=0.99, eps=1e-8):
    v = rho * v + (1 - rho) * g**2
    return x - lr * g / (sqrt(v) + eps)`;
