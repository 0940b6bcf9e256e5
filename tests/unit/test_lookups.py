"""Lookups: a receiver decides which menu follows, in a bounded time, once, and for everybody alike."""

import json
from dataclasses import replace
from typing import Any

import pytest

from speechcall.calls.adapters.call_items import dump_call, dump_decided, load_call
from speechcall.calls.rules.call import Bounds, Cause, Command, Kind, Ticket
from speechcall.calls.rules.lookup_answer import case_in
from speechcall.calls.use_cases.ask_receiver import Asking, Question, lookup_at
from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.calls.use_cases.obey_log import conclude_lookup, obey_log, plan_of
from speechcall.calls.use_cases.report import Heard, Op, Report
from speechcall.dialling.use_cases.dial_messages import execution_input
from speechcall.menus.rules.ask import Input
from speechcall.menus.rules.call_log import Then, ThenKind
from speechcall.menus.rules.compile_flow import Wiring, compile_flow
from speechcall.menus.rules.menu import Hangup, Lookup, Menu, dump_menus, load_menus
from speechcall.menus.rules.menu_picture import draw, explain
from speechcall.menus.rules.promise_grammar import read_promises
from speechcall.menus.rules.prove import Result, prove
from speechcall.menus.rules.shape import shape_of
from speechcall.menus.rules.walk import AS_DEPLOYED, Behaviour, table_of, told_entries, waits_of, walk
from speechcall.menus.rules.written_menus import written_menus
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls, MemoryMessages
from speechcall.requests.rules.placeholders import read_template
from speechcall.shared.rules.errors import ForbiddenAddress, StoreUnavailable, Unreachable
from speechcall.shared.rules.outcome import End
from speechcall.telephony.chime import actions as chime
from speechcall.telephony.chime.conversation import Asks
from speechcall.telephony.connect import conversation as connect
from tests.kit.samples import ASK, CALL, HOOK, MESSAGE, MID, NOW, FakeClock, FakeEngine, unsealed

SECRET = "Bearer hunter2"
LOOKUP = Lookup(
    "https://shop.example/lookup", {"paid": 1, "open": 0}, 2, 2000, '{"order":4711}', {"Authorization": SECRET}
)
MENUS = (
    Menu("intro", 5000, {"d1": (LOOKUP,), "silence": (Lookup("https://shop.example/quiet", {"paid": 0}, 1, 1000),)}),
    Menu("intro", 5000, {"wrong": (Hangup(),)}),
    Menu("intro", 5000, {"wrong": (Hangup(),)}),
)
QUESTION = Question(MID, 1, 2, 0, "d1", 0)
BOUNDS = Bounds(50, 900)
PAID = b'{"case":"paid"}'


class Bench:
    """A call in which key 1 was pressed in menu 0, and the machine has come to its lookup."""

    def __init__(self, menus=MENUS, bounds=BOUNDS):
        self.calls, self.messages = MemoryCalls(), MemoryMessages()
        self.engine, self.clock = FakeEngine(), FakeClock()
        message = replace(MESSAGE, menus=menus)
        self.messages.add([message])
        plan = plan_of(message, bounds, NOW)
        asks = tuple(ASK._replace(input=one.input, keeps=told_entries(one) if one.input else ()) for one in menus)
        self.calls.open(CALL._replace(asks=asks, plan=plan), MESSAGE.expires_at)
        self.requests: list[Any] = []
        self.answer: Any = lambda _seconds: (200, PAID)
        self.free = True
        self.hear("answered")
        self.machine(1)

    def hear(self, event, seq=0, key=""):
        ports: Any = {"calls": self.calls, "engine": self.engine, "clock": self.clock}
        step = follow_call(Report(MID, 1, "contact-1", Heard(event, seq, key)), **ports)
        return step.op, step.seq, step.command.menu if step.command else None

    def machine(self, visit, menu=0):
        ticket = Ticket(f"2026-09-21T13:33:{visit:02}.000Z", 0, f"token-{visit}")
        obey_log(self.call, Command(Kind.ASK, menu), ticket, calls=self.calls, engine=self.engine)

    def asking(self):
        def ask(request, seconds, most_bytes):
            self.requests.append((request, seconds, most_bytes))
            return self.answer(seconds)

        class Places:
            take = staticmethod(lambda _place, _now: "name" if self.free else None)
            give_back = staticmethod(lambda _place, _name: None)

        return Asking(self.calls, self.messages, Places(), ask, lambda _account, one: one, self.clock, unsealed)

    def look_up(self):
        return self.asking().look_up(QUESTION)

    @property
    def call(self):
        return self.calls.get(MID, 1)


