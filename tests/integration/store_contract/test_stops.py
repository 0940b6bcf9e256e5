"""What is paused or cancelled, and the jobs of it; DynamoDB and memory do the same."""

from dataclasses import replace

import pytest

from speechcall.messages.adapters.stops_store import DynamoStops
from speechcall.messages.rules.message import State
from speechcall.messages.rules.stops import CampaignNumbers, Stop, StopState
from speechcall.messages.use_cases.message_ports import Brake, HeldBack, LineTaken, Redialled
from speechcall.messages.use_cases.stop_ports import Stopped
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.shared.adapters.keys import campaign_key, campaign_lists_partition, campaign_lists_place, list_key
from speechcall.shared.adapters.table import to_wire
from speechcall.shared.rules.ids import last_id, latest_msec, new_ids
from speechcall.shared.rules.outcome import CANCELLED, End, Outcome
from tests.kit.samples import ASK, MESSAGE, MID, NOW, message
from tests.kit.store_samples import EXPIRES, POOL, called, queued, settling
from tests.stores.stops import MemoryStops

ACME = MESSAGE.account_id
LIST = Stopped(Brake.LIST, ACME, MESSAGE.list_id)
CAMPAIGN = Stopped(Brake.CAMPAIGN, ACME, "spring")
ACCOUNT = Stopped(Brake.ACCOUNT, ACME)
NUMBERS = CampaignNumbers(messages=9, unfinished=5, calling=2, outcomes={"cancelled": 1})


@pytest.fixture
def stops(stores):
    """The stops, with the campaign `spring` of two lists."""
    lists = ("99", "100")
    if stores.client is None:
        return MemoryStops(stores.messages, {(ACME, "spring"): NUMBERS}, {(ACME, "spring"): lists})
    made = {"message_count": 9, "unfinished_count": 5, "in_calls": 2, "outcome_cancelled": 1}
    items = [{**campaign_key(ACME, "spring"), **made}]
    for one in lists:
        place = {"order_pk": campaign_lists_partition(ACME, "spring"), "order_sk": campaign_lists_place(one)}
        items.append({**list_key(one), **place})
    for item in items:
        stores.client.put_item(TableName=stores.registry_table, Item=to_wire(item))
    return DynamoStops(stores.client, stores.registry_table)


def claim(messages, mid=MID, **more):
    found = replace(messages.get(mid), **more)
    charge = Charge(
        messages.turns.find(ACME, found.is_urgent), messages.turns.find_queue(ACME, found.campaign, found.is_urgent)
    )
    return messages.claim_line(found, "arn:flow", POOL, NOW, charge)


@pytest.mark.parametrize("what", [LIST, CAMPAIGN], ids=["list", "campaign"])
def test_a_pause_is_lifted_a_cancellation_is_final_and_each_may_be_repeated(stops, what):
    assert stops.pause(what, NOW, EXPIRES) == Stop(paused_msec=NOW)
    assert stops.pause(what, NOW + 1, EXPIRES) == Stop(paused_msec=NOW)
    assert stops.resume(what) == stops.resume(what) == Stop()
    assert stops.pause(what, NOW + 2, EXPIRES) == Stop(paused_msec=NOW + 2)
    assert stops.cancel(what, NOW + 3, EXPIRES, hangs_up=False).state is StopState.CANCELLED
    assert stops.cancel(what, NOW + 4, EXPIRES, hangs_up=False).state is StopState.CANCELLED
    assert stops.pause(what, NOW + 5, EXPIRES) == stops.resume(what) == Stop(cancelled_msec=NOW + 3)


def test_a_campaign_that_does_not_exist_is_not_made(stops):
    unknown = replace(CAMPAIGN, name="autumn")
    assert stops.pause(unknown, NOW, EXPIRES) is stops.resume(unknown) is None
    assert stops.cancel(unknown, NOW, EXPIRES, hangs_up=False) is None
    assert stops.numbers(ACME, "autumn") is None
    assert stops.jobs(9) == []
    assert stops.numbers(ACME, "spring") == NUMBERS
    assert (NUMBERS.stop_counts.not_dialled, NUMBERS.stop_counts.in_progress, NUMBERS.stop_counts.finished) == (4, 2, 3)


