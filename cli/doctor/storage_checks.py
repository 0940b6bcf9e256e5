"""What lasts: tables, prompts, the key, the log. Is it protected, readable by the telephony, and forgotten in time?

Sources: DynamoDB API reference, DescribeTable, DescribeTimeToLive, DescribeContinuousBackups; Amazon S3 API reference,
GetBucketPolicy, GetBucketEncryption, GetPublicAccessBlock; AWS KMS API reference, DescribeKey.
"""

import json
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from botocore.exceptions import ClientError

from cli.doctor.findings import Check, Finding, Verdict
from cli.doctor.stack import Stack
from cli.doctor.stack_checks import PUT_BACK
from speechcall.telephony.connect.apology import apology_key
from speechcall.telephony.connect.conversation import SILENCE_KEY, WAIT_KEY
from speechcall.telephony.provider import ProviderName, provider

TABLES = ("MessagesTable", "RegistryTable")


def storage_checks(stack: Stack) -> Iterator[Check]:
    """The checks of tables, bucket, key and log group."""
    yield Check("tables", "both tables are active", lambda: _active(stack))
    yield Check("tables-forget", "both tables forget what has expired", lambda: _forget(stack))
    yield Check("tables-recovery", "both tables can be restored to any second", lambda: _recovery(stack))
    yield Check("tables-protection", "neither table can be deleted by mistake", lambda: _protection(stack))
    yield Check("stream", "changes of messages are told to the functions", lambda: _stream(stack))
    if provider(ProviderName(stack.provider)).plays_as:
        yield Check("bucket-policy", "the telephony may read the prompts", lambda: _bucket_policy(stack))
    yield Check("bucket-encryption", "the prompts are encrypted so that they can be played", lambda: _encryption(stack))
    yield Check("bucket-private", "the prompts are not public", lambda: _private(stack))
    if stack.provider == "connect":
        yield Check("apology", "what is played in an emergency is in the bucket", lambda: _apology(stack))
    yield Check("key", "the key that seals webhook secrets is enabled", lambda: _key(stack))
    yield Check("logs", "log lines are deleted in time", lambda: _logs(stack))


def _tables(stack: Stack) -> Iterator[tuple[str, str]]:
    for logical in TABLES:
        yield logical, stack.name_of(logical)


def _table(stack: Stack, name: str) -> Any:
    return stack.client("dynamodb").describe_table(TableName=name)["Table"]


def _active(stack: Stack) -> Iterator[Finding]:
    """Whether both tables are there, and active with all their indexes."""
    for logical, name in _tables(stack):
        try:
            found = _table(stack, name)
        except stack.client("dynamodb").exceptions.ResourceNotFoundException:
            yield Finding(f"{logical} is not there any more.", 'docs/troubleshooting.md, "A table is lost".')
            continue
        states = {found["TableStatus"], *(one["IndexStatus"] for one in found.get("GlobalSecondaryIndexes", []))}
        if states != {"ACTIVE"}:
            yield Finding(f"{logical} or an index of it is {', '.join(sorted(states - {'ACTIVE'}))}.", "Wait.")


def _forget(stack: Stack) -> Iterator[Finding]:
    """Whether each table's time to live is on, by `expires_at`."""
    for logical, name in _tables(stack):
        told = stack.client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if told.get("TimeToLiveStatus") not in ("ENABLED", "ENABLING") or told.get("AttributeName") != "expires_at":
            yield Finding(
                f"{logical} keeps what has expired for ever.",
                f"aws dynamodb update-time-to-live --table-name {name} --time-to-live-specification "
                "Enabled=true,AttributeName=expires_at",
            )


def _recovery(stack: Stack) -> Iterator[Finding]:
    """Whether each table has point-in-time recovery.

    Without it: a problem if the stack's parameter wants it, else a warning.
    """
    wanted = stack.parameters["PointInTimeRecovery"] == "true"
    for logical, name in _tables(stack):
        told = stack.client("dynamodb").describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
        status = told.get("PointInTimeRecoveryDescription", {}).get("PointInTimeRecoveryStatus")
        if status != "ENABLED":
            yield Finding(
                f"{logical} cannot be restored to an earlier second.",
                f"aws dynamodb update-continuous-backups --table-name {name} "
                "--point-in-time-recovery-specification PointInTimeRecoveryEnabled=true",
                Verdict.PROBLEM if wanted else Verdict.WARNING,
            )


def _protection(stack: Stack) -> Iterator[Finding]:
    """Whether each table is protected from deletion.

    If not: a problem if the stack's parameter wants it, else a warning.
    """
    wanted = stack.parameters["DeletionProtection"] == "true"
    for logical, name in _tables(stack):
        if not _table(stack, name).get("DeletionProtectionEnabled"):
            yield Finding(
                f"{logical} can be deleted by a mistake.",
                f"aws dynamodb update-table --table-name {name} --deletion-protection-enabled",
                Verdict.PROBLEM if wanted else Verdict.WARNING,
            )


def _stream(stack: Stack) -> Iterator[Finding]:
    """Whether the messages' table has its stream, with the items before and after a change."""
    told = _table(stack, stack.name_of("MessagesTable")).get("StreamSpecification", {})
    if not told.get("StreamEnabled") or told.get("StreamViewType") != "NEW_AND_OLD_IMAGES":
        yield Finding("The messages' table tells nobody of its changes: nothing is prepared or dialled.", PUT_BACK)


