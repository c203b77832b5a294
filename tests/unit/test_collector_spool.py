"""The spool: durable before it is acknowledged, known for ten minutes, refused when the disk or the database cannot."""

import errno
import os
import shutil
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from collector.errors import Overloaded
from collector.spool import recent
from collector.spool import segment as segments
from collector.spool import spool as spools
from collector.spool.contents import load
from collector.spool.index import Kind
from collector.spool.recovery import request_counter
from collector.spool.segment import frame
from collector.spool.spool import Spool

LONG_S = 3600.0
BODIES = [b"first", b"", bytes(range(130)), b"last one"]


@pytest.fixture
def open_spool(tmp_path, monkeypatch):
    """Return a function that opens the spool of this test; it is never sealed by age unless a test says so."""
    monkeypatch.setattr(spools, "SEAL_AFTER_S", LONG_S)
    opened = []

    def make(folder=tmp_path / "traces", limit_bytes=1 << 20, **options):
        opened.append(Spool(folder, limit_bytes=limit_bytes, **options))
        return opened[-1]

    yield make
    for spool in opened:
        spool.close()


def put(spool, *bodies):
    for body in bodies:
        spool.append(body, body, 1).result(10)


def stored(segment):
    contents = load(segment, request_counter("traces"))
    assert all(entry.kind == Kind.REQUEST for entry in contents.entries)
    return [contents.body(entry) for entry in contents.entries]


def sealed(spool):
    """Close *spool* and return its segments, oldest first, removed as a writer would."""
    spool.close()
    found = []
    while (segment := spool.next_sealed(0)) is not None:
        found.append((segment.id, stored(segment)))
        spool.remove(segment)
    return found


def test_a_request_is_on_disk_and_synced_before_its_future_is_done(open_spool, tmp_path, monkeypatch):
    synced = []
    real = os.fdatasync
    monkeypatch.setattr(
        "collector.spool.open_segment.os.fdatasync",
        lambda fd: (real(fd), synced.append(Path(f"/proc/self/fd/{fd}").readlink().suffix)),
    )
    spool = open_spool()
    put(spool, b"body")
    (segment,) = (tmp_path / "traces").glob("*.seg")
    assert segment.read_bytes() == frame(b"body")
    assert set(synced) == {".seg", ".idx"}


def test_the_bytes_are_those_of_format_protobuf_in_the_order_of_arrival(open_spool):
    spool = open_spool()
    put(spool, *BODIES)
    spool.close()
    segment = spool.next_sealed(0)
    assert segment.read() == b"".join(map(frame, BODIES))
    assert stored(segment) == BODIES


def test_what_was_cleaned_is_stored_and_what_was_sent_is_remembered(open_spool):
    spool = open_spool()
    spool.append(b"as sent", b"cleaned", 3).result(10)
    spool.append(b"as sent", b"cleaned", 3).result(10)
    spool.close()
    segment = spool.next_sealed(0)
    assert stored(segment) == [b"cleaned"]
    assert [entry.items for entry in load(segment, request_counter("traces")).entries] == [3]


def test_a_known_body_is_acknowledged_and_not_stored(open_spool):
    spool = open_spool()
    put(spool, b"one", b"two", b"one")
    assert spool.append(b"two", b"two", 1).result(0) is False
    assert [bodies for _, bodies in sealed(spool)] == [[b"one", b"two"]]


def test_a_known_body_is_acknowledged_also_when_the_spool_is_full(open_spool):
    spool = open_spool(limit_bytes=60)
    put(spool, b"x" * 50)
    with pytest.raises(Overloaded):
        spool.append(b"y" * 50, b"y" * 50, 1)
    assert spool.append(b"x" * 50, b"x" * 50, 1).done()


def test_a_body_is_forgotten_after_ten_minutes_also_when_nothing_else_arrived(open_spool, monkeypatch):
    spool = open_spool()
    put(spool, b"again")
    later = time.time() + recent.REMEMBER_S + 1
    monkeypatch.setattr("collector.spool.spool.time.time", lambda: later)
    put(spool, b"again")
    assert [bodies for _, bodies in sealed(spool)] == [[b"again", b"again"]]


def test_concurrent_duplicates_are_stored_once_and_all_acknowledged(open_spool):
    spool = open_spool()
    start = threading.Barrier(8)
    stored_now = [[] for _ in range(20)]

    def client(_):
        start.wait()
        for number in range(20):
            body = b"batch %d" % number
            stored_now[number].append(spool.append(body, body, 1).result(10))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(client, range(8)))
    ((_, bodies),) = sealed(spool)
    assert sorted(bodies) == sorted(b"batch %d" % number for number in range(20))
    assert all(sorted(answers) == [False] * 7 + [True] for answers in stored_now), "each is counted once"


