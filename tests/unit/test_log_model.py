"""A call that goes by its log, in every order there is: a small model of telephony, machine and end, searched whole.

The rules are the product's: what is appended (`MemoryCalls`, which the contract suite holds equal to DynamoDB), what
follows (`would_log`), what the telephony is told (`told_by_log`), what the machine is told (`obey_log`, `end_call`),
what is owed. Around them the model lets everything happen that may: a report is lost at each of its requests and
made again, is made twice at once, a SendTaskSuccess gets lost, the machine is slow or stopped, the callee hangs up.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from speechcall.calls.rules.call import Call, Cause, Command, Kind, Ticket
from speechcall.calls.rules.owed import owed_webhooks
from speechcall.calls.use_cases import report
from speechcall.calls.use_cases.end_call import end_call
from speechcall.calls.use_cases.obey_log import obey_log
from speechcall.calls.use_cases.report import Heard, told_by_log
from speechcall.menus.rules.call_log import MOST_AHEAD, Plan, ThenKind, follows
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu
from speechcall.menus.rules.walk import Behaviour, Walk, react, table_of, walk
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls
from speechcall.shared.rules.outcome import End
from tests.kit.samples import ASK, CALL, HOOK, MID, NOW, FakeClock

pytestmark = pytest.mark.slow

MENUS = (
    Menu("intro", 1000, {"d1": (HOOK, GotoMenu(1)), "d2": (HOOK, Hangup()), "wrong": (HOOK, HOOK, GotoMenu(0))}),
    Menu("intro", 1000, {"d1": (HOOK, GotoMenu(0)), "d2": (Hangup(),), "wrong": (HOOK, GotoMenu(1))}),
)
REPEATS = 1
KEYS = ("1", "2", "7")
"""One that leads on, one that leads out, one that has no list; beside them there is silence."""
CONTACT = "contact-1"


@dataclass(frozen=True)
class Flight:
    """An invocation that has a report: how far it is, and what it knows."""

    heard: Heard
    step: str = "read"
    read: int = 0
    """How long the log was when it was read; -1: the call had ended."""


@dataclass(frozen=True)
class Model:
    """Everything there is. `consumed`: entries that the machine came to. `told`: a reply on its way to it."""

    call: Call
    machine: str = "waits"
    told: str = ""
    consumed: int = 0
    phone: tuple[Any, ...] = ("ringing",)
    flights: tuple[Flight, ...] = ()
    visit: int = 0
    keys: tuple[str, ...] = KEYS
    stray: int = 0
    """So many reports may still be made twice, or fail and be made again."""

    @property
    def plan(self) -> Plan:
        assert self.call.plan is not None
        return self.call.plan

    @property
    def key(self) -> tuple[Any, ...]:
        call = self.call
        heard = tuple((entry.event, entry.key) for entry in call.log)
        stored = (heard, call.seq, call.command, call.ticket, call.ended, call.stop_reason)
        flights = tuple(
            sorted((one.heard.event, one.heard.seq, one.heard.key, one.step, one.read) for one in self.flights)
        )
        return (*stored, self.machine, self.told, self.consumed, self.phone, flights, self.stray)


class Told:
    """An engine that notes what it is told for the token that waits."""

    def __init__(self, token: str) -> None:
        self.token, self.event = token, ""

    def succeed(self, token: str, output: Any) -> bool:
        if token == self.token and not self.event:
            self.event = f"{output['seq']} {output['event']} {output['key']}".strip()
        return True

    def fail(self, token: str, error: str, cause: str) -> bool:
        if token == self.token and not self.event:
            self.event = "0 not-answered"
        return True


def store_of(call: Call) -> MemoryCalls:
    store = MemoryCalls()
    store.open(call, 9)
    return store


def behind(store: MemoryCalls) -> Call:
    found = store.get(MID, 1)
    assert found is not None
    return found


# ---------------------------------------------------------------- transitions
def nexts(model: Model) -> Iterator[tuple[str, Model]]:
    """Whatever may happen next, each as one step."""
    yield from _phone(model)
    for number, flight in enumerate(model.flights):
        rest = model.flights[:number] + model.flights[number + 1 :]
        yield from _flight(model, flight, rest)
    yield from _machine(model)
    if not model.call.ended and model.phone[0] == "gone":
        store, engine = store_of(model.call), Told(model.call.ticket.token)
        end_call(MID, 1, Cause.CALLER_HUNG_UP, calls=store, engine=engine, clock=FakeClock())
        yield "news of the end", _wake(replace(model, call=behind(store)), engine.event)


def _phone(model: Model) -> Iterator[tuple[str, Model]]:
    match model.phone:
        case ("ringing",):
            yield "answers", _report(model, Heard("answered", 0))
        case ("asks", seq, _menu):
            for key in model.keys:
                yield f"presses {key}", _report(model, Heard("key", seq, key))
            yield "is silent", _report(model, Heard("idle", seq))
            yield "hangs up", replace(model, phone=("gone",))
        case ("holds", seq):
            yield "asks what is next", _report(model, Heard("next", seq))
            yield "hangs up", replace(model, phone=("gone",))
        case ("reports", *_):
            yield "hangs up", replace(model, phone=("gone",))


def _report(model: Model, heard: Heard) -> Model:
    return replace(model, phone=("reports", heard), flights=(*model.flights, Flight(heard)))


def _flight(model: Model, flight: Flight, rest: tuple[Flight, ...]) -> Iterator[tuple[str, Model]]:
    call = model.call
    if model.stray and flight.step != "stray":
        again = Flight(flight.heard)
        yield "an invocation dies, and is made again", replace(model, flights=(*rest, again), stray=model.stray - 1)
        # I7: and one more of the same report is under way at the same time
        double = replace(again, step="read")
        yield "a report is made twice", replace(model, flights=(*model.flights, double), stray=model.stray - 1)
    if flight.step == "read":
        if call.ended:
            yield "is told to hang up", _answered(replace(model, flights=rest), flight, ("gone",))
        else:
            yield "reads", replace(model, flights=(*rest, replace(flight, step="write", read=call.log_seq)))
        return
    if flight.step == "write":
        before = call._replace(log=call.log[: flight.read], seq=min(call.seq, flight.read + 1))
        reply = flight.heard.reply(before)
        entry = before.would_log(reply.seq, reply.event, reply.key, NOW) if reply else None
        store = store_of(call)
        if entry:
            store.append(MID, 1, CONTACT, entry)
        done = replace(flight, step="tell")
        yield "writes", replace(model, call=behind(store), flights=(*rest, done))
        return
    if call.ended and flight.step == "tell":
        yield "is told to hang up", _answered(replace(model, flights=rest), flight, ("gone",))
    reply = call.known_reply
    told = f"{reply.seq} {reply.event} {reply.key}".strip() if reply else ""
    for lost in (False, True) if told and model.machine == "waits" and not model.told else (False,):
        woken = model if lost else _wake(model, told)
        phone: tuple[Any, ...] = ("gone",)
        answer = told_by_log(call, max(1, flight.heard.seq), NOW)
        if answer.op == "ask" and answer.command:
            phone = ("asks", answer.seq, answer.command.menu)
        elif answer.op == "hold":
            phone = ("holds", answer.seq)
        yield "answers" + " (lost)" * lost, _answered(replace(woken, flights=rest), flight, phone)


def _answered(model: Model, flight: Flight, phone: tuple[Any, ...]) -> Model:
    """The telephony obeys only who answers the report that it waits for, and the first who does."""
    return replace(model, phone=phone) if model.phone == ("reports", flight.heard) else model


def _wake(model: Model, told: str) -> Model:
    return replace(model, told=told) if told and model.machine == "waits" and not model.told else model


def _machine(model: Model) -> Iterator[tuple[str, Model]]:
    if model.machine == "waits" and not model.told:
        if model.call.ended or model.call.known_reply is not None:
            # The menu's own timeout, or the dial's: what stands in the log is looked up
            reply = model.call.known_reply
            told = f"{reply.seq} {reply.event} {reply.key}".strip() if reply else "0 ended"
            yield "looks up", replace(model, told=told)
    elif model.machine == "waits":
        yield "goes on", _goes_on(model)
        seq, event, *_ = model.told.split()
        if event in {"key", "idle"}:
            yield "is stopped within a list", replace(model, machine="stopped", told="", consumed=int(seq))
    if model.machine != "over":
        yield "is stopped", replace(model, machine="stopped", told="")


def _goes_on(model: Model) -> Model:
    """The machine takes its reply, runs the list, and gives the next command."""
    seq, event, *key = model.told.split()
    if event in {"ended", "not-answered"} or model.call.command.kind is Kind.HANG_UP:
        return replace(model, machine="over", told="")
    model = replace(model, told="", visit=model.visit + 1)
    if event == "limit":
        command = Command(Kind.HANG_UP)
    else:
        assert int(seq) == model.consumed + 1, "I2: the entries in their order, each once"
        entry = model.call.entry(int(seq))
        assert entry is not None
        assert (entry.event, entry.key) == (event, "".join(key)), "I2"
        model = replace(model, consumed=model.consumed + 1)
        target = 0 if event == "answered" else react(MENUS[entry.menu or 0], entry.key or event).target
        command = Command(Kind.HANG_UP) if target is None else Command(Kind.ASK, target)
    ticket = Ticket(f"2026-09-21T13:00:{model.visit:02}.000Z", 0, f"token-{model.visit}")
    store, engine = store_of(model.call), Told(ticket.token)
    obey_log(model.call, command, ticket, calls=store, engine=engine)
    return replace(model, call=behind(store), told=engine.event)


# ------------------------------------------------------------------ invariants
def check(before: Model, after: Model) -> None:
    """What holds of every step."""
    old, call = before.call, after.call
    assert call.goes_by_log
    assert call.log[: old.log_seq] == old.log, "I1: nothing is changed"
    for entry in call.log[old.log_seq :]:
        assert not old.ended, "I4: nothing is added after the end"
        earlier = call.entry(entry.seq - 1)
        assert entry.seq == 1 or (earlier and earlier.then.kind is ThenKind.ASK), "I1"
        assert entry.menu == (earlier.then.menu if earlier else None), "I1"
        again = follows(after.plan, call.log[: entry.seq - 1], entry.menu, entry.event, entry.key, NOW)
        assert entry.then == again, "I1"
    assert call.log_seq - call.seq <= MOST_AHEAD, "ahead"
    if after.phone[0] == "asks":
        _, seq, menu = after.phone
        said = call.entry(seq - 1)
        assert said is not None, "I5"
        assert (said.then.kind, said.then.menu) == (ThenKind.ASK, menu), "I5"
    if before.phone[0] == "reports" and after.phone == ("holds", call.log_seq) and not call.ended:
        # I7: it holds for the end, or because it is as far ahead as it may be
        far = call.log_seq + 1 > call.seq + MOST_AHEAD
        assert far or call.log[-1].then.kind is ThenKind.END, "I7"


def check_end(model: Model) -> None:
    """What holds when nothing can happen any more: the machine is over or stopped, the call has ended."""
    call = model.call
    assert call.ended
    gone = _walked(call)
    webhooks = [(sent.visit + 1, sent.menu, sent.key, sent.step) for sent in gone.webhooks]
    if model.machine == "over":
        assert model.consumed == call.log_seq, "I2, I4: all of it"
        assert [(seq, menu, key, step) for seq, menu, key, step in _webhooks(call, call.log_seq)] == webhooks, "I3"
        return
    # I3: whichever part of the last list was run before it was stopped
    owed = [(task.seq, task.menu, task.key, task.step) for task in owed_webhooks(call, MENUS, End.FAILED)]
    whole = _webhooks(call, model.consumed)
    of_last = len(whole) - len(_webhooks(call, model.consumed - 1)) if call.seq == model.consumed else 0
    for unsent in range(of_last + 1):
        sent = whole[: len(whole) - unsent]
        assert sent + [one for one in owed if one not in sent] == webhooks, "I3"


def _webhooks(call: Call, entries: int) -> list[tuple[int, int, str, int]]:
    found = []
    for entry in call.log[: max(entries, 0)]:
        if entry.menu is not None:
            reaction = react(MENUS[entry.menu], entry.key or entry.event)
            found += [(entry.seq, entry.menu, reaction.key or "", step) for step in reaction.webhooks]
    return found


def _walked(call: Call) -> Walk:
    """The reference walk of the same callee, who hangs up when no more is known."""
    does = [Behaviour(entry.key or entry.event) for entry in call.log if entry.menu is not None]
    assert call.plan is not None
    return walk(MENUS, does, call.plan.max_visits, REPEATS)


# ----------------------------------------------------------------------- search
def search(visits: int, keys: tuple[str, ...] = KEYS, stray: int = 0) -> tuple[int, int, set[str]]:
    """Every state that can be reached: how many, how many of them are ends, and how the calls ended."""
    plan = Plan(table_of(MENUS), visits, NOW + 900_000, REPEATS)
    start = Model(CALL._replace(asks=(ASK, ASK), plan=plan, contact_id=CONTACT), keys=keys, stray=stray)
    seen, waiting, ends, reasons = {start.key}, deque([start]), 0, set[str]()
    while waiting:
        model = waiting.popleft()
        is_end = True
        for what, after in nexts(model):
            try:
                check(model, after)
            except AssertionError as error:
                raise AssertionError(f"{error}: {what}\n{model}\n{after}") from error
            is_end = False
            if after.key not in seen:
                seen.add(after.key)
                waiting.append(after)
        if is_end or (model.call.ended and not model.flights and model.machine in {"over", "stopped"}):
            ends += 1
            reasons.add(model.call.stop_reason or model.machine)
            check_end(model)
    return len(seen), ends, reasons


def test_in_every_order_there_is_the_invariants_hold():
    # Four menus, so that the telephony comes to hold because it is three entries ahead
    states, ends, reasons = search(visits=4)
    assert states > 40_000
    assert ends > 1_000
    # And the search has been where it should have been
    assert reasons == {"over", "stopped", "limit", "silence"}


def test_a_report_that_fails_anywhere_or_is_made_twice_changes_nothing():
    states, _, reasons = search(visits=1, keys=("1", "2"), stray=1)
    assert states > 4_000
    assert reasons == {"over", "stopped", "limit"}


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("visits", "keys"), [(2, KEYS), (3, ("1",))])
def test_a_report_that_fails_anywhere_or_is_made_twice_changes_nothing_at_length(visits, keys):
    assert search(visits, keys, stray=1)[0] > 80_000


def _runs_away(monkeypatch):
    monkeypatch.setattr(report, "MOST_AHEAD", 9)


def _last_word_counts(monkeypatch):
    append = MemoryCalls.append

    def last(store, mid, attempt, contact_id, entry, turn=0):
        call = store.get(mid, attempt)
        if call.log_seq == entry.seq:
            store._change(mid, attempt, lambda call: call._replace(log=call.log[:-1]))
        return append(store, mid, attempt, contact_id, entry)

    monkeypatch.setattr(MemoryCalls, "append", last)


def _stops_at_the_end(monkeypatch):
    advance = MemoryCalls.advance

    def stopped(store, mid, attempt, *command):
        call = store.get(mid, attempt)
        return (False, call) if call.ended else advance(store, mid, attempt, *command)

    monkeypatch.setattr(MemoryCalls, "advance", stopped)


def _owes_nothing(monkeypatch):
    monkeypatch.setattr("tests.unit.test_log_model.owed_webhooks", lambda *_: [])


def _forgets_the_end(monkeypatch):
    def end(mid, attempt, cause, *, calls, engine, clock):
        call = calls.end(mid, attempt, cause, NOW)
        engine.succeed(call.ticket.token, {"event": "ended", "key": "", "seq": call.seq})

    monkeypatch.setattr("tests.unit.test_log_model.end_call", end)


@pytest.mark.parametrize("mistake", [_runs_away, _last_word_counts, _stops_at_the_end, _owes_nothing, _forgets_the_end])
def test_a_rule_that_is_wrong_is_found_out(mistake, monkeypatch):
    mistake(monkeypatch)
    with pytest.raises(AssertionError, match=r"I\d|ahead"):
        search(visits=4 if mistake is _runs_away else 2, stray=int(mistake is _last_word_counts))
