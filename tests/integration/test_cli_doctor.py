"""`speechcall doctor`: each check is seen passing and failing, forbidden to look, and in a wrong Region."""

import json
import re
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import httpx
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from cli.deployment import Place
from cli.doctor.command import checks_of, doctor
from cli.doctor.findings import Check, Verdict, examine
from cli.doctor.stack import Stack
from cli.exit_codes import USAGE
from cli.main import app
from speechcall import VERSION
from speechcall.accounts.rules.account import Account
from speechcall.messages.rules.message import State
from speechcall.messages.rules.pool import Pool
from speechcall.telephony.connect.apology import apology_key
from tests.kit.command_line import CliRunner
from tests.kit.doctor_stack import (
    CALL_BACK_FLOW_ID,
    CALLER_ID,
    INSTANCE,
    INSTANCE_ID,
    NAME,
    NUMBER_ARN,
    REGION,
    SMS_SENDER,
    healthy_stack,
)
from tests.kit.samples import MID, message

PLACE = Place(stack=NAME, region=REGION)


@pytest.fixture(scope="module")
def made():
    with healthy_stack() as world:
        yield world


@pytest.fixture
def world(made):
    made.begin()
    return made


def results_of(world):
    return {one.check.name: one for one in examine(checks_of(world.deployment, PLACE))}


def look(world, name):
    """What one check comes to."""
    (found,) = examine(one for one in checks_of(world.deployment, PLACE) if one.name == name)
    return found


# ------------------------------------------------------------------ faults, by what AWS answers then
def answer(operation, change):
    return lambda world: world.changes.setdefault(operation, []).append(change)


def put(*path, value):
    """A change of an answer: a member, by its path."""

    def change(found: Any) -> None:
        for step in path[:-1]:
            found = found[step]
        found[path[-1]] = value

    return change


def parameter_change(name, value):
    def change(found):
        (one,) = (one for one in found["Stacks"][0]["Parameters"] if one["ParameterKey"] == name)
        one["ParameterValue"] = value

    return change


def parameter(name, value):
    return answer("DescribeStacks", parameter_change(name, value))


def both(*faults):
    return lambda world: [fault(world) for fault in faults]


def health(**changed):
    return lambda world: world.health.update(changed)


def ahead(seconds):
    return lambda world: setattr(world, "clock_is_ahead_seconds", seconds)


def edited(found):
    content = json.loads(found["ContactFlow"]["Content"])
    content["Actions"][1]["Parameters"]["LambdaInvocationAttributes"] = {}
    found["ContactFlow"]["Content"] = json.dumps(content)


def fewer(quota):
    return lambda found: [one.update(Value=1.0) for one in found["Quotas"] if quota in one["QuotaName"]]


def first_alarm(**changed):
    return lambda found: found["MetricAlarms"][0].update(changed)


def policy_text(old, new):
    def change(found):
        assert old in found["Policy"]
        found["Policy"] = found["Policy"].replace(old, new)

    return change


DENIAL = {"Sid": "Hands off", "Effect": "Deny", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}


def sms(**changed):
    return lambda world: vars(world.sms).update(changed)


def identity(**changed):
    return lambda world: world.sms.identity.update(changed)


