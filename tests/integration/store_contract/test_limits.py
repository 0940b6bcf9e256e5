"""Limits for calls: to a number in any 24 hours, and an account's minutes of a day; DynamoDB and memory do the same."""

from dataclasses import replace

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account
from speechcall.messages.adapters.caps_store import OPEN_AGAIN_MSEC, read_numbers, spent_of_day, unkeyed, used_of_day
from speechcall.messages.rules.dial_times import COUNTED_MSEC, NO_CAPS, Caps, Counted, next_day_msec
from speechcall.messages.rules.pool import Pool
from speechcall.messages.use_cases.message_ports import Capped, LineTaken, NumberBusy, Redialled, TurnMoved
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.shared.rules.outcome import End, Outcome
from tests.integration.store_contract.test_turns import ACME, claim
from tests.kit.samples import ASK, NOW, message
from tests.kit.store_samples import ANSWERED

MANY = Pool(300, 1000)
NUMBER = "+4930123"
MINUTE = 60_000
DAY_MSEC = 86_400_000


def waits(messages, mid, **fields):
    messages.add([message(mid, **{"number": NUMBER, **fields})])
    assert messages.queue(messages.get(mid), (ASK,), NOW)


def ends(messages, mid, now, **told):
    assert messages.finish(replace(messages.get(mid), **told), ANSWERED, now)


def test_a_number_gets_so_many_calls_in_any_24_hours_and_no_more(messages, change_turn):
    change_turn(ACME, calls_per_number=2)
    for mid in "12345":
        waits(messages, mid)
    waits(messages, "6", number="+4930999")
    moments = (NOW, NOW + 3_600_000)
    for mid, moment in zip("12", moments, strict=True):
        assert claim(messages, mid, moment) == LineTaken()
        ends(messages, mid, moment + 5000)
    capped = Capped(Caps((Counted(2, moments),)))
    assert claim(messages, "3", moments[1] + 6000) == capped
    assert capped.caps.allow_msec == NOW + COUNTED_MSEC
    assert messages.get("3").attempt == 0
    # Another number is another matter.
    assert claim(messages, "6", moments[1] + 7000) == LineTaken()
    # When the first counts no more there is room for one, and for the next after the second.
    assert claim(messages, "3", NOW + COUNTED_MSEC - 1) == capped
    assert claim(messages, "3", NOW + COUNTED_MSEC) == LineTaken()
    ends(messages, "3", NOW + COUNTED_MSEC + 5000)
    again = Capped(Caps((Counted(2, (moments[1], NOW + COUNTED_MSEC)),)))
    assert claim(messages, "4", NOW + COUNTED_MSEC + 6000) == again
    assert claim(messages, "4", moments[1] + COUNTED_MSEC) == LineTaken()


def test_a_call_that_cannot_have_rung_is_counted_nowhere(messages, change_turn):
    change_turn(ACME, calls_per_number=1, minutes_per_day=1)
    pool = MANY._replace(calls_per_number=1)
    for mid in "12":
        waits(messages, mid)
    assert claim(messages, "1", NOW, pool) == LineTaken()
    called = messages.get("1")
    assert called.limits == {"account": 1, "stack": 1, "minutes": 1}
    known = Caps((Counted(1, (NOW,)), Counted(1, (NOW,))), next_day_msec(NOW))
    assert messages.caps_of(called, NOW) == known
    # What its end will take out does not stand in the way of its redial.
    assert messages.caps_of(replace(called, was_not_placed=True), NOW) == Caps((Counted(1), Counted(1)))
    assert messages.requeue(replace(called, was_not_placed=True), 0, NOW + 10_000, NOW + 1000) is Redialled.QUEUED
    assert messages.caps_of(called, NOW) == Caps((Counted(1), Counted(1)))
    assert claim(messages, "1", NOW + 10_000, pool) == LineTaken()
    # What has perhaps rung counts.
    ends(messages, "1", NOW + 20_000)
    assert claim(messages, "2", NOW + 30_000, pool) == Capped(
        Caps((Counted(1, (NOW + 10_000,)), Counted(1, (NOW + 10_000,))))
    )


