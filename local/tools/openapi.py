"""`make openapi`: writes the API's description (OpenAPI 3.1) out of the models of requests and answers.

It is written as docs/openapi.yaml for people and, compact, next to the function that serves it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from local.tools.openapi_account import account_paths
from local.tools.openapi_audio import audio_paths
from local.tools.openapi_calls import call_file_paths
from local.tools.openapi_console import console_paths
from local.tools.openapi_optouts import opt_out_paths
from local.tools.openapi_people import people_paths
from local.tools.openapi_promises import promises_schema
from local.tools.openapi_rehearsals import rehearsal_paths, rehearsal_schemas
from local.tools.openapi_stops import stop_paths
from local.tools.request_schema import FILE as CHECKED
from local.tools.request_schema import text as schema_text
from speechcall.accounts.rules.scope import Scope, allows
from speechcall.api.rules import answers
from speechcall.api.use_cases.openapi import FILE as SERVED
from speechcall.api.use_cases.routes import scope_of
from speechcall.campaigns.rules.campaign_names import NAME
from speechcall.menus.rules.promise import MOST_PROMISES
from speechcall.requests.use_cases.accept_messages import MAX_KEY_LENGTH
from speechcall.requests.use_cases.check_request import MAX_MESSAGES
from speechcall.requests.use_cases.request_models import DefaultsModel, MessageModel
from speechcall.status.use_cases.cursors import MAX_LENGTH
from speechcall.status.use_cases.export import COLUMNS, Format
from speechcall.status.use_cases.read_campaigns import MAX_PAGE as PAGE_OF_CAMPAIGNS
from speechcall.status.use_cases.read_campaigns import PAGE
from speechcall.status.use_cases.read_status import MAX_PAGE, MENU
from speechcall.webhooks.rules.webhook import SIMULATED

ROOT = Path(__file__).parents[2]
SHOWN = ROOT / "docs" / "openapi.yaml"
PROMISES = ROOT / "docs" / "promises.schema.json"
SPEC = ROOT / "events" / "spec"
PLACEHOLDER, NUMBER = "+380XXXXXXXXX", "+380936670003"

CAMPAIGN = f"^{NAME.pattern}$"
ANSWERS = (
    answers.Accepted,
    answers.Checked,
    answers.MessageStatus,
    answers.ListStatus,
    answers.CampaignStatus,
    answers.CampaignList,
    answers.Messagelists,
    answers.Replayed,
    answers.AccountReplayed,
    answers.WebhookList,
    answers.AccountStatus,
    answers.SecretGiven,
    answers.MessageCancelled,
    answers.ListCancelled,
    answers.ListStopped,
    answers.CampaignCancelled,
    answers.CampaignStopped,
    answers.Audio,
    answers.AudioList,
    answers.AudioRemoved,
    answers.Upload,
    answers.Health,
    answers.OptOutAdded,
    answers.OptOutFound,
    answers.OptOutRemoved,
    answers.OptOuts,
    answers.Erasure,
    answers.PersonExport,
    answers.Rehearsal,
)
"""Those to requests that succeed."""
EVENTS = {
    "final": answers.FinalEvent,
    "attempt": answers.AttemptEvent,
    "fallback": answers.FallbackEvent,
    "list": answers.ListEvent,
}
"""What a `statusUrl` is sent."""

_JSON = "application/json"
_REF = "#/components/schemas/"

_OTHERWISE = {
    "Attempt": "CallAttempt",
    "Campaign": "CampaignInList",
    "Error": "ErrorAnswer",
    "Messagelists": "MessagelistPage",
    "OptOuts": "OptOutPage",
    "Replayed": "WebhooksReplayed",
}
"""Generators make a class of a schema and a variable of its name: so none may have a member of its own name."""

_ABOUT = """\
Automated calls with menus: a request holds messages, each message is one call.

Authentication is HTTP Basic, or an API key in `X-Authorization-Key` (also as the password of the user `@`). A key
with a name may have fewer scopes than an account has: `security` says which one an operation needs ({scopes}).
The body is read as JSON whatever its Content-Type says. Members that a client does not know in an answer should be
passed over.

