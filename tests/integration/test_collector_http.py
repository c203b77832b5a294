"""OTLP over HTTP on a real server and a real database."""

import gzip
import json
import logging
import random
import zlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace

import pytest
from backports import zstd
from google.rpc.error_details_pb2 import BadRequest, RetryInfo
from google.rpc.status_pb2 import Status
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor

from collector.intake import Intake
from tests.receivers import BODY_LIMIT, JSON, PROTOBUF, http_receiver, stored

SPAN_JSON = {
    "resourceSpans": [
        {
            "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
            "scopeSpans": [{"spans": [{"traceId": "5B8EFFF798038103D269B633813FC60C", "spanId": "EEE19B7EC3C1B174"}]}],
        }
    ]
}


def json_body(spans=1, **broken):
    """Return an OTLP/JSON request with fresh ids; keyword arguments change its last span."""
    found = json.loads(json.dumps(SPAN_JSON))
    rng = random.SystemRandom()
    made = [{"traceId": rng.randbytes(16).hex(), "spanId": rng.randbytes(8).hex(), "name": "j"} for _ in range(spans)]
    made[-1] |= broken
    found["resourceSpans"][0]["scopeSpans"][0]["spans"] = made
    return json.dumps(found).encode()


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with http_receiver(None, tmp_path_factory.mktemp("http")) as found:
        yield found


@pytest.fixture
def otlp_http(shared):
    """A receiver for tests of the way in, where it takes too long to start one each."""
    return replace(shared, before=shared.before + shared.accepted())


def test_a_valid_request_is_answered_with_an_empty_protobuf_body_and_stored(database, tmp_path, otlp):
    with http_receiver(database, tmp_path) as found:
        status, headers, body = found.send(otlp.traces(otlp.span(), otlp.span()))
        assert (status, body, headers["Content-Type"]) == (200, b"", PROTOBUF)
        status, headers, body = found.send(otlp.counter("c", 1), path="/v1/metrics")
        assert (status, body, headers["Content-Type"]) == (200, b"", PROTOBUF)
    assert (stored(database), stored(database, "metric_points")) == (2, 1)


def test_a_json_request_is_answered_with_an_empty_object_and_stored(database, tmp_path):
    with http_receiver(database, tmp_path) as found:
        for kind in (JSON, "Application/JSON; charset=utf-8"):
            status, headers, body = found.send(json_body(), Content_Type=kind)
            assert (status, body, headers["Content-Type"]) == (200, b"{}", JSON)
    assert stored(database) == 2


@pytest.mark.parametrize("signal", ["traces", "metrics", "logs"])
def test_every_signal_is_received_with_and_without_a_slash_and_never_redirected(otlp_http, signal):
    for path in (f"/v1/{signal}", f"/v1/{signal}/"):
        assert otlp_http.send(b"", path=path)[::2] == (200, b""), path
        assert otlp_http.send(b"{}", path=path, Content_Type=JSON)[::2] == (200, b"{}"), path


def test_a_prefix_is_accepted_beside_the_bare_paths(tmp_path):
    with http_receiver(None, tmp_path, app_options={"path_prefix": "/otlp"}) as found:
        for path in ("/otlp/v1/traces", "/otlp/v1/traces/", "/v1/traces", "/v1/traces/"):
            assert found.send(b"", path=path)[0] == 200, path
        for path in ("/otlp", "/otlp/", "/otlp/otlp/v1/traces", "/other/v1/traces"):
            assert found.send(b"", path=path)[0] == 404, path


def test_the_content_type_is_read_without_parameters_and_case(otlp_http, otlp):
    for kind in (PROTOBUF + "; charset=utf-8", PROTOBUF.upper(), f" {PROTOBUF} "):
        status, headers, _ = otlp_http.send(otlp.traces(otlp.span()), Content_Type=kind)
        assert (status, headers["Content-Type"]) == (200, PROTOBUF), kind


def test_invalid_spans_are_counted_in_a_partial_success(otlp_http, otlp):
    body = otlp.traces(otlp.span(), otlp.span(span_id=b"short"), otlp.span(trace_id=bytes(16)))
    status, headers, answer = otlp_http.send(body)
    partial = ExportTraceServiceResponse.FromString(answer).partial_success
    assert (status, partial.rejected_spans, headers["Content-Type"]) == (200, 2, PROTOBUF)
    assert partial.error_message
    assert otlp_http.accepted() == 1


