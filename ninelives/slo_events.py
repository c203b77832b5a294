"""Events of objectives as counters that only grow, summed from the stored minutes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from slo.model import EventCounts, Slo
from storage.sli_minutes import SeriesWindows

WindowCounter = Callable[[Sequence[int], Sequence[timedelta], datetime], Mapping[int, SeriesWindows]]

REACH = timedelta(hours=24)  # events that arrive later than this are not counted any more
_HOUR = timedelta(hours=1)


@dataclass(slots=True)
class EventTotal:
    """Good and bad events since the objective was first seen here."""

    good: int = 0
    bad: int = 0


@dataclass(slots=True)
class _Sum:
    """`good` and `bad` are what to add to the series' minutes from `since` on; None before they were first counted."""

    series: int
    since: datetime
    total: EventTotal
    good: int | None = None
    bad: int = 0

    def settle(self, counts: EventCounts) -> None:
        """Begin at what is shown, which *counts* since `since` stand for."""
        self.good, self.bad = self.total.good - counts.good, self.total.bad - counts.bad

    def show(self, counts: EventCounts) -> None:
        """Show *counts* since `since`; a count that was corrected downwards stays until others make up for it."""
        self.total.good = max(self.total.good, (self.good or 0) + counts.good)
        self.total.bad = max(self.total.bad, self.bad + counts.bad)


class EventTotals:
    """Counters of every objective. They start at 0 with this process, as a counter of Prometheus does.

    A minute is added once it is complete, and what arrives late when it arrives. Minutes are read from whole hours on,
    so that objectives share windows and no more than 25 hours are summed again and again.
    """

    def __init__(self, count: WindowCounter) -> None:
        self._count = count
        self._sums: dict[str, _Sum] = {}
        self._end: datetime | None = None

    def update(self, slos: Iterable[Slo], end: datetime) -> Mapping[str, EventTotal]:
        """Return the totals by the ids of *slos* up to *end*, a whole minute; an earlier *end* changes nothing."""
        wanted = {slo.id: slo.indicator.series_id for slo in slos}
        if self._end is not None and end < self._end:
            return {slo_id: found.total for slo_id, found in self._sums.items() if slo_id in wanted}
        self._end = end
        self._sums = {slo_id: self._of(slo_id, series, end) for slo_id, series in wanted.items()}
        oldest = _hour(end - REACH)
        starts = {oldest, *(found.since for found in self._sums.values())}
        counted = self._count(list(wanted.values()), [end - start for start in starts], end)
        for found in self._sums.values():
            _advance(found, counted[found.series].counts, end, oldest)
        return {slo_id: found.total for slo_id, found in self._sums.items()}

    def _of(self, slo_id: str, series: int, end: datetime) -> _Sum:
        """Return the sum of *slo_id*; one whose indicator changed goes on from where it was."""
        found = self._sums.get(slo_id)
        if found is not None and found.series == series:
            return found
        return _Sum(series, _hour(end - _HOUR), EventTotal() if found is None else found.total)


def _advance(found: _Sum, counts: Mapping[timedelta, EventCounts], end: datetime, oldest: datetime) -> None:
    if found.good is None:
        found.settle(counts[end - found.since])
    found.show(counts[end - found.since])
    if found.since < oldest:
        dropped = counts[end - found.since] - counts[end - oldest]
        found.good, found.bad = (found.good or 0) + dropped.good, found.bad + dropped.bad
        found.since = oldest


def _hour(moment: datetime) -> datetime:
    return moment.replace(minute=0, second=0, microsecond=0)
