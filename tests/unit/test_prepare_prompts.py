"""A message's introductions, ready before a line is taken."""

import logging
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from speechcall.menus.adapters.ask_items import dump_ask, load_ask
from speechcall.menus.rules.ask import Ask, Input
from speechcall.menus.rules.menu import Hangup, Menu, Repeat
from speechcall.menus.rules.speech import Say
from speechcall.messages.rules.message import State
from speechcall.messages.rules.turns import Queue
from speechcall.prompts.rules.encoding import Encoding
from speechcall.prompts.rules.prompt import KnownPrompt, Prompt, Source, Trying
from speechcall.prompts.use_cases.attempt_prompt import (
    FRESH_MSEC,
    GIVE_UP_MSEC,
    MOST_FAULTS,
    OUR_FAULT,
    RETRY_SECONDS,
    STALE_FRESH_MSEC,
    STALE_MSEC,
    STORED_MSEC,
    fault_seconds,
    retry_seconds,
)
from speechcall.prompts.use_cases.fetch_prompts import (
    MOST_LOOKS,
    Fetching,
    fetch_prompt,
    most_at_a_host,
    most_of_an_account,
    turn_seconds,
)
from speechcall.prompts.use_cases.make_audio import Decoded
from speechcall.prompts.use_cases.prepare_prompts import NOT_IN_TIME, Apart, Preparation, prepare_message
from speechcall.prompts.use_cases.prompt_sources import Fetched, Sources
from speechcall.prompts.use_cases.prompts import (
    USED_STEP_MSEC,
    Workshop,
    add_prompt,
    find_uploaded,
    remove_prompt,
)
from speechcall.rehearsal.adapters.memory_stores import MemoryMessages
from speechcall.shared.rules.errors import NotFound, PromptUnavailable, PromptUnreachable, StoreUnavailable
from tests.kit.carrier_bench import mulaw_wav
from tests.kit.samples import HOOK, MENU, MESSAGE, MID, NOW, FakeClock
from tests.stores.prompts import MemoryPrompts
from tests.stores.webhooks import MemoryPlaces

URL, OTHER_URL = "https://example.com/intro.wav", "https://example.com/second.wav"
BY_URL = Menu(URL, 15_500, {"d1": (Hangup(),)})
BY_OTHER_URL = Menu(OTHER_URL, 10_000, {})
UPLOADED = KnownPrompt("ivr_651854", Prompt("s3:ivr", 3.25), NOW)
FRESH = KnownPrompt(URL, Prompt("s3:old", 2.0), NOW, None, Source('"v1"', "Mon", "", NOW, NOW + FRESH_MSEC))
SAY = Say("Good morning.", "en-GB", "Amy")
SLOW = PromptUnreachable("https://example.com/intro.wav answered 503")


def never(content: bytes) -> Decoded:
    raise PromptUnavailable("the file is no audio")


