"""Traces that show what went wrong: one of each route first, with the guilty span."""

from dataclasses import replace
from datetime import timedelta

import pytest

from slo.indicator import FasterThan, SpanIndicator
from slo.predicate_parser import parse_predicate
from storage.exemplar_traces import exemplar_traces
from tests.integration.shop_traces import SERVER

pytestmark = pytest.mark.slow

FAILING = SpanIndicator(service="checkout", environment="prod")
SLOW = replace(FAILING, good=FasterThan(200_000_000))


@pytest.fixture
def window(shop):
    return {"start": shop.base, "end": shop.base + timedelta(minutes=5)}


def ids(spans):
    return [(span.trace_id.hex(), span.span_id.hex()) for span in spans]


def found_ids(found):
    return [(each.trace_id, each.span_id) for each in found]


def test_the_route_with_most_bad_requests_comes_first_and_its_newest_request_shows_it(database, store, shop, window):
    pay = [shop.checkout(at_ms=at * 1000, failing="payments") for at in range(5)]
    cart = [shop.checkout(at_ms=100_000 + at, route="/cart", failing="checkout") for at in range(2)]
    shop.checkout(at_ms=200_000, route="/home")
    store(database, *shop.bodies())
    found = exemplar_traces(database, FAILING, **window)
    assert found_ids(found) == ids([pay[-1], cart[-1], pay[-2]])
    assert [(each.route, each.charge.service) for each in found] == [
        ("/pay", "payments"),
        ("/cart", "checkout"),
        ("/pay", "payments"),
    ]
    assert found[0].started_at == shop.base + timedelta(seconds=4)
    assert (found[0].duration_ms, found[0].error) == (100.0, True)
    assert found[0].charge.span_id not in {each.span_id for each in found}, "the guilty span lies below the request"
    assert found[1].charge.span_id == found[1].span_id


def test_of_a_latency_objective_the_slowest_requests_are_shown_each_with_what_made_it_slow(
    database, store, shop, window
):
    sent = [shop.checkout(at_ms=at * 1000, ms=201 + at % 3, redis_ms=150) for at in range(6)]
    shop.checkout(ms=190)
    store(database, *shop.bodies())
    found = exemplar_traces(database, SLOW, **window, limit=2)
    assert {each.duration_ms for each in found} == {203.0}
    assert set(found_ids(found)) == set(ids([sent[2], sent[5]]))
    assert {each.charge.service for each in found} == {"redis"}


def test_an_operation_without_a_route_stands_for_itself(database, store, shop, window):
    shop.span("consume order", kind=SERVER, error=True)
    store(database, *shop.bodies())
    assert [each.route for each in exemplar_traces(database, FAILING, **window)] == ["consume order"]


def test_a_trace_is_shown_once_however_many_bad_requests_it_has(database, store, shop, window):
    first = shop.request(error=True, route="/a")
    for number in range(50):
        nested = shop.span(
            "nested", first, kind=SERVER, at_ms=number, error=True, attributes={"http.route": "/ab"[: 1 + number % 2]}
        )
    other = shop.request(error=True, route="/a")
    store(database, *shop.bodies())
    found = exemplar_traces(database, FAILING, **window, limit=5)
    assert sorted(each.trace_id for each in found) == sorted([nested.trace_id.hex(), other.trace_id.hex()])


def test_no_more_than_the_limit_and_only_what_the_indicator_and_the_window_hold(database, store, shop, window):
    for number in range(6):
        shop.checkout(route=f"/{number}", failing="checkout")
    shop.checkout(route="/late", at_ms=300_000, failing="checkout")
    store(database, *shop.bodies())
    assert len(exemplar_traces(database, FAILING, **window, limit=4)) == 4
    assert len(exemplar_traces(database, FAILING, **window, limit=40)) == 6
    one = replace(FAILING, filter=parse_predicate('http.route = "/3"'))
    assert [each.route for each in exemplar_traces(database, one, **window)] == ["/3"]
    assert exemplar_traces(database, replace(FAILING, service="payments"), **window) == []
