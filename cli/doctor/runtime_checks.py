"""What runs: does each queue, stream and clock reach its function, is anything left over, and would anybody be told?

Sources: Lambda API reference, ListEventSourceMappings (State, LastProcessingResult); EventBridge API reference,
DescribeRule; CloudWatch API reference, DescribeAlarms; Amazon SNS API reference, GetTopicAttributes.
"""

from collections.abc import Iterator
from typing import Any

from cli.dead_letters import QUEUES
from cli.doctor.findings import Check, Finding, Verdict
from cli.doctor.stack import Stack
from cli.doctor.stack_checks import PUT_BACK

_MEANWHILE = frozenset({"Enabled", "Enabling", "Updating", "Creating"})
"""States of a trigger that works, or will in a moment."""
_NO_PROBLEM = frozenset({"", "OK", "No records processed"})
"""Last results of a trigger with which nothing is wrong; empty: there was none."""
_SIMULATED = "SimulatedCallsDeadLetterQueue"


def runtime_checks(stack: Stack) -> Iterator[Check]:
    """The checks of triggers, dead letters and alarms."""
    yield Check("sources", "queues and streams reach their functions", lambda: _sources(stack))
    yield Check("rules", "clock and events reach their functions", lambda: _rules(stack))
    yield Check("dead-letters", "the dead-letter queues are empty", lambda: _dead_letters(stack))
    yield Check("alarms", "no alarm is raised", lambda: _alarms(stack))
    yield Check("alarm-actions", "somebody is told when an alarm is raised", lambda: _actions(stack))


def _sources(stack: Stack) -> Iterator[Finding]:
    """Triggers by which Lambda takes from queues and streams, and that are off or have failed."""
    for logical, uuid in stack.of_type("AWS::Lambda::EventSourceMapping").items():
        found = stack.client("lambda").get_event_source_mapping(UUID=uuid)
        if found["State"] not in _MEANWHILE:
            yield Finding(
                f"{logical} is {found['State']}: what waits there is not handled.",
                f"aws lambda update-event-source-mapping --uuid {uuid} --enabled",
            )
        elif (told := found.get("LastProcessingResult", "")) not in _NO_PROBLEM:
            yield Finding(f"{logical}: Lambda says {told!r}.", "docs/troubleshooting.md, and the log of its function.")


def _rules(stack: Stack) -> Iterator[Finding]:
    for logical, name in stack.of_type("AWS::Events::Rule").items():
        if stack.client("events").describe_rule(Name=name)["State"] == "DISABLED":
            yield Finding(f"{logical} is disabled: its events are lost.", f"aws events enable-rule --name {name}")


def _dead_letters(stack: Stack) -> Iterator[Finding]:
    """Dead-letter queues that hold something, also what somebody is reading just now.

    That of simulated calls is none of QUEUES, since nothing waits for its letters (docs/storage.md, "Queues"); only a
    stack that simulates calls has it.
    """
    for queue, (logical, _source) in QUEUES.items():
        if told := _letters(stack, stack.name_of(logical)):
            yield Finding(
                f"{told} in {queue}.",
                f"speechcall deadletter list --stack {stack.name} shows them; when the cause is gone: speechcall "
                f"deadletter redrive --all --queue {queue} --stack {stack.name}",
            )
    url = stack.of_type("AWS::SQS::Queue").get(_SIMULATED)
    if url and (told := _letters(stack, url)):
        yield Finding(
            f"{told} in simulated-calls.",
            f"docs/runbook.md, DeadSimulatedCallsAlarm; when the cause is gone: aws sqs purge-queue --queue-url {url}",
        )


def _letters(stack: Stack, url: str) -> str:
    """How many messages a queue holds, in words; empty: none."""
    found = stack.client("sqs").get_queue_attributes(
        QueueUrl=url,
        AttributeNames=["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"],
    )["Attributes"]
    count = sum(map(int, found.values()))
    return f"{count} dead letter{'' if count == 1 else 's'}" if count else ""


MONITORING = "MonitoringStack"
_KINDS = ("AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm")


def _names_of_alarms(stack: Stack) -> list[str]:
    """The physical names of the stack's alarms, which have a nested stack of their own."""
    inside = stack.inside(MONITORING)
    return [physical for kind, physical in inside.values() if kind in _KINDS]


def _stacks_alarms(stack: Stack) -> list[Any]:
    """The alarms of the stack that are there. CloudWatch is asked for a hundred at a time, which is the most."""
    names = _names_of_alarms(stack)
    found: list[Any] = []
    for start in range(0, len(names), 100):
        # Without the types it tells of metric alarms alone.
        answer = stack.client("cloudwatch").describe_alarms(
            AlarmNames=names[start : start + 100], AlarmTypes=["MetricAlarm", "CompositeAlarm"]
        )
        found += [*answer["MetricAlarms"], *answer["CompositeAlarms"]]
    return found


def _alarms(stack: Stack) -> Iterator[Finding]:
    """Alarms that ring now, and whether any was deleted."""
    found = _stacks_alarms(stack)
    for one in found:
        if one["StateValue"] == "ALARM" and "AlarmRule" not in one:  # a composite one's parts are told
            entry = one["AlarmName"].rpartition("-")[2]
            yield Finding(f"{one['AlarmName']}: {one['AlarmDescription']}.", f"docs/runbook.md, {entry}.")
    if len(found) < len(_names_of_alarms(stack)):
        yield Finding("Alarms of the stack are not there any more.", PUT_BACK)


def _actions(stack: Stack) -> Iterator[Finding]:
    """Alarms that tell nobody, and topics to which nobody listens.

    An alarm tells somebody by an action of its own, or by that of a composite alarm of which it is a part.
    """
    found = _stacks_alarms(stack)
    telling = [one for one in found if one["ActionsEnabled"] and one["AlarmActions"]]
    covered = "".join(one.get("AlarmRule", "") for one in telling)
    names = {one["AlarmName"] for one in telling}
    silent = [one for one in found if one["AlarmName"] not in names and f'"{one["AlarmName"]}"' not in covered]
    if silent:
        yield Finding(
            f"{len(silent)} of {len(found)} alarms tell nobody.",
            "Deploy with AlarmTopicArn or AlarmEmail: docs/deploy.md.",
            Verdict.WARNING,
        )
    topics = {arn for one in telling for arn in one["AlarmActions"] if ":sns:" in arn}
    for arn in sorted(topics):
        attributes = stack.client("sns").get_topic_attributes(TopicArn=arn)["Attributes"]
        if int(attributes.get("SubscriptionsConfirmed", 0)) == 0:
            yield Finding(
                f"Nobody listens to {arn.rpartition(':')[2]}: no subscription is confirmed.",
                f"aws sns subscribe --topic-arn {arn} --protocol email --notification-endpoint YOU; then confirm it.",
            )