def test_the_stacks_limit_counts_the_calls_of_all_accounts_also_of_those_that_nobody_is_charged_for(messages):
    pool = MANY._replace(calls_per_number=2)
    for mid, account in (("1", "a"), ("2", "b"), ("3", "c")):
        waits(messages, mid, account_id=account)
    assert claim(messages, "1", NOW, pool) == LineTaken()
    assert claim(messages, "3", NOW, pool) == NumberBusy()
    ends(messages, "1", NOW + 1000)
    assert messages.claim_line(messages.get("2"), "arn:flow", pool, NOW + 2000) == LineTaken()
    ends(messages, "2", NOW + 3000)
    assert claim(messages, "3", NOW + 4000, pool) == Capped(Caps((Counted(2, (NOW, NOW + 2000)),)))
    # Whoever has no limit counts nothing, and is not held up.
    assert claim(messages, "3", NOW + 4000) == LineTaken()
    assert messages.get("3").limits == {}
    assert messages.caps_of(messages.get("3"), NOW) == NO_CAPS


def test_a_claim_by_a_limit_that_was_changed_since_is_told_so(messages, turns, change_turn):
    for mid in "12":
        waits(messages, mid)
    assert claim(messages, "1") == LineTaken()
    ends(messages, "1", NOW + 1000)
    turn, queue = turns.find(ACME, False), turns.find_queue(ACME, "", False)
    change_turn(ACME, calls_per_number=1)
    late = messages.claim_line(messages.get("2"), "arn:flow", MANY, NOW + 2000, Charge(turn, queue))
    assert late == TurnMoved(turns.find(ACME, False))
    change_turn(ACME, minutes_per_day=5)
    limited = Charge(late.turn, queue)
    assert isinstance(messages.claim_line(messages.get("2"), "arn:flow", MANY, NOW + 2000, limited), TurnMoved)


def test_a_limit_that_became_smaller_goes_by_the_latest_calls(messages, change_turn):
    change_turn(ACME, calls_per_number=3)
    for mid in "123":
        waits(messages, mid)
    for mid, moment in (("1", NOW), ("2", NOW + 1000)):
        assert claim(messages, mid, moment) == LineTaken()
        ends(messages, mid, moment + 500)
    change_turn(ACME, calls_per_number=1)
    capped = claim(messages, "3", NOW + 2000)
    assert capped == Capped(Caps((Counted(1, (NOW, NOW + 1000)),)))
    assert capped.caps.allow_msec == NOW + 1000 + COUNTED_MSEC
    assert claim(messages, "3", NOW + COUNTED_MSEC) == capped
    assert claim(messages, "3", NOW + 1000 + COUNTED_MSEC) == LineTaken()


def test_minutes_are_estimated_at_the_claim_and_corrected_at_the_end(messages, change_turn):
    change_turn(ACME, minutes_per_day=2)
    for mid in "12345":
        waits(messages, mid, number=f"+49301{mid}")
    # Two calls are up, at a minute each as long as nothing is known; so no third one begins.
    assert claim(messages, "1") == claim(messages, "2", NOW + 1) == LineTaken()
    # What they do not take is given back when they end, so that is looked at again in a minute.
    spent = Capped(Caps(spent_until_msec=next_day_msec(NOW)))
    assert claim(messages, "3", NOW + 2) == Capped(Caps(spent_until_msec=NOW + 2 + OPEN_AGAIN_MSEC))
    # Nobody answers one of them: its minute is free again.
    ends(messages, "1", NOW + 30_000, talked_msec=0)
    assert claim(messages, "3", NOW + 30_001) == LineTaken()
    # The others were long.
    ends(messages, "2", NOW + 200_000, talked_msec=90_000)
    assert claim(messages, "4", NOW + 200_001) == Capped(Caps(spent_until_msec=NOW + 200_001 + OPEN_AGAIN_MSEC))
    ends(messages, "3", NOW + 300_000, talked_msec=29_999)
    assert claim(messages, "4", NOW + 300_001) == LineTaken()
    # Of what nothing is known the time of the line counts.
    ends(messages, "4", NOW + 300_003)
    assert claim(messages, "5", NOW + 300_004) == spent
    assert claim(messages, "5", next_day_msec(NOW) - 1) == spent
    assert claim(messages, "5", next_day_msec(NOW)) == LineTaken()


