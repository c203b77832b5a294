"""The one look that Python takes at a request: is it well formed, what is inside, are the ids valid."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from collector.errors import BadPayload

OTLP_FILES = (common_pb2, resource_pb2, trace_pb2, trace_service_pb2, metrics_pb2, metrics_service_pb2)
REQUESTS = {
    "traces": "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
    "metrics": "opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest",
}
NO_TRACE = bytes(16)
NO_SPAN = bytes(8)


@dataclass(frozen=True, slots=True)
class Checked:
    """A request that may be stored.

    Attributes:
        data: The bytes to store: the body as it came, or without its invalid spans.
        accepted: Spans or data points in *data*.
        rejected: Spans left out, reported to the client as a partial success.
        message: Why spans were left out.
    """

    data: bytes
    accepted: int
    rejected: int = 0
    message: str = ""


def check(signal: str, body: bytes) -> Checked:
    """Check one uncompressed OTLP request of *signal* ("traces" or "metrics").

    Raises:
        BadPayload: the bytes are no such request, or none of its spans has valid ids.
    """
    request = parse(signal, body)
    return _CHECKS[signal](request, body)


def parse(signal: str, body: bytes) -> Any:
    """Return the parsed request of *signal*; its strings are bytes, so that invalid UTF-8 does not cost the batch.

    Raises:
        BadPayload: *body* is not a well-formed message.
    """
    request = _request_class(signal)()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        raise BadPayload(
            f"the body is not a protobuf {REQUESTS[signal].rpartition('.')[2]} ({len(body)} bytes); "
            f"was it cut off, or is it another signal or JSON?"
        ) from error
    return request


def canonical(signal: str, body: bytes) -> bytes:
    """Return *body* without unknown or mistyped fields, for an engine that is stricter than protobuf."""
    request = parse(signal, body)
    request.DiscardUnknownFields()
    data: bytes = request.SerializeToString()
    return data


def _check_traces(request: Any, body: bytes) -> Checked:
    total = rejected = 0
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            spans = scope_spans.spans
            total += len(spans)
            bad = [index for index, span in enumerate(spans) if _ids_are_bad(span.trace_id, span.span_id)]
            for index in reversed(bad):
                del spans[index]
            rejected += len(bad)
    if not rejected:
        return Checked(body, total)
    if rejected == total:
        raise BadPayload(
            f"none of the {total} spans has a 16-byte trace id and an 8-byte span id, both not zero; "
            f"is this another signal?"
        )
    message = f"{rejected} of {total} spans have no 16-byte trace id and 8-byte span id that are not all zero"
    return Checked(request.SerializeToString(), total - rejected, rejected, message)


def _ids_are_bad(trace_id: bytes, span_id: bytes) -> bool:
    return len(trace_id) != 16 or len(span_id) != 8 or trace_id == NO_TRACE or span_id == NO_SPAN


def _check_metrics(request: Any, body: bytes) -> Checked:
    points = 0
    for resource_metrics in request.resource_metrics:
        for scope_metrics in resource_metrics.scope_metrics:
            for metric in scope_metrics.metrics:
                data = metric.WhichOneof("data")
                points += len(getattr(metric, data).data_points) if data else 0
    return Checked(body, points)


_CHECKS: dict[str, Callable[[Any, bytes], Checked]] = {"traces": _check_traces, "metrics": _check_metrics}


@cache
def _request_class(signal: str) -> type[Any]:
    kind: type[Any] = message_factory.GetMessageClass(_lenient_pool().FindMessageTypeByName(REQUESTS[signal]))
    return kind


@cache
def _lenient_pool() -> Any:
    """Return OTLP's own descriptors with every string field read as bytes: upb then does not check UTF-8."""
    pool = descriptor_pool.DescriptorPool()
    for module in OTLP_FILES:
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            _strings_to_bytes(message)
        pool.Add(file)
    return pool


def _strings_to_bytes(message: Any) -> None:
    for field in message.field:
        if field.type == field.TYPE_STRING:
            field.type = field.TYPE_BYTES
    for nested in message.nested_type:
        _strings_to_bytes(nested)
