"""Requests about a person: what is read of them, who is answered, page by page."""

import json
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from pydantic import TypeAdapter

from speechcall.accounts.rules.account import Account
from speechcall.api.rules import answers
from speechcall.evidence.rules.person_job import Kind, PersonJob, is_done, may_erase, next_look_msec
from speechcall.evidence.use_cases.manage_people import (
    PAGE,
    PeopleDesk,
    begin_erasure,
    begin_export,
    read_erasure,
    read_export,
)
from speechcall.menus.rules.introduction import Audio, Pause
from speechcall.menus.rules.menu import Menu, Repeat
from speechcall.menus.rules.speech import Say
from speechcall.optouts.rules.opt_out import By, OptOut
from speechcall.rehearsal.adapters.memory_opt_outs import MemoryOptOuts
from speechcall.shared.rules.errors import InvalidCursor, InvalidRequest, MalformedJson, NotFound
from speechcall.status.use_cases.status import History
from tests.kit.samples import MESSAGE, MID, NOW, FakeClock

ACME, OTHER = Account("acme", ("*",)), Account("other", ("*",))
NUMBER = "+380936670003"
BODY = json.dumps({"number": NUMBER}).encode()


class Jobs(dict[str, PersonJob]):
    def add(self, job: PersonJob) -> None:
        self[job.job_id] = job

    def find(self, job_id: str) -> PersonJob | None:
        return self.get(job_id)


class Histories(dict[str, History]):
    def read(self, mid: str) -> History | None:
        return self.get(mid)


@pytest.fixture
def desk() -> Any:
    ids = count(1)
    return PeopleDesk(Jobs(), MemoryOptOuts(), Histories(), FakeClock(), lambda: str(next(ids)), "connect")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "code", "path"),
    [
        (b"[]", "INVALID_REQUEST", ""),
        (b"{}", "INVALID_RECIPIENT", "number"),
        (b'{"number": 380936670003}', "INVALID_RECIPIENT", "number"),
        (b'{"number": "12"}', "INVALID_RECIPIENT", "number"),
        (b'{"Number": "+380936670003"}', "UNKNOWN_FIELD", "Number"),
        (b'{"number": "+380936670003", "list": ""}', "UNKNOWN_FIELD", "list"),
    ],
)
@pytest.mark.parametrize("begin", [begin_erasure, begin_export])
def test_what_names_no_person_is_refused(desk, begin, body, code, path):
    with pytest.raises(InvalidRequest) as refused:
        begin(ACME, body, desk)
    assert (code, path) in [(one.code, one.path) for one in refused.value.problems]
    with pytest.raises(MalformedJson):
        begin(ACME, b"{", desk)
    assert not desk.jobs


def test_a_request_is_answered_to_its_account_alone_and_never_says_the_number(desk):
    def read_page(account: Any, job_id: str, desk: Any) -> Any:
        return read_export(account, job_id, {}, desk)

    ways: Any = ((begin_erasure, read_erasure, "erasureId"), (begin_export, read_page, "exportId"))
    for begin, ask, name in ways:
        told: Any = begin(ACME, BODY, desk)
        assert (told["state"], ask(ACME, told[name], desk)["state"]) == ("running", "running")
        assert NUMBER[1:] not in json.dumps(told) + repr(desk.jobs[told[name]])
        for account, job_id in ((OTHER, told[name]), (ACME, "9"), (ACME, "../1"), (ACME, "1" * 20), (ACME, "٣")):
            with pytest.raises(NotFound):
                ask(account, job_id, desk)
    with pytest.raises(NotFound):  # the id of an export is not that of an erasure
        read_erasure(ACME, "2", desk)
    assert desk.jobs["1"].digest == desk.opt_outs.digest(NUMBER)


