"""What a request asks for, checked: the part of it that only the request decides, and the account's part."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from speechcall.accounts.rules.account import Account
from speechcall.api.use_cases.request_problems import MAX_PROBLEMS, RIGHT, shown
from speechcall.campaigns.rules.campaign_names import NAME
from speechcall.menus.rules.introduction import seconds_of_parts
from speechcall.menus.rules.menu import OWN_LIST, Menu, dump_menus
from speechcall.menus.rules.menu_report import report
from speechcall.menus.rules.walk import AS_DEPLOYED, CallLimits
from speechcall.messages.rules.when_to_dial import DialTimes
from speechcall.optouts.use_cases.opt_out_ports import NOBODY, OptOuts
from speechcall.prompts.rules.prompt import Prompt, is_uploaded
from speechcall.requests.rules.numbering import is_surcharged
from speechcall.requests.use_cases.field_names import CODE as MISPLACED
from speechcall.requests.use_cases.field_names import judge_names
from speechcall.requests.use_cases.judge_hours import judge_hours
from speechcall.requests.use_cases.read_messages import (
    audio_names,
    check_defaults,
    check_message,
    lists_not_obeyed,
    to_menus,
    unknown_fields,
)
from speechcall.requests.use_cases.request_schema import DEFAULT_FIELDS, MESSAGE_FIELDS
from speechcall.shared.rules.characters import foreign, lookalike, unseen
from speechcall.shared.rules.errors import InvalidRequest, PayloadTooLarge, Problem
from speechcall.shared.rules.json_text import parse_json
from speechcall.shared.rules.phone_numbers import to_e164
from speechcall.shared.rules.rfc3339 import to_msec
from speechcall.shared.rules.spelling import Names
from speechcall.shared.rules.timing import utc_text

if TYPE_CHECKING:  # Few requests have promises, or menus that messages share
    from speechcall.api.rules.answers import Judged
    from speechcall.menus.rules.promise import Promise
    from speechcall.requests.rules.placeholders import Template
    from speechcall.requests.use_cases.request_models import MessageModel

MAX_MESSAGES = 100
MAX_MENUS_BYTES = 64 * 1024
MAX_LIST_BYTES = 2 * 1024 * 1024
"""Of the menus of all messages, as they are stored: together with the rest of the messages they are written in one
transaction, which takes 4 MB (Amazon DynamoDB, TransactWriteItems)."""
MAX_NAMES = 20
MAX_CUSTOMER_ID_LENGTH = 64
CLOCKS_DIFFER_MSEC = 300_000
"""So far a sender's clock may be before ours."""
_ENVELOPE = ("messages", "menus", "campaign", "promises", *DEFAULT_FIELDS)
"""What may stand around the messages."""
_IN_A_MESSAGE, _AROUND_MESSAGES = Names(MESSAGE_FIELDS), Names(_ENVELOPE)


class Prompts(Protocol):
    """Which prompts an account has uploaded."""

    def find_prompt(self, account_id: str, identifier: str) -> Prompt | None: ...


class Wanted(NamedTuple):
    """A message that can be accepted, as far as the request alone decides."""

    model: "MessageModel"
    number: str
    menus: tuple[Menu, ...]
    menus_text: str

    def audio(self) -> Iterator[tuple[str, str]]:
        """The URLs and identifiers that it plays, each with its place in the message."""
        for index, menu in enumerate(self.model.menu):
            for place, name in audio_names(menu):
                yield f"menu[{index}].{place}", name
            for place, name in audio_names(menu.repeat) if menu.repeat else ():
                yield f"menu[{index}].repeat.{place}", name

    @property
    def is_urgent(self) -> bool:
        """Whether it goes before all that are not."""
        return self.model.priority == "urgent"


class Entry(NamedTuple):
    """One message of a request as given: what it wants, or its problems; and what its sender should know."""

    given: Any
    path: str
    wanted: Wanted | None
    problems: Sequence[Problem] = ()
    warnings: Sequence[Problem] = ()
    promises: "Sequence[Judged]" = ()
    """What is known of each promise about its menus, where there are any."""

    @property
    def recipient(self) -> str | None:
        """`to` as it was given, if it was text; of a long one that cannot be a number, the beginning."""
        given = self.given.get("to") if isinstance(self.given, dict) else None
        return shown(given) if isinstance(given, str) else None

    @property
    def customer_id(self) -> str | None:
        """`customerMessageId` as it was given, if it can be one; also of a message that is rejected."""
        given = self.given.get("customerMessageId") if isinstance(self.given, dict) else None
        return given if isinstance(given, str) and 1 <= len(given) <= MAX_CUSTOMER_ID_LENGTH else None


