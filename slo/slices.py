"""Slices of time as units of an error budget: how many of a window are good, and how many there are.

Slices are aligned to the day in UTC. A slice belongs to the window [start, end) that its start lies in, and counts once
it is over: the one that still runs at *end* is in no window. A window that begins inside a slice begins with the next
one. Slices before the first minute that ever held events do not count: nothing was there to be good or bad.

A freshness is judged minute by minute: its slices are minutes.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Final, TypeAlias

from slo.budgeting import Freshness, Throughput, Timeslices
from slo.model import NO_EVENTS, EventCounts
from slo.window import MINUTE

SliceBudgeting: TypeAlias = Timeslices | Throughput | Freshness
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def slice_counts(
    minutes: Mapping[datetime, EventCounts],
    budgeting: SliceBudgeting,
    start: datetime,
    end: datetime,
    *,
    first: datetime | None = None,
) -> EventCounts:
    """Return good slices of all slices of [start, end), by the events of each of *minutes*.

    *first* is the first minute that ever held events, by default that of *minutes*, which may leave out empty ones. A
    group of a series counts since the series began.

    >>> noon = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
    >>> counted = {0: EventCounts(99, 100), 6: EventCounts(1, 2), 11: EventCounts(5, 5)}
    >>> minutes = {noon + number * MINUTE: events for number, events in counted.items()}
    >>> slice_counts(minutes, Throughput(3, length=5 * MINUTE), noon, noon + 14 * MINUTE)
    EventCounts(good=1, total=2)
    """
    held = {minute: events for minute, events in minutes.items() if events.total and minute < end}
    began = min(held, default=end) if first is None else first
    length = slice_length(budgeting)
    since, upto = judged_from(start, began, length), last_end(end, length)
    slots = max(0, (upto - since) // length)
    if isinstance(budgeting, Freshness):
        at = (since + number * length for number in range(slots))
        return EventCounts(sum(_is_fresh(held, minute, budgeting.within) for minute in at), slots)
    slices: dict[datetime, EventCounts] = {}
    for minute, events in held.items():
        at_slice = slice_start(minute, length)
        slices[at_slice] = slices.get(at_slice, NO_EVENTS) + events
    seen = [is_good(budgeting, events) for at_slice, events in slices.items() if since <= at_slice < upto]
    return with_empty(budgeting, EventCounts(sum(seen), len(seen)), slots)


def slice_length(budgeting: SliceBudgeting) -> timedelta:
    return MINUTE if isinstance(budgeting, Freshness) else budgeting.length


def slice_start(moment: datetime, length: timedelta) -> datetime:
    """Return the start of the slice that *moment* lies in.

    >>> slice_start(datetime(2026, 3, 1, 12, 34, tzinfo=UTC), timedelta(minutes=15)).isoformat()
    '2026-03-01T12:30:00+00:00'
    """
    return moment - (moment - EPOCH) % length


def next_slice(moment: datetime, length: timedelta) -> datetime:
    """Return the start of the first slice that does not begin before *moment*."""
    return moment + (EPOCH - moment) % length


def judged_from(start: datetime, first_minute: datetime, length: timedelta) -> datetime:
    """Return where the slices of a window from *start* on begin to count, given the first minute that held events."""
    return max(next_slice(start, length), slice_start(first_minute, length))


def last_end(end: datetime, length: timedelta) -> datetime:
    """Return the end of the last slice that is over at *end*."""
    return slice_start(end, length)


def is_good(budgeting: Timeslices | Throughput, events: EventCounts) -> bool:
    """Whether a slice that holds *events*, at least one, is good."""
    if isinstance(budgeting, Throughput):
        return events.total >= budgeting.at_least
    return events.good >= Fraction(budgeting.target) * events.total


def with_empty(budgeting: SliceBudgeting, seen: EventCounts, slots: int) -> EventCounts:
    """Return the slices of a window of *slots* slices, given *seen*: those that hold events, or the fresh ones."""
    empty = slots - seen.total
    if not isinstance(budgeting, Timeslices) or budgeting.empty == "bad":
        return EventCounts(seen.good, slots)
    return seen if budgeting.empty == "ignore" else EventCounts(seen.good + empty, slots)


def _is_fresh(held: Mapping[datetime, EventCounts], minute: datetime, within: timedelta) -> bool:
    """Whether some good event happened in *minute* or before it, *within* in all."""
    return any(held.get(minute - number * MINUTE, NO_EVENTS).good for number in range(within // MINUTE))
