"""Episodes of alerts: what the last transition of each says."""

from datetime import datetime

from storage.client import Database
from storage.times import text


def episodes(database: Database, *, since: datetime) -> list[str]:
    """Return the body of the last transition of each episode that changed since *since* or has not ended."""
    return [row["body"] for row in database.rows("alert_episodes", {"since": text(since)})]
