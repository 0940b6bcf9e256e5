"""POST /bat/messagelist: check, store, answer.

      body ─► entries ─► key known? ─► judged ─► bucket and day ─► shapes ─► list item ─► messages ─► answer
                            │                                                   │  1 transaction each
                            └──── yes: the list item's own answer ──────────────┴─► messages (if they are not there yet)

What is refused after the bucket and the day, or turns out to be a repeat of the same moment, gives back what it took.

A crash after the list item leaves a list whose messages do not exist. The same request with the same
Idempotency-Key finds that list, writes the messages under the ids it holds, and gives its answer.

A list of a campaign is counted in the campaign in the transaction of its list item. When its messages are written it
is confirmed, in one write more; the sweeper takes back the counts of a list that has no messages after five minutes.
"""

import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from speechcall.accounts.rules.account import Account
from speechcall.campaigns.rules.campaign_names import OTHER
from speechcall.menus.rules.menu_report import call_bounds, no_opt_out_key
from speechcall.menus.rules.shape import shape_of
from speechcall.menus.rules.walk import AS_DEPLOYED, CallLimits
from speechcall.messages.rules.dial_times import NO_CAPS, Caps
from speechcall.messages.rules.message import LIST_LONGER_SECONDS, Message, kept_after_end, kept_until
from speechcall.messages.rules.when_to_dial import Dialable, DialTimes, next_dial
from speechcall.messages.use_cases.message_reader import NewMessages
from speechcall.optouts.rules.opt_out import Consent
from speechcall.optouts.use_cases.opt_out_ports import NOBODY, OptOuts
from speechcall.requests.use_cases.check_request import (
    Entry,
    Prompts,
    Wanted,
    dial_times_of,
    judge_entries,
    read_request,
)
from speechcall.requests.use_cases.list_ports import ListStore
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.requests.use_cases.read_messages import to_fallback, to_redial
from speechcall.shared.rules.characters import unseen
from speechcall.shared.rules.errors import IdempotencyKeyReused, InvalidRequest, Problem, RequestError, StoreUnavailable
from speechcall.shared.rules.ids import new_ids
from speechcall.shared.rules.time_bounds import DEFAULT_GRACE_SECONDS
from speechcall.shared.rules.timing import utc_text
from speechcall.shared.use_cases.clock import Clock

if TYPE_CHECKING:
    from speechcall.api.rules.answers import (
        Acceptable,
        Accepted,
        CallBounds,
        Checked,
        Place,
        Refusal,
        Rejected,
        Sent,
    )
    from speechcall.requests.use_cases.foresee_cost import Costs, Foreseen

logger = logging.getLogger(__name__)

CapsOf = Callable[[Account, Sequence[str], int], Mapping[str, Caps]]
CostsOf = Callable[[Account, int], "Costs | None"]
"""What is known of prices at a moment; None: the stack has no rates."""

REPEATED_SECONDS = 30 * 86_400
"""For so long at least a request is not done twice under its idempotency key; its list names no person."""
MAX_KEY_LENGTH = 255
MAX_DRAWS = 3


