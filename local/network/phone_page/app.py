"""The phone page's server side, a WSGI application: the page, the journal as a stream, prompts, the callee's deeds."""

import json
import re
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from werkzeug.exceptions import BadRequest, Conflict, HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from local.common.journal import Entry, Journal
from local.common.product import PRODUCT
from local.network.shared.phone import Phone
from local.network.shared.prompts import PromptStore

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_FILES = Path(__file__).parent
_CONSOLE = PRODUCT / "functions" / "console" / "pages"
_SHARED = ("dom.js", "graph.css", "graph.js", "keys.js")
"""What the console and this page draw menus with: there is one copy of it."""
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_POLICY = "default-src 'self'; style-src 'self'; script-src 'self'; img-src 'self' data:; frame-ancestors 'none'"
_HEARTBEAT_SECONDS = 15.0
_MANY, _MOST_AT_ONCE = 20, 1000
"""From so many entries on, as when a page is opened late, they come as one event, an array; and at most so many."""


class Call(Protocol):
    """A contact, as far as its telephone is concerned."""

    @property
    def phone(self) -> Phone: ...


class Calls(Protocol):
    """Where a contact is found by its id, and where somebody calls a number of ours."""

    def get(self, contact_id: str) -> Call | None: ...
    def call_in(self, number: str, dialled: str) -> Call | None:
        """A call from a number ("": it is withheld) to one of ours; None: nobody answers there."""


