"""The SIP media application of calls back: what each event is answered, and that none is answered by silence."""

import json
import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local.cloud.event_files import EVENTS
from local.network.chime.actions import parameter_problem, read_answer
from speechcall.callbacks.rules.call_back import NOBODY, NOT_NOW, NOT_STORED, WITHHELD
from speechcall.optouts.rules.opt_out import By
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.telephony.chime.call_backs import PAUSE_SECONDS, ChimeCallBacks
from tests.kit import call_back_desk
from tests.kit.call_back_desk import AUDIO, HER, HIS, OURS, settle

GO_ON = {"SchemaVersion": "1.0"}
ASKED = {"mid": "8", "doing": "ask", "plays": "1"}


@pytest.fixture
def desk():
    return call_back_desk.desk()


class Logger:
    """Powertools' takes fields by name."""

    def __init__(self):
        self.lines = []

    def warning(self, text, *values, **_fields):
        self.lines.append(text % values)

    exception = warning


@pytest.fixture
def logger():
    return Logger()


@pytest.fixture
def answer(desk, logger):
    """The answer to an event; each is one that the service would take."""

    def ask(kind="NEW_INBOUND_CALL", *, caller=HER, attributes=None, status=None, **data):
        leg = {"CallId": "leg-1", "ParticipantTag": "LEG-A", "From": caller, "To": OURS, "Direction": "Inbound"}
        details = {"TransactionId": "t", "Participants": [leg | ({"Status": status} if status else {})]}
        if attributes:
            details["TransactionAttributes"] = attributes
        event = {"SchemaVersion": "1.0", "Sequence": 1, "InvocationEventType": kind, "CallDetails": details}
        return taken(ChimeCallBacks(desk, logger).answer(event | ({"ActionData": data} if data else {})))

    return ask


def taken(answer):
    """The answer, if the service takes it and each of its actions."""
    problems = [parameter_problem(one) for one in read_answer(answer).actions or ()]
    assert not any(problems), problems
    return answer


def kinds(answer):
    return [action["Type"] for action in answer.get("Actions", [])]


def said(answer):
    (action,) = (one for one in answer["Actions"] if one["Type"] in {"Speak", "PlayAudio"})
    return action["Parameters"].get("Text") or action["Parameters"]["AudioSource"]["Key"]


def test_who_calls_back_is_listened_to_and_told_who_it_was(answer):
    given = answer()
    assert kinds(given) == ["ReceiveDigits", "Speak", *["Pause"] * 8]
    assert "Shop" in said(given)
    assert given["TransactionAttributes"] == ASKED
    voice = given["Actions"][1]["Parameters"]
    assert [voice[name] for name in ("CallId", "Engine", "LanguageCode", "VoiceId", "TextType")] == [
        *("leg-1", "neural", "en-US", "Joanna", "text"),
    ]


@pytest.mark.parametrize("digits", ["9", "99", "19", "9#"])
def test_9_is_stored_before_it_is_confirmed(answer, desk, digits):
    given = answer("DIGITS_RECEIVED", attributes=ASKED, Type="ReceiveDigits", ReceivedDigits=digits)
    assert kinds(given) == ["Speak", "Hangup"]
    assert "Shop will not call you again" in said(given)
    ((key, stored),) = desk.opt_outs.found.items()
    assert (key[0], stored.by, stored.mid) == ("acme", By.CALL_BACK, "8")
    # An event that comes once more is told the same, and changes nothing.
    assert answer("DIGITS_RECEIVED", attributes=ASKED, Type="ReceiveDigits", ReceivedDigits=digits) == given
    assert desk.opt_outs.found == {key: stored}


def test_a_key_counts_though_the_caller_is_gone(answer, desk):
    answer("DIGITS_RECEIVED", attributes=ASKED, status="Disconnected", Type="ReceiveDigits", ReceivedDigits="9")
    assert len(desk.opt_outs.found) == 1


@pytest.mark.parametrize(
    "event",
    [("DIGITS_RECEIVED", {"Type": "ReceiveDigits", "ReceivedDigits": "1"}), ("ACTION_SUCCESSFUL", {"Type": "Pause"})],
)
def test_silence_and_other_keys_are_asked_once_more_and_then_the_call_ends(answer, desk, event):
    kind, data = event
    again = answer(kind, attributes=ASKED, **data)
    assert kinds(again)[:2] == ["ReceiveDigits", "Speak"]
    assert again["TransactionAttributes"] == ASKED | {"plays": "2"}
    assert kinds(answer(kind, attributes=again["TransactionAttributes"], **data)) == ["Hangup"]
    assert desk.opt_outs.found == {}


@pytest.mark.parametrize(("caller", "text"), [(HIS, NOBODY), ("Anonymous", WITHHELD), ("", WITHHELD)])
def test_who_is_not_known_hears_one_sentence(answer, caller, text):
    given = answer(caller=caller)
    assert (kinds(given), said(given)) == (["Speak", "Hangup"], text)


def test_a_key_in_the_last_words_changes_nothing(answer, desk):
    last = {"mid": "8", "doing": "bye", "said": ""}
    assert answer("DIGITS_RECEIVED", attributes=last, Type="ReceiveDigits", ReceivedDigits="9") == GO_ON
    assert desk.opt_outs.found == {}


