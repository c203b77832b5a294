"""Who spent the budget, over spans that the real engine stored."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest

from slo.blame import charge
from slo.indicator import FasterThan, Matches, SpanIndicator
from slo.predicate_parser import parse_predicate
from slo.span_tree import TraceSpan
from storage.blame import blame
from tests.integration.shop_traces import CLIENT, INTERNAL, SERVER

pytestmark = pytest.mark.slow

KINDS = {INTERNAL: "internal", SERVER: "server", CLIENT: "client"}
FAILING = SpanIndicator(service="checkout", environment="prod")
SLOW = replace(FAILING, good=FasterThan(200_000_000))


@pytest.fixture
def window(shop):
    return {"start": shop.base, "end": shop.base + timedelta(minutes=5)}


def labels(found):
    return [(share.label, share.weight) for share in found.shares]


def test_a_failure_of_payments_behind_checkout_is_charged_to_payments(database, store, shop, window):
    paying = [shop.checkout(at_ms=at * 1000, failing="payments") for at in range(8)]
    for at in range(2):
        shop.checkout(at_ms=at * 1000, failing="checkout")
    for at in range(30):
        shop.checkout(at_ms=at * 1000)
    store(database, *shop.bodies())
    found = blame(database, FAILING, **window)
    assert labels(found) == [("payments charge", 8), ("checkout POST /pay", 2)]
    assert [share.share for share in found.shares] == [Fraction(4, 5), Fraction(1, 5)]
    assert (found.bad, found.requests, found.charged, found.sampled) == (10, 10, 10, False)
    assert found.estimates == (8, 2)
    assert found.text == "80 % payments charge, 20 % checkout POST /pay"
    assert found.examples[0] in {request.trace_id.hex() for request in paying}


def test_a_slow_redis_is_charged_for_a_latency_objective_although_checkout_itself_is_always_busy(
    database, store, shop, window
):
    """Checkout works 170 ms itself in every request, so that is not what makes a request of 290 ms slow."""
    for at in range(20):
        shop.checkout(at_ms=at * 1000, ms=190)
    for at in range(5):
        shop.checkout(at_ms=at * 1000, ms=290, redis_ms=101)
    store(database, *shop.bodies())
    found = blame(database, SLOW, **window)
    assert labels(found) == [("redis GET", 5)]


def test_an_operation_that_good_requests_do_not_have_is_all_excess(database, store, shop, window):
    shop.checkout(ms=190)
    request = shop.request(ms=300)
    shop.span("retry after lock", request, at_ms=10, ms=150)
    store(database, *shop.bodies())
    assert labels(blame(database, SLOW, **window)) == [("checkout retry after lock", 1)]


def test_good_requests_of_other_operations_say_nothing_of_what_is_typical(database, store, shop, window):
    """A report reads the database for 190 ms, and there are many; a payment that reads for 140 is slow for that."""
    for at in range(9):
        report = shop.request("GET /report", at_ms=at * 1000, ms=199, route="/report")
        shop.span("SELECT", report, at_ms=at * 1000, ms=190)
    paid = shop.request(ms=150)
    shop.span("SELECT", paid, ms=1)
    slow = shop.request(ms=270)
    shop.span("SELECT", slow, ms=140)
    store(database, *shop.bodies())
    assert labels(blame(database, SLOW, **window)) == [("checkout SELECT", 1)]


PEERS = [
    ({"service.peer.name": "ledger", "peer.service": "x"}, "ledger"),
    ({"peer.service": "ledger", "db.system.name": "postgresql"}, "ledger"),
    ({"db.system.name": "postgresql", "server.address": "pg-1"}, "postgresql"),
    ({"db.system": "redis"}, "redis"),
    ({"server.address": "api.bank.example"}, "api.bank.example"),
    ({"server.address": "ledger.shop.svc.cluster.local"}, "ledger"),
    ({"net.peer.name": "ledger"}, "ledger"),
    ({"server.address": "10.0.0.7"}, "checkout"),
    ({"server.address": "::1"}, "checkout"),
    ({"server.address": "localhost"}, "checkout"),
    ({}, "checkout"),
]


def test_a_service_that_sends_no_spans_is_charged_by_the_name_that_its_caller_gives_it(database, store, shop, window):
    for number, (attributes, _) in enumerate(PEERS):
        request = shop.request(error=True)
        shop.span(f"call {number}", request, kind=CLIENT, error=True, attributes=attributes)
    store(database, *shop.bodies())
    found = blame(database, FAILING, **window, top=len(PEERS))
    assert {share.operation: share.service for share in found.shares} == {
        f"call {number}": peer for number, (_, peer) in enumerate(PEERS)
    }


def test_a_call_that_failed_on_a_service_that_saw_no_failure_is_charged_to_the_caller(database, store, shop, window):
    request = shop.request(error=True)
    call = shop.span("POST", request, kind=CLIENT, error=True, attributes={"peer.service": "payments"})
    shop.span("charge", call, service="payments", kind=SERVER)
    store(database, *shop.bodies())
    assert labels(blame(database, FAILING, **window)) == [("checkout POST", 1)]


def test_a_request_whose_time_cannot_be_believed_is_not_charged(database, store, shop):
    """It is stored at the time of its arrival."""
    shop.request("from the future", at_ms=10**9, error=True)
    shop.request("now", error=True)
    store(database, *shop.bodies())
    found = blame(database, FAILING, start=shop.base, end=shop.base + timedelta(hours=1))
    assert (found.bad, labels(found)) == (1, [("checkout now", 1)])


def test_spans_below_a_request_are_found_past_five_minutes_and_past_the_window(database, store, shop):
    """The table is ordered by five minutes: what lies below a request may be far from it."""
    slow = shop.request(at_ms=299_000, ms=400_000, error=True)
    shop.span("late", slow, service="payments", kind=SERVER, at_ms=601_000, ms=90_000, error=True)
    skewed = shop.request(at_ms=0, ms=100, error=True)
    shop.span("early by a wrong clock", skewed, service="payments", kind=SERVER, at_ms=-30_000, ms=50, error=True)
    store(database, *shop.bodies())
    found = blame(database, FAILING, start=shop.base, end=shop.base + timedelta(minutes=5))
    assert labels(found) == [("payments early by a wrong clock", 1), ("payments late", 1)]


def test_every_bad_request_of_one_trace_is_charged_for_itself(database, store, shop, window):
    """A caller that tries three times makes three requests, each with spans of its own below it."""
    caller = shop.span("visit", service="web", kind=SERVER, ms=500)
    for number in range(3):
        request = shop.span(
            "POST /pay", caller, kind=SERVER, at_ms=number * 100, error=True, attributes={"http.route": "/pay"}
        )
        shop.span(f"attempt {number}", request, at_ms=number * 100, error=True)
    store(database, *shop.bodies())
    assert labels(blame(database, FAILING, **window)) == [(f"checkout attempt {number}", 1) for number in range(3)]


def test_only_the_requests_of_the_indicator_and_the_window_are_charged(database, store, shop, window, otlp):
    shop.checkout(at_ms=-1, failing="payments")
    shop.checkout(at_ms=300_000, failing="payments")
    shop.checkout(route="/cart", failing="payments")
    shop.checkout(failing="checkout")
    store(database, *shop.bodies())
    shop.checkout(failing="payments")
    store(database, *shop.bodies(environment="test"))
    paid = replace(FAILING, filter=parse_predicate('http.route = "/pay"'))
    assert labels(blame(database, paid, **window)) == [("checkout POST /pay", 1)]
    everywhere = blame(database, replace(paid, environment=None), **window)
    assert labels(everywhere) == [("checkout POST /pay", 1), ("payments charge", 1)]


def test_a_predicate_charges_a_failed_request_for_its_error_and_any_other_for_its_time(database, store, shop, window):
    shop.checkout(ms=290, redis_ms=240)
    shop.checkout(ms=290, redis_ms=240, failing="payments")
    store(database, *shop.bodies())
    both = replace(FAILING, good=Matches(parse_predicate("not error and duration_ms <= 200")))
    assert labels(blame(database, both, **window)) == [("payments charge", 1), ("redis GET", 1)]


def test_without_bad_requests_nobody_is_to_blame(database, store, shop, window):
    shop.checkout()
    store(database, *shop.bodies())
    found = blame(database, FAILING, **window)
    assert (found.bad, found.requests, found.charged, found.shares, found.examples) == (0, 0, 0, (), ())
    assert (found.sampled, found.text) == (False, "")


@pytest.mark.parametrize("indicator", [FAILING, SLOW], ids=["errors", "latency"])
def test_shares_are_what_charging_every_bad_request_in_python_gives(database, store, shop, window, indicator):
    rng = random.Random(7)
    traces = [random_trace(shop, rng) for _ in range(120)]
    store(database, *shop.bodies())
    expected = Counter()
    for spans in traces:
        for request in spans:
            if request.service == "checkout" and request.kind == "server" and is_bad(indicator, request):
                found = charge(request, spans, cause="error" if indicator is FAILING else "latency")
                expected[f"{found.service} {found.operation}"] += 1
    found = blame(database, indicator, **window, top=100)
    assert dict(labels(found)) == expected
    assert len(expected) > 3, "or nothing is proven"


def is_bad(indicator, span):
    return span.error if indicator is FAILING else span.duration_ns > indicator.good.threshold_ns


def random_trace(shop, rng):
    """Send a request with up to 12 spans anywhere below it, and return them as `charge` takes them."""
    services = {}
    request = shop.request("POST /pay", at_ms=rng.randrange(280_000), ms=rng.randint(201, 400), error=True)
    services[request.span_id] = "checkout"
    sent = [request]
    for _ in range(rng.randint(0, 12)):
        parent = rng.choice(sent)
        service = rng.choice(["checkout", "payments", "ledger"])
        at = (parent.start_time_unix_nano - shop.base_ns) / 1e6 + rng.randint(-5, 200)
        span = shop.span(
            rng.choice(["read", "write"]),
            parent,
            service=service,
            kind=rng.choice([INTERNAL, SERVER, CLIENT]),
            at_ms=at,
            ms=rng.randint(0, 150),
            error=rng.random() < 0.6,
        )
        services[span.span_id] = service
        sent.append(span)
    return [
        TraceSpan(
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            service=services[span.span_id],
            operation=span.name,
            kind=KINDS[span.kind],
            start_ns=span.start_time_unix_nano,
            duration_ns=span.end_time_unix_nano - span.start_time_unix_nano,
            error=span.status.code == 2,
        )
        for span in sent
    ]
