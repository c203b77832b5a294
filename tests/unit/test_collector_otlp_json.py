"""OTLP/JSON against the official classes: what protobuf reads from our bytes is what the JSON said."""

import base64
import gc
import json
import math
import random
import struct
from copy import deepcopy

import orjson
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.check.check import check
from collector.errors import BadPayload
from collector.otlp_json import attributes as json_attributes
from collector.otlp_json.attributes import CACHED_KEYS
from collector.otlp_json.encode import MOST_CONTAINERS, Encoded, encode

REQUESTS = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
TRACE_ID, SPAN_ID = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
NANOS = 1_544_712_660_000_000_000

# --- the oracle: official messages, written as OTLP/JSON by protobuf's own printer with the ids in hexadecimal ---

NUMBERS = {
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: st.integers(0, 2**64 - 1),
}
SCALARS = NUMBERS | {
    FieldDescriptor.TYPE_STRING: st.text(max_size=6),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=17),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    FieldDescriptor.TYPE_ENUM: st.integers(-1, 30),
    FieldDescriptor.TYPE_DOUBLE: st.floats(allow_nan=False) | st.just(math.nan),
}
DEEPEST_GENERATED = 14
ALWAYS = {"gauge", "sum", "histogram", "exponential_histogram", "summary", "data_points", "array_value", "values"}


@st.composite
def messages(draw, kind):
    request = kind()
    fill(draw, request, 0)
    return request


def fill(draw, message, depth):
    """Set some fields of *message*, always those that lead to items, never attributes nested without end."""
    for field in chosen_fields(draw, message.DESCRIPTOR):
        if field.message_type is None:
            if draw(st.booleans()):
                set_scalar(draw, message, field)
        elif depth < DEEPEST_GENERATED and (depth < 3 or field.name in ALWAYS or draw(st.integers(0, 2)) == 0):
            for _ in range(draw(st.integers(1, 2)) if field.is_repeated else 1):
                target = getattr(message, field.name)
                child = target.add() if field.is_repeated else target
                child.SetInParent()
                fill(draw, child, depth + 1)


def chosen_fields(draw, descriptor):
    """Return the fields of *descriptor*, of each oneof only one."""
    groups = [list(oneof.fields) for oneof in descriptor.oneofs if len(oneof.fields) > 1]
    chosen = {draw(st.sampled_from(group)).name for group in groups}
    in_groups = {field.name for group in groups for field in group}
    return [field for field in descriptor.fields if field.name not in in_groups or field.name in chosen]


def set_scalar(draw, message, field):
    values = SCALARS[field.type]
    if field.is_repeated:
        getattr(message, field.name).extend(draw(st.lists(values, max_size=3)))
    else:
        setattr(message, field.name, draw(values))


def otlp_json(message, *, with_defaults=False):
    """Return *message* in OTLP/JSON: protobuf's JSON with enums as integers and ids in hexadecimal."""
    printed = json_format.MessageToDict(
        message, use_integers_for_enums=True, always_print_fields_with_no_presence=with_defaults
    )
    return json.dumps(with_hexadecimal_ids(printed)).encode()


def with_hexadecimal_ids(value):
    if isinstance(value, list):
        return [with_hexadecimal_ids(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64decode(each).hex()
        if key in {"traceId", "spanId", "parentSpanId"}
        else with_hexadecimal_ids(each)
        for key, each in value.items()
    }


def same(signal, encoded: Encoded, message):
    """Compare as bytes: equality of messages would call NaN different from itself and -0.0 equal to 0.0."""
    assert (encoded.rejected, encoded.message) == (0, "")
    parsed = REQUESTS[signal].FromString(encoded.data)
    return parsed.SerializeToString(deterministic=True) == message.SerializeToString(deterministic=True)


@pytest.mark.parametrize("signal", REQUESTS)
def test_every_message_reads_back_as_it_was_before_it_was_json(signal):
    @settings(max_examples=60, deadline=None, phases=[Phase.reuse, Phase.generate])  # to shrink requests takes minutes
    @given(messages(REQUESTS[signal]), st.booleans())
    def holds(message, with_defaults):
        assert same(signal, encode(signal, otlp_json(message, with_defaults=with_defaults)), message)

    holds()


# --- the rules, one by one ---


def span(**fields):
    return {"traceId": TRACE_ID, "spanId": SPAN_ID, "name": "GET", **fields}


def body_of(request):
    return json.dumps(request).encode()


def traces(*spans, **resource_spans):
    return body_of({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}], **resource_spans}]})


