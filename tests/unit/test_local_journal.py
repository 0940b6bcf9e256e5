"""The journal: ordered, bounded, and readers wait for what they want to see."""

import threading

import pytest

from local.common.journal import Journal


def test_entries_are_numbered_and_told_apart_by_message() -> None:
    journal = Journal()
    journal.record("state", "7", state="queued")
    journal.record("dial", "8")
    assert [(e["id"], e["kind"], e["mid"]) for e in journal.entries()] == [(1, "state", "7"), (2, "dial", "8")]
    assert [e["state"] for e in journal.entries("7")] == ["queued"]
    assert [e["id"] for e in journal.entries(after=1)] == [2]


def test_old_entries_are_forgotten_and_ids_go_on() -> None:
    journal = Journal(keep=3)
    for i in range(10):
        journal.record("tick", n=i)
    assert [e["id"] for e in journal.entries()] == [8, 9, 10]
    assert [e["id"] for e in journal.entries(after=9)] == [10]
    assert [e["id"] for e in journal.entries(after=2)] == [8, 9, 10]


def test_wait_for_finds_what_is_there_and_what_comes() -> None:
    journal = Journal()
    journal.record("state", "1", state="queued")
    assert journal.wait_for(lambda e: e.get("state") == "queued", timeout=0)["id"] == 1
    timer = threading.Timer(0.02, journal.record, ["state", "1"], {"state": "calling"})
    timer.start()
    assert journal.wait_for(lambda e: e.get("state") == "calling", timeout=5)["id"] == 2
    timer.join()


def test_wait_for_tells_what_was_seen_instead() -> None:
    journal = Journal()
    journal.record("dial")
    with pytest.raises(TimeoutError, match="dial"):
        journal.wait_for(lambda e: e["kind"] == "key", timeout=0.01)


def test_a_subscriber_reads_from_its_place_until_the_journal_is_closed() -> None:
    journal = Journal()
    journal.record("before")
    fresh, all_of_it = journal.subscribe(), journal.subscribe(after=0)
    journal.record("after")
    assert fresh.get(timeout=0) == journal.entries()[-1]
    assert fresh.get(timeout=0) is None
    journal.close()
    assert [e["kind"] for e in all_of_it] == ["before", "after"]


def test_many_writers_lose_nothing() -> None:
    journal = Journal()
    threads = [threading.Thread(target=lambda: [journal.record("n") for _ in range(200)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [e["id"] for e in journal.entries()] == list(range(1, 1601))
