"""Calls in progress survive an update, and its roll-back: the previous release's functions, taken from git, and ours.

    previous   accepts, dials, asks ... │ every function is turned │ ... ours hear, send and end
    ours       accepts, dials, asks ... │     rolled back          │ ... the previous release's hear, send and end

Both releases work on the same tables, queues, state machines and telephones. Each callee stops where it says so, and
does the rest when the functions have been turned. The sweeper looks after every call at that moment, too.
"""

import json
import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx
import pytest

from local.cloud import seed
from tests.e2e.conftest import HANGUP, Client, goto, menu, message, running, webhook
from tests.kit.releases.git_tree import ROOT, NoHistoryError, unpack_previous
from tests.kit.releases.rolling import NEW, OLD, flow_of, hosting_both, template_of

IDLE_MSEC = 9000
MENUS = (
    menu(idle=IDLE_MSEC, d1=[webhook({"menu": 0}), goto(1)], wrong=[webhook({"menu": 0, "wrong": 1}), HANGUP]),
    menu(idle=IDLE_MSEC, d2=[webhook({"menu": 1}), HANGUP], wrong=[HANGUP]),
)
SILENT_MENU = menu(idle=2000, wrong=[webhook({"wrong": True}), HANGUP])


@pytest.fixture(scope="module")
def previous(tmp_path_factory):
    """The previous release's files."""
    try:
        return unpack_previous(tmp_path_factory.mktemp("previous"))
    except NoHistoryError as error:
        pytest.skip(f"the previous release cannot be had: {error}")


@dataclass
class Crowd:
    """The callees of one update, by number; each has come so far, and then waits for the functions to be turned."""

    turned: threading.Event = field(default_factory=threading.Event)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    kinds: dict[str, str] = field(default_factory=dict)

    def take(self, phone):
        EVERY[self.kinds[phone.number]].behave(self, phone)

    def wait(self):
        self.arrived.release()
        assert self.turned.wait(60)


def _rings(crowd, phone):
    assert phone.wait_until_ringing(20)
    crowd.wait()
    assert phone.answer()
    _press(phone, "1")
    _press(phone, "2")


def _is_asked(crowd, phone):
    _answer(phone)
    phone.wait_for_input(0, 20)
    crowd.wait()
    _press(phone, "1")
    _press(phone, "2")


def _is_asked_again(crowd, phone):
    _answer(phone)
    _press(phone, "1")
    phone.wait_for_input(1, 20)
    crowd.wait()
    _press(phone, "2")


def _hangs_up(crowd, phone):
    _answer(phone)
    _press(phone, "1")
    phone.wait_for_input(1, 20)
    crowd.wait()
    assert phone.hang_up()


def _is_silent(crowd, phone):
    _answer(phone)
    phone.wait_for_input(0, 20)
    crowd.wait()


def _is_busy(crowd, phone):
    assert phone.wait_until_ringing(20)
    crowd.wait()
    assert phone.reject()


def _comes_later(_crowd, phone):
    """Is called only when the functions have been turned."""
    _answer(phone)
    _press(phone, "1")
    _press(phone, "2")


def _hangs_up_at_once(_crowd, phone):
    """Its webhook is sent, and refused, before the functions are turned; it is sent again afterwards."""
    _answer(phone)
    _press(phone, "1")
    phone.wait_for_input(1, 20)
    assert phone.hang_up()


def _answer(phone):
    assert phone.wait_until_ringing(30)
    assert phone.answer()


def _press(phone, key):
    """In the next input block."""
    before = getattr(phone, "pressed_in", 0)
    assert phone.wait_for_input(before, 30)
    phone.pressed_in = phone.input_block
    assert phone.press(key)


@dataclass(frozen=True)
class Kind:
    """What a callee does, and what must become of the message."""

    behave: Callable[[Crowd, Any], None]
    reason: str
    path: list[tuple[int, str]]
    hooks: list[dict[str, Any]]
    """The actions of the webhooks that arrive, in order."""
    menus: tuple[dict[str, Any], ...] = MENUS


