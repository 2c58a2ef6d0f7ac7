"""A page as one file, with everything in it: no server, no network, and nothing in it can run but the page itself."""

from __future__ import annotations

import base64
import hashlib
import html
import json

from mhat.page.bundle import part
from mhat.page.given import Given

# Text of a rule is data: the one script that may run is known by its hash.
_POLICY = (
    "default-src 'none'; script-src 'sha256-{hash}'; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'"
)
_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style id="mhat-style">{style}</style>
</head>
<body>
<div id="mhat"></div>
<script type="application/json" id="mhat-data">{data}</script>
<script>{script}</script>
</body>
</html>
"""


def page_text(given: Given, title: str = "mhat lab") -> str:
    """Write the page as one file. Raises MissingPage."""
    script = part("lab.js").replace("</script", "<\\/script")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    data = json.dumps(given.data(), allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return _PAGE.format(
        policy=_POLICY.format(hash=digest),
        title=html.escape(title),
        style=part("lab.css").replace("</style", "<\\/style"),
        data=data,
        script=script,
    )
