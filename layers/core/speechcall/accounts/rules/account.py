"""A customer's account: what it may do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from speechcall.shared.rules.calling_hours import Window

ANYWHERE = "*"
DEFAULT_RATE = 50
DEFAULT_BURST = 500
LEAST_BURST = 100
"""A request may hold 100 messages; with a smaller burst it could never be taken."""
DEFAULT_CALLS_PER_DAY = 10_000
MOST = 1_000_000_000
"""Of calls a day, rate and burst: a table's number has 38 digits, and what is reckoned with these stays far below."""
DEFAULT_SHARE, LEAST_SHARE, MOST_SHARE = 10, 1, 1000
"""Of the lines: an account with twice the share of another has twice the line time while both have calls to make."""
MOST_LINES = 300
MOST_URGENT = 1000
MOST_CALLS_PER_NUMBER = 50
"""All calls that count stand in one small item, which each claim for the number writes."""
DEFAULT_KEEP_DAYS, LEAST_KEEP_DAYS, MOST_KEEP_DAYS = 30, 1, 1825
"""For how long a message is kept after its end."""
NEW_SHAPES_PER_DAY = 200
"""How many shapes of menus that are new an account may bring in a day (UTC)."""
MOST_CALL_BACK_TEXT = 600
"""Characters of a text that is said to who calls back. The Chime SDK takes 1,000, with the senders in their places."""
SENDER, MOST_SENDERS_IN_TEXT = "{from}", 3
"""What stands in such a text for the `from` of the message, and how often it may."""


class CallBack(NamedTuple):
    """What somebody hears who calls the caller ID back; what is empty is said in the product's own words.

    In a text `{from}` stands for the message's `from`. Audio is the identifier of an uploaded introduction, which is
    heard in place of the text. `done_…` is heard when they have opted out.
    """

    text: str = ""
    audio: str = ""
    done_text: str = ""
    done_audio: str = ""
    language: str = ""
    voice: str = ""


OWN_WORDS = CallBack()


@dataclass(frozen=True, slots=True)
class Account:
    """What an account may do.

    `prefixes` (`*` is any number at all) and `denied` are beginnings of E.164 numbers; the longest that fits decides.
    """

    account_id: str
    prefixes: tuple[str, ...]
    calls_per_day: int = DEFAULT_CALLS_PER_DAY
    rate: int = DEFAULT_RATE
    """Messages a second, in the long run."""
    burst: int = DEFAULT_BURST
    """Messages at once."""
    senders: Mapping[str, str] = field(default_factory=dict)
    """Which `from` may be used, and the caller ID of each; empty: any, with the stack's number."""
    disabled: bool = False
    share: int = DEFAULT_SHARE
    max_lines: int | None = None
    """How many lines it may hold at once, not counting those of urgent messages; None: all there are."""
    urgent_per_minute: int = 0
    """How many urgent messages it may send in a minute of the clock."""
    denied: tuple[str, ...] = ()
    """What it may not call of that which `prefixes` allow."""
    premium: bool = False
    """Whether it may call numbers that cost more than a call: premium rate and shared cost."""
    ignores_opt_out: bool = False
    """Whether its messages may say that they are dialled even where the number has opted out (`ignoreOptOut`)."""
    windows: "tuple[Window, ...]" = ()
    """In which its messages may be dialled, and which they may narrow; empty: at every hour."""
    time_zone: str | None = None
    """Of its windows, and of its messages' that name none: an IANA name, or `recipient`."""
    call_back: CallBack = OWN_WORDS
    """What somebody hears whom it has called and who calls back."""
    calls_per_number: int | None = None
    """How many calls it may make to one number in any 24 hours; None: any number."""
    minutes_per_day: int | None = None
    """How many minutes of calls it may make in a day (UTC); None: any number."""
    spend_per_day: int | None = None
    """What its calls of a day (UTC) may cost, in millionths of the stack's currency; None: anything."""
    status_url: str = ""
    """Where it is told what becomes of messages that name no other URL; empty: nowhere."""
    status_events: tuple[str, ...] = ("final",)
    """Of what it is told, where a message names no events."""

    sms_per_day: int = 0
    """How many parts of text messages it may send in a day (UTC), in place of calls that reached nobody."""
    keep_days: int = DEFAULT_KEEP_DAYS
    """For how many days its messages are kept after their ends; of those that are accepted from now on."""
    requires: str = ""
    """Promises that the menus of its messages have to keep, as JSON text; empty: none."""

    def may_dial(self, number: str) -> bool:
        """Whether a number (E.164) is among the account's destinations."""
        anywhere = 0 if ANYWHERE in self.prefixes else -1
        allowed = max((len(prefix) for prefix in self.prefixes if number.startswith(prefix)), default=anywhere)
        return allowed > max((len(prefix) for prefix in self.denied if number.startswith(prefix)), default=-1)

    def may_send_as(self, sender: str) -> bool:
        """Whether `from` is one of the account's senders."""
        return not self.senders or sender in self.senders
