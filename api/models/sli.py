from datetime import datetime

from api.models.base import Model


class SliCount(Model):
    """Requests of one service in [from, to), counted from the stored spans: the chaos judge's raw material."""

    service: str
    environment: str
    total: int
    errors: int
    slow: int
    threshold_ms: float | None
    p50_ms: float | None
    p95_ms: float | None
    newest_span_at: datetime | None
