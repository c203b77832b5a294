"""OTLP's messages, except for attributes, as writers made from the descriptors that OpenTelemetry publishes.

So there is no list of fields to maintain: a field that a later opentelemetry-proto adds is written as soon as it is
installed. Only the schema is used; no protobuf message is ever built.
"""

from functools import cache
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from collector.otlp_json import scalars
from collector.otlp_json.attributes import any_value, attributes, elements, key_value
from collector.otlp_json.scalars import InvalidValueError, Writer
from collector.otlp_json.wire import FIXED32, FIXED64, LENGTH, VARINT, sized, tag

HEXADECIMAL_FIELDS = frozenset({"trace_id", "span_id", "parent_span_id"})
ATTRIBUTE_MESSAGES: dict[str, Writer] = {
    "opentelemetry.proto.common.v1.AnyValue": any_value,
    "opentelemetry.proto.common.v1.KeyValue": key_value,
}
_SCALARS: dict[int, tuple[int, scalars.Scalar]] = {
    FieldDescriptor.TYPE_STRING: (LENGTH, scalars.text),
    FieldDescriptor.TYPE_BOOL: (VARINT, scalars.boolean),
    FieldDescriptor.TYPE_INT32: (VARINT, scalars.int32),
    FieldDescriptor.TYPE_INT64: (VARINT, scalars.int64),
    FieldDescriptor.TYPE_UINT32: (VARINT, scalars.uint32),
    FieldDescriptor.TYPE_UINT64: (VARINT, scalars.uint64),
    FieldDescriptor.TYPE_SINT32: (VARINT, scalars.sint32),
    FieldDescriptor.TYPE_FIXED32: (FIXED32, scalars.fixed32),
    FieldDescriptor.TYPE_FIXED64: (FIXED64, scalars.fixed64),
    FieldDescriptor.TYPE_SFIXED64: (FIXED64, scalars.sfixed64),
    FieldDescriptor.TYPE_DOUBLE: (FIXED64, scalars.double),
}


def field_names(field: Any) -> tuple[str, str]:
    """Return a field's key in OTLP/JSON and its name in the .proto.

    OTLP does not allow the second one as a key. It is read all the same, as the OpenTelemetry Collector does: to ignore
    it like an unknown key would drop the data of senders that use it and tell them that all is well.
    """
    return field.json_name, field.name


@cache
def message(descriptor: Any) -> Writer:
    """Return the writer of one message, from its JSON form to its bytes.

    The writer raises InvalidValueError with the path to the value.
    """
    return ATTRIBUTE_MESSAGES.get(descriptor.full_name) or message_without(descriptor, frozenset())


def message_without(descriptor: Any, left_out: frozenset[str]) -> Writer:
    """Return the writer of one message as `message` does, for all of its fields but those named in *left_out*."""
    written = [field for field in descriptor.fields if field.name not in left_out]
    fields = {name: _field(field) for field in written for name in field_names(field)}
    choices = _choices(descriptor)

    def write(value: Any) -> bytes:
        if type(value) is not dict:
            raise InvalidValueError(value, "is not an object")
        parts = []
        for key, content in value.items():
            field = fields.get(key)
            if field is not None and content is not None:
                try:
                    parts.append(field(content))
                except InvalidValueError as invalid:
                    raise invalid.below(key) from None
        if choices and len(found := [key for key in value if key in choices and value[key] is not None]) > 1:
            raise InvalidValueError(value, f"has more than one of {', '.join(found)}")
        return b"".join(parts)

    return write


def _choices(descriptor: Any) -> frozenset[str]:
    """Return the fields of which protobuf's JSON mapping allows one: OTLP's messages have one such group at most."""
    groups = [oneof.fields for oneof in descriptor.oneofs if len(oneof.fields) > 1]
    return frozenset(name for group in groups for field in group for name in field_names(field))


def _field(field: Any) -> Writer:
    """Return the writer of one field, from its JSON value, which is not null, to tag and content."""
    if field.message_type is not None:
        return _message_field(field)
    wire_type, scalar = _scalar(field)
    if not field.is_repeated:
        return scalar(tag(field.number, wire_type))
    if field.is_packed:
        return _packed(tag(field.number, LENGTH), scalar(b""))
    return _repeated(scalar(tag(field.number, wire_type)))


def _scalar(field: Any) -> tuple[int, scalars.Scalar]:
    if field.type == FieldDescriptor.TYPE_ENUM:
        return VARINT, scalars.enum({value.name: value.number for value in field.enum_type.values})
    if field.type == FieldDescriptor.TYPE_BYTES:
        return LENGTH, scalars.hexadecimal if field.name in HEXADECIMAL_FIELDS else scalars.base64
    return _SCALARS[field.type]


def _message_field(field: Any) -> Writer:
    lead, write = tag(field.number, LENGTH), message(field.message_type)
    if write is key_value:
        return lambda values: attributes(lead, values)
    if field.is_repeated:
        return lambda values: elements(lead, values, write)
    return lambda value: lead + sized(write(value))


def _packed(lead: bytes, write: Writer) -> Writer:
    """Return the writer of a list of numbers, which share one tag."""
    each = _repeated(write)
    return lambda values: lead + sized(each(values))


def _repeated(write: Writer) -> Writer:
    def write_all(values: Any) -> bytes:
        if type(values) is not list:
            raise InvalidValueError(values, "is not a list")
        parts: list[bytes] = []
        for value in values:
            try:
                parts.append(write(value))
            except InvalidValueError as invalid:
                raise invalid.below(len(parts)) from None
        return b"".join(parts)

    return write_all
