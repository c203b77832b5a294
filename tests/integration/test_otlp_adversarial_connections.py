"""Requests that want to hurt by what lies around their body, by the number of the case."""

import gzip
import socket
import time
import zlib

import grpc
import pytest

from tests.integration.otlp_bodies import OTLP, ordinary
from tests.integration.otlp_stack import DEADLINE_S, Outcome
from tests.receivers import JSON, PROTOBUF, GrpcReceiver

PACKED = gzip.compress(OTLP.traces(OTLP.span()))


@pytest.fixture(autouse=True)
def _goes_on(conforming):
    yield
    conforming.goes_on()


BROKEN = {
    ("gzip", "not packed at all"): b"plain",
    ("gzip", "a header and plain text"): PACKED[:10] + b"plain text",
    ("gzip", "cut off"): PACKED[:-9],
    ("gzip", "without its checksum"): PACKED[:-8],
    ("gzip", "of a wrong checksum"): PACKED[:-8] + bytes(8),
    ("gzip", "empty"): b"",
    ("gzip", "nested"): gzip.compress(PACKED),
    ("deflate", "not packed at all"): b"plain",
    ("deflate", "of a wrong checksum"): zlib.compress(b"")[:-4] + b"abcd",
    ("zstd", "not packed at all"): b"plain",
    ("zstd", "a header alone"): b"\x28\xb5\x2f\xfd",
}


@pytest.mark.parametrize(("encoding", "name"), BROKEN)
def test_23_what_cannot_be_unpacked_is_400(conforming, encoding, name):
    for as_json in (False, True):
        found = conforming.over_http("traces", BROKEN[encoding, name], as_json=as_json, Content_Encoding=encoding)
        assert found.status == 400
        assert found.message


def test_24_every_member_is_unpacked(conforming):
    before, one, two = conforming.lane().accepted_items, ordinary("traces"), ordinary("traces")
    whole = one + two
    packed = b"".join(gzip.compress(part) for part in (whole[:20], b"", whole[20:90], whole[90:]))
    assert conforming.over_http("traces", packed, Content_Encoding="gzip") == Outcome(200)
    assert conforming.lane().accepted_items == before + 2


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "gzip,identity", "compress", "x" * 9000])
def test_25_an_encoding_that_is_not_known_is_415(conforming, encoding):
    assert conforming.over_http("traces", b"", Content_Encoding=encoding).status == 415


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_25_no_encoding_has_a_name_too(conforming, encoding):
    assert conforming.over_http("traces", ordinary("traces"), Content_Encoding=encoding) == Outcome(200)


def test_25_the_case_of_an_encoding_does_not_matter(conforming):
    packed = gzip.compress(ordinary("traces"))
    assert conforming.over_http("traces", packed, Content_Encoding="GZIP") == Outcome(200)


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (None, 415),
        ("text/plain", 415),
        ("application/protobuf", 415),
        ("multipart/form-data; boundary=x", 415),
        ("application/x-protobuf; charset=x", 200),
    ],
)
def test_26_the_content_type_decides(conforming, kind, wanted):
    assert conforming.http.send(ordinary("traces"), Content_Type=kind)[0] == wanted


def test_26_json_that_says_it_is_protobuf_is_400_with_a_hint(conforming):
    found = conforming.over_http("traces", b'{"resourceSpans":[]}')
    assert found.status == 400
    assert JSON in found.message
    assert conforming.over_grpc("traces", b'{"resourceSpans":[]}') == found


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "HEAD"])
def test_27_another_method_is_405_and_says_which_one_it_is(conforming, method):
    status, headers, _ = conforming.http.send(method=method)
    assert (status, headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["//v1/traces", "/v1/trace", "/V1/traces", "/v1/traces/x", "/v1/%2e%2e/traces", "/"])
def test_27_another_path_is_404(conforming, path):
    assert conforming.http.send(path=path)[0] == 404


