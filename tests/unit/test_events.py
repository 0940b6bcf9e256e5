"""The events in events/: each is what its function reads, and they tell of one call."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.cloud.simulated_providers import EVENT_FILES, parameters_of, simulated
from local.cloud.template import TEMPLATE, read_template
from speechcall.menus.rules.menu import load_menus
from speechcall.prompts.adapters.queue import PromptJob, read_job
from speechcall.shared.adapters.stream import message_id
from speechcall.shared.rules.ids import event_id, parse_holder, shard_of
from speechcall.shared.rules.outcome import End
from speechcall.telephony.connect.call_backs import parse_asked
from speechcall.telephony.connect.contact_events import ContactEvent, parse_contact_event
from speechcall.telephony.connect.conversation import parse_report
from speechcall.telephony.provider import ProviderName
from speechcall.webhooks.adapters.queue import parse_task

EVENTS = Path(__file__).parents[2] / "events"
FILES = sorted(path.relative_to(EVENTS).as_posix() for path in EVENTS.rglob("*.json"))
MID = "1234567890123456789"


def load_event(name: str) -> dict[str, Any]:
    loaded = json.loads((EVENTS / name).read_text(encoding="utf-8"))
    assert isinstance(loaded, dict)
    return loaded


@pytest.mark.parametrize("name", FILES)
def test_each_file_is_a_json_object(name: str) -> None:
    assert load_event(name)


def test_the_readme_names_each_file() -> None:
    readme = (EVENTS / "README.md").read_text(encoding="utf-8")
    assert [name for name in FILES if name.removeprefix("spec/") not in readme] == []


def test_the_readme_says_whose_each_event_is_and_every_function_has_one() -> None:
    readme = (EVENTS / "README.md").read_text(encoding="utf-8")
    row = re.compile(r"^\| `([\w/-]+\.json)` \| ([\w, ]+?)(?: \(not subscribed to\))? \|", re.MULTILINE)
    told = {(path, name) for path, names in row.findall(readme) for name in names.split(", ")}
    connect = read_template(TEMPLATE, parameters_of(ProviderName.CONNECT)).functions
    functions = {
        logical_id: function
        for provider in ProviderName
        for logical_id, function in read_template(TEMPLATE, parameters_of(provider)).functions.items()
    }
    files = [file for provider in ProviderName for file in simulated(provider).event_files]
    known = {(file.path, functions[file.function].code_dir.name) for file in files}
    assert told == known
    assert {file.function for file in EVENT_FILES} == set(connect)
    assert {file.function for file in files} == set(functions)
    assert {file.path for file in files} == {name for name in FILES if not name.startswith("spec/")}


@pytest.mark.parametrize(
    ("name", "size", "recipient", "menus"),
    [
        ("basic-structure", 1126, "+380936670003", 1),
        ("simple", 1033, "+380936670003", 1),
        ("complex", 1688, "+380XXXXXXXXX", 2),
        ("curl", 1834, "+380XXXXXXXXX", 2),
    ],
)
def test_the_bodies_of_the_specification_are_as_printed(name: str, size: int, recipient: str, menus: int) -> None:
    assert (EVENTS / f"spec/{name}.json").stat().st_size == size
    (message,) = load_event(f"spec/{name}.json")["messages"]
    assert sorted(message) == ["from", "menu", "text", "to", "type"]
    assert message["to"] == recipient
    assert message["type"] == "speechcall"
    assert len(message["menu"]) == menus


def test_curl_sends_the_complex_example() -> None:
    assert load_event("spec/curl.json") == load_event("spec/complex.json")


def test_the_posted_body_is_the_basic_example() -> None:
    event = load_event("api/post-messagelist.json")
    assert event["version"] == "2.0"
    assert event["body"] == (EVENTS / "spec/basic-structure.json").read_text(encoding="utf-8")
    assert event["headers"]["content-length"] == str(len(event["body"].encode()))


@pytest.mark.parametrize(
    ("name", "change", "states"),
    [
        ("message-inserted", "INSERT", [None, "preparing"]),
        ("message-queued", "MODIFY", ["preparing", "queued"]),
        ("message-finished", "MODIFY", ["calling", "finished"]),
    ],
)
def test_stream_records_carry_the_stored_message(name: str, change: str, states: list[str | None]) -> None:
    (record,) = load_event(f"dynamodb/{name}.json")["Records"]
    images = [record["dynamodb"].get("OldImage"), record["dynamodb"]["NewImage"]]
    assert record["eventName"] == change
    assert message_id(record) == MID
    assert [image and image["state"]["S"] for image in images] == states
    for image in filter(None, images):
        assert len(load_menus(image["menus"]["S"])) == 1
        here = f"{image['state']['S']}#{shard_of(MID)}"
        assert image.get("due_shard", {"S": here})["S"] == here


@pytest.mark.parametrize("name", ["webhook", "webhook-retry"])
def test_queue_messages_name_a_webhook_step(name: str) -> None:
    (record,) = load_event(f"sqs/{name}.json")["Records"]
    task = parse_task(record["body"])
    assert task.event_id == event_id(MID, task.attempt, task.seq, task.menu, task.key, task.step)
    assert record["eventSourceARN"].endswith(".fifo") == (name == "webhook")


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("answered", ("answered", 0, "")),
        ("key", ("key", 2, "1")),
        ("key-other", ("key", 2, "other")),
        ("prompt-error", ("prompt_error", 2, "")),
        ("idle", ("idle", 2, "")),
        ("next", ("next", 2, "")),
    ],
)
def test_the_contact_flow_reports_what_it_heard(name: str, heard: tuple[str, int, str]) -> None:
    report = parse_report(load_event(f"connect/flow-{name}.json"))
    assert report is not None
    assert report.mid == MID
    assert report.attempt == 1
    assert (report.heard.event, report.heard.seq, report.heard.key) == heard


@pytest.mark.parametrize(
    ("name", "ended", "answered"),
    [
        ("initiated", False, False),
        ("connected", False, True),
        ("disconnected", True, True),
        ("completed", True, True),
        ("unanswered-disconnected", True, False),
        ("unanswered-completed", True, False),
    ],
)
def test_contact_events_tell_of_the_contact_of_the_flow(name: str, ended: bool, answered: bool) -> None:
    report = parse_report(load_event("connect/flow-answered.json"))
    assert report is not None
    event = load_event(f"connect/contact-{name}.json")
    is_repeat = name.endswith("completed")
    found = parse_contact_event(event)
    assert found is not None
    assert found == ContactEvent(report.contact_id, ended, answered, found.at_msec, is_repeat)
    assert (found.at_msec is not None) == ended


def _with_more(value: Any) -> Any:
    """The same with members that nobody knows, at every depth."""
    if isinstance(value, dict):
        return {**{name: _with_more(inner) for name, inner in value.items()}, "NewMember": {"of": ["a", {"later": 1}]}}
    return [_with_more(inner) for inner in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("connect/")])
def test_members_that_nobody_knows_change_nothing(name: str) -> None:
    event = load_event(name)
    parse: Any = parse_contact_event if name.startswith("connect/contact-") else parse_report
    if name in ("connect/flow-called-back.json", "connect/flow-opt-out.json"):
        parse = parse_asked
    assert parse(event) is not None
    assert parse(_with_more(event)) == parse(event)


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged(draw: st.DrawFn, name: str) -> Any:
    """An event of ours in which something stands in the place of one of its parts, at any depth."""
    event: Any = load_event(name)
    if draw(st.integers(0, 9)) == 0:
        return draw(anything)
    place = event
    while True:
        key = draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or not place[key] or draw(st.integers(0, 3)) == 0:
            break
        place = place[key]
    if draw(st.booleans()):
        del place[key]
    else:
        place[key] = draw(anything)
    return event


@settings(max_examples=100)
@given(damaged("connect/flow-key.json"), damaged("connect/contact-disconnected.json"))
def test_whatever_stands_in_an_event_reading_it_raises_nothing(flow: Any, contact: Any) -> None:
    report, told = parse_report(flow), parse_contact_event(contact)
    # And what is read can be asked of a table or of Connect: no id is longer or stranger than those of ours
    assert report is None or (report.mid.isdecimal() and len(report.mid) <= 19 and 0 <= report.attempt <= 999)
    assert told is None or (told.contact_id.isascii() and 0 < len(told.contact_id) <= 256)


@pytest.mark.parametrize("command", ["dial", "ask", "hang_up", "look_up"])
def test_the_state_machine_gives_commands(command: str) -> None:
    event = load_event(f"stepfunctions/control-call-{command.replace('_', '-')}.json")
    assert event["command"] == command
    assert event["mid"] == MID
    assert event["attempt"] == 1
    assert ("menu" in event) == (command in {"ask", "look_up"})
    assert ("token" in event) == (command != "look_up")  # a look-up is answered at once


def test_a_call_is_finished_by_its_machine_or_by_the_news_of_its_death() -> None:
    finished, died = load_event("stepfunctions/finish-call.json"), load_event("stepfunctions/execution-failed.json")
    assert finished["mid"] == MID
    assert finished["attempt"] == 1
    assert End(finished["end"]) == End.COMPLETED
    assert parse_holder(died["detail"]["name"]) == (MID, 1)
    assert died["detail"]["status"] in {"FAILED", "TIMED_OUT", "ABORTED"}


def test_the_prompt_queues_event_names_a_menu_of_the_message() -> None:
    (record,) = load_event("sqs/prompt.json")["Records"]
    assert read_job(record) == PromptJob(MID, 0, 1, record["receiptHandle"])