@dataclass
class World:
    """A workshop, a web and a queue around the stores; the queue is worked off by `work`."""

    menus: tuple[Menu, ...] = (BY_URL,)
    answers: list[Fetched | BaseException] = field(default_factory=list)
    asked: list[tuple[str, str | None, str | None]] = field(default_factory=list)
    queue: list[tuple[Any, ...]] = field(default_factory=list)
    audio: list[bytes] = field(default_factory=list)
    uploads: dict[str, bytes] = field(default_factory=dict)
    clock: FakeClock = field(default_factory=FakeClock)
    messages: MemoryMessages = field(default_factory=MemoryMessages)
    prompts: MemoryPrompts = field(default_factory=MemoryPrompts)
    of_accounts: MemoryPlaces = field(default_factory=lambda: MemoryPlaces(2))
    at_hosts: MemoryPlaces = field(default_factory=lambda: MemoryPlaces(1))
    given_up: list[int] = field(default_factory=list)
    retired: list[str] = field(default_factory=list)
    killed: bool = False
    wait: int | None = None
    created_msec: int = NOW

    def __post_init__(self):
        self.messages.add([replace(MESSAGE, menus=self.menus, created_msec=self.created_msec)])
        self.prompts.put("acme", UPLOADED)
        self.preparation = Preparation(self.messages, self.prompts, self._ask_for, self.clock, 20, Encoding.MU_LAW)

    def _ask_for(self, message, menu, apart=Apart.NO):
        self.queue.append((message.mid, menu, apart) if apart else (message.mid, menu))

    def _fetch(self, url, etag, last_modified):
        self.asked.append((url, etag, last_modified))
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def _speak(self, say):
        return self._fetch(say, None, None).content

    @property
    def sources(self):
        return Sources(self._fetch, self._speak, self._read)

    def _read(self, uri):
        name = uri.removeprefix("s3:")
        return self.audio[int(name) - 1] if name.isdecimal() else self.uploads.get(name)

    def retire(self, uri):
        if self.killed:
            raise KeyboardInterrupt
        self.retired.append(uri)

    def _keep(self, content):
        self.audio.append(content)
        return f"s3:{len(self.audio)}"

    @property
    def workshop(self):
        return Workshop(never, Encoding.MU_LAW, self._keep)

    @property
    def message(self):
        return self.messages.get(MID)

    def prepare(self):
        prepare_message(MID, self.preparation)
        return self

    @property
    def fetching(self):
        return Fetching(
            self.preparation,
            self.sources,
            self.workshop,
            self.of_accounts,
            self.at_hosts,
            uniform=lambda low, _high: low,
            on_given_up=lambda: self.given_up.append(self.clock.msec),
        )

    def work(self, received=1):
        """One job of the queue."""
        mid, menu, *apart = self.queue.pop(0)
        self.wait = fetch_prompt(mid, menu, received, *apart, fetching=self.fetching)
        return self

    def work_off(self):
        """The jobs of the queue, each again and again as long as it wants, with its pauses; their seconds."""
        waits = []
        while self.queue:
            received = 1
            job = self.queue[0]
            while self.work(received).wait is not None:
                self.queue.insert(0, job)
                waits.append(self.wait)
                self.clock.msec += self.wait * 1000
                received += 1
        return waits


def test_a_message_is_queued_with_what_the_telephony_needs_to_ask():
    world = World((MENU,)).prepare()
    assert world.message.state is State.QUEUED
    assert world.message.asks == (Ask("s3:ivr", 3.25, 10, 34),)
    assert world.messages.turns.heads(Queue(world.message.account_id), 1) == [MID]
    assert not world.queue


def test_a_menu_that_is_repeated_has_what_is_played_then_and_the_machine_waits_for_all_of_it():
    own, other = (MENU._replace(repeat=repeat) for repeat in (Repeat(2), Repeat(1, MENU.intro)))
    world = World((own, other)).prepare()
    once = Ask("s3:ivr", 3.25, 10, 34)
    assert world.message.asks == (
        once._replace(wait_seconds=34 * 3, repeats=2, repeat_uri="s3:ivr", repeat_seconds=3.25),
        once._replace(wait_seconds=34 * 2, repeats=1, repeat_uri="s3:ivr", repeat_seconds=3.25),
    )


def test_a_menu_of_digits_is_waited_in_for_as_long_as_they_may_take():
    asked = Input(4, 6, "*", 1500)
    digits = MENU._replace(idle_timeout_msec=6500, input=asked, actions={"complete": (HOOK,), "wrong": ()})
    (ask,) = World((digits,)).prepare().message.asks
    # Of 20 s of grace, an introduction of 3.25 s, the step behind 6.5 s, and five further keys of 2 s each.
    assert ask == Ask("s3:ivr", 3.25, 8, 4 + 8 + 5 * 2 + 20, input=asked, keeps=("complete",))
    assert load_ask(dump_ask(ask)) == ask


def test_audio_behind_a_url_is_asked_for_and_not_waited_for():
    world = World((BY_URL, MENU, BY_URL)).prepare()
    assert world.message.state == State.PREPARING
    assert world.queue == [(MID, 0)]
    assert world.asked == []


