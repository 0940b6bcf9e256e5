"""What the models of requests have in common."""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo

from speechcall.outbound.rules.address import url_problem
from speechcall.shared.rules.json_text import whole

_ALLOW_LOOPBACK = "allow_loopback"


class Strict(BaseModel):
    """A value has its type already, and there are no other members."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


def loopback_rule(allow: bool) -> dict[str, bool]:
    """The context of a check: whether URLs may lead to this machine. Said once, where a check begins."""
    return {_ALLOW_LOOPBACK: allow}


def problem_of_url(url: str, info: ValidationInfo) -> str | None:
    """What is wrong with a URL in the context of its check, or None. Without a context none leads to this machine."""
    return url_problem(url, allow_loopback=bool((info.context or {}).get(_ALLOW_LOOPBACK)))


Whole = Annotated[int, BeforeValidator(whole)]
"""An integer as JSON Schema, and so OpenAPI 3.1, has it: `10000.0` is one, `10000.5` is none."""
