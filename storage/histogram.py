"""Quantiles of the rollups' latency histograms: OTel exponential buckets of scale 5 over nanoseconds."""

import math
from collections.abc import Mapping
from fractions import Fraction

SCALE = 32  # buckets a power of two: bucket i holds [2^(i/32), 2^((i+1)/32)), 2.2 % wide


def quantile_ms(buckets: Mapping[int, int], level: float) -> float | None:
    """Return the *level* quantile (0..1) in milliseconds; None without observations.

    It is the smallest duration that a share of *level* of all durations does not exceed (nearest rank), with those of
    one bucket spread evenly over it. The error is less than the width of a bucket, 2.2 %, and usually far less.

    >>> round(quantile_ms({int(32 * 24): 100}, 0.5), 2)
    16.96
    """
    total = sum(buckets.values())
    if not total:
        return None
    rank, seen = max(1, math.ceil(Fraction(str(level)) * total)), 0
    for bucket in sorted(buckets):
        count = buckets[bucket]
        if seen + count >= rank:
            place = (rank - seen - 0.5) / count
            nanoseconds: float = 2.0 ** ((bucket + place) / SCALE)
            return nanoseconds / 1e6
        seen += count
    return None
