"""GET /bat/webhook and POST /bat/webhook/replay: the webhooks of an account that were given up.

The listing begins with the latest. A replay begins with the oldest and takes a part at a time; its cursor holds the
moment at which it was first asked for, so what is given up again meanwhile is not sent once more.
"""

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol

from speechcall.accounts.rules.account import Account
from speechcall.api.use_cases.query import parameter
from speechcall.api.use_cases.small_body import small_body, unusable
from speechcall.messages.rules.status_event import StatusKind
from speechcall.shared.rules.characters import foreign
from speechcall.shared.rules.errors import InvalidCursor, Problem
from speechcall.shared.rules.rfc3339 import to_msec
from speechcall.shared.rules.timing import utc_text
from speechcall.shared.use_cases.clock import Clock
from speechcall.status.use_cases.cursors import dump_cursor, load_cursor
from speechcall.status.use_cases.read_campaigns import MAX_PAGE, PAGE
from speechcall.status.use_cases.read_status import whole_number
from speechcall.status.use_cases.replay_webhooks import EndedDeliveries, replay
from speechcall.webhooks.rules.delivery import UNDELIVERED, DeliveryState, GivenUp, PlaceAmongGivenUp
from speechcall.webhooks.use_cases.deliver_webhook import WebhookQueue

if TYPE_CHECKING:
    from speechcall.api.rules import answers

REPLAYED_AT_ONCE = 100
"""Two requests each: some seconds, of the 30 that the gateway waits."""
EXAMPLE = '{"since": "2026-12-01T07:00:00Z"}'
_MOMENT = "a moment with its offset (RFC 3339), such as 2026-12-01T07:00:00Z"
_NEVER_MSEC = 10**15


_PLACE = re.compile(r"([0-9]{1,15})/([0-9]{1,19})/([!-.0-~]{1,128})")


class GivenUpDeliveries(EndedDeliveries, Protocol):
    """The deliveries that were given up, by account."""

    def given_up_page(
        self,
        account_id: str,
        between_msec: tuple[int, int],
        limit: int,
        after: PlaceAmongGivenUp | None = None,
        *,
        latest_first: bool = False,
    ) -> tuple[list[GivenUp], PlaceAmongGivenUp | None]:
        """What was given up from one moment to another, both included, `limit` of them; and where the page ends.

        It may be shorter, or empty. None for its end: no page follows. `after`: the end of the page before.
        """


def read_webhooks(
    account: Account, query: Mapping[str, str], *, deliveries: GivenUpDeliveries
) -> "answers.WebhookList":
    """A page of the webhooks that were given up, the latest first. Raises RequestError.

    `query`: `state`, `since`, `limit` (1 to 100) and `cursor`. A page may be short, or empty, and have a next one.
    """
    state, since = parameter(query, "state"), parameter(query, "since")
    states, since_msec = _states(state), _moment(since) if since is not None else 0
    limit = whole_number(query, "limit", 1, MAX_PAGE, PAGE)
    listing = ("webhooks", account.account_id, state or "", str(since_msec))
    after = _place(load_cursor(parameter(query, "cursor"), *listing))
    between = (since_msec, _NEVER_MSEC)
    found, last = deliveries.given_up_page(account.account_id, between, limit, after, latest_first=True)
    answer: answers.WebhookList = {"webhooks": [_describe(one) for one in found if one.delivery.state in states]}
    if cursor := dump_cursor(_text(last), *listing):
        answer["nextCursor"] = cursor
    return answer


