"""The shapes of the parameters of two models, computed from their architectures."""

from __future__ import annotations

import math
from collections.abc import Sequence

Shapes = list[tuple[int, ...]]


def resnet50(classes: int = 1000) -> Shapes:
    """ResNet-50 (He et al. 2015): 161 tensors, 25,557,032 parameters. No convolution has a bias.

    >>> len(resnet50()), count(resnet50())
    (161, 25557032)
    """
    found: Shapes = [(64, 3, 7, 7), (64,), (64,)]
    wide = 64
    for blocks, narrow in ((3, 64), (4, 128), (6, 256), (3, 512)):
        for block in range(blocks):
            for shape in ((narrow, wide, 1, 1), (narrow, narrow, 3, 3), (4 * narrow, narrow, 1, 1)):
                found += [shape, shape[:1], shape[:1]]
            if block == 0:
                found += [(4 * narrow, wide, 1, 1), (4 * narrow,), (4 * narrow,)]
            wide = 4 * narrow
    return [*found, (classes, wide), (classes,)]


def resnet18(classes: int = 1000) -> Shapes:
    """ResNet-18 (He et al. 2015): 62 tensors, 11,689,512 parameters.

    >>> len(resnet18()), count(resnet18())
    (62, 11689512)
    """
    found: Shapes = [(64, 3, 7, 7), (64,), (64,)]
    before = 64
    for wide in (64, 128, 256, 512):
        for entering in (before, wide):
            found += [(wide, entering, 3, 3), (wide,), (wide,), (wide, wide, 3, 3), (wide,), (wide,)]
            found += [(wide, entering, 1, 1), (wide,), (wide,)] if entering != wide else []
        before = wide
    return [*found, (classes, before), (classes,)]


def gpt2(layers: int = 12, width: int = 768, words: int = 50257, context: int = 1024) -> Shapes:
    """GPT-2, the smallest (Radford et al. 2019): 148 tensors, 124,439,808 parameters. The head is the embedding.

    >>> len(gpt2()), count(gpt2())
    (148, 124439808)
    """
    found: Shapes = [(words, width), (context, width)]
    for _ in range(layers):
        found += [(width,), (width,), (width, 3 * width), (3 * width,), (width, width), (width,)]
        found += [(width,), (width,), (width, 4 * width), (4 * width,), (4 * width, width), (width,)]
    return [*found, (width,), (width,)]


def count(shapes: Sequence[tuple[int, ...]]) -> int:
    """Count the parameters of shapes."""
    return sum(map(math.prod, shapes))
