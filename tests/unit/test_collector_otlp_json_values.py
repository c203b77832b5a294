"""How OTLP/JSON writes ids, enums, numbers, texts, attributes and nothing: the rules, one by one."""

import math
import struct

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

from collector.otlp_json import attributes as json_attributes
from collector.otlp_json.attributes import CACHED_KEYS
from collector.otlp_json.encode import Encoded, encode
from tests.unit.otlp_json_requests import (
    NANOS,
    SPAN_ID,
    TRACE_ID,
    attribute,
    body_of,
    logs,
    metrics,
    read_points,
    read_span,
    read_spans,
    read_value,
    span,
    traces,
)


@pytest.mark.parametrize("trace_id", [TRACE_ID, TRACE_ID.upper(), "5B8EFFf798038103d269b633813fc60c"])
def test_ids_are_hexadecimal_in_any_case(trace_id):
    read = read_span(
        traceId=trace_id, parentSpanId="EEE19B7EC3C1B174", links=[{"traceId": trace_id, "spanId": SPAN_ID}]
    )
    assert read.trace_id == read.links[0].trace_id == bytes.fromhex(TRACE_ID)
    assert read.parent_span_id == read.links[0].span_id == bytes.fromhex(SPAN_ID)


def test_ids_of_logs_and_exemplars_are_hexadecimal_too():
    data = encode("logs", logs({"traceId": TRACE_ID, "spanId": SPAN_ID})).data
    record = ExportLogsServiceRequest.FromString(data).resource_logs[0].scope_logs[0].log_records[0]
    exemplar = read_points({"asInt": 1, "exemplars": [{"traceId": TRACE_ID, "spanId": SPAN_ID}]})[0].exemplars[0]
    for read in (record, exemplar):
        assert (read.trace_id.hex(), read.span_id.hex()) == (TRACE_ID, SPAN_ID)


@pytest.mark.parametrize("empty", ["", None])
def test_an_empty_parent_span_id_is_a_root(empty):
    assert read_span(parentSpanId=empty).parent_span_id == b""


@pytest.mark.parametrize("text", ["+/8=", "-_8=", "-_8", "+/8"])
def test_bytes_values_are_base64_in_both_alphabets_padded_or_not(text):
    assert read_value({"bytesValue": text}).bytes_value == b"\xfb\xff"


@pytest.mark.parametrize(("kind", "number"), [(2, 2), ("SPAN_KIND_SERVER", 2), (99, 99), (-1, -1), (0, 0), (None, 0)])
def test_enums_are_integers_known_or_not_and_names_are_tolerated(kind, number):
    assert read_span(kind=kind).kind == number


def test_names_are_tolerated_for_every_enum():
    assert read_span(status={"code": "STATUS_CODE_ERROR"}).status.code == 2
    data = encode("logs", logs({"severityNumber": "SEVERITY_NUMBER_WARN"})).data
    assert ExportLogsServiceRequest.FromString(data).resource_logs[0].scope_logs[0].log_records[0].severity_number == 13
    total = {
        "name": "n",
        "sum": {"aggregationTemporality": "AGGREGATION_TEMPORALITY_DELTA", "dataPoints": [{"asInt": 1}]},
    }
    data = encode("metrics", metrics(total)).data
    metric = ExportMetricsServiceRequest.FromString(data).resource_metrics[0].scope_metrics[0].metrics[0]
    assert metric.sum.aggregation_temporality == 1


def test_unknown_keys_are_ignored_at_every_level():
    plain, junk = (
        traces(span(links=[{}], status={})),
        {"__proto__": {"x": [1]}, "constructor": 1, "toString": None, "": []},
    )
    request = orjson.loads(plain)
    for level in (request, request["resourceSpans"][0], request["resourceSpans"][0]["scopeSpans"][0]):
        level.update(junk)
    item = request["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    for level in (item, item["links"][0], item["status"]):
        level.update(junk)
    assert encode("traces", body_of(request)) == encode("traces", plain)


def test_unknown_keys_of_attributes_are_ignored():
    junk = {"x": {"stringValue": 1}, "__proto__": None}
    item = {"key": "k", "value": {"intValue": 1, **junk}, **junk}
    assert read_spans(traces(span(attributes=[item]))) == read_spans(traces(attribute({"intValue": 1})))


def test_field_names_in_snake_case_are_read_like_the_keys():
    snake = {"trace_id": TRACE_ID, "span_id": SPAN_ID, "name": "GET", "start_time_unix_nano": str(NANOS)}
    snake["attributes"] = [
        {"key": "k", "value": {"string_value": "v"}},
        {"key": "l", "value": {"array_value": {"values": []}}},
    ]
    camel = span(startTimeUnixNano=NANOS, attributes=[{"key": "k", "value": {"stringValue": "v"}}])
    camel["attributes"].append({"key": "l", "value": {"arrayValue": {"values": []}}})
    body = body_of({"resource_spans": [{"scope_spans": [{"spans": [snake]}]}]})
    assert read_spans(body) == read_spans(traces(camel))


INT64 = [0, 1, -1, 127, 128, 16383, 16384, 2**31, 2**53 + 1, 2**63 - 1, -(2**63)]


@pytest.mark.parametrize("number", INT64)
@pytest.mark.parametrize("form", [int, str])
def test_signed_64_bit_integers_are_exact_as_numbers_and_as_strings(number, form):
    assert read_value({"intValue": form(number)}).int_value == number
    assert read_points({"asInt": form(number)})[0].as_int == number


@pytest.mark.parametrize("number", [0, 1, 2**53 + 1, 2**63, 2**64 - 1])
@pytest.mark.parametrize("form", [int, str])
def test_unsigned_64_bit_integers_are_exact_as_numbers_and_as_strings(number, form):
    assert read_span(startTimeUnixNano=form(number)).start_time_unix_nano == number
    point = {"count": form(number), "bucketCounts": [form(number), 0], "explicitBounds": [1]}
    data = encode("metrics", metrics({"name": "h", "histogram": {"dataPoints": [point]}})).data
    read = ExportMetricsServiceRequest.FromString(data).resource_metrics[0].scope_metrics[0].metrics[0].histogram
    assert (read.data_points[0].count, list(read.data_points[0].bucket_counts)) == (number, [number, 0])
    buckets = {"positive": {"offset": -3, "bucketCounts": [form(number)]}, "scale": -10}
    data = encode("metrics", metrics({"name": "h", "exponentialHistogram": {"dataPoints": [buckets]}})).data
    metric = ExportMetricsServiceRequest.FromString(data).resource_metrics[0].scope_metrics[0].metrics[0]
    read_buckets = metric.exponential_histogram.data_points[0]
    assert list(read_buckets.positive.bucket_counts) == [number]
    assert (read_buckets.positive.offset, read_buckets.scale) == (-3, -10)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("NaN", math.nan), ("Infinity", math.inf), ("-Infinity", -math.inf), (-0.0, -0.0), (0, 0.0), (7, 7.0),
        (2**64 - 1, 2.0**64), (1e-300, 1e-300), ("1.5", 1.5), ("-2e3", -2000.0),
    ],
)  # fmt: skip
def test_doubles_are_numbers_numbers_in_strings_or_the_three_special_names(written, number):
    for read in (read_value({"doubleValue": written}).double_value, read_points({"asDouble": written})[0].as_double):
        assert struct.pack("<d", read) == struct.pack("<d", number)


