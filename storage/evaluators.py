"""When each evaluator last worked, so that another takes over what one that has died left unsent."""

from datetime import datetime, timedelta
from typing import Final

from storage.client import Database
from storage.times import text

SEEN_EVERY: Final = timedelta(seconds=15)
DEAD_AFTER: Final = timedelta(seconds=60)


class Heartbeat:
    """Says that *writer* works: a row a tick, so that two late ticks are no death."""

    def __init__(self, database: Database, writer: str) -> None:
        self._database = database
        self._writer = writer
        self._seen_at: datetime | None = None

    def beat(self, now: datetime) -> None:
        if self._seen_at is None or abs(now - self._seen_at) >= SEEN_EVERY:
            self._database.insert("evaluators", [(self._writer, now)], ["writer", "at"])
            self._seen_at = now


def living_writers(database: Database, now: datetime) -> set[str]:
    """Return who was seen within the last 60 s."""
    return {row["writer"] for row in database.rows("living_evaluators", {"since": text(now - DEAD_AFTER)})}
