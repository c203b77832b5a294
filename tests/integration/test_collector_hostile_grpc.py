"""Clients that want to hurt OTLP over gRPC, written as raw HTTP/2 frames: the others notice nothing."""

import time
from contextlib import ExitStack, suppress

import grpc
import pytest

from collector.admission.admission import Admission
from storage.tokens import Tokens
from tests.receivers import BODY_LIMIT, GrpcReceiver, grpc_receiver, wait_until

pytestmark = pytest.mark.slow

TIMEOUT_S = 0.5
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST, SETTINGS, PING, WINDOW = 0, 1, 3, 4, 6, 8
END_STREAM, END_HEADERS = 1, 4


@pytest.fixture
def otlp_grpc(tmp_path):
    with grpc_receiver(None, tmp_path, server_options={"timeout_s": TIMEOUT_S}) as found:
        yield found


def frame(kind, flags, stream, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def hpack(name, value):
    """Return a header that is not indexed and not compressed."""
    return b"".join([b"\x00", bytes([len(name)]), name.encode(), bytes([len(value)]), value.encode()])


def call(stream, *more, path=GrpcReceiver.TRACES):
    """Return the HEADERS frame that opens a call."""
    fields = [(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "x")]
    fields += [("content-type", "application/grpc"), ("te", "trailers"), *more]
    return frame(HEADERS, END_HEADERS, stream, b"".join(hpack(*field) for field in fields))


def message(body, *, compressed=False, length=None):
    return bytes([compressed]) + (len(body) if length is None else length).to_bytes(4, "big") + body


class RawClient:
    """A connection after the preface and the settings, that reads frames."""

    def __init__(self, receiver):
        self.socket = receiver.socket()
        self.socket.sendall(PREFACE + frame(SETTINGS, 0, 0))
        self._rest = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, *frames):
        self.socket.sendall(b"".join(frames))

    def frames(self):
        """Yield (kind, flags, stream, payload) until the connection ends."""
        while True:
            while len(self._rest) < 9 or len(self._rest) < 9 + int.from_bytes(self._rest[:3], "big"):
                data = self._receive()
                if not data:
                    return
                self._rest += data
            size = int.from_bytes(self._rest[:3], "big")
            top, payload, self._rest = self._rest[:9], self._rest[9 : 9 + size], self._rest[9 + size :]
            if top[3] in {SETTINGS, PING} and not top[4]:
                with suppress(ConnectionError):
                    self.send(frame(top[3], 1, 0, payload if top[3] == PING else b""))
            yield top[3], top[4], int.from_bytes(top[5:9], "big"), payload

    def _receive(self):
        try:
            return self.socket.recv(65536)
        except ConnectionError:
            return b""

    def answer(self, stream):
        """Return the kinds of frames of a stream's answer, and the fields of its last HEADERS as they are."""
        kinds, fields = [], b""
        for kind, flags, number, payload in self.frames():
            if number != stream:
                continue
            kinds.append(kind)
            fields = payload if kind == HEADERS else fields
            if flags & END_STREAM or kind == RST:
                return kinds, fields
        return kinds, fields


def test_half_open_calls_are_told_to_come_again_and_block_nobody(otlp_grpc, otlp):
    """Calls without a message, with half of one, and with half a frame; more of them than 6."""
    with ExitStack() as stack:
        clients = [stack.enter_context(RawClient(otlp_grpc)) for _ in range(10)]
        started = time.monotonic()
        for client in clients:
            client.send(call(1), call(3), frame(DATA, 0, 3, message(b"half", length=100)), call(5))
            client.send(frame(DATA, 0, 5, message(bytes(1000)))[:50])
        for _ in range(20):
            assert otlp_grpc.call(otlp.traces(otlp.span())) == b""
        assert time.monotonic() - started < TIMEOUT_S + 3
        for client in clients:
            waiting = {1, 3, 5}
            for kind, flags, stream, payload in client.frames():
                if stream in waiting and (flags & END_STREAM or kind == RST):
                    assert b"grpc-status" in payload or kind == RST
                    waiting.discard(stream)
                if not waiting:
                    break
            assert not waiting
    wait_until(lambda: otlp_grpc.intake.admission.budget.used_bytes == 0)


def test_a_refusal_that_may_be_retried_comes_in_the_headers_alone(tmp_path, otlp):
    """OkHttp, which Java's exporter uses, reads grpc-status from there only."""
    with grpc_receiver(None, tmp_path, spool_limit_bytes=10) as found, RawClient(found) as client:
        client.send(call(1), frame(DATA, END_STREAM, 1, message(otlp.traces(otlp.span()))))
        kinds, fields = client.answer(1)
    assert kinds[0] == HEADERS
    assert DATA not in kinds
    assert b"grpc-status-details-bin" in fields
    assert b"google.rpc.retryinfo-bin" in fields


