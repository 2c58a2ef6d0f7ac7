"""SMORMS3."""

from mhat.language import rule
from mhat.ops import minimum, sqrt


@rule(paper="Funk 2015, SMORMS3, squared mean over root mean squared cubed, sifter.org/~simon/journal/20150420.html")
def smorms3(x, g, m=0, v=0, memory=0, *, lr=1e-3, eps=1e-16):
    """Let each coordinate forget as fast as its gradient is noisy, and step no further than the signal allows.

    `trust` is the squared mean over the mean square: 1 where all gradients agree, near 0 in noise. The memory is how
    many steps the averages reach back; the learning rate caps the trust.
    """
    share = 1 / (memory + 1)
    m = (1 - share) * m + share * g
    v = (1 - share) * v + share * g**2
    trust = m**2 / (v + eps)
    memory = 1 + memory * (1 - trust)
    return x - minimum(lr, trust) * g / (sqrt(v) + eps)
