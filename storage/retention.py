"""How long data is kept, as the settings say: TTLs and the disk budget."""

import logging
from datetime import UTC, date, datetime, timedelta

from storage.annotations import Annotation, save_annotation
from storage.client import Database

log = logging.getLogger(__name__)

RAW_TABLES = {"spans": "toDate(ts)", "trace_index": "day"}
METRIC_TABLES = {
    "metric_points": "toDate(ts)",
    "metric_histograms": "toDate(ts)",
    "metric_exponential_histograms": "toDate(ts)",
    "metric_summaries": "toDate(ts)",
    "exemplars": "toDate(ts)",
}
LOG_TABLES = {"logs": "toDate(ts)"}
ROLLUP_TABLES = {
    "red_1m": "toDate(t)",
    "cache_1m": "toDate(t)",
    "sli_minutes": "toDate(minute)",
    "sli_hours": "toDate(hour)",
}
DAILY_TABLES = (*RAW_TABLES, *METRIC_TABLES, *LOG_TABLES)


def apply_retention(
    database: Database, *, raw_days: int, metrics_days: int, rollup_days: int, logs_days: int = 14
) -> None:
    """Bring the tables' TTLs to the settings; nothing is done where they agree."""
    kept = (
        (RAW_TABLES, raw_days),
        (METRIC_TABLES, metrics_days),
        (LOG_TABLES, logs_days),
        (ROLLUP_TABLES, rollup_days),
    )
    for tables, days in kept:
        for table, column in tables.items():
            _set_ttl(database, table, column, days)


def enforce_disk_budget(database: Database, budget_bytes: int, *, now: datetime) -> list[date]:
    """Drop the oldest days until everything fits into *budget_bytes*; today stays. Return the days dropped.

    Each drop is logged and stored as an annotation, so that a gap in the data has a reason.
    """
    dropped: list[date] = []
    total = int(database.rows("disk_total")[0]["bytes"])
    for row in database.rows("disk_days"):
        day = date.fromisoformat(row["day"])
        if total <= budget_bytes or day >= now.date():
            break
        for table in DAILY_TABLES:
            database.command(f"ALTER TABLE {table} DROP PARTITION '{day.isoformat()}'")
        total -= int(row["bytes"])
        dropped.append(day)
        _note_drop(database, day, budget_bytes, now)
    return dropped


def _note_drop(database: Database, day: date, budget_bytes: int, now: datetime) -> None:
    title = (
        f"spans, metric points and log records of {day.isoformat()} dropped:"
        f" the disk budget of {budget_bytes:,} bytes was used up"
    )
    log.warning(title)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    annotation = Annotation(f"dropped-{day.isoformat()}", "retention", title, start, start + timedelta(days=1), [], "")
    save_annotation(database, annotation, now=now)


def _set_ttl(database: Database, table: str, column: str, days: int) -> None:
    wanted = f"{column} + toIntervalDay({days:d})"
    if wanted not in str(database.command(f"SHOW CREATE TABLE {table}")):
        database.command(f"ALTER TABLE {table} MODIFY TTL {wanted} SETTINGS materialize_ttl_after_modify = 0")
