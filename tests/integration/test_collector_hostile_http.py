"""Clients that want to hurt OTLP over HTTP: each is answered or closed in time, and the others notice nothing."""

import gzip
import json
import logging
import random
import selectors
import socket
import threading
import time
import zlib
from contextlib import ExitStack
from dataclasses import replace

import psutil
import pytest
from backports import zstd

from collector.admission.admission import Admission
from collector.transport import http_server
from storage.tokens import Tokens
from tests.receivers import BODY_LIMIT, JSON, PROTOBUF, http_receiver, wait_until

pytestmark = pytest.mark.slow

TIMEOUT_S = 0.4
SOON_S = TIMEOUT_S + 4.0  # the deadline, a sweep, and a busy machine


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    with http_receiver(None, tmp_path_factory.mktemp("http")) as found:
        yield found


@pytest.fixture
def otlp_http(shared):
    """A receiver for tests of the way in, where it takes too long to start one each."""
    return replace(shared, before=shared.before + shared.accepted())


@pytest.fixture(autouse=True)
def _soon(monkeypatch):
    monkeypatch.setattr(http_server, "SWEEP_TICKS", 1)
    monkeypatch.setattr(http_server, "ANSWER_S", 0.3)


def head(length, *more, kind=PROTOBUF):
    lines = ["POST /v1/traces HTTP/1.1", "Host: x", f"Content-Type: {kind}", f"Content-Length: {length}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


def chunked_head(kind=PROTOBUF):
    return f"POST /v1/traces HTTP/1.1\r\nContent-Type: {kind}\r\nTransfer-Encoding: chunked\r\n\r\n".encode()


def read_all(connection):
    """Return everything until the end of the connection; b"" when it is reset."""
    found = b""
    try:
        while data := connection.recv(65536):
            found += data
    except ConnectionResetError:
        pass
    return found


def exchange(receiver, data):
    """Send *data* on a connection of its own and return all that comes back until it is closed."""
    with receiver.socket() as connection:
        connection.sendall(data)
        return read_all(connection)


def parts(answer):
    """Return status, lower-case header lines and body of one answer."""
    top, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    return int(first.split()[1]), {line.lower() for line in lines}, body


MALFORMED = {
    "both lengths": head(5, "Transfer-Encoding: chunked") + b"0\r\n\r\n",
    "two lengths": head(5, "Content-Length: 6") + b"12345",
    "a negative length": head(-5),
    "a length beyond 64 bits": head(2**64),
    "a length that is no number": head("1e3"),
    "a bad chunk": b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nxx\r\n0\r\n\r\n",
    "a bad chunk later": chunked_head() + b"1\r\nx\r\nzz\r\n",
    "an unknown transfer encoding": b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a folded header": head(0, "X: 1", " folded"),
    "a space before the colon": head(0, "Content-Length : 5"),
    "a null in a header": head(0, "X: \x00"),
    "a path beyond ASCII": b"POST /v1/\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "no HTTP at all": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "an empty method": b" /v1/traces HTTP/1.1\r\n\r\n",
}


def test_what_is_no_http_is_400_with_a_status_and_the_connection_is_closed(otlp_http, otlp, caplog):
    for name, data in MALFORMED.items():
        status, lines, body = parts(exchange(otlp_http, data))
        assert (status, "connection: close" in lines) == (400, True), name
        assert json.loads(body)["message"], name
        assert otlp_http.send(otlp.traces(otlp.span()))[0] == 200, name
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING], "clients cannot fill the log"


def test_an_endless_header_is_refused(otlp_http, otlp):
    for data in (
        b"POST /" + b"x" * 300_000,
        b"POST /v1/traces HTTP/1.1\r\nX: " + b"x" * 300_000,
        b"POST /v1/traces HTTP/1.1\r\n" + b"X: y\r\n" * 50_000,
        chunked_head() + b"1;" + b"x" * 300_000,
        chunked_head() + b"0\r\nX: " + b"x" * 300_000,
    ):
        status, lines, body = parts(exchange(otlp_http, data))
        assert (status, "connection: close" in lines) == (431, True), data[:60]
        assert json.loads(body)["code"] == 3
    assert otlp_http.send(otlp.traces(otlp.span()))[0] == 200


