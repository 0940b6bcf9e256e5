"""Alarms, dashboard, saved queries and logs: each names what there is, and tells somebody what is theirs to know."""

import json
import re
from pathlib import Path

import botocore.session
import pytest
from botocore import xform_name

from local.cloud.simulated_providers import parameters_of
from local.cloud.template import TEMPLATE, read_template
from speechcall.menus.rules.publication import UNWATCHED, Watching, publication
from speechcall.telephony.provider import ProviderName
from tests.kit.cloudwatch.aws_metrics import AWS_METRICS

ROOT = Path(__file__).parents[2]
RUNBOOK = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
TOPIC = "arn:aws:sns:eu-central-1:123456789012:on-call"
ALARM, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"


def stack(telephony=ProviderName.CONNECT, **parameters):
    return read_template(TEMPLATE, {**parameters_of(telephony), **parameters})


def monitoring(telephony=ProviderName.CONNECT, **parameters):
    return stack(telephony, **parameters).nested("MonitoringStack")


def every_alarm(nested):
    return {**nested.resources_of(ALARM), **nested.resources_of(COMPOSITE)}


# ------------------------------------------------------------------ alarms
def test_each_alarm_on_a_metric_of_aws_names_it_with_its_dimensions():
    for name, alarm in monitoring().resources_of(ALARM).items():
        if alarm["Namespace"].startswith("AWS/"):
            dimensions = {one["Name"] for one in alarm["Dimensions"]}
            assert AWS_METRICS[alarm["Namespace"]][alarm["MetricName"]] == dimensions, name
            assert all(one["Value"] for one in alarm["Dimensions"]), name


@pytest.mark.parametrize("telephony", ProviderName)
def test_each_alarm_pages_or_is_a_part_of_one_that_does(telephony):
    nested = monitoring(telephony, AlarmTopicArn=TOPIC)
    rules = [one["AlarmRule"] for one in nested.resources_of(COMPOSITE).values()]
    parts = [name for rule in rules for name in re.findall(r'ALARM\("([^"]+)"\)', rule)]
    own = {one["AlarmName"] for one in nested.resources_of(ALARM).values() if one.get("AlarmActions")}
    assert sorted([*parts, *own]) == sorted(one["AlarmName"] for one in nested.resources_of(ALARM).values())
    for one in every_alarm(nested).values():
        told = one.get("AlarmActions")
        assert told == one.get("OKActions")
        assert (told == [TOPIC]) == (one["AlarmName"] not in parts)


def test_an_alarms_name_tells_its_stack_and_its_entry():
    assert {name: one["AlarmName"] for name, one in every_alarm(monitoring()).items()} == {
        name: f"speechcall-{name}" for name in every_alarm(monitoring())
    }


