"""template.yaml holds its rules, and each of many mistakes that could be made in it is found by one of them."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from local.cloud.intrinsics import TemplateError, read_document
from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.simulated_providers import CALLER_ID
from local.cloud.template import TEMPLATE, Template, read_template
from tests.kit.template_rules import RULES, problems

pytestmark = pytest.mark.slow

PARAMETERS = {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": CALLER_ID}
DOCUMENT = read_document(TEMPLATE)
MONITORING = json.dumps(read_document(TEMPLATE.parent / "monitoring" / "monitoring.template.yaml"))
AS_JSON = json.dumps(DOCUMENT)
"""Four times as fast to read as the document is to copy."""


def properties(document: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = document["Resources"][name]["Properties"]
    return found


def alarms(document: dict[str, Any]) -> dict[str, Any]:
    """The resources of the stack that has the alarms. They are kept with the template until that is written."""
    found: dict[str, Any] = document.setdefault("monitoring", json.loads(MONITORING))["Resources"]
    return found


def statements(document: dict[str, Any], function: str) -> list[dict[str, Any]]:
    """What a function's role allows, as it is written."""
    (policy,) = properties(document, f"{function}Role")["Policies"]
    found: list[dict[str, Any]] = policy["PolicyDocument"]["Statement"]
    return found


def drop(resource: str, *path: str | int) -> Callable[[dict[str, Any]], None]:
    """The mistake of leaving something out: a property, by its path below Properties."""

    def mistake(document: dict[str, Any]) -> None:
        place: Any = properties(document, resource)
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return mistake


def put(value: Any, resource: str, *path: str | int) -> Callable[[dict[str, Any]], None]:
    """The mistake of writing something else."""

    def mistake(document: dict[str, Any]) -> None:
        place: Any = properties(document, resource)
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return mistake


def without(resource: str) -> Callable[[dict[str, Any]], None]:
    """The mistake of forgetting a resource."""

    def mistake(document: dict[str, Any]) -> None:
        del document["Resources"][resource]

    return mistake


def without_alarm(name: str) -> Callable[[dict[str, Any]], None]:
    """The mistake of forgetting an alarm."""

    def mistake(document: dict[str, Any]) -> None:
        del alarms(document)[name]

    return mistake


def depends(resource: str, *others: str) -> Callable[[dict[str, Any]], None]:
    """The mistake of waiting for these alone."""

    def mistake(document: dict[str, Any]) -> None:
        document["Resources"][resource]["DependsOn"] = list(others)

    return mistake


def forbid(function: str, action: str) -> Callable[[dict[str, Any]], None]:
    """The mistake of forgetting a permission: an action, out of all statements."""

    def mistake(document: dict[str, Any]) -> None:
        found = 0
        listed = statements(document, function)
        for statement in (one for entry in listed for one in entry.get("Fn::If", [entry]) if "Action" in one):
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            found += action in actions
            statement["Action"] = [one for one in actions if one != action] or ["none:None"]
        assert found

    return mistake


def forbid_nothing(function: str) -> Callable[[dict[str, Any]], None]:
    """The mistake of forgetting what is denied."""

    def mistake(document: dict[str, Any]) -> None:
        listed = statements(document, function)
        listed[:] = [one for one in listed if one.get("Fn::If", [None, one])[1].get("Effect") != "Deny"]

    return mistake


def widen(function: str) -> Callable[[dict[str, Any]], None]:
    def mistake(document: dict[str, Any]) -> None:
        statements(document, function)[0]["Resource"] = "*"

    return mistake