def test_bombs_are_refused_in_no_time_and_without_memory(tmp_path, otlp):
    """64 MiB out of a few kilobytes, at the limit that is the default."""
    limit, size = 16 << 20, 64 << 20
    packer = zstd.ZstdCompressor(1)
    many = b"".join([packer.compress(bytes(1 << 20)) for _ in range(256)]) + packer.flush()
    declared = b"\x28\xb5\x2f\xfd\xa0" + size.to_bytes(4, "little") + b"\x01\x00\x00"
    manys = b"\x28\xb5\x2f\xfd\x00" + bytes([(31 - 10) << 3]) + b"\x01\x00\x00"
    bombs = [
        ("gzip", gzip.compress(bytes(size), 9), 413),
        ("gzip", gzip.compress(bytes(1 << 20), 9) * 64, 413),
        ("gzip", gzip.compress(gzip.compress(bytes(size), 9)), 400),
        ("gzip", gzip.compress(b"") * 500_000, 400),
        ("deflate", zlib.compress(bytes(size), 9), 413),
        ("zstd", many, 413),
        ("zstd", declared, 413),
        ("zstd", manys, 413),
    ]
    with http_receiver(None, tmp_path, app_options={"body_limit_bytes": limit}) as found:
        assert found.send(otlp.traces(otlp.span()))[0] == 200
        before = psutil.Process().memory_info().rss
        for encoding, bomb, wanted in bombs:
            started = time.perf_counter()
            assert found.send(bomb, Content_Encoding=encoding)[0] == wanted, encoding
            assert time.perf_counter() - started < 0.5, encoding  # measured: 45 ms; a busy machine is slower
        assert psutil.Process().memory_info().rss - before < 8 * limit
        assert found.intake.admission.budget.used_bytes == 0


def test_a_body_of_100_mb_with_a_bad_token_is_answered_and_not_read_into_memory(tmp_path):
    (tmp_path / "tokens.yaml").write_text("tokens: []\n")
    (tmp_path / "tokens.yaml").chmod(0o600)
    admission = Admission(tokens=Tokens(tmp_path / "tokens.yaml"))
    piece = bytes(1 << 20)
    with http_receiver(None, tmp_path / "data", admission=admission) as found:
        before = psutil.Process().memory_info().rss
        for sent in (
            head(100 << 20, "Authorization: Bearer wrong"),
            chunked_head(JSON) + b"6400000\r\n",
        ):
            with found.socket() as connection:
                connection.sendall(sent)
                for _ in range(100):
                    connection.sendall(piece)
                status, lines, _ = parts(read_all(connection))
            assert status == 401
            assert {"connection: close", "www-authenticate: bearer"} <= lines
        assert psutil.Process().memory_info().rss - before < 30 << 20
        assert found.intake.admission.budget.used_bytes == 0


def test_one_of_two_authorization_headers_is_not_believed(tmp_path):
    (tmp_path / "tokens.yaml").write_text("tokens: []\n")
    (tmp_path / "tokens.yaml").chmod(0o600)
    with http_receiver(None, tmp_path / "data", admission=Admission(tokens=Tokens(tmp_path / "tokens.yaml"))) as found:
        answer = exchange(found, head(0, "Authorization: Bearer a", "Authorization: Bearer b", "Connection: close"))
        assert parts(answer)[0] == 401
        assert found.send(b"", path="/v1/traces?token=a")[0] == 401


SLOW = {
    "nothing": b"",
    "half a line": b"POST /v1/tra",
    "half a header": b"POST /v1/traces HTTP/1.1\r\nHost: x\r\n",
    "empty lines": b"\r\n\r\n",
    "a header and then nothing": head(100),
    "half a body": head(100) + bytes(50),
    "half a chunk": chunked_head() + b"64\r\nxx",
    "one request and half of the next": head(0) + head(100),
}


def test_who_is_slow_is_closed_in_time_and_stores_nothing(tmp_path, otlp):
    """A byte now and then does not help; what waits for a body is told to come again."""
    options = {"server_options": {"timeout_s": TIMEOUT_S}, "app_options": {"timeout_s": TIMEOUT_S}}
    with http_receiver(None, tmp_path, **options) as found, ExitStack() as stack:
        started = time.monotonic()
        slow = {
            name: stack.enter_context(found.socket()) for name in [*SLOW, "a byte now and then", "empty lines again"]
        }
        for name, data in SLOW.items():
            slow[name].sendall(data)
        trickle = {"a byte now and then": head(100), "empty lines again": b"\r\n" * 50}
        answers = {}
        with selectors.DefaultSelector() as selector:
            for name, connection in slow.items():
                selector.register(connection, selectors.EVENT_READ, name)
            while selector.get_map():
                assert time.monotonic() - started < SOON_S, [key.data for key in selector.get_map().values()]
                for key, _ in selector.select(0.1):
                    answers[key.data] = read_all(key.fileobj)
                    selector.unregister(key.fileobj)
                for name in trickle.keys() - answers.keys():
                    slow[name].sendall(trickle[name][:1])
                    trickle[name] = trickle[name][1:]
                assert found.send(otlp.traces(otlp.span()))[0] == 200
        for name in ("a header and then nothing", "half a body", "half a chunk"):
            status, lines, _ = parts(answers[name])
            assert (status, {"retry-after: 1", "connection: close"} <= lines) == (503, True), name
        for name in ("nothing", "half a line", "half a header", "empty lines", "a byte now and then"):
            assert answers[name] == b"", name
        assert answers["one request and half of the next"].startswith(b"HTTP/1.1 200")
        assert found.intake.admission.budget.used_bytes == 0


