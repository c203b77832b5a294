"""Faults of other tools that this one must not have: each test names the fault, its comment who has it."""

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.burn_rate import signals_of
from alerts.decide import decide
from alerts.transition import Transition
from slo.budget import exceeds
from slo.forecast import SCENARIOS, Past, Step, rolling_forecast
from slo.model import EventCounts
from slo.openslo import read_openslo
from slo.slices import slice_counts
from slo.standard_policy import standard_policy
from tests.slo_objective import objective, read, timeslices
from tests.unit.slo_history import MINUTE, START, History

EXAMPLES = sorted((Path(__file__).parents[2] / "demo" / "slos").glob("*.yaml"))
SLO = read(objective())
DAY = 1440
RATE = 6000
HEALTHY = [(RATE, 0)]
OUTAGE = [(0, RATE)]
SILENCE = [(0, 0)]


def test_a_quiet_half_day_weighs_no_more_than_its_requests():
    # sloth: the mean of 5 minute ratios says 5 % bad and a budget of -4900 % here
    slo = read(objective(window="1d"))
    busy, quiet = [(100 * 60, 0)] * 720, [(54, 6)] * 720
    found = History(busy + quiet).judge(slo, DAY)
    assert found.counts == EventCounts(good=4_358_880, total=4_363_200)
    assert found.sli == pytest.approx(1 - 0.00099009901, abs=1e-10)
    assert found.error_budget_remaining == pytest.approx(0.00990099, abs=1e-8)


def test_idle_minutes_do_not_make_the_month_unknown():
    # sloth: one idle 5 minute window makes SLI and budget NaN for 30 days
    history = History(HEALTHY * DAY + SILENCE * 10 + [(RATE - 3, 3)] * DAY)
    idle, later = history.judge(SLO, DAY + 10), history.judge(SLO, 2 * DAY + 10)
    assert (idle.burn_rates["5m"], idle.sli, idle.error_budget_remaining) == (None, 1.0, 1.0)
    assert later.sli == 1 - 3 * DAY / (2 * DAY * RATE)
    assert None not in later.burn_rates.values()


def test_an_objective_that_never_saw_an_error_has_its_whole_budget():
    # sloth, pyrra: without an error series there is no SLI and no budget
    found = History(HEALTHY * DAY).judge(SLO, DAY)
    assert (found.state, found.sli, found.error_budget_remaining) == ("ok", 1.0, 1.0)
    assert set(found.burn_rates.values()) == {0.0}


def test_an_outage_that_silences_the_service_does_not_resolve_its_page():
    # sloth: the page resolves 30 minutes after the series are gone, while the service is down
    history = History(HEALTHY * DAY + OUTAGE * 10 + SILENCE * 4 * DAY, first=-DAY)
    changes = history.changes(SLO, range(10 + 4 * DAY))
    assert (1, "page", "firing") in changes
    assert {state for _, _, state in changes} == {"firing"}


def test_an_idle_service_is_told_from_a_dead_one_and_silence_alone_raises_no_alert():
    # pyrra: an absent alert cannot tell the two; a bank deleted 64 of them that had never found a fault
    silent = History(SILENCE * DAY)
    assert silent.judge(SLO, DAY, seen_recently=True).state == "no_traffic"
    assert silent.judge(SLO, DAY).state == "no_data"
    assert silent.changes(SLO, range(DAY)) == []
    assert History(HEALTHY * DAY + SILENCE * 300).judge(SLO, DAY + 300).state == "no_traffic"


@pytest.mark.parametrize("history", [10, 120, 720, 3 * DAY], ids=["10 min", "2 h", "12 h", "3 d"])
def test_an_incident_alerts_a_young_service_for_as_long_as_an_old_one(history):
    # sloth: with 2 h of history the windows of 6 h, 1 d and 3 d act as 2 h: the page lasts 34 minutes, not 9, and a
    # ticket fires that never does with 3 days
    minutes = HEALTHY * history + [(5100, 900)] * 10 + HEALTHY * DAY
    changes = History(minutes, first=-history).changes(SLO, range(DAY))
    assert changes == [(6, "page", "firing"), (15, "page", "resolved")]


