"""Forecasts of calendar periods, where nothing ages out before the end."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.errors import InvalidDuration
from slo.forecast import CurvePoint, Past, Scenario, Step, calendar_forecast
from slo.model import EventCounts

MARCH, APRIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
THREE_NINES = Decimal("0.999")
LAST_DAY = Scenario("last 24 h", DAY)

counts_of_a_day = st.tuples(st.integers(0, 40), st.integers(0, 400)).map(lambda pair: EventCounts(pair[1], sum(pair)))


def ask(counts, target=THREE_NINES, since=MARCH):
    """Return the forecast after one step a day of *counts* from *since* on."""
    steps = [Step(since + day * DAY, count) for day, count in enumerate(counts)]
    past = Past(steps, DAY, since + len(counts) * DAY)
    (forecast,) = calendar_forecast(past, target, MARCH, APRIL, [LAST_DAY])
    return forecast


@given(
    st.lists(counts_of_a_day, min_size=1, max_size=31), st.sampled_from([Decimal("0.5"), Decimal("0.9"), THREE_NINES])
)
def test_a_period_equals_adding_up_day_after_day(counts, target):
    now, (bad, total) = MARCH + len(counts) * DAY, (sum(c.bad for c in counts), sum(c.total for c in counts))
    share, states = 1 - Fraction(target), []
    for ahead in range(31 - len(counts) + 1):
        all_bad, all_events = bad + ahead * counts[-1].bad, total + ahead * counts[-1].total
        states.append(None if not all_events else all_bad >= share * all_events)
    forecast = ask(counts, target)
    first = {state: states.index(state) if state in states else None for state in (True, False)}
    assert forecast.exhausted_at == (None if first[True] is None else now + first[True] * DAY)
    if first[True] == 0:
        assert forecast.recovers_at == (APRIL if first[False] is None else now + first[False] * DAY)
    else:
        assert forecast.recovers_at is None
    assert (forecast.curve[0].at, forecast.curve[-1].at) == (now, APRIL)


def test_nothing_ages_out_so_an_exhausted_budget_waits_for_the_new_period():
    forecast = ask([EventCounts(900, 1000), EventCounts(1000, 1000)])
    assert forecast.exhausted_at == MARCH + 2 * DAY
    assert forecast.recovers_at == APRIL


def test_clean_traffic_may_earn_a_budget_back_before_the_period_ends():
    forecast = ask([EventCounts(990, 1000), EventCounts(1000, 1000)])
    assert forecast.exhausted_at == MARCH + 2 * DAY
    assert forecast.recovers_at == MARCH + 11 * DAY, "10 bad of 10,000 is exactly the budget, of 11,000 less"


def test_a_burn_above_the_allowed_rate_exhausts_within_the_period():
    forecast = ask([EventCounts(1000, 1000)] * 9 + [EventCounts(998, 1000)])
    assert forecast.exhausted_at == MARCH + 18 * DAY, "2 + 8 * 2 bad of 18,000"
    assert CurvePoint(MARCH + 18 * DAY, 0.0) in forecast.curve


def test_an_exhaustion_that_would_come_after_the_end_does_not_come():
    """2 more bad of 1,000 a day: with 15 clean days before, the budget would be gone on day 32 of 31."""
    assert ask([EventCounts(1000, 1000)] * 15 + [EventCounts(998, 1000)]).exhausted_at == MARCH + 30 * DAY
    assert ask([EventCounts(1000, 1000)] * 16 + [EventCounts(998, 1000)]).exhausted_at is None


def test_events_before_the_period_count_for_the_rate_and_not_for_the_budget():
    """At midnight on the first the budget is new, and yesterday's rate is all there is to go by."""
    forecast = ask([EventCounts(0, 1000), EventCounts(998, 1000)], since=MARCH - 2 * DAY)
    assert forecast.curve[0] == CurvePoint(MARCH, None)
    assert forecast.bad_per_minute == Fraction(2, 1440)
    assert forecast.exhausted_at == MARCH + DAY


def test_at_the_end_of_the_period_there_is_nothing_left_to_forecast():
    forecast = ask([EventCounts(1000, 1000)] * 31)
    assert forecast.curve == (CurvePoint(APRIL, 1.0),)
    assert ask([EventCounts(0, 0)] * 31).exhausted_at is None


def test_a_period_that_ended_without_events_is_not_judged_by_those_before_it():
    past = Past([Step(MARCH, EventCounts(0, 1000))], DAY, MARCH + 2 * DAY)
    (forecast,) = calendar_forecast(past, THREE_NINES, MARCH + DAY, MARCH + 2 * DAY, [Scenario("last 48 h", 2 * DAY)])
    assert forecast.bad_per_minute > 0
    assert forecast.exhausted_at is None


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "name"),
    [
        (MARCH + 2 * DAY, APRIL, "elapsed part"),
        (MARCH - HOUR, APRIL, "elapsed part"),
        (MARCH, MARCH, "rest of the period"),
        (MARCH, APRIL + HOUR, "rest of the period"),
    ],
)
def test_a_period_that_does_not_hold_now_or_is_not_whole_steps_is_refused(starts_at, ends_at, name):
    past = Past([], DAY, MARCH + DAY)
    with pytest.raises(InvalidDuration, match=name):
        calendar_forecast(past, THREE_NINES, starts_at, ends_at)
