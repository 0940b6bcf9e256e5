"""A field that is nearly a known one is refused: a brake that is mistyped would let the phone ring."""

import json
import string
from typing import Any, get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from speechcall.accounts.rules.account import Account
from speechcall.api.use_cases.query import truth
from speechcall.api.use_cases.request_problems import KNOWN_NAMES, MAX_PROBLEMS
from speechcall.requests.use_cases.accept_messages import check_messages
from speechcall.requests.use_cases.action_models import (
    GotoMenuModel,
    HangupModel,
    LookupModel,
    OptOutModel,
    WebhookModel,
)
from speechcall.requests.use_cases.consent_model import ConsentModel
from speechcall.requests.use_cases.fallback_model import FallbackModel
from speechcall.requests.use_cases.hours_model import WindowModel
from speechcall.requests.use_cases.input_model import InputModel
from speechcall.requests.use_cases.play_model import PlayPartModel
from speechcall.requests.use_cases.redial_model import RedialModel
from speechcall.requests.use_cases.repeat_model import RepeatModel
from speechcall.requests.use_cases.request_models import Key, MenuModel
from speechcall.requests.use_cases.request_schema import MESSAGE_FIELDS
from speechcall.requests.use_cases.say_model import SayModel
from speechcall.shared.rules.errors import InvalidRequest, RequestError
from speechcall.shared.rules.spelling import Names
from tests.kit.samples import FakeClock
from tests.stores.lists import MemoryLists

ACME = Account("acme", ("*",))
HANGUP = {"action": "hangup"}
HOOK = {"action": "webhook", "url": "https://api.example.com/"}
MENU = {"introUrl": "ivr_651854", "dtmfActions": {"d1": [HANGUP], "wrong": [HANGUP]}}
MESSAGE = {"from": "BazarCOM", "to": "+380671234567", "text": "ivr", "type": "speechcall", "menu": [MENU]}
SAY = {"text": "Good morning.", "language": "en-GB"}
NAMES = Names(MESSAGE_FIELDS)
LONG = [name for name in MESSAGE_FIELDS if len(name) > 2]
LETTERS = string.ascii_letters + string.digits + "_- .жß\u200b\uff41"


def checked(*messages, strict=False, **around):
    body = json.dumps({"messages": [*messages], **around}).encode()
    lists = MemoryLists({("acme", "ivr_651854")})
    answer: Any = check_messages(ACME, body, prompts=lists, clock=FakeClock(), strict=strict)
    return answer["messages"]


def told(message, strict=False):
    """The verdict on the names of a message's fields: what it was refused for, or warned of."""
    (one,) = checked(message, strict=strict)
    if one["status"] == "rejected":
        return {(problem["path"], problem["message"]) for problem in one["error"].get("details", [one["error"]])}
    return [warning for warning in one.get("warnings", []) if warning["code"] != "NO_OPT_OUT_KEY"]


# -------------------------------------------------------------------- the rule
@given(st.sampled_from(LONG), st.data())
def test_each_single_edit_of_a_known_field_is_refused_and_its_name_is_told(known, data):
    kind = data.draw(st.sampled_from(["insert", "delete", "substitute", "transpose"]))
    at = data.draw(st.integers(0, len(known) - (kind != "insert") - (kind == "transpose")))
    letter = data.draw(st.sampled_from(LETTERS))
    match kind:
        case "insert":
            name = known[:at] + letter + known[at:]
        case "delete":
            name = known[:at] + known[at + 1 :]
        case "substitute":
            name = known[:at] + letter + known[at + 1 :]
        case _:
            name = known[:at] + known[at + 1] + known[at] + known[at + 2 :]
    assume(name not in MESSAGE_FIELDS)
    assert NAMES.meant_by(name) is not None
    assert (f"messages[0].{name}", "did you mean") in {
        (path, "did you mean" if "did you mean" in text else text) for path, text in told({**MESSAGE, name: 1})
    }


@given(st.sampled_from(MESSAGE_FIELDS), st.data())
def test_so_is_what_differs_in_case_signs_or_a_final_s(known, data):
    parts = [data.draw(st.sampled_from([letter, letter.upper(), f"_{letter}", f"-{letter}"])) for letter in known]
    name = "".join(parts) + data.draw(st.sampled_from(["", "s", "S", "_s", "_", "-"]))
    assume(name not in MESSAGE_FIELDS)
    assert NAMES.meant_by(name) == known


def distance(one, other):
    """Damerau's, of neighbours."""
    rows = [list(range(len(other) + 1))]
    for i, a in enumerate(one, 1):
        row = [i]
        for j, b in enumerate(other, 1):
            least = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and one[i - 2] == b:
                least = min(least, rows[-2][j - 2] + 1)
            row.append(least)
        rows.append(row)
    return rows[-1][-1]


