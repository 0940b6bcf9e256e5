"""Introductions of parts: joined once for each content, out of parts that they share."""

import logging
from array import array
from dataclasses import replace
from unittest.mock import patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speechcall.menus.rules.introduction import (
    Audio,
    Introduction,
    Pause,
    introductions,
    load_part,
    name_of_parts,
    seconds_of_parts,
)
from speechcall.menus.rules.menu import Hangup, Menu, dump_menus, load_menus
from speechcall.menus.rules.speech import Say
from speechcall.messages.rules.message import State
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.joining import RAMP_SAMPLES, join
from speechcall.prompts.rules.mu_law import linear, mu_law
from speechcall.prompts.rules.prompt import KnownPrompt, Prompt
from speechcall.prompts.rules.wav import telephone_samples, wav_file
from speechcall.prompts.use_cases.attempt_prompt import MOST_FAULTS, fault_seconds
from speechcall.prompts.use_cases.prepare_prompts import prepare_message
from speechcall.prompts.use_cases.prompt_sources import Fetched
from speechcall.shared.rules.errors import PromptUnavailable
from tests.kit.carrier_bench import mulaw_wav
from tests.kit.samples import MESSAGE, MID, NOW
from tests.unit.test_prepare_prompts import SAY, URL, World

CODES = ("4071", "7104", "1111")


def playing(*parts):
    return Menu(name_of_parts(parts), 10_000, {"d1": (Hangup(),)}, play=parts)


def spelt(code):
    return playing(SAY, Pause(300), *(Audio(f"uk_{digit}") for digit in code))


def world_of(*menus, answers=(), uploads="0123456789"):
    world = World(menus, [*answers])
    for digit in uploads:
        name = f"uk_{digit}"
        world.uploads[name] = mulaw_wav(0.5 + int(digit) / 100)
        world.prompts.put("acme", KnownPrompt(name, Prompt(f"s3:{name}", 0.5 + int(digit) / 100), NOW))
    return world


# ------------------------------------------------------------------ what is stored
def test_what_is_stored_comes_back():
    menu = playing(Audio("welcome"), SAY, Pause(300), Audio(URL))
    assert load_menus(dump_menus((menu,))) == (menu,)
    with pytest.raises(ValueError, match="unknown part"):
        load_part(["video", "x"])


def test_a_name_is_that_of_its_parts_in_their_order():
    names = {name_of_parts(parts) for parts in ((Audio("a"), Audio("b")), (Audio("b"), Audio("a")), (Audio("a"),))}
    assert len(names) == 3
    assert name_of_parts((Pause(1), SAY)) == name_of_parts((Pause(1), replace(SAY)))


def test_parts_come_before_what_is_joined_of_them():
    menu = playing(Audio("a"), Pause(9), SAY)
    assert introductions((menu, Menu("b", 1, {}))) == [
        Introduction("a"),
        Introduction(SAY.name, SAY),
        Introduction(menu.intro, None, menu.play),
        Introduction("b"),
    ]


def test_its_length_is_known_where_that_of_each_part_is():
    menus = (playing(Audio("a"), Pause(250), Audio("b")), playing(Audio("a"), Audio("c")), Menu("a", 1, {}))
    assert seconds_of_parts(menus, {"a": 1.5, "b": 2.0}) == {menus[0].intro: 3.75}


# ------------------------------------------------------------------------- joining
def tone(count, height, encoding):
    samples = array("h", [round(height * (1 if index % 20 < 10 else -1)) for index in range(count)])
    return wav_file(mu_law(samples) if encoding is Encoding.MU_LAW else samples.tobytes(), encoding)


def heard(wav, encoding):
    samples = bytes(telephone_samples(wav, encoding) or b"")
    if encoding is Encoding.MU_LAW:
        return [value * 32768 for value in linear(samples)]
    return [*array("h", samples)]


