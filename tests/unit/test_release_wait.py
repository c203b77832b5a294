"""Waiting for a release to be decided: what ends the wait, and that chance does not."""

import random

import pytest

from api.client import ApiError
from chaos.releases import waiting
from chaos.releases.asking import NotJudgedError
from chaos.releases.judgement import Asked
from chaos.releases.waiting import look_confidence
from tests.unit.release_world import ASKED, Api, Traffic, at, slo


def test_a_bad_version_ends_the_wait_as_soon_as_harm_is_certain():
    api = Api(Traffic("1", 0, 60), Traffic("2", 30, 60, bad_every=3), now=30.1)
    found = api.judge(wait_s=1200)
    assert found.verdict == "deviated"
    assert api.now < at(33)


@pytest.mark.parametrize("old_until", [30, 60])
def test_a_good_version_ends_the_wait_when_enough_was_seen(old_until):
    api = Api(Traffic("1", 0, old_until), Traffic("2", 30, 60), now=30.1)
    seen = []
    found = api.judge(wait_s=1200, seen=seen)
    assert (found.verdict, found.comparison) == ("held", "concurrent" if old_until == 60 else "before/after")
    assert at(31) < api.now < at(40)
    assert {finding.confidence > 0.95 for finding in found.findings} == {True}, "many looks cost certainty"
    assert seen[-1].startswith(found.comparison)


def test_at_the_end_of_the_wait_the_ordinary_interval_decides():
    api = Api(Traffic("1", 0, 60), Traffic("2", 30, 60, bad_every=22), now=30.1)
    found = api.judge(wait_s=60)
    assert (found.verdict, api.now) == ("inconclusive", at(31.1))
    assert {finding.confidence for finding in found.findings} == {0.95}


def test_a_version_that_is_not_there_yet_is_waited_for_but_not_for_ever():
    api = Api(Traffic("1", 0, 60), Traffic("2", 33, 60), now=30)
    seen = []
    assert api.judge(wait_s=1200, seen=seen).verdict == "held"
    assert seen[0] == "shop has no version '2'; known: 1"
    never = Api(Traffic("1", 0, 60), now=30)
    with pytest.raises(NotJudgedError):
        never.judge(wait_s=30)
    assert never.now == at(30.5)
    typo = Api(Traffic("1", 0, 60), now=30)
    with pytest.raises(NotJudgedError):
        typo.judge(Asked("shop", "0", "1"), wait_s=30)
    assert typo.now == at(30), "an old version that nobody knows will not come"


def test_an_api_that_is_away_for_a_moment_ends_no_wait_but_one_that_refuses_does():
    api = Api(Traffic("1", 0, 60), Traffic("2", 30, 60, bad_every=3), now=30.1)
    versions, lost = api.versions, []

    def away(status):
        def ask(**asked):
            if api.now < at(30.5):
                lost.append(api.now)
                raise ApiError("cannot reach the API", status)
            return versions(**asked)

        return ask

    api.versions = away(0)
    assert api.judge(wait_s=600).verdict == "deviated"
    assert len(lost) > 1
    api.now, api.versions = at(30.1), away(403)
    with pytest.raises(ApiError):
        api.judge(wait_s=600)
    assert api.now == at(30.1)


def test_a_roll_out_that_turns_side_by_side_is_judged_side_by_side():
    api = Api(Traffic("1", 0, 30), Traffic("2", 30, 60), Traffic("1", 30.2, 60), now=30.3)
    assert api.judge(wait_s=1200).comparison == "concurrent"


def test_the_doubts_of_all_early_looks_add_up_to_that_of_one():
    doubts = [1 - look_confidence(number) for number in range(1, 2000)]
    assert sum(doubts) == pytest.approx(0.05, abs=1e-4)
    assert sum(doubts) < 0.05


@pytest.mark.slow
def test_a_version_that_is_as_good_is_hardly_ever_called_bad_though_it_is_looked_at_all_the_time():
    """Both fail 10 % by chance, and no margin is given: 60 looks at each of 60 releases.

    Who stops at the first interval that is beyond the margin calls 5 of these bad.
    """
    draw = random.Random(7)
    wrong = 0
    for _ in range(60):
        traffic = Traffic("1", 0, 40, rate=1), Traffic("2", 30, 40, rate=1)
        for each in traffic:
            each.bad = [draw.random() < 0.1 for _ in each.times]
        wrong += Api(*traffic, now=30.2).judge(Asked("shop", "1", "2", margin=0.0), wait_s=300).verdict == "deviated"
    assert wrong <= 1


def test_looks_ask_only_for_what_is_new():
    api = Api(Traffic("1", 0, 60), Traffic("2", 30, 60, bad_every=22), now=30.1)
    starts = []
    versions = api.versions
    api.versions = lambda **asked: starts.append(asked["start"]) or versions(**asked)
    once = api.judge(wait_s=300)
    assert starts[-1] > starts[0]
    assert api.now - starts[-1] < at(5) - at(0)
    again = Api(*api.traffic, now=35.1).judge(ASKED)
    assert [(each.started_at, each.ended_at) for each in once.windows] == [
        (each.started_at, each.ended_at) for each in again.windows
    ]


def test_what_is_asked_for_again_is_not_counted_twice():
    """60 requests of the old version while both served, of 100 that side by side takes."""
    api = Api(Traffic("1", 0, 30.2, rate=5), Traffic("2", 30, 60, rate=5, bad_every=22), now=31)
    seen = []
    assert api.judge(wait_s=60, seen=seen).comparison == "before/after"
    assert {look.partition(":")[0] for look in seen} == {"before/after"}


def test_good_news_is_looked_for_only_when_requests_have_doubled(monkeypatch):
    api = Api(Traffic("1", 0, 60), Traffic("2", 30, 60, bad_every=22), now=30.1)
    looked = []
    judge = waiting.findings_of
    monkeypatch.setattr(waiting, "findings_of", lambda *args, **more: looked.append(more) or judge(*args, **more))
    seen = []
    api.judge(wait_s=600, seen=seen)
    early = [more["confidence"] for more in looked if "confidence" in more]
    assert len(seen) > 100
    assert early == [look_confidence(number) for number in range(1, 5)], "at 100, 200, 400 and 800 requests"


def test_margins_stay_what_they_were_at_the_first_look():
    api = Api(Traffic("1", 0, 60), Traffic("2", 30, 60, bad_every=12), now=31)
    api.objectives = [slo("a", 0.95)]
    sleep = api.sleep

    def relax(seconds):
        api.objectives = [slo("a", 0.5)]
        sleep(seconds)

    api.sleep = relax
    found = api.judge(Asked("shop", "1", "2"), wait_s=120)
    assert [finding.margin for finding in found.findings] == [pytest.approx(0.05)]
