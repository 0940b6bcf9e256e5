"""JSON, requests, URLs, headers, credentials: what a client of the API sends, as text."""

import base64
import io
import json
import socket
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout, suppress
from dataclasses import replace
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import h11
from aws_lambda_powertools import Logger

from speechcall.accounts.rules.account import Account
from speechcall.accounts.use_cases.accounts import Credential, authenticate, key_name, sha256, user_name
from speechcall.api.adapters.http_answers import answer_json
from speechcall.api.adapters.http_api import HttpApi, HttpRequest
from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import Webhook, dump_menus, load_menus
from speechcall.messages.rules.dial_times import Caps, Counted, next_day_msec
from speechcall.messages.rules.message import Message
from speechcall.outbound.rules.address import Target as Place
from speechcall.outbound.rules.address import is_forbidden, target_of, url_problem
from speechcall.outbound.rules.destination import destination
from speechcall.prompts.use_cases.manage_audio import AudioDesk, begin_upload
from speechcall.rehearsal.adapters.memory_opt_outs import MemoryOptOuts
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.requests.use_cases.accept_messages import accept_messages, check_messages
from speechcall.requests.use_cases.manage_opt_outs import add_opt_out, find_opt_out, remove_opt_out
from speechcall.shared.rules.errors import MalformedJson, RequestError
from speechcall.shared.rules.ids import parse_attempt, parse_holder
from speechcall.shared.rules.json_text import dump_json, parse_json
from speechcall.shared.rules.phone_numbers import to_e164
from speechcall.status.use_cases.cursors import load_cursor
from speechcall.status.use_cases.read_status import read_list
from speechcall.stopping.rules.stop_request import hangs_up
from speechcall.webhooks.adapters.sender import WebhookSender
from speechcall.webhooks.rules.retry import retry_after_seconds
from speechcall.webhooks.rules.webhook import WebhookRequest, WebhookTask, webhook_request
from speechcall.webhooks.rules.webhook_header import header_problem
from tests.fuzzing.choices import Choices, edited
from tests.fuzzing.target import Target, holds
from tests.fuzzing.wire import PUBLIC, answered, the_client
from tests.kit.samples import NOW, FakeClock
from tests.stores.lists import MemoryLists

ROOT = Path(__file__).parents[2]
ACCOUNT = Account("acme", ("*",), rate=1_000_000, burst=1_000_000, calls_per_day=10**9)
LIMITED = replace(ACCOUNT, calls_per_number=2, minutes_per_day=5)
WIRING = Wiring("arn:aws:lambda:x:1:function:a", "arn:aws:lambda:x:1:function:b", "https://sqs.x/1/q.fifo")
_NAMES = (
    *("messages", "from", "to", "text", "type", "speechcall", "menu", "introUrl", "idleTimeoutMsec", "dtmfActions"),
    *(
        "d0",
        "d*",
        "d#",
        "wrong",
        "action",
        "webhook",
        "hangup",
        "gotoMenu",
        "optOut",
        "lookup",
        "url",
        "body",
        "headers",
        "say",
        "language",
    ),
    *("en-GB", "voice", "Amy", "ttl", "ringTimeoutSec", "redial", "attempts", "afterSec", "on", "busy", "noAnswer"),
    *("statusUrl", "statusEvents", "final", "attempt", "list", "https://shop.example/status"),
    *("customerMessageId", "http://", "https://", "+380671234567", "\\ud800", "1e400", "NaN", "Infinity", "-0"),
)


# ---------------------------------------------------------------------- JSON
def json_text(data: bytes) -> None:
    """One reading, which is the standard library's; what is read is written again as it was."""
    try:
        value = parse_json(data)
    except MalformedJson as refusal:
        holds(len(str(refusal).encode()) < 1000, "a refusal is short, and can be written")
        return
    text = data.decode().removeprefix("\ufeff")
    again = json.loads(text, parse_int=str, parse_float=str)
    holds(_same(value, again), "another reader reads something else")
    written = dump_json(value)
    holds(dump_json(parse_json(written.encode())) == written, "what is written is not read as it was")
    holds(_same(value, json.loads(written, parse_int=str, parse_float=str)), "what is written says something else")