def test_the_case_that_is_answered_decides_for_the_telephony_and_for_the_machine():
    bench = Bench()
    assert bench.hear("key", 2, "1") == (Op.WAIT, 2, None)
    led = bench.look_up()
    assert (led.menu, led.case, led.error) == (1, "paid", "")
    # The telephony is told at once, before the machine has come to the menu
    assert bench.hear("next", 2) == (Op.ASK, 3, 1)
    bench.machine(2, menu=1)
    assert bench.call.seq == 3
    assert bench.hear("next", 2) == (Op.ASK, 3, 1)
    assert bench.call.log[1].then == Then(ThenKind.ASK, 1)
    assert bench.call.path[0].decided.case == "paid"


def test_the_request_is_a_webhook_with_its_headers_and_an_id_of_its_own():
    bench = Bench()
    bench.hear("key", 2, "1")
    bench.clock.sleep(0.5)
    bench.look_up()
    ((request, seconds, most_bytes),) = bench.requests
    headers = dict(request.headers)
    assert headers["webhook-id"] == f"{MID}-1-2-m0-d1-0"
    assert headers["Authorization"] == SECRET
    body = json.loads(request.body)
    assert (body["mid"], body["action"]) == (MID, {"order": 4711})
    assert set(body) == {"from", "to", "mid", "action"}
    assert (seconds, most_bytes) == (1.5, 4096)  # what is left since the key


ENTRY = ((HOOK, LOOKUP), (LOOKUP,))
"""Lists that run for digits."""


@pytest.mark.parametrize("actions", ENTRY, ids=("behind a webhook", "alone"))
@pytest.mark.parametrize("is_sensitive", [False, True], ids=("plain", "sensitive"))
def test_a_lookup_is_told_the_digits_that_were_entered(actions, is_sensitive):
    asked = Input(2, 4, sensitive=is_sensitive)
    menu = Menu("intro", 5000, {"complete": actions, "wrong": (LOOKUP,)}, input=asked)
    for keys, key in (("4071", "complete"), ("4*71", "wrong")):
        bench = Bench((menu, *MENUS[1:]))
        assert bench.hear("digits", 2, keys) == (Op.WAIT, 2, None)
        step = len(actions) - 1 if key == "complete" else 0
        assert bench.asking().look_up(Question(MID, 1, 2, 0, key, step)).case == "paid"
        ((request, _, _),) = bench.requests
        assert list(json.loads(request.body)) == ["from", "to", "mid", "digits", "action"]
        assert json.loads(request.body)["digits"] == keys
        # And sensitive ones are stored only sealed
        entry = bench.call.log[1]
        assert (entry.digits is None, entry.sealed is None) == (is_sensitive, not is_sensitive)


def test_a_lookup_is_told_no_digits_where_none_were_entered():
    menu = Menu("intro", 5000, {"complete": (Hangup(),), "wrong": (LOOKUP,)}, input=Input(2, 4))
    bench = Bench((menu, *MENUS[1:]))
    bench.hear("idle", 2)
    bench.asking().look_up(Question(MID, 1, 2, 0, "wrong", 0))
    assert "digits" not in json.loads(bench.requests[0][0].body)


def test_what_was_entered_is_not_kept_where_neither_a_webhook_nor_a_lookup_tells_it():
    menu = Menu("intro", 5000, {"complete": (Hangup(),), "wrong": (LOOKUP,)}, input=Input(2, 4))
    assert told_entries(menu) == ("other",)
    bench = Bench((menu, *MENUS[1:]))
    bench.hear("digits", 2, "4071")
    assert "4071" not in repr(bench.call)


