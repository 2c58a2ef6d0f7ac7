"""How fast the page is: frames while a slider is dragged, the first frame of an exported file, memory. Real Chromium.

    python -m benchmarks.page [--moves 300]

Aims: 16 ms a frame in the median and 33 at worst at 1,000 steps of three rules; a first frame within 0.5 s; memory that
does not grow. It prints, and decides nothing: a busy machine is slow.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path
from typing import Any

import mhat
from tests.page.browsers import Chromium, browsing, until

READY = "return Boolean(window.mhat && window.mhat.page)"
STEPS = 1000
# A frame is what the page itself spends on it; from frame to frame stands what the browser makes of it at 60 Hz.
DRAG = """
const page = window.mhat.page;
const slider = document.querySelector('input[data-knob=beta1]');
const [low, high] = [Number(slider.min || 0), Number(slider.max || 100)];
const frame = () => new Promise(requestAnimationFrame);
await frame(); await frame();
page.timings.length = 0;
const between = [];
let before = null;
for (let i = 0; i < values[0]; i++) {
  slider.value = String(low + (high - low) * (0.5 + 0.45 * Math.sin(i / 9)));
  slider.dispatchEvent(new Event('input', {bubbles: true}));
  const now = await frame();
  if (before !== null) between.push(now - before);
  before = now;
}
return {timings: page.timings.slice(), between};
"""
FIRST = "return performance.getEntriesByName('first-contentful-paint')[0]?.startTime"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--moves", type=int, default=300)
    moves = parser.parse_args().moves
    with tempfile.TemporaryDirectory() as folder:
        file, story = Path(folder) / "three.html", Path(folder) / "story.html"
        mhat.lab("adam", "adamw", "cautious(adam)", "drift:0.1,1", steps=STEPS, to=file)
        mhat.lab(to=story)
        profile = Path(folder) / "profile"
        profile.mkdir()
        with browsing("chromium", profile) as browser:
            assert isinstance(browser, Chromium)
            browser.size(1360, 950)
            paints = []
            for _ in range(5):
                browser.open(story.as_uri())
                paints.append(until(browser, FIRST))
            print(f"first frame of the exported story: {statistics.median(paints):.0f} ms (five: {_list(paints)})")
            browser.open(file.as_uri())
            until(browser, READY)
            browser.run("window.mhat.page.halt(); return true")
            _drag(browser, 30)
            before = browser.heap()
            _report(_drag(browser, moves))
            grown = []
            for _ in range(max(0, 1000 - moves) // 250):
                _drag(browser, 250)
                grown.append((browser.heap() - before) / 1e6)
            print(f"heap beyond the first {before / 1e6:.1f} MB, after each 250 moves more: {_list(grown, 1)} MB")


def _drag(browser: Chromium, moves: int) -> dict[str, Any]:
    return browser.run(DRAG, moves)  # type: ignore[no-any-return]


def _report(told: dict[str, Any]) -> None:
    timings = told["timings"]
    whole = sorted(sum(each.values()) for each in timings)
    print(f"{len(timings)} frames, {STEPS} steps, three rules: median {statistics.median(whole):.1f} ms, "
          f"95% {whole[int(0.95 * len(whole))]:.1f} ms, worst {whole[-1]:.1f} ms")  # fmt: skip
    between = sorted(told["between"])
    print(f"  from frame to frame, painting and all: median {statistics.median(between):.1f} ms, "
          f"95% {between[int(0.95 * len(between))]:.1f} ms, worst {between[-1]:.1f} ms")  # fmt: skip
    for part in ("parse", "run", "draw"):
        share = sum(each[part] for each in timings) / sum(whole)
        print(f"  {part}: {100 * share:.0f}%, median {statistics.median(each[part] for each in timings):.2f} ms")


def _list(numbers: list[float], digits: int = 0) -> str:
    return ", ".join(f"{number:.{digits}f}" for number in numbers)


if __name__ == "__main__":
    main()
