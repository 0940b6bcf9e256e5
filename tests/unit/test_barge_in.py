"""A menu that takes no key during its introduction: what is kept, what telephonies are told, and what it means."""

from typing import Any

import pytest

from speechcall.calls.rules.call import Command, Kind
from speechcall.calls.use_cases.report import Heard, Next, Op, Report
from speechcall.menus.adapters.ask_items import dump_ask, load_ask
from speechcall.menus.rules.ask import Ask, Input
from speechcall.menus.rules.call_space import keys_msec
from speechcall.menus.rules.compare_menus import Kind as Differs
from speechcall.menus.rules.compare_menus import compare
from speechcall.menus.rules.difference_words import tell
from speechcall.menus.rules.menu import GotoMenu, Hangup, Menu, Repeat, Webhook, dump_menus, load_menus
from speechcall.menus.rules.menu_picture import draw, explain
from speechcall.menus.rules.promise import NeverSent, Pattern
from speechcall.menus.rules.prove import Result, prove
from speechcall.menus.rules.shape import shape_of
from speechcall.menus.rules.walk import AS_DEPLOYED
from speechcall.menus.rules.written_menus import written_menus
from speechcall.requests.use_cases.read_messages import check_message, to_menus
from speechcall.telephony.chime.actions import SILENCE_KEY, listen_now
from speechcall.telephony.chime.actions import render_next as chime_answer
from speechcall.telephony.chime.conversation import GO_ON, Asks, Listens, parse_event
from speechcall.telephony.connect import conversation as connect
from tests.kit.samples import CALL, MID

BUCKET = "https://prompts.s3.eu-central-1.amazonaws.com"
WHOLE = Ask(f"{BUCKET}/a.wav", 2.0, 8, 60, barge_in=False)
REPORT = Report(MID, 1, "contact-1", Heard("answered", 0))
FREE = (Menu("intro", 3000, {"d1": (Hangup(),)}),)
HEARD_OUT = (FREE[0]._replace(barge_in=False),)


def menus_of(**more: Any) -> tuple[Menu, ...]:
    menu = {"introUrl": "welcome", "dtmfActions": {"d1": [{"action": "hangup"}]}, **more}
    given = {"from": "Shop", "to": "+380936670003", "text": "ivr", "type": "speechcall", "menu": [menu]}
    model, problems = check_message(given, "messages[0]")
    assert model, problems
    return to_menus(model)


def test_it_is_kept_and_written_as_it_was_given():
    menus = menus_of(bargeIn=False)
    assert not menus[0].barge_in
    assert load_menus(dump_menus(menus)) == menus
    assert written_menus(menus)[0]["bargeIn"] is False
    assert shape_of(menus) == shape_of(menus_of()), "the state machine is the same"


def test_what_says_nothing_of_it_is_as_ever():
    assert menus_of(bargeIn=True) == menus_of()
    assert "barge" not in dump_menus(menus_of())
    assert "bargeIn" not in written_menus(menus_of())[0]
    assert load_ask(dump_ask(WHOLE)) == WHOLE
    assert "barge_in" not in dump_ask(WHOLE._replace(barge_in=True))


def test_a_comparison_the_picture_and_the_words_tell_it():
    (found,) = compare(FREE, HEARD_OUT, AS_DEPLOYED).differences
    assert found.kind is Differs.PLAYED
    assert tell(found, FREE, HEARD_OUT).endswith("plays intro, taking no key meanwhile, and waits 3 s")
    assert compare(HEARD_OUT, HEARD_OUT, AS_DEPLOYED).differences == ()
    assert "intro (no key before its end), 3 s" in draw(HEARD_OUT)
    assert "A key that is pressed before is not taken." in explain(HEARD_OUT, {})
    assert "not taken" not in explain(FREE, {})


def test_a_key_comes_behind_the_introduction_at_the_soonest():
    assert keys_msec(FREE, {}) == [(0, 0)]
    assert keys_msec(HEARD_OUT, {"intro": 4.0}) == [(4000, 4000)]
    assert keys_msec(HEARD_OUT, {}) == [(0, 300_000)]
    assert keys_msec((HEARD_OUT[0]._replace(repeat=Repeat(2, "again")),), {"intro": 4.0, "again": 1.0}) == [
        (4000, 4000)
    ]


def test_a_menu_that_keys_cannot_reach_in_time_is_never_asked():
    told = Webhook("https://api.example.com/told")
    steps = [(GotoMenu(1),), (GotoMenu(2),), (told, Hangup())]
    free = tuple(Menu("intro", 3000, {"d1": one}) for one in steps)
    heard_out = tuple(one._replace(barge_in=False) for one in free)
    never, limits = NeverSent(Pattern(told.url)), AS_DEPLOYED._replace(seconds=12)

    def result(menus: tuple[Menu, ...], seconds: float) -> Result:
        return prove(menus, never, limits, {"intro": seconds}).result

    assert result(free, 6.0) is Result.BROKEN
    assert result(heard_out, 6.0) is Result.PROVED
    assert result(heard_out, 5.9) is Result.BROKEN
    assert prove(heard_out, never, limits, {}).result is Result.UNDECIDED


