"""OTLP over gRPC on a real server and a real database."""

import asyncio

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_health.v1 import health_pb2, health_pb2_grpc
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from collector.admission.admission import Admission
from collector.intake import Intake
from collector.transport.otlp_grpc import SERVICES, OtlpGrpcServer
from storage.tokens import Tokens
from tests.receivers import BODY_LIMIT, GrpcReceiver, grpc_receiver, stored

TRACES, METRICS, LOGS = GrpcReceiver.TRACES, GrpcReceiver.METRICS, GrpcReceiver.LOGS


@pytest.fixture
def otlp_grpc(tmp_path):
    with grpc_receiver(None, tmp_path) as found:
        yield found


def test_valid_requests_are_answered_with_an_empty_message_and_stored(database, tmp_path, otlp):
    with grpc_receiver(database, tmp_path) as found:
        assert found.call(otlp.traces(otlp.span(), otlp.span())) == b""
        assert found.call(otlp.counter("c", 1), METRICS) == b""
        for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
            assert found.call(otlp.traces(otlp.span()), compression=compression) == b""
        for method in (TRACES, METRICS, LOGS):
            assert found.call(b"", method) == b""
    assert (stored(database), stored(database, "metric_points")) == (4, 1)


def test_invalid_spans_are_counted_in_a_partial_success(otlp_grpc, otlp):
    answer = otlp_grpc.call(otlp.traces(otlp.span(), otlp.span(span_id=b"short")))
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert partial.rejected_spans == 1
    assert partial.error_message


def test_an_undecodable_request_is_an_invalid_argument_that_is_never_retried(otlp_grpc, otlp):
    code, message, trailers = otlp_grpc.refused(b"\xff\xff")
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "not a protobuf" in message
    status, detail = Status.FromString(trailers["grpc-status-details-bin"]), BadRequest()
    assert (status.code, status.message, len(status.details)) == (3, message, 1)
    assert status.details[0].Unpack(detail)
    assert "google.rpc.retryinfo-bin" not in trailers
    code, message, _ = otlp_grpc.refused(otlp.counter("some.metric", 1))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert otlp_grpc.call(otlp.traces(otlp.span())) == b""


def test_a_request_beyond_the_limit_is_resource_exhausted_without_a_promise(otlp_grpc, otlp, caplog):
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip, grpc.Compression.Deflate):
        code, _, trailers = otlp_grpc.refused(bytes(BODY_LIMIT * 50), compression=compression)
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert "grpc-status-details-bin" not in trailers
        assert "google.rpc.retryinfo-bin" not in trailers
    assert otlp_grpc.call(otlp.traces(otlp.span())) == b""
    assert not caplog.records, "clients cannot fill the log"


def test_a_method_that_is_not_there_is_unimplemented(otlp_grpc):
    profiles = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
    for method in (profiles, "/x/y", TRACES + "All"):
        assert otlp_grpc.refused(b"", method)[0] is grpc.StatusCode.UNIMPLEMENTED, method


def both_waits(trailers):
    """Return the wait in seconds under the standard key, and under that which Python's exporter reads."""
    status, standard = Status.FromString(trailers["grpc-status-details-bin"]), RetryInfo()
    assert status.details[0].Unpack(standard)
    python = RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"])
    return standard.retry_delay.seconds, python.retry_delay.seconds


def test_a_full_spool_is_unavailable_with_the_wait_under_both_keys(tmp_path, otlp):
    with grpc_receiver(None, tmp_path, spool_limit_bytes=10) as found:
        code, message, trailers = found.refused(otlp.traces(otlp.span()))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert "full" in message
        assert both_waits(trailers) == (1, 1)


def test_a_defect_inside_is_logged_and_answered_as_retryable(otlp_grpc, otlp, caplog, monkeypatch):
    async def broken(*_args, **_options):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(Intake, "accept", broken)
    code, message, trailers = otlp_grpc.refused(otlp.traces(otlp.span()))
    assert (code, both_waits(trailers)) == (grpc.StatusCode.UNAVAILABLE, (1, 1))
    assert "ZeroDivisionError" not in message
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]


