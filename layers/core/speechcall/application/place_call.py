"""Dialling, such that no phone rings twice for one call attempt.

A provider that knows repeats is simply asked again. Of one that does not, an answer that is lost leaves
a question: is the phone ringing? Its own first event would say so, within moments of the request.

      control_call              call item               provider
          │── placing ──────────────►│                      │
          │── place ────────────────────────────────────────►│   (no answer, or 5xx)
          │                          │◄── the contact ──────│   its first event, if it has dialled
          │── the contact? ─────────►│
          or, nothing having come for 22 s: it has not dialled, and may be asked again
"""

from speechcall.application.ports import CallStore, Clock, Telephony
from speechcall.domain.call import Call
from speechcall.domain.errors import SpeechCallError, TelephonyUnavailable

SETTLED_SECONDS = 22
"""A SIP media application hangs up what its function has not answered for 20 s: a call that we have not heard of
by then is over, or never was (Amazon Chime SDK developer guide, "Understanding timeouts and retries")."""
LOOK_SECONDS = 1.0


def place_once(
    call: Call, ring_timeout_seconds: int, *, telephony: Telephony, calls: CallStore, clock: Clock
) -> str | None:
    """Dials a call attempt unless it was dialled; the contact's id, None if the call is over.

    Raises what `Telephony.place` raises. TelephonyUnavailable means that no phone rings.
    """
    if telephony.dials_once:
        return telephony.place(call, ring_timeout_seconds)
    begin = clock.now_msec()
    if calls.begin_placing(call.mid, call.attempt, begin, begin - SETTLED_SECONDS * 1000):
        try:
            return telephony.place(call, ring_timeout_seconds)
        except SpeechCallError as error:
            if not (isinstance(error, TelephonyUnavailable) and error.maybe_done):
                calls.set_not_placed(call.mid, call.attempt, begin)
                raise
    return _look_for(call, calls, clock)


def _look_for(call: Call, calls: CallStore, clock: Clock) -> str | None:
    """The contact of a call that may have been placed, once it is known."""
    while True:
        found = calls.get(call.mid, call.attempt)
        if found is None or found.ended:
            return None
        if found.contact_id:
            return found.contact_id
        asked = found.placing_msec
        if asked is None or clock.now_msec() >= asked + SETTLED_SECONDS * 1000:
            raise TelephonyUnavailable("the provider has not placed the call")
        clock.sleep(LOOK_SECONDS)
