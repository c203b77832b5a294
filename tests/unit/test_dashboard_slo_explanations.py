"""The parts of one SLO's page that explain it."""

from datetime import UTC, datetime, timedelta

import pytest

from api import models as m
from dashboard.views import budgets, slo_explanations, slo_headline
from tests.unit.dashboard_answers import condition
from tests.unit.dashboard_explanations import correction, explanation
from tests.unit.dashboard_models import read, slo

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def forecast(**changes: object) -> m.SloForecast:
    values: dict[str, object] = {
        "scenario": "last 1 h",
        "span_s": 3600,
        "bad_per_minute": 0.25,
        "total_per_minute": 100,
        "exhausted_at": None,
        "recovers_at": None,
        "curve": [m.ForecastPoint(at=NOW + timedelta(hours=n), error_budget_remaining=0.5 - n / 10) for n in range(9)],
    }
    return m.SloForecast.model_validate(values | changes)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "does not run out within the window"),
        ({"exhausted_at": NOW + timedelta(hours=5)}, "runs out 2026-03-01 17:00:00 UTC"),
        ({"exhausted_at": NOW}, "is spent, and stays so"),
        (
            {"exhausted_at": NOW, "recovers_at": NOW + timedelta(days=2)},
            "is spent, some is back 2026-03-03 12:00:00 UTC",
        ),
    ],
)
def test_a_forecast_says_what_becomes_of_the_budget(changes, words):
    assert words in read(slo_explanations.forecast([forecast(**changes)])).text


def test_the_chart_draws_each_forecast_dashed_and_only_as_far_as_it_is_asked_to():
    past = [m.SloMinute(at=NOW, good=9, bad=1, total=10, error_budget_remaining=0.5)]
    option = budgets.burn_down(past, budgets.Events(), [forecast()], until=NOW + timedelta(hours=3))
    drawn = option["dataset"]["source"]
    assert list(drawn["if as in the last 1 h"].dropna()) == pytest.approx([50, 40, 30, 20])
    assert option["series"][2]["lineStyle"]["type"] == "dashed"
    assert [entry["yAxis"] for entry in option["series"][0]["markLine"]["data"]] == [25]


def test_a_forecast_below_zero_is_seen():
    past = [m.SloMinute(at=NOW, good=9, bad=1, total=10, error_budget_remaining=0.5)]
    option = budgets.burn_down(past, budgets.Events(), [forecast()], until=NOW + timedelta(hours=8))
    assert option["yAxis"][0]["min"] == -50, "the axis follows the data in round steps"
    assert option["yAxis"][0]["interval"] == 50


def test_deployments_stand_beside_alerts_in_a_colour_of_their_own():
    past = [m.SloMinute(at=NOW, good=9, bad=1, total=10, error_budget_remaining=0.5)]
    events = budgets.Events(
        deployments=[budgets.charts.Marker("1.8.2", NOW)], alerts=[budgets.charts.Marker("Alert (page)", NOW)]
    )
    series = budgets.burn_down(past, events, until=NOW)["series"]
    assert [entry["name"] for entry in series[0]["markLine"]["data"]] == ["Alert (page)", "25 %: at risk"]
    assert [entry["name"] for entry in series[1]["markLine"]["data"]] == ["1.8.2"]


def test_a_condition_shows_both_windows_its_factor_and_how_long_a_full_budget_lasts():
    text = read(slo_explanations.conditions(slo(conditions=[condition("page", "1h", "5m", 14.4)]))).text
    for words in ("Not met", "page", "14.4x", "15.1x", "5 min", "14.2x", "1 hour", "2 d 2 h"):
        assert words in text


def test_a_condition_without_data_is_neither_met_nor_not():
    unknown = condition("page", "1h", "5m", 14.4).model_copy(
        update={"has_data": False, "long_burn_rate": None, "short_burn_rate": None}
    )
    text = read(slo_explanations.conditions(slo(conditions=[unknown]))).text
    assert "No data" in text
    assert "no traffic" in text


def test_shares_of_a_sample_say_so():
    found = explanation(3600)
    assert slo_explanations.looked_at(found) == "976 bad events of 395,100, each followed through its trace."
    part = found.model_copy(update={"sampled": True, "looked_at": 200})
    assert slo_explanations.looked_at(part).endswith("200 were followed through their traces.")


def test_groups_come_with_the_least_budget_first_and_those_without_data_last():
    def group(route: str, left: float | None) -> m.SloGroup:
        counts = {"sli": 0.9, "good": 9, "bad": 1, "total": 10} if left is not None else {"sli": None}
        return m.SloGroup.model_validate(
            {"good": 0, "bad": 0, "total": 0, "state": "ok", "labels": {"http.route": route}}
            | counts
            | {"error_budget_remaining": left}
        )

    text = read(slo_explanations.groups(slo(groups=[group("/a", None), group("/b", 0.5), group("", -1.0)]))).text
    assert text.index("http.route = (none)") < text.index("http.route = /b") < text.index("http.route = /a")


def test_a_corrected_minute_shows_both_verdicts():
    text = read(slo_explanations.corrections([correction()])).text
    for words in ("met", "0 bad", "missed", "12 bad", "late data"):
        assert words in text


def test_the_promise_to_customers_and_the_budget_with_maintenance_stand_beside_the_objective():
    unadjusted = m.WindowCounts(window="30d", sli=0.9, good=9, bad=1, total=10, error_budget_remaining=-0.5)
    text = read(slo_headline.definition(slo(sla=0.995, unadjusted=unadjusted, owner="team checkout"))).text
    assert "43 min 12 s of full outage in 30 days" in text
    assert "99.5 %" in text
    assert "-50.0 % (overspent)" in text
    assert "team checkout" in text


def test_a_corrected_group_is_named():
    def told(group):
        return read(slo_explanations.corrections([correction().model_copy(update={"group": group})])).text

    assert "http.route = /pay" in told('{"http.route":"/pay"}')
    assert "(other)" in told("(other)")


def test_of_many_corrected_minutes_the_newest_are_shown():
    many = [correction().model_copy(update={"minute": NOW + timedelta(minutes=n)}) for n in range(1000)]
    assert slo_explanations.corrected(many) == ("Late data changed verdicts; the 20 of the newest minutes are shown.")
    assert slo_explanations.corrected(many[:1]) == "Late data changed 1 verdict."
    html = slo_explanations.corrections(many)
    assert html.count("<tr>") == 21
    assert "2026-03-02 04:39:00 UTC" in html


def test_a_forecast_below_the_floor_of_the_chart_takes_no_room_in_it():
    deep = [m.ForecastPoint(at=NOW + timedelta(hours=n), error_budget_remaining=-5.0) for n in range(9)]
    shown, hidden = forecast(), forecast(curve=deep)
    assert budgets.in_sight([shown, hidden], NOW + timedelta(hours=3)) == [shown]
    assert budgets.in_sight([shown], NOW - timedelta(hours=1)) == []


def test_the_headline_tells_the_same_end_as_the_forecast_below_it():
    kept = slo(forecast=True, as_of=NOW, runs_out_at=None)
    anew = slo_headline.as_forecast(kept, [forecast(exhausted_at=NOW + timedelta(hours=2)), forecast(span_s=21600)])
    assert "in 2 h" in read(slo_headline.headline(anew)).text
    assert slo_headline.as_forecast(kept, []) == kept
