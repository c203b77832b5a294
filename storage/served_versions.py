"""Which versions of a service answered requests, when and how many."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from storage.client import Database
from storage.times import text, whole

EXACT_FOR: Final = timedelta(hours=1)  # longer windows are read from the rollup, by the minute
MOST_ROWS: Final = 1000
MOST_STEPS: Final = 20_000


@dataclass(frozen=True, slots=True)
class ServedVersion:
    """Requests of one version; `version` "" is a service that does not tell it."""

    service: str
    version: str
    requests: int
    errors: int
    first_at: datetime
    last_at: datetime


def served_versions(
    database: Database, *, start: datetime, end: datetime, service: str = "", environment: str | None = None
) -> list[ServedVersion]:
    """Return the versions with requests in [start, end), of *service* or of all, in order of their first request.

    In windows of more than an hour times are whole minutes, and those that reach into the window count whole.
    """
    exact = end - start <= EXACT_FOR
    written = text if exact else whole
    parameters = {
        "start": written(start if exact else start.replace(second=0, microsecond=0)),
        "end": written(end),
        "service": service,
        "any_environment": environment is None,
        "environment": environment or "",
        "limit": MOST_ROWS,
    }
    rows = database.rows("served_versions" if exact else "served_versions_rolled", parameters)
    return [ServedVersion(**row) for row in rows]


def served_steps(
    database: Database,
    *,
    start: datetime,
    end: datetime,
    step_s: int,
    service: str = "",
    environment: str | None = None,
) -> list[ServedVersion]:
    """Return the same for every step of *step_s* seconds in which a version had requests, newest first.

    Times are always exact. Of more than MOST_STEPS the oldest are left out.
    """
    parameters = {
        "start": text(start),
        "end": text(end),
        "step_s": step_s,
        "service": service,
        "any_environment": environment is None,
        "environment": environment or "",
        "limit": MOST_STEPS,
    }
    return [ServedVersion(**row) for row in database.rows("served_versions_steps", parameters)]
