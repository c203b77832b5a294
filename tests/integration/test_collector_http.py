"""OTLP over HTTP on a real server and a real database."""

import gzip
import http.client
import logging
import random
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, nullcontext

import pytest
import uvicorn
import uvloop
from google.rpc.error_details_pb2 import RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from prometheus_client import CollectorRegistry

from collector.intake import Intake
from collector.otlp_http import build_app
from collector.self_metrics import SelfMetrics

PROTOBUF = "application/x-protobuf"
BODY_LIMIT = 100_000


@contextmanager
def receiver(database, folder, *, spool_limit_bytes=1 << 30):
    """Run a receiver on a free port; its intake writes everything out before the port is gone."""
    registry = CollectorRegistry()
    intake = Intake(database, folder, SelfMetrics(registry), spool_limit_bytes=spool_limit_bytes)
    intake.start()
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        build_app(intake, body_limit_bytes=BODY_LIMIT), log_config=None, access_log=False, http="httptools"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: uvloop.run(server.serve(sockets=[listener])))
    thread.start()
    try:
        yield Receiver(listener.getsockname()[1], intake, registry)
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()
        assert intake.close(60), "everything that was acknowledged is stored"
        assert not thread.is_alive()


class Receiver:
    def __init__(self, port, intake, registry):
        self.port, self.intake, self.registry = port, intake, registry

    def connect(self):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def send(self, body=b"", *, method="POST", path="/v1/traces", connection=None, **headers):
        """Return (status, headers, body); keyword arguments are headers."""
        wanted = {"Content-Type": PROTOBUF} | {key.replace("_", "-"): value for key, value in headers.items()}
        with nullcontext(connection) if connection else closing(self.connect()) as used:
            used.request(method, path, body, {key: value for key, value in wanted.items() if value is not None})
            answer = used.getresponse()
            return answer.status, answer.headers, answer.read()

    def accepted(self, signal="traces"):
        return next(lane.accepted_items for lane in self.intake.status() if lane.signal == signal)


@pytest.fixture
def otlp_http(database, tmp_path):
    with receiver(database, tmp_path) as found:
        yield found


def stored(database, table="spans"):
    return int(database.command(f"SELECT count() FROM {table}"))


def test_a_valid_request_is_answered_with_an_empty_protobuf_body_and_stored(database, tmp_path, otlp):
    with receiver(database, tmp_path) as found:
        status, headers, body = found.send(otlp.traces(otlp.span(), otlp.span()))
        assert (status, body, headers["Content-Type"]) == (200, b"", PROTOBUF)
        status, headers, body = found.send(otlp.counter("c", 1), path="/v1/metrics")
        assert (status, body, headers["Content-Type"]) == (200, b"", PROTOBUF)
    assert (stored(database), stored(database, "metric_points")) == (2, 1)


def test_an_empty_request_is_fine_and_a_trailing_slash_never_redirects(otlp_http):
    for path in ("/v1/traces", "/v1/traces/", "/v1/metrics", "/v1/metrics/"):
        assert otlp_http.send(b"", path=path)[0] == 200, path


def test_the_content_type_is_read_without_parameters_and_case(otlp_http, otlp):
    for kind in (PROTOBUF + "; charset=utf-8", PROTOBUF.upper(), f" {PROTOBUF} "):
        assert otlp_http.send(otlp.traces(otlp.span()), Content_Type=kind)[0] == 200, kind


def test_invalid_spans_are_counted_in_a_partial_success(otlp_http, otlp):
    body = otlp.traces(otlp.span(), otlp.span(span_id=b"short"), otlp.span(trace_id=bytes(16)))
    status, headers, answer = otlp_http.send(body)
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert (status, partial.rejected_spans, headers["Content-Type"]) == (200, 2, PROTOBUF)
    assert "2 of 3 spans" in partial.error_message
    assert otlp_http.accepted() == 1


