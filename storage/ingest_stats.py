"""What collectors report of themselves: every 10 s, for each signal, what became of everything that was received."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime
from typing import Any

from storage.client import Database
from storage.times import whole


@dataclass(frozen=True, slots=True)
class StageReport:
    """One signal of one collector at a moment; counters run from `started_at`.

    Items are spans, data points or log records. `received = accepted + rejected + repeated + refused`, and
    `accepted + found = waiting + stored + put aside + unaccounted`.

    Attributes:
        collector: Its name, the same after a restart.
        repeated_items: Acknowledged again and not stored twice.
        refused_items: In requests that were refused after they had been read.
        refused_requests: By the name of the refusal.
        found_items: Acknowledged by an earlier process, and waiting in the spool at the start.
        put_aside_items: In dead letters that were made since the start, damaged requests included.
        unaccounted_items: Acknowledged, and in none of the places where they may be. For a moment that happens while
            an item moves on; for longer it is a loss.
        dead_letters: Requests that lie in the dead-letter folder.
        damaged_requests: Found damaged on disk, and put aside.
        spool_fill: Share of the spool's limit that is used.
        spool_oldest_s: For how long the oldest of the waiting has been waiting.
        shedding_level: Priorities refused right now: 0 none, 1 low, 2 all but critical, 3 all.
        breaker: "closed", "open" or "half-open", for `breaker_s` seconds.
        last_error: Why the oldest segment is not stored yet; "" when all is well.
        final: The collector stopped in order after this.
    """

    collector: str
    signal: str
    at: datetime
    started_at: datetime
    received_items: int
    accepted_items: int
    rejected_items: int
    repeated_items: int
    refused_items: int
    refused_requests: dict[str, int]
    found_items: int
    waiting_items: int
    stored_items: int
    put_aside_items: int
    unaccounted_items: int
    dead_letters: int
    damaged_requests: int
    spool_bytes: int
    spool_fill: float
    spool_oldest_s: float
    shedding_level: int
    breaker: str
    breaker_s: float
    last_stored_at: datetime | None
    last_error: str
    final: bool = False


@dataclass(frozen=True, slots=True)
class IngestStep:
    """What one signal of all collectors counted in a step of time."""

    signal: str
    at: datetime
    received: int
    stored: int
    rejected: int
    refused: int
    refused_requests: int


@dataclass(frozen=True, slots=True)
class ServiceVolume:
    """What is stored of one service's signal in a window."""

    service: str
    environment: str
    signal: str
    items: int
    last_at: datetime


COLUMNS = tuple(field.name for field in fields(StageReport))


def save_reports(database: Database, reports: Sequence[StageReport]) -> None:
    """Store *reports*; one that is stored twice counts once."""
    database.insert("ingest_stats", [astuple(report) for report in reports], COLUMNS)


def recent_reports(database: Database, *, since: datetime) -> list[StageReport]:
    """Return the reports since *since*, the oldest first."""
    return [StageReport(**row) for row in database.rows("ingest_recent", {"since": whole(since)})]


def latest_reports(database: Database, *, since: datetime) -> list[StageReport]:
    """Return the newest report of each signal of each collector that reported since *since*."""
    return [StageReport(**row) for row in database.rows("ingest_latest", {"since": whole(since)})]


def ingest_steps(database: Database, *, start: datetime, end: datetime, step_s: int) -> list[IngestStep]:
    """Return what was counted in [start, end), by signal and step."""
    parameters: dict[str, Any] = {"start": whole(start), "end": whole(end), "step_s": step_s}
    return [IngestStep(at=row.pop("step"), **row) for row in database.rows("ingest_steps", parameters)]


def service_volumes(database: Database, *, start: datetime, end: datetime) -> list[ServiceVolume]:
    """Return what of each service lies in the database with a time in [start, end), the largest first.

    Spans come from the minute rollup: sampled ones count as those that they stand for, and spans whose time could not
    be believed are missing. Metric points and log records are counted as they lie there.
    """
    rows = database.rows("ingest_services", {"start": whole(start), "end": whole(end)})
    return [ServiceVolume(**row) for row in rows]
