"""Running sums give the same windows as adding up minutes."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.errors import InvalidObjective
from slo.minute_history import MinuteHistory
from slo.model import NO_EVENTS, EventCounts, Exclusion

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


def test_excluded_minutes_hold_no_events():
    minutes = {minute: EventCounts(1, 2) for minute in range(5)}
    part = Exclusion(NOON + 1.5 * MINUTE, NOON + 3 * MINUTE, "move")
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
