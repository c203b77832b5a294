from datetime import datetime

from api.models.base import Model


class RedPoint(Model):
    """Requests of one step of time. Latencies are None where nothing was requested."""

    at: datetime
    requests: int
    errors: int
    p50_ms: float | None
    p95_ms: float | None


class Service(Model):
    """Rate, errors and duration of one service's requests (server and consumer spans) over `window_s`."""

    name: str
    environment: str
    versions: list[str]
    window_s: int
    requests: int
    errors: int
    rate_per_s: float
    error_ratio: float | None
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    last_seen: datetime


class Operation(Model):
    name: str
    kind: str
    requests: int
    errors: int
    rate_per_s: float
    error_ratio: float | None
    p50_ms: float | None
    p95_ms: float | None


class ServiceDetail(Model):
    service: Service
    series: list[RedPoint]
    operations: list[Operation]
