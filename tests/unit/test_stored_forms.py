"""Stored forms, field by field: what is written, what is read of older items, and what is left of newer ones.

A form that changes here changes for good: items and queued tasks outlive releases (docs/storage.md).
"""

import json
from dataclasses import replace

import pytest

from speechcall.calls.adapters.call_items import dump_call, dump_reply, dump_step, load_call
from speechcall.calls.rules.call import Reply, Step
from speechcall.menus.rules.ask import Ask
from speechcall.messages.adapters import message_items
from speechcall.messages.rules.dial_times import Redial
from speechcall.prompts.adapters import prompts_store
from speechcall.prompts.rules.prompt import AudioWarning, KnownPrompt, Prompt, Source
from speechcall.shared.adapters.table import from_wire, to_wire
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.webhooks.adapters import delivery_items, secrets_store
from speechcall.webhooks.adapters.queue import dump_task, parse_task
from speechcall.webhooks.rules.delivery import Attempt
from speechcall.webhooks.rules.webhook import WebhookTask
from speechcall.webhooks.use_cases.webhook_secrets import SealedSecret
from tests.kit.samples import ASK, CALL, MESSAGE, MID, NOW, QUEUED

TASK = WebhookTask(MID, 1, 2, 0, "d1", 0, f"{MID}-1-2-m0-d1-0")
ATTEMPT = Attempt(NOW, 120, 500, None)
STEP, REPLY = Step(0, "d1", NOW), Reply(2, "key", "d1")
SECRET = SealedSecret("AQ==", NOW, NOW + 1)
SOURCE = Source("e", "l", "5" * 64, NOW, NOW + 1, NOW + 2, "why")
PROMPT = KnownPrompt(
    "https://a.example/x.wav", Prompt("https://p/x.wav", 2.5, 9, (AudioWarning("QUIET", "q"),)), NOW, None, SOURCE
)
REDIAL = Redial(2, (60, 120), ("busy",))
HOURS = (Hours((Window(540, 1200, (0, 4)),), ("Europe/Kyiv",), ("2026-12-25",)),)

ASK_MAP = {"prompt_uri": ASK.prompt_uri, "prompt_seconds": 2.5, "idle_seconds": 10, "wait_seconds": 33}
STEP_MAP = {"menu": 0, "heard": "d1", "at_msec": NOW}
REPLY_MAP = {"seq": 2, "event": "key", "key": "d1"}
ATTEMPT_MAP = {"at_msec": NOW, "msec": 120, "status": 500, "error": None}
SECRET_MAP = {"sealed": "AQ==", "created_msec": NOW, "until_msec": NOW + 1}
WARNING_MAP = {"code": "QUIET", "message": "q"}
SOURCE_MAP = {
    "etag": "e",
    "last_modified": "l",
    "sha256": "5" * 64,
    "checked_msec": NOW,
    "fresh_until_msec": NOW + 1,
    "failed_msec": NOW + 2,
    "cause": "why",
}
REDIAL_MAP = {"attempts": 2, "after_seconds": [60, 120], "on": ["busy"]}
HOURS_MAP = {
    "windows": [{"start": 540, "until": 1200, "days": [0, 4]}],
    "zones": ["Europe/Kyiv"],
    "days_off": ["2026-12-25"],
}
TASK_MAP = {
    "mid": MID,
    "attempt": 1,
    "seq": 2,
    "menu": 0,
    "key": "d1",
    "step": 0,
    "event_id": TASK.event_id,
    "version": 0,
}


def stored(item):
    """An item as it comes back."""
    return from_wire(to_wire(item))


CALL_ITEM = stored(dump_call(CALL) | {"path": [STEP_MAP], "kept_reply": REPLY_MAP})
MESSAGE_ITEM = stored(
    message_items.dump(replace(MESSAGE, redial=REDIAL, hours=HOURS, send_at_msec=NOW + 9)) | {"asks": [ASK_MAP]}
)
DELIVERY_ITEM = stored(delivery_items.dump(TASK, MESSAGE, "https://a.example", NOW) | {"attempts": [ATTEMPT_MAP]})
PROMPT_ITEM = stored(prompts_store.dump("acme", PROMPT))
SECRETS_ITEM = stored(secrets_store.dump("acme", [SECRET]))

READ = [
    pytest.param(CALL_ITEM, "asks", lambda item: load_call(item).asks, (ASK,), id="ask of a call"),
    pytest.param(CALL_ITEM, "path", lambda item: load_call(item).path, (STEP,), id="step"),
    pytest.param(CALL_ITEM, "kept_reply", lambda item: load_call(item).kept_reply, REPLY, id="reply"),
    pytest.param(CALL_ITEM, "command", lambda item: load_call(item).command, CALL.command, id="command"),
    pytest.param(MESSAGE_ITEM, "asks", lambda item: message_items.load(item).asks, (ASK,), id="ask of a message"),
    pytest.param(MESSAGE_ITEM, "redial", lambda item: message_items.load(item).redial, REDIAL, id="redial"),
    pytest.param(MESSAGE_ITEM, "hours", lambda item: message_items.load(item).hours, HOURS, id="calling hours"),
    pytest.param(
        DELIVERY_ITEM,
        "attempts",
        lambda item: delivery_items.load(item).attempts,
        (ATTEMPT,),
        id="attempt of a webhook",
    ),
    pytest.param(PROMPT_ITEM, "source", lambda item: prompts_store.load(item).source, SOURCE, id="source"),
    pytest.param(
        PROMPT_ITEM, "warnings", lambda item: prompts_store.load(item).prompt, PROMPT.prompt, id="warning about audio"
    ),
    pytest.param(SECRETS_ITEM, "secrets", secrets_store.load, (SECRET,), id="sealed secret"),
]
"""An item; the map in it, or the list of maps; how it is read; what comes of it."""


