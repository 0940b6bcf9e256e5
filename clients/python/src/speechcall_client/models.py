"""What the API answers, as objects. Names are the API's, written as Python writes them: `messageId` is `message_id`.

Members that come with a later release are kept too (`extra`), and words that are new are no error: `outcome` and
`end_reason` are open. Treat an outcome that you do not know as its `deliverystatus`.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from speechcall_client.errors import Problem


class Answer(BaseModel):
    """Base of all."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="allow", frozen=True)


class Note(Answer):
    """A sentence about one place of a message, or about an upload (`path` is empty there)."""

    code: str
    path: str = ""
    message: str


class Refusal(Note):
    """Why a message was rejected: its first problem, and all of them."""

    details: tuple[Note, ...] = ()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All of them."""
        return tuple(Problem(one.code, one.path, one.message) for one in self.details or (self,))


class CallBounds(Answer):
    """How short and how long a call can be."""

    shortest_menus: int | None
    longest_menus: int
    longest_idle_seconds: int


class CostForeseen(Answer):
    """What calls would cost: if each is answered for a moment, and at most."""

    if_answered: float
    at_most: float
    currency: str
    unpriced: int = 0
    """Of a whole request: how many calls have no price, and are not in it."""


class MessageAnswer(Answer):
    """What became of one message of a request: `sent`, `acceptable` (of a check) or `rejected`."""

    status: Literal["sent", "acceptable", "rejected"]
    recipient: str | None
    message_id: str | None = None
    customer_message_id: str | None = None
    warnings: tuple[Note, ...] = ()
    error: Refusal | None = None
    call: CallBounds | None = None
    dialled_from: datetime | None = None
    may_ring: str | None = None
    """When the phone may ring, in words."""
    promises: tuple[dict[str, Any], ...] = ()
    """What is known of each promise about the menus."""
    picture: str | None = None
    cost: CostForeseen | None = None


class Accepted(Answer):
    """The messages in the order sent."""

    messages: tuple[MessageAnswer, ...]
    messagelist_id: str
    rejected: int = 0

    @property
    def message_ids(self) -> tuple[str, ...]:
        """Of those that were accepted."""
        return tuple(one.message_id for one in self.messages if one.message_id)


class Checked(Answer):
    """The messages in the order given; nothing was stored or spent."""

    messages: tuple[MessageAnswer, ...]
    rejected: int = 0
    cost: CostForeseen | None = None


class Attempt(Answer):
    """One time that the number was dialled."""

    attempt: int
    dialled_at: datetime
    answered_at: datetime | None
    answer_to_first_command_msec: int | None = None
    ended_at: datetime | None
    duration_sec: float | None
    cause: str | None


class Step(Answer):
    """One thing that was heard: a key (`d1`), `idle` or `other`. Of a lookup behind it the case that was answered."""

    attempt: int
    menu: int
    heard: str
    at: datetime
    case: str | None = None
    lookup_error: str | None = None


class WebhookAttempt(Answer):
    """One request to your server."""

    at: datetime
    msec: int
    status: int | None
    error: str | None


class WebhookDelivery(Answer):
    """The delivery of one webhook."""

    webhook_id: str
    menu: int
    key: str
    step: int
    state: str
    next_attempt_at: datetime | None
    attempts: tuple[WebhookAttempt, ...]


class Call(Answer):
    """What happened, in full."""

    state: str
    paused: bool = False
    outcome: str | None
    end_reason: str | None
    cause: str | None
    accepted_at: datetime
    dialled_until: datetime
    next_attempt_at: datetime | None
    finished_at: datetime | None
    answered_at: datetime | None
    ended_at: datetime | None
    duration_sec: float | None
    key_pressed: bool = False
    attempts: tuple[Attempt, ...]
    path: tuple[Step, ...]
    webhooks: tuple[WebhookDelivery, ...]
    status_webhooks: tuple[dict[str, Any], ...] = ()
    """The deliveries of its status events."""


class Fallback(Answer):
    """What has become of a message's `fallback`; treat a `status` that you do not know as `pending`."""

    type: str
    status: str
    reason: str | None = None
    at: datetime | None = None


class MessageStatus(Answer):
    """Where a message stands."""

    messagelist_id: str
    message_id: str
    customer_message_id: str | None = None
    campaign: str | None = None
    recipient: str
    text: str
    deliverystatus: Annotated[str, Field(alias="deliverystatus")]
    ignore_opt_out: bool = False
    simulated: bool = False
    """No phone rings for it."""
    partscount: Annotated[int, Field(alias="partscount")] = 1
    cost: float | None = None
    """What its calls have cost; None: the operator has given no prices."""
    cost_currency: str | None = None
    fallbacks: tuple[Fallback, ...] = ()
    consent: dict[str, str] | None = None
    """On which ground it was sent: `basis`, `at`, `ref`."""
    call: Call
    menu: tuple[dict[str, Any], ...] | None = None
    """Its menus, where they were asked for; of headers the names alone."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing more happens to it."""
        return self.call.state == "finished"


class Summary(Answer):
    """The state of a message of a list, in short."""

    message_id: str
    customer_message_id: str | None = None
    recipient: str
    deliverystatus: Annotated[str, Field(alias="deliverystatus")]
    outcome: str | None
    end_reason: str | None


class Estimate(Answer):
    """How long it takes, and how sure that is."""

    seconds_left: int
    at_least: int
    at_most: int
    certainty: str


