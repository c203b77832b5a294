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

    Both ends are cut to the minute. A longer slice is left out whole when any minute of it is excluded.

    >>> ten = datetime(2026, 3, 1, 22, 0, 40, tzinfo=UTC)
    >>> disks = Exclusion(ten, ten + timedelta(minutes=31), "new disks")
    >>> [[moment.strftime("%H:%M") for moment in span] for span in excluded_time([disks])]
    [['22:00', '22:31']]
    >>> [[moment.strftime("%H:%M") for moment in span] for span in excluded_time([disks], timedelta(minutes=15))]
    [['22:00', '22:45']]
    """
    found: list[Interval] = []
    minutes = sorted((_minute(exclusion.start), _minute(exclusion.end)) for exclusion in exclusions)
    slices = ((slice_start(start, length), next_slice(end, length)) for start, end in minutes if start < end)
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


def _minute(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
