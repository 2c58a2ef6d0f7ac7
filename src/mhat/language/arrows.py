"""What can be gathered from where, round circles too, in time that grows with the arrows. It knows no rule."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

Node = str | int


def gathered(own: Mapping[Node, int], arrows: Mapping[Node, Sequence[Node]]) -> dict[Node, int]:
    """Give for every point the bits that it and all that it leads to have of their `own`.

    >>> gathered({"a": 1, "c": 2}, {"a": [], "b": ["a", "c"], "c": ["b"]})
    {'a': 1, 'c': 3, 'b': 3}
    """
    result: dict[Node, int] = {}
    for circle in _circles(arrows):
        bits = 0
        for point in circle:
            bits |= own.get(point, 0)
            for other in arrows.get(point, ()):
                bits |= result.get(other, 0)
        result.update(dict.fromkeys(circle, bits))
    return result


def members(bits: int) -> Iterator[int]:
    """Yield the numbers of the bits that are set.

    >>> list(members(0b1001))
    [0, 3]
    """
    while bits:
        lowest = bits & -bits
        yield lowest.bit_length() - 1
        bits ^= lowest


def _circles(arrows: Mapping[Node, Sequence[Node]]) -> Iterator[list[Node]]:
    """Yield the strongly connected points (Tarjan 1972), each circle after those that it leads to."""
    number: dict[Node, int] = {}
    lowest: dict[Node, int] = {}
    waiting: list[Node] = []
    placed: set[Node] = set()
    for root in arrows:
        path: list[tuple[Node, Iterator[Node]]] = [] if root in number else [(root, iter(arrows[root]))]
        while path:
            point, ahead = path[-1]
            if point not in number:
                number[point] = lowest[point] = len(number)
                waiting.append(point)
            for other in ahead:
                if other not in number:
                    path.append((other, iter(arrows.get(other, ()))))
                    break
                if other not in placed:
                    lowest[point] = min(lowest[point], number[other])
            else:
                path.pop()
                if path:
                    above = path[-1][0]
                    lowest[above] = min(lowest[above], lowest[point])
                if lowest[point] == number[point]:
                    circle: list[Node] = []
                    while not circle or circle[-1] != point:
                        circle.append(waiting.pop())
                    placed.update(circle)
                    yield circle
