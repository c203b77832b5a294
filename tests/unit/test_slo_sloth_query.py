from decimal import Decimal

import pytest

from slo.indicator import CounterIndicator, FasterThan, HistogramIndicator, Matches, MetricSelector, NotError
from slo.predicate_parser import parse_predicate
from slo.sloth_query import NotCarriedOver, read_events
from slo.sloth_spans import suggest_spans

W = "[{{.window}}]"
TOTAL = f"sum(rate(orders_total{W}))"


def selector(metric, **attributes):
    return MetricSelector(metric, tuple(sorted(attributes.items())))


@pytest.mark.parametrize(
    ("error", "bad"),
    [
        (f'sum(rate(orders_total{{outcome="failed"}}{W}))', selector("orders_total", outcome="failed")),
        (f'sum(increase(orders_total{{b="2",a="1"}}{W}))', selector("orders_total", a="1", b="2")),
        (f'sum(rate(orders_total{{outcome=~"failed"}}{W}))', selector("orders_total", outcome="failed")),
        (f"sum(rate(orders_failed_total{W})) OR on() vector(0)", selector("orders_failed_total")),
        (f'(sum(rate({{__name__="failures"}}{W})) or vector(0))', selector("failures")),
    ],
)
def test_equal_labels_become_attributes_of_the_bad_counter(error, bad):
    assert read_events(error, TOTAL, "shop") == CounterIndicator("shop", None, None, bad, selector("orders_total"))


def test_a_difference_to_the_total_makes_the_subtrahend_the_good_counter():
    found = read_events(f'{TOTAL} - (sum(rate(orders_total{{ok="1"}}{W})) or vector(0))', TOTAL, "shop")
    assert found == CounterIndicator("shop", None, selector("orders_total", ok="1"), None, selector("orders_total"))


def test_a_bucket_of_the_counted_histogram_becomes_a_threshold():
    count = f'sum(rate(checkout_seconds_count{{job="eu/pay",tier="1"}}{W}))'
    bucket = f'sum(rate(checkout_seconds_bucket{{job="eu/pay",tier="1",le="0.4"}}{W}))'
    metric = selector("checkout_seconds", tier="1")
    assert read_events(f"({count} - {bucket})", count, "shop") == HistogramIndicator(
        "pay", None, metric, Decimal("0.4")
    )


def test_a_bucket_of_some_of_the_counted_series_is_no_threshold():
    count = f"sum(rate(checkout_seconds_count{W}))"
    bucket = f'sum(rate(checkout_seconds_bucket{{le="0.4",code="200"}}{W}))'
    with pytest.raises(NotCarriedOver, match="checkout_seconds_bucket is a part of a histogram"):
        read_events(f"{count} - {bucket}", count, "shop")


def test_the_job_is_the_service_and_the_grouping_stays():
    total = f'sum by (route) (rate(orders_total{{job="pay"}}{W}))'
    found = read_events(f'sum(rate(orders_total{{job="pay",ok="0"}}{W})) by (route)', total, "shop")
    assert (found.service, found.group_by) == ("pay", ("route",))


@pytest.mark.parametrize(
    ("error", "total", "reason"),
    [
        (TOTAL, TOTAL, "both counters"),
        (f'sum(rate(orders_total{{code=~"5.."}}{W}))', TOTAL, 'error_query selects with code=~"5.."'),
        (f'sum(rate(orders_total{{code!="200"}}{W}))', TOTAL, 'selects with code!="200"'),
        (f'sum(rate(orders_total{{code=""}}{W}))', TOTAL, "series without the label"),
        (f'sum(rate(orders_total{{a="1",a="2"}}{W}))', TOTAL, "two values of a"),
        (f"sum(rate({{}}{W}))", TOTAL, "names no metric"),
        (f"sum(rate(a{W})) + sum(rate(b{W}))", TOTAL, r"joins several queries with '\+'"),
        (f"sum(rate(a{W})) - on(x) sum(rate(b{W}))", TOTAL, "joins several queries"),
        (f"sum(rate(a{W})) - sum(rate(b{W}))", TOTAL, "subtracts from something else"),
        (f"rate(orders_total{W})", TOTAL, "without sum"),
        (f"max(rate(orders_total{W}))", TOTAL, "max of something"),
        (f"sum(irate(a{W}))", TOTAL, "uses irate"),
        ("sum(rate(a[5m]))", TOTAL, r"looks at \[5m\]"),
        (f"sum without (x) (rate(a{W}))", TOTAL, "all labels but x"),
        (f"sum by (x) (rate(a{W}))", TOTAL, "differ in their grouping"),
        (f'sum(rate(a{{job="x"}}{W}))', TOTAL, "differ in their job"),
        ("vector(1)", TOTAL, "without sum"),
        ("up", TOTAL, "counts no increases"),
        ("sum(", TOTAL, "error_query cannot be read: column 5"),
        (TOTAL, "1 +", "total_query cannot be read"),
        (f'sum(rate(x_count{{a="1"}}{W}))', f"sum(rate(x_count{W}))", "part of a histogram"),
        (
            f'sum(rate(x_count{W})) - sum(rate(x_bucket{{le="+Inf"}}{W}))',
            f"sum(rate(x_count{W}))",
            "no boundary",
        ),
        (
            f'sum(rate(x_count{W})) - sum(rate(x_bucket{{le="abc"}}{W}))',
            f"sum(rate(x_count{W}))",
            "no boundary",
        ),
        (
            f'sum(rate(x_count{W})) - sum(rate(y_bucket{{le="1"}}{W}))',
            f"sum(rate(x_count{W}))",
            "part of a histogram",
        ),
    ],
)
def test_what_no_counter_counts_alike_is_refused_with_a_reason_and_a_remedy(error, total, reason):
    with pytest.raises(NotCarriedOver, match=reason) as found:
        read_events(error, total, "shop")
    assert found.value.instead


