"""The OTLP specification by number, 28 to 43: the JSON encoding, and the data models of traces, metrics and logs.

Every request goes over a socket and is read back from the database. Sources: opentelemetry-proto
docs/specification.md#json-protobuf-encoding, trace.proto, metrics.proto, opentelemetry-specification
metrics/data-model.md.
"""

import base64
import math
import os
import time

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from collector.otlp_json.wire import tag, varint
from storage import traces
from tests.integration.otlp_bodies import (
    OTLP,
    exponential,
    histogram,
    json_logs,
    json_point,
    json_points,
    json_span,
    json_traces,
    log_record,
    logs_request,
    metrics_body,
    number_point,
    summary,
)
from tests.integration.otlp_stack import Outcome
from tests.integration.otlp_wire import field

STORED = Outcome(200)
HEX = "ABCDEFabcdef00112233445566778899"


@pytest.fixture(autouse=True)
def _goes_on(conforming):
    yield
    conforming.goes_on()


@pytest.fixture
def stored_span(conforming):
    """Send spans of one trace and return them as the API reads them."""

    def send(*spans, as_json=False, outcome=STORED, **identity):
        trace_id = os.urandom(16)
        if as_json:
            body = json_traces(*({"traceId": trace_id.hex()} | span for span in spans))
        else:
            for span in spans:
                span.trace_id = trace_id
            body = OTLP.traces(*spans, **identity)
        found = conforming.over_http("traces", body, as_json=as_json)
        assert (found.status, found.rejected) == (outcome.status, outcome.rejected), found.message
        conforming.settle()
        return traces.read_trace(conforming.database, trace_id.hex()).spans

    return send


def json_only(**fields):
    """Return a JSON span without a trace id, which `stored_span` brings."""
    return json_span(traceId=..., **fields)


def points(conforming, name, columns, table="metric_points"):
    conforming.settle()
    return conforming.rows(f"SELECT {columns} FROM {table} WHERE metric = '{name}' ORDER BY ts")


def accepts(conforming, body, signal="metrics", **options):
    assert conforming.over_http(signal, body, **options) == Outcome(200)


def rejects(conforming, point, kind, **options):
    """A valid point goes with it, so that the answer is a partial success of exactly one."""
    good = {"histogram": histogram, "exponential_histogram": exponential, "summary": summary}.get(kind, number_point)
    found = conforming.over_both("metrics", metrics_body(good(), point, kind=kind, **options))
    assert (found.status, found.rejected) == (200, 1), found
    assert found.message


def test_28_ids_are_hex_in_any_case_wherever_they_stand_and_other_bytes_are_base64(conforming, stored_span):
    link = {"traceId": HEX, "spanId": HEX[:16]}
    attribute = {"key": "raw", "value": {"bytesValue": base64.b64encode(b"\x00\xff\x10").decode()}}
    sent = json_only(spanId="ABCDEF0123456789", parentSpanId="FFFFFFFFFFFFFFF0", links=[link], attributes=[attribute])
    (span,) = stored_span(sent, as_json=True)
    assert (span.span_id, span.parent_span_id) == ("abcdef0123456789", "fffffffffffffff0")
    assert (span.links[0].trace_id, span.links[0].span_id) == (HEX.lower(), HEX[:16].lower())
    assert (span.attributes, span.attribute_types) == ({"raw": "AP8Q"}, {"raw": "bytes"})
    name = f"hex.{time.time_ns()}"
    accepts(conforming, json_logs({"traceId": HEX, "spanId": HEX[:16], "severityText": name}), "logs", as_json=True)
    exemplar = {"traceId": HEX, "spanId": HEX[:16], "asDouble": 1, "timeUnixNano": str(OTLP.ago_ns(seconds=9))}
    body = json_points(json_point(exemplars=[exemplar])).replace(b"json.metric", name.encode())
    accepts(conforming, body, as_json=True)
    conforming.settle()
    ids = "lower(hex(trace_id)) AS t, lower(hex(span_id)) AS s"
    wanted = [{"t": HEX.lower(), "s": HEX[:16].lower()}]
    assert conforming.rows(f"SELECT {ids} FROM logs WHERE severity_text = '{name}'") == wanted
    assert conforming.rows(f"SELECT {ids} FROM exemplars WHERE metric = '{name}'") == wanted


def test_29_enums_are_integers_and_names_are_tolerated(stored_span):
    named = json_only(kind="SPAN_KIND_CLIENT", status={"code": "STATUS_CODE_ERROR"}, startTimeUnixNano="2")
    found = stored_span(json_only(kind=3, status={"code": 2}), named, as_json=True)
    assert [(span.kind, span.status) for span in found] == [("client", "error")] * 2


