"""When a client wants a message to be dialled, as a model: `sendAt`, `windows`, `timeZone`, `notOn`.

Whether it can be at all depends on the account, the number and the moment: `judge_hours` says that.
"""

import re
from datetime import date
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from speechcall.api.use_cases.request_fields import Strict
from speechcall.api.use_cases.request_problems import RIGHT, shown
from speechcall.messages.rules.hours_in_force import Asked
from speechcall.shared.rules.calling_hours import RECIPIENT, WEEKDAYS, Window
from speechcall.shared.rules.rfc3339 import to_msec
from speechcall.shared.rules.zone_names import is_zone, similar_zone

MOST_WINDOWS, MOST_DAYS_OFF = 7, 100
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_EVERY_DAY: tuple[Weekday, ...] = get_args(Weekday)


def _date(text: str) -> str:
    """A day off as given. ValueError if it is no date; `fromisoformat` alone would take 20261225 too."""
    try:
        is_date = bool(_DATE.fullmatch(text) and date.fromisoformat(text))
    except ValueError:  # a 30th of February
        is_date = False
    if not is_date:
        raise ValueError(f"must be {RIGHT['notOn[]']}")
    return text


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

    @field_validator("from_", "to")
    @classmethod
    def _time(cls, text: str, info: ValidationInfo) -> str:
        name = "from" if info.field_name == "from_" else "to"
        if not _TIME.fullmatch(text) or (name == "from" and text == "24:00"):
            raise ValueError(f"must be {RIGHT[f'windows[].{name}']}")
        return text

    @field_validator("days")
    @classmethod
    def _days(cls, days: list[Weekday]) -> list[Weekday]:
        if len(set(days)) != len(days):
            raise ValueError(f"must be {RIGHT['windows[].days']}")
        return days

    def window(self) -> Window:
        """The window."""
        return Window(_minute(self.from_), _minute(self.to) or 1440, tuple(sorted(map(WEEKDAYS.index, self.days))))


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
            list[Annotated[str, AfterValidator(_date), Field(json_schema_extra={"format": "date"})]],
            Field(min_length=1, max_length=MOST_DAYS_OFF),
        ]
        | None,
        Field(description="Dates on which the phone may not ring."),
    ] = None

    @field_validator("sendAt")
    @classmethod
    def _send_at(cls, text: str | None) -> str | None:
        if text is not None and to_msec(text) is None:
            raise ValueError(f"must be {RIGHT['sendAt']}")
        return text

    @field_validator("timeZone")
    @classmethod
    def _time_zone(cls, name: str | None) -> str | None:
        if name is None or name == RECIPIENT or is_zone(name):
            return name
        if similar := similar_zone(name):
            raise ValueError(f'"{shown(name)}" is not known; did you mean {similar}?')
        raise ValueError(f'"{shown(name)}" is not known; it must be {RIGHT["timeZone"]}')

    def asked(self) -> Asked:
        """The hours that are asked for."""
        windows = tuple(window.window() for window in self.windows or ())
        return Asked(windows, self.timeZone, tuple(sorted(set(self.notOn or ()))))

    @property
    def send_at_msec(self) -> int:
        """Not before this; 0: at once."""
        return max(to_msec(self.sendAt) or 0, 0) if self.sendAt else 0


HOURS_FIELDS = tuple(HoursModel.model_fields)


def _minute(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)