@given(
    st.text(string.ascii_lowercase, max_size=9)
    | st.sampled_from(LONG).flatmap(
        lambda known: st.lists(st.sampled_from(string.ascii_letters), min_size=2, max_size=3).map(
            lambda letters: known[:1] + "".join(letters) + known[3:]
        )
    )
)
def test_what_is_two_edits_away_is_not_refused(name):
    assume(all(distance(name.casefold(), known.casefold()) > 1 for known in MESSAGE_FIELDS))
    assume(name[::-1] not in MESSAGE_FIELDS)
    assert NAMES.meant_by(name) is None


@given(st.text(string.ascii_lowercase, max_size=6), st.text(string.ascii_lowercase, max_size=6))
def test_one_edit_is_what_a_table_of_distances_says(name, known):
    assume(name != known)
    assume(len(known) > 2)
    assert (Names([known]).meant_by(name) is not None) == (distance(name, known) <= 1)


@pytest.mark.parametrize("name", ["To", "TO", "t_o", "tos", "ot", "to_", "to "])
def test_a_name_of_two_letters_is_taken_for_no_other_word(name):
    assert NAMES.meant_by(name) == "to"


@pytest.mark.parametrize("name", ["t", "o", "no", "do", "id", "it", "top", "too", "two", "so", "tr", "", "_", "--"])
def test_nor_is_a_word_of_a_few_letters_taken_for_it(name):
    assert NAMES.meant_by(name) is None


# What the vendor's other messages, its other interfaces and its older ones call things.
OF_THE_VENDOR = [
    *("recipient", "messageData", "messagelistId", "messageId", "status", "parts", "callerId", "pattern"),
    *("id", "fromName", "toPhone", "messageType", "scheduledSent", "sheduledSent", "scheduledTime", "trackinId"),
    *("variables", "value", "name", "sender", "recipients", "start_time", "sequence_id", "sms", "viber", "rcs"),
    *("version", "login", "password", "command", "message", "phone", "voice", "hook", "dtmf", "key", "signature"),
    *("deliverystatus", "partscount", "cost", "timestamp", "extendedStatuses", "rate", "rateAmount"),
    *("rateCurrency", "billAmount", "billCurrency", "pipeline", "order", "failoverOnStatuses", "expireOnDelivery"),
    *("externalMessageId", "callbackUrl", "callbackEvents", "custom_id", "job_id", "audio_id", "maxRetry"),
    *("retryAfter", "repeatKey", "maxRepeat", "optOutKey", "checkOptOut", "uid", "url", "body", "headers", "action"),
]


@pytest.mark.parametrize("name", OF_THE_VENDOR)
def test_what_the_vendors_family_calls_something_is_warned_of_as_before(name):
    (warning,) = told({**MESSAGE, name: "x"})
    assert (warning["code"], warning["path"]) == ("UNKNOWN_FIELD", f"messages[0].{name}")


def test_the_names_of_each_place_are_those_of_its_model():
    models: dict[str, Any] = {
        "fallback": FallbackModel,
        "redial": RedialModel,
        "consent": ConsentModel,
        "windows[]": WindowModel,
        "menu[]": MenuModel,
        "repeat": RepeatModel,
        "input": InputModel,
        "play[]": PlayPartModel,
        "say": SayModel,
        "webhook": WebhookModel,
        "hangup": HangupModel,
        "gotoMenu": GotoMenuModel,
        "optOut": OptOutModel,
        "lookup": LookupModel,
    }
    keys = tuple(key for key in get_args(Key) if key.isalnum())
    found = {
        place: tuple(one.alias or name for name, one in model.model_fields.items()) for place, model in models.items()
    }
    assert {**found, "dtmfActions.key": keys} == KNOWN_NAMES


# ----------------------------------------------------------------- requests
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        *(("TTL", "ttl"), ("ttls", "ttl"), ("tll", "ttl"), ("re_dial", "redial"), ("redail", "redial")),
        *(("fallbacks", "fallback"), ("fall_back", "fallback")),
        *(("ringTimeoutSecs", "ringTimeoutSec"), ("ring_timeout_sec", "ringTimeoutSec")),
        *(("silent-repeats", "silentRepeats"), ("sendat", "sendAt"), ("window", "windows"), ("time_zone", "timeZone")),
    ],
)
def test_a_brake_that_is_mistyped_is_refused_at_its_place_and_the_others_are_sent(name, meant):
    refused, sent = checked({**MESSAGE, name: 60}, MESSAGE)
    assert refused["error"] == {
        "code": "UNKNOWN_FIELD",
        "path": f"messages[0].{name}",
        "message": f"is not known here; did you mean {meant}?",
    }
    assert sent["status"] == "acceptable"


def test_one_behind_any_number_of_others_is_found():
    noise = {f"noise{number}": 1 for number in range(3 * MAX_PROBLEMS)}
    assert told({**MESSAGE, **noise, "TTL": 60}) == {("messages[0].TTL", "is not known here; did you mean ttl?")}
    assert len(told({**MESSAGE, **noise})) == MAX_PROBLEMS
    assert len(told({**MESSAGE, **noise}, strict=True)) == MAX_PROBLEMS


