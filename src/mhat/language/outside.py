"""Optimizers that no rule of the language can be, and why: plain data. It knows no rule.

What is written here is what the language lacks on purpose; what it came to have is taken out.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outside:
    """A reason, and the optimizers that it keeps out."""

    reason: str
    names: tuple[str, ...]


OUTSIDE = (
    Outside(
        "needs the loss or the gradient at several points of one step: a line search, or a second pass",
        ("L-BFGS", "SAM 2020", "ASAM 2021", "GSAM 2022", "LookSAM 2022", "Friendly SAM 2024", "SLS 2019"),
    ),
    Outside(
        "reads activations, or gradients of layers' outputs, which are no gradients of parameters",
        ("K-FAC 2015", "EKFAC 2018", "FOOF 2022", "Newton-Muon"),
    ),
    Outside(
        "draws random numbers at every step; what a rule does is made of its gradients alone",
        ("SGLD 2011", "Noisy SGD", "APOLLO 2024 (projections)", "GoLore 2024", "Flora 2024", "MeZO 2023"),
    ),
    Outside(
        "solves triangular systems, or keeps factors that only a solver can renew",
        ("PSGD Kron 2018", "PSGD Newton 2015", "SENG 2020"),
    ),
    Outside(
        "keeps a list of past gradients or pairs, as long as a knob says",
        ("M-FAC 2021", "GGT 2018", "AdaShift 2018"),
    ),
    Outside(
        "cuts a tensor into blocks, heads or groups, and treats each by itself",
        ("Adam-mini 2024 (heads)", "8-bit Adam 2021 (blocks)", "blocked Shampoo", "SM3 2019 (beyond matrices)"),
    ),
    Outside(
        "chooses entries by their size: the k largest, a quantile",
        ("MicroAdam 2024", "FRUGAL 2024", "Dion2", "Top-k SGD 2017", "DGC 2017"),
    ),
    Outside(
        "changes what several models or machines send each other, not how one steps",
        ("DeMo 2024", "DiLoCo 2023", "1-bit Adam 2021", "PowerSGD 2019", "Local SGD 2018"),
    ),
    Outside(
        "balances the gradients of several losses",
        ("PCGrad 2020", "CAGrad 2021", "GradNorm 2017", "RotoGrad 2021", "MGDA 2018"),
    ),
    Outside(
        "is a network that was trained to be an optimizer",
        ("VeLO 2022", "L2L 2016"),
    ),
)  # fmt: skip
