"""Models that compute their gradients inside, from data."""
import numpy as np

CASES = {
    "LeastSquares": ("sgd", True), "logistic_descent": ("sgd", True), "LogisticAdam": ("adam", True),
    "heavy_ball_fit": ("momentum", True), "RowsOnTheLeft": ("sgd", True), "ForgetsToCorrect": ("adam", False),
    "until_it_fits": ("sgd", True), "climbs": ("sgd", False),
}  # fmt: skip


class LeastSquares:
    """The step is in a method of its own, the answers are subtracted from, and the bias goes along."""

    def __init__(self, learning_rate, iterations):
        self.learning_rate, self.iterations = learning_rate, iterations

    def fit(self, X, Y):
        self.rows, self.columns = X.shape
        self.W, self.b = np.zeros(self.columns), 0
        self.X, self.Y = X, Y
        for _ in range(self.iterations):
            self.update_weights()

    def update_weights(self):
        predicted = self.X.dot(self.W) + self.b
        dW = -(2 * (self.X.T).dot(self.Y - predicted)) / self.rows
        db = -2 * np.sum(self.Y - predicted) / self.rows
        self.W = self.W - self.learning_rate * dW
        self.b = self.b - self.learning_rate * db


def logistic_descent(X, y, theta, alpha, num_iters):
    history = []
    for _ in range(num_iters):
        h = 1 / (1 + np.exp(-(X @ theta)))
        theta = theta - alpha / len(y) * (X.T @ (h - y))
        history.append(np.mean(h))
    return theta, history


class LogisticAdam:
    def __init__(self, lr=1e-3, n_iters=100):
        self.lr, self.n_iters = lr, n_iters

    def fit(self, X, y):
        samples, features = X.shape
        self.weights, self.bias = np.zeros(features), 0.0
        m = v = np.zeros(features)
        for t in range(1, self.n_iters + 1):
            predicted = 1 / (1 + np.exp(-(np.dot(X, self.weights) + self.bias)))
            dw = (1 / samples) * np.dot(X.T, predicted - y)
            m, v = 0.9 * m + 0.1 * dw, 0.999 * v + 0.001 * dw**2
            self.weights = self.weights - self.lr * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.999**t)) + 1e-8)
            self.bias -= self.lr * np.sum(predicted - y) / samples


class ForgetsToCorrect(LogisticAdam):
    def fit(self, X, y):
        self.weights = np.zeros(X.shape[1])
        m = v = np.zeros(X.shape[1])
        for _ in range(self.n_iters):
            dw = X.T.dot(X.dot(self.weights) - y) / X.shape[0]
            m, v = 0.9 * m + 0.1 * dw, 0.999 * v + 0.001 * dw**2
            self.weights = self.weights - self.lr * m / (np.sqrt(v) + 1e-8)


def heavy_ball_fit(X, y, w, lr=0.01, gamma=0.9, epochs=50):
    v = np.zeros_like(w)
    for _ in range(epochs):
        gradient = 2 * X.T.dot(X.dot(w) - y) / len(y)
        v = gamma * v + lr * gradient
        w = w - v
    return w


class RowsOnTheLeft:
    def __init__(self, eta=0.1, max_iter=100, tol=1e-6):
        self.eta, self.max_iter, self.tol = eta, max_iter, tol

    def fit(self, X, y):
        self.coef_ = np.random.randn(X.shape[1]) * 0.01
        for _ in range(self.max_iter):
            step = self.eta * ((X @ self.coef_ - y) @ X)
            self.coef_ -= step
            if np.abs(step).max() < self.tol:
                break
        return self


def until_it_fits(X, y, theta, alpha=0.01, max_iters=1000, tolerance=1e-9):
    cost = np.inf
    for _ in range(max_iters):
        residual = X @ theta - y
        theta = theta - alpha * X.T @ residual
        now = float(np.mean(residual**2))
        if abs(cost - now) < tolerance:
            break
        cost = now
    return theta


def climbs(X, y, theta, alpha, num_iters):
    for _ in range(num_iters):
        theta = theta + alpha * X.T @ (X @ theta - y)
    return theta