def test_a_full_spool_refuses_as_retryable_until_the_writer_catches_up(open_spool):
    spool = open_spool(limit_bytes=1000)
    put(spool, b"a" * 600)
    with pytest.raises(Overloaded, match="1000 bytes") as refusal:
        spool.append(b"b" * 600, b"b" * 600, 1)
    assert (refusal.value.http, refusal.value.grpc[0], refusal.value.retry_after_s) == (503, "UNAVAILABLE", 1)
    put(spool, b"c" * 300)


def test_requests_that_are_still_being_written_count_against_the_limit(open_spool, monkeypatch):
    """Otherwise a burst during one slow sync would overshoot the limit without bound."""
    gate = threading.Event()
    real = os.fdatasync
    monkeypatch.setattr("collector.spool.open_segment.os.fdatasync", lambda fd: (gate.wait(10), real(fd)))
    spool = open_spool(limit_bytes=1000)
    accepted = [spool.append(b"0" * 300, b"0" * 300, 1)]
    refused = 0
    for number in range(1, 10):
        body = b"%d" % number * 300
        try:
            accepted.append(spool.append(body, body, 1))
        except Overloaded:
            refused += 1
    gate.set()
    for future in accepted:
        future.result(10)
    assert (len(accepted), refused) == (3, 7)


def test_space_is_free_again_when_a_segment_was_stored(open_spool, monkeypatch):
    monkeypatch.setattr(spools, "SEAL_BYTES", 500)
    spool = open_spool(limit_bytes=1000)
    put(spool, b"a" * 600)
    segment = spool.next_sealed(10)
    assert (spool.waiting_bytes(), spool.segments()) == (len(frame(b"a" * 600)), 1)
    spool.remove(segment)
    assert (spool.waiting_bytes(), spool.segments()) == (0, 0)
    put(spool, b"b" * 900)


def test_a_segment_is_sealed_by_size(open_spool, monkeypatch):
    monkeypatch.setattr(spools, "SEAL_BYTES", 100)
    spool = open_spool()
    put(spool, b"x" * 60)
    assert spool.next_sealed(0) is None
    put(spool, b"y" * 60, b"z")
    assert stored(spool.next_sealed(10)) == [b"x" * 60, b"y" * 60]


def test_a_segment_is_sealed_by_age(open_spool, monkeypatch):
    monkeypatch.setattr(spools, "SEAL_AFTER_S", 0.2)
    spool = open_spool()
    started = time.monotonic()
    put(spool, b"alone")
    assert stored(spool.next_sealed(10)) == [b"alone"]
    assert time.monotonic() - started >= 0.2


def test_it_seals_at_48_mib_or_two_seconds_after_the_first_byte():
    assert (spools.SEAL_BYTES, spools.SEAL_AFTER_S) == (48 << 20, 2.0)


def test_a_sealed_segment_never_changes_again(open_spool, monkeypatch):
    monkeypatch.setattr(spools, "SEAL_BYTES", 1)
    spool = open_spool()
    put(spool, b"first")
    segment = spool.next_sealed(10)
    files = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in (segment.path, segment.index_path)}
    put(spool, *[b"later %d" % number for number in range(10)])
    assert stored(segment) == [b"first"]
    spool.close()
    open_spool()
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files} == files


def test_nothing_is_sealed_when_nothing_came(open_spool, tmp_path, monkeypatch):
    monkeypatch.setattr(spools, "SEAL_AFTER_S", 0.05)
    spool = open_spool()
    assert spool.next_sealed(0.3) is None
    assert list((tmp_path / "traces").iterdir()) == []


def test_segments_come_in_the_order_in_which_they_were_filled(open_spool, monkeypatch):
    monkeypatch.setattr(spools, "SEAL_BYTES", 1)
    spool = open_spool()
    put(spool, *[b"%d" % number for number in range(12)])
    found = sealed(spool)
    assert [bodies for _, bodies in found] == [[b"%d" % number] for number in range(12)]
    assert [name for name, _ in found] == sorted(name for name, _ in found)


def test_a_closed_spool_refuses_as_retryable(open_spool):
    spool = open_spool()
    spool.close()
    with pytest.raises(Overloaded, match="shutting down"):
        spool.append(b"late", b"late", 1)


def test_a_duplicate_of_a_refused_request_is_refused_with_it(open_spool, monkeypatch):
    gate, real = threading.Event(), os.fdatasync

    def slow_and_broken(descriptor):
        gate.wait(10)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("collector.spool.open_segment.os.fdatasync", slow_and_broken)
    spool = open_spool()
    futures = [spool.append(b"same", b"same", 1) for _ in range(3)]
    gate.set()
    for future in futures:
        with pytest.raises(Overloaded, match="Input/output error"):
            future.result(10)
    monkeypatch.setattr("collector.spool.open_segment.os.fdatasync", real)
    assert spool.append(b"same", b"same", 1).result(10) is True


