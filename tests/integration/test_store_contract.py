"""One contract for the stores: DynamoDB and memory do the same, method by method, refusal by refusal."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.cloud.apply_moto_patches import install_guards
from local.cloud.template import Template
from speechcall.accounts.rules.account import Account
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.rules.call import Bounds, Cause, Command, Kind, Refused, Reply, Step, Ticket
from speechcall.calls.use_cases.ports import CallStore
from speechcall.menus.adapters.flows_store import Registry
from speechcall.menus.rules.call_log import Entry, Plan, Table, Then, ThenKind
from speechcall.messages.adapters.lines_store import DynamoPool
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.dial_times import Redial
from speechcall.messages.rules.message import State
from speechcall.messages.use_cases.lines import PoolState, PoolStore
from speechcall.messages.use_cases.message_ports import (
    LinesFull,
    LineTaken,
    MessageStore,
    NotQueued,
    NumberBusy,
    Pool,
    Redialled,
    TooSoon,
)
from speechcall.requests.adapters.lists_store import DynamoLists
from speechcall.shared.rules.errors import RateLimited, StoreUnavailable
from speechcall.shared.rules.outcome import EXPIRED, PROMPT_UNAVAILABLE, End, Outcome
from speechcall.status.adapters.history_store import DynamoHistory
from tests.kit.samples import ASK, CALL, MESSAGE, MID, NOW, message
from tests.stores.memory import MemoryCalls, MemoryMessages

CONNECT_ARN = "arn:aws:connect:eu-central-1:123456789012:instance/9308c2a1-9bc6-4cea-8290-6c0b4a6d38fa"
TEMPLATE = Path(__file__).parents[2] / "template.yaml"
BOUNDS = Bounds(max_visits=3, max_seconds=60)
POOL = Pool(lines=2, calls_per_second=4)
EXPIRES = MESSAGE.expires_at
ANSWERED = Outcome("answered", "completed")


@dataclass
class Stores:
    """The stores of one kind, and where the laptop's tables are."""

    calls: CallStore
    messages: MessageStore
    lines: PoolStore
    client: Any = None
    messages_table: str = ""
    registry_table: str = ""


@pytest.fixture(scope="module")
def tables() -> dict[str, dict[str, Any]]:
    """The requests that make the template's tables, in the order Messages, Registry."""
    template = Template(TEMPLATE, {"ConnectInstanceArn": CONNECT_ARN, "CallerId": "+4930123456"})
    wanted = ("AttributeDefinitions", "KeySchema", "BillingMode", "GlobalSecondaryIndexes")
    declared = template.resources_of("AWS::DynamoDB::Table")
    return {
        template.ref(name): {key: declared[name][key] for key in wanted if key in declared[name]}
        for name in ("MessagesTable", "RegistryTable")
    }


@pytest.fixture(scope="module")
def client() -> Any:
    install_guards()
    return boto3.client(
        "dynamodb", region_name="eu-central-1", aws_access_key_id="testing", aws_secret_access_key="testing"
    )


@pytest.fixture
def dynamodb(client, tables) -> Iterator[Stores]:
    with mock_aws():
        for name, request in tables.items():
            client.create_table(TableName=name, **request)
        messages_table, registry_table = tables
        yield Stores(
            DynamoCalls(client, messages_table),
            DynamoMessages(client, *tables),
            DynamoPool(client, registry_table),
            client,
            *tables,
        )


@pytest.fixture(params=["memory", "dynamodb"])
def stores(request) -> Stores:
    if request.param == "memory":
        memory = MemoryMessages()
        return Stores(MemoryCalls(), memory, memory.pool)
    return request.getfixturevalue("dynamodb")


@pytest.fixture
def calls(stores) -> CallStore:
    return stores.calls


@pytest.fixture
def messages(stores) -> MessageStore:
    return stores.messages


@pytest.fixture
def lines(stores) -> PoolStore:
    return stores.lines


def ticket(second: int, retry: int = 0) -> Ticket:
    return Ticket(f"2026-09-21T12:00:{second:02}.000Z", retry, f"token-{second}-{retry}")


def ask(menu: int = 0) -> Command:
    return Command(Kind.ASK, menu)


def put(calls, given, command=None, now=NOW, bounds=BOUNDS):
    return calls.put_command(MID, 1, command or ask(), given, bounds, now)


# --------------------------------------------------------------------- calls
def test_an_opened_call_is_read_as_it_was_written(calls):
    assert calls.get(MID, 1) is None
    assert calls.open(CALL, EXPIRES) == CALL
    assert calls.get(MID, 1) == CALL
    assert calls.get(MID, 2) is None


def test_a_later_try_of_dial_brings_its_token_into_the_same_call(calls):
    calls.open(CALL, EXPIRES)
    later = replace(CALL, ticket=replace(CALL.ticket, retry=1, token="dial-1"), dialled_msec=NOW + 9)
    # The moment of the first dialling stays: the bound on a call's seconds counts from there.
    assert calls.open(later, EXPIRES) == replace(CALL, ticket=later.ticket) == calls.get(MID, 1)


def test_an_earlier_try_of_dial_that_comes_late_changes_nothing(calls):
    later = replace(CALL, ticket=replace(CALL.ticket, retry=1, token="dial-1"))
    calls.open(later, EXPIRES)
    assert calls.open(CALL, EXPIRES) == later


