"""OTLP messages with strings read as bytes: invalid UTF-8 in one of them must not cost the rest."""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

# each after those that it imports
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


def any_value_class() -> Any:
    return message_class("opentelemetry.proto.common.v1.AnyValue")


def event_class() -> Any:
    return message_class("opentelemetry.proto.trace.v1.Span.Event")


def link_class() -> Any:
    return message_class("opentelemetry.proto.trace.v1.Span.Link")


@cache
def message_class(name: str) -> Any:
    """Return the class of the OTLP message of this full name."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(name))


@cache
def _pool() -> Any:
    """Return OTLP's own descriptors with every string field read as bytes: upb then does not check UTF-8."""
    pool = descriptor_pool.DescriptorPool()
    for module in OTLP_FILES:
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            _read_strings_as_bytes(message)
        pool.Add(file)
    return pool


def _read_strings_as_bytes(message: Any) -> None:
    for field in message.field:
        if field.type == field.TYPE_STRING:
            field.type = field.TYPE_BYTES
    for nested in message.nested_type:
        _read_strings_as_bytes(nested)
