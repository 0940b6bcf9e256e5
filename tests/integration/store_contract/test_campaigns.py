"""Campaigns: lists counted in and messages counted out; DynamoDB and memory do the same."""

import itertools
import threading
from dataclasses import replace
from typing import Any

import pytest

from speechcall.campaigns.adapters import campaigns_store
from speechcall.campaigns.rules.campaign import MOST_SHAPES, CampaignState
from speechcall.campaigns.rules.funnel import Heard, Visit
from speechcall.messages.rules.message import State
from speechcall.messages.rules.turns import Queue, Turn
from speechcall.messages.use_cases.message_ports import LineTaken, Redialled
from speechcall.messages.use_cases.turn_ports import Charge
from speechcall.rehearsal.adapters import memory_campaigns
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.requests.use_cases.message_list import MessageList
from speechcall.shared.rules.errors import CampaignCancelled, StoreUnavailable, TooManyCampaigns
from speechcall.shared.rules.outcome import CANCELLED, EXPIRED, End, Outcome
from tests.kit.samples import ASK, NOW, message
from tests.kit.store_samples import ANSWERED, EXPIRES, POOL
from tests.stores.lists import MemoryLists

ACME, SPRING = "acme", "spring"
HEARD = Heard(was_answered=True, visits=(Visit(0, "d1", 3500), Visit(1, "hungUp")))


@pytest.fixture
def lists(stores) -> Any:
    if stores.client is None:
        return MemoryLists(campaigns=stores.messages.campaigns)
    found = DynamoLists(stores.client, stores.registry_table)
    found.campaigns.sleep = stores.messages.sleep = lambda _: None
    return found


@pytest.fixture
def campaigns(lists) -> Any:
    return lists.campaigns


def made(number, mids=("7",), *, campaign=SPRING, shapes=("a",), account=ACME, created=NOW):
    ids = tuple(mids)
    return MessageList(
        str(number),
        account,
        ids,
        created,
        EXPIRES,
        "f",
        {"messages": [], "messagelistId": str(number)},
        campaign,
        tuple(shapes),
    )


def accepted(lists, messages, number, mids, *, funnel="a", **more):
    """A list with its messages, queued."""
    stored = lists.add_list(made(number, mids, **more), None)
    campaign = more.get("campaign", SPRING)
    ready = [message(mid, list_id=stored.list_id, campaign=campaign, funnel=funnel) for mid in mids]
    messages.add(ready)
    lists.confirm_list(stored)
    for one in ready:
        assert messages.queue(one, (ASK,), NOW)
    return [messages.get(mid) for mid in mids]


SECONDS = itertools.count(1)
"""Each call begins a second behind the one before: a pool has its rate."""


def claimed(messages, one):
    pool = POOL._replace(lines=100)
    charge = Charge(messages.turns.find(ACME, False), messages.turns.find_queue(ACME, one.campaign, False))
    assert messages.claim_line(one, "arn:flow", pool, NOW + 1000 * next(SECONDS), charge) == LineTaken()
    return messages.get(one.mid)


def counts(campaigns, name=SPRING):
    one = campaigns.find(ACME, name)
    return one.lists, one.messages, one.unfinished, one.calling, dict(one.outcomes)


# ---------------------------------------------------------------- acceptance
def test_a_campaign_begins_with_its_first_list_and_counts_every_list(lists, campaigns):
    assert campaigns.find(ACME, SPRING) is None
    lists.add_list(made(1, ("7", "8")), None)
    lists.add_list(made(2, ("9",), created=NOW + 5), None)
    found = campaigns.find(ACME, SPRING)
    assert (found.created_msec, found.latest_list_id, found.latest_msec) == (NOW, "2", NOW + 5)
    assert counts(campaigns) == (2, 3, 3, 0, {})
    assert found.state is CampaignState.RUNNING
    assert campaigns.find("other", SPRING) is None
    assert campaigns.count_open(ACME) == 1


