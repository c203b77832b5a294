"""Bodies in JSON: no JSON, odd envelopes, bad items, and odd ones that are accepted."""

import os
import time

from tests.integration.otlp_bodies import SIGNALS, Case, json_logs, json_point, json_points, json_span, json_traces

EMPTY_LIST = {"traces": "resourceSpans", "metrics": "resourceMetrics", "logs": "resourceLogs"}
NO_JSON = [b"", b"null", b"[]", b"1234", b'"x"', b"\xef\xbb\xbf{}", b"{} x", b"{", b"\x00"]


def no_json():
    return [Case(repr(body), signal, body, 400, says=None, as_json=True) for signal in SIGNALS for body in NO_JSON]


def json_envelopes():
    for signal, key in EMPTY_LIST.items():
        yield Case("empty object", signal, b"{}", as_json=True)
        yield Case("null for a list", signal, f'{{"{key}":null}}'.encode(), as_json=True)
        yield Case("empty list", signal, f'{{"{key}":[]}}'.encode(), as_json=True)
        yield Case("an object for a list", signal, f'{{"{key}":{{}}}}'.encode(), 400, says=key, as_json=True)


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
