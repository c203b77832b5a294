"""The alerts of now: what Alertmanagers are told of."""

from datetime import datetime

from storage.client import Database
from storage.times import text


def live_transitions(database: Database, *, since: datetime) -> list[str]:
    """Return the body of the last transition of every alert that fires, or that changed since *since*."""
    return [row["body"] for row in database.rows("live_transitions", {"since": text(since)})]