def test_opening_a_call_that_has_ended_or_gone_on_gives_the_call_as_it_is(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    assert calls.open(CALL, EXPIRES).ticket == ticket(1)
    calls.end(MID, 1, Cause.BUSY, NOW)
    assert calls.open(CALL, EXPIRES).ended


def test_a_command_of_a_newer_visit_gets_the_next_seq(calls):
    calls.open(CALL, EXPIRES)
    written, call = put(calls, ticket(1))
    assert written
    assert call == replace(CALL, seq=2, command=ask(), ticket=ticket(1), visits=1) == calls.get(MID, 1)
    written, call = put(calls, ticket(2), Command(Kind.HANG_UP))
    assert written
    assert (call.seq, call.command, call.visits) == (3, Command(Kind.HANG_UP), 1)


def test_a_later_try_keeps_the_seq_and_replaces_the_token(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    written, call = put(calls, ticket(1, retry=1))
    assert written
    assert (call.seq, call.ticket, call.visits) == (2, ticket(1, retry=1), 1)


def test_the_same_try_written_twice_is_written_once(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    written, call = put(calls, ticket(1))
    assert written
    assert (call.seq, call.ticket) == (2, ticket(1))


def test_an_earlier_try_that_comes_late_is_refused(calls):
    calls.open(CALL, EXPIRES)
    _, latest = put(calls, ticket(1, retry=2))
    assert put(calls, ticket(1, retry=1)) == (False, latest)
    assert calls.get(MID, 1) == latest


def test_a_zombie_of_an_older_visit_is_refused_whatever_its_try(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    _, latest = put(calls, ticket(2))
    assert put(calls, ticket(1, retry=5)) == (False, latest)
    assert calls.get(MID, 1) == latest


@pytest.mark.parametrize("given", [ticket(1), ticket(1, retry=1), ticket(2)])
def test_a_call_that_has_ended_takes_no_command(calls, given):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    ended = calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    assert put(calls, given) == (False, ended)
    assert put(calls, given, Command(Kind.HANG_UP)) == (False, ended)


def test_an_unknown_call_takes_nothing_and_appears_nowhere(calls):
    assert put(calls, ticket(1)) == (False, None)
    assert calls.set_answered(MID, 1, "c", NOW) is None
    assert calls.end(MID, 1, Cause.BUSY, NOW) is None
    calls.set_contact(MID, 1, "c")
    calls.set_done(MID, 1, 1, None)
    calls.set_stop_reason(MID, 1, "limit")
    assert calls.get(MID, 1) is None


def test_no_menu_begins_after_the_last_visit_but_hanging_up_does(calls):
    calls.open(CALL, EXPIRES)
    for second in (1, 2, 3):
        assert put(calls, ticket(second))[0]
    written, found = put(calls, ticket(4))
    assert (written, found.seq, found.visits) == (False, 4, 3)
    assert put(calls, ticket(3, retry=1))[0], "a later try of the last menu is no new visit"
    assert put(calls, ticket(4), Command(Kind.HANG_UP))[0]


def test_no_menu_begins_after_the_last_second_but_hanging_up_does(calls):
    calls.open(CALL, EXPIRES)
    assert put(calls, ticket(1), now=NOW + 59_999)[0]
    assert not put(calls, ticket(2), now=NOW + 60_000)[0]
    assert put(calls, ticket(1, retry=1), now=NOW + 60_000)[0]
    assert put(calls, ticket(2), Command(Kind.HANG_UP), now=NOW + 60_000)[0]


def test_the_first_contact_and_the_first_answer_stay(calls):
    calls.open(CALL, EXPIRES)
    calls.set_contact(MID, 1, "contact-1")
    calls.set_contact(MID, 1, "contact-2")
    assert calls.get(MID, 1).contact_id == "contact-1"
    answered = calls.set_answered(MID, 1, "contact-1", NOW + 5)
    assert answered == replace(CALL, contact_id="contact-1", answered_msec=NOW + 5)
    assert calls.set_answered(MID, 1, "contact-1", NOW + 9) == answered


def test_an_answer_may_come_before_the_contact_is_known(calls):
    calls.open(CALL, EXPIRES)
    assert calls.set_answered(MID, 1, "contact-1", NOW).contact_id == "contact-1"


def test_another_contact_does_not_answer_for_the_call(calls):
    calls.open(CALL, EXPIRES)
    calls.set_contact(MID, 1, "contact-1")
    assert calls.set_answered(MID, 1, "contact-2", NOW) is None
    assert calls.get(MID, 1).answered_msec is None


def test_a_call_that_has_ended_is_not_answered_any_more(calls):
    calls.open(CALL, EXPIRES)
    calls.end(MID, 1, Cause.NO_ANSWER, NOW)
    assert calls.set_answered(MID, 1, "contact-1", NOW) is None


def test_a_provider_is_asked_to_dial_by_one_try_at_a_time(calls):
    calls.open(CALL, EXPIRES)
    assert calls.begin_placing(MID, 1, NOW, NOW - 1000)
    assert not calls.begin_placing(MID, 1, NOW + 1000, NOW)
    assert calls.get(MID, 1).placing_msec == NOW
    # Settled, or certainly not placed: it may be asked again
    assert calls.begin_placing(MID, 1, NOW + 1001, NOW + 1)
    assert not calls.set_not_placed(MID, 1, NOW)
    assert calls.get(MID, 1).placing_msec == NOW + 1001
    assert not calls.get(MID, 1).is_certainly_not_placed
    assert calls.set_not_placed(MID, 1, NOW + 1001)
    assert calls.get(MID, 1).is_certainly_not_placed
    assert calls.begin_placing(MID, 1, NOW + 1002, NOW)
    # What was certain is not any more
    assert calls.get(MID, 1).not_placed_msec is None


def test_what_a_repeat_was_told_is_kept_while_its_call_is_in_doubt(calls):
    calls.open(CALL, EXPIRES)
    assert calls.get(MID, 1).refused is None
    for refused in (Refused("throttled", Cause.THROTTLED), Refused("destinationNotAllowed", Cause.BLOCKED)):
        calls.set_refused(MID, 1, refused)
        assert calls.get(MID, 1).refused == refused
    calls.end(MID, 1, Cause.BLOCKED, NOW)
    calls.set_refused(MID, 1, Refused("late", Cause.FAILED))
    calls.set_refused(MID, 2, Refused("unknown", Cause.FAILED))
    assert calls.get(MID, 1).refused.reason == "destinationNotAllowed"
    assert calls.get(MID, 2) is None


def test_a_provider_whose_contact_is_known_or_whose_call_is_over_is_not_asked_to_dial(calls):
    calls.open(CALL, EXPIRES)
    calls.set_contact(MID, 1, "contact-1")
    assert not calls.begin_placing(MID, 1, NOW, NOW)
    calls.open(replace(CALL, attempt=2), EXPIRES)
    calls.end(MID, 2, Cause.NO_ANSWER, NOW)
    assert not calls.begin_placing(MID, 2, NOW, NOW)
    assert not calls.begin_placing(MID, 3, NOW, NOW)
    assert calls.get(MID, 3) is None


def test_of_the_events_the_latest_has_the_turn(calls):
    calls.open(CALL, EXPIRES)
    assert calls.take_turn(MID, 1, "contact-1", 3).turn == 3
    assert calls.take_turn(MID, 1, "contact-1", 3).turn == 3
    assert calls.take_turn(MID, 1, "contact-1", 2).turn == 3
    assert calls.take_turn(MID, 1, "contact-1", 4).turn == 4
    calls.set_contact(MID, 1, "contact-1")
    # Another contact counts its own events
    found = calls.take_turn(MID, 1, "contact-2", 9)
    assert (found.turn, found.contact_id) == (4, "contact-1")
    assert calls.take_turn(MID, 2, "contact-1", 1) is None


def test_a_key_is_kept_in_the_step_in_which_its_event_takes_its_turn(calls):
    calls.open(CALL, EXPIRES)
    calls.set_contact(MID, 1, "contact-1")
    ask = Command(Kind.ASK, 0)
    calls.put_command(MID, 1, ask, Ticket("2027", 0, "ask-0"), BOUNDS, NOW)
    key, other = Reply(2, "key", "d1"), Reply(2, "key", "d2")
    found = calls.take_turn(MID, 1, "contact-1", 5, key)
    assert (found.turn, found.kept_reply) == (5, key)
    # The first one stays; the turn is taken all the same
    found = calls.take_turn(MID, 1, "contact-1", 6, other)
    assert (found.turn, found.kept_reply) == (6, key)
    # So it is for another question, one that was answered, an earlier event, another contact, and a call that is over
    for contact, turn, reply in (
        ("contact-1", 7, Reply(1, "key", "d3")),
        ("contact-1", 6, Reply(2, "key", "d3")),
        ("contact-2", 9, Reply(2, "key", "d3")),
    ):
        assert calls.take_turn(MID, 1, contact, turn, reply).kept_reply == key
    calls.put_command(MID, 1, ask, Ticket("2028", 0, "ask-1"), BOUNDS, NOW)
    calls.set_done(MID, 1, 3, None)
    assert calls.take_turn(MID, 1, "contact-1", 10, Reply(3, "key", "d1")).kept_reply == key
    calls.put_command(MID, 1, ask, Ticket("2029", 0, "ask-2"), BOUNDS, NOW)
    calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    found = calls.take_turn(MID, 1, "contact-1", 11, Reply(4, "key", "d1"))
    assert (found.turn, found.kept_reply) == (11, key)
    assert calls.take_turn(MID, 2, "contact-1", 1, key) is None


def test_a_command_is_done_once_with_what_was_heard_first(calls):
    calls.open(CALL, EXPIRES)
    calls.set_done(MID, 1, 1, None)
    put(calls, ticket(1))
    assert calls.get(MID, 1).awaits_answer
    calls.set_done(MID, 1, 2, Step(0, "d1", NOW + 1))
    calls.set_done(MID, 1, 2, Step(0, "idle", NOW + 2))
    call = calls.get(MID, 1)
    assert not call.awaits_answer
    assert (call.done_seq, call.path) == (2, (Step(0, "d1", NOW + 1),))


def test_what_was_heard_is_kept_when_the_next_command_was_quicker(calls):
    # Given that the answered state machine has already written its next command
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    put(calls, ticket(2), ask(1))
    # When the first is marked done
    calls.set_done(MID, 1, 2, Step(0, "d1", NOW))
    # Then its key is on the call's path, and the second still awaits its answer
    call = calls.get(MID, 1)
    assert call.path == (Step(0, "d1", NOW),)
    assert call.awaits_answer


def test_a_reply_is_kept_for_the_next_try_and_the_first_stays(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    kept = calls.keep_reply(MID, 1, Reply(2, "key", "d1"))
    assert kept.known_reply == Reply(2, "key", "d1")
    assert calls.keep_reply(MID, 1, Reply(2, "idle")) is None
    assert kept == calls.get(MID, 1)
    # And the next try finds it where it writes its token
    assert put(calls, ticket(1, retry=1))[1].known_reply == Reply(2, "key", "d1")
    # But not another question, which has its own
    assert put(calls, ticket(2))[1].known_reply is None
    assert calls.keep_reply(MID, 1, Reply(3, "idle")).known_reply == Reply(3, "idle")


def test_the_reply_that_was_given_is_kept_for_a_next_try(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    calls.keep_reply(MID, 1, Reply(2, "idle"))
    calls.set_done(MID, 1, 2, Step(0, "d1", NOW), Reply(2, "key", "d1"))
    assert put(calls, ticket(1, retry=1))[1].known_reply == Reply(2, "key", "d1")
    calls.set_done(MID, 1, 2, None, Reply(2, "idle"))
    assert calls.get(MID, 1).known_reply == Reply(2, "key", "d1")


def test_a_kept_reply_outlives_the_late_note_of_an_earlier_one(calls):
    # Given a question whose key is kept before the answer to the dial is marked done
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    calls.keep_reply(MID, 1, Reply(2, "key", "d1"))
    # When that is made good
    calls.set_done(MID, 1, 1, None, Reply(1, "answered"))
    # Then the key is still there, and the first command is done
    call = calls.get(MID, 1)
    assert (call.known_reply, call.done_seq) == (Reply(2, "key", "d1"), 1)


def test_no_reply_is_kept_for_a_command_that_is_done_or_not_there_or_a_call_that_is_over(calls):
    assert calls.keep_reply(MID, 1, Reply(1, "idle")) is None
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    assert calls.keep_reply(MID, 1, Reply(1, "key", "d1")) is None
    assert calls.keep_reply(MID, 1, Reply(3, "key", "d1")) is None
    calls.set_done(MID, 1, 2, None)
    assert calls.keep_reply(MID, 1, Reply(2, "key", "d1")) is None
    put(calls, ticket(2))
    calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    assert calls.keep_reply(MID, 1, Reply(3, "key", "d1")) is None


def test_the_first_stop_reason_and_the_first_cause_stay(calls):
    calls.open(CALL, EXPIRES)
    calls.set_stop_reason(MID, 1, "limit")
    calls.set_stop_reason(MID, 1, "promptUnavailable")
    ended = calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW + 1)
    assert ended == replace(CALL, stop_reason="limit", ended_msec=NOW + 1, cause=Cause.CALLER_HUNG_UP)
    assert calls.end(MID, 1, Cause.STOPPED, NOW + 2) == ended == calls.get(MID, 1)


def test_the_end_sees_the_token_that_was_written_last(calls):
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    put(calls, ticket(1, retry=1))
    assert calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW).ticket == ticket(1, retry=1)


# ------------------------------------------------------- dead, and why
def test_a_guess_is_the_cause_until_it_is_known_and_what_is_known_stays(calls):
    calls.open(CALL, EXPIRES)
    guessed = calls.end(MID, 1, Cause.NO_ANSWER, NOW + 1, is_guess=True)
    assert guessed == replace(CALL, ended_msec=NOW + 1, cause=Cause.NO_ANSWER, cause_is_guess=True)
    # News that comes again guesses nothing else, nor says when it ended
    assert calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW + 2, is_guess=True) == guessed
    assert calls.end(MID, 1, Cause.STOPPED, NOW + 2) == guessed == calls.get(MID, 1)
    # The record is asked
    known = calls.explain(MID, 1, Cause.BUSY, None)
    assert known == replace(guessed, cause=Cause.BUSY, cause_is_guess=False)
    assert calls.explain(MID, 1, Cause.NO_ANSWER, None) is None
    assert calls.end(MID, 1, Cause.NO_ANSWER, NOW + 3, is_guess=True) == known == calls.get(MID, 1)


def test_what_is_certain_is_no_guess_afterwards(calls):
    calls.open(CALL, EXPIRES)
    ended = calls.end(MID, 1, Cause.BUSY, NOW + 1)
    assert calls.end(MID, 1, Cause.NO_ANSWER, NOW + 2, is_guess=True) == ended
    assert calls.explain(MID, 1, Cause.NO_ANSWER, None) is None
    assert calls.get(MID, 1) == ended


def test_a_better_guess_is_a_guess_and_an_answer_that_was_known_stays(calls):
    calls.open(CALL, EXPIRES)
    calls.end(MID, 1, Cause.NO_ANSWER, NOW + 1, is_guess=True)
    better = calls.explain(MID, 1, Cause.CALLER_HUNG_UP, NOW + 1, is_guess=True)
    assert (better.cause, better.answered_msec, better.cause_is_guess) == (Cause.CALLER_HUNG_UP, NOW + 1, True)
    known = calls.explain(MID, 1, Cause.HUNG_UP, NOW + 9)
    assert known == replace(better, cause=Cause.HUNG_UP, cause_is_guess=False) == calls.get(MID, 1)


def test_nothing_is_explained_of_a_call_that_is_up_or_not_there(calls):
    assert calls.explain(MID, 1, Cause.BUSY, None) is None
    calls.open(CALL, EXPIRES)
    assert calls.explain(MID, 1, Cause.BUSY, NOW) is None
    assert calls.get(MID, 1) == CALL
    assert calls.end("99", 1, Cause.BUSY, NOW, is_guess=True) is None


def test_whose_a_contact_is_is_known_as_soon_as_it_is_noted(calls):
    assert calls.find_contact("contact-1") is None
    calls.name_contact("contact-1", MID, 2, EXPIRES)
    assert calls.find_contact("contact-1") == (MID, 2)
    assert calls.find_contact("contact-2") is None
    assert calls.get(MID, 2) is None


def test_a_call_that_was_ended_by_the_release_before_has_its_cause(dynamodb):
    # That release knows no guess: an item without the mark is certain
    dynamodb.calls.open(CALL, EXPIRES)
    dynamodb.client.update_item(
        TableName=dynamodb.messages_table,
        Key={"pk": {"S": f"M#{MID}"}, "sk": {"S": "CALL#001"}},
        UpdateExpression="SET ended_msec = :now, cause = :cause",
        ExpressionAttributeValues={":now": {"N": str(NOW)}, ":cause": {"S": "noAnswer"}},
    )
    assert not dynamodb.calls.get(MID, 1).cause_is_guess
    assert dynamodb.calls.end(MID, 1, Cause.BUSY, NOW, is_guess=True).cause is Cause.NO_ANSWER


# ------------------------------------------------------- given up
@pytest.mark.parametrize("placed", [True, False])
def test_a_phone_that_has_rung_for_as_long_as_it_may_is_given_up(calls, placed):
    calls.open(LOGGED, EXPIRES)
    if placed:
        calls.set_contact(MID, 1, "contact-1")
    given_up = calls.give_up(MID, 1, NOW + 1)
    assert given_up == calls.get(MID, 1)
    # Of a call that may never have been placed there is no cause: it is looked into where the call is finished
    assert (given_up.gave_up_msec, given_up.cause) == (NOW + 1, Cause.NO_ANSWER if placed else None)
    assert not given_up.ended
    # A repeat changes nothing, and no answer counts any more
    assert calls.give_up(MID, 1, NOW + 2) == given_up
    assert calls.set_answered(MID, 1, "contact-1", NOW + 3) is None
    written, found = append(calls, "answered", 1)
    assert (written, found) == (False, given_up)


def test_whoever_has_answered_or_is_gone_is_not_given_up(calls):
    assert calls.give_up(MID, 1, NOW) is None
    calls.open(CALL, EXPIRES)
    answered = calls.set_answered(MID, 1, "contact-1", NOW + 1)
    assert calls.give_up(MID, 1, NOW + 2) is None
    assert calls.get(MID, 1) == answered
    ended = replace(CALL, attempt=2)
    calls.open(ended, EXPIRES)
    gone = calls.end(MID, 2, Cause.BUSY, NOW + 1)
    assert calls.give_up(MID, 2, NOW + 2) is None
    assert calls.get(MID, 2) == gone


def test_an_answer_that_stands_in_the_log_is_not_given_up(calls):
    answered = logged(calls)
    assert calls.give_up(MID, 1, NOW + 2) is None
    assert calls.get(MID, 1) == answered


def test_a_call_that_was_given_up_ends_as_not_answered_whatever_its_record_says(calls):
    calls.open(CALL, EXPIRES)
    calls.set_contact(MID, 1, "contact-1")
    calls.give_up(MID, 1, NOW + 1)
    ended = calls.end(MID, 1, Cause.FAILED, NOW + 2, is_guess=True)
    assert (ended.cause, ended.cause_is_guess, ended.ended_msec) == (Cause.NO_ANSWER, False, NOW + 2)


# ------------------------------------------------------------------- the log
TWO: Table = ({"d1": 1, "wrong": 0}, {"d1": "end", "d2": "wait", "wrong": 1})
LOGGED = replace(CALL, asks=(ASK, ASK), plan=Plan(TWO, 50, NOW + 900_000, 2))


def logged(calls, *words, contact="contact-1"):
    """Opens a call that heard these in its menus, one after the other."""
    calls.open(LOGGED, EXPIRES)
    for word in ("answered", *words):
        assert append(calls, word, contact=contact)[0]
    return calls.get(MID, 1)


def append(calls, word, seq=None, contact="contact-1", then=None):
    call = calls.get(MID, 1)
    event = "key" if word.startswith("d") else word
    entry = call.would_log(seq or call.log_seq + 1, event, word if event == "key" else "", NOW + call.log_seq)
    entry = entry or Entry(seq, 0, event, word, NOW, Then(ThenKind.ASK, 0))
    return calls.append(MID, 1, contact, entry)


def test_a_call_with_a_plan_is_read_as_it_was_written(calls):
    assert calls.open(LOGGED, EXPIRES) == LOGGED == calls.get(MID, 1)
    assert LOGGED.goes_by_log


def test_what_is_heard_stands_in_the_log_with_what_follows_and_on_the_path(calls):
    call = logged(calls, "d1", "idle", "d2")
    assert [(entry.seq, entry.menu, entry.event, entry.key, entry.then) for entry in call.log] == [
        (1, None, "answered", "", Then(ThenKind.ASK, 0)),
        (2, 0, "key", "d1", Then(ThenKind.ASK, 1)),
        (3, 1, "idle", "", Then(ThenKind.ASK, 1)),
        (4, 1, "key", "d2", Then(ThenKind.WAIT)),
    ]
    assert call.path == (Step(0, "d1", NOW + 1), Step(1, "idle", NOW + 2), Step(1, "d2", NOW + 3))
    assert (call.answered_msec, call.contact_id, call.seq) == (NOW, "contact-1", 1)


def test_an_introduction_that_could_not_be_played_is_why_the_call_ends(calls):
    call = logged(calls, "prompt_error")
    assert call.stop_reason == "promptUnavailable"
    assert call.log[-1].then == Then(ThenKind.END, reason="promptUnavailable")


def test_the_first_entry_of_a_seq_stays_and_none_stands_without_its_predecessor(calls):
    before = logged(calls, "d1")
    again = Entry(2, 0, "key", "d2", NOW, Then(ThenKind.END))
    for entry in (again, replace(again, seq=1), replace(again, seq=4), replace(again, seq=9)):
        assert calls.append(MID, 1, "contact-1", entry) == (False, before)
    assert calls.get(MID, 1) == before


@pytest.mark.parametrize("words", [(), ("d1",)])
def test_of_another_contact_nothing_stands_in_the_log(calls, words):
    logged(calls, *words)
    written, call = append(calls, "d1", contact="contact-2")
    assert (written, call.log_seq) == (False, 1 + len(words))


def test_the_first_contact_that_answers_is_the_calls_unless_it_has_one(calls):
    calls.open(LOGGED, EXPIRES)
    calls.set_contact(MID, 1, "contact-1")
    assert not append(calls, "answered", contact="contact-2")[0]
    written, call = append(calls, "answered")
    assert (written, call.contact_id, call.answered_msec) == (True, "contact-1", NOW)


def test_nothing_stands_in_the_log_of_a_call_that_has_ended_or_is_unknown_or_keeps_none(calls):
    entry = Entry(1, None, "answered", "", NOW, Then(ThenKind.ASK, 0))
    assert calls.append(MID, 1, "contact-1", entry) == (False, None)
    assert calls.advance(MID, 1, ask(), ticket(1)) == (False, None)
    calls.open(CALL, EXPIRES)
    assert calls.append(MID, 1, "contact-1", entry) == (False, CALL)
    calls.open(replace(LOGGED, attempt=2), EXPIRES)
    ended = calls.end(MID, 2, Cause.CALLER_HUNG_UP, NOW)
    assert calls.append(MID, 2, "contact-1", entry) == (False, ended)


def test_an_entry_takes_the_turn_of_the_event_that_brings_it_and_stands_also_when_a_later_one_was_first(calls):
    logged(calls)
    call = calls.get(MID, 1)
    written, found = calls.append(MID, 1, "contact-1", call.would_log(2, "key", "d1", NOW), 7)
    assert (written, found.turn, found.log_seq) == (True, 7, 2)
    written, found = calls.append(MID, 1, "contact-1", found.would_log(3, "key", "d2", NOW), 6)
    assert (written, found.turn, found.log_seq) == (True, 7, 3)
    # Of an entry that is there the turn is not taken: who brings it has heard nothing new
    written, found = calls.append(MID, 1, "contact-1", found.log[2], 9)
    assert (written, found.turn, found.log_seq) == (False, 7, 3)


def test_the_machine_comes_to_each_entry_in_turn_and_not_further_than_the_log(calls):
    logged(calls, "d1")
    written, call = calls.advance(MID, 1, ask(0), ticket(1))
    assert (written, call.seq, call.visits, call.command, call.ticket) == (True, 2, 1, ask(0), ticket(1))
    written, call = calls.advance(MID, 1, ask(1), ticket(2))
    assert (written, call.seq, call.visits) == (True, 3, 2)
    # What nobody was told to do yet is the command of a try that was given up
    assert calls.advance(MID, 1, ask(1), ticket(3)) == (False, call)
    append(calls, "d1")
    written, call = calls.advance(MID, 1, Command(Kind.HANG_UP), ticket(4))
    assert (written, call.seq, call.visits, call.command) == (True, 4, 2, Command(Kind.HANG_UP))


def test_a_later_try_brings_its_token_and_an_earlier_one_or_visit_does_not(calls):
    logged(calls, "d1", "d1")
    calls.advance(MID, 1, ask(0), ticket(1))
    written, call = calls.advance(MID, 1, ask(0), ticket(1, retry=2))
    assert (written, call.seq, call.ticket) == (True, 2, ticket(1, retry=2))
    assert calls.advance(MID, 1, ask(0), ticket(1, retry=1)) == (False, call)
    assert calls.advance(MID, 1, ask(0), ticket(0)) == (False, call)
    assert calls.get(MID, 1) == call


def test_a_call_that_has_ended_goes_on_as_far_as_its_log_and_no_further(calls):
    logged(calls, "d1")
    calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)
    assert calls.advance(MID, 1, ask(0), ticket(1))[0]
    written, call = calls.advance(MID, 1, ask(1), ticket(2))
    assert (written, call.ended, call.seq) == (False, True, 2)
    # A later try of what has its answer is told so without its token
    written, call = calls.advance(MID, 1, ask(0), ticket(1, retry=1))
    assert (written, call.ticket, call.known_reply) == (False, ticket(1), Reply(2, "key", "d1"))


def test_a_machine_that_was_told_past_the_log_closes_it(calls):
    # Given functions of the release before, which tell the machine and write nothing into the log
    logged(calls)
    put(calls, ticket(1))
    put(calls, ticket(2))
    call = calls.get(MID, 1)
    assert (call.seq, call.goes_by_log) == (3, False)
    # Then what comes late for an earlier question does not get into it
    assert calls.append(MID, 1, "contact-1", Entry(2, 0, "key", "d1", NOW, Then(ThenKind.ASK, 1))) == (False, call)
    # And the call goes on without
    assert calls.keep_reply(MID, 1, Reply(3, "key", "d1")).known_reply == Reply(3, "key", "d1")
    calls.set_done(MID, 1, 3, Step(1, "d1", NOW + 9))
    assert calls.get(MID, 1).path == (Step(1, "d1", NOW + 9),)


# ------------------------------------------------------------------ messages
def queued(messages, mid=MID, now=NOW):
    messages.add([message(mid)])
    assert messages.queue(mid, (ASK,), now)
    return messages.get(mid)


def full(mid):
    """A message with everything that its sender may say."""
    said = {
        "customer_id": "order-7",
        "ttl_seconds": 60,
        "ring_seconds": 20,
        "redial": Redial(2, (60, 120), ("busy",)),
        "silent_repeats": 0,
    }
    return message(mid, caller_id="+4930123456", **said)


def called(messages, mid=MID, now=NOW, pool=POOL):
    """A message that has a line."""
    assert messages.claim_line(queued(messages, mid), "arn:flow", pool, now) == LineTaken()
    return messages.get(mid)


def test_a_message_is_read_as_it_was_written(messages):
    assert messages.get(MID) is None
    messages.add([MESSAGE, full("8")])
    assert messages.get(MID) == MESSAGE
    assert messages.get("8") == full("8")


def test_messages_are_added_together_or_not_at_all(messages):
    messages.add([MESSAGE])
    with pytest.raises(StoreUnavailable):
        messages.add([replace(MESSAGE, mid="8"), replace(MESSAGE, text="other")])
    assert messages.get("8") is None
    assert messages.get(MID) == MESSAGE


def test_messages_that_are_there_from_the_same_list_are_a_repeat_and_from_another_are_not(messages):
    messages.add([MESSAGE, replace(MESSAGE, mid="8")])
    messages.queue(MID, (ASK,), NOW)
    messages.add([MESSAGE, replace(MESSAGE, mid="8")])
    assert messages.get(MID).state is State.QUEUED
    with pytest.raises(StoreUnavailable):
        messages.add([replace(MESSAGE, list_id="9")])


def test_a_hundred_messages_are_added_at_once(messages):
    messages.add([replace(MESSAGE, mid=str(mid)) for mid in range(100)])
    assert messages.get("99").mid == "99"


def test_a_message_is_queued_once(messages):
    found = queued(messages)
    assert found == replace(message(MID), state=State.QUEUED, asks=(ASK,))
    assert found.due_msec == NOW
    assert not messages.queue(MID, (), NOW)
    assert messages.get(MID) == found


@pytest.mark.parametrize("before", [State.PREPARING, State.QUEUED])
def test_a_message_is_refused_once_in_the_state_it_was_in_and_never_goes_on_then(messages, before):
    messages.add([MESSAGE])
    if before is State.QUEUED:
        messages.queue(MID, (ASK,), NOW)
    waiting = messages.get(MID)
    for other in {*State} - {before}:
        assert not messages.refuse(MID, other, EXPIRED, None, NOW)
    assert messages.refuse(MID, before, PROMPT_UNAVAILABLE, "no audio", NOW + 5)
    found = messages.get(MID)
    assert (found.state, found.outcome, found.reason) == (State.FINISHED, "promptUnavailable", "promptUnavailable")
    assert (found.cause, found.finished_msec, found.due_msec) == ("no audio", NOW + 5, None)
    assert not messages.refuse(MID, before, ANSWERED, "", NOW)
    assert not messages.queue(MID, (ASK,), NOW)
    assert messages.claim_line(waiting, "arn:flow", POOL, NOW) == NotQueued()
    assert messages.get(MID) == found


def test_a_refusal_may_have_no_cause(messages):
    queued(messages)
    assert messages.refuse(MID, State.QUEUED, EXPIRED, None, NOW)
    assert (messages.get(MID).outcome, messages.get(MID).cause) == ("expired", None)


def test_taking_a_line_makes_the_message_a_call(messages):
    waiting = queued(messages)
    assert messages.claim_line(waiting, "arn:flow", POOL, NOW) == LineTaken()
    assert messages.get(MID) == replace(waiting, state=State.CALLING, attempt=1, flow_arn="arn:flow")


def test_the_release_before_does_not_look_after_what_this_one_has_claimed(dynamodb):
    """It would start the execution again with another input, be told that there was one, and hang up a call."""
    waiting = queued(dynamodb.messages)
    at = {"pk": {"S": f"M#{MID}"}, "sk": {"S": "MESSAGE"}}
    # Given a message whose attempt before was claimed by that release
    dynamodb.client.update_item(
        TableName=dynamodb.messages_table,
        Key=at,
        UpdateExpression="SET flow_arn = :old",
        ExpressionAttributeValues={":old": {"S": "arn:before"}},
    )
    dynamodb.messages.claim_line(replace(waiting, dial_wait_seconds=50), "arn:flow", POOL, NOW)
    item = dynamodb.client.get_item(TableName=dynamodb.messages_table, Key=at)["Item"]
    assert "flow_arn" not in item
    found = dynamodb.messages.get(MID)
    assert (found.flow_arn, found.dial_wait_seconds) == ("arn:flow", 50)


def test_a_message_is_taken_once_however_many_try(messages):
    waiting = queued(messages)
    messages.claim_line(waiting, "arn:flow", POOL, NOW)
    assert messages.claim_line(waiting, "arn:flow", POOL, NOW + 9999) == NotQueued()
    assert messages.claim_line(messages.get(MID), "arn:flow", POOL, NOW + 9999) == NotQueued()


@pytest.mark.parametrize("state", [State.PREPARING, State.FINISHED])
def test_a_message_that_is_not_queued_takes_no_line(messages, state):
    messages.add([MESSAGE])
    if state is State.FINISHED:
        messages.refuse(MID, State.PREPARING, ANSWERED, "", NOW)
    assert messages.claim_line(MESSAGE, "arn:flow", POOL, NOW) == NotQueued()


def test_lines_are_taken_no_faster_than_the_rate(messages):
    first, second = queued(messages, "1"), queued(messages, "2")
    assert messages.claim_line(first, "arn:flow", POOL, NOW) == LineTaken()
    assert messages.claim_line(second, "arn:flow", POOL, NOW + 249) == TooSoon(NOW + 250)
    assert messages.get("2").state is State.QUEUED
    assert messages.claim_line(second, "arn:flow", POOL, NOW + 250) == LineTaken()


def test_a_rate_that_does_not_divide_a_second_is_never_exceeded(messages):
    first, second = queued(messages, "1"), queued(messages, "2")
    messages.claim_line(first, "arn:flow", Pool(2, 3), NOW)
    assert messages.claim_line(second, "arn:flow", Pool(2, 3), NOW + 333) == TooSoon(NOW + 334)


def test_no_more_lines_are_taken_than_there_are(messages):
    found = [queued(messages, str(mid)) for mid in (1, 2, 3)]
    for step, waiting in enumerate(found[:2]):
        assert messages.claim_line(waiting, "arn:flow", POOL, NOW + step * 250) == LineTaken()
    assert messages.claim_line(found[2], "arn:flow", POOL, NOW + 9999) == LinesFull()
    assert messages.claim_line(found[2], "arn:flow", POOL, NOW + 250) == LinesFull(), "full weighs more than too soon"
    assert messages.get("3").state is State.QUEUED


def test_a_pool_without_lines_gives_none(messages):
    assert messages.claim_line(queued(messages), "arn:flow", Pool(0, 1), NOW) == LinesFull()


def test_of_two_messages_to_one_number_only_one_has_a_line(messages):
    many = Pool(10, 1)
    messages.add([replace(MESSAGE, mid="1"), replace(MESSAGE, mid="2")])
    for mid in ("1", "2"):
        messages.queue(mid, (ASK,), NOW)
    assert messages.claim_line(messages.get("1"), "arn:flow", many, NOW) == LineTaken()
    second = messages.get("2")
    # Busy weighs more than too soon: to wait for the slot would be in vain.
    for later in (0, 9999):
        assert messages.claim_line(second, "arn:flow", many, NOW + later) == NumberBusy()
    assert messages.get("2") == second
    # The number is given back with the line.
    messages.finish(messages.get("1"), ANSWERED, NOW + 9999)
    assert messages.claim_line(second, "arn:flow", many, NOW + 9999) == LineTaken()


def test_full_lines_weigh_more_than_a_busy_number(messages):
    one = Pool(1, 1000)
    first = called(messages, "1", pool=one)
    messages.add([message("2", number=first.number)])
    messages.queue("2", (ASK,), NOW)
    assert messages.claim_line(messages.get("2"), "arn:flow", one, NOW + 1) == LinesFull()


def test_finishing_gives_the_line_back_once(messages, lines):
    one = Pool(1, 1000)
    first, second = called(messages, "1", pool=one), queued(messages, "2")
    assert messages.finish(first, ANSWERED, NOW)
    finished = messages.get("1")
    assert (finished.state, finished.outcome, finished.reason) == (State.FINISHED, "answered", "completed")
    assert lines.read().held == {}
    assert messages.claim_line(second, "arn:flow", one, NOW + 1) == LineTaken()
    # A repeat changes neither the message nor the other's line.
    assert not messages.finish(first, Outcome("failed", "failed"), NOW + 2)
    assert not messages.requeue(first, 1, NOW + 2)
    assert messages.get("1") == finished
    assert lines.read().held == {second.number: "2-1"}
    third = queued(messages, "3")
    assert messages.claim_line(third, "arn:flow", one, NOW + 2) == LinesFull()


def test_only_the_attempt_that_holds_the_line_can_finish(messages):
    waiting = queued(messages)
    assert not messages.finish(waiting, ANSWERED, NOW)
    messages.claim_line(waiting, "arn:flow", POOL, NOW)
    for attempt in (0, 2):
        assert not messages.finish(replace(waiting, attempt=attempt), ANSWERED, NOW)
        assert not messages.requeue(replace(waiting, attempt=attempt), 1, NOW)
    assert not messages.finish(message("99", attempt=1), ANSWERED, NOW)
    assert messages.get(MID).state is State.CALLING


def test_a_redial_takes_a_call_of_the_day_for_which_it_is_due_once(messages, lines):
    many, midnight = Pool(9, 1000), 1_790_035_200_000
    first, second, third = (called(messages, str(mid), pool=many, now=NOW + mid) for mid in (1, 2, 3))
    assert messages.redial(first, midnight - 1, 1) is Redialled.QUEUED
    again = messages.get("1")
    assert (again.state, again.redials, again.due_msec) == (State.QUEUED, 1, midnight - 1)
    # A repeat neither changes it nor takes another
    assert messages.redial(first, midnight - 1, 2) is Redialled.DONE_BEFORE
    assert messages.get("1") == again
    # A full day changes nothing, the next one has room, and more of them is a larger account's
    assert messages.redial(second, midnight - 1, 1) is Redialled.DAY_FULL
    assert (messages.get("2"), "2-1" in lines.read().held.values()) == (second, True)
    assert messages.redial(second, midnight, 1) is Redialled.QUEUED
    assert messages.redial(third, midnight - 1, 0) is Redialled.DAY_FULL
    assert messages.redial(third, midnight - 1, 2) is Redialled.QUEUED
    assert lines.read().held == {}


def test_messages_and_redials_count_on_the_same_day(dynamodb):
    # Given an account of two calls a day, that has sent one message today
    lists = DynamoLists(dynamodb.client, dynamodb.registry_table)
    account = Account("acme", ("*",), calls_per_day=2)
    lists.spend(account, 1, NOW)
    many = Pool(9, 1000)
    first, second = (called(dynamodb.messages, str(mid), pool=many, now=NOW + mid) for mid in (1, 2))
    # Then there is room for one redial, and for nothing after it
    assert dynamodb.messages.redial(first, NOW + 60_000, 2) is Redialled.QUEUED
    assert dynamodb.messages.redial(second, NOW + 60_000, 2) is Redialled.DAY_FULL
    with pytest.raises(RateLimited):
        lists.spend(account, 1, NOW)


def test_a_message_that_is_put_back_waits_for_its_next_attempt_without_a_line(messages, lines):
    first = called(messages)
    assert messages.requeue(first, 1, NOW + 60_000)
    back = messages.get(MID)
    assert back == replace(first, state=State.QUEUED, redials=1)
    assert back.due_msec == NOW + 60_000
    assert lines.read().held == {}
    assert messages.due(State.QUEUED, NOW + 59_999, 9) == messages.due(State.CALLING, NOW + 10**9, 9) == []
    assert messages.due(State.QUEUED, NOW + 60_000, 9) == [MID]
    # The next attempt is another: what is late of the first one changes nothing.
    assert messages.claim_line(back, "arn:flow", POOL, NOW + 60_000) == LineTaken()
    assert not messages.finish(first, ANSWERED, NOW + 60_001)
    assert not messages.requeue(first, 2, NOW + 60_001)
    assert lines.read().held == {first.number: f"{MID}-2"}
    assert messages.finish(messages.get(MID), ANSWERED, NOW + 60_002)


def settling(messages, mid=MID, **more):
    found = called(messages, mid, **more)
    assert messages.settle(found, End.LOST, Outcome("noAnswer", "noAnswer"), NOW + 5)
    return messages.get(mid)


def test_a_message_settles_once_without_its_line_and_without_an_outcome(messages, lines):
    first = called(messages)
    assert messages.settle(first, End.LOST, Outcome("noAnswer", "noAnswer"), NOW + 5)
    found = messages.get(MID)
    assert found == replace(first, state=State.SETTLING, settling_end=End.LOST)
    assert (found.due_msec, lines.read().held) == (NOW + 5, {})
    assert messages.due(State.SETTLING, NOW + 4, 9) == messages.due(State.CALLING, NOW + 10**9, 9) == []
    assert messages.due(State.SETTLING, NOW + 5, 9) == [MID]
    # Whoever still takes it for calling, or for another attempt, changes nothing
    assert not messages.settle(first, End.FAILED, EXPIRED, NOW + 6)
    assert not messages.finish(first, ANSWERED, NOW + 6)
    assert not messages.requeue(first, 1, NOW + 6)
    assert messages.redial(first, NOW + 6, 9) is Redialled.DONE_BEFORE
    assert not messages.finish(replace(found, attempt=2), ANSWERED, NOW + 6)
    assert not messages.refuse(MID, State.QUEUED, EXPIRED, None, NOW + 6)
    assert messages.claim_line(replace(found, state=State.QUEUED), "arn:flow", POOL, NOW + 6) == NotQueued()
    assert messages.get(MID) == found


def test_a_message_that_has_settled_is_finished_once_and_gives_nothing_back(messages, lines):
    found = settling(messages, "1")
    # Given another message that calls the same number meanwhile
    messages.add([message("2", number=found.number)])
    messages.queue("2", (ASK,), NOW)
    assert messages.claim_line(messages.get("2"), "arn:flow", POOL, NOW + 10**6) == LineTaken()
    assert messages.finish(found, Outcome("busy", "busy"), NOW + 7)
    finished = messages.get("1")
    assert (finished.state, finished.outcome, finished.finished_msec) == (State.FINISHED, "busy", NOW + 7)
    assert (finished.settling_end, finished.due_msec, messages.due(State.SETTLING, NOW + 10**9, 9)) == (None, None, [])
    assert not messages.finish(found, ANSWERED, NOW + 8)
    assert not messages.requeue(found, 1, NOW + 8)
    assert messages.get("1") == finished
    # Then its line, and its number, are still taken
    assert lines.read().held == {found.number: "2-1"}
    messages.add([message("3", number=found.number)])
    messages.queue("3", (ASK,), NOW)
    assert messages.claim_line(messages.get("3"), "arn:flow", Pool(9, 1000), NOW + 10**7) == NumberBusy()


def test_a_message_that_has_settled_is_dialled_again_and_shows_no_outcome_meanwhile(messages, lines):
    found, other = (settling(messages, mid, pool=Pool(9, 1000), now=NOW + int(mid)) for mid in ("1", "2"))
    assert messages.redial(other, NOW + 60_000, 0) is Redialled.DAY_FULL
    assert messages.get("2") == other
    assert messages.redial(found, NOW + 60_000, 1) is Redialled.QUEUED
    back = messages.get("1")
    assert (back.state, back.redials, back.due_msec, back.settling_end) == (State.QUEUED, 1, NOW + 60_000, None)
    assert (back.outcome, back.reason, back.finished_msec) == (None, None, None)
    assert messages.redial(found, NOW + 60_000, 9) is Redialled.DONE_BEFORE
    assert messages.redial(other, NOW + 60_000, 1) is Redialled.DAY_FULL
    assert messages.claim_line(back, "arn:flow", POOL, NOW + 10**6) == LineTaken()
    assert not messages.finish(found, ANSWERED, NOW + 8)
    assert lines.read().held == {found.number: "1-2"}


def test_a_message_that_cannot_be_read_while_it_settles_can_still_be_refused(messages):
    settling(messages)
    assert messages.refuse(MID, State.SETTLING, EXPIRED, None, NOW + 9)
    assert not messages.refuse(MID, State.SETTLING, EXPIRED, None, NOW + 9)
    assert (messages.get(MID).state, messages.get(MID).outcome) == (State.FINISHED, "expired")


def test_a_message_that_settles_is_finished_for_a_release_that_knows_no_such_state(dynamodb):
    settling(dynamodb.messages)
    key = {"pk": {"S": f"M#{MID}"}, "sk": {"S": "MESSAGE"}}
    item = dynamodb.client.get_item(TableName=dynamodb.messages_table, Key=key)["Item"]
    assert (item["state"], item["outcome"], item["reason"]) == ({"S": "finished"}, {"S": "noAnswer"}, {"S": "noAnswer"})
    # And for this one it is neither finished nor has an outcome, in a list as by itself
    (summary,) = DynamoHistory(dynamodb.client, dynamodb.messages_table).summaries([MID])
    assert (summary.state, summary.outcome, summary.reason) == (State.SETTLING, None, None)


def test_the_due_come_in_order_and_no_more_than_asked_for(messages):
    for step, mid in enumerate(["12", "9", "30", "1"]):
        queued(messages, mid, NOW + step)
    assert messages.due(State.QUEUED, NOW + 9, 10) == ["12", "9", "30", "1"]
    assert messages.due(State.QUEUED, NOW + 9, 2) == ["12", "9"]
    assert messages.due(State.QUEUED, NOW + 1, 10) == ["12", "9"]
    assert messages.due(State.QUEUED, NOW - 1, 10) == []


def test_each_state_is_due_at_its_own_time_and_finished_ones_never(messages):
    messages.add([MESSAGE])
    assert messages.due(State.PREPARING, NOW + 299_999, 10) == []
    assert messages.due(State.PREPARING, NOW + 300_000, 10) == [MID]
    messages.queue(MID, (ASK,), NOW)
    assert messages.due(State.PREPARING, NOW + 10**9, 10) == []
    assert messages.due(State.QUEUED, NOW, 10) == [MID]
    messages.claim_line(messages.get(MID), "arn:flow", POOL, NOW)
    assert messages.due(State.QUEUED, NOW + 10**9, 10) == []
    assert messages.due(State.CALLING, NOW + 59_999, 10) == []
    assert messages.due(State.CALLING, NOW + 60_000, 10) == [MID]
    messages.finish(messages.get(MID), ANSWERED, NOW)
    for state in State:
        assert messages.due(state, NOW + 10**9, 10) == []


def test_of_many_that_are_due_the_first_come_first_in_each_shard(messages):
    for step in range(12):
        queued(messages, str(100 + step), NOW + step)
    assert messages.due(State.QUEUED, NOW + 99, 5) == ["100", "101", "102", "103", "104"]
    assert messages.due(State.QUEUED, NOW + 99, 100) == [str(100 + step) for step in range(12)]


def test_those_that_were_put_off_take_turns_with_those_that_wait(messages):
    for step in range(6):
        queued(messages, str(100 + step), NOW + step)
    for mid, later in (("104", 20), ("100", 30), ("103", 40)):
        messages.postpone(mid, State.QUEUED, NOW + later)
    assert messages.due(State.QUEUED, NOW + 10, 9) == ["101", "102", "105"]
    assert messages.due(State.QUEUED, NOW + 30, 9) == ["104", "101", "100", "102", "105"]
    assert messages.due(State.QUEUED, NOW + 99, 3) == ["104", "101", "100"]
    # What is put back after a call waits for its moment among them.
    assert messages.claim_line(messages.get("101"), "arn:flow", POOL, NOW) == LineTaken()
    assert messages.requeue(messages.get("101"), 1, NOW + 25)
    assert messages.due(State.QUEUED, NOW + 30, 3) == ["104", "102", "101"]


def test_postponing_moves_the_moment_in_that_state_only(messages):
    queued(messages)
    messages.postpone(MID, State.QUEUED, NOW + 500)
    assert messages.due(State.QUEUED, NOW + 499, 10) == []
    assert messages.due(State.QUEUED, NOW + 500, 10) == [MID]
    messages.postpone(MID, State.CALLING, NOW + 900)
    assert messages.due(State.QUEUED, NOW + 500, 10) == [MID]
    assert messages.due(State.CALLING, NOW + 10**9, 10) == []


# ---------------------------------------------------------------------- pool
def test_a_pool_that_nobody_has_touched_goes_by_the_stack(lines):
    assert lines.read() == PoolState()
    assert lines.read().in_effect(POOL) == POOL


def test_what_an_operator_chooses_holds_until_it_is_taken_back(lines):
    lines.tell_stack(POOL)
    lines.choose({"lines": 20, "calls_per_second": 5})
    assert lines.read() == PoolState(20, 5, POOL)
    lines.choose({"lines": 0})
    assert lines.read().in_effect(POOL) == Pool(0, 5)
    lines.choose({"calls_per_second": None})
    assert lines.read() == PoolState(0, None, POOL)
    lines.tell_stack(Pool(3, 3))
    lines.choose({"lines": None, "calls_per_second": 7})
    assert lines.read().in_effect(Pool(3, 3)) == Pool(3, 7)


def test_the_pool_knows_who_holds_a_line(messages, lines):
    first = called(messages, "1")
    second = called(messages, "2", NOW + 250)
    state = lines.read()
    assert state.held == {first.number: "1-1", second.number: "2-1"}
    assert state.next_msec == NOW + 500


def test_a_pool_that_is_slowed_down_gives_no_line_before_that_and_is_never_quicker_for_it(messages, lines):
    waiting = queued(messages)
    lines.slow_down(NOW + 2000)
    lines.slow_down(NOW + 1000)
    assert messages.claim_line(waiting, "arn:flow", POOL, NOW + 1999) == TooSoon(NOW + 2000)
    assert messages.claim_line(waiting, "arn:flow", POOL, NOW + 2000) == LineTaken()


def test_a_line_is_released_once_and_only_from_the_attempt_that_holds_it(messages, lines):
    first, second = called(messages, "1"), called(messages, "2", NOW + 250)
    assert not lines.release("1-2", first.number)
    assert not lines.release("3-1", "+4930000")
    assert lines.release("1-1", first.number)
    assert not lines.release("1-1", first.number)
    assert lines.read().held == {second.number: "2-1"}
    # By now the number is in another call: what is late about the first does not touch it.
    messages.add([message("4", number=first.number)])
    messages.queue("4", (ASK,), NOW)
    assert messages.claim_line(messages.get("4"), "arn:flow", POOL, NOW + 9999) == LineTaken()
    assert not lines.release("1-1", first.number)
    assert lines.read().held == {second.number: "2-1", first.number: "4-1"}


# ------------------------------------------------------------- DynamoDB alone
def test_a_later_try_that_loses_to_the_end_between_its_two_writes_is_told_so(dynamodb, monkeypatch):
    # Given menu 0 asked by try 0, and a call that ends between the two writes of try 1
    calls = dynamodb.calls
    calls.open(CALL, EXPIRES)
    put(calls, ticket(1))
    update = dynamodb.client.update_item
    seen = []

    def update_item(**request):
        try:
            return update(**request)
        finally:
            if not seen:
                seen.append(request)
                calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW)

    monkeypatch.setattr(dynamodb.client, "update_item", update_item)
    # When try 1 brings its token
    written, found = put(calls, ticket(1, retry=1))
    # Then it hears that the call has ended, and not that somebody else has the word
    assert not written
    assert found.ended


def test_items_say_when_they_expire_and_hold_no_token_beyond_the_call(dynamodb):
    dynamodb.calls.open(CALL, EXPIRES)
    dynamodb.messages.add([MESSAGE])
    items = dynamodb.client.scan(TableName=dynamodb.messages_table)["Items"]
    assert {item["expires_at"]["N"] for item in items} == {str(EXPIRES)}
    assert "state" not in next(item for item in items if item["sk"]["S"].startswith("CALL#")), (
        "the stream filters on it"
    )


def test_the_registry_finds_what_was_put_and_nothing_else(dynamodb):
    registry = Registry(dynamodb.client, dynamodb.registry_table)
    registry.put_flow("12345678-x", "arn:machine")
    assert (registry.find_flow("12345678-x"), registry.find_flow("y")) == ("arn:machine", None)


def test_a_new_message_is_looked_after_when_its_time_is_up_if_not_before(messages):
    messages.add([message("1", ttl_seconds=30), message("2", ttl_seconds=86_400)])
    assert messages.due(State.PREPARING, NOW + 29_999, 9) == []
    assert messages.due(State.PREPARING, NOW + 30_000, 9) == ["1"]
    assert set(messages.due(State.PREPARING, NOW + 300_000, 9)) == {"1", "2"}


def test_faults_are_counted_while_a_message_is_prepared(messages):
    messages.add([MESSAGE])
    assert [messages.note_fault(MID) for _ in range(3)] == [1, 2, 3]
    assert messages.get(MID) == MESSAGE
    messages.queue(MID, (ASK,), NOW)
    assert [messages.note_fault(MID), messages.note_fault("1")] == [0, 0]
    assert messages.get("1") is None