def test_a_token_is_asked_for_in_lower_case_metadata_and_of_two_none_is_believed(tmp_path, otlp):
    (tmp_path / "tokens.yaml").write_text("tokens: []\n")
    (tmp_path / "tokens.yaml").chmod(0o600)
    admission = Admission(tokens=Tokens(tmp_path / "tokens.yaml"))
    with grpc_receiver(None, tmp_path / "data", admission=admission) as found:
        for metadata in ([], [("authorization", "Bearer a")], [("authorization", "Bearer a"), ("authorization", "b")]):
            code, message, trailers = found.refused(otlp.traces(otlp.span()), metadata=metadata)
            assert code is grpc.StatusCode.UNAUTHENTICATED
            assert "authorization" in message.lower()
            assert Status.FromString(trailers["grpc-status-details-bin"]).code == 16
        assert found.intake.admission.budget.used_bytes == 0


def test_health_is_served_by_service_and_watchers_hear_of_the_stop(tmp_path):
    serving, gone = health_pb2.HealthCheckResponse.SERVING, health_pb2.HealthCheckResponse.NOT_SERVING
    with grpc_receiver(None, tmp_path) as found, found.channel() as channel:
        health = health_pb2_grpc.HealthStub(channel)
        for name in ("", *SERVICES.values()):
            assert health.Check(health_pb2.HealthCheckRequest(service=name), timeout=5).status == serving
        with pytest.raises(grpc.RpcError) as failure:
            health.Check(health_pb2.HealthCheckRequest(service="another"), timeout=5)
        assert failure.value.code() is grpc.StatusCode.NOT_FOUND
        watch = health.Watch(health_pb2.HealthCheckRequest(service=SERVICES["traces"]), timeout=10)
        assert next(watch).status == serving
        found.stop()
        assert next(watch).status == gone


def test_a_second_server_cannot_take_the_same_port(otlp_grpc):
    async def bind():
        server = OtlpGrpcServer(otlp_grpc.intake, body_limit_bytes=BODY_LIMIT)
        try:
            server.listen(f"127.0.0.1:{otlp_grpc.port}")
        finally:
            await server.stop(0)

    with pytest.raises(RuntimeError, match="Failed to bind"):
        asyncio.run(bind())


def test_a_retry_over_grpc_of_what_was_stored_is_stored_once(database, tmp_path, otlp):
    body = otlp.traces(otlp.span(), otlp.span())
    with grpc_receiver(database, tmp_path) as found:
        for _ in range(5):
            assert found.call(body) == b""
    assert stored(database) == 2


def test_a_caller_who_does_not_wait_leaves_whole_batches_that_a_retry_does_not_double(database, tmp_path, otlp):
    """A deadline of a millisecond strikes anywhere; whatever happened, the retry ends with every span stored once."""
    bodies = [otlp.traces(*[otlp.span() for _ in range(50)]) for _ in range(20)]
    with grpc_receiver(database, tmp_path) as found, found.channel() as channel:
        export = channel.unary_unary(TRACES)
        for index, body in enumerate(bodies):
            calls = [export.future(body, timeout=0.0002 * index + 0.0005)]
            export.future(body).cancel()
            assert calls[0].exception() is None or calls[0].code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert [export(body, timeout=20) for body in bodies] == [b""] * 20
        assert found.intake.admission.budget.used_bytes == 0
    assert stored(database) == 1000


def test_the_python_sdks_own_exporter_is_understood(database, tmp_path):
    with grpc_receiver(database, tmp_path) as found:
        exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{found.port}", insecure=True)
        provider = TracerProvider(resource=Resource.create({"service.name": "sdk"}))
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        provider.get_tracer("t").start_span("one").end()
        provider.shutdown()
    with database.client() as client:
        assert client.query("SELECT service, name FROM spans").result_rows == [("sdk", "one")]