NULLS = ("traceState", "parentSpanId", "flags", "kind", "startTimeUnixNano", "attributes", "events", "links", "status")


def test_null_means_the_default_of_a_field():
    assert read_span(**dict.fromkeys(NULLS)) == read_span()
    assert encode("traces", b'{"resourceSpans":null}') == Encoded(b"")
    assert encode("traces", b'{"resourceSpans":[{"resource":null,"scopeSpans":null}]}').rejected == 0


def test_null_in_a_list_of_values_is_an_empty_value():
    values = read_value({"arrayValue": {"values": [None, {"intValue": 1}, {}]}}).array_value.values
    assert [each.WhichOneof("value") for each in values] == [None, "int_value", None]


ZEROS = [
    ("stringValue", ""), ("boolValue", False), ("intValue", 0), ("intValue", "0"), ("doubleValue", 0),
    ("doubleValue", -0.0), ("bytesValue", ""), ("arrayValue", {}), ("arrayValue", {"values": []}), ("kvlistValue", {}),
]  # fmt: skip


@pytest.mark.parametrize(("member", "value"), ZEROS)
def test_nothing_and_zero_are_values_and_differ_from_no_value(member, value):
    read = read_value({member: value})
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in member)
    assert read.WhichOneof("value") == snake
    nested = read_value({"kvlistValue": {"values": [{"key": "", "value": {member: value}}]}})
    assert nested.kvlist_value.values[0].value == read


@pytest.mark.parametrize("value", [{}, {"stringValue": None}, {"unknown": 1}])
def test_a_value_without_a_member_is_empty_but_there(value):
    item = read_spans(traces(attribute(value)))[0].attributes[0]
    assert item.HasField("value")
    assert item.value.WhichOneof("value") is None


@pytest.mark.parametrize("item", [{"key": "k"}, {"key": "k", "value": None}])
def test_an_attribute_without_a_value_has_none(item):
    assert not read_span(attributes=[item]).attributes[0].HasField("value")


def test_zero_points_and_optional_sums_are_there():
    point = read_points({"asInt": 0}, {"asDouble": 0}, {})
    assert [each.WhichOneof("value") for each in point] == ["as_int", "as_double", None]
    parts = metrics({"name": "h", "histogram": {"dataPoints": [{"sum": 0, "min": 0}]}})
    data = encode("metrics", parts).data
    read = ExportMetricsServiceRequest.FromString(data).resource_metrics[0].scope_metrics[0].metrics[0].histogram
    assert [read.data_points[0].HasField(name) for name in ("sum", "min", "max")] == [True, True, False]


@pytest.mark.parametrize("size", [0, 1, 120, 127, 128, 1022, 1023, 1024, 1025, 16383, 16384, 70_000])
def test_texts_of_every_length_class_survive(size):
    text = "\N{CAT FACE}x"[: size % 3] + "x" * size + "\0\r\n\N{RIGHT-TO-LEFT OVERRIDE}"
    read = read_span(name=text, attributes=[{"key": text, "value": {"stringValue": text}}])
    assert (read.name, read.attributes[0].key, read.attributes[0].value.string_value) == (text, text, text)


def test_more_distinct_keys_than_are_cached_stay_distinct_and_the_cache_small():
    keys = [f"key.{number}" for number in range(CACHED_KEYS + 10)]
    read = read_span(attributes=[{"key": key, "value": {"boolValue": True}} for key in keys])
    assert [item.key for item in read.attributes] == keys
    assert len(json_attributes._written_keys) <= CACHED_KEYS
