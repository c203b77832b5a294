"""Hostile bodies and the answers that they must get, by the number of their case."""

import json
import os
import random
import time
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
VARINT, FIXED64, LENGTH, GROUP, GROUP_END, FIXED32 = range(6)
DAY_S = 86_400
SQL = [
    "'; DROP TABLE spans; --",
    "\\",
    "\\N",
    "a\tb\nc\r",
    "$$",
    "{id:String}",
    "%s",
    "/*",
    "`x`",
    "'' OR 1=1",
    '"\\""',
]


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


# how protobuf looks on the wire ---------------------------------------------------------------------------------------


def varint(value):
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*found, value])


def tag(number, wire_type):
    return varint(number << 3 | wire_type)


def field(number, payload):
    """Return a length-delimited field."""
    return tag(number, LENGTH) + varint(len(payload)) + payload


def enveloped(*items):
    """Return a request of traces or logs with *items*, which are bytes: in both, every envelope has these numbers."""
    return field(1, field(2, b"".join(field(2, item) for item in items)))


# valid requests -------------------------------------------------------------------------------------------------------


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


# the cases ------------------------------------------------------------------------------------------------------------

EMPTY_LIST = {"traces": "resourceSpans", "metrics": "resourceMetrics", "logs": "resourceLogs"}
NO_JSON = [b"", b"null", b"[]", b"1234", b'"x"', b"\xef\xbb\xbf{}", b"{} x", b"{", b"\x00"]


def zero_bytes():
    return [Case("nothing", signal, b"") for signal in SIGNALS]


def no_json():
    return [Case(repr(body), signal, body, 400, says=None, as_json=True) for signal in SIGNALS for body in NO_JSON]


def json_envelopes():
    for signal, key in EMPTY_LIST.items():
        yield Case("empty object", signal, b"{}", as_json=True)
        yield Case("null for a list", signal, f'{{"{key}":null}}'.encode(), as_json=True)
        yield Case("empty list", signal, f'{{"{key}":[]}}'.encode(), as_json=True)
        yield Case("an object for a list", signal, f'{{"{key}":{{}}}}'.encode(), 400, says=key, as_json=True)


def cut_off():
    """Every prefix of two requests in a row: only between them it is one itself."""
    for signal in SIGNALS:
        first, second = ordinary(signal), ordinary(signal)
        whole = first + second
        for end in range(len(whole)):
            fits = end in {0, len(first)}
            yield Case(f"{end} bytes", signal, whole[:end], 200 if fits else 400, says="" if fits else None)


def trailing():
    for signal in SIGNALS:
        for end in (b"\x00", b"\xff", b"\x0a"):
            yield Case(repr(end), signal, ordinary(signal) + end, 400, says=None)


def malformed():
    broken = {
        "field number 0": tag(0, LENGTH) + b"\x00",
        "a field number beyond 2^29": tag(1 << 29, LENGTH) + b"\x00",
        "wire type 6": tag(1, 6) + b"\x00",
        "wire type 7": tag(1, 7) + b"\x00",
        "a varint of 11 bytes": tag(3, VARINT) + b"\xff" * 10 + b"\x01",
        "a length of 2 GiB": tag(1, LENGTH) + varint(1 << 31),
        "a length of 2^63": tag(1, LENGTH) + varint(1 << 63),
        "a group without an end": tag(9, GROUP) + b"\x08\x01",
        "an end without a group": tag(9, GROUP_END),
        "another group's end": tag(9, GROUP) + tag(8, GROUP_END),
        "50,000 groups": tag(9, GROUP) * 50_000,
        "half a fixed64": tag(9, FIXED64) + b"\x00" * 7,
        "half a fixed32": tag(9, FIXED32) + b"\x00" * 3,
    }
    for signal in SIGNALS:
        for name, body in broken.items():
            yield Case(name, signal, body, 400, says=None)
            yield Case(f"{name} behind a valid item", signal, ordinary(signal) + body, 400, says=None)


