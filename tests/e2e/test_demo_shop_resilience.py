"""The demo shop survives what it is configured to survive, and its spans tell how."""

import time

import httpx
import psutil
import pytest
from demo_shop import receiving, selling, wait_for


@pytest.fixture
def sink():
    with receiving() as received:
        yield received


@pytest.fixture
def shop(sink, tmp_path):
    with selling(sink, tmp_path) as opened:
        yield opened


def test_the_resilient_shop_takes_the_second_instance_and_the_database_instead(shop, sink):
    """Switched while it runs: a dead instance costs retries and a dead cache fallbacks, which the spans tell."""
    wait_for(lambda: instances_of_orders(sink) == {"orders-1"})
    shop.command("configure", "resilient")
    wait_for(lambda: instances_of_orders(sink) == {"orders-1", "orders-2"})
    psutil.Process(shop.pid("orders")).kill()
    retried = wait_for(lambda: spans_with(sink, "gateway", "retry.count"))
    assert {event.name for span in retried for event in span.events} >= {"retry"}
    psutil.Process(shop.pid("item-cache")).kill()
    spared = wait_for(lambda: spans_with(sink, "catalog", "fallback.used"))
    assert {span.name for span in spared} == {"cache get"}
    assert all(not value_of(span, "cache.hit").bool_value for span in spared)


def test_a_flushed_cache_is_empty_and_fills_again(shop, sink):
    flushed = httpx.post(f"http://127.0.0.1:{shop.base_port + 4}/flush", trust_env=False)
    assert flushed.json()["flushed"] > 700
    flushed_ns = time.time_ns()

    def lookups():
        spans = [span for service, span in sink.spans() if service == "catalog" and span.name == "cache get"]
        found = sorted((span for span in spans if span.start_time_unix_nano > flushed_ns), key=_started)
        return found if len(found) > 200 else None

    found = [value_of(span, "cache.hit").bool_value for span in wait_for(lookups, timeout_s=30)]
    assert found[:10].count(False) > 5
    assert found[100:200].count(True) > found[:100].count(True)


def _started(span):
    return span.start_time_unix_nano


def instances_of_orders(sink):
    described = [resource.resource for request in list(sink.traces) for resource in request.resource_spans]
    names = {a.value.string_value for each in described for a in each.attributes if a.key == "service.instance.id"}
    return {name for name in names if name.startswith("orders-")}


def spans_with(sink, service, attribute):
    return [span for name, span in sink.spans() if name == service and value_of(span, attribute) is not None]


def value_of(span, attribute):
    return next((a.value for a in span.attributes if a.key == attribute), None)