@pytest.mark.parametrize(("target", "fires"), [("0.999", 1), ("0.99", 9), ("0.95", 44)])
def test_a_service_that_was_never_up_alerts_as_soon_as_one_that_was(target, fires):
    # sloth, the other way round: what is not known yet must not hide an outage either
    slo = read(objective(target=target))
    for history in (0, 3 * DAY):
        changes = History(HEALTHY * history + OUTAGE * DAY, first=-history).changes(slo, range(1, DAY))
        assert changes[0] == (fires, "page", "firing")


@pytest.mark.parametrize("days", [1, 2, 3, 7, 10, 14, 28, 30, 45, 90, 365])
def test_no_alert_window_shrinks_to_nothing_and_each_takes_the_share_of_the_budget_that_is_documented(days):
    # pyrra: windows below 2.8 days are [0s], and 5, 10 and 10 % of the budget are really 6.25, 7.14 and 14.3 %
    period = timedelta(days=days)
    conditions = standard_policy(Decimal("0.999"), period).policy.conditions
    assert conditions
    for condition in conditions:
        assert MINUTE <= condition.short < condition.long <= period
        share = condition.factor * Fraction(condition.long // MINUTE, period // MINUTE)
        assert share in {Fraction(2, 100), Fraction(5, 100), Fraction(10, 100)}


def test_a_burn_rate_just_above_the_factor_is_not_rounded_away():
    # slo-generator: 14.41 to 14.45 are rounded to 14.4 before they are compared with it
    for bad, alerts in ((144_000_000, False), (144_000_001, True), (144_100_000, True), (144_500_000, True)):
        minutes = [(10**10 - bad, bad)] * 60
        assert History(minutes).judge(SLO, 60).conditions[0].met is alerts


def test_one_bad_request_in_ten_million_is_not_rounded_away():
    # slo-generator: the SLI is rounded to six digits, which makes it 1
    found = History([(10**7 - 1, 1)]).judge(SLO, 1)
    assert found.sli == 1 - 1e-7
    assert found.error_budget_remaining == 1 - 1e-4


@pytest.mark.parametrize("target", ["1.0", "1", "0", "100"])
def test_a_target_without_an_error_budget_is_refused(target):
    # slo-generator: a goal of 1 means burn rate 0, also when all fails; sloth divides by zero
    slos, problems = read_openslo(objective(target=target), "shop.yaml")
    assert slos == []
    assert [problem.level for problem in problems] == ["error"]


@pytest.mark.parametrize("target", ["0.5", "0.9", "0.99", "0.9999999", "0.999999999999"])
def test_total_failure_alerts_at_every_target(target):
    # slo-generator, sloth: see above; a page at 14.4 can never fire for a target of 90 %
    slo = read(objective(target=target))
    changes = History(HEALTHY * 3 * DAY + OUTAGE * 3 * DAY, first=-3 * DAY).changes(slo, range(0, 3 * DAY, 60))
    assert "firing" in {state for _, _, state in changes}


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5)), min_size=1, max_size=90), st.integers(0, 90))
def test_an_evaluation_of_the_past_does_not_see_what_came_later(requests, minute):
    # slo-generator: with Prometheus, `timestamp` is ignored, and good and total are asked at different times
    known = History(requests[:minute]).judge(SLO, minute)
    assert History(requests).judge(SLO, minute) == known
    assert known.counts.total == sum(good + bad for good, bad in requests[:minute])


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.sampled_from(["0.9", "0.99", "0.999", "0.99999"]))
def test_what_is_spent_and_what_is_left_of_a_budget_are_the_whole_of_it(bad, good, target):
    # slo-generator: its reference report says 19.99 consumed in one field and 500 % in another
    slo = read(objective(target=target))
    found = History([(good, bad)]).judge(slo, 1)
    allowed = (1 - Fraction(target)) * (good + bad)
    assert found.error_budget_remaining == float(1 - bad / allowed)
    assert (found.state == "exhausted") == (bad >= allowed)
    assert found.burn_rates["5m"] == pytest.approx(1 - found.error_budget_remaining, rel=1e-9, abs=1e-9)
    assert exceeds(found.counts, slo.target, 1) == (found.error_budget_remaining < 0) == (found.sli < float(target))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_our_own_examples_pass_our_own_checks(example):
    # OpenSLO: its official examples fail its official validator
    slos, problems = read_openslo(example.read_text("utf-8"), example.name)
    assert slos
    assert problems == []