Errors have the shape `{"error":{"code","message","details":[{"code","path","message"}]}}`. The gateway before the
service answers some requests itself, with `{"message":…}`: 404 for an unknown path, 413 above 10 MB, 429 above its
throttle (100 requests a second for all accounts), 500 and 503 when the service did not answer it."""

_EXAMPLES = {
    "basic-structure": "The specification's basic structure",
    "simple": "Simple IVR with Timeout & Input Validation",
    "complex": "Complex IVR with Multiple Menus and DTMF Routing",
    "curl": "What the specification's cURL example sends",
}


def _about() -> str:
    scopes = "; ".join(f"`{scope}`: {allows(scope)}" for scope in Scope)
    return _ABOUT.replace("{scopes}", scopes)


def describe() -> dict[str, Any]:
    """The whole document."""
    text = json.dumps(_described(_schemas()))
    for name, other in _OTHERWISE.items():
        text = text.replace(f'"{_REF}{name}"', f'"{_REF}{other}"')
    document: dict[str, Any] = json.loads(text)
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {_OTHERWISE.get(name, name): schema for name, schema in sorted(schemas.items())}
    return document


def _described(schemas: dict[str, Any]) -> dict[str, Any]:
    return {
        "openapi": "3.1.0",
        "info": {"title": "SpeechCall", "version": "1", "description": _about()},
        "servers": [{"url": "/", "description": "The host that serves this document."}],
        "security": [{"basic": []}, {"key": []}],
        "tags": [
            {"name": "messages", "description": "Sending."},
            {"name": "status", "description": "Asking."},
            {"name": "stopping", "description": "Pausing and cancelling."},
            {"name": "audio", "description": "Introductions."},
            {"name": "optouts", "description": "Who does not want to be called."},
            {"name": "people", "description": "What is kept of a person: told, or erased."},
            {"name": "account", "description": "What may be done, and webhooks that were given up."},
        ],
        "paths": _with_scopes(_with_heads(_paths())),
        "webhooks": {name: _event(name, model) for name, model in EVENTS.items()},
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "basic": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "User and password, or `@` and an API key.",
                },
                "key": {"type": "apiKey", "in": "header", "name": "X-Authorization-Key"},
            },
        },
    }


def _event(name: str, model: type) -> dict[str, Any]:
    """What is POSTed to a `statusUrl`; the headers are those of every webhook."""
    headers = ("webhook-id", "webhook-timestamp", "webhook-signature")
    schema = {"$ref": f"{_REF}{model.__name__}"}
    return {
        "post": {
            "operationId": f"tell_{name}",
            "tags": ["status"],
            "summary": f"What `statusUrl` is sent for the event `{name}` (docs/webhooks.md)",
            "parameters": [{"name": one, "in": "header", "schema": {"type": "string"}} for one in headers]
            + [{"name": SIMULATED[0], "in": "header", "schema": {"type": "string", "const": SIMULATED[1]}}],
            "requestBody": {"required": True, "content": {_JSON: {"schema": schema}}},
            "responses": {"2XX": {"description": "Taken; anything else is tried again, or given up."}},
            "security": [],
        }
    }


def _export(name: str, summary: str, of: dict[str, Any]) -> dict[str, Any]:
    """An export: text, and the next page in `Link`."""
    forms = [one.value for one in Format]
    cursor = {"name": "cursor", "in": "query", "description": "That of the `Link` of the page before."}
    content = {media: {"schema": {"type": "string"}} for media in ("text/csv", "application/jsonl")}
    return {
        "operationId": name,
        "tags": ["status"],
        "summary": summary,
        "description": f"The columns are {', '.join(f'`{one}`' for one in COLUMNS)}. In CSV, of `from`, `text` and "
        "`customerMessageId`, what begins with `=`, `+`, `-`, `@`, a tab, a line break or an apostrophe has an "
        "apostrophe before it. JSON lines have the same members, and nothing is altered.",
        "parameters": [
            of,
            {"name": "format", "in": "query", "schema": {"type": "string", "enum": forms, "default": "csv"}},
            {**cursor, "schema": {"type": "string", "maxLength": MAX_LENGTH}},
        ],
        "responses": {
            "200": {
                "description": "At most 100 messages. Where there are more, `Link` has the next page.",
                "headers": {"Link": {"schema": {"type": "string"}, "description": '`<…>; rel="next"` (RFC 8288)'}},
                "content": content,
            },
            **_query_error(),
            **_errors(401, 404, 429, 500),
        },
    }


def _with_scopes(paths: dict[str, Any]) -> dict[str, Any]:
    """What a key needs for each operation, and the answer to one that has not got it."""
    return {
        path: {
            method: _scoped(operation, scope_of(f"{method.upper()} {path}")) for method, operation in methods.items()
        }
        for path, methods in paths.items()
    }


def _scoped(operation: dict[str, Any], scope: Scope | None) -> dict[str, Any]:
    if scope is None:
        return {**operation, "security": []}
    refused = _error(403, sends=False)
    if "content" not in operation["responses"]["401"]:  # a HEAD
        del refused["content"]
    responses = {}
    for status, response in operation["responses"].items():
        responses[status] = response
        if status == "401":
            responses["403"] = refused
    names = [scope.value]
    return {**operation, "security": [{"basic": names}, {"key": names}], "responses": responses}


def _with_heads(paths: dict[str, Any]) -> dict[str, Any]:
    """A HEAD for every GET: the same answers, without their content."""
    return {
        path: {**methods, "head": _head(methods["get"])} if "get" in methods else methods
        for path, methods in paths.items()
    }


def _head(get: dict[str, Any]) -> dict[str, Any]:
    responses = {
        status: {name: value for name, value in one.items() if name != "content"}
        for status, one in get["responses"].items()
    }
    name = get["operationId"].removeprefix("get")
    told = {"operationId": f"head{name[:1].upper()}{name[1:]}", "summary": f"{get['summary']}, without the body"}
    return {**get, **told, "responses": responses}


def _paths() -> dict[str, Any]:
    sent_ids = {"messageId": "$response.body#/messages/0/messageId"}
    return {
        "/bat/messagelist": {
            "post": {
                "operationId": "sendMessages",
                "tags": ["messages"],
                "summary": "Send messages: call each recipient",
                "description": "The acceptable messages are accepted together; each rejected one keeps its place in "
                "the answer and says why. When none is acceptable the answer is 400.",
                "parameters": [
                    {
                        "name": "Idempotency-Key",
                        "in": "header",
                        "description": "A repeat with the same key and body gets the first one's answer and sends "
                        "nothing. Kept for 30 days.",
                        "schema": {
                            "type": "string",
                            "minLength": 1,
                            "maxLength": MAX_KEY_LENGTH,
                            "pattern": "^[!-~]([ -~]*[!-~])?$",
                        },
                    },
                    _STRICT,
                ],
                "requestBody": _request_body(),
                "responses": {
                    "200": _answer(
                        "The messages in the order sent: `sent` or `rejected`.",
                        "Accepted",
                        links={
                            "message": {"operationId": "getMessage", "parameters": sent_ids},
                            "list": {
                                "operationId": "getMessagelist",
                                "parameters": {"messagelistId": "$response.body#/messagelistId"},
                            },
                        },
                    ),
                    **_errors(400, 401, 409, 413, 415, 422, 429, 500, sends=True),
                },
            },
            "get": {
                "operationId": "getMessagelists",
                "tags": ["status"],
                "summary": "The lists of a campaign, the latest first",
                "parameters": [_campaign("query"), *_paged("How many lists to show.")],
                "responses": {
                    "200": _answer("A page of its lists.", "Messagelists"),
                    **_query_error(),
                    **_errors(401, 404, 429, 500),
                },
            },
        },
        "/bat/messagelist/check": {
            "post": {
                "operationId": "checkMessages",
                "tags": ["messages"],
                "summary": "Check messages without sending them",
                "description": "What would be rejected and why, the warnings, how short and how long each call can "
                "be, and what is known of each promise. Nothing is stored or spent. Also 200 when every message would "
                "be rejected.",
                "parameters": [
                    {
                        "name": "picture",
                        "in": "query",
                        "description": "`mermaid`: each acceptable message's menus as Mermaid text.",
                        "schema": {"type": "string", "enum": ["mermaid"]},
                    },
                    _STRICT,
                ],
                "requestBody": _request_body(),
                "responses": {
                    "200": _answer("The messages in the order sent.", "Checked"),
                    **_errors(400, 401, 413, 415, 429, 500),
                },
            }
        },
        "/bat/messagelist/{messagelistId}/export": {
            "get": _export("exportMessagelist", "The messages of a list as a table", _id("messagelistId"))
        },
        "/bat/campaign/{campaign}/export": {
            "get": _export("exportCampaign", "The messages of a campaign as a table, page by page", _campaign("path"))
        },
        "/bat/messagelist/{messagelistId}": {
            "get": {
                "operationId": "getMessagelist",
                "tags": ["status"],
                "summary": "Where a list of messages stands",
                "parameters": [
                    _id("messagelistId"),
                    _number("limit", 1, MAX_PAGE, MAX_PAGE, "How many messages to show."),
                    _number("offset", 0, MAX_PAGE, 0, "How many messages to pass over."),
                ],
                "responses": {
                    "200": _answer("All messages counted, a page of them shown.", "ListStatus"),
                    **_query_error(),
                    **_errors(401, 404, 429, 500),
                },
            }
        },
        "/bat/campaign": {
            "get": {
                "operationId": "getCampaigns",
                "tags": ["status"],
                "summary": "The campaigns of the account, the latest first",
                "description": "By the moment of its first list. A campaign is forgotten 30 days after its latest.",
                "parameters": _paged("How many campaigns to show."),
                "responses": {
                    "200": _answer("A page of them.", "CampaignList"),
                    **_query_error(),
                    **_errors(401, 429, 500),
                },
            }
        },
        "/bat/campaign/{campaign}": {
            "get": {
                "operationId": "getCampaign",
                "tags": ["status"],
                "summary": "Where a campaign stands",
                "parameters": [_campaign("path")],
                "responses": {
                    "200": _answer("Its numbers, its funnels, an estimate.", "CampaignStatus"),
                    **_errors(401, 404, 429, 500),
                },
            }
        },
        "/bat/message/{messageId}": {
            "get": {
                "operationId": "getMessage",
                "tags": ["status"],
                "summary": "Where a message stands",
                "parameters": [_id("messageId"), _INCLUDE],
                "responses": {
                    "200": _answer("The message and its call.", "MessageStatus"),
                    **_query_error(),
                    **_errors(401, 404, 429, 500),
                },
            }
        },
        "/bat/message/{messageId}/webhooks/replay": {
            "post": {
                "operationId": "replayWebhooks",
                "tags": ["status"],
                "summary": "Send the webhooks of a message again",
                "description": "Those that were given up (`failed` or `dead`) are sent again, with the same "
                "`webhook-id`; with `webhookId` that one alone, also if it was delivered.",
                "parameters": [
                    _id("messageId"),
                    {
                        "name": "webhookId",
                        "in": "query",
                        "description": "As the message's status shows it.",
                        "schema": {"type": "string"},
                    },
                ],
                "responses": {
                    "202": _answer("They are queued.", "Replayed"),
                    **_query_error(),
                    **_errors(401, 404, 409, 429, 500),
                },
            }
        },
        **stop_paths(_answer, _errors, _id("messagelistId"), _id("messageId")),
        **audio_paths(_answer, _errors),
        **opt_out_paths(_answer, _errors),
        **people_paths(_answer, _errors),
        **rehearsal_paths(_id("rehearsalId"), _answer, _errors),
        **account_paths(_answer, _errors, _paged("How many webhooks to look at.")),
        **console_paths(_errors),
        "/openapi.json": {
            "get": {
                "operationId": "getOpenapi",
                "summary": "This document",
                "responses": {
                    "200": {"description": "OpenAPI 3.1", "content": {_JSON: {"schema": {"type": "object"}}}},
                    **_errors(429, 500),
                },
            }
        },
        **call_file_paths(_id("messageId"), _errors),
        "/health": {
            "get": {
                "operationId": "getHealth",
                "summary": "Whether the API answers, and which version it is",
                "description": "For a monitor: nothing is looked up for it.",
                "responses": {"200": _answer("It answers.", "Health"), **_errors(429, 500)},
            }
        },
    }


_STRICT = {
    "name": "strict",
    "in": "query",
    "description": "`true`: a field that is not known is refused, `UNKNOWN_FIELD`. Otherwise only one that is nearly a "
    "known one is, and of others a message is warned.",
    "schema": {"type": "boolean", "default": False},
}


_INCLUDE = {
    "name": "include",
    "in": "query",
    "description": "The answer has the message's menus too, as `menu`.",
    "schema": {"type": "string", "enum": [MENU]},
}


def _request_body() -> dict[str, Any]:
    examples = {name: {"summary": summary, "value": _example(name)} for name, summary in _EXAMPLES.items()}
    schema = {"$ref": f"{_REF}Messagelist"}
    return {"required": True, "content": {_JSON: {"schema": schema, "examples": examples}}}


def _example(name: str) -> Any:
    """The specification's body, with a real number where it has a placeholder."""
    return json.loads((SPEC / f"{name}.json").read_text(encoding="utf-8").replace(PLACEHOLDER, NUMBER))


