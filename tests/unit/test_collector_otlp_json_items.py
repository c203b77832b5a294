"""What costs one item of an OTLP/JSON request: it is left out, named by its path, and the others stay."""

import orjson
import pytest

from collector.otlp_json.encode import encode
from tests.unit.otlp_json_requests import (
    TRACE_ID,
    attribute,
    body_of,
    gauge,
    left_out,
    logs,
    metrics,
    refusal_of,
    span,
    traces,
)

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