def other_wire_types():
    """A known field of another wire type is an unknown field, which every receiver ignores."""
    for signal in SIGNALS:
        yield Case("varint", signal, tag(1, VARINT) + b"\x05")
        yield Case("fixed64", signal, tag(1, FIXED64) + bytes(8))
        yield Case("fixed32", signal, tag(1, FIXED32) + bytes(4))
        yield Case("a group", signal, tag(1, GROUP) + b"\x08\x01" + tag(1, GROUP_END))
    # the engine takes none of these as they are: the writer finds them in the segment, and stores them all the same
    for signal, swapped in (("metrics", tag(1, VARINT) + b"\x05"), ("logs", tag(1, GROUP) + tag(1, GROUP_END))):
        yield Case("behind a valid item", signal, ordinary(signal) + swapped)
    for number, wire_type, payload in ((7, VARINT, b"\x07"), (9, FIXED32, b"abcd")):
        body = enveloped(OTLP.span().SerializeToString() + tag(number, wire_type) + payload)
        yield Case(f"a span's field {number} as {wire_type}", "traces", body)


def in_a_row():
    return [Case("two requests", signal, ordinary(signal) + rich(signal)) for signal in SIGNALS]


BAD_UTF8 = {
    "overlong": b"\xc0\x80",
    "a lone surrogate": b"\xed\xa0\x80",
    "no lead": b"\xff\xfe",
    "cut off": b"\xe2\x82",
}


def invalid_utf8():
    """Bytes stand in for text wherever OTLP has strings; the valid span beside them must not be lost."""
    for name, bad in BAD_UTF8.items():
        good = OTLP.span().SerializeToString()
        named = without_name(OTLP.span()) + field(5, b"GET /" + bad)
        yield Case(f"{name} in a span's name", "traces", enveloped(named, good), says="UTF-8")
        for place, extra in in_strings(bad).items():
            yield Case(f"{name} in {place}", "traces", enveloped(OTLP.span().SerializeToString() + extra), says=None)
        resource = field(1, field(1, field(1, b"service.name") + field(2, field(1, bad))))
        body = field(1, resource + field(2, field(2, OTLP.span().SerializeToString())))
        yield Case(f"{name} in service.name", "traces", body, says=None)
        point = field(5, field(1, number_point().SerializeToString()))
        metric = field(1, field(2, field(2, field(1, b"m" + bad) + field(2, bad) + field(3, bad) + point)))
        yield Case(f"{name} in a metric", "metrics", metric, says=None)
        record = log_record().SerializeToString() + field(3, bad) + field(5, field(1, bad)) + field(12, bad)
        yield Case(f"{name} in a log record", "logs", enveloped(record), says=None)


def without_name(span):
    span.ClearField("name")
    return span.SerializeToString()


def in_strings(bad):
    """Return parts of a span that hold *bad* where text belongs."""
    return {
        "a key": field(9, field(1, b"k" + bad) + field(2, field(1, b"v"))),
        "a value": field(9, field(1, b"http.route") + field(2, field(1, bad))),
        "the trace state": field(3, bad),
        "the status": field(15, field(2, bad) + tag(3, VARINT) + b"\x02"),
        "an event": field(11, field(2, bad) + field(3, field(1, bad))),
        "a link": field(13, field(1, b"l" * 16) + field(2, b"m" * 8) + field(3, bad)),
    }


def odd_text():
    yield Case("NUL and a right-to-left mark", "traces", OTLP.traces(OTLP.span("a\0b\u202ec")))
    yield Case("a name of 1 MiB", "traces", OTLP.traces(OTLP.span("é" * (1 << 19))), says="cut to 1,024")
    yield Case("a key of 64 KiB", "traces", OTLP.traces(OTLP.span(attributes={"k" * 65536: 1})), says="cut to 255")
    script = "<script>alert(1)</script>"
    yield Case(
        "markup", "traces", OTLP.traces(OTLP.span(script, attributes={"http.route": script, script: 1}), service=script)
    )
    yield Case("markup in a log", "logs", logs_request(log_record(script), service=script).SerializeToString())
    yield Case("NUL in a metric", "metrics", metrics_body(number_point(), name="a\0\u202eb", unit="\0"))


