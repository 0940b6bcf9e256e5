"""News of a call's end, as each provider brings it. Apart from `end_call`, so that dialling does not load it.

That a call is dead and why are two facts. News of an end may come before the provider's record of it, which alone may
say why: then the end is written with a guess, and asked about when its line has been given back (`finish_call`).
"""

from dataclasses import dataclass

from speechcall.calls.rules.call import Call, Cause
from speechcall.calls.rules.end_of_call import awaits_report, better_guess, guessed_cause
from speechcall.calls.use_cases.end_call import end_call, tell_end
from speechcall.calls.use_cases.look_up import LOOK_AGAIN_SECONDS
from speechcall.calls.use_cases.ports import CallStore, Engine, Telephony
from speechcall.shared.rules.errors import TelephonyUnavailable
from speechcall.shared.rules.ids import parse_attempt
from speechcall.shared.use_cases.clock import Clock

IN_FLIGHT_SECONDS, LOOK_SECONDS = 2.0, 0.1
"""For how long behind a contact's end a report from before it may be on its way, and how often that is looked at."""


@dataclass(frozen=True, slots=True)
class EndReport:
    """What a telephony says of the end of one of our calls.

    Before an answer the same news may mean another cause, and whether there was one is known here better than to the
    provider.
    """

    mid: str
    attempt: int
    contact_id: str
    answered: bool = False
    """The news says that somebody had answered. False: it does not say so; somebody may have all the same."""
    if_answered: Cause | None = None
    """Why it ended, if somebody had answered; None: it is not said."""
    if_unanswered: Cause | None = None
    """Why it ended, if nobody had answered; None: it is not said."""
    is_last_word: bool = False
    """No record will say more: where this does not say why it ended, what is guessed is final."""
    at_msec: int | None = None
    """When it ended, as far as that is said."""
    turn: int = 0
    """As in a `Report`."""


def hear_end(report: EndReport, *, calls: CallStore, engine: Engine, clock: Clock) -> Call | None:
    """Takes in the news of a call's end, in any order and as often as it comes; the call as it is then.

    None: there is no such call, or its contact is another. The machine hears of the end at once, before any record is
    read. Where the news does not say why the call has ended, a guess is written, and `finish_call` asks the record when
    the line is free; unless no record will say more (`is_last_word`): then the guess is final. Raises as `end_call`.
    """
    call = calls.get(report.mid, report.attempt)
    if call is None or call.contact_id not in (None, report.contact_id):
        return None
    now = clock.now_msec()
    if call.ended:
        call = _learn(call, report, calls)
        tell_end(call, calls, engine, clock)
        return call
    if call.contact_id is None:
        # The end came before the provider's answer to the dial. By the contact it will be asked why the call ended.
        calls.set_contact(call.mid, call.attempt, report.contact_id)
    if report.answered and call.answered_msec is None:
        # The report of the answer may be late or lost; that somebody answered is known all the same.
        call = calls.set_answered(call.mid, call.attempt, report.contact_id, now) or call
    call = _await_report(call, report, calls, clock)
    answered = report.answered or call.answered_msec is not None
    said = report.if_answered if answered else report.if_unanswered
    cause, is_guess = said or guessed_cause(call, answered=answered), said is None and not report.is_last_word
    return end_call(
        call.mid, call.attempt, cause, calls=calls, engine=engine, clock=clock, at_msec=now, is_guess=is_guess
    )


