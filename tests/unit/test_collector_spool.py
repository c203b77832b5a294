"""The spool: durable before it is acknowledged, whole after a crash."""

import os
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import segment as segments
from collector import spool as spools
from collector.errors import Overloaded
from collector.segment import ENTRY, frame, recover, unframe
from collector.spool import Spool

LONG_S = 3600.0
BODIES = [b"first", b"", bytes(range(130)), b"last one"]


@pytest.fixture
def open_spool(tmp_path, monkeypatch):
    """Return a function that opens the spool of this test; it is never sealed by age unless a test says so."""
    monkeypatch.setattr(spools, "SEAL_AFTER_S", LONG_S)
    opened = []

    def make(folder=tmp_path / "spool", limit_bytes=1 << 20):
        opened.append(Spool(folder, limit_bytes=limit_bytes))
        return opened[-1]

    yield make
    for spool in opened:
        spool.close()


def put(spool, *bodies):
    for body in bodies:
        spool.append(body, body, 1).result(10)


def stored(segment):
    data = bytes(segment.map())
    return [unframe(data[entry.offset : entry.offset + entry.length]) for entry in segment.entries()]


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
        "collector.spool.os.fdatasync",
        lambda fd: (real(fd), synced.append(Path(f"/proc/self/fd/{fd}").readlink().suffix)),
    )
    spool = open_spool()
    put(spool, b"body")
    (segment,) = (tmp_path / "spool").glob("*.seg")
    assert segment.read_bytes() == frame(b"body")
    assert set(synced) == {".seg", ".idx"}


def test_the_bytes_are_those_of_format_protobuf_in_the_order_of_arrival(open_spool):
    spool = open_spool()
    put(spool, *BODIES)
    spool.close()
    segment = spool.next_sealed(0)
    assert bytes(segment.map()) == b"".join(map(frame, BODIES))
    assert stored(segment) == BODIES


def test_what_was_cleaned_is_stored_and_what_was_sent_is_remembered(open_spool):
    spool = open_spool()
    spool.append(b"as sent", b"cleaned", 3).result(10)
    spool.append(b"as sent", b"cleaned", 3).result(10)
    spool.close()
    segment = spool.next_sealed(0)
    assert stored(segment) == [b"cleaned"]
    assert [entry.items for entry in segment.entries()] == [3]


def test_a_known_body_is_acknowledged_and_not_stored(open_spool):
    spool = open_spool()
    put(spool, b"one", b"two", b"one")
    assert spool.append(b"two", b"two", 1).done()
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
    later = time.time() + spools.REMEMBER_S + 1
    monkeypatch.setattr("collector.spool.time.time", lambda: later)
    put(spool, b"again")
    assert [bodies for _, bodies in sealed(spool)] == [[b"again", b"again"]]


def test_concurrent_duplicates_are_stored_once_and_all_acknowledged(open_spool):
    spool = open_spool()
    start = threading.Barrier(8)

    def client(_):
        start.wait()
        for number in range(20):
            body = b"batch %d" % number
            spool.append(body, body, 1).result(10)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(client, range(8)))
    ((_, bodies),) = sealed(spool)
    assert sorted(bodies) == sorted(b"batch %d" % number for number in range(20))


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
    monkeypatch.setattr("collector.spool.os.fdatasync", lambda fd: (gate.wait(10), real(fd)))
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


def test_nothing_is_sealed_when_nothing_came(open_spool, tmp_path, monkeypatch):
    monkeypatch.setattr(spools, "SEAL_AFTER_S", 0.05)
    spool = open_spool()
    assert spool.next_sealed(0.3) is None
    assert list((tmp_path / "spool").iterdir()) == []


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


