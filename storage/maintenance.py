"""Maintenance windows, as they were announced and ended."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import UTC, datetime

from slo.evaluation import burn_rate_windows
from slo.maintenance import Maintenance, exclusions_of
from slo.model import Exclusion, Slo
from storage.client import Database
from storage.times import whole

FOREVER = datetime(2100, 1, 1, tzinfo=UTC)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


def save_maintenance(database: Database, window: Maintenance, *, now: datetime) -> None:
    """Store *window*; a later state of it replaces an earlier one."""
    row = asdict(window) | {"updated_at": now}
    database.insert("maintenance", [tuple(row.values())], list(row))


def maintenance(
    database: Database, *, start: datetime = BEGINNING, end: datetime = FOREVER, window_id: str = ""
) -> list[Maintenance]:
    """Return the windows that touch [start, end) as announced, or the one called *window_id*, oldest first."""
    parameters = {"id": window_id, "start": whole(start), "end": whole(end)}
    return [Maintenance(**row) for row in database.rows("maintenance", parameters)]


def maintenance_exclusions(database: Database, slo: Slo, start: datetime, end: datetime) -> tuple[Exclusion, ...]:
    """Return the time that maintenance excludes of *slo* by windows that touch [start, end), oldest first."""
    return exclusions_of(maintenance(database, start=start, end=end), slo)


def exclusions_for(database: Database, slos: Iterable[Slo], now: datetime) -> dict[str, tuple[Exclusion, ...]]:
    """Return the time that maintenance excludes from the windows of *slos* that end by *now*, by id.

    Only objectives that something is excluded of are named. What their own files exclude is not among it.
    """
    wanted = list(slos)
    if not wanted:
        return {}
    oldest = min(min(slo.window.period(now)[0], now - burn_rate_windows(slo)[-1]) for slo in wanted)
    windows = maintenance(database, start=oldest, end=now)
    found = {slo.id: exclusions_of(windows, slo) for slo in wanted} if windows else {}
    return {slo_id: exclusions for slo_id, exclusions in found.items() if exclusions}