BOTH: dict[str, Any] = {"path": [(0, "d1"), (1, "d2")], "hooks": [{"menu": 0}, {"menu": 1}]}
KINDS = {
    "rings": Kind(_rings, "completed", **BOTH),
    "is asked": Kind(_is_asked, "completed", **BOTH),
    "is asked again": Kind(_is_asked_again, "completed", **BOTH),
    "hangs up": Kind(_hangs_up, "callerHungUp", [(0, "d1")], [{"menu": 0}]),
    "is silent": Kind(_is_silent, "completed", [(0, "idle")], [{"wrong": True}], (SILENT_MENU,)),
    "is busy": Kind(_is_busy, "busy", [], []),
}
FETCHED_KIND = "has to be fetched"
FETCHED = "https://example.com/%s.mp3"
LATER = {
    "was accepted": Kind(_comes_later, "completed", **BOTH),
    FETCHED_KIND: Kind(_comes_later, "completed", **BOTH, menus=({**MENUS[0], "introUrl": FETCHED}, MENUS[1])),
}

RETRIED_KIND = "its webhook is refused at first"
BEFORE = {RETRIED_KIND: Kind(_hangs_up_at_once, "callerHungUp", [(0, "d1")], [{"menu": 0}, {"menu": 0}])}
EVERY = {**BEFORE, **KINDS, **LATER}
ALL = tuple(EVERY)
SOME = {
    ("connect", OLD): ("rings", "is asked again", "is silent", "was accepted", FETCHED_KIND),
    ("connect", NEW): ("rings", "is asked", "hangs up"),
    ("chime", OLD): (RETRIED_KIND, "rings", "is asked", "hangs up"),
    ("chime", NEW): ("rings", "is asked again", "was accepted"),
}
"""For every run; all of them in `make test-long`."""


@contextmanager
def both_running(previous, telephony, first):
    """A laptop cloud with both releases, and a crowd that can be changed."""
    crowds = {}
    carrier = {"caller_for": lambda number: crowds[number], "no_answer_seconds": 60}
    if telephony == "connect":
        carrier["ring_timeout_needs_campaign"] = False  # the previous release sends it
    with hosting_both(previous, first) as made, running(telephony=telephony, carrier=carrier) as cloud:
        yield cloud, made[0], crowds


def turn(cloud, rolling, release, previous):
    """All functions, and the contact flow with which calls begin from now on."""
    rolling.turn(release)
    if cloud.settings.telephony == "connect":
        folder = previous if release == OLD else ROOT
        flow = flow_of(template_of(folder, cloud.template.parameters))
        object.__setattr__(cloud.carrier.contacts._exchange, "flow", flow)


def sent(cloud, crowds, crowd, kinds, name):
    """One message of each kind; its id by the kind."""
    if not kinds:
        return {}
    numbers = {kind: f"+38067{len(crowds) + place:07}" for place, kind in enumerate(kinds)}
    crowd.kinds |= {number: kind for kind, number in numbers.items()}
    crowds |= dict.fromkeys(numbers.values(), crowd)
    messages = []
    for kind, what in kinds.items():
        menus = [{**one, "introUrl": one["introUrl"].replace("%s", name)} for one in what.menus]
        messages.append(message(*menus, to=numbers[kind]))
    return dict(zip(kinds, Client(cloud.url).send(messages), strict=True))


def sweep_all(cloud, functions, change="", values=None):
    """What the clock does each minute, every call in progress being a minute old; `change`: of their items before."""
    table, items = cloud.template.ref("MessagesTable"), boto3.client("dynamodb")
    found = items.scan(
        TableName=table, FilterExpression="sk = :message", ExpressionAttributeValues={":message": {"S": "MESSAGE"}}
    )
    for one in found["Items"]:
        if one["state"] == {"S": "calling"}:
            key = {name: one[name] for name in ("pk", "sk")}
            items.update_item(
                TableName=table,
                Key=key,
                UpdateExpression=f"SET due_at = :now{change}",
                ExpressionAttributeValues={":now": {"N": "1"}, **(values or {})},
            )
    functions.invoke("SweepFunction", {})


def refused_webhooks(cloud, mids):
    """These messages, when the first webhook of each has been refused once."""
    cloud.receiver.answer_with(503)
    for mid in mids.values():
        cloud.journal.wait_for(lambda one, mid=mid: (one["kind"], one["mid"]) == ("webhook", mid), 40)
    cloud.receiver.answer_with(200)
    return mids