def test_audio_behind_a_url_is_fetched_once_a_message_and_stored():
    world = World((MENU, BY_URL, BY_URL), [Fetched(mulaw_wav(1.5), '"v1"', "Mon")]).prepare().work()
    assert world.asked == [(URL, None, None)]
    assert world.message.asks[1] == world.message.asks[2] == Ask("s3:1", 1.5, 16, 38)
    source = world.prompts.find("acme", URL).source
    assert source.etag == '"v1"'
    assert source.last_modified == "Mon"
    assert source.checked_msec == NOW
    assert source.fresh_until_msec == NOW + FRESH_MSEC


def test_two_urls_are_fetched_one_after_the_other_each_in_its_group():
    world = World((BY_URL, BY_OTHER_URL), [Fetched(mulaw_wav(1)), Fetched(mulaw_wav(2))]).prepare().work()
    assert world.message.state == State.PREPARING
    assert world.queue == [(MID, 1)]
    assert [ask.prompt_seconds for ask in world.work().message.asks] == [1, 2]


SPOKEN = Menu(SAY.name, 10_000, {}, SAY)


def test_text_is_asked_for_and_spoken_once_however_many_say_it():
    world = World((SPOKEN, SPOKEN), [Fetched(mulaw_wav(2))]).prepare()
    assert world.message.state == State.PREPARING
    assert world.queue == [(MID, 0)]
    world.work()
    assert world.asked == [(SAY, None, None)]
    assert [ask.prompt_seconds for ask in world.message.asks] == [2, 2]
    # Also weeks later, for another message
    world.clock.msec += STORED_MSEC - 1
    world.messages.add([replace(MESSAGE, mid="2", menus=(SPOKEN,), created_msec=world.clock.msec)])
    prepare_message("2", world.preparation)
    assert world.messages.get("2").state == State.QUEUED
    assert len(world.asked) == 1


@pytest.mark.parametrize("menu", [SPOKEN, BY_URL])
def test_audio_is_made_and_stored_anew_before_it_expires_although_its_file_is_the_same(menu):
    wav = Fetched(mulaw_wav(2), etag='"1"')
    world = World((menu,), [wav, wav, wav]).prepare().work()
    stored = len(world.audio)
    for number, days in (("2", 29), ("3", 1)):
        world.clock.msec += days * 86_400_000
        world.messages.add([replace(MESSAGE, mid=number, menus=(menu,), created_msec=world.clock.msec)])
        prepare_message(number, world.preparation)
        if world.queue:  # a text that is fresh is not asked for
            world.work_off()
    assert world.messages.get("3").state is State.QUEUED
    # With the validators of before the host would only say that nothing has changed.
    assert world.asked[-1][1:] == (None, None)
    assert len(world.audio) == stored + 1


def test_text_is_spoken_anew_for_a_telephony_with_another_encoding():
    world = World((SPOKEN,), [Fetched(mulaw_wav(2))]).prepare().work()
    world.messages.add([replace(MESSAGE, mid="2", menus=(SPOKEN,))])
    prepare_message("2", replace(world.preparation, encoding=Encoding.PCM_16))
    assert world.queue == [("2", 0)]


def test_text_that_cannot_be_spoken_ends_the_message_with_its_cause():
    world = World((SPOKEN,), [PromptUnavailable("the text cannot be spoken: …")]).prepare().work()
    assert world.message.state == State.FINISHED
    assert world.message.outcome == "promptUnavailable"
    assert world.message.cause == "the text cannot be spoken: …"


def test_while_nobody_speaks_the_text_is_tried_again():
    world = World((SPOKEN,), [PromptUnreachable("throttled"), Fetched(mulaw_wav(1))]).prepare()
    assert world.work_off() == [RETRY_SECONDS[0]]
    assert world.message.state is State.QUEUED


def test_whoever_comes_later_finds_what_was_fetched():
    world = World(answers=[Fetched(mulaw_wav(1))])
    world.prepare().prepare()
    world.work().work()
    assert len(world.asked) == 1
    assert world.message.state is State.QUEUED


@pytest.mark.parametrize(("age_msec", "asked"), [(FRESH_MSEC - 1, False), (FRESH_MSEC, True)])
def test_what_was_fetched_is_fresh_for_an_hour(age_msec, asked):
    world = World()
    world.prompts.put("acme", FRESH)
    world.clock.msec = NOW + age_msec
    world.prepare()
    assert bool(world.queue) is asked
    assert (world.message.state is State.QUEUED) is not asked


