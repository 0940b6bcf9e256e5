"""What the models of requests have in common."""

from pydantic import BaseModel, BeforeValidator, ConfigDict

from speechcall.shared.rules.json_text import whole


class Strict(BaseModel):
    """A value has its type already, and there are no other members."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


WHOLE = BeforeValidator(whole)
"""An integer as JSON Schema, and so OpenAPI 3.1, has it: `10000.0` is one, `10000.5` is none.

It stands behind the bounds: before them, pydantic checks those in Python.
"""
