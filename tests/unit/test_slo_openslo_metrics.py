"""What a document counts over metrics and caches."""

from decimal import Decimal

import pytest

from slo.indicator import (
    CacheIndicator,
    CounterIndicator,
    GaugeIndicator,
    HistogramIndicator,
    MetricSelector,
)
from slo.predicate_parser import parse_predicate
from tests.unit.openslo_documents import (
    only_problem,
    ratio,
    read_one,
    threshold,
    warned,
)

TOTAL_COUNTER = "metric: requests, environment: prod, group_by: [route]"


def test_two_counters_are_a_ratio():
    slo = read_one(ratio(f"{TOTAL_COUNTER}, attributes: {{code: 200, ok: true}}", TOTAL_COUNTER, kind="metrics"))
    good = MetricSelector("requests", (("code", "200"), ("ok", "true")))
    assert slo.indicator == CounterIndicator(
        "checkout", "prod", good=good, total=MetricSelector("requests"), group_by=("route",)
    )
    slo = read_one(ratio("metric: failures, instrument: counter", "metric: requests", "bad", "metrics"))
    assert slo.indicator.bad == MetricSelector("failures")
    assert (slo.indicator.good, slo.kind) == (None, "custom")


def test_good_and_bad_counters_without_total_are_read_although_they_are_not_openslo():
    text = ratio("metric: ok", "metric: failed", kind="metrics").replace("total:", "bad:")
    slo = warned(text, "good and bad without total is not OpenSLO")
    assert slo.indicator == CounterIndicator("checkout", None, MetricSelector("ok"), MetricSelector("failed"))


def test_a_counter_that_is_said_to_be_none_is_told():
    text = ratio("metric: ok", "metric: all", kind="metrics").replace("counter: true", "counter: false")
    assert warned(text, "the metrics are read as counters").indicator.good == MetricSelector("ok")


@pytest.mark.parametrize(
    ("good", "total", "reason"),
    [
        ("metric: a", "metric: a", "both counters of the indicator are 'a'"),
        ("metric: a, service: x", "metric: b", "differ in service"),
        ("metric: a, environment: x", "metric: b", "differ in environment"),
        ("metric: a, group_by: [x]", "metric: b", "differ in group_by"),
        ("metric: a, filter: x = 1", "metric: b", "unknown field filter"),
        ("metric: ''", "metric: b", "metric is empty"),
        ("service: x", "service: x", "metric is missing"),
        ("metric: a, instrument: gauge", "metric: b", "a ratioMetric is made of counters, not of a gauge"),
        ("metric: a, attributes: {x: [1]}", "metric: b", "x must be text, not a list"),
    ],
)
def test_counters_that_make_no_ratio_are_refused(good, total, reason):
    assert reason in only_problem(ratio(good, total, kind="metrics")).reason


def test_a_histogram_and_a_gauge_are_compared_with_the_value():
    spec = "metric: http.server.request.duration, environment: prod, attributes: {route: /pay}"
    slo = read_one(threshold(f"{spec}, instrument: histogram", "op: lte, value: 0.3, target: 0.95", "metrics"))
    selector = MetricSelector("http.server.request.duration", (("route", "/pay"),))
    assert slo.indicator == HistogramIndicator("checkout", "prod", selector, Decimal("0.3"))
    assert slo.kind == "latency"
    for op, symbol in (("lte", "<="), ("lt", "<"), ("gte", ">="), ("gt", ">")):
        slo = read_one(threshold("metric: lag, instrument: gauge", f"op: {op}, value: -5, target: 0.95", "metrics"))
        assert slo.indicator == GaugeIndicator("checkout", None, MetricSelector("lag"), symbol, Decimal(-5))


def test_the_bounds_of_a_histogram_are_inclusive():
    text = threshold("metric: d, instrument: histogram", "op: lt, value: 5, target: 0.95", "metrics")
    assert warned(text, "op lt is read as lte").indicator.at_most == 5


@pytest.mark.parametrize(
    ("spec", "objective", "reason"),
    [
        ("metric: d", "op: lte, value: 5", "instrument is missing"),
        ("metric: d, instrument: counter", "op: lte, value: 5", "the values of a histogram or a gauge"),
        ("metric: d, instrument: histogram", "op: gt, value: 5", "op gt is the wrong way round"),
        ("metric: d, instrument: gauge", "op: lte, value: five", "value must be a number"),
    ],
)
def test_a_threshold_of_a_metric_that_makes_no_sense_is_refused(spec, objective, reason):
    assert reason in only_problem(threshold(spec, f"{objective}, target: 0.95", "metrics")).reason


def test_hits_are_the_good_side_of_a_cache_and_misses_the_bad_one():
    spec = "cache: sessions, environment: prod, filter: 'db.system = \"redis\"', group_by: [host]"
    expected = CacheIndicator("checkout", "prod", "sessions", parse_predicate('db.system = "redis"'), ("host",))
    for side in ("good", "bad"):
        slo = read_one(ratio(spec, spec, side, "cache"))
        assert (slo.indicator, slo.kind) == (expected, "cache")
    assert read_one(ratio("", "", kind="cache")).indicator == CacheIndicator("checkout", None)
    assert "a hit is good by itself" in only_problem(ratio("cache: a", "cache: b", kind="cache")).reason
    problem = only_problem(threshold("cache: a", "op: lte, value: 5, target: 0.95", "cache"))
    assert "a cache has no thresholdMetric" in problem.reason
