"""Who spent the budget when there is much of it: samples, batches and large traces."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest

from slo.indicator import FasterThan, SpanIndicator
from storage import request_spans
from storage.blame import blame
from storage.client import load_query
from tests.integration.shop_traces import CLIENT

pytestmark = pytest.mark.slow

FAILING = SpanIndicator(service="checkout", environment="prod")
SLOW = replace(FAILING, good=FasterThan(200_000_000))


@pytest.fixture
def window(shop):
    return {"start": shop.base, "end": shop.base + timedelta(minutes=5)}


def labels(found):
    return [(share.label, share.weight) for share in found.shares]


def test_of_many_bad_requests_the_same_part_is_looked_at_each_time_and_said_to_be_a_part(
    database, store, shop, window, monkeypatch
):
    monkeypatch.setattr(request_spans, "TRACES_A_BATCH", 40)  # several batches
    for at in range(300):
        shop.checkout(at_ms=at * 900, failing="payments" if at % 3 else "checkout")
    store(database, *shop.bodies())
    found = blame(database, FAILING, **window, cap=90)
    assert (found.bad, found.requests, found.charged, found.sampled) == (300, 300, 90, True)
    assert sum(share.share for share in found.shares) == 1
    assert sum(found.estimates) == 300
    top = blame(database, FAILING, **window, cap=90, top=1)
    assert [bool(trace) for trace in top.examples] == [True, False], "all others have no trace in common"
    assert 0.4 < found.shares[0].share < 0.9
    assert found.text.endswith("(estimated from 90 of 300 bad requests)")
    assert blame(database, FAILING, **window, cap=90) == found
    exact = blame(database, FAILING, **window)
    assert labels(exact) == [("payments charge", 200), ("checkout POST /pay", 100)]


def test_reads_of_the_largest_batch_get_through(database, store, shop, window):
    for at in range(request_spans.TRACES_A_BATCH + 1):
        request = shop.request(at_ms=at, error=True)
        shop.span("GET", request, kind=CLIENT, at_ms=at, error=True, attributes={"db.system.name": "redis"})
    store(database, *shop.bodies())
    assert labels(blame(database, FAILING, **window)) == [("redis GET", request_spans.TRACES_A_BATCH + 1)]


def test_a_sample_is_spread_over_the_window(database, store, shop, window):
    for at in range(400):
        shop.request(f"minute {at // 80}", at_ms=at * 740, error=True)
    store(database, *shop.bodies())
    found = blame(database, FAILING, **window, cap=100)
    assert len(found.shares) == 5
    assert min(share.weight for share in found.shares) >= 4


def test_a_sampled_span_counts_for_all_that_it_stands_for(database, store, shop, window):
    shop.request("one in four", error=True, trace_state="ot=th:c")
    shop.request("every one", error=True)
    store(database, *shop.bodies())
    found = blame(database, FAILING, **window)
    assert (found.bad, found.requests) == (5, 2)
    assert labels(found) == [("checkout one in four", 4), ("checkout every one", 1)]


def test_a_trace_of_5000_spans_is_charged_to_the_one_of_them_that_failed(database, store, shop, window):
    request = shop.request(error=True, ms=60_000)
    parents = [request]
    for number in range(4_997):
        parents.append(shop.span(f"step {number % 50}", parents[number // 3], at_ms=number, ms=5))
    path = [request]
    for depth in range(2):
        path.append(shop.span(f"failing {depth}", path[-1], service="payments", at_ms=100, ms=50, error=True))
    store(database, *shop.bodies())
    assert labels(blame(database, FAILING, **window)) == [("payments failing 1", 1)]
    slow = blame(database, SLOW, **window)
    assert sum(share.share for share in slow.shares) == 1
    assert slow.charged == 1


def test_huge_traces_make_the_sample_smaller_and_it_says_so(database, store, shop, window, monkeypatch):
    monkeypatch.setattr(request_spans, "SPAN_BUDGET", 50)
    monkeypatch.setattr(request_spans, "FIRST_TRACES", 2)
    monkeypatch.setattr(request_spans, "SPANS_A_BATCH", 40)
    for at in range(10):
        request = shop.request(at_ms=at, error=True)
        for _ in range(19):
            shop.span("step", request, at_ms=at, error=True)
    store(database, *shop.bodies())
    found = blame(database, FAILING, **window)
    assert (found.requests, found.charged, found.sampled) == (10, 4, True)
    assert sum(found.estimates) == 10


MANY = """
INSERT INTO spans (ts, trace_id, ids, service, name, kind, weight)
SELECT fromUnixTimestamp64Milli(toInt64({start_ms:UInt64} + number * 40), 'UTC'),
    toFixedString(unhex(hex(sipHash128(intDiv(number, 8)))), 16), toFixedString(unhex(hex(sipHash128(number, 1))), 16),
    'checkout', 'GET', 'internal', 1
FROM numbers(400000)
"""


@pytest.mark.parametrize("query", ["request_spans", "span_peers"])
def test_spans_of_a_trace_are_read_by_the_order_of_the_table_and_not_by_a_scan(database, shop, query):
    """400,000 spans of four and a half hours are 49 granules; one place of a trace is one of them, or two."""
    database.command(MANY, {"start_ms": shop.base_ns // 10**6})
    place = f"{shop.base_ns // 10**9 + 3600:08x}{'7f' * 16}"
    with database.client() as client:
        plan = client.query(
            f"EXPLAIN indexes = 1 {load_query(query)}",
            parameters={"places": place + "00" * 8 * (query == "span_peers"), "failures_only": False, "limit": 9},
        )
    read, of = re.findall(r"Granules: (\d+)/(\d+)", "\n".join(row[0] for row in plan.result_rows))[-1]
    assert int(read) <= 2
    assert int(of) > 20
