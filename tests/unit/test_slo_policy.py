from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slo.duration import format_duration
from slo.errors import InvalidPolicy
from slo.policy import NO_POLICY, AlertPolicy, BurnRatePair, ObjectiveBreach, burn_rate_factor
from slo.policy_text import read_policy
from slo.standard_policy import standard_policy

THREE_NINES = Decimal("0.999")
MONTH = timedelta(days=30)


def _shown(policy):
    return [(format_duration(c.long), format_duration(c.short), str(c.factor), c.severity) for c in policy.conditions]


def test_the_standard_policy_of_30_days_has_the_four_pairs_of_the_workbook():
    fitted = standard_policy(THREE_NINES, MONTH)
    assert _shown(fitted.policy) == [
        ("1h", "5m", "72/5", "page"),
        ("6h", "30m", "6", "page"),
        ("1d", "2h", "3", "ticket"),
        ("3d", "6h", "1", "ticket"),
    ]
    assert fitted.warnings == ()


def test_28_days_keep_the_windows_and_change_the_factors():
    factors = [c.factor for c in standard_policy(THREE_NINES, timedelta(days=28)).policy.conditions]
    assert factors == [Fraction("13.44"), Fraction("5.6"), Fraction("2.8"), Fraction(14, 15)]


@pytest.mark.parametrize("days", [14, 45])
def test_from_14_to_45_days_the_windows_stay_as_they_are(days):
    conditions = standard_policy(THREE_NINES, timedelta(days=days)).policy.conditions
    assert [format_duration(c.long) for c in conditions] == ["1h", "6h", "1d", "3d"]


def test_7_days_scale_the_windows_so_that_no_pair_alerts_far_below_the_budget():
    conditions = standard_policy(THREE_NINES, timedelta(days=7)).policy.conditions
    assert [(format_duration(c.long), format_duration(c.short)) for c in conditions] == [
        ("14m", "1m"),
        ("84m", "7m"),
        ("336m", "28m"),
        ("1008m", "84m"),
    ]
    assert [c.factor for c in conditions] == [Fraction("14.4"), 6, 3, 1]


@given(st.integers(1, 120), st.decimals("0.5", "0.9999", places=4))
def test_every_standard_pair_can_fire_and_fits_into_the_window(days, target):
    window = timedelta(days=days)
    for pair in standard_policy(target, window).policy.conditions:
        assert pair.short < pair.long <= window
        assert pair.factor < 1 / (1 - Fraction(target))
        assert pair.factor >= Fraction(7, 15)  # 14 days: the lowest of the fixed windows


def test_a_standard_pair_that_can_never_fire_is_left_out_with_a_warning():
    fitted = standard_policy(Decimal("0.93"), MONTH)
    assert ("1h", "5m", "72/5", "page") not in _shown(fitted.policy)
    assert len(fitted.policy.conditions) == 3
    (warning,) = fitted.warnings
    assert warning.startswith("the 1h/5m page alert is left out: it needs a burn rate above 14.4, ")
    assert warning.endswith("but at target 0.93 total failure burns at 14.2857")


def test_a_target_of_exactly_the_factors_reach_is_out_of_reach_because_above_is_strict():
    """At 90 % total failure burns at exactly 10, which is not above 10."""
    with pytest.raises(InvalidPolicy, match="can never fire: it needs a burn rate above 10"):
        read_policy("burn-rate", "10%/432m/5m page", Decimal("0.9"), MONTH)


def test_the_factor_is_the_budget_share_times_period_over_window():
    assert burn_rate_factor(Fraction(5, 100), MONTH, timedelta(hours=6)) == 6
    assert burn_rate_factor(Fraction(2, 100), timedelta(days=31), timedelta(hours=7)) == Fraction(372, 175)


def test_custom_pairs_are_read_with_their_computed_factors():
    fitted = read_policy("burn-rate", "2%/1h/5m page, 2.5%/6h/30m ticket", THREE_NINES, MONTH)
    assert _shown(fitted.policy) == [("1h", "5m", "72/5", "page"), ("6h", "30m", "3", "ticket")]
    assert fitted.policy.windows == {timedelta(minutes=m) for m in (5, 30, 60, 360)}


def test_an_objective_breach_is_burn_rate_one_in_both_windows():
    fitted = read_policy("objective-breach", "5m/1m page, 1h/5m ticket", THREE_NINES, MONTH)
    assert fitted.policy.conditions == (
        ObjectiveBreach(timedelta(minutes=5), timedelta(minutes=1), "page"),
        ObjectiveBreach(timedelta(hours=1), timedelta(minutes=5), "ticket"),
    )
    assert {c.factor for c in fitted.policy.conditions} == {1}


def test_none_is_no_policy():
    assert read_policy("none", None, THREE_NINES, MONTH).policy == NO_POLICY == AlertPolicy("none", ())


@pytest.mark.parametrize(
    ("policy", "windows", "reason"),
    [
        ("burnrate", None, "'burnrate' is not known; write burn-rate, objective-breach or none"),
        ("none", "5m/1m page", "has no use with policy none"),
        ("objective-breach", None, 'write ninelives/alert-windows: "5m/1m page"'),
        ("objective-breach", "2%/1h/5m page", "'2%/1h/5m page' is not an objective breach"),
        ("objective-breach", "1m/5m page", "5m must be shorter than 1m"),
        ("objective-breach", "5m/5m page", "must be shorter"),
        ("objective-breach", "5m/1m wake-up", "is not an objective breach"),
        ("objective-breach", "5m/1m urgent", "severity 'urgent' is not known; write page or ticket"),
        ("objective-breach", "5m/30s page", "whole minutes"),
        ("objective-breach", "40d/1d page", "longer than the objective's own 30d"),
        ("burn-rate", "1h/5m page", "'1h/5m page' is not a burn-rate pair"),
        ("burn-rate", "2%/1h/5m page,", "'' is not a burn-rate pair"),
        ("burn-rate", "0%/1h/5m page", "above 0 % and up to 100 %"),
        ("burn-rate", "101%/1h/5m page", "above 0 % and up to 100 %"),
        ("burn-rate", "1.2.3%/1h/5m page", "not a share"),
        ("burn-rate", "2%/1M/5m page", "no defined length"),
    ],
)
def test_a_bad_value_is_named_with_what_is_allowed(policy, windows, reason):
    with pytest.raises(InvalidPolicy, match=reason.replace("(", r"\(")):
        read_policy(policy, windows, THREE_NINES, MONTH)


def test_a_pair_needs_a_factor_above_zero():
    with pytest.raises(InvalidPolicy, match="above 0"):
        BurnRatePair(timedelta(hours=1), timedelta(minutes=5), Fraction(0), "page")


def test_a_window_of_minutes_has_no_room_for_the_standard_pairs():
    fitted = standard_policy(Decimal("0.999"), timedelta(minutes=3))
    assert fitted.policy.conditions == ()
    assert len(fitted.warnings) == 4
    assert all("3m is too short for it" in warning for warning in fitted.warnings)