@pytest.mark.parametrize("what", [LIST, CAMPAIGN, ACCOUNT], ids=["list", "campaign", "account"])
def test_no_line_is_taken_for_what_is_paused_and_one_is_when_it_is_resumed(stores, stops, what):
    messages = stores.messages
    messages.add([message(MID, campaign="spring")])
    messages.queue(messages.get(MID), (ASK,), NOW)
    stops.pause(what, NOW, EXPIRES)
    assert claim(messages) == HeldBack(what.kind, is_final=False)
    assert stops.held(ACME, MESSAGE.list_id, "spring", is_urgent=False).is_paused
    assert stops.is_paused(ACME, "spring") == (what is CAMPAIGN)
    assert not stops.is_paused(ACME, "autumn")
    stops.resume(what)
    assert not stops.held(ACME, MESSAGE.list_id, "spring", is_urgent=False).is_paused
    assert claim(messages) == LineTaken()


@pytest.mark.parametrize("kind", [Brake.LIST, Brake.CAMPAIGN, Brake.ACCOUNT])
@pytest.mark.parametrize("settles", [False, True])
def test_what_is_cancelled_is_neither_dialled_nor_dialled_again(stores, stops, kind, settles):
    messages = stores.messages
    messages.add([message(one, campaign="spring") for one in ("100", "101")])
    for one in ("100", "101"):
        messages.queue(messages.get(one), (ASK,), NOW)
    assert claim(messages, "100") == LineTaken()
    in_call = messages.get("100")
    if settles:
        assert messages.settle(in_call, End.LOST, Outcome("noAnswer", "noAnswer"), NOW + 5)
        in_call = messages.get("100")
    cancel(stops, kind)
    assert claim(messages, "101") == HeldBack(kind, is_final=True)
    held = stops.held(ACME, MESSAGE.list_id, "spring", is_urgent=False)
    assert (held.cancelled_msec("100"), held.cancelled_msec("101")) == (NOW, NOW)
    assert messages.requeue(in_call, 1, NOW + 60_000, NOW) is Redialled.CANCELLED
    assert messages.redial(in_call, NOW + 60_000, 9, NOW) is Redialled.CANCELLED
    assert messages.get("100") == in_call
    assert messages.finish(in_call, Outcome("busy", "cancelled"), NOW)
    assert messages.redial(in_call, NOW + 60_000, 9, NOW) is Redialled.DONE_BEFORE


def cancel(stops, kind):
    if kind is Brake.ACCOUNT:
        stops.cancel_queue(ACME, 101, NOW)
    else:
        stops.cancel(LIST if kind is Brake.LIST else CAMPAIGN, NOW, EXPIRES, hangs_up=False)


def test_what_is_paused_is_queued_again_after_its_call_and_waits(stores, stops):
    messages = stores.messages
    in_call = called(messages)
    for what in (LIST, CAMPAIGN, ACCOUNT):
        stops.pause(what, NOW, EXPIRES)
    assert messages.redial(in_call, NOW + 60_000, 9, NOW) is Redialled.QUEUED


def test_an_accounts_next_message_is_not_cancelled_with_its_queue(stores, stops):
    messages = stores.messages
    queued(messages, "100")
    queued(messages, "102")
    stops.cancel_queue(ACME, 101, NOW)
    stops.cancel_queue(ACME, 50, NOW + 1)  # from a clock that is behind: changes nothing
    assert claim(messages, "100") == HeldBack(Brake.ACCOUNT, is_final=True)
    assert claim(messages, "102") == LineTaken()
    assert [(job.what, job.upto, job.begun_msec) for job in stops.jobs(9)] == [(ACCOUNT, 101, NOW)]


