"""Calls that were made by the rules of the service, by chance, and files of them that nobody has signed."""

import base64
from dataclasses import replace
from random import Random
from typing import Any

from speechcall.calls.rules.call import Cause
from speechcall.menus.rules.call_log import (
    ANSWERED,
    IDLE,
    KEY,
    PROMPT_ERROR,
    Decided,
    Entry,
    Plan,
    Then,
    ThenKind,
    after_wait,
    follows,
)
from speechcall.menus.rules.menu import KEYS, Webhook
from speechcall.menus.rules.walk import ELSE, Behaviour, Sent, Walk, react, table_of, waits_of, walk
from speechcall.messages.rules.message import State
from speechcall.shared.rules.ids import event_id
from speechcall.shared.rules.json_text import dump_json
from speechcall.status.use_cases.status import History
from speechcall.webhooks.rules.delivery import Delivery, DeliveryState
from speechcall.webhooks.rules.webhook import WebhookTask
from tests.kit.random_menus import random_menus
from tests.kit.samples import CALL, MESSAGE, MID, NOW


def random_history(random: Random) -> tuple[History, Walk]:
    """A message whose call was made by the rules of the service; and what the reference walk says of it."""
    menus = random_menus(random)
    visits, repeats = random.choice((3, 12, 50)), random.randint(0, 3)
    plan = Plan(table_of(menus), visits, NOW + 900_000, repeats, waits_of(menus))
    log = [Entry(1, None, ANSWERED, "", NOW + 2000, Then(ThenKind.ASK, 0))]
    heard: list[Behaviour] = []
    while log[-1].then.kind is ThenKind.ASK and random.random() > 0.03:
        menu, at = log[-1].then.menu or 0, log[-1].at_msec + random.randint(100, 8000)
        key = random.choice((*menus[menu].actions, "d1", "d#", "other"))
        event = random.choice((KEY, KEY, KEY, KEY, IDLE, IDLE, PROMPT_ERROR if random.random() < 0.1 else KEY))
        key = (key if key in KEYS else "other") if event == KEY else ""
        entry = Entry(len(log) + 1, menu, event, key, at, follows(plan, log, menu, event, key, at))
        case = ELSE
        if entry.then.kind is ThenKind.WAIT:
            reaction = react(menus[menu], key or event)
            case = random.choice(reaction.cases)
            target = reaction.leads(case) or 0
            then = after_wait(plan, log, entry, target, at + 400)
            entry = entry.with_decision(Decided(entry.seq, case, target, at + 400, then))
        log.append(entry)
        heard.append(Behaviour(key or event, case=case))
    went = walk(menus, heard, visits, repeats)
    tasks = [
        WebhookTask(MID, 1, one.visit + 1, one.menu, one.key, one.step, name_of(one))
        for one in went.webhooks
        if isinstance(menus[one.menu].actions[one.key][one.step], Webhook)
    ]
    call = CALL._replace(
        plan=plan, log=tuple(log), answered_msec=NOW + 2000, ended_msec=at_end(log), cause=Cause.NO_ANSWER
    )
    message = replace(MESSAGE, menus=menus, state=State.FINISHED, outcome="answered", reason="completed")
    sent = [(task, Delivery(DeliveryState.DELIVERED, destination="https://api.example.com")) for task in tasks]
    return History(message, [call], sent), went


def name_of(one: Sent) -> str:
    """The id of a webhook of the only call."""
    return event_id(MID, 1, one.visit + 1, one.menu, one.key, one.step)


def at_end(log: list[Entry]) -> int:
    """When it ended."""
    return log[-1].at_msec + 1000


def written(content: Any) -> bytes:
    """The file of a content, signed by nobody."""
    parts = (b'{"alg":"ES256"}', dump_json(content).encode(), bytes(64))
    return b".".join(base64.urlsafe_b64encode(part).rstrip(b"=") for part in parts)
