"""Turns and queues: who waits for a line in which order; DynamoDB and memory do the same."""

from dataclasses import replace

import pytest

from speechcall.messages.rules.turns import Queue, Turn
from speechcall.messages.use_cases.message_ports import (
    AccountFull,
    Brake,
    HeldBack,
    LinesFull,
    LineTaken,
    Pool,
    TurnMoved,
)
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.shared.rules.outcome import End
from tests.kit.samples import ASK, MESSAGE, NOW, message
from tests.kit.store_samples import ANSWERED

MANY = Pool(lines=9, calls_per_second=1000)
ACME = MESSAGE.account_id


@pytest.fixture
def turns(messages):
    return messages.turns


@pytest.fixture
def settle_brakes(stores):
    """Stops something, as the API does: a list, or an account's campaign."""

    def stop(brake, name, how="paused"):
        if stores.client is None:
            stores.messages.brakes[brake, name] = how
            return
        key = (
            {"pk": {"S": f"LIST#{name}"}, "sk": {"S": "BRAKE"}}
            if brake is Brake.LIST
            else {"pk": {"S": f"CAMPAIGN#{name[0]}#{name[1]}"}, "sk": {"S": "CAMPAIGN"}}
        )
        stores.client.update_item(
            TableName=stores.registry_table,
            Key=key,
            UpdateExpression=f"SET {how}_msec = :now",
            ExpressionAttributeValues={":now": {"N": str(NOW)}},
        )

    return stop


@pytest.fixture
def change_turn(stores):
    """What an operator, or a release before, has made of a turn."""

    def change(account_id, is_urgent=False, **fields):
        if stores.client is None:
            turns = stores.messages.turns
            turns.change(replace(turns.find(account_id, is_urgent), **fields))
            return
        names = {"share": "line_share", "is_paused": "paused_msec"}
        for name, value in fields.items():
            stores.client.update_item(
                TableName=stores.registry_table,
                Key={"pk": {"S": f"TURN#{account_id}"}, "sk": {"S": "URGENT" if is_urgent else "NORMAL"}},
                UpdateExpression=f"SET {names.get(name, name)} = :value",
                ExpressionAttributeValues={":value": {"N": str(int(value))}},
            )

    return change


def queued(messages, mid, now=NOW, **fields):
    messages.add([message(mid, number=f"+4930{mid:0>7}", **fields)])
    assert messages.queue(messages.get(mid), (ASK,), now)
    return messages.get(mid)


def claim(messages, mid, now=NOW, pool=MANY):
    """A claim by the turn and the queue as they are."""
    found, turns = messages.get(mid), messages.turns
    turn = turns.find(found.account_id, found.is_urgent)
    charge = Charge(turn, turns.find_queue(found.account_id, found.campaign, found.is_urgent))
    return messages.claim_line(found, "arn:flow", pool, now, charge)


# ---------------------------------------------------------------------- order
def test_who_has_nothing_to_dial_is_not_in_the_order(turns):
    assert turns.waiting(9) == []
    assert turns.find(ACME, False) == Turn(ACME)
    assert turns.find_queue(ACME, "spring", False) == Queue(ACME, "spring")
    assert turns.heads(Queue(ACME), 9) == []
    assert turns.all_of(ACME) == ([], [])


def test_a_queued_message_puts_its_queue_and_its_account_into_the_order(messages, turns):
    queued(messages, "7", campaign="spring")
    (turn,) = turns.waiting(9)
    (queue,) = turns.queues(turn, 9)
    assert turns.heads(queue, 9) == ["7"]
    assert (turn.account_id, turn.is_waiting, turn.woken_msec) == (ACME, True, NOW)
    assert (queue.campaign, queue.is_waiting, queue.woken_msec) == ("spring", True, NOW)
    assert turns.find(ACME, False) == turn
    assert turns.find_queue(ACME, "spring", False) == queue
    assert turns.all_of(ACME) == ([turn], [queue])


def test_messages_stand_in_their_queue_in_the_order_of_their_ids(messages, turns):
    for mid in ("1000", "9", "50"):
        queued(messages, mid)
    assert turns.heads(Queue(ACME), 2) == ["9", "50"]
    assert turns.heads(Queue(ACME), 9) == ["9", "50", "1000"]
    assert turns.heads(Queue(ACME, "spring"), 9) == []


