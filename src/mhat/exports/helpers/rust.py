"""The functions that files in Rust have beside their step. It is text, where R is the type, S the end of a name."""

from __future__ import annotations

import re

IPOW = """/// The product of two doubles of moderate size and its error (Dekker 1971).
fn product(a: f64, b: f64) -> (f64, f64) {
    let splitter = 134217729.0; // 2**27 + 1
    let product = a * b;
    let scaled = splitter * a;
    let a_high = scaled - (scaled - a);
    let a_low = a - a_high;
    let scaled = splitter * b;
    let b_high = scaled - (scaled - b);
    let b_low = b - b_high;
    let error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low;
    (product, error)
}

/// Multiply two double-doubles in [1, 2): high and low in [1, 2) again, and the exponent of two taken out.
fn multiply(a: (f64, f64), b: (f64, f64)) -> ((f64, f64), f64) {
    let (product, error) = product(a.0, b.0);
    let error = error + (a.0 * b.1 + a.1 * b.0);
    let total = product + error;
    let rest = error - (total - product);
    if total >= 2.0 { ((total * 0.5, rest * 0.5), 1.0) } else { ((total, rest), 0.0) }
}

/// Two to a whole power, exactly.
fn two_to(power: i64) -> f64 {
    f64::from_bits(((1023 + power) as u64) << 52)
}

/// Raise to an integer power in double-double: rounded correctly but for rare ties, the same bits on every machine.
fn ipow(base: f64, exponent: f64) -> f64 {
    const STEPS: [i64; 11] = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 512];
    if exponent == 0.0 {
        return 1.0;
    }
    if base.is_nan() || exponent == 1.0 {
        return base;
    }
    let odd = exponent.abs() % 2.0 == 1.0;
    if base == 0.0 || base.is_infinite() {
        let size = if exponent > 0.0 { base.abs() } else if base == 0.0 { f64::INFINITY } else { 0.0 };
        return if odd { size.copysign(base) } else { size };
    }
    let (mut factor, mut factor_exponent) = ((base.abs(), 0.0), 0.0);
    for &step in STEPS.iter().rev() {
        if factor.0 >= two_to(step) {
            factor.0 *= two_to(-step);
            factor_exponent += step as f64;
        }
    }
    for &step in STEPS.iter().rev() {
        if factor.0 < 2.0 * two_to(-step) {
            factor.0 *= two_to(step);
            factor_exponent -= step as f64;
        }
    }
    let (mut power, mut total) = ((1.0, 0.0), 0.0);
    let mut count = exponent.abs();
    while count > 0.0 {
        if count % 2.0 == 1.0 {
            let (made, carry) = multiply(power, factor);
            power = made;
            total = total + factor_exponent + carry;
        }
        count = (count - count % 2.0) * 0.5;
        let (made, carry) = multiply(factor, factor);
        factor = made;
        factor_exponent = 2.0 * factor_exponent + carry;
    }
    let (mut high, mut low) = power;
    if exponent < 0.0 {
        let quotient = 1.0 / high;
        let (product, error) = product(quotient, high);
        low = (((1.0 - product) - error) - quotient * low) / high;
        high = quotient;
        total = -total;
    }
    let (mut size, mut rest) = (high + low, f64::min(total.abs(), 1535.0));
    for (i, &step) in STEPS.iter().enumerate() {
        // Small steps first: only the last product can round.
        let due = if i < 9 { rest % (2.0 * step as f64) >= step as f64 } else { rest >= step as f64 };
        if due {
            size *= two_to(if total > 0.0 { step } else { -step });
            rest -= step as f64;
        }
    }
    if odd && base < 0.0 { -size } else { size }
}

/// Raise to any power: integers as above, others by the library.
fn power(base: f64, exponent: f64) -> f64 {
    if exponent % 1.0 == 0.0 && exponent.abs() <= 9007199254740992.0 {
        ipow(base, exponent)
    } else {
        base.powf(exponent)
    }
}"""

MOD = """/// The remainder with the sign of the divisor; NaN by zero.
fn r#mod(a: f64, b: f64) -> f64 {
    if b == 0.0 || a.is_infinite() || a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    let rest = a % b;
    if rest == 0.0 {
        return f64::copysign(0.0, b);
    }
    if (b < 0.0) != (rest < 0.0) { rest + b } else { rest }
}""".replace("r#mod", "modulo")

