"""Dead letters of the writer: counted, kept until they can be written, and stored when they are sent again."""

import time

from collector.spool import spool as spools
from collector.spool.segment import frame
from collector.spool.spool import Spool
from collector.writer import writer as writers
from collector.writer.breaker import Breaker
from tests.integration.collector_lane import FaultyDatabase, named, names


def test_dead_letters_of_an_earlier_process_are_counted(database, lane, otlp):
    lane.drain(lane.fill(otlp.traces(otlp.span("unreadable"))), FaultyDatabase(database))
    writer = lane.drain(lane.fill(named(otlp, 1)), database)
    assert writer.state.dead_letters == 1


def test_what_was_put_aside_is_stored_when_it_comes_again(database, lane, otlp):
    """Within ten minutes, too: nothing of it was stored, so it is no duplicate."""
    guilty, fine = otlp.traces(otlp.span("unreadable")), named(otlp, 1)
    lane.drain(lane.fill(guilty, fine), FaultyDatabase(database))
    lane.drain(lane.fill(guilty, fine), database)
    assert names(database) == ["001/0", "001/1", "unreadable"]


def test_a_letter_can_be_sent_again_as_soon_as_it_is_seen(database, lane, otlp, monkeypatch):
    """Otherwise it would be acknowledged as a duplicate, discarded, and lost."""
    guilty = otlp.traces(otlp.span("unreadable"))
    answers = []
    real = writers.DeadLetters.bury

    def bury(letters, *args, **options):
        letter = real(letters, *args, **options)
        answers.append(spool.append(guilty, guilty, 1).result(10))
        return letter

    monkeypatch.setattr(writers.DeadLetters, "bury", bury)
    monkeypatch.setattr(spools, "SEAL_BYTES", 1)
    spool = Spool(lane.spool_folder, limit_bytes=1 << 30)
    assert spool.append(guilty, guilty, 1).result(10) is True
    writer = lane.writer(spool, FaultyDatabase(database, ["ok"] * 2 + ["down"]))
    writer.start()
    while not answers:
        time.sleep(0.01)
    assert answers == [True]
    assert writer.stop(5)
    spool.close()


def test_a_letter_that_was_sent_again_stays_known_when_its_old_segment_is_repeated(database, lane, otlp, monkeypatch):
    guilty, fine = otlp.traces(otlp.span("unreadable")), named(otlp, 1)
    monkeypatch.setattr(spools, "SEAL_BYTES", len(frame(guilty)) + 1)
    spool = Spool(lane.spool_folder, limit_bytes=1 << 30)
    answers = []

    def send_again():
        answers.append(spool.append(guilty, guilty, 1).result(10))

    for body in (guilty, fine):
        assert spool.append(body, body, 1).result(10) is True
    # the segment is refused, so is its first half, also in canonical form; the answer for the second half is lost
    writer = lane.writer(spool, FaultyDatabase(database, ["ok", "ok", "ok", send_again]))
    writer.start()
    while spool.segments() != 1 or not answers:
        time.sleep(0.01)
    send_again()
    assert answers == [True, False]
    spool.close()
    while not spool.drained():
        time.sleep(0.01)
    assert writer.stop(5)
    assert names(database) == ["001/0", "001/1"]
    assert len(lane.dead_letters()) == 2


def test_a_letter_that_cannot_be_written_keeps_its_segment_until_it_can(database, lane, otlp):
    lane.letters.write_bytes(b"a file where the folder should be")
    spool = lane.fill(otlp.traces(otlp.span("unreadable")), named(otlp, 1))
    breaker = Breaker()
    writer = lane.writer(spool, FaultyDatabase(database), breaker)
    writer.start()
    while not writer.state.last_error:
        time.sleep(0.01)
    assert "exists" in writer.state.last_error
    assert breaker.status(time.monotonic()).state == "closed", "the database is not to blame"
    assert spool.segments() == 1
    lane.letters.unlink()
    while not spool.drained():
        time.sleep(0.01)
    assert writer.stop(5)
    assert len(lane.dead_letters()) == 1
    assert names(database) == ["001/0", "001/1"]


def test_letters_that_somebody_removed_are_not_counted_any_more(database, lane, otlp):
    spool = Spool(lane.spool_folder, limit_bytes=1 << 30)
    lane.letters.mkdir(parents=True)
    for suffix in (".pb", ".json"):
        (lane.letters / f"traces-1-0{suffix}").write_bytes(b"{}")
    writer = lane.writer(spool, database)
    assert writer.state.dead_letters == 1
    writer.start()
    for path in lane.letters.iterdir():
        path.unlink()
    deadline = time.monotonic() + 5
    while writer.state.dead_letters and time.monotonic() < deadline:
        time.sleep(0.02)
    assert writer.state.dead_letters == 0
    spool.close()
    assert writer.stop(5)