class Asked(NamedTuple):
    """A body as it was read."""

    entries: Sequence[Entry]
    campaign: str = ""
    """The name under which the list is counted; empty: none."""
    promises: "tuple[Promise, ...]" = ()
    """What every call of each message has to keep to."""
    status_url: str | None = None
    """Where, as the envelope says, its sender is told of events; None: it says nothing."""
    status_events: Sequence[str] | None = None
    """Of which events; None: it says nothing."""

    def told_of_list(self, account: Account) -> str:
        """Where the sender is told that the whole list has ended; empty: nowhere."""
        events = account.status_events if self.status_events is None else self.status_events
        return (self.status_url or account.status_url) if "list" in events else ""


def read_request(
    body: bytes, *, allow_loopback: bool = False, ring_time_kept: bool = True, strict: bool = False
) -> Asked:
    """The messages of a body, each checked on its own, and its envelope. The same body always gives the same.

    `allow_loopback`: URLs may lead to this machine; `ring_time_kept`: phones ring as a message says.

    `strict`: no field may be unknown. Raises PayloadTooLarge, MalformedJson, or InvalidRequest for an invalid envelope.
    """
    envelope = parse_json(body)
    given = _envelope(envelope, strict)
    defaults = _defaults(envelope, allow_loopback)
    rules = (defaults, _shared_menus(envelope, allow_loopback), allow_loopback, ring_time_kept, strict)
    entries = [_read(one, f"messages[{index}]", *rules) for index, one in enumerate(given)]
    size = sum(len(entry.wanted.menus_text.encode()) for entry in entries if entry.wanted)
    if size > MAX_LIST_BYTES:
        text = f"The menus of all messages have {size} bytes as they are stored; at most {MAX_LIST_BYTES} can be"
        raise PayloadTooLarge(f"{text}. Send the messages in several requests.")
    promises = _promises(envelope) if "promises" in envelope else ()
    status_url, status_events = defaults.get("statusUrl"), defaults.get("statusEvents")
    return Asked(entries, _campaign(envelope), promises, status_url, status_events)


def judge_entries(
    asked: Asked,
    account: Account,
    prompts: Prompts,
    now_msec: int,
    opt_outs: OptOuts = NOBODY,
    limits: CallLimits = AS_DEPLOYED,
    *,
    sends_sms: bool = False,
) -> list[Entry]:
    """The entries, each rejected that the account may not send now; those that are rejected already stay as they are.

    Judged are its destinations, senders, prompts and hours; opt-outs; and whether its menus keep, under the stack's
    `limits`, the promises that the request makes and the account requires. `sends_sms`: the stack can send SMS.
    """
    known: dict[str, Prompt | None] = {}
    judged = [_judge(entry, account, prompts, known, now_msec, sends_sms) for entry in asked.entries]
    judged = _judge_lists(judged, account, now_msec, opt_outs)
    names = [_obeyed(entry, opt_outs) for entry in judged]
    wanted = {name for some in names for name in some}
    barred = opt_outs.opted_out(account.account_id, wanted) if wanted else set()
    judged = [
        _bar(entry, [name for digest, name in some if (digest, name) in barred])
        for entry, some in zip(judged, names, strict=True)
    ]
    if not asked.promises and not account.requires:
        return judged
    from speechcall.requests.use_cases.judge_promises import judge_promises  # noqa: PLC0415 - few requests have any

    seconds = {intro: prompt.seconds for intro, prompt in known.items() if prompt}
    for entry in judged:
        seconds |= seconds_of_parts(entry.wanted.menus if entry.wanted else (), seconds)
    return judge_promises(judged, asked.promises, account, limits, seconds)


def _judge_lists(entries: Sequence[Entry], account: Account, now_msec: int, opt_outs: OptOuts) -> list[Entry]:
    """The entries, each rejected that names a list which is too old before the entry's time is up.

    A list may be used only while it is fresh. It is judged here for the last moment at which the message may be
    dialled, so its age need not be judged again when it is dialled.
    """
    wanted = {name for one in entries if one.wanted for name in one.wanted.model.optOutLists}
    until = opt_outs.holds_until(account.account_id, wanted) if wanted else {}
    return [_bar_by_age(entry, account, now_msec, until) if until else entry for entry in entries]