def hour_later(*answers, age_msec=FRESH_MSEC):
    """A world whose URL was fetched an hour ago and is asked for again."""
    world = World(answers=list(answers), created_msec=NOW + age_msec)
    world.prompts.put("acme", FRESH)
    world.clock.msec = NOW + age_msec
    return world.prepare()


def test_after_an_hour_the_host_is_asked_whether_it_has_changed():
    world = hour_later(Fetched(None)).work()
    assert world.asked == [(URL, '"v1"', "Mon")]
    assert world.message.asks[0].prompt_uri == "s3:old"
    source = world.prompts.find("acme", URL).source
    assert source.etag == '"v1"'
    assert source.last_modified == "Mon"
    assert source.fresh_until_msec == NOW + 2 * FRESH_MSEC


def test_a_changed_file_is_another_prompt():
    world = hour_later(Fetched(mulaw_wav(4), '"v2"')).work()
    assert world.message.asks[0].prompt_uri == "s3:1"
    assert world.message.asks[0].prompt_seconds == 4
    assert world.prompts.find("acme", URL).source.last_modified is None


def test_the_same_file_from_a_host_without_validators_is_not_made_a_prompt_again():
    world = World(answers=[Fetched(mulaw_wav(1)), Fetched(mulaw_wav(1))]).prepare().work()
    world.clock.msec += FRESH_MSEC
    world.messages.add([replace(MESSAGE, mid="2", menus=(BY_URL,))])
    fetch_prompt("2", 0, 1, fetching=world.fetching)
    assert len(world.asked) == 2
    assert len(world.audio) == 1


@pytest.mark.parametrize("error", [SLOW, PromptUnreachable("timed out")])
def test_a_failure_that_may_pass_is_tried_again_and_the_message_waits(error):
    world = World(answers=[error, Fetched(mulaw_wav(1))]).prepare()
    # It goes apart, so that others of the account do not wait for it
    assert world.work().wait is None
    assert world.message.state == State.PREPARING
    assert world.queue == [(MID, 0, Apart.URL)]
    # And so do those that come for the same URL meanwhile
    world.prepare()
    world.queue.reverse()
    world.work()
    assert world.queue == [(MID, 0, Apart.URL)] * 2
    assert len(world.asked) == 1
    assert world.work_off() == [RETRY_SECONDS[0]]
    assert world.message.state is State.QUEUED
    assert len(world.asked) == 2
    assert world.prompts.find("acme", URL).trying == Trying()


def test_a_failure_that_does_not_pass_ends_the_message_with_its_cause():
    world = World(answers=[SLOW] * 6).prepare()
    assert tuple(world.work_off()) == RETRY_SECONDS
    assert world.message.state == State.FINISHED
    assert world.message.outcome == "promptUnavailable"
    assert [world.message.cause] == ["https://example.com/intro.wav answered 503 (asked 6 times)"]


def test_the_attempts_come_to_an_end_within_three_minutes():
    pauses = [retry_seconds(attempt) for attempt in range(1, len(RETRY_SECONDS) + 1)]
    assert pauses == sorted(pauses)
    assert sum(pauses) + 10 * (len(pauses) + 1) < 180
    assert retry_seconds(99) == pauses[-1]


def test_while_the_host_does_not_answer_the_old_prompt_is_played():
    world = hour_later(SLOW).work()
    assert world.message.asks[0].prompt_uri == "s3:old"
    assert world.prompts.find("acme", URL).source.fresh_until_msec == world.clock.msec + STALE_FRESH_MSEC


def test_but_not_for_more_than_a_day():
    assert hour_later(SLOW, age_msec=STALE_MSEC).work().queue == [(MID, 0, Apart.URL)]


