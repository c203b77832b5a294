"""A metric's chart: the right aggregation and unit, gaps where data stopped, exemplars that lead to their traces."""

from datetime import UTC, datetime, timedelta

import pytest

from api import models as m
from dashboard.views import charts, metrics

NOW = datetime(2026, 11, 22, 14, 5, tzinfo=UTC)
ATTACK = "<img src=x onerror=alert(1)>"
TRACE_ID, SPAN_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


def kind(**changes):
    values = {
        "metric": "invoice.duration", "type": "histogram", "unit": "ms", "description": "Making one",
        "temporality": "cumulative", "monotonic": False, "services": ["billing"], "series": 2, "last_seen": NOW,
    }  # fmt: skip
    return m.MetricName.model_validate(values | changes)


def step(minute, value=None, *, increase=None, **quantiles):
    levels = {"0.5": quantiles.get("p50"), "0.95": quantiles.get("p95")}
    known = {level: found for level, found in levels.items() if found is not None}
    at = NOW - timedelta(minutes=15 - minute)
    return m.MetricStep(at=at, value=value, increase=increase, quantiles=known or None)


def series(*steps, unusable_bounds=False, **labels):
    return m.MetricSeries(labels=labels, steps=list(steps), unusable_bounds=unusable_bounds)


def exemplar(value=12.5, trace_id=TRACE_ID):
    at = NOW - timedelta(seconds=9)
    return m.Exemplar(at=at, value=value, trace_id=trace_id, span_id=SPAN_ID, attributes={"customer": ATTACK})


def metric(*items, exemplars=(), **changes):
    return m.Metric(
        kind=kind(**changes), kinds=[], start=NOW - timedelta(minutes=15), end=NOW, step_s=60, shown=len(items),
        total=len(items), warnings=[], items=list(items), exemplars=list(exemplars),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "first", "unit"),
    [
        ({}, "p95", "ms"),
        ({"type": "exponential_histogram", "unit": "s"}, "p95", "s"),
        ({"type": "summary"}, "p50", "ms"),
        ({"type": "sum", "monotonic": True, "unit": "{invoice}"}, metrics.RATE, "invoice/s"),
        ({"type": "sum", "temporality": "delta", "unit": "By"}, metrics.RATE, "B/s"),
        ({"type": "sum", "unit": "1"}, "Last value", ""),
        ({"type": "gauge", "unit": "{item}"}, "Last value", "item"),
    ],
)
def test_each_type_is_shown_by_what_it_means_in_its_unit(changes, first, unit):
    item = kind(**changes)
    assert metrics.aggregations(item)[0] == first
    assert metrics.unit_of(item, first) == unit


def test_the_rate_of_a_histogram_counts_observations():
    assert metrics.unit_of(kind(), metrics.RATE) == "observations/s"


def test_a_step_gives_the_chosen_value_and_none_where_there_is_none():
    found = step(1, 2.5, increase=150, p50=20.0, p95=80.0)
    values = {shown: metrics.value_of(found, shown) for shown in ("p50", "p95", "p99", metrics.RATE, metrics.INCREASE)}
    assert values == {"p50": 20.0, "p95": 80.0, "p99": None, metrics.RATE: 2.5, metrics.INCREASE: 150}


def test_series_are_named_by_the_labels_that_tell_them_apart():
    one = series(service="billing", region="eu", tier="gold")
    assert metrics.names([one, series(service="billing", region="us", tier="gold")]) == ["region=eu", "region=us"]
    assert metrics.names([one]) == ["region=eu, billing, tier=gold"]
    assert metrics.names([series()]) == ["all"]
    assert metrics.names([series(flag=True), series(flag=False), series()]) == ["flag=true", "flag=false", "all"]


def test_series_that_nothing_tells_apart_still_have_names_of_their_own():
    found = metrics.names([series(a="x"), series(a="x"), series(a="x")])
    assert len(set(found)) == 3


def test_groupings_are_all_labels_with_the_sender_first():
    assert metrics.groupings([series(zone="a", service="s"), series(environment="e", code=1)]) == [
        "environment", "service", "code", "zone"
    ]  # fmt: skip