W, P, U = Verdict.WARNING, Verdict.PROBLEM, Verdict.UNKNOWN
TABLE = ("Table",)
FAULTS = {
    "a failed update": (
        "stack",
        W,
        answer("DescribeStacks", put("Stacks", 0, "StackStatus", value="UPDATE_ROLLBACK_COMPLETE")),
        "release before it",
    ),
    "a stack half made": (
        "stack",
        P,
        answer("DescribeStacks", put("Stacks", 0, "StackStatus", value="ROLLBACK_FAILED")),
        "ROLLBACK_FAILED",
    ),
    "another release": ("version", W, health(version="0.0.9"), "0.0.9"),
    "another provider": ("version", P, health(provider="chime"), "chime"),
    "a clock that is wrong": ("clock", W, ahead(100), "away from AWS's"),
    "too few executions": (
        "concurrency",
        P,
        answer("GetAccountSettings", put("AccountLimit", "UnreservedConcurrentExecutions", value=10)),
        "concurrent executions",
    ),
    "no reserve": ("reserve", W, parameter("ReserveConcurrency", "false"), "can take the executions"),
    "a reserve that somebody took": (
        "reserve",
        P,
        answer("GetFunctionConcurrency", put("ReservedConcurrentExecutions", value=1)),
        "has 1 executions of its own",
    ),
    "a function that may not run": (
        "functions",
        P,
        answer("GetFunctionConcurrency", put("ReservedConcurrentExecutions", value=0)),
        "0 executions aside",
    ),
    "a function that failed to update": (
        "functions",
        P,
        answer("GetFunctionConfiguration", put("LastUpdateStatus", value="Failed")),
        "update Failed",
    ),
    "an instance that is being made": (
        "instance",
        P,
        answer("DescribeInstance", put("Instance", "InstanceStatus", value="CREATION_IN_PROGRESS")),
        "CREATION_IN_PROGRESS",
    ),
    "an instance that may not call out": (
        "instance",
        P,
        answer("DescribeInstance", put("Instance", "OutboundCallsEnabled", value=False)),
        "outbound calls",
    ),
    "an instance elsewhere": (
        "instance",
        P,
        parameter("ConnectInstanceArn", INSTANCE.replace("eu-central-1", "eu-west-2")),
        "eu-west-2",
    ),
    "a number that was given back": (
        "caller-id",
        P,
        answer("ListPhoneNumbersV2", put("ListPhoneNumbersSummaryList", value=[])),
        "not claimed",
    ),
    "a flow that is archived": (
        "flow",
        P,
        answer("DescribeContactFlow", put("ContactFlow", "State", value="ARCHIVED")),
        "archived",
    ),
    "a flow that is only saved": (
        "flow",
        P,
        answer("DescribeContactFlow", put("ContactFlow", "Status", value="SAVED")),
        "not published",
    ),
    "a flow that was edited": ("flow-content", P, answer("DescribeContactFlow", edited), "edited"),
    "a function that is not allowed": (
        "flow-function",
        P,
        answer("ListLambdaFunctions", put("LambdaFunctions", value=[])),
        "apology",
    ),
    "a caller ID that leads nowhere": (
        "call-backs",
        W,
        answer("ListFlowAssociations", put("FlowAssociationSummaryList", value=[])),
        "go nowhere",
    ),
    "a caller ID that somebody has a use for": (
        "call-backs",
        W,
        answer(
            "ListFlowAssociations", put("FlowAssociationSummaryList", 0, "FlowId", value="arn/contact-flow/hotline")
        ),
        "go to hotline",
    ),
    "more lines than the quota": ("quota-lines", P, answer("ListServiceQuotas", fewer("Concurrent")), "Lines=10"),
    "more calls a second than the quota": (
        "quota-rate",
        P,
        answer("ListServiceQuotas", fewer("Rate")),
        "CallsPerSecond=2",
    ),
    "a quota that nobody names": (
        "quota-rate",
        U,
        answer("ListServiceQuotas", put("Quotas", value=[])),
        "does not say",
    ),
    "a flow that logs keys": ("flow-log", W, parameter("FlowLogging", "Enabled"), "keys"),
    "an index that is being made": (
        "tables",
        P,
        answer("DescribeTable", put("Table", "TableStatus", value="UPDATING")),
        "UPDATING",
    ),
    "a table that keeps all": (
        "tables-forget",
        P,
        answer("DescribeTimeToLive", put("TimeToLiveDescription", value={"TimeToLiveStatus": "DISABLED"})),
        "for ever",
    ),
    "a table without recovery": (
        "tables-recovery",
        P,
        answer(
            "DescribeContinuousBackups",
            put("ContinuousBackupsDescription", value={"ContinuousBackupsStatus": "ENABLED"}),
        ),
        "cannot be restored",
    ),
    "a table without protection": (
        "tables-protection",
        P,
        answer("DescribeTable", put("Table", "DeletionProtectionEnabled", value=False)),
        "deleted by a mistake",
    ),
    "no protection on purpose": (
        "tables-protection",
        W,
        both(
            parameter("DeletionProtection", "false"),
            answer("DescribeTable", put("Table", "DeletionProtectionEnabled", value=False)),
        ),
        "deleted by a mistake",
    ),
    "a table without a stream": (
        "stream",
        P,
        answer("DescribeTable", put("Table", "StreamSpecification", value={})),
        "tells nobody",
    ),
    "a policy that somebody removed": (
        "bucket-policy",
        P,
        answer("GetBucketPolicy", put("Policy", value='{"Statement": []}')),
        "may not read the prompts",
    ),
    "a policy for another instance": (
        "bucket-policy",
        P,
        answer("GetBucketPolicy", policy_text(INSTANCE, INSTANCE.replace("instance/1", "instance/9"))),
        "may not read the prompts",
    ),
    "a policy that allows to list and not to read": (
        "bucket-policy",
        P,
        answer("GetBucketPolicy", policy_text("s3:GetObject", "s3:GetObjectTagging")),
        "may not read the prompts",
    ),
    "a policy that denies more": (
        "bucket-policy",
        W,
        answer("GetBucketPolicy", policy_text('"Statement": [', f'"Statement": [{json.dumps(DENIAL)}, ')),
        "denies s3:GetObject (Hands off)",
    ),
    "prompts under a key of KMS": (
        "bucket-encryption",
        P,
        answer(
            "GetBucketEncryption",
            put(
                "ServerSideEncryptionConfiguration",
                "Rules",
                0,
                "ApplyServerSideEncryptionByDefault",
                "SSEAlgorithm",
                value="aws:kms",
            ),
        ),
        "KMS",
    ),
    "a bucket that may be public": (
        "bucket-private",
        P,
        answer("GetPublicAccessBlock", put("PublicAccessBlockConfiguration", "BlockPublicPolicy", value=False)),
        "public",
    ),
    "a key that is about to go": (
        "key",
        P,
        answer("DescribeKey", put("KeyMetadata", "KeyState", value="PendingDeletion")),
        "will be deleted",
    ),
    "a key that is disabled": (
        "key",
        P,
        answer("DescribeKey", put("KeyMetadata", "KeyState", value="Disabled")),
        "is disabled",
    ),
    "log lines for ever": (
        "logs",
        P,
        answer("DescribeLogGroups", lambda found: [one.pop("retentionInDays", 0) for one in found["logGroups"]]),
        "for ever",
    ),
    "a source that was switched off": (
        "sources",
        P,
        answer("GetEventSourceMapping", put("State", value="Disabled")),
        "Disabled",
    ),
    "a source that fails": (
        "sources",
        P,
        answer("GetEventSourceMapping", put("LastProcessingResult", value="PROBLEM: Function call failed")),
        "Function call failed",
    ),
    "a clock that was switched off": ("rules", P, answer("DescribeRule", put("State", value="DISABLED")), "disabled"),
    "dead letters": (
        "dead-letters",
        P,
        answer("GetQueueAttributes", put("Attributes", value={"ApproximateNumberOfMessages": "3"})),
        "3 dead letters",
    ),
    "an alarm": ("alarms", P, answer("DescribeAlarms", first_alarm(StateValue="ALARM")), "ListenerErrors"),
    "an alarm that was deleted": (
        "alarms",
        P,
        answer("DescribeAlarms", lambda found: found["MetricAlarms"].pop()),
        "not there",
    ),
    "a page that tells nobody": (
        "alarm-actions",
        W,
        answer("DescribeAlarms", lambda found: found["CompositeAlarms"][0].update(AlarmActions=[])),
        "25 of",
    ),
    "an alarm that is a part of no page": (
        "alarm-actions",
        W,
        answer("DescribeAlarms", first_alarm(AlarmName="prod-Other")),
        "1 of",
    ),
    "a topic without subscribers": (
        "alarm-actions",
        P,
        answer("GetTopicAttributes", put("Attributes", "SubscriptionsConfirmed", value="0")),
        "Nobody listens",
    ),
    "a sender of text messages that is gone": ("sms-sender", P, sms(arn=f"{SMS_SENDER}0"), "is not there"),
    "one of another Region": (
        "sms-sender",
        P,
        parameter("SmsOriginationIdentity", SMS_SENDER.replace(REGION, "eu-west-1")),
        "is in eu-west-1",
    ),
    "a number that waits for its activation": ("sms-sender", P, identity(Status="PENDING"), "PENDING"),
    "a number for calls alone": ("sms-sender", P, identity(NumberCapabilities=["VOICE"]), "no text messages"),
    "a simulator's number": ("sms-sender", W, identity(NumberType="SIMULATOR"), "reaches no phone"),
    "a number for promotion": ("sms-sender", W, identity(MessageType="PROMOTIONAL"), "promotional"),
    "a number that sends within its country": (
        "sms-countries",
        P,
        identity(IsoCountryCode="PL", InternationalSendingEnabled=False),
        "to PL alone, and accounts may have text messages sent to DE",
    ),
    "a country that is blocked": ("sms-countries", P, sms(rules={"DE": "BLOCK", "PL": "ALLOW"}), "blocks text"),
    "no money for text messages": ("sms-spend", P, sms(spend_limit=0), "is 0"),
    "a dollar a month": ("sms-spend", W, sms(spend_limit=1), "1 USD"),
    "the sandbox": ("sms-tier", P, sms(tier="SANDBOX"), "verified numbers alone"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found_and_its_repair_is_told(world, fault):
    name, verdict, bring_about, said = FAULTS[fault]
    assert look(world, name).verdict is Verdict.OK
    bring_about(world)
    found = look(world, name)
    assert found.verdict is verdict
    assert said in " ".join(one.text for one in found.findings)
    assert all(one.repair for one in found.findings)


def test_a_repair_is_a_command_that_there_is(world):
    """Of dead letters; what was changed by hand is never answered by deploying again, which changes nothing then."""
    FAULTS["dead letters"][2](world)
    repair = look(world, "dead-letters").findings[0].repair
    command = repair.partition("when the cause is gone: ")[2].removeprefix("speechcall ").split()
    told = CliRunner().invoke(app, [*command[:-2], "--local"], obj=lambda _place: SimpleNamespace(dead_letters=None))
    assert told.exit_code != USAGE, told.output
    for fault in ("a policy that somebody removed", "a table without a stream", "an alarm that was deleted"):
        world.begin()
        FAULTS[fault][2](world)
        assert "What was changed by hand" in look(world, FAULTS[fault][0]).findings[0].repair


def test_a_healthy_stack_is_told_so(world):
    results = results_of(world)
    assert {name: one.findings for name, one in results.items() if one.findings} == {}
    assert len(results) >= 25
    shown: list[str] = []
    assert doctor(world.deployment, PLACE, shown.append, as_json=False) == 0
    assert shown[-1] == f"\n{len(results)} checks: {len(results)} fine."


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, text="<html>Log in.</html>"),
        httpx.Response(200, json=["ok"]),
        httpx.Response(200, json={"status": "ok"}),
        httpx.Response(200, json={"status": "ok", "version": VERSION}, headers={"Date": "today"}),
        httpx.Response(200, json="ok", headers={"Date": "Mon, 30 Nov 2026 09:00:00 -0000"}),
    ],
)
def test_another_server_in_front_of_the_api_does_not_end_the_doctor(world, monkeypatch, answer):
    """What it does not say is not known; every other check is looked at all the same."""
    monkeypatch.setattr("cli.doctor.stack_checks.httpx.get", lambda *_, **_more: answer)
    results = results_of(world)
    assert {name for name, one in results.items() if one.verdict is Verdict.UNKNOWN} == {"version", "clock"}
    assert {one.verdict for name, one in results.items() if name not in ("version", "clock")} == {Verdict.OK}
    assert len(results) >= 25
    assert "https://api.example.com/health" in results["version"].findings[0].repair


