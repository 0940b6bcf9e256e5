"""A message out of a copy: what began since then is not begun once more, whatever state the copy has."""

import pytest

from speechcall.messages.adapters.message_items import dump, load, state_of
from speechcall.messages.adapters.restored_items import Begun, Fate, is_left, mid_in, restored
from speechcall.messages.rules.message import State
from tests.kit.samples import MID, message

MACHINE = "arn:aws:states:eu-central-1:1:stateMachine:p-shape"
NOW = 1_800_000_000_000


def item(state, attempt):
    found = {**dump(message(MID)), "state": state.value, "attempt": attempt}
    found["redial"] = {"attempts": 3, "after_seconds": [60], "on": ["failed"]}
    if state is State.QUEUED:
        found |= {"order_pk": "WAITING#a", "order_sk": MID, "held_back": True}
    if state is State.CALLING:
        found |= {"machine_arn": MACHINE, "line_share": 10, "charged_msec": 5, "limits": {"account": 3}}
    if state is State.FINISHED:
        found |= {"outcome": "answered", "reason": "completed", "finished_msec": 1}
    if state is State.SETTLING:
        found |= {"state": "finished", "settling_end": "failed", "outcome": "failed", "finished_msec": 1}
    return found


@pytest.mark.parametrize("attempt", [0, 1, 2])
@pytest.mark.parametrize("begun", [None, Begun(1, MACHINE), Begun(2, MACHINE), Begun(3, "another")])
@pytest.mark.parametrize("state", State)
def test_no_attempt_is_begun_twice(state, attempt, begun):
    before = item(state, attempt)
    after, fate = restored(before, begun, NOW)
    is_called_since = begun is not None and begun.attempt > attempt
    assert load(after).mid == MID
    match state:
        case State.FINISHED:
            assert (after, fate) == (before, Fate.AS_IT_WAS)
        case _ if is_called_since:
            assert fate is Fate.CALLED_SINCE
            assert state_of(after) is State.CALLING
            assert (load(after).attempt, load(after).flow_arn) == (begun.attempt, begun.machine_arn)
            assert (load(after).redial, load(after).stands, load(after).outcome) == (None, False, None)
            assert load(after).limits == {}
        case State.PREPARING | State.QUEUED:
            assert (after, fate) == (before, Fate.AS_IT_WAS)
        case State.CALLING | State.SETTLING:
            assert fate is Fate.IN_CALL
            assert after == {name: value for name, value in before.items() if name != "redial"}


def test_only_a_message_is_one():
    assert mid_in({"pk": f"M#{MID}", "sk": "MESSAGE"}) == MID
    assert mid_in({"pk": f"M#{MID}", "sk": "CALL#001"}) is None


@pytest.mark.parametrize("state", [State.PREPARING, State.QUEUED, State.CALLING, State.SETTLING])
def test_what_an_interrupted_run_has_put_back_is_known_and_no_call_is_taken_for_it(state):
    before, begun = item(state, 1), Begun(2, MACHINE)
    left, _ = restored(before, begun, NOW)
    assert is_left(left, before, begun)
    assert not is_left(left, before, None)
    assert not is_left(left, before, Begun(3, MACHINE))
    assert not is_left(before, before, begun)
    assert not is_left({**left, "state": "finished", "outcome": "failed"}, before, begun)
    # What a claim writes: a call that was begun, and is not lost.
    for name, value in {"line_share": 0, "charged_msec": 0, "has_limit": False, "due_at": NOW + 1}.items():
        assert not is_left({**left, name: value}, before, begun)
    # What was put back as it was is no such one.
    assert not is_left(restored(before, Begun(1, MACHINE), NOW)[0], before, Begun(1, MACHINE))