def _bar_by_age(entry: Entry, account: Account, now_msec: int, until: Mapping[str, int]) -> Entry:
    """The entry, rejected if it may be dialled later than a list that it names holds (`until`, msec, by name)."""
    wanted = entry.wanted
    if wanted is None or wanted.model.ignoreOptOut:
        return entry
    times = dial_times_of(wanted, account, now_msec)
    # No problem any more: `_judge` has rejected all that have one.
    last_msec = times.until_msec if isinstance(times, DialTimes) else now_msec
    problems = []
    for index, name in enumerate(wanted.model.optOutLists):
        if name in until and until[name] < last_msec:
            held = f"holds until {utc_text(until[name])}, and this message may be dialled until {utc_text(last_msec)}"
            text = f"is a list that {held}; import it again, or shorten ttl"
            problems.append(Problem("OPT_OUT_LIST_TOO_OLD", f"{entry.path}.optOutLists[{index}]", text))
    return entry._replace(wanted=None, problems=problems) if problems else entry


def _obeyed(entry: Entry, opt_outs: OptOuts) -> list[tuple[str, str]]:
    """The opt-outs that would bar a message: digest and list; none of one that is rejected or ignores opt-outs.

    Without a digest the stack keeps no opt-outs.
    """
    if entry.wanted is None or entry.wanted.model.ignoreOptOut:
        return []
    digest = opt_outs.digest(entry.wanted.number)
    return [(digest, name) for name in dict.fromkeys((OWN_LIST, *entry.wanted.model.optOutLists))] if digest else []


def _bar(entry: Entry, lists: Sequence[str]) -> Entry:
    """The entry, rejected if there are `lists`: those on which its number stands (OWN_LIST: the account's own)."""
    if not lists:
        return entry
    what = " and ".join(f"its list {name}" if name else "this account" for name in lists)
    text = f"has opted out of the calls of {what}; it may be called again when the opt-out is removed"
    return entry._replace(wanted=None, problems=[Problem("OPTED_OUT", f"{entry.path}.to", text)])


def _envelope(body: Any, strict: bool) -> list[Any]:
    """The messages of a body. Raises InvalidRequest if it has no list of 1 to 100, or a field that is refused."""
    if not isinstance(body, dict):
        problem = Problem("INVALID_REQUEST", "", 'The body must be an object: {"messages": […]}')
        raise InvalidRequest("The body is not an object.", [problem])
    mistaken = judge_names(
        (name for name in body if name not in _ENVELOPE), _AROUND_MESSAGES, "", strict=strict
    ).problems
    if not isinstance(body.get("messages"), list):
        verb = "must be" if "messages" in body else "is required:"
        text = f"{verb} an array of 1 to {MAX_MESSAGES} messages{lookalike(body, 'messages')}"
        problem = Problem("INVALID_REQUEST", "messages", text)
        raise InvalidRequest("The body has no list of messages.", [problem, *mistaken])
    if mistaken:
        raise InvalidRequest("The body has a field that is not known.", mistaken)
    count = len(body["messages"])
    if not 1 <= count <= MAX_MESSAGES:
        problem = Problem("INVALID_REQUEST", "messages", f"holds {count} messages; 1 to {MAX_MESSAGES} would be right")
        raise InvalidRequest("The list has too few or too many messages.", [problem])
    return list(body["messages"])


def _campaign(body: Any) -> str:
    """The campaign of an envelope; empty: none. A wrong name refuses the request (InvalidRequest): its messages could
    not be stopped by it.
    """
    if "campaign" not in body:
        return ""
    given = body["campaign"]
    if not isinstance(given, str) or not NAME.fullmatch(given):
        text = f"must be {RIGHT['campaign']}{foreign(given) if isinstance(given, str) else ''}"
        raise InvalidRequest("The campaign's name cannot be used.", [Problem("INVALID_CAMPAIGN", "campaign", text)])
    return given


def _promises(body: Any) -> "tuple[Promise, ...]":
    """The promises of an envelope. One that cannot be read refuses the request (InvalidRequest), which would be sent
    unproved.
    """
    from speechcall.menus.rules.promise_grammar import read_promises  # noqa: PLC0415 - few requests have any

    promises, problems = read_promises(body["promises"])
    if problems:
        raise InvalidRequest("The promises cannot be read.", problems)
    return promises


