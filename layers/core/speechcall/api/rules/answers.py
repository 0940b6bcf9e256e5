"""What the API answers, as types: the API's description is made of them, and tests hold every answer to them.

A member that is not always there is NotRequired. Undocumented members are an error here; a client
should pass over members that it does not know.
"""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import ConfigDict, Field, with_config
from typing_extensions import TypedDict

from speechcall.shared.rules.outcome import OutcomeName

Id = Annotated[
    str,
    Field(
        pattern="^[0-9]{1,19}$",
        description="Decimal, below 2^63, time-ordered. A string: a double would lose digits.",
        examples=["234881024000000001"],
    ),
]
Moment = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z$",
        description="UTC, with milliseconds.",
        examples=["2026-11-22T09:30:00.000Z"],
    ),
]
Count = Annotated[int, Field(ge=0)]
DeliveryStatus = Annotated[
    Literal["scheduled", "processing", "delivered", "undeliverable", "permanenterror"],
    Field(
        description="`scheduled`: being prepared, or waiting for a line. "
        "`processing`: dialling, in a call, or just after it, when its outcome is not known yet. "
        "`delivered`: somebody answered, and may have heard it. `undeliverable`: busy, no answer, failed (also where "
        "somebody answered and nothing could be played: `notPlayed`), or its time ran out. "
        "`permanenterror`: invalid or blocked number, no introduction, menus that cannot run, or somebody opted out."
    ),
]
Outcome = Annotated[
    OutcomeName,
    Field(description="How the message ended."),
]
EndReason = Annotated[str, Field(description="Why it ended so, such as `completed`, `callerHungUp` or `notPlayed`.")]
CampaignName = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_-]{1,64}$", description="The name under which lists are counted.", examples=["spring"]),
]
Cursor = Annotated[
    str, Field(max_length=512, description="`cursor` of the next page, where there is one. Only we read it.")
]
Cost = Annotated[
    float,
    Field(
        ge=0,
        description="What its calls have cost until then, all attempts, with at most six decimals. Left out where the "
        "operator has given no rates, or none for one of its calls.",
        examples=[0.0825],
    ),
]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="Of `cost` (ISO 4217).", examples=["EUR"])]
CustomerId = Annotated[str, Field(max_length=64, description="Your own id, where you gave one.")]

_closed = with_config(ConfigDict(extra="forbid"))


@_closed
class Place(TypedDict):
    """A sentence about one place of the request."""

    code: Annotated[str, Field(description="For programs.", examples=["INVALID_RECIPIENT"])]
    path: Annotated[
        str,
        Field(
            description="Where: `messages[0].to`. What is missing is named as if it were there; "
            "the empty path is the body as a whole.",
            examples=["messages[0].to"],
        ),
    ]
    message: Annotated[
        str, Field(description="For people; completes the path.", examples=["must be a phone number in …"])
    ]


@_closed
class Refusal(Place):
    """Why a message was rejected: its first problem."""

    details: NotRequired[Annotated[list[Place], Field(description="All its problems, where there are several.")]]


@_closed
class Sent(TypedDict):
    """A message that was accepted."""

    messageId: Id
    recipient: Annotated[str, Field(description="`to` as it was given.")]
    status: Literal["sent"]
    customerMessageId: NotRequired[CustomerId]
    warnings: NotRequired[Annotated[list[Place], Field(min_length=1, description="They change nothing.")]]


@_closed
class HeardIn(TypedDict):
    """What a callee does in a menu."""

    menu: Annotated[int, Field(ge=0, description="0-based.")]
    heard: Annotated[
        str,
        Field(
            description="A key (`d1`); `idle`: none is pressed; `other`: one that no telephone has; `hang_up`; "
            "`prompt_error`: the introduction cannot be played."
        ),
    ]
    hangsUpAfter: NotRequired[Annotated[Literal[True], Field(description="And hangs up while the list runs.")]]
    case: NotRequired[
        Annotated[str | None, Field(description="Of a lookup behind it: the case that is answered; null: else.")]
    ]


@_closed
class Counterexample(TypedDict):
    """A shortest call that breaks a promise, or may."""

    path: Annotated[str, Field(description="What of the menus does it.", examples=["menu[0].dtmfActions.wrong[0]"])]
    words: Annotated[str, Field(examples=["menu 0: 2 → menu 1: silence"])]
    keys: NotRequired[
        Annotated[
            list[HeardIn],
            Field(description="Left out where an answer has 20,000 of them already."),
        ]
    ]


@_closed
class Judged(TypedDict):
    """What is known of a promise about the menus of a message."""

    promise: Annotated[str, Field(description="Its name, or else its JSON.")]
    result: Annotated[
        Literal["proved", "broken", "undecided"],
        Field(description="Of all calls. `undecided`: a length is not known, or there are too many states."),
    ]
    message: Annotated[str, Field(description="For people.")]
    isRequired: NotRequired[Annotated[Literal[True], Field(description="It is the account that requires it.")]]
    counterexample: NotRequired[Counterexample]


