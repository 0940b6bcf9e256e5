"""The requests about rehearsals: a list is judged and put by for its worker; what came of it is told."""

import json
import math
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, assert_never

from speechcall.accounts.rules.account import Account
from speechcall.accounts.rules.throttle import next_day
from speechcall.messages.rules.message import Message
from speechcall.optouts.use_cases.opt_out_ports import OptOuts
from speechcall.rehearsal.rules.lean import lean
from speechcall.rehearsal.rules.rehearsal_job import (
    MOST_A_DAY,
    QUEUED_SECONDS,
    JobState,
    RehearsalJob,
    as_told,
    words_of,
)
from speechcall.rehearsal.use_cases.made_messages import Made, Rules, made_messages
from speechcall.rehearsal.use_cases.read_rehearsal import MOST_PROBLEMS, Asked, in_the_whole, read_body
from speechcall.rehearsal.use_cases.rehearsal_ports import NotAdded, RehearsalJobs, RehearsedList, Running
from speechcall.requests.use_cases.check_request import Prompts
from speechcall.shared.rules.errors import (
    InvalidRequest,
    NotFound,
    PayloadTooLarge,
    Problem,
    RateLimited,
    RehearsalRunning,
    RequestError,
    StoreUnavailable,
)
from speechcall.shared.rules.timing import utc_text
from speechcall.shared.use_cases.clock import Clock

if TYPE_CHECKING:  # its types are Pydantic's
    from speechcall.api.rules import answers


class RehearsalDesk(NamedTuple):
    """What the requests work with. `send` tells the worker of a rehearsal; `new_id` draws an id."""

    jobs: RehearsalJobs
    send: Callable[[str], None]
    prompts: Prompts
    opt_outs: OptOuts
    clock: Clock
    new_id: Callable[[], str]
    rules: Rules = Rules()
    """How lists are judged in this stack."""


def begin_rehearsal(account: Account, body: bytes, desk: RehearsalDesk) -> "answers.Rehearsal":
    """POST /bat/rehearsal. Nothing is begun unless every message would be accepted.

    Raises the leaves of RequestError, StoreUnavailable.
    """
    now = desk.clock.now_msec()
    asked = read_body(body, now)
    messages = _messages(account, asked, desk)
    job = RehearsalJob(
        desk.new_id(), account.account_id, now, len(messages), asked.seeds, ends_by_msec=now + QUEUED_SECONDS * 1000
    )
    refused = desk.jobs.add(job, RehearsedList([lean(one) for one in messages], asked.callees))
    if refused:
        raise _refusal(refused, now)
    try:
        desk.send(job.job_id)
    except StoreUnavailable:
        desk.jobs.withdraw(job)
        raise
    with suppress(StoreUnavailable):  # then a worker has to take it within two minutes, as it mostly does
        desk.jobs.confirm(job)
    return _describe(job, now)


def read_rehearsal(account: Account, job_id: str, desk: RehearsalDesk) -> "answers.Rehearsal":
    """GET /bat/rehearsal/{rehearsalId}. Raises NotFound, StoreUnavailable."""
    found = desk.jobs.find(job_id) if job_id.isascii() and job_id.isdigit() and len(job_id) <= 19 else None
    now = desk.clock.now_msec()
    if found is None or found.account_id != account.account_id or found.expires_at * 1000 <= now:
        raise NotFound("There is no rehearsal of this id in this account, or it has expired.")
    return _describe(found, now)


def _messages(account: Account, asked: Asked, desk: RehearsalDesk) -> list[Message]:
    """The messages that the list would become. Each part of it, a request's worth, is judged by itself, so that the
    problems of all parts are told.

    Raises InvalidRequest where any of it would be rejected, other leaves of RequestError as they are, and
    StoreUnavailable.
    """
    found: list[Message] = []
    problems: list[Problem] = []
    for part, body in enumerate(asked.bodies):
        # Ids come from the millisecond, without chance here: two parts made in the same one would have the same ids.
        made_msec = asked.start_msec + part
        try:
            (made,) = made_messages(
                account,
                [body],
                made_msec,
                prompts=desk.prompts,
                opt_outs=desk.opt_outs,
                rules=desk.rules,
            )
        except RequestError as error:
            if not error.problems:
                raise
            problems += [in_the_whole(one, part) for one in error.problems]
            continue
        found += made.messages
        problems += [in_the_whole(one, part) for one in _rejections(made)]
    if problems:
        different = [*dict.fromkeys(problems)]  # what is wrong around the messages is wrong in each part
        raise InvalidRequest("The list would not be accepted as it is.", different[:MOST_PROBLEMS])
    return found


def _rejections(made: Made) -> list[Problem]:
    """What is wrong with the messages of a request that would be rejected. An error has `details` where it has several
    places; without, it is its only place.
    """
    found = []
    for one in made.answer["messages"]:
        if one["status"] == "rejected":
            error = one["error"]
            places: Any = error.get("details") or [error]
            found += [Problem(place["code"], place["path"], place["message"]) for place in places]
    return found


def _refusal(refused: NotAdded | Running, now_msec: int) -> RequestError:
    match refused:
        case Running(job_id):
            text = f"Another list of this account is being rehearsed ({job_id}); ask again when that has ended."
            return RehearsalRunning(text)
        case NotAdded.DAY_FULL:
            now = datetime.fromtimestamp(now_msec / 1000, UTC)
            wait = math.ceil((next_day(now) - now).total_seconds())
            return RateLimited(
                f"This account may rehearse {MOST_A_DAY} lists a day (UTC); try again in {wait} s.", wait
            )
        case NotAdded.TOO_LARGE:
            return PayloadTooLarge("The list is too large to be rehearsed: its messages have too many different hours.")
        case _:
            assert_never(refused)


def _describe(job: RehearsalJob, now_msec: int) -> "answers.Rehearsal":
    state, failure = as_told(job, now_msec)
    answer: answers.Rehearsal = {
        "rehearsalId": job.job_id,
        "state": state.value,
        "askedAt": utc_text(job.asked_msec),
        "messages": job.messages,
    }
    if job.finished_msec is not None:
        answer["finishedAt"] = utc_text(job.finished_msec)
    if failure:
        answer["failure"] = {"reason": failure.value, "message": words_of(failure)}
    if state is JobState.DONE:
        answer["figures"] = json.loads(job.result)
    return answer