REFUSALS = [
    ("not protobuf", 400, {"body": b"\xff\xff"}),
    ("JSON in protobuf's clothes", 400, {"body": b'{"resourceSpans":[]}'}),
    ("no gzip", 400, {"body": b"plain", "Content_Encoding": "gzip"}),
    ("gzip cut off", 400, {"body": gzip.compress(b"x" * 100)[:-5], "Content_Encoding": "gzip"}),
    ("another path", 404, {"path": "/v1/trace"}),
    ("logs", 404, {"path": "/v1/logs"}),
    ("a doubled slash", 404, {"path": "//v1/traces"}),
    ("the root", 404, {"path": "/"}),
    ("GET", 405, {"method": "GET"}),
    ("PUT", 405, {"method": "PUT"}),
    ("DELETE", 405, {"method": "DELETE"}),
    ("OPTIONS", 405, {"method": "OPTIONS"}),
    ("too large", 413, {"body": bytes(BODY_LIMIT + 1)}),
    ("a bomb", 413, {"body": gzip.compress(bytes(BODY_LIMIT * 50)), "Content_Encoding": "gzip"}),
    ("JSON", 415, {"body": b"{}", "Content_Type": "application/json"}),
    ("text", 415, {"Content_Type": "text/plain"}),
    ("no content type", 415, {"Content_Type": None}),
    ("brotli", 415, {"Content_Encoding": "br"}),
    ("gzip twice", 415, {"Content_Encoding": "gzip, gzip"}),
]


def test_every_refusal_is_a_status_message_and_the_next_request_is_fine(otlp_http, otlp):
    for name, wanted, request in REFUSALS:
        status, headers, body = otlp_http.send(**request)
        assert status == wanted, name
        assert headers["Content-Type"] == PROTOBUF, name
        answer = Status.FromString(body)
        assert answer.message, name
        assert answer.code, name
        assert headers.get("Retry-After") is None, name
        assert ("POST" in headers.get("Allow", "")) == (wanted == 405), name
        assert otlp_http.send(otlp.traces(otlp.span()))[0] == 200, name
    assert otlp_http.accepted() == len(REFUSALS)


def test_gzip_chunked_and_both_are_read_whole(otlp_http, otlp):
    def chunks(data):
        return iter([data[at : at + 7] for at in range(0, len(data), 7)])

    body = otlp.traces(*[otlp.span() for _ in range(5)])
    assert otlp_http.send(gzip.compress(body), Content_Encoding="gzip")[0] == 200
    assert otlp_http.send(chunks(otlp.traces(otlp.span())))[0] == 200
    packed = gzip.compress(otlp.traces(otlp.span())[:9])
    assert otlp_http.send(chunks(packed), Content_Encoding="gzip")[0] == 400
    packed = gzip.compress(otlp.traces(otlp.span()))
    assert otlp_http.send(chunks(packed), Content_Encoding="GZIP")[0] == 200
    assert otlp_http.accepted() == 7


def test_the_limit_holds_without_a_content_length(otlp_http, otlp):
    endless = iter([bytes(10_000)] * 11)
    status, _, body = otlp_http.send(endless)
    assert status == 413
    assert str(BODY_LIMIT) in Status.FromString(body).message
    assert otlp_http.send(otlp.traces(otlp.span()))[0] == 200


def test_a_client_that_goes_away_half_way_stores_nothing_and_is_no_error_of_ours(otlp_http, otlp, caplog):
    body = otlp.traces(otlp.span()) * 3
    with socket.create_connection(("127.0.0.1", otlp_http.port)) as half:
        head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\nContent-Length: {len(body)}\r\n\r\n"
        half.sendall(head.encode() + body[: len(body) // 2])
    assert otlp_http.send(otlp.traces(otlp.span()))[0] == 200
    assert otlp_http.accepted() == 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_connection_serves_many_requests_also_after_a_refusal(otlp_http, otlp):
    connection = otlp_http.connect()
    wanted = [200, 400, 200, 415, 200]
    bodies = [otlp.traces(otlp.span()) for _ in wanted]
    for status, body in zip(wanted, bodies, strict=True):
        sent = b"\xff" if status == 400 else body
        kind = "text/plain" if status == 415 else PROTOBUF
        assert otlp_http.send(sent, connection=connection, Content_Type=kind)[0] == status
    connection.close()


def test_a_retry_is_acknowledged_and_stored_once(database, tmp_path, otlp):
    body = otlp.traces(otlp.span(), otlp.span(), otlp.span(span_id=b"bad"))
    with receiver(database, tmp_path) as found, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: found.send(body), range(24)))
        assert {(status, answer) for status, _, answer in answers} == {(200, answers[0][2])}
    assert stored(database) == 2


