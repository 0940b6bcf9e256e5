"""The requests about a person: what is kept of them is erased, or told. The number stands in bodies alone."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, assert_never

from speechcall.accounts.rules.account import Account
from speechcall.api.use_cases.query import parameter
from speechcall.api.use_cases.request_problems import shown
from speechcall.api.use_cases.small_body import unusable
from speechcall.evidence.rules.person_job import (
    CONTACT_MONTHS,
    DAY_MSEC,
    DEAD_LETTER_DAYS,
    HISTORY_DAYS,
    RECOVERY_DAYS,
    STREAM_DAYS,
    Kind,
    PersonJob,
)
from speechcall.evidence.use_cases.person_ports import PersonJobs
from speechcall.menus.rules.introduction import Audio, Part, Pause
from speechcall.menus.rules.menu import OWN_LIST, Menu, Repeat
from speechcall.menus.rules.speech import Say
from speechcall.optouts.use_cases.opt_out_ports import OptOutStore
from speechcall.requests.use_cases.manage_opt_outs import describe, read_number
from speechcall.shared.rules.characters import foreign
from speechcall.shared.rules.errors import InvalidRequest, NotFound, Problem
from speechcall.shared.rules.json_text import parse_json
from speechcall.shared.rules.timing import utc_text
from speechcall.shared.use_cases.clock import Clock
from speechcall.status.use_cases.cursors import dump_cursor, load_cursor
from speechcall.status.use_cases.status import History, describe_message

if TYPE_CHECKING:  # Its types are Pydantic's, which this function does not load
    from speechcall.api.rules import answers

PAGE = 20
"""Messages of an export in one answer."""


class Histories(Protocol):
    """What is stored of messages."""

    def read(self, mid: str) -> History | None: ...


class PeopleDesk(NamedTuple):
    """What the requests work with. `new_id`: an id that was never drawn."""

    jobs: PersonJobs
    opt_outs: OptOutStore
    history: Histories
    clock: Clock
    new_id: Callable[[], str]
    calls_by: str
    """Who keeps records of calls: `connect` or `chime`."""


def begin_erasure(account: Account, body: bytes, desk: PeopleDesk) -> "answers.Erasure":
    """POST /bat/erasure. Raises RequestError."""
    return _describe_erasure(_begin(Kind.ERASURE, account, body, desk), desk)


def read_erasure(account: Account, job_id: str, desk: PeopleDesk) -> "answers.Erasure":
    """GET /bat/erasure/{erasureId}: the receipt. Raises NotFound."""
    return _describe_erasure(_find(Kind.ERASURE, account, job_id, desk), desk)


def begin_export(account: Account, body: bytes, desk: PeopleDesk) -> "answers.PersonExport":
    """POST /bat/person/export. Raises RequestError."""
    return _describe_export(_begin(Kind.EXPORT, account, body, desk))


def read_export(account: Account, job_id: str, query: Mapping[str, str], desk: PeopleDesk) -> "answers.PersonExport":
    """GET /bat/person/export/{exportId}: the result, a page at a time. Raises NotFound, RequestError.

    While it is `running` there is no result yet. It is read when it is asked for: no copy is kept, and what has gone
    since is left out.
    """
    job = _find(Kind.EXPORT, account, job_id, desk)
    listing = ("person", account.account_id, job_id)
    after = load_cursor(parameter(query, "cursor"), *listing)
    answer = _describe_export(job)
    if job.finished_msec is None:
        return answer
    mids = sorted((mid for mid in job.mids if after is None or int(mid) > int(after)), key=int)
    page, lists = mids[:PAGE], {OWN_LIST}
    answer["messages"] = []
    for mid in page:
        if history := desk.history.read(mid):
            answer["messages"].append(_describe_kept(history, desk.clock.now_msec()))
            lists |= set(history.message.opt_out_lists)
    found = [desk.opt_outs.find(account.account_id, name, job.digest) for name in sorted(lists)]
    answer["optOuts"] = [describe(one) for one in found if one and one.holds]
    if len(mids) > PAGE and (cursor := dump_cursor(page[-1], *listing)):
        answer["nextCursor"] = cursor
    return answer


def _begin(kind: Kind, account: Account, body: bytes, desk: PeopleDesk) -> PersonJob:
    number = _number(body)
    job = PersonJob(desk.new_id(), kind, account.account_id, desk.opt_outs.digest(number), desk.clock.now_msec())
    desk.jobs.add(job)
    return job


def _number(body: bytes) -> str:
    """The number (E.164) in a body. Raises MalformedJson, PayloadTooLarge, InvalidRequest.

    Any other name is refused: with a wrong one the answer would be taken for complete.
    """
    given = parse_json(body)
    if not isinstance(given, dict):
        text = 'The body must be an object: {"number": "+380671234567"}'
        raise InvalidRequest("The body is not an object.", [Problem("INVALID_REQUEST", "", text)])
    problems = [
        Problem("UNKNOWN_FIELD", shown(name), f"is not known here; number is{foreign(name)}")
        for name in given
        if name != "number"
    ]
    number = read_number(given)
    if isinstance(number, Problem):
        raise unusable([*problems, number])
    if problems:
        raise unusable(problems)
    return number


def _find(kind: Kind, account: Account, job_id: str, desk: PeopleDesk) -> PersonJob:
    found = desk.jobs.find(job_id) if job_id.isascii() and job_id.isdigit() and len(job_id) <= 19 else None
    if found is None or found.account_id != account.account_id or found.kind is not kind:
        raise NotFound(f"There is no {kind} of this id in this account, or it has expired.")
    return found


def _describe_export(job: PersonJob) -> "answers.PersonExport":
    return {
        "exportId": job.job_id,
        "state": "running" if job.finished_msec is None else "done",
        "askedAt": utc_text(job.begun_msec),
    }


def _describe_kept(history: History, now_msec: int) -> "answers.PersonMessage":
    """A message as the person it was for may know it: with who called, and what was said."""
    message = history.message
    return {
        "from": message.sender,
        "menu": [_said(menu) for menu in message.menus],
        "status": describe_message(history, now_msec),
    }


def _said(menu: Menu) -> "answers.PersonMenu":
    said: answers.PersonMenu = {}
    played: Any = _plays(menu)
    said.update(played)
    if menu.repeat and menu.repeat.intro:
        said["repeat"] = _plays(menu.repeat)
    return said


def _plays(plays: Menu | Repeat) -> "answers.PersonIntroduction":
    if plays.play:
        return {"play": [_part(part) for part in plays.play]}
    return {"say": plays.say.text} if plays.say else {"introUrl": plays.intro}


def _part(part: Part) -> "answers.PersonPart":
    match part:
        case Audio(name):
            return {"audio": name}
        case Say():
            return {"say": part.text}
        case Pause(msec):
            return {"pauseMsec": msec}
        case _:
            assert_never(part)


def _describe_erasure(job: PersonJob, desk: PeopleDesk) -> "answers.Erasure":
    """The receipt: what is erased so far, for how many messages it waits; once it is done, what is kept elsewhere."""
    answer: answers.Erasure = {
        "erasureId": job.job_id,
        "state": "running" if job.finished_msec is None else "done",
        "askedAt": utc_text(job.begun_msec),
        "finishedAt": None if job.finished_msec is None else utc_text(job.finished_msec),
        "erased": {"messages": job.messages, "calls": job.calls, "webhooks": job.webhooks},
        "waitsFor": job.left,
        "kept": [],
    }
    if job.finished_msec is not None:
        answer["kept"] = list(_kept(job, job.finished_msec, desk.calls_by))
    return answer


def _kept(job: PersonJob, finished_msec: int, calls_by: str) -> "list[answers.KeptElsewhere]":
    """What is still kept elsewhere after an erasure, why, and until when. `calls_by`: see `PeopleDesk`."""
    kept: list[answers.KeptElsewhere] = [
        {
            "what": "opt-outs",
            "why": "A digest of the number and its last two digits, so that it is not called again.",
            "until": None,
        },
        {
            "what": "DynamoDB Streams",
            "why": "What was deleted, for functions that follow the table.",
            "until": _after(finished_msec, STREAM_DAYS),
        },
        {
            "what": "SQS dead-letter queues",
            "why": "Events of the telephony that no function could take, if there were such.",
            "until": _after(finished_msec, DEAD_LETTER_DAYS),
        },
        {
            "what": "DynamoDB point-in-time recovery",
            "why": "The tables as they were, for a restore after an accident; then ask for the erasure again.",
            "until": _after(finished_msec, RECOVERY_DAYS),
        },
    ]
    if job.last_call_msec is None:
        return kept
    kept.append(
        {
            "what": "AWS Step Functions execution history",
            "why": "Which keys were pressed in which menu, under the id of a message that is no more; no number.",
            "until": _after(job.last_call_msec, HISTORY_DAYS),
        }
    )
    if calls_by == "connect":
        days = CONTACT_MONTHS * 31
        kept.append(
            {
                "what": "Amazon Connect contact records",
                "why": "Amazon keeps the number and the times of each call; it cannot be asked to delete them.",
                "until": _after(job.last_call_msec, days),
            }
        )
    return kept


def _after(msec: int, days: int) -> str:
    return utc_text(msec + days * DAY_MSEC)
