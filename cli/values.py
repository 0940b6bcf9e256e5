"""What may be given on the command line: ids, prefixes, senders. Each check raises BadParameter with what would do.

A check returns what it was given (None: nothing was); `network` and `voice` return it completed. `to_…` makes the value
that a checked text stands for.
"""

import re
from ipaddress import ip_address, ip_network

import typer

from speechcall.accounts.rules.account import (
    ANYWHERE,
    MOST_CALL_BACK_TEXT,
    MOST_CALLS_PER_NUMBER,
    MOST_SENDERS_IN_TEXT,
    SENDER,
)
from speechcall.menus.rules.speech import VOICES
from speechcall.messages.rules.may_ring import days_in_short
from speechcall.messages.rules.status_event import KINDS
from speechcall.money.rules.rate import MOST_SPEND, as_text, to_amount
from speechcall.outbound.rules.address import url_problem
from speechcall.shared.rules.calling_hours import RECIPIENT, WEEKDAYS, Window
from speechcall.shared.rules.characters import foreign, unseen
from speechcall.shared.rules.phone_numbers import to_e164
from speechcall.shared.rules.zone_names import is_zone, similar_zone

MOST_WINDOWS = 7
MAX_URL = 2048
"""As long as a message's `statusUrl` may be."""
MAX_SENDER_LENGTH = 64
"""As long as a message's `from` may be."""
MAX_NETWORKS = 20
"""Of a key."""

_ACCOUNT_ID = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_PROMPT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_CAMPAIGN = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WEBHOOK_ID = re.compile(
    r"[0-9]{1,19}-[0-9]{1,3}-[0-9]{1,6}-m[0-9]{1,3}-(d[0-9*#]|complete|silence|invalid|wrong)-[0-9]{1,3}"
    r"|[0-9]{1,19}-(final|a[0-9]{1,3}|list|fallback)"
)
_AGO = re.compile(r"[1-9][0-9]{0,4}[mhd]")
_WINDOW = re.compile(r"((?:[01][0-9]|2[0-3]):[0-5][0-9])-((?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)", re.ASCII)
_PER_NUMBER = re.compile(r"([1-9][0-9]?)/24h", re.ASCII)
_PREFIX = re.compile(r"\+[1-9][0-9]{0,14}")


def account_id(given: str) -> str:
    """An account's id, which is its user name too: so no `@` (which stands for a key) and no colon."""
    if not _ACCOUNT_ID.fullmatch(given):
        raise typer.BadParameter(f"an id has 1 to 64 letters, digits, dots, underscores and dashes{foreign(given)}.")
    return given


def new_account_id(given: str) -> str:
    """The id of an account that is to be made. It is a part of paths too, where `.` and `..` mean something else."""
    if not any(character.isalnum() for character in account_id(given)):
        raise typer.BadParameter("an id has a letter or a digit in it.")
    return given


def key_name(given: str) -> str:
    """The name of an account's key."""
    if not _ACCOUNT_ID.fullmatch(given):
        raise typer.BadParameter(f"a name has 1 to 64 letters, digits, dots, underscores and dashes{foreign(given)}.")
    return given


def networks(given: list[str] | None) -> list[str] | None:
    """The networks or addresses from which a key may be used."""
    if given and len(given) > MAX_NETWORKS:
        raise typer.BadParameter(f"a key has at most {MAX_NETWORKS} networks.")
    for one in given or []:
        network(one)
    return given


def network(given: str) -> str:
    """A network or address, in CIDR form. An address inside a network (203.0.113.7/24) is refused: which is meant?"""
    try:
        # An IPv6 address may name a network interface after a %, which means nothing elsewhere.
        found = None if "%" in given else ip_network(given, strict=False)
    except ValueError:
        found = None
    if found is None:
        raise typer.BadParameter(
            f'"{given}" is no address and no network, such as 203.0.113.7 or 203.0.113.0/24{foreign(given)}.'
        )
    if ip_address(given.partition("/")[0]) != found.network_address:
        raise typer.BadParameter(f'"{given}" is an address in a network; did you mean {found}, or the address alone?')
    return str(found)


def prompt_id(given: str) -> str:
    """A prompt's identifier, as `introUrl` gives it."""
    if not _PROMPT_ID.fullmatch(given):
        raise typer.BadParameter(f"an identifier has 1 to 64 letters, digits, underscores and dashes{foreign(given)}.")
    return given


def prefixes(given: list[str] | None) -> list[str] | None:
    """The beginnings of the numbers that may be dialled; `*` is any number at all."""
    for prefix in given or []:
        if prefix != ANYWHERE and not _PREFIX.fullmatch(prefix):
            raise typer.BadParameter(
                f'"{prefix}" is not the beginning of a number in international format, such as +380; or "*" for any'
                f"{foreign(prefix)}."
            )
    return given