def accept_messages(
    account: Account,
    body: bytes,
    key: str | None = None,
    *,
    messages: NewMessages,
    lists: ListStore,
    clock: Clock,
    opt_outs: OptOuts = NOBODY,
    random_bits: Callable[[int], int],
    allow_loopback: bool = False,
    ring_time_kept: bool = True,
    strict: bool = False,
    limits: CallLimits = AS_DEPLOYED,
    is_simulated: bool = False,
    sends_sms: bool = False,
) -> "Accepted":
    """Stores the acceptable messages of a request, together, and returns the answer.

    The answer lists every entry in the order sent: `messageId`, `recipient`, `"status":"sent"`, or
    `"status":"rejected"` with its error. A repeat with the same idempotency `key` is given the first one's answer and
    spends nothing; None: the request has no key, so no repeat of it is known. `allow_loopback`: URLs may lead to this
    machine; `ring_time_kept`: phones ring as a message says; `strict`: no field may be unknown; `limits`: what the
    stack allows a call; `is_simulated`: no phone will ring; `sends_sms`: whether the stack can send text messages.

    Raises the leaves of RequestError; StoreUnavailable: the messages may have been accepted or not.
    """
    _check_key(key)
    asked = read_request(body, allow_loopback=allow_loopback, ring_time_kept=ring_time_kept, strict=strict)
    entries = asked.entries
    fingerprint = hashlib.sha256(body).hexdigest()
    stored = lists.find_list_by_key(account.account_id, key) if key else None
    is_new = False
    # An expired list counts as none, though DynamoDB may not have deleted it yet.
    if stored is None or stored.expires_at * 1000 <= clock.now_msec():
        judged = judge_entries(asked, account, lists, clock.now_msec(), opt_outs, limits, sends_sms=sends_sms)
        count = sum(entry.wanted is not None for entry in judged)
        if not count:
            problems = [problem for entry in judged for problem in entry.problems]
            raise InvalidRequest("No message of the request can be accepted.", problems)
        urgent = sum(entry.wanted is not None and entry.wanted.is_urgent for entry in judged)
        shapes = tuple(dict.fromkeys(shape_of(entry.wanted.menus) for entry in judged if entry.wanted))
        spent_msec = clock.now_msec()
        lists.spend(account, count, spent_msec, urgent)
        try:
            lists.admit_shapes(account, frozenset(shapes), spent_msec)
        except Exception:
            # Refused, or failed before anything was accepted.
            _give_back(account, count, spent_msec, urgent, lists)
            raise
        drawn: set[str] = set()

        def make() -> MessageList:
            """The list under new ids, and of the moment at which they are drawn. Its own id is added to `drawn`."""
            now = clock.now_msec()
            list_id, *ids = new_ids(count + 1, now, random_bits)
            drawn.add(list_id)
            return MessageList(
                list_id,
                account.account_id,
                tuple(ids),
                created_msec=now,
                expires_at=_expires_at(judged, account, now),
                fingerprint=fingerprint,
                answer=_without_people(_answer(judged, list_id, ids)),
                campaign=asked.campaign,
                funnels=shapes if asked.campaign else (),
                status_url=asked.told_of_list(account),
                is_simulated=is_simulated,
                keep_days=account.keep_days,
            )

        stored = _add_list(make, key, lists, lambda: _give_back(account, count, spent_msec, urgent, lists))
        is_new = stored.list_id in drawn
        if not is_new:  # a request of the same moment had the key first
            _give_back(account, count, spent_msec, urgent, lists)
    if stored.fingerprint != fingerprint:
        raise IdempotencyKeyReused("This Idempotency-Key came before with another body; use a new key.")
    if _may_be_deleted(stored, clock.now_msec()):
        return _with_people(entries, stored)
    if stored.campaign and not is_new:
        lists.keep_accepting(stored, clock.now_msec())
    _write(_accepted(entries, stored), stored, account, messages, opt_outs)
    if stored.campaign:
        _confirm(stored, lists)
    return _with_people(entries, stored)


def _with_people(entries: Sequence[Entry], stored: MessageList) -> "Accepted":
    """The answer that is stored with a list, with the recipient and `customerMessageId` of each entry added.

    Both come from the request, because the list keeps nothing that names a person.
    """
    answered: list[Sent | Rejected] = []
    for entry, one in zip(entries, stored.answer["messages"], strict=True):
        told: Any = {"messageId": one["messageId"]} if one["status"] == "sent" else {}
        told |= {"recipient": entry.recipient, **one}
        if entry.customer_id:
            told["customerMessageId"] = entry.customer_id
        answered.append(told)
    return {**stored.answer, "messages": answered}