def test_1m_is_a_minute_and_an_operator_beside_a_ratio_is_not_swallowed():
    # OpenSLO: an example that means a month says 1m; others compare a ratio, which the specification forbids
    assert read(objective(window="1m", policy="none")).period == MINUTE
    compared = objective().replace("target: 0.999}", "target: 0.999, op: lte}")
    _, problems = read_openslo(compared, "shop.yaml")
    assert any("op" in problem.reason for problem in problems)


@pytest.mark.parametrize("window", ["1M", "1Q", "1Y"])
def test_a_rolling_window_of_no_defined_length_is_not_guessed(window):
    # OpenSLO: M, Q and Y have no length; one of its libraries takes 1M for 30 days and 1Q for 90
    _, problems = read_openslo(objective(window=window), "shop.yaml")
    assert any(window in problem.reason and "no defined length" in problem.reason for problem in problems)


@pytest.mark.parametrize(("empty", "good", "total"), [("good", 110, 120), ("ignore", 60, 70), ("bad", 60, 120)])
def test_minutes_without_requests_are_good_bad_or_nothing_as_the_objective_says(empty, good, total):
    # Kibana, OpenSLO: nothing says what empty slices are; the same two hours are 91.7, 85.7 or 50 % good
    busy = {START + number * MINUTE: EventCounts(100, 100) for number in (*range(30), *range(90, 120))}
    failing = {START + number * MINUTE: EventCounts(94, 100) for number in range(30, 40)}
    budgeting = read(timeslices(empty)).budgeting
    assert slice_counts(busy | failing, budgeting, START, START + 120 * MINUTE) == EventCounts(good, total)


def test_an_alert_that_was_stored_goes_on_after_a_restart_as_the_same_alert():
    # Alertmanager: alerts vanish with a restart until somebody sends them again, and there is no history of them
    history = History(HEALTHY * DAY + OUTAGE * 5 + HEALTHY * DAY, first=-DAY)
    page = next(signal for signal in signals_of(SLO, history.judge(SLO, 5)) if signal.severity == "page")
    fired = decide(None, page, START + 5 * MINUTE)
    restarted = Transition.from_json(fired.to_json())
    assert decide(restarted, page, START + 6 * MINUTE) is None
    clear = next(signal for signal in signals_of(SLO, history.judge(SLO, 600)) if signal.severity == "page")
    resolved = decide(restarted, clear, START + 600 * MINUTE)
    assert (resolved.alert_id, resolved.state, resolved.fired_at) == (fired.alert_id, "resolved", fired.fired_at)


@pytest.mark.parametrize(
    ("days_ago", "exhausted_in"), [(5, timedelta(hours=28)), (Fraction(59, 2), None)], ids=["is known", "ages out"]
)
def test_a_forecast_of_exhaustion_knows_what_is_left_and_what_ages_out(days_ago, exhausted_in):
    # OpenObserve: exhaustion is window over burn rate, 33 days in both of these cases
    hour, hours = timedelta(hours=1), 30 * 24
    events = [EventCounts(360_000, 360_000)] * hours
    events[hours - int(days_ago * 24)] = EventCounts(110_000, 360_000)  # 250,000 of the 259,200 that may fail
    events[-1] = EventCounts(359_676, 360_000)  # burn rate 0.9
    steps = [Step(START - (hours - number) * hour, found) for number, found in enumerate(events)]
    (found,) = rolling_forecast(Past(steps, hour, START), SLO.target, SLO.period, SCENARIOS[:1])
    assert found.exhausted_at == (None if exhausted_in is None else START + exhausted_in)
