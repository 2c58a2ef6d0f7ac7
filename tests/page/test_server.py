"""The served page: it answers its own address alone, and another site in the same browser can neither read nor drive it."""

from __future__ import annotations

import asyncio
import http.server
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from mhat.errors import BadValue
from mhat.page.given import given_for
from mhat.page.server import _LARGEST, _listening, application
from tests.page.browsers import Browser, until

TOKEN, PORT = "secret", 5151
OWN = f"http://127.0.0.1:{PORT}"
GIVEN = given_for([], stream="spike:5")
READY = "return Boolean(window.mhat && window.mhat.page)"


class Client:
    """Asks the application without a network."""

    def __init__(self) -> None:
        self._transport = httpx.ASGITransport(application(GIVEN, TOKEN, PORT))

    def ask(self, method: str, path: str, *, token: str = TOKEN, **more: Any) -> httpx.Response:
        async def asked() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url=OWN) as client:
                return await client.request(method, path, params={"token": token}, **more)

        return asyncio.run(asked())


@pytest.fixture(scope="module")
def client() -> Client:
    return Client()


@pytest.mark.parametrize("path", ["/", "/lab.js", "/lab.css", "/data.json"])
def test_with_the_token_every_part_is_given_under_a_strict_policy(client: Client, path: str) -> None:
    answer = client.ask("GET", path)
    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy and "frame-ancestors 'none'" in policy
    assert "unsafe-eval" not in policy and "script-src 'self' 'unsafe-inline'" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "access-control-allow-origin" not in answer.headers


def test_the_page_has_no_inline_script(client: Client) -> None:
    text = client.ask("GET", "/").text
    assert re.findall(r"<script[^>]*>([^<]*)", text) == [""]
    assert client.ask("GET", "/data.json").json()["setting"]["source"] == {"kind": "stream", "spec": "spike:5"}


@pytest.mark.parametrize("path", ["/", "/lab.js", "/lab.css", "/data.json", "/export"])
@pytest.mark.parametrize(
    ("headers", "token", "said"),
    [
        ({}, "", "The address lacks the token that `mhat lab` printed."),
        ({}, "guessed", "The address lacks the token that `mhat lab` printed."),
        ({}, "gu\u00e9ss", "The address lacks the token that `mhat lab` printed."),
        ({"host": f"evil.example:{PORT}"}, TOKEN, "This page answers to its own address alone."),
        ({"host": "127.0.0.1:5152"}, TOKEN, "This page answers to its own address alone."),
        ({"origin": "http://evil.example"}, TOKEN, "Another site may not ask this page."),
        ({"origin": "null"}, TOKEN, "Another site may not ask this page."),
        ({"origin": "http://127.0.0.1:5152"}, TOKEN, "Another site may not ask this page."),
        ({"sec-fetch-site": "cross-site"}, TOKEN, "Another site may not ask this page."),
        ({"sec-fetch-site": "same-site"}, TOKEN, "Another site may not ask this page."),
    ],
)  # fmt: skip
def test_others_are_refused(client: Client, path: str, headers: dict[str, str], token: str, said: str) -> None:
    method = "POST" if path == "/export" else "GET"
    answer = client.ask(method, path, token=token, headers=headers, content=b"{}" * (method == "POST"))
    assert (answer.status_code, answer.text) == (403, said)


def test_its_own_requests_are_answered(client: Client) -> None:
    for origin in (OWN, f"http://localhost:{PORT}"):
        headers = {"origin": origin, "host": origin.removeprefix("http://"), "sec-fetch-site": "same-origin"}
        assert client.ask("GET", "/data.json", headers=headers).status_code == 200


def test_an_export_is_a_page_with_the_setting_that_was_sent(client: Client) -> None:
    setting = {"rules": [{"text": "</script><script>alert(1)</script>", "knobs": {}}], "steps": 7}
    answer = client.ask("POST", "/export", json=setting)
    assert answer.status_code == 200
    assert '"steps":7' in answer.text
    assert answer.text.count("</script>") == 2


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        (b"{", 400, "This is no JSON."),
        (b"\xff\xfe\x00", 400, "This is no JSON."),
        (b"[1]", 400, "This is no setting of a page."),
        (b'{"steps": 1e999}', 400, "This is no JSON."),
        (b'{"steps": NaN}', 400, "This is no JSON."),
        (b"[" * 100_000, 400, "This is no JSON."),
        (b" " * (_LARGEST + 1), 413, "This is more than a page holds."),
    ],
)  # fmt: skip
def test_what_is_no_setting_is_refused(client: Client, body: bytes, code: int, said: str) -> None:
    answer = client.ask("POST", "/export", content=body)
    assert (answer.status_code, answer.text) == (code, said)


def test_methods_and_paths_that_are_not_there(client: Client) -> None:
    assert client.ask("PUT", "/data.json").status_code == 405
    assert client.ask("GET", "/export").status_code == 405
    assert client.ask("GET", "/../pyproject.toml").status_code == 404


def test_a_port_that_is_taken_is_told() -> None:
    with _listening(None) as first:
        port = first.getsockname()[1]
        assert first.getsockname()[0] == "127.0.0.1"
        with pytest.raises(BadValue, match=f"port {port} cannot be used: .*\n?.*a free one is taken"):
            _listening(port)


