from api.models.base import Model


class EdgeCount(Model):
    """Calls from one service to another in [from, to), seen by the caller's client spans."""

    client: str
    server: str
    calls: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None
