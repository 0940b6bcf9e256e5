"""A menu that is asked again in silence: what a request may say, what telephonies are told, and what it means."""

from typing import Any

import pytest

from speechcall.calls.rules.call import Call
from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.calls.use_cases.report import Heard, Next, Op, Report, parse_question, question
from speechcall.menus.adapters.ask_items import dump_ask, load_ask
from speechcall.menus.rules.ask import Ask
from speechcall.menus.rules.call_log import ANSWERED, IDLE, KEY, Plan
from speechcall.menus.rules.call_space import waits_msec
from speechcall.menus.rules.compare_menus import Kind as Differs
from speechcall.menus.rules.compare_menus import compare
from speechcall.menus.rules.introduction import introductions, seconds_of_parts
from speechcall.menus.rules.menu import Hangup, Menu, Repeat, dump_menus, load_menus
from speechcall.menus.rules.menu_picture import draw, explain
from speechcall.menus.rules.menu_report import call_bounds
from speechcall.menus.rules.promise import AlwaysSeconds
from speechcall.menus.rules.prove import Result, prove
from speechcall.menus.rules.shape import shape_of
from speechcall.menus.rules.walk import AS_DEPLOYED
from speechcall.menus.rules.written_menus import written_menus
from speechcall.rehearsal.adapters.memory_stores import MemoryCalls
from speechcall.requests.use_cases.read_messages import check_message, to_menus
from speechcall.telephony.chime.actions import render_next as chime_answer
from speechcall.telephony.chime.conversation import Asks, parse_event
from speechcall.telephony.connect.conversation import parse_report
from speechcall.telephony.connect.conversation import render_next as connect_answer
from speechcall.telephony.simulated.moments import Moment, What, dump, parse
from tests.kit.samples import ASK, CALL, MESSAGE, MID, NOW, FakeClock, FakeEngine

HANGUP = {"action": "hangup"}
GIVEN = {"from": "Shop", "to": "+380936670003", "text": "ivr", "type": "speechcall"}
SAY = {"text": "Once more.", "language": "en-GB"}
PLAY = [{"spell": "12", "recordings": "uk_"}, {"pauseMsec": 500}]


def entry(repeat: Any) -> dict[str, Any]:
    menu = {"introUrl": "welcome", "dtmfActions": {"d1": [HANGUP], "silence": [HANGUP]}, "repeat": repeat}
    return {**GIVEN, "menu": [menu]}


def menus_of(repeat: Any) -> tuple[Menu, ...]:
    model, problems = check_message(entry(repeat), "messages[0]")
    assert model, problems
    return to_menus(model)


# ------------------------------------------------------------------ what a request may say
@pytest.mark.parametrize(
    "repeat",
    [{"times": 1}, {"times": 5, "introUrl": "again"}, {"times": 2, "say": SAY}, {"times": 2, "play": PLAY}, None],
)
def test_a_repeat_is_kept_and_written_as_it_was_given(repeat):
    menus = menus_of(repeat)
    assert load_menus(dump_menus(menus)) == menus
    assert menus_of(written_menus(menus)[0].get("repeat")) == menus
    assert shape_of(menus) == shape_of(menus_of(None))


@pytest.mark.parametrize(
    ("repeat", "path", "says"),
    [
        ({"times": 0}, "repeat.times", "1 to 5"),
        ({"times": 6}, "repeat.times", "1 to 5"),
        ({"times": "2"}, "repeat.times", "1 to 5"),
        ({}, "repeat.times", "is required"),
        (2, "repeat", "an object such as"),
        ({"times": 2, "introUrl": "a", "say": SAY}, "repeat", "at most one of"),
        ({"times": 2, "introUrl": "a b"}, "repeat.introUrl", "an identifier"),
        ({"times": 2, "introUrl": "https://10.0.0.1/"}, "repeat.introUrl", "not a public address"),
        ({"times": 2, "say": SAY | {"text": ""}}, "repeat.say.text", "1 to 1500"),
        ({"times": 2, "say": SAY | {"ssml": 1}}, "repeat.say.ssml", "a say has"),
        ({"times": 2, "play": []}, "repeat.play", "1 to 20 parts"),
        ({"times": 2, "play": [{"pauseMsec": 0}]}, "repeat.play[0].pauseMsec", "1 to 10000"),
        ({"times": 2, "play": [{"audio": "a", "loud": 1}]}, "repeat.play[0].loud", "a part has"),
        ({"time": 2}, "repeat.time", "did you mean times"),
        ({"times": 2, "pause": 2}, "repeat.pause", "a repeat has times"),
    ],
)
def test_what_is_wrong_with_a_repeat_is_told_at_its_place(repeat, path, says):
    _, problems = check_message(entry(repeat), "messages[0]")
    found = {problem.path: problem.message for problem in problems}
    assert says in found[f"messages[0].menu[0].{path}"]


