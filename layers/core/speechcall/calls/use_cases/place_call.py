"""Dialling, such that no phone rings twice for one call attempt, and none rings unknown to us.

What was sent and not certainly refused may ring. That it was sent is in the call item before it is sent, so
that also another try, or the function that finishes the call, knows of it. What a repeat is told says nothing about the
request before it: that may have dialled although this one is throttled or refused.

A provider that knows repeats is asked again, by us and not by its SDK, so that each request's answer is seen:

      control_call              call item               provider
          │── placing ──────────────►│                      │
          │── place ────────────────────────────────────────►│   429: certainly not dialled, put off
          or
          │── place ────────────────────────────────────────►│   (no answer, or 5xx)
          │── placing ──────────────►│                      │
          │── place, the same token ────────────────────────►│   its contact, new or the one that rings
          or, told nothing for 15 s but that it is throttled, refused or broken: in doubt, the task waits as for a
          phone that rings, and the call is finished when none can ring any more

Of a provider that does not know repeats, an answer that is lost leaves a question: is the phone ringing? Its own
first event would say so, within moments of the request.

      control_call              call item               provider
          │── placing ──────────────►│                      │
          │── place ────────────────────────────────────────►│   (no answer, or 5xx)
          │                          │◄── the contact ──────│   its first event, if it has dialled
          │── the contact? ─────────►│
          or, nothing having come for 22 s: it has not dialled, and may be asked again
"""

import logging
from typing import NamedTuple

from speechcall.calls.rules.call import Call
from speechcall.calls.rules.end_of_call import is_over
from speechcall.calls.use_cases.ports import CallStore, Telephony
from speechcall.shared.rules.errors import (
    DestinationRefused,
    SpeechCallError,
    TelephonyMisconfigured,
    TelephonyUnavailable,
)
from speechcall.shared.rules.outcome import CANCELLED
from speechcall.shared.use_cases.clock import Clock

logger = logging.getLogger(__name__)

SETTLED_SECONDS = 22
"""A SIP media application hangs up what its function has not answered for 20 s: a call that was not reported
by then is over, or never was (Amazon Chime SDK developer guide, "Understanding timeouts and retries")."""
LOOK_SECONDS = 1.0
AGAIN_SECONDS = (0.5, 1.0, 2.0, 4.0, 4.0)
"""Between one request and its repeat."""
PATIENCE_SECONDS = 15
"""After which no repeat is begun: one may take 11 s, and the function has 30."""


class Doubt(NamedTuple):
    """Whether the call was placed is not known. `said`: what the last request for it was told."""

    said: Exception


def place_once(
    call: Call, ring_timeout_seconds: int, *, telephony: Telephony, calls: CallStore, clock: Clock
) -> str | Doubt | None:
    """Dials a call attempt unless it was dialled; the contact's id. None: the call is over. Doubt: its phone may ring.

    Raises what `Telephony.place` raises: then no phone rings for this attempt.
    """
    place = _repeat if telephony.dials_once else _place_and_look
    return place(call, ring_timeout_seconds, telephony, calls, clock)


def note_contact(contact_id: str, call: Call, expires_at: int, *, telephony: Telephony, calls: CallStore) -> None:
    """Notes the contact of a call, and whose the contact is where the news of its end does not say so.

    A call that was cancelled while it was being dialled is stopped: who cancelled it knew no contact. What goes wrong
    with that, or with the note whose the contact is, is logged. Raises StoreUnavailable if the contact cannot be noted.
    """
    if telephony.has_records:
        try:
            calls.name_contact(contact_id, call.mid, call.attempt, expires_at)
        except Exception:
            # Then it is looked up in its record.
            fields = {"mid": call.mid, "attempt": call.attempt}
            logger.exception("whose the contact of call %s-%s is could not be noted", *fields.values(), extra=fields)
    found = calls.set_contact(call.mid, call.attempt, contact_id)
    if found and is_over(found) and found.stop_reason == CANCELLED.reason:
        try:
            telephony.stop(contact_id)
        except Exception:
            # It is tried again where it was cancelled, and who answers is hung up.
            fields = {"mid": call.mid, "attempt": call.attempt}
            logger.exception("call %s-%s, which was cancelled, could not be stopped", *fields.values(), extra=fields)


def is_certain(error: Exception) -> bool:
    """Whether a request that failed so has certainly not dialled. What is not foreseen says nothing about it."""
    return isinstance(error, SpeechCallError) and not (isinstance(error, TelephonyUnavailable) and error.maybe_done)


def _repeat(
    call: Call, ring_timeout_seconds: int, telephony: Telephony, calls: CallStore, clock: Clock
) -> str | Doubt | None:
    """Dials by a provider that knows a repeat, again and again until it is certain what came of it.

    The contact; None: the call is over or gone; Doubt: patience has run out, or a repeat was refused for good, and the
    phone may ring. Raises what the first request raises, if it certainly has not dialled.
    """
    begin = asked = clock.now_msec()
    # With 0 this is refused wherever an earlier request may have dialled, however long ago.
    is_first = not call.may_have_been_placed and calls.begin_placing(call.mid, call.attempt, begin, 0)
    pauses = iter(AGAIN_SECONDS)
    while True:
        # With `asked + 1` a request before does not forbid this one: the provider does not dial twice.
        if not is_first and not calls.begin_placing(call.mid, call.attempt, asked, asked + 1):
            found = calls.get(call.mid, call.attempt)
            if found is None or is_over(found):
                return None
            if found.contact_id:
                return found.contact_id
            # Else another try has asked later than this one: it is asked all the same.
        try:
            return telephony.place(call, ring_timeout_seconds)
        except Exception as error:
            # After any error that is not certain the phone may ring.
            if is_first and is_certain(error) and calls.set_not_placed(call.mid, call.attempt, begin):
                raise
            said = error
        is_first = False
        pause = next(pauses, PATIENCE_SECONDS)  # after the last pause one that is longer than the patience left
        is_final = isinstance(said, DestinationRefused | TelephonyMisconfigured)
        if is_final or clock.now_msec() + pause * 1000 > begin + PATIENCE_SECONDS * 1000:
            return Doubt(said)
        clock.sleep(pause)
        asked = clock.now_msec()


def _place_and_look(
    call: Call, ring_timeout_seconds: int, telephony: Telephony, calls: CallStore, clock: Clock
) -> str | None:
    """Dials once by a provider that would dial again for a repeat, then waits for the contact's own event.

    The contact; None: the call is over or gone. Raises what the request raises, if it certainly has not dialled; else
    as `_look_for`.
    """
    begin = clock.now_msec()
    if calls.begin_placing(call.mid, call.attempt, begin, begin - SETTLED_SECONDS * 1000):
        try:
            return telephony.place(call, ring_timeout_seconds)
        except Exception as error:
            # After any error that is not certain the phone may ring.
            if is_certain(error) and calls.set_not_placed(call.mid, call.attempt, begin):
                raise
    return _look_for(call, calls, clock)


def _look_for(call: Call, calls: CallStore, clock: Clock) -> str | None:
    """Waits for the contact of a call that may ring. None: the call is over or gone.

    Raises TelephonyUnavailable if none has come SETTLED_SECONDS after the provider was last asked, or if by now each
    request has certainly come to nothing.
    """
    while True:
        found = calls.get(call.mid, call.attempt)
        if found is None or is_over(found):
            return None
        if found.contact_id:
            return found.contact_id
        asked = found.placing_msec
        if asked is None or clock.now_msec() >= asked + SETTLED_SECONDS * 1000:
            raise TelephonyUnavailable("the provider has not placed the call")
        clock.sleep(LOOK_SECONDS)
