"""Tokens, rates and load on the OTLP listeners, over real HTTP and gRPC."""

import asyncio
import http.client
import json
import socket
import threading
import time
from contextlib import closing, contextmanager

import grpc
import pytest
import uvloop
from google.rpc import status_pb2
from prometheus_client import CollectorRegistry

from collector.admission.admission import Admission
from collector.admission.pressure import Pressure, PressureSampler, Priority
from collector.intake import Intake
from collector.self_metrics import SelfMetrics
from collector.transport.http_server import GuardedServer
from collector.transport.otlp_grpc import SERVICES, OtlpGrpcServer
from collector.transport.otlp_http import build_app
from storage.client import Database
from storage.tokens import Token, Tokens, digest, write_tokens

SECRET, READING, LIMITED = (f"nl_{name}_0123456789abcdefghijklmnopqrstuvw" for name in ("send", "read", "slow"))
BODY_LIMIT = 1 << 20


class Receiver:
    def __init__(self, intake, http_port, grpc_port):
        self.intake, self.http_port, self.grpc_port = intake, http_port, grpc_port

    def post(self, body=b"", *authorization, path="/v1/traces", content_type="application/x-protobuf"):
        """Return (status, headers, body); each of *authorization* is one header."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=10)) as connection:
            connection.putrequest("POST", path)
            connection.putheader("Content-Type", content_type)
            connection.putheader("Content-Length", str(len(body)))
            for header in authorization:
                connection.putheader("Authorization", header)
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()

    def call(self, body=b"", *authorization):
        """Return the status and the trailing metadata of a gRPC Export."""
        with grpc.insecure_channel(f"127.0.0.1:{self.grpc_port}") as channel:
            export = channel.unary_unary(f"/{SERVICES['traces']}/Export")
            try:
                export(body, timeout=10, metadata=[("authorization", value) for value in authorization])
            except grpc.RpcError as error:
                return error.code().name, error.details(), dict(error.trailing_metadata())
            return "OK", "", {}

    def refused(self):
        return next(lane.refused_requests for lane in self.intake.status() if lane.signal == "traces")


@contextmanager
def receiving(folder, *, pressure=None, priorities=None):
    """Serve both transports in front of a spool whose database nobody opens."""
    path = folder / "tokens.yaml"
    send, read = frozenset({"ingest"}), frozenset({"read"})
    slow = Token("slow", send, digest(LIMITED), requests_per_s=1.0)
    write_tokens(path, [Token("send", send, digest(SECRET)), Token("read", read, digest(READING)), slow])
    sampler = PressureSampler(Pressure)
    sampler.current = pressure or Pressure()
    admission = Admission(tokens=Tokens(path), sampler=sampler, priorities=priorities)
    database = Database("http://127.0.0.1:9/never", create=False)
    metrics = SelfMetrics(CollectorRegistry())
    intake = Intake(database, folder, metrics, spool_limit_bytes=1 << 24, admission=admission)
    listener = socket.create_server(("127.0.0.1", 0))
    server = GuardedServer(build_app(intake, body_limit_bytes=BODY_LIMIT), listener)
    ports, up = {}, threading.Event()

    async def serve():
        over_grpc = OtlpGrpcServer(intake, body_limit_bytes=BODY_LIMIT)
        ports["grpc"] = over_grpc.listen("127.0.0.1:0")
        await over_grpc.start()
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        await server.ready.wait()
        up.set()
        await serving
        await over_grpc.stop(0.1)

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
    thread.start()
    try:
        assert up.wait(10)
        yield Receiver(intake, listener.getsockname()[1], ports["grpc"])
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        for lane in intake._lanes.values():
            lane.spool.close()
        assert not thread.is_alive()


@pytest.fixture(scope="module")
def receiver(tmp_path_factory):
    with receiving(tmp_path_factory.mktemp("receiver")) as found:
        yield found


STRANGERS = [(), ("Bearer wrong",), (f"Basic {SECRET}",), (SECRET,), (f"Bearer {SECRET}", f"Bearer {SECRET}")]


@pytest.mark.parametrize("authorization", STRANGERS)
def test_over_http_a_stranger_gets_a_status_that_says_what_to_send(receiver, authorization):
    status, headers, body = receiver.post(b"x" * 100, *authorization)
    assert (status, headers["Content-Type"], headers["WWW-Authenticate"]) == (401, "application/x-protobuf", "Bearer")
    found = status_pb2.Status.FromString(body)
    assert found.code == 16
    assert "OTEL_EXPORTER_OTLP_HEADERS" in found.message
    assert SECRET not in found.message
    assert headers["Retry-After"] is None


@pytest.mark.parametrize("authorization", STRANGERS)
def test_over_grpc_a_stranger_is_unauthenticated(receiver, authorization):
    code, details, trailers = receiver.call(b"", *authorization)
    assert code == "UNAUTHENTICATED"
    assert SECRET not in details
    assert "google.rpc.retryinfo-bin" not in trailers


def test_a_json_client_gets_its_refusal_in_json(receiver):
    status, headers, body = receiver.post(b"{}", content_type="application/json")
    assert (status, headers["Content-Type"]) == (401, "application/json")
    assert json.loads(body)["code"] == 16


def test_a_token_in_the_address_is_refused(receiver):
    status, _, body = receiver.post(b"", path=f"/v1/traces?token={SECRET}")
    assert status in {401, 404}
    assert SECRET.encode() not in body


def test_a_known_token_may_send_over_both(receiver, otlp):
    assert receiver.post(otlp.traces(otlp.span()), f"Bearer {SECRET}")[0] == 200
    assert receiver.call(otlp.traces(otlp.span()), f"Bearer {SECRET}")[0] == "OK"


def test_a_token_for_reading_is_forbidden_to_send(receiver):
    status, _, body = receiver.post(b"", f"Bearer {READING}")
    assert (status, status_pb2.Status.FromString(body).code) == (403, 7)
    assert receiver.call(b"", f"Bearer {READING}")[0] == "PERMISSION_DENIED"


def test_the_body_of_a_stranger_is_not_read(receiver):
    before = receiver.intake.admission.budget.used_bytes
    with socket.create_connection(("127.0.0.1", receiver.http_port), timeout=10) as connection:
        lines = ("POST /v1/traces HTTP/1.1", "Host: x", "Content-Type: application/x-protobuf")
        lines += ("Content-Length: 100000000", "Authorization: Bearer wrong", "", "")
        connection.sendall("\r\n".join(lines).encode() + b"x" * 1000)
        started = time.monotonic()
        assert connection.recv(100).startswith(b"HTTP/1.1 401 ")
        assert time.monotonic() - started < 5
    assert receiver.intake.admission.budget.used_bytes == before


def test_too_many_requests_of_a_token_are_told_to_come_again(receiver):
    answers = [receiver.post(b"", f"Bearer {LIMITED}") for _ in range(4)]
    assert answers[0][0] == 200
    assert [status for status, _, _ in answers].count(429) >= 2
    status, headers, body = answers[-1]
    assert (status, headers["Retry-After"]) == (429, "1")
    assert "1 requests/s" in status_pb2.Status.FromString(body).message
    code, _, trailers = receiver.call(b"", f"Bearer {LIMITED}")
    assert code == "UNAVAILABLE"
    assert {"google.rpc.retryinfo-bin", "grpc-status-details-bin"} <= set(trailers)


def test_refusals_are_counted_by_signal_and_reason(receiver):
    before = receiver.refused().get("Unauthenticated", 0)
    receiver.post(b"")
    receiver.call(b"")
    assert receiver.refused()["Unauthenticated"] == before + 2


def test_shed_telemetry_is_refused_as_retryable_over_both(tmp_path, otlp):
    body = otlp.traces(otlp.span(), service="batch")
    with receiving(tmp_path, pressure=Pressure(cpu=0.99), priorities={"batch": Priority.LOW}) as receiver:
        status, headers, answer = receiver.post(body, f"Bearer {SECRET}")
        assert (status, headers["Retry-After"]) == (503, "1")
        assert status_pb2.Status.FromString(answer).code == 14
        code, details, trailers = receiver.call(body, f"Bearer {SECRET}")
        assert code == "UNAVAILABLE"
        assert "low priority" in details
        assert "google.rpc.retryinfo-bin" in trailers
        assert receiver.post(otlp.traces(otlp.span()), f"Bearer {SECRET}")[0] == 200


def test_without_room_for_any_service_the_body_is_not_read(tmp_path):
    with receiving(tmp_path, pressure=Pressure(memory=0.99)) as receiver:
        with socket.create_connection(("127.0.0.1", receiver.http_port), timeout=10) as connection:
            lines = ("POST /v1/traces HTTP/1.1", "Host: x", "Content-Type: application/x-protobuf")
            lines += ("Content-Length: 1000000", f"Authorization: Bearer {SECRET}", "", "")
            connection.sendall("\r\n".join(lines).encode())
            assert connection.recv(100).startswith(b"HTTP/1.1 503 ")
        assert receiver.refused() == {"Overloaded": 1}
