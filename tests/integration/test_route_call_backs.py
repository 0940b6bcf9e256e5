"""The custom resource that leads calls to the caller ID to the stack: never over what somebody else has led them to."""

import importlib.util
import json
from pathlib import Path

import boto3
import pytest

from local.cloud.event_files import EVENTS
from local.cloud.functions import LambdaContext
from local.cloud.providers.connect import INSTANCE_ARN, INSTANCE_ID

APP = Path(__file__).parents[2] / "functions" / "route_call_backs" / "app.py"
NUMBER, OTHER = "+4930123456", "+4930123457"
OURS, THEIRS, NEWER = "our-flow", "their-flow", "our-newer-flow"
CONTEXT = LambdaContext("c", "arn:aws:lambda:eu-central-1:123456789012:function:c", 512, 30)


def arn(number):
    return f"arn:aws:connect:eu-central-1:123456789012:phone-number/{number[1:]}"


class Taken:
    status_code = 200


class Refused:
    status_code = 403


class Connect:
    """The numbers of an instance, each with its flow ("": none), as its API tells them, in pages of one."""

    def __init__(self, client, **flows):
        self.flows, self.fails, self.asked = {f"+{number}": flow for number, flow in flows.items()}, {}, []
        client.meta.events.register("before-call", self.answer)

    def answer(self, model, params, **_rest):
        self.asked.append(model.name)
        if code := self.fails.get(model.name):
            return Refused(), {"Error": {"Code": code, "Message": ""}, "ResponseMetadata": {}}
        return Taken(), getattr(self, model.name)(json.loads(params["body"] or "{}"), params)

    def ListPhoneNumbersV2(self, given, _params):  # noqa: N802 - the operation's name
        names = sorted(number for number in self.flows if number.startswith(given["PhoneNumberPrefix"]))
        return self.page(
            "ListPhoneNumbersSummaryList", [{"PhoneNumber": n, "PhoneNumberArn": arn(n)} for n in names], given
        )

    def ListFlowAssociations(self, _given, params):  # noqa: N802
        assert params["query_string"]["ResourceType"] == "VOICE_PHONE_NUMBER"
        held = [
            {
                "ResourceId": arn(number),
                "FlowId": f"{INSTANCE_ARN}/contact-flow/{flow}",
                "ResourceType": "VOICE_PHONE_NUMBER",
            }
            for number, flow in sorted(self.flows.items())
            if flow
        ]
        return self.page("FlowAssociationSummaryList", held, {"NextToken": params["query_string"].get("nextToken")})

    @staticmethod
    def page(member, whole, given):
        start = int(given.get("NextToken") or 0)
        more = {"NextToken": str(start + 1)} if start + 1 < len(whole) else {}
        return {member: whole[start : start + 1], **more}

    def number_in(self, params):
        (found,) = (number for number in self.flows if number[1:] in params["url_path"])
        return found

    def AssociatePhoneNumberContactFlow(self, given, params):  # noqa: N802
        assert given["InstanceId"] == INSTANCE_ID
        self.flows[self.number_in(params)] = given["ContactFlowId"]
        return {}

    def DisassociatePhoneNumberContactFlow(self, _given, params):  # noqa: N802
        assert params["query_string"]["instanceId"] == INSTANCE_ID
        self.flows[self.number_in(params)] = ""
        return {}


class Chime:
    """The SIP rules of an account."""

    def __init__(self, client, *rules):
        self.rules = {f"rule-{at}": rule for at, rule in enumerate(rules)}
        client.meta.events.register("before-call", self.answer)

    def answer(self, model, params, **_rest):
        given, rule_id = json.loads(params["body"] or "{}"), params["url_path"].rpartition("/")[2]
        match model.name:
            case "ListSipRules":
                return Taken(), {"SipRules": [{"SipRuleId": name, **rule} for name, rule in self.rules.items()]}
            case "CreateSipRule":
                self.rules["rule-new"] = given
            case "UpdateSipRule":
                self.rules[rule_id] |= given
            case "DeleteSipRule":
                assert self.rules[rule_id]["Disabled"], "a rule is disabled before it is deleted"
                del self.rules[rule_id]
        return Taken(), {}


def rule(number, application, **more):
    aims = [{"SipMediaApplicationId": application, "Priority": 1, "AwsRegion": "eu-central-1"}]
    return {"Name": "a", "TriggerType": "ToPhoneNumber", "TriggerValue": number, "TargetApplications": aims, **more}


@pytest.fixture
def app(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    spec = importlib.util.spec_from_file_location("route_call_backs_app", APP)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "send", lambda _url, _answer: True)
    return module


@pytest.fixture
def connect(app):
    client = boto3.client("connect")
    app.make_connect = lambda: client
    return lambda **flows: Connect(client, **flows)


@pytest.fixture
def chime(app):
    client = boto3.client("chime-sdk-voice")
    app.make_voice = lambda: client
    return lambda *rules: Chime(client, *rules)


def ask(app, kind="Create", target=OURS, number=NUMBER, before=None, physical="old", **given):
    event = json.loads((EVENTS / "cloudformation/route-call-backs.json").read_text(encoding="utf-8"))
    event["RequestType"] = kind
    event["ResourceProperties"] |= {"Target": target, "CallerId": number, **given}
    if before:
        event["OldResourceProperties"] = event["ResourceProperties"] | before
    if kind != "Create":
        event["PhysicalResourceId"] = physical
    answer = app.handler(event, CONTEXT)
    assert answer["Status"] == "SUCCESS"
    return answer["Data"]["Line"], answer["PhysicalResourceId"]


