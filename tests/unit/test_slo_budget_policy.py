"""What happens when little of the error budget is left, as it is written and read."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.budget_policy import (
    BudgetAction,
    BudgetAlert,
    gate_closes_at,
    percent_of,
    read_budget_alerts,
    read_budget_policy,
    read_exhaustion_alert,
    watched_budgets,
)
from slo.errors import InvalidPolicy

shares = st.decimals("0", "0.999999", places=6)


@given(st.lists(st.builds(BudgetAlert, shares, st.sampled_from(["page", "ticket"])), min_size=1, unique=True))
def test_budget_alerts_read_back_as_they_were_written(alerts):
    assert read_budget_alerts("; ".join(map(str, alerts))) == tuple(alerts)


@given(st.lists(st.builds(BudgetAction, shares, st.sampled_from(["notify", "close-gate"])), min_size=1, unique=True))
def test_budget_policies_read_back_as_they_were_written(actions):
    assert read_budget_policy(";".join(map(str, actions))) == tuple(actions)


@pytest.mark.parametrize("text", ["24h ticket", "7d page", "90m ticket"])
def test_exhaustion_alerts_read_back_as_they_were_written(text):
    alert = read_exhaustion_alert(text)
    assert read_exhaustion_alert(str(alert)) == alert


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "'' is not a share of the budget and a word"),
        ("25% ticket;", "'' is not a share"),
        ("25 ticket", "'25 ticket' is not a share"),
        ("25%", "'25%' is not a share"),
        ("-5% page", "'-5% page' is not a share"),
        ("٢% page", "is not a share"),
        ("100% page", "100 % of the budget must lie between 0 and below 100"),
        ("25% ticket; 25.0% ticket", "says the same twice; keep one"),
    ],
)
def test_a_list_of_no_sense_is_refused_by_name(text, reason):
    with pytest.raises(InvalidPolicy, match=reason):
        read_budget_alerts(text)


@pytest.mark.parametrize("share", ["-0.1", "1", "nan", "inf"])
def test_a_share_is_at_least_nothing_and_less_than_all(share):
    with pytest.raises(InvalidPolicy, match="must lie between 0 and below 100"):
        BudgetAction(Decimal(share), "notify")


def test_a_policy_that_notifies_is_a_ticket_and_no_second_one():
    alerts = read_budget_alerts("25% ticket; 0% page")
    policy = read_budget_policy("50% notify; 25.0% notify; 0% notify; 0% close-gate")
    assert [str(alert) for alert in watched_budgets(alerts, policy)] == [
        "25% ticket",
        "0% page",
        "50% ticket",
        "0% ticket",
    ]


def test_the_gate_closes_at_the_largest_share_that_closes_it():
    assert gate_closes_at(read_budget_policy("5% close-gate; 10% close-gate; 50% notify")) == Decimal("0.1")
    assert gate_closes_at(read_budget_policy("50% notify")) is None
    assert gate_closes_at(()) is None


@pytest.mark.parametrize(("share", "told"), [("0", "0"), ("0.1", "10"), ("0.250", "25"), ("0.00000001", "0.000001")])
def test_a_share_is_told_in_percent_without_needless_zeros(share, told):
    assert percent_of(Decimal(share)) == told
