"""OTLP messages of stored bytes, with strings read as bytes: invalid UTF-8 in one of them must not cost the rest."""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2


def any_value_class() -> Any:
    return _message_class("opentelemetry.proto.common.v1.AnyValue")


def event_class() -> Any:
    return _message_class("opentelemetry.proto.trace.v1.Span.Event")


def link_class() -> Any:
    return _message_class("opentelemetry.proto.trace.v1.Span.Link")


@cache
def _message_class(name: str) -> Any:
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(name))


@cache
def _pool() -> Any:
    pool = descriptor_pool.DescriptorPool()
    for module in (common_pb2, resource_pb2, trace_pb2):
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
