"""A message can be followed through the log: one filter by its `mid` tells its story, also where things go wrong."""

import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest

from local.cloud.handler_output import logging_to
from tests.integration.test_no_outcome_is_missing import HOURS, calls_of, once, some_of
from tests.kit.outcomes.cloud import VirtualCloud, running_cloud
from tests.kit.outcomes.faults import Plan, planned
from tests.kit.outcomes.story import NUMBERS, Story

WEBHOOK_ID = re.compile(r"\d{10,}-\d+-\d+-m\d+-\w+-\d+")
SECRETS = [*NUMBERS.values(), *(number.removeprefix("+") for number in NUMBERS.values()), "example/", '"who"', "whsec_"]
"""Telephone numbers, what is behind the host of a URL, a webhook's body, a signing secret."""


def logged(story: Story, plan: Plan) -> list[dict[str, Any]]:
    """The lines of a story's functions, in order; without the metrics, which are about no message."""
    log = io.StringIO()
    story.begin()
    with planned(plan), logging_to(log):
        assert story.violations(HOURS) == []
    lines = [json.loads(line) for line in log.getvalue().splitlines() if line.startswith("{")]
    return [line for line in lines if "_aws" not in line]


@dataclass
class Whole:
    """A story of which nothing is wrong, and its log."""

    cloud: VirtualCloud
    mid: str
    plan: Plan
    lines: list[dict[str, Any]]


@pytest.fixture(scope="module")
def whole() -> Iterator[Whole]:
    """The victim is busy at first; one of its webhooks is refused once, and one is replayed at the end."""
    with running_cloud("connect") as cloud:
        story, plan = Story(cloud), Plan()
        lines = logged(story, plan)
        yield Whole(cloud, story.messages()["victim"]["mid"]["S"], plan, lines)


def of_webhook(lines: list[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    return [line for line in lines if line.get("webhook_id", "").endswith(path)]


def test_the_log_tells_a_messages_story_from_its_acceptance_to_its_last_webhook(whole):
    lines, mid = whole.lines, whole.mid
    mine = [line for line in lines if line.get("mid") == mid]
    # Nothing about it is anywhere else
    assert [line for line in lines if mid in json.dumps(line) and line not in mine] == []
    told = [(line["message"], line.get("attempt")) for line in mine if line["message"] != "webhook"]
    assert list(dict.fromkeys(told)) == [  # it waits for two prompts, and the news of an end may come twice
        ("message accepted", None),
        ("message waits for a prompt", None),
        ("message queued", None),
        ("call started", 1),
        ("call ended", 1),
        ("call finished", 1),
        ("call started", 2),
        ("call ended", 2),
        ("call finished", 2),
    ]
    assert {line["account"] for line in mine if "account" in line} == {"acme"}
    # And of each webhook it says every attempt, what came of it, and when the next one is
    webhooks = [line for line in mine if line["message"] == "webhook"]
    assert [line for line in webhooks if not {"webhook_id", "result"} <= set(line)] == []
    webhooks = [line for line in webhooks if "-m" in line["webhook_id"]]  # of keys, not of what became of the message
    assert [line for line in webhooks if "attempt" not in line] == []
    assert {line["attempt"] for line in webhooks} == {2}
    refused, delivered = of_webhook(webhooks, "m0-d1-1")
    assert refused["result"] == "retried"
    assert refused["webhook_attempt"] == 1
    assert delivered["webhook_attempt"] == 2
    assert refused["status"] >= 500
    assert delivered["result"] == "delivered"
    assert delivered["status"] == 200
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}\.\d{3}Z", refused["next_attempt_at"])
    assert "next_attempt_at" not in delivered
    assert refused["destination"] == "https://victim.example"
    last = of_webhook(webhooks, "m1-d1-0")
    assert [(line["result"], line.get("webhook_attempt")) for line in last] == [
        ("delivered", 1),
        ("replayed", None),
        ("delivered", 2),
    ]
    assert mine[-1] == last[-1]
    # And never more than names
    text = json.dumps(lines)
    assert [secret for secret in SECRETS if secret in text] == []


def test_whatever_fails_each_line_about_a_message_has_its_names_in_fields(whole):
    story = Story(whole.cloud, seed=2)
    failing = once(some_of(calls_of(whole.plan.seen), Random(2)))(story)
    lines = logged(story, failing)
    assert len(failing.failed) > 10
    assert any(line["level"] == "ERROR" for line in lines)
    for name in story.names:
        mid = story.messages()[name]["mid"]["S"]
        assert [line for line in lines if mid in json.dumps(line) and line.get("mid") != mid] == []
    about_webhooks = [line for line in lines if WEBHOOK_ID.search(json.dumps(line)) or "webhook" in line["message"]]
    assert [line for line in about_webhooks if "webhook_id" not in line] == []
    assert [line for line in about_webhooks if "mid" not in line and not line["webhook_id"].endswith("-list")] == []
    of_keys = [line for line in about_webhooks if "-m" in line["webhook_id"]]
    assert [line for line in of_keys if "attempt" not in line] == []
    assert [secret for secret in SECRETS if secret in json.dumps(lines)] == []
