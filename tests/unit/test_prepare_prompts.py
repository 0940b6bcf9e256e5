"""A message's introductions, ready before a line is taken."""

from dataclasses import replace

import pytest

from speechcall.application.prepare_prompts import URL_FRESH_SECONDS, Prompt, add_prompt, prepare_message
from speechcall.domain.errors import PromptUnavailable
from speechcall.domain.message import Ask, Hangup, Menu, State
from tests.fixtures.carrier_bench import mulaw_wav
from tests.fixtures.samples import MENU, MESSAGE, MID, NOW, FakeClock
from tests.stores.memory import MemoryMessages

URL = "https://example.com/intro.wav"
BY_URL = Menu(URL, 15_500, {"d1": (Hangup(),)})


class Prompts:
    """Prompts by account and name; audio by content."""

    def __init__(self):
        self.known = {("acme", "ivr_651854"): (Prompt("s3:ivr", 3.25), NOW)}
        self.audio = []

    def get_prompt(self, account_id, name):
        return self.known.get((account_id, name))

    def put_prompt(self, account_id, name, prompt, now_msec):
        self.known[account_id, name] = (prompt, now_msec)

    def put_audio(self, content):
        self.audio.append(content)
        return f"s3:{len(self.audio)}"


class Web:
    """What is behind each URL: bytes, or why it cannot be had."""

    def __init__(self, **content):
        self.content, self.asked = content, []

    def __call__(self, url):
        self.asked.append(url)
        if isinstance(self.content.get("at"), Exception):
            raise self.content["at"]
        return self.content["at"]


def prepare(menus, prompts=None, web=None, clock=None, messages=None):
    messages = messages or MemoryMessages()
    if messages.get(MID) is None:
        messages.add([replace(MESSAGE, menus=menus)])
    prepare_message(
        MID,
        messages=messages,
        prompts=prompts or Prompts(),
        fetch=web or Web(),
        clock=clock or FakeClock(),
        grace_seconds=20,
    )
    return messages


def test_a_message_is_queued_with_what_the_telephony_needs_to_ask():
    messages = prepare((MENU,))
    message = messages.get(MID)
    assert message.state is State.QUEUED
    assert message.asks == (Ask("s3:ivr", 3.25, 10, 34),)
    assert messages.due(State.QUEUED, NOW, 1) == [MID]


def test_audio_behind_a_url_is_fetched_once_a_message_and_stored():
    prompts, web = Prompts(), Web(at=mulaw_wav(1.5))
    message = prepare((BY_URL, MENU, BY_URL), prompts, web).get(MID)
    assert web.asked == [URL]
    assert message.asks[0] == message.asks[2] == Ask("s3:1", 1.5, 16, 38)
    assert prompts.known["acme", URL] == (Prompt("s3:1", 1.5), NOW)


@pytest.mark.parametrize(("age_seconds", "fetched"), [(URL_FRESH_SECONDS - 1, False), (URL_FRESH_SECONDS, True)])
def test_audio_behind_a_url_is_kept_for_an_hour(age_seconds, fetched):
    prompts, web = Prompts(), Web(at=mulaw_wav(1))
    prompts.known["acme", URL] = (Prompt("s3:old", 2), NOW - age_seconds * 1000)
    message = prepare((BY_URL,), prompts, web).get(MID)
    assert bool(web.asked) is fetched
    assert message.asks[0].prompt_uri == ("s3:1" if fetched else "s3:old")


@pytest.mark.parametrize(
    "content", [PromptUnavailable("answered 404"), b"ID3", mulaw_wav(1, encoding=1), mulaw_wav(301)]
)
def test_a_message_whose_audio_cannot_be_had_is_finished_and_never_dialled(content):
    messages = prepare((MENU, BY_URL), web=Web(at=content))
    message = messages.get(MID)
    assert (message.state, message.outcome) == (State.FINISHED, "promptUnavailable")
    assert messages.due(State.QUEUED, NOW + 10**9, 1) == []


def test_an_identifier_that_is_gone_is_not_fetched():
    prompts, web = Prompts(), Web()
    prompts.known.clear()
    assert prepare((MENU,), prompts, web).get(MID).outcome == "promptUnavailable"
    assert not web.asked


def test_another_accounts_audio_is_not_played():
    prompts = Prompts()
    prompts.known = {("other", "ivr_651854"): (Prompt("s3:other", 1), NOW)}
    assert prepare((MENU,), prompts).get(MID).state is State.FINISHED


def test_a_failure_that_may_pass_leaves_the_message_as_it_is():
    messages = MemoryMessages()
    with pytest.raises(OSError, match="no bucket"):
        prepare((BY_URL,), web=Web(at=OSError("no bucket")), messages=messages)
    assert messages.get(MID).state is State.PREPARING


def test_preparing_again_does_nothing():
    messages = prepare((MENU,))
    before = messages.get(MID)
    prompts = Prompts()
    prompts.known.clear()
    assert prepare((MENU,), prompts, messages=messages).get(MID) == before


def test_a_message_that_is_gone_is_nobodys_business():
    prepare_message("1", messages=MemoryMessages(), prompts=Prompts(), fetch=Web(), clock=FakeClock(), grace_seconds=20)


def test_uploaded_audio_is_checked_before_it_is_stored():
    prompts = Prompts()
    with pytest.raises(PromptUnavailable):
        add_prompt("acme", "ivr_1", b"RIFF", prompts=prompts, clock=FakeClock())
    assert not prompts.audio
    add_prompt("acme", "ivr_1", mulaw_wav(2), prompts=prompts, clock=FakeClock())
    assert prompts.known["acme", "ivr_1"] == (Prompt("s3:1", 2.0), NOW)