def test_a_call_that_settles_is_corrected_when_more_is_known_and_on_the_day_on_which_it_began(messages, change_turn):
    change_turn(ACME, minutes_per_day=1)
    for mid in "12":
        waits(messages, mid, number=f"+49301{mid}")
    midnight = next_day_msec(NOW)
    assert claim(messages, "1", midnight - 1000) == LineTaken()
    called = messages.get("1")
    assert messages.settle(called, End.LOST, Outcome("noAnswer", "noAnswer"), midnight + 1000)
    assert messages.caps_of(called, midnight - 1).spent_until_msec == midnight
    assert messages.caps_of(called, midnight).spent_until_msec == 0
    # Of the day after it gives nothing back.
    assert claim(messages, "2", midnight + 2000) == LineTaken()
    ends(messages, "2", midnight + 2500, talked_msec=MINUTE)
    assert messages.caps_of(replace(called, talked_msec=0), midnight + 3000).spent_until_msec == midnight + DAY_MSEC
    assert messages.finish(replace(messages.get("1"), talked_msec=0), ANSWERED, midnight + 5000)
    assert messages.caps_of(called, midnight - 1).spent_until_msec == 0


def test_who_claims_for_a_number_again_and_again_leaves_no_more_than_count(dynamodb):
    pool = MANY._replace(calls_per_number=2)
    now = NOW
    for number in range(6):
        mid = str(number)
        waits(dynamodb.messages, mid)
        assert claim(dynamodb.messages, mid, now, pool) == LineTaken()
        ends(dynamodb.messages, mid, now + 1000)
        now += COUNTED_MSEC // 2
    items = [
        item for item in dynamodb.client.scan(TableName=dynamodb.registry_table)["Items"] if item["sk"]["S"] == "CALLS"
    ]
    (item,) = items
    assert len(item["calls"]["SS"]) == 2
    assert NUMBER not in str(item)
    assert int(item["expires_at"]["N"]) * 1000 > now


def test_the_check_reads_what_an_account_has_called_and_nothing_of_others(dynamodb):
    account = Account(ACME, ("*",), calls_per_number=2, minutes_per_day=1)
    assert DynamoAccounts(dynamodb.client, dynamodb.registry_table).add(account, {})
    waits(dynamodb.messages, "1")
    waits(dynamodb.messages, "2", account_id="other")
    pool = MANY._replace(calls_per_number=5)
    for step, mid in enumerate("21"):
        assert claim(dynamodb.messages, mid, NOW + 10_000 * step, pool) == LineTaken()
        ends(dynamodb.messages, mid, NOW + 10_000 * step + 5000, talked_msec=59_000)
    numbers = [NUMBER, "+4930999", *(f"+49301{number:07}" for number in range(98))]

    def read(account, now=NOW + 20_000):
        return read_numbers(dynamodb.client, dynamodb.registry_table, account, numbers, now, unkeyed)

    found = read(account)
    assert (len(found), found[NUMBER]) == (100, Caps((Counted(2, (NOW + 10_000,)),)))
    assert found["+4930999"] == Caps((Counted(2),))
    # Its minutes: a call of 59 seconds, and one that has just begun.
    waits(dynamodb.messages, "3", number="+4930999")
    assert claim(dynamodb.messages, "3", NOW + 30_000, pool) == LineTaken()
    assert {caps.spent_until_msec for caps in read(account).values()} == {next_day_msec(NOW)}
    used, *others = [
        used_of_day(dynamodb.client, dynamodb.registry_table, name, moment)
        for name, moment in ((ACME, NOW), (ACME, next_day_msec(NOW)), ("other", NOW))
    ]
    assert 59_000 < used <= 59_000 + MINUTE
    assert others == [0, 0]
    assert {caps.spent_until_msec for caps in read(account, next_day_msec(NOW)).values()} == {0}
    only = replace(account, calls_per_number=None)
    assert read(only)[NUMBER] == Caps((), next_day_msec(NOW))
    assert read(replace(only, minutes_per_day=None))[NUMBER] == NO_CAPS


