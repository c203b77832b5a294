"""Spans whose time could not be believed: stored, and counted by no objective."""

from datetime import datetime

from storage.client import Database
from storage.times import whole


def quarantined_spans(database: Database, *, since: datetime) -> dict[tuple[str, str], int]:
    """Return how many came since *since*, by (service, environment); only of those that sent any."""
    rows = database.rows("quarantined_spans", {"since": whole(since)})
    return {(row["service"], row["environment"]): row["spans"] for row in rows}
