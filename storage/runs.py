"""Runs of experiments: JSON documents that their runner replaces as the run goes on."""

from datetime import datetime

from storage.client import Database
from storage.times import text


def save_run(database: Database, run_id: str, body: str, *, started_at: datetime, now: datetime) -> None:
    """Store *body* as the state of the run; a later one replaces it."""
    database.insert("runs", [(run_id, started_at, now, body)], ["id", "started_at", "updated_at", "body"])


def load_runs(database: Database, run_id: str = "") -> list[str]:
    """Return the bodies of the newest 200 runs, or of one, newest first."""
    return [row["body"] for row in database.rows("runs", {"id": run_id})]


def runs_between(database: Database, *, start: datetime, end: datetime, limit: int = 20) -> list[str]:
    """Return the bodies of the newest *limit* runs that began in [start, end), newest first."""
    parameters = {"start": text(start), "end": text(end), "limit": limit}
    return [row["body"] for row in database.rows("runs_between", parameters)]