def priced(messages, mid, price, now=NOW):
    """A claim for a call that may cost so much."""
    found, turns = messages.get(mid), messages.turns
    turn, queue = turns.find(ACME, False), turns.find_queue(ACME, "", False)
    return messages.claim_line(found, "arn:flow", MANY, now, Charge(turn, queue, price))


def test_what_a_call_may_cost_is_reserved_at_the_claim_and_corrected_at_the_end(messages, change_turn):
    change_turn(ACME, spend_per_day=10)
    for mid in "123456":
        waits(messages, mid, number=f"+49301{mid}")
    midnight = next_day_msec(NOW)
    open_again = lambda now: Capped(Caps(spent_until_msec=now + OPEN_AGAIN_MSEC))  # noqa: E731
    assert priced(messages, "1", 4) == priced(messages, "2", 6, NOW + 1) == LineTaken()
    assert messages.get("1").limits == {"spend": 10}
    assert messages.get("1").reserved == 4
    # Not a millionth more than the limit, though one may be given back in a minute.
    assert priced(messages, "3", 1, NOW + 2) == open_again(NOW + 2)
    ends(messages, "1", NOW + 30_000, talked_msec=1000, spent=1)
    assert priced(messages, "3", 4, NOW + 30_001) == open_again(NOW + 30_001)
    assert priced(messages, "3", 3, NOW + 30_001) == LineTaken()
    # One that was not placed costs nothing; one of which nothing is known costs what was reserved.
    ends(messages, "2", NOW + 40_000, was_not_placed=True)
    assert priced(messages, "4", 6, NOW + 40_001) == LineTaken()
    ends(messages, "3", NOW + 50_000)
    ends(messages, "4", NOW + 50_000, spent=6)
    assert priced(messages, "5", 1, NOW + 50_001) == Capped(Caps(spent_until_msec=midnight))
    assert priced(messages, "5", 1, midnight - 1) == Capped(Caps(spent_until_msec=midnight))
    assert priced(messages, "5", 1, midnight) == LineTaken()
    # What nobody has priced, or may cost more than a day, is for an empty day or for none.
    assert priced(messages, "6", None, midnight + 2) == open_again(midnight + 2)
    assert isinstance(priced(messages, "6", 11, midnight + 86_400_000), Capped)
    assert priced(messages, "6", None, midnight + 86_400_000) == LineTaken()


def test_a_redial_waits_for_the_next_day_where_its_call_does_not_fit_any_more(messages, change_turn):
    change_turn(ACME, spend_per_day=10, minutes_per_day=100)
    for mid in "12":
        waits(messages, mid, number=f"+49301{mid}")
    assert priced(messages, "1", 5) == priced(messages, "2", 5, NOW + 1) == LineTaken()
    called, midnight = messages.get("1"), next_day_msec(NOW)
    known = lambda **told: messages.caps_of(replace(called, **told), NOW).spent_until_msec  # noqa: E731
    assert known(spent=0) == known(was_not_placed=True) == 0
    assert known(spent=1) == known() == midnight
    assert messages.settle(called, End.LOST, Outcome("noAnswer", "noAnswer"), NOW + 5)
    assert messages.caps_of(replace(messages.get("1"), spent=0), NOW).spent_until_msec == 0
    assert messages.finish(replace(messages.get("1"), spent=3), ANSWERED, NOW + 9)
    assert messages.caps_of(replace(messages.get("2"), spent=5), NOW).spent_until_msec == midnight


def test_the_spend_of_a_day_is_that_on_which_calls_began(dynamodb):
    assert DynamoAccounts(dynamodb.client, dynamodb.registry_table).add(Account(ACME, ("*",), spend_per_day=10), {})
    waits(dynamodb.messages, "1")
    midnight = next_day_msec(NOW)
    assert priced(dynamodb.messages, "1", 7, midnight - 1) == LineTaken()
    spent = lambda moment: spent_of_day(dynamodb.client, dynamodb.registry_table, ACME, moment)  # noqa: E731
    assert (spent(midnight - 1), spent(midnight)) == (7, 0)
    ends(dynamodb.messages, "1", midnight + 5, spent=2)
    assert (spent(midnight - 1), spent(midnight)) == (2, 0)