def test_a_file_that_is_gone_is_not_played_from_memory():
    assert hour_later(PromptUnavailable("answered 404")).work().message.outcome == "promptUnavailable"


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        (PromptUnavailable("answered 404"), "answered 404"),
        (Fetched(b"ID3"), "no audio"),
        (Fetched(mulaw_wav(1, encoding=1)), "no audio"),
        (Fetched(mulaw_wav(301)), "five minutes"),
        (Fetched(mulaw_wav(0)), "empty"),
        (Fetched(None), "never had"),
    ],
)
def test_a_message_whose_audio_cannot_be_had_is_finished_and_never_dialled(answer, cause):
    world = World((MENU, BY_URL), [answer]).prepare().work()
    assert world.message.state == State.FINISHED
    assert world.message.outcome == "promptUnavailable"
    assert cause in world.message.cause
    assert world.messages.due(State.QUEUED, NOW + 10**9, 1) == []
    assert not world.audio


def test_a_failure_counts_for_all_who_were_there_before_it_and_later_ones_try_anew():
    world = World(answers=[PromptUnavailable("answered 404"), Fetched(mulaw_wav(1))])
    for mid, after in (("2", 0), ("3", 1)):
        world.messages.add([replace(MESSAGE, mid=mid, menus=(BY_URL,), created_msec=NOW + after)])
    world.queue += [("2", 0), (MID, 0), ("3", 0)]
    for _ in range(3):
        world.work()
    states = [world.messages.get(mid).outcome or world.messages.get(mid).state for mid in ("2", MID, "3")]
    assert states == ["promptUnavailable", "promptUnavailable", State.QUEUED]
    assert len(world.asked) == 2


def test_an_identifier_that_is_gone_is_not_fetched():
    world = World((MENU, BY_URL))
    world.prompts.mark_removed("acme", "ivr_651854")
    assert world.prepare().message.outcome == "promptUnavailable"
    assert not world.queue


def test_another_accounts_audio_is_not_played():
    world = World((MENU,))
    world.prompts.mark_removed("acme", "ivr_651854")
    world.prompts.put("other", UPLOADED)
    assert world.prepare().message.state is State.FINISHED


def test_a_failure_of_ours_leaves_the_message_as_it_is_and_is_tried_again():
    world = World(answers=[OSError("no bucket"), Fetched(mulaw_wav(1))]).prepare().work()
    assert world.message.state == State.PREPARING
    assert world.queue == [(MID, 0, Apart.URL)]
    assert world.work_off() == [fault_seconds(1)]
    assert world.message.state is State.QUEUED


@pytest.mark.parametrize(
    "error", [OSError("no bucket"), RuntimeError("PyAV"), KeyError("x"), RecursionError(), Exception()]
)
def test_and_comes_to_an_end(error, caplog):
    caplog.set_level(logging.CRITICAL)
    world = World((BY_URL, MENU), [error] * 99).prepare()
    waits = world.work_off()
    assert len(waits) == MOST_FAULTS - 1
    assert waits[:6] == [2, 5, 10, 20, 40, 60]
    assert waits[-1] == 60
    assert world.message.outcome == "promptUnavailable"
    assert len(world.asked) == MOST_FAULTS
    assert world.message.cause == f"{OUR_FAULT} (tried {MOST_FAULTS} times)"
    assert len(world.given_up) == 1


def test_what_was_given_up_before_is_given_up_again_only_when_it_is():
    # Given an introduction that was given up for a fault of ours, and a message that comes after that
    world = World(answers=[OSError("no bucket"), Fetched(mulaw_wav(1))], created_msec=NOW + 1)
    source = Source(checked_msec=NOW, failed_msec=NOW, cause=OUR_FAULT)
    world.prompts.put("acme", KnownPrompt(URL, None, NOW, None, source))
    world.clock.msec = NOW + 1
    # When it fails once more, and then not
    world.prepare().work_off()
    assert world.message.state is State.QUEUED
    assert world.given_up == []


def test_after_a_failure_of_ours_the_old_prompt_is_played_too():
    assert hour_later(OSError("no bucket")).work().message.asks[0].prompt_uri == "s3:old"


def test_after_attempts_that_end_the_function_itself_the_old_prompt_is_played_too(caplog):
    world = hour_later(*[SystemExit()] * 9)
    for job in ((MID, 0), (MID, 0, Apart.URL), (MID, 0, Apart.URL)):
        world.queue = [job]
        with pytest.raises(SystemExit):
            world.work()
    world.queue = [job]
    assert world.work().message.asks[0].prompt_uri == "s3:old"
    assert world.prompts.find("acme", URL).source.fresh_until_msec == world.clock.msec + FRESH_MSEC
    assert "tried 3 times" in caplog.text
    assert world.given_up == []


