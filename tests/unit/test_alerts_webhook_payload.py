import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from alerts.burn_rate import signals_of
from alerts.decide import decide
from alerts.errors import InvalidAlert
from alerts.labels import check_label_names, fingerprint
from alerts.message import Links, message_of
from alerts.timing import AlertTiming
from alerts.transition import Link, Transition
from alerts.webhook_payload import WebhookPayload, build_payload
from slo.draft import drafts
from slo.evaluation import evaluate, needed_windows
from slo.model import EventCounts
from slo.policy_text import read_policy

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
DRAFT = drafts("checkout", "prod")[0]
POLICY = read_policy("burn-rate", "2%/1h/5m page", DRAFT.target, DRAFT.period).policy
SLO = replace(DRAFT, draft=False, policy=POLICY)
TRACES = ("4bf92f3577b34da6a3ce929d0e0e4736", "0af7651916cd43dd8448eb211c80319c")


def _signal(bad):
    counts = dict.fromkeys(needed_windows(SLO, NOW), EventCounts(10**6, 10**6))
    counts |= {timedelta(hours=1): EventCounts(36_000 - bad * 9, 36_000)}
    counts |= {timedelta(minutes=5): EventCounts(3000 - bad, 3000)}
    counts |= {timedelta(days=30): EventCounts(10_000_000 - 2_500, 10_000_000)}
    return signals_of(SLO, evaluate(SLO, counts, end=NOW, coverage=1.0))[0]


FIRING = decide(None, _signal(219), NOW).with_evidence(TRACES)
RESOLVED = decide(FIRING, _signal(0), NOW + timedelta(minutes=7))

LABELS = {
    "alertname": "SLOErrorBudgetBurn",
    "slo_id": "checkout-prod-availability",
    "slo_name": "checkout availability",
    "service_name": "checkout",
    "environment": "prod",
    "severity": "page",
    "slo_window": "30d",
}
ALERT_URL = "https://nl.example/alert?id=checkout-prod-availability-page-29539440"
ANNOTATIONS = {
    "summary": "7.3 % of requests to checkout in prod failed in the last 5 minutes (219 of 3,000); objective 99.9 %",
    "alert_id": "checkout-prod-availability-page-29539440",
    "objective": "99.9 % over 30d",
    "conditions": "burn rate above 14.4 met: 1971 bad of 36000 in 1h and 219 bad of 3000 in 5m",
    "burn_rates": "1h 54.75, 5m 73",
    "error_budget_remaining": "0.75",
    "alert_url": ALERT_URL,
    "exemplar_trace_ids": ",".join(TRACES),
    "exemplar_url": f"https://nl.example/trace?trace={TRACES[0]}",
    "exemplar_urls": ",".join(f"https://nl.example/trace?trace={trace}" for trace in TRACES),
}


def test_a_firing_alert_is_one_whole_alertmanager_payload_of_version_4():
    assert json.loads(build_payload(message_of(FIRING, "team-shop", Links("https://nl.example/"))).to_json()) == {
        "version": "4",
        "receiver": "team-shop",
        "status": "firing",
        "externalURL": "https://nl.example",
        "groupKey": "checkout-prod-availability-page-29539440",
        "truncatedAlerts": 0,
        "groupLabels": {name: LABELS[name] for name in ("alertname", "slo_id", "severity")},
        "commonLabels": LABELS,
        "commonAnnotations": ANNOTATIONS,
        "alerts": [
            {
                "status": "firing",
                "labels": LABELS,
                "annotations": ANNOTATIONS,
                "startsAt": "2026-03-01T12:00:00Z",
                "endsAt": "0001-01-01T00:00:00Z",
                "generatorURL": ALERT_URL,
                "fingerprint": fingerprint(LABELS),
            }
        ],
    }


def test_a_payload_reads_back_from_its_json():
    payload = build_payload(message_of(FIRING, "team-shop", Links("https://nl.example")))
    assert WebhookPayload.model_validate_json(payload.to_json()) == payload


def test_the_end_of_an_alert_has_the_same_identity_and_its_end():
    firing, resolved = (
        build_payload(message_of(item, "r", Links("https://nl.example"))) for item in (FIRING, RESOLVED)
    )
    assert (resolved.status, resolved.alerts[0].status) == ("resolved", "resolved")
    assert resolved.alerts[0].starts_at == "2026-03-01T12:00:00Z"
    assert resolved.alerts[0].ends_at == "2026-03-01T12:07:00Z"
    assert resolved.alerts[0].labels == firing.alerts[0].labels
    assert resolved.alerts[0].fingerprint == firing.alerts[0].fingerprint
    assert resolved.group_key == firing.group_key
    assert resolved.common_annotations["exemplar_trace_ids"] == ",".join(TRACES)


