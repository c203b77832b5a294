"""Running sums of what SLIs counted, between moments: any window that begins and ends at one is a difference of two."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any, Final

from slo.model import EventCounts
from storage.client import Database
from storage.times import whole

MOST_GROUPS: Final = 50
OTHER: Final = "(other)"


@dataclass(frozen=True, slots=True)
class RunningSums:
    """Sums of one series, or of one group of it, up to each moment of `places`, which gives the place of its sum."""

    places: Mapping[datetime, int]
    good: Sequence[int]
    total: Sequence[int]

    def between(self, start: datetime, end: datetime) -> EventCounts:
        """Return what lies in [start, end).

        Raises:
            KeyError: the sums do not stop at one of them.
        """
        before, upto = self.places[start], self.places[end]
        return EventCounts(self.good[upto] - self.good[before], self.total[upto] - self.total[before])


def running_sums(moments: Sequence[datetime], counts: Iterable[tuple[int, int]]) -> RunningSums:
    """Return the sums of *counts*: good and total of each interval between two of the ascending *moments*."""
    pairs = list(counts)
    places = {moment: place for place, moment in enumerate(moments)}
    return RunningSums(
        places, [0, *accumulate(good for good, _ in pairs)], [0, *accumulate(total for _, total in pairs)]
    )


def event_sums(database: Database, series: Iterable[int], moments: Iterable[datetime]) -> dict[int, RunningSums]:
    """Return the events of each of *series* between *moments* (whole minutes), as a whole."""
    wanted, ordered = sorted(set(series)), sorted(set(moments))
    nothing = running_sums(ordered, [(0, 0)] * (len(ordered) - 1))
    found = {key: sums for key, _, sums in _sums(database, wanted, ordered, by_group=False)}
    return {key: found.get(key, nothing) for key in wanted}


def group_sums(
    database: Database, series: Iterable[int], moments: Iterable[datetime]
) -> dict[int, dict[str, RunningSums]]:
    """Return the events of each group of each of *series* between *moments*; a series without events has no groups.

    They are the 50 groups with the most bad events over all of the time; the others are one group, "(other)".
    """
    wanted, ordered = sorted(set(series)), sorted(set(moments))
    groups: dict[int, dict[str, RunningSums]] = {key: {} for key in wanted}
    for key, group, sums in _sums(database, wanted, ordered, by_group=True):
        groups[key][group] = sums
    return groups


def first_minutes(database: Database, series: Iterable[int]) -> dict[int, datetime]:
    """Return the first minute of each of *series* that holds events, however long ago; those without are missing."""
    wanted = sorted(set(series))
    rows = database.rows("sli_firsts", {"series": wanted}) if wanted else []
    return {row["series"]: row["first"] for row in rows}


def cut_hours(moments: Iterable[datetime]) -> list[str]:
    """Return the hours that one of *moments* lies inside of, ascending, as parameters of a query.

    >>> cut_hours([datetime(2026, 3, 1, 7, 30, tzinfo=UTC), datetime(2026, 3, 1, 9, tzinfo=UTC)])
    ['2026-03-01 07:00:00']
    """
    utc = [moment.astimezone(UTC) for moment in moments]
    return sorted({whole(moment.replace(minute=0)) for moment in utc if moment.minute})


def row_counts(row: Mapping[str, Any]) -> dict[int, tuple[int, int]]:
    """Return good and total by the start of the interval, in seconds since 1970; empty intervals are missing."""
    return {
        start: (good, good + bad) for start, good, bad in zip(row["starts"], row["goods"], row["bads"], strict=True)
    }


def _sums(
    database: Database, series: list[int], moments: list[datetime], *, by_group: bool
) -> Iterator[tuple[int, str, RunningSums]]:
    if not series or len(moments) < 2:
        return
    bounds = [int(moment.timestamp()) for moment in moments]
    parameters = {
        "series": series,
        "bounds": bounds,
        "edges": cut_hours(moments),
        "start": whole(moments[0]),
        "end": whole(moments[-1]),
        "by_group": by_group,
        "most": MOST_GROUPS,
        "other": OTHER,
    }
    for row in database.rows("sli_sums", parameters):
        held = row_counts(row)
        counts = [held.get(bound, (0, 0)) for bound in bounds[:-1]]
        yield row["series"], row["grp"], running_sums(moments, counts)