def test_a_required_field_that_is_mistyped_is_told_with_what_is_missing():
    mistyped = {name.replace("from", "form"): value for name, value in MESSAGE.items()}
    (refused,) = checked(mistyped)
    assert refused["error"]["code"] == "INVALID_SENDER"
    assert ("messages[0].form", "is not known here; did you mean from?") in told(mistyped)


@pytest.mark.parametrize(
    ("around", "strict", "message"),
    [
        ({"message": []}, False, "is not known here; did you mean messages?"),
        ({"Messages": []}, False, "is not known here; did you mean messages?"),
        ({"campaignName": "x"}, True, "is not known here, and strict=true refuses that"),
    ],
)
def test_around_the_messages_it_is_the_same(around, strict, message):
    with pytest.raises(InvalidRequest) as refused:
        checked(MESSAGE, strict=strict, **around)
    (problem,) = refused.value.problems
    assert (problem.code, problem.path, problem.message) == ("UNKNOWN_FIELD", next(iter(around)), message)
    assert refused.value.code == "UNKNOWN_FIELD"


def test_without_messages_the_name_that_was_meant_is_told_too():
    with pytest.raises(InvalidRequest) as refused:
        check_messages(ACME, json.dumps({"Messages": [MESSAGE]}).encode(), prompts=MemoryLists(), clock=FakeClock())
    assert [(one.code, one.path) for one in refused.value.problems] == [
        ("INVALID_REQUEST", "messages"),
        ("UNKNOWN_FIELD", "Messages"),
    ]


def test_strictly_each_unknown_field_is_refused_and_what_is_known_is_taken():
    assert told({**MESSAGE, "colour": 7}, strict=True) == {
        ("messages[0].colour", "is not known here, and strict=true refuses that")
    }
    assert [one["code"] for one in told({**MESSAGE, "colour": 7})] == ["UNKNOWN_FIELD"]
    full = {"customerMessageId": "x", "ttl": 60, "ringTimeoutSec": 20, "silentRepeats": 1, "redial": {"attempts": 1}}
    assert told({**MESSAGE, **full}, strict=True) == []


@pytest.mark.parametrize(
    ("change", "path", "message"),
    [
        ({"redial": {"attempts": 1, "afterSecs": [60]}}, "redial.afterSecs", "did you mean afterSec?"),
        ({"menu": [MENU | {"introURL": "a"}]}, "menu[0].introURL", "did you mean introUrl?"),
        ({"menu": [MENU | {"idle_timeout_msec": 5}]}, "menu[0].idle_timeout_msec", "did you mean idleTimeoutMsec?"),
        (
            {"menu": [{"say": SAY | {"Voice": "Amy"}, "dtmfActions": {}}]},
            "menu[0].say.Voice",
            "did you mean voice?",
        ),
        ({"menu": [MENU | {"dtmfActions": {"D1": []}}]}, "menu[0].dtmfActions.D1", "is no key; did you mean d1?"),
        (
            {"menu": [MENU | {"dtmfActions": {"wrongs": []}}]},
            "menu[0].dtmfActions.wrongs",
            "is no key; did you mean wrong?",
        ),
        (
            {"menu": [MENU | {"dtmfActions": {"d1": [HOOK | {"header": {}}]}}]},
            "menu[0].dtmfActions.d1[0].header",
            "did you mean headers?",
        ),
        (
            {"menu": [MENU | {"dtmfActions": {"d1": [{"action": "gotoMenu", "menu": 0, "menus": 1}]}}]},
            "menu[0].dtmfActions.d1[0].menus",
            "did you mean menu?",
        ),
        (
            {"menu": [MENU | {"dtmfActions": {"d9": [{"action": "optOut", "lists": "news"}]}}]},
            "menu[0].dtmfActions.d9[0].lists",
            "did you mean list?",
        ),
    ],
)
def test_where_no_unknown_name_is_taken_the_near_one_is_told(change, path, message):
    ((found, text),) = told({**MESSAGE, **change})
    assert found == f"messages[0].{path}"
    assert text.endswith(message)


# -------------------------------------------------------------- ?strict=…
@pytest.mark.parametrize(
    ("query", "is_strict"), [({}, False), ({"strict": "true"}, True), ({"strict": "false"}, False)]
)
def test_strict_is_asked_for(query, is_strict):
    assert truth(query, "strict") is is_strict


@pytest.mark.parametrize(
    "query",
    [
        *({"strict": given} for given in ("", "1", "yes", "True", "TRUE", " true", "true,true", "true,false", "null")),
        *({name: "true"} for name in ("Strict", "STRICT", "strict[]", "strict ")),
    ],
)
def test_what_strict_cannot_be_is_refused(query):
    with pytest.raises(RequestError) as refused:
        truth(query, "strict")
    (problem,) = refused.value.problems
    assert (refused.value.status, problem.code, problem.path) == (400, "INVALID_REQUEST", next(iter(query)))