def test_a_disk_that_cannot_be_written_refuses_and_stores_nothing_of_it(open_spool, monkeypatch):
    """The request that failed is not acknowledged, may be sent again, and leaves the others' bytes alone."""
    spool = open_spool()
    put(spool, b"before")
    real = os.fdatasync

    def full(_descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("collector.spool.os.fdatasync", full)
    with pytest.raises(Overloaded, match="No space left"):
        spool.append(b"lost", b"lost", 1).result(10)
    monkeypatch.setattr("collector.spool.os.fdatasync", real)
    put(spool, b"after", b"lost")
    assert [bodies for _, bodies in sealed(spool)] == [[b"before", b"after", b"lost"]]


def test_short_writes_are_completed(open_spool, monkeypatch):
    real = os.writev
    monkeypatch.setattr("collector.spool.os.writev", lambda fd, views: real(fd, [bytes(views[0])[:7]]))
    spool = open_spool()
    put(spool, *BODIES)
    ((_, bodies),) = sealed(spool)
    assert bodies == BODIES


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


def test_old_indexes_are_removed_and_their_digests_forgotten(open_spool, tmp_path):
    spool = open_spool()
    put(spool, b"old")
    sealed(spool)
    (index,) = (tmp_path / "spool").glob("*.idx")
    past = time.time() - spools.REMEMBER_S - 1
    os.utime(index, (past, past))
    again = open_spool()
    assert not index.exists()
    put(again, b"old")
    assert [bodies for _, bodies in sealed(again)] == [[b"old"]]


def test_ids_are_never_used_twice_also_when_every_segment_is_gone_and_the_clock_stands(open_spool, monkeypatch):
    monkeypatch.setattr("collector.segment.time.time_ns", lambda: 1_700_000_000_000_000_000)
    seen = []
    for number in range(20):
        spool = open_spool()
        put(spool, b"body %d" % number)
        seen += [name for name, _ in sealed(spool)]
    assert len(set(seen)) == 20


def test_ids_sort_in_order_also_when_the_clock_runs_backwards(monkeypatch):
    clock = iter(range(2_000, 1_000, -1))
    monkeypatch.setattr("collector.segment.time.time_ns", lambda: next(clock))
    ids = [segments.new_id()]
    for _ in range(50):
        ids.append(segments.new_id(ids[-1]))
    assert ids == sorted(set(ids))


@pytest.fixture(scope="module")
def crashed(tmp_path_factory):
    """The files of an open segment as a crash leaves them, with every request acknowledged."""
    folder = tmp_path_factory.mktemp("crashed")
    patch = pytest.MonkeyPatch()
    patch.setattr(spools, "SEAL_AFTER_S", LONG_S)
    spool = Spool(folder / "live", limit_bytes=1 << 20)
    put(spool, *BODIES)
    shutil.copytree(folder / "live", folder / "crash")
    spool.close()
    patch.undo()
    return folder / "crash"


def cut(crashed, folder, seg=None, idx=None):
    """Copy the crashed spool to *folder*, its files cut to these sizes."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(crashed, folder)
    for suffix, size in (("seg", seg), ("idx", idx)):
        (path,) = folder.glob(f"*.{suffix}")
        if size is not None:
            os.truncate(path, size)
    return folder


def whole(seg, idx):
    """Return the requests of which the data and the index entry both lie before the cuts."""
    ends = [len(b"".join(map(frame, BODIES[: number + 1]))) for number in range(len(BODIES))]
    return [body for number, body in enumerate(BODIES) if ends[number] <= seg and (number + 1) * ENTRY.size <= idx]


FULL_SEG = len(b"".join(map(frame, BODIES)))
FULL_IDX = len(BODIES) * ENTRY.size


@pytest.mark.parametrize("torn", ["seg", "idx"])
def test_a_file_torn_at_any_offset_gives_exactly_the_whole_requests_back(crashed, tmp_path, torn):
    full = FULL_SEG if torn == "seg" else FULL_IDX
    for size in range(full + 1):
        folder = cut(crashed, tmp_path / "spool", **{torn: size})
        found = list(recover(folder))
        bodies = [body for item in found for body in stored(item.segment)]
        wanted = whole(size if torn == "seg" else FULL_SEG, size if torn == "idx" else FULL_IDX)
        assert bodies == wanted, f"{torn} cut to {size}"
        left = b"".join(path.read_bytes() for path in folder.glob("*.seg"))
        assert left == b"".join(map(frame, wanted)), "what is left is what will be inserted"


@given(seg=st.integers(0, FULL_SEG), idx=st.integers(0, FULL_IDX))
def test_both_files_torn_give_exactly_the_whole_requests_back(crashed, tmp_path_factory, seg, idx):
    folder = cut(crashed, tmp_path_factory.mktemp("torn") / "spool", seg, idx)
    assert [body for item in recover(folder) for body in stored(item.segment)] == whole(seg, idx)


@given(at=st.integers(0, FULL_SEG - 1), flip=st.integers(1, 255))
def test_a_damaged_byte_costs_the_requests_from_it_on_and_no_earlier_one(crashed, tmp_path_factory, at, flip):
    folder = cut(crashed, tmp_path_factory.mktemp("damaged") / "spool")
    (path,) = folder.glob("*.seg")
    data = bytearray(path.read_bytes())
    data[at] ^= flip
    path.write_bytes(data)
    assert [body for item in recover(folder) for body in stored(item.segment)] == whole(at, FULL_IDX)


def test_what_was_cut_off_is_stored_when_its_client_sends_it_again(crashed, tmp_path, open_spool):
    """A torn request was never acknowledged, so its digest must not be known."""
    spool = open_spool(cut(crashed, tmp_path / "again", seg=FULL_SEG - 1))
    assert spool.cut_bytes == len(frame(BODIES[-1])) - 1
    put(spool, *BODIES)
    assert [bodies for _, bodies in sealed(spool)] == [BODIES[:-1], BODIES[-1:]]


def test_recovered_segments_keep_their_id_and_come_before_new_ones(crashed, tmp_path, open_spool):
    spool = open_spool(cut(crashed, tmp_path / "kept"))
    put(spool, b"new")
    found = sealed(spool)
    (old,) = crashed.glob("*.seg")
    assert found[0] == (old.stem, BODIES)
    assert found[1][0] > old.stem


def test_a_segment_without_an_index_was_never_acknowledged_and_is_removed(crashed, tmp_path, open_spool):
    folder = cut(crashed, tmp_path / "bare")
    for path in folder.glob("*.idx"):
        path.unlink()
    assert open_spool(folder).segments() == 0
    assert list(folder.iterdir()) == []


def test_a_stored_segment_that_cannot_be_deleted_does_not_stop_the_writer(open_spool):
    spool = open_spool()
    put(spool, b"body")
    spool.close()
    segment = spool.next_sealed(0)
    segment.path.unlink()  # so that the spool's own deletion fails
    spool.remove(segment)
    assert spool.next_sealed(0) is None
    assert spool.waiting_bytes() == 0
