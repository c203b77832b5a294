"""Views of experiments and runs: plain words, charts, phases, costs, and what hostile text does to them."""

import itertools
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api import models as m
from dashboard.views import (
    experiments,
    preflight,
    run_charts,
    run_going_on,
    run_journal,
    run_live,
    run_outcome,
    run_timeline,
    run_verdict,
    runs,
    texts,
)
from tests.unit import chaos_runs
from tests.unit.chaos_runs import NOW, availability, latency, run, undecided
from tests.unit.dashboard_models import read, service

SECOND = timedelta(seconds=1)


def all_of(item: m.Run) -> str:
    """Return everything that the page of a run says of it."""
    found = item.outcome or m.Outcome()
    parts = [
        run_verdict.headline(item, NOW),
        runs.headline(item, NOW),
        runs.listing([item], NOW),
        run_going_on.line(item, NOW),
        run_verdict.findings(item.findings),
        *(run_verdict.caption(each) for each in item.findings),
        run_outcome.checks(item.validity, "Checks"),
        run_outcome.budget(found.budget),
        run_outcome.propagation(found.propagation, item),
        run_outcome.caches(found.caches),
        run_outcome.expected_alerts(found.alerts),
        run_outcome.exemplars(found.exemplars),
        run_outcome.versions(found.versions),
        run_timeline.bar(item, NOW),
        run_timeline.events(item.events),
        run_journal.activities(item.journal or {}),
        experiments.history([item], item.hypothesis[0], NOW),
    ]
    if item.preflight is not None:
        parts += [preflight.checks(item.preflight), preflight.blast_radius(item.preflight)]
    return "".join(parts)


def test_the_first_words_are_the_verdict_what_it_means_and_what_decided():
    text = read(run_verdict.headline(run(), NOW)).text
    assert text.index("Deviated") < text.index("hurt more than the hypothesis allows") < text.index("4.12 %")
    assert "990 of 24,010" in text
    assert "At most +1.00 pp is allowed" in text


@pytest.mark.parametrize(
    ("item", "words"),
    [
        (run(verdict="held", findings=[latency()]), "The hypothesis survived the fault."),
        (run(verdict="inconclusive", findings=[undecided()]), "The data do not decide."),
        (run(verdict="not_injected"), "cannot be seen in the victim's own spans"),
        (chaos_runs.stopped(), "stopped by Ann: customers complain"),
        (chaos_runs.refused(), "gateway-availability fires since 13:58 UTC"),
        (chaos_runs.running(), "there is no verdict yet"),
        (chaos_runs.running().model_copy(update={"heartbeat_at": NOW - 31 * SECOND}), "fallen silent"),
    ],
    ids=["held", "inconclusive", "not injected", "stopped", "refused", "running", "silent"],
)
def test_every_end_of_a_run_is_said_in_plain_words(item, words):
    assert words in read(run_verdict.headline(item, NOW)).text


def test_a_run_shows_everything_that_came_of_it():
    text = read(all_of(run())).text
    for expected in (
        "control against treatment at the same time, 30 % of the requests each",
        "2.14 %",  # by the fault
        "0.09 %",  # by others
        "1.80 %",  # predicted
        "retries amplified the calls 1.3 times",
        "no calls",
        "1.00 → 1.30",
        "-32.10 pp",
        "Did not fire",
        "Unexpected",
        "As expected",
        "1 min 4 s after the fault",
        "CI +271 to +319 ms",
    ):
        assert expected in text
    assert run_outcome.recovery(run()) == "Back within the margin 9 s after the fault ended."
    assert f"trace?trace={chaos_runs.TRACES[0]}" in read(all_of(run())).hrefs
    assert "alert?id=a-1" in read(all_of(run())).hrefs


def test_an_alert_that_came_too_late_is_not_as_expected():
    late = m.ExpectedAlert(alert="a", expected=True, fired=True, after_s=121.0, within_s=120.0)
    assert "Too late" in read(run_outcome.expected_alerts([late])).text


def test_a_comparison_without_a_control_says_that_it_is_weaker():
    assert "weaker" in runs.comparison(run(comparison="before/after", groups=None))


