"""The limit on metric series: ids in attributes must not make as many series as there are points.

Too many series are found where they are listed, a few seconds after they began; from then on series that were seen in
the last 25 hours stay as they are, and points of others are stored under one series for each metric, with the attribute
`otel.metric.overflow`. A limit is lifted when nothing has overflowed for an hour.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.client import Database
from storage.times import whole

WINDOW = timedelta(hours=1)
COLUMNS = ["service", "environment", "series", "since", "revision"]


@dataclass(frozen=True, slots=True)
class SeriesLimit:
    """A service that is limited. `series`: how many it had sent within an hour by then."""

    service: str
    environment: str
    series: int
    since: datetime
    overflowing: bool


def limited_series(database: Database, *, now: datetime) -> list[SeriesLimit]:
    """Return the services that are limited now."""
    rows = database.rows("series_limits", {"since": whole(now - WINDOW)})
    return [
        SeriesLimit(row["service"], row["environment"], row["series"], row["limited_at"], bool(row["overflowing"]))
        for row in rows
    ]


def limit_series(database: Database, *, limit: int, now: datetime) -> list[str]:
    """Limit services that sent more than *limit* series in the last hour, lift what is over.

    Returns the services that are limited from now on and were not before.
    """
    known = {(found.service, found.environment): found for found in limited_series(database, now=now)}
    rows = database.rows("series_overflow", {"limit": limit, "since": whole(now - WINDOW)})
    over = {(row["service_name"], row["environment_name"]): row["series"] for row in rows}
    for key in over.keys() - known.keys():
        _write(database, key, over[key], now)
    for key, held in known.items():
        if key not in over and not held.overflowing and now - held.since > WINDOW:
            _write(database, key, 0, now)
    return sorted(service for service, _ in over.keys() - known.keys())


def _write(database: Database, key: tuple[str, str], series: int, now: datetime) -> None:
    database.insert("series_limits", [(*key, series, now, int(now.timestamp() * 1000))], COLUMNS)
