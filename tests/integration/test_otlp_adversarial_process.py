"""What hostile requests cost the collector's process, and what it survives, by the number of the case."""

import gzip
import itertools
import os
import signal
import threading
import time
import zlib
from contextlib import ExitStack

import grpc
import pytest
from backports import zstd

from tests.integration.otlp_bodies import OTLP
from tests.integration.otlp_encoding_cases import empty_items
from tests.integration.otlp_process import BEARER, Resident
from tests.receivers import PROTOBUF, wait_until

pytestmark = pytest.mark.e2e

MIB = 1 << 20
BOMB = 64 * MIB
PATIENCE_S = 60  # the breaker asks the database ever more seldom
SOON_S = 1.0  # measured on an idle machine: 0.05; the tests may share theirs


@pytest.fixture(scope="module")
def witness(collector_process):
    """Whoever appends the name of a span here has sent it, and finds it stored, once, when the file is through."""
    names = [f"ordinary-{os.urandom(8).hex()}"]
    collector_process.post(OTLP.traces(OTLP.span(names[0])))
    collector_process.settle()  # the first insert loads the database's client, which no hostile request is to blame for
    yield names
    collector_process.settle()
    assert stored_names(collector_process, "ordinary-%") == sorted(names)
    assert stored_names(collector_process, "never") == []
    assert collector_process.dead_letters() == []


def stored_names(collector, pattern):
    with collector.database.client() as client:
        found = client.query(f"SELECT toString(name) FROM spans WHERE name LIKE '{pattern}' ORDER BY 1")
        return [row[0] for row in found.result_rows]


@pytest.fixture
def sends(collector_process, witness):
    """Send an ordinary span each way after the test: whatever came before, they are acknowledged and stored."""
    yield collector_process
    names = [f"ordinary-{os.urandom(8).hex()}" for _ in range(2)]
    assert collector_process.post(OTLP.traces(OTLP.span(names[0]))) == 200
    assert collector_process.call(OTLP.traces(OTLP.span(names[1]))) is grpc.StatusCode.OK
    witness.extend(names)


def bombs():
    """Yield (encoding, body, status): what becomes 64 MiB or more, at a limit of 16."""
    packed = gzip.compress(bytes(BOMB), 9)
    packer = zstd.ZstdCompressor(1)
    stream = b"".join([packer.compress(bytes(MIB)) for _ in range(64)]) + packer.flush()
    yield "gzip", packed, 413
    yield "gzip", gzip.compress(bytes(MIB), 9) * 64, 413
    yield "gzip", gzip.compress(packed), 400
    yield "deflate", zlib.compress(bytes(BOMB), 9), 413
    yield "zstd", stream, 413
    yield "zstd", b"\x28\xb5\x2f\xfd\xa0" + BOMB.to_bytes(4, "little") + b"\x01\x00\x00", 413
    yield "zstd", b"\x28\xb5\x2f\xfd\x00" + bytes([(31 - 10) << 3]) + b"\x01\x00\x00", 413


def test_22_bombs_are_refused_at_once_and_take_no_memory(sends):
    made = list(bombs())
    with Resident(sends) as memory:
        for encoding, bomb, wanted in made:
            started = time.perf_counter()
            assert sends.post(bomb, Content_Encoding=encoding) == wanted, encoding
            assert time.perf_counter() - started < SOON_S, encoding
        assert sends.call(bytes(BOMB), compression=grpc.Compression.Gzip) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert memory.grown < 100 * MIB


def test_21_millions_of_empty_items_take_no_memory(sends):
    cases = list(empty_items())
    with Resident(sends) as memory:
        for case in cases:
            assert sends.post(case.body, case.signal) == 413
            assert sends.post(gzip.compress(case.body), case.signal, Content_Encoding="gzip") == 413
            assert sends.call(case.body, case.signal) is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert memory.grown < 100 * MIB


def test_04_22_what_was_refused_does_not_stay_in_memory(sends):
    body = os.urandom(15 * MIB)
    for _ in range(2):
        sends.post(body)
        sends.call(body)
    with Resident(sends) as memory:
        for _ in range(15):
            assert sends.post(body) == 400
            assert sends.call(body) is grpc.StatusCode.INVALID_ARGUMENT
    assert memory.grown < 150 * MIB


