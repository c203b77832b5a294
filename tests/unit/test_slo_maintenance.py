"""Which planned work is excluded for which objective, and how much time it is."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.draft import drafts
from slo.errors import InvalidObjective
from slo.exclusion import total_excluded, whole_minutes
from slo.maintenance import Maintenance, exclusions_of
from slo.model import Exclusion

NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
SLO, LATENCY = drafts("checkout", "prod")


def window(start=0, end=60, **fields):
    """Return a window from minute *start* to minute *end* after noon; it matches everything but for *fields*."""
    named = {"reason": "move", "author": "ada", "service": "", "environment": "", "slo_id": "", "created_at": NOON}
    return Maintenance("a", NOON + start * MINUTE, NOON + end * MINUTE, **(named | fields))


@pytest.mark.parametrize(
    ("fields", "applies"),
    [
        ({}, True),
        ({"service": "checkout"}, True),
        ({"service": "cart"}, False),
        ({"environment": "prod", "service": "checkout"}, True),
        ({"environment": "staging"}, False),
        ({"slo_id": SLO.id}, True),
        ({"slo_id": LATENCY.id}, False),
        ({"slo_id": SLO.id, "environment": "staging"}, False),
    ],
)
def test_a_window_applies_to_the_objectives_that_all_of_its_matchers_name(fields, applies):
    assert window(**fields).applies_to(SLO) == applies
    assert exclusions_of([window(**fields)], SLO) == ((Exclusion(NOON, NOON + HOUR, "move"),) if applies else ())


def test_a_window_that_was_ended_early_excludes_only_what_it_took():
    early = window(ended_early_at=NOON + 20 * MINUTE)
    assert exclusions_of([early], SLO) == (Exclusion(NOON, NOON + 20 * MINUTE, "move"),)
    assert window(ended_early_at=NOON + 2 * HOUR).until == NOON + HOUR


def test_a_window_that_was_called_off_excludes_nothing():
    assert exclusions_of([window(ended_early_at=NOON), window(ended_early_at=NOON - HOUR)], SLO) == ()


def test_exclusions_come_in_the_order_of_time():
    found = exclusions_of([window(30, 90, reason="disk"), window(0, 60)], SLO)
    assert found == (Exclusion(NOON, NOON + HOUR, "move"), Exclusion(NOON + HOUR / 2, NOON + 1.5 * HOUR, "disk"))


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        (NOON, NOON, "must end after it starts"),
        (NOON, NOON + MINUTE / 2, "whole minutes"),
        (NOON.replace(tzinfo=None), NOON.replace(tzinfo=None) + HOUR, "needs a time zone"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(start, end, reason):
    with pytest.raises(InvalidObjective, match=reason):
        replace(window(), start=start, end=end)


@given(st.integers(0, 7200), st.integers(1, 7200))
def test_the_minutes_that_a_stretch_touches_hold_it_and_no_minute_more(start_s, length_s):
    start, end = NOON + timedelta(seconds=start_s), NOON + timedelta(seconds=start_s + length_s)
    first, last = whole_minutes(start, end)
    assert first <= start < first + MINUTE
    assert last - MINUTE < end <= last
    assert (last - first) % MINUTE == timedelta(0)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=6), st.integers(0, 40), st.integers(1, 40))
def test_excluded_time_is_the_number_of_excluded_minutes(windows, start, length):
    made = [window(first, first + minutes) for first, minutes in windows]
    minutes = [NOON + (start + index) * MINUTE for index in range(length)]
    expected = sum(any(item.start <= minute < item.end for item in made) for minute in minutes) * MINUTE
    assert total_excluded(exclusions_of(made, SLO), minutes[0], minutes[-1] + MINUTE) == expected