def metrics(*each):
    return body_of({"resourceMetrics": [{"scopeMetrics": [{"metrics": list(each)}]}]})


def gauge(*points, **fields):
    return {"name": "queue.size", "gauge": {"dataPoints": list(points)}, **fields}


def logs(*records):
    return body_of({"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]})


def attribute(value):
    return span(attributes=[{"key": "k", "value": value}])


def read_spans(body):
    encoded = encode("traces", body)
    assert (encoded.rejected, encoded.message) == (0, "")
    return ExportTraceServiceRequest.FromString(encoded.data).resource_spans[0].scope_spans[0].spans


def read_span(**fields):
    return read_spans(traces(span(**fields)))[0]


def read_value(value):
    return read_spans(traces(attribute(value)))[0].attributes[0].value


def read_points(*points):
    encoded = encode("metrics", metrics(gauge(*points)))
    assert (encoded.rejected, encoded.message) == (0, "")
    return (
        ExportMetricsServiceRequest.FromString(encoded.data)
        .resource_metrics[0]
        .scope_metrics[0]
        .metrics[0]
        .gauge.data_points
    )


def left_out(signal, good, bad, build):
    """Encode *good* and *bad* together; require that only *bad* is left out, and return the reason."""
    encoded = encode(signal, build(good, bad, good))
    assert encoded.rejected == 1
    assert encoded.data == encode(signal, build(good, good)).data
    with pytest.raises(BadPayload) as refusal:
        encode(signal, build(bad))
    assert encoded.message.split("first: ")[1].replace("[1]", "[0]", 1) == str(refusal.value).split("first: ")[1]
    return encoded.message


def refusal_of(signal, body):
    with pytest.raises(BadPayload) as refusal:
        encode(signal, body)
    return str(refusal.value)


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


# --- what costs one item ---

BAD_SPANS = {
    "an id with an odd number of digits": {"traceId": TRACE_ID[:-1]},
    "an id that is not hexadecimal": {"spanId": "zzzzzzzzzzzzzzzz"},
    "an id in base64": {"traceId": "W47/95gDgQPSabYzgT/GDA=="},
    "an id with blanks, which Python's own fromhex skips": {"spanId": "eee19b7e c3c1b174"},
    "an id that is a number": {"spanId": 1234567890123456},
    "an id outside ASCII": {"spanId": "\N{FULLWIDTH DIGIT ONE}" * 16},
    "a bad id in a link": {"links": [{}, {"traceId": "x"}]},
    "a broken kind": {"kind": 2.5},
    "a kind that is a whole float": {"kind": 2.0},
    "a kind that is true": {"kind": True},
    "an unknown name of a kind": {"kind": "SPAN_KIND_CAT"},
    "a kind that is an object": {"kind": {}},
    "a kind beyond 32 bits": {"kind": 2**31},
    "a negative time": {"startTimeUnixNano": "-1"},
    "a negative time as a number": {"startTimeUnixNano": -1},
    "a time with an exponent": {"endTimeUnixNano": "1e3"},
    "a time beyond 64 bits": {"endTimeUnixNano": 2**64},
    "a time beyond 64 bits as a string": {"endTimeUnixNano": str(2**64)},
    "a time that is a float": {"startTimeUnixNano": 1.0},
    "a time that is true": {"startTimeUnixNano": True},
    "a time with blanks": {"startTimeUnixNano": " 1"},
    "a time with underscores": {"startTimeUnixNano": "1_000"},
    "a time with a plus": {"startTimeUnixNano": "+1"},
    "a time in digits outside ASCII": {"startTimeUnixNano": "\N{ARABIC-INDIC DIGIT ONE}"},
    "a time that is empty": {"startTimeUnixNano": ""},
    "a time of 5000 digits": {"startTimeUnixNano": "1" * 5000},
    "a time in an event": {"events": [{"timeUnixNano": "x"}]},
    "a count that is negative": {"droppedAttributesCount": -1},
    "a count beyond 32 bits": {"droppedLinksCount": 2**32},
    "flags beyond 32 bits": {"flags": 2**32},
    "a name that is a number": {"name": 5},
    "a name that is a list": {"name": ["GET"]},
    "a status that is a number": {"status": 2},
    "events that are an object": {"events": {}},
    "an event that is a string": {"events": ["x"]},
    "attributes that are an object": {"attributes": {"k": "v"}},
    "an attribute that is a string": {"attributes": ["k"]},
    "an attribute whose key is a number": {"attributes": [{"key": 1, "value": {"intValue": 1}}]},
    "an attribute whose key is a list": {"attributes": [{"key": [], "value": {"intValue": 1}}]},
    "an attribute whose value is bare": {"attributes": [{"key": "k", "value": "v"}]},
}  # fmt: skip


@pytest.mark.parametrize("fields", BAD_SPANS.values(), ids=BAD_SPANS)
def test_an_invalid_span_is_left_out_and_the_others_stay(fields):
    message = left_out("traces", span(), span(**fields), traces)
    assert message.startswith(
        f"1 of 3 spans left out, first: resourceSpans[0].scopeSpans[0].spans[1].{next(iter(fields))}"
    )


BAD_VALUES = [
    {"intValue": 2**63}, {"intValue": str(2**63)}, {"intValue": -(2**63) - 1}, {"intValue": 1.0}, {"intValue": "1.0"},
    {"intValue": True}, {"intValue": "--1"}, {"intValue": "-"}, {"intValue": []}, {"stringValue": 1},
    {"stringValue": {}}, {"boolValue": 1}, {"boolValue": "true"}, {"doubleValue": "x"}, {"doubleValue": "nan"},
    {"doubleValue": "inf"}, {"doubleValue": ""}, {"doubleValue": True}, {"doubleValue": "1_0"},
    {"doubleValue": "1e999"}, {"doubleValue": []}, {"bytesValue": "%"}, {"bytesValue": "AAAAA"}, {"bytesValue": 1},
    {"bytesValue": "\N{CAT FACE}"}, {"arrayValue": []}, {"arrayValue": {"values": {}}}, {"arrayValue": {"values": 0}},
    {"arrayValue": {"values": ["x"]}}, {"kvlistValue": 1}, {"kvlistValue": {"values": [1]}},
    {"stringValue": "x", "intValue": 1},
]  # fmt: skip


@pytest.mark.parametrize("value", BAD_VALUES, ids=str)
def test_an_invalid_attribute_value_costs_its_span(value):
    left_out("traces", span(), attribute(value), traces)
    deep = {"kvlistValue": {"values": [{"key": "k", "value": {"arrayValue": {"values": [value]}}}]}}
    left_out("traces", span(), attribute(deep), traces)


@pytest.mark.parametrize("item", [None, 1, "x", [], True])
def test_an_item_that_is_no_object_is_left_out(item):
    assert "is" in left_out("traces", span(), item, traces)
    left_out("logs", {"body": {"stringValue": "hello"}}, item, logs)
    left_out("metrics", {"asInt": 1}, item, lambda *points: metrics(gauge(*points)))


BAD_POINTS = [
    {"asInt": 1.5}, {"asInt": 2**63}, {"asDouble": "x"}, {"asInt": 1, "asDouble": 1}, {"timeUnixNano": "1e3"},
    {"flags": -1}, {"exemplars": [{"traceId": "x"}]}, {"exemplars": [{"asInt": 1, "asDouble": 2}]},
]  # fmt: skip


@pytest.mark.parametrize("point", BAD_POINTS, ids=str)
def test_an_invalid_point_is_left_out_and_the_others_stay(point):
    message = left_out("metrics", {"asInt": 1}, point, lambda *points: metrics(gauge(*points)))
    assert message.startswith("1 of 3 data points left out")


BAD_RECORDS = [
    {"severityNumber": "WARN"},
    {"severityNumber": 9.0},
    {"body": "bare"},
    {"observedTimeUnixNano": -1},
    {"eventName": 1},
]


@pytest.mark.parametrize("record", BAD_RECORDS, ids=str)
def test_an_invalid_log_record_is_left_out_and_the_others_stay(record):
    assert left_out("logs", {"body": {"intValue": 1}}, record, logs).startswith("1 of 3 log records left out")


@pytest.mark.parametrize("counts", [[1, None], [1, -1], [1, 1.0], "12", {}, 1])
def test_invalid_bucket_counts_cost_their_point(counts):
    def build(*points):
        return metrics({"name": "h", "histogram": {"dataPoints": list(points)}})

    left_out("metrics", {"count": 1}, {"bucketCounts": counts}, build)


PATHS = [
    ({"links": [{}, {}, {"traceId": 1}]}, "links[2].traceId: 1 is not a string of hexadecimal digits"),
    ({"attributes": [{"key": "k"}, {"key": 1}]}, "attributes[1].key: 1 is not a string"),
    ({"attributes": [{}, {"key": "k", "value": {"intValue": []}}]}, "attributes[1].value.intValue: a list is not"),
    (
        {"events": [{"attributes": [{"value": {"arrayValue": {"values": [{}, {"boolValue": 1}]}}}]}]},
        "events[0].attributes[0].value.arrayValue.values[1].boolValue: 1 is not true or false",
    ),
    ({"kind": "x" * 300}, f"kind: '{'x' * 199} is not an integer, or a name like SPAN_KIND_UNSPECIFIED"),
]


@pytest.mark.parametrize(("fields", "reason"), PATHS, ids=lambda value: str(value)[:30])
def test_the_message_names_the_value_by_its_path(fields, reason):
    assert f"spans[1].{reason}" in left_out("traces", span(), span(**fields), traces)


def test_the_message_names_the_number_of_a_list_by_its_index():
    bad = {"name": "h", "histogram": {"dataPoints": [{"bucketCounts": [1, "2", -3]}]}}
    assert "dataPoints[0].bucketCounts[2]: -3 does not fit" in refusal_of("metrics", metrics(bad))


def test_an_invalid_resource_costs_the_items_below_it():
    good = orjson.loads(traces(span(), span()))["resourceSpans"][0]
    bad = {**good, "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": 1}}]}}
    encoded = encode("traces", body_of({"resourceSpans": [good, bad]}))
    assert encoded.data == encode("traces", body_of({"resourceSpans": [good]})).data
    reason = "resource.attributes[0].value.stringValue: 1 is not a string"
    assert (encoded.rejected, encoded.message) == (2, f"2 of 4 spans left out, first: resourceSpans[1].{reason}")
    assert refusal_of("traces", body_of({"resourceSpans": [bad]})).endswith(f"resourceSpans[0].{reason}")


