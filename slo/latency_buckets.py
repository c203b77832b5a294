"""Latency histograms as the rollups keep them: OTel exponential buckets of scale 5 over whole nanoseconds.

A histogram is a mapping of bucket index to count. Bucket i holds [2^(i/32), 2^((i+1)/32)) nanoseconds and is 2.2 %
wide. Whether a bucket lies within a threshold is decided in whole numbers, by raising both to the 32nd power.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from slo.model import EventCounts

BUCKETS_PER_DOUBLING: Final = 32


def last_bucket_within(threshold_ns: int) -> int:
    """Return the highest bucket whose every duration is at most *threshold_ns*; -1 when not even bucket 0 is.

    >>> last_bucket_within(2**20 - 1)  # bucket 639 ends just below 2^20
    639
    """
    return int((threshold_ns + 1) ** BUCKETS_PER_DOUBLING).bit_length() - 2


def split(buckets: Mapping[int, int], last_good: int) -> EventCounts:
    """Return the durations as events, of which those up to bucket *last_good* are good.

    >>> split({100: 7, 200: 3}, last_good=100)
    EventCounts(good=7, total=10)
    """
    return EventCounts(
        good=sum(count for bucket, count in buckets.items() if bucket <= last_good), total=sum(buckets.values())
    )


def quantile_bucket(buckets: Mapping[int, int], level: Decimal) -> int | None:
    """Return the lowest bucket that at least the share *level* of durations does not lie above; None without any.

    >>> quantile_bucket({100: 95, 200: 5}, Decimal("0.95")), quantile_bucket({100: 94, 200: 6}, Decimal("0.95"))
    (100, 200)
    """
    wanted, seen = level * sum(buckets.values()), 0
    for bucket in sorted(bucket for bucket, count in buckets.items() if count):
        seen += buckets[bucket]
        if seen >= wanted:
            return bucket
    return None


def bucket_ms(bucket: int) -> float:
    """Return the (geometric) middle of *bucket* in milliseconds; no duration in it is further away than 1.1 %."""
    nanoseconds: float = 2.0 ** ((bucket + 0.5) / BUCKETS_PER_DOUBLING)
    return nanoseconds / 1e6
