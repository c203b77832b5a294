"""OTLP over gRPC: the Export calls of traces and metrics, on raw bytes."""

import grpc
from grpc.aio import Server, ServicerContext

from collector.errors import Refused
from collector.intake import Intake
from collector.otlp_http import success_bytes
from collector.status_message import printable, retry_info_bytes, status_bytes

SERVICES = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
}
STATUS_CODES = {code.name: code for code in grpc.StatusCode}


def build_server(intake: Intake, *, body_limit_bytes: int) -> Server:
    """Return an unbound server.

    so_reuseport is off: with it a second process binds the same port silently and takes half of the traffic.
    """
    server = grpc.aio.server(
        options=[("grpc.so_reuseport", 0), ("grpc.max_receive_message_length", body_limit_bytes)],
    )
    server.add_generic_rpc_handlers(tuple(_handler(intake, signal) for signal in SERVICES))
    return server


def _handler(intake: Intake, signal: str) -> grpc.GenericRpcHandler:
    async def export(body: bytes, context: ServicerContext) -> bytes:
        try:
            checked = await intake.accept(signal, body)
        except Refused as refusal:
            await context.abort(STATUS_CODES[refusal.grpc[0]], printable(str(refusal)), _trailers(refusal))
        return success_bytes(signal, checked)

    method = grpc.unary_unary_rpc_method_handler(export)  # no serializers: bytes in, bytes out
    return grpc.method_handlers_generic_handler(SERVICES[signal], {"Export": method})


def _trailers(refusal: Refused) -> tuple[tuple[str, bytes], ...]:
    """Return the details; Python's exporter reads RetryInfo under a key of its own, so both are sent."""
    trailers: tuple[tuple[str, bytes], ...] = (("grpc-status-details-bin", status_bytes(refusal)),)
    if refusal.retry_after_s is not None:
        trailers += (("google.rpc.retryinfo-bin", retry_info_bytes(refusal.retry_after_s)),)
    return trailers