class ListStatus(Answer):
    """The state of a list: all its messages counted, a page of them shown."""

    messagelist_id: str
    campaign: str | None = None
    simulated: bool = False
    state: str
    total: int
    statuses: dict[str, int]
    outcomes: dict[str, int]
    estimated_seconds_left: int | None = None
    estimate: Estimate | None = None
    messages: tuple[Summary, ...]
    next_offset: int | None = None


class Campaign(Answer):
    """The numbers of a campaign."""

    campaign: str
    state: str
    created_at: datetime
    latest_messagelist_id: str
    finished_at: datetime | None
    lists: int
    total: int
    unfinished: int
    calling: int
    outcomes: dict[str, int]


class CampaignStatus(Campaign):
    """Where a campaign stands. `funnels` are as the API gives them."""

    estimated_seconds_left: int | None = None
    estimate: Estimate | None = None
    funnels: tuple[dict[str, Any], ...] = ()


class ListOfCampaign(Answer):
    """One list of a campaign."""

    messagelist_id: str
    accepted_at: datetime
    total: int


class MessageCancelled(Answer):
    """What has become of a message that was to be cancelled."""

    message_id: str
    state: str


class Stopped(Answer):
    """A list or a campaign that was cancelled, paused or resumed; the counts are those of a cancellation."""

    messagelist_id: str | None = None
    campaign: str | None = None
    state: str
    not_dialled: int | None = None
    in_progress: int | None = None
    finished: int | None = None
    warnings: tuple[Note, ...] = ()


class Replayed(Answer):
    """Which webhooks are sent again, by their ids; `message_id` where they are of one message."""

    message_id: str | None = None
    replayed: tuple[str, ...]
    next_cursor: str | None = None


class OptOut(Answer):
    """A number that does not want to be called; the number itself is not kept. `list` is empty for the account's."""

    list: str
    ending: str
    opted_out_at: datetime
    by: str
    reason: str | None = None
    message_id: str | None = None


class OptOutAdded(Answer):
    """The number is not called any more; not `added`: it had opted out before."""

    opt_out: OptOut
    added: bool


class OptOutFound(Answer):
    """Whether a number stands on one list, and the entry, also one that was removed."""

    opted_out: bool
    opt_out: OptOut | None = None
    removed_at: datetime | None = None
    consent: dict[str, str] | None = None


class OptOutRemoved(Answer):
    """The number may be called again, as far as this list goes."""

    list: str
    ending: str
    removed: bool


class GivenUpWebhook(Answer):
    """A webhook that was given up."""

    webhook_id: str
    message_id: str | None = None
    messagelist_id: str | None = None
    """In place of `message_id`: it tells of a whole list."""
    menu: int
    key: str
    step: int
    destination: str
    state: str
    given_up_at: datetime
    attempts: int
    last_attempt: WebhookAttempt | None


class Audio(Answer):
    """The audio under an identifier."""

    intro_id: str
    seconds: float
    bytes: int
    stored_at: datetime
    last_used_at: datetime | None
    warnings: tuple[Note, ...] = ()


class Limits(Answer):
    """What the account may do."""

    calls_per_day: int
    messages_per_second: int
    messages_at_once: int
    urgent_per_minute: int
    new_menu_shapes_per_day: int
    share: int
    max_lines: int | None
    calls_per_number: int | None
    minutes_per_day: int | None
    spend_per_day: float | None = None
    sms_per_day: int = 0


class UsedToday(Answer):
    """What of it is used."""

    calls: int
    minutes: float | None = None
    spend: float | None = None
    ends_at: datetime


class Destinations(Answer):
    """Which numbers the account may call."""

    allowed: tuple[str, ...]
    denied: tuple[str, ...]
    premium: bool


class Account(Answer):
    """The account of the credentials, and what these are for. `windows` are as the API gives them."""

    account: str
    key: str | None
    scopes: tuple[str, ...]
    limits: Limits
    used_today: UsedToday
    destinations: Destinations
    senders: dict[str, str]
    windows: tuple[dict[str, Any], ...]
    time_zone: str | None
    keep_days: int | None = None
    cost_currency: str | None = None
    """Of what may be spent, where that is limited."""


class WebhookSecret(Answer):
    """A new secret; it is shown this once."""

    webhook_secret: Annotated[str, Field(repr=False)]
    older_sign_until: datetime | None


class Expected(Answer):
    """Of a figure over all rehearsals of a list: what half of them, and 95 of a hundred, do not exceed."""

    p50: float
    p95: float


class ExpectedMoment(Answer):
    """The same of a moment."""

    p50: datetime
    p95: datetime


class CallsBegun(Answer):
    """Calls that begin in each slot, the mean of all rehearsals."""

    slot_seconds: int
    mean: tuple[float, ...]


class RehearsalFigures(Answer):
    """What is to be expected of a list."""

    seeds: int
    from_: Annotated[datetime, Field(alias="from")]
    seconds: Expected
    end: ExpectedMoment
    calls: Expected
    talked_minutes: Expected
    outcomes: dict[str, Expected]
    first_keys: dict[str, Expected]
    calls_begun: CallsBegun


class RehearsalFailure(Answer):
    """Why a rehearsal has no figures."""

    reason: str
    message: str


class Rehearsal(Answer):
    """A list that is rehearsed: `waiting`, `running`, `done` with its figures, or `failed`."""

    rehearsal_id: str
    state: str
    asked_at: datetime
    messages: int
    finished_at: datetime | None = None
    failure: RehearsalFailure | None = None
    figures: RehearsalFigures | None = None

    @property
    def has_ended(self) -> bool:
        """Whether it is done, or has failed."""
        return self.state in ("done", "failed")
