from datetime import datetime
from typing import Literal

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


class OperationChange(Model):
    """How one measure of one operation changed.

    Of `errors`, `before` and `after` are the shares of failed requests; of `latency` those slower than the p95 of the
    faster side, and `before_ms` and `after_ms` are the p95 of both. `low` and `high` bound the difference of the shares
    with 95 % confidence for all that was compared together. "too few": nothing can be said yet.
    """

    operation: str
    kind: str
    measure: Literal["errors", "latency"]
    verdict: Literal["worse", "better", "same", "too few"]
    requests_before: int
    requests_after: int
    before: float | None
    after: float | None
    difference: float | None
    low: float | None
    high: float | None
    before_ms: float | None
    after_ms: float | None
    reason: str


class ServiceRegressions(Model):
    """Operations of one service now against before: `before` and `after` are versions or hours.

    `compared` operations had enough requests on both sides. `text` says what was compared, or why nothing was.
    """

    service: str
    environment: str
    against: Literal["version", "hour", "week"]
    before: str
    after: str
    compared: int
    text: str
    items: list[OperationChange]


class ServiceDetail(Model):
    service: Service
    series: list[RedPoint]
    operations: list[Operation]
