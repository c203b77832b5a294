"""Evaluation over calendar periods, with excluded time, and with the least counts that an alert asks for."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.budgeting import Freshness, Throughput, Timeslices
from slo.draft import drafts
from slo.errors import InvalidObjective
from slo.evaluation import budget_window, evaluate, needed_windows, remaining_at
from slo.indicator import (
    CacheIndicator,
    CounterIndicator,
    GaugeIndicator,
    HistogramIndicator,
    MetricSelector,
)
from slo.model import NO_EVENTS, EventCounts, Exclusion
from slo.policy import AlertPolicy, BurnRatePair
from slo.standard_policy import standard_policy
from slo.window import CalendarWindow

DRAFT = drafts("checkout", "prod")[0]
SLO = replace(DRAFT, policy=standard_policy(DRAFT.target, DRAFT.period).policy)
MONTH = CalendarWindow("month", 1, datetime.fromisoformat("2026-01-01"), "Europe/Berlin")
MONTHLY = replace(SLO, window=MONTH)
HOUR = timedelta(hours=1)


def _utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def _bad(bad, total):
    return EventCounts(total - bad, total)


def _evaluated(slo, end, whole, *, rest=NO_EVENTS, excluded=None, **windows):
    counts = dict.fromkeys(needed_windows(slo, end), rest) | {budget_window(slo, end): whole}
    return evaluate(slo, counts | windows, end=end, coverage=1.0, excluded=excluded)


def test_the_window_of_a_calendar_objective_grows_from_the_start_of_the_period():
    assert budget_window(MONTHLY, _utc("2026-03-01T12:00")) == timedelta(hours=13)
    assert budget_window(MONTHLY, _utc("2026-03-31T22:00")) == timedelta(days=31) - HOUR  # an hour is skipped
    assert budget_window(MONTHLY, _utc("2026-10-31T23:00")) == timedelta(days=31) + HOUR
    assert budget_window(SLO, _utc("2026-03-01T12:00")) == timedelta(days=30)
    assert timedelta(hours=13) in needed_windows(MONTHLY, _utc("2026-03-01T12:00"))


def test_a_calendar_budget_is_the_one_that_the_whole_period_is_expected_to_have():
    # a third of April is over: 1,000,000 events so far allow 3,000 bad ones in all of it
    end = _utc("2026-04-10T22:00")
    result = _evaluated(MONTHLY, end, _bad(600, 1_000_000))
    assert (result.error_budget_remaining, result.budget_remaining_so_far) == (0.8, 0.4)
    assert (result.estimated, result.state) == (True, "no_traffic")


def test_a_calendar_budget_is_exact_when_the_period_is_over():
    result = _evaluated(MONTHLY, _utc("2026-04-30T22:00"), _bad(600, 1_000_000))
    assert (result.error_budget_remaining, result.budget_remaining_so_far, result.estimated) == (0.4, 0.4, False)
    rolling = _evaluated(SLO, _utc("2026-04-10T22:00"), _bad(600, 1_000_000))
    assert (rolling.error_budget_remaining, rolling.budget_remaining_so_far, rolling.estimated) == (0.4, 0.4, False)


def test_what_is_left_at_a_moment_is_what_an_evaluation_then_says():
    for slo in (SLO, MONTHLY):
        for end in (_utc("2026-04-10T22:00"), _utc("2026-04-30T22:00")):
            whole = _bad(600, 1_000_000)
            assert remaining_at(slo, whole, end) == _evaluated(slo, end, whole).error_budget_remaining
    assert remaining_at(MONTHLY, _bad(600, 1_000_000), _utc("2026-04-10T22:00")) == 0.8
    assert remaining_at(SLO, NO_EVENTS, END) is None


@pytest.mark.parametrize(
    ("bad", "state"), [(2250, "ok"), (2251, "at_risk"), (2999, "at_risk"), (3000, "exhausted"), (3001, "exhausted")]
)
def test_the_state_of_a_calendar_objective_follows_the_budget_of_the_whole_period(bad, state):
    end = _utc("2026-04-10T22:00")
    assert _evaluated(MONTHLY, end, _bad(bad, 1_000_000), rest=EventCounts(10, 10)).state == state


def test_confidence_in_a_calendar_objective_looks_at_the_whole_period():
    end = _utc("2026-04-10T22:00")
    assert not _evaluated(MONTHLY, end, _bad(0, 334)).low_confidence
    assert _evaluated(MONTHLY, end, _bad(0, 333)).low_confidence
    assert _evaluated(MONTHLY, end, NO_EVENTS).error_budget_remaining is None


@given(st.integers(0, 1000), st.integers(1, 10**6), st.integers(1, 60 * 24 * 29))
def test_what_is_left_of_a_period_never_grows_by_time_that_was_as_bad_as_before(bad, more, minutes):
    end = _utc("2026-03-31T22:00") + timedelta(minutes=minutes)
    whole = _bad(bad, bad + more)
    result = _evaluated(MONTHLY, end, whole)
    assert result.error_budget_remaining >= result.budget_remaining_so_far
    assert result.error_budget_remaining <= 1
    assert result.estimated == (end < _utc("2026-04-30T22:00"))


END = _utc("2026-03-31T12:00")
DAYS_30 = timedelta(days=30)


def test_excluded_time_touches_no_number_and_both_budgets_are_told():
    excluded = {DAYS_30: _bad(700, 10_000), HOUR: _bad(100, 200)}
    result = _evaluated(SLO, END, _bad(800, 1_010_000), rest=_bad(100, 300), excluded=excluded)
    assert (result.counts, result.hour) == (_bad(100, 1_000_000), _bad(0, 100))
    assert (result.error_budget_remaining, result.burn_rates["1h"]) == (0.9, 0.0)
    assert result.burn_rates["6h"] == pytest.approx(1000 / 3)
    assert result.unadjusted is not None
    assert result.unadjusted.counts == _bad(800, 1_010_000)
    assert result.unadjusted.error_budget_remaining == float(1 - 800 / Decimal(1010))
    assert result.unadjusted.sli == 1_009_200 / 1_010_000


@pytest.mark.parametrize("excluded", [None, {}])
def test_without_excluded_time_there_is_one_budget(excluded):
    assert _evaluated(SLO, END, _bad(1, 10_000), excluded=excluded).unadjusted is None


def test_excluded_time_cannot_page():
    burning = _evaluated(SLO, END, _bad(900, 10**6), rest=_bad(90, 100))
    assert burning.state == "burning"
    excluded = dict.fromkeys(needed_windows(SLO, END) - {DAYS_30}, _bad(90, 100)) | {DAYS_30: _bad(100, 100)}
    assert _evaluated(SLO, END, _bad(100, 10**6), rest=_bad(90, 100), excluded=excluded).state == "no_traffic"


def test_more_excluded_events_than_events_is_a_mistake_of_the_caller():
    with pytest.raises(InvalidObjective, match="cannot be"):
        _evaluated(SLO, END, _bad(1, 10), excluded={DAYS_30: _bad(5, 5)})


@given(
    st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50), st.booleans()), min_size=1, max_size=30),
)
def test_excluding_minutes_is_the_same_as_never_having_counted_them(minutes):
    events = [(_bad(bad, bad + good), outside) for bad, good, outside in minutes]
    total = sum((counts for counts, _ in events), NO_EVENTS)
    left_out = sum((counts for counts, outside in events if outside), NO_EVENTS)
    rest = sum((counts for counts, outside in events if not outside), NO_EVENTS)
    with_exclusion = _evaluated(SLO, END, total, excluded={DAYS_30: left_out})
    without = _evaluated(SLO, END, rest)
    assert (with_exclusion.counts, with_exclusion.state) == (without.counts, without.state)
    assert with_exclusion.error_budget_remaining == without.error_budget_remaining


PAIR = BurnRatePair(HOUR, HOUR / 12, standard_policy(SLO.target, SLO.period).policy.conditions[0].factor, "page")


@pytest.mark.parametrize(
    ("min_total", "min_bad", "met"),
    [(0, 0, True), (100, 50, True), (101, 0, False), (0, 51, False), (101, 51, False), (100, 51, False)],
)
def test_an_alert_waits_for_the_least_counts_in_its_long_window(min_total, min_bad, met):
    slo = replace(SLO, min_total=min_total, min_bad=min_bad, policy=AlertPolicy("own", (PAIR,)))
    # the short window holds less than the least counts and does not matter
    counts = dict.fromkeys(needed_windows(slo, END), EventCounts(1, 1)) | {
        DAYS_30: EventCounts(10**6, 10**6),
        HOUR: _bad(50, 100),
        HOUR / 12: _bad(1, 1),
    }
    result = evaluate(slo, counts, end=END, coverage=1.0)
    assert (result.conditions[0].met, result.state) == (met, "burning" if met else "ok")


@pytest.mark.parametrize("change", [{"min_total": -1}, {"min_bad": -1}])
def test_the_least_counts_are_0_or_more(change):
    with pytest.raises(InvalidObjective, match="must be 0 or more"):
        replace(SLO, **change)


@pytest.mark.parametrize("sla", ["0", "1", "99.9", "NaN"])
def test_an_sla_lies_between_0_and_1(sla):
    assert replace(SLO, sla=Decimal("0.99")).sla == Decimal("0.99")
    with pytest.raises(InvalidObjective, match=f"sla {sla} of"):
        replace(SLO, sla=Decimal(sla))


def _exclusion(start, end):
    return Exclusion(_utc(f"2026-03-01T{start}:00"), _utc(f"2026-03-01T{end}:00"), f"{start} to {end}")


def test_exclusions_have_a_zone_an_order_and_no_overlap():
    naive = datetime.fromisoformat("2026-03-01")
    with pytest.raises(InvalidObjective, match="needs a time zone"):
        Exclusion(naive, _utc("2026-03-02"), "upgrade")
    with pytest.raises(InvalidObjective, match="needs a time zone"):
        Exclusion(_utc("2026-03-01"), naive, "upgrade")
    with pytest.raises(InvalidObjective, match="must end after it starts"):
        _exclusion("02", "02")
    touching = (_exclusion("02", "04"), _exclusion("00", "02"))
    assert replace(SLO, exclusions=touching).exclusions == touching
    with pytest.raises(InvalidObjective, match="'00 to 02' and '01 to 03' of 'checkout-prod-availability' overlap"):
        replace(SLO, exclusions=(_exclusion("01", "03"), _exclusion("00", "02")))
    with pytest.raises(InvalidObjective, match="overlap"):
        replace(SLO, exclusions=(_exclusion("00", "09"), _exclusion("01", "02"), _exclusion("03", "04")))


METRIC = MetricSelector("m")


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"budgeting": Throughput(1)}, "throughput"),
        ({"budgeting": Freshness(timedelta(minutes=1))}, "freshness"),
        ({"budgeting": Timeslices(Decimal("0.9"))}, "availability"),
        ({"indicator": CacheIndicator("c", "p")}, "cache"),
        ({"indicator": HistogramIndicator("c", "p", METRIC, Decimal(1))}, "latency"),
        ({"indicator": GaugeIndicator("c", "p", METRIC, "<", Decimal(1))}, "custom"),
        ({"indicator": CounterIndicator("c", "p", good=METRIC, total=MetricSelector("n"))}, "custom"),
    ],
)
def test_the_kind_of_an_objective_is_that_of_its_floor_or_of_its_indicator(change, kind):
    assert replace(SLO, **change).kind == kind


def test_only_spans_have_a_latency_threshold_in_milliseconds():
    assert replace(SLO, indicator=HistogramIndicator("c", "p", METRIC, Decimal(1))).threshold_ms is None


@given(st.integers(0, 100), st.integers(0, 100), st.integers(0, 100), st.integers(0, 100))
def test_subtracting_counts_undoes_adding_them(a, b, c, d):
    one, two = _bad(a, a + b), _bad(c, c + d)
    assert one + two - two == one
