"""`speechcall stack restore`: copies tables that were restored from a backup back into the live ones.

A restored table is always a new one, without the stream by which the stack works (DynamoDB developer guide, "Restoring
a table to a point in time": auto scaling policies, IAM policies, CloudWatch, tags, stream settings, TTL and PITR are to
be set by hand). So it is copied, item by item, into the table that the stack has.

    no lines ── what Step Functions has begun ── stop what runs of lost messages ── registry ── messages ── lines again

Only what is missing is written: nothing that the live table has is changed. So an interrupted run is simply run again.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from cli.deployment import Deployment
from cli.failures import Refusal
from cli.stack.identity import GONE, Identity
from cli.stack.parts import RESTORED, Pause, count_due, machines_of, wait_until
from speechcall.messages.adapters.message_items import load, state_of
from speechcall.messages.adapters.restored_items import Begun, Fate, is_left, mid_in, restored
from speechcall.messages.rules.message import State
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.adapters.keys import POOL, WEBHOOK, due_shards, message_key
from speechcall.shared.adapters.stepfunctions import error_code
from speechcall.shared.adapters.table import from_wire, to_wire
from speechcall.shared.rules.ids import parse_holder
from speechcall.shared.rules.outcome import Outcome

WRITERS = 8
RESTORE_PATIENCE_SECONDS = 6 * 3600
LONGEST_CALL = timedelta(hours=1)
"""An execution lasts for less; what began earlier than this before the copy was over then."""
UNKNOWN = Outcome("failed", "unconfirmed")

Tell = Callable[[str], object]


class Source(NamedTuple):
    """A table of the stack, and the copy of it."""

    live: str
    copy: str


class Report(NamedTuple):
    """What was put back, and what cannot be known."""

    registry: int
    messages: int
    """Items that were missing and are there again."""
    called_since: list[str]
    """Messages that were called after the copy's moment: they have ended, as failed, and are not dialled again."""
    in_call: list[str]
    """Messages that were in a call then: they end by what the copy knows, and are not dialled again."""
    lost: list[str]
    """Messages that were accepted after the copy's moment and called: nothing else is known of them."""
    webhooks: int
    """Webhooks that were pending then: they are sent, perhaps once more, under the same `webhook-id`."""


def copies_of(stack: Identity, at: datetime, given: Mapping[str, str | None]) -> list[Source]:
    """The registry's table and the messages', each with its copy. Raises Refusal for a stack that is deleted.

    `given`: the copy of a table, by its logical id; None: the one of the moment `at`, which may still have to be made.
    """
    if stack.status == GONE:
        raise Refusal(f"The stack {stack.name} is deleted: there is nothing to restore into")
    tables = {logical: stack.physical(logical) for logical in ("RegistryTable", "MessagesTable")}
    moment = f"{at.astimezone(UTC):%Y%m%d%H%M%S}"
    return [Source(name, given.get(logical) or f"{name}{RESTORED}{moment}") for logical, name in tables.items()]


def check_window(deployment: Deployment, source: Source, at: datetime) -> None:
    """Raises Refusal where the live table of `source` is gone, or has no backup of the moment `at`."""
    dynamodb = deployment.client("dynamodb")
    try:
        found = dynamodb.describe_continuous_backups(TableName=source.live)["ContinuousBackupsDescription"]
    except ClientError as error:
        if error_code(error) in ("ResourceNotFoundException", "TableNotFoundException"):
            raise Refusal(f"The table {source.live} itself is gone: docs/restore.md says what then") from error
        raise
    recovery = found.get("PointInTimeRecoveryDescription", {})
    if recovery.get("PointInTimeRecoveryStatus") != "ENABLED":
        raise Refusal(f"The table {source.live} has no point-in-time recovery (parameter PointInTimeRecovery)")
    earliest, latest = recovery.get("EarliestRestorableDateTime"), recovery.get("LatestRestorableDateTime")
    if (earliest and at < earliest) or (latest and at > latest):
        raise Refusal(f"The table {source.live} can be restored to moments from {earliest} to {latest}")