def test_an_attempt_that_ends_the_function_itself_is_counted():
    # Given a file that ends whatever function fetches it, so that its job comes again
    world = World(answers=[SystemExit()] * 99).prepare()
    with pytest.raises(SystemExit):
        world.work()
    world.prepare().work()
    job = world.queue[0]
    assert job == (MID, 0, Apart.URL)
    for _ in range(2):
        world.queue = [job]
        with pytest.raises(SystemExit):
            world.work()
    # Then it is not fetched a fourth time
    world.queue = [job]
    assert world.work().message.outcome == "promptUnavailable"
    assert world.message.cause == f"{OUR_FAULT} (tried 3 times)"
    assert len(world.given_up) == 1
    assert len(world.asked) == 3
    # And its places were given back, or free themselves
    assert world.at_hosts.take("prompts at https://example.com", NOW)


@pytest.mark.parametrize(
    ("store", "call"),
    [
        ("prompts", "find"),
        ("prompts", "put"),
        ("prompts", "put_used"),
        ("messages", "queue"),
        ("of_accounts", "take"),
        ("at_hosts", "take"),
        ("at_hosts", "give_back"),
    ],
)
@pytest.mark.parametrize("times", [1, 10_000])
@pytest.mark.parametrize("error", [OSError("unforeseen"), StoreUnavailable("throttled")])
def test_whatever_call_fails_the_message_reaches_an_end(store, call, times, error, caplog):
    caplog.set_level(logging.CRITICAL)  # to write them down takes longer than all else
    world = World((MENU, BY_URL), [Fetched(mulaw_wav(1))] * 99).prepare()
    real, left = getattr(getattr(world, store), call), [times]

    def failing(*given):
        left[0] -= 1
        if left[0] >= 0:
            raise error
        return real(*given)

    setattr(getattr(world, store), call, failing)
    assert len(world.work_off()) <= MOST_FAULTS
    outcome = world.message.outcome or world.message.state
    assert outcome == (State.QUEUED if times == 1 or call in ("put_used", "give_back") else "promptUnavailable")


def test_what_goes_wrong_in_preparing_is_left_to_the_queue():
    world = World((MENU,))
    world.messages.queue, real = None, world.messages.queue
    world.prepare()
    assert world.message.state == State.PREPARING
    assert world.queue == [(MID, 0, Apart.MESSAGE)]
    world.messages.queue = real
    assert world.work().message.state is State.QUEUED


# ----------------------------------------------------------------- time to live
def with_ttl(seconds, *answers):
    world = World(answers=list(answers))
    world.messages.add([replace(MESSAGE, mid="2", menus=(BY_URL,), ttl_seconds=seconds)])
    prepare_message("2", world.preparation)
    return world


def test_a_message_whose_time_is_up_is_not_prepared():
    world = with_ttl(30)
    world.clock.msec += 29_999
    prepare_message("2", world.preparation)
    assert len(world.queue) == 2
    world.clock.msec += 1
    prepare_message("2", world.preparation)
    message = world.messages.get("2")
    assert message.state == State.FINISHED
    assert message.outcome == "expired"
    assert message.cause == NOT_IN_TIME


def test_nor_fetched_for():
    world = with_ttl(30, *[SLOW] * 9)
    waits = world.work_off()
    assert waits == [2, 5, 10, 20]
    assert world.messages.get("2").outcome == "expired"
    assert len(world.asked) == 4


# ---------------------------------------------------------------------- places
HOST, ACCOUNT = "prompts at https://example.com", "prompts of acme"


def test_an_attempt_has_a_place_of_its_account_and_of_its_host():
    world = World(answers=[])
    seen = []
    world._fetch = lambda *_: (
        seen.append((world.of_accounts.most_seen, world.at_hosts.most_seen)) or Fetched(mulaw_wav(1))
    )
    world.prepare().work()
    assert seen == [({ACCOUNT: 1}, {HOST: 1})]
    assert world.at_hosts.take(HOST, NOW) is not None