def bad_ids():
    good = OTLP.span()
    bad = [OTLP.span(trace_id=value) for value in (b"", b"x" * 15, b"x" * 17, bytes(16), b"x" * 5000)]
    bad += [OTLP.span(span_id=value) for value in (b"", b"x" * 9, b"x" * 7, bytes(8))]
    for number, span in enumerate(bad):
        yield Case(f"alone {number}", "traces", OTLP.traces(span), 400, says="id of")
        yield Case(
            f"beside a valid one {number}", "traces", OTLP.traces(OTLP.span(), span, OTLP.span()), 200, 1, "id of"
        )
    yield Case("all of them and a valid one", "traces", OTLP.traces(*bad, good), 200, len(bad), "id of")
    odd = [log_record(trace_id=b"x" * 15), log_record(span_id=b"x" * 9), log_record()]
    yield Case(
        "of logs, which are no reason to lose them", "logs", logs_request(*odd).SerializeToString(), says="cleared"
    )


def odd_parents():
    trace, ids = os.urandom(16), [os.urandom(8) for _ in range(3)]
    yield Case("its own parent", "traces", OTLP.traces(OTLP.span(trace_id=trace, span_id=ids[0], parent=ids[0])))
    cycle = [OTLP.span(trace_id=trace, span_id=a, parent=b) for a, b in zip(ids, ids[1:] + ids[:1], strict=True)]
    yield Case("a cycle", "traces", OTLP.traces(*cycle))
    twin = OTLP.span()
    yield Case("twins", "traces", OTLP.traces(twin, twin))
    yield Case("a parent of 3 bytes", "traces", OTLP.traces(OTLP.span(parent=b"abc")), says=None)


def other_signals():
    for sent in SIGNALS:
        for signal in SIGNALS:
            if sent != signal:
                yield Case(f"{sent} sent as {signal}", signal, rich(sent), 400, says=f"/v1/{sent}")
    passing = metrics_body(number_point(), name="a name of 16 by.", unit="s")
    yield Case("a metric whose name is as long as a trace id", "traces", passing, 400, says="/v1/metrics")


ODD_TIMES_NS = {
    "0": 0,
    "1": 1,
    "2^63": 1 << 63,
    "2^64 - 1": (1 << 64) - 1,
    "the year 2339": 369 * 365 * DAY_S * 10**9,
    "the year 1971": 400 * DAY_S * 10**9,
}


def odd_times():
    now = time.time_ns()
    for name, moment in (ODD_TIMES_NS | {"tomorrow": now + DAY_S * 10**9}).items():
        yield Case(f"start {name}", "traces", OTLP.traces(OTLP.span(start_ns=moment, end_time_unix_nano=now)))
        yield Case(f"end {name}", "traces", OTLP.traces(OTLP.span(end_time_unix_nano=moment)))
        event = Span.Event(time_unix_nano=moment, name="e")
        yield Case(f"event {name}", "traces", OTLP.traces(OTLP.span(events=[event])))
        record = log_record(time_unix_nano=moment, observed_time_unix_nano=moment)
        yield Case(f"log {name}", "logs", logs_request(record, log_record()).SerializeToString())
        if moment:
            yield Case(f"point {name}", "metrics", metrics_body(number_point(time_unix_nano=moment)))
    both = OTLP.span(start_ns=(1 << 64) - 1, end_time_unix_nano=(1 << 64) - 1)
    yield Case("start and end 2^64 - 1", "traces", OTLP.traces(both))


def nested(depth, kind):
    found = b"\x0a\x01x"
    for _ in range(depth):
        found = field(5, field(1, found)) if kind == "arrays" else field(6, field(1, field(1, b"k") + field(2, found)))
    return field(9, field(1, b"deep") + field(2, found))