BY_HAND = {"apology", "dialler", "lines", "throttle", "accounts", "destinations", "stuck"}
OF_OTHERS = {"simulated", "application"}
ASK_NOTHING = {"stack", "version", "clock", "flow-log", "simulated"}
"""Of AWS, beyond the stack itself."""


def test_every_check_is_among_those_that_are_seen_failing(world):
    assert set(results_of(world)) == {name for name, *_ in FAULTS.values()} | BY_HAND


def test_no_check_is_left_out_here():
    """By the code: what a stack of another telephony, or with text messages, is asked as well."""
    sources = [path.read_text(encoding="utf-8") for path in Path(checks_of.__code__.co_filename).parent.glob("*.py")]
    written = {name for text in sources for name in re.findall(r'Check\(\s*"([\w-]+)"', text)}
    assert written == {name for name, *_ in FAULTS.values()} | BY_HAND | OF_OTHERS


def test_who_may_not_look_is_told_what_is_missing_for_each_check(world):
    for check in checks_of(world.deployment, PLACE):
        world.denied.clear()
        (allowed,) = examine([check])
        assert allowed.verdict is Verdict.OK
    world.begin()
    checks = list(checks_of(world.deployment, PLACE))  # the stack has been described, and may be no more
    world.denied.add("*")
    for result in examine(checks):
        if result.check.name in ASK_NOTHING:
            continue
        assert result.verdict is Verdict.UNKNOWN, result
        text = result.findings[0].text
        assert "you may not" in text or "StoreUnavailable" in text, text


