"""Which alerts make an incident, and how fast people were."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerts.errors import InvalidAlert
from alerts.incident import GAP, incident_metrics, incidents_of
from tests.unit.alert_transitions import MINUTE, at, episode


def grouped(*alerts, **options):
    return [[alert.alert_id for alert in incident.alerts] for incident in incidents_of(alerts, **options)]


@pytest.mark.parametrize(
    ("alerts", "groups"),
    [
        ([], []),
        ([episode("a", 0, 5)], [["a"]]),
        ([episode("a", 0, 5), episode("b", 3, 20)], [["a", "b"]]),
        ([episode("a", 0, 5), episode("b", 35, 40)], [["a", "b"]]),
        ([episode("a", 0, 5), episode("b", 36, 40)], [["a"], ["b"]]),
        ([episode("a", 0), episode("b", 9000, 9001)], [["a", "b"]]),
        ([episode("a", 0, 100), episode("b", 5, 6), episode("c", 130)], [["a", "b", "c"]]),
        ([episode("a", 0, 5), episode("b", 1, 5, service="till")], [["a"], ["b"]]),
        ([episode("a", 0, 5), episode("b", 1, 5, environment="test")], [["a"], ["b"]]),
        ([episode("a", 0, 5, severity="ticket"), episode("b", 0, 5)], [["b", "a"]]),
    ],
    ids=[
        "nothing", "one", "overlapping", "a gap of 30 minutes", "a longer gap", "what fires still takes in all",
        "the longest end counts", "another service", "another environment", "a page opens before a ticket",
    ],
)  # fmt: skip
def test_alerts_of_a_service_whose_times_touch_are_one_incident(alerts, groups):
    assert grouped(*alerts) == groups


def test_an_alert_that_never_fired_makes_no_incident():
    assert grouped(replace(episode("a", 0), fired_at=None, state="pending")) == []


def test_a_gap_is_longer_by_a_microsecond():
    late = replace(episode("b", 35), fired_at=at(5) + GAP + timedelta(microseconds=1))
    assert grouped(episode("a", 0, 5), late) == [["a"], ["b"]]


def test_the_state_of_a_budget_joins_but_does_not_keep_an_incident_open():
    budget = episode("low", 2, 20_000, severity="ticket", alert_name="SLOErrorBudgetLow")
    first, second = incidents_of([episode("a", 0, 5), budget, episode("b", 10_000, 10_005)])
    assert [alert.alert_id for alert in first.alerts] == ["a", "low"]
    assert (first.resolved_at, first.state, second.id) == (at(5), "resolved", "b")


def test_an_incident_of_budget_alerts_alone_ends_with_them():
    names = ("SLOErrorBudgetLow", "SLOErrorBudgetExhausted")
    alerts = [episode(name, 7 * n, 900, severity="ticket", alert_name=name) for n, name in enumerate(names)]
    (found,) = incidents_of(alerts)
    assert (found.resolved_at, found.pages, found.tickets) == (at(900), 0, 2)


def test_the_times_of_an_incident():
    alerts = [episode("a", 4, 20, began=2), episode("b", 6, 30, began=1, severity="ticket")]
    (found,) = incidents_of(alerts, {"b": at(9), "a": at(11), "other": at(0)})
    assert (found.id, found.title, found.state) == ("a", "Checkout availability", "resolved")
    times = (found.began_at, found.detected_at, found.acknowledged_at, found.resolved_at)
    assert times == (at(1), at(4), at(9), at(30))
    assert (found.time_to_detect, found.time_to_acknowledge) == (3 * MINUTE, 5 * MINUTE)
    assert (found.time_to_resolve, found.pages, found.tickets) == (26 * MINUTE, 1, 1)


def test_an_incident_goes_on_until_its_last_alert_ends():
    (found,) = incidents_of([episode("a", 0, 9), episode("b", 3)])
    assert (found.state, found.resolved_at, found.time_to_resolve) == ("firing", None, None)
    assert (found.acknowledged_at, found.time_to_acknowledge) == (None, None)


def test_the_means_are_exact():
    alerts = [
        episode("a", 1, 11, began=0),
        episode("b", 100, 130, began=98),
        episode("c", 301, began=300),
        episode("late", 1000, 1001),
    ]
    found = incident_metrics(incidents_of(alerts, {"a": at(2), "c": at(305)}), at(0), at(1000))
    assert (found.incidents, found.mttd_s) == (3, Fraction(60 + 120 + 60, 3))
    assert (found.mtta_s, found.mttr_s) == (Fraction(60 + 240, 2), Fraction(600 + 1800, 2))
    assert found.mtbf_s == Fraction(300 * 60, 2)


def test_a_period_is_half_open_and_counts_by_the_beginning():
    alerts = [episode("a", 3, 4, began=0), episode("b", 100, 110)]
    assert incident_metrics(incidents_of(alerts), at(0), at(100)).incidents == 1
    assert incident_metrics(incidents_of(alerts), at(1), at(101)).incidents == 1


def test_without_incidents_there_is_nothing_to_average():
    found = incident_metrics([], at(0), at(1))
    assert (found.incidents, found.mttd_s, found.mtta_s, found.mttr_s, found.mtbf_s) == (0, None, None, None, None)
    one = incident_metrics(incidents_of([episode("a", 0)]), at(0), at(1))
    assert (one.mttd_s, one.mtta_s, one.mttr_s, one.mtbf_s) == (0, None, None, None)


def test_thirds_of_a_second_are_not_rounded():
    alerts = [replace(episode(f"a{n}", 100 * n, 100 * n + 1), started_at=at(100 * n)) for n in range(3)]
    alerts[2] = replace(alerts[2], fired_at=at(200) + timedelta(seconds=1))
    assert incident_metrics(incidents_of(alerts), at(0), at(900)).mttd_s == Fraction(1, 3)


def test_a_period_that_ends_before_it_starts_is_refused():
    with pytest.raises(InvalidAlert, match="must lie after the start"):
        incident_metrics([], at(1), at(1))


@st.composite
def histories(draw):
    """Return alerts of two services, some of them without an end, some about a budget."""
    found = []
    for number in range(draw(st.integers(0, 12))):
        fired = draw(st.integers(0, 300))
        lasted = draw(st.none() | st.integers(0, 120))
        options = {
            "service": draw(st.sampled_from(["shop", "till"])),
            "severity": draw(st.sampled_from(["page", "ticket"])),
            "alert_name": draw(st.sampled_from(["SLOErrorBudgetBurn", "SLOErrorBudgetLow"])),
            "began": fired - draw(st.integers(0, 40)),
        }
        found.append(episode(f"a{number}", fired, None if lasted is None else fired + lasted, **options))
    return found


@given(histories(), st.randoms(use_true_random=False))
def test_the_order_of_transitions_does_not_matter_and_the_last_of_an_episode_counts(alerts, random):
    earlier = [replace(each, state="firing", sequence=1, resolved_at=None) for each in alerts if each.resolved_at]
    shuffled = [*alerts, *earlier]
    random.shuffle(shuffled)
    assert incidents_of(shuffled) == incidents_of(alerts)


@given(histories())
def test_every_alert_is_in_exactly_one_incident(alerts):
    members = [alert.alert_id for incident in incidents_of(alerts) for alert in incident.alerts]
    assert sorted(members) == sorted(alert.alert_id for alert in alerts)


@given(histories())
def test_incidents_of_a_service_lie_apart(alerts):
    last = {}
    for incident in incidents_of(alerts):
        before = last.get(incident.service)
        if before is not None:
            ends = [alert.resolved_at for alert in before.alerts if alert.details.alert_name == "SLOErrorBudgetBurn"]
            assert None not in ends
            assert all(incident.detected_at - end > GAP for end in ends)
        last[incident.service] = incident


@given(histories(), st.integers(0, 420))
def test_an_alert_never_moves_to_another_incident_as_time_goes_on(alerts, minute):
    def known(alert):
        if alert.resolved_at is None or alert.resolved_at <= at(minute):
            return alert
        return replace(alert, state="firing", sequence=1, resolved_at=None)

    def homes(some):
        return {alert.alert_id: incident.id for incident in incidents_of(some) for alert in incident.alerts}

    then = homes([known(alert) for alert in alerts if alert.fired_at <= at(minute)])
    assert then.items() <= homes(alerts).items()
