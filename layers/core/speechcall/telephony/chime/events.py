"""What a SIP media application is answered: whatever its event says, and whatever goes wrong, a list of actions.

The service invokes the function at every event of a call, invokes it again after 5 s without an
answer, and hangs up after 20 s (developer guide, "Understanding timeouts and retries"). So an event may
come twice, and while an earlier one is still being answered: see `follow_call`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never

from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.calls.use_cases.hear_end import hear_end
from speechcall.calls.use_cases.ports import CallStore, Engine
from speechcall.calls.use_cases.report import Heard, Next, Op, Report
from speechcall.shared.rules.errors import RetryableError
from speechcall.shared.use_cases.clock import Clock
from speechcall.telephony.chime import actions as chime_actions
from speechcall.telephony.chime.conversation import Asks, Event, Listens, Over, Placed, Word, parse_event

PATIENCE_SECONDS = 0.8
"""For which a command is waited for; with the rest of our work the callee hears silence for less than a second."""
NOTE_TRIES, END_TRIES, PAUSE_SECONDS = 3, 4, 1.0
"""No callee listens yet while it rings, none waits for the answer to a HANGUP, and a HANGUP is not repeated."""


@dataclass(frozen=True, slots=True)
class ChimeEvents:
    """Answers the events of one SIP media application. `logger`: of Powertools, which takes fields by name."""

    calls: CallStore
    engine: Engine
    clock: Clock
    logger: Any
    began: Callable[[], int] | None = None
    """When an invocation began (epoch milliseconds), called once at its beginning."""
    tell_of: Callable[[Next, Heard, int], object] = lambda _step, _heard, _now: None
    """Called with what is done next, what was heard, and the moment of the answer (epoch milliseconds)."""

    def answer(self, event: Any) -> chime_actions.Answer:
        """The answer to an invocation. Never raises: a report that could not be dealt with is asked for again."""
        begin = self.began() if self.began else None
        found = parse_event(event)
        try:
            return self._answer(found, begin)
        except Exception as error:
            # Raised, it would be silence for the callee, and then the end of the call.
            if isinstance(error, RetryableError):
                self.logger.warning("an event could not be dealt with now: %s", error, **_fields(found))
            else:
                self.logger.exception("an event could not be dealt with", **_fields(found))
            if isinstance(found, Asks):
                return chime_actions.again(found.report)
            # A call without its name would be hung up as soon as it is answered.
            return _named(found) if isinstance(found, Placed) else chime_actions.go_on()

    def _answer(self, found: Event, begin: int | None) -> chime_actions.Answer:
        """Carries out what an event says, and answers it with the next actions. Raises what stores and engine raise.

        `begin`: when the invocation began, in epoch milliseconds; None: nobody notes it.
        """
        match found:
            case Asks():
                return chime_actions.render_next(self._follow(found.report.begun(begin)), found)
            case Listens():
                return chime_actions.listen_now(found)
            case Placed():
                self._insist(NOTE_TRIES, lambda: self._note(found))
                return _named(found)
            case Over():
                self._insist(END_TRIES, lambda: self._hear_end(found))
                return chime_actions.go_on()
            case Word():
                if found.problem:
                    self.logger.warning(found.problem, **_fields(found))
                return chime_actions.hang_up(found.named) if found.op is Op.HANG_UP else chime_actions.go_on()
            case _:
                assert_never(found)

    def _follow(self, report: Report) -> Next:
        step = follow_call(
            report, calls=self.calls, engine=self.engine, clock=self.clock, patience_seconds=PATIENCE_SECONDS
        )
        self.tell_of(step, report.heard, self.clock.now_msec())
        return step

    def _note(self, placed: Placed) -> None:
        """Stores the contact of a call: the provider's answer to the dial may be stored later, or may have been lost.

        A call that was not noted would be dialled again, so it is noted once more when it begins to ring. A call that
        has another contact, or is gone, is only logged.
        """
        call = self.calls.get(placed.mid, placed.attempt) if placed.is_ringing else None
        if call is None or call.contact_id is None:
            self.calls.set_contact(placed.mid, placed.attempt, placed.contact_id)
            call = self.calls.get(placed.mid, placed.attempt)
        if call is None or call.contact_id != placed.contact_id:
            # It is hung up as soon as it is answered: a phone that rings cannot be stopped.
            self.logger.error("a call was placed that nobody waits for", mid=placed.mid, attempt=placed.attempt)

    def _insist(self, tries: int, work: Callable[[], None]) -> None:
        """Does what no later event asks for again, in so many tries: a store or an engine may be away for a moment.

        Raises what the last try raises.
        """
        for tries_left in reversed(range(tries)):
            try:
                work()
            except Exception:  # whatever it is, it may have passed by then
                if not tries_left:
                    raise
                self.clock.sleep(PAUSE_SECONDS)
            else:
                return

    def _hear_end(self, over: Over) -> None:
        call = hear_end(over.report, calls=self.calls, engine=self.engine, clock=self.clock)
        if call:
            self.logger.info("call ended", mid=call.mid, attempt=call.attempt, cause=call.cause, sip_code=over.sip_code)


def _fields(found: Event) -> dict[str, object]:
    """The fields of a log line about an event: which call it is, where that is known."""
    match found:
        case Word():
            return dict(zip(("mid", "attempt"), found.named, strict=True)) if found.named else {}
        case Placed() | Listens():
            return {"mid": found.mid, "attempt": found.attempt}
        case Asks() | Over():
            return {"mid": found.report.mid, "attempt": found.report.attempt}
        case _:
            assert_never(found)


def _named(placed: Placed) -> chime_actions.Answer:
    """The answer by which a call gets its name; when it rings it has it."""
    return chime_actions.go_on() if placed.is_ringing else chime_actions.placed(placed.mid, placed.attempt)
