"""Keeping the SLI minutes true: new indicators get their past, touched minutes are counted again."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from slo.indicator import SpanIndicator
from slo.model import Slo
from storage import sli_count, sli_minutes
from storage.client import Database

OVERLAP = timedelta(seconds=60)  # an insert becomes visible some time after the moment that it notes


class MinuteCounter:
    """Recounts what received rows since the last time; what that was survives a restart in the database."""

    def __init__(self, database: Database, *, raw_retention: timedelta) -> None:
        self._database = database
        self._raw_retention = raw_retention
        self._known: set[int] | None = None
        self._last: datetime | None = None

    def update(self, slos: Sequence[Slo], now: datetime) -> int:
        """Bring the minutes of *slos* up to date and return how many were written."""
        found = [slo.indicator for slo in slos if isinstance(slo.indicator, SpanIndicator)]
        indicators = {indicator.series_id: indicator for indicator in found}
        since = self._since(now)
        new = self._new([indicator for series, indicator in indicators.items() if series not in (self._known or ())])
        written = self._backfill(new, now)
        old = [indicator for indicator in indicators.values() if indicator not in new]
        minutes = sli_count.recount(self._database, old, since=since)
        sli_minutes.write_minutes(self._database, minutes, revision=_milliseconds(now))
        self._known = set(indicators)
        self._last = now
        return written + len(minutes)

    def _since(self, now: datetime) -> datetime:
        if self._last is None:
            sli_minutes.sum_newest_hours(self._database)  # the last process may have ended before it did
            self._last = sli_minutes.last_write(self._database) or now - self._raw_retention
        return self._last - OVERLAP

    def _new(self, unknown: list[SpanIndicator]) -> list[SpanIndicator]:
        """Return those whose past has to be counted.

        One that comes back while we run was not counted in between. At the start nothing was: the recount of what
        arrived since the last write closes that gap for those that had been counted.
        """
        if self._known is not None or not unknown:
            return unknown
        return sli_count.uncounted(self._database, unknown)

    def _backfill(self, indicators: list[SpanIndicator], now: datetime) -> int:
        if not indicators:
            return 0
        since = now - self._raw_retention
        minutes = sli_count.count_past(self._database, indicators, since=since)
        sli_minutes.write_minutes(self._database, minutes, revision=_milliseconds(now))
        sli_count.mark_counted(self._database, indicators, since=since, now=now)
        return len(minutes)


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