HEAD = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\n".encode()
MALFORMED = {
    "both lengths": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
    "a negative length": b"Content-Length: -5\r\n\r\n",
    "a length beyond 64 bits": b"Content-Length: 18446744073709551616\r\n\r\n",
    "a bad chunk": b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a bad chunk behind a good one": b"Transfer-Encoding: chunked\r\n\r\n1\r\n\x0a\r\n-1\r\n",
    "a chunk of 2^64": b"Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_28_a_body_whose_end_is_not_clear_is_400_and_ends_the_connection(conforming, name):
    assert answer_of(conforming, HEAD + MALFORMED[name]).startswith(b"HTTP/1.1 400")


def test_28_a_length_that_is_huge_is_413_before_the_body(conforming):
    assert answer_of(conforming, HEAD + b"Content-Length: 9223372036854775807\r\n\r\n").startswith(b"HTTP/1.1 413")


def answer_of(conforming, data):
    """Return all that comes until the server ends the connection, which it must."""
    with conforming.http.socket() as connection:
        connection.sendall(data)
        connection.settimeout(DEADLINE_S)
        found = b""
        while piece := connection.recv(65536):
            found += piece
        return found


def test_29_half_a_body_and_a_client_that_is_gone_store_nothing(conforming):
    before, body = conforming.lane().accepted_items, ordinary("traces") * 2
    half = body[: len(body) // 2]  # a valid request by itself
    with conforming.http.socket() as connection:
        connection.sendall(HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode() + half)
    with conforming.http.socket() as connection:
        connection.sendall(HEAD + f"Transfer-Encoding: chunked\r\n\r\n{len(half):x}\r\n".encode() + half + b"\r\n")
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(DEADLINE_S)
        assert connection.recv(1000) == b""
    assert conforming.over_http("traces", ordinary("traces")) == Outcome(200)
    assert conforming.lane().accepted_items == before + 1


def test_31_a_call_without_a_message_or_with_an_odd_one_is_refused(conforming):
    stream = conforming.channel.stream_unary(GrpcReceiver.TRACES)
    assert stream.future(iter(()), timeout=DEADLINE_S).code() is grpc.StatusCode.INVALID_ARGUMENT
    assert conforming.grpc.refused(b"", "/nowhere/Export")[0] is grpc.StatusCode.UNIMPLEMENTED
    assert conforming.over_grpc("traces", b"{}").status == 400


def test_31_of_several_messages_the_first_one_is_the_request(conforming):
    """The wire cannot tell a stream from a single call; nothing of the rest may be stored or waited for."""
    before, stream = conforming.lane().accepted_items, conforming.channel.stream_unary(GrpcReceiver.TRACES)
    call = stream.future(iter([ordinary("traces"), ordinary("traces")]), timeout=DEADLINE_S)
    assert call.result() == b""
    assert conforming.lane().accepted_items == before + 1


def test_32_a_deadline_or_a_cancellation_leaves_whole_batches_and_the_retry_none_twice(conforming):
    bodies = [OTLP.traces(*(OTLP.span("given up") for _ in range(20))) for _ in range(10)]
    export = conforming.channel.unary_unary(GrpcReceiver.TRACES)
    for number, body in enumerate(bodies):
        waiting = export.future(body, timeout=0.001 * (number + 1))
        export.future(body).cancel()
        assert waiting.exception() is None or waiting.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert [export(body, timeout=DEADLINE_S) for body in bodies] == [b""] * 10
    conforming.settle()
    assert conforming.rows("SELECT count() AS n FROM spans WHERE name = 'given up'") == [{"n": 200}]


def test_42_what_a_client_sent_is_quoted_short_and_without_control_characters(conforming):
    evil = "x\r\nSet-Cookie: a=b\r\n\r\n\x00\x1b[31m\u202e" + "y" * 5000
    for body in (OTLP.traces(OTLP.span(evil, span_id=b"")), OTLP.traces(OTLP.span(), OTLP.span(evil, span_id=b""))):
        found = conforming.over_both("traces", body)
        assert found.message.isprintable()
        assert "y" * 200 not in found.message
    status, headers, _ = conforming.http.send(path="/%0d%0aSet-Cookie:%20a=b")
    assert (status, headers.get("Set-Cookie")) == (404, None)


def test_46_noise_is_answered_200_or_400_over_both_transports(conforming):
    import random

    rng, started = random.Random(46), time.monotonic()
    for number in range(200):
        signal = ("traces", "metrics", "logs")[number % 3]
        assert conforming.over_both(signal, rng.randbytes(rng.randrange(1, 65))).status in {200, 400}
    assert time.monotonic() - started < DEADLINE_S
