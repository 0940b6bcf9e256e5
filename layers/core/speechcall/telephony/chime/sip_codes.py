"""Why a call ended, from its SIP response code."""

from speechcall.calls.rules.call import Cause

_UNANSWERED = {
    0: Cause.NO_ANSWER,
    403: Cause.BLOCKED,
    404: Cause.INVALID_NUMBER,
    408: Cause.NO_ANSWER,
    410: Cause.INVALID_NUMBER,
    480: Cause.NO_ANSWER,
    484: Cause.INVALID_NUMBER,
    485: Cause.INVALID_NUMBER,
    486: Cause.BUSY,
    487: Cause.NO_ANSWER,
    600: Cause.BUSY,
    603: Cause.BUSY,
    604: Cause.INVALID_NUMBER,
    607: Cause.BLOCKED,
    608: Cause.BLOCKED,
}
"""0, 480 and 486 stand in the Amazon Chime SDK developer guide ("Understanding telephony events"), the others mean
what SIP says (RFC 3261 section 21, RFC 8197, RFC 8688)."""


def cause_of(sip_code: int | None, answered: bool) -> Cause:
    """The cause, from the SipResponseCode of a HANGUP event, which may be missing (None): that counts as 0.

    A call that was answered ends with 0 on either side's hang-up, so CALLER_HUNG_UP may also be ours; any other code is
    the service's own, such as 480 when its function has not answered in time ("Understanding timeouts and retries").
    """
    if answered:
        return Cause.FAILED if sip_code else Cause.CALLER_HUNG_UP
    return _UNANSWERED.get(sip_code or 0, Cause.FAILED)
