"""The functions that files in C have beside their step. It is text, where P is the prefix of the file, R its type."""

from __future__ import annotations

import re

IPOW = """/* The product of two doubles of moderate size and its error (Dekker 1971). */
static inline double P_product(double a, double b, double *error) {
    const double splitter = 134217729.0; /* 2**27 + 1 */
    const double product = a * b;
    double scaled = splitter * a;
    const double a_high = scaled - (scaled - a), a_low = a - a_high;
    scaled = splitter * b;
    const double b_high = scaled - (scaled - b), b_low = b - b_high;
    *error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    return product;
}

/* Multiply a double-double in [1, 2) by another, in place; gives the exponent of two that is taken out. */
static inline double P_multiply(double *high, double *low, double other_high, double other_low) {
    double error;
    const double product = P_product(*high, other_high, &error);
    error = error + (*high * other_low + *low * other_high);
    const double total = product + error, rest = error - (total - product);
    const double scale = total >= 2.0 ? 0.5 : 1.0;
    *high = total * scale;
    *low = rest * scale;
    return total >= 2.0 ? 1.0 : 0.0;
}

/* Raise to an integer power in double-double: rounded correctly but for rare ties, the same bits on every machine. */
static inline double P_ipow(double base, double exponent) {
    static const int steps[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512};
    if (exponent == 0.0) return 1.0;
    if (base != base || exponent == 1.0) return base;
    const int odd = fmod(fabs(exponent), 2.0) == 1.0;
    if (base == 0.0 || isinf(base)) {
        const double size = exponent > 0.0 ? fabs(base) : base == 0.0 ? INFINITY : 0.0;
        return odd ? copysign(size, base) : size;
    }
    double base_high = fabs(base), base_low = 0.0, base_exponent = 0.0;
    for (int i = 10; i >= 0; i--)
        if (base_high >= ldexp(1.0, steps[i])) {
            base_high = base_high * ldexp(1.0, -steps[i]);
            base_exponent = base_exponent + steps[i];
        }
    for (int i = 10; i >= 0; i--)
        if (base_high < 2.0 * ldexp(1.0, -steps[i])) {
            base_high = base_high * ldexp(1.0, steps[i]);
            base_exponent = base_exponent - steps[i];
        }
    double high = 1.0, low = 0.0, total = 0.0;
    for (double count = fabs(exponent); count > 0.0; count = (count - fmod(count, 2.0)) * 0.5) {
        if (fmod(count, 2.0) == 1.0)
            total = total + base_exponent + P_multiply(&high, &low, base_high, base_low);
        const double square_high = base_high, square_low = base_low;
        base_exponent = 2.0 * base_exponent + P_multiply(&base_high, &base_low, square_high, square_low);
    }
    if (exponent < 0.0) {
        double error;
        const double quotient = 1.0 / high, product = P_product(quotient, high, &error);
        low = (((1.0 - product) - error) - quotient * low) / high;
        high = quotient;
        total = -total;
    }
    double size = high + low, rest = fmin(fabs(total), 1535.0);
    for (int i = 0; i < 11; i++) /* small steps first: only the last product can round */
        if (i < 9 ? fmod(rest, 2.0 * steps[i]) >= steps[i] : rest >= steps[i]) {
            size = size * ldexp(1.0, total > 0.0 ? steps[i] : -steps[i]);
            rest = rest - steps[i];
        }
    return odd && base < 0.0 ? -size : size;
}

/* Raise to any power: integers as above, others by the library. */
static inline double P_power(double base, double exponent) {
    const int whole = fmod(exponent, 1.0) == 0.0 && fabs(exponent) <= 9007199254740992.0;
    return whole ? P_ipow(base, exponent) : pow(base, exponent);
}"""

MOD = """/* The remainder with the sign of the divisor; NaN by zero. */
static inline double P_mod(double a, double b) {
    if (b == 0.0 || isinf(a) || a != a || b != b) return NAN;
    const double rest = fmod(a, b);
    if (rest == 0.0) return copysign(0.0, b);
    return (b < 0.0) != (rest < 0.0) ? rest + b : rest;
}"""

