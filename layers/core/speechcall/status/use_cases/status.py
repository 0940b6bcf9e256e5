"""What a customer is told about a message and a list of messages. Pure: from what is stored to an answer."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeVar, assert_never, cast

from speechcall.calls.rules.call import Call
from speechcall.calls.rules.call import Step as HeardStep
from speechcall.calls.rules.cost import cost_of_calls
from speechcall.calls.rules.end_of_call import key_was_pressed, was_cut_short
from speechcall.calls.rules.owed import logged_webhooks
from speechcall.menus.rules.call_log import PROMPT_ERROR
from speechcall.messages.rules.estimates import Estimate
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.status_event import StatusKind
from speechcall.messages.rules.stops import Held, StopState
from speechcall.money.rules.rate import Prices, as_number
from speechcall.outbound.rules.destination import destination
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.rules.outcome import CANCELLED, EXPIRED, NOT_PLACED, OutcomeName, known_outcome
from speechcall.shared.rules.timing import utc_text
from speechcall.webhooks.rules.delivery import Delivery, DeliveryState
from speechcall.webhooks.rules.webhook import WebhookTask, webhook_of

if TYPE_CHECKING:
    from speechcall.api.rules import answers
    from speechcall.messages.rules.fallback import FallbackState

EXPLANATIONS = {
    "destinationNotAllowed": "The Amazon Connect instance may not call this country. A support case opens it: service"
    ' "Connect (Number Management)", category "Country Allowlisting for Outbound Calls" (docs/telephony.md).',
    "contactNotPermitted": "Amazon Connect does not permit this call; a support case can say why (docs/telephony.md).",
    "telephonyMisconfigured": "The telephony refused the stack's own settings, not this number: contact flow or SIP"
    " media application, caller ID, or a right is missing (docs/telephony.md).",
    "notPlayed": "Somebody answered, and the call was ended before anything could be played to them: its introduction"
    " cannot be had by the telephony, or our own service was in trouble (docs/telephony.md).",
    "expired": "Its ttl ran out before there was a line for it.",
    "cancelled": "It was cancelled, or what it belongs to was.",
    "optedOut": "Its number has opted out of the calls of this account or of a list that it names (docs/opt-outs.md).",
    "capped": "Its number had had as many calls in 24 hours as may be, and its time was up before another might be.",
    "spendLimit": "Its account may spend so much a day only, and its call could have cost more than that alone; or the"
    " operator has given no price for its number (docs/rates.md).",
    "window": "Its calling hours shut before there was a line for it, and do not open again before its time is up.",
}
"""What a reason alone does not say to who has to act on it."""


LONG_WAIT_MSEC = 900_000
"""Who waits for longer waits for a moment, not for a number that is in a call just now."""


@dataclass(frozen=True, slots=True)
class History:
    """All that is stored of a message."""

    message: Message
    calls: Sequence[Call]
    deliveries: Sequence[tuple[WebhookTask, Delivery]]
    fallback: "FallbackState | None" = None
    """Where its fallback stands; None: none is to be sent, or not yet."""
    prices: Prices | None = None
    """The rates of its calls; None: the stack has none, or nobody asked."""

    def webhooks(self, now_msec: int) -> list[tuple[WebhookTask, Delivery]]:
        """The deliveries, and behind them the webhooks of keys in the calls' logs whose delivery has not begun.

        Of a message that has expired only the deliveries: some may be deleted before it is, and would look as if they
        had not begun.
        """
        begun = {task.event_id for task, _ in self.deliveries}
        if self.message.expires_at * 1000 <= now_msec:
            return [*self.deliveries]
        tasks = [task for call in _in_order(self.calls) for task in logged_webhooks(call, self.message.menus)]
        return [*self.deliveries, *((task, self._queued(task)) for task in tasks if task.event_id not in begun)]

    def _queued(self, task: WebhookTask) -> Delivery:
        webhook = webhook_of(self.message, task)
        return Delivery(DeliveryState.PENDING, destination=destination(webhook.url) if webhook else "")


@dataclass(frozen=True, slots=True)
class Summary:
    """The state of one message of a list."""

    mid: str
    recipient: str
    state: State
    outcome: str | None
    reason: str | None
    dial_until_msec: int
    customer_id: str | None = None
    campaign: str = ""
    is_urgent: bool = False
    is_held: bool = False
    """It was put off because its list is paused."""
    was_hung_up: bool = False
    """It was asked that its call be ended."""


WAITING = (State.PREPARING, State.QUEUED)
Dialled = TypeVar("Dialled", Message, Summary)


NOT_HELD = Held()


def as_of(now_msec: int, one: Dialled, held: Held = NOT_HELD) -> Dialled:
    """A message as it stands at a moment, whether or not that is written down yet. `held`: what may stop it.

    One that waits for a line past its time has expired; one that waits and is cancelled before that has ended.
    """
    cancelled_msec = held.cancelled_msec(one.mid) if one.state in WAITING else None
    if cancelled_msec is not None and cancelled_msec < one.dial_until_msec:
        return replace(one, state=State.FINISHED, outcome=CANCELLED.outcome, reason=CANCELLED.reason)
    if one.state is State.QUEUED and one.dial_until_msec <= now_msec:
        return replace(one, state=State.FINISHED, outcome=EXPIRED.outcome, reason=EXPIRED.reason)
    return one


def delivery_status(state: State, outcome: str | None) -> "answers.DeliveryStatus":
    """The vendor's word: scheduled, processing, delivered, undeliverable or permanenterror.

    An outcome that only another release knows counts as undeliverable.
    """
    if state is State.FINISHED:
        known = known_outcome(outcome)
        return _status_of(known) if known else "undeliverable"
    return "processing" if state in (State.CALLING, State.SETTLING) else "scheduled"


def _status_of(outcome: OutcomeName) -> "answers.DeliveryStatus":
    """The vendor's word for a message that was finished with this outcome."""
    match outcome:
        case "answered":
            return "delivered"
        case "busy" | "noAnswer" | "failed" | "expired" | "cancelled":
            return "undeliverable"
        case "invalidNumber" | "blocked" | "promptUnavailable" | "menusRefused" | "optedOut":
            return "permanenterror"
        case _:
            assert_never(outcome)


