"""Real browsers to look at the page with: Debian's Chromium by its driver, its Firefox by the protocol it speaks itself.

Both answer the same few questions: open an address, run a script in the page, press keys, move the mouse.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

WAIT_S = 30.0
CHROMIUM_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
)  # fmt: skip


class Browser(Protocol):
    """A browser with one page open."""

    name: str

    def open(self, address: str) -> None:
        """Go to an address, and wait until it has loaded."""

    def run(self, script: str, *values: Any) -> Any:
        """Run the body of a function in the page; a promise is waited for."""

    def keys(self, text: str) -> None:
        """Press keys where the focus is."""

    def drag(self, points: list[tuple[int, int]]) -> None:
        """Press the mouse at the first point, go through the others, let go at the last."""

    def size(self, width: int, height: int) -> None:
        """Give the window a size."""


def until(browser: Browser, script: str, *values: Any, seconds: float = WAIT_S) -> Any:
    """Wait until a script gives something true, and give it."""
    end = time.monotonic() + seconds
    while True:
        found = browser.run(script, *values)
        if found:
            return found
        assert time.monotonic() < end, f"never true in {browser.name}: {script}"
        time.sleep(0.05)


class Chromium:
    """Chromium, driven by Debian's chromedriver."""

    name = "chromium"

    def __init__(self, folder: Path) -> None:
        from selenium import webdriver

        options = webdriver.ChromeOptions()
        options.binary_location = str(shutil.which("chromium"))
        for flag in (*CHROMIUM_FLAGS, f"--user-data-dir={folder}"):
            options.add_argument(flag)
        self._driver = webdriver.Chrome(options, webdriver.ChromeService(str(shutil.which("chromedriver"))))
        self._driver.set_script_timeout(WAIT_S)

    def open(self, address: str) -> None:
        # An address that differs after its # alone is no other page.
        self._driver.get("about:blank")
        self._driver.get(address)

    def run(self, script: str, *values: Any) -> Any:
        return self._driver.execute_async_script(_awaited(script), *values)

    def keys(self, text: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        ActionChains(self._driver).send_keys(text).perform()

    def drag(self, points: list[tuple[int, int]]) -> None:
        from selenium.webdriver.common.actions.action_builder import ActionBuilder

        chain = ActionBuilder(self._driver, duration=10)
        mouse = chain.pointer_action
        mouse.move_to_location(*points[0]).pointer_down()
        for point in points[1:]:
            mouse.move_to_location(*point)
        mouse.pointer_up()
        chain.perform()

    def size(self, width: int, height: int) -> None:
        self._driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )

    def heap(self) -> int:
        """Bytes of script that are alive after its garbage was collected."""
        self._driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        return int(self._driver.execute_cdp_cmd("Runtime.getHeapUsage", {})["usedSize"])

    def picture(self, path: Path) -> None:
        """Write what is seen."""
        self._driver.save_screenshot(str(path))

    def close(self) -> None:
        self._driver.quit()


class Firefox:
    """Firefox, by Marionette: Debian has no driver for it."""

    name = "firefox"

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        told = {
            "marionette.port": port,
            "datareporting.policy.dataSubmissionEnabled": False,
            "browser.shell.checkDefaultBrowser": False,
        }
        (folder / "user.js").write_text(
            "".join(f"user_pref({json.dumps(k)}, {json.dumps(v)});\n" for k, v in told.items())
        )
        command = [
            str(shutil.which("firefox-esr")),
            "--headless",
            "--marionette",
            "--no-remote",
            "--profile",
            str(folder),
        ]
        self._process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "HOME": str(folder)}
        )
        self._line = self._connected(port)
        self._count = 0
        self._read()
        self._ask("WebDriver:NewSession", {"strictFileInteractability": True})
        self._ask("WebDriver:SetTimeouts", {"script": int(WAIT_S * 1000), "pageLoad": 60_000})

    def _connected(self, port: int) -> socket.socket:
        end = time.monotonic() + 2 * WAIT_S
        while True:
            try:
                return socket.create_connection(("127.0.0.1", port), timeout=2 * WAIT_S)
            except OSError:
                assert time.monotonic() < end, "Firefox never answered"
                time.sleep(0.2)

    def _read(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            length += self._line.recv(1)
        left, parts = int(length[:-1]), []
        while left:
            parts.append(self._line.recv(min(left, 65536)))
            left -= len(parts[-1])
        return json.loads(b"".join(parts))

    def _ask(self, command: str, values: dict[str, Any]) -> Any:
        self._count += 1
        text = json.dumps([0, self._count, command, values]).encode()
        self._line.sendall(str(len(text)).encode() + b":" + text)
        _, _, error, answer = self._read()
        assert error is None, f"{command}: {error}"
        return answer

    def open(self, address: str) -> None:
        self._ask("WebDriver:Navigate", {"url": "about:blank"})
        self._ask("WebDriver:Navigate", {"url": address})

    def run(self, script: str, *values: Any) -> Any:
        told = {"script": _awaited(script), "args": list(values), "sandbox": None}
        return self._ask("WebDriver:ExecuteAsyncScript", told)["value"]

    def keys(self, text: str) -> None:
        actions = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        self._ask("WebDriver:PerformActions", {"actions": [{"type": "key", "id": "keys", "actions": actions}]})

    def drag(self, points: list[tuple[int, int]]) -> None:
        moves = [{"type": "pointerMove", "x": x, "y": y, "duration": 10, "origin": "viewport"} for x, y in points]
        actions = [moves[0], {"type": "pointerDown", "button": 0}, *moves[1:], {"type": "pointerUp", "button": 0}]
        told = {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": actions}
        self._ask("WebDriver:PerformActions", {"actions": [told]})

    def size(self, width: int, height: int) -> None:
        self._ask("WebDriver:SetWindowRect", {"width": width, "height": height})

    def close(self) -> None:
        self._line.close()
        self._process.terminate()
        self._process.wait(timeout=WAIT_S)


def _awaited(script: str) -> str:
    """Write a script whose promise is waited for; what it throws comes as text."""
    return (
        "const done = arguments[arguments.length - 1]; const values = [...arguments].slice(0, -1);"
        "(async function () {"
        + script
        + "}).apply(null, values).then(done, (e) => done('thrown: ' + (e && e.message)));"
    )


BROWSERS: dict[str, tuple[type[Chromium | Firefox], tuple[str, ...]]] = {
    "chromium": (Chromium, ("chromium", "chromedriver")),
    "firefox": (Firefox, ("firefox-esr",)),
}


def lacking(name: str) -> str:
    """Say which program of a browser is not on this machine; nothing where all are."""
    return next((f"{program} is not installed" for program in BROWSERS[name][1] if shutil.which(program) is None), "")


@contextmanager
def browsing(name: str, folder: Path) -> Iterator[Chromium | Firefox]:
    """Open a browser, and end it."""
    made = BROWSERS[name][0](folder)
    try:
        yield made
    finally:
        made.close()
