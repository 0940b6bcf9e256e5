"""What cannot be seen in a refused text is named, with its place."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.accounts.rules.account import Account
from speechcall.prompts.use_cases.manage_audio import begin_upload
from speechcall.requests.use_cases.accept_messages import check_messages
from speechcall.requests.use_cases.check_request import read_request
from speechcall.requests.use_cases.read_messages import check_message
from speechcall.shared.rules.characters import foreign, is_blank, lookalike, unseen
from speechcall.shared.rules.errors import InvalidRequest, RequestError
from tests.kit.samples import FakeClock
from tests.stores.lists import MemoryLists

HOOK = {"action": "webhook", "url": "https://api.example.com/callback"}
MENU = {"introUrl": "ivr_651854", "dtmfActions": {"d1": [HOOK]}}
MESSAGE = {"from": "BazarCOM", "to": "+380671234567", "text": "ivr", "type": "speechcall", "menu": [MENU]}
ZERO_WIDTH = "\u200b"


def message(**changes):
    return MESSAGE | changes


def menu(**changes):
    return message(menu=[{name: value for name, value in (MENU | changes).items() if value is not None}])


def action(**given_action):
    return menu(dtmfActions={"d1": [given_action]})


@pytest.mark.parametrize(
    ("to", "told"),
    [
        ("\u202a+380671234567\u202c", "character 1 is U+202A LEFT-TO-RIGHT EMBEDDING"),
        ("+380671234567\u202c", "character 14 is U+202C POP DIRECTIONAL FORMATTING"),
        ("+38\u00a0067\u00a01234567", "character 4 is U+00A0 NO-BREAK SPACE"),
        ("+38067\u200b1234567", "character 7 is U+200B ZERO WIDTH SPACE"),
        ("\ufeff+380671234567", "character 1 is U+FEFF ZERO WIDTH NO-BREAK SPACE"),
        ("+3８0671234567", "character 3 is U+FF18 FULLWIDTH DIGIT EIGHT"),
        ("＋380671234567", "character 1 is U+FF0B FULLWIDTH PLUS SIGN"),
        ("+٣80671234567", "character 2 is U+0663 ARABIC-INDIC DIGIT THREE"),
        ("+380671234567\n", "character 14 is U+000A LINE FEED"),
        ("+380671234567 ", "character 14 is U+0020 SPACE"),
        (" +380671234567", "character 1 is U+0020 SPACE"),
        ("+380\u2011671234567", "character 5 is U+2011 NON-BREAKING HYPHEN"),
        ("+380671234567\x00", "character 14 is U+0000 NULL"),
        ("+380671234567\x84", "character 14 is U+0084 (a control character)"),
        ("+380671234567\ue000", "character 14 is U+E000 (for private use)"),
        ("+380671234567\U000e0100", "character 14 is U+E0100 VARIATION SELECTOR-17"),
    ],
)
def test_a_number_that_looks_right_is_refused_with_what_is_wrong_in_it(to, told):
    (problem,) = check_message(message(to=to), "messages[0]")[1]
    expected = "must be a phone number in international format, such as +380671234567; "
    assert problem.code == "INVALID_RECIPIENT"
    assert problem.path == "messages[0].to"
    assert problem.message == expected + told


@pytest.mark.parametrize("to", ["12", "0671234567", "+38 067 123 45 67", "+38(067)1234567", "", "x" * 3000])
def test_what_is_plainly_no_number_is_told_as_before(to):
    (problem,) = check_message(message(to=to), "messages[0]")[1]
    assert problem.message == "must be a phone number in international format, such as +380671234567"


@pytest.mark.parametrize(
    ("entry", "place", "told"),
    [
        (message(type="speechcall\u200b"), "type", "character 11 is U+200B ZERO WIDTH SPACE"),
        (message(type="speechсall"), "type", "character 7 is U+0441 CYRILLIC SMALL LETTER ES"),
        (message(text=f"{'x' * 1600}\u200b"), "text", "character 1601 is U+200B ZERO WIDTH SPACE"),
        (message(customerMessageId=f"{'ж' * 64}\u00a0"), "customerMessageId", "character 65 is U+00A0 NO-BREAK SPACE"),
        (menu(introUrl="ivr_\u200b651854"), "menu[0].introUrl", "character 5 is U+200B ZERO WIDTH SPACE"),
        (menu(introUrl="іvr_651854"), "menu[0].introUrl", "character 1 is U+0456 CYRILLIC SMALL LETTER BYELORUSSIAN-"),
        (menu(introUrl="\ufeffhttps://a.example/"), "menu[0].introUrl", "character 1 is U+FEFF ZERO WIDTH NO-BREAK"),
        (menu(introUrl="https://a.example/\x7f"), "menu[0].introUrl", "character 19 is U+007F DELETE"),
        (menu(introUrl=None, say={"text": "\u200b\u2060", "language": "en-GB"}), "menu[0].say.text", "is U+200B"),
        (menu(introUrl=None, say={"text": "a", "language": "en\u2011GB"}), "menu[0].say.language", "is U+2011 NON-BR"),
        (
            menu(introUrl=None, say={"text": "a", "language": "en-GB", "voice": "Amy\u200d"}),
            "menu[0].say.voice",
            "character 4 is U+200D ZERO WIDTH JOINER",
        ),
        (menu(**{"idleTimeoutMsec\u200b": 1}), "menu[0].idleTimeoutMsec\u200b", "character 16 is U+200B"),
        (menu(dtmfActions={"d1\u200b": []}), "menu[0].dtmfActions.d1\u200b", "character 3 is U+200B ZERO WIDTH SPACE"),
        (menu(dtmfActions={"d＃": []}), "menu[0].dtmfActions.d＃", "character 2 is U+FF03 FULLWIDTH NUMBER SIGN"),
        (action(action="hangup\u00ad"), "menu[0].dtmfActions.d1[0]", "character 7 is U+00AD SOFT HYPHEN"),
        (action(**HOOK, **{"body ": {}}), "menu[0].dtmfActions.d1[0].body ", "character 5 is U+0020 SPACE"),
        (action(action="gotoMenu", menu="０"), "menu[0].dtmfActions.d1[0].menu", "is U+FF10 FULLWIDTH DIGIT ZERO"),
        (action(action="webhook", url="https：//a.example/"), "menu[0].dtmfActions.d1[0].url", "is U+FF1A FULLWIDTH"),
        (action(**HOOK | {"url": "https://a.example/\x00"}), "menu[0].dtmfActions.d1[0].url", "character 19 is U+0000"),
        (action(**HOOK, headers={"X-A\u200b": "1"}), "menu[0].dtmfActions.d1[0].headers", "character 4 is U+200B ZERO"),
        (action(**HOOK, headers={"X-A": "a\tb"}), "menu[0].dtmfActions.d1[0].headers", "character 2 is U+0009"),
        (action(**HOOK, headers={"X-A": "ab\u200b"}), "menu[0].dtmfActions.d1[0].headers", "character 3 is U+200B"),
        (message(redial={"attempts": 1, "on": ["busy\u200b"]}), "redial.on[0]", "character 5 is U+200B ZERO WIDTH"),
        (message(redial={"attempts": 1, "after\u200b": 1}), "redial.after\u200b", "character 6 is U+200B ZERO WIDTH"),
    ],
)
def test_wherever_a_text_is_refused_what_hides_in_it_is_named(entry, place, told):
    problem = check_message(entry, "messages[0]")[1][0]
    assert problem.path == f"messages[0].{place}"
    assert told in problem.message


def test_what_is_missing_but_seems_to_be_there_is_told():
    entry = {name: value for name, value in MESSAGE.items() if name != "from"} | {"from\u200b": "BazarCOM"}
    (problem,) = check_message(entry, "messages[0]")[1]
    assert problem.path == "messages[0].from"
    assert problem.message == (
        "is required: a string of 1 to 64 characters; "
        "the name that looks like it has U+200B ZERO WIDTH SPACE as character 5"
    )
    with pytest.raises(InvalidRequest) as refused:
        read_request(json.dumps({"\ufeffmessages": [MESSAGE]}).encode())
    assert "has U+FEFF ZERO WIDTH NO-BREAK SPACE as character 1" in refused.value.problems[0].message


def test_the_size_of_an_upload_that_seems_to_be_there_is_told():
    nothing: Any = None
    with pytest.raises(RequestError) as refused:
        begin_upload(Account("acme", ("*",)), "welcome", '{"bytes\u200b": 1000}'.encode(), nothing)
    assert refused.value.problems[0].message.endswith("has U+200B ZERO WIDTH SPACE as character 6")


def test_a_sender_and_an_unknown_member_that_look_right_are_told():
    account = Account("acme", ("*",), senders={"BazarCOM": "+4930123456"})
    lists = MemoryLists({("acme", "ivr_651854")})
    entries = [message(**{"from": "BazarCOM\u200b"}), message(**{"ttl\u200b": 60}), message(**{"order\u200b": 1})]
    body = json.dumps({"messages": entries}).encode()
    answered: list[Any] = check_messages(account, body, prompts=lists, clock=FakeClock())["messages"]
    refused, mistyped, warned = answered
    assert refused["error"]["message"].endswith("which are: BazarCOM; character 9 is U+200B ZERO WIDTH SPACE")
    (warning,) = [one for one in warned["warnings"] if one["code"] == "UNKNOWN_FIELD"]
    assert warning["message"] == "is not known here and changes nothing; character 6 is U+200B ZERO WIDTH SPACE"
    meant = "is not known here; did you mean ttl?; character 4 is U+200B ZERO WIDTH SPACE"
    assert mistyped["error"]["message"] == meant


def test_letters_of_any_language_are_nothing_hidden_where_they_may_stand():
    assert unseen("Крамниця «Ромашка» 😀 — 价格") == ""
    for entry in (action(**HOOK | {"url": "https://пример.укр:25/"}), menu(introUrl="https://пример.укр:25/а")):
        (problem,) = check_message(entry, "messages[0]")[1]
        assert "character" not in problem.message


@given(st.text(st.characters(codec="utf-8"), max_size=30))
def test_of_any_text_it_is_the_first_such_character_that_is_told(text):
    told = foreign(text)
    outside = [at for at, one in enumerate(text) if not " " <= one <= "~"]
    ends = [at for at in (0, len(text) - 1) if text[at : at + 1] == " "]
    at = 0 if 0 in ends else outside[0] if outside else ends[0] if ends else None
    assert (told == "") == (at is None)
    if at is not None:
        assert told.startswith(f"; character {at + 1} is U+{ord(text[at]):04X} ")
    assert unseen(text) == "" or unseen(text).startswith("; character ")


@given(st.lists(st.sampled_from([*"\u200b\u00a0\u3164\u2800\ufe0f \n\x00"]), max_size=5))
def test_a_text_of_nothing_that_shows_is_blank(characters):
    assert is_blank("".join(characters))
    assert not is_blank("".join([*characters, "a"]))


def test_a_name_that_differs_visibly_is_no_lookalike():
    assert lookalike(["From", "froms", "", "f" * 5000 + ZERO_WIDTH], "from") == ""
    assert lookalike([f"{ZERO_WIDTH}from"], "from").endswith("as character 1")
