"""docs/errors.md: each code with an example that the real code gives, word for word."""

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from speechcall.accounts.rules.account import NEW_SHAPES_PER_DAY, Account
from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.accounts import Credential, authenticate, authorize
from speechcall.api.adapters.http_api import HttpApi, HttpRequest
from speechcall.api.use_cases.query import parameter, truth
from speechcall.api.use_cases.representation import check_site
from speechcall.campaigns.rules.campaign import MOST_OPEN, Campaign
from speechcall.messages.rules.message import State
from speechcall.messages.rules.stops import CampaignNumbers
from speechcall.messages.use_cases.message_ports import Brake
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.optouts.rules.opt_out import By, OptOut
from speechcall.optouts.use_cases.opt_out_ports import NOBODY
from speechcall.prompts.adapters.audio_kind import Refused as UnknownAudio
from speechcall.prompts.adapters.audio_kind import kind_of
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.use_cases.manage_audio import AudioDesk, begin_upload, put_audio, read_audio
from speechcall.prompts.use_cases.prompts import Workshop
from speechcall.rehearsal.adapters.memory_campaigns import MemoryCampaigns
from speechcall.rehearsal.adapters.memory_opt_outs import MemoryOptOuts
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.rehearsal.use_cases.rehearsal_ports import NotAdded, Running
from speechcall.rehearsal.use_cases.rehearsal_requests import RehearsalDesk, begin_rehearsal
from speechcall.requests.use_cases.accept_messages import accept_messages
from speechcall.requests.use_cases.manage_opt_outs import add_opt_out, list_opt_outs, remove_opt_out
from speechcall.shared.rules.errors import PromptUnavailable, RequestError
from speechcall.shared.rules.json_text import MAX_JSON_BYTES
from speechcall.status.use_cases.call_file import call_file
from speechcall.status.use_cases.cursors import dump_cursor
from speechcall.status.use_cases.read_campaigns import read_campaign, read_campaigns, read_lists
from speechcall.status.use_cases.read_export import export_campaign
from speechcall.status.use_cases.read_status import read_list, read_message
from speechcall.status.use_cases.read_webhooks import read_webhooks, replay_webhooks
from speechcall.status.use_cases.replay_webhooks import replay_of_message
from speechcall.status.use_cases.status import History
from speechcall.stopping.rules.stop_request import hangs_up
from speechcall.stopping.use_cases.stop_requests import StopDesk, cancel_campaign, pause_list, resume_a_campaign
from speechcall.webhooks.rules.delivery import Attempt, Delivery, DeliveryState
from speechcall.webhooks.rules.webhook import WebhookTask
from speechcall.webhooks.use_cases.give_secret import give_secret
from speechcall.webhooks.use_cases.webhook_secrets import MAX_SECRETS
from tests.kit.samples import MESSAGE as MESSAGE_STORED
from tests.kit.samples import MID, NOW, FakeClock
from tests.stores.lists import MemoryLists
from tests.stores.prompts import MemoryPrompts
from tests.stores.stops import MemoryStops
from tests.stores.webhook_secrets import MemoryWebhookSecrets
from tests.stores.webhooks import MemoryDeliveries

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
HANGUP = {"action": "hangup"}
HOOK = {"action": "webhook", "url": "https://api.example.com/callback", "body": {"confirm": True}}
MENU = {"introUrl": "ivr_651854", "dtmfActions": {"d1": [HOOK, HANGUP], "wrong": [HANGUP]}}
SAY = {"text": "Good morning.", "language": "en-GB", "voice": "Amy"}
MESSAGE = {"from": "BazarCOM", "to": "+380671234567", "text": "ivr", "type": "speechcall", "menu": [MENU]}
ACME = Account("acme", ("+380",), senders={"BazarCOM": "+4930123456"}, calls_per_day=50, rate=5, burst=100)
URGENT = MESSAGE | {"priority": "urgent"}
EVENING = [{"from": "18:00", "to": "20:00", "days": ["mon"]}]
TWO_MONTHS = [f"2026-{month}-{day:02}" for month in (10, 11) for day in range(1, 31)] + ["2026-09-21", "2026-09-28"]
SMS = {"type": "sms", "text": "Call us: 0800 123456."}
STATUS = "https://shop.example/status"
AGREED = {"basis": "form", "at": "2026-09-01T09:00:00Z", "ref": "order 4711"}
ABSENT = object()
BY_SILENCE = [HOOK, HANGUP]
SURE = {"name": "no confirmation by silence", "never": {"webhook": "*/callback", "by": "wrong"}}


