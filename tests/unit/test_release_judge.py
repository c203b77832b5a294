"""The release judge against a service that serves by a plan: what is compared, what decides, what it cost."""

from datetime import timedelta

import pytest

from chaos.releases.asking import NotJudgedError
from chaos.releases.judgement import Asked
from chaos.releases.junit import release_junit
from chaos.releases.serving import compare
from chaos.releases.text import release_text
from tests.unit.release_world import ASKED, Api, Traffic, at, slo, steps_of


def sides(*traffic, end=30.0, window=None, versions=("1", "2"), min_samples=100):
    steps = steps_of(*traffic, until=end)
    return compare(steps, *versions, end=at(end), step_s=60, min_samples=min_samples, window=window)


def test_a_roll_out_in_one_go_leaves_no_time_in_which_both_served():
    found = sides(Traffic("1", 0, 20.5), Traffic("2", 20.5, 30))
    assert found.comparison == "before/after"
    assert "never served at the same time" in found.why
    assert found.before.end <= found.deployed.start == at(20.5), "the change lies within a minute and is found exactly"
    assert found.before.length == found.deployed.length


def test_a_short_overlap_is_not_enough_to_compare_in():
    found = sides(Traffic("1", 0, 20.2), Traffic("2", 20, 30))
    assert (found.comparison, "at the same time for 12 s only" in found.why) == ("before/after", True)
    busy = sides(Traffic("1", 0, 20.2, rate=20), Traffic("2", 20, 30, rate=20))
    assert busy.comparison == "concurrent", "12 s with 100 requests of each are"


def test_a_canary_with_few_requests_serves_all_along():
    steps = [
        each.model_copy(update={"first_at": each.first_at, "last_at": each.first_at, "requests": 1})
        for each in steps_of(Traffic("2", 10, 30, rate=1))
        if each.first_at.minute % 3 == 0
    ]
    found = compare(steps + steps_of(Traffic("1", 0, 30)), "1", "2", end=at(30), step_s=60, min_samples=100)
    (shared,) = found.treatment
    assert (found.comparison, shared.start, shared.length > timedelta(minutes=14)) == ("concurrent", at(12), True)
    assert found.gone is None


def test_the_window_is_since_the_last_deploy_unless_told_otherwise():
    traffic = Traffic("2", 0, 5), Traffic("1", 5, 20), Traffic("2", 20, 30)
    assert sides(*traffic).deployed.start == at(20)
    assert sides(*traffic, window=timedelta(minutes=4)).deployed.start == at(26)
    assert sides(*traffic, window=timedelta(hours=6)).deployed.start == at(0)
    pause = Traffic("1", 0, 10), Traffic("2", 10, 15), Traffic("2", 20, 30)
    assert sides(*pause).deployed.start == at(10), "silence of all is no deploy"


def test_what_began_more_than_six_hours_ago_is_judged_by_the_last_six():
    found = sides(Traffic("1", -500, -400, rate=1), Traffic("2", -400, 30, rate=1))
    assert found.deployed.length <= timedelta(hours=6)
    assert found.deployed.start >= at(-330)


def test_side_by_side_only_the_time_when_both_served_counts():
    """The old version is bad before the new one comes: with that counted, the new one would look better than it is."""
    api = Api(Traffic("1", 0, 10, bad_every=2), Traffic("1", 10, 20), Traffic("2", 10, 30, bad_every=6))
    found = api.judge()
    assert (found.verdict, found.comparison) == ("deviated", "concurrent")
    (finding, _) = found.findings
    assert (finding.control_bad, finding.control_total) == (0, 1200)
    assert finding.treatment_total == pytest.approx(1200, abs=2)


@pytest.mark.parametrize(
    ("bad_every", "verdict", "code"), [(0, "held", 0), (5, "deviated", 1), (22, "inconclusive", 3)]
)
def test_verdicts_have_their_exit_codes(bad_every, verdict, code):
    found = Api(Traffic("1", 0, 30), Traffic("2", 20, 30, bad_every=bad_every)).judge()
    assert (found.verdict, found.exit_code) == (verdict, code)


def test_an_old_version_that_left_long_before_is_compared_and_it_is_said():
    found = Api(Traffic("1", -60, 0), Traffic("2", 20, 30)).judge()
    assert found.verdict == "held"
    assert "1 last served 20 min 0 s before that" in found.why


def test_reasons_name_the_versions_and_no_fault():
    found = Api(Traffic("1", -900, -800), Traffic("2", 20, 30)).judge(Asked("shop", "1", "2"))
    assert (found.verdict, found.findings[0].reason) == (
        "inconclusive", "no requests of 1; an empty version proves nothing",
    )  # fmt: skip
    assert "fault" not in release_text(found) + release_junit(found)


