"""The token bucket: never more than was promised, and a Retry-After that is true."""

from hypothesis import given
from hypothesis import strategies as st

from speechcall.accounts.rules.throttle import TICKS_A_MESSAGE, latest_full, retry_after_seconds, ticks
from tests.kit.samples import NOW

rates, bursts = st.integers(1, 1000), st.integers(100, 2000)
spends = st.lists(st.tuples(st.integers(0, 4000), st.integers(1, 100)), min_size=1, max_size=60)


class Bucket:
    """The rule of `ListStore.spend`, with nothing around it."""

    def __init__(self, rate, burst):
        self.rate, self.burst, self.full = rate, burst, 0

    def refuses(self, messages, now):
        return self.full > ticks(now, self.rate) and self.full > latest_full(now, messages, self.rate, self.burst)

    def take(self, messages, now):
        """None if they were taken; else the seconds to wait."""
        if self.refuses(messages, now):
            return retry_after_seconds(self.full, now, messages, self.rate, self.burst)
        self.full = max(self.full, ticks(now, self.rate)) + messages * TICKS_A_MESSAGE
        return None


@given(rates, bursts, spends)
def test_never_more_than_the_burst_and_the_rate_are_taken(rate, burst, drawn):
    bucket, now, taken = Bucket(rate, burst), NOW, []
    for wait, messages in drawn:
        now += wait
        if bucket.take(messages, now) is None:
            taken.append((now, messages))
    for first, (began, _) in enumerate(taken):
        total = 0
        for ended, messages in taken[first:]:
            total += messages
            assert total * 1000 <= burst * 1000 + rate * (ended - began)


@given(rates, bursts, spends)
def test_the_rate_and_the_burst_are_not_denied(rate, burst, drawn):
    bucket, now = Bucket(rate, burst), NOW
    for wait, messages in drawn:
        now += wait
        # What is owed to the bucket is the cost of what was taken and has not run off
        owed = max(0, bucket.full - ticks(now, rate))
        refused = bucket.take(messages, now) is not None
        assert refused == (owed + messages * TICKS_A_MESSAGE > burst * TICKS_A_MESSAGE)


@given(rates, bursts, spends)
def test_retry_after_is_enough_and_no_second_too_long(rate, burst, drawn):
    bucket, now = Bucket(rate, burst), NOW
    for wait, messages in drawn:
        now += wait
        seconds = bucket.take(messages, now)
        if seconds is not None:
            assert not bucket.refuses(messages, now + seconds * 1000)
            assert seconds >= 1
            assert seconds == 1 or bucket.refuses(messages, now + (seconds - 1) * 1000)


@given(rates, bursts)
def test_a_new_bucket_gives_its_burst_one_by_one_and_then_the_rate(rate, burst):
    bucket = Bucket(rate, burst)
    assert [bucket.take(1, NOW) for _ in range(burst)] == [None] * burst
    assert bucket.take(1, NOW) is not None
    later = NOW + 1000
    assert [bucket.take(1, later) for _ in range(min(rate, burst))] == [None] * min(rate, burst)
    assert bucket.take(1, later) is not None
