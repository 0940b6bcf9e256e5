"""URLs of introductions through the real queue and functions, on moto: fetched once, and nobody waits in vain."""

import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.config import Config
from moto import mock_aws

from local.cloud.aws_services import LocalAws
from local.cloud.functions import FunctionHost
from local.cloud.providers.connect import INSTANCE_ARN
from local.cloud.simulated_providers import CALLER_ID
from local.cloud.template import TEMPLATE, read_template
from local.cloud.triggers.queues import QueueTrigger
from speechcall.menus.rules.menu import Hangup, Menu
from speechcall.messages.adapters.messages_store import DynamoMessages
from speechcall.messages.rules.message import State
from speechcall.outbound.adapters.http_clients import LOOPBACK, TOTAL_SECONDS
from speechcall.prompts.adapters.queue import GROUPS, PromptQueue, _group
from speechcall.prompts.use_cases import attempt_prompt, fetch_prompts
from speechcall.prompts.use_cases.prepare_prompts import Apart
from speechcall.shared.adapters.clock import SystemClock
from tests.kit.audio_files import Kind, file_of
from tests.kit.audio_host import audio_host
from tests.kit.samples import MESSAGE

JOB = {"attributes": {"ApproximateReceiveCount": "7"}, "receiptHandle": "h"}
MP3 = Kind("mp3", "libmp3lame", 24_000, 2)


class World:
    """The two functions that prepare introductions, their queue, and a host that has audio."""

    def __init__(self, audio):
        self.audio, self._numbers = audio, itertools.count(1)
        template = read_template(TEMPLATE, {"ConnectInstanceArn": INSTANCE_ARN, "CallerId": CALLER_ID})
        self._aws = LocalAws(template)
        self._aws.start()
        self._host = FunctionHost(template, {"WEBHOOK_RECEIVER": LOOPBACK})
        self._prepare = template.functions["PreparePromptsFunction"]
        fetcher = template.functions["FetchPromptFunction"]
        consumers = int(fetcher.environment["PROMPT_CONCURRENCY"])
        self.of_an_account = fetch_prompts.most_of_an_account(consumers)
        self.at_a_host = fetch_prompts.most_at_a_host(consumers)
        assert self.of_an_account < consumers
        environment = template.functions["DialerFunction"].environment
        tables = environment["MESSAGES_TABLE"], environment["REGISTRY_TABLE"]
        self.messages = DynamoMessages(boto3.client("dynamodb"), *tables)
        self._trigger = QueueTrigger(fetcher, fetcher.events[0], self._host.invoke)
        self._trigger.start()

    def stop(self):
        self._trigger.stop()
        self._aws.stop()

    def add(self, urls, account="acme"):
        """Messages as they were accepted just now, one for each URL; their ids."""
        now = SystemClock().now_msec()
        menus = [(Menu(url, 10_000, {"d1": (Hangup(),)}),) for url in urls]
        made = [
            replace(MESSAGE, mid=str(next(self._numbers)), created_msec=now, account_id=account, menus=one)
            for one in menus
        ]
        for start in range(0, len(made), 100):
            self.messages.add(made[start : start + 100])
        return [message.mid for message in made]

    def prepare(self, mids):
        """The table's stream, ten messages a batch, and several of its shards at once."""
        batches = [mids[start : start + 10] for start in range(0, len(mids), 10)]
        with ThreadPoolExecutor(8) as shards:
            for answer in shards.map(self._batch, batches):
                assert answer == {"batchItemFailures": []}

    def _batch(self, mids):
        keys = [{"pk": {"S": f"M#{mid}"}, "sk": {"S": "MESSAGE"}} for mid in mids]
        records = [{"dynamodb": {"Keys": key, "SequenceNumber": "1"}} for key in keys]
        return self._host.invoke(self._prepare.arn, {"Records": records})

    def wait(self, mids, state, seconds=30.0):
        """The messages, as soon as all are in a state."""
        deadline = time.monotonic() + seconds
        found = {}
        while waiting := [mid for mid in mids if mid not in found]:
            # The first that is waited for: to look at a thousand again and again would hold them up.
            message = self.messages.get(waiting[0])
            if message.state is state:
                found[message.mid] = message
                continue
            assert time.monotonic() < deadline, f"{len(waiting)} are not {state}, the first is {message.state}"
            time.sleep(0.1)
        return [found[mid] for mid in mids]


@pytest.fixture
def world():
    with audio_host() as audio:
        made = World(audio)
        yield made
        made.stop()


@pytest.fixture
def gate():
    """Opened, at the latest, when the test is over."""
    opened = threading.Event()
    yield opened
    opened.set()


def behind(gate, content):
    """A page that gives its content when the gate is opened."""

    def body():
        gate.wait(300)
        yield content

    return body