class Served:
    """The command, running as its user runs it."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-u", "-m", "mhat", "lab", *arguments, "--no-browser"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "COLUMNS": "200"},
        )  # fmt: skip
        assert self.process.stdout is not None
        found = None
        self.said = ""
        while found is None:
            line = self.process.stdout.readline()
            assert line, f"it ended: {self.said}"
            self.said += line
            found = re.search(r"http://127\.0\.0\.1:(\d+)/\?token=[\w-]{20,}", line)
        self.address, self.port = found[0], int(found[1])

    def stop(self) -> tuple[int, str]:
        """Press Ctrl-C; its exit code and what it said."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.stdout is not None
        with self.process.stdout as out:
            rest = out.read()
        return self.process.wait(timeout=60), self.said + rest


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    made = Served("adam", "--stream", "spike:5")
    yield made
    made.process.kill()
    made.process.communicate()


def test_ctrl_c_ends_it_quietly() -> None:
    code, said = Served("adam").stop()
    assert code in (0, 130)
    assert "Ctrl-C ends it." in said
    assert "Traceback" not in said


def test_the_served_page_works(browser: Browser, served: Served) -> None:
    browser.open(served.address)
    until(browser, READY)
    assert browser.run("return window.mhat.page.store.setting.source.spec") == "spike:5"
    assert browser.run("return document.querySelectorAll('.mhat-plots canvas').length") >= 3
    assert browser.run("return (await window.mhat.trace('def a(x, g):\\n    return x - g', {stream: [1, 2]})).x") == [
        -1,
        -3,
    ]
    text = browser.run(
        "return (await fetch('export' + location.search, {method: 'POST', body: JSON.stringify(window.mhat.page.store.setting)})).text()"
    )
    assert text.startswith("<!doctype html>") and "spike:5" in text
    refused = browser.run(
        "const s = document.createElement('script'); s.textContent = 'window.broken = 1'; document.body.append(s); return window.broken === undefined"
    )
    assert refused is True


HOSTILE = """\
<!doctype html><meta charset="utf-8"><title>hostile</title>
<script>
window.got = {};
const parts = ["", "data.json", "lab.js", "export"];
const base = "http://HOST:PORT/", query = QUERY;
async function attack() {
  for (const mode of ["cors", "no-cors"])
    for (const part of parts)
      for (const method of ["GET", "POST"]) {
        const name = [part, mode, method].join(" ");
        try {
          const answer = await fetch(base + part + query, {mode, method, credentials: "include", body: method === "POST" ? "{}" : undefined});
          window.got[name] = answer.type === "opaque" ? "" : await answer.text();
        } catch (error) { window.got[name] = ""; }
      }
  for (const [tag, part] of [["script", "lab.js"], ["img", "data.json"]])
    window.got[tag] = await new Promise((done) => {
      const made = document.createElement(tag);
      made.onload = () => done("loaded");
      made.onerror = () => done("");
      made.src = base + part + query;
      document.body.append(made);
    });
  window.got.ran = window.mhat ? "ran" : "";
  const frame = document.createElement("iframe");
  frame.name = "frame";
  frame.src = base + query;
  await new Promise((done) => { frame.onload = done; document.body.append(frame); setTimeout(done, 3000); });
  try { window.got.frame = frame.contentWindow.document.body.innerHTML; } catch (error) { window.got.frame = ""; }
  try { window.got.frame += frame.contentWindow.mhat ? "drives" : ""; } catch (error) { /* as it should be */ }
  const form = document.createElement("form");
  Object.assign(form, {method: "post", action: base + "export" + query, target: "frame", enctype: "text/plain"});
  document.body.append(form);
  form.submit();
  await new Promise((done) => { frame.onload = done; setTimeout(done, 3000); });
  try { window.got.form = frame.contentWindow.document.body.innerHTML; } catch (error) { window.got.form = ""; }
  window.done = true;
}
window.addEventListener("load", () => { attack(); });
</script><body></body>
"""


@pytest.fixture
def hostile(served: Served, tmp_path: Path) -> Iterator[str]:
    """Serve another site, whose page even knows the token, at another port of this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path))  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    query = served.address.partition("/?")[2]
    for name, host in (("other", "localhost"), ("same", "127.0.0.1")):
        page = HOSTILE.replace("HOST", host).replace("PORT", str(served.port)).replace("QUERY", repr(f"?{query}"))
        (tmp_path / f"{name}.html").write_text(page)
    (tmp_path / "lab.js").write_text("window.mhat = {}")
    (tmp_path / "data.json").write_text("{}")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        open_door = HOSTILE.replace("HOST:PORT", f"127.0.0.1:{server.server_port}").replace("QUERY", "''")
        (tmp_path / "open.html").write_text(open_door)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["other", "same"])
def test_a_hostile_page_can_neither_read_nor_drive_it(browser: Browser, hostile: str, name: str) -> None:
    browser.open(f"{hostile}/{name}.html")
    until(browser, "return window.done")
    got = browser.run("return window.got")
    assert len(got) == 21
    assert {what: text for what, text in got.items() if text} == {}


def test_the_hostile_page_reads_and_drives_what_is_not_guarded(browser: Browser, hostile: str) -> None:
    browser.open(f"{hostile}/open.html")
    until(browser, "return window.done")
    got = browser.run("return window.got")
    assert {" cors GET", "data.json cors GET", "lab.js cors GET", "script", "ran", "frame"} <= {
        what for what, text in got.items() if text
    }