Judgements = Annotated[list[Judged], Field(min_length=1, description="Of each promise of the request and the account.")]


@_closed
class Rejected(TypedDict):
    """A message that was not accepted, in its place."""

    recipient: Annotated[str | None, Field(description="`to` as it was given, if it was text; its first 64 bytes.")]
    status: Literal["rejected"]
    customerMessageId: NotRequired[CustomerId]
    error: Refusal
    promises: NotRequired[Judgements]


@_closed
class Accepted(TypedDict):
    """The messages in the order sent."""

    messages: Annotated[list[Sent | Rejected], Field(min_length=1, max_length=100)]
    messagelistId: Id
    rejected: NotRequired[Annotated[int, Field(ge=1, description="How many were rejected, where any were.")]]


@_closed
class CallBounds(TypedDict):
    """How short and how long the call can be. Menus are counted as often as they are asked."""

    shortestMenus: Annotated[int | None, Field(description="Null: no way through the menus ends.")]
    longestMenus: Count
    longestIdleSeconds: Annotated[int, Field(ge=0, description="Without the introductions.")]


@_closed
class CostForeseen(TypedDict):
    """What calls would cost, where the operator has given rates."""

    ifAnswered: Annotated[float, Field(ge=0, description="If a call is answered, and ends at once.")]
    atMost: Annotated[
        float,
        Field(
            ge=0,
            description="If all calls, redials too, are as long as menus and stack allow, with the longest "
            "introductions.",
        ),
    ]
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$", examples=["EUR"])]


@_closed
class CostOfAll(CostForeseen):
    """The same of all messages that would be accepted."""

    unpriced: NotRequired[Annotated[int, Field(ge=1, description="How many of them have no price and are not in it.")]]


@_closed
class Acceptable(TypedDict):
    """A message that would be accepted."""

    recipient: str
    status: Literal["acceptable"]
    customerMessageId: NotRequired[CustomerId]
    warnings: NotRequired[Annotated[list[Place], Field(min_length=1)]]
    call: CallBounds
    dialledFrom: NotRequired[
        Annotated[Moment, Field(description="The first moment at which it may be dialled, if it may not be at once.")]
    ]
    mayRing: NotRequired[
        Annotated[
            str,
            Field(
                description="When its phone may ring, in words, where something limits that: its hours and its"
                " account's, `sendAt`, and the account's calls to one number."
            ),
        ]
    ]
    cost: NotRequired[Annotated[CostForeseen, Field(description="Absent where its number has no price.")]]
    picture: NotRequired[Annotated[str, Field(description="The menus as Mermaid text, with `picture=mermaid`.")]]
    promises: NotRequired[Judgements]


@_closed
class Checked(TypedDict):
    """The messages in the order sent; nothing was stored or spent."""

    messages: Annotated[list[Acceptable | Rejected], Field(min_length=1, max_length=100)]
    rejected: NotRequired[Annotated[int, Field(ge=1)]]
    cost: NotRequired[CostOfAll]


@_closed
class Attempt(TypedDict):
    """One time that the number was dialled."""

    attempt: Annotated[int, Field(ge=1)]
    dialledAt: Moment
    answeredAt: Moment | None
    answerToFirstCommandMsec: Annotated[
        int | None,
        Field(ge=0, description="From the moment that the answer was reported until the first menu was decided."),
    ]
    endedAt: Moment | None
    durationSec: Annotated[float, Field(ge=0)] | None
    cause: Annotated[str | None, Field(description="Why the telephony ended it.")]


@_closed
class Step(TypedDict):
    """One thing that was heard."""

    attempt: Annotated[int, Field(ge=1)]
    menu: Count
    heard: Annotated[
        str,
        Field(
            description="A key (`d1`, `d*`), `complete` (as many digits as `input` asks for), `idle` (nothing in time) "
            "or `other`."
        ),
    ]
    at: Moment
    case: NotRequired[
        Annotated[str | None, Field(description="Of a lookup behind it: the case that was answered; null: else.")]
    ]
    lookupError: NotRequired[
        Annotated[str, Field(description="Why it was no case, in a word.", examples=["TIMEOUT", "UNKNOWN_CASE"])]
    ]


@_closed
class WebhookAttempt(TypedDict):
    """One request to the customer's server: its status, or a word for what left none (docs/webhooks.md)."""

    at: Moment
    msec: Count
    status: int | None
    error: str | None


