"""How a message is written down: pk `M#<mid>`, sk `MESSAGE`, and for the sparse index what it waits for.

Who claims a message writes down its state machine: the release before as `flow_arn`, this one as `machine_arn`. What
an execution is given to begin with differs between the two (`dial_wait_seconds`), and Step Functions takes a start
with another input for that of another execution: a sweeper that started it again to see whether it runs would be told
that it has ended, and would hang up. So the release before must find no `flow_arn` in what this one has claimed, and
an item with a `flow_arn` was claimed by it last, whatever else is in it.
"""

from itertools import chain, islice, zip_longest
from typing import TYPE_CHECKING, Any

from speechcall.menus.adapters.ask_items import load_ask
from speechcall.menus.rules.menu import dump_menus, load_menus
from speechcall.messages.rules.dial_times import Redial
from speechcall.messages.rules.message import UNFINISHED_SECONDS, Message, State
from speechcall.shared.adapters.keys import (
    LATER,
    SETTLING,
    due_shard,
    due_shards,
    is_waiting_place,
    message_key,
    person_partition,
    waiting_partition,
    waiting_place,
)
from speechcall.shared.adapters.table import Values
from speechcall.shared.rules.outcome import End

if TYPE_CHECKING:
    from speechcall.messages.rules.fallback import Fallback
    from speechcall.optouts.rules.opt_out import Consent
    from speechcall.shared.rules.calling_hours import Hours

FORM = 1
"""`v` of the items that are made here. An item keeps the form in which it was made; without `v` it is form 1."""
PREPARING_CHECK_MSEC = 300_000
CALLING_CHECK_MSEC = 60_000


SETTLING_END = "settling_end"
"""The word with which the call of a message that settles has ended; no other message has it."""


LONG_AGO_MSEC = 10 * 365 * 24 * 3_600_000
"""More than any message waits for, many times over."""


SHARD = "due_shard = :shard, due_at = :due"
"""Assigns an item its place in the sparse index, with `due_values`."""
NOT_DUE = "REMOVE due_shard, due_at"


def due_values(shard: str, due_msec: int) -> dict[str, Any]:
    """The place of an item in the sparse index: `:shard` and `:due`."""
    return {":shard": shard, ":due": due_msec}


def waiting_values(message: Message) -> dict[str, Any]:
    """The place of a queued message: in its queue, and in the index of what is due.

    The release before knows no queues: when an update is rolled back, it finds by that index what waits, and dials
    what is due. So a queued message is due there since long ago, in the order in which the times of all are up: among
    any number the sweeper finds those whose time is up (`due_ranges`). A message with calling hours is due when its
    time is up and not before, because the release before would dial it at any hour.
    """
    due_msec = message.dial_until_msec - (0 if message.window else LONG_AGO_MSEC)
    return {
        ":order_pk": waiting_partition(message.account_id, message.campaign, message.is_urgent, message.window),
        ":order_sk": waiting_place(message.mid),
        **due_values(shard_name(message.mid, State.QUEUED), due_msec),
    }


def ended_place(account_id: object, digest: object, mid: str) -> Values:
    """The place of a message that has ended: among those to its number.

    Empty: it has no digest, as a release before accepted it, or its item has no text there (it cannot be understood).
    """
    if not (isinstance(account_id, str) and isinstance(digest, str) and digest):
        return {}
    return {":order_pk": person_partition(account_id, digest), ":order_sk": waiting_place(mid)}


