"""What a URL's audio comes to, in all orders of what its host does: held to docs/prompts.md, "From a URL", said again.

The model here knows no stored form: only what the page says, sentence by sentence.
"""

import logging
from dataclasses import dataclass, field, replace
from enum import Enum

from hypothesis import event as note
from hypothesis import example, given
from hypothesis import strategies as st

from speechcall.messages.rules.message import State
from speechcall.prompts.use_cases.prompt_sources import Fetched
from speechcall.shared.rules.errors import PromptUnavailable, PromptUnreachable
from tests.kit.carrier_bench import mulaw_wav
from tests.kit.samples import MESSAGE, NOW
from tests.unit.test_prepare_prompts import BY_URL, World

MINUTE, HOUR = 60_000, 3_600_000
TRIES, OUR_TRIES = 6, 15
"""Asked once, and again after about 2, 5, 10, 20 and 40 s. A fault of our own: 15 times."""


class Says(Enum):
    """What the host does when it is asked."""

    OK = "the file that it has; 304, if that is the one that we have"
    CHANGED = "another file from now on"
    GONE = "404"
    DOWN = "503"
    OUR_FAULT = "it is our own service that fails"


@dataclass
class Model:
    """The page: what is had, when the host last had it, until when it is not asked; and what a message comes to."""

    had: int | None = None
    had_msec: int = 0
    fresh_until_msec: int = 0

    def message(self, asked: "list[tuple[Says, int, int]]") -> str:
        """What becomes of a message. `asked`: of each time that its URL was asked for, what the host did, which file it
        had then, and the moment; of the last one it says what is played, or why nothing is.
        """
        for says, file, now in asked:
            if says in (Says.OK, Says.CHANGED):
                self.had, self.had_msec, self.fresh_until_msec = file, now, now + HOUR
            elif says is Says.GONE:
                self.fresh_until_msec = 0
                return "it answered 404"
            elif self.had is not None and now - self.had_msec < 24 * HOUR:
                self.fresh_until_msec = now + 5 * MINUTE
            elif says is Says.DOWN and len(asked) == TRIES:
                return f"it answered 503 (asked {TRIES} times)"
            elif says is Says.OUR_FAULT and len(asked) == OUR_TRIES:
                return f"our own service failed (tried {OUR_TRIES} times)"
        return f"plays {self.had}"

    def is_asked(self, now_msec: int) -> bool:
        return self.had is None or now_msec >= self.fresh_until_msec


@dataclass
class Host(World):
    """A world with a host that does what `does` says, once each, and then the same for ever."""

    does: list[Says] = field(default_factory=list)
    file: int = 1
    heard: list[tuple[Says, int, int]] = field(default_factory=list)

    def _fetch(self, url, etag, last_modified):
        says = self.does.pop(0) if len(self.does) > 1 else self.does[0]
        self.file += says is Says.CHANGED
        self.heard.append((says, self.file, self.clock.msec))
        if says is Says.GONE:
            raise PromptUnavailable("it answered 404")
        if says is Says.DOWN:
            raise PromptUnreachable("it answered 503")
        if says is Says.OUR_FAULT:
            raise OSError("no bucket")
        return Fetched(None if etag == str(self.file) else mulaw_wav(self.file), str(self.file))

    def send(self, mid):
        """What becomes of a message that is accepted now: what is played, or its cause."""
        self.heard.clear()
        self.messages.add([replace(MESSAGE, mid=mid, menus=(BY_URL,), created_msec=self.clock.msec)])
        self.queue.append((mid, 0))
        self.work_off()
        message = self.messages.get(mid)
        return f"plays {round(message.asks[0].prompt_seconds)}" if message.state is State.QUEUED else message.cause


PAUSES = st.sampled_from([1000, 4 * MINUTE, 6 * MINUTE, 55 * MINUTE, 61 * MINUTE, 5 * HOUR, 22 * HOUR, 25 * HOUR])
ONE_MESSAGE = st.tuples(PAUSES, st.lists(st.sampled_from(Says), min_size=1, max_size=2))


@given(st.lists(ONE_MESSAGE, min_size=1, max_size=8))
@example([(HOUR, [Says.OK]), (2 * HOUR, [Says.GONE]), (HOUR, [Says.DOWN]), (MINUTE, [Says.OK])])
@example([(HOUR, [Says.OK]), (2 * HOUR, [Says.GONE]), (HOUR, [Says.OUR_FAULT]), (6 * MINUTE, [Says.GONE])])
@example([(HOUR, [Says.OK]), (25 * HOUR, [Says.DOWN]), (1000, [Says.DOWN, Says.OK])])
@example([(HOUR, [Says.GONE]), (1000, [Says.OUR_FAULT]), (1000, [Says.OUR_FAULT, Says.GONE])])
def test_whatever_the_host_does_a_message_comes_to_what_the_page_says(story):
    logging.disable(logging.CRITICAL)
    try:
        told(story)
    finally:
        logging.disable(logging.NOTSET)


def told(story):
    host, model, given_up = Host(), Model(), 0
    host.clock.msec = NOW
    for number, (pause, does) in enumerate(story):
        host.clock.msec += pause
        host.does = list(does)
        is_asked = model.is_asked(host.clock.msec)
        became = host.send(str(number))
        assert bool(host.heard) is is_asked
        # The kinds of failure together count as one attempt after the other: the page tells nothing of a mixture.
        if {says for says, _, _ in host.heard} >= {Says.DOWN, Says.OUR_FAULT}:
            return
        assert model.message(host.heard) in became
        note(f"{does[0].name}: {'plays' if became.startswith('plays') else 'nothing'}")
        given_up += "our own service" in became
        assert len(host.given_up) == given_up