DeliveryState = Annotated[
    Literal["queued", "pending", "delivered", "failed", "dead"],
    Field(
        description="`queued`: it waits for its first attempt, or that is being made. `pending`: it is to be tried "
        "again. `failed`: refused for good. `dead`: given up after several attempts."
    ),
]
WebhookId = Annotated[str, Field(description="The header `webhook-id` of every attempt.")]
NextAttemptAt = Annotated[Moment | None, Field(description="While it is pending: when it is tried again.")]


@_closed
class WebhookDelivery(TypedDict):
    """The delivery of one webhook."""

    webhookId: WebhookId
    menu: Count
    key: str
    step: Count
    state: DeliveryState
    nextAttemptAt: NextAttemptAt
    attempts: list[WebhookAttempt]


@_closed
class StatusDelivery(TypedDict):
    """The delivery of one status webhook."""

    webhookId: WebhookId
    event: Literal["final", "attempt", "fallback"]
    state: DeliveryState
    nextAttemptAt: NextAttemptAt
    attempts: list[WebhookAttempt]


@_closed
class ToldCall(TypedDict):
    """What happened, without the deliveries of webhooks."""

    state: Literal["preparing", "queued", "calling", "settling", "finished"]
    paused: NotRequired[
        Annotated[bool, Field(description="True: it waits, and its list, campaign or account is paused.")]
    ]
    outcome: Outcome | None
    endReason: EndReason | None
    cause: Annotated[
        str | None, Field(description="Why an introduction could not be had, or the call was refused; for people.")
    ]
    acceptedAt: Moment
    dialledUntil: Annotated[Moment, Field(description="From then on it is not dialled any more (`ttl`).")]
    nextAttemptAt: Annotated[Moment | None, Field(description="Not before this it is dialled again, where it will be.")]
    finishedAt: Moment | None
    answeredAt: Moment | None
    endedAt: Moment | None
    durationSec: Annotated[float, Field(ge=0)] | None
    keyPressed: Annotated[bool, Field(description="Whether any key was pressed, one without a list too.")]
    attempts: list[Attempt]
    path: Annotated[list[Step], Field(description="The callee's way through the menus.")]


@_closed
class Call(ToldCall):
    """What happened, in full."""

    webhooks: list[WebhookDelivery]
    statusWebhooks: Annotated[list[StatusDelivery], Field(description="Those that `statusUrl` was sent.")]


Simulated = Annotated[
    Literal[True], Field(description="No phone rings for it: the stack's telephony is simulated. Absent: phones ring.")
]


@_closed
class FallbackAnswer(TypedDict):
    """What has become of a `fallback`."""

    type: Literal["sms"]
    status: Annotated[
        Literal["not_used", "pending", "sent", "failed", "unknown"],
        Field(
            description="`not_used`: the message has not ended so, or nobody wants it any more. `sent`: the service has"
            " taken it. `failed`: it was wanted and was not sent. `unknown`: the service was asked, and its answer was"
            " lost; it is never asked again."
        ),
    ]
    reason: NotRequired[
        Annotated[
            str,
            Field(
                description="Why it was not sent, or why nothing is known: `optedOut`, `cancelled`, `notAllowed`,"
                " `window`, `paused`, `smsPerDay`, `refused`, `unavailable`, `lost`, `internal`; others may come.",
                examples=["optedOut"],
            ),
        ]
    ]
    at: NotRequired[Annotated[Moment, Field(description="When it came to its end.")]]


Fallbacks = Annotated[
    list[FallbackAnswer], Field(min_length=1, max_length=1, description="Where the message has a `fallback`.")
]


class _MessageEvent(TypedDict):
    """What every event of a message has."""

    messageId: Id
    messagelistId: Id
    customerMessageId: NotRequired[CustomerId]
    campaign: NotRequired[CampaignName]
    simulated: NotRequired[Simulated]
    recipient: str
    cost: NotRequired[Cost]
    costCurrency: NotRequired[Currency]
    fallbacks: NotRequired[Fallbacks]


CallAsTold = Annotated[ToldCall, Field(description="Absent where the message could not be read.")]


@_closed
class FinalEvent(_MessageEvent):
    """What `statusUrl` is sent when a message has ended: the members are those of its status."""

    event: Literal["final"]
    deliverystatus: DeliveryStatus
    timestamp: Annotated[Moment, Field(description="When it happened.")]
    call: NotRequired[CallAsTold]


@_closed
class AttemptEvent(_MessageEvent):
    """What `statusUrl` is sent when a call attempt is over: the message as it is then, with its calls until then."""

    event: Literal["attempt"]
    attempt: Annotated[int, Field(ge=1, description="Which one; one that was never dialled is not in `call`.")]
    deliverystatus: Annotated[DeliveryStatus, Field(description="`scheduled`: it is dialled again.")]
    timestamp: Annotated[Moment, Field(description="When it was over.")]
    call: NotRequired[CallAsTold]


