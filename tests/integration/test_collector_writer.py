"""Every acknowledged request reaches the tables exactly once, or lies in the dead-letter folder with its reason."""

import itertools
import json
import random
import time
from pathlib import Path

import pytest

from collector.check.check import check
from collector.errors import BadPayload
from collector.spool import spool as spools
from collector.spool.segment import frame, unframe
from collector.spool.spool import Spool
from collector.writer import writer as writers
from collector.writer.breaker import Breaker
from collector.writer.writer import Writer
from storage.errors import DatabaseError
from tests.receivers import wait_until

UNREADABLE = b"unreadable"
REFUSED = "Code: 36. DB::Exception: cannot decode. (BAD_ARGUMENTS)"


class FaultyDatabase:
    """The real database behind a boundary that fails as planned.

    *plan* says for each insert what happens: "ok"; "lost" before anything was stored; "unknown", stored, but the
    answer was lost; "down" from then on; a function is called, and the answer lost. Requests that hold the word
    "unreadable" are refused as undecodable.
    """

    def __init__(self, database, plan=()):
        self.address = database.address
        self._database = database
        self._plan = itertools.chain(plan, itertools.repeat("ok"))
        self.inserts = []  # (token, bytes)
        self.calls = []  # (table, type of what is inserted, format, settings)

    def insert_encoded(self, table, data, fmt, settings):
        step = next(self._plan)
        content = data.read_bytes() if isinstance(data, Path) else bytes(data)
        self.calls.append((table, type(data), fmt, settings))
        if step == "down":
            self._plan = itertools.repeat("down")
        self.inserts.append((settings["insert_deduplication_token"], content))
        if step in {"lost", "down"}:
            raise DatabaseError("Code: 210. DB::NetException: Connection refused")
        if UNREADABLE in content:
            raise DatabaseError(REFUSED)
        self._database.insert_encoded(table, data, fmt, settings)
        if callable(step):
            step()
        if step != "ok":
            raise DatabaseError("Code: 209. DB::NetException: Timeout exceeded while reading from socket")


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(writers, "DISK_PAUSE_S", 0.01)
    monkeypatch.setattr(spools, "SEAL_AFTER_S", 3600.0)


@pytest.fixture
def lane(tmp_path):
    """Return functions that fill the spool of this test and write it out."""
    return Lane(tmp_path)


class Lane:
    def __init__(self, folder):
        self.spool_folder, self.letters = folder / "spool" / "traces", folder / "dead-letter"
        self.touched = set()

    def writer(self, spool, database, breaker=None):
        breaker = breaker or Breaker(first_pause_s=0.01, longest_pause_s=0.02)
        return Writer("traces", spool, database, self.letters, breaker, lambda _seconds: None)

    def fill(self, *bodies, segment_bytes=None):
        """Acknowledge *bodies* (in segments of about *segment_bytes*) and return the closed spool."""
        patch = pytest.MonkeyPatch()
        if segment_bytes is not None:
            patch.setattr(spools, "SEAL_BYTES", segment_bytes)
        spool = Spool(self.spool_folder, limit_bytes=1 << 30)
        for body in bodies:
            checked = check("traces", body)
            spool.append(body, checked.data, checked.accepted).result(10)
        spool.close()
        patch.undo()
        return spool

    def drain(self, spool, database, timeout_s=60.0, breaker=None):
        """Write out *spool* and return its writer, stopped."""
        writer = self.writer(spool, database, breaker)
        writer.start()
        deadline = time.monotonic() + timeout_s
        while not spool.drained() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert writer.stop(5)
        return writer

    def dead_letters(self):
        return {path.stem: (path.read_bytes(), json.loads(path.with_suffix(".json").read_text("utf-8")))
                for path in sorted(self.letters.glob("*.pb"))}  # fmt: skip


def names(database):
    with database.client() as client:
        return sorted(row[0] for row in client.query("SELECT name FROM spans").result_rows)


def named(otlp, number, *, spans=2):
    return otlp.traces(*[otlp.span(f"{number:03d}/{n}") for n in range(spans)])


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


def wrong_wire_type(body):
    """Return *body* with one span more, whose name is a number: protobuf skips it, the engine's reader does not."""
    span = b"\x0a\x10" + b"t" * 16 + b"\x12\x08" + b"s" * 8 + b"\x28\x07"
    return body + b"\x0a" + frame(b"\x12" + frame(b"\x12" + frame(span)))