def test_30_unknown_fields_are_ignored_in_both_encodings(conforming, stored_span):
    (span,) = stored_span(json_only(name="known", later={"x": [1]}, Name="other", traceid="x"), as_json=True)
    assert span.name == "known"
    span = OTLP.span("known")
    later = tag(900, 2) + varint(3) + b"abc" + tag(901, 0) + varint(5)
    body = field(1, field(2, field(2, span.SerializeToString() + later) + later) + later) + later
    accepts(conforming, body, "traces")
    conforming.settle()
    assert [found.name for found in traces.read_trace(conforming.database, span.trace_id.hex()).spans] == ["known"]


def test_31_integers_of_64_bits_come_as_strings_or_numbers_and_null_is_the_default(stored_span):
    now = OTLP.ago_ns(seconds=30)
    values = {"a": {"intValue": "-9223372036854775808"}, "b": {"intValue": 9223372036854775807}}
    values |= {name: {"doubleValue": name} for name in ("NaN", "Infinity", "-Infinity")}
    attributes = [{"key": key, "value": value} for key, value in values.items()]
    sent = json_only(
        startTimeUnixNano=now, endTimeUnixNano=str(now + 7), attributes=attributes, status=None, droppedLinksCount=None
    )
    (span,) = stored_span(sent, as_json=True)
    assert (span.start_ns, span.duration_ns, span.status) == (now, 7, "unset")
    assert [span.attributes[key] for key in values] == [-(2**63), 2**63 - 1, "nan", "inf", "-inf"]


NO_NANOS = ["-1", -1, str(2**64), 1.5, "1e3", " 5", "0x5", True, []]


def test_31_what_is_no_unsigned_integer_costs_that_span(stored_span):
    bad = [json_only(startTimeUnixNano=nanos) for nanos in NO_NANOS]
    found = stored_span(*bad, json_only(name="good"), as_json=True, outcome=Outcome(200, len(bad)))
    assert [span.name for span in found] == ["good"]


def test_32_what_tells_protobufs_own_json_apart_is_not_there(conforming, stored_span):
    """google.protobuf.json_format reads ids as base64 and refuses unknown keys; other readers refuse unknown enums."""
    as_base64 = base64.b64encode(os.urandom(16)).decode()
    body = json_traces(json_span(), json_span(traceId=as_base64))
    assert conforming.over_http("traces", body, as_json=True).rejected == 1
    (span,) = stored_span(json_only(kind=99, status={"code": 9}, unknown={}, spanId="0123456789abcdef"), as_json=True)
    assert (span.span_id, span.kind, span.status) == ("0123456789abcdef", "unspecified", "unset")


def test_33_a_span_without_valid_ids_is_rejected_alone_and_a_root_has_no_parent(conforming, stored_span):
    bad = [OTLP.span(span_id=value) for value in (b"", b"x" * 7, b"x" * 9, bytes(8))]
    found = stored_span(OTLP.span("root"), *bad, OTLP.span("last"), outcome=Outcome(200, 4))
    assert {(span.name, span.parent_span_id) for span in found} == {("root", ""), ("last", "")}
    for trace_id in (b"", b"x" * 15, b"x" * 17, bytes(16)):
        assert conforming.over_both("traces", OTLP.traces(OTLP.span(), OTLP.span(trace_id=trace_id))).rejected == 1


def test_34_unknown_kinds_codes_and_flags_are_tolerated_and_an_end_before_the_start_is_clamped(stored_span):
    span = OTLP.span(flags=0xFFFFFFFF, kind=0, end_time_unix_nano=1)
    span.MergeFromString(tag(6, 0) + varint(99) + field(15, tag(3, 0) + varint(99)))
    (found,) = stored_span(span)
    assert (found.kind, found.status, found.flags, found.duration_ns) == ("unspecified", "unset", 0xFFFFFFFF, 0)


def test_35_a_span_counts_whatever_its_flags_say_of_sampling(conforming, stored_span):
    """Python's SDK leaves the sampled bit unset."""
    flags = [0, 0x100, 0x300, 0x301]
    found = stored_span(*(OTLP.span(flags=value) for value in flags), service="flags")
    assert sorted(span.flags for span in found) == flags
    assert conforming.rows("SELECT sum(requests) AS n FROM red_1m WHERE service = 'flags'") == [{"n": len(flags)}]