@_closed
class FallbackEvent(_MessageEvent):
    """What `statusUrl` is sent when the `fallback` of a message has come to its end, for good."""

    event: Literal["fallback"]
    deliverystatus: DeliveryStatus
    timestamp: Annotated[Moment, Field(description="When it happened.")]
    call: NotRequired[CallAsTold]


@_closed
class ListEvent(TypedDict):
    """What `statusUrl` is sent when all messages of a list have ended."""

    event: Literal["list"]
    messagelistId: Id
    simulated: NotRequired[Simulated]
    timestamp: Annotated[Moment, Field(description="When the last one ended.")]
    total: Annotated[int, Field(ge=1, description="Messages that were accepted.")]
    outcomes: Annotated[dict[str, Count], Field(description="How many ended so.")]


@_closed
class ConsentGiven(TypedDict):
    """On which ground a number may be called."""

    basis: str
    at: str
    ref: str


MenusGiven = Annotated[
    list[dict[str, Any]],
    Field(
        description="With `include=menu`: the menus as they were sent, URLs and bodies to the digit; of headers, which "
        "may hold secrets, the names alone (docs/behaviour.md)."
    ),
]


@_closed
class MessageStatus(TypedDict):
    """The state of a message."""

    messagelistId: Id
    messageId: Id
    customerMessageId: NotRequired[CustomerId]
    campaign: NotRequired[CampaignName]
    simulated: NotRequired[Simulated]
    ignoreOptOut: NotRequired[
        Annotated[Literal[True], Field(description="It is dialled even where the number has opted out.")]
    ]
    consent: NotRequired[Annotated[ConsentGiven, Field(description="On which ground its sender called.")]]
    recipient: str
    text: str
    deliverystatus: DeliveryStatus
    partscount: Literal[1]
    cost: NotRequired[Cost]
    costCurrency: NotRequired[Currency]
    fallbacks: NotRequired[Fallbacks]
    call: Call
    menu: NotRequired[MenusGiven]


StopStateName = Annotated[
    Literal["active", "paused", "cancelled"],
    Field(
        description="`paused`: nothing of it is dialled until it is resumed; `cancelled`: for good. What stops its "
        "campaign or its account stops a list too."
    ),
]


@_closed
class MessageCancelled(TypedDict):
    """What has become of a message that was to be cancelled."""

    messageId: Id
    state: Annotated[
        Literal["cancelled", "hangingUp", "hungUp", "tooLate"],
        Field(
            description="`cancelled`: it waited, and is not dialled any more. `hangingUp`: its call is being ended. "
            "`hungUp`: its call was ended, and is over. `tooLate`: it is in a call, which goes on, and is not dialled "
            "again; or it was finished before."
        ),
    ]


@_closed
class StopNote(TypedDict):
    """What is to be known of a pause."""

    code: Annotated[str, Field(description="For programs.", examples=["TTL_RUNS_ON"])]
    message: str


@_closed
class ListStopped(TypedDict):
    """A list that was paused or resumed."""

    messagelistId: Id
    state: Annotated[Literal["active", "paused"], Field(description="What was asked for.")]
    warnings: NotRequired[Annotated[list[StopNote], Field(min_length=1)]]


@_closed
class CampaignStopped(TypedDict):
    """A campaign that was paused or resumed."""

    campaign: str
    state: Annotated[Literal["active", "paused"], Field(description="What was asked for.")]
    warnings: NotRequired[Annotated[list[StopNote], Field(min_length=1)]]


@_closed
class ListCancelled(TypedDict):
    """A list that is cancelled, and what that means for its messages."""

    messagelistId: Id
    state: Literal["cancelled"]
    notDialled: Annotated[Count, Field(description="They waited; none of them is dialled any more.")]
    inProgress: Annotated[Count, Field(description="In a call, or just after one; none of them is dialled again.")]
    finished: Annotated[Count, Field(description="They had ended before.")]


@_closed
class CampaignCancelled(TypedDict):
    """A campaign that is cancelled, and what that means for its messages."""

    campaign: str
    state: Literal["cancelled"]
    notDialled: Annotated[Count, Field(description="They waited; none of them is dialled any more.")]
    inProgress: Annotated[Count, Field(description="In a call; none of them is dialled again.")]
    finished: Annotated[Count, Field(description="They had ended before.")]


@_closed
class Replayed(TypedDict):
    """Which webhooks of the message are sent again."""

    messageId: Id
    replayed: Annotated[list[str], Field(description="Their ids; each is tried at once, as often as a new one.")]


@_closed
class AccountReplayed(TypedDict):
    """Which webhooks of the account are sent again."""

    replayed: Annotated[
        list[str], Field(max_length=100, description="Their ids; each is tried at once, as often as a new one.")
    ]
    nextCursor: NotRequired[Cursor]


