"""An HTTP API's functions: the request as it was sent, the function of its route, and an answer to every error.

Source: API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs", payload format 2.0. The
gateway has found the route and its parameters already and tells them, so nothing is left to be matched here. The router
of Powertools would match them again, and import asyncio, AppSync's and every other service's events for it: a fifth of
what these functions do before their first answer.
"""

import base64
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from aws_lambda_powertools import Logger

from speechcall.accounts.adapters.accounts_store import DynamoAccounts
from speechcall.accounts.rules.account import Account
from speechcall.accounts.rules.scope import Scope
from speechcall.accounts.use_cases.accounts import Credential, authenticate, authorize
from speechcall.api.adapters.http_answers import Answer, answer_error, answer_problem
from speechcall.api.use_cases.representation import check_representation, check_site
from speechcall.api.use_cases.routes import Route, scope_of
from speechcall.shared.adapters.metrics import count
from speechcall.shared.rules.errors import RequestError

FAILED = "The request failed; repeat it."
NOT_KNOWN = "The request failed. Whether its messages were accepted is not known; repeat it with an Idempotency-Key."
"""Of the route that takes an Idempotency-Key."""
_READING = ("GET ", "HEAD ")
"""Requests that change nothing."""
RECORDED = (Scope.MANAGE, Scope.ERASE)
"""What a route of these changes stands in the audit trail."""


class HttpRequest:
    """One request; `headers` by their names in lower case, `path` by the names in the route.

    Whatever is made before the credentials are looked at is made for strangers too, so it is little.
    """

    __slots__ = ("_event", "account_id", "headers", "key_name")

    def __init__(self, event: Mapping[str, Any]) -> None:
        self._event = event
        self.headers = _in_lower_case(event.get("headers") or {})
        self.account_id: str | None = None
        """Whose it is, once its credentials are known."""
        self.key_name: str | None = None
        """Of the key that it carries, if that has one."""

    @property
    def query(self) -> Mapping[str, str]:
        return self._event.get("queryStringParameters") or {}

    @property
    def path(self) -> Mapping[str, str]:
        return self._event.get("pathParameters") or {}

    @property
    def route(self) -> str:
        """As the gateway has found it ("HEAD /bat/audio")."""
        return str(self._event.get("routeKey", ""))

    @property
    def address(self) -> str:
        """Who has connected to the gateway; headers that claim another address are not looked at."""
        return str(((self._event.get("requestContext") or {}).get("http") or {}).get("sourceIp", ""))

    @property
    def body(self) -> bytes:
        """The request's body as it was sent: the gateway encodes in base64 what it does not know as text.

        Raises UnsupportedEncoding, RequestError: it is compressed, or only a part.
        """
        given = self._event.get("body") or ""
        if given:
            check_representation(self.headers)
        return base64.b64decode(given) if self._event.get("isBase64Encoded") else given.encode("utf-8", "surrogatepass")


def _in_lower_case(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers by their names in lower case, as the gateway sends them; other servers of its events may not."""
    if "host" in headers:  # every request has it, and a server writes all names in the same way
        return headers
    return {name.lower(): value for name, value in headers.items()}


def account_of(request: HttpRequest, accounts: DynamoAccounts) -> Account:
    """The account whose credentials a request carries, and which may be used for its route, from where it comes.

    Raises Unauthorized, AddressNotAllowed, ScopeRequired.
    """
    return credential_of(request, accounts)[0]


def credential_of(request: HttpRequest, accounts: DynamoAccounts) -> tuple[Account, Credential]:
    """As `account_of`, and which of the account's credentials the request carries; both are noted in `request`.

    Raises ValueError, a fault of ours, for a route without a scope.
    """
    account, credential = authenticate(request.headers, accounts.find_credential, accounts.find, accounts.refusals)
    request.account_id, request.key_name = account.account_id, credential.key_name
    scope = scope_of(request.route)
    if scope is None:
        raise ValueError(f"the route {request.route} asks whose it is, and has no scope in api.use_cases.routes")
    authorize(credential, scope, request.address)
    return account, credential


Handler = Callable[[HttpRequest], Answer]
Recording = Callable[[HttpRequest], AbstractContextManager[object]]
"""Within it, what is written through the audit trail is recorded as done by this request."""


class HttpApi:
    """The routes of one function."""

    def __init__(self, logger: Logger, recording: Recording | None = None) -> None:
        """`recording` is there where a route changes something that the audit trail tells of."""
        self._logger, self._recording = logger, recording
        self._routes: dict[str, Handler] = {}

    def route(self, key: Route) -> Callable[[Handler], Handler]:
        """A decorator: the function answers this route ("GET /bat/message/{messageId}", as in template.yaml).

        With a GET it answers the HEAD as well, by the same answer: the gateway sends no body after a HEAD. Raises
        ValueError, a fault of ours, for a route of RECORDED where nothing records.
        """

        def add(handler: Handler) -> Handler:
            self._routes[key] = self._recorded(key, handler) if scope_of(key) in RECORDED else handler
            if key.startswith("GET "):
                self._routes[f"HEAD {key.removeprefix('GET ')}"] = handler
            return handler

        return add

    def _recorded(self, key: Route, handler: Handler) -> Handler:
        """The function of a route, within what records its changes. Raises ValueError if nothing does."""
        recording = self._recording
        if recording is None:
            raise ValueError(f"what {key} changes has to be recorded: give HttpApi the audit trail")

        def answer(request: HttpRequest) -> Answer:
            with recording(request):
                return handler(request)

        return answer

    def resolve(self, event: Mapping[str, Any]) -> Answer:
        """The answer to the gateway's event, also to a client's mistake, an unknown route or a failure of ours.

        No error of a route gets out: what was not foreseen is logged, counted and answered with 500.
        """
        handler = self._routes.get(event.get("routeKey", ""))
        if handler is None:
            return answer_error(404, "NOT_FOUND", "There is nothing at this path.")
        request = HttpRequest(event)
        try:
            if not event["routeKey"].startswith(_READING):
                check_site(request.headers)
            return handler(request)
        except RequestError as error:
            count("RequestsRefused", code=error.code)
            return answer_problem(error)
        except Exception as error:
            count("RequestsFailed")
            fields = {"route": event["routeKey"], "account": request.account_id, "mid": request.path.get("messageId")}
            known = {name: value for name, value in fields.items() if value is not None}
            self._logger.error("the request failed", exc_info=error, extra=known)
            text = NOT_KNOWN if event["routeKey"] == "POST /bat/messagelist" else FAILED
            return answer_error(500, "INTERNAL_ERROR", text)