def test_a_future_cannot_be_cancelled_since_what_is_queued_is_written(open_spool):
    spool = open_spool()
    future = spool.append(b"body", b"body", 1)
    assert not future.cancel()
    assert future.result(10) is True


def test_a_body_that_was_put_aside_is_new_when_it_comes_again(open_spool):
    spool = open_spool()
    put(spool, b"unreadable", b"fine")
    spool.forget([segments.digest(b"unreadable")])
    assert spool.append(b"fine", b"fine", 1).result(10) is False
    assert spool.append(b"unreadable", b"unreadable", 1).result(10) is True


def test_a_body_that_was_put_aside_is_new_also_after_a_restart(open_spool):
    spool = open_spool()
    put(spool, b"unreadable", b"fine")
    spool.close()
    spool.remove(spool.next_sealed(0), frozenset([segments.digest(b"unreadable")]))
    again = open_spool()
    assert again.append(b"fine", b"fine", 1).result(10) is False
    assert again.append(b"unreadable", b"unreadable", 1).result(10) is True


# -- limits


def test_it_tells_how_full_it_is(open_spool):
    spool = open_spool(limit_bytes=1000)
    assert spool.fill() == 0
    put(spool, b"a" * 248)
    assert spool.fill() == pytest.approx(0.25)
    put(spool, b"b" * 748)
    assert spool.fill() == pytest.approx(1.0)
    sealed(spool)
    assert spool.fill() == 0


def test_it_tells_how_long_the_oldest_waits(open_spool, monkeypatch):
    monkeypatch.setattr(spools, "SEAL_BYTES", 1)
    spool = open_spool()
    assert spool.oldest_age_s(time.time()) == 0
    put(spool, b"first")
    middle = time.time()
    time.sleep(0.01)
    put(spool, b"second")
    now = time.time()
    assert now - middle < spool.oldest_age_s(now) < 60
    spool.remove(spool.next_sealed(10))
    assert spool.oldest_age_s(now) < now - middle


def test_a_spool_that_is_not_emptied_refuses_as_retryable_and_names_the_age_and_the_reason(open_spool, monkeypatch):
    monkeypatch.setattr(spools, "SEAL_BYTES", 1)
    spool = open_spool(age_limit_s=60)
    put(spool, b"waits")
    spool.blocked_by = "Connection refused"
    now = time.time()
    monkeypatch.setattr("collector.spool.spool.time.time", lambda: now + 61.5)
    with pytest.raises(Overloaded, match=r"6\d s \(limit 60 s\): Connection refused") as refusal:
        spool.append(b"late", b"late", 1)
    assert refusal.value.retry_after_s == 1
    assert spool.append(b"waits", b"waits", 1).result(0) is False, "a retry is acknowledged all the same"
    spool.remove(spool.next_sealed(10))
    assert spool.append(b"late", b"late", 1).result(10) is True


def test_without_an_age_limit_it_waits_as_long_as_there_is_room(open_spool, monkeypatch):
    spool = open_spool()
    put(spool, b"waits")
    now = time.time()
    monkeypatch.setattr("collector.spool.spool.time.time", lambda: now + 1e6)
    put(spool, b"late")


def test_what_waited_while_the_collector_was_off_does_not_refuse_the_first_clients(open_spool, monkeypatch):
    spool = open_spool()
    put(spool, b"old")
    spool.close()
    now = time.time()
    monkeypatch.setattr("collector.spool.spool.time.time", lambda: now + 3600)
    again = open_spool(age_limit_s=60)
    assert again.oldest_age_s(time.time()) >= 3600
    assert again.append(b"new", b"new", 1).result(10) is True
    monkeypatch.setattr("collector.spool.spool.time.time", lambda: now + 3661)
    with pytest.raises(Overloaded, match="61 s"):
        again.append(b"newer", b"newer", 1)


# -- when what is synced


@pytest.fixture
def synced(monkeypatch):
    """Return the list of what is synced from now on, by suffix."""
    found = []
    for name in ("fsync", "fdatasync"):
        real = getattr(os, name)

        def spy(descriptor, real=real):
            found.append(Path(f"/proc/self/fd/{descriptor}").readlink().suffix)
            real(descriptor)

        monkeypatch.setattr(os, name, spy)
    return found


def test_interval_syncs_after_the_answer_when_the_segment_is_sealed(open_spool, synced):
    spool = open_spool(fsync="interval")
    put(spool, b"one", b"two")
    assert ".seg" not in synced
    spool.close()
    assert sorted(synced)[-2:] == [".idx", ".seg"]
    assert stored(spool.next_sealed(0)) == [b"one", b"two"]


