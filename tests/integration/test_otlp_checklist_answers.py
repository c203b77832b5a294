"""The OTLP specification by number, 13 to 27: success, partial success and failure.

Sources: opentelemetry-proto docs/specification.md.
"""

import asyncio
import json
import threading
import time
from contextlib import contextmanager

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.errors import Overloaded
from collector.intake import Intake
from storage.client import Database
from tests.integration.otlp_bodies import (
    OTLP,
    SIGNALS,
    json_logs,
    json_point,
    json_points,
    json_span,
    json_traces,
    metrics_body,
    number_point,
    ordinary,
)
from tests.integration.otlp_stack import Outcome
from tests.receivers import JSON, PROTOBUF, GrpcReceiver, grpc_receiver, http_receiver

RETRYABLE = {429, 502, 503, 504}
RESPONSES = {
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
}


@pytest.fixture(autouse=True)
def _goes_on(conforming):
    yield
    conforming.goes_on()


def json_ordinary(signal):
    name = {"name": f"n{time.time_ns()}"}
    if signal == "traces":
        return json_traces(json_span())
    return json_points(json_point()) if signal == "metrics" else json_logs({"body": {"stringValue": name["name"]}})


@pytest.mark.parametrize("signal", SIGNALS)
def test_13_success_is_200_with_an_empty_response_in_the_encoding_of_the_request(conforming, signal):
    status, headers, body = conforming.http.send(ordinary(signal), path=f"/v1/{signal}")
    assert (status, headers["Content-Type"], body) == (200, PROTOBUF, b"")
    status, headers, body = conforming.http.send(json_ordinary(signal), path=f"/v1/{signal}", Content_Type=JSON)
    assert (status, headers["Content-Type"], body) == (200, JSON, b"{}")
    answer = RESPONSES[signal][0].FromString(conforming.grpc.call(ordinary(signal), GRPC[signal]))
    assert not answer.HasField("partial_success")


GRPC = {"traces": GrpcReceiver.TRACES, "metrics": GrpcReceiver.METRICS, "logs": GrpcReceiver.LOGS}


def test_14_the_content_type_is_read_in_any_case_and_without_parameters(conforming):
    for kind, answered in (
        ("APPLICATION/JSON", JSON),
        ("application/json; charset=utf-8", JSON),
        ("application/json;q=1", JSON),
        ("Application/X-Protobuf; x=y", PROTOBUF),
    ):
        status, headers, _ = conforming.http.send(b"{}" if answered == JSON else b"", Content_Type=kind)
        assert (status, headers["Content-Type"]) == (200, answered), kind


@pytest.mark.parametrize("kind", [None, "", "text/plain", "application/protobuf", "multipart/form-data", "json", "*/*"])
def test_14_an_unknown_content_type_is_415_and_says_what_is_known(conforming, kind):
    status, headers, body = conforming.http.send(b"", Content_Type=kind)
    assert (status, headers["Content-Type"]) == (415, JSON)
    assert PROTOBUF in json.loads(body)["message"]


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_14_any_other_method_is_405(conforming, method):
    status, headers, body = conforming.http.send(method=method)
    assert (status, headers["Allow"]) == (405, "POST")
    assert Status.FromString(body).message


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_15_every_refusal_is_a_status_in_the_encoding_of_the_request(conforming, kind):
    for wanted, request in {
        400: {"body": b"\xff\xff"},
        404: {"path": "/nowhere"},
        405: {"method": "PUT"},
        413: {"body": iter([bytes(1 << 20)] * 17)},
        415: {"Content_Encoding": "br"},
    }.items():
        status, headers, body = conforming.http.send(**({"Content_Type": kind} | request))
        assert (status, headers["Content-Type"]) == (wanted, kind)
        found = Status.FromString(body) if kind == PROTOBUF else Status(message=json.loads(body)["message"])
        assert found.message


def test_15_a_bad_payload_carries_the_details_of_a_bad_request(conforming):
    status, detail = Status.FromString(conforming.http.send(b"\xff\xff")[2]), BadRequest()
    assert status.details[0].Unpack(detail)
    assert detail.field_violations[0].description
    (detail,) = json.loads(conforming.http.send(b"[]", Content_Type=JSON)[2])["details"]
    assert detail["@type"].endswith("google.rpc.BadRequest")


