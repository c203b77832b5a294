"""Incidents as the API tells them: grouped, noted, measured, written up."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from api import models as m
from api.client import ApiClient, ApiError
from storage.acknowledgements import AcknowledgementRow, acknowledge
from tests.integration.alert_past import MINUTE, TRACE, ago, explain, firing, pending, resolved, store
from tests.integration.slo_past import count, objective, serving, slo_of_text

pytestmark = pytest.mark.slow


@pytest.fixture
def address(database, tmp_path):
    (tmp_path / "shop.yaml").write_text(objective(), "utf-8")
    with serving(database, tmp_path) as found:
        yield found


@pytest.fixture
def api(address):
    with ApiClient(f"http://{address}") as client:
        yield client


@pytest.fixture
def past(database):
    """Two incidents of the shop, the second going on, and one of the till."""
    start = ago(300)
    first = resolved("first", start + 2 * MINUTE, start + 20 * MINUTE, started_at=start)
    joined = resolved("joined", start + 40 * MINUTE, start + 50 * MINUTE, severity="ticket")
    second = firing("second", start + 200 * MINUTE)
    till = resolved("till", start, start + 9 * MINUTE, service="till", slo_id="till-availability")
    store(database, *first, *joined, second, *till, pending("soon", ago(1)))
    acknowledge(database, AcknowledgementRow("joined", start + 45 * MINUTE, "ann", "on it", "command"))
    acknowledge(database, AcknowledgementRow("first", start + 4 * MINUTE, "bob", "", "page"))
    return {"start": start, "first": first[0], "second": second}


def test_incidents_are_shown_newest_first_with_their_times(api, past):
    second, first, till = api.incidents()
    start = past["start"]
    assert (second.id, second.state, second.resolved_at, second.time_to_resolve_s) == ("second", "firing", None, None)
    assert (first.id, first.state, first.alert_ids) == ("first", "resolved", ["first", "joined"])
    assert (first.began_at, first.detected_at) == (start, start + 2 * MINUTE)
    assert (first.acknowledged_at, first.resolved_at) == (start + 4 * MINUTE, start + 50 * MINUTE)
    times = (first.time_to_detect_s, first.time_to_acknowledge_s, first.time_to_resolve_s)
    assert times == (120, 120, 48 * 60)
    assert (first.pages, first.tickets, first.title) == (1, 1, "Shop")
    assert (till.service, till.acknowledged_at, till.time_to_acknowledge_s) == ("till", None, None)


def test_incidents_of_a_service_an_environment_or_a_time(api, past):
    def found(**asked):
        return [item.id for item in api.incidents(**asked)]

    assert found(service="till") == ["till"]
    assert found(environment="test") == []
    assert found(since=past["start"] + 30 * MINUTE) == ["second", "first"]
    assert found(since=past["start"] + 60 * MINUTE) == ["second"]


def test_an_incident_is_found_by_any_of_its_alerts(api, past):
    record = api.incident("joined")
    assert record.id == "first"
    assert [alert.id for alert in record.alerts] == ["first", "joined"]
    assert {alert.incident_id for alert in record.alerts} == {"first"}
    assert [(event.kind, event.alert_id) for event in record.timeline] == [
        ("firing", "first"), ("acknowledgement", "first"), ("resolved", "first"),
        ("firing", "joined"), ("acknowledgement", "joined"), ("resolved", "joined"),
    ]  # fmt: skip


def test_incidents_of_long_ago_are_whole(api, database):
    start = ago(200 * 24 * 60)
    store(database, *resolved("a", start, start + 5 * MINUTE), *resolved("b", start + 9 * MINUTE, start + 12 * MINUTE))
    assert api.incidents() == []
    assert api.incident("b").alert_ids == ["a", "b"]


@pytest.mark.parametrize(("incident_id", "why"), [("ghost", "no incident 'ghost'"), ("soon", "never fired")])
def test_what_is_no_incident_is_named(api, past, incident_id, why):
    for ask in (api.incident, api.postmortem):
        with pytest.raises(ApiError, match=why) as refusal:
            ask(incident_id)
        assert refusal.value.status == 404


def test_notes_are_kept_with_the_incident(api, past):
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    note = api.add_incident_note("joined", m.NewIncidentNote(author="ann", text="rolled back\nto 1"))
    api.add_incident_note("first", m.NewIncidentNote(author="bob", text="thanks"))
    assert before <= note.at <= datetime.now(UTC)
    record = api.incident("first")
    assert [(item.author, item.text) for item in record.notes] == [("ann", "rolled back\nto 1"), ("bob", "thanks")]
    assert [event.author for event in record.timeline if event.kind == "note"] == ["ann", "bob"]
    assert (record.note_count, api.incident("till").note_count) == (2, 0)
    assert [event.text for event in api.alert("joined").timeline if event.kind == "note"] == [
        "rolled back\nto 1",
        "thanks",
    ]


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({"author": "ann", "text": " "}, "text is empty"),
        ({"author": "", "text": "x"}, "author is empty"),
        ({"author": "ann", "text": "x" * 20_000}, "20000 characters"),
        ({"text": "x"}, "author is missing"),
    ],
)
def test_a_note_that_says_nothing_is_refused(address, past, body, named):
    answer = httpx.post(f"http://{address}/api/v1/incidents/first/notes", json=body)
    assert answer.status_code == 422
    assert named in m.Problem.model_validate_json(answer.content).detail


def test_means_of_each_service(api, past):
    shop, till = api.incident_metrics()
    assert (shop.service, shop.environment, shop.incidents) == ("shop", "prod", 2)
    assert (shop.mttd_s, shop.mtta_s, shop.mttr_s, shop.mtbf_s) == (60, 120, 48 * 60, 200 * 60)
    assert (till.incidents, till.mttd_s, till.mtta_s, till.mttr_s, till.mtbf_s) == (1, 0, None, 540, None)
    assert (shop.end - shop.start) == timedelta(days=30)


def test_means_of_a_period(api, past):
    start = past["start"]
    (shop,) = api.incident_metrics(service="shop", since=start + MINUTE)
    assert (shop.incidents, shop.mtbf_s, shop.start) == (1, None, start + MINUTE)
    (shop,) = api.incident_metrics(service="shop", since=start, until=start + 200 * MINUTE)
    assert (shop.incidents, shop.end) == (1, start + 200 * MINUTE)
    assert api.incident_metrics(environment="test") == []
    (nothing,) = api.incident_metrics(service="ghost")
    assert (nothing.incidents, nothing.mttr_s) == (0, None)


def test_a_period_that_ends_before_it_starts_is_refused(api, past):
    with pytest.raises(ApiError, match="must lie after the start") as refusal:
        api.incident_metrics(since=ago(5), until=ago(6))
    assert refusal.value.status == 422


def test_a_postmortem_counts_the_events_and_links_the_traces(api, database, past):
    fired = past["first"]
    found = explain(database, fired)
    slo = slo_of_text(objective())
    begin = found.start.replace(second=0)
    count(
        database,
        slo,
        {
            begin - 5 * MINUTE: (900, 100),
            begin: (90, 10),
            fired.at.replace(second=0): (50, 50),
            ago(60).replace(second=0): (1, 1),
        },
    )
    api.add_incident_note("first", m.NewIncidentNote(author="ann", text="rolled back to 1"))
    text = api.postmortem("first")
    assert text.startswith(f"# Post-mortem: Shop, {fired.at:%Y-%m-%d}\n")
    assert ": 60 bad of 200 events" in text
    # of the 1,200 events of the 30 days before its end the target lets 120 be bad
    assert ", 50 % of the error budget" in text
    assert f"](/trace?trace={TRACE}&span={'cd' * 8})" in text
    assert "| till 2 was deployed in place of 1 |  |" in text
    assert "| rolled back to 1 | ann |" in text
    assert "\n## Root cause\n" in text


def test_a_postmortem_is_markdown(address, past):
    answer = httpx.get(f"http://{address}/api/v1/incidents/till/postmortem")
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert "None was gathered." in answer.text


def test_that_an_alert_waits_to_be_clear_is_no_event(api, database):
    fired = firing("a", ago(9))
    held = replace(fired, sequence=fired.sequence + 1, at=ago(5), clear_since=ago(5))
    store(database, fired, held, replace(held, sequence=held.sequence + 1, at=ago(4), clear_since=None))
    assert [event.kind for event in api.incident("a").timeline] == ["firing"]
    assert [event.kind for event in api.alert("a").timeline] == ["firing"]
