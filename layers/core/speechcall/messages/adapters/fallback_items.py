"""How the fallback of a message is written down: pk `M#<mid>`, sk `FALLBACK`, and when it is looked at.

It is made in the one transaction that ends a message, so it is there exactly if the message has ended in a way that
calls for it, whatever fails then. Who ends a message needs nothing else: the item stands in the index `due`, and is
looked for there each minute.
"""

from typing import Any

from speechcall.messages.rules.attempts import has_key
from speechcall.messages.rules.fallback import WAITS_SECONDS, FallbackState, FallbackStatus, calls_for
from speechcall.messages.rules.message import Message
from speechcall.shared.adapters.keys import FALLBACKS, fallback_key
from speechcall.shared.adapters.table import Values, to_wire
from speechcall.shared.rules.outcome import CANCELLED, Outcome

FORM = 1
"""`v` of the items that are made here. An item keeps the form in which it was made."""
SENDING = "sending"
"""The state, in the item, of one for which the service is being asked: to its sender it is pending."""


def status_at_end(message: Message, outcome: Outcome) -> FallbackStatus | None:
    """What becomes of a message's fallback when it ends: pending, or not used. None: it has none.

    A message that its sender has cancelled has none sent, whatever came of the call that was hung up.

    `key_pressed` is None for a message that ends while it waits. Its outcome may be that of an earlier call
    (`answered_reason`). In that call no key was pressed: after a key a message is not dialled again.
    """
    if message.fallback is None:
        return None
    is_of_call_before = message.key_pressed is None and message.answered_reason == outcome.reason
    without_key = (message.key_pressed is False or is_of_call_before) and has_key(message.menus)
    is_wanted = calls_for(message.fallback, outcome.outcome, without_key=without_key)
    is_cancelled = message.cancelled_msec is not None or outcome.reason == CANCELLED.reason
    return FallbackStatus.PENDING if is_wanted and not is_cancelled else FallbackStatus.NOT_USED


def new_fallback(table: str, message: Message, now_msec: int) -> Any:
    """The part of a message's end that makes its fallback. It needs no condition: a message ends once."""
    item = {
        **fallback_key(message.mid),
        "v": FORM,
        "mid": message.mid,
        "account_id": message.account_id,
        "state": FallbackStatus.PENDING.value,
        "until_msec": now_msec + WAITS_SECONDS * 1000,
        "expires_at": message.expires_at,
        "due_shard": FALLBACKS,
        "due_at": now_msec,
    }
    return {"Put": {"TableName": table, "Item": to_wire(item)}}


def load_state(item: Values) -> FallbackState:
    """Where a fallback stands, as its sender is told; of a state that only a later release knows nothing is known."""
    state = FallbackStatus.PENDING.value if item["state"] == SENDING else item["state"]
    status = next((one for one in FallbackStatus if one == state), FallbackStatus.UNKNOWN)
    return FallbackState(status, item.get("reason"), item.get("ended_msec"))