def make_copy(deployment: Deployment, source: Source, at: datetime, pause: Pause) -> None:
    """Restores a table to the moment `at`, as its copy, and waits until that is there; one that is being made is found.

    Raises Refusal after RESTORE_PATIENCE_SECONDS; the same command continues.
    """
    dynamodb = deployment.client("dynamodb")

    def is_ready() -> bool:
        return bool(dynamodb.describe_table(TableName=source.copy)["Table"]["TableStatus"] == "ACTIVE")

    try:
        dynamodb.restore_table_to_point_in_time(
            SourceTableName=source.live, TargetTableName=source.copy, RestoreDateTime=at
        )
    except ClientError as error:
        if error_code(error) != "TableAlreadyExistsException":
            raise
    wait_until(is_ready, f"The restoring of {source.copy}", pause, RESTORE_PATIENCE_SECONDS)


class Restoring:
    """Copies both tables back, and finds out what happened meanwhile."""

    def __init__(self, deployment: Deployment, stack: Identity, sources: list[Source], at: datetime) -> None:
        self._deployment, self._prefix, self._at = deployment, stack.flow_prefix, at
        self._registry, self._messages = sources
        self._dynamodb = deployment.client("dynamodb")

    def carry_out(self, tell: Tell) -> Report:
        """Puts back what is missing. No call begins meanwhile; calls of messages that are lost are ended.

        Raises Refusal, ClientError; then lines are at 0 until the same command, run again, has continued to the end.
        """
        lines = self._lines_of_the_copy()
        self._deployment.lines.choose({"lines": 0})
        tell("No call begins meanwhile (lines: 0).")
        begun = self._begun()
        gone = self._missing(begun)
        # The name of an execution is its message's id and attempt.
        stopped = self._stop(name for name in self._running() if parse_holder(name[0])[0] in gone)
        tell(f"{len(begun)} messages were called since; {stopped} calls of lost messages were ended.")
        registry = self._copy(self._registry, lambda item: None if self._is_pool(item) else item)
        tell(f"{self._registry.live}: {registry} items were missing, and are there again.")
        fates: dict[Fate, list[str]] = {fate: [] for fate in Fate}
        known: set[str] = set()
        now_msec = SystemClock().now_msec()

        def put_back(item: dict[str, Any]) -> dict[str, Any]:
            """An item as it is put back: of a message that is missing what `restored` makes of it, else as it is."""
            plain = from_wire(item)
            mid = mid_in(plain)
            if mid is None:
                return item
            known.add(mid)
            # Those in `gone` are known to be missing. One that is there is not written, whatever this returns.
            if mid not in gone and (live := self._live(mid)):
                if is_left(live, plain, begun.get(mid)):
                    fates[Fate.CALLED_SINCE].append(mid)  # an interrupted run did not come to end it
                return item
            changed, fate = restored(plain, begun.get(mid), now_msec)
            fates[fate].append(mid)
            return to_wire(changed) if fate is not Fate.AS_IT_WAS else item

        messages = self._copy(self._messages, put_back)
        tell(f"{self._messages.live}: {messages} items were missing, and are there again.")
        for mid in fates[Fate.CALLED_SINCE]:
            self._end(mid)
        webhooks = sum(count_due(self._dynamodb, self._messages.live, shard) for shard in due_shards(WEBHOOK))
        self._deployment.lines.choose({"lines": lines})
        tell(f"Calls begin again (lines: {'as deployed' if lines is None else lines}).")
        lost = sorted(mid for mid in gone if mid not in known)
        called = sorted(fates[Fate.CALLED_SINCE])
        return Report(registry, messages, called, sorted(fates[Fate.IN_CALL]), lost, webhooks)

    def _lines_of_the_copy(self) -> int | None:
        """How many lines an operator had chosen at the copy's moment; None: none were chosen.

        The live table may say 0, which an interrupted run of this has chosen.
        """
        found = self._dynamodb.get_item(TableName=self._registry.copy, Key=to_wire(POOL)).get("Item")
        chosen = from_wire(found).get("chosen_lines") if found else None
        return None if chosen is None else int(chosen)

    def _is_pool(self, item: Mapping[str, Any]) -> bool:
        """Whether an item is the pool of lines, which is not put back: it says which lines were held at that moment.

        Those that are held now are in the live one, which is made when there is none.
        """
        return {name: item[name].get("S") for name in POOL} == dict(POOL)

    def _executions(self, machine_arn: str, **more: str) -> Iterator[dict[str, Any]]:
        """A machine's executions, the newest first (ListExecutions), from LONGEST_CALL before the copy's moment on."""
        since = self._at - LONGEST_CALL
        pages = self._deployment.client("stepfunctions").get_paginator("list_executions")
        for page in pages.paginate(stateMachineArn=machine_arn, **more):
            found = page["executions"]
            yield from (one for one in found if one["startDate"] >= since)
            if found and found[-1]["startDate"] < since:
                return

    def _machines(self) -> list[str]:
        """The ARNs of the stack's state machines."""
        return machines_of(self._deployment.client("stepfunctions"), self._prefix)

    def _begun(self) -> dict[str, Begun]:
        """The latest attempt of each message that was called since LONGEST_CALL before the copy's moment."""
        found: dict[str, Begun] = {}
        for machine in self._machines():
            for one in self._executions(machine):
                mid, attempt = parse_holder(one["name"])
                if mid not in found or found[mid].attempt < attempt:
                    found[mid] = Begun(attempt, machine)
        return found

    def _running(self) -> Iterator[tuple[str, str]]:
        """Name and ARN of each execution that runs."""
        for machine in self._machines():
            for one in self._executions(machine, statusFilter="RUNNING"):
                yield one["name"], one["executionArn"]

    def _live(self, mid: str) -> dict[str, Any]:
        """The item of a message in the live table, in plain values; empty: there is none."""
        answer = self._dynamodb.get_item(
            TableName=self._messages.live, Key=to_wire(message_key(mid)), ConsistentRead=True
        )
        return from_wire(answer.get("Item", {}))

    def _missing(self, begun: Iterable[str]) -> set[str]:
        """Those of the messages `begun` that the live table does not have."""
        return {mid for mid in begun if not self._live(mid)}

    def _stop(self, running: Iterable[tuple[str, str]]) -> int:
        """Ends executions (name and ARN) whose messages are lost; how many.

        What they would ask for next is decided by items that are gone.
        """
        count = 0
        for _name, arn in running:
            self._deployment.client("stepfunctions").stop_execution(
                executionArn=arn, error="Restored", cause="The item of its message was lost"
            )
            count += 1
        return count

    def _copy(self, source: Source, change: Callable[[dict[str, Any]], dict[str, Any] | None]) -> int:
        """Writes those items of a copy that the live table lacks; how many.

        `change`: an item as it is written; None: it is not. It is asked of all items, from several threads.
        """

        def write(item: dict[str, Any]) -> int:
            """1 if the item was missing, and is written; else 0."""
            try:
                changed = change(item)
                if changed is None:
                    return 0
                self._dynamodb.put_item(
                    TableName=source.live, Item=changed, ConditionExpression="attribute_not_exists(pk)"
                )
            except ClientError as error:
                if error_code(error) == "ConditionalCheckFailedException":
                    return 0
                raise
            return 1

        count = 0
        pages = self._dynamodb.get_paginator("scan").paginate(TableName=source.copy, ConsistentRead=True)
        with ThreadPoolExecutor(WRITERS) as writers:
            for page in pages:
                count += sum(writers.map(write, page["Items"]))
        return count

    def _end(self, mid: str) -> None:
        """Ends a message of whose latest attempt nothing is known, by the transaction that every end uses.

        One that has ended meanwhile stays as it is: the sweeper may have ended what an interrupted run left.
        """
        live = self._live(mid)
        if live and state_of(live) is State.CALLING:
            self._deployment.messages.finish(load(live), UNKNOWN, SystemClock().now_msec(), None)


