"""OTLP over HTTP: POST /v1/traces and /v1/metrics with protobuf bodies."""

from typing import Any

from fastapi import FastAPI, Request, Response
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from collector.check import Checked
from collector.compression import decompress
from collector.errors import BadPayload, Refused, TooLarge, UnsupportedEncoding
from collector.intake import SIGNALS, Intake
from collector.status_message import status_bytes

PROTOBUF = "application/x-protobuf"
_RESPONSES: dict[str, Any] = {"traces": ExportTraceServiceResponse, "metrics": ExportMetricsServiceResponse}
_REJECTED = {"traces": "rejected_spans", "metrics": "rejected_data_points"}


def build_app(intake: Intake, *, body_limit_bytes: int) -> FastAPI:
    """Return the receiver; it never redirects, because exporters count a redirect as success and lose the batch."""
    app = FastAPI(
        title="Ninelives OTLP receiver", redirect_slashes=False, docs_url=None, redoc_url=None, openapi_url=None
    )

    def route(signal: str) -> None:
        async def export(request: Request) -> Response:
            _require_protobuf(request)
            body = await _read(request, body_limit_bytes)
            encoding = request.headers.get("content-encoding", "")
            checked = await intake.accept(signal, decompress(body, encoding, limit_bytes=body_limit_bytes))
            return Response(success_bytes(signal, checked), media_type=PROTOBUF)

        for path in (f"/v1/{signal}", f"/v1/{signal}/"):
            app.add_api_route(path, export, methods=["POST"])

    for signal in SIGNALS:
        route(signal)
    app.add_exception_handler(Refused, _answer_refusal)
    app.add_exception_handler(HTTPException, _answer_http_error)
    return app


def success_bytes(signal: str, checked: Checked) -> bytes:
    """Return the response message: empty, or a partial success that counts what was left out."""
    if not checked.rejected:
        return b""
    response = _RESPONSES[signal]()
    setattr(response.partial_success, _REJECTED[signal], checked.rejected)
    response.partial_success.error_message = checked.message
    data: bytes = response.SerializeToString()
    return data


def _require_protobuf(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != PROTOBUF:
        raise UnsupportedEncoding(
            f"Content-Type {kind or 'missing'!r} is not supported; "
            f"send {PROTOBUF} (OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf)"
        )


async def _read(request: Request, limit_bytes: int) -> bytes:
    """Return the body; stop reading as soon as it is larger than *limit_bytes*, whatever its header says."""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > limit_bytes:
                raise TooLarge(f"the body is larger than {limit_bytes} bytes; send smaller batches")
    except ClientDisconnect as error:  # nobody hears the answer, but it is no fault of ours to log
        raise BadPayload(f"the client went away after {len(body)} bytes of its body") from error
    return bytes(body)


async def _answer_refusal(_request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    headers = {} if error.retry_after_s is None else {"Retry-After": str(error.retry_after_s)}
    return Response(status_bytes(error), status_code=error.http, media_type=PROTOBUF, headers=headers)


async def _answer_http_error(request: Request, error: Exception) -> Response:
    """Answer an unknown path or method; OTLP wants a Status body here too."""
    assert isinstance(error, HTTPException)
    headers: dict[str, Any] = dict(error.headers or {})
    refusal = Refused(
        f"{request.method} {request.url.path}: {error.detail}; OTLP is received by POST /v1/traces and /v1/metrics"
    )
    return Response(status_bytes(refusal), status_code=error.status_code, media_type=PROTOBUF, headers=headers)
