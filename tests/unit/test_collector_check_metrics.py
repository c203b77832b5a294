"""Which data points can be stored: one test a rule, with the counts that the client is told."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    NumberDataPoint,
    SummaryDataPoint,
)

from collector.check.check import check
from collector.check.points import MAX_BUCKETS
from collector.errors import BadPayload

NOW = 1_700_000_000_000_000_000
NO_RECORDED_VALUE = 1
DELTA, CUMULATIVE = 1, 2
Buckets = ExponentialHistogramDataPoint.Buckets


def number(**fields):
    return NumberDataPoint(**{"time_unix_nano": NOW, "as_int": 1} | fields)


def histogram(**fields):
    normal = {"time_unix_nano": NOW, "count": 6, "bucket_counts": [1, 2, 3], "explicit_bounds": [0.1, 0.5]}
    return HistogramDataPoint(**normal | fields)


def exponential(**fields):
    normal = {
        "time_unix_nano": NOW,
        "count": 7,
        "zero_count": 1,
        "scale": 3,
        "positive": Buckets(offset=-4, bucket_counts=[1, 2]),
        "negative": Buckets(bucket_counts=[3]),
    }
    return ExponentialHistogramDataPoint(**normal | fields)


def summary(**fields):
    return SummaryDataPoint(**{"time_unix_nano": NOW, "count": 2, "sum": 3.5} | fields)


GOOD = {
    "gauge": number(),
    "sum": number(),
    "histogram": histogram(),
    "exponential_histogram": exponential(),
    "summary": summary(),
}


def request_of(kind, *points, temporality=CUMULATIVE):
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="m")
    data = getattr(metric, kind)
    data.data_points.extend(points)
    if kind not in {"gauge", "summary"}:
        data.aggregation_temporality = temporality
    return request.SerializeToString()


def stored_points(data):
    found = []
    for group in ExportMetricsServiceRequest.FromString(data).resource_metrics:
        for scope in group.scope_metrics:
            for metric in scope.metrics:
                kind = metric.WhichOneof("data")
                found += list(getattr(metric, kind).data_points) if kind else []
    return found


def assert_left_out(kind, point, reason):
    """Assert that *point* between two good ones is left out for *reason*, alone, and the good ones stay in order."""
    good = [type(point).FromString(GOOD[kind].SerializeToString()) for _ in range(2)]
    good[1].time_unix_nano += 1
    checked = check("metrics", request_of(kind, good[0], point, good[1]))
    assert (checked.accepted, checked.rejected) == (2, 1)
    assert checked.message == f'1 of 3 data points left out: 1 {reason} (first: "m")'
    assert stored_points(checked.data) == good


def assert_kept(kind, point):
    body = request_of(kind, point)
    checked = check("metrics", body)
    assert checked.data is body
    assert (checked.accepted, checked.rejected, checked.message) == (1, 0, "")


def test_data_points_of_every_kind_are_counted():
    request = ExportMetricsServiceRequest()
    for kind, point in GOOD.items():
        request.MergeFromString(request_of(kind, point))
    request.MergeFromString(request_of("sum", number(), number(), temporality=DELTA))
    request.resource_metrics.add().scope_metrics.add().metrics.add(name="no data at all")
    body = request.SerializeToString()
    checked = check("metrics", body)
    assert checked.data is body
    assert (checked.accepted, checked.rejected, checked.message) == (7, 0, "")


@pytest.mark.parametrize("kind", GOOD)
def test_a_point_without_a_time_is_left_out(kind):
    point = type(GOOD[kind]).FromString(GOOD[kind].SerializeToString())
    point.time_unix_nano = 0
    assert_left_out(kind, point, "without a time")


@pytest.mark.parametrize("kind", GOOD)
def test_a_point_that_starts_after_its_time_is_left_out_and_one_that_starts_at_it_is_kept(kind):
    point = type(GOOD[kind]).FromString(GOOD[kind].SerializeToString())
    point.start_time_unix_nano = NOW
    assert_kept(kind, point)
    point.start_time_unix_nano = NOW + 1
    assert_left_out(kind, point, "with a start after the time")


@pytest.mark.parametrize("kind", ["gauge", "sum"])
def test_a_number_without_a_value_is_left_out(kind):
    assert_left_out(kind, NumberDataPoint(time_unix_nano=NOW), "without a value")


@pytest.mark.parametrize("value", [0.0, -0.0, math.nan, math.inf, -math.inf])
def test_every_value_of_a_gauge_is_kept(value):
    assert_kept("gauge", NumberDataPoint(time_unix_nano=NOW, as_double=value))


def test_the_integer_zero_is_a_value():
    assert_kept("sum", number(as_int=0))


@pytest.mark.parametrize("kind", ["sum", "histogram", "exponential_histogram"])
@pytest.mark.parametrize("temporality", [0, 3])
def test_all_points_of_a_metric_without_a_temporality_are_left_out(kind, temporality):
    body = request_of("gauge", number()) + request_of(kind, GOOD[kind], GOOD[kind], temporality=temporality)
    checked = check("metrics", body)
    assert (checked.accepted, checked.rejected) == (1, 2)
    assert checked.message == ('2 of 3 data points left out: 2 of an unspecified aggregation temporality (first: "m")')
    assert stored_points(checked.data) == [GOOD["gauge"]]


def test_a_request_of_metrics_without_points_holds_nothing():
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add().metrics.add(name="no data at all")
    checked = check("metrics", request.SerializeToString() + request_of("sum", temporality=0))
    assert (checked.accepted, checked.rejected, checked.message) == (0, 0, "")


@pytest.mark.parametrize(("counts", "bounds"), [([6], [0.1]), ([1, 2, 3], [0.1]), ([], [0.1]), ([1, 5], [])])
def test_a_histogram_whose_buckets_do_not_fit_its_bounds_is_left_out(counts, bounds):
    point = histogram(bucket_counts=counts, explicit_bounds=bounds)
    assert_left_out("histogram", point, "with bucket counts that are not one more than the bounds")


@pytest.mark.parametrize("bounds", [[0.5, 0.1], [0.5, 0.5], [0.5, math.nan], [math.nan, 0.5], [math.nan]])
def test_a_histogram_whose_bounds_do_not_increase_is_left_out(bounds):
    point = histogram(count=0, bucket_counts=[0] * (len(bounds) + 1), explicit_bounds=bounds)
    assert_left_out("histogram", point, "with bounds that do not increase")


@pytest.mark.parametrize("count", [0, 5, 7])
def test_a_histogram_whose_buckets_do_not_add_up_is_left_out(count):
    assert_left_out("histogram", histogram(count=count), "with buckets that do not add up to the count")


def test_a_histogram_of_only_count_and_sum_is_kept():
    assert_kept("histogram", HistogramDataPoint(time_unix_nano=NOW, count=6, sum=1.5))
    assert_kept("histogram", histogram(bucket_counts=[6], explicit_bounds=[]))


@pytest.mark.parametrize("count", [2**63, 2**63 + 1, 2**64 - 1])
def test_a_count_beyond_63_bits_is_left_out(count):
    reason = "with a count of 2^63 or more"
    assert_left_out("histogram", histogram(count=count, bucket_counts=[count, 0, 0]), reason)
    assert_left_out("exponential_histogram", exponential(count=count, zero_count=count - 6), reason)
    assert_left_out("summary", summary(count=count), reason)


def test_the_largest_count_of_63_bits_is_kept():
    assert_kept("histogram", histogram(count=2**63 - 1, bucket_counts=[2**63 - 1, 0, 0]))


def test_histograms_of_more_than_1000_buckets_are_left_out():
    reason = "with more than 1,000 buckets"
    million = Buckets(bucket_counts=[0] * 10**6)
    assert_left_out("exponential_histogram", exponential(positive=million), reason)
    assert_left_out("exponential_histogram", exponential(negative=million), reason)
    bounds = [float(index) for index in range(MAX_BUCKETS)]
    assert_left_out("histogram", histogram(bucket_counts=[0] * 1001, explicit_bounds=bounds, count=0), reason)
    assert_kept("histogram", histogram(bucket_counts=[0] * 1000, explicit_bounds=bounds[1:], count=0))
    thousand = Buckets(bucket_counts=[1] * 1000)
    assert_kept("exponential_histogram", exponential(positive=thousand, count=1004))


@pytest.mark.parametrize("fields", [{"count": 8}, {"zero_count": 0}, {"zero_count": 2**64 - 1}])
def test_an_exponential_histogram_whose_buckets_do_not_add_up_is_left_out(fields):
    assert_left_out("exponential_histogram", exponential(**fields), "with buckets that do not add up to the count")


def test_an_exponential_histogram_without_buckets_is_its_zero_count():
    assert_kept("exponential_histogram", ExponentialHistogramDataPoint(time_unix_nano=NOW, count=4, zero_count=4))


@pytest.mark.parametrize("scale", [-127, -11, 21, 127, 2**31 - 1, -(2**31)])
def test_an_exponential_histogram_of_an_impossible_scale_is_left_out(scale):
    assert_left_out("exponential_histogram", exponential(scale=scale), "with a scale outside -10 to 20")


@pytest.mark.parametrize("scale", [-10, 0, 20])
def test_an_exponential_histogram_of_a_possible_scale_is_kept(scale):
    assert_kept("exponential_histogram", exponential(scale=scale))


@pytest.mark.parametrize("side", ["positive", "negative"])
def test_an_exponential_histogram_whose_buckets_leave_32_bits_is_left_out(side):
    def point(offset):
        other = "negative" if side == "positive" else "positive"
        return exponential(**{side: Buckets(offset=offset, bucket_counts=[2, 4]), other: Buckets(), "zero_count": 1})

    assert_left_out("exponential_histogram", point(2**31 - 2), "with buckets beyond a 32-bit index")
    assert_kept("exponential_histogram", point(2**31 - 3))
    assert_kept("exponential_histogram", point(-(2**31)))


@pytest.mark.parametrize(
    ("kind", "point"),
    [
        ("gauge", NumberDataPoint()),
        ("sum", NumberDataPoint(as_double=math.nan)),
        ("histogram", histogram(count=2**64 - 1, bucket_counts=[1], explicit_bounds=[2, 1])),
        ("exponential_histogram", exponential(count=1, scale=127)),
        ("summary", summary(count=2**64 - 1)),
    ],
)
def test_a_point_that_ends_its_series_is_kept_whatever_values_it_carries(kind, point):
    ended = type(point).FromString(point.SerializeToString())
    ended.time_unix_nano, ended.flags = NOW, NO_RECORDED_VALUE
    assert_kept(kind, ended)
    ended.time_unix_nano = 0
    assert_left_out(kind, ended, "without a time")


def test_the_message_names_every_reason_with_its_count():
    wrong = [number(time_unix_nano=0), number(time_unix_nano=0), NumberDataPoint(time_unix_nano=NOW)]
    body = request_of("gauge", *[number()] * 6, *wrong) + request_of("histogram", histogram(count=1))
    checked = check("metrics", body)
    assert (checked.accepted, checked.rejected) == (6, 4)
    assert checked.message == (
        "4 of 10 data points left out: 2 without a time, 1 without a value, "
        '1 with buckets that do not add up to the count (first: "m")'
    )


def test_a_request_of_only_unusable_points_is_refused():
    with pytest.raises(BadPayload, match="none of the 2 data points can be stored: 2 without a time"):
        check("metrics", request_of("gauge", *[number(time_unix_nano=0)] * 2))


BUCKETS = st.lists(st.integers(0, 2**40), min_size=1, max_size=12)
OFFSETS = st.integers(-(2**31), 2**31 - 13)
SCALES = st.integers(-10, 20)


@given(counts=BUCKETS, start=st.floats(-1e9, 1e9), width=st.floats(1e-3, 1e3), since=st.integers(0, NOW))
def test_whatever_consistent_histograms_hold_they_are_stored_as_they_came(counts, start, width, since):
    bounds = [start + width * index for index in range(len(counts) - 1)]
    point = histogram(
        count=sum(counts), bucket_counts=counts, explicit_bounds=bounds, start_time_unix_nano=since, sum=math.nan
    )
    assert_kept("histogram", point)


@given(positive=BUCKETS, negative=BUCKETS, zero_count=st.integers(0, 2**40), offset=OFFSETS, scale=SCALES)
def test_whatever_consistent_exponential_histograms_hold_they_are_stored_as_they_came(
    positive, negative, zero_count, offset, scale
):
    point = exponential(
        count=zero_count + sum(positive) + sum(negative),
        zero_count=zero_count,
        scale=scale,
        positive=Buckets(offset=offset, bucket_counts=positive),
        negative=Buckets(offset=-offset // 2, bucket_counts=negative),
    )
    assert_kept("exponential_histogram", point)


POINTS = st.lists(st.tuples(st.sampled_from(list(GOOD)), st.lists(st.booleans(), max_size=5)), max_size=5)


@given(groups=POINTS)
def test_the_counts_are_exact_and_exactly_the_usable_points_remain(groups):
    body, wanted, total = b"", [], 0
    for kind, usable in groups:
        points = [type(GOOD[kind]).FromString(GOOD[kind].SerializeToString()) for _ in usable]
        for point, good in zip(points, usable, strict=True):
            total += 1
            point.time_unix_nano = total if good else 0
            wanted += [point] if good else []
        body += request_of(kind, *points)
    if total and not wanted:
        with pytest.raises(BadPayload, match=f"none of the {total} data points"):
            check("metrics", body)
        return
    checked = check("metrics", body)
    assert (checked.accepted, checked.rejected) == (len(wanted), total - len(wanted))
    assert (checked.data is body) == (total == len(wanted))
    assert stored_points(checked.data) == wanted
