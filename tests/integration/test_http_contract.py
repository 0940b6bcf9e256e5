"""What holds of every request and every answer, whatever is sent."""

import base64
import copy
import json
import string
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from speechcall.accounts.rules.account import Account
from speechcall.api.rules import answers
from speechcall.api.use_cases.request_problems import shown
from speechcall.requests.use_cases import field_checks
from tests.kit.http_api import NUMBER, SPEC, specification

BODIES = {name: specification(name) for name in ("basic-structure", "simple", "complex", "curl")}
VALID: dict[str, Any] = BODIES["complex"]
TYPES: dict[str, TypeAdapter[Any]] = {
    "accepted": TypeAdapter(answers.Accepted),
    "checked": TypeAdapter(answers.Checked),
    "error": TypeAdapter(answers.Error),
    "message": TypeAdapter(answers.MessageStatus),
    "list": TypeAdapter(answers.ListStatus),
}


def as_documented(answer, kind="accepted"):
    """The answer's content, which has every documented member and no other."""
    TYPES[kind if answer.status == 200 else "error"].validate_json(answer.text, strict=True)
    assert answer.headers["Content-Type"] == "application/json"
    return answer.json


# ------------------------------------------------------------ what may be sent
names = st.one_of(
    st.sampled_from(
        ["messages", "campaign", "from", "to", "text", "type", "menu", "introUrl", "idleTimeoutMsec", "dtmfActions"]
    ),
    st.sampled_from(["d1", "d#", "wrong", "d10", "action", "url", "body", "headers", "webhook", "hangup", "gotoMenu"]),
    st.text(max_size=4),
    st.sampled_from(["[key]", "a.b", "messages[0]", "campaign", "ключ" * 40]),
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-2, 200_000),
    st.sampled_from([2**70, -(10**300), 1.5, 1e300]),
    st.text(max_size=6),
    st.sampled_from(
        ["speechcall", NUMBER, "ivr_651854", "ivr_1", "http://localhost/1", "http://[::1", "http://10.0.0.1/"]
    ),
    st.sampled_from(["webhook", "hangup", "gotoMenu", "x" * 3000]),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(names, inner, max_size=4)),
    max_leaves=15,
)
texts = st.recursive(
    st.sampled_from(
        ["1", "-0", "1.0", "1e5", "1e999999999", "1e-9999999999999999999", "NaN", "null", '"\\ud800"', '"a"']
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{','.join(parts)}]"),
        st.lists(st.tuples(st.sampled_from(["messages", "a"]), inner), max_size=3).map(
            lambda pairs: "{" + ",".join(f'"{name}":{value}' for name, value in pairs) + "}"
        ),
    ),
    max_leaves=6,
)


def places(value, above=()):
    """Where a value and everything in it stands."""
    yield above
    for name, inner in (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    ):
        yield from places(inner, (*above, name))


def at(body, place):
    for part in place:
        body = body[part]
    return body


def changed(body, place, value):
    """A copy with another value at a place (not the root)."""
    copied = copy.deepcopy(body)
    at(copied, place[:-1])[place[-1]] = value
    return copied


@st.composite
def mutations(draw, bodies=None, minimum=1):
    """A valid body, a copy of it with one member changed, taken out or added, and where that was."""
    body = draw(st.sampled_from(bodies or [*BODIES.values()]))
    place = draw(st.sampled_from([one for one in places(body) if len(one) >= minimum]))
    kind = draw(st.sampled_from(["change", "change", "remove", "add"]))
    found = at(body, place)
    if kind == "add" and isinstance(found, dict):
        place = (*place, draw(names))
        assume(place[-1] not in found)
        return body, changed(body, place, draw(values)), place
    if kind == "remove":
        copied = copy.deepcopy(body)
        del at(copied, place[:-1])[place[-1]]
        return body, copied, place
    return body, changed(body, place, draw(values)), place