@pytest.mark.parametrize(
    ("operation", "code", "action"),
    [
        ("HeadObject", "403", "GetObject"),
        ("GetBucketEncryption", "AccessDenied", "GetEncryptionConfiguration"),
        ("GetPublicAccessBlock", "AccessDenied", "GetBucketPublicAccessBlock"),
        ("DescribeKey", "AccessDeniedException", "DescribeKey"),
    ],
)
def test_a_refusal_names_the_action_that_allows_it(operation, code, action):
    def refused():
        yield from iter(())
        raise ClientError({"Error": {"Code": code}}, operation)

    (result,) = examine([Check("any", "all is well", refused)])
    assert result.verdict is Verdict.UNKNOWN
    assert f"the action …:{action} (" in result.findings[0].repair


def test_who_may_not_even_see_the_stack_is_told_that_alone(world):
    world.denied.add("DescribeStacks")
    (result,) = examine(checks_of(world.deployment, PLACE))
    assert result.verdict is Verdict.UNKNOWN
    assert "you may not DescribeStacks" in result.findings[0].text


def test_a_stack_that_could_not_be_looked_at_once_is_not_called_well(world):
    world.denied.add("DescribeStacks")
    checks = list(checks_of(world.deployment, PLACE))
    world.denied.clear()
    (result,) = examine(checks)
    assert result.verdict is Verdict.UNKNOWN


