from dataclasses import replace
from datetime import timedelta

import pytest

from alerts.errors import InvalidAlert
from alerts.evidence import Evidence, EvidenceTrace
from alerts.group_message import MOST_ALERTS, group_message
from alerts.message import Links
from alerts.transition import Link
from tests.unit.deliveries import NOW, notification, transition

LINKS = Links("https://nl.example/", "https://api.example/")
MINUTE = timedelta(minutes=1)
TRACE = EvidenceTrace("ab" * 16, "/pay", NOW, 12.5, True, "cd" * 8, "bank", "charge")


def test_pages_come_before_tickets_what_fires_before_what_is_over_and_the_oldest_first():
    page = transition("page")
    younger = replace(transition("younger"), started_at=NOW + MINUTE)
    ticket = replace(transition("ticket"), severity="ticket", started_at=NOW - MINUTE)
    over = transition("over", "resolved")
    message = group_message(notification(), [over, ticket, younger, page], LINKS)
    assert [alert.transition.alert_id for alert in message.alerts] == ["page", "younger", "ticket", "over"]
    assert message.status == "firing"
    assert group_message(notification(), [over], LINKS).status == "resolved"


def test_its_key_group_and_receiver_are_those_of_the_notification():
    item = notification("checkout", 3)
    message = group_message(item, [transition()], LINKS)
    assert (message.idempotency_key, message.receiver, message.group_key) == (item.id, "team", "checkout")
    assert message.group_labels == {"service_name": "checkout"}
    assert message.external_url == "https://nl.example"
    assert message.alerts[0].labels["alertname"] == "SLOErrorBudgetBurn"


def test_links_are_signed_and_only_what_fires_can_be_acknowledged():
    signed = []

    def sign(purpose, alert_id, at):
        signed.append(at)
        return f"{purpose}-{alert_id}"

    message = group_message(notification(), [transition("a"), transition("b", "resolved")], LINKS, sign=sign)
    firing, over = message.alerts
    assert firing.acknowledge_url == "https://api.example/api/v1/acknowledge?token=acknowledge-a"
    assert firing.evidence_url == "https://api.example/api/v1/alerts/a/evidence?token=evidence-a"
    assert firing.alert_url == "https://nl.example/alert?id=a"
    assert over.acknowledge_url == ""
    assert over.evidence_url.endswith("token=evidence-b")
    assert set(signed) == {NOW}, "an attempt a day later says the same"


def test_without_a_signer_nothing_is_acknowledged_and_without_an_api_there_is_no_page():
    (alert,) = group_message(notification(), [transition()], LINKS).alerts
    assert (alert.acknowledge_url, alert.evidence_url) == ("", "https://api.example/api/v1/alerts/a-page-1/evidence")
    (alert,) = group_message(notification(), [transition()], Links("https://nl.example")).alerts
    assert alert.evidence_url == ""


def test_evidence_brings_traces_at_the_guilty_span_and_the_runbook():
    evidence = Evidence("a-page-1", NOW, NOW, NOW, "bank fails", traces=(TRACE,), runbook="https://runbook")
    (alert,) = group_message(notification(), [transition()], LINKS, evidence={"a-page-1": evidence}).alerts
    assert alert.evidence is evidence
    assert alert.trace_urls == (LINKS.trace("ab" * 16, "cd" * 8),)
    assert alert.runbook == "https://runbook"


def test_without_evidence_traces_are_those_of_the_transition():
    known = transition().with_evidence(("ab" * 16,))
    (alert,) = group_message(notification(), [known], LINKS).alerts
    assert alert.trace_urls == (LINKS.trace("ab" * 16),)


def test_of_very_many_alerts_the_most_important_are_listed_and_the_others_counted():
    many = [replace(transition(f"t{number}"), severity="ticket") for number in range(MOST_ALERTS)]
    message = group_message(notification(), [*many, transition("page")], LINKS)
    assert (len(message.alerts), message.truncated) == (MOST_ALERTS, 1)
    assert message.alerts[0].transition.alert_id == "page"


def test_a_label_that_receivers_would_refuse_is_an_error():
    with pytest.raises(InvalidAlert, match="a-b"):
        group_message(notification(), [replace(transition(), labels=(("a-b", "c"),))], LINKS)


def test_the_runbook_of_the_rule_comes_before_that_of_the_objective():
    rule = transition("a")
    named = replace(rule, details=replace(rule.details, links=(Link("Runbook", "https://wiki/rule"),)))
    evidence = Evidence("a", NOW, NOW, NOW, "", runbook="https://wiki/objective")
    told = group_message(notification(), [named], LINKS, evidence={"a": evidence})
    assert told.alerts[0].runbook == "https://wiki/rule"
    assert group_message(notification(), [named], LINKS).alerts[0].runbook == "https://wiki/rule"
    assert (
        group_message(notification(), [rule], LINKS, evidence={"a": evidence}).alerts[0].runbook.endswith("objective")
    )
