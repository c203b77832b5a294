"""What becomes of odd values that are accepted, by the number of their case: sent over HTTP, read from the database."""

import math
import os
from datetime import timedelta

import pytest

from api.trace_tree import trace_of
from storage import traces
from storage.cardinality import limit_operations
from tests.integration.otlp_bodies import OTLP
from tests.integration.otlp_metric_cases import ended_series, odd_points, type_flips
from tests.integration.otlp_stack import Outcome
from tests.integration.otlp_trace_cases import ODD_CODES, TRACE_STATES, odd_codes, odd_sampling
from tests.integration.otlp_value_cases import ODD_TIMES_NS, SQL, service_bodies, sql_text

pytestmark = pytest.mark.slow

HOUR = timedelta(hours=1)
VIEWS = ("otel_traces", "otel_logs", "otel_metrics_gauge", "otel_metrics_sum", "otel_metrics_histogram")
VIEWS += ("otel_metrics_exponential_histogram", "otel_metrics_summary")


@pytest.fixture(scope="module")
def kept(conforming):
    """Send what the tests below look for, once, and wait until it is stored. Returns the trace ids by name."""
    ids = {}

    def send(name, *spans, **identity):
        ids[name] = os.urandom(16)
        for span in spans:
            span.trace_id = ids[name]
        assert conforming.over_http("traces", OTLP.traces(*spans, **identity)).status == 200

    a, b, c = (os.urandom(8) for _ in range(3))
    send("cycle", OTLP.span(span_id=a, parent=c), OTLP.span(span_id=b, parent=a), OTLP.span(span_id=c, parent=b))
    send("itself", OTLP.span(span_id=a, parent=a), OTLP.span(span_id=b, parent=a))
    send("twins", OTLP.span("first", span_id=a), OTLP.span("second", span_id=a))
    for name, moment in ODD_TIMES_NS.items():
        send(f"start {name}", OTLP.span(start_ns=moment), service="odd-times")
    send("end before start", OTLP.span(end_time_unix_nano=1), service="odd-times")
    send("crowded", OTLP.span(attributes={f"k{number}": number for number in range(5000)} | {"long": "x" * 10**6}))
    send("long", OTLP.span("ö" * 10**6, attributes={"k" * 65536: 1}))
    twice = OTLP.span()
    twice.attributes.extend([*OTLP.pairs({"k": "first"}), *OTLP.pairs({"other": 1}), *OTLP.pairs({"k": "last"})])
    send("twice", twice)
    for number, value in enumerate(("", 7, ["a"], None, "ö" * 10_000)):
        for signal, body in service_bodies(value, f"odd{number}").items():
            assert conforming.over_http(signal, body).status == 200
    for make in (type_flips, ended_series, odd_sampling, odd_codes, odd_points, sql_text):
        for case in make():
            assert conforming.over_http(case.signal, case.body).status == case.status, case.name
    conforming.settle()
    return {name: trace_id.hex() for name, trace_id in ids.items()}


def spans_of(conforming, kept, name):
    return traces.read_trace(conforming.database, kept[name]).spans


def test_13_a_trace_with_cycles_is_shown_whole(conforming, kept):
    for name, count in (("cycle", 3), ("itself", 2), ("twins", 1)):
        shown = trace_of(kept[name], spans_of(conforming, kept, name))
        assert len(shown.spans) == count, name
        assert len({span.span_id for span in shown.spans}) == count


def test_15_a_start_that_cannot_be_believed_is_kept_aside_and_counts_nowhere(conforming, kept):
    for name, moment in ODD_TIMES_NS.items():
        (span,) = spans_of(conforming, kept, f"start {name}")
        assert (span.quarantined, span.original_start_ns) == (True, moment), name
    (span,) = spans_of(conforming, kept, "end before start")
    assert (span.quarantined, span.duration_ns, span.original_end_ns) == (False, 0, 1)
    (found,) = conforming.rows("SELECT sum(requests) AS n FROM red_1m WHERE service = 'odd-times'")
    assert found["n"] == 1, "only the one that began at a real time"


def test_17_what_is_beyond_128_attributes_counts_as_dropped(conforming, kept):
    (span,) = spans_of(conforming, kept, "crowded")
    assert (len(span.attributes), span.dropped_attributes) == (128, 5001 - 128)


def test_11_long_names_and_keys_are_cut_between_characters(conforming, kept):
    (span,) = spans_of(conforming, kept, "long")
    assert span.name == "ö" * 512
    assert list(span.attributes) == ["k" * 255]


def test_18_the_last_of_equal_keys_wins(conforming, kept):
    (span,) = spans_of(conforming, kept, "twice")
    assert span.attributes == {"k": "last", "other": 1}


@pytest.mark.parametrize("table", ["spans", "metric_series", "logs"])
def test_19_a_service_without_a_name_that_can_be_used_is_unknown(conforming, kept, table):
    sql = f"SELECT DISTINCT toString(service) AS s FROM {table} WHERE environment IN ('odd0', 'odd1', 'odd2', 'odd3')"
    assert conforming.rows(sql) == [{"s": "unknown_service"}]
    (found,) = conforming.rows(f"SELECT toString(service) AS s FROM {table} WHERE environment = 'odd4'")
    assert found["s"] == "ö" * 255


def test_20_a_flood_of_routes_becomes_one_row_of_the_rollup(conforming):
    """The client is not warned: it is the evaluator that finds the flood, a few seconds after it began."""
    spans = [OTLP.span(f"GET /{n}", attributes={"http.route": f"/{n}"}) for n in range(3000)]
    assert conforming.over_both("traces", OTLP.traces(*spans[:1000], service="leaky")) == Outcome(200)
    conforming.settle()
    now = conforming.rows("SELECT now('UTC') AS now")[0]["now"]
    assert limit_operations(conforming.database, limit=100, now=now) == ["leaky"]
    assert conforming.over_both("traces", OTLP.traces(*spans[1000:], service="leaky")) == Outcome(200)
    conforming.settle()
    columns = "sum(requests) AS all, sumIf(requests, http_route = '__other__') AS folded"
    sql = f"SELECT {columns} FROM red_1m WHERE service = 'leaky'"
    assert conforming.rows(sql) == [{"all": 3000, "folded": 2000}]


