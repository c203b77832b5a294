"""Counting SLIs from the stored spans, and their minutes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from slo.indicator import FasterThan, Matches, NotError, SpanIndicator
from storage.client import Database
from storage.predicate_sql import PredicateSql
from storage.sli_minutes import SliMinute
from storage.times import whole

KIND_BITS = {"internal": 1, "server": 2, "client": 3, "producer": 4, "consumer": 5}
MINUTES_THAT_RECEIVED_ROWS = "(SELECT minute FROM arrivals WHERE arrived >= {since:DateTime('UTC')})"
MINUTES_WITH_SPANS = (
    "(SELECT t AS minute FROM red_1m WHERE t >= {since:DateTime('UTC')} AND service IN {services:Array(String)})"
)


def recount(database: Database, indicators: Iterable[SpanIndicator], *, since: datetime) -> list[SliMinute]:
    """Count every minute that received rows since *since*, however old it is, for all *indicators* in one scan."""
    return _count(database, list(indicators), MINUTES_THAT_RECEIVED_ROWS, since)


def count_past(database: Database, indicators: Iterable[SpanIndicator], *, since: datetime) -> list[SliMinute]:
    """Count all minutes after *since* that hold spans."""
    return _count(database, list(indicators), MINUTES_WITH_SPANS, since)


def uncounted(database: Database, indicators: Iterable[SpanIndicator]) -> list[SpanIndicator]:
    """Return those of *indicators* whose past has not been counted."""
    wanted = {indicator.series_id: indicator for indicator in indicators}
    rows = database.rows("counted_series", {"series": list(wanted)})
    counted = {row["series"] for row in rows}
    return [indicator for series, indicator in wanted.items() if series not in counted]


def mark_counted(database: Database, indicators: Iterable[SpanIndicator], *, since: datetime, now: datetime) -> None:
    rows = [(indicator.series_id, indicator.service, since, now) for indicator in indicators]
    database.insert("sli_series", rows, ["series", "slo_id", "counted_from", "backfilled_at"])


def exemplars(
    database: Database, indicator: SpanIndicator, *, start: datetime, end: datetime, limit: int = 3
) -> list[str]:
    """Return trace ids of bad events in [start, end): the slowest for a latency threshold, else the newest."""
    sql = PredicateSql("x")
    good = indicator.good
    good_sql = "NOT error"
    if isinstance(good, FasterThan):
        good_sql = f"duration_ns <= {good.threshold_ns:d}"
    elif isinstance(good, Matches):
        good_sql = sql.compile(good.predicate)
    parameters = {
        "start": whole(start),
        "end": whole(end),
        "service": indicator.service,
        "any_environment": indicator.environment is None,
        "environment": indicator.environment or "",
        "kinds": _kinds(indicator),
        "slowest": isinstance(good, FasterThan),
        "limit": limit,
    }
    filter_sql = sql.compile(indicator.filter) if indicator.filter is not None else "true"
    rows = database.rows("exemplars", parameters | sql.parameters, filter=filter_sql, good=good_sql)
    return [row["trace_id_hex"] for row in rows]


def _count(database: Database, indicators: list[SpanIndicator], minutes: str, since: datetime) -> list[SliMinute]:
    if not indicators:
        return []
    sql = PredicateSql()
    matches, predicates = _match_rows(indicators, sql)
    parameters = matches | sql.parameters | {"since": whole(since)}
    rows = database.rows("count_sli_minutes", parameters, minutes=minutes, predicates=", ".join(predicates))
    return [SliMinute(row["series"], row["minute"], row["good"], row["total"], row["seen"]) for row in rows]


def _match_rows(indicators: list[SpanIndicator], sql: PredicateSql) -> tuple[dict[str, list[Any]], list[str]]:
    """Return the columns of slo_match, and the distinct predicates that its indexes (from 1) point to."""
    predicates: dict[Any, int] = {}

    def index_of(predicate: Any) -> int:
        return predicates.setdefault(predicate, len(predicates) + 1) if predicate is not None else 0

    columns: dict[str, list[Any]] = {
        "series": [indicator.series_id for indicator in indicators],
        "services": [indicator.service for indicator in indicators],
        "any_environments": [indicator.environment is None for indicator in indicators],
        "environments": [indicator.environment or "" for indicator in indicators],
        "kinds": [_kinds(indicator) for indicator in indicators],
        "filter_indexes": [index_of(indicator.filter) for indicator in indicators],
        "max_ns": [i.good.threshold_ns if isinstance(i.good, FasterThan) else 0 for i in indicators],
        "good_indexes": [index_of(i.good.predicate) if isinstance(i.good, Matches) else 0 for i in indicators],
    }
    assert all(isinstance(i.good, NotError | FasterThan | Matches) for i in indicators)
    return columns, [sql.compile(predicate) for predicate in predicates]


def _kinds(indicator: SpanIndicator) -> int:
    return sum(1 << KIND_BITS[kind] for kind in set(indicator.kinds))
