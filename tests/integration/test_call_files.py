"""GET /bat/message/{messageId}/call and GET /keys.json: a file that anybody can verify, by the lines of the page."""

import json
import re
import sys
from pathlib import Path

import boto3
import pytest
from cryptography.exceptions import InvalidSignature

from cli.call_replay import read_call_file, replay_calls
from cli.main import app
from speechcall.calls.adapters.calls_store import DynamoCalls
from speechcall.calls.rules.call import Cause
from speechcall.menus.rules.call_log import ANSWERED, KEY, Entry, Plan, follows
from speechcall.menus.rules.walk import table_of
from speechcall.messages.rules.pool import Pool
from speechcall.shared.rules.outcome import Outcome
from speechcall.status.adapters.call_files_store import DynamoCallFiles
from speechcall.status.adapters.call_signer import KmsCallSigner
from tests.kit.command_line import CliRunner
from tests.kit.http_api import NUMBER, specification
from tests.kit.samples import ASK, CALL, NOW

PAGE = (Path(__file__).parents[2] / "docs" / "call-files.md").read_text(encoding="utf-8")
(VERIFIER,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def a_call(api, keys=("d1",)):
    """A message that was called, and in whose menu these keys were pressed."""
    answer = api.post({"messages": [specification("simple")["messages"][0]]}).json
    mid = answer["messages"][0]["messageId"]
    api.messages.queue(api.messages.get(mid), (ASK,), NOW)
    api.messages.claim_line(api.messages.get(mid), "arn:flow", Pool(1000, 1000), NOW + int(mid) % 1_000_000)
    menus = api.messages.get(mid).menus
    plan = Plan(table_of(menus), 50, NOW + 900_000, 2)
    calls = DynamoCalls(boto3.client("dynamodb"), api.tables[0])
    calls.open(CALL._replace(mid=mid, plan=plan), NOW // 1000 + 9)
    log = []
    for number, key in enumerate(("", *keys)):
        menu = log[-1].then.menu if log else None
        event, at = (KEY, NOW + 3000 + number) if key else (ANSWERED, NOW + 2000)
        entry = Entry(number + 1, menu, event, key, at, follows(plan, log, menu, event, key, at))
        calls.append(mid, 1, "contact", entry)
        log.append(entry)
    calls.end(mid, 1, Cause.CALLER_HUNG_UP, NOW + 7000)
    return mid


def finish(api, mid):
    assert api.messages.finish(api.messages.get(mid), Outcome("answered", "completed"), NOW + 8000)


def verified(folder, text, keys, monkeypatch, capsys):
    """What the page's lines print of a file."""
    (folder / "call.jws").write_text(text, encoding="utf-8")
    (folder / "keys.json").write_text(json.dumps(keys), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["verify.py", str(folder / "call.jws"), str(folder / "keys.json")])
    capsys.readouterr()
    exec(compile(VERIFIER, "verify.py", "exec"), {})  # the page's own lines
    return capsys.readouterr().out


def test_the_file_of_a_message_is_verified_by_the_lines_of_the_page(api, tmp_path, monkeypatch, capsys):
    mid = a_call(api)
    early = api.get(f"/bat/message/{mid}/call")
    assert (early.status, early.json["error"]["code"]) == (409, "CALL_NOT_OVER")
    finish(api, mid)
    answer = api.get(f"/bat/message/{mid}/call")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "application/jose")
    assert api.get(f"/bat/message/{mid}/call").text == answer.text
    assert api.get(f"/bat/message/{mid}/call", user="other").status == 404
    keys = api.get("/keys.json").json
    content = json.loads(verified(tmp_path, answer.text, keys, monkeypatch, capsys))
    assert content["messageId"] == mid
    assert NUMBER not in json.dumps(content)
    assert [one["key"] for one in content["calls"][0]["log"]] == [None, "d1"]
    whole = json.loads(
        verified(tmp_path, api.get(f"/bat/message/{mid}/call?number=full").text, keys, monkeypatch, capsys)
    )
    assert whole == content | {"to": NUMBER}
    # Nothing was sent here, so that what follows from the key is a difference.
    found = replay_calls(read_call_file(tmp_path / "call.jws"))
    assert [step.heard for step in found.steps] == ["answered", "d1"]
    assert found.differences == tuple(f"{name} follows, and was not sent" for name in found.webhooks)


def test_a_changed_byte_fails(api, tmp_path, monkeypatch, capsys):
    mid = a_call(api)
    finish(api, mid)
    text, keys = api.get(f"/bat/message/{mid}/call").text, api.get("/keys.json").json
    assert verified(tmp_path, text, keys, monkeypatch, capsys)
    signature = range(text.rindex("."), len(text))
    for place in {*range(0, len(text), 23), *signature}:
        for other in {"A", "B", ".", "\n"} - {text[place]} if place in signature else {"A", "B"} - {text[place]}:
            changed = text[:place] + other + text[place + 1 :]
            with pytest.raises((InvalidSignature, ValueError, AssertionError, KeyError, AttributeError, TypeError)):
                verified(tmp_path, changed, keys, monkeypatch, capsys)


def test_the_command_shows_a_file_and_what_the_page_says(api, tmp_path, monkeypatch):
    mid = a_call(api)
    finish(api, mid)
    (tmp_path / "call.jws").write_text(api.get(f"/bat/message/{mid}/call").text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shown = CliRunner().invoke(app, ["call", "show", "call.jws"])
    assert json.loads(shown.output)["messageId"] == mid
    replayed = CliRunner().invoke(app, ["call", "replay", "call.jws", "--json"])
    assert [step["seq"] for step in json.loads(replayed.output)["steps"]] == [1, 2]


def test_of_two_that_sign_at_the_same_time_the_first_file_counts(api):
    files = DynamoCallFiles(boto3.client("dynamodb"), api.tables[0])
    assert files.find("7", "masked") is None
    assert files.keep("7", "masked", "one", NOW) == "one"
    assert files.keep("7", "masked", "two", NOW) == "one"
    assert files.keep("7", "full", "two", NOW) == "two"


def test_a_key_that_has_signed_is_told_when_another_signs_or_none(api):
    kms, stores = boto3.client("kms"), (boto3.client("dynamodb"), api.tables[1])
    ids = [kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"] for _ in range(2)]
    before, after = (KmsCallSigner(lambda: kms, one, *stores) for one in ids)
    before.sign(b"{}")
    (old,) = before.known_keys()
    new = after.known_keys()[0]
    assert old != new
    assert sorted(one["kid"] for one in after.known_keys()) == sorted((old["kid"], new["kid"]))
    assert {one["kid"] for one in KmsCallSigner(lambda: kms, "", *stores).known_keys()} == {old["kid"], new["kid"]}
