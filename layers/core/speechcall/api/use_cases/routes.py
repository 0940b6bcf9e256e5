"""Every route of the API, and the scope that a key needs for it. There is no other list of this.

A route of a function that stands in none of these is a type error (`HttpApi.route`), and one of template.yaml a
failing test. A HEAD belongs where its GET does.
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from speechcall.accounts.rules.scope import Scope

Sends = Literal[
    "POST /bat/messagelist",
    "POST /bat/messagelist/check",
    "POST /bat/rehearsal",
]
Reads = Literal[
    "GET /bat/account",
    "GET /bat/campaign",
    "GET /bat/campaign/{campaign}",
    "GET /bat/campaign/{campaign}/export",
    "GET /bat/messagelist",
    "GET /bat/messagelist/{messagelistId}",
    "GET /bat/messagelist/{messagelistId}/export",
    "GET /bat/message/{messageId}",
    "GET /bat/message/{messageId}/call",
    "GET /bat/audio",
    "GET /bat/audio/{introId}",
    "GET /bat/optout",
    "GET /bat/erasure/{erasureId}",
    "GET /bat/person/export/{exportId}",
    "GET /bat/rehearsal/{rehearsalId}",
    "POST /bat/optout/find",
    "GET /bat/audio/{introId}/file",
    "GET /bat/webhook",
]
Manages = Literal[
    "POST /bat/message/{messageId}/cancel",
    "POST /bat/messagelist/{messagelistId}/cancel",
    "POST /bat/messagelist/{messagelistId}/pause",
    "POST /bat/messagelist/{messagelistId}/resume",
    "POST /bat/campaign/{campaign}/cancel",
    "POST /bat/campaign/{campaign}/pause",
    "POST /bat/campaign/{campaign}/resume",
    "POST /bat/message/{messageId}/webhooks/replay",
    "POST /bat/webhook/replay",
    "POST /bat/account/webhook-secret",
    "PUT /bat/audio/{introId}",
    "DELETE /bat/audio/{introId}",
    "POST /bat/audio/{introId}/upload",
    "POST /bat/optout",
    "POST /bat/person/export",
]
Erases = Literal[
    "POST /bat/optout/remove",
    "POST /bat/erasure",
]
Open = Literal["GET /openapi.json", "GET /health", "GET /keys.json", "GET /console", "GET /console/{file}"]
"""Asked without credentials."""

Route = Sends | Reads | Manages | Erases | Open

SCOPES: Final[Mapping[str, Scope | None]] = {
    **dict.fromkeys(get_args(Sends), Scope.SEND),
    **dict.fromkeys(get_args(Reads), Scope.READ),
    **dict.fromkeys(get_args(Manages), Scope.MANAGE),
    **dict.fromkeys(get_args(Erases), Scope.ERASE),
    **dict.fromkeys(get_args(Open)),
}
"""The scope of each route; None: it needs no credentials."""


def scope_of(route_key: str) -> Scope | None:
    """The scope that a route of the gateway needs ("HEAD /bat/audio"); None also for one that is not known."""
    return SCOPES.get(f"GET {route_key.removeprefix('HEAD ')}" if route_key.startswith("HEAD ") else route_key)
