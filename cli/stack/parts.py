"""What a stack leaves behind, each part with how it is looked at and how it is removed.

Each removal may be interrupted anywhere and done again: what is gone needs nothing, what is on its way is waited for.

Sources: DynamoDB developer guide, "Point-in-time recovery" (a deleted table's backup is kept for 35 days at no cost);
S3 user guide, "Emptying a bucket" (versions, delete markers and unfinished uploads); KMS, ScheduleKeyDeletion (7 to 30
days); Step Functions, DeleteStateMachine (asynchronous: DELETING until its executions have been stopped).
"""

import time
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from botocore.exceptions import ClientError

from cli.failures import Refusal
from cli.stack.identity import GONE, Identity
from speechcall.deployment.adapters.protection import protect
from speechcall.shared.adapters.stepfunctions import error_code
from speechcall.shared.adapters.table import to_wire

RESTORED = "-restored-"
"""What stands between the name of a table and the rest, in the name of a copy that was restored from a backup."""
PATIENCE_SECONDS = 3600
Client = Callable[[str], Any]
Pause = Callable[[float], None]


class Part(Protocol):
    """Something that is there, or not."""

    def look(self) -> str | None:
        """What there is, in words; None: nothing, or nothing that could still be removed."""

    def remove(self, pause: Pause) -> None:
        """Removes it, and returns when it is gone. Raises Refusal, ClientError."""


def parts_of(client: Client, stack: Identity, key_days: int) -> list[Part]:
    """All parts of a stack, in the order of their removal: the key is the last, since it opens what the others hold."""
    by_kind: dict[str, list[str]] = {}
    for kind, _logical, physical in stack.lasting:
        by_kind.setdefault(kind, []).append(physical)
    tables = by_kind.get("AWS::DynamoDB::Table", [])
    return [
        StackPart(client("cloudformation"), stack),
        *(LogGroup(client("logs"), name) for name in by_kind.get("AWS::Logs::LogGroup", [])),
        Machines(client("stepfunctions"), stack.flow_prefix),
        *(Table(client("dynamodb"), name) for name in [*restored_copies(client("dynamodb"), tables), *tables]),
        *(Bucket(client("s3"), name) for name in by_kind.get("AWS::S3::Bucket", [])),
        *(Key(client("kms"), name, key_days) for name in by_kind.get("AWS::KMS::Key", [])),
    ]


def restored_copies(dynamodb: Any, tables: list[str]) -> list[str]:
    """The copies of these tables that `speechcall stack restore` has made."""
    pages = dynamodb.get_paginator("list_tables").paginate()
    names = [name for page in pages for name in page["TableNames"]]
    return [name for name in names if any(name.startswith(f"{table}{RESTORED}") for table in tables)]


def machines_of(states: Any, prefix: str) -> list[str]:
    """The ARNs of the state machines whose names begin so."""
    pages = states.get_paginator("list_state_machines").paginate()
    found = [one for page in pages for one in page["stateMachines"]]
    return [one["stateMachineArn"] for one in found if one["name"].startswith(prefix)]


def count_due(dynamodb: Any, table: str, shard: str, most: int | None = None) -> int:
    """How many items are in a part of the index `due`. `most`: counted no further."""
    pages = dynamodb.get_paginator("query").paginate(
        TableName=table,
        IndexName="due",
        KeyConditionExpression="due_shard = :shard",
        ExpressionAttributeValues=to_wire({":shard": shard}),
        Select="COUNT",
        PaginationConfig={"PageSize": most},
    )
    count = 0
    for page in pages:
        count += int(page["Count"])
        if most is not None and count >= most:
            return most
    return count


def wait_until(done: Callable[[], bool], what: str, pause: Pause, patience: float = PATIENCE_SECONDS) -> None:
    """Asks whether it is done, after longer and longer pauses. Raises Refusal after `patience` seconds.

    `what`: what is waited for, as the refusal names it.
    """
    wait, waited = 1.0, 0.0
    while not done():
        if waited > patience:
            raise Refusal(f"{what} is still under way. The same command continues")
        pause(wait)
        waited += wait
        wait = min(wait * 1.5, 15.0)


