"""Counted minutes of one series as running sums: any window of them is two look-ups and a subtraction."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import accumulate

from slo.budgeting import OCCURRENCES, Budgeting, Freshness, Occurrences, Throughput, Timeslices
from slo.errors import InvalidObjective
from slo.exclusion import excluded_time, within
from slo.model import EventCounts, Exclusion
from slo.slices import is_good, judged_from, last_end, slice_length, with_empty
from slo.window import MINUTE


class MinuteHistory:
    """The units of a budget, events or slices of time, in [start, end), both whole minutes.

    A slice lies in the minute that it starts in, as in `slo.slices`; a window of slices has to end where a slice does.

    Args:
        minutes: start and events of each minute, in any order; what lies outside of [start, end) is left out.
        start: the first minute.
        end: the end of the last minute.
        exclusions: time that does not count.
        budgeting: what the units are.
        first: the first minute of the series that ever held events, if that may lie before *start*.
    """

    def __init__(
        self,
        minutes: Iterable[tuple[datetime, EventCounts]],
        start: datetime,
        end: datetime,
        exclusions: Sequence[Exclusion] = (),
        *,
        budgeting: Budgeting = OCCURRENCES,
        first: datetime | None = None,
    ) -> None:
        self.start, self.end = start, end
        self.length = MINUTE if isinstance(budgeting, Occurrences) else slice_length(budgeting)
        size = (end - start) // MINUTE
        good, total = [0] * size, [0] * size
        held = [item for item in minutes if start <= item[0] < end and item[1].total]
        for at, counts in held:
            index = (at - start) // MINUTE
            good[index] += counts.good
            total[index] += counts.total
        known = [at for at, _ in held] + ([first] if first else [])
        self.first = min(known, default=None)
        if not isinstance(budgeting, Occurrences):
            good, total = self._slices(good, total, budgeting)
        for since, until in within(excluded_time(exclusions, self.length), start, end):
            empty = [0] * ((until - since) // MINUTE)
            good[self.position(since) : self.position(until)] = empty
            total[self.position(since) : self.position(until)] = empty
        self.good_sums = [0, *accumulate(good)]
        self.total_sums = [0, *accumulate(total)]

    def position(self, moment: datetime) -> int:
        """Return how many minutes lie before *moment*: its place in the running sums.

        Raises:
            InvalidObjective: *moment* lies outside of the history.
        """
        if not self.start <= moment <= self.end:
            raise InvalidObjective(
                f"{moment.isoformat()} lies outside of the history from {self.start.isoformat()} "
                f"to {self.end.isoformat()}"
            )
        return (moment - self.start) // MINUTE

    def counts(self, start: datetime, end: datetime) -> EventCounts:
        """Return the units in [start, end); time before the history holds none.

        Raises:
            InvalidObjective: *end* lies outside of the history.
        """
        last = self.position(end)
        first = min(self.position(max(start, self.start)), last)
        good = self.good_sums[last] - self.good_sums[first]
        return EventCounts(good, self.total_sums[last] - self.total_sums[first])

    def days(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, EventCounts]]:
        """Yield the days in UTC of [start, end) that hold units, and those units."""
        day = start.replace(hour=0, minute=0)
        while day < end:
            following = day + timedelta(days=1)
            counts = self.counts(max(day, start), min(following, end))
            if counts.total:
                yield day, counts
            day = following

    def _slices(
        self, good: list[int], total: list[int], budgeting: Timeslices | Throughput | Freshness
    ) -> tuple[list[int], list[int]]:
        """Return good slices and slices, each in the minute that it starts in, given the events of the minutes."""
        if self.first is None:
            return [0] * len(good), [0] * len(total)
        begin = self.position(min(judged_from(self.start, self.first, self.length), self.end))
        upto = self.position(max(last_end(self.end, self.length), self.start))
        if isinstance(budgeting, Freshness):
            return self._fresh(good, begin, budgeting.within)
        good_slices, slices = [0] * len(good), [0] * len(total)
        minutes = self.length // MINUTE
        for at in range(begin, upto, minutes):
            events = EventCounts(sum(good[at : at + minutes]), sum(total[at : at + minutes]))
            seen = EventCounts(int(is_good(budgeting, events)), 1) if events.total else EventCounts(0, 0)
            unit = with_empty(budgeting, seen, 1)
            good_slices[at], slices[at] = unit.good, unit.total
        return good_slices, slices

    @staticmethod
    def _fresh(good: list[int], begin: int, span: timedelta) -> tuple[list[int], list[int]]:
        """Return the minutes from *begin* on, and those of them that had a good event within *span*."""
        fresh, minutes, last = [0] * len(good), [0] * len(good), None
        for at, count in enumerate(good):
            last = at if count else last
            if at >= begin:
                minutes[at] = 1
                fresh[at] = int(last is not None and at - last < span // MINUTE)
        return fresh, minutes