def in_globals(*path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    def mistake(document: dict[str, Any]) -> None:
        place = document["Globals"]["Function"]
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = value

    return mistake


def forget_retention(document: dict[str, Any]) -> None:
    document["Resources"]["MessagesTable"]["DeletionPolicy"] = "Delete"


def retain_after_a_failure(document: dict[str, Any]) -> None:
    document["Resources"]["WebhookSecretsKey"]["DeletionPolicy"] = "Retain"


def do_not_tell(output: str) -> Callable[[dict[str, Any]], None]:
    def mistake(document: dict[str, Any]) -> None:
        del document["Outputs"][output]

    return mistake


def feed_back(document: dict[str, Any]) -> None:
    """The function that wakes webhooks is triggered by a queue that theirs feeds."""
    arn = {"Fn::GetAtt": ["PromptQueue", "Arn"]}
    for function, queue in (("SendWebhookFunction", "PromptQueue"), ("FetchPromptFunction", "WebhookRetryQueue")):
        fed = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": {"Fn::GetAtt": [queue, "Arn"]}}
        statements(document, function).append(fed)
    properties(document, "WakeWebhooksFunction")["Events"]["Again"] = {"Type": "SQS", "Properties": {"Queue": arn}}


def add_up(document: dict[str, Any]) -> None:
    """Two metrics in one alarm, each filled with zeros."""
    alarm = alarms(document)["UndeliveredWebhooksAlarm"]["Properties"]
    alarm["Metrics"] = [{"Id": "both", "Expression": "FILL(failed, 0) + FILL(dead, 0)"}]


def one_more_index(table: str, name: str, keys: tuple[str, str]) -> Callable[[dict[str, Any]], None]:
    def mistake(document: dict[str, Any]) -> None:
        place = properties(document, table)
        schema = [{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=True)]
        one = {"IndexName": name, "KeySchema": schema, "Projection": {"ProjectionType": "KEYS_ONLY"}}
        place["GlobalSecondaryIndexes"].append(one)
        known = {one["AttributeName"] for one in place["AttributeDefinitions"]}
        place["AttributeDefinitions"] += [
            {"AttributeName": key, "AttributeType": "S"} for key in keys if key not in known
        ]

    return mistake


def allow(function: str, action: str, resource: str) -> Callable[[dict[str, Any]], None]:
    """The mistake of one permission too many."""

    def mistake(document: dict[str, Any]) -> None:
        one = {"Effect": "Allow", "Action": action, "Resource": {"Fn::GetAtt": [resource, "Arn"]}}
        statements(document, function).append(one)

    return mistake


def allow_for(function: str, action: str, resource: str) -> Callable[[dict[str, Any]], None]:
    """The mistake of one permission too many, with any provider."""

    def mistake(document: dict[str, Any]) -> None:
        statements(document, function).append({"Effect": "Allow", "Action": action, "Resource": resource})

    return mistake


def allow_a_provider(*more: str) -> Callable[[dict[str, Any]], None]:
    """The mistake of other values of TelephonyProvider than the code's: these too; or, if none are given, too few."""

    def mistake(document: dict[str, Any]) -> None:
        values = document["Parameters"]["TelephonyProvider"]["AllowedValues"]
        document["Parameters"]["TelephonyProvider"]["AllowedValues"] = [*values, *more] if more else values[:1]

    return mistake


def cannot_play(principal: str) -> Callable[[dict[str, Any]], None]:
    """The mistake of a bucket that another service may read."""

    def mistake(document: dict[str, Any]) -> None:
        policy = document["Resources"]["PromptsBucketPolicy"]["Properties"]["PolicyDocument"]
        policy["Statement"] = json.loads(json.dumps(policy["Statement"]).replace(principal, f"other.{principal}"))

    return mistake


def no_condition(name: str) -> Callable[[dict[str, Any]], None]:
    """The mistake of a provider's condition that says it by another's."""

    def mistake(document: dict[str, Any]) -> None:
        document["Conditions"][name] = {"Fn::Not": [{"Condition": "Connect"}]}

    return mistake


def make_always(*resources: str) -> Callable[[dict[str, Any]], None]:
    """The mistake of resources that every stack has."""

    def mistake(document: dict[str, Any]) -> None:
        for resource in resources:
            del document["Resources"][resource]["Condition"]

    return mistake


def take_any_number(document: dict[str, Any]) -> None:
    del document["Parameters"]["GraceSeconds"]["MaxValue"]


def new_number(document: dict[str, Any]) -> None:
    document["Parameters"]["MaxRings"] = {"Type": "Number", "Default": 5, "MinValue": 1, "MaxValue": 9}


def do_not_wait(document: dict[str, Any]) -> None:
    del document["Resources"]["MessagesTable"]["DependsOn"]


def type_of_few_regions(document: dict[str, Any]) -> None:
    document["Resources"]["Application"] = {"Type": "AWS::Chime::SipMediaApplication", "Condition": "Chime"}


def build_by_pip(document: dict[str, Any]) -> None:
    document["Resources"]["CoreLayer"]["Metadata"]["BuildMethod"] = "python3.13"


def watch(alarm: str, **changed: Any) -> Callable[[dict[str, Any]], None]:
    """The mistake of an alarm on another metric than the one that is written."""

    def mistake(document: dict[str, Any]) -> None:
        place = alarms(document)[alarm]["Properties"]
        metric = place if "MetricName" in place else place["Metrics"][-1]["MetricStat"]["Metric"]
        metric.update(changed)

    return mistake


def dimensions(**values: str) -> list[dict[str, str]]:
    return [{"Name": name, "Value": value} for name, value in values.items()]


MANAGED = ("ManagedPolicyArns",)
RULES_OF_BUCKET = ("PromptsBucket", "LifecycleConfiguration", "Rules")
FILTERS = ("Events", "Messages", "Properties", "FilterCriteria")

MISTAKES: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "a variable is missing": (drop("DialerFunction", "Environment", "Variables", "LINES"), "environment"),
    "a variable is misspelled": (
        put({"CONNECT_INSTANCE": "x"}, "ConnectEventsFunction", "Environment", "Variables"),
        "environment",
    ),
    "a variable that nobody reads": (put("1", "SweepFunction", "Environment", "Variables", "LINE"), "environment"),
    "a table's name is another": (
        in_globals("Environment", "Variables", "MESSAGES_TABLE", value={"Ref": "RegistryTable"}),
        "environment",
    ),
    "webhooks cannot be retried": (drop("SendWebhookFunctionRole", "Policies"), "permissions"),
    "machines cannot be made": (forbid("DialerFunction", "states:CreateStateMachine"), "permissions"),
    "executions cannot be started": (forbid("DialerFunction", "states:StartExecution"), "permissions"),
    "the role cannot be passed on": (forbid("DialerFunction", "iam:PassRole"), "permissions"),
    "calls cannot be placed": (forbid("ControlCallFunction", "connect:StartOutboundVoiceContact"), "permissions"),
    "tasks cannot be answered": (forbid("ConnectFlowFunction", "states:SendTaskSuccess"), "permissions"),
    "audio cannot be stored": (forbid("FetchPromptFunction", "s3:PutObject"), "permissions"),
    "secrets cannot be opened": (forbid("SendWebhookFunction", "kms:Decrypt"), "permissions"),
    "the machines may do nothing": (
        put([{"PolicyName": "none", "PolicyDocument": {"Statement": []}}], "FlowRole", "Policies"),
        "permissions",
    ),
    "a policy on everything": (widen("DialerFunction"), "least_privilege"),
    "a permission that nothing needs": (allow("SweepFunction", "dynamodb:Scan", "RegistryTable"), "unused"),
    "every action of a service": (
        allow("SweepFunction", "dynamodb:*", "RegistryTable"),
        "least_privilege",
    ),
    "SAM's own role, with AWS's policies": (drop("SweepFunction", "Role"), "own_roles"),
    "a policy of AWS's": (
        put(["arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"], "SweepFunctionRole", *MANAGED),
        "own_roles",
    ),
    "another function's role": (
        put({"Fn::GetAtt": ["DialerFunctionRole", "Arn"]}, "SweepFunction", "Role"),
        "own_roles",
    ),
    "a role without the boundary": (drop("SweepFunctionRole", "PermissionsBoundary"), "bounded"),
    "a role outside of the path": (drop("FlowRole", "Path"), "bounded"),
    "a boundary where none is given": (
        put("arn:aws:iam::123456789012:policy/limit", "FlowRole", "PermissionsBoundary"),
        "bounded",
    ),
    "webhooks come from any address": (drop("SendWebhookFunction", "VpcConfig"), "egress"),
    "a function is in a network for nothing": (
        put({"SubnetIds": ["subnet-0a1b2c3d"]}, "DialerFunction", "VpcConfig"),
        "egress",
    ),
    "a function cannot join its network": (forbid("FetchPromptFunction", "ec2:CreateNetworkInterface"), "egress"),
    "a function's code may make network interfaces": (forbid_nothing("SendWebhookFunction"), "egress"),
    "the name leads to another API": (put("other", "ApiDomainMapping", "ApiId"), "domain"),
    "the name has no certificate": (put([{}], "ApiDomain", "DomainNameConfigurations"), "domain"),
    "nothing may be logged": (forbid("SweepFunction", "logs:PutLogEvents"), "served"),
    "a queue cannot be read": (forbid("SendWebhookFunction", "sqs:DeleteMessage"), "served"),
    "a stream cannot be read": (forbid("DialerFunction", "dynamodb:GetRecords"), "served"),
    "what failed cannot be kept": (forbid("PreparePromptsFunction", "sqs:SendMessage"), "served"),
    "an event that failed cannot be kept": (forbid("FinishCallFunction", "sqs:SendMessage"), "served"),
    "a queue that is not its own is read": (allow("SweepFunction", "sqs:ReceiveMessage", "PromptQueue"), "unused"),
    "anybody's Connect may invoke": (drop("ConnectFlowPermission", "SourceArn"), "least_privilege"),
    "no filter on a stream": (drop("PreparePromptsFunction", *FILTERS), "event_sources"),
    "a filter's word is another": (
        put(
            [{"Pattern": '{"dynamodb":{"NewImage":{"state":{"S":["finished"]}}}}'}],
            "DialerFunction",
            *FILTERS,
            "Filters",
        ),
        "event_sources",
    ),
    "nobody hears that a contact ended": (drop("ConnectEventsFunction", "Events", "Contacts"), "event_sources"),
    "nobody hears that an execution died": (
        put(["FAILED"], "FinishCallFunction", "Events", "Executions", "Properties", "Pattern", "detail", "status"),
        "event_sources",
    ),
    "no clock": (drop("SweepFunction", "Events", "EachMinute"), "event_sources"),
    "unused machines stay": (drop("RetireFlowsFunction", "Events", "EachHour"), "event_sources"),
    "machines cannot be deleted": (forbid("RetireFlowsFunction", "states:DeleteStateMachine"), "permissions"),
    "a slower clock": (
        put("rate(1 hour)", "DialerFunction", "Events", "EachMinute", "Properties", "Schedule"),
        "event_sources",
    ),
    "a route is missing": (drop("MessagelistFunction", "Events", "CheckMessagelist"), "routes"),
    "a route's method is another": (
        put("PUT", "MessagelistFunction", "Events", "PostMessagelist", "Properties", "Method"),
        "routes",
    ),
    "failed records are not told apart": (
        drop("PreparePromptsFunction", "Events", "Messages", "Properties", "FunctionResponseTypes"),
        "failures",
    ),
    "a stream's failures have no place": (
        drop("DialerFunction", "Events", "Messages", "Properties", "DestinationConfig"),
        "failures",
    ),
    "a record is tried for ever": (
        drop("DialerFunction", "Events", "Messages", "Properties", "MaximumRetryAttempts"),
        "failures",
    ),
    "a rule has no dead-letter queue": (
        drop("FinishCallFunction", "Events", "Executions", "Properties", "DeadLetterConfig"),
        "failures",
    ),
    "a tick is tried again": (drop("SweepFunction", "EventInvokeConfig"), "failures"),
    "old ticks come": (put(3600, "DialerFunction", "EventInvokeConfig", "MaximumEventAgeInSeconds"), "failures"),
    "a tick is delivered again": (
        drop("WakeWebhooksFunction", "Events", "EachMinute", "Properties", "RetryPolicy"),
        "failures",
    ),
    "a tick becomes a dead letter": (
        put(
            {"OnFailure": {"Type": "SQS", "Destination": {"Fn::GetAtt": ["InvocationDeadLetterQueue", "Arn"]}}},
            "SweepFunction",
            "EventInvokeConfig",
            "DestinationConfig",
        ),
        "failures",
    ),
    "an event's failure is lost": (drop("ConnectEventsFunction", "EventInvokeConfig"), "failures"),
    "streams and events share a queue": (
        put(
            {"Fn::GetAtt": ["EventDeadLetterQueue", "Arn"]},
            *("DialerFunction", "Events", "Messages", "Properties", "DestinationConfig", "OnFailure", "Destination"),
        ),
        "letters",
    ),
    "invocations and events share a queue": (
        put(
            {"Fn::GetAtt": ["InvocationDeadLetterQueue", "Arn"]},
            *("FinishCallFunction", "Events", "Executions", "Properties", "DeadLetterConfig", "Arn"),
        ),
        "letters",
    ),
    "a queue has no dead-letter queue": (drop("WebhookRetryQueue", "RedrivePolicy"), "queues"),
    "a dead-letter queue of the other kind": (
        put(
            {"deadLetterTargetArn": {"Fn::GetAtt": ["WebhookDeadLetterQueue", "Arn"]}, "maxReceiveCount": 5},
            "WebhookQueue",
            "RedrivePolicy",
        ),
        "queues",
    ),
    "nobody reads a queue": (drop("SendWebhookFunction", "Events", "First"), "queues"),
    "a message comes back while it is handled": (put(30, "WebhookQueue", "VisibilityTimeout"), "queues"),
    "a dead-letter queue without an alarm": (without_alarm("DeadWebhooksFifoAlarm"), "queues"),
    "Lambda stops webhooks that wait": (drop("SendWebhookFunction", "RecursiveLoop"), "loops"),
    "Lambda stops messages of many introductions": (put("Terminate", "FetchPromptFunction", "RecursiveLoop"), "loops"),
    "a loop is allowed where none is": (put("Allow", "WakeWebhooksFunction", "RecursiveLoop"), "loops"),
    "two functions feed each other": (feed_back, "loops"),
    "an alarm on a metric that nobody counts": (watch("TelephonyMisconfiguredAlarm", MetricName="Dials"), "alarms"),
    "an alarm without the service": (
        watch("UndeliveredWebhooksAlarm", Dimensions=dimensions(result="dead")),
        "alarms",
    ),
    "an alarm on the service alone": (
        watch("UndeliveredWebhooksAlarm", Dimensions=dimensions(service="speechcall")),
        "alarms",
    ),
    "an alarm with a dimension more": (
        watch(
            "TelephonyMisconfiguredAlarm",
            Dimensions=[*dimensions(service="speechcall", reason="telephonyMisconfigured", account="acme")],
        ),
        "alarms",
    ),
    "an alarm on a value that is never written": (
        watch("UndeliveredWebhooksAlarm", Dimensions=dimensions(service="speechcall", result="undelivered")),
        "alarms",
    ),
    "an alarm on another namespace": (watch("TelephonyMisconfiguredAlarm", Namespace="SpeechCall"), "alarms"),
    "a namespace that no alarm knows": (
        in_globals("Environment", "Variables", "POWERTOOLS_METRICS_NAMESPACE", value="SpeechCall"),
        "alarms",
    ),
    "a service that no alarm knows": (
        in_globals("Environment", "Variables", "POWERTOOLS_SERVICE_NAME", value="calls"),
        "alarms",
    ),
    "a sum of metrics that may not exist": (add_up, "no_filling"),
    "nobody hears of introductions that were given up": (without_alarm("PromptsGivenUpAlarm"), "told"),
    "a job of the prompts cannot be put off": (
        forbid("FetchPromptFunction", "sqs:ChangeMessageVisibility"),
        "permissions",
    ),
    "nobody hears of ends that nobody confirms": (without_alarm("UnconfirmedEndsAlarm"), "no_filling"),
    "nobody hears of calls in which nothing was heard": (without_alarm("NotPlayedCallsAlarm"), "no_filling"),
    "nobody hears of prompts that cannot be played": (without_alarm("UnplayablePromptsAlarm"), "no_filling"),
    "an alarm on a reason that no call has": (
        watch("NotPlayedCallsAlarm", Dimensions=dimensions(service="speechcall", reason="notHeard")),
        "alarms",
    ),
    "an alarm on prompts by a dimension that they have not": (
        watch("UnplayablePromptsAlarm", Dimensions=dimensions(service="speechcall", reason="promptUnavailable")),
        "alarms",
    ),
    "a queue is not encrypted": (drop("WebhookQueue", "SqsManagedSseEnabled"), "queues"),
    "webhooks without an order": (put(True, "WebhookQueue", "ContentBasedDeduplication"), "queues"),
    "a table that goes with the stack": (forget_retention, "lasting"),
    "a table without recovery": (drop("RegistryTable", "PointInTimeRecoverySpecification"), "storage"),
    "a table that can be deleted": (put([{"Ref": "MessagesTable"}], "TableProtection", "Tables"), "storage"),
    "tables that nobody protects": (without("TableProtection"), "storage"),
    "tables that are never protected": (put("false", "TableProtection", "Protect"), "storage"),
    "protection that is waited for an hour": (drop("TableProtection", "ServiceTimeout"), "storage"),
    "a table that a failed first deployment cannot remove": (
        put(True, "RegistryTable", "DeletionProtectionEnabled"),
        "storage",
    ),
    "a key that a failed first deployment leaves behind": (retain_after_a_failure, "lasting"),
    "a table that is not encrypted": (drop("RegistryTable", "SSESpecification"), "storage"),
    "messages that never expire": (drop("MessagesTable", "TimeToLiveSpecification"), "storage"),
    "a table that a refused deployment leaves behind": (do_not_wait, "lasting"),
    "nobody checks the deployment": (
        put({"Fn::GetAtt": ["ProtectTablesFunction", "Arn"]}, "DeploymentCheck", "ServiceToken"),
        "deployment",
    ),
    "the lines are checked against a constant": (put("11", "DeploymentCheck", "Lines"), "deployment"),
    "a fractional number": (drop("DeploymentCheck", "CallsPerSecond"), "deployment"),
    "a number that nobody checks": (new_number, "deployment"),
    "a number without a bound": (take_any_number, "deployment"),
    "the instance is not checked": (drop("DeploymentCheck", "ConnectInstanceArn"), "deployment"),
    "the caller ID is not checked": (drop("DeploymentCheck", "CallerId"), "deployment"),
    "room is sought for another flow": (put("flow", "DeploymentCheck", "FlowName"), "deployment"),
    **{
        f"{name} can be starved": (drop(name, "ReservedConcurrentExecutions"), "concurrency")
        for name in ("ConnectFlowFunction", "ControlCallFunction", "FinishCallFunction", "AskReceiverFunction")
    },
    "nothing is carried where phones ring": (drop("CarriedPrompts", "ServiceToken"), "carried"),
    "a lookup cannot be signed": (forbid("AskReceiverFunction", "kms:Decrypt"), "permissions"),
    "a reserve of a constant": (put(5, "ControlCallFunction", "ReservedConcurrentExecutions"), "concurrency"),
    "a reserve for what nobody waits for": (put(5, "SweepFunction", "ReservedConcurrentExecutions"), "concurrency"),
    "webhooks without a bound": (
        drop("SendWebhookFunction", "Events", "First", "Properties", "ScalingConfig"),
        "concurrency",
    ),
    "later webhooks with a bound of their own": (
        put({"MaximumConcurrency": 50}, "SendWebhookFunction", "Events", "Again", "Properties", "ScalingConfig"),
        "concurrency",
    ),
    "prompts without a bound": (
        drop("FetchPromptFunction", "Events", "Urls", "Properties", "ScalingConfig"),
        "concurrency",
    ),
    "more rehearsals than are counted": (
        put({"MaximumConcurrency": 5}, "RehearseFunction", "Events", "Rehearsals", "Properties", "ScalingConfig"),
        "concurrency",
    ),
    "a rehearsal's list cannot be deleted": (forbid("RehearseFunction", "dynamodb:DeleteItem"), "permissions"),
    "an API without a throttle": (drop("Api", "DefaultRouteSettings"), "concurrency"),
    "a burst that nobody counts": (put(900, "Api", "DefaultRouteSettings", "ThrottlingBurstLimit"), "concurrency"),
    "the reserve is not checked": (drop("DeploymentCheck", "ReserveConcurrency"), "deployment"),
    "a check that is not waited for": (put(60, "DeploymentCheck", "ServiceTimeout"), "deployment"),
    "the instance cannot be looked up": (forbid("CheckDeploymentFunction", "connect:DescribeInstance"), "permissions"),
    "numbers cannot be looked up": (forbid("CheckDeploymentFunction", "connect:ListPhoneNumbersV2"), "permissions"),
    "tables cannot be protected": (forbid("ProtectTablesFunction", "dynamodb:UpdateTable"), "permissions"),
    "an index that nothing reads": (one_more_index("MessagesTable", "list", ("list_id", "pk")), "indexes"),
    "two indexes in one update": (
        one_more_index("MessagesTable", "list", ("list_id", "pk")),
        "indexes",
    ),
    "an index with other keys": (
        put(
            [{"AttributeName": "due_shard", "KeyType": "HASH"}, {"AttributeName": "pk", "KeyType": "RANGE"}],
            *("MessagesTable", "GlobalSecondaryIndexes", 0, "KeySchema"),
        ),
        "indexes",
    ),
    "fetched audio for ever": (
        put([{"Id": "Uploads", "Prefix": "uploads/", "ExpirationInDays": 1}], *RULES_OF_BUCKET),
        "audio",
    ),
    "audio that goes while a message may play it": (put(30, *RULES_OF_BUCKET, 1, "ExpirationInDays"), "audio"),
    "removed audio for ever": (drop(*RULES_OF_BUCKET, 2), "audio"),
    "removed audio goes while a message may play it": (put(29, *RULES_OF_BUCKET, 2, "ExpirationInDays"), "audio"),
    "uploaded audio goes without being removed": (drop(*RULES_OF_BUCKET, 2, "TagFilters"), "audio"),
    "removed audio cannot be marked": (forbid("AudioFunction", "s3:PutObjectTagging"), "permissions"),
    "a bucket that pages read": (
        put(["PUT", "GET"], "PromptsBucket", "CorsConfiguration", "CorsRules", 0, "AllowedMethods"),
        "storage",
    ),
    "a bucket for every page": (
        put(["*"], "PromptsBucket", "CorsConfiguration", "CorsRules", 0, "AllowedOrigins"),
        "storage",
    ),
    "a public bucket": (put(False, "PromptsBucket", "PublicAccessBlockConfiguration", "BlockPublicAcls"), "storage"),
    **{
        f"the output {name} is missing": (do_not_tell(name), "outputs")
        for name in DOCUMENT["Outputs"]
        if name not in ("ApiUrl", "SipMediaApplicationId", "ExecutionLogGroupName")
    },
    "what is kept ready has the code of before": (
        drop("ConnectFlowFunction", "AutoPublishAliasAllProperties"),
        "ready",
    ),
    "what is kept ready has the layer of before": (drop("CoreLayer", "PublishLambdaVersion"), "ready"),
    "what is kept ready has old libraries": (drop("DependenciesLayer", "PublishLambdaVersion"), "ready"),
    "nothing is kept ready": (drop("ConnectFlowFunction", "ProvisionedConcurrencyConfig"), "ready"),
    "something is always kept ready": (
        put(
            {"ProvisionedConcurrentExecutions": {"Ref": "ReadyForCallees"}},
            "ChimeEventsFunction",
            "ProvisionedConcurrencyConfig",
        ),
        "ready",
    ),
    "a new version takes over at once though it should not": (
        put(False, "ConnectFlowFunction", "DeploymentPreference", "Enabled"),
        "ready",
    ),
    "nothing rolls a new version back": (drop("ChimeEventsFunction", "DeploymentPreference", "Alarms"), "ready"),
    "an alarm that does not exist rolls a new version back": (
        put(["speechcall-CallsGoneAlarm"], "ConnectFlowFunction", "DeploymentPreference", "Alarms"),
        "ready",
    ),
    "SAM makes a role without path and boundary": (
        drop("ConnectFlowFunction", "DeploymentPreference", "Role"),
        "ready",
    ),
    "the flow does not ask what is kept ready": (
        put({"Fn::GetAtt": ["ConnectFlowFunction", "Arn"]}, "ConnectStack", "Parameters", "FunctionArn"),
        "ready",
    ),
    "the flow asks the alias whatever is kept ready": (
        put({"Ref": "ConnectFlowFunction.Alias"}, "ConnectStack", "Parameters", "FunctionArn"),
        "ready",
    ),
    "the application does not ask what is kept ready": (
        put({"Fn::GetAtt": ["ChimeEventsFunction", "Arn"]}, "ChimeStack", "Parameters", "FunctionArn"),
        "ready",
    ),
    "Connect may not invoke what is kept ready": (without("ConnectFlowAliasPermission"), "ready"),
    "the Chime SDK may not invoke what is kept ready": (without("ChimeEventsAliasPermission"), "ready"),
    "anybody may invoke what is kept ready": (drop("ConnectFlowAliasPermission", "SourceArn"), "least_privilege"),
    "the flow is published before it may invoke": (depends("ConnectStack", "ConnectFlowPermission"), "ready"),
    "another function is made ready": (
        put({"Ref": "DialerFunction"}, "ControlCallFunction", "Environment", "Variables", "WARM_FUNCTION"),
        "ready",
    ),
    "a provider that the code does not know": (allow_a_provider("pigeon"), "providers"),
    "a provider that cannot be chosen": (allow_a_provider(), "providers"),
    "prompts for another provider": (
        put("mulaw", "PreparePromptsFunction", "Environment", "Variables", "PROMPT_ENCODING"),
        "providers",
    ),
    "a provider's setting is forgotten": (
        drop("FinishCallFunction", "Environment", "Variables", "SIP_MEDIA_APPLICATION_ID"),
        "providers",
    ),
    "a setting of who dials is forgotten": (
        drop("ControlCallFunction", "Environment", "Variables", "CONNECT_FLOW_ID"),
        "providers",
    ),
    "a provider's right is forgotten": (forbid("SweepFunction", "chime:UpdateSipMediaApplicationCall"), "providers"),
    "a right to another provider's calls": (
        allow_for("SweepFunction", "connect:StopContact", "*"),
        "providers",
    ),
    "a provider may not read its prompts": (cannot_play("connect.amazonaws.com"), "providers"),
    "an else that is every other provider's": (
        put(
            {"Fn::If": ["Connect", "x", {"Ref": "CallerId"}]},
            "ControlCallFunction",
            "Environment",
            "Variables",
            "CALLER_ID",
        ),
        "providers",
    ),
    "a provider has no condition": (no_condition("Chime"), "providers"),
    "what is simulated is forgotten": (without("SimulatedCallsFunction"), "providers"),
    "a real call from a simulated stack": (
        allow_for("SimulatedCallsFunction", "connect:StartOutboundVoiceContact", "*"),
        "providers",
    ),
    "a stack has two who listen": (make_always("ConnectFlowFunction", "ConnectFlowFunctionRole"), "providers"),
    "a type that not every Region has": (type_of_few_regions, "regions"),
    "log lines for ever": (drop("LogGroup", "RetentionInDays"), "functions"),
    "a layer is missing": (in_globals("Layers", value=[{"Ref": "CoreLayer"}]), "functions"),
    "a layer without byte code": (build_by_pip, "functions"),
    "another version of Python": (in_globals("Runtime", value="python3.12"), "functions"),
    "a function outlasts the contact flow": (put(30, "ConnectFlowFunction", "Timeout"), "in_time"),
    "a function outlasts the API": (put(30, "AudioFunction", "Timeout"), "in_time"),
    "text in the log": (in_globals("LoggingConfig", "LogFormat", value="Text"), "functions"),
}


