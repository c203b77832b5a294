"""Counted minutes of one series as running sums: any window of them is two look-ups and a subtraction."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import accumulate

from slo.errors import InvalidObjective
from slo.maintenance import is_excluded
from slo.model import EventCounts, Exclusion
from slo.window import MINUTE


class MinuteHistory:
    """The minutes in [start, end), both whole minutes; those that nothing is known of hold no events.

    Args:
        minutes: start and events of each minute, in any order; what lies outside of [start, end) is left out.
        start: the first minute.
        end: the end of the last minute.
        exclusions: minutes that they touch hold no events, as they do not count.
    """

    def __init__(
        self,
        minutes: Iterable[tuple[datetime, EventCounts]],
        start: datetime,
        end: datetime,
        exclusions: tuple[Exclusion, ...] = (),
    ) -> None:
        self.start, self.end = start, end
        self.first: datetime | None = None
        good, total = [0] * ((end - start) // MINUTE), [0] * ((end - start) // MINUTE)
        for at, counts in minutes:
            if start <= at < end and not is_excluded(exclusions, at):
                index = (at - start) // MINUTE
                good[index] += counts.good
                total[index] += counts.total
                self.first = at if self.first is None else min(self.first, at)
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
        """Return the events in [start, end); time before the history holds none.

        Raises:
            InvalidObjective: *end* lies outside of the history.
        """
        last = self.position(end)
        first = min(self.position(max(start, self.start)), last)
        good = self.good_sums[last] - self.good_sums[first]
        return EventCounts(good, self.total_sums[last] - self.total_sums[first])

    def days(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, EventCounts]]:
        """Yield the days in UTC of [start, end) that hold events, and those events."""
        day = start.replace(hour=0, minute=0)
        while day < end:
            following = day + timedelta(days=1)
            counts = self.counts(max(day, start), min(following, end))
            if counts.total:
                yield day, counts
            day = following
