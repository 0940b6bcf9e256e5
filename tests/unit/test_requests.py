"""What a client may send, and what it is told about the rest."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.api.use_cases.request_problems import RIGHT
from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.introduction import Audio, Pause, name_of_parts
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu, Webhook, dump_menus, load_menus
from speechcall.menus.rules.speech import VOICES, Say
from speechcall.messages.rules.dial_times import Redial
from speechcall.requests.use_cases.read_messages import check_message, to_menus, to_redial, unknown_fields
from speechcall.requests.use_cases.request_models import MenuModel, MessageModel
from speechcall.shared.rules.json_text import parse_json

SPEC = Path(__file__).parents[2] / "events" / "spec"
HOOK = {"action": "webhook", "url": "https://api.example.com/callback/option1", "body": {"confirm": True}}
MENU = {"introUrl": "ivr_651854", "idleTimeoutMsec": 10000, "dtmfActions": {"d1": [HOOK, {"action": "hangup"}]}}
MESSAGE = {"from": "BazarCOM", "to": "+380936670003", "text": "ivr", "type": "speechcall", "menu": [MENU]}
ABSENT = object()


def message(**changes):
    merged = copy.deepcopy(MESSAGE) | changes
    return {name: value for name, value in merged.items() if value is not ABSENT}


def menu(**changes):
    merged = copy.deepcopy(MENU) | changes
    return message(menu=[{name: value for name, value in merged.items() if value is not ABSENT}])


def action(**given_action):
    return menu(dtmfActions={"d1": [given_action]})


def hook(**changes):
    return action(**{name: value for name, value in (HOOK | changes).items() if value is not ABSENT})


def problems(entry, path="messages[0]"):
    return [(problem.code, problem.path) for problem in check_message(entry, path)[1]]


def faults(entry):
    return check_message(entry, "messages[0]")[1]


def check(entry):
    model, found = check_message(entry, "messages[0]")
    assert not found, found
    return to_menus(model)


# ------------------------------------------------------------------ accepted
@pytest.mark.parametrize("example", ["basic-structure", "simple"])
def test_the_examples_of_the_specification_are_accepted(example):
    for entry in parse_json((SPEC / f"{example}.json").read_bytes())["messages"]:
        check(entry)


@pytest.mark.parametrize("example", ["complex", "curl"])
def test_the_other_examples_lack_nothing_but_a_real_number(example):
    for entry in parse_json((SPEC / f"{example}.json").read_bytes())["messages"]:
        assert problems(entry) == [("INVALID_RECIPIENT", "messages[0].to")]
        menus = check(entry | {"to": "+380936670003"})
        assert menus[0].actions["wrong"] == (GotoMenu(1),)


def test_a_message_becomes_its_menus():
    entry = menu(
        dtmfActions={
            "wrong": [{"action": "gotoMenu", "menu": "0"}],
            "d#": [],
            "d1": [HOOK | {"headers": {"X-Custom-Header": "value"}}, {"action": "hangup"}],
        }
    )
    url = "https://api.example.com/callback/option1"
    assert check(entry) == (
        Menu(
            "ivr_651854",
            10_000,
            {
                "d1": (Webhook(url, '{"confirm":true}', {"X-Custom-Header": "value"}), Hangup()),
                "d#": (),
                "wrong": (GotoMenu(0),),
            },
        ),
    )


def test_all_keys_of_the_specification_are_known():
    keys = [*(f"d{digit}" for digit in range(10)), "d*", "d#", "wrong"]
    assert list(check(menu(dtmfActions={key: [] for key in keys}))[0].actions) == keys


def test_what_is_played_may_be_joined_of_parts():
    url = "https://cdn.example.com/a.mp3"
    parts = [{"audio": "hello"}, {"say": {"text": "Hi.", "language": "en-GB"}}, {"audio": url}, {"pauseMsec": 300}]
    entry = menu(introUrl=ABSENT, play=[*parts, {"spell": "407", "recordings": "uk_"}])
    (found,) = check(entry)
    spelt = (Audio("uk_4"), Audio("uk_0"), Audio("uk_7"))
    assert found.play == (Audio("hello"), Say("Hi.", "en-GB", "Amy"), Audio(url), Pause(300), *spelt)
    assert found.intro == name_of_parts(found.play)


@pytest.mark.parametrize(
    ("play", "place", "text"),
    [
        ([], "", "must be an array of 1 to 20 parts"),
        ([{"audio": "a"}] * 21, "", "must be an array of 1 to 20 parts"),
        ("a", "", "must be an array of 1 to 20 parts"),
        (["a"], "[0]", "must be an object such as"),
        ([{}], "[0]", "has nothing to play; a part has exactly one of audio, say, spell and pauseMsec"),
        ([{"audio": "a", "pauseMsec": 9}], "[0]", "has audio and pauseMsec; a part has exactly one of"),
        ([{"audio": "a"}, {"spell": "1"}], "[1]", "must have spell and recordings together"),
        ([{"audio": "a", "recordings": "b"}], "[0]", "must have spell and recordings together"),
        ([{"spell": "1a", "recordings": "b"}], "[0].spell", "must be a string of 1 to 20 digits"),
        ([{"spell": "1" * 21, "recordings": "b"}], "[0].spell", "must be a string of 1 to 20 digits"),
        ([{"spell": "\u0661", "recordings": "b"}], "[0].spell", "must be a string of 1 to 20 digits"),
        ([{"spell": "1", "recordings": "b" * 64}], "[0].recordings", "must be how ten identifiers begin"),
        ([{"spell": "1", "recordings": "b c"}], "[0].recordings", "must be how ten identifiers begin"),
        ([{"pauseMsec": 0}], "[0].pauseMsec", "must be a whole number of milliseconds from 1 to 10000"),
        ([{"pauseMsec": 10_001}], "[0].pauseMsec", "must be a whole number of milliseconds from 1 to 10000"),
        ([{"pauseMsec": "9"}], "[0].pauseMsec", "must be a whole number of milliseconds from 1 to 10000"),
        ([{"audio": "http://10.0.0.1/a"}], "[0].audio", "leads to 10.0.0.1, which is not a public address"),
        ([{"audio": "a b"}], "[0].audio", "must be the URL of an audio file, or an identifier"),
        ([{"audio": 7}], "[0].audio", "must be the URL of an audio file, or an identifier"),
        ([{"say": {"text": "x", "language": "uk-UA"}}], "[0].say.language", '"uk-UA" cannot be spoken'),
        ([{"say": {"text": "x", "language": "en-GB", "ssml": 1}}], "[0].say.ssml", "is not known here; a say has"),
        ([{"say": 7}], "[0].say", "must be an object such as"),
        ([{"audio": "a", "volume": 7}], "[0].volume", "is not known here; a part has audio"),
        ([{"audio": "a", "pausemsec": 7}], "[0].pausemsec", "is not known here; did you mean pauseMsec?"),
    ],
)
def test_what_is_wrong_with_a_part_is_said_at_its_place(play, place, text):
    (told,) = faults(menu(introUrl=ABSENT, play=play))
    assert told.path == f"messages[0].menu[0].play{place}"
    assert told.message.startswith(text), told.message


def test_a_menu_has_one_introduction_alone():
    say = {"text": "Hi.", "language": "en-GB"}
    (both,) = faults(menu(introUrl=ABSENT, say=say, play=[{"audio": "a"}]))
    assert both.message.startswith("is not given, but say and play both are")
    (three,) = faults(menu(say=say, play=[{"audio": "a"}]))
    assert three.message.startswith("is given together with say and play")


def test_silence_and_a_key_without_a_list_may_have_lists_of_their_own():
    entry = menu(dtmfActions={"invalid": [], "silence": [{"action": "hangup"}], "d1": []})
    assert list(check(entry)[0].actions.items()) == [("d1", ()), ("silence", (Hangup(),)), ("invalid", ())]
    assert problems(menu(dtmfActions={"silent": []})) == [("INVALID_MENU", "messages[0].menu[0].dtmfActions.silent")]


def digits(asked, **lists):
    return menu(input=asked, dtmfActions=lists or {"complete": [HOOK], "wrong": []})


def test_a_menu_may_ask_for_several_digits():
    (found,) = check(digits({"maxDigits": 4}))
    assert found.input == Input(1, 4, "#", 3000)
    assert list(found.actions) == ["complete", "wrong"]
    assert check(digits({"maxDigits": 4, "sensitive": True}))[0].input.sensitive
    (found,) = check(digits({"minDigits": 4, "maxDigits": 8.0, "endKey": "*", "interDigitMsec": 1500}))
    assert found.input == Input(4, 8, "*", 1500)
    assert (found.idle_seconds, found.typing_seconds) == (10, 14)
    assert load_menus(dump_menus((found,))) == (found,)


@pytest.mark.parametrize(
    ("entry", "place", "text"),
    [
        (digits({}), "input.maxDigits", "is required: a whole number from 1 to 20"),
        (digits(4), "input", 'must be an object such as {"minDigits": 4, "maxDigits": 8,'),
        (digits({"maxDigits": 21}), "input.maxDigits", "must be a whole number from 1 to 20"),
        (digits({"minDigits": 0, "maxDigits": 4}), "input.minDigits", "must be a whole number from 1 to 20"),
        (digits({"minDigits": 5, "maxDigits": 4}), "input.minDigits", "is 5, which is more than maxDigits, 4"),
        (digits({"maxDigits": 4, "endKey": "1"}), "input.endKey", 'must be "#" or "*"'),
        (digits({"maxDigits": 4, "interDigitMsec": 999}), "input.interDigitMsec", "milliseconds from 1000 to 20000"),
        (digits({"maxDigits": 4, "sensitive": "yes"}), "input.sensitive", "must be true or false"),
        (menu(bargeIn="no"), "bargeIn", "must be true or false"),
        (menu(bargein=False), "bargein", "did you mean bargeIn?"),
        (digits({"maxDigits": 4, "interdigitMsec": 999}), "input.interdigitMsec", "did you mean interDigitMsec?"),
        (digits({"maxDigits": 20, "interDigitMsec": 9000}), "input", "may take 181 s with all of idleTimeoutMsec"),
        (digits({"maxDigits": 4}, wrong=[]), "dtmfActions", "must have the list complete"),
        (digits({"maxDigits": 4}, complete=[], d1=[]), "dtmfActions.d1", "cannot be together with input"),
        (menu(dtmfActions={"complete": []}), "dtmfActions.complete", "is the list of a menu with input"),
        (menu(dtmfActions={"compleet": []}), "dtmfActions.compleet", "did you mean complete?"),
    ],
)
def test_what_is_wrong_with_digits_is_said_at_its_place(entry, place, text):
    (found,) = faults(entry)
    assert (found.code, found.path) == ("INVALID_MENU", f"messages[0].menu[0].{place}")
    assert text in found.message


@pytest.mark.parametrize("body", [ABSENT, None, {}])
def test_no_body_is_an_empty_object(body):
    assert check(hook(body=body))[0].actions["d1"][0].body == "{}"


def test_a_body_is_kept_as_it_was_written():
    text = '{"b":1.10,"a":1180591620717411303424,"c":{"z":null,"y":[true]}}'
    entry = parse_json(json.dumps(hook(body=0)).replace('"body": 0', f'"body": {text}').encode())
    assert check(entry)[0].actions["d1"][0].body == text


@pytest.mark.parametrize(("given_menu", "index"), [(1, 1), ("1", 1), (0, 0), ("0", 0)])
def test_goto_menu_takes_an_integer_or_its_digits(given_menu, index):
    entry = message(menu=[menu_with_goto(given_menu), MENU])
    assert check(entry)[0].actions["d1"] == (GotoMenu(index),)


def menu_with_goto(target):
    return MENU | {"dtmfActions": {"d1": [{"action": "gotoMenu", "menu": target}]}}


@pytest.mark.parametrize(("given_msec", "msec"), [(ABSENT, 10_000), (1, 1), (180_000, 180_000)])
def test_the_idle_timeout_has_a_default_and_bounds(given_msec, msec):
    assert check(menu(idleTimeoutMsec=given_msec))[0].idle_timeout_msec == msec


@pytest.mark.parametrize("intro", ["ivr_651854", "A-b_9", "x" * 64, "https://example.com/a.wav", "HTTP://example.com/"])
def test_an_introduction_is_an_identifier_or_a_url(intro):
    assert check(menu(introUrl=intro))[0].intro == intro


@pytest.mark.parametrize(("given", "voice", "engine"), [("Brian", "Brian", "neural"), (ABSENT, "Amy", "neural")])
def test_an_introduction_is_a_text_to_be_spoken(given, voice, engine):
    found = check(said(voice=given))[0]
    assert found.say == Say("Good morning.", "en-GB", voice)
    assert found.say.engine == engine
    assert found.intro == found.say.name


@pytest.mark.parametrize("field", ["text", "language", "voice"])
def test_what_sounds_different_has_another_name_and_what_sounds_the_same_the_same(field):
    other = {"text": "Good evening.", "language": "en-IN", "voice": "Brian"}
    one = check(said(voice=ABSENT))[0].intro
    assert one == check(said(voice="Amy"))[0].intro
    assert one != check(said(**{"voice": ABSENT, field: other[field]}))[0].intro


def said(**changes):
    say = {"text": "Good morning.", "language": "en-GB", "voice": "Amy"} | changes
    return menu(introUrl=ABSENT, say={name: value for name, value in say.items() if value is not ABSENT})


def test_null_is_no_introduction():
    assert check(menu(say=None))[0].say is None
    beside = said()
    beside["menu"][0]["introUrl"] = None
    assert check(beside)[0].say is not None


def test_a_text_has_at_most_1500_characters():
    assert check(said(text="x" * 1500))[0].say is not None
    assert problems(said(text="x" * 1501)) == [("INVALID_MENU", "messages[0].menu[0].say.text")]


def test_a_language_that_nobody_speaks_is_refused_with_those_that_are_spoken():
    (problem,) = check_message(said(language="uk-UA"), "messages[0]")[1]
    assert problem.path == "messages[0].menu[0].say.language"
    assert all(language in problem.message for language in VOICES)


@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
@pytest.mark.parametrize("value", ["application/json", "application/json; charset=utf-8", "Application/JSON"])
def test_the_content_type_that_is_sent_anyway_may_be_given(name, value):
    check(hook(headers={name: value}))


def test_unknown_fields_are_accepted_at_message_level_and_named():
    entry = message(colour=7, ttl=60, order="x")
    check(entry)
    assert unknown_fields(entry) == ["colour", "order"]


REDIAL = {"attempts": 4, "afterSec": [60, 86_400], "on": ["failed", "busy"]}


@pytest.mark.parametrize(
    "fields",
    [
        {"customerMessageId": "x"},
        {"customerMessageId": "ж" * 64},
        {"customerMessageId": None},
        {"ttl": 30},
        {"ttl": 172_800},
        {"ringTimeoutSec": 15},
        {"ringTimeoutSec": 60},
        {"silentRepeats": 0},
        {"silentRepeats": 49},
        {"silentRepeats": None},
        {"priority": "urgent"},
        {"priority": "normal"},
        {"redial": REDIAL},
        {"redial": {"attempts": 0}},
        {"redial": None},
    ],
)
def test_what_a_sender_may_say_of_dialling_is_taken_up_to_its_bounds(fields):
    model, found = check_message(message(**fields), "messages[0]")
    assert not found
    assert unknown_fields(message(**fields)) == []
    assert all(getattr(model, name) == value for name, value in fields.items() if name != "redial")


def test_a_redial_is_as_it_was_asked_for_and_reasonable_where_nothing_was_said():
    def redial(given):
        return to_redial(check_message(message(redial=given), "messages[0]")[0])

    assert redial(REDIAL) == Redial(4, (60, 86_400), ("failed", "busy"))
    assert redial({"attempts": 1}) == Redial(1) == Redial(1, (300,), ("busy", "noAnswer", "failed"))
    assert redial({"attempts": 0}) is redial(None) is None


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        *(({"customerMessageId": given}, "customerMessageId") for given in ("", "x" * 65, 7, ["x"])),
        *(({"ttl": given}, "ttl") for given in (29, 172_801, "60", 60.5, True, None)),
        *(({"ringTimeoutSec": given}, "ringTimeoutSec") for given in (14, 61, "45", None)),
        *(({"silentRepeats": given}, "silentRepeats") for given in (-1, 50, "2", 1.5, True)),
        *(({"priority": given}, "priority") for given in ("high", "Urgent", 1, True, None)),
        *(({"redial": given}, "redial") for given in (3, [], "yes", True)),
        ({"redial": {}}, "redial.attempts"),
        *(({"redial": {"attempts": given}}, "redial.attempts") for given in (-1, 5, "1", None, True)),
        *(({"redial": REDIAL | {"afterSec": given}}, "redial.afterSec") for given in ([], [60] * 5, 300, None)),
        *(({"redial": REDIAL | {"afterSec": [60, given]}}, "redial.afterSec[1]") for given in (59, 86_401, "60")),
        *(({"redial": REDIAL | {"on": given}}, "redial.on") for given in ([], ["busy", "busy"], "busy", None)),
        *(({"redial": REDIAL | {"on": ["busy", given]}}, "redial.on[1]") for given in ("blocked", "answered", 1)),
        ({"redial": REDIAL | {"times": 2}}, "redial.times"),
    ],
)
def test_what_cannot_be_said_of_dialling_is_refused_in_its_place(fields, place):
    codes = {
        "customerMessageId": "INVALID_CUSTOMER_MESSAGE_ID",
        "ttl": "INVALID_TTL",
        "ringTimeoutSec": "INVALID_RING_TIMEOUT",
        "silentRepeats": "INVALID_SILENT_REPEATS",
        "redial": "INVALID_REDIAL",
        "priority": "INVALID_PRIORITY",
    }
    (name,) = fields
    assert problems(message(**fields)) == [(codes[name], f"messages[0].{place}")]


# ------------------------------------------------------------------- refused
@pytest.mark.parametrize("entry", [None, 1, "a", [], True])
def test_an_entry_that_is_no_object_is_told_so(entry):
    _, found = check_message(entry, "messages[3]")
    assert [(problem.code, problem.path, problem.message) for problem in found] == [
        ("INVALID_MESSAGE", "messages[3]", "must be an object with from, to, text, type and menu")
    ]


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("from", "INVALID_SENDER"),
        ("to", "INVALID_RECIPIENT"),
        ("text", "INVALID_TEXT"),
        ("type", "INVALID_TYPE"),
        ("menu", "INVALID_MENU"),
    ],
)
@pytest.mark.parametrize("value", [ABSENT, None, 1, True, "", {}, []])
def test_each_member_of_a_message_is_required_and_has_its_type(name, code, value):
    assert problems(message(**{name: value})) == [(code, f"messages[0].{name}")]


def test_every_problem_of_a_message_is_told_at_once():
    entry = message(to="12", type="sms", menu=[menu_with_goto(True), {}])
    assert problems(entry) == [
        ("INVALID_RECIPIENT", "messages[0].to"),
        ("INVALID_TYPE", "messages[0].type"),
        ("INVALID_MENU", "messages[0].menu[0].dtmfActions.d1[0].menu"),
        ("INVALID_MENU", "messages[0].menu[1].introUrl"),
        ("INVALID_MENU", "messages[0].menu[1].dtmfActions"),
    ]


WHOLE = ["10000.0", "1e4", "1E+4", "10000.000", "100000e-1", "0.1e5"]


@pytest.mark.parametrize("written", WHOLE)
@pytest.mark.parametrize(
    ("name", "entry", "read"),
    [
        ("idleTimeoutMsec", menu(idleTimeoutMsec="?"), lambda model: model.menu[0].idleTimeoutMsec),
        ("ttl", message(ttl="?"), lambda model: model.ttl),
        ("afterSec", message(redial={"attempts": 1, "afterSec": ["?"]}), lambda model: model.redial.afterSec[0]),
    ],
)
def test_a_number_without_a_fraction_is_an_integer_however_it_is_written(name, entry, read, written):
    model, found = check_message(parse_json(json.dumps(entry).replace('"?"', written).encode()), "messages[0]")
    assert not found
    assert type(read(model)) is int
    assert read(model) == 10_000


@pytest.mark.parametrize(
    ("entry", "written", "read", "value"),
    [
        (message(ringTimeoutSec="?"), "45.0", lambda model: model.ringTimeoutSec, 45),
        (message(silentRepeats="?"), "3.0", lambda model: model.silentRepeats, 3),
        (message(redial={"attempts": "?"}), "2.0", lambda model: model.redial.attempts, 2),
        (message(redial={"attempts": "?"}), "-0", lambda model: model.redial.attempts, 0),
        (action(action="gotoMenu", menu="?"), "0.0", lambda model: model.menu[0].dtmfActions["d1"][0].menu, 0),
        (action(action="gotoMenu", menu="?"), "-0", lambda model: model.menu[0].dtmfActions["d1"][0].menu, 0),
    ],
)
def test_that_holds_for_every_field_of_whole_numbers(entry, written, read, value):
    model, found = check_message(parse_json(json.dumps(entry).replace('"?"', written).encode()), "messages[0]")
    assert not found
    assert type(read(model)) is int
    assert read(model) == value
    assert isinstance(model.menu[0].idleTimeoutMsec, int)


@pytest.mark.parametrize("written", ["1.5", "10000.5", "1e400", "1e999999999", "1e-400", "-1e4", '"1e4"'])
@pytest.mark.parametrize("name", ["idleTimeoutMsec", "ttl", "ringTimeoutSec", "attempts", "afterSec", "menu"])
def test_any_other_number_is_none_of_them_and_refused_where_it_stands(name, written):
    entries = {
        "idleTimeoutMsec": (menu(idleTimeoutMsec="?"), "menu[0].idleTimeoutMsec"),
        "ttl": (message(ttl="?"), "ttl"),
        "ringTimeoutSec": (message(ringTimeoutSec="?"), "ringTimeoutSec"),
        "attempts": (message(redial={"attempts": "?"}), "redial.attempts"),
        "afterSec": (message(redial={"attempts": 1, "afterSec": ["?"]}), "redial.afterSec[0]"),
        "menu": (action(action="gotoMenu", menu="?"), "menu[0].dtmfActions.d1[0].menu"),
    }
    entry, path = entries[name]
    (problem,) = check_message(parse_json(json.dumps(entry).replace('"?"', written).encode()), "messages[0]")[1]
    assert problem.path == f"messages[0].{path}"
    assert problem.message.startswith("must be ")
    assert "1e" not in problem.message


@pytest.mark.parametrize("msec", ["10000", True, False, 10000.5, None, 0, -1, 180_001, 180_001.0, 2**70, [], {}])
def test_the_idle_timeout_is_an_integer_and_nothing_that_looks_like_one(msec):
    assert problems(menu(idleTimeoutMsec=msec)) == [("INVALID_MENU", "messages[0].menu[0].idleTimeoutMsec")]


@pytest.mark.parametrize(
    "target",
    [
        True,
        False,
        None,
        1.0,
        parse_json(b"1.0"),
        -1,
        "-1",
        "01",
        "1.0",
        " 1",
        "1\n",
        "",
        "١",
        "one",
        [],
        {},
        1,
        "1",
        99,
        "99999",
    ],
)
def test_goto_menu_to_nowhere_is_one_problem_at_its_place(target):
    entry = message(menu=[menu_with_goto(target)])
    assert problems(entry) == [("INVALID_MENU", "messages[0].menu[0].dtmfActions.d1[0].menu")]


def test_goto_menu_out_of_range_is_told_the_range():
    _, found = check_message(message(menu=[menu_with_goto("2"), MENU]), "messages[0]")
    assert found[0].message == "there is no menu 2; menus 0 to 1 exist"


@pytest.mark.parametrize("key", ["d10", "1", "d", "D1", "timeout", "Wrong", "", "d1 "])
def test_an_unknown_key_is_refused_where_it_stands(key):
    assert problems(menu(dtmfActions={key: []})) == [("INVALID_MENU", f"messages[0].menu[0].dtmfActions.{key}")]


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        (menu(extra=1), "menu[0].extra"),
        (menu(IntroUrl="a"), "menu[0].IntroUrl"),
        (hook(method="GET"), "menu[0].dtmfActions.d1[0].method"),
        (action(action="hangup", menu=0), "menu[0].dtmfActions.d1[0].menu"),
        (action(action="gotoMenu", menu=0, url="x"), "menu[0].dtmfActions.d1[0].url"),
        (menu(dtmfActions=None), "menu[0].dtmfActions"),
        (menu(dtmfActions=[]), "menu[0].dtmfActions"),
        (menu(dtmfActions={"d1": None}), "menu[0].dtmfActions.d1"),
        (menu(dtmfActions={"d1": {}}), "menu[0].dtmfActions.d1"),
        (menu(dtmfActions={"d1": [None]}), "menu[0].dtmfActions.d1[0]"),
        (menu(dtmfActions={"d1": ["hangup"]}), "menu[0].dtmfActions.d1[0]"),
        (menu(dtmfActions={"d1": [{}]}), "menu[0].dtmfActions.d1[0]"),
        (action(action="call"), "menu[0].dtmfActions.d1[0]"),
        (action(action=["webhook"]), "menu[0].dtmfActions.d1[0]"),
        (menu(dtmfActions={"d*": [HOOK] * 11}), "menu[0].dtmfActions.d*"),
        (action(action="gotoMenu"), "menu[0].dtmfActions.d1[0].menu"),
        (hook(url=ABSENT), "menu[0].dtmfActions.d1[0].url"),
        (hook(url=1), "menu[0].dtmfActions.d1[0].url"),
        (hook(url="ftp://example.com/"), "menu[0].dtmfActions.d1[0].url"),
        (hook(url="http://169.254.169.254/"), "menu[0].dtmfActions.d1[0].url"),
        (hook(url="https://example.com/" + "a" * 2029), "menu[0].dtmfActions.d1[0].url"),
        (hook(body=[]), "menu[0].dtmfActions.d1[0].body"),
        (hook(body="{}"), "menu[0].dtmfActions.d1[0].body"),
        (hook(body={"a": "x" * 8192}), "menu[0].dtmfActions.d1[0].body"),
        (hook(headers=[]), "menu[0].dtmfActions.d1[0].headers"),
        (hook(headers={"a": 1}), "menu[0].dtmfActions.d1[0].headers.a"),
        (hook(headers={"function-id": 1}), "menu[0].dtmfActions.d1[0].headers.function-id"),
        (hook(headers={"constrained-int": None}), "menu[0].dtmfActions.d1[0].headers.constrained-int"),
        (hook(headers={"[key]": None}), "menu[0].dtmfActions.d1[0].headers.[key]"),
        (hook(headers={f"x-{number}": "" for number in range(21)}), "menu[0].dtmfActions.d1[0].headers"),
        (menu(introUrl=ABSENT), "menu[0].introUrl"),
        (menu(introUrl=""), "menu[0].introUrl"),
        (menu(introUrl="x" * 65), "menu[0].introUrl"),
        (menu(introUrl="../a"), "menu[0].introUrl"),
        (menu(introUrl="ftp://example.com/a.wav"), "menu[0].introUrl"),
        (menu(introUrl="http://10.0.0.1/a.wav"), "menu[0].introUrl"),
        (message(menu=[MENU] * 21), "menu"),
        (message(menu={"0": MENU}), "menu"),
        (message(menu=[None]), "menu[0]"),
        (message(menu=[MENU, []]), "menu[1]"),
    ],
)
def test_what_is_wrong_in_a_menu_is_refused_at_its_place_as_a_client_writes_it(entry, path):
    assert problems(entry) == [("INVALID_MENU", f"messages[0].{path}")]


def test_a_problem_of_another_list_and_message_has_its_own_path():
    entry = message(menu=[MENU, MENU | {"dtmfActions": {"wrong": [{"action": "hangup"}, HOOK | {"url": "x"}]}}])
    assert problems(entry, "messages[7]") == [("INVALID_MENU", "messages[7].menu[1].dtmfActions.wrong[1].url")]


def test_more_than_200_actions_in_all_are_refused():
    full = {f"d{digit}": [HOOK] * 10 for digit in range(10)}
    assert problems(message(menu=[MENU | {"dtmfActions": full}] * 2)) == []
    more = [MENU | {"dtmfActions": full}] * 2 + [MENU | {"dtmfActions": {"d1": [HOOK]}}]
    assert problems(message(menu=more)) == [("INVALID_MENU", "messages[0].menu")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("Host", "x"), ("content-length", "1"), ("Transfer-Encoding", "chunked"), ("connection", "close")),
        *(("Upgrade", "h2c"), ("TE", "trailers"), ("Webhook-Id", "1"), ("webhook-signature", "x"), ("Proxy-A", "1")),
        *(("Content-Type", "text/plain"), ("content-type", ""), ("", "x"), ("a b", "x"), ("a:b", "x"), ("é", "x")),
        *(("a", "x\r\nForged: 1"), ("a", "\n"), ("a", "\0"), ("a", "\t"), ("a", " x"), ("a", "x "), ("a\r\nb", "x")),
        *(("a", "\x7f"), ("a", "ключ"), ("a", "✓")),
    ],
)
def test_a_header_that_would_break_or_forge_the_request_is_refused(name, value):
    assert problems(hook(headers={name: value})) == [("INVALID_MENU", "messages[0].menu[0].dtmfActions.d1[0].headers")]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("webhook_id", "1"),
            ("Webhook_Signature", "v1,x"),
            ("CONTENT_LENGTH", "1"),
            ("Transfer_Encoding", "chunked"),
        ),
        *(("Keep-Alive", "5"), ("Expect", "100-continue"), ("HTTP2-Settings", "x"), ("content_type", "text/plain")),
        *(("Content-Encoding", "gzip"), ("content-encoding", "identity, BR"), ("Content-Encoding", "x-gzip")),
    ],
)
def test_a_header_that_receivers_would_take_for_one_of_ours_is_refused(name, value):
    assert problems(hook(headers={name: value})) == [("INVALID_MENU", "messages[0].menu[0].dtmfActions.d1[0].headers")]


@pytest.mark.parametrize("value", ["identity", "utf-8", ""])
def test_a_coding_that_changes_nothing_may_be_named(value):
    check(hook(headers={"Content-Encoding": value}))


@pytest.mark.parametrize(
    "names",
    [
        ("Authorization", "authorization"),
        ("X-Custom-Header", "X-CUSTOM-HEADER"),
        ("a", "b", "A"),
        ("Content-Type", "content-type"),
        ("X-k", "X-K"),
    ],
)
def test_a_header_is_the_same_whatever_its_case_and_cannot_appear_twice(names):
    value = "application/json" if "Content-Type" in names else "x"
    (problem,) = check_message(hook(headers=dict.fromkeys(names, value)), "messages[0]")[1]
    assert problem.path == "messages[0].menu[0].dtmfActions.d1[0].headers"
    assert problem.message == f'the header "{names[-1]}" appears twice; its case makes no difference'


def test_headers_that_only_look_alike_are_two():
    headers = {"X-A": "1", "X_A": "2", "X-AA": "3"}
    assert check(hook(headers=headers))[0].actions["d1"][0].headers == headers


@pytest.mark.parametrize(
    "url", ["https://user:token@a.example/a.wav", "https://user@a.example/", "http://:@a.example/"]
)
def test_credentials_in_a_url_are_refused_with_what_can_be_done_in_that_place(url):
    (webhook,) = check_message(hook(url=url), "messages[0]")[1]
    assert webhook.message == "must not hold a user name or password; send credentials in a header"
    (prompt,) = check_message(menu(introUrl=url), "messages[0]")[1]
    assert prompt.message == (
        "must not hold a user name or password; use a signed URL, or upload the file and give its identifier"
    )


@pytest.mark.parametrize("value", ["", "a", "é", "a b", "Bearer x.y.z", '"quoted"', "\xa0"])
def test_a_header_value_that_http_can_carry_is_accepted(value):
    assert check(hook(headers={"Authorization": value}))[0].actions["d1"][0].headers == {"Authorization": value}


ALL_KEYS = [*(f"d{digit}" for digit in range(10)), "d*", "d#", "wrong"]
EACH_MISTAKE = [
    (None, "", "must be an object with from, to, text, type and menu"),
    (message(**{"from": 1}), ".from", "must be a string of 1 to 64 characters"),
    (message(**{"from": ""}), ".from", "must be a string of 1 to 64 characters"),
    (message(**{"from": ABSENT}), ".from", "is required: a string of 1 to 64 characters"),
    (message(to=7), ".to", "must be a phone number in international format, such as +380671234567"),
    (message(to="0671234567"), ".to", "must be a phone number in international format, such as +380671234567"),
    (message(text="x" * 1601), ".text", "must be a string of 1 to 1600 characters"),
    (message(type="sms"), ".type", 'must be "speechcall"'),
    (message(menu=[]), ".menu", "must be an array of 1 to 20 menus"),
    (message(menu=[1]), ".menu[0]", "must be an object with introUrl (or say, or play) and dtmfActions"),
    (menu(introUrl=ABSENT), ".menu[0].introUrl", "is required: the URL of an audio file, or an identifier of 1 to 64 "),
    (menu(introUrl=ABSENT, say=None), ".menu[0].introUrl", "is required: the URL of an audio file, or an identifier "),
    (
        menu(say={"text": "a", "language": "de-DE"}),
        ".menu[0].introUrl",
        "is given together with say; a menu has exactly one ",
    ),
    (menu(introUrl=ABSENT, say="Hello"), ".menu[0].say", 'must be an object such as {"text": "Good morning.", '),
    (said(text=1), ".menu[0].say.text", "must be a string of 1 to 1500 characters"),
    (said(text=" \n"), ".menu[0].say.text", "has nothing in it that could be spoken"),
    (said(language=ABSENT), ".menu[0].say.language", "is required: the code of a language, such as en-GB"),
    (
        said(voice="Hans"),
        ".menu[0].say.voice",
        '"Hans" does not speak en-GB; these voices do: Amy, Arthur, Brian, Emma',
    ),
    (said(voice=1), ".menu[0].say.voice", "must be the name of a voice, such as Amy"),
    (said(ssml=1), ".menu[0].say.ssml", "is not known here; a say has text, language and voice"),
    (menu(introUrl=1), ".menu[0].introUrl", "must be the URL of an audio file, or an identifier of 1 to 64 letters, "),
    (menu(introUrl="a b"), ".menu[0].introUrl", "must be the URL of an audio file, or an identifier of 1 to 64 "),
    (menu(idleTimeoutMsec="1"), ".menu[0].idleTimeoutMsec", "must be a whole number of milliseconds from 1 to 180000"),
    (menu(idleTimeoutMsec=0), ".menu[0].idleTimeoutMsec", "must be a whole number of milliseconds from 1 to 180000"),
    (
        menu(dtmfActions=[]),
        ".menu[0].dtmfActions",
        "must be an object that gives keys (d0 to d9, d*, d#, complete, silence, invalid, wrong) an ",
    ),
    (
        menu(dtmfActions={"d": []}),
        ".menu[0].dtmfActions.d",
        "is no key; d0 to d9, d*, d#, complete, silence, invalid and wrong are",
    ),
    (menu(dtmfActions={"d1": 1}), ".menu[0].dtmfActions.d1", "must be an array of at most 10 actions, each an object "),
    (action(action="x"), ".menu[0].dtmfActions.d1[0]", 'must be an object whose "action" is "webhook", "hangup", '),
    (
        menu(extra=1),
        ".menu[0].extra",
        "is not known here; a menu has introUrl, say or play, idleTimeoutMsec, bargeIn, input, dtmfActions and repeat",
    ),
    (
        menu(webhook=1),
        ".menu[0].webhook",
        "is not known here; a menu has introUrl, say or play, idleTimeoutMsec, bargeIn, input, dtmfActions and repeat",
    ),
    (hook(menu=1), ".menu[0].dtmfActions.d1[0].menu", "is not known here; a webhook has action, url, body and headers"),
    (hook(webhook=1), ".menu[0].dtmfActions.d1[0].webhook", "is not known here; a webhook has action, url, body and "),
    (action(action="hangup", a=1), ".menu[0].dtmfActions.d1[0].a", "is not known here; a hangup has only action"),
    (action(action="gotoMenu", menu=0, a=1), ".menu[0].dtmfActions.d1[0].a", "is not known here; a gotoMenu has "),
    (
        action(action="gotoMenu"),
        ".menu[0].dtmfActions.d1[0].menu",
        "is required: the 0-based index of a menu, ",
    ),
    (action(action="gotoMenu", menu="-1"), ".menu[0].dtmfActions.d1[0].menu", "must be the 0-based index of a menu, "),
    (action(action="gotoMenu", menu=10**4000), ".menu[0].dtmfActions.d1[0].menu", "must be the 0-based index of a "),
    (hook(url=ABSENT), ".menu[0].dtmfActions.d1[0].url", "is required: a URL of at most 2048 characters that begins "),
    (hook(url=1), ".menu[0].dtmfActions.d1[0].url", "must be a URL of at most 2048 characters that begins with "),
    (hook(body=[]), ".menu[0].dtmfActions.d1[0].body", "must be an object"),
    (
        hook(headers=1),
        ".menu[0].dtmfActions.d1[0].headers",
        "must be an object of at most 20 names, each with ",
    ),
    (hook(headers={"a": 1}), ".menu[0].dtmfActions.d1[0].headers.a", "must be a string"),
    (hook(headers={"webhook": 1}), ".menu[0].dtmfActions.d1[0].headers.webhook", "must be a string"),
    (hook(headers={"a b": ""}), ".menu[0].dtmfActions.d1[0].headers", 'the header "a b" is not a header name'),
]


@pytest.mark.parametrize(("entry", "place", "text"), EACH_MISTAKE)
def test_a_problem_says_what_would_be_right_there(entry, place, text):
    (problem,) = check_message(entry, "messages[0]")[1]
    assert problem.path == f"messages[0]{place}"
    assert problem.message == text or (text.endswith(" ") and problem.message.startswith(text))


def test_what_is_said_to_be_right_is_right():
    for key in ALL_KEYS:
        assert key in RIGHT["dtmfActions"] or "d0" < key < "d9"
    for name, schema in (("message", MessageModel.model_json_schema()), ("menu[]", MenuModel.model_json_schema())):
        assert all(given in RIGHT[name] for given in schema["required"])
    check(message(**{"from": "x" * 64, "text": "x" * 1600, "menu": [MENU] * 20}))
    check(menu(idleTimeoutMsec=180_000, introUrl="x" * 64, dtmfActions={"d1": [HOOK] * 10}))
    check(hook(url="https://example.com/" + "a" * 2028, headers={f"x-{number}": "" for number in range(20)}))


def test_thousands_of_mistakes_do_not_make_thousands_of_answers():
    entry = message(menu=[{"x" * 1000 + str(number): 1 for number in range(5000)}])
    _, found = check_message(entry, "messages[0]")
    assert 1 <= len(found) <= 20
    assert all(len(problem.path) < 200 for problem in found)


def test_what_is_wrong_is_told_without_showing_secrets():
    entry = hook(url="https://user:hunter2@example.com/", headers={"Authorization": "hunter2\n"})
    assert "hunter2" not in str(check_message(entry, "messages[0]")[1])


anything = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.decimals(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from([*MESSAGE, *MENU, *HOOK, "d1"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(anything, st.sampled_from([message, menu, hook]), st.sampled_from([*MESSAGE, *MENU, *HOOK]))
def test_whatever_is_sent_is_checked_or_refused_with_a_path(value, make, name):
    model, found = check_message(make(**{name: value}), "messages[0]")
    assert (model is None) == bool(found)
    assert all(problem.path.startswith("messages[0]") and problem.message for problem in found)
