from datetime import datetime
from typing import Literal

from api.models.base import Model


class LatencyGroup(Model):
    requests: int
    p50_ms: float | None
    p95_ms: float | None


class CachePoint(Model):
    at: datetime
    hits: int
    misses: int


class Cache(Model):
    """One cache over `window_s`: hit ratio, and the latency of hits beside that of misses.

    `source` says where the counts come from: "spans" (`cache.hit`) or "metrics" (hit and miss counters, which
    know no latency).
    """

    name: str
    service: str
    environment: str
    source: Literal["spans", "metrics"]
    window_s: int
    hits: int
    misses: int
    hit_ratio: float | None
    hit_latency: LatencyGroup | None
    miss_latency: LatencyGroup | None
    series: list[CachePoint]