def deep():
    for kind, fits in (("arrays", 45), ("maps", 30)):
        for depth in (1, fits, 100, 5000):
            body = enveloped(OTLP.span().SerializeToString() + nested(depth, kind))
            wanted = 200 if depth <= fits else 400
            yield Case(f"{depth} {kind}", "traces", body, wanted, says="" if depth <= fits else "nested")
    value = b'{"arrayValue":{"values":[' * 2000 + b"]}}" * 2000
    body = json_traces(json_span(attributes=[{"key": "deep", "value": "@"}])).replace(b'"@"', value)
    yield Case("2,000 in JSON", "traces", body, 400, says=None, as_json=True)
    yield Case("100,000 brackets", "traces", b"[" * 100_000, 400, says=None, as_json=True)
    yield Case("100,000 objects", "logs", b'{"a":' * 100_000 + b"1" + b"}" * 100_000, 400, says=None, as_json=True)


def too_many_attributes():
    many = b"".join(field(9, field(1, b"k%d" % number)) for number in range(100_000))
    yield Case("100,000 on a span", "traces", enveloped(OTLP.span().SerializeToString() + many), says="more than 128")


def twice_the_same_key():
    pairs = [*OTLP.pairs({"k": "first"}), *OTLP.pairs({"k": "last"})]
    span = OTLP.span("twice")
    span.attributes.extend(pairs)
    yield Case("of a span", "traces", OTLP.traces(span))
    yield Case("of a point", "metrics", metrics_body(number_point(attributes=pairs)))
    yield Case("of a record", "logs", logs_request(log_record(attributes=pairs)).SerializeToString())


ODD_SERVICES = {
    "empty": "",
    "integer": 7,
    "list": ["a"],
    "map": {"a": 1},
    "10 KB": "n" * 10_000,
    "bytes": b"x",
    "none": None,
}


def service_bodies(value, environment="odd"):
    """Return a body of each signal whose service.name is *value*."""
    logs, (points, listed) = logs_request(log_record()), OTLP.metrics_request()
    listed.add(name="m").gauge.data_points.append(number_point())
    spans = OTLP.request(OTLP.span())
    named = OTLP.pairs({"service.name": value, "deployment.environment.name": environment})
    for group in (spans.resource_spans[0], points.resource_metrics[0], logs.resource_logs[0]):
        del group.resource.attributes[:]
        group.resource.attributes.extend(named)
    return {
        "traces": spans.SerializeToString(),
        "metrics": points.SerializeToString(),
        "logs": logs.SerializeToString(),
    }


def odd_services():
    for name, value in ODD_SERVICES.items():
        for signal, body in service_bodies(value).items():
            yield Case(f"{name} of {signal}", signal, body)
    yield Case("no resource", "traces", enveloped(OTLP.span().SerializeToString()))


def empty_items():
    """2 million empty items in 4 MB: parsed they would take hundreds of megabytes."""
    for signal in ("traces", "logs"):
        yield Case("2,000,000 empty items", signal, field(1, field(2, b"\x12\x00" * 2_000_000)), 413, says="limit")
    points = field(5, b"\x0a\x00" * 2_000_000)
    yield Case("2,000,000 empty items", "metrics", field(1, field(2, field(2, points))), 413, says="limit")
    for count in (1_000_000, 2_000_000):
        yield Case(f"{count:,} empty envelopes", "traces", b"\x0a\x00" * count, 413, says="resources and scopes")


def histogram(**fields):
    found = {"time_unix_nano": OTLP.ago_ns(seconds=30), "count": 3, "bucket_counts": [1, 2], "explicit_bounds": [1]}
    return HistogramDataPoint(**(found | {"attributes": OTLP.pairs({"id": os.urandom(4).hex()})} | fields))


def exponential(**fields):
    side = {"offset": fields.pop("offset", 0), "bucket_counts": fields.pop("buckets", [1, 2])}
    found = {"time_unix_nano": OTLP.ago_ns(seconds=30), "count": 3, "scale": 0, "positive": side}
    return ExponentialHistogramDataPoint(**(found | {"attributes": OTLP.pairs({"id": os.urandom(4).hex()})} | fields))