def test_who_gives_an_address_is_told_by_an_encrypted_topic_that_alarms_alone_publish_to():
    nested = monitoring(AlarmEmail="on-call@example.com")
    (topic,) = nested.resources_of("AWS::SNS::Topic").values()
    (subscription,) = nested.resources_of("AWS::SNS::Subscription").values()
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", "on-call@example.com")
    assert topic["KmsMasterKeyId"] == nested.ref("AlarmKey")
    statements = nested.resource("AlarmKey")["Properties"]["KeyPolicy"]["Statement"]
    (use,) = (one for one in statements if one["Principal"] == {"Service": "cloudwatch.amazonaws.com"})
    assert set(use["Action"]) == {"kms:Decrypt", "kms:GenerateDataKey*"}
    (policy,) = nested.resources_of("AWS::SNS::TopicPolicy").values()
    (publish,) = policy["PolicyDocument"]["Statement"]
    assert publish["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert "aws:SourceAccount" in str(publish["Condition"])
    assert "aws:SourceAccount" in str(use["Condition"])
    told = [one["AlarmActions"] for one in every_alarm(nested).values() if "AlarmActions" in one]
    assert told == [[nested.ref("AlarmTopic")]] * 6


def test_a_topic_that_is_given_comes_before_an_address_and_with_neither_nobody_is_told():
    given = monitoring(AlarmTopicArn=TOPIC, AlarmEmail="on-call@example.com")
    assert given.resources_of("AWS::SNS::Topic") == {}
    assert [one for one in every_alarm(monitoring()).values() if "AlarmActions" in one] == []


# --------------------------------------------------------------- dashboard
def rows_of(body):
    for widget in json.loads(body)["widgets"]:
        for row in widget["properties"].get("metrics", []):
            yield widget["properties"]["title"], row


def documented():
    page = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
    found = re.findall(r"^\| `(\w+)` \| (?:`(\w+)`)? ?\|", page, re.MULTILINE)
    return {name: {"service", dimension} - {""} for name, dimension in found}


@pytest.mark.parametrize("telephony", ProviderName)
def test_the_dashboard_names_metrics_that_there_are(telephony):
    nested = monitoring(telephony)
    body = nested.resource("Dashboard")["Properties"]["DashboardBody"]
    known, namespaces = documented(), set()
    for title, row in rows_of(body):
        if isinstance(row[0], dict):
            namespace, dimensions, name = re.fullmatch(
                r"""SEARCH\('\{"([^"]+)",([\w,]+)\} MetricName="(\w+)"', '\w+', \d+\)""", row[0]["expression"]
            ).groups()
            dimensions = set(dimensions.split(","))
        else:
            given = [one for one in row if not isinstance(one, dict)]
            namespace, name, dimensions = given[0], given[1], set(given[2::2])
            assert all(given), title
        namespaces.add(namespace)
        expected = AWS_METRICS[namespace][name] if namespace.startswith("AWS/") else known[name]
        assert dimensions == expected, (title, name)
    assert namespaces - {"AWS/Connect"} == {"SpeechCall/speechcall", "AWS/Lambda", "AWS/SQS", "AWS/ApiGateway"}
    assert ("AWS/Connect" in namespaces) is (telephony is ProviderName.CONNECT)


@pytest.mark.parametrize("telephony", ProviderName)
def test_the_dashboard_shows_each_dead_letter_queue(telephony):
    made = stack(telephony)
    body = made.nested("MonitoringStack").resource("Dashboard")["Properties"]["DashboardBody"]
    shown = {row[3] for title, row in rows_of(body) if title == "Dead letters"}
    queues = [name for name in made.resources_of("AWS::SQS::Queue") if "DeadLetter" in name]
    assert shown == {made.get_att(name, "QueueName") for name in queues}


@pytest.mark.parametrize("telephony", ProviderName)
def test_the_widgets_of_the_dashboard_do_not_lie_over_each_other_and_show_the_pages(telephony):
    nested = monitoring(telephony, AlarmTopicArn=TOPIC)
    widgets = json.loads(nested.resource("Dashboard")["Properties"]["DashboardBody"])["widgets"]
    places = [(x, y) for one in widgets for x in range(one["x"], one["x"] + one["width"])
              for y in range(one["y"], one["y"] + one["height"])]  # fmt: skip
    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24
    paging = {nested.get_att(name, "Arn") for name, one in every_alarm(nested).items() if one.get("AlarmActions")}
    assert set(widgets[0]["properties"]["alarms"]) == paging


# ------------------------------------------------------------ queries, logs
def test_the_saved_queries_ask_the_stacks_logs_for_lines_that_are_written():
    made = stack()
    queries = made.nested("MonitoringStack").resources_of("AWS::Logs::QueryDefinition")
    assert len(queries) == 8
    sources = [path for folder in ("layers/core", "functions") for path in (ROOT / folder).rglob("*.py")]
    said = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    for name, query in queries.items():
        group = "AccessLogGroup" if name == "RequestsQuery" else "LogGroup"
        assert query["LogGroupNames"] == [made.ref(group)]
        text = query["QueryString"]
        for words in re.findall(r'message like /([^/]+)/|message = "([^"]+)"', text):
            assert "".join(words) in said, words
        assert not re.search(r"\$\{", text)


def test_the_access_log_has_the_route_and_never_what_stands_in_a_path():
    settings = stack().resource("Api")["Properties"]["AccessLogSettings"]
    form = json.loads(settings["Format"])
    assert form["route"] == "$context.routeKey"
    assert set(form.values()) <= {
        f"$context.{name}"
        for name in (
            *("requestId", "requestTimeEpoch", "routeKey", "status", "responseLatency", "integrationLatency"),
            *("responseLength", "identity.sourceIp", "error.responseType", "integrationStatus"),
        )
    }
    assert settings["DestinationArn"].endswith("log-group:AccessLogGroup")
    quiet = stack(AccessLog="Disabled")
    assert "AccessLogSettings" not in quiet.resource("Api")["Properties"]
    assert "RequestsQuery" not in quiet.nested("MonitoringStack").logical_ids


def test_an_execution_log_never_has_data_and_another_log_makes_other_machines():
    names = {UNWATCHED: "", Watching("ALL", "arn:group:*"): "", Watching("ERROR", "arn:group:*"): ""}
    names |= {Watching("OFF", "", is_traced=True): ""}
    for one in names:
        assert one.logging["includeExecutionData"] is False
        names[one] = publication({"StartAt": "a"}, "arn:role", "0a1b2c3d", one).name
    assert len(set(names.values())) == len(names)
    assert UNWATCHED.logging == {"level": "OFF", "includeExecutionData": False}
    group = {"cloudWatchLogsLogGroup": {"logGroupArn": "arn:group:*"}}
    assert Watching("ALL", "arn:group:*").logging["destinations"] == [group]


def test_what_is_off_leaves_no_right_behind():
    plain, watched = stack(), stack(ExecutionLog="ERROR", Tracing="Enabled")
    flow = plain.resource("FlowRole")["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    assert not [one for one in flow if "logs:CreateLogDelivery" in one["Action"]]
    assert "TracingPolicy" not in plain.logical_ids
    roles = set(watched.resource("TracingPolicy")["Properties"]["Roles"])
    assert roles == set(watched.resources_of("AWS::IAM::Role"))
    assert watched.functions["DialerFunction"].environment["FLOW_LOG_GROUP"].endswith(":*")
    assert plain.functions["DialerFunction"].environment["FLOW_LOG_GROUP"] == ""


# ------------------------------------------------------------------ runbook
ENTRIES = dict(re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL))


def test_each_alarm_has_its_entry_and_each_entry_its_alarm():
    assert set(ENTRIES) == {name for telephony in ProviderName for name in every_alarm(monitoring(telephony))}
    assert len(ENTRIES) == len(re.findall(r"^### ", RUNBOOK, re.MULTILINE))


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_says_what_it_means_how_to_see_it_what_to_do_and_when_it_is_over(name):
    text = ENTRIES[name]
    assert re.findall(r"^- \*\*(\w+)\*\*: ?", text, re.MULTILINE) == ["Means", "See", "Do", "Over"]
    see = text.partition("**See**")[2].partition("**Do**")[0]
    assert re.findall(r"^      (?:aws|speechcall) ", see, re.MULTILINE)


def test_each_command_of_aws_exists_with_its_options():
    """By botocore's models, from which the AWS CLI makes its commands; `aws logs tail` is the CLI's own."""
    session = botocore.session.get_session()
    wide = {"query", "output", "region", "profile"}
    tail = {"since", "filter-pattern", "format", "follow"}
    commands = re.sub(r"\\\n\s+", "", RUNBOOK)
    called = re.findall(r"aws ([a-z-]+) ([a-z-]+)((?: [^`\n]*)?)", commands)
    assert len(called) >= 40
    for service, verb, rest in called:
        options = set(re.findall(r" --([a-z-]+)", re.sub(r"""'[^']*'|"[^"]*\"""", "", rest)))
        if (service, verb) == ("logs", "tail"):
            assert options <= tail | wide, rest
            continue
        model = session.get_service_model(service)
        operations = {xform_name(name, "-"): name for name in model.operation_names}
        if verb == "wait":
            waiters = session.get_waiter_model(service)
            names = {xform_name(name, "-"): name for name in waiters.waiter_names}
            asked = waiters.get_waiter(names[rest.split()[0]]).operation
        else:
            asked = operations[verb]
        members = model.operation_model(asked).input_shape.members
        known = {xform_name(name, "-") for name in members} | {"max-items"}
        assert options - wide <= known, (service, verb, rest)
