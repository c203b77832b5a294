"""The two encodings of OTLP and how a request is answered in its own."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.check.check import Checked
from collector.errors import Refused, UnsupportedMediaType
from collector.transport.status_message import printable, status_bytes, status_json

_RESPONSES: dict[str, Any] = {
    "traces": ExportTraceServiceResponse,
    "metrics": ExportMetricsServiceResponse,
    "logs": ExportLogsServiceResponse,
}
_REJECTED = {"traces": "rejected_spans", "metrics": "rejected_data_points", "logs": "rejected_log_records"}
_REJECTED_JSON = {"traces": "rejectedSpans", "metrics": "rejectedDataPoints", "logs": "rejectedLogRecords"}


def success_bytes(signal: str, checked: Checked) -> bytes:
    """Return the Export…ServiceResponse: empty, or a partial success that counts what was left out or warns."""
    if not checked.rejected and not checked.message:
        return b""
    response = _RESPONSES[signal]()
    setattr(response.partial_success, _REJECTED[signal], checked.rejected)
    response.partial_success.error_message = printable(checked.message)
    data: bytes = response.SerializeToString()
    return data


def success_json(signal: str, checked: Checked) -> bytes:
    """Return the same in the JSON encoding of protobuf, where a 64-bit integer is a string and 0 is left out."""
    if not checked.rejected and not checked.message:
        return b"{}"
    partial = {_REJECTED_JSON[signal]: str(checked.rejected)} if checked.rejected else {}
    if checked.message:
        partial["errorMessage"] = printable(checked.message)
    return orjson.dumps({"partialSuccess": partial})


@dataclass(frozen=True, slots=True)
class Media:
    """An encoding of requests and their answers."""

    name: str
    as_json: bool
    success: Callable[[str, Checked], bytes]
    status: Callable[[Refused], bytes]


PROTOBUF = Media("application/x-protobuf", as_json=False, success=success_bytes, status=status_bytes)
JSON = Media("application/json", as_json=True, success=success_json, status=status_json)
_BY_NAME = {media.name: media for media in (PROTOBUF, JSON)}


def find_media(content_type: str) -> Media | None:
    """Return the encoding that *content_type* names, in any case and with any parameters."""
    return _BY_NAME.get(content_type.partition(";")[0].strip().lower())


def require_media(content_type: str) -> Media:
    """Return the same.

    Raises:
        UnsupportedMediaType: it names no encoding of OTLP.
    """
    media = find_media(content_type)
    if media is None:
        raise UnsupportedMediaType(
            f"Content-Type {content_type[:100] or 'missing'!r} is not supported; send {PROTOBUF.name} or {JSON.name} "
            f"(OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf)"
        )
    return media