def written(document: dict[str, Any], folder: Path) -> Template:
    for name in ("functions", "layers", "network", "telephony", "monitoring"):
        (folder / name).symlink_to(TEMPLATE.parent / name)
    if monitoring := document.pop("monitoring", None):
        (folder / "monitoring").unlink()
        (folder / "monitoring").mkdir()
        (folder / "monitoring" / "monitoring.template.yaml").write_text(json.dumps(monitoring), encoding="utf-8")
    (folder / "template.yaml").write_text(json.dumps(document), encoding="utf-8")
    return read_template(folder / "template.yaml", PARAMETERS)


def test_the_template_holds_every_rule() -> None:
    assert problems(read_template(TEMPLATE, PARAMETERS)) == []


def test_a_stack_whose_calls_are_simulated_holds_every_rule_that_is_not_about_amazon_connect() -> None:
    here = read_template(TEMPLATE, {**PARAMETERS, "TelephonyProvider": "simulated"})
    not_about_connect = [rule for rule in RULES if rule.__name__ not in OF_CONNECT]
    assert [problem for rule in not_about_connect for problem in rule(here)] == []


OF_CONNECT = {
    *("permissions", "deployment", "outputs", "in_time"),
}
"""Rules that name functions, resources or outputs of a stack with Amazon Connect."""