def test_what_a_repeat_plays_is_made_ready_with_the_rest():
    first = Menu("intro", 1000, {}, repeat=Repeat(1))
    (second,) = menus_of({"times": 2, "play": PLAY})
    names = [one.name for one in introductions((first, second))]
    assert names == ["intro", "welcome", "uk_1", "uk_2", second.repeat.intro if second.repeat else ""]
    assert [*seconds_of_parts((second,), {"uk_1": 1.0, "uk_2": 2.0}).values()] == [3.5]


# ------------------------------------------------------------------ what it means
ONCE = (Menu("intro", 3000, {"silence": (Hangup(),)}),)
MORE = (ONCE[0]._replace(repeat=Repeat(2, "again")),)


def test_silence_lasts_longer_and_nothing_else_differs():
    assert waits_msec(MORE, {"intro": 2.0, "again": 1.0}) == [(5000 + 2 * 4000, 5000 + 2 * 4000)]
    assert waits_msec(MORE, {"intro": 2.0}) == [(5000 + 2 * 3000, 5000 + 2 * 303_000)]
    once, more = (call_bounds(menus, {"intro": 2.0, "again": 1.0}) for menus in (ONCE, MORE))
    assert (more.shortest_menus, more.longest_menus, more.longest_seconds) == (1, 1, 13)
    assert (once.shortest_menus, once.longest_menus, once.longest_seconds) == (1, 1, 5)


def test_a_promise_about_time_counts_repeats_as_long_as_a_menu_may_begin():
    lengths = {"intro": 2.0, "again": 1.0}

    def result(most: int, limit: int) -> tuple[Result, int]:
        verdict = prove(MORE, AlwaysSeconds(most), AS_DEPLOYED._replace(seconds=limit), lengths)
        return verdict.result, verdict.broken.msec if verdict.broken else 0

    assert result(13, 900) == (Result.PROVED, 0)
    assert result(12, 900) == (Result.BROKEN, 13_000)
    assert result(9, 6) == (Result.PROVED, 0), "asked again at 5 s, and not at 9 s"
    assert result(8, 6) == (Result.BROKEN, 9_000)
    assert result(5, 5) == (Result.PROVED, 0)


def test_a_comparison_tells_repeats_and_what_they_play():
    assert compare(MORE, MORE, AS_DEPLOYED).differences == ()
    own = (ONCE[0]._replace(repeat=Repeat(2)),)
    assert compare(own, (ONCE[0]._replace(repeat=Repeat(2, "intro")),), AS_DEPLOYED).differences == ()
    assert compare(MORE, (MORE[0]._replace(repeat=Repeat(2, "new")),), AS_DEPLOYED, renamed={"again": "new"}) == (
        compare(MORE, MORE, AS_DEPLOYED)
    )
    for other in (ONCE, own, (ONCE[0]._replace(repeat=Repeat(1, "again")),)):
        assert [one.kind for one in compare(MORE, other, AS_DEPLOYED).differences] == [Differs.PLAYED]


def test_the_picture_and_the_words_tell_it():
    assert "intro, 3 s, 3 times" in draw(MORE)
    assert "Without a key in time this is asked up to 2 times more, with again." in explain(MORE, {})
    assert "is asked once more." in explain((ONCE[0]._replace(repeat=Repeat(1)),), {})


# ------------------------------------------------------------------ what a telephony is told
ASKED = Ask("s3:intro", 2.0, 3, 60, repeats=2, repeat_uri="s3:again", repeat_seconds=1.0)


def test_a_question_is_carried_with_its_repeat():
    assert [question(5, 0), question(5, 2)] == ["5", "5.2"]
    assert [parse_question("5"), parse_question("5.2")] == [(5, 0), (5, 2)]
    for wrong in ("", "x", "5.x"):
        with pytest.raises(ValueError, match="invalid literal"):
            parse_question(wrong)


class Bench:
    """A call that keeps a log and is asked its first menu, whose second one is not repeated."""

    def __init__(self) -> None:
        self.calls, self.engine, self.clock = MemoryCalls(), FakeEngine(), FakeClock()
        plan = Plan(({"d1": 1, "wrong": "end"}, {"wrong": 0}), 50, NOW + 900_000)
        self.calls.open(CALL._replace(asks=(ASKED, ASK), plan=plan), MESSAGE.expires_at)
        self.hear(ANSWERED)

    def hear(self, event: str, seq: int = 0, repeat: int = 0, key: str = "", turn: int = 0) -> Next:
        report = Report(MID, 1, "contact-1", Heard(event, seq, key, repeat=repeat), turn)
        ports: Any = {"calls": self.calls, "engine": self.engine, "clock": self.clock}
        return follow_call(report, **ports)

    @property
    def call(self) -> Call:
        found = self.calls.get(MID, 1)
        assert found
        return found


