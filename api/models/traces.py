from datetime import datetime
from typing import Any

from api.models.base import Model


class TraceSummary(Model):
    trace_id: str
    started_at: datetime
    duration_ms: float
    service: str
    name: str
    spans: int
    errors: int
    services: list[str]


class SpanEvent(Model):
    name: str
    offset_ms: float
    attributes: dict[str, Any]
    dropped_attributes: int = 0


class SpanLink(Model):
    trace_id: str
    span_id: str
    trace_state: str = ""
    flags: int = 0
    attributes: dict[str, Any]
    dropped_attributes: int = 0


class Span(Model):
    """One span. `offset_ms` counts from the start of its trace, `depth` is 0 for a root.

    Attributes keep their OTLP type; where JSON does not show it (bytes as base64, whole doubles), `*_types` names it.
    `weight` is how many spans this one stands for; a `quarantined` span's own times could not be believed.
    """

    span_id: str
    parent_span_id: str
    service: str
    environment: str
    version: str
    name: str
    kind: str
    started_at: datetime
    offset_ms: float
    duration_ms: float
    depth: int
    status: str
    status_message: str
    error: bool
    attributes: dict[str, Any]
    attribute_types: dict[str, str] = {}
    dropped_attributes: int = 0
    events: list[SpanEvent]
    dropped_events: int = 0
    links: list[SpanLink]
    dropped_links: int = 0
    trace_state: str = ""
    flags: int = 0
    weight: int = 1
    quarantined: bool = False
    resource: dict[str, Any]
    resource_types: dict[str, str] = {}
    schema_url: str = ""
    scope: str
    scope_version: str = ""
    scope_attributes: dict[str, Any] = {}
    scope_schema_url: str = ""


class Trace(Model):
    """All spans of one trace in tree order (parents before children, siblings by start).

    `lost_spans` more are gone: the retention is over, and of a huge trace an alert keeps the most telling spans only.
    """

    trace_id: str
    started_at: datetime
    duration_ms: float
    services: list[str]
    errors: int
    spans: list[Span]
    lost_spans: int = 0
