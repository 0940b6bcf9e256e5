"""What the models of requests have in common."""

import re
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

from speechcall.application.json_text import whole
from speechcall.domain.address import url_problem

_AUTHORITY = re.compile(r"[^:/?#]*://([^/?#]*)")
_MAX_AUTHORITY, _MAX_HOST = 300, 253


class Strict(BaseModel):
    """A value has its type already, and there are no other members."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def problem_of_url(url: str) -> str | None:
    """What is wrong with a URL, or None.

    A host of other letters that is longer than any name (RFC 1035: 253 characters) is refused unread: to compare such
    letters their marks are put in order, which takes time by the square of their number.
    """
    found = _AUTHORITY.match(url)
    length = len(found[1]) if found else 0
    if length > _MAX_AUTHORITY and not url.isascii():
        return f"has a host name of {length} characters; at most {_MAX_HOST} can be"
    return url_problem(url)


Whole = Annotated[int, BeforeValidator(whole)]
"""An integer as JSON Schema, and so OpenAPI 3.1, has it: `10000.0` is one, `10000.5` is none."""
