"""Objectives that the past would have met: a place to start from, not what users need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from statistics import median_low
from typing import Final

from slo.budget import exceeds
from slo.confidence import StatisticError
from slo.latency_buckets import last_bucket_within, quantile_bucket, split
from slo.model import EventCounts
from slo.nines import error_budget

USUAL_TARGETS: Final = tuple(
    Decimal(target)
    for target in (
        *("0.9", "0.95", "0.98", "0.99", "0.995", "0.998", "0.999"),
        *("0.9995", "0.9998", "0.9999", "0.99995", "0.99999"),
    )
)
COARSE_STEPS: Final = tuple(Decimal(step) for step in ("1", "2", "5"))

_SMALLEST_NS: Final = 1000  # thresholds begin at a microsecond


@dataclass(frozen=True, slots=True)
class SuggestedTarget:
    """The tightest target that was met often enough: in `met` of `windows`. `worst_start` is when the worst began."""

    target: Decimal
    windows: int
    met: int
    worst_start: datetime
    worst: EventCounts


@dataclass(frozen=True, slots=True)
class SuggestedThreshold:
    """The smallest usual threshold with enough events within it; `events.good` of `events.total` surely are."""

    threshold_ns: int
    events: EventCounts


def suggest_target(
    history: Mapping[datetime, EventCounts],
    *,
    targets: Sequence[Decimal] = USUAL_TARGETS,
    share: Decimal = Decimal("0.9"),
    min_windows: int = 7,
) -> SuggestedTarget | None:
    """Return the tightest of *targets* that at least *share* of the windows met, by the start of each window.

    Windows without events say nothing and are left out. A target that allows less than one bad event in a window of
    median traffic is not suggested: it would be met by luck. Weekly windows instead of daily ones help a quiet service.
    None when fewer than *min_windows* windows are left, or no target was met often enough.

    Raises:
        StatisticError: *share* does not lie above 0 and up to 1, or *min_windows* is below 1.
        InvalidObjective: a target does not lie between 0 and 1.
    """
    if not 0 < share <= 1 or min_windows < 1:
        raise StatisticError(f"a share of {share} of at least {min_windows} windows: write 0 < share <= 1, such as 0.9")
    budgets = {target: error_budget(target) for target in sorted(targets, reverse=True)}
    windows = {start: events for start, events in history.items() if events.total}
    if len(windows) < min_windows:
        return None
    worst_start = min(windows, key=lambda start: (-Fraction(windows[start].bad, windows[start].total), start))
    typical = median_low(events.total for events in windows.values())
    for target, budget in budgets.items():
        met = sum(not exceeds(events, target, 1) for events in windows.values())
        if met >= share * len(windows) and budget * typical >= 1:
            return SuggestedTarget(target, len(windows), met, worst_start, windows[worst_start])
    return None


def suggest_threshold(
    buckets: Mapping[int, int],
    target: Decimal,
    *,
    steps: Sequence[Decimal] = COARSE_STEPS,
    min_total: int = 100,
) -> SuggestedThreshold | None:
    """Return the smallest usual latency threshold that at least *target* of the durations are within.

    Usual are the *steps*, such as 1, 2, 5, times powers of ten, from a microsecond on. A bucket that the threshold cuts
    counts as beyond it, so the share within is at least the one stated. None with fewer than *min_total* durations, or
    with too few for a single one to be beyond.

    Args:
        buckets: count of durations by bucket, see `slo/latency_buckets.py`.
        target: the share, 0.95 for the 95th percentile.
        steps: numbers from 1 to below 10.
        min_total: how many durations it takes.

    Raises:
        StatisticError: *steps* are none, or not from 1 to below 10.
        InvalidObjective: *target* does not lie between 0 and 1.
    """
    if not steps or not all(1 <= step < 10 for step in steps):
        raise StatisticError(f"steps {[str(step) for step in steps]} must be from 1 to below 10, such as 1, 2, 5")
    budget, total, needed = error_budget(target), sum(buckets.values()), quantile_bucket(buckets, target)
    if needed is None or total < min_total or budget * total < 1:
        return None
    threshold_ns = _usual_threshold(needed, steps)
    return SuggestedThreshold(threshold_ns, split(buckets, last_bucket_within(threshold_ns)))


def _usual_threshold(needed: int, steps: Sequence[Decimal]) -> int:
    """Return the smallest usual threshold that bucket *needed* lies within."""
    power = _SMALLEST_NS
    while last_bucket_within(10 * power) < needed:
        power *= 10
    candidates = [int(step * power) for step in (*steps, 10 * min(steps))]
    return min(threshold for threshold in candidates if last_bucket_within(threshold) >= needed)
