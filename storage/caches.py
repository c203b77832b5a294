"""Cache hit ratios, from spans that carry `cache.hit` and from hit and miss counters."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from storage.client import Database
from storage.histogram import quantile_ms
from storage.metric_query import LOOKBACK_S, nanoseconds
from storage.metric_series import increases
from storage.times import whole

Outcome = Literal["hit", "miss", ""]
Source = Literal["spans", "metrics"]


@dataclass(frozen=True, slots=True)
class CacheCounter:
    """A metric that counts lookups.

    Attributes:
        cache: What the cache is called where the attributes `cache.name`, `cache` and `name` do not say.
        outcome: What the whole metric counts; "" where *attribute* tells.
        attribute: Its value is one of *hits*, of *misses*, or does not count.
        where: Key and value of an attribute that lookups have.
    """

    metric: str
    cache: str
    outcome: Outcome = ""
    attribute: str = ""
    hits: tuple[str, ...] = ("hit",)
    misses: tuple[str, ...] = ("miss",)
    where: tuple[str, str] = ("", "")


# no semantic convention exists: what the Collector's receivers and Micrometer send, and the plainest of names
COUNTERS = (
    CacheCounter("redis.keyspace.hits", "redis", "hit"),
    CacheCounter("redis.keyspace.misses", "redis", "miss"),
    CacheCounter("memcached.operations", "memcached", attribute="type", where=("operation", "get")),
    CacheCounter("cache.gets", "cache", attribute="result"),
    CacheCounter("cache.hits", "cache", "hit"),
    CacheCounter("cache.misses", "cache", "miss"),
)


@dataclass(frozen=True, slots=True)
class LookupLatency:
    requests: int
    p50_ms: float | None
    p95_ms: float | None


@dataclass(frozen=True, slots=True)
class CacheStep:
    at: datetime
    hits: int
    misses: int


@dataclass(frozen=True, slots=True)
class CacheRatio:
    """One cache in a window. Counters know no latency."""

    name: str
    service: str
    environment: str
    source: Source
    hits: int
    misses: int
    hit_ratio: float | None
    hit_latency: LookupLatency | None
    miss_latency: LookupLatency | None
    series: list[CacheStep]


def caches(
    database: Database, *, start: datetime, end: datetime, step_s: int, counters: Sequence[CacheCounter] = COUNTERS
) -> list[CacheRatio]:
    """Return every cache that was looked into in [start, end), once for each source.

    A ratio is hits over lookups of the whole window: never a mean of ratios.
    """
    parameters = {"start": whole(start), "end": whole(end), "step_s": step_s}
    by_span = _collect(database.rows("cache_lookups", parameters), "spans")
    by_counter = _collect(_counted(database, start, end, step_s, counters), "metrics")
    return [tally.ratio() for tally in (*by_span, *by_counter) if tally.seen()]


@dataclass(slots=True)
class _Tally:
    """Lookups of one cache while its rows are added up."""

    name: str
    service: str
    environment: str
    source: Source
    steps: dict[datetime, Counter[bool]] = field(default_factory=dict)
    buckets: dict[bool, Counter[int]] = field(default_factory=lambda: {True: Counter(), False: Counter()})

    def add(self, row: dict[str, Any]) -> None:
        self.steps.setdefault(row["at"], Counter())[row["hit"]] += round(row["total"])
        self.buckets[row["hit"]].update(row.get("buckets", {}))

    def seen(self) -> bool:
        return any(step.total() for step in self.steps.values())

    def ratio(self) -> CacheRatio:
        hits = sum(step[True] for step in self.steps.values())
        misses = sum(step[False] for step in self.steps.values())
        timed = self.source == "spans"
        return CacheRatio(
            name=self.name,
            service=self.service,
            environment=self.environment,
            source=self.source,
            hits=hits,
            misses=misses,
            hit_ratio=hits / (hits + misses) if hits + misses else None,
            hit_latency=self._latency(hit=True) if timed else None,
            miss_latency=self._latency(hit=False) if timed else None,
            series=[CacheStep(at, step[True], step[False]) for at, step in sorted(self.steps.items())],
        )

    def _latency(self, *, hit: bool) -> LookupLatency:
        buckets = self.buckets[hit]
        return LookupLatency(buckets.total(), quantile_ms(buckets, 0.5), quantile_ms(buckets, 0.95))


def _counted(
    database: Database, start: datetime, end: datetime, step_s: int, counters: Sequence[CacheCounter]
) -> list[dict[str, Any]]:
    parameters = {
        "start_ns": nanoseconds(start),
        "end_ns": nanoseconds(end),
        "lookback_ns": LOOKBACK_S * 1_000_000_000,
        "step_s": step_s,
        "metrics": [counter.metric for counter in counters],
        "caches": [counter.cache for counter in counters],
        "outcomes": [counter.outcome for counter in counters],
        "attributes": [counter.attribute for counter in counters],
        "hits": [list(counter.hits) for counter in counters],
        "misses": [list(counter.misses) for counter in counters],
        "where_keys": [counter.where[0] for counter in counters],
        "where_values": [counter.where[1] for counter in counters],
    }
    rises = increases(
        "metric_points",
        value="value",
        exact_int="exact_int",
        delta="series_id IN (SELECT series_id FROM metric_series WHERE temporality = 'delta')",
        which="metric IN {metrics:Array(String)}",
        overflowed="series_id IN (SELECT series_id FROM metric_series WHERE origin_id = 0)",
    )
    return database.rows("cache_counters", parameters, increases=rises)


def _collect(rows: Iterable[dict[str, Any]], source: Source) -> list[_Tally]:
    tallies: dict[tuple[str, str, str], _Tally] = {}
    for row in rows:
        key = (row["cache"], row["service"], row["environment"])
        tallies.setdefault(key, _Tally(*key, source)).add(row)
    return list(tallies.values())
