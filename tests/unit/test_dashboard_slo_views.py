"""SLOs: order, state, budget left and burn rates in words."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from api import models as m
from dashboard.views import (
    looks,
    slo_headline,
    slos,
    units,
)
from tests.unit.dashboard_explanations import explanation
from tests.unit.dashboard_models import EMPTY, EMPTY_HOUR, alert, read, slo


def test_slos_are_sorted_by_budget_left_and_unknown_ones_come_last():
    items = [
        slo("c", error_budget_remaining=0.5),
        slo("n", state="no_data", **EMPTY),
        slo("a", error_budget_remaining=-2),
    ]
    assert [item.id for item in slos.worst_first(items)] == ["a", "c", "n"]


def test_an_slo_without_data_shows_no_data_and_no_zero_per_cent():
    text = read(slos.listing([slo(state="no_data", hour=EMPTY_HOUR, **EMPTY)])).text
    assert "No data" in text
    assert "no data" in text
    assert not re.search(r"\b0(\.0+)? %", text)


def test_an_overspent_budget_says_so_in_words():
    assert slos.budget_text(-0.109) == "-10.9 % (overspent)"
    assert slos.budget_tone(-0.109) == "bad"
    assert slos.budget_tone(0.2) == "warn"
    assert slos.budget_tone(None) == "none"


@pytest.mark.parametrize("state", list(looks.SLO_STATES))
def test_every_state_has_icon_word_and_colour(state):
    look = looks.SLO_STATES[state]
    assert look.icon
    assert look.word
    html = looks.slo(state)
    assert look.word in read(html).text
    assert f"nl-{look.tone}" in html


def test_of_a_calendar_window_the_part_up_to_now_is_what_data_can_cover():
    text = read(slos.listing([slo(provisional=True, coverage=0.5, elapsed_s=4 * 86400)])).text
    assert "provisional, 2.0 of 4 d" in text


def test_a_draft_and_a_provisional_slo_are_marked():
    text = read(slos.listing([slo(draft=True, provisional=True, coverage=0.031, low_confidence=True)])).text
    assert "draft" in text
    assert "provisional, 0.9 of 30 d" in text
    assert "low confidence" in text


def test_the_hour_stands_beside_the_window():
    hour = m.WindowCounts(window="1h", sli=0.958, good=958, bad=42, total=1000, error_budget_remaining=-41)
    text = read(slos.listing([slo(hour=hour)])).text
    assert "95.800 %" in text
    assert "42 bad of 1,000" in text


def test_burn_rates_run_from_short_to_long_windows():
    ordered = slos.by_length({"3d": 1.0, "5m": 2.0, "6h": None, "1h": 3.0})
    assert [window for window, _ in ordered] == ["5m", "1h", "6h", "3d"]


def test_the_end_of_a_budget_is_told_from_the_time_of_the_answer():
    at = datetime(2026, 3, 1, tzinfo=UTC)
    item = slo(forecast=True, as_of=at, runs_out_at=at + timedelta(hours=2))
    assert slos.seconds_to_exhaustion(item) == 7200
    assert "in 2 h" in read(slos.runs_out(item)).text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"forecast": True}, "not within the window"),
        ({"forecast": False}, "open it for a forecast"),
        ({"error_budget_remaining": 0.0}, "spent"),
        ({"error_budget_remaining": None}, "no data"),
    ],
)
def test_a_budget_without_an_end_says_why(changes, words):
    assert read(slos.runs_out(slo(**changes))).text == words


def test_a_latency_slo_names_its_limit_and_its_percentile():
    promise = "requests to checkout within 300 ms"
    item = slo(kind="latency", objective=0.95, threshold_ms=300.0, percentile_ms=412.7, promise=promise)
    text = read(slo_headline.headline(item)).text
    assert "95 % of requests to checkout within 300 ms" in text
    assert "p95, last hour" in text
    assert "413 ms limit 300 ms" in text


def test_an_slo_is_not_called_by_its_service_twice():
    assert slos.title(slo(name="Checkout availability")) == "Checkout availability"
    assert slos.title(slo(name="availability")) == "checkout · availability"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"burn_rate_at_least": 1.24, "surely_burning": True}, "95 % sure that it burns at least 1.2"),
        ({"burn_rate_at_least": 0.3, "bad": 1}, "not sure that it burns faster than 1x"),
        ({"burn_rate_at_least": 0.0, "bad": 0}, "nothing was bad"),
    ],
)
def test_the_headline_says_how_fast_the_budget_surely_burns(changes, words):
    assert words in read(slo_headline.headline(slo(**changes))).text


def test_a_sure_burn_rate_raises_no_doubt():
    assert "not sure" not in read(slo_headline.headline(slo(burn_rate_at_least=1.24, surely_burning=True))).text


def test_the_headline_says_how_fast_the_budget_goes_since_when_and_who_spends_it():
    item = slo(error_budget_remaining=-0.5, burn_rates={"5m": 30.0, "1h": 14.2, "6h": 7.0, "3d": None})
    firing, over = alert("a", started_at=datetime(2026, 3, 1, 14, 5, tzinfo=UTC)), alert("b", state="resolved")
    html = slo_headline.headline(item, [firing, over, alert("c", slo_id="another")], explanation(3600))
    text = read(html).text
    said = ("14.2x", "7.00x in 6 hours", "-50.0 %", "overspent, of 30 days", "charge", "payments: 81 % of the bad")
    for words in said:
        assert words in text
    assert "since 2026-03-01 14:05:00 UTC" in text
    assert read(html).hrefs == ["service?name=checkout&environment=prod", "alert?id=a"]


def test_the_list_shows_the_burn_of_three_windows_and_all_of_them_where_it_has_none_of_these():
    text = read(slos.burn_summary({"5m": 1.0, "1h": 2.0, "6h": 3.0, "1d": 4.0, "3d": None})).text
    assert text.split() == ["2.00x", "1h", "3.00x", "6h", units.MISSING, "3d"]
    assert read(slos.burn_summary({"84m": 1.0})).text.split() == ["1.00x", "84m"]


def test_the_trend_is_a_line_that_is_told_in_words_too():
    html = slos.trend(slo(trend=[None, 1.0, 0.95, None, 0.999]))
    assert 'role="img"' in html
    assert 'aria-label="SLI by day, 3 days with events: worst 95.00 %, last 99.90 %"' in html
    assert "nl-stroke-bad" in html, "a day was below the objective"
    assert "nl-stroke-good" in slos.trend(slo(trend=[1.0]))
    assert read(slos.trend(slo(trend=[None]))).text == "no data"