def test_the_last_id_of_a_moment_is_above_all_that_were_drawn_by_then():
    highest = new_ids(101, NOW, lambda bits: (1 << bits) - 1)[-1]
    lowest = new_ids(2, NOW + 1, lambda bits: 0)[0]
    assert int(highest) <= last_id(NOW) < int(lowest)
    assert latest_msec(str(last_id(NOW))) == NOW + 1


def test_a_message_is_held_back_only_while_its_list_is_paused_and_comes_back_once(stores, stops):
    messages = stores.messages
    waiting = queued(messages)
    assert not messages.hold_back(waiting, NOW + 900_000)
    stops.pause(LIST, NOW, EXPIRES)
    assert messages.hold_back(waiting, NOW + 900_000)
    held = messages.get(MID)
    assert (held.is_held, held.state, held.due_msec) == (True, State.QUEUED, NOW + 900_000)
    stops.resume(LIST)
    assert messages.promote(held, NOW)
    assert not messages.get(MID).is_held
    assert not messages.hold_back(messages.get(MID), NOW + 900_000)
    assert claim(messages) == LineTaken()
    assert not messages.hold_back(waiting, NOW)


def test_redials_of_a_message_in_a_call_are_stopped_once_and_a_hang_up_makes_a_job(stores, stops):
    messages = stores.messages
    in_call = called(messages)
    assert messages.stop_redials(in_call, NOW + 1, hangs_up=False)
    assert messages.stop_redials(in_call, NOW + 2, hangs_up=True)
    assert messages.stop_redials(in_call, NOW + 3, hangs_up=True)
    found = messages.get(MID)
    assert (found.cancelled_msec, found.hangup_msec) == (NOW + 1, NOW + 2)
    (job,) = stops.jobs(9)
    assert (job.what, job.hangs_up) == (Stopped(Brake.MESSAGE, ACME, MID), True)
    assert messages.requeue(in_call, 1, NOW, NOW) is Redialled.CANCELLED
    assert messages.finish(found, CANCELLED, NOW)
    assert not messages.stop_redials(in_call, NOW, hangs_up=True)
    after = settling(messages, "300", now=NOW + 1000)
    assert messages.stop_redials(after, NOW, hangs_up=False)
    assert messages.redial(after, NOW, 9, NOW) is Redialled.CANCELLED


def test_a_job_is_one_workers_goes_on_at_its_cursor_and_begins_again_when_it_is_asked_for_again(stops):
    stops.cancel(CAMPAIGN, NOW, EXPIRES, hangs_up=False)
    (found,) = stops.jobs(9)
    job = stops.take_job(found, NOW, NOW + 60)
    assert (job.what, job.cursor, job.pass_msec, job.hangs_up) == (CAMPAIGN, "", None, False)
    assert stops.take_job(found, NOW + 59, NOW + 99) is None
    job = stops.save_job(replace(job, cursor="99", pass_msec=NOW, left=2), NOW + 60)
    again = stops.take_job(found, NOW + 60, NOW + 120)
    assert (again.cursor, again.pass_msec, again.left) == ("99", NOW, 2)
    assert stops.save_job(job, 0) is None
    assert not stops.end_job(job)
    stops.cancel(CAMPAIGN, NOW + 70, EXPIRES, hangs_up=True)
    assert stops.save_job(again, 0) is None
    afresh = stops.take_job(found, NOW + 71, NOW + 120)
    assert (afresh.cursor, afresh.begun_msec, afresh.hangs_up, afresh.left) == ("", NOW + 70, True, 0)
    assert stops.end_job(afresh)
    assert stops.jobs(9) == []
    assert stops.take_job(found, NOW + 999, NOW + 1000) is None


def test_the_lists_of_a_campaign_come_page_by_page(stops):
    assert stops.lists_of(ACME, "spring", "", 1) == ["99"]
    assert stops.lists_of(ACME, "spring", "99", 9) == ["100"]
    assert stops.lists_of(ACME, "spring", "100", 9) == []