as_json = st.one_of(values, st.builds(lambda inner: {"messages": inner}, values)).map(
    lambda value: json.dumps(value).encode()
)
one_body = st.one_of(
    st.binary(max_size=40),
    st.text(alphabet=string.printable, max_size=40).map(str.encode),
    texts.map(str.encode),
    as_json,
    mutations().map(lambda drawn: json.dumps(drawn[1]).encode()),
    st.lists(mutations(minimum=3), min_size=1, max_size=3).map(
        lambda drawn: json.dumps(
            {"messages": [*VALID["messages"], *(at(one[1], ("messages", 0)) for one in drawn)]}
        ).encode()
    ),
)
quickly = settings(max_examples=45, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


# -------------------------------------------------------- paths, as a client reads them
def reaches(value, path):
    """Whether a path leads to a value, or to an object that lacks exactly its last name.

    A name may hold dots and brackets, and a long one is cut: so every member that fits is tried.
    """
    if not path:
        return True
    if isinstance(value, list):
        number, bracket, rest = path[1:].partition("]") if path.startswith("[") else ("", "", "")
        return bool(bracket) and number.isdigit() and int(number) < len(value) and reaches(value[int(number)], rest)
    if not isinstance(value, dict) or not path.startswith("."):
        return False
    fitting = [name for name in value if path[1:].startswith(shown(name))]
    if any(reaches(value[name], path[1 + len(shown(name)) :]) for name in fitting):
        return True
    return path[1:] in {"messages", "from", "to", "text", "type", "menu", "introUrl", "dtmfActions", "url"}


def paths_of(content):
    """Every path in an answer."""
    if isinstance(content, list):
        return [path for inner in content for path in paths_of(inner)]
    if not isinstance(content, dict):
        return []
    own = [content["path"]] if "path" in content else []
    return own + [path for name, inner in content.items() if name != "path" for path in paths_of(inner)]


def assert_paths_lead_somewhere(answer, body):
    for path in paths_of(answer):
        assert reaches(body, f".{path}" if path else ""), path


# ----------------------------------------------------------------------- anything
@quickly
@given(one_body)
def test_nothing_that_is_sent_is_our_failure_or_stored_without_an_answer(api, body):
    api.reset()
    before = api.stored()
    answer = api.post(body)
    content = as_documented(answer)
    event(f"answered {answer.status}")
    assert answer.status in (200, 400, 413), answer
    after = api.stored()
    if answer.status == 200:
        sent = [one["messageId"] for one in content["messages"] if one["status"] == "sent"]
        assert sent
        assert api.message_ids() == set(sent)
        assert content.get("rejected", 0) == len(content["messages"]) - len(sent)
    else:
        assert after == before
    if answer.status == 200 or content["error"]["code"] != "MALFORMED_JSON":
        assert_paths_lead_somewhere(content, json.loads(body))


@quickly
@given(one_body)
def test_a_check_judges_as_sending_does_and_stores_nothing(api, body):
    api.reset()
    before = stored(api)
    checked = api.post(body, path="/bat/messagelist/check")
    content = as_documented(checked, "checked")
    assert stored(api) == before
    sent = api.post(body)
    if checked.status != 200:
        assert sent.status == checked.status
        assert sent.json == content
    elif sent.status == 200:
        verdicts = [one["status"] == "sent" for one in sent.json["messages"]]
        assert [one["status"] == "acceptable" for one in content["messages"]] == verdicts
        assert [warnings_of(one) for one in content["messages"]] == [warnings_of(one) for one in sent.json["messages"]]
    else:
        assert content["rejected"] == len(content["messages"])


def stored(api):
    """What is stored, but for the key of the digests, which the first use of a stack makes."""
    return {place: item for place, item in api.stored().items() if place[1] != "DIGEST_KEY"}


def warnings_of(entry):
    """What is said of a message, but for what only a check says."""
    return [one for one in entry.get("warnings", []) if one["code"] != "NO_OPT_OUT_KEY"]


@quickly
@given(mutations(minimum=2))
def test_what_is_wrong_is_told_where_it_is_and_putting_it_back_is_enough(api, drawn):
    body, mutated, place = drawn
    api.reset()
    answer = api.post(mutated)
    event(f"answered {answer.status}")
    if answer.status == 200:
        return
    told = paths_of(answer.json)
    assert told
    assert_paths_lead_somewhere(answer.json, mutated)
    # By what an action is called all its members are judged: a hangup has no url.
    wrong = written(place[:-1] if place[-1] == "action" else place)
    for path in told:
        # At the place or in it; or a whole that its part makes too large; or the gotoMenu whose menu was taken out
        assert path.startswith(wrong) or wrong.startswith(path) or path.endswith("[0].menu"), (path, wrong)
    repaired = copy.deepcopy(mutated)
    put_back(repaired, body, place)
    assert repaired == body
    assert api.post(repaired).status == 200


def put_back(body, original, place):
    """The original's member at one place, or none if it had none."""
    above, last = at(body, place[:-1]), place[-1]
    source = at(original, place[:-1])
    if isinstance(source, list):
        if len(above) < len(source):
            above.insert(last, copy.deepcopy(source[last]))
        else:
            above[last] = copy.deepcopy(source[last])
    elif last in source:
        above[last] = copy.deepcopy(source[last])
    else:
        del above[last]


def written(place):
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{shown(part)}" for part in place)
    return text.removeprefix(".")


@pytest.mark.parametrize("body", [None, [], 7, "messages", [VALID]])
def test_a_body_that_is_no_object_is_wrong_as_a_whole(api, body):
    answer = api.post(body)
    assert answer.status == 400
    assert answer.json["error"]["code"] == "INVALID_REQUEST"
    assert paths_of(answer.json) == [""]


# ------------------------------------------------------- the specification, as printed
@pytest.mark.parametrize("name", ["basic-structure", "simple"])
def test_a_body_of_the_specification_is_accepted_byte_for_byte(api, name):
    answer = api.post((SPEC / f"{name}.json").read_bytes())
    (message,) = as_documented(answer)["messages"]
    assert answer.status == 200
    assert message["status"] == "sent"
    assert message["recipient"] == NUMBER


@pytest.mark.parametrize("name", ["complex", "curl"])
def test_a_body_with_a_placeholder_lacks_nothing_but_the_number(api, name):
    answer = api.post((SPEC / f"{name}.json").read_bytes())
    error = as_documented(answer)["error"]
    assert answer.status == 400
    assert error["code"] == "INVALID_RECIPIENT"
    assert [(one["code"], one["path"]) for one in error["details"]] == [("INVALID_RECIPIENT", "messages[0].to")]


# ------------------------------------------------------------- refusals of other kinds
def test_too_many_messages_are_429_with_a_retry_after_that_is_true(api):
    entry = BODIES["simple"]["messages"][0]
    # So slow that the bucket is not full again before the next request, however slow the machine is.
    api.reset(Account("acme", ("*",), rate=1, burst=100))
    begin = time.monotonic()
    assert api.post({"messages": [entry] * 100}).status == 200
    before = api.stored()
    answer = api.post({"messages": [entry] * 100}, idempotency_key="k")
    assert answer.status == 429
    assert as_documented(answer)["error"]["code"] == "RATE_LIMITED"
    took = time.monotonic() - begin
    assert 99 - took <= int(answer.headers["Retry-After"]) <= 100
    assert api.stored() == before


def test_a_key_with_another_body_is_422_and_with_the_same_the_same_answer(api):
    first = api.post(BODIES["simple"], idempotency_key="k")
    before = api.stored()
    other = api.post(BODIES["complex"], idempotency_key="k")
    assert other.status == 422
    assert as_documented(other)["error"]["code"] == "IDEMPOTENCY_KEY_REUSED"
    assert api.post(BODIES["simple"], idempotency_key="k").text == first.text
    assert api.stored() == before


def test_a_repeat_is_answered_although_a_release_has_become_stricter_meanwhile(api, monkeypatch):
    body = copy.deepcopy(BODIES["simple"])
    hook = {"action": "webhook", "url": "https://a.example/", "headers": {"X-A": "1", "x-a": "2"}}
    body["messages"][0]["menu"][0]["dtmfActions"]["d9"] = [hook]
    with monkeypatch.context() as before:
        before.setattr(field_checks, "repeated", lambda _names: None)
        first = api.post(body, idempotency_key="k")
    assert first.status == 200
    stored = api.stored()
    assert api.post(body).status == 400
    assert api.post(body, idempotency_key="k").text == first.text
    assert api.stored() == stored


@pytest.mark.parametrize("path", ["/bat/messagelist", "/bat/messagelist/check"])
def test_strict_is_a_word_of_the_query(api, path):
    key, entry = {"x-authorization-key": "acme-key"}, BODIES["simple"]["messages"][0]
    body = json.dumps({"messages": [entry, {**entry, "colour": 7}]}).encode()
    kind, taken = ("checked", "acceptable") if path.endswith("check") else ("accepted", "sent")
    for query, verdicts in (
        ("", [taken, taken]),
        ("?strict=false", [taken, taken]),
        ("?strict=true", [taken, "rejected"]),
    ):
        answered = as_documented(api.ask("POST", path + query, key, body), kind)["messages"]
        assert [one["status"] for one in answered] == verdicts
        assert all(one["error"]["code"] == "UNKNOWN_FIELD" for one in answered if one["status"] == "rejected")
    before = api.stored()
    for query, wrong in (("?strict=yes", "strict"), ("?strict", "strict"), ("?Strict=true", "Strict")):
        error = as_documented(api.ask("POST", path + query, key, body))["error"]
        assert (error["code"], paths_of(error)) == ("INVALID_REQUEST", [wrong])
    assert api.stored() == before


@pytest.mark.parametrize("path", ["/bat/messagelist", "/bat/messagelist/check"])
def test_who_is_unknown_is_told_nothing_else(api, path):
    for body in (BODIES["simple"], b"{", b" " * (1024 * 1024 + 1)):
        answer = api.post(body, path=path, user="nobody")
        assert answer.status == 401
        assert as_documented(answer)["error"]["code"] == "UNAUTHORIZED"
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")


def test_an_account_is_entered_with_its_own_credentials_alone_whatever_it_is_called(api):
    # Given accounts that are called as the absence of one might be
    names = ["nobody", "none", "null", "anonymous", "unknown", "CREDENTIAL", "ACCOUNTS"]
    api.reset(*(Account(name, ("*",)) for name in names))
    for name in names:
        # Then only what was given out opens them
        assert api.post(BODIES["simple"], user=name).status == 200
        for headers in (
            {"x_authorization_key": name, "authorization": ""},
            {"authorization": basic(f"anyone:{name}")},
            {"authorization": basic(f"@:{name}")},
            {"authorization": basic(f"{name}:{name}")},
        ):
            answer = api.post(BODIES["simple"], **headers)
            assert (answer.status, as_documented(answer)["error"]["code"]) == (401, "UNAUTHORIZED"), headers


def basic(text):
    return "Basic " + base64.b64encode(text.encode()).decode()


# -------------------------------------------------- answers that must fit into the store
def long_answers():
    """Requests with one good message whose answers would be long."""
    good = BODIES["simple"]["messages"][0]
    menu = good["menu"][0]
    noise = {f"{number:02}{'ї' * 60}": 0 for number in range(20)}
    broken = good | {"menu": [menu | noise]}
    hooks = [{"action": "webhook", "url": "x"}] * 10
    return {
        "recipient": [good, good | {"to": "x" * 900_000}],
        "unknown members": [good | noise] * 90,
        "wrong members": [good, *[broken] * 90],
        "wrong actions": [good, *[good | {"menu": [menu | {"dtmfActions": {"d1": hooks, "d2": hooks}}]}] * 99],
        "targets": [
            good,
            *[
                good | {"menu": [menu | {"dtmfActions": {"d1": [{"action": "gotoMenu", "menu": 10**4000}]}}]}
                for _ in range(99)
            ],
        ],
        "introductions": [
            good,
            *[
                good | {"menu": [menu | {"introUrl": f"{one}{two}{'x' * 50}"} for two in range(20)]}
                for one in range(10)
            ],
        ],
    }


@pytest.mark.parametrize("kind", long_answers())
def test_a_good_message_is_accepted_whatever_must_be_said_about_the_others(api, kind):
    messages = long_answers()[kind]
    assert len(json.dumps({"messages": messages}, ensure_ascii=False).encode()) < 1024 * 1024
    answer = api.post(json.dumps({"messages": messages}, ensure_ascii=False).encode(), idempotency_key="k")
    content = as_documented(answer)
    assert answer.status == 200
    assert content["messages"][0]["status"] == "sent"
    assert len(answer.text) < 2_000_000
    repeat = api.post(json.dumps({"messages": messages}, ensure_ascii=False).encode(), idempotency_key="k")
    assert repeat.text == answer.text


def test_a_good_message_is_accepted_by_an_account_with_many_destinations_and_senders(api):
    prefixes = (*(f"+38{number:04}" for number in range(1000)), NUMBER)
    api.reset(Account("acme", prefixes, senders={"BazarCOM": "+1", **{f"{'s' * 60}{one}": "+1" for one in range(500)}}))
    good = BODIES["simple"]["messages"][0]
    answer = api.post({"messages": [good, *[good | {"to": "+4930123456", "from": "x"}] * 99]})
    assert answer.status == 200
    assert as_documented(answer)["rejected"] == 99
    assert len(answer.text) < 500_000
