"""The API of metrics, logs and caches on a real server over a real database, read by the typed client."""

import socket
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest
import uvicorn
from prometheus_client import CollectorRegistry

from api.app import build_app
from api.client import ApiClient, ApiError
from api.context import Context
from storage.caches import CacheCounter, caches
from storage.metric_query import nanoseconds
from storage.series_limits import limit_series
from storage.slo_catalog import SloCatalog

END = datetime.now(UTC).replace(second=0, microsecond=0)
START = END - timedelta(minutes=10)
SECOND = 10**9
CUMULATIVE = {"aggregation_temporality": 2, "is_monotonic": True}


def at(seconds):
    return nanoseconds(START) + seconds * SECOND


@contextmanager
def serving(database, folder):
    context = Context(database, SloCatalog([folder]), CollectorRegistry(), "1.2.3", {})
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(build_app(context), log_config=None, access_log=False, http="httptools"))
    server.capture_signals = contextmanager(lambda: iter([None]))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        with ApiClient(f"http://127.0.0.1:{listener.getsockname()[1]}", timeout_s=30) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


@pytest.fixture
def api(database, tmp_path):
    with serving(database, tmp_path) as client:
        yield client


def counter(otlp, name, *values, service="shop", **attributes):
    points = [
        otlp.point(at(60 * minute), start_ns=at(-3600), as_int=value, attributes=attributes)
        for minute, value in enumerate(values)
    ]
    return otlp.metric(name, "sum", *points, service=service, **CUMULATIVE)


def test_a_metric_is_listed_and_shown_over_time_with_its_exemplars(api, database, store, otlp):
    point = otlp.point(at(90), start_ns=at(-3600), as_int=40, attributes={"http.route": "/a"})
    point["exemplars"] = [{"time_unix_nano": at(80), "as_int": 7, "trace_id": b"t" * 16, "span_id": b"s" * 8}]
    extra = otlp.metric("http.requests", "sum", point, service="mail", **CUMULATIVE)
    routes = {"http.route": "/a"}
    store(
        database,
        counter(otlp, "http.requests", 0, 60, 180, **routes),
        counter(otlp, "http.requests", 0, 6, 18, **{"http.route": "/b"}),
        extra,
        signal="metrics",
    )
    (listed,) = api.metrics()
    assert (listed.metric, listed.type, listed.services, listed.series) == ("http.requests", "sum", ["mail", "shop"], 3)
    assert api.metrics(service="nobody") == []
    asked = {"start": START.isoformat(), "end": END.isoformat(), "step_s": 60, "service": "shop"}
    found = api.metric("http.requests", **asked, group_by=["http.route"])
    assert [(item.labels, [step.value for step in item.steps]) for item in found.items] == [
        ({"http.route": "/a"}, [1.0, 2.0]),
        ({"http.route": "/b"}, [0.1, 0.2]),
    ]
    assert (found.shown, found.total, found.step_s, found.start) == (2, 2, 60, START)
    only = api.metric("http.requests", **asked, attribute=["http.route=/b"], limit=1)
    assert only.items[0].labels["http.route"] == "/b"
    assert api.metric("http.requests", **asked, group_by="").items[0].steps[0].value == pytest.approx(1.1)
    (exemplar,) = api.metric("http.requests", **asked | {"service": "mail"}).exemplars
    assert (exemplar.value, exemplar.trace_id) == (7, (b"t" * 16).hex())


def test_a_name_with_two_units_is_shown_in_one_and_says_so(api, database, store, otlp):
    points = [otlp.point(at(60), as_double=value) for value in (1.5, 1500.0)]
    bodies = [otlp.metric("wait", "gauge", point, unit=unit) for point, unit in zip(points, ("s", "ms"), strict=True)]
    store(database, *bodies, signal="metrics")
    found = api.metric("wait", unit="ms")
    assert [step.value for step in found.items[0].steps] == [1500.0]
    assert {kind.unit for kind in found.kinds} == {"s", "ms"}
    assert "gauge in 's'" in found.warnings[0]


