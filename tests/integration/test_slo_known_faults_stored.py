"""Faults of other tools that this one must not have, from stored spans to stored alerts; the rest is in tests/unit."""

from datetime import timedelta

import pytest

from slo.model import EventCounts
from storage.forecasts import forecasts
from tests.integration.slo_world import SloWorld
from tests.slo_objective import objective, timeslices

pytestmark = pytest.mark.slow

DAY = 1440
RATE = 6000


@pytest.fixture
def world(database, store, otlp, tmp_path):
    return SloWorld(database, store, otlp, tmp_path, hours_ago=12)


@pytest.fixture
def week(database, store, otlp, tmp_path):
    return SloWorld(database, store, otlp, tmp_path, hours_ago=12, raw_days=9)


def counted(world, minute):
    """Count what has arrived and return an evaluator that did so when the minute number *minute* began."""
    evaluator = world.evaluator()
    world.tick(evaluator, minute)
    return evaluator


def test_a_quiet_half_day_weighs_no_more_than_its_requests(world):
    # sloth: the mean of 5 minute ratios says 5 % bad and a budget of -4900 % here
    slo = world.write(objective(window="1d"))
    world.requests(range(-DAY, -DAY // 2), good=100 * 60)
    world.requests(range(-DAY // 2, 0), good=54, bad=6)
    counted(world, 0)
    found = world.standing(slo, 0)
    assert found.counts == EventCounts(good=4_358_880, total=4_363_200)
    assert found.error_budget_remaining == pytest.approx(0.00990099, abs=1e-8)


def test_idle_minutes_do_not_make_the_month_unknown(world):
    # sloth: one idle 5 minute window makes SLI and budget NaN for 30 days
    slo = world.write(objective())
    world.requests([*range(-120, -60), *range(-50, 0)], good=RATE - 3, bad=3)
    counted(world, 0)
    idle, later = world.standing(slo, -50), world.standing(slo, 0)
    assert (idle.burn_rates["5m"], idle.sli) == (None, 0.9995)
    assert later.sli == 0.9995
    assert None not in later.burn_rates.values()


def test_an_objective_that_never_saw_an_error_has_its_whole_budget(world):
    # sloth, pyrra: without an error series there is no SLI and no budget
    slo = world.write(objective())
    world.requests(range(-90, 0), good=RATE)
    counted(world, 0)
    found = world.standing(slo, 0)
    assert (found.state, found.sli, found.error_budget_remaining) == ("ok", 1.0, 1.0)
    assert set(found.burn_rates.values()) == {0.0}


def test_an_outage_that_silences_the_service_does_not_resolve_its_page(world):
    # sloth: the page resolves 30 minutes after the series are gone, while the service is down
    world.write(objective())
    world.requests(range(-DAY, 0), good=RATE)
    world.requests(range(10), bad=RATE)
    evaluator = counted(world, 0)
    for minute in (1, 10, 15, 45, 75, 200, 400):
        world.tick(evaluator, minute)
    changes = world.changes()
    assert (1, "page", "firing") in changes
    assert {state for _, _, state in changes} == {"firing"}


def test_an_idle_service_is_told_from_a_dead_one_and_silence_alone_raises_no_alert(world):
    # pyrra: an absent alert cannot tell the two; a bank deleted 64 of them that had never found a fault
    slo = world.write(objective(filter_text='http.route = "/pay"'))
    world.requests(range(-30, 0), good=RATE)
    evaluator = counted(world, 0)
    assert world.standing(slo, 0).state == "no_traffic", "others ask for something, nobody pays"
    assert world.standing(slo, 61).state == "no_data"
    world.tick(evaluator, 61)
    assert world.changes() == []


@pytest.mark.parametrize("history", [120, 3 * DAY], ids=["2 h", "3 d"])
def test_an_incident_alerts_a_young_service_for_as_long_as_an_old_one(world, history):
    # sloth: with 2 h of history the windows of 6 h, 1 d and 3 d act as 2 h: the page lasts 34 minutes, not 9, and a
    # ticket fires that never does with 3 days
    world.write(objective())
    world.requests(range(-history, 0), good=RATE)
    world.requests(range(10), good=5100, bad=900)
    world.requests(range(10, 90), good=RATE)
    evaluator = counted(world, 0)
    world.forget_arrivals()
    for minute in (5, 6, 14, 15, 30, 45, 90):
        world.tick(evaluator, minute)
    assert world.changes() == [(6, "page", "firing"), (15, "page", "resolved")]


@pytest.mark.parametrize(("extra", "met"), [(0, False), (1, True)])
def test_one_request_decides_whether_a_burn_rate_of_14_4_is_exceeded(world, extra, met):
    # slo-generator: 14.41 to 14.45 are rounded to 14.4 before they are compared with it
    slo = world.write(objective())
    world.requests([-90], good=1)  # the whole hour is known
    world.requests(range(-5, 0), good=985_600, bad=14_400)
    world.requests([-1], bad=extra)
    counted(world, 0)
    found = world.standing(slo, 0)
    assert found.conditions[0].met is met
    assert found.conditions[0].long == EventCounts(4_928_000, 5_000_000 + extra)


def test_one_bad_request_in_ten_million_is_not_rounded_away(world):
    # slo-generator: the SLI is rounded to six digits, which makes it 1
    slo = world.write(objective())
    world.requests(range(-10, 0), good=10**6)
    world.requests([-1], bad=1)
    counted(world, 0)
    found = world.standing(slo, 0)
    assert found.counts == EventCounts(10**7, 10**7 + 1)
    assert found.sli == 10**7 / (10**7 + 1)


def test_a_target_of_one_hides_no_other_objective_and_never_hides_an_outage(world):
    # slo-generator: a goal of 1 means burn rate 0, also when all fails; sloth divides by zero
    (world.folder / "perfect.yaml").write_text(objective("perfect", target="1.0"), "utf-8")
    world.write(objective(target="0.99999"))
    world.requests(range(-60, 0), good=RATE)
    world.requests(range(2), bad=RATE)
    evaluator = counted(world, 0)
    world.tick(evaluator, 1)
    assert (1, "page", "firing") in world.changes()
    assert "perfect" not in {standing.slo.id for standing in evaluator.state.standings}


def test_an_evaluation_of_the_past_does_not_see_what_came_later(world):
    # slo-generator: with Prometheus, `timestamp` is ignored, and good and total are asked at different times
    slo = world.write(objective())
    world.requests(range(-90, 0), good=RATE - 7, bad=7)
    evaluator = counted(world, 0)
    then = world.standing(slo, 0)
    world.requests(range(90), bad=RATE)
    world.tick(evaluator, 90)
    assert world.standing(slo, 0) == then
    assert world.standing(slo, 90).counts == EventCounts(90 * (RATE - 7), 180 * RATE)


def test_minutes_without_requests_are_good_bad_or_nothing_as_the_objective_says(world):
    # Kibana, OpenSLO: nothing says what empty slices are; the same two hours are 91.7, 85.7 or 50 % good
    texts = [timeslices(empty, name=empty, window="2h") for empty in ("good", "ignore", "bad")]
    slos = [world.write(text) for text in texts]
    world.requests([*range(30), *range(90, 120)], good=100)
    world.requests(range(30, 40), good=94, bad=6)
    counted(world, 120)
    found = [world.standing(slo, 120).counts for slo in slos]
    assert found == [EventCounts(110, 120), EventCounts(60, 70), EventCounts(60, 120)]


def test_an_alert_outlives_a_restart_and_its_history_stays(world):
    # Alertmanager: alerts vanish with a restart until somebody sends them again, and there is no history of them
    world.write(objective())
    world.requests(range(-3 * DAY, 0), good=RATE)
    world.requests(range(3), bad=RATE // 2, good=RATE // 2)
    world.requests(range(3, 60), good=RATE)
    counted(world, 0)
    for number, minute in enumerate((3, 4, 60)):
        world.tick(world.evaluator(f"number {number}"), minute)
    fired, resolved = world.transitions()
    assert world.changes() == [(3, "page", "firing"), (60, "page", "resolved")]
    assert (fired.alert_id, fired.sequence, fired.fired_at) == (resolved.alert_id, 1, resolved.fired_at)
    assert resolved.sequence == 2


@pytest.mark.parametrize(("hours_ago", "exhausts"), [(120, True), (156, False)], ids=["is known", "ages out"])
def test_a_forecast_of_exhaustion_knows_what_is_left_and_what_ages_out(week, hours_ago, exhausts):
    # OpenObserve: exhaustion is window over burn rate, 7.8 days in both of these cases
    slo = week.write(objective(window="7d"))
    hourly = [-60 * hour for hour in range(2, 169) if hour != hours_ago]
    week.requests(hourly, good=360_000)
    week.requests([-60 * hours_ago], good=308_000, bad=52_000)  # of the 60,480 that may fail
    week.requests([-60], good=359_676, bad=324)  # burn rate 0.9
    counted(week, 0)
    (found, *_) = forecasts(week.database, slo, end=week.start)
    if exhausts:
        assert timedelta(hours=24) < found.exhausted_at - week.start < timedelta(hours=27)
    else:
        assert found.exhausted_at is None