def describe_message(history: History, now_msec: int, held: Held = NOT_HELD) -> "answers.MessageStatus":
    """The answer to GET /bat/message/{messageId}: the vendor's fields, and `call`. No bodies, no secrets.

    `held`: what may stop it while it waits. Calls that were never placed are left out.
    """
    message, calls = as_of(now_msec, history.message, held), _placed(history.calls)
    # What has expired has ended when its time was up, whenever that was written down.
    finished_msec = message.dial_until_msec if message.reason == EXPIRED.reason else message.finished_msec
    if message.outcome == CANCELLED.outcome and finished_msec is None:
        finished_msec = held.cancelled_msec(message.mid)
    last_answered = next((call for call in reversed(calls) if call.answered_msec is not None), None)
    webhooks = history.webhooks(now_msec)
    answer: answers.MessageStatus = {
        "messagelistId": message.list_id,
        "messageId": message.mid,
        "recipient": message.recipient,
        "text": message.text,
        "deliverystatus": delivery_status(message.state, message.outcome),
        "partscount": 1,
        "call": {
            "state": message.state.value,
            "outcome": _told_outcome(message.outcome),
            "endReason": message.reason,
            "cause": message.cause or EXPLANATIONS.get(message.reason or ""),
            "acceptedAt": utc_text(message.created_msec),
            "dialledUntil": utc_text(message.dial_until_msec),
            "nextAttemptAt": _moment(_next_attempt_msec(message, now_msec)),
            "finishedAt": _moment(finished_msec),
            "answeredAt": _moment(last_answered.answered_msec) if last_answered else None,
            "endedAt": _moment(calls[-1].ended_msec) if calls else None,
            "durationSec": _duration(last_answered) if last_answered else None,
            "keyPressed": any(key_was_pressed(call) for call in calls),
            "attempts": [_describe_call(call, message.state is State.SETTLING) for call in calls],
            "path": [
                _describe_step(call, step)
                for call in calls
                for step in call.path
                # A prompt error that may only have been the callee, who hung up, is not shown.
                if not (step.heard == PROMPT_ERROR and was_cut_short(call))
            ],
            "webhooks": [_describe_delivery(*one) for one in webhooks if not one[0].tells_status],
            "statusWebhooks": [_describe_notice(*one) for one in webhooks if one[0].tells_status],
        },
    }
    if history.prices:
        cost = cost_of_calls(calls, history.prices)
        if cost is not None:
            answer["cost"], answer["costCurrency"] = as_number(cost), history.prices.currency
    if message.customer_id:
        answer["customerMessageId"] = message.customer_id
    if message.campaign:
        answer["campaign"] = message.campaign
    if message.ignores_opt_out:
        answer["ignoreOptOut"] = True
    if message.is_simulated:
        answer["simulated"] = True
    if message.fallback is not None:
        answer["fallbacks"] = [_describe_fallback(history, message)]
    if message.consent:
        answer["consent"] = {"basis": message.consent.basis, "at": message.consent.at, "ref": message.consent.ref}
    if message.state in WAITING and held.is_paused:
        answer["call"]["paused"] = True
    return answer


