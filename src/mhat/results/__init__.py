"""Published results that run here in a moment, one file each: a claim, its source, the number found, what it teaches.

    names, named      what there is, and one of it by its name

A result that does not hold any more fails its test; a claim that is wrong is kept, with the numbers that refute it.
"""

from mhat.errors import UnknownName
from mhat.results.adam_bound import adam_bound
from mhat.results.adamax_bound import adamax_bound
from mhat.results.bfloat16 import bfloat16
from mhat.results.edge_of_stability import edge_of_stability
from mhat.results.equal_betas import equal_betas
from mhat.results.equilibrium import equilibrium
from mhat.results.forgetful_spike import forgetful_spike
from mhat.results.lottery import lottery
from mhat.results.rare_gradients import rare_gradients
from mhat.results.rectifier import rectifier
from mhat.results.reddi import reddi
from mhat.results.reddi_synthetic import reddi_synthetic
from mhat.results.result import Found, Number, Result
from mhat.results.sign_and_variance import sign_and_variance
from mhat.results.spike import spike
from mhat.results.stored_back import stored_back
from mhat.results.white_noise import white_noise

RESULTS = (
    adam_bound, adamax_bound, bfloat16, edge_of_stability, equal_betas, equilibrium, forgetful_spike, lottery,
    rare_gradients, rectifier, reddi, reddi_synthetic, sign_and_variance, spike, stored_back, white_noise,
)  # fmt: skip


def names() -> list[str]:
    """List the names of the results.

    >>> names()[:2]
    ['adam_bound', 'adamax_bound']
    """
    return [result.name for result in RESULTS]


def named(name: str) -> Result:
    """Look a result up by its name; raises UnknownName.

    >>> named("reddi").verdict
    'holds'
    """
    for result in RESULTS:
        if result.name == name:
            return result
    raise UnknownName("result", name, names(), more="`mhat results` lists them.")


__all__ = ["RESULTS", "Found", "Number", "Result", "named", "names"]