def test_36_every_kind_of_attribute_and_everything_around_a_span_comes_back(stored_span):
    values = {
        "s": "x",
        "i": 7,
        "d": 1.5,
        "b": True,
        "l": ["x", 1, [2]],
        "m": {"k": {"n": None}},
        "e": None,
        "empty": "",
    }
    event = Span.Event(time_unix_nano=5, name="e", attributes=OTLP.pairs(values), dropped_attributes_count=4)
    link = Span.Link(trace_id=b"t" * 16, span_id=b"s" * 8, trace_state="a=b", flags=3, attributes=OTLP.pairs(values))
    sent = OTLP.span(
        attributes=values,
        events=[event],
        links=[link],
        trace_state="v=1",
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
    )
    (span,) = stored_span(sent, resource={"host": "h", "cores": [1, 2]})
    assert span.attributes == span.events[0].attributes == span.links[0].attributes == values
    assert (span.dropped_attributes, span.dropped_events, span.dropped_links) == (1, 2, 3)
    assert (span.trace_state, span.links[0].trace_state, span.events[0].dropped_attributes) == ("v=1", "a=b", 4)
    assert (span.origin.resource["cores"], span.origin.scope) == ([1, 2], "test")


def test_36_of_equal_keys_the_last_one_is_shown(stored_span):
    sent = OTLP.span()
    sent.attributes.extend([*OTLP.pairs({"k": 1}), *OTLP.pairs({"k": 2})])
    (span,) = stored_span(sent)
    assert span.attributes == {"k": 2}


def test_37_points_without_a_time_a_value_or_a_temporality_are_rejected_alone(conforming):
    for kind in ("gauge", "sum"):
        rejects(conforming, number_point(time_unix_nano=0), kind)
        rejects(conforming, number_point(None), kind)
    unspecified = metrics_body(number_point(), kind="sum", temporality=0)
    assert conforming.over_both("metrics", unspecified).status == 400
    mixed = conforming.over_both("metrics", unspecified + metrics_body(number_point()))
    assert (mixed.status, mixed.rejected) == (200, 1)
    accepts(conforming, field(1, field(2, field(2, field(1, b"no data")))))


def test_38_histograms_that_contradict_themselves_are_rejected_alone_and_others_kept_exactly(conforming):
    for point in (
        histogram(bucket_counts=[3]),
        histogram(explicit_bounds=[]),
        histogram(count=4),
        histogram(bucket_counts=[1, 1, 1], explicit_bounds=[2, 2]),
    ):
        rejects(conforming, point, "histogram")
    rejects(conforming, exponential(count=4), "exponential_histogram")
    name = f"histogram.{time.time_ns()}"
    point = histogram(sum=3.5, min=0.5, max=2.0, exemplars=[{"as_double": 0.5}])
    accepts(conforming, metrics_body(point, kind="histogram", name=name))
    accepts(
        conforming, metrics_body(histogram(bucket_counts=[], explicit_bounds=[]), kind="histogram", name=name + "n")
    )
    (found,) = points(conforming, name, "count, sum, min, max, bounds, counts", "metric_histograms")
    assert found == {"count": 3, "sum": 3.5, "min": 0.5, "max": 2.0, "bounds": [1.0], "counts": [1, 2]}
    (found,) = points(conforming, name + "n", "sum, min, counts", "metric_histograms")
    assert found == {"sum": None, "min": None, "counts": []}
    point = exponential(scale=-3, offset=-7, zero_count=1, count=6, negative={"offset": 2, "bucket_counts": [2]})
    accepts(conforming, metrics_body(point, kind="exponential_histogram", name=name))
    columns = "scale, zero_count, positive_offset, positive_counts, negative_offset, negative_counts"
    (found,) = points(conforming, name, columns, "metric_exponential_histograms")
    assert list(found.values()) == [-3, 1, -7, [1, 2], 2, [2]]


def test_39_a_point_without_a_recorded_value_ends_its_series(conforming):
    name, series = f"ended.{time.time_ns()}", OTLP.pairs({"id": "1"})
    for seconds, more in ((30, {}), (20, {"flags": 1})):
        point = number_point(5.0, time_unix_nano=OTLP.ago_ns(seconds=seconds), **({"attributes": series} | more))
        accepts(conforming, metrics_body(point, name=name))
    first, last = points(conforming, name, "value, flags, series_id")
    assert (first["value"], math.isnan(last["value"]), last["flags"]) == (5.0, True, 1)
    assert first["series_id"] == last["series_id"]


