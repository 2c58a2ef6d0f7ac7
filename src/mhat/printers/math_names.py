"""Names in math notation: `m_hat` is an accent, `beta1` a Greek letter with an index. It knows no rule and no tree.

>>> [name_latex(name) for name in ("m_hat", "beta1", "v_max", "weight_decay", "ratio")]
['\\\\hat{m}', '\\\\beta_{1}', 'v_{\\\\mathrm{max}}', '\\\\lambda', '\\\\mathrm{ratio}']
"""

from __future__ import annotations

import re

# What papers call the knobs that have a name of their own in code.
KNOBS = {
    "lr": r"\eta",
    "eps": r"\epsilon",
    "weight_decay": r"\lambda",
    "momentum": r"\mu",
    "momentum_decay": r"\psi",
    "dampening": r"\tau",
}
GREEK_LETTERS = (
    "alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa", "lambda", "mu", "nu", "xi",
    "pi", "rho", "sigma", "tau", "upsilon", "phi", "chi", "psi", "omega",
    "Gamma", "Delta", "Theta", "Lambda", "Xi", "Pi", "Sigma", "Upsilon", "Phi", "Psi", "Omega",
)  # fmt: skip
GREEK = {name: f"\\{name}" for name in GREEK_LETTERS} | {"lam": r"\lambda"}
WORDS = {"_": r"\_", "inf": r"\infty"}
ACCENTS = {"hat": r"\hat", "bar": r"\bar", "tilde": r"\tilde", "dot": r"\dot", "vec": r"\vec"}


def name_latex(name: str, time: str = "") -> str:
    """Write a name in LaTeX math; `time` joins the subscript: `m_{t-1}`, `\\hat{m}_{t}`, `v_{\\mathrm{max},t}`."""
    letter, indices = name_parts(name)
    if time and indices and indices[-1] == "t":
        # `rho_t` has its time already.
        indices = indices[:-1]
    subscript = ",".join([*indices, *([time] if time else [])])
    return f"{letter}_{{{subscript}}}" if subscript else letter


def name_parts(name: str) -> tuple[str, list[str]]:
    """Split a name into its letter, accents on, and its indices, each in LaTeX."""
    if name in KNOBS:
        return KNOBS[name], []
    parts = [part for part in name.split("_") if part] or ["_"]
    letter, indices = _letter(parts[0])
    for part in parts[1:]:
        if part in ACCENTS and not indices:
            letter = f"{ACCENTS[part]}{{{letter}}}"
        else:
            index, more = _letter(part)
            indices += [index, *more]
    return letter, indices


def _letter(part: str) -> tuple[str, list[str]]:
    """Write one part of a name: a letter, Greek or Latin, a number, or a word, and the digits at its end."""
    match = re.fullmatch(r"(.*?)(\d*)", part)
    word, digits = match.groups() if match else (part, "")
    if not word:
        return digits, []
    plain = KNOBS.get(word) or GREEK.get(word) or _latin(word)
    return plain, [digits] if digits else []


def _latin(word: str) -> str:
    if word in WORDS:
        return WORDS[word]
    return word if len(word) == 1 else f"\\mathrm{{{word}}}"