def _describe_fallback(history: History, now: Message) -> "answers.FallbackAnswer":
    """Where the fallback of a message stands. `now`: the message as of now (`as_of`).

    It is stored together with the end of its message. An end that is not stored yet is told already: where that is to
    bring a fallback, it is pending.
    """
    stored = history.fallback
    if stored is None:
        is_to_end = now.state is State.FINISHED and history.message.state is not State.FINISHED
        awaits = is_to_end and now.fallback is not None and now.outcome in now.fallback.on
        return {"type": "sms", "status": "pending" if awaits else "not_used"}
    answer: answers.FallbackAnswer = {"type": "sms", "status": stored.status.value}
    if stored.reason:
        answer["reason"] = stored.reason
    if stored.at_msec is not None:
        answer["at"] = utc_text(stored.at_msec)
    return answer


def _next_attempt_msec(message: Message, now_msec: int) -> int | None:
    """The moment for which a message waits before it is dialled (again); None: it waits for none.

    Then it is being prepared or in a call, has ended, or waits for a line alone, or to be resumed.
    """
    if message.state is not State.QUEUED or message.is_held:
        return None
    # In its queue it waits for its hours or its `sendAt`, else for a line alone.
    if message.stands and (message.hours or message.send_at_msec):
        from speechcall.messages.rules.when_to_dial import Dialable, next_dial  # noqa: PLC0415, few have hours

        when = next_dial(message.dial_times, now_msec)
        if isinstance(when, Dialable) and when.at_msec > now_msec:
            return when.at_msec
    if message.stands:
        return None
    # Put off to `due_msec`. Before its first call that is told only of a `sendAt` and of a long wait.
    waits_long = (message.due_msec or 0) > now_msec + LONG_WAIT_MSEC
    waits = message.attempt > 0 or message.send_at_msec > now_msec or waits_long
    return message.due_msec if waits else None


def _placed(calls: Sequence[Call]) -> list[Call]:
    return _in_order([call for call in calls if call.stop_reason != NOT_PLACED])


def _in_order(calls: Sequence[Call]) -> list[Call]:
    return sorted(calls, key=lambda call: call.attempt)


def describe_list(
    found: MessageList,
    summaries: Sequence[Summary],
    offset: int,
    limit: int,
    left: Estimate | None,
    state: StopState = StopState.ACTIVE,
) -> "answers.ListStatus":
    """The answer to GET /bat/messagelist/{messagelistId}: counts, one page of messages, an estimate.

    In: the summaries of all messages that are kept, in the order sent; the page's bounds among these (`offset`: from
    0); the estimate, None where nothing is dialled; how the list stands.
    """
    page = summaries[offset : offset + limit]
    answer: answers.ListStatus = {
        "messagelistId": found.list_id,
        "state": state.value,
        "total": len(found.message_ids),
        "statuses": dict(Counter(delivery_status(one.state, one.outcome) for one in summaries)),
        "outcomes": dict(Counter(outcome for one in summaries if (outcome := _told_outcome(one.outcome)))),
        "estimatedSecondsLeft": left.seconds if left else None,
        "estimate": describe_estimate(left),
        "messages": [_describe_summary(one) for one in page],
    }
    if found.campaign:
        answer["campaign"] = found.campaign
    if found.is_simulated:
        answer["simulated"] = True
    if offset + limit < len(summaries):
        answer["nextOffset"] = offset + limit
    return answer


