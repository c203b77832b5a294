"""Keeping the SLI minutes true: new indicators get their past, touched minutes are counted again."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from evaluator.backfill import DAY, Backfiller
from evaluator.corrections import corrections_of, settled, shrunk, stored_before
from evaluator.faults import Faults
from slo.indicator import CacheIndicator, Indicator, SpanIndicator
from slo.model import Slo
from storage import sli_count, sli_minutes
from storage.client import Database
from storage.sli_corrections import save_corrections
from storage.sli_groups import folded
from storage.sli_labels import MOST_GROUPS, OTHER
from storage.sli_metrics import missing_metrics, recount_metrics
from storage.sli_minutes import SliMinute

OVERLAP = timedelta(seconds=60)  # an insert becomes visible some time after the moment that it notes
TOO_MANY_GROUPS = (
    f"the indicator has over {MOST_GROUPS} groups: the rest is counted together as {OTHER}; group by something with"
    " fewer values"
)


class MinuteCounter:
    """Recounts what received rows since the last time; what that was survives a restart in the database.

    Attributes:
        backfiller: Counts the past of new indicators; its `work` goes on with what a tick has begun.
    """

    def __init__(
        self,
        database: Database,
        *,
        raw_retention: timedelta,
        metrics_retention: timedelta = 31 * DAY,
        rollup_retention: timedelta = 400 * DAY,
    ) -> None:
        self._database = database
        self.backfiller = Backfiller(
            database,
            raw_retention=raw_retention,
            metrics_retention=metrics_retention,
            rollup_retention=rollup_retention,
        )
        self._faults = Faults()
        self._known: set[int] | None = None
        self._last: datetime | None = None
        self._raw_retention = raw_retention

    def update(self, slos: Sequence[Slo], now: datetime) -> int:
        """Bring the minutes of *slos* up to date and return how many were written, groups counted too.

        Of a new indicator, and of one whose past shall be counted anew, the newest part is counted; the rest is up to
        `backfiller.work`.
        """
        indicators = {slo.indicator.series_id: slo.indicator for slo in slos}
        since = self._since(now)
        requested = sli_count.requested_series(self._database) & indicators.keys()
        new = self._new(indicators, now) | requested
        slo_ids = {slo.indicator.series_id: slo.id for slo in reversed(slos)}
        # first what a stopped process left uncounted: the next start asks for what came after the newest write
        written = self._recount(
            [indicator for key, indicator in indicators.items() if key not in new], slos, since, now
        )
        written += self.backfiller.begin(
            [indicators[series] for series in sorted(new)], slo_ids, now, requested=requested
        )
        self._known = set(indicators)
        self._last = now
        return written

    def problems(self, slos: Sequence[Slo]) -> dict[str, list[str]]:
        """Return what is wrong with the indicators of *slos*, as found lately, by the id of the objective."""
        found = {slo.id: self._faults.of(slo.indicator.series_id) for slo in slos}
        return {slo_id: texts for slo_id, texts in found.items() if texts}

    def _since(self, now: datetime) -> datetime:
        if self._last is None:
            sli_minutes.sum_newest_hours(self._database)  # the last process may have ended before it did
            self._last = sli_minutes.last_write(self._database) or now - self._raw_retention
        return self._last - OVERLAP

    def _new(self, indicators: Mapping[int, Indicator], now: datetime) -> set[int]:
        """Return the series whose past has to be counted, and note those that are counted no more.

        One that comes back was not counted in between. A series that was counted when the last process stopped is not
        new: the recount of what arrived since the last write closes that gap.
        """
        self.backfiller.watch(indicators)
        known = sli_count.counted_series(self._database) if self._known is None else self._known
        sli_count.mark_left(self._database, known - indicators.keys(), now=now)
        new = indicators.keys() - known
        return new | (self.backfiller.outdated(now) & indicators.keys()) if self._known is None else set(new)

    def _recount(self, indicators: Sequence[Indicator], slos: Sequence[Slo], since: datetime, now: datetime) -> int:
        spans = [item for item in indicators if isinstance(item, SpanIndicator | CacheIndicator)]
        metrics = [item for item in indicators if not isinstance(item, SpanIndicator | CacheIndicator)]
        minutes: list[SliMinute] = []
        if spans:
            minutes += sli_count.recount(self._database, spans, since=since, oldest=self.backfiller.raw_start(now))
        if metrics:
            oldest = self.backfiller.metrics_start(now)
            counted = recount_metrics(self._database, metrics, since=since, oldest=oldest)
            minutes += counted.minutes
            self._faults.note("doubt", counted.problems, now)
        self._faults.replace("missing", missing_metrics(self._database, metrics, now=now))
        self._faults.note("groups", {series: [TOO_MANY_GROUPS] for series in folded(minutes)}, now)
        kept = self._audited(minutes, slos, now)
        sli_minutes.write_minutes(self._database, kept, revision=_milliseconds(now))
        return len(kept)

    def _audited(self, minutes: list[SliMinute], slos: Sequence[Slo], now: datetime) -> list[SliMinute]:
        """Note which verdicts *minutes* change, and return them without those that would forget what was dropped."""
        old = settled(minutes, self._last)
        before = stored_before(self._database, old)
        less = shrunk(old, before)
        kept = [item for item in minutes if (item.series, item.minute) not in less]
        judged = [item for item in settled(kept, self._last) if self._was_counted(item)]
        save_corrections(self._database, corrections_of(slos, judged, before, now=now))
        return kept

    def _was_counted(self, minute: SliMinute) -> bool:
        start = self.backfiller.counted_from(minute.series)
        return start is None or start <= minute.minute


def _milliseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
