"""One span as stored, read back exactly as it was sent."""

from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from storage.attributes import decode_map, hidden_types, pairs, text
from storage.origins import Origin
from storage.otlp_messages import event_class, link_class


@dataclass(frozen=True, slots=True)
class SpanEvent:
    name: str
    time_ns: int
    attributes: dict[str, Any]
    dropped_attributes: int


@dataclass(frozen=True, slots=True)
class SpanLink:
    trace_id: str
    span_id: str
    trace_state: str
    flags: int
    attributes: dict[str, Any]
    dropped_attributes: int


@dataclass(frozen=True, slots=True)
class StoredSpan:
    """Times in nanoseconds since 1970, ids in lower-case hex, no parent is ''.

    Attributes:
        weight: How many spans it stands for, by its sampling.
        attribute_types: The OTLP type of attributes where JSON does not show it.
        original_start_ns: What the span said, where its time could not be believed; else 0.
    """

    span_id: str
    parent_span_id: str
    trace_state: str
    flags: int
    service: str
    environment: str
    version: str
    name: str
    kind: str
    start_ns: int
    duration_ns: int
    status: str
    status_message: str
    error: bool
    weight: int
    quarantined: bool
    original_start_ns: int
    original_end_ns: int
    attributes: dict[str, Any]
    attribute_types: dict[str, str]
    dropped_attributes: int
    events: list[SpanEvent]
    dropped_events: int
    links: list[SpanLink]
    dropped_links: int
    origin: Origin


def read_span(row: dict[str, Any], origin: Origin) -> StoredSpan:
    """Return a row of `queries/trace_spans.sql`."""
    return StoredSpan(
        span_id=row["span_id_hex"],
        parent_span_id=row["parent_id_hex"],
        trace_state=row["state"],
        flags=row["flags"],
        service=row["service"],
        environment=row["environment"],
        version=row["version"],
        name=row["name"],
        kind=row["kind_name"],
        start_ns=row["start_ns"],
        duration_ns=row["duration_ns"],
        status=row["status_name"],
        status_message=row["message"],
        error=row["error"],
        weight=row["weight"],
        quarantined=row["quarantined"],
        original_start_ns=row["original_start_ns"],
        original_end_ns=row["original_end_ns"],
        attributes=decode_map(row["attributes_hex"]),
        attribute_types=hidden_types(row["attributes_hex"]),
        dropped_attributes=row["dropped_attributes"],
        events=[event for data in row["events_hex"] if (event := _event(bytes.fromhex(data)))],
        dropped_events=row["dropped_events"],
        links=[link for data in row["links_hex"] if (link := _link(bytes.fromhex(data)))],
        dropped_links=row["dropped_links"],
        origin=origin,
    )


def _event(data: bytes) -> SpanEvent | None:
    try:
        event = event_class().FromString(data)
    except DecodeError:  # the collector parsed the whole request, so only damage on disk comes here
        return None
    return SpanEvent(text(event.name), event.time_unix_nano, pairs(event.attributes), event.dropped_attributes_count)


def _link(data: bytes) -> SpanLink | None:
    try:
        link = link_class().FromString(data)
    except DecodeError:
        return None
    return SpanLink(
        trace_id=link.trace_id.hex(),
        span_id=link.span_id.hex(),
        trace_state=text(link.trace_state),
        flags=link.flags,
        attributes=pairs(link.attributes),
        dropped_attributes=link.dropped_attributes_count,
    )
