"""When a command may not be given."""

import pytest

from speechcall.calls.rules.call import Bounds, Call, Cause, Command, Kind, Ticket
from speechcall.calls.rules.refusal import Refusal, over_limit, refusal
from tests.kit.samples import CALL, NOW

BOUNDS = Bounds(max_visits=3, max_seconds=60)
DIALLED = CALL.ticket
LATER = Ticket("2026-09-21T12:00:09.000Z", 0, "t")
ASK, HANG_UP = Command(Kind.ASK, 0), Command(Kind.HANG_UP)
ENDED = CALL._replace(ended_msec=NOW, cause=Cause.CALLER_HUNG_UP)
FULL = CALL._replace(visits=3)


@pytest.mark.parametrize(
    ("call", "ticket", "command", "after_msec", "expected"),
    [
        (None, LATER, ASK, 0, Refusal.UNKNOWN),
        (CALL, LATER, ASK, 0, None),
        (CALL, DIALLED, ASK, 0, None),
        (CALL, Ticket(DIALLED.visit, 1, "t"), ASK, 0, None),
        (CALL._replace(ticket=LATER), DIALLED, ASK, 0, Refusal.STALE),
        (CALL._replace(ticket=LATER._replace(retry=2)), LATER._replace(retry=1), ASK, 0, Refusal.STALE),
        (ENDED, LATER, ASK, 0, Refusal.ENDED),
        (ENDED, LATER, HANG_UP, 0, Refusal.ENDED),
        (ENDED._replace(ticket=LATER), DIALLED, ASK, 0, Refusal.STALE),
        (ENDED._replace(visits=3), LATER, ASK, 0, Refusal.ENDED),
        (FULL, LATER, ASK, 0, Refusal.LIMIT),
        (FULL, LATER, HANG_UP, 0, None),
        (FULL, DIALLED._replace(retry=1), ASK, 0, None),
        (CALL, LATER, ASK, 59_999, None),
        (CALL, LATER, ASK, 60_000, Refusal.LIMIT),
        (CALL, LATER, HANG_UP, 60_000, None),
    ],
)
def test_why_a_command_is_refused(call, ticket, command, after_msec, expected):
    assert refusal(call, ticket, command, BOUNDS, NOW + after_msec) == expected


@pytest.mark.parametrize(
    ("visits", "msec", "over"), [(0, 0, False), (2, 59_999, False), (3, 0, True), (0, 60_000, True)]
)
def test_a_call_is_over_its_limit_by_visits_or_by_time(visits, msec, over):
    assert over_limit(CALL._replace(visits=visits), BOUNDS, NOW + msec) is over


def test_a_call_awaits_an_answer_until_its_command_is_done():
    assert CALL.awaits_answer
    assert not CALL._replace(done_seq=1).awaits_answer
    assert CALL._replace(seq=2, done_seq=1).awaits_answer


def test_a_call_has_ended_once_its_end_is_known():
    assert not CALL.ended
    assert isinstance(ENDED, Call)
    assert ENDED.ended
