"""SIP response codes and what they mean for a message."""

import pytest

from speechcall.calls.rules.call import Cause
from speechcall.telephony.chime.sip_codes import cause_of


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (486, Cause.BUSY),
        (600, Cause.BUSY),
        (603, Cause.BUSY),
        (480, Cause.NO_ANSWER),
        (408, Cause.NO_ANSWER),
        (487, Cause.NO_ANSWER),
        (0, Cause.NO_ANSWER),
        (None, Cause.NO_ANSWER),
        (404, Cause.INVALID_NUMBER),
        (484, Cause.INVALID_NUMBER),
        (604, Cause.INVALID_NUMBER),
        (403, Cause.BLOCKED),
        (607, Cause.BLOCKED),
        (608, Cause.BLOCKED),
        (500, Cause.FAILED),
        (503, Cause.FAILED),
        (488, Cause.FAILED),
    ],
)
def test_why_nobody_answered(code, cause):
    assert cause_of(code, answered=False) is cause


@pytest.mark.parametrize(
    ("code", "cause"), [(0, Cause.CALLER_HUNG_UP), (None, Cause.CALLER_HUNG_UP), (480, Cause.FAILED)]
)
def test_how_a_call_that_was_answered_ended(code, cause):
    assert cause_of(code, answered=True) is cause
