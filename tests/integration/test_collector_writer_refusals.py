"""What the engine refuses to decode: rescued in canonical form, or split until only the unreadable is put aside."""

import random
import time

import pytest

from collector.check.check import check
from collector.errors import BadPayload
from collector.spool.segment import frame
from storage.errors import DatabaseError
from tests.integration.collector_lane import REFUSED, FaultyDatabase, named, names


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