# -------------------------------------------------------------- Amazon Connect
def test_a_number_that_leads_nowhere_is_led_to_us(app, connect):
    instance = connect(**{NUMBER[1:]: "", OTHER[1:]: THEIRS})
    assert ask(app)[0] == "routed"
    assert instance.flows == {NUMBER: OURS, OTHER: THEIRS}
    # Once more, as after a deployment that was broken off: nothing is to be done.
    instance.asked.clear()
    assert ask(app)[0] == "routed"
    assert "AssociatePhoneNumberContactFlow" not in instance.asked


def test_a_number_that_somebody_has_a_use_for_is_left_alone(app, connect):
    instance = connect(**{NUMBER[1:]: THEIRS})
    for kind in ("Create", "Update"):
        line, _ = ask(app, kind)
        assert line.startswith("not routed")
        assert THEIRS in line
        assert NUMBER not in line
    ask(app, "Delete")
    assert instance.flows == {NUMBER: THEIRS}


def test_a_flow_of_ours_is_replaced_by_its_successor_and_the_old_one_is_not_missed(app, connect):
    instance = connect(**{NUMBER[1:]: OURS})
    line, physical = ask(app, "Update", NEWER, before={"Target": OURS})
    assert (line, instance.flows) == ("routed", {NUMBER: NEWER})
    assert physical != ask(app, "Create", OURS, OTHER)[1]
    # CloudFormation removes the old resource behind it.
    ask(app, "Delete", OURS)
    assert instance.flows == {NUMBER: NEWER}


def test_another_caller_id_is_led_to_us_and_the_old_one_is_set_free(app, connect):
    instance = connect(**{NUMBER[1:]: OURS, OTHER[1:]: ""})
    _, physical = ask(app, "Update", OURS, OTHER, before={"CallerId": NUMBER})
    assert instance.flows == {NUMBER: OURS, OTHER: OURS}
    assert physical != "old"
    ask(app, "Delete", OURS, NUMBER)
    assert instance.flows == {NUMBER: "", OTHER: OURS}


def test_a_flow_of_the_old_caller_id_says_nothing_of_the_new_ones(app, connect):
    instance = connect(**{NUMBER[1:]: OURS, OTHER[1:]: THEIRS})
    line, _ = ask(app, "Update", OURS, OTHER, before={"CallerId": NUMBER, "Target": THEIRS})
    assert line.startswith("not routed")
    assert instance.flows[OTHER] == THEIRS


def test_a_stack_that_goes_takes_its_way_along(app, connect):
    instance = connect(**{NUMBER[1:]: OURS})
    assert ask(app, "Delete")[1] == "old"
    assert instance.flows == {NUMBER: ""}
    ask(app, "Delete")


def test_a_number_that_is_not_there_or_external_is_not_led(app, connect):
    instance = connect(**{NUMBER[1:] + "0": ""})
    assert "not a number" in ask(app)[0]
    assert "external" in ask(app, ExternalCallerId="true")[0]
    assert instance.flows == {NUMBER + "0": ""}


@pytest.mark.parametrize("operation", ["ListPhoneNumbersV2", "ListFlowAssociations", "AssociatePhoneNumberContactFlow"])
@pytest.mark.parametrize("kind", ["Create", "Update", "Delete"])
def test_a_deployment_goes_on_whatever_the_service_says_and_what_is_unknown_stays(app, connect, operation, kind):
    instance = connect(**{NUMBER[1:]: ""})
    instance.fails[operation] = "AccessDeniedException"
    line, _ = ask(app, kind)
    assert instance.flows == {NUMBER: ""}
    if kind != "Delete":
        assert "AccessDeniedException" in line


# ------------------------------------------------------------- the Chime SDK
def test_a_sip_rule_is_made_and_removed(app, chime):
    account = chime(rule(OTHER, "their-application"))
    assert ask(app, ConnectInstanceArn="")[0] == "routed"
    assert account.rules["rule-new"]["TriggerValue"] == NUMBER
    assert [one["SipMediaApplicationId"] for one in account.rules["rule-new"]["TargetApplications"]] == [OURS]
    assert ask(app, ConnectInstanceArn="")[0] == "routed"
    assert len(account.rules) == 2
    ask(app, "Delete", ConnectInstanceArn="")
    assert list(account.rules) == ["rule-0"]


def test_a_rule_of_somebody_else_is_left_alone(app, chime):
    account = chime(rule(NUMBER, "their-application"))
    assert "their-application" in ask(app, ConnectInstanceArn="")[0]
    ask(app, "Delete", ConnectInstanceArn="")
    assert account.rules == {"rule-0": rule(NUMBER, "their-application")}


def test_our_rule_is_led_to_our_next_application(app, chime):
    account = chime(rule(NUMBER, OURS))
    assert ask(app, "Update", NEWER, before={"Target": OURS}, ConnectInstanceArn="")[0] == "routed"
    assert [one["TargetApplications"][0]["SipMediaApplicationId"] for one in account.rules.values()] == [NEWER]


def test_a_rule_of_a_host_name_is_none_of_the_number(app, chime):
    account = chime(rule(NUMBER, "their-application", TriggerType="RequestUriHostname"))
    assert ask(app, ConnectInstanceArn="")[0] == "routed"
    assert len(account.rules) == 2
