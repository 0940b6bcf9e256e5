"""What a rehearsal over the API goes on top of: an account's own messages, and of all others how many wait.

What others have is none of the account's business, so it cannot come out of the figures: they are one account with the
sum of their shares, which never runs out of messages. So the account has the lines that its share gives it, whatever
others send meanwhile; of them its figures tell what its estimates tell.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.message import Message, State
from speechcall.messages.rules.pool import Pool
from speechcall.messages.rules.turns import Queue, Turn
from speechcall.messages.use_cases.lines import PoolState
from speechcall.messages.use_cases.turn_ports import TurnStore
from speechcall.rehearsal.adapters.standing_reader import Stops, in_parts, read_messages, stopped_lists
from speechcall.rehearsal.adapters.virtual_stack import Standing, stores_of
from speechcall.rehearsal.rules.lean import lean
from speechcall.rehearsal.rules.rehearsal_job import MOST_OWN_WAITING, Failure
from speechcall.rehearsal.use_cases.rehearse import LONGEST_HOURS, OTHERS, OTHERS_FIRST_ID, Situation
from speechcall.rehearsal.use_cases.work_rehearsals import NoRehearsal, Place
from speechcall.shared.adapters.keys import mid_of, waiting_partition
from speechcall.shared.adapters.table import from_wire, store_errors, to_wire
from speechcall.shared.rules.ids import holder, parse_holder

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_OTHERS = 1000
"""Accounts whose shares are looked at: more never wait at once."""


class Others(NamedTuple):
    """All accounts but one: the sum of the shares of those that wait, and how many lines they hold."""

    share: int
    in_calls: int


def read_place(
    client: "DynamoDBClient",
    table: str,
    account: Account,
    new: Sequence[Message],
    *,
    stack: Pool,
    lines: PoolState,
    turns: TurnStore,
    stops: Stops,
) -> Place:
    """Where new messages of an account are rehearsed. `table`: Messages; nothing is written.

    Of the account's own messages those are read that stand in its queues, or are in calls. Raises NoRehearsal,
    StoreUnavailable.
    """
    at_msec = new[0].created_msec  # when the list would be sent (`start`)
    own_turns, own_queues = turns.all_of(account.account_id)
    mids = chain(_called(lines), _waiting(client, table, own_queues))
    own = [
        lean(one)  # one by one: menus are large
        for one in _read(client, table, mids)
        if one.account_id == account.account_id and one.state in (State.CALLING, State.QUEUED)
    ]
    held = {one.number: holder(one.mid, one.attempt) for one in own if one.state is State.CALLING}
    # Without urgent ones: OTHERS never runs out of messages, and if these were urgent they would take every line.
    rivals = {
        one.account_id: one.share
        for one in turns.waiting(MOST_OTHERS)
        if one.account_id != account.account_id and not one.is_urgent and not one.is_paused
    }
    others = Others(sum(rivals.values()), len(lines.held) - len(held))
    standing = _with_others(own_turns, own_queues, own, others, lines, held, at_msec)
    standing = standing._replace(stopped=stopped_lists([*own, *new], stops))
    situation = Situation(
        at_msec,
        stack,
        {one.account_id: one for one in (account, Account(OTHERS, ("*",)))},
        [one for one in standing.messages if one.state is State.CALLING],
        others=_message_of_others(at_msec) if others.share else None,
    )
    return Place(situation, lambda: stores_of(standing))


def _called(lines: PoolState) -> Iterator[str]:
    """The ids of all messages in calls."""
    for name in lines.held.values():
        yield parse_holder(name)[0]


def _waiting(client: "DynamoDBClient", table: str, queues: Iterable[Queue]) -> Iterator[str]:
    """The ids of the messages that stand in an account's queues. Raises NoRehearsal for too many."""
    count = 0
    for queue in queues:
        partition = waiting_partition(queue.account_id, queue.campaign, queue.is_urgent, queue.window)
        with store_errors():
            pages = client.get_paginator("query").paginate(
                TableName=table,
                IndexName="order",
                KeyConditionExpression="order_pk = :pk",
                ExpressionAttributeValues=to_wire({":pk": partition}),
            )
            for page in pages:
                count += len(page["Items"])
                if count > MOST_OWN_WAITING:
                    raise NoRehearsal(Failure.TOO_MANY_WAIT)
                yield from (mid_of(from_wire(item)["pk"]) for item in page["Items"])


def _read(client: "DynamoDBClient", table: str, mids: Iterable[str]) -> Iterator[Message]:
    """The messages of these ids, each once: one that was queued may be in a call by now."""
    for part in in_parts(mids):
        yield from read_messages(client, table, part)


def _with_others(
    turns: Iterable[Turn],
    queues: Iterable[Queue],
    own: list[Message],
    others: Others,
    lines: PoolState,
    held: Mapping[str, str],
    at_msec: int,
) -> Standing:
    """What stands of an account, and of the account OTHERS in place of all others.

    `lines`: the pool as it was read; `held`: of it the account's own numbers in calls, each with its call attempt. The
    calls of others become calls of OTHERS to made-up numbers. Its turn begins where the account's own is.
    """
    own_turns = list(turns)
    calls = [
        replace(
            _message_of_others(at_msec),
            mid=str(OTHERS_FIRST_ID - 1 - number),  # below the ids of those that are made during the rehearsal
            number=str(OTHERS_FIRST_ID - 1 - number),
            state=State.CALLING,
            attempt=1,
            claimed_msec=at_msec,
        )
        for number in range(others.in_calls)
    ]
    of_others = {one.number: holder(one.mid, one.attempt) for one in calls}
    normal = next((one for one in own_turns if not one.is_urgent), None)
    turn = Turn(
        OTHERS,
        share=max(others.share, 1),
        virtual=normal.standing if normal else 0,
        live=frozenset(of_others.values()),
        is_waiting=bool(others.share),
        woken_msec=at_msec,
    )
    own_names = frozenset(held.values())
    kept_free = bool(lines.normal)  # those of others are taken for normal ones then
    pool = lines._replace(
        held={**held, **of_others},
        normal=(lines.normal & own_names) | (frozenset(of_others.values()) if kept_free else frozenset()),
        next_msec=min(lines.next_msec, at_msec),  # at a start in the future the rate of now is over
    )
    return Standing(pool, [*own_turns, turn], [*queues, Queue(OTHERS)], [*own, *calls])


def _message_of_others(at_msec: int) -> Message:
    """One that waits for as long as a rehearsal may take, twice over."""
    hours = 2 * LONGEST_HOURS
    return Message(
        mid=str(OTHERS_FIRST_ID),
        list_id=str(OTHERS_FIRST_ID),
        account_id=OTHERS,
        sender="",
        recipient="",
        number="",
        text="",
        menus=(),
        created_msec=at_msec,
        expires_at=at_msec // 1000 + hours * 3600,
        ttl_seconds=hours * 3600,
    )