@pytest.mark.parametrize("fields", [{"name": 5}, {"sum": {"dataPoints": [{"asInt": 1}]}}, {"metadata": 1}], ids=str)
def test_an_invalid_metric_costs_its_points(fields):
    """Two kinds of data in one metric too: protobuf's JSON allows one, and which of them was meant is unknown."""
    good, bad = gauge({"asInt": 1}), gauge({"asInt": 1}, {"asInt": 2}, **fields)
    encoded = encode("metrics", metrics(good, bad))
    assert encoded.rejected == 2 + ("sum" in fields)
    assert encoded.data == encode("metrics", metrics(good)).data


def test_the_message_shows_at_most_200_characters_of_the_value_and_no_control_characters():
    hostile = "\r\nSet-Cookie: x\N{RIGHT-TO-LEFT OVERRIDE}" + "z" * 1_000_000
    message = left_out("traces", span(), span(traceId=hostile), traces)
    assert message.isprintable()
    assert len(message) < 400
    assert message.count("z") < 200
    assert "z" * 100 in message


# --- what costs the whole body ---

NO_JSON = [
    b"", b" ", b"{", b'{"resourceSpans":[}', b"{} x", b"\xef\xbb\xbf{}", b'{"resourceSpans":NaN}', b"{'a':1}",
    b'{"a":"\xff"}', b'{"a":"\\ud800"}', b'{"a":1e400}', b"[" * 2000 + b"]" * 2000, b"\x0a\x02\x12\x00",
]  # fmt: skip


