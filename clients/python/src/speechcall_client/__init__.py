"""SpeechCall's client: `Client` and `AsyncClient` send, `Menu` says what a callee hears, `verify` is for receivers."""

from speechcall_client.client import AsyncClient, Client
from speechcall_client.errors import (
    ApiError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    OutcomeUnknown,
    Problem,
    RateLimited,
    ServerError,
    SpeechCallError,
    Unauthorized,
    Unreachable,
)
from speechcall_client.menus import Menu, Message, Redial, Say, Window, action, goto, hangup, opt_out, webhook
from speechcall_client.retries import Patience
from speechcall_client.webhooks import Event, InvalidWebhook, KeyPressed, StatusChanged, verify

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "Conflict",
    "Event",
    "Forbidden",
    "Invalid",
    "InvalidWebhook",
    "KeyPressed",
    "Menu",
    "Message",
    "NotFound",
    "OutcomeUnknown",
    "Patience",
    "Problem",
    "RateLimited",
    "Redial",
    "Say",
    "ServerError",
    "SpeechCallError",
    "StatusChanged",
    "Unauthorized",
    "Unreachable",
    "Window",
    "action",
    "goto",
    "hangup",
    "opt_out",
    "verify",
    "webhook",
]