class StackPart(NamedTuple):
    """The stack itself, with all that CloudFormation removes."""

    cloudformation: Any
    stack: Identity

    def _status(self) -> str:
        """The stack's status as CloudFormation knows it; GONE: there is no such stack."""
        try:
            found = self.cloudformation.describe_stacks(StackName=self.stack.stack_id)["Stacks"][0]
        except ClientError as error:
            if error_code(error) == "ValidationError":
                return GONE
            raise
        return str(found["StackStatus"])

    def look(self) -> str | None:
        """The stack's state."""
        status = self._status()
        return None if status == GONE else f"the stack {self.stack.name} ({status}), with all that has no line below"

    def remove(self, pause: Pause) -> None:
        """DeleteStack, and waits until it is gone; a deletion that failed before is tried again."""
        if self._status() == GONE:
            return
        if self._status() != "DELETE_IN_PROGRESS":
            self.cloudformation.delete_stack(StackName=self.stack.stack_id)
        wait_until(self._is_gone, f"The deletion of the stack {self.stack.name}", pause)

    def _is_gone(self) -> bool:
        """Whether the stack is gone. Raises Refusal where CloudFormation has given up, with its reasons."""
        status = self._status()
        if status == "DELETE_FAILED":
            raise Refusal(f"CloudFormation could not delete the stack: {'; '.join(self._failures())}")
        return status == GONE

    def _failures(self) -> list[str]:
        """Which resources CloudFormation could not delete, and why."""
        pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.stack.stack_id)
        failed = [
            f"{one['LogicalResourceId']}: {one.get('ResourceStatusReason', 'no reason is given')}"
            for page in pages
            for one in page["StackResourceSummaries"]
            if one["ResourceStatus"] == "DELETE_FAILED"
        ]
        return failed or ["its events say why"]


class LogGroup(NamedTuple):
    """A log group; CloudFormation removes it with the stack, but for one that a function wrote to afterwards."""

    logs: Any
    name: str

    def look(self) -> str | None:
        """Its size."""
        found = self.logs.describe_log_groups(logGroupNamePrefix=self.name)["logGroups"]
        sizes = [one.get("storedBytes", 0) for one in found if one["logGroupName"] == self.name]
        return f"the log group {self.name} ({_size(sizes[0])})" if sizes else None

    def remove(self, pause: Pause) -> None:
        """DeleteLogGroup; that it is gone already is no error."""
        del pause  # nothing is waited for
        try:
            self.logs.delete_log_group(logGroupName=self.name)
        except ClientError as error:
            if error_code(error) != "ResourceNotFoundException":
                raise


class Machines(NamedTuple):
    """The state machines that were published while the stack ran."""

    states: Any
    prefix: str

    def _is_going(self, arn: str) -> bool:
        """Whether a state machine is being deleted, or is gone."""
        try:
            return bool(self.states.describe_state_machine(stateMachineArn=arn)["status"] == "DELETING")
        except ClientError as error:
            if error_code(error) == "StateMachineDoesNotExist":
                return True
            raise

    def look(self) -> str | None:
        """How many there are."""
        count = sum(not self._is_going(arn) for arn in machines_of(self.states, self.prefix))
        return f"{count} state machines whose names begin with {self.prefix}" if count else None

    def remove(self, pause: Pause) -> None:
        """DeleteStateMachine for each; executions that run are stopped by Step Functions."""
        del pause  # nothing is waited for
        for arn in machines_of(self.states, self.prefix):
            self.states.delete_state_machine(stateMachineArn=arn)