@_closed
class GivenUpWebhook(TypedDict):
    """A webhook that was given up."""

    webhookId: WebhookId
    messageId: NotRequired[Id]
    messagelistId: Annotated[NotRequired[Id], Field(description="In place of `messageId`: it tells of a whole list.")]
    menu: Count
    key: str
    step: Count
    destination: Annotated[str, Field(description="Scheme, host and port of its URL.")]
    state: Annotated[
        Literal["failed", "dead"],
        Field(description="`failed`: refused for good. `dead`: given up after several attempts."),
    ]
    givenUpAt: Moment
    attempts: Annotated[Count, Field(description="How many there were; the message's status has each.")]
    lastAttempt: WebhookAttempt | None


@_closed
class WebhookList(TypedDict):
    """A page of the webhooks that were given up, the latest first; it may have fewer than `limit`."""

    webhooks: Annotated[list[GivenUpWebhook], Field(max_length=100)]
    nextCursor: NotRequired[Cursor]


@_closed
class SecretGiven(TypedDict):
    """A new secret. It is shown here and nowhere else."""

    webhookSecret: Annotated[
        str, Field(pattern="^whsec_[A-Za-z0-9+/]{43}=$", description="In the form of Standard Webhooks.")
    ]
    olderSignUntil: Annotated[
        Moment | None, Field(description="Until then those before it sign too. Null: there were none.")
    ]


@_closed
class AccountLimits(TypedDict):
    """What the account may do."""

    callsPerDay: Annotated[Count, Field(description="Redials count too. A day is one of UTC.")]
    messagesPerSecond: Annotated[Count, Field(description="In the long run.")]
    messagesAtOnce: Count
    urgentPerMinute: Annotated[Count, Field(description="Urgent messages in a minute of the clock. 0: none.")]
    newMenuShapesPerDay: Count
    share: Annotated[int, Field(ge=1, description="Of the lines, against the shares of the other accounts that wait.")]
    maxLines: Annotated[int | None, Field(description="How many lines it may hold at once. Null: all there are.")]
    callsPerNumber: Annotated[int | None, Field(description="Calls to one number in any 24 hours. Null: no limit.")]
    minutesPerDay: Annotated[int | None, Field(description="Minutes of calls in a day of UTC. Null: no limit.")]
    spendPerDay: Annotated[
        float | None, Field(ge=0, description="What calls in a day of UTC may cost, in `costCurrency`. Null: no limit.")
    ]
    smsPerDay: Annotated[Count, Field(description="Parts of text messages in a day of UTC (`fallback`). 0: none.")]


@_closed
class UsedToday(TypedDict):
    """What of it is used."""

    calls: Annotated[Count, Field(description="Of `callsPerDay`.")]
    minutes: Annotated[
        float | None,
        Field(
            ge=0,
            description="Of `minutesPerDay`; a call that is not over counts as long as it was expected to be. "
            "Null: they are not limited, and not counted.",
        ),
    ]
    spend: Annotated[
        float | None,
        Field(
            ge=0,
            description="Of `spendPerDay`; a call that is not over counts with what it may cost at most. "
            "Null: it is not limited, and not counted.",
        ),
    ]
    endsAt: Annotated[Moment, Field(description="When the day ends.")]


@_closed
class Destinations(TypedDict):
    """Which numbers the account may call: the longest beginning that fits decides."""

    allowed: Annotated[list[str], Field(description="Beginnings of numbers; `*` is any number.")]
    denied: list[str]
    premium: Annotated[bool, Field(description="Whether premium-rate and shared-cost numbers are among them.")]


AccountWindow = TypedDict("AccountWindow", {"from": str, "to": str, "days": list[str]})
AccountWindow.__doc__ = "Hours in which messages may be dialled."
_closed(AccountWindow)


@_closed
class AccountStatus(TypedDict):
    """The account of the credentials, and what these are for."""

    account: str
    key: Annotated[str | None, Field(description="The name of the key that was sent. Null: it has none.")]
    scopes: Annotated[
        list[Literal["send", "read", "manage", "erase"]], Field(description="What the credentials are for.")
    ]
    limits: AccountLimits
    usedToday: UsedToday
    costCurrency: NotRequired[
        Annotated[str, Field(pattern="^[A-Z]{3}$", description="Of what may be spent, where that is limited.")]
    ]
    destinations: Destinations
    senders: Annotated[
        dict[str, str], Field(description="What `from` may be, and the caller ID of each. Empty: anything.")
    ]
    windows: Annotated[list[AccountWindow], Field(description="Of messages that give none. Empty: every hour.")]
    timeZone: Annotated[str | None, Field(description="Of the windows, and of messages that give none.")]
    keepDays: Annotated[
        int, Field(ge=1, le=1825, description="For how many days a message is kept after its end, from now on.")
    ]


