"""Amazon Connect's simulated calls, as the laptop's instance speaks them: what is accepted, refused and recorded."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from cli.selftest.test_case import content, initialization
from local.network.connect.testing_language import BadTestCase, read_content
from tests.kit.carrier_bench import FLOW_ID, INSTANCE, PROMPT, WAIT, ask, bench

GOOD = json.loads(content(PROMPT, PROMPT))
VOICE = {"Type": "VOICE_CALL", "VoiceCallEntryPointParameters": {"FlowId": FLOW_ID}}


def create(b, **changes: Any) -> str:
    given = {
        "InstanceId": INSTANCE,
        "Name": "one",
        "Content": json.dumps(GOOD),
        "EntryPoint": VOICE,
        "InitializationData": initialization("7748021", 1),
        "Status": "PUBLISHED",
        **changes,
    }
    return b.connect.create_test_case(**given)["TestCaseId"]


def start(b, case, token="first"):
    return b.connect.start_test_case_execution(InstanceId=INSTANCE, TestCaseId=case, ClientToken=token)


def test_an_execution_is_a_contact_with_its_attributes_and_leaves_records():
    with bench([ask(2), ask(3)]) as b:
        case = create(b)
        run = start(b, case)["TestCaseExecutionId"]
        assert start(b, case)["TestCaseExecutionId"] == run
        (contact,) = b.carrier.contacts
        assert contact.phone.wait_until_ended(WAIT)
        assert contact.attributes.items() >= {"mid": "7748021", "attempt": "1"}.items()
        assert b.function.heard == ["answered", "key 1"]
        asked = {"InstanceId": INSTANCE, "TestCaseId": case, "TestCaseExecutionId": run}
        summary = b.connect.get_test_case_execution_summary(**asked)
        assert summary["Status"] == "PASSED"
        assert summary["ObservationSummary"]["ObservationsPassed"] == 3
        ask_for: Any = b.connect.list_test_case_execution_records
        pages = [ask_for(**asked, MaxResults=2)]
        pages.append(ask_for(**asked, NextToken=pages[0]["NextToken"]))
        told = [one["ObservationId"] for page in pages for one in page["ExecutionRecords"]]
        assert told == ["begin", "first-prompt", "next-prompt"]
        assert ask_for(**asked, Status="FAILED")["ExecutionRecords"] == []


def test_a_test_that_waits_in_vain_is_stopped_and_has_failed_what_it_waited_for():
    with bench([ask(2, seconds=60)]) as b:
        case = create(b, Content=content("https://a.example/other", PROMPT))
        asked = {"InstanceId": INSTANCE, "TestCaseId": case}
        asked["TestCaseExecutionId"] = start(b, case)["TestCaseExecutionId"]
        (contact,) = b.carrier.contacts
        assert contact.phone.wait_for_input(timeout=WAIT)
        assert b.connect.get_test_case_execution_summary(**asked)["Status"] == "IN_PROGRESS"
        b.connect.stop_test_case_execution(**asked)
        assert contact.ended
        assert b.connect.get_test_case_execution_summary(**asked)["Status"] == "STOPPED"
        ask_for: Any = b.connect.list_test_case_execution_records
        records = ask_for(**asked, Status="FAILED")["ExecutionRecords"]
        assert [one["ObservationId"] for one in records] == ["first-prompt"]


def test_five_run_at_once_and_the_sixth_waits():
    with bench([ask(2, seconds=60)] * 6) as b:
        case = create(b, Content=content("https://a.example/other", PROMPT))
        runs = [start(b, case, str(number))["TestCaseExecutionId"] for number in range(6)]
        asked = [{"InstanceId": INSTANCE, "TestCaseId": case, "TestCaseExecutionId": run} for run in runs]
        told = [b.connect.get_test_case_execution_summary(**one)["Status"] for one in asked]
        assert told == ["IN_PROGRESS"] * 5 + ["INITIATED"]
        b.connect.stop_test_case_execution(**asked[0])
        assert b.connect.get_test_case_execution_summary(**asked[5])["Status"] == "IN_PROGRESS"


PHONES = {"SourcePhoneNumber": "+15550100", "DestinationPhoneNumber": "+4930123456"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"InstanceId": "12345678-1234-1234-1234-123456789012"}, "ResourceNotFoundException"),
        ({"EntryPoint": {"Type": "VOICE_CALL"}}, "InvalidParameterException"),
        (
            {"EntryPoint": {"Type": "VOICE_CALL", "VoiceCallEntryPointParameters": {"FlowId": FLOW_ID, **PHONES}}},
            "InvalidParameterException",
        ),
        (
            {"EntryPoint": {"Type": "VOICE_CALL", "VoiceCallEntryPointParameters": {"FlowId": "other"}}},
            "ResourceNotFoundException",
        ),
        ({"Status": "SAVED"}, "InvalidRequestException"),
        ({"Content": "{"}, "InvalidTestCaseException"),
    ],
)
def test_what_is_refused(changes, code):
    with bench() as b, pytest.raises(ClientError) as refused:
        create(b, **changes)
    assert refused.value.response["Error"]["Code"] == code


def test_a_name_is_given_once_and_what_is_deleted_is_gone():
    with bench() as b:
        case = create(b)
        with pytest.raises(b.connect.exceptions.DuplicateResourceException):
            create(b)
        b.connect.delete_test_case(InstanceId=INSTANCE, TestCaseId=case)
        with pytest.raises(b.connect.exceptions.ResourceNotFoundException):
            start(b, case)
        assert create(b) != case


@pytest.mark.parametrize("data", ['{"mid": "7748021", "attempt": "1"}', '{"Attributes": {"mid": "1"}}', "{"])
def test_attributes_of_another_form_do_not_reach_the_flow(data):
    """As others have found; such a contact is told to hang up, as every stranger is."""
    with bench() as b:
        start(b, create(b, InitializationData=data))
        (contact,) = b.carrier.contacts
        assert contact.phone.wait_until_ended(WAIT)
        assert "mid" not in contact.attributes


def changed(*path, value):
    """The good content with one member changed."""
    made = json.loads(json.dumps(GOOD))
    place = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return made


FIRST = ("Observations", 1)
ACTION = (*FIRST, "Actions", 0)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (changed("Version", value="2025-06-21"), "Version is not"),
        (changed("Observations", value=[]), "no Observations"),
        (changed("Other", value=1), "unknown member"),
        (changed(*FIRST, "Usage", value={"Type": "EXACTLY"}), "unknown members: Usage"),
        (changed(*FIRST, "Identifier", value="begin"), "no Identifier of its own"),
        (changed(*FIRST, "Transitions", "NextObservations", value=["nowhere"]), "which is not there"),
        (changed(*FIRST, "Event", "Actor", value="Customer"), "Actor System"),
        (changed(*FIRST, "Event", "Type", value="FlowActionStarted"), "not acted out"),
        (changed(*FIRST, "Event", "Properties", "Text", value="Press one"), "one of Text and Media"),
        (changed(*FIRST, "Event", "Properties", "MatchingCriteria", value="Inclusion"), "no Type"),
        (changed(*FIRST, "Event", "Properties", "Media", "SourceType", value="URL"), "SourceType S3"),
        (changed(*ACTION, "Identifier", value=""), "no Identifier"),
        (changed(*ACTION, "Parameters", "ActionType", value="Assert"), "do not name"),
        (changed(*ACTION, "Parameters", "Instruction", "Type", value="Utterance"), "only the Customer's"),
        (changed(*ACTION, "Parameters", "Instruction", "Properties", "Value", value="1"), "a digit is a number"),
        (changed("Observations", 2, "Actions", 0, "Parameters", "Command", value={"Type": "Pause"}), "EndTest"),
        (changed("Observations", 0, value="begin"), "not an object"),
    ],
)
def test_content_that_could_not_be_published(given, says):
    with pytest.raises(BadTestCase, match=says):
        read_content(json.dumps(given))


def test_the_signs_are_keys_as_text():
    for key in "*#":
        read_content(json.dumps(changed(*ACTION, "Parameters", "Instruction", "Properties", "Value", value=key)))
