"""Quantiles of the rollups' latency histograms: OTel exponential buckets of scale 5 over nanoseconds."""

from collections.abc import Mapping

SCALE = 32  # buckets a power of two: bucket i holds [2^(i/32), 2^((i+1)/32)), 2.2 % wide


def quantile_ms(buckets: Mapping[int, int], level: float) -> float | None:
    """Return the *level* quantile (0..1) in milliseconds, interpolated in its bucket; None without observations.

    The error is at most the width of a bucket, 2.2 %.

    >>> round(quantile_ms({int(32 * 24): 100}, 0.5), 2)
    16.96
    """
    total = sum(buckets.values())
    if not total:
        return None
    rank, seen = level * total, 0
    for bucket in sorted(buckets):
        count = buckets[bucket]
        if count and seen + count >= rank:
            nanoseconds: float = 2.0 ** ((bucket + (rank - seen) / count) / SCALE)
            return nanoseconds / 1e6
        seen += count
    return None