@pytest.mark.parametrize("make", [chaos_runs.hostile, chaos_runs.imported])
def test_hostile_text_is_short_text_that_turns_nothing_around(make):
    html = all_of(make())
    reader = read(html)
    assert reader.tags.isdisjoint({"img", "script"})
    assert not any(name.startswith("on") for name in reader.names)
    assert not any(href.lower().startswith("javascript") for href in reader.hrefs)
    assert "\u202e" not in html
    assert "x" * 700 not in reader.text


@given(st.text())
def test_a_shortened_text_is_one_line_of_visible_characters(text):
    shown = texts.shortened(text, 20)
    assert len(shown) <= 20
    assert len(shown.splitlines()) <= 1
    assert texts.shortened(shown, 20) == shown


def test_a_chart_of_a_finding_has_dot_whisker_margin_and_no_difference():
    option = run_charts.interval(availability())
    whisker, dot = option["series"]
    assert [point[0] for point in whisker["data"]] == pytest.approx([3.82, 4.33])
    assert dot["data"][0][0] == pytest.approx(4.07, abs=0.01)
    assert dot["markLine"]["data"] == [{"name": "margin +1.00 pp", "xAxis": 1.0}]
    assert whisker["markLine"]["data"] == [{"xAxis": 0}]
    assert option["animation"] is False
    assert "deviated: difference +4.07 pp, 95 % CI +3.82 pp to +4.33 pp" in run_charts.interval_text(availability())


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(-1, 1), st.floats(0, 0.99))
def test_the_axis_of_a_finding_holds_all_of_it(first, second, third, margin):
    low, middle, high = sorted((first, second, third))
    option = run_charts.interval(availability(difference=middle, interval_low=low, interval_high=high, margin=margin))
    least, most = option["xAxis"]["min"], option["xAxis"]["max"]
    assert least < min(0.0, low * 100) + 1e-4
    assert max(0.0, high * 100, margin * 100) < most + 1e-4


def test_a_finding_without_an_interval_has_no_chart():
    assert run_charts.interval(availability(difference=None, interval_low=None, interval_high=None)) is None


def test_the_history_goes_from_the_oldest_run_to_the_newest_with_its_version():
    old = run("old", start=NOW - timedelta(days=2), findings=[latency()])
    new = run("new", start=NOW - timedelta(days=1), findings=[latency(verdict="deviated", difference=0.2)])
    found = experiments.effects([new, old], latency().hypothesis)
    assert [(item.version, item.finding.verdict) for item in found] == [("1.8.2", "held"), ("1.8.2", "deviated")]
    option = run_charts.history(found)
    assert option["xAxis"]["data"][0].startswith("20 Nov 14:05\n1.8.2")
    assert {series["name"]: series["data"] for series in option["series"] if series["type"] == "scatter"} == {
        "held": [[0, pytest.approx(0.103)]],
        "deviated": [[1, pytest.approx(20)]],
    }
    assert option["yAxis"]["max"] > 20
    assert "oldest first: 20 Nov 14:05 held +0.10 pp; 21 Nov 14:05 deviated +20.00 pp" in run_charts.history_text(found)


def test_the_line_of_the_hypothesis_that_was_judged_most_often_comes_first():
    items = [run("a", findings=[availability(), latency()]), run("b", findings=[latency()])]
    assert experiments.lines_of(items) == [latency().hypothesis, availability().hypothesis]


def test_a_running_run_shows_what_is_planned_and_the_present():
    item = chaos_runs.running(after_s=72)
    assert [(phase.name, phase.planned) for phase in run_timeline.phases(item)] == [
        ("baseline", False),
        ("fault", True),
        ("recovery", True),
    ]
    html = run_timeline.bar(item, NOW)
    assert "nl-now" in html
    assert "left:42.35%" in html  # 72 of 170 s
    assert run_timeline.present(item, NOW) == "Now: fault, 42 s of 2 min"


def test_a_run_that_is_over_shows_only_what_happened():
    html = run_timeline.bar(run(), NOW)
    assert "nl-now" not in html
    assert "nl-planned" not in html


def test_a_phase_that_was_cut_short_is_shown_until_the_end_of_the_run():
    found = run_timeline.phases(chaos_runs.stopped())
    assert [(phase.name, (phase.ended_at - phase.started_at) / SECOND) for phase in found] == [
        ("baseline", 30),
        ("fault", 43),
    ]