LONG = json.dumps(
    {
        "menus": [MENU | {"dtmfActions": {key: [HOOK | {"body": {"a": "b" * 8000}}] for key in ("d1", "d2", "d3")}}],
        "messages": [{name: value for name, value in MESSAGE.items() if name != "menu"}] * 90,
    }
).encode()


class Refused:
    """What a client was answered, as the page's rows."""

    def __init__(self, error):
        self.status, self.code, self.message = error.status, error.code, error.message
        self.rows = [(problem.code, problem.path, problem.message) for problem in error.problems]
        self.rows = self.rows or [(error.code, None, error.message)]


def changed(base, **changes):
    return {name: value for name, value in (base | changes).items() if value is not ABSENT}


CONSENT = b'{"basis": "form", "at": "2026-11-30T09:00:00Z", "ref": "order 4711"}'


def opted_out(by=By.API, list_name=""):
    """The opt-outs, where the number of MESSAGE has opted out."""
    store = MemoryOptOuts()
    store.add("acme", OptOut(list_name, store.digest(str(MESSAGE["to"])), "67", NOW, by))
    return store


def old_register():
    """Opt-outs of which one list is too old."""
    store = MemoryOptOuts()
    store.set_holds_until("acme", "register", NOW)
    return store


def opt_out(ask, body, by=None):
    """What a request about opt-outs is refused with; `by`: how the number has opted out before."""
    store = opted_out(by) if by else MemoryOptOuts()
    return refused(lambda: ask(ACME, body, store=store, clock=FakeClock()))


def send(
    body, *, times=1, key=None, second=None, account=ACME, warm=None, strict=False, opt_outs=NOBODY, sends_sms=False
):
    """What the last of some requests is refused with; `body` as bytes, or the messages of it."""
    lists, messages, clock = MemoryLists({("acme", "ivr_651854")}), MemoryMessages(), FakeClock()
    drawn = iter(range(10**6))
    bodies = [*([warm] if warm else []), *[body] * times, *([second] if second is not None else [])]
    try:
        for one in bodies:
            content = one if isinstance(one, bytes) else json.dumps({"messages": one}).encode()
            stores: Any = {"messages": messages, "lists": lists, "clock": clock, "strict": strict}
            stores |= {"opt_outs": opt_outs, "sends_sms": sends_sms}
            accept_messages(account, content, key, **stores, random_bits=lambda bits: next(drawn) % (1 << bits))
    except RequestError as error:
        return Refused(error)
    raise AssertionError("it was accepted")


CALLEES = {"outcomes": {"answered": 0.7, "noAnswer": 0.3}, "ringSeconds": 8, "talkSeconds": 40}


def rehearsed(refused=None, **changes):
    """What a request for a rehearsal is refused with; `refused`: by its store."""
    body = json.dumps(changed({"messages": [MESSAGE], "callees": CALLEES}, **changes)).encode()
    jobs: Any = SimpleNamespace(add=lambda _job, _given: refused)
    lists = MemoryLists({("acme", "ivr_651854")})
    desk = RehearsalDesk(jobs, lambda _job_id: None, lists, NOBODY, FakeClock(), lambda: "1")
    try:
        begin_rehearsal(ACME, body, desk)
    except RequestError as error:
        return Refused(error)
    raise AssertionError("it was begun")


def message(**changes):
    return send([changed(MESSAGE, **changes)])


ORDER = {"introUrl": "ivr_651854", "dtmfActions": {"d1": [HOOK | {"url": "https://shop.example/o/{{order}}"}, HANGUP]}}


def sharing(menu=ORDER, **changes):
    """What a request is refused with whose message has the menus that stand next to it."""
    menus = [menu] if isinstance(menu, dict) else menu
    return send(json.dumps({"menus": menus, "messages": [changed(MESSAGE, menu=ABSENT, **changes)]}).encode())


def order_of(url):
    return ORDER | {"dtmfActions": {"d1": [HOOK | {"url": url}]}}


def promising(*promises, account=ACME, intro="ivr_651854", **actions):
    """What a message is refused with whose request, or account, has promises."""
    lists = {"d1": [HOOK, HANGUP], "wrong": [HANGUP], **actions}
    menus = [changed(MENU, introUrl=intro, dtmfActions=lists)]
    body = {"messages": [changed(MESSAGE, menu=menus)], **({"promises": [*promises]} if promises else {})}
    return send(json.dumps(body).encode(), account=account)


def menu(**changes):
    return message(menu=[changed(MENU, **changes)])


def said(**changes):
    return menu(introUrl=ABSENT, say=changed(SAY, **changes))


def actions(*given):
    return menu(dtmfActions={"d1": [*given]})


def hook(**changes):
    return actions(changed(HOOK, **changes))


