"""How a client says that somebody has agreed to be called, as a model."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from speechcall.optouts.rules.opt_out import MAX_CONSENT_LENGTH
from speechcall.requests.use_cases.field_checks import check_consent_moment


class ConsentModel(BaseModel):
    """On which ground a person may be called. It is kept with the message, and exported; it decides nothing."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    basis: Annotated[
        str, Field(min_length=1, max_length=MAX_CONSENT_LENGTH, description="The ground, such as `contract` or `form`.")
    ]
    at: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_CONSENT_LENGTH,
            description="Since when (RFC 3339, with an offset); not in the future.",
            json_schema_extra={"format": "date-time"},
        ),
    ]
    ref: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_CONSENT_LENGTH,
            description="Where the proof is, such as the number of a form. No name and no number of the person.",
        ),
    ]

    _at = field_validator("at")(check_consent_moment)
