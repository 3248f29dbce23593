"""The buckets against a token bucket that counts tokens."""

from dataclasses import dataclass
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from roomkit.core.pacing import Rate

rates = st.builds(Rate.of, st.integers(1, 1_000), st.integers(1, 10_000))


@dataclass
class Tokens:
    """A bucket of tokens, filled up at the beginning."""

    per_s: int
    burst: int
    tokens: Fraction
    at: int = 0

    def take(self, now: int) -> bool:
        gained = Fraction((now - self.at) * self.per_s, 1000)
        self.tokens, self.at = min(Fraction(self.burst), self.tokens + gained), now
        if self.tokens < 1:
            return False
        self.tokens -= 1
        return True


@given(
    st.sampled_from([1, 2, 4, 5, 8, 10, 20, 25, 50, 100, 1_000]),
    st.integers(1, 20),
    st.lists(st.integers(0, 300), max_size=100),
)
def test_it_allows_what_a_bucket_of_tokens_allows(
    per_s: int, burst: int, pauses: list[int]
) -> None:
    """For rates at which a token takes a whole number of microseconds."""
    rate, model, bucket, now = Rate.of(per_s, burst), Tokens(per_s, burst, Fraction(burst)), 0, 0
    for pause in pauses:
        now += pause
        after = rate.take(bucket, now)
        assert (after >= 0) == (rate.wait_ms(bucket, now) == 0) == model.take(now)
        bucket = max(bucket, after)


@given(st.integers(1, 1_000), st.integers(1, 10_000), st.integers(0, 10_000))
def test_exactly_the_burst_is_allowed_at_once(per_s: int, burst: int, now: int) -> None:
    rate = Rate.of(per_s, burst)
    nearly_empty = now * 1000 + (burst - 1) * rate.interval_us
    empty = rate.take(nearly_empty, now)
    assert empty == nearly_empty + rate.interval_us
    assert rate.take(empty, now) == -1


@given(st.integers(1, 1_000), st.integers(1, 50), st.integers(0, 10_000))
def test_after_the_wait_one_more_is_allowed_and_not_before(
    per_s: int, burst: int, now: int
) -> None:
    rate, bucket = Rate.of(per_s, burst), 0
    while (after := rate.take(bucket, now)) >= 0:
        bucket = after
    wait = rate.wait_ms(bucket, now)
    assert rate.take(bucket, now + wait) >= 0
    assert rate.take(bucket, now + wait - 1) == -1


@given(rates, st.integers(0, 10_000), st.integers(0, 10_000))
def test_a_refund_undoes_what_was_taken(rate: Rate, now: int, bucket_ms: int) -> None:
    after = rate.take(bucket_ms * 1000, now)
    if after >= 0:
        assert rate.refund(after) == max(bucket_ms, now) * 1000