@pytest.mark.parametrize("signal", SIGNALS)
def test_16_an_empty_request_succeeds_and_no_json_at_all_is_400(conforming, signal):
    for body in (b"", b"\x0a\x00", b"\x0a\x02\x12\x00"):
        assert conforming.over_both(signal, body) == Outcome(200)
    assert conforming.over_http(signal, b"{}", as_json=True) == Outcome(200)
    assert conforming.over_http(signal, b"", as_json=True).status == 400


PARTLY = {
    "traces": lambda: OTLP.traces(OTLP.span(), OTLP.span(span_id=b"bad"), OTLP.span(trace_id=b"")),
    "metrics": lambda: metrics_body(number_point(), number_point(None), number_point(time_unix_nano=0)),
}


def test_17_a_partial_success_counts_exactly_what_was_left_out_and_says_why(conforming):
    for signal, make in PARTLY.items():
        found = conforming.over_both(signal, make())
        assert (found.status, found.rejected, bool(found.message)) == (200, 2, True)
    body = json_logs({"body": {"stringValue": "x"}}, {"severityNumber": True}, {"traceId": "zz"})
    assert conforming.over_http("logs", body, as_json=True).rejected == 2


def test_17_a_warning_comes_with_nothing_rejected(conforming):
    found = conforming.over_both("traces", OTLP.traces(OTLP.span("n" * 5000)))
    assert (found.status, found.rejected, bool(found.message)) == (200, 0, True)


def test_17_what_was_left_out_is_counted_in_our_own_metrics_too(conforming):
    before = conforming.lane().rejected_items
    conforming.over_http("traces", PARTLY["traces"]())
    assert conforming.lane().rejected_items == before + 2
    shown = conforming.http.registry.get_sample_value("ninelives_rejected_items_total", {"signal": "traces"})
    assert shown == before + 2


@pytest.mark.parametrize("signal", SIGNALS)
def test_18_what_can_never_be_read_is_400_and_invalid_argument(conforming, signal):
    assert conforming.over_both(signal, b"\x0a\x7f\x01").status == 400
    assert conforming.over_http(signal, b"{", as_json=True).status == 400
    with pytest.raises(grpc.RpcError) as failure:
        conforming.grpc.call(b"\x0a\x7f\x01", GRPC[signal])
    assert failure.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("defect", [ZeroDivisionError, OSError, MemoryError, Overloaded])