@_closed
class AudioNote(TypedDict):
    """What is odd about audio that was taken."""

    code: Annotated[str, Field(description="For programs.", examples=["CLIPPED_AUDIO"])]
    message: str


@_closed
class Audio(TypedDict):
    """The audio under an identifier."""

    introId: str
    seconds: Annotated[float, Field(ge=0, lt=300)]
    bytes: Annotated[Count, Field(description="As a telephone prompt.")]
    storedAt: Moment
    lastUsedAt: Annotated[Moment | None, Field(description="To the hour. Null: never.")]
    warnings: list[AudioNote]


@_closed
class AudioList(TypedDict):
    """All audio of an account that has an identifier."""

    audio: list[Audio]


@_closed
class AudioRemoved(TypedDict):
    """The identifier is gone."""

    introId: str
    removed: Literal[True]


@_closed
class Upload(TypedDict):
    """Where to PUT a file."""

    introId: str
    uploadId: Annotated[str, Field(description="For `PUT /bat/audio/{introId}?uploadId=…` afterwards.")]
    method: Literal["PUT"]
    url: Annotated[str, Field(description="Takes one file of exactly the size that was told, without credentials.")]
    expiresInSec: Annotated[int, Field(ge=1)]


@_closed
class Summary(TypedDict):
    """The state of a message of a list, in short."""

    messageId: Id
    customerMessageId: NotRequired[CustomerId]
    recipient: str
    deliverystatus: DeliveryStatus
    outcome: Outcome | None
    endReason: EndReason | None


SecondsLeft = Annotated[
    Count | None,
    Field(description="A guess, until the last call is over: `estimate.secondsLeft`. Null: nothing of it is dialled."),
]


@_closed
class Estimate(TypedDict):
    """How long it takes, by the shares of the accounts that wait and the length of the account's calls so far."""

    secondsLeft: Count
    atLeast: Annotated[
        Count, Field(description="Seconds, with shorter calls and no other campaign of the account in the way.")
    ]
    atMost: Annotated[
        Count, Field(description="Seconds, with longer calls and every open campaign of the account dialling.")
    ]
    certainty: Annotated[
        Literal["fair", "rough"],
        Field(description="`rough`: fewer than 20 calls of the account so far, or it is not known who waits."),
    ]


@_closed
class ListStatus(TypedDict):
    """The state of a list: all its messages counted, a page of them shown."""

    messagelistId: Id
    campaign: NotRequired[CampaignName]
    simulated: NotRequired[Simulated]
    state: StopStateName
    total: Annotated[int, Field(ge=1, le=100, description="How many messages were accepted.")]
    statuses: Annotated[dict[DeliveryStatus, int], Field(description="How many messages have each status.")]
    outcomes: Annotated[dict[Outcome, int], Field(description="How many messages ended in each way.")]
    estimatedSecondsLeft: SecondsLeft
    estimate: Estimate | None
    messages: Annotated[list[Summary], Field(max_length=100)]
    nextOffset: NotRequired[Annotated[int, Field(description="`offset` of the next page, where there is one.")]]


@_closed
class Campaign(TypedDict):
    """The numbers of a campaign."""

    campaign: CampaignName
    state: Annotated[
        Literal["running", "paused", "cancelled", "finished"],
        Field(description="`finished`: no message is unfinished; another list makes it `running` again."),
    ]
    createdAt: Moment
    latestMessagelistId: Id
    finishedAt: Annotated[Moment | None, Field(description="When the last message was finished. Null: not yet.")]
    lists: Count
    total: Annotated[Count, Field(description="How many messages were accepted.")]
    unfinished: Annotated[Count, Field(description="Of these, how many have no outcome yet.")]
    calling: Annotated[Count, Field(description="Of these, how many hold a line.")]
    outcomes: Annotated[dict[Outcome, int], Field(description="How many messages ended in each way.")]


@_closed
class Bucket(TypedDict):
    """Keys that came within so many seconds, and not within those of the bucket before."""

    upToSeconds: Annotated[int | None, Field(description="Null: longer than the bucket before.")]
    keys: Count


@_closed
class SecondsToKey(TypedDict):
    """How long callees took for a key, the introduction with it."""

    medianBetween: Annotated[
        list[int | None] | None,
        Field(
            min_length=2,
            max_length=2,
            description="Between which seconds the median is: the bounds of its bucket. Null behind 55 s; null at "
            "all: no key was pressed.",
        ),
    ]
    buckets: Annotated[list[Bucket], Field(min_length=10, max_length=10)]


