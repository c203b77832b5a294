"""Values that every signal has: text, times, keys and the names of services."""

import time

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.integration.otlp_bodies import OTLP, Case, log_record, logs_request, metrics_body, number_point
from tests.integration.otlp_wire import VARINT, enveloped, field, tag

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


def sql_text():
    for text in SQL:
        span = OTLP.span(text, message=text, attributes={text: text, "http.route": text}, trace_state=text)
        yield Case(f"span {text!r}", "traces", OTLP.traces(span, service=text, environment=text, version=text))
        body = metrics_body(number_point(attributes=OTLP.pairs({text: text})), name=text, unit=text, service=text)
        yield Case(f"point {text!r}", "metrics", body)
        record = log_record(text, severity_text=text, attributes=OTLP.pairs({text: text}))
        yield Case(f"record {text!r}", "logs", logs_request(record, service=text).SerializeToString())
