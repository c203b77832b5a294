"""Metrics from OTLP bytes to rates and quantiles, over the real engine."""

import dataclasses
import json
import math
import shutil
import subprocess
from datetime import UTC, datetime, timedelta

import pytest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from storage.exemplars import exemplars
from storage.metric_query import MetricQuery, nanoseconds
from storage.metric_series import metric_series
from storage.metrics import metric_names
from storage.migrate import migrate

pytestmark = pytest.mark.slow

CUMULATIVE, DELTA = 2, 1
SECOND = 1_000_000_000
END = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(minutes=5)
START = END - timedelta(minutes=10)
T0 = nanoseconds(START)
BOUNDS = [0.1, 0.5, 1.0]


def at(seconds):
    return T0 + round(seconds * SECOND)


def ask(database, metric, *, minutes=10, step_s=60, **options):
    kind = metric_names(database, now=datetime.now(UTC), metric=metric)[0]
    query = MetricQuery(kind, START, START + timedelta(minutes=minutes), step_s, **options)
    return metric_series(database, query)


def steps(answer, place=0):
    """Return what each step says, by its number of minutes since the start."""
    return {(step.at - START) // timedelta(minutes=1): step for step in answer.series[place].steps}


def rises(answer, place=0):
    return {minute: step.increase for minute, step in steps(answer, place).items()}


def total(answer):
    return sum(step.increase for series in answer.series for step in series.steps)


def scalar(database, sql):
    with database.client() as client:
        return client.query(sql).result_rows[0][0]


@pytest.fixture
def rising(otlp):
    """Return a function that returns a request with the points of a cumulative counter: (seconds, value)."""

    def request(*points, name="requests", attributes=None, service="shop"):
        found = [
            otlp.point(at(second), as_int=value, start_ns=at(-3600), attributes=attributes) for second, value in points
        ]
        return otlp.metric(name, "sum", *found, service=service, aggregation_temporality=CUMULATIVE, is_monotonic=True)

    return request


@pytest.fixture
def stored(database, store):
    """Return a function that stores requests in one insert."""

    def insert(*bodies):
        store(database, *bodies, signal="metrics")
        return database

    return insert


CUMULATIVE_COUNTERS = {
    "rises and rates are by step": ([(0, 100), (60, 160), (120, 280)], {0: 60, 1: 120}),
    "an increase is spread over the steps that it took": ([(30, 0), (150, 120)], {0: 30, 1: 60, 2: 30}),
    "a fall is a reset to zero": ([(0, 100), (60, 160), (120, 25)], {0: 60, 1: 25}),
    "a new start is a reset even without a fall": ([(0, 100), (60, 160), (120, 200, 70)], {0: 60, 1: 200}),
    "a first point at its own start counts nothing": ([(60, 500, 60), (120, 507, 60)], {0: 0, 1: 7}),
    "a first point with its start in sight counts from there": ([(120, 90, 30)], {0: 30, 1: 60}),
    "a first point of unknown start counts nothing": ([(60, 1000, None), (120, 1003, None)], {1: 3}),
    "two writers of one identity are two streams": (
        [(0, 1000), (60, 1010), (120, 1020), (0, 3, -5), (60, 4, -5), (120, 5, -5)],
        {0: 11, 1: 11},
    ),
    "the point before the window is counted from": ([(-30, 10), (30, 70)], {0: 30}),
    "a repeated point counts once": ([(0, 100), (60, 160), (60, 160), (120, 170)], {0: 60, 1: 10}),
    "integers beyond 2^53 are exact": ([(0, 2**62 + 1), (60, 2**62 + 8)], {0: 7}),
}
DELTA_COUNTERS = {
    "deltas add up and gaps are no events": ([(10, 4, 0), (20, 6, 10), (300, 12, 290)], {0: 10, 4: 12}),
    "a late delta that starts before the one before it is left out": ([(20, 5, 10), (30, 100, 0)], {0: 5}),
}
GAUGES = {  # (seconds, value, flags), and what the steps show
    "the last value of a step": ([(1, 1.0, 0), (20, 5.0, 0), (40, 3.0, 0)], "last", {0: 3.0}),
    "the mean of a step": ([(1, 1.0, 0), (20, 5.0, 0), (40, 3.0, 0)], "avg", {0: 3.0}),
    "the lowest value of a step": ([(1, 1.0, 0), (20, 5.0, 0), (40, 3.0, 0)], "min", {0: 1.0}),
    "the highest value of a step": ([(1, 1.0, 0), (20, 5.0, 0), (40, 3.0, 0)], "max", {0: 5.0}),
    "no recorded value ends a series": ([(10, 5.0, 0), (70, 6.0, 0), (80, 1e9, 1)], "last", {0: 5.0, 1: None}),
    "no recorded value is no value": ([(10, 5.0, 0), (70, 6.0, 0), (80, 1e9, 1)], "max", {0: 5.0, 1: 6.0}),
    "NaN is no data": ([(10, math.nan, 0)], "avg", {0: None}),
    "integers beyond 2^53 stay exact": ([(10, 2**62 + 1, 0)], "last", {0: 2**62 + 1}),
}


def number(value):
    return {"as_int" if isinstance(value, int) else "as_double": value}


@pytest.fixture(scope="module")
def tables(_chdb, store, otlp):
    """A database with every metric of the tables above, named like its row."""
    bodies = []
    for temporality, table in ((CUMULATIVE, CUMULATIVE_COUNTERS), (DELTA, DELTA_COUNTERS)):
        for name, (points, _) in table.items():
            found = [
                otlp.point(
                    at(second), as_int=value, start_ns=at(start[0] if start else -3600) if start != [None] else 0
                )
                for second, value, *start in points
            ]
            bodies.append(otlp.metric(name, "sum", *found, aggregation_temporality=temporality, is_monotonic=True))
    for name, (points, *_) in GAUGES.items():
        found = [otlp.point(at(second), flags=flags, **number(value)) for second, value, flags in points]
        bodies.append(otlp.metric(name, "gauge", *found))
    database = _chdb.database()
    migrate(database)
    store(database, *bodies, signal="metrics")
    yield database
    _chdb.drop(database)


@pytest.mark.parametrize("name", [*CUMULATIVE_COUNTERS, *DELTA_COUNTERS])
def test_of_a_counter(tables, name):
    answer = ask(tables, name)
    expected = (CUMULATIVE_COUNTERS | DELTA_COUNTERS)[name][1]
    assert rises(answer) == pytest.approx(expected)


@pytest.mark.parametrize("name", GAUGES)
def test_of_a_gauge_is_shown(tables, name):
    _, stat, expected = GAUGES[name]
    found = steps(ask(tables, name, stat=stat))
    assert {minute: step.value for minute, step in found.items()} == expected
    assert {step.increase for step in found.values()} == {None}


def test_a_cumulative_rate_is_over_the_time_that_its_points_cover_and_a_delta_over_the_step(tables):
    spread = ask(tables, "an increase is spread over the steps that it took")
    assert {step.value for step in spread.series[0].steps} == {1.0}
    sparse = steps(ask(tables, "deltas add up and gaps are no events"))
    assert sparse[4].value == pytest.approx(12 / 60)


def test_a_point_without_recorded_value_is_kept_without_its_junk(tables):
    found = scalar(tables, "SELECT groupArray(value) FROM metric_points WHERE flags = 1")
    assert [math.isnan(value) for value in found] == [True, True]


def test_a_sum_that_may_fall_shows_its_value_and_no_rate(database, store, otlp):
    points = [otlp.point(at(10), as_int=9), otlp.point(at(70), as_int=3)]
    body = otlp.metric("requests.active", "sum", *points, aggregation_temporality=CUMULATIVE, is_monotonic=False)
    store(database, body, signal="metrics")
    found = steps(ask(database, "requests.active"))
    assert {minute: step.value for minute, step in found.items()} == {0: 9, 1: 3}
    assert found[0].increase is None


def test_groups_add_up_the_rates_of_their_series(stored, rising):
    database = stored(
        *(
            rising((0, 0), (60, value), attributes={"route": route, "host": host})
            for route, value in (("/a", 60), ("/b", 120))
            for host in ("one", "two")
        )
    )
    by_route = ask(database, "requests", group_by=("route",))
    assert [(item.labels, item.steps[0].value) for item in by_route.series] == [
        ({"route": "/b"}, 4.0),
        ({"route": "/a"}, 2.0),
    ]
    assert ask(database, "requests", group_by=()).series[0].steps[0].value == 6.0
    assert [item.labels for item in ask(database, "requests", group_by=("service",)).series] == [{"service": "shop"}]


def test_filters_compare_attributes_of_every_type_as_text(stored, rising):
    database = stored(
        rising((0, 0), (60, 5), attributes={"code": 200, "ok": True}),
        rising((0, 0), (60, 7), attributes={"code": 500, "ok": False}),
    )
    assert total(ask(database, "requests", attributes=(("code", "500"),))) == 7
    assert total(ask(database, "requests", attributes=(("ok", "true"),))) == 5
    assert ask(database, "requests", attributes=(("code", "404"),)).series == []


def test_a_series_carries_its_attributes_with_their_types(stored, rising):
    database = stored(rising((0, 0), (60, 5), attributes={"code": 200, "ratio": 0.5, "tags": ["a", 1]}))
    labels = ask(database, "requests").series[0].labels
    assert labels["service"] == "shop"
    assert {key: labels[key] for key in ("code", "ratio", "tags")} == {"code": 200, "ratio": 0.5, "tags": ["a", 1]}


def test_more_series_than_the_limit_are_named_in_a_warning(stored, rising):
    database = stored(*(rising((0, 0), (60, number + 1), attributes={"n": number}) for number in range(5)))
    answer = ask(database, "requests", limit=2)
    assert [item.labels["n"] for item in answer.series] == [4, 3]
    assert answer.total == 5
    assert "shown 2 of 5" in answer.warnings[0]


def test_the_order_of_attributes_does_not_make_a_new_series(stored, rising):
    database = stored(rising((0, 0), attributes={"a": 1, "b": 2}), rising((60, 9), attributes={"b": 2, "a": 1}))
    assert scalar(database, "SELECT uniqExact(series_id) FROM metric_points") == 1
    assert total(ask(database, "requests")) == 9


def test_a_change_of_type_or_unit_makes_another_kind_of_the_metric(stored, rising, otlp):
    gauge = otlp.metric("x", "gauge", otlp.point(at(60), as_int=1), unit="ms")
    database = stored(rising((60, 9), name="x"), gauge)
    found = metric_names(database, now=datetime.now(UTC))
    assert {(item.metric, item.type, item.unit) for item in found} == {("x", "sum", "1"), ("x", "gauge", "ms")}


def test_names_tell_who_sends_them(stored, rising):
    database = stored(rising((60, 9)), rising((60, 9), service="mail"))
    (found,) = metric_names(database, now=datetime.now(UTC))
    assert (found.services, found.series) == (["mail", "shop"], 2)
    assert (found.temporality, found.monotonic) == ("cumulative", True)
    assert found.description == "requests of a test"
    assert metric_names(database, now=datetime.now(UTC), service="nobody") == []


def test_known_series_are_written_once_in_ten_minutes(stored, rising):
    stored(rising((0, 1)))
    database = stored(rising((60, 2)))
    assert scalar(database, "SELECT count() FROM metric_series") == 1


def explicit(otlp, second, counts, **fields):
    return otlp.point(
        at(second),
        **{"start_ns": at(-3600), "count": sum(counts), "bucket_counts": counts, "explicit_bounds": BOUNDS, **fields},
    )


def store_histogram(database, store, otlp, *points, name="latency", temporality=CUMULATIVE, kind="histogram"):
    store(database, otlp.metric(name, kind, *points, unit="s", aggregation_temporality=temporality), signal="metrics")


def test_a_histogram_becomes_a_rate_and_interpolated_quantiles(database, store, otlp):
    points = [explicit(otlp, 0, [10, 0, 0, 0]), explicit(otlp, 60, [60, 40, 10, 0])]
    store_histogram(database, store, otlp, *points)
    step = steps(ask(database, "latency"))[0]
    assert (step.value, step.increase) == (pytest.approx(100 / 60), 100)
    assert step.quantiles["0.5"] == pytest.approx(0.1)
    assert step.quantiles["0.95"] == pytest.approx(0.5 + 0.5 * 5 / 10)


def test_a_histogram_that_was_reset_counts_from_zero(database, store, otlp):
    points = [explicit(otlp, 0, [100, 0, 0, 0]), explicit(otlp, 60, [0, 10, 0, 0])]
    store_histogram(database, store, otlp, *points)
    step = steps(ask(database, "latency"))[0]
    assert step.increase == 10
    assert step.quantiles["0.5"] == pytest.approx(0.1 + 0.4 / 2)


def test_a_quantile_above_every_bound_is_the_highest_bound_and_is_flagged(database, store, otlp):
    points = [explicit(otlp, 0, [0, 0, 0, 0]), explicit(otlp, 60, [1, 0, 0, 99])]
    store_histogram(database, store, otlp, *points)
    (found,) = ask(database, "latency").series
    assert found.steps[0].quantiles["0.5"] == 1.0
    assert found.unusable_bounds
    assert "do not fit" in ask(database, "latency").warnings[0]


def test_histograms_of_different_bounds_are_merged_where_they_agree(database, store, otlp):
    store_histogram(
        database,
        store,
        otlp,
        explicit(otlp, 60, [10, 20, 30, 0], start_ns=at(0), attributes={"host": "a"}),
        explicit(otlp, 60, [5, 5], start_ns=at(0), explicit_bounds=[0.5], attributes={"host": "b"}),
        temporality=DELTA,
    )
    step = steps(ask(database, "latency", group_by=()))[0]
    assert step.increase == 70
    assert step.quantiles["0.5"] == pytest.approx(0.5), "35 of 70 are at most 0.5"


def exponential(otlp, second, counts, *, scale=0, offset=0, zero=0, **fields):
    point = otlp.point(
        at(second), **{"start_ns": at(-3600), "count": sum(counts) + zero, "scale": scale, "zero_count": zero, **fields}
    )
    point["positive"] = {"offset": offset, "bucket_counts": counts}
    return point


def test_an_exponential_histogram_becomes_quantiles(database, store, otlp):
    points = [exponential(otlp, 0, [100], offset=9), exponential(otlp, 60, [10, 10], offset=0)]
    store_histogram(database, store, otlp, *points, kind="exponential_histogram")
    step = steps(ask(database, "latency"))[0]
    assert step.increase == 20
    assert step.quantiles["0.5"] == pytest.approx(2.0), "the upper edge of (1, 2]"
    assert step.quantiles["0.95"] == pytest.approx(2 * 2**0.9)


def test_an_exponential_histogram_may_become_coarser_on_its_way(database, store, otlp):
    points = [
        exponential(otlp, 0, [4, 4], scale=1, offset=-2),
        exponential(otlp, 60, [8, 6], scale=0, offset=-1),
    ]
    store_histogram(database, store, otlp, *points, kind="exponential_histogram")
    step = steps(ask(database, "latency"))[0]
    assert step.increase == 6
    assert step.quantiles["0.5"] == pytest.approx(2**0.5), "all six lie in (1, 2]"


def test_the_zero_bucket_and_negative_values_have_their_place(database, store, otlp):
    point = exponential(otlp, 60, [10], zero=10, start_ns=at(0), zero_threshold=0.25)
    point["negative"] = {"offset": 0, "bucket_counts": [20]}
    point["count"] = 40
    store_histogram(database, store, otlp, point, kind="exponential_histogram", temporality=DELTA)
    found = steps(ask(database, "latency"))[0].quantiles
    assert found["0.5"] == pytest.approx(-1.0)
    assert found["0.99"] == pytest.approx(2**0.96)


def test_a_summary_shows_the_quantiles_that_it_was_sent_with(database, store, otlp):
    values = [{"quantile": 0.5, "value": 0.2}, {"quantile": 0.99, "value": 3.5}]
    points = [
        otlp.point(at(second), start_ns=at(-3600), count=count, sum=1.0, quantile_values=values)
        for second, count in ((0, 10), (60, 70), (61, 70))
    ]
    store(database, otlp.metric("rpc", "summary", *points, unit="s"), signal="metrics")
    found = steps(ask(database, "rpc"))
    assert found[0].quantiles == {"0.5": 0.2, "0.99": 3.5}
    assert found[0].increase == 60


def test_an_exemplar_leads_to_its_trace(database, store, otlp):
    trace, span = bytes(range(16)), bytes(range(8))
    point = otlp.point(at(60), as_int=5, start_ns=at(0), attributes={"route": "/a"})
    point["exemplars"] = [
        {
            "time_unix_nano": at(59),
            "as_double": 0.25,
            "trace_id": trace,
            "span_id": span,
            "filtered_attributes": otlp.pairs({"user": 7}),
        }
    ]
    body = otlp.metric("requests", "sum", point, aggregation_temporality=CUMULATIVE, is_monotonic=True)
    store(database, body, signal="metrics")
    kind = metric_names(database, now=datetime.now(UTC))[0]
    (found,) = exemplars(database, MetricQuery(kind, START, END, 60), limit=10)
    assert dataclasses.astuple(found) == (START + timedelta(seconds=59), 0.25, trace.hex(), span.hex(), {"user": 7})


def test_no_bytes_that_may_arrive_make_an_insert_fail(database, store, otlp):
    """Counts beyond 2^63, NaN, scales and offsets at their ends, arrays that do not fit, names that are no text."""
    huge = 2**64 - 1
    points = [
        {"time_unix_nano": huge, "start_time_unix_nano": huge},
        {"time_unix_nano": 1, "start_time_unix_nano": 2**63},
        {"time_unix_nano": at(60), "start_time_unix_nano": at(120)},
    ]
    bodies = [
        otlp.metric("g", "gauge", *({**point, "as_double": math.nan, "flags": 2**32 - 1} for point in points)),
        otlp.metric("i", "sum", *({**point, "as_int": -(2**63)} for point in points), aggregation_temporality=99),
        otlp.metric("none", "sum", *points, aggregation_temporality=CUMULATIVE, is_monotonic=True),
        otlp.metric(
            "h",
            "histogram",
            *({**p, "count": huge, "bucket_counts": [huge] * 3, "explicit_bounds": [math.nan]} for p in points),
            *({**p, "count": 1, "bucket_counts": [], "explicit_bounds": [1.0] * 9} for p in points),
            aggregation_temporality=CUMULATIVE,
        ),
        otlp.metric(
            "e",
            "exponential_histogram",
            *(
                {
                    **point,
                    "count": huge,
                    "scale": scale,
                    "zero_count": huge,
                    "positive": {"offset": 2**31 - 1, "bucket_counts": [huge] * 2000},
                    "negative": {"offset": -(2**31), "bucket_counts": [1]},
                    "zero_threshold": math.inf,
                }
                for point in points
                for scale in (127, -127, 20, -10, 2**31 - 1)
            ),
            aggregation_temporality=CUMULATIVE,
        ),
        otlp.metric(
            "s",
            "summary",
            *({**p, "count": huge, "quantile_values": [{"quantile": math.nan, "value": math.inf}]} for p in points),
        ),
        otlp.metric("empty", "gauge"),
    ]
    request = ExportMetricsServiceRequest()
    request.resource_metrics.add().scope_metrics.add().metrics.add(name="no data")
    broken = otlp.metric("BROKEN", "gauge", points[0]).replace(b"BROKEN", b"\xff\xfe\xc0\x80\x00'")
    store(database, *bodies, request.SerializeToString(), broken, b"", signal="metrics")
    assert scalar(database, "SELECT count() FROM metric_points") == 3 * 3 + 1
    assert scalar(database, "SELECT count() FROM metric_exponential_histograms") == 15
    for name in metric_names(database, now=datetime.now(UTC)):
        query = MetricQuery(name, START, END, 60)
        assert all(step.at >= START for series in metric_series(database, query).series for step in series.steps)


def test_a_time_that_cannot_be_believed_is_kept_beside_the_arrival(database, store, otlp):
    wrong = otlp.ago_ns(days=400)
    store(database, otlp.metric("g", "gauge", otlp.point(wrong, as_double=1.0)), signal="metrics")
    assert scalar(database, "SELECT original_ns FROM metric_points") == wrong
    assert scalar(database, "SELECT ts > now() - 60 FROM metric_points")


def test_the_exporters_names_show_the_same_points(stored, rising, otlp):
    histogram = otlp.metric(
        "latency", "histogram", explicit(otlp, 60, [1, 2, 3, 4]), unit="s", aggregation_temporality=CUMULATIVE
    )
    database = stored(rising((60, 9), attributes={"code": 200}), histogram)
    columns = "ServiceName, MetricName, Attributes['code'], Value, AggregationTemporality, IsMonotonic"
    with database.client() as client:
        assert client.query(f"SELECT {columns} FROM otel_metrics_sum").result_rows == [
            ("shop", "requests", "200", 9.0, 2, True)
        ]
        columns = "Count, BucketCounts, ExplicitBounds, ResourceAttributes['service.name']"
        assert client.query(f"SELECT {columns} FROM otel_metrics_histogram").result_rows == [
            (10, [1, 2, 3, 4], BOUNDS, "shop")
        ]


def test_rates_and_quantiles_are_those_of_prometheus(tmp_path, stored, rising, otlp):
    """The same samples, one of them after a reset, on a grid that leaves Prometheus nothing to extrapolate."""
    promtool = shutil.which("promtool")
    assert promtool, "install the package prometheus"
    values = [100, 130, 190, 200, 260, 40, 70, 90, 95, 200, 260]
    counts = [[10 * n, 25 * n, 3 * n, n] for n in range(11)]
    buckets = [explicit(otlp, 15 * n, item) for n, item in enumerate(counts)]
    database = stored(
        rising(*((15 * n, value) for n, value in enumerate(values))),
        otlp.metric("latency", "histogram", *buckets, unit="s", aggregation_temporality=CUMULATIVE),
    )
    (tmp_path / "rules.test").write_text(_promtool_test(values, counts, database), "utf-8")
    done = subprocess.run(
        [promtool, "test", "rules", "rules.test"], check=False, cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _promtool_test(values, counts, database):
    """Return a promtool unit test that expects of Prometheus what we answer for the first two minutes."""
    rates = steps(ask(database, "requests", minutes=2))
    quantiles = steps(ask(database, "latency", minutes=2))
    series = [{"series": "requests_total", "values": " ".join(map(str, values))}]
    for place, bound in enumerate([*BOUNDS, "+Inf"]):
        found = " ".join(str(sum(item[: place + 1])) for item in counts)
        series.append({"series": f'latency_bucket{{le="{bound}"}}', "values": found})
    wanted = []
    for minute in (0, 1):
        asked = {
            "rate(requests_total[1m])": rates[minute].value,
            "increase(requests_total[1m])": rates[minute].increase,
            **{
                f"histogram_quantile({level}, rate(latency_bucket[1m]))": value
                for level, value in quantiles[minute].quantiles.items()
            },
        }
        for text, value in asked.items():
            expected = [{"labels": "{}", "value": round(value, 6)}]
            wanted.append({"expr": f"round({text}, 0.000001)", "eval_time": f"{minute + 1}m", "exp_samples": expected})
    test = {"interval": "15s", "input_series": series, "promql_expr_test": wanted}
    return json.dumps({"evaluation_interval": "15s", "tests": [test]})
