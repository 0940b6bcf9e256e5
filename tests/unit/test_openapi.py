"""The API's description: as the code is, valid, and with nothing left out."""

import json
import re
from pathlib import Path

import pytest
import yaml
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from local.cloud.template import Template
from local.tools import openapi
from speechcall.api.use_cases.openapi import openapi_text
from speechcall.menus.rules.menu import KEYS, WRONG
from speechcall.requests.use_cases.request_models import MessageModel

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
USE_CASES = sorted((ROOT / "layers" / "core" / "speechcall").glob("*/use_cases/*.py"))
CONNECT_ARN = "arn:aws:connect:eu-central-1:123456789012:instance/9308c2a1-9bc6-4cea-8290-6c0b4a6d38fa"
DOCUMENT = openapi.describe()
SCHEMAS = DOCUMENT["components"]["schemas"]
OPERATIONS = {
    f"{method.upper()} {path}": operation
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
}


STOPPED = ["200", "400", "401", "403", "404", "413", "415", "429", "500"]
FINAL = ["200", "400", "401", "403", "404", "409", "413", "415", "429", "500"]
WHAT_STOPS = ("messagelist/{messagelistId}", "campaign/{campaign}")


def is_valid(schema, value):
    registry = Registry().with_resource("openapi", DRAFT202012.create_resource(DOCUMENT))
    return Draft202012Validator({"$ref": f"openapi#/components/schemas/{schema}"}, registry=registry).is_valid(value)


@pytest.mark.parametrize("path", openapi.texts(), ids=lambda path: path.name)
def test_the_written_description_is_that_of_the_code(path):
    assert path.read_text(encoding="utf-8") == openapi.texts()[path], "run `make openapi`"


def test_both_files_say_the_same():
    assert yaml.safe_load((ROOT / "docs" / "openapi.yaml").read_text(encoding="utf-8")) == json.loads(openapi_text())


def test_it_is_valid_openapi():
    assert list(OpenAPIV31SpecValidator(DOCUMENT).iter_errors()) == []
    for schema in SCHEMAS.values():
        Draft202012Validator.check_schema(schema)


def test_every_schema_is_used():
    text = json.dumps(DOCUMENT)
    assert [name for name in SCHEMAS if f'"#/components/schemas/{name}"' not in text] == []


def test_every_answer_is_typed_where_it_is_made():
    sources = "".join(path.read_text(encoding="utf-8") for path in USE_CASES)
    returned = set(re.findall(r'-> "(?:answers\.)?(\w+)":', sources))
    assert [one.__name__ for one in openapi.ANSWERS if one.__name__ not in returned] == []


def test_it_has_the_routes_of_the_template():
    template = Template(ROOT / "template.yaml", {"ConnectInstanceArn": CONNECT_ARN, "CallerId": "+4930123456"})
    routes = {
        f"{event.properties['Method']} {event.properties['Path']}"
        for function in template.functions.values()
        for event in function.events
        if event.type == "HttpApi"
    }
    assert set(OPERATIONS) == routes