REJECTED_POINTS = {
    ("gauge", "without a value"): lambda: number_point(None),
    ("gauge", "without a time"): lambda: number_point(time_unix_nano=0),
    ("sum", "a start after the time"): lambda: number_point(start_time_unix_nano=time.time_ns() + 10**12),
    ("histogram", "bounds that do not increase"): lambda: histogram(
        bucket_counts=[1, 1, 1], explicit_bounds=[2, 1], count=3
    ),
    ("histogram", "equal bounds"): lambda: histogram(bucket_counts=[1, 1, 1], explicit_bounds=[1, 1], count=3),
    ("histogram", "a bound that is no number"): lambda: histogram(explicit_bounds=[float("nan")]),
    ("histogram", "too few buckets"): lambda: histogram(bucket_counts=[3]),
    ("histogram", "too many buckets"): lambda: histogram(bucket_counts=[1, 1, 1]),
    ("histogram", "buckets that do not add up"): lambda: histogram(count=4),
    ("histogram", "a count of 2^64 - 1"): lambda: histogram(count=(1 << 64) - 1, bucket_counts=[], explicit_bounds=[]),
    ("histogram", "a million buckets"): lambda: histogram(
        count=10**6, bucket_counts=[1] * 10**6, explicit_bounds=list(range(10**6 - 1))
    ),
    ("exponential_histogram", "scale 127"): lambda: exponential(scale=127),
    ("exponential_histogram", "scale -127"): lambda: exponential(scale=-127),
    ("exponential_histogram", "an offset of 2^31 - 1"): lambda: exponential(offset=(1 << 31) - 1),
    ("exponential_histogram", "a million buckets"): lambda: exponential(count=10**6, buckets=[1] * 10**6),
    ("exponential_histogram", "buckets that do not add up"): lambda: exponential(count=9),
    ("summary", "without a time"): lambda: summary(time_unix_nano=0),
    ("summary", "a count of 2^63"): lambda: summary(count=1 << 63),
}
ACCEPTED_POINTS = {
    ("gauge", "not a number"): lambda: number_point(float("nan")),
    ("gauge", "infinity"): lambda: number_point(float("inf")),
    ("gauge", "minus infinity"): lambda: number_point(float("-inf")),
    ("gauge", "minus zero"): lambda: number_point(-0.0),
    ("gauge", "the least integer"): lambda: number_point(-(1 << 63)),
    ("sum", "the greatest integer"): lambda: number_point((1 << 63) - 1),
    ("sum", "a start of 2^64 - 1"): lambda: number_point(
        start_time_unix_nano=(1 << 64) - 1, time_unix_nano=(1 << 64) - 1
    ),
    ("histogram", "no buckets"): lambda: histogram(bucket_counts=[], explicit_bounds=[]),
    ("histogram", "a count of 2^63 - 1"): lambda: histogram(
        count=(1 << 63) - 1, bucket_counts=[(1 << 63) - 1], explicit_bounds=[]
    ),
    ("histogram", "sums that are no numbers"): lambda: histogram(sum=float("nan"), min=float("inf"), max=float("-inf")),
    ("exponential_histogram", "an offset of -2^31"): lambda: exponential(offset=-(1 << 31)),
    ("exponential_histogram", "scale 20"): lambda: exponential(scale=20),
    ("exponential_histogram", "scale -10"): lambda: exponential(scale=-10),
    ("summary", "odd quantiles"): lambda: summary(
        quantile_values=[{"quantile": 7.0, "value": float("nan")}, {"quantile": float("-inf"), "value": 1.0}]
    ),
}


def summary(**fields):
    return SummaryDataPoint(**({"time_unix_nano": OTLP.ago_ns(seconds=30), "count": 3, "sum": 4.0} | fields))


def odd_points():
    good = {
        "gauge": number_point,
        "sum": number_point,
        "histogram": histogram,
        "exponential_histogram": exponential,
        "summary": summary,
    }
    for (kind, name), make in REJECTED_POINTS.items():
        yield Case(f"{kind}: {name}", "metrics", metrics_body(good[kind](), make(), kind=kind), 200, 1, "left out")
    for (kind, name), make in ACCEPTED_POINTS.items():
        yield Case(f"{kind}: {name}", "metrics", metrics_body(good[kind](), make(), kind=kind))
    for kind in ("sum", "histogram", "exponential_histogram"):
        for temporality in (0, 3, -1):
            body = metrics_body(good[kind](), kind=kind, temporality=temporality) + ordinary("metrics")
            yield Case(f"{kind} of temporality {temporality}", "metrics", body, 200, 1, "temporality")
    yield Case("a metric without data", "metrics", field(1, field(2, field(2, field(1, b"m")))))
    alone = metrics_body(number_point(None), kind="gauge")
    yield Case("nothing but bad points", "metrics", alone, 400, says="none of the 1 data points")


