"""What a service calls."""

from dataclasses import dataclass
from datetime import datetime

from storage.client import Database
from storage.times import text


@dataclass(frozen=True, slots=True)
class Dependency:
    """One destination of a service's calls. `server` is empty where nobody answered with spans of its own.

    `protocol`: "http", the database system ("redis", "postgresql", ...), or empty. `port` 0: the spans do not say.
    """

    address: str
    port: int
    server: str
    protocol: str
    calls: int
    errors: int
    p50_ms: float
    p95_ms: float


def dependencies(
    database: Database, service: str, *, start: datetime, end: datetime, environment: str = ""
) -> list[Dependency]:
    """Return where *service* sent calls that started in [start, end), the busiest first, 100 at most."""
    parameters = {"service": service, "environment": environment, "start": text(start), "end": text(end)}
    return [Dependency(**row) for row in database.rows("dependencies", parameters)]