def test_what_protobuf_accepts_and_the_engine_refuses_is_rescued_in_canonical_form(database, lane, otlp):
    strange = wrong_wire_type(named(otlp, 2))
    assert check("traces", strange).accepted == 3
    writer = lane.drain(lane.fill(named(otlp, 1), strange, named(otlp, 3)), database)
    assert names(database) == ["", "001/0", "001/1", "002/0", "002/1", "003/0", "003/1"]
    assert (writer.state.stored_items, writer.state.dead_letters) == (7, 0)


def test_the_engine_really_refuses_what_is_rescued(database, store, otlp):
    with pytest.raises(DatabaseError) as refusal:
        store(database, wrong_wire_type(named(otlp, 1)))
    assert refusal.value.code in {32, 36, 131, 436, 444}
    assert names(database) == [], "a decode error stores nothing"


@pytest.mark.parametrize("plan", [[], ["ok", "ok", "unknown", "lost", "unknown"]], ids=["calm", "failing"])
def test_a_request_that_stays_unreadable_is_put_aside_and_nothing_else_is_lost(database, lane, otlp, plan):
    bodies = [named(otlp, number) for number in range(6)]
    guilty = otlp.traces(otlp.span("unreadable"), otlp.span("beside it"))
    bodies[2:2], bodies[5:5] = [guilty], [guilty + named(otlp, 99)]
    faulty = FaultyDatabase(database, plan)
    writer = lane.drain(lane.fill(*bodies), faulty)
    assert names(database) == [f"{number:03d}/{n}" for number in range(6) for n in range(2)]
    letters = list(lane.dead_letters().values())
    assert sorted(body for body, _ in letters) == sorted([guilty, guilty + named_again(bodies[5], guilty)])
    assert {(note["signal"], note["items"], note["reason"]) for _, note in letters} == {
        ("traces", 2, REFUSED),
        ("traces", 4, REFUSED),
    }
    assert (writer.state.stored_items, writer.state.dead_letters) == (12, 2)


def named_again(body, prefix):
    return body.removeprefix(prefix)


def test_no_two_ranges_of_a_segment_share_a_token(database, lane, otlp):
    """Otherwise one would be taken for the other, and its rows would be lost."""
    faulty = FaultyDatabase(database)
    bodies = [otlp.traces(otlp.span("unreadable" if number % 3 == 0 else "fine")) for number in range(8)]
    lane.drain(lane.fill(*bodies), faulty)
    ranges = {}
    for token, data in faulty.inserts:
        assert ranges.setdefault(token, data) == data
    assert names(database) == ["fine"] * 5


def test_dead_letters_of_an_earlier_process_are_counted(database, lane, otlp):
    lane.drain(lane.fill(otlp.traces(otlp.span("unreadable"))), FaultyDatabase(database))
    writer = lane.drain(lane.fill(named(otlp, 1)), database)
    assert writer.state.dead_letters == 1


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


def mutated(rng, body):
    data = bytearray(body)
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(data))
        match rng.randrange(4):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                data[at] = rng.randrange(256)
            case 2:
                del data[at]
            case 3:
                data.insert(at, rng.randrange(256))
    return bytes(data)


def test_whatever_is_acknowledged_of_random_damage_is_stored_or_put_aside_to_the_last_span(database, lane, otlp):
    """The body of every accepted mutation counts; nothing is stored twice, nothing disappears."""
    rng = random.Random(8)
    template = otlp.traces(
        otlp.span("one", attributes={"a": 1, "b": [True, 2.5], "c": "x"}), otlp.span("two", parent=b"p" * 8, status=2)
    )
    bodies, items = {}, 0
    while len(bodies) < 150:
        body = mutated(rng, template)
        try:
            checked = check("traces", body)
        except BadPayload:
            continue
        if checked.accepted and body not in bodies:
            bodies[body] = checked.accepted
            items += checked.accepted
    writer = lane.drain(lane.fill(*bodies), database)
    buried = sum(note["items"] for _, note in lane.dead_letters().values())
    assert len(names(database)) + buried == items
    assert writer.state.stored_items + buried == items
    assert buried < items / 50, "what the engine refuses is rescued"


def test_frames_and_their_bodies_belong_together():
    for size in (0, 1, 127, 128, 300, 20_000):
        assert unframe(frame(bytes(size))) == bytes(size)


# -- one sealed segment, one insert, one token


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


