"""Bodies of every signal, valid ones in protobuf and in JSON, and what has to come back of a body."""

import json
import os
import random
from dataclasses import dataclass

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    NumberDataPoint,
    SummaryDataPoint,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.conftest import Otlp

SIGNALS = ("traces", "metrics", "logs")
OTLP = Otlp()


@dataclass(frozen=True)
class Case:
    """A body, and what has to come back.

    Attributes:
        says: A part of the answer's message; "" when there must be none, None when it does not matter.
    """

    name: str
    signal: str
    body: bytes
    status: int = 200
    rejected: int = 0
    says: str | None = ""
    as_json: bool = False


def logs_request(*records, service="shop"):
    found = ExportLogsServiceRequest()
    group = found.resource_logs.add()
    group.resource.attributes.extend(OTLP.pairs({"service.name": service}))
    group.scope_logs.add().log_records.extend(records)
    return found


def log_record(text="it works", **fields):
    found = LogRecord(**({"time_unix_nano": OTLP.ago_ns(seconds=30), "severity_number": 9} | fields))
    found.body.string_value = text
    return found


def number_point(value=1.0, **fields):
    return NumberDataPoint(
        **({"time_unix_nano": OTLP.ago_ns(seconds=30), "attributes": OTLP.pairs({"id": os.urandom(4).hex()})} | fields),
        **({"as_int": value} if isinstance(value, int) else {} if value is None else {"as_double": value}),
    )


def metrics_body(*points, kind="gauge", name="some.metric", unit="1", temporality=2, monotonic=True, service="shop"):
    request, metrics = OTLP.metrics_request(service=service)
    data = getattr(metrics.add(name=name, unit=unit), kind)
    data.SetInParent()
    if kind in {"sum", "histogram", "exponential_histogram"}:
        data.aggregation_temporality = temporality
    if kind == "sum":
        data.is_monotonic = monotonic
    data.data_points.extend(points)
    return request.SerializeToString()


def ordinary(signal):
    """Return a valid body of *signal* that no other one equals."""
    if signal == "traces":
        return OTLP.traces(OTLP.span(attributes={"http.route": "/pay", "http.response.status_code": 200}))
    return metrics_body(number_point()) if signal == "metrics" else logs_request(log_record()).SerializeToString()


def rich(signal):
    """Return a valid body of *signal* with something in nearly every field."""
    if signal == "traces":
        return rich_traces()
    return rich_metrics() if signal == "metrics" else rich_logs()


def rich_traces():
    values = {"s": "text", "i": -5, "d": 1.5, "b": True, "a": ["x", 1, None], "m": {"k": {"n": 2}}, "y": b"\x00\xff"}
    event = Span.Event(time_unix_nano=OTLP.ago_ns(seconds=50), name="retry", attributes=OTLP.pairs({"n": 2}))
    link = Span.Link(trace_id=os.urandom(16), span_id=os.urandom(8), trace_state="a=b", attributes=OTLP.pairs(values))
    span = OTLP.span(
        "GET /pay",
        parent=os.urandom(8),
        status=2,
        message="refused",
        attributes=values | {"http.response.status_code": 503, "cache.hit": True, "cache.name": "items"},
        events=[event],
        links=[link],
        trace_state="ot=th:8,x=y",
        flags=0x301,
        dropped_attributes_count=1,
        dropped_events_count=2,
        dropped_links_count=3,
    )
    request = OTLP.request(span, OTLP.span("child", kind=3), version="1.2", resource=values)
    request.resource_spans[0].schema_url = request.resource_spans[0].scope_spans[0].schema_url = "https://schema/1"
    return request.SerializeToString()


def rich_metrics():
    request, metrics = OTLP.metrics_request()
    now, attributes = OTLP.ago_ns(seconds=20), OTLP.pairs({"id": os.urandom(4).hex(), "n": 1})
    times = {"start_time_unix_nano": now - 10**9, "time_unix_nano": now, "attributes": attributes}
    metrics.add(name="g", unit="1").gauge.data_points.add(as_double=1.5, **times)
    total = metrics.add(name="s", description="total").sum
    total.aggregation_temporality, total.is_monotonic = 2, True
    point = total.data_points.add(as_int=7, **times)
    point.exemplars.add(as_double=2.5, time_unix_nano=now, trace_id=os.urandom(16), span_id=os.urandom(8))
    histogram = metrics.add(name="h", unit="s").histogram
    histogram.aggregation_temporality = 1
    histogram.data_points.add(
        count=6, sum=3.5, min=0, max=9, bucket_counts=[1, 2, 3], explicit_bounds=[0.5, 1], **times
    )
    exponential = metrics.add(name="e", unit="s").exponential_histogram
    exponential.aggregation_temporality = 2
    one = exponential.data_points.add(count=6, sum=2, scale=3, zero_count=1, zero_threshold=0.1, **times)
    one.positive.offset, one.negative.offset = -2, 4
    one.positive.bucket_counts.extend([1, 2])
    one.negative.bucket_counts.extend([2])
    metrics.add(name="q").summary.data_points.add(count=3, sum=4, **times).quantile_values.add(quantile=0.5, value=1.5)
    return request.SerializeToString()


def rich_logs():
    record = log_record(
        "card refused",
        observed_time_unix_nano=OTLP.ago_ns(seconds=10),
        severity_text="WARN",
        trace_id=os.urandom(16),
        span_id=os.urandom(8),
        flags=1,
        event_name="payment",
        attributes=OTLP.pairs({"k": "v", "n": 3, "l": [1, {"x": b"y"}]}),
    )
    structured = log_record()
    structured.body.CopyFrom(OTLP.value({"order": 7, "items": ["a", 1.5]}))
    return logs_request(record, structured).SerializeToString()


def json_span(**fields):
    rng = random.SystemRandom()
    found = {"traceId": rng.randbytes(16).hex(), "spanId": rng.randbytes(8).hex(), "name": "j", "kind": 2}
    now = OTLP.ago_ns(seconds=30)
    found |= {"startTimeUnixNano": str(now), "endTimeUnixNano": str(now + 1000)}
    return {key: value for key, value in (found | fields).items() if value is not ...}


def json_traces(*spans):
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": "json"}}]}
    return json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}).encode()


def json_points(*points, kind="gauge"):
    data = {"dataPoints": list(points)} | ({} if kind == "gauge" else {"aggregationTemporality": 2})
    metrics = [{"name": "json.metric", kind: data}]
    return json.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]}).encode()


def json_point(**fields):
    return {"timeUnixNano": str(OTLP.ago_ns(seconds=30)), "asDouble": 1.5} | fields


def json_logs(*records):
    return json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": list(records)}]}]}).encode()


def histogram(**fields):
    found = {"time_unix_nano": OTLP.ago_ns(seconds=30), "count": 3, "bucket_counts": [1, 2], "explicit_bounds": [1]}
    return HistogramDataPoint(**(found | {"attributes": OTLP.pairs({"id": os.urandom(4).hex()})} | fields))


def exponential(**fields):
    side = {"offset": fields.pop("offset", 0), "bucket_counts": fields.pop("buckets", [1, 2])}
    found = {"time_unix_nano": OTLP.ago_ns(seconds=30), "count": 3, "scale": 0, "positive": side}
    return ExponentialHistogramDataPoint(**(found | {"attributes": OTLP.pairs({"id": os.urandom(4).hex()})} | fields))


def summary(**fields):
    return SummaryDataPoint(**({"time_unix_nano": OTLP.ago_ns(seconds=30), "count": 3, "sum": 4.0} | fields))
