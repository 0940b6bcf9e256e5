"""The flow of calls back, block by block, with what answers it: nothing that happens leaves a caller in silence."""

import json
import logging

import pytest

from local.network.connect.flow import load_flow
from local.network.connect.flow_runner import Failed, Invoke, Listen, Play, Played, Pressed, Returned, Silence, walk
from local.network.connect.invocation import contact_flow_event
from speechcall.callbacks.rules.call_back import NOBODY, NOT_NOW, NOT_STORED, WITHHELD
from speechcall.shared.rules.errors import StoreUnavailable
from speechcall.shared.rules.time_bounds import REPORT_TRIES
from speechcall.telephony.connect.call_back_flow import build_call_back_flow
from speechcall.telephony.connect.call_backs import ConnectCallBacks
from speechcall.telephony.connect.contact_flow import nested_template
from tests.kit import call_back_desk
from tests.kit.call_back_desk import AUDIO, HER, HIS, OURS, settle
from tests.kit.samples import NOW

ARN = "arn:aws:lambda:eu-central-1:123456789012:function:call-backs"
FLOW = load_flow(build_call_back_flow(ARN))


@pytest.fixture
def desk():
    return call_back_desk.desk()


class Caller:
    """Goes through the flow: `does` is a key or None for silence, for each block that listens; what was `heard`."""

    def __init__(self, desk, number=HER, *does, fails=(), unplayable=()):
        self.heard, self.asked, self.invoked = [], [], 0
        answers = ConnectCallBacks(desk, logging.getLogger("test"))
        keys, steps, outcome = list(does), walk(FLOW, {}), None
        while True:
            try:
                effect = next(steps) if outcome is None else steps.send(outcome)
            except StopIteration:
                break
            outcome = self.outcome(effect, answers, number, keys, fails, unplayable)

    def outcome(self, effect, answers, number, keys, fails, unplayable):
        if isinstance(effect, Invoke):
            self.asked.append(effect.parameters)
            self.invoked += 1
            if effect.parameters["event"] in fails:
                return Failed()
            event = contact_flow_event(
                contact_id="c", instance_arn="i", number=number, caller_id=OURS, attributes={},
                parameters=effect.parameters, initiated_by="INBOUND",
            )  # fmt: skip
            return Returned(answers.answer(event))
        what = effect.prompt.uri or effect.prompt.speech
        if what in unplayable:
            return Failed()
        if not what.startswith("<speak>"):
            self.heard.append(what)
        if isinstance(effect, Play):
            return Played()
        assert isinstance(effect, Listen)
        key = keys.pop(0) if keys else None
        return Pressed(key) if key else Silence()


def opted_out(desk):
    return [(key[0], one.by.value, one.mid) for key, one in desk.opt_outs.found.items()]


def test_the_flow_that_is_deployed_is_this_one():
    content = nested_template()["Resources"]["CallBackFlow"]["Properties"]["Content"]["Fn::Sub"]
    filled = content.replace("${CallBackFunctionArn}", ARN).replace("${FlowLogging}", "Disabled")
    assert "${" not in filled
    assert load_flow(json.loads(filled)) == FLOW


def test_9_is_an_opt_out_and_is_confirmed(desk):
    caller = Caller(desk, HER, "9")
    assert [("Shop" in one, one.endswith("Goodbye.")) for one in caller.heard] == [(True, False), (True, True)]
    assert opted_out(desk) == [("acme", "callBack", "8")]
    assert caller.asked == [
        {"event": "called", "protocol": "1"},
        {"event": "optOut", "mid": "8", "protocol": "1"},
    ]


@pytest.mark.parametrize("does", [(None, "9"), ("1", "9"), ("*", "9")])
def test_who_presses_nothing_or_another_key_is_asked_once_more(desk, does):
    caller = Caller(desk, HER, *does)
    assert len(caller.heard) == 3
    assert opted_out(desk) == [("acme", "callBack", "8")]


@pytest.mark.parametrize("does", [(None, None), ("1", "2"), ("#", None)])
def test_and_then_the_call_ends(desk, does):
    caller = Caller(desk, HER, *does)
    assert len(caller.heard) == 2
    assert caller.heard[0] == caller.heard[1]
    assert opted_out(desk) == []


@pytest.mark.parametrize(("number", "said"), [(HIS, NOBODY), ("anonymous", WITHHELD), ("", WITHHELD)])
def test_who_is_not_known_hears_one_sentence_and_no_key_counts(desk, number, said):
    assert Caller(desk, number, "9").heard == [said]
    assert opted_out(desk) == []


