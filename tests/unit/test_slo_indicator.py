"""Indicators: what decides the counts decides the series, and nothing else does."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.errors import InvalidObjective
from slo.indicator import (
    CacheIndicator,
    CounterIndicator,
    FasterThan,
    GaugeIndicator,
    HistogramIndicator,
    MetricSelector,
    SpanIndicator,
    _Series,
)
from slo.predicate_parser import parse_predicate

REQUESTS, FAILURES = MetricSelector("requests", (("route", "/pay"),)), MetricSelector("failures")
CACHE = CacheIndicator("checkout", "prod", "sessions")
COUNTER = CounterIndicator("checkout", "prod", bad=FAILURES, total=REQUESTS)
HISTOGRAM = HistogramIndicator("checkout", "prod", MetricSelector("duration"), Decimal("0.3"))
GAUGE = GaugeIndicator("checkout", "prod", MetricSelector("lag"), "<=", Decimal(5))
ALL = (CACHE, COUNTER, HISTOGRAM, GAUGE, SpanIndicator("checkout", "prod"))


def test_every_kind_counts_another_series():
    assert len({indicator.series_id for indicator in ALL}) == len(ALL)
    assert all(0 <= indicator.series_id < 2**63 for indicator in ALL)
    assert [indicator.source for indicator in ALL] == ["cache", "metrics", "metrics", "metrics", "spans"]


@pytest.mark.parametrize(
    ("indicator", "series_id"),
    [
        (CACHE, 8120925954670706156),
        (COUNTER, 5346439888324770075),
        (HISTOGRAM, 1482298405389335202),
        (GAUGE, 6580976139674719222),
    ],
)
def test_the_series_never_changes_between_versions_or_stored_minutes_would_be_lost(indicator, series_id):
    assert indicator.series_id == series_id


@pytest.mark.parametrize("indicator", ALL, ids=lambda indicator: type(indicator).__name__)
@pytest.mark.parametrize(
    "change", [{"service": "cart"}, {"environment": None}, {"environment": ""}, {"group_by": ("route",)}]
)
def test_the_series_follows_service_environment_and_groups(indicator, change):
    assert replace(indicator, **change).series_id != indicator.series_id


@pytest.mark.parametrize(
    ("indicator", "change"),
    [
        (CACHE, {"cache": ""}),
        (CACHE, {"filter": parse_predicate("a = 1")}),
        (COUNTER, {"good": FAILURES, "bad": None}),
        (COUNTER, {"total": MetricSelector("requests")}),
        (COUNTER, {"total": MetricSelector("requests", (("route", "/cart"),))}),
        (COUNTER, {"bad": REQUESTS, "total": FAILURES}),
        (HISTOGRAM, {"at_most": Decimal("0.30000000000000000000000000000001")}),
        (HISTOGRAM, {"metric": FAILURES}),
        (GAUGE, {"op": "<"}),
        (GAUGE, {"value": Decimal(-5)}),
        (GAUGE, {"metric": FAILURES}),
    ],
)
def test_the_series_follows_everything_that_decides_the_counts(indicator, change):
    assert replace(indicator, **change).series_id != indicator.series_id


def test_the_series_ignores_how_the_same_is_written():
    for text in ("0.30", "3E-1", "0.3000000000"):
        assert replace(HISTOGRAM, at_most=Decimal(text)).series_id == HISTOGRAM.series_id
    for one, two in (("300", "3E+2"), ("0", "-0"), ("0", "0.00"), ("-0.50", "-0.5")):
        assert replace(GAUGE, value=Decimal(one)).series_id == replace(GAUGE, value=Decimal(two)).series_id
    pairs = (("a", "1"), ("b", "2"))
    forwards, backwards = MetricSelector("m", pairs), MetricSelector("m", pairs[::-1])
    assert replace(GAUGE, metric=forwards).series_id == replace(GAUGE, metric=backwards).series_id


@given(
    st.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**9), max_value=10**9), st.integers(0, 9)
)
def test_equal_thresholds_are_one_series(value, zeros):
    padded = Decimal(format(value, "f") + "0" * zeros)
    assert padded == value
    assert replace(GAUGE, value=padded).series_id == replace(GAUGE, value=value).series_id
    assert replace(GAUGE, value=value + 1).series_id != replace(GAUGE, value=value).series_id


@pytest.mark.parametrize("indicator", ALL, ids=lambda indicator: type(indicator).__name__)
def test_an_indicator_needs_a_service(indicator):
    with pytest.raises(InvalidObjective, match="needs a service name"):
        replace(indicator, service="")


def test_a_selector_needs_a_metric():
    with pytest.raises(InvalidObjective, match="name of a metric"):
        MetricSelector("")


@pytest.mark.parametrize("sides", [{}, {"good": REQUESTS}, {"good": REQUESTS, "bad": FAILURES, "total": REQUESTS}])
def test_counters_come_in_pairs(sides):
    with pytest.raises(InvalidObjective, match="two of good, bad and total"):
        CounterIndicator("checkout", "prod", **sides)


def test_two_counters_that_are_the_same_make_no_ratio():
    one = MetricSelector("m", (("a", "1"), ("b", "2")))
    with pytest.raises(InvalidObjective, match="both counters of the indicator are 'm'"):
        CounterIndicator("checkout", "prod", good=one, total=MetricSelector("m", one.attributes[::-1]))
    assert CounterIndicator("checkout", "prod", good=one, total=MetricSelector("m")).good == one


@pytest.mark.parametrize("value", ["NaN", "Infinity", "-Infinity"])
def test_a_threshold_is_a_number(value):
    with pytest.raises(InvalidObjective, match="must be a finite number"):
        replace(HISTOGRAM, at_most=Decimal(value))
    with pytest.raises(InvalidObjective, match="must be a finite number"):
        replace(GAUGE, value=Decimal(value))


@pytest.mark.parametrize("threshold", [0, -1, 2**63])
def test_a_latency_threshold_is_nanoseconds_above_0_in_64_bits(threshold):
    assert FasterThan(2**63 - 1).threshold_ns
    with pytest.raises(InvalidObjective, match="fit in 64 bits"):
        FasterThan(threshold)


def test_a_kind_of_indicator_says_itself_what_decides_its_counts():
    with pytest.raises(NotImplementedError):
        _Series()._parts()