def test_invalid_spans_in_json_are_counted_as_a_decimal_string(otlp_http):
    status, _, answer = otlp_http.send(json_body(2, spanId="xyz"), Content_Type=JSON)
    partial = json.loads(answer)["partialSuccess"]
    assert (status, partial["rejectedSpans"]) == (200, "1")
    assert partial["errorMessage"]
    assert otlp_http.accepted() == 1


REFUSALS = [
    ("not protobuf", 400, {"body": b"\xff\xff"}),
    ("JSON in protobuf's clothes", 400, {"body": b'{"resourceSpans":[]}', "Content_Type": PROTOBUF}),
    ("zero bytes of JSON", 400, {"body": b"", "Content_Type": JSON}),
    ("no JSON", 400, {"body": b"{} x", "Content_Type": JSON}),
    ("protobuf in JSON's clothes", 400, {"body": b"\x0a\x00", "Content_Type": JSON}),
    ("no gzip", 400, {"body": b"plain", "Content_Encoding": "gzip"}),
    ("an empty gzip", 400, {"body": b"", "Content_Encoding": "gzip"}),
    ("gzip cut off", 400, {"body": gzip.compress(b"x" * 100)[:-5], "Content_Encoding": "gzip"}),
    ("another path", 404, {"path": "/v1/trace"}),
    ("profiles", 404, {"path": "/v1development/profiles"}),
    ("a doubled slash", 404, {"path": "//v1/traces"}),
    ("the root", 404, {"path": "/"}),
    ("GET", 405, {"method": "GET"}),
    ("PUT", 405, {"method": "PUT"}),
    ("PATCH", 405, {"method": "PATCH"}),
    ("DELETE", 405, {"method": "DELETE"}),
    ("OPTIONS", 405, {"method": "OPTIONS"}),
    ("too large", 413, {"body": bytes(BODY_LIMIT + 1)}),
    ("a bomb", 413, {"body": gzip.compress(bytes(BODY_LIMIT * 50)), "Content_Encoding": "gzip"}),
    ("brotli", 415, {"Content_Encoding": "br"}),
    ("gzip twice", 415, {"Content_Encoding": "gzip, gzip"}),
    ("text", 415, {"Content_Type": "text/plain"}),
    ("almost protobuf", 415, {"Content_Type": "application/protobuf"}),
    ("a form", 415, {"Content_Type": "multipart/form-data; boundary=x"}),
    ("no content type", 415, {"Content_Type": None}),
]


@pytest.mark.parametrize("kind", [PROTOBUF, JSON])
def test_every_refusal_is_a_status_message_in_the_requests_encoding_and_the_next_request_is_fine(otlp_http, otlp, kind):
    """Where the request names no encoding of OTLP, the answer is JSON, which people can read."""
    for name, wanted, request in REFUSALS:
        sent = {"Content_Type": kind} | request
        status, headers, body = otlp_http.send(**sent)
        expected = sent["Content_Type"] if sent["Content_Type"] in {PROTOBUF, JSON} else JSON
        assert (status, headers["Content-Type"]) == (wanted, expected), name
        answer = Status.FromString(body) if expected == PROTOBUF else json.loads(body)
        code, message = (answer.code, answer.message) if expected == PROTOBUF else (answer["code"], answer["message"])
        assert code, name
        assert message, name
        assert headers.get("Retry-After") is None, name
        assert headers.get("Allow") == ("POST" if wanted == 405 else None), name
        assert otlp_http.send(otlp.traces(otlp.span()))[0] == 200, name
    assert otlp_http.accepted() == len(REFUSALS)


def test_head_is_refused_without_a_body(otlp_http):
    status, headers, body = otlp_http.send(method="HEAD")
    assert (status, headers["Allow"], body) == (405, "POST", b"")


def test_a_bad_payload_says_so_in_the_details_of_both_encodings(otlp_http):
    status = Status.FromString(otlp_http.send(b"\xff\xff")[2])
    found = BadRequest()
    assert status.details[0].Unpack(found)
    assert found.field_violations[0].description == status.message
    answer = json.loads(otlp_http.send(b"[]", Content_Type=JSON)[2])
    (detail,) = answer["details"]
    assert detail["@type"] == "type.googleapis.com/google.rpc.BadRequest"
    assert detail["fieldViolations"][0]["description"] == answer["message"]


def chunks(data, size=7):
    return iter([data[at : at + size] for at in range(0, len(data), size)])


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


ENCODINGS = [
    ("gzip", gzip.compress),
    ("GZIP", gzip.compress),
    ("gzip", lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:])),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("zstd", zstd.compress),
    ("Zstd", lambda data: zstd.compress(data[:50]) + zstd.compress(data[50:])),
    ("identity", bytes),
]