def test_an_idle_connection_is_kept_for_a_while_and_then_closed(tmp_path, monkeypatch):
    monkeypatch.setattr(http_server, "IDLE_S", 0.6)
    with http_receiver(None, tmp_path, server_options={"timeout_s": 0.2}) as found, found.socket() as connection:
        for _ in range(2):
            connection.sendall(head(0))
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")
            time.sleep(0.3)
        started = time.monotonic()
        assert connection.recv(1000) == b""
        assert time.monotonic() - started < 3


def test_idle_connections_beyond_the_cap_are_closed_and_clients_keep_working(tmp_path, otlp):
    with http_receiver(None, tmp_path, server_options={"connections": 20}) as found, ExitStack() as stack:
        client = stack.enter_context(found.socket())
        client.sendall(head(0))
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        idle = [stack.enter_context(found.socket()) for _ in range(300)]
        wait_until(lambda: sum(is_closed(connection) for connection in idle) == 281)
        assert len(found.server.server_state.connections) == 20
        client.sendall(head(0))
        assert client.recv(1000).startswith(b"HTTP/1.1 200")
        for connection in idle:
            connection.close()
        wait_until(lambda: len(found.server.server_state.connections) == 1)
        assert found.send(otlp.traces(otlp.span()))[0] == 200


def is_closed(connection):
    connection.setblocking(False)
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True


def test_pipelined_requests_are_answered_in_their_order(otlp_http):
    kinds = [PROTOBUF, "text/plain", JSON, PROTOBUF, JSON]
    last = head(0, "Connection: close")
    answer = exchange(otlp_http, b"".join(head(2, kind=kind) + b"{}" for kind in kinds) + last)
    statuses = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [400, 415, 200, 400, 200, 200]


def test_what_follows_a_request_is_no_answer_to_it(otlp_http, otlp):
    """A client would take the 400 for its first request, and drop a batch that it may send again."""
    body = otlp.traces(otlp.span())
    assert exchange(otlp_http, head(len(body)) + body + b"nonsense\r\n\r\n") == b""
    assert otlp_http.send(body)[0] == 200


def test_a_flood_of_pipelined_requests_is_cut_off(otlp_http, otlp):
    many = b"POST / HTTP/1.1\r\n\r\n" * 500_000
    before = psutil.Process().memory_info().rss
    with otlp_http.socket() as connection, pytest.raises(ConnectionError):
        connection.sendall(many)
    assert psutil.Process().memory_info().rss - before < 20 << 20
    assert otlp_http.send(otlp.traces(otlp.span()))[0] == 200


def test_who_never_reads_the_answers_is_closed(tmp_path, monkeypatch, otlp, caplog):
    monkeypatch.setattr(http_server, "IDLE_S", 0.5)
    monkeypatch.setattr(http_server, "MOST_PIPELINED", 10_000)
    with http_receiver(None, tmp_path) as found:
        found.server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)  # what it accepts is like it
        with found.socket() as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for _ in range(12):
                connection.sendall(head(0, kind="text/plain") * 50)
                time.sleep(0.02)
            wait_until(lambda: not found.server.server_state.connections)
        assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
        assert found.send(otlp.traces(otlp.span()))[0] == 200


def test_an_offer_to_upgrade_is_ignored_and_the_request_served(otlp_http, otlp):
    """As Java's own HTTP client offers it; and a WebSocket is none of ours."""
    with otlp_http.socket() as connection:
        for upgrade in ("h2c", "websocket"):
            body = otlp.traces(otlp.span())
            connection.sendall(head(len(body), f"Upgrade: {upgrade}", "Connection: Upgrade") + body)
            assert connection.recv(4000).startswith(b"HTTP/1.1 200"), upgrade
    assert otlp_http.accepted() == 2


