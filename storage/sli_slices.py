"""Running sums of slices of time, good ones and all: what `slo.slices` defines, by the engine."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any, Final

from slo.budgeting import Freshness, Throughput, Timeslices
from slo.model import EventCounts
from slo.slices import SliceBudgeting, judged_from, last_end, next_slice, slice_length, with_empty
from storage.client import Database
from storage.sli_sums import OTHER, RunningSums, row_counts, running_sums
from storage.times import whole

HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SliceSums:
    """Reads sums of slices as *budgeting* has them, between *moments* (whole minutes); the last is the end of all.

    *firsts* are the first minutes of the series, see `storage.sli_sums.first_minutes`; one without has no slices.
    """

    database: Database
    budgeting: SliceBudgeting
    moments: Sequence[datetime]
    firsts: Mapping[int, datetime]

    def of_series(self, series: Iterable[int]) -> dict[int, RunningSums]:
        """Return the slices of each of *series*, all of its groups together."""
        wanted = sorted(set(series))
        rows = {row["series"]: row for row in self._rows(wanted, None)}
        return {key: self._sums(key, rows.get(key)) for key in wanted}

    def of_groups(self, series: int, named: Iterable[str]) -> dict[str, RunningSums]:
        """Return the slices of the groups of *series* that are *named*, and of all the others as "(other)".

        Slices before the first minute of the series count for no group.
        """
        names = [name for name in named if name != OTHER]
        rows = {row["grp"]: row for row in self._rows([series], names)}
        return {name: self._sums(series, rows.get(name)) for name in {*names, *rows}}

    def _rows(self, series: list[int], named: list[str] | None) -> list[dict[str, Any]]:
        bounds = self._bounds()
        if not series or len(bounds) < 2:
            return []
        parameters = {
            "series": series,
            "bounds": [int(bound.timestamp()) for bound in bounds],
            "end": whole(bounds[-1]),
            "by_group": named is not None,
            "named": named or [],
            "other": OTHER,
        }
        if isinstance(self.budgeting, Freshness):
            within = self.budgeting.within
            parameters |= {"within_s": within // timedelta(seconds=1), "start": whole(bounds[0] - within)}
            return self.database.rows("sli_fresh", parameters)
        length = slice_length(self.budgeting)
        parameters |= _goal(self.budgeting) | {"length_s": length // timedelta(seconds=1), "start": whole(bounds[0])}
        hourly = length % HOUR == timedelta(0)
        table, at = ("sli_hours", "hour") if hourly else ("sli_minutes", "minute")
        return self.database.rows("sli_slices", parameters, table=table, at=at)

    def _bounds(self) -> list[datetime]:
        """Return where the slices of the intervals begin, and where the last of them ends."""
        length = slice_length(self.budgeting)
        upto = last_end(self.moments[-1], length)
        return sorted({min(next_slice(moment, length), upto) for moment in self.moments})

    def _sums(self, series: int, row: Mapping[str, Any] | None) -> RunningSums:
        length, first = slice_length(self.budgeting), self.firsts.get(series)
        upto = last_end(self.moments[-1], length)
        starts = [min(next_slice(moment, length), upto) for moment in self.moments]
        held = {} if row is None else row_counts(row)
        counts = []
        for start, end in pairwise(starts):
            good, total = held.get(int(start.timestamp()), (0, 0)) if start < end else (0, 0)
            slots = 0 if first is None else max(0, (end - judged_from(start, first, length)) // length)
            # an earlier first minute may have been counted since it was read
            slices = with_empty(self.budgeting, EventCounts(good, total), max(slots, total))
            counts.append((slices.good, slices.total))
        return running_sums(self.moments, counts)


def _goal(budgeting: Timeslices | Throughput) -> dict[str, int]:
    """Return when a slice is good, as the query has it."""
    if isinstance(budgeting, Throughput):
        return {"at_least": budgeting.at_least, "good_part": 0, "whole_part": 1}
    part = Fraction(budgeting.target)
    return {"at_least": 1, "good_part": part.numerator, "whole_part": part.denominator}
