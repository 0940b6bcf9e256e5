"""docs/webhooks.md: its receiver runs, its test vectors are right, its words are those of the code."""

import re
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from http.server import HTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from standardwebhooks import Webhook

from local.cloud.seed import WEBHOOK_SECRET
from speechcall.menus.rules.menu import Webhook as WebhookAction
from speechcall.webhooks.rules.webhook import webhook_request
from tests.kit.samples import MESSAGE
from tests.unit.test_webhook_secrets import Bench

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "webhooks.md").read_text(encoding="utf-8")
OLD = "whsec_b2xkLW9sZC1vbGQtb2xkLW9sZC1vbGQtb2xkLTMyISE="
VECTORS = re.findall(r"^\| `(\d+-\S+)` \| `(\d+)` \| `(\{.*\})` \| `(v1,[^`]+)` \|$", PAGE, re.MULTILINE)


def row(name, timestamp, body, *secrets):
    moment = datetime.fromtimestamp(int(timestamp), UTC)
    signed = " ".join(Webhook(secret).sign(name, moment, body) for secret in secrets)
    return f"| `{name}` | `{timestamp}` | `{body}` | `{signed}` |"


def test_the_test_vectors_are_what_the_standards_own_library_signs():
    assert len(VECTORS) == 4
    for name, timestamp, body, signatures in VECTORS:
        secrets = [WEBHOOK_SECRET, OLD][: len(signatures.split())]
        expected = row(name, timestamp, body, *secrets)
        assert expected in PAGE, expected
    assert any(len(signatures.split()) == 2 for *_, signatures in VECTORS)


def test_the_first_test_vector_is_what_the_product_sends():
    name, timestamp, body, signature = VECTORS[0]
    bench = Bench()
    bench.rotate(WEBHOOK_SECRET)
    hook = WebhookAction("https://x.example/", '{"confirm":true}')
    message = replace(MESSAGE, recipient="+380671234567", mid=name.partition("-")[0])
    request = bench.signer("acme", webhook_request(message, hook, name, int(timestamp)))
    assert request.body.decode() == body
    assert dict(request.headers)["webhook-signature"] == signature


def test_every_word_for_what_was_in_the_way_is_told():
    sources = [
        ROOT / "layers/core/speechcall" / name for name in ("webhooks/adapters/sender.py", "webhooks/rules/delivery.py")
    ]
    known = set(re.findall(r'"([A-Z]+(?:_[A-Z]+)+|TIMEOUT)"', "\n".join(path.read_text() for path in sources)))
    known.remove("TOO_LONG")  # of an answer to a lookup: docs/behaviour.md has it
    section = PAGE.partition("## What was in the way")[2].partition("\n## ")[0]
    assert set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+|TIMEOUT)`", section)) == known


@pytest.fixture
def receiver():
    """The page's own receiver, as it stands there."""
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len([line for line in code.splitlines() if line and not line.startswith(("from", "import"))]) <= 10
    names: dict[str, Any] = {"SECRET": WEBHOOK_SECRET, "confirmed": {}}
    exec(code, names)
    names["Receiver"].log_message = lambda *_: None
    server = HTTPServer(("127.0.0.1", 0), names["Receiver"])
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", names["confirmed"]
    server.shutdown()
    server.server_close()


def test_the_receiver_of_the_page_takes_what_is_ours_once_and_nothing_else(receiver):
    url, confirmed = receiver
    bench = Bench()
    bench.rotate(OLD)
    bench.rotate(WEBHOOK_SECRET)
    request = bench.sign(now_sec=int(time.time()))
    headers = dict(request.headers)

    def post(body=request.body, **changed):
        sent = {**headers, **{name.replace("_", "-"): value for name, value in changed.items()}}
        return httpx.post(url, content=body, headers=sent, trust_env=False, timeout=10).status_code

    assert post() == 204
    assert post() == 204
    assert list(confirmed.items()) == [(headers["webhook-id"], {"confirm": True})]
    assert post(request.body.replace(b"true", b"false")) == 401
    assert post(webhook_id="another") == 401
    assert post(webhook_timestamp=str(int(time.time()) - 600)) == 401
    assert len(confirmed) == 1
