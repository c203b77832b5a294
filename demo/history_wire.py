"""Spans as OTLP messages, fast enough for days of them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from demo.history_shapes import CLIENT_SCOPE, SERVER_SCOPE, Shape, Value, key_value
from demo.shop import SERVICES, VERSION
from demo.telemetry import resource


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a span failed. `exception` and `message` are of the exception that it recorded."""

    exception: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Interval:
    """When a span was open, in unix nanoseconds."""

    start_ns: int
    end_ns: int

    def inner(self, before_ns: int, length_ns: int) -> "Interval":
        """Return a child's interval: `length_ns` long, `before_ns` after this one's start."""
        return Interval(self.start_ns + before_ns, self.start_ns + before_ns + length_ns)


@dataclass(frozen=True, slots=True)
class TraceWriter:
    """One trace that is being written: its id and the request that its spans go to."""

    trace_id: bytes
    request: "RequestBuilder"

    def add(
        self,
        shape: Shape,
        parent: bytes,
        when: Interval,
        attributes: Mapping[str, Value],
        failed: Failed | None = None,
    ) -> bytes:
        """Add one span and return its id."""
        span = self.request.scope(shape).spans.add()
        span.MergeFromString(shape.template)
        span.trace_id = self.trace_id
        span.span_id = os.urandom(8)
        span.parent_span_id = parent
        span.start_time_unix_nano = when.start_ns
        span.end_time_unix_nano = when.end_ns
        span.attributes.extend([key_value(key, value) for key, value in attributes.items()])
        if failed is not None:
            _fail(span, shape, when, failed)
        self.request.spans += 1
        span_id: bytes = span.span_id
        return span_id


def _fail(span: Any, shape: Shape, when: Interval, failed: Failed) -> None:
    span.status.code = Status.STATUS_CODE_ERROR
    if not failed.exception:
        return
    if shape.scope != SERVER_SCOPE:
        span.status.message = f"{failed.exception.rpartition('.')[2]}: {failed.message}"
    event = span.events.add(name="exception", time_unix_nano=when.end_ns)
    recorded = {"exception.type": failed.exception, "exception.message": failed.message, "exception.escaped": "False"}
    recorded["exception.stacktrace"] = f"Traceback (most recent call last):\n{failed.exception}: {failed.message}\n"
    event.attributes.extend([key_value(key, value) for key, value in recorded.items()])


@dataclass(slots=True)
class RequestBuilder:
    """Collects traces and hands them out as one ExportTraceServiceRequest."""

    environment: str
    spans: int = 0
    _request: Any = None
    _scopes: dict[tuple[str, str], Any] = field(default_factory=dict)

    def trace(self) -> TraceWriter:
        """Begin a trace with a fresh id in this request."""
        if self._request is None:
            self._open()
        return TraceWriter(os.urandom(16), self)

    def scope(self, shape: Shape) -> Any:
        """Return the ScopeSpans that spans of `shape` belong to."""
        return self._scopes[shape.service, shape.scope]

    def take(self) -> bytes:
        """Return the request as it stands, serialised, and begin a new one."""
        if self._request is None:
            return b""
        body: bytes = self._request.SerializeToString()
        self._request, self.spans = None, 0
        return body

    def _open(self) -> None:
        self._request = ExportTraceServiceRequest()
        for service in SERVICES:
            per_service = self._request.resource_spans.add()
            described = resource(service, self.environment).attributes
            per_service.resource.attributes.extend([key_value(key, str(value)) for key, value in described.items()])
            for scope in (SERVER_SCOPE, CLIENT_SCOPE, f"shop.{service}"):
                opened = per_service.scope_spans.add()
                opened.scope.name = scope
                opened.scope.version = VERSION if scope.startswith("shop.") else version(scope.replace(".", "-"))
                self._scopes[service, scope] = opened
