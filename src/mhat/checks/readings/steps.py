"""One step of many trees that are made of one: only lines that changed, or read what changed, are computed anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mhat.checks.readings.frames import RESULT_NAME, Frame
from mhat.language.tree import Expression, Tree
from mhat.language.walking import names_in

# What a name holds: the line that set it, and what that read.
Version = object


class Steps:
    """Computes steps of trees like the one of a frame, at its points."""

    def __init__(self, frame: Frame) -> None:
        self.points = frame.points
        self.shared = frame.shared
        self._environment = dict(frame.algebra.environment)
        self._pins = {name: frame.wanted(name).raw for name in frame.shared}
        self._met: dict[Any, Any] = {}
        self._reads: dict[int, tuple[Expression, tuple[str, ...]]] = {}

    def made(self, tree: Tree) -> Mapping[str, Any]:
        """Give what each shared state and `x` become; raises KeyError and others for a tree that cannot run."""
        environment = dict(self._environment)
        versions: dict[str, Version] = {}
        for state in tree.states:
            if state.name not in self.shared:
                environment[state.name], versions[state.name] = self._computed(state.start, environment, versions)
        last = {target: i for i, line in enumerate(tree.body) for target in line.targets}
        made: dict[str, Any] = {}
        for i, line in enumerate(tree.body):
            target = line.targets[0]
            value, version = self._computed(line.value, environment, versions)
            if len(line.targets) > 1:
                raise ValueError
            if target in self.shared and last[target] == i:
                made[target] = value
                value, version = self._pins[target], ("pinned", target)
            environment[target], versions[target] = value, version
        made[RESULT_NAME] = self._computed(tree.result, environment, versions)[0]
        for name in self.shared:
            if name not in made:
                made[name] = environment[name]
        return made

    def _computed(
        self, node: Expression, environment: Mapping[str, Any], versions: Mapping[str, Version]
    ) -> tuple[Any, Version]:
        """Compute an expression, once for each state of what it reads."""
        known = self._reads.get(id(node))
        if known is None:
            known = self._reads[id(node)] = node, tuple(sorted(names_in(node)))
        key = (id(node), *map(versions.get, known[1]))
        if key not in self._met:
            with np.errstate(all="ignore"):
                self._met[key] = self.points.raw(node, environment)
        return self._met[key], key