def type_flips():
    series = {"attributes": OTLP.pairs({"id": "one"})}
    yield Case("a sum", "metrics", metrics_body(number_point(1, **series), kind="sum", name="flip", unit="ms"))
    yield Case("now a gauge", "metrics", metrics_body(number_point(2, **series), name="flip", unit="ms"))
    yield Case("in seconds", "metrics", metrics_body(number_point(3, **series), kind="sum", name="flip", unit="s"))
    body = metrics_body(number_point(4, **series), kind="sum", name="flip", unit="ms", monotonic=False)
    yield Case("that may fall", "metrics", body)
    body = metrics_body(number_point(5, **series), kind="sum", name="flip", unit="ms", temporality=1)
    yield Case("of differences", "metrics", body)


def ended_series():
    for kind, point in (
        ("gauge", number_point(77.0, flags=1)),
        ("gauge", number_point(None, flags=1)),
        ("sum", number_point(-5, flags=1)),
        ("histogram", histogram(count=99, bucket_counts=[1], explicit_bounds=[3, 2, 1], flags=1)),
        ("exponential_histogram", exponential(count=99, scale=1000, flags=1)),
        ("summary", summary(count=1 << 63, flags=1)),
    ):
        yield Case(f"{kind}", "metrics", metrics_body(point, kind=kind, name=f"ended.{kind}"))


def bad_json_items():
    bad = {
        "an id of odd length": {"spanId": "abc"},
        "an id that is no hex": {"traceId": "z" * 32},
        "an id in base64": {"traceId": "W47/95gDgQPSabYzgT/GDA=="},
        "an id that is a number": {"spanId": 12345678},
        "kind 2.5": {"kind": 2.5},
        "kind true": {"kind": True},
        "nanos -1": {"startTimeUnixNano": "-1"},
        "nanos 1e3": {"startTimeUnixNano": "1e3"},
        "nanos 2^64": {"startTimeUnixNano": str(1 << 64)},
        "nanos that are a float": {"endTimeUnixNano": 1.5},
        "intValue 2^63": {"attributes": [{"key": "k", "value": {"intValue": str(1 << 63)}}]},
        "intValue 1.0": {"attributes": [{"key": "k", "value": {"intValue": 1.0}}]},
        "a name that is a number": {"name": 5},
        "an attribute that is a list": {"attributes": [[]]},
        "flags 2^32": {"flags": 1 << 32},
    }
    for name, change in bad.items():
        body = json_traces(json_span(), json_span(**change))
        yield Case(name, "traces", body, 200, 1, says=None, as_json=True)
        yield Case(f"{name}, alone", "traces", json_traces(json_span(**change)), 400, says=None, as_json=True)
    for name, change in {
        "a count that is negative": {"asInt": "-9223372036854775809", "asDouble": None},
        "two values": {"asInt": 1},
        "a time that is a float": {"timeUnixNano": 1.5},
    }.items():
        body = json_points(json_point(), json_point(**change))
        yield Case(name, "metrics", body, 200, 1, says=None, as_json=True)
    body = json_logs({"body": {"stringValue": "x"}}, {"severityNumber": 2.5})
    yield Case("a severity of 2.5", "logs", body, 200, 1, says=None, as_json=True)
    raw = json_traces(json_span()).replace(b'"kind": 2', b'"kind": NaN')
    yield Case("a raw NaN", "traces", raw, 400, says=None, as_json=True)