def test_every_encoding_is_read_whole_with_and_without_chunks(otlp_http, otlp):
    for encoding, pack in ENCODINGS:
        assert otlp_http.send(pack(otlp.traces(otlp.span(), otlp.span())), Content_Encoding=encoding)[0] == 200
        assert otlp_http.send(chunks(pack(otlp.traces(otlp.span()))), Content_Encoding=encoding)[0] == 200
        assert otlp_http.send(pack(json_body()), Content_Type=JSON, Content_Encoding=encoding)[0] == 200
        assert otlp_http.send(chunks(pack(otlp.traces(otlp.span())[:9])), Content_Encoding=encoding)[0] == 400
    assert otlp_http.accepted() == 4 * len(ENCODINGS)


def test_the_limit_holds_without_a_content_length(otlp_http, otlp):
    endless = iter([bytes(10_000)] * 11)
    status, _, body = otlp_http.send(endless)
    assert status == 413
    assert str(BODY_LIMIT) in Status.FromString(body).message
    assert otlp_http.send(otlp.traces(otlp.span()))[0] == 200


def test_a_client_that_goes_away_half_way_stores_nothing_and_is_no_error_of_ours(otlp_http, otlp, caplog):
    body = otlp.traces(otlp.span()) * 3
    with otlp_http.socket() as half:
        head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\nContent-Length: {len(body)}\r\n\r\n"
        half.sendall(head.encode() + body[: len(body) // 2])
    assert otlp_http.send(otlp.traces(otlp.span()))[0] == 200
    assert otlp_http.accepted() == 1
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def test_a_connection_serves_many_requests_also_after_a_refusal(otlp_http, otlp):
    wanted = [200, 400, 200, 415, 200]
    bodies = [otlp.traces(otlp.span()) for _ in wanted]
    with closing(otlp_http.connect()) as connection:
        connection.connect()
        port = connection.sock.getsockname()
        for status, body in zip(wanted, bodies, strict=True):
            sent = b"\xff" if status == 400 else body
            kind = "text/plain" if status == 415 else PROTOBUF
            assert otlp_http.send(sent, connection=connection, Content_Type=kind)[0] == status
        assert connection.sock.getsockname() == port


def test_a_retry_is_acknowledged_and_stored_once(database, tmp_path, otlp):
    body = otlp.traces(otlp.span(), otlp.span(), otlp.span(span_id=b"bad"))
    with http_receiver(database, tmp_path) as found, ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: found.send(body), range(24)))
        assert {(status, answer) for status, _, answer in answers} == {(200, answers[0][2])}
    assert stored(database) == 2


def test_a_full_spool_is_answered_503_with_a_short_wait_in_both_encodings(tmp_path, otlp):
    with http_receiver(None, tmp_path, spool_limit_bytes=10) as found:
        status, headers, body = found.send(otlp.traces(otlp.span()))
        assert (status, headers["Retry-After"], headers["Content-Type"]) == (503, "1", PROTOBUF)
        answer, info = Status.FromString(body), RetryInfo()
        assert (answer.code, len(answer.details)) == (14, 1)
        assert answer.details[0].Unpack(info)
        assert info.retry_delay.seconds == 1
        status, headers, body = found.send(json_body(), Content_Type=JSON)
        assert (status, headers["Retry-After"], headers["Content-Type"]) == (503, "1", JSON)
        wanted = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1s"}
        assert json.loads(body)["details"] == [wanted]
        assert found.send(b"")[0] == 200


def test_a_defect_inside_is_logged_and_answered_as_retryable(otlp_http, otlp, caplog, monkeypatch):
    async def broken(*_args, **_options):
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(Intake, "accept", broken)
    status, headers, body = otlp_http.send(otlp.traces(otlp.span()))
    assert (status, headers["Retry-After"]) == (503, "1")
    assert "ZeroDivisionError" not in Status.FromString(body).message
    assert [record.exc_info[0] for record in caplog.records] == [ZeroDivisionError]
    monkeypatch.undo()
    assert otlp_http.send(otlp.traces(otlp.span()))[0] == 200


