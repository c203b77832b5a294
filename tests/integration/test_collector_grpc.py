"""OTLP over gRPC on a real server and a real database."""

import asyncio
import threading
from contextlib import contextmanager

import grpc
import pytest
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from prometheus_client import CollectorRegistry

from collector.intake import Intake
from collector.otlp_grpc import build_server
from collector.self_metrics import SelfMetrics

TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"
BODY_LIMIT = 100_000


@contextmanager
def receiver(database, folder, *, spool_limit_bytes=1 << 30):
    intake = Intake(database, folder, SelfMetrics(CollectorRegistry()), spool_limit_bytes=spool_limit_bytes)
    intake.start()
    ready, found = threading.Event(), {}

    async def serve():
        server = build_server(intake, body_limit_bytes=BODY_LIMIT)
        found["port"] = server.add_insecure_port("127.0.0.1:0")
        found["stop"], found["loop"] = asyncio.Event(), asyncio.get_running_loop()
        await server.start()
        ready.set()
        await found["stop"].wait()
        await server.stop(1)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    try:
        yield Receiver(found["port"], intake)
    finally:
        found["loop"].call_soon_threadsafe(found["stop"].set)
        thread.join(10)
        assert intake.close(60), "everything that was acknowledged is stored"
        assert not thread.is_alive()


class Receiver:
    def __init__(self, port, intake):
        self.port, self.intake = port, intake

    def call(self, body, method=TRACES, **options):
        with grpc.insecure_channel(f"127.0.0.1:{self.port}") as channel:
            return channel.unary_unary(method)(body, timeout=20, **options)

    def refused(self, body, method=TRACES):
        """Return (code, message, trailers) of a call that must fail."""
        with pytest.raises(grpc.RpcError) as failure:
            self.call(body, method)
        return failure.value.code(), failure.value.details(), dict(failure.value.trailing_metadata())


@pytest.fixture
def otlp_grpc(database, tmp_path):
    with receiver(database, tmp_path) as found:
        yield found


def stored(database, table="spans"):
    return int(database.command(f"SELECT count() FROM {table}"))


def test_valid_requests_are_answered_with_an_empty_message_and_stored(database, tmp_path, otlp):
    with receiver(database, tmp_path) as found:
        assert found.call(otlp.traces(otlp.span(), otlp.span())) == b""
        assert found.call(otlp.counter("c", 1), METRICS) == b""
        assert found.call(otlp.traces(otlp.span()), compression=grpc.Compression.Gzip) == b""
        assert found.call(b"") == b""
    assert (stored(database), stored(database, "metric_points")) == (3, 1)


def test_invalid_spans_are_counted_in_a_partial_success(otlp_grpc, otlp):
    answer = otlp_grpc.call(otlp.traces(otlp.span(), otlp.span(span_id=b"short")))
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert partial.rejected_spans == 1
    assert "1 of 2 spans" in partial.error_message


def test_an_undecodable_request_is_an_invalid_argument_that_is_never_retried(otlp_grpc, otlp):
    code, message, trailers = otlp_grpc.refused(b"\xff\xff")
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "not a protobuf" in message
    status = Status.FromString(trailers["grpc-status-details-bin"])
    assert (status.code, status.message, len(status.details)) == (3, message, 0)
    assert "google.rpc.retryinfo-bin" not in trailers
    code, message, _ = otlp_grpc.refused(otlp.counter("some.metric", 1))
    assert (code, "another signal" in message) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    assert otlp_grpc.call(otlp.traces(otlp.span())) == b""


def test_a_request_beyond_the_limit_is_resource_exhausted_without_a_promise(otlp_grpc, otlp):
    code, _, trailers = otlp_grpc.refused(bytes(BODY_LIMIT + 1))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "grpc-status-details-bin" not in trailers
    with pytest.raises(grpc.RpcError) as failure:
        otlp_grpc.call(bytes(BODY_LIMIT * 50), compression=grpc.Compression.Gzip)
    assert failure.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert otlp_grpc.call(otlp.traces(otlp.span())) == b""


def test_a_method_that_is_not_there_is_unimplemented(otlp_grpc):
    for method in (LOGS, "/x/y", TRACES + "All"):
        assert otlp_grpc.refused(b"", method)[0] is grpc.StatusCode.UNIMPLEMENTED, method


def test_a_full_spool_is_unavailable_with_the_wait_under_both_keys(database, tmp_path, otlp):
    with receiver(database, tmp_path, spool_limit_bytes=10) as found:
        code, message, trailers = found.refused(otlp.traces(otlp.span()))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert "full" in message
        status, standard = Status.FromString(trailers["grpc-status-details-bin"]), RetryInfo()
        assert status.details[0].Unpack(standard)
        python = RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"])
        assert standard.retry_delay.seconds == python.retry_delay.seconds == 1
    assert stored(database) == 0


def test_a_second_server_cannot_take_the_same_port(otlp_grpc, tmp_path):
    async def bind():
        server = build_server(otlp_grpc.intake, body_limit_bytes=BODY_LIMIT)
        try:
            server.add_insecure_port(f"127.0.0.1:{otlp_grpc.port}")
        finally:
            await server.stop(0)

    with pytest.raises(RuntimeError, match="Failed to bind"):
        asyncio.run(bind())


def test_a_retry_over_grpc_of_what_was_stored_is_stored_once(database, tmp_path, otlp):
    body = otlp.traces(otlp.span(), otlp.span())
    with receiver(database, tmp_path) as found:
        for _ in range(5):
            assert found.call(body) == b""
    assert stored(database) == 2


def test_the_python_sdks_own_exporter_is_understood(database, tmp_path):
    with receiver(database, tmp_path) as found:
        exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{found.port}", insecure=True)
        provider = TracerProvider(resource=Resource.create({"service.name": "sdk"}))
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        provider.get_tracer("t").start_span("one").end()
        provider.shutdown()
    with database.client() as client:
        assert client.query("SELECT service, name FROM spans").result_rows == [("sdk", "one")]
