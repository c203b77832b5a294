"""The two receivers on free ports of this machine, with a real intake over a given database."""

import asyncio
import http.client
import socket
import ssl
import subprocess
import threading
import time
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass

import grpc
import pytest
import uvloop
from prometheus_client import CollectorRegistry

from collector.intake import Intake
from collector.self_metrics import SelfMetrics
from collector.transport.http_server import GuardedServer
from collector.transport.otlp_grpc import OtlpGrpcServer
from collector.transport.otlp_http import build_app
from storage.client import Database

BODY_LIMIT = 100_000
PROTOBUF = "application/x-protobuf"
JSON = "application/json"
NOWHERE = "http://127.0.0.1:9/nowhere"


@contextmanager
def running_intake(database, folder, **options):
    """Run an intake; at the end everything that was acknowledged is stored.

    Without a *database* its writers rest, and what was acknowledged stays in the spool: for tests of the way in.
    """
    registry = CollectorRegistry()
    options = {"spool_limit_bytes": 1 << 30} | options
    intake = Intake(database or Database(NOWHERE, create=False), folder, SelfMetrics(registry), **options)
    if database:
        intake.start()
    try:
        yield intake, registry
    finally:
        if database:
            assert intake.close(60), "everything that was acknowledged is stored"
        for lane in intake._lanes.values():
            lane.spool.close()


@contextmanager
def http_receiver(database, folder, *, server_options=None, app_options=None, tls=None, **intake_options):
    """Run the OTLP/HTTP receiver; its intake writes everything out before the port is gone."""
    with running_intake(database, folder, **intake_options) as (intake, registry):
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        app = build_app(intake, **({"body_limit_bytes": BODY_LIMIT} | (app_options or {})))
        context = tls.context if tls else None
        server = GuardedServer(app, listener, tls=context, **(server_options or {}))
        thread = threading.Thread(target=lambda: uvloop.run(server.serve(sockets=[listener])))
        thread.start()
        try:
            yield HttpReceiver(listener.getsockname()[1], intake, registry, server)
        finally:
            server.should_exit = True
            thread.join(10)
            listener.close()
            assert not thread.is_alive()


@dataclass
class HttpReceiver:
    port: int
    intake: Intake
    registry: CollectorRegistry
    server: GuardedServer
    before: int = 0

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def socket(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def send(self, body=b"", *, method="POST", path="/v1/traces", connection=None, **headers):
        """Return (status, headers, body); keyword arguments are headers, None leaves one out."""
        wanted = {"Content-Type": PROTOBUF} | {key.replace("_", "-"): value for key, value in headers.items()}
        with nullcontext(connection) if connection else closing(self.connect()) as used:
            used.request(method, path, body, {key: value for key, value in wanted.items() if value is not None})
            answer = used.getresponse()
            return answer.status, answer.headers, answer.read()

    def accepted(self):
        """Return the spans accepted since the test began."""
        return next(lane.accepted_items for lane in self.intake.status() if lane.signal == "traces") - self.before


@contextmanager
def grpc_receiver(database, folder, *, server_options=None, tls=None, **intake_options):
    """Run the OTLP/gRPC receiver."""
    with running_intake(database, folder, **intake_options) as (intake, _):
        ready, found = threading.Event(), {}

        async def serve():
            server = OtlpGrpcServer(intake, **({"body_limit_bytes": BODY_LIMIT} | (server_options or {})))
            found["port"] = server.listen("127.0.0.1:0", tls)
            found["stop"], found["loop"] = asyncio.Event(), asyncio.get_running_loop()
            await server.start()
            ready.set()
            await found["stop"].wait()
            await server.stop(1)

        thread = threading.Thread(target=lambda: uvloop.run(serve()))
        thread.start()
        assert ready.wait(10)
        try:
            yield GrpcReceiver(found["port"], intake, lambda: found["loop"].call_soon_threadsafe(found["stop"].set))
        finally:
            with suppress(RuntimeError):  # a test that has stopped it already leaves a closed loop
                found["loop"].call_soon_threadsafe(found["stop"].set)
            thread.join(10)
            assert not thread.is_alive()


@dataclass
class GrpcReceiver:
    port: int
    intake: Intake
    stop: object

    TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"
    LOGS = "/opentelemetry.proto.collector.logs.v1.LogsService/Export"

    def accepted(self):
        return next(lane.accepted_items for lane in self.intake.status() if lane.signal == "traces")

    def channel(self):
        return grpc.insecure_channel(f"127.0.0.1:{self.port}")

    def socket(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=10)

    def call(self, body, method=TRACES, **options):
        with self.channel() as channel:
            return channel.unary_unary(method)(body, timeout=20, **options)

    def refused(self, body, method=TRACES, **options):
        """Return (code, message, trailers) of a call that must fail."""
        with pytest.raises(grpc.RpcError) as failure:
            self.call(body, method, **options)
        return failure.value.code(), failure.value.details(), dict(failure.value.trailing_metadata())


def stored(database, table="spans"):
    return int(database.command(f"SELECT count() FROM {table}"))


def wait_until(condition, timeout_s=10.0):
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


@dataclass(frozen=True)
class Certificates:
    """Files of a test authority: for a server on 127.0.0.1, and for a client."""

    folder: object

    def path(self, name):
        return self.folder / name

    def openssl(self, *arguments):
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)

    def lock(self, key, locked):
        """Write *key* again with a password."""
        self.openssl("ec", "-in", key, "-out", locked, "-aes256", "-passout", "pass:secret")

    def client_context(self, *, with_certificate):
        context = ssl.create_default_context(cafile=self.path("ca.pem"))
        if with_certificate:
            context.load_cert_chain(self.path("client.pem"), self.path("client.key"))
        return context


def make_certificates(folder):
    """Write ca, server and client certificates."""
    made = Certificates(folder)
    curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    made.openssl("req", "-x509", *curve, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=test authority")
    for name, more in (("server", ["-addext", "subjectAltName=IP:127.0.0.1"]), ("client", [])):
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-subj", f"/CN={name}"]
        made.openssl("req", "-x509", *curve, *signed, *more, "-keyout", f"{name}.key", "-out", f"{name}.pem")
    return made
