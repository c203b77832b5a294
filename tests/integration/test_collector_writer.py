"""Every acknowledged request reaches the tables exactly once, or lies in the dead-letter folder with its reason."""

import itertools
import json
import random
import time
from contextlib import contextmanager

import pytest

from collector import spool as spools
from collector import writer as writers
from collector.check import check
from collector.errors import BadPayload
from collector.segment import frame, unframe
from collector.spool import Spool
from collector.writer import Writer
from storage.errors import DatabaseError

UNREADABLE = b"unreadable"
REFUSED = "Code: 36. DB::Exception: cannot decode. (BAD_ARGUMENTS)"


class FaultyDatabase:
    """The real database behind a boundary that fails as planned.

    *plan* says for each insert what happens: "ok"; "lost" before anything was stored; "unknown", stored, but the
    answer was lost; "down" from then on. Requests that hold the word "unreadable" are refused as undecodable.
    """

    def __init__(self, database, plan=()):
        self.address = database.address
        self._database = database
        self._plan = itertools.chain(plan, itertools.repeat("ok"))
        self.inserts = []  # (token, bytes)

    @contextmanager
    def client(self):
        with self._database.client() as client:
            yield _FaultyClient(self, client)

    def insert(self, client, table, insert_block, fmt, settings):
        step = next(self._plan)
        if step == "down":
            self._plan = itertools.repeat("down")
        self.inserts.append((settings["insert_deduplication_token"], bytes(insert_block)))
        if step in {"lost", "down"}:
            raise DatabaseError("Code: 210. DB::NetException: Connection refused")
        if UNREADABLE in bytes(insert_block):
            raise DatabaseError(REFUSED)
        client.raw_insert(table, insert_block=insert_block, fmt=fmt, settings=settings)
        if step == "unknown":
            raise DatabaseError("Code: 209. DB::NetException: Timeout exceeded while reading from socket")


class _FaultyClient:
    def __init__(self, owner, client):
        self._owner, self._client = owner, client

    def raw_insert(self, table, *, insert_block, fmt, settings):
        self._owner.insert(self._client, table, insert_block, fmt, settings)


@pytest.fixture(autouse=True)
def _fast(monkeypatch):
    monkeypatch.setattr(writers, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(writers, "LONGEST_PAUSE_S", 0.02)
    monkeypatch.setattr(spools, "SEAL_AFTER_S", 3600.0)


@pytest.fixture
def lane(tmp_path):
    """Return functions that fill the spool of this test and write it out."""
    return Lane(tmp_path)


class Lane:
    def __init__(self, folder):
        self.spool_folder, self.letters = folder / "spool", folder / "dead-letter"

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

    def drain(self, spool, database, timeout_s=60.0):
        """Write out *spool* and return its writer, stopped."""
        writer = Writer("traces", spool, database, self.letters, lambda _seconds: None)
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
    writer = Writer("traces", spool, down, lane.letters, lambda _seconds: None)
    writer.start()
    while "Connection refused" not in writer.state.last_error:
        time.sleep(0.01)
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