def test_in_a_wrong_region_it_says_where_it_has_looked(world):
    elsewhere = replace(PLACE, stack="prod2")
    shown: list[str] = []
    assert doctor(world.deployment, elsewhere, shown.append, as_json=False) == 1
    assert f"There is no stack prod2 in {REGION}" in shown[0]
    assert "--region" in shown[1]


def test_the_tables_tell_of_lines_accounts_and_messages(world):
    deployment = world.deployment
    deployment.lines.choose({"lines": 0})
    assert "0 lines" in look(world, "lines").findings[0].text
    deployment.lines.choose({"lines": 3})
    assert look(world, "lines").verdict is Verdict.WARNING
    deployment.lines.choose({"lines": None})
    deployment.lines.slow_down(round(time.time() * 1000) + 60_000)
    assert "No call is begun" in look(world, "throttle").findings[0].text
    deployment.lines.slow_down(0)
    acme = deployment.accounts.find("acme")
    assert deployment.accounts.save(replace(acme, prefixes=("*",)), acme)
    assert "acme may call any number" in look(world, "destinations").findings[0].text
    assert deployment.accounts.save(replace(acme, disabled=True), replace(acme, prefixes=("*",)))
    assert "no account that may send" in look(world, "accounts").findings[0].text
    assert deployment.accounts.save(acme, replace(acme, disabled=True))
    deployment.messages.add([replace(message(MID), due_msec=0)])
    assert MID in look(world, "stuck").findings[0].text
    deployment.messages.postpone(MID, State.PREPARING, round(time.time() * 1000))
    assert look(world, "stuck").verdict is Verdict.OK


def test_a_pool_that_no_dialler_has_seen_and_an_apology_that_is_gone(world):
    deployment = world.deployment
    name = deployment.name_of("RegistryTable")
    table = deployment.client("dynamodb")
    pool = next(one for one in table.scan(TableName=name)["Items"] if "stack_lines" in one or one["pk"]["S"] == "POOL")
    table.delete_item(TableName=name, Key={key: pool[key] for key in ("pk", "sk")})
    assert "No dialler" in look(world, "dialler").findings[0].text
    deployment.lines.tell_stack(Pool(10, 2))
    bucket, s3 = deployment.name_of("PromptsBucket"), deployment.client("s3")
    (kept,) = (one for one in s3.list_objects_v2(Bucket=bucket)["Contents"] if one["Key"] == apology_key())
    body = s3.get_object(Bucket=bucket, Key=kept["Key"])["Body"].read()
    s3.delete_object(Bucket=bucket, Key=kept["Key"])
    assert "not in the bucket" in look(world, "apology").findings[0].text
    s3.put_object(Bucket=bucket, Key=kept["Key"], Body=body)
    assert look(world, "apology").verdict is Verdict.OK