def _same(ours: Any, theirs: Any) -> bool:
    """Whether two readers have read the same; `theirs` has its numbers as they were written."""
    if isinstance(ours, dict):
        return isinstance(theirs, dict) and [*ours] == [*theirs] and all(_same(ours[k], theirs[k]) for k in ours)
    if isinstance(ours, list):
        return isinstance(theirs, list) and len(ours) == len(theirs) and all(map(_same, ours, theirs))
    if isinstance(ours, bool) or ours is None:
        return ours is theirs
    if isinstance(ours, str):
        return type(theirs) is str and ours == theirs
    return isinstance(theirs, str) and Decimal(str(ours)) == Decimal(theirs)


def pumped(data: bytes) -> None:
    """The time for a body grows no faster than the body: a piece of it, many times, in an envelope."""
    choices = Choices(data)
    before, piece, after = choices.chunk(), choices.chunk(), choices.chunk()
    times = min(1 << choices.below(18), 200_000 // max(1, len(piece)))
    numbered = choices.byte() % 2
    middle = b",".join(piece.replace(b"%", b"%d" % n) for n in range(times)) if numbered else piece * times
    body = before + middle + after
    _refused(lambda: check_messages(ACCOUNT, body, prompts=MemoryLists(), clock=FakeClock()))
    _refused(lambda: begin_upload(ACCOUNT, "a", body, _DESK))


# ------------------------------------------------------------------ opt-outs
def opt_out(data: bytes) -> None:
    """What is added is found, by its number and list alone, and can be removed; what is refused changes nothing."""
    store = MemoryOptOuts()
    added = _refused(lambda: add_opt_out(ACCOUNT, data, store=store, clock=FakeClock()))
    found = _refused(lambda: find_opt_out(ACCOUNT, data, store=store))
    holds((added is None) == (not store.found), "a refused opt-out is kept, or an accepted one is not")
    if added is None or found is None:
        return
    holds(found["optedOut"], "what was added is not found")
    (kept,) = store.found.values()
    number, name = _given(data)
    holds((kept.list_name, kept.digest) == (name, store.digest(number)), "another number or list was kept")
    if _refused(lambda: remove_opt_out(ACCOUNT, data, store=store, clock=FakeClock())):
        holds(not find_opt_out(ACCOUNT, data, store=store)["optedOut"], "what was removed is still there")


def _given(data: bytes) -> tuple[str, str]:
    body = json.loads(data)
    return f"+{body['number'].removeprefix('+')}", body.get("list", "")


# ------------------------------------------------------------------ requests
def request(data: bytes) -> None:
    """A whole request as bytes: checked, accepted, written down, compiled, and its webhooks made."""
    _refused(lambda: _answer_of(check_messages(ACCOUNT, data, True, prompts=_lists(), clock=FakeClock())))
    _refused(
        lambda: _answer_of(check_messages(LIMITED, data, prompts=_lists(), clock=FakeClock(), caps_of=_at_the_limit))
    )
    messages, lists = MemoryMessages(), _lists()
    ports: dict[str, Any] = {"messages": messages, "lists": lists, "clock": FakeClock(), "random_bits": lambda _n: 3}
    answer = _refused(lambda: accept_messages(ACCOUNT, data, **ports))
    if answer is None:
        return
    _answer_of(answer)
    told = [one["messageId"] for one in answer["messages"] if "messageId" in one]
    for mid in told:
        message = messages.get(mid)
        holds(message is not None, "an accepted message is not there")
        _sendable(message)


def _at_the_limit(_account: Account, numbers: Sequence[str], now_msec: int) -> dict[str, Caps]:
    """Some numbers have had their calls, and the minutes of the day are used up."""
    calls = Counted(2, (now_msec - 1000, now_msec - 2000))
    return {number: Caps((calls,), next_day_msec(now_msec)) for number in numbers[::2]}


def request_shape(data: bytes) -> None:
    """The same for a request that is right in most of its members."""
    choices = Choices(data)
    body = edited(choices.one_of(_REQUESTS), choices, 8)
    request(json.dumps(body, ensure_ascii=choices.byte() % 2 == 0).encode("utf-8", "surrogatepass"))


def _sendable(message: Message) -> None:
    """What was accepted can be stored, built, dialled and sent."""
    stored = dump_menus(message.menus)
    holds(load_menus(stored) == message.menus, "menus change when they are stored")
    holds(len(stored.encode()) <= 64 * 1024, "more is stored than fits")
    holds(to_e164(message.number) == message.number, "the number is none")
    machine = json.dumps(compile_flow(message.menus, WIRING))
    holds(len(machine) < 1_000_000, "the machine is too large for Step Functions")
    for index, menu in enumerate(message.menus):
        for key, actions in menu.actions.items():
            for step, action in enumerate(actions):
                if isinstance(action, Webhook):
                    holds(action.url not in machine or len(action.url) < 12, "a URL stands in the machine")
                    _send(message, action, WebhookTask(message.mid, 1, 2, index, key, step, f"{message.mid}-1"))
        if menu.intro.lower().startswith("http"):
            _reachable(menu.intro)


def _send(message: Message, webhook: Webhook, task: WebhookTask) -> None:
    made = webhook_request(message, webhook, task.event_id, NOW // 1000)
    holds(json.loads(made.body)["mid"] == message.mid, "the body is not JSON")
    names = [name.lower() for name, _ in made.headers]
    holds(names.count("webhook-id") == names.count("content-type") == 1, "a header of ours is doubled")
    _sent(made, _reachable(made.url))


def _refused(work: Any) -> Any:
    """What `work` gives; None for a client's mistake, whose answer can be given."""
    try:
        return work()
    except RequestError as error:
        told = {"code": error.code, "message": error.message, "details": [one.message for one in error.problems]}
        holds(len(json.dumps(told, ensure_ascii=False).encode()) < 200_000, "a refusal is longer than a request")
        holds(error.status in (400, 404, 413, 415, 422, 429), f"a refusal with {error.status}")
        return None


def _answer_of(answer: Mapping[str, Any]) -> None:
    size = len(answer_json(200, answer)["body"].encode())
    holds(size < 6_000_000, "the answer is larger than a function may give")


def _lists() -> MemoryLists:
    return MemoryLists(prompts={("acme", "ivr_651854")})


# --------------------------------------------------------------------- hosts
def url(data: bytes) -> None:
    """A URL that is taken can be asked, and its host is no address that nothing may reach, whoever reads it."""
    text = _text(data)
    if url_problem(text) is None:
        found = _reachable(text)
        _sent(WebhookRequest(text, (("X-A", "b"),), b"{}", "acme"), found)


def _reachable(text: str) -> Place:
    """Where a URL that was taken leads: whoever reads its host, to no address that nothing may reach."""
    found = target_of(text)
    holds(found.host.isascii() and found.host == found.host.lower(), "the host is not in the form in which it is sent")
    holds(target_of(found.url) == found, "the URL that is sent leads elsewhere")
    holds(destination(text).startswith(("http://", "https://")), "the destination has no scheme")
    asked = the_client().build_request("GET", text)
    holds(asked.headers["host"] == found.authority, "two hosts of one URL")
    # The C library's own reading of addresses: 0x7f.1, 017700000001, 127.1, ::ffff:127.0.0.1.
    with suppress(OSError, UnicodeError):
        for entry in socket.getaddrinfo(found.host, found.port, flags=socket.AI_NUMERICHOST, type=socket.SOCK_STREAM):
            address = ip_address(str(entry[4][0]).partition("%")[0])
            holds(not is_forbidden(address), f"{found.host} is {address}")
    return found


def header(data: bytes) -> None:
    """A header that is taken goes out as one line, and arrives as it was given."""
    choices = Choices(data)
    name, value = choices.text(), choices.text()
    if header_problem(name, value) is None:
        _sent(WebhookRequest("https://a.example/", ((name, value),), b"{}", "acme"), target_of("https://a.example/"))


def _sent(request: WebhookRequest, target: Place) -> None:
    """What goes out, read by another HTTP than ours: one request, to one host, with the headers that were given."""
    with answered(b"HTTP/1.1 204 No Content\r\n\r\n") as (client, wires):
        answer = WebhookSender(client)(request)
    holds(answer.status == 204 and len(wires) == 1, "it was not sent")
    host = target.host if target.address else PUBLIC
    holds((wires[0].host, wires[0].port) == (host, target.port), "sent elsewhere")
    server = h11.Connection(h11.SERVER)
    server.receive_data(wires[0].written)
    came = server.next_event()
    holds(isinstance(came, h11.Request), "the request cannot be read")
    arrived = [(name.decode(), value.decode("latin-1")) for name, value in came.headers]  # type: ignore[union-attr]
    holds([value for name, value in arrived if name == "host"] == [target.authority], "another host")
    given = [(name.lower(), value) for name, value in request.headers]
    holds([one for one in arrived if one in given] == given, "the headers arrive as others")
    body = server.next_event()
    holds(isinstance(body, h11.Data) and bytes(body.data) == request.body, "another body")
    holds(isinstance(server.next_event(), h11.EndOfMessage) and not server.trailing_data[0], "more than one request")


def retry_after(data: bytes) -> None:
    """A number of seconds from 0 on, or nothing, whatever a receiver writes; the same in every time zone."""
    text = _text(data)
    found = retry_after_seconds(text, NOW // 1000)
    holds(found is None or (type(found) is int and 0 <= found < 10**12), f"waits for {found}")
    plain = text.strip()
    if plain.isascii() and plain.isdigit() and len(plain) < 9:
        holds(found == int(plain), "the seconds are others")


# --------------------------------------------------------------- credentials
_CREDENTIALS = {
    user_name("acme"): Credential("acme", sha256("secret")),
    key_name("key"): Credential("acme", sha256("key")),
}
_GIVEN = (
    {"x-authorization-key": "key"},
    *({"authorization": f"Basic {given}"} for given in ("YWNtZTpzZWNyZXQ=", "QDprZXk=")),
)


def credentials(data: bytes) -> None:
    """Whoever does not know the secret is nobody, and whatever was sent, the API has an answer that can be sent."""
    choices = Choices(data)
    names = ("authorization", "x-authorization-key", "Authorization", "idempotency-key", "cookie")
    headers = {choices.one_of(names): _credential(choices) for _ in range(choices.below(3))}
    event = {**_EVENT, "headers": headers, "body": choices.text(), "isBase64Encoded": False}
    knows = any(given.items() <= {name.lower(): value for name, value in headers.items()}.items() for given in _GIVEN)
    seen = []

    def handler(request: HttpRequest) -> Any:
        account, _ = authenticate(request.headers, _CREDENTIALS.get, lambda name: ACCOUNT if name == "acme" else None)
        seen.append((account.account_id, request.body))
        return answer_json(200, {"path": dict(request.path or {})})

    api = HttpApi(_LOGGER)
    api.route("POST /bat/messagelist")(handler)
    with redirect_stdout(io.StringIO()):  # the metrics
        answer = api.resolve(event)
    holds(type(answer["statusCode"]) is int, "an answer has no status")
    json.dumps(answer).encode()
    holds(answer["statusCode"] in (200, 400, 401, 404, 500), "a status that is none of ours")
    if seen and not knows:
        # The same secret in another spelling (base64 has several, and names of headers have too) is the same secret.
        raw = " ".join(headers.values())
        holds(any(word in _decoded(raw) for word in ("acme:secret", "@:key")) or "key" in raw, "a stranger got in")


def _credential(choices: Choices) -> str:
    kind = choices.below(5)
    if kind == 0:
        return choices.text()
    if kind == 1:
        return str(choices.one_of(("key", "Basic YWNtZTpzZWNyZXQ=", "Basic QDprZXk=", "nobody", "Basic")))
    given = choices.chunk() if kind == 2 else f"{choices.text()}:{choices.text()}".encode("utf-8", "replace")
    return f"{choices.one_of(('Basic', 'basic', 'BASIC ', 'Bearer'))} {base64.b64encode(given).decode()}"


def _decoded(raw: str) -> str:
    found = ""
    for word in raw.split():
        with suppress(ValueError):
            found += base64.b64decode(word).decode("latin-1") + " "
    return found


def names(data: bytes) -> None:
    """Ids, cursors, idempotency keys and the names of attempts: each is one of ours, or refused."""
    choices = Choices(data)
    one, other = choices.text(), choices.text()
    named = parse_attempt(one, other)
    holds(named is None or (named[0].isascii() and named[0].isdigit() and 0 <= named[1] < 1000), "an attempt of nobody")
    with suppress(ValueError):
        mid, attempt = parse_holder(one)
        holds(mid.isascii() and mid.isdigit() and isinstance(attempt, int), "a name of nobody")
    query = {"limit": one, "offset": other} if choices.byte() % 2 else {choices.text(): one}
    with suppress(RequestError):
        stores: dict[str, Any] = {"store": None, "stops": None, "turns": None, "open_campaigns": None, "capacity": None}
        read_list(ACCOUNT, other, query, NOW, lists=MemoryLists(), **stores)
    with suppress(RequestError):
        holds(load_cursor(one, "campaigns", other) is None, "a cursor of nobody")
    with suppress(RequestError):
        holds(isinstance(hangs_up(one.encode("utf-8", "surrogatepass"), {}), bool), "neither yes nor no")
    ports: dict[str, Any] = {
        "messages": MemoryMessages(),
        "lists": _lists(),
        "clock": FakeClock(),
        "random_bits": lambda _n: 3,
    }
    with suppress(RequestError):
        accept_messages(ACCOUNT, _BODY, one, **ports)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


class _Uploads:
    def presign(self, name: str, size: int, seconds: int) -> str:
        return f"https://{name}/{size}/{seconds}"


_DESK = AudioDesk(None, None, _Uploads(), FakeClock(), str)  # type: ignore[arg-type]
_LOGGER = Logger(service="fuzz", level="CRITICAL")
_REQUESTS = [json.loads(path.read_text()) for path in sorted((ROOT / "events/spec").glob("*.json"))]
_REQUESTS += [json.loads(path.read_text()) for path in sorted((ROOT / "examples").glob("*.json"))]
_BODY = json.dumps(_REQUESTS[0]).encode()
_EVENT = json.loads((ROOT / "events/api/post-messagelist.json").read_text())

_URLS = (
    "https://api.example.com/callback/option1",
    "http://203.0.113.7:8080/a?b=c#d",
    "https://[2606:4700::1111]/x",
    "https://bücher.example./p",
    "https://xn--bcher-kva.example/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://127.0.0.1.example/",
    "https://a..b/",
    "https://user:pass@host/",
    "http://１２７.0.0.1/",
    "https://[::ffff:7f00:1]:443/",
)
_DATES = ("120", "Wed, 21 Oct 2026 07:28:00 GMT", "Wednesday, 21-Oct-26 07:28:00 GMT", "Wed Oct 21 07:28:00 2026", "-1")

_OPT_OUTS = [
    b'{"number":"+380671234567"}',
    b'{"number":"380671234567","list":"marketing","reason":"asked"}',
    b'{"number":"+380671234567","consent":{"basis":"form","at":"2026-11-30T09:00:00Z","ref":"4711"}}',
]

TARGETS = (
    Target("json", json_text, lambda: [_BODY, b'{"a":[1.10,-0,1e2,"\\u00e9\\ud83d\\ude00"],"a2":null}'], words=_NAMES),
    Target(
        "pumped",
        pumped,
        lambda: [b"\x01[\x01,\x01]\x10\x00", b'\x01{\x06"a%":1\x01}\x10\x01', b"\x00\x01[\x00\x10\x00"],
        words=_NAMES,
        most_bytes=800,
        most_seconds=6.0,
    ),
    Target("opt_out", opt_out, lambda: _OPT_OUTS, most_bytes=2048, words=_NAMES),
    Target("request", request, lambda: [json.dumps(one).encode() for one in _REQUESTS], words=_NAMES),
    Target("request_shape", request_shape, lambda: [bytes([n, 3, 200, n]) for n in range(12)], most_bytes=512),
    Target(
        "url",
        url,
        lambda: [one.encode() for one in _URLS],
        most_bytes=512,
        words=("http://", "https://", "xn--", "[::ffff:", "0x7f"),
        libraries=("idna", "httpx._urls", "httpx._urlparse"),
    ),
    Target("header", header, lambda: [b"\xff\x06X-Name\xff\x05value", b"\xff\x0cContent-Type\xff\x10application/json"]),
    Target(
        "retry_after",
        retry_after,
        lambda: [one.encode() for one in _DATES],
        most_bytes=64,
        words=_DATES,
        libraries=("email",),
    ),
    Target(
        "credentials", credentials, lambda: [b"\x02\x00\x01\x01\x00\x01\x02", b"\x01\x01\x01\x00\x01"], most_bytes=512
    ),
    Target("names", names, lambda: [b"\xff\x12227633266688000007\xff\x011\x01"], most_bytes=256),
)