def told(step: Next) -> tuple[str, int, int, str]:
    return step.op, step.seq, step.repeat, step.ask.prompt_uri if step.op is Op.ASK else ""


def test_silence_is_asked_again_as_often_as_the_menu_says_and_only_then_heard():
    bench = Bench()
    assert told(bench.hear("next", 1)) == ("ask", 2, 0, "s3:intro")
    assert told(bench.hear(IDLE, 2)) == ("ask", 2, 1, "s3:again")
    assert told(bench.hear(IDLE, 2)) == ("ask", 2, 1, "s3:again"), "a report that comes twice is told the same"
    assert told(bench.hear(IDLE, 2, 1)) == ("ask", 2, 2, "s3:again")
    assert bench.call.log_seq == 1
    assert told(bench.hear(IDLE, 2, 2))[:2] == ("hold", 2)
    assert [step.heard for step in bench.call.path] == ["idle"]


def test_a_key_in_a_repeat_answers_the_question_and_a_late_silence_changes_nothing():
    bench = Bench()
    bench.hear(IDLE, 2)
    assert told(bench.hear(KEY, 2, 1, "1")) == ("ask", 3, 0, ASK.prompt_uri)
    assert told(bench.hear(IDLE, 2, 1)) == ("ask", 3, 0, ASK.prompt_uri)
    assert [step.heard for step in bench.call.path] == ["d1"]
    assert bench.hear(IDLE, 3).seq == 4, "the second menu is not repeated"


def test_a_key_without_a_list_is_no_silence():
    bench = Bench()
    assert bench.hear(KEY, 2, 0, "9").op is Op.HOLD
    assert [step.heard for step in bench.call.path] == ["d9"]


def test_nothing_is_repeated_once_no_menu_may_begin_any_more():
    bench = Bench()
    bench.clock.msec += 900_001
    assert bench.hear(IDLE, 2).op is Op.HOLD
    assert [step.heard for step in bench.call.path] == ["idle"]


def test_an_event_that_a_later_one_has_overtaken_asks_nothing():
    bench = Bench()
    assert told(bench.hear(IDLE, 2, turn=5)) == ("ask", 2, 1, "s3:again")
    assert bench.hear(IDLE, 2, turn=4).op is Op.GO_ON


def test_the_flow_and_the_media_application_carry_the_repeat_and_bring_it_back():
    again = Bench().hear(IDLE, 2, 1)
    answer = connect_answer(again)
    others = {"maxDigits": "1", "interDigitSeconds": "3", "endKey": "#", "bargeIn": "true", "silenceUri": "none"}
    assert answer == {"op": "ask", "seq": "2.2", "promptUri": "s3:again", "seconds": "3", **others}
    contact = {"ContactId": "contact-1", "Attributes": {"mid": MID, "attempt": "1"}}
    event = {"Details": {"ContactData": contact, "Parameters": {"event": "idle", "seq": answer["seq"]}}}
    report = parse_report(event)
    assert report
    assert (report.heard.seq, report.heard.repeat) == (2, 2)
    made = chime_answer(again._replace(call=_with_uri(again)), Asks(report))
    assert made["TransactionAttributes"]["seq"] == "2.2"
    assert [one["Parameters"]["AudioSource"]["Key"] for one in made["Actions"] if one["Type"] == "PlayAudio"] == [
        "a.wav"
    ]
    silent = {
        "SchemaVersion": "1.0",
        "Sequence": 9,
        "InvocationEventType": "ACTION_SUCCESSFUL",
        "ActionData": {"Type": "Pause"},
        "CallDetails": {"TransactionId": "contact-1", "TransactionAttributes": made["TransactionAttributes"]},
    }
    heard = parse_event(silent)
    assert isinstance(heard, Asks)
    assert (heard.report.heard.event, heard.report.heard.seq, heard.report.heard.repeat) == ("idle", 2, 2)


def _with_uri(step: Next) -> Call:
    assert step.call
    uri = "https://prompts.s3.eu-central-1.amazonaws.com/a.wav"
    return step.call._replace(asks=(ASKED._replace(repeat_uri=uri), ASK))


def test_what_a_call_has_of_a_repeated_menu_is_kept_and_older_items_have_none():
    assert load_ask(dump_ask(ASKED)) == ASKED
    assert "repeats" not in dump_ask(ASK)
    assert load_ask(dump_ask(ASK)) == ASK
    moment = Moment("227633266688000001", 1, What.HEARS, event=IDLE, seq=2, repeat=2)
    assert parse(dump(moment)) == moment
    assert parse(dump(moment._replace(repeat=0))).repeat == 0
    assert '"repeat"' not in dump(moment._replace(repeat=0))