FLOORDIV = """/* The quotient rounded down. */
static inline double P_floordiv(double a, double b) {
    if (b == 0.0) return a / b;
    if (isinf(a) || a != a || b != b) return NAN;
    const double rest = fmod(a, b);
    double quotient = (a - rest) / b;
    if (rest != 0.0 && (b < 0.0) != (rest < 0.0)) quotient = quotient - 1.0;
    if (quotient == 0.0) return copysign(0.0, a / b);
    const double down = floor(quotient);
    return quotient - down > 0.5 ? down + 1.0 : down;
}"""

# In the type of the arrays, and in double.
EITHER = {
    "min": """/* The smaller; NaN if either is. */
static inline R P_minS(R a, R b) { return a <= b || a != a ? a : b; }""",
    "max": """/* The larger; NaN if either is. */
static inline R P_maxS(R a, R b) { return a >= b || a != a ? a : b; }""",
    "clip": """/* Limit a number to a range. */
static inline R P_clipS(R a, R low, R high) { return P_minS(P_maxS(a, low), high); }""",
    "sign": """/* The sign: 1, 0 or -1; NaN for NaN. */
static inline R P_signS(R a) { return a > 0 ? 1 : a < 0 ? -1 : a == 0 ? 0 : a; }""",
    "square": "static inline R P_squareS(R a) { return a * a; }",
    "cube": "static inline R P_cubeS(R a) { return a * a * a; }",
    "fourth": "static inline R P_fourthS(R a) { return a * a * a * a; }",
}

SUM = """/* A sum in blocks of 1024, each halved again and again: the same bits in every language. */
struct P_sum {
    size_t count[4];
    R block[4][1024];
};

static inline R P_halved(R *block, size_t count) {
    size_t length = 1;
    while (length < count) length *= 2;
    for (size_t i = count; i < length; i++) block[i] = 0;
    for (; length > 1; length /= 2)
        for (size_t i = 0; i < length / 2; i++) block[i] = block[i] + block[i + length / 2];
    return block[0];
}

static inline void P_begin(struct P_sum *sum) {
    for (int level = 0; level < 4; level++) sum->count[level] = 0;
}

static inline void P_push(struct P_sum *sum, int level, R value) {
    for (; level < 4; level++) {
        sum->block[level][sum->count[level]++] = value;
        if (sum->count[level] < 1024) return;
        value = P_halved(sum->block[level], 1024);
        sum->count[level] = 0;
    }
}

static inline R P_total(struct P_sum *sum) {
    for (int level = 0; level < 4; level++) {
        size_t above = 0;
        for (int i = level + 1; i < 4; i++) above += sum->count[i];
        const size_t count = sum->count[level];
        if (above == 0 && (count == 1 || level == 3)) return P_halved(sum->block[level], count);
        sum->count[level] = 0;
        if (count > 0) P_push(sum, level + 1, P_halved(sum->block[level], count));
    }
    return 0;
}"""

LARGEST = """/* The larger of what was the largest and another; NaN stays. */
static inline R P_larger(R a, R b) { return a != a || b <= a ? a : b; }"""


def helpers_of(text: str, prefix: str, real: str) -> list[str]:
    """Give the functions that a text calls, in the order in which they must stand."""
    found = [IPOW] if f"{prefix}power(" in text else []
    found += [source for name, source in (("mod", MOD), ("floordiv", FLOORDIV)) if f"{prefix}{name}(" in text]
    found = [_filled(source, prefix, real) for source in found]
    for suffix, kind in (("", real), ("_double", "double")):
        wanted = {name for name in EITHER if f"{prefix}{name}{suffix}(" in text}
        wanted |= {"min", "max"} if "clip" in wanted else set()
        found += [_filled(source, prefix, kind, suffix) for name, source in EITHER.items() if name in wanted]
    found += [_filled(SUM, prefix, real)] if f"{prefix}push(" in text else []
    return [*found, *([_filled(LARGEST, prefix, real)] if f"{prefix}larger(" in text else [])]


def _filled(source: str, prefix: str, real: str, suffix: str = "") -> str:
    text = re.sub(r"\b(P_\w+)S\(", rf"\1{suffix}(", source)
    return re.sub(r"\bP_", prefix, re.sub(r"\bR\b", real, text))