def denied(given: list[str] | None) -> list[str] | None:
    """The beginnings of the numbers that may not be dialled."""
    if ANYWHERE in (given or []):
        raise typer.BadParameter('"*" denies every number; what no --prefix names is denied without a word.')
    return prefixes(given)


def calls_per_number(given: str | None) -> str | None:
    """`N/24h`: calls to one number in any 24 hours; `0` is no limit."""
    found = _PER_NUMBER.fullmatch(given) if given is not None else None
    if given is not None and given != "0" and not (found and int(found[1]) <= MOST_CALLS_PER_NUMBER):
        raise typer.BadParameter(
            f'"{given}" is not N/24h, with N from 1 to {MOST_CALLS_PER_NUMBER}, such as 3/24h; 0 is no limit'
            f"{foreign(given)}."
        )
    return given


def to_calls_per_number(given: str | None) -> int | None:
    """A checked limit as a number; 0: no limit; None: nothing was given."""
    return None if given is None else int(given.partition("/")[0])


def spend(given: str | None) -> str | None:
    """What may be spent in a day, as `12.50`; `0` is no limit."""
    amount = to_amount(given) if given is not None else 0
    if amount is None or amount > MOST_SPEND:
        raise typer.BadParameter(
            f'"{given}" is not an amount up to {as_text(MOST_SPEND)} with at most 6 decimals, such as 12.50; 0 is no '
            f"limit{foreign(given or '')}."
        )
    return given


def to_spend(given: str | None) -> int | None:
    """A checked amount in millionths; 0: no limit; None: nothing was given."""
    return None if given is None else to_amount(given)


def windows(given: list[str] | None) -> list[str] | None:
    """`[DAYS=]FROM-TO`: hours of the day, on some days or on all."""
    if given and len(given) > MOST_WINDOWS:
        raise typer.BadParameter(f"an account has at most {MOST_WINDOWS} windows.")
    for one in given or []:
        _window(one)
    return given


def to_windows(given: list[str] | None) -> tuple[Window, ...]:
    """Checked windows as an account holds them."""
    return tuple(map(_window, given or []))


def shown_window(window: Window) -> str:
    """A window as it is given."""
    times = "-".join(f"{one // 60:02}:{one % 60:02}" for one in (window.start, window.until))
    days = days_in_short(window.days)
    return f"{days}={times}" if days else times


def _window(given: str) -> Window:
    """A window out of [DAYS=]FROM-TO; without days on all of them. 00:00 as its end is the end of the day."""
    days, equals, times = given.rpartition("=")
    found = _WINDOW.fullmatch(times)
    if found is None:
        raise typer.BadParameter(
            f'"{given}" is not [DAYS=]FROM-TO, with times from 00:00 to 24:00: 09:00-20:00, mon-fri=09:00-20:00, '
            f"sat,sun=10:00-18:00{foreign(given)}."
        )
    return Window(_minute(found[1]), _minute(found[2]) or 1440, _days(days) if equals else tuple(range(7)))


def _minute(time: str) -> int:
    """The minute of the day."""
    return int(time[:2]) * 60 + int(time[3:])


def _days(given: str) -> tuple[int, ...]:
    """Weekdays as numbers (0: Monday) from `mon-fri` or `mon,sat-sun`; a range may pass the end of the week."""
    days: set[int] = set()
    for part in given.split(","):
        first, dash, last = part.partition("-")
        if first not in WEEKDAYS or (dash and last not in WEEKDAYS):
            raise typer.BadParameter(f'"{part}" is no day; {", ".join(WEEKDAYS)} are, and mon-fri{foreign(part)}.')
        start = WEEKDAYS.index(first)
        length = (WEEKDAYS.index(last) - start) % 7 + 1 if dash else 1
        days |= {(start + day) % 7 for day in range(length)}
    return tuple(sorted(days))


def time_zone(given: str | None) -> str | None:
    """The IANA name of a time zone, or `recipient`."""
    if given is None or given == RECIPIENT or is_zone(given):
        return given
    similar = similar_zone(given)
    hint = f"did you mean {similar}?" if similar else 'an IANA name would be, such as Europe/Kyiv; or "recipient".'
    raise typer.BadParameter(f'"{given}" is no time zone; {hint}')


def call_back_text(given: str | None) -> str | None:
    """What is said to who calls back."""
    if given is not None and not 1 <= len(given.strip()) <= MOST_CALL_BACK_TEXT:
        raise typer.BadParameter(f"a text has 1 to {MOST_CALL_BACK_TEXT} characters.")
    if given is not None and not given.isprintable():
        raise typer.BadParameter("a text is one line, without control characters.")
    if given is not None and given.count(SENDER) > MOST_SENDERS_IN_TEXT:
        raise typer.BadParameter(f"a text names {SENDER} at most {MOST_SENDERS_IN_TEXT} times.")
    return given