def test_an_export_is_told_a_page_at_a_time_as_it_is_now(desk):
    begin_export(ACME, BODY, desk)
    mids = [str(int(MID) + number) for number in range(2 * PAGE + 3)]
    for mid in mids:
        desk.history[mid] = History(replace(MESSAGE, mid=mid, opt_out_lists=("news",)), (), ())
    desk.opt_outs.add("acme", OptOut("news", desk.opt_outs.digest(NUMBER), "03", NOW, By.API))
    desk.jobs["1"] = replace(desk.jobs["1"], mids=frozenset(mids), finished_msec=NOW)
    told: list[str] = []
    query: dict[str, str] = {}
    while True:
        page = read_export(ACME, "1", query, desk)
        TypeAdapter(answers.PersonExport).validate_python(page)
        told += [one["status"]["messageId"] for one in page["messages"]]
        assert [one["list"] for one in page["optOuts"]] == ["news"]
        if "nextCursor" not in page:
            break
        query = {"cursor": page["nextCursor"]}
    assert told == mids
    desk.jobs["2"] = replace(desk.jobs["1"], job_id="2")
    with pytest.raises(InvalidCursor):
        read_export(ACME, "2", query, desk)
    del desk.history[mids[0]]  # it has been erased meanwhile
    assert len(read_export(ACME, "1", {}, desk)["messages"]) == PAGE - 1


def test_what_was_said_is_told_word_for_word(desk):
    say = Say("Zoya, your code is", "en-GB", "Amy")
    plain = (Menu("a", 1, {}), Menu("b", 1, {}, say), Menu("c", 1, {}, play=(say, Pause(300), Audio("uk_4"))))
    menus = (*plain, Menu("a", 1, {}, repeat=Repeat(2)), Menu("a", 1, {}, repeat=Repeat(2, "b", say)))
    begin_export(ACME, BODY, desk)
    desk.history[MID] = History(replace(MESSAGE, menus=menus), (), ())
    desk.jobs["1"] = replace(desk.jobs["1"], mids=frozenset([MID]), finished_msec=NOW)
    page = read_export(ACME, "1", {}, desk)
    TypeAdapter(answers.PersonExport).validate_python(page)
    assert page["messages"][0]["menu"] == [
        {"introUrl": "a"},
        {"say": say.text},
        {"play": [{"say": say.text}, {"pauseMsec": 300}, {"audio": "uk_4"}]},
        {"introUrl": "a"},
        {"introUrl": "a", "repeat": {"say": say.text}},
    ]


def test_a_receipt_says_what_is_still_there(desk):
    begin_erasure(ACME, BODY, desk)
    TypeAdapter(answers.Erasure).validate_python(read_erasure(ACME, "1", desk))
    desk.jobs["1"] = replace(desk.jobs["1"], finished_msec=NOW, digest="", messages=1)
    never_called = read_erasure(ACME, "1", desk)
    assert not [one for one in never_called["kept"] if "Connect" in one["what"] or "Functions" in one["what"]]
    desk.jobs["1"] = replace(desk.jobs["1"], last_call_msec=NOW)
    for provider, names_it in (("connect", True), ("chime", False)):
        receipt = read_erasure(ACME, "1", desk._replace(calls_by=provider))
        TypeAdapter(answers.Erasure).validate_python(receipt)
        kept = {one["what"]: one["until"] for one in receipt["kept"]}
        assert ("Amazon Connect contact records" in kept) is names_it
        assert kept["DynamoDB point-in-time recovery"] == "2026-10-26T14:13:20.000Z"
        assert kept["AWS Step Functions execution history"] == "2026-12-20T14:13:20.000Z"


def test_an_erasure_is_done_after_two_passes_in_a_row_that_find_nothing():
    job = PersonJob("1", Kind.ERASURE, "acme", "d", NOW)
    assert [is_done(replace(job, left=left, clean=clean)) for left, clean in ((1, 0), (0, 1), (0, 2))] == [
        *(False, False),
        True,
    ]
    assert [may_erase(replace(job, pass_msec=at)) for at in (None, NOW, NOW + 59_999, NOW + 60_000)] == [
        *(False, False, False),
        True,
    ]
    pauses = [next_look_msec(replace(job, passes=passes), 0) // 1000 for passes in range(1, 8)]
    assert pauses == [60, 120, 240, 480, 900, 900, 900]
    assert next_look_msec(replace(job, passes=9, clean=1), 0) == 60_000