@pytest.mark.parametrize("body", NO_JSON, ids=lambda body: repr(body[:20]))
def test_a_body_that_is_no_json_is_refused(body):
    assert refusal_of("traces", body).startswith("the body is not JSON: ")


@pytest.mark.parametrize(
    ("body", "found"), [(b"null", "null"), (b"[]", "a list"), (b"1234", "1234"), (b'"x"', "'x'"), (b"true", "true")]
)
def test_a_body_that_is_no_object_is_refused(body, found):
    assert refusal_of("traces", body) == f"the body is {found}, not an object"


WRONG_CONTAINERS = [
    ("traces", {"resourceSpans": {}}, "resourceSpans is an object, not a list"),
    ("traces", {"resourceSpans": "x"}, "resourceSpans is 'x', not a list"),
    ("traces", {"resourceSpans": [[]]}, "resourceSpans[0] is a list, not an object"),
    ("traces", {"resourceSpans": [{"scopeSpans": {}}]}, "resourceSpans[0].scopeSpans is an object, not a list"),
    ("traces", {"resourceSpans": [{"scopeSpans": [1]}]}, "resourceSpans[0].scopeSpans[0] is 1, not an object"),
    ("traces", {"resourceSpans": [{"scopeSpans": [{"spans": {}}]}]}, "scopeSpans[0].spans is an object, not a list"),
    ("traces", {"resourceSpans": [{"resource": []}]}, "resourceSpans[0].resource: a list is not an object"),
    ("logs", {"resourceLogs": 1}, "resourceLogs is 1, not a list"),
    ("metrics", {"resourceMetrics": False}, "resourceMetrics is false, not a list"),
]  # fmt: skip