def test_only_decode_errors_are_split(database, lane, otlp):
    """Any other refusal may have stored a part, and halves under new tokens would store it twice."""

    class Refusing(FaultyDatabase):
        codes = iter((241, 252, 60, 16, 159))

        def insert_encoded(self, table, data, fmt, settings):
            if (code := next(self.codes, None)) is None:
                return super().insert_encoded(table, data, fmt, settings)
            self.inserts.append((settings["insert_deduplication_token"], data.read_bytes()))
            raise DatabaseError(f"Code: {code}. DB::Exception: no")

    refusing = Refusing(database)
    lane.drain(lane.fill(*[named(otlp, number) for number in range(4)]), refusing)
    assert len(refusing.inserts) == 6
    assert len(set(refusing.inserts)) == 1
    assert len(names(database)) == 8


# -- damage on disk


def damage(lane, *, word, segment=0):
    """Flip a bit of *word* in a waiting segment."""
    path = sorted(lane.spool_folder.glob("*.seg"))[segment]
    data = bytearray(path.read_bytes())
    data[data.index(word)] ^= 0x20
    path.write_bytes(data)


def test_a_damaged_request_is_put_aside_as_it_is_and_those_before_and_behind_it_are_stored(database, lane, otlp):
    bodies = [named(otlp, number) for number in range(5)]
    spool = lane.fill(*bodies)
    damage(lane, word=b"002/1")
    writer = lane.drain(spool, database)
    assert names(database) == [f"{number:03d}/{n}" for number in (0, 1, 3, 4) for n in range(2)]
    ((body, note),) = lane.dead_letters().values()
    assert body == bodies[2].replace(b"002/1", b"\x1002/1")
    assert (note["items"], "damaged on disk" in note["reason"]) == (2, True)
    assert (writer.state.stored_items, writer.state.damaged_requests, writer.state.dead_letters) == (8, 1, 1)
    assert writer.state.last_error == ""


def test_every_request_of_a_segment_may_be_damaged(database, lane, otlp):
    spool = lane.fill(otlp.traces(otlp.span("same word")), otlp.traces(otlp.span("same word")))
    damage(lane, word=b"same")
    damage(lane, word=b"same")
    faulty = FaultyDatabase(database)
    writer = lane.drain(spool, faulty)
    assert faulty.inserts == []
    assert (writer.state.damaged_requests, len(lane.dead_letters()), writer.state.last_stored_at) == (2, 2, None)
    assert list(lane.spool_folder.glob("*.seg")) == []


@pytest.mark.parametrize("stored", [True, False], ids=["it was stored", "it was not"])
@pytest.mark.parametrize("restart", [False, True], ids=["retry", "restart"])
def test_damage_between_an_insert_and_its_retry_stores_nothing_twice(database, lane, otlp, stored, restart):
    """The rest goes under the same token: dropped where the first attempt was stored, stored where it was not."""
    bodies = [named(otlp, number) for number in range(5)]
    spool = lane.fill(*bodies)
    if restart:
        writer = lane.writer(spool, FaultyDatabase(database, ["unknown" if stored else "lost", "down"]))
        writer.start()
        while "Connection refused" not in writer.state.last_error:
            time.sleep(0.01)
        assert writer.stop(5)
        damage(lane, word=b"002/1")
        lane.drain(lane.fill(), database)
    elif stored:
        lane.drain(spool, FaultyDatabase(database, [lambda: damage(lane, word=b"002/1")]))
    else:
        faulty = FaultyDatabase(database, ["lost"])
        real = faulty.insert_encoded

        def insert(*args):
            if not faulty.inserts:
                damage(lane, word=b"002/1")
            real(*args)

        faulty.insert_encoded = insert
        lane.drain(spool, faulty)
    expected = (0, 1, 2, 3, 4) if stored else (0, 1, 3, 4)
    assert names(database) == [f"{number:03d}/{n}" for number in expected for n in range(2)]
    assert len(lane.dead_letters()) == 1


def test_damage_and_unreadable_requests_in_one_segment_are_both_put_aside(database, lane, otlp):
    bodies = [named(otlp, number) for number in range(6)]
    bodies[3] = otlp.traces(otlp.span("unreadable"))
    spool = lane.fill(*bodies)
    damage(lane, word=b"001/0")
    faulty = FaultyDatabase(database)
    lane.drain(spool, faulty)
    assert names(database) == [f"{number:03d}/{n}" for number in (0, 2, 4, 5) for n in range(2)]
    assert sorted("damaged" in note["reason"] for _, note in lane.dead_letters().values()) == [False, True]
    assert len({token for token, _ in faulty.inserts}) == len(faulty.inserts), "no token with two different contents"