def _defaults(envelope: Mapping[str, Any], allow_loopback: bool) -> dict[str, Any]:
    """What the envelope says for all its messages; each message may say otherwise, field by field.

    Raises InvalidRequest.
    """
    defaults = {name: envelope[name] for name in DEFAULT_FIELDS if name in envelope}
    if problems := check_defaults(defaults, allow_loopback=allow_loopback):
        raise InvalidRequest("What the request says for all its messages cannot be used.", problems)
    return defaults


def _shared_menus(envelope: Mapping[str, Any], allow_loopback: bool) -> "Template | None":
    """The menus of an envelope, for its messages that give none of their own; None: it has none.

    Raises InvalidRequest.
    """
    if "menus" not in envelope:
        return None
    from speechcall.requests.use_cases.shared_menus import read_menus  # noqa: PLC0415 - few requests have any

    template, problems = read_menus(envelope["menus"], allow_loopback=allow_loopback, most_bytes=2 * MAX_MENUS_BYTES)
    if template is None:
        raise InvalidRequest("The menus of the request cannot be used.", problems)
    return template


def _insert(template: "Template | None", given: Any, path: str) -> tuple[dict[str, Any], list[Problem]]:
    """The `menu` that a message gets from the envelope's menus, with its `vars` filled in; and their problems.

    Empty: the message has a menu of its own, or there is none to get.
    """
    if not isinstance(given, dict) or (given.get("vars") is None and (template is None or "menu" in given)):
        return {}, []
    from speechcall.requests.use_cases.shared_menus import insert  # noqa: PLC0415 - as above

    return insert(template, given, path, most_characters=MAX_MENUS_BYTES)


def _some(names: Sequence[str]) -> str:
    """Names in a sentence; of many, the first."""
    more = len(names) - MAX_NAMES
    return f"{', '.join(names[:MAX_NAMES]) or 'none'}{f' and {more} more' if more > 0 else ''}"


def dial_times_of(wanted: Wanted, account: Account, accepted_msec: int) -> DialTimes | Problem:
    """When a message that is accepted at a moment may be dialled, or what is wrong with that (path in the message)."""
    model = wanted.model
    # The model's default is no `ttl` that the message gives.
    ttl = model.ttl if "ttl" in model.model_fields_set else None
    return judge_hours(model, ttl, account, wanted.number, accepted_msec)


def _destinations(account: Account) -> str:
    return _some(account.prefixes) + (f", without {_some(account.denied)}" if account.denied else "")


def _read(
    given: Any,
    path: str,
    defaults: Mapping[str, Any],
    shared: "Template | None",
    allow_loopback: bool,
    ring_time_kept: bool,
    strict: bool,
) -> Entry:
    """Reads one message and judges it by itself; without its account and without stored audio.

    `defaults`: the fields of the envelope that hold where the message has none; `shared`: the envelope's menus; the
    rest as in `read_request`. Out: an entry with what it wants, or with its problems.
    """
    inserted, misnamed = _insert(shared, given, path)
    whole = {**defaults, **given, **inserted} if isinstance(given, dict) else given
    model, problems = check_message(whole, path, allow_loopback=allow_loopback)
    if misnamed:
        model, problems = None, [*problems, *misnamed][:MAX_PROBLEMS]
    if model and isinstance(given, dict) and "list" in (given.get("statusEvents") or ()):
        place = f"{path}.statusEvents[{given['statusEvents'].index('list')}]"
        text = '"list" is an event of the whole list; say so in the envelope'
        model, problems = None, [Problem("INVALID_STATUS_EVENTS", place, text)]
    names = unknown_fields(given) if isinstance(given, dict) else []
    unknown = judge_names(names, _IN_A_MESSAGE, f"{path}.", strict=strict)
    if "promises" in names and not strict:
        text = "belongs beside messages, and holds for all of them"
        unknown.problems.append(Problem(MISPLACED, f"{path}.promises", text))
    if unknown.problems:
        return Entry(given, path, None, [*problems, *unknown.problems][:MAX_PROBLEMS])
    number = to_e164(model.to) if model else None
    if model is None or number is None:
        return Entry(given, path, None, problems)
    menus = to_menus(model)
    menus_text = dump_menus(menus)
    if (size := len(menus_text.encode())) > MAX_MENUS_BYTES:
        text = f"has {size} bytes as it is stored; at most {MAX_MENUS_BYTES} can be"
        problem = Problem("INVALID_MENU", f"{path}.menu", text)
        return Entry(given, path, None, [problem])
    warnings = unknown.warnings
    if "ringTimeoutSec" in given and not ring_time_kept:
        text = "is not kept: the telephony of this service cannot end the ringing, so the callee's network does"
        warnings.append(Problem("RING_TIMEOUT_NOT_KEPT", f"{path}.ringTimeoutSec", text))
    warnings += lists_not_obeyed(model, path)
    return Entry(given, path, Wanted(model, number, menus, menus_text), (), [*warnings, *report(menus, path)])