def test_33_a_batch_that_is_sent_again_is_stored_and_counted_once(conforming):
    body = OTLP.traces(OTLP.span(), OTLP.span(), service="again")
    for _ in range(3):
        assert conforming.over_both("traces", body) == Outcome(200)
        conforming.settle()  # so that the retry comes when the first one is stored already, too
    assert conforming.over_both("traces", body) == Outcome(200)
    conforming.settle()
    for sql, wanted in (
        ("SELECT count() AS n FROM spans WHERE service = 'again'", 2),
        ("SELECT sum(requests) AS n FROM red_1m WHERE service = 'again'", 2),
    ):
        assert conforming.rows(sql) == [{"n": wanted}]


def test_34_late_and_early_spans_keep_their_time_and_their_minutes_are_counted_again(conforming):
    shifts = [timedelta(hours=-24), timedelta(hours=-1), timedelta(minutes=59), timedelta(0), timedelta(hours=-24)]
    starts = [OTLP.ago_ns(minutes=1) + shift // timedelta(microseconds=1) * 1000 for shift in shifts]
    for start in starts:
        assert conforming.over_http("traces", OTLP.traces(OTLP.span(start_ns=start), service="late")) == Outcome(200)
    conforming.settle()
    sql = "SELECT toUnixTimestamp64Nano(ts) AS ns FROM spans WHERE service = 'late' AND NOT quarantined ORDER BY ns"
    assert [row["ns"] for row in conforming.rows(sql)] == sorted(starts)
    sql = "SELECT DISTINCT toUnixTimestamp(minute) AS s FROM arrivals WHERE service = 'late' ORDER BY s"
    assert [row["s"] for row in conforming.rows(sql)] == sorted({ns // 60_000_000_000 * 60 for ns in starts})


def test_35_odd_numbers_come_back_as_they_are(conforming, kept):
    sql = (
        "SELECT DISTINCT value FROM metric_points WHERE metric = 'some.metric' AND (isInfinite(value) OR isNaN(value))"
    )
    values = [row["value"] for row in conforming.rows(sql)]
    assert {math.inf, -math.inf} <= set(values)
    assert any(math.isnan(value) for value in values)
    sql = "SELECT exact_int FROM metric_points WHERE exact_int IN (9223372036854775807, -9223372036854775808)"
    assert {row["exact_int"] for row in conforming.rows(sql)} == {2**63 - 1, -(2**63)}


def test_36_another_type_unit_or_direction_is_another_series(conforming, kept):
    sql = "SELECT series_id, count() AS n FROM metric_points WHERE metric = 'flip' GROUP BY series_id"
    assert [row["n"] for row in conforming.rows(sql)] == [1] * 5


def test_37_a_point_without_a_recorded_value_ends_its_series_and_brings_no_value(conforming, kept):
    found = conforming.rows("SELECT value, flags FROM metric_points WHERE startsWith(metric, 'ended.')")
    assert len(found) == 3
    assert all(math.isnan(row["value"]) and row["flags"] == 1 for row in found)
    for table in ("metric_histograms", "metric_exponential_histograms", "metric_summaries"):
        assert conforming.rows(f"SELECT flags FROM {table} WHERE startsWith(metric, 'ended.')") == [{"flags": 1}], table


def test_39_no_span_stands_for_more_than_a_million_others(conforming, kept):
    found = conforming.rows(
        "SELECT max(weight) AS most, min(weight) AS least, count() AS n FROM spans WHERE service = 'sampled'"
    )
    assert (found[0]["least"], found[0]["n"]) == (1, len(TRACE_STATES))
    assert found[0]["most"] <= 10**6


def test_40_a_code_that_is_none_makes_no_error_and_no_status(conforming, kept):
    sql = (
        "SELECT countIf(error) AS errors, max(http_status) AS most, count() AS n FROM spans WHERE service = 'odd-codes'"
    )
    assert conforming.rows(sql) == [{"errors": 0, "most": 0, "n": len(ODD_CODES)}]


def test_45_text_that_looks_like_a_statement_is_stored_as_it_is(conforming, kept):
    for columns, table, where in (
        ("toString(name) AS name, toString(service) AS s, status_message AS m", "spans", "version = name"),
        ("toString(metric) AS name, toString(unit) AS s, toString(service) AS m", "metric_series", "unit = metric"),
        ("body_text AS name, toString(service) AS s, toString(severity_text) AS m", "logs", "body_text = service"),
    ):
        sql = f"SELECT {columns} FROM {table} WHERE {where}"
        found = conforming.rows(sql)
        assert {row["name"] for row in found} == set(SQL)
        assert all(row["name"] == row["s"] == row["m"] for row in found)


def test_every_view_for_readers_shows_everything_that_was_accepted(conforming, kept):
    """The views in the OpenTelemetry Collector's form are read whole: no stored value may make one of them raise."""
    for view in VIEWS:
        (shown,) = conforming.rows(
            f"SELECT count() AS n, count(hash) AS m FROM (SELECT cityHash64(*) AS hash FROM {view})"
        )
        assert shown["n"] > 0, view
    (spans,) = conforming.rows("SELECT count() AS n FROM otel_traces")
    assert spans["n"] == conforming.rows("SELECT count() AS n FROM spans")[0]["n"]
    conforming.check_books()