class PhoneApp:
    """The WSGI application under /phone/. Serve it with threads: each open page holds one for its event stream."""

    def __init__(
        self, calls: Calls, journal: Journal, prompts: PromptStore, hello: Callable[[], Mapping[str, Any]]
    ) -> None:
        self._calls = calls
        self._journal = journal
        self._prompts = prompts
        self._hello = hello
        self.menus_of: Callable[[str], str | None] = lambda _: None
        """The menus of a message, as JSON text; to be set by who knows the messages. None: there are none."""
        # Journal ids begin at 1 with every start; a page that was open before must not take up at its old place.
        self._run = uuid.uuid4().hex[:8]
        routes: dict[str, tuple[str, Callable[..., Response]]] = {
            "/phone/": ("GET", lambda _: _file("index.html")),
            "/phone/<name>": ("GET", lambda _, name: _file(name)),
            "/phone/console/<name>": ("GET", lambda _, name: _shared(name)),
            "/phone/menus/<mid>": ("GET", self._menus),
            "/phone/hello": ("GET", lambda _: _json(self._hello())),
            "/phone/events": ("GET", self._events),
            "/phone/prompt": ("GET", self._prompt),
            "/phone/call-back": ("POST", self._call_back),
            "/phone/calls/<contact_id>/answer": ("POST", self._act(Phone.answer)),
            "/phone/calls/<contact_id>/reject": ("POST", self._act(Phone.reject)),
            "/phone/calls/<contact_id>/hangup": ("POST", self._act(Phone.hang_up)),
            "/phone/calls/<contact_id>/keys/<key>": ("POST", self._press),
        }
        self._map = Map([Rule(path, endpoint=path, methods=[method]) for path, (method, _) in routes.items()])
        self._handlers = {path: handler for path, (_, handler) in routes.items()}

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        request = Request(environ)
        try:
            endpoint, arguments = self._map.bind_to_environ(environ).match()
            self._check_origin(request)
            response = self._handlers[endpoint](request, **arguments)
        except HTTPException as error:
            redirect = error.get_response(environ)
            response = redirect if error.code in (None, 308) else _json({"error": error.description}, error.code or 500)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response(environ, start_response)

    def _check_origin(self, request: Request) -> None:
        """Another site's page, open in the same browser, must not be able to answer the telephone."""
        origin = request.headers.get("Origin")
        if request.method == "POST" and origin is not None and origin.partition("://")[2] != request.host:
            raise Conflict("the request comes from another page")

    def _events(self, request: Request) -> Response:
        run, _, last = request.headers.get("Last-Event-ID", "").partition("-")
        after = int(last) if run == self._run and re.fullmatch(r"[0-9]{1,18}", last) else 0
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return Response(self._stream(after), content_type="text/event-stream", headers=headers, direct_passthrough=True)

    def _stream(self, after: int) -> Iterator[bytes]:
        """Server-sent events (WHATWG HTML, 9.2): what the journal keeps, then what comes, until it is closed."""
        if after == 0:
            yield b"event: reset\ndata: {}\n\n"
        reader = self._journal.subscribe(after)
        while True:
            entries = reader.take(_MOST_AT_ONCE, _HEARTBEAT_SECONDS)
            if len(entries) >= _MANY:
                yield self._event(entries[-1], entries)
            elif entries:
                yield b"".join(self._event(entry, entry) for entry in entries)
            elif self._journal.closed:
                return
            else:
                # Writing is how the server finds out that the page has gone.
                yield b": still here\n\n"

    def _event(self, last: Entry, data: Entry | list[Entry]) -> bytes:
        """One event. In: `last`, behind which a page that was cut off takes up."""
        return f"id: {self._run}-{last['id']}\ndata: {json.dumps(data, default=str)}\n\n".encode()

    def _prompt(self, request: Request) -> Response:
        uri = request.args.get("uri", "")
        try:
            data = self._prompts.read_again(uri)
        except Exception as error:  # whatever the store says, the page gets no sound
            raise NotFound("no such prompt was played") from error
        return Response(data, content_type="audio/wav", headers={"Cache-Control": "no-store"})

    def _menus(self, _: Request, mid: str) -> Response:
        if (menus := self.menus_of(mid)) is None:
            raise NotFound("no such message")
        return Response(menus, content_type="application/json", headers={"Cache-Control": "no-store"})

    def _act(self, deed: Callable[[Phone], bool]) -> Callable[..., Response]:
        def handler(_: Request, contact_id: str) -> Response:
            phone = self._phone(contact_id)
            if not deed(phone):
                raise Conflict(f"the call is {phone.state}")
            return _json({"state": phone.state})

        return handler

    def _press(self, _: Request, contact_id: str, key: str) -> Response:
        phone = self._phone(contact_id)
        try:
            heard = phone.press(key)
        except ValueError as error:
            raise NotFound(str(error)) from error
        if not heard:
            raise Conflict("no menu listens: the key is lost")
        return _json({"state": phone.state})

    def _call_back(self, request: Request) -> Response:
        """Somebody calls: `{"number": "+380…", "dialled": "+49…"}`; a `number` of "" is withheld."""
        given = request.get_json(silent=True)
        if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in ("number", "dialled")):
            raise BadRequest("number and dialled are missing, or no texts")
        call = self._calls.call_in(given["number"], given["dialled"])
        if call is None:
            raise Conflict("nobody answers at that number")
        return _json({"contact_id": call.phone.contact_id})

    def _phone(self, contact_id: str) -> Phone:
        if (call := self._calls.get(contact_id)) is None:
            raise NotFound("no such call")
        return call.phone


def _json(body: Mapping[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(body), status, content_type="application/json", headers={"Cache-Control": "no-store"})


def _file(name: str) -> Response:
    """One of the page's own files; nothing else in the folder or outside it."""
    return _given(next((path for path in _FILES.iterdir() if path.name == name), None))


def _shared(name: str) -> Response:
    return _given(_CONSOLE / name if name in _SHARED else None)


def _given(path: Path | None) -> Response:
    if path is None or path.suffix not in _TYPES:
        raise NotFound("no such file")
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": _POLICY, "Referrer-Policy": "no-referrer"}
    return Response(path.read_bytes(), content_type=f"{_TYPES[path.suffix]}; charset=utf-8", headers=headers)