def test_18_a_failure_of_ours_is_answered_as_one_that_may_be_tried_again(conforming, defect, monkeypatch, caplog):
    """Never 500 or 408, on which exporters drop the batch."""

    async def broken(*_args, **_options):
        await asyncio.sleep(0)
        raise defect("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(Intake, "accept", broken)
        for as_json in (False, True):
            assert conforming.over_http("traces", b"", as_json=as_json).status in RETRYABLE
        assert conforming.over_grpc("traces", b"").status in RETRYABLE


NOWHERE = "http://127.0.0.1:9/never"


@contextmanager
def full(transport, folder):
    with transport(Database(NOWHERE, create=False), folder, spool_limit_bytes=10) as found:
        yield found


def test_19_20_overload_is_unavailable_with_retry_info_under_both_keys(tmp_path):
    """Python's exporter reads a key of its own; RESOURCE_EXHAUSTED would make others drop the batch."""
    with full(grpc_receiver, tmp_path) as found:
        code, _, trailers = found.refused(ordinary("traces"))
        assert code is grpc.StatusCode.UNAVAILABLE
        detail = RetryInfo()
        assert Status.FromString(trailers["grpc-status-details-bin"]).details[0].Unpack(detail)
        assert detail == RetryInfo.FromString(trailers["google.rpc.retryinfo-bin"])
        assert detail.retry_delay.seconds == 1


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_20_21_overload_is_503_and_asks_to_wait_for_a_second(tmp_path, kind):
    """A wait beyond an exporter's timeout of 10 s makes it drop the batch at once."""
    with full(http_receiver, tmp_path) as found:
        body = ordinary("traces") if kind == PROTOBUF else json_ordinary("traces")
        status, headers, answer = found.send(body, Content_Type=kind)
        assert (status, headers["Retry-After"], headers["Content-Type"]) == (503, "1", kind)
        assert kind == JSON or Status.FromString(answer).code == 14


def test_22_unavailable_comes_before_any_initial_metadata(tmp_path):
    """Java's exporter reads the status of an answer that is trailers alone: then there is no initial metadata."""
    with full(grpc_receiver, tmp_path) as found, found.channel() as channel:
        call = channel.unary_unary(GrpcReceiver.TRACES).future(ordinary("traces"), timeout=20)
        assert call.code() is grpc.StatusCode.UNAVAILABLE
        assert call.initial_metadata() == ()


def test_23_calls_without_a_message_do_not_block_others(conforming):
    """So maximum_concurrent_rpcs is not used: half-open calls would count, and the excess would be dropped."""
    end = threading.Event()

    def nothing_yet():
        end.wait(20)
        yield from ()

    stream = conforming.channel.stream_unary(GrpcReceiver.TRACES)
    waiting = [stream.future(nothing_yet(), timeout=20) for _ in range(50)]
    try:
        for _ in range(3):
            assert conforming.over_grpc("traces", ordinary("traces")) == Outcome(200)
    finally:
        end.set()
    assert {call.code() for call in waiting} == {grpc.StatusCode.INVALID_ARGUMENT}


def test_24_what_is_acknowledged_is_on_the_disk_already_and_a_retry_is_stored_once(tmp_path):
    """No database is there: the spool alone holds what a process that starts again will find."""
    body = ordinary("traces")
    accepted = []
    for _ in range(2):
        database = Database(NOWHERE, create=False)
        with unwritten(database, tmp_path) as found:
            assert found.send(body)[0] == found.send(body)[0] == 200
            accepted.append(found.accepted())
            assert sum(path.stat().st_size for path in (tmp_path / "spool" / "traces").iterdir()) >= len(body)
    assert accepted == [1, 0], "the second process knows it from the first"


@contextmanager
def unwritten(database, folder):
    """Run a receiver whose spool cannot be written out, and end it all the same."""
    with pytest.MonkeyPatch.context() as patch:
        close = Intake.close
        patch.setattr(Intake, "close", lambda self, _timeout_s: close(self, 0.1) or True)
        with http_receiver(database, folder) as found:
            yield found


def test_25_after_the_stop_nobody_is_served_and_what_was_begun_is_finished(tmp_path):
    with grpc_receiver(Database(NOWHERE, create=False), tmp_path) as found, found.channel() as channel:
        calls = [channel.unary_unary(GrpcReceiver.TRACES).future(b"", timeout=20) for _ in range(20)]
        assert {call.result() for call in calls} == {b""}
        found.stop()
        deadline = time.monotonic() + 10
        while channel.unary_unary(GrpcReceiver.TRACES).future(b"", timeout=5).code() is grpc.StatusCode.OK:
            assert time.monotonic() < deadline
        assert found.refused(b"")[0] is grpc.StatusCode.UNAVAILABLE
    with http_receiver(Database(NOWHERE, create=False), tmp_path / "http") as found:
        assert found.send()[0] == 200
    with pytest.raises(ConnectionError):
        found.send()


def test_26_who_sends_half_a_request_is_not_waited_for(tmp_path):
    options = {"server_options": {"timeout_s": 0.3}, "app_options": {"timeout_s": 0.3}}
    with http_receiver(Database(NOWHERE, create=False), tmp_path / "h", **options) as found:
        for half in (b"POST /v1/traces HTTP/1.1\r\nHo", b""):
            with found.socket() as connection:
                connection.sendall(half)
                assert connection.recv(1000) == b""
    silent_server = grpc_receiver(Database(NOWHERE, create=False), tmp_path / "g", server_options={"timeout_s": 0.3})
    with silent_server as found, found.channel() as channel:
        end = threading.Event()
        silent = channel.stream_unary(GrpcReceiver.TRACES).future(iter(end.wait, True), timeout=20)
        assert silent.code() is grpc.StatusCode.UNAVAILABLE
        end.set()


def test_27_logs_are_received_and_stored_and_profiles_are_not_there(conforming):
    before = conforming.lane("logs").accepted_items
    assert conforming.over_both("logs", ordinary("logs")) == Outcome(200)
    assert conforming.lane("logs").accepted_items == before + 1
    assert conforming.http.send(path="/v1development/profiles")[0] == 404
    profiles = "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export"
    assert conforming.grpc.refused(b"", profiles)[0] is grpc.StatusCode.UNIMPLEMENTED
