"""The end of a call: one write, then an answer to whoever waits for it.

      control_call                call item                 end
          │                           │◄── ended ────────────│  (returns the new image)
          │── ask, token 2 ──X refused│                      │  ask is answered `ended` at once
          or
          │── ask, token 2 ──────────►│◄── ended ────────────│  finds token 2 and answers it

Either the command fails, or the end sees its token: nobody waits for a dead call. What stands in the log for the
command was heard while the call was up, silence too, and is the answer in both.
"""

from dataclasses import dataclass, replace

from speechcall.application.give_reply import give_reply, tell_task
from speechcall.application.look_up import look_until_ended
from speechcall.application.ports import CallStore, Clock, Contact, Engine, Telephony
from speechcall.domain.call import Call, Cause, Kind
from speechcall.domain.end_of_call import awaits_report
from speechcall.domain.errors import NOT_ANSWERED, TelephonyUnavailable
from speechcall.domain.ids import parse_attempt


def end_call(
    mid: str,
    attempt: int,
    cause: Cause,
    *,
    calls: CallStore,
    engine: Engine,
    clock: Clock,
    at_msec: int | None = None,
) -> Call | None:
    """Marks a call ended (`at_msec`; None: now) and answers its waiting task; returns the call, None if there is none.

    A repeat answers again, for the first one may have died between its two steps.
    """
    call = calls.end(mid, attempt, cause, clock.now_msec() if at_msec is None else at_msec)
    if call and call.goes_by_log and call.entry(call.seq) and (reply := call.known_reply):
        tell_task(reply, call.ticket.token, engine)
    elif call and call.awaits_answer:
        if call.command.kind is Kind.DIAL:
            engine.fail(call.ticket.token, NOT_ANSWERED, (call.cause or cause).value)
        elif key := call.known_key:
            give_reply(key, call, calls=calls, engine=engine, clock=clock)
        else:
            engine.succeed(call.ticket.token, {"event": "ended", "key": "", "seq": call.seq})
    return call


IN_FLIGHT_SECONDS, LOOK_SECONDS = 2.0, 0.1
"""For how long behind a contact's end a report from before it may be on its way, and how often that is looked at."""


def _await_report(call: Call, contact: Contact, calls: CallStore, clock: Clock) -> None:
    """Waits until what was heard just before a contact's end is written, or cannot come any more.

    connect_flow            call item            connect_events
        │── key 1, seq 2 ...    │                     │  the callee has hung up
        │                       │      looks, 2 s     │
        │── entry 2: key 1 ────►│◄────────────────────│  a new entry: nothing else can be on its way
        │                       │◄── ended ───────────│

    A callee who presses and hangs up makes two pieces of news that nobody numbers; that of the end may be the quicker.
    """
    now = clock.now_msec()
    until, heard = min(now, contact.ended_msec or now) + round(IN_FLIGHT_SECONDS * 1000), call.log_seq
    found: Call | None = call
    while found and found.log_seq == heard and awaits_report(found) and clock.now_msec() < until:
        clock.sleep(LOOK_SECONDS)
        found = calls.get(call.mid, call.attempt)


@dataclass(frozen=True, slots=True)
class EndHeard:
    """A provider's news that a contact has ended. `answered`: the news says that somebody had answered."""

    contact_id: str
    answered: bool


def hear_end(heard: EndHeard, *, telephony: Telephony, calls: CallStore, engine: Engine, clock: Clock) -> Call | None:
    """Takes in the news of a contact's end, in any order and as often as it comes. None: it is none of ours.

    News may come before the provider's own record shows the end, or is there at all. Who has been answered and is gone
    is told so at once; why nobody answered stands only in the record, so that is waited for, 3.5 s. Raises
    TelephonyUnavailable if there is no record even then: the news should be told again.
    """
    contact = telephony.look_up(heard.contact_id)
    if not (contact.ended or contact.missing) and not is_ours(contact):
        return None
    if contact.missing or not (contact.ended or contact.answered or heard.answered):
        contact = look_until_ended(heard.contact_id, telephony, clock, is_new=True)
    if contact.missing:
        # Whose it is stands in its record alone. Thrown away, the news would leave its line taken for minutes.
        raise TelephonyUnavailable("news of a contact came before its record")
    if not contact.ended:
        answered = contact.answered or heard.answered
        cause = Cause.CALLER_HUNG_UP if answered else Cause.NO_ANSWER
        contact = replace(contact, ended=True, answered=answered, cause=cause)
    return contact_ended(contact, calls=calls, engine=engine, clock=clock)


def is_ours(contact: Contact) -> bool:
    """Whether the contact has the attributes with which ours are placed."""
    return parse_attempt(contact.attributes.get("mid"), contact.attributes.get("attempt")) is not None


def contact_ended(contact: Contact, *, calls: CallStore, engine: Engine, clock: Clock) -> Call | None:
    """Takes in that a provider's contact has ended. None: it has not, or it is none of ours.

    Ours are known by the attributes they were placed with; events see every contact of an instance.
    """
    named = parse_attempt(contact.attributes.get("mid"), contact.attributes.get("attempt"))
    if not contact.ended or named is None:
        return None
    mid, attempt = named
    call = calls.get(mid, attempt)
    if call is None or call.contact_id not in (None, contact.contact_id):
        return None
    now = clock.now_msec()
    if contact.answered:
        # The flow's own report may be late or lost; that somebody answered is known all the same.
        calls.set_answered(mid, attempt, contact.contact_id, now)
    if call.goes_by_log:
        _await_report(call, contact, calls, clock)
    cause = contact.cause or Cause.FAILED
    return end_call(mid, attempt, cause, calls=calls, engine=engine, clock=clock, at_msec=now)