class Table(NamedTuple):
    """A table."""

    dynamodb: Any
    name: str

    def _described(self) -> dict[str, Any] | None:
        """The table as DynamoDB describes it; None: it is not there."""
        try:
            found: dict[str, Any] = self.dynamodb.describe_table(TableName=self.name)["Table"]
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return None
            raise
        return found

    def look(self) -> str | None:
        """About how much is in it: DynamoDB counts every six hours."""
        found = self._described()
        if found is None:
            return None
        return (
            f"the table {self.name} (about {found.get('ItemCount', 0)} items, {_size(found.get('TableSizeBytes', 0))})"
        )

    def remove(self, pause: Pause) -> None:
        """Takes its protection away, and deletes it."""
        if self._described() is None:
            return
        protect(self.dynamodb, self.name, on=False)
        wait_until(self._begin_deletion, f"A change of the table {self.name}", pause)
        wait_until(lambda: self._described() is None, f"The deletion of the table {self.name}", pause)

    def _begin_deletion(self) -> bool:
        """Asks DynamoDB to delete the table. Out: whether that is under way, or done.

        False: ask again, because the table is still being changed (its protection just was), or too many tables are
        being changed at once.
        """
        try:
            self.dynamodb.delete_table(TableName=self.name)
        except ClientError as error:
            if error_code(error) == "ResourceNotFoundException":
                return True
            if error_code(error) not in ("ResourceInUseException", "LimitExceededException"):
                raise
            found = self._described()
            return found is None or found["TableStatus"] == "DELETING"
        return True


class Bucket(NamedTuple):
    """A bucket with all that is in it: objects, their earlier versions, and uploads that were never finished."""

    s3: Any
    name: str

    def _is_there(self) -> bool:
        """Whether there is such a bucket."""
        try:
            self.s3.head_bucket(Bucket=self.name)
        except ClientError as error:
            if error_code(error) in ("404", "NoSuchBucket"):
                return False
            raise
        return True

    def look(self) -> str | None:
        """How much is in it."""
        if not self._is_there():
            return None
        count = total = 0
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name):
            count += len(page.get("Versions", [])) + len(page.get("DeleteMarkers", []))
            total += sum(one["Size"] for one in page.get("Versions", []))
        return f"the bucket {self.name} ({count} objects and versions, {_size(total)})"

    def remove(self, pause: Pause) -> None:
        """Empties it, and deletes it."""
        del pause  # nothing is waited for
        if not self._is_there():
            return
        for page in self.s3.get_paginator("list_multipart_uploads").paginate(Bucket=self.name):
            for one in page.get("Uploads", []):
                self.s3.abort_multipart_upload(Bucket=self.name, Key=one["Key"], UploadId=one["UploadId"])
        for page in self.s3.get_paginator("list_object_versions").paginate(Bucket=self.name):
            named = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in named]
            if objects:
                answer = self.s3.delete_objects(Bucket=self.name, Delete={"Objects": objects, "Quiet": True})
                for error in answer.get("Errors", [])[:1]:  # the first is enough
                    raise Refusal(f"S3 does not delete {error.get('Key')} of {self.name}: {error.get('Message')}")
        self.s3.delete_bucket(Bucket=self.name)


class Key(NamedTuple):
    """A key; it is gone, or will be without our doing."""

    kms: Any
    name: str
    days: int

    def look(self) -> str | None:
        """What is to become of it; None: it is gone, or its deletion is scheduled already."""
        try:
            state = self.kms.describe_key(KeyId=self.name)["KeyMetadata"]["KeyState"]
        except ClientError as error:
            if error_code(error) == "NotFoundException":
                return None
            raise
        going = ("PendingDeletion", "PendingReplicaDeletion")
        return (
            None
            if state in going
            else f"the key {self.name}: deleted after {self.days} days, until then it can be kept"
        )

    def remove(self, pause: Pause) -> None:
        """ScheduleKeyDeletion; KMS has no deletion at once."""
        del pause  # nothing is waited for
        if self.look() is not None:
            self.kms.schedule_key_deletion(KeyId=self.name, PendingWindowInDays=self.days)


def pause_for(seconds: float) -> None:
    """Between two looks."""
    time.sleep(seconds)


def _size(count: int) -> str:
    """A number of bytes in words, rounded down."""
    for unit in ("bytes", "kB", "MB"):
        if count < 1000:
            return f"{count} {unit}"
        count //= 1000
    return f"{count} GB"
