"""GET /bat/account: what an account may do, what it has used today, and what the key is for. No secrets."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from speechcall.accounts.rules.account import NEW_SHAPES_PER_DAY, Account
from speechcall.accounts.use_cases.accounts import Credential
from speechcall.messages.rules.dial_times import next_day_msec
from speechcall.money.rules.rate import as_number
from speechcall.shared.rules.timing import utc_text

if TYPE_CHECKING:
    from speechcall.api.rules import answers
    from speechcall.shared.rules.calling_hours import Window


def read_account(
    account: Account,
    credential: Credential,
    now_msec: int,
    calls_of_day: Callable[[str, int], int],
    used_of_day: Callable[[str, int], int],
    spent_of_day: Callable[[str, int], int] = lambda _account_id, _at_msec: 0,
    currency: Callable[[], str] = lambda: "",
) -> "answers.AccountStatus":
    """The answer. The three functions tell of an account's day (UTC), by a moment of it: how many calls it has had, for
    how long (ms), and what they have cost (millionths of the `currency`).

    Length and cost are counted, and asked for, only where the account has a limit for them; else None is told.
    """
    is_counted = account.minutes_per_day is not None
    most_spend = account.spend_per_day
    spent = None if most_spend is None else as_number(max(spent_of_day(account.account_id, now_msec), 0))
    told: answers.AccountStatus = {
        "account": account.account_id,
        "key": credential.key_name,
        "scopes": [scope.value for scope in sorted(credential.scopes)],
        "limits": {
            "callsPerDay": account.calls_per_day,
            "messagesPerSecond": account.rate,
            "messagesAtOnce": account.burst,
            "urgentPerMinute": account.urgent_per_minute,
            "newMenuShapesPerDay": NEW_SHAPES_PER_DAY,
            "share": account.share,
            "maxLines": account.max_lines,
            "callsPerNumber": account.calls_per_number,
            "minutesPerDay": account.minutes_per_day,
            "spendPerDay": None if most_spend is None else as_number(most_spend),
            "smsPerDay": account.sms_per_day,
        },
        "usedToday": {
            "calls": calls_of_day(account.account_id, now_msec),
            "minutes": _minutes(used_of_day(account.account_id, now_msec)) if is_counted else None,
            "spend": spent,
            "endsAt": utc_text(next_day_msec(now_msec)),
        },
        "destinations": {
            "allowed": list(account.prefixes),
            "denied": list(account.denied),
            "premium": account.premium,
        },
        "senders": dict(account.senders),
        "windows": [_describe_window(window) for window in account.windows],
        "timeZone": account.time_zone,
        "keepDays": account.keep_days,
    }
    if most_spend is not None:
        told["costCurrency"] = currency()
    return told


def _minutes(msec: int) -> float:
    """Minutes in tenths, rounded up: no less is told than was used."""
    return -(-max(msec, 0) // 6_000) / 10


def _describe_window(window: "Window") -> "answers.AccountWindow":
    from speechcall.shared.rules.calling_hours import WEEKDAYS  # noqa: PLC0415, few accounts have windows

    start, until = (f"{one // 60:02}:{one % 60:02}" for one in (window.start, window.until))
    return {"from": start, "to": until, "days": [WEEKDAYS[day] for day in window.days]}