def asks(**changes):
    lookup = {"action": "lookup", "url": "https://shop.example/paid", "cases": {"paid": 0}, "else": 0}
    return actions(changed(lookup, **changes))


def refused(work):
    try:
        work()
    except RequestError as error:
        return Refused(error)
    raise AssertionError("it was not refused")


def put(body, intro_id="welcome", upload_id=None):
    def judge(content):
        try:
            kind_of(content)
        except UnknownAudio as error:
            raise PromptUnavailable(str(error)) from error
        raise AssertionError("it would be decoded")

    workshop = Workshop(judge, Encoding.MU_LAW, lambda _content: "s3:a")
    uploads: Any = SimpleNamespace(take=lambda _name, _most: None)
    desk = AudioDesk(MemoryPrompts(), workshop, uploads, FakeClock(), lambda _uri: None, lambda: "x" * 32)
    return refused(lambda: put_audio(ACME, intro_id, body, upload_id, desk))


def begin(body):
    desk: Any = None
    return refused(lambda: begin_upload(ACME, "welcome", body, desk))


def stranger(**headers):
    return refused(lambda: authenticate(headers, lambda _name: None, lambda _account: None))


def used(scope, address):
    """What the use of a key is refused with that may only send, from one network."""
    key = Credential("acme", "", frozenset({Scope.SEND}), "web-shop", ("203.0.113.0/24",))
    return refused(lambda: authorize(key, scope, address))


class Nothing:
    """A store that holds nothing."""

    def read(self, mid):
        return None

    def find_list(self, list_id):
        return None


def ask(query):
    stores: Any = {"store": Nothing(), "lists": Nothing(), "stops": None, "turns": None}
    stores |= {"open_campaigns": None, "capacity": None}
    return refused(lambda: read_list(ACME, "1", query, 0, **stores))


def campaigns(query, name=None):
    """What asking for campaigns, or for one, is refused with."""
    stores: Any = {"campaigns": MemoryCampaigns(), "turns": None, "capacity": None}
    if name:
        return refused(lambda: read_campaign(ACME, name, NOW, **stores))
    return refused(lambda: read_campaigns(ACME, query, campaigns=stores["campaigns"]))


def exported(query):
    stores: Any = {"store": Nothing(), "lists": Nothing(), "stops": None, "campaigns": MemoryCampaigns()}
    return refused(lambda: export_campaign(ACME, "spring", query, NOW, **stores))


def lists_of(query):
    return refused(lambda: read_lists(ACME, query, campaigns=MemoryCampaigns()))


def in_campaign(name, known=None, count=0):
    """What a list for a campaign is refused with; `known`: the campaign as it is, of `count` that are open."""
    lists: Any = MemoryLists({("acme", "ivr_651854")})
    if known:
        lists.campaigns.campaigns["acme", name] = known
    for number in range(count):
        lists.campaigns.campaigns["acme", f"c{number}"] = Campaign("acme", f"c{number}", NOW, unfinished=1)
    body = json.dumps({"campaign": name, "messages": [MESSAGE]}).encode()
    stores: Any = {"messages": MemoryMessages(), "lists": lists, "clock": FakeClock()}
    return refused(lambda: accept_messages(ACME, body, **stores, random_bits=lambda bits: bits))


def read(**headers):
    """What reading a body is refused with."""
    return refused(lambda: HttpRequest({"headers": headers, "body": "{}"}).body)


def replayed(state, attempts, webhook_id="1-1-2-m0-d1-0", **more):
    """What a replay is refused with, of a webhook in a state after so many attempts."""
    delivery = Delivery(state, (Attempt(NOW, 1, 503, None),) * attempts, **more)
    history = History(MESSAGE_STORED, (), [(WebhookTask(MID, 1, 2, 0, "d1", 0, "1-1-2-m0-d1-0"), delivery)])
    stores: Any = {"store": Holding(history), "deliveries": None, "queue": None, "clock": FakeClock()}
    return refused(lambda: replay_of_message(ACME, MID, webhook_id, **stores))


def signed_call(message, *, signs):
    """What the file of a message's calls is refused with."""
    files: Any = SimpleNamespace(find=lambda _mid, _form: None)
    signer: Any = SimpleNamespace(is_there=signs)
    store: Any = Holding(History(message, (), ()))
    credential = Credential(ACME.account_id, "")
    return refused(lambda: call_file(ACME, credential, MID, {}, store=store, files=files, signer=signer))


class Holding:
    """A store of one message."""

    def __init__(self, history):
        self.history = history

    def read(self, mid):
        return self.history


