"""Ids and names of the spans of a request, seen without an object for each span.

The body is parsed a second time by descriptors that know nothing but ids, and a third time by ones that know nothing
but names: everything else is skipped by its length. Written out again, good spans lie there like the rows of a table,
so that a few operations over all bytes tell whether every single one is good. Looking at each span in Python costs
three times as much.
"""

from functools import cache
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

NO_TRACE_ID = b"\x0a\x10" + bytes(16)
NO_SPAN_ID = b"\x12\x08" + bytes(8)
ROW = 30  # bytes of a span: tag and length of the span, the trace id, the span id
# the bytes of a row that are the same in all of them, by position
FRAME = {0: 0x12, 1: ROW - 2, 2: 0x0A, 3: 16, 20: 0x12, 21: 8}

_Field = descriptor_pb2.FieldDescriptorProto


def ids_are_sound(body: bytes) -> bool:
    """Tell whether each span of a well-formed traces request has ids of 16 and 8 bytes that are not all zero.

    False may be wrong: ids that hold what begins like an id of zeros look like one. Then look at each.
    """
    request = _request_class(trace_id=1, span_id=2).FromString(body)
    request.DiscardUnknownFields()
    return all(_rows_are_sound(scope) for group in request.resource_spans for scope in group.scope_spans)


def _rows_are_sound(scope: Any) -> bool:
    rows, count = scope.SerializeToString(), len(scope.spans)
    # The first row begins at 0, and a row that is framed like this ends where the next one begins: so all of them are.
    framed = len(rows) == ROW * count and all(
        rows[position::ROW] == bytes([byte]) * count for position, byte in FRAME.items()
    )
    return framed and NO_TRACE_ID not in rows and NO_SPAN_ID not in rows


def names_are_plain(body: bytes) -> bool:
    """Tell whether every span name of a well-formed traces request is ASCII and has at most 125 bytes."""
    request = _request_class(name=5).FromString(body)
    request.DiscardUnknownFields()
    # beyond that the length of the span has a byte that is not ASCII, too
    return all(scope.SerializeToString().isascii() for group in request.resource_spans for scope in group.scope_spans)


@cache
def _request_class(**span_fields: int) -> type[Any]:
    """Return an ExportTraceServiceRequest whose spans have only these fields, all of them bytes, by number."""
    file = descriptor_pb2.FileDescriptorProto(name="spans.proto", package="spans", syntax="proto3")
    span = file.message_type.add(name="Span")
    for name, number in span_fields.items():
        span.field.add(name=name, number=number, label=_Field.LABEL_OPTIONAL, type=_Field.TYPE_BYTES)
    for message, field, number, inner in (
        ("ScopeSpans", "spans", 2, ".spans.Span"),
        ("ResourceSpans", "scope_spans", 2, ".spans.ScopeSpans"),
        ("Request", "resource_spans", 1, ".spans.ResourceSpans"),
    ):
        fields = file.message_type.add(name=message).field
        fields.add(name=field, number=number, label=_Field.LABEL_REPEATED, type=_Field.TYPE_MESSAGE, type_name=inner)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    kind: type[Any] = message_factory.GetMessageClass(pool.FindMessageTypeByName("spans.Request"))
    return kind
