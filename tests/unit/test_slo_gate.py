"""The gate compares exactly, tells the truth in its sentence, and takes silence for bad news."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.budget_policy import read_budget_policy
from slo.draft import drafts
from slo.evaluation import Evaluation, evaluate, needed_windows
from slo.gate import budget_left, decide_gate
from slo.model import EventCounts
from slo.window import CalendarWindow, RollingWindow

NOW = datetime(2026, 3, 11, tzinfo=UTC)
SLO = replace(drafts("checkout", "prod")[0], target=Decimal("0.9"))
MONTH = replace(SLO, window=CalendarWindow("month", 1, datetime(2026, 1, 1), "UTC"))  # noqa: DTZ001 -- local time


def standing(bad, total, slo=SLO, coverage=1.0) -> Evaluation:
    counts = dict.fromkeys(needed_windows(slo, NOW), EventCounts(total - bad, total))
    return evaluate(slo, counts, end=NOW, coverage=coverage)


def decide(bad, total, min_budget="0.2", slo=SLO, **options):
    evaluation = standing(bad, total, slo, options.pop("coverage", 1.0))
    return decide_gate(slo, evaluation, end=NOW, min_budget=Decimal(min_budget), **options)


def test_a_budget_of_exactly_the_minimum_passes_and_one_event_less_does_not():
    assert decide(80, 1000).passes
    assert not decide(81, 1000).passes


def test_the_sentence_names_budget_minimum_and_state():
    assert decide(20, 1000).reason == (
        "checkout-prod-availability: 80 % of the error budget of 30d left, at least 20 % (state ok)"
    )
    assert decide(150, 1000, coverage=0.5).reason == (
        "checkout-prod-availability: -50 % of the error budget of 30d left, less than 20 % "
        "(state exhausted, provisional)"
    )


def test_a_budget_just_below_the_minimum_is_not_told_as_the_minimum():
    found = decide(80_001, 1_000_000)
    assert not found.passes
    assert "19.99 % of the error budget" in found.reason


CLOSING = replace(SLO, budget_policy=read_budget_policy("50% notify; 10% close-gate; 0% close-gate"))


def test_an_error_budget_policy_closes_the_gate_whatever_minimum_is_asked_for():
    assert decide(89, 1000, "-5", slo=CLOSING).passes
    found = decide(90, 1000, "-5", slo=CLOSING)
    assert not found.passes
    assert found.reason == (
        "checkout-prod-availability: 10 % of the error budget of 30d left, "
        "and its budget-policy closes the gate at 10 % (state at_risk)"
    )


def test_a_minimum_above_the_policys_share_counts_too_and_notify_closes_nothing():
    assert not decide(81, 1000, "0.2", slo=CLOSING).passes
    assert decide(60, 1000, "0.2", slo=CLOSING).passes
    assert decide(0, 0, slo=CLOSING, allow_no_data=True).passes


@pytest.mark.parametrize(("allow", "told"), [(False, "not allowed"), (True, "allowed")])
def test_without_data_it_passes_only_if_that_is_allowed(allow, told):
    found = decide(0, 0, allow_no_data=allow)
    assert found.passes == allow
    assert found.reason == f"checkout-prod-availability: no data in 30d, which is {told} (state no_data)"


def test_of_a_calendar_month_the_budget_of_all_of_it_counts():
    assert budget_left(MONTH, standing(31, 1000, MONTH), NOW) == Fraction(
        9, 10
    )  # 31 % of a third's budget: 10 of 31 days
    assert decide(31, 1000, "0.9", MONTH).passes
    assert not decide(32, 1000, "0.9", MONTH).passes


@given(st.integers(0, 500), st.integers(1, 500), st.booleans(), st.integers(1, 60))
def test_what_is_compared_is_what_the_evaluation_shows(bad, total, calendar, days):
    slo = MONTH if calendar else replace(SLO, window=RollingWindow(timedelta(days=days)))
    evaluation = standing(min(bad, total), total, slo)
    left = budget_left(slo, evaluation, NOW)
    assert left is not None
    assert float(left) == evaluation.error_budget_remaining
