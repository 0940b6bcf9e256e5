"""What a client may send, as models; the API's description is made of them too."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, WithJsonSchema, field_validator

from speechcall.api.use_cases.request_fields import WHOLE, Strict
from speechcall.menus.rules.call_log import MOST_SILENT_REPEATS
from speechcall.menus.rules.introduction import MOST_PARTS
from speechcall.messages.rules import dial_times
from speechcall.optouts.rules.opt_out import LIST_NAME, MOST_LISTS
from speechcall.requests.rules import placeholders
from speechcall.requests.use_cases.action_models import ActionModel
from speechcall.requests.use_cases.consent_model import ConsentModel
from speechcall.requests.use_cases.fallback_model import FallbackModel
from speechcall.requests.use_cases.field_checks import check_intro, check_number, check_status_events, check_status_url
from speechcall.requests.use_cases.hours_model import HoursModel
from speechcall.requests.use_cases.input_model import InputModel
from speechcall.requests.use_cases.play_model import AudioName, PlayPart
from speechcall.requests.use_cases.redial_model import RedialModel
from speechcall.requests.use_cases.repeat_model import Repeated
from speechcall.requests.use_cases.say_model import ONE_INTRODUCTION, SayModel
from speechcall.shared.rules import time_bounds
from speechcall.shared.rules.timing import DEFAULT_IDLE_TIMEOUT_MSEC, MAX_IDLE_TIMEOUT_MSEC

Key = Literal[
    "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "d*", "d#", "complete", "silence", "invalid", "wrong"
]


class MenuModel(Strict):
    """What is played, how long a key is awaited, and what each key does."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, json_schema_extra=ONE_INTRODUCTION)

    # Before introUrl, which is looked at in their light.
    say: SayModel | None = None
    play: Annotated[
        Annotated[list[PlayPart], Field(min_length=1, max_length=MOST_PARTS)] | None,
        Field(description="Parts, in this order, joined to one prompt before the call."),
    ] = None
    # The names are the specification's.
    introUrl: Annotated[  # noqa: N815
        AudioName | None,
        Field(description="The URL of an audio file, or the identifier of an uploaded one.", validate_default=True),
    ] = None
    idleTimeoutMsec: Annotated[  # noqa: N815
        int,
        Field(ge=1, le=MAX_IDLE_TIMEOUT_MSEC, description="From the end of the introduction; then silence is heard."),
        WHOLE,
    ] = DEFAULT_IDLE_TIMEOUT_MSEC
    input: Annotated[
        InputModel | None, Field(description="Several digits, in the place of one key; with the list `complete`.")
    ] = None
    bargeIn: Annotated[  # noqa: N815
        bool,
        Field(description="Whether keys pressed during the introduction are taken; `false`: they are lost."),
    ] = True
    dtmfActions: Annotated[  # noqa: N815
        dict[Key, Annotated[list[ActionModel], Field(max_length=10)]],
        Field(
            description="`silence` runs when no key is pressed in time, `invalid` for a key without a list; "
            "`wrong` for whichever of these two is not given. In a menu with `input` `complete` takes the place of all "
            "single keys, and `invalid` is for any other entry."
        ),
    ]

    repeat: Annotated[
        Repeated | None,
        Field(description="How often it is asked again when no key is pressed in time, before `silence` runs."),
    ] = None

    _intro = field_validator("introUrl")(check_intro)


_VarName = Annotated[str, Field(pattern=f"^{placeholders.NAME.pattern}$")]
_VarValue = Annotated[str, Field(min_length=1, max_length=placeholders.MOST_CHARACTERS)]
_VARS: dict[str, Any] = {
    "type": "object",
    "maxProperties": placeholders.MOST_NAMES,
    "propertyNames": {"pattern": f"^{placeholders.NAME.pattern}$"},
    "additionalProperties": {"type": "string", "minLength": 1, "maxLength": placeholders.MOST_CHARACTERS},
}
StatusEventName = Literal["final", "attempt", "list", "fallback"]


