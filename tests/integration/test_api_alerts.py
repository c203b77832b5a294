"""Alerts as the API tells them: their list, all that is on record of one, and who took it on."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from alerts import evidence as domain
from api import models as m
from api.client import ApiClient, ApiError
from storage.acknowledgements import AcknowledgementRow, acknowledge
from tests.integration.alert_past import TRACE, ago, explain, firing, pending, resolved, store, tell
from tests.integration.slo_past import objective, serving

pytestmark = pytest.mark.slow


@pytest.fixture
def address(database, tmp_path):
    (tmp_path / "shop.yaml").write_text(objective(), "utf-8")
    with serving(database, tmp_path, channels=lambda: {"oncall": ["oncall/pagerduty-1", "oncall/webhook-1"]}) as found:
        yield found


@pytest.fixture
def api(address):
    with ApiClient(f"http://{address}") as client:
        yield client


def ids(alerts):
    return [alert.id for alert in alerts]


def test_alerts_are_the_last_transition_of_each_episode_newest_first(api, database):
    over, fires = resolved("over", ago(120), ago(60)), firing("fires", ago(5), flapping=True)
    store(database, *over, fires, pending("soon", ago(1)))
    tell(database, fires, "failed", "sent")
    found = api.alerts()
    assert [(item.id, item.state, item.delivered) for item in found] == [
        ("soon", "pending", False), ("fires", "firing", True), ("over", "resolved", False),
    ]  # fmt: skip
    soon, alert, _ = found
    assert (soon.fired_at, soon.incident_id) == (None, "")
    assert (alert.fired_at, alert.started_at, alert.resolved_at) == (fires.at, fires.at, None)
    assert (alert.flapping, alert.exemplar_trace_ids, alert.details["target"]) == (True, [TRACE], "0.9")
    assert (alert.rule, alert.severity, alert.incident_id) == ("shop-availability", "page", "fires")
    assert alert.labels["alertname"] == "SLOErrorBudgetBurn"
    assert (alert.labels["service_name"], alert.labels["environment"]) == ("shop", "prod")


def test_each_filter_leaves_out_the_others(api, database):
    store(
        database,
        firing("a", ago(9)),
        firing("b", ago(8), severity="ticket"),
        firing("c", ago(7), service="till", slo_id="till-availability"),
        firing("d", ago(6), environment="test"),
        pending("e", ago(5)),
    )
    assert ids(api.alerts(state="pending")) == ["e"]
    assert ids(api.alerts(severity="ticket")) == ["b"]
    assert ids(api.alerts(service="till")) == ids(api.alerts(slo_id="till-availability")) == ["c"]
    assert ids(api.alerts(environment="test")) == ["d"]
    assert ids(api.alerts(service="till", environment="test")) == []


def test_what_is_long_over_is_left_out_and_what_fires_still_is_shown_however_old_it_is(api, database):
    days = 24 * 60
    store(database, *resolved("over", ago(41 * days), ago(40 * days)), firing("old", ago(39 * days)))
    assert ids(api.alerts()) == ["old"]
    assert ids(api.alerts(since=ago(50 * days))) == ["old", "over"]
    assert api.alert("over").state == "resolved"


def test_a_page_inhibits_tickets_of_its_objective_while_it_fires(api, database):
    ticket = {"severity": "ticket"}
    store(
        database,
        firing("page", ago(9)),
        firing("same", ago(8), rule="shop-availability/budget", **ticket),
        firing("other", ago(7), slo_id="shop-latency", **ticket),
        *resolved("past", ago(20), ago(10), slo_id="shop-latency"),
    )
    assert {item.id for item in api.alerts() if item.inhibited} == {"same"}


def test_silences_that_match_are_named_while_they_last(api, database):
    store(database, firing("a", ago(9)), firing("b", ago(8), environment="test"), *resolved("c", ago(30), ago(20)))
    silence = api.add_silence(
        m.NewSilence(
            matchers=['service_name="shop"', "environment!=test"], ends_at=ago(-60), author="ann", comment="known"
        )
    )
    assert {item.id: item.silenced_by for item in api.alerts()} == {"a": [silence.id], "b": [], "c": []}
    api.expire_silence(silence.id)
    assert api.alert("a").silenced_by == []
    assert [event.author for event in api.alert("a").timeline if event.kind == "silence"] == ["ann"]
    assert [event for event in api.alert("b").timeline if event.kind == "silence"] == []


def test_an_alert_brings_its_evidence_and_timeline(api, database):
    fired, ended = resolved("a", ago(30), ago(10))
    store(database, pending("a", ago(32), sequence=1))
    fired, ended = (type(each)(**_slots(each) | {"sequence": each.sequence + 1}) for each in (fired, ended))
    store(database, fired, ended)
    tell(database, fired, "failed", "sent")
    tell(database, ended, "dead", reason="resolved")
    found = explain(database, fired)
    acknowledge(database, AcknowledgementRow("a", ago(20), "ann", "on it", "link", "digest"))
    record = api.alert("a")
    assert record.evidence.summary == found.summary
    assert (record.evidence.traces[0].guilty_service, record.evidence.spenders[0].share) == ("till", 0.9)
    assert record.runbook == "https://runbooks.example/shop"
    assert [(event.kind, event.status) for event in record.timeline] == [
        ("deployment", ""), ("experiment", ""), ("pending", ""), ("firing", ""), ("notification", "firing"),
        ("delivery", "failed"), ("delivery", "sent"), ("acknowledgement", "link"), ("resolved", ""),
        ("notification", "resolved"), ("delivery", "dead"),
    ]  # fmt: skip
    told = {event.kind: event.text for event in record.timeline}
    assert told["deployment"] == "till 2 was deployed in place of 1"
    assert told["acknowledgement"] == "Acknowledged by ann: on it"
    assert told["delivery"] == "Attempt 1 to tell oncall/pagerduty-1 was given up: HTTP 503"
    assert [event.url for event in record.timeline if event.kind == "experiment"] == ["/run?id=run-1"]


def _slots(transition):
    return {name: getattr(transition, name) for name in transition.__slots__}


def test_other_alerts_do_not_show_in_a_timeline(api, database):
    first, second = firing("a", ago(30)), firing("b", ago(29), service="till")
    store(database, first, second)
    tell(database, second, "sent")
    acknowledge(database, AcknowledgementRow("b", ago(20), "ann", "", "page"))
    assert [event.kind for event in api.alert("a").timeline] == ["firing"]


def test_the_contract_has_every_field_of_the_evidence():
    pairs = {
        "Evidence": m.AlertEvidence,
        "EvidenceTrace": m.EvidenceTrace,
        "Spender": m.EvidenceSpender,
        "Difference": m.EvidenceDifference,
        "Deployment": m.EvidenceDeployment,
        "Experiment": m.EvidenceExperiment,
        "LogLine": m.EvidenceLog,
        "PastAlert": m.PastAlert,
        "Forecast": m.EvidenceForecast,
        "TraceSpan": m.EvidenceSpan,
    }
    for name, model in pairs.items():
        known = {field.name for field in fields(getattr(domain, name))} - (
            {"alert_id"} if name == "Evidence" else set()
        )
        assert known == set(model.model_fields), name


def test_an_alert_is_taken_on_by_whoever_did_so_last(api, database):
    store(database, firing("a", ago(9)))
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    api.acknowledge_alert("a", m.NewAcknowledgement(author="ann", comment="on it"))
    record = api.acknowledge_alert("a", m.NewAcknowledgement(author="bob", via="page"))
    assert [(item.author, item.comment, item.via) for item in record.acknowledgements] == [
        ("ann", "on it", "command"), ("bob", "", "page"),
    ]  # fmt: skip
    assert all(before <= item.at <= datetime.now(UTC) for item in record.acknowledgements)
    assert api.alerts()[0].acknowledgements == record.acknowledgements


@pytest.mark.parametrize(
    ("alert_id", "body", "refusal"),
    [
        ("over", {"author": "ann"}, (409, "resolved at")),
        ("soon", {"author": "ann"}, (409, "pending")),
        ("ghost", {"author": "ann"}, (404, "'ghost'")),
        ("fires", {"author": " "}, (422, "author")),
        ("fires", {"author": "ann", "comment": "x" * 10_000}, (422, "10000 characters")),
        ("fires", {}, (422, "author is missing")),
        ("fires", {"author": "ann", "via": "link"}, (422, "'link'")),
    ],
)
def test_what_cannot_be_acknowledged_is_refused_with_the_reason(address, database, alert_id, body, refusal):
    status, named = refusal
    store(database, *resolved("over", ago(20), ago(10)), pending("soon", ago(1)), firing("fires", ago(5)))
    answer = httpx.post(f"http://{address}/api/v1/alerts/{alert_id}/acknowledge", json=body)
    assert (answer.status_code, answer.headers["Content-Type"]) == (status, "application/problem+json")
    assert named in m.Problem.model_validate_json(answer.content).detail


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("state=burning", "'burning'"),
        ("severity=info", "'info'"),
        ("since=soon", "soon"),
        ("since=2999-01-01T00:00Z", "2999"),
    ],
)
def test_a_wrong_filter_is_named(address, query, named):
    answer = httpx.get(f"http://{address}/api/v1/alerts?{query}")
    assert answer.status_code == 422
    assert named in m.Problem.model_validate_json(answer.content).detail


def test_an_unknown_alert_is_named(api):
    with pytest.raises(ApiError, match="no alert 'ghost'") as refusal:
        api.alert("ghost")
    assert refusal.value.status == 404


def test_channels_are_shown_with_what_last_became_of_their_messages(api, database):
    fires = firing("a", ago(9))
    store(database, fires)
    tell(database, fires, "failed", "sent")
    tell(database, fires, "dead", channel="gone/slack-1")
    found = {item.name: item for item in api.alert_channels()}
    assert list(found) == ["oncall/pagerduty-1", "oncall/webhook-1", "gone/slack-1"]
    page, unused, gone = found.values()
    second = timedelta(seconds=1)
    assert (page.receiver, page.kind, page.configured) == ("oncall", "pagerduty", True)
    assert (page.last_failure_at, page.last_success_at) == (fires.at + second, fires.at + 2 * second)
    assert page.last_error == "HTTP 503"
    assert (unused.last_failure_at, unused.last_success_at, unused.last_error) == (None, None, "")
    assert (gone.receiver, gone.kind, gone.configured, gone.last_success_at) == ("gone", "slack", False, None)
    assert gone.last_failure_at == fires.at + second