def test_a_full_spool_is_answered_503_with_a_short_wait(database, tmp_path, otlp):
    with receiver(database, tmp_path, spool_limit_bytes=10) as found:
        status, headers, body = found.send(otlp.traces(otlp.span()))
        assert (status, headers["Retry-After"], headers["Content-Type"]) == (503, "1", PROTOBUF)
        answer = Status.FromString(body)
        assert (answer.code, len(answer.details)) == (14, 1)
        info = RetryInfo()
        assert answer.details[0].Unpack(info)
        assert info.retry_delay.seconds == 1
        assert found.send(b"")[0] == 200
    assert stored(database) == 0


def test_the_collectors_own_numbers_count_what_was_accepted_rejected_and_refused(otlp_http, otlp):
    otlp_http.send(otlp.traces(otlp.span(), otlp.span(span_id=b"")))
    otlp_http.send(b"\xff")
    sample = otlp_http.registry.get_sample_value
    assert sample("ninelives_accepted_items_total", {"signal": "traces"}) == 1
    assert sample("ninelives_rejected_items_total", {"signal": "traces"}) == 1
    assert sample("ninelives_refused_requests_total", {"signal": "traces", "reason": "BadPayload"}) == 1


def test_2000_random_mutations_are_accepted_or_refused_and_nothing_acknowledged_is_lost(database, tmp_path, otlp):
    rng = random.Random(3)
    templates = [
        otlp.traces(otlp.span("GET /", attributes={"a": 1, "b": [2.5]}), otlp.span("x", status=2)),
        otlp.counter("jobs.done", 5, attributes={"a": "b"}),
    ]
    mutations = [(n % 2, mutate(rng, templates[n % 2])) for n in range(2000)]

    def send_all(part):
        connection = found.connect()
        paths = ("/v1/traces", "/v1/metrics")
        statuses = [found.send(body, path=paths[kind], connection=connection)[0] for kind, body in part]
        connection.close()
        return statuses

    with receiver(database, tmp_path) as found:
        with ThreadPoolExecutor(4) as pool:
            statuses = [s for part in pool.map(send_all, [mutations[n::4] for n in range(4)]) for s in part]
        assert len(statuses) == 2000
        assert set(statuses) == {200, 400}
        assert found.send(otlp.traces(otlp.span("still alive")))[0] == 200
    letters = list((tmp_path / "dead-letter").glob("*.pb"))
    assert len(letters) < 10
    assert stored(database) > 100
    assert int(database.command("SELECT count() FROM spans WHERE name = 'still alive'")) == 1


def mutate(rng, body):
    data = bytearray(body)
    for _ in range(rng.choice([1, 1, 2, 4])):
        at = rng.randrange(len(data))
        kind = rng.randrange(5)
        if kind == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            data[at] = rng.randrange(256)
        elif kind == 2:
            del data[at : at + rng.randint(1, 4)]
        elif kind == 3:
            data[at:at] = rng.randbytes(rng.randint(1, 4))
        else:
            data = data[: at + 1]
        if not data:
            return b""
    return bytes(data)


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_the_python_sdks_own_exporter_is_understood(database, tmp_path, compression):
    from opentelemetry.exporter.otlp.proto.http import Compression

    with receiver(database, tmp_path) as found:
        exporter = OTLPSpanExporter(
            endpoint=f"http://127.0.0.1:{found.port}/v1/traces", compression=Compression(compression)
        )
        provider = TracerProvider(resource=Resource.create({"service.name": "sdk"}))
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        with provider.get_tracer("t").start_as_current_span("parent"):
            provider.get_tracer("t").start_span("child").end()
        provider.shutdown()
    with database.client() as client:
        assert sorted(client.query("SELECT service, name FROM spans").result_rows) == [
            ("sdk", "child"),
            ("sdk", "parent"),
        ]