def _await_report(call: Call, end: EndReport, calls: CallStore, clock: Clock) -> Call:
    """Waits until what was heard just before a contact's end is written, or cannot come any more.

    follow_call             call item            hear_end
        │── key 1, seq 2 ...    │                     │  the callee has hung up
        │                       │      looks, 2 s     │
        │── entry 2: key 1 ────►│◄────────────────────│  a new entry: nothing else can be on its way
        │                       │◄── ended ───────────│

    A callee who presses a key and hangs up makes two events without an order; that of the end may come first, and where
    the events are numbered, be dealt with first. A key is written in one step with its event's number (`turn`): while
    the number before the end's is not there, a key may be on its way. It may also never come, for not each event is
    noted; so the wait is bounded.
    """
    if not (call.goes_by_log or end.turn):
        return call
    now = clock.now_msec()
    until, heard = min(now, end.at_msec or now) + round(IN_FLIGHT_SECONDS * 1000), call.log_seq
    found: Call | None = call
    while found and awaits_report(found) and clock.now_msec() < until:
        # With numbered events: the one before the end is noted. Without: an entry has come.
        if found.turn >= end.turn - 1 if end.turn else found.log_seq != heard:
            break
        clock.sleep(LOOK_SECONDS)
        found = calls.get(call.mid, call.attempt)
    return found or call


def _learn(call: Call, report: EndReport, calls: CallStore) -> Call:
    """Writes what the news adds to a guessed cause: that somebody had answered, or that the call is over at all.

    Returns the call as it is then.
    """
    if not call.cause_is_guess:
        return call
    # As in `ask_why`: when it was answered is not known, and the moment of its end stands for it.
    answered_msec = call.ended_msec if report.answered and call.answered_msec is None else None
    said = report.if_answered if report.answered or call.answered_msec is not None else report.if_unanswered
    if said:
        return calls.explain(call.mid, call.attempt, said, answered_msec) or call
    guess = better_guess(call, answered=report.answered, has_ended=True)
    if guess is call.cause and answered_msec is None:
        return call
    return calls.explain(call.mid, call.attempt, guess, answered_msec, is_guess=True) or call


@dataclass(frozen=True, slots=True)
class ContactEnd:
    """A provider's news that a contact has ended, which does not say whose it is. `answered`: somebody had answered.

    `is_repeat`: it says once more what other news has said, or says just now.
    """

    contact_id: str
    answered: bool
    is_repeat: bool = False
    at_msec: int | None = None
    """When it ended, if the news says that."""


def hear_contact_end(
    end: ContactEnd, *, telephony: Telephony, calls: CallStore, engine: Engine, clock: Clock
) -> Call | None:
    """Ends the call of a contact, by news that does not say whose the contact is. None: it is none of ours, or it is
    not noted and the news is a repeat: then the other news looks for it.

    Only a contact that is not noted yet is looked up in its record. Raises TelephonyUnavailable if there is no record
    yet, what `telephony` raises, and as `end_call`: the news should be delivered again.
    """
    report = _named(end, calls)
    if report is None and not end.is_repeat:
        report = _look_for(end, telephony, calls, clock)
    return hear_end(report, calls=calls, engine=engine, clock=clock) if report else None


def _named(end: ContactEnd, calls: CallStore) -> EndReport | None:
    """The news with whose call it is, by the note about the contact; None: there is none (yet)."""
    owner = calls.find_contact(end.contact_id)
    return EndReport(*owner, end.contact_id, end.answered, at_msec=end.at_msec) if owner else None


def _look_for(end: ContactEnd, telephony: Telephony, calls: CallStore, clock: Clock) -> EndReport | None:
    """The news with whose call it is, by the contact's record, or by a note that was just being made. None: it is none
    of ours. Raises TelephonyUnavailable if there is neither.
    """
    contact = telephony.look_up(end.contact_id)
    for pause in LOOK_AGAIN_SECONDS:
        if not contact.missing:
            break
        clock.sleep(pause)
        if report := _named(end, calls):
            return report
        contact = telephony.look_up(end.contact_id)
    if contact.missing:
        # Thrown away, the news would leave its line taken for minutes.
        raise TelephonyUnavailable("news of a contact came before its record")
    owner = parse_attempt(contact.attributes.get("mid"), contact.attributes.get("attempt"))
    if owner is None:
        return None
    cause = contact.cause if contact.ended and not contact.cause_is_guess else None
    answered = end.answered or contact.answered
    return EndReport(*owner, end.contact_id, answered, cause, cause, at_msec=contact.ended_msec)
