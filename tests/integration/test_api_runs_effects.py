"""What a fault did, over the API."""

import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from api import models as m
from api.client import ApiError
from evaluator.minutes import MinuteCounter
from storage.slo_catalog import SloCatalog
from tests.integration.chaos_api import api_over

pytestmark = pytest.mark.slow

MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC).replace(microsecond=0)
BEFORE, DURING = NOW - 8 * MINUTE, NOW - 4 * MINUTE
BASELINE = {"start": DURING, "end": DURING + MINUTE, "baseline": (BEFORE, BEFORE + MINUTE)}
GROUPS = m.Groups(share=0.5, seed="s")
ARMS = {"start": DURING, "end": DURING + MINUTE, "groups": GROUPS}
SHOP = """
apiVersion: openslo/v1
kind: SLO
metadata: {name: gateway-short}
spec:
  service: gateway
  indicator:
    metadata: {name: gateway-short}
    spec:
      ratioMetric:
        counter: false
        good: {metricSource: {type: spans, spec: {service: gateway, kind: server, good: not error}}}
        total: {metricSource: {type: spans, spec: {service: gateway, kind: server}}}
  timeWindow: [{duration: 1h, isRolling: true}]
  budgetingMethod: METHOD
  objectives: [{displayName: a, target: 0.9TARGET}]
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "short.yaml").write_text(SHOP.replace("METHOD", "Occurrences").replace("TARGET", ""), "utf-8")
    slices = (
        SHOP.replace("METHOD", "Timeslices").replace("TARGET", ", timeSliceTarget: 0.9").replace("-short", "-slices")
    )
    (tmp_path / "slices.yaml").write_text(slices.replace("  objectives", "  # a minute\n  objectives"), "utf-8")
    return tmp_path


@pytest.fixture
def api(database, folder):
    with api_over(database, [folder]) as found:
        yield found


@pytest.fixture
def shop(database, store, otlp):
    """Gateway calls orders once a request before; three times and in vain during. 40 requests each."""

    def at(start, calls, *, error):
        for number in range(40):
            began = otlp.ns(start) + number * 10**9
            root = otlp.span(start_ns=began, status=2 * (error and number < 10), attributes={"cache.hit": not error})
            gateway.append(root)
            for _ in range(calls):
                call = otlp.span(
                    kind=3, trace_id=root.trace_id, parent=root.span_id, start_ns=began, status=2 * error,
                    attributes={"server.address": "orders"},
                )  # fmt: skip
                gateway.append(call)
                if not error:
                    orders.append(otlp.span(trace_id=root.trace_id, parent=call.span_id, start_ns=began))

    gateway, orders = [], []
    at(BEFORE, 1, error=False)
    at(DURING, 3, error=True)
    store(database, otlp.traces(*gateway, service="gateway", version="7"), otlp.traces(*orders, service="orders"))
    return [span for span in gateway if span.kind == 2]


def test_an_edge_that_failed_and_was_retried_is_shown_with_its_interval(api, shop):
    (edge,) = api.propagation(**BASELINE, environment="prod")
    assert (edge.client, edge.server, edge.control_calls, edge.treatment_calls) == ("gateway", "orders", 40, 120)
    assert (edge.control_errors, edge.treatment_errors) == (0, 120)
    assert (edge.calls_per_request_control, edge.calls_per_request_treatment) == (1.0, 3.0)
    assert edge.note == "3.0 calls a request instead of 1.0: retried"
    assert 0.9 < edge.error_difference_low < edge.error_difference_high <= 1
    assert api.propagation(**BASELINE, environment="test") == []


def test_a_fallback_and_a_dependency_that_is_left_alone_are_named(api, database, store, otlp):
    spans = []
    for start, host, calls in ((BEFORE, "main", 20), (BEFORE, "rare", 19), (DURING, "backup", 20)):
        for number in range(calls):
            began = otlp.ns(start) + number * 10**9
            spans.append(otlp.span(start_ns=began))
            call = {"trace_id": spans[-1].trace_id, "parent": spans[-1].span_id, "kind": 3, "start_ns": began}
            spans.append(otlp.span(**call, attributes={"server.address": host}))
    store(database, otlp.traces(*spans, service="gateway"))
    assert {edge.server: edge.note for edge in api.propagation(**BASELINE)} == {
        "main": "not called any more", "rare": "", "backup": "called under the fault only: a fallback",
    }  # fmt: skip


def test_without_traffic_on_a_side_nothing_is_said_of_it(api, shop):
    quiet = {"start": DURING, "end": DURING + MINUTE, "baseline": (BEFORE - 3 * MINUTE, BEFORE - 2 * MINUTE)}
    (edge,) = api.propagation(**quiet)
    assert (edge.note, edge.error_difference_low, edge.calls_per_request_control) == ("", None, None)


def test_arms_share_the_calls_of_a_window(api, shop):
    (edge,) = api.propagation(**ARMS)
    assert edge.control_calls + edge.treatment_calls == 120
    assert edge.control_calls > 0 < edge.treatment_calls


def test_hit_ratios_of_both_sides_come_with_their_lookups(api, shop):
    (cache,) = api.cache_effects(**BASELINE)
    assert (cache.service, cache.control_ratio, cache.treatment_ratio) == ("gateway", 1.0, 0.0)
    assert (cache.control_lookups, cache.treatment_lookups) == (40, 40)
    (arms,) = api.cache_effects(**ARMS)
    assert (arms.control_ratio, arms.control_lookups + arms.treatment_lookups) == (0.0, 40)


def test_the_events_of_objectives_are_those_that_their_budget_is_made_of(api, database, folder, shop):
    slos = SloCatalog([folder]).load(database, datetime.now(UTC)).slos.values()
    assert {"gateway-short", "gateway-slices"} <= {slo.id for slo in slos}
    MinuteCounter(database, raw_retention=timedelta(days=14)).update(list(slos), datetime.now(UTC))
    found = {item.slo_id: item for item in api.budget_effects(["gateway"], **BASELINE)}
    assert {"gateway-short"} <= set(found), "that of slices has no budget of events"
    assert "gateway-slices" not in found
    short = found["gateway-short"]
    assert (short.total, short.bad, short.control_total, short.control_bad) == (40, 10, 40, 0)
    assert (short.treatment_total, short.treatment_bad) == (40, 10)
    assert (short.window_total, short.budget_events, short.objective) == (80, pytest.approx(8), 0.9)
    assert short.error_budget_remaining == pytest.approx(1 - 10 / 8)
    (arms,) = [item for item in api.budget_effects(["gateway"], **ARMS) if item.slo_id == "gateway-short"]
    treated = [span for span in shop[40:] if hashlib.md5(b"s" + span.trace_id.hex().encode()).digest()[0] < 128]
    assert (arms.treatment_total, arms.treatment_bad) == (len(treated), sum(span.status.code == 2 for span in treated))
    assert (arms.total, arms.treatment_total + arms.control_total) == (40, 40)
    assert api.budget_effects(["ghost"], **BASELINE) == []
    elsewhere = {item.slo_id for item in api.budget_effects(["gateway"], **BASELINE, environment="test")}
    assert elsewhere == {"gateway-short"}, "that of all environments, and no draft for those of prod"
    assert set(found) > elsewhere


def test_versions_that_served(api, shop):
    (found,) = api.versions(start=DURING, end=DURING + MINUTE, environment="prod")
    assert (found.service, found.version, found.requests, found.errors) == ("gateway", "7", 40, 10)
    assert found.first_at == DURING
    assert [item.service for item in api.versions(start=BEFORE, end=NOW)] == ["gateway", "orders"]


@pytest.mark.parametrize(
    ("query", "complaint"),
    [
        ({}, "say what is compared"),
        ({"share": 0.2}, "say what is compared"),
        ({"baseline_start": BEFORE.isoformat()}, "say what is compared"),
        (
            {"share": 0.2, "seed": "x", "baseline_start": BEFORE.isoformat(), "baseline_end": DURING.isoformat()},
            "either",
        ),
        ({"baseline_start": BEFORE.isoformat(), "baseline_end": NOW.isoformat()}, "must not be after start"),
        ({"baseline_start": DURING.isoformat(), "baseline_end": BEFORE.isoformat()}, "must be after baseline_start"),
        ({"start": (NOW - timedelta(hours=7)).isoformat(), "share": 0.2, "seed": "x"}, "compare at most 6:00:00"),
    ],
)
def test_a_comparison_that_makes_no_sense_is_refused_with_the_reason(api, query, complaint):
    asked = {"start": DURING.isoformat(), "end": (DURING + MINUTE).isoformat()} | query
    for path in ("propagation", "cache-effects"):
        with pytest.raises(ApiError, match=complaint) as refusal:
            api._send("GET", path, params=asked)
        assert refusal.value.status == 422