def test_old_http_is_served_and_closed(otlp_http, otlp):
    body = otlp.traces(otlp.span())
    old = f"POST /v1/traces HTTP/1.0\r\nContent-Type: {PROTOBUF}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    status, lines, _ = parts(exchange(otlp_http, old + body))
    assert (status, "connection: close" in lines) == (200, True)


def test_what_is_quoted_in_an_answer_is_short_and_printable(otlp_http):
    for request in (
        {"path": "/" + "x" * 20_000},
        {"path": "/%0d%0aSet-Cookie:%20a=b%00%e2%80%ae"},
        {"Content_Type": "<script>" + "x" * 20_000},
        {"Content_Encoding": "x" * 20_000},
        {"method": "X" * 20, "path": "/x"},
    ):
        status, headers, body = otlp_http.send(**request)
        assert 400 <= status < 500
        assert "Set-Cookie" not in headers
        message = json.loads(body)["message"] if headers["Content-Type"] == JSON else body.decode(errors="replace")
        assert len(body) < 1500
        assert "\u202e" not in message
        assert headers["Content-Type"] != JSON or message.isprintable()


def test_a_stop_tells_half_sent_requests_to_come_again(tmp_path, otlp, monkeypatch):
    """On 500, which uvicorn would answer, an exporter drops its batch."""
    monkeypatch.setattr(http_server, "GRACE_S", 0.2)
    body = otlp.traces(otlp.span())
    with http_receiver(None, tmp_path) as found, found.socket() as half, found.socket() as idle:
        half.sendall(head(len(body)) + body[:20])
        idle.sendall(head(0))
        assert idle.recv(1000).startswith(b"HTTP/1.1 200")
        wait_until(lambda: found.server.server_state.tasks)
        found.server.should_exit = True
        status, lines, _ = parts(read_all(half))
        assert (status, {"retry-after: 1", "connection: close"} <= lines) == (503, True)
        assert read_all(idle) == b""
        assert found.accepted() == 0


def test_noise_on_many_connections_leaves_the_others_alone(otlp_http, otlp):
    rng = random.Random(7)
    valid = head(20) + bytes(20)

    def noise():
        for _ in range(60):
            data = bytearray(valid)
            for _ in range(rng.choice([1, 3, 30])):
                data[rng.randrange(len(data))] = rng.randrange(256)
            with otlp_http.socket() as connection:
                connection.sendall(bytes(data[: rng.randrange(1, len(data) + 1)]))
                connection.shutdown(socket.SHUT_WR)
                answer = read_all(connection)
                assert answer == b"" or answer[:12] in {b"HTTP/1.1 %d" % code for code in STATUSES}, answer

    failures = []
    threads = [threading.Thread(target=lambda: failures.extend(failed(noise))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for _ in range(50):
        assert otlp_http.send(otlp.traces(otlp.span()))[0] == 200
    for thread in threads:
        thread.join()
    assert failures == []
    wait_until(lambda: not otlp_http.server.server_state.tasks)


STATUSES = (200, 400, 404, 405, 413, 415)


def failed(function):
    """Return the assertion that failed in *function*, which runs in a thread."""
    try:
        function()
    except AssertionError as error:
        return [error]
    return []


def test_the_deadline_counts_from_the_first_byte_of_each_request(tmp_path, otlp):
    """A connection that is busy for longer than the timeout is not closed, because no single request was slow."""
    body = otlp.traces(otlp.span())
    with http_receiver(None, tmp_path, server_options={"timeout_s": 0.3}) as found, found.socket() as connection:
        started = time.monotonic()
        while time.monotonic() - started < 0.9:
            connection.sendall(head(len(body)) + body[:10])
            time.sleep(0.2)
            connection.sendall(body[10:])
            assert connection.recv(1000).startswith(b"HTTP/1.1 200")


def test_the_limit_is_what_the_requests_of_all_clients_hold_together(tmp_path):
    """Bodies that are half sent hold memory, and what does not fit is told to come again."""
    admission = Admission(inflight_limit_bytes=2 * BODY_LIMIT)
    with http_receiver(None, tmp_path, admission=admission) as found, ExitStack() as stack:
        for _ in range(2):
            half = stack.enter_context(found.socket())
            half.sendall(head(BODY_LIMIT) + bytes(BODY_LIMIT - 1))
        wait_until(lambda: admission.budget.used_bytes == 2 * BODY_LIMIT - 2)
        status, headers, _ = found.send(bytes(100))
        assert (status, headers["Retry-After"]) == (503, "1")
    assert admission.budget.used_bytes == 0