def test_digits_that_cannot_be_opened_lead_to_else_in_time():
    menu = Menu("intro", 5000, {"complete": (LOOKUP,)}, input=Input(2, 4, sensitive=True))
    bench = Bench((menu, *MENUS[1:]))
    bench.hear("digits", 2, "4071")

    def away(_mid, _sealed):
        raise StoreUnavailable("KMS")

    led = replace(bench.asking(), unseal=away).look_up(Question(MID, 1, 2, 0, "complete", 0))
    assert (led.menu, led.error) == (LOOKUP.otherwise, "INTERNAL_ERROR")
    assert bench.requests == []


def fails(error):
    def answer(_seconds):
        raise error

    return answer


ANSWERS = {
    "another case": ((200, b'{"case":"open"}'), 0, "open", ""),
    "more members": ((200, b'{"case":"paid","ref":1.50}'), 1, "paid", ""),
    "an unknown case": ((200, b'{"case":"refunded"}'), 2, "", "UNKNOWN_CASE"),
    "the word of the form": ((200, b'{"case":"else"}'), 2, "", "UNKNOWN_CASE"),
    "nothing": ((200, b""), 2, "", "BAD_ANSWER"),
    "no JSON": ((200, b"<html>"), 2, "", "BAD_ANSWER"),
    "no object": ((200, b'["paid"]'), 2, "", "BAD_ANSWER"),
    "no text": ((200, b'{"case":1}'), 2, "", "BAD_ANSWER"),
    "twice": ((200, b'{"case":"paid","case":"open"}'), 2, "", "BAD_ANSWER"),
    "not UTF-8": ((200, b'{"case":"\xff"}'), 2, "", "BAD_ANSWER"),
    "accepted": ((202, PAID), 2, "", "HTTP_202"),
    "a redirect": ((302, PAID), 2, "", "HTTP_302"),
    "not there": ((404, PAID), 2, "", "HTTP_404"),
    "a fault": ((500, PAID), 2, "", "HTTP_500"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_whatever_is_no_case_leads_to_else(name):
    given, menu, case, error = ANSWERS[name]
    bench = Bench()
    bench.answer = lambda _seconds: given
    bench.hear("key", 2, "1")
    led = bench.look_up()
    assert (led.menu, led.case, led.error) == (menu, case, error)
    assert bench.hear("next", 2) == (Op.ASK, 3, menu)
    assert bench.call.log[1].decided.error == error


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (fails(Unreachable("TIMEOUT")), "TIMEOUT"),
        (fails(Unreachable("CONNECTION_RESET")), "CONNECTION_RESET"),
        (fails(Unreachable("TOO_LONG")), "TOO_LONG"),
        (fails(ForbiddenAddress("10.0.0.1")), "FORBIDDEN_ADDRESS"),
        (fails(KeyError("what nobody has foreseen")), "INTERNAL_ERROR"),
    ],
)
def test_no_answer_leads_to_else(answer, error):
    bench = Bench()
    bench.answer = answer
    bench.hear("key", 2, "1")
    assert bench.look_up()[:3] == (2, "", error)
    assert bench.hear("next", 2) == (Op.ASK, 3, 2)


def test_more_lookups_of_a_receiver_than_may_be_in_flight_lead_to_else():
    bench = Bench()
    bench.free = False
    bench.hear("key", 2, "1")
    assert bench.look_up()[:3] == (2, "", "NO_TURN")
    assert bench.requests == []


def test_the_callee_waits_no_longer_than_the_time_and_one_prompt_though_nobody_decides():
    bench = Bench()
    assert bench.hear("key", 2, "1") == (Op.WAIT, 2, None)
    waited = []
    while (told := bench.hear("next", 2))[0] is Op.WAIT:
        waited.append(bench.clock.now_msec() - NOW)
        bench.clock.sleep(0.7)  # the sound
    assert told == (Op.ASK, 3, 2)
    assert bench.clock.now_msec() - NOW <= LOOKUP.timeout_msec + 700
    assert bench.call.log[1].decided.error == "TIMEOUT"
    # The function that comes later is told the same, and asks nobody
    assert bench.look_up()[:3] == (2, "", "TIMEOUT")
    assert bench.requests == []


