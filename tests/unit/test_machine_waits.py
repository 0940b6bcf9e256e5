"""How long the state machine waits in a menu, against the longest silence of each telephony: by what it is told.

The flow's own blocks are followed, and the actions' own parameters added up. Of digits the last round is typed, each
key at the last moment.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from speechcall.calls.rules.call import Command, Kind
from speechcall.calls.use_cases.report import Heard, Next, Op, Report
from speechcall.menus.rules.ask import MAX_INTER_DIGIT_MSEC, MIN_INTER_DIGIT_MSEC, MOST_DIGITS, Ask, Input
from speechcall.menus.rules.call_space import waits_msec
from speechcall.menus.rules.menu import MOST_REPEATS, Hangup, Menu, Repeat
from speechcall.menus.rules.menu_report import call_bounds
from speechcall.prompts.rules.prompt import KnownPrompt, Prompt
from speechcall.shared.rules.time_bounds import MOST_GRACE_SECONDS
from speechcall.shared.rules.timing import MAX_IDLE_TIMEOUT_MSEC
from speechcall.telephony.chime.actions import listen_now
from speechcall.telephony.chime.actions import render_next as chime_answer
from speechcall.telephony.chime.conversation import Asks, Listens, parse_event
from speechcall.telephony.connect.contact_flow import build_contact_flow
from speechcall.telephony.connect.conversation import render_next as connect_answer
from tests.kit.samples import CALL, MID, NOW
from tests.unit.test_prepare_prompts import World

BUCKET = "https://prompts.s3.eu-central-1.amazonaws.com"
FLOW = {one["Identifier"]: one for one in build_contact_flow("arn:f", f"{BUCKET}/sorry.wav")["Actions"]}
SILENCE_SECONDS = 0.1
"""Of `silence.wav`, which is played where an introduction takes no key."""
REPORT = Report(MID, 1, "contact-1", Heard("answered", 0))


def ask_of(menu: Menu, lengths: dict[str, float], grace: int) -> Ask:
    """What a message with this menu is prepared to."""
    world = World((menu,))
    world.preparation = replace(world.preparation, grace_seconds=grace)
    for name, seconds in lengths.items():
        world.prompts.put("acme", KnownPrompt(name, Prompt(f"{BUCKET}/{name}", seconds), NOW))
    (ask,) = world.prepare().message.asks
    return ask


def steps(ask: Ask) -> Iterator[tuple[Next, bool]]:
    """What the telephony is told, the first time and at each repeat; and whether that is the last."""
    for repeat in range(ask.repeats + 1):
        step = Next(Op.ASK, 5, Command(Kind.ASK, 0), CALL._replace(asks=(ask,)), repeat=repeat)
        yield step, repeat == ask.repeats


# ------------------------------------------------------------------ Amazon Connect
def connect_seconds(step: Next, lengths: dict[str, float], *, is_typed: bool) -> float:
    """How long the flow takes from its question to what it has heard, by its blocks."""
    external: dict[str, str] = connect_answer(step)
    attributes: dict[str, str] = {}

    def value(text: str) -> str:
        given, _, name = text.removeprefix("$.").partition(".")
        return {"External": external, "Attributes": attributes}[given][name]

    block, seconds = FLOW["keep"], 0.0
    while True:
        parameters, then = block["Parameters"], block["Transitions"]["NextAction"]
        match block["Type"]:
            case "Compare":
                branches = {
                    one["Condition"]["Operands"][0]: one["NextAction"] for one in block["Transitions"]["Conditions"]
                }
                then = branches.get(value(parameters["ComparisonValue"]), then)
            case "UpdateContactAttributes":
                attributes |= {name: value(text) for name, text in parameters["Attributes"].items()}
            case "MessageParticipant":
                seconds += length(value(parameters["Media"]["Uri"]), lengths)
            case "GetParticipantInput":
                seconds += length(value(parameters["Media"]["Uri"]), lengths) + int(parameters["InputTimeLimitSeconds"])
                if is_typed and parameters["StoreInput"] == "True":
                    between = value(parameters["DTMFConfiguration"]["InterdigitTimeLimitSeconds"])
                    most = value(parameters["InputValidation"]["CustomValidation"]["MaximumLength"])
                    seconds += int(between) * (int(most) - 1)
                return seconds
            case "UpdateFlowLoggingBehavior":
                pass
            case other:
                pytest.fail(f"a question leads to {other}")
        block = FLOW[then]


# ------------------------------------------------------------------ the Chime SDK
def chime_seconds(step: Next, lengths: dict[str, float], *, is_typed: bool) -> float:
    """How long the actions last."""
    answer = chime_answer(step, Asks(REPORT))
    seconds = actions_seconds(answer, lengths, is_typed=is_typed)
    if step.ask.barge_in:
        return seconds
    details = {"TransactionId": "contact-1", "TransactionAttributes": answer["TransactionAttributes"]}
    kind = {"InvocationEventType": "ACTION_SUCCESSFUL", "ActionData": {"Type": "PlayAudio"}}
    over = parse_event({"SchemaVersion": "1.0", "Sequence": 9, "CallDetails": details, **kind})
    assert isinstance(over, Listens)
    return seconds + actions_seconds(listen_now(over), lengths, is_typed=is_typed)


def actions_seconds(answer: dict[str, Any], lengths: dict[str, float], *, is_typed: bool) -> float:
    seconds = 0.0
    for one in answer["Actions"]:
        told = one["Parameters"]
        if "AudioSource" in told:
            seconds += length(told["AudioSource"]["Key"], lengths)
        seconds += (told.get("DurationInMilliseconds", 0) + told.get("RepeatDurationInMilliseconds", 0)) / 1000
        if is_typed and "MaxNumberOfDigits" in told:
            seconds += told["InBetweenDigitsDurationInMilliseconds"] / 1000 * (told["MaxNumberOfDigits"] - 1)
    return seconds


def length(uri: str, lengths: dict[str, float]) -> float:
    return lengths.get(uri.rpartition("/")[2], SILENCE_SECONDS)


TELEPHONIES: list[Callable[..., float]] = [connect_seconds, chime_seconds]
INPUTS = st.builds(
    Input,
    st.just(1),
    st.integers(1, MOST_DIGITS),
    st.sampled_from("#*"),
    st.integers(MIN_INTER_DIGIT_MSEC, MAX_INTER_DIGIT_MSEC),
)
REPEATS = st.builds(Repeat, st.integers(1, MOST_REPEATS), st.sampled_from(["", "again"]))
LENGTHS = st.floats(0.1, 299.9).map(lambda seconds: round(seconds, 2))


@given(
    st.integers(1, MAX_IDLE_TIMEOUT_MSEC),
    st.none() | INPUTS,
    st.none() | REPEATS,
    st.booleans(),
    st.tuples(LENGTHS, LENGTHS),
    st.integers(1, MOST_GRACE_SECONDS),
)
@example(121_000, Input(1, 1), Repeat(5, ""), True, (2.0, 1.0), 10)
@example(31_000, Input(1, 4), Repeat(5, "again"), False, (2.0, 1.0), 1)
@example(MAX_IDLE_TIMEOUT_MSEC, None, Repeat(5, "again"), False, (299.9, 299.9), 1)
def test_the_machine_waits_for_the_longest_silence_and_the_grace_of_each_round(
    idle_msec: int, asked: Input | None, repeat: Repeat | None, barge_in: bool, seconds: tuple[float, float], grace: int
) -> None:
    actions = {"complete" if asked else "d1": (Hangup(),)}
    menu = Menu("first", idle_msec, actions, repeat=repeat, input=asked, barge_in=barge_in)
    assume(menu.waits_seconds * 1000 <= MAX_IDLE_TIMEOUT_MSEC)  # as requests are held to
    lengths = {"first": seconds[0], "again": seconds[1]}
    ask = ask_of(menu, lengths, grace)
    rounds = ask.repeats + 1
    for takes in TELEPHONIES:
        longest = sum(takes(step, lengths, is_typed=is_last) for step, is_last in steps(ask))
        spare = ask.wait_seconds - longest
        assert (grace - SILENCE_SECONDS) * rounds - 1e-6 <= spare <= (grace + 1) * rounds + 1e-6, takes.__name__
    # What proofs and bounds take as the longest is the same, without grace, to the whole seconds that are waited.
    ((_, most_msec),) = waits_msec((menu,), lengths)
    proved = most_msec / 1000 + menu.typing_seconds
    assert proved + grace * rounds - 1e-6 <= ask.wait_seconds <= proved + (grace + 1) * rounds
    bounded = call_bounds((menu,), lengths).longest_seconds
    assert bounded >= 900 or abs(bounded - proved) <= rounds / 2