def test_a_pause_of_the_exporter_is_no_gap_and_a_silence_is():
    steps = [step(minute, float(minute)) for minute in (0, 2, 4, 6, 14)]
    drawn = metrics.points(steps, "Last value")
    assert [value for _, value in drawn] == [0, 2, 4, 6, None, 14]
    assert drawn[4][0] < drawn[5][0]
    assert metrics.points([], "Last value") == []


def test_the_chart_spans_the_asked_range_from_zero_with_a_line_a_series_and_bands():
    answer = metric(series(step(1, p95=10.0), step(2, p95=20.0), step(3, p95=30.0), region="eu"), series(region="us"))
    band = charts.Band("redis +300 ms", NOW - timedelta(minutes=13), NOW - timedelta(minutes=12))
    option = metrics.chart(answer, "p95", [band])
    assert [line["name"] for line in option["series"]] == ["region=eu", "region=us"]
    assert [value for _, value in option["series"][0]["data"]] == [10, 20, 30]
    assert option["series"][1]["data"] == []
    assert (option["xAxis"]["min"], option["xAxis"]["max"]) == ("2026-11-22T13:50:00Z", "2026-11-22T14:05:00Z")
    assert option["yAxis"][0]["min"] == 0
    assert option["series"][0]["markArea"]["data"]


def test_a_gauge_may_go_below_zero_and_a_lone_point_is_seen():
    option = metrics.chart(metric(series(step(1, -4.0)), type="gauge"), "Last value", [])
    assert "min" not in option["yAxis"][0]
    assert option["series"][0]["showSymbol"] is True


def test_exemplars_are_drawn_where_they_have_the_axis_unit():
    answer = metric(series(step(1, 3.0, p95=10.0)), exemplars=[exemplar(12.5), exemplar(80)])
    drawn = metrics.chart(answer, "p95", [])["series"][-1]
    assert (drawn["name"], drawn["selectedMode"]) == (metrics.EXEMPLARS, "single")
    assert [value for _, value in drawn["data"]] == [12.5, 80]
    assert metrics.EXEMPLARS not in [line["name"] for line in metrics.chart(answer, metrics.RATE, [])["series"]]


def test_a_click_picks_the_exemplar_that_was_drawn_there():
    drawn = [exemplar(1.0), exemplar(2.0)]
    other = {"series_name": "region=eu", "data_indices": [0]}
    assert (
        metrics.picked({"selected": [other, {"series_name": metrics.EXEMPLARS, "data_indices": [1]}]}, drawn)
        == drawn[1]
    )
    assert metrics.picked({"selected": [other]}, drawn) is None
    assert metrics.picked({"selected": []}, drawn) is None


def test_the_list_of_exemplars_links_each_trace_and_escapes_what_was_sent():
    html = metrics.exemplars(metric(series(), exemplars=[exemplar(), exemplar(3, trace_id="")]), NOW)
    assert f'href="trace?trace={TRACE_ID}&amp;span={SPAN_ID}"' in html
    assert html.count("<a ") == 1
    assert "12.5 ms" in html
    assert "<img" not in html


def test_series_in_numbers_have_units_and_say_what_cannot_be_told():
    useless = series(step(1), unusable_bounds=True, region=ATTACK)
    html = metrics.listing(metric(series(step(1, p95=10.0), step(2, p95=30.0), region="eu"), useless), "p95")
    for words in ("30 ms", "10 ms", "20 ms", "bounds do not fit its values", "\N{EN DASH}"):
        assert words in html
    assert "<img" not in html


def test_a_metric_tells_what_it_is():
    html = metrics.about(kind(description=ATTACK, monotonic=True, type="sum"))
    assert "monotonic sum, cumulative, unit ms, 2 series from billing" in html
    assert "<img" not in html


def test_the_chart_has_a_takeaway_in_words():
    answer = metric(series(step(1, p95=10.0), step(2, p95=30.0), region="eu"), series(region="us"))
    assert metrics.takeaway(answer, "p95") == ("p95 of invoice.duration, last: region=eu 30 ms; region=us \N{EN DASH}")
