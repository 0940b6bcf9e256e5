"""A message: one phone call that a customer asked for, with its menus."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from speechcall.menus.rules.ask import Ask
from speechcall.menus.rules.menu import OWN_LIST, Menu
from speechcall.messages.rules.dial_times import DEFAULT_RING_SECONDS, DEFAULT_TTL_SECONDS, Redial
from speechcall.shared.rules.outcome import End

if TYPE_CHECKING:
    from speechcall.messages.rules.fallback import Fallback
    from speechcall.messages.rules.when_to_dial import DialTimes
    from speechcall.optouts.rules.opt_out import Consent
    from speechcall.shared.rules.calling_hours import Hours


DAY_SECONDS = 86_400
KNOWN_BY_SECONDS = 2 * DAY_SECONDS
"""After the last moment at which a message may be dialled; by then its end is known: a call takes an hour at most."""
LIST_LONGER_SECONDS = 5 * DAY_SECONDS
"""For so much longer than what its messages leave behind a list is kept."""
UNFINISHED_SECONDS = 366 * DAY_SECONDS
"""Beyond that a message that has not ended stands in its item. It does not go by itself: its end says when it does."""


class State(StrEnum):
    """The state of a message. Each state is left once, by a conditional write."""

    PREPARING = "preparing"
    QUEUED = "queued"
    CALLING = "calling"
    SETTLING = "settling"
    """Its call is over and its line free; why the call ended, and so what has become of the message, is asked for."""
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Message:
    """A message as stored. `sender` and `recipient` are exactly what the customer wrote."""

    mid: str
    list_id: str
    account_id: str
    sender: str
    recipient: str
    number: str
    text: str
    menus: tuple[Menu, ...]
    created_msec: int
    expires_at: int
    """What its calls and webhooks leave behind goes then (epoch seconds); itself, once it has ended: `leaves_at`."""
    state: State = State.PREPARING
    attempt: int = 0
    asks: tuple[Ask, ...] = ()
    flow_arn: str | None = None
    caller_id: str | None = None
    outcome: str | None = None
    reason: str | None = None
    cause: str | None = None
    """Why it could not be dialled at all: an introduction, or its state machine."""
    finished_msec: int | None = None
    settling_end: End | None = None
    """With which word its machine, or who heard that it died, has finished its call; only while it is settling."""
    menus_text: str | None = field(default=None, compare=False, repr=False)
    """`dump_menus(menus)`, where it is known already: it was measured before the message was accepted."""
    customer_id: str | None = None
    """The customer's own name for it (`customerMessageId`)."""
    ttl_seconds: int = DEFAULT_TTL_SECONDS
    """From acceptance, whatever it was counted from when it was asked for."""
    ring_seconds: int = DEFAULT_RING_SECONDS
    redial: Redial | None = None
    send_at_msec: int = 0
    """Before this moment it is not dialled; 0: at once."""
    hours: "tuple[Hours, ...]" = ()
    """All have to be open while it is dialled: its account's and its own, frozen when it was accepted."""
    silent_repeats: int | None = None
    """How many menus may be asked again since the last key before silence ends the call; None: as the stack says."""
    redials: int = 0
    """How often it was put back to be dialled again after a call that did not reach the callee."""
    answered_reason: str | None = None
    """A call before was answered without a key and ended so: what becomes of it, unless a later call is answered."""
    claimed_msec: int | None = field(default=None, compare=False)
    """When it last took a line; None: never, or a release before this one wrote it."""
    dial_wait_seconds: int | None = field(default=None, compare=False)
    """For how long its state machine waits for an answer, as it was when the line was taken; None: as a release before
    this one waits. An execution's input must not change with a deployment: it would be taken for another's."""
    campaign: str = ""
    """The name under which its list is counted, stopped and shares its account's lines; empty: none."""
    funnel: str = ""
    """Under which shape of menus its calls are counted in its campaign; empty: in none."""
    status_url: str = ""
    """Where its sender is told what becomes of it; empty: nowhere. Frozen when it was accepted."""
    status_events: tuple[str, ...] = ()
    """Of which events (`StatusKind`) of its own."""
    counts_in_list: bool = False
    """Its end is counted for its list, whose sender is told when all have ended."""
    is_urgent: bool = False
    """It goes before all that are not, on lines that are kept free for such."""
    share: int | None = field(default=None, compare=False)
    """Its account's share as it was when it took its line; None: it never did, or in a release before."""
    charged_msec: int = field(default=0, compare=False)
    """The line time that its account was charged for its call."""
    is_limited: bool = field(default=False, compare=False)
    """Its account may hold so many lines only, and has one back when its call ends."""
    limits: Mapping[str, int] = field(default_factory=dict, compare=False)
    """The limits for calls that its latest claim counted it in, by the names of `Limit`."""
    reserved: int = field(default=0, compare=False)
    """What its latest claim has counted for its call in its account's spend of the day."""
    was_not_placed: bool = field(default=False, compare=False)
    """Only where it leaves a call: no phone can have rung, so the call is counted nowhere."""
    talked_msec: int | None = field(default=None, compare=False)
    """Only where it leaves a call: for how long it was up; None: that is not known, and its line's time counts."""
    spent: int | None = field(default=None, compare=False)
    """Only where it leaves a call: what it has cost; None: that is not known, and what was reserved counts."""
    cancelled_msec: int | None = field(default=None, compare=False)
    """When it was cancelled in a call, or just after one: it is not dialled again."""
    hangup_msec: int | None = field(default=None, compare=False)
    """When it was asked that its call be ended."""
    is_held: bool = field(default=False, compare=False)
    """It was put off because its list is paused, and comes back as soon as that is resumed."""
    stands: bool = field(default=False, compare=False)
    """It has its place in its queue."""
    number_digest: str = ""
    """By which its number is known among the opt-outs; empty: a release before accepted it, which knew none."""
    opt_out_lists: tuple[str, ...] = ()
    """The lists of opt-outs that it obeys, besides its account's own."""
    ignores_opt_out: bool = False
    """It is dialled even where the number has opted out: its account was granted that."""
    is_simulated: bool = False
    """It rings no phone: it was accepted by a stack whose telephony is simulated."""
    fallback: "Fallback | None" = None
    """What is sent in place of a call that reached nobody; None: nothing."""
    key_pressed: bool | None = field(default=None, compare=False)
    """Only where it leaves a call: whether a key was pressed in any; None: that is not known."""
    consent: "Consent | None" = field(default=None, repr=False)
    """On which ground its sender may call; kept as evidence, it decides nothing."""
    keep_days: int = 0
    """For so long it is kept after its end; 0: a release before accepted it, and it goes as that release said."""
    due_msec: int | None = field(default=None, compare=False)
    """When its state has to change; None: never."""

    @property
    def dial_until_msec(self) -> int:
        """From this moment on it is not dialled any more."""
        return self.created_msec + self.ttl_seconds * 1000

    @property
    def leaves_at(self) -> int:
        """From when on its item may be deleted (epoch seconds). One that has not ended stays."""
        is_finished = self.state is State.FINISHED or not self.keep_days
        return self.expires_at if is_finished else self.expires_at + UNFINISHED_SECONDS

    @property
    def window(self) -> str:
        """The class of its hours, see `Queue`."""
        if not self.hours:
            return ""
        from speechcall.shared.rules.calling_hours import window_class  # noqa: PLC0415, as below

        return window_class(self.hours)

    @property
    def obeyed_lists(self) -> tuple[str, ...]:
        """The lists of opt-outs on which its number must not stand when it is dialled."""
        if self.ignores_opt_out or not self.number_digest:
            return ()
        return (OWN_LIST, *self.opt_out_lists)

    @property
    def dial_times(self) -> "DialTimes":
        """What it says itself about when it may be dialled, for `next_dial`."""
        # During a call nobody asks: what a callee waits for need not load it.
        from speechcall.messages.rules.when_to_dial import DialTimes  # noqa: PLC0415

        return DialTimes(self.dial_until_msec, self.send_at_msec, self.hours)


def kept_until(dial_until_msec: int, keep_days: int) -> int:
    """Until when what a message leaves behind is kept (epoch seconds): at least as long as itself."""
    return dial_until_msec // 1000 + KNOWN_BY_SECONDS + keep_days * DAY_SECONDS


def kept_after_end(finished_msec: int, keep_days: int) -> int:
    """Until when a message that has ended is kept (epoch seconds)."""
    return finished_msec // 1000 + keep_days * DAY_SECONDS