@_closed
class MenuNumbers(TypedDict):
    """How often a menu was asked, and how it was left; the others add up to `asked`."""

    menu: Count
    asked: Count
    keys: Annotated[
        dict[str, int],
        Field(
            description="`d0` to `d9`, `d*`, `d#`; `complete`: as many digits as were asked for; `other`: any other "
            "digits, and what is no key of a telephone."
        ),
    ]
    silence: Annotated[Count, Field(description="No key in time.")]
    hungUp: Annotated[Count, Field(description="The callee hung up in it.")]
    interrupted: Annotated[Count, Field(description="It could not be played, or our side ended the call in it.")]
    secondsToKey: SecondsToKey


@_closed
class Funnel(TypedDict):
    """All call attempts with menus of one shape (which key leads where) that are over."""

    shape: Annotated[str, Field(description="The shape's digest; `other`: all shapes without a funnel of their own.")]
    exampleMessageId: NotRequired[Annotated[Id, Field(description="A message with such menus.")]]
    calls: Count
    answered: Count
    menus: Annotated[list[MenuNumbers], Field(max_length=20)]


@_closed
class CampaignStatus(Campaign):
    """Where a campaign stands."""

    estimatedSecondsLeft: SecondsLeft
    estimate: Estimate | None
    funnels: Annotated[list[Funnel], Field(max_length=14, description="The one with most calls first; `other` last.")]


@_closed
class CampaignList(TypedDict):
    """A page of an account's campaigns, the latest first."""

    campaigns: Annotated[list[Campaign], Field(max_length=100)]
    nextCursor: NotRequired[Cursor]


@_closed
class ListOfCampaign(TypedDict):
    """One list of a campaign."""

    messagelistId: Id
    acceptedAt: Moment
    total: Annotated[int, Field(ge=1, le=100, description="How many messages were accepted.")]


@_closed
class Messagelists(TypedDict):
    """A page of the lists of a campaign, the latest first."""

    campaign: CampaignName
    messagelists: Annotated[list[ListOfCampaign], Field(max_length=100)]
    nextCursor: NotRequired[Cursor]


@_closed
class OptOutEntry(TypedDict):
    """A number that does not want to be called. The number itself is not kept, and cannot be told."""

    list: Annotated[str, Field(description="Empty: the account's own list.", examples=["marketing"])]
    ending: Annotated[str, Field(pattern="^[0-9]{2}$", description="The last two digits of the number.")]
    optedOutAt: Annotated[Moment, Field(description="Of an import, what the file says.")]
    by: Annotated[
        Literal["key", "api", "import", "operator", "callBack"],
        Field(description="`key`: the callee pressed it; `callBack`: the same, having called the caller ID back."),
    ]
    reason: NotRequired[str]
    messageId: NotRequired[Annotated[Id, Field(description="In whose call the key was pressed.")]]


@_closed
class OptOutAdded(TypedDict):
    """The number is not called any more."""

    optOut: OptOutEntry
    added: Annotated[bool, Field(description="False: it had opted out before, and that entry stays.")]


@_closed
class OptOutFound(TypedDict):
    """Whether a number stands on one list."""

    optedOut: bool
    optOut: NotRequired[Annotated[OptOutEntry, Field(description="The entry, also one that was removed.")]]
    removedAt: NotRequired[Moment]
    consent: NotRequired[Annotated[ConsentGiven, Field(description="What it was removed with.")]]


@_closed
class OptOutRemoved(TypedDict):
    """The number may be called again, as far as this list goes."""

    list: str
    ending: str
    removed: Literal[True]


@_closed
class OptOuts(TypedDict):
    """A page of the opt-outs that hold."""

    optOuts: Annotated[list[OptOutEntry], Field(max_length=100)]
    nextCursor: NotRequired[Cursor]


@_closed
class ErrorBody(TypedDict):
    """What went wrong."""

    code: Annotated[str, Field(description="For programs. See docs/errors.md.", examples=["INVALID_REQUEST"])]
    message: Annotated[str, Field(description="For people.")]
    details: NotRequired[list[Place]]


@_closed
class Error(TypedDict):
    """The answer to a request that was refused or failed."""

    error: ErrorBody


@_closed
class GatewayError(TypedDict):
    """What the gateway before us answers by itself: an unknown path, its own throttle, its own failure."""

    message: str


@_closed
class Health(TypedDict):
    """What answers."""

    status: Literal["ok"]
    version: Annotated[
        str, Field(pattern=r"^[0-9]+\.[0-9]+\.[0-9]+", description="Of the deployed SpeechCall.", examples=["0.1.0"])
    ]
    provider: Annotated[str, Field(description="The telephony: `connect` or `chime`.", examples=["connect"])]


PersonState = Annotated[Literal["running", "done"], Field(description="`running` until all is found, or erased.")]


@_closed
class ErasedCounts(TypedDict):
    """What was deleted; after a crash of ours it may be more than is counted."""

    messages: Count
    calls: Count
    webhooks: Count


