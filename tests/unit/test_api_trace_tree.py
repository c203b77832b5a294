"""Spans in tree order, whatever their parents say."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.trace_tree import trace_of
from storage.origins import Origin
from storage.stored_span import SpanEvent, StoredSpan

START_NS = 1_790_000_000_000_000_000
TRACE = "ab" * 16


def span(number, parent=None, *, start=0, duration=10, service="shop", error=False, events=()):
    return StoredSpan(
        span_id=f"{number:016x}",
        parent_span_id="" if parent is None else f"{parent:016x}",
        service=service,
        environment="prod",
        version="",
        name=f"span {number}",
        kind="server",
        start_ns=START_NS + start,
        duration_ns=duration,
        status="unset",
        status_message="",
        error=error,
        trace_state="",
        flags=0,
        weight=1,
        quarantined=False,
        original_start_ns=0,
        original_end_ns=0,
        attributes={},
        attribute_types={},
        dropped_attributes=0,
        events=list(events),
        dropped_events=0,
        links=[],
        dropped_links=0,
        origin=Origin(),
    )


def shape(*spans):
    return [(int(found.span_id, 16), found.depth) for found in trace_of(TRACE, spans).spans]


def test_parents_come_before_their_children_and_siblings_by_start():
    spans = [span(4, 1, start=30), span(3, 2, start=25), span(2, 1, start=20), span(1, start=10), span(5, 2, start=22)]
    assert shape(*spans) == [(1, 0), (2, 1), (5, 2), (3, 2), (4, 1)]


def test_of_siblings_that_start_together_the_longer_comes_first():
    assert shape(span(1), span(2, 1, duration=5), span(3, 1, duration=9)) == [(1, 0), (3, 1), (2, 1)]


def test_a_span_whose_parent_is_missing_is_a_root():
    assert shape(span(2, 99, start=5), span(3, 2, start=6), span(1, start=1)) == [(1, 0), (2, 0), (3, 1)]


def test_a_span_that_is_its_own_parent_is_a_root():
    assert shape(span(1, 1), span(2, 1, start=1)) == [(1, 0), (2, 1)]


def test_a_cycle_is_cut_at_its_first_span_and_comes_after_the_roots():
    assert shape(span(2, 3, start=1), span(3, 4, start=2), span(4, 2, start=3), span(1, start=9)) == [
        (1, 0), (2, 0), (4, 1), (3, 2),
    ]  # fmt: skip


def test_what_hangs_on_a_cycle_is_shown_once():
    assert shape(span(2, 3), span(3, 2, start=1), span(7, 3, start=2)) == [(2, 0), (3, 1), (7, 2)]


@given(
    st.lists(st.tuples(st.integers(0, 11), st.none() | st.integers(0, 13), st.integers(0, 5)), min_size=1, max_size=12)
)
def test_every_span_comes_exactly_once_and_one_level_below_its_parent(drawn):
    spans = list({number: span(number, parent, start=start) for number, parent, start in drawn}.values())
    found = trace_of(TRACE, spans).spans
    assert sorted(item.span_id for item in found) == sorted(item.span_id for item in spans)
    depths = {item.span_id: item.depth for item in found}
    seen = set()
    for item in found:
        if item.depth:
            assert item.parent_span_id in seen
            assert item.depth == depths[item.parent_span_id] + 1
        seen.add(item.span_id)


@pytest.mark.parametrize("order", [1, -1], ids=["from the root", "from the leaf"])
def test_a_trace_10000_deep_is_no_problem(order):
    spans = [span(1), *(span(n, n - 1, start=n) for n in range(2, 10_001))][::order]
    started = time.process_time()
    found = shape(*spans)
    assert time.process_time() - started < 5
    assert found == [(n, n - 1) for n in range(1, 10_001)]


def test_times_count_from_the_start_of_the_trace():
    event = SpanEvent("e", START_NS + 1_500_000, {}, 0)
    child = span(2, 1, start=1_000_000, duration=4_000_000, service="pay", error=True, events=[event])
    trace = trace_of(TRACE, [span(1, duration=3_000_000), child])
    assert (trace.duration_ms, trace.errors, trace.services) == (5.0, 1, ["pay", "shop"])
    assert [item.offset_ms for item in trace.spans] == [0.0, 1.0]
    assert trace.spans[1].events[0].offset_ms == 1.5
    assert trace.started_at.isoformat() == "2026-09-21T14:13:20+00:00"


def test_clocks_that_disagree_give_negative_offsets_to_nothing():
    """A child that starts before its root moves the start of the trace."""
    trace = trace_of(TRACE, [span(1, start=100), span(2, 1, start=-100)])
    assert min(item.offset_ms for item in trace.spans) == 0
