"""OTLP requests as upb messages whose strings are bytes."""

from typing import Any

from google.protobuf.message import DecodeError

from collector.errors import BadPayload
from storage.otlp_messages import message_class

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
    request = message_class(REQUESTS[signal])()
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
