"""Which services sent requests lately, without reading a month of the rollup each time."""

import threading
from datetime import datetime, timedelta
from typing import Final

from storage.client import Database
from storage.services import request_services

SEEN_WITHIN: Final = timedelta(days=30)
CLOCKS_DIFFER: Final = timedelta(hours=1)  # a span may lie so far ahead
RECENT: Final = timedelta(hours=1)
ALL_AGAIN: Final = timedelta(seconds=45)  # whoever sends anything has drafts within a minute

Services = tuple[tuple[str, str], ...]


class SeenServices:
    """Remembers who sent request spans within 30 days. Thread-safe.

    All of the 30 days are read every 45 s, which also finds who sent nothing but old spans, and forgets who has been
    silent for too long; in between it is the last hour, whose reading does not take longer with more stored spans.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Services = ()
        self._database: Database | None = None
        self._all_at: datetime | None = None
        self._last: datetime | None = None

    def at(self, database: Database, now: datetime) -> Services:
        """Return (service, environment) of everything that sent request spans in the 30 days before *now*, in order."""
        with self._lock:
            fresh = self._is_fresh(database, now)
            since = now - (RECENT if fresh else SEEN_WITHIN)
            found = request_services(database, since=since, until=now + CLOCKS_DIFFER)
            self._found = tuple(sorted({*found, *(self._found if fresh else ())}))
            self._last = now
            if not fresh:
                self._database, self._all_at = database, now
            return self._found

    def _is_fresh(self, database: Database, now: datetime) -> bool:
        if self._all_at is None or self._last is None or self._database is not database:
            return False
        return self._last <= now < self._all_at + ALL_AGAIN  # going back in time, what came later was not seen yet
