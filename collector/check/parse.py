"""OTLP requests as upb messages whose strings are bytes."""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from collector.errors import BadPayload

OTLP_FILES = (
    common_pb2,
    resource_pb2,
    trace_pb2,
    trace_service_pb2,
    metrics_pb2,
    metrics_service_pb2,
    logs_pb2,
    logs_service_pb2,
)
REQUESTS = {
    "traces": "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest",
    "metrics": "opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest",
    "logs": "opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest",
}


def parse(signal: str, body: bytes) -> Any:
    """Return the parsed request of *signal*; its strings are bytes, so that invalid UTF-8 does not cost the batch.

    Raises:
        BadPayload: *body* is not a well-formed message.
    """
    request = _request_class(signal)()
    try:
        request.ParseFromString(body)
    except DecodeError as error:
        name = REQUESTS[signal].rpartition(".")[2]
        raise BadPayload(
            f"the body is not a protobuf {name} ({len(body)} bytes); was it cut off, or nested too deeply?"
        ) from error
    return request


def canonical(signal: str, body: bytes) -> bytes:
    """Return *body* without unknown or mistyped fields, for an engine that is stricter than protobuf."""
    request = parse(signal, body)
    request.DiscardUnknownFields()
    data: bytes = request.SerializeToString()
    return data


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
