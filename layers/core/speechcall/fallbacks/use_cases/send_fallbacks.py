"""Sends what is due in place of calls that reached nobody: each at most once, whatever fails.

The service knows no token by which it would tell a repeat. So the intention is written down first, and a run that
finds it written sends nothing: an answer that was lost stays lost (`unknown`).

run A      TransactWrite: pending → sending, the day's parts + 2 ──► SendTextMessage ──► sending → sent
run B           TransactWrite: the same ──X it is not pending
or
run A      TransactWrite: pending → sending ──► SendTextMessage ──► sending → sent
run B, from a page that it read before A     reads: sending, just now ──► left to A
or
run A      TransactWrite: pending → sending ──► SendTextMessage ──► killed
run B, 5 minutes later    sending → unknown, its sender is told ──► no run sends it any more
or
run A      TransactWrite: pending → sending ──► "too many requests" ──► sending → pending, the day's parts - 2
run B, a minute later     TransactWrite: pending → sending ──► SendTextMessage ──► sending → sent
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import assert_never

from speechcall.accounts.rules.account import Account
from speechcall.fallbacks.rules.next_send import LOST_MSEC, GiveUp, SendLater, SendNow, again, next_send
from speechcall.fallbacks.use_cases.fallback_ports import Answer, End, FallbackStore, Intent, Sms, Waiting
from speechcall.messages.rules.fallback import FallbackReason, FallbackStatus
from speechcall.messages.rules.message import Message
from speechcall.messages.rules.sms import parts_of
from speechcall.shared.rules.errors import RetryableError
from speechcall.shared.rules.unforeseen import told
from speechcall.shared.use_cases.clock import Clock

logger = logging.getLogger(__name__)

PAGE = 200


@dataclass(frozen=True, slots=True)
class Fallbacks:
    """Sends the fallbacks that are due. `tell_end` is called for each that has ended, with the id of its message."""

    store: FallbackStore
    sms: Sms
    find_account: Callable[[str], Account | None]
    clock: Clock
    tell_end: Callable[[str, End], object] = lambda _mid, _end: None

    def send_due(self, time_left: Callable[[], float]) -> int:
        """Looks at the fallbacks that are due, while there is time (`time_left` in seconds); how many have ended.

        Raises nothing that goes wrong with a single one: it is looked at again the next minute, and the others now.
        """
        ended = 0
        seen: set[str] = set()
        while time_left() > 0:
            # Those that were seen, and are still due, come first again: so many more are asked for.
            found = [mid for mid in self.store.due(self.clock.now_msec(), PAGE + len(seen)) if mid not in seen]
            for mid in found:
                if time_left() <= 0:
                    break
                seen.add(mid)
                ended += self._look_at(mid)
            if not found:
                break
        return ended

    def _look_at(self, mid: str) -> bool:
        """As `_send`. What goes wrong is logged; then False."""
        try:
            return self._send(mid)
        except RetryableError as error:
            logger.warning("a fallback was not looked at: %s", error, extra={"mid": mid})
        except Exception as error:  # noqa: BLE001 - the next one has nothing to do with it
            logger.error("a fallback could not be looked at: %s", told(error), extra={"mid": mid})
        return False

    def _send(self, mid: str) -> bool:
        """Sends the fallback of a message, puts it off or ends it; whether this run has brought it to its end."""
        found = self.store.find(mid)
        now = self.clock.now_msec()
        if found is None:  # the index lags behind the table
            return False
        if found.is_sending and now < found.intent_msec + LOST_MSEC:  # another run may be sending it just now
            return False
        message = self._message(found)
        if message is None or message.fallback is None:
            return self._end_unreadable(found)
        if found.is_sending:  # due five minutes after the intention was written: the run that has written it was killed
            return self._end(message, End(FallbackStatus.UNKNOWN, "lost"), was_sending=True)
        account = self.find_account(message.account_id)
        decided = next_send(message, account, now, found.until_msec)
        if isinstance(decided, SendNow):
            return self._try(message, found, account.sms_per_day if account else 0)
        return self._put_off_or_end(message, decided)

    def _message(self, found: Waiting) -> Message | None:
        """The message; None: it is gone, or it cannot be read and the time for its fallback is over.

        While there is time, what makes it unreadable is raised, and a RetryableError always: it is looked at again in a
        minute.
        """
        try:
            return self.store.message(found.mid)
        except RetryableError:
            raise
        except Exception:
            if self.clock.now_msec() < found.until_msec:
                raise
            return None

    def _try(self, message: Message, found: Waiting, parts_per_day: int) -> bool:
        """Writes down the intention to send, and sends; or deals with what forbids it.

        Out: whether this run has ended the fallback.
        `parts_per_day`: how many parts of text messages the account may have sent in a day.
        """
        text = message.fallback.text if message.fallback else ""
        parts, now = parts_of(text), self.clock.now_msec()
        intent = self.store.intend(message, parts, parts_per_day, now)
        match intent:
            case Intent.WRITTEN:
                answer = self.sms.send(message.number, text, message.mid)
                return self._settle(message, found, answer, parts, now)
            case Intent.TAKEN:
                return False
            case Intent.OPTED_OUT:
                return self._end(message, End(FallbackStatus.NOT_USED, "optedOut"))
            case Intent.CANCELLED:
                return self._end(message, End(FallbackStatus.NOT_USED, "cancelled"))
            case Intent.DAY_FULL:
                return self._end(message, End(FallbackStatus.FAILED, "smsPerDay"))
            case Intent.PAUSED:
                return self._put_off_or_end(message, again(now, found.until_msec, "paused"))
            case _:
                assert_never(intent)

    def _settle(self, message: Message, found: Waiting, answer: Answer, parts: int, intended_msec: int) -> bool:
        """Ends a fallback by the service's answer, or lets it wait for another try; whether this run has ended it.

        `parts`: of its text. They are given back to the day of `intended_msec` where it was certainly not sent.
        """
        match answer:
            case Answer.TAKEN:
                return self._end(message, End(FallbackStatus.SENT), was_sending=True)
            case Answer.LOST:
                return self._end(message, End(FallbackStatus.UNKNOWN, "lost"), was_sending=True)
            case Answer.OPTED_OUT:
                end = End(FallbackStatus.NOT_USED, "optedOut")
            case Answer.REFUSED:
                end = End(FallbackStatus.FAILED, "refused")
            case Answer.NOT_NOW:
                later = again(self.clock.now_msec(), found.until_msec, "unavailable")
                if isinstance(later, SendLater):
                    self.store.take_back(message, parts, intended_msec, later.at_msec)
                    return False
                end = End(later.status, later.reason)
            case _:
                assert_never(answer)
        return self._end(message, end, was_sending=True, parts=parts, intended_msec=intended_msec)

    def _put_off_or_end(self, message: Message, decided: SendLater | GiveUp) -> bool:
        if isinstance(decided, SendLater):
            self.store.put_off(message.mid, decided.at_msec)
            return False
        return self._end(message, End(decided.status, decided.reason))

    def _end(
        self, message: Message, end: End, *, was_sending: bool = False, parts: int = 0, intended_msec: int = 0
    ) -> bool:
        """Ends a fallback that waits, or (`was_sending`) is being sent, and tells of it. False: another run was first.

        `parts` are given back to the day of `intended_msec`; 0: none are.
        """
        now = self.clock.now_msec()
        more = {"parts": parts, "intended_msec": intended_msec}
        if not self.store.end(message, end, now, was_sending=was_sending, **more):
            return False
        self.tell_end(message.mid, end)
        return True

    def _end_unreadable(self, found: Waiting) -> bool:
        """As `_end`, where the message is gone or cannot be read: UNKNOWN if it may have been sent, else FAILED."""
        reason: FallbackReason = "lost" if found.is_sending else "internal"
        end = End(FallbackStatus.UNKNOWN if found.is_sending else FallbackStatus.FAILED, reason)
        if not self.store.end_unreadable(found.mid, end, self.clock.now_msec()):
            return False
        self.tell_end(found.mid, end)
        return True