def _judge(
    entry: Entry,
    account: Account,
    prompts: Prompts,
    known: dict[str, Prompt | None],
    now_msec: int,
    sends_sms: bool,
) -> Entry:
    """The entry, rejected if its account may not send it: by destination, sender, uploads and more, not by opt-outs.

    `known`: uploads that were looked up already (None: not there), to which it adds. One that is rejected already stays
    as it is.
    """
    if entry.wanted is None:
        return entry
    warnings = list(entry.warnings)
    problems = list(_not_allowed(entry.path, entry.wanted, account, now_msec))
    problems += _no_fallback(entry.path, entry.wanted, account, sends_sms)
    for place, name in entry.wanted.audio():
        if not is_uploaded(name):
            continue
        path = f"{entry.path}.{place}"
        if name not in known:
            known[name] = prompts.find_prompt(account.account_id, name)
        prompt = known[name]
        if prompt is None:
            text = f'there is no audio "{name}" in this account; upload it first, or give a URL'
            problems.append(Problem("UNKNOWN_AUDIO", path, text))
        else:
            warnings += [Problem(warning.code, path, warning.message) for warning in prompt.warnings]
    return entry._replace(wanted=None, problems=problems) if problems else entry._replace(warnings=warnings)


def _no_fallback(path: str, wanted: Wanted, account: Account, sends_sms: bool) -> list[Problem]:
    """Why a message may not have the fallback that it asks for; none: it may, or asks for none."""
    if wanted.model.fallback is None:
        return []
    if not sends_sms:
        text = "cannot be sent: this service sends no text messages; leave fallback out"
        return [Problem("FALLBACK_NOT_CONFIGURED", f"{path}.fallback", text)]
    if not account.sms_per_day:
        text = "cannot be sent: this account may send no text messages; leave fallback out"
        return [Problem("FALLBACK_NOT_ALLOWED", f"{path}.fallback", text)]
    return []


def _not_allowed(path: str, wanted: Wanted, account: Account, now_msec: int) -> Iterator[Problem]:
    """What of a message its account may not ask for; `path`: of the message."""
    if not account.may_dial(wanted.number):
        text = f"is not among the destinations of this account, which are: {_destinations(account)}"
        yield Problem("INVALID_RECIPIENT", f"{path}.to", text)
    elif not account.premium and is_surcharged(wanted.number):
        text = "is a premium-rate or shared-cost number, which this account may not call"
        yield Problem("INVALID_RECIPIENT", f"{path}.to", text)
    if not account.may_send_as(wanted.model.from_):
        given = wanted.model.from_
        text = f"is not among the senders of this account, which are: {_some([*account.senders])}{unseen(given)}"
        yield Problem("INVALID_SENDER", f"{path}.from", text)
    if wanted.is_urgent and not account.urgent_per_minute:
        text = "cannot be urgent: this account may send no urgent messages; leave priority out"
        yield Problem("PRIORITY_NOT_ALLOWED", f"{path}.priority", text)
    if wanted.model.statusEvents and not (wanted.model.statusUrl or account.status_url):
        text = "changes nothing without a statusUrl, which neither the message, the envelope nor the account has"
        yield Problem("INVALID_STATUS_EVENTS", f"{path}.statusEvents", text)
    times = dial_times_of(wanted, account, now_msec)
    if isinstance(times, Problem):
        yield Problem(times.code, f"{path}.{times.path}", times.message)
    if wanted.model.consent and (to_msec(wanted.model.consent.at) or 0) > now_msec + CLOCKS_DIFFER_MSEC:
        yield Problem("INVALID_CONSENT", f"{path}.consent.at", "must not be in the future")
    if wanted.model.ignoreOptOut and not account.ignores_opt_out:
        text = "may not be true: this account may call nobody who has opted out; leave it out"
        yield Problem("IGNORE_OPT_OUT_NOT_ALLOWED", f"{path}.ignoreOptOut", text)