def test_an_expected_continue_is_given_only_when_the_body_is_wanted(otlp_http, otlp):
    body = otlp.traces(otlp.span())
    head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {len(body)}\r\n"
    with otlp_http.socket() as wanted:
        wanted.sendall(f"{head}Content-Type: {PROTOBUF}\r\n\r\n".encode())
        assert wanted.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        wanted.sendall(body)
        assert wanted.recv(1000).startswith(b"HTTP/1.1 200")
    with otlp_http.socket() as unwanted:
        unwanted.sendall(f"{head}Content-Type: text/plain\r\n\r\n".encode())
        answer = unwanted.recv(4000)
        assert answer.startswith(b"HTTP/1.1 415")
        assert b"connection: close" in answer


PREFLIGHT = {"method": "OPTIONS", "Access_Control_Request_Method": "POST", "Content_Type": None}


def test_without_cors_no_web_page_may_send(otlp_http):
    status, headers, _ = otlp_http.send(**PREFLIGHT, Origin="https://shop.example")
    assert (status, headers.get("Access-Control-Allow-Origin")) == (405, None)
    status, headers, _ = otlp_http.send(Origin="https://shop.example")
    assert (status, headers.get("Access-Control-Allow-Origin"), headers.get("Vary")) == (200, None, None)


def test_only_the_origins_that_were_named_may_send_and_read_the_answer(tmp_path):
    ours = "https://shop.example"
    with http_receiver(None, tmp_path, app_options={"cors_origins": [ours]}) as found:
        status, headers, body = found.send(**PREFLIGHT, Origin=ours)
        assert (status, body, headers["Access-Control-Allow-Origin"]) == (204, b"", ours)
        assert (headers["Access-Control-Allow-Methods"], headers["Vary"]) == ("POST", "origin")
        assert "content-type" in headers["Access-Control-Allow-Headers"]
        assert int(headers["Access-Control-Max-Age"]) > 0
        for origin in ("https://evil.example", "https://shop.example.evil", "null"):
            status, headers, _ = found.send(**PREFLIGHT, Origin=origin)
            assert status == 204
            assert not [name for name in headers if name.lower().startswith("access-control")]
            assert found.send(Origin=origin)[1].get("Access-Control-Allow-Origin") is None
        for kind, wanted in ((JSON, 400), (PROTOBUF, 200), ("text/plain", 415)):
            status, headers, _ = found.send(Origin=ours, Content_Type=kind)
            assert (status, headers["Access-Control-Allow-Origin"]) == (wanted, ours)
        assert found.send(method="OPTIONS", Origin=ours)[0] == 405


def test_a_star_lets_every_origin_send(tmp_path):
    with http_receiver(None, tmp_path, app_options={"cors_origins": ["*"]}) as found:
        assert found.send(**PREFLIGHT, Origin="https://any.example")[1]["Access-Control-Allow-Origin"] == "*"


def test_500_random_mutations_are_accepted_or_refused_and_nothing_acknowledged_is_lost(database, tmp_path, otlp):
    rng = random.Random(3)
    templates = [
        otlp.traces(otlp.span("GET /", attributes={"a": 1, "b": [2.5]}), otlp.span("x", status=2)),
        otlp.counter("jobs.done", 5, attributes={"a": "b"}),
    ]
    mutations = [(n % 2, mutate(rng, templates[n % 2])) for n in range(500)]

    def send_all(part):
        connection = found.connect()
        paths = ("/v1/traces", "/v1/metrics")
        statuses = [found.send(body, path=paths[kind], connection=connection)[0] for kind, body in part]
        connection.close()
        return statuses

    with http_receiver(database, tmp_path) as found:
        with ThreadPoolExecutor(4) as pool:
            statuses = [s for part in pool.map(send_all, [mutations[n::4] for n in range(4)]) for s in part]
        assert len(statuses) == 500
        assert set(statuses) == {200, 400}
        assert found.send(otlp.traces(otlp.span("still alive")))[0] == 200
    letters = list((tmp_path / "dead-letter").glob("*.pb"))
    assert len(letters) < 10
    assert stored(database) > 50
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


def test_the_python_sdks_own_exporter_is_understood(database, tmp_path):
    with http_receiver(database, tmp_path) as found:
        for compression in Compression:
            exporter = OTLPSpanExporter(endpoint=f"http://127.0.0.1:{found.port}/v1/traces", compression=compression)
            provider = TracerProvider(resource=Resource.create({"service.name": compression.value}))
            provider.add_span_processor(SimpleSpanProcessor(exporter))
            with provider.get_tracer("t").start_as_current_span("parent"):
                provider.get_tracer("t").start_span("child").end()
            provider.shutdown()
    with database.client() as client:
        rows = client.query("SELECT service, name FROM spans").result_rows
    assert sorted(rows) == sorted((kind.value, name) for kind in Compression for name in ("parent", "child"))
