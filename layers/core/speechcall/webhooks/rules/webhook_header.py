"""Which headers a customer may add to a webhook."""

import re
from collections.abc import Iterable

from speechcall.shared.rules.characters import foreign, named

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_RESERVED = {
    *("host", "content-length", "transfer-encoding", "connection", "keep-alive", "upgrade", "te", "trailer"),
    *("expect", "http2-settings"),
}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_LATIN_1 = re.compile(r"[^\x00-\xff]")
_CODINGS = {"gzip", "x-gzip", "deflate", "compress", "x-compress", "br", "zstd", "dcb", "dcz", "aws-chunked"}
"""Content codings that change the bytes of a body (IANA, HTTP Content Coding Registry); ours is sent as it is."""


def header_problem(given_name: str, value: str) -> str | None:
    """What is wrong with a header that a customer gives, in words that follow its name, or None.

    Nothing may break or forge the request.
    """
    name = given_name.lower()
    if not _TOKEN.fullmatch(name):
        return f"is not a header name{foreign(given_name)}"
    # Behind a gateway (CGI, WSGI) `webhook_id` is the same name as `webhook-id`.
    as_a_variable = name.replace("_", "-")
    if as_a_variable in _RESERVED or as_a_variable.startswith(("webhook-", "proxy-")):
        return "is set by us and cannot be given"
    if as_a_variable == "content-type" and value.partition(";")[0].strip().lower() != "application/json":
        return "must be application/json: webhooks are sent as JSON"
    if as_a_variable == "content-encoding" and _CODINGS & {one.strip().lower() for one in value.split(",")}:
        return "names a coding in which webhooks are not sent: they are plain JSON"
    return _value_problem(value)


def repeated(names: Iterable[str]) -> str | None:
    """A name that is the same as one before it, since case makes no difference (RFC 9110, section 5.1); or None."""
    met: set[str] = set()
    for name in names:
        if name.lower() in met:
            return name
        met.add(name.lower())
    return None


def _value_problem(value: str) -> str | None:
    """What is wrong with a header's value: a character's name and place, for the value may be a secret."""
    if found := _CONTROL.search(value):
        return f"holds a control character in its value: character {found.start() + 1} is {named(found[0])}"
    if value != value.strip(" "):
        return "begins or ends with a space in its value"
    if found := _NOT_LATIN_1.search(value):
        text = "holds characters in its value that an HTTP header cannot carry"
        return f"{text}: character {found.start() + 1} is {named(found[0])}"
    return None