FLOORDIV = """/// The quotient rounded down.
fn floordiv(a: f64, b: f64) -> f64 {
    if b == 0.0 {
        return a / b;
    }
    if a.is_infinite() || a.is_nan() || b.is_nan() {
        return f64::NAN;
    }
    let rest = a % b;
    let mut quotient = (a - rest) / b;
    if rest != 0.0 && (b < 0.0) != (rest < 0.0) {
        quotient -= 1.0;
    }
    if quotient == 0.0 {
        return f64::copysign(0.0, a / b);
    }
    let down = quotient.floor();
    if quotient - down > 0.5 { down + 1.0 } else { down }
}"""

# In the type of the slices, and in f64.
EITHER = {
    "min": """/// The smaller; NaN if either is.
fn minS(a: R, b: R) -> R {
    if a <= b || a.is_nan() { a } else { b }
}""",
    "max": """/// The larger; NaN if either is.
fn maxS(a: R, b: R) -> R {
    if a >= b || a.is_nan() { a } else { b }
}""",
    "clip": """/// Limit a number to a range.
fn clipS(a: R, low: R, high: R) -> R {
    minS(maxS(a, low), high)
}""",
    "sign": """/// The sign: 1, 0 or -1; NaN for NaN.
fn signS(a: R) -> R {
    if a > 0.0 {
        1.0
    } else if a < 0.0 {
        -1.0
    } else if a == 0.0 {
        0.0
    } else {
        a
    }
}""",
    "square": """fn squareS(a: R) -> R {
    a * a
}""",
    "cube": """fn cubeS(a: R) -> R {
    a * a * a
}""",
    "fourth": """fn fourthS(a: R) -> R {
    a * a * a * a
}""",
}

SUM = """/// A sum in blocks of 1024, each halved again and again: the same bits in every language.
struct Sum {
    count: [usize; 4],
    block: [[Real; 1024]; 4],
}

impl Sum {
    fn new() -> Self {
        Sum { count: [0; 4], block: [[0.0; 1024]; 4] }
    }

    fn halved(&mut self, level: usize) -> Real {
        let count = self.count[level];
        let block = &mut self.block[level];
        let mut length = count.max(1).next_power_of_two();
        block[count..length].fill(0.0);
        while length > 1 {
            length /= 2;
            for i in 0..length {
                block[i] += block[i + length];
            }
        }
        block[0]
    }

    fn push(&mut self, first: usize, value: Real) {
        let mut value = value;
        for level in first..4 {
            self.block[level][self.count[level]] = value;
            self.count[level] += 1;
            if self.count[level] < 1024 {
                return;
            }
            value = self.halved(level);
            self.count[level] = 0;
        }
    }

    fn total(&mut self) -> Real {
        for level in 0..4 {
            let above: usize = self.count[level + 1..].iter().sum();
            let count = self.count[level];
            let value = self.halved(level);
            if above == 0 && (count == 1 || level == 3) {
                return value;
            }
            self.count[level] = 0;
            if count > 0 {
                self.push(level + 1, value);
            }
        }
        0.0
    }
}"""

LARGEST = """/// The larger of what was the largest and another; NaN stays.
fn larger(a: Real, b: Real) -> Real {
    if a.is_nan() || b <= a { a } else { b }
}"""


def helpers_of(text: str) -> list[str]:
    """Give the functions that a text calls."""

    def calls(name: str) -> bool:
        return re.search(rf"(?<![\w.:]){name}\(", text) is not None

    found = [source for name, source in (("power", IPOW), ("modulo", MOD), ("floordiv", FLOORDIV)) if calls(name)]
    for suffix, kind in (("", "Real"), ("_double", "f64")):
        wanted = {name for name in EITHER if calls(f"{name}{suffix}")}
        wanted |= {"min", "max"} if "clip" in wanted else set()
        found += [
            re.sub(r"\bR\b", kind, re.sub(r"\b([a-z]+)S\(", rf"\1{suffix}(", source))
            for name, source in EITHER.items() if name in wanted
        ]  # fmt: skip
    found += [SUM] if "Sum::new()" in text else []
    return [*found, *([LARGEST] if calls("larger") else [])]