ODD_CALLS = {
    "no message": [call(1), frame(DATA, END_STREAM, 1)],
    "4 GiB declared": [call(1), frame(DATA, 0, 1, message(b"x", length=2**32 - 1))],
    "compressed without an encoding": [call(1), frame(DATA, END_STREAM, 1, message(b"xyz", compressed=True))],
    "gzip that is none": [
        call(1, ("grpc-encoding", "gzip")),
        frame(DATA, END_STREAM, 1, message(b"xyz", compressed=True)),
    ],
    "an encoding that gRPC does not know": [
        call(1, ("grpc-encoding", "zstd")),
        frame(DATA, END_STREAM, 1, message(b"xyz", compressed=True)),
    ],
    "a timeout that is none": [call(1, ("grpc-timeout", "soon")), frame(DATA, END_STREAM, 1, message(b"\xff"))],
    "JSON": [call(1, ("content-type", "application/json")), frame(DATA, END_STREAM, 1, message(b"{}"))],
    "a path that is none": [call(1, path="nowhere"), frame(DATA, END_STREAM, 1, message(b""))],
}
BROKEN_CONNECTIONS = {
    "a frame beyond its limit": frame(DATA, 0, 1, bytes(20_000)),
    "a broken header": frame(HEADERS, END_HEADERS, 1, b"\xff" * 40),
    "a window of nothing": frame(WINDOW, 0, 0, bytes(4)),
    "settings of a stream": frame(SETTINGS, 0, 1),
}


def test_odd_calls_are_refused_and_the_connection_goes_on(otlp_grpc, otlp, caplog):
    for name, frames in ODD_CALLS.items():
        with RawClient(otlp_grpc) as client:
            client.send(*frames)
            kinds, fields = client.answer(1)
            assert RST in kinds or b"grpc-status" in fields, name
            client.send(call(3), frame(DATA, END_STREAM, 3, message(otlp.traces(otlp.span()))))
            assert DATA in client.answer(3)[0], name
    assert not caplog.records, "clients cannot fill the log"
    assert otlp_grpc.intake.admission.budget.used_bytes == 0


def test_broken_connections_end_and_others_go_on(otlp_grpc, otlp):
    for name, data in BROKEN_CONNECTIONS.items():
        with RawClient(otlp_grpc) as client:
            client.send(data)
            assert DATA not in {kind for kind, *_ in client.frames()}, name
    for data in (b"POST /v1/traces HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01", b"\x00" * 5000):
        with otlp_grpc.socket() as raw:
            raw.sendall(data)
            assert otlp_grpc.call(otlp.traces(otlp.span())) == b""


def test_who_gives_no_sign_of_life_is_closed(otlp_grpc):
    """Neither a preface, nor a whole one, nor a frame after it, nor an answer to a ping."""
    with ExitStack() as stack:
        sent = [b"", PREFACE[:10], PREFACE, PREFACE + frame(SETTINGS, 0, 0), PREFACE + frame(SETTINGS, 0, 0) + call(1)]
        silent = [stack.enter_context(otlp_grpc.socket()) for _ in sent]
        for connection, data in zip(silent, sent, strict=True):
            connection.sendall(data)
        assert all(closed_within(connection, TIMEOUT_S + 5) for connection in silent)


def closed_within(connection, seconds):
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return False
    return True


def test_connections_beyond_the_cap_are_closed_and_clients_keep_working(tmp_path, otlp):
    options = {"connections": 10, "timeout_s": 5}
    with grpc_receiver(None, tmp_path, server_options=options) as found, found.channel() as channel:
        export = channel.unary_unary(GrpcReceiver.TRACES)
        assert export(otlp.traces(otlp.span()), timeout=10) == b""
        with ExitStack() as stack:
            idle = [stack.enter_context(found.socket()) for _ in range(100)]
            assert sum(closed_within(connection, 0.05) for connection in idle) >= 90
            assert export(otlp.traces(otlp.span()), timeout=10) == b""
        wait_until(lambda: accepts(found, otlp))


def accepts(receiver, otlp):
    try:
        return receiver.call(otlp.traces(otlp.span())) == b""
    except grpc.RpcError:
        return False


def test_100_mb_with_a_bad_token_are_not_read(tmp_path):
    """The answer comes after the headers: what was sent until then is what one stream's window lets through."""
    (tmp_path / "tokens.yaml").write_text("tokens: []\n")
    (tmp_path / "tokens.yaml").chmod(0o600)
    admission = Admission(tokens=Tokens(tmp_path / "tokens.yaml"))
    options = {"body_limit_bytes": 200 << 20}
    with grpc_receiver(None, tmp_path / "data", admission=admission, server_options=options) as found:
        with RawClient(found) as client:
            client.send(call(1), frame(DATA, 0, 1, message(bytes(1000), length=100 << 20)))
            kinds, fields = client.answer(1)
        assert kinds[0] == HEADERS
        assert b"grpc-status" in fields
        code, _, _ = found.refused(bytes(100 << 20))
        assert code is grpc.StatusCode.UNAUTHENTICATED
        assert admission.budget.used_bytes == 0


def test_many_calls_on_a_connection_are_all_served(tmp_path, otlp):
    bodies = [otlp.traces(otlp.span()) for _ in range(300)]
    with grpc_receiver(None, tmp_path) as found, found.channel() as channel:
        export = channel.unary_unary(GrpcReceiver.TRACES)
        assert {future.result(20) for future in [export.future(body) for body in bodies]} == {b""}
        assert found.accepted() == 300


def test_the_limit_is_what_the_requests_of_all_clients_hold_together(tmp_path):
    admission = Admission(inflight_limit_bytes=BODY_LIMIT)
    with grpc_receiver(None, tmp_path, admission=admission) as found:
        held = admission.enter(None)
        held.take(BODY_LIMIT - 50)
        code, _, trailers = found.refused(bytes(100))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert "google.rpc.retryinfo-bin" in trailers
        held.__exit__(None, None, None)
        assert found.refused(bytes(100))[0] is grpc.StatusCode.INVALID_ARGUMENT