def test_empty_labels_and_annotations_are_left_out():
    bare = build_payload(
        message_of(replace(FIRING, environment="").with_evidence(()), "r", Links("https://nl.example"))
    )
    assert "environment" not in bare.common_labels
    assert not [name for name in bare.common_annotations if name.startswith("exemplar")]
    assert "" not in (*bare.common_labels.values(), *bare.common_annotations.values())


def test_links_are_annotations():
    linked = FIRING.with_evidence(TRACES, (Link("Run", "https://nl.example/run?id=1"),))
    assert (
        build_payload(message_of(linked, "r", Links(""))).common_annotations["link_1"]
        == "Run: https://nl.example/run?id=1"
    )


def test_nobody_is_told_of_a_pending_alert():
    pending = decide(None, _signal(219), NOW, AlertTiming(pending_for=timedelta(minutes=1)))
    with pytest.raises(InvalidAlert, match="only firing and resolved"):
        build_payload(message_of(pending, "r", Links("")))


@pytest.mark.parametrize("name", ["service.name", "a-b", "1a", "", "é"])
def test_a_label_name_that_receivers_refuse_is_refused_here(name):
    with pytest.raises(InvalidAlert, match="letters, digits and _"):
        check_label_names({name: "x"})


def test_the_fingerprint_is_fnv_1a_over_sorted_names_and_values():
    """The numbers are those of Prometheus' own test of LabelSet fingerprints (common/model)."""
    assert fingerprint({}) == "cbf29ce484222325"
    assert fingerprint({"name": "garland, briggs", "fear": "love is not enough"}) == f"{5799056148416392346:016x}"
    assert fingerprint({"a": "1", "b": "2"}) == fingerprint({"b": "2", "a": "1"})
    assert fingerprint({"a": "1"}) != fingerprint({"a": "2"})
    assert fingerprint({"a": "bc"}) != fingerprint({"ab": "c"})


@pytest.mark.parametrize("transition", [FIRING, RESOLVED])
def test_a_stored_transition_reads_back_as_it_was(transition):
    assert Transition.from_json(transition.to_json()) == transition


def test_a_transition_is_plain_json_with_exact_numbers():
    stored = json.loads(FIRING.to_json())
    assert stored["details"]["target"] == "0.999"
    assert stored["at"] == "2026-03-01T12:00:00Z"
    assert stored["details"]["conditions"][0]["short"] == {
        "window": "5m",
        "good": 2781,
        "bad": 219,
        "total": 3000,
        "burn_rate": 73.0,
    }


@pytest.mark.parametrize("text", ["", "{}", '{"alert_id": 5}', "null"])
def test_what_is_no_transition_is_refused(text):
    with pytest.raises(InvalidAlert, match="no stored transition"):
        Transition.from_json(text)


@pytest.mark.parametrize("at", [NOW.replace(tzinfo=None), NOW.astimezone(timezone(timedelta(hours=2)))])
def test_a_time_without_zone_or_outside_of_utc_is_refused(at):
    with pytest.raises(InvalidAlert, match="must be in UTC"):
        replace(FIRING, at=at)


def test_a_sequence_counts_from_one():
    with pytest.raises(InvalidAlert, match="count from 1"):
        replace(FIRING, sequence=0)


def test_a_runbook_is_told_once_by_its_own_name():
    details = replace(FIRING.details, links=(Link("Runbook", "https://wiki/r"), Link("Queue", "https://mq/q")))
    item = replace(FIRING, details=details)
    message = message_of(item, "team", Links("https://nl.example"))
    told = replace(message, alerts=(replace(message.alerts[0], runbook=details.runbook),))
    annotations = build_payload(told).alerts[0].annotations
    assert annotations["runbook_url"] == "https://wiki/r"
    assert [value for name, value in annotations.items() if name.startswith("link_")] == ["Queue: https://mq/q"]


def test_two_routes_with_equal_labels_have_two_group_keys():
    message = message_of(FIRING, "team", Links())
    keys = {build_payload(replace(message, group_key=key)).group_key for key in ("{}/{a}:{b}", "{}/{c}:{b}")}
    assert keys == {"{}/{a}:{b}", "{}/{c}:{b}"}