@_closed
class KeptElsewhere(TypedDict):
    """What is still there after an erasure."""

    what: str
    why: str
    until: Annotated[Moment | None, Field(description="Null: until it is removed.")]


@_closed
class Erasure(TypedDict):
    """An erasure, and its receipt."""

    erasureId: Id
    state: PersonState
    askedAt: Annotated[Moment, Field(description="What was accepted until then is erased.")]
    finishedAt: Moment | None
    erased: ErasedCounts
    waitsFor: Annotated[Count, Field(description="Messages that are in a call, or that owe a webhook.")]
    kept: Annotated[list[KeptElsewhere], Field(description="When it is done: what is still there, and until when.")]


@_closed
class PersonPart(TypedDict):
    """A part of what a menu plays."""

    audio: NotRequired[str]
    say: NotRequired[str]
    pauseMsec: NotRequired[Count]


@_closed
class PersonIntroduction(TypedDict):
    """What is played in a call."""

    introUrl: NotRequired[str]
    say: NotRequired[str]
    play: NotRequired[list[PersonPart]]


@_closed
class PersonMenu(TypedDict):
    """What a menu says; `repeat`: when it was asked again in silence, if that was something else."""

    introUrl: NotRequired[str]
    say: NotRequired[str]
    play: NotRequired[list[PersonPart]]
    repeat: NotRequired[PersonIntroduction]


PersonMessage = TypedDict("PersonMessage", {"from": str, "menu": list[PersonMenu], "status": MessageStatus})
PersonMessage.__doc__ = "A message to a person: who called, what was said, what came of it."
_closed(PersonMessage)


@_closed
class PersonExport(TypedDict):
    """What is kept of a person."""

    exportId: Id
    state: PersonState
    askedAt: Moment
    messages: NotRequired[Annotated[list[PersonMessage], Field(max_length=20, description="In the order sent.")]]
    optOuts: NotRequired[
        Annotated[list[OptOutEntry], Field(description="Of the account's own list, and of those that messages name.")]
    ]
    nextCursor: NotRequired[Annotated[str, Field(description="For the next page, as `cursor`.")]]


@_closed
class Expected(TypedDict):
    """Of a figure over all rehearsals of a list."""

    p50: Annotated[float, Field(description="What half of the rehearsals do not exceed.")]
    p95: Annotated[float, Field(description="What 95 of a hundred do not exceed.")]


@_closed
class ExpectedMoment(TypedDict):
    """Of a moment over all rehearsals of a list."""

    p50: Moment
    p95: Moment


@_closed
class CallsBegun(TypedDict):
    """When calls begin."""

    slotSeconds: Annotated[int, Field(ge=1, description="How long each slot is; the first begins at `from`.")]
    mean: Annotated[
        list[Annotated[float, Field(ge=0)]],
        Field(min_length=1, description="Calls that begin in each slot, the mean of all rehearsals."),
    ]


RehearsalFigures = TypedDict(
    "RehearsalFigures",
    {
        "seeds": Annotated[
            int, Field(ge=1, description="How many rehearsals there were: fewer than asked for, where time was up.")
        ],
        "from": Annotated[Moment, Field(description="When the list is taken to be sent.")],
        "seconds": Annotated[Expected, Field(description="From then until its last message has ended.")],
        "end": Annotated[ExpectedMoment, Field(description="When its last message has ended.")],
        "calls": Annotated[Expected, Field(description="Redials count.")],
        "talkedMinutes": Expected,
        "outcomes": Annotated[
            dict[str, Expected],
            Field(description="Messages by outcome; `unfinished`: not ended after 40 days."),
        ],
        "firstKeys": Annotated[
            dict[str, Expected], Field(description="Answered calls by the first key; `none`: no key was pressed.")
        ],
        "callsBegun": CallsBegun,
    },
)
RehearsalFigures.__doc__ = "What is to be expected of a list: figures of its own messages, and of no others."
_closed(RehearsalFigures)


@_closed
class RehearsalFailure(TypedDict):
    """Why a rehearsal has no figures."""

    reason: Literal["tooManyWait", "tookTooLong", "unavailable", "interrupted", "fault"]
    message: Annotated[str, Field(description="For people.")]


@_closed
class Rehearsal(TypedDict):
    """A list that is rehearsed."""

    rehearsalId: Id
    state: Literal["waiting", "running", "done", "failed"]
    askedAt: Moment
    messages: Annotated[int, Field(ge=1, description="Of the list.")]
    finishedAt: NotRequired[Moment]
    failure: NotRequired[Annotated[RehearsalFailure, Field(description="Where it has failed.")]]
    figures: NotRequired[Annotated[RehearsalFigures, Field(description="When it is done.")]]