def update(cloud, rolling, crowds, first, second, previous, *, kinds=ALL, early=()):
    """Messages that one release begins and the other ends, as they must. `early`: functions turned before others."""
    crowd = Crowd()
    before, now, later = (
        {kind: what for kind, what in part.items() if kind in kinds} for part in (BEFORE, KINDS, LATER)
    )
    turn(cloud, rolling, first, previous)
    if early:
        rolling.turn(second, *early)
    mids = refused_webhooks(cloud, sent(cloud, crowds, crowd, before, first))
    with rolling.holding("SendWebhookFunction"):
        mids |= sent(cloud, crowds, crowd, now, first)
        for _ in now:
            assert crowd.arrived.acquire(timeout=40)
        with rolling.holding("DialerFunction") as dialer, rolling.holding("FetchPromptFunction") as fetching:
            mids |= sent(cloud, crowds, crowd, later, f"{first}-{len(crowds)}")
            assert not later or dialer.arrived.wait(30)
            assert FETCHED_KIND not in later or fetching.arrived.wait(30)
            turn(cloud, rolling, second, previous)
            sweep_all(cloud, rolling)
    crowd.turned.set()
    for kind, mid in mids.items():
        expect(cloud, rolling, EVERY[kind], mid, (kind, first, early))


def story_of(cloud, mid):
    """Its reason, its path, the webhooks that arrived, and whether its state machine ended well."""
    cloud.journal.wait_for(lambda one: one["mid"] == mid and one["kind"] == "state" and one["state"] == "finished", 60)
    status = httpx.get(f"{cloud.url}/bat/message/{mid}", auth=(seed.USER, seed.PASSWORD)).json()["call"]
    hooks = [hook["webhookId"] for hook in status["webhooks"]]
    for hook in hooks:
        cloud.journal.wait_for(
            lambda one, hook=hook: (
                (one["kind"], one.get("status")) == ("webhook", 200) and dict(one["headers"]).get("webhook-id") == hook
            ),
            60,
        )
    arrived = [one["body"] for one in cloud.journal.entries(mid) if one["kind"] == "webhook"]
    rung = [one for one in cloud.journal.entries(mid) if one["kind"] == "dialled"]
    return status["endReason"], [(step["menu"], step["heard"]) for step in status["path"]], arrived, len(rung)


def expect(cloud, rolling, kind, mid, told):
    rolling.turn(NEW, "MessageStatusFunction")  # the previous release does not show what stands in the log
    reason, path, arrived, dials = story_of(cloud, mid)
    hooks = [{"from": "BazarCOM", "mid": mid, "action": body} for body in kind.hooks]
    assert reason == kind.reason, told
    assert path == kind.path, told
    assert dials == 1
    found = [{name: json.loads(one)[name] for name in ("from", "mid", "action")} for one in arrived]
    assert found == hooks, told


def settled(cloud):
    """No line is held, and nothing failed."""
    pool = boto3.client("dynamodb").get_item(
        TableName=cloud.template.ref("RegistryTable"), Key={"pk": {"S": "POOL"}, "sk": {"S": "POOL"}}
    )["Item"]
    assert not {"held", "numbers"} & set(pool)
    assert [one for one in cloud.journal.entries() if one["kind"] == "failure"] == []


@pytest.mark.timeout(300)  # a busy machine is no failure
@pytest.mark.parametrize("telephony", ["connect", "chime"])
def test_calls_survive_an_update_and_its_roll_back(telephony, previous):
    with both_running(previous, telephony, OLD) as (cloud, rolling, crowds):
        for first, second in ((OLD, NEW), (NEW, OLD)):
            update(cloud, rolling, crowds, first, second, previous, kinds=SOME[telephony, first])
        settled(cloud)


def test_a_call_that_another_release_has_begun_with_another_input_goes_on():
    """Whatever a release puts into it: Step Functions says that the execution exists, not that it has ended."""
    crowd = Crowd(kinds={"+380670000001": "is asked"})
    with running(crowd) as cloud:
        (mid,) = Client(cloud.url).send([message(*MENUS, to="+380670000001")])
        assert crowd.arrived.acquire(timeout=40)
        sweep_all(cloud, cloud.functions, ", dial_wait_seconds = :other", {":other": {"N": "99"}})
        crowd.turned.set()
        assert story_of(cloud, mid)[:2] == ("completed", [(0, "d1"), (1, "d2")])
        settled(cloud)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("first", [OLD, NEW])
@pytest.mark.parametrize("telephony", ["connect", "chime"])
def test_calls_survive_whichever_function_is_turned_first(telephony, first, previous):
    second = NEW if first == OLD else OLD
    with both_running(previous, telephony, first) as (cloud, rolling, crowds):
        for function in (None, *rolling.functions):
            update(cloud, rolling, crowds, first, second, previous, early=[function] if function else [])
        settled(cloud)
