"""Traces that alerts refer to outlive the raw spans, and open as they did."""

import os
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from prometheus_client import CollectorRegistry

from api.context import Context
from storage.pins import pin_trace
from storage.slo_catalog import SloCatalog
from storage.trace_outline import trace_outline
from tests.integration.api_served import served

pytestmark = pytest.mark.slow

NOW = datetime.now(UTC)
RAW = ("spans", "trace_index")


@pytest.fixture
def api(database, tmp_path):
    context = Context(database, SloCatalog([tmp_path]), CollectorRegistry(), "1.2.3", {})
    with served(context) as client:
        yield client


def opened(api, trace_id) -> httpx.Response:
    return api.get(f"/api/v1/traces/{trace_id}")


def drop_raw(database):
    """Do what the retention does: the days are gone, whole."""
    for table in RAW:
        database.command(f"TRUNCATE TABLE {table}")


@pytest.fixture
def rich(database, store, otlp):
    """A trace with everything that a span may carry, in two services."""
    trace_id = os.urandom(16)
    root = otlp.span("GET /", trace_id=trace_id, attributes={"n": 2**60, "list": [1, "a"], "none": None})
    root.events.add(name="exception", time_unix_nano=root.start_time_unix_nano, attributes=otlp.pairs({"e": 1.5}))
    root.links.add(trace_id=os.urandom(16), span_id=os.urandom(8), attributes=otlp.pairs({"why": "retry"}))
    child = otlp.span("query", trace_id=trace_id, parent=root.span_id, status=2, message="no", dropped_links_count=3)
    store(database, otlp.traces(root, resource={"host.name": "a"}), otlp.traces(child, service="db", version="2"))
    return trace_id.hex()


def pin(database, trace_id, **options):
    return pin_trace(database, trace_outline(database, trace_id), now=NOW, **options)


def test_a_pinned_trace_opens_through_the_api_as_before_when_its_raw_spans_are_gone(database, api, rich):
    before = opened(api, rich).json()
    assert pin(database, rich) == 2
    assert opened(api, rich).json() == before
    drop_raw(database)
    after = opened(api, rich)
    assert after.status_code == 200
    assert after.json() == before
    assert before["spans"][0]["attributes"]["list"] == [1, "a"]
    assert before["spans"][0]["resource"]["host.name"] == "a"
    assert (before["spans"][0]["events"][0]["name"], before["lost_spans"]) == ("exception", 0)


def test_a_trace_that_nobody_pinned_is_gone_with_its_raw_spans(database, api, rich):
    drop_raw(database)
    assert opened(api, rich).status_code == 404


def test_pinning_again_changes_nothing_and_what_came_late_is_added(database, api, store, otlp, rich):
    pin(database, rich)
    late = otlp.span("late", trace_id=bytes.fromhex(rich), parent=os.urandom(8))
    store(database, otlp.traces(late))
    assert [pin(database, rich), pin(database, rich)] == [3, 3]
    drop_raw(database)
    assert sorted(span["name"] for span in opened(api, rich).json()["spans"]) == ["GET /", "late", "query"]


def test_a_trace_over_midnight_is_whole_when_its_first_day_is_gone(database, api, store, otlp):
    midnight = NOW.replace(hour=0, minute=0, second=0, microsecond=0)
    trace_id = os.urandom(16)
    spans = [
        otlp.span(f"at {n}", trace_id=trace_id, start_ns=otlp.ns(midnight + timedelta(milliseconds=n))) for n in (-5, 5)
    ]
    store(database, otlp.traces(*spans))
    pin(database, trace_id.hex())
    for table in RAW:
        database.command(f"ALTER TABLE {table} DROP PARTITION '{midnight - timedelta(days=1):%Y-%m-%d}'")
    assert [span["name"] for span in opened(api, trace_id.hex()).json()["spans"]] == ["at -5", "at 5"]


def test_of_a_huge_trace_the_way_to_the_guilty_span_errors_and_the_slowest_are_kept_and_it_says_how_many_are_not(
    database, api, store, otlp
):
    trace_id = os.urandom(16)
    root = otlp.span("root", trace_id=trace_id, duration_ns=1)
    middle = otlp.span("middle", trace_id=trace_id, parent=root.span_id, duration_ns=1)
    guilty = otlp.span("guilty", trace_id=trace_id, parent=middle.span_id, duration_ns=1)
    failed = otlp.span("failed", trace_id=trace_id, parent=root.span_id, status=2, duration_ns=1)
    many = [otlp.span("many", trace_id=trace_id, parent=root.span_id, duration_ns=10 + n) for n in range(3000)]
    store(database, otlp.traces(root, middle, guilty, failed, *many))
    assert pin(database, trace_id.hex(), guilty=guilty.span_id.hex()) == 2000
    assert opened(api, trace_id.hex()).json()["lost_spans"] == 0, "the raw spans are still there"
    drop_raw(database)
    answer = opened(api, trace_id.hex()).json()
    names = [span["name"] for span in answer["spans"]]
    assert {"root", "middle", "guilty", "failed"} < set(names)
    assert (len(names), answer["lost_spans"]) == (2000, 1004)
    assert min(span["duration_ms"] for span in answer["spans"] if span["name"] == "many") == pytest.approx(0.001014)


def test_there_is_no_outline_of_an_unknown_trace(database):
    assert trace_outline(database, "00" * 16) is None
