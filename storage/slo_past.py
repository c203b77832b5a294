"""The past of an objective: its minutes, and what its stretches of a report counted."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from slo.errors import InvalidObjective
from slo.indicator import SpanIndicator
from slo.maintenance import merged
from slo.minute_history import MinuteHistory
from slo.model import NO_EVENTS, EventCounts, Exclusion, Slo
from slo.report import JudgedStretch, Stretch
from storage import sli_count
from storage.client import Database
from storage.sli_minutes import SeriesWindows, steps, windows


def minute_history(
    database: Database, slo: Slo, start: datetime, end: datetime, exclusions: Sequence[Exclusion] = ()
) -> MinuteHistory:
    """Return the minutes of *slo* in [start, end), without those that it or *exclusions* exclude.

    An indicator that nobody counts yet is counted here from the stored spans, and nothing is stored.

    Raises:
        InvalidObjective: it is not counted yet, and is not one over spans.
    """
    indicator = slo.indicator
    excluded = merged((*exclusions, *slo.exclusions))
    if database.rows("counted_series", {"series": [indicator.series_id]}):
        counted = steps(database, indicator.series_id, start=start, end=end, step_s=60)
        minutes = [(step.at, EventCounts(step.good, step.good + step.bad)) for step in counted]
    elif isinstance(indicator, SpanIndicator):
        found = sli_count.count_past(database, [indicator], since=start)
        minutes = [(item.minute, EventCounts(item.good, item.total)) for item in found if not item.group]
    else:
        raise InvalidObjective(
            f"{slo.id!r} is about {indicator.source}, and its minutes are not counted yet; add its file to the SLO "
            "folder first"
        )
    return MinuteHistory(minutes, start, end, excluded)


class PastCounts:
    """Events of several indicators between moments (whole minutes) up to *end*, read at once."""

    def __init__(self, database: Database, series: Sequence[int], moments: Sequence[datetime], end: datetime) -> None:
        self._end = end
        lengths = {end - moment for moment in moments if moment < end}
        self._found: dict[int, SeriesWindows] = windows(database, series, lengths, end=end)

    def between(self, series: int, start: datetime, end: datetime) -> EventCounts:
        return self._since(series, start) - self._since(series, end)

    def first_minute(self, series: int) -> datetime | None:
        """Return the first minute that holds events, as far back as was read; None without any."""
        return self._found[series].first_minute if series in self._found else None

    def _since(self, series: int, moment: datetime) -> EventCounts:
        length = self._end - moment
        return self._found[series].counts[length] if length > timedelta(0) else NO_EVENTS


def judged_stretches(
    database: Database, stretches: Sequence[Stretch], exclusions: Sequence[Exclusion]
) -> tuple[list[JudgedStretch], datetime | None]:
    """Return the events of *stretches*, which follow on one another, and the first minute that holds any of the last.

    What *exclusions* and each definition itself exclude is told apart.
    """
    end = stretches[-1].end
    cuts = {stretch: _excluded(stretch, exclusions) for stretch in stretches}
    moments = {moment for stretch in stretches for moment in (stretch.start, stretch.end)}
    moments |= {moment for parts in cuts.values() for part in parts for moment in part}
    counts = PastCounts(database, [stretch.slo.indicator.series_id for stretch in stretches], sorted(moments), end)
    judged = []
    for stretch in stretches:
        series = stretch.slo.indicator.series_id
        excluded = sum((counts.between(series, *part) for part in cuts[stretch]), NO_EVENTS)
        judged.append(JudgedStretch(stretch, counts.between(series, stretch.start, stretch.end), excluded))
    return judged, counts.first_minute(stretches[-1].slo.indicator.series_id)


def _excluded(stretch: Stretch, exclusions: Sequence[Exclusion]) -> list[tuple[datetime, datetime]]:
    """Return the parts of *stretch* that are excluded; none overlaps another."""
    parts = merged((*exclusions, *stretch.slo.exclusions))
    cut = [(max(part.start, stretch.start), min(part.end, stretch.end)) for part in parts]
    return [(start, end) for start, end in cut if start < end]