@pytest.mark.parametrize("apart", [Apart.NO, Apart.URL, Apart.MESSAGE])
@pytest.mark.parametrize(("full", "places"), [("at_hosts", 1), ("of_accounts", 2)])
def test_without_one_it_waits_and_that_is_no_attempt(full, places, apart):
    world = World(answers=[Fetched(mulaw_wav(1))])
    name = HOST if full == "at_hosts" else ACCOUNT
    taken = [getattr(world, full).take(name, NOW) for _ in range(places)]
    world.queue = [(MID, 0, apart)] * 3
    waits = [world.work(received).wait for received in (1, MOST_LOOKS - 1)]
    assert waits == ([2, 3] if apart else [2, 2])
    assert world.asked == []
    assert world.prompts.find("acme", URL) is None
    assert world.message.state == State.PREPARING
    getattr(world, full).give_back(name, taken[0])
    assert world.work(9).message.state is State.QUEUED
    # Nothing is held
    assert len(world.of_accounts._held[ACCOUNT]) == (1 if full == "of_accounts" else 0)


def test_what_waits_for_its_host_does_not_keep_the_account_from_others():
    world = World(answers=[Fetched(mulaw_wav(1))]).prepare().prepare()
    taken = world.at_hosts.take(HOST, NOW)
    assert world.work(MOST_LOOKS).queue == [(MID, 0), (MID, 0, Apart.URL)]
    # Whatever else comes for the URL follows it
    assert world.work().queue == [(MID, 0, Apart.URL)] * 2
    world.at_hosts.give_back(HOST, taken)
    assert world.work_off() == []
    assert world.message.state == State.QUEUED
    assert len(world.asked) == 1


def test_attempts_of_long_ago_say_nothing():
    world = World(created_msec=NOW + FRESH_MSEC, answers=[SLOW])
    world.prompts.put("acme", KnownPrompt(URL, None, 0, trying=Trying(5, NOW, is_open=True)))
    world.clock.msec += FRESH_MSEC
    world.prepare().work()
    assert world.prompts.find("acme", URL).trying.count == 1
    assert world.queue == [(MID, 0, Apart.URL)]


def test_a_fault_that_cannot_go_apart_waits_where_it_is():
    world = World((MENU,))
    world.preparation = replace(world.preparation, ask_for=None)
    world.messages.queue = None
    world.queue = [(MID, 0)]
    assert world.work().wait == fault_seconds(1)


def test_neither_an_account_nor_a_host_ever_has_all_consumers():
    shares = [(most_at_a_host(consumers), most_of_an_account(consumers)) for consumers in (2, 3, 4, 5, 20, 100)]
    assert shares == [(1, 1), (1, 2), (2, 2), (2, 3), (7, 10), (34, 50)]


def test_text_needs_no_place_at_a_host():
    world = World((SPOKEN,), [Fetched(mulaw_wav(1))]).prepare().work()
    assert world.of_accounts.most_seen == {ACCOUNT: 1}
    assert world.at_hosts.most_seen == {}


def test_attempts_that_had_to_wait_for_their_places_come_to_an_end_too():
    world = World(answers=[SLOW] * 9).prepare().work()
    job = world.queue[0]
    for _ in range(2):
        world.clock.msec += GIVE_UP_MSEC // 2
        world.queue = [job]
        world.work()
    assert world.message.cause == "https://example.com/intro.wav answered 503 (asked 3 times)"


def test_the_longer_a_job_waits_apart_the_more_rarely_it_asks():
    waits = {
        apart: [turn_seconds(received, apart, lambda _low, high: high) for received in (1, 2, 5, 10, 1000)]
        for apart in Apart
    }
    assert waits[Apart.URL] == waits[Apart.MESSAGE] == [4, 6, 26, 60, 60]
    assert waits[Apart.NO] == [3, 4, 9, 10, 10]
    assert turn_seconds(1, Apart.NO, lambda low, _high: low) == 2


def test_preparing_again_does_nothing():
    world = World((MENU,)).prepare()
    before = world.message
    world.prompts.known.clear()
    assert world.prepare().message == before
    world.queue.append((MID, 0))
    assert world.work().message == before


