"""The end of a call: one write, then the answer to the task that waits for it.

      control_call                call item                 end
          │                           │◄── ended ────────────│  (returns the new image)
          │── ask, token 2 ──X refused│                      │  ask is answered `ended` at once
          or
          │── ask, token 2 ──────────►│◄── ended ────────────│  finds token 2 and answers it

Either the command fails, or the end sees its token: no task waits for a dead call. What is in the log for the
command was heard while the call was up, silence too, and is the answer in both.

That a call is dead and why are two facts. News of an end may come before the provider's record of it, which alone may
say why: then the end is written with a guess, and asked about when its line has been given back (`finish_call`).
"""

from dataclasses import dataclass

from speechcall.calls.rules.call import Call, Cause, Kind
from speechcall.calls.rules.end_of_call import awaits_report, better_guess, guessed_cause
from speechcall.calls.use_cases.give_reply import give_reply, tell_task
from speechcall.calls.use_cases.look_up import LOOK_AGAIN_SECONDS
from speechcall.calls.use_cases.ports import CallStore, Contact, Engine, Telephony
from speechcall.shared.rules.errors import NOT_ANSWERED, TelephonyUnavailable
from speechcall.shared.rules.ids import parse_attempt
from speechcall.shared.use_cases.clock import Clock


def end_call(
    mid: str,
    attempt: int,
    cause: Cause,
    *,
    calls: CallStore,
    engine: Engine,
    clock: Clock,
    at_msec: int | None = None,
    is_guess: bool = False,
) -> Call | None:
    """Marks a call ended (`at_msec`; None: now) and answers its waiting task; returns the call, None if there is none.

    `is_guess`: it is certain that it has ended, and not yet why. A repeat answers again, for the first one may have
    died between its two steps.
    """
    call = calls.end(mid, attempt, cause, clock.now_msec() if at_msec is None else at_msec, is_guess=is_guess)
    if call and call.cause_is_guess and not is_guess:
        call = calls.explain(mid, attempt, cause, None) or call
    if call:
        _tell_end(call, calls, engine, clock)
    return call


def end_as_recorded(
    call: Call, contact: Contact, otherwise: Cause, *, calls: CallStore, engine: Engine, clock: Clock
) -> Call | None:
    """As `end_call`, of a contact whose record shows its end; `otherwise` is the cause where that has none."""
    cause, is_guess = contact.cause or otherwise, contact.cause_is_guess
    return end_call(call.mid, call.attempt, cause, calls=calls, engine=engine, clock=clock, is_guess=is_guess)


def _tell_end(call: Call, calls: CallStore, engine: Engine, clock: Clock) -> None:
    if call.goes_by_log and call.entry(call.seq) and (reply := call.known_reply):
        tell_task(reply, call.ticket.token, engine)
    elif call.awaits_answer:
        if call.command.kind is Kind.DIAL:
            engine.fail(call.ticket.token, NOT_ANSWERED, (call.cause or Cause.FAILED).value)
        elif key := call.known_key:
            give_reply(key, call, calls=calls, engine=engine, clock=clock)
        else:
            engine.succeed(call.ticket.token, {"event": "ended", "key": "", "seq": call.seq})


IN_FLIGHT_SECONDS, LOOK_SECONDS = 2.0, 0.1
"""For how long behind a contact's end a report from before it may be on its way, and how often that is looked at."""


def _await_report(call: Call, ended_msec: int | None, calls: CallStore, clock: Clock) -> Call:
    """Waits until what was heard just before a contact's end is written, or cannot come any more.

    connect_flow            call item            connect_events
        │── key 1, seq 2 ...    │                     │  the callee has hung up
        │                       │      looks, 2 s     │
        │── entry 2: key 1 ────►│◄────────────────────│  a new entry: nothing else can be on its way
        │                       │◄── ended ───────────│

    A callee who presses and hangs up makes two events without an order; that of the end may come first.
    """
    now = clock.now_msec()
    until, heard = min(now, ended_msec or now) + round(IN_FLIGHT_SECONDS * 1000), call.log_seq
    found: Call | None = call
    while found and found.log_seq == heard and awaits_report(found) and clock.now_msec() < until:
        clock.sleep(LOOK_SECONDS)
        found = calls.get(call.mid, call.attempt)
    return found or call


