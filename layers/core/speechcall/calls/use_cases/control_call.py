"""The state machine's side of the conversation: dial, ask, hang up, look up.

Each command is written, with the task token that its answer needs, before anything else happens.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, assert_never

from speechcall.calls.rules.call import Bounds, Call, Cause, Command, Kind, Refused, Reply, Ticket
from speechcall.calls.rules.refusal import Refusal, refusal
from speechcall.calls.use_cases.answered_late import conclude_dial
from speechcall.calls.use_cases.end_call import end_as_recorded, end_call
from speechcall.calls.use_cases.give_reply import give_reply, step_of, tell_task
from speechcall.calls.use_cases.obey_log import conclude_by_log, conclude_lookup, heard, may_obey_log, obey_log, plan_of
from speechcall.calls.use_cases.place_call import Doubt, note_contact, place_once
from speechcall.calls.use_cases.ports import CallStore, Engine, Telephony
from speechcall.menus.rules.call_log import ANSWERED
from speechcall.messages.use_cases.lines import PoolStore
from speechcall.messages.use_cases.message_reader import MessageReader
from speechcall.shared.rules.errors import (
    NOT_ANSWERED,
    DestinationRefused,
    SpeechCallError,
    TelephonyMisconfigured,
    TelephonyThrottled,
)
from speechcall.shared.use_cases.clock import Clock
from speechcall.shared.use_cases.tasks import TaskAnswer

logger = logging.getLogger(__name__)

THROTTLED_MSEC = 2000
"""For how long no call is begun after the provider has asked for fewer."""


class Control(NamedTuple):
    """What the commands work with."""

    calls: CallStore
    messages: MessageReader
    engine: Engine
    telephony: Telephony
    clock: Clock
    bounds: Bounds
    lines: PoolStore
    warm_lookups: Callable[[], object] = lambda: None
    """Makes ready who will ask a receiver, in a call that may need it."""

    def handle(self, task: Mapping[str, Any]) -> dict[str, Any]:
        """Runs one task of a state machine.

        In: `command` (dial, ask, hang_up, look_up), `mid`, `attempt`. dial, ask and hang_up also have `token`, `visit`
        and `retry`; ask has `menu`. look_up asks what a timeout means: `menu` is the menu in which it came, none after
        the dial. With `otherwise` (the menu that follows without a case) and `seq` it asks which menu follows a lookup
        that failed.
        Out: for look_up what was heard, or that `menu`; for dial `refused`, why the provider will not place the call,
        if it will not. Raises the leaves of RetryableError, which the state machine tries again.
        """
        mid, attempt = str(task["mid"]), int(task["attempt"])
        if "otherwise" in task:
            return {"menu": str(self._conclude_lookup(mid, attempt, int(task["seq"]), int(task["otherwise"])))}
        if task["command"] == "look_up":
            return dict(self._conclude(mid, attempt, task.get("menu")))
        ticket = Ticket(str(task["visit"]), int(task["retry"]), str(task["token"]))
        kind = Kind(task["command"])
        match kind:
            case Kind.DIAL:
                refused = self._dial(mid, attempt, ticket)
                return {"refused": refused} if refused else {}
            case Kind.ASK | Kind.HANG_UP:
                self._command(mid, attempt, Command(kind, task.get("menu")), ticket)
                return {}
            case _:
                assert_never(kind)

    def _dial(self, mid: str, attempt: int, ticket: Ticket) -> str | None:
        """Writes the call attempt and has the provider dial it, unless it was dialled, answered or ended before.

        Returns why the provider refuses the call, for the operator: the state machine goes by the task's answer alone.
        None: it does not refuse. A try that a newer one has overtaken does nothing. The task is answered here if an
        answer or the end is known, or if the message is gone or at another attempt; else by who hears of the call.
        Raises what `Telephony.place` raises, but for a refusal; StoreUnavailable; EngineUnavailable.
        """
        message = self.messages.get(mid)
        if message is None or message.attempt != attempt:
            self.engine.fail(ticket.token, NOT_ANSWERED, "the message is gone")
            return None
        now = self.clock.now_msec()
        fresh = Call(
            mid=mid,
            attempt=attempt,
            number=message.number,
            asks=message.asks,
            seq=1,
            done_seq=0,
            command=Command(Kind.DIAL),
            ticket=ticket,
            visits=0,
            dialled_msec=now,
            caller_id=message.caller_id,
            plan=plan_of(message, self.bounds, now),
            number_digest=message.number_digest,
        )
        call = self.calls.open(fresh, message.expires_at)
        if call.ended and call.goes_by_log and call.entry(1):
            # Somebody has answered while this was tried again, and the lists of the keys are still to be run.
            tell_task(Reply(1, ANSWERED), ticket.token, self.engine)
            return None
        if call.ended:
            self.engine.fail(ticket.token, NOT_ANSWERED, "the call has ended")
            return None
        if call.ticket != ticket:
            return None
        if reply := call.known_reply:
            # Placed by a try that failed afterwards, and answered before this one: its token had expired.
            self._tell_known(reply, call)
            return None
        if not call.may_have_been_placed and self.clock.now_msec() >= message.dial_until_msec:
            # Its machine began so late that its time is over: it ends like a call that the provider has throttled.
            end_call(mid, attempt, Cause.THROTTLED, calls=self.calls, engine=self.engine, clock=self.clock)
            return None
        try:
            placed = place_once(
                call, message.ring_seconds, telephony=self.telephony, calls=self.calls, clock=self.clock
            )
        except TelephonyThrottled:
            # The state machine puts the message off: no call fails for it.
            self.lines.slow_down(self.clock.now_msec() + THROTTLED_MSEC)
            raise
        except (DestinationRefused, TelephonyMisconfigured) as error:
            refused = _refusal_in(error)
            _log_settings(mid, attempt, error)
            self.calls.set_stop_reason(mid, attempt, refused.reason)
            end_call(mid, attempt, refused.cause, calls=self.calls, engine=self.engine, clock=self.clock)
            return refused.reason
        if isinstance(placed, Doubt):
            return self._wait_in_doubt(mid, attempt, placed.said)
        if placed and fresh.plan and fresh.plan.waits:
            self.warm_lookups()
        if placed:
            note_contact(placed, call, message.expires_at, telephony=self.telephony, calls=self.calls)
        return None

    def _wait_in_doubt(self, mid: str, attempt: int, said: Exception) -> str | None:
        """Notes what is known of a dial whose first try may have placed the call. Its task is not answered, so it waits
        as for a phone that rings, and a callee who answers is served.

        `said`: the provider's last answer. A refusal or a throttling is kept, as the end of a call of which nothing is
        ever reported; any other error decides nothing. Out: the reason of a refusal, which is for the operator, and
        ends nothing; else None.
        """
        # The text of an error that is not ours may have a phone number in it.
        told = said if isinstance(said, SpeechCallError) else type(said).__name__
        fields = {"mid": mid, "attempt": attempt}
        logger.warning("whether call %s-%s was placed is not known: %s", mid, attempt, told, extra=fields)
        if isinstance(said, TelephonyThrottled):
            self.lines.slow_down(self.clock.now_msec() + THROTTLED_MSEC)
            self.calls.set_refused(mid, attempt, Refused(Cause.THROTTLED.value, Cause.THROTTLED))
        elif isinstance(said, DestinationRefused | TelephonyMisconfigured):
            refused = _refusal_in(said)
            _log_settings(mid, attempt, said)
            self.calls.set_refused(mid, attempt, refused)
            return refused.reason
        return None

    def _command(self, mid: str, attempt: int, command: Command, ticket: Ticket) -> None:
        """Gives the telephony a command of the machine. If it may not be written, its task is answered at once, but
        not for a try that a newer one has overtaken: its token is void.
        """
        known = self.calls.get(mid, attempt)
        if known and may_obey_log(known, ticket):
            obey_log(known, command, ticket, calls=self.calls, engine=self.engine)
            return
        now = self.clock.now_msec()
        written, call = self.calls.put_command(mid, attempt, command, ticket, self.bounds, now)
        if written:
            if call and (reply := call.known_reply):
                self._tell_known(reply, call)
            return
        # A write is refused for one of these reasons, so it is never None.
        reason = refusal(call, ticket, command, self.bounds, now) or Refusal.STALE
        if reason is Refusal.STALE:
            return
        if call and call.known_key and call.ticket.visit == ticket.visit:
            # Heard for an earlier try, before the call ended: its list has not been run.
            self._give(call.known_key, call._replace(ticket=ticket))
            return
        if reason is Refusal.LIMIT:
            self.calls.set_stop_reason(mid, attempt, "limit")
        event = "limit" if reason is Refusal.LIMIT else "ended"
        self.engine.succeed(ticket.token, heard(event, call))

    def _tell_known(self, reply: Reply, call: Call) -> None:
        """Answers the task with what was heard before its token was there.

        Also if an earlier try's token was answered with it: the machine would not try again if that had arrived.
        """
        if call.entry(reply.seq):
            tell_task(reply, call.ticket.token, self.engine)
        else:
            self._give(reply, call)

    def _give(self, reply: Reply, call: Call) -> None:
        give_reply(reply, call, calls=self.calls, engine=self.engine, clock=self.clock)

    def _conclude_lookup(self, mid: str, attempt: int, seq: int, otherwise: int) -> int:
        """The menu behind the lookup of entry `seq`, which could not be made. `otherwise` if the call is gone:
        whichever menu that is, its question is answered with the end.
        """
        call = self.calls.get(mid, attempt)
        if call is None:
            return otherwise
        return conclude_lookup(call, seq, otherwise, calls=self.calls, now_msec=self.clock.now_msec())

    def _conclude(self, mid: str, attempt: int, menu: int | None) -> TaskAnswer:
        """Concludes a question for which no report came in time, by what the log or the contact's record says: what
        follows from that (the end, silence) is written too.

        `menu`: which was asked; None: it was the dial. Out: after the dial `answered` or `ended`; after a menu `ended`,
        or what was heard too late for its token, or `idle` with the seq of the question, which counts as answered.
        """
        if menu is None:
            event, found = conclude_dial(
                mid, attempt, calls=self.calls, telephony=self.telephony, engine=self.engine, clock=self.clock
            )
            return heard(event, found)
        call = self.calls.get(mid, attempt)
        if call and call.goes_by_log:
            return conclude_by_log(
                call, menu, calls=self.calls, engine=self.engine, telephony=self.telephony, clock=self.clock
            )
        if call is None or call.ended or call.contact_id is None:
            return heard("ended", call)
        # Somebody was asked a menu, so one that is missing is not new: it is over.
        contact = self.telephony.look_up(call.contact_id)
        if contact.ended:
            cause = Cause.CALLER_HUNG_UP
            end_as_recorded(call, contact, cause, calls=self.calls, engine=self.engine, clock=self.clock)
            return heard("ended", call)
        is_asked = call.command == Command(Kind.ASK, menu)
        reply = (call.known_reply if is_asked else None) or Reply(call.seq, "idle")
        if is_asked and call.awaits_answer:
            self.calls.set_done(mid, attempt, call.seq, step_of(reply, call, self.clock.now_msec()))
        return {"event": reply.event, "key": reply.key, "seq": reply.seq}


def _log_settings(mid: str, attempt: int, error: DestinationRefused | TelephonyMisconfigured) -> None:
    """Has the log say by which code the provider refuses what is ours: it is all that an operator has to go by."""
    if isinstance(error, TelephonyMisconfigured):
        logger.error("the provider refuses our settings: %s", error, extra={"mid": mid, "attempt": attempt})


def _refusal_in(error: DestinationRefused | TelephonyMisconfigured) -> Refused:
    """How a call ends that the provider refuses so."""
    if isinstance(error, TelephonyMisconfigured):
        # Not the number's fault: it is neither blocked nor invalid, and may be dialled again.
        return Refused("telephonyMisconfigured", Cause.FAILED)
    return Refused(str(error), Cause.INVALID_NUMBER if str(error) == Cause.INVALID_NUMBER else Cause.BLOCKED)
