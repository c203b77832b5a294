"""How long data is kept, as the settings say: TTLs, the clamp of stray times, and the disk budget."""

import logging
import re
from datetime import UTC, date, datetime, timedelta

from storage.annotations import Annotation, save_annotation
from storage.client import Database

log = logging.getLogger(__name__)

DAY_S = 86_400
RAW_TABLES = {"spans": "toDate(ts)", "trace_index": "day"}
METRIC_TABLES = {"metric_points": "toDate(ts)", "metric_histograms": "toDate(ts)"}
ROLLUP_TABLES = {"red_1m": "toDate(t)", "cache_1m": "toDate(t)", "sli_minutes": "toDate(minute)"}
DAILY_TABLES = (*RAW_TABLES, *METRIC_TABLES)


def apply_retention(database: Database, *, raw_days: int, metrics_days: int, rollup_days: int) -> None:
    """Bring the tables' TTLs to the settings; nothing is done where they agree."""
    for tables, days in ((RAW_TABLES, raw_days), (METRIC_TABLES, metrics_days), (ROLLUP_TABLES, rollup_days)):
        for table, column in tables.items():
            _set_ttl(database, table, column, days)
    for table, days in (("otlp_traces", raw_days), ("otlp_metrics", metrics_days)):
        _set_default(database, table, days * DAY_S)


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
        f"spans and metric points of {day.isoformat()} dropped: the disk budget of {budget_bytes:,} bytes was used up"
    )
    log.warning(title)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    annotation = Annotation(f"dropped-{day.isoformat()}", "retention", title, start, start + timedelta(days=1), [], "")
    save_annotation(database, annotation, now=now)


def _set_ttl(database: Database, table: str, column: str, days: int) -> None:
    wanted = f"{column} + toIntervalDay({days:d})"
    if wanted not in str(database.command(f"SHOW CREATE TABLE {table}")):
        database.command(f"ALTER TABLE {table} MODIFY TTL {wanted} SETTINGS materialize_ttl_after_modify = 0")


def _set_default(database: Database, table: str, seconds: int) -> None:
    found = re.search(
        r"`retention_s` UInt32 DEFAULT (\d+)", str(database.command(f"SHOW CREATE TABLE {table}")).replace("\\n", " ")
    )
    if not found or int(found.group(1)) != seconds:
        database.command(f"ALTER TABLE {table} MODIFY COLUMN retention_s UInt32 DEFAULT {seconds:d}")
