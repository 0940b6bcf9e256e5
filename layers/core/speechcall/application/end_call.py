"""The end of a call: one write, then an answer to whoever waits for it.

      control_call                call item                 end
          │                           │◄── ended ────────────│  (returns the new image)
          │── ask, token 2 ──X refused│                      │  ask is answered `ended` at once
          or
          │── ask, token 2 ──────────►│◄── ended ────────────│  finds token 2 and answers it

Either the command fails, or the end sees its token: nobody waits for a dead call.
"""

from speechcall.application.ports import CallStore, Clock, Contact, Engine
from speechcall.domain.call import Call, Cause, Kind
from speechcall.domain.errors import NOT_ANSWERED


def end_call(mid: str, attempt: int, cause: Cause, *, calls: CallStore, engine: Engine, clock: Clock) -> Call | None:
    """Marks a call ended and answers its waiting task; returns the call, None if there is none.

    A repeat answers again, for the first one may have died between its two steps.
    """
    call = calls.end(mid, attempt, cause, clock.now_msec())
    if call and call.awaits_answer:
        if call.command.kind is Kind.DIAL:
            engine.fail(call.ticket.token, NOT_ANSWERED, (call.cause or cause).value)
        else:
            engine.succeed(call.ticket.token, {"event": "ended", "key": "", "seq": call.seq})
    return call


def contact_ended(contact: Contact, *, calls: CallStore, engine: Engine, clock: Clock) -> Call | None:
    """Takes in that a provider's contact has ended. None: it has not, or it is none of ours.

    Ours are known by the attributes they were placed with; events see every contact of an instance.
    """
    mid, attempt = contact.attributes.get("mid", ""), contact.attributes.get("attempt", "")
    if not contact.ended or not mid.isdecimal() or not attempt.isdecimal():
        return None
    call = calls.get(mid, int(attempt))
    if call is None or call.contact_id not in (None, contact.contact_id):
        return None
    if contact.answered:
        # The flow's own report may be late or lost; that somebody answered is known all the same.
        calls.set_answered(mid, int(attempt), contact.contact_id, clock.now_msec())
    return end_call(mid, int(attempt), contact.cause or Cause.FAILED, calls=calls, engine=engine, clock=clock)
