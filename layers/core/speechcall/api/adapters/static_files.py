"""Files of a web application as the API's answers, with the headers that keep a browser from anything else."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from speechcall.api.adapters.http_answers import Answer
from speechcall.shared.rules.errors import NotFound

TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_POLICY = "Content-Security-Policy"
GUARDS: Mapping[str, str] = {
    # Nothing but the API's own host: no other script, style, image, frame or address; no inline script or style.
    _POLICY: "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class _File(NamedTuple):
    text: str
    headers: Mapping[str, str]


class StaticFiles:
    """The files of one folder, read once. What is not of TYPES, and what is in a folder of it, is not among them."""

    def __init__(self, folder: Path, asks: str = "") -> None:
        """`asks`: the origin of another host that scripts of the pages may ask too."""
        self._folder = folder
        self._guards = {**GUARDS, _POLICY: f"{GUARDS[_POLICY]}; connect-src 'self' {asks}"} if asks else GUARDS
        self._files: dict[str, _File] | None = None

    def answer(self, name: str, headers: Mapping[str, str]) -> Answer:
        """The file; 304 to a browser that has it already (RFC 9110, "If-None-Match"). Raises NotFound.

        In: `headers` of the request, by their names in lower case.
        """
        if self._files is None:
            paths = (path for path in self._folder.iterdir() if path.suffix in TYPES)
            self._files = {path.name: _read(path, self._guards) for path in paths}
        file = self._files.get(name)
        if file is None:
            raise NotFound("There is no such page.")
        known = {tag.strip().removeprefix("W/") for tag in headers.get("if-none-match", "").split(",")}
        if file.headers["ETag"] in known:
            return {"statusCode": 304, "headers": dict(file.headers), "body": "", "isBase64Encoded": False}
        return {"statusCode": 200, "headers": dict(file.headers), "body": file.text, "isBase64Encoded": False}


def _read(path: Path, guards: Mapping[str, str]) -> _File:
    text = path.read_text(encoding="utf-8")
    tag = hashlib.sha256(text.encode()).hexdigest()[:32]
    # Asked for each time, so a deployment never mixes the scripts of two releases; answered without the file.
    told = {"Content-Type": TYPES[path.suffix], "Cache-Control": "no-cache", "ETag": f'"{tag}"'}
    return _File(text, {**told, **guards})
