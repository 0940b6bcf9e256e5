"""What the use cases need of the order in which accounts and their queues have their turn."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from speechcall.messages.rules.turns import Queue, Turn


class Charge(NamedTuple):
    """For whom a line is taken: the turn and the queue as they were read."""

    turn: Turn
    queue: Queue
    most_price: int | None = None
    """What the call may cost at most; None: that was not asked, because its account may spend anything."""

    @property
    def line_msec(self) -> int:
        """What is charged for the call until its end is known."""
        return self.turn.expected_msec


class TurnStore(Protocol):
    """Accounts and queues that wait for a line. What is read by the order may be a little behind."""

    def waiting(self, limit: int) -> list[Turn]:
        """The first accounts of the order: urgent turns first, then by virtual time."""

    def waiting_shares(self) -> int:
        """The sum of the shares of the accounts in the order, each account once."""

    def queues(self, turn: Turn, limit: int) -> list[Queue]:
        """The first of an account's queues, by virtual time."""

    def heads(self, queue: Queue, limit: int) -> list[str]:
        """The ids of the first messages of a queue."""

    def find(self, account_id: str, is_urgent: bool) -> Turn:
        """An account's turn, strongly consistent; a fresh one if it never had any."""

    def find_queue(self, account_id: str, campaign: str, is_urgent: bool, window: str = "") -> Queue:
        """One of its queues, in the same way."""

    def all_of(self, account_id: str) -> tuple[Sequence[Turn], Sequence[Queue]]:
        """All turns and queues of an account, also those that do not wait; strongly consistent."""

    def wake(
        self,
        account_id: str,
        campaign: str,
        is_urgent: bool,
        now_msec: int,
        *,
        window: str = "",
        opens_msec: int = 0,
        was_stopped: bool = False,
    ) -> None:
        """A message of the queue waits, or is about to: queue and account are in the order for the next minute. An
        account that is paused stays out of it until it is resumed.

        `opens_msec`: its hours are shut, and open then; until then it is not in the order. 0: they are open.
        `was_stopped`: it was paused until now, and so may have left the order since it was last woken, however lately.
        """

    def shut(self, queue: Queue, opens_msec: int) -> None:
        """The hours of a queue are shut until a moment: it leaves the order, and comes back when they open."""

    def open_due(self, now_msec: int) -> int:
        """Brings the queues whose hours have opened into the order, a hundred at the most; how many."""

    def rest(self, turn: Turn, queue: Queue | None = None) -> bool:
        """Takes a queue, or the account, out of the order. False: something has woken it since it was read."""

    def forget_live(self, turn: Turn, holders: Sequence[str]) -> None:
        """Call attempts that hold no line any more are not counted among the account's."""
