"""A telephony without telephones: a call is placed into a queue, and its callee acts by the number's last digits.

There is nothing here that could ring: no client of Amazon Connect or the Chime SDK, and no right to ask them.
"""

from typing import Protocol, assert_never

from speechcall.calls.rules.call import Call, Cause
from speechcall.calls.use_cases.ports import Contact
from speechcall.shared.rules.errors import DestinationRefused, TelephonyMisconfigured, TelephonyThrottled
from speechcall.telephony.simulated.callees import Refusal, callee_of, script_of
from speechcall.telephony.simulated.moments import Moment, What, attempt_of, contact_of


class Moments(Protocol):
    """Brings what happens next in a call when it is due."""

    def send(self, moment: Moment, seconds: float = 0) -> None: ...


class SimulatedTelephony:
    """A `Telephony` whose callees are scripts."""

    dials_once = True
    has_records = False

    def __init__(self, moments: Moments) -> None:
        self._moments = moments

    def place(self, call: Call, ring_timeout_seconds: int) -> str:
        """Begins a call, which rings for at most this time. A repeat begins the same call: its contact is its name.

        Raises the refusal of the number's script, and as `Telephony` says.
        """
        script = script_of(call.number)
        if refusal := callee_of(script, call.attempt).refusal:
            raise _error_of(refusal)
        moment = Moment(call.mid, call.attempt, What.RINGS, script, ring_timeout_seconds, turn=1)
        self._moments.send(moment)
        return contact_of(call.mid, call.attempt)

    def stop(self, contact_id: str) -> None:
        """The call is told to be over. A contact that is no simulated one is of a provider before, and long over."""
        if named := attempt_of(contact_id):
            self._moments.send(Moment(*named, What.STOPPED))

    def look_up(self, contact_id: str) -> Contact:
        """Over. A call is looked up when what it should have reported is overdue, or when it was stopped: whatever of
        it is still in the queue finds a call that has ended, and does nothing. No phone rings here that could ring on.
        """
        return Contact(contact_id, {}, ended=True, answered=False, cause=None)


def _error_of(refusal: Refusal) -> Exception:
    """The error that a real provider's client raises for such a refusal."""
    match refusal:
        case Refusal.THROTTLED:
            return TelephonyThrottled("its number's script")
        case Refusal.MISCONFIGURED:
            return TelephonyMisconfigured("its number's script")
        case Refusal.INVALID_NUMBER:
            return DestinationRefused(Cause.INVALID_NUMBER.value)
        case _:
            assert_never(refusal)
