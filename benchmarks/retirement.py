"""What deleting unused state machines costs and how far it keeps up: the real rules on a simulated registry.

100,000 machines, the quota of a Region, of which each was last used at some time of the last sixty days; and each day
1,600 new shapes, each for one day only (an account may bring 200). DeleteStateMachine is throttled as Step Functions
does it (service quotas: 100 at once, one a second more).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from random import Random

from benchmarks.length import in_short
from speechcall.menus.rules.retirement import DAY_MSEC, PARTS, FlowUse, part_of
from speechcall.menus.use_cases.retire_flows import BATCH, retire_flows
from speechcall.shared.rules.errors import EngineUnavailable

MACHINES = in_short(100_000, 500)
NEW_EACH_DAY = in_short(1_600, 10)
DAYS = in_short(64, 2)
BURST, A_SECOND = 100, 1
RUN_SECONDS = 285
READ_USD, WRITE_USD = 0.125 / 1e6, 0.625 / 1e6
"""DynamoDB on demand, us-east-1, for one read unit and one write unit, since the reduction of November 2024."""
PAGE = 1000


class Registry:
    """In memory, with a count of what DynamoDB would be asked."""

    def __init__(self) -> None:
        self.known: dict[str, FlowUse] = {}
        self.reads = self.writes = 0

    def of(self, names: Sequence[str]) -> Mapping[str, FlowUse]:
        self.reads += len(names)
        return {name: self.known[name] for name in names if name in self.known}

    def count_from(self, name: str, _arn: str, now_msec: int) -> bool:
        return self._write(name, FlowUse(now_msec))

    def mark(self, name: str, use: FlowUse, now_msec: int) -> bool:
        return self._write(name, replace(use, marked_msec=now_msec))

    def begin_deletion(self, name: str, use: FlowUse, now_msec: int) -> bool:
        return self._write(name, replace(use, deleting_msec=now_msec))

    def give_up_deletion(self, name: str) -> None:
        self._write(name, replace(self.known[name], deleting_msec=None))

    def forget(self, name: str) -> None:
        self.writes += 1
        del self.known[name]

    def _write(self, name: str, use: FlowUse) -> bool:
        self.writes += 1
        self.known[name] = use
        return True


class Deletions:
    """DeleteStateMachine with its throttle, within one run."""

    def __init__(self, parts: list[dict[str, str]]) -> None:
        self._parts, self.tokens, self.asked = parts, float(BURST), 0

    def __call__(self, arn: str) -> None:
        self.asked += 1
        if self.tokens < 1:
            raise EngineUnavailable("ThrottlingException")
        self.tokens -= 1
        del self._parts[part_of(arn)][arn]


def main() -> None:
    """Print how many machines there are, and what a day costs, as time passes."""
    random = Random(7)
    registry, parts = Registry(), [dict[str, str]() for _ in range(PARTS)]

    def make(count: int, used: range, now: int) -> None:
        for _ in range(count):
            name = f"0a1b2c3d-{random.getrandbits(160):040x}"
            parts[part_of(name)][name] = name
            registry.known[name] = FlowUse(now - random.choice(used) * DAY_MSEC)

    now = 100 * DAY_MSEC
    make(MACHINES, range(60), now)
    print(f"\nState machines: {MACHINES:,} at first, {NEW_EACH_DAY:,} new each day, deleted after 60 days without use")
    print(f"{'day':>5}{'machines':>10}{'deleted a day':>15}{'reads':>9}{'writes':>8}{'lists':>7}{'USD a day':>11}")
    for day in range(1, DAYS + 1):
        registry.reads = registry.writes = deleted = 0
        make(NEW_EACH_DAY, range(1), now)
        for part in range(PARTS):
            deletions, begin = Deletions(parts), iter(range(10**9))
            seconds = RUN_SECONDS

            def delete(arn: str, deletions: Deletions = deletions) -> None:
                deletions.tokens = min(BURST, deletions.tokens + A_SECOND)  # botocore waits a second, and asks again
                deletions(arn)

            found = list(parts[part].items())
            done = retire_flows(
                found,
                part,
                uses=registry,
                delete=delete,
                now_msec=lambda now=now: now,  # type: ignore[misc]
                time_left=lambda begin=begin, seconds=seconds: seconds - next(begin) * 0.03,  # type: ignore[misc]
            )
            deleted += done.deleted
        now += DAY_MSEC
        if day in {1, 30, 60, 61, 62, DAYS}:
            total = sum(map(len, parts))
            lists = PARTS * -(-total // PAGE)
            usd = registry.reads * READ_USD + registry.writes * WRITE_USD
            figures = f"{deleted:>15,}{registry.reads:>9,}{registry.writes:>8,}{lists:>7,}{usd:>11.3f}"
            print(f"{day:>5}{total:>10,}{figures}")
    print(f"(a request of {BATCH} reads; each run of five minutes looks at one of {PARTS} parts)")


if __name__ == "__main__":
    main()