def test_a_campaign_stays_as_long_as_its_latest_list_whatever_is_counted_at_the_same_moment(lists, campaigns):
    # Given a list of which some messages are sent in a month, counted while another list has read the campaign
    lists.add_list(made(1), None)
    read, later = campaigns.find, EXPIRES + 30 * 86_400

    def find(account_id, name):
        found, campaigns.find = read(account_id, name), read
        lists.add_list(made(2)._replace(expires_at=later), None)
        return found

    campaigns.find = find
    lists.add_list(made(3), None)
    campaigns.find(ACME, SPRING)  # in memory nothing is read before
    assert campaigns.find(ACME, SPRING).expires_at == later
    assert counts(campaigns) == (3, 3, 3, 0, {})


def test_a_list_without_a_campaign_counts_nowhere(lists, campaigns):
    assert lists.add_list(made(1, campaign=""), None).campaign == ""
    assert campaigns.count_open(ACME) == 0
    assert campaigns.page(ACME, 10, None) == ([], None)


def test_a_repeat_of_a_key_and_a_taken_id_count_nothing(lists, campaigns):
    first = lists.add_list(made(1), "k")
    assert lists.add_list(made(2), "k") == first
    assert lists.add_list(made(1), "other") is None
    assert counts(campaigns) == (1, 1, 1, 0, {})


def test_thirteen_shapes_have_a_funnel_of_their_own_and_the_first_come(lists, campaigns):
    first = lists.add_list(made(1, shapes=[f"s{n}" for n in range(10)]), None)
    assert len(first.funnels) == 10
    second = lists.add_list(made(2, shapes=["s3", "t1", "t2", "t3", "t4", "s9"]), None)
    assert second.funnels == ("s3", "t1", "t2", "t3", "s9")
    assert lists.add_list(made(3, shapes=["t4", "t1"]), None).funnels == ("t1",)
    assert len(campaigns.find(ACME, SPRING).shapes) == MOST_SHAPES


def test_the_list_comes_back_as_it_was_written(lists):
    stored = lists.add_list(made(1, shapes=("b", "a")), "k")
    assert lists.find_list("1") == lists.find_list_by_key(ACME, "k") == stored


def test_an_account_has_so_many_unfinished_campaigns_at_most(lists, campaigns, messages, monkeypatch):
    for module in (campaigns_store, memory_campaigns):
        monkeypatch.setattr(module, "MOST_OPEN", 2)
    (one,) = accepted(lists, messages, 1, ["7"], campaign="a")
    lists.add_list(made(2, ("8",), campaign="b"), None)
    with pytest.raises(TooManyCampaigns):
        lists.add_list(made(3, ("9",), campaign="c"), "k")
    assert lists.find_list("3") is None
    assert lists.find_list_by_key(ACME, "k") is None
    # What is open takes more, and what is finished makes room
    lists.add_list(made(4, ("10",), campaign="a"), None)
    assert messages.refuse(one, EXPIRED, None, NOW)
    with pytest.raises(TooManyCampaigns):
        lists.add_list(made(3, ("9",), campaign="c"), "k")
    campaigns_left = lists.campaigns.accepting(NOW + 1, 10)
    lists.campaigns.withdraw(next(one for one in campaigns_left if one.list_id == "4"), NOW)
    assert lists.add_list(made(3, ("9",), campaign="c"), "k")
    assert campaigns.count_open(ACME) == 2


def test_a_cancelled_campaign_takes_no_list(lists, campaigns, stores):
    lists.add_list(made(1), None)
    stop(stores, "cancelled_msec")
    with pytest.raises(CampaignCancelled):
        lists.add_list(made(2), "k")
    assert lists.find_list("2") is None
    assert counts(campaigns) == (1, 1, 1, 0, {})
    assert campaigns.find(ACME, SPRING).state is CampaignState.CANCELLED


def test_a_paused_campaign_takes_lists(lists, campaigns, stores):
    lists.add_list(made(1), None)
    stop(stores, "paused_msec")
    lists.add_list(made(2), None)
    assert campaigns.find(ACME, SPRING).state is CampaignState.PAUSED


def stop(stores, field, name=SPRING):
    if stores.client is None:
        known = stores.messages.campaigns.campaigns
        known[ACME, name] = replace(known[ACME, name], **{field: NOW})
        return
    stores.client.update_item(
        TableName=stores.registry_table,
        Key={"pk": {"S": f"CAMPAIGN#{ACME}#{name}"}, "sk": {"S": "CAMPAIGN"}},
        UpdateExpression=f"SET {field} = :now",
        ExpressionAttributeValues={":now": {"N": str(NOW)}},
    )


