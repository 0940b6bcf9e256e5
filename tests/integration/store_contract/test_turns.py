"""Turns and queues: who waits for a line in which order; DynamoDB and memory do the same."""

from dataclasses import replace

import pytest

from speechcall.accounts.rules.account import DEFAULT_SHARE
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.rules.turns import SCALE, Queue, Turn
from speechcall.messages.use_cases.message_ports import (
    AccountFull,
    Brake,
    HeldBack,
    LinesFull,
    LineTaken,
    QueueShut,
    Redialled,
    TurnMoved,
)
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.shared.rules.calling_hours import Hours, Window
from speechcall.shared.rules.outcome import End
from tests.kit.samples import ASK, MESSAGE, NOW, message
from tests.kit.store_samples import ANSWERED

MANY = Pool(lines=9, calls_per_second=1000)
ACME = MESSAGE.account_id


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


def queued(messages, mid, now=NOW, **fields):
    messages.add([message(mid, number=f"+4930{mid:0>7}", **fields)])
    assert messages.queue(messages.get(mid), (ASK,), now)
    return messages.get(mid)


def claim(messages, mid, now=NOW, pool=MANY):
    """A claim by the turn and the queue as they are."""
    found, turns = messages.get(mid), messages.turns
    turn = turns.find(found.account_id, found.is_urgent)
    charge = Charge(turn, turns.find_queue(found.account_id, found.campaign, found.is_urgent, found.window))
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


def test_a_queue_keeps_each_charge_though_a_claim_goes_by_it_as_it_was_before_the_last(messages, turns):
    for mid in ("1", "2", "3"):
        queued(messages, mid)
    assert claim(messages, "1") == LineTaken()
    assert messages.finish(messages.get("1"), ANSWERED, NOW + 30_000)
    read = turns.find_queue(ACME, "", False)
    assert (read.virtual, read.owed) == (60_000 * 100, -30_000 * 100)
    charged = read.standing
    for now, mid in (
        (NOW + 40_000, "2"),
        (NOW + 50_000, "3"),
    ):  # the index lags, or a dialer was told of the turn alone
        turn = turns.find(ACME, False)
        taken = messages.claim_line(messages.get(mid), "arn:flow", MANY, now, Charge(turn, read))
        assert taken == LineTaken()
        charged += turn.expected_msec * 100
    found = turns.find_queue(ACME, "", False)
    assert found.standing == charged == turns.find(ACME, False).standing


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


def test_a_dialler_that_knows_an_account_with_more_lines_takes_no_line_beyond_what_it_may_hold_now(
    messages, turns, change_turn
):
    for mid in ("1", "2", "3"):
        queued(messages, mid)
    assert claim(messages, "1") == LineTaken()
    read = Charge(turns.find(ACME, False), turns.find_queue(ACME, "", False))
    change_turn(ACME, max_lines=2)
    moved = messages.claim_line(messages.get("2"), "arn:flow", MANY, NOW + 9, read)
    assert moved == TurnMoved(turns.find(ACME, False))
    assert claim(messages, "2", NOW + 9) == LineTaken()
    read = Charge(turns.find(ACME, False), turns.find_queue(ACME, "", False))
    change_turn(ACME, max_lines=1)
    assert messages.claim_line(messages.get("3"), "arn:flow", MANY, NOW + 18, read) == AccountFull()


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


def test_a_message_of_a_paused_list_that_has_had_a_call_since_it_was_read_is_not_held_back(messages, settle_brakes):
    read = queued(messages, "1")
    assert claim(messages, "1") == LineTaken()
    assert messages.requeue(messages.get("1"), 1, NOW + 600_000, NOW + 1000) is Redialled.QUEUED
    settle_brakes(Brake.LIST, read.list_id)
    assert not messages.hold_back(read, NOW + 2000)
    assert messages.get("1").due_msec == NOW + 600_000
    assert messages.hold_back(messages.get("1"), NOW + 2000)


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


# ---------------------------------------------------------------------- hours
NIGHT = (Hours((Window(20 * 60, 6 * 60),), ("UTC",)),)
"""Shut at NOW, which is 14:13 UTC."""
OPENS = NOW - NOW % 86_400_000 + 20 * 3_600_000
SHUTS = OPENS + 10 * 3_600_000