def _answer(description: str, schema: str, links: Mapping[str, Any] | None = None) -> dict[str, Any]:
    answer = {"description": description, "content": {_JSON: {"schema": {"$ref": f"{_REF}{schema}"}}}}
    return {**answer, "links": links} if links else answer


_ERRORS = {
    400: "The request cannot be used: no JSON, no list of messages, or none of them is acceptable.",
    401: "No credentials, or wrong ones.",
    403: "The key has not got the scope of this operation, or may not be used from this address; or a page of another "
    "site sent the request.",
    404: "There is nothing of this id in this account, or it has expired (after 30 days).",
    409: "The campaign was cancelled; use another name.",
    413: "The body is larger than 1 MiB.",
    415: "The body has a `Content-Encoding`, such as gzip; send it as it is.",
    422: "The Idempotency-Key came before with another body; or too many new menus came from this account today, or "
    "too many campaigns are unfinished.",
    429: "Too many messages a second or a day; nothing of the request was accepted.",
    500: "The request failed. Whether it was accepted is not known: repeat it with the same Idempotency-Key.",
}
_ERRORS_OF_READING = {
    409: "The webhook is still being tried, or has been tried 200 times.",
    429: "The gateway's own throttle.",
    500: "The request failed; repeat it.",
}
_BY_GATEWAY_TOO = {404, 413, 429, 500}
_HEADERS = {
    401: {"WWW-Authenticate": {"required": True, "schema": {"type": "string"}, "description": "Basic"}},
    415: {"Accept-Encoding": {"required": True, "schema": {"type": "string", "const": "identity"}}},
    429: {
        "Retry-After": {
            "schema": {"type": "integer", "minimum": 1},
            "description": "After so many seconds the request can be taken. Not given by the gateway's own throttle.",
        }
    },
}