def call_back_audio(given: str | None) -> str | None:
    """The identifier of what is played to who calls back."""
    return None if given is None else prompt_id(given)


def voice(given: str | None) -> str | None:
    """`LANGUAGE` or `LANGUAGE:NAME`, of those that can speak. Out: with a name, if need be the language's first."""
    if given is None:
        return None
    language, colon, name = given.partition(":")
    if language not in VOICES:
        raise typer.BadParameter(f'nobody speaks "{language}"; there are {", ".join(VOICES)}.')
    if colon and name not in VOICES[language]:
        raise typer.BadParameter(f'"{name}" is no voice of {language}; there are {", ".join(VOICES[language])}.')
    return f"{language}:{name or VOICES[language][0]}"


def status_url(given: str | None) -> str | None:
    """Where an account is told what becomes of its messages; as the API judges a `statusUrl`."""
    if given is None:
        return None
    if problem := url_problem(given):
        raise typer.BadParameter(f"the URL {problem}.")
    if len(given) > MAX_URL:
        raise typer.BadParameter(f"the URL has {len(given)} characters; at most {MAX_URL} can be.")
    return given


def status_events(given: str | None) -> str | None:
    """Names of status events, with commas; `none` for none."""
    if given is not None:
        to_events(given)
    return given


def to_events(given: str) -> tuple[str, ...]:
    """Names of status events as an account holds them; checked here as well. Empty: `none` was given."""
    names = () if given == "none" else tuple(name.strip() for name in given.split(","))
    if set(names) - KINDS or len(set(names)) < len(names):
        raise typer.BadParameter(
            'of final, attempt, list and fallback each can be named once, such as "final,list"; or "none".'
        )
    return names


def senders(given: list[str] | None) -> list[str] | None:
    """`NAME=+NUMBER`: a `from` that may be used, and the caller ID that it is shown with."""
    names = [_sender(one)[0] for one in given or []]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise typer.BadParameter(f'the sender "{twice}" is given twice.')
    return given


def senders_by_name(given: list[str] | None) -> dict[str, str]:
    """Checked senders as an account holds them."""
    return dict(_sender(one) for one in given or [])


def webhook_id(given: str | None) -> str | None:
    """A webhook's id, as it stands in the header `webhook-id` and in the message's status."""
    if given is not None and not _WEBHOOK_ID.fullmatch(given):
        raise typer.BadParameter(f"an id of a webhook looks like 234881024000000001-1-2-m0-d1-0{foreign(given)}.")
    return given


def message_id(given: str | None) -> str | None:
    """A message's id."""
    if given is not None and not (given.isascii() and given.isdigit() and len(given) <= 19):
        raise typer.BadParameter(f"an id of a message has up to 19 digits{foreign(given)}.")
    return given


def campaign(given: str) -> str:
    """A campaign's name."""
    if not _CAMPAIGN.fullmatch(given):
        raise typer.BadParameter(f"a name has 1 to 64 letters, digits, underscores and dashes{foreign(given)}.")
    return given


def list_id(given: str) -> str:
    """The id of one message list."""
    return list_ids([given])[0]


def list_ids(given: list[str]) -> list[str]:
    """The ids of message lists."""
    for one in given:
        if not (one.isascii() and one.isdigit() and len(one) <= 19):
            raise typer.BadParameter(f"an id of a message list has up to 19 digits{foreign(one)}.")
    return given


def seconds_ago(given: str) -> str:
    """How long ago: 90m, 24h, 7d."""
    if not _AGO.fullmatch(given):
        raise typer.BadParameter(f"say how long ago, in minutes, hours or days: 90m, 24h, 7d{foreign(given)}.")
    return given


def seconds_ago_or_none(given: str | None) -> str | None:
    """How long ago; None: it was not said."""
    return None if given is None else seconds_ago(given)


def to_seconds(given: str) -> int:
    """The seconds of a checked duration."""
    return int(given[:-1]) * {"m": 60, "h": 3600, "d": 86_400}[given[-1]]


def _sender(given: str) -> tuple[str, str]:
    """A sender's name and number out of NAME=+NUMBER. Raises BadParameter."""
    name, _, number = given.rpartition("=")
    if not 1 <= len(name) <= MAX_SENDER_LENGTH:
        raise typer.BadParameter(
            f'"{given}" is not NAME=+NUMBER, with a name of 1 to {MAX_SENDER_LENGTH} characters: Shop=+4930123456'
            f"{unseen(given)}."
        )
    # Half a character: Python's stand-in for bytes of the command line that are no text.
    if any("\ud800" <= character <= "\udfff" for character in name):
        raise typer.BadParameter(f"the name of a sender is text{unseen(name)}.")
    if to_e164(number) != number:
        text = f'the number of the sender "{name}" is not in E.164 form, such as +4930123456{foreign(number)}.'
        raise typer.BadParameter(text)
    return name, number