def test_interval_means_every_second(open_spool, synced, monkeypatch):
    """Every segment is sealed two seconds after its first byte, and a sealed one is synced."""
    monkeypatch.setattr(spools, "SEAL_AFTER_S", 0.1)
    assert spools.SEAL_BYTES == 48 << 20
    spool = open_spool(fsync="interval")
    put(spool, b"one")
    assert spool.next_sealed(10)
    assert synced.count(".seg") == 1


def test_off_never_syncs_and_still_stores_what_a_dead_process_left(open_spool, synced, tmp_path):
    spool = open_spool(fsync="off")
    put(spool, b"one", b"two")
    shutil.copytree(tmp_path / "traces", tmp_path / "crash" / "traces")
    spool.close()
    spool.remove(spool.next_sealed(0))
    assert synced == []
    assert [bodies for _, bodies in sealed(open_spool(tmp_path / "crash" / "traces"))] == [[b"one", b"two"]]


def test_digests_survive_a_restart_before_and_after_the_segment_was_stored(open_spool):
    spool = open_spool()
    put(spool, b"waits", b"waits too")
    spool.close()
    again = open_spool()
    assert again.append(b"waits", b"waits", 1).done()
    sealed(again)
    third = open_spool()
    assert third.segments() == 0
    assert third.append(b"waits too", b"waits too", 1).done()
    assert sealed(third) == []


KILLED = """
import sys
from pathlib import Path
from collector.spool.spool import Spool

spool = Spool(Path(sys.argv[1]), limit_bytes=1 << 30)
for number in range(1_000_000):
    body = b"%d " % number * 20
    spool.append(body, body, 1).result(10)
    print(number, flush=True)
"""


def test_what_was_acknowledged_survives_kill_9_and_is_known_when_it_comes_again(open_spool, tmp_path):
    command = [sys.executable, "-c", KILLED, str(tmp_path / "traces")]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        acknowledged = [int(process.stdout.readline()) for _ in range(200)]
        process.kill()
        acknowledged += [int(line) for line in process.stdout.read().splitlines()]
    spool = open_spool()
    bodies = [b"%d " % number * 20 for number in acknowledged]
    assert [spool.append(body, body, 1).result(0) for body in bodies] == [False] * len(bodies)
    found = [body for _, part in sealed(spool) for body in part]
    assert found[: len(bodies)] == bodies
    assert len(found) <= len(bodies) + 1, "at most one was written and not answered yet"


def test_old_indexes_are_removed_and_their_digests_forgotten(open_spool, tmp_path):
    spool = open_spool()
    put(spool, b"old")
    sealed(spool)
    (index,) = (tmp_path / "traces").iterdir()
    past = time.time() - recent.REMEMBER_S - 1
    os.utime(index, (past, past))
    again = open_spool()
    assert not index.exists()
    put(again, b"old")
    assert [bodies for _, bodies in sealed(again)] == [[b"old"]]


def test_ids_are_never_used_twice_also_when_every_segment_is_gone_and_the_clock_stands(open_spool, monkeypatch):
    monkeypatch.setattr("collector.spool.segment.time.time_ns", lambda: 1_700_000_000_000_000_000)
    seen = []
    for number in range(20):
        spool = open_spool()
        put(spool, b"body %d" % number)
        seen += [name for name, _ in sealed(spool)]
    assert len(set(seen)) == 20


def test_ids_sort_in_order_also_when_the_clock_runs_backwards(monkeypatch):
    clock = iter(range(2_000, 1_000, -1))
    monkeypatch.setattr("collector.spool.segment.time.time_ns", lambda: next(clock))
    ids = [segments.new_id()]
    for _ in range(50):
        ids.append(segments.new_id(ids[-1]))
    assert ids == sorted(set(ids))


def test_a_stored_segment_that_cannot_be_deleted_does_not_stop_the_writer(open_spool, monkeypatch):
    spool = open_spool()
    put(spool, b"body")
    spool.close()
    segment = spool.next_sealed(0)

    def refuse(*_args, **_options):
        raise OSError(errno.EROFS, "Read-only file system")

    with monkeypatch.context() as patch:
        patch.setattr("collector.spool.spool.Path.replace", refuse)
        spool.remove(segment)
    assert spool.next_sealed(0) is None
    assert spool.waiting_bytes() == 0
    assert [name for name, _ in sealed(open_spool())] == [segment.id], "the next start sends it under its token"


def test_a_crash_between_storing_and_deleting_leaves_nothing_to_send(open_spool, tmp_path):
    spool = open_spool()
    put(spool, b"body")
    spool.close()
    segment = spool.next_sealed(0)
    data = segment.path.read_bytes()
    spool.remove(segment)
    segment.path.write_bytes(data)
    again = open_spool()
    assert again.segments() == 0
    assert [path.suffix for path in (tmp_path / "traces").iterdir()] == [".stored"]
    assert again.append(b"body", b"body", 1).result(0) is False