def odd_json_items():
    accepted = {
        "a kind by name": {"kind": "SPAN_KIND_SERVER"},
        "a kind of later versions": {"kind": 99},
        "numbers for 64 bits": {
            "startTimeUnixNano": time.time_ns(),
            "attributes": [{"key": "n", "value": {"intValue": 42}}],
        },
        "upper case": {"traceId": os.urandom(16).hex().upper()},
        "unknown keys": {"x": {"y": [1, None]}, "__proto__": {"a": 1}, "constructor": 1, "__class__": "x"},
        "null": {"kind": None, "attributes": None, "status": None, "events": None, "name": None},
        "no parent": {"parentSpanId": ""},
        "special numbers": {
            "attributes": [{"key": k, "value": {"doubleValue": k}} for k in ("NaN", "Infinity", "-Infinity")]
        },
        "bytes": {"attributes": [{"key": "b", "value": {"bytesValue": "AP8="}}]},
        "snake case": {"start_time_unix_nano": "5"},
    }
    for name, change in accepted.items():
        yield Case(name, "traces", json_traces(json_span(**change)), as_json=True)
    yield Case("a point", "metrics", json_points(json_point()), as_json=True)
    yield Case("a point of a string", "metrics", json_points({**json_point(), "asDouble": "NaN"}), as_json=True)
    yield Case("a record", "logs", json_logs({"body": {"stringValue": f"x{os.urandom(4).hex()}"}}), as_json=True)


TRACE_STATES = [
    "ot=th:zz",
    "ot=th:" + "f" * 15,
    "x" * 10_240,
    "ot=th:" + "f" * 14,
    "ot=th:",
    "ot=th:-1",
    "ot=;,=",
    "\0",
]


def odd_sampling():
    for number, state in enumerate(TRACE_STATES):
        yield Case(f"state {number}", "traces", OTLP.traces(OTLP.span("sampled", trace_state=state), service="sampled"))


ODD_CODES = ["abc", 0, 999, 1 << 40, -1, 200.5, True, "", ["x"], None, "5" * 100]


def odd_codes():
    for code in (7, -1, (1 << 31) - 1):
        yield Case(f"status {code}", "traces", enveloped(OTLP.span().SerializeToString() + status(code)))
    for kind in (99, -1, 6):
        other = OTLP.span(kind=0).SerializeToString() + tag(6, VARINT) + varint(kind & (1 << 64) - 1)
        yield Case(f"kind {kind}", "traces", enveloped(other))
    for code in ODD_CODES:
        span = OTLP.span("odd code", attributes={"http.response.status_code": code, "http.status_code": code})
        yield Case(f"HTTP {code!r:.20}", "traces", OTLP.traces(span, service="odd-codes"))
        span = OTLP.span("odd code", attributes={"rpc.grpc.status_code": code, "rpc.status_code": code})
        yield Case(f"gRPC {code!r:.20}", "traces", OTLP.traces(span, service="odd-rpc-codes"))


def status(code):
    return field(15, tag(3, VARINT) + varint(code & (1 << 64) - 1))


def sql_text():
    for text in SQL:
        span = OTLP.span(text, message=text, attributes={text: text, "http.route": text}, trace_state=text)
        yield Case(f"span {text!r}", "traces", OTLP.traces(span, service=text, environment=text, version=text))
        body = metrics_body(number_point(attributes=OTLP.pairs({text: text})), name=text, unit=text, service=text)
        yield Case(f"point {text!r}", "metrics", body)
        record = log_record(text, severity_text=text, attributes=OTLP.pairs({text: text}))
        yield Case(f"record {text!r}", "logs", logs_request(record, service=text).SerializeToString())


CASES = {
    1: zero_bytes,
    2: no_json,
    4: json_envelopes,
    5: cut_off,
    6: trailing,
    7: malformed,
    8: other_wire_types,
    9: in_a_row,
    10: invalid_utf8,
    11: odd_text,
    12: bad_ids,
    13: odd_parents,
    14: other_signals,
    15: odd_times,
    16: deep,
    17: too_many_attributes,
    18: twice_the_same_key,
    19: odd_services,
    35: odd_points,
    36: type_flips,
    37: ended_series,
    38: lambda: [*bad_json_items(), *odd_json_items()],
    39: odd_sampling,
    40: odd_codes,
    45: sql_text,
}
