"""Whose turn it is for a line: weighted fair queueing of line time.

Two levels work alike: accounts wait for the stack's lines, and an account's queues (one for each campaign) wait for
the account's. Each has a virtual time: the line time that it was charged, divided by its share. The smallest is next.
A claim charges what a call is expected to take, and the end of the call the difference. So an account's wait depends
on the shares of those that wait, never on the length of a queue. (Start-time fair queueing: Goyal, Vin, Cheng,
SIGCOMM 1996.)
"""

from dataclasses import dataclass, replace

from speechcall.accounts.rules.account import DEFAULT_SHARE

SCALE = 1000
"""Units of virtual time for a millisecond of line time at share 1: a whole one at the largest share."""
ASSUMED_CALL_MSEC, ASSUMED_CALLS = 60_000, 5
"""What a call takes, as long as an account has few to reckon by; it weighs as much as so many of its calls."""
MOST_COUNTED = 200
"""Calls that an account's mean goes by: at twice as many both sums are halved."""
NONE_CANCELLED = -1
"""Below every message's id."""
REST_MSEC = 60_000
"""What was woken so short a time ago does not leave the order, though nothing of it is seen: an index lags."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An account among those that wait for a line; its urgent messages have a turn of their own."""

    account_id: str
    is_urgent: bool = False
    share: int = DEFAULT_SHARE
    max_lines: int | None = None
    """How many lines it may hold at once; None: all."""
    virtual: int = 0
    """Its virtual time, in units of `SCALE`."""
    owed: int = 0
    """What ended calls took more (or less) than was charged for them, in virtual time; the next claim adds it to
    `virtual`."""
    queue_clock: int = 0
    """The virtual time at which the latest of its queues was served: where one that was empty begins."""
    live: frozenset[str] = frozenset()
    """Its call attempts that hold a line."""
    is_waiting: bool = False
    """It stands in the order of those that wait for a line."""
    woken_msec: int = 0
    """When it was last woken: a message of it came to wait, or was about to."""
    revision: int = 0
    """Grows whenever it is woken; of a queue also when it is shut."""
    is_paused: bool = False
    cancelled_upto: int = NONE_CANCELLED
    """Its messages up to this id are not dialled any more."""
    ended: int = 0
    line_msec: int = 0
    """How many calls have ended, and the line time that they took: both are halved now and then."""
    calls_per_number: int | None = None
    """How many calls its account may make to one number in any 24 hours; None: any number."""
    minutes_per_day: int | None = None
    """How many minutes of calls its account may make in a day (UTC); None: any number."""
    spend_per_day: int | None = None
    """What its account's calls of a day (UTC) may cost, in millionths of the currency; None: anything."""

    @property
    def standing(self) -> int:
        """What its place in the order goes by."""
        return self.virtual + self.owed

    @property
    def has_room(self) -> bool:
        """Whether it may hold one more line."""
        return self.max_lines is None or len(self.live) < self.max_lines

    @property
    def expected_msec(self) -> int:
        """The line time that its next call is charged."""
        return (self.line_msec + ASSUMED_CALLS * ASSUMED_CALL_MSEC) // (self.ended + ASSUMED_CALLS)

    @property
    def order(self) -> tuple[bool, int, str]:
        """Urgent ones first, then by virtual time."""
        return not self.is_urgent, self.standing, self.account_id

    def charged(self, holder: str, queue_clock: int) -> "Turn":
        """The turn after the attempt `holder` has taken a line. `queue_clock`: the virtual time of its queue."""
        return replace(
            self,
            virtual=self.standing + cost(self.expected_msec, self.share),
            owed=0,
            queue_clock=queue_clock,
            live=self.live | {holder},
            ended=self.ended - self.forgotten_calls,
            line_msec=self.line_msec - self.forgotten_msec,
        )

    @property
    def forgotten_calls(self) -> int:
        """How many of the calls that have ended the next claim takes out of the mean."""
        return self.ended // 2 if self.ended >= 2 * MOST_COUNTED else 0

    @property
    def forgotten_msec(self) -> int:
        """Their line time."""
        return self.line_msec // 2 if self.forgotten_calls else 0


@dataclass(frozen=True, slots=True)
class Queue:
    """The messages of one campaign of an account (or of none), with the same hours, that wait for a line: first come,
    first served.
    """

    account_id: str
    campaign: str = ""
    is_urgent: bool = False
    virtual: int = 0
    """This and the next four: as those of a `Turn`, among the queues of its account."""
    owed: int = 0
    is_waiting: bool = False
    woken_msec: int = 0
    revision: int = 0
    window: str = ""
    """The class of its messages' hours: they open and shut together. Empty: they may be dialled at every hour."""
    opens_msec: int = 0
    """It is shut, and opens then; 0: it is not known to be shut."""

    @property
    def name(self) -> tuple[str, str]:
        """What tells it from the account's other queues of its lane."""
        return self.campaign, self.window

    @property
    def standing(self) -> int:
        """What its place among the account's queues goes by."""
        return self.virtual + self.owed

    def charged(self, units: int) -> "Queue":
        """As it is after a message of it has taken a line. `units`: the virtual time of that call (`cost`)."""
        return replace(self, virtual=self.standing + units, owed=0)


def cost(line_msec: int, share: int) -> int:
    """Line time as virtual time, rounded down."""
    return line_msec * SCALE // share


def may_rest(woken_msec: int, now_msec: int) -> bool:
    """Whether something that seems to have nothing to dial may leave the order: what woke it is seen by now."""
    return now_msec - woken_msec >= REST_MSEC
