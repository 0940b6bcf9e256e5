"""`speechcall account …`: gives out accounts and their credentials, and changes what they may do."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Annotated, Any

import typer

from cli import account_keys, call_backs, values
from cli.as_json import AsJson, show_json
from cli.changes import changing
from cli.deployment import Deployment
from cli.failures import Refusal, shown_once
from cli.promise_files import promises_or_pack
from cli.queues import Queue, chosen_queue, settle_queue
from cli.table import show_table
from cli.target import on_deployment
from cli.webhook_secret import give_secret, rotation_in_words, show_secret, take_secrets
from speechcall.accounts.rules.account import (
    ANYWHERE,
    DEFAULT_BURST,
    DEFAULT_CALLS_PER_DAY,
    DEFAULT_KEEP_DAYS,
    DEFAULT_RATE,
    DEFAULT_SHARE,
    LEAST_BURST,
    LEAST_KEEP_DAYS,
    LEAST_SHARE,
    MOST,
    MOST_KEEP_DAYS,
    MOST_LINES,
    MOST_SHARE,
    MOST_URGENT,
    Account,
)
from speechcall.accounts.use_cases.accounts import Secrets, credentials_of, new_secrets, with_checksum
from speechcall.menus.rules.promise import MOST_PROMISES
from speechcall.money.rules.rate import as_number
from speechcall.outbound.rules.destination import destination
from speechcall.requests.use_cases.judge_promises import required_promises
from speechcall.shared.adapters.clock import SystemClock
from speechcall.shared.rules.json_text import dump_json
from speechcall.stopping.use_cases.stop_many import reopen_queues, wake_account

app = typer.Typer(no_args_is_help=True)
app.add_typer(account_keys.app, name="key", help="Keys with a name, each for some of what the account may do.")

TOLL_FRAUD = (
    'With the prefix "*", anybody who gets hold of these credentials can have any number in the world called at your '
    "cost, and be paid for calls to expensive ones: that is how toll fraud works. Numbers that are known to be "
    "premium-rate are called only with --premium; many expensive ones look like any other."
)
_TRIES = 20
KEPT_HOURS = 24
"""For so long an old webhook secret signs beside a new one, if nothing else is said."""
_ROTATE = "`account rotate {0}` gives it a new password and key"
_ROTATE_SECRET = "`account rotate {0} --webhook-secret` gives a new one"

AccountId = Annotated[str, typer.Argument(metavar="ID", callback=values.account_id, help="The account's id.")]
NewAccountId = Annotated[str, typer.Argument(metavar="ID", callback=values.new_account_id, help="The account's id.")]
AnyDestination = Annotated[bool, typer.Option("--any-destination", help='Confirms --prefix "*".')]
_PREFIXES = typer.Option(metavar="+N", callback=values.prefixes, help='What it dials begins so; "*": any. Repeatable.')
_DENIED = typer.Option(metavar="+N", callback=values.denied, help="But not what begins so. Repeatable.")
_PREMIUM = typer.Option(help="Premium-rate and shared-cost numbers too.")
_WINDOWS = typer.Option(
    metavar="[DAYS=]FROM-TO", callback=values.windows, help="Phones ring only then: mon-fri=09:00-20:00. Repeatable."
)
_TIME_ZONE = typer.Option(metavar="ZONE", callback=values.time_zone, help='Of the windows: an IANA name; "recipient".')
_IGNORE_OPT_OUT = typer.Option(
    help="Messages may say ignoreOptOut: calls that people have to get, whatever they chose."
)
_STATUS_URL = typer.Option(metavar="URL", callback=values.status_url, help="Told what becomes of its messages.")
_STATUS_EVENTS = typer.Option(
    metavar="EVENTS", callback=values.status_events, help="Of what: final,attempt,list,fallback (as many as wanted)."
)
_REQUIRE = typer.Option(
    metavar="FILE|PACK", help="Promises that the menus of its messages have to keep: a file, or a pack. Repeatable."
)
_SENDERS = typer.Option(metavar="NAME=+N", callback=values.senders, help="A `from`, with its caller ID. Repeatable.")
_CALLS_PER_DAY = typer.Option(min=1, max=MOST, help="Calls a day (UTC).")
_RATE = typer.Option(min=1, max=MOST, help="Messages a second, in the long run.")
_BURST = typer.Option(min=LEAST_BURST, max=MOST, help="Messages at once; a request may hold 100.")
_SHARE = typer.Option(min=LEAST_SHARE, max=MOST_SHARE, help="Of line time, against the others' shares.")
_MAX_LINES = typer.Option(min=0, max=MOST_LINES, help="Calls at once; 0: as many as there are lines.")
_PER_NUMBER = typer.Option(
    metavar="N/24h", callback=values.calls_per_number, help="Calls to one number in any 24 hours; 0: any number."
)
_MINUTES = typer.Option(min=0, max=MOST, help="Minutes of calls a day (UTC); 0: any number.")
_SPEND = typer.Option(
    metavar="AMOUNT", callback=values.spend, help="What calls a day (UTC) may cost, by `speechcall rates`; 0: anything."
)
_SMS = typer.Option(min=0, max=MOST, help="Parts of SMS a day (UTC), where no call came to anything; 0: none.")
_KEEP_DAYS = typer.Option(
    min=LEAST_KEEP_DAYS, max=MOST_KEEP_DAYS, help="Messages are kept so long after their end; new ones from now on."
)
_KEEP_HOURS = typer.Option(
    min=0, max=168, show_default=f"{KEPT_HOURS}", help="With --webhook-secret: the old one signs too for so long."
)
_URGENT = typer.Option(min=0, max=MOST_URGENT, help="Urgent messages a minute; 0: none.")


@app.command()
@on_deployment
@changing("account create")
def create(
    deployment: Deployment,
    account_id: NewAccountId,
    prefix: Annotated[list[str], _PREFIXES],
    calls_per_day: Annotated[int, _CALLS_PER_DAY] = DEFAULT_CALLS_PER_DAY,
    rate: Annotated[int, _RATE] = DEFAULT_RATE,
    burst: Annotated[int, _BURST] = DEFAULT_BURST,
    sender: Annotated[list[str] | None, _SENDERS] = None,
    share: Annotated[int, _SHARE] = DEFAULT_SHARE,
    max_lines: Annotated[int, _MAX_LINES] = 0,
    urgent_per_minute: Annotated[int, _URGENT] = 0,
    deny: Annotated[list[str] | None, _DENIED] = None,
    premium: Annotated[bool, typer.Option("--premium", help="Premium-rate and shared-cost numbers too.")] = False,
    calls_per_number: Annotated[str, _PER_NUMBER] = "0",
    minutes_per_day: Annotated[int, _MINUTES] = 0,
    spend_per_day: Annotated[str, _SPEND] = "0",
    sms_per_day: Annotated[int, _SMS] = 0,
    window: Annotated[list[str] | None, _WINDOWS] = None,
    time_zone: Annotated[str | None, _TIME_ZONE] = None,
    status_url: Annotated[str | None, _STATUS_URL] = None,
    status_events: Annotated[str, _STATUS_EVENTS] = "final",
    keep_days: Annotated[int, _KEEP_DAYS] = DEFAULT_KEEP_DAYS,
    any_destination: AnyDestination = False,
    as_json: AsJson = False,
) -> None:
    """Make an account and show its credentials, once."""
    _check_clock(window, time_zone)
    _confirm_destinations(prefix, any_destination)
    spend = _spend(deployment, spend_per_day)
    senders = values.senders_by_name(sender)
    account = Account(
        account_id,
        _once(prefix),
        calls_per_day,
        rate,
        burst,
        senders,
        share=share,
        # `or None`: 0 is given for no limit, which an account holds as None.
        max_lines=max_lines or None,
        urgent_per_minute=urgent_per_minute,
        denied=_once(deny),
        premium=premium,
        windows=values.to_windows(window),
        time_zone=time_zone,
        calls_per_number=values.to_calls_per_number(calls_per_number) or None,
        minutes_per_day=minutes_per_day or None,
        spend_per_day=spend or None,
        sms_per_day=sms_per_day,
        status_url=status_url or "",
        status_events=values.to_events(status_events),
        keep_days=keep_days,
    )
    given = _new_secrets(account_id)
    if not deployment.accounts.add(account, credentials_of(account_id, given)):
        raise Refusal(f"There is an account (or a user) {account_id} already; `account rotate` gives it new secrets.")
    if as_json:
        _give_secret_and_show_json(deployment, account_id, given)
        return
    where = "any number at all" if ANYWHERE in prefix else f"numbers that begin with {', '.join(account.prefixes)}"
    if deny:
        where += f", but none that begin with {', '.join(account.denied)}"
    # Shown before a webhook secret is made: if that fails, they are known all the same.
    with shown_once(f"{_ROTATE.format(account_id)}, `account rotate {account_id} --webhook-secret` a webhook secret"):
        typer.echo(f"The account {account_id} can dial {where}.\n")
        _show_once(given)
    secret = give_secret(deployment, account_id, 0)
    with shown_once(_ROTATE_SECRET.format(account_id)):
        typer.echo("\nIts webhooks are signed:\n")
        show_secret(secret)


@app.command()
@on_deployment
@changing("account rotate", "webhook_secret", "keep_hours")
def rotate(
    deployment: Deployment,
    account_id: AccountId,
    webhook_secret: Annotated[bool, typer.Option("--webhook-secret", help="A new webhook secret instead.")] = False,
    keep_hours: Annotated[int | None, _KEEP_HOURS] = None,
    as_json: AsJson = False,
) -> None:
    """Give an account a new password and key (the old ones stop at once), or a new webhook secret.

    Its keys with a name stay: `account key revoke` ends one.
    """
    if keep_hours is not None and not webhook_secret:
        raise typer.BadParameter("--keep-hours goes with --webhook-secret: an old password and key stop at once.")
    if webhook_secret:
        kept_hours = KEPT_HOURS if keep_hours is None else keep_hours
        found(deployment, account_id)
        before = deployment.webhook_secrets.secrets_of(account_id)
        secret = give_secret(deployment, account_id, kept_hours)
        with shown_once(_ROTATE_SECRET.format(account_id)):
            if as_json:
                show_json(
                    {"account": account_id, "webhookSecret": secret, "olderSignHours": kept_hours if before else 0}
                )
                return
            typer.echo(rotation_in_words(account_id, kept_hours, before) + "\n")
            show_secret(secret)
        return
    account, given = found(deployment, account_id), _new_secrets(account_id)
    if not deployment.accounts.replace_credentials(account_id, credentials_of(account_id, given)):
        raise Refusal(f"Somebody else has just changed {account_id}'s credentials; rotate again if you still want to.")
    if as_json:
        with shown_once(_ROTATE.format(account_id)):
            show_json({"account": account_id, **asdict(given)})
        return
    with shown_once(_ROTATE.format(account_id)):
        typer.echo(f"The old password and key of {account_id} have stopped working just now. The new ones:\n")
        _show_once(given)
    if kept := deployment.accounts.named_keys(account_id):
        names = ", ".join(sorted(str(key.key_name) for key in kept.values()))
        typer.echo(f"\nKeys with a name stay as they are: {names}. `account key revoke {account_id} NAME` ends one.")
    if account.disabled:
        typer.echo(f"\nThe account is disabled; `account enable {account_id}` lets it in again.")


@app.command("list")
@on_deployment
def list_(deployment: Deployment, as_json: AsJson = False) -> None:
    """List the accounts, without secrets."""
    _show(deployment, deployment.accounts.all(), as_json=as_json)


@app.command()
@on_deployment
@changing("account disable", "queue")
def disable(
    deployment: Deployment,
    account_id: AccountId,
    queue: Annotated[Queue | None, typer.Option(help="What becomes of its messages that are stored already.")] = None,
) -> None:
    """Reject an account from now on. What becomes of its messages is asked for, or said with --queue."""
    queue = chosen_queue(queue)
    # Disabled first: nothing is sent any more behind what is paused or cancelled then.
    _change(deployment, account_id, lambda account: replace(account, disabled=True))
    told = settle_queue(deployment, account_id, queue)
    typer.echo(f"The account {account_id} is rejected from now on. {told}")


@app.command()
@on_deployment
@changing("account enable")
def enable(deployment: Deployment, account_id: AccountId) -> None:
    """Let a disabled account in again, with the credentials that it has."""
    _change(deployment, account_id, lambda account: replace(account, disabled=False))
    typer.echo(f"The account {account_id} is let in, with the credentials that it has.")


@app.command("set")
@on_deployment
@changing("account set", "no_webhook_secret")
def set_(
    deployment: Deployment,
    account_id: AccountId,
    prefix: Annotated[list[str] | None, _PREFIXES] = None,
    calls_per_day: Annotated[int | None, _CALLS_PER_DAY] = None,
    rate: Annotated[int | None, _RATE] = None,
    burst: Annotated[int | None, _BURST] = None,
    share: Annotated[int | None, _SHARE] = None,
    max_lines: Annotated[int | None, _MAX_LINES] = None,
    urgent_per_minute: Annotated[int | None, _URGENT] = None,
    sender: Annotated[list[str] | None, _SENDERS] = None,
    deny: Annotated[list[str] | None, _DENIED] = None,
    no_deny: Annotated[bool, typer.Option("--no-deny", help="All that begins with its prefixes.")] = False,
    premium: Annotated[bool | None, _PREMIUM] = None,
    calls_per_number: Annotated[str | None, _PER_NUMBER] = None,
    minutes_per_day: Annotated[int | None, _MINUTES] = None,
    spend_per_day: Annotated[str | None, _SPEND] = None,
    sms_per_day: Annotated[int | None, _SMS] = None,
    keep_days: Annotated[int | None, _KEEP_DAYS] = None,
    window: Annotated[list[str] | None, _WINDOWS] = None,
    no_windows: Annotated[bool, typer.Option("--no-windows", help="At every hour.")] = False,
    time_zone: Annotated[str | None, _TIME_ZONE] = None,
    ignore_opt_out: Annotated[bool | None, _IGNORE_OPT_OUT] = None,
    call_back_text: Annotated[str | None, call_backs.TEXT] = None,
    call_back_audio: Annotated[str | None, call_backs.AUDIO] = None,
    call_back_done_text: Annotated[str | None, call_backs.DONE_TEXT] = None,
    call_back_done_audio: Annotated[str | None, call_backs.DONE_AUDIO] = None,
    call_back_voice: Annotated[str | None, call_backs.VOICE] = None,
    no_call_back: Annotated[bool, call_backs.NONE] = False,
    status_url: Annotated[str | None, _STATUS_URL] = None,
    no_status_url: Annotated[bool, typer.Option("--no-status-url", help="It is told nothing by itself.")] = False,
    status_events: Annotated[str | None, _STATUS_EVENTS] = None,
    no_senders: Annotated[bool, typer.Option("--no-senders", help="Any `from`, with the stack's caller ID.")] = False,
    require: Annotated[list[str] | None, _REQUIRE] = None,
    no_require: Annotated[bool, typer.Option("--no-require", help="Its menus need not keep any promises.")] = False,
    no_webhook_secret: Annotated[bool, typer.Option("--no-webhook-secret", help="Webhooks go unsigned.")] = False,
    any_destination: AnyDestination = False,
    as_json: AsJson = False,
) -> None:
    """Change what is named and leave the rest. Prefixes, denied ones and senders take the place of all there were."""
    _one_of("--sender", sender, "--no-senders", no_senders)
    _one_of("--deny", deny, "--no-deny", no_deny)
    _one_of("--window", window, "--no-windows", no_windows)
    _one_of("--status-url", status_url, "--no-status-url", no_status_url)
    _one_of("--require", require, "--no-require", no_require)
    given = {
        "calls_per_day": calls_per_day,
        "rate": rate,
        "burst": burst,
        "share": share,
        "urgent_per_minute": urgent_per_minute,
        "sms_per_day": sms_per_day,
        "premium": premium,
        "time_zone": time_zone,
        "ignores_opt_out": ignore_opt_out,
        "keep_days": keep_days,
    }
    changes: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    limits = {
        "max_lines": max_lines,
        "calls_per_number": values.to_calls_per_number(calls_per_number),
        "minutes_per_day": minutes_per_day,
        "spend_per_day": _spend(deployment, spend_per_day),
    }
    # 0 is given for no limit, which an account holds as None; what was not given is None here, and stays.
    changes |= {name: value or None for name, value in limits.items() if value is not None}
    # Whether each takes the place of what there was (empty after its --no-…), and what that is, made only if it is.
    replaced: dict[str, tuple[bool, Callable[[], Any]]] = {
        "prefixes": (bool(prefix), lambda: _once(prefix)),
        "denied": (bool(deny) or no_deny, lambda: _once(deny)),
        "windows": (bool(window) or no_windows, lambda: values.to_windows(window)),
        "senders": (bool(sender) or no_senders, lambda: values.senders_by_name(sender)),
        "requires": (bool(require) or no_require, lambda: _promises(require)),
    }
    changes |= {name: value() for name, (is_given, value) in replaced.items() if is_given}
    changes |= _status_changes(status_url, no_status_url, status_events)
    spoken = call_backs.given(
        call_back_text, call_back_audio, call_back_done_text, call_back_done_audio, call_back_voice, none=no_call_back
    )
    if not (changes or no_webhook_secret or spoken):
        raise typer.BadParameter("say what to change: --prefix, --deny, --calls-per-day, --rate, --sender, --window …")
    _confirm_destinations(prefix or [], any_destination)
    if window:  # on a clock that is given now, or that the account has already
        _check_clock(window, time_zone or found(deployment, account_id).time_zone)
    call_backs.check_audio(deployment, account_id, spoken)
    account = _change(deployment, account_id, lambda account: call_backs.changed(replace(account, **changes), spoken))
    if minutes_per_day is not None or spend_per_day is not None:
        # Its queues may wait for the next day, because the day was used up: by the new limits it may not be.
        reopen_queues(account_id, turns=deployment.turns, clock=SystemClock())
    if max_lines is not None:
        wake_account(account_id, turns=deployment.turns, clock=SystemClock())
    if no_webhook_secret:
        take_secrets(deployment, account_id)
    _show(deployment, [account], as_json=as_json)


def _one_of(name: str, given: object, without: str, is_without: bool) -> None:
    if given and is_without:
        raise typer.BadParameter(f"give either {name} or {without}.")


def _status_changes(status_url: str | None, no_status_url: bool, status_events: str | None) -> dict[str, Any]:
    """Which of `status_url` and `status_events` change in an account, and to what; empty: neither.

    A `status_url` of "": no status webhooks any more. `no_status_url`: --no-status-url, which is not given with a URL.
    """
    changes: dict[str, Any] = {"status_url": status_url or ""} if status_url or no_status_url else {}
    return changes if status_events is None else {**changes, "status_events": values.to_events(status_events)}


def found(deployment: Deployment, account_id: str) -> Account:
    """The account with an id. Raises Refusal if there is none."""
    account = deployment.accounts.find(account_id)
    if account is None:
        raise Refusal(f"There is no account {account_id}; `account list` shows those there are.")
    return account


def _change(deployment: Deployment, account_id: str, change: Callable[[Account], Account]) -> Account:
    """Saves what `change` makes of an account, and returns that. If somebody else saves it first, it is read again.

    So `change` may be called several times, each time with the account as it is then. Raises Refusal if
    there is no such account, or if somebody else was first _TRIES times.
    """
    for _ in range(_TRIES):
        read = found(deployment, account_id)
        if deployment.accounts.save(changed := change(read), read):
            return changed
    raise Refusal(f"The account {account_id} is being changed by somebody else all the time; nothing was changed.")


def _check_clock(window: list[str] | None, time_zone: str | None) -> None:
    """Raises BadParameter for windows of which it is not known on which clock they are."""
    if window and not time_zone:
        raise typer.BadParameter('say on which clock the windows are: --time-zone Europe/Kyiv, or "recipient".')


def _spend(deployment: Deployment, given: str | None) -> int | None:
    """What an account may spend a day, in millionths of the stack's currency; 0: no limit; None: nothing was given.

    Raises Refusal for a limit in a stack without rates, which would let it make no call at all.
    """
    amount = values.to_spend(given)
    if amount and not deployment.rates.versions().versions:
        raise Refusal("This stack has no rates, so nobody knows what is spent: `rates import` them first.")
    return amount


def _promises(given: Sequence[str] | None) -> str:
    """The promises of files and packs, as an account holds them: JSON; empty: none. Raises Refusal, Failure."""
    found = [promise for one in given or () for promise in promises_or_pack(one)]
    if len(found) > MOST_PROMISES:
        raise Refusal(f"An account can require {MOST_PROMISES} promises; these are {len(found)}.")
    return dump_json(found) if found else ""


def _once(given: list[str] | None) -> tuple[str, ...]:
    return tuple(dict.fromkeys(given or []))


def _confirm_destinations(prefixes: list[str], any_destination: bool) -> None:
    """Asks whether any number may be dialled, where the prefix `*` is given without --any-destination.

    Raises Refusal where the answer is no, or nobody is there to answer.
    """
    if ANYWHERE not in prefixes or any_destination:
        return
    try:
        confirmed = typer.confirm(f"{TOLL_FRAUD}\nLet it dial any number?", err=True)
    except typer.Abort:  # nobody is there to answer
        typer.echo(err=True)
        confirmed = False
    if not confirmed:
        raise Refusal('The prefix "*" was not confirmed; name prefixes, such as +380, or add --any-destination.')


def _new_secrets(account_id: str) -> Secrets:
    return new_secrets(account_id, lambda: with_checksum(secrets.token_urlsafe(16)))


def _give_secret_and_show_json(deployment: Deployment, account_id: str, given: Secrets) -> None:
    """Gives a new account its webhook secret, and shows it with the other credentials (`given`) in one JSON, once.

    If no webhook secret can be made, the others are shown with null in its place, before the error is raised. Raises
    Failure too, where the output takes nothing.
    """
    told: dict[str, Any] = {"account": account_id, **asdict(given), "webhookSecret": None}
    try:
        told["webhookSecret"] = give_secret(deployment, account_id, 0)
    finally:
        both = f"{_ROTATE.format(account_id)}, `account rotate {account_id} --webhook-secret` a webhook secret"
        with shown_once(both):
            show_json(told)


def _show_once(given: Secrets) -> None:
    typer.echo(f"  user      {given.user}\n  password  {given.password}\n  API key   {given.key}\n")
    typer.echo("Keep them now: they cannot be shown again, since only their SHA-256 is stored.")


def _required(account: Account) -> list[str]:
    """The names of the promises that an account requires, or that only a later release can read them."""
    promises = required_promises(account.requires)
    return ["of a later release"] if promises is None else [one.name for one in promises]


def _show(deployment: Deployment, accounts: list[Account], *, as_json: bool = False) -> None:
    """Shows accounts: as JSON, or as a table without what would not fit a line.

    `signed`: whether an account's webhooks are.
    """
    signed = deployment.webhook_secrets.signed_accounts(SystemClock().now_msec())
    rows = [
        {
            "id": account.account_id,
            "prefixes": list(account.prefixes),
            "callsPerDay": account.calls_per_day,
            "rate": account.rate,
            "burst": account.burst,
            "share": account.share,
            "maxLines": account.max_lines,
            "urgentPerMinute": account.urgent_per_minute,
            "callsPerNumber": account.calls_per_number,
            "minutesPerDay": account.minutes_per_day,
            "spendPerDay": None if account.spend_per_day is None else as_number(account.spend_per_day),
            "smsPerDay": account.sms_per_day,
            "keepDays": account.keep_days,
            "senders": dict(account.senders),
            "denied": list(account.denied),
            "premium": account.premium,
            "windows": [values.shown_window(one) for one in account.windows],
            "timeZone": account.time_zone,
            "ignoresOptOut": account.ignores_opt_out,
            "callBack": call_backs.shown(account.call_back),
            "statusUrl": destination(account.status_url) if account.status_url else None,  # a path may hold a secret
            "statusEvents": list(account.status_events),
            "requires": _required(account),
            "signed": account.account_id in signed,
            "disabled": account.disabled,
        }
        for account in accounts
    ]
    if as_json:
        show_json(rows)
    else:
        # A text to who calls back, and promises, would not fit a line.
        show_table(
            [{name: cell for name, cell in row.items() if name not in ("callBack", "requires")} for row in rows],
            {
                "callsPerDay": "calls/day",
                "rate": "rate/s",
                "maxLines": "lines",
                "urgentPerMinute": "urgent/min",
                "callsPerNumber": "calls/number",
                "minutesPerDay": "minutes/day",
                "spendPerDay": "spend/day",
                "smsPerDay": "sms/day",
                "keepDays": "kept/days",
                "timeZone": "zone",
                "statusEvents": "events",
            },
            "There are no accounts yet.",
        )
