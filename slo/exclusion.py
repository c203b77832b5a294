"""Excluded time as disjoint intervals: what does not touch the budget."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from slo.model import Exclusion
from slo.slices import next_slice, slice_start
from slo.window import MINUTE

Interval: TypeAlias = tuple[datetime, datetime]  # [start, end)


def excluded_time(exclusions: Iterable[Exclusion], length: timedelta = MINUTE) -> tuple[Interval, ...]:
    """Return the time of *exclusions* in whole slices of *length*, in order, without overlaps.

    Minutes are counted whole, so one that is touched is excluded whole; and so is a longer slice.

    >>> ten = datetime(2026, 3, 1, 22, 0, 40, tzinfo=UTC)
    >>> disks = Exclusion(ten, ten + timedelta(minutes=31), "new disks")
    >>> [[moment.strftime("%H:%M") for moment in span] for span in excluded_time([disks])]
    [['22:00', '22:32']]
    >>> [[moment.strftime("%H:%M") for moment in span] for span in excluded_time([disks], timedelta(minutes=15))]
    [['22:00', '22:45']]
    """
    found: list[Interval] = []
    minutes = sorted(whole_minutes(item.start.astimezone(UTC), item.end.astimezone(UTC)) for item in exclusions)
    slices = ((slice_start(start, length), next_slice(end, length)) for start, end in minutes)
    for start, end in slices:
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return tuple(found)


def within(intervals: Iterable[Interval], start: datetime, end: datetime) -> tuple[Interval, ...]:
    """Return the parts of *intervals* that lie in [start, end)."""
    cut = ((max(start, since), min(end, until)) for since, until in intervals)
    return tuple((since, until) for since, until in cut if since < until)


def total_excluded(exclusions: Iterable[Exclusion], start: datetime, end: datetime) -> timedelta:
    """Return how much of [start, end) is excluded; overlapping exclusions count once."""
    return sum((until - since for since, until in within(excluded_time(exclusions), start, end)), timedelta(0))


def whole_minutes(start: datetime, end: datetime) -> Interval:
    """Return the whole minutes that [start, end) touches.

    >>> [moment.minute for moment in whole_minutes(datetime(2026, 3, 1, 12, 0, 30), datetime(2026, 3, 1, 12, 4, 1))]
    [0, 5]
    """
    floor = start.replace(second=0, microsecond=0)
    return floor, end + (-(end - floor)) % MINUTE
