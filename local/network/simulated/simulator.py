"""What the laptop shows of calls that ring no phone.

Such calls are played by the product itself: its own queue and its own function. So there is no network to simulate
here, and nothing to answer: what happens is read in the calls as they are stored, and told to the journal in the words
of the other networks. Such a call cannot be taken on the page, and no key can be pressed in it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from threading import Thread
from typing import Any, NoReturn

from local.common.journal import Journal
from local.network.phone_page.app import Call as PhoneCall
from local.network.phone_page.app import PhoneApp
from local.network.shared.prompts import PromptStore
from local.network.shared.service_api import ServiceApi
from speechcall.calls.rules.call import Call
from speechcall.menus.rules.call_log import ANSWERED, IDLE, KEY, Entry

NO_CALLER_ID = "no number"
_STOP_SECONDS = 0.8

Change = tuple[Call | None, Call]
"""A call as it was before a change (None: there was none), and as it is."""


class SimulatedCallers:
    """The calls, which only their own scripts can act in."""

    def get(self, contact_id: str) -> PhoneCall | None:  # noqa: ARG002 - the same for every call
        """None: no telephone belongs to a simulated call."""
        return None

    def call_in(self, number: str, dialled: str) -> PhoneCall | None:  # noqa: ARG002 - from any number
        """None: there is no number that could be called."""
        return None

    def live(self) -> Sequence[PhoneCall]:
        """None of them is a telephone's."""
        return ()


class SimulatedNetwork:
    """Tells the journal what happens in calls. `changes`: yields each change of a stored call until it is stopped."""

    def __init__(
        self,
        changes: Callable[[], Iterator[Change]],
        stop: Callable[[], None],
        read_prompt: Callable[[str], bytes],
        journal: Journal,
    ) -> None:
        self.hello: Callable[[], dict[str, Any]] = dict
        self.contacts = SimulatedCallers()
        self._changes, self._stop, self._journal = changes, stop, journal
        self._prompts = PromptStore(read_prompt)
        self.phone_app = PhoneApp(self.contacts, journal, self._prompts, lambda: self.hello())  # noqa: PLW0108 - it may be set later
        self._thread = Thread(target=self._run, name="simulated-calls", daemon=True)

    @property
    def api(self) -> ServiceApi:
        """There is none: the product asks its own queue."""
        return self._no_api()

    def _no_api(self) -> NoReturn:
        raise LookupError("a simulated telephony asks no API of a network")

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Stop watching."""
        self._stop()
        self._thread.join(_STOP_SECONDS)

    def _run(self) -> None:
        for before, call in self._changes():
            self.tell(before, call)

    def tell(self, before: Call | None, call: Call) -> None:
        """Writes down what has happened between two images of a call."""
        if call.contact_id and not (before and before.contact_id):
            self._record(call, "dialled", number=call.number, caller_id=call.caller_id or NO_CALLER_ID)
        for entry in call.log[before.log_seq if before else 0 :]:
            self._tell_entry(call, entry)
        if call.ended and not (before and before.ended):
            answered = call.answered_msec
            seconds = ((call.ended_msec or 0) - answered) / 1000 if answered is not None else 0.0
            cause = call.cause.value if call.cause else ""
            self._record(call, "ended", reason=cause, answered=answered is not None, seconds=seconds)

    def _tell_entry(self, call: Call, entry: Entry) -> None:
        if entry.event == ANSWERED:
            self._record(call, "answered")
        elif entry.event == KEY:
            self._record(call, "key", key=entry.key.removeprefix("d"), block=entry.seq - 1)
        elif entry.event == IDLE:
            self._record(call, "silence", block=entry.seq - 1)
        else:
            uri = call.asks[entry.menu or 0].prompt_uri
            self._record(call, "prompt_failed", uri=uri, message="the callee's script says so")
        if entry.then.menu is not None:
            ask = call.asks[entry.then.menu]
            with suppress(Exception):  # then the page cannot play it
                self._prompts.read(ask.prompt_uri)
            place = {"block": entry.seq, "seq": entry.seq + 1}
            self._record(call, "prompt", uri=ask.prompt_uri, seconds=ask.prompt_seconds, **place)

    def _record(self, call: Call, kind: str, **details: Any) -> None:
        self._journal.record(kind, mid=call.mid, contact_id=call.contact_id, attempt=str(call.attempt), **details)