# ------------------------------------------------------------ what is cut off
def test_a_list_without_messages_is_withdrawn_and_counted_again_by_a_repeat(lists, campaigns):
    stored = lists.add_list(made(1, ("7", "8")), "k")
    assert campaigns.accepting(NOW, 10) == []
    (waiting,) = campaigns.accepting(NOW + 1, 10)
    assert (waiting.list_id, waiting.first_mid, waiting.messages) == ("1", "7", 2)
    assert campaigns.withdraw(waiting, NOW + 9)
    assert counts(campaigns) == (0, 0, 0, 0, {})
    assert campaigns.find(ACME, SPRING).finished_msec == NOW + 9
    assert campaigns.count_open(ACME) == 0
    assert campaigns.accepting(NOW + 99, 10) == []
    assert not campaigns.withdraw(waiting, NOW + 9)
    lists.keep_accepting(stored, NOW + 10)
    assert counts(campaigns) == (1, 2, 2, 0, {})
    assert campaigns.count_open(ACME) == 1
    assert [one.accepting_msec for one in campaigns.accepting(NOW + 11, 10)] == [NOW + 10]


def test_a_repeat_that_writes_the_messages_now_keeps_the_list_from_being_withdrawn(lists, campaigns):
    stored = lists.add_list(made(1), "k")
    (waiting,) = campaigns.accepting(NOW + 1, 10)
    lists.keep_accepting(stored, NOW + 5)
    assert not campaigns.withdraw(waiting, NOW + 6)
    lists.confirm_list(stored)
    assert not campaigns.withdraw(replace(waiting, accepting_msec=NOW + 5), NOW + 7)
    lists.confirm_list(stored)
    lists.keep_accepting(stored, NOW + 8)
    assert campaigns.accepting(NOW + 99, 10) == []
    assert counts(campaigns) == (1, 1, 1, 0, {})


def test_a_withdrawal_leaves_what_other_lists_have_counted(lists, campaigns):
    lists.add_list(made(1, ("7", "8")), None)
    lists.add_list(made(2, ("9",), created=NOW + 1), None)
    assert campaigns.withdraw(campaigns.accepting(NOW + 1, 10)[0], NOW + 9)
    assert counts(campaigns) == (1, 1, 1, 0, {})
    assert campaigns.count_open(ACME) == 1


def test_a_withdrawn_list_of_a_campaign_that_is_cancelled_meanwhile_stays_withdrawn(lists, campaigns, stores):
    stored = lists.add_list(made(1), "k")
    campaigns.withdraw(campaigns.accepting(NOW + 1, 10)[0], NOW)
    stop(stores, "cancelled_msec")
    with pytest.raises(CampaignCancelled):
        lists.keep_accepting(stored, NOW + 10)
    assert counts(campaigns) == (0, 0, 0, 0, {})


# -------------------------------------------------------------------- listings
def test_campaigns_are_listed_the_latest_first_page_by_page(lists, campaigns):
    for number, name in enumerate(["a", "b", "c", "d", "e"]):
        lists.add_list(made(number, campaign=name, created=NOW + number), None)
    lists.add_list(made(9, campaign="a", created=NOW + 99), None)  # a second list moves nothing
    lists.add_list(made(8, campaign="x", account="other"), None)
    names, before = [], None
    for _ in range(3):
        page, before = campaigns.page(ACME, 2, before)
        names.append([one.name for one in page])
    assert names == [["e", "d"], ["c", "b"], ["a"]]
    assert before is None
    assert campaigns.page(ACME, 5, None)[0][4] == campaigns.find(ACME, "a")


def test_the_lists_of_a_campaign_are_listed_when_their_messages_are_written(lists, campaigns):
    stored = [lists.add_list(made(number, ("7", "8"), created=NOW + number), None) for number in (1, 2, 30)]
    assert campaigns.lists_page(ACME, SPRING, 5, None) == ([], None)
    for one in stored:
        lists.confirm_list(one)
    first, before = campaigns.lists_page(ACME, SPRING, 2, None)
    assert [(one.list_id, one.created_msec, one.messages) for one in first] == [("30", NOW + 30, 2), ("2", NOW + 2, 2)]
    rest, end = campaigns.lists_page(ACME, SPRING, 2, before)
    assert [one.list_id for one in rest] == ["1"]
    assert end is None
    assert campaigns.lists_page("other", SPRING, 5, None) == ([], None)


