"""Whether an operation got worse: a version or an hour against the one before it.

A difference counts when its whole interval lies beyond a margin that was chosen beforehand, and two sides count as the
same when the whole interval lies within it. Everything else is "too few", never "same": no proof of a difference is
not proof of none.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from slo.confidence import Interval, StatisticError, difference_interval
from slo.latency_buckets import BUCKETS_PER_DOUBLING, bucket_ms, last_bucket_within, quantile_bucket, split
from slo.model import EventCounts

RegressionVerdict = Literal["worse", "better", "same", "too few"]


@dataclass(frozen=True, slots=True)
class Change:
    """How the share of bad events changed, and what that amounts to.

    `difference` is the share after minus the share before, with its `interval`; both are None when a side has no
    events. `reason` says in words why the verdict is what it is.
    """

    verdict: RegressionVerdict
    before: EventCounts
    after: EventCounts
    difference: float | None
    interval: Interval | None
    margin: Decimal
    reason: str


@dataclass(frozen=True, slots=True)
class LatencyChange:
    """How latency changed.

    `slow` compares the shares of events slower than the boundary, which is the threshold that was asked for, or else
    the lower of both quantiles. The quantiles are the middles of their buckets, `ratio` is the one after over the one
    before; all three are None when a side has no events.
    """

    slow: Change
    before_ms: float | None
    after_ms: float | None
    ratio: float | None


def error_change(
    before: EventCounts,
    after: EventCounts,
    *,
    margin: Decimal = Decimal("0.01"),
    min_total: int = 100,
    confidence: float = 0.95,
) -> Change:
    """Return how the share of bad events changed, judged by *margin*, a difference of shares.

    Raises:
        StatisticError: *margin* is negative or *confidence* does not lie between 0 and 1.

    >>> error_change(EventCounts(9_990, 10_000), EventCounts(9_500, 10_000)).verdict
    'worse'
    """
    if margin < 0:
        raise StatisticError(f"margin {margin} is negative; it is a difference of shares, such as 0.01")
    if not before.total or not after.total:
        side = "after" if before.total else "before"
        return Change("too few", before, after, None, None, margin, f"no events {side}; nothing proves nothing")
    interval = difference_interval(before.bad, before.total, after.bad, after.total, confidence=confidence)
    difference = after.bad / after.total - before.bad / before.total
    verdict, reason = _judged(interval, margin, fewest=min(before.total, after.total), min_total=min_total)
    return Change(verdict, before, after, difference, interval, margin, reason)


def latency_change(
    before: Mapping[int, int],
    after: Mapping[int, int],
    *,
    level: Decimal = Decimal("0.95"),
    threshold_ns: int | None = None,
    margin: Decimal = Decimal("0.02"),
    least_shift: Decimal = Decimal("1.05"),
    min_total: int = 100,
    confidence: float = 0.95,
) -> LatencyChange:
    """Return how the *level* quantile changed, judged by the share of events slower than one boundary.

    A share has a reliable interval where a quantile of few events has none, so the share decides and the quantiles
    describe. Without a *threshold_ns* the boundary is the lower of both quantiles, so that swapping the sides swaps the
    verdict, and a shift of the quantile below the factor *least_shift* is "same", however sure it is.

    Args:
        before: count of durations by bucket, see `slo/latency_buckets.py`.
        after: the same for the other side.
        level: which quantile, 0.95 for p95.
        threshold_ns: the boundary, for example the threshold of an objective.
        margin: the difference of shares that matters.
        least_shift: the factor between the quantiles that matters, 1 or more.
        min_total: how many events each side needs.
        confidence: of the interval.

    Raises:
        StatisticError: *margin* is negative, *least_shift* below 1, *level* or *confidence* not between 0 and 1.

    >>> change = latency_change({700: 1000}, {732: 1000})  # 32 buckets are a doubling
    >>> change.slow.verdict, change.ratio
    ('worse', 2.0)
    """
    if not 0 < level < 1 or least_shift < 1:
        raise StatisticError(f"level {level} must lie between 0 and 1, and least shift {least_shift} be 1 or more")
    quantiles = [
        bucket for bucket in (quantile_bucket(before, level), quantile_bucket(after, level)) if bucket is not None
    ]
    boundary = min(quantiles, default=0) if threshold_ns is None else last_bucket_within(threshold_ns)
    slow = error_change(
        split(before, boundary), split(after, boundary), margin=margin, min_total=min_total, confidence=confidence
    )
    if len(quantiles) < 2:
        return LatencyChange(slow, None, None, None)
    shift = quantiles[1] - quantiles[0]
    ratio = 2.0 ** (shift / BUCKETS_PER_DOUBLING)
    if threshold_ns is None and slow.verdict in ("worse", "better") and not _reaches(shift, least_shift):
        reason = f"the quantile is {ratio:.3g} times what it was, within the factor {least_shift} that matters"
        slow = replace(slow, verdict="same", reason=reason)
    return LatencyChange(slow, bucket_ms(quantiles[0]), bucket_ms(quantiles[1]), ratio)


def _judged(interval: Interval, margin: Decimal, *, fewest: int, min_total: int) -> tuple[RegressionVerdict, str]:
    if fewest < min_total:
        return "too few", f"{fewest} events on the smaller side, and at least {min_total} are asked for"
    if interval.low > margin:
        return "worse", "the whole interval is above the margin"
    if interval.high < -margin:
        return "better", "the whole interval is below minus the margin"
    if -margin <= interval.low and interval.high <= margin:
        return "same", "the whole interval is within the margin"
    return "too few", "the margin lies inside the interval; more events would tell"


def _reaches(shift: int, factor: Decimal) -> bool:
    """Whether a shift of that many buckets, up or down, is at least *factor*."""
    return (1 << abs(shift)) >= Fraction(factor) ** BUCKETS_PER_DOUBLING
