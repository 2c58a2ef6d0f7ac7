"""The page served to this machine alone: the loopback address, a random token, and nothing for other sites.

Text that comes from the page is data: it is parsed, and never run. It knows no rule.
"""

from __future__ import annotations

import json
import secrets
import socket
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from mhat.errors import BadValue
from mhat.extras import extra
from mhat.page.bundle import part
from mhat.page.files import page_text
from mhat.page.given import Given

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

HOST = "127.0.0.1"
_LARGEST = 1_000_000
_SHELL = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mhat lab</title>
<link rel="stylesheet" href="lab.css?{query}">
</head>
<body>
<div id="mhat"></div>
<script src="lab.js?{query}"></script>
</body>
</html>
"""
_HEADERS = {
    "content-security-policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src data: blob:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cache-control": "no-store",
}


def application(given: Given, token: str, port: int) -> Starlette:
    """Make the application that answers for one page. Raises MissingExtra without starlette."""
    applications = extra("starlette.applications", "lab", "starlette")
    responses = extra("starlette.responses", "lab", "starlette")
    routing = extra("starlette.routing", "lab", "starlette")
    hosts = {f"{HOST}:{port}", f"localhost:{port}"}
    query = f"token={token}"

    def guarded(
        answer: Callable[[Request], Awaitable[Response]],
    ) -> Callable[[Request], Awaitable[Response]]:
        async def answered(request: Request) -> Response:
            refused = _refused(request, hosts, token)
            response: Response = responses.PlainTextResponse(refused, 403) if refused else await answer(request)
            response.headers.update(_HEADERS)
            return response

        return answered

    async def page(_: Request) -> Response:
        return responses.HTMLResponse(_SHELL.format(query=query))  # type: ignore[no-any-return]

    async def script(_: Request) -> Response:
        return responses.Response(part("lab.js"), media_type="text/javascript")  # type: ignore[no-any-return]

    async def style(_: Request) -> Response:
        return responses.Response(part("lab.css"), media_type="text/css")  # type: ignore[no-any-return]

    async def data(_: Request) -> Response:
        return responses.JSONResponse(given.data())  # type: ignore[no-any-return]

    async def exported(request: Request) -> Response:
        body = b""
        async for chunk in request.stream():
            body += chunk
            if len(body) > _LARGEST:
                return responses.PlainTextResponse("This is more than a page holds.", 413)  # type: ignore[no-any-return]
        setting = _read(body)
        if setting is None:
            return responses.PlainTextResponse("This is no JSON.", 400)  # type: ignore[no-any-return]
        if not isinstance(setting, dict):
            return responses.PlainTextResponse("This is no setting of a page.", 400)  # type: ignore[no-any-return]
        text = page_text(Given(setting, given.library, given.verdict, given.exercise))
        return responses.HTMLResponse(text)  # type: ignore[no-any-return]

    answers: list[tuple[str, str, Any]] = [
        ("/", "GET", page), ("/lab.js", "GET", script), ("/lab.css", "GET", style), ("/data.json", "GET", data),
        ("/export", "POST", exported),
    ]  # fmt: skip
    routes = [routing.Route(path, guarded(answer), methods=[method]) for path, method, answer in answers]
    return applications.Starlette(routes=routes)  # type: ignore[no-any-return]


def _read(body: bytes) -> Any:
    """Read JSON as a page sends it; None for what is none, is nested without end, or holds numbers JSON lacks."""
    try:
        read = json.loads(body)
        json.dumps(read, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return read


def _refused(request: Request, hosts: set[str], token: str) -> str:
    """Say why a request is not answered, or nothing: another site may neither read nor drive the page."""
    if request.headers.get("host", "") not in hosts:
        return "This page answers to its own address alone."
    origin = request.headers.get("origin")
    if origin is not None and origin not in {f"http://{host}" for host in hosts}:
        return "Another site may not ask this page."
    if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin"):
        return "Another site may not ask this page."
    if not secrets.compare_digest(request.query_params.get("token", "").encode(errors="replace"), token.encode()):
        return "The address lacks the token that `mhat lab` printed."
    return ""


def serve(given: Given, *, port: int | None = None, opened: Callable[[str], None]) -> None:
    """Serve a page until Ctrl-C; `opened` is told its address once it answers.

    Raises BadValue where the port is taken, MissingExtra, MissingPage.
    """
    uvicorn = extra("uvicorn", "lab")
    extra("starlette", "lab")
    part("lab.js")
    listening = _listening(port)
    own = listening.getsockname()[1]
    token = secrets.token_urlsafe(24)

    class Server(uvicorn.Server):  # type: ignore[misc, name-defined]
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets=sockets)
            opened(f"http://{HOST}:{own}/?token={token}")

    config = uvicorn.Config(application(given, token, own), log_level="error", lifespan="off", ws="none")
    with listening:
        Server(config).run(sockets=[listening])


def _listening(port: int | None) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((HOST, port or 0))
        made.listen()
    except OSError as error:
        made.close()
        raise BadValue(
            f"port {port} cannot be used: {error.strerror}", "Name another, or none: a free one is taken."
        ) from None
    return made