def describe_estimate(left: Estimate | None) -> "answers.Estimate | None":
    """An estimate as the API shows it: how many seconds it takes, and how sure that is. None: nothing is dialled."""
    if left is None:
        return None
    return {
        "secondsLeft": left.seconds,
        "atLeast": left.at_least,
        "atMost": left.at_most,
        "certainty": left.certainty.value,
    }


def _describe_summary(one: Summary) -> "answers.Summary":
    """A message in the answer about its list."""
    answer: answers.Summary = {
        "messageId": one.mid,
        "recipient": one.recipient,
        "deliverystatus": delivery_status(one.state, one.outcome),
        "outcome": _told_outcome(one.outcome),
        "endReason": one.reason,
    }
    if one.customer_id:
        answer["customerMessageId"] = one.customer_id
    return answer


def _told_outcome(stored: str | None) -> OutcomeName | None:
    """An outcome as it is stored; one that only a later release knows is told too, while both are in use."""
    return cast("OutcomeName | None", stored)


def _describe_step(call: Call, step: HeardStep) -> "answers.Step":
    """What was heard in one menu, as the API shows it. Of a lookup also its case; null: it led to `else`."""
    told: answers.Step = {
        "attempt": call.attempt,
        "menu": step.menu,
        "heard": step.heard,
        "at": utc_text(step.at_msec),
    }
    if step.decided:
        told["case"] = step.decided.case or None
        if step.decided.error:
            told["lookupError"] = step.decided.error
    return told


def _describe_call(call: Call, settles: bool) -> "answers.Attempt":
    """A call as the API shows it. `settles`: its end is still asked for, so a guessed cause is not told yet."""
    is_known = call.cause is not None and not (settles and call.cause_is_guess)
    return {
        "attempt": call.attempt,
        "dialledAt": utc_text(call.dialled_msec),
        "answeredAt": _moment(call.answered_msec),
        "answerToFirstCommandMsec": call.log[0].waited_msec if call.log else None,
        "endedAt": _moment(call.ended_msec),
        "durationSec": _duration(call),
        "cause": call.cause.value if call.cause and is_known else None,
    }


def _describe_delivery(task: WebhookTask, delivery: Delivery) -> "answers.WebhookDelivery":
    """The webhook of a key as the API shows it."""
    return {
        "webhookId": task.event_id,
        "menu": task.menu,
        "key": task.key,
        "step": task.step,
        "state": delivery.shown_state,
        "nextAttemptAt": _moment(delivery.next_msec),
        "attempts": _describe_attempts(delivery),
    }


def _describe_notice(task: WebhookTask, delivery: Delivery) -> "answers.StatusDelivery":
    """A status webhook as the API shows it."""
    return {
        "webhookId": task.event_id,
        "event": _told_kind(task.key),
        "state": delivery.shown_state,
        "nextAttemptAt": _moment(delivery.next_msec),
        "attempts": _describe_attempts(delivery),
    }


def _told_kind(kind: str) -> 'Literal["final", "attempt", "fallback"]':
    if kind == StatusKind.ATTEMPT:
        return "attempt"
    return "fallback" if kind == StatusKind.FALLBACK else "final"


def _describe_attempts(delivery: Delivery) -> "list[answers.WebhookAttempt]":
    return [
        {"at": utc_text(one.at_msec), "msec": one.msec, "status": one.status, "error": one.error}
        for one in delivery.attempts
    ]


def _duration(call: Call) -> float | None:
    if call.answered_msec is None or call.ended_msec is None:
        return None
    return round((call.ended_msec - call.answered_msec) / 1000, 1)


def _moment(msec: int | None) -> str | None:
    return None if msec is None else utc_text(msec)
