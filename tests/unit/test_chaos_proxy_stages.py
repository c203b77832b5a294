"""When toxics let bytes go, as a plan: no socket, no clock."""

import random

from hypothesis import given
from hypothesis import strategies as st

from chaos.proxy.stages import STAGES, Chunk, Piece
from chaos.proxy.toxic import ATTRIBUTES, Toxic


def stage(kind, toxicity=1.0, seed=1, **attributes):
    toxic = Toxic("t", "downstream", ATTRIBUTES[kind](**attributes), toxicity, kind)
    return STAGES[kind](toxic, random.Random(seed), 0.0)


def planned(stages, data=b"", arrived_s=0.0, end=None):
    chunk = Chunk(data, arrived_s)
    pieces = iter([Piece(chunk, data, arrived_s, arrived_s, end)])
    for each in stages:
        pieces = each.plan(pieces)
    return list(pieces)


def sent(stages, data, arrived_s=0.0):
    """Plan *data* and let all of it leave."""
    pieces = planned(stages, data, arrived_s)
    for piece in pieces:
        for each, mark in piece.marks:
            each.commit(mark)
    return pieces


LOSSLESS = {
    "latency": {"latency": 50, "jitter": 30},
    "bandwidth": {"rate": 10},
    "slicer": {"average_size": 64, "size_variation": 32, "delay": 100},
    "slow_close": {"delay": 100},
}


@given(st.permutations(list(LOSSLESS)), st.lists(st.binary(min_size=1, max_size=5000), max_size=5))
def test_toxics_that_lose_nothing_keep_every_byte_in_order(order, chunks):
    """In any order; bytes never leave before they arrived, nor before those in front of them."""
    stages = [stage(kind, **LOSSLESS[kind]) for kind in order]
    last_s = 0.0
    for number, data in enumerate(chunks):
        pieces = sent(stages, data, number / 100)
        assert b"".join(piece.data for piece in pieces) == data
        assert all(piece.at_s >= number / 100 for piece in pieces)
        if "bandwidth" in order[-1:]:
            assert [piece.at_s for piece in pieces] == sorted(piece.at_s for piece in pieces)
            assert pieces[0].at_s >= last_s
            last_s = pieces[-1].at_s


def test_bandwidth_sends_kilobytes_a_second_in_slices_of_a_tenth():
    """25,000 bytes at 50 kB/s: five slices of 5,000, the last leaves after half a second."""
    limited = stage("bandwidth", rate=50)
    pieces = sent([limited], bytes(25_000))
    assert [len(piece.data) for piece in pieces] == [5000] * 5
    assert [round(piece.at_s, 6) for piece in pieces] == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert round(sent([limited], bytes(100))[0].at_s, 6) == 0.502
    assert round(sent([limited], bytes(100), arrived_s=9)[0].at_s, 6) == 9.002
    assert planned([stage("bandwidth", rate=0)], b"x")[0].at_s == float("inf")


def test_latency_counts_from_arrival_and_hides_other_delays():
    """Two latencies add up; a bandwidth limit in front of one costs nothing more."""
    first, second = stage("latency", latency=100), stage("latency", latency=200)
    assert planned([first, second], b"x", 1.0)[0].at_s == 1.3
    assert planned([stage("bandwidth", rate=1), second], bytes(100), 1.0)[0].at_s == 1.2


def test_a_new_plan_for_the_same_bytes_keeps_their_delay():
    """Toxics that come and go do not roll the dice again."""
    jittery = stage("latency", latency=100, jitter=90)
    chunk = Chunk(b"x", 0.0)
    plans = [next(jittery.plan(iter([Piece(chunk, b"x", 0.0, 0.0)]))).at_s for _ in range(3)]
    assert len(set(plans)) == 1


@given(st.integers(0, 300), st.lists(st.binary(min_size=1, max_size=120), max_size=6))
def test_limit_data_passes_so_many_bytes_and_closes(limit, chunks):
    """Exactly the first bytes, then the end; a plan that was not carried out counts nothing."""
    limited = stage("limit_data", bytes=limit)
    passed, ended = b"", False
    for data in chunks:
        planned([limited], data)
        pieces = sent([limited], data)
        passed += b"".join(piece.data for piece in pieces)
        if pieces[-1].end:
            assert pieces[-1].end == "close"
            ended = True
            break
    whole = b"".join(chunks)
    assert passed == whole[:limit]
    assert ended == (bool(chunks) and len(whole) >= limit)


@given(st.integers(0, 200), st.integers(0, 300), st.binary(min_size=1, max_size=4000), st.integers())
def test_slices_are_about_the_average_size(average, variation, data, seed):
    """None is empty, all together are the data, and none is larger than average plus variation."""
    pieces = planned([stage("slicer", seed=seed, average_size=average, size_variation=variation)], data)
    assert b"".join(piece.data for piece in pieces) == data
    assert all(1 <= len(piece.data) <= max(1, average) + variation for piece in pieces)


def test_slices_leave_one_delay_apart():
    """Microseconds."""
    pieces = planned([stage("slicer", average_size=10, delay=2000)], bytes(40))
    assert [round(piece.at_s, 6) for piece in pieces] == [0, 0.002, 0.004, 0.006]


def test_timeout_swallows_everything_and_closes_when_nothing_comes():
    """The deadline moves with each arrival; 0 has none; the end of file closes."""
    swallowing = stage("timeout", timeout=500)
    assert swallowing.deadline_s == 0.5
    assert planned([swallowing], b"gone", 2.0) == []
    assert swallowing.deadline_s == 2.5
    assert stage("timeout").deadline_s is None
    assert planned([stage("timeout")], end="eof")[0].end == "close"
    assert stage("timeout").closes_when_removed
    assert not stage("timeout", toxicity=0.0).closes_when_removed


def test_reset_and_slow_close_end_connections_in_their_own_time():
    """A reset so long after the first data; an end of file so late."""
    [reset] = planned([stage("reset_peer", timeout=300)], b"lost", 1.0)
    assert (reset.data, reset.end, reset.at_s) == (b"", "reset", 1.3)
    late = stage("slow_close", delay=700)
    assert planned([late], b"x", 1.0)[0].at_s == 1.0
    [closed] = planned([late], arrived_s=1.0, end="eof")
    assert (closed.end, closed.at_s) == ("eof", 1.7)


def test_toxicity_is_a_share_of_connections():
    """0 never, 1 always, a half for about half."""
    assert not any(stage("latency", toxicity=0.0, seed=seed).active for seed in range(200))
    assert all(stage("latency", toxicity=1.0, seed=seed).active for seed in range(200))
    assert 70 <= sum(stage("latency", toxicity=0.5, seed=seed).active for seed in range(200)) <= 130
