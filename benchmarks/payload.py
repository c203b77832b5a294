"""OTLP requests whose ids, times and request ids are fresh each time: templates are built once, then patched.

Repeated bodies would flatter everyone: they compress to almost nothing, and a collector that recognises a client's
retry does not store them at all.
"""

import os
import random
import struct
from dataclasses import dataclass

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

ATTRIBUTES = 12
SPANS_PER_TRACE = 8
TEMPLATES = 32
SERVICES = ("gateway", "orders", "catalog", "payments", "users", "search", "stock", "mail")
ROUTES = ("/items/{id}", "/orders", "/orders/{id}", "/cart", "/search", "/users/{id}", "/pay", "/health/deep")
METHODS = ("GET", "GET", "GET", "POST", "PUT")
KINDS = (Span.SPAN_KIND_SERVER, Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_INTERNAL)
ERROR_RATIO = 0.01
END_TAG = 0x41  # field 8, wire type 64 bit: what lies between a span's two times
TIMES = struct.Struct("<QBQ")


@dataclass(frozen=True, slots=True)
class Places:
    """Where one span's changing bytes lie in its template."""

    trace_id: int
    span_id: int
    parent_id: int
    times: int
    request_id: int


@dataclass(frozen=True, slots=True)
class Template:
    data: bytes
    places: tuple[Places, ...]

    def fresh(self, now_ns: int) -> bytes:
        """Return a request with new ids, whose spans ended within the second before *now_ns*."""
        body = bytearray(self.data)
        count = len(self.places)
        noise = memoryview(os.urandom(32 * count))
        jitter = memoryview(os.urandom(8 * count)).cast("I")
        trace = parent = noise[:0]
        for index, place in enumerate(self.places):
            span = noise[32 * index : 32 * index + 32]
            if index % SPANS_PER_TRACE == 0:
                trace, parent = span[:16], noise[:0]
            body[place.trace_id : place.trace_id + 16] = trace
            body[place.span_id : place.span_id + 8] = span[16:24]
            if parent:
                body[place.parent_id : place.parent_id + 8] = parent
            parent = span[16:24]
            body[place.request_id : place.request_id + 16] = span[24:32].hex().encode()
            end = now_ns - jitter[2 * index] % 1_000_000_000
            TIMES.pack_into(body, place.times, end - jitter[2 * index + 1] % 200_000_000, END_TAG, end)
        return bytes(body)


def build_templates(spans: int, *, count: int = TEMPLATES, seed: int = 1) -> list[Template]:
    """Return templates of *spans* spans with 12 attributes each, in turn from every one of SERVICES."""
    dice = random.Random(seed)
    return [_template(SERVICES[index % len(SERVICES)], spans, dice) for index in range(count)]


@dataclass(frozen=True, slots=True)
class Plan:
    """The templates of a run, in the order of its requests; the last one may be smaller."""

    templates: tuple[Template, ...]
    requests: int
    last: Template

    def template(self, number: int) -> Template:
        """Return the template of request *number*, counted from 0."""
        return self.last if number == self.requests - 1 else self.templates[number % len(self.templates)]


def plan(spans: int, batch: int) -> Plan:
    """Return the requests of *batch* spans, and one of the rest, that carry *spans* spans."""
    requests, rest = -(-spans // batch), spans % batch
    templates = tuple(build_templates(batch))
    return Plan(templates, requests, build_templates(rest, count=1)[0] if rest else templates[0])


def _template(service: str, spans: int, dice: random.Random) -> Template:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource_spans.resource.attributes.extend(_resource(service, dice))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = f"{service}.instrumentation"
    scope_spans.scope.version = "1.4.2"
    for index in range(spans):
        _fill(scope_spans.spans.add(), index, dice)
    return _located(request.SerializeToString(), scope_spans.spans)


def _fill(span: Span, index: int, dice: random.Random) -> None:
    """Give *span* its content. Every changing field holds random bytes, by which `_located` finds it."""
    method, route, status = dice.choice(METHODS), dice.choice(ROUTES), 500 if dice.random() < ERROR_RATIO else 200
    span.trace_id = os.urandom(16)
    span.span_id = os.urandom(8)
    if index % SPANS_PER_TRACE:
        span.parent_span_id = os.urandom(8)
    span.name = f"{method} {route}"
    span.kind = dice.choice(KINDS)
    span.start_time_unix_nano, span.end_time_unix_nano = dice.getrandbits(62), dice.getrandbits(62)
    span.attributes.extend(
        [
            _text("http.request.method", method),
            _text("http.route", route),
            _text("url.path", route.replace("{id}", str(dice.randrange(10_000)))),
            _number("http.response.status_code", status),
            _text("server.address", f"shop-{dice.randrange(4)}"),
            _number("server.port", 8080),
            _text("network.protocol.version", "1.1"),
            _text("user_agent.original", "python-httpx/0.28.1 (shop client)"),
            _text("request.id", os.urandom(8).hex()),
            _number("user.number", dice.randrange(100_000)),
            _flag("cache.hit", dice.random() < 0.9),
            _ratio("queue.wait_ms", dice.random() * 5),
        ]
    )
    assert len(span.attributes) == ATTRIBUTES
    if status == 500:
        span.status.code = Status.STATUS_CODE_ERROR


def _resource(service: str, dice: random.Random) -> list[KeyValue]:
    return [
        _text("service.name", service),
        _text("service.version", "2.7.1"),
        _text("service.instance.id", f"{service}-{dice.randrange(4)}"),
        _text("deployment.environment.name", "bench"),
        _text("telemetry.sdk.language", "python"),
    ]


def _located(data: bytes, spans: list[Span]) -> Template:
    """Return *data* with the places of what changes, found in order, so that a search never goes far."""
    places, start = [], 0
    for span in spans:
        start = data.index(span.trace_id, start)
        request_id = next(item.value.string_value for item in span.attributes if item.key == "request.id")
        places.append(
            Places(
                trace_id=start,
                span_id=data.index(span.span_id, start),
                parent_id=data.index(span.parent_span_id, start),
                times=data.index(TIMES.pack(span.start_time_unix_nano, END_TAG, span.end_time_unix_nano), start),
                request_id=data.index(request_id.encode(), start),
            )
        )
    return Template(data, tuple(places))


def _text(key: str, value: str) -> KeyValue:
    found = KeyValue(key=key)
    found.value.string_value = value
    return found


def _number(key: str, value: int) -> KeyValue:
    found = KeyValue(key=key)
    found.value.int_value = value
    return found


def _flag(key: str, value: bool) -> KeyValue:
    found = KeyValue(key=key)
    found.value.bool_value = value
    return found


def _ratio(key: str, value: float) -> KeyValue:
    found = KeyValue(key=key)
    found.value.double_value = value
    return found