def stopped(ask):
    """What is refused where the list 7 and the campaign `spring` are cancelled."""
    messages = MemoryMessages()
    stops = MemoryStops(messages, {("acme", "spring"): CampaignNumbers()})
    for what in (Stopped(Brake.LIST, "acme", "7"), Stopped(Brake.CAMPAIGN, "acme", "spring")):
        stops.cancel(what, NOW, 0, hangs_up=False)
    made = SimpleNamespace(list_id="7", account_id="acme", message_ids=(), expires_at=0)
    lists: Any = SimpleNamespace(find_list=lambda _list_id: made)
    rest: Any = dict.fromkeys(("history", "cancel", "wake_worker"))
    desk = StopDesk(messages=messages, stops=stops, turns=messages.turns, lists=lists, clock=FakeClock(), **rest)
    return refused(lambda: ask(desk))


def webhooks(query):
    return refused(lambda: read_webhooks(ACME, query, deliveries=MemoryDeliveries()))


def all_replayed(body):
    stores: Any = {"deliveries": MemoryDeliveries(), "queue": None, "clock": FakeClock()}
    return refused(lambda: replay_webhooks(ACME, json.dumps(body).encode(), **stores))


def secret(body=b"", times=1):
    """What the last of some requests for a webhook secret is refused with."""
    used: Any = {"store": MemoryWebhookSecrets(), "seal": lambda *_: "", "random_bytes": bytes, "now_msec": NOW}
    return refused(lambda: [give_secret("acme", body, **used) for _ in range(times)])


def our_failure(route):
    app = HttpApi(Logger(service="test", level="CRITICAL"))

    @app.route(route)
    def fail(_request):
        raise RuntimeError

    event = json.loads((ROOT / "events" / "api" / "post-messagelist.json").read_text(encoding="utf-8"))
    answer = app.resolve({**event, "routeKey": route})
    error = json.loads(answer["body"])["error"]
    found = object.__new__(Refused)
    found.status, found.rows = answer["statusCode"], [(error["code"], None, error["message"])]
    return found


def shapes():
    """More kinds of menus than an account may bring in a day."""
    keys = [f"d{digit}" for digit in range(10)]
    kinds = [[key for bit, key in enumerate(keys) if number >> bit & 1] for number in range(1, NEW_SHAPES_PER_DAY + 2)]
    made = [changed(MESSAGE, menu=[changed(MENU, dtmfActions={key: [HANGUP] for key in kind})]) for kind in kinds]
    return made[:100], made[100:200], made[200:]


def too_many_shapes():
    first, second, third = shapes()
    rich = replace(ACME, burst=1000, calls_per_day=1000)
    return send(second, warm=first, second=third, account=rich)