def test_there_are_many_mistakes() -> None:
    assert len(MISTAKES) >= 100


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_found_by_its_rule(name: str, tmp_path: Path) -> None:
    mistake, rule = MISTAKES[name]
    document = json.loads(AS_JSON)
    assert document == DOCUMENT
    mistake(document)
    assert document != DOCUMENT
    (check,) = (check for check in RULES if check.__name__ == rule)
    assert list(check(written(document, tmp_path)))


def test_a_reference_to_nothing_is_not_even_read(tmp_path: Path) -> None:
    document = copy.deepcopy(DOCUMENT)
    del document["Resources"]["WebhookRetryQueue"]
    with pytest.raises(TemplateError, match="WebhookRetryQueue"):
        written(document, tmp_path)


def test_the_template_is_linted_for_the_regions_that_the_docs_name() -> None:
    page = (TEMPLATE.parent / "docs" / "deploy.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([a-z-]+-\d)` ", page, re.MULTILINE)
    linted = yaml.safe_load((TEMPLATE.parent / ".cfnlintrc").read_text(encoding="utf-8"))["regions"]
    assert named == linted
    assert len(named) == 11


def test_every_parameter_is_explained_for_who_deploys() -> None:
    page = (TEMPLATE.parent / "docs" / "deploy.md").read_text(encoding="utf-8")
    rows = " ".join(line.split("|")[1] for line in page.splitlines() if line.startswith("| Parameter "))
    asked = [name.strip() for name in rows.replace("Parameter ", ",").split(",") if name.strip()]
    assert asked == list(DOCUMENT["Parameters"])