def test_audio_is_played_and_what_cannot_be_played_is_said(desk):
    settle(desk, audio="who", done_audio="who", text="It was {from}.", done_text="Bye.")
    assert Caller(desk, HER, "9").heard == [AUDIO, AUDIO]
    assert Caller(desk, HER, "9", unplayable=[AUDIO]).heard == ["It was Shop.", "Bye."]
    assert Caller(desk, HER, unplayable=[AUDIO]).heard == ["It was Shop.", "It was Shop."]


def test_a_voice_that_connect_does_not_know_is_another_voice_and_no_silence(desk):
    settle(desk, text="It was {from}.")
    answers = ConnectCallBacks(desk, logging.getLogger("test"))
    answer = answers.answer(json.loads(json.dumps(event_of("called")))) | {"voice": "nobody"}
    steps = walk(FLOW, {})
    next(steps)
    listens = steps.send(Returned(answer))
    assert isinstance(listens, Listen)
    assert listens.prompt.speech == "It was Shop."


def test_a_function_that_fails_is_asked_again_and_then_the_flow_says_so_itself(desk):
    caller = Caller(desk, HER, fails=["called"])
    assert caller.heard == [NOT_NOW]
    assert caller.invoked == REPORT_TRIES


def test_an_opt_out_that_could_not_be_stored_is_not_confirmed(desk):
    caller = Caller(desk, HER, "9", fails=["optOut"])
    assert caller.heard[-1] == NOT_STORED
    assert caller.invoked == 1 + REPORT_TRIES


def test_an_opt_out_that_belongs_to_nobody_is_not_confirmed(desk):
    caller = ConnectCallBacks(desk, logging.getLogger("test"))
    assert caller.answer(event_of("optOut", HIS, mid="8"))["op"] == "refused"
    assert caller.answer(event_of("optOut", HER, mid="none"))["op"] == "refused"
    assert opted_out(desk) == []


def test_a_text_that_cannot_be_spoken_ends_in_other_words(desk):
    settle(desk, text="It was {from}.")
    assert Caller(desk, HER, unplayable=["It was Shop."]).heard == [NOT_NOW]


def event_of(event, number=HER, **parameters):
    return contact_flow_event(
        contact_id="c", instance_arn="i", number=number, caller_id=OURS, attributes={},
        parameters={"event": event, "protocol": "1", **parameters}, initiated_by="INBOUND",
    )  # fmt: skip


@pytest.mark.parametrize("event", [None, {}, {"Details": {}}, {"Details": {"Parameters": {"event": "called"}}}])
def test_what_is_no_call_back_is_refused(desk, event):
    assert ConnectCallBacks(desk, logging.getLogger("test")).answer(event) == {"op": "refused"}


@pytest.mark.parametrize("parameters", [{"event": "answered"}, {"protocol": "2"}, {"event": "key", "key": "9"}])
def test_a_question_of_another_flow_is_refused(desk, parameters):
    event = event_of("called")
    event["Details"]["Parameters"] |= parameters
    assert ConnectCallBacks(desk, logging.getLogger("test")).answer(event) == {"op": "refused"}


def test_a_contact_without_a_customer_is_a_withheld_number(desk):
    event = event_of("called")
    event["Details"]["ContactData"]["CustomerEndpoint"] = None
    assert ConnectCallBacks(desk, logging.getLogger("test")).answer(event)["text"] == WITHHELD


def test_the_answer_is_a_flat_map_of_texts_none_of_them_empty(desk):
    answers = ConnectCallBacks(desk, logging.getLogger("test"))
    known, unknown = answers.answer(event_of("called")), answers.answer(event_of("called", HIS))
    done = answers.answer(event_of("optOut", mid="8"))
    assert set(known) == set(unknown) == set(done)
    assert all(isinstance(text, str) and text for text in (*known.values(), *unknown.values(), *done.values()))
    assert HER not in json.dumps([known, unknown, done])


def test_what_the_stores_raise_is_raised_so_that_the_flow_asks_again(desk):
    def away(_digest):
        raise StoreUnavailable("away")

    desk.called.last_call = away
    with pytest.raises(StoreUnavailable):
        ConnectCallBacks(desk, logging.getLogger("test")).answer(event_of("called"))


def test_only_the_message_is_kept_with_the_contact():
    kept = [action.parameters["Attributes"] for action in FLOW.actions.values() if "Attributes" in action.parameters]
    assert kept == [{"mid": "$.External.mid"}]


def test_every_block_can_be_reached():
    seen, waiting = set(), [FLOW.start]
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            action = FLOW.actions[name]
            targets = [action.next, *action.errors.values(), *(one.target for one in action.conditions)]
            waiting += [one for one in targets if one]
    assert seen == set(FLOW.actions)


def test_the_clock_of_the_desk_is_the_moment_of_the_opt_out(desk):
    Caller(desk, HER, "9")
    assert [one.since_msec for one in desk.opt_outs.found.values()] == [NOW]