def test_40_a_series_is_its_resource_scope_name_unit_type_and_attributes_in_any_order(conforming):
    name = f"identity.{time.time_ns()}"
    one, other = OTLP.pairs({"a": 1, "b": "2"}), OTLP.pairs({"b": "2", "a": 1})
    for attributes in (one, other):
        accepts(conforming, metrics_body(number_point(time_unix_nano=time.time_ns(), attributes=attributes), name=name))
    assert len({row["series_id"] for row in points(conforming, name, "series_id")}) == 1
    for change in ({"unit": "ms"}, {"kind": "sum"}, {"kind": "sum", "temporality": 1}, {"service": "other"}):
        accepts(conforming, metrics_body(number_point(attributes=one), **({"name": name} | change)))
    typed = OTLP.pairs({"a": "1", "b": "2"})
    accepts(conforming, metrics_body(number_point(attributes=typed), name=name))
    assert len({row["series_id"] for row in points(conforming, name, "series_id")}) == 6


def test_41_starts_and_times_are_kept_so_that_a_reset_can_be_told(conforming):
    """What counts as a reset is decided where the points are read: here nothing of what tells it may be lost."""
    name, start = f"counter.{time.time_ns()}", OTLP.ago_ns(minutes=5)
    series = {"attributes": OTLP.pairs({"id": "1"})}
    sent = [(start, start + 10**9, 5), (start, start + 2 * 10**9, 9), (start + 3 * 10**9, start + 4 * 10**9, 2)]
    for begun, at, value in sent:
        point = number_point(value, start_time_unix_nano=begun, time_unix_nano=at, **series)
        accepts(conforming, metrics_body(point, kind="sum", name=name))
    columns = "toUnixTimestamp64Nano(start_ts) AS s, toUnixTimestamp64Nano(ts) AS t, value AS v"
    assert [tuple(row.values()) for row in points(conforming, name, columns)] == sent
    rejects(conforming, number_point(start_time_unix_nano=start + 1, time_unix_nano=start), "sum")
    late = number_point(7, time_unix_nano=start + 10**9, start_time_unix_nano=0, **series)
    accepts(conforming, metrics_body(late, kind="sum", name=name + ".unset"))
    assert points(conforming, name + ".unset", "toUnixTimestamp(start_ts) AS s") == [{"s": 0}]


def test_42_falling_sums_summaries_and_exemplars_are_kept_with_their_traces(conforming):
    name, now = f"kept.{time.time_ns()}", OTLP.ago_ns(seconds=20)
    exemplar = {"as_double": 7.5, "time_unix_nano": now, "trace_id": b"t" * 16, "span_id": b"s" * 8}
    accepts(conforming, metrics_body(number_point(3.0, exemplars=[exemplar]), kind="sum", monotonic=False, name=name))
    assert points(conforming, name, "value") == [{"value": 3.0}]
    (series,) = conforming.rows(f"SELECT monotonic, toString(type) AS type FROM metric_series WHERE metric = '{name}'")
    assert series == {"monotonic": False, "type": "sum"}
    (found,) = conforming.rows(f"SELECT value, hex(trace_id) AS t FROM exemplars WHERE metric = '{name}'")
    assert found == {"value": 7.5, "t": (b"t" * 16).hex()}
    quantile = [{"quantile": 0.99, "value": 8.5}]
    accepts(conforming, metrics_body(summary(quantile_values=quantile), kind="summary", name=name))
    (found,) = points(conforming, name, "count, sum, quantiles, quantile_values", "metric_summaries")
    assert list(found.values()) == [3, 4.0, [0.99], [8.5]]


def test_43_a_service_without_a_name_is_unknown_service_and_both_names_of_the_environment_are_read(conforming):
    for service in ("", None):
        resource = {} if service is None else {"service.name": service}
        body = OTLP.traces(
            OTLP.span(), service="", environment="", resource=resource | {"deployment.environment": "e43"}
        )
        accepts(conforming, body, "traces")
    accepts(
        conforming, OTLP.traces(OTLP.span(), environment="e43", resource={"deployment.environment": "old"}), "traces"
    )
    record = logs_request(log_record())
    record.resource_logs[0].resource.attributes.extend(OTLP.pairs({"deployment.environment": "e43"}))
    accepts(conforming, record.SerializeToString(), "logs")
    conforming.settle()
    sql = "SELECT toString(service) AS s, count() AS n FROM spans WHERE environment = 'e43' GROUP BY s ORDER BY s"
    assert conforming.rows(sql) == [{"s": "shop", "n": 1}, {"s": "unknown_service", "n": 2}]
    assert conforming.rows("SELECT count() AS n FROM logs WHERE environment = 'e43'") == [{"n": 1}]