def test_an_answer_that_comes_too_late_changes_nothing():
    bench = Bench()
    bench.hear("key", 2, "1")

    def late(seconds):
        bench.clock.sleep(seconds)
        assert bench.hear("next", 2) == (Op.ASK, 3, 2)  # the telephony's own decision
        return 200, PAID

    bench.answer = late
    assert bench.look_up()[:3] == (2, "", "TIMEOUT")
    bench.machine(2, menu=2)
    assert bench.call.command == Command(Kind.ASK, 2)


def test_silence_may_lead_to_a_lookup_with_its_own_time():
    bench = Bench()
    assert bench.hear("idle", 2) == (Op.WAIT, 2, None)
    bench.clock.sleep(1.0)
    assert bench.hear("next", 2) == (Op.ASK, 3, 1)


def test_a_lookup_that_leads_beyond_the_bounds_of_the_call_ends_it():
    bench = Bench(bounds=Bounds(1, 900))
    bench.hear("key", 2, "1")
    assert bench.look_up().menu == 1
    assert bench.call.log[1].then == Then(ThenKind.END, reason="limit")
    assert bench.hear("next", 2) == (Op.HOLD, 2, None)
    bench.machine(2, menu=1)
    assert bench.engine.answers["token-2"]["event"] == "limit"
    assert bench.call.stop_reason == "limit"


def test_silence_that_a_lookup_leads_back_ends_too():
    again = Lookup("https://shop.example/quiet", {"again": 0}, 0, 1000)
    bench = Bench((Menu("intro", 5000, {"silence": (again,)}),))
    heard = []
    for seq in range(2, 9):
        heard.append(bench.hear("idle", seq))
        bench.clock.sleep(1)
        told = bench.hear("next", seq)
        if told[0] is not Op.ASK:
            break
        bench.machine(seq, menu=0)
    assert len(heard) == 3  # asked once, and twice again
    assert bench.call.log[-1].then.reason == "silence"
    walked = walk((Menu("", 1, {"silence": (again,)}),), [Behaviour("idle", case="again")] * 9)
    assert (len(walked.menus), walked.silence, walked.end) == (3, True, End.COMPLETED)


def test_of_a_callee_who_has_hung_up_no_receiver_is_asked():
    bench = Bench()
    bench.hear("key", 2, "1")
    bench.calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW + 1)
    assert bench.look_up().menu == 2
    assert bench.requests == []
    assert bench.call.log[1].decided is None
    bench.machine(2, menu=2)
    assert bench.engine.answers["token-2"]["event"] == "ended"


def test_what_was_decided_before_the_callee_hung_up_is_what_the_machine_is_told():
    bench = Bench()
    bench.hear("key", 2, "1")
    bench.look_up()
    bench.hear("key", 3, "1")
    bench.calls.end(MID, 1, Cause.CALLER_HUNG_UP, NOW + 1)
    # The function had died behind its decision, and is tried again
    assert bench.look_up()[:2] == (1, "paid")
    bench.machine(2, menu=1)
    assert bench.engine.answers["token-2"]["event"] == "key"


@pytest.mark.parametrize("dies_at", ["get", "take", "ask", "give_back", "decide", "decided"])
def test_a_function_that_dies_anywhere_asks_once_more_at_most_and_the_call_takes_one_way(dies_at):
    bench = Bench()
    bench.hear("key", 2, "1")
    answers = iter([(200, PAID), (200, b'{"case":"open"}')])
    bench.answer = lambda _seconds: next(answers)
    first = bench.asking()

    class Dying:
        def __init__(self, inner):
            self._inner = inner

        def __getattr__(self, name):
            if name == dies_at:
                raise SystemExit
            if name == "decide" and dies_at == "decided":
                return self._after
            return getattr(self._inner, name)

        def _after(self, *given):
            self._inner.decide(*given)
            raise SystemExit

    ask = first.ask

    def dying_ask(*given):
        ask(*given)
        if dies_at == "ask":
            raise SystemExit
        return 200, PAID

    dying = Asking(
        Dying(first.calls), first.messages, Dying(first.places), dying_ask, first.sign, first.clock, unsealed
    )
    with pytest.raises(SystemExit):
        dying.look_up(QUESTION)
    led = bench.look_up()
    ids = [dict(request.headers)["webhook-id"] for request, _, _ in bench.requests]
    assert len(ids) in (1, 2)
    assert len(set(ids)) == 1
    assert bench.hear("next", 2) == (Op.ASK, 3, led.menu)
    assert bench.look_up().menu == led.menu
    if dies_at == "decided":
        assert (len(ids), led.case) == (1, "paid")