@pytest.mark.parametrize(
    ("matcher", "good"),
    [
        ('code=~"5.."', "not http.response.status_code >= 500"),
        ('code=~"(5..|429)"', "not (http.response.status_code = 429 or http.response.status_code >= 500)"),
        ('status!~"2..|3.."', None),
        ('status="503"', "not http.response.status_code = 503"),
        ('status_code!="200"', None),
        ('code=~"4.."', "not (http.response.status_code >= 400 and http.response.status_code <= 499)"),
        ('code=~"[1-3].."', "not http.response.status_code <= 399"),
    ],
)
def test_status_codes_of_requests_become_a_predicate_over_spans(matcher, good):
    found = suggest_spans(f"sum(rate(http_requests_total{{{matcher}}}{W}))", f"sum(rate(http_requests_total{W}))", "x")
    assert isinstance(found.good, Matches)
    if good is not None:
        assert found.good == Matches(parse_predicate(good))


def test_what_is_not_two_or_three_hundred_is_bad_in_the_proposal():
    error = f'sum(rate(http_requests_total{{code!~"2..|3.."}}{W}))'
    found = suggest_spans(error, f"sum(rate(http_requests_total{W}))", "x")
    status = "http.response.status_code"
    assert found.good == Matches(parse_predicate(f"not ({status} <= 199 or {status} >= 400)"))


@pytest.mark.parametrize("matcher", ['code=~"("', 'code=~".*"', 'kind="a"', 'code="grpc"'])
def test_codes_that_tell_nothing_apart_leave_errors_as_they_are(matcher):
    found = suggest_spans(f"sum(rate(http_requests_total{{{matcher}}}{W}))", f"sum(rate(http_requests_total{W}))", "x")
    assert found.good == NotError()


def test_known_labels_become_a_filter_and_the_job_the_service():
    total = f'sum(rate(http_requests_total{{job="eu/pay",method="POST",path="/pay",zone="a",handler!="x"}}{W}))'
    found = suggest_spans(total, total, "shop")
    assert found.service == "pay"
    assert found.filter == parse_predicate('http.request.method = "POST" and http.route = "/pay"')


@pytest.mark.parametrize(
    ("metric", "le", "nanoseconds"),
    [
        ("http_request_duration_seconds", "0.4", 400_000_000),
        ("http_request_ms", "250", 250_000_000),
        ("http_request_milliseconds", "0.5", 500_000),
    ],
)
def test_a_bucket_of_requests_becomes_a_duration(metric, le, nanoseconds):
    count = f"sum(rate({metric}_count{W}))"
    found = suggest_spans(f'{count} - sum(rate({metric}_bucket{{le="{le}"}}{W}))', count, "x")
    assert found.good == FasterThan(nanoseconds)


@pytest.mark.parametrize(("metric", "le"), [("http_size_bytes", "10"), ("http_seconds", "+Inf"), ("http_seconds", "0")])
def test_a_bucket_of_something_else_becomes_no_duration(metric, le):
    found = suggest_spans(f'sum(rate({metric}_bucket{{le="{le}"}}{W}))', f"sum(rate({metric}_count{W}))", "x")
    assert found.good == NotError()


@pytest.mark.parametrize(("error", "total"), [("sum(", TOTAL), (TOTAL, TOTAL), ("http_x", "1")])
def test_nothing_is_proposed_for_what_are_no_requests(error, total):
    assert suggest_spans(error, total, "shop") is None