def test_urgent_ones_have_a_turn_of_their_own_before_all_others(messages, turns):
    queued(messages, "1", account_id="a")
    queued(messages, "2", account_id="z", is_urgent=True)
    assert [(turn.account_id, turn.is_urgent) for turn in turns.waiting(9)] == [("z", True), ("a", False)]
    assert [(turn.account_id, turn.is_urgent) for turn in turns.waiting(1)] == [("z", True)]
    assert turns.heads(Queue("z", is_urgent=True), 9) == ["2"]
    assert turns.heads(Queue("z"), 9) == []


def test_the_order_is_by_what_was_charged(messages, turns):
    for mid, account in (("1", "a"), ("2", "a"), ("3", "b")):
        queued(messages, mid, account_id=account)
    assert [turn.account_id for turn in turns.waiting(9)] == ["a", "b"]
    assert claim(messages, "1") == LineTaken()
    first, second = turns.waiting(9)
    assert (first.account_id, second.account_id) == ("b", "a")
    # A minute of line time, at share 10.
    assert (second.virtual, second.live) == (60_000 * 1000 // 10, {"1-1"})
    (queue,) = turns.queues(second, 9)
    assert queue.virtual == second.virtual
    assert turns.heads(queue, 9) == ["2"]


def test_campaigns_of_an_account_have_turns_too(messages, turns):
    for mid, campaign in (("1", "a"), ("2", "a"), ("3", "b")):
        queued(messages, mid, campaign=campaign)
    (turn,) = turns.waiting(9)
    assert [queue.campaign for queue in turns.queues(turn, 9)] == ["a", "b"]
    assert claim(messages, "1") == LineTaken()
    assert [queue.campaign for queue in turns.queues(turn, 9)] == ["b", "a"]
    assert [queue.campaign for queue in turns.queues(turn, 1)] == ["b"]


# ------------------------------------------------------------- charge and end
def test_the_end_of_a_call_corrects_what_was_charged_for_it(messages, turns):
    queued(messages, "1")
    assert claim(messages, "1") == LineTaken()
    called = messages.get("1")
    assert (called.share, called.charged_msec) == (10, 60_000)
    assert messages.finish(called, ANSWERED, NOW + 90_000)
    turn, queue = turns.find(ACME, False), turns.find_queue(ACME, "", False)
    assert (turn.owed, turn.live, turn.ended, turn.line_msec) == (30_000 * 100, frozenset(), 1, 90_000)
    assert queue.owed == turn.owed
    # The next claim takes it in.
    queued(messages, "2")
    assert claim(messages, "2", NOW + 100_000) == LineTaken()
    after = turns.find(ACME, False)
    assert (after.owed, after.virtual) == (0, turn.standing + turn.expected_msec * 100)


def test_a_call_that_settles_has_given_its_line_back_and_is_corrected_once(messages, turns):
    queued(messages, "1")
    claim(messages, "1")
    assert messages.settle(messages.get("1"), End.LOST, ANSWERED, NOW + 10_000)
    turn = turns.find(ACME, False)
    assert (turn.owed, turn.live, turn.ended) == (-50_000 * 100, frozenset(), 1)
    assert messages.finish(messages.get("1"), ANSWERED, NOW + 99_000)
    assert turns.find(ACME, False) == turn


def test_of_two_dialers_that_go_by_one_turn_the_second_is_told_how_it_is_now(messages, turns):
    for mid in ("1", "2"):
        queued(messages, mid)
    read = Charge(turns.find(ACME, False), turns.find_queue(ACME, "", False))
    assert claim(messages, "1") == LineTaken()
    moved = messages.claim_line(messages.get("2"), "arn:flow", MANY, NOW + 9, read)
    assert moved == TurnMoved(turns.find(ACME, False))
    assert messages.get("2").attempt == 0


def test_an_account_has_no_more_lines_than_it_may_and_is_put_back_when_one_comes_free(messages, turns, change_turn):
    change_turn(ACME, max_lines=1)
    for mid in ("1", "2"):
        queued(messages, mid)
    assert claim(messages, "1") == LineTaken()
    assert claim(messages, "2", NOW + 1) == AccountFull()
    full = turns.find(ACME, False)
    assert not full.has_room
    # Given that a dialer takes it out of the order, when its call ends, then it is back.
    assert turns.rest(full)
    assert turns.waiting(9) == []
    assert messages.finish(messages.get("1"), ANSWERED, NOW + 5000)
    (turn,) = turns.waiting(9)
    assert turn.has_room
    assert not turns.rest(full), "a dialer that saw it full is too late"
    assert claim(messages, "2", NOW + 6000) == LineTaken()


def test_lines_are_kept_free_for_urgent_ones(messages, lines):
    pool = Pool(lines=2, calls_per_second=1000, urgent_lines=1)
    for mid, is_urgent in (("1", False), ("2", False), ("3", True)):
        queued(messages, mid, is_urgent=is_urgent)
    assert claim(messages, "1", NOW, pool) == LineTaken()
    assert claim(messages, "2", NOW + 1, pool) == LinesFull()
    assert claim(messages, "3", NOW + 2, pool) == LineTaken()
    assert lines.read().normal == {"1-1"}
    assert messages.finish(messages.get("1"), ANSWERED, NOW + 3)
    assert lines.read().normal == frozenset()
    assert claim(messages, "2", NOW + 4, pool) == LineTaken()
    assert claim(messages, "2", NOW + 4, pool._replace(urgent_lines=2)) == LinesFull()


# ------------------------------------------------------------------- stopped
@pytest.mark.parametrize("how", ["paused", "cancelled"])
@pytest.mark.parametrize("brake", [Brake.LIST, Brake.CAMPAIGN])
def test_what_is_stopped_is_not_dialled(messages, settle_brakes, brake, how):
    found = queued(messages, "1", campaign="spring")
    settle_brakes(brake, found.list_id if brake is Brake.LIST else (ACME, "spring"), how)
    assert claim(messages, "1") == HeldBack(brake, is_final=how == "cancelled")
    assert messages.get("1") == found


def test_an_account_that_is_stopped_is_not_dialled(messages, change_turn):
    queued(messages, "5")
    change_turn(ACME, is_paused=True)
    assert claim(messages, "5") == HeldBack(Brake.ACCOUNT, is_final=False)
    change_turn(ACME, cancelled_upto=5)
    assert claim(messages, "5") == HeldBack(Brake.ACCOUNT, is_final=True)


def test_a_paused_account_does_not_come_into_the_order(messages, turns, change_turn):
    change_turn(ACME, is_paused=True)
    queued(messages, "1")
    assert turns.waiting(9) == []
    assert turns.heads(Queue(ACME), 9) == ["1"]


# ------------------------------------------------------------- rest and wake
def test_what_rests_comes_back_when_it_is_woken(messages, turns):
    queued(messages, "1")
    turn, queue = turns.find(ACME, False), turns.find_queue(ACME, "", False)
    assert turns.rest(turn, queue)
    assert turns.queues(turn, 9) == []
    assert turns.rest(turn)
    assert turns.waiting(9) == []
    turns.wake(ACME, "", False, NOW + 70_000)
    assert [one.account_id for one in turns.waiting(9)] == [ACME]
    assert [one.campaign for one in turns.queues(turn, 9)] == [""]


def test_what_was_woken_since_it_was_read_does_not_rest(messages, turns):
    queued(messages, "1")
    turn, queue = turns.find(ACME, False), turns.find_queue(ACME, "", False)
    turns.wake(ACME, "", False, NOW + 30_000)
    assert not turns.rest(turn, queue)
    assert not turns.rest(turn)
    assert turns.waiting(9)[0].woken_msec == NOW + 30_000


def test_who_was_away_has_saved_nothing(messages, turns):
    for mid in ("1", "2", "3"):
        queued(messages, mid, account_id="busy")
        assert claim(messages, mid, NOW + int(mid)) == LineTaken()
    clock = turns.find("busy", False)
    queued(messages, "9", account_id="new")
    # It begins where the account stood that took the latest line, not at nothing.
    assert turns.find("new", False).virtual == clock.virtual - 60_000 * 100
    assert [turn.account_id for turn in turns.waiting(9)] == ["new", "busy"]


def test_calls_that_hold_no_line_any_more_are_forgotten(messages, turns):
    for mid in ("1", "2"):
        queued(messages, mid)
        assert claim(messages, mid, NOW + int(mid)) == LineTaken()
    turn = turns.find(ACME, False)
    turns.forget_live(turn, ["1-1", "7-1"])
    turns.forget_live(turn, [])
    assert turns.find(ACME, False).live == {"2-1"}