def test_without_objectives_the_old_version_sets_the_threshold_and_it_is_said():
    found = Api(Traffic("1", 0, 30, ms=40), Traffic("2", 20, 30, ms=90)).judge(Asked("shop", "1", "2"))
    assert [(item.sli, item.threshold_ms, item.margin, item.verdict) for item in found.findings] == [
        ("latency", 40, 0.05, "deviated"), ("availability", None, 0.01, "held"),
    ]  # fmt: skip
    assert "at most 1 points more failed requests, and at most 5 points more over 40 ms, the p95 of 1" in found.notes[0]
    assert found.budget == []


def test_objectives_set_thresholds_and_margins_the_strictest_of_those_that_are_alike():
    api = Api(Traffic("1", 0, 30), Traffic("2", 20, 30))
    api.objectives = [
        slo("a", 0.9), slo("b", 0.95), slo("c", 0.8, 300.0), slo("d", 0.99, kind="custom"), slo("e", 0.999),
        slo("f", 0.999, service="cart"),
    ]  # fmt: skip
    api.filtered = {"e"}
    found = api.judge(Asked("shop", "1", "2"))
    margins = {item.sli: item.margin for item in found.findings}
    assert margins == {"availability": pytest.approx(0.05), "latency": pytest.approx(0.2)}
    assert {cost.slo_id for cost in found.budget} == {"a", "b", "c"}
    assert found.notes[0].startswith("left out: d, e;")
    assert {item.margin for item in api.judge().findings} == {0.05}, "--margin takes the place of all"


def test_the_deploy_is_charged_for_all_its_requests_beyond_what_the_old_version_lets_expect():
    api = Api(Traffic("1", 0, 25, bad_every=10), Traffic("2", 20, 30, bad_every=2))
    api.objectives = [slo("a", 0.95), slo("slices", 0.95, budgeting="timeslices")]
    cost, slices = api.judge().budget
    # 8 s are not settled: 592 s with two requests each, half of them bad where a tenth was; 5 % of 10,000 are allowed
    assert (cost.total, cost.bad) == (1184, 592)
    assert cost.chaos_share == pytest.approx((592 - 118.4) / 500, abs=0.01)
    assert slices.chaos_share is None, "slices of time have no budget of requests"
    text = release_text(api.judge())
    assert "this deploy spent 94.72 % of the budget of a: 592 bad of 1,184 requests, where 1 lets expect 118" in text


def test_a_deploy_that_fails_no_more_than_the_old_version_spends_nothing():
    api = Api(Traffic("1", 0, 30, bad_every=10), Traffic("2", 20, 30, bad_every=20))
    api.objectives = [slo("a", 0.95)]
    assert "this deploy spent nothing of the budget of a: 60 bad of 1,184 requests, no more" in release_text(
        api.judge()
    )


def test_a_version_that_fell_silent_is_not_called_held():
    died = Api(Traffic("1", 0, 20), Traffic("2", 20, 25)).judge()
    assert (died.verdict, died.checks[0].ok) == ("inconclusive", False)
    assert 'errors="1"' in release_junit(died)
    assert "inconclusive: it cannot be said that 2 is good; 2 answered nothing since 12:24:59 UTC" in release_text(died)
    bad = Api(Traffic("1", 0, 20), Traffic("2", 20, 25, bad_every=2)).judge()
    assert bad.verdict == "deviated", "bad news stays true"
    assert 'errors="0"' in release_junit(bad)
    replaced = Api(Traffic("1", 0, 20), Traffic("2", 20, 25), Traffic("3", 25, 30)).judge()
    assert replaced.verdict == "held"


@pytest.mark.parametrize(
    ("versions", "complaint", "to_come"),
    [
        (("1", "9"), "no version '9'; known: 1, 2", True),
        (("9", "2"), "no version '9'; known: 1, 2", False),
        (("2", "1"), "answered no request in the last 0:04:00", True),
    ],
)
def test_what_cannot_be_judged_is_told_with_what_is_known(versions, complaint, to_come):
    api = Api(Traffic("1", 0, 20), Traffic("2", 20, 30))
    with pytest.raises(NotJudgedError, match=complaint) as refusal:
        api.judge(Asked("shop", *versions, window=timedelta(minutes=4)))
    assert refusal.value.to_come == to_come


def test_names_that_services_sent_break_neither_text_nor_xml():
    evil = "2\x00\x1b[31m\u202e<&"
    found = Api(Traffic("1", 0, 30), Traffic(evil, 20, 30)).judge(Asked("shop", "1", evil))
    assert not set("\x00\x1b\u202e") & set(release_text(found) + release_junit(found))
    assert ASKED.environment is None