def step_of(ask: Ask, repeat: int = 0) -> Next:
    call = CALL._replace(asks=(ask,))
    return Next(Op.ASK, 5, Command(Kind.ASK, 0), call, repeat=repeat)


def test_a_contact_flow_is_told_to_play_first_and_then_to_listen_over_silence():
    told = connect.render_next(step_of(WHOLE))
    assert (told["op"], told["promptUri"], told["seconds"]) == ("ask", WHOLE.prompt_uri, "8")
    assert (told["bargeIn"], told["silenceUri"]) == ("false", f"{BUCKET}/{connect.SILENCE_KEY}")
    free = connect.render_next(step_of(WHOLE._replace(barge_in=True)))
    assert (free["bargeIn"], free["silenceUri"]) == ("true", connect.NO_PROMPT)
    assert set(free) == set(told)


def event(kind: str, action: str, attributes: dict[str, str], **data: Any) -> dict[str, Any]:
    details = {"TransactionId": "contact-1", "TransactionAttributes": attributes}
    told = {"ActionData": {"Type": action, **data}, "CallDetails": details}
    return {"SchemaVersion": "1.0", "Sequence": 9, "InvocationEventType": kind, **told}


def test_a_media_application_plays_first_and_hears_no_key_until_it_is_over():
    first = chime_answer(step_of(WHOLE, repeat=2), Asks(REPORT))
    (sound,) = first["Actions"]
    assert (sound["Type"], sound["Parameters"]["PlaybackTerminators"]) == ("PlayAudio", [])
    attributes = first["TransactionAttributes"]
    early = event("DIGITS_RECEIVED", "ReceiveDigits", attributes, ReceivedDigits="1")
    assert parse_event(early) == GO_ON
    over = parse_event(event("ACTION_SUCCESSFUL", "PlayAudio", attributes))
    assert isinstance(over, Listens)
    then = listen_now(over)
    assert [one["Type"] for one in then["Actions"]] == ["ReceiveDigits", *["Pause"] * 8]
    assert sum(one["Parameters"].get("DurationInMilliseconds", 0) for one in then["Actions"]) == 8000
    key = parse_event(event("DIGITS_RECEIVED", "ReceiveDigits", then["TransactionAttributes"], ReceivedDigits="1"))
    assert isinstance(key, Asks)
    assert (key.report.heard.event, key.report.heard.seq, key.report.heard.key) == ("key", 5, "1")
    idle = parse_event(event("ACTION_SUCCESSFUL", "Pause", then["TransactionAttributes"]))
    assert isinstance(idle, Asks)
    assert (idle.report.heard.event, idle.report.heard.seq, idle.report.heard.repeat) == ("idle", 5, 2)


def test_a_media_application_gathers_digits_behind_the_introduction():
    first = chime_answer(step_of(WHOLE._replace(input=Input(2, 4, "*", 2500))), Asks(REPORT))
    over = parse_event(event("ACTION_SUCCESSFUL", "PlayAudio", first["TransactionAttributes"]))
    assert isinstance(over, Listens)
    (gather,) = listen_now(over)["Actions"]
    asked = gather["Parameters"]
    assert (gather["Type"], asked["AudioSource"]["Key"]) == ("PlayAudioAndGetDigits", SILENCE_KEY)
    assert (asked["MaxNumberOfDigits"], asked["TerminatorDigits"]) == (4, ["*"])
    assert (asked["InBetweenDigitsDurationInMilliseconds"], asked["RepeatDurationInMilliseconds"]) == (3000, 8000)
    assert listen_now(over)["TransactionAttributes"]["doing"] == "input"


@pytest.mark.parametrize("kind", ["ACTION_FAILED", "CALL_UPDATE_REQUESTED"])
def test_a_media_application_that_cannot_play_it_says_so(kind):
    first = chime_answer(step_of(WHOLE), Asks(REPORT))
    told = parse_event(event(kind, "PlayAudio", first["TransactionAttributes"], ErrorType="InvalidAudioSource"))
    assert isinstance(told, Asks)
    assert told.report.heard.event == {"ACTION_FAILED": "prompt_error"}.get(kind, "next")


def test_a_menu_that_could_not_begin_to_listen_is_not_introduced_again():
    again = chime_answer(step_of(WHOLE), Asks(REPORT, deaf=1))
    assert [one["Type"] for one in again["Actions"]] == ["ReceiveDigits", *["Pause"] * 8]
    deaf = chime_answer(step_of(WHOLE), Asks(REPORT, deaf=2))
    assert [one["Type"] for one in deaf["Actions"]] == ["Pause"] * 8