@pytest.mark.parametrize(("signal", "request_", "reason"), WRONG_CONTAINERS, ids=lambda value: str(value)[:60])
def test_a_wrong_container_is_refused_by_its_path(signal, request_, reason):
    assert refusal_of(signal, body_of(request_)).endswith(reason)


@pytest.mark.parametrize("points", [{}, "x", 1])
def test_wrong_containers_inside_a_metric_are_refused(points):
    where = "resourceMetrics[0].scopeMetrics[0].metrics[0]"
    assert refusal_of("metrics", metrics({"gauge": {"dataPoints": points}})).startswith(f"{where}.gauge.dataPoints is ")
    assert refusal_of("metrics", metrics({"summary": []})) == f"{where}.summary is a list, not an object"


@pytest.mark.parametrize("signal", REQUESTS)
@pytest.mark.parametrize("other", REQUESTS)
def test_a_request_of_another_signal_is_refused_with_the_way_to_go(signal, other):
    bodies = {"traces": traces(span()), "metrics": metrics(gauge({"asInt": 1})), "logs": logs({})}
    if signal == other:
        assert encode(signal, bodies[other]).rejected == 0
    else:
        assert f"send it to /v1/{other}, this is /v1/{signal}" in refusal_of(signal, bodies[other])


@pytest.mark.parametrize("signal", REQUESTS)
def test_an_empty_request_is_accepted(signal):
    top = REQUESTS[signal].DESCRIPTOR.fields[0].json_name
    assert encode(signal, b"{}") == Encoded(b"")
    assert encode(signal, body_of({top: []})) == Encoded(b"")
    assert encode(signal, body_of({top: [{}]})).rejected == 0