@given(
    st.sampled_from(Encoding),
    st.lists(
        st.one_of(st.integers(1, 50), st.tuples(st.integers(1, 900), st.integers(-32767, 32767))),
        min_size=1,
        max_size=6,
    ),
)
def test_each_part_keeps_its_samples_its_place_and_its_length(encoding, pieces):
    wavs = [one if isinstance(one, int) else tone(one[0], one[1], encoding) for one in pieces]
    found, at = heard(join(wavs, encoding), encoding), 0
    for piece, wav in zip(pieces, wavs, strict=True):
        if isinstance(wav, int):
            assert set(found[at : at + piece * 8]) <= {0.0}
            at += piece * 8
            continue
        own = heard(wav, encoding)
        inner = slice(RAMP_SAMPLES, max(RAMP_SAMPLES, len(own) - RAMP_SAMPLES))
        assert found[at:][inner.start : inner.stop] == own[inner] or len(own) <= 2 * RAMP_SAMPLES
        # It comes up from silence, and goes down to it.
        edge = max(map(abs, own)) * 2 / (min(RAMP_SAMPLES, max(1, len(own) // 2)) + 1) + 8
        if len(own) >= 2:
            assert abs(found[at]) <= edge
            assert abs(found[at + len(own) - 1]) <= edge
        at += len(own)
    assert at == len(found)


def test_a_part_in_the_encoding_of_another_telephony_is_refused():
    with pytest.raises(PromptUnavailable, match="encoding"):
        join([tone(100, 1000, Encoding.PCM_16)], Encoding.MU_LAW)


# ----------------------------------------------------------------------- preparing
def test_its_parts_are_had_first_and_then_it_is_joined():
    world = world_of(spelt("40"), answers=[Fetched(mulaw_wav(2))]).prepare()
    assert world.queue == [(MID, 0)]  # the text
    assert world.work().message.state == State.PREPARING
    assert world.queue == [(MID, 3)]  # what is joined, behind its three parts
    world.work()
    (ask,) = world.message.asks
    assert world.message.state == State.QUEUED
    assert ask.prompt_seconds == pytest.approx(2 + 0.3 + 0.54 + 0.5)
    assert ask.prompt_uri == "s3:2"


def test_each_code_is_joined_once_and_all_share_their_parts():
    world = world_of(spelt(CODES[0]), answers=[Fetched(mulaw_wav(2))])
    mids = [MID]
    for number, code in enumerate(CODES * 20):
        mids.append(f"9{number}")
        world.messages.add([replace(MESSAGE, mid=mids[-1], menus=(spelt(code),), created_msec=NOW)])
    for mid in mids:
        prepare_message(mid, world.preparation)
        world.work_off()
    assert {world.messages.get(mid).state for mid in mids} == {State.QUEUED}
    assert len(world.asked) == 1
    assert len(world.audio) == 1 + len(CODES)
    assert len({world.messages.get(mid).asks for mid in mids}) == len(CODES)


def test_a_part_that_is_heard_several_times_is_looked_for_and_read_once():
    world = world_of(playing(*[Audio("uk_1")] * 4)).prepare()
    with (
        patch.object(world.prompts, "find", wraps=world.prompts.find) as find,
        patch.object(world, "_read", wraps=world._read) as read,
    ):
        world.work()
    assert world.message.state is State.QUEUED
    # Once to join, and once to prepare the message behind it.
    assert [call.args[1] for call in find.call_args_list].count("uk_1") == 2
    assert [call.args for call in read.call_args_list] == [("s3:uk_1",)]


def test_it_is_joined_again_when_a_part_has_other_audio():
    world = world_of(playing(Audio("uk_1"), Audio("uk_2"))).prepare().work()
    assert world.message.asks[0].prompt_uri == "s3:1"
    world.uploads["new"] = mulaw_wav(3)
    world.prompts.put("acme", KnownPrompt("uk_2", Prompt("s3:new", 3), NOW))
    world.messages.add([replace(MESSAGE, mid="8", menus=world.menus, created_msec=NOW)])
    prepare_message("8", world.preparation)
    world.work_off()
    assert world.messages.get("8").asks[0].prompt_seconds == pytest.approx(0.51 + 3)
    # And with no change it is not.
    world.messages.add([replace(MESSAGE, mid="7", menus=world.menus, created_msec=NOW)])
    prepare_message("7", world.preparation)
    assert world.messages.get("7").state is State.QUEUED


@pytest.mark.parametrize(
    ("menu", "answers", "cause"),
    [
        (playing(Audio("uk_1"), Audio("gone")), [], 'there is no audio "gone" in this account any more'),
        (playing(Audio("uk_1"), Audio(URL)), [PromptUnavailable("it answered 404")], "it answered 404"),
        (playing(*[Audio("uk_1")] * 2, Audio("long")), [], "lasts 300.0 s; less than five minutes"),
        (playing(Audio("uk_1"), Audio("lost")), [], "the audio of one of its parts is not there any more"),
    ],
)
def test_a_message_that_lacks_a_part_is_not_dialled_and_says_why(menu, answers, cause):
    world = world_of(menu, answers=answers)
    world.uploads["long"] = mulaw_wav(298.98)
    for name in ("long", "lost"):
        world.prompts.put("acme", KnownPrompt(name, Prompt(f"s3:{name}", 298.98), NOW))
    world.prepare().work_off()
    assert world.message.outcome == "promptUnavailable"
    assert cause in world.message.cause


def test_a_text_that_differs_is_another_name_but_the_queue_never_holds_it():
    told = Say("Your code is", "en-GB", "Amy")
    assert told.text not in playing(told).intro


def test_what_cannot_be_joined_again_waits_as_any_other_and_comes_to_an_end(caplog):
    # Given what was joined yesterday, a part that has other audio since, and a store that takes none
    world = world_of(playing(Audio("uk_1"), Audio("uk_2"))).prepare().work()
    world.prompts.put("acme", KnownPrompt("uk_1", Prompt("s3:uk_3", 0.53), NOW))
    world.messages.add([replace(MESSAGE, mid="2", menus=world.message.menus)])
    tries = []

    def keep(_world, _content):
        tries.append(1)
        if len(tries) > MOST_FAULTS:
            pytest.fail("it is tried for ever")
        raise OSError("no bucket")

    with patch.object(World, "_keep", keep), caplog.at_level(logging.CRITICAL):
        world.queue.append(("2", 2))
        waits = world.work_off()
    # Then the old audio is not played, and the attempts have their pauses
    assert world.messages.get("2").outcome == "promptUnavailable"
    assert len(tries) == MOST_FAULTS
    assert waits == [fault_seconds(number) for number in range(1, MOST_FAULTS)]
    assert len(world.given_up) == 1