def test_a_queue_whose_hours_are_shut_is_not_in_the_order_until_they_open(messages, turns):
    for mid in ("20", "3"):
        queued(messages, mid, hours=NIGHT)
    window = messages.get("3").window
    queue = turns.find_queue(ACME, "", False, window)
    assert (queue.window, queue.is_waiting, queue.opens_msec) == (window, False, OPENS)
    assert turns.waiting(9) == []
    assert turns.heads(queue, 9) == ["3", "20"]
    assert turns.heads(Queue(ACME), 9) == []
    assert turns.open_due(OPENS - 1) == 0
    # At the opening it takes one write, however many wait.
    assert turns.open_due(OPENS) == 1
    assert turns.open_due(OPENS) == 0
    (turn,) = turns.waiting(9)
    (queue,) = turns.queues(turn, 9)
    assert (queue.window, queue.is_waiting, queue.opens_msec) == (window, True, 0)
    assert claim(messages, "3", OPENS) == LineTaken()
    assert messages.finish(messages.get("3"), ANSWERED, OPENS + 5000)
    assert turns.find_queue(ACME, "", False, window).standing == 5000 * SCALE // DEFAULT_SHARE
    assert turns.find_queue(ACME, "", False).standing == 0


def test_what_was_read_while_the_hours_were_open_neither_calls_nor_takes_the_queue_from_its_place(messages, turns):
    queued(messages, "7", OPENS, hours=NIGHT)
    queued(messages, "8", OPENS)
    (turn,) = turns.waiting(9)
    read = turns.find_queue(ACME, "", False, messages.get("7").window)
    turns.shut(read, SHUTS + 1)
    charge = Charge(turn, read)
    assert messages.claim_line(messages.get("7"), "arn:flow", MANY, OPENS, charge) == QueueShut()
    assert messages.get("7").state is State.QUEUED
    assert not turns.rest(turn, read)
    assert [queue.name for queue in turns.queues(turn, 9)] == [("", "")]
    assert claim(messages, "8", OPENS) == LineTaken()
    assert turns.open_due(SHUTS + 1) == 1


def test_a_claim_that_its_hours_and_anothers_charge_refuse_is_told_of_the_hours(messages, turns):
    for mid, hours in (("6", ()), ("7", NIGHT)):
        queued(messages, mid, OPENS, hours=hours)
    charge = Charge(turns.find(ACME, False), turns.find_queue(ACME, "", False, messages.get("7").window))
    assert claim(messages, "6", OPENS) == LineTaken()
    turns.shut(charge.queue, SHUTS + 1)
    assert messages.claim_line(messages.get("7"), "arn:flow", MANY, OPENS + 9, charge) == QueueShut()


def test_a_claim_that_a_changed_limit_and_the_accounts_lines_refuse_is_told_of_the_lines(messages, turns, change_turn):
    change_turn(ACME, max_lines=1)
    for mid in ("1", "2"):
        queued(messages, mid)
    assert claim(messages, "1") == LineTaken()
    charge = Charge(turns.find(ACME, False), turns.find_queue(ACME, "", False))
    change_turn(ACME, calls_per_number=5)
    assert messages.claim_line(messages.get("2"), "arn:flow", MANY, NOW + 9, charge) == AccountFull()


def test_urgent_messages_campaigns_and_other_hours_have_queues_of_their_own(messages, turns):
    day = (Hours((Window(8 * 60, 20 * 60),), ("UTC",)),)
    queued(messages, "1", hours=NIGHT, campaign="spring")
    queued(messages, "2", hours=NIGHT, is_urgent=True)
    queued(messages, "3", hours=day)
    queued(messages, "4")
    open_ones = [queue for turn in turns.waiting(9) for queue in turns.queues(turn, 9)]
    assert {queue.window for queue in open_ones} == {"", messages.get("3").window}
    found = {(queue.campaign, queue.is_urgent, queue.window) for queue in turns.all_of(ACME)[1]}
    night = messages.get("1").window
    assert found == {
        ("spring", False, night),
        ("", True, night),
        ("", False, messages.get("3").window),
        ("", False, ""),
    }
    assert turns.open_due(OPENS) == 2


def test_a_message_that_is_to_be_sent_later_stands_in_no_queue_until_then(messages, turns):
    later = NOW + 3_600_000
    queued(messages, "7", send_at_msec=later)
    assert turns.waiting(9) == []
    assert messages.to_promote(later - 1, 9) == []
    # Whoever calls it back too early moves nothing.
    assert messages.promote(messages.get("7"), NOW)
    assert turns.heads(Queue(ACME), 9) == []
    assert messages.to_promote(later, 9) == ["7"]
    assert messages.promote(messages.get("7"), later)
    assert turns.heads(Queue(ACME), 9) == ["7"]
    assert messages.to_promote(later, 9) == []


def test_how_a_call_before_was_answered_is_kept_while_the_message_waits(messages):
    queued(messages, "7")
    claim(messages, "7")
    calling = replace(messages.get("7"), answered_reason="callerHungUp")
    assert messages.redial(calling, NOW + 60_000, 9, NOW) is Redialled.QUEUED
    assert messages.get("7").answered_reason == "callerHungUp"
    assert messages.promote(messages.get("7"), NOW + 60_000)
    assert claim(messages, "7", NOW + 60_000) == LineTaken()
    assert messages.requeue(messages.get("7"), 1, NOW + 90_000, NOW + 70_000)
    assert messages.get("7").answered_reason == "callerHungUp"