def due_ranges(shard: str, now_msec: int) -> tuple[tuple[int, int], ...]:
    """The ranges of `due_at` (from, until) in which a shard of the index has what is to be looked after now.

    For queued messages there are two: those in queues, due LONG_AGO_MSEC before their time is up; and those due at a
    moment of their own. What lies between stands in a queue and has time left; half of LONG_AGO_MSEC tells the two
    apart.
    """
    if shard not in due_shards(State.QUEUED.value):
        return ((0, now_msec),)
    return (0, now_msec - LONG_AGO_MSEC), (now_msec - LONG_AGO_MSEC // 2, now_msec)


def shard_name(mid: str, state: State) -> str:
    """The shard of the sparse index in which a message in `state` waits."""
    if state is State.SETTLING:
        return SETTLING
    return due_shard(state.value, mid)


def shard_lists(state: State) -> list[list[str]]:
    """The shards of the sparse index that hold what is due in `state`, in lists, from which ids are taken in turns.

    A queued message that was put off is apart from those that stand in their queues: these are found by the queue's
    order, and here when their time is up (`due_ranges`).
    """
    if state is State.SETTLING:
        return [[SETTLING]]
    turns = [due_shards(state.value)]
    return [[LATER], *turns] if state is State.QUEUED else turns


def take_turns(lists: list[list[str]], limit: int) -> list[str]:
    """The first of each list, then the second of each, …: at most `limit`."""
    rounds = chain.from_iterable(zip_longest(*lists))
    return list(islice((mid for mid in rounds if mid is not None), limit))


def first_check_msec(message: Message) -> int:
    """When a new message is looked after, if nothing has become of it: at the latest when its time is up."""
    return min(message.created_msec + PREPARING_CHECK_MSEC, message.dial_until_msec)


def dump(message: Message) -> Values:
    """The item of a new message."""
    return {
        **message_key(message.mid),
        "v": FORM,
        "mid": message.mid,
        "list_id": message.list_id,
        "account_id": message.account_id,
        "sender": message.sender,
        "recipient": message.recipient,
        "number": message.number,
        "text": message.text,
        "menus": message.menus_text or dump_menus(message.menus),
        "created_msec": message.created_msec,
        "expires_at": message.leaves_at,
        **({"keep_days": message.keep_days} if message.keep_days else {}),
        "state": message.state.value,
        "attempt": message.attempt,
        **({"caller_id": message.caller_id} if message.caller_id else {}),
        **({"customer_id": message.customer_id} if message.customer_id else {}),
        "ttl_seconds": message.ttl_seconds,
        "ring_seconds": message.ring_seconds,
        **({"redial": _dump_redial(message.redial)} if message.redial else {}),
        **({"send_at_msec": message.send_at_msec} if message.send_at_msec else {}),
        **({"hours": [_dump_hours(one) for one in message.hours]} if message.hours else {}),
        **({} if message.silent_repeats is None else {"silent_repeats": message.silent_repeats}),
        **({"campaign": message.campaign} if message.campaign else {}),
        **({"funnel": message.funnel} if message.funnel else {}),
        **({"urgent": True} if message.is_urgent else {}),
        **({"number_digest": message.number_digest} if message.number_digest else {}),
        **({"opt_out_lists": list(message.opt_out_lists)} if message.opt_out_lists else {}),
        **({"ignores_opt_out": True} if message.ignores_opt_out else {}),
        **({"consent": _dump_consent(message.consent)} if message.consent else {}),
        **({"status_url": message.status_url} if message.status_url else {}),
        **({"status_events": list(message.status_events)} if message.status_events else {}),
        **({"counts_in_list": True} if message.counts_in_list else {}),
        **({"simulated": True} if message.is_simulated else {}),
        **({"fallback": _dump_fallback(message.fallback)} if message.fallback else {}),
        "due_shard": shard_name(message.mid, message.state),
        "due_at": first_check_msec(message),
    }


def state_of(item: Values) -> State:
    """The state of a message in an item.

    One that is settling is written down as finished with the outcome that is guessed, and `settling_end`. A release
    that knows no such state takes the guess for the outcome, as it would have; and the end of a call wakes the dialer.
    """
    return State.SETTLING if SETTLING_END in item else State(item["state"])


def told_end(item: Values) -> Values:
    """Where an item says how its message ended: nowhere, while that is a guess."""
    return {} if SETTLING_END in item else item


def _expires_at(item: Values) -> int:
    """`Message.expires_at`: without the time beyond it for which a message that has not ended stands in its item.

    The release before takes the item's as it is: what it makes is kept a year longer.
    """
    is_unfinished = "keep_days" in item and state_of(item) is not State.FINISHED
    return item["expires_at"] - UNFINISHED_SECONDS if is_unfinished else item["expires_at"]  # type: ignore[no-any-return]


def load(item: Values) -> Message:
    """The message in an item."""
    is_claimed_by_release_before = "flow_arn" in item
    end = told_end(item)
    return Message(
        mid=item["mid"],
        list_id=item["list_id"],
        account_id=item["account_id"],
        sender=item["sender"],
        recipient=item["recipient"],
        number=item["number"],
        text=item["text"],
        menus=load_menus(item["menus"]),
        created_msec=item["created_msec"],
        expires_at=_expires_at(item),
        keep_days=item.get("keep_days", 0),
        state=state_of(item),
        attempt=item["attempt"],
        asks=tuple(load_ask(ask) for ask in item.get("asks", ())),
        flow_arn=item["flow_arn"] if is_claimed_by_release_before else item.get("machine_arn"),
        caller_id=item.get("caller_id"),
        outcome=end.get("outcome"),
        reason=end.get("reason"),
        cause=end.get("cause"),
        finished_msec=end.get("finished_msec"),
        settling_end=End(item[SETTLING_END]) if SETTLING_END in item else None,
        customer_id=item.get("customer_id"),
        ttl_seconds=item["ttl_seconds"],
        ring_seconds=item["ring_seconds"],
        redial=_load_redial(item["redial"]) if "redial" in item else None,
        send_at_msec=item.get("send_at_msec", 0),
        hours=tuple(_load_hours(one) for one in item.get("hours", ())),
        silent_repeats=item.get("silent_repeats"),
        redials=item.get("redials", 0),
        answered_reason=item.get("answered_reason"),
        claimed_msec=item.get("claimed_msec"),
        dial_wait_seconds=None if is_claimed_by_release_before else item.get("dial_wait_seconds"),
        campaign=item.get("campaign", ""),
        funnel=item.get("funnel", ""),
        status_url=item.get("status_url", ""),
        status_events=tuple(item.get("status_events", ())),
        counts_in_list=item.get("counts_in_list", False),
        is_urgent=item.get("urgent", False),
        share=None if is_claimed_by_release_before else item.get("line_share") or None,  # 0: none was charged
        charged_msec=item.get("charged_msec", 0),
        is_limited=item.get("has_limit", False),
        limits=item.get("limits", {}),
        reserved=item.get("reserved_amount", 0),
        cancelled_msec=item.get("cancelled_msec"),
        hangup_msec=item.get("hangup_msec"),
        is_held=item.get("held_back", False),
        number_digest=item.get("number_digest", ""),
        opt_out_lists=tuple(item.get("opt_out_lists", ())),
        ignores_opt_out=item.get("ignores_opt_out", False),
        is_simulated=item.get("simulated", False),
        fallback=_load_fallback(item["fallback"]) if "fallback" in item else None,
        consent=_load_consent(item["consent"]) if "consent" in item else None,
        due_msec=item.get("due_at"),
        stands=is_waiting_place(item),
    )


def _dump_consent(consent: "Consent") -> Values:
    return {"basis": consent.basis, "at": consent.at, "ref": consent.ref}


def _load_consent(stored: Values) -> "Consent":
    from speechcall.optouts.rules.opt_out import Consent  # noqa: PLC0415, few messages have one

    return Consent(stored["basis"], stored["at"], stored["ref"])


def _dump_hours(hours: "Hours") -> Values:
    from speechcall.shared.rules.calling_hours import dump_windows  # noqa: PLC0415, few messages have hours

    return {"windows": dump_windows(hours.windows), "zones": list(hours.zones), "days_off": list(hours.days_off)}


def _load_hours(stored: Values) -> "Hours":
    from speechcall.shared.rules.calling_hours import Hours, load_windows  # noqa: PLC0415, as above

    return Hours(load_windows(stored["windows"]), tuple(stored["zones"]), tuple(stored["days_off"]))


def _dump_redial(redial: Redial) -> Values:
    return {"attempts": redial.attempts, "after_seconds": redial.after_seconds, "on": redial.on}


def _load_redial(stored: Values) -> Redial:
    return Redial(stored["attempts"], tuple(stored["after_seconds"]), tuple(stored["on"]))


def _dump_fallback(fallback: "Fallback") -> Values:
    return {"type": "sms", "text": fallback.text, "on": fallback.on}


def _load_fallback(stored: Values) -> "Fallback":
    from speechcall.messages.rules.fallback import Fallback  # noqa: PLC0415, few messages have one

    return Fallback(stored["text"], tuple(stored["on"]))
