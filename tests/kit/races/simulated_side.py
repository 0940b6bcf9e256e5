"""A simulated telephony's side: its own client and its own function, and a queue on the world's clock.

Its callees act by their numbers, so no callee of a race can: `test_simulated_calls.py` runs it by itself.
"""

from collections.abc import Sequence
from typing import Any

from speechcall.calls.rules.call import Call
from speechcall.calls.use_cases.ports import Contact
from speechcall.shared.rules.errors import TelephonyUnavailable
from speechcall.shared.rules.time_bounds import Ringing
from speechcall.telephony.simulated.client import SimulatedTelephony
from speechcall.telephony.simulated.events import SimulatedCalls
from speechcall.telephony.simulated.moments import Moment, What, dump, parse
from tests.kit.races.chime_side import Silent
from tests.kit.races.world import Phone, World, trouble_after, trouble_before

FUNCTION_SECONDS, HIDDEN_SECONDS, RECEIVES = 10, 60, 5


class SimulatedSide:
    """A queue with our function behind it. SQS delivers at least once, and again what was not dealt with."""

    dials_once, has_records = True, False
    ringing = Ringing.PROVIDERS
    orders_reports = True
    numbers_events = True
    phones: Sequence[Phone] = ()
    keys_told = 0

    def __init__(self, world: World) -> None:
        self.world = world
        self.sent: list[Moment] = []
        self._telephony = SimulatedTelephony(self)
        self._calls = SimulatedCalls(world.stepped_calls, world.engine, self, world.clock, Silent())

    # -------------------------------------------------------------- telephony
    def place(self, call: Call, ring_timeout_seconds: int) -> str:
        faults = self.world.faults
        trouble = trouble_before(faults)
        placed = self._telephony.place(call, ring_timeout_seconds)
        trouble_after(faults, trouble)
        return placed

    def stop(self, contact_id: str) -> None:
        self._telephony.stop(contact_id)

    def look_up(self, contact_id: str) -> Contact:
        return self._telephony.look_up(contact_id)

    # ------------------------------------------------------------------ queue
    def send(self, moment: Moment, seconds: float = 0) -> None:
        self.world.play.step()
        if self.world.faults.failing("queue", "send"):
            raise TelephonyUnavailable("no connection")
        self.sent.append(moment)
        body, copies = dump(moment), 2 if self.world.random.random() < self.world.faults.doubled else 1
        for _ in range(copies):
            late = self.world.random.choice((0.0, 0.01, 0.2))
            self.world.play.after(seconds + late, lambda: self._deliver(body, self._now))

    @property
    def _now(self) -> int:
        return self.world.play.msec

    def _deliver(self, body: str, sent_msec: int, receives: int = 1) -> None:
        # What a callee would wait for is held to what may be done in that time.
        name = "follow_call" if parse(body).what is What.HEARS else "another moment"

        def run() -> None:
            play = self.world.play
            running: Any = None
            if not self.world.faults.throttled():
                running = play.spawn(name, lambda: self._calls.take(parse(body), sent_msec), FUNCTION_SECONDS)
                play.until(lambda: running.done)
            if (running is None or running.killed or running.error) and receives < RECEIVES:
                play.after(HIDDEN_SECONDS, lambda: self._deliver(body, sent_msec, receives + 1))

        self.world.play.spawn("queue of simulated calls", run)