def with_more(value):
    """A map, or each of a list, as a newer release may write it: with a member that is not known here."""
    return [one | {"newer": {"a": 1}} for one in value] if isinstance(value, list) else value | {"newer": {"a": 1}}


@pytest.mark.parametrize(("item", "name", "read", "expected"), READ)
def test_what_is_written_is_read(item, name, read, expected):
    assert read(item) == expected


@pytest.mark.parametrize(("item", "name", "read", "expected"), READ)
def test_a_member_that_a_newer_release_has_written_is_left(item, name, read, expected):
    assert read(item | {name: with_more(item[name]), "newer": "x", "v": 2}) == expected


def test_what_an_older_release_did_not_write_has_its_default():
    call = load_call(CALL_ITEM | {"kept_reply": {"seq": 2, "event": "idle"}})
    assert call.kept_reply == Reply(2, "idle", "")
    bare = delivery_items.load(DELIVERY_ITEM | {"attempts": [{"at_msec": NOW, "msec": 1}]})
    assert bare.attempts == (Attempt(NOW, 1, None, None),)
    early = {name: value for name, value in MESSAGE_ITEM.items() if name not in ("hours", "send_at_msec")}
    assert (message_items.load(early).hours, message_items.load(early).send_at_msec) == ((), 0)
    assert secrets_store.load({"secrets": [{"sealed": "AQ==", "created_msec": 1}]}) == (SealedSecret("AQ==", 1, None),)
    assert prompts_store.load(PROMPT_ITEM | {"source": {"etag": "e"}}).source == Source("e")
    without = {name: value for name, value in PROMPT_ITEM.items() if name not in ("source", "warnings", "size", "v")}
    old = prompts_store.load(without)
    assert old.source == Source()
    assert old.prompt == Prompt("https://p/x.wav", 2.5)


@pytest.mark.parametrize("item", [CALL_ITEM, MESSAGE_ITEM, DELIVERY_ITEM, PROMPT_ITEM, SECRETS_ITEM])
def test_an_item_says_its_form(item):
    assert item["v"] == 1


def test_maps_are_written_as_every_release_has_written_them():
    """The release before takes each of them whole (`Class(**stored)`): one member more, and it raises TypeError."""
    assert stored(dump_call(CALL))["asks"] == [ASK_MAP]
    assert dump_step(STEP) == STEP_MAP
    assert dump_reply(REPLY) == REPLY_MAP
    assert {name: stored(dump_call(CALL))[name] for name in ("visit", "retry", "token")} == {
        "visit": CALL.ticket.visit,
        "retry": 0,
        "token": "dial-0",
    }
    assert MESSAGE_ITEM["redial"] == REDIAL_MAP
    assert MESSAGE_ITEM["hours"] == [HOURS_MAP]
    assert MESSAGE_ITEM["send_at_msec"] == NOW + 9
    assert delivery_items.dump_attempt(ATTEMPT) == ATTEMPT_MAP
    assert PROMPT_ITEM["source"] == SOURCE_MAP
    assert PROMPT_ITEM["warnings"] == [WARNING_MAP]
    assert SECRETS_ITEM["secrets"] == [SECRET_MAP]
    assert dump_task(TASK) == TASK_MAP


def test_of_a_source_only_what_is_known_is_written():
    item = stored(prompts_store.dump("acme", PROMPT._replace(source=Source(etag="e"))))
    assert item["source"] == {"etag": "e", "checked_msec": 0, "fresh_until_msec": 0}


def test_a_delivery_names_its_webhook_as_its_task_does():
    named = {name: value for name, value in TASK_MAP.items() if name not in ("attempt", "version")}
    assert DELIVERY_ITEM.items() >= (named | {"call_attempt": 1, "version": 0}).items()
    assert "attempt" not in DELIVERY_ITEM
    assert delivery_items.load_task(DELIVERY_ITEM) == TASK


def test_a_task_of_another_release_is_read():
    newer = TASK_MAP | {"newer": [1]}
    older = {name: value for name, value in TASK_MAP.items() if name != "version"}
    assert parse_task(json.dumps(newer)) == parse_task(json.dumps(older)) == TASK


def test_the_asks_of_a_queued_message_are_those_of_its_item():
    assert message_items.load(MESSAGE_ITEM).asks == QUEUED.asks == (Ask(ASK.prompt_uri, 2.5, 10, 33),)
