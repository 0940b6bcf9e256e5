"""Webhooks over the whole service: given up, listed, sent again by the API and by the command."""

import json
import subprocess
import sys
import time
from typing import Any

import boto3
import httpx
from standardwebhooks import Webhook

from local.cloud import seed
from local.network.shared.scripted_callees import Script, answer, press
from tests.e2e.conftest import HANGUP, Client, finished, menu, message, running, webhook
from tests.e2e.test_main_job import webhooks_of

AUTH = (seed.USER, seed.PASSWORD)


def command(cloud, *arguments):
    program = [sys.executable, "-m", "cli.main", *arguments, "--local", "--port", cloud.url.rsplit(":", 1)[1]]
    return subprocess.run(program, capture_output=True, check=True, text=True, timeout=60).stdout


def verified(request, secret):
    Webhook(secret).verify(request.body, dict(request.headers))
    return dict(request.headers)["webhook-id"]


def test_what_was_given_up_is_listed_and_sent_again_under_the_same_id():
    with running(Script([answer(), press("#")])) as cloud:
        cloud.receiver.answer_with(410)
        actions = [webhook({"n": number}) for number in range(2)]
        (mid,) = Client(cloud.url).send([message(menu(**{"d#": [*actions, HANGUP]}))])
        finished(cloud, mid)
        hooks = webhooks_of(cloud, mid, "failed")
        ids = [hook["webhookId"] for hook in hooks]
        listed = json.loads(command(cloud, "webhook", "list", "--account", seed.ACCOUNT_ID, "--json"))
        assert [row["id"] for row in listed] == ids
        # When the receivers are well again
        cloud.receiver.answer_with(200)
        url = f"{cloud.url}/bat/message/{mid}/webhooks/replay"
        one = httpx.post(url, params={"webhookId": ids[0]}, auth=AUTH, timeout=30)
        assert one.status_code == 202
        assert one.json() == {"messageId": mid, "replayed": ids[:1]}
        all_of_them = command(cloud, "webhook", "replay", "--account", seed.ACCOUNT_ID, "--since", "1h")
        assert all_of_them.split() == ids[1:]
        hooks = webhooks_of(cloud, mid, "delivered")
        assert [[attempt["status"] for attempt in hook["attempts"]] for hook in hooks] == [[410, 200]] * 2
        received = cloud.receiver.wait_for(4, 20, mid)
        assert sorted(verified(request, seed.WEBHOOK_SECRET) for request in received) == sorted(ids * 2)
        assert httpx.post(url, auth=AUTH, timeout=30).json()["replayed"] == []
        assert httpx.post(url, auth=("x", "y"), timeout=30).status_code == 401
        assert httpx.post(f"{url}?webhookId=1", auth=AUTH, timeout=30).status_code == 404


def test_a_step_of_the_state_machine_that_runs_twice_is_one_webhook():
    with running(Script([answer(), press("1")])) as cloud:
        (mid,) = Client(cloud.url).send([message(menu(d1=[webhook(), HANGUP]))])
        finished(cloud, mid)
        (hook,) = webhooks_of(cloud, mid, "delivered")
        # Given the same step once more, at once, and after the queue has forgotten its name
        sqs, url = boto3.client("sqs"), cloud.template.ref("WebhookQueue")
        step = {"mid": mid, "attempt": 1, "seq": 2, "menu": 0, "key": "d1", "step": 0, "event_id": hook["webhookId"]}
        for name in (hook["webhookId"], "forgotten"):
            body = json.dumps(step)
            sqs.send_message(QueueUrl=url, MessageBody=body, MessageGroupId=mid, MessageDeduplicationId=name)
        # When the function has seen it
        names: Any = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        deadline = time.monotonic() + 30
        while any(int(n) for n in sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"].values()):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        # Then nothing was sent
        assert len(cloud.receiver.requests(mid)) == 1
        assert webhooks_of(cloud, mid, "delivered") == [hook]