GIVEN = {
    "400 the body": [
        lambda: send(b'{"messages": [}'),
        lambda: send(b'{"messages": [], "messages": []}'),
        lambda: send(b'{"messages": [NaN]}'),
        lambda: send(b"\xff"),
        lambda: send(b"[" * 40 + b"]" * 40),
        lambda: send(b'["\\ud800"]'),
        lambda: send(b"[]"),
        lambda: send(b"{}"),
        lambda: send(b'{"messages": {}}'),
        lambda: send([]),
        lambda: send([MESSAGE], key="k" * 256),
        lambda: ask({"limit": "0"}),
        lambda: put(b"RIFF", "my song"),
        lambda: put(b""),
        lambda: begin(b'{"bytes": 26214401}'),
        lambda: send('{"messages":\u00a0[]}'.encode()),
        lambda: refused(lambda: parameter({"webhookid": "1-1-2-m0-d1-0"}, "webhookId")),
        lambda: read(**{"content-range": "bytes 0-999/5000"}),
        lambda: refused(lambda: truth({"strict": "yes"}, "strict")),
        lambda: send(json.dumps({"messages": [MESSAGE], "message": []}).encode()),
        lambda: in_campaign("summer sale"),
        lambda: lists_of({}),
        lambda: campaigns({"cursor": "2"}),
        lambda: campaigns({"cursor": dump_cursor("0", "campaigns", "other")}),
        lambda: refused(lambda: hangs_up(b'{"hangup": "yes"}', {})),
        lambda: refused(lambda: hangs_up(b'{"hang_up": true}', {})),
        lambda: refused(lambda: hangs_up(b"[true]", {})),
        lambda: refused(lambda: hangs_up(b"", {"hangup": "true"})),
        lambda: opt_out(add_opt_out, b'"+380671234567"'),
        lambda: opt_out(add_opt_out, b"{}"),
        lambda: opt_out(add_opt_out, b'{"number": "0671234567"}'),
        lambda: opt_out(add_opt_out, b'{"number": "+380671234567", "list": "spring sale"}'),
        lambda: opt_out(add_opt_out, b'{"number": "+380671234567", "reason": ""}'),
        lambda: opt_out(add_opt_out, b'{"number": "+380671234567", "lists": "marketing"}'),
        lambda: opt_out(remove_opt_out, b'{"number": "+380671234567", "consent": true}'),
        lambda: opt_out(remove_opt_out, b'{"number": "+380671234567", "consent": %s}' % CONSENT.replace(b"form", b"")),
        lambda: opt_out(remove_opt_out, b'{"number": "+380671234567", "consent": %s}' % CONSENT.replace(b"Z", b"")),
        lambda: refused(lambda: list_opt_outs(ACME, {"limit": "101"}, store=MemoryOptOuts())),
        lambda: refused(lambda: list_opt_outs(ACME, {"list": "a b"}, store=MemoryOptOuts())),
        lambda: refused(lambda: list_opt_outs(ACME, {"cursor": "x"}, store=MemoryOptOuts())),
        lambda: exported({"format": "xlsx"}),
        lambda: exported({"cursor": dump_cursor("0", "export", "acme", "autumn")}),
        lambda: promising({"never": {"webhook": "*/callback", "without": "1"}}),
        lambda: promising({"nevr": {"webhook": "*/callback"}}),
        lambda: promising({"always": {"callSeconds": 90}}),
        lambda: promising({"pack": "us-telemarketing"}),
        lambda: webhooks({"state": "pending"}),
        lambda: webhooks({"since": "yesterday"}),
        lambda: webhooks({"since": "2026-12-01T09:00:00 02:00"}),
        lambda: all_replayed({}),
        lambda: all_replayed({"since": "2026-12-01T07:00:00Z", "cursor": 2}),
        lambda: all_replayed({"since": "2026-12-01T07:00:00Z", "until": "2026-12-02T07:00:00Z"}),
        lambda: secret(b'{"keepHours": 0}'),
        lambda: secret(b"[]"),
    ],
    "400 a message": [
        lambda: send([7]),
        lambda: message(to=ABSENT),
        lambda: message(to="0671234567"),
        lambda: message(to="+38067\u202a1234567"),
        lambda: message(to="2146491379"),
        lambda: message(to="+38067123456"),
        lambda: message(to="+3800671234567"),
        lambda: message(to="+4930123456"),
        lambda: send([MESSAGE | {"to": "+380441234567"}], account=replace(ACME, denied=("+38044",))),
        lambda: message(to="+380900212345"),
        lambda: message(**{"from": ""}),
        lambda: message(**{"from": "Other"}),
        lambda: message(text=ABSENT),
        lambda: message(type="sms"),
        lambda: message(menu=[]),
        lambda: message(customerMessageId="x" * 65),
        lambda: message(ttl=29),
        lambda: message(ringTimeoutSec="45"),
        lambda: message(silentRepeats=50),
        lambda: message(redial=3),
        lambda: message(redial={"attempts": 5}),
        lambda: message(redial={"attempts": 1, "afterSec": [10]}),
        lambda: message(redial={"attempts": 1, "on": ["blocked"]}),
        lambda: message(redial={"attempts": 1, "on": ["busy", "busy"]}),
        lambda: message(redial={"attempts": 1, "on": ["noKey"]}, menu=[MENU | {"dtmfActions": {}}]),
        lambda: message(redial={"attempts": 1, "after": 300}),
        lambda: message(fallback="sms"),
        lambda: message(fallback=SMS | {"type": "email"}),
        lambda: message(fallback={"type": "sms"}),
        lambda: message(fallback=SMS | {"text": " "}),
        lambda: message(fallback=SMS | {"text": "ж" * 640}),
        lambda: message(fallback=SMS | {"on": ["busy", "busy"]}),
        lambda: message(fallback=SMS | {"on": ["answered"]}),
        lambda: message(fallback=SMS | {"on": ["noKey"]}, menu=[MENU | {"dtmfActions": {}}]),
        lambda: message(fallback=SMS | {"when": "busy"}),
        lambda: message(fallback=SMS),
        lambda: send([MESSAGE | {"fallback": SMS}], sends_sms=True),
        lambda: message(priority="high"),
        lambda: message(priority="urgent"),
        lambda: message(optOutLists="marketing"),
        lambda: message(optOutLists=["spring sale"]),
        lambda: message(ignoreOptOut="yes"),
        lambda: message(ignoreOptOut=True),
        lambda: send([MESSAGE], opt_outs=opted_out()),
        lambda: send([MESSAGE | {"optOutLists": ["news"]}], opt_outs=opted_out(list_name="news")),
        lambda: send([MESSAGE | {"optOutLists": ["register"]}], opt_outs=old_register()),
        lambda: menu(dtmfActions={f"d{digit}": [HOOK | {"body": {"a": "x" * 8000}}] for digit in range(9)}),
        lambda: message(TTL=60),
        lambda: send([changed(MESSAGE, colour=7)], strict=True),
    ],
    "400 the hours of a message": [
        lambda: message(sendAt="2026-12-01 09:00"),
        lambda: message(sendAt="2026-09-01T09:00:00Z"),
        lambda: message(sendAt="2026-12-01T09:00:00+02:00"),
        lambda: message(windows=[]),
        lambda: message(windows=["09:00-20:00"]),
        lambda: message(windows=[{"from": "9:00", "to": "20:00"}], timeZone="UTC"),
        lambda: message(windows=[{"from": "09:00", "to": "24:30"}], timeZone="UTC"),
        lambda: message(windows=[{"from": "09:00", "to": "20:00", "days": []}], timeZone="UTC"),
        lambda: message(windows=[{"from": "09:00", "to": "20:00", "days": ["Monday"]}], timeZone="UTC"),
        lambda: message(windows=[{"from": "09:00", "until": "20:00", "to": "20:00"}], timeZone="UTC"),
        lambda: message(windows=EVENING),
        lambda: message(windows=EVENING, timeZone="europe/kyiv"),
        lambda: message(windows=EVENING, timeZone="EU"),
        lambda: message(timeZone="Europe/Kyiv"),
        lambda: message(windows=EVENING, timeZone="recipient", to="+380111111111"),
        lambda: message(windows=EVENING, timeZone="UTC", notOn=["25.12.2026"]),
        lambda: message(windows=EVENING, timeZone="UTC", notOn=[]),
        lambda: message(windows=EVENING, timeZone="Europe/Kyiv", ttl=600),
        lambda: message(windows=EVENING, timeZone="UTC", notOn=TWO_MONTHS),
    ],
    "400 what is told of a message": [
        lambda: message(statusUrl="shop.example/status"),
        lambda: message(statusUrl=7),
        lambda: message(statusUrl="http://10.0.0.1/status"),
        lambda: message(statusUrl="https://user:secret@shop.example/"),
        lambda: message(statusUrl=STATUS, statusEvents="final"),
        lambda: message(statusUrl=STATUS, statusEvents=["finished"]),
        lambda: message(statusUrl=STATUS, statusEvents=["final", "final"]),
        lambda: message(statusUrl=STATUS, statusEvents=["final", "list"]),
        lambda: message(statusEvents=["final"]),
        lambda: message(consent="yes"),
        lambda: message(consent={"basis": "form", "at": "2026-09-01T09:00:00Z"}),
        lambda: message(consent=AGREED | {"basis": ""}),
        lambda: message(consent=AGREED | {"at": "2026-09-01 09:00"}),
        lambda: message(consent=AGREED | {"at": "2026-12-01T09:00:00Z"}),
        lambda: message(consent=AGREED | {"proof": "a form"}),
    ],
    "400 a menu": [
        lambda: menu(introUrl=ABSENT),
        lambda: menu(say=SAY),
        lambda: menu(introUrl="my song.wav"),
        lambda: menu(introUrl="ivr_1"),
        lambda: menu(introUrl="http://10.0.0.1/a.wav"),
        lambda: menu(introUrl="https://user:secret@example.com/a.wav"),
        lambda: said(text=ABSENT),
        lambda: said(text="x" * 1501),
        lambda: said(text=" "),
        lambda: said(language="uk-UA"),
        lambda: said(voice="Hans"),
        lambda: said(ssml=True),
        lambda: menu(idleTimeoutMsec="10000"),
        lambda: menu(idleTimeoutMsec=200_000),
        lambda: menu(repeat={"times": 6}),
        lambda: menu(repeat={"times": 2, "introUrl": "again", "say": SAY}),
        lambda: menu(repeat={"times": 2, "pause": 1}),
        lambda: menu(repeat=2),
        lambda: menu(idleTimeout=10_000),
        lambda: menu(introURL="ivr_651854"),
        lambda: menu(dtmfActions=[]),
        lambda: menu(dtmfActions={"1": []}),
        lambda: menu(dtmfActions={"d1": HANGUP}),
    ],
    "400 menus that messages share": [
        lambda: sharing("welcome"),
        lambda: sharing(ORDER | {"introUrl": "a" * 140_000}),
        lambda: sharing(ORDER | {"introUrl": "welcome_{{order}}"}),
        lambda: sharing(order_of("https://{{order}}/")),
        lambda: sharing(order_of("https://shop.example/?{{order}}=1")),
        lambda: sharing(order_of("https://shop.example/#{{order}}")),
        lambda: sharing(order_of("https://shop.example/{{ order }}")),
        lambda: sharing({"say": SAY, "dtmfActions": {"d1": [HOOK | {"body": {"{{order}}": 1}}]}}),
        lambda: sharing(vars={}),
        lambda: sharing(vars={"order": "4711", "oder": "4711"}),
        lambda: sharing(vars={"order": "4711", "colour": "red"}),
        lambda: sharing(vars={"order": ".."}),
        lambda: sharing(vars={"order": 4711}),
        lambda: sharing(vars={"order": "4711", "my order": "1"}),
        lambda: sharing(vars=["4711"]),
        lambda: message(vars={"order": "4711"}),
    ],
    "400 promises": [
        lambda: promising(SURE, wrong=BY_SILENCE),
        lambda: promising({"always": {"menus": "<= 3"}}, wrong=[{"action": "gotoMenu", "menu": 0}]),
        lambda: promising(account=replace(ACME, requires=json.dumps([SURE])), wrong=BY_SILENCE),
        lambda: promising({"always": {"callSeconds": "<= 10"}}, wrong=[{"action": "gotoMenu", "menu": 0}]),
        lambda: promising({"always": {"callSeconds": "<= 60"}}, intro="https://media.example.com/1.mp3"),
        lambda: promising(account=replace(ACME, requires='[{"later": {}}]')),
        lambda: message(promises=[SURE]),
    ],
    "400 a rehearsal": [
        lambda: rehearsed(callees=ABSENT),
        lambda: rehearsed(callees=CALLEES | {"outcomes": {"answered": 0.5}}),
        lambda: rehearsed(callees=CALLEES | {"keys": {"11": 0.5}}),
        lambda: rehearsed(seeds=21),
        lambda: rehearsed(start="tomorrow"),
        lambda: rehearsed(start="2026-09-01T09:00:00Z"),
        lambda: rehearsed(seed=3),
        lambda: rehearsed(messages=[]),
        lambda: rehearsed(messages=[MESSAGE] * 130 + [MESSAGE | {"to": "+1"}]),
    ],
    "400 an action": [
        lambda: actions("hangup"),
        lambda: actions({"action": "goToMenu", "menu": 1}),
        lambda: actions({"action": "hangup", "after": 5}),
        lambda: actions({"action": "optOut", "list": "my news"}),
        lambda: actions({"action": "optOut", "lists": "news"}),
        lambda: asks(timeoutMsec=9000),
        lambda: asks(cases={}),
        lambda: asks(cases={"": 0}),
        lambda: asks(cases={"paid": 1}),
        lambda: asks(**{"else": ABSENT}),
        lambda: asks(otherwise=0),
        lambda: actions({"action": "gotoMenu", "menu": "-1"}),
        lambda: actions({"action": "gotoMenu", "menu": "1"}),
        lambda: hook(url=ABSENT),
        lambda: hook(url="api.example.com/callback"),
        lambda: hook(url="https://user:secret@api.example.com/"),
        lambda: hook(url="http://127.0.0.1/"),
        lambda: hook(url="https://<your-server>/hook"),
        lambda: hook(url="https://shop..example/"),
        lambda: hook(method="GET"),
        lambda: hook(body=[1]),
        lambda: hook(body={"a": "x" * 9000}),
        lambda: hook(headers={"X-Custom-Header": 1}),
        lambda: hook(headers={"Host": "example.com"}),
        lambda: hook(headers={"Content-Type": "text/plain"}),
        lambda: hook(headers={"Authorization": "a", "authorization": "b"}),
        lambda: hook(headers={"Content-Encoding": "gzip"}),
    ],
    "401": [
        stranger,
        lambda: stranger(authorization="Basic !"),
        lambda: stranger(authorization="Basic dTpw"),
    ],
    "403": [
        lambda: refused(lambda: check_site({"sec-fetch-site": "cross-site"})),
        lambda: used(Scope.MANAGE, "203.0.113.17"),
        lambda: used(Scope.SEND, "198.51.100.7"),
    ],
    "404": [
        lambda: refused(lambda: read_message(ACME, "1", {}, 0, store=Nothing(), stops=None)),  # type: ignore[arg-type]
        lambda: ask({}),
        lambda: campaigns({}, "none"),
        lambda: replayed(DeliveryState.DEAD, 1, webhook_id="another"),
        lambda: refused(lambda: read_audio(ACME, "welcome", MemoryPrompts())),
        lambda: stopped(lambda desk: cancel_campaign(ACME, "autumn", b"", {}, desk)),
        lambda: put(b"", upload_id="x" * 32),
        lambda: put(b"", upload_id="x"),
        lambda: opt_out(remove_opt_out, b'{"number": "+380671234567"}'),
    ],
    "409": [
        lambda: replayed(DeliveryState.PENDING, 1),
        lambda: replayed(DeliveryState.DEAD, 200),
        lambda: replayed(DeliveryState.DELIVERED, 1, has_secret_digits=True),
        lambda: in_campaign("spring", Campaign("acme", "spring", NOW, cancelled_msec=NOW)),
        lambda: secret(times=MAX_SECRETS + 1),
        lambda: signed_call(replace(MESSAGE_STORED, state=State.CALLING), signs=True),
        lambda: signed_call(replace(MESSAGE_STORED, state=State.FINISHED), signs=False),
        lambda: stopped(lambda desk: pause_list(ACME, "7", b"", {}, desk)),
        lambda: stopped(lambda desk: resume_a_campaign(ACME, "spring", b"", {}, desk)),
        lambda: rehearsed(refused=Running("227633266688000000")),
    ],
    "413": [
        lambda: send(b" " * (MAX_JSON_BYTES + 1)),
        lambda: send(LONG),
        lambda: put(b" " * (4 * 1024 * 1024 + 1)),
        lambda: rehearsed(refused=NotAdded.TOO_LARGE),
    ],
    "415": [lambda: read(**{"content-encoding": "gzip"})],
    "422": [
        lambda: send([MESSAGE], key="k", second=[MESSAGE, MESSAGE]),
        too_many_shapes,
        lambda: in_campaign("spring", count=MOST_OPEN),
        lambda: put(b"Press one."),
        lambda: opt_out(remove_opt_out, b'{"number": "+380671234567"}', By.KEY),
        lambda: opt_out(
            remove_opt_out, b'{"number": "+380671234567", "consent": %s}' % CONSENT.replace(b"2026", b"2020"), By.KEY
        ),
    ],
    "429": [
        lambda: send([MESSAGE] * 60, second=[MESSAGE] * 60, account=replace(ACME, calls_per_day=1000)),
        lambda: send([MESSAGE] * 30, second=[MESSAGE] * 30),
        lambda: send([MESSAGE] * 60),
        lambda: send([URGENT] * 4, second=[URGENT] * 4, account=replace(ACME, urgent_per_minute=6)),
        lambda: send([URGENT] * 7, account=replace(ACME, urgent_per_minute=6)),
        lambda: rehearsed(refused=NotAdded.DAY_FULL),
    ],
    "500": [lambda: our_failure("POST /bat/messagelist"), lambda: our_failure("GET /bat/audio")],
}


