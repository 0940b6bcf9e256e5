"""What happens in a simulated call in a moment that is due, and which moment is next.

      queue                      this                       call item
        │── rings ────────────────►│── the contact ────────────►│
        │◄── answered, in 3 s ─────│                            │
        │── answered ─────────────►│── entry 1, then menu 0 ───►│
        │◄── key 1, in 2 s ────────│   (the callee's script)    │
        │── key 1, seq 2 ─────────►│── entry 2: key 1 ─────────►│   SendTaskSuccess
        │◄── next, in 1 s ─────────│   hold                     │
        │── next, seq 2 ──────────►│── hang up? ───────────────►│
        │◄── ends ─────────────────│                            │
        │── ends ─────────────────►│── ended ──────────────────►│   SendTaskSuccess

It speaks to the same two use cases as every telephony: `follow_call` for what is heard, `hear_end` for the end. The
queue delivers at least once. Moments are numbered (`turn`): one that comes again when a later one was dealt with is
answered GO_ON, and makes no second chain; one that comes again before makes a second chain of the same moments, which
changes nothing, because the first entry for a question stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, assert_never

from speechcall.calls.rules.call import Cause
from speechcall.calls.rules.end_of_call import is_over
from speechcall.calls.use_cases.follow_call import follow_call
from speechcall.calls.use_cases.hear_end import EndReport, hear_end
from speechcall.calls.use_cases.ports import CallStore, Engine
from speechcall.calls.use_cases.report import DIGITS, NEXT, Heard, Next, Op, Report
from speechcall.menus.rules.ask import MOST_DIGITS
from speechcall.menus.rules.call_log import ANSWERED, IDLE, KEY, PROMPT_ERROR
from speechcall.shared.rules.errors import RetryableError
from speechcall.shared.use_cases.clock import Clock
from speechcall.telephony.simulated.callees import Act, Callee, callee_of, entry_of, key_of
from speechcall.telephony.simulated.client import Moments
from speechcall.telephony.simulated.moments import Moment, What

ANSWER_SECONDS, REFUSE_SECONDS = 3, 2
"""After which a callee answers, and after which the network says that nobody will."""
KEY_SECONDS, LEAVE_SECONDS = 2, 1
"""Into a menu, when a key is pressed; into an introduction, when somebody hangs up. Sooner where the menu is short."""
HOLD_SECONDS = 1
MOST_TRIES, AGAIN_SECONDS = 3, 1
"""A moment that cannot be dealt with comes again, as the contact flow of Amazon Connect makes its reports again."""


@dataclass(frozen=True, slots=True)
class SimulatedCalls:
    """Deals with the moments of simulated calls. `logger`: of Powertools, which takes fields by name."""

    calls: CallStore
    engine: Engine
    moments: Moments
    clock: Clock
    logger: Any
    tell_of: Callable[[Next, Heard, int], object] = lambda _step, _heard, _now: None

    def take(self, moment: Moment, sent_msec: int) -> None:
        """Does what happens, and queues what is next. `sent_msec`: when it was queued. Safe to repeat.

        Raises what the stores, the engine and the queue raise: a RetryableError only when it has come again three
        times, before that it is queued to come again.
        """
        try:
            self._take(moment, sent_msec)
        except RetryableError as error:
            if moment.tries >= MOST_TRIES:
                raise
            self.logger.warning("a moment could not be dealt with now: %s", error, mid=moment.mid)
            self.moments.send(moment._replace(tries=moment.tries + 1), AGAIN_SECONDS)

    def _take(self, moment: Moment, sent_msec: int) -> None:
        """As `take`, without another try.

        An end has its cause, whether or not somebody answered; a stop has two, and ended the call when it was queued.
        """
        match moment.what:
            case What.RINGS:
                self._ring(moment)
            case What.HEARS:
                self._follow(moment)
            case What.ENDS:
                self._end(moment, moment.cause, moment.cause)
            case What.STOPPED:
                self._end(moment, Cause.STOPPED, Cause.NO_ANSWER, sent_msec)
            case _:
                assert_never(moment.what)

    def _ring(self, moment: Moment) -> None:
        """Stores the contact, and queues how the ringing ends: with the answer, or as a call that is not answered.

        Nothing is queued for a call that is gone or over, or has another contact.
        """
        call = self.calls.set_contact(moment.mid, moment.attempt, moment.contact_id)
        if call is None or is_over(call) or call.contact_id != moment.contact_id:
            return
        callee = callee_of(moment.script, moment.attempt)
        if callee.unanswered is None:
            answered = _next(moment, What.HEARS, event=ANSWERED, leaves=callee.leaves_at_once)
            self.moments.send(answered, ANSWER_SECONDS)
            return
        rings_out = callee.unanswered is Cause.NO_ANSWER
        self.moments.send(_ends(moment, callee.unanswered), moment.ring_seconds if rings_out else REFUSE_SECONDS)

    def _follow(self, moment: Moment) -> None:
        """Reports what is heard, and queues what happens next, if anything does."""
        heard = Heard(moment.event, moment.seq, moment.key * min(moment.times, MOST_DIGITS), repeat=moment.repeat)
        report = Report(moment.mid, moment.attempt, moment.contact_id, heard, moment.turn)
        step = follow_call(report, calls=self.calls, engine=self.engine, clock=self.clock)
        self.tell_of(step, heard, self.clock.now_msec())
        if due := _after(moment, step):
            self.moments.send(*due)

    def _end(
        self, moment: Moment, if_answered: Cause | None, if_unanswered: Cause | None, at_msec: int | None = None
    ) -> None:
        """Tells the end of a call. In: its cause if somebody had answered, and if nobody had.

        `at_msec`: when it ended; None: now, as the moment is dealt with.
        """
        report = EndReport(
            moment.mid,
            moment.attempt,
            moment.contact_id,
            if_answered=if_answered,
            if_unanswered=if_unanswered,
            is_last_word=True,
            at_msec=at_msec,
            turn=moment.turn,
        )
        call = hear_end(report, calls=self.calls, engine=self.engine, clock=self.clock)
        if call:
            self.logger.info("call ended", mid=call.mid, attempt=call.attempt, cause=call.cause)


def _after(moment: Moment, step: Next) -> tuple[Moment, float] | None:
    """The moment that follows one whose report was answered with `step`, and in how many seconds; None: none does."""
    match step.op:
        case Op.HANG_UP if step.call or step.lost:
            return _ends(moment, Cause.HUNG_UP), 0
        case Op.HANG_UP | Op.GO_ON:  # the call is over or unknown; or a later moment of it was dealt with already
            return None
        case Op.ASK | Op.HOLD | Op.WAIT if moment.leaves:
            return _ends(moment, Cause.CALLER_HUNG_UP), 0
        case Op.HOLD | Op.WAIT:
            return _next(moment, What.HEARS, event=NEXT, seq=step.seq), HOLD_SECONDS
        case Op.ASK:
            return _reaction(moment, step, callee_of(moment.script, moment.attempt))
        case _:
            assert_never(step.op)


def _reaction(moment: Moment, step: Next, callee: Callee) -> tuple[Moment, float]:
    """The moment in which a callee who is asked a menu (`step`) does something, and in how many seconds.

    In a short menu it is done halfway: always before the callee would count as silent.
    """
    ask, asked = step.ask, moment.asked + 1
    deed, whole = callee.deed(asked), ask.prompt_seconds + ask.idle_seconds
    match deed.act:
        case Act.KEY | Act.WRONG_KEY | Act.KEY_AND_LEAVE:
            leaves = deed.act is Act.KEY_AND_LEAVE
            if ask.input:
                event, key, times = (DIGITS, *entry_of(deed, ask.input))
            else:
                event, key, times = KEY, key_of(deed, _listed(step)), 1
            pressed = _next(
                moment, What.HEARS, asked=asked, event=event, seq=step.seq, key=key, times=times, leaves=leaves
            )
            if not ask.barge_in:  # before, it would not be heard
                return pressed, ask.prompt_seconds + min(KEY_SECONDS, ask.idle_seconds / 2)
            return pressed, min(KEY_SECONDS, whole / 2)
        case Act.SILENCE:
            return _next(moment, What.HEARS, asked=asked, event=IDLE, seq=step.seq, repeat=step.repeat), whole
        case Act.HEAR_NOTHING:
            return _next(moment, What.HEARS, asked=asked, event=PROMPT_ERROR, seq=step.seq), 0
        case Act.LEAVE_PROMPT:
            return _ends(moment, Cause.CALLER_HUNG_UP), min(LEAVE_SECONDS, ask.prompt_seconds / 2)
        case Act.LEAVE_WAIT:
            return _ends(moment, Cause.CALLER_HUNG_UP), ask.prompt_seconds + min(LEAVE_SECONDS, ask.idle_seconds / 2)
        case _:
            assert_never(deed.act)


def _listed(step: Next) -> frozenset[str]:
    """The keys that have a list in the menu that is asked; none where the call has no plan."""
    plan = step.call.plan if step.call else None
    menu = step.command.menu if step.command else None
    return frozenset(plan.table[menu or 0]) if plan else frozenset()


def _next(moment: Moment, what: What, **more: Any) -> Moment:
    """The moment that follows `moment`. What `moment` says of its event is reset; `more` says what happens next."""
    told = {
        "event": ANSWERED,
        "seq": 1,
        "repeat": 0,
        "key": "",
        "leaves": False,
        "cause": None,
        "tries": 0,
        "times": 1,
        **more,
    }
    return moment._replace(what=what, turn=moment.turn + 1, **told)


def _ends(moment: Moment, cause: Cause) -> Moment:
    return _next(moment, What.ENDS, cause=cause)