def test_the_command_ends_with_1_where_something_is_wrong_and_speaks_json(world):
    def run(*more):
        return CliRunner().invoke(app, ["doctor", "--stack", NAME, *more], obj=lambda _place: world.deployment)

    assert run().exit_code == 0
    world.changes["DescribeTable"] = [put("Table", "DeletionProtectionEnabled", value=False)]
    told = run("--json")
    assert told.exit_code == 1
    by_name = {one["check"]: one for one in json.loads(told.stdout)}
    assert by_name["tables-protection"]["verdict"] == "problem"
    assert by_name["tables-protection"]["findings"][0]["repair"].startswith("aws dynamodb update-table")
    assert CALLER_ID not in told.stdout


def test_a_stack_that_rings_no_phone_is_asked_nothing_of_a_telephony_and_says_so(world):
    world.changes["DescribeStacks"] = [parameter_change("TelephonyProvider", "simulated")]
    names = {one.name for one in checks_of(world.deployment, PLACE)}
    assert not names & {"instance", "caller-id", "flow", "quota-lines", "call-backs", "bucket-policy", "apology"}
    assert {"stack", "tables", "functions"} <= names
    found = look(world, "simulated")
    assert found.verdict is Verdict.WARNING
    assert "no phone rings" in found.findings[0].text


# ------------------------------------------------------------------ of another telephony, and of text messages
APPLICATION = "7d2f0a3e-0000-4000-8000-000000000001"


@pytest.fixture
def chime(world, monkeypatch):
    """The stack, as one whose calls the Chime SDK places."""

    def change(found):
        parameter_change("TelephonyProvider", "chime")(found)
        parameter_change("ConnectInstanceArn", "")(found)
        found["Stacks"][0]["Outputs"].append({"OutputKey": "SipMediaApplicationId", "OutputValue": APPLICATION})

    world.changes["DescribeStacks"] = [change]
    arn = f"arn:aws:lambda:{REGION}:123456789012:function:x"
    told = {"SipMediaApplication": {"SipMediaApplicationId": APPLICATION, "Endpoints": [{"LambdaArn": arn}]}}
    monkeypatch.setitem(world.table, "GetSipMediaApplication", told)
    monkeypatch.setattr(Stack, "name_of", lambda _stack, logical: "x" if logical == "ChimeEventsFunction" else logical)
    return world


def test_the_sip_media_application_is_looked_at(chime):
    assert look(chime, "application").verdict is Verdict.OK
    answer("GetSipMediaApplication", put("SipMediaApplication", "Endpoints", value=[]))(chime)
    assert "asks another function" in look(chime, "application").findings[0].text
    chime.denied.add("GetSipMediaApplication")
    assert look(chime, "application").verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("kind", "fault", "check"),
    [
        ("sender-id/SHOP/DE", {}, None),
        ("sender-id/SHOP/PL", {}, "sms-countries"),
        ("pool/pool-1", {}, None),
        ("pool/pool-1", {"Status": "CREATING"}, "sms-sender"),
    ],
)
def test_a_sender_may_be_a_name_or_a_pool(world, kind, fault, check):
    arn = SMS_SENDER.replace("phone-number/phone-5eec4ca1", kind)
    world.changes["DescribeStacks"] = [parameter_change("SmsOriginationIdentity", arn)]
    sms(arn=arn, identity=dict(fault))(world)
    told = {name: one for name, one in results_of(world).items() if name.startswith("sms-")}
    assert len(told) == 4
    assert [name for name, one in told.items() if one.findings] == ([check] if check else [])


def test_a_sender_that_was_deleted_is_not_waited_for(world):
    identity(Status="DELETED")(world)
    (finding,) = look(world, "sms-sender").findings
    assert "does not come back" in finding.repair
    assert "wait" not in finding.repair


def test_a_number_that_leads_nowhere_is_led_by_a_command_and_one_that_leads_elsewhere_by_a_person(world):
    FAULTS["a caller ID that leads nowhere"][2](world)
    (nowhere,) = look(world, "call-backs").findings
    command = f"--phone-number-id {NUMBER_ARN} --instance-id {INSTANCE_ID} --contact-flow-id {CALL_BACK_FLOW_ID}"
    assert f"aws connect associate-phone-number-contact-flow {command}, or deploy" in nowhere.repair
    world.begin()
    FAULTS["a caller ID that somebody has a use for"][2](world)
    (elsewhere,) = look(world, "call-backs").findings
    assert "by hand (docs/call-backs.md)" in elsewhere.repair
    assert "aws connect" not in elsewhere.repair


