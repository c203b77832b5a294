from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.labels import fingerprint, labels_of
from alerts.message import Links, MessageAlert
from alerts.peers import (
    LIFETIME,
    RESOLVED_FOR,
    PostedAlert,
    describe_with,
    posting,
    unsilenced,
    watchdog,
)
from alerts.transition import AlertDetails, Link, Transition
from evaluator.liveness import Liveness

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DETAILS = AlertDetails("SLOErrorBudgetBurn", "pay")
DESCRIBE = describe_with(Links("https://nl.example"))
FIRING = Transition("pay-page-1", 1, "pay", "pay", "prod", "page", "firing", NOW, NOW, NOW, None, "bad", DETAILS)


def firing(alert_id="pay-page-1", slo_id="pay", at=NOW, sequence=1, **changes):
    changed = {"alert_id": alert_id, "slo_id": slo_id, "rule": slo_id, "at": at, "started_at": at, "fired_at": at}
    return replace(FIRING, **changed | {"sequence": sequence} | changes)


def resolved(last, at):
    return replace(last, sequence=last.sequence + 1, state="resolved", at=at, resolved_at=at, summary="over")


def posted(*transitions, now=NOW):
    return posting(transitions, DESCRIBE, now).alerts


def test_a_firing_alert_is_posted_with_its_labels_annotations_and_an_end_four_intervals_ahead():
    (alert,) = posted(FIRING, now=NOW + timedelta(seconds=30))
    assert alert.to_json() == {
        "labels": {
            "alertname": "SLOErrorBudgetBurn",
            "slo_id": "pay",
            "slo_name": "pay",
            "service_name": "pay",
            "environment": "prod",
            "severity": "page",
        },
        "annotations": {
            "summary": "bad",
            "alert_id": "pay-page-1",
            "alert_url": "https://nl.example/alert?id=pay-page-1",
        },
        "startsAt": "2026-03-01T12:00:00Z",
        "endsAt": "2026-03-01T12:01:30Z",
        "generatorURL": "https://nl.example/alert?id=pay-page-1",
    }


def test_an_alert_that_ended_keeps_its_end_and_is_posted_for_five_minutes():
    over = resolved(FIRING, NOW + timedelta(minutes=3))
    (alert,) = posted(FIRING, over, now=over.at + RESOLVED_FOR)
    assert (alert.ends_at, alert.annotations["summary"]) == (over.at, "over")
    assert posted(FIRING, over, now=over.at + RESOLVED_FOR + timedelta(microseconds=1)) == ()


@pytest.mark.parametrize("changes", [{"state": "pending"}, {"state": "resolved", "resolved_at": NOW}])
def test_what_never_fired_is_not_posted(changes):
    assert posted(replace(FIRING, fired_at=None, **changes)) == ()


def test_no_alert_ends_before_it_starts_when_the_clock_goes_back_for_a_peer_would_refuse_it():
    early = NOW - timedelta(minutes=5)
    (fires,), (over,) = posted(FIRING, now=early), posted(resolved(FIRING, early), now=early)
    assert fires.ends_at == over.ends_at == NOW


def test_an_episode_that_is_over_cannot_end_the_next_one_of_the_same_labels():
    over = resolved(firing(at=NOW), NOW + timedelta(minutes=1))
    again = firing("pay-page-2", at=NOW + timedelta(minutes=2))
    for order in ((over, again), (again, over)):
        (alert,) = posted(*order, now=NOW + timedelta(minutes=3))
        assert (alert.alert_id, alert.ends_at) == ("pay-page-2", NOW + timedelta(minutes=4))


def test_the_end_of_an_episode_is_told_while_the_next_one_is_pending():
    over = resolved(firing(at=NOW), NOW + timedelta(minutes=1))
    pending = firing("pay-page-2", at=NOW + timedelta(minutes=2), state="pending", fired_at=None)
    assert [alert.alert_id for alert in posted(over, pending, now=NOW + timedelta(minutes=3))] == ["pay-page-1"]


def test_an_alert_that_cannot_be_described_keeps_no_other_from_being_posted():
    bad = firing("b-page-1", "b", labels=(("service.name", "x"),))
    found = posting([bad, FIRING], DESCRIBE, NOW)
    assert [alert.alert_id for alert in found.alerts] == ["pay-page-1"]
    assert found.problems == (
        "alert 'b-page-1': label name 'service.name' must be letters, digits and _; write it with _",
    )


def test_an_alert_without_labels_is_not_posted_for_a_peer_would_refuse_the_request():
    found = posting([FIRING], lambda transition: MessageAlert(transition, {"slo_id": ""}), NOW)
    assert found.alerts == ()
    assert found.problems == ("alert 'pay-page-1': it has no labels; a peer knows alerts by nothing else",)


def test_a_relative_address_is_not_posted():
    (alert,) = posting([FIRING], describe_with(Links()), NOW).alerts
    assert "generatorURL" not in alert.to_json()


def test_a_silenced_alert_is_begun_at_no_peer_and_goes_on_where_it_is_known():
    alerts = posted(firing("a-page-1", "a"), firing("b-page-1", "b"), firing("c-page-1", "c"))
    told = unsilenced(alerts, known={"a-page-1"}, silenced={"a-page-1", "b-page-1"})
    assert {alert.alert_id for alert in told} == {"a-page-1", "c-page-1"}


