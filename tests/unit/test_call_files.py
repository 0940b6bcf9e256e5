"""A call as a file: what it holds, who gets it, and that the calls in it run once more to the same end."""

import json
from dataclasses import replace
from random import Random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from cli.call_replay import read_call_file, replay_calls
from cli.main import app
from speechcall.accounts.rules.account import Account
from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.accounts import Credential
from speechcall.menus.rules.introduction import Audio, Part, Pause, name_of_parts
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu, OptOutStep, Webhook
from speechcall.menus.rules.speech import Say
from speechcall.menus.rules.written_menus import written_menus
from speechcall.messages.rules.message import State
from speechcall.requests.use_cases.read_messages import check_message, to_menus
from speechcall.shared.rules.errors import CallNotOver, InvalidRequest, NotFound, NotSignedHere, ScopeRequired
from speechcall.shared.rules.json_text import dump_json, parse_json
from speechcall.status.adapters.call_signer import public_jwk, raw_signature
from speechcall.status.use_cases.call_file import call_file, content_of, public_keys
from tests.kit.command_line import CliRunner
from tests.kit.made_calls import name_of, random_history, written
from tests.kit.samples import MESSAGE, MID

pytestmark = pytest.mark.slow

ACME = Account(MESSAGE.account_id, ("*",))
READS = Credential(ACME.account_id, "", scopes=frozenset({Scope.READ}))
MANAGES = READS._replace(scopes=frozenset({Scope.READ, Scope.MANAGE}))


@pytest.fixture
def file(tmp_path):
    def write(content):
        made = tmp_path / "call.jws"
        made.write_bytes(content if isinstance(content, bytes) else written(content))
        return made

    return write


def test_two_hundred_calls_by_chance_run_once_more_to_the_same_steps_and_webhooks(file):
    random = Random(20)
    webhooks = 0
    for _ in range(200):
        history, went = random_history(random)
        found = replay_calls(read_call_file(file(content_of(history))))
        assert found.differences == (), f"{history.message.menus}\n{found}"
        assert tuple(step.menu for step in found.steps[1:]) == went.menus[: len(found.steps) - 1]
        assert found.webhooks == tuple(map(name_of, went.webhooks))
        webhooks += len(found.webhooks)
    assert webhooks > 50


def a_content():
    """Of a call in which a key was pressed that sends a webhook."""
    random = Random(3)
    while True:
        history, went = random_history(random)
        if went.webhooks and len(went.menus) > 1:
            return json.loads(dump_json(content_of(history)))


def _other_menus(content):
    for menu in content["menu"]:
        menu["dtmfActions"] = {}
        menu.pop("input", None)


def _another_key(content):
    content["calls"][0]["log"][1] |= {"menu": 19}


def _something_else_followed(content):
    content["calls"][0]["log"][0]["then"] = {"kind": "end"}


def _a_webhook_more(content):
    content["webhooks"].append("250400364846566651-1-9-m0-d1-0")


def _a_webhook_less(content):
    content["webhooks"].pop()


@pytest.mark.parametrize("change", [_other_menus, _something_else_followed, _a_webhook_more, _a_webhook_less])
def test_what_does_not_follow_from_the_menus_is_told(file, change):
    content = a_content()
    assert replay_calls(content).differences == ()
    change(content)
    result = CliRunner().invoke(app, ["call", "replay", str(file(content))])
    assert result.exit_code == 1
    assert "differs: " in result.output


def test_a_call_that_begins_without_an_answer_is_not_the_same():
    """Its first entry is a key in the first menu: before anybody has answered, nothing was asked."""
    content = a_content()
    call = content["calls"][0]
    key = next(one for one in call["log"] if one["menu"] == 0)
    seen = replay_calls({**content, "calls": [{**call, "log": [{**key, "seq": 1}]}], "webhooks": []})
    assert seen.steps == ()
    assert seen.differences == (f"call {call['attempt']}: what was heard at 1 was not asked",)


@pytest.mark.parametrize(
    "given",
    [b"", b"a.b", b"a.b.c", b"e30.e30.e30", b"\xff.\xff.\xff", {"v": 2}, {"v": 1}, {"v": 1, "menu": []}],
)
def test_what_is_no_file_of_a_call_is_refused(file, given):
    result = CliRunner().invoke(app, ["call", "replay", str(file(given))])
    assert result.exit_code == 3
    assert "UNREADABLE_CALL: " in result.output


@pytest.mark.parametrize(
    "damage",
    [
        _another_key,
        lambda content: content.update(calls=7),
        lambda content: content["calls"][0].update(limits={}),
        lambda content: content["calls"][0]["log"][0].update(event="sneezed"),
        lambda content: content["calls"][0]["log"][0].update(then=None),
        lambda content: content["menu"][0].update(introUrl="ftp://x"),
    ],
)
def test_a_content_that_cannot_be_run_is_refused(file, damage):
    content = a_content()
    damage(content)
    result = CliRunner().invoke(app, ["call", "replay", str(file(content))])
    assert (result.exit_code, "UNREADABLE_CALL: " in result.output) == (3, True)


