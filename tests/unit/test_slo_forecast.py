"""Forecasts against a window that is moved by brute force, and against the rule of thumb that forgets the past."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from slo.budget import budget_remaining, burn_rate
from slo.errors import InvalidDuration, InvalidObjective
from slo.forecast import CurvePoint, Past, Scenario, Step, rolling_forecast
from slo.model import EventCounts

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
THREE_NINES = Decimal("0.999")
LAST_HOUR = Scenario("last 1 h", HOUR)

targets = st.sampled_from([Decimal(target) for target in ("0.5", "0.9", "0.99", "0.999")])
events = st.tuples(st.integers(0, 40), st.integers(0, 400)).map(lambda pair: EventCounts(pair[1], sum(pair)))


def hourly(counts, *, as_of=NOW, **options):
    """Return a past of one step an hour, the last of *counts* being the last hour."""
    starts = (as_of - HOUR * (len(counts) - index) for index in range(len(counts)))
    steps = [Step(start, count) for start, count in zip(starts, counts, strict=True)]
    return Past(steps, HOUR, as_of, **options)


def ask(past, target=THREE_NINES, window=30 * DAY, scenario=LAST_HOUR):
    (forecast,) = rolling_forecast(past, target, window, [scenario])
    return forecast


def brute_force(counts, target, window_steps, span_steps):
    """Return (exhausted, recovered, remaining by step) of a window whose every step is kept and summed again."""
    recent = counts[-span_steps:]
    rate = [Fraction(sum(pick), span_steps) for pick in zip(*((c.bad, c.total) for c in recent), strict=True)]
    slots = [(Fraction(0), Fraction(0))] * window_steps + [(Fraction(c.bad), Fraction(c.total)) for c in counts]
    remaining = []
    for _ in range(window_steps + 1):
        bad, total = (sum(pick) for pick in zip(*slots[-window_steps:], strict=True))
        remaining.append(1 - bad / ((1 - Fraction(target)) * total) if total else None)
        slots.append(tuple(rate))
    exhausted = next((k for k, left in enumerate(remaining) if left is not None and left <= 0), None)
    recovered = next((k for k, left in enumerate(remaining) if left is not None and left > 0), None)
    return exhausted, recovered if exhausted == 0 else None, remaining


@given(st.lists(events, min_size=1, max_size=60), targets, st.integers(1, 50), st.integers(1, 8))
@example([EventCounts(0, 0)], Decimal("0.5"), 1, 1)
@example([EventCounts(0, 1), EventCounts(0, 0)], Decimal("0.5"), 3, 1)
@example([EventCounts(0, 1), EventCounts(0, 0)], Decimal("0.5"), 1, 2)
@example([EventCounts(good, total) for good, total in ((2, 5), (4, 5), (3, 5), (3, 5), (3, 7))], Decimal("0.5"), 2, 4)
def test_a_forecast_equals_a_window_moved_by_brute_force(counts, target, window_steps, span_steps):
    span_steps = min(span_steps, len(counts))
    forecast = ask(hourly(counts), target, HOUR * window_steps, Scenario("recently", HOUR * span_steps))
    exhausted, recovered, remaining = brute_force(counts, target, window_steps, span_steps)
    assert forecast.exhausted_at == (None if exhausted is None else NOW + exhausted * HOUR)
    assert forecast.recovers_at == (None if recovered is None else NOW + recovered * HOUR)
    for point in forecast.curve:
        left = remaining[(point.at - NOW) // HOUR]
        assert point.remaining == (None if left is None else float(left))


def test_excluded_time_makes_a_span_shorter_and_not_its_rates_lower():
    """Half of the last hour was maintenance: what failed in the other half goes on at the rate of that half."""
    steps = [Step(NOW - n * MINUTE, EventCounts(9, 10)) for n in range(1, 61) if not 20 < n <= 50]
    excluded = ((NOW - 2 * HOUR, NOW - 90 * MINUTE), (NOW - 50 * MINUTE, NOW - 20 * MINUTE))
    found = ask(Past(steps, MINUTE, NOW, excluded=excluded))
    assert (found.bad_per_minute, found.total_per_minute) == (1, 10)
    since = NOW - 40 * MINUTE
    young = Past([step for step in steps if step.start >= since], MINUTE, NOW, since, excluded)
    assert ask(young).total_per_minute == 10


def test_a_span_that_is_excluded_as_a_whole_tells_nothing():
    found = ask(Past((), MINUTE, NOW, excluded=((NOW - DAY, NOW),)))
    assert (found.bad_per_minute, found.total_per_minute, found.exhausted_at) == (0, 0, None)


@given(st.lists(events, min_size=1, max_size=40), targets, st.integers(2, 1000))
def test_traffic_times_k_moves_no_moment(counts, target, k):
    scaled = [EventCounts(c.good * k, c.total * k) for c in counts]
    one, other = (ask(hourly(each), target, DAY) for each in (counts, scaled))
    assert (one.exhausted_at, one.recovers_at, one.curve) == (other.exhausted_at, other.recovers_at, other.curve)


@given(st.lists(events, min_size=1, max_size=40), targets, st.data())
def test_one_more_error_never_puts_exhaustion_off(counts, target, data):
    guilty = data.draw(st.integers(0, len(counts) - 1))
    if not counts[guilty].good:
        return
    worse = [*counts]
    worse[guilty] = EventCounts(counts[guilty].good - 1, counts[guilty].total)
    never = NOW + 400 * DAY
    before, after = (ask(hourly(each), target, DAY).exhausted_at or never for each in (counts, worse))
    assert after <= before


@given(targets, st.integers(1, 200))
def test_without_any_traffic_a_budget_never_runs_out(target, hours):
    forecast = ask(hourly([EventCounts(0, 0)] * hours), target)
    assert (forecast.exhausted_at, forecast.recovers_at, forecast.total_per_minute) == (None, None, 0)
    assert {point.remaining for point in forecast.curve} == {None}


def test_the_rule_of_thumb_expects_an_exhaustion_that_ageing_out_prevents():
    """29 days ago an outage took 90 % of the budget; since an hour errors come at 1.2 times the allowed rate."""
    healthy, outage, burning = EventCounts(60_000, 60_000), EventCounts(21_120, 60_000), EventCounts(59_928, 60_000)
    counts = [healthy] * 24 + [outage] + [healthy] * 694 + [burning]
    whole = sum(counts, EventCounts(0, 0))
    left, burn = budget_remaining(whole, THREE_NINES), burn_rate(burning, THREE_NINES)
    assert timedelta(days=2) < left * 30 * DAY / burn < timedelta(days=3)  # the rule's answer
    forecast = ask(hourly(counts))
    # the outage leaves after 25 hours; then the window fills with 1.2 times the allowed errors for weeks
    assert forecast.exhausted_at > NOW + 24 * DAY
    assert ask(hourly(counts), window=30 * DAY, scenario=Scenario("day", DAY)).exhausted_at is None


def test_the_rule_of_thumb_misses_an_exhaustion_when_good_traffic_ages_out():
    """No errors are coming, so the rule says never. But the traffic that paid for the old errors leaves first."""
    busy, errors, quiet = EventCounts(1_000_000, 1_000_000), EventCounts(99_500, 100_000), EventCounts(100, 100)
    counts = [busy] * 24 + [errors] + [quiet] * 695
    assert budget_remaining(sum(counts, EventCounts(0, 0)), THREE_NINES) > 0.9
    assert burn_rate(quiet, THREE_NINES) == 0
    forecast = ask(hourly(counts))
    assert forecast.exhausted_at == NOW + 24 * HOUR
    assert forecast.recovers_at is None, "only a budget that is exhausted already is said to recover"


def test_a_budget_is_exhausted_at_the_moment_it_reaches_zero():
    """1,000 a hour, all good so far; from now on 10 % fail: 720 allowed errors are there after 8 hours, exactly."""
    counts = [EventCounts(1000, 1000)] * 719 + [EventCounts(910, 1000)]
    forecast = ask(hourly(counts))
    assert (forecast.bad_per_minute, forecast.total_per_minute) == (Fraction(3, 2), Fraction(50, 3))
    assert forecast.exhausted_at == NOW + 7 * HOUR  # 90 + 7 * 90 = 720
    at = next(point for point in forecast.curve if point.at == forecast.exhausted_at)
    assert at.remaining == 0.0


def test_an_exhausted_budget_recovers_when_its_outage_leaves_the_window():
    counts = [EventCounts(1000, 1000)] * 100 + [EventCounts(0, 1000)] + [EventCounts(1000, 1000)] * 619
    forecast = ask(hourly(counts))
    assert forecast.exhausted_at == NOW
    assert forecast.recovers_at == NOW + 101 * HOUR
    assert CurvePoint(NOW + 101 * HOUR, 1.0) in forecast.curve


def test_an_exhausted_budget_that_burns_on_does_not_recover():
    forecast = ask(hourly([EventCounts(990, 1000)] * 720))
    assert (forecast.exhausted_at, forecast.recovers_at) == (NOW, None)


def test_a_month_of_minutes_is_drawn_with_at_most_120_points():
    steps = [Step(NOW - index * MINUTE, EventCounts(999, 1000)) for index in range(1, 43_201)]
    for forecast in rolling_forecast(Past(steps, MINUTE, NOW), Decimal("0.9985"), 30 * DAY):
        moments = [point.at for point in forecast.curve]
        assert len(moments) <= 120
        assert moments == sorted(set(moments))
        assert (moments[0], moments[-1]) == (NOW, NOW + 30 * DAY)


def test_the_scenarios_are_the_last_hour_six_hours_and_day():
    counts = [EventCounts(0, 600)] * 18 + [EventCounts(0, 60)] * 5 + [EventCounts(0, 120)]
    forecasts = rolling_forecast(hourly(counts), THREE_NINES, DAY)
    assert [forecast.scenario.name for forecast in forecasts] == ["last 1 h", "last 6 h", "last 24 h"]
    assert [forecast.total_per_minute for forecast in forecasts] == [2, Fraction(7, 6), Fraction(187, 24)]


def test_the_errors_of_two_hours_are_not_thinned_out_over_a_day():
    day = Scenario("last 24 h", DAY)
    counts = [EventCounts(50, 60)] * 2
    assert ask(hourly(counts), scenario=day).bad_per_minute == Fraction(20, 24 * 60)
    known = ask(hourly(counts, observed_since=NOW - 2 * HOUR), scenario=day)
    assert known.bad_per_minute == Fraction(1, 6)
    long_known = ask(hourly(counts, observed_since=NOW - 90 * DAY), scenario=day)
    assert long_known.bad_per_minute == Fraction(20, 24 * 60)
    assert ask(hourly(counts, observed_since=NOW), scenario=day).total_per_minute == 0


def test_steps_may_come_in_any_order_and_more_than_once_and_those_outside_change_nothing():
    counts = [EventCounts(10 + index, 12 + index) for index in range(48)]
    plain = hourly(counts)
    halves = [Step(step.start, EventCounts(5, 6)) for step in plain.steps]
    rest = [Step(step.start, EventCounts(step.events.good - 5, step.events.total - 6)) for step in plain.steps]
    outside = [Step(NOW, EventCounts(0, 9)), Step(NOW - 49 * HOUR, EventCounts(0, 9))]
    mixed = Past([*outside, *reversed(rest), *halves], HOUR, NOW)
    assert rolling_forecast(mixed, THREE_NINES, 2 * DAY) == rolling_forecast(plain, THREE_NINES, 2 * DAY)


@pytest.mark.parametrize("window", [timedelta(0), -HOUR, timedelta(minutes=90)])
def test_a_window_that_is_not_whole_steps_is_refused(window):
    with pytest.raises(InvalidDuration, match="must be whole steps of 1:00:00, at least 1"):
        ask(hourly([EventCounts(1, 1)]), window=window)


def test_a_scenario_shorter_than_a_step_is_refused_by_name():
    with pytest.raises(InvalidDuration, match="span of 'blink' 0:05:00 must be whole steps"):
        ask(hourly([EventCounts(1, 1)]), scenario=Scenario("blink", 5 * MINUTE))


def test_a_past_that_makes_no_sense_is_refused():
    with pytest.raises(InvalidDuration, match="step length 0:00:00 must be above zero"):
        Past([], timedelta(0), NOW)
    with pytest.raises(InvalidObjective, match="is not whole steps of 1:00:00 from"):
        Past([Step(NOW - 90 * MINUTE, EventCounts(1, 1))], HOUR, NOW)
    with pytest.raises(InvalidObjective, match="target 1 must lie"):
        ask(hourly([EventCounts(1, 1)]), Decimal(1))
