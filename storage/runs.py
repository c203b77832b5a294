"""Runs of experiments: JSON documents that their runner replaces as the run goes on, and who wants them to end."""

import json
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from typing import Any, Final

from storage.client import Database
from storage.times import text

BEGINNING: Final = datetime.fromtimestamp(0, UTC)
FOREVER: Final = datetime(2200, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class RunRow:
    """What lists show of a run, as its runner last described it; times to the millisecond where they are columns.

    `method` and `windows` are parsed JSON. `verdict` is "" while there is none. `chaos_share` is the largest share of
    an error budget that its outcome charges to the fault.
    """

    id: str
    experiment: str
    title: str
    status: str
    verdict: str
    started_at: datetime
    ended_at: datetime | None
    heartbeat_at: datetime
    environment: str
    services: list[str]
    method: list[dict[str, Any]]
    comparison: str
    source: str
    windows: list[dict[str, Any]]
    summary: str
    chaos_share: float | None


@dataclass(frozen=True, slots=True)
class RunCursor:
    """Where the next page begins: after the run *run_id*, which began at *at_ms*.

    >>> RunCursor.parse(str(RunCursor(1_700_000_000_000, "run.1")))
    RunCursor(at_ms=1700000000000, run_id='run.1')
    """

    at_ms: int
    run_id: str

    def __str__(self) -> str:
        return f"{self.at_ms}.{self.run_id}"

    @classmethod
    def parse(cls, written: str) -> "RunCursor":
        """Return the cursor of a text.

        Raises:
            ValueError: it is no cursor of ours.
        """
        at_ms, dot, run_id = written.partition(".")
        if not (dot and at_ms.isdecimal() and len(at_ms) < 15):
            raise ValueError(f"cursor={written[:80]!r} is not one that was answered; leave it out for the first page")
        return cls(int(at_ms), run_id)


@dataclass(frozen=True, slots=True)
class RunPage:
    runs: list[RunRow]
    next_cursor: RunCursor | None


@dataclass(frozen=True, slots=True)
class RunStop:
    """*author* asked at *at* for a run to end; *token* is the name of the API token that was used, "" for none."""

    run_id: str
    at: datetime
    author: str
    token: str
    reason: str


def save_run(database: Database, run_id: str, body: str, *, started_at: datetime, now: datetime) -> None:
    """Store *body* as the state of the run; a later one replaces it."""
    database.insert("runs", [(run_id, started_at, now, body)], ["id", "started_at", "updated_at", "body"])


def load_run(database: Database, run_id: str) -> str | None:
    """Return the body of a run, None when there is no such run."""
    rows = database.rows("run", {"id": run_id})
    return rows[0]["body"] if rows else None


def list_runs(
    database: Database,
    *,
    experiment: str = "",
    environment: str = "",
    since: datetime = BEGINNING,
    until: datetime = FOREVER,
    limit: int,
    cursor: RunCursor | None = None,
) -> RunPage:
    """Return at most *limit* runs, newest first, without reading their bodies.

    They began before *until* and were not over before *since*; "" is any experiment or environment.
    """
    parameters = {
        "experiment": experiment,
        "environment": environment,
        "since": text(since),
        "until": text(until),
        "first_page": cursor is None,
        "before_ms": cursor.at_ms if cursor else 0,
        "before_id": cursor.run_id if cursor else "",
        "limit": limit + 1,
    }
    found = [_row(row) for row in database.rows("runs", parameters)]
    shown = found[:limit]
    return RunPage(shown, _after(shown[-1]) if len(found) > limit else None)


def request_stop(database: Database, stop: RunStop) -> None:
    """Note that someone wants the run to end; what was noted before stays."""
    database.insert("run_stops", [astuple(stop)], [field.name for field in fields(RunStop)])


def requested_stop(database: Database, run_id: str) -> RunStop | None:
    """Return who first asked for the run to end, None while nobody did."""
    rows = database.rows("run_stop", {"run_id": run_id})
    return RunStop(**rows[0]) if rows else None


def _row(row: dict[str, Any]) -> RunRow:
    parsed = {name: json.loads(row[name] or "[]") or [] for name in ("method", "windows")}
    return RunRow(**{**row, **parsed})


def _after(last: RunRow) -> RunCursor:
    return RunCursor(round(last.started_at.timestamp() * 1000), last.id)