def test_every_status_that_can_occur_is_there():
    found = {route: sorted(operation["responses"]) for route, operation in OPERATIONS.items()}
    heads = {route: found.pop(route) for route in list(found) if route.startswith("HEAD ")}
    assert heads == {route.replace("GET ", "HEAD "): found[route] for route in found if route.startswith("GET ")}
    assert found == {
        "POST /bat/messagelist": ["200", "400", "401", "403", "409", "413", "415", "422", "429", "500"],
        "POST /bat/messagelist/check": ["200", "400", "401", "403", "413", "415", "429", "500"],
        "GET /bat/messagelist": ["200", "400", "401", "403", "404", "429", "500"],
        "GET /bat/campaign": ["200", "400", "401", "403", "429", "500"],
        "GET /bat/campaign/{campaign}": ["200", "401", "403", "404", "429", "500"],
        "GET /bat/messagelist/{messagelistId}": ["200", "400", "401", "403", "404", "429", "500"],
        "GET /bat/messagelist/{messagelistId}/export": ["200", "400", "401", "403", "404", "429", "500"],
        "GET /bat/campaign/{campaign}/export": ["200", "400", "401", "403", "404", "429", "500"],
        "GET /bat/message/{messageId}/call": ["200", "400", "401", "403", "404", "409", "429", "500"],
        "GET /bat/message/{messageId}": ["200", "400", "401", "403", "404", "429", "500"],
        "POST /bat/message/{messageId}/webhooks/replay": ["202", "400", "401", "403", "404", "409", "429", "500"],
        "POST /bat/message/{messageId}/cancel": ["200", "202", *STOPPED[1:]],
        **{f"POST /bat/{what}/cancel": STOPPED for what in WHAT_STOPS},
        **{f"POST /bat/{what}/{verb}": FINAL for what in WHAT_STOPS for verb in ("pause", "resume")},
        "GET /bat/audio": ["200", "401", "403", "429", "500"],
        "PUT /bat/audio/{introId}": ["200", "400", "401", "403", "404", "413", "415", "422", "429", "500"],
        "GET /bat/audio/{introId}": ["200", "400", "401", "403", "404", "429", "500"],
        "DELETE /bat/audio/{introId}": ["200", "400", "401", "403", "404", "429", "500"],
        "POST /bat/audio/{introId}/upload": ["200", "400", "401", "403", "404", "413", "415", "429", "500"],
        "POST /bat/optout": ["200", "400", "401", "403", "413", "415", "429", "500"],
        "GET /bat/optout": ["200", "400", "401", "403", "429", "500"],
        "POST /bat/optout/find": ["200", "400", "401", "403", "413", "415", "429", "500"],
        "POST /bat/optout/remove": ["200", "400", "401", "403", "404", "413", "415", "422", "429", "500"],
        "POST /bat/erasure": ["202", "400", "401", "403", "413", "415", "429", "500"],
        "GET /bat/erasure/{erasureId}": ["200", "401", "403", "404", "429", "500"],
        "POST /bat/person/export": ["202", "400", "401", "403", "413", "415", "429", "500"],
        "GET /bat/person/export/{exportId}": ["200", "400", "401", "403", "404", "429", "500"],
        "POST /bat/rehearsal": ["202", "400", "401", "403", "409", "413", "415", "429", "500"],
        "GET /bat/rehearsal/{rehearsalId}": ["200", "401", "403", "404", "429", "500"],
        "GET /bat/audio/{introId}/file": ["200", "307", "400", "401", "403", "404", "429", "500"],
        "GET /bat/account": ["200", "401", "403", "429", "500"],
        "POST /bat/account/webhook-secret": ["200", "400", "401", "403", "409", "413", "415", "429", "500"],
        "GET /bat/webhook": ["200", "400", "401", "403", "429", "500"],
        "POST /bat/webhook/replay": ["202", "400", "401", "403", "413", "415", "429", "500"],
        "GET /openapi.json": ["200", "429", "500"],
        "GET /keys.json": ["200", "429", "500"],
        "GET /health": ["200", "429", "500"],
        "GET /console": ["200", "304", "429", "500"],
        "GET /console/{file}": ["200", "304", "404", "429", "500"],
    }
    assert "Retry-After" in OPERATIONS["POST /bat/messagelist"]["responses"]["429"]["headers"]


def test_only_the_description_the_health_and_the_console_need_no_credentials():
    assert DOCUMENT["security"] == [{"basic": []}, {"key": []}]
    free = [route for route, operation in OPERATIONS.items() if not operation["security"]]
    open_to_all = ["/console", "/console/{file}", "/health", "/keys.json", "/openapi.json"]
    assert sorted(free) == [f"{method} {path}" for method in ("GET", "HEAD") for path in open_to_all]


def test_a_head_is_answered_as_the_get_but_for_the_body():
    for route, operation in OPERATIONS.items():
        if route.startswith("HEAD "):
            assert not any("content" in response for response in operation["responses"].values())
            get = OPERATIONS[route.replace("HEAD ", "GET ")]
            assert operation.get("parameters") == get.get("parameters")


@pytest.mark.parametrize("name", ["basic-structure", "simple", "complex", "curl"])
def test_the_specifications_bodies_are_its_examples(name):
    text = (ROOT / "events" / "spec" / f"{name}.json").read_text(encoding="utf-8")
    for route in ("POST /bat/messagelist", "POST /bat/messagelist/check"):
        example = OPERATIONS[route]["requestBody"]["content"]["application/json"]["examples"][name]["value"]
        assert example == json.loads(text.replace("+380XXXXXXXXX", "+380936670003"))
        assert is_valid("Messagelist", example)


PLAYS = {"introUrl": "a", "dtmfActions": {}}
SHARING = {"from": "Shop", "to": "+380936670003", "text": "ivr", "type": "speechcall"}
"""A message that has the menus of its list."""