def _without_people(answer: "Accepted") -> "Accepted":
    """An answer as it is stored, without what names a person; `_with_people` adds that again."""
    of_people = ("recipient", "customerMessageId")
    stored: Any = [{name: value for name, value in one.items() if name not in of_people} for one in answer["messages"]]
    return {**answer, "messages": stored}


def _may_be_deleted(stored: MessageList, now_msec: int) -> bool:
    """Whether messages of a list may have ended and been deleted: written again, they would be dialled again."""
    return bool(stored.keep_days) and now_msec // 1000 >= kept_after_end(stored.created_msec, stored.keep_days)


def _confirm(stored: MessageList, lists: ListStore) -> None:
    """Confirms a list in its campaign. A failure is only logged: the sweeper confirms it later."""
    try:
        lists.confirm_list(stored)
    except Exception:
        name = stored.account_id
        logger.exception("list %s of account %s is not shown yet", stored.list_id, name, extra={"account": name})


def _expires_at(entries: Sequence[Entry], account: Account, now_msec: int) -> int:
    """When a list expires (seconds): after all that its messages leave behind, and not before REPEATED_SECONDS."""
    times = [dial_times_of(entry.wanted, account, now_msec) for entry in entries if entry.wanted]
    last_msec = max((one.until_msec for one in times if isinstance(one, DialTimes)), default=now_msec)
    as_its_messages = kept_until(max(now_msec, last_msec), account.keep_days) + LIST_LONGER_SECONDS
    return max(as_its_messages, now_msec // 1000 + REPEATED_SECONDS)


def _give_back(account: Account, messages: int, spent_msec: int, urgent: int, lists: ListStore) -> None:
    """Gives back what was spent at a moment. A failure is only logged: the account can send that much less today."""
    try:
        lists.give_back(account, messages, spent_msec, urgent)
    except Exception:
        name = account.account_id
        logger.exception("%s messages of account %s could not be given back", messages, name, extra={"account": name})


def _add_list(
    make: Callable[[], MessageList], key: str | None, lists: ListStore, give_back: Callable[[], None]
) -> MessageList:
    """Adds the list that `make` gives; out: that list, or the earlier one that has the key.

    Raises RequestError where the campaign refuses it, after calling `give_back`; StoreUnavailable, when the list may
    have been written.

    `make` draws new ids each time: two requests of one millisecond draw the same ones once in 32,768 times.
    """
    for _ in range(MAX_DRAWS):
        try:
            stored = lists.add_list(make(), key)
        except RequestError:  # its campaign takes none
            give_back()
            raise
        if stored:
            return stored
    raise StoreUnavailable("no id could be had")


def _check_key(key: str | None) -> None:
    """Raises RequestError for an idempotency key that can be none."""
    if key is not None and not (1 <= len(key) <= MAX_KEY_LENGTH and key.isprintable()):
        raise RequestError(f"Idempotency-Key must have 1 to {MAX_KEY_LENGTH} printable characters{unseen(key)}.")


def _accepted(entries: Sequence[Entry], stored: MessageList) -> list[tuple[str, Wanted | None]]:
    """The messages that were called sent, each with its id, but for those that were erased since.

    None: what was accepted then is refused today, so the message cannot be made again.
    """
    return [
        (answered["messageId"], entry.wanted)
        for entry, answered in zip(entries, stored.answer["messages"], strict=True)
        if answered["status"] == "sent" and answered["messageId"] not in stored.erased
    ]


def _write(
    accepted: Sequence[tuple[str, Wanted | None]],
    stored: MessageList,
    account: Account,
    messages: NewMessages,
    opt_outs: OptOuts,
) -> None:
    """Writes the messages of a list: made of the body and the stored ids alone, so a repeat makes the same.

    A message that would be refused today (None) cannot be made again: if it is not stored either, the request fails,
    rather than be answered `sent`.
    """
    if any(wanted is None and messages.get(mid) is None for mid, wanted in accepted):
        raise StoreUnavailable("a message that was accepted is not there, and would be refused today")
    if made := [_message(wanted, mid, stored, account, opt_outs) for mid, wanted in accepted if wanted]:
        messages.add(made)


def _message(wanted: Wanted, mid: str, stored: MessageList, account: Account, opt_outs: OptOuts) -> Message:
    """An accepted message as it is stored."""
    times = dial_times_of(wanted, account, stored.created_msec)
    # Since it was judged its time has run out, or the account's hours have changed: stored all the same, it expires.
    if isinstance(times, Problem):
        times = DialTimes(stored.created_msec)
    return Message(
        mid=mid,
        list_id=stored.list_id,
        account_id=stored.account_id,
        sender=wanted.model.from_,
        recipient=wanted.model.to,
        number=wanted.number,
        text=wanted.model.text,
        menus=wanted.menus,
        menus_text=wanted.menus_text,
        created_msec=stored.created_msec,
        expires_at=_message_expires_at(times, stored),
        keep_days=stored.keep_days,
        caller_id=account.senders.get(wanted.model.from_),
        customer_id=wanted.model.customerMessageId,
        ttl_seconds=(times.until_msec - stored.created_msec) // 1000,
        send_at_msec=times.send_at_msec,
        hours=times.hours,
        ring_seconds=wanted.model.ringTimeoutSec,
        redial=to_redial(wanted.model),
        silent_repeats=wanted.model.silentRepeats,
        is_urgent=wanted.is_urgent,
        status_url=_status_url(wanted, account),
        status_events=_status_events(wanted, account),
        counts_in_list=bool(stored.status_url),
        is_simulated=stored.is_simulated,
        campaign=stored.campaign,
        funnel=_funnel(wanted, stored) if stored.campaign else "",
        number_digest=opt_outs.digest(wanted.number),
        opt_out_lists=tuple(dict.fromkeys(wanted.model.optOutLists)),
        ignores_opt_out=wanted.model.ignoreOptOut,
        fallback=to_fallback(wanted.model),
        consent=_consent(wanted),
    )


def _message_expires_at(times: DialTimes, stored: MessageList) -> int:
    """When a message expires (seconds), if it is dialled as late as may be. A list of a release before, without
    `keep_days`, says it for all its messages.
    """
    return kept_until(times.until_msec, stored.keep_days) if stored.keep_days else stored.expires_at


def _status_url(wanted: Wanted, account: Account) -> str:
    return (wanted.model.statusUrl or account.status_url) if _status_events(wanted, account) else ""


def _status_events(wanted: Wanted, account: Account) -> tuple[str, ...]:
    """Of which events of its own a message's sender is told: with a URL, `final` if nothing is said."""
    if not (wanted.model.statusUrl or account.status_url):
        return ()
    given = wanted.model.statusEvents
    return tuple(name for name in (account.status_events if given is None else given) if name != "list")


def _consent(wanted: Wanted) -> Consent | None:
    given = wanted.model.consent
    return Consent(given.basis, given.at, given.ref) if given else None


def _funnel(wanted: Wanted, stored: MessageList) -> str:
    shape = shape_of(wanted.menus)
    return shape if shape in stored.funnels else OTHER


def _answer(entries: Sequence[Entry], list_id: str, ids: Sequence[str]) -> "Accepted":
    """The answer about all entries, in their order. `ids`: of those that are not rejected, in the same order."""
    remaining = iter(ids)
    answered = [_rejected(entry) if entry.wanted is None else _sent(entry, next(remaining)) for entry in entries]
    answer: Accepted = {"messages": answered, "messagelistId": list_id}
    if rejected := sum(entry.wanted is None for entry in entries):
        answer["rejected"] = rejected
    return answer


def check_messages(
    account: Account,
    body: bytes,
    picture: bool = False,
    *,
    prompts: Prompts,
    clock: Clock,
    opt_outs: OptOuts = NOBODY,
    allow_loopback: bool = False,
    ring_time_kept: bool = True,
    strict: bool = False,
    caps_of: CapsOf = lambda _account, _numbers, _now_msec: {},
    costs_of: CostsOf = lambda _account, _now_msec: None,
    limits: CallLimits = AS_DEPLOYED,
    grace_seconds: int = DEFAULT_GRACE_SECONDS,
    sends_sms: bool = False,
) -> "Checked":
    """POST /bat/messagelist/check: what would be rejected, and the warnings; nothing is stored or spent.

    An acceptable message has when its phone may ring, when it may be dialled first if that is not now, how short and
    how long its call can be, and on request its `picture`. Every message, also a rejected one, has what is known of the
    promises about its menus. Where there are rates (`costs_of`), the answer has what each acceptable message would
    cost, and what all would (`grace_seconds`: as `foresee`). `caps_of`: how far the account has used its limits; asked
    only where it has any.
    """
    asked = read_request(body, allow_loopback=allow_loopback, ring_time_kept=ring_time_kept, strict=strict)
    now = clock.now_msec()
    entries = judge_entries(asked, account, prompts, now, opt_outs, limits, sends_sms=sends_sms)
    numbers = sorted({entry.wanted.number for entry in entries if entry.wanted})
    known = caps_of(account, numbers, now) if has_limits(account) else {}
    costs = costs_of(account, now)
    foreseen_costs: list[Foreseen | None] = []
    described: list[Acceptable | Rejected] = []
    for entry in entries:
        if entry.wanted is None:
            rejected_one = _rejected(entry)
            if entry.promises:
                rejected_one["promises"] = [*entry.promises]
            described.append(rejected_one)
            continue
        when = _when_dialled(entry, entry.wanted, account, now, known.get(entry.wanted.number, NO_CAPS))
        warnings = [*entry.warnings, *when.warnings]
        if costs:
            from speechcall.requests.use_cases.foresee_cost import foresee, spend_warnings  # noqa: PLC0415, as `_price`

            cost = foresee(entry.wanted, costs.rate_of(entry.wanted.number), limits, grace_seconds)
            foreseen_costs.append(cost)
            warnings += spend_warnings(account, cost, costs, entry.path, now)
        acceptable_one = _acceptable(entry._replace(warnings=warnings), entry.wanted, picture)
        if when.may_ring:
            acceptable_one["mayRing"] = when.may_ring
        if when.from_msec:
            acceptable_one["dialledFrom"] = utc_text(when.from_msec)
        described.append(acceptable_one)
    answer: Checked = {"messages": described}
    if costs:
        _price(answer, foreseen_costs, costs.currency)
    if rejected := sum(entry.wanted is None for entry in entries):
        answer["rejected"] = rejected
    return answer


def _price(answer: "Checked", found: "list[Foreseen | None]", currency: str) -> None:
    """Adds to the answer what each acceptable message (`found`, in their order) and all together would cost."""
    # Only a check knows prices, and many stacks have none: requests that send should start without it.
    from speechcall.requests.use_cases.foresee_cost import describe, describe_all  # noqa: PLC0415

    acceptable = (one for one in answer["messages"] if one["status"] == "acceptable")
    for one, cost in zip(acceptable, found, strict=True):
        if cost:
            one["cost"] = describe(cost, currency)
    if found:
        answer["cost"] = describe_all(found, currency)


def _sent(entry: Entry, message_id: str) -> "Sent":
    """The answer about an accepted message."""
    answer: Sent = {"messageId": message_id, "recipient": str(entry.recipient), "status": "sent"}
    if entry.customer_id:
        answer["customerMessageId"] = entry.customer_id
    if entry.warnings:
        answer["warnings"] = _places(entry.warnings)
    return answer


def _acceptable(entry: Entry, wanted: Wanted, picture: bool) -> "Acceptable":
    """What the check answers about a message that would be accepted, but for its times and its cost.

    `wanted`: of the entry. `picture`: whether the answer has one.
    """
    bounds = call_bounds(wanted.menus, {})
    call: CallBounds = {
        "shortestMenus": bounds.shortest_menus,
        "longestMenus": bounds.longest_menus,
        "longestIdleSeconds": bounds.longest_seconds,
    }
    answer: Acceptable = {"recipient": str(entry.recipient), "status": "acceptable", "call": call}
    if entry.customer_id:
        answer["customerMessageId"] = entry.customer_id
    if warnings := [*entry.warnings, *no_opt_out_key(wanted.menus, entry.path)]:
        answer["warnings"] = _places(warnings)
    if picture:
        from speechcall.menus.rules.menu_picture import draw  # noqa: PLC0415, few ask for it, and only in a check

        answer["picture"] = draw(wanted.menus)
    if entry.promises:
        answer["promises"] = [*entry.promises]
    return answer


class _When(NamedTuple):
    """When a message may be dialled, for who asks before it is sent."""

    from_msec: int | None = None
    """The first moment; None: now, or never."""
    may_ring: str | None = None
    """In words; None: nothing restricts it, or its time has just run out."""
    warnings: tuple[Problem, ...] = ()


def _when_dialled(entry: Entry, wanted: Wanted, account: Account, now_msec: int, caps: Caps) -> _When:
    """When an acceptable message may be dialled first, when its phone may ring, and the warnings of limits."""
    times = dial_times_of(wanted, account, now_msec)
    if isinstance(times, Problem):  # its time has run out since it was judged, a moment ago
        return _When()
    first = next_dial(times, now_msec, caps=caps)
    from_msec = first.at_msec if isinstance(first, Dialable) and first.at_msec > now_msec else None
    rings = None
    if times.hours or times.send_at_msec or account.calls_per_number is not None:
        from speechcall.messages.rules.may_ring import may_ring  # noqa: PLC0415, a list that is sent needs none

        rings = may_ring(times.hours, wanted.model.sendAt if times.send_at_msec else None, account.calls_per_number)
    # Where a limit is reached it is not dialled now: then no later moment means never.
    return _When(from_msec, rings, tuple(_limit_warnings(entry.path, caps, now_msec, is_never=from_msec is None)))


def _limit_warnings(path: str, caps: Caps, now_msec: int, *, is_never: bool) -> Iterator[Problem]:
    """Warnings of limits that are reached, for a message sent now. `is_never`: it has no later moment to be dialled."""
    ends = "; the message's time is up before that, so it would end as expired" if is_never else ""
    for one in caps.counted:
        if one.allows_msec > now_msec:
            calls = "1 call" if one.most == 1 else f"{one.most} calls"
            until = utc_text(one.allows_msec)
            text = f"has had {calls} of this account in 24 hours, and may have no more until {until}{ends}"
            yield Problem("CALLS_PER_NUMBER", f"{path}.to", text)
    if caps.spent_until_msec > now_msec:
        until = utc_text(caps.spent_until_msec)
        text = f"waits: this account has used up its minutes of the day, until {until}{ends}"
        yield Problem("MINUTES_PER_DAY", path, text)


def has_limits(account: Account) -> bool:
    """Whether the account's calls are counted: those to a number, or their minutes."""
    return account.calls_per_number is not None or account.minutes_per_day is not None


def _rejected(entry: Entry) -> "Rejected":
    """The answer about a rejected message: its first problem as the error, all of them as details if there are more."""
    first, *more = _places(entry.problems)
    error: Refusal = {"code": first["code"], "path": first["path"], "message": first["message"]}
    if more:
        error["details"] = [first, *more]
    answer: Rejected = {"recipient": entry.recipient, "status": "rejected", "error": error}
    if entry.customer_id:
        answer["customerMessageId"] = entry.customer_id
    return answer


def _places(problems: Sequence[Problem]) -> "list[Place]":
    return [{"code": one.code, "path": one.path, "message": one.message} for one in problems]
