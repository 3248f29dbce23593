"""How often somebody may do something: the generic cell rate algorithm, one integer per bucket.

A bucket's state is its theoretical arrival time in microseconds (ITU-T I.371, annex A): the moment
at which it will be full again. 0 is a full bucket. Pure arithmetic; this file keeps nothing.
"""

from __future__ import annotations

import msgspec

__all__ = ["Rate"]

_US_PER_S = 1_000_000


class Rate(msgspec.Struct, frozen=True, gc=False):
    """At most `burst` at once, and one more each `interval_us` after.

    Attributes:
        slack_us: how far ahead of the clock a bucket may be for one more to be allowed.
    """

    interval_us: int
    slack_us: int

    @classmethod
    def of(cls, per_s: int, burst: int) -> Rate:
        """Return the rate of `per_s` a second after `burst` at once."""
        interval = _US_PER_S // per_s
        return cls(interval, (burst - 1) * interval)

    def take(self, bucket: int, now: int) -> int:
        """Return the bucket after one more, or -1 if that is too early.

        Args:
            now: monotonic milliseconds.
        """
        now_us = now * 1000
        if bucket <= now_us:
            return now_us + self.interval_us
        return bucket + self.interval_us if bucket - now_us <= self.slack_us else -1

    def wait_ms(self, bucket: int, now: int) -> int:
        """Return how many milliseconds remain until one more is allowed; 0 if it is allowed now."""
        early = bucket - self.slack_us - now * 1000
        return 0 if early <= 0 else -(-early // 1000)

    def refund(self, bucket: int) -> int:
        """Return the bucket as if the last one had not been."""
        return bucket - self.interval_us