def test_audio_is_played_and_what_cannot_be_played_is_said(answer, desk):
    settle(desk, audio="who", done_audio="who", text="It was {from}.", done_text="Bye.")
    given = answer()
    assert kinds(given)[:2] == ["ReceiveDigits", "PlayAudio"]
    assert said(given) == AUDIO.partition(".amazonaws.com/")[2]
    told = answer("ACTION_FAILED", attributes=ASKED, Type="PlayAudio", ErrorType="InvalidAudioSource")
    assert (kinds(told)[:2], said(told)) == (["ReceiveDigits", "Speak"], "It was Shop.")
    done = answer("DIGITS_RECEIVED", attributes=ASKED, Type="ReceiveDigits", ReceivedDigits="9")
    assert kinds(done) == ["PlayAudio", "Hangup"]
    told = answer("ACTION_FAILED", attributes=done["TransactionAttributes"], Type="PlayAudio")
    assert (kinds(told), said(told)) == (["Speak", "Hangup"], "Bye.")


@pytest.mark.parametrize("action", ["Speak", "ReceiveDigits", "Pause"])
def test_what_fails_is_tried_once_more_and_then_the_call_ends(answer, action):
    assert kinds(answer("ACTION_FAILED", attributes=ASKED, Type=action))[0] == "ReceiveDigits"
    assert kinds(answer("ACTION_FAILED", attributes=ASKED | {"plays": "2"}, Type=action)) == ["Hangup"]
    assert kinds(answer("ACTION_FAILED", attributes={"doing": "bye"}, Type=action)) == ["Hangup"]


def test_a_hang_up_that_fails_is_not_tried_for_ever(answer):
    assert answer("ACTION_FAILED", attributes={"doing": "bye"}, Type="Hangup") == GO_ON


@pytest.mark.parametrize("kind", ["HANGUP", "ACTION_INTERRUPTED", "RINGING"])
def test_what_needs_no_answer_gets_none(answer, kind):
    assert answer(kind, attributes=ASKED, Type="Hangup") == GO_ON


def test_an_action_of_who_is_gone_asks_nothing(answer):
    assert answer("ACTION_SUCCESSFUL", attributes=ASKED, status="Disconnected", Type="Pause") == GO_ON


@pytest.mark.parametrize("kind", ["INVALID_LAMBDA_RESPONSE", "CALL_UPDATE_REQUESTED"])
def test_what_cannot_go_on_ends(answer, kind):
    assert kinds(answer(kind, attributes=ASKED)) == ["Hangup"]


def test_an_answer_that_was_refused_without_a_word_is_told_without_one(answer, logger):
    answer("INVALID_LAMBDA_RESPONSE", attributes=ASKED)
    answer("INVALID_LAMBDA_RESPONSE", attributes=ASKED, ErrorType="InvalidAction")
    assert logger.lines == ["the last answer was unusable: ", "the last answer was unusable: InvalidAction"]


def test_who_cannot_be_told_now_hears_that(answer, desk, logger):
    desk.called.last_call = away
    given = answer()
    assert (kinds(given), said(given)) == (["Speak", "Hangup"], NOT_NOW)
    assert logger.lines == ["a call back could not be dealt with now: away"]


def away(*_given):
    raise StoreUnavailable("away")


def test_an_opt_out_that_cannot_be_stored_at_once_is_tried_again(answer, desk):
    stores, tries = desk.opt_outs.add, []

    def add(*given):
        tries.append(given)
        return away() if len(tries) < 3 else stores(*given)

    desk.opt_outs.add = add
    given = answer("DIGITS_RECEIVED", attributes=ASKED, Type="ReceiveDigits", ReceivedDigits="9")
    assert "will not call you again" in said(given)
    assert desk.clock.slept == [PAUSE_SECONDS] * 2


@pytest.mark.parametrize("error", [StoreUnavailable("away"), RuntimeError("a fault")])
def test_and_one_that_is_not_stored_is_not_confirmed(answer, desk, error):
    def add(*_given):
        raise error

    desk.opt_outs.add = add
    given = answer("DIGITS_RECEIVED", attributes=ASKED, Type="ReceiveDigits", ReceivedDigits="9")
    assert (kinds(given), said(given)) == (["Speak", "Hangup"], NOT_STORED)


def test_nothing_logs_a_number(answer, desk, logger):
    desk.called.last_call = away
    answer()
    answer(caller="Anonymous")
    ChimeCallBacks(desk, logger).answer({"From": HER})
    assert HER not in " ".join(logger.lines)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["LEG-A", "ask", "9", "1", HER]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["CallDetails", "ActionData", "Participants", "ParticipantTag", "CallId", "From", "doing"])
            | st.sampled_from(["InvocationEventType", "TransactionAttributes", "plays", "Type", "ReceivedDigits"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None)
@given(_JSON)
def test_whatever_comes_is_answered_as_the_service_takes_it(event):
    taken(ChimeCallBacks(call_back_desk.desk(), logging.getLogger("test")).answer(event))


def test_the_sample_events_are_readable(desk, logger):
    new, digits = (json.loads((EVENTS / f"chime/call-back-{name}.json").read_text()) for name in ("new", "digits"))
    digits["CallDetails"]["TransactionAttributes"]["mid"] = "8"
    answers = ChimeCallBacks(desk, logger)
    assert "Shop" in said(taken(answers.answer(new)))
    assert kinds(taken(answers.answer(digits))) == ["Speak", "Hangup"]
    assert len(desk.opt_outs.found) == 1
    assert logger.lines == []