@dataclass(frozen=True, slots=True)
class EndHeard:
    """A provider's news that a contact has ended. `answered`: the news says that somebody had answered.

    `is_repeat`: it says once more what other news has said, or says just now.
    """

    contact_id: str
    answered: bool
    is_repeat: bool = False
    at_msec: int | None = None
    """When it ended, if the news says that."""


def hear_end(heard: EndHeard, *, telephony: Telephony, calls: CallStore, engine: Engine, clock: Clock) -> Call | None:
    """Takes in the news of a contact's end, in any order and as often as it comes. None: it is none of ours.

    Dead is dead: the machine is told at once, and no record is looked into for it. Why it ended is asked for when its
    line is free. Only a contact that is not noted yet is looked up in its record. Raises TelephonyUnavailable if
    there is none: the news should be told again.
    """
    named = calls.find_contact(heard.contact_id)
    contact = None
    if named is None:
        if heard.is_repeat:  # the other news looks for it
            return None
        named, contact = _look_for(heard.contact_id, telephony, calls, clock)
    call = calls.get(*named) if named else None
    if call is None or call.contact_id not in (None, heard.contact_id):
        return None
    now = clock.now_msec()
    if call.ended:
        call = _learn(call, heard, calls)
        _tell_end(call, calls, engine, clock)
        return call
    if call.contact_id is None:
        # The end came before the provider's answer to the dial. Why it ended is asked for by the contact.
        calls.set_contact(call.mid, call.attempt, heard.contact_id)
    answered = heard.answered or call.answered_msec is not None or (contact is not None and contact.answered)
    if answered and call.answered_msec is None:
        # The flow's own report may be late or lost; that somebody answered is known all the same.
        call = calls.set_answered(call.mid, call.attempt, heard.contact_id, now) or call
    if call.goes_by_log:
        call = _await_report(call, contact.ended_msec if contact else heard.at_msec, calls, clock)
    cause, is_guess = guessed_cause(call, answered=answered), True
    if contact and contact.ended and contact.cause and not contact.cause_is_guess:
        cause, is_guess = contact.cause, False
    return end_call(
        call.mid, call.attempt, cause, calls=calls, engine=engine, clock=clock, at_msec=now, is_guess=is_guess
    )


def _learn(call: Call, heard: EndHeard, calls: CallStore) -> Call:
    """What the news adds to a guess that was made without it: that somebody answered, or that it is over at all."""
    if not call.cause_is_guess:
        return call
    answered_msec = call.ended_msec if heard.answered and call.answered_msec is None else None
    guess = better_guess(call, answered=heard.answered, has_ended=True)
    if guess is call.cause and answered_msec is None:
        return call
    return calls.explain(call.mid, call.attempt, guess, answered_msec, is_guess=True) or call


def _look_for(
    contact_id: str, telephony: Telephony, calls: CallStore, clock: Clock
) -> tuple[tuple[str, int] | None, Contact | None]:
    """Whose a contact is that was not noted: by its record, or a note that was just being made. None: not ours."""
    contact = telephony.look_up(contact_id)
    for pause in LOOK_AGAIN_SECONDS:
        if not contact.missing:
            break
        clock.sleep(pause)
        if named := calls.find_contact(contact_id):
            return named, None
        contact = telephony.look_up(contact_id)
    if contact.missing:
        # Thrown away, the news would leave its line taken for minutes.
        raise TelephonyUnavailable("news of a contact came before its record")
    return parse_attempt(contact.attributes.get("mid"), contact.attributes.get("attempt")), contact
