"""A lookup: a receiver is asked which menu follows, while the callee waits.

      state machine          ask_receiver              receiver           call item
          │── lookup, seq 3 ────►│                         │                  │   entry 3: key 1, then a lookup
          │                      │── POST, webhook-id ────►│                  │
          │                      │◄── {"case": "paid"} ────│                  │
          │                      │── decided: paid, menu 2 ──────────────────►│   unless the time was up before
          │◄── menu 2 ───────────│                                            │   the telephony asks menu 2 by itself

The time counts from the key. When it is over the telephony decides by itself (`follow_call`); so the callee waits no
longer, whatever becomes of this function. Of all that decide the first one is obeyed by everybody, the state machine
too. A function that dies behind its request is tried again once: so a receiver may be asked twice, under one
webhook-id, and never after the time is over.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from speechcall.calls.rules.call import Call
from speechcall.calls.rules.end_of_call import is_over
from speechcall.calls.rules.lookup_answer import MOST_BYTES, NO_PLACE, case_in
from speechcall.calls.use_cases.ports import CallStore
from speechcall.menus.rules.call_log import INTERNAL_ERROR, TIMED_OUT, Entry
from speechcall.menus.rules.menu import Lookup, Menu
from speechcall.messages.rules.message import Message
from speechcall.messages.use_cases.message_reader import MessageReader
from speechcall.outbound.rules.destination import destination
from speechcall.shared.rules.errors import ForbiddenAddress, Unreachable
from speechcall.shared.rules.ids import event_id
from speechcall.shared.rules.unforeseen import told
from speechcall.shared.use_cases.clock import Clock
from speechcall.webhooks.rules.webhook import WebhookRequest, may_tell_digits, webhook_request

FORBIDDEN_ADDRESS = "FORBIDDEN_ADDRESS"

logger = logging.getLogger(__name__)


class Places(Protocol):
    """How many lookups are in flight to each destination."""

    def take(self, destination: str, now_msec: int) -> str | None:
        """Takes a place; its name, for `give_back`. None: too many are in flight."""

    def give_back(self, destination: str, name: str) -> None:
        """Gives a place back that was taken."""


class Question(NamedTuple):
    """Which lookup: the step of a list that was started by what was heard for the question `seq` of a call."""

    mid: str
    attempt: int
    seq: int
    menu: int
    key: str
    step: int

    @property
    def log_fields(self) -> dict[str, object]:
        """The fields of every log line that is about it."""
        return {"mid": self.mid, "attempt": self.attempt, "webhook_id": event_id(*self)}


class Led(NamedTuple):
    """Where a lookup has led: the menu; the case (empty: none) and a word for why it is none (empty: there is one, or
    nobody was asked, as the call is over).
    """

    menu: int
    case: str
    error: str
    asked_msec: int | None = None
    """How long the receiver was waited for; None: it was not asked, or that is not known (INTERNAL_ERROR)."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a lookup is made with."""

    calls: CallStore
    messages: MessageReader
    places: Places
    ask: Callable[[WebhookRequest, float, int], tuple[int, bytes]]
    """Status and body of the answer to a request, in at most so many seconds, of at most so many bytes. Raises
    ForbiddenAddress, Unreachable.
    """
    sign: Callable[[str, WebhookRequest], WebhookRequest]
    """A request with the signature of an account (its id)."""
    clock: Clock
    unseal: Callable[[str, str], str]
    """Opens sensitive digits of a message, by its id. Raises StoreUnavailable."""

    def look_up(self, question: Question) -> Led:
        """Asks the receiver, and writes and returns the menu that follows. Safe to repeat: the first decision stays.

        Raises LookupError if the message is gone or has no lookup there, and what the stores raise; then the state
        machine tries again.
        """
        message = self.messages.get(question.mid)
        if message is None:
            raise LookupError("the message is gone")
        lookup = lookup_at(message.menus, question.menu, question.key, question.step)
        call = self.calls.get(question.mid, question.attempt)
        if call and (found := _decided(call, question.seq)):  # also if it has ended since: keys may stand behind it
            return found
        if call is None or is_over(call):  # no callee waits; the menu that is asked next is answered with the end
            return Led(lookup.otherwise, "", "")
        until = call.waits_until(question.seq)
        if until is None:  # it was dialled under a release that keeps no log of it
            until = self.clock.now_msec() + lookup.timeout_msec
        case, error, asked_msec = self._ask(message, lookup, question, call.entry(question.seq), until)
        now = self.clock.now_msec()
        decided = call.would_decide(question.seq, now, case, lookup.leads(case), error)
        after = self.calls.decide(question.mid, question.attempt, decided) if decided else None
        if after and (found := _decided(after, question.seq)):
            return found._replace(asked_msec=asked_msec)
        # Nothing was decided: the call keeps no log, or has ended meanwhile.
        return Led(lookup.leads(case), case, error, asked_msec)

    def _ask(
        self, message: Message, lookup: Lookup, question: Question, entry: Entry | None, until: int
    ) -> tuple[str, str, int | None]:
        """The case, or an empty one and the word for why; and how long the receiver was waited for (see `Led`). Never
        raises.

        `entry`: what was heard for the question; None: it was dialled under a release that keeps no log. `until`: when
        the callee's time is over (epoch milliseconds).
        """
        begin = self.clock.now_msec()
        if begin >= until:
            return "", TIMED_OUT, None
        try:
            place = f"lookup {destination(lookup.url)}"
            name = self.places.take(place, begin)
            if name is None:
                return "", NO_PLACE, None
            try:
                case, error = self._exchange(message, lookup, question, self._digits(message, question, entry), until)
            finally:
                self.places.give_back(place, name)
        except Exception as unforeseen:  # noqa: BLE001 - whatever it is, the callee waits for what follows
            logger.error("a lookup could not be made: %s", told(unforeseen), extra={"mid": question.mid})
            return "", INTERNAL_ERROR, None
        return case, error, self.clock.now_msec() - begin

    def _digits(self, message: Message, question: Question, entry: Entry | None) -> str | None:
        """What was entered, for the request alone; None: the list does not run for digits, or none were entered."""
        if entry is None or not may_tell_digits(message.menus[question.menu], question.key):
            return None
        return self.unseal(question.mid, entry.sealed) if entry.sealed else entry.digits

    def _exchange(
        self, message: Message, lookup: Lookup, question: Question, digits: str | None, until: int
    ) -> tuple[str, str]:
        """Sends the signed request, which has time until `until`; the case, or an empty one and why there is none."""
        now = self.clock.now_msec()
        asked = webhook_request(message, lookup, event_id(*question), now // 1000, digits)
        request = self.sign(message.account_id, asked)
        try:
            status, body = self.ask(request, max(until - self.clock.now_msec(), 1) / 1000, MOST_BYTES)
        except ForbiddenAddress:
            return "", FORBIDDEN_ADDRESS
        except Unreachable as failure:
            return "", failure.word
        return case_in(status, body, lookup.cases)


def lookup_at(menus: tuple[Menu, ...], menu: int, key: str, step: int) -> Lookup:
    """The lookup at a place. Raises LookupError if there is none."""
    action = menus[menu].actions[key][step]
    if not isinstance(action, Lookup):
        raise LookupError(f"no lookup in menu {menu}, {key}, step {step}")
    return action


def _decided(call: Call, seq: int) -> Led | None:
    entry = call.entry(seq)
    decided = entry.decided if entry else None
    return Led(decided.target, decided.case, decided.error) if decided else None