# ------------------------------------------------------------------------ ends
def test_every_way_to_end_a_message_counts_it_once(lists, campaigns, messages):
    mids = ["1", "2", "3", "4", "5", "6"]
    expired, refused, busy, settled, again, unreadable = accepted(lists, messages, 1, mids)
    assert messages.refuse(expired, EXPIRED, None, NOW)
    assert messages.refuse(refused, CANCELLED, "why", NOW)
    busy, settled, again = (claimed(messages, one) for one in (busy, settled, again))
    assert counts(campaigns) == (1, 6, 4, 3, {"expired": 1, "cancelled": 1})
    assert messages.finish(busy, Outcome("busy", "busy"), NOW, Heard())
    assert messages.settle(settled, End.LOST, Outcome("noAnswer", "noAnswer"), NOW)
    assert counts(campaigns) == (1, 6, 3, 1, {"expired": 1, "cancelled": 1, "busy": 1})
    assert messages.finish(messages.get("4"), ANSWERED, NOW, HEARD)
    assert messages.redial(again, NOW + 9, 5, NOW, Heard()) is Redialled.QUEUED
    assert messages.refuse_unreadable(unreadable.mid, State.QUEUED, EXPIRED, NOW)
    for late in (expired, refused, unreadable):
        assert not messages.refuse(late, EXPIRED, None, NOW)
    for late in (busy, settled, again):
        assert not messages.finish(late, ANSWERED, NOW, HEARD)
    assert not messages.finish(replace(settled, state=State.SETTLING), ANSWERED, NOW, HEARD)
    outcomes = {"expired": 2, "cancelled": 1, "busy": 1, "answered": 1}
    assert counts(campaigns) == (1, 6, 1, 0, outcomes)
    assert campaigns.find(ACME, SPRING).finished_msec is None
    assert campaigns.count_open(ACME) == 1
    assert messages.refuse(messages.get("5"), EXPIRED, None, NOW + 50)
    assert counts(campaigns) == (1, 6, 0, 0, outcomes | {"expired": 3})
    found = campaigns.find(ACME, SPRING)
    assert found.finished_msec == NOW + 50
    assert found.state is CampaignState.FINISHED
    assert campaigns.count_open(ACME) == 0


def test_a_campaign_opens_again_with_another_list(lists, campaigns, messages):
    (one,) = accepted(lists, messages, 1, ["1"])
    messages.refuse(one, EXPIRED, None, NOW)
    accepted(lists, messages, 2, ["2", "3"])
    assert counts(campaigns) == (2, 3, 2, 0, {"expired": 1})
    assert campaigns.find(ACME, SPRING).finished_msec is None
    assert campaigns.count_open(ACME) == 1


def test_attempts_are_counted_in_the_funnel_of_their_shape_when_they_are_over(lists, campaigns, messages):
    one, two, three = accepted(lists, messages, 1, ["1", "2", "3"], funnel="a")
    (other,) = accepted(lists, messages, 2, ["4"], funnel="other")
    one = claimed(messages, one)
    messages.redial(one, NOW, 5, NOW, Heard())
    messages.finish(claimed(messages, two), ANSWERED, NOW, HEARD)
    messages.finish(claimed(messages, other), ANSWERED, NOW, Heard(True, (Visit(0, "idle", 5000),)))
    messages.refuse(three, EXPIRED, None, NOW)
    messages.settle(claimed(messages, replace(one, attempt=1)), End.LOST, ANSWERED, NOW)
    _, funnels = campaigns.find_with_funnels(ACME, SPRING)
    found = {one.shape: one for one in funnels}
    assert {*found} == {"a", "other"}
    assert (found["a"].calls, found["a"].answered, found["a"].example_mid) == (2, 1, "1")
    first, second = found["a"].menus[0], found["a"].menus[1]
    assert (first.asked, first.keys, first.buckets[3], sum(first.buckets)) == (1, {"d1": 1}, 1, 1)
    assert (second.asked, second.hung_up, second.keys) == (1, 1, {})
    assert found["other"].menus[0].silence == 1
    messages.finish(messages.get("1"), ANSWERED, NOW, HEARD)
    _, funnels = campaigns.find_with_funnels(ACME, SPRING)
    assert funnels[0].calls == 3
    assert funnels[0].menus[0].asked == 2


