"""Both OTLP receivers over one intake and a real database, and a record of everything that they have to have stored."""

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
import pytest
import uvloop
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from collector.transport.http_server import GuardedServer
from collector.transport.otlp_grpc import SERVICES, OtlpGrpcServer
from collector.transport.otlp_http import build_app
from tests.receivers import JSON, PROTOBUF, GrpcReceiver, HttpReceiver, running_intake, stored, wait_until

BODY_LIMIT = 16 << 20
DEADLINE_S = 20  # of each request: nothing may hang
POINT_TABLES = ("metric_points", "metric_histograms", "metric_exponential_histograms", "metric_summaries")
TABLES = {"traces": ("spans",), "metrics": POINT_TABLES, "logs": ("logs",)}
HTTP_STATUS = {
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 413,
    grpc.StatusCode.UNAVAILABLE: 503,
}
REJECTED = {"traces": "rejectedSpans", "metrics": "rejectedDataPoints", "logs": "rejectedLogRecords"}


@dataclass(frozen=True)
class Outcome:
    """An answer in the words of HTTP, whichever way it came.

    Attributes:
        rejected: Items that the partial success counts.
        message: Its text, or that of the refusal.
    """

    status: int
    rejected: int = 0
    message: str = ""


@dataclass
class OtlpStack:
    """The receivers, and the ids of the ordinary spans that were sent between everything else."""

    http: HttpReceiver
    grpc: GrpcReceiver
    channel: grpc.Channel
    database: object
    otlp: object
    _ordinary: list[str] = field(default_factory=list)
    _rows_before: dict[str, int] = field(default_factory=dict)

    @property
    def intake(self):
        return self.http.intake

    def lane(self, signal="traces"):
        return next(lane for lane in self.intake.status() if lane.signal == signal)

    def over_http(self, signal, body, *, as_json=False, **headers):
        """Post *body* and return the outcome; whatever it is, the answer has the form that OTLP asks for."""
        kind = JSON if as_json else PROTOBUF
        status, found, answer = self.http.send(body, path=f"/v1/{signal}", **({"Content_Type": kind} | headers))
        assert status != 500
        assert status < 300 or status >= 400, "a redirect counts as success, and its data is lost"
        assert found["Content-Type"] == kind
        assert (found.get("Retry-After") is not None) == (status in {429, 503})
        assert len(answer) < 4 << 20
        return _read_json(signal, status, answer) if as_json else _read_protobuf(status, answer)

    def over_grpc(self, signal, body, **options):
        """Call Export with *body* and return the outcome."""
        export = self.channel.unary_unary(f"/{SERVICES[signal]}/Export")
        try:
            answer = export(body, timeout=DEADLINE_S, **options)
        except grpc.RpcError as refusal:
            return Outcome(HTTP_STATUS[refusal.code()], 0, refusal.details())
        return _read_protobuf(200, answer)

    def over_both(self, signal, body):
        """Send *body* both ways and return the one outcome: the second time it is a retry, which is stored once."""
        found = self.over_http(signal, body)
        assert self.over_grpc(signal, body) == found
        return found

    def goes_on(self):
        """Send an ordinary span each way: whatever came before, they are acknowledged, and stored in the end."""
        for send in (self.over_http, self.over_grpc):
            span = self.otlp.span("ordinary")
            assert send("traces", self.otlp.traces(span)) == Outcome(200)
            self._ordinary.append(span.span_id.hex())

    def settle(self):
        """Seal what was acknowledged, and wait until it is stored."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("collector.spool.spool.SEAL_AFTER_S", 0.0)
            for lane in self.intake._lanes.values():
                with lane.spool._changed:
                    lane.spool._changed.notify_all()
            wait_until(lambda: all(lane.stored_items == lane.accepted_items for lane in self.intake.status()), 120)

    def check_books(self):
        """Everything acknowledged is stored, once, and nothing was put aside as a dead letter."""
        self.settle()
        for lane in self.intake.status():
            assert (lane.dead_letters, lane.damaged_requests) == (0, 0)
            rows = sum(stored(self.database, table) - self._rows_before[table] for table in TABLES[lane.signal])
            assert rows == lane.accepted_items, lane.signal
        sql = "SELECT count() FROM spans WHERE lower(hex(span_id)) IN {ids:Array(String)}"
        with self.database.client() as client:
            assert client.query(sql, parameters={"ids": self._ordinary}).first_row == (len(self._ordinary),)
        assert self.intake.admission.budget.used_bytes == 0

    def rows(self, sql):
        with self.database.client() as client:
            return list(client.query(sql, tz_mode="aware").named_results())


def _read_protobuf(status, answer):
    if status != 200:
        found = Status.FromString(answer)
        return Outcome(status, 0, found.message)
    partial = ExportTraceServiceResponse.FromString(answer).partial_success  # other signals have the same fields
    assert not answer or partial.rejected_spans or partial.error_message, "a partial success says something or is unset"
    return Outcome(status, partial.rejected_spans, partial.error_message)


def _read_json(signal, status, answer):
    found = json.loads(answer)
    if status != 200:
        return Outcome(status, 0, found["message"])
    assert set(found) <= {"partialSuccess"}
    partial = found.get("partialSuccess", {})
    assert partial or not found, "a partial success says something or is unset"
    assert set(partial) <= {REJECTED[signal], "errorMessage"}
    return Outcome(status, int(partial.get(REJECTED[signal], "0")), partial.get("errorMessage", ""))


@contextmanager
def otlp_stack(database, otlp, folder, **intake_options):
    """Run both receivers on free ports; at the end the books must balance."""
    with running_intake(database, folder, **intake_options) as (intake, registry), _listening(intake) as (http, ports):
        receivers = HttpReceiver(ports["http"], intake, registry, http), GrpcReceiver(ports["grpc"], intake, None)
        with grpc.insecure_channel(f"127.0.0.1:{ports['grpc']}") as channel:
            found = OtlpStack(*receivers, channel, database, otlp)
            found._rows_before = {table: stored(database, table) for tables in TABLES.values() for table in tables}
            yield found
            found.check_books()


@contextmanager
def _listening(intake):
    listener = socket.create_server(("127.0.0.1", 0), backlog=512)
    http = GuardedServer(build_app(intake, body_limit_bytes=BODY_LIMIT), listener)
    ports, ready = {"http": listener.getsockname()[1]}, threading.Event()

    async def serve():
        server = OtlpGrpcServer(intake, body_limit_bytes=BODY_LIMIT)
        ports["grpc"] = server.listen("127.0.0.1:0")
        await server.start()
        ready.set()
        await http.serve(sockets=[listener])
        await server.stop(1)

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
    thread.start()
    assert ready.wait(DEADLINE_S)
    try:
        yield http, ports
    finally:
        http.should_exit = True
        thread.join(DEADLINE_S)
        listener.close()
        assert not thread.is_alive()
