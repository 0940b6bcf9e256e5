"""A call's item, from one release to the next."""

from speechcall.calls.adapters.call_items import dump_call, dump_entry, load_call
from speechcall.calls.rules.call import Command, Kind, Reply, Step
from speechcall.menus.rules.call_log import Entry, Plan, Then, ThenKind
from speechcall.shared.adapters.table import from_wire, to_wire
from tests.kit.samples import CALL, NOW

BEFORE = {
    "pk": "M#227633266688000007",
    "sk": "CALL#001",
    "mid": "227633266688000007",
    "attempt": 1,
    "number": "+380936670003",
    "asks": [{"prompt_uri": "https://p/a.wav", "prompt_seconds": 2.5, "idle_seconds": 10, "wait_seconds": 33}],
    "seq": 3,
    "done_seq": 2,
    "command": {"kind": "ask", "menu": 0},
    "visit": "2026-09-21T12:00:00.000Z",
    "retry": 0,
    "token": "token-2",
    "visits": 2,
    "dialled_msec": NOW,
    "path": [{"menu": 0, "heard": "d1", "at_msec": NOW}],
    "kept_reply": {"seq": 2, "event": "key", "key": "d1"},
    "contact_id": "contact-1",
    "answered_msec": NOW,
}
"""An item of the release that kept no log, in the middle of a call."""

REQUIRED_BEFORE = (
    "mid attempt number asks seq done_seq command visit retry token visits dialled_msec path".split()  # noqa: SIM905
)
"""What that release reads without asking whether it is there."""

PLANNED = CALL._replace(plan=Plan(({"d1": 0, "wrong": "end"},), 50, NOW + 900_000, 2))


def test_an_item_of_the_release_before_is_a_call_that_goes_on_as_it_began():
    call = load_call(from_wire(to_wire(BEFORE)))
    assert call.plan is None
    assert call.log == ()
    assert call.goes_by_log is False
    assert call.path == (Step(0, "d1", NOW),)
    assert call.would_log(3, "key", "d1", NOW) is None
    assert call._replace(done_seq=1, seq=2).known_reply == Reply(2, "key", "d1")


def test_the_release_before_finds_all_that_it_reads_in_an_item_of_this_one():
    item = from_wire(to_wire(dump_call(PLANNED)))
    assert [name for name in REQUIRED_BEFORE if name not in item] == []
    # And of the same types
    assert all(type(item[name]) is type(BEFORE[name]) for name in REQUIRED_BEFORE)


def test_what_was_entered_is_in_its_entry():
    entry = Entry(2, 0, "key", "complete", NOW, Then(ThenKind.END), digits="0407")
    assert load_call(dump_call(PLANNED) | {"log_entries": [dump_entry(entry)]}).log[0].digits == "0407"
    assert "digits" not in dump_entry(entry._replace(digits=None))


def test_what_the_release_before_has_written_stands_behind_the_log():
    answered = PLANNED.would_log(1, "answered", "", NOW)
    key = PLANNED.with_entry(answered).would_log(2, "key", "d1", NOW + 1)
    item = dump_call(PLANNED) | {
        "log_entries": [dump_entry(answered), dump_entry(key)],
        "seq": 4,
        "command": {"kind": "ask", "menu": 0},
        "path": [{"menu": 0, "heard": "idle", "at_msec": NOW + 2}],
    }
    call = load_call(item)
    assert call.path == (Step(0, "d1", NOW + 1), Step(0, "idle", NOW + 2))
    assert not call.goes_by_log
    assert call._replace(seq=3).goes_by_log


def test_a_question_that_only_the_machine_knows_is_one_once_it_was_asked():
    waits = CALL._replace(plan=Plan(({"d1": "wait", "wrong": "end"},), 50, NOW + 900_000, 2))
    for heard in (("answered", ""), ("key", "d1")):
        waits = waits.with_entry(waits.would_log(waits.log_seq + 1, *heard, NOW))
    assert waits.menu_asked(3) is None
    assert waits.would_log(3, "key", "d1", NOW) is None
    asked = waits._replace(seq=3, command=Command(Kind.ASK, 0))
    assert asked.menu_asked(3) == 0
    assert asked.would_log(3, "key", "d7", NOW).menu == 0
