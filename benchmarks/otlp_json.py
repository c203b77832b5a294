"""How many spans of OTLP/JSON one CPU second turns into protobuf: `python -m benchmarks.otlp_json`.

Every request has fresh ids and is encoded once, as in benchmarks.payload. The peers run in the same process on the same
requests: orjson alone is the floor, and protobuf's own JSON parser, which reads trace ids as base64 and so does not
conform to OTLP, is what one would use instead. The best round of each counts: neighbours on the machine slow rounds
down, and nothing makes one faster.
"""

import argparse
import json
import time
from collections.abc import Callable

import orjson
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.payload import ATTRIBUTES, build_templates
from collector.otlp_json.encode import encode

SPANS = 512
REQUESTS = 32
ROUNDS = 5
JSON_FORMAT_REQUESTS = 2  # it needs a hundred times as long


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS, help="the best of so many is reported")
    rounds = parser.parse_args().rounds
    found: dict[str, list[float]] = {"encode": [], "orjson": [], "json_format": []}
    for _ in range(rounds):
        bodies = fresh_bodies(REQUESTS)
        found["encode"].append(spans_per_cpu_s(lambda body: encode("traces", body), bodies))
        found["orjson"].append(spans_per_cpu_s(orjson.loads, bodies))
        found["json_format"].append(spans_per_cpu_s(_json_format, bodies[:JSON_FORMAT_REQUESTS]))
    report({peer: max(rates) for peer, rates in found.items()}, len(bodies[0]))


def report(rates: dict[str, float], body_bytes: int) -> None:
    print(
        f"{SPANS} spans x {ATTRIBUTES} attributes, {body_bytes / 1000:.0f} kB of JSON a request; spans per CPU second:"
    )
    labels = {
        "encode": "collector.otlp_json.encode.encode",
        "orjson": "orjson.loads alone: the floor, nothing is encoded",
        "json_format": "google.protobuf json_format.Parse: not conforming, reads hexadecimal ids as base64",
    }
    for peer, label in labels.items():
        print(f"  {rates[peer]:>9,.0f}  {1e6 / rates[peer]:>6.1f} us a span  {label}")
    result = {
        "json_spans_per_cpu_s": round(rates["encode"]),
        "orjson_loads_spans_per_cpu_s": round(rates["orjson"]),
        "json_format_not_conforming_spans_per_cpu_s": round(rates["json_format"]),
    }
    print(json.dumps(result))


def spans_per_cpu_s(work: Callable[[bytes], object], bodies: list[bytes]) -> float:
    before = time.process_time()
    for body in bodies:
        work(body)
    return len(bodies) * SPANS / (time.process_time() - before)


def fresh_bodies(count: int) -> list[bytes]:
    """Return *count* requests in OTLP/JSON, as the JavaScript exporter writes them: 64-bit times are strings."""
    return [as_json(template.fresh(time.time_ns())) for template in build_templates(SPANS, count=count)]


def as_json(body: bytes) -> bytes:
    request = ExportTraceServiceRequest.FromString(body)
    return orjson.dumps(
        {
            "resourceSpans": [
                {
                    "resource": {"attributes": _attributes(resource_spans.resource.attributes)},
                    "scopeSpans": [
                        {
                            "scope": {"name": scope_spans.scope.name, "version": scope_spans.scope.version},
                            "spans": [_span(span) for span in scope_spans.spans],
                        }
                        for scope_spans in resource_spans.scope_spans
                    ],
                }
                for resource_spans in request.resource_spans
            ]
        }
    )


def _span(span: Span) -> dict[str, object]:
    written: dict[str, object] = {"traceId": span.trace_id.hex(), "spanId": span.span_id.hex()}
    if span.parent_span_id:
        written["parentSpanId"] = span.parent_span_id.hex()
    return written | {
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.start_time_unix_nano),
        "endTimeUnixNano": str(span.end_time_unix_nano),
        "attributes": _attributes(span.attributes),
        "droppedAttributesCount": 0,
        "events": [],
        "droppedEventsCount": 0,
        "status": {"code": span.status.code},
        "links": [],
        "droppedLinksCount": 0,
    }


def _attributes(attributes: list[KeyValue]) -> list[dict[str, object]]:
    return [{"key": item.key, "value": _value(item)} for item in attributes]


def _value(item: KeyValue) -> dict[str, object]:
    member = item.value.WhichOneof("value")
    assert member is not None, f"the standard payload has no attribute without a value, but {item.key}"
    value = getattr(item.value, member)
    names = {"string_value": "stringValue", "int_value": "intValue", "bool_value": "boolValue"}
    return {names.get(member, "doubleValue"): str(value) if member == "int_value" else value}


def _json_format(body: bytes) -> object:
    return json_format.Parse(body, ExportTraceServiceRequest(), ignore_unknown_fields=True)


if __name__ == "__main__":
    main()