def test_where_the_function_could_not_run_the_machine_asks_what_was_decided():
    bench = Bench()
    bench.hear("key", 2, "1")
    bench.look_up()
    assert conclude_lookup(bench.call, 2, 2, calls=bench.calls, now_msec=NOW) == 1
    other = Bench()
    other.hear("key", 2, "1")
    assert conclude_lookup(other.call, 2, 2, calls=other.calls, now_msec=NOW) == 2
    assert other.call.log[1].decided.error == "INTERNAL_ERROR"
    assert other.hear("next", 2) == (Op.ASK, 3, 2)


def test_a_store_that_cannot_be_read_lets_the_machine_try_again():
    bench = Bench()
    bench.hear("key", 2, "1")

    class Away:
        def get(self, _mid, _attempt):
            raise StoreUnavailable("away")

    asking = bench.asking()
    no_store: Any = Away()
    away = Asking(no_store, asking.messages, asking.places, asking.ask, asking.sign, asking.clock, unsealed)
    with pytest.raises(StoreUnavailable):
        away.look_up(QUESTION)
    with pytest.raises(LookupError):
        lookup_at(MENUS, 1, "wrong", 0)


# ------------------------------------------------------------------- stored forms
def test_a_lookup_is_stored_with_all_that_was_sent():
    assert load_menus(dump_menus(MENUS)) == MENUS


def test_the_path_of_a_lookup_is_one_that_a_release_before_can_read():
    assert table_of(MENUS)[0] == {"d1": "wait", "idle": "wait", "other": "end", "wrong": "wait"}
    waits = waits_of(MENUS)
    assert (waits[0]["d1"], waits[0]["idle"], waits[1]) == ((2000, 2), (1000, 1), {})
    assert waits_of((Menu("intro", 1, {"d1": (Hangup(),)}),)) == ()


def test_a_call_with_a_decision_comes_back_and_one_without_is_as_before():
    bench = Bench()
    bench.hear("key", 2, "1")
    bench.look_up()
    call = bench.call
    item = dump_call(call) | {"log_entries": [], "log_seq": 0}
    assert load_call(item).plan == call.plan
    assert SECRET not in json.dumps(item, default=str)
    assert json.loads(dump_decided(call.log[1].decided)) == {
        "seq": 2,
        "case": "paid",
        "target": 1,
        "at": NOW,
        "then": "ask",
        "to": 1,
    }
    plain = plan_of(replace(MESSAGE, menus=(Menu("intro", 1, {}),)), Bounds(50, 900), NOW)
    assert "waits" not in json.loads(dump_call(CALL._replace(plan=plain))["plan"])


def test_a_case_is_a_name_and_nothing_else():
    assert case_in(200, PAID, ["paid"]) == ("paid", "")
    assert case_in(200, b'{"case":""}', ["paid"]) == ("", "UNKNOWN_CASE")


# ------------------------------------------------------------- what is said, and where
def test_nothing_of_the_request_is_in_the_machine_in_its_input_or_in_what_is_signed():
    wiring = Wiring("arn:c", "arn:f", "https://q", ask_receiver_arn="arn:a")
    told = json.dumps([compile_flow(MENUS, wiring), execution_input(replace(MESSAGE, menus=MENUS), 1)])
    for secret in (SECRET, "shop.example", "4711", "paid"):
        assert secret not in told
    written = written_menus(MENUS)[0]["dtmfActions"]["d1"][0]
    assert written["headers"] == {"Authorization": "(hidden)"}
    assert (written["cases"], written["else"], written["timeoutMsec"]) == ({"paid": 1, "open": 0}, 2, 2000)