def replay_webhooks(
    account: Account, body: bytes, *, deliveries: GivenUpDeliveries, queue: WebhookQueue, clock: Clock
) -> "answers.AccountReplayed":
    """Sends again what was given up since a moment, a hundred at a time. Raises RequestError, and as `replay`.

    In: `{"since": …, "state": …, "cursor": …}`, the last two where they are wanted.
    """
    given = small_body(body, ("since", "state", "cursor"), EXAMPLE)
    texts = {name: _string(given, name) for name in ("since", "state", "cursor")}
    since, state, cursor = texts["since"], texts["state"], texts["cursor"]
    if since is None:
        raise unusable([Problem("INVALID_REQUEST", "since", f"is required: {_MOMENT}")])
    states, since_msec = _states(state), _moment(since)
    listing = ("replay", account.account_id, state or "", str(since_msec))
    # The cursor is `<moment of the first request>/<place>`; the first request has no place yet.
    began, _, place = (load_cursor(cursor, *listing) or f"{clock.now_msec()}/").partition("/")
    if not re.fullmatch(r"[0-9]{1,15}", began, re.ASCII):
        raise _made_up()
    # Both bounds are inclusive: what is given up from the first request on is not sent again.
    between = (since_msec, int(began) - 1)
    found, last = deliveries.given_up_page(account.account_id, between, REPLAYED_AT_ONCE, _place(place))
    chosen = [(one.task, one.delivery) for one in found if one.delivery.state in states]
    begun = replay(chosen, deliveries=deliveries, queue=queue, clock=clock)
    answer: answers.AccountReplayed = {"replayed": begun}
    if following := dump_cursor(f"{began}/{_text(last)}" if last else None, *listing):
        answer["nextCursor"] = following
    return answer


def _describe(one: GivenUp) -> "answers.GivenUpWebhook":
    """A webhook that was given up, as the API shows it: without its URL, whose path may hold a secret."""
    task, delivery = one.task, one.delivery
    last = delivery.attempts[-1] if delivery.attempts else None
    told: answers.GivenUpWebhook = {
        "webhookId": task.event_id,
        "menu": task.menu,
        "key": task.key,
        "step": task.step,
        "destination": delivery.destination,
        "state": "failed" if delivery.state is DeliveryState.FAILED else "dead",
        "givenUpAt": utc_text(one.at_msec),
        "attempts": len(delivery.attempts),
        "lastAttempt": {"at": utc_text(last.at_msec), "msec": last.msec, "status": last.status, "error": last.error}
        if last
        else None,
    }
    # In the task of a list's event `mid` is the id of the list.
    told["messagelistId" if task.key == StatusKind.LIST else "messageId"] = task.mid
    return told


def _states(given: str | None) -> tuple[DeliveryState, ...]:
    """The states that are asked for; both where none is given. Raises RequestError."""
    if given is None:
        return UNDELIVERED
    if given not in UNDELIVERED:
        raise unusable([Problem("INVALID_REQUEST", "state", f"must be dead or failed{foreign(given)}")])
    return (DeliveryState(given),)


def _moment(given: str) -> int:
    """A moment (RFC 3339) in epoch milliseconds, from 0 to `_NEVER_MSEC`. Raises InvalidRequest for any other text.

    In a query a `+` is read as a space: the refusal says how to write it there.
    """
    found = to_msec(given)
    if found is None:
        text = f"must be {_MOMENT}"
        if to_msec(given.replace(" ", "+")) is not None:
            text = f"{text}; a + is written %2B in a query"
        raise unusable([Problem("INVALID_REQUEST", "since", f"{text}{foreign(given)}")])
    return max(0, min(found, _NEVER_MSEC))


def _string(given: Mapping[str, Any], name: str) -> str | None:
    value = given.get(name)
    if value is not None and not isinstance(value, str):
        raise unusable([Problem("INVALID_REQUEST", name, "must be a string")])
    return value


def _text(place: PlaceAmongGivenUp | None) -> str | None:
    return f"{place.at_msec}/{place.mid}/{place.event_id}" if place else None


def _place(text: str | None) -> PlaceAmongGivenUp | None:
    """The place in a cursor, as `_text` writes it; None: there is none yet. Raises InvalidCursor."""
    if not text:
        return None
    found = _PLACE.fullmatch(text)
    if found is None:  # it has the mark of this listing, and is made up all the same
        raise _made_up()
    at_msec, mid, event_id = found.groups()
    return PlaceAmongGivenUp(int(at_msec), mid, event_id)


def _made_up() -> InvalidCursor:
    problem = Problem("INVALID_CURSOR", "cursor", "is no cursor of ours; begin without it")
    return InvalidCursor("The listing cannot be continued.", [problem])