def test_a_function_that_may_not_run_gets_back_what_was_set_aside_for_it(world):
    FAULTS["a function that may not run"][2](world)
    found = look(world, "functions").findings
    given = {one.text.partition(" ")[0] for one in found if "--reserved-concurrent-executions 16" in one.repair}
    assert given == {"ConnectFlowFunction", "ControlCallFunction", "AskReceiverFunction", "FinishCallFunction"}
    assert all("delete-function-concurrency" in one.repair for one in found if one.text.partition(" ")[0] not in given)


def test_who_has_set_executions_aside_is_named_and_asked_first(world):
    FAULTS["too few executions"][2](world)
    (alone,) = look(world, "concurrency").findings
    assert "Set aside for others" not in alone.text
    functions = boto3.client("lambda")
    role = functions.list_functions()["Functions"][0]["Role"]
    given: Any = {"Code": {"ZipFile": b"code"}, "Runtime": "python3.13", "Handler": "app.handler", "Role": role}
    for name, aside in (("reporting-nightly-render", 820), ("prodigy", 5), ("idle", None)):
        functions.create_function(FunctionName=name, **given)
        if aside:
            functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=aside)
    try:
        (finding,) = look(world, "concurrency").findings
        assert finding.text.endswith("Set aside for others: 820 for reporting-nightly-render, 5 for prodigy.")
        assert finding.repair.startswith("Have those who have set executions aside give them back")
        world.denied.add("ListFunctions")
        (finding,) = look(world, "concurrency").findings
        assert "Set aside for others" not in finding.text
    finally:
        for name in ("reporting-nightly-render", "prodigy", "idle"):
            functions.delete_function(FunctionName=name)


def test_a_policy_for_another_instance_is_told_with_both(world):
    FAULTS["a policy for another instance"][2](world)
    (finding,) = look(world, "bucket-policy").findings
    other = INSTANCE.replace("instance/1", "instance/9")
    assert finding.text.endswith(f"It may for {other}; this stack's instance is {INSTANCE}.")


def test_a_stack_without_a_sender_is_asked_nothing_about_text_messages(world):
    world.changes["DescribeStacks"] = [parameter_change("SmsOriginationIdentity", "")]
    assert not [one.name for one in checks_of(world.deployment, PLACE) if one.name.startswith("sms-")]


def test_only_accounts_that_may_have_text_messages_sent_count(world):
    identity(IsoCountryCode="PL", InternationalSendingEnabled=False)(world)
    acme = world.deployment.accounts.find("acme")
    assert world.deployment.accounts.save(replace(acme, sms_per_day=0), acme)
    assert look(world, "sms-countries").verdict is Verdict.OK
    assert world.deployment.accounts.save(acme, replace(acme, sms_per_day=0))


def with_account(world, *prefixes):
    """One more account that may have text messages sent, as a context."""

    @contextmanager
    def there():
        accounts, wide = world.deployment.accounts, Account("wide", prefixes, sms_per_day=5)
        if known := accounts.find("wide"):
            assert accounts.save(wide, known)
        else:
            accounts.add(wide, {})
        try:
            yield
        finally:
            assert accounts.save(replace(wide, sms_per_day=0), wide)

    return there()


@pytest.mark.parametrize(
    ("prefixes", "told"), [(("*",), "wide (*)"), (("+49", "+4", "*"), "wide (*, +4)"), (("+800",), None)]
)
def test_an_account_that_may_have_text_messages_sent_anywhere_is_told(world, prefixes, told):
    identity(InternationalSendingEnabled=False)(world)
    assert look(world, "sms-countries").verdict is Verdict.OK
    with with_account(world, *prefixes):
        result = look(world, "sms-countries")
        identity(InternationalSendingEnabled=True)(world)
        assert look(world, "sms-countries").verdict is Verdict.OK
    assert result.verdict is (Verdict.WARNING if told else Verdict.OK)
    texts = [one.text for one in result.findings]
    said = "The sender may send to DE alone, and prefixes of accounts are wider than a country: "
    assert texts == ([f"{said}{told}."] if told else [])


@pytest.mark.parametrize(("prefix", "told"), [("*", "DE, FR"), ("+4", "DE"), ("+5", None)])
def test_a_country_that_is_blocked_is_told_of_accounts_that_may_send_anywhere(world, prefix, told):
    acme = world.deployment.accounts.find("acme")
    assert world.deployment.accounts.save(replace(acme, sms_per_day=0), acme)
    sms(rules={"DE": "BLOCK", "PL": "ALLOW", "FR": "BLOCK"})(world)
    with with_account(world, prefix):
        findings = look(world, "sms-countries").findings
    assert world.deployment.accounts.save(acme, replace(acme, sms_per_day=0))
    assert [one.verdict for one in findings] == ([Verdict.WARNING] if told else [])
    assert not told or f"text messages to {told}, and" in findings[0].text