def test_a_metric_says_how_many_points_are_of_series_beyond_the_limit(api, database, store, otlp):
    store(database, *(counter(otlp, "clicks", 0, 60, user=user) for user in range(20)), signal="metrics")
    limit_series(database, limit=10, now=datetime.now(UTC))
    store(database, *(counter(otlp, "clicks", 0, 6000, user=user) for user in range(15, 40)), signal="metrics")
    found = api.metric("clicks", start=START.isoformat(), end=END.isoformat(), step_s=60, group_by="")
    assert [step.value for step in found.items[0].steps] == [15 * 1.0 + 5 * 100.0], "of known series"
    assert found.overflow_points == 20 * 2
    assert "40 points are of series beyond their service's limit: they are left out" in found.warnings[0]
    assert [item.series for item in api.metrics()] == [21]


@pytest.mark.parametrize(
    ("path", "asked", "status", "reason"),
    [
        ("metric", {}, 404, "see /api/v1/metrics"),
        ("metric", {"attribute": "novalue"}, 404, "see /api/v1/metrics"),
        ("metric", {"start": END.isoformat(), "end": START.isoformat()}, 400, "is not after"),
        ("logs", {"attribute": "novalue"}, 400, "key=value"),
        ("logs", {"trace_id": "xyz"}, 400, "32 hexadecimal digits"),
        ("logs", {"cursor": "junk"}, 400, "first page"),
        ("logs", {"limit": 0}, 422, "limit"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_with_the_remedy(api, path, asked, status, reason):
    call = {"metric": lambda: api.metric("none/such", **asked), "logs": lambda: api.logs(**asked)}[path]
    with pytest.raises(ApiError, match=reason) as refusal:
        call()
    assert refusal.value.status == status


def test_logs_are_searched_and_paged(api, database, store, otlp):
    records = [
        otlp.record(f"order {n}", attributes={"n": n}, severity_number=9 + n, time_unix_nano=at(n)) for n in range(5)
    ]
    store(database, otlp.logs(*records), signal="logs")
    asked = {"start": START.isoformat(), "end": END.isoformat(), "limit": 2}
    first = api.logs(**asked, text="ORDER", min_severity=10)
    second = api.logs(**asked, text="ORDER", min_severity=10, cursor=first.next_cursor)
    assert [item.body for item in (*first.items, *second.items)] == ["order 4", "order 3", "order 2", "order 1"]
    assert second.next_cursor is None
    (one,) = api.logs(**asked, attribute=["n=3"], service="shop", environment="prod").items
    assert (one.attributes, one.at, one.observed_at) == ({"n": 3}, START + timedelta(seconds=3), None)


def test_hit_ratios_come_from_the_counters_that_receivers_and_libraries_send(database, store, otlp):
    store(
        database,
        counter(otlp, "redis.keyspace.hits", 100, 190),
        counter(otlp, "redis.keyspace.misses", 100, 110),
        counter(otlp, "memcached.operations", 0, 30, operation="get", type="hit"),
        counter(otlp, "memcached.operations", 0, 10, operation="get", type="miss"),
        counter(otlp, "memcached.operations", 0, 999, operation="delete", type="hit"),
        counter(otlp, "cache.gets", 0, 8, 2, result="hit", cache="items"),
        counter(otlp, "cache.gets", 0, 1, 1, result="miss", cache="items"),
        counter(otlp, "cache.gets", 0, 777, result="pending", cache="items"),
        signal="metrics",
    )
    found = caches(database, start=START, end=END, step_s=60)
    ratios = {item.name: (item.hits, item.misses, item.hit_ratio) for item in found}
    assert ratios == {"redis": (90, 10, 0.9), "memcached": (30, 10, 0.75), "items": (10, 1, 10 / 11)}
    assert {item.source for item in found} == {"metrics"}


def test_a_mapping_of_ones_own_tells_hits_from_misses(database, store, otlp):
    store(
        database,
        counter(otlp, "cdn.lookups", 0, 3, status="HIT", pop="fra"),
        counter(otlp, "cdn.lookups", 0, 1, status="EXPIRED", pop="fra"),
        signal="metrics",
    )
    rule = CacheCounter("cdn.lookups", "cdn", attribute="status", hits=("HIT",), misses=("MISS", "EXPIRED"))
    (found,) = caches(database, start=START, end=END, step_s=60, counters=[rule])
    assert (found.name, found.hit_ratio) == ("cdn", 0.75)