@pytest.mark.parametrize("count", [30, pytest.param(1000, marks=[pytest.mark.long, pytest.mark.timeout(600)])])
def test_messages_with_one_url_that_arrive_at_the_same_moment_fetch_it_once(world, gate, count):
    # Given a file that comes only when thirty messages have asked for it
    content = file_of(MP3)
    world.audio.put("/a.mp3", behind(gate, content), Content_Length=str(len(content)))
    mids = world.add([world.audio.url("/a.mp3")] * count)
    # When many arrive while it is under way (it may take ten seconds), and more when it is there
    world.prepare(mids[:30])
    gate.set()
    world.prepare(mids[30:])
    ready = world.wait(mids, State.QUEUED, seconds=500)
    # Then it was fetched once, and is one prompt
    assert world.audio.paths() == ["/a.mp3"]
    assert len({message.asks for message in ready}) == 1
    assert ready[0].asks[0].prompt_seconds == 2.0


def in_groups_of_their_own(audio, *names):
    """Paths that begin so, of which no two are in one group of an account's."""
    found = {}
    for name in names:
        paths = (f"/{name}{number}.wav" for number in itertools.count())
        path = next(one for one in paths if _group(of_urls(audio.url(one)), 0, Apart.NO) not in found)
        found[_group(of_urls(audio.url(path)), 0, Apart.NO)] = path
    return list(found.values())


def test_a_url_that_does_not_answer_delays_nobody_holds_no_line_and_is_told(world, gate, monkeypatch):
    monkeypatch.setattr(attempt_prompt, "RETRY_SECONDS", (1, 1))
    # Given a host that fails, one that does not answer yet, and one that is well
    # (each in another group of the account's, for of two in one the second waits for the first attempt at the other)
    to_dead, to_slow, to_good, to_gone = in_groups_of_their_own(world.audio, "dead", "slow", "good", "gone")
    world.audio.put(to_dead, b"", 503)
    world.audio.put(to_slow, behind(gate, file_of(MP3)), Content_Length=str(len(file_of(MP3))))
    world.audio.put(to_good, file_of(MP3))
    paths = [to_dead, to_slow, to_good, to_dead, to_gone, to_slow]
    dead, slow, good, also_dead, gone, also_slow = mids = world.add([world.audio.url(path) for path in paths])
    world.prepare(mids)
    # Then the good one is ready while the others are waited for, and what is gone has ended
    world.wait([good], State.QUEUED)
    (ended,) = world.wait([gone], State.FINISHED)
    assert world.messages.get(slow).state is State.PREPARING
    assert "answered 404" in ended.cause
    # Nobody has a line
    held = boto3.client("dynamodb").get_item(
        TableName=world.messages._registry, Key={"pk": {"S": "POOL"}, "sk": {"S": "POOL"}}
    )
    assert "held" not in held.get("Item", {})
    # What was slow is ready as soon as it comes
    gate.set()
    world.wait([slow, also_slow], State.QUEUED)
    assert world.audio.paths().count(to_slow) == 1
    # And the failure is told to both of its messages, after three attempts in all
    for message in world.wait([dead, also_dead], State.FINISHED):
        assert message.outcome == "promptUnavailable"
        assert message.reason == "promptUnavailable"
        assert message.cause == f"{world.audio.url(to_dead)} answered 503 (asked 3 times)"
    assert world.audio.paths().count(to_dead) == 3


def test_what_is_queued_names_no_url(world, gate):
    world.audio.put("/a.wav", behind(gate, b""))
    sent = []
    world._trigger.stop()
    world.prepare(world.add([f"{world.audio.url('/a.wav')}?signature=secret"]))
    queue = world._prepare.environment["PROMPT_QUEUE_URL"]
    sent = boto3.client("sqs").receive_message(QueueUrl=queue, MessageSystemAttributeNames=["All"])["Messages"]
    assert json.loads(sent[0]["Body"]) == {"mid": "1", "menu": 0}
    assert "secret" not in json.dumps(sent)