def test_the_end_of_a_silenced_alert_is_told_where_it_is_known():
    alerts = posted(resolved(FIRING, NOW + timedelta(minutes=1)), now=NOW + timedelta(minutes=2))
    assert unsilenced(alerts, known={"pay-page-1"}, silenced={"pay-page-1"}) == list(alerts)
    assert unsilenced(alerts, known=(), silenced={"pay-page-1"}) == []


SECONDS = st.integers(-600, 600).map(lambda seconds: NOW + timedelta(seconds=seconds))


@st.composite
def episodes(draw):
    """Return transitions of a few rules whose episodes follow each other, each in some state."""
    found = []
    for slo_id in draw(st.lists(st.sampled_from("abc"), unique=True)):
        at = NOW - timedelta(minutes=20)
        for number in range(draw(st.integers(1, 3))):
            at += timedelta(seconds=draw(st.integers(1, 400)))
            begun = firing(f"{slo_id}-page-{number}", slo_id, at)
            found.append(begun)
            at += timedelta(seconds=draw(st.integers(1, 400)))
            found.append(resolved(begun, at))
        if draw(st.booleans()):
            found.append(firing(f"{slo_id}-page-9", slo_id, at + timedelta(seconds=1)))
    return found


@given(episodes(), SECONDS, st.randoms())
def test_a_peer_hears_exactly_of_the_last_episode_of_every_label_set_whatever_the_order(transitions, now, chance):
    last = {transition.slo_id: transition for transition in transitions}
    expected = {
        transition.alert_id: transition.resolved_at or max(now + LIFETIME, transition.started_at)
        for transition in last.values()
        if transition.state == "firing" or now - transition.resolved_at <= RESOLVED_FOR
    }
    shuffled = chance.sample(transitions, len(transitions))
    alerts = posted(*shuffled, now=now)
    assert {alert.alert_id: alert.ends_at for alert in alerts} == expected
    assert len({alert.fingerprint for alert in alerts}) == len(alerts)
    assert all(alert.ends_at >= alert.starts_at for alert in alerts)


@given(episodes(), st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc")))
def test_silences_hide_what_is_not_known_and_nothing_else(transitions, known, silenced):
    alerts = posted(*transitions)
    ids = {name: {alert.alert_id for alert in alerts if alert.labels["slo_id"] == name} for name in "abc"}
    known_ids = set().union(*(ids[name] for name in known))
    told = unsilenced(alerts, known_ids, set().union(*(ids[name] for name in silenced)))
    assert {alert.labels["slo_id"] for alert in alerts} - {alert.labels["slo_id"] for alert in told} <= (
        silenced - known
    )
    assert all(alert in told for alert in alerts if alert.labels["slo_id"] not in silenced - known)


def test_what_a_peer_calls_an_alert_is_its_fingerprint():
    (alert,) = posted(FIRING)
    assert alert.fingerprint == fingerprint(labels_of(FIRING))


def test_the_watchdog_is_told_from_that_of_a_prometheus_by_its_service():
    alert = watchdog(NOW)
    assert alert.labels == {"alertname": "Watchdog", "severity": "none", "service_name": "ninelives"}
    assert alert.starts_at == NOW
    assert watchdog(None) is None


def ends_after(last_success: datetime, posts: list[int]) -> PostedAlert | None:
    """Return the watchdog that ends last, of posts so many seconds after *last_success*."""
    liveness = Liveness({"evaluation": lambda: last_success})
    found = [watchdog(liveness.alive_at(last_success + timedelta(seconds=second))) for second in posts]
    return max((alert for alert in found if alert), key=lambda alert: alert.ends_at, default=None)


@given(st.lists(st.integers(0, 4000)), st.integers(0, 15))
def test_the_watchdog_is_over_two_minutes_after_evaluation_stalled_however_often_it_is_posted(posts, stalled_after_s):
    last_success = NOW
    stalled_at = last_success + timedelta(seconds=stalled_after_s)
    last = ends_after(last_success, posts)
    assert last is None or last.ends_at <= stalled_at + timedelta(minutes=2)


@given(st.integers(0, 14), st.integers(0, 3))
def test_the_watchdog_outlives_three_lost_posts_while_evaluation_works(phase_s, lost):
    """Ticks succeed every 15 s, posts follow each *phase_s* later, and so many of them in a row are lost."""
    liveness = Liveness({"evaluation": lambda: NOW})
    alert = watchdog(liveness.alive_at(NOW + timedelta(seconds=phase_s)))
    next_post = NOW + timedelta(seconds=15 * (lost + 1) + phase_s)
    assert alert.ends_at > next_post


def test_peers_are_told_of_evidence_and_runbook_under_the_same_address_each_time():
    signed = []

    def sign(purpose, alert_id, at):
        signed.append(at)
        return f"{purpose}-{alert_id}"

    details = replace(DETAILS, links=(Link("Runbook", "https://wiki/pay"),))
    item = firing(details=details)
    describe = describe_with(Links("https://nl.example", "https://api.example"), sign)
    found = [describe(one) for one in (item, resolved(item, NOW + timedelta(minutes=5)))]
    assert {alert.evidence_url for alert in found} == {
        "https://api.example/api/v1/alerts/pay-page-1/evidence?token=evidence-pay-page-1"
    }
    assert {alert.runbook for alert in found} == {"https://wiki/pay"}
    assert set(signed) == {NOW}
