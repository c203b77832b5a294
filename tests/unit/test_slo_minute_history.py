"""Running sums give the same windows as adding up minutes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.budgeting import Freshness, Throughput, Timeslices
from slo.errors import InvalidObjective
from slo.minute_history import MinuteHistory
from slo.model import NO_EVENTS, EventCounts, Exclusion
from slo.slices import last_end, slice_counts

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
COUNTS = st.tuples(st.integers(0, 9), st.integers(0, 9)).map(lambda pair: EventCounts(pair[0], sum(pair)))
MINUTES = st.dictionaries(st.integers(-5, 40), COUNTS, max_size=30)


def history(minutes, length=30, exclusions=()):
    pairs = [(NOON + minute * MINUTE, counts) for minute, counts in minutes.items()]
    return MinuteHistory(pairs, NOON, NOON + length * MINUTE, exclusions)


@given(MINUTES, st.integers(-10, 30), st.integers(0, 30))
def test_a_window_is_the_sum_of_its_minutes(minutes, start, end):
    inside = [counts for minute, counts in minutes.items() if max(start, 0) <= minute < end]
    expected = sum(inside, NO_EVENTS)
    assert history(minutes).counts(NOON + start * MINUTE, NOON + end * MINUTE) == expected


BUDGETINGS = st.sampled_from(
    [
        Timeslices(Decimal("0.5")),
        Timeslices(Decimal("0.5"), 5 * MINUTE, "good"),
        Timeslices(Decimal("0.5"), 10 * MINUTE, "bad"),
        Throughput(9, 5 * MINUTE),
        Freshness(3 * MINUTE),
    ]
)


@given(MINUTES, BUDGETINGS, st.integers(-10, 30), st.integers(0, 33))
def test_a_window_of_slices_is_what_slices_are_by_definition(minutes, budgeting, start, end):
    inside = {NOON + minute * MINUTE: counts for minute, counts in minutes.items() if 0 <= minute < 33}
    found = MinuteHistory(inside.items(), NOON, NOON + 33 * MINUTE, budgeting=budgeting)
    begin, until = NOON + start * MINUTE, last_end(NOON + end * MINUTE, found.length)
    assert found.counts(begin, until) == slice_counts(inside, budgeting, max(begin, NOON), until)


def test_slices_before_the_history_but_after_the_first_event_of_the_series_count():
    budgeting = Throughput(1, 5 * MINUTE)
    pairs = [(NOON + 12 * MINUTE, EventCounts(1, 1))]
    alone = MinuteHistory(pairs, NOON, NOON + 30 * MINUTE, budgeting=budgeting)
    older = MinuteHistory(pairs, NOON, NOON + 30 * MINUTE, budgeting=budgeting, first=NOON - MINUTE)
    assert alone.counts(NOON, alone.end) == EventCounts(1, 4)
    assert older.counts(NOON, older.end) == EventCounts(1, 6)


def test_a_slice_of_which_a_minute_is_excluded_does_not_count():
    budgeting = Timeslices(Decimal("0.5"), 5 * MINUTE)
    pairs = [(NOON + minute * MINUTE, EventCounts(0, 1)) for minute in range(20)]
    part = Exclusion(NOON + 6 * MINUTE, NOON + 7 * MINUTE, "move")
    found = MinuteHistory(pairs, NOON, NOON + 20 * MINUTE, (part,), budgeting=budgeting)
    assert found.counts(NOON, found.end) == EventCounts(0, 3)


@pytest.mark.parametrize("budgeting", [Throughput(1), Freshness(MINUTE)])
def test_without_any_event_there_are_no_slices(budgeting):
    found = MinuteHistory([], NOON, NOON + 30 * MINUTE, budgeting=budgeting)
    assert found.counts(NOON, found.end) == NO_EVENTS


def test_excluded_minutes_hold_no_events():
    minutes = {minute: EventCounts(1, 2) for minute in range(5)}
    part = Exclusion(NOON + MINUTE, NOON + 3 * MINUTE, "move")
    found = history(minutes, 5, (part,))
    assert found.counts(NOON, NOON + 5 * MINUTE) == EventCounts(3, 6)
    assert found.counts(NOON + MINUTE, NOON + 3 * MINUTE) == NO_EVENTS


def test_the_first_minute_is_the_first_that_counts():
    minutes = {9: EventCounts(1, 1), 3: EventCounts(1, 1), -2: EventCounts(1, 1)}
    assert history(minutes).first == NOON + 3 * MINUTE
    assert history({}).first is None


@pytest.mark.parametrize("end", [-1, 31])
def test_a_window_that_ends_outside_of_the_history_is_refused(end):
    with pytest.raises(InvalidObjective, match="outside of the history"):
        history({}).counts(NOON, NOON + end * MINUTE)


def test_days_begin_at_midnight_in_utc_and_those_without_events_are_left_out():
    day = 24 * 60
    minutes = {
        0: EventCounts(1, 1),
        day: EventCounts(0, 1),
        3 * day: EventCounts(2, 2),
        3 * day + 61: EventCounts(9, 9),
    }
    found = list(history(minutes, 4 * day).days(NOON, NOON + (3 * day + 61) * MINUTE))
    assert [(at.isoformat()[:16], counts.total) for at, counts in found] == [
        ("2026-03-01T00:00", 1),
        ("2026-03-02T00:00", 1),
        ("2026-03-04T00:00", 2),
    ]
