"""Caches: hit ratios, and what a miss costs."""

from api import models as m
from dashboard.views import (
    caches,
    units,
)
from tests.unit.dashboard_models import NOW, read


def cache(**changes: object) -> m.Cache:
    values: dict[str, object] = {
        "name": "redis",
        "service": "checkout",
        "environment": "prod",
        "source": "spans",
        "window_s": 60,
        "hits": 9,
        "misses": 1,
        "hit_ratio": 0.9,
        "hit_latency": m.LatencyGroup(requests=9, p50_ms=1.0, p95_ms=2.0),
        "miss_latency": m.LatencyGroup(requests=1, p50_ms=21.0, p95_ms=41.0),
        "series": [],
    }
    return m.Cache.model_validate(values | changes)


def test_a_miss_is_priced_against_a_hit():
    assert caches.miss_cost(cache()) == "+20.0 ms at p50"
    assert caches.miss_cost(cache(miss_latency=m.LatencyGroup(requests=0, p50_ms=None, p95_ms=None))) == units.MISSING
    assert "no latency" in caches.miss_cost(cache(source="metrics", hit_latency=None, miss_latency=None))


def test_a_cache_that_was_not_asked_has_no_hit_ratio():
    text = read(caches.listing([cache(hits=0, misses=0, hit_ratio=None)])).text
    assert "no data" in text
    frame = caches.frame([m.CachePoint(at=NOW, hits=0, misses=0), m.CachePoint(at=NOW, hits=3, misses=1)])
    assert frame["hit ratio"].isna().tolist() == [True, False]
    assert frame["hit ratio"].tolist()[1] == 75.0


def test_caches_come_lowest_hit_ratio_first_and_unknown_last():
    items = [cache(name="high"), cache(name="none", hit_ratio=None), cache(name="low", hit_ratio=0.1)]
    assert [item.name for item in caches.lowest_first(items)] == ["low", "high", "none"]


def test_a_cache_counted_twice_has_two_titles():
    assert caches.title(cache()) != caches.title(cache(source="metrics"))