MOST_TOLD = 20
"""So many ids of each kind are shown; --json has all."""


def told(report: Report) -> Iterator[str]:
    """What a person is told, line by line; of each kind the first ids."""
    yield f"Put back: {report.registry} items of the registry, {report.messages} of the messages."
    yield (
        f"{len(report.called_since)} messages were called after the copy's moment. What was heard is lost: they have "
        "ended as failed (unconfirmed), and are not dialled again."
    )
    yield from _ids(report.called_since)
    yield f"{len(report.in_call)} were in a call then: they end by what the copy knows, and are not dialled again."
    yield from _ids(report.in_call)
    yield (
        f"{len(report.lost)} were accepted after it and called: nothing else is known of them. Whether their senders "
        "send them again is theirs to decide; those people may be called twice then."
    )
    yield from _ids(report.lost)
    yield f"{report.webhooks} webhooks are pending; some may arrive twice, with the same webhook-id."
    yield (
        "What else was accepted after that moment is lost without a trace; opt-outs and revoked keys too: "
        "docs/restore.md says what to do about each."
    )


def _ids(mids: list[str]) -> Iterator[str]:
    yield from (f"  {mid}" for mid in mids[:MOST_TOLD])
    if len(mids) > MOST_TOLD:
        yield f"  and {len(mids) - MOST_TOLD} more: --json has all of them"
