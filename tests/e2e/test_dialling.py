"""A backlog through few lines with real calls: three dialers at once, an operator who watches and changes the pool."""

import json
import threading
from collections import Counter
from contextlib import contextmanager

import boto3
import pytest

from cli.main import app
from local.network.shared.scripted_callees import Script, answer, busy, hang_up, no_answer, press
from tests.e2e.conftest import HANGUP, Client, menu, message, running, webhook
from tests.kit.command_line import CliRunner

DIALERS = 3
CALLEES = {
    "answered": Script([answer(0), press("1", after=0.05)]),
    "busy": Script([busy()]),
    "noAnswer": Script([no_answer()]),
    "gone": Script([answer(0), hang_up(0.05)]),
}


def callee(number):
    """Who answers a number: it says so itself."""
    return list(CALLEES.values())[int(number) % len(CALLEES)]


@contextmanager
def dialers_at_once(cloud):
    """Three copies of the dialer, again and again, beside those that the stream and the clock wake."""
    stopping, function = threading.Event(), cloud.template.functions["DialerFunction"].arn

    def dial():
        while not stopping.wait(0.05):
            cloud.functions.invoke(function, {"source": "aws.events"})

    threads = [threading.Thread(target=dial) for _ in range(DIALERS)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def most_live(entries):
    """How many calls were live at once, from the first ring to the end."""
    live = most = 0
    for entry in entries:
        live += (entry["kind"] == "dialled") - (entry["kind"] == "ended")
        most = max(most, live)
    return most


def flow_through(count, lines):
    """Send so many messages to a paused pool, open it, and watch them go."""
    carrier = {"caller_for": callee, "concurrent_calls": lines, "no_answer_seconds": 0.5}
    parameters = {"Lines": str(lines), "CallsPerSecond": "50"}
    with running(parameters=parameters, carrier=carrier) as cloud:

        def operator(*arguments):
            result = CliRunner().invoke(app, [*arguments, "--local", "--port", cloud.url.rsplit(":", 1)[1]])
            assert result.exit_code == 0, result.output
            return result.output

        operator("pool", "set", "--lines", "0")
        menus = menu(d1=[webhook(), HANGUP])
        sent, lists = [], []
        for first in range(0, count, 100):
            numbers = range(first, min(first + 100, count))
            accepted = Client(cloud.url).post([message(menus, to=f"+38067{number:07}") for number in numbers]).json()
            sent += [one["messageId"] for one in accepted["messages"]]
            lists.append(accepted["messagelistId"])
        queued = {"kind": "state", "state": "queued"}
        for mid in sent:
            cloud.journal.wait_for(lambda entry, mid=mid: entry.items() >= {**queued, "mid": mid}.items(), 120)
        pool = json.loads(operator("pool", "show", "--json"))
        assert pool["waiting"] == count
        assert pool["inCalls"] == 0
        assert not [entry for entry in cloud.journal.entries() if entry["kind"] == "dialled"]
        with dialers_at_once(cloud):
            operator("pool", "set", "--as-deployed")
            watched = operator("list", "watch", *lists, "--interval", "0.2")
        entries = cloud.journal.entries()
        item = boto3.client("dynamodb").get_item(
            TableName=cloud.template.ref("RegistryTable"), Key={"pk": {"S": "POOL"}, "sk": {"S": "POOL"}}
        )["Item"]
    assert watched.splitlines()[-1].startswith(f"{count} of {count} done: ")
    ends = [entry for entry in entries if entry["kind"] == "state" and entry["state"] == "finished"]
    quarter = count // len(CALLEES)
    assert Counter(end["outcome"] for end in ends) == {"answered": 2 * quarter, "busy": quarter, "noAnswer": quarter}
    assert sorted(end["mid"] for end in ends) == sorted(sent)
    # Each message was dialled once, and never more of them at once than there are lines.
    assert Counter(entry["mid"] for entry in entries if entry["kind"] == "dialled") == Counter(sent)
    assert 1 < most_live(entries) <= lines
    assert not {"held", "numbers"} & set(item)
    assert [entry for entry in entries if entry["kind"] == "failure"] == []


def test_a_backlog_goes_through_few_lines_while_an_operator_watches():
    flow_through(20, lines=4)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_five_hundred_messages_through_twenty_lines_by_three_dialers():
    flow_through(500, lines=20)


def test_a_number_is_in_one_call_at_a_time_and_the_next_one_follows():
    with running(Script([answer(0), press("1", after=0.3)]), parameters={"Lines": "5"}) as cloud:
        mids = Client(cloud.url).send([message(menu(d1=[HANGUP]), to="+380671234567") for _ in range(2)])
        for mid in mids:
            cloud.journal.wait_for(
                lambda entry, mid=mid: entry["mid"] == mid and entry.get("state") == "finished", timeout=30
            )
        entries = cloud.journal.entries()
    assert most_live(entries) == 1
    assert Counter(entry["mid"] for entry in entries if entry["kind"] == "dialled") == Counter(mids)


def test_a_provider_that_asks_for_fewer_calls_puts_messages_off_and_fails_none():
    # Given a telephony of one call at once, and a pool that believes in three
    carrier = {"concurrent_calls": 1}
    with running(Script([answer(0), press("1", after=0.05)]), parameters={"Lines": "3"}, carrier=carrier) as cloud:
        mids = Client(cloud.url).send([message(menu(d1=[HANGUP]), to=f"+38067000000{n}") for n in range(2)])
        with dialers_at_once(cloud):
            for mid in mids:
                cloud.journal.wait_for(
                    lambda entry, mid=mid: entry["mid"] == mid and entry.get("state") == "finished", timeout=60
                )
        ends = [entry for entry in cloud.journal.entries() if entry.get("state") == "finished"]
    assert {(end["outcome"], end["reason"]) for end in ends} == {("answered", "completed")}
