"""Good and bad requests by attribute, against a count in Python."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from slo.indicator import FasterThan, SpanIndicator
from slo.model import EventCounts
from slo.predicate_parser import parse_predicate
from storage import attribution
from storage.attribution import count_attributes
from tests.integration.shop_traces import SERVER

pytestmark = pytest.mark.slow

FAILING = SpanIndicator(service="checkout", environment="prod")
ROUTE = "http.route"


@pytest.fixture
def window(shop):
    return {"start": shop.base, "end": shop.base + timedelta(minutes=5)}


def of(found, attribute):
    """Return the counts of *attribute* in their order."""
    return [(each.value, each.good, each.bad) for each in found.counts if each.attribute == attribute]


def send(store, database, shop, **identity):
    store(database, *shop.bodies(**identity))


def test_a_failure_of_one_route_shows_that_route_first_with_its_counts(database, store, shop, window):
    for at in range(40):
        shop.checkout(at_ms=at, route="/pay", failing="payments" if at % 4 == 0 else None)
        shop.checkout(at_ms=at, route="/cart", failing="checkout" if at % 40 == 0 else None)
        shop.checkout(at_ms=at, route="/home")
    send(store, database, shop)
    found = count_attributes(database, FAILING, **window)
    assert of(found, ROUTE) == [("/pay", 30, 10), ("/cart", 39, 1), ("/home", 40, 0)]
    assert of(found, "name")[0] == ("POST /pay", 30, 10)
    assert found.total == found.sample == EventCounts(good=109, total=120)
    assert not any(each.sampled for each in found.counts), "everything was looked at"


def test_version_environment_status_and_host_are_counted_exactly(database, store, shop, window):
    for version, host, environment, failed in [("1", "a", "prod", 1), ("2", "a", "prod", 4), ("2", "b", "test", 0)]:
        for number in range(5):
            status = 503 if number < failed else 200
            shop.request(error=number < failed, at_ms=number, attributes={"http.response.status_code": status})
        resource = {"host.name": host, "service.instance.id": f"{host}-1", "os.type": "linux"}
        send(store, database, shop, version=version, environment=environment, resource=resource)
    found = count_attributes(database, replace(FAILING, environment=None), **window, sample=1)
    assert of(found, "service.version") == [("2", 6, 4), ("1", 4, 1)]
    assert of(found, "deployment.environment.name") == [("prod", 5, 5), ("test", 5, 0)]
    assert of(found, "http.response.status_code") == [("503", 0, 5), ("200", 10, 0)]
    assert of(found, "host.name") == [("a", 5, 5), ("b", 5, 0)]
    assert of(found, "service.instance.id") == [("a-1", 5, 5), ("b-1", 5, 0)]
    assert not any(each.sampled for each in found.counts if each.attribute != "exception.type")
    only = count_attributes(database, replace(FAILING, environment="test"), **window)
    assert (only.total, only.counts) == (EventCounts(5, 5), ()), "without bad requests there is nothing to attribute"


def test_a_span_that_claims_another_host_or_version_does_not_mix_with_where_it_ran(database, store, shop, window):
    shop.request(error=True, attributes={"host.name": "claimed", "name": "claimed", "service.version": "claimed"})
    send(store, database, shop, version="1", resource={"host.name": "real"})
    found = count_attributes(database, FAILING, **window)
    assert of(found, "host.name") == [("real", 0, 1)]
    assert of(found, "name") == [("POST /pay", 0, 1)]
    assert of(found, "service.version") == [("1", 0, 1)]


def exception(otlp, name, **attributes):
    return {"name": "exception", "time_unix_nano": 5, "attributes": otlp.pairs({"exception.type": name} | attributes)}


def test_exceptions_are_told_apart_by_their_event_or_else_by_error_type(database, store, shop, otlp, window):
    long = "org.example." + "very" * 60 + ".LongException"
    before = {"name": "retrying", "time_unix_nano": 1}
    for events, attributes in [
        ([exception(otlp, "TimeoutError", **{"exception.message": "no answer"})], {}),
        ([before, exception(otlp, "KeyError"), exception(otlp, "TimeoutError")], {"error.type": "500"}),
        ([exception(otlp, long)], {}),
        ([before], {"error.type": "503"}),
        ([], {}),
    ]:
        shop.request(error=True, events=events, attributes=attributes)
    shop.request(events=[exception(otlp, "KeyError")])
    send(store, database, shop)
    found = of(count_attributes(database, FAILING, **window), "exception.type")
    assert found == [("TimeoutError", 0, 2), ("503", 0, 1), (long[:200], 0, 1), ("KeyError", 1, 0)]


def test_every_scalar_attribute_of_the_spans_is_counted_and_no_attribute_twice(database, store, shop, window):
    for number in range(6):
        attributes = {"tenant": "acme" if number < 2 else "umbrella", "retries": number % 2, "vip": number == 0}
        shop.request(error=number < 2, attributes=attributes | {"ratio": 0.5, "tags": ["a"], "raw": b"x", "none": None})
    send(store, database, shop)
    found = count_attributes(database, FAILING, **window)
    assert of(found, "tenant") == [("acme", 0, 2), ("umbrella", 4, 0)]
    assert of(found, "retries") == [("0", 2, 1), ("1", 2, 1)]
    assert of(found, "vip") == [("false", 4, 1), ("true", 0, 1)]
    assert of(found, "ratio") == [("0.5", 4, 2)]
    names = [each.attribute for each in found.counts]
    assert not {"tags", "raw", "none", "http.response.status_code", ""} & set(names)
    assert len(of(found, ROUTE)) == 1
    assert len(set(zip(names, [each.value for each in found.counts], strict=True))) == len(names)


def test_of_many_values_the_twenty_with_most_bad_requests_are_told_and_ids_are_left_out(database, store, shop, window):
    for number in range(120):
        attributes = {"tenant": f"tenant {number % 30}", "request.id": f"id {number}"}
        shop.request(f"GET /{number}", error=number % 30 < 5, attributes=attributes, route=f"/{number % 25}")
    send(store, database, shop)
    found = count_attributes(database, FAILING, **window)
    tenants = of(found, "tenant")
    assert len(tenants) == len(of(found, ROUTE)) == len(of(found, "name")) == 20
    assert tenants[:6] == [*((f"tenant {n}", 0, 4) for n in range(5)), ("tenant 10", 4, 0)]
    assert not of(found, "request.id"), "no two bad requests share a value"


def test_the_attributes_that_most_bad_requests_have_are_kept_when_there_are_too_many(
    database, store, shop, window, monkeypatch
):
    monkeypatch.setattr(attribution, "KEYS", 3)
    for number in range(10):
        shop.request(error=True, attributes={f"key {9 - n}": n for n in range(10 - number)}, route="")
    send(store, database, shop)
    found = [each.attribute for each in count_attributes(database, FAILING, **window).counts]
    assert [name for name in found if name.startswith("key")] == ["key 9", "key 8", "key 7"]
    assert ROUTE not in found, "no request has one"


def test_a_part_of_many_requests_is_looked_at_and_their_totals_are_told(database, store, shop, window):
    for number in range(400):
        shop.request(error=number % 2 == 0, at_ms=number * 700, attributes={"tenant": f"{number % 4}"})
    send(store, database, shop)
    found = count_attributes(database, FAILING, **window, sample=60)
    assert found.total == EventCounts(good=200, total=400)
    assert found.sample == EventCounts(good=60, total=120)
    assert of(found, ROUTE) == [("/pay", 200, 200)]
    tenants = of(found, "tenant")
    assert sum(good for _, good, _ in tenants) == sum(bad for _, _, bad in tenants) == 60
    assert {each.sampled for each in found.counts if each.attribute == "tenant"} == {True}
    assert {each.sampled for each in found.counts if each.attribute == ROUTE} == {False}
    assert count_attributes(database, FAILING, **window, sample=60) == found, "the same ones each time"


def test_a_sampled_span_counts_for_all_that_it_stands_for(database, store, shop, window):
    shop.request(error=True, trace_state="ot=th:c", attributes={"tenant": "acme"})
    shop.request(trace_state="ot=th:8", attributes={"tenant": "acme"})
    send(store, database, shop)
    found = count_attributes(database, FAILING, **window)
    assert of(found, ROUTE) == [("/pay", 2, 4)]
    assert of(found, "tenant") == [("acme", 2, 4)]
    assert found.total == found.sample == EventCounts(good=2, total=6)


@pytest.mark.parametrize("seed", [1, 2])
def test_counts_are_what_counting_in_python_gives(database, store, shop, window, seed):
    rng = random.Random(seed)
    indicator = replace(FAILING, good=FasterThan(50_000_000), filter=parse_predicate('tenant != "internal"'))
    expected = Counter()
    for _ in range(6):
        version, host = rng.choice("123"), rng.choice("abc")
        for _ in range(40):
            route, tenant, ms = rng.choice(["/a", "/b", ""]), rng.choice(["x", "y", "internal"]), rng.choice([10, 90])
            attributes = {"tenant": tenant} | ({"zone": rng.choice("no")} if rng.random() < 0.5 else {})
            kind = rng.choice([SERVER, 3])
            named = attributes | ({ROUTE: route} if route else {})
            at_ms = rng.choice([-1, 0, 299_999, 300_000])
            shop.span("op", kind=kind, ms=ms, at_ms=at_ms, attributes=named)
            if kind == SERVER and tenant != "internal" and 0 <= at_ms < 300_000:
                values = {ROUTE: route, "service.version": version, "host.name": host, "name": "op"} | attributes
                expected.update((key, value, ms == 10) for key, value in values.items())
        send(store, database, shop, version=version, resource={"host.name": host})
    found = count_attributes(database, indicator, **window)
    counted = {}
    for each in found.counts:
        counted[each.attribute, each.value, True] = each.good
        counted[each.attribute, each.value, False] = each.bad
    counted = {key: value for key, value in counted.items() if value and key[0] != "deployment.environment.name"}
    assert counted == expected
