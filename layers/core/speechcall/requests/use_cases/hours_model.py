"""When a client wants a message to be dialled, as a model: `sendAt`, `windows`, `timeZone`, `notOn`.

Whether it can be at all depends on the account, the number and the moment: `judge_hours` says that.
"""

from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator

from speechcall.api.use_cases.request_fields import Strict
from speechcall.requests.use_cases.field_checks import (
    check_day_off,
    check_send_at,
    check_time_zone,
    check_window_days,
    check_window_time,
)

MOST_WINDOWS, MOST_DAYS_OFF = 7, 100

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_EVERY_DAY: tuple[Weekday, ...] = get_args(Weekday)


class WindowModel(BaseModel):
    """Hours of the day, on some days. Where `to` is not after `from`, it is a time of the next day."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    from_: Annotated[str, Field(alias="from", json_schema_extra={"pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"})]
    to: Annotated[str, Field(json_schema_extra={"pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$"})]
    days: Annotated[
        list[Weekday],
        Field(
            min_length=1,
            description="On which a window begins; absent: on every day.",
            json_schema_extra={"uniqueItems": True},
        ),
    ] = list(_EVERY_DAY)

    _time = field_validator("from_", "to")(check_window_time)
    _days = field_validator("days")(check_window_days)


class HoursModel(Strict):
    """When a message may be dialled. Each member of a message stands in the place of that of the envelope."""

    sendAt: Annotated[  # noqa: N815
        str | None,
        Field(
            description="Not before this moment (RFC 3339, with an offset), at most 30 days ahead; one that has passed"
            " (at most a day ago) is now.",
            json_schema_extra={"format": "date-time"},
        ),
    ] = None
    windows: Annotated[
        Annotated[list[WindowModel], Field(min_length=1, max_length=MOST_WINDOWS)] | None,
        Field(description="In which the phone may ring, on the clock of `timeZone`; absent: as the account says."),
    ] = None
    timeZone: Annotated[  # noqa: N815
        str | None,
        Field(
            description="Of `windows` and `notOn`: an IANA name, or `recipient` for those in which the number may be;"
            " a window has to be open in all of them. Absent: the account's."
        ),
    ] = None
    notOn: Annotated[  # noqa: N815
        Annotated[
            list[Annotated[str, AfterValidator(check_day_off), Field(json_schema_extra={"format": "date"})]],
            Field(min_length=1, max_length=MOST_DAYS_OFF),
        ]
        | None,
        Field(description="Dates on which the phone may not ring."),
    ] = None

    _send_at = field_validator("sendAt")(check_send_at)
    _time_zone = field_validator("timeZone")(check_time_zone)