def test_a_crash_while_a_segment_is_being_halved_stores_nothing_twice(database, lane, otlp):
    bodies = [named(otlp, number) for number in range(4)]
    bodies[2] = otlp.traces(otlp.span("unreadable"))
    expected = [f"{number:03d}/{n}" for number in (0, 1, 3) for n in range(2)]
    for survived in (1, 2, 4):
        spool = lane.fill(*bodies) if survived == 1 else lane.fill()
        writer = lane.writer(spool, FaultyDatabase(database, ["ok"] * survived + ["unknown", "down"]))
        writer.start()
        while "Connection refused" not in writer.state.last_error and writer._thread.is_alive():
            time.sleep(0.01)
        assert writer.stop(5)
    lane.drain(lane.fill(), FaultyDatabase(database))
    assert names(database) == expected
    assert len(lane.dead_letters()) == 1


def test_a_segment_whose_file_was_deleted_is_named_and_does_not_hold_up_the_others(database, lane, otlp):
    spool = lane.fill(*[named(otlp, number) for number in range(3)], segment_bytes=1)
    sorted(lane.spool_folder.glob("*.seg"))[1].unlink()
    writer = lane.drain(spool, database)
    assert names(database) == ["000/0", "000/1", "002/0", "002/1"]
    ((body, note),) = lane.dead_letters().values()
    assert (body, note["items"]) == (b"", 2)
    assert "gone" in note["reason"]
    assert (writer.state.damaged_requests, spool.segments()) == (1, 0)


# -- dead letters


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


# -- the breaker


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


# -- all of it together


@pytest.mark.long
@pytest.mark.parametrize("seed", range(40))
def test_whatever_fails_every_acknowledged_request_is_stored_once_or_listed(database, lane, otlp, seed):
    """Lost answers, restarts, unreadable requests, damage of either file: at random, several times over."""
    rng = random.Random(seed)
    unreadable = {number for number in range(14) if rng.random() < 0.15}
    bodies = [
        otlp.traces(
            otlp.span(f"{number:03d}/0"), otlp.span("unreadable" if number in unreadable else f"{number:03d}/1")
        )
        for number in range(14)
    ]
    spool = lane.fill(*bodies, segment_bytes=rng.choice([1, 500, 1000, 10_000]))
    damaged = set()
    for _ in range(rng.randint(1, 4)):
        plan = [rng.choice(["ok", "ok", "lost", "unknown"]) for _ in range(rng.randint(0, 8))]
        writer = lane.writer(spool, FaultyDatabase(database, [*plan, "down"]))
        writer.start()
        while "Connection refused" not in writer.state.last_error and not spool.drained():
            time.sleep(0.005)
        assert writer.stop(5)
        damaged |= damage_at_random(rng, lane, unreadable)
        spool = lane.fill()
    lane.drain(spool, FaultyDatabase(database))
    found = names(database)
    assert len(found) == len(set(found)), "nothing is stored twice"
    listed = [body for body, _ in lane.dead_letters().values()]
    for number, body in enumerate(bodies):
        if number in unreadable:
            assert body in listed
            assert f"{number:03d}/0" not in found
        elif number in damaged:
            assert f"{number:03d}/0" in found or any(b"%03d/1" % number in letter for letter in listed)
        else:
            assert {f"{number:03d}/0", f"{number:03d}/1"} <= set(found)
            assert body not in listed


def damage_at_random(rng, lane, unreadable):
    """Damage one file of some waiting segments that were not damaged before; return the numbers of the requests hit."""
    hit = set()
    for path in sorted(lane.spool_folder.glob("*.seg")):
        kind = rng.choice(["nothing", "nothing", "request", "index", "no index"])
        if path in lane.touched or kind == "nothing":
            continue
        lane.touched.add(path)
        index = path.with_suffix(".idx")
        if kind == "no index":
            index.unlink()
        elif kind == "index":
            data = bytearray(index.read_bytes())
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            index.write_bytes(data)
        else:
            data = bytearray(path.read_bytes())
            fine = [number for number in range(14) if number not in unreadable and b"%03d/0" % number in data]
            if fine:
                number = rng.choice(fine)
                data[data.index(b"%03d/0" % number)] ^= 0x40
                path.write_bytes(data)
                hit.add(number)
    return hit