def test_41_100_mb_with_a_bad_token_are_refused_and_not_buffered(sends):
    head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF}\r\n"
    piece = bytes(MIB)
    with Resident(sends) as memory:
        for lines in (
            f"Authorization: Bearer wrong\r\nContent-Length: {100 * MIB}\r\n",
            f"Content-Length: {100 * MIB}\r\n",
            f"Authorization: {BEARER}\r\nAuthorization: {BEARER}\r\nContent-Length: {100 * MIB}\r\n",
            f"Authorization: Bearer wrong\r\nTransfer-Encoding: chunked\r\n\r\n{100 * MIB:x}\r\n",
        ):
            with sends.socket() as connection:
                connection.sendall((head + lines + ("" if "chunked" in lines else "\r\n")).encode())
                for _ in range(100):
                    connection.sendall(piece)
                assert connection.recv(100).startswith(b"HTTP/1.1 401")
        assert sends.post(b"", Authorization=None) == 401
        assert sends.receiver.send(b"", path=f"/v1/traces?token={BEARER.split()[1]}")[0] == 401
    assert memory.grown < 40 * MIB


def test_29_30_idle_and_slow_connections_are_capped_and_closed_in_time(sends):
    half = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nAuthorization: {BEARER}\r\nContent-Type: {PROTOBUF}\r\n"
    body = OTLP.traces(OTLP.span("never"))
    with ExitStack() as stack, Resident(sends) as memory:
        first = stack.enter_context(sends.socket())
        ask = f"{half}Content-Length: 0\r\n\r\n".encode()
        first.sendall(ask)
        assert first.recv(1000).startswith(b"HTTP/1.1 200")
        idle = [stack.enter_context(sends.socket()) for _ in range(300)]
        first.sendall(ask)
        assert first.recv(1000).startswith(b"HTTP/1.1 200"), "who was there keeps working"
        started = time.monotonic()
        assert sum(is_over(connection, 30) for connection in idle) == 300
        assert time.monotonic() - started < 30
        for start in (half.encode(), f"{half}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-1]):
            slow = stack.enter_context(sends.socket())
            slow.sendall(start)
            assert is_over(slow, 30)
        gone = stack.enter_context(sends.socket())
        gone.sendall(f"{half}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-1])
    assert memory.grown < 40 * MIB


def is_over(connection, seconds):
    """Return whether the other side closes within *seconds*; an answer before that is read."""
    connection.settimeout(seconds)
    try:
        while connection.recv(65536):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


FAULTS = {"too many parts": 252, "no space on the device": 243, "read-only": 164, "memory": 241, "unknown": 1002}


def test_43_what_comes_while_the_database_refuses_is_kept_and_stored_once(sends, bridge):
    sent = []

    def send():
        sent.append(f"fault-{os.urandom(8).hex()}")
        assert sends.post(OTLP.traces(OTLP.span(sent[-1]))) == 200

    try:
        for code in FAULTS.values():
            bridge.fault(only="INSERT", code=code)
            send()
        wait_until(lambda: "trying again" in sends.log, PATIENCE_S)
        bridge.fault(only="INSERT", cut=True)  # the insert happens, and its answer is lost
        send()
        wait_until(lambda: set(sent[:-1]) <= set(stored_names(sends, "fault-%")), PATIENCE_S)
    finally:
        bridge.heal()
    sends.settle()
    assert stored_names(sends, "fault-%") == sorted(sent)


@pytest.mark.parametrize("number", [pytest.param(signal.SIGTERM, marks=pytest.mark.long), signal.SIGKILL])
def test_44_what_was_acknowledged_survives_the_end_of_the_process(sends, number):
    name, acknowledged, stop = f"under-way-{number}", itertools.count(), threading.Event()
    threads = [threading.Thread(target=keep_sending, args=(sends, name, acknowledged, stop)) for _ in range(3)]
    for thread in threads:
        thread.start()
    time.sleep(0.6)
    assert sends.stop(number) == (0 if number is signal.SIGTERM else -signal.SIGKILL)
    stop.set()
    for thread in threads:
        thread.join()
    sends.start()
    sends.settle()
    wanted, found = next(acknowledged), len(stored_names(sends, name))
    # one request of each sender may have reached the disk, while its answer did not reach the sender
    assert wanted > 0
    assert wanted <= found <= wanted + len(threads)
    assert int(sends.database.command(f"SELECT uniqExact(trace_id) FROM spans WHERE name = '{name}'")) == found


def keep_sending(collector, name, acknowledged, stop):
    while not stop.is_set():
        try:
            status = collector.post(OTLP.traces(OTLP.span(name)))
        except OSError:
            continue
        if status == 200:
            next(acknowledged)
