"""The past of an objective: its minutes, and what its stretches of a report counted."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from slo.budgeting import Occurrences
from slo.exclusion import Interval, excluded_time, within
from slo.indicator import CacheIndicator, SpanIndicator
from slo.minute_history import MinuteHistory
from slo.model import NO_EVENTS, EventCounts, Exclusion, Slo
from slo.revision import Revision, reigns
from slo.slices import slice_length
from slo.stretch import JudgedStretch, Stretch
from slo.window import MINUTE
from storage import sli_count
from storage.client import Database
from storage.sli_metrics import count_metrics
from storage.sli_minutes import SliMinute, steps
from storage.sli_slices import SliceSums
from storage.sli_sums import RunningSums, event_sums, first_minutes
from storage.slo_windows import lateness_of
from storage.standing import Standing, standings


def minute_history(
    database: Database, slo: Slo, start: datetime, end: datetime, exclusions: Sequence[Exclusion] = ()
) -> MinuteHistory:
    """Return the minutes of *slo* in [start, end), without those that it or *exclusions* exclude.

    An indicator that nobody counts yet is counted here from what is stored of spans or points, and nothing is written.
    """
    series = slo.indicator.series_id
    if series in sli_count.counted_series(database):
        counted = steps(database, series, start=start, end=end, step_s=60)
        minutes = [(step.at, EventCounts(step.good, step.good + step.bad)) for step in counted]
    else:
        minutes = [
            (item.minute, EventCounts(item.good, item.total)) for item in _counted_now(database, slo, start, end)
        ]
    first = first_minutes(database, [series]).get(series)
    excluded = (*exclusions, *slo.exclusions)
    return MinuteHistory(minutes, start, end, excluded, budgeting=slo.budgeting, first=first)


def judged_stretches(
    database: Database, stretches: Sequence[Stretch], exclusions: Sequence[Exclusion]
) -> list[JudgedStretch]:
    """Return the events of each of *stretches*; what *exclusions* and its definition exclude of it is told apart."""
    return [_judged(database, stretch, exclusions) for stretch in stretches]


def first_minute(database: Database, slo: Slo) -> datetime | None:
    """Return the first minute that ever held events of *slo*, None if none did."""
    return first_minutes(database, [slo.indicator.series_id]).get(slo.indicator.series_id)


def standings_at(database: Database, slos: Sequence[Slo], end: datetime) -> list[Standing]:
    """Return where *slos* stood at *end*, a whole minute, from the minutes as they are counted now."""
    found: dict[int, Standing] = {}
    for lateness in {lateness_of(slo) for slo in slos}:
        places = [place for place, slo in enumerate(slos) if lateness_of(slo) == lateness]
        standing = standings(database, [slos[place] for place in places], end + lateness)
        found |= dict(zip(places, standing, strict=True))
    return [found[place] for place in range(len(slos))]


def standings_then(
    database: Database, slos: Sequence[Slo], revisions: Mapping[str, Sequence[Revision]], end: datetime
) -> list[Standing]:
    """Return where *slos* stood at *end* by what they promised then: by the first *revision* before there was any."""
    return standings_at(
        database, [reigns(revisions.get(slo.id, ()), slo, end, end + MINUTE)[0].slo for slo in slos], end
    )


def _counted_now(database: Database, slo: Slo, start: datetime, end: datetime) -> list[SliMinute]:
    if isinstance(slo.indicator, SpanIndicator | CacheIndicator):
        found = sli_count.count_past(database, [slo.indicator], since=start, until=end)
    else:
        found = count_metrics(database, [slo.indicator], start=start, end=end).minutes
    return [item for item in found if not item.group]


def _judged(database: Database, stretch: Stretch, exclusions: Sequence[Exclusion]) -> JudgedStretch:
    parts = _excluded(stretch, exclusions)
    moments = sorted({stretch.start, stretch.end, *(moment for part in parts for moment in part)})
    sums = _sums(database, stretch.slo, moments)
    excluded = sum((sums.between(*part) for part in parts), NO_EVENTS)
    return JudgedStretch(stretch, sums.between(stretch.start, stretch.end), excluded)


def _excluded(stretch: Stretch, exclusions: Sequence[Exclusion]) -> tuple[Interval, ...]:
    slo = stretch.slo
    length = MINUTE if isinstance(slo.budgeting, Occurrences) else slice_length(slo.budgeting)
    return within(excluded_time((*exclusions, *slo.exclusions), length), stretch.start, stretch.end)


def _sums(database: Database, slo: Slo, moments: Sequence[datetime]) -> RunningSums:
    series = slo.indicator.series_id
    if isinstance(slo.budgeting, Occurrences):
        return event_sums(database, [series], moments)[series]
    firsts = first_minutes(database, [series])
    return SliceSums(database, slo.budgeting, moments, firsts).of_series([series])[series]
