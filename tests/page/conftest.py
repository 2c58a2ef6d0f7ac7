"""The page in real browsers: opened once for all tests of a file."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.page.browsers import BROWSERS, Browser, browsing, lacking


@pytest.fixture(scope="module", params=list(BROWSERS))
def browser(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Give a browser; it is skipped by name where it is not installed, and nowhere where it has to be."""
    missing = lacking(request.param)
    if missing and not os.environ.get("MHAT_BROWSERS"):
        pytest.skip(missing)
    assert not missing, missing
    with browsing(request.param, tmp_path_factory.mktemp(request.param)) as opened:
        yield opened


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the address of an exported page that shows the story."""
    from mhat import verbs

    file = tmp_path_factory.mktemp("page") / "story.html"
    verbs.lab(to=file)
    return Path(file).as_uri()