def test_an_end_whose_campaign_has_expired_or_was_not_counted_ends_all_the_same(lists, campaigns, messages, stores):
    (one,) = accepted(lists, messages, 1, ["1"])
    lost = message("2", campaign="gone", funnel="a")
    extra = message("3", campaign=SPRING, funnel="a")
    messages.add([lost])
    messages.add([extra])
    assert messages.refuse(lost, EXPIRED, None, NOW)
    assert messages.get("2").state is State.FINISHED
    assert messages.refuse(one, EXPIRED, None, NOW)
    if stores.client is not None:
        assert messages.refuse(extra, EXPIRED, None, NOW)
        assert counts(campaigns)[2:] == (0, 0, {"expired": 2})
        assert campaigns.count_open(ACME) == 0


def test_many_ends_at_once_are_each_counted_once(dynamodb):
    """Two ends of every message, from eight threads; other transactions are in each other's way."""
    lists = DynamoLists(dynamodb.client, dynamodb.registry_table)
    messages: Any = dynamodb.messages
    mids = [str(mid) for mid in range(1, 17)]
    ready = accepted(lists, messages, 1, mids)
    done: list[bool] = []

    def end(part):
        done.extend(messages.refuse(one, EXPIRED, None, NOW) for one in [*ready[part::8], *ready[part::8]])

    threads = [threading.Thread(target=end, args=(part,)) for part in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert done.count(True) == 16
    assert counts(lists.campaigns) == (1, 16, 0, 0, {"expired": 16})
    assert lists.campaigns.count_open(ACME) == 0


def test_an_end_that_others_are_in_the_way_of_is_tried_again_and_never_half_done(dynamodb, monkeypatch):
    lists = DynamoLists(dynamodb.client, dynamodb.registry_table)
    messages: Any = dynamodb.messages
    slept: list[float] = []
    messages.sleep = slept.append
    (one,) = accepted(lists, messages, 1, ["1"])
    real, refusals, tokens = messages._write, [2], []

    def write(parts, token=""):
        tokens.append(token)
        if refusals[0]:
            refusals[0] -= 1
            raise StoreUnavailable
        return real(parts, token)

    monkeypatch.setattr(messages, "_write", write)
    assert messages.refuse(one, EXPIRED, None, NOW)
    assert slept == [0.03, 0.1]
    assert len(set(tokens)) == 2  # the two forms of the last end; the same one each time that it is tried again
    (two,) = accepted(lists, messages, 2, ["2"])
    refusals[0] = 99
    with pytest.raises(StoreUnavailable):
        messages.refuse(two, EXPIRED, None, NOW)
    assert messages.get("2").state is State.QUEUED
    assert counts(lists.campaigns) == (2, 2, 1, 0, {"expired": 1})


def test_without_campaign_and_line_an_end_is_one_update(dynamodb):
    messages: Any = dynamodb.messages
    messages.add([message("1")])
    seen: list[str] = []
    dynamodb.client.meta.events.register("before-call.dynamodb", lambda model, **_: seen.append(model.name))
    messages.refuse(message("1"), EXPIRED, None, NOW)
    dynamodb.client.meta.events.unregister("before-call.dynamodb")
    assert seen == ["UpdateItem"]


def test_a_queue_belongs_to_its_campaign(lists, messages):
    accepted(lists, messages, 1, ["1"], campaign="a")
    accepted(lists, messages, 2, ["2"], campaign="b")
    queues = messages.turns.queues(Turn(ACME), 10)
    assert {queue.campaign for queue in queues} == {"a", "b"}
    assert messages.turns.heads(Queue(ACME, "b"), 5) == ["2"]


def test_a_campaign_is_kept_until_the_last_of_its_lists_is_forgotten(dynamodb):
    lists = DynamoLists(dynamodb.client, dynamodb.registry_table)
    # Given a list that is to be sent in a month, and one behind it that is sent at once
    later = made(1)._replace(expires_at=EXPIRES + 2_592_000)
    lists.add_list(later, None)
    lists.add_list(made(2, ("8",)), None)
    assert lists.campaigns.find(ACME, SPRING).expires_at == later.expires_at