def test_a_request_of_unknown_keys_is_accepted_with_a_warning():
    encoded = encode("traces", body_of({"scopeSpans": [{"spans": [span()]}]}))
    assert (encoded.data, encoded.rejected) == (b"", 0)
    assert "no resourceSpans" in encoded.message


def nested(lists, maps, innermost):
    for _ in range(lists):
        innermost = {"arrayValue": {"values": [innermost]}}
    for _ in range(maps):
        innermost = {"kvlistValue": {"values": [{"key": "k", "value": innermost}]}}
    return innermost


@pytest.mark.parametrize(("lists", "maps"), [(45, 0), (0, 30), (21, 16)])
def test_values_nest_as_deep_as_protobuf_reads_them_and_one_level_more_is_refused(lists, maps):
    """In an exemplar, where an attribute lies deepest."""
    value = nested(lists, maps, {"stringValue": "core"})
    point = {"asInt": 1, "exemplars": [{"filteredAttributes": [{"key": "k", "value": value}]}]}
    found = read_points(point)[0].exemplars[0].filtered_attributes[0].value
    for _ in range(maps):
        found = found.kvlist_value.values[0].value
    for _ in range(lists):
        found = found.array_value.values[0]
    assert found.string_value == "core"
    for deeper in (nested(1, 0, value), nested(0, 1, value)):
        assert "nested too deep" in refusal_of("traces", traces(span(), attribute(deeper)))


def test_what_is_nested_below_an_unknown_key_does_not_matter():
    assert read_span(unknown=nested(100, 100, {})) == read_span()


@pytest.mark.parametrize("item", ["{}", "[]", "[{}]"])
def test_a_body_of_very_many_tiny_objects_is_refused_before_they_fill_the_memory(item):
    body = b'{"resourceSpans":[{"scopeSpans":[{"spans":[%s]}]}]}'
    few, many = (b",".join([item.encode()] * count) for count in (1000, MOST_CONTAINERS))
    assert "smaller batches" not in refusal_of("logs", body % few)
    assert "smaller batches" in refusal_of("logs", body % many)


def test_garbage_collection_goes_on_after_every_request():
    encode("traces", b"{}")
    refusal_of("traces", b"")
    assert gc.isenabled()


# --- never anything but BadPayload ---

JUNK = [
    None, True, False, 0, -1, 1.5, 2**63, 2**64, 1e308, "", "x", "0", "-1", "NaN", "\N{CAT FACE}", [], {}, [[]], [None],
    [1], {"": 1}, {"values": [{}]}, {"key": "k"}, {"stringValue": "v"}, TRACE_ID, str(2**64), "A" * 300,
]  # fmt: skip