def test_a_message_that_is_gone_is_nobodys_business():
    world = World()
    prepare_message("1", world.preparation)
    world.queue.append(("1", 0))
    assert not world.work().asked


def test_when_a_prompt_was_used_is_kept_to_the_hour():
    world = World((MENU,))
    for mid, after, used in ((MID, 5, 5), ("2", USED_STEP_MSEC, 5), ("3", USED_STEP_MSEC + 5, USED_STEP_MSEC + 5)):
        if mid != MID:
            world.messages.add([replace(MESSAGE, mid=mid, menus=(MENU,))])
        world.clock.msec = NOW + after
        prepare_message(mid, world.preparation)
        assert world.prompts.find("acme", "ivr_651854").used_msec == NOW + used


def add(world, content, name="ivr_1"):
    return add_prompt(
        "acme",
        name,
        content,
        prompts=world.prompts,
        workshop=world.workshop,
        clock=world.clock,
        retire=world.retire,
    )


def test_uploaded_audio_is_checked_before_it_is_stored():
    world = World()
    with pytest.raises(PromptUnavailable):
        add(world, b"RIFF")
    assert not world.audio
    assert add(world, mulaw_wav(2)).prompt.seconds == 2
    assert find_uploaded("acme", "ivr_1", world.prompts).stored_msec == NOW
    with pytest.raises(NotFound):
        find_uploaded("other", "ivr_1", world.prompts)


def test_a_replaced_prompt_was_used_when_its_name_was():
    world = World((MENU,)).prepare()
    assert add(world, mulaw_wav(2), "ivr_651854").used_msec == NOW


def remove(world):
    return remove_prompt("acme", "ivr_1", prompts=world.prompts, retire=world.retire)


def test_audio_that_was_replaced_or_removed_goes():
    world = World()
    uris = [add(world, mulaw_wav(seconds)).prompt.uri for seconds in (1, 2)]
    assert world.retired == uris[:1]
    assert world.prompts.find("acme", "ivr_1").replaced == ()
    assert remove(world)
    assert world.retired == uris
    assert ("acme", "ivr_1") not in world.prompts.known
    assert not remove(world)


@pytest.mark.parametrize("again", [remove, lambda world: add(world, mulaw_wav(3))])
@pytest.mark.parametrize("cut_off", [remove, lambda world: add(world, mulaw_wav(2))])
def test_what_was_cut_off_before_its_audio_was_marked_is_done_by_the_next_request(cut_off, again):
    world = World()
    first = add(world, mulaw_wav(1)).prompt.uri
    world.killed = True
    with pytest.raises(KeyboardInterrupt):
        cut_off(world)
    assert world.retired == []
    assert (world.prompts.find("acme", "ivr_1") is None) == (cut_off is remove)
    world.killed = False
    assert again(world)
    assert first in world.retired
    known = world.prompts.find("acme", "ivr_1")
    assert (known is None) == (again is remove)
    assert known is None or (known.replaced == () and known.prompt.uri not in world.retired)


def test_an_upload_between_anothers_look_and_its_write_goes_too():
    world = World()
    add(world, mulaw_wav(1))
    find_any = world.prompts.find_any

    def find_and_be_late(account_id, name):
        found = find_any(account_id, name)
        world.prompts.find_any = find_any
        add(world, mulaw_wav(2))
        return found

    world.prompts.find_any = find_and_be_late
    last = add(world, mulaw_wav(3)).prompt.uri
    assert world.prompts.find("acme", "ivr_1").prompt.uri == last
    assert set(world.retired) == {f"s3:{number}" for number in (1, 2, 3)} - {last}


def test_an_upload_during_a_removal_stays():
    world = World()
    first = add(world, mulaw_wav(1)).prompt.uri
    retire = world.retire

    def retire_late(uri):
        if not world.retired:
            world.retired.append(uri)
            add(world, mulaw_wav(2))
        else:
            retire(uri)

    assert remove_prompt("acme", "ivr_1", prompts=world.prompts, retire=retire_late)
    known = world.prompts.find("acme", "ivr_1")
    assert known.prompt.uri != first
    assert known.prompt.uri not in world.retired
