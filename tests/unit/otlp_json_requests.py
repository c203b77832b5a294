"""Requests in OTLP/JSON, and what the official classes read from their encoding."""

import json

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from collector.errors import BadPayload
from collector.otlp_json.encode import encode

REQUESTS = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
TRACE_ID, SPAN_ID = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174"
NANOS = 1_544_712_660_000_000_000


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


def nested(lists, maps, innermost):
    for _ in range(lists):
        innermost = {"arrayValue": {"values": [innermost]}}
    for _ in range(maps):
        innermost = {"kvlistValue": {"values": [{"key": "k", "value": innermost}]}}
    return innermost