def test_a_run_behind_its_plan_keeps_the_present_in_sight():
    item = chaos_runs.running(after_s=400)
    late = item.model_copy(update={"windows": [], "events": item.events[:2]})
    assert "left:100.00%" in run_timeline.bar(late, NOW)
    assert run_timeline.present(late, NOW).startswith("Now: watching 30 s of traffic")


@given(st.integers(0, 4000), st.floats(1, 3600))
def test_a_run_is_counted_in_few_whole_steps_of_its_past(after_s, fault_s):
    item = chaos_runs.running(after_s=after_s).model_copy(update={"planned_s": {"fault": fault_s}, "windows": []})
    found = run_live.steps(item, NOW)
    assert len(found) <= run_live.MOST_STEPS
    assert all(step.end - step.start >= run_live.LEAST_STEP_S * SECOND for step in found)
    assert all(before.end == after.start for before, after in itertools.pairwise(found))
    assert all(step.end <= NOW for step in found)


def test_both_arms_are_told_apart_only_where_requests_can_be_split():
    assert run_live.sides(chaos_runs.running()) == ["control", "treatment"]
    assert run_live.sides(chaos_runs.imported()) == [None]


def test_a_step_without_requests_is_a_gap_and_not_zero():
    item = chaos_runs.running()
    step = run_live.steps(item, NOW)[0]
    none = m.SliCount(
        service="s",
        environment="",
        total=0,
        errors=0,
        slow=0,
        threshold_ms=None,
        p50_ms=None,
        p95_ms=None,
        newest_span_at=None,
    )
    frame = run_live.frame({step: {"control": none, "treatment": none.model_copy(update={"total": 200})}}, "failed")
    assert frame["control"].isna().all()
    assert list(frame["treatment"]) == [0]


def test_a_preflight_says_who_may_be_hurt_and_what_it_may_cost():
    found = chaos_runs.preflight()
    sentence = preflight.consequence(found)
    for expected in ("latency on orders-cache", "30 % of the requests", "2 min 50 s", "gateway, orders, web", "1.80 %"):
        assert expected in sentence
    assert "Ready" in read(preflight.state(found)).text
    text = read(preflight.costs(found)).text
    assert "41.0 %" in text
    assert "not known" in text


def test_a_note_does_not_block_a_run_and_a_failed_check_does_with_its_reason():
    assert preflight.reason(chaos_runs.preflight()) == ""
    found = chaos_runs.blocked()
    assert preflight.reason(found).startswith(
        'The check "no firing alert" fails: gateway-availability fires since 13:58 UTC'
    )
    assert "Blocked" in read(preflight.state(found)).text


def test_requests_that_cannot_be_split_are_all_hurt():
    assert "for all requests" in preflight.consequence(chaos_runs.preflight(comparison="before/after"))


def test_an_experiment_that_cannot_be_read_says_why_and_is_not_run():
    broken = m.Experiment(name="broken", path="broken.yaml", problem="line 3: unknown fault")
    reader = read(experiments.listing([broken], NOW))
    assert "line 3: unknown fault" in reader.text
    assert "Run" not in reader.texts
    assert "experiment?name=broken&experiment_view=History" in reader.hrefs


def test_the_way_to_a_first_experiment_names_the_busiest_service_safely():
    busy = [service("calm", requests=1), service("a b; rm -rf", requests=9)]
    assert "chaos init 'a b; rm -rf'\n" in experiments.first_commands(busy)
    assert "chaos init SERVICE\n" in experiments.first_commands([])


@pytest.mark.parametrize("journal", [{}, {"run": 5}, {"run": [5, {}]}, {"steady_states": {"before": []}}])
def test_a_journal_of_another_form_is_no_error(journal):
    assert "None" not in read(run_journal.activities(journal)).text


def test_a_probe_that_answered_outside_its_tolerance_did_not_succeed():
    text = read(run_journal.activities(chaos_runs.journal())).text
    assert "Not as expected" in text
    assert "ActivityFailed: no such container" in text
    assert text.index("hypothesis before") < text.index("method") < text.index("hypothesis after")
    assert "shop answers meanwhile" in text
