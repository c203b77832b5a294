"""What a fault did to calls, caches, budgets and versions, from stored spans: between arms, and against a baseline."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from slo.indicator import CacheIndicator, FasterThan, SpanIndicator
from slo.model import EventCounts
from storage.comparison import Comparison
from storage.run_effects import cache_lookups, edge_calls
from storage.served_versions import served_versions
from storage.sli_sides import count_sides

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC).replace(microsecond=0)
BEFORE, DURING = NOW - 8 * MINUTE, NOW - 4 * MINUTE
SEED = "run-1"
MS = 10**6


@pytest.fixture(params=["arms", "windows"])
def sides(request):
    """Return the comparison and a function that makes a trace id and a start for a side."""
    if request.param == "windows":
        starts = {"control": BEFORE, "treatment": DURING, "": DURING - MINUTE}
        comparison = Comparison(DURING, DURING + MINUTE, BEFORE, BEFORE + MINUTE)
        return comparison, lambda side, number: (trace_of("", number), starts[side])
    comparison = Comparison.of_arms(DURING, DURING + MINUTE, share=0.25, seed=SEED)
    return comparison, lambda side, number: (trace_of(side, number), DURING)


def side_of(trace_id):
    u = int.from_bytes(hashlib.md5((SEED + trace_id.hex()).encode()).digest()[:8], "big") / 2**64
    return "treatment" if u < 0.25 else "control" if u < 0.5 else ""


def trace_of(side, number):
    candidates = (hashlib.sha256(f"{side}/{number}/{i}".encode()).digest()[:16] for i in range(1000))
    return next(each for each in candidates if side_of(each) == side)


class Shop:
    """Requests to gateway on given sides, each with calls of given fates."""

    def __init__(self, otlp, place):
        self.otlp, self.place = otlp, place
        self.spans, self.number = {"gateway": [], "orders": []}, 0

    def request(self, side, *calls, ms=10, failed=False, **fields):
        self.number += 1
        trace_id, start = self.place(side, self.number)
        at = self.otlp.ns(start) + self.number * MS
        root = self.otlp.span(trace_id=trace_id, start_ns=at, duration_ns=ms * MS, status=2 * failed, **fields)
        self.spans["gateway"].append(root)
        for arrives, error, address in calls:
            call = self.otlp.span(
                kind=3, trace_id=trace_id, parent=root.span_id, start_ns=at, duration_ns=self.number * MS,
                status=2 * error, attributes=address,
            )  # fmt: skip
            self.spans["gateway"].append(call)
            if arrives:
                self.spans["orders"].append(self.otlp.span(trace_id=trace_id, parent=call.span_id, start_ns=at + MS))

    def bodies(self, **identity):
        return [self.otlp.traces(*spans, service=service, **identity) for service, spans in self.spans.items() if spans]


ORDERS = {"server.address": "127.0.0.1", "server.port": 7100}
REDIS = {"server.address": "127.0.0.1", "server.port": 6379, "db.system.name": "redis"}
BARE = {"server.address": "10.0.0.1", "server.port": 99}


def test_edges_are_told_apart_by_side_also_calls_that_never_arrived(database, store, otlp, sides):
    comparison, place = sides
    shop = Shop(otlp, place)
    for _ in range(4):
        shop.request("control", (True, False, ORDERS), (False, False, REDIS))
    for _ in range(2):
        shop.request("treatment", *[(False, True, ORDERS)] * 3, (False, False, REDIS))
    shop.request("treatment", (False, True, BARE), (False, False, {}))
    shop.request("", (True, False, ORDERS))
    store(database, *shop.bodies())
    found = {(edge.client, edge.server): edge for edge in edge_calls(database, comparison)}
    assert set(found) == {("gateway", "orders"), ("gateway", "redis"), ("gateway", "10.0.0.1:99")}
    orders = found["gateway", "orders"]
    assert (orders.control.calls, orders.control.errors, orders.control.per_trace) == (4, 0, 1.0)
    assert (orders.treatment.calls, orders.treatment.errors, orders.treatment.per_trace) == (6, 6, 2.0)
    assert (orders.control.p95_ms, orders.treatment.p95_ms) == (4.0, 6.0)
    bare = found["gateway", "10.0.0.1:99"]
    assert (bare.control.calls, bare.control.per_trace, bare.control.p95_ms) == (0, 0.0, None)


def test_caches_are_told_apart_by_side(database, store, otlp, sides):
    comparison, place = sides
    shop = Shop(otlp, place)
    for side, hit in [("control", True)] * 3 + [("control", False), ("treatment", False), ("", True)]:
        shop.request(side, attributes={"cache.hit": hit, "cache.name": "items"})
    shop.request("treatment", name="GET page", attributes={"cache.hit": True})
    store(database, *shop.bodies())
    found = {item.cache: item for item in cache_lookups(database, comparison)}
    assert set(found) == {"items", "GET page"}, "a cache without a name is called like its span"
    assert (found["items"].control.ratio, found["items"].treatment.ratio) == (0.75, 0.0)
    assert (found["GET page"].control.ratio, found["GET page"].treatment.ratio) == (None, 1.0)
    assert found["items"].service == "gateway"


def test_events_of_objectives_are_counted_on_both_sides_and_in_all(database, store, otlp, sides):
    comparison, place = sides
    shop = Shop(otlp, place)
    for side, ms, failed in [("control", 10, False)] * 5 + [("control", 400, True)] + [("treatment", 400, False)] * 3:
        shop.request(side, ms=ms, failed=failed)
    shop.request("", failed=True)
    store(database, *shop.bodies(environment="prod"))
    fails, slow = (SpanIndicator("gateway", "prod"), SpanIndicator("gateway", None, good=FasterThan(100 * MS)))
    grouped = SpanIndicator("gateway", "prod", group_by=("http.route",))
    elsewhere, cache = SpanIndicator("gateway", "test"), CacheIndicator("gateway", "prod")
    found = count_sides(database, [fails, fails, slow, grouped, elsewhere, cache], comparison)
    arms = comparison.start == comparison.control_start
    assert found[fails.series_id].control == found[grouped.series_id].control == EventCounts(5, 6)
    assert found[fails.series_id].treatment == EventCounts(3, 3)
    assert found[fails.series_id].whole == (EventCounts(8, 10) if arms else EventCounts(3, 3))
    assert (found[slow.series_id].control, found[slow.series_id].treatment) == (EventCounts(5, 6), EventCounts(0, 3))
    assert found[elsewhere.series_id].whole == found[cache.series_id].whole == EventCounts(0, 0)
    assert count_sides(database, [], comparison) == {}


def test_only_the_environment_that_was_asked_for_is_compared(database, store, otlp):
    shop = Shop(otlp, lambda side, number: (trace_of(side, number), DURING))
    shop.request("control", (True, False, ORDERS), attributes={"cache.hit": True})
    store(database, *shop.bodies(environment="test"))
    for environment, edges in (("test", 1), ("prod", 0), (None, 1)):
        comparison = Comparison.of_arms(DURING, DURING + MINUTE, share=0.25, seed=SEED, environment=environment)
        assert len(edge_calls(database, comparison)) == edges
        assert len(cache_lookups(database, comparison)) == edges


def test_versions_are_those_that_served_in_the_window(database, store, otlp):
    def served(service, version, at, requests, *, failed=0, environment="prod"):
        spans = [otlp.span(start_ns=otlp.ns(at), status=2 * (n < failed)) for n in range(requests)]
        store(database, otlp.traces(*spans, service=service, version=version, environment=environment))

    served("shop", "1", BEFORE, 3, failed=1)
    served("shop", "2", DURING, 2)
    served("shop", "1", DURING + MINUTE / 2, 1)
    served("cart", "", DURING, 1, environment="test")

    def found(**window):
        return [
            (each.service, each.version, each.requests, each.errors) for each in served_versions(database, **window)
        ]

    during = {"start": DURING, "end": DURING + MINUTE}
    assert found(**during) == [("cart", "", 1, 0), ("shop", "2", 2, 0), ("shop", "1", 1, 0)]
    assert found(**during, service="shop", environment="test") == []
    (first,) = served_versions(database, start=BEFORE, end=BEFORE + MINUTE)
    assert (first.first_at, first.last_at, first.errors) == (BEFORE, BEFORE, 1)
    long = {"start": NOW - timedelta(hours=2), "end": NOW + MINUTE}
    assert found(**long, service="shop") == [("shop", "1", 4, 1), ("shop", "2", 2, 0)], "from the rollup"
