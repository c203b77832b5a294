"""Every acknowledged request reaches the tables exactly once: one sealed segment, one insert, one token."""

import time
from pathlib import Path

import pytest

from collector.spool.segment import frame, unframe
from collector.spool.spool import Spool
from tests.integration.collector_lane import FaultyDatabase, named, names
from tests.receivers import wait_until


def test_acknowledged_requests_are_stored_once_and_their_segments_removed(database, lane, otlp):
    bodies = [named(otlp, number) for number in range(10)]
    spool = lane.fill(*bodies, segment_bytes=500)
    assert spool.segments() > 2
    writer = lane.drain(spool, database)
    assert names(database) == [f"{number:03d}/{n}" for number in range(10) for n in range(2)]
    assert (spool.segments(), spool.waiting_bytes()) == (0, 0)
    assert (writer.state.stored_items, writer.state.dead_letters, writer.state.last_error) == (20, 0, "")
    assert writer.state.last_stored_at is not None
    assert list(lane.spool_folder.glob("*.seg")) == []


@pytest.mark.parametrize(
    "plan",
    [["lost"], ["unknown"], ["unknown", "lost", "unknown"], ["ok", "lost", "ok", "unknown", "unknown"]],
    ids=" ".join,
)
def test_failed_and_unknown_outcomes_are_retried_whole_under_their_token_in_order(database, lane, otlp, plan):
    faulty = FaultyDatabase(database, plan)
    spool = lane.fill(*[named(otlp, number) for number in range(8)], segment_bytes=200)
    assert spool.segments() > 3
    writer = lane.drain(spool, faulty)
    assert names(database) == [f"{number:03d}/{n}" for number in range(8) for n in range(2)]
    assert writer.state.stored_items == 16
    assert len(faulty.inserts) == len({token for token, _ in faulty.inserts}) + sum(step != "ok" for step in plan)
    assert len(set(faulty.inserts)) == len({token for token, _ in faulty.inserts}), "same token, same bytes"
    tokens = [token for token, _ in faulty.inserts]
    assert tokens == sorted(tokens), "nothing newer is sent before the outcome is known"


def test_a_database_that_is_down_keeps_the_segments_and_the_next_writer_stores_them(database, lane, otlp):
    bodies = [named(otlp, number) for number in range(6)]
    spool = lane.fill(*bodies, segment_bytes=400)
    down = FaultyDatabase(database, ["ok", "unknown", "down"])
    writer = lane.writer(spool, down)
    writer.start()
    wait_until(lambda: "Connection refused" in writer.state.last_error)
    started = time.monotonic()
    assert writer.stop(timeout_s=10)
    assert time.monotonic() - started < 5, "it does not wait out its time when the database does not answer"
    left = spool.segments()
    assert left
    assert spool.waiting_bytes() > 0
    again = Spool(lane.spool_folder, limit_bytes=1 << 30)
    again.close()
    assert again.segments() == left
    lane.drain(again, FaultyDatabase(database))
    assert names(database) == [f"{number:03d}/{n}" for number in range(6) for n in range(2)]


def test_a_segment_that_was_stored_but_not_removed_before_a_crash_is_not_stored_twice(database, lane, otlp):
    spool = lane.fill(named(otlp, 1))
    segment = spool.next_sealed(0)
    kept = {path: path.read_bytes() for path in (segment.path, segment.index_path)}
    lane.drain(spool, database)
    for path, data in kept.items():
        path.write_bytes(data)
    again = Spool(lane.spool_folder, limit_bytes=1 << 30)
    again.close()
    lane.drain(again, database)
    assert names(database) == ["001/0", "001/1"]


def test_frames_and_their_bodies_belong_together():
    for size in (0, 1, 127, 128, 300, 20_000):
        assert unframe(frame(bytes(size))) == bytes(size)


def test_one_sealed_segment_is_one_insert_of_its_bytes_under_one_token(database, lane, otlp):
    spool = lane.fill(*[named(otlp, number) for number in range(6)], segment_bytes=200)
    files = {f"traces:{path.stem}": path.read_bytes() for path in lane.spool_folder.glob("*.seg")}
    faulty = FaultyDatabase(database)
    lane.drain(spool, faulty)
    assert len(files) > 2
    assert faulty.inserts == sorted(files.items())
    for table, kind, fmt, settings in faulty.calls:
        assert (table, fmt) == ("otlp_traces", "Protobuf")
        assert issubclass(kind, Path), "nobody copies a sound segment"
        assert (settings["async_insert"], settings["max_partitions_per_insert_block"]) == (0, 0)


def test_a_restart_never_regroups(database, lane, otlp):
    """What was in a segment of its own stays there, under the token it had, also beside younger segments."""
    down = FaultyDatabase(database, ["unknown", "down"])
    spool = lane.fill(*[named(otlp, number) for number in range(2)], segment_bytes=1)
    writer = lane.writer(spool, down)
    writer.start()
    wait_until(lambda: "Connection refused" in writer.state.last_error)
    assert writer.stop(5)
    again = FaultyDatabase(database)
    lane.drain(lane.fill(named(otlp, 9)), again)
    assert again.inserts[0] == down.inserts[0], "the same bytes under the same token"
    assert len(again.inserts) == 3
    assert names(database) == [f"{number:03d}/{n}" for number in (0, 1, 9) for n in range(2)]
