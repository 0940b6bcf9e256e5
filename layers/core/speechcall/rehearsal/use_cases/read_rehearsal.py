"""The body of POST /bat/rehearsal: a messagelist, with who is called (`callees`), `seeds` and `start` beside it.

The list is cut into requests as they would be sent, of at most MAX_MESSAGES each, and each is judged as if it were.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from speechcall.api.use_cases.request_problems import shown
from speechcall.rehearsal.rules.callee_grammar import read_callees
from speechcall.rehearsal.rules.callees import Callees
from speechcall.rehearsal.rules.rehearsal_job import (
    CLOCKS_DIFFER_MSEC,
    DEFAULT_SEEDS,
    MOST_MESSAGES,
    MOST_SEEDS,
    MOST_START_SECONDS,
)
from speechcall.requests.use_cases.check_request import MAX_MESSAGES
from speechcall.shared.rules.errors import InvalidRequest, Problem
from speechcall.shared.rules.json_text import dump_json, parse_json, whole
from speechcall.shared.rules.rfc3339 import to_msec
from speechcall.shared.rules.spelling import Names

_OWN = ("callees", "seeds", "start")
_NAMES = Names(_OWN)
_ENTRY = re.compile(r"messages\[(\d+)\]")
MOST_PROBLEMS = 100
"""Told of a list."""


class Asked(NamedTuple):
    """What a body asks for."""

    bodies: Sequence[bytes]
    """The list as requests of POST /bat/messagelist."""
    messages: int
    callees: Callees
    seeds: int
    start_msec: int
    """When it would be sent."""


def read_body(body: bytes, now_msec: int) -> Asked:
    """What is asked for. Raises MalformedJson, PayloadTooLarge, or InvalidRequest with each place that is wrong."""
    given = parse_json(body)
    if not isinstance(given, dict):
        text = 'The body must be an object: {"messages": […], "callees": {…}}'
        raise InvalidRequest("The body is not an object.", [Problem("INVALID_REQUEST", "", text)])
    problems = list(_misspelt(given))
    callees, wrong = None, [Problem("INVALID_CALLEES", "callees", "is required: who is called, and what they do")]
    if "callees" in given:
        callees, wrong = read_callees(given["callees"])
    problems += wrong
    seeds, start_msec = _seeds(given, problems), _start(given, now_msec, problems)
    messages = given.get("messages")
    count = len(messages) if isinstance(messages, list) else 0
    if isinstance(messages, list) and not 1 <= count <= MOST_MESSAGES:
        text = f"holds {count} messages; 1 to {MOST_MESSAGES} can be rehearsed at once"
        problems.append(Problem("INVALID_REQUEST", "messages", text))
    if problems or callees is None:
        raise InvalidRequest("The list cannot be rehearsed.", problems[:MOST_PROBLEMS])
    return Asked(list(_requests(given)), count, callees, seeds, start_msec)


def _misspelt(given: Mapping[str, Any]) -> Iterator[Problem]:
    for name in given:
        if name not in _OWN and (meant := _NAMES.meant_by(name)):
            yield Problem("UNKNOWN_FIELD", shown(name), f"is not known here; did you mean {meant}?")


def _seeds(given: Mapping[str, Any], problems: list[Problem]) -> int:
    """How many seeds are asked for. If that is wrong, adds it to `problems`, and gives the default."""
    seeds = whole(given.get("seeds", DEFAULT_SEEDS))
    if isinstance(seeds, int) and not isinstance(seeds, bool) and 1 <= seeds <= MOST_SEEDS:
        return seeds
    text = f"must be a whole number from 1 to {MOST_SEEDS}: how often the list is rehearsed, each with other chances"
    problems.append(Problem("INVALID_SEEDS", "seeds", text))
    return DEFAULT_SEEDS


def _start(given: Mapping[str, Any], now_msec: int, problems: list[Problem]) -> int:
    """When the list would be sent, never before now. If `start` is wrong, adds that to `problems`, and gives now."""
    start = given.get("start")
    if start is None:
        return now_msec
    msec = to_msec(start) if isinstance(start, str) else None
    if msec is None:
        text = "must be a moment with its offset, such as 2026-12-01T09:00:00+02:00"
    elif not now_msec - CLOCKS_DIFFER_MSEC <= msec <= now_msec + MOST_START_SECONDS * 1000:
        text = f"must be from now on, and at most {MOST_START_SECONDS // 86_400} days ahead"
    else:
        return max(msec, now_msec)
    problems.append(Problem("INVALID_START", "start", text))
    return now_msec


def _requests(given: Mapping[str, Any]) -> Iterator[bytes]:
    """The list as the requests that it would be sent in: all of its envelope with each."""
    envelope = {name: value for name, value in given.items() if name not in _OWN}
    messages = envelope.get("messages")
    if not isinstance(messages, list):  # what is wrong with it is said where requests are read
        yield dump_json(envelope).encode()
        return
    for first in range(0, len(messages), MAX_MESSAGES):
        yield dump_json({**envelope, "messages": messages[first : first + MAX_MESSAGES]}).encode()


def in_the_whole(problem: Problem, part: int) -> Problem:
    """A problem of the request of this number (from 0), with its place in the list that it was cut from."""
    path = _ENTRY.sub(lambda found: f"messages[{int(found[1]) + part * MAX_MESSAGES}]", problem.path, count=1)
    return problem._replace(path=path)
