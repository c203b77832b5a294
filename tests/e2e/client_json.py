"""OTLP/JSON out of the SDK, which has no exporter for it: its protobuf requests, translated on their way out."""

import base64
import json
from typing import Any

import requests
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

REQUESTS = {
    "traces": ExportTraceServiceRequest,
    "metrics": ExportMetricsServiceRequest,
    "logs": ExportLogsServiceRequest,
}
IDS = {"traceId", "spanId", "parentSpanId"}


class JsonSession(requests.Session):
    """Sends the protobuf requests of an OTLP/HTTP exporter as OTLP/JSON."""

    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        message = REQUESTS[request.url.rpartition("/")[2]].FromString(request.body)
        request.headers["Content-Type"] = "application/json"
        request.prepare_body(otlp_json(message), None)
        return super().send(request, **options)


def otlp_json(message: Any) -> bytes:
    """Return a request as the specification has it: ids in hex instead of base64, enumerations as integers."""
    return json.dumps(_hex_ids(MessageToDict(message, use_integers_for_enums=True))).encode()


def _hex_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [_hex_ids(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64decode(item).hex() if key in IDS and isinstance(item, str) else _hex_ids(item)
        for key, item in value.items()
    }