def _bucket_policy(stack: Stack) -> Iterator[Finding]:
    """Whether the bucket's policy lets the telephony read the prompts, and denies nothing but plain HTTP."""
    reader = provider(ProviderName(stack.provider)).plays_as
    try:
        text = stack.client("s3").get_bucket_policy(Bucket=stack.name_of("PromptsBucket"))["Policy"]
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchBucketPolicy":
            raise
        text = '{"Statement": []}'
    statements = json.loads(text)["Statement"]
    instance_arn = stack.parameters["ConnectInstanceArn"]
    if not any(_lets_read_for_us(one, reader, instance_arn) for one in statements):
        others = [source for one in statements if _lets_read_for_any(one, reader) for source in _sources(one)]
        yield Finding(
            f"{reader} may not read the prompts, so callees hear nothing."
            + (f" It may for {', '.join(others)}; this stack's instance is {instance_arn}." if others else ""),
            PUT_BACK,
        )
    for one in statements:
        if one["Effect"] == "Deny" and "aws:SecureTransport" not in json.dumps(one.get("Condition", {})):
            yield Finding(
                f"The bucket's policy denies {', '.join(_list(one['Action']))} ({one.get('Sid', 'without a name')}): "
                "callees may hear nothing.",
                PUT_BACK,
                Verdict.WARNING,
            )


def _lets_read_for_us(statement: dict[str, Any], reader: str, instance_arn: str) -> bool:
    """Whether a statement allows the telephony to read, and, where it names instances, for the stack's own."""
    sources = _sources(statement)
    is_ours = not sources or any(fnmatchcase(instance_arn, source) for source in sources)
    return is_ours and _lets_read_for_any(statement, reader)


def _lets_read_for_any(statement: dict[str, Any], reader: str) -> bool:
    """Whether a statement allows the telephony to read, whatever its condition says."""
    is_about = statement["Effect"] == "Allow" and statement.get("Principal") == {"Service": reader}
    return is_about and bool({"s3:GetObject", "s3:*", "*"} & {*_list(statement["Action"])})


def _sources(statement: dict[str, Any]) -> list[str]:
    """The ARNs of what a statement's condition lets ask; empty: of anything."""
    return [
        source
        for operator in statement.get("Condition", {}).values()
        for key, value in operator.items()
        if key.lower() == "aws:sourcearn"
        for source in _list(value)
    ]


def _list(value: Any) -> list[str]:
    """What a policy may write as one or as several."""
    return [value] if isinstance(value, str) else [str(one) for one in value]


def _encryption(stack: Stack) -> Iterator[Finding]:
    """Whether the bucket encrypts by S3's own key, the only one with which Amazon Connect plays."""
    found = stack.client("s3").get_bucket_encryption(Bucket=stack.name_of("PromptsBucket"))
    rules = found["ServerSideEncryptionConfiguration"]["Rules"]
    if any(one["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] != "AES256" for one in rules):
        yield Finding(
            "The prompts are encrypted with a key of KMS, which Amazon Connect cannot use: callees hear nothing.",
            f"The bucket's default is AES256. {PUT_BACK}",
        )


def _private(stack: Stack) -> Iterator[Finding]:
    """Whether all public access to the bucket is blocked."""
    try:
        found = stack.client("s3").get_public_access_block(Bucket=stack.name_of("PromptsBucket"))
        blocked = all(found["PublicAccessBlockConfiguration"].values())
    except ClientError as error:
        if error.response["Error"]["Code"] != "NoSuchPublicAccessBlockConfiguration":
            raise
        blocked = False
    if not blocked:
        yield Finding("The bucket with the prompts may be made public.", PUT_BACK)


NOTHING = "they would hear nothing"


def _apology(stack: Stack) -> Iterator[Finding]:
    """Whether the three recordings are in the bucket that the stack itself puts there."""
    bucket = stack.name_of("PromptsBucket")
    for file, key, when, then in (
        ("apology.wav", apology_key(), "when the function cannot be reached", NOTHING),
        ("wait.wav", WAIT_KEY, "while a receiver is asked", NOTHING),
        (
            "silence.wav",
            SILENCE_KEY,
            "when a key is awaited behind an introduction that takes none",
            "their calls would end",
        ),
    ):
        try:
            stack.client("s3").head_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                raise
            yield Finding(
                f"What callees hear {when} is not in the bucket: {then}.",
                f"aws s3 cp layers/core/speechcall/telephony/connect/{file} s3://{bucket}/{key}",
            )


def _key(stack: Stack) -> Iterator[Finding]:
    """Whether the key can be used. One that is to be deleted has to be kept first, and is disabled then."""
    key = stack.name_of("WebhookSecretsKey")
    found = stack.client("kms").describe_key(KeyId=key)["KeyMetadata"]
    if found["KeyState"] != "Enabled":
        what = (
            "will be deleted, and every webhook secret with it"
            if found["KeyState"] == "PendingDeletion"
            else "is disabled"
        )
        first = f"aws kms cancel-key-deletion --key-id {key}; " if found["KeyState"] == "PendingDeletion" else ""
        yield Finding(f"The key that seals webhook secrets {what}.", f"{first}aws kms enable-key --key-id {key}")


def _logs(stack: Stack) -> Iterator[Finding]:
    """Whether the log group is there, and keeps lines for as long as the stack says."""
    name, wanted = stack.outputs["LogGroupName"], stack.number("LogRetentionDays")
    found = stack.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    # None: for ever; 0: there is no such group. (A prefix finds others as well.)
    kept = next((one.get("retentionInDays") for one in found if one["logGroupName"] == name), 0)
    if kept == 0:
        yield Finding("The log group is not there: the functions' lines are lost.", PUT_BACK)
    elif kept != wanted:
        yield Finding(
            f"Log lines are kept {f'{kept} days' if kept else 'for ever'}, and the stack says {wanted} days.",
            f"aws logs put-retention-policy --log-group-name {name} --retention-in-days {wanted}",
        )
