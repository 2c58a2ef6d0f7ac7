"""A float whose operators give IEEE results instead of exceptions, for rules that run as Python. It knows no tree."""

from __future__ import annotations

from mhat.ops import elementwise


class Double(float):
    """A double whose `/ // % **` never raise.

    >>> Double(1) / 0, Double(-8) ** (1 / 3)
    (inf, nan)
    """

    def __add__(self, other: float) -> Double:
        return Double(float.__add__(self, float(other)))

    def __radd__(self, other: float) -> Double:
        return Double(float.__add__(float(other), self))

    def __sub__(self, other: float) -> Double:
        return Double(float.__sub__(self, float(other)))

    def __rsub__(self, other: float) -> Double:
        return Double(float.__sub__(float(other), self))

    def __mul__(self, other: float) -> Double:
        return Double(float.__mul__(self, float(other)))

    def __rmul__(self, other: float) -> Double:
        return Double(float.__mul__(float(other), self))

    def __matmul__(self, other: float) -> Double:
        return self * other

    def __neg__(self) -> Double:
        return Double(float.__neg__(self))

    def __abs__(self) -> Double:
        return Double(float.__abs__(self))

    def __truediv__(self, other: float) -> Double:
        return Double(elementwise.div(float(self), float(other)))

    def __rtruediv__(self, other: float) -> Double:
        return Double(elementwise.div(float(other), float(self)))

    def __floordiv__(self, other: float) -> Double:
        return Double(elementwise.floordiv(float(self), float(other)))

    def __rfloordiv__(self, other: float) -> Double:
        return Double(elementwise.floordiv(float(other), float(self)))

    def __mod__(self, other: float) -> Double:
        return Double(elementwise.mod(float(self), float(other)))

    def __rmod__(self, other: float) -> Double:
        return Double(elementwise.mod(float(other), float(self)))

    def __pow__(self, other: float, modulo: None = None) -> Double:
        return Double(elementwise.pow_(float(self), float(other)))

    def __rpow__(self, other: float, modulo: None = None) -> Double:
        return Double(elementwise.pow_(float(other), float(self)))
