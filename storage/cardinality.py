"""The limit on operation names and routes: ids in them must not make the rollups as large as the spans.

Too many values are found in the rollup itself, a few seconds after they began; from then on only the busiest ones are
told apart, and the rest is counted as `__other__`. Spans keep their names. A limit is lifted when nothing has
overflowed for an hour.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.client import Database
from storage.times import whole

WINDOW = timedelta(hours=1)
COLUMNS = ["service", "environment", "names", "routes", "since", "revision"]


@dataclass(frozen=True, slots=True)
class OperationLimit:
    """What is still told apart of a limited service; an empty list is not limited."""

    service: str
    environment: str
    names: list[str]
    routes: list[str]
    since: datetime
    overflowing: bool


def limited_operations(database: Database, *, now: datetime) -> list[OperationLimit]:
    """Return the services that are limited now."""
    rows = database.rows("operation_limits", {"since": whole(now - WINDOW)})
    return [
        OperationLimit(
            row["service"], row["environment"], row["names"], row["routes"], row["limited_at"], bool(row["overflowing"])
        )
        for row in rows
    ]


def limit_operations(database: Database, *, limit: int, now: datetime) -> list[str]:
    """Limit services that sent more than *limit* names or routes in the last hour, lift what is over.

    Returns the services that are limited from now on and were not before.
    """
    known = {(found.service, found.environment): found for found in limited_operations(database, now=now)}
    over = _overflow(database, limit, now)
    for key, kept in over.items():
        held = known.get(key)
        names = (held and held.names) or kept.get("names", [])
        routes = (held and held.routes) or kept.get("routes", [])
        if held is None or (names, routes) != (held.names, held.routes):
            _write(database, key, names, routes, now)
    for key, held in known.items():
        if key not in over and not held.overflowing and now - held.since > WINDOW:
            _write(database, key, [], [], now)
    return sorted(service for service, _ in over.keys() - known.keys())


def _overflow(database: Database, limit: int, now: datetime) -> dict[tuple[str, str], dict[str, list[str]]]:
    found: dict[tuple[str, str], dict[str, list[str]]] = {}
    for row in database.rows("operation_overflow", {"limit": limit, "since": whole(now - WINDOW)}):
        found.setdefault((row["service"], row["environment"]), {})[row["field"]] = row["kept"]
    return found


def _write(database: Database, key: tuple[str, str], names: list[str], routes: list[str], now: datetime) -> None:
    row = (*key, names, routes, now, int(now.timestamp() * 1000))
    database.insert("operation_limits", [row], COLUMNS)
