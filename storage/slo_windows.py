"""The windows that evaluations need, and their counts: many objectives in few queries."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from slo.budgeting import Occurrences
from slo.evaluation import needed_windows, window_bounds
from slo.exclusion import Interval, excluded_time, within
from slo.model import NO_EVENTS, EventCounts, Exclusion, Slo
from slo.slices import slice_length, slice_start
from slo.window import MINUTE
from storage.client import Database
from storage.sli_slices import SliceSums
from storage.sli_sums import RunningSums, event_sums, group_sums

LATENESS: Final = {"spans": timedelta(seconds=10), "cache": timedelta(seconds=10), "metrics": timedelta(seconds=75)}


def lateness_of(slo: Slo) -> timedelta:
    """Return how long what *slo* counts may be on its way."""
    return LATENESS[slo.indicator.source] if slo.lateness is None else slo.lateness


@dataclass(frozen=True, slots=True)
class SloWindows:
    """Windows of *slo*, by length the start of each, all up to *end*, and what of them is excluded time."""

    slo: Slo
    end: datetime
    starts: Mapping[timedelta, datetime]
    excluded: tuple[Interval, ...]

    @property
    def moments(self) -> frozenset[datetime]:
        """Where the sums must stop that these windows are made of."""
        return frozenset((self.end, *self.starts.values(), *chain.from_iterable(self.excluded)))

    def counts(self, sums: RunningSums) -> dict[timedelta, EventCounts]:
        return {window: sums.between(start, self.end) for window, start in self.starts.items()}

    def excluded_counts(self, sums: RunningSums) -> dict[timedelta, EventCounts] | None:
        """Return the part of `counts` that is excluded, None where no window has any excluded time."""
        if not self.excluded:
            return None
        return {
            window: sum((sums.between(*part) for part in within(self.excluded, start, self.end)), NO_EVENTS)
            for window, start in self.starts.items()
        }


@dataclass(frozen=True, slots=True)
class SloSums:
    """Sums for the windows of one objective, and those of the groups that its indicator has."""

    whole: RunningSums
    groups: Mapping[str, RunningSums]


def slo_windows(slo: Slo, now: datetime, further: Iterable[Exclusion] = ()) -> SloWindows:
    """Return the windows of *slo* as of *now*, which end before what may still be on its way (`lateness`).

    Windows of slices end with the last slice that is over, and are at least one slice long: what is not over has no
    verdict yet. *further* exclusions join those of the objective.
    """
    length = MINUTE if isinstance(slo.budgeting, Occurrences) else slice_length(slo.budgeting)
    end = slice_start(window_bounds(now, timedelta(0), lateness_of(slo))[1], length)
    starts = {window: end - max(window, length) for window in needed_windows(slo, end)}
    excluded = excluded_time((*slo.exclusions, *further), length)
    return SloWindows(slo, end, starts, within(excluded, min(starts.values()), end))


def slo_sums(database: Database, asked: Sequence[SloWindows], firsts: Mapping[int, datetime]) -> list[SloSums]:
    """Return what was counted for each of *asked*, given the first minute of every series that holds events.

    Objectives whose windows end together, and whose units are the same, share one query.
    """
    batches: defaultdict[object, list[int]] = defaultdict(list)
    for place, windows in enumerate(asked):
        batches[_batch(windows)].append(place)
    found: dict[int, SloSums] = {}
    for places in batches.values():
        sums = _batch_sums(database, [asked[place] for place in places], firsts)
        found |= {place: sums[asked[place].slo.indicator.series_id] for place in places}
    return [found[place] for place in range(len(asked))]


def _batch(asked: SloWindows) -> object:
    """Return what objectives have in common that are asked for together.

    Excluded time would cut the windows of all the others, and the groups to show depend on the windows.
    """
    grouped = asked.moments if asked.slo.indicator.group_by else None
    return asked.end, asked.slo.budgeting, bool(asked.excluded), grouped


def _batch_sums(database: Database, asked: Sequence[SloWindows], firsts: Mapping[int, datetime]) -> dict[int, SloSums]:
    moments = sorted(frozenset[datetime]().union(*(windows.moments for windows in asked)))
    series = {windows.slo.indicator.series_id for windows in asked}
    slo = asked[0].slo
    groups = group_sums(database, series, moments) if slo.indicator.group_by else {}
    if not isinstance(slo.budgeting, Occurrences):
        slices = SliceSums(database, slo.budgeting, moments, firsts)
        parts = {key: slices.of_groups(key, names) for key, names in groups.items()}
        return {key: SloSums(sums, parts.get(key, {})) for key, sums in slices.of_series(series).items()}
    return {key: SloSums(sums, groups.get(key, {})) for key, sums in event_sums(database, series, moments).items()}