@pytest.mark.parametrize("kind", ["phone-number/phone-5eec4ca1", "sender-id/SHOP/DE"])
def test_a_sender_of_another_region_is_not_asked_for_in_this_one(world, kind):
    here = SMS_SENDER.replace("phone-number/phone-5eec4ca1", kind)
    world.changes["DescribeStacks"] = [
        parameter_change("SmsOriginationIdentity", here.replace(REGION, "eu-west-1")),
    ]
    sms(arn=here, identity={"IsoCountryCode": "PL"})(world)
    world.asked.clear()
    results = results_of(world)
    assert results["sms-sender"].verdict is Verdict.PROBLEM
    assert results["sms-countries"].findings == ()
    assert not {"DescribePhoneNumbers", "DescribeSenderIds"} & set(world.asked)


def test_one_dead_letter_is_told_as_one(world):
    answer("GetQueueAttributes", put("Attributes", value={"ApproximateNumberOfMessages": "1"}))(world)
    assert {one.text.partition(" in ")[0] for one in look(world, "dead-letters").findings} == {"1 dead letter"}


def test_the_dead_letters_of_simulated_calls_are_looked_at_where_the_stack_has_them(world):
    assert look(world, "dead-letters").verdict is Verdict.OK  # a stack that simulates no calls has no such queue
    sqs = world.deployment.client("sqs")
    url = sqs.create_queue(QueueName="simulated-dead")["QueueUrl"]

    def change(found):
        kind = {"ResourceType": "AWS::SQS::Queue", "PhysicalResourceId": url}
        found["StackResourceSummaries"].append({"LogicalResourceId": "SimulatedCallsDeadLetterQueue", **kind})

    try:
        answer("ListStackResources", change)(world)
        assert look(world, "dead-letters").verdict is Verdict.OK
        sqs.send_message(QueueUrl=url, MessageBody="{}")
        (finding,) = look(world, "dead-letters").findings
        assert finding.text == "1 dead letter in simulated-calls."
        assert f"aws sqs purge-queue --queue-url {url}" in finding.repair
        assert "deadletter" not in finding.repair
    finally:
        sqs.delete_queue(QueueUrl=url)


def gone(client, error):
    """An operation that tells that what it is asked for is not there, as botocore raises it."""

    def ask(**_given):
        raise getattr(client.exceptions, error)({"Error": {"Code": error, "Message": "no"}}, "Describe")

    return ask


def test_a_flow_that_was_deleted_is_made_again_by_what_makes_it_again(world, monkeypatch):
    """To deploy without a change makes nothing, and the update of a flow that is not there fails."""
    connect = world.deployment.client("connect")
    monkeypatch.setattr(connect, "describe_contact_flow", gone(connect, "ResourceNotFoundException"))
    (finding,) = look(world, "flow").findings
    assert "not there any more" in finding.text
    assert "TelephonyProvider=simulated" in finding.repair
    assert "CallerId, ConnectInstanceArn and SmsOriginationIdentity empty" in finding.repair
    content = look(world, "flow-content")
    assert content.verdict is Verdict.UNKNOWN
    assert "not looked at" in content.findings[0].text


def test_an_application_that_was_deleted_is_told_in_the_same_way(chime, monkeypatch):
    voice = chime.deployment.client("chime-sdk-voice")
    monkeypatch.setattr(voice, "get_sip_media_application", gone(voice, "NotFoundException"))
    (finding,) = look(chime, "application").findings
    assert "TelephonyProvider=simulated" in finding.repair


def test_what_is_found_names_no_full_number(world):
    world.changes["ListPhoneNumbersV2"] = [put("ListPhoneNumbersSummaryList", value=[])]
    assert CALLER_ID not in str(look(world, "caller-id"))


def test_who_has_no_credentials_is_told_so():
    def ask() -> Any:
        raise NoCredentialsError

    (found,) = examine([Check("one", "it holds", ask)])
    (finding,) = found.findings
    assert found.verdict is Verdict.UNKNOWN
    assert "--profile" in finding.repair