def full_requests():
    """Return a request of each signal in which every kind of field is set."""
    value = nested(1, 1, {"intValue": "1"})
    pairs = [
        {"key": "k", "value": value},
        {"key": "b", "value": {"bytesValue": "AA=="}},
        {"key": "d", "value": {"doubleValue": 1.5}},
    ]
    link = {"traceId": TRACE_ID, "spanId": SPAN_ID, "attributes": pairs, "flags": 1}
    event = {"timeUnixNano": str(NANOS), "name": "e", "attributes": pairs}
    one = span(kind=2, startTimeUnixNano=str(NANOS), attributes=pairs, links=[link], events=[event], status={"code": 2})
    point = {
        "timeUnixNano": NANOS,
        "asInt": "1",
        "attributes": pairs,
        "exemplars": [{"asDouble": 1, "spanId": SPAN_ID}],
    }
    histogram = {"count": "2", "sum": 1.5, "bucketCounts": ["1", "1"], "explicitBounds": [0.5]}
    exponential = {"count": 2, "scale": 3, "zeroCount": 1, "positive": {"offset": -1, "bucketCounts": [1]}}
    summary = {"count": 1, "sum": 2, "quantileValues": [{"quantile": 0.5, "value": 1}]}
    kinds = {"histogram": histogram, "exponentialHistogram": exponential, "summary": summary}
    each = [gauge(point), *({"name": kind, kind: {"dataPoints": [data, data]}} for kind, data in kinds.items())]
    record = {"body": value, "severityNumber": 9, "attributes": pairs, "traceId": TRACE_ID, "spanId": SPAN_ID}
    resource = {"attributes": pairs, "entityRefs": [{"type": "t", "idKeys": ["k"]}]}
    return {
        "traces": traces(one, span(), resource=resource, schemaUrl="https://example.com"),
        "metrics": metrics(*each),
        "logs": logs(record, record),
    }


def places(value):
    """Return every (container, key) in *value*."""
    keys = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place for key, each in keys for place in [(value, key), *places(each)]]


def mutate(request, dice):
    for _ in range(dice.randint(1, 3)):
        found = places(request)
        if not found:
            return
        container, key = dice.choice(found)
        other, other_key = dice.choice(found)
        change = dice.randrange(4)
        if change == 0:
            del container[key]
        elif change == 1:
            container[key] = deepcopy(other[other_key])
        elif change == 2 and isinstance(container, list):
            container.insert(key, deepcopy(dice.choice(JUNK)))
        else:
            container[key] = deepcopy(dice.choice(JUNK))


def encoded_or_refused(signal, body):
    """Encode *body*; whatever comes out must be readable. Anything but BadPayload fails the test."""
    try:
        encoded = encode(signal, body)
    except BadPayload as refusal:
        encoded, message = None, str(refusal)
    else:
        REQUESTS[signal].FromString(encoded.data)
        message = encoded.message
        assert bool(encoded.rejected) <= bool(message)
    assert len(message) < 700
    return encoded


@pytest.mark.parametrize("signal", REQUESTS)
def test_of_mutated_requests_only_bad_payload_comes_out_and_the_result_always_parses(signal):
    dice = random.Random(signal)
    full = full_requests()[signal]
    assert not encode(signal, full).message
    outcomes = []
    for _ in range(600):
        request = orjson.loads(full)
        mutate(request, dice)
        outcomes.append(encoded_or_refused(signal, body_of(request)))
    assert any(each is None for each in outcomes)
    assert any(each and each.rejected for each in outcomes)
    assert any(each and not each.rejected for each in outcomes)


@pytest.mark.parametrize("signal", REQUESTS)
def test_of_damaged_bytes_only_bad_payload_comes_out_and_the_result_always_parses(signal):
    dice = random.Random(signal)
    full = full_requests()[signal]
    for _ in range(600):
        body = bytearray(full)
        for _ in range(dice.randint(1, 4)):
            body[dice.randrange(len(body))] = dice.choice(b'{}[]",:0-e.\\tn\x00\xff')
        encoded_or_refused(signal, bytes(body))


def test_what_comes_out_passes_the_check_of_protobuf_requests():
    encoded = encode("traces", traces(span(), span(spanId="x"), span(traceId="00" * 16)))
    checked = check("traces", encoded.data)
    assert (encoded.rejected, checked.rejected, checked.accepted) == (1, 1, 1)