class DefaultsModel(HoursModel):
    """What an envelope may say for all its messages."""

    statusUrl: Annotated[  # noqa: N815
        Annotated[str, Field(max_length=2048, json_schema_extra={"pattern": "^[hH][tT][tT][pP][sS]?://"})] | None,
        Field(description="POSTed what has become of a message, as `statusEvents` says; absent: as the account says."),
    ] = None
    statusEvents: Annotated[  # noqa: N815
        Annotated[list[StatusEventName], Field(max_length=4, json_schema_extra={"uniqueItems": True})] | None,
        Field(
            description="`final`: the message has ended. `attempt`: a call attempt is over. `list`: all messages of the"
            " list have ended; only in the envelope. `fallback`: it has been sent, or never will be. Absent: as the"
            " account says, or `final`."
        ),
    ] = None

    consent: Annotated[
        ConsentModel | None,
        Field(description="On which ground the person is called: kept, told in the status and exported."),
    ] = None

    _status_url = field_validator("statusUrl")(check_status_url)
    _status_events = field_validator("statusEvents")(check_status_events)


class MessageModel(DefaultsModel):
    """One call. Other members are accepted, change nothing, and are named in the answer's `warnings`.

    One that is nearly a member here, such as `TTL`, is refused; with `strict=true` any other is.
    """

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    from_: Annotated[str, Field(alias="from", min_length=1, max_length=64, description="The sender: a name or an id.")]
    to: Annotated[
        str,
        Field(
            description="International format, with or without +; a country code that exists, and as many digits as its"
            " numbers can have. Comes back as written in the answer and in webhooks.",
            json_schema_extra={"pattern": r"^\+?[1-9][0-9]{6,14}$"},
        ),
    ]
    text: Annotated[str, Field(min_length=1, max_length=1600, description="Kept, not spoken; usually `ivr`.")]
    type: Literal["speechcall"]
    menu: Annotated[list[MenuModel], Field(min_length=1, max_length=20)]
    vars: Annotated[
        Annotated[dict[_VarName, _VarValue], Field(max_length=placeholders.MOST_NAMES), WithJsonSchema(_VARS)] | None,
        Field(
            description="What stands in the list's `menus` for their names: each once, and no other. A value is put in"
            " once, and is not read again.",
            examples=[{"order": "4711"}],
        ),
    ] = None
    customerMessageId: Annotated[  # noqa: N815
        Annotated[str, Field(min_length=1, max_length=64)] | None,
        Field(description="Your own id; comes back in the answer and in the status. It need not be unique."),
    ] = None
    ttl: Annotated[
        int,
        Field(
            ge=dial_times.MIN_TTL_SECONDS,
            le=dial_times.MAX_TTL_SECONDS,
            description="Seconds from acceptance after which it is not dialled any more; then it has `expired`.",
        ),
        WHOLE,
    ] = dial_times.DEFAULT_TTL_SECONDS
    ringTimeoutSec: Annotated[  # noqa: N815
        int,
        Field(
            ge=time_bounds.MIN_RING_SECONDS, le=time_bounds.MAX_RING_SECONDS, description="How long the phone rings."
        ),
        WHOLE,
    ] = dial_times.DEFAULT_RING_SECONDS
    silentRepeats: Annotated[  # noqa: N815
        Annotated[int, Field(ge=0, le=MOST_SILENT_REPEATS), WHOLE] | None,
        Field(
            description="How many menus may be asked again since the last key, in all, before silence ends the call;"
            " absent: as the stack says (2)."
        ),
    ] = None
    redial: RedialModel | None = None
    fallback: Annotated[
        FallbackModel | None,
        Field(description="A text message, where no call came to anything; for accounts that may send such."),
    ] = None
    priority: Annotated[
        Literal["normal", "urgent"],
        Field(description="`urgent` goes before all others, for accounts that may send such (`PRIORITY_NOT_ALLOWED`)."),
    ] = "normal"
    optOutLists: Annotated[  # noqa: N815
        list[Annotated[str, Field(pattern=f"^{LIST_NAME.pattern}$")]],
        Field(
            max_length=MOST_LISTS,
            description="Lists of opt-outs that it obeys, besides the account's own, which every message obeys.",
        ),
    ] = []  # noqa: RUF012, pydantic copies it
    ignoreOptOut: Annotated[  # noqa: N815
        bool,
        Field(
            description="It is dialled even where the number has opted out: for accounts that may "
            "(`IGNORE_OPT_OUT_NOT_ALLOWED`), and what the callee has to be told."
        ),
    ] = False

    _to = field_validator("to")(check_number)
