"""Quantiles of OpenTelemetry's histograms, from how many values each bucket counted."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise

UNUSABLE_SHARE = 0.9  # a single bucket with more of the values than this tells nothing about their spread


@dataclass(frozen=True, slots=True)
class ExplicitBuckets:
    """`counts[i]` values above `bounds[i-1]` and up to `bounds[i]`; the last count is of values above every bound."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]

    @property
    def unusable(self) -> bool:
        """Whether nearly all values lie in one bucket, so that a quantile is a guess inside it."""
        return max(self.counts, default=0) > UNUSABLE_SHARE * sum(self.counts)

    def quantile(self, level: float) -> float | None:
        """Return the *level* quantile (0..1), interpolated evenly in its bucket; None without values or bounds.

        As Prometheus' histogram_quantile: the lowest bucket starts at 0 when its bound is above 0, and a quantile
        above every bound is the highest bound.
        """
        total = sum(self.counts)
        if not total or not self.bounds:
            return None
        rank, seen = min(level * total, total), 0.0  # the product may round up
        for index, count in enumerate(self.counts[:-1]):
            if count and seen + count >= rank:
                high = self.bounds[index]
                low = self.bounds[index - 1] if index else min(high, 0.0)
                return low + (high - low) * min((rank - seen) / count, 1.0)  # counts beyond 2**53 are rounded
            seen += count
        return self.bounds[-1]


def merge(histograms: Sequence[ExplicitBuckets]) -> ExplicitBuckets:
    """Return what *histograms* counted together, in the buckets whose bounds all of them have: that loses no count.

    >>> merge([ExplicitBuckets((1, 2), (1, 2, 3)), ExplicitBuckets((2, 5), (4, 0, 1))])
    ExplicitBuckets(bounds=(2,), counts=(7.0, 4.0))
    """
    common = set(histograms[0].bounds).intersection(*(item.bounds for item in histograms))
    bounds = tuple(sorted(common))
    up_to = [0.0] * (len(bounds) + 1)
    for item in histograms:
        below = dict(zip(item.bounds, accumulate(item.counts), strict=False))
        for index, bound in enumerate(bounds):
            up_to[index] += below[bound]
        up_to[-1] += sum(item.counts)
    return ExplicitBuckets(bounds, tuple(high - low for low, high in pairwise([0.0, *up_to])))


@dataclass(frozen=True, slots=True)
class ExponentialBuckets:
    """Bucket i counts values in (base^i, base^(i+1)], base = 2^(2^-scale), on both sides of the zero bucket.

    Attributes:
        threshold: The zero bucket counts what is at most this far from 0.
    """

    scale: int
    positive: Mapping[int, int] = field(default_factory=dict)
    negative: Mapping[int, int] = field(default_factory=dict)
    zero: int = 0
    threshold: float = 0.0

    def quantile(self, level: float) -> float | None:
        """Return the *level* quantile (0..1), interpolated exponentially in its bucket; None without values."""
        steps = self._steps()
        total = sum(count for _, _, count in steps)
        rank, seen = min(level * total, total), 0  # the product may round up
        for low, high, count in steps:
            if seen + count >= rank:
                share = (rank - seen) / count
                if low * high > 0:
                    return low * math.pow(high / low, share)
                return low + (high - low) * share
            seen += count
        return None

    def _steps(self) -> list[tuple[float, float, int]]:
        """Return (low, high, count) of every bucket that counted something, by value."""
        below = [
            (-_edge(index + 1, self.scale), -_edge(index, self.scale), count)
            for index, count in sorted(self.negative.items(), reverse=True)
            if count > 0
        ]
        above = [
            (_edge(index, self.scale), _edge(index + 1, self.scale), count)
            for index, count in sorted(self.positive.items())
            if count > 0
        ]
        low = -self.threshold if below else 0.0
        middle = [(low, self.threshold, self.zero)] if self.zero > 0 else []
        return [*below, *middle, *above]


def _edge(index: int, scale: int) -> float:
    """Return base^index; the largest or smallest number where a double ends."""
    exponent = index * 2.0**-scale
    return math.pow(2.0, min(max(exponent, -1022.0), 1023.0))
