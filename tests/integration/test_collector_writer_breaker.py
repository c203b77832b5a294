"""The writer's breaker: open, it spares the database; a probe finds the one that came back."""

import time

import pytest

from collector.spool.spool import Spool
from collector.writer.breaker import Breaker
from collector.writer.writer import Writer
from tests.integration.collector_lane import FaultyDatabase, Lane, named


@pytest.mark.usefixtures("quick_writer")
def test_while_the_breaker_is_open_no_signal_calls_the_database(database, tmp_path, otlp):
    lanes = {"traces": Lane(tmp_path), "metrics": Lane(tmp_path)}
    lanes["metrics"].spool_folder = tmp_path / "spool" / "metrics"
    down = FaultyDatabase(database, ["down"])
    breaker = Breaker(first_pause_s=30.0)
    writers_of = {}
    for signal, body in (("traces", named(otlp, 1)), ("metrics", otlp.counter("jobs", 1))):
        spool = Spool(lanes[signal].spool_folder, limit_bytes=1 << 30)
        spool.append(body, body, 1).result(10)
        spool.close()
        writers_of[signal] = (
            Writer(signal, spool, down, tmp_path / "dead-letter", breaker, lambda _seconds: None), spool
        )  # fmt: skip
        writers_of[signal][0].start()
    deadline = time.monotonic() + 5
    while breaker.status(time.monotonic()).state != "open" and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.2)
    assert 3 <= len(down.inserts) <= 4, "one may have been under way when the third failed"
    for writer, spool in writers_of.values():
        assert "Connection refused" in writer.state.last_error
        assert "Connection refused" in spool.blocked_by
        started = time.monotonic()
        assert writer.stop(10)
        assert time.monotonic() - started < 1, "it does not wait until the breaker would let it try"


def test_a_database_that_comes_back_is_found_by_a_probe_and_everything_is_stored(database, lane, otlp):
    breaker = Breaker(first_pause_s=0.02, longest_pause_s=0.05)
    faulty = FaultyDatabase(database, ["lost"] * 6)
    writer = lane.drain(lane.fill(named(otlp, 1), named(otlp, 2)), faulty, breaker=breaker)
    assert len(faulty.inserts) == 7
    assert len(set(faulty.inserts)) == 1
    assert breaker.status(time.monotonic()).state == "closed"
    assert (writer.state.stored_items, writer.state.last_error) == (4, "")


def test_decode_errors_do_not_open_the_breaker(database, lane, otlp):
    breaker = Breaker(failures_to_open=2, first_pause_s=60.0)
    bodies = [otlp.traces(otlp.span("unreadable"), otlp.span(str(number))) for number in range(6)]
    writer = lane.drain(lane.fill(*bodies), FaultyDatabase(database), timeout_s=20, breaker=breaker)
    assert writer.state.dead_letters == 6
    assert breaker.status(time.monotonic()).failures == 0