def test_a_file_holds_no_number_and_no_value_of_a_header():
    webhook = Webhook("https://shop.example/x", '{"price":1.10}', {"X-Token": "very-secret"})
    history, _ = random_history(Random(1))
    menus = (history.message.menus[0]._replace(actions={"d1": (webhook,)}),)
    text = dump_json(content_of(replace(history, message=replace(history.message, menus=menus))))
    assert MESSAGE.number.removeprefix("+") not in text
    assert "very-secret" not in text
    assert '"headers":{"X-Token":"(hidden)"}' in text
    assert '"price":1.10' in text
    assert json.loads(text)["to"] == f"{MESSAGE.number[:4]}…{MESSAGE.number[-2:]}"


def test_menus_are_written_as_a_request_writes_them():
    spoken = Say("Hello", "en-GB", "Amy")
    digits = tuple(Audio(f"uk_{digit}") for digit in "4071")
    play: tuple[Part, ...] = (Audio("https://shop.example/1"), Pause(300), spoken, *digits, Audio("thanks"))
    menus = (
        Menu(name_of_parts(play), 4000, {"silence": (Hangup(),), "d*": (OptOutStep("news"), GotoMenu(1))}, None, play),
        Menu(spoken.name, 5000, {"wrong": (OptOutStep(""),)}, spoken),
    )
    written = written_menus(menus)
    assert len(written[0]["play"]) == 5
    message = {"from": "a", "to": "+380671234567", "text": "ivr", "type": "speechcall", "menu": written}
    model, problems = check_message(parse_json(dump_json(message).encode()), "message")
    assert problems == []
    assert to_menus(model) == menus


# ------------------------------------------------------------------ who gets it
class Store:
    def __init__(self, history):
        self.history = history

    def read(self, mid):
        return self.history if mid == MID else None


class Files(dict[tuple[str, str], str]):
    def find(self, mid, form):
        return self.get((mid, form))

    def keep(self, mid, form, text, expires_at):
        return self.setdefault((mid, form), text)


class Signer:
    is_there = True
    signed = 0

    def sign(self, content):
        self.signed += 1
        return f"{self.signed}.{content.decode()}"

    def known_keys(self):
        return [{"kid": "a"}]


def ask(history, credential=READS, query=None, files=None, signer=None):
    means: Any = {"store": Store(history), "files": Files() if files is None else files, "signer": signer or Signer()}
    return call_file(ACME, credential, MID, query or {}, **means)


def test_a_file_is_signed_once_for_each_form():
    history, _ = random_history(Random(2))
    files, signer = Files(), Signer()
    answers = [ask(history, MANAGES, {"number": form}, files, signer) for form in ("masked", "full") * 2]
    assert answers[:2] == answers[2:]
    assert signer.signed == 2
    assert MESSAGE.number not in answers[0]
    assert MESSAGE.number in answers[1]
    assert public_keys(signer) == {"keys": [{"kid": "a"}]}


def test_what_cannot_be_had_is_refused():
    history, _ = random_history(Random(2))
    calling = replace(history, message=replace(history.message, state=State.CALLING))
    with pytest.raises(CallNotOver):
        ask(calling)
    with pytest.raises(ScopeRequired):
        ask(history, query={"number": "full"})
    with pytest.raises(InvalidRequest):
        ask(history, query={"number": "some"})
    with pytest.raises(NotFound):
        ask(None)
    unable = Signer()
    unable.is_there = False
    with pytest.raises(NotSignedHere):
        ask(history, signer=unable)
    # What was signed before stays.
    assert ask(history, files=Files({(MID, "masked"): "kept"}), signer=unable) == "kept"


# ------------------------------------------------------------------ the signature's bytes
@pytest.mark.parametrize("numbers", [(1, 2), (1 << 255, (1 << 256) - 1), (127, 128), (1 << 247, 1 << 248)])
def test_a_signature_is_its_two_numbers_of_32_bytes_each(numbers):
    raw = raw_signature(encode_dss_signature(*numbers))
    assert (int.from_bytes(raw[:32]), int.from_bytes(raw[32:]), len(raw)) == (*numbers, 64)


@pytest.mark.parametrize("der", [b"\x30\x00", b"\x30\x06\x02\x01\x01\x03\x01\x01", b"\x31\x06\x02\x01\x01\x02\x01\x01"])
def test_other_bytes_are_no_signature(der):
    with pytest.raises((ValueError, IndexError)):
        raw_signature(der)


def test_a_key_that_is_not_of_this_curve_is_refused():
    with pytest.raises(ValueError, match="P-256"):
        public_jwk(b"\x30" * 91)
