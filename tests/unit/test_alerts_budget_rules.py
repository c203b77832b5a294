"""Alerts on the error budget, in words and numbers."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from alerts.budget_rules import EXHAUSTION_SCENARIO, BudgetSignal, ExhaustionSignal, budget_signals
from alerts.decide import decide
from alerts.labels import labels_of
from alerts.timing import AlertTiming
from slo.budget_policy import BudgetAlert, read_budget_alerts, read_budget_policy, read_exhaustion_alert
from slo.budgeting import Timeslices
from slo.draft import drafts
from slo.evaluation import evaluate, needed_windows
from slo.forecast import Forecast
from slo.model import EventCounts
from slo.window import CalendarWindow

NOW = datetime(2026, 3, 11, tzinfo=UTC)
SLO = drafts("checkout", "prod")[0]
MONTH = replace(SLO, window=CalendarWindow("month", 1, datetime(2026, 1, 1), "UTC"))  # noqa: DTZ001 -- local time


def standing(bad, total, slo=SLO):
    counts = dict.fromkeys(needed_windows(slo, NOW), EventCounts(total - bad, total))
    return evaluate(slo, counts, end=NOW, coverage=1.0)


def budget(share, bad, total=5_000_000, slo=SLO, severity="ticket"):
    return BudgetSignal(slo, standing(bad, total, slo), NOW, BudgetAlert(Decimal(share), severity))


def exhaustion(hours, *, total_per_minute=100, within="24h page", bad=4000):
    at = None if hours is None else NOW + hours * timedelta(hours=1)
    forecast = Forecast(EXHAUSTION_SCENARIO, Fraction(1), Fraction(total_per_minute), at, None, ())
    return ExhaustionSignal(SLO, standing(bad, 5_000_000), NOW, read_exhaustion_alert(within), forecast, NOW)


def test_a_low_budget_is_told_in_plain_words():
    assert budget("0.25", 4000).firing_summary() == (
        "20 % of the error budget of checkout availability is left: 4,000 bad of 5,000 allowed in the last 30 days "
        "(requests to checkout in prod); objective 99.9 %"
    )


@pytest.mark.parametrize("bad", [5000, 7000])
def test_an_exhausted_budget_is_told_as_such_whatever_the_share(bad):
    for share in ("0.25", "0"):
        assert budget(share, bad).firing_summary() == (
            f"the error budget of checkout availability is exhausted: {bad:,} bad of 5,000 allowed in the last 30 days "
            "(requests to checkout in prod); objective 99.9 %"
        )


def test_a_budget_that_is_back_is_told_with_the_share_it_is_above():
    assert budget("0.25", 3000).resolved_summary() == (
        "checkout availability recovered: 40 % of the error budget is left, above 25 %: 3,000 bad of 5,000 allowed in "
        "the last 30 days (requests to checkout in prod); objective 99.9 %"
    )


def test_of_a_calendar_month_the_budget_of_all_of_it_is_estimated():
    # a third of March is over
    signal = budget("0.5", 1550 * 3 // 2, 1_000_000, MONTH)
    assert signal.firing_summary() == (
        "25 % of the error budget of checkout availability is left: 2,325 bad of about 3,100 allowed in this period "
        "(requests to checkout in prod); objective 99.9 %"
    )


def test_slices_of_time_are_told_as_what_they_are():
    slo = replace(SLO, budgeting=Timeslices(Decimal("0.95")))
    assert (
        "40 bad of 43 allowed in the last 30 days (the minutes of requests to checkout in prod)"
        in budget("0.25", 40, 43_200, slo).firing_summary()
    )


@pytest.mark.parametrize(("bad", "met", "clear"), [(3749, False, True), (3750, True, False), (3751, True, False)])
def test_the_share_is_compared_exactly(bad, met, clear):
    signal = budget("0.25", bad)
    assert (signal.met, signal.clear) == (met, clear)


def test_without_events_a_budget_is_not_known():
    signal = budget("0.25", 0, 0)
    assert (signal.met, signal.clear) == (False, False)


def test_each_share_is_a_rule_of_its_own_with_the_alert_names_of_the_page():
    slo = replace(
        SLO,
        budget_alerts=read_budget_alerts("12.5% ticket; 0% page"),
        budget_policy=read_budget_policy("50% notify; 12.5% notify; 0% close-gate"),
        alert_for=timedelta(minutes=2),
        keep_firing_for=timedelta(minutes=10),
    )
    found = [decide(None, signal, NOW) for signal in budget_signals(slo, standing(9000, 5_000_000, slo), NOW)]
    assert [(item.rule, item.severity, item.details.alert_name) for item in found] == [
        ("checkout-prod-availability/budget-12.5", "ticket", "SLOErrorBudgetLow"),
        ("checkout-prod-availability/budget-0", "page", "SLOErrorBudgetExhausted"),
        ("checkout-prod-availability/budget-50", "ticket", "SLOErrorBudgetLow"),
    ]
    assert len({item.alert_id for item in found}) == 3
    assert (found[0].slo_id, found[0].service, found[0].environment) == (SLO.id, "checkout", "prod")
    assert labels_of(found[0])["rule"] == "checkout-prod-availability/budget-12.5"
    assert found[0].details.error_budget_remaining == -0.8
    (signal, *_) = budget_signals(slo, standing(9000, 5_000_000, slo), NOW)
    assert signal.timing == AlertTiming(timedelta(minutes=2), timedelta(minutes=10))


@pytest.mark.parametrize(
    ("hours", "met", "clear"), [(0, True, False), (24, True, False), (24.02, False, True), (None, False, True)]
)
def test_a_budget_that_is_gone_within_the_time_is_met_and_any_other_is_clear(hours, met, clear):
    signal = exhaustion(hours)
    assert (signal.met, signal.clear) == (met, clear)


def test_without_a_forecast_or_without_events_in_its_hours_nothing_is_known():
    silent = exhaustion(5, total_per_minute=0)
    none = replace(silent, forecast=None)
    assert [(signal.met, signal.clear) for signal in (silent, none)] == [(False, False)] * 2


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        (5, "runs out at 2026-03-11 05:00 UTC, in 5 hours, if errors go on as in the last 6 hours: 4,000 bad of 5,000"),
        (1.5, "runs out at 2026-03-11 01:30 UTC, in 90 minutes, if errors go on"),
        (47, "runs out at 2026-03-12 23:00 UTC, in 47 hours"),
        (50, "runs out at 2026-03-13 02:00 UTC, in 2 days"),
        (1 / 60, "runs out at 2026-03-11 00:01 UTC, in 1 minute, if"),
        (0, "has run out: 4,000 bad of 5,000 allowed"),
    ],
)
def test_when_the_budget_runs_out_is_told_in_plain_words(hours, told):
    signal = exhaustion(hours, within="7d ticket")
    assert signal.firing_summary().startswith(f"the error budget of checkout availability {told}")
    assert (signal.rule, signal.severity) == ("checkout-prod-availability/exhaustion", "ticket")
    assert signal.details().alert_name == "SLOErrorBudgetRunsOut"


@pytest.mark.parametrize(("hours", "told"), [(30, "lasts beyond 24 hours"), (None, "does not run out")])
def test_that_it_lasts_again_is_told(hours, told):
    assert (
        exhaustion(hours)
        .resolved_summary()
        .startswith(f"checkout availability recovered: at the present rate its error budget {told}: 4,000 bad")
    )
