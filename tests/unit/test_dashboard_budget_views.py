"""Charts of a budget: gaps where nothing is known, bands where chaos ran, an axis that says where it is cut."""

import re
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from dashboard.views import (
    budgets,
    charts,
)
from tests.unit.dashboard_models import NOW, annotation, minute, read


def test_unknown_minutes_are_gaps_in_the_budget_not_zeros():
    frame = budgets.frame([minute(0, 0.5), minute(1, None), minute(2, 0.4)])
    assert frame["budget left"].isna().tolist() == [False, True, False]


@given(st.lists(st.none() | st.floats(-2, 1), min_size=1, max_size=30))
def test_what_is_left_and_what_is_overspent_never_mix(lefts):
    frame = budgets.frame([minute(index, left) for index, left in enumerate(lefts)])
    assert (frame["budget left"].dropna() >= 0).all()
    assert (frame["overspent"].dropna() <= 0).all()
    for left, above, below in zip(lefts, frame["budget left"].isna(), frame["overspent"].isna(), strict=True):
        assert (left is None) == (above and below)


def test_steps_that_miss_the_objective_are_counted_exactly():
    minutes = [minute(0, 1, 999, 1), minute(1, 1, 998, 2), minute(2, None, 0, 0)]
    text = read(budgets.tally(minutes, 0.999, 60)).text
    assert re.findall(r"(Met|Missed|Without)\D*?(\d+)", text) == [("Met", "1"), ("Missed", "1"), ("Without", "1")]


@given(st.integers(60, 90 * 86400))
def test_a_chart_has_few_points_and_whole_minutes(window_s):
    step_s = budgets.step_seconds(window_s)
    assert step_s % 60 == 0
    assert window_s / step_s <= 360


def test_bands_are_the_chaos_runs_of_the_service_cut_to_the_chart():
    items = [
        annotation("chaos", -5, 5),
        annotation("chaos", 8, None),
        annotation("chaos", -9, -1),
        annotation("chaos", 1, 2, ("other",)),
        annotation("deployment", 3, 3),
    ]
    end = NOW + timedelta(minutes=10)
    bands = charts.bands_of(items, NOW, end, "checkout")
    assert [(band.started_at, band.ended_at) for band in bands] == [
        (NOW, NOW + timedelta(minutes=5)),
        (NOW + timedelta(minutes=8), end),
    ]
    assert [marker.at for marker in charts.deployments_of(items, NOW, end)] == [NOW + timedelta(minutes=3)]


def test_a_chart_is_still_in_utc_and_names_its_unit():
    option = budgets.burn_down([minute(0, 0.5)], budgets.Events(), until=NOW)
    assert option["animation"] is False
    assert option["useUTC"] is True
    assert option["yAxis"][0]["name"] == "% of the budget"


def test_a_budget_overspent_many_times_cuts_the_axis_and_says_so():
    axis = budgets.burn_down([minute(0, 0.5), minute(1, -25.8)], budgets.Events(), until=NOW)["yAxis"][0]
    assert axis["min"] == -100
    assert "cut at -100 %" in axis["name"]
    assert budgets.burn_down([minute(0, 0.5), minute(1, -0.5)], budgets.Events(), until=NOW)["yAxis"][0]["min"] == -50
    assert budgets.burn_down([minute(0, 0.5)], budgets.Events(), until=NOW)["yAxis"][0]["min"] == 0


def test_a_chart_reaches_to_what_happened_after_its_last_point():
    option = charts.until(budgets.burn_down([minute(0, 0.5)], budgets.Events(), until=NOW), NOW + timedelta(minutes=7))
    assert option["xAxis"]["max"] == "2026-11-22T14:12:12Z"