@pytest.mark.parametrize(
    ("schema", "value", "valid"),
    [
        ("Messagelist", {"messages": []}, False),
        ("Menu", {"introUrl": "a", "dtmfActions": {key: [] for key in (*KEYS, WRONG)}}, True),
        ("Menu", {"introUrl": "a", "dtmfActions": {"d10": []}}, False),
        ("Menu", {"introUrl": "a b", "dtmfActions": {}}, False),
        ("Menu", {"say": {"text": "a", "language": "en-GB"}, "dtmfActions": {}}, True),
        ("Menu", {"say": {"text": "a", "language": "en-GB"}, "introUrl": None, "dtmfActions": {}}, True),
        ("Menu", {"say": {"text": "a", "language": "en-GB"}, "introUrl": "a", "dtmfActions": {}}, False),
        ("Menu", {"say": {"text": "a", "language": "uk-UA"}, "dtmfActions": {}}, False),
        ("Menu", {"say": None, "dtmfActions": {}}, False),
        ("Menu", {"introUrl": "a", "dtmfActions": {}, "more": 1}, False),
        ("Menu", {"introUrl": "a", "dtmfActions": {"d1": [{"action": "gotoMenu", "menu": "1"}]}}, True),
        ("Menu", {"introUrl": "a", "dtmfActions": {"d1": [{"action": "gotoMenu", "menu": "01"}]}}, False),
        ("Menu", {"introUrl": "a", "dtmfActions": {"d1": [{"action": "call"}]}}, False),
        ("Menu", {"introUrl": "a", "dtmfActions": {}, "idleTimeoutMsec": 180_000}, True),
        ("Menu", {"introUrl": "a", "dtmfActions": {}, "idleTimeoutMsec": 180_001}, False),
        ("Messagelist", {"messages": [SHARING]}, False),
        ("Messagelist", {"messages": [SHARING | {"menu": [PLAYS]}]}, True),
        ("Messagelist", {"messages": [SHARING | {"menu": [PLAYS], "vars": {"order": "1"}}]}, False),
        ("Messagelist", {"menus": [PLAYS], "messages": [SHARING, SHARING | {"menu": [PLAYS]}]}, True),
        ("Messagelist", {"menus": [PLAYS], "messages": [SHARING | {"vars": {"order": "1"}}]}, True),
        ("Messagelist", {"menus": [PLAYS], "messages": [SHARING | {"menu": [PLAYS], "vars": {"a": "1"}}]}, False),
        ("Messagelist", {"menus": [], "messages": [SHARING]}, False),
        ("Message", SHARING | {"vars": {"my order": "1"}}, False),
        ("Message", SHARING | {"vars": {"order": ""}}, False),
        ("Message", SHARING | {"vars": {"order": 1}}, False),
        ("Menu", PLAYS | {"introUrl": None, "play": [{"spell": "4{{order}}", "recordings": "uk_"}]}, True),
        ("Menu", PLAYS | {"introUrl": None, "play": [{"spell": "4{{or der}}", "recordings": "uk_"}]}, False),
        ("Menu", PLAYS | {"bargeIn": False}, True),
        ("Menu", PLAYS | {"bargeIn": "no"}, False),
        ("Menu", PLAYS | {"repeat": {"times": 2}}, True),
        ("Menu", PLAYS | {"repeat": {"times": 5, "introUrl": "b", "say": None}}, True),
        ("Menu", PLAYS | {"repeat": {"times": 5, "introUrl": "b", "play": [{"audio": "a"}]}}, False),
        ("Menu", PLAYS | {"repeat": {"times": 6}}, False),
        ("Menu", PLAYS | {"repeat": {"introUrl": "b"}}, False),
        ("Redial", {"attempts": 4, "afterSec": [60]}, True),
        ("Redial", {"attempts": 5}, False),
        ("Redial", {"attempts": 1, "afterSec": [59]}, False),
        ("ErrorAnswer", {"error": {"code": "X", "message": "x", "later": 1}}, True),
        ("ErrorAnswer", {"message": "x"}, False),
    ],
)
def test_the_schemas_judge_as_the_code_does(schema, value, valid):
    assert is_valid(schema, value) == valid


def test_ids_are_strings():
    for name in ("Sent", "MessageStatus", "Summary"):
        assert SCHEMAS[name]["properties"]["messageId"]["type"] == "string"
        assert re.fullmatch(SCHEMAS[name]["properties"]["messageId"]["pattern"], str(2**63 - 1))


def test_every_member_of_a_message_is_there():
    assert list(SCHEMAS["Message"]["properties"]) == [
        field.alias or name for name, field in MessageModel.model_fields.items()
    ]
    text = json.dumps(DOCUMENT)
    assert '"title"' not in text.replace('"title": "SpeechCall"', "")


# ------------------------------------------------------------------ generators of clients
def in_snake_case(name):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


def test_no_schema_has_a_member_of_its_own_name():
    """openapi-python-client makes `error = Error(error=error)` of such a one, in which mypy finds two types."""
    same = [
        name
        for name, schema in SCHEMAS.items()
        if in_snake_case(name) in map(in_snake_case, schema.get("properties", {}))
    ]
    assert same == []


def test_no_schema_has_alternatives_next_to_its_members():
    """A generator makes a class of each alternative, without the members that stand next to them."""
    assert [
        name for name, one in SCHEMAS.items() if "properties" in one and {"oneOf", "anyOf", "allOf"} & set(one)
    ] == []
