"""Counting the past of new SLIs, newest first: the newest part within a tick, the rest in the background.

A backfill's minutes carry the time at which it began as their revision, so they never replace what a later tick
counted: whatever arrived since then is noted as arrived and counted by the ticks. Every step is stored, so that a
restart goes on where the last process stopped.
"""

import threading
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Final, cast

from slo.indicator import CacheIndicator, Indicator, MetricIndicator, SpanIndicator
from storage import sli_count, sli_minutes
from storage.client import Database
from storage.sli_backfills import Backfill, backfills, save_backfills, whole_days_since
from storage.sli_metrics import LOOKBACK, count_metrics
from storage.sli_minutes import CountSource, SliMinute
from storage.sli_rollup import count_rollups, has_rollup

DAY: Final = timedelta(days=1)
MINUTE: Final = timedelta(minutes=1)
CHUNKS: Final[Mapping[CountSource, timedelta]] = {"spans": DAY, "metrics": DAY, "rollup": 30 * DAY}
AT_ONCE: Final = DAY  # what a tick counts by itself of a new SLI
AT_ONCE_BUSY: Final = timedelta(hours=1)  # the same where a day holds more than BUSY_SPANS
BUSY_SPANS: Final = 5_000_000  # counted in about half a second


class Backfiller:
    """Counts the past of series. `begin` and `work` may be called by different threads.

    Args:
        raw_retention: How long spans are kept, and so on for metrics and rollups.
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
        self._raw_retention = raw_retention
        self._metrics_retention = metrics_retention
        self._rollup_retention = rollup_retention
        self._lock = threading.Lock()
        self._parts: dict[tuple[int, CountSource], Backfill] | None = None
        self._indicators: dict[int, Indicator] = {}

    def watch(self, indicators: Mapping[int, Indicator]) -> None:
        """Tell which series are wanted: the backfills of others rest."""
        stored = self._parts
        if stored is None:
            stored = {(item.series, item.source): item for item in backfills(self._database)}
        with self._lock:
            self._parts = stored
            self._indicators = dict(indicators)

    def outdated(self, now: datetime) -> set[int]:
        """Return the series whose backfill rested so long that days were dropped that it should have counted."""
        starts: dict[CountSource, datetime] = {"spans": self.raw_start(now), "metrics": self.metrics_start(now)}
        with self._lock:
            parts = list((self._parts or {}).values())
        return {
            part.series
            for part in parts
            if part.finished_at is None and part.source in starts and part.start < starts[part.source]
        }

    def begin(
        self,
        indicators: Iterable[Indicator],
        slo_ids: Mapping[int, str],
        now: datetime,
        *,
        requested: AbstractSet[int] = frozenset(),
    ) -> int:
        """Count the newest part of *indicators* and note the rest as to be done; return how many minutes were written.

        *slo_ids* names the objective of each series, for those who read the progress. Series that are *requested* were
        counted all the time: what was counted from spans that are gone since is not counted again from rollups.
        """
        new = list(indicators)
        if not new:
            return 0
        busy = sli_count.spans_since(self._database, now - AT_ONCE) > BUSY_SPANS
        at_once = AT_ONCE_BUSY if busy else AT_ONCE
        parts = [part for item in new for part in self._plan(item, slo_ids.get(item.series_id, ""), now, at_once)]
        parts = [self._kept_exact(part) if part.series in requested else part for part in parts]
        newest = [part for part in parts if part.done_until < part.end]
        done = self._count(newest, {indicator.series_id: indicator for indicator in new}, end=None)
        done += [part for part in parts if part.done_until >= part.end]
        save_backfills(self._database, done)
        oldest = min(part.start for part in parts)
        sli_count.mark_counted(self._database, new, since=oldest, now=now)
        with self._lock:
            self._parts = (self._parts or {}) | {(part.series, part.source): part for part in done}
        return sum(part.minutes for part in done)

    def work(self, budget: timedelta) -> int:
        """Count chunks until nothing is left or *budget* is used up; return how many minutes were written."""
        until = monotonic() + budget.total_seconds()
        written = 0
        while (chunk := self._next()) and monotonic() < until:
            written += self._advance(chunk)
        return written

    def counted_from(self, series: int) -> datetime | None:
        """Return from when on *series* is counted, None when it never was."""
        with self._lock:
            parts = [part for (key, _), part in (self._parts or {}).items() if key == series]
        counted = None
        for part in sorted(parts, key=lambda part: part.end, reverse=True):
            counted = part.done_until
            if part.finished_at is None:
                break
        return counted

    def raw_start(self, now: datetime) -> datetime:
        """Return from when on spans are still whole, so that minutes may be counted again."""
        return whole_days_since(self._database, now, self._raw_retention)

    def metrics_start(self, now: datetime) -> datetime:
        """Return from when on points of metrics are still whole, those before a minute included."""
        return whole_days_since(self._database, now, self._metrics_retention) + LOOKBACK

    def _plan(self, indicator: Indicator, slo_id: str, now: datetime, at_once: timedelta) -> list[Backfill]:
        """Return what there is to count; a part that this tick counts the newest chunk of is done until its start."""
        end = now.replace(second=0, microsecond=0) + MINUTE
        series = indicator.series_id
        if not isinstance(indicator, SpanIndicator | CacheIndicator):
            start = min(self.metrics_start(now), end)
            return [Backfill(series, slo_id, "metrics", start, end, max(start, end - at_once), now)]
        start = min(self.raw_start(now), end)
        found = [Backfill(series, slo_id, "spans", start, end, max(start, end - at_once), now)]
        if has_rollup(indicator):
            oldest = min(_rollup_start(now, self._rollup_retention), start)
            found.append(Backfill(series, slo_id, "rollup", oldest, start, start, now))
        return found

    def _kept_exact(self, part: Backfill) -> Backfill:
        """Return *part*, of the rollup only where its last count from spans did not reach: those minutes are exact."""
        with self._lock:
            known = self._parts or {}
        spans, rollup = known.get((part.series, "spans")), known.get((part.series, "rollup"))
        if part.source != "rollup" or spans is None or rollup is None or spans.finished_at is None:
            return part
        end = max(min(part.end, rollup.end), part.start)
        return replace(part, end=end, done_until=end)

    def _next(self) -> list[Backfill]:
        """Return those parts that go on at the newest moment of all, from one source: one scan serves them."""
        with self._lock:
            open_parts = [
                part
                for (series, _), part in (self._parts or {}).items()
                if part.finished_at is None and series in self._indicators
            ]
        if not open_parts:
            return []
        first = max(open_parts, key=lambda part: (part.done_until, part.source))
        return [part for part in open_parts if (part.source, part.done_until) == (first.source, first.done_until)]

    def _advance(self, parts: list[Backfill]) -> int:
        end = parts[0].done_until
        start = _midnight_before(end, CHUNKS[parts[0].source])
        with self._lock:
            named = {part.series: self._indicators.get(part.series) for part in parts}
        wanted = {series: indicator for series, indicator in named.items() if indicator is not None}
        moved = [replace(part, done_until=max(part.start, start)) for part in parts if part.series in wanted]
        counted = self._count(moved, wanted, end=end)
        save_backfills(self._database, counted)
        with self._lock:
            known = self._parts or {}
            for part in counted:  # a backfill that began anew meanwhile has the word
                if known[part.series, part.source].started_at == part.started_at:
                    known[part.series, part.source] = part
        return sum(part.minutes for part in counted) - sum(part.minutes for part in parts if part.series in wanted)

    def _count(
        self, parts: Sequence[Backfill], indicators: Mapping[int, Indicator], *, end: datetime | None
    ) -> list[Backfill]:
        """Count *parts* from `done_until` to *end* (None: all there is), write it, and return them as they are then."""
        found: list[Backfill] = []
        for alike in _alike(parts):
            wanted = [indicators[part.series] for part in alike]
            minutes = _minutes_of(self._database, alike[0].source, wanted, alike[0].done_until, end)
            for started_at in {part.started_at for part in alike}:
                series = {part.series for part in alike if part.started_at == started_at}
                mine = [minute for minute in minutes if minute.series in series]
                sli_minutes.write_minutes(self._database, mine, revision=int(started_at.timestamp() * 1000))
            found += [_stepped(part, minutes) for part in alike]
        return found


def _rollup_start(now: datetime, retention: timedelta) -> datetime:
    """Return from when on minutes of the rollup and of SLIs are kept."""
    return (now - retention).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) + DAY


def _minutes_of(
    database: Database,
    source: CountSource,
    indicators: Sequence[Indicator],
    since: datetime,
    until: datetime | None,
) -> list[SliMinute]:
    # a part's source was chosen by the kind of its indicator
    if source == "metrics":
        end = until or _ahead(datetime.now(UTC))
        return count_metrics(database, cast("Sequence[MetricIndicator]", indicators), start=since, end=end).minutes
    spans = cast("Sequence[SpanIndicator | CacheIndicator]", indicators)
    if source == "rollup":
        assert until is not None
        return count_rollups(database, spans, start=since, end=until)
    return sli_count.count_past(database, spans, since=since, until=until)


def _ahead(now: datetime) -> datetime:
    """Return a moment that no stored point lies behind: points may be an hour ahead of their arrival."""
    return now.replace(second=0, microsecond=0) + timedelta(hours=2)


def _alike(parts: Iterable[Backfill]) -> list[list[Backfill]]:
    """Return *parts* by what one scan can serve."""
    found: dict[tuple[CountSource, datetime], list[Backfill]] = {}
    for part in parts:
        found.setdefault((part.source, part.done_until), []).append(part)
    return list(found.values())


def _stepped(part: Backfill, minutes: Iterable[SliMinute]) -> Backfill:
    written = sum(minute.series == part.series and not minute.group for minute in minutes)
    finished = datetime.now(UTC) if part.done_until <= part.start else None
    return replace(part, minutes=part.minutes + written, finished_at=finished)


def _midnight_before(moment: datetime, chunk: timedelta) -> datetime:
    """Return the start of the chunk that ends at *moment*: whole days, so that a day's partition is read once."""
    last = moment - timedelta(microseconds=1)
    return last.replace(hour=0, minute=0, second=0, microsecond=0) - (chunk - DAY)