def _errors(*statuses: int, sends: bool = False, said: Mapping[int, str] | None = None) -> dict[str, Any]:
    """The responses to what goes wrong; `sends`: when messages are sent, not asked about; `said`: in other words."""
    own = said or {}
    found = {status: _error(status, sends) for status in statuses}
    return {str(status): {**one, "description": own.get(status, one["description"])} for status, one in found.items()}


def _query_error() -> dict[str, Any]:
    return _errors(400, said={400: "The query cannot be used; the message says why."})


def _error(status: int, sends: bool) -> dict[str, Any]:
    own: dict[str, Any] = {"$ref": f"{_REF}Error"}
    schema = {"anyOf": [own, {"$ref": f"{_REF}GatewayError"}]} if status in _BY_GATEWAY_TOO else own
    text = _ERRORS[status] if sends else _ERRORS_OF_READING.get(status, _ERRORS[status])
    described = {"description": text, "content": {_JSON: {"schema": schema}}}
    has_headers = status in (401, 415) or (status == 429 and sends)
    return {**described, "headers": _HEADERS[status]} if has_headers else described


def _id(name: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": "^[0-9]{1,19}$"}
    return {"name": name, "in": "path", "required": True, "schema": schema, "example": "234881024000000001"}


def _campaign(place: str) -> dict[str, Any]:
    schema = {"type": "string", "pattern": CAMPAIGN}
    return {"name": "campaign", "in": place, "required": True, "schema": schema, "example": "spring"}


def _paged(description: str) -> list[dict[str, Any]]:
    cursor = {
        "name": "cursor",
        "in": "query",
        "description": "`nextCursor` of the page before.",
        "schema": {"type": "string", "maxLength": MAX_LENGTH},
    }
    return [_number("limit", 1, PAGE_OF_CAMPAIGNS, PAGE, description), cursor]


def _number(name: str, least: int, most: int, default: int, description: str) -> dict[str, Any]:
    schema = {"type": "integer", "minimum": least, "maximum": most, "default": default}
    return {"name": name, "in": "query", "description": description, "schema": schema}


def _schemas() -> dict[str, Any]:
    """The components: requests as strict as they are, answers open to members that may come."""
    found: dict[str, Any] = {}
    message = MessageModel.model_json_schema(by_alias=True, ref_template=f"{_REF}{{model}}")
    for name, schema in {**message.pop("$defs"), "MessageModel": message}.items():
        found[name.removesuffix("Model")] = schema
    # A list's `menus` stand in for it; and with a menu of its own it has no names that `vars` could fill.
    found["Message"]["required"].remove("menu")
    found["Message"]["not"] = {"required": ["menu", "vars"], "properties": {"vars": {"type": "object"}}}
    alone = {"required": ["menu"], "properties": {"vars": {"type": "null"}}}
    hours = DefaultsModel.model_json_schema(by_alias=True, ref_template=f"{_REF}{{model}}")["properties"]
    found["Messagelist"] = {
        "type": "object",
        "required": ["messages"],
        "if": {"required": ["menus"]},
        "else": {"properties": {"messages": {"items": alone}}},
        "properties": {
            "messages": {
                "type": "array",
                "minItems": 1,
                "maxItems": MAX_MESSAGES,
                "items": {"$ref": f"{_REF}Message"},
            },
            "menus": {
                **found["Message"]["properties"]["menu"],
                "description": "The menus of each message that has no `menu` of its own. A name such as `{{order}}` may"
                " stand in what is said or spelt, in the strings of a webhook's body, and in the path and the values"
                " of the query of a URL: each message says in `vars` what stands there.",
            },
            "campaign": {
                "type": "string",
                "pattern": CAMPAIGN,
                "description": "The name under which the list is counted, and shares the account's lines with others.",
                "examples": ["spring"],
            },
            "promises": {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST_PROMISES,
                "items": {"type": "object"},
                "description": "What every call through the menus has to keep to (docs/promises.md, "
                "docs/promises.schema.json); a message that does not is rejected, `PROMISE_BROKEN`.",
            },
            **hours,
        },
    }
    found |= rehearsal_schemas(found["Messagelist"])
    found = {name: _without_defaults(schema) for name, schema in found.items()}
    for answer in (*ANSWERS, *EVENTS.values(), answers.Error, answers.GatewayError):
        schema = TypeAdapter(answer).json_schema(ref_template=f"{_REF}{{model}}")
        for name, inner in schema.pop("$defs", {}).items():
            found[name] = _opened(inner)
        found[answer.__name__] = _opened(schema)
    return {name: _untitled(schema) for name, schema in sorted(_renamed(found).items())}


def _without_defaults(schema: Any) -> Any:
    """A request's schema whose defaults are said in words.

    A generator takes a member that has one for required (openapi-typescript, `defaultNonNullable`).
    """
    if isinstance(schema, list):
        return [_without_defaults(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {name: _without_defaults(one) for name, one in schema.items()}
    # Not a member of that name, which has a schema.
    if "default" in schema and not isinstance(schema["default"], dict):
        default = inner.pop("default")
        if default is not None:
            told = f"Default: {json.dumps(default)}."
            inner["description"] = f"{inner['description']} {told}" if "description" in inner else told
    return inner


def _opened(schema: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if (name, value) != ("additionalProperties", False)}


def _renamed(schemas: dict[str, Any]) -> dict[str, Any]:
    """Requests' models without the word Model in their names."""
    text = json.dumps(schemas)
    for name in schemas:
        text = text.replace(f'"{_REF}{name}Model"', f'"{_REF}{name}"')
    return dict(json.loads(text))


def _untitled(schema: Any) -> Any:
    """Without the titles that pydantic makes of the names."""
    if isinstance(schema, list):
        return [_untitled(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        name: {inner: _untitled(value) for inner, value in one.items()} if name == "properties" else _untitled(one)
        for name, one in schema.items()
        if name != "title"
    }


def _of_promises() -> dict[str, Any]:
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Promises", **promises_schema()}


class _Dumper(yaml.SafeDumper):
    """Without anchors: what is equal is written out."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def texts() -> dict[Path, str]:
    """The files, as they should be."""
    document = describe()
    head = "# Written by `make openapi`; do not edit.\n"
    shown = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return {
        SHOWN: head + shown,
        SERVED: json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n",
        PROMISES: json.dumps(_of_promises(), ensure_ascii=False, indent=2) + "\n",
        CHECKED: schema_text(),
    }


if __name__ == "__main__":
    for path, text in texts().items():
        path.write_text(text, encoding="utf-8")