def test_a_lookup_is_a_shape_by_the_menus_that_it_may_lead_to():
    same = replace(LOOKUP, url="https://other.example/", cases={"yes": 0, "si": 1, "oui": 1}, timeout_msec=5000)
    other = replace(LOOKUP, otherwise=1)

    def shape(lookup):
        return shape_of((MENUS[0]._replace(actions={"d1": (lookup,)}), *MENUS[1:]))

    assert shape(LOOKUP) == shape(same) != shape(other)


def test_a_lookup_is_drawn_and_explained_without_more_of_its_url_than_the_host():
    drawn = draw(MENUS)
    assert '{{"asks shop.example"}}' in drawn
    assert '-- "paid" --> m1' in drawn
    assert '-- "else" --> m2' in drawn
    told = explain(MENUS, {})
    assert 'shop.example is asked, for 2 s at most: menu 1 follows if it says "paid"' in told
    assert "else menu 2" in told
    assert "lookup" not in drawn + told


def test_the_telephonies_play_a_sound_while_a_receiver_is_asked():
    bench = Bench()
    step = follow_call(
        Report(MID, 1, "contact-1", Heard("key", 2, "1")), calls=bench.calls, engine=bench.engine, clock=bench.clock
    )
    answer = connect.render_next(step)
    assert (answer["op"], answer["seq"], answer["seconds"]) == ("hold", "2", "1")
    where = ASK.prompt_uri.partition("//")[2].partition("/")[0]
    assert answer["promptUri"] == f"https://{where}/{connect.WAIT_KEY}"
    asked = Asks(Report(MID, 1, "contact-1", Heard("key", 2, "1")))
    pause, sound = chime.render_next(step, asked)["Actions"]
    assert (pause["Type"], sound["Type"]) == ("Pause", "PlayAudio")
    assert sound["Parameters"]["AudioSource"]["Key"] == chime.WAIT_KEY
    assert chime.render_next(step, asked)["TransactionAttributes"]["doing"] == "hold"


def test_a_promise_holds_only_if_it_holds_in_every_case():
    promises, problems = read_promises(
        [
            {"always": {"key": "d1", "in": 0, "leadsTo": {"menu": 1}}},
            {"always": {"menus": "<= 9"}},
            {"never": {"webhook": "*/lookup"}},
            {"always": {"callSeconds": "<= 12"}},
        ]
    )
    assert problems == []
    hangs_up = (MENUS[0]._replace(actions={"d1": (LOOKUP,)}), *MENUS[1:])
    seconds = {"intro": 0.0}
    leads, few, none, short = (prove(hangs_up, one.rule, AS_DEPLOYED, seconds) for one in promises)
    assert (leads.result, few.result) == (Result.BROKEN, Result.BROKEN)
    assert leads.broken.steps[-1].case == "open"
    assert {step.case for step in few.broken.steps[:-1]} == {"open"}  # which leads back to menu 0
    assert none.result is Result.PROVED  # a lookup is no webhook
    # The longest way to menu 2: 5 s for a key, 2 s for the lookup and one for the sound, and 5 s of silence there
    assert short.result is Result.BROKEN
    assert short.broken.msec == 13_000


def test_a_lookup_of_shared_menus_has_names_in_its_path_and_in_its_body_and_nowhere_else():
    asked = {"action": "lookup", "url": "https://shop.example/{{order}}", "body": {"order": "{{order}}"}}
    whole = {**asked, "headers": {"X-Shop": "7"}, "cases": {"paid": 0}, "else": 0}
    template, problems = read_template([{"dtmfActions": {"d1": [whole]}}], "menus")
    assert problems == []
    ((filled,),) = template.filled({"order": "a/b"})[0]["dtmfActions"].values()
    assert (filled["url"], filled["body"]) == ("https://shop.example/a%2Fb", {"order": "a/b"})
    for wrong in ({"headers": {"X-Shop": "{{order}}"}}, {"cases": {"{{order}}": 0}}, {"else": "{{order}}"}):
        _, problems = read_template([{"dtmfActions": {"d1": [{**whole, **wrong}]}}], "menus")
        assert [problem.code for problem in problems] == ["INVALID_MENU"]
