"""Which headers a customer may add to a webhook."""

import re

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_RESERVED = {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"}


def header_problem(given_name: str, value: str) -> str | None:
    """What is wrong with a header that a customer gives, or None. Nothing may break or forge the request."""
    name = given_name.lower()
    if not _TOKEN.fullmatch(name):
        return "is not a header name"
    if name in _RESERVED or name.startswith(("webhook-", "proxy-")):
        return "is set by us and cannot be given"
    if name == "content-type" and value.partition(";")[0].strip().lower() != "application/json":
        return "must be application/json: webhooks are sent as JSON"
    if any(character < " " or character == "\x7f" for character in value):
        return "holds a control character in its value"
    if value != value.strip(" "):
        return "begins or ends with a space in its value"
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return "holds characters in its value that an HTTP header cannot carry"
    return None
