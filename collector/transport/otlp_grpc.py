"""OTLP over gRPC: the Export calls of the three signals on raw bytes, and the standard health service."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import NoReturn

import grpc
from grpc.aio import EOF, Server, ServicerContext
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from collector.check.check import Checked
from collector.errors import BadPayload, InternalFault, Refused, TooSlow
from collector.intake import SIGNALS, Intake
from collector.transport.media import success_bytes
from collector.transport.status_message import printable, retry_info_bytes, status_bytes
from collector.transport.tls import Tls

log = logging.getLogger(__name__)

SERVICES = {
    "traces": "opentelemetry.proto.collector.trace.v1.TraceService",
    "metrics": "opentelemetry.proto.collector.metrics.v1.MetricsService",
    "logs": "opentelemetry.proto.collector.logs.v1.LogsService",
}
STATUS_CODES = {code.name: code for code in grpc.StatusCode}
STREAMS_OF_A_CONNECTION = 1000  # more are refused before they begin, as UNAVAILABLE, which exporters send again
CORE_SPEAKS_S = 0.1
IDLE_MS = 300_000
AGE_MS = 1_800_000  # so that a load balancer in front can spread long-lived connections again
PING_EVERY_MS = 10_000  # clients that keep their connection alive so often are not sent away

Export = Callable[[object, ServicerContext], Awaitable[bytes]]


class OtlpGrpcServer:
    """The receiver. `listen` before `start`.

    Args:
        intake: What accepts the requests.
        body_limit_bytes: Of a message, before and after decompression.
        timeout_s: For a message to arrive, and for a connection to show signs of life.
        connections: Served at the same time; the excess is closed.
    """

    def __init__(
        self, intake: Intake, *, body_limit_bytes: int, timeout_s: float = 20.0, connections: int = 1000
    ) -> None:
        self._server = _server(body_limit_bytes, timeout_s, connections)
        self._health = health.aio.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        self._server.add_generic_rpc_handlers(tuple(_handler(intake, signal, timeout_s) for signal in SIGNALS))

    def listen(self, address: str, tls: Tls | None = None) -> int:
        """Bind *address* and return the port.

        Raises:
            RuntimeError: it is in use or not ours.
        """
        if tls is None:
            return int(self._server.add_insecure_port(address))
        credentials = grpc.ssl_server_credentials(
            [(tls.key, tls.cert)], tls.client_ca, require_client_auth=tls.client_ca is not None
        )
        return int(self._server.add_secure_port(address, credentials))

    async def start(self) -> None:
        await self._server.start()
        for signal in SIGNALS:
            await self._health.set(SERVICES[signal], health_pb2.HealthCheckResponse.SERVING)

    async def stop(self, grace_s: float) -> None:
        """Tell watchers that nothing is served any more, finish what is being served for *grace_s*, and end."""
        await self._health.enter_graceful_shutdown()
        await self._server.stop(grace_s)


def _server(body_limit_bytes: int, timeout_s: float, connections: int) -> Server:
    """Return a server whose connections and calls end when their client is silent.

    so_reuseport is off: with it a second process binds the same port silently and takes half of the traffic.
    maximum_concurrent_rpcs is not used: it answers RESOURCE_EXHAUSTED, on which exporters drop the batch.
    """
    timeout_ms = int(timeout_s * 1000)
    options = {
        "grpc.so_reuseport": 0,
        "grpc.max_receive_message_length": body_limit_bytes,
        "grpc.max_concurrent_streams": STREAMS_OF_A_CONNECTION,
        "grpc.max_allowed_incoming_connections": connections,
        "grpc.max_connection_idle_ms": IDLE_MS,
        "grpc.max_connection_age_ms": AGE_MS,
        "grpc.max_connection_age_grace_ms": timeout_ms,
        "grpc.server_handshake_timeout_ms": timeout_ms,
        "grpc.keepalive_time_ms": timeout_ms // 2,
        "grpc.keepalive_timeout_ms": timeout_ms,
        "grpc.http2.ping_timeout_ms": timeout_ms,  # the one that closes: the keepalive's own was seen to close nothing
        "grpc.keepalive_permit_without_calls": 1,
        "grpc.http2.min_ping_interval_without_data_ms": PING_EVERY_MS,
    }
    return grpc.aio.server(options=list(options.items()))


def _handler(intake: Intake, signal: str, timeout_s: float) -> grpc.GenericRpcHandler:
    """Return the handler of a signal's Export.

    To gRPC it is a stream of requests, of which the first is read: on the wire that is the same as a single one, but
    only so is a call authenticated before its message is read, and ended when the message never comes.
    """

    async def accept(context: ServicerContext) -> Checked | Refused:
        """Return a refusal without its traceback: gRPC keeps what a call is aborted with, and the frames the body."""
        try:
            with intake.admission.enter(_authorization(context), signal) as entry:
                body = await _read(context, timeout_s)
                entry.take(len(body))
                return await intake.accept(signal, body, entry)
        except Refused as refusal:
            return type(refusal)(str(refusal))
        except Exception:
            log.exception("a request failed inside")
            return InternalFault("the receiver failed; send again")

    async def export(_requests: object, context: ServicerContext) -> bytes:
        found = await accept(context)
        if isinstance(found, Refused):
            await _abort(context, found)
        return success_bytes(signal, found)

    method = grpc.stream_unary_rpc_method_handler(export)  # no serializers: bytes in, bytes out
    return grpc.method_handlers_generic_handler(SERVICES[signal], {"Export": method})


async def _read(context: ServicerContext, timeout_s: float) -> bytes:
    try:
        async with asyncio.timeout(timeout_s):
            body = await context.read()
    except TimeoutError as error:
        raise TooSlow(f"the message did not arrive within {timeout_s:g} s; send it again") from error
    if body is EOF:
        await asyncio.sleep(CORE_SPEAKS_S)  # the core ends a call with too large a message itself, and cancels this
        raise BadPayload("the call ended without a message")
    assert isinstance(body, bytes)
    return body


def _authorization(context: ServicerContext) -> str | None:
    """Return the caller's credentials; several are one value, which no token has."""
    values = [value for key, value in context.invocation_metadata() or () if key == "authorization"]
    return ", ".join(value if isinstance(value, str) else value.decode("latin-1") for value in values) or None


async def _abort(context: ServicerContext, refusal: Refused) -> NoReturn:
    """End the call before anything else was sent: some clients read the status only from such an answer."""
    await context.abort(STATUS_CODES[refusal.grpc[0]], printable(str(refusal)), _trailers(refusal))
    raise AssertionError("abort raises")


def _trailers(refusal: Refused) -> tuple[tuple[str, bytes], ...]:
    """Return the details; Python's exporter reads RetryInfo under a key of its own, so both are sent."""
    trailers: tuple[tuple[str, bytes], ...] = (("grpc-status-details-bin", status_bytes(refusal)),)
    if refusal.retry_after_s is not None:
        trailers += (("google.rpc.retryinfo-bin", retry_info_bytes(refusal.retry_after_s)),)
    return trailers
