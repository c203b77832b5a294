from api.models.base import Model


class EdgeCount(Model):
    """Calls from one service to another in [from, to), seen by the caller's client spans."""

    client: str
    server: str
    calls: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


class Dependency(Model):
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
