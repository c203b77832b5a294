"""Segments that the disk damages: the request hit is put aside, those around it are stored, once."""

import random
import time

import pytest

from tests.integration.collector_lane import FaultyDatabase, named, names


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


def test_a_segment_whose_file_was_deleted_is_named_and_does_not_hold_up_the_others(database, lane, otlp):
    spool = lane.fill(*[named(otlp, number) for number in range(3)], segment_bytes=1)
    sorted(lane.spool_folder.glob("*.seg"))[1].unlink()
    writer = lane.drain(spool, database)
    assert names(database) == ["000/0", "000/1", "002/0", "002/1"]
    ((body, note),) = lane.dead_letters().values()
    assert (body, note["items"]) == (b"", 2)
    assert "gone" in note["reason"]
    assert (writer.state.damaged_requests, spool.segments()) == (1, 0)


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
