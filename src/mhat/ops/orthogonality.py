"""Coefficients of Newton and Schulz's iteration by name, each with its source. It knows no matrix.

A round makes a x + b x^3 + c x^5 of every singular value x; they begin divided by the norm.
"""

from __future__ import annotations

from dataclasses import dataclass

Triple = tuple[float, float, float]
# Added to the norm before it divides, where a rule says nothing else.
EPS = 1e-7
USUAL = "jordan"
MOST_ROUNDS = 30


@dataclass(frozen=True)
class Coefficients:
    """A triple a round; `stretch` multiplies the norm, so that no singular value begins above one."""

    rounds: tuple[Triple, ...]
    source: str
    stretch: float = 1.0

    def of(self, count: int | None) -> tuple[Triple, ...]:
        """Give the triples of so many rounds: the first ones, and the last one again and again."""
        if count is None:
            return self.rounds
        return (self.rounds + self.rounds[-1:] * count)[:count]


def _safe(triples: tuple[Triple, ...], factor: float) -> tuple[Triple, ...]:
    """Let a polynomial see values that are smaller by a factor."""
    return tuple((a / factor, b / factor**3, c / factor**5) for a, b, c in triples)


_JORDAN: Triple = (3.4445, -4.7750, 2.0315)
_POLAR_EXPRESS: tuple[Triple, ...] = (
    (8.28721201814563, -23.595886519098837, 17.300387312530933),
    (4.107059111542203, -2.9478499167379106, 0.5448431082926601),
    (3.9486908534822946, -2.908902115962949, 0.5518191394370137),
    (3.3184196573706015, -2.488488024314874, 0.51004894012372),
    (2.300652019954817, -1.6689039845747493, 0.4188073119525673),
    (1.891301407787398, -1.2679958271945868, 0.37680408948524835),
    (1.8750014808534479, -1.2500016453999487, 0.3750001645474248),
)

SETS = {
    USUAL: Coefficients((_JORDAN,) * 5, "Jordan 2024, Muon: steepest at zero, values end between 0.7 and 1.2"),
    "quintic": Coefficients(
        (
            (4.0848, -6.8946, 2.9270), (3.9505, -6.3029, 2.6377), (3.7418, -5.5913, 2.3037),
            (2.8769, -3.1427, 1.2046), (2.8366, -3.0525, 1.2012),
        ),
        "You 2025, modded-nanogpt; Dion's code: a triple for each of five rounds",
    ),
    "polar express": Coefficients(
        (*_safe(_POLAR_EXPRESS, 1.01), (1.875, -1.25, 0.375)),
        "Amsel, Persson, Musco & Gower 2025, The Polar Express, arXiv:2505.16932, with its safety factor of 1.01",
        stretch=1.01,
    ),
    "deepseek": Coefficients(
        ((_JORDAN,) * 8 + ((2.0, -1.5, 0.5),) * 2), "DeepSeek-V4 2026: eight rounds of Jordan's, two that end at one"
    ),
    "cubic": Coefficients(
        ((1.5, -0.5, 0.0),) * 10, "Kovarik 1970, Bjorck & Bowie 1971: the plain iteration, ten rounds"
    ),
}  # fmt: skip
# The usual iteration, as those need it who change it.
NEWTON_SCHULZ, NEWTON_SCHULZ_ROUNDS, NEWTON_SCHULZ_EPS = _JORDAN, len(SETS[USUAL].rounds), EPS
