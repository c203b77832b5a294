"""The critical path: Jaeger's own cases, what always holds, and what senders get wrong."""

import random
from itertools import pairwise

import pytest
from hypothesis import given

from slo.critical_path import critical_path, own_times
from slo.span_tree import build_tree
from tests.unit.trace_spans import REQUEST, broken_traces, sound_traces, span


def path(request, *spans):
    return [(piece.span.span_id, piece.start_ns, piece.end_ns) for piece in critical_path(build_tree(request, spans))]


# The spans and the answers of jaeger-ui's testCases/test1.js to test9.js.
JAEGER = {
    "children one after the other": (
        [("C", "", 1, 100), ("D", "C", 20, 20), ("E", "C", 50, 10)],
        [("C", 1, 20), ("D", 20, 40), ("C", 40, 50), ("E", 50, 60), ("C", 60, 101)],
    ),
    "children that overlap": (
        [("X", "", 1, 100), ("A", "X", 10, 40), ("C", "X", 20, 40)],
        [("X", 1, 20), ("C", 20, 60), ("X", 60, 101)],
    ),
    "a child after its parent, with a child of its own": (
        [("A", "", 1, 30), ("B", "A", 40, 40), ("C", "B", 50, 10)],
        [("A", 1, 31)],
    ),
    "a child longer than its parent on both sides": ([("A", "", 10, 20), ("B", "A", 5, 30)], [("B", 10, 30)]),
    "a child before its parent": ([("A", "", 10, 20), ("B", "A", 1, 4)], [("A", 10, 30)]),
}


@pytest.mark.parametrize("case", JAEGER)
def test_the_path_is_the_one_that_jaeger_shows(case):
    (root, *below), expected = JAEGER[case]
    assert path(span(*root), *(span(*each) for each in below)) == expected


def test_a_child_that_starts_when_another_ends_continues_the_path():
    first, second = span("a", "request", 1000, 40), span("b", "request", 1040, 60)
    assert path(REQUEST, first, second) == [("a", 1000, 1040), ("b", 1040, 1100)]


def test_of_children_that_end_together_the_one_that_ran_longest_was_waited_for():
    assert path(REQUEST, span("short", "request", 1050, 50), span("long", "request", 1010, 90))[-1][0] == "long"


def test_a_server_whose_clock_is_wrong_is_moved_into_the_call_with_everything_below_it():
    call = span("call", "request", 1010, 80, kind="client")
    for skew in (-(10**12), -200, 200, 10**12):
        server = span("server", "call", 1020 + skew, 60, kind="server")
        query = span("query", "server", 1030 + skew, 40)
        assert path(REQUEST, call, server, query) == [
            ("request", 1000, 1010),
            ("call", 1010, 1020),
            ("server", 1020, 1030),
            ("query", 1030, 1070),
            ("server", 1070, 1080),
            ("call", 1080, 1090),
            ("request", 1090, 1100),
        ]


def test_a_server_that_outlives_its_caller_is_cut_and_not_moved():
    call = span("call", "request", 1010, 20, kind="client")
    assert ("server", 1015, 1030) in path(REQUEST, call, span("server", "call", 1015, 500, kind="server"))


def test_a_moved_server_longer_than_its_call_begins_with_it():
    call = span("call", "request", 1010, 20, kind="client")
    server, query = span("server", "call", 5000, 500, kind="server"), span("query", "server", 5000, 15)
    assert path(REQUEST, call, server, query)[1:3] == [("query", 1010, 1025), ("server", 1025, 1030)]


def test_a_span_without_length_is_nothing_to_wait_for():
    assert path(REQUEST, span("event", "request", 1050, 0)) == [("request", 1000, 1100)]


def test_work_that_a_queue_does_later_is_not_waited_for():
    sent = span("send", "request", 1010, 5, kind="producer")
    assert "work" not in [piece[0] for piece in path(REQUEST, sent, span("work", "send", 1500, 10, kind="consumer"))]


@given(broken_traces)
def test_the_pieces_cover_the_request_without_gap_or_overlap_whatever_the_spans_say(spans):
    pieces = critical_path(build_tree(REQUEST, spans))
    assert pieces[0].start_ns == REQUEST.start_ns
    assert pieces[-1].end_ns == REQUEST.end_ns
    assert all(before.end_ns == after.start_ns for before, after in pairwise(pieces))
    assert all(piece.start_ns < piece.end_ns for piece in pieces)
    assert sum(own_times(build_tree(REQUEST, spans)).values()) == REQUEST.duration_ns


@given(sound_traces())
def test_every_piece_lies_inside_its_span_and_outside_of_those_below_that_were_waited_for(spans):
    tree = build_tree(REQUEST, spans)
    pieces = critical_path(tree)
    for piece in pieces:
        assert piece.span.start_ns <= piece.start_ns < piece.end_ns <= piece.span.end_ns
        for child in tree.children(piece.span):
            if any(other.span is child for other in pieces):
                assert child.end_ns <= piece.start_ns or piece.end_ns <= child.start_ns


@given(broken_traces)
def test_the_order_in_which_spans_arrive_changes_nothing(spans):
    shuffled = random.Random(1).sample(spans, len(spans))
    assert path(REQUEST, *spans) == path(REQUEST, *shuffled)


@given(broken_traces)
def test_a_tree_holds_each_span_once_and_only_what_its_parents_join_to_the_request(spans):
    tree = build_tree(REQUEST, spans)
    found = [each.span_id for each in tree]
    assert len(found) == len(set(found))
    assert {each.parent_id for each in tree if each is not REQUEST} <= set(found)
    joined, count = {"request"}, 0
    kept = {each.span_id: each for each in tree}
    while count != len(joined):
        count = len(joined)
        joined |= {each.span_id for each in kept.values() if each.parent_id in joined}
    assert joined == set(found)


def test_a_request_without_length_has_no_path():
    assert path(span("root", start=5, duration=0), span("child", "root", 0, 50)) == []


@pytest.mark.parametrize("shape", ["chain", "fan"])
def test_twenty_thousand_spans_need_no_recursion(shape):
    root = span("0", start=0, duration=40_000)
    below = [
        span(f"{n}", f"{n - 1}" if shape == "chain" else "0", n, 40_000 - 2 * n if shape == "chain" else 1)
        for n in range(1, 20_000)
    ]
    pieces = path(root, *below)
    assert sum(end - start for _, start, end in pieces) == 40_000
    assert len({name for name, _, _ in pieces}) == 20_000
