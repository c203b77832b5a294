"""Counting SLIs from the stored spans, and their minutes."""

from collections.abc import Iterable
from datetime import UTC, datetime

from slo.indicator import CacheIndicator, Indicator
from storage.client import Database
from storage.metric_query import EPOCH
from storage.predicate_sql import PredicateSql
from storage.sli_groups import count_groups, emptied
from storage.sli_labels import MOST_GROUPS
from storage.sli_match import EventSource, SpanMatch, event_sql, good_sql, label_names
from storage.sli_minutes import SliMinute
from storage.times import whole

TOUCHED = (
    "(SELECT minute FROM arrivals WHERE arrived >= {since:DateTime('UTC')} AND minute >= {oldest:DateTime('UTC')})"
)
TOUCHED_TIMES = (
    f"toDate(ts) IN (SELECT toDate(minute) FROM {TOUCHED})"  # noqa: S608 -- parameters only
    f" AND toStartOfFiveMinutes(ts) IN (SELECT toStartOfFiveMinutes(minute) FROM {TOUCHED})"
    f" AND toStartOfMinute(ts) IN {TOUCHED}"
)
TIMES_IN_RANGE = (
    "toStartOfFiveMinutes(ts) >= toStartOfFiveMinutes({since:DateTime('UTC')}) AND ts >= {since:DateTime('UTC')}"
    " AND toStartOfFiveMinutes(ts) <= {until:DateTime('UTC')} AND ts < {until:DateTime('UTC')}"
)
FOREVER = datetime(2106, 1, 1, tzinfo=UTC)


def recount(
    database: Database,
    indicators: Iterable[EventSource],
    *,
    since: datetime,
    oldest: datetime | None = None,
    most: int = MOST_GROUPS,
) -> list[SliMinute]:
    """Count every minute that received rows since *since*, however old it is, for all *indicators* in one scan.

    Minutes before *oldest* are left out: what is stored of them is not all that they held. Of an indicator with groups
    each minute comes once as a whole and once for each group; groups that were stored and are none any more come with
    nothing in them.
    """
    times = {"since": whole(since), "oldest": whole(oldest or EPOCH)}
    return _count(database, list(indicators), TOUCHED_TIMES, times, most)


def count_past(
    database: Database,
    indicators: Iterable[EventSource],
    *,
    since: datetime,
    until: datetime | None = None,
    most: int = MOST_GROUPS,
) -> list[SliMinute]:
    """Count all minutes of [*since*, *until*) that hold spans, as `recount` does."""
    times = {"since": whole(since), "until": whole(until or FOREVER)}
    return _count(database, list(indicators), TIMES_IN_RANGE, times, most)


def spans_since(database: Database, since: datetime) -> int:
    """Return how many spans of all services are stored since *since*: what counting them costs."""
    return int(database.rows("count_spans_since", {"since": whole(since)})[0]["spans"])


def counted_series(database: Database) -> set[int]:
    """Return the series that are kept counted: their past has been counted, or its backfill goes on."""
    return {row["series"] for row in database.rows("counted_series")}


def mark_counted(database: Database, indicators: Iterable[Indicator], *, since: datetime, now: datetime) -> None:
    """Note that *indicators* are kept counted: what is older comes from their backfill, which goes back to *since*."""
    rows = [(indicator.series_id, indicator.service, since, now) for indicator in indicators]
    database.insert("sli_series", rows, ["series", "slo_id", "counted_from", "backfilled_at"])


def mark_left(database: Database, series: Iterable[int], *, now: datetime) -> None:
    """Note that *series* are not counted any more: should one come back, its past has to be counted anew."""
    rows = [(item, "", EPOCH, now) for item in series]
    database.insert("sli_series", rows, ["series", "slo_id", "counted_from", "backfilled_at"])


def request_backfill(database: Database, series: int, *, slo_id: str, now: datetime) -> None:
    """Note that the past of *series* shall be counted anew, for the objective *slo_id*; the next tick begins it."""
    database.insert("sli_series", [(series, slo_id, EPOCH, now)], ["series", "slo_id", "counted_from", "backfilled_at"])


def requested_series(database: Database) -> set[int]:
    """Return the series whose past shall be counted anew, though it was counted before."""
    return {row["series"] for row in database.rows("requested_series")}


def cache_misses(
    database: Database, indicator: CacheIndicator, *, start: datetime, end: datetime, limit: int = 3
) -> list[str]:
    """Return the trace ids of the newest misses in [start, end); for requests see `storage.exemplar_traces`."""
    sql = PredicateSql("x")
    slots = {"filter": event_sql(indicator, sql), "good": good_sql(indicator, sql)}
    parameters = {
        "start": whole(start),
        "end": whole(end),
        "service": indicator.service,
        "any_environment": indicator.environment is None,
        "environment": indicator.environment or "",
        "limit": limit,
    }
    rows = database.rows("cache_misses", parameters | sql.parameters, **slots)
    return [row["trace_id_hex"] for row in rows]


def _count(
    database: Database, indicators: list[EventSource], condition: str, times: dict[str, str], most: int
) -> list[SliMinute]:
    if not indicators:
        return []
    match = SpanMatch(indicators)
    slots = {
        "times": condition,
        "predicates": ", ".join(match.predicates),
        "labels": ", ".join(match.labels),
        "label": "if(m.group_index = 0, [], s.grouped[m.group_index])" if match.labels else "emptyArrayString()",
    }
    grouped = {indicator.series_id: label_names(indicator.group_by) for indicator in indicators if indicator.group_by}
    counted = count_groups(
        database, "count_sli_minutes", match.parameters | times, grouped, source="spans", most=most, **slots
    ).minutes
    places = {(item.series, item.minute) for item in counted if item.group}
    return [*counted, *emptied(database, counted, places, wholes=False, source="spans")]
