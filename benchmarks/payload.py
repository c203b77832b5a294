"""OTLP requests whose ids, times and request ids are fresh each time: templates are built once, then patched.

A request id belongs to its trace, as in services that pass it on; every span has its own ids and times.

Repeated bodies would flatter everyone: they compress to almost nothing, and a collector that recognises a client's
retry does not store them at all.
"""

import os
import random
import struct
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray
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
SIZES = {"trace_ids": 16, "span_ids": 8, "parent_ids": 8, "request_ids": 16, "starts": 8, "ends": 8}

Indices: TypeAlias = NDArray[np.intp]


class Body(Protocol):
    """What a load sends: *items* spans or data points."""

    @property
    def items(self) -> int: ...

    def fresh(self, now_ns: int) -> bytes:
        """Return a request as nobody has sent it before, whose times lie just before *now_ns*."""


@dataclass(frozen=True, slots=True)
class Template:
    """A request and where the changing bytes of its spans lie: an array for each field, with a row for each span.

    Attributes:
        traces: The number of its trace, for each span.
        children: The spans that have a parent, which is the span before them.
    """

    data: bytes
    items: int
    traces: Indices
    children: Indices
    trace_ids: Indices
    span_ids: Indices
    parent_ids: Indices
    request_ids: Indices
    starts: Indices
    ends: Indices

    def fresh(self, now_ns: int) -> bytes:
        """Return a request with new ids, whose spans ended within the second before *now_ns*."""
        body = np.frombuffer(self.data, np.uint8).copy()
        spans, traces = noise(self.items, 16), noise(self.traces[-1] + 1, 24)
        request_ids = np.frombuffer(traces[:, 16:].tobytes().hex().encode(), np.uint8).reshape(-1, 16)
        jitter = spans[:, 8:].copy().view(np.uint32).astype(np.uint64)
        ends = now_ns - jitter[:, 0] % 1_000_000_000
        body[self.trace_ids] = traces[self.traces, :16]
        body[self.span_ids] = spans[:, :8]
        body[self.parent_ids] = spans[self.children - 1, :8]
        body[self.request_ids] = request_ids[self.traces]
        body[self.starts] = as_bytes(ends - jitter[:, 1] % 200_000_000)
        body[self.ends] = as_bytes(ends)
        return body.tobytes()


def build_templates(spans: int, *, count: int = TEMPLATES, seed: int = 1) -> list[Template]:
    """Return templates of *spans* spans with 12 attributes each, in turn from every one of SERVICES."""
    dice = random.Random(seed)
    return [_template(SERVICES[index % len(SERVICES)], spans, dice) for index in range(count)]


@dataclass(frozen=True, slots=True)
class Plan:
    """The templates of a run, in the order of its requests; the last one may be smaller."""

    signal: str
    templates: tuple[Body, ...]
    requests: int
    last: Body

    @property
    def item_bytes(self) -> float:
        """Bytes of one span or point in a request."""
        return len(self.templates[0].fresh(0)) / self.templates[0].items

    def template(self, number: int) -> Body:
        """Return the template of request *number*, counted from 0."""
        return self.last if number == self.requests - 1 else self.templates[number % len(self.templates)]


def plan(spans: int, batch: int) -> Plan:
    """Return the requests of *batch* spans, and one of the rest, that carry *spans* spans."""
    requests, rest = -(-spans // batch), spans % batch
    templates = tuple(build_templates(batch))
    last = build_templates(rest, count=1)[0] if rest else templates[(requests - 1) % TEMPLATES]
    return Plan("traces", templates, requests, last)


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
            text("http.request.method", method),
            text("http.route", route),
            text("url.path", route.replace("{id}", str(dice.randrange(10_000)))),
            _number("http.response.status_code", status),
            text("server.address", f"shop-{dice.randrange(4)}"),
            _number("server.port", 8080),
            text("network.protocol.version", "1.1"),
            text("user_agent.original", "python-httpx/0.28.1 (shop client)"),
            text("request.id", os.urandom(8).hex()),
            _number("user.number", dice.randrange(100_000)),
            _flag("cache.hit", dice.random() < 0.9),
            _ratio("queue.wait_ms", round(dice.random() * 5, 3)),
        ]
    )
    assert len(span.attributes) == ATTRIBUTES
    if status == 500:
        span.status.code = Status.STATUS_CODE_ERROR


def _resource(service: str, dice: random.Random) -> list[KeyValue]:
    return [
        text("service.name", service),
        text("service.version", "2.7.1"),
        text("service.instance.id", f"{service}-{dice.randrange(4)}"),
        text("deployment.environment.name", "bench"),
        text("telemetry.sdk.language", "python"),
    ]


def _located(data: bytes, spans: Sequence[Span]) -> Template:
    """Return *data* with the places of what changes, found in order, so that a search never goes far."""
    places: dict[str, list[int]] = defaultdict(list)
    start = 0
    for span in spans:
        start = data.index(span.trace_id, start)
        request_id = next(item.value.string_value for item in span.attributes if item.key == "request.id")
        times = data.index(TIMES.pack(span.start_time_unix_nano, END_TAG, span.end_time_unix_nano), start)
        places["trace_ids"].append(start)
        places["span_ids"].append(data.index(span.span_id, start))
        if span.parent_span_id:
            places["parent_ids"].append(data.index(span.parent_span_id, start))
        places["request_ids"].append(data.index(request_id.encode(), start))
        places["starts"].append(times)
        places["ends"].append(times + 9)
    numbers = np.arange(len(spans))
    return Template(
        data=data,
        items=len(spans),
        traces=numbers // SPANS_PER_TRACE,
        children=numbers[numbers % SPANS_PER_TRACE > 0],
        **{field: rows(places[field], size) for field, size in SIZES.items()},
    )


def rows(starts: Sequence[int], size: int) -> Indices:
    """Return the indices of the *size* bytes from each of *starts*."""
    return np.array(starts, np.intp).reshape(-1, 1) + np.arange(size)


def noise(count: int, size: int) -> NDArray[np.uint8]:
    """Return *count* rows of *size* random bytes."""
    return np.frombuffer(os.urandom(count * size), np.uint8).reshape(count, size)


def as_bytes(values: NDArray[np.uint64] | NDArray[np.float64]) -> NDArray[np.uint8]:
    """Return 8 bytes for each value, little end first."""
    return values.view(np.uint8).reshape(-1, 8)


def text(key: str, value: str) -> KeyValue:
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