def rows(section):
    """The rows that the real code gives."""
    found = []
    for give in GIVEN[section]:
        given = give()
        assert str(given.status) == section[:3]
        assert len(given.rows) == 1, given.rows
        code, path, text = given.rows[0]
        shown = "" if path is None else f"`{path}`" if path else "the body"
        found.append(f"| `{code}` | {shown} | {text.replace('|', chr(92) + '|')} |")
    return found


def on_the_page(section):
    """The rows of a section's table."""
    _, _, after = PAGE.partition(f"\n## {section}\n")
    own = after.partition("\n## ")[0]
    return [line for line in own.splitlines() if line.startswith("| `")]


@pytest.mark.parametrize("section", GIVEN)
def test_every_example_is_what_the_code_says(section):
    expected = rows(section)
    assert on_the_page(section) == expected, "\n".join(["the page should have:", *expected])


def test_the_page_has_no_other_sections_with_examples():
    assert re.findall(r"^## (\d{3}.*)$", PAGE, re.MULTILINE) == list(GIVEN)


def test_every_code_that_the_source_knows_is_on_the_page():
    source = ROOT / "layers" / "core" / "speechcall"
    files = [
        *source.glob("*/use_cases/*.py"),
        source / "shared" / "rules" / "errors.py",
        source / "api" / "adapters" / "http_answers.py",
        source / "menus" / "rules" / "menu_report.py",
        source / "menus" / "rules" / "promise_grammar.py",
    ]
    text = "\n".join(path.read_text(encoding="utf-8") for path in files)
    codes = set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"', text)) - {"FORBIDDEN_ADDRESS"} | {"UNAUTHORIZED"}
    kinds = {error.code for error in every(RequestError)}
    assert [code for code in sorted(codes | kinds) if f"`{code}`" not in PAGE] == []
    assert codes >= kinds


def every(error):
    return [error, *(below for child in error.__subclasses__() for below in every(child))]


def test_every_code_on_the_page_is_one_that_the_source_knows():
    source = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "layers" / "core").rglob("*.py"))
    told = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", PAGE))
    assert [code for code in sorted(told) if f'"{code}"' not in source] == []