def test_hosts_that_hang_hold_up_no_other_account_and_no_other_host(world, gate):
    # Given an account with more URLs at two hosts that hang than the queue has consumers
    for number in range(11):
        world.audio.put(f"/{number}.wav", behind(gate, b""))
    urls = [world.audio.url(f"/{number}.wav", host) for host in ("127.0.0.1", "localhost") for number in range(11)]
    with audio_host() as other:
        other.put("/good.mp3", file_of(MP3))
        began = time.monotonic()
        world.prepare(world.add(urls))
        deadline = began + 20
        while len(world.audio.asked) < world.of_an_account:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        # When another account wants the audio of a third, then it is there, while those hang
        mids = world.add([other.url("/good.mp3")], "other")
        world.prepare(mids)
        world.wait(mids, State.QUEUED, seconds=60)
    # And all that while the first had no more than its share of the attempts, of ten seconds each
    rounds = 1 + int((time.monotonic() - began) // TOTAL_SECONDS)
    hosts = [headers["host"].partition(":")[0] for _, headers in world.audio.asked]
    assert len(hosts) <= world.of_an_account * rounds
    assert max(hosts.count("127.0.0.1"), hosts.count("localhost")) <= world.at_a_host * rounds


@pytest.fixture
def sent():
    """A queue, and what was sent to it: group and body."""
    with mock_aws():
        client: Any = boto3.client("sqs", "eu-central-1")
        attributes = {"FifoQueue": "true", "DeduplicationScope": "messageGroup"}
        url = client.create_queue(QueueName="prompts.fifo", Attributes=attributes)["QueueUrl"]

        def received():
            found = []
            names = ["MessageGroupId"]
            while answer := client.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, MessageSystemAttributeNames=names, VisibilityTimeout=0
            ).get("Messages"):
                for one in answer:
                    client.delete_message(QueueUrl=url, ReceiptHandle=one["ReceiptHandle"])
                    found.append((one["Attributes"]["MessageGroupId"], json.loads(one["Body"])))
            return found

        yield PromptQueue(client, url), received


def of_urls(*urls, account="acme", mid="1"):
    menus = tuple(Menu(url, 10_000, {}) for url in urls)
    return replace(MESSAGE, mid=mid, account_id=account, menus=menus)


def test_an_account_has_few_groups_however_many_urls_it_has(sent):
    queue, received = sent
    urls = [f"https://example.com/{number}.wav" for number in range(60)] * 2
    for number, url in enumerate(urls):
        queue.ask_for(of_urls(url, mid=str(number)), 0)
    queue.ask_for(of_urls(urls[0], account="other", mid="other"), 0)
    groups = {body["mid"]: group for group, body in received()}
    assert len(set(groups.values())) <= GROUPS + 1
    # A URL is in one of them, and no other account's is in it
    assert all(groups[str(number)] == groups[str(number + 60)] for number in range(60))
    assert groups["other"] not in {groups[str(number)] for number in range(120)}


def test_what_goes_apart_has_a_group_of_its_url_or_of_its_message(sent):
    queue, received = sent
    one, two = of_urls("https://a.example/", mid="1"), of_urls("https://a.example/", "https://b.example/", mid="2")
    for message, menu, apart in (
        (one, 0, Apart.URL),
        (two, 0, Apart.URL),
        (two, 1, Apart.URL),
        (two, 1, Apart.MESSAGE),
    ):
        queue.ask_for(message, menu, apart)
    found = {(body["mid"], body["menu"], body["apart"]): group for group, body in received()}
    first, second, third, fourth = found.values()
    assert list(found) == [("1", 0, "url"), ("2", 0, "url"), ("2", 1, "url"), ("2", 1, "message")]
    assert first == second
    assert len({first, third, fourth}) == 3


def test_every_url_of_a_message_is_asked_for_and_each_once(sent):
    queue, received = sent
    message = of_urls(*(f"https://example.com/{number}.wav" for number in range(12)))
    for menu in [*range(12), *range(12)]:
        queue.ask_for(message, menu)
    assert sorted(body["menu"] for _, body in received()) == list(range(12))


def test_a_job_of_which_nothing_can_be_recorded_leaves_its_group(sent):
    queue, received = sent
    records = [
        {"messageId": name, "body": json.dumps({"mid": name, "menu": 0, **apart}), **JOB}
        for name, apart in (("1", {}), ("2", {"apart": "url"}), ("3", {"apart": "message"}))
    ]

    def do(_job):
        raise ValueError("unforeseen")

    assert queue.work(records, do) == [{"itemIdentifier": "3"}]
    assert sorted(body["mid"] for _, body in received()) == ["1", "2"]


def test_what_is_no_job_is_dropped_and_a_job_that_cannot_be_put_off_comes_again_all_the_same(caplog):
    # Given a queue that does not answer
    config = Config(retries={"total_max_attempts": 1})
    session = boto3.Session("local", "local", region_name="eu-central-1")
    client = session.client("sqs", endpoint_url="http://127.0.0.1:1", config=config)
    queue, seen = PromptQueue(client, "http://127.0.0.1:1/1/prompts"), []
    good = {"body": '{"mid": "1", "menu": 0, "apart": "message"}', **JOB}
    strange = [
        {"body": body} for body in ("", "[]", "{", '{"mid": "1"}', "null", '{"mid": "1", "menu": 0, "apart": "x"}')
    ] + [{}, {**good, "attributes": {}}]
    records = [{"messageId": str(number), **one} for number, one in enumerate([*strange, good, good])]

    def do(job):
        seen.append((job.mid, job.attempt))
        if len(seen) == 1:
            raise ValueError("unforeseen")
        return 5

    assert queue.work(records, do) == [{"itemIdentifier": "8"}, {"itemIdentifier": "9"}]
    assert seen == [("1", 7)] * 2
    assert "comes again later" in caplog.text
